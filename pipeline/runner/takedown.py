"""Taking documents down, with all that is like them, and undoing it.

Holds: `TakeDown`, whose methods are what the command and the DAG call. Reads and writes through the
stages. Not here: which documents a tombstone covers (`dedup/taken.py`), the commit
(`publish/retaken.py`), erasing (`erase.py`). docs/adr/0013-take-down.md has the reasons.

What is published is a function of the dumps and of the tombstones in force. A take-down puts one
more in force and decides all dumps again, in one commit; then it erases what is no longer shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from pipeline import telemetry
from pipeline.errors import ConflictError, InputError, MissingError
from pipeline.model.schemas import TOMBSTONES
from pipeline.model.settings import RunSettings
from pipeline.model.snapshot import Snapshot
from pipeline.publish import beside
from pipeline.runner.erase import erase
from pipeline.runner.retake import Retake
from pipeline.runner.stones import named, stone
from pipeline.storage import snapshots, tombstones
from pipeline.storage.open import probe_conditional_put
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

Summary = dict[str, Any]
Change = Callable[[Snapshot, pa.Table], pa.Table]

MAX_REBASES = 20


class TakeDown:
    """Each method may be called again at any time: what is done already is found."""

    def __init__(self, corpus: Corpus, landing: Store | None, settings: RunSettings) -> None:
        """Bind to the stores. Only to undo a take-down dump files are read from `landing`.

        `settings` count for dumps whose own plan is lost.
        """
        self.corpus = corpus
        self.landing = landing
        self.settings = settings

    def take(  # noqa: PLR0913 - all that is put on record, by name
        self,
        ids: Sequence[str],
        *,
        reason: str,
        by: str,
        run_id: str,
        threshold: float | None = None,
        dry_run: bool = False,
    ) -> Summary:
        """Take documents down, with their copies and near-duplicates; erase what is stored of them.

        Args:
            ids: of documents, or the first digits of an id.
            reason: why; not empty.
            by: who; not empty.
            run_id: names the commit.
            threshold: how similar others must be to go with them; by default the threshold of
                their own dump.
            dry_run: say what would change; change nothing.

        Returns:
            `snapshot` (None: nothing changed), `tombstones`, `already` (ids that were covered),
            counts (`taken_down`, `retracted`, `restored`), `dumps`, `documents` (up to 1,000),
            `landing_files` that still hold the text, and `erased` (see `erase`).

        Raises:
            InputError: no id, no reason, or an id that fits none or several documents.
            MissingError: no live dump holds such a document.
        """
        _refuse_silent(ids, reason=reason, by=by)
        already: list[str] = []
        made: dict[str, Summary] = {}

        def change(snapshot: Snapshot, table: pa.Table) -> pa.Table:
            already.clear()
            made.clear()
            known = set(tombstones.active(table)["tombstone_id"].to_pylist())
            for one in ids:
                row = stone(self.corpus, snapshot, one, threshold)
                if row["tombstone_id"] in known:
                    already.append(row["document_id"])
                    continue
                said = {"taken_down_at": _now(), "taken_down_by": by, "reason": reason}
                made[row["tombstone_id"]] = row | said
            return pa.concat_tables([table, pa.Table.from_pylist([*made.values()], TOMBSTONES)])

        found = self._commit(change, run_id, outcome="taken_down", dry_run=dry_run)
        return found | {"tombstones": sorted(made), "already": already}

    def undo(
        self, ids: Sequence[str], *, reason: str, by: str, run_id: str, dry_run: bool = False
    ) -> Summary:
        """Undo take-downs, named by document or tombstone; read the dump files of the texts again.

        Returns what `take` returns; `tombstones` are those that are no longer in force. A run
        undoes once: called again by the same run id it leaves alone what was taken down since.

        Raises:
            InputError: no id, no reason.
            MissingError: no such tombstone is in force.
            ChangedError: a dump file is no longer in the landing area as it was.
        """
        _refuse_silent(ids, reason=reason, by=by)
        undone: set[str] = set()

        def change(_: Snapshot, table: pa.Table) -> pa.Table:
            undone.clear()
            undone.update(named(table, ids))
            said = {"undone_at": _now(), "undone_by": by, "undone_reason": reason}
            rows = [
                row | said if row["tombstone_id"] in undone and row["undone_at"] is None else row
                for row in table.to_pylist()
            ]
            return pa.Table.from_pylist(rows, TOMBSTONES)

        found = self._done(change, run_id)
        if found is None:
            found = self._commit(change, run_id, outcome="undone", dry_run=dry_run)
        return found | {"tombstones": sorted(undone), "already": []}

    def sweep(self) -> dict[str, int]:
        """Erase what a take-down that was killed left behind; return how many objects."""
        beside.bring_in_step(self.corpus)
        return erase(self.corpus)

    def listed(self) -> list[Summary]:
        """Return every take-down, undone ones too, the oldest first; signatures left out."""
        table = tombstones.load(self.corpus, snapshots.published(self.corpus))
        return list(table.drop_columns(["minima", "shingles"]).to_pylist())

    def _commit(self, change: Change, run_id: str, *, outcome: str, dry_run: bool) -> Summary:
        """Change the table of tombstones, and all that follows, in one step; then erase."""
        probe_conditional_put(self.corpus.store)
        for _ in range(MAX_REBASES):
            parent = snapshots.published(self.corpus)
            before = tombstones.load(self.corpus, parent)
            after = change(parent, before)
            if after == before and (done := self._done(change, run_id)):
                return done
            retake = Retake(self.corpus, self.landing, self.settings, base=parent, stones=after)
            found = retake.changes()
            if dry_run:
                return found | {"snapshot": None, "erased": {}}
            try:
                made = None if after == before else retake.commit(run_id, outcome=outcome).sequence
            except ConflictError:
                telemetry.log.info("takedown.rebase", parent=parent.sequence)
                continue
            return found | {"snapshot": made, "erased": self.sweep()}
        raise ConflictError(
            f"expected to commit within {MAX_REBASES} rebases, found another run publishing each "
            "time. Let the nights finish, then run it again."
        )

    def _done(self, change: Change, run_id: str) -> Summary | None:
        """Return what this run has committed, as `_commit` did, and erase what is left of it.

        None when it has committed nothing, or so long ago that the snapshot before has expired.
        """
        own = snapshots.committed_by(self.corpus, run_id)
        if own is None:
            return None
        try:
            base = snapshots.load_snapshot(self.corpus, own.sequence - 1)
        except MissingError:
            return None
        change(base, tombstones.load(self.corpus, base))
        stones = tombstones.load(self.corpus, own)
        retake = Retake(self.corpus, self.landing, self.settings, base=base, stones=stones)
        return retake.changes() | {"snapshot": own.sequence, "erased": self.sweep()}


def _refuse_silent(ids: Sequence[str], *, reason: str, by: str) -> None:
    if not ids or not reason.strip() or not by.strip():
        raise InputError(
            "expected document ids, a reason, and who asks for it, found one of them empty. A "
            "take-down stays on record: say why (--reason) and who (--by)."
        )


def _now() -> datetime:
    return datetime.fromtimestamp(round(time.time(), 3), UTC)
