"""Making other annotations of published dumps visible, of all of them in one step.

Holds: `commit_all`, `Remade`, `label_changes`. Reads states and published files; writes states, a
row of `runs` for each dump, and the snapshot. Not here: annotating (`enrich/`), the order of the
work (`runner/reannotate.py`), runs that change which documents there are (`commit.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.model.manifest import Decision, PublishManifest, SelfTest
from pipeline.model.plan import Plan
from pipeline.model.snapshot import DumpState, Partition, Snapshot
from pipeline.publish.books import files_balance, spans_tile
from pipeline.publish.checks import documents_add_up, partitions_add_up, refuse
from pipeline.publish.commit import own_ref
from pipeline.publish.runs import RunNotes, write_run
from pipeline.publish.states import Annotated, changed_state, partitions, with_documents
from pipeline.publish.view import View
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus

OUTCOME = "reannotated"
LABELS = ("language", "topic_label")
NONE = "none"

_CHECKS = (files_balance, spans_tile, documents_add_up, partitions_add_up)
"""What other annotations could break: verdicts, edges and witnesses stay the files they were."""


class Remade(msgspec.Struct, frozen=True, kw_only=True):
    """A dump with other annotations, before anybody sees it."""

    plan: Plan
    decision: Decision
    annotated: Annotated
    published: tuple[PublishManifest, ...]
    seconds: float


def commit_all(
    corpus: Corpus,
    remade: Sequence[Remade],
    *,
    parent: Snapshot,
    run_id: str,
    guard: Callable[[], None],
) -> Snapshot:
    """Publish all dumps on `parent` in one step, or none.

    `guard` is asked last, right before the pointer moves; it raises to keep it where it is.

    Raises:
        ConflictError: another run published meanwhile; make what it changed again.
        ContractError: a promise would be broken.
    """
    pointer = snapshots.pointed(corpus)
    dumps = dict(parent.dumps)
    for one in remade:
        state = _state(corpus, one, parent)
        dumps[state.dump_date] = own_ref(
            one.plan, corpus.save(state, partial(layout.state, state.dump_date))
        )
    snapshot = Snapshot(
        sequence=parent.sequence + 1,
        parent=pointer,
        run_id=run_id,
        dumps=dumps,
        tombstones=parent.tombstones,
    )
    view = View(corpus, snapshot)
    dates = [one.plan.dump_date for one in remade]
    refuse([finding for date in dates for check in _CHECKS for finding in check(view, date)])
    guard()
    snapshots.advance(corpus, snapshot)
    return snapshot


def label_changes(corpus: Corpus, before: DumpState, one: Remade) -> list[dict[str, Any]]:
    """Count by old and new label the documents whose language or topic is another one."""
    after = partitions(before.dump_date, one.published)
    old, new = _labels(corpus, before.documents), _labels(corpus, after)
    rows: list[dict[str, Any]] = []
    for column in LABELS:
        pairs = pa.table({"from": old[column], "to": new[column]})
        changed = pairs.filter(pc.not_equal(pairs["from"], pairs["to"]))
        counted = changed.group_by(["from", "to"]).aggregate([([], "count_all")])
        for row in counted.to_pylist():
            change = {"from": row["from"], "to": row["to"], "documents": row["count_all"]}
            rows.append({"dump_date": before.dump_date, "column": column} | change)
    return sorted(rows, key=lambda row: (row["column"], -row["documents"], row["from"], row["to"]))


def _state(corpus: Corpus, one: Remade, parent: Snapshot) -> DumpState:
    base = snapshots.load_state(corpus, parent, one.plan.dump_date)
    (dump,) = one.decision.touched
    bare = changed_state(corpus, base, dump=dump, annotated=one.annotated)
    notes = RunNotes(
        seconds=one.seconds,
        self_test=SelfTest(fingerprint="", results=()),
        guards=(),
        outcome=OUTCOME,
    )
    row = write_run(corpus, one.plan, decision=one.decision, counts=bare.counts, notes=notes)
    named = msgspec.structs.replace(bare, planned_at=one.plan.planned_at, runs=(*base.runs, row))
    return with_documents(named, one.annotated, one.published)


def _labels(corpus: Corpus, parts: Sequence[Partition]) -> pa.Table:
    """Return the labels of a dump's published documents, by id."""
    tables = []
    for part in parts:
        for file in part.files:
            table = corpus.read(file, columns=["document_id", "topic_label"])
            topics = pc.fill_null(table["topic_label"], NONE)
            languages = pa.repeat(pa.scalar(part.language, pa.string()), table.num_rows)
            columns = {"document_id": table["document_id"], "language": languages}
            tables.append(pa.table(columns | {"topic_label": topics}))
    if not tables:
        return pa.table({name: pa.array([], pa.string()) for name in ("document_id", *LABELS)})
    return pa.concat_tables(tables).sort_by("document_id")
