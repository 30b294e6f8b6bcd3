"""All that stands beside the commit for those who read without Winnow, in step with it.

Holds: `bring_in_step`. Writes the plain trees, their description, and the Delta log and the tree by
month if there are such. Not here: how each is made (`promote.py`, `package.py`, `delta.py`,
`monthly.py`), the commit (`commit.py`).

None of it is the truth: it may be missing or late after a crash, and the next call mends it.
"""

from __future__ import annotations

from pipeline.publish import delta, monthly, package, promote
from pipeline.storage.units import Corpus


def bring_in_step(corpus: Corpus, *, full: bool = False) -> dict[str, int]:
    """Bring trees, description and Delta log in step; return what `promote` had to do.

    The tree by month comes last: it takes longest, and nobody else waits for it.

    Raises:
        ConflictError, CorruptError: see `promote.promote`.
    """
    if full:
        monthly.follow(corpus, full=True)  # what promote then compares with must be sound
    counts = promote.promote(corpus, full=full)
    package.refresh(corpus)
    delta.follow(corpus)
    if monthly.follow(corpus).get("months"):
        again = promote.promote(corpus)
        counts = {name: count + again[name] for name, count in counts.items()}
    return counts
