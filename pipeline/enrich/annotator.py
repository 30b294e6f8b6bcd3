"""What an annotator is, and how settings name them.

Holds: `Annotator`, `resolve`, `model_ids`, `annotate`, and what annotators share. Reads the entry
points of packages.
Not here: the annotators of this package, which `BUILT_IN` names.

An annotator is one callable from texts, and the columns that annotators before it made, to the
columns it declares. A package adds one, say another language detector with the same columns, as
an entry point `name = "module:factory"` in the group `winnow.annotators`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TypeAlias

import msgspec
import pyarrow as pa

from pipeline.errors import ConfigError
from pipeline.model.schemas import ANNOTATION_COLUMNS

Annotate: TypeAlias = Callable[[pa.StringArray, pa.RecordBatch], pa.RecordBatch]

GROUP = "winnow.annotators"
BUILT_IN = {
    "language": "pipeline.enrich.language:annotator",
    "topic": "pipeline.enrich.topic:annotator",
    "quality": "pipeline.enrich.quality:annotator",
    "personal": "pipeline.enrich.personal:annotator",
    "forms": "pipeline.enrich.forms:annotator",
    "translation": "pipeline.enrich.translation:annotator",
    "dates": "pipeline.enrich.stated_dates:annotator",
    "fasttext": "pipeline.enrich.fasttext_language:annotator",
    "onnx_topic": "pipeline.enrich.onnx_annotators:topic",
    "onnx_forms": "pipeline.enrich.onnx_annotators:forms",
}

LANGUAGE = pa.field("language", pa.string(), nullable=False)
"""The partition value: a column of annotated batches, never of the files."""

PLACES = 4
"""Decimal places of confidences: the last bits differ between processors, published bytes must not.
"""

COLUMNS = pa.schema([LANGUAGE, *ANNOTATION_COLUMNS])

_OFF = {
    "language": "und",
    "language_bcp47": "und",
    "language_script": "Zyyy",
    "language_confidence": 0.0,
    "language_status": "off",
    "language_model": "none",
    "topic_status": "off",
    "topic_model": "none",
}
"""What stands in the columns that cannot be null when no annotator makes them."""


class Annotator(msgspec.Struct, frozen=True):
    """A callable with the columns it makes and the id of its model.

    `model` must be known without loading the model: it enters fingerprints, and when it changes
    the documents are annotated again.
    """

    name: str
    columns: tuple[pa.Field, ...]
    annotate: Annotate
    model: str


@cache
def resolve(names: tuple[str, ...]) -> tuple[Annotator, ...]:
    """Return the annotators that settings name, in their order.

    Raises:
        ConfigError: an unknown name, or columns that are undeclared or made twice.
    """
    annotators = tuple(_find(name) for name in names)
    made: dict[str, str] = {}
    for annotator in annotators:
        for field in annotator.columns:
            if field not in COLUMNS:
                message = (
                    f"annotator {annotator.name}: expected columns of model/schemas.py, "
                    f"found {field}. Declare the column there and raise SCHEMA_VERSION."
                )
                raise ConfigError(message)
            if field.name in made:
                message = (
                    f"annotator {annotator.name}: column {field.name} is already made by "
                    f"{made[field.name]}. Name one of the two in [enrich] annotators."
                )
                raise ConfigError(message)
            made[field.name] = annotator.name
    return annotators


def model_ids(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of the models that make the annotations, in the order of the settings."""
    return tuple(annotator.model for annotator in resolve(names))


def annotate(texts: pa.StringArray, annotators: tuple[Annotator, ...]) -> pa.RecordBatch:
    """Return every annotation column for `texts`, in the order of `COLUMNS`."""
    found = pa.RecordBatch.from_struct_array(pa.array([{}] * len(texts), pa.struct([])))
    made: dict[str, pa.Array] = {}
    for annotator in annotators:
        batch = _checked(annotator, annotator.annotate(texts, found), len(texts))
        made.update(zip(batch.schema.names, batch.columns, strict=True))
        found = pa.RecordBatch.from_pydict(made)
    columns = [
        made[field.name] if field.name in made else _constant(field, len(texts))
        for field in COLUMNS
    ]
    return pa.RecordBatch.from_arrays(columns, schema=COLUMNS)


def _checked(annotator: Annotator, batch: object, length: int) -> pa.RecordBatch:
    """Refuse what would shift rows or slip in columns: other code than ours made it."""
    declared = pa.schema(annotator.columns)
    if not isinstance(batch, pa.RecordBatch):
        found = type(batch).__name__
    elif batch.num_rows != length or batch.schema != declared:
        found = f"{batch.num_rows} rows of {', '.join(batch.schema.names)}"
    else:
        return batch
    raise ConfigError(
        f"annotator {annotator.name}: expected a RecordBatch with {length} rows and the columns "
        f"that it declares, {', '.join(declared.names)}, found {found}. Mend its annotate function."
    )


def languages_of(earlier: pa.RecordBatch, length: int) -> list[str]:
    """Return the language of each text, `und` where no annotator before made it."""
    if LANGUAGE.name in earlier.schema.names:
        found: list[str] = earlier.column(LANGUAGE.name).to_pylist()
        return found
    return ["und"] * length


def batch_of(fields: Sequence[pa.Field], columns: Sequence[object]) -> pa.RecordBatch:
    """Return columns of values as the batch that an annotator makes."""
    schema = pa.schema(fields)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _constant(field: pa.Field, length: int) -> pa.Array:
    if field.name not in _OFF:
        return pa.nulls(length, field.type)
    return pa.repeat(pa.scalar(_OFF[field.name], field.type), length)


def _find(named: str) -> Annotator:
    """Make the annotator that a setting names: `name`, or `name:argument` for its factory."""
    name, _, argument = named.partition(":")
    factory = _factory(name)
    try:
        made = factory(argument) if argument else factory()
    except TypeError as error:
        raise ConfigError(
            f"[enrich] annotators: expected {name!r} {'with' if argument else 'without'} an "
            f"argument after a colon, found {error}. Correct the setting: {named!r}."
        ) from error
    if not isinstance(made, Annotator):
        raise ConfigError(
            f"annotator {name}: expected its factory to return an Annotator of "
            f"pipeline.enrich.annotator, found {type(made).__name__}. Return one from the function "
            f"that the entry point of {GROUP} names (docs/annotators.md has an example)."
        )
    return made


def _factory(name: str) -> Callable[..., object]:
    if name in BUILT_IN:
        module, _, function = BUILT_IN[name].partition(":")
        built: Callable[..., object] = getattr(import_module(module), function)
        return built
    added = {point.name: point for point in entry_points(group=GROUP)}
    if name not in added:
        known = ", ".join(sorted({*BUILT_IN, *added}))
        message = (
            f"[enrich] annotators: expected one of {known}; found {name!r}. "
            f"Correct the name, or install the package that provides it (entry point {GROUP})."
        )
        raise ConfigError(message)
    try:
        factory: object = added[name].load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"annotator {name}: expected {added[name].value} to be a function, found {error}. "
            "Correct the entry point, or install what its module imports."
        ) from error
    if not callable(factory):
        raise ConfigError(
            f"annotator {name}: expected {added[name].value} to be a function that returns an "
            f"Annotator, found {type(factory).__name__}. Name the function in the entry point."
        )
    return factory
