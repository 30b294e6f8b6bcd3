"""From stored bytes to pieces: every reason, every span, for text and for JSON lines."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import tracemalloc
from pathlib import Path

import pytest

from pipeline.errors import ConfigError, MissingError
from pipeline.ingest.inspect import segments
from pipeline.ingest.pages import text_pieces
from pipeline.ingest.pieces import Piece, Span
from pipeline.ingest.reader import Reading, UnreadableError
from pipeline.ingest.splitters import resolve
from pipeline.model.settings import IngestSettings
from tests.reading import read_whole

WHOLE = IngestSettings(splitter="none")
GOOD = b'{"text": "a good record"}\n'


def _gzip(data: bytes) -> bytes:
    """Compress without a time stamp: parametrised tests must be called alike in every worker."""
    return gzip.compress(data, mtime=0)


def _read(stored: bytes, settings: IngestSettings = WHOLE) -> tuple[list[Piece], Reading]:
    reading = Reading(io.BytesIO(stored), settings, size=len(stored))
    return list(reading), reading


def _kinds(pieces: list[Piece]) -> list[tuple[str, str]]:
    return [(piece.kind, piece.reason) for piece in pieces]


DEEP = '{"text": "a", "deep": ' + "[" * 5000 + "]" * 5000 + "}"


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        ('{"text": "a"}', "document", ""),
        ('{"text": "a"', "quarantine", "invalid_json"),
        ("not json", "quarantine", "invalid_json"),
        ('\ufeff{"text": "a"},', "document", ""),
        ('["text"]', "quarantine", "not_an_object"),
        ("12", "quarantine", "not_an_object"),
        ('{"body": "a"}', "quarantine", "missing_text"),
        ('{"body\\ud800": "a"}', "quarantine", "missing_text"),
        ('{"text": null}', "quarantine", "wrong_type"),
        ('{"text": 5}', "quarantine", "wrong_type"),
        ('{"text": ["a"]}', "quarantine", "wrong_type"),
        ('{"text": ""}', "quarantine", "empty_text"),
        ('{"text": " \\n\\u0000 "}', "quarantine", "empty_text"),
        (DEEP, "quarantine", "too_deep"),
        ('{"text": "' + "x" * 20_000 + '"}', "quarantine", "record_too_long"),
        ('{"text": "' + "世" * 4_000 + '"}', "quarantine", "record_too_long"),
        ("   ", "furniture", "blank_line"),
        ('{"text": "a", "n": NaN, "n": 1e999}', "document", ""),
    ],
)
def test_each_line_has_its_reason(line: str, kind: str, reason: str) -> None:
    """A line is a document or says why not, and the good records around it are untouched."""
    stored = GOOD + line.encode("utf-8", "surrogatepass") + b"\n" + GOOD
    pieces, reading = _read(stored, IngestSettings(max_record_bytes=11_000))
    assert _kinds(pieces) == [("document", ""), (kind, reason), ("document", "")]
    assert reading.format == "jsonl"
    assert pieces[1].span == Span(len(GOOD), len(GOOD) + len(line) + 1, 2, 2)
    assert bool(pieces[1].detail) == (kind == "quarantine")


@pytest.mark.parametrize("between", ["", " ", "x"])
def test_a_broken_line_end_costs_neither_record(between: str) -> None:
    """Two records on one line are two documents: the byte between them was a line end once."""
    line = f'{{"text": "a"}}{between}{{"text": "b"}}'
    pieces, _ = _read(GOOD + line.encode() + b"\n" + GOOD)
    assert [piece.text for piece in pieces if piece.kind == "document"][1:3] == ["a", "b"]


@pytest.mark.parametrize("limit", [60, 1 << 20])
def test_record_spans_are_their_lines(limit: int) -> None:
    """The characters of a record are its line with its newline, whatever stands around it."""
    lines = [
        "\ufeff",
        GOOD.decode(),
        "\n",
        " \n",
        '{"text": "Grüße 世界 🙂"}\n',
        "oops\u2028\x85\n",
    ]
    lines += ['{"text": "' + "z" * 100 + '"}\n', '{"text": "last, without newline"}']
    text = "".join(lines)
    pieces, reading = _read(text.encode(), IngestSettings(max_record_bytes=limit))
    slices = [text[piece.span.char_start : piece.span.char_end] for piece in pieces]
    assert slices == ["\ufeff", lines[1], "\n \n", *lines[4:]]
    assert [(piece.span.line_start, piece.span.line_end) for piece in pieces] == [
        (1, 1), (1, 1), (2, 3), (4, 4), (5, 5), (6, 6), (7, 7),
    ]  # fmt: skip
    assert reading.chars == len(text)


def test_optional_fields_are_kept_when_they_have_their_type() -> None:
    """Known fields become columns; of a wrong type they are absent, and the text is not lost."""
    records = [
        {"text": "a", "id": 7, "url": " http://x/ ", "title": " A\n b ", "date": "2026-01-02T03"},
        {
            "text": "b",
            "id": "x",
            "published": "soon",
            "published_at": "2026-01-03",
            "author": ["Ann"],
            "byline": " by Ann\n Lee",
        },
        {"text": "c", "id": [1], "url": 5, "title": {"a": 1}, "date": 20260101, "author": "Lee"},
        {"text": "d", "id": 10**40, "id2": 1},
        {"text": "e", "id": True, "extra": {"text": 1}},
    ]
    stored = "\n".join(json.dumps(record) for record in records).encode()
    found = [
        (piece.text, piece.external_id, piece.url, piece.title, piece.published, piece.byline)
        for piece in _read(stored)[0]
    ]
    assert found == [
        ("a", "7", "http://x/", "A b", dt.date(2026, 1, 2), None),
        ("b", "x", None, None, dt.date(2026, 1, 3), "by Ann Lee"),
        ("c", None, None, None, None, "Lee"),
        ("d", str(10**40), None, None, None, None),
        ("e", None, None, None, None, None),
    ]
    rules = [piece.published_rule for piece in _read(stored)[0]]
    assert rules == ["record", "record", None, None, None]


def test_lone_surrogates_of_escapes_are_replaced() -> None:
    """Half a surrogate pair cannot be stored as UTF-8; whole pairs are one character."""
    stored = b'{"text": "a\\ud800b \\ud83d\\ude42", "title": "\\udfff"}\n'
    pieces, _ = _read(stored)
    assert (pieces[0].text, pieces[0].title, pieces[0].inner) == ("a\ufffdb 🙂", "\ufffd", ())


def test_bad_bytes_inside_a_record_are_replaced_and_listed() -> None:
    """A record with wrong bytes is still a document; each run is accounted for."""
    bad = b'{"text": "caf\xe9 and \xff\xfe"}\n'
    pieces, reading = _read(GOOD * 5 + bad)
    at = 5 * len(GOOD)
    assert pieces[5].text == "caf\ufffd and \ufffd\ufffd"
    assert pieces[5].inner == (Span(at + 13, at + 14, 6, 6), Span(at + 19, at + 21, 6, 6))
    assert reading.chars == len(GOOD * 5 + bad)


def test_a_record_cut_by_damage_is_truncated_and_a_whole_one_is_kept() -> None:
    """The last line of a damaged file is a document only when its object is complete."""
    stored = gzip.compress(GOOD + b'{"text": "whole"}', mtime=0)
    pieces, _ = _read(stored[:-8])
    assert _kinds(pieces) == [("document", "")] * 2 + [("quarantine", "truncated_stream")]
    stored = gzip.compress(GOOD + b'{"text": "whol', mtime=0)
    pieces, _ = _read(stored[:-8])
    assert _kinds(pieces)[1:] == [("quarantine", "truncated"), ("quarantine", "truncated_stream")]
    pieces, _ = _read(gzip.compress(GOOD + b'{"text": "whol', mtime=0))
    assert _kinds(pieces)[1:] == [("quarantine", "invalid_json")]


def test_damage_says_how_many_stored_bytes_could_not_be_read() -> None:
    """Text before a garbage tail is published, and the tail is counted."""
    stored = gzip.compress(b"some text\n", mtime=0)
    pieces, reading = _read(stored + b"tail!")
    assert _kinds(pieces) == [("document", ""), ("quarantine", "garbage_tail")]
    assert (pieces[1].stored_bytes, pieces[1].span) == (5, Span(10, 10, 1, 1))
    assert (reading.read_bytes, reading.unread_bytes) == (len(stored), 5)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (b"", "empty"),
        (_gzip(b""), "empty"),
        (b"PK\x05\x06 and so on", "unsupported_format"),
        (_gzip(b"%PDF-1.4 compressed"), "unsupported_format"),
        (_gzip(_gzip(_gzip(b"deep"))), "nested"),
        (b"\x1f\x8b\x08 is no gzip", "corrupt_stream"),
        (b"\x28\xb5", "truncated_stream"),
        (b"some text " + b"\xff" * 20, "undecodable"),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(stored: bytes, reason: str) -> None:
    """A file without readable text is refused whole, with the reason and the next step."""
    with pytest.raises(UnreadableError, match=r"^expected .* found .*\.") as caught:
        _read(stored)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (b" \n\t\n ", [("furniture", "blank", Span(0, 5, 1, 3))]),
        (b"a\n\nb\n", [("document", "", Span(0, 5, 1, 3))]),
        (b"\0\x01\n" + b"a" * 99, [("document", "", Span(0, 102, 1, 2))]),
        (b"\x07\x01\n", [("furniture", "blank", Span(0, 3, 1, 1))]),
        (b"\xef\xbb\xbf", [("furniture", "bom", Span(0, 1, 1, 1))]),
        (
            b"\xef\xbb\xbfa\n",
            [("furniture", "bom", Span(0, 1, 1, 1)), ("document", "", Span(1, 3, 1, 1))],
        ),
        ("\ufeffGrüße".encode("utf-16-be"), [
            ("furniture", "bom", Span(0, 1, 1, 1)), ("document", "", Span(1, 6, 1, 1)),
        ]),
    ],
)  # fmt: skip
def test_text_files_are_tiled(stored: bytes, expected: list[tuple[str, str, Span]]) -> None:
    """Blank pages, byte order marks and documents have their spans and lines."""
    pieces, _ = _read(stored)
    assert [(piece.kind, piece.reason, piece.span) for piece in pieces] == expected


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("a\n\nb\nc\n\nd", 100, ["a\n\nb\nc\n\nd"]),
        ("a\n\nb\nc\n\nd", 8, ["a\n\nb\nc\n\n", "d"]),
        ("a\n\nb\nc\n\nd", 7, ["a\n\n", "b\nc\n\nd"]),
        ("ab\ncd\nef", 5, ["ab\n", "cd\nef"]),
        ("ab\r\n\r\ncd\nef", 8, ["ab\r\n\r\n", "cd\nef"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("", 3, []),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_long_texts_are_cut_into_pages(
    text: str, limit: int, expected: list[str], size: int
) -> None:
    """A page ends after the last blank line before the limit, else a line, else anywhere."""
    blocks = [text[at : at + size] for at in range(0, len(text), size)]
    settings = IngestSettings(max_page_chars=limit)
    pieces = text_pieces(blocks, settings, splitter=resolve("none"))
    spans = [piece.span for piece in pieces]
    assert [text[span.char_start : span.char_end] for span in spans] == expected


def test_spans_and_lines_go_on_from_page_to_page() -> None:
    """Documents of later pages know where they are in the file, even in the middle of a line."""
    pieces, _ = _read(b"one\n\ntwo\n\nabcdefgh", IngestSettings(splitter="none", max_page_chars=5))
    assert [(piece.text, piece.span) for piece in pieces] == [
        ("one", Span(0, 5, 1, 2)),
        ("two", Span(5, 10, 3, 4)),
        ("abcde", Span(10, 15, 5, 5)),
        ("fgh", Span(15, 18, 5, 5)),
    ]


def test_an_unknown_splitter_is_refused_by_name() -> None:
    """The message lists the splitters that exist."""
    with pytest.raises(ConfigError, match="expected one of none, page, found 'pages'"):
        Reading(io.BytesIO(b"a"), IngestSettings(splitter="pages"), size=1)


def test_segments_of_a_file_are_rows_for_people(tmp_path: Path) -> None:
    """`winnow split` shows what ingest would do, damage inside documents included."""
    path = tmp_path / "misnamed.gz"
    path.write_bytes(b"\xef\xbb\xbfplain text with one \xff wrong byte\n")
    rows = list(segments(path, WHOLE))
    assert [(row["file"], row["kind"], row["reason"]) for row in rows] == [
        (str(path), "furniture", "bom"),
        (str(path), "document", ""),
    ]
    assert rows[1]["inner"] == [
        {
            "line_start": 1,
            "line_end": 1,
            "char_start": 21,
            "char_end": 22,
            "reason": "invalid_encoding",
        },
    ]
    assert (rows[1]["char_start"], rows[1]["char_end"]) == (1, 34)


def test_segments_of_an_unreadable_stream_are_one_row() -> None:
    """What cannot be taken is one row without a place, even if it began well."""
    rows = list(segments(io.BytesIO(b"text" + b"\xff" * 9), WHOLE, name="stdin"))
    assert [(row["file"], row["kind"], row["reason"], row["line_end"]) for row in rows] == [
        ("stdin", "quarantine", "undecodable", 0)
    ]


def test_a_file_that_does_not_exist_is_missing(tmp_path: Path) -> None:
    """The message names the path."""
    with pytest.raises(MissingError, match="nowhere"):
        list(segments(tmp_path / "nowhere", WHOLE))


def test_a_row_for_every_few_bytes_takes_little_memory() -> None:
    """Rows wait outside of memory until it is known whether the file can be taken."""
    stored = io.BytesIO(b"id,text\n" + b'1,"a" b\n' * 40_000)
    tracemalloc.start()
    count = sum(1 for _ in segments(stored, WHOLE))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak < 16 << 20) == (40_001, True)


def test_two_byte_order_marks_are_no_text_of_a_page() -> None:
    """They were the start of its title."""
    pieces = read_whole(("\ufeff\ufeff" + "Words of a page.\n" * 9).encode(), IngestSettings())
    assert [(piece.kind, piece.reason) for piece in pieces] == [
        ("furniture", "bom"),
        ("document", ""),
    ]
    assert pieces[1].text.startswith("Words")
