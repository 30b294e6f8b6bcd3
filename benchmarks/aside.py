"""Runs a peer in a virtual environment of its own, and takes the time of what runs here.

Holds: `ask`, `timed`. Writes below `.bench/peers`: packages are installed by name when they are
asked for; none is in the project's lock. Not here: the peers (`annotation_peer.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

VENV = Path(__file__).parents[1] / ".bench" / "peers"
SCRIPT = Path(__file__).with_name("annotation_peer.py")


def ask(name: str, packages: Sequence[str], given: Any) -> dict[str, Any] | str:
    """Return what a peer found in what it was given, or why there is nothing."""
    python = VENV / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        subprocess.run(pip, check=True, capture_output=True, text=True, timeout=300)
        done = subprocess.run(
            [python, SCRIPT, name],
            input=json.dumps(given),
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        return said[-1] if said else type(error).__name__
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def timed(run: Callable[[Any], Any], texts: Sequence[str]) -> tuple[Any, float]:
    """Return the answers and texts a second of processor time, models loaded."""
    run(list(texts[:2]))
    started = time.process_time()
    answers = run(list(texts))
    return answers, len(texts) / (time.process_time() - started)
