"""JSON whose records are no lines: what is a record, what it costs when it is broken."""

from __future__ import annotations

import gzip
import io
import json
from itertools import pairwise

import pytest

from pipeline.ingest.formats import text_kind
from pipeline.ingest.json_ends import Ending, end_of
from pipeline.ingest.json_objects import Objects
from pipeline.ingest.pieces import Piece
from pipeline.ingest.reader import Reading, UnreadableError
from pipeline.model.settings import IngestSettings
from tests.bad_inputs import make
from tests.reading import read_whole

ROWS = [{"text": f"some words {n}", "id": n, "by": {"x": "y"}, "c": [{"a": 1}]} for n in range(4)]
WHOLE = IngestSettings(splitter="none")


def read(stored: bytes, *, kind: str = "json", limit: int = 1 << 20) -> list[Piece]:
    """Read a file with its books closed."""
    settings = IngestSettings(splitter="none", max_record_bytes=limit)
    return read_whole(stored, settings, kind=kind)


def kinds(pieces: list[Piece]) -> list[str]:
    """Name what became of each piece: its text, or its reason."""
    return [piece.text or piece.reason for piece in pieces]


PAGE = "The council met on the bridge, and it said so.\n" * 9
TWO = json.dumps(ROWS[:2])
WORDS = [row["text"] for row in ROWS]
FORMS = {
    "on one line": json.dumps(ROWS),
    "without blanks": json.dumps(ROWS, separators=(",", ":")),
    "indented": json.dumps(ROWS, indent=2) + "\n",
    "indented by tabs, CRLF": json.dumps(ROWS, indent="\t").replace("\n", "\r\n"),
    "objects": "\n".join(json.dumps(row, indent=4) for row in ROWS) + "\n",
    "objects on one line": " ".join(map(json.dumps, ROWS)),
    "an array a line": f"{json.dumps(ROWS[:2])}\n{json.dumps(ROWS[2:])}\n",
    "in an object": json.dumps({"status": "ok", "n": 4, "data": ROWS, "next": {"page": [2]}}),
    "in an object, indented": json.dumps({"articles": ROWS}, indent=2),
    "an object a line": "\n".join(json.dumps({"items": [row]}) for row in ROWS),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", FORMS)
def test_records_are_read_however_they_stand(name: str, encoding: str) -> None:
    """Each record is a document; what stands around them is furniture."""
    pieces = read(FORMS[name].encode(encoding))
    documents = [piece for piece in pieces if piece.kind == "document"]
    assert [piece.text for piece in documents] == WORDS
    assert [piece.external_id for piece in documents] == ["0", "1", "2", "3"]
    assert {piece.reason for piece in pieces} <= {"", "brackets", "bom"}


def test_a_record_has_its_characters_and_lines() -> None:
    """With the indent before it, and the comma and the line end behind."""
    text = FORMS["indented"]
    pieces = read(text.encode())
    said = [text[piece.span.char_start : piece.span.char_end] for piece in pieces]
    assert said[0] == "[\n"
    assert said[1].startswith('  {\n    "text": "some words 0"')
    assert said[1].endswith("\n  },\n")
    assert said[-1] == "]\n"
    lines = [(piece.span.line_start, piece.span.line_end) for piece in pieces]
    assert lines == [(1, 1), (2, 13), (14, 25), (26, 37), (38, 49), (50, 50)]


def test_an_array_with_an_object_a_line_is_json_lines() -> None:
    """It can be read in sections; lines of brackets are furniture, also joined to a record."""
    rows = ",\n".join(map(json.dumps, ROWS))
    found = ["brackets", *WORDS, "brackets"]
    assert kinds(read(f"[\n{rows}\n]\n".encode(), kind="jsonl")) == found
    assert kinds(read(f"[{rows}]\n".encode(), kind="jsonl")) == WORDS


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"text": "a" "id": 1}', "invalid_json"),
        ('{"text": "a, "id": 1}', "invalid_json"),
        ('{"text": "a", "id": 1', "invalid_json"),
        (
            '{"text": "a", "c": [{"text": "b"}, {"text": "c"} {"text": "d"}], "e": 1}',
            "invalid_json",
        ),
        ('{"text": "a", "c": [{"text": "b"}, {"text": "c"}}', "invalid_json"),
        ('{"text": "a", "x": ' + "[" * 9000 + "]" * 9000 + "}", "too_deep"),
        ('{"text": "' + "x" * 50_000 + '"}', "record_too_long"),
        ('{"c": [' + '{"text": "b"}, ' * 5000 + '{}], "text": "a"}', "record_too_long"),
        ('{"body": "a"}', "missing_text"),
        ('{"text": 5}', "wrong_type"),
        ("12", "not_an_object"),
        ('["text"]', "not_an_object"),
        ("x" * 50_000, "record_too_long"),
    ],
)
@pytest.mark.parametrize("name", ["on one line", "indented", "objects", "in an object"])
def test_a_broken_record_costs_itself_alone(name: str, broken: str, reason: str) -> None:
    """What is inside of it is never taken for a record of its own."""
    text = FORMS[name]
    at = text.index(
        '{"text": "some words 2"' if '{"text"' in text else '{\n    "text": "some words 2"'
    )
    if name == "objects":
        at = text.index('{\n    "text": "some words 2"')
    between = "" if name == "objects" else ", "
    pieces = read((text[:at] + broken + between + text[at:]).encode(), limit=20_000)
    assert [piece.text for piece in pieces if piece.kind == "document"] == WORDS
    assert {piece.reason for piece in pieces if piece.kind == "quarantine"} == {reason}


