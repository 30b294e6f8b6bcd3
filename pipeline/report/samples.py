"""What did not become a document: counts by reason, and a few spans to look at.

Holds: `reasons`. Reads the quarantine file of a dump, in batches.
Not here: why a span is there (the stages that write it).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.snapshot import DumpState
from pipeline.report.facts import Reason, Sample
from pipeline.storage.units import Corpus

SAMPLES: Final = 3
EXCERPT: Final = 400
_COLUMNS: Final = [
    "kind", "reason", "source", "dump_file", "line_start", "char_start", "char_end",
    "stored_bytes", "detail", "excerpt",
]  # fmt: skip
_Key = tuple[str, str]


def reasons(corpus: Corpus, state: DumpState) -> tuple[Reason, ...]:
    """Return why spans of a night are no documents, quarantine first, the most characters first."""
    spans: Counter[_Key] = Counter()
    chars: Counter[_Key] = Counter()
    lost: Counter[_Key] = Counter()
    samples: dict[_Key, list[dict[str, Any]]] = {}
    for batch in corpus.batches(state.quarantine, columns=_COLUMNS, rows=1 << 16):
        length = pc.subtract(batch["char_end"], batch["char_start"])
        table = pa.Table.from_batches([batch]).append_column("length", length)
        sums = table.group_by(["kind", "reason"]).aggregate(
            [([], "count_all"), ("length", "sum"), ("stored_bytes", "sum")]
        )
        for one in sums.to_pylist():
            key = one["kind"], one["reason"]
            spans[key] += one["count_all"]
            chars[key] += one["length_sum"]
            lost[key] += one["stored_bytes_sum"]
            _pick(samples.setdefault(key, []), table, key)
    found = [
        Reason(*key, spans[key], chars[key], lost[key], tuple(map(_sample, samples[key])))
        for key in spans
    ]
    return tuple(sorted(found, key=lambda one: (one.kind != "quarantine", -one.chars, one.reason)))


def _pick(picked: list[dict[str, Any]], table: pa.Table, key: _Key) -> None:
    """Add quarantined spans of a batch, of other dump files than those that are there."""
    kind, reason = key
    if kind != "quarantine" or len(picked) >= SAMPLES:
        return
    mine = table.filter(pc.and_(pc.equal(table["kind"], kind), pc.equal(table["reason"], reason)))
    seen = {row["dump_file"] for row in picked}
    rows = mine.slice(0, 64 * SAMPLES).to_pylist()
    fresh = [row for row in rows if row["dump_file"] not in seen]
    first = {row["dump_file"]: row for row in reversed(fresh)}
    others = [row for row in fresh if first[row["dump_file"]] is not row]
    picked += ([*reversed(first.values()), *others])[: SAMPLES - len(picked)]


def _sample(row: dict[str, Any]) -> Sample:
    return Sample(
        source=row["source"],
        dump_file=row["dump_file"],
        line=row["line_start"],
        detail=row["detail"],
        excerpt=row["excerpt"][:EXCERPT],
    )
