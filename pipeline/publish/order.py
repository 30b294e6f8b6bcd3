"""Whether witnesses come first where a rank stands before the date, as far as verdicts tell.

Holds: `witnesses_come_first`, one of `CHECKS`. Reads the verdicts of a dump and of its witnesses.
Not here: order by date alone (`checks.py`).

Verdicts hold the source of a document and whether its witness is an exact copy, which is as long.
The lengths of near copies are with the staged texts alone: `winnow verify` compares those.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.finding import Finding, broken
from pipeline.model.id_columns import among, id_bytes
from pipeline.model.rule import Rule, places
from pipeline.publish.view import View

_DROPPED = ["document_id", "source", "reason", "witness_id", "witness_dump_date"]
_PAIR = np.dtype([("id", "S16"), ("witness", "S16"), ("place", np.int32), ("exact", np.bool_)])


def witnesses_come_first(view: View, dump_date: str) -> Iterator[Finding]:
    """No witness comes after the document that it stands for, by source, length, date and id."""
    for date, parts in sorted(_dropped(view, dump_date).items()):
        dropped = np.concatenate(parts)
        ids, place = _sources(view, date)
        dropped = dropped[among(dropped["witness"], ids)]
        theirs = place[np.searchsorted(ids, dropped["witness"])]
        after = np.full(len(dropped), date > dump_date)
        if date == dump_date:
            after = dropped["witness"] >= dropped["id"]
        after = _longer_or_after(view.rule_of(dump_date), view.rule_of(date), dropped, after=after)
        late = (theirs > dropped["place"]) | ((theirs == dropped["place"]) & after)
        if late.any():
            yield broken(
                3,
                f"{dump_date}: {np.count_nonzero(late)} witnesses in {date} come after the "
                "documents that they stand for, by source, length or date",
            )


def _dropped(view: View, dump_date: str) -> dict[str, list[np.ndarray]]:
    """Return documents with their witnesses, by date of these, where a rank counts."""
    mine = view.rule_of(dump_date)
    ranked = [date for date in view.snapshot.dumps if mine.ranked or view.rule_of(date).ranked]
    found: dict[str, list[np.ndarray]] = {}
    for batch in view.verdicts(dump_date, _DROPPED) if ranked else ():
        dropped = batch.filter(batch["witness_id"].is_valid())
        for date in pc.unique(dropped["witness_dump_date"]).to_pylist():
            if date in ranked:
                rows = dropped.filter(pc.equal(dropped["witness_dump_date"], date))
                found.setdefault(date, []).append(_pairs(rows, mine))
    return found


def _pairs(rows: pa.RecordBatch, rule: Rule) -> np.ndarray:
    pairs = np.empty(len(rows), _PAIR)
    pairs["id"], pairs["witness"] = id_bytes(rows["document_id"]), id_bytes(rows["witness_id"])
    pairs["place"] = places(rows["source"], rule)
    pairs["exact"] = pc.equal(rows["reason"], "exact")
    return pairs


def _sources(view: View, date: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the kept documents of a dump by sorted id, and the places of their sources."""
    ids, found = [np.empty(0, "S16")], [np.empty(0, np.int32)]
    for batch in view.verdicts(date, ["document_id", "source", "kept"]):
        kept = batch.filter(batch["kept"])
        ids.append(id_bytes(kept["document_id"]))
        found.append(np.asarray(places(kept["source"], view.rule_of(date)), np.int32))
    joined = np.concatenate(ids)
    order = np.argsort(joined)
    return joined[order], np.concatenate(found)[order]


def _longer_or_after(
    mine: Rule, theirs: Rule, dropped: np.ndarray, *, after: np.ndarray
) -> np.ndarray:
    """Say which witnesses of equally placed sources come later, as far as that is known.

    Documents of a dump that ranks by length come behind those of one that does not.
    """
    if theirs.survivor != mine.survivor:
        return np.full(len(dropped), theirs.survivor == "longest")
    return after & dropped["exact"] if mine.survivor == "longest" else after
