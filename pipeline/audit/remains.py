"""What is still stored of texts that are taken down.

Holds: `remains`, `Remains`. Reads the signatures of every staged shard, and those files with texts
that may hold one of them; writes nothing.
Not here: erasing it (`runner/erase.py`), which documents tombstones cover (`dedup/taken.py`).

1. Staged shards, of whatever generation: their signatures tell which documents are covered.
2. Files of finished units, and files that nothing names: looked into, unless the current snapshot
   needs them (its checks see to them) or their unit says that it is of another shard or date.
3. Pages about runs: those that name such a document, and those of a night that has one, as they may
   show spans inside it, unless they say that they were made under the same tombstones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.dedup.taken import Tombs, taken_verdicts
from pipeline.dedup.verdicts import split_names
from pipeline.model.files import FileRef
from pipeline.model.id_columns import id_texts
from pipeline.model.manifest import IngestManifest
from pipeline.model.snapshot import Snapshot
from pipeline.publish.erase import stones_in
from pipeline.publish.verify import READING
from pipeline.signature import sign
from pipeline.storage import layout, monthly, tombstones
from pipeline.storage.references import reachable, references
from pipeline.storage.units import Corpus

STAGES: Final = ("annotate", "publish", "quarantine", "ingest", "monthly")
"""Stages whose files hold texts."""

_INGEST: Final = layout.unit("ingest", "").removesuffix(".json")
_ID: Final = re.compile(rb'class="id">([0-9a-f]{32})<')
_CHUNK: Final = 1 << 20
_ROWS: Final = 2048


class Remains(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of what is to be erased, by how; `shards` maps a staged shard to what it holds.

    `unreadable` are objects that could not be looked into.
    """

    shards: dict[str, Any]
    units: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        return {name: len(getattr(self, name)) for name in self.__struct_fields__}

    def __bool__(self) -> bool:
        """Whether there is anything to erase."""
        return bool(self.shards or self.units or self.files or self.pages)


def remains(corpus: Corpus, snapshot: Snapshot, stones: pa.Table) -> Remains:
    """Return what is stored of the texts that tombstones (in force, by id) cover.

    Nothing that `snapshot` needs is among it but staged shards, of which texts can be blanked.
    """
    if not stones.num_rows:
        return Remains(shards={})
    return _Search(corpus, snapshot, stones).found()


