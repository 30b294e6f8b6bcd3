"""What people read on a terminal: tables and short sentences.

Holds: rendering with rich. Writes to stdout. Not here: JSON output (each command has `--json`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 200

_PARTS = {
    "same": ("", "", ""),
    "witness": ("red strike", "[-", "-]"),
    "document": ("green", "{+", "+}"),
}
"""How words of the one, the other and both texts look: in colour, and between which marks."""

_RETRACTED = "It would take the place of these, which come after it in the order of who stays:"
_OTHERS = (
    ("unpublished", "Similar, but not published themselves:"),
    ("out_of_scope", "Similar, but out of scope: their nights are not compared (dedup.scope):"),
    ("unmet", "Similar, but deduplication would not compare them (no band key in common):"),
)
"""What may be like a text without making it a duplicate."""

_SKIP = ("shards", "key_ranges", "units", "groups", "languages", "waiting", "run_id", "dump_date")


def sentence(summary: Mapping[str, Any]) -> str:
    """Say a summary in one line: `documents=12 kept=10`."""
    parts = [f"{name}={value}" for name, value in summary.items() if name not in _SKIP]
    return " ".join(parts) or "nothing to do"


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    left: int = 1,
    bars: bool = False,
) -> None:
    """Print a table; the first `left` columns are text, the others numbers, the last maybe bars."""
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, name in enumerate(columns):
        text = index < left or (bars and index == len(columns) - 1)
        shown.add_column(name, justify="left" if text else "right", no_wrap=index == 0)
    for row in rows:
        shown.add_row(*(_cell(value) for value in row))
    console().print(shown)


def console() -> Console:
    """Return a console as wide as the terminal, or wide enough for any table in a file."""
    return Console() if sys.stdout.isatty() else Console(width=WIDE)


def nights(results: Iterable[Mapping[str, Any]]) -> None:
    """Print one line a processed night."""
    names = (
        "files",
        "documents",
        "kept",
        "dropped_exact",
        "dropped_near",
        "dropped_history",
        "taken_down",
        "quarantine",
        "retracted",
        "restored",
        "snapshot",
    )
    rows = [[row["dump_date"], *(row.get(name, 0) for name in names)] for row in results]
    heads = [name.replace("dropped_", "") for name in names]
    table("Nights", ["dump date", *heads], rows)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return "" if value is None else str(value)


def settings(tree: Mapping[str, Any]) -> None:
    """Print settings by group."""
    rows = []
    for group, values in tree.items():
        if isinstance(values, Mapping):
            rows += [[f"{group}.{name}", str(value)] for name, value in values.items()]
        else:
            rows.append([group, str(values)])
    table("Settings", ["name", "value"], rows, left=2)


def checks(results: Iterable[Any]) -> None:
    """Print one line a promise, the first findings of a broken one, and what was not checked."""
    rows = []
    for check in results:
        verdict = "broken" if check.findings else "in part" if check.skipped else "holds"
        rows.append([check.promise, check.name, verdict, check.checked])
    table("Promises", ["no.", "promise", "verdict", "checked"], rows, left=4)
    for check in results:
        for finding in check.findings[:10]:
            console().print(f"[red]promise {check.promise}[/red] {check.name}: ", end="")
            console().print(finding, markup=False)
        for part in check.skipped[:10]:
            console().print(f"promise {check.promise} not checked: {part}", markup=False)


def document_answer(answer: Mapping[str, Any]) -> None:
    """Print where a document is, its witness, and a comparison of both texts."""
    document, witness = answer["document"], answer["witness"]
    state = "published" if document["kept"] else f"not published: {document['reason']} duplicate"
    if stone := answer.get("tombstone"):
        _card(f"{document['document_id']}  taken down", document)
        _tombstone(stone, document["similarity"])
        return
    _card(f"{document['document_id']}  {state}", document)
    if witness is not None:
        _card(f"witness {witness['document_id']}, similarity {document['similarity']:.3f}", witness)
        _diff(answer["diff"])
    else:
        _passages(answer)


def _tombstone(stone: Mapping[str, Any], similarity: float) -> None:
    """Print who took a text down, when and why."""
    shown = console()
    shown.print(
        f"tombstone {stone['tombstone_id']}, similarity {similarity:.3f}",
        style="bold",
        markup=False,
    )
    shown.print(f"  {'document':<10} {stone['document_id']}", markup=False)
    shown.print(f"  {'by':<10} {stone['taken_down_by']}", markup=False)
    shown.print(f"  {'at':<10} {stone['taken_down_at']:%Y-%m-%d %H:%M:%S} UTC", markup=False)
    shown.print(f"  {'reason':<10} {stone['reason']}", markup=False)


def _passages(answer: Mapping[str, Any]) -> None:
    """Print what a published document shares with others of its night."""
    gone = ", removed" if answer["removed"] else ""
    for one in answer["repeated"]:
        console().print(f"repeated paragraph, {one['detail']}{gone}: {one['text']}", markup=False)
    if answer["container"] is not None:
        container = answer["container"]
        share = f"{100 * answer['containment']:.0f} % of it"
        _card(f"contained in {container['document_id']}, which has {share}", container)


def text_answer(answers: Sequence[Mapping[str, Any]]) -> None:
    """Print whether a text would be published, what it duplicates, and what else is like it."""
    for answer in answers:
        if "tombstone" in answer:
            console().print("It would not be published: it is like a text that was taken down")
            _tombstone(answer["tombstone"], answer["similarity"])
            return
    duplicates = [answer for answer in answers if answer["duplicate"]]
    others = [answer for answer in answers if not answer["duplicate"]]
    if duplicates:
        console().print("It would not be published: it is a duplicate of")
    else:
        console().print("It would be published: no published document counts as a duplicate.")
    _similar(duplicates)
    later = "Similar, but behind it in the order of who stays:" if duplicates else _RETRACTED
    for relation, heading in (("later", later), *_OTHERS):
        chosen = [answer for answer in others if answer["relation"] == relation]
        if chosen:
            console().print(heading)
        _similar(chosen)


def _similar(answers: Iterable[Mapping[str, Any]]) -> None:
    for answer in answers:
        document = answer["document"]
        how = "exact copy of" if answer["relation"] == "exact" else "similar to"
        title = f"{how} {document['document_id']}, similarity {answer['similarity']:.3f}"
        _card(title, document)
        _diff(answer["diff"])


def _card(title: str, document: Mapping[str, Any]) -> None:
    shown = console()
    shown.print(title, style="bold", markup=False)
    for name in ("title", "dump_date", "source", "dump_file", "member", "url"):
        if document.get(name):
            shown.print(f"  {name:<10} {document[name]}", markup=False)
    lines = f"{document['line_start']}-{document['line_end']}"
    characters = f"{document['char_start']}-{document['char_end']}"
    shown.print(f"  {'place':<10} lines {lines}, characters {characters}", markup=False)


def _diff(diff: Mapping[str, Any]) -> None:
    """Print what differs: coloured on a terminal, else `[-only there-]` and `{+only here+}`."""
    counts = (diff[name] for name in ("same", "only_witness", "only_document"))
    shown = console()
    shown.print("  words      {} in both, {} only there, {} only here".format(*counts))
    coloured = shown.color_system is not None
    for hunk in diff["hunks"]:
        line = Text.assemble((f"@{hunk['document']} ", "cyan"))
        for part in hunk["parts"]:
            style, *marks = _PARTS[part["kind"]]
            opening, closing = ("", "") if coloured else marks
            text = part["text"]
            words = text.lstrip(" ")
            line.append(" " * (len(text) - len(words)))
            line.append(opening + words + closing, style=style)
        shown.print(line, soft_wrap=not coloured)
    if diff["hidden"]:
        shown.print(f"… ({diff['hidden']} more places differ)")
    if diff["cut"]:
        shown.print("… (longer texts are compared up to here)")
