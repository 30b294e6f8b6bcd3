"""The stages of deduplication, as the runner and the DAG call them.

Holds: `match_range`, `decide`, `self_test`. Reads and writes through them.
Not here: how they work (`matching.py`, `deciding.py`, `selftest.py`).
"""

from pipeline.dedup.deciding import decide
from pipeline.dedup.matching import match_range
from pipeline.dedup.selftest import self_test

__all__ = ["decide", "match_range", "self_test"]
