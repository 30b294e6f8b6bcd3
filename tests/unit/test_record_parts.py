"""Records with several articles: split on demand, with ids, spans and facts of their own."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.inspect import segments
from pipeline.ingest.pieces import Piece
from pipeline.ingest.stage import ingest_shard
from pipeline.model.files import DumpFile
from pipeline.model.manifest import IngestManifest
from pipeline.model.plan import Plan, Shard
from pipeline.model.schemas import STAGED_DOCUMENTS
from pipeline.model.settings import IngestSettings, RunSettings
from pipeline.storage.memory import MemoryStore
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus
from tests.reading import read_whole

pytestmark = pytest.mark.usefixtures("splitters")

PROSE = " ".join(["The pans were cut into the marsh when the river moved, and worked since."] * 2)
SALT = f"=====\nSalt\nBy Ann Lee\n2024-03-12\n{PROSE}\n"
FOG = f"=====\nFog\nfog_01.jpg\n{PROSE.upper()}\n\n"
TEXT = f"Gazette of today\n{SALT}{FOG}".rstrip()
ON = IngestSettings(splitter="gazette", split_records=True)
RECORD = {"text": TEXT, "url": "https://news.example/1", "id": "7"}
DAY = dt.date(2024, 3, 12)


def _jsonl(*records: dict[str, object]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def _csv(*records: dict[str, object]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, ["id", "url", "text"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue().encode()


def _parquet(*records: dict[str, object]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(records)), stream)
    return stream.getvalue()


def _wet(*records: dict[str, object]) -> bytes:
    found = b""
    for record in records:
        text = str(record["text"]).encode()
        head = (
            f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: {record['url']}\r\n"
            f"WARC-Record-ID: {record['id']}\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(text)}\r\n\r\n"
        )
        found += head.encode() + text + b"\r\n\r\n"
    return found


def _zip(*records: dict[str, object]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a/records.jsonl", _jsonl(*records))
        archive.writestr("a/page.txt", TEXT)
    return stream.getvalue()


PACK = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet, "warc": _wet, "zip": _zip}


def split_on(stored: bytes) -> list[Piece]:
    """Read a file with records split."""
    return read_whole(stored, ON)


@pytest.mark.parametrize("pack", PACK)
def test_a_record_is_one_document_unless_splitting_is_on(pack: str) -> None:
    """By default records pass as they are; with the setting each article is a document."""
    stored = PACK[pack](RECORD)
    for settings, expected in ((IngestSettings(splitter="gazette"), [TEXT]), (ON, ["Salt", "Fog"])):
        found = [
            piece
            for piece in read_whole(stored, settings)
            if piece.kind == "document" and piece.external_id == "7"
        ]
        shown = [piece.text if len(expected) == 1 else piece.title for piece in found]
        assert shown == expected
        assert {piece.url for piece in found} == {"https://news.example/1"}


@pytest.mark.parametrize("pack", PACK)
def test_parts_tile_the_text_of_their_record(pack: str) -> None:
    """Each part says which characters of the text it has; insets tell what left the text."""
    parts = [piece for piece in split_on(PACK[pack](RECORD)) if piece.part_start is not None]
    assert "".join(TEXT[part.part_start : part.part_end] for part in parts) == TEXT
    assert [(part.kind, part.reason, part.part_start) for part in parts] == [
        ("furniture", "preamble", 0),
        ("document", "", len("Gazette of today\n")),
        ("document", "", len(f"Gazette of today\n{SALT}")),
    ]
    (inset,) = parts[2].insets
    assert TEXT[inset.part_start : inset.part_end] == "fog_01.jpg\n"
    assert "fog_01" not in parts[2].text


def test_the_record_is_counted_once_and_lies_at_its_first_document() -> None:
    """Other parts have an empty span at its edge, and the lines of the record."""
    stored = _jsonl(RECORD, {"text": "one article"}, RECORD)
    pieces = split_on(stored)
    sizes = [piece.span.char_end - piece.span.char_start for piece in pieces]
    first, second, third = (len(line) + 1 for line in stored.decode().splitlines())
    assert sizes == [0, first, 0, second, 0, third, 0]
    assert [piece.span.line_start for piece in pieces] == [1, 1, 1, 2, 3, 3, 3]


def test_what_the_record_states_holds_for_its_parts() -> None:
    """Date and author of the record win; without them each part states its own."""
    own = [piece for piece in split_on(_jsonl(RECORD)) if piece.kind == "document"]
    assert [(p.byline, p.published, p.published_rule) for p in own] == [
        ("By Ann Lee", DAY, "iso_line"), (None, None, None),
    ]  # fmt: skip
    stated = RECORD | {"author": "The desk", "date": "2026-01-02", "title": "Page 1 of 3"}
    parts = [piece for piece in split_on(_jsonl(stated)) if piece.kind == "document"]
    expected = ("The desk", dt.date(2026, 1, 2), "record")
    assert [(p.byline, p.published, p.published_rule) for p in parts] == [expected] * 2
    assert [piece.title for piece in parts] == ["Salt", "Fog"]


@pytest.mark.parametrize("text", [SALT.strip(), "=====\nSalt\nx", "=====\nSalt\n\nfog.jpg"])
def test_a_record_with_one_article_keeps_its_title(text: str) -> None:
    """What is not split is the record; it is a part only when something left its text."""
    (piece,) = split_on(_jsonl({"text": text, "title": "As the record says"}))
    assert (piece.part_start is None) == ("fog" not in text)
    assert piece.title == ("As the record says" if piece.part_start is None else "Salt")


def test_a_record_without_an_article_is_furniture() -> None:
    """Its characters count as furniture then, once."""
    (piece,) = split_on(_jsonl({"text": "Gazette of today"}))
    assert (piece.kind, piece.reason) == ("furniture", "preamble")
    assert (piece.part_start, piece.part_end) == (0, 16)


def test_damage_in_a_record_lies_in_its_first_document() -> None:
    """Wrong bytes are listed once, with their place in the file."""
    bad = _jsonl(RECORD).replace(b"today", b"to\xff")
    pieces = split_on(_jsonl(RECORD) * 9 + bad)
    assert [len(piece.inner) for piece in pieces] == [0] * 28 + [1, 0]


def test_winnow_split_shows_parts() -> None:
    """They have the place in the text of their record."""
    rows = list(segments(io.BytesIO(_jsonl(RECORD)), ON))
    assert [(row["kind"], row["part_start"]) for row in rows] == [
        ("furniture", 0), ("document", 17), ("document", 17 + len(SALT)),
    ]  # fmt: skip


def _staged(landing: Store, corpus: Corpus, objects: dict[str, bytes]) -> IngestManifest:
    files = tuple(
        DumpFile("news", "2026-11-21", f"news/2026-11-21/{name}",
                 landing.put(f"news/2026-11-21/{name}", data), len(data))
        for name, data in objects.items()
    )  # fmt: skip
    shard = Shard(0, "0123456789abcdef01234567", files)
    return ingest_shard(
        corpus, landing,
        Plan("run-1", "2026-11-21", 0.0, "generation", 0, (shard,), (), (), False,  # noqa: FBT003 - positional by contract
             RunSettings(ingest=ON), "code"), 0,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["memory", pytest.param("s3", marks=pytest.mark.server)])
def test_parts_are_staged_with_ids_of_their_own(
    kind: str, store_factory: Callable[[str], Store], tmp_path: Path
) -> None:
    """Over a real server too: ids are unique and the same in a second corpus; books balance."""
    objects = {f"a.{pack}": PACK[pack](RECORD, RECORD | {"id": "8"}) for pack in PACK}
    tables = []
    for _ in range(2):
        landing, corpus = store_factory(kind), Corpus(store_factory(kind), tmp_path)
        manifest = _staged(landing, corpus, objects)
        assert all(counts.balanced for counts in manifest.files)
        tables.append((corpus.read(manifest.documents), corpus.read(manifest.quarantine)))
    (documents, quarantine), again = tables
    assert (documents, quarantine) == again
    assert documents.schema == STAGED_DOCUMENTS
    ids = documents["document_id"].to_pylist()
    assert len(set(ids)) == len(ids) == 4 * len(PACK) + 2
    assert sum(counts.documents for counts in manifest.files) == len(ids)
    inside = [row for row in quarantine.to_pylist() if row["document_id"]]
    assert {row["reason"] for row in inside} == {"image_name"}
    assert {row["document_id"] for row in inside} < set(ids)
    spans = {row["document_id"]: row for row in documents.to_pylist()}
    for row in inside:
        hull = spans[row["document_id"]]
        assert hull["char_start"] <= row["char_start"] <= row["char_end"] <= hull["char_end"]


def test_a_part_keeps_its_id_when_another_part_is_cut_differently(tmp_path: Path) -> None:
    """The id of a part depends on its record and its own place in it."""
    other = TEXT.replace("fog_01.jpg", "=====\nMist")
    found = []
    for text in (TEXT, other):
        corpus = Corpus(MemoryStore(), tmp_path)
        manifest = _staged(MemoryStore(), corpus, {"a": _parquet({"text": text})})
        rows = corpus.read(manifest.documents).select(["title", "document_id", "char_end"])
        found.append({row["title"]: row["document_id"] for row in rows.to_pylist()})
    assert found[0].keys() == {"Salt", "Fog"}
    assert found[1].keys() == {"Salt", "Fog", "Mist"}
    assert len(TEXT) == len(other)
    assert found[0]["Salt"] == found[1]["Salt"]


def test_the_last_part_of_a_page_that_ends_early_is_marked() -> None:
    """The others are whole."""
    stored = _wet(RECORD).replace(b"Content-Length", b"WARC-Truncated: time\r\nContent-Length")
    documents = [piece for piece in read_whole(stored, ON) if piece.kind == "document"]
    assert [bool(piece.cut) for piece in documents] == [False, True]
