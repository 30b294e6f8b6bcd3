"""Winnow beside the tools that others use, on texts whose duplicates are known.

Holds: the first command behind `make bench` for deduplication. Writes a corpus, venvs and results
below `--folder`; prints speed and quality of each tool. Each run is a process of its own that may
use one core; rounds go round all tools in turn; medians of CPU seconds count.

    python -m benchmarks.dedup.compare --documents 20000 --rounds 3
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.dedup import corpus, quality
from benchmarks.dedup.tools import OURS, TOOLS, Tool, UnavailableError, python_of

PEERS = Path(__file__).parent / "peers"
_ONE_THREAD = (
    "OMP_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS",
    "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS",
)  # fmt: skip
_QUIET = {"TOKENIZERS_PARALLELISM": "false", "DAFT_PROGRESS_BAR": "0"}

Result = dict[str, Any]


def main() -> None:
    """Make the corpus, run the rounds, print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(".demo/bench-dedup"))
    parser.add_argument("--only", nargs="*", default=[], help="names of tools, beside winnow")
    options = parser.parse_args()
    folder = options.folder.absolute()
    place = folder / f"corpus-{options.documents}"
    facts = corpus.make(place, documents=options.documents)
    size = facts["bytes"] / 1e6
    print(
        f"{facts['made']:,} documents, {size:,.0f} MB, {facts['pairs']:,} known pairs", flush=True
    )
    wanted = [tool for tool in TOOLS if not options.only or tool.name in options.only]
    able, why = _available(wanted, folder)
    results = _rounds((OURS, *able), options.rounds, folder=folder, place=place)
    _print_speed(results, facts["bytes"])
    _print_quality({name: quality.judge(place, folder / name) for name in results})
    for name, reason in why.items():
        print(f"{name}: not measured: {reason}")


def _available(tools: Sequence[Tool], folder: Path) -> tuple[list[Tool], dict[str, str]]:
    able, why = [], {}
    for tool in tools:
        try:
            python_of(tool, folder)
        except UnavailableError as error:
            why[tool.name] = str(error)
        else:
            able.append(tool)
    return able, why


def _rounds(
    tools: Sequence[Tool], rounds: int, *, folder: Path, place: Path
) -> dict[str, list[Result]]:
    """Run every tool once a round, in turn."""
    results: dict[str, list[Result]] = {}
    for number in range(rounds):
        for tool in tools:
            if tool.rounds and number >= tool.rounds:
                continue
            out = folder / tool.name
            done = _run(tool, folder, place=place, out=out)
            if done is not None:
                results.setdefault(tool.name, []).append(done)
    return results


def _run(tool: Tool, folder: Path, *, place: Path, out: Path) -> Result | None:
    script = PEERS / f"run_{tool.name.replace('-', '_')}.py"
    environ = os.environ | _QUIET | dict.fromkeys(_ONE_THREAD, "1")
    environ["PYTHONPATH"] = str(PEERS.parents[2]) if tool is OURS else ""
    done = subprocess.run(
        [python_of(tool, folder), str(script), str(place), str(out)],
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=_one_core,
    )
    if done.returncode:
        print(f"{tool.name}: failed: {done.stderr[-800:]}", file=sys.stderr)
        return None
    facts: Result = json.loads((out / "timing.json").read_text("utf-8"))
    return facts


def _one_core() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _print_speed(results: dict[str, list[Result]], size: int) -> None:
    table = Table(title=f"one core, CPU seconds, load {os.getloadavg()[0]:.1f}")
    for name in ("tool", "runs", "signatures/s", "MB/s", "end to end/s", "peak MB", "signatures ×",
                 "end to end ×"):  # fmt: skip
        table.add_column(name, justify="left" if name == "tool" else "right")
    ours = _medians(results[OURS.name])
    for name, runs in results.items():
        sign, total, rss = _medians(runs)
        documents = runs[0]["documents"]
        table.add_row(
            f"{name} {runs[0]['version']}",
            str(len(runs)),
            f"{documents / sign:,.0f}" if sign else "not told",
            f"{size / 1e6 / sign:,.1f}" if sign else "",
            f"{documents / total:,.0f}",
            f"{rss:,.0f}",
            f"{sign / ours[0]:,.1f}" if sign else "",
            f"{total / ours[1]:,.1f}",
        )
    console = Console(width=120)
    console.print(table)
    runs = results[OURS.name]
    parts = {name: statistics.median(run["parts"][name] for run in runs) for name in
             runs[0]["parts"]}  # fmt: skip
    told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in parts.items() if name != "start")
    print(f"winnow, CPU seconds: {told}; start-up {parts['start']:.2f} is not counted above")


def _medians(runs: Sequence[Result]) -> tuple[float, float, float]:
    return (
        statistics.median(run["parts"].get("sign", 0.0) for run in runs),
        statistics.median(run["total"] for run in runs),
        statistics.median(run["rss_mb"] for run in runs),
    )


def _print_quality(judged: dict[str, dict[str, Any]]) -> None:
    table = Table(title="recall by true Jaccard similarity; mistakes")
    bins = [f"{low:g}-{min(high, 1):g}" for low, high in quality.BINS]
    floors = [f"removed, none kept ≥ {floor:g}" for floor in quality.UNFOUNDED]
    heads = ("tool", *bins, "spaceless", "hard merged", "strangers", *floors, "left of J ≥ .8")
    for name in heads:
        table.add_column(name, justify="left" if name == "tool" else "right")
    for name, one in judged.items():
        recall = [_share(value) for value in (*one["recall"], one["spaceless"])]
        hard = "not told" if one["hard_merged"] is None else (
            f"{one['hard_merged']} of {one['hard_pairs']:,}")  # fmt: skip
        table.add_row(
            name,
            *recall,
            hard,
            "not told" if one["strangers"] is None else str(one["strangers"]),
            *(f"{count} of {one['removed']:,}" for count in one["unfounded"]),
            f"{one['left']} of {one['true_pairs']:,} ({one['left'] / one['true_pairs']:.2%})",
        )
    Console(width=200).print(table)


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
