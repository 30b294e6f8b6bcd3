"""More bad inputs, such as a hostile or careless upstream makes: rows of the table of `cases.py`.

Holds: `NASTY`, names of files with builders of their bytes, documents and reasons. Not here: the
first table and what a row is (`cases.py`), simple builders (`make.py`).
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tests.bad_inputs import make as m

Row = tuple[str, Callable[[], bytes], int, tuple[str, ...]]

GB = m.lines(3)
A, B = ("a.jsonl", m.lines(2)), ("b.txt", m.story(9).encode())
TEXTS = [m.story(number) for number in range(4)]
HTML = "<html><head><meta charset='utf-16'></head><body><article><p>%s</p></article></body></html>"


def row(file: str, make: Callable[[], bytes], documents: int, *reasons: str) -> Row:
    """Return one row of the table."""
    return file, make, documents, reasons


def between(middle: bytes) -> Callable[[], bytes]:
    """Put bytes between good records."""
    return lambda: m.lines(3) + middle + m.lines(3, 3)


def array(middle: bytes) -> bytes:
    """Return records in an array on one line, with some bytes as one of them."""
    made = [*m.lines(3).splitlines(), middle, *m.lines(3, 3).splitlines()]
    return b"[" + b", ".join(made) + b"]"


def table(column: pa.Array, **options: object) -> Callable[[], bytes]:
    """Return a Parquet file with one column of text."""

    def make() -> bytes:
        out = io.BytesIO()
        pq.write_table(pa.table({"text": column}), out, **options)
        return out.getvalue()

    return make


def no_columns() -> bytes:
    """Return a Parquet file without columns."""
    out = io.BytesIO()
    pq.write_table(pa.table({}), out)
    return out.getvalue()


def with_footer_encrypted() -> bytes:
    """Return a Parquet file that says it is encrypted."""
    stored = m.parquet({"text": TEXTS})
    return b"PARE" + stored[4:-4] + b"PARE"


def with_dictionary() -> bytes:
    """Return a zstd frame that needs a dictionary which is not there."""
    words = zstandard.ZstdCompressionDict(m.lines(400), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdCompressor(dict_data=words).compress(m.lines(40))


def skippable(size: int) -> bytes:
    """Return a zstd frame that holds no data."""
    return b"\x50\x2a\x4d\x18" + size.to_bytes(4, "little") + m.noise(size)


def pax(name: str, headers: dict[str, str]) -> bytes:
    """Return a tar archive of the format of POSIX with a member that has such headers."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for each, data in ((name, A[1]), B):
            member = tarfile.TarInfo(each)
            member.size = len(data)
            member.pax_headers = headers if each == name else {}
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def locked_member() -> bytes:
    """Return a zip archive of which the first member says that it is encrypted."""
    stored = bytearray(m.zipped([A, B]))
    stored[6] |= 1
    return bytes(stored)


def symlink_in_zip() -> bytes:
    """Return a zip archive with a symbolic link."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(*A)
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr(*B)
    return out.getvalue()


def streamed_zip() -> bytes:
    """Return a zip archive that was written to a pipe: sizes stand behind the members."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(*A)
        archive.writestr(*B)
    return out.getvalue()


def unmeasured(kind: str, block: bytes) -> bytes:
    """Return a WARC record without the length of its block."""
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: text/plain\r\n\r\n"
    return head.encode() + block + b"\r\n\r\n"


def wide_csv() -> bytes:
    """Return a table of 10,000 columns, the text in the last."""
    head = ",".join(f"c{number}" for number in range(9_999)) + ",text\n"
    rows = ["1," * 9_999 + f'"{text}"\n' for text in TEXTS]
    return (head + "".join(rows)).encode()


def wiki(body: str) -> Callable[[], bytes]:
    """Return a wiki with a good page before and after some XML."""
    return (m.WIKI + m.wiki(1) + body + m.wiki(2)).encode


TALK = (
    "<page><title>Talk:X</title><ns>1</ns><id>9</id><revision><text>hm</text></revision></page>\n"
)
MOVED = (
    "<page><title>Y</title><ns>0</ns><id>8</id><redirect title='X'/><revision>"
    "<text>#REDIRECT [[X]]</text></revision></page>\n"
)

