"""Buckets, keys and candidates against plain Python."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dedup.buckets import Members, needed, verified
from pipeline.dedup.entries import PREFIXES, Entries, entries, exact_keys, first_copies, key_range
from pipeline.dedup.groups import Ties, bind
from pipeline.dedup.match import Signed, between, within
from pipeline.dedup.standalone import deduplicate
from pipeline.model.plan import KeyRange
from pipeline.model.settings import DedupSettings
from pipeline.signature import SIMILARITY, sign, similarity

WHOLE = KeyRange(0, 0, PREFIXES)


def members(labels: list[int], split: int = 0) -> Members:
    """Documents whose minima differ in as many places as their labels do."""
    minima = np.zeros((len(labels), 128), np.uint8)
    for row, label in enumerate(labels):
        minima[row, :label] = label
    shingles = np.full(len(labels), 9, np.int32)
    return Members(np.array(labels, np.int32), shingles, minima, split)


def edges_of(found: Any) -> dict[tuple[int, int], tuple[float, bool]]:
    """Collect the parts that `verified` yields."""
    return {
        (one, two): (float(like), bool(exact))
        for edges, _ in found
        for one, two, like, exact in zip(
            edges.earlier.tolist(),
            edges.later.tolist(),
            edges.similarity,
            edges.exact,
            strict=True,
        )
    }


@pytest.mark.parametrize("threshold", [0.5, 0.75, 0.9, 1.0])
def test_needed_is_the_least_count_that_reaches_the_threshold(threshold: float) -> None:
    """One equal minimum less is below the threshold."""
    count = needed(threshold)
    assert SIMILARITY[count] >= threshold > SIMILARITY[count - 1]


def test_copies_stand_behind_the_first_of_them() -> None:
    """Only the first copy meets documents of other content; the others have a star edge."""
    found = edges_of(
        verified(
            members([3, 3, 5, 3, 5]),
            np.array([0, 5]),
            documents=np.arange(5),
            threshold=0.75,
        )
    )
    near = float(SIMILARITY[123])
    assert found == {(0, 1): (1, True), (0, 3): (1, True), (2, 4): (1, True), (0, 2): (near, False)}


def test_between_two_dumps_only_their_first_copies_meet() -> None:
    """No edge stays on one side, and copies across dumps have one edge."""
    found = edges_of(
        verified(
            members([3, 3, 5, 3, 3, 7], split=3),
            np.array([0, 6]),
            documents=np.arange(6),
            threshold=0.75,
        )
    )
    assert {pair: exact for pair, (_, exact) in found.items()} == {
        (0, 3): True,
        (0, 5): False,
        (2, 3): False,
        (2, 5): False,
    }


def test_short_texts_meet_only_as_copies() -> None:
    """Without shingles the minima mean nothing."""
    facts = members([1, 2, 2])
    short = Members(facts.label, np.zeros(3, np.int32), facts.minima, 0)
    found = edges_of(verified(short, np.array([0, 3]), documents=np.arange(3), threshold=0.5))
    assert found == {(1, 2): (1, True)}


@given(
    st.lists(st.lists(st.integers(0, 29), unique=True, max_size=30), max_size=6),
    st.lists(st.integers(0, 60), min_size=30, max_size=30),
    st.sampled_from([0, 10]),
)
def test_small_parts_find_what_one_large_part_finds(
    groups: list[list[int]], labels: list[int], split: int
) -> None:
    """A full output buffer interrupts the walk anywhere without loss."""
    facts = members(labels, split)
    starts = np.cumsum([0, *map(len, groups)])
    documents = np.array([doc for group in groups for doc in sorted(group)], np.int64)
    kinds = {"documents": documents, "threshold": 0.75}
    small = list(verified(facts, starts, room=1, **kinds))
    large = list(verified(facts, starts, **kinds))
    assert edges_of(small) == edges_of(large)
    assert sum(count for _, count in small) == sum(count for _, count in large)


def test_every_key_lies_in_one_key_range() -> None:
    """Slices tile the key space, and the entries of all slices are the entries of the whole."""
    signed = sign(pa.array([" ".join(f"w{a}x{b}" for b in range(9)) for a in range(50)]))
    ids = np.array([bytes([a]) * 16 for a in range(1, 51)], "S16")
    hashes = signed.content_hash.view("S16")[:, 0]
    bands = (signed.shingles, signed.band_keys.view("<u8"))

    def part(owned: KeyRange) -> Entries:
        return entries(ids, hashes, bands=bands, shard=3, owned=owned)

    cut = [part(key_range(at, 7)) for at in range(7)]
    whole = Entries.join([part(WHOLE)])
    joined = Entries.join(cut)
    assert len(whole) == 50 * 21
    assert np.array_equal(joined.key, whole.key)
    assert np.array_equal(joined.row, whole.row)
    assert set(joined.shard.tolist()) == {3}
    assert set(exact_keys(hashes).tolist()) <= set(whole.key.tolist())


def test_the_first_copy_is_the_one_with_the_smallest_id() -> None:
    """Row order does not matter."""
    ids = np.array([b"c", b"a", b"b", b"d"], "S16")
    hashes = np.array([b"x", b"x", b"x", b"y"], "S16")
    assert first_copies(ids, hashes).tolist() == [False, True, False, True]
    assert first_copies(ids[:0], hashes[:0]).tolist() == []


def side(texts: list[str], prefix: str) -> tuple[Entries, Any, Signed]:
    """Entries, fetch function and signatures of a dump of one shard."""
    signed = sign(pa.array(texts, pa.string()))
    ids = np.array([f"{prefix}{at:06d}".encode() for at in range(len(texts))], "S16")
    hashes = signed.content_hash.view("S16")[:, 0]
    every = Signed(ids, hashes, signed.shingles, signed.minima)
    bands = (signed.shingles, signed.band_keys.view("<u8"))
    keys = Entries.join([entries(ids, hashes, bands=bands, shard=0, owned=WHOLE)])

    def fetch(_: Any, rows: Any) -> Signed:
        return Signed(ids[rows], hashes[rows], signed.shingles[rows], signed.minima[rows])

    return keys, fetch, every


def pairs(found: Any) -> set[tuple[bytes, bytes]]:
    """The edges of all parts."""
    return {
        pair
        for part in found
        for pair in zip(part.earlier.tolist(), part.later.tolist(), strict=True)
    }


def corpus(seed: int) -> list[str]:
    """Forty texts of four families, with edits and short ones."""
    texts = []
    for at in range(40):
        words = [f"w{at % 4}n{n}" for n in range(30)]
        words[: (at * seed) % 5] = [f"e{at}"] * ((at * seed) % 5)
        texts.append(" ".join(words))
    return [*texts, "short", "short", ""]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 19])
def test_chunks_of_any_size_find_the_same_edges(chunk: int) -> None:
    """Cutting the entries keeps buckets whole, inside a dump and between two."""
    one, two = side(corpus(3), "a"), side(corpus(7), "b")
    inside = pairs(within(one[0], one[1], threshold=0.75, chunk=chunk))
    across = pairs(between(one[:2], two[:2], threshold=0.75, chunk=chunk))
    every, others = one[2], two[2]
    likely = {
        (every.ids[a], every.ids[b])
        for a, b in itertools.combinations(range(40), 2)
        if similarity(every.minima[a], every.minima[b]) >= 0.9
        and (every.hashes[a] != every.hashes[b])
        and a == np.flatnonzero(every.hashes == every.hashes[a])[0]
        and b == np.flatnonzero(every.hashes == every.hashes[b])[0]
    }
    assert likely <= inside
    assert (every.ids[40], every.ids[41]) in inside
    assert (every.ids[40], others.ids[40]) in across
    assert (every.ids[40], others.ids[41]) not in across
    assert (every.ids[42], others.ids[42]) in across
    assert inside == pairs(within(one[0], one[1], threshold=0.75))
    assert across == pairs(between(one[:2], two[:2], threshold=0.75))


@pytest.mark.parametrize(("split", "ties"), [(0, 139), (70, 139), (4, 0)])
def test_a_hot_bucket_is_tied_together_not_compared(split: int, ties: int) -> None:
    """Above 64 times 64 pairs, ties bind all documents into one group, and nothing is compared."""
    facts = members(list(range(1, 141)), split)
    ((edges, compared),) = verified(
        facts, np.array([0, 140]), documents=np.arange(140), threshold=1.0
    )
    assert np.count_nonzero(edges.similarity == 0) == ties
    assert (compared == 0) == (ties > 0)
    if ties:
        idle = np.arange(140) < split // 2
        groups, nodes = bind([Ties(edges.earlier, edges.later, need=97)], idle)
        assert nodes.tolist() == list(range(split // 2, 140))
        assert groups.group.tolist() == [0] * 140
        assert len(groups.nodes) == 140 - split // 2


def test_pages_with_a_counter_are_decided_alike_however_many_come() -> None:
    """The rule over a hot bucket gives the verdicts of comparing all pairs."""
    body = " ".join(f"line{at}" for at in range(90))
    table = deduplicate(
        [
            pa.RecordBatch.from_pydict(
                {
                    "id": [f"{at:03d}" for at in range(200)],
                    "text": [
                        f"{body} {at}" if at % 2 else f"{body[:300]} {at}" for at in range(200)
                    ],
                }
            )
        ],
        settings=DedupSettings(),
    )
    assert np.flatnonzero(table["kept"].to_numpy()).tolist() == [0, 1]
    assert table["witness_id"].to_pylist()[2:] == ["000", "001"] * 99
