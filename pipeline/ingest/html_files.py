"""Files that are web pages themselves, one or several one after the other: one document a page.

Holds: `html_pieces`, `looks_like_html`. Pure; memory is bounded by `max_record_bytes`.
Not here: web pages in WARC files, and what the text of a page is (`web.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.ingest.pieces import Piece, RefusedError, Span, bad_spans, excerpt
from pipeline.ingest.web import html_piece
from pipeline.model.settings import IngestSettings

_OPENS = r"<(?:!doctype\s+html|html)(?=[\s>])"
_START = re.compile(
    r"\ufeff?\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*){0,3}"
    rf"(?:{_OPENS}|<(?:head|body)(?=[\s>]))",
    re.IGNORECASE | re.DOTALL,
)
_END = re.compile(rf"</html\s{{0,9}}>\s{{0,99}}(?={_OPENS})", re.IGNORECASE)
_REACH = 200
"""Characters in which the end of a page and the start of the next stand."""

_KEPT = 4000


def looks_like_html(head: str) -> bool:
    """Whether a text begins like a web page."""
    return _START.match(head) is not None


def html_pieces(
    blocks: Iterable[str], settings: IngestSettings, *, start: int = 0
) -> Iterator[Piece]:
    """Make one piece of each page; `start` is the number of characters before the first."""
    line = 1
    for text, chars, newlines in _pages(blocks, settings.max_record_bytes):
        span = Span(start, start + chars, line, line + newlines)
        yield _piece(text, span, settings.max_record_bytes)
        start, line = span.char_end, span.line_end


def _pages(blocks: Iterable[str], limit: int) -> Iterator[tuple[str, int, int]]:
    """Yield each page, its characters and newlines; of a page that is too long the start only."""
    held, first, seen, dropped, newlines = "", "", 0, 0, 0
    for block in blocks:
        held += block
        while end := _END.search(held, max(0, seen - _REACH)):
            page, held, seen = held[: end.end()], held[end.end() :], 0
            yield first or page, dropped + len(page), newlines + page.count("\n")
            first, dropped, newlines = "", 0, 0
        if dropped + len(held) > limit and len(held) > _REACH:
            first = first or held[:_KEPT]
            newlines += held.count("\n", 0, len(held) - _REACH)
            dropped += len(held) - _REACH
            held = held[-_REACH:]
        seen = len(held)
    if held or dropped:
        yield first or held, dropped + len(held), newlines + held.count("\n")


def _check(chars: int, limit: int) -> None:
    if chars > limit:
        raise RefusedError(
            "record_too_long",
            f"expected a shorter page, found one of {chars} characters. Raise "
            "ingest.max_record_bytes.",
        )


def _piece(text: str, span: Span, limit: int) -> Piece:
    try:
        _check(span.char_end - span.char_start, min(len(text), limit))
        piece = html_piece(text)
    except RefusedError as error:
        return Piece(
            span=span, kind="quarantine", reason=error.reason, detail=error.detail,
            excerpt=excerpt(text),
        )  # fmt: skip
    piece.span = span
    if piece.kind == "document":
        piece.mime = "text/html"
        piece.inner = bad_spans(text, span.char_start, span.line_start)
    else:
        piece.excerpt = excerpt(text)
    return piece
