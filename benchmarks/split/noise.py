"""What scraping and translating do to an article: titles, captions, credits, headings, formats.

Holds: `Draft` and `render`. Pure functions of a random generator and an article.
Not here: articles side by side (`pages.py`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from articles import Article

SENTENCE = re.compile(r".+?(?:[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？।။។۔؟]+[”’」』）]?|$)", re.DOTALL)
NUMBERING = re.compile(r"^[\W\d]*\d[\d.]*\.?\s*")
CHAPTERS = [
    "Chapter {}",
    "Part {}",
    "第{}章",
    "第{}节",
    "Kapitel {}",
    "Chapitre {}",
    "Capítulo {}",
    "Глава {}",
    "Bab {}",
    "الفصل {}",
    "บทที่ {}",
    "{}.",
]
ARTICLES = [
    "Article {} ",
    "Art. {} ",
    "第{}条 ",
    "§ {} ",
    "Artículo {}. ",
    "Статья {}. ",
    "Artikel {} ",
    "المادة {} ",
    "ข้อ {} ",
    "{}. ",
    "({}) ",
    "{}、",
]
NUMERALS = ["{}.", "{})", "({})", "{}、", "{}", "No.{}", "Step {}:", "#{}"]
ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
FRAGMENTS = [
    "one",
    "two",
    "three",
    "year",
    "…",
    "???",
    "......",
    "tall",
    "yellow",
    "—",
    "***",
    "still",
    "一",
    "二",
    "年",
    "◆",
    "1",
    "2",
    "02",
    "03",
]
CREDITS = [
    "({}: {})",
    "[{}: {}]",
    "（{}：{}）",
    "{}: {}",
    "{} {}",
    "【{}：{}】",
    "{}：{} {}",
    "© {} {}",
    "({})",
]
PHOTOS = ["{}", "{}", "△ {}", "▲{}", "({})", "{} / {}", "Photo: {}", "▼ {}", "[{}]", "□ {}"]
NAMED = ["{}:", "{}：", "{}", "{} -", "■ {}"]
ASK = [
    ("Q: ", "A: "),
    ("Question: ", "Answer: "),
    ("问：", "答："),
    ("В: ", "О: "),
    ("P: ", "R: "),
    ("س: ", "ج: "),
    ("- ", ""),
    ("", ""),
    ("F: ", "A: "),
    ("問：", "答："),
]


LEAST = 150
"""Characters below which a text is too little to be an article."""


class Draft:
    """An article on its way to a page: a title and lines; lines marked True may be indented."""

    def __init__(self, title: str, paragraphs: list[tuple[str, str]]) -> None:
        """Start from the article's own blocks."""
        self.title = title
        self.blocks = paragraphs
        self.lines: list[tuple[str, bool]] = []

    def add(self, line: str, *, body: bool = True) -> None:
        """Append a line if there is anything in it."""
        line = " ".join(line.split())
        if line:
            self.lines.append((line, body))


def sentences(text: str) -> list[str]:
    """Cut a text into sentences, roughly."""
    return [part.strip() for part in SENTENCE.findall(text) if part.strip()]


