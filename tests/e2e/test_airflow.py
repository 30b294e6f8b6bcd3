"""Nights through a real Airflow: scheduler, api-server and task processes on a real S3 server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import pytest
import requests

from demo.nights import nights
from pipeline import runner
from pipeline.audit import verify
from pipeline.storage import layout, snapshots
from pipeline.storage.open import open_store
from tests.scheduled import DAG, Pager, Stack, published, started

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.server,
    pytest.mark.slow,
    # One Airflow for the whole module, whatever the number of workers.
    pytest.mark.xdist_group("airflow"),
]

SHARED = Path(__file__).resolve().parents[3] / "shared" / "dumps"
REAL_DATE = "2026-11-21"
NIGHT = nights()[0]
_NIGHT = f"dump_date={NIGHT.dump_date}/"
ANALYSTS = "/dags/analysts/dagRuns"
MAPPED = {"ingest", "match", "annotate", "publish"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start the object store and Airflow, land the first night, and stop everything at the end.

    Beside our DAGs there is the analysts' of docs/reading.md, in a bundle of its own. What an asset
    starts is a matter of the schedule; the DAG that starts late nights is paused instead.
    """
    folder = tmp_path_factory.mktemp("analysts-dags")
    page = (Path(__file__).parents[2] / "docs/reading.md").read_text("utf-8")
    (code,) = [one for one in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "DAG(" in one]
    (folder / "analysts.py").write_text(code)
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [
        {"name": "dags-folder", "classpath": local, "kwargs": {}},
        {"name": "analysts", "classpath": local, "kwargs": {"path": str(folder)}},
    ]
    also = {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "True",
    }
    with started(tmp_path_factory.mktemp("airflow"), environment=also) as made:
        made.airflow.make_ready("winnow_due")
        made.ask("PATCH", "/dags/winnow_due", json={"is_paused": True})
        made.airflow.make_ready("analysts")
        made.land(NIGHT)
        yield made


@pytest.fixture(scope="module")
def first_run(stack: Stack) -> dict[str, Any]:
    """The first night, triggered by its partition key."""
    return stack.trigger(NIGHT.dump_date)


def test_a_night_ends_well(stack: Stack, first_run: dict[str, Any]) -> None:
    """Every task of a night with dumps succeeds, in each of its instances."""
    assert first_run["state"] == "success", stack.why(first_run)
    assert stack.states(first_run) == {key: {"success"} for key in [*MAPPED, *_SINGLE]}


@pytest.mark.usefixtures("first_run")
def test_airflow_and_the_command_line_publish_the_same_bytes(stack: Stack, tmp_path: Path) -> None:
    """The DAG calls the functions of `winnow run`: its tables are the same to the byte."""
    store = msgspec.structs.replace(stack.settings.store, corpus=str(tmp_path / "corpus"))
    with runner.session(msgspec.structs.replace(stack.settings, store=store)) as night:
        assert [label for label, _ in runner.run_night(night, NIGHT.dump_date, "by-hand")]
    with runner.corpus_session(stack.settings) as corpus:
        found = {key: digest for key, digest in published(corpus.store).items() if _NIGHT in key}
    assert found == published(open_store(store.corpus))


@pytest.fixture(scope="module")
def analysts_run(stack: Stack, first_run: dict[str, Any]) -> dict[str, Any]:
    """The run of the analysts' DAG that the first night started."""
    assert first_run["state"] == "success", stack.why(first_run)

    def find() -> dict[str, Any]:
        runs = stack.ask("GET", ANALYSTS)["dag_runs"]
        return next((run for run in runs if run["partition_key"] == NIGHT.dump_date), {})

    return stack.ended(find)


