"""Whole dump files to learn from: the articles of one site under each other, furniture and all.

Holds: `SiteDump`, `read_dumps`, `half_of`, `stocked`, `dump_page`, `dressed`. Reads
`dumps/learned/` beside this module. Not here: dumps that only measure (`sets.py`), articles of many
sites (`written.py`).

On a page of one site articles are set alike and their titles are of a kind, so where one begins is
told by what the others look like. No page put together of articles of many sites teaches that.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from library import HELD_LANGUAGES
from pages import GeneratedPage
from shelves import TUNE, Shelves, WrittenArticle

LEARNED: Final = Path(__file__).with_name("dumps") / "learned"
DOCUMENT: Final = "document"
WHOLE: Final = 0.45
"""Share of the pages that are a dump as it came."""
SINGLE: Final = 0.2
"""Share of the pages that are one document of a dump."""
BARE: Final = 0.3
"""Share of the pages without the furniture of their dump."""
DRESSED: Final = 0.15
"""Share of the pages, of whatever articles, with the furniture of another dump."""


class Segment(NamedTuple):
    """Lines of a dump that are one document, or furniture, with the blank ones behind them."""

    kind: str
    title: str | None
    lines: list[str]


class SiteDump(NamedTuple):
    """A dump file by its segments. `name`: `<language>-<id>`."""

    name: str
    language: str
    segments: list[Segment]

    def digest(self) -> bytes:
        """Return what divides dumps by chance, as their documents are divided (`shelves.py`)."""
        return hashlib.sha256(f"{self.language} {self.name}".encode()).digest()


def read_dumps(part: str, folder: Path = LEARNED) -> list[SiteDump]:
    """Read the dumps of one part, `train` or `tune`, in the order of their names.

    Raises:
        ValueError: a dump is in a language that is held out.
    """
    found = [_read(path) for path in sorted(folder.glob("*.docs.jsonl"))]
    for dump in found:
        if dump.language in HELD_LANGUAGES:
            raise ValueError(f"{dump.name} in {folder}: its language only measures; move it out")
    return [dump for dump in found if part == ("tune" if dump.digest()[0] in TUNE else "train")]


def half_of(dumps: Sequence[SiteDump], side: int) -> list[SiteDump]:
    """Return every other dump; 0 and 1 make all."""
    return [dump for dump in dumps if dump.digest()[1] % 2 == side]


def stocked(shelves: Shelves, dumps: Sequence[SiteDump]) -> Shelves:
    """Return shelves with the documents of dumps behind the other articles of their language."""
    found = {name: list(shelf) for name, shelf in shelves.items()}
    for dump in dumps:
        found.setdefault(dump.language, []).extend(_articles(dump))
    return dict(sorted(found.items()))


def dump_page(rng: random.Random, dump: SiteDump) -> GeneratedPage:
    """Take a dump as it came, a document of it, or some in another order; often no furniture."""
    chance = rng.random()
    segments = dump.segments
    if chance >= WHOLE:
        groups = _groups(segments)
        many = 1 if chance < WHOLE + SINGLE else rng.randint(2, max(2, len(groups)))
        chosen = rng.sample(groups, min(many, len(groups)))
        segments = [segment for group in chosen for segment in group]
    if rng.random() < BARE:
        segments = [segment for segment in segments if segment.kind == DOCUMENT]
    lines: list[str] = []
    starts: list[int] = []
    furniture: list[int] = []
    for segment in segments:
        if segment.kind == DOCUMENT:
            starts.append(len(lines))
        else:
            furniture += range(len(lines), len(lines) + len(segment.lines))
        lines += segment.lines
    return GeneratedPage("\n".join(lines), starts, dump.language, furniture)


def dressed(rng: random.Random, page: GeneratedPage, dumps: Sequence[SiteDump]) -> GeneratedPage:
    """Return a page as it came, or with what another site prints above, below and between."""
    if rng.random() >= DRESSED:
        return page
    near = [dump for dump in dumps if dump.language == page.language] or dumps
    top, under, bottom = _clothes(rng.choice(near))
    lines: list[str] = []
    starts: list[int] = []
    furniture: list[int] = []
    begun, known = set(page.starts), set(page.furniture)
    for at, line in enumerate([*page.text.split("\n"), None]):
        if at in begun or line is None:
            choices = [top] if not starts else [bottom] if line is None else under
            mine = rng.choice(choices) if choices else []
            furniture += range(len(lines), len(lines) + len(mine))
            lines += mine
        if at in begun:
            starts.append(len(lines))
        if line is not None and at not in known:
            lines.append(line)
    return GeneratedPage("\n".join(lines), starts, page.language, furniture)


def _clothes(dump: SiteDump) -> tuple[list[str], list[list[str]], list[str]]:
    """Return what a site prints above its articles, what under each of them, and below them all.

    Nothing is among what it prints under an article as often as it prints nothing there.
    """
    segments = dump.segments
    top = segments[0].lines if segments[0].kind != DOCUMENT else []
    bottom = segments[-1].lines if segments[-1].kind != DOCUMENT else []
    under = [
        [] if after.kind == DOCUMENT else after.lines
        for before, after in pairwise(segments)
        if before.kind == DOCUMENT and (after.kind == DOCUMENT or after is not segments[-1])
    ]
    return top, under, bottom


def _groups(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Return each document with the furniture behind it."""
    groups: list[list[Segment]] = []
    for segment in segments:
        if segment.kind == DOCUMENT:
            groups.append([segment])
        elif groups:
            groups[-1].append(segment)
    return groups


def _articles(dump: SiteDump) -> Iterator[WrittenArticle]:
    """Yield the documents of a dump as articles that their page laid out."""
    for kind, title, lines in dump.segments:
        if kind == DOCUMENT:
            text = lines[1:] if title else lines
            yield WrittenArticle("of a dump", dump.name, title, [], text, [], [], laid_out=True)


def _read(path: Path) -> SiteDump:
    name = path.name.removesuffix(".docs.jsonl")
    lines = path.with_name(f"{name}.txt").read_text("utf-8").split("\n")
    rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    stops = [*(row["start_line"] for row in rows[1:]), len(lines) + 1]
    segments = []
    for row, stop in zip(rows, stops, strict=True):
        mine = lines[row["start_line"] - 1 : stop - 1]
        first = mine[0].strip()
        titled = row["kind"] == DOCUMENT and row["title"] is not None and row["title"] == first
        segments.append(Segment(row["kind"], first if titled else None, mine))
    return SiteDump(name, name.partition("-")[0], segments)
