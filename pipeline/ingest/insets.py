"""Lines inside an article that belong to its pictures and not to its text.

Holds: `insets`, `is_image_name`, `without`. Pure functions of one document's characters.
Not here: furniture around articles (`split_furniture.py`), rows of the quarantine (`rows.py`).

Two kinds are taken out of `text`; their spans stay known, so the original can be put together
again.

`image_name`: the name of an image file that is all of its line, unless it stands in a row of file
names that are not all of images (a listing).

`repeated_caption`: the second of two equal lines with nothing but blank lines and image names
between them, if it is 20 to 300 columns wide and an image name stands beside the two or it says
that it is a caption ("Photo: …", "… 摄"); or if it is at least 60 columns wide, occurs exactly
twice in the document, and stands beside a paragraph of at least 120 columns. Lines of verse and
refrains are shorter, or stand among lines of their kind; what is printed three times in a row is
never touched. The first line of a document is its title: a line that repeats it under the same
conditions is a `repeated_title`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec
import numpy as np

from pipeline.ingest.pieces import EXCERPT, Inset, Span, excerpt
from pipeline.ingest.tidy import has_insets, packed

CAPTION, SENTENCE, PARAGRAPH, LONGEST = 20, 60, 120, 300
"""Columns from which a line may be a caption, may be one without a sign, and is prose; columns of
the longest caption."""

_IMAGES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg", ".heic",
           ".avif")  # fmt: skip
_ENDINGS = np.array([packed(ending) for ending in _IMAGES], np.int64)
_LONGEST_NAME = 255
_FILE = re.compile(r"[^\s.][^\s]*\.[A-Za-z0-9]{1,5}")
_CREDIT = re.compile(
    r"^(?:[△▲▼◆]|[图圖](?:[为為片]|[：:])|[资資]料[图圖]|写真|사진|صورة|"
    r"(?:photo|picture|image|foto|bild|figure|фото)\b|abb\.|fig\.)|"
    r"(?:[摄攝]|撮影|供[图圖])[)）]?$|"
    r"\b(?:photo by|photo courtesy|courtesy of|getty images|reuters|afp|shutterstock)\b",
    re.IGNORECASE,
)
_WIDE = "\u2e80"
_BAD = "\ufffd"


class _Line(msgspec.Struct, gc=False):
    """A line that is not blank; `end` is where the next one begins."""

    said: str
    start: int
    end: int
    number: int
    is_image: bool = False


def insets(raw: str, text: str, *, at: Span) -> tuple[Inset, ...]:
    """Find the lines that do not belong to the text, in order.

    Args:
        raw: the document's characters as they stand in the file.
        text: the same, normalised; it decides quickly that there are none.
        at: where `raw` begins in the file.
    """
    if not has_insets(text, _ENDINGS):
        return ()
    lines = list(_lines(raw))
    _mark_images(lines)
    found = [(line, "image_name") for line in lines if line.is_image]
    found += _repeated(lines)
    return tuple(
        Inset(
            span=Span(
                at.char_start + line.start,
                at.char_start + line.end,
                at.line_start + line.number,
                at.line_start + line.number + raw.count("\n", line.start, line.end - 1),
            ),
            reason=reason,
            excerpt=excerpt(raw[line.start : min(line.end, line.start + EXCERPT)]),
        )
        for line, reason in sorted(found, key=lambda pair: pair[0].start)
    )


def is_image_name(line: str) -> bool:
    """Whether a line ends like the name of an image file."""
    return line[-5:].lower().endswith(_IMAGES)


def without(raw: str, found: Sequence[Inset], *, start: int) -> str:
    """Return the characters of a document, which begins at `start`, without its insets."""
    kept = []
    place = 0
    for inset in found:
        kept.append(raw[place : inset.span.char_start - start])
        place = inset.span.char_end - start
    return "".join([*kept, raw[place:]])


def _lines(raw: str) -> Iterator[_Line]:
    """Yield the lines that are not blank, each with the blank lines behind it."""
    place = 0
    held: _Line | None = None
    for number, line in enumerate(raw.split("\n")):
        said = line.strip()
        if said:
            if held:
                held.end = place
                yield held
            held = _Line(said, place, len(raw), number)
        place += len(line) + 1
    if held:
        yield held


def _mark_images(lines: Sequence[_Line]) -> None:
    """Mark image names; in a row with the name of another file they are part of a listing."""
    for is_name, row in groupby(lines, key=lambda line: _is_file_name(line.said)):
        names = list(row) if is_name else []
        is_images = all(is_image_name(line.said) for line in names)
        for line in names:
            line.is_image = is_images


def _is_file_name(line: str) -> bool:
    return len(line) <= _LONGEST_NAME and _BAD not in line and bool(_FILE.fullmatch(line))


def _repeated(lines: Sequence[_Line]) -> Iterator[tuple[_Line, str]]:
    """Yield the second of each two equal lines that are a caption, with the reason."""
    places = [at for at, line in enumerate(lines) if not line.is_image]
    counts = Counter(lines[at].said for at in places)
    pairs = zip([None, *places], places, places[1:], [*places[2:], None], strict=False)
    for before, first, second, after in pairs:
        line = lines[second]
        if lines[first].said != line.said or _BAD in line.said:
            continue
        beside = [lines[at] for at in (before, after) if at is not None]
        if any(near.said == line.said for near in beside):
            continue
        has_image = any(near.is_image for near in lines[max(0, first - 1) : second + 2])
        if _is_caption(line, beside, has_image=has_image, count=counts[line.said]):
            yield line, "repeated_title" if before is None else "repeated_caption"


def _is_caption(line: _Line, beside: Sequence[_Line], *, has_image: bool, count: int) -> bool:
    width = _columns(line.said)
    if not CAPTION <= width <= LONGEST:
        return False
    if has_image or _CREDIT.search(line.said):
        return True
    prose = any(_columns(near.said) >= PARAGRAPH for near in beside)
    return width >= SENTENCE and count == 2 and prose


def _columns(line: str) -> int:
    """Return the width of a line on a screen, in which wide characters take two columns."""
    if line.isascii() or len(line) > LONGEST:
        return len(line)
    return len(line) + sum(char >= _WIDE for char in line)
