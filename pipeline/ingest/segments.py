"""What a splitter returns, and the check that it lost nothing.

Holds: `Segment`, `check_tiling`, `documents_at`, `blank`, `whole`. Pure functions of text.
Not here: finding splitters (`splitters.py`), the built-in one for pages (`split.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from pipeline.errors import ContractError
from pipeline.model.settings import IngestSettings

KINDS = frozenset({"document", "furniture"})


class Segment(msgspec.Struct, frozen=True):
    """A run of lines of a page.

    `char_start` and `char_end` are a half-open span, `line_start` and `line_end` are 1-based and
    inclusive. `score`: the probability that a document begins here, None at the first document of
    a page and at furniture. `reason`: why it is furniture; empty for documents.
    """

    kind: str
    char_start: int
    char_end: int
    line_start: int
    line_end: int
    title: str | None
    score: float | None
    reason: str


def check_tiling(text: str, segments: Sequence[Segment], splitter: str) -> None:
    """Check that every character of `text` is in exactly one segment, and what segments say.

    Raises:
        ContractError: they have a gap, overlap, or say something else than the text; naming the
            splitter, the segment and the place.
    """
    place, line = 0, 1
    for number, segment in enumerate(segments):
        problem = _problem(text, segment, place=place, line=line)
        if problem:
            raise _broken(splitter, f"segment {number}: {problem}")
        place = segment.char_end
        line = segment.line_end + (text[place - 1] == "\n")
    if place != len(text):
        raise _broken(
            splitter,
            f"expected segments up to character {len(text)}, found the last end at {place}",
        )


def _problem(text: str, segment: Segment, *, place: int, line: int) -> str:
    """Say what is wrong with a segment that must begin at `place`, in `line`; "" if nothing is."""
    start, end = segment.char_start, segment.char_end
    if start != place or not start < end <= len(text):
        return f"expected characters from {place} on, found {start} to {end} of {len(text)}"
    last = line + text.count("\n", start, end - 1)
    if (segment.line_start, segment.line_end) != (line, last):
        found = f"{segment.line_start} to {segment.line_end}"
        return f"expected lines {line} to {last}, found {found}"
    if segment.kind not in KINDS or (segment.kind == "furniture") != bool(segment.reason):
        return (
            "expected a document, or furniture with a reason, "
            f"found kind {segment.kind!r} with reason {segment.reason!r}"
        )
    return ""


def _broken(splitter: str, problem: str) -> ContractError:
    return ContractError(
        f"splitter {splitter}: {problem}. A splitter must put every character into exactly one "
        "segment. Nothing of this shard was committed; mend the splitter and raise its version, "
        "or choose another in ingest.splitter."
    )


def documents_at(text: str, starts: Iterable[tuple[int, str | None]]) -> list[Segment]:
    """Cut a text where documents begin: what a splitter for a layout of its own mostly needs.

    Args:
        text: the page.
        starts: the first character of each document, rising, with its title if it has one. What
            stands before the first is furniture of the reason `preamble`, and what is blank is
            furniture of the reason `blank`.
    """
    cuts = [(0, None), *starts] if text else []
    ends = [start for start, _ in cuts[1:]] + [len(text)]
    found: list[Segment] = []
    line = 1
    for number, ((start, title), end) in enumerate(zip(cuts, ends, strict=False)):
        if start == end:
            continue
        reason = "blank" if text[start:end].isspace() else ("" if number else "preamble")
        last = line + text.count("\n", start, end - 1)
        kind = "furniture" if reason else "document"
        found.append(Segment(kind, start, end, line, last, None if reason else title, None, reason))
        line += text.count("\n", start, end)
    return found


def blank(text: str) -> list[Segment]:
    """Return the one segment of a text that says nothing, none for an empty text."""
    if not text:
        return []
    lines = text.count("\n") + (not text.endswith("\n"))
    return [Segment("furniture", 0, len(text), 1, lines, None, None, "blank")]


def whole(text: str, *, settings: IngestSettings) -> list[Segment]:  # noqa: ARG001 - the interface of a splitter
    """Take the whole text as one document: the splitter `none`."""
    return documents_at(text, [(0, None)])
