"""Two of the three language detectors, each as one call from text to (ISO 639-3 code, confidence).

Holds: `cld2`, `cld2_whole`, `cld3`, `model_id`. Loads the models bundled in
their packages, once a process.
Not here: the third (`ngrams.py`), preparing text (`codepoints.py`), the decision (`vote.py`).
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path

import gcld3
import pycld2

from pipeline.enrich.digest import digest
from pipeline.enrich.labels import UNDETERMINED, canonical
from pipeline.enrich.vote import Vote, card

FOLDER = Path(__file__).parent
FILES = ("language_model.json", "codepoints.json")
CLD3_BYTES = 1 << 16
PURE = 98
"""Per cent that CLD2 gives the only language of a text: it counts white space in."""


def cld2(text: str) -> Vote:
    """Ask CLD2. Its confidence is a share of bytes, no probability; 0 when it is unsure itself."""
    return _read(pycld2.detect(text, isPlainText=True, bestEffort=True))


def cld2_whole(text: str) -> tuple[Vote, bool]:
    """Ask CLD2, and whether it saw no second language anywhere in the text.

    It reads all of it; what is less than a hundredth, and some that is less than a thirtieth, goes
    unseen.
    """
    said = pycld2.detect(text, isPlainText=True, bestEffort=True)
    reliable, _, ranked = said
    return _read(said), bool(reliable and ranked[0][2] >= PURE and not ranked[1][2])


def _read(said: tuple[bool, int, tuple[tuple[str, str, int, float], ...]]) -> Vote:
    reliable, _, ranked = said
    label, percent = ranked[0][1], ranked[0][2]
    return canonical(label), percent / 100 if reliable else 0.0


def cld3(text: str) -> Vote:
    """Ask CLD3."""
    result = _network().FindLanguage(text=text)
    return (canonical(result.language), result.probability) if result else (UNDETERMINED, 0.0)


@cache
def model_id(folder: Path = FOLDER) -> str:
    """Name the vote by its numbers and the versions of its parts, without loading a model."""
    parts = "+".join(f"{name}-{version(name)}" for name in ("pycld2", "py3langid", "cld3-py"))
    return f"{card().name}+{digest(*(folder / name for name in FILES))}+{parts}"


@cache
def _network() -> gcld3.NNetLanguageIdentifier:
    return gcld3.NNetLanguageIdentifier(0, CLD3_BYTES)
