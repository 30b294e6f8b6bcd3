"""The stages of deduplication, as the runner and the DAG call them.

Holds: `match_range`, `merge`, `decide`, `decide_again`, `write_again`, `find_passages` and
`self_test`. Reads and writes through them. Not here: how they work (`matching.py`, `merging.py`,
`deciding.py`, `retake.py`, `passages.py`, `selftest.py`).
"""

from pipeline.dedup.deciding import decide
from pipeline.dedup.matching import match_range
from pipeline.dedup.merging import merge
from pipeline.dedup.passages import find_passages
from pipeline.dedup.retake import decide_again, write_again
from pipeline.dedup.selftest import self_test

__all__ = [
    "decide",
    "decide_again",
    "find_passages",
    "match_range",
    "merge",
    "self_test",
    "write_again",
]
