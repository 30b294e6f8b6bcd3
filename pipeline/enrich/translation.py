"""The translation annotator: texts that say, or show, that a machine translated them.

Holds: `annotator`, `scores`. Pure. Not here: which language a text is in (`language.py`).

A fluent machine translation leaves no trace that a cheap rule could see, and is not found: a low
score says nothing. A high one is nearly always right. `docs/models/translation.md` has figures.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pyarrow as pa

from pipeline.enrich.annotator import PLACES, Annotator, batch_of
from pipeline.enrich.phrases import Phrases
from pipeline.model.schemas import TRANSLATION_COLUMNS

MODEL = "translated/1"
FLAGGED = 0.5
EDGE = 2_000
"""Statements stand at the beginning or the end of a text."""

_STATED = re.compile(
    r"(?:machine|automatic(?:ally)?|auto|ai|computer)[- ]translat(?:ed|ion)"
    r"|translated (?:automatically|by (?:a )?machine|by ai\b)"
    r"|translated (?:by|with|using|via) (?:google|deepl|bing|yandex)"
    r"|(?:maschinell|automatisch|mit (?:google|deepl)) übersetzt|maschinelle übersetzung"
    r"|übersetzt mit (?:google|deepl)"
    r"|traduction automatique|traduit (?:automatiquement|par (?:google|deepl))"
    r"|traducción automática|traducido (?:automáticamente|por (?:google|deepl))"
    r"|traduzione automatica|tradotto automaticamente|tradução automática|traduzido automaticamente"
    r"|automatisch vertaald|машинный перевод|переведено автоматически|automatyczne tłumaczenie"
    r"|机器翻译|機器翻譯|机翻|機械翻訳|自動翻訳|기계 번역|자동 번역|otomatik çeviri|ترجمة آلية"
)
_DENIED = re.compile(r"(?:not|no|nicht|pas|kein\w*|without)\W+(?:\w+\W+){0,2}$")
_ROOTS = (
    "translat", "übersetz", "tradu", "tradot", "vertaal", "перев", "tłumacz", "翻译", "翻譯",
    "机翻", "翻訳", "번역", "çeviri", "ترجمة",
)  # fmt: skip
_TRACES = ("⁇", "<unk>", "▁", " @-@ ", "@@ ", "& quot ;", "& #39 ;", "&amp; #", "& apos ;")
"""What tokenizers of translation systems leave behind."""


def annotator() -> Annotator:
    """Return the annotator; it needs no others."""
    return Annotator(
        name="translation", columns=tuple(TRANSLATION_COLUMNS), annotate=_annotate, model=MODEL
    )


def scores(texts: pa.StringArray) -> list[float]:
    """Return how plainly each text says or shows that a machine translated it: 0 for no sign.

    Only texts in which a word of the trade or a trace stands are read.
    """
    found = [0.0] * len(texts)
    counts = _words().count(texts)
    for row in np.flatnonzero(counts.any(axis=1)).tolist():
        traces = int(counts[row, 1])
        shown = min(0.8, 0.4 + 0.1 * traces) if traces else 0.0
        stated = 0.9 if counts[row, 0] and _states(_edges(texts[row].as_py())) else 0.0
        found[row] = round(max(shown, stated), PLACES)
    return found


@cache
def _words() -> Phrases:
    return Phrases(_ROOTS, _TRACES)


def _edges(text: str) -> str:
    return (text if len(text) <= 2 * EDGE else text[:EDGE] + "\n" + text[-EDGE:]).lower()


def _states(edges: str) -> bool:
    """Whether a statement is made that is not denied, and is no story about translation.

    A statement stands in a line or bracket of its own; in a long sentence it is what that is about.
    """
    for match in _STATED.finditer(edges):
        start = max(edges.rfind(sign, 0, match.start()) for sign in "\n.([【（。") + 1
        ends = [at for sign in "\n.)]】）。" if (at := edges.find(sign, match.end())) >= 0]
        sentence = min(ends, default=len(edges)) - start
        if sentence <= 100 and not _DENIED.search(edges, start, match.start()):
            return True
    return False


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:  # noqa: ARG001 - needs no columns of others
    found = scores(texts)
    columns = [[one >= FLAGGED for one in found], found, [MODEL] * len(found)]
    return batch_of(TRANSLATION_COLUMNS, columns)
