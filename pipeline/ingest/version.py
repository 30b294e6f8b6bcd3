"""What ingest splits with, named without loading it.

Holds: `splitter_id`. Reads the model file beside this module.
Not here: the version of the code (`model/versions.py`), loading the model (`split_forest.py`).
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

MODEL: Final = Path(__file__).with_name("split_model.npz")


@cache
def splitter_id(name: str, model: Path = MODEL) -> str:
    """Name a splitter by its setting and the bytes of the model (once a process).

    Splitters without a model have its hash as well: it costs a night too much, never one too few.
    """
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    return f"{name}+sha256-{digest[:12]}"
