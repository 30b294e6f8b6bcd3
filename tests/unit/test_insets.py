"""Captions printed twice and image names are taken out of the text; verse never is."""

from __future__ import annotations

import pytest

from pipeline.ingest.insets import CAPTION, PARAGRAPH, SENTENCE, insets
from pipeline.ingest.pages import text_pieces
from pipeline.ingest.pieces import Piece, Span
from pipeline.ingest.splitters import resolve
from pipeline.model.settings import IngestSettings

PROSE = (
    "The pans were cut into the marsh when the river was moved, and they have been worked by " * 2
)
LONG = "The mayor of the town opens the new lock while the harbour master looks on."
SHORT = "The mayor opens the lock."
CHINESE = "市长在新船闸启用仪式上讲话,港务局长在一旁观看并记录下全部的讲话内容要点"
MORE = "In spring the sluices are opened, and what the winter has left is washed out of them. " * 2
assert len(LONG) >= SENTENCE > len(SHORT) >= CAPTION
assert len(PROSE) >= PARAGRAPH


def found(*lines: str, gap: str = "\n\n") -> list[tuple[str, str]]:
    """Return reason and first line of what is taken out of a document of these lines."""
    raw = gap.join(lines)
    return [
        (inset.reason, raw[inset.span.char_start : inset.span.char_end].strip())
        for inset in insets(raw, raw, at=Span(0, len(raw), 1, 1))
    ]


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "3c11974e151f0c172eb73606af6420fa.jpg", "IMG_0012.JPEG", "港口.png", "up/2024/x.webp",
     "  xyz_1234.jpg  ", "W020210518-01.gif", "a(1).tiff", "https://example.org/x/lock.avif"],
)  # fmt: skip
def test_an_image_name_alone_on_its_line_is_taken_out(name: str) -> None:
    """Whatever stands around it, and however it is indented."""
    assert found("Salt", PROSE, name, MORE) == [("image_name", name.strip())]


@pytest.mark.parametrize(
    "lines",
    [
        ["Save it as lock.jpg"], ["lock.jpg and more"], ["jpg"], [".jpg"], ["lock.jpg."],
        ["report.pdf"], ["index.html", "lock.jpg", "style.css"],
        ["a.jpg", "b.png", "c.gif", "readme.txt", "d.jpg"], ["lock\ufffd.jpg"],
        ["x" * 300 + ".jpg"],
    ],
)  # fmt: skip
def test_other_lines_are_no_image_names(lines: list[str]) -> None:
    """Sentences, other files, listings of files and damaged lines stay as they are."""
    assert found("Salt", PROSE, *lines, MORE, gap="\n") == []


def test_a_gallery_is_taken_out_name_by_name() -> None:
    """Image names beside image names are no listing."""
    assert [reason for reason, _ in found(PROSE, "a.jpg", "b.png", MORE)] == ["image_name"] * 2


@pytest.mark.parametrize(
    "lines",
    [
        [PROSE, LONG, LONG],
        [PROSE, CHINESE, CHINESE, "港口"],
        ["Salt", LONG, LONG, PROSE],
        [SHORT, "a.jpg", SHORT],
        ["a.jpg", SHORT, SHORT, "Salt"],
        ["Salt", SHORT, SHORT, "a.jpg"],
        ["Salt", "Photo: the lock at dusk", "Photo: the lock at dusk", "Salt"],
        ["Salt", "△ A corner of the salt pans", "△ A corner of the salt pans"],
        ["盐", "昨日港口新船闸开始启用 张三 摄", "昨日港口新船闸开始启用 张三 摄", "盐"],
        ["Salt", *["The new lock (photo courtesy of the port)"] * 2],
    ],
)  # fmt: skip
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\r\n \r\n"])
def test_the_second_copy_of_a_caption_is_taken_out(lines: list[str], gap: str) -> None:
    """A long one beside prose, or one that an image name or a credit gives away."""
    reasons = [reason for reason, _ in found("Titel", *lines, gap=gap) if reason != "image_name"]
    assert reasons == ["repeated_caption"]


VERSE = ["Row, row, row your boat", "Row, row, row your boat", "Gently down the stream",
         "Merrily, merrily, merrily, merrily", "Life is but a dream"]  # fmt: skip
