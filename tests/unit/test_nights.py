"""The sample dumps are what `demo/nights.py` says they are."""

import bz2
import gzip
import hashlib
import lzma
import random
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest
import zstandard

from demo.editions import DATES, LATE, edition
from demo.grammar import Article, expand, load_voices
from demo.nights import DemoNight, nights, write
from demo.pages import Record, edited

ROOT = Path(__file__).parents[2]
THRESHOLD = 0.72
Shingles = frozenset[tuple[str, ...]]
MAGIC = {
    b"\x1f\x8b": gzip.decompress,
    b"\x28\xb5": lambda data: zstandard.ZstdDecompressor().decompress(data),
    b"BZ": bz2.decompress,
    b"\xfd7": lzma.decompress,
}


def plain(data: bytes) -> bytes:
    """Decompress by content, whatever the name says."""
    return MAGIC.get(data[:2], lambda same: same)(data)


def records(night: DemoNight) -> list[Record]:
    """Return the night's JSON records without the file of broken lines."""
    return [
        record
        for key, data in night.files
        if ".jsonl" in key and "broken" not in key
        for record in msgspec.json.Decoder(Record).decode_lines(plain(data))
    ]


@cache
def shingles(text: str) -> Shingles:
    """Return 5-grams of words; of characters where words are not separated."""
    words = re.findall(r"\w+", text.lower())
    units = words if len(text) < 9 * len(words) else list("".join(words))
    return frozenset(tuple(units[i : i + 5]) for i in range(len(units) - 4))


def jaccard(left: str, right: str) -> float:
    """Return the true similarity of two texts."""
    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b)


def judge(dumps: list[DemoNight]) -> dict[tuple[str, str], str]:
    """Walk records in date order; keep one unless an earlier kept one is similar, and say why."""
    kept: list[tuple[str, str, str]] = []
    verdicts: dict[tuple[str, str], str] = {}
    for dump in sorted(dumps, key=lambda dump: dump.dump_date):
        for record in records(dump):
            # Copies keep their title; texts under other titles are never near (tested below).
            near = [
                (similarity, date)
                for date, title, text in kept
                if (title == record.title or not title or not record.title)
                and (similarity := jaccard(text, record.text)) >= THRESHOLD
            ]
            verdict = "kept"
            if near:
                similarity, date = max(near)
                kind = "exact" if similarity == 1 else "near"
                verdict = f"{kind}_{'within' if date == dump.dump_date else 'across'}"
            else:
                kept.append((dump.dump_date, record.title or "", record.text))
            verdicts[dump.dump_date, record.id] = verdict
    return verdicts


def test_the_late_night_lands_last() -> None:
    """Nights come in landing order, and the third date is the late one."""
    order = [(night.dump_date, night.late) for night in nights()]
    dates = [*DATES[:LATE], *DATES[LATE + 1 :]]
    assert order == [(date, False) for date in dates] + [(DATES[LATE], True)]


def test_keys_name_source_date_and_file_and_each_folder_ends_with_success() -> None:
    """Keys are `<source>/<dump_date>/<name>`; the last one of a folder is `_SUCCESS`."""
    for night in nights():
        folders: dict[str, list[str]] = {}
        for key, _ in night.files:
            source, date, name = key.split("/")
            assert date == night.dump_date
            folders.setdefault(source, []).append(name)
        assert sorted(folders) == ["agora", "herald", "mirror"]
        assert [names[-1] for names in folders.values()] == ["_SUCCESS"] * 3


