"""Finding what the page about a run says.

Holds: `gather`. Reads the run's snapshot, states and verdicts.
Not here: clusters (`clusters.py`), quarantine (`samples.py`), task records (`audit/tasks.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.audit import tasks
from pipeline.errors import MissingError
from pipeline.model.schemas import TAKEN_DOWN
from pipeline.model.snapshot import DumpState, Snapshot
from pipeline.report.clusters import clusters
from pipeline.report.facts import NightFacts, Report, SourceFacts
from pipeline.report.samples import reasons
from pipeline.storage import snapshots, tombstones
from pipeline.storage.units import Corpus

NIGHTS: Final = 30
"""Nights before the run's own that it is compared with."""

SOURCES: Final = 25
_FATES: Final = ("kept", "within", "history", TAKEN_DOWN)
_WORKERS: Final = 8


def gather(corpus: Corpus, dump_date: str, row: Mapping[str, Any]) -> Report:
    """Collect what there is to say of a run, as of the snapshot that it committed.

    When that snapshot has expired, or other texts are taken down now, what is current stands for
    it.
    """
    snapshot = _as_committed(corpus, row["snapshot"], dump_date)
    state = snapshots.load_state(corpus, snapshot, dump_date)
    earlier = sorted(date for date in snapshot.dumps if date < dump_date)[-NIGHTS:]
    with ThreadPoolExecutor(_WORKERS) as pool:
        states = pool.map(lambda date: snapshots.load_state(corpus, snapshot, date), earlier)
        before = tuple(_night(one) for one in states)
    sources = _sources(corpus, state)
    return Report(
        dump_date=dump_date,
        corpus=corpus.store.url,
        row=row,
        night=_night(state),
        before=before,
        sources=sources[:SOURCES],
        more_sources=max(0, len(sources) - SOURCES),
        clusters=clusters(corpus, snapshot, state),
        reasons=reasons(corpus, state),
        stages=tasks.stages(tasks.records(corpus, dump_date, row["run_id"])),
        tombstones=tombstones.mark(tombstones.active(tombstones.load(corpus, snapshot))),
    )


def _as_committed(corpus: Corpus, sequence: int, dump_date: str) -> Snapshot:
    live = snapshots.published(corpus)
    try:
        snapshot = snapshots.load_snapshot(corpus, sequence)
    except MissingError:
        return live
    same = dump_date in snapshot.dumps and snapshot.tombstones == live.tombstones
    return snapshot if same else live


def _night(state: DumpState) -> NightFacts:
    languages = {part.language: sum(file.rows for file in part.files) for part in state.documents}
    return NightFacts(state.dump_date, state.counts, languages, state.topics)


def _sources(corpus: Corpus, state: DumpState) -> tuple[SourceFacts, ...]:
    """Return the sources of a night, those with the most dropped documents first."""
    documents: Counter[tuple[str, str]] = Counter()
    columns = ["source", "kept", "reason", "witness_dump_date"]
    for batch in corpus.batches(state.verdicts, columns=columns, rows=1 << 16):
        own = pc.fill_null(pc.equal(batch["witness_dump_date"], state.dump_date), fill_value=False)
        fate = pc.if_else(batch["kept"], "kept", pc.if_else(own, "within", "history"))
        fate = pc.if_else(pc.equal(batch["reason"], TAKEN_DOWN), TAKEN_DOWN, fate)
        table = pa.table({"source": batch["source"], "fate": fate})
        for one in table.group_by(["source", "fate"]).aggregate([([], "count_all")]).to_pylist():
            documents[one["source"], one["fate"]] += one["count_all"]
    files: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for book in state.file_counts:
        files[book.source] += 1
        size[book.source] += book.stored_bytes
    found = [
        SourceFacts(
            source=source,
            files=files[source],
            bytes=size[source],
            documents=sum(documents[source, fate] for fate in _FATES),
            kept=documents[source, "kept"],
            within=documents[source, "within"],
            history=documents[source, "history"],
        )
        for source in files.keys() | {source for source, _ in documents}
    ]
    return tuple(sorted(found, key=lambda one: (one.kept - one.documents, one.source)))
