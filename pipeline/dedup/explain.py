"""Why two documents count as one: their similarity, and what differs.

Holds: `explain`, `Explanation`. Pure. Not here: finding a document and its witness (`cli/`).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from itertools import islice
from typing import Final

import pyarrow as pa

from pipeline.signature import sign, similarity

SENTENCES: Final = 2000
LINES: Final = 200

_END: Final = re.compile(r"(?<=[.!?…])\s+|(?<=[。!?])\s*|\n+")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What deduplication sees in two texts, and a unified diff of their sentences for a person."""

    exact: bool
    similarity: float | None
    """None when one of the texts is too short for anything but exact comparison."""
    diff: tuple[str, ...]


def explain(document: str, witness: str, *, lines: int = LINES) -> Explanation:
    """Compare a document with its witness.

    The diff looks at the first 2,000 sentences of each and ends after `lines` lines; it is empty
    when the texts are equal letter by letter.
    """
    signed = sign(pa.array([document, witness], pa.large_string()))
    exact = signed.content_hash[0].tobytes() == signed.content_hash[1].tobytes()
    score: float | None = None
    if exact:
        score = 1.0
    elif signed.shingles.min() > 0:
        score = float(similarity(signed.minima[0], signed.minima[1]))
    diff = difflib.unified_diff(
        sentences(witness), sentences(document), "witness", "document", n=1, lineterm=""
    )
    shown = list(islice(diff, lines + 1))
    if len(shown) > lines:
        shown[lines:] = [f"… (more than {lines} lines differ)"]
    return Explanation(exact, score, tuple(shown))


def sentences(text: str) -> list[str]:
    """Cut a text into at most 2,000 sentences or lines, without the white space between them."""
    found = (part.strip() for part in _END.split(text))
    return list(islice((part for part in found if part), SENTENCES))
