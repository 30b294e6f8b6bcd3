"""The ids of the models that make a corpus."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.enrich import detectors, topic_table
from pipeline.ingest.splitters import MODEL, splitter_id
from pipeline.model.settings import EnrichSettings, IngestSettings, RunSettings
from pipeline.runner.models import models_of

Naming = Callable[[Path], str]
MOST_PLACES = 60
SIDECARS = (
    (detectors.model_id, "language_model.json"),
    (detectors.model_id, "codepoints.json"),
    (topic_table.model_id, topic_table.SIDECAR),
)


def test_a_splitter_is_named_by_its_model(tmp_path: Path) -> None:
    """Other bytes of the model file, or another splitter, are another id."""
    other = tmp_path / "learned.npz"
    other.write_bytes(MODEL.read_bytes() + b"more")
    found = {splitter_id("page"), splitter_id("none"), splitter_id("page", other)}
    assert len(found) == 3
    assert splitter_id("page").startswith("page+sha256-")


def test_the_splitter_that_runs_is_the_one_that_is_named() -> None:
    """Ingest loads the very file whose hash is in the id."""
    from pipeline.ingest import split_forest  # noqa: PLC0415 - loads compiled kernels

    assert split_forest.MODEL == MODEL


def test_models_follow_the_settings() -> None:
    """The splitter and the annotators that settings name, in their order, and no others."""
    both = models_of(RunSettings())
    assert both.splitter == splitter_id("page")
    assert [model.partition("/")[0] for model in both.annotators] == [
        "lid-vote3", "iptc-table", "quality", "personal", "forms", "translated",
        "stated-dates",
    ]  # fmt: skip
    one = RunSettings(
        ingest=IngestSettings(splitter="none"), enrich=EnrichSettings(annotators=("language",))
    )
    assert models_of(one).annotators == both.annotators[:1]
    assert models_of(one).splitter == splitter_id("none")


def test_naming_models_compiles_nothing() -> None:
    """What every `plan` and `due` asks for loads no kernel of the splitter."""
    code = (
        "import sys; from pipeline.runner.models import models_of;"
        "from pipeline.model.settings import RunSettings; models_of(RunSettings());"
        "print('pipeline.ingest.split_forest' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize(("name", "file"), SIDECARS, ids=[file for _, file in SIDECARS])
def test_any_number_that_shapes_labels_is_in_the_id(
    name: Naming, file: str, tmp_path: Path
) -> None:
    """An offset, a temperature, one knot of a curve or the fit of one language: another id."""
    whole = json.loads((topic_table.FOLDER / file).read_text("utf-8"))
    places = list(_numbers(whole))
    places = places[:: len(places) // MOST_PLACES + 1]
    ids = {name(topic_table.FOLDER), name(_copy(tmp_path / "same", file, whole))}
    assert len(ids) == 1
    for count, (holder, key) in enumerate(places):
        kept, holder[key] = holder[key], holder[key] + 1
        ids.add(name(_copy(tmp_path / str(count), file, whole)))
        holder[key] = kept
    assert len(ids) == 1 + len(places)


def _copy(folder: Path, file: str, content: dict[str, Any]) -> Path:
    """Return a folder with the packaged sidecars, one of them with this content."""
    folder.mkdir()
    for packaged in topic_table.FOLDER.glob("*.json"):
        shutil.copy(packaged, folder)
    if content != json.loads((folder / file).read_text("utf-8")):
        (folder / file).write_text(json.dumps(content), "utf-8")
    return folder


def _numbers(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield holder and key of every number in nested lists and mappings."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        if isinstance(inner, dict | list):
            yield from _numbers(inner)
        elif isinstance(inner, int | float):
            yield value, key
