"""The re-annotation that the running Airflow task works on.

Holds: `reannotation`, `DATES`. Reads Airflow's task context and Winnow's settings; opens the
corpus. Not here: what the tasks do (`pipeline/runner/reannotate.py`).

Imports of `pipeline` are inside the function: this module is imported when the DAG is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk import Param, get_current_context

from winnow_airflow.connections import credentials

if TYPE_CHECKING:
    from pipeline.runner.reannotate import Reannotation

DATES = Param(
    default=[],
    type="array",
    items={"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
    description="Nights to annotate again, one a line, such as 2026-11-21. None: every night.",
)


@contextmanager
def reannotation() -> Iterator[tuple[Reannotation, str]]:
    """Yield the tasks and the id of the run."""
    from pipeline import config, runner  # noqa: PLC0415 - pyarrow must not load while parsing
    from pipeline.plan.stage import safe_run_id  # noqa: PLC0415
    from pipeline.runner.reannotate import Reannotation  # noqa: PLC0415

    run_id = safe_run_id(f"reannotate-{get_current_context()['dag_run'].run_id}")
    settings = config.load()
    with credentials(), runner.corpus_session(settings) as corpus:
        yield Reannotation(corpus, settings.run_settings()), run_id
