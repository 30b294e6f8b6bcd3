"""Lines that belong to the site and not to an article.

Holds: `furniture_reason`. Pure function of one line. Not here: where such a line counts (only
at the edges of a page or between documents: `split.py`), the phrases (`split_phrases.py`).

A line counts only if phrases that are known are all that stands there, names of archives, of paths
and of other articles apart: what is not known for sure stays with the article.
"""

from __future__ import annotations

import re
from typing import Final

from pipeline.ingest import split_phrases as known

LONGEST: Final = 120
"""Characters of a line beyond which it is taken for text."""

_MARKS: Final = " \t.…»«>›<‹→←↓↑|｜·•–—-[]()（）【】:：!！,，、/／"
_LAYERS = re.compile(r"\s*[>»›＞→]\s*|\s+/\s+")
_COUNT = re.compile(r"\d+")
_LEAST_LAYERS: Final = 3
"""Parts of a path whose parts a slash divides: "Home / Away" is none."""


def _phrases(*tables: str) -> frozenset[str]:
    return frozenset(part.strip().casefold() for part in "|".join(tables).split("|"))


def _any_of(*tables: str) -> re.Pattern[str]:
    """Return what finds phrases as whole words, the longest first."""
    phrases = sorted(_phrases(*tables), key=lambda phrase: (-len(phrase), phrase))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases))})(?!\w)")


_ARCHIVE_NAMES = _phrases(known.ARCHIVES)
_LABEL_NAMES = _phrases(known.LABELS)
_NAVIGATION_NAMES = _phrases(known.NAVIGATION, known.POSTS, known.COMMENTS, known.SKIPS)
_SHARE_STARTS = tuple(sorted(_phrases(known.SHARES)))
_NETWORK_NAMES = _phrases(known.NETWORKS)
_PROMPT_STARTS = tuple(part.casefold() for part in known.PROMPTS.split("|"))
_LIST_STARTS = tuple(known.LISTED.split("|"))
_HOMES = _phrases(known.HOMES)
_PLACES = _phrases(known.PLACES)
_OTHERS = _phrases(known.OTHERS)
_COUNTED = _phrases(known.COUNTED)
_GLUE = _any_of(known.GLUE)
_WORDS = _any_of(known.MENUS, known.NAVIGATION, known.POSTS, known.HOMES)
_NETWORKS = _any_of(known.NETWORKS, known.MENUS)


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
    small = line.casefold().replace("：", ":")
    bare = small.strip(_MARKS)
    if bare in _NAVIGATION_NAMES or small.startswith(_PROMPT_STARTS):
        return "navigation"
    if _shares(bare) or _is_row(small) or _is_path(small) or _names_another(small):
        return "navigation"
    if opens and _names_archive(small):
        return "archive_heading"
    return None


def _shares(line: str) -> bool:
    """Whether a line offers to share the page: "Share on Facebook", "Share: Facebook | Print"."""
    rests = [line[len(start) :] for start in _SHARE_STARTS if line.startswith(start)]
    return any(_NETWORKS.search(rest) and _is_empty(_NETWORKS.sub("", rest)) for rest in rests)


def _is_row(line: str) -> bool:
    """Whether a line is a menu or tells pages: "Comments | Print", "Previous 1 2 … 39 Next"."""
    words = _COUNT.sub(" ", line)
    found = _WORDS.findall(words)
    if not found or not _is_empty(_GLUE.sub("", _WORDS.sub("", words))):
        return False
    return len(found) > 1 or (words != line and found[0] in _COUNTED)


def _is_path(line: str) -> bool:
    """Whether a line says where a page stands: "Home > Tags > Harbour", "You are here: News"."""
    name, colon, rest = line.partition(":")
    if colon and name.strip(_MARKS) in _PLACES:
        return bool(rest.strip())
    parts = _LAYERS.split(line)
    is_sure = len(parts) >= _LEAST_LAYERS or (len(parts) > 1 and " / " not in line)
    return is_sure and parts[0].strip(_MARKS) in _HOMES


def _names_another(line: str) -> bool:
    """Whether a line names the article before or behind this one: "Next: …"."""
    name, colon, rest = line.partition(":")
    return bool(colon and rest.strip()) and name.strip(_MARKS) in _OTHERS


def _is_empty(line: str) -> bool:
    return not line.strip(_MARKS)


def _names_archive(line: str) -> bool:
    """Whether a line is the heading of a list of articles: "Tag archives: …", "Archive for …"."""
    name, colon, rest = line.partition(":")
    name = name.strip()
    if line in _ARCHIVE_NAMES or (colon and name in _ARCHIVE_NAMES):
        return True
    if line.startswith(_LIST_STARTS):
        return True
    return bool(colon and rest.strip()) and name in _LABEL_NAMES