def test_brackets_that_lead_astray_cost_some_records_length() -> None:
    """Of a long record that is broken far inside, the end is not told by its brackets for ever."""
    long = '{"c": [' + '{"text": "b"}, ' * 500 + '{"text": "b}], "text": "a"}'
    text = json.dumps(ROWS)[:-1] + ", " + long + ", " + json.dumps(ROWS * 900)[1:]
    pieces = read(text.encode(), limit=4000)
    texts = [piece.text for piece in pieces if piece.kind == "document"]
    assert texts[:4] == WORDS
    assert len(texts) > 2500


@pytest.mark.parametrize("far", [1, 3, 900])
@pytest.mark.parametrize("form", [None, 2])
@pytest.mark.parametrize("inner", ['"b}, {"b": 1', '"b, "b": {', "{", "]]", "}", ""])
def test_a_long_record_that_is_broken_costs_itself_alone(
    inner: str, form: int | None, far: int
) -> None:
    """Where the next one begins as those before it, and objects inside of it do not."""
    parts = json.dumps(ROWS, indent=form).rstrip("\n]")
    before = "," + ("\n  " if form else " ")
    opening = parts[parts.index("{") : parts.index("some")]
    long = opening + 'a", "c": [' + '{"a": "b"}, ' * 900 + '{"a": ' + inner + "}]}"
    rest = json.dumps(ROWS * far, indent=form).lstrip("[\n ")
    pieces = read(f"{parts}{before}{long}{before}{rest}".encode(), limit=4000)
    assert [piece.text for piece in pieces if piece.kind == "document"] == WORDS * (far + 1)
    refused = {piece.reason for piece in pieces if piece.kind == "quarantine"}
    assert refused <= {"record_too_long", "not_an_object"}


@pytest.mark.parametrize("name", FORMS)
def test_a_record_that_the_end_cuts_is_truncated(name: str) -> None:
    """The records before it are read."""
    text = FORMS[name]
    pieces = read(text[: text.index("words 3") + 3].encode(), kind="")
    assert [piece.text for piece in pieces if piece.kind == "document"] == WORDS[:3]
    assert pieces[-1].reason in {"truncated", "invalid_json"}
    if "line" not in name:
        assert pieces[-1].reason == "truncated"


@pytest.mark.parametrize("name", ["on one line", "indented", "objects", "in an object, indented"])
def test_records_behind_damage_are_read(name: str) -> None:
    """A broken member of a file costs the records of which it holds a part."""
    text = FORMS[name].encode()
    cuts = [0, text.index(b"words 1"), text.index(b"words 2"), len(text)]
    parts = make.members([text[low:high] for low, high in pairwise(cuts)])
    parts[1] = make.holed(parts[1], 12)
    pieces = read(b"".join(parts))
    assert [piece.text for piece in pieces if piece.kind == "document"] == [WORDS[0], WORDS[3]]


