"""The page about annotators of one's own: its example is installed and run as it stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.enrich.annotator import GROUP, annotate, model_ids, resolve

PAGE = Path(__file__).parents[2] / "docs" / "annotators.md"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install the example as pip would leave it; return the name of its annotator."""
    code, project = re.findall(r"```(?:python|toml)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[
        :2
    ]
    facts = tomllib.loads(project)["project"]
    ((name, value),) = facts["entry-points"][GROUP].items()
    folder = tmp_path / f"{facts['name'].replace('-', '_')}-{facts['version']}.dist-info"
    folder.mkdir()
    (tmp_path / f"{value.partition(':')[0]}.py").write_text(code)
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {facts['name']}\nVersion: {facts['version']}\n"
    )
    (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {value}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    resolve.cache_clear()
    return str(name)


def test_the_example_annotates(example: str) -> None:
    """The module of the page, found by its entry point, makes its columns beside Winnow's."""
    texts = pa.array(["Article 1\nThe seat is in the town.", "Fog over the harbour.", ""])
    batch = annotate(texts, resolve(("language", example)))
    assert batch.column("document_format").to_pylist() == ["law_notice", "other", "other"]
    assert batch.column("document_format_model").to_pylist() == ["newsroom-forms/1"] * 3
    assert batch.column("language_status").to_pylist()[2] == "empty"
    assert model_ids((example,)) == ("newsroom-forms/1",)
