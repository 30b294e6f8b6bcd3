"""A corpus that several versions of the schema wrote: read as one, and brought up to date."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline import runner
from pipeline.audit import verify
from pipeline.model.columns import columns, schema_at
from pipeline.model.files import FileRef
from pipeline.model.schemas import SCHEMA_VERSION
from pipeline.model.settings import Settings
from pipeline.model.snapshot import Partition
from pipeline.publish import monthly
from pipeline.publish.beside import bring_in_step
from pipeline.reading import dataset, table_schema
from pipeline.storage import layout, snapshots
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus
from tests.nights import land, published_bytes, run

VERSIONS = {"2026-11-20": 2, "2026-11-21": SCHEMA_VERSION - 1, "2026-11-22": SCHEMA_VERSION}
PAGE = (Path(__file__).parents[2] / "docs/reading.md").read_text("utf-8")


def text(seed: str) -> str:
    """A text of its own."""
    return " ".join(f"{seed}{number}" for number in range(60))


def file(date: str, *seeds: str) -> tuple[str, bytes]:
    """A dump file of some texts with authors."""
    rows = [json.dumps({"text": text(seed), "byline": f"By {seed}"}) for seed in seeds]
    return f"wire/{date}/a.jsonl", "\n".join(rows).encode()


def as_written_by(corpus: Corpus, date: str, version: int) -> None:
    """Publish the files of a night as an older version wrote them: without columns that came later.

    Such a version had other settings too, which is why the night is due.
    """

    def older(table: str, ref: FileRef) -> FileRef:
        rows = corpus.read(ref).select(schema_at(table, version).names)
        if table == "documents":
            at = rows.schema.get_field_index("schema_version")
            number = pa.array([version] * rows.num_rows, pa.int32())
            rows = rows.set_column(at, rows.schema.field(at), number)
        return corpus.write("publish", f"version{version}", table, rows)

    live = snapshots.current(corpus)
    state = snapshots.load_state(corpus, live, date)
    parts = [
        Partition(part.language, tuple(older("documents", ref) for ref in part.files))
        for part in state.documents
    ]
    changed = msgspec.structs.replace(
        state,
        documents=tuple(parts),
        verdicts=older("verdicts", state.verdicts),
        quarantine=older("quarantine", state.quarantine),
        runs=tuple(older("runs", ref) for ref in state.runs),
    )
    ref = corpus.save(changed, partial(layout.state, date))
    before = live.dumps[date]
    dumps = live.dumps | {date: msgspec.structs.replace(before, state=ref, settings="older")}
    pointer = snapshots.pointed(corpus)
    after = msgspec.structs.replace(
        live, sequence=live.sequence + 1, parent=pointer, run_id=f"v{version}", dumps=dumps
    )
    snapshots.advance(corpus, after)
    bring_in_step(corpus)


@pytest.fixture
def mixed(local: Settings, landing: Store) -> Settings:
    """Three nights of three versions, by month too; the last has copies of both others."""
    for (date, version), seeds in zip(
        VERSIONS.items(), (["a"], ["b", "c"], ["a", "d", "b"]), strict=True
    ):
        land(landing, [file(date, *seeds)])
        run(local, date, f"run-{date}")
        if version < SCHEMA_VERSION:
            with runner.corpus_session(local) as corpus:
                as_written_by(corpus, date, version)
    with runner.corpus_session(local) as corpus:
        monthly.start(corpus)
        bring_in_step(corpus)
    return local


def leaf(settings: Settings, table: str, date: str) -> pa.Table:
    """Read the one file of a night."""
    (path,) = Path(settings.store.corpus, table, f"dump_date={date}").rglob("*.parquet")
    return pq.read_table(path, partitioning=None)


def frames(settings: Settings, table: str) -> dict[str, pd.DataFrame]:
    """Read a table with all readers of the page, and by month."""
    tree = f"{settings.store.corpus}/{table}"
    (block,) = [
        one for one in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "pl.Schema(" in one
    ]
    names: dict[str, Any] = {}
    code = block.replace("corpus/documents", tree).replace('"documents"', f'"{table}"')
    exec(code, names)  # noqa: S102 - running the page is the point
    by_month = ds.dataset(f"{settings.store.corpus}/monthly/{table}")
    return {
        "dataset": dataset(table, settings.store.corpus).to_table().to_pandas(),
        "nights": dataset(table, settings.store.corpus, dump_dates=[*VERSIONS])
        .to_table()
        .to_pandas(),
        "by month": by_month.to_table().to_pandas(),
        "arrow": names["in_arrow"].to_table().to_pandas(),
        "pandas": names["in_pandas"],
        "duckdb": names["in_duckdb"].df(),
        "polars": pl.DataFrame(names["in_polars"].collect()).to_arrow().to_pandas(),
    }


def test_all_readers_show_the_union_of_columns(mixed: Settings) -> None:
    """Each column of the contract is in every table; those that came later are null before."""
    for table in layout.TABLES:
        whole = table_schema(table).names
        for name, frame in frames(mixed, table).items():
            assert set(frame.columns) == set(whole), (table, name)
            dates = frame["dump_date"].astype(str).str[:10]
            for column in columns(table):
                old = [date for date, version in VERSIONS.items() if version < column.since]
                assert frame[dates.isin(old)][column.field.name].isna().all(), (table, name, column)
    documents = frames(mixed, "documents")
    for frame in documents.values():
        found = {str(row.dump_date)[:10]: row.schema_version for row in frame.itertuples()}
        assert found == VERSIONS
    assert {len(frame) for frame in documents.values()} == {4}


def test_nights_published_again_carry_the_new_columns(
    mixed: Settings, landing: Store, tmp_path: Path
) -> None:
    """Every promise holds before and after; the older nights are due, and end as if new."""
    with runner.corpus_session(mixed) as corpus:
        assert list(verify.findings(corpus)) == []
    assert leaf(mixed, "documents", "2026-11-21").schema.equals(schema_at("documents", 3))
    assert "byline" not in leaf(mixed, "documents", "2026-11-20").schema.names
    assert leaf(mixed, "verdicts", "2026-11-22")["kept"].to_pylist().count(False) == 2
    with runner.session(mixed) as night:
        due = night.due()
    assert due == ["2026-11-20", "2026-11-21"]
    for date in due:
        run(mixed, date, f"again-{date}")
        for table in layout.TABLES[:3]:
            assert leaf(mixed, table, date).schema.equals(schema_at(table, SCHEMA_VERSION))
    fresh = msgspec.structs.replace(
        mixed, store=msgspec.structs.replace(mixed.store, corpus=str(tmp_path / "fresh"))
    )
    for date in VERSIONS:
        run(fresh, date, f"fresh-{date}")
    with runner.corpus_session(mixed) as corpus, runner.corpus_session(fresh) as other:
        assert published_bytes(corpus.store) == published_bytes(other.store)
        assert list(verify.findings(corpus)) == []
    assert landing.url
