"""The language annotator: three detectors, one vote, and `und` when they disagree.

Holds: `annotator`, `decide`, `identify`. Pure but for the detectors' models.
Not here: the tables of codes (`labels.py`), scripts (`codepoints.py`).

No single confidence rejects a language that a detector does not know (py3langid gives 43 % of
such texts .95 or more); disagreement does. Figures and limits: `docs/models/language.md`.
"""

from __future__ import annotations

import msgspec
import pyarrow as pa

from pipeline.enrich import detectors
from pipeline.enrich.annotator import LANGUAGE, PLACES, Annotator
from pipeline.enrich.codepoints import Writing, look, windows
from pipeline.enrich.detectors import Vote
from pipeline.enrich.labels import NON_LINGUISTIC, UNDETERMINED, group, parent, tag
from pipeline.model.schemas import LANGUAGE_COLUMNS

MIN_LETTERS = 20
SAMPLE_COUNT, SAMPLE_SIZE = 3, 1 << 15
WINDOW_COUNT, WINDOW_SIZE = 3, 500
VARIETY_CONFIDENCE = 0.9
OK_CONFIDENCE = 0.5


class Language(msgspec.Struct, frozen=True):
    """What is known about the language of one text. `status` is one of six words."""

    language: str
    confidence: float
    status: str
    script: str


def annotator() -> Annotator:
    """Return the annotator; models load when it is first used."""
    return Annotator(
        name="language",
        columns=(LANGUAGE, *LANGUAGE_COLUMNS),
        annotate=_annotate,
        model=detectors.model_id(),
    )


def identify(text: str) -> Language:
    """Identify the language of one text of any length and content.

    Texts above 98,304 characters are judged by three windows of 32,768.
    """
    seen = look("\n".join(windows(text, count=SAMPLE_COUNT, size=SAMPLE_SIZE)))
    if seen.letters < MIN_LETTERS:
        return _unread(seen)
    part = "\n".join(windows(seen.text, count=WINDOW_COUNT, size=WINDOW_SIZE))
    first, second = detectors.py3langid(part), detectors.cld2(seen.text)
    third = None if first[0] == second[0] else detectors.cld3(part)
    if first[0] == NON_LINGUISTIC and seen.script != "Latn":
        first = (UNDETERMINED, 0.0)  # letters that py3langid cannot read are no code or log
    language, confidence, status = decide(first, second, third=third)
    return Language(language, confidence, status, seen.script)


def _unread(seen: Writing) -> Language:
    """Name a text with too few letters to ask anybody."""
    if not seen.visible:
        return Language(UNDETERMINED, 0.0, "empty", seen.script)
    if not seen.letters:
        return Language(NON_LINGUISTIC, 1.0, "non_linguistic", seen.script)
    return Language(UNDETERMINED, 0.0, "short", seen.script)


def decide(first: Vote, second: Vote, *, third: Vote | None) -> tuple[str, float, str]:
    """Vote: py3langid `first`, CLD2 `second`, CLD3 `third` (only asked when they differ).

    Returns the language, a calibrated confidence, and ok, disagree, low_confidence or
    non_linguistic.
    """
    (a, a_sure), (b, b_sure) = first, second
    c = third[0] if third else UNDETERMINED
    # 1. Only py3langid knows what is no language: code, base64, logs.
    if a == NON_LINGUISTIC and a_sure >= 0.5:
        return a, a_sure, "non_linguistic"
    # 2. Two agree, at the least inside a group such as Croatian and Bosnian.
    if _agree(a, b):
        if a_sure < 0.3:
            return UNDETERMINED, a_sure, "low_confidence"
        return _certain(a, a_sure, b), max(a_sure, 0.75), "ok"
    if _agree(a, c) and a_sure >= 0.5:
        return _certain(a, a_sure, c), min(a_sure, 0.9), "ok"
    if _agree(b, c) and b_sure >= 0.9:
        return b, min(a_sure, 0.9), "ok" if a_sure >= OK_CONFIDENCE else "low_confidence"
    # 3. Everybody says something else.
    return UNDETERMINED, min(a_sure, 0.4), "disagree"


def _agree(one: str, other: str) -> bool:
    return one not in {UNDETERMINED, NON_LINGUISTIC} and group(one) == group(other)


def _certain(language: str, confidence: float, other: str) -> str:
    """Take a variety (Cantonese, Egyptian Arabic) for its parent unless certain or seconded."""
    sure = confidence >= VARIETY_CONFIDENCE or other == language
    return language if sure else parent(language)


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:  # noqa: ARG001 - the first annotator needs no columns of others
    found = [identify(text) for text in texts.to_pylist()]
    model = detectors.model_id()
    columns = [
        [one.language for one in found],
        [tag(one.language, one.script) for one in found],
        [one.script for one in found],
        [round(one.confidence, PLACES) for one in found],
        [one.status for one in found],
        [model] * len(found),
    ]
    schema = pa.schema(annotator().columns)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
