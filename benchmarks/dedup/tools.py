"""The tools that are measured beside Winnow, each in a venv of its own.

Holds: `TOOLS`, `python_of`. Makes venvs below `FOLDER/venvs` with pip, by name, and keeps them.
Not here: how each is run (`peers/`), what is measured (`compare.py`).

None of them is a dependency of Winnow or in its lock: they are fetched when a comparison is asked
for, in the newest version there is (of text-dedup the newest for Python 3.11), and one that cannot
be had is passed over with the reason.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import NamedTuple

_SECONDS = 900


class Tool(NamedTuple):
    """One tool: its runner in `peers/`, what pip installs, and what Python must import.

    It is run `rounds` times at most, for it is slow; 0: as often as is asked for.
    """

    name: str
    requirements: tuple[str, ...]
    module: str
    rounds: int = 0


OURS = Tool("winnow", (), "pipeline")
TOOLS = (
    Tool("daft", ("daft", "pyarrow", "numpy"), "daft"),
    Tool("rensa", ("rensa", "pyarrow", "numpy"), "rensa"),
    Tool("datasketch", ("datasketch", "pyarrow"), "datasketch"),
    Tool("text-dedup", ("text-dedup==0.4.0", "pyarrow"), "text_dedup.minhash", rounds=1),
    Tool("datatrove", ("datatrove[io,processing]", "spacy"), "datatrove", rounds=1),
)


class UnavailableError(Exception):
    """A tool cannot be installed or imported; the message is the last line that says why."""


def python_of(tool: Tool, folder: Path) -> str:
    """Return the interpreter that has the tool, after making its venv if there is none.

    Raises:
        UnavailableError: pip cannot install it, or Python cannot import it.
    """
    if not tool.requirements:
        return sys.executable
    home = folder / "venvs" / tool.name
    python = home / "bin" / "python"
    stamp = home / "installed"
    if not stamp.exists():
        print(f"installing {tool.name} into {home}", flush=True)
        venv.create(home, with_pip=True, clear=True)
        wanted = ("--only-binary=:all:", *tool.requirements)
        _run([str(python), "-m", "pip", "install", "--quiet", *wanted])
        _run([str(python), "-c", f"import {tool.module}"])
        stamp.touch()
    return str(python)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"not installed after {_SECONDS} s") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        errors = [line for line in lines if "ERROR" in line or "Error" in line] or lines
        raise UnavailableError(errors[-1].strip()[:200])
