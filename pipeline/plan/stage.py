"""Freezing a run: list, ledger, pack, pin the parent, store the plan.

Holds: `plan_run`, `load_plan`, `safe_run_id`. Reads the landing area and the corpus, writes the
ledger and the plan. Not here: reading dump files (`ingest/`), the clock (passed in as `now`).
"""

from __future__ import annotations

import re

from pipeline import __version__, telemetry
from pipeline.errors import InputError, MissingError, NotReadyError
from pipeline.model import versions
from pipeline.model.files import DumpFile
from pipeline.model.ids import fingerprint
from pipeline.model.plan import Plan
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import Snapshot
from pipeline.plan import ledger, shards
from pipeline.plan.discover import SUCCESS, Source, discover, is_dump_date
from pipeline.storage import layout, snapshots
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

VERSION = versions.PLAN
_MAX_RUN_ID = 120
_NAMED = 3


def plan_run(  # noqa: PLR0913  a run has that many free choices
    corpus: Corpus,
    landing: Store,
    settings: RunSettings,
    *,
    dump_date: str,
    run_id: str,
    now: float,
    allow_deleted: bool = False,
) -> Plan:
    """Freeze what a run reads and how it is cut; a run that has a plan gets that one again.

    Args:
        corpus: where the ledger and the plan go, and the parent snapshot comes from.
        landing: where the dump files are.
        settings: frozen into the plan.
        dump_date: the ISO date of the night.
        run_id: who asks; made safe for a key.
        now: the clock in epoch seconds.
        allow_deleted: whether dump files that were published may have vanished.

    Raises:
        InputError: the date is none, or published files have vanished.
        NotReadyError: nothing is complete yet, or a published source is being uploaded again.
    """
    if not is_dump_date(dump_date):
        raise InputError(f"expected a dump date such as 2026-11-21, found {dump_date!r}.")
    run_id = safe_run_id(run_id)
    key = layout.plan(dump_date, run_id)
    if (earlier := corpus.find(key, Plan)) is not None:
        return earlier
    parent = snapshots.current(corpus)
    held = ledger.published(corpus, parent, dump_date) or ()
    sources = discover(landing, dump_date, now=now, quiet_seconds=settings.plan.quiet_seconds)
    book = ledger.observe(corpus, dump_date, sources, now=now)
    _check_ready(sources, held, dump_date=dump_date)
    files = [file for source in sources if not source.waiting for file in _frozen(source, book)]
    if not allow_deleted:
        _check_vanished(files, held, dump_date=dump_date)
    for source in sources:
        if source.waiting:
            telemetry.log.warning("plan.waiting", source=source.name, reason=source.waiting)
    packed = shards.pack(files, settings.plan, ingest=settings.ingest)
    generation = shards.generation(packed, settings.dedup)
    plan = Plan(
        run_id=run_id,
        dump_date=dump_date,
        planned_at=now,
        generation=generation,
        parent=parent.sequence,
        shards=packed,
        key_ranges=shards.key_ranges(sum(file.size for file in files), settings.plan),
        waiting=tuple(source.name for source in sources if source.waiting),
        unchanged=_holds(parent, dump_date, generation, settings=settings),
        settings=settings,
        code_version=__version__,
    )
    return corpus.finish(key, plan)


def load_plan(corpus: Corpus, dump_date: str, run_id: str) -> Plan:
    """Read the plan of a run.

    Raises:
        MissingError: the run was never planned.
    """
    plan = corpus.find(layout.plan(dump_date, safe_run_id(run_id)), Plan)
    if plan is None:
        raise MissingError(
            f"expected a plan of run {run_id} for {dump_date}, found none. Run the plan task first."
        )
    return plan


def safe_run_id(run_id: str) -> str:
    """Return a run id that can be part of a key; safe ids come back as they are.

    Other characters become `-`, and a hash of the whole keeps different ids different.

    Raises:
        InputError: the id is empty.
    """
    if not run_id:
        raise InputError("expected a run id, found an empty one.")
    safe = re.sub(r"[^A-Za-z0-9_.-]", "-", run_id).lstrip(".")
    if safe == run_id and len(safe) <= _MAX_RUN_ID:
        return run_id
    return f"{safe[: _MAX_RUN_ID - 9]}-{fingerprint(run_id)[:8]}"


def _frozen(source: Source, book: ledger.Ledger) -> list[DumpFile]:
    known = {(row.key, row.etag): row.version for row in book.rows}
    return [
        DumpFile(
            source=source.name,
            dump_date=book.dump_date,
            key=info.key,
            etag=info.etag,
            size=info.size,
            version=known[info.key, info.etag],
        )
        for info in source.files
    ]


def _holds(parent: Snapshot, dump_date: str, generation: str, *, settings: RunSettings) -> bool:
    ref = parent.dumps.get(dump_date)
    made_with = versions.settings_fingerprint(settings)
    return ref is not None and (ref.generation, ref.settings) == (generation, made_with)


def _check_ready(
    sources: tuple[Source, ...], held: tuple[DumpFile, ...], *, dump_date: str
) -> None:
    """Wait when nothing is complete, or when leaving a source out would retract what it had."""
    waiting = [source for source in sources if source.waiting]
    published = {file.source for file in held}
    again = [source for source in waiting if source.name in published]
    if again or (waiting and len(waiting) == len(sources)):
        first = (again or waiting)[0]
        more = f" ({len(waiting)} sources are waiting)" if len(waiting) > 1 else ""
        raise NotReadyError(
            f"{dump_date}: expected complete sources, found {first.name} still being uploaded"
            f"{more}: {first.waiting}. Wait, or put an empty {SUCCESS} into "
            f"{first.name}/{dump_date}/ when the upload is complete."
        )


def _check_vanished(files: list[DumpFile], held: tuple[DumpFile, ...], *, dump_date: str) -> None:
    landed = {file.key for file in files}
    gone = sorted(file.key for file in held if file.key not in landed)
    if gone:
        names = ", ".join(gone[:_NAMED]) + (", …" if len(gone) > _NAMED else "")
        raise InputError(
            f"{dump_date}: expected the {len(held)} published dump files, found {len(gone)} of "
            f"them gone from the landing area: {names}. Bring them back, or run with "
            "--allow-deleted to retract their documents."
        )
