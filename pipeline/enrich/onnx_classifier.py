"""A text classifier of others, run by onnxruntime from a folder that the setting names.

Holds: `Labels`, `Classifier`, `pinned_folder`, `load`. Reads `model.onnx`, `tokenizer.json` and
`labels.json`; downloads nothing. Needs the packages onnxruntime and tokenizers
(`pip install winnow[onnx]`).
Not here: columns (`onnx_annotators.py`), the setting's form (`pinned.py`).

A text is read in up to three windows, each cut into at most `tokens` tokens and asked alone, by one
thread: what a text gets depends on no other one. A row of the answer is the mean of the windows'
softmax.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from math import ceil

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.enrich.pinned import Pinned, need_package, pinned

FILES = ("model.onnx", "tokenizer.json", "labels.json")
PACKAGES = (("onnxruntime", "onnxruntime"), ("tokenizers", "tokenizers"))
WINDOWS, CHARACTERS_A_TOKEN = 3, 3
INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})

Shares = NDArray[np.float64]


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `labels.json` says: the meaning of each output, and for which texts it holds.

    A label is null where an output means nothing here ("other"). Without `languages` all are read.
    """

    labels: tuple[str | None, ...]
    languages: frozenset[str] | None = None
    tokens: int = 512
    min_letters: int = 200
    min_confidence: float = 0.4


class Classifier:
    """A session with its tokenizer and labels. Immutable once loaded."""

    def __init__(self, model: Pinned, content: dict[str, bytes]) -> None:
        """Start a session on the bytes that were compared with the checksum.

        Raises:
            ConfigError: the labels cannot be read, or the model wants or gives something else.
        """
        self._model = model
        try:
            self.labels = msgspec.json.decode(content["labels.json"], type=Labels)
        except msgspec.DecodeError as error:
            model.refuse("labels.json as in docs/annotators.md", str(error), "Correct the file.")
        ort = import_module("onnxruntime")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        try:
            self._tokenizer = import_module("tokenizers").Tokenizer.from_buffer(
                content["tokenizer.json"]
            )
            self._session = ort.InferenceSession(content["model.onnx"], options, providers)
        except Exception as error:  # noqa: BLE001 - neither package has a base class for what it raises
            model.refuse(
                "a model in one file and a tokenizer that these packages read",
                str(error).partition("\n")[0],
                "Export the model anew, weights inside model.onnx.",
            )
        self._tokenizer.enable_truncation(self.labels.tokens)
        self._tokenizer.no_padding()
        self._inputs = [one.name for one in self._session.get_inputs()]
        if "input_ids" not in self._inputs or not INPUTS.issuperset(self._inputs):
            model.refuse(
                f"inputs among {', '.join(sorted(INPUTS))}", ", ".join(self._inputs), "Export anew."
            )

    def shares(self, text: str) -> Shares:
        """Return the share of each label in a text that has a letter."""
        asked = np.stack([self._ask(window) for window in self._windows(text)])
        shares: Shares = asked.mean(axis=0)
        return shares

    def _windows(self, text: str) -> list[str]:
        """Cut a text into so many windows as it fills, three at most, spread from end to end."""
        size = self.labels.tokens * CHARACTERS_A_TOKEN
        count = min(WINDOWS, ceil(len(text) / size))
        starts = np.linspace(0, max(len(text) - size, 0), count).astype(int)
        return [text[start : start + size] for start in starts.tolist()]

    def _ask(self, window: str) -> Shares:
        ids = np.array([self._tokenizer.encode(window).ids], np.int64)
        given = {"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0}
        (scores, *_) = self._session.run(None, {name: given[name] for name in self._inputs})
        if np.shape(scores) != (1, len(self.labels.labels)):
            self._model.refuse(
                f"one score for each of {len(self.labels.labels)} labels as first output",
                f"an output of shape {np.shape(scores)} for one text",
                "Export with its classification head, or list all labels in labels.json.",
            )
        row = np.asarray(scores[0], np.float64)
        odds = np.exp(row - row.max())
        shares: Shares = odds / odds.sum()
        return shares


def pinned_folder(name: str, argument: str) -> Pinned:
    """Read the setting of an annotator, and see that packages and files are there.

    Raises:
        ConfigError: the setting is incomplete, or something is missing.
    """
    command = f"cd PATH && cat {' '.join(FILES)} | sha256sum"
    model = pinned(name, argument, command=command)
    for module, package in PACKAGES:
        need_package(name, module=module, package=package, extra="onnx")
    for file in FILES:
        model.need_file(model.path / file)
    return model


@cache
def load(model: Pinned) -> Classifier:
    """Load a classifier, once a process.

    Raises:
        ConfigError: the files are not those of the checksum, or do not fit together.
    """
    content = {file: (model.path / file).read_bytes() for file in FILES}
    found = hashlib.sha256()
    for data in content.values():
        found.update(data)
    model.compare(found.hexdigest())
    return Classifier(model, content)
