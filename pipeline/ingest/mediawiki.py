"""MediaWiki XML dumps: one document a page of the main namespace.

Holds: `mediawiki_pieces`, `looks_like_mediawiki`, `prefix_of`, `Wiki`. Pure; memory is bounded by
`max_record_bytes`.
Not here: wiki markup (`wikitext.py`), bytes to characters (`decode.py`).

Pages are found by their tags in the decoded text and parsed one by one, so a broken page costs
itself alone. No entity but the five of XML is ever expanded: a document type declaration is
quarantined, and a page that uses what it declared is no XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat

import msgspec

from pipeline.ingest import normalise
from pipeline.ingest.pieces import Piece, RefusedError, Span, bad_spans, excerpt
from pipeline.ingest.web import instant
from pipeline.ingest.wikitext import plain
from pipeline.model.settings import IngestSettings

_PREFIX = r"(?P<prefix>(?:[A-Za-z_][\w.-]{0,30}:)?)"
"""What names its namespace, in a dump that other programs wrote anew."""

_START = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?"
    rf"(?:<!--.{{0,2000}}?-->\s*)?(?:<!DOCTYPE\s+mediawiki\b|<{_PREFIX}mediawiki\b)",
    re.DOTALL,
)
_INSIDE = re.compile(
    rf"<{_PREFIX}page>\s{{0,99}}<(?P=prefix)title>[^<]{{0,1000}}</(?P=prefix)title>"
    r"\s{0,99}<(?P=prefix)(?:ns|id)>"
)
_REDIRECT = re.compile(r"\s*#([^\W\d_]{3,30})\s*:?\s*\[\[[^\[\]]+\]\]")
_NAMESPACE = re.compile(r"namespace key=\"(?:6|14)\"[^<>]{0,100}>([^<>]{1,100})</")
_DECLARES = re.compile(r"<!(?:DOCTYPE|ENTITY)\b")
_WANTED = frozenset({"title", "ns", "id", "timestamp", "text"})
_KEPT_CHARS = 4000


class Wiki(msgspec.Struct):
    """What the header of a dump says of its pages; kept behind damage.

    `hidden`: its own names of the namespaces whose links show nothing. `prefix`: what stands before
    the names of its elements, colon included.
    """

    hidden: frozenset[str] = frozenset()
    prefix: str = ""


def looks_like_mediawiki(head: str) -> bool:
    """Whether a text begins like a dump of a wiki, or like a part that was cut out of one."""
    return _opening(head) is not None


def prefix_of(head: str) -> str:
    """Return what stands before the names of elements in such a text."""
    found = _opening(head)
    return (found["prefix"] or "") if found else ""


def _opening(head: str) -> re.Match[str] | None:
    if found := _START.match(head):
        return found
    return _INSIDE.search(head) if head.lstrip("\ufeff \t\r\n").startswith("<") else None


def mediawiki_pieces(
    blocks: Iterable[str], settings: IngestSettings, *, wiki: Wiki, start: int = 0
) -> Iterator[Piece]:
    """Make one piece of each page and of what stands between pages."""
    line = 1
    for is_page, text, chars, newlines in _parts(blocks, settings.max_record_bytes, wiki.prefix):
        end_line = line + newlines
        span = Span(start, start + chars, line, end_line)
        if not is_page:
            wiki.hidden |= frozenset(_NAMESPACE.findall(text))
        yield _page(text, span, settings, wiki=wiki) if is_page else _between(text, span)
        start, line = start + chars, end_line


def _parts(blocks: Iterable[str], limit: int, prefix: str) -> Iterator[tuple[bool, str, int, int]]:
    """Cut a text into (is a page, its characters, how many, newlines); long ones lose their end."""
    opens, closes = f"<{prefix}page>", f"</{prefix}page>"
    held = _Held(limit, re.compile(rf"</?{re.escape(prefix)}page>"), len(closes))
    is_page = False
    for block in blocks:
        held.add(block)
        while tag := held.next_tag():
            if tag[0] == closes and not is_page:
                continue
            text, chars, newlines = held.take(tag.end() if tag[0] == closes else tag.start())
            if chars:
                yield is_page, text, chars, newlines
            is_page = tag[0] == opens
            held.seen = len(opens) if is_page else 0
        held.shorten()
    text, chars, newlines = held.take(held.size)
    if chars:
        yield is_page, text, chars, newlines


class _Held:
    """The characters not yet given, of which only the first and the newest are kept; mutable."""

    def __init__(self, limit: int, tag: re.Pattern[str], longest: int) -> None:
        self._limit = limit
        self._tag, self._longest = tag, longest
        self._text = ""
        self.seen = 0
        self._first = ""
        self._dropped = 0
        self._newlines = 0

    @property
    def size(self) -> int:
        return len(self._text)

    def add(self, block: str) -> None:
        self._text += block

    def next_tag(self) -> re.Match[str] | None:
        found = self._tag.search(self._text, self.seen)
        self.seen = found.end() if found else max(self.seen, len(self._text) - self._longest)
        return found

    def shorten(self) -> None:
        """Forget all but the end of a part that is too long to be taken anyway."""
        if len(self._text) + self._dropped <= self._limit:
            return
        cut = max(0, len(self._text) - self._longest)
        self._first = self._first or self._text[:_KEPT_CHARS]
        self._newlines += self._text.count("\n", 0, cut)
        self._dropped += cut
        self._text = self._text[cut:]
        self.seen = max(0, self.seen - cut)

    def take(self, size: int) -> tuple[str, int, int]:
        """Take the part that ends after `size` characters of what is held."""
        text = self._text[:size]
        chars, newlines = size + self._dropped, self._newlines + text.count("\n")
        shown = self._first or text
        self._text = self._text[size:]
        self._first, self._dropped, self._newlines, self.seen = "", 0, 0, 0
        return shown, chars, newlines


def _between(text: str, span: Span) -> Piece:
    if _DECLARES.search(text):
        return Piece(
            span=span,
            kind="quarantine",
            reason="entity_declaration",
            detail="expected no document type or entities in a dump, found some; not used.",
            excerpt=excerpt(text),
        )
    reason = "blank" if text.isspace() else "mediawiki_header"
    return Piece(span=span, kind="furniture", reason=reason, excerpt=excerpt(text))


def _page(text: str, span: Span, settings: IngestSettings, *, wiki: Wiki) -> Piece:
    chars, limit = span.char_end - span.char_start, settings.max_record_bytes
    try:
        if chars > min(len(text), limit):
            return _too_long(text, span, limit)
        return _document(text, span, wiki)
    except RefusedError as error:
        return Piece(
            span=span,
            kind="quarantine",
            reason=error.reason,
            detail=error.detail,
            excerpt=excerpt(text),
        )


def _too_long(text: str, span: Span, limit: int) -> Piece:
    return Piece(
        span=span,
        kind="quarantine",
        reason="record_too_long",
        detail=f"expected a page of at most {limit} bytes, found one of "
        f"{span.char_end - span.char_start} characters. Raise ingest.max_record_bytes.",
        excerpt=excerpt(text),
    )


def _document(text: str, span: Span, wiki: Wiki) -> Piece:
    found = _fields(normalise.without_surrogates(text), wiki.prefix)
    if found.get("ns", "0").strip() != "0":
        return Piece(span=span, kind="furniture", reason="namespace", excerpt=excerpt(text))
    if "redirect" in found or _is_redirect(found.get("text", "")):
        return Piece(span=span, kind="furniture", reason="redirect", excerpt=excerpt(text))
    if "text" not in found:
        raise RefusedError("missing_text", "expected a revision with text, found none.")
    content, mended = normalise.mended(plain(found["text"], wiki.hidden))
    if not content:
        raise RefusedError("empty_text", "expected some text in the page, found markup alone.")
    return Piece(
        span=span,
        kind="document",
        text=content,
        title=normalise.title(found.get("title"), mend=mended),
        mojibake_repaired=mended,
        external_id=normalise.line(found.get("id")),
        fetched=instant(found.get("timestamp", "")),
        inner=bad_spans(text, span.char_start, span.line_start),
    )


def _is_redirect(markup: str) -> bool:
    """Whether a page of an older dump, which does not say so, shows another: `#REDIRECT [[X]]`."""
    word = _REDIRECT.match(markup)
    return word is not None and word[1] == word[1].upper()


def _fields(page: str, prefix: str) -> dict[str, str]:
    """Return the first value of each wanted element; of texts the last, the newest revision.

    Raises:
        RefusedError: the page is no XML.
    """
    reader = _Elements(prefix)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(page.encode(), True)  # noqa: FBT003 - the library's order
    except expat.ExpatError as error:
        raise RefusedError("invalid_xml", f"expected one page in XML, found: {error}.") from error
    return reader.found


class _Elements:
    """Collects the text of wanted elements; mutable."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.found: dict[str, str] = {}
        self._parts: list[str] | None = None

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        name = name.removeprefix(self._prefix)
        if name == "redirect":
            self.found["redirect"] = ""
        self._parts = [] if name in _WANTED else None

    def end(self, name: str) -> None:
        name = name.removeprefix(self._prefix)
        if name in _WANTED and self._parts is not None:
            value = "".join(self._parts)
            if name in {"text", "timestamp"}:
                self.found[name] = value
            else:
                self.found.setdefault(name, value)
        self._parts = None

    def data(self, text: str) -> None:
        if self._parts is not None:
            self._parts.append(text)
