"""MediaWiki dumps: pages, markup, and XML that is broken or hostile."""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import re

import pytest

from pipeline.ingest.pieces import Piece
from pipeline.ingest.wikitext import plain
from pipeline.model.settings import IngestSettings
from tests.reading import read_whole

HEAD = '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="en">\n  <siteinfo><sitename>W</sitename></siteinfo>\n'  # noqa: E501 - as dumps have it
TAIL = "</mediawiki>\n"


def page(
    text: str = "Some ''text'' &amp; more.", *, title: str = "A bridge", extra: str = ""
) -> str:
    """Return one page of a dump."""
    return (
        f"  <page>\n    <title>{title}</title>\n    <ns>0</ns>\n    <id>12</id>\n{extra}"
        "    <revision>\n      <id>34</id>\n      <timestamp>2026-01-02T03:04:05Z</timestamp>\n"
        f'      <text bytes="9" xml:space="preserve">{text}</text>\n    </revision>\n  </page>\n'
    )


def read(stored: bytes, **settings: int) -> list[Piece]:
    """Read a file, closing its books and checking that its spans tile it."""
    return read_whole(stored, IngestSettings(**settings), kind="mediawiki")  # type: ignore[arg-type]  # a table


def kinds(pieces: list[Piece]) -> list[str]:
    """Name what became of each piece that is not between pages; documents are ""."""
    return [p.reason for p in pieces if p.reason not in {"blank", "mediawiki_header"}]


def test_a_page_is_a_document() -> None:
    """Title, id and time of the revision are kept, and the span is that of the page."""
    dump = HEAD + page() + page(title="Næste") + TAIL
    pieces = read(dump.encode())
    found = [piece for piece in pieces if piece.kind == "document"]
    assert [piece.title for piece in found] == ["A bridge", "Næste"]
    assert found[0].text == "Some text & more."
    assert (found[0].external_id, found[0].fetched) == (
        "12", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    )  # fmt: skip
    shown = dump[found[0].span.char_start : found[0].span.char_end]
    assert (shown[:6], shown[-7:]) == ("<page>", "</page>")


BOMB = (
    "<!DOCTYPE mediawiki [<!ENTITY a 'ha'>"
    + "".join(
        f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]>"
)


@pytest.mark.parametrize(
    ("middle", "found"),
    [
        (page("#REDIRECT [[B]]", extra='<redirect title="B" />'), ["redirect"]),
        (page().replace("<ns>0<", "<ns>1<"), ["namespace"]),
        (page("&undefined;"), ["invalid_xml"]),
        (page().replace("</title>", "</titel>"), ["invalid_xml"]),
        (page().replace("</page>", ""), ["invalid_xml"]),
        (page().replace("<page>", ""), []),
        (page("\0"), ["invalid_xml"]),
        (page("{{only|a template}}"), ["empty_text"]),
        (page("x" * 9000), ["record_too_long"]),
        ("<page><title>no text</title></page>", ["missing_text"]),
        ("<page>" * 5, ["invalid_xml"] * 5),
        ("</page>" * 5, []),
        ("<page>" + "<b>" * 1000 + "</page>", ["invalid_xml"]),
    ],
)
def test_a_broken_page_costs_itself_alone(middle: str, found: list[str]) -> None:
    """Pages before and after are kept."""
    stored = (HEAD + page() + middle + page() + TAIL).encode()
    assert kinds(read(stored, max_record_bytes=5000)) == ["", *found, ""]


def test_entities_are_never_expanded() -> None:
    """A declaration is quarantined, a page that uses it is no XML, and all others are kept."""
    external = '<!DOCTYPE mediawiki SYSTEM "file:///etc/passwd">'
    for declared in (BOMB, external):
        pieces = read((declared + HEAD + page() + page("&j;") + page()).encode())
        assert kinds(pieces) == ["entity_declaration", "", "invalid_xml", ""]


