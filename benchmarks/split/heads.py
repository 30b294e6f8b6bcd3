"""What lines begin with: the first words that begin articles, and those that end them.

Holds: `head_table`. Pure function of written articles.
Not here: how it is used (`pipeline/ingest/split_lines.py`).

"Editor", "Photo", "Article" and "Q" begin many lines and no articles. An article counts a word once
as its first, once among its last lines, and once among the others.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt
from shelves import Shelves, WrittenArticle

from pipeline.ingest import split_lines as sl

LAST: Final = 3
"""Lines at the end of an article that count as its end, where it has three times as many."""
FIRM: Final = 6.0
"""Articles that a word must be seen in to be half believed."""
SCALE: Final = 16


def head_table(shelves: Shelves) -> npt.NDArray[np.int8]:
    """Return the log odds, times 16, that a line begins or ends an article, by its first word.

    [2, 2 ** HEAD_BITS]; 0 where nothing is known: as likely as any line.
    """
    first, last, inner = Counter[int](), Counter[int](), Counter[int]()
    for shelf in shelves.values():
        for article in shelf:
            heads = _heads(article)
            end = LAST if len(heads) >= 3 * LAST else 1
            first[heads[0]] += 1
            last.update(set(heads[1:][-end:]))
            inner.update(set(heads[1:-end]))
    return np.stack([_log_odds(first, inner + last), _log_odds(last, inner + first)])


def _heads(article: WrittenArticle) -> list[int]:
    title = [article.title] if article.title else []
    text = "\n".join([*title, *article.above, *article.text, *article.below, *article.prompt])
    lines = sl.scan(text.encode("utf-8", "surrogatepass"), sl.Lexicon.empty())
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
