"""From annotated runs by shard to published files by partition.

Holds: `route`, `group`, `publish_partition`, `publish_group`. Reads annotate manifests and runs;
writes the files of partitions. Not here: how rows are merged and written
(`storage/sorted_files.py`), making them visible (`commit.py`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from pipeline import telemetry
from pipeline.errors import ContractError
from pipeline.model import versions
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import (
    AnnotateManifest,
    AnnotateUnit,
    Decision,
    PublishManifest,
    PublishUnit,
)
from pipeline.model.schemas import DOCUMENTS
from pipeline.model.settings import PublishSettings, RunSettings
from pipeline.storage import layout
from pipeline.storage.sorted_files import merge_sorted, write_sorted
from pipeline.storage.units import Corpus

GROUP_BYTES = 256 * 1024 * 1024
"""Bytes to merge that are worth a task of their own."""


def route(
    corpus: Corpus, decision: Decision, settings: RunSettings, *, units: Sequence[AnnotateUnit]
) -> tuple[PublishUnit, ...]:
    """Group the annotated runs of the touched dumps into partitions, by date and language.

    Raises:
        MissingError: a unit was not annotated yet.
    """
    touched = {dump.dump_date for dump in decision.touched}
    runs: defaultdict[tuple[str, str], list[FileRef]] = defaultdict(list)
    for unit in units:
        if unit.dump_date in touched:
            manifest = corpus.load(layout.unit("annotate", unit.fingerprint), AnnotateManifest)
            for run in manifest.runs:
                if run.file.rows:
                    runs[unit.dump_date, run.language].append(run.file)
    return tuple(
        PublishUnit(
            dump_date=dump_date,
            language=language,
            runs=tuple(files),
            fingerprint=_fingerprint(dump_date, language, files=files, settings=settings.publish),
        )
        for (dump_date, language), files in sorted(runs.items())
    )


def group(
    units: Sequence[PublishUnit], max_groups: int = 64
) -> tuple[tuple[PublishUnit, ...], ...]:
    """Share partitions out over tasks by the bytes to merge: largest first, to the emptiest task.

    Every partition is in exactly one group and no group is empty.
    """
    total = sum(_work(unit) for unit in units)
    number = min(max_groups, len(units), max(1, -(-total // GROUP_BYTES)))
    groups: list[list[PublishUnit]] = [[] for _ in range(number)]
    loads = [0] * number
    for unit in sorted(units, key=lambda unit: (-_work(unit), unit.dump_date, unit.language)):
        least = loads.index(min(loads))
        groups[least].append(unit)
        loads[least] += _work(unit)
    return tuple(
        tuple(sorted(members, key=lambda unit: (unit.dump_date, unit.language)))
        for members in groups
    )


def publish_group(
    corpus: Corpus, units: Sequence[PublishUnit], settings: RunSettings
) -> tuple[PublishManifest, ...]:
    """Publish the partitions of one group, in order."""
    return tuple(publish_partition(corpus, unit, settings) for unit in units)


def publish_partition(corpus: Corpus, unit: PublishUnit, settings: RunSettings) -> PublishManifest:
    """Make the files of one partition.

    A single run is the published file: the writer and the rows of a merge would be the same.
    """
    key = layout.unit("publish", unit.fingerprint)
    if (done := corpus.find(key, PublishManifest)) is not None:
        return done
    with telemetry.stage("publish", dump_date=unit.dump_date, language=unit.language) as span:
        as_is = len(unit.runs) == 1
        files = unit.runs if as_is else _merge(corpus, unit, settings.publish)
        span.update(runs=len(unit.runs), files=len(files), rows=sum(file.rows for file in files))
        manifest = PublishManifest(
            fingerprint=unit.fingerprint,
            dump_date=unit.dump_date,
            language=unit.language,
            files=files,
        )
        return corpus.finish(key, manifest)


def _merge(corpus: Corpus, unit: PublishUnit, settings: PublishSettings) -> tuple[FileRef, ...]:
    paths = [corpus.store.fetch(run, corpus.scratch) for run in unit.runs]
    written = write_sorted(merge_sorted(paths, DOCUMENTS), settings, corpus.scratch_file)
    expected, found = sum(run.rows for run in unit.runs), sum(rows for _, rows in written)
    if expected != found:
        raise ContractError(
            f"partition {unit.dump_date}/{unit.language}: expected {expected} rows from "
            f"{len(paths)} runs, wrote {found}. Run publish for this partition again; if it "
            "repeats, the merge loses rows."
        )
    files = tuple(
        _adopt(corpus, unit, number=number, path=path, rows=rows)
        for number, (path, rows) in enumerate(written)
    )
    for path in paths:
        if path.parent == corpus.scratch:
            path.unlink(missing_ok=True)
    return files


def _adopt(corpus: Corpus, unit: PublishUnit, *, number: int, path: Path, rows: int) -> FileRef:
    schema = pq.read_schema(path)
    if not schema.equals(DOCUMENTS):
        raise ContractError(
            f"partition {unit.dump_date}/{unit.language}: expected the columns {DOCUMENTS.names} "
            f"with their declared types, found {schema.names}. Annotate and publish the dump again."
        )
    return corpus.adopt("publish", unit.fingerprint, f"part-{number:05d}", path, rows)


def _work(unit: PublishUnit) -> int:
    """Return the bytes that publishing a partition reads and writes; next to none for one run."""
    return sum(run.size for run in unit.runs) if len(unit.runs) > 1 else 1


def _fingerprint(
    dump_date: str, language: str, *, files: list[FileRef], settings: PublishSettings
) -> str:
    digests = sorted(file.sha256 for file in files)
    return fingerprint("publish", versions.PUBLISH, settings, dump_date, language, digests)
