"""Which lines belong to the site."""

from __future__ import annotations

import pytest

from pipeline.ingest.split_furniture import LONGEST, furniture_reason


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
