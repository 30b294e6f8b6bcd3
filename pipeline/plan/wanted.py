"""Which nights want a run, and whether a night can begin.

Holds: `wanted`, `Wanted`, `Which`, `await_dump`. Reads the landing area, the ledger and what is
published; writes nothing. Not here: how a night stands (`ledger.py`), starting runs (the DAG).

A night that was published and then taken back by a rollback is `due`, but what landed of it was
seen and published: a look for what `landed` leaves it alone, or it would undo the rollback.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import msgspec

from pipeline.errors import NotReadyError
from pipeline.model.ids import fingerprint
from pipeline.model.settings import PlanSettings, RunSettings
from pipeline.model.snapshot import Snapshot
from pipeline.model.versions import Models
from pipeline.plan import choice, ledger
from pipeline.plan.discover import Source, discover, dump_dates
from pipeline.plan.stage import check_ready
from pipeline.storage import snapshots
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

Which = Literal["landed", "due", "all"]
"""Nights of which files landed or changed that no run has published; those that are due for any
reason (settings, models, a rollback); all of which anything landed."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A night that wants a run. `digest` names what landed: the same files, the same digest."""

    dump_date: str
    files: int
    bytes: int
    digest: str


def wanted(  # noqa: PLR0913 - stores, clock, and all that a dump is made with
    corpus: Corpus,
    landing: Store,
    settings: RunSettings,
    *,
    models: Models,
    which: Which,
    between: tuple[str, str],
    now: float,
) -> Iterator[Wanted]:
    """Yield the nights `between` two dump dates (both included) that want a run, oldest first.

    A look for what `landed` leaves out nights whose day is not over, and the last one before today
    until it is published: the schedule takes it.
    """
    snapshot = snapshots.current(corpus)
    first, last = between
    scheduled = (datetime.fromtimestamp(now, UTC).date() - timedelta(days=1)).isoformat()
    for dump_date in dump_dates(landing):
        if not first <= dump_date <= last:
            continue
        if which == "landed" and dump_date >= scheduled and dump_date not in snapshot.dumps:
            continue
        sources = discover(landing, dump_date, now=now, quiet_seconds=settings.plan.quiet_seconds)
        standing = ledger.standing(
            corpus, snapshot, dump_date, sources=sources, settings=settings, models=models
        )
        if _is_wanted(corpus, dump_date, sources, which=which, standing=standing):
            yield _wanted(dump_date, sources)


def await_dump(  # noqa: PLR0913 - stores, clock, and what is asked for
    corpus: Corpus,
    landing: Store,
    settings: PlanSettings,
    *,
    dump_date: str,
    choose: Collection[str],
    now: float,
) -> None:
    """Say whether a night can begin.

    Raises:
        NotReadyError: a source is still being uploaded, or nothing landed and it is early.
        InputError: a source that was chosen has not landed.
    """
    sources = discover(landing, dump_date, now=now, quiet_seconds=settings.quiet_seconds)
    until = _midnight_after(dump_date) + timedelta(seconds=settings.landing_seconds)
    if not sources and now < until.timestamp():
        raise NotReadyError(
            f"{dump_date}: expected a dump, found that nothing has landed yet. It is looked for "
            f"until {until:%Y-%m-%d %H:%M} UTC (plan.landing_seconds); then the night counts as "
            "one without dumps."
        )
    snapshot: Snapshot = snapshots.current(corpus)
    held = ledger.published(corpus, snapshot, dump_date) or ()
    seen = choice.chosen(sources, held, choose, dump_date=dump_date)
    check_ready(seen, held, dump_date=dump_date)


def _is_wanted(
    corpus: Corpus,
    dump_date: str,
    sources: tuple[Source, ...],
    *,
    which: Which,
    standing: ledger.Standing,
) -> bool:
    if which == "all":
        return standing != "waiting"
    if which == "due" or standing != "due":
        return standing == "due"
    rows = ledger.load(corpus, dump_date).rows
    done = {(row.key, row.etag) for row in rows if row.state in ledger.FATES}
    return any(
        (info.key, info.etag) not in done
        for source in sources
        if not source.waiting
        for info in source.files
    )


def _wanted(dump_date: str, sources: tuple[Source, ...]) -> Wanted:
    files = [info for source in sources if not source.waiting for info in source.files]
    return Wanted(
        dump_date=dump_date,
        files=len(files),
        bytes=sum(info.size for info in files),
        digest=fingerprint(sorted((info.key, info.etag) for info in files))[:12],
    )


def _midnight_after(dump_date: str) -> datetime:
    day = date.fromisoformat(dump_date) + timedelta(days=1)
    return datetime.combine(day, time(), tzinfo=UTC)
