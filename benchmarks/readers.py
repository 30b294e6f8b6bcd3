"""MB/s of every reader, from stored bytes to pieces, on one core.

Run `python -m benchmarks.readers [MB]`: it makes a file of each format from generated text, reads
it, and prints the rate over decoded bytes in CPU seconds (median of three), and that of other
readers beside ours: FastWARC without and with the same extraction of text, warcio, trafilatura and
datatrove. They do less (no books, no damage, no encodings): see docs/formats.md.
"""

from __future__ import annotations

import bz2
import gzip
import io
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from fastwarc.warc import ArchiveIterator, WarcRecordType
from resiliparse.extract.html2text import extract_plain_text

from benchmarks.peers import Peers
from pipeline.ingest.reader import Reading
from pipeline.model.settings import IngestSettings
from tests.bad_inputs import make

SETTINGS = IngestSettings(splitter="none", max_ratio=100_000)
WORDS = [
    "".join(random.Random(n).choices("etaoinshrdlucmfwyp", k=3 + n % 7)) for n in range(4000)
]  # fmt: skip


def texts(megabytes: int) -> Iterator[str]:
    """Yield articles of about 3 kB, the same each time."""
    chance = random.Random(1)
    made = 0
    while made < megabytes << 20:
        paragraphs = [" ".join(chance.choices(WORDS, k=80)) + "." for _ in range(6)]
        text = "\n".join(paragraphs)
        made += len(text)
        yield text


def html(text: str) -> bytes:
    """Wrap an article as a news site does."""
    body = "".join(f"<p class=body>{part}</p>" for part in text.split("\n"))
    links = "".join(f"<li><a href=/{n}>Section {n}</a></li>" for n in range(30))
    return (
        f"<!doctype html><html><head><title>{text[:40]}</title></head><body><nav><ul>{links}</ul>"
        f"</nav><main><article>{body}</article></main><footer>{links}</footer></body></html>"
    ).encode()


def files(megabytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield the stored bytes of each format."""
    articles = list(texts(megabytes))
    lines = b"".join(b'{"text": "%s"}\n' % each.replace("\n", "\\n").encode() for each in articles)
    yield "jsonl", lines
    yield "jsonl.gz", gzip.compress(lines, 6)
    yield "jsonl.zst", zstandard.compress(lines)
    yield "jsonl.bz2", bz2.compress(lines)
    yield "json", b"[" + lines.rstrip().replace(b"\n", b", ") + b"]"
    yield (
        "text gb18030",
        "今天下午，市政府召开新闻发布会，介绍经济情况。\n".encode("gb18030") * (megabytes << 14),
    )
    records = [make.warc("conversion", each.encode()) for each in articles]
    yield "wet", b"".join(records)
    yield "wet.gz", b"".join(make.members(records))
    pages = [make.response(html(each)) for each in articles]
    yield "warc", b"".join(pages)
    yield "warc.gz", b"".join(make.members(pages))
    wiki = make.WIKI + "".join(make.wiki(n, each) for n, each in enumerate(articles))
    yield "mediawiki", wiki.encode()
    yield "mediawiki.bz2", bz2.compress(wiki.encode())
    rows = [b'%d,"%s"\n' % (number, each.encode()) for number, each in enumerate(articles)]
    yield "csv", b"id,text\n" + b"".join(rows)
    out = io.BytesIO()
    pq.write_table(pa.table({"text": articles}), out, compression="zstd")
    yield "parquet", out.getvalue()
    yield "zip", make.zipped([(f"{n}.jsonl", lines) for n in range(1)])
    yield "tar", make.tarred([(f"{n}.txt", each.encode()) for n, each in enumerate(articles)])


def ours(stored: bytes) -> int:
    """Read a file as ingest does; return its documents."""
    pieces = Reading(io.BytesIO(stored), SETTINGS, size=len(stored))
    return sum(piece.kind == "document" for piece in pieces)


def framing(stored: bytes) -> int:
    """Read the records with FastWARC alone."""
    return sum(len(record.reader.read()) > 0 for record in ArchiveIterator(io.BytesIO(stored)))


def extracting(stored: bytes) -> int:
    """Read the records with FastWARC and take the main text with Resiliparse."""
    wanted = WarcRecordType.response
    return sum(
        bool(extract_plain_text(record.reader.read().decode(), main_content=True))
        for record in ArchiveIterator(io.BytesIO(stored), record_types=wanted)
    )


def cpu(read: Callable[[bytes], int], stored: bytes) -> tuple[float, int]:
    """Return CPU seconds (median of three) and documents of one reading."""
    found, seconds = 0, []
    for _ in range(3):
        started = time.process_time()
        found = read(stored)
        seconds.append(time.process_time() - started)
    return sorted(seconds)[1], found


def others(name: str) -> Iterator[tuple[str, Callable[[bytes], int] | None]]:
    """Yield the readers to compare with; those of the venv have no function here."""
    if name.startswith(("wet", "warc")):
        yield "fastwarc", framing
        yield "warcio", None
        yield "datatrove (warc)", None
    if name.startswith("warc"):
        yield "fastwarc+resiliparse", extracting
        yield "warcio+trafilatura", None
    if name in {"jsonl", "jsonl.gz", "jsonl.zst"}:
        yield "datatrove (jsonl)", None


def main(megabytes: int) -> None:
    """Print one line a format and reader."""
    peers = Peers()
    if peers.missing:
        print(f"other readers are skipped: {peers.missing}")
    with tempfile.TemporaryDirectory() as folder:
        for name, stored in files(megabytes):
            reading = Reading(io.BytesIO(stored), SETTINGS, size=len(stored))
            decoded = max(sum(1 for _ in reading), reading.decoded_bytes)
            seconds, found = cpu(ours, stored)
            print(
                f"{name:14} {'winnow':22} {decoded / seconds / 1e6:9.1f} MB/s {found:8d} documents"
            )
            path = Path(folder) / name.replace(" ", "-")
            path.write_bytes(stored)
            for other, read in others(name):
                measured = cpu(read, stored) if read else peers.measure(other, path)
                if isinstance(measured, str):
                    print(f"{name:14} {other:22} {measured}")
                    continue
                ratio = measured[0] / seconds
                print(
                    f"{name:14} {other:22} {decoded / measured[0] / 1e6:9.1f} MB/s "
                    f"{measured[1]:8d} documents   winnow is {ratio:.2f} times as fast"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
