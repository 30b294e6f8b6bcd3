"""Measure the splitter on pages it has not seen; print one line a set, and one a language.

Reads what `sets.py` reads. A boundary counts as found only at its exact line. `WindowDiff` is the
mean over pages, windows half a document long. `kept whole`: pages of one article left uncut.

    python benchmarks/split/evaluate.py CACHE [--texts TOPIC_DEV.jsonl.gz] [--dumps FOLDER]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sets
from sets import Case

from pipeline.ingest.split import split_page
from pipeline.model.settings import IngestSettings

TOGETHER = 40
"""Pages that make a long one."""


@dataclass
class Score:
    """What came of the pages of a set: the only state, added to page by page."""

    pages: int = 0
    hits: int = 0
    extra: int = 0
    missed: int = 0
    single: int = 0
    kept: int = 0
    size: int = 0
    difference: float = 0.0
    seconds: float = 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.hits / max(1, 2 * self.hits + self.extra + self.missed)

    def line(self, name: str) -> str:
        """Say it all in a line."""
        precision = self.hits / max(1, self.hits + self.extra)
        recall = self.hits / max(1, self.hits + self.missed)
        return (
            f"{name:<26} pages {self.pages:5}  P {precision:.4f}  R {recall:.4f}  "
            f"F1 {self.f1:.4f}  WindowDiff {self.difference / max(1, self.pages):.4f}  "
            f"kept whole {self.kept}/{self.single} ({self.kept / max(1, self.single):.4f})  "
            f"{self.size / 1e6 / max(1e-9, self.seconds):.0f} MB/s of CPU time"
        )


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


def add(score: Score, case: Case, floor: float) -> None:
    """Split a page and add up what came of it."""
    before = time.process_time()
    segments = split_page(case.text, settings=IngestSettings(min_split_score=floor))
    score.seconds += time.process_time() - before
    score.size += len(case.text.encode("utf-8", "surrogatepass"))
    is_document = any(segment.kind == "document" for segment in segments)
    if not case.marked:
        segments = [segment for segment in segments if segment.kind == "document"]
    lines = [i for i, line in enumerate(case.text.split("\n"), 1) if line.strip()]
    starts = sets.begun([(segment.kind, segment.line_start) for segment in segments])
    mine, gold = set(starts[1:]), set(case.starts[1:])
    score.hits += len(mine & gold)
    score.extra += len(mine - gold)
    score.missed += len(gold - mine)
    score.difference += window_difference(gold, mine, lines)
    score.pages += 1
    score.single += not gold
    score.kept += not gold and not mine and is_document


def measure(name: str, cases: Iterable[Case], *, floor: float, by_name: bool = False) -> None:
    """Split every page and print what came of it, of all and of each language."""
    whole, parts = Score(), dict[str, Score]()
    for case in cases:
        add(whole, case, floor)
        if by_name:
            add(parts.setdefault(case.name, Score()), case, floor)
    print(whole.line(name), flush=True)
    for part, score in sorted(parts.items()):
        print(score.line(f"  {part}"), flush=True)


def of_texts(path: Path, half: str) -> Iterator[tuple[str, list[Case]]]:
    """Yield the sets made of real news."""
    for paragraphs in (False, True):
        name = f"news {'in paragraphs' if paragraphs else 'on one line'}, {half}"
        cases = list(sets.news(path, half, paragraphs=paragraphs))
        yield name, cases
        yield name + ", alone", list(sets.alone(cases))
    yield f"briefs, {half}", list(sets.briefs(path, half))


def of_written(half: str) -> Iterator[tuple[str, list[Case]]]:
    """Yield the sets made of written articles (held ones, or those learned from) and of dumps."""
    found = sets.written() if half == "held" else sets.written_looked()
    found["written dumps"] = list(sets.dumps(sets.WRITTEN_DUMPS))
    for name, cases in found.items():
        yield name, cases
        if name in ("archives, unseen", "archives, written last", "written dumps"):
            yield f"{name}, no blank lines", list(sets.alike(cases, 0))
            yield f"{name}, all lines alike", list(sets.alike(cases, 1))
    yield "written dumps, one by one", list(sets.alone(found["written dumps"]))


def main() -> None:
    """Print one line a set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--texts", type=Path, help="labelled news, one JSON object a line, gzipped")
    parser.add_argument("--dumps", type=Path, help="dump files with marked documents")
    parser.add_argument("--half", choices=sets.HALVES, default="held")
    parser.add_argument("--pages", type=int, default=1500, help="generated pages")
    parser.add_argument("--only-written", action="store_true", help="only written articles")
    parser.add_argument("--brief", action="store_true", help="no lines of single languages")
    parser.add_argument("--floor", type=float, default=IngestSettings().min_split_score)
    options = parser.parse_args()
    floor, by_name = options.floor, not options.brief
    for name, cases in of_written(options.half):
        measure(name, cases, floor=floor, by_name=by_name)
    if options.only_written:
        return
    if options.dumps:
        measure("marked dumps", sets.dumps(options.dumps), floor=floor)
        measure("marked, one by one", sets.alone(sets.dumps(options.dumps)), floor=floor)
    if options.texts:
        for name, cases in of_texts(options.texts, options.half):
            measure(name, cases, floor=floor, by_name=by_name and "alone" not in name)
    for name, cases in sets.generated(options.cache, options.pages).items():
        measure(name, cases, floor=floor, by_name=by_name)
        measure(name + ", long pages", sets.long_pages(cases, TOGETHER), floor=floor)
    if not options.brief:
        measure("manual pages, alone", sets.manuals(options.cache), floor=floor)
        measure("declarations, alone", sets.declarations(options.cache), floor=floor)


if __name__ == "__main__":
    main()
