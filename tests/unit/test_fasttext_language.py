"""A fastText model of one's own: made here, read by the real package, pinned by its checksum."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.enrich import fasttext_language
from pipeline.enrich.annotator import COLUMNS, annotate, resolve
from pipeline.errors import ConfigError

WORDS = {
    "__label__eng_Latn": "the and of was that harbour ships",
    "__label__ekk_Latn": "ja on ei see oli laevad sadam",
    "__label__srp_Cyrl": "је у на да се бродови лука",
}
TEXTS = [
    "the harbour and the ships of that harbour",
    "see oli sadam ja laevad on sadam",
    "лука је на да се бродови у лука",
    "qqq www zzz xxx vvv kkk jjj hhh",
    "12 345",
    "",
    "the ships",
]


def write_model(path: Path) -> str:
    """Write a classifier in fastText's format (version 12): a word is a vector of its label.

    Returns:
        The setting that names it.
    """
    labels = list(WORDS)
    words = [(word, row) for row, text in enumerate(WORDS.values()) for word in text.split()]
    size = len(labels)
    data = struct.pack("<ii", 793712314, 12)
    data += struct.pack("<12i", size, 5, 1, 1, 5, 1, 3, 3, 0, 0, 0, 100) + struct.pack("<d", 1e-4)
    entries = [("</s>", 0), *((word, 0) for word, _ in words), *((label, 1) for label in labels)]
    data += struct.pack("<iiiqq", len(entries), len(words) + 1, size, 99, -1)
    for text, kind in entries:
        data += text.encode() + b"\0" + struct.pack("<qb", 1, kind)
    rows = [[0.0] * size] + [[30.0 * (row == one) for one in range(size)] for _, row in words]
    out = [[float(row == one) for one in range(size)] for row in range(size)]
    for matrix in (rows, out):
        data += b"\0" + struct.pack("<qq", len(matrix), size)
        data += struct.pack(f"<{len(matrix) * size}f", *(value for row in matrix for value in row))
    path.write_bytes(data)
    return f"fasttext:{path}#sha256={hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def named(tmp_path: Path) -> str:
    """The setting of a model that was just made."""
    pytest.importorskip("fasttext", reason="the extra `fasttext` is not installed")
    resolve.cache_clear()
    fasttext_language._load.cache_clear()
    return write_model(tmp_path / "tiny.bin")


def test_a_model_of_ones_own_names_languages(named: str) -> None:
    """Labels become codes, tags and scripts; what is short, empty or like nothing is und."""
    batch = annotate(pa.array(TEXTS), resolve((named,)))
    assert batch.schema == COLUMNS
    rows = batch.to_pylist()
    assert [row["language"] for row in rows] == ["eng", "est", "srp", "und", "zxx", "und", "und"]
    assert [row["language_status"] for row in rows] == [
        "ok", "ok", "ok", "low_confidence", "non_linguistic", "empty", "short",
    ]  # fmt: skip
    assert rows[2]["language_bcp47"] == "sr"
    assert all(row["language_confidence"] > 0.9 for row in rows[:3])


def test_every_row_names_the_model_by_its_checksum(named: str) -> None:
    """The version in the rows follows from the setting, before the file is read."""
    (one,) = resolve((named,))
    digits = named.rpartition("=")[2]
    assert one.model == f"fasttext/1+sha256-{digits[:12]}"
    batch = annotate(pa.array(TEXTS[:2]), (one,))
    assert set(batch.column("language_model").to_pylist()) == {one.model}


def test_another_file_is_refused(named: str) -> None:
    """A file whose bytes are not those of the setting annotates nothing."""
    path = Path(named.partition(":")[2].partition("#")[0])
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ConfigError, match=r"expected .*tiny.bin with sha256 .*, found .*Restore"):
        annotate(pa.array(TEXTS[:1]), resolve((named,)))


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("fasttext", r"expected fasttext:PATH#sha256=64 hexadecimal digits, found 'fasttext:'"),
        ("fasttext:/models/x.bin", r"`sha256sum PATH` prints the digits"),
        ("fasttext:/nowhere/x.bin#sha256=" + "0" * 64, r"expected a model file at /nowhere/x.bin"),
    ],
)
def test_what_is_missing_is_said_when_settings_are_read(setting: str, said: str) -> None:
    """No checksum and no file are refused before any text is annotated."""
    with pytest.raises(ConfigError, match=said):
        resolve((setting,))


def test_without_the_package_it_says_what_to_install(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named where its package is not installed."""
    monkeypatch.setattr(fasttext_language, "MODULE", "fasttext_that_is_not_there")
    with pytest.raises(ConfigError, match=r"pip install winnow\[fasttext\]"):
        resolve((named,))
