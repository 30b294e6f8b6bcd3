"""Every table as a declared, versioned Arrow schema.

Holds: schemas of published and internal tables. Reads and writes nothing.
Not here: what the columns mean to an analyst (`docs/data-contract.md`, checked against this).

A new fact is a new column with a higher `SCHEMA_VERSION`; columns are never renamed or retyped.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 4

BANDS = 20
ROWS = 6
PERMUTATIONS = 128
SHINGLE = 5

_PROVENANCE = [
    pa.field("source", pa.string(), nullable=False),
    pa.field("dump_file", pa.string(), nullable=False),
    pa.field("char_start", pa.int64(), nullable=False),
    pa.field("char_end", pa.int64(), nullable=False),
    pa.field("line_start", pa.int64(), nullable=False),
    pa.field("line_end", pa.int64(), nullable=False),
]

_CONTAINER = [
    pa.field("member", pa.string()),
    pa.field("byte_start", pa.int64()),
    pa.field("byte_end", pa.int64()),
    pa.field("part_start", pa.int32()),
    pa.field("part_end", pa.int32()),
]
"""Where a span lies besides its characters: inside an archive, among the bytes of a record file, in
the text of a record that was split."""

STAGED_DOCUMENTS = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        *_PROVENANCE,
        pa.field("title", pa.string()),
        pa.field("byline", pa.string()),
        pa.field("text", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("published", pa.date32()),
        pa.field("published_rule", pa.string()),
        pa.field("external_id", pa.string()),
        pa.field("split_score", pa.float32()),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("char_count", pa.int32(), nullable=False),
        pa.field("word_count", pa.int32(), nullable=False),
        *_CONTAINER,
        pa.field("encoding", pa.string()),
        pa.field("mojibake_repaired", pa.bool_()),
        pa.field("host", pa.string()),
        pa.field("mime", pa.string()),
        pa.field("http_status", pa.int16()),
        pa.field("fetched", pa.timestamp("us", tz="UTC")),
    ]
)
"""Output of ingest, one row a document. `content_hash`: 32 hex digits of the normalised token
stream; `word_count`: tokens of that stream (a character each in scripts without spaces)."""

SIGNATURES = pa.schema(
    [
        pa.field("document_id", pa.binary(16), nullable=False),
        pa.field("content_hash", pa.binary(16), nullable=False),
        pa.field("shingles", pa.int32(), nullable=False),
        pa.field("band_keys", pa.binary(BANDS * 8), nullable=False),
        pa.field("minima", pa.binary(PERMUTATIONS), nullable=False),
    ]
)
"""Row i belongs to row i of the shard's documents. `shingles` 0: too short, exact match only."""

PARAGRAPHS = pa.schema(
    [
        pa.field("hash", pa.uint64(), nullable=False),
        pa.field("row", pa.uint32(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("words", pa.int32(), nullable=False),
    ]
)
"""Lines of a shard's texts that have a word, in runs sorted by (hash, row, start). `hash`: of the
normalised words; [`start`, `end`): characters of the text of row `row` of the documents."""

SAMPLES = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("row", pa.uint32(), nullable=False),
    ]
)
"""One in 8 of the shingles of a shard's texts, each once a text, in runs sorted by (key, row)."""

REPEATS = pa.schema(
    [
        pa.field("row", pa.uint32(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("documents", pa.int32(), nullable=False),
    ]
)
"""Repeated paragraphs of a shard's published documents, sorted by (row, start)."""

CONTAINED = pa.schema(
    [
        pa.field("row", pa.uint32(), nullable=False),
        pa.field("contained_in", pa.string(), nullable=False),
        pa.field("containment", pa.float32(), nullable=False),
    ]
)
"""Published documents of a shard that another one contains, sorted by row."""

INDEX = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),
        pa.field("shard", pa.uint16(), nullable=False),
        pa.field("row", pa.uint32(), nullable=False),
    ]
)
"""A slice of a dump's band index, sorted by (key, shard, row). (shard, row) finds a signature."""

EDGES = pa.schema(
    [
        pa.field("earlier_id", pa.binary(16), nullable=False),
        pa.field("later_id", pa.binary(16), nullable=False),
        pa.field("similarity", pa.float32(), nullable=False),
        pa.field("exact", pa.bool_(), nullable=False),
    ]
)
"""Verified pairs, sorted and unique by (earlier_id, later_id); order key (dump_date, id).
Rows of similarity 0 are ties, not pairs: they bind the documents of hot buckets into groups whose
members `decide` compares (`dedup/buckets.py`); a pair may have a row of each kind."""

