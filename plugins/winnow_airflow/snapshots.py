"""The corpus that a running Airflow task works on when no night is at stake.

Holds: `corpus_of_run`, `SNAPSHOT`. Reads Airflow's task context and Winnow's settings; opens the
corpus. Not here: nights (`night.py`), what the tasks do (`pipeline/publish/`).

Imports of `pipeline` are inside the function: this module is imported when the DAG is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk import Param, get_current_context

from winnow_airflow.connections import credentials

if TYPE_CHECKING:
    from pipeline.storage.units import Corpus

SNAPSHOT = Param(
    type="integer",
    minimum=1,
    description="Number of the snapshot whose dumps are to be published again.",
)


@contextmanager
def corpus_of_run() -> Iterator[tuple[Corpus, str]]:
    """Yield the corpus and the id of the run."""
    from pipeline import config, runner  # noqa: PLC0415 - pyarrow must not load while parsing
    from pipeline.plan.stage import safe_run_id  # noqa: PLC0415

    dag_run = get_current_context()["dag_run"]
    with credentials(), runner.corpus_session(config.load()) as corpus:
        yield corpus, safe_run_id(f"{dag_run.dag_id}-{dag_run.run_id}")
