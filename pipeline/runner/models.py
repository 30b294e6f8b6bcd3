"""The models that settings call for.

Holds: `models_of`. Reads the splitter's model file and the entry points of packages.
Not here: comparing them with what a night was made with (`plan/`).
"""

from __future__ import annotations

from pipeline.enrich.annotator import model_ids
from pipeline.ingest.splitters import splitter_id
from pipeline.model.settings import RunSettings
from pipeline.model.versions import Models


def models_of(settings: RunSettings) -> Models:
    """Return the ids of all models that settings call for; loads none of them.

    Raises:
        ConfigError: a splitter or an annotator is unknown.
    """
    return Models(
        splitter=splitter_id(settings.ingest.splitter),
        annotators=model_ids(settings.enrich.annotators),
    )
