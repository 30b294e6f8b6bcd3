"""How valid files are broken.

Holds: `SEEDS`, `mutated`. Pure, given a source of chance. Not here: what is checked (`check.py`).
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
from collections.abc import Callable

import brotli
import zstandard

from tests.bad_inputs import foreign, make

_TABLE = b"id,text\n" + b"".join(b'%d,"some ""words"", more\n of %d"\n' % (n, n) for n in range(9))
_LINES = make.lines(9)
_WARC = [make.wet(1), make.response(make.page(2)), make.wet(3), make.warc("request", b"GET /")]
_WIKI = (make.WIKI + make.wiki(1) + make.wiki(2) + make.wiki(3, "#x [[a|b]] {{c}}")).encode()
_PARQUET = make.parquet({"text": ["one word", "two words", "three"], "id": [1, 2, 3]})
_CHUNKED = make.response(b"5\r\n<html\r\n1\r\n>\r\n0\r\n\r\n", "Transfer-Encoding: chunked")
_CODED = [
    make.response(brotli.compress(make.page(1)), "Content-Encoding: br"),
    make.response(zstandard.compress(make.page(2)), "Content-Encoding: zstd"),
    make.response(gzip.compress(make.page(4), mtime=0)[:-9], "Content-Encoding: gzip"),
    make.response(make.page(3), "Content-Type: text/html; charset=gb2312"),
]
_RECORDS = [
    {"text": make.story(n), "id": n, "by": {"name": "x"}, "c": [{"text": "a"}, {"text": "{b}"}]}
    for n in range(4)
]
_PLAIN = (
    b"From: a@x.example\nSubject: words\nDate: 1 Mar 2024 10:00:00\n\n" + make.story(1).encode()
)
_ARRAY = json.dumps(_RECORDS).encode()
_MEMBERS = [("a.jsonl", _LINES), ("b.csv", _TABLE), ("c.gz", gzip.compress(_LINES, mtime=0))]

SEEDS: dict[str, bytes] = {
    "text": "\n\n".join(make.story(n) for n in range(6)).encode(),
    "text in UTF-16": make.story(1).encode("utf-16"),
    "text in GB18030": ("今天下午，市政府召开新闻发布会。\n" * 9).encode("gb18030"),
    "jsonl": _LINES,
    "jsonl.gz": b"".join(make.members([_LINES, _LINES, _LINES])),
    "jsonl.gz.gz": gzip.compress(gzip.compress(_LINES, mtime=0), mtime=0),
    "jsonl.zst": b"".join(make.frames([_LINES, _LINES])),
    "jsonl.bz2": bz2.compress(_LINES) + bz2.compress(_LINES),
    "jsonl.xz": lzma.compress(_LINES) + lzma.compress(_LINES),
    "json": json.dumps(_RECORDS).encode(),
    "json, indented": json.dumps(_RECORDS, indent=2).encode(),
    "json, objects": "\n".join(json.dumps(record, indent=1) for record in _RECORDS).encode(),
    "json, wrapped": json.dumps({"n": 4, "data": _RECORDS, "next": {"page": 2}}).encode(),
    "json, below prose": b"Export of 2024-03-01\n\n" + _ARRAY,
    "json.gz": b"".join(make.members([_ARRAY[:200], _ARRAY[200:400], _ARRAY[400:]])),
    "csv": _TABLE,
    "csv, of old Macs": _TABLE.replace(b"\n", b"\r"),
    "csv, one column": b"text\n" + b"".join(b'"some, words of %d"\n' % n for n in range(9)),
    "csv, below comments": b'# an export\n# of "words\n' + _TABLE,
    "warc": b"".join([*_WARC, _CHUNKED]),
    "warc.gz": b"".join(make.members(_WARC)),
    "warc, in segments": b"".join([*make.segments(_WARC[1], 3), *_WARC]),
    "warc, coded": b"".join(_CODED),
    "mail": make.mail(1),
    "mail, plain": _PLAIN,
    "mail, in UTF-16": _PLAIN.decode().encode("utf-16"),
    "mail, of old Macs": make.box(_PLAIN, make.mail(2)).replace(b"\n", b"\r"),
    "mail, a box": make.box(make.mail(1), make.mail(2), make.mail(3)),
    "mail, a box in UTF-16": (make.box(_PLAIN, _PLAIN) + b"\n").decode().encode("utf-16"),
    "mail.gz": b"".join(make.members([make.box(make.mail(n)) for n in range(3)])),
    "html": b"\n".join(make.page(number) for number in range(4)),
    "mediawiki": _WIKI,
    "mediawiki.bz2": bz2.compress(_WIKI),
    "mediawiki, with a prefix": _WIKI.replace(b"</", b"</m:")
    .replace(b"<", b"<m:")
    .replace(b"<m:/", b"</"),
    "parquet": _PARQUET,
    "parquet, joined": _PARQUET + _PARQUET + b"tail",
    "zip": make.zipped(_MEMBERS),
    "zip, stored": make.zipped([*_MEMBERS, ("d.warc", _WARC[1])], stored=True),
    "zip, joined": make.zipped(_MEMBERS[:2]) + make.zipped(_MEMBERS[2:]),
    "tar": make.tarred(_MEMBERS),
    "tar, sparse": foreign.sparse_gnu(),
    "tar, joined": make.tarred(_MEMBERS[:2]) + foreign.size_in_pax(),
}
_TOKENS = (
    b"\n", b"\r\n", b'"', b"\0", b"{", b"}", b"\xff", b"\xef\xbb\xbf", b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b"WARC/1.0\r\n", b"Content-Length: ", b"<page>", b"</page>", b"&lol;", b"\xed\xa0\x80", b"-1",
    b"99999999999999999999", b"\x28\xb5\x2f\xfd", b"ustar", b"PAR1",
    b"PK\x05\x06", b"<html>", b"</html>", b"}{", b"[" * 3000, b"\xd8\x00",
    b"},{", b"[", b"]", b",", b"\nFrom a 1\nx: y\n", b"--xx",
)  # fmt: skip


def mutated(stored: bytes, chance: random.Random) -> bytes:
    """Break a file in one to six places."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        stored = chance.choice(_WAYS)(stored, chance)
    return stored


def _flip(stored: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(stored) + 1)
    return stored[:at] + bytes([chance.randrange(256)]) + stored[at + 1 :]


def _lose(stored: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(stored) + 1)
    return stored[:at] + stored[at + chance.choice((1, 1, 2, 9, 100)) :]


def _insert(stored: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(stored) + 1)
    return stored[:at] + chance.choice(_TOKENS) + stored[at:]


def _repeat(stored: bytes, chance: random.Random) -> bytes:
    low = chance.randrange(len(stored) + 1)
    part = stored[low : low + chance.choice((1, 8, 60, 600))]
    at = chance.randrange(len(stored) + 1)
    return stored[:at] + part * chance.choice((1, 2, 9)) + stored[at:]


def _cut(stored: bytes, chance: random.Random) -> bytes:
    return stored[: chance.randrange(len(stored) + 1)]


def _join(stored: bytes, chance: random.Random) -> bytes:
    other = chance.choice(list(SEEDS.values()))
    at = chance.randrange(len(stored) + 1)
    return stored[:at] + other[chance.randrange(len(other)) :]


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip, _flip, _flip, _lose, _lose, _insert, _insert, _repeat, _cut, _join,
)  # fmt: skip
