"""Inputs as other tools make them, and joined or cut by hand: rows of the table of `cases.py`.

Holds: `FOREIGN`. Not here: the other tables (`cases.py`, `nasty.py`), simple builders (`make.py`).
"""

from __future__ import annotations

import bz2
import gzip
import io
import tarfile

import brotli
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tests.bad_inputs import make as m
from tests.bad_inputs.nasty import Row, row

A, B = ("a.jsonl", m.lines(2)), ("b.txt", m.story(9).encode())


def summed(header: bytes) -> bytes:
    """Return the header of a tar member with its checksum."""
    blank = header[:148] + b" " * 8 + header[156:]
    return header[:148] + b"%06o\0 " % sum(blank) + header[156:]


def size_in_pax() -> bytes:
    """Return a tar archive that says sizes in extended headers alone, as of members over 8 GB."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo(A[0])
        member.size = len(A[1])
        member.pax_headers = {"size": str(len(A[1]))}
        archive.addfile(member, io.BytesIO(A[1]))
        other = tarfile.TarInfo(B[0])
        other.size = len(B[1])
        archive.addfile(other, io.BytesIO(B[1]))
    made = out.getvalue()
    header = made[1024:1536]
    return made[:1024] + summed(header[:124] + b"%011o\0" % 0 + header[136:]) + made[1536:]


def sparse_gnu() -> bytes:
    """Return a tar archive with a file that GNU tar stored with holes, their map in two blocks."""
    made = m.tarred([A, ("s.jsonl", bytes(512) + m.lines(4).ljust(1024, b"\0")), B])
    at = made.index(b"s.jsonl")
    header = made[at : at + 512]
    header = summed(header[:156] + b"S" + header[157:482] + b"\1" + header[483:])
    return made[:at] + header + bytes(512) + made[at + 512 :]


def sparse_pax() -> bytes:
    """Return a tar archive with a file that POSIX headers say to be stored with holes."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in (A, ("GNUSparseFile.0/s.jsonl", b"1\n0\n9\n".ljust(512, b"\0")), B):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            if "Sparse" in name:
                member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.name": "s.jsonl"}
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def without_mark() -> bytes:
    """Return a tar archive of the oldest kind, whose headers have no mark."""
    made = m.tarred([A, B])
    for at in (made.index(A[0].encode()), made.index(B[0].encode())):
        header = made[at : at + 512]
        made = made[:at] + summed(header[:257] + bytes(255)) + made[at + 512 :]
    return made


def zeros_behind_broken_header() -> bytes:
    """Return a tar archive with a broken header before data in which zeros stand as at the end."""
    made = m.tarred([A, ("x.txt", b"x".ljust(512) + bytes(1024) + b"y"), B])
    return m.holed(made, made.index(b"x.txt"))


def text_twice() -> bytes:
    """Return a Parquet file with two columns of one name."""
    out = io.BytesIO()
    columns = [pa.array(["first words", "more"]), pa.array(["other words", "yet others"])]
    pq.write_table(pa.table(columns, names=["text", "text"]), out)
    return out.getvalue()


def checksum_broken() -> bytes:
    """Return a Parquet file with checksums, one letter of its first group another."""
    out = io.BytesIO()
    pq.write_table(
        pa.table({"text": ["one word", "two words", "three", "four"]}), out, row_group_size=2,
        compression="none", use_dictionary=False, write_page_checksum=True, write_statistics=False,
    )  # fmt: skip
    return out.getvalue().replace(b"one word", b"one ward")


ARCHIVE_ROWS = [
    row("joined.tar", lambda: m.tarred([A]) + m.tarred([B]), 3),
    row("joined.zip", lambda: m.zipped([A]) + m.zipped([B]), 3),
    row("signed.zip", lambda: m.zipped([A, B]) + b"-- a signature --", 3, "garbage_in_archive"),
    row("padded.zip", lambda: m.zipped([A, B]) + bytes(2000), 3),
    row("cut-in-directory.zip", lambda: m.zipped([A, B])[:-30], 3, "truncated_archive"),
    row("zeros-behind-broken-header.tar", zeros_behind_broken_header, 3, "garbage_in_archive"),
    row("size-in-pax.tar", size_in_pax, 3),
    row("sparse-gnu.tar", sparse_gnu, 3, "special_file"),
    row("sparse-pax.tar", sparse_pax, 3, "special_file"),
    row("no-mark.tar", without_mark, 3),
]  # fmt: skip

