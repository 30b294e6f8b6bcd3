"""The one-line readers of the README read a published corpus."""

import re
from pathlib import Path

import pandas as pd
import pytest

from demo.nights import nights
from pipeline.storage.open import open_store
from tests.nights import land, run, settings_for

ROOT = Path(__file__).parents[2]
SNIPPETS = [
    block
    for block in re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    if ".demo/corpus" in block
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Publish one night where `make demo` leaves its copy; return the folder and the rows."""
    home = tmp_path_factory.mktemp("readme")
    (home / "landing").mkdir()
    night = nights()[0]
    land(open_store(str(home / "landing")), night.files)
    settings = settings_for(str(home / "landing"), str(home / ".demo/corpus"))
    kept = run(settings, night.dump_date, "readme")["kept"]
    assert isinstance(kept, int)
    return home, kept


def test_the_readme_shows_three_readers() -> None:
    """There is one snippet for each of pandas, DuckDB and Polars."""
    libraries = [re.findall(r"^import (\w+)", snippet)[0] for snippet in SNIPPETS]
    assert libraries == ["pandas", "duckdb", "polars"]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=["pandas", "duckdb", "polars"])
def test_each_reader_sees_every_row_and_both_partition_columns(
    published: tuple[Path, int], snippet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snippet, run as it stands, gives all kept documents with dump date and language."""
    home, kept = published
    monkeypatch.chdir(home)
    names: dict[str, object] = {}
    exec(snippet, names)  # noqa: S102 - running the README is the point
    documents = names["documents"]
    table = documents if isinstance(documents, pd.DataFrame) else _collected(documents)
    assert len(table) == kept
    assert {str(value)[:10] for value in table["dump_date"].unique()} == {nights()[0].dump_date}
    assert "eng" in set(table["language"].astype(str))
    assert table["text"].str.len().min() > 0


def _collected(documents: object) -> pd.DataFrame:
    """Bring a DuckDB relation or a lazy Polars frame into pandas."""
    if hasattr(documents, "df"):
        frame: pd.DataFrame = documents.df()
        return frame
    rows = documents.collect().to_dicts()  # type: ignore[attr-defined]  # a lazy Polars frame
    return pd.DataFrame(rows)
