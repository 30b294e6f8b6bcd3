"""The personal annotator: where e-mail addresses, phone, account and identity numbers stand.

Holds: `annotator`, `find`, `Found`. Pure. Not here: check digits (`check_digits.py`); values, which
are never copied out of the text.

A false alarm costs more than a miss: names of image files, links, dates, book numbers and ids of
pictures must not be taken for people's. What has no check digit that few other numbers pass needs
a word beside it. Rules and figures: `docs/models/personal.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.enrich.annotator import Annotator
from pipeline.enrich.check_digits import ID_RULES, IdRule, is_card, is_iban, is_isbn
from pipeline.enrich.digits import numbers
from pipeline.model.schemas import PERSONAL_COLUMNS

MODEL = "personal/2"
KINDS = {
    "personal_emails": "email",
    "personal_phones": "phone",
    "personal_ibans": "iban",
    "personal_cards": "card",
    "personal_ids": "id",
}
BESIDE = 40
"""Characters before a number in which a word may name it."""

LOCAL, DOMAIN = 64, 254
"""Most characters of an address before its sign, and from there on (RFC 5321)."""

_EMAIL = re.compile(
    r"(?<![\w.+%/-])[\w+%-]+(?:\.[\w+%-]+)*@(?:[a-zA-Z0-9-]+\.)+[a-zA-Z]{2,24}(?![\w@-])", re.ASCII
)
_FILE = re.compile(
    r"\.(?:avif|bmp|gif|heic|jpe?g|png|svg|tiff?|webp|mp[34]|pdf|html?)$", re.IGNORECASE
)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_IBAN = re.compile(
    r"(?<![\w-])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){2,8}(?: ?[A-Z0-9]{1,4})(?![\w-])", re.ASCII
)
_DIGITS = re.compile(
    r"(?<![\w#.,/$€£=&-])(?:\+|\(\+?)?\d(?:[ ().-]{0,2}\d){6,18}(?![\w%]|[-./,:]\d)", re.ASCII
)
_CARD = re.compile(r"(?:\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5})")
_NANP = re.compile(r"(?:\+?1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d([.-]))[2-9]\d\d[.-]\d{4}")
_PLUS = re.compile(r"(?:\(?\+|00)[1-9][\d ().-]*")
_DATE = re.compile(
    r"(?:19|20)\d\d([-./ ]?)[01]\d\1[0-3]\d|[0-3]?\d([-./])[01]?\d\2(?:19|20)\d\d"
    r"|(?:19|20)\d\d-(?:19|20)\d\d"
)
_BOOK = re.compile(r"\b(?:ISBN|ISSN|EAN|DOI|PMID)\b[^\n]{0,12}$", re.IGNORECASE)
_PHONE_WORD = re.compile(
    r"(?:\btel(?:efon[eo]?|éfono|efone|\.)?|\bphone|\bfax|\bmobi(?:le|l)|\bcell|\bcall|\btext us"
    r"|whatsapp|\bhandy|téléphone|\btél|тел|телефон|电话|電話|手机|전화|هاتف|τηλ)\W{0,4}"
    r"(?:\w{1,10}\W{1,3}){0,2}$",
    re.IGNORECASE,
)
_CARD_WORD = re.compile(
    r"card|visa|mastercard|amex|american express|carte|tarjeta|karte|carta|cartão|карт|卡号",
    re.IGNORECASE,
)
_ID_WORD = re.compile(
    r"national|identi|social security|passport|PESEL|BSN|burgerservice|sofi|personnummer|kimlik"
    r"|\bT\.?C\.?\b|sécurité sociale|\bNIR\b|\bID\b|insee",
    re.IGNORECASE,
)
_ID_SHAPE = re.compile(
    r"(?<![\w.,/-])(?:" + "|".join(f"({rule.pattern})" for rule in ID_RULES) + r")(?![\w-]|[./]\d)",
    re.ASCII,
)


class Found(NamedTuple):
    """Characters `start` to `end` (half-open) of a text, and what they are."""

    start: int
    end: int
    kind: str


def annotator() -> Annotator:
    """Return the annotator; it needs no others."""
    return Annotator(
        name="personal", columns=tuple(PERSONAL_COLUMNS), annotate=_annotate, model=MODEL
    )


def find(texts: pa.StringArray) -> dict[int, list[Found]]:
    """Return the places of personal data in each text that has some, in order.

    None overlaps another. Texts without an at sign and without a group of digits are not read.
    """
    rows = numbers(texts).tolist()
    places = {row: list(some) for row, some in groupby(rows, key=itemgetter(0))}
    marked = np.flatnonzero(pc.find_substring(texts, "@").to_numpy(zero_copy_only=False) >= 0)
    found = {}
    for row in sorted({*places, *marked.tolist()}):
        text = texts[row].as_py()
        if some := _disjoint(text, _candidates(text, places.get(row, []))):
            found[row] = some
    return found


def _disjoint(text: str, candidates: Iterable[Found]) -> list[Found]:
    """Return what does not overlap a surer kind, and is no part of a link."""
    found: list[Found] = []
    for one in candidates:
        if not any(one.start < have.end and have.start < one.end for have in found):
            found.append(one)
    if not found or ("://" not in text and "www." not in text):
        return sorted(found)
    links = [match.span() for match in _LINK.finditer(text)]
    return sorted(one for one in found if not _inside(one, links))


def _candidates(text: str, places: Sequence[Sequence[int]]) -> Iterator[Found]:
    """Yield what passes its rule, the surest kinds first."""
    yield from _emails(text)
    for look in (_ibans, _ids, _numbers):
        for _, start, end in places:
            yield from look(text, start, end)


def _emails(text: str) -> Iterator[Found]:
    """Look around each at sign: a pattern over a whole text would stop at every word."""
    low, sign = 0, text.find("@")
    while sign >= 0:
        match = _EMAIL.search(text, max(low, sign - LOCAL), sign + DOMAIN)
        if match and match.start() < sign < match.end():
            low = match.end()
            if not _FILE.search(match[0]):
                yield Found(*match.span(), "email")
        sign = text.find("@", sign + 1)


def _ibans(text: str, low: int, high: int) -> Iterator[Found]:
    for match in _IBAN.finditer(text, low, high):
        end = match.end()
        while end > match.start() + 14:
            if is_iban(text[match.start() : end].replace(" ", "")):
                yield Found(match.start(), end, "iban")
                break
            end = text.rfind(" ", match.start(), end)


def _ids(text: str, low: int, high: int) -> Iterator[Found]:
    for match in _ID_SHAPE.finditer(text, low, high):
        before = text[max(0, match.start() - BESIDE) : match.start()]
        named = _ID_WORD.search(before) is not None
        passed = any(_passes(rule, match[0], named=named) for rule in ID_RULES)
        if passed and not _BOOK.search(before):
            yield Found(*match.span(), "id")


def _numbers(text: str, low: int, high: int) -> Iterator[Found]:
    for match in _DIGITS.finditer(text, low, high):
        if kind := _kind(match[0], text[max(0, match.start() - BESIDE) : match.start()]):
            yield Found(*match.span(), kind)


def _passes(rule: IdRule, written: str, *, named: bool) -> bool:
    if (rule.labelled and not named) or not re.fullmatch(rule.pattern, written):
        return False
    bare = written if rule.country == "FI" else re.sub(r"[ .+-]", "", written)
    return rule.holds(bare)


def _kind(written: str, before: str) -> str:
    """Say what a number is, from how it is written and the words before it; empty for neither."""
    digits = re.sub(r"\D", "", written)
    if is_isbn(digits) or _DATE.match(written) or _BOOK.search(before):
        return ""
    if len(digits) >= 13 and not written.startswith("+") and is_card(digits):
        return "card" if _CARD.fullmatch(written) or _CARD_WORD.search(before) else ""
    return "phone" if _is_phone(written, digits, before) else ""


def _is_phone(written: str, digits: str, before: str) -> bool:
    if len(digits) > 15 or len(set(digits)) < 3:
        return False
    if _NANP.fullmatch(written):
        return True
    if _PLUS.fullmatch(written) and len(digits) >= 9:
        return written[0] != "0" or _PHONE_WORD.search(before) is not None
    return _PHONE_WORD.search(before) is not None


def _inside(one: Found, links: Sequence[tuple[int, int]]) -> bool:
    return any(start <= one.start < end for start, end in links)


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:  # noqa: ARG001 - needs no columns of others
    found = find(texts)
    spans: list[list[dict[str, Any]]] = [[] for _ in texts]
    counts = np.zeros((len(KINDS), len(texts)), np.int32)
    kinds = list(KINDS.values())
    for row, some in found.items():
        spans[row] = [one._asdict() for one in some]
        for one in some:
            counts[kinds.index(one.kind), row] += 1
    schema = pa.schema(PERSONAL_COLUMNS)
    columns = dict(zip(KINDS, counts, strict=True)) | {
        "personal_spans": spans,
        "personal_model": [MODEL] * len(texts),
    }
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
