"""Whether a night that keeps every promise looks like a night: the guards before publishing.

Holds: one function a guard, `GUARDS`, `judge`, `measure`, `refuse`. `measure` reads the states of a
few nights before and columns of the night's verdicts; the others are pure.
Not here: promises, which nobody can accept to be broken (`checks.py`).

Guards gate and do nothing else: what is published once a night passes, or is accepted, is the same
as without them. What they compare a night with are the nights before it that are published, so a
late night may be stopped where it would not have been on time; accepted, it ends in the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import telemetry
from pipeline.errors import GuardError
from pipeline.model.guard import GuardResult, Outcome
from pipeline.model.plan import Plan
from pipeline.model.settings import GuardSettings
from pipeline.model.snapshot import DumpCounts, DumpState, Snapshot
from pipeline.storage import snapshots
from pipeline.storage.units import Corpus

_SOURCES = 5
"""Sources of which too much was removed that are named, the worst first."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What guards look at: a night, and those before it by date, the latest first."""

    counts: DumpCounts
    quarantined: float
    """Share of its characters, or of its stored bytes, that is no document for being damaged."""
    cluster: tuple[str, int]
    """The witness that most of its documents name, and how many do."""
    sources: dict[str, tuple[int, int]]
    """Documents and dropped documents by source."""
    before: tuple[DumpCounts, ...]


Guard = Callable[[Numbers, GuardSettings], Iterator[GuardResult]]


def removal(numbers: Numbers, settings: GuardSettings) -> Iterator[GuardResult]:
    """Share of documents dropped, against the median of the nights before."""
    usual = [_removed(night) for night in numbers.before]
    if len(usual) < settings.min_nights or not numbers.counts.documents:
        yield GuardResult(name="removal", outcome="unknown", nights=len(usual))
        return
    middle = median(usual)
    band = max(settings.removal_absolute, settings.removal_relative * middle)
    low, high = max(0.0, middle - band), min(1.0, middle + band)
    found = _removed(numbers.counts)
    yield _judged("removal", settings.removal, found, limits=(low, high), nights=len(usual))


def documents(numbers: Numbers, settings: GuardSettings) -> Iterator[GuardResult]:
    """Number of documents, against the median of the nights before."""
    usual = [night.documents for night in numbers.before]
    if len(usual) < settings.min_nights:
        yield GuardResult(name="documents", outcome="unknown", nights=len(usual))
        return
    low = median(usual) * (1 - settings.documents_drop)
    found = float(numbers.counts.documents)
    yield _judged("documents", settings.documents, found, limits=(low, None), nights=len(usual))


def cluster(numbers: Numbers, settings: GuardSettings) -> Iterator[GuardResult]:
    """Documents that one witness makes redundant."""
    witness, found = numbers.cluster
    limits = (None, float(settings.cluster_documents))
    one = _judged("cluster", settings.cluster, float(found), limits=limits)
    yield msgspec.structs.replace(one, subject=witness)


def source(numbers: Numbers, settings: GuardSettings) -> Iterator[GuardResult]:
    """Share of the documents of each large enough source that was dropped: the worst ones."""
    shares = [
        (dropped / total, name)
        for name, (total, dropped) in numbers.sources.items()
        if total >= settings.source_documents
    ]
    shares.sort(key=lambda one: (-one[0], one[1]))
    bad = [one for one in shares if one[0] > settings.source_share]
    for share, name in bad[:_SOURCES] or shares[:1]:
        one = _judged("source", settings.source, share, limits=(None, settings.source_share))
        yield msgspec.structs.replace(one, subject=name)
    if not shares:
        yield GuardResult(name="source", outcome="unknown")


def quarantine(numbers: Numbers, settings: GuardSettings) -> Iterator[GuardResult]:
    """Share of what landed that is quarantined."""
    limits = (None, settings.quarantine_share)
    yield _judged("quarantine", settings.quarantine, numbers.quarantined, limits=limits)


GUARDS: tuple[Guard, ...] = (removal, documents, cluster, source, quarantine)


def judge(
    numbers: Numbers, settings: GuardSettings, *, accept: bool = False
) -> tuple[GuardResult, ...]:
    """Ask every guard that is not off. `accept`: those that would stop the run let it pass."""
    results = []
    for guard in GUARDS:
        name = guard.__name__
        if getattr(settings, name) == "off":
            results.append(GuardResult(name=name, outcome="off"))
            continue
        for one in guard(numbers, settings):
            passes = accept and one.outcome == "stop"
            results.append(msgspec.structs.replace(one, outcome="accepted") if passes else one)
    return tuple(results)


