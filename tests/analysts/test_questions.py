"""The questions of docs/questions.md, answered by DuckDB and, from the files, by pandas."""

from __future__ import annotations

import base64
import datetime as dt
import math
import pickle
import random
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.audit import sightings
from pipeline.model import schemas
from pipeline.storage import layout
from tests.analysts import answers, tools
from tests.analysts.conftest import Demo

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/questions.md").read_text("utf-8")
QUESTIONS = {
    int(number): sql
    for number, sql in re.findall(
        r"^### (\d+)\. .*?```sql\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE
    )
}
NIGHTS = [dt.date(2026, 11, 1) + dt.timedelta(days=days) for days in (0, 1, 2, 5, 9)]
SOURCES = ("north", "south", "east")
Row = dict[str, Any]


def test_there_are_twenty_five() -> None:
    """Each has a number, its SQL, and an answer computed in another way."""
    assert list(QUESTIONS) == list(range(1, 26)) == list(answers.ANSWERS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables with what the demo lacks: large clusters, ties, mixed sources, nulls, empty nights."""
    folder = tmp_path_factory.mktemp("made")
    chance = random.Random(7)  # noqa: S311 - the same tables each time
    verdicts: list[Row] = []
    documents: list[Row] = []
    for night in NIGHTS:
        published = [row for row in verdicts if row["kept"]]
        for _ in range(70):
            row = _verdict(night, chance, published)
            verdicts.append(row)
            if row["kept"]:
                published.append(row)
                documents.append(_document(row, chance))
    spans = [_span(night, chance) for night in NIGHTS for _ in range(30)]
    _write(folder, "documents", documents, ("dump_date", "language"))
    _write(folder, "verdicts", verdicts, ("dump_date",))
    _write(folder, "quarantine", spans, ("dump_date",))
    _write(folder, "runs", [{"dump_date": night} for night in NIGHTS], ("dump_date",))
    return folder


def _verdict(night: dt.date, chance: random.Random, published: Sequence[Row]) -> Row:
    source = chance.choice(SOURCES)
    row: Row = {
        "dump_date": night,
        "document_id": f"{chance.getrandbits(128):032x}",
        "source": source,
        "dump_file": f"{source}/{night}/{chance.randrange(8)}.txt",
        "char_start": chance.randrange(1000),
        "char_end": 2000,
        "kept": True,
        "reason": "unique",
    }
    if published and chance.random() < 0.5:
        witness = published[min(int(chance.expovariate(0.2)), len(published) - 1)]
        exact = chance.random() < 0.6
        row |= {
            "kept": False,
            "reason": "exact" if exact else "near",
            "witness_id": witness["document_id"],
            "witness_dump_date": str(witness["dump_date"]),
            "similarity": 1.0 if exact else chance.randrange(192, 256) / 256,
        }
    return row


def _document(row: Row, chance: random.Random) -> Row:
    status = chance.choice(["ok", "ok", "ok", "low_confidence", "short"])
    dated = chance.random() < 0.5 and row["source"] != "east"
    days = dt.timedelta(days=chance.randrange(-1, 40))
    return {name: row[name] for name in ("dump_date", "document_id", "source")} | {
        "language": chance.choice(["eng", "eng", "deu", "und"]),
        "char_count": chance.randrange(50),
        "word_count": chance.randrange(1, 12),
        "language_confidence": chance.random(),
        "topic_status": status,
        "topic_label": None if status == "short" else chance.choice(["sport", "health", "weather"]),
        "published": row["dump_date"] - days if dated else None,
    }


def _span(night: dt.date, chance: random.Random) -> Row:
    kind = chance.choice(["furniture", "quarantine"])
    start = chance.randrange(100)
    return {
        "dump_date": night,
        "source": chance.choice(SOURCES),
        "kind": kind,
        "reason": chance.choice(["blank", "heading"] if kind == "furniture" else ["empty", "cut"]),
        "char_start": start,
        "char_end": start + chance.randrange(9),
        "stored_bytes": chance.randrange(3),
    }


def _write(folder: Path, table: str, rows: Sequence[Row], partitions: Sequence[str]) -> None:
    """Write rows as the plain trees have them; columns that no question asks for stay null."""
    fields = [field.with_nullable(nullable=True) for field in getattr(schemas, table.upper())]
    for key in sorted({tuple(row[name] for name in partitions) for row in rows}):
        part = [row for row in rows if tuple(row[name] for name in partitions) == key]
        leaf = layout.tree(table, str(key[0]), *key[1:])
        (folder / leaf).mkdir(parents=True)
        found = pa.Table.from_pylist(part, schema=pa.schema(fields))
        pq.write_table(found, folder / leaf / layout.part(0))


def asked(trees: Path, sql: str) -> list[tuple[Any, ...]]:
    """Answer a question with the views over some trees."""
    with duckdb.connect() as connection:
        connection.execute(sightings.VIEWS.format(corpus=trees))
        return connection.execute(sql).fetchall()


def same(found: Any, expected: Any) -> bool:
    """Compare values; numbers that were rounded may differ in the last digit."""
    if isinstance(expected, float) and found is not None:
        if math.isnan(expected):
            return False
        return math.isclose(float(found), expected, abs_tol=1.01e-4, rel_tol=1e-9)
    if found is None:
        return expected is None or expected != expected  # noqa: PLR0124 - pandas' null
    return bool(found == expected)


def check(number: int, trees: Path, found: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """Compare both answers row by row."""
    found = asked(trees, QUESTIONS[number]) if found is None else found
    expected = answers.ANSWERS[number](answers.read(trees))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert len(one) == len(other)
        assert all(same(a, b) for a, b in zip(one, other, strict=True)), (one, other)
    return found


@pytest.mark.parametrize("number", QUESTIONS)
def test_the_answer_on_made_up_tables(made: Path, number: int) -> None:
    """DuckDB with the page's SQL and pandas without the views agree, and there is an answer."""
    assert check(number, made)


@pytest.mark.parametrize("number", QUESTIONS)
def test_the_answer_on_the_demo(demo: Demo, number: int) -> None:
    """The same on the demo corpus; only self-copies may be none."""
    assert check(number, demo.trees)


ON_S3 = """
import base64, os, pickle, sys
from pathlib import Path
exec(sys.argv[1])
connection.execute(sys.argv[2])
questions = pickle.loads(base64.b64decode(sys.argv[3]))
found = {number: connection.execute(sql).fetchall() for number, sql in questions.items()}
print(base64.b64encode(pickle.dumps((documents.count("*").fetchall(), found))).decode())
"""


def test_every_answer_on_s3_by_duckdb_alone(demo: Demo) -> None:
    """DuckDB's own S3 reader, set up as docs/reading.md says, answers all of them on the server."""
    page = (ROOT / "docs/reading.md").read_text("utf-8")
    (block,) = [
        one for one in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "httpfs" in one
    ]
    server = f"ENDPOINT '{urlsplit(demo.endpoint).netloc}', USE_SSL false"
    block = block.replace("ENDPOINT 's3.example'", server)
    block = block.replace("s3://bucket/prefix", demo.url)
    views = sightings.VIEWS.format(corpus=demo.url)
    questions = base64.b64encode(pickle.dumps(QUESTIONS)).decode()
    done = subprocess.run(
        [tools.python(), "-c", ON_S3, block, views, questions],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    whole, found = pickle.loads(base64.b64decode(done.stdout))  # noqa: S301 - of our own script
    assert whole == [(len(answers.read(demo.trees).documents),)]
    for number in QUESTIONS:
        check(number, demo.trees, found[number])
