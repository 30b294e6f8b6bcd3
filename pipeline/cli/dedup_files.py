"""`winnow dedup`: any Parquet or JSON lines in, verdicts and, if asked for, the kept rows out.

Holds: `run`. Writes into one folder; shows progress on a terminal.
Not here: reading files (`records.py`), copying one (`kept_rows.py`), which document of a family
stays (`dedup/standalone.py`).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import Progress, TimeRemainingColumn

from pipeline.cli import kept_rows, output, records
from pipeline.dedup import standalone
from pipeline.dedup.at_once import STEPS
from pipeline.errors import InputError
from pipeline.model.settings import DedupSettings

VERDICTS: Final = "verdicts.parquet"
KEPT: Final = "kept"

_PARTS: Final = "part-*"


def run(
    files: Iterable[Path],
    out: Path,
    *,
    settings: DedupSettings,
    keep: bool = False,
    as_json: bool,
) -> None:
    """Deduplicate the documents of `files` and write `out/verdicts.parquet`.

    Args:
        files: files, folders of Parquet files, or `-` for JSON lines on stdin.
        out: the folder to write into.
        settings: what counts as a duplicate, and which of several stays.
        keep: copy the kept rows of each file to `out/kept` as well.
        as_json: print counts as JSON, not as a table.

    Raises:
        InputError: a file cannot be taken (see `records.py`), or `out` cannot be made.
    """
    started = time.perf_counter()
    paths = list(records.found(files, out))
    if keep and records.STDIN in paths:
        raise InputError(
            "--kept: expected files, which are read twice, found - (stdin). Write the lines to a "
            "file first."
        )
    if keep:
        _refuse_replaced(paths, out / KEPT)
    _make(out)
    with _progress() as progress:
        reading = _Reading(paths, progress, sources=bool(settings.source_priority))
        verdicts = standalone.deduplicate(reading, settings=settings, done=reading.decided)
        _write(verdicts, out / VERDICTS)
        if keep:
            _copy_kept(reading, verdicts["kept"].combine_chunks(), out / KEPT)
    counts: dict[str, Any] = {"files": len(paths), **_counts(verdicts)}
    counts["seconds"] = round(time.perf_counter() - started, 2)
    counts["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    if as_json:
        click.echo(json.dumps(counts))
    else:
        output.table(str(out / VERDICTS), list(counts), [list(counts.values())], left=0)


class _Reading:
    """The documents of all files, read once; counts them by file and tells the progress bar."""

    def __init__(self, paths: Sequence[Path], progress: Progress, *, sources: bool) -> None:
        self.paths = paths
        self.sources = sources
        self.rows: list[int] = []
        self.seen: list[kept_rows.Seen] = []
        self.progress = progress
        sizes = [path.stat().st_size for path in paths if path != records.STDIN]
        self.bytes = sum(sizes) if len(sizes) == len(paths) else None
        self._deciding: Any = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        task = self.progress.add_task("reading", total=self.bytes)
        for path in self.paths:
            if path != records.STDIN:
                self.seen.append(kept_rows.Seen.of(path))
            self.rows.append(0)
            for batch in records.batches(
                path, lambda size: self.progress.advance(task, size), sources=self.sources
            ):
                self.rows[-1] += len(batch)
                self.progress.update(task, description=f"reading, {sum(self.rows):,} documents")
                yield batch

    def decided(self) -> None:
        """Note one step of deciding."""
        if self._deciding is None:
            self._deciding = self.progress.add_task("comparing", total=STEPS)
        self.progress.advance(self._deciding)


def _progress() -> Progress:
    """Make a progress bar on stderr; nothing is shown where nobody looks."""
    columns = (*Progress.get_default_columns()[:3], TimeRemainingColumn())
    return Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    )


def _refuse_replaced(paths: Iterable[Path], folder: Path) -> None:
    """Refuse files of an earlier call, which would be deleted before they are copied."""
    old = {path.resolve() for path in folder.glob(_PARTS)}
    for path in paths:
        if path.resolve() in old:
            raise InputError(
                f"{path}: expected files outside {folder}, which --kept writes anew, found one in "
                "it. Name another folder with --out."
            )


def _make(out: Path) -> None:
    """Make the folder before any work is done for it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {out}: expected a folder or a place for one, found: {error.strerror}. "
            "Name another folder."
        ) from error


def _write(verdicts: pa.Table, target: Path) -> None:
    """Write the verdicts under another name first: what is there is whole."""
    half = target.with_name(f".{target.name}")
    pq.write_table(verdicts, half, compression="zstd")
    half.replace(target)


def _copy_kept(reading: _Reading, kept: pa.Array, folder: Path) -> None:
    """Copy what stays, file by file; files of an earlier call are replaced."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob(_PARTS):
        old.unlink()
    task = reading.progress.add_task("copying what stays", total=reading.bytes)
    at = 0
    files = zip(reading.paths, reading.rows, reading.seen, strict=True)
    for number, (path, rows, seen) in enumerate(files):
        kept_rows.copy_kept(
            path,
            kept.slice(at, rows),
            folder / f"part-{number:05d}",
            lambda size: reading.progress.advance(task, size),
            seen=seen,
        )
        at += rows


def _counts(verdicts: pa.Table) -> dict[str, int]:
    reasons = {
        row["values"]: row["counts"] for row in verdicts["reason"].value_counts().to_pylist()
    }
    exact, near = reasons.get("exact", 0), reasons.get("near", 0)
    total = verdicts.num_rows
    return {"documents": total, "kept": total - exact - near, "exact": exact, "near": near}
