"""Mails, saved web pages in MIME (.eml, .mht), and boxes of mails: one document a message.

Holds: `mail_pieces`, `skip_mail`. Reads a `Window`; pure otherwise.
Not here: headers, and what is a mail (`mail_header.py`), the text of a part (`web.py`), encodings
(`web_encoding.py`).

A character is a byte, lines count messages. The text is that of the parts that a reader would be
shown; attachments, pictures and frames belong to the message and are not read. A mail in a box ends
where a line `From` and a header follow; a file that begins otherwise is one message.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime

from pipeline.ingest import normalise
from pipeline.ingest.file_layout import Layout
from pipeline.ingest.mail_header import (
    FIELD,
    LONGEST,
    LOOKED_AT,
    NEXT_OF,
    begins_box,
    header_of,
    narrowed,
    wide_encoding,
)
from pipeline.ingest.pieces import MAX_BAD_SHARE, Piece, RefusedError, Span, excerpt
from pipeline.ingest.web import HTML, body_piece
from pipeline.ingest.web_encoding import page_text
from pipeline.ingest.window import Window
from pipeline.model.settings import IngestSettings

_SHOWN = 200
_BOUNDARY = re.compile(
    rb"boundary[*\d]{0,3}[ \t]{0,9}=[ \t]{0,9}\"?([^\s\";]{1,70})", re.IGNORECASE
)
_DASHES = re.compile(rb"[\r\n]--([^\r\n]{1,80})")
MAX_PARTS, MAX_COMPARED = 1 << 16, 1 << 27
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]|=(?!=?$)")
_Parts = list[tuple[Message, Piece]]


def mail_pieces(
    window: Window,
    settings: IngestSettings,
    *,
    layout: Layout,
    is_rest: bool,
    damaged: Callable[[], bool],
) -> Iterator[Piece]:
    """Make one piece of each message.

    Args:
        window: the bytes of the messages.
        settings: `max_record_bytes` bounds a message.
        layout: keeps the encoding of mails in UTF-16.
        is_rest: whether the first may be the rest of one, behind damage.
        damaged: says at the end whether damage is what ended the bytes.
    """
    head, number = window.peek(LONGEST), 0
    layout.wide = wide = layout.wide if is_rest else wide_encoding(head)
    is_box = is_rest or begins_box(narrowed(head, wide))
    while window.fill(1):
        number += 1
        start, shown = window.position, excerpt(window.peek(_SHOWN).decode("latin-1"))
        try:
            piece = _message(window, settings, is_box=is_box, wide=wide)
            if piece.kind == "document" and not window.fill(1) and damaged():
                piece.cut = "expected the end of a mail, found damage of the file."
        except RefusedError as error:
            piece = Piece(span=_span(0, 0, 0), kind="quarantine", reason=error.reason)
            piece.detail = error.detail
        piece.excerpt = "" if piece.kind == "document" else shown
        piece.span = _span(start, window.position, number)
        yield piece


def _span(start: int, end: int, number: int) -> Span:
    return Span(start, end, number, number)


def skip_mail(window: Window, settings: IngestSettings) -> None:
    """Take what `mail_pieces` makes one piece of, in a box."""
    with suppress(RefusedError):
        _raw(window, settings, is_box=True)


def _raw(window: Window, settings: IngestSettings, *, is_box: bool, wide: str = "") -> bytes:
    """Take a message; also one that is too long."""
    limit = settings.max_record_bytes
    size = _size(window, limit, wide) if is_box else window.fill(limit + 1)
    if size > limit:
        if is_box:
            window.skip_to(NEXT_OF[wide], longest=LONGEST, ahead=1)
        else:
            while window.skip(LOOKED_AT):
                pass
        detail = f"expected a mail of at most {limit} bytes, found a longer one."
        raise RefusedError("record_too_long", f"{detail} Raise ingest.max_record_bytes.")
    return window.take(size)


def _message(window: Window, settings: IngestSettings, *, is_box: bool, wide: str) -> Piece:
    """Take a message and make its piece, without its span."""
    raw = narrowed(_raw(window, settings, is_box=is_box, wide=wide), wide)
    header = header_of(raw)
    if not raw.strip():
        return Piece(span=_span(0, 0, 0), kind="furniture", reason="blank_line")
    if header is None:
        raise RefusedError("truncated", "expected a mail with its header, found a part of one.")
    lines = [line for line in header[1].splitlines(keepends=True) if FIELD.match(line)]
    try:
        message = _parsed(b"".join([*lines, b"\n", raw[header.end() :]]))
        return _in_utf16(message, wide) if wide else _document(message)
    except RecursionError as error:
        detail = "expected a mail whose parts are nested less than some hundred deep."
        raise RefusedError("too_deep", detail) from error


def _parsed(raw: bytes) -> Message:
    """Take a message apart.

    Each part costs a kilobyte, and each line is compared with the boundaries around it.
    """
    names = set(_BOUNDARY.findall(raw))
    parts = sum(line[1].rstrip() in names for line in _DASHES.finditer(raw)) if names else 0
    lines = raw.count(b"\n") + raw.count(b"\r")
    if parts > MAX_PARTS or len(names) * lines > MAX_COMPARED:
        detail = f"expected a mail of at most {MAX_PARTS} parts, found {parts}, or too many inside"
        raise RefusedError("record_too_long", f"{detail} of each other for its lines.")
    try:
        return message_from_bytes(raw)
    except ValueError as error:  # what it calls a charset is none
        detail = f"expected a mail with a boundary between its parts, found a broken one: {error}."
        raise RefusedError("undecodable", detail) from error


def _in_utf16(message: Message, encoding: str) -> Piece:
    """Make the piece of a message whose parts are in UTF-8 now, whatever it says."""
    for part in message.walk():
        coding = (_said(part, "Content-Transfer-Encoding") or "").lower()
        if part.get_content_maintype() == "text" and coding not in {"base64", "quoted-printable"}:
            kind = part.get_content_type()
            del part["Content-Type"]
            part["Content-Type"] = f"{kind}; charset=utf-8"
    piece = _document(message)
    piece.encoding = encoding if piece.encoding == "utf-8" else piece.encoding
    return piece


def _size(window: Window, limit: int, wide: str) -> int:
    """Return how many bytes the next message of a box has; more than the limit if it is longer."""
    size = LOOKED_AT
    while (found := window.find(NEXT_OF[wide], start=0, limit=size)) is None:
        held = window.fill(size + 1)
        if held <= size or size > limit:
            return held
        size = min(4 * size, limit + 1)
    return found.start()


def _document(message: Message) -> Piece:
    """Make the piece of a message, without its span.

    A saved page has an address, and its date is that of saving; that of a mail is its publication.
    """
    shown = _texts(message)
    documents = [(part, piece) for part, piece in shown if piece.kind == "document"]
    if not documents:
        return _without_text(message, shown)
    part, piece = documents[0]
    piece.text = "\n\n".join(each.text for _, each in documents)
    piece.title = normalise.title(_said(message, "Subject", _charset(part))) or piece.title
    piece.mime = part.get_content_type()
    piece.url = _said(message, "Snapshot-Content-Location") or _said(part, "Content-Location")
    piece.external_id = (_said(message, "Message-ID") or "").strip("<>") or None
    try:
        date = parsedate_to_datetime(_said(message, "Date") or "")
    except (ValueError, TypeError, OverflowError, IndexError):
        date = None
    if date and not piece.url:
        piece.published = date.date()
    if any("Boundary" in type(defect).__name__ for defect in message.defects):
        piece.cut = "expected the last boundary of a mail, found its end."
    return piece


def _without_text(message: Message, shown: _Parts) -> Piece:
    """Make the piece of a message without text.

    Raises:
        RefusedError: its parts cannot be told apart.
    """
    if any(each.is_multipart() is False for each in message.walk() if _holds_parts(each)):
        detail = "expected the parts of a mail, found no line with the boundary that it names."
        raise RefusedError("truncated_body", detail)
    return shown[0][1] if shown else Piece(span=_span(0, 0, 0), kind="furniture", reason="not_text")


def _holds_parts(message: Message) -> bool:
    return message.get_content_maintype() == "multipart" and bool(_bytes(message).strip())


def _body(part: Message) -> Piece:
    """Make the piece of a part.

    Raises:
        RefusedError: `undecodable`: its coding is broken, and so would be its text.
    """
    piece = body_piece(_content(part), part.get_content_type(), _charset(part))
    if (wrong := piece.text.count(normalise.REPLACEMENT)) > MAX_BAD_SHARE * len(piece.text):
        detail = f"expected text in a mail, found {wrong} undecodable bytes in one."
        raise RefusedError("undecodable", detail)
    return piece


def _bytes(part: Message) -> bytes:
    """Undo the coding of a part; decoding its characters as well would believe any charset."""
    said = part.get_payload(decode=True)
    return said if isinstance(said, bytes) else b""


def _charset(part: Message) -> str:
    try:
        return part.get_content_charset() or ""
    except ValueError:  # a NUL in its name
        return ""


def _content(part: Message) -> bytes:
    """Undo the coding of a part; a line of base64 that is broken costs itself."""
    content = _bytes(part)
    if not any("Base64" in type(defect).__name__ for defect in part.defects):
        return content
    del part["Content-Transfer-Encoding"]
    lines = _bytes(part).split()
    if 2 * sum(len(line) % 4 > 0 for line in lines) > len(lines):
        return content
    found = []
    for line in lines:
        found.append(a2b_base64(_NO_BASE64.sub(b"A", line[: len(line) // 4 * 4])))
        if line.endswith(b"="):
            break
    return b"".join(found)


def _texts(message: Message) -> _Parts:
    """Return the parts that readers are shown: of a page its root, of alternatives the last.

    An alternative without text is none.
    """
    kind = message.get_content_type()
    if not message.is_multipart():
        is_text = kind in HTML or kind == "text/plain"
        is_shown = is_text and not _is_attached(message) and _bytes(message).strip()
        return [(message, _body(message))] if is_shown else []
    inner = [child for child in message.get_payload() if isinstance(child, Message)]
    if kind == "multipart/related":
        return _texts(inner[0]) if inner else []
    if kind != "multipart/alternative":
        return [found for child in inner for found in _texts(child)]
    shown: _Parts = []
    for child in reversed(inner):
        shown = _texts(child) or shown
        if any(piece.kind == "document" for _, piece in shown):
            break
    return shown


def _is_attached(message: Message) -> bool:
    return message.get_content_disposition() == "attachment"


def _said(message: Message, name: str, charset: str = "") -> str | None:
    """Return what a header field says, on one line; raw bytes in it are as in the text."""
    values = (str(value) for key, value in message.raw_items() if key.lower() == name.lower())
    value = next(values, "")
    if not value.isascii():
        value = _shown(value.encode("ascii", "surrogateescape"), charset)
    plain = "latin-1" if value.isascii() else "raw-unicode-escape"
    try:
        runs = decode_header(value)
    except HeaderParseError:
        runs = [(value, None)]
    said = [
        run
        if isinstance(run, str)
        else _shown(run, label)
        if label
        else run.decode(plain, "replace")
        for run, label in runs
    ]
    return normalise.line(normalise.without_surrogates("".join(said)))


def _shown(raw: bytes, charset: str) -> str:
    return page_text(raw, charset, is_html=False)[0]
