"""What holds of every file, however broken.

Holds: `check`, `run`. Reads bytes in memory. Not here: how files are broken (`mutations.py`).
"""

from __future__ import annotations

import io
import random
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator

from pipeline.ingest.books import Books
from pipeline.ingest.reader import Reading, UnreadableError
from pipeline.model.files import DumpFile
from pipeline.model.settings import IngestSettings
from tests.fuzz.mutations import SEEDS, mutated

SETTINGS = IngestSettings(splitter="none", max_record_bytes=20_000, max_object_bytes=2_000_000)
MEMORY = 64 << 20
"""Bytes of Python objects that reading a broken file of some kilobytes may take."""


def check(stored: bytes) -> str:
    """Read a file; every byte and character must be in the books, and every reason said.

    Returns:
        The format, or the reason for which the whole file is refused.
    """
    reading = Reading(io.BytesIO(stored), SETTINGS, size=len(stored))
    books = Books(DumpFile("s", "2026-11-21", "s/2026-11-21/a", "e", len(stored)))
    edge = unread = 0
    try:
        for piece in reading:
            books.count(piece)
            assert piece.span.char_start == edge, "spans have gaps or overlap"
            edge, unread = piece.span.char_end, unread + piece.stored_bytes
            assert 1 <= piece.span.line_start <= piece.span.line_end, "lines run backwards"
            assert bool(piece.text) == (piece.kind == "document"), "a document without text"
            assert bool(piece.reason) == (piece.kind != "document"), "no reason"
            assert bool(piece.detail) or piece.kind != "quarantine", "no detail"
            (piece.text + (piece.title or "") + piece.excerpt + piece.detail).encode()
    except UnreadableError as error:
        assert error.reason and error.detail, "refused without a reason"  # noqa: PT017, PT018 - either outcome is right
        return error.reason
    counts = books.close(reading)
    assert (counts.chars, counts.unread_bytes) == (edge, unread), "books differ from pieces"
    assert counts.format, "no format"
    return counts.format


def run(seed: int, *, seconds: float = 0, files: int = 0) -> Iterator[tuple[str, str, bytes, str]]:
    """Break and read files until the time is over or so many were read.

    Yields:
        seed file, outcome, broken bytes, and what went wrong ("" when nothing did).
    """
    chance = random.Random(seed)  # noqa: S311 - chance, no secret
    until = time.monotonic() + seconds
    names = sorted(SEEDS)
    number = 0
    while number < files or time.monotonic() < until:
        name = names[number % len(names)]
        stored = mutated(SEEDS[name], chance)
        number += 1
        outcome, trouble = "", ""
        measured = number % 16 == 0
        if measured:
            tracemalloc.start()
        try:
            outcome = check(stored)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            trouble = f"{type(error).__name__}: {error}"
        if measured:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            trouble = trouble or (f"took {peak} bytes of memory" if peak > MEMORY else "")
        yield name, outcome, stored, trouble


def totals(found: Iterator[tuple[str, str, bytes, str]]) -> tuple[Counter[str], list[str]]:
    """Count outcomes, and say for each trouble how to see it again."""
    outcomes: Counter[str] = Counter()
    troubles = []
    for name, outcome, stored, trouble in found:
        outcomes[f"{name} -> {outcome or 'TROUBLE'}"] += 1
        if trouble:
            troubles.append(f"{name}: {trouble}: {stored.hex()}")
    return outcomes, troubles
