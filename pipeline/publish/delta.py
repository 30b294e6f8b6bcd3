"""The published documents as a Delta table over the very files of the current snapshot.

Holds: `start`, `follow`. Reads snapshots and states; writes the Delta log, `store/_delta_log/`.
Not here: the commit, which alone is the truth (`commit.py`), the plain trees (`promote.py`).

The table is `<corpus>/store`: files of a Delta table must lie below its root, and those of
documents are in several folders of `store/data/`. A corpus has a log once `winnow delta` made one;
from then on every commit that brings trees in step brings the log in step too. A version of the
table is the step from one snapshot to another in one transaction: readers see whole snapshots.

Its last version notes which state it shows of each night, so that a commit reads the states of
changed nights alone. The log may be lost, or late after a crash: `follow` writes the difference
between what it lists and what is current. Nobody may `vacuum` the table: its files belong to all
snapshots that are kept, and to everything else below `store/data/`; `winnow expire` deletes.

Needs the package deltalake (`pip install winnow[delta]`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from pipeline import telemetry
from pipeline.errors import ConfigError, ConflictError
from pipeline.model.columns import TABLES
from pipeline.model.snapshot import Snapshot
from pipeline.publish import leaves
from pipeline.storage import layout, snapshots
from pipeline.storage.local import LocalStore
from pipeline.storage.s3 import S3Store
from pipeline.storage.units import Corpus

if TYPE_CHECKING:
    from deltalake import DeltaTable

ROUNDS: Final = 10
TABLE: Final = "documents"
_NOTE: Final = "winnow"
_PARTITIONS: Final = [field.name for field in TABLES[TABLE].partitions]


def start(corpus: Corpus) -> int:
    """Make the table unless there is one, bring it in step, and return its version.

    Raises:
        ConfigError: deltalake is not installed, or the store is neither S3 nor a folder.
        MissingError: nothing was ever published.
    """
    snapshots.published(corpus)
    lake = _library()
    where, options = _where(corpus)
    if not _has_log(corpus):
        lake.DeltaTable.create(
            where,
            _schema(),
            mode="ignore",
            partition_by=_PARTITIONS,
            name=TABLE,
            description="Published documents of Winnow. Never vacuum.",
            storage_options=options,
        )
    return _bring(corpus, lake, lake.DeltaTable(where, storage_options=options))


def follow(corpus: Corpus) -> int | None:
    """Bring the table in step when there is one; return its version, None when there is none.

    Nothing that goes wrong here stops a commit: it is logged, and the next one mends it.
    """
    if not _has_log(corpus):
        return None
    try:
        lake = _library()
        where, options = _where(corpus)
        return _bring(corpus, lake, lake.DeltaTable(where, storage_options=options))
    except ConfigError as error:
        telemetry.log.warning("delta.left", reason=str(error))
    except _late() as error:
        telemetry.log.warning("delta.late", reason=str(error)[:500])
    return None


def _bring(corpus: Corpus, lake: Any, table: DeltaTable) -> int:
    """Write the step from what the table shows to the current snapshot, if there is one."""
    for _ in range(ROUNDS):
        snapshot = snapshots.current(corpus)
        wanted = {date: ref.state.sha256 for date, ref in snapshot.dumps.items()}
        shown = _shown(table)
        changed = {
            date for date in wanted.keys() | shown.keys() if wanted.get(date) != shown.get(date)
        }
        if not changed and table.version() > 0:
            return table.version()
        try:
            _step(
                corpus,
                lake,
                table,
                snapshot=snapshot,
                changed=changed | (_listed(table) - wanted.keys()),
            )
        except lake.exceptions.CommitFailedError as error:
            telemetry.log.info("delta.again", reason=str(error)[:200])
        table.update_incremental()
    raise ConflictError(
        f"expected to bring the Delta log in step within {ROUNDS} rounds, found it changed by "
        "others each time. What is published is whole; run `winnow promote` again."
    )


def _step(
    corpus: Corpus, lake: Any, table: DeltaTable, *, snapshot: Snapshot, changed: set[str]
) -> None:
    """Write one transaction: files of changed nights that came, and those that went."""
    files = {
        one.file.key.removeprefix(layout.STORE): one
        for one in leaves.files(corpus, TABLE, snapshot=snapshot.sequence, among=changed)
    }
    present = _present(table, changed)
    _add_columns(lake, table)
    adds = [_add(lake, path, one) for path, one in files.items() if path not in present]
    removes = [
        lake.transaction.RemoveAction(path, True, 0, size=size, partition_values=values)  # noqa: FBT003
        for path, (size, values) in present.items()
        if path not in files
    ]
    note = {date: ref.state.sha256 for date, ref in sorted(snapshot.dumps.items())}
    table.create_write_transaction(
        [*adds, *removes],
        "append",
        _schema(),
        _PARTITIONS,
        commit_properties=lake.CommitProperties(
            custom_metadata={_NOTE: json.dumps({"snapshot": snapshot.sequence, "states": note})}
        ),
    )


def _add(lake: Any, path: str, one: leaves.PublishedFile) -> Any:
    values = {"dump_date": one.dump_date, "language": one.language}
    stats = json.dumps({"numRecords": one.file.rows})
    return lake.transaction.AddAction(path, one.file.size, values, 0, True, stats)  # noqa: FBT003


def _present(table: DeltaTable, dates: set[str]) -> dict[str, tuple[int, dict[str, str]]]:
    """Return the files that the table lists of some nights: path → size and partition values."""
    rows = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    found = {}
    for row in rows:
        values = {name: str(row[f"partition.{name}"]) for name in _PARTITIONS}
        if values["dump_date"] in dates:
            found[row["path"]] = (row["size_bytes"], values)
    return found


def _listed(table: DeltaTable) -> set[str]:
    """Return the nights of which the table lists files."""
    rows = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return {str(row["partition.dump_date"]) for row in rows}


def _shown(table: DeltaTable) -> dict[str, str]:
    """Return which state the last version shows of each night; none when it is not ours."""
    last = next(iter(table.history(1)), {})
    try:
        states: dict[str, str] = json.loads(last[_NOTE])["states"]
    except (KeyError, TypeError, ValueError):
        return {}
    return states


def _add_columns(lake: Any, table: DeltaTable) -> None:
    """Give the table the columns that a newer schema has."""
    known = {field.name for field in table.schema().fields}
    fresh = [field for field in lake.Schema.from_arrow(_schema()).fields if field.name not in known]
    if fresh:
        table.alter.add_columns(fresh)


def _schema() -> pa.Schema:
    """Return the columns as the table has them; those of older files may be null."""
    return pa.schema([field.with_nullable(nullable=True) for field in TABLES[TABLE].whole])


def _has_log(corpus: Corpus) -> bool:
    return next(iter(corpus.store.list(layout.DELTA)), None) is not None


def _where(corpus: Corpus) -> tuple[str, dict[str, str]]:
    """Return the table's root, and how deltalake reaches it."""
    store = corpus.store
    root = f"{store.url.rstrip('/')}/{layout.STORE.rstrip('/')}"
    if isinstance(store, S3Store):
        return root, store.for_arrow
    if isinstance(store, LocalStore):
        return root, {}
    raise ConfigError(f"expected a corpus on S3 or in a folder, found {store.url}.")


def _library() -> Any:
    try:
        import deltalake  # noqa: PLC0415 - an extra that most do not install
        import deltalake.transaction  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "expected the package deltalake, found none. Install it: pip install 'winnow[delta]'."
        ) from error
    return deltalake


def _late() -> tuple[type[Exception], ...]:
    """Return what may go wrong with a log that is there."""
    try:
        from deltalake.exceptions import DeltaError  # noqa: PLC0415 - as above
    except ImportError:
        return (ConflictError, OSError)
    return (ConflictError, OSError, DeltaError)
