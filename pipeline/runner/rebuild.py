"""Making damaged files of a published dump again, byte for byte.

Holds: `heal`, `heal_all`, `forget_damaged`, `forget_illegible`. Reads all files that a dump's
state names; copies sound ones over damaged ones, deletes manifests of damaged units, and computes
these again.
Not here: finding damage (`publish/verify.py`), the plain trees (`publish/promote.py`).

1. A file whose bytes still exist elsewhere, in the plain trees or in another unit, is copied back.
2. For the others the units that hold them are forgotten, and the run that published the dump is
   done once more from its frozen plan, up to the commit: what it makes again has the same bytes, so
   it has the same name or is copied to it. What is published stays what it was.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import msgspec

from pipeline import telemetry
from pipeline.errors import ContractError, CorruptError, MissingError, PermanentError
from pipeline.model.files import FileRef
from pipeline.model.plan import Plan
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.publish.leaves import leaves
from pipeline.publish.verify import READING, damaged
from pipeline.publish.view import View
from pipeline.runner.night import Night, Summary
from pipeline.runner.plans import plan_of
from pipeline.storage import layout, snapshots
from pipeline.storage.references import units
from pipeline.storage.units import Corpus

_CHUNK = 1 << 20
_INNER = (f"{layout.UNITS}annotate/", f"{layout.UNITS}passages/")
_INGEST = f"{layout.UNITS}ingest/"


def heal_all(night: Night, dates: Sequence[str], new_run_id: Callable[[], str]) -> list[Summary]:
    """Mend dumps in turn; those that damage of another kept from it are tried once more."""
    first = [heal(night, date, new_run_id()) for date in dates]
    if not any(one["mended"] for one in first) or not any(one["left"] for one in first):
        return first
    return [_joined(one, heal(night, one["dump_date"], new_run_id())) for one in first]


def _joined(one: Summary, again: Summary) -> Summary:
    sums = {name: one[name] + again[name] for name in ("mended", "units")}
    return one | sums | {"left": again["left"]}


def heal(night: Night, dump_date: str, run_id: str) -> Summary:
    """Mend the stored files of a dump; return how many were damaged, mended, and which are left.

    What keeps a file from being made again (a dump file that is gone, the plan, damage of another
    dump) is told with those that are left.

    Raises:
        MissingError: the dump is not published.
    """
    corpus = night.corpus
    before = _damage(corpus, dump_date)
    left, forgotten, trouble = before, 0, []
    if left:
        _copy_back(corpus, dump_date, left)
        left = _damage(corpus, dump_date)
    if left and _state(corpus, dump_date) is not None:
        try:
            forgotten = _compute(night, dump_date, run_id)
        except PermanentError as error:
            trouble = [str(error)]
        _copy_back(corpus, dump_date, _damage(corpus, dump_date))
        left = _damage(corpus, dump_date)
    return {
        "dump_date": dump_date,
        "damaged": len(before),
        "mended": len(before) - len(left),
        "units": forgotten,
        "left": [*(detail for _, detail in left), *(trouble if left else ())],
    }


def _compute(night: Night, dump_date: str, run_id: str) -> int:
    """Forget the damaged units of a dump and make them again; return how many."""
    plan = _store_plan(night.corpus, dump_date, run_id)
    forgotten = forget_damaged(night.corpus, dump_date)
    _make_again(night, plan)
    _check_again(night.corpus, dump_date)
    return forgotten


def forget_damaged(corpus: Corpus, dump_date: str) -> int:
    """Delete the manifests of units that hold damaged files of a dump; return how many.

    The next run of the dump makes these units again. Manifests that cannot be read, and annotated
    files that no state names, are looked at whatever dump they belong to.
    """
    bad = {ref.key for ref, _ in _damage(corpus, dump_date)}
    forgotten = []
    for key, refs in units(corpus):
        gone = key in bad or refs is None or any(ref.key in bad for ref in refs)
        inner = refs if refs and key.startswith(_INNER) else ()
        if gone or any(not _whole(corpus, ref.key, ref) for ref in inner):
            forgotten.append(key)
            telemetry.log.info("heal.forget", unit=key)
    corpus.store.delete(forgotten)
    return len(forgotten)


def forget_illegible(corpus: Corpus) -> int:
    """Delete the manifests of units that are no JSON, which stop every run that looks for them.

    Those of shards stay: a state names them, and `heal` makes them again.
    """
    forgotten = [key for key, refs in units(corpus) if refs is None and _INGEST not in key]
    corpus.store.delete(forgotten)
    return len(forgotten)


def _make_again(night: Night, plan: Plan) -> None:
    """Do all tasks of a run up to the commit; units that were not forgotten are found."""
    date, run_id = plan.dump_date, plan.run_id
    for shard in plan.shards:
        night.ingest(date, run_id, shard.index)
    for key_range in plan.key_ranges:
        night.match(date, run_id, key_range.index)
    for unit in night.decide(date, run_id)["units"]:
        night.annotate(date, run_id, unit["index"])
    for group in night.route(date, run_id)["groups"]:
        night.publish(date, run_id, group["index"])


def _damage(corpus: Corpus, dump_date: str) -> list[tuple[FileRef, str]]:
    snapshot = _published(corpus, dump_date)
    view = View(corpus, snapshot)
    return [(ref, finding.detail) for ref, finding in damaged(view, dump_date)]


def _published(corpus: Corpus, dump_date: str) -> Snapshot:
    snapshot = snapshots.published(corpus)
    if dump_date not in snapshot.dumps:
        raise MissingError(
            f"expected dump {dump_date} in snapshot {snapshot.sequence}, found none. "
            "`winnow status` lists the dumps."
        )
    return snapshot


def _state(corpus: Corpus, dump_date: str) -> DumpState | None:
    try:
        return snapshots.load_state(corpus, snapshots.published(corpus), dump_date)
    except (CorruptError, MissingError):
        return None


def _copy_back(corpus: Corpus, dump_date: str, bad: Sequence[tuple[FileRef, str]]) -> None:
    """Copy sound files with the same bytes over damaged ones."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    for key, ref in _copies(corpus, dump_date):
        places[ref.sha256].add(key)
    for ref, _ in bad:
        others = sorted(places[ref.sha256] - {ref.key})
        source = next((key for key in others if _whole(corpus, key, ref)), None)
        if source is not None:
            corpus.store.copy(source, ref.key)
            telemetry.log.info("heal.copy", source=source, target=ref.key)


