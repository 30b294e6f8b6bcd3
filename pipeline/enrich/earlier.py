"""Annotations that texts have from an earlier unit, and annotators for all other texts.

Holds: `Earlier`, `annotations_shape`, `load_earlier`. Reads the runs of a finished annotate unit.
Not here: which unit was before (`runner/units.py`), what annotators say (`annotator.py`).

What an annotator says of a text depends on nothing but the text, its model and the settings
(docs/annotators.md). So rows are found by their texts, as they were handed to the annotators: which
documents the earlier unit kept, and which paragraphs it took out of them, does not matter
(docs/adr/0016-annotations-once-a-text.md).
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline import telemetry
from pipeline.enrich.annotator import COLUMNS, LANGUAGE, Annotator, annotate, model_ids, resolve
from pipeline.errors import CorruptError, MissingError
from pipeline.model import versions
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import AnnotateManifest
from pipeline.model.schemas import SCHEMA_VERSION
from pipeline.model.settings import EnrichSettings
from pipeline.storage import layout
from pipeline.storage.units import Corpus

Array = npt.NDArray[Any]

_TEXT = "text"
_NAMES = [_TEXT, *(field.name for field in COLUMNS if field != LANGUAGE)]
_ROWS = 500
_DIGEST_BYTES = 16


class Earlier:
    """Annotators that know some texts. `reused`, how many rows they knew, is its mutable state.

    Holds the annotation columns of one unit and 16 bytes a row, never the texts.
    """

    def __init__(
        self, annotators: tuple[Annotator, ...], digests: Array, columns: pa.RecordBatch
    ) -> None:
        """Take what the annotators once made, with the digest of each row's text.

        Strings may be dictionaries.
        """
        self._annotators = annotators
        self._rows = np.argsort(digests)
        self._digests = digests[self._rows]
        self._columns = columns
        self.reused = 0

    def annotate(self, texts: pa.StringArray) -> pa.RecordBatch:
        """Return what `annotate` returns; only texts that are not known go to the annotators."""
        if not len(self._digests):
            return annotate(texts, self._annotators)
        digests = _digests(texts)
        places = np.searchsorted(self._digests, digests)
        places[places == len(self._digests)] = 0
        known = self._digests[places] == digests
        parts = []
        if known.any():
            rows = self._columns.take(pa.array(self._rows[places[known]]))
            parts.append(rows.cast(COLUMNS))
        if not known.all():
            parts.append(annotate(texts.filter(pa.array(~known)), self._annotators))
        self.reused += int(known.sum())
        order = np.argsort(np.argsort(~known, kind="stable"))
        return pa.concat_batches(parts).take(pa.array(order))


def annotations_shape(settings: EnrichSettings) -> str:
    """Name all that annotations depend on besides the text; loads no model."""
    models = model_ids(settings.annotators)
    return fingerprint("annotations", versions.ENRICH, SCHEMA_VERSION, models, settings)


def load_earlier(corpus: Corpus, name: str, settings: EnrichSettings) -> Earlier:
    """Return the annotators of the settings, with what a finished unit has of them.

    That is nothing without a name, if the unit is gone or damaged, or if its annotations have
    another shape. All is read here: nothing is asked of the unit later.
    """
    shape = annotations_shape(settings)
    digests, parts = [np.empty(0, f"S{_DIGEST_BYTES}")], [_nothing()]
    try:
        found = corpus.find(layout.unit("annotate", name), AnnotateManifest) if name else None
        for run in found.runs if found is not None and found.shape == shape else ():
            for batch in corpus.batches(run.file, columns=_NAMES, rows=_ROWS):
                digests.append(_digests(batch.column(_TEXT)))
                parts.append(_annotations(batch, run.language))
    except (MissingError, CorruptError) as error:
        telemetry.log.info("annotate.anew", earlier=name, error=str(error))
        digests, parts = digests[:1], parts[:1]
    annotators = resolve(settings.annotators)
    held = pa.Table.from_batches(parts).unify_dictionaries().combine_chunks()
    columns = [*held.to_batches(), parts[0]][0]  # no rows are no batch
    return Earlier(annotators, np.concatenate(digests), columns)


def _annotations(rows: pa.RecordBatch, language: str) -> pa.RecordBatch:
    """Return the columns that annotators made of published rows of one language.

    Strings are dictionaries: most say the same in many rows, which are held until the unit is done.
    """
    columns = {name: rows.column(name) for name in rows.schema.names}
    columns[LANGUAGE.name] = pa.repeat(pa.scalar(language, pa.string()), rows.num_rows)
    arrays = [columns[name] for name in COLUMNS.names]
    return pa.RecordBatch.from_arrays(
        [one.dictionary_encode() if one.type == pa.string() else one for one in arrays],
        names=COLUMNS.names,
    )


def _nothing() -> pa.RecordBatch:
    return _annotations(pa.RecordBatch.from_pylist([], schema=COLUMNS), "")


def _digests(texts: pa.StringArray) -> Array:
    """Return 16 bytes for the bytes of each text; in a thousandth of the annotators' time."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].tolist()
    view = memoryview(data) if data is not None else memoryview(b"")
    found = (
        hashlib.blake2b(view[start:end], digest_size=_DIGEST_BYTES).digest()
        for start, end in pairwise(ends)
    )
    return np.frombuffer(b"".join(found), f"S{_DIGEST_BYTES}")
