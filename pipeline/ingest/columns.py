"""Which columns of a table hold the text, the id and so on.

Holds: `Columns`, `document`, `field_names`, `chosen_columns`. Pure.
Not here: rows of CSV (`delimited.py`) and Parquet (`columnar.py`) files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from pipeline.ingest import normalise
from pipeline.ingest.pieces import Piece, RefusedError, Span
from pipeline.model.settings import IngestSettings

NAMES: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "content", "body"),
    "id": ("id", "doc_id"),
    "url": ("url",),
    "title": ("title",),
    "byline": ("byline", "author"),
    "published": ("published", "date"),
}
"""What each field is called when the settings do not say."""

_SHOWN = 20


class Columns(msgspec.Struct, frozen=True):
    """The place of each field among the columns; -1 when a file has none."""

    places: dict[str, int]

    @classmethod
    def of(cls, found: Sequence[str], chosen: Mapping[str, str]) -> Columns:
        """Find the fields; a column that `chosen` names comes before those of `NAMES`.

        Raises:
            RefusedError: `missing_text_column`, naming what was found.
        """
        small = [name.lower() for name in found]
        places = {field: _place(small, field_names(field, chosen)) for field in NAMES}
        if places["text"] < 0:
            shown = normalise.without_surrogates(", ".join(found[:_SHOWN]))[:500]
            raise RefusedError(
                "missing_text_column",
                f"expected a column {' or '.join(field_names('text', chosen))}, found {shown}. "
                "Name the column in ingest.text_column.",
            )
        return cls(places)

    def pick(self, cells: Sequence[object]) -> dict[str, object]:
        """Return the fields of one row."""
        return {field: cells[at] for field, at in self.places.items() if at >= 0}


def field_names(field: str, chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names under which a field may stand, in order, small letters."""
    return (chosen[field].lower(),) if chosen.get(field) else NAMES[field]


def chosen_columns(settings: IngestSettings) -> dict[str, str]:
    """Return the columns that the settings name."""
    return {field: getattr(settings, f"{field}_column") for field in NAMES}


def document(fields: Mapping[str, object], span: Span) -> Piece:
    """Make the piece of one row.

    Raises:
        RefusedError: `missing_text`, `wrong_type` or `empty_text`.
    """
    raw = fields.get("text")
    if raw is None:
        raise RefusedError("missing_text", "expected a text in the row, found none.")
    if not isinstance(raw, str):
        raise RefusedError("wrong_type", f"expected a text, found {type(raw).__name__}.")
    text, mended = normalise.mended(normalise.without_surrogates(raw))
    if not text:
        raise RefusedError("empty_text", "expected some text in the row, found none.")
    return Piece(
        span=span,
        kind="document",
        text=text,
        title=normalise.title(_said(fields.get("title")), mend=mended),
        mojibake_repaired=mended,
        url=normalise.line(_said(fields.get("url"))),
        external_id=normalise.line(_said(fields.get("id"))),
        byline=normalise.title(_said(fields.get("byline")), mend=mended),
        published=normalise.published(_said(fields.get("published"))),
    )


def _said(value: object) -> str | None:
    """Return a value as text; bytes and nested values count as absent."""
    if value is None or isinstance(value, (bytes, list, dict)):
        return None
    return normalise.without_surrogates(str(value))


def _place(names: Sequence[str], wanted: Sequence[str]) -> int:
    return next((names.index(name) for name in wanted if name in names), -1)