def fragment(rng: random.Random, draft: Draft, low: int, high: int) -> str:
    """Return some words of the article, without the end of a sentence."""
    texts = [t for k, t in draft.blocks if k in {"p", "li"}] or [draft.title]
    text = rng.choice(texts)
    size = rng.randint(low, high)
    if " " in text[:200]:
        words = text.split()
        at = rng.randrange(max(1, len(words) - 5))
        return " ".join(words[at : at + max(2, size // 6)])[:200].rstrip(".,;:。，")
    at = rng.randrange(max(1, len(text) - 10))
    return text[at : at + max(4, size // 2)].strip("。，、. ")


def names(rng: random.Random, draft: Draft) -> str:
    """Return what could be a name: one to three capitalised words of the article."""
    words = fragment(rng, draft, 6, 20).split()[: rng.randint(1, 3)]
    return " ".join(words)[:40].title()


def headline(rng: random.Random, draft: Draft, manual: str) -> str:
    """Make a title of a news site's length out of the manual's short heading."""
    base = NUMBERING.sub("", draft.title).strip() or draft.title
    first = next((t for k, t in draft.blocks if k == "p" and len(t) > 30), base)
    lead = (sentences(first) or [base])[0]
    kind = rng.random()
    if kind < 0.30:
        title = base
    elif kind < 0.45:
        link = rng.choice([": ", " - ", " | ", "：", ", ", " — "])
        title = f"{base}{link}{fragment(rng, draft, 30, 90)}"
    elif kind < 0.62:
        title = lead
    elif kind < 0.72:
        title = fragment(rng, draft, 30, 80) + rng.choice([", ", ": ", " ", "，", "! "])
        title += fragment(rng, draft, 20, 60)
    elif kind < 0.82:
        title = f"{base} {rng.choice(['of', '', '-', '«'])} {names(rng, draft)} {lead[:80]}"
    elif kind < 0.9:
        title = f"{fragment(rng, draft, 40, 140)}{rng.choice('?!.？。')}"
    else:
        title = f"{base} {rng.choice(['|', '_', '-'])} {manual}"
    return " ".join(title.split())[:200].strip() or "x"


def stamp(rng: random.Random) -> str:
    """Return a date in some notation."""
    year, month, day = rng.randint(1999, 2026), rng.randint(1, 12), rng.randint(1, 28)
    return rng.choice(
        [
            "{0}-{1:02}-{2:02}",
            "{2}.{1}.{0}",
            "{0}年{1}月{2}日",
            "{1}/{2}/{0}",
            "{0}/{1:02}/{2:02} 10:15",
            "{2} {1} {0}, 08:0{2}",
        ]
    ).format(year, month, day)


def _opening(rng: random.Random, draft: Draft) -> None:
    """What stands between a title and the text: bylines, dates, decks, captions."""
    for chance, line in (
        (
            0.10,
            lambda: rng.choice(CREDITS).format(names(rng, draft), names(rng, draft), stamp(rng)),
        ),
        (
            0.12,
            lambda: rng.choice(["{}", "{} {}", "[{}] {}", "{1} | {0}"]).format(
                stamp(rng), names(rng, draft)
            ),
        ),
        (0.08, lambda: draft.title),
        (0.10, lambda: fragment(rng, draft, 40, 160) + rng.choice(["", ".", "…"])),
        (0.08, lambda: rng.choice(FRAGMENTS)),
    ):
        if rng.random() < chance:
            draft.add(line(), body=rng.random() < 0.5)
    if rng.random() < 0.18:
        caption(rng, draft)
    if rng.random() < 0.05:
        draft.add(fragment(rng, draft, 15, 50), body=False)
        for _ in range(rng.randint(1, 4)):
            draft.add(fragment(rng, draft, 30, 120) + ".", body=False)


def caption(rng: random.Random, draft: Draft) -> None:
    """Print what stands under a picture, once or twice, and seldom the picture's file name."""
    text = fragment(rng, draft, 20, 120)
    line = rng.choice(PHOTOS).format(text, names(rng, draft)) + rng.choice(
        ["", "", ".", f" ({names(rng, draft)})"]
    )
    flush = rng.random() < 0.6
    for _ in range(rng.choice([1, 1, 2])):
        draft.add(line, body=not flush)
    if rng.random() < 0.2:
        draft.add(
            rng.choice(
                ["{:08x}.jpg", "IMG_{}.JPG", "image{}.png", "{}_副本.jpg", "/uploads/{}.gif"]
            ).format(rng.getrandbits(30)),
            body=not flush,
        )


def _closing(rng: random.Random, draft: Draft) -> None:
    """What stands after the text: credits, sources, links."""
    if rng.random() < 0.35:
        for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
            line = rng.choice(CREDITS).format(
                names(rng, draft), names(rng, draft), names(rng, draft)
            )
            draft.add(line, body=rng.random() < 0.6)
    if rng.random() < 0.06:
        draft.add(fragment(rng, draft, 30, 90) + rng.choice([" > > >", " >>", "…"]))
    if rng.random() < 0.06:
        draft.add(rng.choice(["{0}", "{1} {0}", "({0})"]).format(stamp(rng), names(rng, draft)))
    if rng.random() < 0.06:
        caption(rng, draft)


def _heading(rng: random.Random, draft: Draft, text: str, number: int) -> None:
    """An inner heading: bare, numbered, or on two lines."""
    kind = rng.random()
    text = NUMBERING.sub("", text) or text
    if kind < 0.4:
        draft.add(text, body=rng.random() < 0.5)
    elif kind < 0.7:
        mark = rng.choice(NUMERALS).format(number)
        draft.add(f"{mark} {text}{rng.choice(['', '', '.', '?', ':'])}", body=rng.random() < 0.5)
    elif kind < 0.85:
        draft.add(
            rng.choice([*FRAGMENTS[:3], ROMAN[number % 12], f"0{number}", f"{number}"]), body=False
        )
        draft.add(text, body=False)
    else:
        draft.add(
            rng.choice(CHAPTERS).format(number) + rng.choice([" ", "", ": "]) + text,
            body=rng.random() < 0.5,
        )


def plain(rng: random.Random, draft: Draft) -> None:
    """Paragraphs, headings, lists, with captions and fragments between."""
    number, noise = 0, rng.choice([0.0, 0.02, 0.06, 0.15])
    bullet = rng.choice(["", "", "- ", "• ", "* ", "{}. ", "{}) "])
    drop = rng.random() < 0.4
    for at, (kind, text) in enumerate(draft.blocks):
        if kind == "h":
            number += 1
            if not drop:
                _heading(rng, draft, text, number)
        elif kind == "pre":
            for line in text.split("\n")[:12]:
                draft.add(line)
        else:
            draft.add(bullet.format(at) + text if kind == "li" else text)
        if rng.random() < noise:
            rng.choice(
                [
                    lambda: caption(rng, draft),
                    lambda: draft.add(rng.choice(FRAGMENTS), body=False),
                    lambda: draft.add(fragment(rng, draft, 20, 80), body=False),
                ]
            )()


def joined(rng: random.Random, draft: Draft) -> None:
    """Paragraphs as long as those of newspapers: the manual's short ones put together."""
    goal = rng.choice([200, 400, 700, 1200, 2500])
    kept: list[tuple[str, str]] = []
    for kind, text in draft.blocks:
        if kind == "h" and kept and rng.random() < 0.8:
            continue
        if (
            kind != "h"
            and kept
            and kept[-1][0] == "p"
            and len(kept[-1][1]) < goal * rng.uniform(0.4, 1.2)
        ):
            kept[-1] = ("p", f"{kept[-1][1]} {text}")
        elif kind != "h":
            kept.append(("p", text))
        else:
            kept.append((kind, text))
    draft.blocks = kept
    rng.choices([plain, questions, listing, law], [8, 1, 1, 1])[0](rng, draft)


def clean(rng: random.Random, draft: Draft) -> None:
    """Paragraphs of a few sentences and nothing else."""
    size = rng.choice([1, 1, 2, 3, 5])
    most = rng.choice([6, 12, 20, 40, 80])
    parts = [
        s for k, t in draft.blocks if k == "p" or (k == "li" and len(t) > 60) for s in sentences(t)
    ]
    for at in range(0, min(len(parts), most * size), size):
        draft.add(" ".join(parts[at : at + size]))


def questions(rng: random.Random, draft: Draft) -> None:
    """An interview or a press conference: speakers, questions, answers."""
    ask, answer = rng.choice(ASK)
    named = rng.random() < 0.5
    speakers = [names(rng, draft) for _ in range(rng.randint(2, 7))]
    label = rng.choice(NAMED)
    host = rng.random() < 0.5
    for kind, text in draft.blocks:
        if kind == "h" or rng.random() < 0.25:
            if named:
                draft.add(
                    label.format(speakers[-1] if host else rng.choice(speakers)),
                    body=rng.random() < 0.7,
                )
            draft.add(ask + fragment(rng, draft, 40, 200) + rng.choice(["?", "?", ".", "？"]))
            if named:
                draft.add(label.format(rng.choice(speakers)), body=rng.random() < 0.7)
            draft.add(answer + text)
        else:
            draft.add(text)


def law(rng: random.Random, draft: Draft) -> None:
    """A regulation: adoption, contents, chapters, numbered articles."""
    chapter, article = rng.choice(CHAPTERS), rng.choice(ARTICLES)
    heads = [fragment(rng, draft, 10, 40) for _ in range(rng.randint(2, 7))]
    if rng.random() < 0.5:
        draft.add(f"({stamp(rng)} {fragment(rng, draft, 30, 90)})")
    if rng.random() < 0.6:
        draft.add(
            rng.choice(
                [
                    "catalogue",
                    "Contents",
                    "目录",
                    "Inhalt",
                    "Índice",
                    "Содержание",
                    names(rng, draft),
                ]
            )
        )
        for at, head in enumerate(heads, 1):
            draft.add(chapter.format(at) + " " + head)
    parts = [
        s
        for k, t in draft.blocks
        if k != "pre"
        for s in (sentences(t) if rng.random() < 0.5 else [t])
    ]
    every = max(2, len(parts) // len(heads))
    flush = rng.random() < 0.5
    for at, text in enumerate(parts):
        if at % every == 0 and at // every < len(heads):
            draft.add(chapter.format(at // every + 1) + " " + heads[at // every], body=not flush)
        draft.add((article.format(at + 1) if rng.random() < 0.9 else "") + text, body=not flush)


def listing(rng: random.Random, draft: Draft) -> None:
    """Ten spas, eighteen questions: numbered headings, each with a little text."""
    mark = rng.choice(NUMERALS)
    texts = [t for k, t in draft.blocks if k in {"p", "li"}]
    number = 0
    for text in texts:
        if rng.random() < 0.6:
            number += 1
            head = (
                fragment(rng, draft, 15, 70)
                if rng.random() < 0.7
                else (sentences(text) or [text])[0][:120]
            )
            draft.add(
                f"{mark.format(number)} {head}{rng.choice(['', '', '?', '.', ':'])}",
                body=rng.random() < 0.4,
            )
            if rng.random() < 0.2:
                caption(rng, draft)
        draft.add(text)


def verse(rng: random.Random, draft: Draft) -> None:
    """Lines of a poem, or of a slide show: a few words each."""
    strip = rng.random() < 0.7
    for kind, text in draft.blocks:
        for part in sentences(text) if kind != "pre" else []:
            for piece in re.split(r"(?<=[,;:，、；])\s*", part):
                line = piece.strip(" ,.;:，。") if strip else piece
                draft.add(line[:140], body=False)
        if rng.random() < 0.2:
            draft.add(rng.choice(FRAGMENTS), body=False)


def annexed(rng: random.Random, draft: Draft) -> None:
    """A notice: number, addressees, signature, date; then the regulation under its own title."""
    draft.add(f"{names(rng, draft)} [{rng.randint(1999, 2025)}] {rng.randint(1, 300)}", body=False)
    draft.add(fragment(rng, draft, 30, 90) + ":", body=rng.random() < 0.5)
    texts = [t for k, t in draft.blocks if k in {"p", "li"}]
    for text in texts[: rng.randint(1, 2)]:
        draft.add(text)
    draft.add(names(rng, draft), body=False)
    draft.add(stamp(rng), body=False)
    cut = draft.title.split()
    inner = " ".join(cut[len(cut) // 3 :]) if len(cut) > 3 else draft.title
    draft.add(inner + rng.choice(["", " (annex)", ""]), body=False)
    law(rng, draft)


def brief(rng: random.Random, draft: Draft) -> None:
    """A short official text: two or three paragraphs."""
    texts = [t for k, t in draft.blocks if k == "p"]
    for text in texts[: rng.choice([1, 2, 2, 3, 4])]:
        draft.add(text)


def single(rng: random.Random, draft: Draft) -> None:
    """The whole text on one line."""
    draft.add(rng.choice([" ", "  ", " "]).join(t for k, t in draft.blocks if k != "pre"))


Format = Callable[[random.Random, Draft], None]
FORMATS: list[tuple[int, Format]] = [
    (15, plain),
    (20, joined),
    (22, clean),
    (6, questions),
    (7, law),
    (7, listing),
    (4, verse),
    (4, annexed),
    (16, brief),
    (9, single),
]


def render(
    rng: random.Random, article: Article, exchange: Callable[[str], str], form: Format | None
) -> Draft:
    """Make the lines of an article; the first is its title, unless it has none.

    `form`: how the text is laid out; chosen here when None.
    """
    base = [(kind, exchange(text)) for kind, text in article.blocks]
    draft = Draft(exchange(article.title), base)
    draft.title = headline(rng, draft, article.package)
    titled = rng.random() < 0.97
    if titled:
        draft.add(draft.title, body=False)
        lead = next((i for i, (k, t) in enumerate(base) if k == "p"), None)
        if lead is not None and base[lead][1].startswith(draft.title[:60]) and rng.random() < 0.5:
            draft.blocks = base[:lead] + base[lead + 1 :] or base
    make = form or rng.choices([f for _, f in FORMATS], [w for w, _ in FORMATS])[0]
    if make not in (single, clean) or rng.random() < 0.3:
        _opening(rng, draft)
    make(rng, draft)
    if sum(len(line) for line, _ in draft.lines) < LEAST + len(draft.title):
        for _, text in base:
            draft.add(text)
    if make is not clean:
        _closing(rng, draft)
    if not titled and rng.random() < 0.3:
        line, body = draft.lines[0]
        draft.lines[0] = (f"date {stamp(rng)} {line}", body)
    return draft
