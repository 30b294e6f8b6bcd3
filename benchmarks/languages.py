"""Accuracy of language on the sixty core languages, and doubt about those that nobody knows.

Holds: `CORE`, `main`. Reads `../shared/eval/lid_dev.jsonl.gz`, the half that tuned nothing.
Not here: other detectors (`annotation.py`), which runs this too.

    python -m benchmarks.languages
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pycld2

from pipeline.enrich.labels import canonical, group
from pipeline.enrich.language import identify
from pipeline.enrich.vote import card

ROOT = Path(__file__).parents[1]
TEXTS = ROOT.parent / "shared" / "eval" / "lid_dev.jsonl.gz"

CORE = frozenset(
    """
    afr ara aze bel ben bos bul cat ces dan deu ell eng est eus fas fin fra glg heb hin hrv hun hye
    ind isl ita jpn kat kaz kor lav lit mal mar mkd msa nep nld nob pol por ron rus slk slv spa sqi
    srp swa swe tam tel tgl tha tur ukr urd vie zho
    """.split()  # noqa: SIM905 - read as a table
)
"""The supported languages that most web text is in. Chosen before anything was measured on them;
pairs that are easily confused (Bosnian and Croatian, Malay and Indonesian) are all in."""

EVERYTHING = "sentences to paragraphs"
SETS = {
    "single sentences": ("flores_sent",),
    "paragraphs": ("flores_para",),
    "Declaration of Human Rights": ("udhr",),
    EVERYTHING: ("flores_sent", "flores_para", "udhr"),
}
BINS = 10
WORST = 6
LOW = 0.85
PAIRS = 400


class Case(NamedTuple):
    """A text's set and language, and what was answered."""

    set: str
    truth: str
    answer: str
    confidence: float


def main() -> None:
    """Print the tables, or why there are none."""
    if not TEXTS.exists():
        print(f"core languages: {TEXTS} is not there")
        return
    rows = held(TEXTS)
    cases = answered(rows)
    print(f"language: {len(CORE)} core languages, the half of the texts that tuned nothing.")
    print("among all: the same languages where texts of every other language may be taken for them")
    heads = ("texts", "macro-F1", "strict", "among all", "answered", "ECE")
    print(f"{'set':30}" + "".join(f"{head:>10}" for head in heads))
    for name, sets in SETS.items():
        _print_set(name, [case for case in cases if case.set in sets])
    _print_worst(cases)
    _print_unknown(cases)
    _print_low(cases)
    _print_pairs(rows)


def held(path: Path) -> list[dict[str, Any]]:
    """Return the texts that tuned nothing, with the code that an answer must have."""
    sys.path.insert(0, str(ROOT / "models" / "language"))
    from calibrate import language  # noqa: PLC0415 - a script beside the models

    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][1::2]
    return [row | {"language": language(row["lang"])} for row in rows]


def answered(rows: Sequence[dict[str, Any]]) -> list[Case]:
    """Ask the vote about every text."""
    found = identify([row["text"] for row in rows])
    return [
        Case(row["set"], row["language"], one.language, one.confidence)
        for row, one in zip(rows, found, strict=True)
    ]


def supported() -> frozenset[str]:
    """Return the languages with a usual fit: those that two detectors answer, with enough texts."""
    return frozenset(card().fit)


def unheard_of() -> Callable[[str], bool]:
    """Return a test for languages that neither py3langid nor CLD2 (nor so CLD3) can answer."""
    labels = {canonical(label) for name, label in pycld2.LANGUAGES if not name.startswith("X_")}
    heard = card().known | labels
    return lambda language: language not in heard


def f1(
    cases: Iterable[Case], languages: Iterable[str], name: Callable[[str], str] = group
) -> dict[str, float]:
    """Return the F1 of each language, or of each group when `name` merges them."""
    pairs = Counter((name(case.truth), name(case.answer)) for case in cases)
    gold, said = Counter[str](), Counter[str]()
    for (truth, answer), count in pairs.items():
        gold[truth] += count
        said[answer] += count
    wanted = sorted({name(language) for language in languages} & set(gold))
    return {one: 2 * pairs[one, one] / (gold[one] + said[one]) for one in wanted}


