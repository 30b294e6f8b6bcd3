"""Paragraphs and samples of texts, counting them, and texts without them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedup.containment import EVIDENCE, HELD_PAIRS, HOT, Tally
from pipeline.dedup.repeats import count_documents
from pipeline.enrich.spans import Spans, without
from pipeline.ingest.passage_rows import PIECE_ROWS, passage_runs, pieces_of
from pipeline.model.schemas import REPEATS
from pipeline.signature import SAMPLE_BITS, cut, sign

SENTENCES = {
    "eng": "We use cookies to make this site better for you.",
    "fra": "Nous utilisons des cookies pour améliorer ce site.",
    "rus": "Мы используем файлы cookie, чтобы сделать сайт лучше.",
    "ara": "نستخدم ملفات تعريف الارتباط لتحسين هذا الموقع.",
    "zho": "我们使用缓存文件来改善网站。",
    "jpn": "このサイトを良くするためにクッキーを使います。",
    "tha": "เราใช้คุกกี้เพื่อทำให้เว็บไซต์นี้ดีขึ้น",
    "hin": "हम इस साइट को बेहतर बनाने के लिए कुकीज़ का उपयोग करते हैं।",
}


def paragraphs(*texts: str) -> list[tuple[int, str, int]]:
    """Return text number, characters and words of each paragraph."""
    return [
        (int(row), texts[row][start:end], int(words))
        for row, start, end, words in cut(pa.array(texts, pa.string())).places
    ]


@given(st.lists(st.text(alphabet="ab é世\n\t*😀ไ", max_size=300), max_size=6))
def test_paragraphs_are_the_lines_with_a_word(texts: list[str]) -> None:
    """Spans are characters, whatever the bytes; lines without a word are left out."""
    expected = []
    for row, text in enumerate(texts):
        lines = text.split("\n")
        words = sign(pa.array(lines, pa.string())).tokens
        expected += [
            (row, line, int(count)) for line, count in zip(lines, words, strict=True) if count
        ]
    assert paragraphs(*texts) == expected


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_equal_paragraphs_have_equal_hashes_in_every_language(sentence: str) -> None:
    """The words count, not where the paragraph stands, its case or its spaces."""
    other = f"{sentence} 1\n\n\t {sentence.upper()}  "
    found = cut(pa.array([sentence, other]))
    first, longer, again = found.hashes.tolist()
    assert first == again
    assert first != longer


def test_paragraph_hash_is_the_content_hash_of_its_line() -> None:
    """The machinery is that of signatures: the first half of the content hash."""
    line = SENTENCES["fra"]
    found = cut(pa.array([f"Titre\n{line}"]))
    assert found.hashes[1] == sign(pa.array([line])).content_hash[0].view("<u8")[0]


@pytest.mark.parametrize("sentence", SENTENCES.values(), ids=SENTENCES)
def test_samples_of_an_embedded_text_are_samples_of_the_page(sentence: str) -> None:
    """A story's samples are a subset of those of any page that has it, cut into lines anew."""
    story = " ".join(f"{sentence} {number}" for number in range(40))
    page = "Before it stands this.\n" + story.replace(". ", ".\n") + "\nAnd this behind."
    found = cut(pa.array([story, page]))
    inner, outer = (set(found.keys[found.owners == row].tolist()) for row in (0, 1))
    assert len(inner) > EVIDENCE
    assert inner <= outer
    assert max(outer) < 2**SAMPLE_BITS


def test_samples_are_distinct_and_one_in_eight() -> None:
    """A shingle that stands twice is sampled once, and an eighth of the shingles is."""
    rng = np.random.default_rng(5)
    text = " ".join(f"w{number}" for number in rng.integers(0, 10**6, 20_000))
    found = cut(pa.array([text, f"{text} {text}"]))
    once, twice = (found.keys[found.owners == row] for row in (0, 1))
    assert np.all(np.diff(once.astype(np.int64)) > 0)
    assert len(once) <= len(twice) <= len(once) + 4
    assert 2350 < len(once) < 2650


