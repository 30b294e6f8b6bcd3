"""Making other tombstones visible, and all that follows from them, in one step.

Holds: `commit_retaken`, `Retaken`. Reads states; writes states, a row of `runs` for each dump that
changed, and the snapshot. Not here: deciding (`dedup/retake.py`), the order of the work
(`runner/takedown.py`), erasing what is no longer shown (`runner/erase.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from pipeline.model.files import FileRef
from pipeline.model.manifest import (
    Decision,
    IngestManifest,
    PublishManifest,
    SelfTest,
    TouchedDump,
)
from pipeline.model.plan import Plan
from pipeline.model.snapshot import DumpRef, DumpState, Snapshot
from pipeline.publish.checks import CHECKS, refuse
from pipeline.publish.erase import erased, manifest_ref, taken_rows
from pipeline.publish.rollback import refuse_lost
from pipeline.publish.runs import RunNotes, write_run
from pipeline.publish.states import Annotated, changed_state, with_documents
from pipeline.publish.view import View
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus


class Retaken(msgspec.Struct, frozen=True, kw_only=True):
    """A dump under other tombstones, before anybody sees it.

    `outcome` is that of its row in `runs`; without one it leaves none.
    """

    plan: Plan
    decision: Decision
    annotated: Annotated
    published: tuple[PublishManifest, ...]
    seconds: float
    outcome: str

    @property
    def dump(self) -> TouchedDump:
        """What was decided."""
        (dump,) = self.decision.touched
        return dump


def commit_retaken(
    corpus: Corpus, base: Snapshot, retaken: Sequence[Retaken], *, pointer: FileRef | None
) -> Snapshot:
    """Publish a snapshot with some of its dumps in a new state, or nothing.

    Args:
        corpus: the corpus.
        base: all but the new states: number, run and tombstones are those of the new snapshot.
        retaken: dumps of `base` to be replaced.
        pointer: the snapshot that must be current still.

    Raises:
        ConflictError: another run published meanwhile; decide again on its snapshot.
        ContractError: a promise would be broken.
        MissingError: a file that the snapshot needs is gone.
    """
    dumps = dict(base.dumps)
    for one in retaken:
        date = one.dump.dump_date
        state = _state(corpus, one, base)
        ref = corpus.save(state, partial(layout.state, date))
        dumps[date] = _named(dumps[date], one.plan, ref)
    snapshot = msgspec.structs.replace(base, parent=pointer, dumps=dumps)
    view = View(corpus, snapshot)
    dates = [one.dump.dump_date for one in retaken]
    refuse([finding for date in dates for check in CHECKS for finding in check(view, date)])
    refuse_lost(corpus, snapshot)
    snapshots.advance(corpus, snapshot)
    return snapshot


def _named(before: DumpRef, plan: Plan, state: FileRef) -> DumpRef:
    """A dump that was made with other settings or models than the plan's is due."""
    same = before.settings == plan.made_with
    return msgspec.structs.replace(before, state=state, settings=before.settings if same else "")


def _state(corpus: Corpus, one: Retaken, base: Snapshot) -> DumpState:
    before = snapshots.load_state(corpus, base, one.dump.dump_date)
    bare = changed_state(corpus, before, dump=one.dump, annotated=one.annotated)
    bare = msgspec.structs.replace(bare, shard_manifests=_staged(corpus, one.dump))
    if one.outcome:
        test = SelfTest(fingerprint="", results=())
        notes = RunNotes(seconds=one.seconds, self_test=test, guards=(), outcome=one.outcome)
        row = write_run(corpus, one.plan, decision=one.decision, counts=bare.counts, notes=notes)
        bare = msgspec.structs.replace(bare, runs=(*before.runs, row))
    return with_documents(bare, one.annotated, one.published)


def _staged(corpus: Corpus, dump: TouchedDump) -> tuple[FileRef, ...]:
    """Refer to the shards as they will be once what is taken down is erased from them."""
    taken = taken_rows(corpus, dump.verdicts)
    manifests = [corpus.load(layout.unit("ingest", one), IngestManifest) for one in dump.shards]
    return tuple(manifest_ref(erased(corpus, one, taken)) for one in manifests)
