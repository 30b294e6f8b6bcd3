"""What operators do with nights, on a real scheduler and triggerer: forms, waiting, late dumps."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from demo.airflow import AirflowError
from demo.home import ROOT
from pipeline import runner
from pipeline.storage import snapshots
from pipeline.storage.open import open_store
from tests.scheduled import DAG, Pager, Stack, Statsd, published, started

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.xdist_group("operating"),
]

LATE = ("2026-10-05", "2026-10-06")
TRIED, UPLOADED, CLEARED = "2026-10-10", "2026-10-12", "2026-10-14"
MONTH = ("2026-09-01", "2026-09-02")
RUNS, AGAIN = "/dags/winnow_due/dagRuns", "/dags/winnow_reannotate/dagRuns"
BACKFILLS = "/backfills?dag_id=winnow_nightly"
LATE_SECONDS = 3
LINEAGE = "lineage.jsonl"
OPS = ROOT / "ops"
DIES = """\
import os, pathlib, signal
from pipeline.storage import snapshots

advance, flag = snapshots.advance, pathlib.Path({flag!r})

def then_die(*args):
    advance(*args)
    if flag.exists():
        flag.unlink()
        os.kill(os.getpid(), signal.SIGKILL)

snapshots.advance = then_die
"""


@pytest.fixture(scope="module")
def statsd() -> Iterator[Statsd]:
    """Start a StatsD server."""
    server = Statsd()
    yield server
    server.close()


@pytest.fixture(scope="module")
def deadly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file: while it is there, the next task that commits deletes it, and is killed thereupon."""
    folder = tmp_path_factory.mktemp("deadly")
    (folder / "sitecustomize.py").write_text(DIES.format(flag=str(folder / "flag")), "utf-8")
    return folder / "flag"


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, statsd: Statsd, deadly: Path
) -> Iterator[Stack]:
    """Start an object store and an Airflow that looks every second and is soon alarmed."""
    hurry = {
        "AIRFLOW__WINNOW__LOOK_SECONDS": "1",
        "AIRFLOW__WINNOW__DEADLINE_SECONDS": str(LATE_SECONDS),
    }
    folder = tmp_path_factory.mktemp("operating")
    lineage = {"type": "file", "log_file_path": str(folder / LINEAGE), "append": True}
    hurry["AIRFLOW__OPENLINEAGE__TRANSPORT"] = json.dumps(lineage)
    hurry["PYTHONPATH"] = os.pathsep.join(map(str, (deadly.parent, ROOT, ROOT / "plugins")))
    options = {"triggerer": True, "environment": hurry | statsd.environment}
    with started(folder, **options) as made:
        yield made


def texts(numbers: range) -> bytes:
    """Return documents unlike each other as JSON lines."""
    rows = (
        {"id": str(at), "text": " ".join(f"w{at}x{word}" for word in range(60))} for at in numbers
    )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def night(date: str, numbers: range) -> dict[str, bytes]:
    """Return the files of a complete night."""
    return {f"web/{date}/a.jsonl": texts(numbers), f"web/{date}/_SUCCESS": b""}


@pytest.fixture(scope="module")
def one_run(stack: Stack) -> dict[str, Any]:
    """Land a night and run it."""
    stack.put(night(CLEARED, range(400, 420)))
    run = stack.trigger(CLEARED)
    assert run["state"] == "success", stack.why(run)
    return run


def look(stack: Stack, **form: Any) -> list[str]:
    """Trigger `winnow_due`, wait for the runs that it started, and return their ids."""
    body = {"logical_date": None, "conf": form}
    run_id = stack.ask("POST", RUNS, json=body)["dag_run_id"]
    done = stack.ended(lambda: stack.ask("GET", f"{RUNS}/{run_id}"))
    assert done["state"] == "success", stack.airflow.failure("winnow_due", run_id)
    found = stack.ask("GET", f"{RUNS}/{run_id}/taskInstances")["task_instances"]
    begun = []
    for task in (one for one in found if one["task_id"] == "start" and one["map_index"] >= 0):
        if task["state"] == "success":
            path = f"{RUNS}/{run_id}/taskInstances/start/xcomEntries/trigger_run_id"
            entry = stack.ask("GET", f"{path}?map_index={task['map_index']}")
            begun.append(entry["value"])
    for one in begun:
        ended = stack.ended(lambda one=one: stack.ask("GET", f"{DAG}/{one}"))
        assert ended["state"] == "success", stack.why(ended)
    return sorted(begun)


