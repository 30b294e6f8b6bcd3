"""Questions asked of a published corpus: does it keep its promises, where is a document.

Holds: `verify`, `explain`, `status`, `sightings`. Reads landing and corpus; writes nothing.
Not here: changing anything (`runner.py`).
"""
