"""A whole night of records that hold several articles, and of pages with pictures."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from pipeline import runner
from pipeline.audit import verify
from pipeline.model.settings import IngestSettings, PlanSettings
from pipeline.storage import layout
from pipeline.storage.open import open_store
from tests.bad_inputs import make
from tests.nights import land, published_bytes, run, settings_for

DATE = "2026-11-21"
PLACES = ("harbour", "station", "library", "orchard", "brewery", "theatre")


def article(place: str, number: int) -> str:
    """Return an article of the layout that docs/formats.md splits, with a picture."""
    said = " ".join(
        f"The {place} has gate {number * 7 + at} and lamp {at * 3}." for at in range(30)
    )
    return f"=====\nThe {place} number {number}\nBy Ann Lee\nlamp_{number}.jpg\n{said}\n"


@pytest.mark.usefixtures("splitters")
def test_split_records_keep_every_promise(tmp_path: Path) -> None:
    """Parts are published, deduplicated and verified like documents; pages beside them too."""
    settings = msgspec.structs.replace(
        settings_for(str(tmp_path / "landing"), str(tmp_path / "corpus")),
        ingest=IngestSettings(splitter="gazette", split_records=True),
    )
    articles = [article(place, number) for number, place in enumerate(PLACES)]
    records = [
        {"text": "Today\n" + "".join(articles[:3]), "url": "https://news.example/1"},
        {"text": "".join(articles[2:5]), "url": "https://news.example/2"},
    ]
    stored = "".join(json.dumps(record) + "\n" for record in records).encode()
    landing = open_store(str(tmp_path / "landing"), create=True)
    open_store(str(tmp_path / "corpus"), create=True)
    land(landing, [(f"wire/{DATE}/a.jsonl", stored),
                   (f"wire/{DATE}/b.txt", "".join(articles[4:]).encode())])  # fmt: skip
    counts = run(settings, DATE, "first")
    with runner.session(settings) as night:
        assert list(verify.findings(night.corpus)) == []
    assert counts["kept"] == len(PLACES)


@pytest.mark.usefixtures("splitters")
def test_split_records_of_large_files_are_published_alike(tmp_path: Path) -> None:
    """Files of records, read in sections or whole, give the same published bytes."""
    records = [
        {"text": "Today\n" + "".join(article(PLACES[n % 6], 9 * n + m) for m in range(3)), "id": n}
        for n in range(20)
    ]
    lines = [json.dumps(record).encode() + b"\n" for record in records]
    landing = open_store(str(tmp_path / "landing"), create=True)
    land(landing, [(f"wire/{DATE}/a.jsonl", b"".join(lines)),
                   (f"wire/{DATE}/b.jsonl.gz", b"".join(make.members(lines)))])  # fmt: skip
    results, shards = [], []
    for size in (3_000, 1 << 30):
        corpus = str(tmp_path / str(size))
        settings = msgspec.structs.replace(
            settings_for(str(tmp_path / "landing"), corpus),
            ingest=IngestSettings(splitter="gazette", split_records=True),
            plan=PlanSettings(quiet_seconds=0, shard_bytes=size),
        )
        run(settings, DATE, "run")
        store = open_store(corpus)
        results.append(published_bytes(store))
        shards.append(len(list(store.list(layout.UNITS + "measure/"))))
    assert results[0] == results[1]
    assert shards[0] > shards[1] == 0
