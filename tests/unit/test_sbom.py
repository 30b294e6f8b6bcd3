"""The bill of materials says what the lock says."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_locked_package_is_in_the_bill_with_its_hashes() -> None:
    """Name, version and the number of hashes of each; and nothing that is not locked."""
    subprocess.run(["make", "--silent", "sbom"], cwd=ROOT, check=True, capture_output=True)
    bill = json.loads((ROOT / "build" / "sbom.json").read_text("utf-8"))
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
