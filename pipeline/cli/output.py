"""What people read on a terminal: tables and short sentences.

Holds: rendering with rich. Writes to stdout. Not here: JSON output (each command has `--json`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

_SKIP = ("shards", "key_ranges", "units", "groups", "languages", "waiting", "run_id", "dump_date")


def sentence(summary: Mapping[str, Any]) -> str:
    """Say a summary in one line: `documents=12 kept=10`."""
    parts = [f"{name}={value}" for name, value in summary.items() if name not in _SKIP]
    return " ".join(parts) or "nothing to do"


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, left: int = 1
) -> None:
    """Print a table; the first `left` columns are text, the others numbers."""
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, name in enumerate(columns):
        shown.add_column(name, justify="left" if index < left else "right", no_wrap=index == 0)
    for row in rows:
        shown.add_row(*(_cell(value) for value in row))
    Console().print(shown)


def nights(results: Iterable[Mapping[str, Any]]) -> None:
    """Print one line a processed night."""
    names = (
        "files",
        "documents",
        "kept",
        "dropped_exact",
        "dropped_near",
        "dropped_history",
        "quarantine",
        "retracted",
        "restored",
        "snapshot",
    )
    rows = [[row["dump_date"], *(row.get(name, 0) for name in names)] for row in results]
    heads = [name.replace("dropped_", "") for name in names]
    table("Nights", ["dump date", *heads], rows)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return "" if value is None else str(value)
