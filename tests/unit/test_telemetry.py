"""Signs of life of long stages, and numbers for who wants them."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from structlog.typing import EventDict

from pipeline import telemetry
from pipeline.errors import InputError
from pipeline.model.task import TaskRecord

RECORD = TaskRecord(
    stage="ingest",
    index=0,
    started=1.0,
    seconds=2.0,
    cpu_seconds=1.5,
    peak_rss_bytes=7,
    counts={"documents": 3},
)


def wait_for(events: list[EventDict], name: str) -> EventDict:
    """Return the first event of a name that has a note, as soon as there is one."""
    while True:
        for event in list(events):
            if event["event"] == name and "read" in event:
                return event
        time.sleep(0.001)


def test_a_long_stage_says_how_far_it_is(
    events: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its start and its line: what is noted so far, wherever in the code it was noted."""
    monkeypatch.setattr(telemetry, "BEAT_SECONDS", 0.005)
    with telemetry.stage("annotate", shard=7):
        telemetry.note(read=500, of=900)
        said = wait_for(events, "annotate.running")
    assert (said["read"], said["of"]) == (500, 900)
    assert said["seconds"] >= 0
    assert wait_for(events, "annotate.done")["read"] == 500


def test_a_short_stage_is_one_line(events: list[EventDict]) -> None:
    """And leaves no thread behind."""
    for _ in range(5):
        with telemetry.stage("publish"):
            pass
    assert [event["event"] for event in events] == ["publish.done"] * 5
    assert not any(thread.name == "beat-publish" for thread in threading.enumerate())


def test_a_failed_stage_stops_beating(
    events: list[EventDict], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is said of it after its last line."""
    monkeypatch.setattr(telemetry, "BEAT_SECONDS", 0.001)
    with pytest.raises(InputError), telemetry.stage("match"):
        raise InputError("no")
    assert events[-1]["event"] == "match.failed"


def test_a_note_outside_a_stage_is_nothing() -> None:
    """Cores may note; who calls them without a stage need not care."""
    telemetry.note(read=1)


def test_numbers_go_to_those_who_asked() -> None:
    """Inside the block, to the inner and the outer one; not after it."""
    outer: list[Any] = []
    inner: list[Any] = []
    with telemetry.measured_by(outer.append):
        with telemetry.measured_by(inner.append):
            telemetry.measure(RECORD)
        telemetry.measure(RECORD)
    telemetry.measure(RECORD)
    assert (inner, outer) == ([RECORD], [RECORD, RECORD])
