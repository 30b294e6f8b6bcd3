"""What the look-up of advisories says, and when it fails."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

VERDICT = runpy.run_path(str(Path(__file__).parents[2] / "ops" / "audit.py"))["verdict"]
SOUND = {"name": "sound", "version": "1", "vulns": []}
AWAY = {"name": "away", "skip_reason": "not found on PyPI"}
WEAK = {"name": "weak", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([SOUND], 0, "1 of 1 packages were looked up; known weaknesses: 0."),
        ([SOUND, AWAY], 0, "1 of 2 packages were looked up; known weaknesses: 0. Nobody answered"),
        ([AWAY, WEAK], 1, "weak 2: PYSEC-1, mended in 3\n1 of 2 packages"),
    ],
)
def test_only_a_known_weakness_stops(packages: list[Any], code: int, said: str) -> None:
    """Who did not answer is named as such: neither a failure nor sound."""
    found = VERDICT(packages)
    assert found[0] == code
    assert found[1].startswith(said)