_SHARE = pa.struct(
    [
        pa.field("language", pa.string(), nullable=False),
        pa.field("share", pa.float32(), nullable=False),
    ]
)
_SPAN = pa.struct(
    [
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
    ]
)

LANGUAGE_COLUMNS = [
    pa.field("language_bcp47", pa.string(), nullable=False),
    pa.field("language_script", pa.string(), nullable=False),
    pa.field("language_confidence", pa.float32(), nullable=False),
    pa.field("language_status", pa.string(), nullable=False),
    pa.field("language_shares", pa.list_(_SHARE)),
    pa.field("language_spans", pa.list_(_SPAN)),
    pa.field("is_mixed", pa.bool_()),
    pa.field("language_model", pa.string(), nullable=False),
]

TOPIC_COLUMNS = [
    pa.field("topic", pa.string()),
    pa.field("topic_label", pa.string()),
    pa.field("topic_confidence", pa.float32()),
    pa.field("topic_2", pa.string()),
    pa.field("topic_2_label", pa.string()),
    pa.field("topic_2_confidence", pa.float32()),
    pa.field("topic_narrow", pa.string()),
    pa.field("topic_narrow_label", pa.string()),
    pa.field("topic_narrow_confidence", pa.float32()),
    pa.field("topic_status", pa.string(), nullable=False),
    pa.field("topic_model", pa.string(), nullable=False),
]

QUALITY_COLUMNS = [
    pa.field("mean_word_length", pa.float32()),
    pa.field("symbol_to_word_ratio", pa.float32()),
    pa.field("alphabetic_word_fraction", pa.float32()),
    pa.field("stop_word_fraction", pa.float32()),
    pa.field("line_count", pa.int32()),
    pa.field("duplicate_line_fraction", pa.float32()),
    pa.field("duplicate_line_character_fraction", pa.float32()),
    pa.field("ellipsis_line_fraction", pa.float32()),
    pa.field("bullet_line_fraction", pa.float32()),
    pa.field("terminal_punctuation_line_fraction", pa.float32()),
    pa.field("quality_model", pa.string()),
]

PERSONAL_SPAN = pa.struct(
    [
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
    ]
)

PERSONAL_COLUMNS = [
    pa.field("personal_emails", pa.int32()),
    pa.field("personal_phones", pa.int32()),
    pa.field("personal_ibans", pa.int32()),
    pa.field("personal_cards", pa.int32()),
    pa.field("personal_ids", pa.int32()),
    pa.field("personal_spans", pa.list_(PERSONAL_SPAN)),
    pa.field("personal_model", pa.string()),
]
"""Where personal data stands in `text`; never a copy of it."""

FORM_COLUMNS = [
    pa.field("document_format", pa.string()),
    pa.field("document_format_score", pa.float32()),
    pa.field("document_format_model", pa.string()),
]

TRANSLATION_COLUMNS = [
    pa.field("machine_translated", pa.bool_()),
    pa.field("machine_translated_score", pa.float32()),
    pa.field("machine_translated_model", pa.string()),
]

DATE_COLUMNS = [
    pa.field("stated_dates", pa.int32()),
    pa.field("stated_first", pa.date32()),
    pa.field("stated_last", pa.date32()),
    pa.field("stated_model", pa.string()),
]

ANNOTATION_COLUMNS = [
    *LANGUAGE_COLUMNS,
    *TOPIC_COLUMNS,
    *QUALITY_COLUMNS,
    *PERSONAL_COLUMNS,
    *FORM_COLUMNS,
    *TRANSLATION_COLUMNS,
    *DATE_COLUMNS,
]
"""What annotators make of a text, beside the partition value `language`."""

REPEATED_SPAN = pa.struct(
    [
        pa.field("start", pa.int32(), nullable=False),
        pa.field("end", pa.int32(), nullable=False),
        pa.field("documents", pa.int32(), nullable=False),
    ]
)

PASSAGE_COLUMNS = [
    pa.field("repeated_spans", pa.list_(REPEATED_SPAN)),
    pa.field("repeated_share", pa.float32()),
    pa.field("contained_in", pa.string()),
    pa.field("containment", pa.float32()),
]

DOCUMENTS = pa.schema(
    [
        *STAGED_DOCUMENTS,
        *PASSAGE_COLUMNS,
        *ANNOTATION_COLUMNS,
        pa.field("schema_version", pa.int32(), nullable=False),
    ]
)
"""Published. Partitioned by `dump_date` and `language`, which are not columns of the files."""

