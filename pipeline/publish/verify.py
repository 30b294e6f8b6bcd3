"""What can be verified of a published corpus without computing any stage again.

Holds: `verify_checks`, `verify_rows`, `verify_store`, `verify_trees`, `verify_tombstones`,
`rows_of`, `damaged`, `READING`. Reads everything that the current snapshot names, and the plain
trees; writes nothing.
Not here: signatures and verdicts computed again from the texts (`audit/`), the tree by month
(`monthly.py`), mending what is damaged (`runner/rebuild.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import ContractError, CorruptError, InputError, MissingError
from pipeline.model.columns import schema_at
from pipeline.model.files import FileRef
from pipeline.model.finding import Finding, broken
from pipeline.model.id_columns import id_bytes
from pipeline.model.manifest import IngestManifest
from pipeline.model.schemas import SCHEMA_VERSION
from pipeline.model.snapshot import DumpState
from pipeline.publish.checks import CHECKS
from pipeline.publish.leaves import leaves, shows, stones
from pipeline.publish.trees import shown
from pipeline.publish.view import View
from pipeline.storage import layout, tombstones
from pipeline.storage.units import Corpus
from pipeline.storage.verify import trouble

READING = (
    CorruptError,
    MissingError,
    InputError,
    ContractError,
    msgspec.MsgspecError,
    pa.ArrowException,
    KeyError,
    ValueError,
)
"""What reading a damaged object may raise. Errors of the store itself are none of these."""

_TREES = "`winnow promote --full` heals it"
_RESTORE = "restore the object from a backup or a bucket version"


def verify_checks(view: View) -> Iterator[Finding]:
    """Repeat on every dump what was checked before it was published (promises 1, 2, 3)."""
    for dump_date in sorted(view.snapshot.dumps):
        for check in CHECKS:
            yield from check(view, dump_date)


def verify_rows(view: View) -> Iterator[Finding]:
    """Published rows are the kept documents, each once, in a declared schema (1, 2, 5)."""
    for dump_date in sorted(view.snapshot.dumps):
        yield from rows_of(view, dump_date)


def rows_of(view: View, dump_date: str) -> Iterator[Finding]:
    """Do it for one dump."""
    ids = [np.empty(0, "S16")]
    declared = [schema_at("documents", at) for at in range(SCHEMA_VERSION, 0, -1)]
    for part in view.state(dump_date).documents:
        for ref in part.files:
            found = pq.read_schema(view.corpus.fetch(ref))
            if not any(found.equals(one) for one in declared):
                yield broken(5, f"{ref.key}: expected the schema of some version, found another")
            batches = view.corpus.batches(ref, columns=["document_id"])
            ids += [id_bytes(batch["document_id"]) for batch in batches]
    published, kept = np.sort(np.concatenate(ids)), view.kept_ids(dump_date)
    repeated = len(published) - len(np.unique(published))
    if repeated:
        yield broken(2, f"{dump_date}: {repeated} document ids are published more than once")
    lost, extra = np.setdiff1d(kept, published), np.setdiff1d(published, kept)
    if len(lost):
        yield broken(1, f"{dump_date}: {len(lost)} kept documents are not published")
    if len(extra):
        yield broken(2, f"{dump_date}: {len(extra)} published documents are not kept")


def verify_store(view: View) -> Iterator[Finding]:
    """Every file that the snapshot names exists with its size and hash.

    A damaged file breaks promise 1 when it is staged text, 4 when documents are compared by it,
    and 5 when it is published.
    """
    for dump_date in sorted(view.snapshot.dumps):
        yield from (finding for _, finding in damaged(view, dump_date))


def verify_tombstones(view: View) -> Iterator[Finding]:
    """The table of tombstones is there, and says of each who, when and why (7)."""
    ref = view.snapshot.tombstones
    if ref is None:
        return
    if said := trouble(view.corpus.store, ref.key, ref):
        yield broken(7, f"{said}; {_RESTORE}, or copy {layout.tree(layout.STONES)} there")
        return
    for row in tombstones.load(view.corpus, view.snapshot).to_pylist():
        told = row["taken_down_by"] and row["reason"]
        undone = row["undone_at"] is None or (row["undone_by"] and row["undone_reason"])
        if not told or not undone:
            yield broken(7, f"tombstone {row['tombstone_id']} does not say who or why")


def damaged(view: View, dump_date: str) -> Iterator[tuple[FileRef, Finding]]:
    """Yield the files of one dump that are missing or differ, and what that breaks."""
    ref = view.snapshot.dumps[dump_date].state
    if said := trouble(view.corpus.store, ref.key, ref):
        yield ref, broken(5, f"{said}; {_RESTORE}")
        return
    state = view.state(dump_date)
    heal = f"`winnow heal {dump_date}` mends it"
    for promise, file in (*_published(state), *_staged(view.corpus, state)):
        if said := trouble(view.corpus.store, file.key, file):
            yield file, broken(promise, f"{said}; {heal}")


def verify_trees(view: View) -> Iterator[Finding]:
    """The plain trees hold copies of exactly the files of the snapshot (5).

    Nothing is said of the trees of a dump whose state cannot be read.
    """
    wanted, unknown = {}, []
    for dump_date in view.snapshot.dumps:
        try:
            tree = leaves(view.state(dump_date))
        except READING:
            unknown.append(f"/dump_date={dump_date}/")
        else:
            wanted.update(
                {at + name: ref for at, leaf in tree.items() for name, ref in leaf.items()}
            )
    for at, leaf in stones(view.snapshot).items():
        wanted.update({at + name: ref for name, ref in leaf.items()})
    present = {
        info.key
        for table in (*layout.TABLES, layout.STONES)
        for info in view.corpus.store.list(layout.tree(table))
        if not any(folder in info.key for folder in unknown)
    }
    for key in sorted(present - wanted.keys()):
        dated = "/dump_date=" in key or key.startswith(layout.tree(layout.STONES))
        remedy = _TREES if dated else "delete it"
        yield broken(5, f"{key}: expected no such object in the tree, found one; {remedy}")
    for key, ref in sorted(wanted.items()):
        said = trouble(view.corpus.store, key, ref)
        if said:
            yield broken(5, f"{said}; {_TREES}")
    yield from _promoted(view)


def _promoted(view: View) -> Iterator[Finding]:
    published = shows(view.snapshot)
    if shown(view.corpus) != published:
        yield broken(
            5,
            f"{layout.PROMOTED}: expected it to name the {len(published)} published states, found "
            "another list; `winnow promote` writes it anew",
        )


def _published(state: DumpState) -> Iterator[tuple[int, FileRef]]:
    """Yield the files that a state names, each with the promise that it bears."""
    parts = (file for part in state.documents for file in part.files)
    for file in (state.verdicts, state.quarantine, *state.runs, *parts):
        yield 5, file
    for file in (*state.index, *(edge.file for edge in state.edges)):
        yield 4, file


def _staged(corpus: Corpus, state: DumpState) -> Iterator[tuple[int, FileRef]]:
    """Yield the manifests of a dump's shards and, of those that are sound, their files."""
    recorded = {ref.key: ref for ref in state.shard_manifests}
    for shard in state.shards:
        key = layout.unit("ingest", shard)
        ref = recorded.get(key)
        if ref is not None:
            yield 1, ref
            if trouble(corpus.store, key, ref):
                continue
        try:
            manifest = corpus.load(key, IngestManifest)
        except READING:
            yield 1, FileRef(key, "", 0, 0)
            continue
        yield 1, manifest.documents
        yield 1, manifest.quarantine
        for ref in (manifest.signatures, manifest.paragraphs, manifest.samples):
            if ref is not None:
                yield 4, ref
