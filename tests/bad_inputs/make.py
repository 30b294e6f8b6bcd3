"""Builders of whole and broken dump files, the same bytes each time.

Holds: packers, records of every format, and ways to break them. Pure.
Not here: which file must have which outcome (`cases.py`). Run as a script with a folder, it writes
every case as a file to look at.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

STORY = "The council met on day %d and agreed to mend the old bridge before the winter comes. "


def story(number: int) -> str:
    """Return a text of its own."""
    return STORY % number * 3


def line(number: int) -> bytes:
    """Return a good JSON record."""
    return b'{"text": "%s", "id": %d}\n' % (story(number).encode(), number)


def lines(count: int, start: int = 0) -> bytes:
    """Return good JSON records."""
    return b"".join(line(number) for number in range(start, start + count))


def members(parts: Sequence[bytes]) -> list[bytes]:
    """Compress each part as a gzip member of its own."""
    return [gzip.compress(part, mtime=0) for part in parts]


def frames(parts: Sequence[bytes]) -> list[bytes]:
    """Compress each part as a zstd frame of its own."""
    packer = zstandard.ZstdCompressor(write_checksum=True)
    return [packer.compress(part) for part in parts]


def holed(data: bytes, at: int, size: int = 12) -> bytes:
    """Replace some bytes by others."""
    return data[:at] + bytes(0xFF ^ byte for byte in data[at : at + size]) + data[at + size :]


def noise(size: int) -> bytes:
    """Return bytes without sense."""
    return random.Random(size).randbytes(size)  # noqa: S311 - no secret


def warc(kind: str, block: bytes, *, mime: str = "text/plain", length: int = -1) -> bytes:
    """Return one WARC record; `length` lies about its block when given."""
    size = len(block) if length < 0 else length
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://n.example/{len(block)}\r\n"
        f"Content-Type: {mime}\r\nContent-Length: {size}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def wet(number: int) -> bytes:
    """Return a good record of extracted text."""
    return warc("conversion", story(number).encode())


def response(body: bytes, *headers: str) -> bytes:
    """Return a record of an HTTP response."""
    head = "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: text/html", *headers])
    return warc("response", head.encode() + b"\r\n\r\n" + body, mime="application/http")


def segments(record: bytes, count: int) -> list[bytes]:
    """Cut a WARC record to one with its continuations."""
    head, _, block = record[:-4].partition(b"\r\n\r\n")
    kind = re.search(rb"Content-Type: .*", head)[0]  # type: ignore[index] - each has one
    size = -(-len(block) // count)
    made = []
    for number in range(count):
        part = block[number * size : (number + 1) * size]
        name, kind_of = (
            (b"Record-ID", b"response") if not number else (b"Segment-Origin-ID", b"continuation")
        )
        lines = [
            b"WARC/1.0", b"WARC-Type: " + kind_of, b"WARC-%s: <urn:uuid:%d>" % (name, len(block)),
            b"WARC-Segment-Number: %d" % (number + 1), kind, b"Content-Length: %d" % len(part),
        ]  # fmt: skip
        lines += [b"WARC-Segment-Total-Length: %d" % len(block)] if number == count - 1 else []
        made.append(b"\r\n".join(lines) + b"\r\n\r\n" + part + b"\r\n\r\n")
    return made


def page(number: int) -> bytes:
    """Return an HTML page."""
    return f"<html><body><article><p>{story(number)}</p></article></body></html>".encode()


def mail(number: int, body: bytes | None = None) -> bytes:
    """Return a mail with its text twice, and a picture."""
    html = page(number) if body is None else body
    parts = [(b"text/plain", b"short"), (b"text/html", html), (b"image/png", b"iVBORw0KGgo=")]
    head = b"Subject: M%d\nDate: Tue, 12 Mar 2024 10:00:00 +0000\nFrom: a@x.example\n" % number
    head += b"MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=xx\n\n"
    body = b"".join(b"--xx\nContent-Type: %s\n\n%s\n" % each for each in parts)
    return head + body + b"--xx--\n"


def box(*mails: bytes) -> bytes:
    """Join mails to a box."""
    return b"".join(b"From a@x.example Tue Mar 12 10:00:00 2024\n" + each for each in mails)


WIKI = "<mediawiki>\n"


def wiki(number: int, text: str | None = None) -> str:
    """Return a page of a MediaWiki dump."""
    return (
        f"<page><title>T{number}</title><ns>0</ns><id>{number}</id><revision>"
        f"<text>{story(number) if text is None else text}</text></revision></page>\n"
    )


def parquet(columns: Mapping[str, Sequence[object]], rows: int = 2) -> bytes:
    """Return a Parquet file with row groups of `rows`."""
    out = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), out, row_group_size=rows, compression="none")
    return out.getvalue()


def zipped(files: Sequence[tuple[str, bytes]], *, stored: bool = False) -> bytes:
    """Return a zip archive; the same name may stand twice."""
    out = io.BytesIO()
    how = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name), data, how)
    return out.getvalue()


def tarred(files: Sequence[tuple[str, bytes]], kinds: Mapping[str, bytes] | None = None) -> bytes:
    """Return a tar archive; `kinds` makes members links or devices."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.type = (kinds or {}).get(name, tarfile.REGTYPE)
            member.linkname = "/etc/passwd" if member.type != tarfile.REGTYPE else ""
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def main(folder: Path) -> None:
    """Write every case to a folder."""
    from tests.bad_inputs.cases import CASES  # noqa: PLC0415 - the cases use these builders

    folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        (folder / case.file).write_bytes(case.make())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
