"""A corpus of texts whose duplicates are known, for measuring deduplication.

Holds: `make` and the list of what it makes (`SHARES`). Writes `documents/part-*.parquet` (`id`,
`text`, `dump_date`, in random order, and nothing that gives a copy away) and `truth.parquet`, the
pairs of each family with their true Jaccard similarity. Not here: who is measured (`compare.py`).

Texts are arrays of word numbers until the last step, so the truth needs no tokeniser: similarity
is that of the sets of 5 words in a row. The same arguments give the same bytes.

Kinds. `scatter` and `block`: a base and variants with a share of the words replaced one by one or
in one piece; `exact`; `form`: another case, spacing or punctuation; `inside`: one document is part
of a larger one; `big`: one family of many variants at 2 %; `spaceless`: ideographs, some with a
near copy. Hard negatives, which nobody may merge: `template` (the same head and foot around another
text), `slots` (a form letter with other values), `mixed` (sentences of another document, shuffled
among its own). The rest is `unique`, of which some are shorter than 60 words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Words = npt.NDArray[np.int64]

RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
HARD = ("template", "slots", "mixed")
SHARES = {
    "scatter": 0.12, "block": 0.12, "exact": 0.06, "form": 0.03, "inside": 0.03, "template": 0.04,
    "slots": 0.03, "mixed": 0.03, "big": 0.005, "short": 0.03, "spaceless": 0.02,
}  # fmt: skip
_VOCABULARY = 60_000
_STOPS = 12  # words a sentence, in the mean
_SHINGLE = 5
_SYLLABLES = (
    *("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su"),
    *("ta", "vi", "zo", "chi", "sta", "pre", "lan", "mer", "tor", "ek"),
)
_SAMPLE = 2000  # pairs of the big family that are in the truth


class Document(NamedTuple):
    """A text as word numbers; `style` says how it is written out."""

    words: Words
    family: int
    kind: str
    rate: float = 0.0
    style: int = 0


class Maker:
    """Draws documents; `family` numbers what belongs together."""

    def __init__(self, seed: int) -> None:
        """Make the words of the language; the seed decides everything."""
        self.rng = np.random.default_rng(seed)
        self.family = 0
        weights = 1 / (np.arange(_VOCABULARY) + 20.0)
        self._ladder = np.cumsum(weights / weights.sum())
        self.words = np.array(_made_up(self.rng, _VOCABULARY), dtype=object)
        self.signs = np.array([chr(0x4E00 + at) for at in range(3500)], dtype=object)

    def draw(self, count: int | None = None) -> Words:
        """Draw words by Zipf's law; without a count, as many as an article has."""
        if count is None:
            count = int(np.clip(self.rng.lognormal(5.95, 0.75), 60, 12_000))
        return np.searchsorted(self._ladder, self.rng.random(count)).clip(max=_VOCABULARY - 1)

    def scattered(self, words: Words, rate: float) -> Words:
        """Replace, remove or double words, each with the probability `rate`."""
        luck = self.rng.random(len(words))
        times = np.ones(len(words), np.int64)
        times[(luck >= rate / 2) & (luck < 0.75 * rate)] = 0
        times[(luck >= 0.75 * rate) & (luck < rate)] = 2
        other = np.where(luck < rate / 2, self.draw(len(words)), words)
        return np.repeat(other, times)

    def blocked(self, words: Words, rate: float) -> Words:
        """Replace one run of words that makes up the share `rate`."""
        size = max(1, round(len(words) * rate))
        at = int(self.rng.integers(0, len(words) - size + 1))
        return np.concatenate([words[:at], self.draw(size), words[at + size :]])

    def siblings(self) -> int:
        """Return how many documents a family has beside the first: one, rarely up to six."""
        return int(min(self.rng.geometric(0.6), 6))

    def text(self, document: Document) -> str:
        """Write a document out, with sentences and paragraphs that hang on its words alone."""
        if document.kind == "spaceless":
            signs = "".join(self.signs[document.words % len(self.signs)])
            return "，".join(signs[at : at + 12] for at in range(0, len(signs), 12)) + "。"
        words = self.words[document.words].copy()
        ends = document.words % _STOPS == 0
        words[ends] += "."
        words[ends & (document.words % 7 == 0)] += "\n"
        plain = " ".join(words.tolist())
        forms = (plain, plain.upper(), plain.replace(" ", "  "), plain.replace(".", " ;"))
        return forms[document.style]


def families(maker: Maker, kind: str, rate: float) -> Iterator[Document]:
    """Yield the documents of one family of a kind."""
    maker.family += 1
    base = maker.draw()
    if kind in HARD:
        yield from _hard(maker, kind, base)
        return
    if kind == "inside":
        share = float(maker.rng.uniform(0.3, 0.8))
        more = int(len(base) * (1 / share - 1)) + 2
        before = int(maker.rng.integers(1, more))
        outer = np.concatenate([maker.draw(before), base, maker.draw(more - before)])
        yield from (Document(words, maker.family, kind, share) for words in (base, outer))
        return
    yield Document(base, maker.family, kind, rate)
    for _ in range(maker.siblings()):
        edited = {"scatter": maker.scattered, "block": maker.blocked}.get(kind)
        words = edited(base, rate) if edited else base
        style = int(maker.rng.integers(1, 4)) if kind == "form" else 0
        yield Document(words, maker.family, kind, rate, style)


