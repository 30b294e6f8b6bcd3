"""A language annotator for fastText models that are not ours: GlotLID, OpenLID, lid.176.

Holds: `annotator`. Reads a model file from a path that the setting names; downloads nothing.
Needs the package `fasttext-predict` (`pip install winnow[fasttext]`).
Not here: the vote that Winnow has by default (`language.py`).

The setting is `fasttext:PATH#sha256=HEX`. A file with another checksum is refused when it loads;
twelve of the digits are in every row's `language_model`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from typing import Any

import pyarrow as pa

from pipeline.enrich.annotator import LANGUAGE, PLACES, Annotator, batch_of
from pipeline.enrich.codepoints import Writing, look, windows
from pipeline.enrich.labels import NON_LINGUISTIC, UNDETERMINED, canonical, tag
from pipeline.enrich.pinned import Pinned, need_package, pinned
from pipeline.model.schemas import LANGUAGE_COLUMNS

PACKAGE, MODULE = "fasttext-predict", "fasttext"
MIN_LETTERS, MIN_CONFIDENCE = 20, 0.5
WINDOW_COUNT, WINDOW_SIZE = 3, 500
MADE = ("language_bcp47", "language_script", "language_confidence", "language_status",
        "language_model")  # fmt: skip
COLUMNS = (LANGUAGE, *(field for field in LANGUAGE_COLUMNS if field.name in MADE))

_LABEL = re.compile(r"__label__(?P<code>[a-z]{2,3})(?:[_-](?P<script>[A-Z][a-z]{3}))?.*")
_MACRO = dict(
    pair.split(":")
    for pair in """
    als:sqi arb:ara azj:aze cmn:zho ekk:est gaz:orm khk:mon kmr:kur lvs:lav npi:nep ory:ori pbt:pus
    pes:fas plt:mlg swh:swa uzn:uzb ydd:yid zsm:msa
    """.split()  # noqa: SIM905 - read as a table
)
"""Members by which these models name a language that has one code here."""

Row = tuple[str, str, str, float, str]


def annotator(argument: str = "") -> Annotator:
    """Return the annotator for a model; the file is read when it is first used.

    Raises:
        ConfigError: the setting is incomplete, the package is not installed, or no file is there.
    """
    model = pinned("fasttext", argument, command="sha256sum PATH")
    need_package("fasttext", module=MODULE, package=PACKAGE, extra="fasttext")
    model.need_file(model.path)
    name = f"fasttext/1+{model.version}"
    annotate = partial(_annotate, model=model, name=name)
    return Annotator(name="fasttext", columns=COLUMNS, annotate=annotate, model=name)


@cache
def _load(model: Pinned) -> Callable[..., Any]:
    """Load a model, once a process, and return its function from text to labels and shares."""
    with model.path.open("rb") as file:
        model.compare(hashlib.file_digest(file, "sha256").hexdigest())
    predict: Callable[..., Any] = import_module(MODULE).load_model(str(model.path)).predict
    return predict


def _annotate(
    texts: pa.StringArray,
    earlier: pa.RecordBatch,  # noqa: ARG001 - the first annotator needs no columns of others
    *,
    model: Pinned,
    name: str,
) -> pa.RecordBatch:
    predict = _load(model)
    rows = [_row(text, predict) for text in texts.to_pylist()]
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)] or [[]] * 5
    return batch_of(COLUMNS, [*columns, [name] * len(rows)])


def _row(text: str, predict: Callable[..., Any]) -> Row:
    """Return code, tag, script, confidence and status of a text, from three windows of it."""
    seen = look("\n".join(windows(text, count=WINDOW_COUNT, size=WINDOW_SIZE)))
    if seen.letters < MIN_LETTERS:
        return _unread(seen)
    labels, shares = predict(" ".join(seen.text.split()), k=1)
    parts = _LABEL.fullmatch(labels[0]) if labels else None
    if parts is None or shares[0] < MIN_CONFIDENCE:
        return UNDETERMINED, tag(UNDETERMINED, seen.script), seen.script, 0.0, "low_confidence"
    language, script = _code(parts["code"]), parts["script"] or seen.script
    confidence = round(min(float(shares[0]), 1.0), PLACES)
    return language, tag(language, script), script, confidence, "ok"


def _unread(seen: Writing) -> Row:
    language, status = UNDETERMINED, "short" if seen.visible else "empty"
    if seen.visible and not seen.letters:
        language, status = NON_LINGUISTIC, "non_linguistic"
    confidence = float(language == NON_LINGUISTIC)
    return language, tag(language, seen.script), seen.script, confidence, status


def _code(code: str) -> str:
    """Return ISO 639-3 as in the rest of the corpus."""
    return _MACRO.get(code, code) if len(code) == 3 else canonical(code)
