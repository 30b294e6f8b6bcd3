# ruff: noqa: INP001 - a folder of pages, no package
"""Writes the pages that must say what the code says: data contract and configuration.

Holds: `data_contract`, `configuration`, `views`, `operating`, and a command that writes them
(`python -m docs.build`). Reads schemas, settings and the meanings in
`pipeline/model/columns.toml` and `settings.toml`. Not here: pages written by hand.
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pipeline.audit import sightings
from pipeline.model import columns, schemas
from pipeline.model.settings import RunSettings, Settings
from pipeline.runner import estimate, rates

DOCS = Path(__file__).parent
_CAPACITY, _END = "<!-- capacity: written by `python -m docs.build` -->", "<!-- end -->"
_NIGHTS = ((10**9, 10**7, 8), (10**10, 10**8, 8), (10**11, 10**8, 32))
_GENERATED = "<!-- Written by `python -m docs.build`; edit {source} instead. -->\n"


def data_contract() -> str:
    """Return docs/data-contract.md."""
    parts = [_GENERATED.format(source="pipeline/model/columns.toml"), _CONTRACT]
    for name, table in columns.TABLES.items():
        by = " and ".join(f"`{field.name}`" for field in table.partitions)
        key = " and ".join(f"`{one}`" for one in table.key)
        unique = f" {key} names one." if key else ""
        parted = f"Partitioned by {by}." if by else "One file, from the first take-down on."
        parts.append(f"\n## {name}\n\n{table.row}. {parted}{unique}\n")
        parts.append("\n| column | type | null | since | meaning | example |\n")
        parts.append("|---|---|---|---|---|---|\n")
        parts.extend(_column(one) for one in columns.columns(name))
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


def operating() -> str:
    """Return docs/operating.md with the capacity table as it is reckoned now."""
    page = (DOCS / "operating.md").read_text("utf-8")
    before, _, rest = page.partition(_CAPACITY)
    _, _, after = rest.partition(_END)
    return f"{before}{_CAPACITY}\n{''.join(_capacity())}{_END}{after}"


def _capacity() -> Iterator[str]:
    """Write what nights of several sizes take, by `winnow plan --estimate`."""
    table = rates.measured()
    beyond = [stage for stage, rate in table.stages.items() if rate.memory_units is not None]
    yield (
        f"Measured {table.measured} on {table.machine}, with nights of up to "
        f"{table.megabytes:,.0f} MB; what is larger is drawn out along a line, memory too. The "
        f"memory of {' and '.join(beyond)} rises from there on as with nights without texts, of up "
        f"to {table.large_documents / 1e6:,.1f} M documents.\n\n"
    )
    yield "| text a night | documents | history | slots | tasks | processor | hours | most memory |"
    yield " a year holds |\n|---|---|---|---|---|---|---|---|---|\n"
    for size, history, slots in _NIGHTS:
        load = estimate.imagined(size, max(1, size // (256 * 10**6)), history=history)
        said = estimate.estimate(load, RunSettings(), table, slots=slots)
        cpu = sum(step.cpu_seconds for step in said.steps) / 3600
        year = 365 * sum(said.storage.values()) / 1e12
        yield (
            f"| {size / 1e9:,.0f} GB | {said.documents / 1e6:,.1f} M | {history / 1e6:,.0f} M "
            f"| {slots} | {said.tasks} | {cpu:.2f} h | {said.hours:.2f} "
            f"| {said.memory_mb / 1e3:.1f} GB ({said.largest}) | {year:,.1f} TB |\n"
        )


def views() -> str:
    """Return docs/views.sql: the views over the copy of the demo corpus."""
    return _VIEWS + sightings.VIEWS.format(corpus=".demo/corpus")


def _meanings(name: str) -> dict[str, Any]:
    return tomllib.loads((DOCS / name).read_text("utf-8"))


def _column(column: columns.Column) -> str:
    field = column.field
    null = "in the path" if column.in_path else "yes" if field.nullable else ""
    kind = str(field.type).replace(" not null", "")
    return (
        f"| `{field.name}` | {kind} | {null} | {column.since} | {column.meaning} "
        f"| {_example(column.example)} |\n"
    )


def _example(value: object) -> str:
    """Show a value as JSON does, dates and text without quotes."""
    if isinstance(value, str):
        shown = value.replace("\n", "\\n")
    elif isinstance(value, dt.date):
        shown = value.isoformat().replace("T", " ").replace("+00:00", " UTC")
    else:
        shown = json.dumps(value, ensure_ascii=False)
    return f"`{shown}`" if shown else "(empty)"


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


_VIEWS = """\
-- Written by `python -m docs.build`. For a corpus elsewhere: winnow sightings --sql > views.sql

"""

_CONTRACT = f"""
# Data contract

Schema version {schemas.SCHEMA_VERSION}. The tables are Parquet in plain hive folders under the
corpus URL. Partition columns are in the path, not in the files. Rows of `documents` are sorted by
topic, source and id.

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

`datapackage.json` beside the tables says the same to programs, with the files of each table: a
[Data Package](https://datapackage.org), in step with the trees.

## What may change

- **New columns** come, and the schema version rises. Files from before do not have them: readers
  take them as null. `since` below is the first version that has a column.
- **New values** come in columns of words (`reason`, `topic_status`, `document_format`) and are
  named in the changelog. Readers pass over words that they do not know.
- **Other annotations** come with a new model: the column that ends in `_model` changes with them.
- **A column that is no longer filled** stays, null, for at least one major version of Winnow, and
  is named in the changelog.
- **Never** is a column renamed, retyped, made to mean something else, or null where it was not. Key
  and partitions of a table stay within a major version of Winnow.

`schema_version` of a row of `documents` says which version wrote it. A column can be null where
`null` says yes, and is in files of a version before `since`.
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
    (DOCS / "views.sql").write_text(views(), "utf-8")
    (DOCS / "operating.md").write_text(operating(), "utf-8")
