"""Repeated paragraphs of a batch of documents, and texts without them.

Holds: `Spans`, `without`. Pure. Not here: which paragraphs (`passages.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.model.schemas import REPEATED_SPAN

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Spans:
    """Spans of n documents: those of document i are `offsets[i]` to `offsets[i + 1]`."""

    offsets: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    documents: npt.NDArray[np.int32]

    @staticmethod
    def of(repeats: pa.Table, rows: Array) -> Spans:
        """Take the spans of the documents that are `rows` of a shard, from all of its spans."""
        owner = repeats["row"].to_numpy()
        low, high = np.searchsorted(owner, rows), np.searchsorted(owner, rows, side="right")
        offsets = np.append(0, np.cumsum(high - low)).astype(np.int32)
        mine = np.repeat(low - offsets[:-1], high - low) + np.arange(offsets[-1])
        return Spans(
            offsets, *(repeats[name].to_numpy()[mine] for name in ("start", "end", "documents"))
        )

    @property
    def owner(self) -> Array:
        """The document of each span."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def lengths(self) -> Array:
        """Return the characters in the spans of each document."""
        return np.diff(np.append(0, np.cumsum(self.end - self.start))[self.offsets])

    def drop(self, documents: Array) -> Spans:
        """Return the spans without those of some documents, given by a mask."""
        stays = ~documents[self.owner]
        counts = np.where(documents, 0, np.diff(self.offsets))
        offsets = np.append(0, np.cumsum(counts)).astype(np.int32)
        return Spans(offsets, self.start[stays], self.end[stays], self.documents[stays])

    def pairs(self, document: int) -> Iterable[tuple[int, int]]:
        """Return start and end of the spans of one document."""
        mine = slice(self.offsets[document], self.offsets[document + 1])
        return zip(self.start[mine].tolist(), self.end[mine].tolist(), strict=True)

    def lists(self) -> pa.ListArray:
        """Return one list a document, as `repeated_spans` has them."""
        parts = [pa.array(part, pa.int32()) for part in (self.start, self.end, self.documents)]
        values = pa.StructArray.from_arrays(parts, fields=list(REPEATED_SPAN))
        return pa.ListArray.from_arrays(pa.array(self.offsets), values)


def without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text without the lines at `spans`, each with the line feeds behind it."""
    parts, at = [], 0
    for start, end in spans:
        parts.append(text[at:start])
        at = end
        while text[at : at + 1] == "\n":
            at += 1
    parts.append(text[at:])
    return "".join(parts).rstrip("\n")
