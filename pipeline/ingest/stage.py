"""The ingest stage: dump files in, documents, signatures and quarantine out.

Holds: `ingest_shard`, `restage_shard`. Reads the landing store; writes one unit of the corpus.
Not here: reading one file (`reader.py`), rows (`rows.py`), packing shards (`plan/`).
"""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from pipeline import telemetry
from pipeline.errors import ChangedError, ContractError, MissingError
from pipeline.ingest.books import Books
from pipeline.ingest.marks import WHOLE, Section
from pipeline.ingest.pieces import Piece, Span
from pipeline.ingest.reader import Reading, UnreadableError
from pipeline.ingest.rows import ShardWriter
from pipeline.ingest.sections import Sections
from pipeline.ingest.source import PIECE
from pipeline.model.files import DumpFile
from pipeline.model.manifest import FileCounts, IngestManifest
from pipeline.model.plan import Plan, Shard
from pipeline.model.settings import IngestSettings
from pipeline.storage import layout, snapshots, tombstones
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus, encode

STAGE = "ingest"
PROGRESS_BYTES = 256 * 1024 * 1024


class _RestartError(Exception):
    """A file failed after some of its rows were written; begin the shard anew without it."""

    def __init__(self, key: str, error: UnreadableError) -> None:
        super().__init__(key)
        self.key = key
        self.error = error


def ingest_shard(corpus: Corpus, landing: Store, plan: Plan, index: int) -> IngestManifest:
    """Read, split, normalise and sign the files of one shard, unless that is already done.

    A file that cannot be taken is quarantined whole and does not disturb the others.

    Raises:
        TransientError: a store cannot be reached; try the task again.
        ChangedError: a file is gone or is another since the plan; plan again.
        ContractError: the books of a file do not balance; nothing was committed.
    """
    shard = plan.shards[index]
    key = layout.unit(STAGE, shard.fingerprint)
    done = corpus.find(key, IngestManifest)
    if done is not None:
        return restage_shard(corpus, landing, plan, index) if _is_stale(corpus, done) else done
    return corpus.finish(key, _staged(corpus, landing, plan, shard))


def restage_shard(corpus: Corpus, landing: Store, plan: Plan, index: int) -> IngestManifest:
    """Read a shard again whose texts were erased, in part, and put it in the place of the unit.

    Raises:
        TransientError, ChangedError, ContractError: see `ingest_shard`; or its signatures are no
            longer the same, so that a new run is wanted.
    """
    shard = plan.shards[index]
    key = layout.unit(STAGE, shard.fingerprint)
    done, again = corpus.load(key, IngestManifest), _staged(corpus, landing, plan, shard)
    if again.signatures.sha256 != done.signatures.sha256:
        raise ContractError(
            f"shard {shard.fingerprint} of dump {plan.dump_date}: expected the documents that were "
            "staged before, found others: another version of Winnow split them. Go back to that "
            "version, or change a setting of ingest, so that the night is read anew."
        )
    corpus.store.put(key, encode(again))
    return again


def _is_stale(corpus: Corpus, done: IngestManifest) -> bool:
    """Say whether texts of a unit are erased for a tombstone that is not in force any more."""
    if not done.erased:
        return False
    stones = tombstones.active(tombstones.load(corpus, snapshots.current(corpus)))
    return not set(done.erased) <= set(stones["tombstone_id"].to_pylist())


def _staged(corpus: Corpus, landing: Store, plan: Plan, shard: Shard) -> IngestManifest:
    keys = {"run_id": plan.run_id, "dump_date": plan.dump_date, "shard": shard.index}
    with telemetry.stage(STAGE, **keys) as span:
        manifest = _build(corpus, landing, shard, settings=plan.settings.ingest)
        span.update(_summary(manifest))
    return manifest


def _build(
    corpus: Corpus, landing: Store, shard: Shard, *, settings: IngestSettings
) -> IngestManifest:
    refused: dict[str, UnreadableError] = {}
    while True:
        task = _Task(corpus, landing, shard, settings=settings, refused=refused)
        try:
            counts = tuple(task.take(file) for file in shard.files)
            files: dict[str, Any] = task.writer.finish()
        except _RestartError as restart:
            refused[restart.key] = restart.error
        else:
            return IngestManifest(
                fingerprint=shard.fingerprint,
                files=counts,
                **files,
            )
        finally:
            task.writer.discard()


