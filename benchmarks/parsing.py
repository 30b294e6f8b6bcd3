"""How long Airflow takes to parse each DAG file: `python -m benchmarks.parsing`.

Holds: the measurement. Reads `dags/`; writes a table. Not here: what may be imported at the top of
a DAG file (`tests/dags/test_integrity.py`).

The dag-processor forks a process a file that has Airflow loaded already, and so does LocalExecutor
for each task: so each sample is a fork of a process that has imported Airflow, and counts what the
file and the plugins that it needs cost on top.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLES = 7
LIMIT = 0.5


def main() -> int:
    """Print the median wall and CPU seconds of each file; fail when one takes more than LIMIT."""
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        sys.path[:0] = [str(ROOT / "plugins"), str(ROOT / "dags")]
        import airflow.dag_processing.dagbag  # noqa: PLC0415 - after the environment
        import airflow.sdk  # noqa: F401, PLC0415

        load = os.getloadavg()[0]
        print(
            f"{'DAG file':<16} {'wall s':>8} {'CPU s':>8}   (median of {SAMPLES}, load {load:.1f})"
        )
        slow = []
        for path in sorted((ROOT / "dags").glob("*.py")):
            samples = [_sample(path.stem) for _ in range(SAMPLES)]
            wall, cpu = (statistics.median(values) for values in zip(*samples, strict=True))
            print(f"{path.name:<16} {wall:>8.3f} {cpu:>8.3f}")
            slow += [path.name] if cpu > LIMIT else []
    if slow:
        print(f"More than {LIMIT} CPU seconds: {', '.join(slow)}")
    return 1 if slow else 0


def _sample(module: str) -> tuple[float, float]:
    """Import a module in a fork; return wall and CPU seconds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        wall, cpu = time.perf_counter(), time.process_time()
        __import__(module)
        took = time.perf_counter() - wall, time.process_time() - cpu
        os.write(writing, " ".join(map(str, took)).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as pipe:
        first, second = map(float, pipe.read().split())
    return first, second


if __name__ == "__main__":
    sys.exit(main())