LITANY = "O give thanks unto the Lord of lords, for his mercy endures for ever and ever, amen"


@pytest.mark.parametrize(
    "lines",
    [
        VERSE,
        ["Song", PROSE, *VERSE, PROSE],
        ["Psalm", *[LITANY] * 2, "To him who alone does great wonders, and made the heavens"],
        ["Psalm", PROSE, *[LITANY] * 3, PROSE],
        ["Psalm", PROSE, *[LITANY] * 2, PROSE, LITANY],
        ["Refrain", LITANY, "To him who alone does great wonders", LITANY, PROSE],
        ["Hymn", "\u98ce\u5439\u8349\u4f4e\u89c1\u725b\u7f8a"] * 2,
        [PROSE, "Applause.", "Applause.", PROSE],
        [PROSE, "* * *", "* * *", PROSE],
        [PROSE, "a.jpg", "*", "*", MORE],
        [PROSE, "a.jpg", PROSE * 2, PROSE * 2, MORE],
        [PROSE, f"{LONG}\ufffd", f"{LONG}\ufffd", PROSE],
        ["Salt", SHORT, SHORT, PROSE],
        [LONG, "Salt", LONG],
    ],
)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_verse_refrains_and_other_repetitions_stay(lines: list[str], gap: str) -> None:
    """What an author may have repeated is never taken out."""
    assert [reason for reason, _ in found(*lines, gap=gap) if reason != "image_name"] == []


def test_a_title_that_is_printed_twice_has_a_reason_of_its_own() -> None:
    """The first copy stays as the title and in the text."""
    assert found(LONG, LONG, PROSE) == [("repeated_title", LONG)]
    (piece,) = pieces(f"{LONG}\n{LONG}\n\n{PROSE}")
    assert (piece.title, piece.text) == (LONG, f"{LONG}\n{PROSE.strip()}")


def pieces(text: str) -> list[Piece]:
    """Read a page that is one article."""
    return list(text_pieces([text], IngestSettings(min_split_score=1), splitter=resolve("page")))


def test_spans_hold_the_line_and_the_blank_lines_behind_it() -> None:
    """They are places in the file, and no gap is left in the text."""
    before = f"The new lock\n\n{PROSE}\n\n"
    page = f"{before}  a.jpg\r\n\r\n{SHORT}\n\n {SHORT}\n \n{MORE}\n"
    (piece,) = text_pieces([page], IngestSettings(splitter="none"), splitter=resolve("none"),
                           start=100)  # fmt: skip
    assert piece.text == f"{before}{SHORT}\n\n{MORE}".replace(" \n", "\n").strip()
    assert [(inset.reason, inset.excerpt, inset.span) for inset in piece.insets] == [
        (
            "image_name",
            "  a.jpg\\x0d\\x0a\\x0d\\x0a",
            Span(100 + len(before), 111 + len(before), 5, 6),
        ),
        (
            "repeated_caption",
            f" {SHORT}\\x0a \\x0a",
            Span(138 + len(before), 167 + len(before), 9, 10),
        ),
    ]


def test_a_title_is_never_an_image_name() -> None:
    """An article that begins with its picture has the line behind it as its title."""
    assert pieces(f"lock_01.jpg\n\nThe new lock\n\n{PROSE}\n\n{MORE}")[0].title == "The new lock"
    assert pieces(f"lock_01.jpg\n\n{'salt ' * 80}\n\n{PROSE}")[0].title is None


def test_a_page_of_image_names_has_no_document() -> None:
    """There is no text to publish; the span says why."""
    (piece,) = pieces("a.jpg\n\nb.png\n")
    assert (piece.kind, piece.reason, piece.excerpt[:5]) == ("furniture", "image_name", "a.jpg")
    assert piece.insets == ()


def test_a_title_that_the_source_cut_is_kept_as_it_stands() -> None:
    """At 200 characters, in the middle of a word; the paragraph that begins with it stays whole."""
    lead = (
        "The harbour had been closed since the storm of October, and nobody had worked there. " * 4
    )
    title = lead[:200]
    (piece,) = pieces(f"{title}\n\n{lead.strip()}\n\n{PROSE}")
    assert (piece.title, piece.insets) == (title, ())
    assert piece.text == f"{title}\n\n{lead.strip()}\n\n{PROSE.strip()}"
