"""Which lines of a page are the site's, told to the scorer before it judges any.

Holds: `marked`. Reads the text of the few lines that begin as a known phrase does, or in digits.
Not here: what makes a line furniture (`split_furniture.py`), what follows from it for a boundary
(`split_features.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.ingest import split_lines as sl
from pipeline.ingest.split_chars import STOP
from pipeline.ingest.split_furniture import LONGEST, furniture_reason, is_weak
from pipeline.ingest.split_phrases import phrases
from pipeline.ingest.split_rows import KINDS as ROW_KINDS
from pipeline.signature.compiled import jit, u32

OPEN_KINDS: Final = (
    "archives", "labels", "listed", "listings", "posted", "prompts", "places", "others", "homes",
    "powered", "rights", "shares",
)  # fmt: skip
"""Kinds of phrases behind which a name, a title or a number may stand."""
NUMBERS: Final = 1
"""`HEAD` of lines that begin with a number: they may tell pages."""
SENTENCE: Final = 40
"""Visible characters above which a line that ends in a full stop is a sentence."""
_WORD_BITS: Final = 20


class _Openings(NamedTuple):
    """What lines of furniture begin with and consist of, by the hashes of words."""

    heads: npt.NDArray[np.bool_]  # of phrases behind which anything may stand
    rows: npt.NDArray[np.bool_]  # of phrases that stand in rows
    words: npt.NDArray[np.bool_]  # of the words of all of these


def marked(text: str, lines: sl.Lines) -> sl.Lines:
    """Write `SITE`, whether a line is furniture (2, or 1 if beside others), and `FAMILIAR`.

    Changes `lines`.
    """
    columns = lines.columns[:, :-1]
    known = _openings()
    unknown = _unknown(lines.columns, lines.tokens, known.words)
    for at in np.flatnonzero(_maybe(lines, known, unknown)):
        start = int(columns[sl.CHAR, at] + columns[sl.INDENT, at])
        end = text.find("\n", start, start + LONGEST + 2)
        line = text[start : end if end >= 0 else start + LONGEST + 2]
        columns[sl.SITE, at] = 2 if furniture_reason(line, opens=True) else is_weak(line)
    return lines


def _maybe(
    lines: sl.Lines, known: _Openings, unknown: npt.NDArray[np.int32]
) -> npt.NDArray[np.bool_]:
    """Return which lines are worth reading: few of those of an article are."""
    columns = lines.columns[:, :-1]
    heads, lengths = sl.head_places(columns[sl.HEAD]), columns[sl.LENGTH]
    opens_row = known.rows[heads] | (columns[sl.HEAD] == NUMBERS)
    maybe: npt.NDArray[np.bool_] = known.heads[heads] | (
        opens_row & (unknown <= columns[sl.DIGITS] // 2)
    )
    maybe &= (lengths <= LONGEST) & ((columns[sl.END] != STOP) | (lengths <= SENTENCE))
    return maybe


@jit
def _unknown(
    columns: npt.NDArray[np.int32], tokens: npt.NDArray[np.uint32], words: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int32]:
    """Return how many words of each line are in no phrase; write what share is into `FAMILIAR`.

    Those of long lines are not counted.
    """
    found = np.zeros(columns.shape[1] - 1, dtype=np.int32)
    for line in range(len(found)):
        if columns[sl.LENGTH, line] <= LONGEST:
            start, stop = columns[sl.TOKEN, line], columns[sl.TOKEN, line + 1]
            for at in range(start, stop):
                found[line] += not words[tokens[at] >> u32(32 - _WORD_BITS)]
            known = stop - start - found[line]
            columns[sl.FAMILIAR, line] = 100 * known // max(1, stop - start)
    return found


@cache
def _openings() -> _Openings:
    heads = [_scanned(kinds_of).columns[sl.HEAD, :-1] for kinds_of in (OPEN_KINDS, ROW_KINDS)]
    flags = np.zeros((2, 1 << sl.HEAD_BITS), dtype=np.bool_)
    for flag, found in zip(flags, heads, strict=True):
        flag[sl.head_places(np.ascontiguousarray(found))] = True
    flags[:, 0] = False  # numbers, and lines without words
    words = np.zeros(1 << _WORD_BITS, dtype=np.bool_)
    words[_scanned((*OPEN_KINDS, *ROW_KINDS)).tokens >> (32 - _WORD_BITS)] = True
    return _Openings(flags[0], flags[1], words)


def _scanned(kinds_of: Sequence[str]) -> sl.Lines:
    listed = sorted(phrase for kind in kinds_of for phrase in phrases(kind))
    return sl.scan("\n".join(listed).encode(), sl.Lexicon.empty())
