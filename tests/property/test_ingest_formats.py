"""Nothing is lost in any format: whatever bytes are changed, the books balance."""

from __future__ import annotations

import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.books import Books
from pipeline.ingest.reader import Reading, UnreadableError
from pipeline.model.files import DumpFile
from pipeline.model.settings import IngestSettings
from tests.bad_inputs import make

WIKI = (make.WIKI + make.wiki(1) + make.wiki(2) + make.wiki(3, "#x [[a|b]] {{c}}")).encode()
TABLE = b"id,text\n" + b"".join(b'%d,"some ""words"", more"\n' % n for n in range(6))
RECORDS = [{"text": make.story(n), "c": [{"text": "a"}, {}]} for n in range(4)]
JSON = json.dumps(RECORDS).encode()
FILES = {
    "warc": b"".join([make.wet(1), make.response(make.page(2)), make.wet(3)]),
    "warc.gz": b"".join(make.members([make.wet(1), make.wet(2), make.wet(3)])),
    "mail": make.box(make.mail(1), make.mail(2), make.mail(3)),
    "wiki": WIKI,
    "json": json.dumps(RECORDS).encode(),
    "json, indented": json.dumps(RECORDS, indent=1).encode(),
    "json.gz": b"".join(make.members([JSON[:99], JSON[99:250], JSON[250:]])),
    "csv": TABLE,
    "csv.gz": b"".join(make.members([TABLE, TABLE[8:], TABLE[8:]])),
    "parquet": make.parquet({"text": ["one word", "two words", "three"], "id": [1, 2, 3]}),
    "zip": make.zipped([("a.jsonl", make.lines(3)), ("b.csv", TABLE), ("c", b"text")]),
    "zip.stored": make.zipped([("a.jsonl", make.lines(3)), ("b.csv", TABLE)], stored=True),
    "tar": make.tarred([("a.jsonl", make.lines(3)), ("b.gz", gzip.compress(TABLE)), ("c", b"x")]),
    "zst": b"".join(make.frames([make.lines(9), make.lines(9)])),
}
SETTINGS = IngestSettings(splitter="none", max_record_bytes=20_000)


def _check(stored: bytes) -> None:
    reading = Reading(io.BytesIO(stored), SETTINGS, size=len(stored))
    books = Books(DumpFile("s", "2026-11-21", "s/2026-11-21/a", "e", len(stored)))
    edge = unread = 0
    for piece in reading:
        books.count(piece)
        assert piece.span.char_start == edge
        edge = piece.span.char_end
        unread += piece.stored_bytes
        assert 1 <= piece.span.line_start <= piece.span.line_end
        assert bool(piece.text) == (piece.kind == "document")
        assert bool(piece.reason) == (piece.kind != "document")
        assert all(edge >= span.char_end > span.char_start for span in piece.inner)
        (piece.text + (piece.title or "") + piece.excerpt + piece.detail).encode()
    counts = books.close(reading)
    assert (counts.balanced, counts.chars, counts.unread_bytes) == (True, edge, unread)


@pytest.mark.parametrize("name", sorted(FILES))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_changed_bytes_never_break_the_books(name: str, data: st.DataObject) -> None:
    """Bytes overwritten, taken out, put in or cut off cost rows, never an error or the books."""
    stored = FILES[name]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(stored) - 1)))
        gone = data.draw(st.integers(0, 40))
        new = data.draw(st.binary(max_size=40))
        stored = stored[:at] + new + stored[at + gone :]
    if data.draw(st.booleans()):
        stored = stored[: data.draw(st.integers(0, len(stored)))]
    try:
        _check(stored)
    except UnreadableError as error:
        assert error.reason  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("name", sorted(FILES))
def test_whole_files_are_read(name: str) -> None:
    """The files that are broken above are right before."""
    reading = Reading(io.BytesIO(FILES[name]), SETTINGS, size=len(FILES[name]))
    pieces = list(reading)
    assert "quarantine" not in {piece.kind for piece in pieces}
    assert sum(piece.kind == "document" for piece in pieces) >= 3
