"""Encodings of text files without a mark, and mojibake inside well-encoded ones."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.decode import TextDecoder
from pipeline.ingest.encodings import codec_of, encoding_of
from pipeline.ingest.mojibake import repaired
from pipeline.ingest.reader import Reading
from pipeline.model.settings import IngestSettings

TEXTS = {
    "gb18030": "今天下午，市政府召开新闻发布会，介绍今年的经济工作情况。\n",
    "big5": "今天下午，市政府召開新聞發布會，介紹今年的經濟工作情況。\n",
    "shift_jis": "今日の午後、市役所は記者会見を開き、今年の経済について説明した。\n",
    "euc_jp": "今日の午後、市役所は記者会見を開き、今年の経済について説明した。\n",
    "euc_kr": "오늘 오후 시청에서 기자회견을 열고 올해 경제 상황을 설명했다.\n",
    "windows-1250": "Dziś po południu urząd miasta zwołał konferencję. Źródło: żółć, gęś.\n",
    "windows-1251": "Сегодня днём мэрия провела пресс-конференцию об экономике города.\n",
    "windows-1252": "Cet après-midi, la mairie a parlé du marché; c'était l'été à côté.\n",
    "windows-1253": "Σήμερα το απόγευμα ο δήμος έδωσε συνέντευξη για την οικονομία.\n",
    "windows-1254": "Bugün öğleden sonra belediye basın toplantısı düzenledi. Işıklar açıldı.\n",
    "windows-1255": "אחר הצהריים קיימה העירייה מסיבת עיתונאים על הכלכלה\n",
    "windows-1256": "عقدت البلدية بعد ظهر اليوم مؤتمرا صحفيا حول الاقتصاد\n",
    "windows-1257": "Šiandien popiet savivaldybė surengė spaudos konferenciją apie tiltą.\n",
    "windows-874": "บ่ายวันนี้เทศบาลจัดแถลงข่าวเรื่องเศรษฐกิจของเมือง และเปิดสะพานใหม่\n",
    "iso-8859-5": "Сегодня днём мэрия провела пресс-конференцию об экономике города.\n",
    "iso-8859-6": "عقدت البلدية بعد ظهر اليوم مؤتمرا صحفيا حول الاقتصاد\n",
    "ibm866": "Сегодня днём мэрия провела пресс-конференцию об экономике города.\n",
    "iso-2022-jp": "今日の午後、市役所は記者会見を開き、今年の経済について説明した。\n",
    "koi8-u": "Сьогодні вдень міська рада провела пресконференцію про її новий міст.\n",
    "koi8-r": "Сегодня днём мэрия провела пресс-конференцию об экономике города.\n",
    "utf-16-le": "No mark stands before this text.\n",
    "utf-16-be": "今日の午後、市役所は記者会見を開き、\n今年の経済について説明した。\n",
    "utf-8": "Grüße aus Köln, 世界, καλημέρα.\n",
}


def _read(stored: bytes) -> tuple[str, Reading]:
    settings = IngestSettings(splitter="none")
    reading = Reading(io.BytesIO(stored), settings, size=len(stored))
    texts = [piece.text for piece in reading if piece.kind == "document"]
    return "".join(texts), reading


@pytest.mark.parametrize("encoding", sorted(TEXTS))
def test_each_encoding_is_found_recorded_and_decoded(encoding: str) -> None:
    """The text comes out as it was written, without a wrong byte, and the encoding is named."""
    text = TEXTS[encoding] * 10
    found, reading = _read(text.encode(codec_of(encoding)))
    assert (reading.encoding, found) == (encoding, text.rstrip("\n"))
    assert reading.chars == len(text)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1250", "Dnes odpoledne uspořádala radnice tiskovou konferenci o novém mostě.\n"),
        ("windows-1250", "Ma délután a városháza sajtótájékoztatót tartott az új hídról, őszre.\n"),
        ("windows-1252", "Esta tarde la alcaldía habló de la construcción del puente en España.\n"),
        ("windows-1252", "À tarde a câmara falou sobre a construção da ponte e as ligações.\n"),
        ("windows-1254", "Belediye köprüyü güçlendirecek; çalışmalar şubatta başlıyor, dediler.\n"),
        ("windows-1257", "Šodien pēcpusdienā dome rīkoja preses konferenci par jauno tiltu.\n"),
        ("windows-1251", "Сьогодні вдень міська рада провела пресконференцію про новий міст.\n"),
    ],
)
def test_neighbours_of_an_encoding_are_told_apart(encoding: str, text: str) -> None:
    """Most bytes are letters in each of them: which letters stand together tells."""
    assert _read((text * 10).encode(encoding))[0] == (text * 10).rstrip("\n")


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", ["A text of some plain words.\n", "今天下午，市政府召开新闻发布会。\n"]
)
def test_wide_characters_need_no_mark(encoding: str, text: str) -> None:
    """Two or four bytes a character, in either order, are told by what they say."""
    found, reading = _read((text * 9).encode(encoding))
    assert (found, reading.encoding) == ((text * 9).rstrip("\n"), encoding)


@pytest.mark.parametrize(
    "stored",
    [
        b"plain text with one \xe9 and another \xe8 in it\n" * 2,
        ("Grüße aus Köln, schöne Tage. " * 10).encode() + b"\xff\xfe\xfd" * 5,
        b"A line.\n" * 30 + b"\xff" * 200,
        "世界".encode() * 40 + b"\xe4",
        b"\x1b[1mbold\x1b[0m and \x1b$ a prompt\n" * 9,
        b"",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
    ],
)
def test_a_few_wrong_bytes_do_not_make_another_encoding(stored: bytes) -> None:
    """Only text that contradicts UTF-8 plainly and reads well otherwise is anything else."""
    assert encoding_of(stored) == "utf-8"


_CHINESE = "今天下午，市政府召开新闻发布会。\n"


@pytest.mark.parametrize(
    ("stored", "encoding"),
    [
        (b"A line of plain words.\n" * 4000 + (_CHINESE * 40).encode("gb18030"), "gb18030"),
        (b"A line of plain words.\n" * 4000 + b"\xe9" * 40 + (_CHINESE * 40).encode(), "utf-8"),
        ((_CHINESE * 40).encode("gb18030")[1:], "gb18030"),
        ((_CHINESE * 40).encode("gb18030").replace(b"\xbd", b"\xff", 1), "gb18030"),
        (("Plain words. " * 40 + "x").encode("utf-16-le")[:-2] + b"\0\xd8" * 2, "utf-16-le"),
        ((_CHINESE * 40).encode("utf-32-be") + b"\xff" * 4, "utf-32-be"),
        ("Plain words \ud83d\ude00. ".encode("utf-8", "surrogatepass") * 9, "utf-8"),
    ],
    ids=["ascii", "wrong", "cut", "broken", "utf-16", "utf-32", "cesu-8"],
)
def test_a_part_of_a_file_does_not_hide_its_encoding(stored: bytes, encoding: str) -> None:
    """64 kB of ASCII, a first character that is cut, or a wrong one cost no more than themselves.

    Halves of characters, as Java writes them, are wrong bytes in UTF-8 and not words in another.
    """
    assert encoding_of(stored) == encoding


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Le cafÃ© est fermÃ©.", "Le café est fermé."),
        ("Il a dit : â€œnonâ€\x9d.", "Il a dit : “non”."),
        ("clean\nÃ‰tÃ© Ã\xa0 Paris\nclean", "clean\nÉté à Paris\nclean"),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет"),
        ("РџСЂРёРІРµС‚, РјРёСЂ", "Привет, мир"),
    ],
)
def test_mojibake_is_mended(text: str, expected: str) -> None:
    """Text that was decoded as Windows-1252 once too often is put right."""
    assert repaired(text) == expected


@pytest.mark.parametrize("text", ["NÃO", "Ångström", "世界 é", "âge", "AVIÃO “NÃO”", "x" * 100])
def test_clean_text_is_the_same_object(text: str) -> None:
    """What is right is not even copied."""
    assert repaired(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "今天下午，市政府召开新闻发布会，介绍了旧桥的维修计划。",
        "今日の午後、市役所は記者会見を開き、古い橋の修理計画について説明した。",
        "오늘 오후 시청은 기자회견을 열고 낡은 다리의 보수 계획을 설명했다.",
        "วันนี้สภาเทศบาลเมืองได้ประชุมเรื่องการซ่อมสะพานเก่า",
        "Сегодня в городе прошло заседание совета, обсуждали ремонт моста.",
        "عقد مجلس المدينة اليوم اجتماعا ناقش فيه إصلاح الجسر القديم.",
        "Le café est à côté de l'école.",
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "text", "csv"])
def test_utf_8_that_was_read_as_latin_1_is_mended(text: str, form: str) -> None:
    """It is full of control characters, which are mended before they would be left out."""
    spoiled = text.encode().decode("latin-1")
    stored = {
        "jsonl": json.dumps({"text": spoiled, "title": spoiled}, ensure_ascii=False) + "\n",
        "text": f"{spoiled}\n\n{spoiled}\n",
        "csv": f'id,title,text\n1,"{spoiled}","{spoiled}"\n',
    }[form].encode()
    found = list(Reading(io.BytesIO(stored), IngestSettings(splitter="none"), size=len(stored)))
    piece = found[-1]
    assert piece.text in {text, f"{text}\n\n{text}"}
    assert piece.title in {text, None}
    assert piece.mojibake_repaired


@pytest.mark.parametrize(
    "text",
    [
        "Рівне, Сільське господарство. СІСІ, С… Р… «С. Іваненко» Р—Н",
        "« Voilà\xa0», à\xa0«\xa0la\xa0» maison… l’été\xa0: où\xa0?",
        "С\xa0Новым годом! С\xa0«Газпромом» и С.\xa0Петров",
    ],
)
def test_typography_is_no_mojibake(text: str) -> None:
    """Letters that could begin a wrongly decoded one, before signs that could go on with it."""
    assert repaired(text) is text


def test_a_mended_document_says_so() -> None:
    """The flag follows the text, and the span stays that of the dumped characters."""
    stored = "Le cafÃ© est fermÃ©.\n".encode()
    reading = Reading(io.BytesIO(stored), IngestSettings(splitter="none"), size=len(stored))
    (piece,) = reading
    assert (piece.text, piece.mojibake_repaired) == ("Le café est fermé.", True)
    assert piece.span.char_end == reading.chars == len(stored.decode())


@given(st.data())
def test_damage_in_iso_2022_jp_costs_a_line_however_blocks_are_cut(data: st.DataObject) -> None:
    """Its decoder has a state: what is wrong in a line changes no other, and no cut changes any."""
    lines = [f"{number}行目、市役所は説明した。\n" for number in range(9)]
    stored = bytearray("".join(lines).encode("iso2022_jp"))
    at = data.draw(st.integers(0, len(stored) - 1))
    hurt = bytes(stored[:at]).count(b"\n")
    stored[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte not in b"\r\n"))
    size = data.draw(st.integers(1, 40))
    blocks = [bytes(stored[start : start + size]) for start in range(0, len(stored), size)]

    found = "".join(TextDecoder(blocks, "iso-2022-jp"))

    assert found == "".join(TextDecoder([bytes(stored)], "iso-2022-jp"))
    assert found.startswith("".join(lines[:hurt]))
    assert found.endswith("".join(lines[hurt + 2 :]))
