"""What a night will take follows from its size, the settings, and rates."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from benchmarks import rates as benchmark
from benchmarks.dedup import large
from pipeline.audit.tasks import STAGES
from pipeline.cli import cli
from pipeline.model.settings import PlanSettings, RunSettings
from pipeline.plan import shards
from pipeline.runner import estimate, rates

MEASURED = rates.measured()
GB = 10**9


def test_every_stage_was_measured_on_a_machine_that_has_a_name() -> None:
    """The rates are those of all tasks of a night, and say where they come from."""
    assert set(STAGES) | {"report"} == set(MEASURED.stages)
    assert MEASURED.machine
    assert MEASURED.measured


def test_tasks_are_those_that_a_plan_would_cut() -> None:
    """Shards and key ranges come from the functions that cut real nights."""
    settings = RunSettings(plan=PlanSettings(shard_bytes=GB // 10, range_bytes=GB // 4))
    load = estimate.imagined(GB, 3, history=0)
    assert load.bytes == GB
    said = estimate.estimate(load, settings, MEASURED, slots=4)
    tasks = {step.stage: step.tasks for step in said.steps}
    assert tasks["ingest"] == len(
        shards.pack(load.files, settings.plan, made_by=(settings.ingest, ""))
    )
    assert tasks["match"] == 4
    assert said.tasks == sum(tasks.values())


@pytest.mark.parametrize("more", [{"size": 4 * GB}, {"history": 10**9}])
def test_more_takes_longer(more: dict[str, int]) -> None:
    """A larger night, and one with more history; but no stage costs less."""
    first = _of(size=GB, history=0)
    second = _of(**({"size": GB, "history": 0} | more))
    assert second.hours > first.hours
    for one, other in zip(first.steps, second.steps, strict=True):
        assert other.cpu_seconds >= one.cpu_seconds


def test_a_night_without_files_has_no_mapped_tasks() -> None:
    """It still plans, decides and commits."""
    said = estimate.estimate(estimate.Load(files=(), history=5), RunSettings(), MEASURED, slots=2)
    idle = {step.stage for step in said.steps if not step.tasks}
    assert idle == {"ingest", "match", "annotate", "publish"}
    assert said.documents == sum(said.storage.values()) == 0


@pytest.mark.parametrize("size", [1, 100, 20_000])
def test_a_tiny_night_is_not_nothing(size: int) -> None:
    """Of any text there is a document; it is annotated and published, and takes some room."""
    said = _of(size=size, history=0)
    assert said.documents >= said.kept >= 1
    assert all(step.tasks and step.memory_mb for step in said.steps)
    command = ["plan", "--estimate", "--bytes", str(size), "--files", "1"]
    shown = CliRunner().invoke(cli, command, catch_exceptions=False).stdout
    said = _of(size=size, history=0)
    assert f"about {said.documents} document" in shown
    assert not re.search(r"[^\d.]0(\.0+)? (GB|MB|hours|documents)", shown)


def test_a_stage_that_is_slower_here_is_reckoned_slower() -> None:
    """The factor of a corpus stretches a stage and leaves the others."""
    slow = msgspec.structs.replace(MEASURED, factor={"match": 3.0}, nights=2)
    load = estimate.imagined(GB, 4, history=0)
    usual, here = (estimate.estimate(load, RunSettings(), one, slots=2) for one in (MEASURED, slow))
    for one, other in zip(usual.steps, here.steps, strict=True):
        more = 2 * MEASURED.work("match", here.documents / 1e3) if one.stage == "match" else 0
        assert other.cpu_seconds == pytest.approx(one.cpu_seconds + more, abs=0.2)
    assert here.source.startswith("times, sizes and shares: medians of 2 nights")


def test_a_night_that_touches_many_teaches_no_slower_annotators() -> None:
    """Reading texts whose annotations are taken over is work, too: a tenth of annotating them.

    The late night of ADR 0016: 14,026 texts and 43,584 taken over, 24.2 seconds; 74.1 before.
    """
    late = {"documents": 14_026 + 43_584, "reused": 43_584}
    anew = {"documents": 14_026 + 43_584}
    shares = (24.2 / rates._annotated(late), 74.1 / rates._annotated(anew))
    assert shares[0] == pytest.approx(shares[1], rel=0.1)


def test_the_command_needs_one_night() -> None:
    """Sizes are read as people write them; both or neither of the two ways are refused."""
    said = CliRunner().invoke(cli, ["plan", "--estimate", "--bytes", "1.5GB", "--json"])
    assert json.loads(said.stdout)["bytes"] == 1_500_000_000
    for wrong in (
        ["plan", "--bytes", "1GB"],
        ["plan", "--estimate"],
        ["plan", "--estimate", "--bytes", "much"],
        ["plan", "--estimate", "--bytes", "1GB", "--dump-date", "2026-11-21"],
    ):
        assert CliRunner().invoke(cli, wrong).exit_code == 2


@pytest.mark.parametrize("stage", ["decide", "promote"])
def test_memory_of_large_nights_is_not_drawn_out_along_the_line_of_small_ones(stage: str) -> None:
    """It rises along that line to where it was measured, and from there as large nights showed."""
    rate = MEASURED.stages[stage]
    knee = rate.memory_units
    assert knee is not None
    documents = MEASURED.megabytes * MEASURED.documents_per_mb
    assert knee * 1e3 == pytest.approx(
        documents * (MEASURED.kept if stage == "promote" else 1), 0.01
    )
    most = rate.memory_mb + knee * rate.memory_mb_per_unit
    assert rate.memory(knee) == pytest.approx(most)
    assert rate.memory(knee / 2) == pytest.approx((rate.memory_mb + most) / 2)
    assert rate.memory(10 * knee) == pytest.approx(most + 9 * knee * rate.memory_mb_per_unit_beyond)
    assert rate.memory_mb_per_unit_beyond < rate.memory_mb_per_unit


def test_a_stage_without_large_nights_goes_on_along_its_line() -> None:
    """Nothing is known of it that would say otherwise."""
    rate = MEASURED.stages["commit"]
    assert rate.memory_units is None
    assert rate.memory(1e6) - rate.memory(0) == pytest.approx(1e6 * rate.memory_mb_per_unit)


def test_large_nights_tell_what_a_unit_adds() -> None:
    """The slope between them, in the units of the stage; what falls is taken for level."""
    held = {500_000: {"decide": 800, "promote": 535}, 1_500_000: {"decide": 1700, "promote": 530}}
    found = benchmark.with_large(MEASURED, held)
    assert found.stages["decide"].memory_mb_per_unit_beyond == pytest.approx(0.9)
    assert found.stages["promote"].memory_mb_per_unit_beyond == 0
    assert found.large_documents == 1_500_000
    up = {
        size: {stage: at + size // 1000 for stage, at in one.items()} for size, one in held.items()
    }
    kept = benchmark.with_large(MEASURED, up).stages["promote"].memory_mb_per_unit_beyond
    assert kept == pytest.approx(0.995 / MEASURED.kept)


def test_the_file_says_what_was_measured() -> None:
    """Written again by the benchmark, `rates.toml` is the same but for its date."""
    text = files("pipeline.runner").joinpath("rates.toml").read_text("utf-8")
    assert "\n".join(benchmark.lines(MEASURED)) == text.rstrip("\n")


def test_a_large_night_is_decided_and_merged_without_texts(tmp_path: Path) -> None:
    """Small here: both stages run, in processes of their own, and tell what they held."""
    held = large.peaks(tmp_path, large.SHARD)
    assert set(held) == {"decide", "promote"}
    assert all(100 < one < 2000 for one in held.values())
    assert not [*tmp_path.iterdir()]


def _of(*, size: int, history: int) -> estimate.Estimate:
    load = estimate.imagined(size, 4, history=history)
    return estimate.estimate(load, RunSettings(), MEASURED, slots=8)
