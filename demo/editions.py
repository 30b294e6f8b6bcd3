"""What lands on which night: originals, copies, and things that go wrong.

Holds: `Edition` (the articles of one date), `Planted` (what is known true), `DATES`, `LATE`.
Pure. Not here: bytes and file names (`nights.py`), texts (`grammar.py`).

Every night brings articles of its own, named by date, so any night can quote any other without
being made first. The third night lands last: nights four and five already hold copies of it.
"""

from __future__ import annotations

from functools import cache

import msgspec

from demo.grammar import Article, Voice, load_voices, write_article, write_sentences
from demo.pages import edited

DATES = ("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20")
LATE = 2
FEED_PER_LANGUAGE = 7
TICKER_SENTENCES = 20
TICKER_STEP = 2

# Slices of a night's feed that copies are taken from. They do not overlap, so that every copy has
# one original and the counts of `Planted` are exact.
_EXACT_WITHIN = slice(0, 8)
_NEAR_WITHIN = slice(8, 12)
_EXACT_NEXT = slice(12, 20)
_NEAR_NEXT = slice(20, 24)
_EXACT_SKIP = slice(24, 30)


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """What is known true of one night, once all five nights are in.

    Counts of JSON records are of documents; a reader that takes records apart finds the same.
    `page_articles` counts the articles written into whole pages, `page_copies` those of them that
    stand in a page that is a copy of another page, of this night or an earlier one.
    `retracted` and `restored`: records of this night that the late night takes back and brings
    back.
    """

    records: int
    exact_within: int
    exact_across: int
    near_within: int
    near_across: int
    page_articles: int
    page_copies: int
    retracted: int = 0
    restored: int = 0


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """The articles of one night before they become files.

    `feed` and `wire` become JSON records, `pages` and `again` pages; `wire` holds only copies,
    `again` pages that already stand in `pages` of this night or of the night before.
    """

    feed: tuple[Article, ...]
    wire: tuple[Article, ...]
    pages: tuple[tuple[str, tuple[Article, ...]], ...]
    again: tuple[tuple[str, tuple[Article, ...]], ...]
    planted: Planted


@cache
def voices() -> dict[str, Voice]:
    """Return the grammars, read once."""
    return load_voices()


def edition(night: int) -> Edition:
    """Put one night together; `night` counts from 0 in date order."""
    own = _feed(night)
    exact_within, near_within = own[_EXACT_WITHIN], tuple(map(edited, own[_NEAR_WITHIN]))
    exact_across, near_across = _from_earlier(night)
    pages = _pages(night)
    again = pages[:1] + (_pages(night - 1)[1:2] if night else ())
    feed = (*own, ticker(night))
    return Edition(
        feed=feed,
        wire=exact_within + near_within + exact_across + near_across,
        pages=pages,
        again=again,
        planted=Planted(
            records=len(feed) + len(exact_within + near_within + exact_across + near_across),
            exact_within=len(exact_within),
            near_within=len(near_within),
            exact_across=len(exact_across),
            near_across=len(near_across) + (1 if night in {1, 3} else 0),
            page_articles=sum(len(articles) for _, articles in pages + again),
            page_copies=sum(len(articles) for _, articles in again),
            retracted=_retracted(night),
            restored=1 if night == LATE + 2 else 0,
        ),
    )


def ticker(night: int) -> Article:
    """Return a page that changes a little every night.

    Neighbouring nights are similar (Jaccard about .82), nights two apart are not (.67): in date
    order the first, third and fifth night publish it. Without the third, the fourth does; when the
    third arrives late, the fourth is taken back and the fifth brought back.
    """
    voice = voices()["eng"]
    story = write_sentences(voice, "ticker-2", TICKER_SENTENCES + TICKER_STEP * (len(DATES) - 1))
    start = TICKER_STEP * (len(DATES) - 1 - night)
    body = tuple(story[start : start + TICKER_SENTENCES])
    return Article("eng", "politics", "Live: all that happens in Westbrook", body, "")


def _feed(night: int) -> tuple[Article, ...]:
    return tuple(
        write_article(language, voice, f"{DATES[night]}/feed/{number}")
        for number in range(FEED_PER_LANGUAGE)
        for language, voice in voices().items()
    )


def _from_earlier(night: int) -> tuple[tuple[Article, ...], tuple[Article, ...]]:
    """Return copies of last night's articles and of the night before that: exact, near."""
    exact: tuple[Article, ...] = ()
    near: tuple[Article, ...] = ()
    if night >= 1:
        before = _feed(night - 1)
        exact += before[_EXACT_NEXT]
        near += tuple(map(edited, before[_NEAR_NEXT]))
    if night >= 2:
        exact += _feed(night - 2)[_EXACT_SKIP]
    return exact, near


def _retracted(night: int) -> int:
    """Count records kept while the late night is missing, and dropped once it is there."""
    if night == LATE + 1:
        next_night = (_EXACT_NEXT.stop - _EXACT_NEXT.start) + (_NEAR_NEXT.stop - _NEAR_NEXT.start)
        return next_night + 1
    if night == LATE + 2:
        return _EXACT_SKIP.stop - _EXACT_SKIP.start
    return 0


def _pages(night: int) -> tuple[tuple[str, tuple[Article, ...]], ...]:
    """Return a page a language of 5 to 10 articles, every second one with neighbours' articles.

    The last page has articles in eight languages.
    """
    made: list[tuple[str, tuple[Article, ...]]] = []
    every = list(voices().items())
    for index, (_, voice) in enumerate(every):
        heading = voice.tag.replace("{place}", voice.places[(night + index) % len(voice.places)])
        spread = 3 if index % 2 else 1
        articles = []
        for number in range(5 + (night + index) % 6):
            language, speaker = every[(index + number % spread) % len(every)]
            topics = sorted(speaker.topics)
            topic = topics[(night + index + number) % len(topics)]
            name = f"{DATES[night]}/page/{index}/{number}"
            articles.append(write_article(language, speaker, name, topic=topic))
        made.append((heading, tuple(articles)))
    mixed = every[night : night + 8]
    many = tuple(write_article(lang, voice, f"{DATES[night]}/mixed") for lang, voice in mixed)
    return (*made, (f"Category archives: {DATES[night]}", many))
