"""Events with keys: one canonical line a task, signs of life of a long one, numbers for metrics.

Holds: `log`, `configure`, `stage`, `bound`, `note`, `silence`, `measure`, `measured_by`. Writes to
stderr through structlog. Not here: metrics back ends (who wants numbers hands in a function),
Airflow's own log set-up (it keeps its processors; see `configure`).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import Event, Thread

import structlog

from pipeline.model.task import TaskRecord

log = structlog.get_logger("winnow")

_silent: ContextVar[bool] = ContextVar("silent", default=False)

BEAT_SECONDS = 30.0
"""How often a stage that takes long says how far it is."""


def configure(log_format: str = "auto") -> None:
    """Set up structlog for a command line process: to stderr, as JSON lines or for a console."""
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


class Span(dict[str, object]):
    """What one task will say about itself; fill it with counts while the task works."""


_span: ContextVar[Span | None] = ContextVar("span", default=None)

Observer = Callable[[TaskRecord], None]
_observers: ContextVar[tuple[Observer, ...]] = ContextVar("observers", default=())


def measure(record: TaskRecord) -> None:
    """Hand the numbers of a task that ended well to who wants them."""
    for observer in _observers.get():
        observer(record)


@contextmanager
def measured_by(observer: Observer) -> Iterator[None]:
    """Call the function with the numbers of each task that ends inside the block."""
    token = _observers.set((*_observers.get(), observer))
    try:
        yield
    finally:
        _observers.reset(token)


@contextmanager
def stage(name: str, **keys: object) -> Iterator[Span]:
    """Time a task and write its one line: `<name>.done` with counts and seconds, or `.failed`."""
    span = Span()
    started = time.perf_counter()
    with structlog.contextvars.bound_contextvars(**keys):
        try:
            with _beating(name, span, started):
                yield span
        except Exception as error:
            event = name + ".failed"
            log.error(event, seconds=_since(started), error=repr(error), **span)  # noqa: TRY400 - the caller decides about the traceback
            raise
        if _silent.get():
            return
        event = name + ".done"
        log.info(event, seconds=_since(started), peak_rss_mb=_peak_rss_mb(), **span)


@contextmanager
def bound(**keys: object) -> Iterator[None]:
    """Put keys into every event inside the block."""
    with structlog.contextvars.bound_contextvars(**keys):
        yield


@contextmanager
def _beating(name: str, span: Span, started: float) -> Iterator[None]:
    """While the block runs, say `<name>.running` every half minute, with what is noted so far."""
    over = Event()

    def beat() -> None:
        while not over.wait(BEAT_SECONDS):
            event = name + ".running"
            log.info(event, seconds=_since(started), peak_rss_mb=_peak_rss_mb(), **span.copy())

    outer = _span.set(span)
    thread = Thread(target=copy_context().run, args=(beat,), name=f"beat-{name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        _span.reset(outer)


def note(**counts: object) -> None:
    """Say how far the stage is that this code runs in: for its next sign of life, and its line."""
    if (span := _span.get()) is not None:
        span.update(counts)


@contextmanager
def silence() -> Iterator[None]:
    """Let stages inside the block pass without their line: they are a trial, not the run's work.

    A stage that fails says so all the same.
    """
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def _since(started: float) -> float:
    return round(time.perf_counter() - started, 3)


def _peak_rss_mb() -> int:
    """Peak resident memory of this process so far, in MB (Linux reports KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
