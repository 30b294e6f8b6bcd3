"""One bad byte never costs more than its record.

`python -m tests.fuzz` breaks more bytes, and holds all formats to their books.
"""

from __future__ import annotations

import io
import json
import random

import pytest

from pipeline.ingest.reader import Reading, UnreadableError
from pipeline.model.settings import IngestSettings
from tests.bad_inputs import make

PLACES = 80
HEADER = b"id,text,more\n"
OPENING = '{"n": 6, "data": [{"text": '
SETTINGS = IngestSettings(splitter="none")
STORY = "Record {0} tells of a bridge, and its number {0} stands in it twice."
TEXTS = [STORY.format(number) for number in range(6)]
RECORDS = [
    {"text": text, "id": n, "tags": [{"a": 1}, {"b": [2]}], "by": {"x": "y"}}
    for n, text in enumerate(TEXTS)
]
JSONL = [b'{"text": "%s", "id": %d}\n' % (text.encode(), n) for n, text in enumerate(TEXTS)]
CSV = [b'%d,"%s, ""quoted""",x\n' % (n, text.encode()) for n, text in enumerate(TEXTS)]
HTML = "<html><head><title>T</title></head><body><main><p>{}</p></main></body></html>"
WARC = {
    "wet": [make.warc("conversion", text.encode()) for text in TEXTS],
    "warc": [make.response(HTML.format(text).encode()) for text in TEXTS],
}
FILES: dict[str, tuple[bytes, int]] = {
    "jsonl": (b"".join(JSONL), 1),
    "jsonl.gz": (b"".join(make.members(JSONL)), 1),
    "jsonl.zst": (b"".join(make.frames(JSONL)), 1),
    "json, an array": (json.dumps(RECORDS).encode(), 1),
    "json, no blanks": (json.dumps(RECORDS, separators=(",", ":")).encode(), 1),
    "json, indented": (json.dumps(RECORDS, indent=2).encode(), 1),
    "json, objects": ("\n".join(json.dumps(row, indent=4) for row in RECORDS).encode(), 1),
    "json, an array a line": ("\n".join(json.dumps([r, r]) for r in RECORDS).encode(), 1),
    "json, objects on one line": (" ".join(json.dumps(row) for row in RECORDS).encode(), 1),
    "json, wrapped": (json.dumps({"n": 6, "data": RECORDS, "next": {"page": 2}}).encode(), 1),
    "jsonl, an array": (json.dumps(RECORDS).replace('}, {"text', '},\n{"text').encode(), 1),
    "csv": (HEADER + b"".join(CSV), 2),
    "wet": (b"".join(WARC["wet"]), 1),
    "warc": (b"".join(WARC["warc"]), 1),
    "wet.gz": (b"".join(make.members(WARC["wet"])), 1),
    "html": ("\n".join(HTML.format(text) for text in TEXTS).encode(), 2),
    "mail": (make.box(*(make.mail(n, HTML.format(t).encode()) for n, t in enumerate(TEXTS))), 2),
    "mediawiki": ((make.WIKI + "".join(make.wiki(n, t) for n, t in enumerate(TEXTS))).encode(), 1),
}
"""Stored bytes, and how many records a byte may cost: of a table also the next, after a line end,
of web pages the next, after the end of a page, and of mails the next, where one begins.

The header of a table, what stands before an array of records in an object, the directory of an
archive and the footer of a Parquet file are no records: they say where records are, and a byte of
them may cost all that they tell of.
"""


def kept(stored: bytes) -> set[int]:
    """Return the numbers of the records that are read as they were written."""
    try:
        pieces = list(Reading(io.BytesIO(stored), SETTINGS, size=len(stored)))
    except UnreadableError:
        return set()
    texts = [piece.text for piece in pieces if piece.kind == "document"]
    return {n for n, text in enumerate(TEXTS) if any(text in found for found in texts)}


def broken(stored: bytes, at: int) -> dict[str, bytes]:
    """Return the ways in which the byte at a place is broken."""
    new = {"bit": stored[at] ^ 1, "high": stored[at] ^ 0x80, "zero": 0, "quote": 34, "line": 10}
    changed = {n: stored[:at] + bytes([byte]) + stored[at + 1 :] for n, byte in new.items()}
    return {**changed, "gone": stored[:at] + stored[at + 1 :]}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_bad_byte_costs_its_record(name: str) -> None:
    """Whichever byte is changed or lost, all other records are read as if it were not."""
    stored, most = FILES[name]
    assert kept(stored) == set(range(len(TEXTS)))
    first = {"csv": len(HEADER), "json, wrapped": len(OPENING)}.get(name, 0)
    places = random.Random(3).sample(range(first, len(stored)), PLACES)  # noqa: S311 - places
    costs = {
        (at, how): len(TEXTS) - len(kept(changed))
        for at in places
        for how, changed in broken(stored, at).items()
    }
    assert {place: cost for place, cost in costs.items() if cost > most} == {}
