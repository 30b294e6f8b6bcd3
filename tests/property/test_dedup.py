"""Deduplication against the definition, whatever path the nights took."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.dedup.stage import decide, match_range
from pipeline.model.ids import document_id, fingerprint
from pipeline.model.manifest import Decision, IngestManifest
from pipeline.model.plan import KeyRange, Plan, Shard
from pipeline.model.schemas import SIGNATURES, STAGED_DOCUMENTS
from pipeline.model.settings import DedupSettings, RunSettings
from pipeline.model.snapshot import DumpCounts, DumpRef, DumpState, Snapshot
from pipeline.signature import sign, similarity
from pipeline.storage import layout, snapshots
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus

THRESHOLD = 0.75
DATES = [f"2026-11-0{day}" for day in range(1, 6)]

Dump = dict[str, str]
Row = tuple[bool, str, str | None, str | None, float | None]


def identity(date: str, name: str) -> str:
    """The id of a test document."""
    return document_id("test", f"test/{date}/{name}", 0, 1)


class Nights:
    """A corpus in memory, and the smallest commit that lets the next night see this one."""

    def __init__(self, scratch: Path, *, shards: int = 2, ranges: int = 2) -> None:
        """Start empty; dumps are cut into `shards`, the key space into `ranges`."""
        self.corpus = Corpus(MemoryStore(), scratch)
        self.shards = shards
        self.ranges = ranges
        self.runs = 0

    def run(self, date: str, dump: Dump, threshold: float = THRESHOLD) -> Decision:
        """Ingest, match, decide and commit one dump, replacing what was there of its date."""
        self.runs += 1
        snapshot = snapshots.current(self.corpus)
        shards = [
            self._ingest(date, dict(sorted(dump.items())[number :: self.shards]))
            for number in range(self.shards if dump else 0)
        ]
        plan = Plan(
            run_id=f"run{self.runs}",
            dump_date=date,
            planned_at=0.0,
            generation=fingerprint(shards, threshold),
            parent=snapshot.sequence,
            shards=tuple(Shard(at, name, ()) for at, name in enumerate(shards)),
            key_ranges=tuple(
                KeyRange(at, at * 65536 // self.ranges, (at + 1) * 65536 // self.ranges)
                for at in range(self.ranges)
            ),
            waiting=(),
            unchanged=False,
            settings=RunSettings(dedup=DedupSettings(threshold=threshold)),
            code_version="",
        )
        for at in range(self.ranges):
            match_range(self.corpus, plan, snapshot, at)
        decision = decide(self.corpus, plan, snapshot)
        self._commit(snapshot, decision, threshold)
        return decision

    def verdicts(self) -> dict[str, dict[str, Row]]:
        """The verdicts of every dump by document id."""
        found = {}
        for date, state in self.states().items():
            rows = self.corpus.read(state.verdicts).to_pylist()
            found[date] = {
                row["document_id"]: (
                    row["kept"],
                    row["reason"],
                    row["witness_id"],
                    row["witness_dump_date"],
                    row["similarity"],
                )
                for row in rows
            }
        return found

    def states(self) -> dict[str, DumpState]:
        """The published state of every dump."""
        snapshot = snapshots.current(self.corpus)
        return {
            date: snapshots.load_state(self.corpus, snapshot, date)
            for date in sorted(snapshot.dumps)
        }

    def _ingest(self, date: str, dump: Dump) -> str:
        name = fingerprint(date, dump)
        texts = list(dump.values())
        signed = sign(pa.array(texts, pa.string()))
        ids = [identity(date, key) for key in dump]
        documents = pa.table(
            {
                "document_id": ids,
                "source": ["test"] * len(ids),
                "dump_file": [f"test/{date}/{key}" for key in dump],
                "char_start": [0] * len(ids),
                "char_end": [1] * len(ids),
                "line_start": [1] * len(ids),
                "line_end": [1] * len(ids),
                "text": texts,
                "content_hash": [row.tobytes().hex() for row in signed.content_hash],
                "char_count": [len(text) for text in texts],
                "word_count": signed.tokens.tolist(),
            }
        )
        for field in STAGED_DOCUMENTS:
            if field.name not in documents.schema.names:
                documents = documents.append_column(field, pa.nulls(len(ids), field.type))
        columns = [
            [bytes.fromhex(key) for key in ids],
            [row.tobytes() for row in signed.content_hash],
            signed.shingles,
            [row.tobytes() for row in signed.band_keys],
            [row.tobytes() for row in signed.minima],
        ]
        table = pa.table(
            [pa.array(col, field.type) for col, field in zip(columns, SIGNATURES, strict=True)],
            schema=SIGNATURES,
        )
        documents = documents.select(STAGED_DOCUMENTS.names).cast(STAGED_DOCUMENTS)
        manifest = IngestManifest(
            fingerprint=name,
            documents=self.corpus.write("ingest", name, "documents", documents),
            signatures=self.corpus.write("ingest", name, "signatures", table, row_group_size=3),
            quarantine=self.corpus.write("ingest", name, "quarantine", pa.table({"a": [1]})),
            files=(),
        )
        self.corpus.finish(layout.unit("ingest", name), manifest)
        return name

    def _commit(self, snapshot: Snapshot, decision: Decision, threshold: float) -> None:
        dumps = dict(snapshot.dumps)
        for touched in decision.touched:
            if touched.dump_date == decision.dump_date:
                state = DumpState(
                    dump_date=touched.dump_date,
                    generation=touched.generation,
                    planned_at=0.0,
                    files=(),
                    file_counts=(),
                    shards=touched.shards,
                    kept_hashes=touched.kept_hashes,
                    index=decision.index,
                    edges=decision.edges,
                    verdicts=touched.verdicts,
                    quarantine=touched.verdicts,
                    documents=(),
                    counts=DumpCounts(),
                    topics={},
                    runs=(),
                )
            else:
                state = msgspec.structs.replace(
                    snapshots.load_state(self.corpus, snapshot, touched.dump_date),
                    kept_hashes=touched.kept_hashes,
                    verdicts=touched.verdicts,
                )
            ref = self.corpus.save(
                state, lambda digest, date=touched.dump_date: layout.state(date, digest)
            )
            mine = touched.dump_date == decision.dump_date
            dumps[touched.dump_date] = DumpRef(
                generation=touched.generation,
                state=ref,
                settings="",
                threshold=threshold if mine else dumps[touched.dump_date].threshold,
            )
        after = Snapshot(
            sequence=snapshot.sequence + 1,
            parent=snapshots.pointed(self.corpus),
            run_id=decision.run_id,
            dumps=dumps,
        )
        snapshots.advance(self.corpus, after)


def oracle(dumps: dict[str, Dump]) -> dict[str, dict[str, Row]]:
    """Decide by the definition: compare all documents, then walk classes in order."""
    keys = [(date, identity(date, name)) for date in dumps for name in dumps[date]]
    texts = [text for dump in dumps.values() for text in dump.values()]
    signed = sign(pa.array(texts, pa.string()))
    bands = [set(row.tolist()) for row in signed.band_keys.view("<u8")]
    classes: dict[bytes, list[int]] = {}
    for at in sorted(range(len(keys)), key=keys.__getitem__):
        classes.setdefault(signed.content_hash[at].tobytes(), []).append(at)
    found: dict[str, dict[str, Row]] = {date: {} for date in dumps}
    kept: list[int] = []
    for members in classes.values():
        head = members[0]
        near = [
            (-float(similarity(signed.minima[head], signed.minima[other])), keys[other])
            for other in kept
            if signed.shingles[head] and signed.shingles[other] and bands[head] & bands[other]
        ]
        near = [pair for pair in near if -pair[0] >= THRESHOLD]
        if near:
            score, (date, witness) = min(near)
            rows = dict.fromkeys(members, (False, "near", witness, date, -score))
        else:
            kept.append(head)
            date, witness = keys[head]
            rows: dict[int, Any] = dict.fromkeys(members, (False, "exact", witness, date, 1.0))
            rows[head] = (True, "unique", None, None, None)
        for at, row in rows.items():
            found[keys[at][0]][keys[at][1]] = row
    return found


def story(family: int, head: int, tail: int, *, shout: bool = False) -> str:
    """A text of 40 words of one family with `head` words changed in front and `tail` behind.

    Shouting changes the form alone, so it makes an exact copy.
    """
    words = [f"word{family}n{at}" for at in range(40)]
    words[:head] = [f"front{family}n{head}n{at}" for at in range(head)]
    words[40 - tail :] = [f"back{family}n{tail}n{at}" for at in range(tail)]
    return ", ".join(words).upper() if shout else " ".join(words)


texts = st.one_of(
    st.builds(story, st.integers(0, 2), st.integers(0, 6), st.integers(0, 6), shout=st.booleans()),
    st.sampled_from(["", "too short", "Too, short!", "😀", "a b c d"]),
)
dumps = st.dictionaries(st.sampled_from("abcdefgh"), texts, max_size=8)
rules = st.sampled_from([0.6, 0.75, 0.93])
corpora = st.fixed_dictionaries(dict.fromkeys(DATES[:4], dumps))


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, Dump], list[tuple[str, Dump]]]:
    """A corpus, and a path to it: any order, with runs before that bring other contents."""
    corpus = draw(corpora)
    false_starts = draw(st.lists(st.tuples(st.sampled_from(DATES[:4]), dumps), max_size=3))
    final = draw(st.permutations(sorted(corpus.items())))
    where = sorted(draw(st.lists(st.integers(0, 3), min_size=3, max_size=3)))
    path: list[tuple[str, Dump]] = []
    for at, step in enumerate(final):
        path.extend(start for start, place in zip(false_starts, where, strict=False) if place == at)
        path.append(step)
    path.extend(item for item in sorted(corpus.items()) if item[0] in dict(false_starts))
    return corpus, path


relaxed = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@relaxed
@given(corpora, st.integers(1, 3), st.integers(1, 3))
def test_verdicts_in_date_order_equal_the_definition(
    tmp_path: Path, corpus: dict[str, Dump], shards: int, ranges: int
) -> None:
    """Night after night gives the verdicts of comparing everything with everything."""
    nights = Nights(tmp_path, shards=shards, ranges=ranges)
    for date, dump in corpus.items():
        nights.run(date, dump)
    assert nights.verdicts() == oracle(corpus)


@relaxed
@given(histories(), st.integers(1, 3), st.integers(1, 3))
def test_promise_4_order_does_not_matter(
    tmp_path: Path,
    history: tuple[dict[str, Dump], list[tuple[str, Dump]]],
    shards: int,
    ranges: int,
) -> None:
    """Late, changed, emptied and repeated dumps end in the bytes of processing all in order."""
    corpus, path = history
    straight = Nights(tmp_path)
    for date, dump in corpus.items():
        straight.run(date, dump)
    winding = Nights(tmp_path, shards=shards, ranges=ranges)
    for date, dump in path:
        winding.run(date, dump)
    assert winding.verdicts() == oracle(corpus)
    for date, state in straight.states().items():
        other = winding.states()[date]
        assert other.verdicts.sha256 == state.verdicts.sha256
        assert shards != 2 or other.kept_hashes == state.kept_hashes


@settings(parent=relaxed, max_examples=8)
@given(corpora, st.lists(st.tuples(st.sampled_from(DATES[:4]), rules), max_size=5), rules)
def test_a_changed_threshold_ends_as_if_it_had_always_been(
    tmp_path: Path, corpus: dict[str, Dump], path: list[tuple[str, float]], last: float
) -> None:
    """Dumps of several thresholds stand side by side; once all have one, it alone counts."""
    straight, winding = Nights(tmp_path, shards=1), Nights(tmp_path, ranges=1)
    for date, dump in corpus.items():
        straight.run(date, dump, last)
        winding.run(date, dump)
    for date, rule in [*path, *((date, last) for date in reversed(DATES[:4]))]:
        winding.run(date, corpus[date], rule)
    assert winding.verdicts() == straight.verdicts()


@settings(parent=relaxed, max_examples=8)
@given(corpora, st.permutations([*zip(DATES[:4], (0.6, 0.75, 0.93, 0.6), strict=True)]))
def test_dumps_of_several_thresholds_depend_on_no_order(
    tmp_path: Path, corpus: dict[str, Dump], path: list[tuple[str, float]]
) -> None:
    """Between two dumps the stricter threshold counts, whichever of them came first."""
    straight, winding = Nights(tmp_path), Nights(tmp_path)
    for date, rule in sorted(path):
        straight.run(date, corpus[date], rule)
    for date, rule in path:
        winding.run(date, corpus[date], rule)
    assert winding.verdicts() == straight.verdicts()


@relaxed
@given(corpora, st.randoms(use_true_random=False))
def test_promise_2_nothing_twice(tmp_path: Path, corpus: dict[str, Dump], dice: Any) -> None:
    """After any order of arrival, no two kept documents are copies or verified near-duplicates."""
    nights = Nights(tmp_path)
    for date, dump in dice.sample(sorted(corpus.items()), len(corpus)):
        nights.run(date, dump)
    verdicts = nights.verdicts()
    kept = [
        text
        for date, dump in corpus.items()
        for name, text in dump.items()
        if verdicts[date][identity(date, name)][0]
    ]
    signed = sign(pa.array(kept, pa.string()))
    bands = [set(row.tolist()) for row in signed.band_keys.view("<u8")]
    for one, two in itertools.combinations(range(len(kept)), 2):
        assert signed.content_hash[one].tobytes() != signed.content_hash[two].tobytes()
        if signed.shingles[one] and signed.shingles[two] and bands[one] & bands[two]:
            assert similarity(signed.minima[one], signed.minima[two]) < THRESHOLD


@relaxed
@given(corpora, st.randoms(use_true_random=False))
def test_promise_3_every_removal_has_a_witness(
    tmp_path: Path, corpus: dict[str, Dump], dice: Any
) -> None:
    """Every dropped document names an earlier kept one, and their similarity is the one stated."""
    nights = Nights(tmp_path)
    for date, dump in dice.sample(sorted(corpus.items()), len(corpus)):
        nights.run(date, dump)
    verdicts = nights.verdicts()
    text_of = {
        identity(date, name): text for date, dump in corpus.items() for name, text in dump.items()
    }
    for date, rows in verdicts.items():
        for document, (kept, reason, witness, where, score) in rows.items():
            if kept:
                assert (reason, witness, where, score) == ("unique", None, None, None)
                continue
            assert (where, witness) < (date, document)
            assert verdicts[where][witness][0]
            signed = sign(pa.array([text_of[document], text_of[witness]]))
            same = signed.content_hash[0].tobytes() == signed.content_hash[1].tobytes()
            assert same == (reason == "exact")
            assert score == (1.0 if same else similarity(signed.minima[0], signed.minima[1]))
            assert score >= THRESHOLD


def test_a_new_latest_night_touches_itself_alone(tmp_path: Path) -> None:
    """Nothing published changes when the newest dump arrives, and nothing is retracted."""
    nights = Nights(tmp_path)
    nights.run(DATES[0], {"a": story(0, 0, 0), "b": story(0, 1, 0)})
    decision = nights.run(DATES[1], {"a": story(0, 0, 1), "b": story(1, 0, 0)})
    (own,) = decision.touched
    counts = (own.documents, own.kept, own.dropped_exact, own.dropped_near, own.dropped_history)
    assert counts == (2, 1, 0, 1, 1)
    assert (own.retracted, own.restored) == (0, 0)


def test_a_late_dump_retracts_and_its_deletion_restores(tmp_path: Path) -> None:
    """A backfilled copy takes the place of the published one, and gives it back when it goes."""
    nights = Nights(tmp_path)
    nights.run(DATES[1], {"a": story(0, 0, 0), "b": story(1, 0, 0)})
    late = nights.run(DATES[0], {"z": story(0, 1, 0)})
    assert [(dump.dump_date, dump.retracted, dump.restored) for dump in late.touched] == [
        (DATES[0], 0, 0),
        (DATES[1], 1, 0),
    ]
    gone = nights.run(DATES[0], {})
    assert [
        (dump.dump_date, dump.kept, dump.retracted, dump.restored) for dump in gone.touched
    ] == [
        (DATES[0], 0, 1, 0),
        (DATES[1], 2, 0, 1),
    ]


def test_a_drifting_page_is_published_again(tmp_path: Path) -> None:
    """A page edited a little every night returns once it is unlike its published ancestor."""
    nights = Nights(tmp_path)
    kept = []
    for at in range(12):  # four more of 100 words are new each night: J < 0.75 after four nights
        words = [f"new{n}" if n < 4 * at else f"old{n}" for n in range(100)]
        night = nights.run(f"2026-11-{at + 1:02d}", {"page": " ".join(words)})
        kept.append(night.touched[0].kept)
    published = "".join(map(str, kept))
    assert published.startswith("100")
    assert "11" not in published
    assert published.count("1") in {3, 4}


def test_a_retry_finds_the_finished_units(tmp_path: Path) -> None:
    """Deciding again writes nothing and returns the same decision."""
    nights = Nights(tmp_path)
    snapshot = snapshots.current(nights.corpus)
    decision = nights.run(DATES[0], {"a": story(0, 0, 0), "b": story(0, 0, 0, shout=True)})
    objects = sorted(info.key for info in nights.corpus.store.list("store/units/"))
    plan = Plan(
        run_id=decision.run_id,
        dump_date=DATES[0],
        planned_at=0.0,
        generation=decision.generation,
        parent=0,
        shards=tuple(Shard(at, name, ()) for at, name in enumerate(decision.touched[0].shards)),
        key_ranges=(KeyRange(0, 0, 32768), KeyRange(1, 32768, 65536)),
        waiting=(),
        unchanged=False,
        settings=RunSettings(),
        code_version="",
    )
    assert match_range(nights.corpus, plan, snapshot, 0).index == decision.index[0]
    assert decide(nights.corpus, plan, snapshot) == decision
    assert sorted(info.key for info in nights.corpus.store.list("store/units/")) == objects


@pytest.mark.parametrize("size", [2000])
def test_thousands_of_copies_make_a_star(tmp_path: Path, size: int) -> None:
    """Exact copies of one page cost an edge each, never one a pair."""
    nights = Nights(tmp_path)
    decision = nights.run(
        DATES[0], {f"{at:05d}": story(0, 0, 0, shout=bool(at % 2)) for at in range(size)}
    )
    own = decision.touched[0]
    assert (own.kept, own.dropped_exact) == (1, size - 1)
    assert size - 1 <= sum(file.file.rows for file in decision.edges) < 2 * size + 50


def test_near_identical_pages_of_one_night_leave_one(tmp_path: Path) -> None:
    """A boilerplate page with a counter is published once, however often it comes."""
    nights = Nights(tmp_path)
    body = " ".join(f"line{at}" for at in range(200))
    decision = nights.run(DATES[0], {f"{at:04d}": f"{body} visit {at}" for at in range(300)})
    own = decision.touched[0]
    assert (own.kept, own.dropped_near) == (1, 299)
    assert sum(file.file.rows for file in decision.edges) < 2 * 20 * 300


def crowd(kind: str, size: int, skip: int) -> Dump:
    """Many variants of two unlike boilerplate pages, far more alike than the threshold."""
    body = [f"{kind}{at}" for at in range(150)]
    other = [f"{kind}{at}" if at % 3 else f"other{at}" for at in range(150)]
    pages = {f"p{at:03d}": " ".join([*body, str(at)]) for at in range(0, size, skip)}
    return pages | {f"q{at:03d}": " ".join([*other, str(at)]) for at in range(0, size, skip + 1)}


def test_hot_buckets_are_decided_by_the_definition(tmp_path: Path) -> None:
    """Groups of tied documents, inside nights and across them, change no verdict on any path."""
    lone = {
        "x": " ".join([*(f"z{at}" for at in range(12)), *(f"hot{at}" for at in range(12, 150))])
    }
    corpus = {
        DATES[0]: lone,
        DATES[1]: crowd("hot", 150, 1),
        DATES[2]: crowd("hot", 150, 1) | {"new": story(0, 0, 0)},
        DATES[3]: crowd("hot", 100, 2),
    }
    paths = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]]
    expected = oracle(corpus)
    for number, path in enumerate(paths):
        nights = Nights(tmp_path, shards=1 + number, ranges=1 + number)
        if number == 2:
            nights.run(DATES[1], crowd("cold", 120, 1))
        ties = 0
        for at in path:
            decision = nights.run(DATES[at], corpus[DATES[at]])
            for file in decision.edges:
                ties += np.count_nonzero(
                    nights.corpus.read(file.file)["similarity"].to_numpy() == 0
                )
        assert ties > 300
        assert nights.verdicts() == expected


def test_hot_buckets_keep_the_threshold_of_their_dumps(tmp_path: Path) -> None:
    """Whichever dump is committed last, tied documents are compared by the rules of their own."""
    lone = [*(f"z{at}" for at in range(12)), *(f"hot{at}" for at in range(12, 150))]
    corpus = {
        DATES[0]: {"x": " ".join(lone)},
        DATES[1]: crowd("hot", 150, 1),
        DATES[2]: {name: f"{text} again" for name, text in crowd("hot", 150, 1).items()},
    }
    rules = {DATES[0]: 0.6, DATES[1]: 0.98, DATES[2]: 0.6}
    found = []
    for path in itertools.permutations(sorted(rules)):
        nights = Nights(tmp_path)
        for date in path:
            nights.run(date, corpus[date], rules[date])
        found.append(nights.verdicts())
    assert found == [found[0]] * 6
    kept = [sum(row[0] for row in found[0][date].values()) for date in sorted(rules)]
    assert kept[1] > 3 > kept[2]
