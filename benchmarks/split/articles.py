"""Turn unpacked documentation packages into articles: a title and blocks of text.

Holds: `Article`, `load`. Reads the cache that `fetch.py` fills; writes `articles.jsonl.gz` there.
Not here: pages made of articles (`pages.py`).

    python benchmarks/split/articles.py CACHE
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import msgspec

ARTICLES = "articles.jsonl.gz"
PER_PACKAGE = 200
"""Articles of one package and language, so that no manual outweighs the others."""
SKIP_TAGS = {"script", "style", "head", "table", "svg", "info", "nav", "footer", "form", "select"}
SKIP_CLASS = re.compile(
    r"nav|toc|footer|header\b|related|sphinxsidebar|headerlink|legalnotice|breadcrumb"
)
BLOCKS = {
    "p",
    "li",
    "dd",
    "dt",
    "div",
    "item",
    "note",
    "section",
    "body",
    "td",
    "blockquote",
    "desc",
}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6", "title"}
VOID = {"br", "img", "hr", "meta", "link", "input", "col", "wbr"}
LANGUAGE = re.compile(
    r"/(?:help|html|text|guide|user|[a-z0-9.-]+-doc)/([a-z]{2,3}(?:[-_@][A-Za-z]+)?)/|\.([a-z]{2}(?:-[a-z]{2})?)\.html$"
)


class Article(msgspec.Struct):
    """A text of its own. `blocks`: (kind, text) with kind `h` (heading), `p`, `li` or `pre`."""

    name: str
    package: str
    language: str
    title: str
    blocks: list[tuple[str, str]]

    @property
    def fold(self) -> int:
        """A number 0-99 by which articles are held out: the same in every translation."""
        stem = re.sub(r"\.[a-z-]+$|\.html$|\.page$", "", self.name.rsplit("/", 1)[-1])
        return int(hashlib.sha256(stem.encode()).hexdigest(), 16) % 100


class _Reader(HTMLParser):
    """Collects headings and paragraphs; passes over navigation, tables and scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[tuple[str, str]] = []
        self.text: list[str] = []
        self.kind = "p"
        self.skip: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            self.text.append(" ")
            return
        classes = " ".join(v or "" for k, v in attrs if k in {"class", "id", "role"})
        if self.skip:
            if tag == self.skip[0]:
                self.skip.append(tag)
            return
        if tag in SKIP_TAGS or (tag != "body" and SKIP_CLASS.search(classes)):
            self.flush()
            self.skip.append(tag)
        elif tag in HEADINGS or tag in BLOCKS or tag in {"pre", "screen", "code-block"}:
            self.flush()
            self.kind = (
                "h"
                if tag in HEADINGS
                else {"li": "li", "pre": "pre", "screen": "pre"}.get(tag, "p")
            )

    def handle_endtag(self, tag: str) -> None:
        if self.skip:
            if tag == self.skip[0]:
                self.skip.pop()
            return
        if tag in HEADINGS or tag in BLOCKS or tag in {"pre", "screen"}:
            self.flush()
            self.kind = "p"

    def handle_data(self, data: str) -> None:
        if not self.skip:
            self.text.append(data)

    def flush(self) -> None:
        text = "".join(self.text)
        self.text = []
        text = (
            text.replace("¶", "").strip("\n")
            if self.kind == "pre"
            else " ".join(text.replace("¶", "").split())
        )
        if text.strip():
            self.blocks.append((self.kind, text))


def _html(path: Path) -> list[tuple[str, str]]:
    reader = _Reader()
    reader.feed(path.read_text("utf-8", "replace"))
    reader.flush()
    return reader.blocks


def _sections(blocks: list[tuple[str, str]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the whole text; and, where it is long, its sections as articles of their own."""
    if not blocks or blocks[0][0] != "h":
        first = next((i for i, (kind, _) in enumerate(blocks) if kind == "h"), None)
        if first is None:
            return
        blocks = blocks[first:]
    yield blocks[0][1], blocks[1:]


def _language(path: Path, package: str) -> str:
    for stem in (
        "aptitude-doc-",
        "debian-reference-",
        "developers-reference-",
        "gimp-help-",
        "libreoffice-help-",
        "maint-guide-",
    ):
        if package.startswith(stem):
            return package.removeprefix(stem).split("-")[0]
    found = LANGUAGE.search(str(path))
    code = (found.group(1) or found.group(2)) if found else "en"
    code = re.split(r"[-_@]", code)[0].lower()
    return "en" if code in {"c", "debian", "html", "usr"} else code


def extract(cache: Path) -> Iterator[Article]:
    """Yield every article of the cache, in the order of the paths."""
    for folder in sorted((cache / "packages").iterdir()):
        counts: dict[str, int] = {}
        paths = [
            p
            for p in folder.rglob("*")
            if p.suffix in {".html", ".page"} and p.is_file() and not p.is_symlink()
        ]
        paths.sort(key=lambda p: hashlib.sha256(str(p.relative_to(folder)).encode()).digest())
        for path in paths:
            language = _language(path, folder.name)
            if counts.get(language, 0) >= PER_PACKAGE:
                continue
            for title, blocks in _sections(_html(path)):
                chars = sum(len(text) for _, text in blocks)
                if chars >= 200 and any(kind == "p" for kind, _ in blocks) and len(title) <= 250:
                    counts[language] = counts.get(language, 0) + 1
                    yield Article(
                        str(path.relative_to(folder)), folder.name, language, title, blocks[:600]
                    )


def load(cache: Path) -> list[Article]:
    """Read the articles that `main` wrote."""
    with gzip.open(cache / ARTICLES) as file:
        return [msgspec.json.decode(line, type=Article) for line in file]


def main(cache: Path) -> None:
    """Write `articles.jsonl.gz`; texts that are there twice (untranslated) are written once."""
    seen: set[bytes] = set()
    partial = cache / f"{ARTICLES}.partial"
    with gzip.GzipFile(partial, "wb", compresslevel=3, mtime=0) as out:
        for article in extract(cache):
            digest = hashlib.sha256(
                "\n".join(t for _, t in article.blocks).encode("utf-8", "replace")
            ).digest()
            if digest not in seen:
                seen.add(digest)
                out.write(msgspec.json.encode(article) + b"\n")
    partial.rename(cache / ARTICLES)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
