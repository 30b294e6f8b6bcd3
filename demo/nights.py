"""Five nights of sample dumps, made up here, the same bytes on every machine.

Holds: `DemoNight`, `nights`, and a command that writes them as folders
(`python -m demo.nights OUT`). Not here: the articles (`editions.py`), running them.

Three sources land every night: `agora` (JSON lines), `herald` (archive pages) and `mirror`, which
repeats the others and brings the accidents: a wrong file ending, a cut gzip file, an empty file,
broken lines, bytes that are no text. The third night lands after the fourth and fifth.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import msgspec

from demo.editions import DATES, LATE, Edition, Planted, edition, voices
from demo.grammar import write_article
from demo.pages import COMPRESS, lines, page, records

_CODECS = tuple(COMPRESS)
Files = list[tuple[str, bytes]]


class DemoNight(msgspec.Struct, frozen=True, kw_only=True):
    """One night's dump: `files` are (key, bytes), keys are `<source>/<dump_date>/<name>`."""

    dump_date: str
    late: bool
    files: tuple[tuple[str, bytes], ...]
    planted: Planted


@cache
def nights() -> tuple[DemoNight, ...]:
    """Return the nights in landing order: the late one comes last."""
    order = [night for night in range(len(DATES)) if night != LATE] + [LATE]
    return tuple(_night(night) for night in order)


def write(out: Path) -> int:
    """Write every night under `out` and return the number of files."""
    written = 0
    for night in nights():
        for key, data in night.files:
            path = out / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            written += 1
    return written


def _night(night: int) -> DemoNight:
    made = edition(night)
    by_source = {
        "agora": _agora(night, made),
        "herald": _herald(night, made),
        "mirror": _mirror(night, made) + _accidents(night),
    }
    files = tuple(
        (f"{source}/{DATES[night]}/{name}", data)
        for source, named in by_source.items()
        for name, data in [*named, ("_SUCCESS", b"")]
    )
    return DemoNight(dump_date=DATES[night], late=night == LATE, files=files, planted=made.planted)


def _agora(night: int, made: Edition) -> Files:
    feed = records(f"agora-{night}", _published(night), made.feed)
    third = len(feed) // 3
    parts = (feed[:third], feed[third : 2 * third], feed[2 * third :])
    endings = ("", ".gz", ".zst")
    return [
        (f"articles-{number:02d}.jsonl{ending}", COMPRESS[ending](lines(part)))
        for number, (ending, part) in enumerate(zip(endings, parts, strict=True))
    ]


def _herald(night: int, made: Edition) -> Files:
    return [
        (f"page-{number:03d}.txt{ending}", COMPRESS[ending](page(heading, articles)))
        for number, (heading, articles) in enumerate(made.pages)
        for ending in [_CODECS[(night + number) % len(_CODECS)]]
    ]


def _mirror(night: int, made: Edition) -> Files:
    wire = records(f"mirror-{night}", _published(night), made.wire)
    copies = [
        (f"again-{number:02d}.txt.xz", COMPRESS[".xz"](page(heading, articles)))
        for number, (heading, articles) in enumerate(made.again)
    ]
    return [("wire.jsonl.bz2", COMPRESS[".bz2"](lines(wire))), *copies]


def _accidents(night: int) -> Files:
    """Return the files of this night that are not what they seem; `Planted` leaves them out."""
    texts = [
        write_article(language, voice, f"{DATES[night]}/accident")
        for language, voice in list(voices().items())[:6]
    ]
    whole = page("Tag archive: lost and found", texts)
    match night:
        case 0:  # 1. the ending says gzip, the bytes are zstd
            return [("misnamed.txt.gz", COMPRESS[".zst"](whole))]
        case 1:  # 2. an upload that broke off, and one that never began
            packed = COMPRESS[".gz"](whole)
            return [("cut.txt.gz", packed[: len(packed) * 3 // 5]), ("empty.txt", b"")]
        case 3:  # 3. lines that are not JSON, not an object, or without a text
            good = lines(records("mirror-broken", _published(night), texts))
            bad = b'{"id": "cut", "text": "this line has no e\n["not", "an", "object"]\n{"id": 7}\n'
            return [("broken.jsonl", bad + good)]
        case 4:  # 4. a picture under the name of a text
            return [("picture.txt", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 16)]
        case _:
            return []


def _published(night: int) -> str:
    return DATES[night - 1] if night else "2026-11-15"


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]))} files in {sys.argv[1]}")
