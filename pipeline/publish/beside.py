"""All that stands beside the commit for those who read without Winnow, in step with it.

Holds: `bring_in_step`. Writes the plain trees, their description, and the Delta log if there is
one. Not here: how each is made (`promote.py`, `package.py`, `delta.py`), the commit (`commit.py`).

None of it is the truth: it may be missing or late after a crash, and the next call mends it.
"""

from __future__ import annotations

from pipeline.publish import delta, package, promote
from pipeline.storage.units import Corpus


def bring_in_step(corpus: Corpus, *, full: bool = False) -> dict[str, int]:
    """Bring trees, description and Delta log in step; return what `promote` had to do.

    Raises:
        ConflictError, CorruptError: see `promote.promote`.
    """
    counts = promote.promote(corpus, full=full)
    package.refresh(corpus)
    delta.follow(corpus)
    return counts
