"""A corpus in memory that runs match and decide alone, and the definition to hold it to.

Holds: `Nights`, the oracles `by_classes`, `by_pairs` and `without_taken`, and texts that are copies
of each other to any degree. Not here: whole nights (`nights.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from datetime import date as calendar
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from pipeline.dedup.merging import Sizes
from pipeline.dedup.stage import decide, decide_again, match_range, merge, write_again
from pipeline.model.files import FileRef
from pipeline.model.ids import document_id, fingerprint
from pipeline.model.manifest import Decision, IngestManifest, TouchedDump
from pipeline.model.plan import KeyRange, Plan, Shard
from pipeline.model.rule import Rule
from pipeline.model.schemas import SIGNATURES, STAGED_DOCUMENTS, TOMBSTONES
from pipeline.model.settings import DedupSettings, RunSettings
from pipeline.model.snapshot import DumpCounts, DumpRef, DumpState, Snapshot
from pipeline.signature import sign, similarity
from pipeline.storage import layout, snapshots, tombstones
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus

THRESHOLD = Rule().threshold
OFTEN = Sizes(fan_in=2, most=3, alone=200, per_slice=100)
"""Sizes with which a few small dumps already are merged several times, into several slices."""
CROWDED = Sizes(fan_in=2, most=3, alone=200, per_slice=2500)
"""The same for dumps of hundreds of documents, which would have a hundred slices each."""
DATES = [f"2026-11-0{day}" for day in range(1, 6)]

Dump = dict[str, str]
Row = tuple[Any, ...]
"""kept, reason, witness, its date, similarity; the tombstone of documents that are taken down."""
Stone = tuple[str, float]
"""A text that is taken down, and how similar others must be to go with it."""


SOURCES = ("north", "south", "east")


def source_of(name: str) -> str:
    """The source of a test document, which its name says."""
    return SOURCES[sum(name.encode()) % len(SOURCES)]


def identity(date: str, name: str) -> str:
    """The id of a test document."""
    return document_id("test", f"test/{date}/{name}", 0, 1)


class Nights:
    """A corpus in memory, and the smallest commit that lets the next night see this one."""

    def __init__(
        self, scratch: Path, *, shards: int = 2, ranges: int = 2, sizes: Sizes | None = OFTEN
    ) -> None:
        """Start empty; dumps are cut into `shards`, the key space into `ranges`.

        The band index is merged after every commit, by `sizes`; never without.
        """
        self.corpus = Corpus(MemoryStore(), scratch)
        self.shards = shards
        self.ranges = ranges
        self.sizes = sizes
        self.runs = 0

    def run(self, date: str, dump: Dump, rule: Rule | float = THRESHOLD) -> Decision:
        """Ingest, match, decide and commit one dump, replacing what was there of its date."""
        (decision,) = self.at_once([(date, dump, rule)])
        return decision

    def at_once(self, nights: Iterable[tuple[str, Dump, Rule | float]]) -> list[Decision]:
        """Run nights that all start from what is published now; each commits when it can.

        All of them match and decide before any commits; those that find another committed
        meanwhile do it again on what is published by then, as the runner does.
        """
        pinned = snapshots.current(self.corpus)
        plans = [self._plan(pinned, *night) for night in nights]
        for plan in plans:
            self._decide(plan, pinned)
        decisions = []
        for plan in plans:
            live = snapshots.current(self.corpus)
            decisions.append(self._decide(plan, live))
            self._commit(live, decisions[-1], Rule.of(plan.settings.dedup))
            if self.sizes is not None:
                merge(self.corpus, sizes=self.sizes)
        return decisions

    def take(self, stones: Iterable[Stone]) -> list[TouchedDump]:
        """Put these tombstones in force, and no others, in one commit."""
        parent = snapshots.current(self.corpus)
        table = stone_table(stones)
        dumps = write_again(self.corpus, parent, decide_again(self.corpus, parent, table))
        after = dict(parent.dumps)
        for touched in dumps:
            after[touched.dump_date] = self._changed(parent, touched)
        self._advance(
            parent,
            "take",
            after,
            tombstones=tombstones.save(self.corpus, table) if table.num_rows else None,
        )
        return list(dumps)

    def _plan(self, pinned: Snapshot, date: str, dump: Dump, rule: Rule | float) -> Plan:
        self.runs += 1
        rule = Rule(threshold=rule) if isinstance(rule, float) else rule
        shards = [
            self._ingest(date, dict(sorted(dump.items())[number :: self.shards]))
            for number in range(self.shards if dump else 0)
        ]
        return Plan(
            run_id=f"run{self.runs}",
            dump_date=date,
            planned_at=0.0,
            generation=fingerprint(shards, rule),
            parent=pinned.sequence,
            shards=tuple(Shard(at, name, ()) for at, name in enumerate(shards)),
            key_ranges=tuple(
                KeyRange(at, at * 65536 // self.ranges, (at + 1) * 65536 // self.ranges)
                for at in range(self.ranges)
            ),
            waiting=(),
            unchanged=False,
            settings=RunSettings(dedup=DedupSettings(**msgspec.structs.asdict(rule))),
            code_version="",
        )

    def _decide(self, plan: Plan, snapshot: Snapshot) -> Decision:
        for at in range(self.ranges):
            match_range(self.corpus, plan, snapshot, at)
        return decide(self.corpus, plan, snapshot)

    def verdicts(self) -> dict[str, dict[str, Row]]:
        """The verdicts of every dump by document id."""
        found = {}
        for date, state in self.states().items():
            rows = self.corpus.read(state.verdicts).to_pylist()
            found[date] = {
                row["document_id"]: (
                    row["kept"],
                    row["reason"],
                    row["witness_id"],
                    row["witness_dump_date"],
                    row["similarity"],
                    *((row["tombstone_id"],) if row["tombstone_id"] else ()),
                )
                for row in rows
            }
        return found

    def states(self) -> dict[str, DumpState]:
        """The published state of every dump."""
        snapshot = snapshots.current(self.corpus)
        return {
            date: snapshots.load_state(self.corpus, snapshot, date)
            for date in sorted(snapshot.dumps)
        }

    def _ingest(self, date: str, dump: Dump) -> str:
        name = fingerprint(date, dump)
        texts = list(dump.values())
        signed = sign(pa.array(texts, pa.string()))
        ids = [identity(date, key) for key in dump]
        documents = pa.table(
            {
                "document_id": ids,
                "source": [source_of(key) for key in dump],
                "dump_file": [f"test/{date}/{key}" for key in dump],
                "char_start": [0] * len(ids),
                "char_end": [1] * len(ids),
                "line_start": [1] * len(ids),
                "line_end": [1] * len(ids),
                "text": texts,
                "content_hash": [row.tobytes().hex() for row in signed.content_hash],
                "char_count": [len(text) for text in texts],
                "word_count": signed.tokens.tolist(),
            }
        )
        for field in STAGED_DOCUMENTS:
            if field.name not in documents.schema.names:
                documents = documents.append_column(field, pa.nulls(len(ids), field.type))
        columns = [
            [bytes.fromhex(key) for key in ids],
            [row.tobytes() for row in signed.content_hash],
            signed.shingles,
            [row.tobytes() for row in signed.band_keys],
            [row.tobytes() for row in signed.minima],
        ]
        table = pa.table(
            [pa.array(col, field.type) for col, field in zip(columns, SIGNATURES, strict=True)],
            schema=SIGNATURES,
        )
        documents = documents.select(STAGED_DOCUMENTS.names).cast(STAGED_DOCUMENTS)
        manifest = IngestManifest(
            fingerprint=name,
            documents=self.corpus.write("ingest", name, "documents", documents),
            signatures=self.corpus.write(
                "ingest", name, "signatures", table, row_group_size=max(3, len(ids) // 8)
            ),
            quarantine=self.corpus.write("ingest", name, "quarantine", pa.table({"a": [1]})),
            files=(),
        )
        self.corpus.finish(layout.unit("ingest", name), manifest)
        return name

    def _commit(self, snapshot: Snapshot, decision: Decision, rule: Rule) -> None:
        dumps = dict(snapshot.dumps)
        for touched in decision.touched:
            if touched.dump_date == decision.dump_date:
                state = DumpState(
                    dump_date=touched.dump_date,
                    generation=touched.generation,
                    planned_at=0.0,
                    files=(),
                    file_counts=(),
                    shards=touched.shards,
                    kept_hashes=touched.kept_hashes,
                    index=decision.index,
                    edges=decision.edges,
                    verdicts=touched.verdicts,
                    quarantine=touched.verdicts,
                    documents=(),
                    counts=DumpCounts(taken_down=touched.taken_down),
                    topics={},
                    runs=(),
                )
            else:
                dumps[touched.dump_date] = self._changed(snapshot, touched)
                continue
            dumps[touched.dump_date] = DumpRef(
                generation=touched.generation,
                state=self._saved(state),
                settings="",
                **msgspec.structs.asdict(rule),
            )
        self._advance(snapshot, decision.run_id, dumps, tombstones=snapshot.tombstones)

    def _changed(self, snapshot: Snapshot, touched: TouchedDump) -> DumpRef:
        """Give another dump its new verdicts."""
        date = touched.dump_date
        state = msgspec.structs.replace(
            snapshots.load_state(self.corpus, snapshot, date),
            kept_hashes=touched.kept_hashes,
            verdicts=touched.verdicts,
            counts=DumpCounts(taken_down=touched.taken_down),
        )
        return msgspec.structs.replace(snapshot.dumps[date], state=self._saved(state))

    def _saved(self, state: DumpState) -> FileRef:
        return self.corpus.save(state, lambda digest: layout.state(state.dump_date, digest))

    def _advance(
        self,
        before: Snapshot,
        run_id: str,
        dumps: dict[str, DumpRef],
        *,
        tombstones: FileRef | None,
    ) -> None:
        after = Snapshot(
            sequence=before.sequence + 1,
            parent=snapshots.pointed(self.corpus),
            run_id=run_id,
            dumps=dumps,
            tombstones=tombstones,
        )
        snapshots.advance(self.corpus, after)


def stone_id(text: str, threshold: float) -> str:
    """The id of a test tombstone."""
    return document_id("stone", text, int(threshold * 1000), 0)


def stone_table(stones: Iterable[Stone]) -> pa.Table:
    """Tombstones of texts, sorted by id."""
    rows = []
    for text, threshold in stones:
        signed = sign(pa.array([text], pa.string()))
        rows.append(
            {
                "tombstone_id": stone_id(text, threshold),
                "document_id": stone_id(text, threshold),
                "dump_date": DATES[0],
                "source": "test",
                "dump_file": "test",
                "content_hash": signed.content_hash[0].tobytes().hex(),
                "shingles": int(signed.shingles[0]),
                "minima": signed.minima[0].tobytes().hex(),
                "threshold": threshold,
                "taken_down_at": datetime(2026, 11, 1, tzinfo=UTC),
                "taken_down_by": "a test",
                "reason": "a test",
            }
        )
    return pa.Table.from_pylist(rows, schema=TOMBSTONES).sort_by("tombstone_id")


def without_taken(
    dumps: Mapping[str, Dump], stones: Iterable[Stone]
) -> tuple[dict[str, Dump], dict[str, dict[str, Row]]]:
    """Take texts out by the definition: return what is left, and the verdicts of those taken."""
    left: dict[str, Dump] = {}
    taken: dict[str, dict[str, Row]] = {}
    for date, dump in dumps.items():
        left[date], taken[date] = {}, {}
        for name, text in dump.items():
            found = min((cover for stone in stones if (cover := _cover(text, stone))), default=None)
            if found is None:
                left[date][name] = text
            else:
                row = (False, "taken_down", None, None, -found[0], found[1])
                taken[date][identity(date, name)] = row
    return left, taken


def _cover(text: str, stone: Stone) -> tuple[float, str] | None:
    """Say how a tombstone covers a text, if it does: the more similar, the less."""
    signed = sign(pa.array([text, stone[0]], pa.string()))
    if signed.content_hash[0].tobytes() == signed.content_hash[1].tobytes():
        return -1.0, stone_id(*stone)
    score = float(similarity(*signed.minima))
    if signed.shingles.all() and score >= stone[1]:
        return -score, stone_id(*stone)
    return None


def by_classes(dumps: dict[str, Dump]) -> dict[str, dict[str, Row]]:
    """Decide by the definition for default rules: walk classes of equal content in order."""
    keys = [(date, identity(date, name)) for date in dumps for name in dumps[date]]
    texts = [text for dump in dumps.values() for text in dump.values()]
    signed = sign(pa.array(texts, pa.string()))
    bands = [set(row.tolist()) for row in signed.band_keys.view("<u8")]
    classes: dict[bytes, list[int]] = {}
    for at in sorted(range(len(keys)), key=keys.__getitem__):
        classes.setdefault(signed.content_hash[at].tobytes(), []).append(at)
    found: dict[str, dict[str, Row]] = {date: {} for date in dumps}
    kept: list[int] = []
    for members in classes.values():
        head = members[0]
        near = [
            (-float(similarity(signed.minima[head], signed.minima[other])), keys[other])
            for other in kept
            if signed.shingles[head] and signed.shingles[other] and bands[head] & bands[other]
        ]
        near = [pair for pair in near if -pair[0] >= THRESHOLD]
        if near:
            score, (date, witness) = min(near)
            rows = dict.fromkeys(members, (False, "near", witness, date, -score))
        else:
            kept.append(head)
            date, witness = keys[head]
            rows: dict[int, Any] = dict.fromkeys(members, (False, "exact", witness, date, 1.0))
            rows[head] = (True, "unique", None, None, None)
        for at, row in rows.items():
            found[keys[at][0]][keys[at][1]] = row
    return found


def by_pairs(dumps: Mapping[str, Dump], rules: Mapping[str, Rule]) -> dict[str, dict[str, Row]]:
    """Decide by the definition for any rules: walk the classes of each dump in order.

    A class of one dump acts as its first member in order. It follows an earlier class of the same
    content that is within scope; else the most similar kept one that is similar enough and in
    scope for both dumps.
    """
    documents = _Documents(dumps, rules)
    found: dict[int, tuple[str, int, float]] = {}
    for members in documents.classes():
        verdict = _verdict(documents, members[0], found)
        found[members[0]] = verdict
        follow = ("exact", members[0], 1.0) if verdict[0] == "unique" else verdict
        found.update(dict.fromkeys(members[1:], follow))
    keys = documents.keys
    rows: dict[str, dict[str, Row]] = {date: {} for date in dumps}
    for at, (reason, witness, score) in found.items():
        date, document = keys[at]
        row: Row = (True, reason, None, None, None)
        if reason != "unique":
            row = (False, reason, keys[witness][1], keys[witness][0], score)
        rows[date][document] = row
    return rows


def _verdict(
    documents: _Documents, head: int, found: Mapping[int, tuple[str, int, float]]
) -> tuple[str, int, float]:
    """Decide a document when all before it are; those of its dump's copies are not among them."""
    before = [at for at in sorted(found, key=documents.order) if documents.meet(at, head)]
    copies = [at for at in before if documents.content[at] == documents.content[head]]
    kept = [at for at in before if found[at][0] == "unique"]
    alike = [(-documents.near(at, head), documents.order(at), at) for at in kept]
    alike = [one for one in alike if one[0]]
    if set(copies) & set(kept):
        return "exact", next(at for at in copies if at in kept), 1.0
    if copies and documents.meet(found[copies[0]][1], head):
        return found[copies[0]]
    if alike:
        return "near", min(alike)[2], -min(alike)[0]
    return "unique", head, 0.0


