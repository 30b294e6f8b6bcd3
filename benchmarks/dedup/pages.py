"""One page a hundred thousand times a night: what matching takes.

Holds: `measure`. Writes a corpus in memory and scratch files. Not here: large histories
(`history.py`).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from benchmarks.dedup import keys
from pipeline.dedup.stage import match_range
from pipeline.model.ids import document_id
from pipeline.model.plan import Plan
from pipeline.model.schemas import SIGNATURES
from pipeline.model.snapshot import Snapshot
from pipeline.signature import sign
from pipeline.storage import snapshots
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus

_BODY = " ".join(f"word{number}" for number in range(300))

KINDS: tuple[tuple[str, Callable[[int], str]], ...] = (
    ("identical", lambda _: _BODY),
    ("nearly identical", lambda number: f"{_BODY} visit {number}"),
)


def measure(count: int) -> Iterator[tuple[str, float, int]]:
    """Yield of each kind of page: CPU seconds of matching the second night, and its edges."""
    for kind, text in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            corpus = Corpus(MemoryStore(), Path(folder))
            plans = [_night(corpus, number, [text(at) for at in range(count)]) for number in (0, 1)]
            index = match_range(corpus, plans[0], snapshots.current(corpus), 0).index
            snapshot = keys.show(corpus, {plans[0].dump_date: (plans[0].generation, (index,))})
            spent, edges = _matched(corpus, plans[1], snapshot)
        yield kind, spent, edges


def _matched(corpus: Corpus, plan: Plan, snapshot: Snapshot) -> tuple[float, int]:
    started = time.process_time()
    manifest = match_range(corpus, plan, snapshot, 0)
    return time.process_time() - started, sum(edge.file.rows for edge in manifest.edges)


def _night(corpus: Corpus, number: int, texts: list[str]) -> Plan:
    """Leave the signatures of a dump of one shard, as ingest does; return its plan."""
    date = keys.date_of(number)
    signed = sign(pa.array(texts, pa.string()))
    table = pa.table(
        {
            "document_id": [
                bytes.fromhex(document_id("bench", date, at, at + 1)) for at in range(len(texts))
            ],
            "content_hash": [row.tobytes() for row in signed.content_hash],
            "shingles": signed.shingles,
            "band_keys": [row.tobytes() for row in signed.band_keys],
            "minima": [row.tobytes() for row in signed.minima],
        },
        schema=SIGNATURES,
    )
    keys.ingested(corpus, date, table)
    return keys.plan_of(date, date)
