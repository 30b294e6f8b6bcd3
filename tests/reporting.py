"""Facts for the page about a run, made by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pipeline.audit.tasks import StageTime
from pipeline.model.snapshot import DumpCounts
from pipeline.report.facts import (
    Cluster,
    NightFacts,
    Reason,
    Report,
    Sample,
    Side,
    SourceFacts,
)


def report_of(text: str, *, before: int = 2, outcome: str = "published") -> Report:
    """Return a report in which every text of a stranger is `text`."""
    side = Side(text, "2026-11-20", text, text, text, ((False, text), (True, text), (False, "")))
    row: dict[str, Any] = {
        "run_id": text,
        "snapshot": 4,
        "planned_at": dt.datetime(2026, 11, 21, tzinfo=dt.UTC),
        "generation": text,
        "code_version": text,
        "settings": '{"key": "<script>hit()</script>"}',
        "outcome": outcome,
        "waiting": text,
        "retracted": 1,
        "restored": 2,
        "seconds": 3.5,
        "guards": [
            {"name": text, "subject": text, "outcome": "ok", "found": 0.5, "low": None, "high": 1.0}
            | {"nights": 3}
        ],
        "self_test": [
            {"kind": text, "similarity": 0.8, "planted": 9, "found": 8, "wrong": 0}
            | {"recall": 0.9, "precision": 1.0, "expected": 0.9}
        ],
    }
    counts = DumpCounts(files=1, bytes=9, chars=9, documents=8, kept=5, dropped_exact=2,
                        dropped_near=1)  # fmt: skip
    night = NightFacts("2026-11-21", counts, {text: 3, "eng": 2}, {text: 4, "sport": 1})
    return Report(
        dump_date="2026-11-21",
        corpus=text,
        row=row,
        night=night,
        before=(night,) * before,
        sources=(SourceFacts(text, 1, 9, 8, 5, 2, 1),),
        clusters=(Cluster(2, 1, 1, side, side, 0.9, 12),),
        reasons=(Reason("quarantine", text, 1, 2, 3, (Sample(text, text, 4, text, text),)),),
        stages=(StageTime("ingest", 1, 2.0, 2.0, 1.5, 1 << 28, 2.0, {"bytes": 9}),),
    )
