"""Annotated rows on their way to sorted runs, one or a few a language.

Holds: `RunWriter`. Writes local Parquet files in a scratch folder. Not here: the file format and
the merge (`storage/sorted_files.py`), what rows say (`annotator.py`), the store (`stage.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.enrich.annotator import LANGUAGE
from pipeline.errors import ContractError
from pipeline.model.schemas import DOCUMENTS, SCHEMA_VERSION
from pipeline.model.settings import PublishSettings
from pipeline.storage.sorted_files import merge_sorted, sort_table, write_sorted

BUFFER_BYTES = 256 * 1024 * 1024

Files = list[tuple[Path, int]]


class RunWriter:
    """Routes rows by language and sorts them in bounded memory (an external merge sort).

    State: rows at hand by language, their bytes, and the runs that were spilled. When the rows at
    hand exceed `buffer_bytes`, the largest language becomes a sorted file.
    """

    def __init__(
        self,
        settings: PublishSettings,
        *,
        scratch: Callable[[], Path],
        buffer_bytes: int = BUFFER_BYTES,
    ) -> None:
        """Bind the writer to file settings; `scratch` returns the path of a new empty file."""
        self._settings = settings
        self._scratch = scratch
        self._limit = buffer_bytes
        self._rows: defaultdict[str, list[pa.Table]] = defaultdict(list)
        self._sizes: defaultdict[str, int] = defaultdict(int)
        self._spilled: defaultdict[str, Files] = defaultdict(list)

    def write(self, documents: pa.RecordBatch, annotations: pa.RecordBatch) -> None:
        """Take staged documents with their annotations, row by row the same."""
        table = _published(documents, annotations)
        languages = annotations.column(LANGUAGE.name)
        for language in pc.unique(languages).to_pylist():
            rows = table.filter(pc.equal(languages, language))
            self._rows[language].append(rows)
            self._sizes[language] += rows.nbytes
        while sum(self._sizes.values()) > self._limit:
            self._spill(max(self._sizes, key=lambda language: (self._sizes[language], language)))

    def finish(self) -> Iterator[tuple[str, Files]]:
        """Yield each language, in order, with its sorted files."""
        for language in sorted({*self._rows, *self._spilled}):
            if language in self._rows:
                self._spill(language)
            files = self._spilled.pop(language)
            yield language, self._merge(files) if len(files) > 1 else files

    def discard(self) -> None:
        """Delete the local files of a failed attempt."""
        for files in self._spilled.values():
            _delete(files)

    def _spill(self, language: str) -> None:
        table = pa.concat_tables(self._rows.pop(language))
        del self._sizes[language]
        batches = iter(sort_table(table).to_batches())
        self._spilled[language] += write_sorted(batches, self._settings, self._scratch)

    def _merge(self, files: Files) -> Files:
        merged = merge_sorted([path for path, _ in files], DOCUMENTS)
        written = write_sorted(merged, self._settings, self._scratch)
        _delete(files)
        return written


def _published(documents: pa.RecordBatch, annotations: pa.RecordBatch) -> pa.Table:
    """Put the columns side by side; `language` stays outside, it is a partition value.

    A dump that was staged before a column existed has null there until its night is run again.

    Raises:
        ContractError: the missing column may not be null.
    """
    columns = dict(zip(documents.schema.names, documents.columns, strict=True))
    columns |= dict(zip(annotations.schema.names, annotations.columns, strict=True))
    version = pa.scalar(SCHEMA_VERSION, pa.int32())
    columns["schema_version"] = pa.repeat(version, documents.num_rows)
    for field in DOCUMENTS:
        if field.name in columns:
            continue
        if not field.nullable:
            raise ContractError(
                f"expected the column {field.name} in the staged documents, found those of an "
                "older version. Publish the older nights again first: `winnow run --due`."
            )
        columns[field.name] = pa.nulls(documents.num_rows, field.type)
    return pa.Table.from_arrays([columns[name] for name in DOCUMENTS.names], schema=DOCUMENTS)


def _delete(files: Files) -> None:
    for path, _ in files:
        path.unlink(missing_ok=True)
