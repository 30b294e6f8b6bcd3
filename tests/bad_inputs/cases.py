"""Every bad input and the outcome it must have: documents kept, and reasons of quarantine.

Holds: `Case`, `CASES`. Not here: the builders (`make.py`), running them (`test_bad_inputs.py`).
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable

import msgspec

from tests.bad_inputs import make as m
from tests.bad_inputs.foreign import FOREIGN
from tests.bad_inputs.nasty import NASTY

GB = m.lines(3)


class Case(msgspec.Struct, frozen=True):
    """A file name, its bytes, the documents it must give and the reasons in quarantine."""

    file: str
    make: Callable[[], bytes]
    documents: int
    reasons: frozenset[str] = frozenset()


def case(file: str, make: Callable[[], bytes], documents: int, *reasons: str) -> Case:
    """Return one row of the table."""
    return Case(file, make, documents, frozenset(reasons))


def between(middle: bytes) -> Callable[[], bytes]:
    """Put bytes between good records."""
    return lambda: m.lines(3) + middle + m.lines(3, 3)


DEEP = b'{"text": "a", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}\n"
TRIPLE = [m.lines(40, at) for at in (0, 40, 80)]
WETS = [m.wet(number) for number in range(5)]
CHUNKED = "Transfer-Encoding: chunked"
TABLE = {"text": [m.story(n) for n in range(4)], "id": [1, 2, 3, 4]}
HEAD = b"id,text\n"


def row(number: int) -> bytes:
    """Return a good CSV row."""
    return b'%d,"%s"\n' % (number, m.story(number).encode())


ROWS = b"".join(map(row, range(3)))
EXTERNAL = '<!DOCTYPE mediawiki SYSTEM "file:///etc/passwd">'
BOMB = "<!DOCTYPE mediawiki [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;'>]>"


def dump(*pages: str, head: str = "") -> Callable[[], bytes]:
    """Join pages to a dump of a wiki."""
    return (head + m.WIKI + "".join(pages)).encode


def one_broken(parts: list[bytes]) -> bytes:
    """Join three parts, the second of them damaged."""
    return parts[0] + m.holed(parts[1], 12) + parts[2]


def rows_below_zero() -> bytes:
    """Return a table whose first group says that it has fewer than no rows."""
    stored = m.parquet({"text": ["one word", "two words", "three"], "id": [1, 2, 3]})
    return stored[:603] + b"'" + stored[604:]


def one_long(parts: list[bytes]) -> bytes:
    """Join three frames; a block of the second claims to be longer than any."""
    second = bytearray(parts[1])
    head = 5 + (0, 2, 4, 8)[second[4] >> 6] + (second[4] >> 5 & 1 == 0) + (second[4] >> 6 == 0)
    second[head : head + 3] = b"\xfd\xff\xff"
    return parts[0] + bytes(second) + parts[2]


STREAMS = [
    case("truncated.gz", lambda: gzip.compress(m.lines(200), mtime=0)[:-60], 194,
         "truncated", "truncated_stream"),
    case("cut-in-header.gz", lambda: gzip.compress(GB, mtime=0)[:6], 0, "truncated_stream"),
    case("member-broken.gz", lambda: one_broken(m.members(TRIPLE)), 80, "corrupt_stream"),
    case("magic-broken.gz", lambda: m.holed(b"".join(m.members(TRIPLE)), 0, 1), 80, "garbage_tail"),
    case("magic-broken.zst", lambda: m.holed(b"".join(m.frames(TRIPLE)), 1, 1), 80,
         "garbage_tail"),
    case("block-too-long.zst", lambda: one_long(m.frames(TRIPLE)), 80, "corrupt_stream"),
    case("checksum.gz", lambda: m.holed(gzip.compress(GB, mtime=0), -8, 4), 3, "corrupt_stream"),
    case("garbage-tail.gz", lambda: gzip.compress(GB, mtime=0) + b"tail", 3, "garbage_tail"),
    case("garbage-between.gz", lambda: m.noise(300).join(m.members(TRIPLE)), 120, "garbage_tail"),
    case("zero-padded.gz", lambda: gzip.compress(GB, mtime=0) + bytes(1000), 3),
    case("truncated.zst", lambda: m.frames([m.lines(3000)])[0][:-1], 3000, "truncated_stream"),
    case("frame-broken.zst", lambda: one_broken(m.frames(TRIPLE)), 80, "corrupt_stream"),
    case("stub.zst", lambda: m.frames([GB])[0] + b"\x28\xb5\x2f", 3, "truncated_stream"),
    case("truncated.bz2", lambda: bz2.compress(GB) + bz2.compress(GB)[:-9], 6, "truncated_stream"),
    case("stream-broken.bz2", lambda: bz2.compress(GB) + m.holed(bz2.compress(GB), 40)
         + bz2.compress(GB), 6, "corrupt_stream"),
    case("truncated.xz", lambda: lzma.compress(GB) + lzma.compress(GB)[:-30], 6,
         "truncated_stream"),
    case("stream-broken.xz", lambda: lzma.compress(GB) + m.holed(lzma.compress(m.lines(300)), 60)
         + lzma.compress(GB), 6, "corrupt_stream"),
    case("zeros.gz", lambda: gzip.compress(bytes(64 << 20), 9, mtime=0), 0, "unsupported_format"),
    case("spaces.gz", lambda: gzip.compress(GB + b" " * (64 << 20), 9, mtime=0), 3, "bomb"),
    case("bomb.zst", lambda: m.frames([GB + b"x" * (64 << 20)])[0], 3, "bomb", "truncated"),
    case("three-layers.gz", lambda: gzip.compress(gzip.compress(gzip.compress(GB))), 0, "nested"),
    case("wrong-extension.txt", lambda: gzip.compress(GB, mtime=0), 3),
    case("plain.gz", lambda: GB, 3),
]  # fmt: skip

TEXTS = [
    case("empty.txt", lambda: b"", 0, "empty"),
    case("blank.txt", lambda: b"\n \n\n", 0),
    case("bom.jsonl", lambda: b"\xef\xbb\xbf" + GB, 3),
    case("only-a-bom.txt", lambda: b"\xff\xfe", 0),
    case("bom-inside.jsonl", between(b"\xef\xbb\xbf" + m.line(9)), 7),
    case("utf16.jsonl", lambda: GB.decode().encode("utf-16"), 3),
    case("utf16-no-bom.jsonl", lambda: GB.decode().encode("utf-16-le"), 3),
    case("utf16-no-bom-be.jsonl", lambda: GB.decode().encode("utf-16-be"), 3),
    case("utf16-odd.txt", lambda: "A text of some words.\n".encode("utf-16") + b"x", 1,
         "invalid_encoding"),
    case("bad-byte.jsonl", between(m.line(9).replace(b"bridge", b"br\xffdge")), 7,
         "invalid_encoding"),
    case("bad-byte.txt", lambda: m.story(1).encode() + b" \xc3\x28 " + m.story(2).encode(), 1,
         "invalid_encoding"),
    case("cut-character.txt", lambda: m.story(1).encode() + "世".encode()[:2], 1,
         "invalid_encoding"),
    case("nuls.jsonl", between(b"\0\0\0\n"), 6, "invalid_json"),
    case("nul-inside.txt", lambda: m.story(1).encode() + b"\0" + m.story(2).encode(), 1),
    case("controls.txt", lambda: b"\x1b[31m" + m.story(1).encode() + b"\x07\x08", 1),
    case("lone-surrogate.jsonl", between(b'{"text": "half \\ud800 a pair"}\n'), 7),
    case("surrogate-bytes.jsonl", between(b'{"text": "half \xed\xa0\x80 a pair"}\n'), 7,
         "invalid_encoding"),
    case("gb18030.txt", lambda: ("今天下午，市政府召开新闻发布会。\n" * 9).encode("gb18030"), 1),
    case("shift-jis.jsonl", lambda: '{"text": "今日の午後、市役所は記者会見を開いた。"}\n'.encode(
        "shift_jis") * 9, 9),
    case("noise.bin", lambda: b"\x01" + m.noise(5000), 0, "undecodable"),
    case("image.txt", lambda: b"\x89PNG\r\n\x1a\n" + m.noise(500), 0, "unsupported_format"),
    case("pdf.txt", lambda: b"%PDF-1.7\n" + m.noise(500), 0, "unsupported_format"),
    case("long-line.jsonl", between(b'{"text": "' + b"x" * (20 << 20) + b'"}\n'), 6,
         "record_too_long"),
    case("ragged-ends.txt", lambda: m.story(1).replace(". ", ".\r").encode(), 1),
]  # fmt: skip

RECORDS = [
    case("broken-line.jsonl", between(b'{"text": "never clo\n'), 6, "invalid_json"),
    case("two-a-line.jsonl", between(b'{"text": "a"} {"text": "b"}\n'), 8),
    case("line-end-wrong.jsonl", between(b'{"text": "a"}\0{"text": "b"}\n'), 8, "invalid_json"),
    case("three-a-line.jsonl", between(b'{"text": "a"}{"text": "b"}{"text": "c"}\n'), 9),
    case("no-text.jsonl", between(b'{"body": "a"}\n'), 6, "missing_text"),
    case("null-text.jsonl", between(b'{"text": null}\n'), 6, "wrong_type"),
    case("list-text.jsonl", between(b'{"text": ["a"]}\n'), 6, "wrong_type"),
    case("empty-text.jsonl", between(b'{"text": " \\n"}\n'), 6, "empty_text"),
    case("array.jsonl", between(b'["text"]\n'), 6, "not_an_object"),
    case("deep.jsonl", between(DEEP), 6, "too_deep"),
    case("same-id.jsonl", between(m.line(0) + m.line(0)), 8),
    case("same-name-twice.jsonl", between(b'{"text": "a", "text": "b words"}\n'), 7),
    case("huge-number.jsonl", between(b'{"text": "a few words", "id": ' + b"9" * 5000 + b"}\n"),
         7),
    case("last-line-cut.jsonl", lambda: GB + b'{"text": "cu', 3, "invalid_json"),
]  # fmt: skip

WEB = [
    case("length-too-long.warc", lambda: WETS[0] + m.warc("conversion", b"x" * 90, length=500)
         + WETS[1], 2, "wrong_length"),
    case("length-too-short.warc", lambda: WETS[0] + m.warc("conversion", b"x" * 90, length=5)
         + WETS[1], 2, "wrong_length"),
    case("length-huge.warc", lambda: WETS[0] + m.warc("conversion", b"x" * 90, length=10**12)
         + WETS[1], 2, "record_too_long"),
    case("length-missing.warc", lambda: WETS[0] + b"WARC/1.0\r\nWARC-Type: response\r\n\r\n"
         + WETS[1], 2, "bad_warc_header"),
    case("truncated.warc", lambda: b"".join(WETS)[:-50], 4, "truncated_record"),
    case("garbage-between.warc", lambda: WETS[0] + m.noise(99) + WETS[1], 2,
         "garbage_between_records"),
    case("member-broken.warc.gz", lambda: b"".join([*m.members(WETS[:2]),
         m.holed(m.members(WETS)[2], 20), *m.members(WETS[3:])]), 4,
         "corrupt_stream"),
    case("bad-chunks.warc", lambda: WETS[0] + m.response(b"5\r\n<html>", CHUNKED) + WETS[1], 2,
         "bad_chunking"),
    case("no-http.warc", lambda: WETS[0] + m.warc("response", b"\0\1", mime="application/http")
         + WETS[1], 2, "bad_http"),
    case("bomb-body.warc", lambda: WETS[0] + m.response(gzip.compress(bytes(20 << 20)),
         "Content-Encoding: gzip") + WETS[1], 2, "record_too_long"),
    case("deep-page.warc", lambda: WETS[0] + m.response(b"<div>" * 50_000 + m.page(7)), 2),
    case("binary-body.warc", lambda: WETS[0] + m.response(b"\0\xff" * 500) + m.response(m.page(1)),
         3),
]  # fmt: skip

WIKIS = [
    case("entity-bomb.xml", dump(m.wiki(1), m.wiki(2, "&b;"), m.wiki(3), head=BOMB), 2,
         "entity_declaration", "invalid_xml"),
    case("external-entity.xml", dump(m.wiki(1), head=EXTERNAL), 1, "entity_declaration"),
    case("page-not-closed.xml", dump(m.wiki(1), m.wiki(2).replace("</page>", ""), m.wiki(3)), 2,
         "invalid_xml"),
    case("page-broken.xml", dump(m.wiki(1), m.wiki(2, "<b>"), m.wiki(3)), 2, "invalid_xml"),
    case("cut.xml", dump(m.wiki(1), m.wiki(2)[:-60]), 1, "invalid_xml"),
    case("stream-broken.xml.bz2", lambda: bz2.compress((m.WIKI + m.wiki(1)).encode())
         + m.holed(bz2.compress(m.wiki(2).encode()), 40) + bz2.compress(m.wiki(3).encode()), 2,
         "corrupt_stream"),
]  # fmt: skip

TABLES = [
    case("no-text.parquet", lambda: m.parquet({"a": [1], "b": ["x"]}), 0, "missing_text_column"),
    case("number-text.parquet", lambda: m.parquet({"text": [1, 2]}), 0, "wrong_type"),
    case("null-text.parquet", lambda: m.parquet({"text": ["some words", None, "more words"]}), 2,
         "empty_text"),
    case("list-id.parquet", lambda: m.parquet({**TABLE, "id": [[1], [2], [3], [4]]}), 4),
    case("group-broken.parquet", lambda: m.holed(m.parquet(TABLE), 4, 30), 2, "corrupt_row_group"),
    case("truncated.parquet", lambda: m.parquet(TABLE)[:-20], 0, "corrupt_parquet"),
    case("tail.parquet", lambda: m.parquet(TABLE) + b"tail" * 9, 4, "garbage_tail"),
    case("joined.parquet", lambda: m.parquet(TABLE) * 2, 8),
    case("rows-below-zero.parquet", rows_below_zero, 1, "corrupt_row_group"),
    case("name-broken.parquet", lambda: m.parquet(TABLE).replace(b"text", b"t\xe5xt"), 0,
         "corrupt_parquet"),
    case("repeated.parquet", lambda: m.parquet({"text": ["x " * 10_000] * 9999}, 9999), 0,
         "bomb"),
    case("quote-open.csv", lambda: HEAD + ROWS + b'9,"never closed\n' + ROWS, 6,
         "unbalanced_quotes"),
    case("quote-inside.csv", lambda: HEAD + ROWS + b'9,"clo"sed\n' + ROWS, 6, "wrong_field_count"),
    case("few-fields.csv", lambda: HEAD + ROWS + b"9\n" + ROWS, 6, "wrong_field_count"),
    case("long-field.csv", lambda: HEAD + ROWS + b"9," + b"x" * (20 << 20) + b"\n" + ROWS, 6,
         "record_too_long"),
    case("no-text.csv", lambda: b"id,name\n" + b"1,x\n" * 9, 0, "missing_text_column"),
]  # fmt: skip

A, B = ("a.jsonl", m.lines(2)), ("b.txt", m.story(9).encode())
ARCHIVES = [
    case("good.zip", lambda: m.zipped([A, B]), 3),
    case("climbs.zip", lambda: m.zipped([A, ("../../etc/x", B[1]), B]), 3, "unsafe_path"),
    case("absolute.zip", lambda: m.zipped([A, ("/etc/x", B[1]), B]), 3, "unsafe_path"),
    case("archive-inside.zip", lambda: m.zipped([A, ("n.zip", m.zipped([A])), B]), 3, "nested"),
    case("tar-inside.zip", lambda: m.zipped([A, ("n.tar", m.tarred([A])), B]), 3, "nested"),
    case("same-name.zip", lambda: m.zipped([A, A]), 4),
    case("bomb-inside.zip", lambda: m.zipped([A, ("z.txt", b"x " * (32 << 20)), B]), 5,
         "bomb"),
    case("truncated.zip", lambda: m.zipped([A, B, ("c.jsonl", m.lines(50))], stored=True)[:-900],
         50, "truncated_archive", "invalid_json"),
    case("member-broken.zip", lambda: m.holed(m.zipped([B, A], stored=True), 60, 2), 3,
         "corrupt_member", "invalid_encoding"),
    case("empty-member.zip", lambda: m.zipped([A, ("e.txt", b""), B]), 3, "empty"),
    case("office.docx", lambda: m.zipped([("[Content_Types].xml", b"<x/>"), B]), 0,
         "unsupported_format"),
    case("good.tar", lambda: m.tarred([A, B]), 3),
    case("gz-inside.tar.gz", lambda: gzip.compress(m.tarred([("a.gz", gzip.compress(GB)), B])), 4),
    case("broken-gz-inside.tar", lambda: m.tarred([("a.gz", gzip.compress(GB)[:-30]), B]), 1 + 1,
         "truncated_stream", "truncated"),
    case("climbs.tar", lambda: m.tarred([A, ("../x", B[1]), B]), 3, "unsafe_path"),
    case("link.tar", lambda: m.tarred([A, ("l", b""), B], {"l": tarfile.SYMTYPE}), 3, "link"),
    case("device.tar", lambda: m.tarred([A, ("d", b""), B], {"d": tarfile.CHRTYPE}), 3,
         "special_file"),
    case("long-name.tar", lambda: m.tarred([("n" * 300 + ".jsonl", A[1]), B]), 3),
    case("truncated.tar", lambda: m.tarred([B, A])[:1536 + 300], 2, "truncated_archive",
         "invalid_json"),
    case("header-broken.tar", lambda: m.holed(m.tarred([B, A, B]), 1024, 40), 2,
         "garbage_in_archive"),
    case("noise-inside.tar", lambda: m.tarred([A, ("n", b"\1" + m.noise(900)), B]), 3,
         "undecodable"),
]  # fmt: skip

ODD_KEYS = [
    case(name, lambda: GB, 3)
    for name in ("späce é.jsonl", "a b?c=%25#d.jsonl", "<script>.jsonl", "x" * 200 + ".jsonl")
]

CASES = [*STREAMS, *TEXTS, *RECORDS, *WEB, *WIKIS, *TABLES, *ARCHIVES, *ODD_KEYS]
CASES += [
    case(file, make, documents, *reasons) for file, make, documents, reasons in [*NASTY, *FOREIGN]
]
