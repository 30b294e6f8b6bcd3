"""Compiled passes over text: fold, words, content hash, MinHash signature. No I/O.

Used by `ingest` (to sign documents) and `dedup` (to compare signatures).
"""
