"""A store of every kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.storage.store import Store
from pipeline.storage.units import Corpus

KINDS = ("memory", "local", pytest.param("s3", marks=pytest.mark.server))


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, store_factory: Callable[[str], Store]) -> Store:
    """Return an empty store, once of each kind."""
    return store_factory(request.param)


@pytest.fixture
def corpus(store: Store, tmp_path: Path) -> Corpus:
    """Return an empty corpus on a store of each kind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Corpus(store, scratch)
