"""Annotating published dumps again with the present models, without reading a dump file.

Holds: `Reannotation`, whose methods are the tasks of the DAG. Reads staged documents and verdicts;
writes through the stages. Not here: making it visible (`publish/reannotated.py`).

Staged documents are the archive: splitting and deduplication stay as they are. That holds only for
dumps that these settings would split and deduplicate in the same way; others are refused. The end
is the same bytes as publishing the dumps anew. All dumps of a run become visible in one commit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from pipeline import __version__, telemetry
from pipeline.errors import ConfigError, ConflictError, MissingError
from pipeline.model import versions
from pipeline.model.manifest import Decision, TouchedDump
from pipeline.model.plan import Plan
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.plan import fence, shards
from pipeline.plan.stage import is_held, load_plan
from pipeline.publish import stage as publish
from pipeline.publish.changed import changed_nights
from pipeline.publish.reannotated import Remade, commit_all, label_changes
from pipeline.runner.models import models_of
from pipeline.runner.plans import plan_of
from pipeline.runner.units import annotate, annotate_units
from pipeline.storage import layout, snapshots
from pipeline.storage.open import probe_conditional_put
from pipeline.storage.units import Corpus

Summary = dict[str, Any]

MAX_REBASES = 20


class Reannotation:
    """The tasks of annotating dumps again. Each may be called again at any time."""

    def __init__(self, corpus: Corpus, settings: RunSettings) -> None:
        """Bind the tasks to a corpus. `settings` matter to `plan` alone: it freezes them."""
        self.corpus = corpus
        self.settings = settings

    def plan(self, dates: Sequence[str], run_id: str, *, keep: bool = True) -> list[Plan]:
        """Freeze what is annotated again: of the dates (all, if none) those with other models.

        Args:
            dates: dump dates; empty for all that are published.
            run_id: who asks.
            keep: store the plans, as a run that commits must.

        Raises:
            MissingError: a date is not published.
            ConfigError: these settings would split or deduplicate a date in another way.
        """
        snapshot = snapshots.published(self.corpus)
        models, now = models_of(self.settings), round(time.time(), 3)
        found = []
        for date in dates or sorted(snapshot.dumps):
            plan = self._plan(snapshot, date, models)
            if not is_held(snapshot, plan):
                found.append(msgspec.structs.replace(plan, run_id=run_id, planned_at=now))
        return [self._stored(plan) for plan in found] if keep else found

    def annotate(self, plan: Plan) -> Summary:
        """Annotate a dump again and write its partitions; nobody sees them yet."""
        one = self._remake(plan, snapshots.published(self.corpus))
        rows = sum(file.rows for part in one.published for file in part.files)
        return {"dump_date": plan.dump_date, "documents": rows}

    def changes(self, plans: Sequence[Plan]) -> list[Summary]:
        """Return the before and after of labels, as a commit would make them."""
        snapshot = snapshots.published(self.corpus)
        return [row for plan in plans for row in self._changes(snapshot, plan)]

    def commit(self, plans: Sequence[Plan], run_id: str) -> Summary:
        """Make all dumps visible in one step; return what changed.

        When another run has committed meanwhile, what it changed is annotated again.
        """
        probe_conditional_put(self.corpus.store)
        for _ in range(MAX_REBASES):
            parent = snapshots.published(self.corpus)
            left = [plan for plan in plans if not is_held(parent, plan)]
            if not left:
                return self._done(plans, run_id) or _nothing(parent)
            changes = self.changes(left)
            remade = [self._remake(plan, parent) for plan in left]
            try:
                snapshot = commit_all(
                    self.corpus,
                    remade,
                    parent=parent,
                    run_id=run_id,
                    guard=partial(self._guard, left),
                )
            except ConflictError:
                telemetry.log.info("reannotate.rebase", parent=parent.sequence)
                continue
            dates = [plan.dump_date for plan in left]
            for row in changes:
                telemetry.log.info("reannotate.changed", **row)
            return {"snapshot": snapshot.sequence, "dumps": dates, "changes": changes}
        raise ConflictError(
            f"expected to commit within {MAX_REBASES} rebases, found another run publishing each "
            "time. Let the nights finish, then run it again: what is annotated is found."
        )

    def _done(self, plans: Sequence[Plan], run_id: str) -> Summary | None:
        """Return what this run has committed, as `commit` did; None: nothing, or long ago."""
        own = snapshots.committed_by(self.corpus, run_id)
        nights = changed_nights(self.corpus, own.sequence) if own else {}
        if own is None or not nights:
            return None
        before = snapshots.load_snapshot(self.corpus, own.sequence - 1)
        mine = [plan for plan in plans if plan.dump_date in nights]
        changes = [row for plan in mine for row in self._changes(before, plan)]
        return {"snapshot": own.sequence, "dumps": [*nights], "changes": changes}

    def load(self, dates: Sequence[str], run_id: str) -> list[Plan]:
        """Return the stored plans of a run."""
        return [load_plan(self.corpus, date, run_id) for date in dates]

    def _plan(self, snapshot: Snapshot, date: str, models: versions.Models) -> Plan:
        if date not in snapshot.dumps:
            raise MissingError(
                f"expected dump {date} in snapshot {snapshot.sequence}, found none. "
                "`winnow status` lists the dumps."
            )
        state = snapshots.load_state(self.corpus, snapshot, date)
        settings = self.settings
        generation = shards.generation(
            state.files, made_by=(settings.ingest, models.splitter), dedup=settings.dedup
        )
        if generation != state.generation:
            raise ConfigError(
                f"{date}: expected settings and models that split and deduplicate as when it was "
                "published, found others. Publish the night anew: "
                f"`winnow run --dump-date {date}`."
            )
        return msgspec.structs.replace(
            plan_of(self.corpus, snapshot, date),
            parent=snapshot.sequence,
            waiting=(),
            unchanged=False,
            settings=settings,
            code_version=__version__,
            models=models,
            made_with=versions.settings_fingerprint(settings),
        )

    def _stored(self, plan: Plan) -> Plan:
        """Store a plan, unless another attempt of the run did, and remember it as the newest."""
        kept = self.corpus.finish(layout.plan(plan.dump_date, plan.run_id), plan)
        fence.record(self.corpus, kept)
        return kept

    def _guard(self, plans: Sequence[Plan]) -> None:
        for plan in plans:
            fence.refuse_superseded(self.corpus, plan)

    def _changes(self, snapshot: Snapshot, plan: Plan) -> list[Summary]:
        before = snapshots.load_state(self.corpus, snapshot, plan.dump_date)
        return label_changes(self.corpus, before, self._remake(plan, snapshot))

    def _remake(self, plan: Plan, parent: Snapshot) -> Remade:
        """Annotate and publish the documents that `parent` keeps; finished units are found."""
        started = time.perf_counter()
        state = snapshots.load_state(self.corpus, parent, plan.dump_date)
        decision = _decision(plan, parent, state)
        units = annotate_units(self.corpus, plan, decision)
        annotated = annotate(self.corpus, plan, decision, units)
        routed = publish.route(self.corpus, decision, plan.settings, units=units)
        return Remade(
            plan=plan,
            decision=decision,
            annotated=annotated,
            published=publish.publish_group(self.corpus, routed, plan.settings),
            seconds=round(time.perf_counter() - started, 3),
        )


def _nothing(parent: Snapshot) -> Summary:
    return {"snapshot": parent.sequence, "dumps": [], "changes": []}


def _decision(plan: Plan, parent: Snapshot, state: DumpState) -> Decision:
    """Say of a dump what is published of it: its verdicts as they are, nothing retracted."""
    counts = state.counts
    dump = TouchedDump(
        dump_date=state.dump_date,
        generation=state.generation,
        shards=state.shards,
        kept_hashes=state.kept_hashes,
        verdicts=state.verdicts,
        documents=counts.documents,
        kept=counts.kept,
        dropped_exact=counts.dropped_exact,
        dropped_near=counts.dropped_near,
        dropped_history=counts.dropped_history,
        retracted=0,
        restored=0,
        taken_down=counts.taken_down,
    )
    return Decision(
        fingerprint="",
        run_id=plan.run_id,
        dump_date=state.dump_date,
        generation=state.generation,
        parent=parent.sequence,
        touched=(dump,),
        edges=(),
        index=(),
    )
