"""What DAGs downstream are told of a commit, in Airflow's own event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import structlog
from airflow.providers.openlineage import conf
from airflow.sdk.definitions.asset import AssetUniqueKey
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessor

from pipeline import runner
from pipeline.errors import TransientError
from pipeline.model.settings import RunSettings
from pipeline.model.task import TaskFailure
from pipeline.publish.changed import changed_nights
from pipeline.publish.rollback import rollback
from pipeline.report.halted import halted, render_halted
from pipeline.report.place import keep_place
from pipeline.storage import layout, snapshots
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus, encode
from tests.publishing import Doc, publish_version
from winnow_airflow import lineage
from winnow_airflow.by_hand import DOCUMENTS, announce_nights
from winnow_airflow.night import announce

FIRST, SECOND = "2026-11-20", "2026-11-21"
GONE = {"documents": 0, "kept": 0}


@pytest.fixture
def event() -> OutletEventAccessor:
    """Return the event that a task with the asset as outlet fills in."""
    return OutletEventAccessor(key=AssetUniqueKey.from_asset(DOCUMENTS))


def test_each_changed_night_is_a_partition_with_its_counts(
    memory_corpus: Corpus, event: OutletEventAccessor
) -> None:
    """Of a rollback: the night that changes back, the one that goes, and none that stays."""
    stays = "2026-11-19"
    for date in (stays, FIRST):
        publish_version(memory_corpus, date, [Doc(), Doc("deu")])
    publish_version(memory_corpus, FIRST, [Doc()], 2)
    publish_version(memory_corpus, SECOND, [Doc()])
    made = rollback(memory_corpus, 2, run_id="back").sequence
    told = announce_nights(event, memory_corpus, made, "rollback")
    nights = {FIRST: {"documents": 2, "kept": 2}, SECOND: GONE}
    assert told == event.extra == {"cause": "rollback", "snapshot": made, "nights": nights}
    assert event.partition_keys == {FIRST, SECOND}


def test_a_task_that_changed_nothing_sends_no_event(
    memory_corpus: Corpus, event: OutletEventAccessor, tmp_path: Path
) -> None:
    """It is skipped, as of a dry run; also when nobody knows any more what there was before."""
    with pytest.raises(AirflowSkipException, match="nobody is told"):
        announce_nights(event, memory_corpus, None, "takedown")
    for version in (1, 2):
        publish_version(memory_corpus, FIRST, [Doc()], version)
    pointer = snapshots.current(memory_corpus).parent
    assert pointer is not None
    assert changed_nights(memory_corpus, 2) == {FIRST: {"documents": 1, "kept": 1}}
    memory_corpus.store.delete([pointer.key])
    assert changed_nights(Corpus(memory_corpus.store, tmp_path), 2) == {}


def test_lineage_that_cannot_be_told_stops_no_night(
    memory_corpus: Corpus,
    events: list[structlog.typing.EventDict],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The night is published by then: what is wrong is an event of the log."""
    monkeypatch.setattr(conf, "is_disabled", lambda: False)
    night = runner.Night(memory_corpus, MemoryStore(), RunSettings())
    lineage.tell(night, (FIRST, "run"), 9)
    (said,) = events
    assert (said["event"], said["dump_date"]) == ("lineage.failed", FIRST)
    assert "snapshot 9" in said["error"]


def _announce(corpus: Corpus, event: OutletEventAccessor) -> tuple[str, str]:
    """Tell of a night that was just published; return the key of its page, and what was told."""
    made = publish_version(corpus, FIRST, [Doc()])
    night = runner.Night(corpus, MemoryStore(), RunSettings())
    committed = {"snapshot": made.sequence, "documents": 1, "kept": 1}
    announce(event, night, (FIRST, made.run_id), committed)
    return layout.report(FIRST, made.run_id), event.extra["report"]


def test_the_address_of_the_report_leads_to_a_page_at_once(
    memory_corpus: Corpus, event: OutletEventAccessor
) -> None:
    """It says that the report is being written, and loads itself again; a report stays."""
    key, told = _announce(memory_corpus, event)
    assert told == f"{memory_corpus.store.url}/{key}"
    page = memory_corpus.store.get(key)[0].decode()
    assert "The report is being written" in page
    assert '<meta http-equiv="refresh"' in page
    memory_corpus.store.put(key, b"the report")
    keep_place(memory_corpus, *layout.run_of(key))
    assert memory_corpus.store.get(key)[0] == b"the report"


def test_a_page_about_a_try_that_failed_gives_way(
    memory_corpus: Corpus, event: OutletEventAccessor
) -> None:
    """Who waits for a night is not led to a page that says that it is not published."""
    run = FIRST, f"run-{FIRST}-1"
    failure = TaskFailure(stage="ingest", index=0, at=1.0, kind="Error", message="no")
    memory_corpus.store.put(layout.task_failure(*run, "ingest", 0), encode(failure))
    failed = halted(memory_corpus, *run)
    assert failed is not None
    memory_corpus.store.put(layout.report(*run), render_halted(failed).encode())
    key, _ = _announce(memory_corpus, event)
    page = memory_corpus.store.get(key)[0].decode()
    assert "The report is being written" in page
    assert "not published" not in page


class _NoPages(MemoryStore):
    """A store that takes everything but pages about runs."""

    def put(self, key: str, data: bytes, **conditions: Any) -> str:
        """Refuse pages."""
        if key.startswith(layout.REPORTS):
            raise TransientError("full")
        return super().put(key, data, **conditions)


def test_a_night_is_told_of_without_its_page(event: OutletEventAccessor, tmp_path: Path) -> None:
    """Trouble with pages is in the way of no published night: the event has no address then."""
    _, told = _announce(Corpus(_NoPages(), tmp_path), event)
    assert told == ""
    assert event.extra["nights"] == {FIRST: {"documents": 1, "kept": 1}}
