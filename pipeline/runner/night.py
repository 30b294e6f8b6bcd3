"""The tasks of a night.

Holds: `Night`, whose methods are the tasks of the DAG. Reads and writes through the stages.
Not here: calling them in turn (`in_turn.py`), opening stores (`sessions.py`), what people read
about a task (`labels.py`).

Every method is a function of the plan and may be called again at any time: finished units are
found by their manifests and returned as they are.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Unpack

import msgspec

from pipeline import telemetry
from pipeline.errors import ConflictError, ContractError
from pipeline.model.manifest import Decision, PublishManifest, PublishUnit, SelfTest
from pipeline.model.plan import Plan
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.plan import fence, ledger
from pipeline.plan import stage as plan_stage
from pipeline.plan.choice import Asked
from pipeline.publish import beside, erase
from pipeline.publish import commit as committing
from pipeline.publish import stage as publish
from pipeline.runner import labels
from pipeline.runner.groups import Groups, annotate_groups
from pipeline.runner.models import models_of
from pipeline.runner.record import recorded
from pipeline.runner.units import annotate, annotate_units
from pipeline.storage import snapshots
from pipeline.storage.open import probe_conditional_put
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

Summary = dict[str, Any]

MAX_GROUPS = 64
MAX_REBASES = 20


class Night:
    """The tasks of one night. Results are small and can be JSON: numbers, labels, keys."""

    def __init__(self, corpus: Corpus, landing: Store, settings: RunSettings) -> None:
        """Bind the tasks to their stores. `settings` matter to `plan` alone: it freezes them."""
        self.corpus = corpus
        self.landing = landing
        self.settings = settings

    def due(self) -> list[str]:
        """Return the nights that are new, or changed since they were published."""
        snapshot = snapshots.current(self.corpus)
        settings, models = self.settings, models_of(self.settings)
        return ledger.due(
            self.corpus, self.landing, snapshot, now=time.time(), settings=settings, models=models
        )

    @recorded
    def plan(
        self, dump_date: str, run_id: str, *, dry: bool = False, **asked: Unpack[Asked]
    ) -> Summary:
        """Freeze the run: what to read, how it is cut, and the snapshot it starts from."""
        probe_conditional_put(self.corpus.store)
        with telemetry.stage("plan", run_id=run_id, dump_date=dump_date) as span:
            plan = plan_stage.plan_run(
                self.corpus,
                self.landing,
                self.settings,
                dump_date=dump_date,
                run_id=run_id,
                now=time.time(),
                models=models_of(self.settings),
                dry=dry,
                **asked,
            )
            size = sum(file.size for file in plan.files)
            span.update(files=len(plan.files), bytes=size, unchanged=plan.unchanged)
        return {
            "dump_date": dump_date,
            "run_id": plan.run_id,
            "unchanged": plan.unchanged,
            "waiting": list(plan.waiting),
            "files": len(plan.files),
            "bytes": size,
            "shards": [] if plan.unchanged else labels.shard_labels(plan),
            "key_ranges": [] if plan.unchanged else labels.range_labels(plan),
        }

    @recorded
    def ingest(self, dump_date: str, run_id: str, index: int) -> Summary:
        """Read, split and sign the dump files of one shard."""
        from pipeline.ingest import stage as ingest  # noqa: PLC0415 - loads compiled kernels

        plan = self._plan(dump_date, run_id)
        manifest = ingest.ingest_shard(self.corpus, self.landing, plan, index)
        return {
            "documents": sum(file.documents for file in manifest.files),
            "quarantine": sum(file.quarantine for file in manifest.files),
            "bytes": sum(file.stored_bytes for file in manifest.files),
        }

    @recorded
    def match(self, dump_date: str, run_id: str, index: int) -> Summary:
        """Find the verified edges of one key range, inside the dump and to all live dumps."""
        from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels

        plan = self._plan(dump_date, run_id)
        manifest = dedup.match_range(self.corpus, plan, self._pinned(plan), index)
        edges = sum(edge.file.rows for edge in manifest.edges)
        return {"candidates": manifest.candidates, "edges": edges}

    @recorded
    def decide(self, dump_date: str, run_id: str) -> Summary:
        """Decide every verdict that this dump changes, here and in other dumps."""
        plan = self._plan(dump_date, run_id)
        if plan.unchanged:
            return {"units": [], "unchanged": True}
        self._self_test(plan)
        decision = self._decision(plan)
        self._erase(decision)
        units = self._annotate_groups(plan, decision)
        own = next(dump for dump in decision.touched if dump.dump_date == dump_date)
        return {
            "units": labels.annotate_labels(units),
            "documents": own.documents,
            "kept": own.kept,
            **_moves(decision),
        }

    @recorded
    def annotate(self, dump_date: str, run_id: str, index: int) -> Summary:
        """Annotate the kept documents of a group of shards of touched dumps."""
        plan = self._plan(dump_date, run_id)
        decision = self._decision(plan)
        group = self._annotate_groups(plan, decision)[index]
        made = annotate(self.corpus, plan, decision, group).values()
        runs = [run for one in made for run in one.runs]
        return {
            "documents": sum(run.file.rows for run in runs),
            "reused": sum(one.reused for one in made),
            "languages": len({run.language for run in runs}),
        }

    @recorded
    def route(self, dump_date: str, run_id: str) -> Summary:
        """Group the annotated runs by partition, and the partitions by publish task.

        A run that publishes nothing has none.
        """
        plan = self._plan(dump_date, run_id)
        if plan.unchanged or plan.dry:
            return {"groups": [], "unchanged": True}
        groups = self._groups(plan, self._decision(plan))
        return {"groups": labels.group_labels(groups)}

    @recorded
    def publish(self, dump_date: str, run_id: str, index: int) -> Summary:
        """Merge the sorted runs of a group of partitions into their published files."""
        plan = self._plan(dump_date, run_id)
        group = self._groups(plan, self._decision(plan))[index]
        manifests = publish.publish_group(self.corpus, group, plan.settings)
        return {
            "partitions": len(manifests),
            "rows": sum(file.rows for manifest in manifests for file in manifest.files),
        }

    @recorded
    def commit(self, dump_date: str, run_id: str, *, accept_guards: bool = False) -> Summary:
        """Check the promises and ask the guards, then make everything visible in one step.

        When another night has committed meanwhile, match, decide, annotate and publish are done
        again on the new parent, here: units that did not change are found and cost nothing.
        """
        plan = self._plan(dump_date, run_id)
        if plan.dry:
            raise ContractError(f"expected a run to publish, found {run_id}, which is a dry run.")
        if plan.unchanged:
            return self._unchanged(plan)
        parent = self._pinned(plan)
        for _ in range(MAX_REBASES):
            try:
                snapshot, decision = self._commit_on(plan, parent, accept_guards=accept_guards)
            except ConflictError:
                parent = snapshots.current(self.corpus)
                telemetry.log.info("commit.rebase", dump_date=dump_date, parent=parent.sequence)
                continue
            fence.settle(self.corpus, plan, self._state(snapshot, plan))
            return self._committed(plan, snapshot, **_moves(decision))
        raise ConflictError(
            f"expected to commit {dump_date} within {MAX_REBASES} rebases, found another run "
            "publishing each time. Limit the number of concurrent nights (pool winnow_commit)."
        )

    @recorded
    def promote(self, dump_date: str, run_id: str) -> Summary:
        """Bring the plain trees in step after a commit."""
        counts = self.bring_in_step()
        return counts | ({"unchanged": True} if self._plan(dump_date, run_id).unchanged else {})

    def bring_in_step(self, *, full: bool = False) -> Summary:
        """Bring the plain trees in step with the current snapshot; then merge the band index.

        Merging is here because it follows commits and must not run twice at once.
        """
        from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels

        with telemetry.stage("promote") as span:
            counts = beside.bring_in_step(self.corpus, full=full)
            span.update(counts)
        dedup.merge(self.corpus)
        return dict(counts)

    def report(self, dump_date: str, run_id: str) -> Summary:
        """Write the page about a run; return its row of `runs` and the page's address.

        Of a run that failed the page says how far it came. A run that changed nothing has neither:
        the answer is empty.
        """
        from pipeline.report import stage as reporting  # noqa: PLC0415 - loads matplotlib

        return reporting.report_run(self.corpus, dump_date, run_id)

    def _plan(self, dump_date: str, run_id: str) -> Plan:
        return plan_stage.load_plan(self.corpus, dump_date, run_id)

    def _pinned(self, plan: Plan) -> Snapshot:
        return snapshots.load_snapshot(self.corpus, plan.parent)

    def _decision(self, plan: Plan, parent: Snapshot | None = None) -> Decision:
        from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels

        return dedup.decide(self.corpus, plan, parent or self._pinned(plan))

    def _erase(self, decision: Decision) -> None:
        """Blank the staged texts of what is taken down: it comes with every file of the night."""
        for dump in decision.touched:
            erase.erase_dump(self.corpus, dump)

    def _self_test(self, plan: Plan) -> SelfTest:
        from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels

        return dedup.self_test(self.corpus, plan)

    def _annotate_groups(self, plan: Plan, decision: Decision) -> Groups:
        return annotate_groups(annotate_units(self.corpus, plan, decision))

    def _groups(self, plan: Plan, decision: Decision) -> tuple[tuple[PublishUnit, ...], ...]:
        units = annotate_units(self.corpus, plan, decision)
        routed = publish.route(self.corpus, decision, plan.settings, units=units)
        return publish.group(routed, max_groups=MAX_GROUPS)

    def _commit_on(
        self, plan: Plan, parent: Snapshot, *, accept_guards: bool
    ) -> tuple[Snapshot, Decision]:
        """Do what is not done yet on `parent`, then commit on it."""
        from pipeline.dedup import stage as dedup  # noqa: PLC0415 - loads compiled kernels

        for key_range in plan.key_ranges:
            dedup.match_range(self.corpus, plan, parent, key_range.index)
        decision = self._decision(plan, parent)
        self._erase(decision)
        units = annotate_units(self.corpus, plan, decision)
        rebased = parent.sequence != plan.parent
        tried = annotate_units(self.corpus, plan, self._decision(plan)) if rebased else ()
        annotated = annotate(self.corpus, plan, decision, units, tried=tried)
        published: list[PublishManifest] = []
        for group in self._groups(plan, decision):
            published.extend(publish.publish_group(self.corpus, group, plan.settings))
        with telemetry.stage("commit", run_id=plan.run_id, dump_date=plan.dump_date) as span:
            snapshot = committing.commit(
                self.corpus,
                plan,
                decision,
                parent=parent,
                annotated=annotated,
                published=published,
                self_test=self._self_test(plan),
                accept_guards=accept_guards,
                seconds=round(time.time() - plan.planned_at, 3),
                guard=partial(fence.refuse_superseded, self.corpus, plan),
            )
            span.update(snapshot=snapshot.sequence, **_moves(decision))
        return snapshot, decision

    def _unchanged(self, plan: Plan) -> Summary:
        snapshot = snapshots.current(self.corpus)
        state = self._state(snapshot, plan)
        if plan_stage.is_held(snapshot, plan):
            fence.settle(self.corpus, plan, state)
        else:
            fence.refuse_overtaken(plan, state)
        return self._committed(plan, snapshot, unchanged=True)

    def _state(self, snapshot: Snapshot, plan: Plan) -> DumpState:
        return snapshots.load_state(self.corpus, snapshot, plan.dump_date)

    def _committed(self, plan: Plan, snapshot: Snapshot, **more: object) -> Summary:
        state = self._state(snapshot, plan)
        counts = msgspec.to_builtins(state.counts)
        languages = {part.language: _rows(part.files) for part in state.documents}
        return {"snapshot": snapshot.sequence, **counts, "languages": languages, **more}


def _moves(decision: Decision) -> Summary:
    return {
        "retracted": sum(dump.retracted for dump in decision.touched),
        "restored": sum(dump.restored for dump in decision.touched),
        "touched": [dump.dump_date for dump in decision.touched],
    }


def _rows(files: tuple[Any, ...]) -> int:
    return sum(file.rows for file in files)