def _hard(maker: Maker, kind: str, base: Words) -> Iterator[Document]:
    rng, family = maker.rng, maker.family
    if kind == "template":
        share = float(rng.uniform(0.3, 0.7))
        core = int(len(base) * (1 / share - 1)) + 5
        half = len(base) // 2
        for _ in range(int(rng.integers(3, 12))):
            parts = [base[:half], maker.draw(core), base[half:]]
            yield Document(np.concatenate(parts), family, kind, share)
    elif kind == "slots":
        step = int(rng.integers(8, 20))
        for _ in range(int(rng.integers(3, 10))):
            words = base.copy()
            slots = np.arange(3, len(base), step)
            words[slots] = rng.integers(_VOCABULARY // 2, _VOCABULARY, len(slots))
            yield Document(words, family, kind, 1 / step)
    else:
        yield Document(base, family, kind)
        taken = _sentences(maker, base)[: max(1, len(base) // 30)]
        own = _sentences(maker, maker.draw(max(30, len(base) * 6 // 10)))
        mixed = [*taken, *own]
        order = rng.permutation(len(mixed))
        yield Document(np.concatenate([mixed[at] for at in order]), family, kind)


def _sentences(maker: Maker, words: Words) -> list[Words]:
    parts = [words[at : at + _STOPS] for at in range(0, len(words), _STOPS)]
    return [parts[at] for at in maker.rng.permutation(len(parts))]


def _others(maker: Maker, documents: int) -> Iterator[Document]:
    """Yield the big family, short texts and ideographs."""
    maker.family += 1
    base, big = maker.draw(400), maker.family
    for _ in range(int(documents * SHARES["big"])):
        yield Document(maker.scattered(base, 0.02), big, "big", 0.02)
    for _ in range(int(documents * SHARES["short"])):
        maker.family += 1
        yield Document(maker.draw(int(maker.rng.integers(3, 60))), maker.family, "short")
    for _ in range(int(documents * SHARES["spaceless"])):
        maker.family += 1
        words = maker.draw(int(maker.rng.integers(200, 1500))) % len(maker.signs)
        yield Document(words, maker.family, "spaceless")
        if maker.rng.random() < 0.2:
            other = words.copy()
            places = maker.rng.integers(0, len(words), max(1, len(words) // 100))
            other[places] = maker.rng.integers(0, len(maker.signs), len(places))
            yield Document(other, maker.family, "spaceless", 0.01)


def documents_of(maker: Maker, count: int) -> list[Document]:
    """Return `count` documents of all kinds, in random order."""
    made: list[Document] = list(_others(maker, count))
    for kind in ("scatter", "block", "exact", "form", "inside", *HARD):
        rates = RATES if kind in {"scatter", "block"} else (0.0,)
        for rate in rates:
            wanted = len(made) + int(count * SHARES[kind] / len(rates))
            while len(made) < wanted:
                made.extend(families(maker, kind, rate))
    while len(made) < count:
        maker.family += 1
        made.append(Document(maker.draw(), maker.family, "unique"))
    return [made[at] for at in maker.rng.permutation(len(made))]


def make(folder: Path, *, documents: int, seed: int = 7, files: int = 4) -> dict[str, Any]:
    """Write the corpus unless it is there; return its numbers."""
    facts = folder / "facts.json"
    wanted = {"documents": documents, "seed": seed, "files": files, "form": 1}
    if facts.exists():
        found: dict[str, Any] = json.loads(facts.read_text("utf-8"))
        if found.items() >= wanted.items():
            return found
    maker = Maker(seed)
    every = documents_of(maker, documents)
    ids = [f"d{at:08d}" for at in range(len(every))]
    texts = [maker.text(one) for one in every]
    dates = [f"2026-01-{at * 10 // len(every) + 1:02d}" for at in range(len(every))]
    table = pa.table({"id": ids, "text": texts, "dump_date": dates})
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    size = -(-len(every) // files)
    for part in range(files):
        path = folder / "documents" / f"part-{part:05d}.parquet"
        piece = table.slice(part * size, size)
        pq.write_table(piece, path, compression="zstd", row_group_size=16_384)
    truth = _truth(maker.rng, every, ids)
    pq.write_table(truth, folder / "truth.parquet")
    size = sum(len(text.encode()) for text in texts)
    known = wanted | {"made": len(every), "bytes": size, "pairs": truth.num_rows}
    facts.write_text(json.dumps(known), "utf-8")
    return known


def _truth(rng: np.random.Generator, every: list[Document], ids: list[str]) -> pa.Table:
    members: dict[int, list[int]] = {}
    for place, document in enumerate(every):
        members.setdefault(document.family, []).append(place)
    rows = []
    for family in members.values():
        pairs = [(one, two) for at, one in enumerate(family) for two in family[at + 1 :]]
        if len(pairs) > _SAMPLE:
            pairs = [pairs[at] for at in rng.choice(len(pairs), _SAMPLE, replace=False)]
        sets = {place: _shingles(every[place].words) for pair in pairs for place in pair}
        for one, two in pairs:
            common = len(np.intersect1d(sets[one], sets[two], assume_unique=True))
            union = len(sets[one]) + len(sets[two]) - common
            kind, rate = every[one].kind, max(every[one].rate, every[two].rate)
            rows.append((ids[one], ids[two], kind, rate, common / max(1, union)))
    names = ("one", "two", "kind", "rate", "jaccard")
    return pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))


def _shingles(words: Words) -> npt.NDArray[np.uint64]:
    count = max(1, len(words) - _SHINGLE + 1)
    value = np.zeros(count, np.uint64)
    for place in range(min(_SHINGLE, len(words))):
        part = words[place : place + count].astype(np.uint64)
        value = (value * np.uint64(0x9E3779B97F4A7C15)) ^ part
        value ^= value >> np.uint64(29)
    return np.unique(value)


def _made_up(rng: np.random.Generator, count: int) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < count:
        for size, start in zip(rng.integers(1, 5, count), rng.integers(0, 20, count), strict=True):
            word = "".join(_SYLLABLES[at] for at in (start + rng.integers(0, 20, size)) % 20)
            words.setdefault(word)
    return list(words)[:count]
