"""Articles written for the splitter, sorted by language and by what they are for.

Holds: `WrittenArticle`, `Shelves`, `read_shelves`, `half`, `archived`. Reads
`written/<language>.jsonl` beside this module and `written/archives/`.
Not here: articles made of manuals (`library.py`), how a site prints them (`printing.py`).

The articles are invented and written in the language itself: reports, briefs, interviews, laws,
recipes, live tickers, with and without a title. Nothing in them is exchanged. Those of one
`group` are about one subject, and are on one side of every division. Articles in `archives` are
longer, of 350 to 31,000 characters, and come as somebody's page had them: with its blank lines,
its indentation, and the many lines inside that look like titles.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
from library import HELD_LANGUAGES

FOLDER = Path(__file__).with_name("written")
PARTS = ("train", "tune", "test")
TEST, TUNE = range(32), range(64, 96)
"""Of 256: articles to measure with, an eighth, and to calibrate with, another."""


class WrittenArticle(msgspec.Struct, frozen=True):
    """An article line by line. `above`, `below`: what is printed between title and text, after it.

    `prompt`: what a site adds. `group`: what articles about one subject share, or nothing.
    `laid_out`: whether the text has the blank lines and indentation that its page had.
    """

    kind: str
    group: str | None
    title: str | None
    above: list[str]
    text: list[str]
    below: list[str]
    prompt: list[str]
    laid_out: bool = False

    def __len__(self) -> int:
        """Return the characters of the text."""
        return sum(map(len, self.text))

    def digest(self, language: str) -> bytes:
        """Return what divides articles by chance, those of one group alike."""
        key = f"{language} {self.group or self.title or self.text[0]}"
        return hashlib.sha256(key.encode()).digest()

    def part(self, language: str) -> str:
        """Say what it is for: to train, tune or test; languages that are held out only test."""
        at = self.digest(language)[0]
        if language in HELD_LANGUAGES or at in TEST:
            return "test"
        return "tune" if at in TUNE else "train"


Shelves = dict[str, list[WrittenArticle]]


def read_shelves(part: str, folder: Path = FOLDER) -> Shelves:
    """Read the articles of one part by language, in the order of the files."""
    shelves: Shelves = {}
    for path in sorted(folder.rglob("*.jsonl")):
        lines = path.read_text("utf-8").splitlines()
        found = [msgspec.json.decode(line, type=WrittenArticle) for line in lines if line.strip()]
        mine = [article for article in found if article.part(path.stem) == part]
        if mine:
            shelves.setdefault(path.stem, []).extend(mine)
    return dict(sorted(shelves.items()))


def half(shelves: Shelves, side: int) -> Shelves:
    """Return every other article, those of one group together; 0 and 1 make all."""
    found = {
        name: [article for article in shelf if article.digest(name)[1] % 2 == side]
        for name, shelf in shelves.items()
    }
    return {name: shelf for name, shelf in found.items() if shelf}


def archived(shelves: Shelves) -> Shelves:
    """Return the articles that come as their page had them."""
    found = {name: [one for one in shelf if one.laid_out] for name, shelf in shelves.items()}
    return {name: shelf for name, shelf in found.items() if shelf}