class _Documents:
    """What the definition needs to know of documents, by number."""

    def __init__(self, dumps: Mapping[str, Dump], rules: Mapping[str, Rule]) -> None:
        self.keys = [(date, identity(date, name)) for date in dumps for name in dumps[date]]
        self.sources = [source_of(name) for dump in dumps.values() for name in dump]
        self.rules = [rules[date] for date, _ in self.keys]
        texts = [text for dump in dumps.values() for text in dump.values()]
        self.signed = sign(pa.array(texts, pa.string()))
        self.content = [row.tobytes() for row in self.signed.content_hash]
        self.bands = [set(row.tolist()) for row in self.signed.band_keys.view("<u8")]

    def order(self, at: int) -> tuple[int, int, str, str]:
        """The order key: source, length, date, id."""
        rule, source = self.rules[at], self.sources[at]
        place = [*rule.source_priority, source].index(source) if rule.source_priority else 0
        longest = rule.survivor == "longest"
        return (place, 2**32 - 1 - int(self.signed.tokens[at]) if longest else 0, *self.keys[at])

    def classes(self) -> list[list[int]]:
        """Documents of one dump and one content together, all in order."""
        found: dict[tuple[str, bytes], list[int]] = {}
        for at in sorted(range(len(self.keys)), key=self.order):
            found.setdefault((self.keys[at][0], self.content[at]), []).append(at)
        return list(found.values())

    def meet(self, one: int, two: int) -> bool:
        """Whether two documents are in scope for both of their dumps."""
        apart = abs(_day(self.keys[one][0]) - _day(self.keys[two][0]))
        scopes = {self.rules[one].scope, self.rules[two].scope} - {"all"}
        return all(apart < (1 if scope == "night" else scope) for scope in scopes)

    def near(self, one: int, two: int) -> float:
        """The similarity of near-duplicates, 0 for others."""
        signed = self.signed
        least = max(self.rules[one].threshold, self.rules[two].threshold)
        if not (
            signed.shingles[one] and signed.shingles[two] and self.bands[one] & self.bands[two]
        ):
            return 0.0
        score = float(similarity(signed.minima[one], signed.minima[two]))
        return score if score >= least else 0.0


def _day(date: str) -> int:
    return calendar.fromisoformat(date).toordinal()


def story(family: int, head: int, tail: int, *, shout: bool = False) -> str:
    """A text of 40 words of one family with `head` words changed in front and `tail` behind.

    Shouting changes the form alone, so it makes an exact copy.
    """
    words = [f"word{family}n{at}" for at in range(40)]
    words[:head] = [f"front{family}n{head}n{at}" for at in range(head)]
    words[40 - tail :] = [f"back{family}n{tail}n{at}" for at in range(tail)]
    return ", ".join(words).upper() if shout else " ".join(words)
