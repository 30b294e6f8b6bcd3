"""What a web record says: a page's text, and where it came from.

Holds: `record_piece`, `body_piece`, `html_piece`. Pure functions of one record, or page.
Not here: where records begin and end (`warc.py`), chunks and compression of a body (`http.py`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from pipeline.ingest import normalise
from pipeline.ingest.http import media_type, parse_response
from pipeline.ingest.pieces import Piece, RefusedError, Span
from pipeline.ingest.web_encoding import page_text
from pipeline.model.settings import IngestSettings

HTML = frozenset({"text/html", "application/xhtml+xml"})
_PAGE = re.compile(rb"\s*<(?:!doctype html|html|head|body|!--)", re.IGNORECASE)
_BLOCK = re.compile(
    r"<(/?)(?:div|section|article|main|center|blockquote|[uod]l|li|d[dt]|form|fieldset|aside|header"
    r"|footer|nav|details|figure|table|t[rdh]|tbody)\b",
    re.IGNORECASE,
)
MAX_DEPTH = 500
MAX_TAGS = 1 << 21
"""Each takes up to half a kilobyte of memory as long as its page is looked at."""

_WORD = re.compile(r"[a-z]{1,20}")
_NOWHERE = Span(0, 0, 0, 0)


def record_piece(fields: Mapping[str, str], block: bytes, settings: IngestSettings) -> Piece:
    """Make the piece of one record, without its span.

    Args:
        fields: the record's header, small names.
        block: the record's content.
        settings: `max_record_bytes` bounds the decoded body.

    Raises:
        RefusedError: the record says it is a page but cannot be read as one.
    """
    kind = fields.get("warc-type", "").lower()
    mime, charset = media_type(fields.get("content-type", ""))
    if kind == "conversion":
        piece = _page(fields, block, mime=mime or "text/plain", charset=charset or "utf-8")
        return _marked(piece, fields)
    if kind == "resource":
        return _marked(_page(fields, block, mime=mime, charset=charset), fields)
    if kind == "continuation":
        detail = "expected a segment right behind the record that it continues, found it elsewhere."
        raise RefusedError("stray_continuation", detail)
    if kind != "response":
        return _furniture(f"warc_{kind}" if _WORD.fullmatch(kind) else "warc_other")
    if mime not in {"application/http", ""}:
        return _furniture("not_text")
    answer = parse_response(block, limit=settings.max_record_bytes)
    piece = _page(fields, answer.body, mime=answer.mime, charset=answer.charset)
    piece.http_status = answer.status
    return _marked(piece, fields, is_cut=answer.is_cut)


def _marked(piece: Piece, fields: Mapping[str, str], *, is_cut: bool = False) -> Piece:
    """Mark a page whose body ends early, as it shows or as its crawler says; refuse it if empty."""
    said = normalise.line(_clean(fields.get("warc-truncated", "")))
    if not (said or is_cut) or piece.reason == "not_text":
        return piece
    why = said[:100] if said else "its coding goes on"
    detail = f"expected the whole body of a page, found its end missing ({why})."
    if piece.kind != "document":
        raise RefusedError("truncated_body", detail)
    piece.cut = detail
    return piece


def _page(fields: Mapping[str, str], body: bytes, *, mime: str, charset: str) -> Piece:
    piece = body_piece(body, mime or ("text/html" if _PAGE.match(body) else ""), charset)
    if piece.reason == "not_text":
        return piece
    url = normalise.line(_clean(fields.get("warc-target-uri", "").strip("<> ")))
    piece.url = url
    piece.host = _host(url)
    piece.mime = normalise.line(_clean(mime))
    piece.fetched = instant(fields.get("warc-date", ""))
    piece.external_id = normalise.line(_clean(fields.get("warc-record-id", "").strip("<> ")))
    return piece


def body_piece(body: bytes, mime: str, charset: str) -> Piece:
    """Make the piece of a page or a plain text, without its span and all that is around it."""
    if mime in HTML:
        return _html(body, charset)
    return _plain(body, charset) if mime == "text/plain" else _furniture("not_text")


def _html(body: bytes, charset: str) -> Piece:
    page, encoding = page_text(body, charset, is_html=True)
    piece = html_piece(page)
    piece.encoding = encoding if piece.kind == "document" else None
    return piece


def html_piece(page: str) -> Piece:
    """Make the piece of a page, without its span.

    The main content is kept; all that is visible when there seems to be none.

    Raises:
        RefusedError: `record_too_long`, when the page is hardly anything but tags.
    """
    if (tags := page.count("<")) > MAX_TAGS:
        detail = f"expected a page of at most {MAX_TAGS} tags, found {tags}."
        raise RefusedError("record_too_long", detail)
    tree = HTMLTree.parse(_clean(page))
    found = ""
    if not _is_deep(page):
        found = extract_plain_text(tree, main_content=True, alt_texts=False)
    text, mended = normalise.mended(_clean(found or extract_plain_text(tree, alt_texts=False)))
    if not text:
        return _furniture("no_text")
    title = normalise.title(_clean(tree.title or ""), mend=mended)
    return _document(text, mended=mended, title=title)


def _is_deep(page: str) -> bool:
    """Whether blocks are nested beyond reason: finding the main content would be quadratic."""
    if page.count("<") < MAX_DEPTH:
        return False
    depth = deepest = 0
    for tag in _BLOCK.finditer(page):
        depth = max(0, depth - 1) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest > MAX_DEPTH


def _plain(body: bytes, charset: str) -> Piece:
    raw, encoding = page_text(body, charset, is_html=False)
    text, mended = normalise.mended(_clean(raw))
    if not text:
        return _furniture("no_text")
    piece = _document(text, mended=mended)
    piece.encoding = encoding
    return piece


def _document(text: str, *, mended: bool, title: str | None = None) -> Piece:
    return Piece(span=_NOWHERE, kind="document", text=text, title=title, mojibake_repaired=mended)


def instant(value: str) -> dt.datetime | None:
    """Return the moment that an ISO 8601 timestamp names, in UTC; None when it names none."""
    try:
        moment = dt.datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=moment.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _host(url: str | None) -> str | None:
    try:
        return urlsplit(url).hostname if url else None
    except ValueError:
        return None


def _clean(value: str) -> str:
    return normalise.without_surrogates(value)


def _furniture(reason: str) -> Piece:
    return Piece(span=_NOWHERE, kind="furniture", reason=reason)
