"""Generated dumps are reproducible, of the size asked for, and their truth is true."""

import hashlib
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.generate import Options, Truth, generate, size_of
from benchmarks.vocabulary import vocabularies

ROOT = Path(__file__).parents[2]


class Line(msgspec.Struct):
    """What a JSON record holds."""

    id: str
    url: str
    title: str
    published: str
    text: str


def options(folder: Path, **changes: object) -> Options:
    """Return options for a small dump."""
    usual = Options(out=folder / "landing", bytes=1_500_000, dump_date="2026-11-21")
    return msgspec.structs.replace(usual, **changes)


def truth_of(made: Options) -> list[Truth]:
    """Read the truth file."""
    return msgspec.json.Decoder(Truth).decode_lines(made.truth_path.read_bytes())


def texts_of(made: Options) -> dict[str, str]:
    """Read the text of every JSON record by id."""
    lines: dict[str, str] = {}
    for path in sorted(made.out.rglob("*.jsonl")):
        records = msgspec.json.Decoder(Line).decode_lines(path.read_bytes())
        lines |= {record.id: record.text for record in records}
    return lines


def jaccard(left: str, right: str) -> float:
    """Return the similarity of word 5-grams."""

    def shingles(text: str) -> set[tuple[str, ...]]:
        words = text.lower().replace(".", "").split()
        return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}

    a, b = shingles(left), shingles(right)
    return len(a & b) / len(a | b)


def digest(folder: Path) -> str:
    """Hash names and bytes of every file under a folder."""
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            hasher.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return hasher.hexdigest()


def test_same_arguments_give_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    """A second process writes the same tree and the same truth."""
    ours = options(tmp_path / "a", codec="gz")
    generate(ours)
    command = [sys.executable, "-m", "benchmarks.generate", "--bytes", "1500KB", "--codec", "gz"]
    command += ["--out", str(tmp_path / "b/landing"), "--dump-date", "2026-11-21"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert digest(tmp_path / "b") == digest(tmp_path / "a")
    assert said.startswith(f"{len(truth_of(ours)):,} documents in ")


def test_another_seed_gives_other_texts(tmp_path: Path) -> None:
    """Dumps of two seeds share no text except those of the pool."""
    first, second = options(tmp_path / "a", format="jsonl"), options(tmp_path / "b", format="jsonl")
    second = msgspec.structs.replace(second, seed=2)
    generate(first)
    generate(second)
    pools = {truth.pool for truth in truth_of(first)} & {truth.pool for truth in truth_of(second)}
    shared = set(texts_of(first).values()) & set(texts_of(second).values())
    assert len(shared) == len(pools - {None})


@pytest.mark.parametrize("form", ["txt", "jsonl", "mixed"])
def test_the_dump_has_the_size_asked_for(tmp_path: Path, form: str) -> None:
    """The landed bytes reach the size and pass it by less than one file."""
    made = options(tmp_path, format=form)
    generate(made)
    files = [path for path in made.out.rglob("*") if path.name != "_SUCCESS" and path.is_file()]
    sizes = [path.stat().st_size for path in files]
    assert made.bytes <= sum(sizes) < made.bytes + max(sizes)
    endings = {path.suffix for path in files}
    assert endings == {"txt": {".txt"}, "jsonl": {".jsonl"}, "mixed": {".txt", ".jsonl"}}[form]


def test_the_truth_names_every_document_in_its_place(tmp_path: Path) -> None:
    """Truth lines and JSON records are the same ids, file by file, in the same order."""
    made = options(tmp_path, format="jsonl")
    count = generate(made)
    truth = truth_of(made)
    assert len(truth) == count
    for path in made.out.rglob("*.jsonl"):
        records = msgspec.json.Decoder(Line).decode_lines(path.read_bytes())
        key = path.relative_to(made.out).as_posix()
        said = [(line.position, line.id) for line in truth if line.file == key]
        assert said == [(index, record.id) for index, record in enumerate(records)]


def test_copies_are_as_similar_as_the_truth_says(tmp_path: Path) -> None:
    """Exact copies are equal, near copies have the stated similarity within .03."""
    made = options(tmp_path, format="jsonl", bytes=3_000_000)
    generate(made)
    texts = texts_of(made)
    near = 0
    for line in truth_of(made):
        if line.kind == "exact" and line.of:
            assert texts[line.id] == texts[line.of]
        elif line.kind == "near" and line.of and " " in texts[line.id]:
            assert jaccard(texts[line.id], texts[line.of]) == pytest.approx(line.jaccard, abs=0.03)
            near += 1
    assert near > 50


def test_the_share_of_copies_is_the_one_asked_for(tmp_path: Path) -> None:
    """Without copies every text is unique; with them all four kinds occur in that share."""
    none = options(tmp_path / "a", format="jsonl", duplicates=0.0)
    generate(none)
    texts = texts_of(none)
    assert {line.kind for line in truth_of(none)} == {"unique"}
    assert len(set(texts.values())) == len(texts)
    half = options(tmp_path / "b", format="jsonl", duplicates=0.5, bytes=3_000_000)
    generate(half)
    kinds = [line.kind for line in truth_of(half)]
    assert set(kinds) == {"unique", "exact", "near", "cross"}
    assert kinds.count("unique") / len(kinds) == pytest.approx(0.5, abs=0.08)


def test_two_dumps_share_the_pool(tmp_path: Path) -> None:
    """Documents with one pool number have one text, whatever the date and the seed."""
    pages: dict[int, str] = {}
    shared = 0
    for date, seed in (("2026-11-20", 1), ("2026-11-21", 2)):
        made = options(tmp_path, dump_date=date, seed=seed, format="jsonl", pool_size=30)
        generate(made)
        texts = {i: t for i, t in texts_of(made).items() if date in i}
        for line in truth_of(made):
            if line.pool is not None:
                shared += line.pool in pages
                assert pages.setdefault(line.pool, texts[line.id]) == texts[line.id]
    assert shared > 30


def test_pages_are_glued_with_blank_lines_and_titles(tmp_path: Path) -> None:
    """A page holds between half of and all `page_articles`, each under a title of its own."""
    made = options(tmp_path, format="txt", page_articles=8)
    generate(made)
    truth = truth_of(made)
    for path in sorted(made.out.rglob("*.txt"))[:5]:
        key = path.relative_to(made.out).as_posix()
        members = [line for line in truth if line.file == key]
        blocks = path.read_text("utf-8").split("\n\n")
        titles = [block for block in blocks[1:] if not block.rstrip().endswith((".", "。", ".jpg"))]
        plain_titles = [title for title in titles if "\n" not in title]
        assert 4 <= len(members) <= 8
        assert len(plain_titles) == len(members)


def test_words_of_every_language_are_many_and_valid() -> None:
    """Each language has its full vocabulary of different phrases and no character to escape."""
    for vocabulary in vocabularies():
        plain = vocabulary.forms[:30_000].tolist()
        assert len(set(plain)) > 29_000
        assert not any(b'"' in form or b"\\" in form for form in plain)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1GB", 10**9), ("64 mb", 64 * 10**6), ("1.5KB", 1500), ("12B", 12), ("7", 7)],
)
def test_sizes_are_read_in_decimal_units(text: str, size: int) -> None:
    """Units are powers of ten, as disk sizes are sold."""
    assert size_of(text) == size
