"""The header of a mail: whether a file begins with one, and where one ends.

Holds: `is_mail`, `header_of`, `begins_box` and patterns. Pure functions of bytes.
Not here: what the message says (`mail.py`).
"""

from __future__ import annotations

import codecs
import re

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
LONGEST = 300


def is_mail(head: bytes) -> bool:
    """Whether a file begins with the header of a message in MIME, or of a box of mails."""
    header = header_of(head)
    if header is None:
        return False
    names = header_fields(header[1]).keys()
    if names >= {"mime-version", "content-type"}:
        return True
    return names >= {"from", "date"} and bool(_BEGINS.match(head) or NEXT.search(head))


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
