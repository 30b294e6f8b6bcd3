"""What this process has asked of object stores, and how many bytes went to and fro.

Holds: `Traffic`, `asked`, `received`, `so_far`. Keeps one count a process, since a process does one
task at a time. Not here: who asks (`s3.py`), writing it down (`runner/record.py`).

Requests are counted as they are sent: one that is tried again counts again, as it does on the bill.
Folders and stores in memory are not asked over a network and count nothing.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import Final

import msgspec

KINDS: Final = {
    "GetObject": "get",
    "HeadObject": "head",
    "HeadBucket": "head",
    "ListObjectsV2": "list",
    "CopyObject": "copy",
    "UploadPartCopy": "copy",
    "DeleteObject": "delete",
    "DeleteObjects": "delete",
}
"""Operations of S3 by what they are billed as; all others write."""


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Requests by kind, and bytes of objects read and written."""

    requests: dict[str, int]
    received: int
    sent: int

    def since(self, before: Traffic) -> Traffic:
        """Return what came after `before`."""
        more = Counter(self.requests)
        more.subtract(before.requests)
        return Traffic(
            requests={kind: count for kind, count in sorted(more.items()) if count},
            received=self.received - before.received,
            sent=self.sent - before.sent,
        )


_lock = Lock()
_requests: Counter[str] = Counter()
_bytes: Counter[str] = Counter()


def asked(operation: str, body_bytes: int) -> None:
    """Count a request that is being sent, and the bytes that go with it."""
    with _lock:
        _requests[KINDS.get(operation, "put")] += 1
        _bytes["sent"] += body_bytes


def received(count: int) -> None:
    """Count bytes of an object that have arrived."""
    with _lock:
        _bytes["received"] += count


def so_far() -> Traffic:
    """Return what was counted since the process began."""
    with _lock:
        return Traffic(requests=dict(_requests), received=_bytes["received"], sent=_bytes["sent"])
