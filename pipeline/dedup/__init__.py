"""Find near-duplicates, decide which document of each family stays.

Holds: matching, the verdict rule, and the match and decide stages, which never touch text in a run;
and `deduplicate`, the whole of it over Arrow tables (docs/standalone.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.model.settings import DedupSettings

__all__ = ["deduplicate"]


def deduplicate(
    documents: pa.Table | pa.RecordBatchReader | Iterable[pa.RecordBatch],
    *,
    threshold: float = 0.72,
    scope: int | str = "all",
    survivor: str = "earliest",
    source_priority: Iterable[str] = (),
) -> pa.Table:
    """Return one verdict a document, in the order of input.

    Args:
        documents: columns `id` (or `document_id`, where there is no `id`) and `text`, `dump_date`
            if dates count and `source` if sources do.
            Of each family of duplicates the first by source, length, `dump_date` and `id` is kept,
            as far as these count. A reader or batches are read once; texts are not held.
        threshold: similarity of word 5-grams from which two documents are near copies, .5 to 1.
        scope: `all`, `night` (documents of one date), or a number of days: documents are compared
            when their dates differ by fewer.
        survivor: `earliest`, or `longest` if the number of words comes before the date.
        source_priority: sources that come before others, the most wanted first.

    Returns:
        A table of `document_id`, `kept`, `reason` (unique, exact, near), `witness_id` (the kept
        document because of which this one is not) and `similarity`.

    Raises:
        InputError: a column is missing, a value is null, an id comes twice on one date, or a
            setting is out of range.
    """
    from pipeline.dedup import standalone  # noqa: PLC0415 - loads compiled kernels

    settings = settings_of(
        threshold=threshold,
        scope=scope,
        survivor=survivor,
        source_priority=list(source_priority),
    )
    return standalone.deduplicate(documents, settings=settings)


def settings_of(**values: object) -> DedupSettings:
    """Return settings of these values.

    Raises:
        InputError: one is out of range.
    """
    import msgspec  # noqa: PLC0415 - see `deduplicate`

    from pipeline.errors import InputError  # noqa: PLC0415
    from pipeline.model.settings import DedupSettings  # noqa: PLC0415

    try:
        return msgspec.convert(values, DedupSettings)
    except msgspec.ValidationError as error:
        shown = ", ".join(f"{name} = {value!r}" for name, value in values.items())
        raise InputError(
            "expected a threshold of .5 to 1, a scope of all, night or a number of days, and the "
            f"survivor earliest or longest; found {shown} ({error}). Choose another value."
        ) from error
