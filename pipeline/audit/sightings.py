"""How often, when and where each published text was seen, from the verdicts.

Holds: `sightings`, `appearances`, `SCHEMA`, `VIEWS`. Reads verdicts of the current snapshot.
Not here: printing (`cli/seen.py`), why a document is a duplicate (`explain.py`).

These facts move with every night, so they are no columns of `documents`: a night would have to
write old partitions again. `VIEWS` is the same in SQL, for the plain trees.
"""

from __future__ import annotations

import datetime as dt
from importlib.resources import files
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.audit import lookup
from pipeline.model.schemas import TAKEN_DOWN
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

SCHEMA: Final = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("duplicate_count", pa.int64(), nullable=False),
        pa.field("first_seen", pa.date32(), nullable=False),
        pa.field("last_seen", pa.date32(), nullable=False),
        pa.field("nights", pa.int64(), nullable=False),
        pa.field("sources", pa.list_(pa.string()), nullable=False),
    ]
)
"""One row a published document, by id. A document and its duplicates are its sightings."""

VIEWS: Final = (files("pipeline.audit") / "views.sql").read_text("utf-8")
"""Views for DuckDB over the plain trees; `{corpus}` is where they are."""

_SEEN: Final = ["document_id", "witness_id", "source", "reason"]


def sightings(corpus: Corpus) -> pa.Table:
    """Count the sightings of every published document; about 200 bytes of memory each.

    Raises:
        MissingError: nothing was ever published.
    """
    snapshot = snapshots.published(corpus)
    parts = [pa.schema([("id", pa.string()), ("source", pa.string())]).empty_table()]
    parts[0] = parts[0].append_column("n", pa.array([], pa.int64()))
    parts[0] = parts[0].append_column("date", pa.array([], pa.date32()))
    for date in sorted(snapshot.dumps):
        state = snapshots.load_state(corpus, snapshot, date)
        table = corpus.read(state.verdicts, columns=_SEEN)
        table = table.filter(pc.not_equal(table["reason"], TAKEN_DOWN))
        ids = pc.coalesce(table["witness_id"], table["document_id"])
        seen = pa.table({"id": ids, "source": table["source"]}).group_by(["id", "source"])
        counted = seen.aggregate([([], "count_all")]).rename_columns(["id", "source", "n"])
        day = pa.repeat(pa.scalar(dt.date.fromisoformat(date)), counted.num_rows)
        parts.append(counted.append_column("date", day))
    return _counted(pa.concat_tables(parts))


def appearances(corpus: Corpus, document_id: str) -> list[dict[str, Any]]:
    """List every verdict of a text: the published document first, then its duplicates by date.

    `document_id` may be that of a duplicate, or the first digits of an id.

    Raises:
        InputError, MissingError: see `lookup.find_verdict`.
    """
    snapshot = snapshots.published(corpus)
    verdict = lookup.find_verdict(corpus, snapshot, document_id).verdict
    published = verdict["witness_id"] or verdict["document_id"]
    rows: list[dict[str, Any]] = []
    for date in sorted(snapshot.dumps):
        state = snapshots.load_state(corpus, snapshot, date)
        for batch in corpus.batches(state.verdicts, rows=65_536):
            hit = pc.equal(pc.coalesce(batch["witness_id"], batch["document_id"]), published)
            hit = pc.and_(hit, pc.not_equal(batch["reason"], TAKEN_DOWN))
            rows += ({"dump_date": date, **row} for row in batch.filter(hit).to_pylist())
    return sorted(rows, key=lambda row: (not row["kept"], row["dump_date"], row["document_id"]))


def _counted(seen: pa.Table) -> pa.Table:
    """Sum up counts by document, source and date."""
    facts = (
        seen.group_by("id")
        .aggregate([("n", "sum"), ("date", "min"), ("date", "max"), ("date", "count_distinct")])
        .sort_by("id")
    )
    pairs = (
        seen.group_by(["id", "source"])
        .aggregate([])
        .sort_by([("id", "ascending"), ("source", "ascending")])
    )
    sources = pairs.group_by("id", use_threads=False).aggregate([("source", "list")])
    columns = [
        facts["id"],
        pc.subtract(facts["n_sum"], 1),
        facts["date_min"],
        facts["date_max"],
        facts["date_count_distinct"],
        sources["source_list"],
    ]
    return pa.table(columns, schema=SCHEMA)
