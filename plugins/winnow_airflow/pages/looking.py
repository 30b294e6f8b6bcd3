"""Pages to read: the calendar of nights, a night, a document, the quarantine, snapshots, reports.

Holds: `router`, `opened`. Reads the corpus and the landing area; changes nothing.
Not here: the facts (`pipeline/audit/`, `pipeline/report/`), what starts a run (`acting.py`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse

from pipeline import config, runner
from pipeline.audit import status, would_be
from pipeline.audit.explain import explain_document
from pipeline.audit.spans import spans
from pipeline.audit.tasks import STAGES, failures, of_task, runs, tried
from pipeline.errors import InputError, MissingError
from pipeline.model.rule import Rule
from pipeline.plan.discover import is_dump_date
from pipeline.plan.stage import safe_run_id
from pipeline.report.halted import halted_runs
from pipeline.report.samples import reasons
from pipeline.runner.models import models_of
from pipeline.storage import layout, snapshots
from pipeline.storage.units import Corpus
from winnow_airflow.connections import credentials
from winnow_airflow.pages.calendar import months
from winnow_airflow.pages.rendering import REPORT_HEADERS, page

router = APIRouter()

SPANS: Final = 50
"""Spans on a page of the quarantine."""

LONGEST: Final = 2_000_000
"""Characters of a text that is asked about."""

_STATES: Final = ("published", "due", "waiting", "gone")


@contextmanager
def opened() -> Iterator[Corpus]:
    """Open the corpus that the settings name, with the credentials of the Airflow connection."""
    with credentials(), runner.corpus_session(config.load()) as corpus:
        yield corpus


@router.get("/")
def nights(request: Request) -> HTMLResponse:
    """Show every night with its state."""
    settings = config.load()
    shaping = settings.run_settings()
    with opened() as corpus:
        landing = runner.open_landing(settings) if settings.store.landing else None
        rows = status.dump_rows(
            corpus, landing, shaping, now=time.time(), models=models_of(shaping)
        )
        looked_at = tried(corpus)
    counts = {state: sum(row["state"] == state for row in rows) for state in _STATES}
    kept = sum(row["kept"] for row in rows)
    return page("nights", request, months=months(rows), states=counts, kept=kept, tried=looked_at)


@router.get("/nights/{dump_date}")
def night(request: Request, dump_date: str) -> HTMLResponse:
    """Show the runs of a night: counts, guards, why some failed, and the way to their pages."""
    _date(dump_date)
    with opened() as corpus:
        if dump_date not in snapshots.current(corpus).dumps and runs(corpus, dump_date):
            failed = halted_runs(corpus, dump_date, ())
            written = _written(corpus, dump_date, [one.run_id for one in failed])
            return page("unpublished", request, dump_date=dump_date, failed=failed, written=written)
        snapshot = snapshots.published(corpus)
        state = snapshots.load_state(corpus, snapshot, dump_date)
        rows = status.run_rows(corpus, dump_date)[::-1]
        names = [row["run_id"] for row in rows]
        failed = halted_runs(corpus, dump_date, names)
        written = _written(corpus, dump_date, names + [one.run_id for one in failed])
    languages = [(one.language, sum(file.rows for file in one.files)) for one in state.documents]
    languages.sort(key=lambda one: (-one[1], one[0]))
    topics = sorted(state.topics.items(), key=lambda one: (-one[1], one[0]))
    return page(
        "night", request, state=state, runs=rows, failed=failed, written=written,
        languages=languages, topics=topics
    )  # fmt: skip


@router.get("/explain")
def explain(request: Request, document_id: str = "") -> HTMLResponse:
    """Say where a document is, or why it is not there."""
    wanted = document_id.strip()
    answer = None
    if wanted:
        with opened() as corpus:
            answer = explain_document(corpus, wanted)
    return page("explain", request, wanted=wanted, answer=answer, text="", alike=None)


@router.post("/explain")
def explain_text(request: Request, text: Annotated[str, Form()] = "") -> HTMLResponse:
    """Say what would become of a text. Changes nothing, so who may read may ask."""
    if not 0 < len(text) <= LONGEST:
        raise InputError(f"expected a text of 1 to {LONGEST:,} characters, found {len(text):,}.")
    settings = config.load()
    with opened() as corpus:
        alike = would_be.explain_text(corpus, text, would_be.Landing(Rule.of(settings.dedup)))
    return page("explain", request, wanted="", answer=None, text=text, alike=alike)


@router.get("/quarantine")
def quarantine(
    request: Request,
    dump_date: str = "",
    reason: str = "",
    source: str = "",
    start: Annotated[int, Query(ge=0)] = 0,
) -> HTMLResponse:
    """Show the spans of a night that are no documents, by reason and source."""
    with opened() as corpus:
        snapshot = snapshots.published(corpus)
        chosen = dump_date or max(snapshot.dumps)
        state = snapshots.load_state(corpus, snapshot, _date(chosen))
        asked = {"reason": reason, "source": source}
        wanted = {name: value for name, value in asked.items() if value}
        found = spans(corpus, state, wanted, skip=start, limit=SPANS)
        by_reason = reasons(corpus, state)
    return page(
        "quarantine", request, dump_date=chosen, dates=sorted(snapshot.dumps, reverse=True),
        asked=asked, found=found, reasons=by_reason, start=start, step=SPANS,
        sources=sorted({book.source for book in state.file_counts})
    )  # fmt: skip


@router.get("/reports/{dump_date}/{run_id:path}")
def report(dump_date: str, run_id: str) -> HTMLResponse:
    """Return the page about a run as it was written."""
    key = layout.report(_date(dump_date), safe_run_id(run_id))
    with opened() as corpus:
        try:
            html, _ = corpus.store.get(key)
        except MissingError as error:
            raise MissingError(
                f"expected a page about run {run_id} of {dump_date}, found none: the run has not "
                "ended, or it changed nothing."
            ) from error
    return HTMLResponse(html, headers=REPORT_HEADERS)


@router.get("/tasks/{dump_date}/{stage}/{index}/{run_id:path}")
def task(request: Request, dump_date: str, stage: str, index: int, run_id: str) -> HTMLResponse:
    """Show what a task of a run took and, of an ingest task, what became of each of its files."""
    date, name = _date(dump_date), safe_run_id(run_id)
    if stage not in STAGES:
        raise MissingError(f"expected a task of a night, found {stage!r}.")
    with opened() as corpus:
        try:
            record, books = of_task(corpus, date, name, stage, index=max(0, index))
        except MissingError as error:
            raise MissingError(
                f"expected what {stage} {index} of run {run_id} did, found "
                f"{_why_none(corpus, date, name, stage, index=index)}"
            ) from error
    return page("task", request, dump_date=date, run_id=run_id, record=record, books=books)


def _why_none(corpus: Corpus, dump_date: str, run_id: str, stage: str, *, index: int) -> str:
    said = [
        one.message
        for one in failures(corpus, dump_date, run_id)
        if (one.stage, one.index) == (stage, max(0, index))
    ]
    if said:
        return f"that it failed: {said[0]}"
    return "nothing: it has not ended, or the run had nothing to do."


def _written(corpus: Corpus, dump_date: str, run_ids: Iterable[str]) -> set[str]:
    """Return those of the runs that have a page."""
    return {
        name for name in run_ids if corpus.store.stat(layout.report(dump_date, name)) is not None
    }


def _date(text: str) -> str:
    if not is_dump_date(text):
        raise MissingError(f"expected a dump date like 2026-11-21, found {text!r}.")
    return text
