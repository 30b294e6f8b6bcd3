"""The analysts' environment and a Java for Spark, or the reason why there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PYTHON = Path(__file__).parents[2] / ".venv/analysts/bin/python"
INSTALL = ["apt-get", "install", "-y", "--no-install-recommends", "default-jre-headless"]


def python() -> str:
    """Return the Python of the analysts' environment, which `make test` builds; else skip."""
    if not PYTHON.exists():
        pytest.skip("no analysts' environment here: `make analysts` builds it")
    return str(PYTHON)


def java() -> str:
    """Return a Java, installing Debian's where that is possible; else skip."""
    found = shutil.which("java")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (INSTALL, ["apt-get", "update"], INSTALL):
            subprocess.run(command, capture_output=True, check=False)
            found = shutil.which("java")
            if found is not None:
                break
    if found is None:
        pytest.skip(f"no Java here, and it could not be installed: `{' '.join(INSTALL)}`")
    return found
