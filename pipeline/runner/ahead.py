"""What is asked before a night begins: which nights want a run, and whether one can start.

Holds: `wanted`, `await_dump`. Reads the clock, the landing area and the corpus; writes nothing.
Not here: the answers (`plan/wanted.py`), the night itself (`night.py`).
"""

from __future__ import annotations

import time
from collections.abc import Collection

from pipeline.plan import wanted as asking
from pipeline.runner.models import models_of
from pipeline.runner.night import Night


def wanted(night: Night, which: asking.Which, *, first: str, last: str) -> list[asking.Wanted]:
    """Return the nights from `first` to `last` that want a run, oldest first."""
    return list(
        asking.wanted(
            night.corpus,
            night.landing,
            night.settings,
            models=models_of(night.settings),
            which=which,
            between=(first, last),
            now=time.time(),
        )
    )


def await_dump(night: Night, dump_date: str, choose: Collection[str] = ()) -> None:
    """Return when the night can begin.

    Raises:
        NotReadyError: it should wait; see `plan.wanted`.
    """
    asking.await_dump(
        night.corpus,
        night.landing,
        night.settings.plan,
        dump_date=dump_date,
        choose=choose,
        now=time.time(),
    )
