"""The ids of the models that make a corpus."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pipeline.ingest.splitters import MODEL, splitter_id
from pipeline.model.settings import EnrichSettings, IngestSettings, RunSettings
from pipeline.runner.models import models_of


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
    assert [model.partition("/")[0] for model in both.annotators] == ["lid-vote3", "iptc-table"]
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
