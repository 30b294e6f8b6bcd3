"""What can be verified of a published corpus without computing any stage again.

Holds: `verify_checks`, `verify_rows`, `verify_store`, `verify_trees`. Reads everything that the
current snapshot names, and the plain trees; writes nothing.
Not here: signatures and verdicts computed again from the texts (`audit/`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq

from pipeline.errors import CorruptError, MissingError
from pipeline.model.files import FileRef
from pipeline.model.finding import Finding, broken
from pipeline.model.schemas import DOCUMENTS
from pipeline.model.snapshot import DumpState
from pipeline.publish.checks import CHECKS
from pipeline.publish.leaves import leaves
from pipeline.publish.view import View, id_bytes
from pipeline.storage import layout
from pipeline.storage.units import Corpus

CHUNK = 1 << 20
_HEAL = "`winnow promote --full` heals it"


def verify_checks(view: View) -> Iterator[Finding]:
    """Repeat on every dump what was checked before it was published (promises 1, 2, 3)."""
    for dump_date in sorted(view.snapshot.dumps):
        for check in CHECKS:
            yield from check(view, dump_date)


def verify_rows(view: View) -> Iterator[Finding]:
    """Published rows are the kept documents, each once, in the declared schema (1, 2, 5)."""
    for dump_date in sorted(view.snapshot.dumps):
        ids = [np.empty(0, "S16")]
        for part in view.state(dump_date).documents:
            for ref in part.files:
                path = view.corpus.store.fetch(ref, view.corpus.scratch)
                if not pq.read_schema(path).equals(DOCUMENTS):
                    yield broken(5, f"{ref.key}: expected the declared schema, found another")
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
    """Every file that the snapshot names exists with its size and hash (5)."""
    for dump_date, ref in sorted(view.snapshot.dumps.items()):
        trouble = _trouble(view.corpus, ref.state.key, ref.state)
        if trouble:
            yield broken(5, trouble)
            continue
        for file in _named(view.state(dump_date)):
            trouble = _trouble(view.corpus, file.key, file)
            if trouble:
                yield broken(5, trouble)


def verify_trees(view: View) -> Iterator[Finding]:
    """The plain trees hold copies of exactly the files of the snapshot (5)."""
    wanted = {
        folder + name: ref
        for dump_date in view.snapshot.dumps
        for folder, leaf in leaves(view.state(dump_date)).items()
        for name, ref in leaf.items()
    }
    present = {
        info.key for table in layout.TABLES for info in view.corpus.store.list(layout.tree(table))
    }
    for key in sorted(present - wanted.keys()):
        remedy = _HEAL if "/dump_date=" in key else "delete it"
        yield broken(5, f"{key}: expected no such object in the tree, found one; {remedy}")
    for key, ref in sorted(wanted.items()):
        trouble = _trouble(view.corpus, key, ref)
        if trouble:
            yield broken(5, f"{trouble}; {_HEAL}")


def _named(state: DumpState) -> list[FileRef]:
    return [
        state.verdicts,
        state.quarantine,
        *state.runs,
        *state.index,
        *(edge.file for edge in state.edges),
        *(file for part in state.documents for file in part.files),
    ]


def _trouble(corpus: Corpus, key: str, ref: FileRef) -> str:
    """Say how the object at `key` differs from `ref`; "" when it does not."""
    digest, size = hashlib.sha256(), 0
    try:
        with corpus.store.open(key) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except (MissingError, CorruptError) as error:
        return f"{key}: expected {ref.size} bytes, found none ({error})"
    if (size, digest.hexdigest()) == (ref.size, ref.sha256):
        return ""
    return (
        f"{key}: expected {ref.size} bytes with sha256 {ref.sha256[:16]}…, found {size} bytes with "
        f"{digest.hexdigest()[:16]}…"
    )
