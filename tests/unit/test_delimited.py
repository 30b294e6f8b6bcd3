"""CSV and TSV files: header, columns, and rows that cost themselves alone."""

from __future__ import annotations

import datetime as dt
import gzip

import pytest

from pipeline.ingest.pieces import Piece
from pipeline.ingest.reader import UnreadableError
from pipeline.model.settings import IngestSettings
from tests.reading import read_whole

HEAD = "id,url,title,text,date\n"
GOOD = '7,https://x.example/a,"A, b","First line\nsaid ""yes"".",2026-01-02\n'


def read(stored: bytes, kind: str = "csv", **settings: object) -> list[Piece]:
    """Read a file, closing its books and checking that its spans tile it."""
    return read_whole(stored, IngestSettings(**settings), kind=kind)  # type: ignore[arg-type]  # a table


def kinds(pieces: list[Piece]) -> list[str]:
    """Name what became of each piece; documents are ""."""
    return [piece.reason for piece in pieces]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "\x01"])
def test_rows_are_documents_with_their_columns(delimiter: str) -> None:
    """Quoted fields may hold delimiters, quotes and newlines."""
    head = HEAD.replace(",", delimiter)
    row = GOOD.replace("A, b", "A; b").replace(",", delimiter)
    pieces = read((head + row).encode())
    assert kinds(pieces) == ["header", ""]
    piece = pieces[1]
    assert piece.text == 'First line\nsaid "yes".'
    assert (piece.external_id, piece.url, piece.title, piece.published) == (
        "7", "https://x.example/a", "A; b", dt.date(2026, 1, 2),
    )  # fmt: skip
    assert (piece.span.line_start, piece.span.line_end) == (2, 3)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,u,t,too few\n", "wrong_field_count"),
        ("1,u,t,x,2026-01-01,more\n", "wrong_field_count"),
        ('1,u,t,"never closed,2026-01-01\n', "unbalanced_quotes"),
        ('1,u,t,"closed" badly,2026-01-01\n', "wrong_field_count"),
        ("1,u,t,,2026-01-01\n", "empty_text"),
        ("\n", "blank_line"),
        ("1,u,t," + "x" * 3000 + ",d\n", "record_too_long"),
        ('1,u,t,"nul \0 inside",2026-01-01\n', ""),
        ("1,u,t,caf\udce9,2026-01-01\n", ""),
    ],
)
def test_a_broken_row_costs_its_first_line_alone(row: str, reason: str) -> None:
    """Rows before and after are kept, whatever the quotes."""
    stored = (HEAD + GOOD + row + GOOD + GOOD).encode("utf-8", "surrogateescape")
    assert kinds(read(stored, max_record_bytes=2000)) == ["header", "", reason, "", ""]


def test_columns_can_be_named() -> None:
    """A mapping in the settings finds text under any name."""
    stored = b"key,story,seen\n" + b"k1,some words here,x\n" * 6
    pieces = read(stored, text_column="Story", id_column="key")
    assert [piece.text for piece in pieces[1:]] == ["some words here"] * 6
    assert pieces[1].external_id == "k1"
    with pytest.raises(UnreadableError, match="found key, story, seen") as caught:
        read(stored)
    assert caught.value.reason == "missing_text_column"


@pytest.mark.parametrize(
    "page",
    [
        "Well, then\n\nA first, long sentence.\nSome more, of it.\n" * 5,
        "Content, body\nThe first line is a title here.\nAnd this is what it is about.\n",
        "Text, images and more\nOne line, of two parts.\nOne of three, so to say, parts.\n" * 3,
        "Text:body of a page\nOne line: of two parts.\nOne more: of two parts.\n" * 3,
        "title:text\n\nA paragraph of some words.\nhttp://x.example/a\n" * 3,
        "# Text, body\n\nThe first line, of two parts.\n",
        "# A page\n\nText and words\nSome more, of it.\n" * 3,
        "# A page\n\ntext,body\nSome words of it.\nAnd more.\n",
        "# A page\n\nid,text\n1,one\n2,two\n3,three\n\nSome words.\n\nAnd more, of it.\n",
        "# A page\n\nname|text\n---|---\na|one\nb|two\nc|three\n",
        "type:text\nlang:en\nauthor:Ann\ndate:2024\n\nSome words of it.\n",
        "body:Leib\nhead:Kopf\nhand:Hand\nfoot:Fuß\neye:Auge\near:Ohr\n",
        "Content:Text\nAnn: hello\nBob: hi\nAnn: how are you\nBob: fine\nAnn: bye\n",
        "Слово, дело\nСтрока, в которой есть запятая.\n" * 9,
    ],
)
def test_prose_with_commas_is_prose(page: str) -> None:
    """A page is not taken for a table."""
    read(page.encode(), "text")


