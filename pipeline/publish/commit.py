"""Making a run visible: checks first, then one atomic step for everything it changed.

Holds: `commit`, `own_ref`, `touched_states`. Reads manifests and the parent's states; writes
states, the run's row and the snapshot. Not here: moving the pointer (`storage/snapshots.py`), the
plain trees (`promote.py`), doing a run again on a newer parent (`runner/night.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from pipeline import telemetry
from pipeline.errors import ConflictError, ContractError
from pipeline.model.files import FileRef
from pipeline.model.finding import Finding
from pipeline.model.manifest import Decision, PublishManifest, SelfTest, TouchedDump
from pipeline.model.plan import Plan
from pipeline.model.rule import Rule
from pipeline.model.snapshot import DumpRef, DumpState, Partition, Snapshot
from pipeline.model.versions import models_fingerprint
from pipeline.publish import guards
from pipeline.publish.checks import CHECKS, refuse
from pipeline.publish.runs import RunNotes, write_run
from pipeline.publish.states import (
    Annotated,
    changed_state,
    own_state,
    partitions,
    with_documents,
)
from pipeline.publish.view import View
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus


def commit(  # noqa: PLR0913 - all that a run made, by name
    corpus: Corpus,
    plan: Plan,
    decision: Decision,
    *,
    parent: Snapshot,
    annotated: Annotated,
    published: Sequence[PublishManifest],
    self_test: SelfTest,
    seconds: float,
    accept_guards: bool = False,
    guard: Callable[[], None] = lambda: None,
) -> Snapshot:
    """Publish a run on `parent` and return the snapshot that holds it.

    `accept_guards` lets a night pass that guards would stop, but no broken promise.
    `guard` is asked last, right before the pointer moves; it raises to keep it where it is.

    Calling it again for what is already published changes nothing.

    Raises:
        ConflictError: another run published meanwhile; decide again on the current snapshot.
        ContractError: a promise would be broken, or a later plan of this dump is published.
        GuardError: the night looks unusual.
    """
    pointer = snapshots.pointed(corpus)
    live = snapshots.current(corpus)
    _fence(corpus, live, plan)
    if _is_published(corpus, live, plan, decision=decision, published=published):
        telemetry.log.info("commit.unchanged", dump_date=plan.dump_date, snapshot=live.sequence)
        return live
    if (live.sequence, live.run_id) != (parent.sequence, parent.run_id):
        raise ConflictError(
            f"expected snapshot {parent.sequence} to be current, found {live.sequence}. Another "
            "run published meanwhile; decide again on its snapshot."
        )
    bare = touched_states(corpus, plan, decision=decision, parent=parent, annotated=annotated)
    numbers = guards.measure(corpus, plan, bare[-1], parent=parent)
    judged = guards.judge(numbers, plan.settings.guard, accept=accept_guards)
    guards.refuse(plan, judged)
    notes = RunNotes(seconds=seconds, self_test=self_test, guards=judged)
    row = write_run(corpus, plan, decision=decision, counts=bare[-1].counts, notes=notes)
    runs = (*_runs_so_far(corpus, parent, plan.dump_date), row)
    bare[-1] = msgspec.structs.replace(bare[-1], runs=runs)
    states = [with_documents(state, annotated, published) for state in bare]
    snapshot = _snapshot(corpus, plan, parent=parent, pointer=pointer, states=states)
    refuse(_findings(corpus, snapshot, plan, dates=[state.dump_date for state in states]))
    guard()
    snapshots.advance(corpus, snapshot)
    return snapshot


def _fence(corpus: Corpus, live: Snapshot, plan: Plan) -> None:
    """Refuse a run whose dump was since planned again with other content or settings."""
    ref = live.dumps.get(plan.dump_date)
    mine = (plan.generation, plan.made_with, models_fingerprint(plan.models))
    if ref is None or (ref.generation, ref.settings, ref.models) == mine:
        return
    state = snapshots.load_state(corpus, live, plan.dump_date)
    if state.planned_at > plan.planned_at:
        raise ContractError(
            f"run {plan.run_id} of dump {plan.dump_date} is superseded: expected to follow what is "
            f"published, found generation {ref.generation} planned {state.planned_at:.0f}, after "
            f"this run's {plan.planned_at:.0f}. Nothing was published. Start a new run: "
            f"`winnow run --dump-date {plan.dump_date}`."
        )


def _is_published(
    corpus: Corpus,
    live: Snapshot,
    plan: Plan,
    *,
    decision: Decision,
    published: Sequence[PublishManifest],
) -> bool:
    """Say whether every touched dump already is what this run would make of it."""
    own = live.dumps.get(plan.dump_date)
    mine = (plan.made_with, models_fingerprint(plan.models))
    if own is None or (own.settings, own.models) != mine:
        return False
    for dump in decision.touched:
        ref = live.dumps.get(dump.dump_date)
        if ref is None or ref.generation != dump.generation:
            return False
        state = snapshots.load_state(corpus, live, dump.dump_date)
        if state.verdicts.sha256 != dump.verdicts.sha256:
            return False
        if _digests(state.documents) != _digests(partitions(dump.dump_date, published)):
            return False
    return True


def touched_states(
    corpus: Corpus, plan: Plan, *, decision: Decision, parent: Snapshot, annotated: Annotated
) -> list[DumpState]:
    """Return the touched dumps' new states, the run's own last and without its runs."""
    own = _own(plan, decision)
    states = [
        changed_state(
            corpus,
            snapshots.load_state(corpus, parent, dump.dump_date),
            dump=dump,
            annotated=annotated,
        )
        for dump in decision.touched
        if dump is not own
    ]
    return [*states, own_state(corpus, plan, decision=decision, dump=own, annotated=annotated)]


def _runs_so_far(corpus: Corpus, parent: Snapshot, dump_date: str) -> tuple[FileRef, ...]:
    if dump_date not in parent.dumps:
        return ()
    return snapshots.load_state(corpus, parent, dump_date).runs


def _own(plan: Plan, decision: Decision) -> TouchedDump:
    for dump in decision.touched:
        if (dump.dump_date, dump.generation) == (plan.dump_date, plan.generation):
            return dump
    raise ContractError(
        f"expected a decision about dump {plan.dump_date} generation {plan.generation}, found "
        f"{[(dump.dump_date, dump.generation) for dump in decision.touched]}. Decide again."
    )


def _snapshot(
    corpus: Corpus,
    plan: Plan,
    *,
    parent: Snapshot,
    pointer: FileRef | None,
    states: Sequence[DumpState],
) -> Snapshot:
    """Store the states, which nobody sees yet, and return the snapshot that would show them.

    Another touched dump is published anew with this run's settings and models. If it was made with
    others, it is made with both: then it names no settings, so that it is due.
    """
    dumps = dict(parent.dumps)
    for state in states:
        date = state.dump_date
        ref = corpus.save(state, partial(layout.state, date))
        if date == plan.dump_date:
            dumps[date] = own_ref(plan, ref)
        else:
            dumps[date] = _other_ref(plan, dumps[date], ref)
    return Snapshot(
        sequence=parent.sequence + 1,
        parent=pointer,
        run_id=plan.run_id,
        dumps=dumps,
        tombstones=parent.tombstones,
    )


def own_ref(plan: Plan, state: FileRef) -> DumpRef:
    """Return what a snapshot says of a dump that was made by a plan."""
    return DumpRef(
        generation=plan.generation,
        state=state,
        settings=plan.made_with,
        models=models_fingerprint(plan.models),
        **msgspec.structs.asdict(Rule.of(plan.settings.dedup)),
    )


def _other_ref(plan: Plan, before: DumpRef, state: FileRef) -> DumpRef:
    same = (before.settings, before.models) == (plan.made_with, models_fingerprint(plan.models))
    settings = before.settings if same else ""
    return msgspec.structs.replace(before, state=state, settings=settings)


def _findings(
    corpus: Corpus, snapshot: Snapshot, plan: Plan, *, dates: Sequence[str]
) -> list[Finding]:
    view = View(corpus, snapshot, fresh=plan.dump_date)
    return [finding for date in dates for check in CHECKS for finding in check(view, date)]


def _digests(parts: Sequence[Partition]) -> list[tuple[str, list[str]]]:
    return [(part.language, [file.sha256 for file in part.files]) for part in parts]
