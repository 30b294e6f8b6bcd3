"""What a person may decide when triggering nights.

Holds: `NIGHT` and `NIGHTS` (the forms), `freeze`, which plans a night as it was asked for.
Reads and writes nothing itself. Not here: what the choices do (`pipeline/plan/`).

Airflow checks each value against its schema when a run is triggered or backfilled. What depends on
two values is checked by the first task, which says what to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from pipeline.runner import Night

_DATE = {"type": ["null", "string"], "format": "date", "default": None}


def _switch(text: str) -> Param:
    return Param(default=False, type="boolean", description=text)


NIGHT: dict[str, Any] = {
    "dump_date": Param(
        **_DATE,
        title="Dump date",
        description="Night to process. Leave it empty when the run has a partition key, and in a "
        "backfill. For a range use Backfill, or the DAG winnow_due.",
    ),
    "sources": Param(
        default=[],
        type="array",
        items={"type": "string", "pattern": r"^[^/_.][^/]*$"},
        uniqueItems=True,
        title="Sources",
        description="One a line. The others stay as they are published. None: every source.",
    ),
    "dry_run": _switch("Say in the log of `commit` what would change; publish nothing."),
    "scope": Param(
        default=None,
        type=["null", "string"],
        pattern="^(all|night|[1-9][0-9]{0,4})$",
        title="Scope",
        description="In a dry run: what if duplicates were looked for in `all` nights, within the "
        "`night`, or in a number of days? To publish so, change the setting dedup.scope.",
    ),
    "allow_deleted": _switch(
        "Publish the night again without the dump files that have been deleted."
    ),
    "accept_guards": _switch(
        "Publish the night although guards find it unusual (see the run that failed)."
    ),
}
"""The form of a night."""

NIGHTS: dict[str, Any] = {
    "which": Param(
        default="landed",
        enum=["landed", "due", "all"],
        title="Which nights",
        description="`landed`: files landed or changed that no run has published. `due`: also "
        "those made with other settings or models, or taken back. `all`: all that landed.",
    ),
    "first": Param(**_DATE, title="First", description="None: 60 days ago; for `all` needed."),
    "last": Param(**_DATE, title="Last", description="None: today; for `all` needed."),
    "order": Param(
        default="oldest", enum=["oldest", "newest"], description="Which nights start first."
    ),
    "most": Param(
        default=10,
        type="integer",
        minimum=1,
        maximum=366,
        description="Most runs to start at once; the next look finds the others.",
    ),
    "dry_run": _switch("Start dry runs: they say what would change and publish nothing."),
}
"""The form of many nights."""


def freeze(night: Night, run: tuple[str, str], params: Mapping[str, Any], ti: Any) -> Any:
    """Plan the night as the form asks; return its shards, and leave its key ranges in XCom.

    Raises:
        AirflowFailException: values that do not go together; it is not tried again.
    """
    from pipeline import config  # noqa: PLC0415 - not while parsing

    dry, scope = params["dry_run"], params["scope"]
    if scope and not dry:
        raise AirflowFailException(
            f"expected a scope in a dry run only, found scope {scope} for a run that publishes: "
            "the night would be due again at once. Trigger it with dry_run, or change the setting "
            "dedup.scope for all nights."
        )
    if scope:
        night.settings = config.load(flags={"dedup": {"scope": scope}}).run_settings()
    frozen = night.plan(
        *run, dry=dry, choose=params["sources"], allow_deleted=params["allow_deleted"]
    )
    ti.xcom_push("key_ranges", frozen["key_ranges"])
    return frozen["shards"]