def test_bad_values_are_refused_before_a_run_exists(stack: Stack) -> None:
    """The answer of the form names the value and the rule."""
    before = stack.ask("GET", DAG)["total_entries"]
    for form, said in (
        ({"dump_date": "2026-02-30"}, "is not a 'date'"),
        ({"scope": "week"}, "does not match"),
        ({"sources": ["a/b"]}, "does not match"),
    ):
        body = {"logical_date": None, "conf": form}
        with pytest.raises(AirflowError, match="400") as refused:
            stack.ask("POST", DAG, json=body)
        assert said in str(refused.value)
    assert stack.ask("GET", DAG)["total_entries"] == before


def test_a_dry_run_says_what_would_change(stack: Stack) -> None:
    """It ends as a success whose last tasks are skipped; nothing is published."""
    stack.put(night(TRIED, range(350, 370)))
    run = stack.trigger(None, dump_date=TRIED, dry_run=True, scope="night")
    assert run["state"] == "success", stack.why(run)
    states = stack.states(run)
    assert states["annotate"] == {"success"}
    last = {states[name].pop() for name in ("publish", "commit", "promote")}
    assert last == {"skipped"}
    path = f"{DAG}/{run['dag_run_id']}/taskInstances/commit/xcomEntries/preview"
    (row,) = stack.ask("GET", path)["value"]["nights"]
    assert (row["dump_date"], row["documents"], row["new"]) == (TRIED, 20, 20)
    with runner.corpus_session(stack.settings) as corpus:
        assert TRIED not in snapshots.current(corpus).dumps


def test_late_and_changed_dumps_start_their_nights(stack: Stack) -> None:
    """Each look starts what landed since, once; the same look again starts nothing.

    A poisoned file stops none of them: it is in quarantine.
    """
    for place, date in enumerate(LATE):
        stack.put(night(date, range(10 * place, 10 * place + 20)))
    stack.put({f"web/{LATE[0]}/poisoned.jsonl.gz": b"\x1f\x8b\x08\x00 this is no stream"})
    between = {"first": LATE[0], "last": LATE[-1]}
    (first,) = look(stack, most=1, **between)
    assert first.split("__")[:2] == ["landed", LATE[0]]
    (second,) = look(stack, **between)
    assert second.split("__")[:2] == ["landed", LATE[1]]
    assert look(stack, **between) == []
    stack.put(night(LATE[1], range(200, 205)))
    (again,) = look(stack, **between)
    assert again.startswith(f"landed__{LATE[1]}__")
    assert again != second
    with runner.corpus_session(stack.settings) as corpus:
        current = snapshots.current(corpus)
        assert snapshots.load_state(corpus, current, LATE[1]).counts.documents == 5
        assert snapshots.load_state(corpus, current, LATE[0]).counts.quarantine == 1
    event = next(
        one
        for one in stack.ask("GET", "/assets/events?limit=100")["asset_events"]
        if one["source_run_id"] == again
    )
    assert event["partition_key"] == LATE[1]
    tried = look(stack, which="all", dry_run=True, order="newest", most=1, **between)
    assert [one.split("__")[:2] for one in tried] == [["all", LATE[1]]]