TEXT_ROWS = [
    row("mixed-ends.jsonl", lambda: m.line(0).rstrip() + b"\r\n" + m.line(1) + m.line(2).rstrip()
        + b"\r\r\n", 3),
    row("crlf-nul.jsonl", between(b'{"text": "a few words"}\0\r\n'), 7, "invalid_json"),
    row("nan.jsonl", between(b'{"text": "a few words", "x": NaN, "y": -Infinity}\n'), 7),
    row("huge-int.jsonl", between(b'{"text": "a few words", "x": 1' + b"0" * 400 + b"}\n"), 7),
    row("huge-float.jsonl", between(b'{"text": "a few words", "x": 1e999}\n'), 7),
    row("one-array.jsonl", lambda: b"[\n" + b",\n".join(GB.splitlines()) + b"\n]\n", 3),
    row("one-line-array.jsonl", lambda: b"[" + b",".join(GB.splitlines()) + b"]", 3),
    row("pretty.jsonl", lambda: b'{\n  "text": "some words",\n  "id": 1\n}\n' * 3, 3),
    row("array-broken.json", lambda: array(b'{"text": "a", "c": [{"text": "b"} {"text": "c"}]}'), 6,
        "invalid_json"),
    row("array-cut.json", lambda: array(b'{"text": "a", "c": [{"text": "b"}, !').split(b"!")[0],
        3, "truncated"),
    row("array-long.json", lambda: array(b'{"c": [' + b'{"text": "b"}, ' * (2 << 20) + b"{}]}"), 6,
        "record_too_long"),
    row("array-mixed.json", lambda: array(b'null, 5, ["text"], {"body": "a"}'), 6, "not_an_object",
        "missing_text"),
    row("answer.json", lambda: b'{"n": 6, "data": ' + array(b"{z}") + b', "next": null}', 6,
        "invalid_json"),
    row("one-object.json", lambda: b'{\n"a": [' + b"1, " * (6 << 20) + b"1]\n}\n", 0,
        "record_too_long"),
    row("utf32.jsonl", lambda: GB.decode().encode("utf-32"), 3),
    row("utf7.txt", lambda: (m.story(1) + "日本").encode("utf-7"), 1),
    row("ebcdic.txt", lambda: (m.story(1) * 20).encode("cp037"), 0, "undecodable"),
    row("bidi.jsonl", between('{"text": "abc \u202e def \u2066 x \u200f"}\n'.encode()), 7),
    row("zero-bytes.txt", lambda: bytes(8 << 20), 0, "unsupported_format"),
    row("zeros-inside.jsonl", between(bytes(4 << 20) + b"\n"), 6, "invalid_json"),
    row("key-escaped.jsonl", between(b'{"te\\u0078t": "a few words"}\n'), 7),
    row("nul-escaped.jsonl", between(b'{"text": "a \\u0000 few words"}\n'), 7),
    row("only-nul.jsonl", between(b'{"text": "\\u0000\\u0000"}\n'), 6, "empty_text"),
    row("line-separator.jsonl", between('{"text": "a \u2028 few \u0085 words"}\n'.encode()), 7),
    row("two-files.jsonl", lambda: b"\xef\xbb\xbf" + GB + b"\xef\xbb\xbf" + m.lines(3, 3), 6),
    row("half-utf16.txt", lambda: m.story(1).encode("utf-16-le")[:-1] + m.story(2).encode(), 1,
        "invalid_encoding"),
    row("overlong.jsonl", between(b'{"text": "a \xc0\xaf few words"}\n'), 7, "invalid_encoding"),
]  # fmt: skip

STREAM_ROWS = [
    row("dictionary.zst", lambda: m.frames([GB])[0] + with_dictionary() + m.frames([GB])[0], 6,
        "corrupt_stream"),
    row("skippable.zst", lambda: skippable(99) + m.frames([GB])[0] + skippable(9)
        + m.frames([GB])[0], 6),
    row("skippable-cut.zst", lambda: m.frames([GB])[0] + skippable(99)[:50], 3,
        "truncated_stream"),
    row("wrong-check.xz", lambda: lzma.compress(GB) + m.holed(lzma.compress(GB), -40, 8)
        + lzma.compress(GB), 6, "corrupt_stream"),
    row("lzma-alone.xz", lambda: lzma.compress(GB, format=lzma.FORMAT_ALONE), 0,
        "undecodable"),
    row("middle-broken.bz2", lambda: bz2.compress(GB) * 2 + m.holed(bz2.compress(GB), 30)
        + bz2.compress(GB) * 2, 12, "corrupt_stream"),
    row("extra-field.gz", lambda: b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\xff\xff" + bytes(9), 0,
        "truncated_stream"),
    row("name-in-header.gz", lambda: b"\x1f\x8b\x08\x08\0\0\0\0\0\xff../../x\0"
        + gzip.compress(GB, mtime=0)[10:], 3),
    row("empty-members.gz", lambda: gzip.compress(b"", mtime=0) * 500 + gzip.compress(GB), 3),
    row("brotli.br", lambda: b"\x8b\x02\x80" + m.noise(600), 0, "undecodable"),
]  # fmt: skip

