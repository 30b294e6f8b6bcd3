"""JSON whose records are no lines: arrays, objects over several lines, and an array in an object.

Holds: `json_pieces`, `looks_like_json`. Pure; memory is bounded by `max_record_bytes`.
Not here: where objects end (`json_ends.py`), what they say and JSON lines (`jsonl.py`).

A record has what stands before it on its line, and the comma and the line end behind it. Brackets
around records are furniture, and so is all of an object around their array.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from pipeline.ingest.file_layout import Layout
from pipeline.ingest.json_ends import Ending, end_of
from pipeline.ingest.json_objects import GAP, KEY, OPENS, Objects
from pipeline.ingest.jsonl import object_piece
from pipeline.ingest.pieces import Piece, RefusedError, excerpt
from pipeline.model.settings import IngestSettings

AROUND = frozenset(
    ("data", "items", "results", "records", "rows", "documents", "docs", "articles", "posts",
     "entries", "hits", "stories", "news")
)  # fmt: skip
"""Names of arrays of records in an object: what programs answer with."""

_BRACKETS = re.compile(r"(?:[ \t\r\n,\ufeff]*[\[\]])+[ \t\r,]*\n?")
_ARRAY = re.compile(rf"\s*\[\s*{OPENS.pattern}")
_SPREAD = re.compile(rf"\s*\{{[ \t\r]*\n\s*{KEY}")
_COMMENTS = r"(?:[\s,]{0,99}(?://[^\n]{0,500}\n|/\*[^*]{0,2000}\*/)){0,20}\s*"
_COMMENT = re.compile(_COMMENTS)
_SCRIPT = re.compile(rf"{_COMMENTS}(?:[^\s\[{{][^\n\[{{]{{0,99}}[=(]\s*)?")
"""What makes a script of JSON: comments, and a name to assign it to, or of a function to call."""

_GUARD = re.compile(r"<\?php[^\n>]{0,200}\?>|(?:while|for) ?\([^\n)]{0,20}\);|\)\]\}',?")
"""What keeps others from running or including JSON; records may follow on its line."""

_NO_PROSE = re.compile(r'[\[{][ \t\r]*\n|"[ \t]*:')
_PROSE_LINES, _PROSE = 10, 500
"""Lines, and characters, that may stand above records."""

_VALUES = re.compile(r'\s*\[\s*(?:(?=[\]"\[{])|(?=[-\dtfn][^,\]]{0,40},))')
_MEMBER = re.compile(r'[\s,]*"([^"\\]{0,200})"\s*:\s*')
_OPENED = re.compile(rf"\[\s*(?={OPENS.pattern})")
_NEARLY = re.compile(r'\s*(?:[\[{]\s{0,99}\S?\s{0,99}[{"]|\S\s{0,99}[\[{"])')
"""The start of an array or object in which a character may be wrong."""

_FOLLOWED = re.compile(rf"[ \t\r,]*{OPENS.pattern}")
_BETWEEN = re.compile(rf"\}}\s*,?\s*(?={OPENS.pattern})")
_AROUND = "[], \t\r\n\ufeff"
_PROBED = 1 << 16
_NEAR = 20
"""Members of an object between two arrays of records."""

_FEW, _MANY, _FAR = 2, 5, 4
"""Records with a text, and without one, that are no example; times that they are longer."""


def looks_like_json(head: str, *, by_lines: bool) -> bool:
    """Whether a text begins like JSON with records that are no lines, or nearly so.

    One wrong character at its start turns no records into text, when whole ones follow the first.
    `by_lines`: most of its first lines are objects.
    """
    below = _below_prose(head)
    if by_lines:
        return _wrapping(head, below) > 0
    if _begins(head) or _is_array(head) or (below and _is_all_records(head, below)):
        return True
    end = -1 if "\n" in head.rstrip() else end_of(head).end
    if end > 0 and _FOLLOWED.match(head, end):
        return True
    return _NEARLY.match(head) is not None and _has_chain(head)


def _begins(head: str) -> bool:
    """Whether a text begins with records, and not with an example below which its prose begins."""
    before = _SCRIPT.match(head)
    at = before.end() if before else 0
    if _wrapping(head, at):
        return True
    if not _opens(head, at):
        return False
    start = head.index("{", at)
    end = end_of(head, start).end
    after = head[end:].lstrip(_AROUND) if end > 0 else ""
    return not after or OPENS.match(after) is not None or '"text"' in head[start:end]


def _opens(text: str, at: int) -> bool:
    return bool(_ARRAY.match(text, at) or _SPREAD.match(text, at))


def _below_prose(text: str, at: int = 0) -> int:
    """Return where records may begin below a few short lines, or behind a guard; else 0."""
    guard = _GUARD.match(text, at)
    low, high = at, guard.end() if guard else text.find("\n", at) + 1
    for _ in range(0 if _opens(text, at) else _PROSE_LINES):
        if not low < high <= at + _PROSE or _NO_PROSE.search(text, low, high):
            break
        if _opens(text, high) or _wrapping(text, high):
            return high
        low, high = high, text.find("\n", high) + 1
    return 0


def _is_all_records(head: str, at: int) -> bool:
    """Whether a text holds records from a place to its end, and no example of some.

    They have a text or are many, and are far more than what stands before them.
    """
    prose, found = at, 0
    at = _wrapping(head, at) or head.index("{", at)
    first = head[at : at + _PROBED]
    while head.startswith("{", at) and (end := end_of(head, at).end) > 0:
        gap = GAP.match(head, end)
        at, found = gap.end() if gap else end, found + 1
    is_cut = head.startswith("{", at) and end_of(head, at).is_cut
    is_last = is_cut or head[-_PROBED:].rstrip().endswith(("]", "}", ";"))
    least = _FEW if '"text"' in first else _MANY
    return is_last and found + is_cut >= least and len(head) > _FAR * prose


def _is_array(head: str) -> bool:
    """Whether a text is an array and nothing else: without records, or none but other values.

    Of one that goes on behind the head, its first value and all that is seen are well written.
    """
    found = _VALUES.match(head)
    if not found:
        return False
    end, _, is_cut = end_of(head, head.index("["))
    if end > 0:
        return not head[end:].strip()
    return is_cut and end_of(head, found.end()).end > 0


def _has_chain(head: str) -> bool:
    """Whether two objects at least follow each other behind the first, and nothing else does."""
    found = _BETWEEN.search(head)
    while found:
        at, number = found.end(), 0
        while head.startswith("{", at) and (end := end_of(head, at).end) > 0:
            gap = GAP.match(head, end)
            at, number = gap.end() if gap else end, number + 1
        is_cut = head.startswith("{", at) and end_of(head, at).is_cut
        if number > 1 and (is_cut or not head[at : at + 9].strip("[] \t\r\n")):
            return True
        found = _BETWEEN.search(head, at)
    return False


def _wrapping(text: str, at: int = 0) -> int:
    """Return where the records begin of an object that holds an array of them; 0 if it does not."""
    at += len(text[at : at + _PROBED]) - len(text[at : at + _PROBED].lstrip())
    found = 0
    for start in _members(text, at + 1) if text.startswith("{", at) else ():
        if start is None:
            return 0
        found = found or start
    return found


def _members(text: str, at: int) -> Iterator[int | None]:
    """Yield of each member of an object where records begin in it, 0 without, None for a text.

    A record may hold arrays too, but has a text. `at`: where members begin.
    """
    member = _MEMBER.match(text, at)
    while member is not None:
        name, at = member[1], member.end()
        opened = _OPENED.match(text, at) if name in AROUND else None
        yield None if name == "text" else opened.end() if opened else 0
        end = end_of(text, at).end
        member = _MEMBER.match(text, end) if end > 0 else None


def json_pieces(
    blocks: Iterable[str], settings: IngestSettings, *, layout: Layout, start: int = 0
) -> Iterator[Piece]:
    """Make one piece of each record and of what stands between records.

    Raises:
        RefusedError: the file is one object that is longer than a record may be.
    """
    limit = settings.max_record_bytes
    held = Objects(blocks, limit, layout=layout, start=start)
    may_wrap = not layout.around
    while (at := held.past(held.at)) > held.at or at < len(held.text):
        sign = held.text[at : at + 1]
        if sign == "{" and may_wrap and (end := _wrapping(held.text, at)):
            layout.around, may_wrap = "object", False
            yield _furniture(held, end)
        elif sign == "{":
            yield _record(held, at, limit, is_first=may_wrap)
            may_wrap = False
        elif sign == "]" and layout.around == "object" and (end := _next_array(held, at)):
            yield _furniture(held, end)
        elif sign == "]" and layout.around == "object" and (end := held.tail(at)):
            may_wrap = True
            yield _furniture(held, held.behind(end))
        elif end := _script_end(held, is_first=may_wrap):
            yield _refused(held, end, limit)
        else:
            piece = _between_records(held, at, limit)
            layout.around = layout.around or ("array" if sign == "[" else "")
            may_wrap = may_wrap and piece.kind == "furniture" and sign == ""
            yield piece


def _next_array(held: Objects, at: int) -> int:
    """Return where the records begin of another array in an object, behind a bracket; else 0."""
    held.see_tail(at)
    return next(filter(None, islice(_members(held.text, at + 1), _NEAR)), 0)


def _script_end(held: Objects, *, is_first: bool) -> int:
    """Return where comments end that stand before records, a script's start, or prose; else 0."""
    found = (_SCRIPT if is_first else _COMMENT).match(held.text, held.at)
    if found and found[0].strip(_AROUND) and held.text[found.end() : found.end() + 1] in "[{":
        return found.end()
    return _below_prose(held.text, held.at) if is_first else 0