def test_an_upload_is_waited_for_without_a_worker(stack: Stack) -> None:
    """The task is deferred; somebody is told that it takes long; then the night goes on."""
    stack.put({f"web/{UPLOADED}/a.jsonl": texts(range(300, 310))})
    pages = Pager()
    stack.ask("POST", "/connections", json=pages.connection)
    try:
        body = {"logical_date": None, "partition_key": UPLOADED, "conf": {}}
        run_id = stack.ask("POST", DAG, json=body)["dag_run_id"]
        task = f"{DAG}/{run_id}/taskInstances/wait"
        while stack.ask("GET", task)["state"] != "deferred" or not any(
            body["run_id"] == run_id for _, body in pages.received
        ):
            time.sleep(0.3)
        stack.put({f"web/{UPLOADED}/_SUCCESS": b""})
        run = stack.ended(lambda: stack.ask("GET", f"{DAG}/{run_id}"))
        assert run["state"] == "success", stack.why(run)
        said = next(body for _, body in pages.received if body["run_id"] == run_id)
        assert said["dump_date"] == UPLOADED
        assert f"has not ended 0:00:0{LATE_SECONDS} after it was asked for" in said["text"]
    finally:
        pages.close()
        stack.ask("DELETE", "/connections/winnow_pager")
    with runner.corpus_session(stack.settings) as corpus:
        assert UPLOADED in snapshots.current(corpus).dumps


def test_every_task_may_be_cleared(stack: Stack, one_run: dict[str, Any]) -> None:
    """Each task of a finished run without its neighbours, and the whole run: the same bytes.

    Every third task is cleared at once: what comes before and after each stays as it is. `report`
    follows many tasks, so that it is cleared by itself.
    """
    before = of_nights(stack, CLEARED)
    assert before
    path = "/dags/winnow_nightly/tasks?order_by=task_id"
    after = {one["task_id"]: one["downstream_task_ids"] for one in stack.ask("GET", path)["tasks"]}
    places = {task: depth(after, task) % 3 for task in after} | {"report": 3}
    for place in range(4):
        alone = [task for task in after if places[task] == place]
        assert not {*alone} & {following for task in alone for following in after[task]}
        again = stack.clear(one_run, alone, downstream=False)
        assert again["state"] == "success", stack.why(again)
    again = stack.clear(one_run, [*after])
    assert again["state"] == "success", stack.why(again)
    assert of_nights(stack, CLEARED) == before


def depth(after: Mapping[str, list[str]], task: str) -> int:
    """Return how many tasks follow one another from a task on."""
    return 1 + max((depth(after, following) for following in after[task]), default=0)


def test_published_nights_are_annotated_again(stack: Stack, one_run: dict[str, Any]) -> None:
    """Other annotators and a run of the DAG change labels; those of before bring them back."""
    assert one_run["state"] == "success"
    before, settings = of_nights(stack, CLEARED), stack.file.read_text("utf-8")
    stack.file.write_text(f'{settings}\n[enrich]\nannotators = ["quality"]\n', "utf-8")
    try:
        (gone,) = annotated(stack, CLEARED)
    finally:
        stack.file.write_text(settings, "utf-8")
    assert (gone["column"], gone["from"], gone["to"]) == ("language", "zxx", "und")
    assert of_nights(stack, CLEARED).keys() != before.keys()
    assert annotated(stack, CLEARED) == [gone | {"from": "und", "to": "zxx"}]
    assert of_nights(stack, CLEARED) == before


@pytest.mark.timeout(1500)
def test_a_worker_that_dies_after_its_commit_is_not_silent(
    stack: Stack, one_run: dict[str, Any], deadly: Path
) -> None:
    """The next try commits no second time, and tells what the first one did.

    So does a take-down that is cleared. Each run makes one snapshot; each of its asset events names
    that snapshot and the night.
    """
    assert one_run["state"] == "success"
    with runner.corpus_session(stack.settings) as corpus:
        before = snapshots.current(corpus)
        verdicts = corpus.read(snapshots.load_state(corpus, before, CLEARED).verdicts)
    down = {"document_ids": verdicts["document_id"].to_pylist()[:1], "reason": "to be tried again"}
    number = before.sequence
    killed(stack, deadly, number + 1, dag="winnow_takedown", form=down, times=2)
    killed(stack, deadly, number + 2, dag="winnow_takedown", form=down | {"undo": True})
    killed(stack, deadly, number + 3, dag="winnow_rollback", form={"snapshot": number})
    settings = stack.file.read_text("utf-8")
    stack.file.write_text(f'{settings}\n[enrich]\nannotators = ["quality"]\n', "utf-8")
    try:
        form = {"dump_dates": [CLEARED]}
        killed(stack, deadly, number + 4, dag="winnow_reannotate", form=form)
    finally:
        stack.file.write_text(settings, "utf-8")
    assert annotated(stack, CLEARED)


