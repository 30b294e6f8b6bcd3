"""Which files a stored JSON value names, and what a snapshot can reach through them.

Holds: `references`, `units`, `reachable`. Reads snapshots, states and manifests of the corpus.
Not here: whether the files are sound (`publish/verify.py`), deleting others (`publish/expire.py`).

Values are walked as plain JSON: a file that some future manifest names is found without a change
here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.model.files import FileRef
from pipeline.model.snapshot import Snapshot
from pipeline.storage import layout
from pipeline.storage.units import Corpus, decode


def references(tree: Any) -> Iterator[FileRef]:
    """Yield every file reference inside a JSON value."""
    if isinstance(tree, list):
        for one in tree:
            yield from references(one)
    elif isinstance(tree, dict):
        try:
            yield msgspec.convert(tree, FileRef)
        except msgspec.ValidationError:
            yield from references(list(tree.values()))


def units(corpus: Corpus) -> Iterator[tuple[str, list[FileRef] | None]]:
    """Yield each unit's manifest key and the files that it names; None when it is illegible."""
    for info in corpus.store.list(layout.UNITS):
        try:
            tree = msgspec.json.decode(corpus.store.get(info.key)[0])
        except msgspec.DecodeError:
            yield info.key, None
        else:
            yield info.key, list(references(tree))


def reachable(corpus: Corpus, snapshot: Snapshot, known: dict[str, FileRef]) -> None:
    """Add to `known` every object that a snapshot needs, by key.

    What is in `known` already is not opened again: neighbouring snapshots share most states.

    Raises:
        MissingError: a state or a manifest that must be there is not.
        CorruptError: one of them is no JSON.
    """
    open_ = [dump.state for dump in snapshot.dumps.values()]
    if snapshot.tombstones:
        known[snapshot.tombstones.key] = snapshot.tombstones
    while open_:
        ref = open_.pop()
        if ref.key in known:
            continue
        known[ref.key] = ref
        if ref.key.endswith(".json"):
            open_ += _named(corpus, ref.key)


def _named(corpus: Corpus, key: str) -> Iterator[FileRef]:
    """Yield what a state or manifest names; old states name their shards by fingerprint alone."""
    tree = decode(key, corpus.store.get(key)[0], dict[str, Any])
    yield from references(tree)
    for shard in tree.get("shards", ()) if key.startswith(layout.STATES) else ():
        yield FileRef(layout.unit("ingest", shard), "", 0, 0)
