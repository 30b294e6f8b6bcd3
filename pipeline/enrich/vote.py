"""The vote of three detectors: one language or `und`, and how often such a vote is right.

Holds: `Ballot`, `Verdict`, `decide`, `familiar`, `Card`, `card`. Reads the packaged
`language_model.json` once a process. Not here: asking the detectors (`detectors.py`, `ngrams.py`),
what a text is written with (`codepoints.py`), measuring the numbers of the file
(`models/language/calibrate.py`).

No single confidence rejects a language that a detector does not know (py3langid gives 43 % of
such texts .95 or more). Two things do: the detectors disagree, or the text is unlike all texts in
the language they agree on. Figures and limits: `docs/models/language.md`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TypeAlias

import msgspec

from pipeline.enrich.calibration import Curve, probability
from pipeline.enrich.labels import NON_LINGUISTIC, UNDETERMINED, group, is_close, parent

Vote: TypeAlias = tuple[str, float]

VARIETY_CONFIDENCE = 0.9
BOTH, FIRST_THIRD, SECOND_THIRD = "both", "first_third", "second_third"


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked and answered: py3langid `first`, CLD2 `second`, CLD3 `third` or nothing.

    `fit` is how well the text fits the language of `first` (`ngrams.Scored`), from `tokens` pieces.
    """

    first: Vote
    second: Vote
    third: Vote | None
    fit: float
    tokens: float


class Verdict(msgspec.Struct, frozen=True):
    """A language, the probability that it is right (0 for `und`), and a word on how it was found.

    `how` names the row of the calibration; empty where none applies.
    """

    language: str
    confidence: float
    status: str
    how: str = ""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured: the usual fit of each language, and how often each kind of vote is right.

    `known` are the languages of py3langid; `fit` has mean and deviation by language; `calibration`
    has two rows of equal length by kind of vote: confidence of py3langid, probability.
    """

    name: str
    min_fit: float
    known: frozenset[str]
    fit: dict[str, tuple[float, float]]
    calibration: dict[str, Curve]


@cache
def card() -> Card:
    """Read the packaged numbers, once a process."""
    file = resources.files("pipeline.enrich").joinpath("language_model.json")
    return msgspec.json.decode(file.read_bytes(), type=Card)


def decide(ballot: Ballot) -> Verdict:
    """Count the votes.

    The status is ok, non_linguistic, or why there is no language: disagree, low_confidence,
    unfamiliar.
    """
    # 1. Only py3langid knows what is no language: code, base64, logs.
    label, sure = ballot.first
    if label == NON_LINGUISTIC and sure >= 0.5:
        return Verdict(label, sure, "non_linguistic")
    # 2. Everybody says something else.
    language, how = _majority(ballot)
    if not how:
        return Verdict(UNDETERMINED, 0.0, "disagree")
    # 3. The nearest language that they know, but not near enough.
    if how == BOTH and sure < 0.3:
        return Verdict(UNDETERMINED, 0.0, "low_confidence")
    if how != SECOND_THIRD and not familiar(ballot):
        return Verdict(UNDETERMINED, 0.0, "unfamiliar")
    how += "_close" if is_close(language) else ""
    return Verdict(language, _probability(how, sure), "ok", how)


def familiar(ballot: Ballot) -> bool:
    """Say whether the text fits its language no worse than texts in that language do.

    The fit of a short text varies more: 3 / tokens is what the evaluation texts show.
    """
    facts = card()
    if ballot.first[0] not in facts.fit:
        return True
    mean, deviation = facts.fit[ballot.first[0]]
    spread = deviation**2 + 3 / max(ballot.tokens, 1.0)
    return bool(ballot.fit - mean >= facts.min_fit * spread**0.5)


def agree(one: str, other: str) -> bool:
    """Say whether two votes name the same language, at the least inside a group."""
    return one not in {UNDETERMINED, NON_LINGUISTIC} and group(one) == group(other)


def _majority(ballot: Ballot) -> tuple[str, str]:
    """Return the language of two votes, and which two; agreement inside a group counts."""
    (a, a_sure), (b, b_sure) = ballot.first, ballot.second
    c = ballot.third[0] if ballot.third else UNDETERMINED
    if agree(a, b):
        return _certain(a, a_sure, b), BOTH
    if agree(a, c) and a_sure >= 0.5:
        return _certain(a, a_sure, c), FIRST_THIRD
    # Against py3langid the others are right only where it does not know the language.
    if agree(b, c) and b_sure >= 0.9 and b not in card().known:
        return b, SECOND_THIRD
    return UNDETERMINED, ""


def _certain(language: str, confidence: float, other: str) -> str:
    """Take a variety (Cantonese, Egyptian Arabic) for its parent unless certain or seconded."""
    sure = confidence >= VARIETY_CONFIDENCE or other == language
    return language if sure else parent(language)


def _probability(how: str, sure: float) -> float:
    curve = card().calibration.get(how)
    return float(probability(curve, sure)) if curve else sure
