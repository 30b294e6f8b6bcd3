"""Wiki markup to readable text, lightly: a bounded pass without a parser of templates.

Holds: `plain`. Pure. Not here: pages of a dump (`mediawiki.py`).

Templates, tables, comments, references and other nested or tagged matter is left out; of links the
shown part stays. One pass over the tokens and a stack: time grows with the length alone, whatever
the nesting, and markup that is never closed is kept from its opening on.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

_TOKEN = re.compile(r"\{\{|\}\}|\{\||\|\}|\[\[|\]\]")
_CLOSES = {"}}": "{{", "|}": "{|", "]]": "[["}
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_DROPPED = ("ref", "math", "gallery", "timeline", "source", "syntaxhighlight", "score")
_OPENS = re.compile(rf"<({'|'.join(_DROPPED)})\b[^<>]{{0,500}}>", re.IGNORECASE)
_ENDS = {name: re.compile(rf"</{name}\s{{0,9}}>", re.IGNORECASE) for name in _DROPPED}
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_EXTERNAL = re.compile(r"\[(?:https?:)?//[^\s\[\]]{1,2000}(?:[ \t]+([^\[\]\n]{0,1000}))?\]")
_QUOTES = re.compile(r"'{2,5}")
_HEADING = re.compile(r"^(={1,6})[ \t]{0,9}(.{1,300}?)[ \t]{0,9}\1[ \t]{0,9}$", re.MULTILINE)
_MARKER = re.compile(r"^[*#:;]{1,10}[ \t]*", re.MULTILINE)
_MAGIC = re.compile(r"__[A-Z]{3,30}__")
_GAPS = re.compile(r"\n{3,}")
_HIDDEN = re.compile(
    r"\s{0,9}:?\s{0,9}(?:file|image|category|datei|bild|kategorie|fichier|catégorie)\s{0,9}:",
    re.IGNORECASE,
)


def plain(markup: str, hidden: frozenset[str] = frozenset()) -> str:
    """Return the text that a reader of the page would see, roughly.

    `hidden`: what the wiki calls its namespaces of files and categories.
    """
    text = _without_pairs(markup, _COMMENT, "<!--", "-->")
    text = _without_tags(text)
    text = _unnested(text, _of_wiki(hidden))
    text = _EXTERNAL.sub(lambda found: found[1] or "", text)
    text = _QUOTES.sub("", text)
    text = _HEADING.sub(lambda found: found[2], text)
    text = _MAGIC.sub("", _MARKER.sub("", text))
    return _GAPS.sub("\n\n", html.unescape(text)).strip()


def _without_pairs(text: str, pattern: re.Pattern[str], opening: str, closing: str) -> str:
    """Remove pairs; an opening after the last closing is not looked at (it would be quadratic)."""
    last = text.rfind(closing)
    if last < 0 or opening not in text:
        return text
    end = last + len(closing)
    return pattern.sub("", text[:end]) + text[end:]


def _without_tags(text: str) -> str:
    """Leave out what tags enclose, then tags; a name that is not closed is looked for once."""
    parts: list[str] = []
    closed = set(_DROPPED)
    at = 0
    while opened := _OPENS.search(text, at):
        name = opened[1].lower()
        parts.append(text[at : opened.start()])
        at = opened.end()
        if name not in closed or opened[0].endswith("/>"):
            continue
        if end := _ENDS[name].search(text, at):
            at = end.end()
        else:
            closed.remove(name)
    return _TAG.sub("", "".join([*parts, text[at:]]))


@lru_cache(16)
def _of_wiki(names: frozenset[str]) -> re.Pattern[str]:
    shown = "|".join(map(re.escape, sorted(names)))
    return (
        re.compile(rf"\s{{0,9}}:?\s{{0,9}}(?:{shown})\s{{0,9}}:", re.IGNORECASE)
        if shown
        else _HIDDEN
    )


def _unnested(text: str, hidden: re.Pattern[str]) -> str:
    """Leave out templates and tables, and show links, innermost first."""
    stack: list[tuple[str, list[str]]] = [("", [])]
    at = 0
    for token in _TOKEN.finditer(text):
        stack[-1][1].append(text[at : token.start()])
        at = token.end()
        sign = token[0]
        if sign not in _CLOSES:
            stack.append((sign, []))
        elif stack[-1][0] == _CLOSES[sign]:
            opened, parts = stack.pop()
            if opened == "[[":
                stack[-1][1].append(_link("".join(parts), hidden))
    stack[-1][1].append(text[at:])
    return "".join(["".join(parts) for _, parts in stack])


def _link(inside: str, hidden: re.Pattern[str]) -> str:
    """Return what a link shows; files and categories show nothing."""
    if _HIDDEN.match(inside) or hidden.match(inside):
        return ""
    return inside.rpartition("|")[2]