VERDICTS = pa.schema(
    [
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("dump_file", pa.string(), nullable=False),
        pa.field("char_start", pa.int64(), nullable=False),
        pa.field("char_end", pa.int64(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("kept", pa.bool_(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("witness_id", pa.string()),
        pa.field("witness_dump_date", pa.string()),
        pa.field("similarity", pa.float32()),
        pa.field("tombstone_id", pa.string()),
    ]
)
"""Published, partitioned by `dump_date`, sorted by document_id. `reason`: unique, exact, near,
taken_down. Rows of the last have a tombstone in place of a witness; `similarity` is that to it.
`tombstone_id` is missing in tables written before schema version 4."""

TAKEN_DOWN = "taken_down"
"""The `reason` of verdicts that name a tombstone."""

TOMBSTONES = pa.schema(
    [
        pa.field("tombstone_id", pa.string(), nullable=False),
        pa.field("document_id", pa.string(), nullable=False),
        pa.field("dump_date", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("dump_file", pa.string(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("shingles", pa.int32(), nullable=False),
        pa.field("minima", pa.string(), nullable=False),
        pa.field("threshold", pa.float32(), nullable=False),
        pa.field("taken_down_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("taken_down_by", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("undone_at", pa.timestamp("us", tz="UTC")),
        pa.field("undone_by", pa.string()),
        pa.field("undone_reason", pa.string()),
    ]
)
"""Published as one file: a row a take-down, oldest first; no row ever goes. It is in force while
`undone_at` is null. `shingles`, `minima`: those of `SIGNATURES`, in hex digits; no text can be made
of them."""

STAGED_QUARANTINE = pa.schema(
    [
        *_PROVENANCE,
        pa.field("kind", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
        pa.field("stored_bytes", pa.int64(), nullable=False),
        pa.field("document_id", pa.string()),
        pa.field("excerpt", pa.string(), nullable=False),
        *_CONTAINER,
    ]
)
"""Output of ingest: every span of its files that is not a document."""

QUARANTINE = pa.schema(
    [
        *STAGED_QUARANTINE,
        pa.field("text_start", pa.int32()),
        pa.field("text_end", pa.int32()),
    ]
)
"""Published, partitioned by `dump_date`: every span that is not a document. `kind`: furniture or
quarantine. `stored_bytes`: bytes of the object that could not be read at all (else 0).
`document_id`: the document that the span lies inside, if any."""

_CANARIES = pa.struct(
    [
        pa.field("kind", pa.string()),
        pa.field("similarity", pa.float64()),
        pa.field("planted", pa.int64()),
        pa.field("found", pa.int64()),
        pa.field("wrong", pa.int64()),
        pa.field("recall", pa.float64()),
        pa.field("precision", pa.float64()),
        pa.field("expected", pa.float64()),
    ]
)

_GUARDS = pa.struct(
    [
        pa.field("name", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("outcome", pa.string()),
        pa.field("found", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("nights", pa.int64()),
    ]
)

RUNS = pa.schema(
    [
        pa.field("run_id", pa.string(), nullable=False),
        pa.field("snapshot", pa.int64(), nullable=False),
        pa.field("parent", pa.int64(), nullable=False),
        pa.field("planned_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("generation", pa.string(), nullable=False),
        pa.field("code_version", pa.string(), nullable=False),
        pa.field("settings", pa.string(), nullable=False),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("waiting", pa.string(), nullable=False),
        pa.field("files", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("chars", pa.int64(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("kept", pa.int64(), nullable=False),
        pa.field("dropped_exact", pa.int64(), nullable=False),
        pa.field("dropped_near", pa.int64(), nullable=False),
        pa.field("dropped_history", pa.int64(), nullable=False),
        pa.field("furniture", pa.int64(), nullable=False),
        pa.field("quarantine", pa.int64(), nullable=False),
        pa.field("retracted", pa.int64(), nullable=False),
        pa.field("restored", pa.int64(), nullable=False),
        pa.field("seconds", pa.float64(), nullable=False),
        pa.field("self_test", pa.list_(_CANARIES)),
        pa.field("guards", pa.list_(_GUARDS)),
        pa.field("taken_down", pa.int64()),
    ]
)
"""Published, partitioned by `dump_date`: one run that changed the corpus. `outcome`: published,
empty (no dump files), partial (a source was still uploading), reannotated, taken_down, undone.
`self_test` and `guards` are null in rows written before schema version 3, `taken_down` before 4."""
