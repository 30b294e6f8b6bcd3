"""What landed for a dump date, and which sources are complete.

Holds: `discover`, `dump_dates`, `Source`. Reads the landing area's listings and markers.
Not here: what was seen before (`ledger.py`), packing (`shards.py`).

The landing area holds `<source>/<dump_date>/<name…>`. A source is complete when its producer says
so (`_SUCCESS`, or a `_MANIFEST.json` whose files are all there in the sizes it names), or, without
either, when its newest object is older than the quiet period.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from pipeline.model.files import ObjectInfo
from pipeline.storage.store import Store

SUCCESS = "_SUCCESS"
MANIFEST = "_MANIFEST.json"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The dump files of one source, ordered by key.

    `waiting` is empty when the source is complete, else the reason in words.
    """

    name: str
    files: tuple[ObjectInfo, ...]
    waiting: str


class _Promise(msgspec.Struct, frozen=True):
    name: str
    size: int


class _Promises(msgspec.Struct, frozen=True):
    files: tuple[_Promise, ...]


def is_dump_date(text: str) -> bool:
    """Whether a folder name is an ISO date such as 2026-11-21."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def dump_dates(landing: Store) -> dict[str, tuple[str, ...]]:
    """Return every dump date with the sources that have a folder for it, both sorted."""
    found: dict[str, list[str]] = {}
    for source in sorted(set(landing.list_folders())):
        for folder in landing.list_folders(f"{source}/"):
            if is_dump_date(folder):
                found.setdefault(folder, []).append(source)
    return {dump_date: tuple(found[dump_date]) for dump_date in sorted(found)}


def discover(
    landing: Store, dump_date: str, *, now: float, quiet_seconds: int
) -> tuple[Source, ...]:
    """List one dump date over all sources; sources without any object are left out.

    Args:
        landing: the landing area.
        dump_date: the ISO date to list.
        now: the clock, in epoch seconds.
        quiet_seconds: how long nothing must have changed in a source without a marker.
    """
    sources = []
    for name in sorted(set(landing.list_folders())):
        prefix = f"{name}/{dump_date}/"
        objects = sorted(landing.list(prefix), key=_key)
        if objects:
            files = tuple(info for info in objects if _is_dump_file(info, prefix))
            waiting = _waiting(landing, prefix, objects, quiet=(now, quiet_seconds))
            sources.append(Source(name=name, files=files, waiting=waiting))
    return tuple(sources)


def _key(info: ObjectInfo) -> str:
    return info.key


def _is_dump_file(info: ObjectInfo, prefix: str) -> bool:
    """Leave out folder markers, and names that start with `_` or `.` at any depth."""
    name = info.key.removeprefix(prefix)
    if name.endswith("/") and info.size == 0:
        return False
    return bool(name) and not any(part.startswith(("_", ".")) for part in name.split("/"))


def _waiting(
    landing: Store, prefix: str, objects: Iterable[ObjectInfo], *, quiet: tuple[float, int]
) -> str:
    sizes = {info.key.removeprefix(prefix): info.size for info in objects}
    if SUCCESS in sizes:
        return ""
    if MANIFEST in sizes:
        return _broken_promise(landing, prefix, sizes)
    now, seconds = quiet
    newest = max(objects, key=lambda info: info.modified)
    age = now - newest.modified
    if seconds == 0 or age >= seconds:
        return ""
    return f"newest object {newest.key} is {max(0, round(age))} s old, quiet period {seconds} s"


def _broken_promise(landing: Store, prefix: str, sizes: dict[str, int]) -> str:
    """Compare the producer's manifest with what is there; it outweighs the quiet period."""
    try:
        data = landing.get(prefix + MANIFEST)[0]
        promises = msgspec.json.decode(data, type=_Promises)
    except msgspec.DecodeError as error:
        return f"{prefix}{MANIFEST} cannot be read: {error}"
    broken = [promise for promise in promises.files if sizes.get(promise.name) != promise.size]
    if not broken:
        return ""
    first = broken[0]
    return (
        f"{len(broken)} of {len(promises.files)} files that {prefix}{MANIFEST} names are missing "
        f"or differ in size, first {first.name}: expected {first.size} bytes, "
        f"found {sizes.get(first.name, 'none')}"
    )
