"""Airflow with a metadata database of its own, made before anything imports Airflow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_HOME = tempfile.TemporaryDirectory(prefix="winnow-airflow-")

os.environ |= {
    "AIRFLOW_HOME": _HOME.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME.name}/airflow.db?timeout=60",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{_HOME.name}/logs",
}


@pytest.fixture(scope="session")
def airflow_database() -> Iterator[None]:
    """Create the metadata tables once for all tests of this process."""
    from airflow.utils.db import initdb  # noqa: PLC0415 - after the environment is set

    initdb()
    yield
    _HOME.cleanup()


@pytest.fixture(scope="session")
def dagbag(airflow_database: None) -> Any:  # noqa: ARG001 - only has to be there
    """All DAGs of the project, parsed as the dag-processor parses them."""
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 - after the environment

    return DagBag(dag_folder=str(ROOT / "dags"))
