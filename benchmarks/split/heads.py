"""What lines begin with: the first words that begin articles, that end them, that are the site's.

Holds: `head_table`. Pure function of written articles.
Not here: how it is used (`pipeline/ingest/split_lines.py`).

"Editor", "Photo", "Article" and "Q" begin many lines and no articles. An article counts a word once
as its first, once among its last lines, and once among the others; a dump counts it once among the
lines of its furniture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from shelves import Shelves, WrittenArticle
from site_dumps import DOCUMENT, SiteDump

from pipeline.ingest import split_lines as sl

LAST: Final = 3
"""Lines at the end of an article that count as its end, where it has three times as many."""
FIRM: Final = 6.0
"""Articles that a word must be seen in to be half believed."""
SCALE: Final = 16


def head_table(shelves: Shelves, dumps: Sequence[SiteDump]) -> npt.NDArray[np.int8]:
    """Return the log odds, times 16, of what a line is, by its first word.

    [3, 2 ** HEAD_BITS]: that it begins an article, ends one, is the site's; 0 where nothing is
    known: as likely as any line.
    """
    first, last, inner = Counter[int](), Counter[int](), Counter[int]()
    for shelf in shelves.values():
        for article in shelf:
            heads = _heads(article)
            end = LAST if len(heads) >= 3 * LAST else 1
            first[heads[0]] += 1
            last.update(set(heads[1:][-end:]))
            inner.update(set(heads[1:-end]))
    site = Counter[int]()
    for dump in dumps:
        furniture = [line for each in dump.segments if each.kind != DOCUMENT for line in each.lines]
        site.update(set(_places(furniture)))
    rows = (first, inner + last), (last, inner + first), (site, first + inner + last)
    return np.stack([_log_odds(mine, others) for mine, others in rows])


def _heads(article: WrittenArticle) -> list[int]:
    title = [article.title] if article.title else []
    return _places([*title, *article.above, *article.text, *article.below, *article.prompt])


def _places(text: Sequence[str]) -> list[int]:
    lines = sl.scan("\n".join(text).encode("utf-8", "surrogatepass"), sl.Lexicon.empty())
    return [int(place) for place in sl.head_places(lines.columns[sl.HEAD, :-1])]


def _log_odds(mine: Counter[int], others: Counter[int]) -> npt.NDArray[np.int8]:
    """Return what a word adds to the odds of all lines, drawn towards nothing where it is rare."""
    usual = mine.total() / (mine.total() + others.total())
    counts = np.zeros((2, 1 << sl.HEAD_BITS))
    for row, found in zip(counts, (mine, others), strict=True):
        for place, count in found.items():
            row[place] = count
    odds = (counts[0] + FIRM * usual) / (counts[1] + FIRM * (1 - usual))
    scaled = np.rint(SCALE * (np.log(odds) - np.log(usual / (1 - usual))))
    return np.clip(scaled, -127, 127).astype(np.int8)
