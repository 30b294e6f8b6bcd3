"""What ingest would make of a file, without a corpus: the core of `winnow split`.

Holds: `segments`. Reads a local file or a stream; writes a temporary file alone.
Not here: printing (`cli`). The pieces come from the same `Reading` that ingest uses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

import msgspec
import zstandard

from pipeline.errors import MissingError
from pipeline.ingest.pieces import Piece, Span, inside
from pipeline.ingest.reader import Reading, UnreadableError
from pipeline.model.settings import IngestSettings

_HELD: Final = 1 << 24


def segments(
    source: Path | BinaryIO, settings: IngestSettings, *, name: str | None = None
) -> Iterator[dict[str, object]]:
    """Yield one row a segment; together they tile the decoded text, in order.

    Undecodable bytes and furniture inside a document are listed under `inner`. A file that cannot
    be taken gives one row of kind `quarantine` with an empty span and lines 0 to 0.

    Args:
        source: a path, or a stream of stored bytes.
        settings: as ingest would have them.
        name: what to call the file in the rows; the path when None.

    Raises:
        MissingError: no such file.
    """
    if not isinstance(source, Path):
        yield from _rows(name or "-", Reading(source, settings, size=0))
        return
    try:
        with source.open("rb") as stream:
            size, at = source.stat().st_size, partial(_open_at, source)
            reading = Reading(stream, settings, size=size, open_at=at)
            yield from _rows(name or str(source), reading)
    except (FileNotFoundError, IsADirectoryError) as error:
        message = f"expected a file at {source}, found none. Check the path."
        raise MissingError(message) from error


def _open_at(path: Path, start: int) -> BinaryIO:
    stream = path.open("rb")
    stream.seek(start)
    return stream


def _rows(name: str, reading: Reading) -> Iterator[dict[str, object]]:
    """Hold the rows back until the end: only then is it known whether the file can be taken.

    There may be a row for every ten bytes of a file, so many are held packed and outside of memory.
    """
    with SpooledTemporaryFile(_HELD) as held:
        stream = cast("BinaryIO", held)
        try:
            with zstandard.open(stream, "wb", closefd=False) as packed:
                for piece in reading:
                    packed.write(msgspec.json.encode(_row(piece)) + b"\n")
        except UnreadableError as error:
            whole = Piece(
                span=Span(0, 0, 0, 0), kind="quarantine", reason=error.reason, detail=error.detail
            )
            yield {"file": name, **_row(whole)}
            return
        held.seek(0)
        with zstandard.open(stream, "rt", encoding="utf-8", newline="\n", closefd=False) as rows:
            for row in rows:
                yield {"file": name, **msgspec.json.decode(row)}


def _row(piece: Piece) -> dict[str, object]:
    return {
        "kind": piece.kind,
        **_place(piece.span),
        "title": piece.title,
        "byline": piece.byline,
        "published": piece.published.isoformat() if piece.published else None,
        "published_rule": piece.published_rule,
        "part_start": piece.part_start,
        "part_end": piece.part_end,
        "reason": piece.reason,
        "detail": piece.detail,
        "score": piece.score,
        "inner": [{**_place(inner.span), "reason": inner.reason} for inner in inside(piece)],
    }


def _place(span: Span) -> dict[str, object]:
    return {
        "line_start": span.line_start,
        "line_end": span.line_end,
        "char_start": span.char_start,
        "char_end": span.char_end,
    }
