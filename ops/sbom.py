"""Write the bill of materials (CycloneDX) of the lock: every package with hashes and licence.

Holds: `licences_of`, `main`. Runs cyclonedx-py; reads the metadata of what is installed.
Not here: known weaknesses of the packages (`audit.py`).

The lock names what any machine needs; a package that this one does not need is not installed, so
that it is in the bill with its hashes and without its licence. Needs no network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

LONGEST = 80
"""Characters of a licence's name; what is longer is its text."""


def licences_of(name: str, version: str) -> list[dict[str, Any]]:
    """Return what an installed package says of its licence, as CycloneDX writes it.

    Empty when that version is not installed, or says nothing.
    """
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    if told["Version"] != version:
        return []
    if expression := told.get("License-Expression"):
        return [{"expression": expression}]
    named = [one for one in told.get_all("Classifier", []) if one.startswith("License ::")]
    free = (told.get("License") or "").strip()
    if not named and free and len(free) <= LONGEST:
        named = [free]
    return [{"license": {"name": one.rpartition(" :: ")[2]}} for one in named]


def main(target: Path) -> None:
    """Write the bill, and say what is in it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible"]
    command += ["--pyproject", "pyproject.toml", "--of", "JSON", "-o", str(target)]
    subprocess.run([*command, "requirements.lock"], check=True, capture_output=True)
    bill = json.loads(target.read_text("utf-8"))
    for part in bill["components"]:
        if licences := licences_of(part["name"], part["version"]):
            part["licenses"] = licences
    target.write_text(json.dumps(bill, indent=2) + "\n", "utf-8")
    licensed = sum("licenses" in part for part in bill["components"])
    print(f"{target}: {len(bill['components'])} packages, {licensed} with their licence")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
