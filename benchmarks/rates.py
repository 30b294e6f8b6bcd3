"""What a task of each stage takes, as `winnow plan --estimate` needs to know it.

Holds: the command that makes `pipeline/runner/rates.toml`. Runs two nights of generated dumps, one
larger than the other, each task in a process of its own; draws a line through CPU seconds and
through peak memory of the tasks of a stage, over what they got through; and adds up what the nights
left in the store. Writes below `--folder` and prints the file.

    python -m benchmarks.rates > rates.toml && mv rates.toml pipeline/runner

Of the stages that get through a whole night in one task, `decide` and `promote`, which merges keys,
fill their buffers with about the larger night: their line would promise far too much memory to a
night of a hundred times its size. What such a night adds is measured with two nights without texts
(`dedup/large.py`), `--large`. With `--again large` only this is measured, and all else taken from
the file that is there.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.dedup import large
from benchmarks.generate import Options, generate, size_of
from benchmarks.nightly import DATE, STAGES, night, task
from pipeline.runner.rates import Rates, StageRate, measured

ALL = (*STAGES, "report")
_NIGHT = {"plan": "", "route": "", "report": ""}
_OWN = {"ingest": ("bytes", 1e6), "annotate": ("documents", 1e3), "publish": ("rows", 1e3)}
_UNITS = {"ingest": "megabytes", "publish": "thousand kept", "annotate": "thousand kept"}
_UNITS |= {"decide": "thousand documents", "match": "thousand documents"}
_UNITS |= {"commit": "thousand documents", "promote": "thousand kept"}


def main() -> None:
    """Run both nights and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--sizes", type=size_of, nargs=2, default=[size_of("96MB"), size_of("400MB")]
    )
    parser.add_argument("--large", type=int, nargs=2, default=[500_000, 2_000_000])
    parser.add_argument("--again", choices=["all", "large"], default="all")
    parser.add_argument("--folder", type=Path, default=Path(".demo/bench-rates"))
    options = parser.parse_args()
    found = measured() if options.again == "large" else nights(options.folder, options.sizes)
    held = {size: large.peaks(options.folder, size) for size in options.large}
    shutil.rmtree(options.folder)
    print("\n".join(lines(with_large(found, held))))


def nights(folder: Path, sizes: Iterable[int]) -> Rates:
    """Run nights of generated dumps, the largest last."""
    tasks: dict[str, list[tuple[float, float, float]]] = {stage: [] for stage in ALL}
    for size in sizes:
        stored, counts = one_night(folder, size, tasks)
    return rates(tasks, stored, counts)


