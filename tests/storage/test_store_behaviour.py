"""What every store promises, checked on memory, a local folder and a real S3 server."""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import ChangedError, ConflictError, CorruptError, MissingError
from pipeline.model.files import FileRef, ObjectInfo
from pipeline.storage.open import probe_conditional_put
from pipeline.storage.store import Store

MB = 1024 * 1024


def md5(data: bytes) -> str:
    """Return the ETag that a plain object must have."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def ref_of(key: str, data: bytes) -> FileRef:
    """Return the right reference to `data` at `key`."""
    return FileRef(key, hashlib.sha256(data).hexdigest(), len(data), 0)


def won(store: Store, key: str, data: bytes, **condition: object) -> bool:
    """Put under a condition and say whether it was met."""
    try:
        store.put(key, data, **condition)
    except ConflictError:
        return False
    return True


def race(store: Store, key: str, **condition: object) -> list[bytes]:
    """Let eight different conditional puts of one key start together; return who won."""
    start = threading.Barrier(8)

    def put(number: int) -> bytes | None:
        data = f"{uuid.uuid4().hex} by writer {number}".encode()
        start.wait()
        return data if won(store, key, data, **condition) else None

    with ThreadPoolExecutor(8) as pool:
        return [data for data in pool.map(put, range(8)) if data is not None]


def test_get_returns_what_was_put_with_its_etag(store: Store) -> None:
    """The bytes come back whole, with the MD5 as ETag."""
    etag = store.put("a/b.json", b"some bytes")
    assert (etag, store.get("a/b.json")) == (md5(b"some bytes"), (b"some bytes", etag))


def test_an_empty_object_is_an_object(store: Store) -> None:
    """Zero bytes are put, listed and read like any others."""
    store.put("a/empty", b"")
    assert store.get("a/empty") == (b"", md5(b""))
    assert store.open("a/empty").read() == b""
    assert [info.size for info in store.list()] == [0]


def test_put_replaces(store: Store) -> None:
    """The last unconditional put is what a reader sees."""
    store.put("key", b"first")
    store.put("key", b"second")
    assert store.get("key")[0] == b"second"


def test_stat_tells_size_and_etag(store: Store) -> None:
    """A stat agrees with the listing."""
    store.put("a/b", b"four")
    info = store.stat("a/b")
    assert info is not None
    assert (info.key, info.size, info.etag) == ("a/b", 4, md5(b"four"))
    assert [(found.key, found.size, found.etag) for found in store.list()] == [
        (info.key, info.size, info.etag)
    ]


def test_what_does_not_exist_is_missing(store: Store) -> None:
    """Get, open, fetch and copy say so; stat returns None; delete passes over it."""
    store.put("other", b"")
    assert store.stat("none") is None
    store.delete(["none"])
    for call in (store.get, store.open):
        with pytest.raises(MissingError, match="none"):
            call("none").read()  # type: ignore[attr-defined]
    with pytest.raises(MissingError):
        store.copy("none", "target")
    with pytest.raises(MissingError):
        store.fetch(ref_of("none", b""), Path(os.devnull).parent)


def test_if_absent_refuses_an_existing_key(store: Store) -> None:
    """The first put stays."""
    assert won(store, "key", b"first", if_absent=True)
    assert not won(store, "key", b"second", if_absent=True)
    assert store.get("key")[0] == b"first"


def test_if_absent_refuses_even_equal_bytes(store: Store) -> None:
    """Only the writer itself may take a put for its own, never one that wrote the same."""
    store.put("key", b"same", if_absent=True)
    assert not won(store, "key", b"same", if_absent=True)


def test_if_match_takes_the_right_etag_only(store: Store) -> None:
    """A stale ETag, and a key that does not exist, are conflicts."""
    etag = store.put("key", b"first")
    assert won(store, "key", b"second", if_match=etag)
    assert not won(store, "key", b"third", if_match=etag)
    assert not won(store, "absent", b"third", if_match=etag)
    assert store.get("key")[0] == b"second"
    assert store.stat("absent") is None


def test_exactly_one_of_eight_creators_wins(store: Store) -> None:
    """Creating under `if_absent` is atomic, and the winner's bytes are the stored ones."""
    for key in ("one", "two", "three"):
        assert race(store, key, if_absent=True) == [store.get(key)[0]]


def test_exactly_one_of_eight_swaps_wins(store: Store) -> None:
    """Replacing under `if_match` is atomic."""
    etag = store.put("key", b"start")
    for _ in range(3):
        assert race(store, "key", if_match=etag) == [store.get("key")[0]]
        etag = store.get("key")[1]


def test_the_probe_accepts_the_store_and_leaves_nothing(store: Store) -> None:
    """A store of ours enforces conditional puts, and the probe cleans up."""
    probe_conditional_put(store)
    assert list(store.list()) == []


def test_list_yields_the_prefix_only(store: Store) -> None:
    """A prefix is plain text: it may end inside a name."""
    for key in ("a/b/1", "a/b/2", "a/bc/3", "a/d", "e"):
        store.put(key, b"")
    assert sorted(info.key for info in store.list("a/b")) == ["a/b/1", "a/b/2", "a/bc/3"]
    assert sorted(info.key for info in store.list("a/b/")) == ["a/b/1", "a/b/2"]
    assert len(list(store.list())) == 5
    assert list(store.list("nothing/here/")) == []


