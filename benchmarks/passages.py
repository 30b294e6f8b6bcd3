"""How well and how fast shared passages are found: repeated paragraphs and contained documents.

Holds: the command behind the last part of `make bench`. Makes texts in memory, in six made-up
languages, one of them without spaces, and prints recall and precision by class, documents a second
of CPU time on one core, and bytes a document.

    python -m benchmarks.passages --stories 600

Truth is not asked of the kernel: containment is that of sets of 5-grams, and a paragraph is
repeated when its words stand in five documents or more, both cut by a rule of this module. Every
document counts as published. Of a page only a quarter longer than its story, deduplication would
drop one as a near copy: how many pairs have signatures as similar as .75 is told beside.
"""

from __future__ import annotations

import argparse
import re
import time
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.vocabulary import Rng, Vocabulary, vocabularies
from pipeline.dedup.containment import Tally
from pipeline.dedup.repeats import count_documents
from pipeline.ingest.passage_rows import passage_runs
from pipeline.model.settings import PassageSettings
from pipeline.signature import cut, sign, similarity

RULE = PassageSettings()
SIZES = {"70-150 words": (24, 50), "150-400 words": (50, 133), "400+ words": (133, 400)}
"""Phrases of three words."""
RATIOS = (1.25, 1.5, 2.0, 3.0)
EDITS = (0.0, 0.01, 0.02)
"""Share of the story's phrases that the page has otherwise."""
QUOTES = (0.2, 0.4, 0.6)
PLACES = ("start", "middle", "end")
PLANTED = (2, 4, 5, 8, 40)
NOTICES = 30
_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+")


@dataclass
class Corpus:
    """Texts, the pairs that are known to share something, and the planted paragraphs."""

    texts: list[str] = field(default_factory=list)
    pairs: list[tuple[int, int, str, str]] = field(default_factory=list)
    """(inner, outer, size of the inner one, class)."""
    planted: dict[int, set[int]] = field(default_factory=dict)
    """Documents of each planted paragraph."""

    def add(self, text: str) -> int:
        """Add a text and return its number."""
        self.texts.append(text)
        return len(self.texts) - 1


