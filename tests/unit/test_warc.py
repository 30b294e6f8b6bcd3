"""WARC and WET files: what is kept of a record, and what damage costs."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zlib

import brotli
import pytest
import zstandard
from fastwarc.warc import ArchiveIterator

from pipeline.ingest.books import Books
from pipeline.ingest.http import header_fields
from pipeline.ingest.pieces import Piece, inside
from pipeline.ingest.reader import Reading
from pipeline.model.files import DumpFile
from pipeline.model.settings import IngestSettings

PARAGRAPH = "The council met on Tuesday and agreed to mend the old bridge before winter comes. "
DATE = "2026-11-21T03:04:05Z"


def record(
    kind: str, block: bytes, *, mime: str = "application/http; msgtype=response", length: int = -1
) -> bytes:
    """Return one record; `length` lies about its block when given."""
    size = len(block) if length < 0 else length
    head = (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://news.example/a?b=1\r\n"
        f"WARC-Date: {DATE}\r\nWARC-Record-ID: <urn:uuid:1-2-3>\r\n"
        f"Content-Type: {mime}\r\nContent-Length: {size}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def page(text: str = PARAGRAPH, *, charset: str = "utf-8") -> bytes:
    """Return a page with navigation and one article."""
    html = (
        "<!doctype html><html><head><title>A bridge</title></head><body><nav><a href=/>Home</a>"
        f"</nav><article><h1>A bridge</h1><p>{text * 5}</p></article></body></html>"
    )
    return html.encode(charset)


def response(body: bytes, headers: str = "Content-Type: text/html; charset=utf-8") -> bytes:
    """Return an HTTP response with a body."""
    return f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + body


GOOD = record("response", response(page()))
WET = record("conversion", (PARAGRAPH * 3).encode(), mime="text/plain")


def read(stored: bytes, **settings: int) -> list[Piece]:
    """Read a file, closing its books and checking that its spans tile it."""
    reading = Reading(io.BytesIO(stored), IngestSettings(**settings), size=len(stored))  # type: ignore[arg-type]  # a table
    books = Books(DumpFile("s", "2026-11-21", "s/2026-11-21/a", "e", len(stored)))
    pieces = []
    for piece in reading:
        books.count(piece)
        pieces.append(piece)
    edges = [0, *(piece.span.char_end for piece in pieces)]
    assert [piece.span.char_start for piece in pieces] == edges[:-1]
    counts = books.close(reading)
    assert (counts.balanced, counts.format, counts.encoding) == (True, "warc", "binary")
    assert counts.chars == edges[-1] == counts.decoded_bytes
    return pieces


def reasons(pieces: list[Piece]) -> list[str]:
    """Name what became of each piece; documents are ""."""
    return [piece.reason for piece in pieces]


def members(*records: bytes) -> bytes:
    """Compress each record on its own, as crawlers do."""
    return b"".join(gzip.compress(each, mtime=0) for each in records)


@pytest.mark.parametrize(
    "pack", [members, lambda *r: gzip.compress(b"".join(r)), lambda *r: b"".join(r)]
)
def test_a_page_is_its_main_text_with_all_that_is_known_of_it(pack: object) -> None:
    """Members, one stream and plain bytes read the same; navigation is left out."""
    info = record("warcinfo", b"software: x\r\n", mime="application/warc-fields")
    stored = pack(info, record("request", b"GET / HTTP/1.1\r\n\r\n"), GOOD, WET)  # type: ignore[operator]
    pieces = read(stored)
    assert reasons(pieces) == ["warc_warcinfo", "warc_request", "", ""]
    web, wet = pieces[2:]
    assert PARAGRAPH.strip() in web.text
    assert "Home" not in web.text
    assert wet.text == (PARAGRAPH * 3).strip()
    assert (web.title, web.url, web.host, web.mime, web.http_status) == (
        "A bridge", "https://news.example/a?b=1", "news.example", "text/html", 200,
    )  # fmt: skip
    assert web.fetched == dt.datetime(2026, 11, 21, 3, 4, 5, tzinfo=dt.UTC)
    assert (web.external_id, web.encoding) == ("urn:uuid:1-2-3", "utf-8")
    assert (wet.http_status, wet.byte_start, wet.byte_end) == (
        None, wet.span.char_start, wet.span.char_end,
    )  # fmt: skip


def test_records_agree_with_another_reader() -> None:
    """An independent library finds as many records of the same lengths."""
    stored = members(GOOD, WET, GOOD)
    theirs = [each.content_length for each in ArchiveIterator(io.BytesIO(stored), parse_http=False)]
    assert theirs == [len(part.split(b"\r\n\r\n", 1)[1]) - 4 for part in (GOOD, WET, GOOD)]
    assert reasons(read(stored)) == [""] * len(theirs)


def _chunked(body: bytes, size: int = 100) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


HTML = "Content-Type: text/html"
CHUNKED = "Content-Type: text/html\r\nTransfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (response(_chunked(page()), CHUNKED), ""),
        (response(page(), CHUNKED), ""),
        (response(_chunked(page()).replace(b"\n64\r", b"\nf64\r", 1), CHUNKED), "bad_chunking"),
        (response(_chunked(page()).replace(b"\n64\r", b"\n63\r", 1), CHUNKED), "bad_chunking"),
        (response(_chunked(page())[:9], CHUNKED), "truncated_body"),
        (response(_chunked(page()).replace(b"\r\n64\r\n", b"\r\nzz\r\n"), CHUNKED), "bad_chunking"),
        (response(gzip.compress(page(), mtime=0), HTML + "\r\nContent-Encoding: gzip"), ""),
        (response(zlib.compress(page()), HTML + "\r\nContent-Encoding: deflate"), ""),
        (response(page(), HTML + "\r\nContent-Encoding: br"), ""),
        (response(brotli.compress(page()), HTML + "\r\nContent-Encoding: br"), ""),
        (response(_chunked(brotli.compress(page())), CHUNKED + "\r\nContent-Encoding: br"), ""),
        (response(zstandard.compress(page()), HTML + "\r\nContent-Encoding: zstd"), ""),
        (
            response(
                brotli.compress(gzip.compress(page(), mtime=0)),
                HTML + "\r\nContent-Encoding: gzip, br",
            ),
            "",
        ),
        (response(b"\0\1" * 99, HTML + "\r\nContent-Encoding: br"), "bad_content_encoding"),
        (response(b"\0\1" * 99, HTML + "\r\nContent-Encoding: zstd"), "bad_content_encoding"),
        (response(b"\0\1" * 99, HTML + "\r\nContent-Encoding: lz77"), "bad_content_encoding"),
        (response(page(), HTML + "\r\nContent-Encoding: none"), ""),
        (
            response(brotli.compress(bytes(1 << 20)), "Content-Encoding: br"),
            "record_too_long",
        ),
        (
            response(zstandard.compress(bytes(1 << 20)), "Content-Encoding: zstd"),
            "record_too_long",
        ),
        (response(page(), HTML + "\r\nContent-Encoding: gzip"), ""),
        (
            response(gzip.compress(bytes(1 << 20), mtime=0), "Content-Encoding: gzip"),
            "record_too_long",
        ),
        (response(b"\x89PNG", "Content-Type: image/png"), "not_text"),
        (response(b"words " * 9, "Content-Type: text/plain"), ""),
        (response(page(), "X: y"), ""),
        (response(b"", "Content-Type: text/html"), "no_text"),
        (response(b"<html><body><script>x()</script>"), "no_text"),
        (b"no response", "bad_http"),
        (response(b"<div>" * 10_000 + b"deep inside here" + b"</div>" * 10_000), ""),
    ],
)  # fmt: skip
def test_bodies_are_read_or_say_why_not(block: bytes, reason: str) -> None:
    """Chunks and compression are undone; a body that cannot be read costs its record alone."""
    pieces = read(WET + record("response", block) + WET, max_record_bytes=200_000)
    assert reasons(pieces) == ["", reason, ""]


CODED = CHUNKED + "\r\nContent-Encoding: "
CUT = page(PARAGRAPH + " ".join(f"{n * n:x}" for n in range(3000)))
ZSTD = zstandard.ZstdCompressor(write_checksum=True, write_content_size=False)


@pytest.mark.parametrize(
    "block",
    [
        response(_chunked(CUT)[:3000], CHUNKED),
        response(_chunked(CUT)[: 20 * 106], CHUNKED),
        response(_chunked(CUT)[: 20 * 106 + 2], CHUNKED),
        response(_chunked(CUT)[:-5], CHUNKED),
        response(gzip.compress(CUT, mtime=0)[:-4000], HTML + "\r\nContent-Encoding: gzip"),
        response(gzip.compress(CUT, mtime=0)[:-4], HTML + "\r\nContent-Encoding: gzip"),
        response(zlib.compress(CUT)[:-4000], HTML + "\r\nContent-Encoding: deflate"),
        response(zlib.compress(CUT)[2:-4000], HTML + "\r\nContent-Encoding: deflate"),
        response(brotli.compress(CUT, quality=1)[:-9], HTML + "\r\nContent-Encoding: br"),
        response(ZSTD.compress(CUT)[:-2], HTML + "\r\nContent-Encoding: zstd"),
        response(ZSTD.compress(CUT) + ZSTD.compress(CUT)[:3], HTML + "\r\nContent-Encoding: zstd"),
        response(_chunked(gzip.compress(CUT, mtime=0))[:-9], CODED + "gzip"),
    ],
)
def test_a_body_that_ends_early_is_published_and_marked(block: bytes) -> None:
    """The document is what there is, and a row in quarantine, at its end, says what is missing."""
    piece, other = read(record("response", block) + WET)
    assert PARAGRAPH.strip() in piece.text
    (row,) = inside(piece)
    end = piece.span.char_end
    assert (row.kind, row.reason) == ("quarantine", "truncated_body")
    assert (row.span.char_start, row.span.char_end) == (end, end)
    assert list(inside(other)) == []


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_whole_body_is_not_marked(coding: str) -> None:
    """However it is packed."""
    packed = {
        "gzip": gzip.compress(CUT, mtime=0), "deflate": zlib.compress(CUT),
        "br": brotli.compress(CUT), "zstd": ZSTD.compress(CUT[:900]) + ZSTD.compress(CUT[900:]),
    }[coding]  # fmt: skip
    (piece,) = read(record("response", response(_chunked(packed), CODED + coding)))
    assert PARAGRAPH.strip() in piece.text
    assert list(inside(piece)) == []


@pytest.mark.parametrize("behind", [b"", b"\n", gzip.compress(b"\n" * 99, mtime=0) * 50_000])
def test_all_members_of_a_gzip_body_are_read(behind: bytes) -> None:
    """Other bytes behind them do not matter, as to browsers."""
    packed = gzip.compress(CUT[:900], mtime=0) + gzip.compress(CUT[900:], mtime=0)
    head = HTML + "\r\nContent-Encoding: gzip"
    (piece,) = read(record("response", response(packed + behind, head)))
    assert PARAGRAPH.strip() in piece.text
    assert piece.text.endswith(f"{2999 * 2999:x}")
    assert not piece.cut
    (piece,) = read(record("response", response(packed[:-3000], head)))
    assert piece.cut


@pytest.mark.parametrize("cut", [0, 3])
def test_a_body_of_many_frames_is_read_in_time(cut: int) -> None:
    """The end of each frame is found without a copy of all behind it."""
    packed = ZSTD.compress(page()) + 300_000 * ZSTD.compress(b" ")
    packed = packed[: len(packed) - cut]
    (piece,) = read(record("response", response(packed, HTML + "\r\nContent-Encoding: zstd")))
    assert PARAGRAPH.strip() in piece.text
    assert bool(piece.cut) == bool(cut)


@pytest.mark.parametrize("kind", ["response", "conversion", "resource"])
def test_a_crawler_may_say_that_it_cut_a_page(kind: str) -> None:
    """What it says is in the row; a page of which nothing is left is refused."""
    mime = "text/plain" if kind != "response" else "application/http"
    bodies = [b"some words", b""] if kind != "response" else [response(page()), response(b"")]
    said = b"WARC-Truncated: length\r\nContent-Length"
    stored = [record(kind, b, mime=mime).replace(b"Content-Length", said, 1) for b in bodies]
    first, second = read(b"".join(stored))
    (row,) = inside(first)
    assert (first.kind, row.reason) == ("document", "truncated_body")
    assert "length" in row.detail
    assert (second.kind, second.reason) == ("quarantine", "truncated_body")


@pytest.mark.parametrize("charset", ["windows-1251", "gb18030", "shift_jis"])
def test_pages_are_decoded_by_header_or_content(charset: str) -> None:
    """The charset of the header counts; without one the bytes are looked at."""
    text = {"windows-1251": "Привет, мир. Мост починят. ", "gb18030": "今天天气很好，我们去公园。",
            "shift_jis": "今日は天気がよいので公園へ行きます。"}[charset]  # fmt: skip
    block = response(page(text, charset=charset), f"Content-Type: text/html; charset={charset}")
    (piece,) = read(record("response", block))
    assert text.strip() in piece.text


@pytest.mark.parametrize(
    ("middle", "found"),
    [
        (record("conversion", b"x" * 500, mime="text/plain", length=900), ["wrong_length"]),
        (record("conversion", b"x" * 500, mime="text/plain", length=100), ["wrong_length"]),
        (record("conversion", b"x" * 500, mime="text/plain", length=10**9), ["record_too_long"]),
        (b"WARC/1.0\r\nWARC-Type: response\r\n\r\nx\r\n\r\n", ["bad_warc_header"]),
        (b"WARC/1.0\r\nContent-Length: -5\r\n\r\nx\r\n\r\n", ["bad_warc_header"]),
        (b"WARC/1.0\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", ["bad_warc_header"]),
        (b"\0garbage\xff" * 9, ["garbage_between_records"]),
        (b"\r\n" * 100, []),
    ],
)
def test_damage_costs_its_record_alone(middle: bytes, found: list[str]) -> None:
    """Records before and after are kept whole, and the damaged span is one row."""
    pieces = read(GOOD + middle + WET + GOOD, max_record_bytes=100_000)
    assert reasons(pieces) == ["", *found, "", ""]


def test_a_truncated_file_keeps_what_came_before() -> None:
    """The last record is in quarantine when its end is missing."""
    for cut in (10, 100, 300, len(GOOD) - 5):
        pieces = read(WET + GOOD[:cut])
        assert reasons(pieces)[0] == ""
        assert len(pieces) == 2
        assert pieces[1].reason in {"truncated_record", "garbage_between_records"}


def test_a_damaged_member_costs_itself_alone() -> None:
    """Reading goes on at the next member; the stored bytes passed over are counted."""
    stored = [gzip.compress(GOOD, mtime=0) for _ in range(5)]
    broken = bytearray(stored[2])
    broken[40:60] = bytes(20)
    pieces = read(b"".join([*stored[:2], bytes(broken), *stored[3:]]))
    assert [piece.kind for piece in pieces].count("document") == 4
    (damage,) = [piece for piece in pieces if piece.stored_bytes]
    assert damage.reason == "corrupt_stream"
    assert 0 < damage.stored_bytes <= len(broken)
    assert reasons(pieces)[-2:] == ["", ""]


def test_garbage_between_members_costs_nothing_else() -> None:
    """Bytes that belong to no member are counted as unread, and all records are kept."""
    pieces = read(members(GOOD) + b"\x07not gzip" * 5 + members(WET))
    assert reasons(pieces) == ["", "garbage_tail", ""]
    assert pieces[1].stored_bytes == 45


RUSSIAN = "Сегодня в городе прошло заседание совета, на котором обсуждали ремонт моста. "


@pytest.mark.parametrize(
    ("label", "codec", "text", "known"),
    [
        ("iso-8859-1", "cp1252", "“Yes” — it’s the council’s bridge, she said. ", "windows-1252"),
        ("iso-8859-1", "utf-8", RUSSIAN, "utf-8"),
        ("utf-8", "cp1251", RUSSIAN, "windows-1251"),
        ("gb2312", "gbk", "镕基同志今天说，这项工程将于明年春季开工。", "gb18030"),
        ("euc-kr", "cp949", "똠방각하 펲시콜라, 오늘 시청에서 회의가 열렸다. ", "euc_kr"),
        ("Shift_JIS", "cp932", "①株式会社㈱の会議は今日の午後に行われた。", "shift_jis"),
        ("iso-8859-2", "iso-8859-2", "Šaty dělají člověka, říká staré přísloví. ", "iso-8859-2"),
        ("utf-16le", "utf-16-le", RUSSIAN, "utf-16-le"),
    ],
)
def test_a_charset_means_what_it_means_to_browsers(
    label: str, codec: str, text: str, known: str
) -> None:
    """Servers name standards and mean what vendors made of them; bytes that contradict win."""
    block = response(page(text).decode().encode(codec), f"Content-Type: text/html; charset={label}")
    (piece,) = read(record("response", block))
    assert text.strip() in piece.text
    assert (piece.encoding, piece.mojibake_repaired) == (known, False)


@pytest.mark.parametrize("label", ["zlib", "hex", "punycode", "undefined", "unicode_escape", "é"])
def test_a_charset_that_is_none_does_no_harm(label: str) -> None:
    """Names of other codecs are not believed; they ended the task."""
    pieces = read(record("response", response(page(), f"Content-Type: text/html; charset={label}")))
    assert PARAGRAPH.strip() in pieces[0].text


def test_what_a_page_says_of_its_charset_counts_before_a_guess() -> None:
    """A page whose bytes would be taken for another encoding says it itself."""
    body = page("Él niño. ").replace(b"<title>", b"<meta charset=iso-8859-2><title>")
    body = body.decode().encode("iso-8859-2", "replace")
    (piece,) = read(record("response", response(body, "Content-Type: text/html")))
    assert piece.encoding == "iso-8859-2"


def test_one_wrong_byte_of_a_page_is_one_wrong_character() -> None:
    """The rest of the page stays in its encoding."""
    body = page(RUSSIAN).replace("моста".encode(), "мост".encode() + b"\xd0", 1)
    (piece,) = read(record("response", response(body)))
    assert piece.text.count("\ufffd") == 1
    assert (piece.text.count("совета"), piece.encoding) == (5, "utf-8")


def test_records_without_blank_lines_between_them_are_records() -> None:
    """A length that leads to the start of the next record is right."""
    assert reasons(read(WET[:-4] * 3)) == ["", "", ""]


def test_a_page_that_shows_a_record_is_a_page() -> None:
    """A record that does not end where it says is an example, and the page is text."""
    shown = WET[: WET.index(b"\r\n\r\n") + 80].replace(b"\r", b"")
    stored = b"How a record looks:\n\n" + shown + b"\nIt goes on so.\n"
    reading = Reading(io.BytesIO(stored), IngestSettings(splitter="none"), size=len(stored))
    assert [piece.kind for piece in reading] == ["document"]
    assert reading.format == "text"


def test_records_behind_a_broken_first_one_are_found() -> None:
    """Other bytes at the start of a file do not make a page of it."""
    assert reasons(read(b"XX" + WET[2:] + WET + WET)) == ["garbage_between_records", "", ""]


@pytest.mark.parametrize("end", ["\r\n\r\n", "\r\nContent-Length: 100000\r\n\r\n", ""])
def test_records_that_begin_in_headers_are_read_once(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a storm of starts had all that follows for its header."""
    seen: list[int] = []

    def counted(raw: bytes) -> dict[str, str]:
        seen.append(len(raw))
        return header_fields(raw)

    monkeypatch.setattr("pipeline.ingest.warc.header_fields", counted)
    storm = b"WARC/1.0\r\nA:" * 4000 + end.encode()
    pieces = read(WET + storm + WET)
    assert [piece.kind for piece in pieces].count("document") == 2
    assert sum(seen) < 10_000
    assert "found the start of other records" in pieces[1].detail
    assert len(pieces) < 10  # a run of starts is one span
    whole = ["document", *["quarantine"] * 4, "document"]
    assert [piece.kind for piece in read(WET + b"WARC/1.0\r\nA:" * 4 + b"\r\n\r\n" + WET)] == whole


@pytest.mark.parametrize("count", [5, 6, 5460, 5465, 11_000])
def test_what_follows_a_run_of_starts_is_as_behind_its_last_ones(count: int) -> None:
    """Whatever is passed at once could not have been a record, wherever a block of it ends."""
    start = b"WARC/1.0\r\nA:"
    for behind in (WET[8:], b"\r\n\r\n", b" b" * 40_000, b""):
        alone = read(start * 4 + behind + WET)
        found = read(WET + start * count + behind + WET)
        texts = [piece.text for piece in alone if piece.text]
        assert [piece.text for piece in found if piece.text][1:] == texts
        assert len(found) < len(alone) + 5
