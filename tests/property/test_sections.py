"""A large file read in sections, by several tasks, is the same as the file read by one."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ingest.stage import ingest_shard
from pipeline.model.files import DumpFile
from pipeline.model.manifest import FileCounts, IngestManifest, joined
from pipeline.model.plan import Plan, Shard
from pipeline.model.settings import IngestSettings, RunSettings
from pipeline.storage import layout
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus
from tests.bad_inputs import make

DATE = "2026-11-21"
KEY = f"news/{DATE}/large"
SETTINGS = IngestSettings(splitter="none", max_record_bytes=20_000)
NOISE = random.Random(7)  # noqa: S311 - sample data


def lines(count: int, *, size: int = 200) -> bytes:
    """Return records that hardly compress, with blank and broken lines among them."""
    made = bytearray()
    for number in range(count):
        text = NOISE.randbytes(NOISE.randrange(size)).hex() + " wörds 世界"
        made += json.dumps({"text": text, "id": number}, ensure_ascii=number % 3 == 0).encode()
        made += NOISE.choice(
            [b"\n"] * 9 + [b"\r\n", b"\n\n\n", b"\n \n", b"\n{broken\n", b"\xff\n"]
        )
    return bytes(made)


def cut(data: bytes, size: int) -> list[bytes]:
    """Cut bytes anywhere, as block compressors do."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def packed(parts: Sequence[bytes]) -> bytes:
    """Compress each part to a gzip member."""
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


def records() -> list[bytes]:
    """Return web records, some of which hold what looks like the start of others."""
    nested = make.wet(90) + packed([make.wet(91), make.wet(92)])
    found = []
    for number in range(30):
        found.append(make.warc("request", b"GET / HTTP/1.1\r\n\r\n"))
        found.append(make.response(make.page(number)))
        found.append(make.warc("metadata", b"a: b\r\n"))
        found.append(make.warc("conversion", nested) if number % 7 == 0 else make.wet(number))
        if number % 6 == 0:
            found += make.segments(make.response(make.page(number)), 3)[: 3 - number % 4]
        if number % 5 == 0:
            found.append(make.warc("conversion", b"x" * 90, length=NOISE.choice([5, 300])))
    return found


def mails() -> list[bytes]:
    """Return mails of a box; some have no text, and some are too long or broken."""
    found = []
    for number in range(120):
        raw = make.mail(number)
        if number % 7 in {0, 1}:
            raw = raw.partition(b"\n\n")[0] + b"\n\n"
        if number % 11 == 0:
            raw = raw.replace(b"\n\n", b"\n\n" + b"x" * 30_000, 1)
        found.append(make.box(raw) if number % 13 != 5 else b"From nobody\n" + raw)
    return found


LINES = lines(250)
MAILS = mails()
RECORDS = records()
FILES = {
    "jsonl": LINES,
    "jsonl with a mark": b"\xef\xbb\xbf" + LINES,
    "jsonl of arrays": LINES + b"[\n" + LINES.replace(b"}\n", b"},\n") + b"]\n]\n[\n,\n" + LINES,
    "json": b"[" + b",".join(b'{"text": "words %d"}' % n for n in range(900)) + b"]",
    "jsonl of one line": b'{"text": "' + b"x" * 9000 + b'"}',
    "jsonl.gz of whole lines": packed([lines(9) for _ in range(25)]),
    "jsonl.gz of blocks": packed(cut(LINES, 1500)),
    "jsonl.gz of one member": packed([LINES]),
    "jsonl.gz with gzip inside": packed(cut(LINES, 9000)[:3])
    + b"".join(gzip.compress(packed(cut(LINES, 700)), 0, mtime=0) for _ in range(2)),
    "jsonl.zst of frames": b"".join(make.frames(cut(LINES, 2500))),
    "jsonl.bz2 of streams": b"".join(bz2.compress(part) for part in cut(LINES, 9000)),
    "jsonl.xz of streams": b"".join(lzma.compress(part) for part in cut(LINES, 9000)),
    "large jsonl.gz": packed(cut(lines(900, size=400), 60_000)),
    "warc": b"".join(RECORDS),
    "warc.gz": packed(RECORDS),
    "warc.gz, stored": b"".join(gzip.compress(record, 0, mtime=0) for record in RECORDS),
    "warc.zst": b"".join(make.frames(RECORDS)),
    "mbox": b"".join(MAILS),
    "mbox.gz of mails": packed(MAILS),
    "mbox.gz of blocks": packed(cut(b"".join(MAILS), 1500)),
    "mbox.zst of frames": b"".join(make.frames(cut(b"".join(MAILS), 2500))),
    "mails of old Macs": b"".join(MAILS).replace(b"\n", b"\r"),
    "mail": make.mail(1, b"words " * 900),
    "text": b"".join(make.story(number).encode() + b"\n\n" for number in range(40)),
    "csv": b"id,text\n" + b"".join(b'%d,"some\nwords %d"\n' % (n, n) for n in range(200)),
    "gzip of two layers": packed(cut(packed(cut(LINES, 9000)), 9000)),
}
Row = tuple[object, ...]
Tables = tuple[list[Row], list[Row], list[Row], tuple[FileCounts, ...]]


