"""A venv of readers to compare with, made when a benchmark is run.

Holds: `Peers`. Writes below `~/.cache/winnow`. Not here: the readers (`peer_readers.py`).

The packages are none of Winnow's dependencies and not in its lock: what is newest is measured.
What cannot be installed is said and left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path.home() / ".cache/winnow/bench-readers"
PACKAGES = ("warcio", "trafilatura", "datatrove[io]", "orjson", "zstandard")
SCRIPT = Path(__file__).with_name("peer_readers.py")


class Peers:
    """The other readers; `missing` says why there are none."""

    def __init__(self) -> None:
        """Install them unless they are there."""
        self.python = FOLDER / "bin/python"
        self.missing = ""
        uv = str(Path(sys.executable).with_name("uv"))
        commands = [
            [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(FOLDER)],
            [uv, "pip", "install", "--quiet", "--python", str(self.python), *PACKAGES],
        ]
        for command in commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                self.missing = done.stderr.strip()[-500:]
                return

    def measure(self, reader: str, path: Path) -> tuple[float, int] | str:
        """Return CPU seconds (median of three) and documents, or why it did not run."""
        if self.missing:
            return f"skipped: {self.missing}"
        command = [str(self.python), str(SCRIPT), reader, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"skipped: {done.stderr.strip()[-200:]}"
        told = json.loads(done.stdout.rstrip().rpartition("\n")[2])
        return float(told["seconds"]), int(told["documents"])
