"""What the tasks of a run took, by stage, as they wrote it down.

Holds: `StageTime`, `records`, `ended`, `failures`, `stages`, `whole`, `of_task`, `tried`, `runs`.
Reads task records and manifests. Not here: measuring (`runner/record.py`), showing (`report/`,
`cli/reports.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from pipeline.model.manifest import FileCounts, IngestManifest
from pipeline.model.plan import Plan
from pipeline.model.task import TaskFailure, TaskRecord
from pipeline.storage import layout
from pipeline.storage.units import Corpus

STAGES: Final = (
    "plan", "ingest", "match", "decide", "annotate", "route", "publish", "commit", "promote"
)  # fmt: skip
_WORKERS: Final = 8


@dataclass(frozen=True, slots=True)
class StageTime:
    """What the tasks of one stage took together; `peak_rss_bytes` of the largest."""

    stage: str
    tasks: int
    seconds: float
    longest: float
    cpu_seconds: float
    peak_rss_bytes: int
    elapsed: float
    """From the start of the first task to the end of the last."""
    counts: Mapping[str, int]
    requests: Mapping[str, int] = field(default_factory=dict)
    """To the object store, by kind."""
    received: int = 0
    sent: int = 0


def records(corpus: Corpus, dump_date: str, run_id: str) -> list[TaskRecord]:
    """Return what is recorded of the tasks of a run; a run of long ago may have lost it."""
    keys, _ = _keys(corpus, dump_date, run_id)
    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(lambda key: corpus.load(key, TaskRecord), keys))


def ended(corpus: Corpus, dump_date: str, run_id: str) -> Counter[str]:
    """Return how many tasks of each stage of a run ended well."""
    done, _ = _keys(corpus, dump_date, run_id)
    return Counter(PurePosixPath(key).stem.rpartition("-")[0] for key in done)


def tried(corpus: Corpus) -> set[str]:
    """Return the nights of which some run has left a record."""
    return set(corpus.store.list_folders(layout.TASKS))


def runs(corpus: Corpus, dump_date: str) -> set[str]:
    """Return the runs of a night that have left a record."""
    return set(corpus.store.list_folders(layout.tasks_of(dump_date)))


def failures(corpus: Corpus, dump_date: str, run_id: str) -> list[TaskFailure]:
    """Return what tasks of a run said that failed, and did not end well at another try."""
    done, failed = _keys(corpus, dump_date, run_id)
    ended = {PurePosixPath(key).stem for key in done}
    left = [key for key in failed if PurePosixPath(key).stem not in ended]
    return [corpus.load(key, TaskFailure) for key in left]


def _keys(corpus: Corpus, dump_date: str, run_id: str) -> tuple[list[str], list[str]]:
    """Return the keys of records, and those of failures."""
    keys = sorted(info.key for info in corpus.store.list(layout.tasks(dump_date, run_id)))
    failed = [key for key in keys if key.endswith(layout.FAILURE)]
    return sorted({*keys} - {*failed}), failed


def of_task(
    corpus: Corpus, dump_date: str, run_id: str, stage: str, *, index: int
) -> tuple[TaskRecord, tuple[FileCounts, ...]]:
    """Return what one task took and, of an ingest task, the books of the files of its shard.

    Raises:
        MissingError: there is no such record.
    """
    record = corpus.load(layout.task_record(dump_date, run_id, stage, index), TaskRecord)
    if stage != "ingest":
        return record, ()
    plan = corpus.load(layout.plan(dump_date, run_id), Plan)
    key = layout.unit("ingest", plan.shards[index].fingerprint)
    found = corpus.find(key, IngestManifest)
    return record, found.files if found else ()


def stages(recorded: Iterable[TaskRecord]) -> tuple[StageTime, ...]:
    """Add records up by stage, in the order of a night."""
    by_stage: defaultdict[str, list[TaskRecord]] = defaultdict(list)
    for record in recorded:
        by_stage[record.stage].append(record)
    return tuple(_together(by_stage[stage]) for stage in STAGES if stage in by_stage)


def whole(several: Iterable[StageTime]) -> StageTime:
    """Add stages up to the cost of a run: elapsed is the time of all, one after the other."""
    parts = list(several)
    requests: Counter[str] = Counter()
    for part in parts:
        requests.update(part.requests)
    return StageTime(
        stage="in all",
        tasks=sum(part.tasks for part in parts),
        seconds=sum(part.seconds for part in parts),
        longest=max((part.longest for part in parts), default=0.0),
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        peak_rss_bytes=max((part.peak_rss_bytes for part in parts), default=0),
        elapsed=sum(part.elapsed for part in parts),
        counts={},
        requests=requests,
        received=sum(part.received for part in parts),
        sent=sum(part.sent for part in parts),
    )


def _together(several: list[TaskRecord]) -> StageTime:
    counts: Counter[str] = Counter()
    requests: Counter[str] = Counter()
    for record in several:
        counts.update(record.counts)
        requests.update(record.requests)
    ended = max(record.started + record.seconds for record in several)
    return StageTime(
        stage=several[0].stage,
        tasks=len(several),
        seconds=sum(record.seconds for record in several),
        longest=max(record.seconds for record in several),
        cpu_seconds=sum(record.cpu_seconds for record in several),
        peak_rss_bytes=max(record.peak_rss_bytes for record in several),
        elapsed=ended - min(record.started for record in several),
        counts=counts,
        requests=requests,
        received=sum(record.received for record in several),
        sent=sum(record.sent for record in several),
    )