@pytest.mark.usefixtures("analysts_run")  # Airflow answers 500 of an event whose run is queued
def test_the_partition_is_announced_with_its_counts(
    stack: Stack, first_run: dict[str, Any]
) -> None:
    """The asset event of the night carries the dump date as key, and numbers for downstream."""
    path = f"/assets/events?source_dag_id=winnow_nightly&source_run_id={quote(run_id(first_run))}"
    (event,) = stack.ask("GET", path)["asset_events"]
    assert event["partition_key"] == NIGHT.dump_date
    assert event["extra"]["documents"] > 0
    assert event["extra"]["snapshot"] >= 1
    assert event["extra"]["report"].endswith(".html")
    counts = {name: event["extra"][name] for name in ("documents", "kept")}
    assert event["extra"]["nights"] == {NIGHT.dump_date: counts}


def test_the_commit_starts_the_dags_of_analysts(stack: Stack, analysts_run: dict[str, Any]) -> None:
    """The DAG of the page runs for the night, is told its counts, and finds as many rows."""
    made = run_id(analysts_run)
    assert analysts_run["state"] == "success", stack.airflow.failure("analysts", made)
    path = f"{ANALYSTS}/{made}/taskInstances/count/xcomEntries/return_value"
    told = stack.ask("GET", path)["value"]
    with runner.corpus_session(stack.settings) as corpus:
        state = snapshots.load_state(corpus, snapshots.current(corpus), NIGHT.dump_date)
    assert told == {"night": NIGHT.dump_date, "kept": state.counts.kept, "rows": state.counts.kept}


def run_id(run: dict[str, Any]) -> str:
    """Return the id of a run."""
    return str(run["dag_run_id"])


