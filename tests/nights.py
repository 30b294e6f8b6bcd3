"""Helpers to run whole nights on a local or S3 store and to compare corpora byte by byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from pipeline import runner
from pipeline.dedup import selftest
from pipeline.model.manifest import SelfTest
from pipeline.model.settings import DedupSettings, PlanSettings, Settings, StoreSettings
from pipeline.storage.store import Store

DATA_TABLES = ("documents/", "verdicts/", "quarantine/")
SHARD_BYTES = 90_000
"""With which a night of the demo has some three shards, and not twelve."""
TREES = (*DATA_TABLES, *(f"monthly/{table}" for table in DATA_TABLES))


def settings_for(
    landing: str, corpus: str, *, endpoint_url: str | None = None, shard_bytes: int = 20_000
) -> Settings:
    """Return default settings on two URLs, with tiny shards so that every stage is mapped."""
    return Settings(
        store=StoreSettings(landing=landing, corpus=corpus, endpoint_url=endpoint_url),
        plan=PlanSettings(quiet_seconds=0, shard_bytes=shard_bytes, range_bytes=100_000),
    )


def land(store: Store, files: Iterable[tuple[str, bytes]]) -> None:
    """Put dump files into the landing area."""
    for key, data in files:
        store.put(key, data)


def run(settings: Settings, dump_date: str, run_id: str, **options: Any) -> Mapping[str, object]:
    """Process one night and return what its commit said."""
    with runner.session(settings) as night:
        return dict(runner.run_night(night, dump_date, run_id, **options))["commit"]


def published_bytes(store: Store, trees: Sequence[str] = DATA_TABLES) -> dict[str, str]:
    """Return key → sha256 of every file in the plain trees that must not depend on the runs."""
    found = {}
    for tree in trees:
        for info in store.list(tree):
            found[info.key] = hashlib.sha256(store.get(info.key)[0]).hexdigest()
    return found


@contextmanager
def one_trial() -> Iterator[None]:
    """Let the nights of a process, and of its children, share the self-test of each rule.

    What is measured follows from the rule and the function that signs, and takes as long as all
    else of a tiny night. It is still judged in every run.
    """
    measure = selftest.measure
    measured: dict[Any, SelfTest] = {}

    def once(
        settings: DedupSettings, *, fingerprint: str = "", signer: selftest.Signer | None = None
    ) -> SelfTest:
        rule = settings, signer or selftest.sign
        if rule not in measured:
            measured[rule] = measure(settings, signer=signer)
        return msgspec.structs.replace(measured[rule], fingerprint=fingerprint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selftest, "measure", once)
        yield
