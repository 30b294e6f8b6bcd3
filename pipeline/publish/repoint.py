"""Bringing back the pointer to the current snapshot when it is lost or damaged.

Holds: `repoint`. Reads the stored snapshots; writes `store/current.json`.
Not here: moving the pointer in the ordinary way (`storage/snapshots.py`).

Every stored snapshot passed all checks before its run tried to make it current. So the newest one
is a sound state, even if its run died, or lost to another, just before the pointer moved: a night
that it does not hold is due and is published again. Of several with one number, that which the
plain trees show is taken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress

from pipeline.errors import CorruptError, MissingError
from pipeline.model.files import FileRef
from pipeline.model.snapshot import Pointer, Snapshot
from pipeline.publish.leaves import shows
from pipeline.publish.trees import shown
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus, decode, encode


def repoint(corpus: Corpus) -> Snapshot | None:
    """Point to the newest sound snapshot if the pointer leads nowhere; return it, else None.

    Raises:
        CorruptError: the pointer is lost and no stored snapshot is sound.
        ConflictError: somebody else wrote the pointer meanwhile.
    """
    with suppress(CorruptError, MissingError):
        snapshots.current(corpus)
        return None
    found = next(_sound(corpus), None)
    if found is None:
        raise CorruptError(
            f"{layout.SNAPSHOTS}: expected a sound snapshot to point to, found none. Restore "
            f"{layout.CURRENT} and {layout.SNAPSHOTS} from a backup or bucket versions."
        )
    ref, snapshot = found
    info = corpus.store.stat(layout.CURRENT)
    corpus.store.put(
        layout.CURRENT,
        encode(Pointer(sequence=snapshot.sequence, snapshot=ref, run_id=snapshot.run_id)),
        if_absent=info is None,
        if_match=info.etag if info else None,
    )
    return snapshot


def _sound(corpus: Corpus) -> Iterator[tuple[FileRef, Snapshot]]:
    """Yield the stored snapshots whose bytes are right: newest first, shown ones before others."""
    trees = shown(corpus)
    found = []
    for info in corpus.store.list(layout.SNAPSHOTS):
        data, _ = corpus.store.get(info.key)
        digest = hashlib.sha256(data).hexdigest()
        if layout.names_bytes(info.key, digest):
            snapshot = decode(info.key, data, Snapshot)
            is_shown = shows(snapshot) == trees
            ref = FileRef(info.key, digest, len(data), 0)
            found.append(((snapshot.sequence, is_shown, info.key), ref, snapshot))
    for _, ref, snapshot in sorted(found, key=lambda one: one[0], reverse=True):
        yield ref, snapshot
