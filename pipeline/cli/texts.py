"""Commands that need no corpus: `split`, `annotate` and `dedup`.

Holds: click commands. Reads files given as arguments; writes JSON lines or Parquet.
Not here: the work itself (`ingest/inspect.py`, `enrich/inspect.py`, `dedup/standalone.py`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from pipeline.errors import InputError


def _no_folder(ctx: click.Context, param: click.Parameter, files: tuple[Path, ...]) -> Any:
    """Refuse a folder in one line; click would print the usage as well."""
    del ctx, param
    for path in files:
        if path.is_dir():
            raise InputError(f"{path}: expected a file, found a folder. Name the files in it.")
    return files


_FILES = click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    callback=_no_folder,
)


@click.command()
@_FILES
@click.pass_obj
def split(lookup: Any, *, files: tuple[Path, ...]) -> None:
    """Print where one article ends and the next begins: one JSON object a segment.

    FILES are dump files of any supported format and compression. Segments tile the decoded text:
    lines are 1-based and inclusive, characters half-open. ingest.splitter chooses the splitter.

    \b
    file             the file
    kind             document, furniture or quarantine
    line_start, line_end, char_start, char_end
    part_start       the place in the text of a record that was split, with
    part_end         ingest.split_records; null otherwise
    title            title line of a document
    byline           author line as stated
    published        date of publication as stated, with the rule that found
    published_rule   it: record, labelled_line, iso_line, date_line,
                     byline_line, dateline or closing_line
    reason, detail   why a segment is no document
    score            how sure the splitter is that a document begins here
    inner            spans inside a document that are not in its text
    """  # noqa: D301 - click knows a block by the character
    from pipeline.ingest import inspect  # noqa: PLC0415 - loads compiled kernels

    settings = lookup.settings()
    for path in files:
        for segment in inspect.segments(path, settings=settings.ingest):
            # `echo` would write each row by itself.
            sys.stdout.write(f"{json.dumps(segment, ensure_ascii=True)}\n")


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
    callback=_no_folder,
)
@click.pass_obj
def annotate(lookup: Any, *, files: tuple[Path, ...]) -> None:
    """Print what annotators say of texts: one JSON object a document, in the order of input.

    FILES are plain text (one document a file) or JSON lines with a string `text`, told apart by
    content, or - for stdin. They may be compressed with gzip, zstd, bzip2 or xz. An object has the
    columns of annotation of the data contract (docs/data-contract.md), null where there is nothing
    to say. enrich.annotators chooses the annotators. Among the columns:

    \b
    language         ISO 639-3; und when it is not known, zxx without words
    language_*       tag, script, confidence, status, shares and spans
    is_mixed         two languages with a tenth of the letters each
    topic, topic_*   first, second and narrow IPTC topic with confidences
    *_fraction, …    quality signals
    personal_*       counts and places of personal data
    document_format  news_article, transcript, law_notice, …
    machine_translated, stated_dates, stated_first, stated_last
    """  # noqa: D301 - click knows a block by the character
    from pipeline.cli.annotate_files import texts  # noqa: PLC0415 - loads codecs
    from pipeline.enrich import inspect  # noqa: PLC0415 - loads models

    settings = lookup.settings()
    found = (text for path in files for text in texts(path))
    for row in inspect.annotate_texts(found, settings.enrich.annotators):
        click.echo(json.dumps(row, ensure_ascii=False, default=str))  # days of `stated_first`


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the verdicts; made when it is not there.",
)
@click.option("--threshold", type=click.FloatRange(0.5, 1.0), help="Similarity of near-duplicates.")
@click.option(
    "--scope", metavar="all|night|DAYS", help="Compare all dates, one by one, or fewer days apart."
)
@click.option(
    "--survivor", type=click.Choice(["earliest", "longest"]), help="Which of a family stays."
)
@click.option(
    "--source-priority", metavar="A,B,…", help="Sources that stay before others, best first."
)
@click.option("--kept", "keep", is_flag=True, help="Copy the kept rows to OUT/kept as well.")
@click.option("--json", "as_json", is_flag=True, help="Counts as JSON.")
@click.pass_obj
def dedup(
    lookup: Any, /, *, files: tuple[Path, ...], out: Path, keep: bool, as_json: bool, **given: Any
) -> None:
    """Deduplicate Parquet or JSON lines that have `id`, `text`, maybe `dump_date` and `source`.

    FILES are files, folders (every *.parquet below counts), or - for JSON lines on stdin. JSON
    lines may be compressed with gzip, zstd, bzip2 or xz. Writes OUT/verdicts.parquet, in the order
    of input: document_id, kept, reason, witness_id, similarity. The earliest document by
    (dump_date, id) of each family stays, unless sources or length come first. What no option says
    is as in the settings (dedup.threshold, scope, survivor, source_priority).
    """
    from pipeline.cli import dedup_files  # noqa: PLC0415 - loads compiled kernels
    from pipeline.dedup import settings_of  # noqa: PLC0415

    values = msgspec.to_builtins(lookup.settings().dedup)
    values |= {name: value for name, value in given.items() if value is not None}
    if given["scope"] is not None and given["scope"].isdecimal():
        values["scope"] = int(given["scope"])
    if given["source_priority"] is not None:
        values["source_priority"] = [one for one in given["source_priority"].split(",") if one]
    settings = settings_of(**values)
    dedup_files.run(files, out, settings=settings, keep=keep, as_json=as_json)