RECORD_ROWS = [
    row("unmeasured.warc", lambda: m.wet(0) + unmeasured("conversion", b"a block of words")
        + m.wet(1), 2, "bad_warc_header"),
    row("length-negative.warc", lambda: m.wet(0) + m.warc("conversion", b"x" * 90).replace(
        b"Length: 90", b"Length: -9") + m.wet(1), 2, "bad_warc_header"),
    row("wrong-charset.warc", lambda: m.response((HTML % m.story(1)).encode()) + m.wet(1), 2),
    row("header-charset.warc", lambda: m.response((HTML % m.story(1)).encode("cp1251"),
        "Content-Type: text/html; charset=no-such") + m.wet(1), 2),
    row("null-type.warc", lambda: m.wet(0) + m.warc("nonsense", b"x") + m.wet(1), 2),
    row("headers-endless.warc", lambda: m.wet(0) + b"WARC/1.0\r\n" + b"X: y\r\n" * 400_000
        + m.wet(1), 2, "bad_warc_header"),
    row("namespaces.xml", wiki(TALK + MOVED), 2),
    row("no-words.xml", wiki(m.wiki(7, "")), 2, "empty_text"),
    row("cdata.xml", wiki(m.wiki(7, "<![CDATA[a few words <b>]]>")), 3),
    row("control.xml", wiki(m.wiki(7, "a \x01 few words")), 2, "invalid_xml"),
]  # fmt: skip

TABLE_ROWS = [
    row("dictionary.parquet", table(pa.array(TEXTS).dictionary_encode()), 4),
    row("large-string.parquet", table(pa.array(TEXTS, pa.large_string())), 4),
    row("binary.parquet", table(pa.array([text.encode() for text in TEXTS], pa.binary())), 4),
    row("bad-binary.parquet", table(pa.array([b"some words", b"bad \xff word"], pa.binary())), 1,
        "invalid_encoding"),
    row("nested.parquet", table(pa.array([{"said": text} for text in TEXTS])), 0, "wrong_type"),
    row("lists.parquet", table(pa.array([[text] for text in TEXTS])), 0, "wrong_type"),
    row("no-columns.parquet", no_columns, 0, "missing_text_column"),
    row("no-rows.parquet", table(pa.array([], pa.string())), 0),
    row("encrypted.parquet", with_footer_encrypted, 0, "unsupported_format"),
    row("wide.csv", wide_csv, 4),
    row("nul.csv", lambda: b"id,text\n1,a few words\n2,a \0 few words\n3,more words\n", 3),
    row("bom.csv", lambda: b"\xef\xbb\xbfid,text\n1,a few words\n", 1),
    row("same-names.csv", lambda: b"text,text\na few words,more\n" * 2, 1),
    row("many-lines.csv", lambda: b'id,text\n1,"' + b"\n" * 50_000 + b'words"\n2,more words\n', 2),
]  # fmt: skip

ARCHIVE_ROWS = [
    row("newline-name.tar", lambda: m.tarred([("a\nb\r.jsonl", A[1]), B]), 1, "unsafe_path"),
    row("nul-name.zip", lambda: m.zipped([("a%00\u202eb.jsonl", A[1]), B]), 3),
    row("drive.zip", lambda: m.zipped([A, ("C:\\windows\\x.txt", B[1]), B]), 3, "unsafe_path"),
    row("dots.tar", lambda: m.tarred([A, ("a/./b/../../../x", B[1]), B]), 3, "unsafe_path"),
    row("gz-in-zip-in-tar.tar", lambda: m.tarred([("z.zip", m.zipped([("a.gz",
        gzip.compress(GB))])), B]), 1, "nested"),
    row("hard-link.tar", lambda: m.tarred([A, ("l", b""), B], {"l": tarfile.LNKTYPE}), 3, "link"),
    row("fifo.tar", lambda: m.tarred([A, ("f", b""), B], {"f": tarfile.FIFOTYPE}), 3,
        "special_file"),
    row("pax-path.tar", lambda: pax("a.jsonl", {"path": "../../x.jsonl"}), 1, "unsafe_path"),
    row("pax-size.tar", lambda: pax("a.jsonl", {"comment": "x" * 9_000}), 3),
    row("encrypted.zip", locked_member, 1, "encrypted"),
    row("link.zip", symlink_in_zip, 3, "link"),
    row("link-cut.zip", lambda: symlink_in_zip().partition(b"PK\x01\x02")[0], 4,
        "truncated_archive"),  # the directory alone tells a link from a file
    row("link.zip.gz", lambda: gzip.compress(symlink_in_zip(), mtime=0), 4),  # out of reach
    row("streamed.zip", streamed_zip, 3),
    row("prefix.zip", lambda: b"#!/bin/sh\n" + m.zipped([A, B]), 0,
        "unsupported_format"),
    row("no-members.zip", lambda: m.zipped([]), 0, "unsupported_format"),
    row("folders.zip", lambda: m.zipped([("d/", b""), ("d/a.jsonl", A[1]), B]), 3),
    row("warc-in-zip.zip", lambda: m.zipped([("w.warc", m.wet(1) + m.wet(2)), B]), 3),
    row("many-members.zip", lambda: m.zipped([(f"{n}", b"w") for n in range(3_000)]), 3_000),
]  # fmt: skip

NASTY = [*TEXT_ROWS, *STREAM_ROWS, *RECORD_ROWS, *TABLE_ROWS, *ARCHIVE_ROWS]
