"""Read dump files, split pages, normalise and sign documents.

Holds: codecs, formats, splitters and the ingest stage.
Not here: the signature kernel (`signature`).
"""
