"""What the runners of all tools share: reading the corpus, timing, writing results.

Holds: `read`, `grams`, `Families`, `Clock`, `finish`. Reads `CORPUS/documents`; writes into a
tool's own folder: `kept/` (its Parquet output), `labels.parquet` (document -> the document of its
family that stays) and `timing.json`. Uses numpy and pyarrow alone: it runs in the tools' own venvs.

CPU seconds of the process, its threads and its ended children count: they are steady on a machine
that does other things as well.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

BANDS, ROWS, SHINGLE = 14, 8, 5
"""What datatrove documents and FineWeb was made with; a tool that can is set to it."""

_WORD = re.compile(r"\w+")


def arguments() -> tuple[Path, Path]:
    """Return the corpus and the tool's folder, emptied of earlier results."""
    return Path(sys.argv[1]), Path(sys.argv[2])


def files(corpus: Path) -> list[Path]:
    """List the corpus in order."""
    return sorted((corpus / "documents").glob("*.parquet"))


def read(corpus: Path) -> tuple[list[str], list[str]]:
    """Return ids and texts."""
    table = pa.concat_tables([pq.read_table(path, use_threads=False) for path in files(corpus)])
    return table["id"].to_pylist(), table["text"].to_pylist()


def grams(text: str) -> set[str]:
    """Return the sets of 5 words in a row, as tools do that leave this to their users."""
    words = _WORD.findall(text.lower())
    if len(words) < SHINGLE:
        return {" ".join(words)}
    return {" ".join(some) for some in zip(*(words[at:] for at in range(SHINGLE)), strict=False)}


class Families:
    """Union-find over document numbers; the smallest of a family stands for it."""

    def __init__(self, count: int) -> None:
        """Begin with every document alone."""
        self.above = list(range(count))

    def root(self, one: int) -> int:
        """Return the smallest member of a document's family."""
        above = self.above
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Make one family of two."""
        first, second = self.root(one), self.root(other)
        if first != second:
            self.above[max(first, second)] = min(first, second)

    def labels(self) -> list[int]:
        """Return the smallest member of each document's family."""
        return [self.root(at) for at in range(len(self.above))]


class Clock:
    """CPU seconds, by part."""

    def __init__(self) -> None:
        """Start now."""
        self._last = self._began = self._now()
        self.parts: dict[str, float] = {}
        self.stopped = 0.0

    def lap(self, part: str) -> None:
        """Add what was used since the last lap to a part."""
        now = self._now()
        self.parts[part] = self.parts.get(part, 0.0) + now - self._last
        self._last = now

    def total(self) -> float:
        """Return what was used since the start."""
        return self._now() - self._began

    def stop(self) -> None:
        """Do not count what follows."""
        self.stopped = self.total()

    @staticmethod
    def _now() -> float:
        who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        used = [resource.getrusage(one) for one in who]
        return sum(one.ru_utime + one.ru_stime for one in used)


def write_kept(corpus: Path, out: Path, labels: Sequence[int]) -> None:
    """Write the documents that stand for themselves, file by file, as zstd Parquet."""
    (out / "kept").mkdir(parents=True, exist_ok=True)
    at = 0
    for path in files(corpus):
        table = pq.read_table(path, use_threads=False)
        stays = [labels[place] == place for place in range(at, at + table.num_rows)]
        pq.write_table(table.filter(pa.array(stays)), out / "kept" / path.name, compression="zstd")
        at += table.num_rows


def finish(
    out: Path, ids: list[str], labels: Sequence[int | None], clock: Clock, *, tool: str
) -> None:
    """Write labels (None: removed, and not told in whose favour) and what the clock says."""
    out.mkdir(parents=True, exist_ok=True)
    total = clock.stopped or clock.total()
    names = [None if label is None else ids[label] for label in labels]
    table = pa.table({"id": ids, "label": pa.array(names, pa.string())})
    pq.write_table(table, out / "labels.parquet")
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    facts = {
        "version": metadata.version(tool),
        "documents": len(ids),
        "total": total,
        "parts": clock.parts,
        "rss_mb": max(resource.getrusage(one).ru_maxrss for one in who) / 1000,
    }
    (out / "timing.json").write_text(json.dumps(facts), "utf-8")
