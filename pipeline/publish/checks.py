"""What must hold before a snapshot becomes current; the same checks verify a published one.

Holds: one function a check, `CHECKS`, `refuse`. Each reads one dump of a `View` and yields
findings. Not here: the books of bytes and characters (`books.py`), the order of ranked documents
(`order.py`), the plain trees (`verify.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import ContractError
from pipeline.model.finding import Finding, broken
from pipeline.model.id_columns import among, id_bytes
from pipeline.model.manifest import EdgeFile, IngestManifest
from pipeline.model.rule import in_scope, stricter
from pipeline.model.schemas import TAKEN_DOWN
from pipeline.publish.books import files_balance, spans_tile
from pipeline.publish.order import witnesses_come_first
from pipeline.publish.view import BATCH_ROWS, View
from pipeline.storage import layout, tombstones

Check = Callable[[View, str], Iterator[Finding]]

_SHOWN = 5
_COUNTS = ("kept", "dropped_exact", "dropped_near", "dropped_history", "taken_down")


def documents_add_up(view: View, dump_date: str) -> Iterator[Finding]:
    """Documents in the books = rows that ingest wrote = verdicts = the dump's count."""
    state = view.state(dump_date)
    found = {
        "the books of its files": sum(file.documents for file in state.file_counts),
        "verdicts": state.verdicts.rows,
    }
    units = [
        view.corpus.find(layout.unit("ingest", shard), IngestManifest) for shard in state.shards
    ]
    if all(units):
        found["ingested rows"] = sum(unit.documents.rows for unit in units if unit)
    for name, number in found.items():
        if number != state.counts.documents:
            yield broken(
                1, f"{dump_date}: expected {state.counts.documents} documents, {name} say {number}"
            )


def verdicts_add_up(view: View, dump_date: str) -> Iterator[Finding]:
    """Verdicts name every document once, and their reasons sum to the dump's counts."""
    counts = view.state(dump_date).counts
    found: Counter[str] = Counter()
    unordered, last = 0, ""
    columns = ["document_id", "kept", "reason", "witness_dump_date"]
    for batch in view.verdicts(dump_date, columns):
        groups = pa.Table.from_batches([batch]).group_by(["kept", "reason"])
        for row in groups.aggregate([([], "count_all")]).to_pylist():
            name = row["reason"] if row["reason"] == TAKEN_DOWN else "dropped_" + row["reason"]
            found["kept" if row["kept"] else name] += row["count_all"]
        elsewhere = pc.not_equal(batch["witness_dump_date"], dump_date)
        found["dropped_history"] += pc.sum(elsewhere).as_py() or 0
        ids = pa.concat_arrays([pa.array([last], pa.string()), batch["document_id"]])
        unordered += pc.sum(pc.less_equal(ids[1:], ids[:-1])).as_py() or 0
        last = ids[-1].as_py()
    if unordered:
        yield broken(2, f"{dump_date}: {unordered} verdicts repeat an id or are out of order")
    for name in _COUNTS:
        if found[name] != getattr(counts, name):
            yield broken(
                1, f"{dump_date}: expected {name} = {getattr(counts, name)}, found {found[name]}"
            )


def partitions_add_up(view: View, dump_date: str) -> Iterator[Finding]:
    """Partitions are distinct and not empty, and their rows are the kept documents."""
    state = view.state(dump_date)
    rows = sum(file.rows for part in state.documents for file in part.files)
    if rows != state.counts.kept:
        yield broken(1, f"{dump_date}: expected {state.counts.kept} published rows, found {rows}")
    languages = [part.language for part in state.documents]
    if len(set(languages)) != len(languages):
        yield broken(2, f"{dump_date}: expected one partition a language, found {languages}")
    empty = [part.language for part in state.documents if not all(f.rows for f in part.files)]
    if empty:
        yield broken(5, f"{dump_date}: expected files with rows, found empty ones in {empty}")


def witnesses_hold(view: View, dump_date: str) -> Iterator[Finding]:
    """Every dropped document names an earlier, kept document in scope that is similar enough.

    Enough for the dump of the witness: where the document's own dump is stricter, it may still
    share the witness of an exact copy in a dump that is not. Where a rank comes before the date, a
    witness may be of any date (`order.py`).
    """
    wanted: dict[str, list[np.ndarray]] = {}
    wrong = 0
    columns = ["document_id", "kept", "reason", "witness_id", "witness_dump_date", "similarity"]
    for batch in view.verdicts(dump_date, columns):
        down = pc.equal(batch["reason"], TAKEN_DOWN)
        dropped = batch.filter(pc.invert(pc.or_(batch["kept"], down)))
        sound = dropped.filter(_sound(view, dropped, dump_date))
        wrong += dropped.num_rows - sound.num_rows
        for date in pc.unique(sound["witness_dump_date"]).to_pylist():
            mine = sound.filter(pc.equal(sound["witness_dump_date"], date))
            wanted.setdefault(date, []).append(np.unique(id_bytes(mine["witness_id"])))
    if wrong:
        yield broken(
            3,
            f"{dump_date}: {wrong} dropped documents name no witness, a later one, one out of "
            "scope, or one less similar than its dump's threshold",
        )
    for date, parts in sorted(wanted.items()):
        yield from _kept_witnesses(view, dump_date, date=date, ids=np.unique(np.concatenate(parts)))