def _rows(tables: Sequence[pa.Table]) -> list[Row]:
    """Return rows in the order in which they are published, whatever the shards."""
    found = [tuple(row.values()) for table in tables for row in table.to_pylist()]
    return sorted(found, key=repr)


def ingested(
    stored: bytes, sections: int, *, order: Sequence[int] = (), options: IngestSettings = SETTINGS
) -> Tables:
    """Read a file in sections, each by a task of its own, in an order of the tasks."""
    landing = MemoryStore()
    file = DumpFile("news", DATE, KEY, landing.put(KEY, stored), len(stored))
    shards = tuple(Shard(n, f"{n:024x}", (file,), n, sections) for n in range(sections))
    run = RunSettings(ingest=options)
    plan = Plan("run", DATE, 0.0, "g", 0, shards, (), (), False, run, "code")  # noqa: FBT003 - positional by contract
    manifests: dict[int, IngestManifest] = {}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(MemoryStore(), Path(folder))
        for index in order or range(sections):
            manifests[index] = ingest_shard(corpus, landing, plan, index)
        found = [manifests[index] for index in range(sections)]
        return (
            _rows([corpus.read(one.documents) for one in found]),
            _rows([corpus.read(one.signatures) for one in found]),
            _rows([corpus.read(one.quarantine) for one in found]),
            joined(books for one in found for books in one.files),
        )


@cache
def whole(name: str) -> Tables:
    """Read one of the files in one piece."""
    return ingested(FILES[name], 1)