def test_memory_is_that_of_a_record_not_of_the_line() -> None:
    """An array on one line may be longer than a record; so may blanks and brackets."""
    text = json.dumps(ROWS * 900).replace("}, {", "}," + " " * 90 + "{")
    pieces = read(gzip.compress(text.encode() + b" " * 99_000), limit=5000)
    assert sum(piece.kind == "document" for piece in pieces) == 3600
    assert {piece.reason for piece in pieces} <= {"", "brackets", "blank_line"}


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("[1] A note, {with} braces\n\nAnd a text.\n", "text"),
        ("[Photo: Ann Lee]\n\nThe council met.\n", "text"),
        ('["A quote begins this page," she said.]\n\nIt goes on.\n', "text"),
        ('[1] Such as [{"a": 1}, {"b": 2}, {"c": 3}]\n', "text"),
        ('["text"]\n["text"]\n', "text"),
        ('// note\n\nThe council met.\n\n{\n  "a": 1\n}\n', "text"),
        ('Result (see below) = [{"a": 1}]\nand so on\n', "text"),
        ("/* a */ [1] b\n", "text"),
        ('x = [{"a": 1}]\n\nThis is how an array looks.\n', "text"),
        ('["A quote begins this page, and it has one quote alone.\n', "text"),
        ("[1]\n", "text"),
        ("[[Category:Bridges]]\n", "text"),
        ("[]\n\nA box.\n", "text"),
        ("{curly} prose\nmore prose\n", "text"),
        ("{\nprose in braces\n}\n", "text"),
        ('{\n  "name": "x"\n}\n\nThis is how an object looks.\n', "text"),
        ('[{"name": "x"}]\n\nThis is how an array looks.\n', "text"),
        ('Objects\n\nThis is one:\n{"a": 1}\n' + "It is short.\n\n" * 5, "text"),
        ('How to list them:\n\n[{"a": 1}, {"b": 2}, {"c": 3}]\n', "text"),
        (f"An example of two\n{TWO}\nIt goes on.\n", "text"),
        (f"{PAGE}\n\n{TWO}", "text"),
        (f"The council met.\n{PAGE}\n{TWO * 9}", "text"),
        ("Export\n" + '[{"a": 1}, {"b": 2}]' * 9, "text"),
        ('An object\n{\n  "text": "' + PAGE + '"\n}\n', "text"),
        (f"Export\n{TWO}", "json"),
        (f'{{"title": "A bridge"}}\n{PAGE}\n', "text"),
        (f'{{"title": "A bridge", "text": "It opened."}}\n{PAGE}\n', "jsonl"),
        ('{"title": "A bridge"}\nIt opened.\n', "jsonl"),
        ('{"title": "A bridge"}\n' + '{"title": "A bridge}\n' * 20, "jsonl"),
        ('{"title": "A bridge}\n' + PAGE, "jsonl"),
        ('{\n  "text": "x"\n}\n\ngarbage\n', "json"),
        ('{\n  "body": "x"\n}\n{\n  "body": "y"\n}\ngarbage\n', "json"),
        ('[{"text": "a"}, {"text": "b"}]', "json"),
        ('\n [\n\n{"text":', "json"),
        ('{\n  "text": "a"\n}\n', "json"),
        ('[\n{"text": "a"},\n{"text": "b"}\n]', "jsonl"),
        ('x{"text": "a"}, {"text": "b"}, {"text": "c"}]', "json"),
        ('[{"text: "a"}, {"text": "b"}, {"text": "c"}]', "json"),
        ('{"id": 1, "data": [{"text": "a"}]}\n', "json"),
        ('{"id": 1, "data": [{"text": "a"}], "text": "b"}\n', "jsonl"),
        ('{"id": 1, "comments": [{"text": "a"}], "text": "b"}\n', "jsonl"),
    ],
)
def test_json_is_told_from_text_and_from_lines(head: str, kind: str) -> None:
    """A page that begins with a bracket is a page; one wrong character makes no page of records."""
    assert text_kind(head, ["text"], complete=True) == kind


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("var data = ", ";\n"), ("window.YTD.tweet.part0 = ", ""), ("show(", ");"),
        ("// exported\n// by hand\n", ""), ("/* exported\n */ let a = ", ";"), ("a.b=", "\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["on one line", "indented"])
def test_records_in_a_script_are_read(name: str, before: str, behind: str) -> None:
    """Archives of social networks are scripts; what is no JSON is refused."""
    pieces = read((before + FORMS[name] + behind).encode())
    assert [piece.text for piece in pieces if piece.kind == "document"] == WORDS
    assert {piece.reason for piece in pieces} <= {"", "brackets", "not_an_object", "blank_line"}


@pytest.mark.parametrize(
    "before",
    [
        "Export of 2024-03-01\n", "# a comment\n", "<pre>\n", "All [12] of {us}\n\nNo rights.\n\n",
        "<?php exit; ?>\n", "<?php die('no'); ?>", "while(1);", "for (;;);", ")]}',\n",
        "a\r\nb\r\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [name for name in FORMS if name != "objects on one line"])
def test_records_below_a_few_lines_of_prose_are_read(name: str, before: str) -> None:
    """The lines are refused, or a guard that keeps others from running the file."""
    pieces = read((before + FORMS[name]).encode(), kind="")
    assert [piece.text for piece in pieces if piece.kind == "document"] == WORDS
    refused = [piece for piece in pieces if piece.kind == "quarantine"]
    assert len(refused) >= 1
    assert {piece.reason for piece in pieces} <= {
        "", "brackets", "not_an_object", "blank_line", "invalid_json",
    }  # fmt: skip


def test_records_below_prose_cost_themselves_when_they_are_broken() -> None:
    """As elsewhere."""
    text = "Export\n" + FORMS["indented"].replace('"id": 2', '"id" 2')
    pieces = read(text.encode())
    assert [piece.text for piece in pieces if piece.kind == "document"] == [*WORDS[:2], WORDS[3]]


@pytest.mark.parametrize("name", ["on one line", "indented", "in an object"])
def test_a_broken_record_in_a_script_costs_itself(name: str) -> None:
    """It does not matter to those before it."""
    text = FORMS[name].replace('"id": 2', '"id" 2')
    pieces = read(f"var data = {text};\n".encode())
    assert [piece.text for piece in pieces if piece.kind == "document"] == [*WORDS[:2], WORDS[3]]


@pytest.mark.parametrize("name", ["on one line", "indented", "objects"])
def test_zeros_behind_records_cost_none(name: str) -> None:
    """A file system that broke down leaves them."""
    pieces = read(FORMS[name].encode() + bytes(5000))
    assert [piece.text for piece in pieces if piece.kind == "document"] == WORDS


@pytest.mark.parametrize("start", ["", "[", "a", "{"])
def test_blanks_are_told_from_json_in_time(start: str) -> None:
    """However many there are."""
    assert text_kind(start + " " * 1_000_000, ["text"], complete=False) in {"text", "jsonl"}


def test_comments_between_records_cost_no_record() -> None:
    """They are refused."""
    text = "// of today\n" + "\n// next\n".join(json.dumps(row, indent=1) for row in ROWS)
    pieces = read(text.encode())
    assert [piece.text for piece in pieces if piece.kind == "document"] == WORDS


def test_records_behind_separators_are_read() -> None:
    """As `jq --seq` writes them (RFC 7464)."""
    text = "".join(f"\x1e{json.dumps(row, indent=1)}\n" for row in ROWS)
    assert kinds(read(text.encode())) == WORDS


LONG = "some words " * 9


@pytest.mark.parametrize(
    ("record", "step"),
    [
        ({"id": 1, "body": LONG}, "jq -c '.text = .body'"),
        ({"title": {"is": "T"}, "content": {"rendered": LONG}}, "'.text = .content.rendered'"),
        ({"_id": "1", "_source": {"id": 1, "text": "a"}}, "jq -c '._source'"),
        ({"took": 1, "hits": {"hits": [{"_source": {"text": "a"}}]}}, "'.hits.hits[]._source'"),
        ({"kind": "L", "data": {"children": [{"data": {"selftext": LONG}}]}},
         "jq -c '.data.children[] | .text = .data.selftext'"),
        ({"a": {"text": "a"}, "b c": {"text": "b"}}, "jq -c '.[]'"),
        ({"a": {"text": "a"}, "n": 1}, "jq -c '.a'"),
        ({"id": 1, "lines": [{"n": 1}]}, "jq -c '.lines[]'"),
        ({"id": 1, "it's": LONG}, "Write the dump with that name."),
    ],
)  # fmt: skip
def test_the_reason_says_how_to_write_records(record: dict[str, object], step: str) -> None:
    """For exports of search engines, programs that keep sites, and dumps of networks."""
    (piece,) = read(json.dumps(record).encode(), kind="jsonl")
    assert piece.reason == "missing_text"
    assert step in piece.detail


@pytest.mark.parametrize("text", ["[]", " [ ]\n", "[\n]\n", "[[], []]"])
def test_an_export_without_records_is_no_page(text: str) -> None:
    """Programs answer with an empty array when there is nothing new."""
    assert {(piece.kind, piece.reason) for piece in read(text.encode())} == {
        ("furniture", "brackets")
    }


@pytest.mark.parametrize("form", [None, 1])
@pytest.mark.parametrize(
    "values", [["a text", "another"], [1, "x", ROWS[0]], [[1, "a text"], [2, "b"]], [{}, {}]]
)
def test_an_array_of_other_values_is_no_page(values: list[object], form: int | None) -> None:
    """It is not published with its brackets; records among them are read."""
    pieces = read(json.dumps(values, indent=form).encode(), kind="")
    documents = [piece.text for piece in pieces if piece.kind == "document"]
    assert documents == ([WORDS[0]] if ROWS[0] in values else [])
    assert "quarantine" in {piece.kind for piece in pieces}


def test_strings_are_refused_with_a_way_out() -> None:
    """However many there are."""
    pieces = read(json.dumps(["some words " * 9] * 20_000).encode())
    assert [piece.reason for piece in pieces] == ["brackets", "record_too_long"]
    pieces = read(json.dumps(["some words"]).encode())
    assert "jq -c '.[] | {text: .}'" in pieces[1].detail


def test_one_object_longer_than_a_record_is_refused_with_a_way_out() -> None:
    """Nothing of it is published; an object that is shorter names the array in it."""
    stored = json.dumps({"meta": {}, "pieces": ROWS * 900}, indent=1).encode()
    with pytest.raises(UnreadableError, match=r"jq -c '\.NAME\[\]'") as caught:
        list(Reading(io.BytesIO(stored), IngestSettings(max_record_bytes=9000), size=len(stored)))
    assert caught.value.reason == "record_too_long"
    (piece,) = read(stored)
    assert piece.reason == "missing_text"
    assert "jq -c '.pieces[]'" in piece.detail


@pytest.mark.parametrize("form", ["on one line", "objects", "in an object", "an array a line"])
def test_byte_order_marks_are_no_text(form: str) -> None:
    """Editors put two before a file, and `cat` leaves those of the files that it joins."""
    once = FORMS[form].rstrip("\n")
    pieces = read(f"\ufeff\ufeff{once}\ufeff{once}\n\ufeff{once}".encode())
    assert {piece.reason for piece in pieces} <= {"", "bom", "brackets"}
    assert [piece.text for piece in pieces if piece.text] == WORDS * 3
    assert pieces[0].span.char_end == 2


def test_a_mark_between_lines_costs_no_record() -> None:
    """Also when the line before it has no end."""
    lines = "\n".join(map(json.dumps, ROWS))
    pieces = read(f"\ufeff\ufeff{lines}\ufeff{lines}\n\ufeff\n{lines}".encode(), kind="jsonl")
    assert kinds(pieces) == ["bom", *WORDS, *WORDS, "brackets", *WORDS]


@pytest.mark.parametrize("meta", ["", "m" * 100_000])
def test_every_array_of_records_in_an_object_is_read(meta: str) -> None:
    """All behind the first array was furniture, its records among it."""
    held = {
        "data": ROWS[:2],
        "meta": meta,
        "items": ROWS[2:3],
        "tags": [{"a": 1}],
        "docs": ROWS[3:],
    }
    found = kinds(read(f"{json.dumps(held)}\n{json.dumps(held)}\n".encode()))
    assert [kind for kind in found if kind in WORDS] == WORDS * 2
    assert not meta or "not_an_object" in found
    assert meta or set(found) == {*WORDS, "brackets"}


@pytest.mark.parametrize("field", ["id", "other"])
def test_a_very_long_number_costs_no_record(field: str) -> None:
    """Python refuses to make one, and said how to change that."""
    row = f'{{"text": "some \\ud800 words", "{field}": {"9" * 5000}}}\n'
    assert [piece.kind for piece in read(row.encode() * 2, kind="jsonl")] == ["document"] * 2


def test_arrays_behind_records_are_passed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind each of them the next 64 kB were looked at again."""
    seen: list[int] = []

    def counted(text: str, at: int = 0, *, is_all: bool = False) -> Ending:
        found = end_of(text, at, is_all=is_all)
        seen.append(max(found.end, found.fault) - at)
        return found

    for module in ("json_ends", "json_objects"):
        monkeypatch.setattr(f"pipeline.ingest.{module}.end_of", counted)
    held = {"posts": ROWS, **{f"k{number}": [{"a": 1}] for number in range(8000)}}
    stored = json.dumps(held).encode()
    found = kinds(read(stored + b"\n" + json.dumps({"posts": ROWS}).encode()))
    assert [kind for kind in found if kind in WORDS] == WORDS * 2
    assert sum(seen) < 10 * len(stored)


def test_a_line_without_an_object_is_not_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm of short broken lines spent a third of its time on it; others are as before."""
    looked: list[list[str]] = []

    def counted(texts: list[str], *args: object, **keys: object) -> Objects:
        looked.append(texts)
        return Objects(texts, *args, **keys)  # type: ignore[arg-type] - handed through

    monkeypatch.setattr("pipeline.ingest.jsonl.Objects", counted)
    good, twice = '{"text": "a text"}\n', '}{ {\t"text": "a text"} {"text": "a text"}\n'
    stored = good + "}{\n{x}\n}\n" * 99 + twice + "{x {}\n" + good
    found = [piece.kind for piece in read(stored.encode(), kind="jsonl")]
    assert found.count("document") == 4
    assert looked == [[twice], ["{x {}\n"]]
