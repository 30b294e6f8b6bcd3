"""Counting in how many documents of a source a paragraph stands, compiled.

Holds: `count_documents`. Pure. Not here: where paragraphs come from (`published.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.signature.compiled import jit

Array = npt.NDArray[Any]


def count_documents(hashes: Array, documents: Array, source_of: Array) -> Array:
    """Return for each paragraph the number of documents of its source that hold it.

    Args:
        hashes: the paragraphs.
        documents: the number of each paragraph's document; for equal hashes in ascending order.
        source_of: the source of each document, as a number from 0.
    """
    counts = np.zeros(len(hashes), np.int32)
    sources = int(source_of.max(initial=-1)) + 1
    memory = np.full((3, sources), -1, np.int64)
    _count(hashes, documents, (np.argsort(hashes, kind="stable"), source_of), memory, counts)
    return counts


@jit
def _count(
    hashes: Array, documents: Array, lists: tuple[Array, Array], memory: Array, counts: Array
) -> None:
    """Walk runs of equal hashes; `memory` has the run, last document and count of each source."""
    order, source_of = lists
    begin = 0
    while begin < order.shape[0]:
        end = begin
        while end < order.shape[0] and hashes[order[end]] == hashes[order[begin]]:
            document = documents[order[end]]
            source = source_of[document]
            if memory[0, source] != begin:
                memory[0, source], memory[1, source], memory[2, source] = begin, -1, 0
            if memory[1, source] != document:
                memory[1, source] = document
                memory[2, source] += 1
            end += 1
        for place in range(begin, end):
            counts[order[place]] = memory[2, source_of[documents[order[place]]]]
        begin = end
