"""Shared passages against the definition, however a dump is packed and read."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup.containment import EVIDENCE
from pipeline.dedup.passages import find_passages
from pipeline.ingest.passage_rows import passage_runs
from pipeline.model.ids import document_id
from pipeline.model.manifest import IngestManifest, PassagesManifest, TouchedDump
from pipeline.model.schemas import PARAGRAPHS, SAMPLES
from pipeline.model.settings import PassageSettings
from pipeline.signature import cut, sign
from pipeline.storage import layout
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus, concat

RULE = PassageSettings(repeated_documents=2, repeated_words=2, containment=0.9)
LINES = (
    "read the original text",
    "READ the original   text",
    "我们使用缓存文件",
    "ok",
    *(" ".join(f"w{part}x{word}" for word in range(60)) for part in range(5)),
)


class Doc(NamedTuple):
    """A document of a made-up dump."""

    source: str
    text: str
    kept: bool


DOCS = st.lists(
    st.builds(
        Doc,
        st.sampled_from(["wire", "blog"]),
        st.lists(st.sampled_from(LINES), max_size=5).map("\n".join),
        st.sampled_from([True, True, False]),
    ),
    min_size=1,
    max_size=14,
)


def identity(number: int) -> str:
    """The id of a document by its place in the dump."""
    return document_id("test", str(number), 0, 1)


def dump_of(corpus: Corpus, docs: Sequence[Doc], shards: int, *, old: bool = False) -> TouchedDump:
    """Store the shards of a dump, in the order of its documents, and its verdicts."""
    size = -(-len(docs) // shards)
    names = []
    for first in range(0, len(docs), size):
        names.append(f"s{first}of{shards}{old}")
        _shard(corpus, names[-1], docs[first : first + size], first=first, old=old)
    rows = sorted((identity(number), doc.kept) for number, doc in enumerate(docs))
    verdicts = pa.table({"document_id": [row[0] for row in rows], "kept": [row[1] for row in rows]})
    counts = dict.fromkeys(("documents", "kept", "dropped_exact", "dropped_near"), 0)
    return TouchedDump(
        dump_date="2026-11-21",
        generation="g",
        shards=tuple(names),
        kept_hashes=tuple(f"{name}{rows}" for name in names),
        verdicts=corpus.write("decide", "d", "verdicts", verdicts),
        dropped_history=0,
        retracted=0,
        restored=0,
        **counts,
    )


def _shard(corpus: Corpus, name: str, docs: Sequence[Doc], *, first: int, old: bool) -> None:
    texts = pa.array([doc.text for doc in docs], pa.string())
    ids = [identity(first + place) for place in range(len(docs))]
    documents = pa.table(
        {
            "document_id": ids,
            "source": [doc.source for doc in docs],
            "word_count": sign(texts).tokens,
        }
    )
    raw = pa.array([bytes.fromhex(one) for one in ids], pa.binary(16))
    runs = list(passage_runs(texts, 0, most=3))
    tables = {
        "documents": documents,
        "signatures": pa.table({"document_id": raw}),
        "quarantine": pa.table({"none": [1]}),
        "paragraphs": concat([run[0] for run in runs], PARAGRAPHS),
        "samples": concat([run[1] for run in runs], SAMPLES),
    }
    kept = {key: table for key, table in tables.items() if not old or key != "samples"}
    refs = {
        key: corpus.write("ingest", name, key, table, row_group_size=2 if key == "samples" else 5)
        for key, table in kept.items()
    }
    corpus.finish(layout.unit("ingest", name), IngestManifest(fingerprint=name, files=(), **refs))


Spans = set[tuple[int, int, int, int]]
Contained = dict[int, tuple[str, float]]


def told(corpus: Corpus, found: PassagesManifest, docs: Sequence[Doc]) -> tuple[Spans, Contained]:
    """Return (document, start, end, count) of repeated paragraphs, and who is contained in what."""
    size = -(-len(docs) // max(len(found.shards), 1))
    spans: Spans = set()
    inner: Contained = {}
    for place, shard in enumerate(found.shards):
        first = place * size
        assert shard.repeats is not None
        assert shard.contained is not None
        for row in corpus.read(shard.repeats).to_pylist():
            spans.add((row["row"] + first, row["start"], row["end"], row["documents"]))
        for row in corpus.read(shard.contained).to_pylist():
            inner[row["row"] + first] = row["contained_in"], row["containment"]
    return spans, inner


def defined(docs: Sequence[Doc]) -> tuple[Spans, Contained]:
    """Say the same from the definition: sets of lines and of samples of each kept document."""
    lines: dict[int, list[tuple[int, int, tuple[str, int]]]] = {}
    standing: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    samples: dict[int, set[int]] = {}
    words: dict[int, int] = {}
    for number, doc in enumerate(docs):
        if doc.kept:
            one = cut(pa.array([doc.text]))
            samples[number], words[number] = set(one.keys.tolist()), int(one.places[:, 3].sum())
            lines[number] = [
                (int(start), int(end), (doc.source, int(key)))
                for key, (_, start, end, count) in zip(one.hashes, one.places, strict=True)
                if count >= RULE.repeated_words
            ]
            for *_, key in lines[number]:
                standing[key].add(number)
    spans = {
        (number, start, end, len(standing[key]))
        for number, found in lines.items()
        for start, end, key in found
        if len(standing[key]) >= RULE.repeated_documents
    }
    return spans, dict(_inner(samples, words))


def _inner(
    samples: dict[int, set[int]], words: dict[int, int]
) -> list[tuple[int, tuple[str, float]]]:
    """Find containers that have all samples: lines here are in a document or are not."""
    found = []
    for one, keys in samples.items():
        whole = [
            other
            for other, more in samples.items()
            if keys <= more and (words[other], -other) > (words[one], -one)
        ]
        if len(keys) >= EVIDENCE and whole:
            found.append((one, (identity(min(whole)), 1.0)))
    return found


@settings(deadline=None, max_examples=25)
@given(DOCS, st.integers(1, 3), st.sampled_from([1 << 23, 40, 7]))
def test_passages_are_those_of_the_definition(
    docs: list[Doc], shards: int, slice_rows: int
) -> None:
    """Whatever the packing and the slices, counts and containers follow from the kept documents."""
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Corpus(MemoryStore(), Path(scratch))
        dump = dump_of(corpus, docs, shards)
        found = find_passages(corpus, dump, RULE, slice_rows=slice_rows)
        spans, inner = told(corpus, found, docs)
    expected, containers = defined(docs)
    assert spans == expected
    assert {number: pair for number, pair in inner.items() if pair[1] == 1} == containers


def test_shards_without_passages_are_not_looked_through(tmp_path: Path) -> None:
    """A dump that was ingested before passages were recorded has neither, and says so."""
    corpus = Corpus(MemoryStore(), tmp_path)
    docs = [Doc("wire", LINES[0], kept=True)] * 3
    found = find_passages(corpus, dump_of(corpus, docs, 1, old=True), RULE)
    assert [(shard.repeats, shard.contained) for shard in found.shards] == [(None, None)]


def test_what_is_found_once_is_found_again(tmp_path: Path) -> None:
    """A second call reads the manifest, another rule looks anew."""
    corpus = Corpus(MemoryStore(), tmp_path)
    dump = dump_of(corpus, [Doc("wire", LINES[0], kept=True)] * 3, 1)
    first = find_passages(corpus, dump, RULE)
    assert find_passages(corpus, dump, RULE) == first
    more = find_passages(corpus, dump, PassageSettings(repeated_documents=4))
    assert more.fingerprint != first.fingerprint
    assert [shard.repeats.rows for shard in (*first.shards, *more.shards) if shard.repeats] == [
        3,
        0,
    ]