def test_the_last_task_leads_to_the_page_about_the_run(
    stack: Stack, first_run: dict[str, Any]
) -> None:
    """Who is logged in finds the page behind the button of `report`; nobody else sees it."""
    task = f"{DAG}/{first_run['dag_run_id']}/taskInstances/report"
    link = stack.airflow.call("GET", f"{task}/links")["extra_links"]["Run report"]
    address = stack.airflow.url + urlsplit(link).path
    assert requests.get(address, timeout=60).status_code == 401
    answer = stack.airflow.get(urlsplit(link).path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f'Night of <span class="still">{NIGHT.dump_date}</span>' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    mapped = task.removesuffix("report") + "ingest"
    links = stack.airflow.call("GET", f"{mapped}/links?map_index=0")["extra_links"]
    assert links["Run report"] == link
    shard = stack.airflow.get(urlsplit(links["What it did"]).path)
    assert shard.status_code == 200
    (file, *_) = sorted(key for key, _ in NIGHT.files if not key.endswith("_SUCCESS"))
    assert file in shard.text
    (one,) = (
        one["rendered_map_index"]
        for one in stack.airflow.call("GET", f"{mapped}/listMapped")["task_instances"]
        if one["map_index"] == 0
    )
    assert one.startswith("ingest 1/")
    for path in (f"{NIGHT.dump_date}/other", "..%2Fstore/current", "2026-01-01/x"):
        assert stack.airflow.get(f"/winnow/reports/{path}").status_code == 404


@pytest.mark.usefixtures("first_run")
def test_the_same_night_again_skips_to_the_end(stack: Stack) -> None:
    """An unchanged night maps over nothing, and still ends as a success."""
    run = stack.trigger(NIGHT.dump_date)
    assert run["state"] == "success", stack.why(run)
    expected = {key: {"skipped"} for key in MAPPED} | {key: {"success"} for key in _SINGLE}
    assert stack.states(run) == expected


def test_a_backfill_of_a_night_without_dumps_ends_well(stack: Stack) -> None:
    """A date on which nothing landed is a success without mapped work."""
    run = stack.backfill("2026-11-01")
    assert run["state"] == "success", stack.why(run)
    assert stack.states(run)["ingest"] == {"skipped"}


@pytest.mark.shared
def test_real_dumps_pass_through_the_dag(stack: Stack) -> None:
    """Three real dump files, landed as one night, are published and keep every promise."""
    if not SHARED.is_dir():
        pytest.skip(f"no folder of real dumps at {SHARED}")
    landing = runner.open_landing(stack.settings)
    paths = sorted(SHARED.glob("*.txt"))
    for path in paths:
        landing.put(f"real/{REAL_DATE}/{path.name}", path.read_bytes())
    landing.put(f"real/{REAL_DATE}/_SUCCESS", b"")
    run = stack.trigger(REAL_DATE)
    assert run["state"] == "success", stack.why(run)
    with runner.corpus_session(stack.settings) as corpus:
        assert list(verify.findings(corpus)) == []
        state = snapshots.load_state(corpus, snapshots.current(corpus), REAL_DATE)
    chars = {Path(file.key).name: file.chars for file in state.file_counts}
    assert chars == {path.name: len(path.read_text("utf-8")) for path in paths}
    assert state.counts.documents >= 20


def test_a_stopped_night_is_published_when_accepted(stack: Stack) -> None:
    """A guard fails the commit at once, and pages once; the parameter lets the night pass."""
    date = "2026-11-02"
    text = stack.file.read_text("utf-8")
    landing = runner.open_landing(stack.settings)
    landing.put(f"odd/{date}/broken.jsonl", b'{"text": "whole and sound"}\n{"text": \n')
    landing.put(f"odd/{date}/_SUCCESS", b"")
    pages = Pager()
    stack.airflow.call("POST", "/connections", json=pages.connection)
    try:
        stack.file.write_text(
            text + '\n[guard]\nquarantine = "stop"\nquarantine_share = 0.01\n', "utf-8"
        )
        stopped = stack.trigger(date)
        assert stopped["state"] == "failed"
        assert "quarantine: expected at most 0.010, found" in stack.why(stopped)
        states = stack.states(stopped)
        assert (states["commit"], states["report"]) == ({"failed"}, {"failed"})
        task = f"{DAG}/{stopped['dag_run_id']}/taskInstances/publish/links?map_index=0"
        link = stack.airflow.call("GET", task)["extra_links"]["Run report"]
        page = stack.airflow.get(urlsplit(link).path).text
        assert "not published: commit failed" in page
        assert "quarantine: expected at most 0.010, found" in page
        again = stack.clear(stopped, ["commit"])
        assert again["state"] == "failed"
        ((credential, said),) = pages.received
        assert credential == "Bearer token"
        assert said["dump_date"] == date
        assert "quarantine: expected at most 0.010, found" in said["text"]
        accepted = stack.trigger(date, accept_guards=True)
        assert accepted["state"] == "success", stack.why(accepted)
    finally:
        stack.file.write_text(text, "utf-8")
        pages.close()
    with runner.corpus_session(stack.settings) as corpus:
        state = snapshots.load_state(corpus, snapshots.current(corpus), date)
        (row,) = corpus.read(state.runs[-1]).to_pylist()
    said = {one["name"]: one["outcome"] for one in row["guards"]}
    assert (row["kept"], said["quarantine"]) == (1, "accepted")


def test_trouble_with_the_report_fails_no_published_night(stack: Stack) -> None:
    """A record that cannot be read stops the page; the night is published, and a success."""
    date, name = "2026-11-03", "illegible-record"
    landing = runner.open_landing(stack.settings)
    landing.put(f"odd/{date}/one.jsonl", b'{"text": "a sound text"}\n')
    landing.put(f"odd/{date}/_SUCCESS", b"")
    with runner.corpus_session(stack.settings) as corpus:
        corpus.store.put(layout.task_record(date, name, "plan", 0), b"no record")
    body = {"logical_date": None, "partition_key": date, "dag_run_id": name}
    stack.ask("POST", DAG, json=body)
    run = stack.ended(lambda: stack.ask("GET", f"{DAG}/{name}"))
    states = stack.states(run)
    assert (run["state"], states["promote"], states["report"]) == (
        "success", {"success"}, {"failed"}
    )  # fmt: skip
    with runner.corpus_session(stack.settings) as corpus:
        assert date in snapshots.current(corpus).dumps


def test_a_run_without_a_key_fails_with_the_next_step(stack: Stack) -> None:
    """Nobody knows which night is meant: the first task says where the date goes, and no retry."""
    run = stack.trigger(None)
    assert run["state"] == "failed"
    assert "expected the dump date of the run" in stack.why(run)


_SINGLE = ("wait", "plan", "key_ranges", "decide", "route", "commit", "promote", "report")