def measure(corpus: Corpus, plan: Plan, state: DumpState, *, parent: Snapshot) -> Numbers:
    """Collect what guards look at of the run's own dump, whose new state is `state`."""
    dates = sorted((date for date in parent.dumps if date < plan.dump_date), reverse=True)
    before: list[DumpCounts] = []
    for date in dates[: plan.settings.guard.nights]:
        counts = snapshots.load_state(corpus, parent, date).counts
        before += [counts] if counts.documents else []
    table = corpus.read(state.verdicts, columns=["source", "kept", "witness_id"])
    return Numbers(
        counts=state.counts,
        quarantined=_quarantined(state),
        cluster=_largest(table["witness_id"]),
        sources=_sources(table),
        before=tuple(before),
    )


def refuse(plan: Plan, results: Sequence[GuardResult]) -> None:
    """Say what guards found, and raise if one stops the run.

    Raises:
        GuardError: with what was expected and found, and how to publish all the same.
    """
    for one in results:
        if one.outcome in {"warn", "stop", "accepted"}:
            telemetry.log.warning(
                f"guard.{one.outcome}", guard=one.name, subject=one.subject, found=one.found,
                low=one.low, high=one.high, nights=one.nights, dump_date=plan.dump_date,
            )  # fmt: skip
    stopped = [one for one in results if one.outcome == "stop"]
    if stopped:
        said = "; ".join(
            f"{one}: expected {_range(one)}, found {_say(one.found)}" for one in stopped
        )
        raise GuardError(
            f"{plan.dump_date}: {said}. Nothing was published. Look at what landed; if the night "
            f"is right, publish it with `winnow run --dump-date {plan.dump_date} --accept-guards` "
            "(in Airflow: trigger the date with the parameter accept_guards). Finished work is "
            "kept. Limits are settings of the group guard."
        )


def _judged(
    name: str,
    action: str,
    found: float,
    *,
    limits: tuple[float | None, float | None],
    nights: int = 0,
) -> GuardResult:
    low, high = limits
    usual = (low is None or found >= low) and (high is None or found <= high)
    outcome: Outcome = "ok" if usual else "stop" if action == "stop" else "warn"
    return GuardResult(name=name, outcome=outcome, found=found, low=low, high=high, nights=nights)


def _removed(counts: DumpCounts) -> float:
    return 1 - counts.kept / counts.documents


def _quarantined(state: DumpState) -> float:
    """Return the larger share: characters that were no text, or bytes that could not be read."""
    books = state.file_counts
    shares = [
        (sum(book.quarantine_chars for book in books), sum(book.chars for book in books)),
        (sum(book.unread_bytes for book in books), sum(book.stored_bytes for book in books)),
    ]
    return max(part / whole if whole else 0.0 for part, whole in shares)


def _largest(witnesses: pa.ChunkedArray) -> tuple[str, int]:
    """Return the most frequent witness and its number, the first by id of equals."""
    named = pa.table({"witness": witnesses.drop_null()})
    counted = named.group_by("witness").aggregate([([], "count_all")])
    if not counted.num_rows:
        return "", 0
    first = counted.sort_by([("count_all", "descending"), ("witness", "ascending")])
    return first["witness"][0].as_py(), first["count_all"][0].as_py()


def _sources(table: pa.Table) -> dict[str, tuple[int, int]]:
    flagged = table.append_column("dropped", pc.cast(pc.invert(table["kept"]), pa.int64()))
    counted = flagged.group_by("source").aggregate([([], "count_all"), ("dropped", "sum")])
    return {row["source"]: (row["count_all"], row["dropped_sum"]) for row in counted.to_pylist()}


def _range(one: GuardResult) -> str:
    known = f", by {one.nights} nights before" if one.nights else ""
    if one.low is None:
        return f"at most {_say(one.high)}{known}"
    if one.high is None:
        return f"at least {_say(one.low)}{known}"
    return f"{_say(one.low)} to {_say(one.high)}{known}"


def _say(value: float | None) -> str:
    """Write a share with three digits, a number of documents with all of its own."""
    return f"{value:,.0f}" if value is not None and value > 1 else f"{value:.3f}"