def killed(
    stack: Stack, deadly: Path, snapshot: int, *, dag: str, form: dict[str, Any], times: int = 1
) -> None:
    """Trigger a run whose task is killed after its commit; wait for its good end; clear it all."""
    deadly.touch()
    body = {"logical_date": None, "conf": form}
    run_id = stack.ask("POST", f"/dags/{dag}/dagRuns", json=body)["dag_run_id"]
    path = f"/dags/{dag}/dagRuns/{run_id}"
    for tries in range(1, times + 1):
        ended = stack.ended(lambda: stack.ask("GET", path))
        assert ended["state"] == "success", stack.airflow.failure(dag, run_id)
        assert told(stack, dag, run_id) == tries * [(snapshot, [CLEARED])]
        tasks = stack.ask("GET", f"{path}/taskInstances")["task_instances"]
        assert max(one["try_number"] for one in tasks) == 1 + tries
        assert not deadly.exists()
        body = {"dry_run": False, "dag_run_id": run_id, "only_failed": False}
        if tries < times:
            stack.ask("POST", f"/dags/{dag}/clearTaskInstances", json=body)
    with runner.corpus_session(stack.settings) as corpus:
        assert snapshots.current(corpus).sequence == snapshot


def told(stack: Stack, dag: str, run_id: str) -> list[tuple[int, list[str]]]:
    """Return which snapshot and nights the asset events of a run name."""
    path = f"/assets/events?source_dag_id={dag}&source_run_id={quote(run_id)}"
    found = [one["extra"] for one in stack.ask("GET", path)["asset_events"]]
    return [(one["snapshot"], [*one["nights"]]) for one in found]


def annotated(stack: Stack, date: str) -> list[dict[str, Any]]:
    """Trigger `winnow_reannotate`, wait for its end, and return which labels it changed."""
    body = {"logical_date": None, "conf": {"dump_dates": [date]}}
    run_id = stack.ask("POST", AGAIN, json=body)["dag_run_id"]
    done = stack.ended(lambda: stack.ask("GET", f"{AGAIN}/{run_id}"))
    assert done["state"] == "success", stack.airflow.failure("winnow_reannotate", run_id)
    entry = stack.ask("GET", f"{AGAIN}/{run_id}/taskInstances/commit/xcomEntries/return_value")
    value = entry["value"]
    changes = (json.loads(value) if isinstance(value, str) else value)["changes"]
    assert isinstance(changes, list)
    return changes


def of_nights(stack: Stack, *dates: str) -> dict[str, str]:
    """Return key → sha256 of the published tables of some nights."""
    place = stack.settings.store
    store = open_store(place.corpus, endpoint_url=place.endpoint_url)
    found = published(store).items()
    return {key: digest for key, digest in found if any(date in key for date in dates)}


def backfill_runs(stack: Stack) -> list[dict[str, Any]]:
    """Return the runs of backfills, in the order in which they began."""
    path = f"{DAG}?run_type=backfill&limit=100&order_by=start_date"
    runs: list[dict[str, Any]] = stack.ask("GET", path)["dag_runs"]
    return runs


def backfilled(stack: Stack, runs: int) -> list[dict[str, Any]]:
    """Wait until no backfill is under way and there are so many runs; return them."""
    while any(not one["completed_at"] for one in stack.ask("GET", BACKFILLS)["backfills"]):
        time.sleep(0.5)
    found = backfill_runs(stack)
    assert len(found) == runs
    assert {run["state"] for run in found} == {"success"}, [stack.why(run) for run in found]
    return found


