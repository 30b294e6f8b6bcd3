"""JSON objects one after the other in a long text: where one ends, and where the next begins.

Holds: `Objects` and patterns. Pure; memory is a few times the longest record.
Not here: ends (`json_ends.py`), what an object says (`jsonl.py`), pieces (`json_files.py`).

Behind a broken object the next record is an object that is whole and is not inside of another: what
follows it, and the objects after it, is not the rest of an object. Objects inside are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.ingest.file_layout import Layout
from pipeline.ingest.json_ends import TAIL, WS, Ending, Walk, end_of
from pipeline.ingest.pieces import EXCERPT, Span

KEY = rf'"(?:[^"\\]|\\.){{0,200}}"{WS}{{0,99}}:'
GAP = re.compile(r"[ \t\r\n,\x1e\ufeff]*")
"""What stands between objects: among it the separator of RFC 7464, and marks of joined files."""

_BLANK = re.compile(r"[ \t\r\n\ufeff]*")
OPENS = re.compile(rf"\{{{WS}{{0,99}}{KEY}")
_BEHIND = re.compile(r"[ \t\r\n]*,?[ \t\r]*\n?")
_AFTER = frozenset(("", "[", "{", ")", ";"))
"""What may follow records: other records, or the end of a script."""

_LONGEST = 1000
"""Characters of the longest start of an object."""
_WINDOW, _SMALL = 1 << 12, 1 << 16
"""Characters that are looked at first, and that are read on at once."""

_SIGNS = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
_DEPTHS = {"{": 1, "[": 1, "}": -1, "]": -1}
_FAR = 4


class Objects:
    """The characters from the start of a piece on; of a long one the newest alone. Mutable.

    Attributes:
        text: what is held.
        at: where in it the piece begins.
        dropped: characters of the piece that are not held any more.
        opening: how the latest record begins, up to its first name.
    """

    def __init__(
        self, blocks: Iterable[str], limit: int, *, layout: Layout, start: int = 0
    ) -> None:
        """Read on as is needed; `limit` characters are a record at most."""
        self._layout = layout
        self._blocks = _small(blocks)
        self._limit = limit
        self._chars, self._line = start, 1
        self._first, self._newlines = "", 0
        self.dropped = 0
        self.text, self.at = "", 0
        self.opening = ""
        self._walks: dict[int, Walk] = {}

    def more(self, size: int = 1) -> bool:
        """Hold so many more characters, if there are any; places stay."""
        parts = [self.text]
        found = 0
        while found < size and (block := next(self._blocks, None)) is not None:
            parts.append(block)
            found += len(block)
        if found:
            self.text = "".join(parts)
        return found > 0

    def past(self, at: int, pattern: re.Pattern[str] = GAP) -> int:
        """Return the first place that is not of a pattern, up to the limit."""
        end = _past(pattern, self.text, at)
        while end == len(self.text) and end - at <= self._limit and self.more():
            end = _past(pattern, self.text, end)
        return end

    def end(self, at: int) -> Ending:
        """Find the end of the object at a place; a part at once, as errors cost what is seen."""
        size = _WINDOW
        while True:
            missing = at + size - len(self.text)
            is_all = missing > 0 and not self.more(missing)
            found = end_of(self.text[at : at + size], is_all=is_all)
            if not found.is_cut or is_all or size > self._limit:
                end = found.end + at if found.end > 0 else -1
                return Ending(end, found.fault + at, found.is_cut)
            size = min(4 * size, max(size, self._limit) + 1)

    def note(self, at: int) -> None:
        """Note that a record begins at a place."""
        self.opening = _said(OPENS.match(self.text, at))

    def behind(self, at: int) -> int:
        """Return where what belongs to an object ends: a comma, a line end."""
        self.past(at)
        return _past(_BEHIND, self.text, at)

    def next_record(self, at: int, fault: int) -> int:
        """Return where a record begins behind an object at a place that is broken at another."""
        at = self._nearer(at, fault)
        while True:
            if at - self.at > self._limit:
                at, fault = self._drop(at), 0
            found = OPENS.search(self.text, at)
            if found is None:
                at = max(at, len(self.text) - _LONGEST)
                if not self.more():
                    return len(self.text)
                continue
            at = found.start()
            end, broken, _ = self.end(at)
            if end < 0:
                at = self._nearer(at, broken)
            elif end <= fault:
                at = end  # it was read as a part of the broken one
            elif (inside := self._inside(end)) is None:
                return at
            else:
                at = inside

    def far_end(self, at: int) -> int:
        """Return where an object ends that is too long, told by its brackets; 0 when it is not.

        Were it broken, brackets would lead astray: so it ends at the latest where another begins
        as records of the file do, and brackets are followed for some records' length.
        """
        depth, is_text = 0, False
        alike = self._alike(at)
        looked = at
        while self.dropped <= _FAR * self._limit:
            end = 0
            for sign in _SIGNS.finditer(self.text, at):
                at = sign.end()
                is_text ^= sign[0] == '"'
                if not is_text:
                    depth += _DEPTHS.get(sign[0], 0)
                if depth == 0 and not is_text:
                    end = at
                    break
            following = self._following(alike, looked, end) if alike else 0
            if following or end:
                return following or self.behind(end)
            low = max(self.at, len(self.text) - _LONGEST)
            at, looked = max(at, len(self.text) - 1) - low, 0
            self._drop(low)
            if not self.more():
                return len(self.text)
        return 0

    def _alike(self, at: int) -> re.Pattern[str] | None:
        """Return what stands before the next record behind a long one, that begins at a place.

        None when objects inside of that one begin as records do.
        """
        opening = self.opening or _said(OPENS.match(self.text, at))
        if not opening or self.text.find(opening, at + 1, at + self._limit) > 0:
            return None
        return re.compile(rf"[,}}]{WS}{{0,99}}(?={re.escape(opening)})")

    def _following(self, alike: re.Pattern[str], low: int, high: int) -> int:
        """Return where a record begins between two places, which is whole and inside of none."""
        for found in alike.finditer(self.text, low):
            at = found.end()
            if high and at > high:
                break
            end = self.end(at).end
            if end > 0 and self._inside(end) is None:
                return at
        return 0

    def _nearer(self, at: int, fault: int) -> int:
        """Return the place before a fault from which on a record may begin."""
        if self.text.startswith("{", fault) and fault > at:
            return fault
        return max(at + 1, self.text.rfind("{", at + 1, fault))

    def _inside(self, end: int) -> int | None:
        """Return a place inside of another object behind one that ends there, None when in none."""
        start = end
        while end - start <= self._limit:
            at = self.past(end)
            sign = self.text[at : at + 1]
            if sign == "]":
                return None if self.is_last(at) else at
            if sign != "{":
                return at if sign in {"}", '"'} else None
            end = self.end(at).end
            if end < 0:
                return None
        return None

    def is_last(self, at: int) -> bool:
        """Whether the bracket at a place ends an array of records, and not one inside of them."""
        if self._layout.around == "object":
            return self.tail(at) > 0
        after = self.past(at + 1, _BLANK)
        return self.text[after : after + 1] in _AFTER

    def see_tail(self, at: int) -> None:
        """Hold what may stand behind an array in its object."""
        while len(self.text) - at < TAIL and self.more():
            pass

    def tail(self, at: int) -> int:
        """Return where the object ends whose array of records ends at a place, 0 if it is none."""
        end = self._end_behind(at + 1)
        if not at < end <= at + TAIL:
            return 0
        after = self.past(end, _BLANK)
        return end if self.text[after : after + 1] in _AFTER else 0

    def _end_behind(self, at: int) -> int:
        """Return where the object ends in which a member ends at a place; 0 when not near."""
        if len(self._walks) > _SMALL:
            self._walks.clear()
        walk = self._walks.setdefault(at, Walk(at))
        while not walk.end and walk.far < at + TAIL:
            self.see_tail(walk.far)
            walk.step(self.text)
            self._walks[walk.far] = walk
        return walk.end

    def _drop(self, at: int) -> int:
        """Forget the piece up to a place, but for its start; return the place."""
        self._first = self._first or self.text[self.at : self.at + EXCERPT]
        self._newlines += self.text.count("\n", self.at, at)
        self.dropped += at - self.at
        self.text, self.at = self.text[at:], 0
        self._walks.clear()
        return 0

    def place(self, at: int) -> Span:
        """Return the empty span of a place in the piece."""
        chars = self._chars + self.dropped + at - self.at
        line = self._line + self._newlines + self.text.count("\n", self.at, at)
        return Span(chars, chars, line, line)

    def take(self, end: int) -> tuple[str, Span]:
        """Take the piece up to a place; of one that is too long only its start is left."""
        raw = self.text[self.at : end]
        newlines = self._newlines + raw.count("\n")
        chars = self._chars + self.dropped + len(raw)
        last = max(self._line, self._line + newlines - raw.endswith("\n"))
        span = Span(self._chars, chars, self._line, last)
        raw = self._first or raw
        self._chars, self._line, self.at = chars, self._line + newlines, end
        self._first, self.dropped, self._newlines = "", 0, 0
        if end > max(_SMALL, len(self.text) // 2):
            self.text, self.at = self.text[end:], 0
            self._walks.clear()
        return raw, span


def _said(found: re.Match[str] | None) -> str:
    return found[0] if found else ""


def _small(blocks: Iterable[str]) -> Iterator[str]:
    for block in blocks:
        for at in range(0, len(block), _SMALL):
            yield block[at : at + _SMALL]


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
