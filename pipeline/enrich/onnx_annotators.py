"""Topic and document format by classifiers of others, through onnxruntime.

Holds: `topic`, `forms`, the factories of `onnx_topic:FOLDER#sha256=HEX` and `onnx_forms:…`.
Not here: running the model (`onnx_classifier.py`), Winnow's own topics (`topic.py`) and rules
(`forms.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any, NamedTuple

import pyarrow as pa

from pipeline.enrich.annotator import PLACES, Annotator, batch_of, languages_of
from pipeline.enrich.codepoints import look
from pipeline.enrich.forms import FORMS, OTHER
from pipeline.enrich.onnx_classifier import Classifier, load, pinned_folder
from pipeline.enrich.pinned import Pinned
from pipeline.enrich.topic import LOW, OK, SHORT, UNSUPPORTED
from pipeline.enrich.topic_table import Topic, card
from pipeline.model.schemas import FORM_COLUMNS, TOPIC_COLUMNS

MIN_NARROW_CONFIDENCE = 0.5

Row = dict[str, Any]


class Kind(NamedTuple):
    """A kind of classifier: its columns, what labels may say, and how shares become a row."""

    columns: list[pa.Field]
    labels: Callable[[], Collection[str]]
    row: Callable[[str, str, Classifier], Row]


def topic(argument: str = "") -> Annotator:
    """Return an annotator whose labels are ids of IPTC Media Topics, top or second level."""
    return _annotator("onnx_topic", argument, Kind(TOPIC_COLUMNS, _topics, _topic_row))


def forms(argument: str = "") -> Annotator:
    """Return an annotator whose labels are document formats."""
    return _annotator("onnx_forms", argument, Kind(FORM_COLUMNS, _formats, _form_row))


def _annotator(name: str, argument: str, kind: Kind) -> Annotator:
    model = pinned_folder(name, argument)
    version = f"{name.replace('_', '-')}/1+{model.version}"

    def annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:
        classifier = _load(model, kind)
        languages = languages_of(earlier, len(texts))
        rows = [
            kind.row(text, language, classifier)
            for text, language in zip(texts.to_pylist(), languages, strict=True)
        ]
        made = [[row.get(field.name) for row in rows] for field in kind.columns[:-1]]
        return batch_of(kind.columns, [*made, [version] * len(rows)])

    return Annotator(name=name, columns=tuple(kind.columns), annotate=annotate, model=version)


def _load(model: Pinned, kind: Kind) -> Classifier:
    """Load a classifier whose labels are of the kind."""
    classifier, known = load(model), kind.labels()
    for label in classifier.labels.labels:
        if label is not None and label not in known:
            few = ", ".join(sorted(known)[:6])
            model.refuse(
                f"labels such as {few}, or null",
                repr(label),
                "Correct labels.json, and the digits.",
            )
    return classifier


def _shares(
    text: str, language: str, classifier: Classifier
) -> tuple[str, list[tuple[str | None, float]]]:
    """Return a status, and labels with their shares where a text is long enough and known."""
    facts = classifier.labels
    if facts.languages is not None and language not in facts.languages:
        return UNSUPPORTED, []
    seen = look(text)
    if seen.letters < max(facts.min_letters, 1):
        return SHORT, []
    return OK, list(zip(facts.labels, classifier.shares(seen.text).tolist(), strict=True))


def _topic_row(text: str, language: str, classifier: Classifier) -> Row:
    """Return the columns of a text; a topic has the shares of its own label and of those below."""
    status, shares = _shares(text, language, classifier)
    if not shares:
        return {"topic_status": status}
    known = _topics()
    found = _summed((_above(known[label]).id, share) for label, share in shares if label)
    row: Row = {}
    for prefix, (name, share) in zip(("topic", "topic_2"), found[:2], strict=False):
        row |= _columns(prefix, known[name], share)
    below = [
        (share, label)
        for label, share in shares
        if label and label != row["topic"] == _above(known[label]).id
    ]
    share, label = max(below, default=(0.0, ""))
    if share >= MIN_NARROW_CONFIDENCE:
        row |= _columns("topic_narrow", known[label], share)
    low = row.get("topic_confidence", 0.0) < classifier.labels.min_confidence
    return row | {"topic_status": LOW if low else OK}


def _summed(shares: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Add up the shares of each name; the largest first, of equal ones the earlier."""
    found: defaultdict[str, float] = defaultdict(float)
    for name, share in shares:
        found[name] += share
    return sorted(found.items(), key=lambda one: -one[1])


@cache
def _topics() -> dict[str, Topic]:
    return {one.id: one for one in (*card().topics, *card().narrow)}


def _above(one: Topic) -> Topic:
    return one if one.top < 0 else card().topics[one.top]


def _columns(prefix: str, one: Topic, share: float) -> Row:
    confidence = round(min(share, 1.0), PLACES)
    return {prefix: one.id, f"{prefix}_label": one.label, f"{prefix}_confidence": confidence}


def _formats() -> Collection[str]:
    return (*FORMS, OTHER)


def _form_row(text: str, language: str, classifier: Classifier) -> Row:
    """Return the columns of a text: null where it is too short or in an unknown language."""
    _, shares = _shares(text, language, classifier)
    if not shares:
        return {}
    name, share = _summed((label or OTHER, share) for label, share in shares)[0]
    if share < classifier.labels.min_confidence:
        name, share = OTHER, 1 - share
    return {"document_format": name, "document_format_score": round(min(share, 1.0), PLACES)}
