"""What the plain trees hold: the state of each dump that they show, and what each object copies.

Holds: `Trees`, `Copies`, `read_trees`, `shown`, `read_copies`, `list_objects`, `list_dates`. Reads
notes of the trees and lists them. Not here: changing them (`promote.py`), which file belongs where
(`leaves.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec

from pipeline.errors import CorruptError
from pipeline.storage import layout
from pipeline.storage.units import Corpus, decode

ILLEGIBLE = "illegible"
"""Stands for the token of a note of the trees that is damaged; never stored."""


class Trees(msgspec.Struct, frozen=True, kw_only=True):
    """Which state the trees show of each dump ("" while it changes), and who is changing them.

    Tombstones and months have places of their own beside the dumps.
    `token` is "" when nobody is. `redo` names dumps in which a promote that lost its claim may have
    overwritten newer objects: what is known of their objects does not count.
    """

    states: dict[str, str] = {}
    token: str = ""
    redo: tuple[str, ...] = ()


class Copies(msgspec.Struct, frozen=True, kw_only=True):
    """What objects of one dump in the trees are: key → (ETag, sha256 of the file it copies).

    A fact about the ETag, so it stays true when the object changes: a changed object has another.
    """

    objects: dict[str, tuple[str, str]]


def read_trees(corpus: Corpus) -> tuple[Trees, str | None]:
    """Read what the trees show; a note that cannot be read says nothing of any dump."""
    if corpus.store.stat(layout.PROMOTED) is None:
        return Trees(), None
    data, etag = corpus.store.get(layout.PROMOTED)
    try:
        return decode(layout.PROMOTED, data, Trees), etag
    except CorruptError:
        return Trees(token=ILLEGIBLE), etag


def shown(corpus: Corpus) -> dict[str, str]:
    """Return what the trees show (see `leaves.shows`); "" while it changes or is not known."""
    states = read_trees(corpus)[0].states
    return {date: state for date, state in states.items() if not layout.is_month(date)}


def read_copies(corpus: Corpus, date: str) -> Mapping[str, tuple[str, str]]:
    """Return what is known of one dump's objects; nothing when the note of it is damaged."""
    try:
        memory = corpus.find(layout.promoted(date), Copies)
    except CorruptError:
        return {}
    return memory.objects if memory else {}


def list_objects(corpus: Corpus, date: str) -> dict[str, dict[str, str]]:
    """List one dump's part of all trees: folder → name → ETag."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    tree = layout.month_tree if layout.is_month(date) else layout.tree
    folders = [tree(table, date) for table in layout.TABLES]
    for place in [layout.tree(date)] if date == layout.STONES else folders:
        for info in corpus.store.list(place):
            folder, _, name = info.key.rpartition("/")
            found[folder + "/"][name] = info.etag
    return found


def list_dates(corpus: Corpus) -> set[str]:
    """Return every dump date, and every month, that has a folder in any tree."""
    names = {
        name for table in layout.TABLES for name in corpus.store.list_folders(layout.tree(table))
    }
    found = {name.removeprefix("dump_date=") for name in names if name.startswith("dump_date=")}
    months = {
        name
        for table in layout.TABLES
        for name in corpus.store.list_folders(layout.month_tree(table))
    }
    found |= {name.removeprefix("month=") for name in months if name.startswith("month=")}
    others = [layout.STONES] if any(corpus.store.list(layout.tree(layout.STONES))) else []
    return found.union(others)
