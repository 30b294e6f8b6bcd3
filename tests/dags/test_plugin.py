"""The adapter between Airflow and the pipeline: keys, credentials, retries."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError

from pipeline.errors import ChangedError, ConflictError, NotReadyError, WinnowError
from winnow_airflow.connections import credentials, environment_of
from winnow_airflow.night import date_of
from winnow_airflow.params import NIGHT, NIGHTS, freeze
from winnow_airflow.policies import RETRY_POLICY
from winnow_airflow.wanted import find

pytestmark = pytest.mark.airflow


def _run(key: str | None, asked: str | None = None) -> Any:
    return SimpleNamespace(partition_key=key, conf={"dump_date": asked})


@pytest.mark.parametrize(
    ("key", "asked"),
    [("2026-11-21", None), (None, "2026-11-21"), ("2026-11-21", "2026-11-21")],
)
def test_the_partition_key_or_the_form_is_the_dump_date(key: str | None, asked: str | None) -> None:
    """A key that is a date is taken as it is; without a key the form says it."""
    assert date_of(_run(key, asked)) == "2026-11-21"


@pytest.mark.parametrize("key", [None, "", "2026-11-21T00:00:00", "yesterday"])
def test_a_run_without_a_date_fails_with_the_next_step(key: str | None) -> None:
    """The message tells the operator where the date goes, and Airflow does not try again."""
    with pytest.raises(AirflowFailException, match=r"expected (the|a) dump date .* Backfill"):
        date_of(_run(key))


def test_two_different_dates_are_refused() -> None:
    """A backfill whose form also names a night would do that night for each of its dates."""
    with pytest.raises(AirflowFailException, match=r"2026-11-21 and Dump date 2026-11-20"):
        date_of(_run("2026-11-21", "2026-11-20"))


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("dump_date", "2026-02-30"),
        ("dump_date", "yesterday"),
        ("sources", "web"),
        ("sources", ["a/b"]),
        ("sources", ["web", "web"]),
        ("dry_run", "yes"),
        ("scope", "week"),
        ("scope", "0"),
        ("allow_deleted", 1),
    ],
)
def test_the_form_of_a_night_refuses(name: str, bad: object) -> None:
    """Airflow answers 400 with the rule before a run exists."""
    with pytest.raises(ParamValidationError):
        NIGHT[name].resolve(bad)


@pytest.mark.parametrize(
    ("name", "bad"), [("which", "some"), ("first", "2026-13-01"), ("most", 0), ("order", "up")]
)
def test_the_form_of_nights_refuses(name: str, bad: object) -> None:
    """The same of the form that starts many."""
    with pytest.raises(ParamValidationError):
        NIGHTS[name].resolve(bad)


def test_a_scope_is_for_dry_runs() -> None:
    """A night published by another rule than the settings would be due again at once."""
    params = {"dry_run": False, "scope": "night", "sources": [], "allow_deleted": False}
    with pytest.raises(AirflowFailException, match="with dry_run, or change the setting"):
        freeze(SimpleNamespace(), ("2026-11-21", "run"), params, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"which": "all", "first": "2026-11-01", "last": None}, "one of them empty"),
        ({"which": "due", "first": "2026-11-02", "last": "2026-11-01"}, "the other way round"),
    ],
)
def test_a_range_is_two_dates_in_order(form: dict[str, Any], message: str) -> None:
    """All nights of a corpus are not started by an empty form."""
    with pytest.raises(AirflowFailException, match=message):
        find(form, "run")


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (ChangedError("changed"), "fail"),
        (ConflictError("conflict"), "retry"),
        (NotReadyError("not ready"), "retry"),
        (OSError("disk full"), "default"),
    ],
)
def test_the_error_tree_decides_about_retries(error: Exception, action: str) -> None:
    """Permanent errors fail at once, transient ones retry, others follow the task's own count."""
    assert RETRY_POLICY.evaluate(error, try_number=1, max_tries=4).action.value == action


def test_an_upload_is_waited_for_in_steps_of_minutes() -> None:
    """A dump that is not complete is looked for again in five minutes, not with backoff."""
    decision = RETRY_POLICY.evaluate(NotReadyError("not ready"), try_number=9, max_tries=72)
    assert decision.retry_delay == timedelta(minutes=5)


def test_pauses_grow_and_differ() -> None:
    """A hundred shards that lost the store do not ask it again in the same second."""
    for number, longest in ((1, 15), (2, 30), (4, 120), (60, 900)):
        said = [RETRY_POLICY.evaluate(ConflictError(""), number, 99).retry_delay for _ in range(50)]
        seconds = [one.total_seconds() for one in said if one is not None]
        assert len(set(seconds)) > 40
        assert longest / 2 <= min(seconds) <= max(seconds) <= longest


def test_every_error_of_winnow_has_a_rule() -> None:
    """A new branch of the error tree cannot fall through the policy unnoticed."""
    for kind in WinnowError.__subclasses__():
        decision = RETRY_POLICY.evaluate(kind("any"), try_number=1, max_tries=4)
        assert decision.action.value in {"fail", "retry"}


@pytest.mark.usefixtures("airflow_database")
def test_a_connection_becomes_environment_for_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of `winnow_object_store` are set inside the block and gone after it."""
    uri = "aws://key:secret@/?endpoint_url=http%3A%2F%2F127.0.0.1%3A9000"
    monkeypatch.setenv("AIRFLOW_CONN_WINNOW_OBJECT_STORE", uri)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", _BEFORE)
    with credentials():
        inside = {name: os.environ.get(name) for name in _NAMES}
    assert inside == dict(zip(_NAMES, ("key", "secret", "http://127.0.0.1:9000"), strict=True))
    assert "AWS_ACCESS_KEY_ID" not in os.environ
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == _BEFORE


@pytest.mark.usefixtures("airflow_database")
def test_without_a_connection_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection means no change: profiles and instance roles go on working."""
    monkeypatch.delenv("AIRFLOW_CONN_WINNOW_OBJECT_STORE", raising=False)
    before = dict(os.environ)
    with credentials():
        assert dict(os.environ) == before


@pytest.mark.usefixtures("airflow_database")
def test_what_fails_does_not_tell_of_a_connection_that_nobody_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log of a failed task ends with its own error: the look for a connection is no cause."""
    monkeypatch.delenv("AIRFLOW_CONN_WINNOW_OBJECT_STORE", raising=False)
    with pytest.raises(ConflictError) as caught, credentials():
        raise ConflictError("mine")
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("login", "extra", "expected"),
    [
        (None, {}, {}),
        ("key", {"region_name": "eu-west-1"}, {"WINNOW_STORE__REGION": "eu-west-1"}),
    ],
)
def test_empty_fields_leave_the_environment_alone(
    login: str | None, extra: dict[str, Any], expected: dict[str, str]
) -> None:
    """Only the fields that a connection fills in are set."""
    expected = expected | ({"AWS_ACCESS_KEY_ID": login} if login else {})
    assert environment_of(login, None, extra) == expected


_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "WINNOW_STORE__ENDPOINT_URL")
_BEFORE = "set before the block"


def test_the_plugin_costs_a_task_nothing_heavy(tmp_path: Path) -> None:
    """Airflow imports it in every task process; FastAPI and the pages load with a request."""
    root = Path(__file__).parents[2]
    code = (
        "import sys; import winnow_airflow.plugin; "
        "print([name for name in ('fastapi', 'pyarrow', 'pipeline') if name in sys.modules])"
    )
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(str(root / name) for name in ("", "plugins")),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
