"""Made-up languages, drawn as fast as numpy can.

Holds: `Vocabulary`, `vocabularies`, `Phrases`. Reads and writes nothing.
Not here: documents, copies and files (`generate.py`).

Words follow Zipf's law. For speed they are drawn as phrases of three: a text is an array of phrase
ids and one join. A phrase has four forms: plain, with a capital, with a full stop, and with a full
stop that ends the paragraph; form f of phrase p has id `f * SIZE + p`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Phrases = npt.NDArray[np.int32]
Rng = np.random.Generator

SIZE = 30_000
WORDS_A_PHRASE = 3
_SEED = 20_261_116
_SLOTS = 1 << 16
_FLAT = 30  # no phrase is more than half a per cent of a text
_STOP_OF_256 = 51
_PARAGRAPH_OF_256 = 12
CAPITAL, STOP, PARAGRAPH = 1, 2, 3

_SYLLABLES: dict[str, tuple[str, str]] = {
    "coastal": ("ba de fi go lu ma ne pi ro su ta vi zo chi sta pre lan mer tor", " "),
    "northern": ("ald berg dun ek fjor gra hol isk kvar lund mor nes ost rik sund thor", " "),
    "accented": ("ça dé fè gô lû mañ nêr pí ró sü tã vœ zé chê brü œil gné pré", " "),
    "cyrillic": ("ба вод гор дом ень жил зим кот лес мир нов осе пол рек сто тро чай", " "),
    "greek": ("αλ βο γα δε ελ ζω ηλ θα ιν κυ λο με νη ξε πο ρα σι του φω", " "),
    "ideographic": (" ".join(chr(0x4E00 + 7 * i) for i in range(600)), ""),
}


class Vocabulary:
    """One language: its phrase forms, and a table that turns 16 random bits into a phrase."""

    def __init__(self, name: str, syllables: str, separator: str) -> None:
        """Make the words; the same name makes the same ones."""
        rng = np.random.default_rng([_SEED, *name.encode()])
        self.name = name
        self.separator = separator.encode()
        words = _words(rng, syllables.split(), longest=4 if separator else 2)
        picks = _zipf(SIZE, 1)[rng.integers(0, _SLOTS, (SIZE, WORDS_A_PHRASE))]
        plain = [separator.join(words[pick] for pick in row) for row in picks.tolist()]
        stop = "." if separator else "。"
        ends = [phrase + stop for phrase in plain]
        forms = [*plain, *(phrase.capitalize() for phrase in plain), *ends]
        forms += [phrase + "\n\n" for phrase in ends]
        self.forms = np.array([form.encode() for form in forms], dtype=object)
        self.table = _zipf(SIZE, _FLAT)

    def draw(self, rng: Rng, count: int) -> Phrases:
        """Draw phrases with sentences of about 5 and paragraphs of about 20 of them."""
        random = np.frombuffer(rng.bytes(3 * count), np.uint8)
        phrases = self.table[random[count:].view(np.uint16)]
        marks = random[:count].copy()
        marks[0], marks[-1] = 255, 0
        stops = np.flatnonzero(marks < _STOP_OF_256)
        starts = stops[:-1] + 1
        phrases[0] += CAPITAL * SIZE
        phrases[starts[marks[starts] >= _STOP_OF_256]] += CAPITAL * SIZE
        phrases[stops] += STOP * SIZE
        phrases[stops[marks[stops] < _PARAGRAPH_OF_256]] += (PARAGRAPH - STOP) * SIZE
        phrases[-1] = phrases[-1] % SIZE + STOP * SIZE
        return phrases

    def text(self, phrases: Phrases) -> bytes:
        """Join phrases into UTF-8 text."""
        joined = self.separator.join(self.forms[phrases].tolist())
        return joined.replace(b"\n\n ", b"\n\n")

    def title(self, rng: Rng) -> bytes:
        """Draw a line of two to four phrases without a full stop, as UTF-8."""
        random = np.frombuffer(rng.bytes(10), np.uint16)
        phrases = self.table[random[1 : 3 + random[0] % 3]]
        phrases[0] += CAPITAL * SIZE
        return self.separator.join(self.forms[phrases].tolist())


@cache
def vocabularies() -> tuple[Vocabulary, ...]:
    """Return all languages, made once a process."""
    return tuple(
        Vocabulary(name, syllables, separator)
        for name, (syllables, separator) in _SYLLABLES.items()
    )


def _words(rng: Rng, syllables: list[str], *, longest: int) -> list[str]:
    """Make words, frequent first; frequent words are short ones, and some are numbers."""
    lengths = rng.integers(1, longest + 1, 3 * SIZE)
    picks = rng.integers(0, len(syllables), (3 * SIZE, longest))
    made = (
        "".join(syllables[pick] for pick in row[:length])
        for row, length in zip(picks.tolist(), lengths.tolist(), strict=True)
    )
    words = sorted(dict.fromkeys(made), key=len)[: SIZE - SIZE // 20]
    step = len(words) // (SIZE - len(words) + 1)
    for number in range(SIZE - len(words)):
        words.insert(50 + number * (step + 1), str(17 * number + 10))
    return words


def _zipf(size: int, flat: int) -> npt.NDArray[np.int32]:
    """Return a table from 16 random bits to a rank: rank r has share 1 / (r + flat + 1)."""
    share = 1 / np.arange(flat + 1, size + flat + 1)
    edges = np.cumsum(share / share.sum())
    return np.searchsorted(edges, np.arange(_SLOTS) / _SLOTS).astype(np.int32)
