"""Where a JSON object ends, told from its start or from the middle of its members.

Holds: `Ending`, `end_of`, `Walk`. Pure.
Not here: which objects are records (`json_objects.py`).
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

WS = r"[ \t\r\n]"
TAIL = 1 << 16
"""Characters of an object behind an array of records."""

_NEXT = re.compile(rf'{WS}*(?:(}})|,{WS}*(?="))')
_COLON = re.compile(rf"{WS}*:{WS}*")

_CUT = 16
"""Characters before the end at which a word, a number or an escape may be cut."""
_DEEP = 500
"""Characters that are inside of an object which is too deep, at least."""

_scanner = json.JSONDecoder(strict=False, parse_int=len, parse_float=len, object_pairs_hook=len)
"""Finds ends alone: makes no numbers, of which long ones cost much, and keeps no objects."""


class Ending(NamedTuple):
    """Where an object ends, or -1; where it is broken; whether it may go on behind the text."""

    end: int
    fault: int
    is_cut: bool = False


def end_of(text: str, at: int = 0, *, is_all: bool = False) -> Ending:
    """Find the end of the object at a place; `is_all`: nothing follows the text."""
    try:
        return Ending(_scanner.raw_decode(text, at)[1], at)
    except json.JSONDecodeError as error:
        slack = 1 + len(text) - len(text.rstrip()) if is_all else _CUT
        is_cut = error.msg.startswith("Unterminated") or error.pos > len(text) - slack
        return Ending(-1, len(text) if is_cut else error.pos, is_cut)
    except RecursionError:
        return Ending(-1, at + _DEEP)


class Walk:
    """The members of one object, which are passed once, from whichever it is asked. Mutable.

    Attributes:
        far: where the last one ends that was passed.
        end: where the object ends; -1 when it is broken, or a member is as long as a tail.
    """

    def __init__(self, at: int) -> None:
        """Begin where a member ends."""
        self.far, self.end = at, 0

    def step(self, text: str) -> None:
        """Pass a member, or the end."""
        text = text[self.far : self.far + TAIL]
        found = _NEXT.match(text)
        if found and found[1]:
            self.end = self.far + found.end()
            return
        colon = _COLON.match(text, end_of(text, found.end()).end) if found else None
        end = end_of(text, colon.end()).end if colon else -1
        self.far, self.end = (self.far + end, 0) if end > 0 else (self.far, -1)
