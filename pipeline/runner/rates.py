"""How much the tasks of each stage take: as once measured, or as this corpus shows.

Holds: `Rates`, `StageRate`, `measured`, `of_corpus`. Reads `rates.toml` beside it (made by
`python -m benchmarks.rates`, which says on which machine), task records and states of a corpus.
Not here: what follows for a night (`estimate.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from statistics import median
from typing import Final

import msgspec

from pipeline.audit import tasks
from pipeline.audit.tasks import StageTime
from pipeline.model.snapshot import DumpState
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

NIGHTS: Final = 14
"""Nights that a trailing median looks back on."""

ENOUGH_SECONDS: Final = 5.0
"""Work of a stage in a night from which it can be told how long work takes."""

TAKEN_OVER: Final = 0.1
"""What a text takes whose annotations are taken over, of one that is annotated (ADR 0016)."""


class StageRate(msgspec.Struct, frozen=True, kw_only=True):
    """A line through the tasks of a stage: what each takes, and what each unit of work adds.

    Buffers fill up, and then a task holds less for each unit that is added, or nothing. Where that
    was measured, with nights without texts, `memory_mb_per_unit_beyond` goes for all units above
    `memory_units`; elsewhere the line goes on.
    """

    unit: str
    cpu_seconds: float
    cpu_seconds_per_unit: float
    memory_mb: float
    memory_mb_per_unit: float
    memory_units: float | None = None
    memory_mb_per_unit_beyond: float = 0.0

    def memory(self, units: float) -> float:
        """Return the megabytes that a task needs for so many units."""
        line = units if self.memory_units is None else min(units, self.memory_units)
        beyond = units - line
        return (
            self.memory_mb
            + line * self.memory_mb_per_unit
            + beyond * self.memory_mb_per_unit_beyond
        )


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """What nights are reckoned with.

    `megabytes` is the text of the larger night that was measured, and `large_documents` what the
    largest night without texts had. `storage` is bytes a document by what they are for. `factor` is
    how much longer the work of a stage takes here than where it was measured, apart from the start
    of its tasks. `nights` is how many nights of this corpus were looked at for it, and for sizes
    and shares.
    """

    measured: str
    machine: str
    megabytes: float
    large_documents: int
    documents_per_mb: float
    chars_per_document: float
    kept: float
    partitions: int
    stages: dict[str, StageRate]
    storage: dict[str, float]
    factor: dict[str, float] = {}
    nights: int = 0

    def seconds(self, stage: str, *, tasks: int, units: float) -> float:
        """Return the processor seconds of the tasks of a stage together."""
        rate = self.stages[stage]
        return tasks * rate.cpu_seconds + self.work(stage, units) * self.factor.get(stage, 1.0)

    def work(self, stage: str, units: float) -> float:
        """Return the seconds that so many units take where it was measured."""
        return units * self.stages[stage].cpu_seconds_per_unit

    def memory(self, stage: str, *, units: float) -> float:
        """Return the megabytes that a task of a stage needs for so many units."""
        return self.stages[stage].memory(units)


def measured() -> Rates:
    """Return the rates that were measured once, of generated dumps."""
    return msgspec.toml.decode(
        files("pipeline.runner").joinpath("rates.toml").read_bytes(), type=Rates
    )


def of_corpus(corpus: Corpus) -> Rates:
    """Return the rates of the newest nights of a corpus; the measured ones if it has none.

    A night counts when its last run has records of its tasks and read all of it. How long work
    takes is learned from stages with enough of it: small nights are mostly the start of tasks.
    """
    table = measured()
    nights = [*_nights(corpus)]
    if not nights:
        return table
    ratios: dict[str, list[float]] = {}
    for state, stages in nights:
        for one in stages:
            work = table.work(one.stage, _done(one, state))
            if work >= ENOUGH_SECONDS:
                ratios.setdefault(one.stage, []).append(one.seconds / work)
    counts = [state.counts for state, _ in nights]
    return msgspec.structs.replace(
        table,
        documents_per_mb=median(one.documents / (one.bytes / 1e6) for one in counts),
        chars_per_document=median(one.chars / one.documents for one in counts),
        kept=median(one.kept / one.documents for one in counts),
        partitions=round(median(len(state.documents) for state, _ in nights)),
        factor={stage: median(found) for stage, found in ratios.items()},
        nights=len(nights),
    )


def _nights(corpus: Corpus) -> Iterator[tuple[DumpState, tuple[StageTime, ...]]]:
    """Yield the newest nights of which it is known what their last run took."""
    snapshot = snapshots.current(corpus)
    for date in sorted(snapshot.dumps)[-NIGHTS:]:
        state = snapshots.load_state(corpus, snapshot, date)
        if not (state.runs and state.counts.documents and state.counts.bytes):
            continue
        run_id = layout.unit_of(state.runs[-1].key)
        stages = tasks.stages(tasks.records(corpus, date, run_id))
        read = sum(one.counts.get("bytes", 0) for one in stages if one.stage == "ingest")
        if read == state.counts.bytes:
            yield state, stages


def _done(stage: StageTime, state: DumpState) -> float:
    """Return the units that a stage got through in a night."""
    own = {
        "ingest": stage.counts.get("bytes", 0) / 1e6,
        "annotate": _annotated(stage.counts) / 1e3,
        "publish": stage.counts.get("rows", 0) / 1e3,
        "promote": state.counts.kept / 1e3,
        "plan": 0.0,
        "route": 0.0,
    }
    return own.get(stage.stage, state.counts.documents / 1e3)


def _annotated(counts: Mapping[str, int]) -> float:
    """Return how many documents a stage would have annotated in the time that it took."""
    reused = counts.get("reused", 0)
    return counts.get("documents", 0) - reused + TAKEN_OVER * reused
