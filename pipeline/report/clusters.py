"""The texts that made most documents of a night redundant, each beside one of its copies.

Holds: `clusters`. Reads verdicts, and the staged texts of the few documents that are shown.
Not here: what differs between two texts (`dedup/words.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.audit.lookup import ingest_manifests
from pipeline.dedup.words import Comparison, compare
from pipeline.errors import MissingError
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.report.facts import Cluster, Side
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

CLUSTERS: Final = 5
HUNKS: Final = 6
"""Places of a pair of texts that are shown."""

_PIECE: Final = 1200
"""Characters of one piece that are shown."""

_EXCERPT: Final = 400
"""Characters that are shown of two texts that do not differ."""

_VERDICT: Final = ["document_id", "source", "dump_file"]
Row = dict[str, Any]


def clusters(corpus: Corpus, snapshot: Snapshot, state: DumpState) -> tuple[Cluster, ...]:
    """Return the largest clusters of a night, each with the copy that differs most."""
    columns = [*_VERDICT, "witness_id", "witness_dump_date", "reason", "similarity"]
    table = corpus.read(state.verdicts, columns=columns)
    dropped = table.filter(table["witness_id"].is_valid())
    largest = _largest(dropped)
    copies = [_farthest(dropped, row["witness_id"]) for row in largest]
    witnesses = _witnesses(corpus, snapshot, copies)
    texts = _texts(corpus, snapshot, [*_placed(copies, state), *witnesses.values()])
    return tuple(
        _cluster(row, (witnesses[row["witness_id"]], copy | {"dump_date": state.dump_date}), texts)
        for row, copy in zip(largest, copies, strict=True)
        if row["witness_id"] in witnesses
    )


def _largest(dropped: pa.Table) -> list[Row]:
    exact = pc.cast(pc.equal(dropped["reason"], "exact"), pa.int64())
    counted = dropped.append_column("exact", exact).group_by("witness_id").aggregate(
        [([], "count_all"), ("exact", "sum"), ("source", "count_distinct"), ("similarity", "min")]
    )  # fmt: skip
    order = [
        ("count_all", "descending"),
        ("similarity_min", "ascending"),  # of equals, the one whose copies differ most
        ("witness_id", "ascending"),
    ]
    return list(counted.sort_by(order).slice(0, CLUSTERS).to_pylist())


def _farthest(dropped: pa.Table, witness_id: str) -> Row:
    mine = dropped.filter(pc.equal(dropped["witness_id"], witness_id))
    order = [("similarity", "ascending"), ("document_id", "ascending")]
    first: Row = mine.sort_by(order).slice(0, 1).to_pylist()[0]
    return first


def _placed(rows: Iterable[Row], state: DumpState) -> list[Row]:
    return [row | {"dump_date": state.dump_date} for row in rows]


def _witnesses(corpus: Corpus, snapshot: Snapshot, copies: Iterable[Row]) -> dict[str, Row]:
    """Return the verdicts of the witnesses, by id, with their dump dates."""
    by_date: dict[str, list[str]] = {}
    for row in copies:
        by_date.setdefault(row["witness_dump_date"], []).append(row["witness_id"])
    found: dict[str, Row] = {}
    for date, ids in by_date.items():
        state = snapshots.load_state(corpus, snapshot, date)
        path = corpus.fetch(state.verdicts)
        table = pq.read_table(
            path, columns=_VERDICT, filters=[("document_id", "in", ids)], partitioning=None
        )
        found |= {row["document_id"]: row for row in _placed(table.to_pylist(), state)}
    return found


def _texts(corpus: Corpus, snapshot: Snapshot, wanted: Iterable[Row]) -> dict[str, Row]:
    """Read title and text of documents, by id, from the shards that hold their dump files.

    Those whose staged file has expired are left out.
    """
    by_date: dict[str, dict[str, set[str]]] = {}
    for row in wanted:
        files = by_date.setdefault(row["dump_date"], {})
        files.setdefault(row["dump_file"], set()).add(row["document_id"])
    found: dict[str, Row] = {}
    for date, files in by_date.items():
        try:
            found |= _of_night(corpus, snapshots.load_state(corpus, snapshot, date), files)
        except MissingError:
            continue
    return found


def _of_night(corpus: Corpus, state: DumpState, files: Mapping[str, set[str]]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for manifest in ingest_manifests(corpus, state):
        ids = set[str]().union(*(files.get(book.key, set()) for book in manifest.files))
        if not ids - found.keys():
            continue
        table = pq.read_table(
            corpus.fetch(manifest.documents),
            columns=["document_id", "title", "text"],
            filters=[("document_id", "in", sorted(ids))],
            partitioning=None,
        )
        found |= {row["document_id"]: row for row in table.to_pylist()}
    return found


def _cluster(row: Row, pair: tuple[Row, Row], texts: Mapping[str, Row]) -> Cluster:
    witness, copy = pair
    left, right = (texts.get(one["document_id"]) for one in pair)
    compared = compare(right["text"], left["text"]) if left and right else None
    return Cluster(
        documents=row["count_all"],
        sources=row["source_count_distinct"],
        exact=row["exact_sum"],
        witness=_side(witness, left, compared, "witness"),
        copy=_side(copy, right, compared, "document"),
        similarity=copy["similarity"],
        same_words=compared.same if compared else None,
    )


def _side(verdict: Row, text: Row | None, compared: Comparison | None, mine: str) -> Side:
    pieces: list[tuple[bool, str]] = []
    for hunk in compared.hunks[:HUNKS] if compared else ():
        pieces += [(False, "")] if pieces else []
        pieces += [
            (part.kind == mine, part.text[:_PIECE])
            for part in hunk.parts
            if part.kind in {mine, "same"} and part.text
        ]
    if text and compared and not compared.hunks:
        pieces = [(False, text["text"][:_EXCERPT])]
        pieces += [(False, "")] if len(text["text"]) > _EXCERPT else []
    return Side(
        document_id=verdict["document_id"],
        dump_date=verdict["dump_date"],
        source=verdict["source"],
        dump_file=verdict["dump_file"],
        title=text["title"] if text else None,
        pieces=tuple(pieces),
    )
