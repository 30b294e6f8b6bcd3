"""How articles look when they land: glued pages, JSON lines, compressed.

Holds: `page`, `records`, `compress`, `edited`. Pure functions.
Not here: what lands on which night (`editions.py`).
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import re
from collections.abc import Callable, Iterable, Sequence

import msgspec
import zstandard

from demo.grammar import Article

_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, 6, mtime=0),
    ".zst": lambda data: zstandard.ZstdCompressor(level=3).compress(data),
    ".bz2": lambda data: bz2.compress(data, 9),
    ".xz": lambda data: lzma.compress(data, preset=3),
}
"""Codecs by the ending that a well-named file has."""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a JSON lines dump."""

    id: str
    url: str
    text: str
    title: str | None = None
    published: str | None = None


def page(heading: str, articles: Sequence[Article]) -> bytes:
    """Glue articles into one scraped archive page: nothing between them but a blank line.

    Every third article brings its picture along: a file name and the caption, twice.
    """
    blocks = [heading]
    for number, article in enumerate(articles):
        blocks.append(article.title)
        body = list(article.paragraphs)
        if number % 3 == 1:
            body.insert(1, picture_name(article))
            body.insert(2, f"{article.caption}\n{article.caption}")
        blocks.extend(body)
    return ("\n\n".join(blocks) + "\n").encode()


def records(prefix: str, published: str, articles: Iterable[Article]) -> list[Record]:
    """Make JSON records; every fifth has no title and every seventh no date, as in real feeds."""
    return [
        Record(
            id=f"{prefix}-{number:04d}",
            url=f"https://{prefix.split('-', maxsplit=1)[0]}.example/{published}/{number:04d}",
            text=article.text,
            title=article.title if number % 5 else None,
            published=published if number % 7 else None,
        )
        for number, article in enumerate(articles, start=1)
    ]


def lines(values: Iterable[Record]) -> bytes:
    """Encode records as JSON lines."""
    return msgspec.json.Encoder().encode_lines(list(values))


def edited(article: Article) -> Article:
    """Return a near copy: the last number is one higher, and something stands at the end."""
    body = list(article.paragraphs)
    body[-1] = _LAST_NUMBER.sub(lambda found: str(int(found[0]) + 1), body[-1]) + " (2)"
    return msgspec.structs.replace(article, paragraphs=tuple(body))


def picture_name(article: Article) -> str:
    """Name the article's picture the way web servers do: by a hash."""
    return hashlib.blake2b(article.title.encode(), digest_size=16).hexdigest() + ".jpg"