@pytest.mark.parametrize(
    "head",
    [
        ",key,text",  # as pandas writes an index
        "Article ID,Article Title,Text",
        "номер,заголовок,text",
        "sep=,\nid,title,text",
        '#,"the title",text',
    ],
)
def test_headers_of_other_tools_are_headers(head: str) -> None:
    """Blanks, other scripts and columns without a name do not make a page of a table."""
    stored = head + "\n" + '0,k1,"some words\nhere"\n' + "1,k2,more words\n"
    found = read(stored.encode())
    assert [piece.text for piece in found if piece.text] == ["some words\nhere", "more words"]


def test_a_table_in_another_script_without_a_text_column_is_refused() -> None:
    """Its columns are named, and nothing of it is published as a page."""
    with pytest.raises(UnreadableError, match="found номер, текст"):
        read(("номер,текст\n" + '1,"много слов"\n' * 5).encode())


@pytest.mark.parametrize("said", ["NULL", r"\N"])
def test_what_databases_write_for_nothing_is_no_text(said: str) -> None:
    """A row without a text costs itself, and other columns without a value are null."""
    pieces = read(f"id,title,text\n1,{said},some words\n2,a title,{said}\n".encode())
    assert kinds(pieces) == ["header", "", "missing_text"]
    assert pieces[1].title is None


def test_rows_behind_damage_know_the_header() -> None:
    """A damaged gzip member costs itself; the columns stay what they were."""
    members = [gzip.compress(part.encode(), mtime=0) for part in (HEAD + GOOD, GOOD * 9, GOOD)]
    broken = bytearray(members[1])
    broken[20:30] = bytes(10)
    pieces = read(members[0] + bytes(broken) + members[2])
    assert kinds(pieces)[:2] == ["header", ""]
    assert kinds(pieces)[-2:] == ["corrupt_stream", ""]


@pytest.mark.parametrize(
    ("stored", "texts"),
    [
        ("text\n" + "some words\n" * 5, ["some words"] * 5),
        ('Text\r\n"some, words"\r\nmore words\r\n', ["some, words", "more words"]),
        ('"content"\n"some words"\n"more\nwords, ""all"""\n', ["some words", 'more\nwords, "all"']),
        (
            'body\n"a, b"\nfew words\n' + "x\n" * 99 + "c, d\n",
            ["a, b", "few words", *"x" * 99, "c, d"],
        ),
    ],
)
def test_a_table_may_be_one_column(stored: str, texts: list[str]) -> None:
    """Its header is the name of a text; commas without quotes are characters of a text."""
    pieces = read(stored.encode())
    assert pieces[0].reason == "header"
    assert [piece.text for piece in pieces[1:]] == texts


@pytest.mark.parametrize("count", [6, 60])
@pytest.mark.parametrize("wrong", ["x", '"', ""])
@pytest.mark.parametrize("at", [0, 9, -1])
def test_a_broken_row_makes_no_page_of_a_column(count: int, wrong: str, at: int) -> None:
    """It costs itself, and at most the next."""
    rows = [f'"First words, {n}\n\nMore words, and more."' for n in range(count)]
    row = rows[1]
    broken = row[:at] + wrong + row[at + 1 :] if at >= 0 else row[:-1] + wrong
    pieces = read("\n".join(["text", rows[0], broken, *rows[2:], ""]).encode(), kind="csv")
    whole = [piece.text for piece in pieces if piece.text.endswith("More words, and more.")]
    assert len(whole) >= count - 2


@pytest.mark.parametrize(
    "page",
    [
        "Content, form\nWords, more, and more.\nFew words.\nWords, words.\nNone.\nNone.\n",
        "Text\n" + 'He said, "no".\n"No."\n"Yes," she said.\n' * 9,
        "Text\n" + "some words\n" * 9,
        "content\nsome words, and more\n" + "some words\n" * 9,
        "content\nsome words\n\n" + "some words\n" * 9,
        'Body\n"So it is," she said.\n"Words."\n',
        'Content\n"All is said."\n',
        "text\n",
        "A title\r" + "a paragraph, and more\r" * 9,
    ],
)
def test_a_page_below_such_a_word_is_a_page(page: str) -> None:
    """Paragraphs hold commas, blank lines and quotes inside."""
    pieces = read(page.encode(), kind="text", splitter="none")
    assert [piece.kind for piece in pieces] == ["document"]


