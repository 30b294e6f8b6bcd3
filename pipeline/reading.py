"""The published tables as Arrow datasets of one snapshot, for readers that want one state.

Holds: `dataset`, `table_schema`. Reads the pointer, the snapshot, states and, when the dataset is
scanned, the data files. Not here: the plain trees that anybody reads by path
(`publish/promote.py`), answers about a corpus (`audit/`).

    from pipeline.reading import dataset

    documents = dataset("documents")                     # the corpus of the settings in force
    documents.to_table(filter=ds.field("language") == "eng").to_pandas()      # pandas
    duckdb.sql("SELECT count(*) FROM documents WHERE dump_date = '2026-11-16'")      # DuckDB
    polars.scan_pyarrow_dataset(documents).filter(polars.col("language") == "eng")   # Polars

The plain trees change leaf by leaf while a night is published. A dataset names the immutable files
behind them instead: what it shows stays the same whatever is published, until `winnow expire`
removes its snapshot (by default a week after it was replaced).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs

from pipeline import config
from pipeline.errors import ConfigError
from pipeline.model.columns import TABLES
from pipeline.model.files import FileRef
from pipeline.model.settings import StoreSettings
from pipeline.model.snapshot import Snapshot
from pipeline.publish import leaves, monthly
from pipeline.storage import layout, snapshots
from pipeline.storage.open import open_store
from pipeline.storage.units import open_corpus

_DEMO: Final = Path(".demo/winnow.toml")


def dataset(  # noqa: PLR0913 - where the corpus is, and which part of it
    table: str = "documents",
    corpus: str | None = None,
    *,
    snapshot: int | None = None,
    dump_dates: Collection[str] | None = None,
    endpoint_url: str | None = None,
    region: str | None = None,
) -> ds.Dataset:
    """Return one table of one snapshot, with its partition columns, as an Arrow dataset.

    A filter on `dump_date` (a date) or `language` opens no file of another partition. Files written
    by an older schema show null in the columns that came later.

    Args:
        table: `documents`, `verdicts`, `quarantine`, `runs` or `tombstones`.
        corpus: its URL (`s3://bucket/prefix`, `file://…` or a folder); None: that of the settings
            in force (`WINNOW_CONFIG`, `WINNOW_STORE__CORPUS`), or of the demo in this folder.
        snapshot: the number of an earlier one, which `winnow status --snapshots` lists (time
            travel); None: the current one.
        dump_dates: the nights to look at, like `2026-11-16`, which saves a request for each of the
            others; None: all. Nights that the snapshot does not have are passed over.
        endpoint_url: the S3 server when it is not AWS; None: that of the settings in force.
        region: the S3 region; None: that of the settings in force.

    Raises:
        ConfigError: no such table, or nobody said where the corpus is.
        MissingError: nothing was ever published, or the snapshot has expired.
    """
    schema = table_schema(table)
    where = _store(corpus, endpoint_url=endpoint_url, region=region)
    store = open_store(where.corpus, endpoint_url=where.endpoint_url, region=where.region)
    with open_corpus(store) as opened:
        shown = snapshots.numbered(opened, snapshot)
        months = monthly.files(opened, shown, table) if dump_dates is None else {}
        nights = [night for night in shown.dumps if layout.month_of(night) not in months]
        nights = nights if dump_dates is None else list(dump_dates)
        files = leaves.files(opened, table, snapshot=shown, among=nights)
    filesystem, root = _filesystem(store.url, where)
    fragments = [
        *_months(months, shown, filesystem, root),
        *_fragments(files, filesystem, root, by_language=table == "documents"),
    ]
    return ds.FileSystemDataset(fragments, schema, ds.ParquetFileFormat(), filesystem)


def table_schema(table: str) -> pa.Schema:
    """Return the schema of a table with its partition columns, `dump_date` and `language`, last.

    Raises:
        ConfigError: no such table.
    """
    if table not in TABLES:
        raise ConfigError(f"expected one of the tables {', '.join(TABLES)}, found {table!r}.")
    return TABLES[table].whole


def _store(corpus: str | None, *, endpoint_url: str | None, region: str | None) -> StoreSettings:
    """Say where the corpus is: what the caller names wins over the settings in force."""
    given = {"corpus": corpus, "endpoint_url": endpoint_url, "region": region}
    flags = {"store": {name: value for name, value in given.items() if value is not None}}
    settings = config.load(flags=flags if flags["store"] else None, fallback=_DEMO)
    config.require(settings, corpus=True)
    config.use_credentials(settings)
    return settings.store


def _filesystem(url: str, where: StoreSettings) -> tuple[pyarrow.fs.FileSystem, str]:
    """Return Arrow's file system for a store, and the store's folder in it."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        server = pyarrow.fs.S3FileSystem(endpoint_override=where.endpoint_url, region=where.region)
        return server, f"{parts.netloc}{parts.path}".rstrip("/")
    if parts.scheme in {"", "file"}:
        return pyarrow.fs.LocalFileSystem(), unquote(parts.path).rstrip("/")
    raise ConfigError(
        f"expected a corpus on S3 or in a folder, found {parts.scheme}://. Arrow reads no other."
    )


def _months(
    months: Mapping[str, Sequence[FileRef]],
    snapshot: Snapshot,
    filesystem: pyarrow.fs.FileSystem,
    root: str,
) -> Iterable[ds.ParquetFileFragment]:
    """Yield the files of whole months, of which a filter may pass over those without its dates."""
    shape, date = ds.ParquetFileFormat(), pc.field("dump_date")
    for month, files in months.items():
        nights = [night for night in snapshot.dumps if layout.month_of(night) == month]
        first, last = (dt.date.fromisoformat(found(nights)) for found in (min, max))
        shared = (date >= pa.scalar(first)) & (date <= pa.scalar(last))
        for ref in files:
            yield shape.make_fragment(f"{root}/{ref.key}", filesystem, shared, file_size=ref.size)


def _fragments(
    files: Iterable[leaves.PublishedFile],
    filesystem: pyarrow.fs.FileSystem,
    root: str,
    *,
    by_language: bool,
) -> Iterable[ds.ParquetFileFragment]:
    """Yield the files with what all their rows share, so that a filter can pass them over.

    The size is known from the manifest: nobody has to ask the store for it.
    """
    shape = ds.ParquetFileFormat()
    for one in files:
        shared = pc.scalar(True)  # noqa: FBT003 - a value, not a flag
        if one.dump_date:
            shared = pc.field("dump_date") == pa.scalar(dt.date.fromisoformat(one.dump_date))
        if by_language:
            shared &= pc.field("language") == one.language
        yield shape.make_fragment(
            f"{root}/{one.file.key}", filesystem, shared, file_size=one.file.size
        )