def test_damage_of_one_stream_of_many_costs_itself_alone() -> None:
    """Multistream dumps are read on behind a broken stream."""
    streams = [bz2.compress(part.encode()) for part in (HEAD, page(), page(), page(), TAIL)]
    streams[2] = streams[2][:30] + bytes(8) + streams[2][38:]
    assert kinds(read(b"".join(streams))) == ["", "corrupt_stream", ""]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a {{b|{{c}}}} d", "a  d"),
        ("[[B]], [[B|shown]] and [https://x.example here]", "B, shown and here"),
        ("[[File:a.jpg|thumb|a [[link]] inside]]text[[Category:X]]", "text"),
        ("'''bold''' ''it''", "bold it"),
        ("== Head ==\n* one\n* two", "Head\none\ntwo"),
        ("{|\n| a table\n|}after", "after"),
        ("a<ref name=x>note</ref>b<ref name=y />c<!-- hidden -->d", "abcd"),
        ("never {{closed [[links", "never closed links"),
        ("stray }} ]] |}", "stray"),
        ("a<br />b &nbsp;c", "ab \xa0c"),
        ("__NOTOC__x", "x"),
    ],
)
def test_markup_is_taken_off(markup: str, text: str) -> None:
    """What a reader would see stays."""
    assert plain(markup) == text


@pytest.mark.parametrize("unit", ["{{", "[[", "<ref>", "<!--", "={", "[//x ", "= ", "'''", "<a "])
def test_hostile_markup_takes_linear_time(unit: str) -> None:
    """A megabyte of openings that are never closed is done at once (the suite has a time-out)."""
    assert isinstance(plain(unit * (1_000_000 // len(unit))), str)


RUSSIAN_HEAD = (
    '<mediawiki xml:lang="ru"><siteinfo><namespaces><namespace key="0" case="first-letter" />'
    '<namespace key="6" case="first-letter">Файл</namespace>'
    '<namespace key="14" case="first-letter">Категория</namespace></namespaces></siteinfo>\n'
)


def test_files_and_categories_are_known_by_the_names_of_the_wiki() -> None:
    """The header says them, and they hold behind a damaged stream too."""
    markup = page("Порт.\n[[Файл:Port.jpg|thumb|Вид]]\n[[Категория:Города]]")
    streams = [bz2.compress(part.encode()) for part in (RUSSIAN_HEAD + markup, markup, markup)]
    broken = streams[1][:40] + bytes(9) + streams[1][49:]
    pieces = read(streams[0] + broken + streams[2])
    assert [piece.text for piece in pieces if piece.text] == ["Порт."] * 2


def test_a_part_of_a_dump_without_its_header_is_a_dump() -> None:
    """A stream of a multistream dump can be taken out and read."""
    assert kinds(read((page() + page()).encode())) == ["", ""]


@pytest.mark.parametrize(
    ("markup", "kind"),
    [
        ("#REDIRECT [[A bridge]]", "redirect"),
        ("#ПЕРЕНАПРАВЛЕНИЕ [[Мост]] {{x}}", "redirect"),
        ("#重定向 [[桥]]", "redirect"),
        ("# [[A bridge]] is first", ""),
        ("#bridge [[A bridge]] is first", ""),
    ],
)
def test_redirects_of_older_dumps_are_redirects(markup: str, kind: str) -> None:
    """They have no element that says so."""
    assert kinds(read((HEAD + page(markup) + TAIL).encode())) == [kind]


@pytest.mark.parametrize("prefix", ["m:", "mw-0.11:", "ns0:"])
@pytest.mark.parametrize("cut", [0, 1])
def test_elements_may_have_a_prefix(prefix: str, cut: int) -> None:
    """As other programs write a dump anew; also in a part of one, and behind damage."""
    names = '  <siteinfo><namespace key="6" case="x">Bild</namespace></siteinfo>\n'
    dump = [HEAD + names, page("[[Bild:a.png|a]] A text."), page("lost"), page(title="Next"), TAIL]
    tags = re.compile("(</?)(?=[a-z])")
    members = [gzip.compress(tags.sub(rf"\1{prefix}", part).encode()) for part in dump[cut:]]
    broken = bytearray(members[2 - cut])
    broken[12:30] = bytes(18)
    members[2 - cut] = bytes(broken)
    pieces = read(b"".join(members))
    assert kinds(pieces) == ["", "corrupt_stream", ""]
    found = [piece for piece in pieces if piece.kind == "document"]
    assert [(piece.title, piece.external_id) for piece in found] == [
        ("A bridge", "12"),
        ("Next", "12"),
    ]
    assert cut or found[0].text == "A text."
    assert all(piece.fetched for piece in found)
