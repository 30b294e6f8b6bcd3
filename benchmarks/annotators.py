"""Speed and memory of each annotator, and of all together.

Holds: `main`. Each row is a process of its own, with one annotator (after `language`, whose time is
then not counted). Reads texts of `../shared/eval`, or the project's golden ones when it is not
there. Not here: accuracy (`languages.py`, `topics.py`, `flags.py`).

    python -m benchmarks.annotators
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import time
from collections import defaultdict
from functools import partial
from itertools import zip_longest
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pycld2

from pipeline.enrich.annotator import annotate, resolve
from pipeline.model.settings import EnrichSettings

ROOT = Path(__file__).parents[1]
EVAL = ROOT.parent / "shared" / "eval" / "topic_dev.jsonl.gz"
GOLDEN = ROOT / "tests" / "golden"
SIZE, COUNT, TRIES = 5_000, 300, 3
DEFAULT = EnrichSettings().annotators
CHEAP = ("quality", "personal", "forms", "translation", "dates")
SCALE = "CLD2 alone"
ROWS = {
    **{name: (name,) for name in DEFAULT},
    "these five": CHEAP,
    "all seven": DEFAULT,
    SCALE: (),
}
"""CLD2 is no annotator: it is there to compare machines by, and loads of one machine."""


def main() -> None:
    """Print a row an annotator."""
    print(
        f"annotators: {COUNT} documents of {SIZE:,} characters, median of {TRIES}; seconds of one"
    )
    print("core's time, so a loaded machine makes all rows slower: compare with the last one")
    heads = ("English", "MB/s", "others", "MB/s", "peak MB", "own MB")
    print(f"{'annotator':16}" + "".join(f"{head:>11}" for head in heads))
    for name in ROWS:
        if name == CHEAP[0]:
            print(f"{'':16}{'docs/s':>11}{'':>11}{'docs/s':>11}")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.annotators", name],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        print(done.stdout, end="")


def one(name: str) -> None:
    """Measure one row in this process and print it."""
    kinds = documents()
    line, first = f"{name:16}", _peak()
    for texts in kinds:
        seconds = _seconds(name, texts)
        size = sum(len(text.encode()) for text in texts) / 1e6
        line += f"{len(texts) / seconds:>11,.0f}{size / seconds:>11,.1f}"
    print(f"{line}{_peak():>11,.0f}{_peak() - first:>11,.0f}")


def documents() -> tuple[list[str], list[str]]:
    """Return documents in English, and in other languages in turn: each in one language."""
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows():
        code = row["lang"].split("_")[0]
        texts["eng" if code == "en" else code].append(row["text"])
    english = _cut(texts.pop("eng"))
    others = [_cut(some) for _, some in sorted(texts.items())]
    mixed = [text for row in zip_longest(*others) for text in row if text]
    return _filled(english), _filled(mixed)


def _rows() -> list[dict[str, Any]]:
    if EVAL.exists():
        with gzip.open(EVAL, "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    golden = json.loads((GOLDEN / "languages.json").read_text("utf-8"))
    return [{"lang": code, "text": text} for code, text in golden.items()]


def _cut(texts: list[str]) -> list[str]:
    """Join texts as paragraphs and cut documents of one size; what is too little is repeated."""
    joined = "\n\n".join(texts)
    joined = (joined + "\n\n") * (SIZE // (len(joined) + 2) + 1)
    return [joined[start : start + SIZE] for start in range(0, len(joined) - SIZE + 1, SIZE)]


def _filled(texts: list[str]) -> list[str]:
    return (texts * (COUNT // len(texts) + 1))[:COUNT]


def _seconds(name: str, texts: list[str]) -> float:
    """Return the processor time of a run over all texts, models loaded."""
    array = pa.array(texts)
    if name == SCALE:
        return _timed(lambda: [pycld2.detect(text, isPlainText=True) for text in texts])
    names = ROWS[name]
    if "language" in names:
        return _timed(partial(annotate, array, resolve(names)))
    before = annotate(array, resolve(("language",))) if name == "topic" else annotate(array, ())
    annotators = resolve(names)
    return _timed(lambda: [one.annotate(array, before) for one in annotators])


def _timed(run: Any) -> float:
    run()
    taken = []
    for _ in range(TRIES):
        started = time.process_time()
        run()
        taken.append(time.process_time() - started)
    return median(taken)


def _peak() -> float:
    """Return the most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main() if len(sys.argv) == 1 else one(sys.argv[1])
