"""Measure the splitter on pages it has not seen; print one line a set.

Reads the cache of `articles.py` and, where they are given, folders of labelled texts. A boundary
counts as found only at its exact line. `kept whole`: pages of one article left uncut.

    python benchmarks/split/evaluate.py CACHE [--texts TOPIC_DEV.jsonl.gz] [--dumps FOLDER]
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from library import HELD_LANGUAGES, Library
from pages import make_page

from pipeline.ingest.split import split_page
from pipeline.model.settings import IngestSettings

SEEDS = range(1_000_000, 1_001_500)
SHORTEST = 1000
"""Characters of a text that is fit to be a page of its own."""
SENTENCE = re.compile(r".+?(?:[.!?።]+(?=\s|$)|$)")


class Case(NamedTuple):
    """A page and the lines (from 1) at which its segments begin."""

    text: str
    starts: list[int]


def generated(cache: Path) -> dict[str, list[Case]]:
    """Make pages of articles, and of languages, that training never sees."""
    library = Library(cache, part="test")
    sets: dict[str, list[Case]] = {"unseen languages": [], "unseen articles": []}
    for seed in SEEDS:
        page = make_page(library, seed)
        name = "unseen languages" if page.language in HELD_LANGUAGES else "unseen articles"
        sets[name].append(Case(page.text, [start + 1 for start in page.starts]))
    return sets


def news(path: Path, *, paragraphs: bool) -> Iterator[Case]:
    """Concatenate news articles of one language; on one line each, or in paragraphs."""
    rng = random.Random(1)
    texts: dict[str, list[str]] = {}
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row = msgspec.json.decode(line)
        if row["set"] == "masakha":
            texts.setdefault(row["lang"], []).append(row["text"])
    for _, found in sorted(texts.items()):
        rng.shuffle(found)
        at = 0
        while at < len(found):
            many = rng.choice([1, 2, 4, 8, 10])
            lines: list[str] = []
            starts = []
            for text in found[at : at + many]:
                starts.append(len(lines) + 1)
                lines += _paragraphs(rng, text, cut=paragraphs)
            yield Case("\n".join(lines), starts)
            at += many


def _paragraphs(rng: random.Random, text: str, *, cut: bool) -> Iterator[str]:
    for number, part in enumerate(part.strip() for part in text.split("\n") if part.strip()):
        if cut and number and len(part) > 600:
            sentences = SENTENCE.findall(part)
            size = rng.choice([1, 2, 3])
            for at in range(0, len(sentences), size):
                yield " ".join(sentence.strip() for sentence in sentences[at : at + size])
                yield ""
        else:
            yield part
            yield ""


def marked(folder: Path) -> Iterator[Case]:
    """Read dump files with hand-marked segments."""
    for path in sorted(folder.glob("*.docs.jsonl")):
        rows = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
        text = path.with_name(path.name.replace(".docs.jsonl", ".txt")).read_bytes().decode()
        yield Case(text, [row["start_line"] for row in rows])


def alone(cases: Iterable[Case]) -> Iterator[Case]:
    """Make a page of every single document of some pages, if it is no fragment."""
    for case in cases:
        lines = case.text.split("\n")
        for start, stop in zip(case.starts, [*case.starts[1:], len(lines) + 1], strict=True):
            text = "\n".join(lines[start - 1 : stop - 1])
            if len(text) >= SHORTEST:
                yield Case(text, [1])


def manuals(cache: Path) -> Iterator[Case]:
    """Take every fourth unseen article as it is: one page, without exchanged words or noise."""
    library = Library(cache, part="test")
    articles = [article for found in library.articles.values() for article in found]
    for article in articles[::4]:
        text = "\n\n".join([article.title, *(text for _, text in article.blocks)])
        if len(text) >= SHORTEST:
            yield Case(text, [1])


def window_difference(gold: set[int], found: set[int], lines: list[int]) -> float:
    """Return the share of windows (half a segment long) with a wrong number of boundaries."""
    real, mine = [0], [0]
    for line in lines:
        real.append(real[-1] + (line in gold))
        mine.append(mine[-1] + (line in found))
    size = max(2, round(len(lines) / (len(gold) + 1) / 2))
    spots = range(max(0, len(lines) - size + 1))
    wrong = sum(real[i + size] - real[i] != mine[i + size] - mine[i] for i in spots)
    return wrong / max(1, len(spots))


def measure(name: str, cases: Iterable[Case], *, floor: float = 0.5) -> None:
    """Split every page and print what came of it."""
    hits = extra = missed = pages = kept = single = size = 0
    difference = seconds = 0.0
    for case in cases:
        before = time.process_time()
        found = split_page(case.text, settings=IngestSettings(min_split_score=floor))
        seconds += time.process_time() - before
        size += len(case.text.encode("utf-8", "surrogatepass"))
        lines = [i for i, line in enumerate(case.text.split("\n"), 1) if line.strip()]
        mine, gold = {segment.line_start for segment in found[1:]}, set(case.starts[1:])
        hits += len(mine & gold)
        extra += len(mine - gold)
        missed += len(gold - mine)
        difference += window_difference(gold, mine, lines)
        pages += 1
        single += not gold
        kept += not gold and not mine
    precision, recall = hits / max(1, hits + extra), hits / max(1, hits + missed)
    both = 2 * precision * recall / max(1e-9, precision + recall)
    print(
        f"{name:<24} pages {pages:5}  P {precision:.4f}  R {recall:.4f}  F1 {both:.4f}  "
        f"WindowDiff {difference / max(1, pages):.4f}  kept whole {kept}/{single} "
        f"({kept / max(1, single):.4f})  {size / 1e6 / max(1e-9, seconds):.0f} MB/s of CPU time",
        flush=True,
    )


def main() -> None:
    """Print one line a set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--dumps", type=Path)
    parser.add_argument("--floor", type=float, default=IngestSettings().min_split_score)
    options = parser.parse_args()
    if options.dumps:
        measure("marked dumps", marked(options.dumps), floor=options.floor)
        measure("marked, one by one", alone(marked(options.dumps)), floor=options.floor)
    if options.texts:
        for paragraphs in (False, True):
            name = "news in paragraphs" if paragraphs else "news on one line"
            cases = list(news(options.texts, paragraphs=paragraphs))
            measure(name, cases, floor=options.floor)
            measure(name + ", alone", alone(cases), floor=options.floor)
    measure("manual pages, alone", manuals(options.cache), floor=options.floor)
    for name, cases in generated(options.cache).items():
        measure(name, cases, floor=options.floor)


if __name__ == "__main__":
    main()
