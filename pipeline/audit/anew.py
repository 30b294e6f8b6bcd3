"""Deciding stored signatures again from nothing: no edge file, no index, no earlier verdict.

Holds: `standing`, `decide`. Reads provenance of staged documents where a rank counts.
Not here: comparing with what is published (`recompute.py`), pairs of nights (`dedup/apart.py`).

Dumps of one threshold without limits of scope are decided as one dump. Others are compared pair by
pair, as their rules say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.audit.signed import Signed, take
from pipeline.dedup.apart import Standing, blocks, decide_apart, unlimited
from pipeline.dedup.at_once import Columns, decide_all
from pipeline.dedup.ranking import ranks
from pipeline.dedup.settle import State
from pipeline.model.rule import day, span
from pipeline.model.snapshot import Snapshot
from pipeline.signature import Signatures
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]


def standing(corpus: Corpus, snapshot: Snapshot, documents: Signed) -> Standing:
    """Look up rules and ranks of all documents."""
    rules = {date: ref.rule for date, ref in snapshot.dumps.items()}
    dates = documents.names.astype("U10")
    found = Standing(rules, dates, *(np.zeros(len(dates), np.int64) for _ in range(3)))
    for date, rows in blocks(dates):
        found.day[rows], found.span[rows] = day(date), span(rules[date])
        if rules[date].ranked:
            state = snapshots.load_state(corpus, snapshot, date)
            ids = b"".join(bytes.fromhex(name[11:]) for name in documents.names[rows])
            found.rank[rows] = ranks(corpus, state.shards, rules[date]).of(
                np.frombuffer(ids, "S16")
            )
    return found


def decide(signatures: Signatures, standing: Standing) -> State:
    """Decide documents that are sorted by date and id; verdicts and witnesses are by row."""
    rules = {standing.rules[date] for date, _ in blocks(standing.dates)}
    thresholds = {rule.threshold for rule in rules}
    order = np.argsort(standing.rank, kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    columns = Columns.of(take(signatures, order))
    if unlimited(rules) and len(thresholds) <= 1:
        state = decide_all(columns, max(thresholds, default=1.0))
    else:
        state = decide_apart(columns, standing.among(order))
    witness = np.where(state.witness >= 0, order[state.witness], -1)
    return State(state.reason[number], witness[number], state.similarity[number])
