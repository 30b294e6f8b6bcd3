"""The dates annotator: which days a text names, in the languages of CLDR.

Holds: `annotator`, `stated`. Pure. Not here: how dates are read (`dates/written.py`), the date of
publication (`published`, from ingest).
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from pipeline.dates.written import dates_in
from pipeline.enrich.annotator import Annotator, batch_of
from pipeline.enrich.codepoints import code_points
from pipeline.enrich.digits import clusters
from pipeline.model.schemas import DATE_COLUMNS

MODEL = "stated-dates/1"
YEAR_DIGITS, AROUND = 4, 60
"""Characters beside a year of four digits in which its month and day stand."""


def annotator() -> Annotator:
    """Return the annotator; it needs no others."""
    return Annotator(name="dates", columns=tuple(DATE_COLUMNS), annotate=_annotate, model=MODEL)


def stated(text: str) -> list[date]:
    """Return the days that a text names in full, in order of the text."""
    places = clusters(code_points(text), YEAR_DIGITS, 2, AROUND).tolist()
    return [
        found.date
        for start, end in places
        for line in text[start:end].split("\n")
        for found in dates_in(line)
    ]


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:  # noqa: ARG001 - needs no columns of others
    found = [stated(text) for text in texts.to_pylist()]
    columns = [
        [len(set(days)) for days in found],
        [min(days, default=None) for days in found],
        [max(days, default=None) for days in found],
        [MODEL] * len(found),
    ]
    return batch_of(DATE_COLUMNS, columns)
