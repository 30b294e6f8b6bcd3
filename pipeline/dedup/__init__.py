"""Find near-duplicates, decide which document of each family stays.

Holds: matching, the verdict rule, and the match and decide stages, which never touch text in a run;
and `deduplicate`, the whole of it over Arrow tables (docs/standalone.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["deduplicate"]


def deduplicate(
    documents: pa.Table | pa.RecordBatchReader | Iterable[pa.RecordBatch],
    *,
    threshold: float = 0.75,
) -> pa.Table:
    """Return one verdict a document, in the order of input.

    Args:
        documents: columns `id` and `text`, and `dump_date` if the order of dates counts: of each
            family of duplicates the earliest by (`dump_date`, `id`) is kept. A reader or batches
            are read once; texts are not held.
        threshold: similarity of word 5-grams from which two documents are near copies, .5 to 1.

    Returns:
        A table of `document_id`, `kept`, `reason` (unique, exact, near), `witness_id` (the kept
        document because of which this one is not) and `similarity`.

    Raises:
        InputError: a column is missing, a value is null, an id comes twice on one date, or the
            threshold is out of range.
    """
    from pipeline.dedup import standalone  # noqa: PLC0415 - loads compiled kernels
    from pipeline.errors import InputError  # noqa: PLC0415
    from pipeline.model.settings import DedupSettings  # noqa: PLC0415

    if not 0.5 <= threshold <= 1:
        raise InputError(
            f"threshold: expected a similarity of .5 to 1, found {threshold}. Choose another."
        )
    return standalone.deduplicate(documents, settings=DedupSettings(threshold=threshold))
