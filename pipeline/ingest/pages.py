"""Text files: whole pages, cut into documents and furniture by the splitter.

Holds: `text_pieces`. Pure; memory is bounded by `max_page_chars`.
Not here: the splitters (`splitters.py`), bytes to characters (`decode.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pipeline.ingest import normalise
from pipeline.ingest.facts import facts_of
from pipeline.ingest.insets import insets, is_image_name, without
from pipeline.ingest.pieces import Inset, Piece, Span, bad_spans, excerpt
from pipeline.ingest.segments import Segment, blank
from pipeline.ingest.splitters import Splitter
from pipeline.model.settings import IngestSettings


def text_pieces(
    blocks: Iterable[str], settings: IngestSettings, *, splitter: Splitter, start: int = 0
) -> Iterator[Piece]:
    """Cut a decoded text into pieces; `start` is the number of characters before it.

    A text longer than `max_page_chars` is split page by page. The last document of a page that is
    not the last goes on in the next page, so that a page's end cuts no document that is shorter
    than half a page.
    """
    source, limit = iter(blocks), settings.max_page_chars
    line, score, rest = 1, None, ""
    while rest := _filled(rest, source, limit):
        page = rest[: _cut(rest, limit)]
        clean = normalise.without_surrogates(page)
        found = blank(page) if page.isspace() else splitter.segments(clean, settings)
        segments = _scored(found, score)
        if len(page) < len(rest):
            segments, score = _settled(segments, len(page))
        at = Span(start, start + len(page), line, line)
        for segment in segments:
            yield _piece(segment, page, clean, at)
        done = segments[-1].char_end
        start += done
        line += page.count("\n", 0, done)
        rest = rest[done:]


def _filled(rest: str, source: Iterator[str], limit: int) -> str:
    """Read on until there is more than a page, or no more to read."""
    held, size = [rest], len(rest)
    while size <= limit and (block := next(source, None)) is not None:
        held.append(block)
        size += len(block)
    return "".join(held)


def _scored(segments: Sequence[Segment], score: float | None) -> Sequence[Segment]:
    """Give the page's first document the score that it had where it was found."""
    for number, segment in enumerate(segments):
        if score is not None and segment.kind == "document":
            first = msgspec.structs.replace(segment, score=score)
            return [*segments[:number], first, *segments[number + 1 :]]
    return segments


def _settled(segments: Sequence[Segment], size: int) -> tuple[Sequence[Segment], float | None]:
    """Leave out the last document of a page, if it is short, for the next; return its score."""
    starts = [number for number, segment in enumerate(segments) if segment.kind == "document"]
    if starts and 2 * segments[starts[-1]].char_start >= size:
        return segments[: starts[-1]], segments[starts[-1]].score
    return segments, None


def _cut(page: str, limit: int) -> int:
    """Return where a page of at most `limit` characters ends: after a blank line, or a line."""
    if len(page) <= limit:
        return len(page)
    for gap in ("\n\n", "\n\r\n", "\n"):
        found = page.rfind(gap, 0, limit)
        if found >= 0:
            return found + len(gap)
    return limit


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
    said = raw if clean is page else clean[segment.char_start : segment.char_end]
    text, mended = normalise.mended(said)
    found = insets(said, text, at=span)
    if found:
        text, mended = normalise.mended(without(said, found, start=span.char_start))
    if not text:
        reason = found[0].reason if found else "blank"
        return Piece(span=span, kind="furniture", reason=reason, excerpt=excerpt(raw))
    facts = facts_of(text)
    inner = bad_spans(raw, span.char_start, span.line_start) if clean is not page else ()
    return Piece(
        span=span,
        kind="document",
        text=text,
        title=_title(segment, text, found, mended=mended),
        mojibake_repaired=mended,
        byline=facts.byline,
        published=facts.published,
        published_rule=facts.rule,
        score=segment.score,
        inner=inner,
        insets=found,
    )


def _title(segment: Segment, text: str, found: tuple[Inset, ...], *, mended: bool) -> str | None:
    """Return the title that the splitter found; if that line was taken out, the next one."""
    title = normalise.title(segment.title, mend=mended)
    if not found or not title or not is_image_name(title):
        return title
    first, _, rest = text.partition("\n")
    return normalise.title(first) if rest and len(first) <= normalise.MAX_TITLE else None
