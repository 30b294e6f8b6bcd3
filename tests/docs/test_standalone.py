"""The examples of docs/standalone.md do what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipeline.cli import cli

PAGE = (Path(__file__).parents[2] / "docs/standalone.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    """Return the code blocks of one kind."""
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_command_gives_the_verdicts_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of the page, the command of the page, the table of the page."""
    monkeypatch.chdir(tmp_path)
    (lines,) = blocks("json")
    Path("texts.jsonl").write_text(lines, "utf-8")
    name, *arguments = shlex.split(blocks("sh")[0])
    assert name == "winnow"
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    frame: pd.DataFrame = pq.read_table("found/verdicts.parquet").to_pandas()
    shown = [line.split() for line in blocks("text")[0].splitlines()]
    assert [line.split() for line in frame.to_string(index=False).splitlines()] == shown
    kept = Path("found/kept/part-00000.jsonl").read_text("utf-8").splitlines()
    assert kept == [lines.splitlines()[0], lines.splitlines()[3]]


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks, one after the other, with their assertions."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)  # noqa: S102 - running the page is the point
    assert {"kept", "streamed"} <= set(names)
