"""What must hold of every DAG file before a scheduler sees it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import CronPartitionTimetable
from airflow.sdk.exceptions import ParamValidationError
from airflow.serialization.serialized_objects import DagSerialization

from demo.airflow import POOLS
from winnow_airflow.plugin import WinnowPlugin
from winnow_airflow.policies import RETRY_POLICY, UPLOAD_RETRIES

ROOT = Path(__file__).parents[2]
HEAVY = ("pyarrow", "numpy", "numba", "boto3", "pandas", "fastapi")

pytestmark = pytest.mark.airflow


def test_all_dags_import(dagbag: Any) -> None:
    """No DAG file has an import error, and the nightly DAG is there."""
    assert dagbag.import_errors == {}
    assert set(dagbag.dags) == {
        "winnow_due", "winnow_nightly", "winnow_reannotate", "winnow_rollback", "winnow_takedown",
    }  # fmt: skip


def test_every_dag_says_what_it_is(dagbag: Any) -> None:
    """Each DAG has a description, documentation, tags and no backlog when it is switched on."""
    for dag in dagbag.dags.values():
        assert dag.description
        assert dag.doc_md
        assert dag.tags
        assert not dag.catchup


@pytest.mark.parametrize("path", sorted((ROOT / "dags").glob("*.py")), ids=lambda path: path.name)
def test_parsing_loads_nothing_heavy(path: Path, tmp_path: Path) -> None:
    """Every task process parses its file again, so no data library may load with it."""
    code = (
        f"import sys; import {path.stem}; "
        f"print(sorted(name for name in {HEAVY!r} if name in sys.modules))"
    )
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("", "plugins", "dags")),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_dag_files_stay_short() -> None:
    """A DAG file is wiring: under 120 lines that read as the picture."""
    long = {
        path.name: lines
        for path in (ROOT / "dags").glob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) >= 120
    }
    assert long == {}


def test_the_forms_ask_for_nothing(dagbag: Any) -> None:
    """The schedule fills in no form: by default a run takes all sources, publishes, and is strict.

    Deleted files and unusual nights are refused unless the one who triggers says otherwise.
    """
    params = dagbag.dags["winnow_nightly"].params
    assert dict(params) == {
        "dump_date": None,
        "sources": [],
        "dry_run": False,
        "scope": None,
        "allow_deleted": False,
        "accept_guards": False,
    }
    for dag in dagbag.dags.values():
        assert all(dag.params.get_param(name).description for name in dag.params)


def test_late_dumps_start_the_nightly_dag(dagbag: Any) -> None:
    """The look every half hour starts bounded numbers of runs, and none that there is already."""
    dag = dagbag.dags["winnow_due"]
    assert dag.get_task("find").downstream_task_ids == {"start"}
    start = dag.get_task("start").partial_kwargs
    assert start["trigger_dag_id"] == "winnow_nightly"
    assert start["skip_when_already_exists"]
    assert (dag.params["which"], dag.params["most"], dag.max_active_runs) == ("landed", 10, 1)


def test_a_dry_run_ends_with_commit(dagbag: Any) -> None:
    """What follows a skipped commit is skipped; an unchanged night skips mapped tasks alone."""
    dag = dagbag.dags["winnow_nightly"]
    strict = {task.task_id for task in dag.tasks if task.trigger_rule == "all_success"}
    assert strict == {"promote"}


def test_every_night_ends_with_a_report_that_cannot_fail_it(dagbag: Any) -> None:
    """It is a teardown behind all that may still run when a task has failed; nothing is set up."""
    dag = dagbag.dags["winnow_nightly"]
    assert {task.task_id for task in dag.tasks if task.is_teardown} == {"report"}
    assert not any(task.is_setup for task in dag.tasks)
    report = dag.get_task("report")
    assert not report.on_failure_fail_dagrun
    mapped = {task.task_id for task in dag.tasks if task.is_mapped}
    assert report.upstream_task_ids == mapped | {"promote"}


def test_a_night_that_takes_too_long_rings(dagbag: Any) -> None:
    """Eight hours after it was asked for, wherever it is."""
    (alert,) = dagbag.dags["winnow_nightly"].deadline
    assert alert.interval == timedelta(hours=8)
    assert alert.callback.path == "winnow_airflow.alarms.tell_late"
    assert type(alert.reference) in WinnowPlugin.deadline_references


def test_dags_survive_serialization(dagbag: Any) -> None:
    """The scheduler, which sees the serialized form alone, finds the same tasks and edges."""
    for dag in dagbag.dags.values():
        restored = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
        edges = {task.task_id: task.downstream_task_ids for task in dag.tasks}
        assert {task.task_id: task.downstream_task_ids for task in restored.tasks} == edges


def test_every_task_retries_with_backoff_and_ends(dagbag: Any) -> None:
    """Each task has retries that back off, a time limit, and the policy cut by the error tree."""
    for dag in dagbag.dags.values():
        for task in dag.tasks:
            uploads = (dag.dag_id, task.task_id) == ("winnow_nightly", "plan")
            assert task.retries == (UPLOAD_RETRIES if uploads else 4)
            assert task.retry_exponential_backoff == 2.0
            assert task.execution_timeout == timedelta(hours=6)
            assert _argument(task, "retry_policy").serialize() == RETRY_POLICY.serialize()


def test_the_picture(dagbag: Any) -> None:
    """The nightly DAG is the chain that its documentation draws."""
    dag = dagbag.dags["winnow_nightly"]
    chain = ["wait", "plan", "ingest", "match", "decide", "annotate", "route", "publish"]
    chain += ["commit", "promote", "report"]
    for earlier, later in pairwise(chain):
        assert later in dag.get_task(earlier).downstream_task_ids
    assert {task.task_id for task in dag.tasks} == {*chain, "key_ranges"}
    mapped = {task.task_id for task in dag.tasks if task.is_mapped}
    assert mapped == {"ingest", "match", "annotate", "publish"}


def test_annotating_again_is_a_chain_with_one_commit(dagbag: Any) -> None:
    """Nights are annotated side by side and become visible by one commit, which queues."""
    dag = dagbag.dags["winnow_reannotate"]
    for earlier, later in pairwise(["plan", "annotate", "commit", "promote"]):
        assert later in dag.get_task(earlier).downstream_task_ids
    assert {task.task_id for task in dag.tasks if task.is_mapped} == {"annotate"}
    assert {task.task_id for task in dag.tasks if task.pool == "winnow_commit"} == {
        "commit", "promote",
    }  # fmt: skip
    assert dag.params.get_param("dump_dates").resolve([]) == []


def test_taking_down_asks_for_documents_and_a_reason(dagbag: Any) -> None:
    """Both are checked before the run starts; commits queue with those of the nights."""
    dag = dagbag.dags["winnow_takedown"]
    assert dag.get_task("take_down").downstream_task_ids == {"erase"}
    assert {task.pool for task in dag.tasks} == {"winnow_commit"}
    ids, reason = (dag.params.get_param(name) for name in ("document_ids", "reason"))
    assert ids.resolve(["61b97c03b7fe9b2a14df0312c116459b", "015bf136"])
    assert reason.resolve("court order 7")
    for wrong in ([], ["61b97c03b7fe9b2a14df0312c116459b0"], ["article 7"], "015bf136"):
        with pytest.raises(ParamValidationError):
            ids.resolve(wrong)
    with pytest.raises(ParamValidationError):
        reason.resolve("")
    assert dict(dag.params)["dry_run"] is False
    assert all(dag.params.get_param(name).description for name in dag.params)


def test_only_what_must_queue_uses_the_one_slot_pool(dagbag: Any) -> None:
    """Commits and promotions of concurrent nights wait for each other; all else runs beside."""
    tasks = dagbag.dags["winnow_nightly"].tasks
    pooled = {task.task_id for task in tasks if task.pool == "winnow_commit"}
    assert pooled == {"commit", "promote"}
    assert {task.task_id for task in tasks if task.pool == "winnow_landing"} == {"ingest"}


def test_every_pool_is_made(dagbag: Any) -> None:
    """A task in a pool that does not exist waits for ever: demo and images make all of them."""
    pools = {task.pool for dag in dagbag.dags.values() for task in dag.tasks} - {"default_pool"}
    assert pools == {pool["name"] for pool in POOLS}
    entry = (ROOT / "docker" / "entry").read_text("utf-8")
    assert all(f'"{name}": {{' in entry for name in pools)


def test_a_run_is_a_dump_date(dagbag: Any) -> None:
    """Runs are partitioned by day with a tick at midnight, so that all kinds of run agree."""
    timetable = dagbag.dags["winnow_nightly"].timetable
    assert isinstance(timetable, CronPartitionTimetable)
    found = timetable.expression, timetable.run_offset, timetable.key_format
    assert found == ("0 0 * * *", -1, "%Y-%m-%d")


def test_promote_announces_the_documents(dagbag: Any) -> None:
    """Downstream DAGs can be scheduled on the asset that `promote` updates."""
    outlets = dagbag.dags["winnow_nightly"].get_task("promote").outlets
    assert [outlet.name for outlet in outlets] == ["winnow_documents"]


def _argument(task: Any, name: str) -> Any:
    """Return an operator's argument, also of a mapped one."""
    return task.partial_kwargs[name] if task.is_mapped else getattr(task, name)
