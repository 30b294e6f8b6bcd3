"""The numbers of a night as metrics of Airflow.

Holds: `emit`, `count_failure`, `NIGHT_COUNTERS`. Sends to the back end that Airflow is configured
for (StatsD, or OpenTelemetry); without one nothing happens. Not here: measuring
(`pipeline/runner/record.py`), who shows and watches them (`ops/`).

A task that is done again has been counted, and is not counted twice. Names have no tags, since
plain StatsD has none: the stage is the last part of the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.observability import stats

if TYPE_CHECKING:
    from pipeline.model.task import TaskRecord

NIGHT_COUNTERS = (
    "files",
    "bytes",
    "documents",
    "kept",
    "dropped_exact",
    "dropped_near",
    "dropped_history",
    "quarantine",
    "retracted",
    "restored",
)
"""What a published night adds: `winnow.night.<name>`."""

_READ = ("documents", "bytes", "quarantine")


def count_failure(context: Mapping[str, Any]) -> None:  # noqa: ARG001 - Airflow's signature
    """Count a task that failed for good, tries and all: a failure callback."""
    stats.incr("winnow.failures", 1)


def emit(record: TaskRecord) -> None:
    """Send what a task took, and asked of the store; what it read; what a commit published."""
    stats.timing(f"winnow.seconds.{record.stage}", timedelta(seconds=record.seconds))
    stats.timing(f"winnow.cpu.{record.stage}", timedelta(seconds=record.cpu_seconds))
    stats.gauge(f"winnow.peak_rss_bytes.{record.stage}", record.peak_rss_bytes)
    for kind, count in record.requests.items():
        stats.incr(f"winnow.requests.{kind}", count)
    stats.incr("winnow.store.read_bytes", record.received)
    stats.incr("winnow.store.written_bytes", record.sent)
    if record.stage == "ingest":
        for name in _READ:
            stats.incr(f"winnow.read.{name}", record.counts.get(name, 0))
    if record.stage == "commit":
        stats.incr("winnow.nights", 1)
        for name in NIGHT_COUNTERS:
            stats.incr(f"winnow.night.{name}", record.counts.get(name, 0))
        stats.gauge("winnow.snapshot", record.counts.get("snapshot", 0))
        stats.gauge("winnow.committed_at", round(record.started + record.seconds))
