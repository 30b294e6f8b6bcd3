"""Events with keys: one canonical line a task.

Holds: `log`, `configure`, `stage`, `silence`. Writes to stderr through structlog.
Not here: metrics back ends, Airflow's own log set-up (it keeps its processors; see `configure`).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog

log = structlog.get_logger("winnow")

_silent: ContextVar[bool] = ContextVar("silent", default=False)


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


@contextmanager
def stage(name: str, **keys: object) -> Iterator[Span]:
    """Time a task and write its one line: `<name>.done` with counts and seconds, or `.failed`."""
    span = Span()
    started = time.perf_counter()
    with structlog.contextvars.bound_contextvars(**keys):
        try:
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
