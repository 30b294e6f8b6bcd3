"""Run one night once for each of its writes, dying with SIGKILL at that write; then run it again.

usage: python die_at_write.py LANDING PREPARED_CORPUS SCRATCH DUMP_DATE|reannotate [EVERY]

The prepared corpus is copied for each try. A forked child kills itself just before its n-th write;
the night is then run to its end under another run id; the published bytes must equal those of a
run that nobody killed. Every write is tried, or each `EVERY`th. With `reannotate` all published
nights are annotated again, by one more annotator, instead of a night being run; and every promise
must hold. Prints {"writes": n} or, at the first difference, {"differs_at": n}.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import msgspec

from pipeline import runner
from pipeline.audit import verify
from pipeline.model.settings import EnrichSettings, Settings
from pipeline.publish.promote import promote
from pipeline.runner.reannotate import Reannotation
from pipeline.storage.open import open_store
from pipeline.storage.units import open_corpus
from tests.nights import TREES, one_trial, published_bytes, settings_for

WRITES = ("put", "put_file", "copy", "delete")
NEVER = 1 << 30
REANNOTATE = "reannotate"


def kill() -> None:
    """End this process as nobody can catch."""
    os.kill(os.getpid(), signal.SIGKILL)


class DyingStore:
    """A store that dies just before its n-th write, and its process with it unless told how."""

    def __init__(self, store: Any, deadly: int, die: Callable[[], Any] = kill) -> None:
        """Wrap `store`."""
        self.store, self.deadly, self.die, self.writes = store, deadly, die, 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)
        return self._counted(method) if name in WRITES else method

    def _counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def write(*args: Any, **keys: Any) -> Any:
            self.writes += 1
            if self.writes >= self.deadly:
                self.die()
            return method(*args, **keys)

        return write


def night(landing: str, corpus: Path, date: str, *, run_id: str, deadly: int = NEVER) -> int:
    """Run the night in this process; return its number of writes."""
    settings = settings_for(landing, str(corpus))
    if date == REANNOTATE:
        return reannotate(settings, corpus, run_id=run_id, deadly=deadly)
    store = DyingStore(open_store(str(corpus)), deadly)
    with open_corpus(store) as opened:
        tasks = runner.Night(opened, open_store(landing), settings.run_settings())
        for _ in runner.run_night(tasks, date, run_id):
            pass
    return store.writes


def reannotate(settings: Settings, corpus: Path, *, run_id: str, deadly: int) -> int:
    """Annotate every night again in this process; return the number of writes."""
    enrich = EnrichSettings(annotators=("language", "quality"))
    store = DyingStore(open_store(str(corpus)), deadly)
    with open_corpus(store) as opened:
        run = msgspec.structs.replace(settings.run_settings(), enrich=enrich)
        tasks = Reannotation(opened, run)
        tasks.commit(tasks.plan((), run_id), run_id)
        promote(opened)
        if deadly == NEVER and (broken := [*verify.findings(opened)]):
            sys.exit(f"{run_id}: expected every promise to hold, found {broken}")
    return store.writes


def killed(landing: str, corpus: Path, date: str, *, deadly: int) -> bool:
    """Run the night in a child that dies at a write; tell whether it did."""
    child = os.fork()
    if child == 0:
        night(landing, corpus, date, run_id="killed", deadly=deadly)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def main() -> None:
    """Try every write in turn."""
    landing, prepared, scratch, date, *every = sys.argv[1:]
    reference = Path(scratch) / "reference"
    shutil.copytree(prepared, reference)
    # The children inherit compiled kernels and models: each then takes a fraction of a second.
    writes = night(landing, reference, date, run_id="reference")
    expected = published_bytes(open_store(str(reference)), TREES)
    for deadly in range(1, writes + 1, int(every[0]) if every else 1):
        corpus = Path(scratch) / f"killed-{deadly}"
        shutil.copytree(prepared, corpus)
        if not killed(landing, corpus, date, deadly=deadly):
            sys.exit(f"expected the run to die at write {deadly} of {writes}, it did not")
        night(landing, corpus, date, run_id="again")
        if published_bytes(open_store(str(corpus)), TREES) != expected:
            print(json.dumps({"differs_at": deadly}))  # noqa: T201 - the answer
            return
        shutil.rmtree(corpus)
    print(json.dumps({"writes": writes}))  # noqa: T201 - the answer


if __name__ == "__main__":
    with one_trial():
        main()
