"""The description of the published tables for programs: `datapackage.json` beside them.

Holds: `describe`, `refresh`. Reads the snapshot, states and the description that is there; writes
that one object. Not here: what columns mean (`model/columns.py`), the trees (`promote.py`).

It is a Data Package (https://datapackage.org, version 2.0): a resource a table, with its files, its
columns and their meanings. What the standard has no word for is under `winnow`: the snapshot, and
rows and bytes of each night. Nights whose state did not change are taken over from the last
description, so that a night costs what it brings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from pipeline import telemetry
from pipeline.errors import ConflictError, MissingError
from pipeline.model.columns import TABLES, Column, columns
from pipeline.model.schemas import SCHEMA_VERSION
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.publish.leaves import leaves, stones
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

PROFILE: Final = "https://datapackage.org/profiles/2.0/datapackage.json"
ROUNDS: Final = 20
_WORDS: Final = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "number"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "datetime"),
    (pa.types.is_list, "array"),
)
Night = dict[str, Any]


def refresh(corpus: Corpus) -> bool:
    """Bring `datapackage.json` in step with the current snapshot; say whether it was written.

    May be killed anywhere and called again; the one that reads the newest snapshot wins.

    Raises:
        ConflictError: others wrote it each time.
    """
    for _ in range(ROUNDS):
        found, etag = _present(corpus)
        snapshot = snapshots.current(corpus)
        wanted = describe(corpus, snapshot, found)
        if wanted == found or snapshot.sequence == 0:
            return False
        data = json.dumps(wanted, ensure_ascii=False, indent=1).encode()
        try:
            corpus.store.put(layout.PACKAGE, data, if_absent=etag is None, if_match=etag)
        except ConflictError:
            continue
        if snapshots.current(corpus).sequence == snapshot.sequence:
            return True
    raise ConflictError(
        f"expected to write {layout.PACKAGE} within {ROUNDS} rounds, found it written by another "
        "each time. What is published is whole; run `winnow promote` again."
    )


def describe(
    corpus: Corpus, snapshot: Snapshot, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the description of a snapshot; `before` is an earlier one to take nights from."""
    known = _nights(before or {})
    nights = {}
    for date, ref in sorted(snapshot.dumps.items()):
        night = known.get(date)
        if night is None or night["state"] != ref.state.sha256:
            state = snapshots.load_state(corpus, snapshot, date)
            night = {"state": ref.state.sha256, "tables": _night(state)}
        nights[date] = night
    return {
        "$schema": PROFILE,
        "name": "winnow",
        "title": "Winnow corpus",
        "description": "One copy of every document of nightly text dumps, in Parquet.",
        "version": f"{SCHEMA_VERSION}.0.{snapshot.sequence}",
        "resources": [
            one
            for table, found in _tables(snapshot, nights).items()
            if (one := _resource(table, found))
        ],
        "winnow": {
            "snapshot": snapshot.sequence,
            "schema_version": SCHEMA_VERSION,
            "nights": {
                date: {
                    "state": night["state"],
                    **{
                        table: {"rows": facts["rows"], "bytes": facts["bytes"]}
                        for table, facts in night["tables"].items()
                    },
                }
                for date, night in nights.items()
            },
        },
    }


def _night(state: DumpState) -> Night:
    """Return the files of a dump in the trees by table, with their rows and bytes together."""
    tables: Night = {table: {"paths": [], "rows": 0, "bytes": 0} for table in layout.TABLES}
    for folder, leaf in leaves(state).items():
        facts = tables[folder.partition("/")[0]]
        for name, ref in leaf.items():
            facts["paths"].append(folder + name)
            facts["rows"] += ref.rows
            facts["bytes"] += ref.size
    return tables


def _tables(snapshot: Snapshot, nights: Mapping[str, Night]) -> dict[str, list[Night]]:
    """Return what there is of each table: nights, and the one file of tombstones."""
    found = {
        table: [night["tables"][table] for night in nights.values()] for table in layout.TABLES
    }
    if ref := snapshot.tombstones:
        paths = [folder + name for folder, leaf in stones(snapshot).items() for name in leaf]
        found[layout.STONES] = [{"paths": paths, "rows": ref.rows, "bytes": ref.size}]
    return found


def _nights(package: Mapping[str, Any]) -> dict[str, Night]:
    """Take the nights out of a description again; none when it is not one of ours."""
    try:
        if package["winnow"]["schema_version"] != SCHEMA_VERSION:
            return {}
        dated = [one for one in package["resources"] if one["name"] in layout.TABLES]
        paths = {one["name"]: one["path"] for one in dated}
        told = package["winnow"]["nights"]
        nights = {
            date: {
                "state": night["state"],
                "tables": {table: {"paths": [], **night[table]} for table in layout.TABLES},
            }
            for date, night in told.items()
        }
        for table, every in paths.items():
            for path in every:
                nights[_date(path)]["tables"][table]["paths"].append(path)
    except (KeyError, TypeError, AttributeError):
        return {}
    return nights


def _date(path: str) -> str:
    return path.split("/")[1].removeprefix("dump_date=")


def _resource(table: str, parts: Sequence[Night]) -> dict[str, Any]:
    """Return the description of one table; empty when it has no file."""
    paths = [path for part in parts for path in part["paths"]]
    if not paths:
        return {}
    # Files lack the partition columns, and columns that came after them.
    fields = [_field(column) for column in columns(table)]
    schema: dict[str, Any] = {"fieldsMatch": "superset", "fields": fields}
    if TABLES[table].key:
        schema["primaryKey"] = list(TABLES[table].key)
    return {
        "name": table,
        "title": TABLES[table].row,
        "path": paths,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": sum(part["bytes"] for part in parts),
        "schema": schema,
        "winnow": {
            "rows": sum(part["rows"] for part in parts),
            "partitions": [field.name for field in TABLES[table].partitions],
        },
    }


def _field(column: Column) -> dict[str, Any]:
    field = column.field
    word = next((word for fits, word in _WORDS if fits(field.type)), "string")
    return {
        "name": field.name,
        "type": word,
        "description": column.meaning,
        "constraints": {"required": not field.nullable},
        "winnow": {"arrow": str(field.type), "since": column.since, "in_path": column.in_path},
    }


def _present(corpus: Corpus) -> tuple[dict[str, Any] | None, str | None]:
    """Read the description that is there; None when there is none, or it cannot be read."""
    try:
        data, etag = corpus.store.get(layout.PACKAGE)
    except MissingError:
        return None, None
    try:
        found = json.loads(data)
    except ValueError:
        telemetry.log.warning("package.illegible", key=layout.PACKAGE)
        return None, etag
    return (found if isinstance(found, dict) else None), etag
