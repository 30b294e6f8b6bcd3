"""One snapshot as checks look at it, published or still proposed.

Holds: `View`. Reads states and data files of the corpus.
Not here: the checks themselves (`books.py`, `checks.py`, `verify.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.model.id_columns import id_bytes
from pipeline.model.manifest import EdgeFile
from pipeline.model.rule import Rule
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

BATCH_ROWS = 1 << 16


class View:
    """A snapshot with its dump states, opened once each; the opened ones are its mutable state."""

    def __init__(
        self,
        corpus: Corpus,
        snapshot: Snapshot,
        *,
        threshold: float | None = None,
        fresh: str = "",
    ) -> None:
        """Bind the checks to one snapshot.

        `threshold` is the similarity that counts as a duplicate in all dumps, in place of each
        dump's own. `fresh` is the dump whose run proposes the snapshot: its state holds all of its
        edges, while those of other dumps may lie with any dump that was committed after them.
        """
        self.corpus = corpus
        self.fresh = fresh
        self.snapshot = snapshot
        self._rules = {date: ref.rule for date, ref in snapshot.dumps.items()}
        if threshold is not None:
            self._rules = {
                date: msgspec.structs.replace(rule, threshold=threshold)
                for date, rule in self._rules.items()
            }
        self._states: dict[str, DumpState] = {}

    def rule_of(self, dump_date: str) -> Rule:
        """Return what a dump says about pairs of documents."""
        return self._rules[dump_date]

    def state(self, dump_date: str) -> DumpState:
        """Return what the snapshot holds of one dump."""
        if dump_date not in self._states:
            self._states[dump_date] = snapshots.load_state(self.corpus, self.snapshot, dump_date)
        return self._states[dump_date]

    def verdicts(self, dump_date: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Stream columns of a dump's verdicts."""
        ref = self.state(dump_date).verdicts
        yield from self.corpus.batches(ref, columns=columns, rows=BATCH_ROWS)

    def known_verdicts(self, dump_date: str, columns: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """Stream those of some columns that a dump's verdicts have: older ones lack some."""
        ref = self.state(dump_date).verdicts
        there = pq.read_schema(self.corpus.fetch(ref)).names
        yield from self.verdicts(dump_date, [name for name in columns if name in there])

    def kept_ids(self, dump_date: str) -> np.ndarray:
        """Return the kept document ids of a dump as sorted 16-byte values."""
        kept = (
            id_bytes(batch["document_id"].filter(batch["kept"]))
            for batch in self.verdicts(dump_date, ["document_id", "kept"])
        )
        return np.sort(np.concatenate([np.empty(0, "S16"), *kept]))

    def live_edges(self, dump_date: str) -> tuple[EdgeFile, ...]:
        """Return the edge files that this dump's state holds and that still count."""
        return tuple(
            edge
            for edge in self.state(dump_date).edges
            if self._lives(edge.earlier, edge.earlier_generation)
            and self._lives(edge.later, edge.later_generation)
        )

    def _lives(self, dump_date: str, generation: str) -> bool:
        ref = self.snapshot.dumps.get(dump_date)
        return ref is not None and ref.generation == generation
