"""Freezing a run: list, ledger, pack, pin the parent, store the plan.

Holds: `plan_run`, `load_plan`, `check_ready`, `is_held`, `safe_run_id`. Reads the landing area
and the corpus, writes the ledger and the plan. Not here: reading dump files (`ingest/`), the clock
(passed in as `now`), which models there are (passed in).
"""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec

from pipeline import __version__, telemetry
from pipeline.errors import ConflictError, InputError, MissingError, NotReadyError
from pipeline.model import versions
from pipeline.model.files import DumpFile
from pipeline.model.ids import fingerprint
from pipeline.model.plan import Plan
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import Snapshot
from pipeline.plan import choice, fence, ledger, shards
from pipeline.plan.discover import SUCCESS, Source, discover, is_dump_date
from pipeline.storage import layout, snapshots
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus, encode

_MAX_RUN_ID = 120
_NAMED = 3
_NO_MODELS = versions.Models()


def plan_run(  # noqa: PLR0913  a run has that many free choices
    corpus: Corpus,
    landing: Store,
    settings: RunSettings,
    *,
    dump_date: str,
    run_id: str,
    now: float,
    allow_deleted: bool = False,
    choose: Collection[str] = (),
    dry: bool = False,
    models: versions.Models = _NO_MODELS,
) -> Plan:
    """Freeze what a run reads and how it is cut.

    A run that has a plan gets that one again, unless it has not been committed and other files are
    there by now: then it gets a new plan, which takes the old one's place.

    Args:
        corpus: where the ledger and the plan go, and the parent snapshot comes from.
        landing: where the dump files are.
        settings: frozen into the plan.
        dump_date: the ISO date of the night.
        run_id: who asks; made safe for a key.
        now: the clock in epoch seconds.
        allow_deleted: whether dump files that were published may have vanished.
        choose: the sources to take; the others stay as they are published. None: all.
        dry: the run only asks what would change: its plan is not remembered as the newest.
        models: what the dump will be split and annotated with.

    Raises:
        InputError: the date is none, published files have vanished, or a source is not there.
        NotReadyError: nothing is complete yet, or a published source is being uploaded again.
        ConflictError: another attempt at this task was faster and saw other files.
    """
    if not is_dump_date(dump_date):
        raise InputError(f"expected a dump date such as 2026-11-21, found {dump_date!r}.")
    run_id = safe_run_id(run_id)
    earlier, etag = _stored(corpus, dump_date, run_id)
    parent = snapshots.current(corpus)
    if earlier is not None and _is_committed(corpus, parent, earlier):
        return earlier
    landed = discover(landing, dump_date, now=now, quiet_seconds=settings.plan.quiet_seconds)
    held = ledger.published(corpus, parent, dump_date) or ()
    sources = choice.chosen(landed, held, choose, dump_date=dump_date)
    if earlier is not None and earlier.dry == dry and _is_listed(earlier, sources):
        return earlier
    book = ledger.look if dry else ledger.observe
    known = book(corpus, dump_date, landed, now=now)
    check_ready(sources, held, dump_date=dump_date)
    files = [file for source in sources if not source.waiting for file in _frozen(source, known)]
    if not allow_deleted:
        _check_vanished(files, held, dump_date=dump_date)
    made_by = settings.ingest, models.splitter
    plan = Plan(
        run_id=run_id,
        dump_date=dump_date,
        planned_at=now,
        generation=shards.generation(files, made_by=made_by, dedup=settings.dedup),
        parent=parent.sequence,
        shards=shards.pack(files, settings.plan, made_by=made_by),
        key_ranges=shards.key_ranges(sum(file.size for file in files), settings.plan),
        waiting=choice.left_out(landed, sources),
        unchanged=False,
        settings=settings,
        code_version=__version__,
        models=models,
        made_with=versions.settings_fingerprint(settings),
        dry=dry,
    )
    plan = msgspec.structs.replace(plan, unchanged=is_held(parent, plan))
    if not dry:
        fence.record(corpus, plan)
    try:
        key = layout.plan(dump_date, run_id)
        corpus.store.put(key, encode(plan), if_absent=etag is None, if_match=etag)
    except ConflictError:  # another attempt at this task, or our own put whose answer was lost
        plan = load_plan(corpus, dump_date, run_id)
        if not _is_listed(plan, sources):
            raise
    return plan


def load_plan(corpus: Corpus, dump_date: str, run_id: str) -> Plan:
    """Read the plan of a run.

    Raises:
        MissingError: the run was never planned.
    """
    plan, _ = _stored(corpus, dump_date, safe_run_id(run_id))
    if plan is None:
        raise MissingError(
            f"expected a plan of run {run_id} for {dump_date}, found none. Run the plan task first."
        )
    return plan


def is_held(snapshot: Snapshot, plan: Plan) -> bool:
    """Say whether a snapshot holds a plan's content, made with the same settings and models."""
    ref = snapshot.dumps.get(plan.dump_date)
    models = versions.models_fingerprint(plan.models)
    wanted = (plan.generation, plan.made_with, models)
    return ref is not None and (ref.generation, ref.settings, ref.models) == wanted


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


def _stored(corpus: Corpus, dump_date: str, run_id: str) -> tuple[Plan | None, str | None]:
    """Return the plan of a run and its ETag."""
    try:
        data, etag = corpus.store.get(layout.plan(dump_date, run_id))
    except MissingError:
        return None, None
    return msgspec.json.decode(data, type=Plan), etag


def _is_committed(corpus: Corpus, snapshot: Snapshot, plan: Plan) -> bool:
    """Say whether the run of a plan has left its row."""
    if plan.dump_date not in snapshot.dumps:
        return False
    runs = snapshots.load_state(corpus, snapshot, plan.dump_date).runs
    return any(layout.unit_of(ref.key) == plan.run_id for ref in runs)


def _is_listed(plan: Plan, sources: tuple[Source, ...]) -> bool:
    """Say whether a plan has exactly the complete files of a listing."""
    planned = {(file.key, file.etag) for file in plan.files}
    complete = (source for source in sources if not source.waiting)
    return planned == {(info.key, info.etag) for source in complete for info in source.files}


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


def check_ready(sources: tuple[Source, ...], held: tuple[DumpFile, ...], *, dump_date: str) -> None:
    """Wait when nothing is complete, or when leaving a source out would retract what it had.

    Raises:
        NotReadyError: names a source, and why it waits.
    """
    waiting = [source for source in sources if source.waiting]
    for source in waiting:
        telemetry.log.warning("plan.waiting", source=source.name, reason=source.waiting)
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
