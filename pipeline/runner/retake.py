"""Dumps of a snapshot under other tombstones: decided, published and committed again.

Holds: `Retake`. Reads and writes through the stages.
Not here: who asks for it (`takedown.py`, `rollback.py`), deciding (`dedup/retake.py`).

A dump is published again by the settings of its own plan, so that its bytes are those of publishing
it anew; if its models or this version of Winnow are others by now, it is due afterwards.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa

from pipeline import __version__, telemetry
from pipeline.dedup import stage as dedup
from pipeline.dedup.retake import Again
from pipeline.errors import ConfigError, MissingError
from pipeline.ingest.stage import restage_shard
from pipeline.model import versions
from pipeline.model.manifest import Decision, IngestManifest, TouchedDump
from pipeline.model.plan import Plan, Shard
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.publish import stage as publish
from pipeline.publish.retaken import Retaken, commit_retaken
from pipeline.runner.models import models_of
from pipeline.runner.plans import plan_of
from pipeline.runner.units import annotate, annotate_units
from pipeline.storage import layout, snapshots, tombstones
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

Summary = dict[str, Any]

_SHOWN = 1000


class Retake:
    """What becomes of the dumps of `base` under `stones`, the whole table of tombstones."""

    def __init__(
        self,
        corpus: Corpus,
        landing: Store | None,
        settings: RunSettings,
        *,
        base: Snapshot,
        stones: pa.Table,
    ) -> None:
        """Bind; nothing is read yet. `settings` count for dumps whose plan is lost."""
        self.corpus = corpus
        self.landing = landing
        self.settings = settings
        self.base = base
        self.stones = stones

    @cached_property
    def dumps(self) -> list[Again]:
        """The dumps whose verdicts are others."""
        return dedup.decide_again(self.corpus, self.base, tombstones.active(self.stones))

    def changes(self) -> Summary:
        """Say what a commit would change."""
        documents: list[Summary] = []
        files: set[str] = set()
        down = retracted = restored = 0
        for one in self.dumps:
            rows = one.newly_taken(self.corpus)
            down += rows.num_rows
            files |= set(rows["dump_file"].to_pylist())
            documents += [{"dump_date": one.state.dump_date, **row} for row in rows.to_pylist()]
            retracted += one.moved[0]
            restored += one.moved[1]
        return {
            "taken_down": down,
            "retracted": retracted,
            "restored": restored,
            "dumps": [one.state.dump_date for one in self.dumps],
            "documents": documents[:_SHOWN],
            "landing_files": sorted(files),
        }

    def commit(self, run_id: str, *, outcome: str, live: Snapshot | None = None) -> Snapshot:
        """Publish `base` with these dumps in their new state; return the new snapshot.

        Args:
            run_id: names the snapshot.
            outcome: of the rows of `runs`; without one there are none.
            live: the snapshot to follow, if it is not `base`.

        Raises:
            ConflictError: another run published meanwhile; begin anew.
        """
        live = live or self.base
        pointer = snapshots.pointed(self.corpus)
        with telemetry.stage("retake", run_id=run_id) as span:
            self._bring_back()
            touched = dedup.write_again(self.corpus, self.base, self.dumps)
            made = [self._made(dump, run_id, outcome, live.sequence) for dump in touched]
            file = tombstones.save(self.corpus, self.stones) if self.stones.num_rows else None
            after = msgspec.structs.replace(
                self.base, sequence=live.sequence + 1, run_id=run_id, tombstones=file
            )
            snapshot = commit_retaken(self.corpus, after, made, pointer=pointer)
            span.update(snapshot=snapshot.sequence, dumps=len(made))
        return snapshot

    def _made(self, dump: TouchedDump, run_id: str, outcome: str, parent: int) -> Retaken:
        """Annotate and publish the documents that a dump keeps; finished units are found."""
        started = time.perf_counter()
        state = snapshots.load_state(self.corpus, self.base, dump.dump_date)
        plan = self._plan(state, run_id)
        decision = Decision(
            fingerprint="",
            run_id=run_id,
            dump_date=dump.dump_date,
            generation=dump.generation,
            parent=parent,
            touched=(dump,),
            edges=(),
            index=(),
        )
        units = annotate_units(self.corpus, plan, decision)
        annotated = annotate(self.corpus, plan, decision, units)
        routed = publish.route(self.corpus, decision, plan.settings, units=units)
        return Retaken(
            plan=plan,
            decision=decision,
            annotated=annotated,
            published=publish.publish_group(self.corpus, routed, plan.settings),
            seconds=round(time.perf_counter() - started, 3),
            outcome=outcome,
        )

    def _plan(self, state: DumpState, run_id: str) -> Plan:
        """Return the dump's own plan under this run's name, with what it is really made with."""
        try:
            plan = plan_of(self.corpus, self.base, state.dump_date)
        except MissingError:
            plan = self._lost(state)
        models = models_of(plan.settings)
        ref = self.base.dumps[state.dump_date]
        made_with = versions.settings_fingerprint(plan.settings)
        same = (made_with, versions.models_fingerprint(models)) == (ref.settings, ref.models)
        return msgspec.structs.replace(
            plan,
            run_id=run_id,
            planned_at=round(time.time(), 3),
            waiting=(),
            models=models,
            made_with=made_with if same else "",
            code_version=__version__,
        )

    def _lost(self, state: DumpState) -> Plan:
        shards = enumerate(state.shards)
        return Plan(
            run_id="",
            dump_date=state.dump_date,
            planned_at=0.0,
            generation=state.generation,
            parent=self.base.sequence,
            shards=tuple(Shard(at, name, ()) for at, name in shards),
            key_ranges=(),
            waiting=(),
            unchanged=False,
            settings=self.settings,
            code_version=__version__,
        )

    def _bring_back(self) -> None:
        """Read shards again in which texts are erased that are not taken down any more."""
        force = set(tombstones.active(self.stones)["tombstone_id"].to_pylist())
        for one in self.dumps:
            stale = [
                index
                for index, shard in enumerate(one.state.shards)
                if not set(self._manifest(shard).erased) <= force
            ]
            if not stale:
                continue
            if self.landing is None:
                raise ConfigError(
                    f"{one.state.dump_date}: expected the landing area, from which erased texts "
                    "are read again, found none. Set store.landing."
                )
            plan = plan_of(self.corpus, self.base, one.state.dump_date)
            for index in stale:
                restage_shard(self.corpus, self.landing, plan, index)

    def _manifest(self, shard: str) -> IngestManifest:
        return self.corpus.load(layout.unit("ingest", shard), IngestManifest)
