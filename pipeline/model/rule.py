"""What a dump says about its pairs with other documents: how alike, how far apart, who stays.

Holds: `Rule`, `stricter`, `in_scope`, `day`, `span`, `places`. Pure.
Not here: the settings that it comes from (`settings.py`), what follows from it (`dedup/`).

A pair counts when it counts for the dumps of both documents: a function of two dates and two rules.
So nights of several rules may stand side by side, and no order of processing matters.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.settings import DedupSettings, Scope, Survivor

FOREVER: Final = 1 << 40


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a dump's settings that decides about pairs; see `DedupSettings`."""

    threshold: float = 0.72
    scope: Scope = "all"
    survivor: Survivor = "earliest"
    source_priority: tuple[str, ...] = ()

    @staticmethod
    def of(settings: DedupSettings) -> Rule:
        """Return the rule of dumps that are made with these settings."""
        return Rule(
            threshold=settings.threshold,
            scope=settings.scope,
            survivor=settings.survivor,
            source_priority=settings.source_priority,
        )

    @property
    def ranked(self) -> bool:
        """Whether something comes before the date in the order key of its documents."""
        return self.survivor != "earliest" or bool(self.source_priority)


def stricter(one: Rule, two: Rule) -> float:
    """Return the least similarity of near-duplicates between two dumps."""
    return max(one.threshold, two.threshold)


def in_scope(one: tuple[str, Rule], two: tuple[str, Rule]) -> bool:
    """Say whether documents of two dumps (date, rule) are compared at all."""
    distance = abs(day(one[0]) - day(two[0]))
    return distance < min(span(one[1]), span(two[1]))


def day(dump_date: str) -> int:
    """Number the days."""
    return date.fromisoformat(dump_date).toordinal()


def span(rule: Rule) -> int:
    """Return the number of days below which two dates are within scope of a rule."""
    match rule.scope:
        case "all":
            return FOREVER
        case "night":
            return 1
        case days:
            return days


def places(source: pa.Array | pa.ChunkedArray, rule: Rule) -> pa.Array | pa.ChunkedArray:
    """Return where sources come in the priority of a rule; those not named are behind all."""
    named = pa.array(rule.source_priority, pa.string())
    return pc.fill_null(pc.index_in(source, named), len(named))
