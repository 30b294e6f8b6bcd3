"""Identities that come from provenance and fingerprints that come from inputs.

Holds: `document_id`, `tombstone_id`, `fingerprint`. Pure functions.
"""

from __future__ import annotations

import hashlib

import msgspec

_encoder = msgspec.json.Encoder(order="deterministic")


def document_id(source: str, key: str, char_start: int, char_end: int) -> str:
    """Name a document by where it came from: 32 hex digits (128 bits).

    Args:
        source: the dump's source.
        key: the dump file's key, relative to the landing URL.
        char_start: first character in the decoded file.
        char_end: one past the last character.

    The order of ids inside one dump date is the order in which documents win as
    "earliest", so the recipe must never change: BLAKE2b-128 over NUL-joined parts.
    """
    parts = "\0".join((source, key, str(char_start), str(char_end)))
    return hashlib.blake2b(parts.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def tombstone_id(document_id: str, content_hash: str) -> str:
    """Name what is taken down by its document and its text: 32 hex digits (128 bits)."""
    parts = f"{document_id}\0{content_hash}".encode()
    return hashlib.blake2b(parts, digest_size=16).hexdigest()


def fingerprint(*parts: object) -> str:
    """Hash inputs, settings and code versions into 24 hex digits.

    Each part must be a value msgspec can encode; key order in mappings does not matter.
    """
    return hashlib.blake2b(_encoder.encode(parts), digest_size=12).hexdigest()
