"""Text files: whole pages, cut into documents and furniture by the splitter.

Holds: `text_pieces`. Pure; memory is bounded by `max_page_chars`.
Not here: the splitters (`splitters.py`), bytes to characters (`decode.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.ingest import normalise
from pipeline.ingest.insets import insets, is_image_name, without
from pipeline.ingest.pieces import Inset, Piece, Span, bad_spans, excerpt
from pipeline.ingest.segments import Segment
from pipeline.ingest.splitters import Splitter
from pipeline.model.settings import IngestSettings


def text_pieces(
    blocks: Iterable[str], settings: IngestSettings, *, splitter: Splitter, start: int = 0
) -> Iterator[Piece]:
    """Cut a decoded text into pieces; `start` is the number of characters before it."""
    line = 1
    for page in pages(blocks, settings.max_page_chars):
        yield from _page_pieces(
            page, Span(start, start + len(page), line, line), settings, splitter
        )
        start += len(page)
        line += page.count("\n")


def pages(blocks: Iterable[str], limit: int) -> Iterator[str]:
    """Join blocks into pages of at most `limit` characters.

    A longer text is cut after the last blank line before the limit, else after the last line,
    else at the limit.
    """
    held: list[str] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += len(block)
        if size <= limit:
            continue
        page = "".join(held)
        while len(page) > limit:
            cut = _cut(page, limit)
            yield page[:cut]
            page = page[cut:]
        held, size = [page], len(page)
    if size:
        yield "".join(held)


def _cut(page: str, limit: int) -> int:
    for gap in ("\n\n", "\n\r\n", "\n"):
        found = page.rfind(gap, 0, limit)
        if found >= 0:
            return found + len(gap)
    return limit


def _page_pieces(
    page: str, at: Span, settings: IngestSettings, splitter: Splitter
) -> Iterator[Piece]:
    if page.isspace():
        last = at.line_start + page.count("\n", 0, len(page) - 1)
        span = Span(at.char_start, at.char_end, at.line_start, last)
        yield Piece(span=span, kind="furniture", reason="blank", excerpt=excerpt(page))
        return
    clean = normalise.without_surrogates(page)
    for segment in splitter.segments(clean, settings):
        yield _piece(segment, page, clean, at)


def _piece(segment: Segment, page: str, clean: str, at: Span) -> Piece:
    span = Span(
        at.char_start + segment.char_start,
        at.char_start + segment.char_end,
        at.line_start + segment.line_start - 1,
        at.line_start + segment.line_end - 1,
    )
    raw = page[segment.char_start : segment.char_end]
    if segment.kind != "document":
        return Piece(span=span, kind="furniture", reason=segment.reason, excerpt=excerpt(raw))
    said = clean[segment.char_start : segment.char_end]
    text = normalise.text(said)
    found = insets(said, text, at=span)
    if found:
        text = normalise.text(without(said, found, start=span.char_start))
    if not text:
        reason = found[0].reason if found else "blank"
        return Piece(span=span, kind="furniture", reason=reason, excerpt=excerpt(raw))
    inner = bad_spans(raw, span.char_start, span.line_start) if clean is not page else ()
    return Piece(
        span=span,
        kind="document",
        text=text,
        title=_title(segment, text, found),
        score=segment.score,
        inner=inner,
        insets=found,
    )


def _title(segment: Segment, text: str, found: tuple[Inset, ...]) -> str | None:
    """Return the title that the splitter found; if that line was taken out, the next one."""
    title = normalise.title(segment.title)
    if not found or not title or not is_image_name(title):
        return title
    first, _, rest = text.partition("\n")
    return normalise.title(first) if rest and len(first) <= normalise.MAX_TITLE else None
