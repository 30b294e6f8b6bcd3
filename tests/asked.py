"""An annotator of a package of its own, which remembers the texts that it was asked about.

Holds: `install`, `ANNOTATORS`. Its columns are those of `dates`, in whose place it stands.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from pipeline.enrich.annotator import resolve

ANNOTATORS = ("language", "topic", "quality", "personal", "forms", "translation", "asked")

_MODULE = """
import msgspec
from pipeline.enrich import stated_dates

ASKED = []

def asked(version="1"):
    real = stated_dates.annotator()

    def annotate(texts, earlier):
        ASKED.extend(texts.to_pylist())
        return real.annotate(texts, earlier)

    return msgspec.structs.replace(
        real, name="asked", annotate=annotate, model=f"asked/{version}"
    )
"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Install the package as pip would leave it; return the texts, as they come to be asked."""
    info = folder / "winnow_asked-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "winnow_asked.py").write_text(_MODULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: winnow-asked\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[winnow.annotators]\nasked = winnow_asked:asked\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "winnow_asked", raising=False)
    resolve.cache_clear()
    texts: list[str] = import_module("winnow_asked").ASKED
    return texts
