"""What the page about a run says, as frozen values.

Holds: `Report` and its parts. Reads and writes nothing. Not here: where they come from
(`gather.py`, `clusters.py`, `samples.py`), how they look (`page.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.audit.tasks import StageTime, whole
from pipeline.model.snapshot import DumpCounts


@dataclass(frozen=True, slots=True)
class NightFacts:
    """One night in the history: its counts, and its published documents by language and topic."""

    dump_date: str
    counts: DumpCounts
    languages: Mapping[str, int]
    topics: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What became of the documents of one source."""

    source: str
    files: int
    bytes: int
    documents: int
    kept: int
    within: int
    """Dropped for another document of the night."""
    history: int
    """Dropped for a document of another night."""


@dataclass(frozen=True, slots=True)
class Side:
    """One text of a pair, as pieces that are or are not in the other one."""

    document_id: str
    dump_date: str
    source: str
    dump_file: str
    title: str | None
    pieces: tuple[tuple[bool, str], ...] = ()
    """(is it in this text alone?, text); an empty text stands for what is left out."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A published text, how many documents of the night it made redundant, and one of them."""

    documents: int
    sources: int
    exact: int
    witness: Side
    copy: Side
    similarity: float
    same_words: int | None
    """None: a text is no longer stored, so nothing is compared."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One quarantined span."""

    source: str
    dump_file: str
    line: int
    detail: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Spans that are no documents for the same reason; samples of quarantined ones."""

    kind: str
    reason: str
    spans: int
    chars: int
    lost_bytes: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page says of a run. `row` is its row of `runs`."""

    dump_date: str
    corpus: str
    row: Mapping[str, Any]
    night: NightFacts
    before: tuple[NightFacts, ...]
    """The nights before it, the oldest first."""
    sources: tuple[SourceFacts, ...] = ()
    more_sources: int = 0
    clusters: tuple[Cluster, ...] = ()
    reasons: tuple[Reason, ...] = ()
    stages: tuple[StageTime, ...] = ()
    tombstones: str = ""
    """Names the take-downs in force when the page was made (`storage/tombstones.py`)."""
    touched: Mapping[str, int] = field(default_factory=dict)

    @property
    def cost(self) -> StageTime:
        """What all stages took together."""
        return whole(self.stages)
