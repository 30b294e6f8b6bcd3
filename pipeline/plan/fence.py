"""Which plan of a dump date is the newest, and what became of its files.

Holds: `record`, `refuse_superseded`, `refuse_overtaken`, `settle`. Reads and writes the ledger of
one date.
Not here: the ledger's rows (`ledger.py`), comparing with what is published (`publish/commit.py`).

A run may be killed after its plan and go on hours later, when other runs have seen another landing
area. What they saw, they saw later: the older run must not overwrite it, also where the later run
found nothing to do.
"""

from __future__ import annotations

import msgspec

from pipeline.errors import ContractError
from pipeline.model.plan import Plan
from pipeline.model.snapshot import DumpState
from pipeline.model.versions import models_fingerprint
from pipeline.plan import ledger
from pipeline.storage.units import Corpus


def record(corpus: Corpus, plan: Plan) -> None:
    """Remember a plan as the newest of its date, unless a later one is remembered."""
    mine = _planned(plan)

    def newest(book: ledger.Ledger) -> ledger.Ledger:
        if book.newest is not None and book.newest.planned_at > mine.planned_at:
            return book
        return msgspec.structs.replace(book, newest=mine)

    ledger.change(corpus, plan.dump_date, newest)


def refuse_superseded(corpus: Corpus, plan: Plan) -> None:
    """Refuse a plan when the same date was planned later with other files, settings or models.

    Raises:
        ContractError: names the later run.
    """
    newest = ledger.load(corpus, plan.dump_date).newest
    if newest is None or newest.planned_at <= plan.planned_at:
        return
    if _content(newest) != _content(_planned(plan)):
        raise ContractError(
            f"run {plan.run_id} of dump {plan.dump_date} is superseded: expected no later plan, "
            f"found run {newest.run_id}, planned {newest.planned_at - plan.planned_at:.0f} s after "
            "it with other files, settings or models. Nothing was published. Let that run finish, "
            f"or start a new one: `winnow run --dump-date {plan.dump_date}`."
        )


def refuse_overtaken(plan: Plan, state: DumpState) -> None:
    """Refuse to call a dump unchanged when an older run has replaced what the plan found.

    Raises:
        ContractError: what is published was planned before the plan.
    """
    if state.planned_at < plan.planned_at:
        raise ContractError(
            f"{plan.dump_date}: expected to be published what run {plan.run_id} found unchanged, "
            f"found a run planned {plan.planned_at - state.planned_at:.0f} s before it. Start a "
            f"new run: `winnow run --dump-date {plan.dump_date}`."
        )


def settle(corpus: Corpus, plan: Plan, state: DumpState) -> None:
    """Mark the files of a plan whose content `state` holds: published, or in quarantine."""
    unread = {(file.key, file.etag) for file in state.file_counts if file.unread_bytes > 0}
    fates: dict[tuple[str, str], ledger.State] = {
        (file.key, file.etag): "quarantined" if (file.key, file.etag) in unread else "published"
        for file in plan.files
    }
    ledger.mark(corpus, plan.dump_date, fates)


def _planned(plan: Plan) -> ledger.Planned:
    return ledger.Planned(
        run_id=plan.run_id,
        planned_at=plan.planned_at,
        generation=plan.generation,
        settings=plan.made_with,
        models=models_fingerprint(plan.models),
    )


def _content(planned: ledger.Planned) -> tuple[str, str, str]:
    return planned.generation, planned.settings, planned.models