def damaged(stored: bytes, data: st.DataObject) -> bytes:
    """Overwrite, take out, put in or cut off bytes."""
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(20, len(stored)))
        stored = stored[:at] + data.draw(st.binary(max_size=9)) + stored[at + 5 :]
    return stored[: data.draw(st.integers(len(stored) // 2, len(stored)))]


@pytest.mark.parametrize("name", sorted(FILES))
@given(data=st.data())
@settings(max_examples=4, deadline=None)
def test_sections_are_what_the_whole_file_is(name: str, data: st.DataObject) -> None:
    """Any number of sections, read in any order, gives the rows and books of one."""
    sections = data.draw(st.integers(2, 12))
    order = data.draw(st.permutations(range(sections)))
    assert ingested(FILES[name], sections, order=order) == whole(name)


@pytest.mark.parametrize("name", sorted(FILES))
@given(data=st.data())
@settings(max_examples=4, deadline=None)
def test_sections_of_a_damaged_file_are_too(name: str, data: st.DataObject) -> None:
    """Damage costs the same records and gives the same rows, wherever sections begin."""
    stored = damaged(FILES[name], data)
    sections = data.draw(st.integers(2, 12))
    order = data.draw(st.permutations(range(sections)))
    assert ingested(stored, sections, order=order) == ingested(stored, 1)


@pytest.mark.parametrize("kind", ["jsonl", "warc"])
def test_damage_between_a_cut_and_the_next_record_is_told_once(kind: str) -> None:
    """The next section begins behind it, not with the member at the cut."""
    texts = [NOISE.randbytes(8000).hex() for _ in range(4)]
    made = [json.dumps({"text": text}).encode() + b"\n" for text in texts]
    if kind == "warc":
        made = [make.warc("conversion", text.encode()) for text in texts]
    members = [gzip.compress(part, mtime=0) for part in cut(b"".join(made), 1500)]
    at = next(
        number
        for number in range(len(members))
        if 2 * len(b"".join(members[:number])) > len(b"".join(members))
    )
    members[at + 1] = make.holed(members[at + 1], -8, 4)
    stored = b"".join(members)
    assert ingested(stored, 2) == ingested(stored, 1)


def article(number: int) -> str:
    """Return an article of the layout that docs/formats.md splits, with a picture now and then."""
    said = f"The ferry {number} left " + NOISE.randbytes(40).hex()
    return f"=====\nFerry {number}\nBy Ann Lee\n" + "map.png\n" * (number % 2) + f"{said}\n"


PAGES = [
    "Today\n" * (number % 3 == 0) + "".join(article(9 * number + at) for at in range(number % 5))
    for number in range(60)
]
OBJECTS = [json.dumps({"text": page, "id": n}).encode() + b"\n" for n, page in enumerate(PAGES)]
SPLIT = {
    "jsonl": b"\xff\n".join(cut(b"".join(OBJECTS), 9000)),
    "jsonl.gz of blocks": packed(cut(b"".join(OBJECTS), 700)),
    "jsonl.zst of frames": b"".join(make.frames(cut(b"".join(OBJECTS), 2500))),
    "warc": b"".join(make.warc("conversion", page.encode()) for page in PAGES),
    "warc.gz": packed([make.warc("conversion", page.encode()) for page in PAGES]),
}


@pytest.mark.usefixtures("splitters")
@pytest.mark.parametrize("name", SPLIT)
def test_records_are_split_alike_in_sections(name: str) -> None:
    """Parts of records have the ids, spans, text and books of the whole file, however it is cut."""
    options = IngestSettings(splitter="gazette", split_records=True)
    expected = ingested(SPLIT[name], 1, options=options)
    assert len(expected[0]) > len(PAGES)
    assert len(ingested(SPLIT[name], 1)[0]) <= len(PAGES)
    for sections in (2, 9):
        order = tuple(reversed(range(sections)))
        assert ingested(SPLIT[name], sections, order=order, options=options) == expected


CUT = sorted(name for name in FILES if name.startswith(("jsonl", "warc", "mbox", "large")))
GUESSED = {"jsonl", "jsonl.gz of blocks", "jsonl.zst of frames", "warc.gz", "mbox.gz of mails"}
"""Files whose sections are measured once: every guess of where one begins is right."""
ONE = {"jsonl of one line", "jsonl.gz of one member", "jsonl.gz with gzip inside"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_files_that_can_be_cut_are_cut(name: str) -> None:
    """All sections of a large file of records hold documents; other files are read by one task."""
    landing = MemoryStore()
    file = DumpFile("news", DATE, KEY, landing.put(KEY, FILES[name]), len(FILES[name]))
    shards = tuple(Shard(n, f"{n:024x}", (file,), n, 4) for n in range(4))
    plan = Plan("run", DATE, 0.0, "g", 0, shards, (), (), False, RunSettings(ingest=SETTINGS), "")  # noqa: FBT003 - positional by contract
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(MemoryStore(), Path(folder))
        found = [ingest_shard(corpus, landing, plan, index).documents.rows for index in range(4)]
        measured = len(list(corpus.store.list(layout.UNITS + "measure/")))
    if name in CUT and name not in ONE:
        assert all(found)
    else:
        assert [bool(rows) for rows in found] == [True, False, False, False]
    if name in GUESSED:
        assert measured == 3
