"""Look the packages of the lock up in PyPI's advisories.

Holds: `verdict`, `main`. Runs pip-audit; writes its report. Not here: the bill of what is installed
(`sbom.py`).

A known weakness ends with 1. An advisory service that is away, or a mirror without advisories, is
no fault of the lock: it ends with 0 and says what nobody answered for, since "nothing found" would
be a lie.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

SECONDS = 600


def verdict(packages: Iterable[Mapping[str, Any]]) -> tuple[int, str]:
    """Return the exit code, and what a report says in words."""
    listed = list(packages)
    asked = [one for one in listed if "skip_reason" not in one]
    weak = [
        f"{one['name']} {one['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for one in asked
        for found in one["vulns"]
    ]
    said = f"{len(asked)} of {len(listed)} packages were looked up; known weaknesses: {len(weak)}."
    if len(asked) < len(listed):
        said += " Nobody answered for the others: run `make audit` where pypi.org can be reached."
    return int(bool(weak)), "\n".join([*weak, said])


def main(report: Path, options: Sequence[str] = ()) -> int:
    """Audit the lock, write the report, and say what it means.

    `options` are more of pip-audit's, for instance those that name another service.
    """
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "-f", "json"]
    command += ["--progress-spinner", "off", "-r", "requirements.lock", "-o", str(report)]
    command += options
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SECONDS
        ).stderr
    except subprocess.TimeoutExpired:
        done = f"no answer within {SECONDS} s"
    if not report.exists():
        last = done.strip().splitlines()[-1:] or ["no reason"]
        print(f"audit: nothing was looked up; the advisories could not be asked: {last[0]}")
        return 0
    code, said = verdict(json.loads(report.read_text("utf-8"))["dependencies"])
    print(f"audit: {said}")
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
