"""Lines that say who wrote an article.

Holds: `byline_of`, `closing_byline`. Pure functions of one line.
Not here: which lines are looked at (`facts.py`).

A line counts when it begins with a word for author and goes on with what looks like a name, in one
of many languages, or has the shape that newspapers of a language give to bylines. The byline is
what the line states, label included: who reads it knows best which part of it is a name.
"""

from __future__ import annotations

import re

from pipeline.dates.words import is_weekday, month_of, words

LONGEST = 160
"""Characters beyond which a line is text."""

_BEFORE_COLON = (
    "written by|words by|words|story by|reporting by|reporter|reporters|author|authors|byline|"
    "autor|autora|autores|autoras|escrito por|redactor|redactora|auteur|auteurs|autrice|"
    "rédaction|écrit par|autorin|autoren|verfasser|text von|autore|autori|scritto da|testo di|"
    "repórter|автор|авторы|автор текста|текст|корреспондент|журналист|автор статті|автори|"
    "autorzy|tekst|opracowanie|autorka|autoři|yazar|yazan|haber|muhabir|haberi yazan|"
    "schrijver|door|av|af|skribent|teksti|kirjoittaja|szerző|szerzők|autorul|penulis|tác giả|"
    "συντάκτης|συγγραφέας|بقلم|الكاتب|الكاتبة|كتب|كتبت|تحرير|إعداد|المؤلف|نویسنده|خبرنگار|מאת|"
    "כתב|लेखक|ผู้เขียน|作者|记者|記者|通讯员|通訊員|撰文|撰稿|文|本报记者|本報記者|新华社记者|执笔|執筆|取材|文責|著者|筆者|글|취재|기자|글쓴이|"
    "작성자"
)
_BEFORE_NAME = (
    "by|written by|words by|story by|por|escrito por|par|écrit par|propos recueillis par|von|"
    "text von|di|scritto da|a cura di|av|af|autor|автор|текст|yazan|بقلم|كتب|كتبت|מאת"
)
_STARTS = frozenset(label[:2] for label in f"{_BEFORE_COLON}|{_BEFORE_NAME}".split("|"))
"""How a line with a label begins: most lines are told to have none by it."""

_WITH_COLON = re.compile(rf"(?:{_BEFORE_COLON})\s?[:：]\s?(?P<name>\S.{{0,140}})", re.IGNORECASE)
_WITH_NAME = re.compile(rf"(?:{_BEFORE_NAME})\s(?P<name>\S.{{0,100}})", re.IGNORECASE)
_SHAPES = re.compile(
    r"[□■◎●◆]\s?(?=.{0,120}(?:记者|記者|通讯员|通訊員|作者|文|reporter|journalist|correspondent)).+"
    r"|(?:[\u4e00-\u9fff]{0,10}(?:记者|記者)[ 　]|(?:通讯员|作者|撰文|文|图文|圖文)[/／｜|])\s?"
    r"[\u4e00-\u9fff·]{2,5}(?:[ 　、/][\u4e00-\u9fff·]{1,6}){0,6}"
    r"|【[^【】。]{2,20}(?:記者)?】|[\u3040-\u30ff\u4e00-\u9fff]{2,8}[ 　]?記者"
    r"|(?:\[[^\[\]]{2,20}\]\s?)?[가-힣]{2,4}\s?(?:선임|수습|인턴|전문)?\s?기자(?:\s?=|\s\S+@\S+)?"
    r"|글[·\s]{1,2}(?:사진\s)?[가-힣]{2,4}",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"[(（\[]\s?(?P<line>[^()（）\[\]]{0,40}"
    r"(?:记者|記者|通讯员|作者|撰文|기자|\b(?:author|reporter|reporters|correspondent|autor|auteur|"
    r"autore|автор|корреспондент)\b)[^()（）\[\]]{1,120})[)）\]]\s*$",
    re.IGNORECASE,
)
_CLOSED = (")", "）", "]")
_PARTICLES = words(
    "and und et e y i и та ve و of de del della di da das do dos du des van von der den het la le "
    "el al bin ibn ben ter ten zu zur af av en og och ja with für"
)
_NO_NAMES = words(
    "the a an its his her your our my this that these those favor supuesto ejemplo exemplo exemple "
    "now then far way contrast comparison default"
)
_SENTENCE = re.compile(r"[!?…。！？](?:\s|$)|[^.\s]{4,}\.\s*$|[:;](?:\s|$)")
_MAX_WORDS = 12
_LONGEST_NAME = 30


def byline_of(line: str, *, is_first: bool) -> str | None:
    """Return the author line that a line is, or None.

    Args:
        line: one line, without white space around it.
        is_first: whether it is the first line of the document. That is a title rather, unless a
            label with a colon says otherwise.
    """
    if not line or len(line) > LONGEST:
        return None
    bare = line.strip("()（）[]*_ \t")
    if bare[:2].casefold() in _STARTS:
        labelled = _WITH_COLON.fullmatch(bare)
        if labelled:
            return line if _may_be_name(labelled["name"]) else None
        named = None if is_first else _WITH_NAME.fullmatch(bare)
        if named and _looks_like_names(named["name"]):
            return line
    return line if not is_first and _has_shape(line) else None


def _has_shape(line: str) -> bool:
    """Whether a line has the shape of a byline without a label in front."""
    if line[0] in "([（【":
        return bool(_CLOSING.fullmatch(line) or _SHAPES.fullmatch(line))
    return not line.isascii() and bool(_SHAPES.fullmatch(line))


def closing_byline(line: str) -> str | None:
    """Return the author in brackets that a last line ends with: "… (Author: Ann Lee)"."""
    if not line.rstrip().endswith(_CLOSED):
        return None
    found = _CLOSING.search(line[-LONGEST:])
    return found["line"].strip() if found else None


def _may_be_name(name: str) -> bool:
    """Whether what stands behind a label may be names: short words, and no sentence."""
    found = name.split()
    if len(found) > _MAX_WORDS or max(map(len, found)) > _LONGEST_NAME:
        return False
    return not _SENTENCE.search(name)


def _looks_like_names(name: str) -> bool:
    """Whether words look like names: capitals, but for particles, up to the first comma."""
    if not _may_be_name(name):
        return False
    people, _, _ = name.partition(",")
    said = people.split()
    first = said[0].strip(".")
    if first.casefold() in _NO_NAMES - {"the"} or is_weekday(first) or month_of(first):
        return False
    return (
        len(said) > 1
        and any(map(_is_capital, said))
        and all(
            _is_capital(word) or word.casefold() in _PARTICLES or word in {"&", "/", "|"}
            for word in said
        )
    )


def _is_capital(word: str) -> bool:
    """Whether a word begins with a capital, or with a letter of a script without capitals."""
    first = word.lstrip("\"'“«(@")[:1]
    return first.isalpha() and (first.isupper() or first.lower() == first.upper())
