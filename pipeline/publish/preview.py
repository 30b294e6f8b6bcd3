"""What a run would change, told without changing it.

Holds: `preview`. Reads the parent's states, document ids of what is published and of what the run
annotated; writes nothing that a reader sees. Not here: doing it (`commit.py`), words for people
(`cli/run.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.files import FileRef
from pipeline.model.manifest import Decision, TouchedDump
from pipeline.model.plan import Plan
from pipeline.model.snapshot import Snapshot
from pipeline.publish import guards
from pipeline.publish.commit import touched_states
from pipeline.publish.states import Annotated
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Row = dict[str, Any]
_ID = "document_id"


def preview(
    corpus: Corpus, plan: Plan, decision: Decision, *, parent: Snapshot, annotated: Annotated
) -> Row:
    """Return what would be new, retracted and restored by night and by partition; what guards say.

    `new` counts documents of the run's own night that are not published now, `restored` those of
    other nights; `retracted` those that would no longer be published. `dropped` counts documents
    of a night with a witness. `before` and `after` count what is published.
    """
    state = touched_states(corpus, plan, decision=decision, parent=parent, annotated=annotated)[-1]
    numbers = guards.measure(corpus, plan, state, parent=parent)
    nights, partitions = [], []
    for dump in decision.touched:
        before = _published(corpus, parent, dump.dump_date)
        after = _ids(corpus, _annotated_files(annotated, dump.dump_date))
        rows = _compared(before, after, own=dump.dump_date == plan.dump_date)
        partitions += [{"dump_date": dump.dump_date, **row} for row in rows]
        nights.append(_night(dump, rows))
    return {
        "parent": parent.sequence,
        "waiting": list(plan.waiting),
        "nights": sorted(nights, key=lambda row: str(row["dump_date"])),
        "partitions": sorted(partitions, key=lambda row: (row["dump_date"], row["language"])),
        "guards": [
            msgspec.structs.asdict(one) for one in guards.judge(numbers, plan.settings.guard)
        ],
    }


def _night(dump: TouchedDump, rows: Iterable[Row]) -> Row:
    sums = {name: sum(row[name] for row in rows) for name in ("new", "retracted", "restored")}
    return {
        "dump_date": dump.dump_date,
        "documents": dump.documents,
        "kept": dump.kept,
        "dropped": dump.documents - dump.kept,
        **sums,
    }


def _compared(before: dict[str, pa.Array], after: dict[str, pa.Array], *, own: bool) -> list[Row]:
    """Return a row a language; a document that changes its language is neither new nor gone."""
    were, are = (pa.concat_arrays(list(one.values()) or [_NONE]) for one in (before, after))
    rows = []
    for language in sorted(before.keys() | after.keys()):
        old, new = before.get(language, _NONE), after.get(language, _NONE)
        come = _missing(new, were)
        rows.append(
            {
                "language": language,
                "before": len(old),
                "after": len(new),
                "new": come if own else 0,
                "retracted": _missing(old, are),
                "restored": 0 if own else come,
            }
        )
    return rows


def _missing(some: pa.Array, others: pa.Array) -> int:
    """Count those of `some` that are not among `others`."""
    return len(some) - int(pc.sum(pc.is_in(some, value_set=others), min_count=0).as_py())


def _published(corpus: Corpus, parent: Snapshot, dump_date: str) -> dict[str, pa.Array]:
    """Return the ids of the published documents of a night, by language."""
    if dump_date not in parent.dumps:
        return {}
    state = snapshots.load_state(corpus, parent, dump_date)
    return _ids(corpus, {part.language: list(part.files) for part in state.documents})


def _annotated_files(annotated: Annotated, dump_date: str) -> dict[str, list[FileRef]]:
    files = defaultdict(list)
    for unit, manifest in annotated.items():
        if unit.dump_date == dump_date:
            for run in manifest.runs:
                files[run.language].append(run.file)
    return files


def _ids(corpus: Corpus, files: dict[str, list[FileRef]]) -> dict[str, pa.Array]:
    found = {}
    for language, refs in files.items():
        columns = [corpus.read(ref, columns=[_ID])[_ID].combine_chunks() for ref in refs]
        if any(len(column) for column in columns):
            found[language] = pa.concat_arrays([column.cast(pa.string()) for column in columns])
    return found


_NONE = pa.array([], pa.string())
