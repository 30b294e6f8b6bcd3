"""Pages that start a run: back to an earlier snapshot, the take-down of documents.

Holds: `router`. Starts DAG runs, in the name of who is logged in; reads how they go.
Not here: the work, which the DAGs do (`dags/`), pages to read (`looking.py`).

A form is answered only if it comes from a page of the same address (a page elsewhere cannot make a
browser that is logged in start anything), and only to who may trigger the DAG.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from airflow.api.common.trigger_dag import trigger_dag
from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dag import DagModel  # noqa: TID251 - the API server reads its database
from airflow.models.dagrun import DagRun  # noqa: TID251
from airflow.models.xcom import XComModel  # noqa: TID251
from airflow.sdk.exceptions import AirflowException, ParamValidationError
from airflow.utils.types import DagRunTriggeredByType
from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select

from pipeline.audit import status
from pipeline.errors import InputError, MissingError
from pipeline.publish import rollback as going_back
from pipeline.storage import snapshots as corpus_snapshots
from pipeline.storage import tombstones
from winnow_airflow.links import PREFIX
from winnow_airflow.pages.looking import opened
from winnow_airflow.pages.rendering import page

router = APIRouter()

ROLLBACK: Final = "winnow_rollback"
TAKEDOWN: Final = "winnow_takedown"
_FIRST_TASK: Final = {ROLLBACK: "go_back", TAKEDOWN: "take_down"}
"""The DAGs that are started here, and the task that says what was done."""
_ENDED: Final = frozenset({"success", "failed"})


def same_origin(request: Request) -> None:
    """Refuse a form that another site made a browser send."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        own = site == "same-origin"
    else:  # browsers before 2023, and programs, which have a token and no cookie to abuse
        origin = request.headers.get("origin")
        own = origin is None or origin.split("://")[-1] == request.headers.get("host")
    if not own:
        raise HTTPException(403, "This form may only be sent from Winnow's own pages.")


def may(user: Any, dag_id: str) -> bool:
    """Say whether a user may trigger a DAG."""
    allowed: bool = get_auth_manager().is_authorized_dag(
        method="POST",
        access_entity=DagAccessEntity.RUN,
        details=DagDetails(id=dag_id),
        user=user,
    )
    return allowed


def _acts(dag_id: str) -> list[Any]:
    return [
        Depends(same_origin),
        Depends(requires_access_dag("POST", DagAccessEntity.RUN, dag_id)),
    ]


@router.get("/snapshots")
def snapshots(request: Request, user: GetUserDep) -> HTMLResponse:
    """Show the published states that are still kept."""
    with opened() as corpus:
        rows = status.snapshot_rows(corpus)
    return page("snapshots", request, rows=rows, may=may(user, ROLLBACK))


@router.get("/snapshots/{sequence}")
def preview(request: Request, sequence: int, user: GetUserDep) -> HTMLResponse:
    """Show what going back to a snapshot would do, and ask."""
    with opened() as corpus:
        rows = status.snapshot_rows(corpus)
        changes = going_back.changes(corpus, sequence)
    chosen = next((row for row in rows if row["snapshot"] == sequence), None)
    if chosen is None:
        raise MissingError(f"expected snapshot {sequence} among those kept, found none.")
    return page(
        "rollback", request, row=chosen, changes=changes, may=may(user, ROLLBACK),
        current=rows[0]["snapshot"]
    )  # fmt: skip


@router.post("/rollback", dependencies=_acts(ROLLBACK))
def rollback(
    request: Request,
    user: GetUserDep,
    snapshot: Annotated[int, Form()],
    sure: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Start the run that goes back to a snapshot."""
    if sure != "yes":
        raise InputError(
            "expected the confirmation to be ticked, found it empty. Go back and tick it."
        )
    return _start(request, ROLLBACK, {"snapshot": snapshot}, user)


@router.get("/takedown")
def stones(request: Request, user: GetUserDep, document_id: str = "") -> HTMLResponse:
    """Show what was ever taken down, and the form for more."""
    with opened() as corpus:
        table = tombstones.load(corpus, corpus_snapshots.current(corpus))
    columns = ["document_id", "taken_down_at", "taken_down_by", "reason", "undone_at"]
    rows = table.select(columns).to_pylist()[::-1]
    return page("takedown", request, stones=rows, wanted=document_id, may=may(user, TAKEDOWN))


@router.post("/takedown", dependencies=_acts(TAKEDOWN))
def take_down(  # noqa: PLR0913, PLR0917 - the fields of the form
    request: Request,
    user: GetUserDep,
    document_ids: Annotated[str, Form()],
    reason: Annotated[str, Form()],
    dry_run: Annotated[str, Form()] = "yes",
    sure: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Start the run that takes documents down, or that says what it would do."""
    look = dry_run != "no"
    if not look and sure != "yes":
        raise InputError("expected the confirmation to be ticked, found it empty. Tick it.")
    conf = {"document_ids": document_ids.lower().split(), "reason": reason, "dry_run": look}
    return _start(request, TAKEDOWN, conf, user)


@router.get("/actions/{dag_id}/{run_id:path}")
def progress(
    request: Request, dag_id: str, run_id: str, user: GetUserDep, session: SessionDep
) -> HTMLResponse:
    """Show how a run goes that was started here; loads itself again until it has ended."""
    asked = select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
    run = session.scalar(asked) if dag_id in _FIRST_TASK else None
    if run is None:
        raise MissingError(f"expected a run {run_id} of {dag_id}, found none.")
    if not may(user, dag_id):
        raise HTTPException(403, "Who may not start this run may not follow it here.")
    tasks = [
        (task.task_id, task.state or "to come") for task in run.get_task_instances(session=session)
    ]
    model = DagModel.get_current(dag_id, session=session)
    answer = page(
        "progress", request, run=run, tasks=tasks, ended=run.state in _ENDED,
        paused=model is not None and model.is_paused, result=_result(run, session)
    )  # fmt: skip
    if run.state not in _ENDED:
        answer.headers["Refresh"] = "3"
    return answer


def _result(run: DagRun, session: SessionDep) -> Any:
    """Return what the first task of a run said; None before it has."""
    asked = select(XComModel.value).where(
        XComModel.dag_id == run.dag_id,
        XComModel.run_id == run.run_id,
        XComModel.task_id == _FIRST_TASK[run.dag_id],
        XComModel.key == "return_value",
    )
    row = session.execute(asked).first()
    return None if row is None else XComModel.deserialize_value(row)


def _start(request: Request, dag_id: str, conf: dict[str, Any], user: Any) -> RedirectResponse:
    try:
        run = trigger_dag(
            dag_id,
            conf=conf,
            triggered_by=DagRunTriggeredByType.UI,
            triggering_user_name=user.get_name(),
        )
    except (ParamValidationError, ValueError, AirflowException) as error:
        raise InputError(f"expected values that {dag_id} takes, found {conf}: {error}") from error
    if run is None:
        raise InputError(f"expected {dag_id} to start, found that Airflow made no run. Try again.")
    root = request.scope.get("root_path", PREFIX)
    return RedirectResponse(f"{root}/actions/{dag_id}/{run.run_id}", status_code=303)
