"""A run of some sources of a night, the others staying as they are published.

Holds: `Asked`, `chosen`, `left_out`. Pure. Not here: listing (`discover.py`), freezing
(`stage.py`).

A night is published whole. So a source that was not chosen takes part with the files that are
published of it, which are found and not read again; of a source that is not published yet nothing
takes part, and the night stays due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypedDict

import msgspec

from pipeline.errors import InputError
from pipeline.model.files import DumpFile
from pipeline.plan.discover import Source


class Asked(TypedDict, total=False):
    """What a person may ask of a plan; see `plan_run`."""

    allow_deleted: bool
    choose: Collection[str]


def chosen(
    sources: tuple[Source, ...], held: Iterable[DumpFile], names: Collection[str], *, dump_date: str
) -> tuple[Source, ...]:
    """Return the listing as a run of the sources `names` sees it; of all when there are no names.

    Raises:
        InputError: no such source has landed, or another one is not as it was published.
    """
    if not names:
        return sources
    landed = [source.name for source in sources]
    unknown = sorted(set(names) - set(landed))
    if unknown:
        raise InputError(
            f"{dump_date}: expected sources among {', '.join(landed) or 'none (nothing landed)'}, "
            f"found {', '.join(unknown)}. Choose others, or none to take all."
        )
    published: dict[str, dict[str, str]] = {}
    for file in held:
        published.setdefault(file.source, {})[file.key] = file.etag
    others = {name: files for name, files in published.items() if name not in names}
    _check_same(sources, others, dump_date=dump_date)
    seen = []
    for source in sources:
        if source.name in names:
            seen.append(source)
        elif source.name in others:
            files = tuple(info for info in source.files if info.key in others[source.name])
            seen.append(msgspec.structs.replace(source, files=files, waiting=""))
    return tuple(seen)


def left_out(sources: Iterable[Source], seen: Iterable[Source]) -> tuple[str, ...]:
    """Name the sources of a listing that a run takes nothing of: waiting, or not chosen."""
    taken = {source.name for source in seen if not source.waiting}
    return tuple(source.name for source in sources if source.name not in taken)


def _check_same(
    sources: Iterable[Source], others: dict[str, dict[str, str]], *, dump_date: str
) -> None:
    landed = {info.key: info.etag for source in sources for info in source.files}
    for name, files in others.items():
        for key, etag in files.items():
            if landed.get(key) != etag:
                raise InputError(
                    f"{dump_date}: expected source {name}, which was not chosen, as it is "
                    f"published, found {key} changed or gone. Choose {name} as well."
                )
