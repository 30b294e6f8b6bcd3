"""The row that a run leaves in the `runs` table.

Holds: `write_run`. Writes one file of one row. Not here: the counts (`states.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pyarrow as pa

from pipeline.model.files import FileRef
from pipeline.model.manifest import Decision
from pipeline.model.plan import Plan
from pipeline.model.schemas import RUNS
from pipeline.model.snapshot import DumpCounts
from pipeline.storage.units import Corpus, encode


def write_run(
    corpus: Corpus, plan: Plan, *, decision: Decision, counts: DumpCounts, seconds: float
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
        "outcome": _outcome(plan),
        "waiting": ", ".join(plan.waiting),
        "retracted": sum(dump.retracted for dump in decision.touched),
        "restored": sum(dump.restored for dump in decision.touched),
        "seconds": seconds,
    }
    table = pa.Table.from_pylist([row], schema=RUNS)
    return corpus.write("runs", plan.run_id, "run", table, compression_level=3)


def _outcome(plan: Plan) -> str:
    if plan.waiting:
        return "partial"
    return "published" if plan.files else "empty"
