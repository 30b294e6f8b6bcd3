"""Mails, boxes of mails and saved web pages: what is shown is a document, the rest is not."""

from __future__ import annotations

import datetime as dt
import gzip
from email.message import EmailMessage

import pytest

from pipeline.ingest.formats import container_kind
from pipeline.ingest.pieces import Piece
from pipeline.model.settings import IngestSettings
from tests.bad_inputs import make
from tests.reading import read_whole

STORY = make.story(1).strip()


PLAIN = (
    b"From: Ann Lee <a@x.example>\nSubject: The bridge\n\tof the town\n"
    b"Date: Tue, 12 Mar 2024 10:00:00 +0100\n\nThe council met.\nIt said so.\n"
)


def read(stored: bytes, **settings: int) -> list[Piece]:
    """Read a file, closing its books and checking that its spans tile it."""
    options = IngestSettings(splitter="none", **settings)  # type: ignore[arg-type]  # a table
    return read_whole(stored, options, kind="mail")


def mail(text: str = STORY, subject: str = "Die Brücke") -> EmailMessage:
    """Return a mail in plain text."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <a@x.example>", "b@x.example", subject
    message["Date"], message["Message-ID"] = "Tue, 12 Mar 2024 10:00:00 +0100", "<1@x.example>"
    message.set_content(text, cte="base64")
    return message


def saved(*parts: tuple[str, bytes]) -> bytes:
    """Return a web page as browsers save it."""
    head = (
        b"From: <Saved by Blink>\r\nSnapshot-Content-Location: https://n.example/a\r\n"
        b"Subject: =?utf-8?Q?The=20bridge=20=E2=80=93=20news?=\r\n"
        b"Date: Tue, 12 Mar 2024 10:00:00 -0000\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/related;\r\n\ttype=text/html;\r\n\tboundary=--b--x\r\n\r\n\r\n"
    )
    body = b"".join(
        b"----b--x\r\nContent-Type: %s\r\nContent-Location: https://n.example/a\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\n%s\r\n" % (kind.encode(), content)
        for kind, content in parts
    )
    return head + body + b"----b--x--\r\n"


def test_a_mail_is_its_text_with_what_its_header_says() -> None:
    """Codings are undone, of the text and of the header."""
    (piece,) = read(mail("Grüße. " + STORY).as_bytes())
    assert piece.text == "Grüße. " + STORY
    assert (piece.title, piece.published) == ("Die Brücke", dt.date(2024, 3, 12))
    assert (piece.external_id, piece.mime, piece.encoding) == ("1@x.example", "text/plain", "utf-8")
    assert (piece.published_rule, piece.url, piece.cut) == ("record", None, "")


@pytest.mark.parametrize(
    ("subject", "charset", "stored"),
    [
        ("Grüße", "utf-8", "utf-8"), ("Grüße", "iso-8859-1", "latin-1"),
        ("Grüße", "iso-8859-1", "utf-8"), ("Мост закрыт", "koi8-r", "koi8-r"),
        ("Grüße =?utf-8?B?4oCT?= Köln – 9", "us-ascii", "utf-8"),
        ("C:\\users =?utf-8?B?4oCT?= C:\\users", "us-ascii", "utf-8"),
    ],
)  # fmt: skip
def test_a_subject_may_hold_raw_characters(subject: str, charset: str, stored: str) -> None:
    """They are in the charset of the text, or in UTF-8."""
    head = f"MIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\nSubject: {subject}\n\n"
    (piece,) = read(head.encode(stored) + STORY.encode())
    assert piece.title == subject.replace("=?utf-8?B?4oCT?=", "–")


@pytest.mark.parametrize("broken", [b"\xff", b"!!", b"", b"="])
def test_a_broken_line_of_base64_costs_itself(broken: bytes) -> None:
    """What stands in front of it and behind it is read."""
    stored = mail("\n".join(f"Line {n} of a text." for n in range(99))).as_bytes()
    at = stored.index(b"\n", stored.index(b"\n\n") + 800) + 30
    (piece,) = read(stored[:at] + broken + stored[at + 1 :])
    found = [f"Line {n} of a text." in piece.text for n in range(99)]
    assert found.count(False) <= 4
    assert found[0]
    assert found[-1]


def test_a_mail_that_is_no_text_is_refused() -> None:
    """Its coding says otherwise than its bytes."""
    head, _, _ = mail().as_bytes().partition(b"\n\n")
    (piece,) = read(head + b"\n\n" + STORY.encode())
    assert piece.kind == "quarantine"
    assert piece.reason == "undecodable"


def test_of_alternatives_the_last_is_read_and_attachments_are_not() -> None:
    """A mail with its text twice, a picture and a file is one document."""
    message = mail("plain")
    message.add_alternative(make.page(2).decode(), subtype="html")
    message.add_attachment("a file", filename="a.txt")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png")
    (piece,) = read(message.as_bytes())
    assert piece.text == make.story(2).strip()


def test_an_alternative_without_text_is_none() -> None:
    """Programs write an empty page beside the text, or an invitation."""
    message = mail()
    message.add_alternative("<html><body><img src='x'> </body></html>", subtype="html")
    message.add_alternative("BEGIN:VCALENDAR", subtype="calendar")
    (piece,) = read(message.as_bytes())
    assert piece.text == STORY


@pytest.mark.parametrize(("said", "wrong"), [(b"boundary=", b"bound="), (b'="=', b'="X')])
def test_a_mail_whose_parts_cannot_be_told_is_refused(said: bytes, wrong: bytes) -> None:
    """It has text, so it is no furniture."""
    message = mail()
    message.add_alternative(make.page(2).decode(), subtype="html")
    (piece,) = read(message.as_bytes().replace(said, wrong, 1))
    assert (piece.kind, piece.reason) == ("quarantine", "truncated_body")


def test_a_saved_page_is_its_main_text() -> None:
    """Its address is known; the day on which it was saved is not its date. Frames are not read."""
    stored = saved(("text/html", make.page(3)), ("text/css", b"p {}"), ("text/html", make.page(4)))
    (piece,) = read(stored)
    assert piece.text == make.story(3).strip()
    assert (piece.title, piece.url, piece.published) == (
        "The bridge – news", "https://n.example/a", None,
    )  # fmt: skip


def test_a_message_that_the_end_cuts_is_marked() -> None:
    """What there is of its text is read."""
    stored = saved(("text/html", make.page(3)), ("image/png", b"x" * 999))
    (piece,) = read(stored[:-500])
    assert piece.text == make.story(3).strip()
    assert piece.cut


def box(count: int) -> list[bytes]:
    """Return the mails of a box."""
    return [
        b"From a@x.example Tue Mar 12 10:00:00 2024\n"
        + mail(f"Words {n}.\n\nFrom here on\nit goes on.").as_bytes() + b"\n"
        for n in range(count)
    ]  # fmt: skip


def test_mails_of_a_box_are_documents() -> None:
    """Each has its bytes; one that is too long costs itself."""
    mails = [
        *box(3),
        *(m.replace(b"Subject: ", b"X: " + b"y" * 9999 + b"\nSubject: ") for m in box(1)),
    ]
    pieces = read(b"".join([*mails, *box(1)]), max_record_bytes=5000)
    assert [piece.text[:7] or piece.reason for piece in pieces] == [
        "Words 0", "Words 1", "Words 2", "record_too_long", "Words 0",
    ]  # fmt: skip
    assert [piece.span.line_start for piece in pieces] == [1, 2, 3, 4, 5]
    assert pieces[1].span.char_start == len(mails[0])


def test_a_line_of_a_text_begins_no_mail() -> None:
    """A line "From" above a mail has a time and a year; what a writer quotes has none."""
    text = b"\nFrom the desk of Ann\nFrom: Ann\nTo: all\n\nWe met.\n"
    first, second = read(box(1)[0].replace(b"\n\n", b"\n\nx", 1) + text + box(1)[0])
    assert second.text.startswith("Words 0")
    assert first.span.char_end == second.span.char_start


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n\r\n", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("broken", [b"To b@x.example", b"\xff", b">From a 12", b"To: b\0@x"])
def test_a_broken_line_of_a_header_costs_itself(broken: bytes, before: bytes) -> None:
    """So do bytes before a mail."""
    stored = before + mail().as_bytes().replace(b"To: b@x.example", broken)
    (piece,) = read(stored)
    assert (piece.text, piece.title, piece.cut) == (STORY, "Die Brücke", "")


@pytest.mark.parametrize("first", [b"Xrom a@x.example Tue Mar 12 10:00:00 2024\n", b"\xff\0\n"])
def test_a_broken_first_line_costs_no_box(first: bytes) -> None:
    """Those of the other mails tell that it is one; old mails in it are no MIME."""
    old = b"From: a@x.example\nDate: Tue, 12 Mar 2024 10:00:00 +0000\nSubject: Words\n\nWords\n"
    mails = [first + old, *(box(1)[0].split(b"\n")[0] + b"\n" + old for _ in range(2))]
    pieces = read(b"".join(mails))
    assert [piece.text for piece in pieces] == ["Words"] * 3


@pytest.mark.parametrize(("depth", "part"), [(1, "\n--b0\n\nx"), (150, "\nx"), (300, "\rx")])
def test_a_mail_of_more_parts_than_is_reasonable_is_refused(depth: int, part: str) -> None:
    """Half a gigabyte of memory, or half a minute, is no price for a mail."""
    kind = "Content-Type: multipart/mixed; boundary="
    head = f"MIME-Version: 1.0\n{kind}b0\n\n"
    inner = "".join(f"--b{n}\n{kind}b{n + 1}\n\n" for n in range(depth))
    (piece,) = read((head + inner + part * 900_000).encode())
    assert (piece.kind, piece.reason) == ("quarantine", "record_too_long")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "koi8-r"]
)
def test_a_plain_mail_is_read_however_its_characters_are_stored(encoding: str, end: str) -> None:
    """With a byte order mark or without; lines may end as those of old Macs do."""
    text = PLAIN.decode().replace("met", "met. " + "Совет собрался у моста. " * 9)
    stored = text.replace("\n", end).encode(encoding)
    (piece,) = read(stored)
    assert piece.text.splitlines()[1] == "It said so."
    assert piece.text.count("Совет собрался у моста") == 9
    assert (piece.title, piece.published) == ("The bridge of the town", dt.date(2024, 3, 12))
    assert piece.encoding == {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    assert (piece.span.char_start, piece.span.char_end) == (0, len(stored))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_page_that_begins_like_a_mail_is_read(encoding: str) -> None:
    """One that is longer than a mail may be was refused whole; with MIME it is a mail."""
    page = PLAIN.decode() + "A sentence of the page that goes on.\n\n" * 60_000
    settings = IngestSettings(splitter="none", max_record_bytes=1_500_000)
    pieces = read_whole(page.encode(encoding), settings, kind="text")
    assert sum(piece.text.count("that goes on") for piece in pieces) == 60_000
    mime = f"MIME-Version: 1.0\nContent-Type: text/plain\n{page}"
    (piece,) = read_whole(mime.encode(encoding), settings, kind="mail")
    assert piece.reason == "record_too_long"


def test_a_broken_first_header_costs_no_box() -> None:
    """All mails behind it were one page of text."""
    line, _, rest = box(1)[0].partition(b"\n")
    pieces = read(b"".join([line, b"\n" + b"no header\n" * 9, rest, *box(3)]))
    assert [piece.reason for piece in pieces] == ["truncated", "", "", ""]


def test_blank_lines_above_a_box_are_no_mail() -> None:
    """They were said to be a part of one."""
    pieces = read(b"\n\r\n\n" + b"".join(box(3)))
    assert [piece.reason for piece in pieces] == ["blank_line", "", "", ""]


def test_a_mail_in_utf16_may_say_what_it_was_before() -> None:
    """Programs that write it anew leave its header; what is coded in it is as it was."""
    head = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    coded = (
        "Content-Type: text/plain; charset=koi8-r\nContent-Transfer-Encoding: base64\n\n8sXLwQ==\n"
    )
    plain = "Content-Type: text/plain; charset=koi8-r\n\nРека\n"
    (piece,) = read(f"{head}--b\n{coded}--b\n{plain}--b--\n".encode("utf-16"))
    assert piece.text == "Река\n\nРека"


def test_mails_of_a_box_with_line_ends_of_cr_are_documents() -> None:
    """Also behind damage."""
    stored = b"".join(box(6)).replace(b"\n", b"\r")
    assert len(read(stored)) == 6
    parts = [gzip.compress(part, mtime=0) for part in (stored[:900], stored[900:])]
    assert sum(piece.kind == "document" for piece in read(parts[0] + b"tail" + parts[1])) >= 5


def test_a_mail_before_a_garbage_tail_is_whole() -> None:
    """Bytes behind the last member cut nothing; a member that was lost may hold the rest."""
    stored = gzip.compress(mail().as_bytes())
    whole, tail = read(stored + b"tail")
    assert (whole.cut, tail.reason, tail.stored_bytes) == ("", "garbage_tail", 4)
    first, lost, second = read(stored + b"tail" + stored)
    assert (first.cut != "", lost.reason, second.kind) == (True, "garbage_tail", "document")


def test_the_rest_of_a_mail_behind_damage_is_no_text() -> None:
    """The mails behind it are read."""
    stored = b"".join(box(6))
    cuts = [stored[:900], stored[900:1000], stored[1000:]]
    parts = [gzip.compress(part, mtime=0) for part in cuts]
    pieces = read(parts[0] + make.holed(parts[1], 12, 30) + parts[2])
    assert "corrupt_stream" in [piece.reason for piece in pieces]
    assert [piece.text[:7] for piece in pieces if piece.kind == "document"][-1] == "Words 5"
    assert all(piece.text.startswith("Words") for piece in pieces if piece.kind == "document")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"From: Ann\nSubject: A bridge\nDate: today\n\nThe council met.\n", ""),
        (b"From here on\nNote: it is text\nDate: 12\n\nThe council met.\n", ""),
        (b"A mail has MIME-Version: 1.0\nContent-Type: text/plain\n\nand so on\n", ""),
        (b"MIME-Version: 1.0\nContent-Type: text/plain\n\nwords\n", "mail"),
        (
            b"Received: by x\r\n\tfor y\r\nmime-version: 1.0\r\ncontent-type: text/html\r\n\r\n",
            "mail",
        ),
        (b"From a Tue Mar 12 10:00:00 2024\nFrom: a\nDate: 12\n\nwords\n", "mail"),
        (b"From our correspondent\nFrom: Ann Lee\nDate: today\n\nThe council met.\n", ""),
        (PLAIN, "mail"),
        (PLAIN.replace(b"Tue, 12 Mar 2024 10:00:00", b"Tuesday, 12-Mar-24 10:00:00"), "mail"),
        (PLAIN.replace(b"Tue, 12 Mar 2024 10:00:00", b"Tue Mar  2 10:00:00 2024"), "mail"),
        (PLAIN.replace(b"Date: ", b"Lines: 1\nOther: "), "mail"),
        (PLAIN.replace(b"Date: ", b"Other: "), ""),
        (PLAIN.replace(b"Tue, 12 Mar 2024 10:00:00", b"March 12, 2024"), ""),
        (PLAIN.replace(b"Tue, 12 Mar 2024", b"Tuesday, March 12, 2024"), ""),
        (PLAIN.replace(b"<a@x.example>", b""), ""),
        (PLAIN.replace(b"Subject: ", b"a line\nSubject: "), ""),
        (PLAIN.replace(b"\n\n", b"\n"), ""),
        (b"From: a@x.example\nDate: Tue, 12 Mar 2024 10:00:00\n\nwords\n", ""),
        (b"Letters\n\n" + PLAIN, ""),
        (b"\n" + PLAIN, ""),
    ],
)
def test_mails_are_told_from_pages(head: bytes, kind: str) -> None:
    """A page that begins like a letter is a page."""
    assert container_kind(head) == kind


@pytest.mark.parametrize(
    "said",
    [
        b"Subject: =?no-such?B?////?=", b"Subject: =?utf-8?B?a?=", b"Subject: \xff\xfe\x80",
        b"Date: 99 Foo 99999", b"Date: Tue, 12 Mar 99999 10:00:00", b"Content-Type: ;;;",
        b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: x-uuencode",
        b"Content-Type: text/plain; charset*0=\xff*", b"Content-Disposition: \xff",
        b"Content-Type: text/plain; charset*=utf-8''utf-8", b"Content-Type: text/plain; charset=\0",
        b"Content-Type: text/plain; charset*=\0''x", b"Content-Type: text/plain; charset=idna",
        b"Content-Type: text/plain; charset=idna\nContent-Transfer-Encoding: base64",
        b"Content-Type: multipart/mixed; boundary*=\0''b", b"Content-Disposition: x; a*=\0''b",
    ],
)  # fmt: skip
def test_a_header_that_is_wrong_does_no_harm(said: bytes) -> None:
    """Whatever it says, the message is read or refused."""
    plain = b"Content-Type: text/plain\n" if b"Content-Type" not in said else b"Content-Type: x\n"
    text = b"\n--b\n\n" + STORY.encode() + b" Gr\xfc\xdfe\n--b--\n"
    (piece,) = read(b"MIME-Version: 1.0\n" + said + b"\n" + plain + text)
    assert piece.kind == "document" or piece.reason in {"not_text", "undecodable"}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_mails_of_a_box_in_utf16_are_documents(encoding: str, end: str) -> None:
    """It was one mail with all others as its text; a byte that is lost costs its mail."""
    lines = [part.decode().replace("\n", end) for part in box(6)]
    stored = "".join(lines).encode(encoding)
    pieces = read(stored)
    assert [piece.text for piece in pieces] == [piece.text for piece in read(b"".join(box(6)))]
    assert {piece.encoding for piece in pieces} == {encoding if encoding[6:] else "utf-16-le"}
    starts = [len("".join(lines[:at]).encode(encoding)) for at in range(1, 6)]
    assert [piece.span.char_start for piece in pieces[1:]] == starts
    lost = (starts[1] + starts[2]) // 2
    after = read(stored[:lost] + stored[lost + 1 :])
    assert [piece.text for piece in after][:2] == [piece.text for piece in pieces][:2]
    assert [piece.text for piece in after][3:] == [piece.text for piece in pieces][3:]


def test_mails_in_utf16_behind_damage_are_documents() -> None:
    """So are those behind one that is too long; what is said of the encoding is kept."""
    parts = [part.decode() for part in box(6)]
    stored = [gzip.compress(part.encode("utf-16-le")) for part in parts]
    stored[2] = make.holed(stored[2], 12)
    assert sum(piece.kind == "document" for piece in read(b"".join(stored))) == 5
    parts[2] += "A line of the mail.\n" * 5000
    pieces = read("".join(parts).encode("utf-16"), max_record_bytes=50_000)
    assert [piece.reason for piece in pieces] == ["", "", "record_too_long", "", "", ""]
