"""What a night will take, before anything runs.

Holds: `Load`, `Estimate`, `Step`, `landed`, `imagined`, `estimate`. Reads the listing of a landing
area. Not here: the rates (`rates.py`), printing (`cli/plan.py`).

Tasks are counted by the functions that cut a real night. Times are processor seconds: a store that
delivers less than the tasks get through makes them longer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from pipeline.model.files import DumpFile
from pipeline.model.settings import RunSettings
from pipeline.plan import shards
from pipeline.plan.discover import discover
from pipeline.runner.groups import MAX_TASKS, TASK_DOCUMENTS
from pipeline.runner.night import MAX_GROUPS
from pipeline.runner.rates import Rates, measured
from pipeline.storage.store import Store

OVERHEAD_SECONDS: Final = 1.5
"""From a task to the next one behind it in Airflow, beside the start of its process: with Airflow's
defaults and PostgreSQL a chain of eight empty tasks took 1.1 s a step on two quiet cores."""

PROBE_SECONDS: Final = 0.00011
"""For a thousand documents and a million of history (docs/adr/0011): looking for shared keys."""

PACKED: Final = 4
"""Bytes that one byte of a compressed file is taken for, while nothing is known of it."""

_COMPRESSED: Final = (".gz", ".zst", ".bz2", ".xz", ".zip", ".tgz")
_TEXT: Final = ("ingest", "annotate", "publish", "trees")


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """A night to come: its files, and how many documents there are in all nights before it."""

    files: tuple[DumpFile, ...]
    history: int
    documents: int | None = None
    waiting: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Stored bytes."""
        return sum(file.size for file in self.files)

    @property
    def text_bytes(self) -> int:
        """Bytes of the texts, if compressed files are about as good as others of their kind."""
        return sum(
            file.size * (PACKED if file.key.endswith(_COMPRESSED) else 1) for file in self.files
        )


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of one stage: how many, what they take together, and the memory of one."""

    stage: str
    tasks: int
    cpu_seconds: float
    elapsed_seconds: float
    memory_mb: float


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a night takes and leaves. `storage` and `held` are bytes: of this night, of history."""

    bytes: int
    documents: int
    kept: int
    history: int
    slots: int
    steps: tuple[Step, ...]
    storage: dict[str, int]
    held: int
    source: str
    waiting: tuple[str, ...] = ()
    beyond: float = 1.0
    """How many times larger the night is than the largest that memory was measured with."""

    @property
    def tasks(self) -> int:
        """Tasks in all."""
        return sum(step.tasks for step in self.steps)

    @property
    def hours(self) -> float:
        """From the first task to the end of the last."""
        return sum(step.elapsed_seconds for step in self.steps) / 3600

    @property
    def largest(self) -> str:
        """Stage of the largest task."""
        return max(self.steps, key=lambda step: step.memory_mb).stage

    @property
    def memory_mb(self) -> float:
        """Memory of the largest task."""
        return max(step.memory_mb for step in self.steps)


def landed(landing: Store, dump_date: str, *, now: float, history: int) -> Load:
    """Return the night that has landed, sources that are still being uploaded included."""
    sources = discover(landing, dump_date, now=now, quiet_seconds=0)
    found = ((source.name, info.key, info.size) for source in sources for info in source.files)
    waiting = tuple(source.name for source in sources if source.waiting)
    return Load(files=tuple(_files(dump_date, found)), history=history, waiting=waiting)


def imagined(size: int, files: int, *, history: int, documents: int | None = None) -> Load:
    """Return a night of so many bytes of text in files of one size."""
    each = (("", f"{at:08}.jsonl", size // files + (at < size % files)) for at in range(files))
    return Load(files=tuple(_files("", each)), history=history, documents=documents)


def _files(dump_date: str, found: Iterable[tuple[str, str, int]]) -> Iterable[DumpFile]:
    for source, key, size in found:
        yield DumpFile(source=source, dump_date=dump_date, key=key, etag="", size=size, version=1)


def estimate(load: Load, settings: RunSettings, rates: Rates, *, slots: int) -> Estimate:
    """Reckon what a night takes when `slots` tasks may run at once."""
    size = load.bytes if rates.nights else load.text_bytes
    chars = rates.chars_per_document
    documents = math.ceil(rates.documents_per_mb * size / 1e6)  # of any text there is one at least
    if load.documents is not None:
        documents = load.documents
        chars = load.text_bytes / max(1, documents)
    table = measured()
    texts = chars / table.chars_per_document
    each = {name: one * (texts if name in _TEXT else 1) for name, one in rates.storage.items()}
    night = _Night(size / 1e6, documents, math.ceil(documents * rates.kept), load.history)
    return Estimate(
        bytes=load.bytes,
        documents=documents,
        kept=night.kept,
        history=load.history,
        slots=slots,
        steps=tuple(_steps(night, _tasks(load, settings, rates, night), rates, slots)),
        storage={name: round(one * documents) for name, one in each.items()},
        held=round(sum(each.values()) * load.history),
        source=_source(rates),
        waiting=load.waiting,
        beyond=max(1.0, documents / (table.megabytes * table.documents_per_mb)),
    )


def _source(rates: Rates) -> str:
    """Say where the numbers come from."""
    once = f"measured {rates.measured} on {rates.machine}"
    if not rates.nights:
        return once
    here = f"medians of {rates.nights} nights of this corpus"
    if not rates.factor:
        return f"sizes and shares: {here}, too small to tell times; all else: {once}"
    return f"times, sizes and shares: {here}; memory and storage: {once}"


class _Night(NamedTuple):
    """What the tasks of a night get through."""

    megabytes: float
    documents: int
    kept: int
    history: int

    def units(self, stage: str) -> float:
        """Return the units of a stage."""
        if stage in {"plan", "route", "report"}:
            return 0.0
        if stage == "ingest":
            return self.megabytes
        own = self.kept if stage in {"annotate", "publish", "promote"} else self.documents
        return own / 1e3


def _tasks(load: Load, settings: RunSettings, rates: Rates, night: _Night) -> dict[str, int]:
    """Return how many tasks each stage has; one where nothing is said."""
    pack = shards.pack(load.files, settings.plan, made_by=(settings.ingest, ""))
    groups = math.ceil(night.kept / TASK_DOCUMENTS)
    return {
        "ingest": len(pack),
        "match": len(shards.key_ranges(load.bytes, settings.plan)) if pack else 0,
        "annotate": min(groups, MAX_TASKS, len(pack)),
        "publish": min(rates.partitions, MAX_GROUPS, night.kept),
    }


def _steps(night: _Night, tasks: dict[str, int], rates: Rates, slots: int) -> Iterator[Step]:
    for stage in rates.stages:
        count, units = tasks.get(stage, 1), night.units(stage)
        seconds = rates.seconds(stage, tasks=count, units=units)
        if stage == "match":
            seconds += PROBE_SECONDS * units * night.history / 1e6
        at_once = min(count, slots)
        waves = math.ceil(count / slots)
        elapsed = seconds / at_once + waves * OVERHEAD_SECONDS if count else 0.0
        yield Step(
            stage=stage,
            tasks=count,
            cpu_seconds=round(seconds, 1),
            elapsed_seconds=round(elapsed, 1),
            memory_mb=round(rates.memory(stage, units=units / max(1, count))) if count else 0,
        )
