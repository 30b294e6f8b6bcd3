"""Telling a person that a guard stopped a night, once a run.

Holds: `page_once`, a failure callback, `message` and `send`. Reads the connection `winnow_pager`;
writes a note into the corpus, so that a run that is tried again does not page again.
Not here: what guards say (`pipeline/publish/guards.py`), other failures, which Airflow shows.

The connection is of type `http` (its URL, or `url` in its extra, gets the message as JSON, with the
password as bearer token; `text` is what chat services show), or `smtp` (its extra has `from` and
`to`, a comma between several). Without it the message is only in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from winnow_airflow.night import date_of, night_of

CONNECTION_ID = "winnow_pager"
_SECONDS = 30
_log = logging.getLogger(__name__)


def page_once(context: Mapping[str, Any]) -> None:
    """Send what a guard said, if a guard is why the task failed and the run has not paged yet.

    A message that could not be sent counts as not sent: the next failure of the run sends it.
    """
    from pipeline.errors import ConflictError, GuardError  # noqa: PLC0415 - not while parsing
    from pipeline.storage import layout  # noqa: PLC0415

    error = context.get("exception")
    if not isinstance(error, GuardError):
        return
    said = message(context, error)
    _log.error("%s", said["text"])
    try:
        connection = Connection.get(CONNECTION_ID)
    except AirflowNotFoundException:
        return
    with night_of(context["dag_run"]) as (night, run):
        note = layout.page(*run)
        try:
            night.corpus.store.put(note, said["text"].encode(), if_absent=True)
        except ConflictError:
            return
        try:
            send(connection, said)
        except Exception:
            night.corpus.store.delete([note])
            raise


def message(context: Mapping[str, Any], error: Exception) -> dict[str, str]:
    """Return what is sent: the guard's words, and where the run is."""
    run = context["dag_run"]
    link = getattr(context["task_instance"], "log_url", "") or ""
    return {
        "text": f"Winnow stopped a night. {error} {link}".rstrip(),
        "dag_id": str(run.dag_id),
        "run_id": str(run.run_id),
        "dump_date": date_of(run),
        "error": str(error),
        "log_url": link,
    }


def send(connection: Any, said: Mapping[str, str]) -> None:
    """Send a message by the kind of the connection `winnow_pager`."""
    if connection.conn_type in {"smtp", "email"}:
        _mail(connection, said)
    else:
        _post(connection, said)


def _post(connection: Any, said: Mapping[str, str]) -> None:
    import httpx  # noqa: PLC0415 - not while parsing

    secret = connection.password
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    answer = httpx.post(_url(connection), json=dict(said), headers=headers, timeout=_SECONDS)
    answer.raise_for_status()


def _url(connection: Any) -> str:
    """Return the address of a connection: `url` of its extra, or made of its fields."""
    if url := connection.extra_dejson.get("url"):
        return str(url)
    port = f":{connection.port}" if connection.port else ""
    path = (connection.extra_dejson.get("path") or "").lstrip("/")
    return f"{connection.schema or 'https'}://{connection.host}{port}/{path}"


def _mail(connection: Any, said: Mapping[str, str]) -> None:
    import smtplib  # noqa: PLC0415 - not while parsing
    from email.message import EmailMessage  # noqa: PLC0415

    extra = connection.extra_dejson
    letter = EmailMessage()
    verb = "stopped" if "error" in said else "is late with"
    letter["Subject"] = f"Winnow {verb} the night {said['dump_date']}"
    letter["From"], letter["To"] = extra["from"], extra["to"]
    letter.set_content(said["text"])
    with smtplib.SMTP(connection.host, connection.port or 25, timeout=_SECONDS) as server:
        if extra.get("starttls"):
            server.starttls()
        if connection.login:
            server.login(connection.login, connection.password or "")
        server.send_message(letter)
