"""Which merged runs of band keys a corpus has.

Holds: `load`, `stored`, `save`, `needed`, `drop`, `slice_of`. Reads and writes `store/index.json`;
reads slices. Not here: merging (`dedup/merging.py`), the form of a slice (`packed.py`).
"""

from __future__ import annotations

from contextlib import suppress

import msgspec

from pipeline import __version__
from pipeline.errors import ConflictError, ContractError, CorruptError, MissingError
from pipeline.model.files import FileRef
from pipeline.model.index import BandIndex, IndexRun, Parameters
from pipeline.storage import layout, packed
from pipeline.storage.units import Corpus, encode

PREFIXES = 1 << 16


def load(corpus: Corpus) -> tuple[BandIndex, str | None]:
    """Return the index and the ETag to replace it with; a corpus without one has no runs.

    Raises:
        ContractError: it was made with other parameters than this version of Winnow uses.
        CorruptError: what is stored is none.
    """
    index, etag = stored(corpus)
    expected = Parameters()
    for found in (index.parameters, *(run.parameters for run in index.runs)):
        if found != expected:
            raise ContractError(
                f"{layout.INDEX}: expected a band index made with {expected} (Winnow "
                f"{__version__}), found one with {found} (Winnow {index.code_version}). Its keys "
                f"cannot be compared with new ones. {packed.REBUILD}"
            )
    return index, etag


def stored(corpus: Corpus) -> tuple[BandIndex, str | None]:
    """Return the index whatever it was made with.

    Raises:
        CorruptError: what is stored is none.
    """
    try:
        data, etag = corpus.store.get(layout.INDEX)
    except MissingError:
        return BandIndex(code_version=__version__), None
    try:
        return msgspec.json.decode(data, type=BandIndex), etag
    except msgspec.DecodeError as error:
        raise CorruptError(
            f"{layout.INDEX}: expected a band index, found {len(data)} bytes that are none: "
            f"{error}. {packed.REBUILD}"
        ) from error


def save(corpus: Corpus, index: BandIndex, etag: str | None) -> None:
    """Replace the index that had this ETag; a put whose answer was lost counts as done.

    Raises:
        ConflictError: somebody else replaced it meanwhile.
    """
    data = encode(index)
    try:
        corpus.store.put(layout.INDEX, data, if_absent=etag is None, if_match=etag)
    except ConflictError:
        with suppress(MissingError):
            if corpus.store.get(layout.INDEX)[0] == data:
                return
        raise


def needed(corpus: Corpus) -> dict[str, FileRef]:
    """Return what the index names, by key; nothing of an index that is none."""
    try:
        index, _ = stored(corpus)
    except CorruptError:
        return {}
    units = (layout.unit("index", run.fingerprint) for run in index.runs)
    files = {ref.key: ref for run in index.runs for ref in run.slices}
    return {key: FileRef(key, "", 0, 0) for key in units} | files


def drop(corpus: Corpus) -> None:
    """Forget all runs, also finished ones that no index names."""
    units = [info.key for info in corpus.store.list(f"{layout.UNITS}index/")]
    corpus.store.delete([layout.INDEX, *units])


def slice_of(corpus: Corpus, run: IndexRun, number: int, *, whole: bool = False) -> packed.Slice:
    """Open slice `number` of a run; check the hash of all of it if it is to be read `whole`.

    Raises:
        CorruptError: it is damaged, another's, or gone.
    """
    ref, count = run.slices[number], len(run.slices)
    low, high = number * PREFIXES // count, (number + 1) * PREFIXES // count
    try:
        path = corpus.fetch(ref) if whole else corpus.fetch_part(ref)
    except (CorruptError, MissingError) as error:
        raise CorruptError(
            f"{ref.key}: expected slice {number} of {count} of the band index, found it damaged or "
            f"gone. {packed.REBUILD}"
        ) from error
    return packed.opened(path, packed.Header(run=run.fingerprint, low=low, high=high))