def test_list_folders_names_one_level(store: Store) -> None:
    """Folders are named without slashes; files beside them are not folders."""
    for key in ("a/x/1", "a/y/1", "a/y/2", "a/file", "b/z/1", "top"):
        store.put(key, b"")
    assert sorted(store.list_folders()) == ["a", "b"]
    assert sorted(store.list_folders("a/")) == ["x", "y"]
    assert list(store.list_folders("a/x/")) == []


def test_one_key_is_not_several(store: Store) -> None:
    """A plain string is refused; its characters are not taken for keys."""
    for key in ("key", "k"):
        store.put(key, b"")
    with pytest.raises(TypeError, match="expected several keys, found the text 'key'"):
        store.delete("key")
    assert sorted(info.key for info in store.list()) == ["k", "key"]


def test_deleted_objects_and_their_folders_are_gone(store: Store) -> None:
    """After a delete neither the key nor an empty folder is listed."""
    store.put("a/b/1", b"")
    store.put("a/2", b"")
    store.delete(iter(["a/b/1", "a/b/none"]))
    assert [info.key for info in store.list()] == ["a/2"]
    assert store.stat("a/b/1") is None


def test_copy_replaces_the_target(store: Store) -> None:
    """The target gets the source's bytes and keeps none of its own."""
    store.put("source", b"new")
    store.put("x/target", b"old and longer")
    store.copy("source", "x/target")
    assert store.get("x/target") == store.get("source")


def test_open_reads_in_pieces(store: Store) -> None:
    """A sequential reader returns the same bytes as one read, at any piece size."""
    data = os.urandom(3 * MB + 17)
    etag = store.put("big", data)
    with store.open("big", etag=etag) as reader:
        pieces = list(iter(lambda: reader.read(700_001), b""))
    assert b"".join(pieces) == data


@pytest.mark.parametrize("start", [0, 1, 1 << 20, 3 * MB + 16])
def test_open_reads_from_a_byte(store: Store, start: int) -> None:
    """A reader that begins inside an object gives the rest of it, and nothing of another."""
    data = os.urandom(3 * MB + 17)
    etag = store.put("big", data)
    with store.open("big", etag=etag, start=start) as reader:
        assert reader.read() == data[start:]
    store.put("big", data[1:])
    with pytest.raises(ChangedError, match="replaced"):
        store.open("big", etag=etag, start=start)


def test_open_refuses_another_etag(store: Store) -> None:
    """A replaced object is noticed before its first byte is read."""
    etag = store.put("key", b"planned")
    store.put("key", b"replaced")
    with pytest.raises(ChangedError, match="replaced"):
        store.open("key", etag=etag)


def test_put_file_and_fetch_round_trip(store: Store, tmp_path: Path) -> None:
    """A file comes back with the bytes that its reference names, also when asked for twice."""
    data = os.urandom(2 * MB)
    source, folder = tmp_path / "source", tmp_path / "in"
    source.write_bytes(data)
    folder.mkdir()
    store.put_file("data/file", source)
    ref = ref_of("data/file", data)
    assert store.fetch(ref, folder).read_bytes() == data
    assert store.fetch(ref, folder).read_bytes() == data


def test_a_large_file_goes_up_in_parts(store: Store, tmp_path: Path) -> None:
    """Beyond 64 MB the upload is cut, and the object is still one."""
    data = os.urandom(MB) * 70
    source = tmp_path / "large"
    source.write_bytes(data)
    store.put_file("large", source)
    assert store.fetch(ref_of("large", data), tmp_path).stat().st_size == 70 * MB
    store.copy("large", "copied")
    with store.open("copied") as reader:
        assert hashlib.sha256(reader.read()).hexdigest() == ref_of("", data).sha256


@pytest.mark.parametrize("stored", [b"others", b"shorter"[:3], b""])
def test_fetch_refuses_other_bytes(store: Store, tmp_path: Path, stored: bytes) -> None:
    """Bytes that differ from the reference are never returned, nor left in the folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    store.put("data", stored)
    with pytest.raises(CorruptError, match=r"data: expected 6 bytes.*found"):
        store.fetch(ref_of("data", b"wanted"), folder)


def test_modification_times_are_epoch_seconds(store: Store) -> None:
    """A younger object is not listed as older."""
    store.put("one", b"1")
    store.put("two", b"2")
    times = {info.key: info.modified for info in store.list()}
    assert times["one"] <= times["two"]
    assert times["one"] > 1.7e9


def test_stat_is_an_object_info(store: Store) -> None:
    """Stat and listing speak of objects in the same words."""
    store.put("one", b"1")
    assert isinstance(store.stat("one"), ObjectInfo)


def test_a_thousand_and_more_objects_are_listed_and_deleted(store: Store) -> None:
    """Listing and deleting go beyond one page."""
    keys = [f"many/{number:04d}" for number in range(1100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, b""), keys))
    assert sorted(info.key for info in store.list("many/")) == keys
    store.delete(keys)
    assert list(store.list()) == []