def _furniture(held: Objects, end: int) -> Piece:
    raw, span = held.take(end)
    reason = "blank_line" if raw.isspace() else "brackets"
    return Piece(span=span, kind="furniture", reason=reason, excerpt=excerpt(raw))


def _between_records(held: Objects, at: int, limit: int) -> Piece:
    """Make the piece of brackets and blanks, or of other characters up to the next record."""
    brackets = _BRACKETS.match(held.text, held.at)
    if brackets or at == len(held.text):
        return _furniture(held, brackets.end() if brackets else at)
    return _refused(held, held.next_record(at, at), limit)


def _refused(held: Objects, end: int, limit: int) -> Piece:
    raw, span = held.take(end)
    chars = span.char_end - span.char_start
    reason, detail = "not_an_object", "expected a JSON object, found other characters."
    if raw.lstrip().startswith('"'):
        detail = "expected JSON objects, found strings. Write them with jq -c '.[] | {text: .}'."
    if chars > limit:
        reason = "record_too_long"
        detail = (
            f"expected a record of at most {limit} bytes, found one of {chars} characters, or as "
            "many between two. Raise ingest.max_record_bytes, or split the record."
        )
    return Piece(span=span, kind="quarantine", reason=reason, detail=detail, excerpt=excerpt(raw))


