"""What the demo prints: tasks as they finish, a table of the nights, three queries.

Holds: `Progress`, `print_nights`, `print_queries`. Reads the copied tables with DuckDB; writes to
the terminal. Not here: running anything (`run.py`).
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
from rich.console import Console
from rich.live import Live
from rich.table import Table

TASKS = ("wait", "plan", "ingest", "match", "decide", "annotate", "route", "publish")
TASKS += ("commit", "promote", "report")
_DONE = {"success", "skipped"}
_MARKS = {"failed": "✗", "upstream_failed": "✗", "up_for_retry": "retry", "running": "…"}

_NIGHTS = """
WITH run AS (
  SELECT dump_date, arg_max(files, snapshot) AS files, arg_max(quarantine, snapshot) AS quarantined,
         sum(retracted) AS retracted, sum(restored) AS restored, sum(seconds) AS seconds
  FROM {runs} GROUP BY dump_date
), verdict AS (
  SELECT dump_date, count(*) AS documents, count(*) FILTER (kept) AS kept,
         count(*) FILTER (reason = 'exact' AND witness_dump_date = dump_date::VARCHAR) AS exact,
         count(*) FILTER (reason = 'near' AND witness_dump_date = dump_date::VARCHAR) AS near,
         count(*) FILTER (witness_dump_date <> dump_date::VARCHAR) AS history
  FROM {verdicts} GROUP BY dump_date
), document AS (
  SELECT dump_date, count(DISTINCT language) AS languages, count(DISTINCT topic) AS topics
  FROM {documents} GROUP BY dump_date
)
SELECT dump_date AS night, files, documents AS docs, kept, exact, near, history AS other,
       languages AS lang, topics, quarantined AS quar, retracted AS retr, restored AS rest,
       seconds::DECIMAL(9, 1) AS s
FROM run JOIN verdict USING (dump_date) LEFT JOIN document USING (dump_date) ORDER BY dump_date
"""

_LEGEND = (
    "exact, near: copies of a document of the same night; other: of another night",
    "quar: spans put into quarantine, with a reason",
    "retr, rest: documents of other nights taken back and brought back, as a late night needs",
)

_QUERIES = {
    "Which languages and topics are there?": """\
SELECT language, count(*) AS documents, mode(topic_label) AS most_about
FROM {documents}
GROUP BY language ORDER BY documents DESC, language LIMIT 6""",
    "Why were documents dropped, and how sure is that?": """\
SELECT reason, count(*) AS documents, min(similarity)::DECIMAL(3, 2) AS least_similar
FROM {verdicts}
WHERE NOT kept GROUP BY reason ORDER BY reason""",
    "Which edited copies were recognised, and of what?": """\
SELECT v.dump_date AS night, v.document_id[:8] AS dropped, v.similarity::DECIMAL(3, 2) AS similar,
       d.document_id[:8] AS witness, d.dump_date AS published, d.text[:24] AS text
FROM {verdicts} v
JOIN {documents} d ON d.document_id = v.witness_id
WHERE v.reason = 'near' ORDER BY v.similarity, dropped LIMIT 4""",
}


class Progress:
    """Live progress of runs: a table that fills on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, dates: Iterable[str]) -> None:
        """Show one line for each of `dates`."""
        self._console = console
        self._cells: dict[str, dict[str, str]] = {date: {} for date in dates}
        self._clocks: dict[str, tuple[float, float]] = {}
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def update(self, date: str, instances: Iterable[Mapping[str, Any]]) -> None:
        """Take the task instances of a night as Airflow reports them."""
        now = time.monotonic()
        self._clocks[date] = (self._clocks.get(date, (now, now))[0], now)
        states: dict[str, list[str]] = defaultdict(list)
        for instance in instances:
            states[instance["task_id"]].append(instance["state"] or "")
        for task in TASKS:
            before = self._cells[date].get(task, "")
            self._cells[date][task] = cell = _cell(states[task])
            if self._live is None and cell != before and cell.startswith(("✓", "✗", "retry")):
                self._console.print(f"  {date}  {task:<9} {cell}  {self._seconds(date)} s")
        if self._live:
            self._live.update(self._table(), refresh=True)

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last picture on the screen."""
        if self._live:
            self._live.stop()

    def _seconds(self, date: str) -> str:
        start, now = self._clocks.get(date, (0.0, 0.0))
        return f"{now - start:.0f}"

    def _table(self) -> Table:
        table = Table("night", *TASKS, "s", box=None, padding=(0, 1, 0, 0))
        for date, cells in self._cells.items():
            table.add_row(date, *(cells.get(task, "") for task in TASKS), self._seconds(date))
        return table


def print_nights(console: Console, corpus: Path) -> None:
    """Print one line a night, counted in the published tables."""
    console.print()
    console.print("[bold]The nights[/bold]")
    _print(console, _NIGHTS.format(**_tables(corpus)))
    for line in _LEGEND:
        console.print(line, style="dim")


def print_queries(console: Console, corpus: Path) -> None:
    """Print three questions, the SQL that asks them, and the answers."""
    for question, sql in _QUERIES.items():
        filled = sql.format(**_tables(corpus))
        console.print(f"\n[bold]{question}[/bold]")
        console.print(filled, style="dim", highlight=False, markup=False, soft_wrap=True)
        _print(console, filled)


def _tables(corpus: Path) -> dict[str, str]:
    """Name the tables as DuckDB reads them: hive partitions become columns."""
    names = ("documents", "verdicts", "quarantine", "runs")
    folder = os.path.relpath(corpus)
    return {name: f"'{folder}/{name}/**/*.parquet'" for name in names}


def _print(console: Console, sql: str) -> None:
    found = duckdb.sql(sql)
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    for name, kind in zip(found.columns, found.types, strict=True):
        is_text = str(kind) in {"VARCHAR", "DATE"}
        table.add_column(name, justify="left" if is_text else "right", no_wrap=True)
    for row in found.fetchall():
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(table)


def _cell(states: list[str]) -> str:
    """Say in a few characters how the instances of one task stand."""
    done = sum(state in _DONE for state in states)
    for state, mark in _MARKS.items():
        if state in states and state != "running":
            return mark
    if states and done == len(states):
        skipped = all(state == "skipped" for state in states)
        return "✓ –" if skipped else f"✓ {done}" if done > 1 else "✓"
    if len(states) > 1:
        return f"{done}/{len(states)}"
    return "…" if "running" in states else ""
