"""Models of others, which a setting names by path and checksum: `NAME:PATH#sha256=HEX`.

Holds: `Pinned`, `pinned`, `need_package`. Reads the files that it is given; downloads nothing.
Not here: what is in the files (`fasttext_language.py`, `onnx_classifier.py`).

What is missing is said when settings are read, so that planning a night stops; that the files are
the right ones is checked when they load.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, NoReturn

from pipeline.errors import ConfigError

_ARGUMENT = re.compile(r"(?P<path>.+)#sha256=(?P<digits>[0-9a-f]{64})")


class Pinned(NamedTuple):
    """An annotator's model: where it is, and the checksum that it must have."""

    name: str
    path: Path
    digits: str

    @property
    def version(self) -> str:
        """What a row says of the model: the first twelve digits."""
        return f"sha256-{self.digits[:12]}"

    def compare(self, found: str) -> None:
        """Hold the checksum of what was read to that of the setting.

        Raises:
            ConfigError: they differ.
        """
        if found != self.digits:
            raise ConfigError(
                f"annotator {self.name}: expected {self.path} with sha256 {self.digits}, found "
                f"{found}. Restore the file, or name the new digits in [enrich] annotators: "
                "documents are annotated again."
            )

    def need_file(self, path: Path) -> None:
        """Refuse a setting whose file is not there.

        Raises:
            ConfigError: no such file.
        """
        if not path.is_file():
            raise ConfigError(
                f"annotator {self.name}: expected a model file at {path}, found none. Put it there "
                "on every machine that annotates, or correct the path in [enrich] annotators."
            )

    def refuse(self, expected: str, found: str, remedy: str) -> NoReturn:
        """Say what is wrong with the content of a model.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            f"annotator {self.name}: expected {expected} in {self.path}, found {found}. {remedy}"
        )


def pinned(name: str, argument: str, *, command: str) -> Pinned:
    """Read what stands behind the colon; `command` prints the checksum of such a model.

    Raises:
        ConfigError: no path, or not 64 digits.
    """
    parts = _ARGUMENT.fullmatch(argument)
    if parts is None:
        raise ConfigError(
            f"[enrich] annotators: expected {name}:PATH#sha256=64 hexadecimal digits, found "
            f"'{name}:{argument}'. `{command}` prints the digits."
        )
    return Pinned(name, Path(parts["path"]), parts["digits"])


def need_package(name: str, *, module: str, package: str, extra: str) -> None:
    """Refuse an annotator whose package is not installed.

    Raises:
        ConfigError: it is not; the message names the extra that brings it.
    """
    if find_spec(module) is None:
        raise ConfigError(
            f"annotator {name}: expected the package {package}, found none. "
            f"Install it: `pip install winnow[{extra}]`."
        )
