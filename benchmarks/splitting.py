"""MB/s, memory and quality of the page splitter, on one core.

Run `python -m benchmarks.splitting [MB ...]`: for each size it makes a page of generated articles,
splits it as ingest does, in a process of its own, and prints the rate over UTF-8 bytes of CPU time
(of the splitter; of splitting and normalising together; of all from stored bytes to the rows of a
shard) and the peak memory beyond what the page itself and the loaded program take; then the same
for one line of 50 MB, and for the text files of a folder that `WINNOW_PAGES` names, twenty times
over. Where the cache of `benchmarks/split` exists it goes on to precision and recall. Writes
nothing but a temporary folder.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.ingest.segments import Segment
    from pipeline.model.settings import IngestSettings

SIZES = (1, 10, 50, 200)
LINE = 50
BLOCK = 1 << 20
TIMES = 20
PAGES = 200
"""Generated pages of the quality lines: few, so that they take a minute and not ten."""
ROOT = Path(__file__).parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "winnow" / "split"


def page(megabytes: int, kind: str) -> str:
    """Make a page of so many megabytes: articles of 3 kB, or the same words on one line."""
    chance = random.Random(1)
    words = [
        "".join(random.Random(n).choices("etaoinshrdlucmfwyp", k=3 + n % 7)) for n in range(20_000)
    ]
    articles: list[str] = []
    made = 0
    while made < min(megabytes, 10) * 1_000_000:
        own = chance.sample(words, 150)
        parts = [" ".join(chance.choices(own, k=8)).capitalize()]
        parts += [" ".join(chance.choices(own, k=chance.randint(20, 90))) + "." for _ in range(8)]
        articles.append("\n\n".join(parts))
        made += len(articles[-1]) + 2
    text = "\n\n".join(articles) + "\n\n"
    text *= max(1, round(megabytes * 1_000_000 / len(text)))
    return text if kind == "page" else text.replace("\n", " ")


def child(megabytes: int, kind: str) -> None:
    """Split one page in this process and print what it took."""
    from pipeline.ingest.pages import text_pieces  # noqa: PLC0415 - loaded in the child only
    from pipeline.ingest.splitters import Splitter, resolve  # noqa: PLC0415
    from pipeline.model.settings import IngestSettings  # noqa: PLC0415

    settings = IngestSettings()
    inner = resolve(settings.splitter)
    inner.segments(page(1, "page"), settings)  # loads every kernel
    clock = [0.0]

    def timed(text: str, *, settings: IngestSettings) -> Sequence[Segment]:
        began = time.process_time()
        found = inner.split(text, settings=settings)
        clock[0] += time.process_time() - began
        return found

    text = own() if kind == "files" else page(megabytes, kind)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    splitter = Splitter(name=inner.name, version=inner.version, split=timed)
    pieces = text_pieces(_blocks(text), settings, splitter=splitter)
    documents = sum(piece.kind == "document" for piece in pieces)
    seconds = time.process_time() - started
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    print(
        json.dumps(
            {
                "mb": len(text.encode()) / 1e6,
                "split": clock[0],
                "seconds": seconds,
                "rows": rows(text, settings),
                "documents": documents,
                "peak": peak,
            }
        )
    )


def rows(text: str, settings: IngestSettings) -> float:
    """Return the seconds of a shard with this page alone: decoding, pieces, signatures, Parquet."""
    from pipeline.ingest.reader import Reading  # noqa: PLC0415 - loaded in the child only
    from pipeline.ingest.rows import ShardWriter  # noqa: PLC0415
    from pipeline.model.files import DumpFile  # noqa: PLC0415
    from pipeline.storage.memory import MemoryStore  # noqa: PLC0415
    from pipeline.storage.units import Corpus  # noqa: PLC0415

    raw = text.encode()
    file = DumpFile("bench", "2000-01-01", "bench/2000-01-01/page.txt", "etag", len(raw))
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        corpus = Corpus(MemoryStore(), Path(folder))
        writer = ShardWriter(corpus, "0" * 24, batch_bytes=settings.batch_bytes)
        for piece in Reading(io.BytesIO(raw), settings, size=len(raw)):
            writer.add(file, piece)
        writer.finish()
        return time.process_time() - started


def own() -> str:
    """Return the text files of a folder that the user names, so often that the clock is fair."""
    files = sorted(Path(os.environ["WINNOW_PAGES"]).glob("*.txt"))
    return "".join(file.read_text("utf-8", "replace") + "\n" for file in files) * TIMES


def _blocks(text: str) -> Iterator[str]:
    """Yield the text as a reader does."""
    for at in range(0, len(text), BLOCK):
        yield text[at : at + BLOCK]


def speed(megabytes: int, kind: str) -> None:
    """Measure one size in a process of its own and print a line."""
    arguments = [sys.executable, "-m", "benchmarks.splitting", "--child", kind, str(megabytes)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True, cwd=ROOT)
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"split {kind:5} {found['mb']:7.1f} MB  {found['mb'] / found['split']:6.1f} MB/s of CPU "
        f"time, with normalising {found['mb'] / found['seconds']:6.1f}, "
        f"to rows {found['mb'] / found['rows']:6.1f}  {found['documents']:7} "
        f"documents  peak +{found['peak']:.0f} MB",
        flush=True,
    )


def quality() -> None:
    """Print how many boundaries are right, if the articles to make pages of are there."""
    if not (CACHE / "articles.jsonl.gz").exists():
        print("split quality: no articles; make -C benchmarks/split measure fetches them (4.5 GB)")
        return
    here = ROOT / "benchmarks" / "split" / "evaluate.py"
    environ = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    arguments = [sys.executable, str(here), str(CACHE), "--pages", str(PAGES), "--brief"]
    subprocess.run(arguments, check=True, cwd=ROOT, env=environ)


def main(arguments: list[str]) -> None:
    """Print one line a size, then the quality."""
    if arguments[:1] == ["--child"]:
        child(int(arguments[2]), arguments[1])
        return
    for megabytes in map(int, arguments or SIZES):
        speed(megabytes, "page")
    speed(LINE, "line")
    if "WINNOW_PAGES" in os.environ:
        speed(0, "files")
    quality()


if __name__ == "__main__":
    main(sys.argv[1:])
