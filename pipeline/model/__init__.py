"""The words of Winnow as frozen values: plans, manifests, snapshots, settings, schemas.

Holds: data types without behaviour beyond validation. Reads and writes nothing.
Not here: where things are stored (`storage/layout.py`), how they are made (the stages).
"""
