"""Nothing is lost: whatever the bytes, the pieces tile the text and the books balance."""

from __future__ import annotations

import bz2
import gzip
import lzma
from itertools import pairwise

import pytest
import zstandard
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.ingest import normalise
from pipeline.ingest.insets import without
from pipeline.ingest.pages import text_pieces
from pipeline.ingest.pieces import Piece, inside
from pipeline.ingest.reader import UnreadableError
from pipeline.ingest.splitters import resolve
from pipeline.model.settings import IngestSettings
from tests.reading import read_whole

PACK = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
RECORDS = [b'{"text": "record %d has a text of its own", "id": %d}\n' % (i, i) for i in range(60)]
TEXT = st.text(st.sampled_from('ab {}":,[]\n\r\t\0\ufeffé世🙂\u0301\ud7ff'), max_size=200)
CHUNKS = st.sampled_from(
    [b'{"text": "a"}\n', b'{"text": "', b'"}\n', b"\n", b"\n\n", b"\xff", b"\xe4\xb8", b"words ",
     b"\0", b"[[[", b"\xef\xbb\xbf", "世界".encode(), b"\x1f\x8b\x08", b"\r\n", b"x" * 300],
)  # fmt: skip
SETTINGS = st.builds(
    IngestSettings,
    splitter=st.sampled_from(["none", "page"]),
    split_records=st.booleans(),
    max_page_chars=st.sampled_from([1, 7, 100, 1 << 20]),
    max_record_bytes=st.sampled_from([1, 20, 200, 1 << 20]),
)


def _check(stored: bytes, options: IngestSettings) -> list[Piece]:
    """Read a file, close its books, and assert that the spans tile it exactly."""
    pieces = read_whole(stored, options)
    for piece in pieces:
        bounds = sorted(
            (one.span.char_start, one.span.char_end)
            for one in inside(piece)
            if one.part_start is None
        )
        assert all(start < end for start, end in bounds)
        assert all(first[1] <= second[0] for first, second in pairwise(bounds))
        assert all(piece.span.char_start <= start for start, _ in bounds[:1])
        assert all(end <= piece.span.char_end for _, end in bounds[-1:])
        assert 1 <= piece.span.line_start <= piece.span.line_end
        assert bool(piece.text) == (piece.kind == "document")
        assert bool(piece.reason) == (piece.kind != "document")
        (piece.text + (piece.title or "") + piece.excerpt + piece.detail).encode()
    return pieces


@given(stored=st.binary(max_size=400), options=SETTINGS)
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_read_or_refused(stored: bytes, options: IngestSettings) -> None:
    """No bytes make ingest fail in any other way than by refusing the file."""
    try:
        _check(stored, options)
    except UnreadableError as error:
        assert error.reason  # noqa: PT017 - either outcome is right


@given(chunks=st.lists(CHUNKS, max_size=30), codec=st.sampled_from(sorted(PACK)), options=SETTINGS)
@settings(max_examples=300, deadline=None)
def test_hostile_files_are_read_or_refused(
    chunks: list[bytes], codec: str, options: IngestSettings
) -> None:
    """Mixtures of records, text, marks and wrong bytes always balance, in every codec."""
    try:
        _check(PACK[codec](b"".join(chunks)), options)
    except UnreadableError as error:
        assert error.reason  # noqa: PT017 - either outcome is right