def test_bytes_do_not_depend_on_the_process() -> None:
    """Another process with another hash seed makes the same bytes."""
    program = (
        "import hashlib; from demo.nights import nights;"
        "print(hashlib.sha256(repr([n.files for n in nights()]).encode()).hexdigest())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    ours = hashlib.sha256(repr([night.files for night in nights()]).encode()).hexdigest()
    assert other.stdout.strip() == ours


def test_planted_copies_are_what_brute_force_finds() -> None:
    """Counts of exact and near copies equal those of an all-pairs comparison in date order."""
    found: dict[str, Counter[str]] = {}
    for (date, _), verdict in judge(list(nights())).items():
        found.setdefault(date, Counter())[verdict] += 1
    kinds = ("exact_within", "exact_across", "near_within", "near_across")
    assert {d: {k: c[k] for k in kinds} for d, c in found.items()} == {
        night.dump_date: {kind: getattr(night.planted, kind) for kind in kinds}
        for night in nights()
    }
    assert {d: c.total() for d, c in found.items()} == {
        night.dump_date: night.planted.records for night in nights()
    }


def test_the_late_night_retracts_and_restores_what_is_planted() -> None:
    """Judging with and without the late night differs by the planted retractions."""
    after = judge(list(nights()))
    before = judge([night for night in nights() if not night.late])
    for night in nights():
        ids = [key for key in before if key[0] == night.dump_date]
        retracted = [key for key in ids if before[key] == "kept" != after[key]]
        restored = [key for key in ids if before[key] != "kept" == after[key]]
        assert len(retracted) == night.planted.retracted
        assert len(restored) == night.planted.restored


def test_near_copies_are_very_near() -> None:
    """An edited copy keeps at least nine tenths of the 5-grams, and is not equal."""
    for night in range(len(DATES)):
        for article in edition(night).feed[8:24]:
            assert 0.9 <= jaccard(article.text, edited(article).text) < 1


def test_unrelated_articles_are_far_apart() -> None:
    """Two different articles share less than half of their 5-grams: no accident is a near copy."""
    by_language: dict[str, set[str]] = {}
    for night in range(len(DATES)):
        made = edition(night)
        articles: list[Article] = [*made.feed[:-1], *(a for _, page in made.pages for a in page)]
        for article in articles:
            by_language.setdefault(article.language, set()).add(article.text)
    assert len(by_language) == 12
    for texts in by_language.values():
        every = sorted(texts)
        for index, left in enumerate(every):
            assert max((jaccard(left, right) for right in every[:index]), default=0) < 0.5


def test_every_codec_and_both_formats_occur() -> None:
    """Plain, gzip, zstd, bzip2 and xz occur among the pages of every night."""
    for night in nights():
        pages = [key for key, _ in night.files if "/page-" in key]
        endings = {key.rpartition(".txt")[2] for key in pages}
        assert endings == {"", ".gz", ".zst", ".bz2", ".xz"}


def test_pages_hold_the_counted_articles_and_some_pictures() -> None:
    """Titles of all written articles stand in the pages, beside image names and captions twice."""
    for index, night in enumerate(sorted(nights(), key=lambda night: night.dump_date)):
        texts = [
            plain(data).decode() for key, data in night.files if "/page-" in key or "/again-" in key
        ]
        made = edition(index)
        articles = [a for _, page in made.pages + made.again for a in page]
        assert len(articles) == night.planted.page_articles
        whole = "\n".join(texts)
        assert all(f"\n{article.title}\n" in whole for article in articles)
        assert re.search(r"\n[0-9a-f]{32}\.jpg\n\n(.+)\n\1\n", whole)


def test_the_accidents_are_accidents() -> None:
    """The misnamed, cut, empty, broken and binary files are as the module says."""
    files = {key: data for night in nights() for key, data in night.files}
    assert plain(files["mirror/2026-11-16/misnamed.txt.gz"]).startswith(b"Tag archive")
    with pytest.raises(EOFError):
        gzip.decompress(files["mirror/2026-11-17/cut.txt.gz"])
    assert files["mirror/2026-11-17/empty.txt"] == b""
    broken = files["mirror/2026-11-19/broken.jsonl"].splitlines()
    assert len(broken) == 9
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(broken[0], type=Record)
    with pytest.raises(UnicodeDecodeError):
        files["mirror/2026-11-20/picture.txt"].decode()


def test_write_makes_folders(tmp_path: Path) -> None:
    """The command writes each file under its key."""
    count = write(tmp_path)
    files = {key: data for night in nights() for key, data in night.files}
    written = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert written == files
    assert count == len(files)


def test_an_unknown_slot_is_refused() -> None:
    """A misspelt slot in a grammar fails with its name instead of standing in the text."""
    dice = random.Random(1)  # noqa: S311 - no secret is made here
    with pytest.raises(ValueError, match="found 'plase'"):
        expand(dice, load_voices()["eng"], "in {plase}")