WORDS = b"".join(b"%d,%s\n" % (n, m.story(n).replace(".", ";").encode()) for n in range(3))
HEAD = b"id,text\r"
TABLE_ROWS = [
    row("index.csv", lambda: b",text\n" + WORDS, 3),
    row("names-with-blanks.csv", lambda: b"Page No,Text\n" + WORDS * 2, 6),
    row("sep.csv", lambda: b"sep=;\r\nid;text\r\n1;a few words\r\n", 1),
    row("inches.csv", lambda: b'id,text\n1,6\'2" tall\n2,more words\n3,5" wide\n', 3),
    row("backslashes.csv", lambda: b'id,text\n1,"a \\"b\\", c"\n2,"d\n\\"e\\""\n3,more words\n', 3),
    row("mac.csv", lambda: HEAD + WORDS.replace(b"\n", b"\r") + b'3,"a\nb"\r9\r', 4,
        "wrong_field_count"),
    row("column.csv", lambda: b'text\r\n"a, b"\r\nc\r\n"never closed\r\nd, e\r\n', 3,
        "unbalanced_quotes"),
    row("nulls.csv", lambda: b"id,text\n1,NULL\n2,\\N\n" + WORDS, 3, "missing_text"),
]  # fmt: skip

SHOWN = m.warc("response", b"HTTP/1.1 200 OK", length=3922)
ZLIB = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=zlib\r\n\r\n"
GZIP, CHUNKED = "Content-Encoding: gzip", "Transfer-Encoding: chunked"
BROTLI, ZSTD = "Content-Encoding: br", "Content-Encoding: zstd"
SEGMENTS = m.segments(m.response(m.page(1)), 3)
WEB_ROWS = [
    row("brotli.warc", lambda: m.response(brotli.compress(m.page(1)), BROTLI) + m.wet(2), 2),
    row("not-brotli.warc", lambda: m.response(m.noise(300), BROTLI) + m.wet(2), 1,
        "bad_content_encoding"),
    row("brotli-bomb.warc", lambda: m.response(brotli.compress(bytes(20 << 20)), BROTLI)
        + m.wet(2), 1, "record_too_long"),
    row("zstd-bomb.warc", lambda: m.response(zstandard.compress(bytes(20 << 20)), ZSTD)
        + m.wet(2), 1, "record_too_long"),
    row("body-cut.warc", lambda: m.response(gzip.compress(m.page(1), mtime=0)[:-12], GZIP)
        + m.wet(2), 2, "truncated_body"),
    row("chunks-cut.warc", lambda: m.response(b"fff\r\n" + m.page(1)[:-30], CHUNKED) + m.wet(2), 2,
        "truncated_body"),
    row("said-to-be-cut.warc", lambda: m.wet(1).replace(b"Content-L", b"WARC-Truncated: time\r\n"
        b"Content-L") + m.wet(2), 2, "truncated_body"),
    row("segments.warc.gz", lambda: b"".join(m.members([*SEGMENTS, m.wet(2)])), 2),
    row("segment-missing.warc", lambda: b"".join([*SEGMENTS[:2], m.wet(2)]), 2, "truncated_body"),
    row("segment-between.warc", lambda: b"".join([*SEGMENTS[::2], m.wet(2)]), 2, "truncated_body",
        "stray_continuation"),
    row("segments-swapped.warc", lambda: b"".join([SEGMENTS[0], *SEGMENTS[:0:-1], m.wet(2)]), 2,
        "truncated_body", "stray_continuation"),
    row("segment-twice.warc", lambda: b"".join([*SEGMENTS[:2], *SEGMENTS[1:], m.wet(2)]), 2,
        "truncated_body", "stray_continuation"),
    row("segment-broken.warc", lambda: SEGMENTS[0] + m.holed(SEGMENTS[1], 0, 3) + SEGMENTS[2]
        + m.wet(2), 2, "truncated_body", "garbage_between_records", "stray_continuation"),
    row("segments-long.warc", lambda: b"".join(m.segments(m.response(b"x" * (20 << 20)), 4))
        + m.wet(2), 1, "record_too_long"),
    row("charset-zlib.warc", lambda: m.warc("response", ZLIB + m.page(1), mime="application/http")
        + m.wet(2), 2),
    row("no-blank-lines.warc", lambda: b"".join(m.wet(n)[:-4] for n in range(4)), 4),
    row("record-shown.txt", lambda: b"How a record looks:\n" + SHOWN + m.story(1).encode(), 1),
]  # fmt: skip

