"""What DAGs downstream are told of a commit, in Airflow's own event."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog
from airflow.providers.openlineage import conf
from airflow.sdk.definitions.asset import AssetUniqueKey
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import OutletEventAccessor

from pipeline import runner
from pipeline.model.settings import RunSettings
from pipeline.publish.changed import changed_nights
from pipeline.publish.rollback import rollback
from pipeline.storage import snapshots
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus
from tests.publishing import Doc, publish_version
from winnow_airflow import lineage
from winnow_airflow.by_hand import DOCUMENTS, announce_nights

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
