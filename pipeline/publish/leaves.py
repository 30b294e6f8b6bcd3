"""The plain hive trees as a function of a dump's state, and the files behind them.

Holds: `shows`, `leaves`, `stones`, `parts`, `files`, `of_table`, `PublishedFile`. Reads snapshots
and states. Not here: bringing the trees in step (`promote.py`), months (`monthly.py`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from pipeline.errors import ConfigError
from pipeline.model.files import FileRef
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

Leaf = dict[str, FileRef]


class PublishedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable file of a table in a snapshot. `language` is "" but in documents.

    Of tombstones `dump_date` is "" too.
    """

    table: str
    dump_date: str
    language: str
    uri: str
    file: FileRef


def shows(snapshot: Snapshot) -> dict[str, str]:
    """Return what the trees of a snapshot are made from: dump date → sha256 of its state.

    The table without dates has a place of its own, `layout.STONES`.
    """
    found = {date: ref.state.sha256 for date, ref in snapshot.dumps.items()}
    stones = {layout.STONES: snapshot.tombstones.sha256} if snapshot.tombstones else {}
    return found | stones


def stones(snapshot: Snapshot) -> dict[str, Leaf]:
    """Return the one leaf of the table of tombstones; none before the first take-down."""
    if snapshot.tombstones is None:
        return {}
    return {layout.tree(layout.STONES): {layout.part(0): snapshot.tombstones}}


def leaves(state: DumpState) -> dict[str, Leaf]:
    """Return every leaf folder of a dump in the plain trees: file name → file it is a copy of.

    A leaf of one file has a fixed name, so that a new version replaces the old in one step. The
    files of larger leaves carry their hash in their names, so that no reader opens a new file
    under a name that it listed for an old one.
    """
    date = state.dump_date
    found = {
        layout.tree("documents", date, part.language): parts(part.files) for part in state.documents
    }
    found[layout.tree("verdicts", date)] = parts((state.verdicts,))
    found[layout.tree("quarantine", date)] = parts((state.quarantine,))
    found[layout.tree("runs", date)] = _runs(state.runs)
    return {folder: leaf for folder, leaf in found.items() if leaf}


def files(
    corpus: Corpus,
    table: str,
    dump_date: str | None = None,
    *,
    snapshot: int | Snapshot | None = None,
    among: Collection[str] | None = None,
) -> list[PublishedFile]:
    """List the immutable files of a table in one snapshot, for readers that want one state.

    `snapshot` is the number of an earlier one (time travel); None: the current one. The files stay
    readable until `expire` removes the snapshot, whatever is published meanwhile. `dump_date` is
    the one night asked for, which must be there; `among` are nights of which those are listed that
    are there.

    Raises:
        ConfigError: no such table.
        MissingError: no such dump or snapshot, or nothing was ever published.
    """
    if table not in (*layout.TABLES, layout.STONES):
        raise ConfigError(
            f"expected one of the tables {', '.join((*layout.TABLES, layout.STONES))}, found "
            f"{table!r}."
        )
    shown = snapshot if isinstance(snapshot, Snapshot) else snapshots.numbered(corpus, snapshot)
    if table == layout.STONES:
        return [_file(corpus, table, shown.tombstones)] if shown.tombstones else []
    dates = sorted(shown.dumps) if among is None else sorted(shown.dumps.keys() & set(among))
    found = []
    for date in dates if dump_date is None else [dump_date]:
        state = snapshots.load_state(corpus, shown, date)
        for language, ref in of_table(state, table):
            one = _file(corpus, table, ref)
            found.append(msgspec.structs.replace(one, dump_date=date, language=language))
    return found


def _file(corpus: Corpus, table: str, ref: FileRef) -> PublishedFile:
    uri = f"{corpus.store.url.rstrip('/')}/{ref.key}"
    return PublishedFile(table=table, dump_date="", language="", uri=uri, file=ref)


def of_table(state: DumpState, table: str) -> Iterable[tuple[str, FileRef]]:
    """Return the files of one table of a dump, each with its language ("" but in documents)."""
    if table == "documents":
        return [(part.language, ref) for part in state.documents for ref in part.files]
    refs = {
        "verdicts": (state.verdicts,),
        "quarantine": (state.quarantine,),
        "runs": state.runs,
    }[table]
    return [("", ref) for ref in refs]


def parts(files: tuple[FileRef, ...]) -> Leaf:
    """Name the files of a leaf; see `leaves`."""
    if len(files) == 1:
        return {layout.part(0): files[0]}
    return {layout.part(number, file.sha256): file for number, file in enumerate(files)}


def _runs(files: tuple[FileRef, ...]) -> Leaf:
    """Name run files by run id; a run that committed again after a rollback gets a number."""
    leaf: Leaf = {}
    for file in files:
        run_id = layout.unit_of(file.key)
        taken = sum(layout.unit_of(other.key) == run_id for other in leaf.values())
        leaf[layout.run_file(f"{run_id}.{taken + 1}" if taken else run_id)] = file
    return leaf
