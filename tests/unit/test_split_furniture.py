"""Which lines belong to the site."""

from __future__ import annotations

import pytest

from pipeline.ingest.split_furniture import LONGEST, furniture_reason, is_weak
from pipeline.ingest.split_phrases import kinds, languages, of_language, phrases


@pytest.mark.parametrize(
    "line",
    [
        "Category archives: Coast and harbour",
        "Archive for March 2021",
        "  Posts tagged harbour",
        "标签归档:某地见闻",
        "分类：体育",
        "タグアーカイブ: 港",
        "Рубрика: Порт",
        "Archivo de la categoría: Puerto",
        "أرشيف الوسم: ميناء",
        "Tag: harbour",
    ],
)
def test_headings_of_archives(line: str) -> None:
    """The heading of an archive is furniture before the text, in many languages."""
    assert furniture_reason(line, opens=True) == "archive_heading"


@pytest.mark.parametrize(
    "line",
    [
        "Read more »",
        "NEXT PAGE",
        "[Continue reading]",
        "上一篇：码头重新开放",
        "阅读全文 > > >",
        "続きを読む",
        "더 보기",
        "Читать далее…",
        "Lire la suite →",
        "اقرأ المزيد",
        "อ่านต่อ",
        "Follow us on every network there is",
        "Share on WhatsApp",
        "Compartir en Telegram",
        "分享到微信朋友圈",
        "Читайте также:",
        "Lesen Sie auch",
        "Навигация по записям",
        "← Articles plus anciens",
        "Previous page 1 2 3 … 39 Next page",
        "共39页 首页 上一页 1 2 3 下一页 尾页",
        "84 comments",
        "Zum Inhalt springen",
        "Scan the QR code to follow the harbour and get more fresh information",
        "0 comments | Add to favorites | Share",
        "Share to: WeChat Weibo Qzone",
        "COMPARTIR EN:  Facebook  |  Correo  |  Imprimir",
        "Home > Tags > Harbour",
        "Startseite » Rathaus » Bekanntmachungen",
        "Главная / Новости / Порт",
        "当前位置：首页 > 新闻",
        "Next: The ferry that came late",
        "下一篇：没有了",
        "Pos-pos lebih lama",
        "Старіші записи",
        "過去の投稿 →",
        "Kommentare sind geschlossen.",
        "Deja un comentario",
        "댓글 남기기",
        "Yazı gezinmesi",
        "Bizi takip edin: Telegram | X",
        "This entry was posted in Harbour news and tagged ferry on May 3, 2021 by admin.",
        "Dieser Beitrag wurde unter Hafen abgelegt und mit Fähre verschlagwortet.",
    ],
)
@pytest.mark.parametrize("opens", [True, False])
def test_navigation(line: str, *, opens: bool) -> None:
    """Navigation and follow prompts are furniture before and after a text."""
    assert furniture_reason(line, opens=opens) == "navigation"


@pytest.mark.parametrize(
    "line",
    [
        "Read more books, said the librarian",
        "Next page of our history: the harbour opens",
        "Share on the harbour company's profits: what owners may expect",
        "Lesen Sie auch, was der Hafenmeister dazu sagt",
        "Im nächsten Beitrag: wie der Hafen wuchs",
        "Tag der offenen Tür im Hafen",
        "Category: what the word means, and to whom",
        "(Reporter: Ellen Marsh)",
        "More",
        "…",
        "12",
        "第12条",
        "Home / Away",
        "Contact: 0571-88 12 34",
        "Telegram: 12345",
        "",
        "Archive for " + "x" * LONGEST,
    ],
)
def test_what_may_be_text_stays(line: str) -> None:
    """After a text only certain navigation is furniture; labels and credits are the article's."""
    expected = "navigation" if line == "More" else None

    assert furniture_reason(line, opens=False) == expected


@pytest.mark.parametrize(
    "line",
    [
        "Zpět na seznam dokumentů",
        "Tisk | Poslat e-mailem | RSS",
        "Seite drucken | Seite empfehlen | Nach oben",
        "<< Älterer Beitrag   Neuerer Beitrag >>",
        "Share to: WeChat QQ space Sina Weibo",
        "Like Loading...",
        "Home | About us | Catalog | Payment and delivery | Contacts",
        "Entradas más recientes    Página principal    Entradas antiguas",
        "मुख्य पृष्ठ » पुरालेख » फ़रवरी 2015",
        "ツイート シェア はてブ LINEで送る",
        "▲このページの先頭へ",
        "페이스북 공유하기   트위터 공유하기",
        "Deel dit artikel:  Facebook  Twitter  LinkedIn  Mail",
        "Tipsa en vän",
        "แชร์เรื่องนี้ Facebook Twitter LINE",
        "In trang này | Gửi email | Về đầu trang",
        "Chia sẻ: Facebook  Zalo  Google+",
        "پیوند: مطلب قبلی: گزارش بندر",
        "نسخه چاپی",
        "نسخه چاپی | ارسال به دوستان",
        "【打印本页】【关闭窗口】",
        "打印　收藏　分享到：微信　微博",
        "[Print] [Close]",
        "Facebook · Twitter · Instagram",
        "Publié dans Chansons | Laisser un commentaire",
        "YAZDIR | PAYLAŞ",
        "İLETİŞİM | ANA SAYFA",
        "ΑΡΧΙΚΗ | ΕΠΙΚΟΙΝΩΝΙΑ",
    ],
)
@pytest.mark.parametrize("opens", [True, False])
def test_rows_of_many_languages(line: str, *, opens: bool) -> None:
    """Cells of known words are a row, however they are divided and whatever their language."""
    assert furniture_reason(line, opens=opens) == "navigation"


