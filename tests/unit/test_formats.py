"""What a file is, by its bytes; how bytes become characters."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.decode import TextDecoder
from pipeline.ingest.encodings import encoding_of
from pipeline.ingest.formats import binary_kind, container_kind, looks_like_jsonl
from pipeline.ingest.pieces import Span, bad_spans


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.txt"), "text inside an archive")
    return out.getvalue()


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("a.txt")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"text"))
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"text": ["one"]}), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x05\x06" + bytes(18), "an empty zip archive"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG image"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a WebP image"),
        ("no mark at all".encode("utf-16-le"), None),
        (bytes(100), "binary data"),
        (b"plain text", None),
        (b'{\n  "text": "a"\n}\n', None),
        (b'{"text": "a"}\n' + bytes(100), None),
        (b"RIFF is a word too", None),
        ("with a mark".encode("utf-16"), None),
        (b"one NUL \0 among many other characters of a text", None),
    ],
)
def test_binary_files_are_named(head: bytes, kind: str | None) -> None:
    """A file without text is told from text, and named for the operator."""
    assert binary_kind(head) == kind


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (_zip(), "zip"),
        (_tar(), "tar"),
        (_parquet(), "parquet"),
        (b"WARC/1.1\r\nWARC-Type: warcinfo\r\n", "warc"),
        (b"PARTS of a text", ""),
        (b"A page about\r\nWARC/1.0 files", ""),
    ],
)
def test_formats_of_records_are_known_by_their_bytes(head: bytes, kind: str) -> None:
    """No name is looked at."""
    assert container_kind(head) == kind


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-be", "utf-8"]
)
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    """Text with a mark is decoded as the mark says, and the mark is one character."""
    text = "Grüße, 世界 🙂\n"
    marked = ("\ufeff" + text).encode(encoding.removesuffix("-sig"))
    stored = text.encode(encoding) if encoding in {"utf-16", "utf-32"} else marked
    decoder = TextDecoder([stored[:5], stored[5:]], encoding_of(stored))
    assert "".join(decoder) == "\ufeff" + text
    assert (decoder.chars, decoder.bad) == (len(text) + 1, 0)


@pytest.mark.parametrize(
    ("head", "complete", "expected"),
    [
        ('{"text": "a"}\n', True, True),
        ('\n \n{"text": "a"}', True, True),
        ("{}\n", True, True),
        ('{"text": "a"}', False, True),
        ('{"text": "cut in the mid', True, True),
        ('broken line\n{"text": "a"}\n', True, True),
        ('broken line\n{"text": "a"}', False, False),
        ('{ "a\\"b" : 1', False, True),
        ("{curly} prose\nmore prose\n", True, False),
        ('["text"]\n["text"]\n', True, False),
        ("A title\n\nA text.\n", True, False),
        ("", True, False),
        ("prose\n" * 20 + '{"text": "a"}\n', True, False),
        ('{"a":' + "[" * 100_000 + "\n", True, True),
        ("x\n" + "{" * 100_000 + "\n", True, False),
    ],
)
def test_json_lines_are_told_from_text(head: str, *, complete: bool, expected: bool) -> None:
    """The first lines decide, and one broken line does not turn records into text."""
    assert looks_like_jsonl(head, complete=complete) is expected


def test_a_record_longer_than_the_first_block_is_json() -> None:
    """The beginning of an object is enough when its line does not end in the block."""
    assert looks_like_jsonl(json.dumps({"text": "x" * 1000})[:500], complete=False)


@pytest.mark.parametrize(
    ("encoding", "stored", "bad"),
    [
        ("utf-8", b"a\xffb", ["\udcff"]),
        ("utf-8", b"a\xe4\xb8b", ["\udce4\udcb8"]),
        ("utf-8", b"a\xe4\xb8", ["\udce4\udcb8"]),
        ("utf-8", b"\xff\xfe\n\xfd", ["\udcff\udcfe", "\udcfd"]),
        ("utf-8", b"\xed\xa0\x80", ["\udced\udca0\udc80"]),
        ("utf-16-le", b"a\0\0\xd8b\0", ["\udc00\udcd8"]),
        ("utf-16-le", b"a\0b", ["\udc62"]),
        ("utf-32-le", b"a\0\0\0\xff\xff\xff\xff", ["\udcff" * 4]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_undecodable_bytes_are_one_character_each(
    encoding: str, stored: bytes, bad: list[str], size: int
) -> None:
    """Wrong bytes are kept and counted one by one, however the blocks are cut."""
    blocks = [stored[at : at + size] for at in range(0, len(stored), size)]
    decoder = TextDecoder(blocks, encoding)
    text = "".join(decoder)
    spans = bad_spans(text, 0, 1)
    assert [text[span.char_start : span.char_end] for span in spans] == bad
    assert decoder.bad == sum(map(len, bad))
    assert decoder.chars == len(text)


def test_bad_runs_know_their_lines() -> None:
    """The place of a bad run counts the lines before it."""
    assert bad_spans("a\n\udcff\n\nb\udcfe\udcfd", 10, 5) == (
        Span(12, 13, 6, 6),
        Span(16, 18, 8, 8),
    )


def test_bad_runs_of_a_document_are_few_and_cover_all() -> None:
    """Of many runs those that are near make one span; then those that follow each other do."""
    near = "\udcff and " * 5000
    assert bad_spans(near, 7, 1) == (Span(7, 7 + len(near) - 5, 1, 1),)
    far = ("\udcff" + "x" * 50 + "\n") * 5000
    spans = bad_spans(far, 0, 1)
    assert len(spans) == 100
    assert (spans[0].char_start, spans[0].line_start) == (0, 1)
    assert (spans[1].char_start, spans[1].line_start) == (50 * 52, 51)
    assert spans[-1].char_end == len(far) - 51
    assert spans[-1].line_end == 5000
