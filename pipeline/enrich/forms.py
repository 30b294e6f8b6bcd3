"""The form annotator: article, transcript, law, questions, advertisement, list, by stated rules.

Holds: `annotator`, `forms`, `FORMS`. Pure. Not here: what a text is about (`topic.py`).

Each rule gives evidence from 0 to 1; the strongest of .5 or more names the form. Without one it is
`other`, or null in a language whose words the rules do not know. The score is the evidence, not a
probability. `docs/models/forms.md` has the rules, and how often they are right.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.enrich.annotator import PLACES, Annotator, batch_of, languages_of
from pipeline.enrich.form_lines import (
    ANSWERED,
    ASKED,
    ASKING,
    CHARACTERS,
    COLONS,
    DASHES,
    LINES,
    NUMBERED,
    PROSE,
    PROVISIONS,
    survey,
)
from pipeline.enrich.phrases import Phrases
from pipeline.model.schemas import FORM_COLUMNS

MODEL = "forms/3"
MOST = 20_000
"""Longer texts are judged by their first characters."""
HEAD = 2_000
"""Characters in which the first three lines are looked for."""
ENOUGH = 0.5
OTHER = "other"
KNOWN = frozenset("eng deu fra spa ita por nld pol rus tur ara zho jpn kor".split())  # noqa: SIM905 - a list

_SPEAKER = re.compile(
    r"(?:>>\s?|\[?\d{1,2}:\d\d(?::\d\d)?\]?\s*)?([^\W\d_][\w .'’-]{0,30}):(?=\s|$)"
)
_CLOCK = re.compile(r"\[?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{3})?\]?(?=\s|$)")
_ASKED = re.compile(
    r"(?:Q|Question|Frage|Pregunta|Domanda|Pergunta|Вопрос|问|問|質問)\s?\d*\s?[:.：]"
)
_ANSWERED = re.compile(
    r"(?:A|R|Answer|Antwort|Réponse|Respuesta|Risposta|Resposta|Ответ|答|回答)\s?\d*\s?[:.：]"
)
_ASKED_FIRST, _ANSWERED_FIRST = "QqFPDВ问問質", "ARОO答回"
"""First letters of the words above."""
_PROVISION = re.compile(
    r"(?:Art(?:icle|ikel|ículo|icolo|igo|ykuł|\.)|Section|Sec\.|§{1,2}|Статья|Madde|المادة)\s*\d"
    r"|第[一二三四五六七八九十百\d]+条|\(\d{1,2}\)\s"
)
_NUMBERED = re.compile(r"#?(\d{1,3})\s?[.)：:、]\s*\S")
_PROMISED = re.compile(r"(?:the )?(?:top )?(\d{1,3})\s?[^\W\d]", re.IGNORECASE)
_DATELINE = re.compile(
    r"[^\W\d_][\w .,'’-]{1,40}(?:\((?:AP|AFP|Reuters|dpa|EFE|ANSA|Xinhua|TASS|UPI)\)"
    r"|,?\s(?:AFP|Reuters|dpa))?\s?[-–—]{1,2}\s\S"
)
_PRICE = re.compile(r"[$€£¥₹₩₺₽]\s?\d|\d\s?(?:[€£₽₺元円원]|zł|TL\b|руб)")

LEGAL = (
    "hereby", "pursuant to", "whereas", "notwithstanding", "shall be", "in accordance with",
    "gemäß", "hiermit", "en vertu de", "conformément", "de conformidad", "ai sensi", "nos termos",
    "в соответствии с", "na podstawie", "根据",
)  # fmt: skip
SELLING = (
    "buy now", "order now", "shop now", "add to cart", "free shipping", "limited time", "% off",
    "sign up today", "call now", "money-back", "discount code", "special offer", "jetzt kaufen",
    "jetzt bestellen", "versandkostenfrei", "in den warenkorb", "achetez", "livraison gratuite",
    "ajouter au panier", "compra ahora", "envío gratis", "añadir al carrito", "acquista ora",
    "spedizione gratuita", "compre agora", "frete grátis", "adicionar ao carrinho",
    "bestel nu", "in winkelwagen", "gratis verzending", "kup teraz", "do koszyka",
    "darmowa dostawa", "купить", "закажите", "в корзину", "бесплатная доставка",
    "бесплатной доставкой", "hemen al", "sepete ekle", "ücretsiz kargo", "اشتر الآن",
    "أضف إلى السلة", "شحن مجاني", "立即购买", "加入购物车", "包邮", "限时优惠", "今すぐ購入",
    "カートに入れる", "送料無料", "지금 구매", "장바구니", "무료 배송",
)  # fmt: skip
SAYING = (
    " said", "told ", "according to", "reported", "spokes", "announced",
    " sagte", " laut ", "teilte", "berichte", " zei ", "volgens ",
    "selon ", "a déclaré", "a annoncé", "a indiqué", "a affirmé", "a expliqué", "a souligné",
    " dijo", "según ", "afirmó", "anunció", " disse", "segundo ", "afirmou",
    "ha detto", "secondo ", "ha dichiarato", "powiedział", "poinformował", "dedi", "açıkladı",
    "сказал", "сообщ", "заявил", "قال", "表示", "报道", "報道", "述べ", "発表", "밝혔", "말했",
)  # fmt: skip


class Seen(NamedTuple):
    """What rules look at: a text, what was counted of its lines, how often words of a kind occur.

    `lines` is a function, of the first characters or all: only what was counted says whether it is
    worth to cut them.
    """

    lines: Callable[..., list[str]]
    counted: Sequence[int]
    legal: int
    selling: int
    saying: int


Evidence = Callable[[Seen], float]


def annotator() -> Annotator:
    """Return the annotator; it needs `language`, if an annotator before it makes it."""
    return Annotator(name="forms", columns=tuple(FORM_COLUMNS), annotate=_annotate, model=MODEL)


def forms(texts: pa.StringArray, languages: Sequence[str]) -> list[tuple[str | None, float | None]]:
    """Return the form of each text and the evidence for it."""
    if len(texts) and pc.max(pc.binary_length(texts)).as_py() > MOST:
        texts = pc.utf8_slice_codeunits(texts, 0, MOST)
    rows = zip(
        survey(texts, (_ASKED_FIRST, _ANSWERED_FIRST)).tolist(),
        _words().count(texts).tolist(),
        strict=True,
    )
    found = [
        _best(Seen(partial(_lines, texts, row), counted, *words))
        for row, (counted, words) in enumerate(rows)
    ]
    return [
        (None, None) if name == OTHER and language not in KNOWN else (name, score)
        for (name, score), language in zip(found, languages, strict=True)
    ]


@cache
def _words() -> Phrases:
    return Phrases(LEGAL, SELLING, SAYING)


def _lines(texts: pa.StringArray, row: int, most: int = MOST) -> list[str]:
    text = texts[row].as_py()[:most]
    return [line for raw in text.split("\n") if (line := raw.strip())]


def _best(seen: Seen) -> tuple[str, float]:
    if not seen.counted[LINES]:
        return OTHER, 0.0
    found = {name: rule(seen) for name, rule in FORMS.items()}
    best = max(found, key=lambda name: found[name])
    return (best, found[best]) if found[best] >= ENOUGH else (OTHER, 1 - found[best])


def _transcript(seen: Seen) -> float:
    """Lines that a speaker's name or a time opens, a quarter or more; two speakers speak twice."""
    if max(seen.counted[COLONS], seen.counted[NUMBERED]) < max(4, seen.counted[LINES] / 4):
        return 0.0
    lines = seen.lines()
    names = [
        match[1]
        for line in lines
        if (match := _SPEAKER.match(line)) and not (_ASKED.match(line) or _ANSWERED.match(line))
    ]
    clocks = sum(_CLOCK.match(line) is not None for line in lines)
    again = sum(times > 1 for times in Counter(names).values())
    turns = len(names) if again > 1 else 0
    share = max(turns, clocks) / len(lines)
    return min(1.0, 2 * share) if max(turns, clocks) >= 4 else 0.0


