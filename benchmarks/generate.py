"""Dumps of any size with known duplicates, for benchmarks.

Holds: `generate` and its command line. Writes `OUT/<source>/<dump_date>/…` and, outside that tree,
a truth file with one line a document. Not here: texts (`vocabulary.py`), the runs themselves.

    python -m benchmarks.generate --bytes 1GB --out landing --dump-date 2026-11-21

Kinds of documents: `unique`; `exact` and `near` copies of one of the last documents of the same
dump (near: one block of phrases is replaced); `cross` copies of a pool that every dump with the
same `--pool-seed` shares. The same arguments give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import msgspec
import numpy as np
import zstandard

from benchmarks.vocabulary import WORDS_A_PHRASE, Phrases, Rng, Vocabulary, vocabularies

Format = Literal["txt", "jsonl", "mixed"]
Kind = Literal["unique", "exact", "near", "cross"]
RATES = (0.01, 0.02, 0.05, 0.1, 0.3)
_KINDS: tuple[tuple[float, Kind], ...] = ((0.4, "exact"), (0.7, "near"), (1.0, "cross"))
_REMEMBERED = 4096
_LOG_MEDIAN, _SPREAD, _FEWEST, _MOST = 5.0, 0.7, 14, 2000  # of phrases
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "B": 1}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What to generate. `page_articles` is the most articles a page holds; half of it the least."""

    out: Path
    bytes: int
    dump_date: str
    source: str = "bench"
    seed: int = 1
    format: Format = "mixed"
    duplicates: float = 0.4
    codec: Literal["plain", "gz", "zst"] = "plain"
    file_bytes: int = 32_000_000
    page_articles: int = 10
    pool_seed: int = 0
    pool_size: int = 20_000
    truth: Path | None = None

    @property
    def truth_path(self) -> Path:
        """Where the truth goes: beside `out`, never in it."""
        return self.truth or self.out.parent / f"truth-{self.source}-{self.dump_date}.jsonl"


class Truth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one document. `position` counts from 0 in its file.

    `of` names the original of an exact or near copy, `pool` the pool document of a cross copy.
    `rate` is the share of replaced phrases, `jaccard` the similarity of word 5-grams that follows
    (in the language without spaces, where characters count, about that).
    """

    id: str
    file: str
    position: int
    kind: Kind
    of: str | None = None
    pool: int | None = None
    rate: float = 0.0
    jaccard: float = 1.0


class Document(NamedTuple):
    """One drawn document."""

    id: str
    vocabulary: Vocabulary
    title: bytes
    phrases: Phrases
    kind: Kind = "unique"
    of: str | None = None
    pool: int | None = None
    rate: float = 0.0


def generate(options: Options) -> int:
    """Write one dump of about `options.bytes` (before compression); return the documents."""
    rng = np.random.default_rng([options.seed, *f"{options.source}/{options.dump_date}".encode()])
    folder = options.out / options.source / options.dump_date
    folder.mkdir(parents=True, exist_ok=True)
    options.truth_path.parent.mkdir(parents=True, exist_ok=True)
    documents = _documents(options, rng)
    encoder = msgspec.json.Encoder()
    written = total = 0
    with options.truth_path.open("wb") as truth:
        for number in range(sys.maxsize):
            name, data, members = _file(options, number, documents=documents, rng=rng)
            key = f"{options.source}/{options.dump_date}/{name}"
            with _open(folder / name, options.codec) as file:
                file.write(data)
            truth.write(encoder.encode_lines([_truth(key, i, d) for i, d in enumerate(members)]))
            written += len(data)
            total += len(members)
            if written >= options.bytes:
                break
    (folder / "_SUCCESS").write_bytes(b"")
    return total


def _documents(options: Options, rng: Rng) -> Iterator[Document]:
    """Draw documents for ever; copies are of the last few thousand that are no copies."""
    recent: deque[Document] = deque(maxlen=_REMEMBERED)
    for number in range(sys.maxsize):
        name = f"{options.source}-{options.dump_date}-{number:09d}"
        if rng.random() < options.duplicates and recent:
            share = rng.random()
            kind = next(kind for edge, kind in _KINDS if share < edge)
            yield _copy(options, name, kind=kind, recent=recent, rng=rng)
            continue
        vocabulary = vocabularies()[int(rng.integers(len(vocabularies())))]
        document = _draw(name, vocabulary, rng=rng)
        recent.append(document)
        yield document


def _draw(name: str, vocabulary: Vocabulary, *, rng: Rng) -> Document:
    count = min(max(int(rng.lognormal(_LOG_MEDIAN, _SPREAD)), _FEWEST), _MOST)
    return Document(name, vocabulary, vocabulary.title(rng), vocabulary.draw(rng, count))


def _copy(
    options: Options, name: str, *, kind: Kind, recent: Sequence[Document], rng: Rng
) -> Document:
    if kind == "cross":
        pool = int(rng.integers(options.pool_size))
        own = np.random.default_rng([options.pool_seed, pool])
        original = _draw(name, vocabularies()[pool % len(vocabularies())], rng=own)
        return original._replace(kind=kind, pool=pool)
    original = recent[int(rng.integers(len(recent)))]
    if kind == "exact":
        return original._replace(id=name, kind=kind, of=original.id)
    rate = RATES[int(rng.integers(len(RATES)))]
    phrases = _block_edit(original, rate, rng=rng)
    return original._replace(id=name, phrases=phrases, kind=kind, of=original.id, rate=rate)


def _block_edit(original: Document, rate: float, *, rng: Rng) -> Phrases:
    """Replace one block inside the text, away from both ends."""
    phrases = original.phrases.copy()
    size = max(1, round(rate * len(phrases)))
    start = int(rng.integers(2, len(phrases) - size - 1))
    phrases[start : start + size] = original.vocabulary.draw(rng, size)
    return phrases


def _file(
    options: Options, number: int, *, documents: Iterator[Document], rng: Rng
) -> tuple[str, bytes, list[Document]]:
    """Fill one file; in mixed dumps JSON lines and pages get about equal bytes."""
    lines = options.format == "jsonl"
    if options.format == "mixed":
        lines = number == 0 or rng.random() < _share_of_lines(options)
    ending = "" if options.codec == "plain" else f".{options.codec}"
    if lines:
        data, members = _json_lines(options, documents)
        return f"part-{number:06d}.jsonl{ending}", data, members
    count = int(rng.integers(max(1, options.page_articles // 2), options.page_articles + 1))
    members = [next(documents) for _ in range(count)]
    return f"page-{number:06d}.txt{ending}", _page(members), members


def _share_of_lines(options: Options) -> float:
    """Estimate which share of the files must be JSON lines to hold half of the bytes."""
    page_bytes = 0.75 * options.page_articles * 3600
    return page_bytes / (page_bytes + min(options.file_bytes, options.bytes // 4))


def _json_lines(options: Options, documents: Iterator[Document]) -> tuple[bytes, list[Document]]:
    lines: list[bytes] = []
    members: list[Document] = []
    room = min(options.file_bytes, max(1, options.bytes // 4))
    while room > 0:
        document = next(documents)
        lines.append(_json_line(options, document))
        members.append(document)
        room -= len(lines[-1]) + 1
    return b"\n".join(lines) + b"\n", members


def _json_line(options: Options, document: Document) -> bytes:
    """Encode one document; phrases need no escape but line ends do."""
    head = (
        f'{{"id":"{document.id}","url":"https://{options.source}.example/{document.id}",'
        f'"published":"{options.dump_date}","title":"'
    )
    text = document.vocabulary.text(document.phrases).replace(b"\n", b"\\n")
    return b"".join((head.encode(), document.title, b'","text":"', text, b'"}'))


def _page(members: Sequence[Document]) -> bytes:
    """Glue documents with nothing but a blank line between; some have a picture."""
    blocks = [b"Tag archive: " + members[0].title]
    for number, document in enumerate(members):
        blocks.append(document.title)
        if number % 4 == 1:
            blocks.append(f"{hash_name(document.id)}.jpg".encode())
            blocks.append(document.title + b"\n" + document.title)
        blocks.append(document.vocabulary.text(document.phrases))
    return b"\n\n".join(blocks) + b"\n"


def hash_name(name: str) -> str:
    """Name a picture by 16 hex digits (FNV-1a, 64 bits)."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def _truth(key: str, position: int, document: Document) -> Truth:
    size = len(document.phrases)
    edited = max(1, round(document.rate * size)) if document.rate else 0
    words, lost = WORDS_A_PHRASE * size, WORDS_A_PHRASE * edited
    jaccard = (words - lost - 8) / (words + lost) if edited else 1.0
    return Truth(
        id=document.id,
        file=key,
        position=position,
        kind=document.kind,
        of=document.of,
        pool=document.pool,
        rate=document.rate,
        jaccard=round(max(jaccard, 0.0), 4),
    )