def test_texts_of_a_slice_are_cut_as_alone() -> None:
    """Slices of an array and large strings give what the texts give by themselves."""
    texts = pa.array(["one\ntwo", "three words here", "", "four\n\nfive"])
    whole, part = cut(texts), cut(texts.slice(1).cast(pa.large_string()))
    assert part.hashes.tolist() == whole.hashes.tolist()[2:]


def test_runs_are_sorted_and_number_rows_through_the_shard() -> None:
    """A batch becomes runs sorted by (hash, row, start), with rows from the first of the batch."""
    ((rows, samples),) = passage_runs(pa.array(["b\na\nb", "a"]), 7)
    keys = [(row["hash"], row["row"], row["start"]) for row in rows.to_pylist()]
    assert keys == sorted(keys)
    assert sorted((row, start) for _, row, start in keys) == [(7, 0), (7, 2), (7, 4), (8, 0)]
    assert samples.num_rows == 0


def test_samples_of_a_run_are_those_of_the_texts() -> None:
    """Sorted by (key, row), in runs of so many texts as fit, none is lost or changes its text."""
    texts = pa.array([f"{SENTENCES['eng']} {SENTENCES['rus']} {number % 3}" for number in range(7)])
    found = cut(texts)
    expected = sorted(zip(found.keys.tolist(), (found.owners + 9).tolist(), strict=True))
    runs = [samples for _, samples in passage_runs(texts, 9, most=3)]
    pairs = [[(row["key"], row["row"]) for row in run.to_pylist()] for run in runs]
    assert [run == sorted(run) for run in pairs] == [True] * 3
    assert sorted(pair for run in pairs for pair in run) == expected
    assert len(expected) >= 7


def test_pieces_of_a_run_are_all_of_it() -> None:
    """Row groups are cut without losing a row."""
    run = pa.table({"key": range(2 * PIECE_ROWS + 1)})
    pieces = list(pieces_of(run))
    assert [piece.num_rows for piece in pieces] == [PIECE_ROWS, PIECE_ROWS, 1]
    assert pa.concat_tables(pieces).equals(run)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 11)), max_size=80),
    st.lists(st.integers(0, 3), min_size=12, max_size=12),
)
def test_paragraphs_are_counted_once_a_document_and_by_source(
    found: list[tuple[int, int]], sources: list[int]
) -> None:
    """The count is the number of documents of the paragraph's own source that have it."""
    found.sort(key=lambda pair: pair[1])
    hashes = np.array([pair[0] for pair in found], np.uint64)
    documents = np.array([pair[1] for pair in found], np.int64)
    counts = count_documents(hashes, documents, np.array(sources, np.int32))
    expected = [
        len({d for h, d in found if h == hash_ and sources[d] == sources[document]})
        for hash_, document in found
    ]
    assert counts.tolist() == expected


def tally(
    samples: list[set[int]],
    words: list[int] | None = None,
    *,
    parts: int = 1,
    held: int = HELD_PAIRS,
) -> Tally:
    """Count the samples of documents in `parts` slices of the keys."""
    sizes = words or [len(keys) for keys in samples]
    result = Tally(np.array(sizes, np.int32), held=held)
    for part in range(parts):
        pairs = [
            (key, row) for row, keys in enumerate(samples) for key in keys if key % parts == part
        ]
        keys, rows = (np.array(column) for column in zip(*pairs, strict=True))
        result.add(keys.astype(np.uint64), rows.astype(np.int64))
    return result


def contained(made: Tally, threshold: float = 0.8) -> list[tuple[int, int, float]]:
    """Return (document, container, share) of all that is contained."""
    found = made.containers(threshold)
    columns = (found.document, found.container, found.share)
    return list(zip(*(column.tolist() for column in columns), strict=True))


STORY = set(range(100, 120))


def test_a_document_is_contained_in_the_one_that_has_most_of_it() -> None:
    """Of several containers the fullest counts, of equally full ones the first."""
    most = {*range(100, 118), *range(60)}
    pages = [STORY, most, STORY | set(range(200, 240)), STORY | set(range(300, 340))]
    assert contained(tally(pages)) == [(0, 2, 1.0)]
    assert contained(tally([STORY, most])) == [(0, 1, pytest.approx(0.9))]
    assert contained(tally([STORY, most]), threshold=0.95) == []


