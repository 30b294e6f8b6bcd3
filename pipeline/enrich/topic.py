"""The topic annotator: IPTC topics for languages the table knows, first, second and narrow.

Holds: `annotator`. Pure but for the table's files. Not here: the model (`topic_table.py`).

It needs `language`, which an annotator before it makes, and abstains elsewhere: in a language
outside the 15 (`unsupported_language`) or below 200 letters (`short`). Figures and limits:
`docs/models/topic.md`.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.enrich import topic_table
from pipeline.enrich.annotator import LANGUAGE, PLACES, Annotator
from pipeline.enrich.codepoints import look, windows
from pipeline.enrich.topic_table import Found, Scores, Topic
from pipeline.errors import ConfigError
from pipeline.model.schemas import TOPIC_COLUMNS

Mask: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.int64]

OK, LOW, SHORT, UNSUPPORTED = "ok", "low_confidence", "short", "unsupported_language"


def annotator() -> Annotator:
    """Return the annotator; the table loads when it is first used."""
    return Annotator(
        name="topic",
        columns=tuple(TOPIC_COLUMNS),
        annotate=_annotate,
        model=topic_table.model_id(),
    )


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:
    if LANGUAGE.name not in earlier.schema.names:
        message = (
            "annotator topic: expected a `language` column of an annotator before it, found none. "
            'Put "language" before "topic" in [enrich] annotators.'
        )
        raise ConfigError(message)
    facts = topic_table.card()
    count, size = facts.windows
    status: list[str] = []
    parts: list[str] = []
    languages = earlier.column(LANGUAGE.name).to_pylist()
    for text, language in zip(texts.to_pylist(), languages, strict=True):
        verdict, part = UNSUPPORTED, ""
        if language in facts.languages:
            part = "\n".join(windows(text, count=count, size=size))
            verdict = OK if look(part).letters >= facts.min_letters else SHORT
        status.append(verdict)
        if verdict == OK:
            parts.append(part)
    return _columns(status, topic_table.table().find(parts) if parts else None)


def _columns(status: list[str], found: Found | None) -> pa.RecordBatch:
    """Return a row for each status; `found` has one for each that is `OK`."""
    asked = np.array([verdict == OK for verdict in status], bool)
    if found is None:
        absent = [pa.nulls(len(status), field.type) for field in TOPIC_COLUMNS[:-2]]
        return _batch(absent, status)
    facts = topic_table.card()
    low = found.sure[:, 0] < facts.min_confidence
    columns: list[pa.Array] = []
    for rank in range(2):
        known = np.ones(len(low), bool)
        columns += _topic(asked, facts.topics, found.topics[:, rank], found.sure[:, rank], known)
    sure = found.narrow_sure >= facts.min_narrow_confidence
    columns += _topic(asked, facts.narrow, found.narrow, found.narrow_sure, sure)
    marked = np.array(status, object)
    marked[np.flatnonzero(asked)[low]] = LOW
    return _batch(columns, marked.tolist())


def _topic(
    asked: Mask, topics: tuple[Topic, ...], places: Places, sure: Scores, known: Mask
) -> list[pa.Array]:
    """Return id, label and confidence of a topic, null where nobody asked or it is not known."""
    rows = np.zeros(len(asked), np.int64)
    confidence = np.zeros(len(asked), np.float32)
    absent = np.ones(len(asked), bool)
    rows[asked], confidence[asked], absent[asked] = places, sure.round(PLACES), ~known
    taken = pa.array(rows, mask=absent)
    return [
        pa.array([topic.id for topic in topics]).take(taken),
        pa.array([topic.label for topic in topics]).take(taken),
        pa.array(confidence, pa.float32(), mask=absent),
    ]


def _batch(columns: list[pa.Array], status: list[str]) -> pa.RecordBatch:
    model = pa.repeat(pa.scalar(topic_table.model_id(), pa.string()), len(status))
    arrays = [*columns, pa.array(status, pa.string()), model]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(TOPIC_COLUMNS))
