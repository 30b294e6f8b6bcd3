"""The header of a mail: whether a file begins with one, and where one ends.

Holds: `is_mail`, `mail_kind`, `header_of`, `begins_box`, `narrowed`, `with_lf` and patterns.
Pure functions of bytes. Not here: what the message says (`mail.py`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping

from pipeline.ingest.encodings import marked_encoding
from pipeline.ingest.http import header_fields

LOOKED_AT = 1 << 18
_BOX = rb"From (?=[^\r\n]{0,190}\d\d:\d\d)(?=[^\r\n]{0,190}(?:19|20)\d\d)[^\r\n]{1,200}\r?\n"
"""What stands above a mail in a box: an address, a time and a year."""

_HEADER = re.compile(
    rb"(?:\xef\xbb\xbf)?[\r\n]{0,9}(?:%s)?((?:(?!\r?\n)[^\n]*\n){2,9999})\r?\n" % _BOX
)
FIELD = re.compile(rb"[!-9;-~]{1,70}:|[ \t]")
_BROKEN = 4
"""Of so many lines of a header one may be broken."""

NEXT = re.compile(rb"(?<=\n)%s(?=[!-9;-~]{1,70}:)" % _BOX)
_BEGINS = re.compile(_BOX)
STARTS = re.compile(rb"\n(?=%s[!-9;-~]{1,70}:)" % _BOX)
LONGEST = 600
"""Bytes of both, in UTF-16."""

_LINE_END = re.compile(rb"\r\n?|\n")
_WIDE = {
    "utf-16-le": re.compile(rb"(?:[ -~]\0){9}"),
    "utf-16-be": re.compile(rb"(?:\0[ -~]){9}"),
}
_ADDRESS = re.compile(r"[^\s<>@()\"]@[^\s<>@()\"]")
_DATE = re.compile(
    r"(?:[A-Za-z]{3,9},? )?(?: ?\d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4}|[A-Za-z]{3} [ \d]?\d),?"
    r" [ \d]?\d:\d\d"
)
"""As RFC 822 and RFC 850 write it, and `asctime`; people write it in more words."""

_BY_PROGRAMS = frozenset(
    ("message-id", "received", "return-path", "newsgroups", "path", "references", "in-reply-to",
     "lines", "organization", "xref", "nntp-posting-host", "delivered-to", "x-mailer")
)  # fmt: skip
_KNOWN = _BY_PROGRAMS | {"from", "to", "cc", "subject", "date", "reply-to", "sender"}
_LEAST = 3


def is_mail(head: bytes) -> bool:
    """Whether a file begins with the header of a message, or of a box of mails."""
    return mail_kind(head) != ""


def mail_kind(head: bytes) -> str:
    """Return what a file of mails begins with: `mime`, `box`, or `plain`; "" when it is none.

    A header that names no MIME must be whole and that of a mail alone, at the very start: articles
    begin with "From" and "Subject" too.
    """
    wide, by_cr = wide_encoding(head), ends_lines_in_cr(head)
    head = with_lf(narrowed(head[:LOOKED_AT], wide), by_cr=by_cr)
    header = header_of(head)
    if header is None:
        return "box" if _holds_box(head) else ""
    fields = header_fields(header[1])
    if fields.keys() >= {"mime-version", "content-type"}:
        return "mime"
    if fields.keys() >= {"from", "date"} and (_BEGINS.match(head) or NEXT.search(head)):
        return "box"
    is_first = head.removeprefix(codecs.BOM_UTF8).startswith(header[1])
    is_whole = is_first and all(map(FIELD.match, header[1].splitlines()))
    return "plain" if is_whole and _is_of_mail(fields) else ""


def _holds_box(head: bytes) -> bool:
    """Whether a file whose first header is broken begins like a box, and a whole one follows."""
    found = NEXT.search(head) if _BEGINS.match(head.removeprefix(codecs.BOM_UTF8)) else None
    header = header_of(head[found.start() :]) if found else None
    return header is not None and header_fields(header[1]).keys() >= {"from", "date"}


def _is_of_mail(fields: Mapping[str, str]) -> bool:
    """Whether fields have an address, a date as mails have it, and another name that is known.

    Without a date one must be a name that programs alone write.
    """
    if not _ADDRESS.search(fields.get("from", "")) or len(fields.keys() & _KNOWN) < _LEAST:
        return False
    if "date" in fields:
        return _DATE.match(fields["date"].strip()) is not None
    return "subject" in fields and bool(fields.keys() & _BY_PROGRAMS)


def wide_encoding(head: bytes) -> str:
    """Return the encoding of a header in UTF-16, else ""."""
    marked = marked_encoding(head)
    if marked:
        return marked if marked.startswith("utf-16") else ""
    return next((name for name, start in _WIDE.items() if start.match(head)), "")


def narrowed(raw: bytes, encoding: str) -> bytes:
    """Return a mail in UTF-16 in UTF-8, with line ends of LF; without an encoding, as it is."""
    if not encoding:
        return raw
    said = raw.decode(encoding, "replace").removeprefix("\ufeff").encode("utf-8", "replace")
    return with_lf(said, by_cr=ends_lines_in_cr(said))


def ends_lines_in_cr(head: bytes) -> bool:
    """Whether the first line of a file ends in a byte CR as those of old Macs do."""
    end = _LINE_END.search(head[:LOOKED_AT])
    return end is not None and end[0] == b"\r" and not wide_encoding(head)


def with_lf(raw: bytes, *, by_cr: bool) -> bytes:
    """Return lines that end in CR alone as lines that end in LF."""
    return raw.replace(b"\r", b"\n") if by_cr else raw


def header_of(raw: bytes) -> re.Match[bytes] | None:
    """Find the header at the start of some bytes; a broken line in it does not matter."""
    found = _HEADER.match(raw[:LOOKED_AT])
    lines = found[1].splitlines() if found else []
    broken = sum(not FIELD.match(line) for line in lines)
    return found if _BROKEN * broken <= len(lines) else None


def begins_box(head: bytes) -> bool:
    """Whether the first line is that of a box, or may have been."""
    first = head.removeprefix(codecs.BOM_UTF8).lstrip(b"\r\n")
    return FIELD.match(first) is None


def begins_plain_box(head: bytes) -> bool:
    """Whether a file that holds mails is a box of bytes that are read as they are stored."""
    return begins_box(head) and not wide_encoding(head) and not ends_lines_in_cr(head)


def _in_bytes(form: bytes) -> Callable[[re.Match[bytes]], bytes]:
    """Return what writes a part of a pattern in a form, when it stands for a byte."""
    return lambda part: part[0] if part[1] is None else form % part[1]


_PARTS = re.compile(rb"\(\?<?[:=]|[)|?]|\{[\d,]+\}|(\\.|\[[^\]]+\]|.)", re.DOTALL)
"""What a pattern consists of; a group: what stands for a byte."""

NEXT_OF = {
    "": NEXT,
    "utf-16-le": re.compile(_PARTS.sub(_in_bytes(rb"(?:%s\x00)"), NEXT.pattern)),
    "utf-16-be": re.compile(_PARTS.sub(_in_bytes(rb"(?:\x00%s)"), NEXT.pattern)),
}
"""The start of the next mail in a box, by the encoding of one in UTF-16."""
