"""What was ever seen in the landing area, and what became of it.

Holds: `observe`, `look`, `mark`, `change`, `load`, the pure `observed` and `marked`; `due` and
`standings`. Reads and writes one object per dump date. Not here: listing (`discover.py`), which
plan is the newest (`fence.py`). What a run contains never depends on the ledger, except for version
numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, get_args

import msgspec

from pipeline.errors import ConflictError, MissingError
from pipeline.model.files import DumpFile
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import DumpRef, Snapshot
from pipeline.model.versions import Models, models_fingerprint, settings_fingerprint
from pipeline.plan.discover import Source, discover, dump_dates
from pipeline.storage import layout, snapshots
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus, encode

State = Literal["seen", "stable", "published", "quarantined", "gone"]
Standing = Literal["published", "due", "waiting", "gone"]
"""Of a dump date: as it landed; a run is wanted; still being uploaded; published, and some of its
files are gone from the landing area while nothing is new or changed."""

FATES = {"published", "quarantined"}
_ATTEMPTS = 20


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one dump file. Times are epoch seconds of the listings that showed it."""

    key: str
    etag: str
    size: int
    version: int
    first_seen: float
    last_seen: float
    state: State


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as the fence compares it: who and when, and what it would publish."""

    run_id: str
    planned_at: float
    generation: str
    settings: str
    models: str


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The newest plan of a date and all versions of its dump files, ordered by (key, version)."""

    dump_date: str
    rows: tuple[Row, ...]
    newest: Planned | None = None


def load(corpus: Corpus, dump_date: str) -> Ledger:
    """Return the ledger of a date; an empty one when nothing was ever seen."""
    return _load(corpus, dump_date)[0]


def observe(corpus: Corpus, dump_date: str, sources: Iterable[Source], *, now: float) -> Ledger:
    """Note a listing in the ledger and return the result."""
    seen = tuple(sources)
    return change(corpus, dump_date, lambda ledger: observed(ledger, seen, now=now))


def look(corpus: Corpus, dump_date: str, sources: Iterable[Source], *, now: float) -> Ledger:
    """Return what `observe` would; write nothing."""
    return observed(load(corpus, dump_date), sources, now=now)


def mark(corpus: Corpus, dump_date: str, states: Mapping[tuple[str, str], State]) -> None:
    """Set the state of versions named by (key, ETag); versions never seen are passed over."""
    change(corpus, dump_date, lambda ledger: marked(ledger, states))


def change(corpus: Corpus, dump_date: str, how: Callable[[Ledger], Ledger]) -> Ledger:
    """Read, change and write back, again when another writer was faster."""
    key = layout.ledger(dump_date)
    for _ in range(_ATTEMPTS):
        ledger, etag = _load(corpus, dump_date)
        after = how(ledger)
        if after == ledger:
            return ledger
        try:
            corpus.store.put(key, encode(after), if_absent=etag is None, if_match=etag)
        except ConflictError:
            continue
        return after
    raise ConflictError(
        f"{key}: expected to write within {_ATTEMPTS} tries, found another writer each time. "
        "Limit the number of concurrent runs of one dump date."
    )


def observed(ledger: Ledger, sources: Iterable[Source], *, now: float) -> Ledger:
    """Return the ledger after a listing.

    A new ETag under a known key is a new version, numbered one higher than any before; older
    versions, and keys no longer listed, are `gone`. An ETag that comes back is its old version.
    """
    rows = {(row.key, row.etag): row for row in ledger.rows}
    newest: dict[str, int] = {}
    for row in ledger.rows:
        newest[row.key] = max(row.version, newest.get(row.key, 0))
    here = set()
    for source in sources:
        state: State = "seen" if source.waiting else "stable"
        for info in source.files:
            name = (info.key, info.etag)
            row = rows.get(name) or Row(
                key=info.key,
                etag=info.etag,
                size=info.size,
                version=newest.get(info.key, 0) + 1,
                first_seen=now,
                last_seen=now,
                state=state,
            )
            kept = row.state if row.state in FATES else state
            rows[name] = msgspec.structs.replace(row, last_seen=max(now, row.last_seen), state=kept)
            here.add(name)
    for name in rows.keys() - here:
        rows[name] = msgspec.structs.replace(rows[name], state="gone")
    return _with_rows(ledger, rows.values())


