"""What one task of a run took, and why one failed.

Holds: `TaskRecord`, `TaskFailure`. Reads and writes nothing.
Not here: measuring (`runner/record.py`).
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


class TaskFailure(msgspec.Struct, frozen=True, kw_only=True):
    """What a task that failed said: the last try, if there were several.

    A task that has a record as well was tried again and ended well. `kind` is the name of the
    exception; a worker that was killed says nothing.
    """

    stage: str
    index: int
    at: float
    kind: str
    message: str
