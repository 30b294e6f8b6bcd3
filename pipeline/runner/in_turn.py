"""A whole night in this process: its tasks in the order of the DAG.

Holds: `run_night`. Not here: the tasks (`night.py`), a run that publishes
nothing (`trial.py`), Airflow (`dags/corpus.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from pipeline.plan.choice import Asked
from pipeline.runner.night import Night, Summary


def run_night(
    night: Night,
    dump_date: str,
    run_id: str,
    *,
    accept_guards: bool = False,
    **asked: Unpack[Asked],
) -> Iterator[tuple[str, Summary]]:
    """Do a whole night in this process, yielding (task label, summary) as tasks finish."""
    plan = night.plan(dump_date, run_id, **asked)
    yield "plan", plan
    for shard in plan["shards"]:
        yield shard["label"], night.ingest(dump_date, run_id, shard["index"])
    for key_range in plan["key_ranges"]:
        yield key_range["label"], night.match(dump_date, run_id, key_range["index"])
    decision = night.decide(dump_date, run_id)
    yield "decide", decision
    for unit in decision["units"]:
        yield unit["label"], night.annotate(dump_date, run_id, unit["index"])
    for group in night.route(dump_date, run_id)["groups"]:
        yield group["label"], night.publish(dump_date, run_id, group["index"])
    yield "commit", night.commit(dump_date, run_id, accept_guards=accept_guards)
    yield "promote", night.promote(dump_date, run_id)
