"""Break files of every format and read them: `python -m tests.fuzz [--seconds N] [--seed S]`.

Holds: `main`. Writes what it found to stdout; ends with 1 when a reader failed, lost a byte or took
too much memory. Each finding becomes a case of `tests/bad_inputs/cases.py`.
"""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.check import run, totals


def main() -> int:
    """Run, print counts and findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcomes, troubles = totals(run(options.seed, seconds=options.seconds))
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:8d} {outcome}")
    print(f"{sum(outcomes.values())} broken files read, {len(troubles)} findings")
    for trouble in troubles[:20]:
        print(trouble[:4000])
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
