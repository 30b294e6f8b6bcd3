"""The values for the official Helm chart say what the compose file says.

The chart is not at hand here: `ops/README.md` says how the values were held against it.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from pipeline import __version__

ROOT = Path(__file__).parents[2]
KEYS: Final = frozenset(
    {
        "airflowHome", "airflowVersion", "apiSecretKeySecretName", "apiServer", "cleanup", "config",
        "createUserJob", "dagProcessor", "data", "defaultAirflowRepository", "defaultAirflowTag",
        "env", "executor", "fernetKeySecretName", "jwtSecretName", "migrateDatabaseJob",
        "postgresql", "redis", "scheduler", "secret", "statsd", "triggerer", "workers",
    }
)  # fmt: skip
"""Keys of the chart's top level that we use; it refuses those that it does not know."""

ELSEWHERE: Final = {
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW_LOGINS_FILE",
}
"""What compose says and the chart sets itself, beside `AIRFLOW__CELERY__…`; logins are for the API
server alone."""

AS_SECRETS: Final = {
    "AIRFLOW__CORE__FERNET_KEY_FILE": "fernetKeySecretName",
    "AIRFLOW__API__SECRET_KEY_FILE": "apiSecretKeySecretName",
    "AIRFLOW__API_AUTH__JWT_SECRET_FILE": "jwtSecretName",
}


@pytest.fixture(scope="module")
def values() -> Any:
    """The values for the chart."""
    return yaml.safe_load((ROOT / "ops" / "helm" / "values.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def compose() -> Any:
    """The compose file with its merges resolved."""
    return yaml.safe_load((ROOT / "docker-compose.yaml").read_text("utf-8"))


def test_the_values_are_for_this_version(values: Any) -> None:
    """Airflow and the image are those of the lock and of the compose file."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert f"apache-airflow=={values['airflowVersion']} " in lock
    assert "apache-airflow-providers-cncf-kubernetes==" in lock
    assert values["defaultAirflowTag"] == __version__
    assert values["executor"] == "KubernetesExecutor"
    assert set(values) == KEYS


def test_the_environment_is_that_of_the_compose_file(values: Any, compose: Any) -> None:
    """Each name of compose is set, is a secret, or is the chart's own affair; values agree."""
    given = {one["name"]: one["value"] for one in values["env"]}
    secret = {f"{one['envName']}_FILE" for one in values["secret"]}
    there = compose["services"]["scheduler"]["environment"]
    for name, value in there.items():
        if name.startswith("AIRFLOW__CELERY__") or name in ELSEWHERE or name in secret:
            continue
        if name in AS_SECRETS:
            assert values[AS_SECRETS[name]]
        elif name == "POSTGRES_PASSWORD_FILE":
            assert values["data"]["metadataSecretName"]
        elif name.startswith("AIRFLOW__SCHEDULER__ENABLE_HEALTH"):
            continue  # the chart's own probes
        elif name == "AIRFLOW__CORE__PARALLELISM":
            assert given[name]
        elif name.startswith("WINNOW_STORE__"):
            assert name in given
        else:
            assert given[name] == value, name
    assert {name for name in given if name.startswith("WINNOW_")} <= set(there)


def test_commands_are_those_of_the_image(values: Any, compose: Any) -> None:
    """The database is migrated by `init`; helpers that only Airflow's own image has are off."""
    assert values["migrateDatabaseJob"]["args"] == [compose["services"]["init"]["command"]]
    for component in ("scheduler", "dagProcessor", "triggerer"):
        assert values[component]["logGroomerSidecar"]["enabled"] is False
        assert values[component]["resources"]["limits"]["memory"]
    assert values["workers"]["kubernetes"]["resources"]["limits"]["memory"]
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text("utf-8")
    assert "ln -s /usr/local/bin/entry /entrypoint" in dockerfile


def test_logins_are_for_the_api_server_alone(values: Any) -> None:
    """The secret of logins is mounted where users log in, and in no pod of a task."""
    server = values["apiServer"]
    (mount,), (volume,) = server["extraVolumeMounts"], server["extraVolumes"]
    assert mount["name"] == volume["name"]
    assert volume["secret"]["secretName"] == "winnow-logins"
    assert server["env"] == [
        {"name": "AIRFLOW_LOGINS_FILE", "value": f"{mount['mountPath']}/logins.json"}
    ]
    assert not {"volumes", "volumeMounts"} & set(values)


@pytest.mark.airflow
def test_the_manager_of_logins_is_in_the_image(values: Any) -> None:
    """The chart's default is a package that the lock does not have; ours can be loaded."""
    module, _, name = values["config"]["core"]["auth_manager"].rpartition(".")
    assert getattr(importlib.import_module(module), name).__name__ == name
