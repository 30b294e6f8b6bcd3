"""Killing a process at a chosen write to its store.

Holds: `Deadly`, a local store that dies; `survives`, which lets a child use one.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.storage.local import LocalStore
from pipeline.storage.units import Corpus


class Deadly(LocalStore):
    """A store that kills its process just before its n-th write."""

    left = 1 << 30

    def _count(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def put(self, *args: object, **keys: object) -> str:
        """Count, then put."""
        self._count()
        return super().put(*args, **keys)

    def put_file(self, *args: object) -> None:
        """Count, then put."""
        self._count()
        super().put_file(*args)

    def copy(self, *args: object) -> None:
        """Count, then copy."""
        self._count()
        super().copy(*args)

    def delete(self, keys: Iterator[str]) -> None:
        """Count every key as one write."""
        for key in keys:
            self._count()
            super().delete([key])


def survives(folder: Path, deadly: int, work: Callable[[Corpus], object]) -> bool:
    """Do `work` in a child that is killed at its n-th write; say whether it came to its end."""
    child = os.fork()
    if child == 0:
        store = Deadly(folder)
        store.left = deadly
        try:
            work(Corpus(store, folder.parent / "scratch"))
        except BaseException:  # noqa: BLE001 - a child must not come back into the test runner
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)
