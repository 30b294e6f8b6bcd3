"""What a check found wrong, said in terms of the promise that it breaks.

Holds: `Finding`, `PROMISES`, `broken`. Reads and writes nothing.
Not here: the checks (`publish/checks.py`, `publish/verify.py`).
"""

from __future__ import annotations

import msgspec

PROMISES = {
    1: "nothing is lost",
    2: "nothing twice",
    3: "every removal has a witness",
    4: "order does not matter",
    5: "readers never see half a night",
    6: "a night costs what the night brings",
    7: "what is taken down stays down",
}
"""The promises of the README by number."""


class Finding(msgspec.Struct, frozen=True):
    """One way in which what is stored breaks a promise. `detail` says expected and found."""

    promise: int
    name: str
    detail: str

    def __str__(self) -> str:
        return f"promise {self.promise} ({self.name}): {self.detail}"


def broken(promise: int, detail: str) -> Finding:
    """Name the promise that `detail` breaks."""
    return Finding(promise, PROMISES[promise], detail)
