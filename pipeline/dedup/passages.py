"""What the published documents of a dump share without being copies.

Holds: `find_passages`. Reads passage runs and verdicts, never texts; writes one unit a dump.
Not here: counting (`repeats.py`, `containment.py`), what becomes of it (`enrich/passages.py`).

Repeated paragraphs are counted by source, among the published documents of the dump; containers
are looked for among all of these. So the result is a function of the dump and of which of its
documents are published (docs/adr/0008-passages-within-a-night.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa

from pipeline import telemetry
from pipeline.dedup.containment import Containers, Tally
from pipeline.dedup.published import SLICE_ROWS, Array, Published
from pipeline.dedup.repeats import count_documents
from pipeline.model import versions
from pipeline.model.files import FileRef
from pipeline.model.ids import fingerprint
from pipeline.model.manifest import PassagesManifest, ShardPassages, TouchedDump
from pipeline.model.schemas import CONTAINED, REPEATS
from pipeline.model.settings import PassageSettings
from pipeline.signature import SAMPLE_BITS
from pipeline.storage import layout
from pipeline.storage.units import Corpus

STAGE: Final = "passages"

_PARAGRAPH: Final = ["hash", "row", "start", "end", "words"]


def find_passages(
    corpus: Corpus, dump: TouchedDump, settings: PassageSettings, *, slice_rows: int = SLICE_ROWS
) -> PassagesManifest:
    """Find repeated paragraphs and contained documents of a dump, unless that is already done.

    Of a dump whose shards were ingested before passages were recorded nothing is found.
    """
    rule = (settings.repeated != "off", settings.repeated_documents, settings.repeated_words)
    shape = (versions.PASSAGES, rule, settings.contained, settings.containment)
    name = fingerprint(STAGE, shape, dump.shards, dump.kept_hashes)
    key = layout.unit(STAGE, name)
    if (done := corpus.find(key, PassagesManifest)) is not None:
        return done
    with telemetry.stage(STAGE, dump_date=dump.dump_date) as span:
        published = Published(corpus, dump)
        recorded = all(manifest.samples is not None for manifest in published.manifests)
        repeats: Sequence[FileRef | None] = [None] * len(dump.shards)
        contained = repeats
        if recorded and settings.repeated != "off":
            repeats = _repeats(corpus, name, published, settings=settings, slice_rows=slice_rows)
        if recorded and settings.contained != "off":
            threshold = settings.containment
            found = _containers(published, threshold, slice_rows)
            contained = _contained(corpus, name, published, found=found)
        span.update(
            repeated=sum(ref.rows for ref in repeats if ref),
            contained=sum(ref.rows for ref in contained if ref),
        )
    shards = tuple(
        ShardPassages(shard=shard, repeats=one, contained=two)
        for shard, one, two in zip(dump.shards, repeats, contained, strict=True)
    )
    return corpus.finish(key, PassagesManifest(fingerprint=name, shards=shards))


def _repeats(
    corpus: Corpus,
    name: str,
    published: Published,
    *,
    settings: PassageSettings,
    slice_rows: int,
) -> list[FileRef | None]:
    """Write the repeated paragraphs of each shard."""
    found: list[tuple[Array, ...]] = [tuple(np.empty(0, np.int64) for _ in range(4))]
    slices = published.slices("paragraphs", _PARAGRAPH, bits=64, rows=slice_rows)
    for hashes, document, start, end, words in slices:
        counts = count_documents(hashes, document, published.source)
        often = (counts >= settings.repeated_documents) & (words >= settings.repeated_words)
        found.append((document[often], start[often], end[often], counts[often]))
    document, start, end, counts = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((start, document))
    columns = [part[order] for part in (document, start, end, counts)]
    return _by_shard(corpus, (name, "repeats"), published, columns=columns, schema=REPEATS)


def _containers(published: Published, threshold: float, slice_rows: int) -> Containers:
    tally = Tally(published.words)
    for keys, documents in published.slices(
        "samples", ["key", "row"], bits=SAMPLE_BITS, rows=slice_rows
    ):
        tally.add(keys, documents)
    return tally.containers(threshold)


def _contained(
    corpus: Corpus, name: str, published: Published, *, found: Containers
) -> list[FileRef | None]:
    """Write the contained documents of each shard, with the ids of their containers."""
    columns = [found.document, published.ids(found.container), found.share]
    return _by_shard(corpus, (name, "contained"), published, columns=columns, schema=CONTAINED)


def _by_shard(
    corpus: Corpus,
    name: tuple[str, str],
    published: Published,
    *,
    columns: Sequence[Array | pa.Array],
    schema: pa.Schema,
) -> list[FileRef | None]:
    """Write rows, sorted by document, into one file a shard; documents become rows of the shard."""
    cuts = np.searchsorted(columns[0], published.first)
    refs: list[FileRef | None] = []
    for shard, (low, high) in enumerate(pairwise(cuts)):
        parts = [column[low:high] for column in columns]
        parts[0] = parts[0] - published.first[shard]
        arrays = [
            pa.array(part).cast(field.type) for part, field in zip(parts, schema, strict=True)
        ]
        table = pa.table(arrays, schema=schema)
        refs.append(corpus.write(STAGE, name[0], f"{name[1]}-{shard:04d}", table))
    return refs
