"""Opening stores by URL, and refusing those that cannot publish safely."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo.object_store import ObjectStore
from pipeline.errors import ConfigError
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.open import open_store, probe_conditional_put
from pipeline.storage.s3 import S3Store


class Careless(MemoryStore):
    """A store that forgets one of the two conditions, as some servers do."""

    def __init__(self, forgets: str) -> None:
        """Forget `if_absent` or `if_match`."""
        super().__init__(f"memory://careless-{forgets}")
        self._forgets = forgets

    def put(
        self, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
    ) -> str:
        """Put without looking at the forgotten condition."""
        if self._forgets == "if_absent":
            return super().put(key, data, if_match=if_match)
        return super().put(key, data, if_absent=if_absent)


@pytest.mark.parametrize(
    ("forgets", "expected"), [("if_absent", "to have one winner"), ("if_match", "stale If-Match")]
)
def test_a_store_without_preconditions_is_refused(forgets: str, expected: str) -> None:
    """The probe says what was expected, and leaves nothing behind."""
    store = Careless(forgets)
    with pytest.raises(ConfigError, match=f"{expected}.*found otherwise"):
        probe_conditional_put(store)
    assert list(store.list()) == []


def test_paths_and_file_urls_are_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain path, a relative one and a file URL (escapes decoded) open the same store."""
    folder = tmp_path / "with space"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    opened = [open_store(str(folder)), open_store("with space"), open_store(folder.as_uri())]
    opened[0].put("key", b"value")
    assert {store.url for store in opened} == {folder.as_uri()}
    assert [store.get("key")[0] for store in opened] == [b"value"] * 3


def test_a_missing_folder_is_made_only_when_asked(tmp_path: Path) -> None:
    """A mistyped landing area is an error, not an empty night."""
    with pytest.raises(ConfigError, match="expected a folder at"):
        open_store(str(tmp_path / "none"))
    assert isinstance(open_store(str(tmp_path / "none"), create=True), LocalStore)


def test_a_folder_that_vanishes_is_an_error(tmp_path: Path) -> None:
    """An unmounted landing area is not an empty one."""
    store = open_store(str(tmp_path / "mounted"), create=True)
    (tmp_path / "mounted").rmdir()
    with pytest.raises(ConfigError, match="expected a folder at"):
        list(store.list())


def test_memory_stores_are_found_by_name() -> None:
    """One name is one store in this process."""
    open_store("memory://named").put("key", b"value")
    assert open_store("memory://named").get("key")[0] == b"value"
    assert open_store("memory://other-name").stat("key") is None


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("", "WINNOW_STORE__LANDING"),
        ("gs://bucket/x", "found gs://"),
        ("s3:///prefix", "s3://bucket/prefix"),
        ("s3://key:secret@bucket/x", "Credentials come from"),
        ("s3://bucket/x?versionId=1", "without credentials or query"),
    ],
)
def test_other_urls_are_refused(url: str, match: str) -> None:
    """The message shows the right shape and never the URL's secrets."""
    with pytest.raises(ConfigError, match=match) as caught:
        open_store(url)
    assert "secret@" not in str(caught.value)


@pytest.mark.server
def test_a_bucket_is_made_when_asked(object_store: ObjectStore) -> None:
    """Creating is idempotent, and a store under a prefix sees its own keys alone."""
    for _ in range(2):
        store = open_store("s3://made-by-open/a/b/", endpoint_url=object_store.url, create=True)
    assert isinstance(store, S3Store)
    assert store.url == "s3://made-by-open/a/b"
    store.put("c/key", b"value")
    whole = open_store("s3://made-by-open", endpoint_url=object_store.url)
    assert [info.key for info in whole.list()] == ["a/b/c/key"]
    assert [info.key for info in store.list()] == ["c/key"]
    assert (list(whole.list_folders()), list(store.list_folders())) == (["a"], ["c"])
