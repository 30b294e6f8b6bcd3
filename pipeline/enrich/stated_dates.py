"""The dates annotator: which days a text names, in the languages of CLDR.

Holds: `annotator`, `stated`. Pure. Not here: how dates are read (`dates/written.py`), the date of
publication (`published`, from ingest).
"""

from __future__ import annotations

from datetime import date
from itertools import groupby
from operator import itemgetter

import pyarrow as pa

from pipeline.dates.written import dates_in
from pipeline.enrich.annotator import Annotator, batch_of
from pipeline.enrich.digits import years
from pipeline.model.schemas import DATE_COLUMNS

MODEL = "stated-dates/1"


def annotator() -> Annotator:
    """Return the annotator; it needs no others."""
    return Annotator(name="dates", columns=tuple(DATE_COLUMNS), annotate=_annotate, model=MODEL)


def stated(texts: pa.StringArray) -> list[list[date]]:
    """Return the days that each text names in full, in order of the text."""
    found: list[list[date]] = [[] for _ in texts]
    rows = years(texts).tolist()
    for row, places in groupby(rows, key=itemgetter(0)):
        text = texts[row].as_py()
        found[row] = [
            one.date
            for _, start, end in places
            for line in text[start:end].split("\n")
            for one in dates_in(line)
        ]
    return found


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:  # noqa: ARG001 - needs no columns of others
    found = stated(texts)
    columns = [
        [len(set(days)) for days in found],
        [min(days, default=None) for days in found],
        [max(days, default=None) for days in found],
        [MODEL] * len(found),
    ]
    return batch_of(DATE_COLUMNS, columns)