@given(text=TEXT, options=SETTINGS, encoding=st.sampled_from(["utf-8", "utf-16", "utf-32"]))
@settings(max_examples=200, deadline=None)
def test_valid_text_is_tiled_in_every_encoding(
    text: str, options: IngestSettings, encoding: str
) -> None:
    """Text that can be decoded has as many characters as Python says, mark included."""
    text = text.lstrip("\0")  # a UTF-16 mark with NUL behind it is a UTF-32 mark
    assume(encoding != "utf-8" or text.count("\0") <= len(text) // 20)  # may be UTF-16
    mark = "" if encoding == "utf-8" else "\ufeff"
    stored = text.encode(encoding)
    try:
        pieces = _check(stored, options)
    except UnreadableError as error:
        assert error.reason in {"empty", "unsupported_format"}  # noqa: PT017 - many NULs
    else:
        assert sum(p.span.char_end - p.span.char_start for p in pieces) == len(mark + text)


@given(data=st.data(), codec=st.sampled_from(sorted(PACK)))
@settings(max_examples=200, deadline=None)
def test_truncation_loses_no_good_record(data: st.DataObject, codec: str) -> None:
    """A file cut anywhere gives the first records, whole, and a reason for the rest."""
    stored = PACK[codec](b"".join(RECORDS))
    cut = data.draw(st.integers(10, len(stored)))
    try:
        pieces = _check(stored[:cut], IngestSettings(splitter="none"))
    except UnreadableError as error:
        assert (codec != "plain", error.reason) == (True, "truncated_stream")  # noqa: PT017
        return
    texts = [piece.text for piece in pieces if piece.kind == "document"]
    assert texts == [f"record {i} has a text of its own" for i in range(len(texts))]
    if codec == "plain":
        whole = b"".join(RECORDS)[:cut].count(b"}")
        assert len(texts) == whole
    else:
        reasons = [piece.reason for piece in pieces if piece.kind == "quarantine"]
        assert ("truncated_stream" in reasons) == (cut < len(stored))


@given(data=st.data(), codec=st.sampled_from(["gzip", "zstd", "bz2", "xz"]))
@settings(max_examples=150, deadline=None)
def test_a_changed_byte_never_breaks_the_books(data: st.DataObject, codec: str) -> None:
    """Wherever a stored byte is wrong, every byte and character is still accounted for."""
    stored = bytearray(PACK[codec](b"".join(RECORDS)))
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    try:
        _check(bytes(stored), IngestSettings(splitter="none"))
    except UnreadableError as error:
        assert error.reason  # noqa: PT017 - either outcome is right


LINES = st.sampled_from(
    ["a_1.jpg", "b.png", "The mayor opens the lock.", "Photo: the mayor at the lock", "", " ", "x",
     "The mayor opens the lock while the harbour master and the whole town look on in the rain.",
     "Salt is made in flat pans on the coast, where the sun and the wind take up the water. " * 2,
     "caf\udce9.jpg", "caf\udce9", "\x07", "\u3000市长讲话。张三 摄", "\ufeff", "Row, row"],
)  # fmt: skip


@given(lines=st.lists(LINES, max_size=30), end=st.sampled_from(["\n", "\r\n", "\n\n"]),
       options=SETTINGS)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_the_text_can_be_put_together_again(
    lines: list[str], end: str, options: IngestSettings
) -> None:
    """A document's characters without its insets are its text; with them, what the file says."""
    page = end.join(lines)
    try:
        pieces = _check(page.encode("utf-8", "surrogateescape"), options)
    except UnreadableError as error:
        assert error.reason in {"empty", "undecodable"}  # noqa: PT017 - either outcome is right
        return
    for piece in pieces:
        if piece.encoding != "utf-8" or piece.kind != "document":
            continue
        start, stop = piece.span.char_start, piece.span.char_end
        raw = normalise.without_surrogates(page[start:stop])
        assert normalise.text(without(raw, piece.insets, start=start)) == piece.text
        gone = [page[one.span.char_start : one.span.char_end] for one in piece.insets]
        assert all(line.strip() and "\n" not in line.strip() for line in gone)


@given(text=TEXT, sizes=st.integers(1, 50), limit=st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_pages_join_to_the_text(text: str, sizes: int, limit: int) -> None:
    """Cutting pages loses nothing, keeps the limit, and does not depend on the blocks."""
    blocks = [text[at : at + sizes] for at in range(0, len(text), sizes)]
    options = IngestSettings(max_page_chars=limit)
    found = list(text_pieces(blocks, options, splitter=resolve("none")))
    spans = [(piece.span.char_start, piece.span.char_end) for piece in found]
    assert "".join(text[start:stop] for start, stop in spans) == text
    assert all(0 < stop - start <= limit for start, stop in spans)
    assert found == list(text_pieces([text], options, splitter=resolve("none")))


@given(text=st.text(max_size=80) | TEXT)
@settings(max_examples=300, deadline=None)
def test_normalising_twice_changes_nothing(text: str) -> None:
    """Published text is its own published form."""
    once = normalise.text(normalise.without_surrogates(text))
    assert normalise.text(once) == once


@pytest.mark.parametrize("codec", sorted(PACK))
def test_records_survive_every_codec(codec: str) -> None:
    """All records of a whole file are documents, in order."""
    pieces = _check(PACK[codec](b"".join(RECORDS)), IngestSettings())
    assert [piece.external_id for piece in pieces] == [str(i) for i in range(len(RECORDS))]
