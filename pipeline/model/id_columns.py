"""Columns of ids as 16-byte values and as text, converted whole.

Holds: `id_bytes`, `id_texts`, `among`. Pure. Not here: what ids are made from (`ids.py`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.errors import CorruptError

Array = npt.NDArray[Any]

_DIGITS: Final = 32


def id_bytes(ids: pa.Array | pa.ChunkedArray) -> Array:
    """Return ids without nulls (32 hex digits, or 16 bytes) as an array of 16-byte values.

    Raises:
        CorruptError: an id has another length or other digits.
    """
    if isinstance(ids, pa.ChunkedArray):
        return np.concatenate([np.empty(0, "S16"), *(id_bytes(chunk) for chunk in ids.chunks)])
    if not len(ids):
        return np.empty(0, "S16")
    if pa.types.is_fixed_size_binary(ids.type):
        start = ids.offset * 16
        return np.frombuffer(ids.buffers()[1], "S16", count=len(ids), offset=start)
    offsets = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + len(ids) + 1]
    text = ids.buffers()[2][int(offsets[0]) : int(offsets[-1])].to_pybytes()
    try:
        raw = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raw = b""
    if len(raw) != 16 * len(ids) or np.any(np.diff(offsets) != _DIGITS):
        raise CorruptError(
            f"expected document ids of 32 hex digits, found others among {ids[0]}… "
            "Run the dump again; if it repeats, the stage that wrote them is at fault."
        )
    return np.frombuffer(raw, "S16")


def id_texts(ids: Array) -> pa.Array:
    """Return 16-byte values as an Arrow array of 32 hex digits each; at most 2**26 - 1 of them."""
    digits = np.ascontiguousarray(ids).tobytes().hex().encode("ascii")
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * np.int32(_DIGITS)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(digits))


def among(needles: Array, sorted_values: Array) -> npt.NDArray[np.bool_]:
    """Say for each needle whether it is one of `sorted_values`."""
    if not len(sorted_values):
        return np.zeros(len(needles), np.bool_)
    places = np.searchsorted(sorted_values, needles)
    places[places == len(sorted_values)] = 0
    return np.asarray(sorted_values[places] == needles)
