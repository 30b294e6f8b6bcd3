"""Runs that have not published, and the page about one: how far it came, and why no further.

Holds: `Halted`, `halted`, `halted_runs`, `render_halted`. Reads the run's plan, and what its tasks
left.
Not here: writing the page (`stage.py`), the page about a run that published (`page.py`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pipeline.audit import tasks
from pipeline.errors import MissingError
from pipeline.model.plan import Plan
from pipeline.model.task import TaskFailure
from pipeline.report.markup import css, templates
from pipeline.storage import layout, snapshots, tombstones
from pipeline.storage.units import Corpus

_MAPPED: Final = ("ingest", "match", "annotate", "publish")
SHOWN: Final = 100
"""Failures that the page tells in full."""
LISTED: Final = 50
"""Runs of a night that are looked at for whether they failed."""


@dataclass(frozen=True, slots=True)
class Halted:
    """A run that has not published. `plan` is None when it was not even planned.

    `ended` counts the tasks of each stage that ended well, `wanted` all of them where a plan says
    how many.
    """

    dump_date: str
    run_id: str
    corpus: str
    plan: Plan | None
    ended: dict[str, int]
    wanted: dict[str, int]
    failures: tuple[TaskFailure, ...]
    tombstones: str

    @property
    def stage(self) -> str:
        """The stage that failed; if no task says so, the first that is not at its end."""
        if failed := {one.stage for one in self.failures}:
            return next(one for one in tasks.STAGES if one in failed)
        return next((one for one in tasks.STAGES if not self._ended(one)), "")

    def _ended(self, stage: str) -> bool:
        """Of stages whose number of tasks is not known the last that began may not have ended."""
        if stage not in self.ended:
            return False
        if stage in self.wanted:
            return self.ended[stage] == self.wanted[stage]
        following = tasks.STAGES[tasks.STAGES.index(stage) + 1 :]
        return stage not in _MAPPED or any(one in self.ended for one in following)

    @property
    def at(self) -> datetime | None:
        """When a task failed last; of a run that was killed, when it was planned."""
        moments = [one.at for one in self.failures] or ([self.plan.planned_at] if self.plan else [])
        return datetime.fromtimestamp(max(moments), UTC) if moments else None

    @property
    def why(self) -> str:
        """What the first failed task said."""
        if not self.failures:
            return "no task said why: a worker was killed, or a task had no turn; see its log"
        return next(one.message for one in self.failures if one.stage == self.stage)


def halted(corpus: Corpus, dump_date: str, run_id: str) -> Halted | None:
    """Return how far a run came; None when it had nothing to publish, or reached its commit."""
    plan = _plan(corpus, dump_date, run_id)
    failures = tuple(tasks.failures(corpus, dump_date, run_id))
    ended = tasks.ended(corpus, dump_date, run_id)
    idle = plan is None or plan.unchanged or plan.dry
    if not failures and (idle or "commit" in ended):
        return None
    stones = tombstones.load(corpus, snapshots.current(corpus))
    return Halted(
        dump_date=dump_date,
        run_id=run_id,
        corpus=corpus.store.url,
        plan=plan,
        ended=dict(ended),
        wanted={"ingest": len(plan.shards), "match": len(plan.key_ranges)} if plan else {},
        failures=failures,
        tombstones=tombstones.mark(tombstones.active(stones)),
    )


def halted_runs(corpus: Corpus, dump_date: str, published: Collection[str]) -> list[Halted]:
    """Return the runs of a night that failed, the latest first; those of `published` have not.

    A run that nobody said anything of and that has no page is at work, or was killed just now.
    """
    pages = {
        layout.run_of(info.key)[1] for info in corpus.store.list(layout.tree("reports", dump_date))
    }
    names = sorted((tasks.runs(corpus, dump_date) | pages) - set(published), reverse=True)
    found = [halted(corpus, dump_date, name) for name in names[:LISTED]]
    failed = [one for one in found if one and (one.failures or one.run_id in pages)]
    return sorted(failed, key=lambda one: one.at.timestamp() if one.at else 0.0, reverse=True)


def render_halted(found: Halted) -> str:
    """Return the page as HTML."""
    return (
        templates()
        .get_template("halted.html.j2")
        .render(
            found=found,
            stages=tasks.STAGES,
            failures=[(one, datetime.fromtimestamp(one.at, UTC)) for one in found.failures[:SHOWN]],
            planned=datetime.fromtimestamp(found.plan.planned_at, UTC) if found.plan else None,
            size=sum(file.size for file in found.plan.files) if found.plan else 0,
            css=css(),
        )
    )


def _plan(corpus: Corpus, dump_date: str, run_id: str) -> Plan | None:
    try:
        return corpus.load(layout.plan(dump_date, run_id), Plan)
    except MissingError:
        return None
