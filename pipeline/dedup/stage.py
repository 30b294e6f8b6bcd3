"""The stages of deduplication, as the runner and the DAG call them.

Holds: `match_range`, `decide`. Reads and writes through them.
Not here: how they work (`matching.py`, `deciding.py`).
"""

from pipeline.dedup.deciding import decide
from pipeline.dedup.matching import match_range

__all__ = ["decide", "match_range"]
