"""numba with types that mypy can follow.

Holds: `jit` and `inline`, which compile a function and keep its signature, `intrinsic`, and the
integer types of compiled code. Reads and writes numba's on-disk cache (see `signatures.py`).
Not here: compiled functions (`kernel.py`, `letters.py`, `vector.py`, `dedup/`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import extending

F = TypeVar("F", bound=Callable[..., Any])
Integer = Callable[[Any], int]

i64: Integer = cast("Any", numba.int64)
u8: Integer = cast("Any", numba.uint8)
u32: Integer = cast("Any", numba.uint32)
u64: Integer = cast("Any", numba.uint64)


def jit(function: F) -> F:
    """Compile at first call, keep the code on disk, release the global lock while running."""
    return cast("F", numba.njit(cache=True, nogil=True)(function))


def inline(function: F) -> F:
    """Make a function part of the compiled functions that call it."""
    return cast("F", numba.njit(inline="always")(function))


def intrinsic(function: Callable[..., Any]) -> Callable[..., int]:
    """Make a generator of LLVM instructions callable from compiled functions."""
    return cast("Callable[..., int]", cast("Any", extending.intrinsic)(function))
