"""The made texts of the flags: what is there is found, and what only looks like it is not."""

from __future__ import annotations

import pytest

from benchmarks.flags import MAKERS, scores

FOUND = scores()


@pytest.mark.parametrize("group", MAKERS)
def test_made_texts_come_out_as_expected(group: str) -> None:
    """In eight languages at least 98 of 100 texts of each group have just what was put in."""
    right, count = FOUND[group]
    assert count == 200
    assert right >= 0.98 * count
