"""Splitters by name, from this package and from others, and the check that none loses a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from pipeline.errors import ConfigError, ContractError
from pipeline.ingest.pages import text_pieces
from pipeline.ingest.segments import Segment, check_tiling, documents_at
from pipeline.ingest.splitters import Splitter, names, resolve, splitter_id
from pipeline.ingest.stage import ingest_shard
from pipeline.model.files import DumpFile
from pipeline.model.plan import Plan, Shard
from pipeline.model.settings import IngestSettings, RunSettings
from pipeline.plan.shards import pack
from pipeline.runner.models import models_of
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus

ROOT = Path(__file__).parents[2]
SETTINGS = IngestSettings()
PAGE = "Gazette of today\n=====\nSalt\nThe pans are full.\n\n=====\nFog\nThe boats lie still.\n"


@pytest.mark.usefixtures("splitters")
def test_the_example_of_the_manual_splits_pages() -> None:
    """What docs/formats.md shows is found by its name and cuts at its rules."""
    pieces = list(text_pieces([PAGE], SETTINGS, splitter=resolve("gazette")))
    assert [(piece.kind, piece.reason, piece.title) for piece in pieces] == [
        ("furniture", "preamble", None),
        ("document", "", "Salt"),
        ("document", "", "Fog"),
    ]
    assert pieces[1].text == "=====\nSalt\nThe pans are full."
    assert (pieces[2].span.line_start, pieces[2].span.line_end) == (6, 8)


def test_winnow_split_uses_an_installed_splitter(splitters: Path) -> None:
    """A process that finds the package splits by the setting, from the command line on."""
    (splitters / "page.txt").write_text(PAGE)
    (splitters / "small.toml").write_text('[ingest]\nsplitter = "gazette"\n')
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "--config", str(splitters / "small.toml"), "split",
         str(splitters / "page.txt")],
        env=os.environ | {"PYTHONPATH": f"{splitters}{os.pathsep}{ROOT}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["title"] for row in rows] == [None, "Salt", "Fog"]


@pytest.mark.usefixtures("splitters")
def test_name_and_version_are_in_the_fingerprints() -> None:
    """Another splitter, or another version of it, makes other shards and other generations."""
    assert {"gazette", "none", "page"} <= set(names())
    settings = RunSettings(ingest=IngestSettings(splitter="gazette"))
    models = models_of(settings)
    assert models.splitter == splitter_id("gazette") == resolve("gazette").id == "gazette+1"
    newer = msgspec.structs.replace(resolve("gazette"), version="2").id
    file = DumpFile("wire", "2026-11-21", "wire/2026-11-21/a.txt", "etag", 1)
    found = {
        pack([file], settings.plan, made_by=(settings.ingest, name))[0].fingerprint
        for name in (models.splitter, newer)
    }
    assert len(found) == 2


@pytest.mark.usefixtures("splitters")
def test_what_is_no_splitter_is_refused() -> None:
    """An unknown name lists the known ones; a factory of something else is named."""
    with pytest.raises(ConfigError, match=r"expected one of gazette, lossy, none, page, stranger"):
        resolve("gazete")
    with pytest.raises(ConfigError, match=r"winnow_lossy:stranger to return a Splitter, found fun"):
        resolve("stranger")


@pytest.mark.usefixtures("splitters")
def test_a_splitter_that_loses_a_line_commits_nothing(memory_corpus: Corpus) -> None:
    """The shard is refused with the splitter's name; with another splitter all of it is there."""
    landing = MemoryStore()
    key = "wire/2026-11-21/page.txt"
    file = DumpFile("wire", "2026-11-21", key, landing.put(key, PAGE.encode()), len(PAGE))

    def planned(splitter: str) -> Plan:
        settings = RunSettings(ingest=IngestSettings(splitter=splitter))
        shard = Shard(0, f"{splitter:x<24}", (file,))
        return Plan("run-1", "2026-11-21", 0.0, "generation", 0, (shard,), (), (), False,  # noqa: FBT003 - positional by contract
                    settings, "code")  # fmt: skip

    with pytest.raises(
        ContractError,
        match=r"splitter lossy\+2: expected segments up to character .* mend the splitter",
    ):
        ingest_shard(memory_corpus, landing, planned("lossy"), 0)
    assert list(memory_corpus.store.list()) == []
    manifest = ingest_shard(memory_corpus, landing, planned("gazette"), 0)
    assert manifest.files[0].document_chars + manifest.files[0].furniture_chars == len(PAGE)


WHOLE = Segment("document", 0, 6, 1, 2, None, None, "")


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        ([], "expected segments up to character 6, found the last end at 0"),
        ([{"char_end": 3, "line_end": 1}], "found the last end at 3"),
        ([{"char_start": 1}], "segment 0: expected characters from 0 on, found 1 to 6 of 6"),
        ([{"char_end": 7}], "found 0 to 7 of 6"),
        ([{"char_end": 0}], "found 0 to 0 of 6"),
        ([{}, {}], "segment 1: expected characters from 6 on, found 0 to 6"),
        ([{"line_end": 3}], "expected lines 1 to 2, found 1 to 3"),
        ([{"kind": "advert"}], "found kind 'advert' with reason ''"),
        ([{"kind": "furniture"}], "found kind 'furniture' with reason ''"),
        ([{"reason": "advert"}], "found kind 'document' with reason 'advert'"),
    ],
)
def test_segments_that_do_not_tile_are_refused(
    segments: list[dict[str, object]], problem: str
) -> None:
    """The message names the segment, what was expected of it and what it says."""
    found = [msgspec.structs.replace(WHOLE, **changes) for changes in segments]
    splitter = Splitter(name="mine", version="1", split=lambda _text, **_: found)
    with pytest.raises(ContractError, match=r"splitter mine\+1: ") as caught:
        splitter.segments("ab\ncd\n", SETTINGS)
    assert problem in str(caught.value)
    check_tiling("ab\ncd\n", [WHOLE], "mine")


def test_documents_begin_where_they_are_said_to() -> None:
    """The helper for splitters tiles the text, whatever stands before and between the starts."""
    text = "head\n\n \nA\na\nB\nb"
    starts = [(8, "A"), (12, "B")]
    found = documents_at(text, starts)
    check_tiling(text, found, "mine")
    assert [(s.kind, s.reason, s.title) for s in found] == [
        ("furniture", "preamble", None), ("document", "", "A"), ("document", "", "B"),
    ]  # fmt: skip
    assert documents_at("", starts) == []
    assert [s.reason for s in documents_at(" \nA", [(2, None)])] == ["blank", ""]
    with pytest.raises(ContractError, match="mine"):
        check_tiling(text, documents_at(text, starts[::-1]), "mine")