def _open(path: Path, codec: str) -> BinaryIO | gzip.GzipFile:
    if codec == "gz":
        return gzip.GzipFile(path, "wb", compresslevel=1, mtime=0)
    if codec == "zst":
        packed: BinaryIO = zstandard.open(path, "wb", cctx=zstandard.ZstdCompressor(level=1))
        return packed
    return path.open("wb")


def size_of(text: str) -> int:
    """Read `1GB`, `64 MB`, `500kb` or a plain number of bytes (decimal units)."""
    upper = text.upper().replace(" ", "")
    for unit, factor in _UNITS.items():
        if upper.endswith(unit):
            return int(float(upper.removesuffix(unit)) * factor)
    return int(upper)


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.generate", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--bytes", type=size_of, required=True, help="e.g. 1GB; before compression")
    parser.add_argument("--out", type=Path, required=True, help="the landing folder")
    parser.add_argument("--dump-date", required=True, help="e.g. 2026-11-21")
    parser.add_argument("--source", default="bench")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", choices=["txt", "jsonl", "mixed"], default="mixed")
    parser.add_argument("--duplicates", type=float, default=0.4, help="share of copies")
    parser.add_argument("--codec", choices=["plain", "gz", "zst"], default="plain")
    parser.add_argument("--file-bytes", type=size_of, default=32_000_000, help="of JSON lines")
    parser.add_argument("--page-articles", type=int, default=10, help="most articles a page holds")
    parser.add_argument("--pool-seed", type=int, default=0, help="same seed: copies across dumps")
    parser.add_argument("--pool-size", type=int, default=20_000)
    parser.add_argument("--truth", type=Path, help="truth file; beside --out when not given")
    return Options(**vars(parser.parse_args(arguments)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Generate one dump and say how long it took."""
    options = _options(arguments)
    started = time.perf_counter()
    documents = generate(options)
    seconds = time.perf_counter() - started
    speed = options.bytes / 1e6 / seconds
    print(f"{documents:,} documents in {seconds:.1f} s ({speed:.0f} MB/s): {options.out}")
    print(f"truth: {options.truth_path}")


if __name__ == "__main__":
    main()