@pytest.fixture(scope="module")
def month(stack: Stack) -> list[dict[str, Any]]:
    """Land two nights and backfill them by command, newest first, two at once."""
    for place, date in enumerate(MONTH):
        stack.put(night(date, range(500 + 10 * place, 520 + 10 * place)))
    stack.cli(
        "backfill", "create", "--dag-id", "winnow_nightly", "--run-backwards",
        "--from-date", MONTH[0], "--to-date", MONTH[-1], "--max-active-runs", "2",
        "--reprocess-behavior", "none",
    )  # fmt: skip
    return backfilled(stack, len(MONTH))


def test_a_backfill_goes_backwards_and_ends_in_the_same_bytes(
    stack: Stack, month: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Newest first ends in the bytes of one after the other in date order."""
    assert month[0]["partition_key"] == MONTH[-1]
    place = msgspec.structs.replace(stack.settings.store, corpus=str(tmp_path / "corpus"))
    with runner.session(msgspec.structs.replace(stack.settings, store=place)) as by_hand:
        for date in MONTH:
            assert [label for label, _ in runner.run_night(by_hand, date, f"by-hand-{date}")]
    assert of_nights(stack, *MONTH) == published(open_store(place.corpus))


def test_a_backfill_does_again_what_it_is_asked_for(
    stack: Stack, month: list[dict[str, Any]]
) -> None:
    """By REST: `none` and `failed` leave what has succeeded alone, `completed` does it again."""
    body = {
        "dag_id": "winnow_nightly",
        "from_date": f"{MONTH[0]}T00:00:00Z",
        "to_date": f"{MONTH[0]}T00:00:00Z",
        "max_active_runs": 1,
    }
    for behavior, more in (("none", 0), ("failed", 0), ("completed", 1)):
        stack.ask("POST", "/backfills", json=body | {"reprocess_behavior": behavior})
        backfilled(stack, len(month) + more)
    with pytest.raises(AirflowError, match="422"):
        stack.ask("POST", "/backfills", json=body | {"dag_run_conf": {"scope": "week"}})


def test_every_metric_that_is_shown_or_watched_is_sent(
    stack: Stack, one_run: dict[str, Any], statsd: Statsd
) -> None:
    """The names in the dashboard and in the alerts are those of a real run, failed tasks included.

    Twenty documents landed and are counted once, though tasks may have been cleared since.
    """
    assert one_run["state"] == "success"
    assert stack.trigger(None)["state"] == "failed"
    names = set()
    for path in (OPS / "grafana" / "winnow.json", OPS / "prometheus" / "winnow.rules.yaml"):
        found = re.findall(r"airflow_[a-z0-9_]+", path.read_text("utf-8"))
        names |= {name.removesuffix("_sum") for name in found}
    assert len(names) > 30
    sent = {name.replace(".", "_") for name in statsd.sums}
    assert names - sent == set()
    assert statsd.sums["airflow.winnow.night.documents"] % 1 == 0
    assert statsd.sums["airflow.winnow.committed_at"] > 0


def test_lineage_has_what_a_night_read_and_made(stack: Stack, one_run: dict[str, Any]) -> None:
    """One event about `commit` names both sides with their counts, beside Airflow's own events."""
    assert one_run["state"] == "success"
    lines = (stack.file.parent / LINEAGE).read_text("utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    of_commit = [one for one in events if one["job"]["name"] == "winnow_nightly.commit"]
    assert {"START", "RUNNING", "COMPLETE"} <= {one["eventType"] for one in of_commit}
    told = next(
        one
        for one in of_commit
        if one["eventType"] == "RUNNING" and one_run["dag_run_id"] in json.dumps(one["run"])
    )
    (read,) = told["inputs"]
    assert (read["namespace"], read["name"]) == ("s3://landing", "web")
    assert read["inputFacets"]["inputStatistics"]["rowCount"] == 20
    made = {one["name"]: one["outputFacets"]["outputStatistics"] for one in told["outputs"]}
    assert made["documents"]["rowCount"] == made["verdicts"]["rowCount"] == 20
    assert made["documents"]["size"] > 0