def test_documents_of_equal_samples_do_not_contain_each_other() -> None:
    """The later of two names the earlier, never both each other."""
    assert contained(tally([STORY, STORY])) == [(1, 0, 1.0)]


def test_little_evidence_proves_nothing() -> None:
    """Fewer than eight samples are no evidence, and eight must all be found."""
    few, eight = set(range(EVIDENCE - 1)), set(range(EVIDENCE))
    page = set(range(7)) | set(range(50, 90))
    assert contained(tally([few, page])) == []
    assert contained(tally([eight, page])) == []
    assert contained(tally([eight, page | eight])) == [(0, 1, 1.0)]


def test_boilerplate_is_no_evidence() -> None:
    """What very many documents share neither makes nor hinders a container."""
    notice = set(range(10))
    crowd = [notice | set(range(1000 * n, 1000 * n + 30)) for n in range(1, HOT + 2)]
    assert contained(tally(crowd)) == []
    story, page = notice | STORY, STORY | set(range(300, 400))
    assert contained(tally([*crowd, story, page])) == [(HOT + 1, HOT + 2, 1.0)]
    mostly = set(range(20)) | set(range(100, 108))
    crowd = [set(range(20)) | set(range(1000 * n, 1000 * n + 30)) for n in range(1, HOT + 2)]
    assert contained(tally([*crowd, mostly, page])) == []


@given(
    st.lists(st.sets(st.integers(0, 40), min_size=1, max_size=16), min_size=1, max_size=12),
    st.integers(1, 7),
    st.sampled_from([0, 1, 100, HELD_PAIRS]),
)
def test_slices_of_the_keys_do_not_matter(samples: list[set[int]], parts: int, held: int) -> None:
    """The containers are those of the definition, in however many slices the keys are counted.

    Nor does it matter how many pairs are in memory at a time.

    With at most 16 samples and .94 only documents that are contained whole are.
    """
    samples.append(set(range(parts)))  # each slice has a key
    expected = []
    for row, keys in enumerate(samples):
        shares = [
            (-len(keys & other) / len(keys), place)
            for place, other in enumerate(samples)
            if place != row
            and (len(other) > len(keys) or (len(other) == len(keys) and place < row))
        ]
        best = min(shares, default=(0.0, 0))
        if len(keys) >= EVIDENCE and -best[0] >= 1:
            expected.append((row, best[1], 1.0))
    assert contained(tally(samples, parts=parts, held=held), threshold=0.94) == expected


def test_spans_of_a_batch_are_those_of_its_rows() -> None:
    """Each document gets its own spans, none where it has none."""
    columns = ([2, 2, 9], [0, 8, 3], [5, 9, 7], [6, 7, 8])
    arrays = [pa.array(part, field.type) for part, field in zip(columns, REPEATS, strict=True)]
    spans = Spans.of(pa.table(arrays, schema=REPEATS), np.array([1, 2, 9]))
    lists = spans.lists().to_pylist()
    assert [[tuple(one.values()) for one in spans] for spans in lists] == [
        [],
        [(0, 5, 6), (8, 9, 7)],
        [(3, 7, 8)],
    ]
    assert spans.lengths().tolist() == [0, 6, 4]
    left = spans.drop(np.array([False, True, False]))
    assert [len(one) for one in left.lists().to_pylist()] == [0, 0, 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X\n\nbody\nX", "body"),
        ("body\n\nX\n\nmore", "body\n\nmore"),
        ("body\nX\nmore\n\nX", "body\nmore"),
        ("X", ""),
        ("世界 ä\nX\n世界", "世界 ä\n世界"),
    ],
)
def test_a_text_without_paragraphs_keeps_its_shape(text: str, expected: str) -> None:
    """A removed line takes the line feeds behind it; no blank line is left at either end."""
    starts = [at for at, char in enumerate(text) if char == "X"]
    assert without(text, [(at, at + 1) for at in starts]) == expected