ONE_LINE = m.lines(9).replace(b"\n", b"")
RECORD_ROWS = [
    row("no-line-ends.jsonl", lambda: ONE_LINE, 9),
    row("no-line-ends-broken.jsonl", lambda: ONE_LINE.replace(b'"id": 4', b'"id" 4'), 8,
        "invalid_json"),
    row("commas-for-line-ends.jsonl", lambda: m.lines(9).replace(b"\n", b", "), 9),
    row("raw-controls.jsonl", lambda: m.lines(2) + b'{"text": "a\ttab and \x01 more"}\n', 3),
    row("brackets-on-a-line.jsonl", lambda: m.lines(2) + b'{"text": "{a}{b}" "c"}{' * 9_000 + b"\n"
        + m.lines(2), 4, "invalid_json"),
]  # fmt: skip

OLD = "<page><title>X</title><ns>0</ns><id>9</id><revision><text>%s</text></revision></page>"
UTF8 = b"<meta charset=utf-8><body>"
FEED = b"<?xml version='1.0'?><rss><channel><title>x</title></channel></rss>"
MARKUP_ROWS = [
    row("pages.html", lambda: m.page(1) + b"\n" + m.page(2) + m.page(3), 3),
    row("page-cut.html", lambda: m.page(1)[:-20], 1),
    row("long.html", lambda: m.page(1) + b"<html>" + b"x" * (20 << 20) + b"</html>" + m.page(2), 2,
        "record_too_long"),
    row("tags.html", lambda: m.page(1) + b"<html>" + b"<b>" * 2_200_000 + b"</html>" + m.page(2), 2,
        "record_too_long"),
    row("tags.warc", lambda: m.response(b"<html>" + b"<b>" * 2_200_000) + m.wet(1), 1,
        "record_too_long"),
    row("bad-byte.html", lambda: m.page(1).replace(b"<body>", UTF8 + b"\xff"), 1,
        "invalid_encoding"),
    row("html-inside.zip", lambda: m.zipped([("1.html", m.page(1)), ("f.xml", FEED), A]), 3,
        "unsupported_format"),
    row("feed.xml", lambda: FEED, 0, "unsupported_format"),
    row("part-of-a-wiki.xml.bz2", lambda: bz2.compress((m.wiki(1) + m.wiki(2)).encode()), 2),
    row("old-redirects.xml", (m.WIKI + OLD % "#REDIRECT [[Y]]" + m.wiki(1)
        + OLD % "#ПЕРЕНАПРАВЛЕНИЕ [[Z]]").encode, 1),
    row("pointer.jsonl", lambda: b"version https://git-lfs.github.com/spec/v1\nsize 9\n", 0,
        "unsupported_format"),
    row("rich.rtf", lambda: b"{\\rtf1\\ansi words}", 0, "unsupported_format"),
    row("lzip.lz", lambda: b"LZIP\1\x0c" + m.noise(200), 0, "unsupported_format"),
    row("views.parquet", lambda: m.parquet({"text": pa.array(["a word"] * 3, pa.string_view())}),
        3),
    row("twice.parquet", text_twice, 2),
    row("page-checksum.parquet", checksum_broken, 2, "corrupt_row_group"),
]  # fmt: skip

MAIL_ROWS = [
    row("mail.eml", lambda: m.mail(1), 1),
    row("cut.eml", lambda: m.mail(1)[:-30], 1, "truncated_body"),
    row("long.eml", lambda: m.mail(1, b"x" * (20 << 20)), 0, "record_too_long"),
    row("pictures.eml", lambda: m.mail(1).replace(b"text/", b"image/"), 0),
    row("mails.mbox", lambda: m.box(m.mail(1), m.mail(2, b"x" * (20 << 20)), m.mail(3)), 2,
        "record_too_long"),
    row("mail-inside.zip", lambda: m.zipped([("a.eml", m.mail(1)), A]), 3),
]  # fmt: skip

FOREIGN: list[Row] = [*MAIL_ROWS, *ARCHIVE_ROWS, *TABLE_ROWS, *WEB_ROWS, *RECORD_ROWS, *MARKUP_ROWS]