def _record(held: Objects, at: int, limit: int, *, is_first: bool) -> Piece:
    found = held.end(at)
    if found.end < 0:
        return _broken(held, at, found, limit=limit, is_first=is_first)
    said = held.text[at : found.end]
    if 4 * len(said) > limit and len(said.encode("utf-8", "surrogatepass")) > limit:
        return _refused(held, held.behind(found.end), min(limit, len(said) - 1))
    held.note(at)
    piece = object_piece(said, held.place(at))
    piece.span = held.take(held.behind(found.end))[1]
    return piece


def _broken(held: Objects, at: int, found: Ending, *, limit: int, is_first: bool) -> Piece:
    """Make the piece of an object that is broken at a place, up to the next record."""
    is_long = found.is_cut and found.fault - at > limit
    if found.is_cut and not is_long:
        return _last(held, at)
    if is_long and is_first:
        raise RefusedError(
            "record_too_long",
            f"expected JSON records of at most {limit} bytes, found one object that is longer. If "
            "it holds records, write them one a line, as jq -c '.NAME[]' does for an array NAME.",
        )
    end = held.far_end(at) if is_long else 0
    end = end or (held.next_record(0, 0) if held.dropped else held.next_record(at, found.fault))
    if is_long or held.dropped or end - held.at > limit:
        return _refused(held, end, min(limit, end - held.at + held.dropped - 1))
    piece = object_piece(held.text[at:end], held.place(at))
    piece.span = held.take(end)[1]
    return piece


def _last(held: Objects, at: int) -> Piece:
    """Make the piece of an object that the end of the file cuts, or in which a string is broken."""
    said = held.text[at:]
    piece = object_piece(said, held.place(at))
    if not said.rstrip().endswith(("}", "]")):
        detail = "expected the end of a JSON object, found the end of the file."
        piece = Piece(
            span=piece.span, kind="quarantine", reason="truncated", detail=detail,
            excerpt=piece.excerpt,
        )  # fmt: skip
    piece.span = held.take(len(held.text))[1]
    return piece
