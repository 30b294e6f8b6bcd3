"""How the columns of a Parquet file are packed, told from its footer without Arrow.

Holds: `is_all_zstd`. Reads a file.
Not here: rows (`records.py`), copies (`kept_rows.py`).

Arrow ends the process when it is asked about a column whose statistics are broken. The footer is
written in the compact protocol of Thrift; numbers and places are those of `parquet.thrift`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, BinaryIO, Final

_TAIL: Final = 8
"""Bytes behind the footer: its length, and a magic number."""

_GROUPS, _COLUMNS, _METADATA, _CODEC, _ZSTD = 4, 1, 3, 4, 6
_TRUE, _FALSE, _BYTE, _DOUBLE, _BYTES, _STRUCT = 1, 2, 3, 7, 8, 12
_NUMBER = 4
_NUMBERS, _LISTS = frozenset((_NUMBER, 5, 6)), frozenset((9, 10))
_DEEP: Final = 32
"""Structures inside of each other; those of a footer are fewer."""


def is_all_zstd(path: Path) -> bool:
    """Say whether all columns are packed with zstd; not when the footer does not say so."""
    with path.open("rb") as file:
        footer = _footer(file)
    try:
        groups = _Compact(footer).value(_STRUCT)[_GROUPS]
        columns = [column for group in groups for column in group[_COLUMNS]]
        return all(column[_METADATA][_CODEC] == _ZSTD for column in columns)
    except (IndexError, KeyError, TypeError, ValueError):
        return False


def _footer(file: BinaryIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    length = int.from_bytes(file.read(4), "little")
    file.seek(max(0, size - _TAIL - length))
    return file.read(length)


class _Compact:
    """Values one after the other; mutable place."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self, kind: int, depth: int = 0) -> Any:
        """Take a value: a number, a list, or a structure by the numbers of its fields.

        Raises:
            IndexError, ValueError: it is none.
        """
        if kind in _NUMBERS:
            number = self._number()
            return number >> 1 ^ -(number & 1)
        if kind == _BYTE:
            return self._byte()
        if kind in {_BYTES, _DOUBLE}:
            size = self._number() if kind == _BYTES else 8
            self._at += size
            if self._at > len(self._data):
                raise IndexError
            return None
        if depth == _DEEP or kind not in {_STRUCT, *_LISTS}:
            raise ValueError
        return self._fields(depth + 1) if kind == _STRUCT else self._values(depth + 1)

    def _fields(self, depth: int) -> dict[int, Any]:
        found: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            field = field + step if step else self.value(_NUMBER)
            is_flag = kind in {_TRUE, _FALSE}
            found[field] = kind == _TRUE if is_flag else self.value(kind, depth)
        return found

    def _values(self, depth: int) -> list[Any]:
        head = self._byte()
        size, kind = head >> 4, head & 15
        size = self._number() if size == 15 else size
        kind = _BYTE if kind in {_TRUE, _FALSE} else kind
        return [self.value(kind, depth) for _ in range(size)]

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self) -> int:
        number = shift = 0
        while (byte := self._byte()) & 0x80:
            number |= (byte & 0x7F) << shift
            shift += 7
        return number | byte << shift
