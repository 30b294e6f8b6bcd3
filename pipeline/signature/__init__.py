"""Compiled passes over text: fold, words, content hash, MinHash signature. No I/O.

Used by `ingest` (to sign documents) and `dedup` (to compare signatures).
Not here: schemas of stored signatures (`model/schemas.py`), candidates and edges (`dedup/`).
"""

from pipeline.signature.passages import SAMPLE_BITS, Passages, cut
from pipeline.signature.signatures import (
    SIMILARITY,
    Signatures,
    pair_similarity,
    sign,
    similarity,
)

__all__ = [
    "SAMPLE_BITS",
    "SIMILARITY",
    "Passages",
    "Signatures",
    "cut",
    "pair_similarity",
    "sign",
    "similarity",
]
