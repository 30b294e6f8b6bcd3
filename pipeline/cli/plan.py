"""The command that says what a night would take: `plan --estimate`.

Holds: a click command. Reads the listing of the landing area, and a corpus if there is one; writes
to stdout. Not here: reckoning (`runner/estimate.py`), freezing a plan (`plan/stage.py`).
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import click
import msgspec

from pipeline.cli import output
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.runner.estimate import Estimate
    from pipeline.runner.rates import Rates

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", re.IGNORECASE)
_SCALES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_FILE = 256 * 10**6


class _Size(click.ParamType[int]):
    """A number of bytes as people write it."""

    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Read `200GB`, `1.5T` or a plain number."""
        found = _SIZE.fullmatch(str(value).strip())
        if found is None:
            self.fail(f"expected a size such as 200GB, found {value!r}", param, ctx)
        return round(float(found[1]) * _SCALES[found[2].upper()])


@click.command("plan")
@click.option(
    "--estimate", "wanted", is_flag=True, help="Say what a night would take; run nothing."
)
@click.option("--dump-date", metavar="YYYY-MM-DD", help="The night that has landed.")
@click.option("--bytes", "size", type=_Size(), help="A night of this much text instead: 200GB.")
@click.option("--files", type=click.IntRange(1), help="In so many files.  [default: of 256 MB]")
@click.option("--documents", type=click.IntRange(1), help="With so many documents.")
@click.option("--history", type=click.IntRange(0), help="Documents of all nights before it.")
@click.option(
    "--slots", type=click.IntRange(1), default=8, show_default=True, help="Tasks at once."
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def plan(  # noqa: PLR0913 - one option each
    lookup: Any,
    /,
    *,
    wanted: bool,
    dump_date: str | None,
    size: int | None,
    files: int | None,
    documents: int | None,
    history: int | None,
    slots: int,
    as_json: bool,
) -> None:
    """Say what a night will take before anything runs: tasks, memory, hours and storage.

    Of a night that has landed (--dump-date), or of one that is imagined (--bytes). It is reckoned
    with what the newest nights of the corpus took, or, without a corpus, with what generated dumps
    took on the machine that is named.
    """
    from pipeline import runner  # noqa: PLC0415 - loads the stages
    from pipeline.runner import estimate as reckoning  # noqa: PLC0415

    if not wanted:
        raise click.UsageError("give --estimate; a plan is frozen by `winnow run`")
    if (dump_date is None) == (size is None):
        raise click.UsageError("give --dump-date or --bytes, and not both")
    settings = lookup.settings(landing=size is None)
    rates, live = _known(settings, dump_date)
    before = live if history is None else history
    if dump_date is not None:
        landing = runner.open_landing(settings)
        load = reckoning.landed(landing, dump_date, now=time.time(), history=before)
    else:
        text = size or 0
        count = files or max(1, -(-text // _FILE))
        load = reckoning.imagined(text, count, history=before, documents=documents)
    said = reckoning.estimate(load, settings.run_settings(), rates, slots=slots)
    if as_json:
        told = msgspec.to_builtins(said)
        sums = {"tasks": said.tasks, "hours": said.hours, "memory_mb": said.memory_mb}
        click.echo(json.dumps(told | sums))
    else:
        _show(said)


def _known(settings: Any, dump_date: str | None) -> tuple[Rates, int]:
    """Return the rates of the corpus and its documents of other nights, if there is one."""
    from pipeline import runner  # noqa: PLC0415
    from pipeline.runner import rates  # noqa: PLC0415
    from pipeline.storage import snapshots  # noqa: PLC0415

    if not settings.store.corpus:
        return rates.measured(), 0
    try:
        with runner.corpus_session(settings) as corpus:
            snapshot = snapshots.current(corpus)
            dates = snapshot.dumps.keys() - {dump_date}
            states = (snapshots.load_state(corpus, snapshot, date) for date in dates)
            return rates.of_corpus(corpus), sum(state.counts.documents for state in states)
    except ConfigError:  # there is no such bucket or folder yet
        return rates.measured(), 0


def _show(said: Estimate) -> None:
    """Print the table and the sums, in units that suit tiny nights as well as large ones."""
    from pipeline.report.writing import seconds, size  # noqa: PLC0415 - loads jinja2

    rows = [
        [
            one.stage,
            one.tasks,
            f"{one.cpu_seconds:,.1f}",
            f"{one.elapsed_seconds:,.1f}",
            f"{one.memory_mb:,.0f}",
        ]
        for one in said.steps
    ]
    documents = f"{said.documents:,} document{'' if said.documents == 1 else 's'}"
    title = (
        f"{size(said.bytes)}, about {documents}, {said.kept:,} of them kept, after "
        f"{said.history:,} of earlier nights"
    )
    output.table(title, ["stage", "tasks", "cpu_seconds", "elapsed_seconds", "memory_mb"], rows)
    long, large = seconds(said.hours * 3600), size(said.memory_mb * 1e6)
    more, held = size(sum(said.storage.values())), size(said.held)
    lines = [
        f"{said.tasks} tasks, {long} with {said.slots} at once; {large} ({said.largest}) at most.",
        f"Storage: {more} more; nights before it hold about {held}.",
        f"From: {said.source}.",
    ]
    if said.beyond > 1:
        lines.append(
            f"The night is {said.beyond:,.0f} times the largest that memory was measured with: "
            "memory is drawn out along a line, so watch the first such night."
        )
    if said.waiting:
        lines.append(
            f"Still being uploaded, counted as far as it is there: {', '.join(said.waiting)}."
        )
    for line in lines:
        click.echo(line)
