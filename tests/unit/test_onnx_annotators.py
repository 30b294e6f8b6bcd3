"""Classifiers of one's own in ONNX: made here, run by the real packages, pinned by checksum."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.enrich import onnx_classifier
from pipeline.enrich.annotator import annotate, resolve
from pipeline.errors import ConfigError

COURT, FIRM, RAIN, SHOP = "court judge prison", "shares profit firm", "rain snow storm", "law sale"
LABELS = ["medtop:20000106", "medtop:04000000", "medtop:17000000", None]
FORMATS = ["law_notice", "advertisement", "news_article", None]
Make = Callable[..., str]


def field(number: int, value: int | bytes) -> bytes:
    """Write a field of a protocol buffer, a number or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """Write a number seven bits a byte."""
    return bytes([value & 127 | 128]) + varint(value >> 7) if value > 127 else bytes([value])


def tensor(name: bytes, kind: int) -> bytes:
    """Write what goes in or out: a tensor of two dimensions of any size."""
    shape = b"".join(field(1, field(2, size)) for size in (b"texts", b"many"))
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def network(rows: list[list[float]], *, wanted: bytes = b"input_ids") -> bytes:
    """Write a model in ONNX's format: each token has a row of scores, a text has their mean."""
    data = b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows)
    table = field(1, len(rows)) + field(1, len(rows[0])) + field(2, 1) + field(9, data)
    gather = field(1, b"table") + field(1, wanted) + field(2, b"found") + field(4, b"Gather")
    axes = field(1, b"axes") + field(8, 1) + field(20, 7)
    keep = field(1, b"keepdims") + field(3, 0) + field(20, 2)
    mean = field(1, b"found") + field(2, b"scores") + field(4, b"ReduceMean")
    mean += field(5, axes) + field(5, keep)
    graph = (
        field(1, gather) + field(1, mean) + field(2, b"tiny") + field(5, table + field(8, b"table"))
    )
    graph += field(11, tensor(wanted, 7)) + field(11, tensor(b"attention_mask", 7))
    graph += field(12, tensor(b"scores", 1))
    return field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 13))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A function that writes a folder whose four labels have words, and returns its setting."""
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    pytest.importorskip("tokenizers", reason="the extra `onnx` is not installed")
    resolve.cache_clear()
    onnx_classifier.load.cache_clear()

    def write(kind: str = "onnx_topic", *, model: bytes = b"", **labels: Any) -> str:
        words = [text.split() for text in (COURT, FIRM, RAIN, SHOP)]
        ids = {"[UNK]": 0} | {word: n for n, word in enumerate(chain.from_iterable(words), 1)}
        rows = [[0.0] * 4] + [
            [9.0 * (row == n) for n in range(4)] for row in range(4) for _ in words[row]
        ]
        tokenizer = {
            "version": "1.0",
            "pre_tokenizer": {"type": "Whitespace"},
            "model": {"type": "WordLevel", "vocab": ids, "unk_token": "[UNK]"},
        }
        facts = {"labels": LABELS, "tokens": 90, "min_letters": 20, **labels}
        data = [model or network(rows), json.dumps(tokenizer).encode(), json.dumps(facts).encode()]
        for name, content in zip(onnx_classifier.FILES, data, strict=True):
            (tmp_path / name).write_bytes(content)
        return f"{kind}:{tmp_path}#sha256={hashlib.sha256(b''.join(data)).hexdigest()}"

    return write


def rows(setting: str, texts: list[str], *names: str) -> list[tuple[object, ...]]:
    """Annotate texts and return some columns of each."""
    found = annotate(pa.array(texts), resolve((setting,))).to_pylist()
    return [tuple(row[name] for name in names) for row in found]


def test_a_classifier_of_ones_own_gives_topics(make: Make) -> None:
    """Labels become topics with their names; one of the second level counts for the one above."""
    setting = make()
    texts = [COURT * 9, f"{FIRM} {FIRM} {RAIN} {FIRM}", SHOP * 9, "rain", "", "12 34 " * 99]
    columns = ("topic", "topic_2", "topic_narrow_label", "topic_status")
    assert rows(setting, texts, *columns) == [
        ("medtop:02000000", "medtop:04000000", "judiciary", "ok"),
        ("medtop:04000000", "medtop:17000000", None, "ok"),
        ("medtop:02000000", "medtop:04000000", None, "low_confidence"),
        *[(None, None, None, "short")] * 3,
    ]
    (one,) = resolve((setting,))
    assert one.model == f"onnx-topic/1+sha256-{setting.rpartition('=')[2][:12]}"
    assert set(rows(setting, texts, "topic_model")) == {(one.model,)}


def test_the_middle_and_the_end_of_a_long_text_count(make: Make) -> None:
    """A text longer than its first tokens is read in three windows."""
    text = f"{COURT} " * 90 + f"{RAIN} " * 180
    ((topic, second, share),) = rows(make(), [text], "topic", "topic_2", "topic_confidence")
    assert (topic, second) == ("medtop:17000000", "medtop:02000000")
    assert share == pytest.approx(2 / 3, abs=0.01)


def test_a_classifier_of_ones_own_gives_formats(make: Make) -> None:
    """Formats come by label; a label that means nothing, and doubt, are `other`."""
    setting = make("onnx_forms", labels=FORMATS)
    texts = [COURT * 9, FIRM * 9, SHOP * 9, f"{COURT} {FIRM} {RAIN} {SHOP} sale", "rain"]
    names = ["law_notice", "advertisement", "other", "other", None]
    assert [one for (one,) in rows(setting, texts, "document_format")] == names


def test_languages_that_a_classifier_does_not_know_get_no_topic(make: Make) -> None:
    """`languages` says in which languages labels hold; without a language, in none of them."""
    assert rows(make(languages=["eng"]), [COURT * 9], "topic", "topic_status") == [
        (None, "unsupported_language")
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": [*LABELS[:3], "sport"]}, r"labels such as medtop:.*found 'sport'"),
        ({"labels": LABELS[:3]}, r"one score for each of 3 labels.*found an output of shape"),
        ({"tokns": 9}, r"labels.json as in docs/annotators.md.*`tokns`"),
        ({"model": b"no model"}, r"a model in one file.*Export the model anew"),
        ({"model": network([[0.0] * 4] * 12, wanted=b"pixels")}, r"inputs among .*found pixels"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    make: Make, changes: dict[str, Any], said: str
) -> None:
    """Labels that mean nothing here, or another model than the labels are for, annotate nothing."""
    with pytest.raises(ConfigError, match=said):
        rows(make(**changes), [COURT * 9], "topic")


def test_other_files_are_refused(make: Make, tmp_path: Path) -> None:
    """The checksum is over all three files: other labels are another model."""
    setting = make()
    path = tmp_path / "labels.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ConfigError, match=r"with sha256 .*, found .*Restore"):
        rows(setting, [COURT], "topic")


def test_what_is_missing_is_said_when_settings_are_read(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No checksum, no file and no package are refused before any text is annotated."""
    setting = make()
    with pytest.raises(ConfigError, match=r"cat model.onnx tokenizer.json labels.json \| sha256"):
        resolve(("onnx_topic:/models/topic",))
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"expected a model file at .*tokenizer.json, found none"):
        resolve((setting,))
    monkeypatch.setattr(onnx_classifier, "PACKAGES", (("no_such_module", "onnxruntime"),))
    with pytest.raises(ConfigError, match=r"package onnxruntime.*pip install winnow\[onnx\]"):
        resolve((setting,))
