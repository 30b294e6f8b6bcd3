"""The version of every stage's output, and the fingerprint of all that shapes published bytes.

Holds: one number a stage, `Models`, `settings_fingerprint`, `models_fingerprint`. Pure.
Not here: the settings (`settings.py`), which models there are (`ingest/splitters.py`,
`enrich/annotator.py`).

Raise a number in the commit that changes the bytes a stage writes for the same input: it enters
the fingerprints of the stage's units, so old units are no longer found and are made again.
"""

from __future__ import annotations

import msgspec

from pipeline.model.ids import fingerprint
from pipeline.model.schemas import SCHEMA_VERSION
from pipeline.model.settings import RunSettings

PLAN = 1
INGEST = 19
SIGNATURE = 1
PASSAGES = 1
MATCH = 1
INDEX = 2
DECIDE = 2
ENRICH = 6
PUBLISH = 2
MONTHLY = 1


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of what was learned from data, and of code that others install: no setting names them.

    `splitter` enters the fingerprints of shards. Those of `annotators`, in the order of the
    settings, enter the fingerprints of annotate units.
    """

    splitter: str = ""
    annotators: tuple[str, ...] = ()


def settings_fingerprint(settings: RunSettings) -> str:
    """Hash the settings and versions that can change the published bytes of a dump.

    How files are packed into shards and keys into ranges (`PlanSettings`) is not part of it.
    """
    return fingerprint(
        settings.ingest,
        settings.dedup,
        settings.passages,
        settings.enrich,
        settings.publish,
        (PLAN, INGEST, SIGNATURE, PASSAGES, MATCH, DECIDE, ENRICH, PUBLISH, SCHEMA_VERSION),
    )


def models_fingerprint(models: Models) -> str:
    """Hash the models that can change the published bytes of a dump."""
    return fingerprint(models)