def calibration_error(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error over ten equal bins."""
    said, hits = np.array(confidence), np.array(right, float)
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    gaps = [abs((said - hits)[bins == one].sum()) for one in range(BINS)]
    return float(sum(gaps) / len(said))


def _print_set(name: str, cases: list[Case]) -> None:
    core = [case for case in cases if case.truth in CORE]
    sure = [case for case in core if case.answer != "und"]
    values = (
        _mean(f1(core, CORE)),
        _mean(f1(core, CORE, str)),
        _mean(f1(cases, CORE)),
        len(sure) / len(core),
        calibration_error([one.confidence for one in sure], [a.truth == a.answer for a in sure]),
    )
    print(f"{name:30}{len(core):>10,}" + "".join(f"{value:>10.4f}" for value in values))


def _print_worst(cases: list[Case]) -> None:
    for name, sets in SETS.items():
        core = [case for case in cases if case.set in sets and case.truth in CORE]
        for kind, scores in (("merged", f1(core, CORE)), ("strict", f1(core, CORE, str))):
            worst = sorted(scores.items(), key=lambda pair: pair[1])[:WORST]
            told = ", ".join(f"{code} {score:.3f}" for code, score in worst)
            print(f"weakest, {name}, {kind}: {told}")


def _print_unknown(cases: list[Case]) -> None:
    """Print how often a language that the vote does not support is called undetermined."""
    known, unheard = supported(), unheard_of()
    for kind, among in (("no detector knows", unheard), ("unsupported", lambda c: c not in known)):
        for name, sets in SETS.items():
            kept = [case for case in cases if case.set in sets and among(case.truth)]
            if kept:
                share = np.mean([case.answer == "und" for case in kept])
                languages = len({case.truth for case in kept})
                print(f"{kind}, {name}: {share:.2f} of {len(kept):,} in {languages} are und")


def _print_low(cases: list[Case]) -> None:
    """Print what is below the goal for a single language, among texts in supported ones."""
    known = supported()
    kept = [case for case in cases if case.truth in known and case.set in SETS[EVERYTHING]]
    for kind, name in (("merged", group), ("strict", str)):
        scores = f1(kept, known, name)
        low = sorted((score, code) for code, score in scores.items() if score < LOW)
        told = ", ".join(f"{code} {score:.2f}" for score, code in low) or "none"
        print(f"below {LOW} of {len(scores)} supported languages, {kind}: {told}")


def _print_pairs(rows: Sequence[dict[str, Any]]) -> None:
    """Print what becomes of two core languages on one line, a sentence each."""
    core = [row for row in rows if row["set"] == "flores_sent" and row["language"] in CORE]
    chance = random.Random(1)
    drawn = (chance.sample(core, 2) for _ in range(PAIRS * 2))
    apart = (pair for pair in drawn if group(pair[0]["language"]) != group(pair[1]["language"]))
    pairs = list(islice(apart, PAIRS))
    found = identify([f"{one['text'].strip()} {other['text'].strip()}" for one, other in pairs])
    truth = [{group(row["language"]) for row in pair} for pair in pairs]
    named = [{group(name) for name, _ in one.shares} - {"und"} for one in found]
    both = sum(one == two for one, two in zip(named, truth, strict=True))
    unknown = sum(one.language == "und" for one in found)
    wrong = sum(bool(one - two) for one, two in zip(named, truth, strict=True))
    print(f"two sentences on one line, {PAIRS}: both right {both}, und {unknown}, a third {wrong}")


def _mean(scores: dict[str, float]) -> float:
    return float(np.mean(list(scores.values())))


if __name__ == "__main__":
    main()
