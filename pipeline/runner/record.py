"""Writing down what each task of a run took, or why it failed.

Holds: `recorded`. Writes one small object a task.
Not here: what is said of them (`report/`), events and metrics (`telemetry.py`).

Nothing that is published depends on these records. A task that is done again finds its work
finished and takes no time, so the first record counts.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from pipeline import telemetry
from pipeline.errors import ConflictError, WinnowError
from pipeline.model.task import TaskFailure, TaskRecord
from pipeline.storage import layout, traffic
from pipeline.storage.units import Corpus, encode

P = ParamSpec("P")

_LONGEST = 4_000
"""Characters of a message that are kept."""


class _HasCorpus(Protocol):
    corpus: Corpus


N = TypeVar("N", bound=_HasCorpus)
Task = Callable[Concatenate[N, str, str, P], dict[str, Any]]


def recorded(task: Task[N, P]) -> Task[N, P]:
    """Record what a task took, under its name and its index if it is a mapped one.

    Of one that fails record what it says, for the page about the run (`report/halted.py`). A run
    that has nothing to do leaves no records.
    """

    @wraps(task)
    def run(night: N, dump_date: str, run_id: str, /, *args: P.args, **options: P.kwargs) -> Any:
        started, clock, cpu = time.time(), time.perf_counter(), time.process_time()
        before = traffic.so_far()
        index = next((one for one in args if isinstance(one, int)), 0)
        try:
            summary = task(night, dump_date, run_id, *args, **options)
        except Exception as error:
            _save_failure(night.corpus, (dump_date, run_id), task.__name__, index, error=error)
            raise
        if not summary.get("unchanged"):
            used = traffic.so_far().since(before)
            record = TaskRecord(
                stage=task.__name__,
                index=index,
                started=round(started, 3),
                seconds=round(time.perf_counter() - clock, 3),
                cpu_seconds=round(time.process_time() - cpu, 3),
                peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                counts={name: one for name, one in summary.items() if type(one) is int},
                requests=used.requests,
                received=used.received,
                sent=used.sent,
            )
            if _save(night.corpus, dump_date, run_id, record):
                telemetry.measure(record)
        return summary

    return run


def _save(corpus: Corpus, dump_date: str, run_id: str, record: TaskRecord) -> bool:
    """Write a record; say whether it is the first of its task, which alone counts."""
    key = layout.task_record(dump_date, run_id, record.stage, record.index)
    try:
        corpus.store.put(key, encode(record), if_absent=True)
    except ConflictError:
        return False
    return True


def _save_failure(
    corpus: Corpus, run: tuple[str, str], stage: str, index: int, *, error: Exception
) -> None:
    """Write why a task failed; trouble with that is not in the way of the failure itself."""
    said = TaskFailure(
        stage=stage,
        index=index,
        at=round(time.time(), 3),
        kind=type(error).__name__,
        message=" ".join(str(error).split())[:_LONGEST],
    )
    try:
        corpus.store.put(layout.task_failure(*run, stage, index), encode(said))
    except (WinnowError, OSError) as trouble:
        telemetry.log.warning("failure.not_recorded", stage=stage, error=str(trouble))
