"""Opening the stores that the settings name.

Holds: `session`, `corpus_session`, `open_landing`. Not here: the tasks (`night.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline import config
from pipeline.model.settings import Settings
from pipeline.runner.night import Night
from pipeline.storage.open import open_store
from pipeline.storage.store import Store
from pipeline.storage.units import Corpus, open_corpus


@contextmanager
def session(settings: Settings) -> Iterator[Night]:
    """Open the landing area and the corpus, making this if need be, and yield the night's tasks."""
    with corpus_session(settings, create=True) as corpus:
        yield Night(corpus, open_landing(settings), settings.run_settings())


def open_landing(settings: Settings) -> Store:
    """Open the landing area, for reading."""
    return open_store(
        settings.store.landing,
        endpoint_url=settings.store.endpoint_url,
        region=settings.store.region,
    )


@contextmanager
def corpus_session(settings: Settings, *, create: bool = False) -> Iterator[Corpus]:
    """Open the corpus alone: enough to ask and to verify.

    Args:
        settings: where the corpus is.
        create: make its bucket or folder when it does not exist; who only asks must not.

    Raises:
        ConfigError: there is no such bucket or folder.
    """
    config.use_credentials(settings)
    store = open_store(
        settings.store.corpus,
        endpoint_url=settings.store.endpoint_url,
        region=settings.store.region,
        create=create,
    )
    next(iter(store.list_folders()), None)  # a bucket that does not exist says so
    with open_corpus(store) as corpus:
        yield corpus
