"""What one task of a run took.

Holds: `TaskRecord`. Reads and writes nothing. Not here: measuring (`runner/record.py`).
"""

from __future__ import annotations

import msgspec


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Time, memory, traffic and counts of one task that ended well.

    `index` is that of a mapped task, else 0. `started` is epoch seconds. `peak_rss_bytes` is the
    most memory that the process had until then: in a run in one process, of the tasks before, too.
    `counts` are the numbers of the task's summary. `requests` to the object store are by kind;
    `received` and `sent` are bytes of objects. A corpus in a folder has none of them.
    """

    stage: str
    index: int
    started: float
    seconds: float
    cpu_seconds: float
    peak_rss_bytes: int
    counts: dict[str, int]
    requests: dict[str, int] = {}
    received: int = 0
    sent: int = 0
