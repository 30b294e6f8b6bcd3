"""A short run of the fuzzer, the same each time."""

from __future__ import annotations

from tests.fuzz.check import check, run, totals
from tests.fuzz.mutations import SEEDS


def test_broken_files_are_read_or_refused() -> None:
    """No reader fails, loses a byte, or takes much memory on some hundred broken files."""
    outcomes, troubles = totals(run(20261125, files=720))
    assert troubles == []
    assert sum(outcomes.values()) == 720


def test_seeds_are_whole() -> None:
    """What is broken is valid before, and of the format that it is named by."""
    formats = {name: check(stored) for name, stored in SEEDS.items()}
    for name, found in formats.items():
        assert found == name.partition(".")[0].partition(" ")[0].strip(",")
