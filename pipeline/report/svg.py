"""Figures as inline SVG that follow the colours and the fonts of the page.

Holds: `Figure` set-up (`canvas`), `inline`, the colours. Pure but for matplotlib's own fonts.
Not here: what is drawn (`plots.py`).

Matplotlib writes colours and fonts into every element. Here they are stand-ins, and the page's own
variables take their places, so that a figure is light or dark as its reader wants it.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import Any, Final
from xml.etree import ElementTree as ET

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.report.visible import visible

INK, MUTED, GRID = "#010101", "#020202", "#030303"
KEPT, NEAR, EXACT, RANGE = "#040404", "#050505", "#060606", "#070707"
_VARIABLES: Final = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    KEPT: "var(--kept)",
    NEAR: "var(--near)",
    EXACT: "var(--exact)",
    RANGE: "var(--range)",
}
_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "winnow",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
WIDTH: Final = 3.6
"""Inches: a phone's width, so that letters stay as large there as the text around them."""

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"


def canvas(rows: float) -> tuple[Figure, Axes]:
    """Return an empty figure of the usual width that has room for so many rows of text."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH, 0.45 + 0.26 * rows), layout="constrained")
        FigureCanvasSVG(figure)
        return figure, figure.add_subplot()


def inline(figure: Figure, name: str, *, title: str, text: str) -> Markup:
    """Return a figure as an SVG element with a title and a description.

    Args:
        figure: what `canvas` returned.
        name: begins every id in it; once a page.
        title: its name.
        text: what it shows, for who cannot see it.
    """
    drawn = io.StringIO()
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the page's fonts are others
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(drawn.getvalue())  # noqa: S314 - matplotlib wrote it a moment ago
    for element in root.iter():
        _adapt(element, name)
    for extra in root.findall(f"{_NAMESPACE}metadata"):
        root.remove(extra)
    for defs in root.findall(f"{_NAMESPACE}defs"):
        for style in defs.findall(f"{_NAMESPACE}style"):
            defs.remove(style)
    width, height = root.attrib.pop("width"), root.attrib.pop("height")
    root.set("style", f"aspect-ratio:{width.removesuffix('pt')}/{height.removesuffix('pt')}")
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    for place, (tag, words) in enumerate((("title", title), ("desc", text))):
        label = ET.Element(_NAMESPACE + tag, {"id": f"{name}-{tag}"})
        label.text = visible(words)
        root.insert(place, label)
    ET.register_namespace("", _NAMESPACE[1:-1])
    ET.register_namespace("xlink", _LINK[1:].partition("}")[0])
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - made by an XML writer


def _adapt(element: ET.Element, name: str) -> None:
    """Make ids unique on the page, and colours and fonts those of the page."""
    if "id" in element.attrib:
        element.set("id", f"{name}-{element.get('id')}")
    if _LINK in element.attrib:
        element.set(_LINK, f"#{name}-{element.attrib[_LINK].removeprefix('#')}")
    for attribute in ("clip-path", "style"):
        if attribute in element.attrib:
            value = element.attrib[attribute].replace("url(#", f"url(#{name}-")
            element.set(attribute, _style(value))


def _style(value: str) -> str:
    value = re.sub(r"font(-family)?:[^;]*", _font, value)
    return re.sub(r"#[0-9a-f]{6}", lambda match: _VARIABLES.get(match[0], match[0]), value)


def _font(match: re.Match[str]) -> str:
    size = re.search(r"[\d.]+px", match[0])
    return f"font-size: {size[0]}" if size else ""
