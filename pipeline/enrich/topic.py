"""The topic annotator: an IPTC top-level topic, and a second one, for languages the table knows.

Holds: `annotator`. Pure but for the table's files. Not here: the model (`topic_table.py`).

It needs `language`, which an annotator before it makes, and abstains elsewhere: in a language
outside the 15 (`unsupported_language`) or below 200 letters (`short`). Figures and limits:
`docs/models/topic.md`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.enrich import topic_table
from pipeline.enrich.annotator import LANGUAGE, PLACES, Annotator
from pipeline.enrich.codepoints import look, windows
from pipeline.enrich.topic_table import Scores
from pipeline.errors import ConfigError
from pipeline.model.schemas import TOPIC_COLUMNS

OK, LOW, SHORT, UNSUPPORTED = "ok", "low_confidence", "short", "unsupported_language"


def annotator() -> Annotator:
    """Return the annotator; the table loads when it is first used."""
    return Annotator(
        name="topic",
        columns=tuple(TOPIC_COLUMNS),
        annotate=_annotate,
        model=topic_table.card().model_id,
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
    asked = np.array([verdict == OK for verdict in status], bool)
    found = topic_table.table().probabilities(parts) if parts else np.zeros((0, len(facts.topics)))
    return _columns(status, asked, found)


def _columns(
    status: list[str], asked: np.ndarray[tuple[int], np.dtype[np.bool_]], found: Scores
) -> pa.RecordBatch:
    facts = topic_table.card()
    order = np.argsort(-found, axis=1, kind="stable")[:, :2]
    ranked = np.zeros((len(status), 2), np.int64)
    ranked[asked] = order
    sure = np.zeros((len(status), 2), np.float32)
    sure[asked] = np.take_along_axis(found, order, axis=1).round(PLACES)
    ids = pa.array([topic.id for topic in facts.topics])
    labels = pa.array([topic.label for topic in facts.topics])
    low = asked & (sure[:, 0] < facts.min_confidence)
    columns: list[pa.Array] = []
    for rank in range(2):
        places = pa.array(ranked[:, rank], mask=~asked)
        columns += [ids.take(places), labels.take(places)]
        columns.append(pa.array(sure[:, rank], pa.float32(), mask=~asked))
    columns.append(pa.array([LOW if one else word for word, one in zip(status, low, strict=True)]))
    columns.append(pa.repeat(pa.scalar(facts.model_id, pa.string()), len(status)))
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(TOPIC_COLUMNS))
