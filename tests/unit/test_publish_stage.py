"""From runs by shard to partitions: nothing lost, nothing merged twice, bytes by rows alone."""

from __future__ import annotations

import msgspec
import pyarrow.parquet as pq
import pytest

from pipeline.errors import ContractError, MissingError
from pipeline.model.files import FileRef
from pipeline.model.manifest import PublishUnit
from pipeline.model.schemas import DOCUMENTS
from pipeline.model.settings import PublishSettings, RunSettings
from pipeline.publish import stage
from pipeline.storage import layout
from pipeline.storage.units import Corpus
from tests.publishing import Doc, make_night, publish_night

DATE = "2026-11-20"
SETTINGS = RunSettings()
SHARDS = [
    [Doc("eng", "sport"), Doc("deu"), Doc("eng")],
    [Doc("eng", "arts"), Doc("eng", "sport")],
    [Doc("fra"), Doc("eng", "sport"), Doc("deu", "arts")],
]


def routed(corpus: Corpus, settings: RunSettings = SETTINGS) -> tuple[PublishUnit, ...]:
    """Route a made night of three shards and three languages."""
    made = make_night(corpus, DATE, SHARDS)
    return stage.route(corpus, made.decision, settings, units=made.units)


def unit_of(language: str, size: int, runs: int = 2) -> PublishUnit:
    """Make a unit whose runs have together about `size` bytes."""
    files = tuple(FileRef(f"{language}{run}", "", size // runs, 1) for run in range(runs))
    return PublishUnit(dump_date=DATE, language=language, runs=files, fingerprint=language)


def test_runs_are_grouped_by_language(memory_corpus: Corpus) -> None:
    """Every run of a touched dump is in the partition of its language, once."""
    found = {unit.language: [run.rows for run in unit.runs] for unit in routed(memory_corpus)}
    assert found == {"deu": [1, 1], "eng": [2, 2, 1], "fra": [1]}


def test_runs_of_untouched_dumps_are_left_out(memory_corpus: Corpus) -> None:
    """Units of a dump that the decision does not touch are not routed."""
    made = make_night(memory_corpus, DATE, SHARDS)
    other = make_night(memory_corpus, "2026-11-21", SHARDS)
    units = stage.route(memory_corpus, made.decision, SETTINGS, units=[*made.units, *other.units])
    assert {unit.dump_date for unit in units} == {DATE}


def test_unit_that_was_not_annotated_is_missing(memory_corpus: Corpus) -> None:
    """Routing before annotating is an error and never a partition with fewer rows."""
    made = make_night(memory_corpus, DATE, SHARDS)
    memory_corpus.store.delete([layout.unit("annotate", made.units[1].fingerprint)])
    with pytest.raises(MissingError, match=made.units[1].fingerprint):
        stage.route(memory_corpus, made.decision, SETTINGS, units=made.units)


def test_fingerprint_follows_runs_and_settings(memory_corpus: Corpus) -> None:
    """The same runs in another order are the same unit; other settings are another."""
    units = routed(memory_corpus)
    again = routed(memory_corpus)
    smaller = msgspec.structs.replace(SETTINGS, publish=PublishSettings(row_group_rows=10))
    assert units == again
    changed = routed(memory_corpus, smaller)
    assert not {unit.fingerprint for unit in units} & {unit.fingerprint for unit in changed}


def test_single_run_is_the_published_file(memory_corpus: Corpus) -> None:
    """A partition with one run is published without reading or writing a byte of it."""
    unit = next(unit for unit in routed(memory_corpus) if unit.language == "fra")
    memory_corpus.store.delete([unit.runs[0].key])
    assert stage.publish_partition(memory_corpus, unit, SETTINGS).files == unit.runs


def test_merged_partition_is_sorted_and_whole(memory_corpus: Corpus) -> None:
    """The merge holds the rows of all runs, sorted by topic with nulls last, source and id."""
    unit = next(unit for unit in routed(memory_corpus) if unit.language == "eng")
    (ref,) = stage.publish_partition(memory_corpus, unit, SETTINGS).files
    rows = memory_corpus.read(ref).select(["topic", "source", "document_id"]).to_pylist()
    runs = [row for run in unit.runs for row in memory_corpus.read(run).to_pylist()]
    assert {row["document_id"] for row in rows} == {row["document_id"] for row in runs}
    assert [row["topic"] for row in rows] == ["arts", "sport", "sport", "sport", None]
    sport = [row["document_id"] for row in rows if row["topic"] == "sport"]
    assert sport == sorted(sport)
    assert pq.read_schema(memory_corpus.store.fetch(ref, memory_corpus.scratch)).equals(DOCUMENTS)


def test_bytes_depend_on_rows_alone(memory_corpus: Corpus) -> None:
    """Merging the same rows from other runs, in another order, gives the same bytes."""
    unit = next(unit for unit in routed(memory_corpus) if unit.language == "eng")
    (first,) = stage.publish_partition(memory_corpus, unit, SETTINGS).files
    whole = memory_corpus.adopt(
        "annotate", "other", "run", memory_corpus.store.fetch(first, memory_corpus.scratch), 5
    )
    empty = memory_corpus.write("annotate", "other", "run", DOCUMENTS.empty_table())
    for name, runs in {"reversed": unit.runs[::-1], "other": (empty, whole)}.items():
        other = msgspec.structs.replace(unit, runs=runs, fingerprint=name)
        (again,) = stage.publish_partition(memory_corpus, other, SETTINGS).files
        assert again.sha256 == first.sha256


def test_finished_partition_is_found(memory_corpus: Corpus) -> None:
    """A second call returns the first manifest, even when the runs are gone by then."""
    unit = next(unit for unit in routed(memory_corpus) if unit.language == "eng")
    manifest = stage.publish_partition(memory_corpus, unit, SETTINGS)
    memory_corpus.store.delete([run.key for run in unit.runs])
    assert stage.publish_group(memory_corpus, [unit], SETTINGS) == (manifest,)


def test_merge_that_loses_rows_is_refused(memory_corpus: Corpus) -> None:
    """A run that holds fewer rows than its manifest says is not published."""
    unit = next(unit for unit in routed(memory_corpus) if unit.language == "eng")
    first = msgspec.structs.replace(unit.runs[0], rows=3)
    wrong = msgspec.structs.replace(unit, runs=(first, *unit.runs[1:]))
    with pytest.raises(ContractError, match="expected 6 rows from 3 runs, wrote 5"):
        stage.publish_partition(memory_corpus, wrong, SETTINGS)


def test_large_partition_has_several_files(memory_corpus: Corpus) -> None:
    """A partition above `file_bytes` is cut into files that hold every row once, in order."""
    small = msgspec.structs.replace(
        SETTINGS, publish=PublishSettings(file_bytes=1, row_group_rows=2)
    )
    unit = next(unit for unit in routed(memory_corpus, small) if unit.language == "eng")
    files = stage.publish_partition(memory_corpus, unit, small).files
    topics = [topic for ref in files for topic in memory_corpus.read(ref)["topic"].to_pylist()]
    assert [ref.rows for ref in files] == [2, 2, 1]
    assert topics == ["arts", "sport", "sport", "sport", None]


def test_route_to_commit(memory_corpus: Corpus) -> None:
    """What is routed and merged passes every check and is published."""
    made = make_night(memory_corpus, DATE, SHARDS)
    units = stage.route(memory_corpus, made.decision, SETTINGS, units=made.units)
    manifests = [
        manifest
        for group in stage.group(units)
        for manifest in stage.publish_group(memory_corpus, group, SETTINGS)
    ]
    assert publish_night(memory_corpus, made, published=manifests).sequence == 1


@pytest.mark.parametrize(
    ("sizes", "max_groups", "expected"),
    [
        ([], 64, []),
        ([10, 10, 10], 64, [["l0", "l1", "l2"]]),
        ([stage.GROUP_BYTES] * 3, 64, [["l0"], ["l1"], ["l2"]]),
        ([stage.GROUP_BYTES] * 3, 2, [["l0", "l2"], ["l1"]]),
        ([stage.GROUP_BYTES, 10, 20, stage.GROUP_BYTES], 64, [["l0"], ["l3"], ["l1", "l2"]]),
    ],
)
def test_groups(sizes: list[int], max_groups: int, expected: list[list[str]]) -> None:
    """Large partitions get tasks of their own and small ones share."""
    units = [unit_of(f"l{number}", size) for number, size in enumerate(sizes)]
    groups = stage.group(units, max_groups=max_groups)
    assert [[unit.language for unit in group] for group in groups] == expected
