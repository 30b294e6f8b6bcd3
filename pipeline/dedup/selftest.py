"""A trial of deduplication in every run: planted pairs, signed, matched and decided as its own are.

Holds: `self_test`. Reads and writes a corpus in memory, where two nights of canaries go through
`match_range` and `decide` with the run's parameters; keeps the result as a unit of the run. No
canary comes near a table, a book or an index of the run's corpus.
Not here: the texts (`canaries.py`), what to expect (`curve.py`).

The first text of every other pair lies in an earlier night, so that pairs inside a night and pairs
across nights are both tried. Scope and survivor policy say which of a corpus's documents meet and
which stays, not what is similar: the trial keeps to all history and the earliest.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipeline import telemetry
from pipeline.dedup import canaries, curve
from pipeline.dedup.deciding import decide
from pipeline.dedup.entries import key_range
from pipeline.dedup.matching import match_range
from pipeline.errors import ContractError
from pipeline.model import versions
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import CanaryResult, IngestManifest, SelfTest
from pipeline.model.plan import Plan, Shard
from pipeline.model.schemas import QUARANTINE, SIGNATURES, STAGED_DOCUMENTS, VERDICTS
from pipeline.model.settings import DedupSettings, RunSettings
from pipeline.model.snapshot import EMPTY, DumpCounts, DumpRef, DumpState, Snapshot
from pipeline.signature import Signatures, sign
from pipeline.storage import layout
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus

_NIGHTS: Final = ("0001-01-01", "0001-01-02")
_RANGES: Final = 2
"""Key ranges of a canary night: pairs have to be found wherever the key space is cut."""

Signer = Callable[[pa.Array], Signatures]

Rows = list[tuple[str, str]]
"""Document ids and texts."""


def self_test(corpus: Corpus, plan: Plan) -> SelfTest:
    """Try the deduplication of this run on canaries, once a run.

    Raises:
        ContractError: copies were missed or strangers were merged; nothing may be published.
    """
    rule = (versions.SIGNATURE, versions.MATCH, versions.DECIDE, plan.settings.dedup)
    name = fingerprint("selftest", plan.run_id, plan.dump_date, rule)
    key = layout.unit("selftest", name)
    done = corpus.find(key, SelfTest)
    if done is not None:
        return done
    with telemetry.stage("selftest", dump_date=plan.dump_date) as span:
        result = measure(plan.settings.dedup, fingerprint=name)
        copies = [one for one in result.results if one.kind == canaries.COPY]
        span.update(
            copies=sum(one.planted for one in copies),
            found=sum(one.found for one in copies),
            expected=round(sum(one.expected * one.planted for one in copies), 1),
            wrong=sum(one.wrong for one in result.results),
        )
        refuse(result)
    return corpus.finish(key, result)


def refuse(result: SelfTest) -> None:
    """Raise when a result misses what the parameters promise.

    Raises:
        ContractError: with the similarities, what was expected and what was found.
    """
    wrong = [_said(one) for one in result.results if not one.passed]
    if wrong:
        raise ContractError(
            f"self-test of deduplication: expected {'; '.join(wrong)}. Nothing was published. The "
            "compiled kernels of this machine do not compute what they should: remove them "
            "(`make clean`, or the folder NUMBA_CACHE_DIR), run the night again, and see what "
            "`winnow verify` says of nights that this machine has published. If it repeats, it is "
            "a defect of this version."
        )


def measure(
    settings: DedupSettings, *, fingerprint: str = "", signer: Signer | None = None
) -> SelfTest:
    """Deduplicate the canaries in a corpus of their own and count what was found.

    `signer` stands in for `sign`, to see what a machine that computes wrongly would do.
    """
    pairs = list(canaries.plant())
    with tempfile.TemporaryDirectory(prefix="winnow-") as folder, telemetry.silence():
        trial = _Trial(
            Corpus(MemoryStore("memory://canaries"), Path(folder)), settings, signer or sign
        )
        first, second = _split(pairs)
        trial.night(_NIGHTS[0], first)
        verdicts = trial.night(_NIGHTS[1], second)
    witness = dict(
        zip(verdicts["document_id"].to_pylist(), verdicts["witness_id"].to_pylist(), strict=True)
    )
    tallies: defaultdict[tuple[str, float], _Tally] = defaultdict(_Tally)
    for number, pair in enumerate(pairs):
        tally = tallies[pair.kind, pair.similarity]
        tally.planted += 1
        found = witness[_id(number, 1)]
        tally.found += found == _id(number, 0)
        tally.wrong += found is not None and found != _id(number, 0)
        tally.wrong += witness.get(_id(number, 0)) is not None
    results = (
        _result(kind, similarity, tally, threshold=settings.threshold)
        for (kind, similarity), tally in tallies.items()
    )
    return SelfTest(fingerprint=fingerprint, results=tuple(results))


@dataclass
class _Tally:
    """What became of the pairs of one kind and similarity; grows pair by pair."""

    planted: int = 0
    found: int = 0
    wrong: int = 0


def _result(kind: str, similarity: float, tally: _Tally, *, threshold: float) -> CanaryResult:
    """Judge a tally. A stranger that is dropped is wrong, whatever its witness."""
    copies = kind == canaries.COPY
    chance = curve.duplicate(similarity, threshold) if copies else 0.0
    least, most = curve.bounds(chance, tally.planted)
    return CanaryResult(
        kind=kind,
        similarity=similarity,
        planted=tally.planted,
        found=tally.found if copies else 0,
        wrong=tally.wrong if copies else tally.wrong + tally.found,
        expected=chance,
        least=least,
        most=most,
    )


def _said(one: CanaryResult) -> str:
    if one.kind != canaries.COPY or one.wrong:
        what = "copies" if one.kind == canaries.COPY else f"strangers ({one.kind})"
        return f"none of {one.planted} {what} merged with others, found {one.wrong}"
    return (
        f"{one.least} to {one.most} of {one.planted} copies of similarity {one.similarity:.2f} "
        f"recognised, found {one.found}"
    )


def _id(number: int, place: int) -> str:
    return f"{2 * number + place:032x}"


def _split(pairs: Sequence[canaries.Canary]) -> tuple[Rows, Rows]:
    """Return the documents of both nights: first texts of every other pair come a night earlier."""
    earlier: Rows = []
    later: Rows = []
    for number, pair in enumerate(pairs):
        across = number // canaries.ALPHABETS % 2
        (earlier if across else later).append((_id(number, 0), pair.first))
        later.append((_id(number, 1), pair.second))
    return earlier, later


class _Trial:
    """A corpus of canaries; `snapshot` is the one state that changes, night by night."""

    def __init__(self, corpus: Corpus, settings: DedupSettings, signer: Signer) -> None:
        self.corpus = corpus
        self.signer = signer
        self.settings = RunSettings(dedup=DedupSettings(threshold=settings.threshold))
        self.snapshot = EMPTY

    def night(self, date: str, rows: Rows) -> pa.Table:
        """Match and decide one night as a run does, and return its verdicts."""
        plan = self._plan(date)
        self._ingest(plan.shards[0].fingerprint, rows)
        for owned in plan.key_ranges:
            match_range(self.corpus, plan, self.snapshot, owned.index)
        decision = decide(self.corpus, plan, self.snapshot)
        own = decision.touched[0]
        state = DumpState(
            dump_date=date,
            generation=plan.generation,
            planned_at=0,
            files=(),
            file_counts=(),
            shards=own.shards,
            kept_hashes=own.kept_hashes,
            index=decision.index,
            edges=decision.edges,
            verdicts=own.verdicts,
            quarantine=_NO_FILE,
            documents=(),
            counts=DumpCounts(),
            topics={},
            runs=(),
        )
        ref = DumpRef(
            generation=plan.generation,
            state=self.corpus.save(state, lambda digest: layout.state(date, digest)),
            settings="",
            threshold=self.settings.dedup.threshold,
        )
        number = self.snapshot.sequence + 1
        self.snapshot = Snapshot(sequence=number, parent=None, run_id=date, dumps={date: ref})
        return self.corpus.read(own.verdicts, columns=["document_id", "witness_id"])

    def _plan(self, date: str) -> Plan:
        return Plan(
            run_id=date,
            dump_date=date,
            planned_at=0,
            generation=date,
            parent=self.snapshot.sequence,
            shards=(Shard(0, date, ()),),
            key_ranges=tuple(key_range(index, _RANGES) for index in range(_RANGES)),
            waiting=(),
            unchanged=False,
            settings=self.settings,
            code_version="",
        )

    def _ingest(self, shard: str, rows: Rows) -> None:
        """Leave what ingest leaves of documents, but for what only later stages read."""
        signed = self.signer(pa.array([text for _, text in rows], pa.string()))
        ids = [name for name, _ in rows]
        raw: dict[str, Any] = {
            "document_id": [bytes.fromhex(name) for name in ids],
            "content_hash": [row.tobytes() for row in signed.content_hash],
            "shingles": signed.shingles,
            "band_keys": [row.tobytes() for row in signed.band_keys],
            "minima": [row.tobytes() for row in signed.minima],
        }
        schema = pa.schema([STAGED_DOCUMENTS.field(name) for name in VERDICTS.names[:_PLACES]])
        blank = {pa.string(): "", pa.int64(): 0}
        columns = [
            pa.repeat(pa.scalar(blank[field.type], field.type), len(ids)) for field in schema
        ]
        columns[0] = pa.array(ids, pa.string())
        tables = {
            "documents": pa.table(columns, schema=schema),
            "signatures": pa.table(raw, schema=SIGNATURES),
            "quarantine": QUARANTINE.empty_table(),
        }
        refs: dict[str, Any] = {
            name: self.corpus.write("ingest", shard, name, table) for name, table in tables.items()
        }
        manifest = IngestManifest(fingerprint=shard, files=(), **refs)
        self.corpus.finish(layout.unit("ingest", shard), manifest)


_PLACES: Final = VERDICTS.get_field_index("kept")
"""Columns of verdicts before it say which document, and where it lies."""
_NO_FILE: Final = FileRef("", "", 0, 0)
