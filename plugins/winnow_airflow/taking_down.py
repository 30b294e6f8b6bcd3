"""The take-down that the running Airflow task works on.

Holds: `taking_down`, `TAKE_DOWN`, the parameters of the DAG. Reads Airflow's task context and
Winnow's settings; opens the stores. Not here: what the tasks do (`pipeline/runner/takedown.py`).

Imports of `pipeline` are inside the function: this module is imported when the DAG is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param, get_current_context

from winnow_airflow.connections import credentials

if TYPE_CHECKING:
    from pipeline.runner.takedown import TakeDown

TAKE_DOWN: dict[str, Any] = {
    "document_ids": Param(
        default=[],
        type="array",
        minItems=1,
        items={"type": "string", "pattern": "^[0-9a-f]{8,32}$"},
        description="Documents, one a line: 32 hex digits, or the first of them.",
    ),
    "reason": Param(
        default="",
        type="string",
        minLength=3,
        description="Why. It stays on record, where every analyst can read it.",
    ),
    "by": Param(
        default=None,
        type=["null", "string"],
        description="Who asks for it. Empty: the user who triggers.",
    ),
    "undo": Param(
        default=False,
        type="boolean",
        description="Undo the take-downs of these documents. Their dump files are read again.",
    ),
    "dry_run": Param(
        default=False, type="boolean", description="Say what would change; change nothing."
    ),
}


@contextmanager
def taking_down() -> Iterator[tuple[TakeDown, dict[str, Any]]]:
    """Yield the tasks, and who asks under which name of the run."""
    from pipeline import config, runner  # noqa: PLC0415 - pyarrow must not load while parsing
    from pipeline.plan.stage import safe_run_id  # noqa: PLC0415
    from pipeline.runner.takedown import TakeDown  # noqa: PLC0415

    context = get_current_context()
    run, params = context["dag_run"], context["params"]
    by = params["by"] or getattr(run, "triggering_user_name", None) or "airflow"
    said = {"by": by, "run_id": safe_run_id(f"takedown-{run.run_id}")}
    settings = config.load()
    with credentials(), runner.session(settings) as night:
        yield TakeDown(night.corpus, night.landing, settings.run_settings()), said
