"""What decoded bytes are, judged by content and never by name.

Holds: `container_kind`, `text_kind`, `binary_kind`, `looks_like_jsonl`. Pure functions of the
first block. Not here: decompression (`codecs.py`), encodings (`encodings.py`), reading the formats
(`parts.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

import msgspec

from pipeline.ingest.delimited import table_of
from pipeline.ingest.encodings import MAX_NULS, encoding_of
from pipeline.ingest.html_files import looks_like_html
from pipeline.ingest.json_files import looks_like_json
from pipeline.ingest.mail_header import is_mail
from pipeline.ingest.mediawiki import looks_like_mediawiki
from pipeline.ingest.tar_members import is_tar
from pipeline.ingest.warc import is_warc
from pipeline.ingest.zip_members import MAGIC

PROBE_LINES = 20
_FEW = 6
"""Lines of which fewer than one is an object are a page."""

_PROSE = 200
"""Characters of the lines below an object without text that make a page of it."""

_BINARY = (
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PARE", "an encrypted Parquet file"),
    (b"ORC\n", "an ORC file"),
    (b"{\\rtf", "an RTF document"),
    (b"filedesc://", "an ARC file, the forerunner of WARC"),
    (b"!<arch>\n", "an ar archive or Debian package"),
    (b"%!PS", "a PostScript document"),
    (b"version https://git-lfs.github.com/", "a Git LFS pointer to a file that is elsewhere"),
    (b"LZIP", "an lzip file"),
    (b"\x1f\x9d", "a file of compress (.Z)"),
    (b"\xff\x06\0\0sNaPpY", "a Snappy file"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1\0\0", "an Arrow file"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "an LZ4 file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"OggS\0", "an Ogg recording"),
    (b"ID3\x03", "an MP3 recording"),
)
_INSIDE = (
    (4, b"ftyp", "a film or recording (MP4)"),
    (8, b"WEBPVP8", "a WebP image"),
    (8, b"WAVEfmt ", "a WAV recording"),
    (8, b"AVI LIST", "an AVI film"),
    (257, b"ustar", "a tar archive"),
)
_OBJECT_START = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.){0,200}"\s*:')
_OBJECT_CUT = re.compile(r'\{\s*(?:"(?:[^"\\]|\\.){0,200}(?:\\|"\s*)?)?')
_ODD = re.compile(r'[{}]|"\s*:|^\s*[\[\]]')
"""What a line of broken records has."""

_XML_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml[\s?]")
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def binary_kind(head: bytes) -> str | None:
    """Name what a file that is no text seems to be, or return None for text."""
    places = chain(((0, magic, name) for magic, name in _BINARY), _INSIDE)
    found = next((name for at, magic, name in places if head.startswith(magic, at)), None)
    if found:
        return found
    if _XML_START.match(head) and not _is_known_markup(head):
        return "an XML document that is no dump of a wiki"
    if head.count(0) > MAX_NULS * len(head) and encoding_of(head) == "utf-8":
        return None if _has_records(head) else "binary data"
    return None


def _is_known_markup(head: bytes) -> bool:
    text = head.decode("utf-8", "replace")
    return looks_like_mediawiki(text) or looks_like_html(text)


def _has_records(head: bytes) -> bool:
    """Whether one of the first lines is an object, whatever stands around it, or JSON begins."""
    if any(_is_object(line.decode("utf-8", "replace")) for line in _first_lines(head)):
        return True
    return looks_like_json(head.decode("utf-8", "replace"), by_lines=False)


def _first_lines(head: bytes) -> list[bytes]:
    return head.split(b"\n", PROBE_LINES)[:PROBE_LINES]


def container_kind(head: bytes) -> str:
    """Name the format of a file of records that is no text, "" for all others."""
    if head.startswith(MAGIC):
        return "zip"
    if is_tar(head):
        return "tar"
    if head.startswith(b"PAR1"):
        return "parquet"
    if is_warc(head):
        return "warc"
    return "mail" if is_mail(head) else ""


def text_kind(head: str, text_names: Iterable[str], *, complete: bool) -> str:
    """Name what a text is by its first block, without a byte order mark.

    `text_names` are the columns that may hold text.
    """
    if looks_like_mediawiki(head):
        return "mediawiki"
    if looks_like_html(head):
        return "html"
    if table_of(head, text_names)[0]:
        return "csv"
    if looks_like_json(head, by_lines=_by_lines(head, complete=complete)):
        return "json"
    return "jsonl" if looks_like_jsonl(head, complete=complete) else "text"


def _by_lines(head: str, *, complete: bool) -> bool:
    """Whether most of the first lines are objects that are not inside of another."""
    lines = head.lstrip("\n").split("\n", PROBE_LINES)
    whole = (lines if complete else lines[:-1])[:PROBE_LINES]
    said = [line for line in whole if line.strip("[], \t\r")]
    indents = [len(line) - len(line.lstrip()) for line in said]
    found = sum(
        indent <= indents[0] and _is_object(line.strip("[], \t\r"))
        for line, indent in zip(said, indents, strict=True)
    )
    return 2 * found > len(said)


def looks_like_jsonl(head: str, *, complete: bool) -> bool:
    """Whether a file that begins with `head` is JSON lines.

    It is when the first line that is not blank begins like an object with a first name, or when
    some of the first lines are objects: broken lines at the top must not turn records into text,
    nor an example a page into records, nor an object without text above prose.
    All that damage left of a file may be the start of such a beginning.

    Args:
        head: the first block, without a byte order mark.
        complete: whether the head is the whole file, as it was meant to be.
    """
    lines = head.lstrip().split("\n", PROBE_LINES)
    if _OBJECT_START.match(lines[0]):
        return not _opens_page(lines[:PROBE_LINES])
    if not complete and len(lines) == 1 and _OBJECT_CUT.fullmatch(lines[0]):
        return True
    whole = (lines if complete else lines[:-1])[:PROBE_LINES]
    found = sum(_is_object(line) for line in whole)
    return _FEW * found > sum(not line.isspace() for line in whole if line)


def _opens_page(lines: list[str]) -> bool:
    """Whether an object stands above prose: as records both would be refused, as a page none is."""
    prose = [line for line in lines[1:] if line and not line.isspace()]
    odd = sum(_ODD.search(line) is not None for line in prose)
    if sum(map(len, prose)) < _PROSE or _FEW * odd > len(prose):
        return False
    return _is_object(lines[0]) and "text" not in _object.decode(lines[0].rstrip().rstrip(","))


def _is_object(line: str) -> bool:
    if not line.lstrip().startswith("{"):
        return False
    try:
        _object.decode(line.rstrip().removesuffix(","))
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True
