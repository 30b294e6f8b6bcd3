"""Fixtures of whole nights: settings and a landing area on fresh local folders."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.model.settings import Settings
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from tests.nights import one_trial, settings_for


@pytest.fixture(scope="session", autouse=True)
def _one_trial() -> Iterator[None]:
    """Measure deduplication once for each rule, not in every night."""
    with one_trial():
        yield


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    """Return settings on two fresh local folders."""
    (tmp_path / "landing").mkdir()
    return settings_for(str(tmp_path / "landing"), str(tmp_path / "corpus"))


@pytest.fixture
def landing(local: Settings) -> Store:
    """Return the landing area of the `local` settings."""
    return open_store(local.store.landing)


Once = Callable[[Callable[[], Any]], Any]


@pytest.fixture(scope="module")
def _made() -> dict[str, tuple[Path, Any]]:
    """What `once` has made for tests of this module, by name."""
    return {}


@pytest.fixture
def once(
    local: Settings,  # noqa: ARG001 - its folders are there, and nothing else is yet
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    _made: dict[str, tuple[Path, Any]],
) -> Once:
    """Return a function that fills this test's folders, for the first test of a module by work.

    Others get a copy of the folders, and the same answer, which none of them may change.
    """

    def filled(work: Callable[[], Any]) -> Any:
        name = work.__qualname__.replace("<locals>", "").replace(".", "-")
        if name in _made:
            shutil.copytree(_made[name][0], tmp_path, dirs_exist_ok=True)
            return _made[name][1]
        answer = work()
        kept = tmp_path_factory.mktemp("once") / "folders"
        shutil.copytree(tmp_path, kept)
        _made[name] = kept, answer
        return answer

    return filled