def one_night(
    folder: Path, size: int, tasks: Mapping[str, list[tuple[float, float, float]]]
) -> tuple[dict[str, int], dict[str, Any]]:
    """Run a night; add (units, CPU seconds, peak MB) of its tasks; return its files and counts."""
    shutil.rmtree(folder, ignore_errors=True)
    generate(Options(out=folder / "landing", bytes=size, dump_date=DATE, format="mixed"))
    environ = os.environ | {
        "WINNOW_STORE__LANDING": str(folder / "landing"),
        "WINNOW_STORE__CORPUS": str(folder / "corpus"),
        "WINNOW_PLAN__QUIET_SECONDS": "0",
        "WINNOW_PLAN__SHARD_BYTES": str(size // 2),
    }
    answers = [*night(environ), ("report", task("report", None, environ))]
    (counts,) = (answer["result"] for stage, answer in answers if stage == "commit")
    for stage, answer in answers:
        tasks[stage].append(
            (units(stage, answer["result"], counts), answer["cpu"], answer["rss_mb"])
        )
    corpus = folder / "corpus"
    kinds = [path for path in (corpus / "store" / "data").iterdir() if path.is_dir()]
    stored = {path.name: bytes_below(path) for path in kinds}
    trees = sum(bytes_below(path) for path in corpus.iterdir() if path.name != "store")
    return stored | {"trees": trees}, counts


def units(stage: str, result: Mapping[str, Any], counts: Mapping[str, Any]) -> float:
    """Return how much a task got through, in the units of its stage."""
    if stage in _NIGHT:
        return 0.0
    if stage in _OWN:
        name, scale = _OWN[stage]
        return float(result[name]) / scale
    return float(counts["kept" if "kept" in _UNITS[stage] else "documents"]) / 1e3


def bytes_below(folder: Path) -> int:
    """Add up the files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def rates(
    tasks: Mapping[str, list[tuple[float, float, float]]],
    stored: Mapping[str, int],
    counts: Mapping[str, Any],
) -> Rates:
    """Draw the lines through all tasks; shares and storage are those of the last night."""
    documents = counts["documents"]
    return Rates(
        measured=f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        machine=machine(),
        megabytes=counts["bytes"] / 1e6,
        large_documents=documents,
        documents_per_mb=documents / (counts["bytes"] / 1e6),
        chars_per_document=counts["chars"] / documents,
        partitions=len(counts["languages"]),
        kept=counts["kept"] / documents,
        stages={stage: stage_rate(stage, found) for stage, found in tasks.items()},
        storage={name.replace("-", "_"): size / documents for name, size in stored.items()},
    )


def stage_rate(stage: str, tasks: list[tuple[float, float, float]]) -> StageRate:
    """Draw the lines of a stage."""
    cpu, cpu_more = line([(one[0], one[1]) for one in tasks])
    rss, rss_more = line([(one[0], one[2]) for one in tasks])
    return StageRate(
        unit=_UNITS.get(stage, ""),
        cpu_seconds=cpu,
        cpu_seconds_per_unit=cpu_more,
        memory_mb=rss,
        memory_mb_per_unit=rss_more,
    )


def with_large(found: Rates, held: Mapping[int, Mapping[str, int]]) -> Rates:
    """Let memory rise, above the larger night, as from one night without texts to the other."""
    small, most = sorted(held)
    stages = dict(found.stages)
    for stage in held[most]:
        share = found.kept if "kept" in _UNITS[stage] else 1.0
        more = (held[most][stage] - held[small][stage]) / ((most - small) * share / 1e3)
        stages[stage] = msgspec.structs.replace(
            stages[stage],
            memory_units=found.megabytes * found.documents_per_mb * share / 1e3,
            memory_mb_per_unit_beyond=max(0.0, more),
        )
    return msgspec.structs.replace(found, stages=stages, large_documents=most)


def lines(found: Rates) -> Iterator[str]:
    """Write the file."""
    yield "# What a task of each stage takes: made by `python -m benchmarks.rates`, not by hand."
    yield f'measured = "{found.measured}"'
    yield f'machine = "{found.machine}"'
    yield f"megabytes = {found.megabytes:.0f}"
    yield f"large_documents = {found.large_documents}"
    yield f"documents_per_mb = {found.documents_per_mb:.1f}"
    yield f"chars_per_document = {found.chars_per_document:.0f}"
    yield f"partitions = {found.partitions}"
    yield f"kept = {found.kept:.3f}"
    for stage, rate in found.stages.items():
        yield f"\n[stages.{stage}]"
        yield f'unit = "{rate.unit}"'
        yield f"cpu_seconds = {rate.cpu_seconds:.2f}"
        yield f"cpu_seconds_per_unit = {rate.cpu_seconds_per_unit:.5f}"
        yield f"memory_mb = {rate.memory_mb:.0f}"
        yield f"memory_mb_per_unit = {rate.memory_mb_per_unit:.3f}"
        if rate.memory_units is not None:
            yield f"memory_units = {rate.memory_units:.1f}"
            yield f"memory_mb_per_unit_beyond = {rate.memory_mb_per_unit_beyond:.3f}"
    yield "\n[storage]  # bytes a document"
    for name, size in sorted(found.storage.items()):
        yield f"{name} = {size:.0f}"


def line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return where the best line begins and how it rises; it never falls."""
    at, value = np.array(points).T
    if np.ptp(at) < 1e-9:
        return float(value.max()), 0.0
    slope, start = np.polyfit(at, value, 1)
    if slope <= 0:
        return float(value.max()), 0.0
    return max(0.0, float(start)), float(slope)


def machine() -> str:
    """Name the processor and the system."""
    found = [
        one for one in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if "model name" in one
    ]
    name = found[0].partition(":")[2].strip() if found else platform.machine()
    return f"{name}, one core a task, Python {platform.python_version()}, folder as store"


if __name__ == "__main__":
    main()