def marked(ledger: Ledger, states: Mapping[tuple[str, str], State]) -> Ledger:
    """Return the ledger with the state of some versions set.

    Raises:
        ValueError: a state that does not exist.
    """
    unknown = set(states.values()) - set(get_args(State))
    if unknown:
        raise ValueError(f"expected states {get_args(State)}, found {sorted(unknown)}")
    rows = (
        msgspec.structs.replace(row, state=states.get((row.key, row.etag), row.state))
        for row in ledger.rows
    )
    return _with_rows(ledger, rows)


def due(  # noqa: PLR0913 - stores, clock, and all that a dump is made with
    corpus: Corpus,
    landing: Store,
    snapshot: Snapshot,
    *,
    now: float,
    settings: RunSettings,
    models: Models | None = None,
) -> list[str]:
    """Return the dump dates that a run would change: see `standings`."""
    found = standings(corpus, landing, snapshot, now=now, settings=settings, models=models)
    return [dump_date for dump_date, standing in found.items() if standing == "due"]


def standings(  # noqa: PLR0913 - as `due`
    corpus: Corpus,
    landing: Store,
    snapshot: Snapshot,
    *,
    now: float,
    settings: RunSettings,
    models: Models | None = None,
) -> dict[str, Standing]:
    """Say of every dump date, landed or published, how it stands.

    A date is due when it has new or changed files, or was published with other settings or
    models (None: models are not compared). One of which files only vanished is `gone`: a run that
    retracts them must be asked for. One of which a published source is uploaded again is waiting.
    """
    quiet = settings.plan.quiet_seconds
    return {
        dump_date: standing(
            corpus,
            snapshot,
            dump_date,
            sources=discover(landing, dump_date, now=now, quiet_seconds=quiet),
            settings=settings,
            models=models,
        )
        for dump_date in sorted({*dump_dates(landing), *snapshot.dumps})
    }


def standing(  # noqa: PLR0913 - as `due`
    corpus: Corpus,
    snapshot: Snapshot,
    dump_date: str,
    *,
    sources: tuple[Source, ...],
    settings: RunSettings,
    models: Models | None = None,
) -> Standing:
    """Say of one dump date how it stands, given its listing: see `standings`."""
    made = settings_fingerprint(settings), None if models is None else models_fingerprint(models)
    return _standing(
        published(corpus, snapshot, dump_date),
        sources,
        same=_is_made(snapshot.dumps.get(dump_date), *made),
    )


def published(corpus: Corpus, snapshot: Snapshot, dump_date: str) -> tuple[DumpFile, ...] | None:
    """Return the dump files that `snapshot` holds of a date; None when it does not hold it."""
    if dump_date not in snapshot.dumps:
        return None
    return snapshots.load_state(corpus, snapshot, dump_date).files


def _standing(
    held: tuple[DumpFile, ...] | None, sources: tuple[Source, ...], *, same: bool
) -> Standing:
    complete = [info for source in sources if not source.waiting for info in source.files]
    if held is None:
        return "due" if complete else "waiting"
    uploading = {source.name for source in sources if source.waiting}
    if any(file.source in uploading for file in held):
        return "waiting"
    if {(info.key, info.etag) for info in complete} - {(file.key, file.etag) for file in held}:
        return "due"
    if {file.key for file in held} - {info.key for info in complete}:
        return "gone"
    return "published" if same else "due"


def _is_made(ref: DumpRef | None, settings: str, models: str | None) -> bool:
    return ref is not None and ref.settings == settings and models in (None, ref.models)


def _with_rows(ledger: Ledger, rows: Iterable[Row]) -> Ledger:
    ordered = sorted(rows, key=lambda row: (row.key, row.version))
    return msgspec.structs.replace(ledger, rows=tuple(ordered))


def _load(corpus: Corpus, dump_date: str) -> tuple[Ledger, str | None]:
    try:
        data, etag = corpus.store.get(layout.ledger(dump_date))
    except MissingError:
        return Ledger(dump_date=dump_date, rows=()), None
    return msgspec.json.decode(data, type=Ledger), etag