def _copies(corpus: Corpus, dump_date: str) -> Iterator[tuple[str, FileRef]]:
    """Yield what should lie in the dump's trees and in all units: key, and whose bytes it has."""
    state = _state(corpus, dump_date)
    for folder, leaf in leaves(state).items() if state else ():
        for name, ref in leaf.items():
            yield folder + name, ref
    for _, refs in units(corpus):
        for ref in refs or ():
            yield ref.key, ref


def _whole(corpus: Corpus, key: str, ref: FileRef) -> bool:
    """Say whether the object at `key` has the bytes of `ref`."""
    digest = hashlib.sha256()
    try:
        with corpus.store.open(key) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except READING:
        return False
    return digest.hexdigest() == ref.sha256


def _store_plan(corpus: Corpus, dump_date: str, run_id: str) -> Plan:
    """Store the plan of the run that published the dump as that of this run."""
    snapshot = snapshots.published(corpus)
    again = msgspec.structs.replace(
        plan_of(corpus, snapshot, dump_date),
        run_id=run_id,
        parent=snapshot.sequence,
        waiting=(),
        unchanged=False,
    )
    return corpus.finish(layout.plan(dump_date, run_id), again)


def _check_again(corpus: Corpus, dump_date: str) -> None:
    """Refuse shards that were made again with other bytes, and forget them."""
    state = snapshots.load_state(corpus, snapshots.published(corpus), dump_date)
    other = [ref.key for ref in state.shard_manifests if not _whole(corpus, ref.key, ref)]
    if other:
        corpus.store.delete(other)
        raise ContractError(
            f"{dump_date}: expected to make {len(other)} staged shards again as they were, found "
            "other bytes: another version of Winnow published them. Heal with that version, or "
            f"restore {other[0]} from a backup."
        )
