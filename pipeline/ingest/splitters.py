"""What a splitter is, and how settings name one.

Holds: `Splitter`, `Split`, `resolve`, `names`, `splitter_id`. Reads the entry points of packages
and the built-in splitter's model file.
Not here: what it returns (`segments.py`), the built-in splitter (`split.py`).

A splitter is one callable from the text of a page to segments that tile it. A package adds one for
a layout of its own as an entry point `name = "module:factory"` in the group `winnow.splitters`
(docs/formats.md has an example).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol

import msgspec

from pipeline.errors import ConfigError
from pipeline.ingest.segments import Segment, check_tiling
from pipeline.model.settings import IngestSettings

GROUP: Final = "winnow.splitters"
MODEL: Final = Path(__file__).with_name("split_model.npz")
PHRASES: Final = Path(__file__).with_name("furniture.toml")
RULES: Final = b"8"
"""Raised whenever the splitter `page` may cut a text differently by the same model."""
BUILT_IN: Final = {
    "none": "pipeline.ingest.segments:whole",
    "page": "pipeline.ingest.split:split_page",
}


class Split(Protocol):
    """The one callable that a splitter is."""

    def __call__(self, text: str, *, settings: IngestSettings) -> Sequence[Segment]:
        """Cut a text into segments that tile it, in order; none for an empty text.

        It must depend on nothing but its arguments. Bytes that could not be decoded are U+FFFD.
        """
        ...


class Splitter(msgspec.Struct, frozen=True):
    """A callable with its name and version.

    `version` is part of what shards are named by: raise it whenever the callable may cut a text
    differently, so that nights that were split by the older one are due again.
    """

    name: str
    version: str
    split: Split

    @property
    def id(self) -> str:
        """Name and version, as they enter fingerprints."""
        return f"{self.name}+{self.version}"

    def segments(self, text: str, settings: IngestSettings) -> Sequence[Segment]:
        """Split a text and check that nothing of it is lost.

        Raises:
            ContractError: the segments do not tile the text.
        """
        found = self.split(text, settings=settings)
        check_tiling(text, found, self.id)
        return found


@cache
def resolve(name: str) -> Splitter:
    """Return the splitter that settings name.

    Raises:
        ConfigError: no such splitter, or an entry point that makes something else.
    """
    if name in BUILT_IN:
        module, _, function = BUILT_IN[name].partition(":")
        split = getattr(import_module(module), function)
        return Splitter(name=name, version=_built_in_version(name, MODEL), split=split)
    point = next((point for point in entry_points(group=GROUP) if point.name == name), None)
    if point is None:
        raise ConfigError(
            f"ingest.splitter: expected one of {', '.join(names())}, found {name!r}. Correct the "
            f"name, or install the package that provides it (entry point {GROUP})."
        )
    made = point.load()()
    if not isinstance(made, Splitter):
        raise ConfigError(
            f"ingest.splitter: expected {point.value} to return a Splitter, found "
            f"{type(made).__name__}. See docs/formats.md."
        )
    return made


def names() -> list[str]:
    """Return the names of all splitters, built in and installed."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def splitter_id(name: str, model: Path = MODEL) -> str:
    """Name a splitter as it enters fingerprints; loads none that is built in.

    Raises:
        ConfigError: no such splitter.
    """
    if name in BUILT_IN:
        return f"{name}+{_built_in_version(name, model)}"
    return resolve(name).id


@cache
def _built_in_version(name: str, model: Path) -> str:
    """Return the hash of rules, phrases and model for the splitter that has them.

    They are read once a process.
    """
    if name == "none":
        return "1"
    learned = PHRASES.read_bytes() + model.read_bytes()
    return f"sha256-{hashlib.sha256(RULES + learned).hexdigest()[:12]}"