class _Search:
    """What was found so far is its mutable state."""

    def __init__(self, corpus: Corpus, snapshot: Snapshot, stones: pa.Table) -> None:
        self.corpus = corpus
        self.tombs = Tombs.of(stones)
        self.mark = tombstones.mark(stones).encode()
        self.needed: dict[str, FileRef] = {}
        reachable(corpus, snapshot, self.needed)
        self.needed |= monthly.needed(corpus, snapshot)
        self.ids: set[str] = set()
        self.dates: set[str] = set()
        self.value_set = pa.array([], pa.string())
        self.covered: set[str] = set()
        self.unreadable: list[str] = []

    def found(self) -> Remains:
        shards = dict(self._shards())
        self.value_set = pa.array(sorted(self.ids), pa.string())
        named: set[str] = set()
        doomed: dict[str, list[str]] = {}
        for key, tree in self._units():
            refs = list(references(tree))
            named |= {ref.key for ref in refs}
            hits = [ref.key for ref in refs if self._may(key, tree, ref) and self._holds(ref.key)]
            if hits:
                doomed[key] = hits
        loose = [
            info.key
            for info in self.corpus.store.list(layout.DATA)
            if info.key not in named and info.key not in self.needed and self._holds(info.key)
        ]
        files = {hit for hits in doomed.values() for hit in hits} | set(loose)
        return Remains(
            shards=shards,
            units=tuple(sorted(doomed)),
            files=tuple(sorted(files)),
            pages=tuple(self._pages()),
            unreadable=tuple(sorted(self.unreadable)),
        )

    def _shards(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield the staged shards that show a covered text, with what is covered in them."""
        for info in self.corpus.store.list(_INGEST):
            try:
                manifest = self.corpus.load(info.key, IngestManifest)
                found = taken_verdicts(self.corpus, [manifest.fingerprint], self.tombs)
                if not len(found.ids):
                    continue
                taken = pa.table(
                    {
                        "document_id": id_texts(found.ids),
                        "tombstone_id": id_texts(split_names(found.witness)[1]),
                    }
                )
                self._note(manifest, taken)
                if stones_in(self.corpus, manifest, taken) != manifest.erased:
                    yield manifest.fingerprint, taken
            except READING:
                self.unreadable.append(info.key)

    def _note(self, manifest: IngestManifest, taken: pa.Table) -> None:
        ids = taken["document_id"]
        self.ids.update(ids.to_pylist())
        self.covered.add(manifest.fingerprint)
        table = self.corpus.read(manifest.documents, columns=["document_id", "dump_file"])
        files = table.filter(pc.is_in(table["document_id"], ids.combine_chunks()))["dump_file"]
        self.dates |= {key.split("/")[1] for key in pc.unique(files).to_pylist() if "/" in key}

    def _units(self) -> Iterator[tuple[str, Any]]:
        for info in self.corpus.store.list(layout.UNITS):
            if _stage(info.key) not in STAGES:
                continue
            try:
                yield info.key, msgspec.json.decode(self.corpus.store.get(info.key)[0])
            except msgspec.DecodeError:
                self.unreadable.append(info.key)

    def _may(self, key: str, tree: Any, ref: FileRef) -> bool:
        """Whether a file of a unit may hold a covered text, as far as the unit tells."""
        if ref.key in self.needed or _stage(key) == "ingest" or not self.ids:
            return False
        if tree.get("shard"):
            return tree["shard"] in self.covered
        if tree.get("month"):
            return tree["month"] in {layout.month_of(date) for date in self.dates}
        return tree.get("dump_date", "") in {"", *self.dates}

    def _holds(self, key: str) -> bool:
        """Whether a file shows a covered text, or a span inside one."""
        if _stage(key) not in STAGES or not key.endswith(".parquet"):
            return False
        path = self.corpus.scratch_file()
        try:
            _download(self.corpus, key, path)
            return self._shows(path)
        except READING:
            self.unreadable.append(key)
            return False
        finally:
            path.unlink(missing_ok=True)

    def _shows(self, path: Path) -> bool:
        with pq.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            shown = next((name for name in ("text", "excerpt") if name in names), None)
            if shown is None or "document_id" not in names:
                return False
            for batch in file.iter_batches(_ROWS, columns=["document_id", shown]):
                hit = pc.is_in(batch["document_id"], self.value_set)
                if pc.any(pc.and_(hit, pc.not_equal(batch[shown], ""))).as_py():
                    return True
                if shown == "text" and self._signed(batch["text"]):
                    return True
        return False

    def _signed(self, texts: pa.Array) -> bool:
        """Whether a text is covered whose id nobody has recorded."""
        signed = sign(texts.filter(pc.not_equal(texts, "")))
        which, _ = self.tombs.cover(signed.content_hash, signed.shingles, signed.minima)
        return bool((which >= 0).any())

    def _pages(self) -> Iterator[str]:
        for info in self.corpus.store.list(layout.REPORTS):
            data, _ = self.corpus.store.get(info.key)
            names = {one.decode() for one in _ID.findall(data)}
            dated = any(f"/dump_date={date}/" in info.key for date in self.dates)
            if names & self.ids or (dated and self.mark not in data):
                yield info.key


def _stage(key: str) -> str:
    return key.split("/")[2]


def _download(corpus: Corpus, key: str, path: Path) -> None:
    with corpus.store.open(key) as source, path.open("wb") as target:
        while chunk := source.read(_CHUNK):
            target.write(chunk)
