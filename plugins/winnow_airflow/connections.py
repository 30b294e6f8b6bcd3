"""Credentials of the object store, from an Airflow connection when there is one.

Holds: `credentials` and `environment_of`. Reads the connection `winnow_object_store`; changes the
environment of the task process, for the length of a block. Not here: how boto3 uses it
(`pipeline/storage/s3.py`).

Without the connection nothing changes: the environment, a profile or an instance role decides.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

CONNECTION_ID = "winnow_object_store"


@contextmanager
def credentials() -> Iterator[None]:
    """Give the block the credentials and the endpoint of `winnow_object_store`, if defined."""
    # Outside of any `except`: else the log of each task that fails tells of a missing connection.
    values = _of_connection()
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        _restore(before)


def _of_connection() -> dict[str, str]:
    try:
        connection = Connection.get(CONNECTION_ID)
    except AirflowNotFoundException:
        return {}
    return environment_of(connection.login, connection.password, connection.extra_dejson)


def environment_of(
    login: str | None, password: str | None, extra: dict[str, Any]
) -> dict[str, str]:
    """Translate an Airflow connection of type `aws` into environment variables.

    Fields that the connection leaves empty are left out, so that the environment still decides.
    """
    values = {
        "AWS_ACCESS_KEY_ID": login,
        "AWS_SECRET_ACCESS_KEY": password,
        "AWS_SESSION_TOKEN": extra.get("aws_session_token"),
        "AWS_PROFILE": extra.get("profile_name"),
        "WINNOW_STORE__REGION": extra.get("region_name"),
        "WINNOW_STORE__ENDPOINT_URL": extra.get("endpoint_url"),
    }
    return {name: str(value) for name, value in values.items() if value}


def _restore(before: dict[str, str | None]) -> None:
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
