"""Dates that people write, in many languages. Pure; reads one packaged table.

Used by `ingest` (date of publication) and `enrich` (dates that a text states).
Not here: which date is that of publication (`ingest/facts.py`).
"""
