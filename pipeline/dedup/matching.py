"""The match stage: one key range of the new dump against itself and every live dump.

Holds: `match_range`, `match_fingerprint`, `write_index`. Reads ingest manifests, signatures and
band indexes; writes the dump's own index slice and edge files.
Not here: candidates and verification (`match.py`, `buckets.py`), verdicts (`deciding.py`).

History costs a look at every run of the merged index for every new key (`history.py`), and the
reading of the row groups of signatures that hold a candidate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from pipeline import telemetry
from pipeline.dedup.entries import Entries
from pipeline.dedup.history import History
from pipeline.dedup.match import Found, between, within
from pipeline.dedup.reader import DumpSignatures, check_range
from pipeline.model import versions
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import EdgeFile, MatchManifest
from pipeline.model.plan import KeyRange, Plan
from pipeline.model.rule import Rule, in_scope, stricter
from pipeline.model.schemas import EDGES, INDEX
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

FLUSH: Final = 1 << 22
"""Edges of one pair of dumps held before they are written as a file of their own."""


def match_fingerprint(plan: Plan, snapshot: Snapshot, owned: KeyRange) -> str:
    """Name the unit by all that its edges depend on."""
    live = [(date, snapshot.dumps[date].generation) for date in _partners(plan, snapshot)]
    return fingerprint(
        (versions.MATCH, versions.SIGNATURE),
        (plan.dump_date, plan.generation),
        [shard.fingerprint for shard in plan.shards],  # the index has places in them
        (owned.low, owned.high, len(plan.key_ranges)),
        live,
        plan.settings.dedup,
    )


def match_range(corpus: Corpus, plan: Plan, snapshot: Snapshot, index: int) -> MatchManifest:
    """Find the verified edges of key range `index`, inside the dump and to all live dumps."""
    owned = plan.key_ranges[index]
    check_range(owned, len(plan.key_ranges))
    name = match_fingerprint(plan, snapshot, owned)
    key = layout.unit("match", name)
    done = corpus.find(key, MatchManifest)
    if done is not None:
        return done
    with telemetry.stage("match", dump_date=plan.dump_date, key_range=index) as span:
        signatures = DumpSignatures(corpus, [shard.fingerprint for shard in plan.shards])
        new = signatures.entries(owned)
        matcher = _Matcher(corpus, plan, name=name)
        threshold = plan.settings.dedup.threshold
        matcher.write(
            (plan.dump_date, plan.generation),
            (plan.dump_date, plan.generation),
            within(new, signatures.fetch, threshold=threshold),
        )
        live = {date: snapshot.dumps[date].generation for date in _partners(plan, snapshot)}
        with History(corpus, live, keys=new.key, owned=owned) as history:
            for date in filter(history.meets, live if len(new) else ()):
                state = snapshots.load_state(corpus, snapshot, date)
                old = history.entries(date, state)
                if len(old):
                    matcher.across((new, signatures), (old, state), snapshot.dumps[date].rule)
        manifest = MatchManifest(
            fingerprint=name,
            index=write_index(corpus, name, new, owned),
            edges=tuple(matcher.files),
            candidates=matcher.compared,
        )
        edges = sum(file.file.rows for file in matcher.files)
        span.update(entries=len(new), candidates=matcher.compared, edges=edges)
    return corpus.finish(key, manifest)


def _partners(plan: Plan, snapshot: Snapshot) -> list[str]:
    """Return the dates of the other live dumps whose documents are compared with the plan's."""
    mine = (plan.dump_date, Rule.of(plan.settings.dedup))
    return [
        date
        for date, ref in sorted(snapshot.dumps.items())
        if date != plan.dump_date and in_scope(mine, (date, ref.rule))
    ]


class _Matcher:
    """Writes the edge files of one unit; `files` and `compared` grow while it works."""

    def __init__(self, corpus: Corpus, plan: Plan, *, name: str) -> None:
        self.corpus = corpus
        self.plan = plan
        self.name = name
        self.files: list[EdgeFile] = []
        self.compared = 0

    def across(
        self, mine: tuple[Entries, DumpSignatures], other: tuple[Entries, DumpState], rule: Rule
    ) -> None:
        """Match with the entries of one live dump, older or newer, and its rule.

        The stricter of both thresholds counts, whichever dump was committed first: edges are a
        function of the two generations, also while nights of two settings stand side by side.
        """
        plan, (old, state) = self.plan, other
        kept = DumpSignatures(self.corpus, state.shards)
        sides = [
            ((plan.dump_date, plan.generation), (mine[0], mine[1].fetch)),
            ((state.dump_date, state.generation), (old, kept.fetch)),
        ]
        (one, left), (two, right) = sorted(sides, key=lambda side: side[0][0])
        threshold = stricter(Rule.of(plan.settings.dedup), rule)
        self.write(one, two, between(left, right, threshold=threshold))

    def write(
        self, earlier: tuple[str, str], later: tuple[str, str], parts: Iterable[Found]
    ) -> None:
        """Write the edges between two dumps (date, generation), in as many files as needed."""
        telemetry.note(candidates=self.compared, against=f"{earlier[0]} {later[0]}")
        for table in self._tables(parts):
            name = f"edges-{earlier[0]}-{later[0]}"
            ref = self.corpus.write("match", self.name, name, table)
            self.files.append(EdgeFile(*earlier, *later, ref))

    def _tables(self, parts: Iterable[Found]) -> Iterator[pa.Table]:
        held: list[pa.Table] = []
        rows = 0
        for found in parts:
            self.compared += found.compared
            held.append(_table(found))
            rows += held[-1].num_rows
            if rows >= FLUSH:
                held = [_unique(held)]
                rows = held[0].num_rows
                if rows >= FLUSH // 2:  # few repeat each other: hold no more
                    yield held[0]
                    held, rows = [], 0
        if rows:
            yield _unique(held)


def _table(found: Found) -> pa.Table:
    columns = [
        pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), len(column), [None, pa.py_buffer(np.ascontiguousarray(column))]
        )
        for column in (found.earlier, found.later)
    ]
    return pa.table([*columns, found.similarity, found.exact], schema=EDGES)


def _unique(tables: list[pa.Table]) -> pa.Table:
    """Sort by (earlier_id, later_id) and keep one row of each edge and of each tie."""
    table = pa.concat_tables(tables).combine_chunks()
    pairs = np.empty((table.num_rows, 33), np.uint8)
    for place, name in enumerate(("earlier_id", "later_id")):
        column = table[name].combine_chunks()
        data = np.frombuffer(column.buffers()[1] or b"", np.uint8)
        pairs[:, 16 * place : 16 * place + 16] = data[: 16 * len(pairs)].reshape(-1, 16)
    pairs[:, 32] = table["similarity"].to_numpy() > 0
    _, first = np.unique(pairs.view("S33")[:, 0], return_index=True)
    return table.take(first)


def write_index(corpus: Corpus, name: str, new: Entries, owned: KeyRange) -> FileRef:
    """Write the dump's own index slice of a key range, which its metadata name."""
    bounds = {"low": str(owned.low), "high": str(owned.high)}
    table = pa.table([new.key, new.shard, new.row], schema=INDEX.with_metadata(bounds))
    return corpus.write("match", name, "index", table, use_dictionary=False)
