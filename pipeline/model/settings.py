"""Every setting with its default, as frozen values.

Holds: the settings tree; field names are the names in `conf/*.toml`.
Reads and writes nothing. Not here: loading and precedence (`config.py`).

Only `StoreSettings` says where things are; all other groups say what a run publishes, or whether,
and are part of a plan (`Plan.settings`), so a task never reads them from its own environment.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Positive = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Scope = Literal["all", "night"] | Positive
Survivor = Literal["earliest", "longest"]


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the groups: frozen, unknown names refused."""


class StoreSettings(_Group, frozen=True):
    """Where dumps land and where the corpus lives; credentials come from the environment.

    `landing` and `corpus` are `s3://bucket/prefix`, `file:///path`, a local path, or
    `memory://name` (tests). `endpoint_url` is for S3 servers other than AWS. `credentials_file`,
    in the format of `~/.aws/credentials`, wins over the environment: a demo or a second store
    needs its own user.
    """

    landing: str = ""
    corpus: str = ""
    endpoint_url: str | None = None
    region: str = "us-east-1"
    credentials_file: str | None = None


class PlanSettings(_Group, frozen=True):
    """Discovery and packing. Sizes are bytes of dump files as stored."""

    quiet_seconds: Natural = 900
    landing_seconds: Natural = 6 * 3600
    shard_bytes: Positive = 128 * 1024 * 1024
    max_shards: Annotated[int, Meta(ge=1, le=1024)] = 256
    range_bytes: Positive = 1024 * 1024 * 1024
    max_key_ranges: Annotated[int, Meta(ge=1, le=256)] = 64


class IngestSettings(_Group, frozen=True):
    """Reading and splitting. `splitter` names one of `ingest/splitters.py` or of a package."""

    splitter: str = "page"
    split_records: bool = False
    min_split_score: Share = 0.4
    max_ratio: Positive = 1000
    max_object_bytes: Positive = 64 * 1024 * 1024 * 1024
    max_record_bytes: Positive = 16 * 1024 * 1024
    max_page_chars: Positive = 8 * 1024 * 1024
    batch_bytes: Positive = 32 * 1024 * 1024
    text_column: str = ""
    id_column: str = ""
    url_column: str = ""
    title_column: str = ""
    byline_column: str = ""
    published_column: str = ""


class DedupSettings(_Group, frozen=True):
    """What counts as a duplicate, and which of several stays. Changing any makes every dump due.

    `scope`: documents are compared when their dump dates differ by fewer days; `night` is one day.
    `source_priority` and then `survivor` come before the dump date in the order of who stays.
    """

    threshold: Annotated[float, Meta(ge=0.5, le=1.0)] = 0.72
    scope: Scope = "all"
    survivor: Survivor = "earliest"
    source_priority: tuple[str, ...] = ()


class PassageSettings(_Group, frozen=True):
    """What published documents of one night share without being copies (`dedup/passages.py`)."""

    repeated: Literal["flag", "remove", "off"] = "flag"
    repeated_documents: Annotated[int, Meta(ge=2)] = 5
    repeated_words: Positive = 3
    contained: Literal["flag", "off"] = "flag"
    containment: Annotated[float, Meta(ge=0.5, le=1.0)] = 0.8


class EnrichSettings(_Group, frozen=True):
    """Annotators in the order in which their columns are written (see `enrich/annotator.py`)."""

    annotators: tuple[str, ...] = (
        "language",
        "topic",
        "quality",
        "personal",
        "forms",
        "translation",
        "dates",
    )


class PublishSettings(_Group, frozen=True):
    """Layout of the published files."""

    row_group_rows: Positive = 20_000
    row_group_bytes: Positive = 64 * 1024 * 1024
    file_bytes: Positive = 512 * 1024 * 1024
    compression_level: Annotated[int, Meta(ge=1, le=19)] = 3


Action = Literal["off", "warn", "stop"]


class GuardSettings(_Group, frozen=True):
    """What makes a night look unusual, and what to do then. Changes no published byte.

    A guard that stops publishes nothing until somebody accepts the night.
    """

    nights: Annotated[int, Meta(ge=1, le=366)] = 14
    min_nights: Positive = 3
    removal: Action = "warn"
    removal_absolute: Share = 0.2
    removal_relative: Annotated[float, Meta(ge=0.0)] = 0.5
    documents: Action = "warn"
    documents_drop: Share = 0.5
    cluster: Action = "warn"
    cluster_documents: Positive = 10_000
    source: Action = "warn"
    source_share: Share = 0.98
    source_documents: Positive = 100
    quarantine: Action = "warn"
    quarantine_share: Share = 0.1


class RunSettings(_Group, frozen=True):
    """The part of the settings that a plan freezes: what and whether a run publishes."""

    plan: PlanSettings = PlanSettings()
    ingest: IngestSettings = IngestSettings()
    dedup: DedupSettings = DedupSettings()
    passages: PassageSettings = PassageSettings()
    enrich: EnrichSettings = EnrichSettings()
    publish: PublishSettings = PublishSettings()
    guard: GuardSettings = GuardSettings()


class Settings(RunSettings, frozen=True):
    """Everything: where (`store`) and what (`plan` … `guard`)."""

    store: StoreSettings = StoreSettings()
    log_format: Literal["auto", "console", "json"] = "auto"

    def run_settings(self) -> RunSettings:
        """Return the part that a plan freezes."""
        return RunSettings(
            plan=self.plan,
            ingest=self.ingest,
            dedup=self.dedup,
            passages=self.passages,
            enrich=self.enrich,
            publish=self.publish,
            guard=self.guard,
        )
