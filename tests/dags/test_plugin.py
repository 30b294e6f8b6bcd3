"""The adapter between Airflow and the pipeline: keys, credentials, retries."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from pipeline.errors import ChangedError, ConflictError, NotReadyError, WinnowError
from winnow_airflow.connections import credentials, environment_of
from winnow_airflow.night import dump_date_of
from winnow_airflow.policies import RETRY_POLICY

pytestmark = pytest.mark.airflow


def test_the_partition_key_is_the_dump_date() -> None:
    """A key that is a date is taken as it is."""
    assert dump_date_of("2026-11-21") == "2026-11-21"


@pytest.mark.parametrize("key", [None, "", "2026-11-21T00:00:00", "yesterday"])
def test_a_run_without_a_date_fails_with_the_next_step(key: str | None) -> None:
    """The message tells the operator where the key goes, and Airflow does not try again."""
    with pytest.raises(AirflowFailException, match=r"expected the dump date .* Backfill"):
        dump_date_of(key)


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
