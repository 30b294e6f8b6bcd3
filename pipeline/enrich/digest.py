"""A short name for the content of a model's files, as it enters the model's id.

Holds: `digest`. Reads the files it is given. Not here: what else is in an id (`detectors.py`,
`topic_table.py`).
"""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(*paths: Path) -> str:
    """Return `sha256-` and 12 digits of the files' bytes, one after the other.

    Bytes, not fields that somebody picked: no number can be left out.
    """
    found = hashlib.sha256()
    for path in paths:
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256-{found.hexdigest()[:12]}"
