"""The row that a run leaves in the `runs` table.

Holds: `write_run`, `RunNotes`. Writes one file of one row. Not here: the counts (`states.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa

from pipeline.model.files import FileRef
from pipeline.model.guard import GuardResult
from pipeline.model.manifest import Decision, SelfTest
from pipeline.model.plan import Plan
from pipeline.model.schemas import RUNS
from pipeline.model.snapshot import DumpCounts
from pipeline.storage.units import Corpus, encode


@dataclass(frozen=True, slots=True)
class RunNotes:
    """What a run says of itself besides its counts; without an `outcome` the plan tells it."""

    seconds: float
    self_test: SelfTest
    guards: tuple[GuardResult, ...]
    outcome: str = ""


def write_run(
    corpus: Corpus, plan: Plan, *, decision: Decision, counts: DumpCounts, notes: RunNotes
) -> FileRef:
    """Write the row of a run that is about to be committed on `decision.parent`.

    Counts are of the run's own dump; `retracted` and `restored` of all dumps that it touched.
    """
    row = msgspec.structs.asdict(counts) | {
        "run_id": plan.run_id,
        "snapshot": decision.parent + 1,
        "parent": decision.parent,
        "planned_at": datetime.fromtimestamp(plan.planned_at, UTC),
        "generation": plan.generation,
        "code_version": plan.code_version,
        "settings": encode(plan.settings).decode(),
        "outcome": notes.outcome or _outcome(plan),
        "waiting": ", ".join(plan.waiting),
        "retracted": sum(dump.retracted for dump in decision.touched),
        "restored": sum(dump.restored for dump in decision.touched),
        "self_test": _self_test(notes.self_test),
        "guards": [msgspec.structs.asdict(one) for one in notes.guards],
        "seconds": notes.seconds,
    }
    table = pa.Table.from_pylist([row], schema=RUNS)
    return corpus.write("runs", plan.run_id, "run", table, compression_level=3)


def _outcome(plan: Plan) -> str:
    if plan.waiting:
        return "partial"
    return "published" if plan.files else "empty"


def _self_test(test: SelfTest) -> list[dict[str, Any]]:
    return [
        msgspec.structs.asdict(one) | {"recall": one.recall, "precision": one.precision}
        for one in test.results
    ]