class _Task:
    """One attempt at a shard; `refused`: the files that an earlier attempt found unreadable."""

    def __init__(
        self,
        corpus: Corpus,
        landing: Store,
        shard: Shard,
        *,
        settings: IngestSettings,
        refused: dict[str, UnreadableError],
    ) -> None:
        self.writer = ShardWriter(corpus, shard.fingerprint, batch_bytes=settings.batch_bytes)
        self._corpus = corpus
        self._landing = landing
        self._shard = shard
        self._settings = settings
        self._refused = refused
        self._progress = 0

    def take(self, file: DumpFile) -> FileCounts:
        """Write the rows of one file and return its books.

        Only what the bytes themselves are unreadable for is quarantined. A file that is gone or
        changed since the plan fails the task: its shard is named by the ETag of the plan, and a
        note of the moment must not be found under that name when the object is back.
        """
        mark = self.writer.mark()
        try:
            if file.key in self._refused:
                raise self._refused[file.key]
            return self._read(file)
        except UnreadableError as error:
            if not self.writer.take_back(mark):
                raise _RestartError(file.key, error) from error
            return self._refuse(file, error)
        except (ChangedError, MissingError) as error:
            raise ChangedError(
                f"{file.key}: expected the object that the plan froze (ETag {file.etag}), found it "
                f"changed or gone: {error} Plan the night again: `winnow run --dump-date "
                f"{file.dump_date}`, or clear the whole run in Airflow."
            ) from error

    def _read(self, file: DumpFile) -> FileCounts:
        section = self._section(file)
        if section is None:
            return Books(file).nothing()
        books = Books(file)
        start = section.begin.stored - section.begin.stored % PIECE
        with self._landing.open(file.key, etag=file.etag, start=start) as stream:
            watched = cast("BinaryIO", _Watched(stream, self, file.key))
            reading = Reading(
                watched,
                self._settings,
                size=file.size,
                section=section,
                open_at=lambda start: self._landing.open(file.key, etag=file.etag, start=start),
            )
            for piece in reading:
                books.count(piece)
                self.writer.add(file, piece)
        return books.close(reading)

    def _section(self, file: DumpFile) -> Section | None:
        if self._shard.sections == 1:
            return WHOLE
        sections = Sections(self._corpus, self._landing, file, settings=self._settings)
        return sections.find(self._shard.section, self._shard.sections)

    def _refuse(self, file: DumpFile, error: UnreadableError) -> FileCounts:
        """Quarantine a whole file with one row."""
        unread = 0 if error.reason == "empty" else file.size
        piece = Piece(
            span=Span(0, 0, 0, 0),
            kind="quarantine",
            reason=error.reason,
            detail=error.detail,
            stored_bytes=unread,
        )
        self.writer.add(file, piece)
        books = Books(file)
        books.count(piece)
        return books.refuse(unread)

    def progress(self, size: int, key: str) -> None:
        """Say every 256 MB that the task is alive, and where."""
        before = self._progress // PROGRESS_BYTES
        self._progress += size
        telemetry.note(read_bytes=self._progress)
        if self._progress // PROGRESS_BYTES > before:
            telemetry.log.info("ingest.progress", read_bytes=self._progress, file=key)


class _Watched:
    """A stream that reports what is read from it."""

    def __init__(self, stream: BinaryIO, task: _Task, key: str) -> None:
        self._stream = stream
        self._task = task
        self._key = key

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._task.progress(len(data), self._key)
        return data


def _summary(manifest: IngestManifest) -> dict[str, int]:
    """Add up the books for the task's one line."""
    names = ("stored_bytes", "unread_bytes", "chars", "documents", "furniture", "quarantine")
    totals = {name: sum(getattr(file, name) for file in manifest.files) for name in names}
    return {"files": len(manifest.files), **totals}
