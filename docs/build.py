# ruff: noqa: INP001 - a folder of pages, no package
"""Writes the pages that must say what the code says: data contract and configuration.

Holds: `data_contract`, `configuration`, and a command that writes both
(`python -m docs.build`). Reads schemas, settings and the meanings in `columns.toml` and
`settings.toml`. Not here: pages written by hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from pipeline.model import schemas
from pipeline.model.settings import Settings

DOCS = Path(__file__).parent
TABLES = {
    "documents": (schemas.DOCUMENTS, "`dump_date` and `language` (ISO 639-3)", "One kept document"),
    "verdicts": (schemas.VERDICTS, "`dump_date`", "Every document ever split, kept or not"),
    "quarantine": (schemas.QUARANTINE, "`dump_date`", "Every span that is not a document"),
    "runs": (schemas.RUNS, "`dump_date`", "One run that changed the corpus"),
}
_GENERATED = "<!-- Written by `python -m docs.build`; edit {source} instead. -->\n"


def data_contract() -> str:
    """Return docs/data-contract.md."""
    meanings = _meanings("columns.toml")
    parts = [_GENERATED.format(source="docs/columns.toml"), _CONTRACT]
    for name, (schema, partitions, row) in TABLES.items():
        parts.append(f"\n## {name}\n\n{row}. Partitioned by {partitions}.\n")
        parts.append("\n| column | type | null | meaning |\n|---|---|---|---|\n")
        parts.extend(_column(field, meanings[name] | {}, meanings["shared"]) for field in schema)
    return "".join(parts)


def configuration() -> str:
    """Return docs/configuration.md."""
    meanings = _meanings("settings.toml")
    parts = [_GENERATED.format(source="docs/settings.toml"), _CONFIGURATION]
    for field in msgspec.structs.fields(Settings):
        if isinstance(field.default, msgspec.Struct):
            parts.append(f"\n## {field.name}\n")
            parts.append(
                "\n| setting | variable | default | range | meaning |\n|---|---|---|---|---|\n"
            )
            parts.extend(_settings(field.name, field.default, meanings[field.name]))
    parts.append("\n## (no group)\n\n| setting | variable | default | range | meaning |\n")
    parts.append("|---|---|---|---|---|\n")
    parts.append(_setting("", _field(Settings(), "log_format"), meanings["log_format"]))
    return "".join(parts)


def _meanings(name: str) -> dict[str, Any]:
    return tomllib.loads((DOCS / name).read_text("utf-8"))


def _column(field: pa.Field, own: dict[str, str], shared: dict[str, str]) -> str:
    meaning = own.get(field.name) or shared[field.name]
    return f"| `{field.name}` | {field.type} | {'yes' if field.nullable else ''} | {meaning} |\n"


def _settings(group: str, values: msgspec.Struct, meanings: dict[str, str]) -> Iterator[str]:
    for field in msgspec.structs.fields(values):
        yield _setting(group, field, meanings[field.name])


def _setting(group: str, field: msgspec.structs.FieldInfo, meaning: str) -> str:
    name = f"{group}.{field.name}" if group else field.name
    variable = "WINNOW_" + name.replace(".", "__").upper()
    return (
        f"| `{name}` | `{variable}` | {_default(field.default)} | {_range(field)} | {meaning} |\n"
    )


def _field(values: msgspec.Struct, name: str) -> msgspec.structs.FieldInfo:
    return next(field for field in msgspec.structs.fields(values) if field.name == name)


def _default(value: object) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return f"`{value}`".lower()
        case tuple():
            return f"`{list(value)}`".replace("'", '"')
        case _:
            return f"`{value}`"


def _range(field: msgspec.structs.FieldInfo) -> str:
    """Say what values are taken, from the annotation that checks them."""
    return _values(msgspec.json.schema(field.type))


def _values(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    some = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if some:
        return ", ".join(_values(one) for one in some)
    if schema["type"] == "string":
        return "text"
    if schema["type"] == "boolean":
        return "`true`, `false`"
    if schema["type"] == "array":
        return "list of names"
    low, high = schema.get("minimum"), schema.get("maximum")
    return f"{low:g} to {high:g}" if high is not None else f"{low:g} or more"


_CONTRACT = f"""
# Data contract

Schema version {schemas.SCHEMA_VERSION}. A new fact is a new column and a higher version.
Columns are never renamed or retyped.

The tables are Parquet in plain hive folders under the corpus URL. Partition columns are in the
path, not in the files. Rows of `documents` are sorted by topic, source and id.

```
documents/dump_date=2026-11-21/language=eng/part-00000.parquet
verdicts/dump_date=2026-11-21/part-00000.parquet
quarantine/dump_date=2026-11-21/part-00000.parquet
runs/dump_date=2026-11-21/run-<id>.parquet
```

Leaves are replaced whole. A reader that lists a leaf in the moment in which it is replaced may get
an error and reads again. A reader that needs one consistent state of all leaves takes the list of
files from `winnow files`, or the dataset of `pipeline.reading` ([reading](reading.md)).

`quarantine` and `verdicts` join `documents` on `document_id`. The published bytes are a function
of the dumps, the settings and the versions of code and models. Only `runs` knows times.
"""

_CONFIGURATION = """
# Configuration

Settings come from a TOML file (`--config FILE`, or `WINNOW_CONFIG`), then from the environment,
then from flags; later ones win. A variable is `WINNOW_`, the group, two underscores, the name:
`WINNOW_DEDUP__THRESHOLD=0.8`. A list is JSON, or names with commas between them:
`WINNOW_ENRICH__ANNOTATORS=language,topic`. Unknown names and values out of range are refused.
`WINNOW_DEBUG=1` lets commands show tracebacks.

`conf/corpus.toml` holds the defaults for production, `conf/fast.toml` suits small trials.
`winnow config` shows what is in force.

A plan freezes all groups but `store`, so changing a file does not disturb a run under way. A
change in `ingest`, `dedup`, `enrich` or `publish` makes every published dump due again; a change
in `plan` or `guard` does not. Each guard is `off`, `warn` (it says so in the log and in `runs`) or
`stop` (the night is not published until somebody accepts it, see the [runbook](runbook.md)).

Credentials of S3 come from the environment, from a profile, from an instance role, or from
`store.credentials_file`; under Airflow also from the connection `winnow_object_store` of type
`aws`. They are never part of a URL.
"""

if __name__ == "__main__":
    (DOCS / "data-contract.md").write_text(data_contract(), "utf-8")
    (DOCS / "configuration.md").write_text(configuration(), "utf-8")
