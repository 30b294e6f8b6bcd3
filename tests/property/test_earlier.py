"""Annotations taken over from an earlier unit: the bytes of asking anew, whatever it held."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.earlier import load_earlier
from pipeline.enrich.stage import annotate_unit
from pipeline.errors import MissingError
from pipeline.model.files import FileRef
from pipeline.model.manifest import AnnotateManifest, AnnotateUnit, ShardPassages
from pipeline.model.schemas import REPEATS
from pipeline.model.settings import EnrichSettings, PassageSettings, PublishSettings, RunSettings
from pipeline.storage import layout
from pipeline.storage.memory import MemoryStore
from pipeline.storage.units import Corpus
from tests.annotating import ingest, unit_of, verdicts
from tests.asked import ANNOTATORS, install

NOTICE = "Read the original text on 3 May 2024 at +49 30 1234567."
STORIES = (
    "The court sentenced the former director to four years in prison on 21 November 2026.",
    "Der Wärter des Leuchtturms zählte am 4. Mai 2025 vor dem Essen alle Schiffe im Hafen.",
    "Write to harbour@example.org or to +44 20 7946 0958 before the ferry leaves on 1 June 2026.",
    "裁判所は先週金曜日に元社長に懲役四年の判決を言い渡した。警察は調査の後に彼を逮捕した。",
    "1 2 3",
    "",
    "Yes.",
)
TEXTS = [
    *STORIES,
    *(f"{NOTICE}\n{story}\n{number}" for number, story in enumerate(STORIES)),
    STORIES[0],  # an exact copy that this shard keeps, too
]


class Half(NamedTuple):
    """What one unit is told: which documents are kept, in which of them the notice counts."""

    kept: list[bool]
    repeated: list[bool]
    rule: Literal["flag", "remove"]


def _bools() -> st.SearchStrategy[list[bool]]:
    return st.lists(st.booleans(), min_size=len(TEXTS), max_size=len(TEXTS))


HALVES = st.builds(Half, _bools(), _bools(), st.sampled_from(["flag", "remove"]))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Install the annotator that remembers what it was asked."""
    with pytest.MonkeyPatch.context() as patch:
        yield install(tmp_path_factory.mktemp("packages"), patch)


def rules(half: Half, **publish: int) -> RunSettings:
    """Return the settings of a unit."""
    return RunSettings(
        enrich=EnrichSettings(annotators=ANNOTATORS),
        passages=PassageSettings(repeated=half.rule),
        publish=PublishSettings(**publish),
    )


def unit(corpus: Corpus, documents: pa.Table, half: Half, name: str) -> AnnotateUnit:
    """Return the unit of one shard."""
    made = unit_of(corpus, verdicts(documents, half.kept), name)
    rows = [
        {"row": row, "start": 0, "end": len(NOTICE), "documents": 9}
        for row, text in enumerate(TEXTS)
        if half.repeated[row] and text.startswith(NOTICE)
    ]
    table = corpus.write("passages", name, "repeats", pa.Table.from_pylist(rows, REPEATS))
    passages = ShardPassages(shard="shard", repeats=table, contained=None)
    return AnnotateUnit(
        dump_date=made.dump_date, shard="shard", verdicts=made.verdicts, fingerprint=name,
        passages=passages,
    )  # fmt: skip


def digests(manifest: AnnotateManifest) -> dict[str, object]:
    """Return what is published of a unit: its files by their bytes, and its counts."""
    removed = manifest.removed.sha256 if manifest.removed else ""
    runs = [(run.language, run.file.rows, run.file.sha256) for run in manifest.runs]
    return {"runs": runs, "topics": manifest.topics, "removed": removed}


def handed(corpus: Corpus, manifest: AnnotateManifest) -> list[str]:
    """Return the texts of a unit as they were handed to annotators, which are those published."""
    return [text for run in manifest.runs for text in corpus.read(run.file)["text"].to_pylist()]