def tombstones_hold(view: View, dump_date: str) -> Iterator[Finding]:
    """Documents that are taken down name a tombstone in force, and no exact copy of one is kept."""
    stones = tombstones.active(tombstones.load(view.corpus, view.snapshot))
    least = dict(zip(stones["tombstone_id"].to_pylist(), stones["threshold"], strict=True))
    hashes = pa.array(stones["content_hash"].to_pylist(), pa.string())
    wrong, left = 0, 0
    names = ("reason", "content_hash", "similarity", "tombstone_id", "witness_id")
    for batch in view.known_verdicts(dump_date, names):
        down = pc.equal(batch["reason"], TAKEN_DOWN)
        for row in batch.filter(down).to_pylist():
            stone = least.get(row.get("tombstone_id"))
            alike = stone is not None and row["similarity"] >= stone.as_py()
            wrong += not alike or row["witness_id"] is not None
        others = batch.filter(pc.invert(down))
        left += pc.sum(pc.is_in(others["content_hash"], hashes)).as_py() or 0
    if wrong:
        yield broken(7, f"{dump_date}: {wrong} documents are taken down by no tombstone in force")
    if left:
        yield broken(7, f"{dump_date}: {left} exact copies of what is taken down are not")


def no_kept_pairs(view: View, dump_date: str) -> Iterator[Finding]:
    """No verified pair of near-duplicates is kept on both sides."""
    kept: dict[str, np.ndarray] = {}
    for edge in _edges_of(view, dump_date):
        pairs = 0
        least = stricter(view.rule_of(edge.earlier), view.rule_of(edge.later))
        for date in kept.keys() - {dump_date, edge.earlier, edge.later}:
            del kept[date]
        for date in (edge.earlier, edge.later):
            if date not in kept:
                kept[date] = view.kept_ids(date)
        for batch in view.corpus.batches(edge.file, rows=BATCH_ROWS):
            near = pc.greater_equal(batch["similarity"], _float32(least))
            pair = batch.filter(pc.or_(batch["exact"], near))
            both = among(id_bytes(pair["earlier_id"]), kept[edge.earlier])
            both &= among(id_bytes(pair["later_id"]), kept[edge.later])
            pairs += int(both.sum())
        if pairs:
            yield broken(
                2, f"{edge.earlier} and {edge.later}: {pairs} near-duplicate pairs are both kept"
            )


CHECKS: tuple[Check, ...] = (
    files_balance,
    spans_tile,
    documents_add_up,
    verdicts_add_up,
    partitions_add_up,
    witnesses_hold,
    witnesses_come_first,
    no_kept_pairs,
    tombstones_hold,
)


def refuse(findings: Sequence[Finding]) -> None:
    """Raise when there is any finding.

    Raises:
        ContractError: names the promises, the dumps and the numbers.
    """
    if not findings:
        return
    shown = "; ".join(str(finding) for finding in findings[:_SHOWN])
    more = f"; and {len(findings) - _SHOWN} more" if len(findings) > _SHOWN else ""
    raise ContractError(
        f"expected every promise to hold, found {shown}{more}. Nothing was published. Run the dump "
        "again; if it repeats, keep the corpus as it is and report the stage that miscounts."
    )


def _sound(view: View, dropped: pa.RecordBatch, dump_date: str) -> pa.Array:
    """Say which dropped rows name an earlier witness in scope that is similar enough."""
    date, witness = dropped["witness_dump_date"], dropped["witness_id"]
    here = pc.and_(pc.equal(date, dump_date), pc.less(witness, dropped["document_id"]))
    mine, live = view.rule_of(dump_date), sorted(view.snapshot.dumps)
    rules = [view.rule_of(name) for name in live]
    facts = (
        pa.array([np.float32(rule.threshold) for rule in rules], pa.float32()),
        pa.array([mine.ranked or rule.ranked for rule in rules], pa.bool_()),
        pa.array(
            [
                in_scope((dump_date, mine), (name, rule))
                for name, rule in zip(live, rules, strict=True)
            ],
            pa.bool_(),
        ),
    )
    place = pc.index_in(date, pa.array(live, pa.string()))
    least, ranked, within = (values.take(place) for values in facts)
    earlier = pc.or_(pc.or_(pc.less(date, dump_date), here), ranked)
    similar = pc.and_(pc.greater_equal(dropped["similarity"], least), within)
    sound = pc.and_(pc.and_(witness.is_valid(), earlier), similar)
    return pc.fill_null(sound, fill_value=False)


def _kept_witnesses(view: View, dump_date: str, *, date: str, ids: np.ndarray) -> Iterator[Finding]:
    if date not in view.snapshot.dumps:
        yield broken(3, f"{dump_date}: {len(ids)} witnesses are of {date}, which is not published")
        return
    missing = ids[~among(ids, view.kept_ids(date))]
    if len(missing):
        yield broken(
            3,
            f"{dump_date}: {len(missing)} witnesses in {date} are not kept there, "
            f"the first is {missing[0].ljust(16, bytes(1)).hex()}",
        )


def _edges_of(view: View, dump_date: str) -> list[EdgeFile]:
    """Return the live edge files of a dump, its own and those that later runs of others found.

    A new night opens no state but its own: it costs what it brings.
    """
    holders = [dump_date] if dump_date == view.fresh else sorted(view.snapshot.dumps)
    edges = {
        (edge.earlier, edge.later, edge.file.sha256): edge
        for holder in holders
        for edge in view.live_edges(holder)
        if dump_date in (edge.earlier, edge.later)
    }
    return [edges[key] for key in sorted(edges)]


def _float32(value: float) -> pa.Scalar:
    """Round a threshold as stored similarities are rounded."""
    return pa.scalar(np.float32(value), pa.float32())