@pytest.mark.parametrize(
    "line",
    [
        "1 2 3 ... 18 Next »",
        "« Anterior  1  2  3  4  Siguiente »",
        "1 2 3 4 5",
        "[1] [2] [3] … [12]",
        "Sida 4 av 31",
        "第 3 页 共 12 页",
        "上一页 1 2 3 4 5 下一页",
    ],
)
def test_pagination(line: str) -> None:
    """Numbers each of which is the next are pages, with known words beside them or without."""
    assert furniture_reason(line, opens=False) == "navigation"


@pytest.mark.parametrize(
    "line",
    [
        "Copyright © 2023 The Harbour Times. Powered by WordPress.",
        "© 2019 Hafenblatt. Alle Rechte vorbehalten.",
        "All rights reserved.",
        "Harbour Times 2021. All rights reserved",
        "Proudly powered by WordPress",
        "Dumnie wspierane przez WordPress",
        "版权所有",
    ],
)
def test_imprints(line: str) -> None:
    """Whose a site is and what it runs on is furniture, if the line says nothing else."""
    assert furniture_reason(line, opens=False) == "navigation"


@pytest.mark.parametrize(
    "line",
    [
        "Archivo del mes: noviembre 2014",
        "Monatsarchiv: November 2014",
        "Mostrando postagens com marcador porto. Mostrar todas as postagens",
        "liman etiketine sahip kayıtlar gösteriliyor. Tüm kayıtları göster",
        "ラベル 港 の投稿を表示しています。 すべての投稿を表示",
    ],
)
@pytest.mark.parametrize("opens", [True, False])
def test_headings_of_lists(line: str, *, opens: bool) -> None:
    """What only software says of the articles that it lists is furniture on either side."""
    assert furniture_reason(line, opens=opens) == "archive_heading"


@pytest.mark.parametrize(
    "line",
    [
        "3 7 12 25 31 44",
        "1. ....................   2. ....................   3. ....................",
        "112 páginas",
        "2021-09-14 09:32 조회수: 4,817",
        "Home delivery",
        "Products | Services",
        "Index / Unit / 2019 / 2020 / 2021",
        "Powered by wind, the boats sail again",
        "© 2019 AFP",
        "Photo: Facebook",
        "All rights reserved, says the band, and means it",
        "A cikk eredetileg a nyomtatott lap 5. oldalán jelent meg. © Minden jog fenntartva",
        "Archivado en: Conservas, Huelgas, Pesca",
        "Etiquetas: madre, poesía, trabajo",
        "Posted by Iris Calloway in Field notes | 23 comments",
        "Older people: what they need",
        "Más información",
        "Next up",
        "Del X",
        "(Fin)",
        "Home is where the harbour is",
    ],
)
@pytest.mark.parametrize("opens", [True, False])
def test_what_looks_like_a_row_stays(line: str, *, opens: bool) -> None:
    """Numbers, tags, credits and words that mean something by themselves are the article's."""
    assert furniture_reason(line, opens=opens) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Imprimer", True),
        ("Facebook", True),
        ("Skriv ut", True),
        ("Nahoru", True),
        ("[Home]", True),
        ("© 2019 The Harbour Times", True),
        ("Facebook Twitter", True),
        ("", False),
        ("X", False),
        ("12", False),
        ("END", False),
        ("12. Contact", False),
        ("Print!", False),
        ("Harbour", False),
        ("Print " * LONGEST, False),
    ],
)
def test_weak_lines(line: str, *, expected: bool) -> None:
    """Single words of menus are furniture beside other furniture, too little by themselves."""
    assert is_weak(line) is expected


def test_phrases_are_sorted_by_language() -> None:
    """A language's phrases come with those that are of none; kinds that lack it have those only."""
    assert "tweet on" in of_language("shares", "en")
    assert of_language("networks", "de") == of_language("networks", "und")
    assert of_language("networks", "und") == of_language("networks", "xx")
    assert "skriv ut" in of_language("menus", "sv")
    assert "skriv ut" not in of_language("menus", "de")
    assert {"drucken", "skriv ut"} <= phrases("menus")


@pytest.mark.parametrize("kind", kinds())
def test_phrases_are_tidy(kind: str) -> None:
    """Phrases are in small letters, none is blank, none stands twice in a language."""
    for language in languages(kind):
        listed = of_language(kind, language)
        own = listed if language == "und" else listed[: -len(of_language(kind, "und")) or None]
        assert len(set(own)) == len(own)
        assert all(phrase.strip() and phrase == phrase.lower() for phrase in own)
