"""Fixtures of whole nights: settings and a landing area on fresh local folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.model.settings import Settings
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from tests.nights import settings_for


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    """Return settings on two fresh local folders."""
    (tmp_path / "landing").mkdir()
    return settings_for(str(tmp_path / "landing"), str(tmp_path / "corpus"))


@pytest.fixture
def landing(local: Settings) -> Store:
    """Return the landing area of the `local` settings."""
    return open_store(local.store.landing)
