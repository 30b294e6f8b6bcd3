"""Texts in files that people have: one text a file, or JSON lines; plain or compressed.

Holds: `texts`. Reads files and stdin. Not here: annotating (`enrich/inspect.py`).

Which of the two a file is, its first line says: an object is one of JSON lines. A file named
`.jsonl` or `.ndjson` is JSON lines in any case, so that a broken first line is not taken for prose.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.cli.records import decoded, lines
from pipeline.errors import InputError
from pipeline.ingest.codecs import Decoder
from pipeline.ingest.encodings import codec_of, encoding_of

_NAMES: Final = {".jsonl", ".ndjson"}
_HEAD: Final = 1 << 16
_TABLE: Final = b"PAR1"


def texts(path: Path) -> Iterator[str]:
    """Yield the texts of a file, or of stdin for `-`, in order.

    Raises:
        InputError: it is damaged, or a line is no object with a string `text`.
    """
    with decoded(path, lambda _: None) as decoder:
        start = _start(decoder)
        if start.startswith(_TABLE):
            raise InputError(
                f"{path}: expected text or JSON lines, found Parquet. Write the texts as JSON "
                'lines, {"text": ...}, one object a line.'
            )
        if _NAMES & set(path.suffixes) or _is_object(start):
            for number, line in lines(path, decoder, start=start):
                yield _text_of(line, f"{path}:{number}")
            return
        data = b"".join([start, *decoder])
        if decoder.damage is not None:
            raise InputError(f"{path}: {decoder.damage.detail}")
        yield data.decode(codec_of(encoding_of(data[:_HEAD])), "replace").removeprefix("\ufeff")


def _start(decoder: Decoder) -> bytes:
    """Return the beginning of a file: if it may be JSON, the whole of its first line."""
    blocks: list[bytes] = []
    for block in decoder:
        blocks.append(block)
        if len(blocks) == 1:
            held = block.removeprefix(codecs.BOM_UTF8).lstrip()
        if not held.startswith(b"{") or b"\n" in (held if len(blocks) == 1 else block):
            break
    return b"".join(blocks)


def _is_object(start: bytes) -> bool:
    line = start.removeprefix(codecs.BOM_UTF8).lstrip().partition(b"\n")[0]
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _text_of(line: bytes, place: str) -> str:
    try:
        row = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{place}: expected a JSON object, found {error}. Mend or remove the line."
        ) from error
    if not isinstance(row, dict):
        raise InputError(f"{place}: expected an object with `text`, found {_kind(row)}.")
    if not isinstance(text := row.get("text"), str):
        found = _kind(text) if "text" in row else f"the fields {', '.join(map(str, row)) or 'none'}"
        raise InputError(
            f"{place}: expected a string `text`, found {found}. "
            'Name the field `text`; a document without text is "".'
        )
    return text


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
