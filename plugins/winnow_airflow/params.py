"""What a person may decide when triggering a night.

Holds: `PARAMS`, the parameters of the nightly DAG. Reads and writes nothing.
Not here: what they do (`pipeline/runner/night.py`).
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

_SWITCHES = {
    "allow_deleted": "Publish the night again without the dump files that have been deleted.",
    "accept_guards": "Publish the night although guards find it unusual (see the run that failed).",
}

PARAMS: dict[str, Any] = {
    name: Param(default=False, type="boolean", description=text) for name, text in _SWITCHES.items()
}
