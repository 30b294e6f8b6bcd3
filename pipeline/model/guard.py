"""What a guard says of a night that is about to be published.

Holds: `GuardResult`. Reads and writes nothing. Not here: the guards (`publish/guards.py`), what
they may do (`GuardSettings`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

Outcome = Literal["off", "unknown", "ok", "warn", "stop", "accepted"]


class GuardResult(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a night, and the range in which it is usual.

    `outcome`: `off` (not asked), `unknown` (too few nights before it, or nothing to measure), `ok`,
    `warn`, `stop`, or `accepted` (it would have stopped, but the run accepts what guards say).
    `subject` is the witness or the source that the number is about, "" for the whole night.
    `nights` is how many nights `low` and `high` come from, 0 when settings alone say them.
    """

    name: str
    outcome: Outcome
    found: float | None = None
    low: float | None = None
    high: float | None = None
    subject: str = ""
    nights: int = 0

    def __str__(self) -> str:
        return f"{self.name}{f' ({self.subject})' if self.subject else ''}"
