"""What a dry run says on a terminal.

Holds: `show`. Writes to stdout. Not here: what would change (`publish/preview.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.cli import output

_NIGHT = ("dump_date", "documents", "kept", "dropped", "new", "retracted", "restored")
_PARTITION = ("dump_date", "language", "before", "after", "new", "retracted", "restored")
_SPOKEN = {"warn", "stop"}


def show(told: Mapping[str, Any]) -> None:
    """Print what would change by night and by partition, and which guards would speak."""
    date = told["dump_date"]
    if told["unchanged"]:
        output.console().print(f"{date} is published as it landed: a run would change nothing.")
        return
    nights = [[row[name] for name in _NIGHT] for row in told["nights"]]
    output.table(f"A run of {date} would change these nights", _NIGHT, nights)
    parts = [[row[name] for name in _PARTITION] for row in told["partitions"]]
    output.table("Published documents by partition", _PARTITION, parts, left=2)
    for name in told["waiting"]:
        output.console().print(f"left out: source {name}", markup=False)
    for one in told["guards"]:
        if one["outcome"] in _SPOKEN:
            line = f"guard {one['name']} would {one['outcome']}: found {one['found']:.3f}"
            output.console().print(line, markup=False)
    output.console().print("Nothing was published.")
