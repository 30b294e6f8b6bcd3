"""Whole nights whose documents share paragraphs, or stand inside each other."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.dataset as ds
import pytest

from pipeline.audit import verify
from pipeline.audit.explain import explain_document
from pipeline.model.settings import PassageSettings, PlanSettings, Settings
from pipeline.runner import corpus_session
from pipeline.storage.open import open_store
from tests.nights import land, published_bytes, run, settings_for

DATE, EARLIER = "2026-11-16", "2026-11-15"
NOTICE, LINK = "We use cookies to make this site better for you.", "Read the original text"
CHINESE = "我们使用缓存文件来改善网站"
Row = dict[str, Any]


def prose(seed: str, words: int = 90) -> str:
    """Return words that no other seed has in a row."""
    rng = random.Random(seed)  # noqa: S311 - made-up text
    return " ".join(f"w{rng.randrange(50_000)}" for _ in range(words))


STORY = "\n".join(prose(f"story{part}", 60) for part in range(3))


def articles(count: int = 24) -> list[tuple[str, str]]:
    """Return (name, text): every second with notices, the third around the story, the story."""
    made = []
    for number in range(count):
        parts = [prose(f"{number}a"), prose(f"{number}b")]
        if number % 2 == 0:
            parts = [NOTICE, "", *parts, CHINESE, LINK]
        if number == 3:
            parts.insert(1, STORY)
        made.append((f"a{number:02}", "\n".join(parts)))
    return [*made, ("story", STORY), ("notice", NOTICE)]


def files(texts: Sequence[tuple[str, str]], date: str = DATE) -> list[tuple[str, bytes]]:
    """Return three dump files of records."""
    lines = [json.dumps({"id": name, "text": text}) for name, text in texts]
    return [(f"wire/{date}/{part}.jsonl", "\n".join(lines[part::3]).encode()) for part in range(3)]


def corpus_of(
    folder: Path, nights: Sequence[list[tuple[str, bytes]]], *, shards: int = 1, **rule: Any
) -> Settings:
    """Publish nights in the order given and return the settings of their corpus."""
    made = settings_for(str(folder / "landing"), str(folder / "corpus"))
    made = msgspec.structs.replace(
        made,
        passages=PassageSettings(**rule),
        plan=PlanSettings(quiet_seconds=0, shard_bytes=1, max_shards=shards),
    )
    store = open_store(made.store.landing, create=True)
    for number, night in enumerate(nights):
        land(store, night)
        run(made, night[0][0].split("/")[1], f"run-{number}")
    return made


def rows(made: Settings, table: str = "documents") -> dict[str, Row]:
    """Return the rows of a table by the id that their record states, or by their place."""
    found = ds.dataset(f"{made.store.corpus}/{table}", partitioning="hive").to_table().to_pylist()
    return {row.get("external_id") or str(at): row for at, row in enumerate(found)}


def marked(row: Row) -> list[tuple[str, int]]:
    """Return the repeated paragraphs of a row and in how many documents they stand."""
    return [
        (row["text"][span["start"] : span["end"]], span["documents"])
        for span in row["repeated_spans"]
    ]


def test_repeated_paragraphs_are_marked_where_they_stand(tmp_path: Path) -> None:
    """Spans are characters of the published text; short and rare lines are left alone."""
    found = rows(corpus_of(tmp_path, [files(articles())]))
    assert marked(found["a00"]) == [(NOTICE, 13), (CHINESE, 12), (LINK, 12)]
    assert found["a00"]["repeated_share"] == pytest.approx(
        len(NOTICE + CHINESE + LINK) / found["a00"]["char_count"]
    )
    assert (marked(found["a01"]), found["a01"]["repeated_share"]) == ([], 0)
    assert {name for name, row in found.items() if row["contained_in"]} == {"story"}
    assert found["story"]["contained_in"] == found["a03"]["document_id"]
    assert found["story"]["containment"] == 1


def test_removed_paragraphs_are_on_record(tmp_path: Path) -> None:
    """What is gone from a text is in quarantine; hash and counts are of what is left."""
    kept = corpus_of(tmp_path / "flag", [files(articles())])
    made = corpus_of(tmp_path / "remove", [files(articles())], repeated="remove")
    before, after = rows(kept), rows(made)
    text = articles()[0][1]
    assert after["a00"]["text"] == "\n".join([prose("0a"), prose("0b")])
    assert after["a00"]["char_count"] == len(after["a00"]["text"])
    assert (after["a00"]["word_count"], after["a00"]["repeated_spans"]) == (180, [])
    assert after["a00"]["repeated_share"] == before["a00"]["repeated_share"]
    assert after["notice"]["text"] == NOTICE
    records = [row for row in rows(made, "quarantine").values() if row["document_id"]]
    assert len(records) == 3 * 12
    mine = [row for row in records if row["document_id"] == after["a00"]["document_id"]]
    assert [text[row["text_start"] : row["text_end"]] for row in mine] == [NOTICE, CHINESE, LINK]
    assert {(row["kind"], row["reason"]) for row in records} == {
        ("furniture", "repeated_paragraph")
    }
    with corpus_session(made) as corpus:
        assert list(verify.findings(corpus)) == []


def test_removal_changes_no_verdict(tmp_path: Path) -> None:
    """Signatures are of the text as it was split: the verdicts are the same, byte by byte."""
    sums = []
    for rule in ("off", "flag", "remove"):
        made = corpus_of(tmp_path / rule, [files(articles())], repeated=rule)
        found = published_bytes(open_store(made.store.corpus))
        sums.append({key: value for key, value in found.items() if key.startswith("verdicts/")})
    assert sums[0] == sums[1] == sums[2]


def test_off_means_not_looked_for(tmp_path: Path) -> None:
    """Null says that nobody looked; no span and no container say that there is none."""
    row = rows(corpus_of(tmp_path, [files(articles())], repeated="off", contained="off"))["a00"]
    names = ("repeated_spans", "repeated_share", "contained_in", "containment")
    assert [row[name] for name in names] == [None] * 4


@pytest.mark.parametrize("repeated", ["flag", "remove"])
def test_order_and_packing_do_not_matter(tmp_path: Path, repeated: str) -> None:
    """Promise 4: a late night that takes documents away changes counts as if it had come first.

    The earlier night has eight of the notices' articles and the page around the story: then too
    few of the notices are left to count, and nothing contains the story.
    """
    late = [pair for pair in articles() if pair[0] in {f"a{n:02}" for n in (*range(0, 16, 2), 3)}]
    nights = [files(late, EARLIER), files(articles())]
    results = []
    for name, order, shards in (("a", nights, 1), ("b", nights[::-1], 7)):
        made = corpus_of(tmp_path / name, order, shards=shards, repeated=repeated)
        with corpus_session(made) as corpus:
            assert list(verify.findings(corpus)) == []
        results.append(published_bytes(open_store(made.store.corpus)))
    assert results[0] == results[1]
    found = {
        row["external_id"]: row for row in rows(made).values() if str(row["dump_date"]) == DATE
    }
    assert "a00" not in found
    assert found["a16"]["repeated_share"] == pytest.approx(
        len(NOTICE) / len(articles()[16][1]), abs=1e-3
    )
    assert found["story"]["contained_in"] is None


def test_copies_do_not_make_a_paragraph_repeated(tmp_path: Path) -> None:
    """A night brings an article six times: it is published once, and none of it is repeated."""
    text = "\n".join(prose(f"same{part}", 40) for part in range(4))
    made = corpus_of(tmp_path, [files([(f"copy{number}", text) for number in range(6)])])
    (row,) = rows(made).values()
    assert row["repeated_spans"] == []
    assert row["contained_in"] is None


def test_explain_tells_of_passages(tmp_path: Path) -> None:
    """The answer about a published document quotes what repeats and names its container."""
    made = corpus_of(tmp_path, [files(articles())])
    found = rows(made)
    with corpus_session(made) as corpus:
        answer = explain_document(corpus, found["a00"]["document_id"])
        assert [(one["text"], one["detail"]) for one in answer["repeated"]] == [
            (NOTICE, "in 13 documents of the night"),
            (CHINESE, "in 12 documents of the night"),
            (LINK, "in 12 documents of the night"),
        ]
        answer = explain_document(corpus, found["story"]["document_id"])
        assert answer["container"]["document_id"] == found["a03"]["document_id"]
        assert answer["containment"] == 1
