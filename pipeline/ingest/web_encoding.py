"""The characters of a web page: what its header says, what the page says, what its bytes are.

Holds: `page_text`, `page_encoding`. Pure functions of bytes.
Not here: files of text (`encodings.py`), what a page says (`web.py`).

Labels mean what they mean to browsers (the WHATWG encoding standard): pages in "ISO-8859-1" are in
Windows-1252, and pages in "GB2312" in GB18030. Labels that browsers do not know are not believed.
"""

from __future__ import annotations

from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

from pipeline.ingest.encodings import codec_of, contradicts_utf8, encoding_of, marked_encoding

_READ_AS = {
    "gbk": "gb18030",
    "iso8859-11": "windows-874",
    "cp874": "windows-874",
    "cp866": "ibm866",
    **{f"cp125{number}": f"windows-125{number}" for number in range(9)},
}
"""What a standard's codec is read with, and recorded as: the superset that is meant."""

_WIDE = ("utf-16", "utf-32")


def page_text(body: bytes, charset: str, *, is_html: bool) -> tuple[str, str]:
    """Return the characters of a page, wrong bytes as U+FFFD, and the name of its encoding.

    Args:
        body: the page as it was written.
        charset: what the header says, "" when it says nothing.
        is_html: whether the page may say it itself.
    """
    encoding = page_encoding(body, charset, is_html=is_html)
    return body.decode(codec_of(encoding), "replace").lstrip("\ufeff"), encoding


def page_encoding(body: bytes, charset: str = "", *, is_html: bool = True) -> str:
    """Return the name of the encoding of a page, or of the start of one."""
    if marked := marked_encoding(body):
        return marked
    said = _known(charset) or _guess(body, is_html=is_html)
    if said == "windows-1252" and _is_utf8(body):
        return "utf-8"  # what servers say that were never told
    if said == "utf-8" and contradicts_utf8(body):
        return encoding_of(body)
    return said


def _guess(body: bytes, *, is_html: bool) -> str:
    said = _known(detect_encoding(body, from_html_meta=is_html))
    if said and said.startswith(_WIDE):
        said = _known(detect_encoding(body))  # bytes in which a page says so are no such units
    return said or "utf-8"


def _known(label: str | None) -> str | None:
    """Return the name of an encoding that browsers know under a label."""
    if not label or not label.isascii() or "\0" in label:
        return None
    found = map_encoding_to_html5(label, fallback_utf8=False)
    if not found:
        return None
    return _READ_AS.get(found) or found.replace("iso8859", "iso-8859")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