def make(stories: int, fillers: int, seed: int) -> Corpus:
    """Make stories, the pages around them, pages that quote them, and texts of their own."""
    rng = np.random.default_rng(seed)
    corpus = Corpus()
    kinds = [f"{ratio}x, {edit:.0%} edited" for ratio in RATIOS for edit in EDITS]
    kinds += [f"quotes {share:.0%}" for share in QUOTES]
    for number in range(stories):
        language = vocabularies()[number % len(vocabularies())]
        size = list(SIZES)[number // len(vocabularies()) % len(SIZES)]
        kind = number % len(kinds)
        phrases = language.draw(rng, int(rng.integers(*SIZES[size])))
        inner = corpus.add(_text(language, phrases))
        if kind < len(RATIOS) * len(EDITS):
            ratio, edit = RATIOS[kind // len(EDITS)], EDITS[kind % len(EDITS)]
            whole = _edited(language, phrases, edit, rng=rng)
            page = _page(language, whole, int(len(phrases) * (ratio - 1)), rng=rng)
        else:
            part = phrases[: int(len(phrases) * QUOTES[kind - len(RATIOS) * len(EDITS)])]
            page = _page(language, part, len(phrases), rng=rng)
        corpus.pairs.append((inner, corpus.add(page), size, kinds[kind]))
    for number in range(fillers):
        language = vocabularies()[number % len(vocabularies())]
        corpus.add(_text(language, language.draw(rng, int(rng.lognormal(5, 0.7)) + 14)))
    _plant(corpus, rng)
    return corpus


def _text(language: Vocabulary, phrases: Any) -> str:
    return language.text(phrases).decode().replace("\n\n", "\n").strip()


def _edited(language: Vocabulary, phrases: Any, share: float, *, rng: Rng) -> Any:
    edited = phrases.copy()
    chosen = rng.random(len(phrases)) < share
    edited[chosen] = language.draw(rng, len(phrases))[chosen]
    return edited


def _page(language: Vocabulary, story: Any, more: int, *, rng: Rng) -> str:
    """Put a story at the start, in the middle or at the end of a page; half of them on one line."""
    place = PLACES[int(rng.integers(len(PLACES)))]
    body = _text(language, story)
    if rng.random() < 0.5:
        body = body.replace("\n", language.separator.decode())
    around = language.draw(rng, max(more, 2))
    cut_at = {"start": 0, "middle": len(around) // 2, "end": len(around)}[place]
    parts = [_text(language, part) for part in (around[:cut_at], around[cut_at:]) if len(part)]
    parts.insert({"start": 0, "middle": 1, "end": len(parts)}[place], body)
    return "\n".join(parts)


def _plant(corpus: Corpus, rng: Rng) -> None:
    """Put notices under documents of any language, spelt and spaced in several ways."""
    for number in range(NOTICES):
        language = vocabularies()[number % len(vocabularies())]
        notice = f"{_text(language, language.draw(rng, 4))} {number}".replace("\n", " ")
        count = PLANTED[number % len(PLANTED)]
        chosen = rng.choice(len(corpus.texts), count, replace=False)
        for at, row in enumerate(chosen.tolist()):
            shape = (notice, notice.upper(), f"  {notice} ")[at % 3]
            corpus.texts[row] += "\n\n" + shape
        corpus.planted[number] = set(chosen.tolist())


def words_of(text: str) -> list[str]:
    """Return the words of a text, small and without accents; ideographs are words of their own."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return _WORD.findall("".join(char for char in letters if not unicodedata.combining(char)))


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Return the 5-grams of a text."""
    units = words_of(text)
    return frozenset(tuple(units[at : at + 5]) for at in range(len(units) - 4))


def containers(corpus: Corpus) -> dict[int, tuple[int, float]]:
    """Return what the pipeline says: the container of a document, and how much it has."""
    texts = pa.array(corpus.texts, pa.string())
    found = cut(texts)
    tally = Tally(sign(texts).tokens)
    tally.add(found.keys, found.owners.astype(np.int64))
    told = tally.containers(RULE.containment)
    return {
        int(inner): (int(outer), float(share))
        for inner, outer, share in zip(told.document, told.container, told.share, strict=True)
    }


def containment(corpus: Corpus, console: Console) -> None:
    """Print how many known containments are found, by class, and what is flagged wrongly."""
    told = containers(corpus)
    signed = sign(pa.array(corpus.texts, pa.string()))
    rows: defaultdict[tuple[str, str], list[tuple[bool, bool, bool]]] = defaultdict(list)
    bins: defaultdict[float, Counter[bool]] = defaultdict(Counter)
    true: dict[int, tuple[int, float]] = {}
    for inner, outer, size, kind in corpus.pairs:
        one, two = (shingles(corpus.texts[at]) for at in (inner, outer))
        share = len(one & two) / len(one)
        true[inner] = outer, share
        flagged = told.get(inner, (-1, 0))[0] == outer
        minhash = similarity(signed.minima[inner], signed.minima[outer])
        rows[kind, size].append((share >= RULE.containment, flagged, bool(minhash >= 0.75)))
        bins[min(int(share * 20), 19) / 20][flagged] += 1
    table = Table("pages", *SIZES, "pairs ≥ 0.8", "flagged", "MinHash ≥ .75", title="Containment")
    for kind in dict.fromkeys(kind for kind, _ in rows):
        cells = [rows[kind, size] for size in SIZES]
        every = [row for cell in cells for row in cell]
        table.add_row(
            kind,
            *(_rate([flagged for _, flagged, _ in cell]) for cell in cells),
            str(sum(truth for truth, _, _ in every)),
            _rate([flagged for _, flagged, _ in every]),
            _rate([minhash for *_, minhash in every]),
        )
    console.print(table)
    table = Table("true containment from", "pairs", "flagged")
    for low in sorted(bins):
        table.add_row(f"{low:.2f}", str(bins[low].total()), _rate(list(bins[low].elements())))
    console.print(table)
    _judge(told, true, console)


def _judge(
    told: dict[int, tuple[int, float]], true: dict[int, tuple[int, float]], console: Console
) -> None:
    """Print recall and precision over all documents of the corpus, fillers and pages included."""
    wanted = {inner for inner, (_, share) in true.items() if share >= RULE.containment}
    right = [inner for inner, (outer, _) in told.items() if true.get(inner, (-1, 0))[0] == outer]
    sound = [inner for inner in right if true[inner][1] >= RULE.containment]
    close = [inner for inner in right if true[inner][1] >= RULE.containment - 0.1]
    errors = [abs(told[inner][1] - true[inner][1]) for inner in right]
    console.print(
        f"recall at containment ≥ {RULE.containment}: {len(set(sound))}/{len(wanted)}"
        f" = {len(sound) / len(wanted):.4f}\n"
        f"precision: {len(sound)}/{len(told)} = {len(sound) / len(told):.4f}; "
        f"within 0.1 of the threshold: {len(close)}/{len(told)} = {len(close) / len(told):.4f}\n"
        f"flagged with the wrong container: {len(told) - len(right)}; "
        f"mean error of the estimate: {np.mean(errors):.4f}"
    )


def _rate(flags: list[bool]) -> str:
    return f"{sum(flags) / len(flags):.3f}" if flags else "-"


def repeats(corpus: Corpus, console: Console) -> None:
    """Print how many repeated paragraphs are found, planted or not, and what else is flagged."""
    standing: defaultdict[str, set[int]] = defaultdict(set)
    lines: list[tuple[str, int]] = []
    for row, text in enumerate(corpus.texts):
        for line in text.split("\n"):
            units = words_of(line)
            if len(units) >= RULE.repeated_words:
                lines.append((" ".join(units), row))
                standing[lines[-1][0]].add(row)
    wanted = Counter(row for line, row in lines if len(standing[line]) >= RULE.repeated_documents)
    found = cut(pa.array(corpus.texts, pa.string()))
    owners = found.places[:, 0].astype(np.int64)
    source = np.zeros(len(corpus.texts), np.int32)
    counts = count_documents(found.hashes, owners, source)
    often = (counts >= RULE.repeated_documents) & (found.places[:, 3] >= RULE.repeated_words)
    flagged = Counter(owners[often].tolist())
    hits, told = (flagged & wanted).total(), flagged.total()
    console.print(
        f"repeated paragraphs: recall {hits}/{wanted.total()} = {hits / wanted.total():.4f}, "
        f"precision {hits}/{told} = {hits / told:.4f}"
    )


def pace(corpus: Corpus, console: Console) -> None:
    """Print what cutting, counting and meeting cost beside signing, and what runs take to store."""
    texts = pa.array(corpus.texts, pa.string())
    found, tokens = cut(texts), sign(texts).tokens
    owners = found.owners.astype(np.int64)
    source = np.zeros(len(texts), np.int32)

    def meet() -> None:
        tally = Tally(tokens)
        tally.add(found.keys, owners)
        tally.containers(RULE.containment)

    steps: dict[str, Callable[[], Any]] = {
        "sign (for comparison)": lambda: sign(texts),
        "cut": lambda: cut(texts),
        "cut and sort": lambda: list(passage_runs(texts, 0)),
        "count paragraphs": lambda: count_documents(
            found.hashes, found.places[:, 0].astype(np.int64), source
        ),
        "meet samples": meet,
    }
    table = Table("step", "documents/s of CPU", title=f"{len(texts)} documents, one core")
    for name, step in steps.items():
        step()
        table.add_row(name, f"{len(texts) / min(_seconds(step)):,.0f}")
    console.print(table)
    ((paragraphs, samples),) = passage_runs(texts, 0)
    sizes = [_stored(run) / len(texts) for run in (paragraphs, samples)]
    console.print(
        f"mean text {texts.nbytes / len(texts):,.0f} bytes; stored for each document: paragraphs "
        f"{sizes[0]:.0f} bytes, samples {sizes[1]:.0f} bytes"
    )


def _seconds(step: Callable[[], Any]) -> Iterator[float]:
    for _ in range(3):
        started = time.process_time()
        step()
        yield time.process_time() - started


def _stored(run: pa.Table) -> int:
    sink = pa.BufferOutputStream()
    pq.write_table(run, sink, compression="zstd", compression_level=1, use_dictionary=False)
    return int(sink.getvalue().size)


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stories", type=int, default=3000, help="documents with a known page")
    parser.add_argument("--fillers", type=int, default=10_000, help="documents of their own")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    console = Console(width=120)
    corpus = make(chosen.stories, chosen.fillers, chosen.seed)
    containment(corpus, console)
    repeats(corpus, console)
    pace(corpus, console)


if __name__ == "__main__":
    main()
