"""What a page's text states about itself: who wrote it, and when it was published.

Holds: `Facts`, `facts_of`, the rules. Pure functions of a document's text.
Not here: reading a date (`dates.py`), what an author line looks like (`bylines.py`).

Only the first lines and the last ones are looked at. The first rule that finds a date names it:

`labelled_line`: a word for publication or date, then the date: "Published on 12 March 2024".
`iso_line`: a line that is a date in digits, year first, and nothing else but a time.
`date_line`: a line that is a date in words, or in digits with the day first.
`byline_line`: a line that names the author or the source, and a date.
`dateline`: a place and a date before the first sentence: "LISBON, March 12, 2024 (Agency) - …".
`closing_line`: the last line is a date and nothing else, as under a notice.

Nothing is guessed: a date without a year, an event's date in a sentence, or an order of day and
month that may be read in two ways is no date of publication.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from pipeline.dates.words import is_weekday, words
from pipeline.dates.written import dates_in, is_time, only_date
from pipeline.ingest.bylines import LONGEST, byline_of, closing_byline

HEAD_LINES, TAIL_LINES = 6, 3
HEAD_CHARS, TAIL_CHARS = 2000, 800
LINE_CHARS = 200

_LABELS = (
    "first published|published|published on|published at|publication date|date published|"
    "date of publication|posted|posted on|date|publicado|publicada|fecha de publicación|fecha|"
    "publié|publiée|mis en ligne|date de publication|paru|veröffentlicht|erschienen|publiziert|"
    "erstellt|datum|veröffentlichungsdatum|pubblicato|pubblicata|data di pubblicazione|data|"
    "publicado em|publicada em|data de publicação|опубликовано|опубликован|опубликована|"
    "дата публикации|дата|размещено|опубліковано|дата публікації|opublikowano|opublikowany|"
    "data publikacji|data dodania|dodano|yayınlanma|yayınlanma tarihi|yayın tarihi|"
    "yayımlanma tarihi|tarih|eklenme tarihi|gepubliceerd|gepubliceerd op|geplaatst|publicerad|"
    "publicerat|publisert|udgivet|offentliggjort|julkaistu|publikováno|vydáno|megjelent|"
    "közzétéve|publicat|data publicării|diterbitkan|ngày đăng|δημοσιεύτηκε|ημερομηνία|"
    "تاريخ النشر|نشر في|نُشر في|نشرت في|التاريخ|تاريخ|تاریخ انتشار|פורסם|תאריך|प्रकाशित|发布时间|"
    "发布日期|发表时间|发表日期|发稿时间|发布于|发表于|时间|日期|發布時間|發佈時間|發布日期|發佈日期|發表時間|發布於|時間|公開日|公開日時|掲載日|投稿日|配信|発行日|"
    "등록|등록일|입력|기사입력|게시일|작성일|발행일|승인|날짜"
)
_PUBLISHED = re.compile(
    rf"\W{{0,3}}(?P<label>{'|'.join(sorted(_LABELS.split('|'), key=len, reverse=True))})"
    r"(?=[\s:：.]|\d)",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"updated|modified|revised|actualiz|mis à jour|mise à jour|aktualis|geändert|aggiornat|"
    r"atualiz|обновл|изменен|оновлен|aktualizacj|güncelle|محدث|تحديث|更新|修改|编辑|수정|최종|"
    r"bijgewerkt|uppdater|event|expires|deadline",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"\W{0,3}(?:source|fuente|quelle|fonte|источник|źródło|kaynak|المصدر|来源|來源|文章来源|稿源|"
    r"信息来源|出处|出典|提供|출처)\s?[:：]?\s?\S",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"[|·•｜∣/／]\s+|\s{3,}|[\t\u3000]| [–—-] |"
    r"\s(?=(?:作者|记者|記者|通讯员|撰文|文|责任编辑|编辑)[:：])"
)
_SIGNS = (*"|·•｜∣/／\t\u3000", "   ", " – ", " — ", " - ", "作者", "记者", "記者")
_GLUE = words(
    "on at in le la el the il am an em im dne den der dnia od vom du den um à às a de del w в на "
    "в 于 於 在 fecha date data datum op den på"
)
_WORDS = re.compile(r"[^\W\d_]+")
_GAP = 30
_AGENCY = r"(?:\([^()]{2,40}\)|（[^（）]{2,40}）|/[^/]{2,40}/)"
_BEHIND = re.compile(
    rf"\s?[)）]?[.,]?\s?{_AGENCY}\.\s|\s?[)）]?[.,]?\s?{_AGENCY}?\.?\s?(?:--|[-–—―]|[电電讯訊](?:[\s:：(（]|$)|[:：]\s)"
)
_PLACE = 60
_STARTS = words(
    "on in at by since from until till before after the am im seit bis vom der die das den el la "
    "le les los il lo en desde hasta du dès depuis dal nel no na em desde до с в на по od do w "
    "dnia op sinds på den"
)


class Facts(NamedTuple):
    """What is stated; None for what is not. `rule` says how `published` was found."""

    byline: str | None = None
    published: dt.date | None = None
    rule: str | None = None


def facts_of(text: str) -> Facts:
    """Find author line and date of publication among the first and last lines of a text."""
    head = _lines(text[:HEAD_CHARS].split("\n"))[:HEAD_LINES]
    tail = _lines(text[-TAIL_CHARS:].split("\n")[len(text) > TAIL_CHARS :])[-TAIL_LINES:]
    if len(text) <= TAIL_CHARS:
        tail = [line for line in tail if line not in head]
    dated = [line for line in head if any(dates_in(line))]
    found = _published(head, dated) if dated else None
    closing = [] if found else [line for line in tail if any(dates_in(line))]
    found = found or _closing(closing, tail)
    date, rule = found or (None, None)
    return Facts(_byline(head, tail), date, rule)


def _lines(raw: list[str]) -> list[str]:
    return [line for part in raw if (line := part[:LINE_CHARS].strip())]


def _published(head: list[str], dated: list[str]) -> tuple[dt.date, str] | None:
    for line in dated:
        if date := _labelled(line):
            return date, "labelled_line"
    for line in dated:
        if found := only_date(line):
            return found.date, "iso_line" if found.is_iso else "date_line"
        if line is not head[0] and (named := _beside(line)):
            return named
    for line in dated:
        if date := _dateline(line):
            return date, "dateline"
    return None


def _closing(dated: list[str], tail: list[str]) -> tuple[dt.date, str] | None:
    for line in dated:
        if date := _labelled(line):
            return date, "labelled_line"
    last = only_date(tail[-1]) if dated else None
    return (last.date, "closing_line") if last else None


def _parts(line: str) -> list[str]:
    """Cut a line at the signs that separate facts from each other."""
    for sign in _SIGNS:  # a generator would cost more than the look at each line
        if sign in line:
            return _PARTS.split(line)
    return [line]


def _labelled(line: str) -> dt.date | None:
    """Return the date right behind a word for publication at the start of a part of the line."""
    for part in _parts(line):
        label = _PUBLISHED.match(part)
        found = next(dates_in(part), None) if label else None
        if not label or not found:
            continue
        between = part[label.end("label") : found.start]
        if 0 <= found.start - label.end("label") <= _GAP and _is_glue(between):
            return found.date
    return None


def _is_glue(between: str) -> bool:
    """Whether words between a label and a date are a weekday, a time, or small."""
    if is_time(between):
        return True
    return all(word.casefold() in _GLUE or is_weekday(word) for word in _WORDS.findall(between))


def _beside(line: str) -> tuple[dt.date, str] | None:
    """Return a date that shares its line with the author, the source or a short label alone."""
    found = next(dates_in(line), None)
    if found is None:
        return None
    before, after = line[: found.start].strip(" ,;，("), line[found.end :]
    if _names_somebody(before) and is_time(after):
        return found.date, "byline_line"
    if not before and (_SOURCE.search(after) or _names_somebody(_behind_time(after))):
        return found.date, "byline_line"
    parts = _parts(line)
    alone = next((date for part in parts if (date := only_date(part))), None)
    if alone is None or len(parts) == 1 or any(map(_OTHER.search, parts)):
        return None
    if any(map(_names_somebody, parts)):
        return alone.date, "byline_line"
    return alone.date, "iso_line" if alone.is_iso else "date_line"


def _behind_time(after: str) -> str:
    return re.sub(r"^[\s\d:：.,，|T/-]+", "", after)


def _names_somebody(part: str) -> bool:
    return bool(byline_of(part, is_first=False) or _SOURCE.match(part))


def _dateline(line: str) -> dt.date | None:
    """Return the date between a place and the first sentence of an agency's text."""
    found = next(dates_in(line), None)
    if found is None or not 0 < found.start <= _PLACE or not _BEHIND.match(line[found.end :]):
        return None
    place = line[: found.start].strip(" ,，(（-–—")
    found_words = _WORDS.findall(place)
    if not found_words or len(found_words) > 6 or found_words[0].casefold() in _STARTS:
        return None
    if re.search(r"[.!?;:。！？；](?:\s|$)", place):
        return None
    return found.date if all(map(_is_place_word, found_words)) else None


def _is_place_word(word: str) -> bool:
    return word[0].isupper() or word.lower() == word.upper() or word.casefold() in _STARTS


def _byline(head: list[str], tail: list[str]) -> str | None:
    for number, line in enumerate(head):
        for part in _parts(line) if len(line) <= LONGEST else ():
            if found := byline_of(part.strip(), is_first=not number):
                return found
    for line in tail:
        if found := byline_of(line, is_first=True):
            return found
    return closing_byline((tail or head)[-1]) if tail or head else None