@given(first=HALVES, second=HALVES)
@settings(max_examples=40)
def test_any_earlier_unit_leaves_the_bytes_alone(
    asked: list[str], first: Half, second: Half
) -> None:
    """Kept sets and removed paragraphs may differ in any way; what is asked are the other texts."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(MemoryStore(), Path(folder))
        documents = ingest(corpus, TEXTS)
        earlier = annotate_unit(corpus, unit(corpus, documents, first, "first"), rules(first))
        known = handed(corpus, earlier)
        later = unit(corpus, documents, second, "second")
        asked.clear()
        reused = annotate_unit(corpus, later, rules(second), before=lambda _: "first")
        new = sorted(asked)
        alone = unit(corpus, documents, second, "alone")
        fresh = annotate_unit(corpus, alone, rules(second))
        assert digests(reused) == digests(fresh)
        every = handed(corpus, fresh)
        assert new == sorted(text for text in every if text not in known)
        assert (reused.reused, fresh.reused) == (len(every) - len(new), 0)


ALL = Half([True] * len(TEXTS), [False] * len(TEXTS), "flag")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Return an empty corpus."""
    return Corpus(MemoryStore(), tmp_path)


def test_layout_and_rule_do_not_ask_again(asked: list[str], corpus: Corpus) -> None:
    """What publishing alone is told, such as the size of row groups, is no reason to annotate."""
    documents = ingest(corpus, TEXTS)
    annotate_unit(corpus, unit(corpus, documents, ALL, "first"), rules(ALL))
    asked.clear()
    before = {"before": lambda _: "first"}
    other = rules(ALL._replace(rule="remove"), row_group_rows=2)
    made = annotate_unit(corpus, unit(corpus, documents, ALL, "second"), other, **before)
    assert (asked, made.reused) == ([], len(TEXTS))


def test_what_rows_have_in_common_is_held_once(corpus: Corpus) -> None:
    """Names of models and labels are most of the annotations; a shard may have millions."""
    texts = [f"{number} {number + 1}" for number in range(5000)]
    made = unit_of(corpus, verdicts(ingest(corpus, texts), [True] * len(texts)))
    annotate_unit(corpus, made, RunSettings())
    before = pa.total_allocated_bytes()
    earlier = load_earlier(corpus, made.fingerprint, EnrichSettings())
    assert 0 < (pa.total_allocated_bytes() - before) / len(texts) < 250
    assert earlier.annotate(pa.array(texts[:9])).num_rows == earlier.reused == 9


def damaged(corpus: Corpus, ref: FileRef) -> None:
    """Turn one bit of a stored file."""
    data = bytearray(corpus.store.get(ref.key)[0])
    data[len(data) // 2] ^= 1
    corpus.store.put(ref.key, bytes(data))


@pytest.mark.parametrize(
    "what", ["no unit", "unit", "illegible", "file", "damaged", "model", "annotators", "shape"]
)
def test_an_earlier_unit_of_no_use_is_passed_over(
    asked: list[str], corpus: Corpus, what: str
) -> None:
    """Gone, damaged in its last file, or made with others: every text is asked about again."""
    documents = ingest(corpus, TEXTS)
    others = {"model": (*ANNOTATORS[:-1], "asked:2"), "annotators": ("language", "asked")}
    first = RunSettings(enrich=EnrichSettings(annotators=others.get(what, ANNOTATORS)))
    earlier = annotate_unit(corpus, unit(corpus, documents, ALL, "first"), first)
    assert len(earlier.runs) > 2
    last, key = earlier.runs[-1].file, layout.unit("annotate", "first")
    if what == "unit":
        corpus.store.delete([key])
    elif what == "illegible":
        corpus.store.put(key, b"{")
    elif what == "file":
        corpus.store.delete([last.key])
        with pytest.raises(MissingError):
            corpus.fetch(last)
    elif what == "damaged":
        damaged(corpus, last)
    elif what == "shape":
        data, _ = corpus.store.get(key)
        corpus.store.put(key, data.replace(earlier.shape.encode(), b"0" * 24))
    asked.clear()
    name = "none" if what == "no unit" else "first"
    later = unit(corpus, documents, ALL, "second")
    made = annotate_unit(corpus, later, rules(ALL), before=lambda _: name)
    assert (sorted(asked), made.reused) == (sorted(TEXTS), 0)
    fresh = annotate_unit(corpus, unit(corpus, documents, ALL, "alone"), rules(ALL))
    assert digests(made) == digests(fresh)


def test_a_finished_unit_asks_for_no_earlier_one(corpus: Corpus) -> None:
    """A retry does not look for a name, which would open states."""
    documents = ingest(corpus, TEXTS)
    done = annotate_unit(corpus, unit(corpus, documents, ALL, "first"), RunSettings())

    def before(_: AnnotateUnit) -> str:
        raise AssertionError

    later = unit(corpus, documents, ALL, "first")
    assert annotate_unit(corpus, later, RunSettings(), before=before) == done
