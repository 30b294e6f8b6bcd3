"""What the columns of the published tables mean, since when they are there, and an example.

Holds: `Column`, `columns`, `schema_at`, `TABLES`. Reads `columns.toml` beside it, where people
write all that.
Not here: types and nullability (`schemas.py`), the pages made from both (`docs/build.py`).
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
import pyarrow as pa

from pipeline.model import schemas

_DATE: Final = pa.field("dump_date", pa.date32(), nullable=False)
_LANGUAGE: Final = pa.field("language", pa.string(), nullable=False)


class Table(msgspec.Struct, frozen=True):
    """A published table: the schema of its files, and the columns that only its paths have."""

    schema: pa.Schema
    partitions: tuple[pa.Field, ...]
    row: str
    key: tuple[str, ...]

    @property
    def whole(self) -> pa.Schema:
        """The columns as a reader of the tree sees them: partition columns last."""
        return pa.schema([*self.schema, *self.partitions])


TABLES: Final = {
    "documents": Table(
        schemas.DOCUMENTS, (_DATE, _LANGUAGE), "One kept document", ("document_id",)
    ),
    "verdicts": Table(
        schemas.VERDICTS, (_DATE,), "Every document ever split, kept or not", ("document_id",)
    ),
    "quarantine": Table(schemas.QUARANTINE, (_DATE,), "Every span that is not a document", ()),
    "runs": Table(
        schemas.RUNS, (_DATE,), "One run that changed the corpus", ("run_id", "snapshot")
    ),
    "tombstones": Table(
        schemas.TOMBSTONES, (), "One take-down, undone or not", ("tombstone_id", "taken_down_at")
    ),
}


class Column(msgspec.Struct, frozen=True):
    """One column as an analyst meets it; `since` is the schema version that brought it."""

    field: pa.Field
    meaning: str
    since: int
    example: object
    in_path: bool = False


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: meanings by table, `shared` ones for all that have no own; then the rest."""

    shared: dict[str, str]
    documents: dict[str, str]
    verdicts: dict[str, str]
    quarantine: dict[str, str]
    runs: dict[str, str]
    tombstones: dict[str, str]
    partitions: dict[str, str]
    since: dict[str, dict[int, tuple[str, ...]]]
    examples: dict[str, dict[str, object]]

    def meaning(self, table: str, name: str) -> str:
        """Return what the table says of a column, or else what all tables do."""
        own: dict[str, str] = getattr(self, table)
        return own[name] if name in own else self.shared[name]

    def example(self, table: str, name: str) -> object:
        """Return the table's example of a column, or else that of all tables."""
        own = self.examples.get(table, {})
        return own[name] if name in own else self.examples["shared"][name]


def columns(table: str) -> tuple[Column, ...]:
    """Return the columns of a table in the order of its schema, partition columns last.

    Raises:
        KeyError: no such table, or `columns.toml` lacks something of a column.
    """
    told = _told()
    since = {name: version for version, names in told.since[table].items() for name in names}
    found = [
        Column(
            field,
            told.meaning(table, field.name),
            since[field.name],
            told.example(table, field.name),
        )
        for field in TABLES[table].schema
    ]
    found += [
        Column(
            field,
            told.meaning("partitions", field.name),
            1,
            told.example("partitions", field.name),
            in_path=True,
        )
        for field in TABLES[table].partitions
    ]
    return tuple(found)


def schema_at(table: str, version: int) -> pa.Schema:
    """Return the schema of a table's files as a version of the schema had it."""
    return pa.schema(
        [one.field for one in columns(table) if not one.in_path and one.since <= version]
    )


@cache
def _told() -> _Told:
    text = (files("pipeline.model") / "columns.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Told, strict=False)