@pytest.mark.parametrize("cell", ["a few words", '"a, few\nwords"', '"a ""few""\rwords"'])
def test_lines_may_end_as_on_old_macs(cell: str) -> None:
    """Inside of quotes there may be any line end."""
    stored = f"id,text\r1,{cell}\r2,more words\r"
    pieces = read(stored.encode())
    assert [piece.reason for piece in pieces] == ["header", "", ""]
    assert [piece.external_id for piece in pieces[1:]] == ["1", "2"]
    assert pieces[1].text == cell.strip('"').replace('""', '"').replace("\r", "\n")
    assert stored[pieces[2].span.char_start :] == "2,more words\r"
    assert pieces[2].span.line_start == 3 + ("\n" in pieces[1].text)


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_quotes_inside_a_field_without_quotes_are_characters(delimiter: str) -> None:
    """Inches, and words in quotes: a row is not joined with what follows it."""
    said = ["He is 6'2\" tall", "plain words", 'two "quotes" here', 'ends with "', "more words"]
    rows = "".join(f"{number}{delimiter}{text}\n" for number, text in enumerate(said))
    pieces = read(f"id{delimiter}text\n{rows}".encode())
    assert [piece.text for piece in pieces[1:]] == said


def test_a_row_with_other_fields_says_how_many() -> None:
    """The message has what was expected and what was found."""
    pieces = read(b"id,text,tag\n1,words\n2,words,a,b\n")
    assert [piece.detail.partition("names, ")[2] for piece in pieces[1:]] == [
        "found 2 fields.",
        "found 4 fields.",
    ]


def test_a_table_in_a_page_is_a_page() -> None:
    """Bars around a table are no header of a file."""
    read(b"| id | text |\n|----|------|\n| 1 | some words |\n| 2 | more words |\n", "text")


def test_quotes_behind_a_backslash_are_characters() -> None:
    """Spark and MySQL write them so, also over several lines."""
    stored = (
        'id,text\n1,"He said \\"hi\\", and left."\n2,"plain ""words"""\n'
        '3,"a \\"b\nand c\\" d"\n4,"ends in C:\\\\"\n5,more words\n'
    )
    pieces = read(stored.encode())
    assert [piece.text for piece in pieces[1:]] == [
        'He said "hi", and left.',
        'plain "words"',
        'a "b\nand c" d',
        "ends in C:\\\\",
        "more words",
    ]


@pytest.mark.parametrize("again", ["id,text\n", "\ufeffid,text\r\n", '"id","text"\n'])
def test_the_header_of_a_joined_table_is_no_row(again: str) -> None:
    """Parts of an export are often joined with `cat`; the second header was published."""
    pieces = read(f"\ufeff\ufeffid,text\n1,some words\n{again}2,more words\n".encode())
    assert kinds(pieces) == ["bom", "header", "", "header", ""]
    assert [piece.text for piece in pieces if piece.text] == ["some words", "more words"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", "\t", ":", "\x01"])
def test_a_header_may_stand_below_comments(delimiter: str, end: str) -> None:
    """They are furniture, also when they name columns, hold a quote or are long; a row is a row."""
    comments = ["# An export of the site", '# The 15" fields: id, text', "#" * 3000, "", "#id,text"]
    rows = ["id,text", '1,"some words"', "#2,more words", "# no row"]
    table = end.join([*comments, *(row.replace(",", delimiter) for row in rows), ""])
    pieces = read(table.encode(), max_record_bytes=2000)
    assert kinds(pieces) == ["header", "", "", "wrong_field_count"]
    assert [piece.text for piece in pieces[1:3]] == ["some words", "more words"]
    assert (pieces[1].span.line_start, pieces[2].external_id) == (7, "#2")


def test_a_row_below_a_header_with_a_sign_is_a_row() -> None:
    """It was the header, and the header a comment, where a label is the name of a text as well."""
    pieces = read(b"#label\ttext\nneg\tbody\npos\tgood film\nneg\tbad film\n")
    assert [piece.text for piece in pieces] == ["", "body", "good film", "bad film"]
    pieces = read(b"# The columns, text\nlabel,text\nneg,body\npos,good film\n")
    assert [piece.text for piece in pieces] == ["", "body", "good film"]
