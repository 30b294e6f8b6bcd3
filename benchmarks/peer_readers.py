"""Other readers of the same files, run by the Python of a venv of their own.

Holds: one function a peer; a command line that times one of them. Reads one file; imports nothing
of Winnow. Not here: making the files and the venv (`readers.py`, `peers.py`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path


def warcio(path: Path) -> int:
    """Read the content of all records."""
    iterate = import_module("warcio.archiveiterator").ArchiveIterator
    with path.open("rb") as file:
        return sum(len(record.content_stream().read()) > 0 for record in iterate(file))


def warcio_trafilatura(path: Path) -> int:
    """Read the responses, and take the main text of each page."""
    iterate = import_module("warcio.archiveiterator").ArchiveIterator
    extract = import_module("trafilatura").extract
    with path.open("rb") as file:
        return sum(
            bool(extract(record.content_stream().read()))
            for record in iterate(file)
            if record.rec_type == "response"
        )


def datatrove_jsonl(path: Path) -> int:
    """Read the lines as documents."""
    reader = import_module("datatrove.pipeline.readers").JsonlReader
    found = reader(str(path.parent), glob_pattern=path.name, compression="infer")
    return sum(1 for _ in found.run())


def datatrove_warc(path: Path) -> int:
    """Read the records as documents, pages as HTML."""
    reader = import_module("datatrove.pipeline.readers").WarcReader
    found = reader(str(path.parent), glob_pattern=path.name, compression="infer")
    return sum(1 for _ in found.run())


def timed(read: Callable[[Path], int], path: Path) -> dict[str, object]:
    """Read a file three times; the first of four warms up."""
    found, seconds = read(path), []
    for _ in range(3):
        started = time.process_time()
        found = read(path)
        seconds.append(time.process_time() - started)
    return {"documents": found, "seconds": sorted(seconds)[1]}


READERS = {
    "warcio": warcio,
    "warcio+trafilatura": warcio_trafilatura,
    "datatrove (jsonl)": datatrove_jsonl,
    "datatrove (warc)": datatrove_warc,
}

if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(timed(READERS[sys.argv[1]], Path(sys.argv[2]))) + "\n")
