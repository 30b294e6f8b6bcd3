"""What editors and scrapers do to an article before it reaches a page.

Holds: `altered`, `relaid`. Pure functions of a random generator or a seed. Not here: how a site
prints an article (`printing.py`), which articles stand on a page (`written.py`).

A quotation from the text becomes the title and the title the deck under it; above a title stands
what sort of article it is; a title is lost, and what is left begins with a date that a template
printed; lines that name other articles stand between the paragraphs. Each is rare, and each makes
beginnings, or lines that look like them, that no other part of an article resembles. A page loses
what tells its sites apart where one scraper sets all of its lines alike.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Final

import msgspec
from pages import GeneratedPage
from shelves import WrittenArticle

QUOTED: Final = 0.07
"""Share of the articles with a quotation that have it as their title."""
UNTITLED: Final = 0.05
"""Share of the titles that are lost."""
DATED: Final = 0.6
"""Share of those articles that begin with a date instead."""
KICKED: Final = 0.07
"""Share of the articles above whose title stands what sort of article it is."""
LINKED: Final = 0.08
"""Share of the articles with lines that name others between their paragraphs."""
CALLED: Final = 0.04
"""Share of the titles that are but their first words."""
RELAID: Final = 0.3
"""Share of the pages whose lines are all set alike."""
JOINED: Final = 0.12
"""Share of the pages without a blank line before any article."""
GAPS: Final = ((0, 0), (0, 0), (0, 1), (1, 0), (1, 1), (1, 1), (1, 2), (2, 2))
"""Blank lines between the lines of such a page, and between its articles."""

_QUOTATION = re.compile(r"[“\"„«「『]([^“”\"„«»「」『』\n]{12,90})[”\"“»」』]")
_LONG: Final = 60
"""Characters from which a line is a paragraph."""

READ_ALSO: Final = {
    "ar": "اقرأ أيضا: |اقرأ أيضاً: |طالع أيضا: ",
    "bg": "Прочетете още: |Още по темата: ",
    "bn": "আরও পড়ুন: ",
    "ca": "Llegiu també: |Més informació: ",
    "cs": "Čtěte také: |Přečtěte si také: ",
    "da": "Læs også: |LÆS OGSÅ: ",
    "de": "Lesen Sie auch: |Mehr zum Thema: |Siehe auch: ",
    "el": "Διαβάστε επίσης: ",
    "en": "Read also: |READ MORE: |Related: |See also: |Related reading: |Also read: ",
    "es": "Lea también: |Te puede interesar: |Leer también: |Noticia relacionada: ",
    "fa": "بیشتر بخوانید: |همچنین بخوانید: ",
    "fi": "Lue myös: ",
    "fr": "À lire aussi : |Lire aussi : |Sur le même sujet : ",
    "he": "קראו גם: ",
    "hi": "यह भी पढ़ें: |ये भी पढ़ें: ",
    "hr": "Pročitajte i: |Čitajte također: ",
    "hu": "Olvassa el ezt is: |Kapcsolódó cikk: ",
    "id": "Baca juga: |Baca Juga: |Simak juga: ",
    "it": "Leggi anche: |LEGGI ANCHE: |Ti potrebbe interessare: ",
    "ja": "関連記事：|【関連記事】|あわせて読みたい：",
    "ko": "관련기사: |관련 기사: |[관련기사] ",
    "lt": "Taip pat skaitykite: ",
    "ms": "Baca juga: ",
    "nl": "Lees ook: |LEES OOK: ",
    "no": "Les også: ",
    "pl": "Czytaj też: |Czytaj także: |Zobacz też: ",
    "pt": "Leia também: |LEIA MAIS: |Veja também: ",
    "ro": "Citește și: |Vezi și: ",
    "ru": "Читайте также: |Ещё по теме: |По теме: ",
    "sk": "Čítajte tiež: ",
    "sr": "Прочитајте и: |Pročitajte i: ",
    "sv": "Läs också: |Läs även: |LÄS MER: ",
    "sw": "Soma pia: ",
    "th": "อ่านเพิ่มเติม: |ข่าวที่เกี่ยวข้อง: ",
    "tr": "Ayrıca okuyun: |İlgili haber: |Bunu da okuyun: ",
    "uk": "Читайте також: |Дивіться також: ",
    "ur": "یہ بھی پڑھیں: ",
    "vi": "Xem thêm: |Đọc thêm: |Có thể bạn quan tâm: ",
    "zh": "相关阅读：|延伸阅读：|推荐阅读：|【相关新闻】",
}
"""What stands before the title of another article, by language."""
KICKERS: Final = {
    "ar": "حوار|رأي|تقرير|ثقافة|رياضة|مجتمع|تحقيق|زاوية",
    "bg": "ИНТЕРВЮ|КОМЕНТАР|КУЛТУРА|СПОРТ|Репортаж|Общество",
    "bn": "সাক্ষাৎকার|মতামত|খেলা|সংস্কৃতি",
    "cs": "ROZHOVOR|KOMENTÁŘ|Kultura|SPORT|Reportáž|Glosa",
    "da": "INTERVIEW|KOMMENTAR|KULTUR|Sport|Læserbrev|Reportage",
    "de": "KOMMENTAR|INTERVIEW|Kultur|Kreisliga A|Leserbriefe|PORTRÄT|Glosse|Aus den Vereinen",
    "el": "ΣΥΝΕΝΤΕΥΞΗ|ΓΝΩΜΗ|Πολιτισμός|ΑΘΛΗΤΙΚΑ",
    "en": "OPINION|INTERVIEW|Culture|LETTERS|SPORTS|Feature|COLUMN|Exclusive|POLICE LOG|Society",
    "es": "ENTREVISTA|COLUMNA|OPINIÓN|CARTAS AL DIRECTOR|Cultura|DEPORTES|Reportaje|SUCESOS",
    "fa": "گفت‌وگو|یادداشت|گزارش|فرهنگ|ورزش|جامعه",
    "fi": "HAASTATTELU|KOLUMNI|Kulttuuri|URHEILU",
    "fr": "ENTRETIEN|TRIBUNE|Culture|SPORTS|Reportage|COURRIER DES LECTEURS|Portrait|Société",
    "he": "ראיון|דעה|תרבות|ספורט",
    "hi": "साक्षात्कार|संपादकीय|खेल|संस्कृति|समाज|विशेष",
    "hr": "INTERVJU|KOMENTAR|Kultura|SPORT|Reportaža",
    "hu": "INTERJÚ|VÉLEMÉNY|Kultúra|SPORT|Riport|Tárca",
    "id": "WAWANCARA|OPINI|Budaya|OLAHRAGA|Liputan Khusus",
    "it": "L'INTERVISTA|IL COMMENTO|Cultura|SPORT|LETTERE|Il personaggio|CRONACA",
    "ja": "インタビュー|社説|文化|スポーツ|特集|コラム|読者の声",
    "ko": "인터뷰|사설|문화|스포츠|기획|칼럼|독자투고",
    "ms": "WAWANCARA|PENDAPAT|Budaya|SUKAN",
    "nl": "INTERVIEW|OPINIE|Cultuur|SPORT|Reportage|Column|Ingezonden brieven",
    "no": "INTERVJU|KOMMENTAR|Kultur|SPORT|Leserinnlegg",
    "pl": "WYWIAD|KOMENTARZ|Kultura|SPORT|Reportaż|Felieton|LISTY",
    "pt": "ENTREVISTA|OPINIÃO|Cultura|ESPORTES|Reportagem|CRÔNICA|CARTAS",
    "ro": "INTERVIU|OPINIE|Cultură|SPORT|Reportaj",
    "ru": "ИНТЕРВЬЮ|МНЕНИЕ|Культура|СПОРТ|Репортаж|КОЛОНКА|Письма|Общество",
    "sk": "ROZHOVOR|KOMENTÁR|Kultúra|ŠPORT",
    "sr": "ИНТЕРВЈУ|КОМЕНТАР|Култура|СПОРТ",
    "sv": "INTERVJU|LEDARE|Kultur|SPORT|Reportage|INSÄNDARE|Krönika",
    "sw": "MAHOJIANO|MAONI|Utamaduni|MICHEZO",
    "th": "สัมภาษณ์|บทความ|วัฒนธรรม|กีฬา|สกู๊ป",
    "tr": "SÖYLEŞİ|YORUM|Kültür|SPOR|Köşe yazısı|DOSYA",
    "uk": "ІНТЕРВ'Ю|ДУМКА|Культура|СПОРТ|Репортаж|КОЛОНКА|Листи",
    "ur": "انٹرویو|اداریہ|کھیل|ثقافت",
    "vi": "PHỎNG VẤN|Ý KIẾN|Văn hóa|THỂ THAO|Phóng sự",
    "zh": "人物专访|评论|文化|体育|特稿|专栏|读者来信|【独家】|社会",
}
"""What sort of article it is, as newspapers print it above the title, by language."""
DATE: Final = {
    "ar": "التاريخ",
    "bg": "дата",
    "de": "Datum",
    "en": "date",
    "es": "fecha",
    "fa": "تاریخ",
    "fr": "date",
    "hi": "दिनांक",
    "id": "tanggal",
    "it": "data",
    "ja": "日付",
    "ko": "날짜",
    "nl": "datum",
    "pl": "data",
    "pt": "data",
    "ru": "дата",
    "sv": "datum",
    "th": "วันที่",
    "tr": "tarih",
    "uk": "дата",
    "vi": "ngày",
    "zh": "日期",
}
"""The word that templates leave before a date, by language."""


def altered(
    rng: random.Random, article: WrittenArticle, language: str, shelf: Sequence[WrittenArticle]
) -> WrittenArticle:
    """Return an article as it came, or with one of the relics above; `shelf`: its neighbours."""
    chance = rng.random()
    if chance < QUOTED:
        return _quoted(rng, article)
    chance -= QUOTED
    if chance < KICKED:
        return _kicked(rng, article, language)
    chance -= KICKED
    if chance < UNTITLED:
        return _untitled(rng, article, language)
    chance -= UNTITLED
    if chance < LINKED:
        return _linked(rng, article, language, shelf)
    chance -= LINKED
    return _called(rng, article) if chance < CALLED else article


def relaid(page: GeneratedPage, seed: int) -> GeneratedPage:
    """Return a page as it came, with all its lines set alike, or with its articles joined."""
    rng = random.Random(f"lines {seed}")
    chance = rng.random()
    if chance >= RELAID:
        return _joined(page) if chance < RELAID + JOINED else page
    gap, between = rng.choice(GAPS)
    lines: list[str] = []
    starts: list[int] = []
    furniture: list[int] = []
    begun, known = set(page.starts), set(page.furniture)
    waiting = False
    for at, line in enumerate(page.text.split("\n")):
        waiting |= at in begun
        if not line.strip():
            continue
        if waiting:
            if starts:
                del lines[len(lines) - gap :]
                lines += [""] * between
            starts.append(len(lines))
            waiting = False
        if at in known:
            furniture.append(len(lines))
        lines += [line.strip(), *[""] * gap]
    return GeneratedPage("\n".join(lines), starts, page.language, furniture)


def _joined(page: GeneratedPage) -> GeneratedPage:
    """Take the blank lines away that stand before articles, whatever stands between paragraphs."""
    lines: list[str] = []
    starts: list[int] = []
    furniture: list[int] = []
    begun, known = set(page.starts), set(page.furniture)
    for at, line in enumerate(page.text.split("\n")):
        if at in begun:
            while lines and not lines[-1].strip():
                lines.pop()
            starts.append(len(lines))
        if at in known and line.strip():
            furniture.append(len(lines))
        lines.append(line)
    return GeneratedPage("\n".join(lines), starts, page.language, furniture)


def _quoted(rng: random.Random, article: WrittenArticle) -> WrittenArticle:
    """Make a quotation the title and the title the deck under it."""
    found = [match[0] for line in article.text for match in _QUOTATION.finditer(line)]
    if not article.title or not found:
        return article
    deck = [article.title, *_gap(article)]
    return _with(article, rng.choice(found), [*_lead(article), *deck, *_body(article)])


def _kicked(rng: random.Random, article: WrittenArticle, language: str) -> WrittenArticle:
    """Print above the title what sort of article it is."""
    if not article.title or language not in KICKERS:
        return article
    kicker = rng.choice(KICKERS[language].split("|"))
    return _with(article, kicker, [*_gap(article), article.title, *article.text])


def _called(rng: random.Random, article: WrittenArticle) -> WrittenArticle:
    """Leave of a title what a columnist would call it: its first words."""
    words = (article.title or "").split()
    if len(words) < 5:
        return article
    title = " ".join(words[: rng.randint(2, 5)]).rstrip(",;:–—-(“\"'")
    return _with(article, title, article.text) if title else article


def _untitled(rng: random.Random, article: WrittenArticle, language: str) -> WrittenArticle:
    """Lose the title, if a paragraph follows; often a date stands before its first words."""
    body = _body(article)
    if not article.title or not body or len(body[0].strip()) < _LONG:
        return article
    if rng.random() < DATED:
        word = DATE.get(language, "date")
        before = rng.choice([f" {word} ", f"{word} ", f"{word}: ", ""])
        day = f"{rng.randint(2005, 2025)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        body = [f"{before}{day} {body[0].strip()}", *body[1:]]
    return _with(article, None, body)


def _linked(
    rng: random.Random, article: WrittenArticle, language: str, shelf: Sequence[WrittenArticle]
) -> WrittenArticle:
    """Put a line or two that name other articles between two paragraphs."""
    titles = [other.title for other in shelf if other.title and other.title != article.title]
    places = [
        at
        for at, line in enumerate(article.text)
        if at > 0 and len(line) >= _LONG and at < len(article.text) - 1
    ]
    if not titles or not places or language not in READ_ALSO:
        return article
    gap = _gap(article)
    lines: list[str] = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        lines += [rng.choice(READ_ALSO[language].split("|")) + rng.choice(titles), *gap]
    at = rng.choice(places)
    return _with(article, article.title, [*article.text[:at], *lines, *article.text[at:]])


def _with(article: WrittenArticle, title: str | None, text: list[str]) -> WrittenArticle:
    return msgspec.structs.replace(article, title=title, text=text)


def _gap(article: WrittenArticle) -> list[str]:
    """Return the blank line that parts the paragraphs of an article, if any does."""
    blank = sum(not line.strip() for line in article.text)
    return [""] if 3 * blank > len(article.text) else []


def _lead(article: WrittenArticle) -> list[str]:
    """Return the blank lines that stand between title and text."""
    return article.text[: len(article.text) - len(_body(article))]


def _body(article: WrittenArticle) -> list[str]:
    text = article.text
    while text and not text[0].strip():
        text = text[1:]
    return text