def _questions(seen: Seen) -> float:
    """Lines marked as question and as answer; or a fifth of the lines ask."""
    if min(seen.counted[ASKED], seen.counted[ANSWERED]) >= 2:
        lines = seen.lines()
        asked = sum(_ASKED.match(line) is not None for line in lines)
        answered = sum(_ANSWERED.match(line) is not None for line in lines)
        if (marked := min(asked, answered)) >= 2:
            return min(1.0, 0.8 + 0.1 * (marked - 2))
    asking = seen.counted[ASKING]
    share = asking / seen.counted[LINES]
    return min(0.8, 0.3 + share) if asking >= 3 and share >= 0.2 else 0.0


def _law(seen: Seen) -> float:
    """Lines that begin as a provision does, and the words of law."""
    dense = 2000 * seen.legal / seen.counted[CHARACTERS]
    words = 0.25 * min(dense, 3)
    if words + 0.15 * min(seen.counted[PROVISIONS], 4) < ENOUGH:
        return words
    provisions = sum(_PROVISION.match(line) is not None for line in seen.lines())
    return min(1.0, 0.15 * min(provisions, 4) + words)


def _advertisement(seen: Seen) -> float:
    """Phrases of shops; prices count beside them only."""
    if not seen.selling:
        return 0.0
    prices = sum(len(_PRICE.findall(line)) for line in seen.lines())
    return min(1.0, 0.3 * seen.selling + 0.1 * min(prices, 3))


def _list(seen: Seen) -> float:
    """Lines numbered up from 1, or down to it; a first line that promises so many."""
    if seen.counted[NUMBERED] < 3:
        return 0.0
    lines = seen.lines()
    numbers = [int(match[1]) for line in lines if (match := _NUMBERED.match(line))]
    steps = [after - before for before, after in pairwise(numbers)]
    run = max(steps.count(1), steps.count(-1)) + 1 if 1 in numbers and steps else 0
    promised = _PROMISED.match(lines[0])
    kept = promised is not None and int(promised[1]) == run
    return min(1.0, 0.1 * min(run, 6) + (0.3 if kept else 0.0)) if run >= 3 else 0.0


def _article(seen: Seen) -> float:
    """Sentences in paragraphs, somebody who says something, a dateline."""
    prose = seen.counted[PROSE] / seen.counted[CHARACTERS]
    dateline = bool(seen.counted[DASHES]) and any(map(_DATELINE.match, seen.lines(HEAD)[:3]))
    return round(0.35 * prose + 0.15 * min(seen.saying, 3) + 0.15 * dateline, PLACES)


FORMS: dict[str, Evidence] = {
    "transcript": _transcript,
    "questions_answers": _questions,
    "law_notice": _law,
    "advertisement": _advertisement,
    "listicle": _list,
    "news_article": _article,
}
"""Rules by the name of their form; of equal evidence the first counts."""


def _annotate(texts: pa.StringArray, earlier: pa.RecordBatch) -> pa.RecordBatch:
    found = forms(texts, languages_of(earlier, len(texts)))
    columns = [
        [name for name, _ in found],
        [None if score is None else round(score, PLACES) for _, score in found],
        [MODEL] * len(found),
    ]
    return batch_of(FORM_COLUMNS, columns)
