"""Compiled passes over text: fold, words, content hash, MinHash signature. No I/O.

Used by `ingest` (to sign documents) and `dedup` (to compare signatures).
Not here: schemas of stored signatures (`model/schemas.py`), candidates and edges (`dedup/`).
"""

from pipeline.signature.signatures import (
    SIMILARITY,
    Signatures,
    pair_similarity,
    sign,
    similarity,
)

__all__ = ["SIMILARITY", "Signatures", "pair_similarity", "sign", "similarity"]
