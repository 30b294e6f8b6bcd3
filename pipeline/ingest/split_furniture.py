"""Lines that belong to the site and not to an article.

Holds: `furniture_reason`, `is_weak`. Pure functions of one line. Not here: where such a line counts
(only at the edges of a page or between documents: `split.py`), rows of known words
(`split_rows.py`), the phrases (`furniture.toml`).

A line counts only if phrases that are known are all that stands there, names of archives, of paths
and of other articles apart: what is not known for sure stays with the article.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from pipeline.ingest.split_phrases import phrases
from pipeline.ingest.split_rows import Row, bits, folded, read_row

LONGEST: Final = 120
"""Characters of a line beyond which it is taken for text."""

_MARKS: Final = " \t.…»«>›<‹→←↓↑⇧⇑⇐⇒↩▲△▼▽►◄▶◀▸◂|｜¦·•●■◆★♦–—-_=~*+[]()（）【】:：!！,，、/／"
_LAYERS = re.compile(r"\s*[>»›＞→]\s*|\s+/\s+")
_LAYERED = re.compile(r"[>»›＞→/]")
_BARS = re.compile(r"[|·•]|\s[–—-]\s")
_GAP = re.compile(r"\.{2,}|…")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"(?:19|20)\d\d\s?[-./年년]\s?\d|\d[-./]\s?(?:19|20)\d\d")
_DATED = re.compile(r"(?:copyright\s*)?(?:©|\(c\)|copyright)\s*(?:19|20)\d\d")
_OWNED = re.compile(r"(?:copyrights?\s*(?:©|\(c\))|©\s*copyrights?)\s*(?:by\s+)?(?:19|20)\d\d")
_OWNERS: Final = ("©", "(c)", "copyright")
_LEAST_LAYERS: Final = 3
"""Parts of a path whose parts a slash divides: "Home / Away" is none."""
_LEAST_PAGES: Final = 3
"""Numbers of pages, one behind the other, that make a pagination."""
_PAIR: Final = 2
_MOST_GAPS: Final = 2
_LEAST_WORDS: Final = 3
"""Phrases that make a row with nothing but blanks between them."""
_MOST_OWNERS: Final = 6
"""Words before "all rights reserved" beyond which a line is a sentence."""
_TEXT_ENDS: Final = (".", "!", "?", "。", "！", "？")
_KEY: Final = 2
"""Characters by which beginnings are looked up."""

_SURE: Final = bits("navigation", "posts", "comments", "skips")
_JOINED: Final = bits("menus", "navigation", "posts", "homes")
"""Kinds of which two may stand behind each other with no more than a blank between."""
_BARE: Final = bits("entries")
"""Kinds of which it takes three."""
_SENT: Final = bits("networks", "menus")
_NETWORKS: Final = bits("networks")
_SHARES: Final = bits("shares")
_COUNTED: Final = bits("counted")
_COMMENTED: Final = bits("comments", "counted")
_WEAK: Final = bits("menus", "networks", "homes", "shares", "turns", "entries", "counted")


def _all(*kinds: str) -> frozenset[str]:
    return frozenset(folded(phrase) for kind in kinds for phrase in phrases(kind))


def _starts(kind: str) -> dict[str, tuple[str, ...]]:
    """Return the phrases of a kind by their first characters."""
    found: dict[str, list[str]] = {}
    for phrase in sorted(_all(kind)):
        found.setdefault(phrase[:_KEY], []).append(phrase)
    return {key: tuple(listed) for key, listed in found.items()}


_ARCHIVE_NAMES = _all("archives")
_LABEL_NAMES = _all("labels")
_SURE_NAMES = _all("navigation", "posts", "comments", "skips", "rights")
_SHARE_STARTS = _starts("shares")
_PROMPT_STARTS = _starts("prompts")
_LIST_STARTS = _starts("listed")
_LISTING_STARTS = _starts("listings")
_POSTED_STARTS = _starts("posted")
_POWERED_STARTS = _starts("powered")
_ENDINGS = tuple(sorted(_all("endings")))
_RIGHTS = tuple(sorted(_all("rights")))
_SOFTWARE = tuple(sorted(_all("software")))
_HOMES = _all("homes")
_PLACES = _all("places")
_OTHERS = _all("others")
_LINKS = _all("menus", "entries", "navigation") - _OTHERS


def furniture_reason(line: str, *, opens: bool) -> str | None:
    """Return why a line is furniture, or None when it may be text.

    Args:
        line: one line of a page.
        opens: whether it stands before the text. Labels such as "Tag: …" name an archive there;
            after the text they belong to the article, as its closing credits do.
    """
    line = line.strip()
    if len(line) > LONGEST:
        return None
    small = folded(line)
    bare = small.strip(_MARKS)
    if bare in _SURE_NAMES or _begins(small, _PROMPT_STARTS) or _is_imprint(small):
        return "navigation"
    if _shares(bare) or _is_row(small) or _is_path(small) or _names_another(small):
        return "navigation"
    if _lists(small, bare) or (opens and _names_archive(small)):
        return "archive_heading"
    return "navigation" if _is_filed(small) else None


def is_weak(line: str) -> bool:
    """Whether a line is furniture beside others, too little by itself: "Print", "Facebook".

    Args:
        line: one line of a page that is no furniture by itself.
    """
    line = line.strip()
    if len(line) > LONGEST:
        return False
    small = folded(line)
    if _DATED.match(small):
        return True
    if small.endswith(_TEXT_ENDS) or small == "x":
        return False
    row = read_row(small)
    return bool(row and row.words and not row.numbers and row.all_of(_WEAK) and row.agrees)


def _begins(line: str, starts: dict[str, tuple[str, ...]]) -> bool:
    listed = starts.get(line[:_KEY])
    return listed is not None and line.startswith(listed)


def _lists(line: str, bare: str) -> bool:
    """Whether a line says which articles a page lists, as a blog does: "Showing posts from …"."""
    return _begins(line, _LISTING_STARTS) or bare.endswith(_ENDINGS)


def _shares(line: str) -> bool:
    """Whether a line offers to share the page: "Share on Facebook", "Share: Facebook | Print"."""
    starts = _SHARE_STARTS.get(line[:_KEY], ())
    return any(_sends(start, line[len(start) :]) for start in starts if line.startswith(start))


def _sends(start: str, rest: str) -> bool:
    row = read_row(rest)
    if row is None or not row.words or not row.all_of(_SENT | _SHARES):
        return False
    return rest.strip(_MARKS) != "x" or " " in start


def _is_row(line: str) -> bool:
    """Whether a line is a menu or tells pages: "Comments | Print", "Previous 1 2 … 39 Next"."""
    row = read_row(line)
    if row is None or _DATE.search(line):
        return False
    if _tells_pages(row, line):
        return True
    if len(row.words) == _PAIR and line.endswith(" x"):
        return False  # what "Share on X" is `_shares` knows; "Del X" is a part of a series
    if len(row.words) > 1:
        return row.agrees and (_has_cells(row) if row.cells > 1 else _is_joined(row))
    kinds = row.words[0].kinds if row.words else 0
    return bool(kinds & _COUNTED if row.numbers else kinds & _SURE)


def _has_cells(row: Row) -> bool:
    return len(row.words) >= _LEAST_WORDS or not row.all_of(_BARE)


def _is_joined(row: Row) -> bool:
    """Whether phrases with no more than blanks between them are a row."""
    if row.count(_SHARES) and row.count(_NETWORKS):
        return True
    if row.all_of(_JOINED) and row.count(_SURE):
        return True
    return len(row.words) >= _LEAST_WORDS + row.all_of(_BARE)


def _tells_pages(row: Row, line: str) -> bool:
    """Whether numbers count pages: each the next, or with a gap: "1 2 3", "4 5 … 18 Next"."""
    steps = [after - before for before, after in pairwise(row.numbers)]
    if len(steps) + 1 < _LEAST_PAGES or min(steps) < 1:
        return False
    gaps = len(_GAP.findall(line))
    return sum(step > 1 for step in steps) <= gaps <= _MOST_GAPS


def _is_path(line: str) -> bool:
    """Whether a line says where a page stands: "Home > Tags > Harbour", "You are here: News"."""
    name, colon, rest = line.partition(":")
    if colon and name.strip(_MARKS) in _PLACES:
        return bool(rest.strip())
    if not _LAYERED.search(line):
        return False
    parts = _LAYERS.split(line.lstrip(_MARKS))
    is_sure = len(parts) >= _LEAST_LAYERS or (len(parts) > 1 and " / " not in line)
    return is_sure and parts[0].strip(_MARKS) in _HOMES


def _names_another(line: str) -> bool:
    """Whether a line names the article before or behind this one: "Next: …"."""
    name, colon, rest = line.partition(":")
    name = name.strip(_MARKS)
    if name in _LINKS and ":" in rest:
        name, colon, rest = rest.partition(":")  # "Link: next article: …"
    return bool(colon and rest.strip()) and name.strip(_MARKS) in _OTHERS


def _is_imprint(line: str) -> bool:
    """Whether a line says whose a site is or what it runs on, and nothing else."""
    if _begins(line, _POWERED_STARTS):
        return any(name in line for name in _SOFTWARE)
    if not line.startswith(_OWNERS):
        return _is_reserved(line.rstrip(_MARKS))
    return bool(_OWNED.match(line)) or any(right in line for right in _RIGHTS)


def _is_reserved(line: str) -> bool:
    """Whether a line ends so: "The Harbour Times 2019. All rights reserved"."""
    if not line.endswith(_RIGHTS):
        return False
    right = max((right for right in _RIGHTS if line.endswith(right)), key=len)
    owner = line[: -len(right)]
    return len(owner.split()) <= _MOST_OWNERS and ("©" in owner or bool(_YEAR.search(owner)))


def _is_filed(line: str) -> bool:
    """Whether a line says where a post is filed and asks for comments: "In Port | 3 comments"."""
    if not _begins(line, _POSTED_STARTS):
        return False
    *others, last = _BARS.split(line)
    row = read_row(last)
    return bool(others) and row is not None and row.count(_COMMENTED) > 0


def _names_archive(line: str) -> bool:
    """Whether a line is the heading of a list of articles: "Tag archives: …", "Archive for …"."""
    name, colon, rest = line.partition(":")
    name = name.strip()
    if line in _ARCHIVE_NAMES or (colon and name in _ARCHIVE_NAMES):
        return True
    if _begins(line, _LIST_STARTS):
        return True
    return bool(colon and rest.strip()) and name in _LABEL_NAMES
