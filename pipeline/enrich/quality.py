"""The quality annotator: what Gopher, C4 and RedPajama measure before they filter.

Holds: `annotator`, `measure`. Reads the packaged `stop_words.toml` once a process.
Not here: filtering (readers choose thresholds), the count of words (`word_count`, from ingest).

A word is a run of characters without white space; lines are those with something visible. Numbers
of words are null in languages written without spaces. What each number means, and where it
misleads: `docs/models/quality.md`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich.annotator import PLACES, Annotator, languages_of
from pipeline.enrich.quality_kernel import NUMBERS, Hashes, count, slots
from pipeline.enrich.utf8 import buffers, flags
from pipeline.model.schemas import QUALITY_COLUMNS

MODEL = "quality/1"
CHARACTERS = 1 << 18
"""Longer texts are measured by their first 262,144 characters."""

SPACELESS = frozenset("zho yue wuu jpn tha lao khm mya bod dzo".split())  # noqa: SIM905 - a list
OF_WORDS = frozenset(
    {"mean_word_length", "symbol_to_word_ratio", "alphabetic_word_fraction", "stop_word_fraction"}
)
_SMALL = 0x3000
"""Letters from here on have no case."""

Floats = NDArray[np.float64]


def annotator() -> Annotator:
    """Return the annotator; it needs `language`, if an annotator before it makes it."""
    return Annotator(
        name="quality", columns=tuple(QUALITY_COLUMNS), annotate=_annotate, model=MODEL
    )


def measure(texts: pa.StringArray, languages: Sequence[str]) -> dict[str, Floats]:
    """Return the numbers of each text by column; not a number where there is none."""
    rows = np.empty((len(texts), NUMBERS), np.int64)
    table, stop = _stop_words()
    where = np.array([table.get(name, (0, 0)) for name in languages], np.int64).reshape(-1, 2)
    tables = flags(), _small()
    count(buffers(texts), tables, lists=(stop, where), found=rows, most=CHARACTERS)
    words, characters, symbols, alphabetic, runs, stops = rows[:, :6].T
    lines, twice, twice_characters, line_characters, ellipsis, bullets, ended = rows[:, 6:].T
    listed = np.array([language in table for language in languages], np.bool_)
    found = {
        "mean_word_length": _share(characters, words),
        "symbol_to_word_ratio": _share(symbols, words),
        "alphabetic_word_fraction": _share(alphabetic, words),
        "stop_word_fraction": np.where(listed, _share(stops, runs), np.nan),
        "duplicate_line_fraction": _share(twice, lines),
        "duplicate_line_character_fraction": _share(twice_characters, line_characters),
        "ellipsis_line_fraction": _share(ellipsis, lines),
        "bullet_line_fraction": _share(bullets, lines),
        "terminal_punctuation_line_fraction": _share(ended, lines),
    }
    spaceless = np.array([language in SPACELESS for language in languages], np.bool_)
    return {
        name: np.where(spaceless, np.nan, values) if name in OF_WORDS else values
        for name, values in found.items()
    } | {"line_count": lines.astype(np.float64)}


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> Floats:
    """Divide; a share of nothing is no number."""
    found = np.full(len(part), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:
    found = measure(texts, languages_of(earlier, len(texts)))
    schema = pa.schema(QUALITY_COLUMNS)
    arrays = [
        pa.array([MODEL] * len(texts), field.type)
        if field.name == "quality_model"
        else pa.array(found[field.name].round(PLACES), pa.float64(), from_pandas=True).cast(
            field.type
        )
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


@cache
def _small() -> NDArray[np.uint32]:
    """Return the small letter of each code point that may have one."""
    letters = (chr(code).lower() for code in range(_SMALL))
    return np.array([ord(letter[0]) for letter in letters], np.uint32)


@cache
def _stop_words() -> tuple[dict[str, tuple[int, int]], Hashes]:
    """Return the slots of all lists, and by language which ones: the first, and how many."""
    data = resources.files("pipeline.enrich").joinpath("stop_words.toml").read_text("utf-8")
    lists = {language: slots(words.split()) for language, words in tomllib.loads(data).items()}
    ends = np.cumsum([len(one) for one in lists.values()])
    where = {
        language: (int(end) - len(one), len(one))
        for (language, one), end in zip(lists.items(), ends, strict=True)
    }
    return where, np.concatenate(list(lists.values()))
