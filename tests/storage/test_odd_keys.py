"""Keys are opaque: hostile and odd ones round-trip or are refused, and never climb out.

SeaweedFS folds some of these (`a//b`, backslashes) as documented, so S3 is moto's server here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from pipeline.errors import InputError
from pipeline.storage.local import LocalStore
from pipeline.storage.s3 import S3Store
from pipeline.storage.store import Store

ODD_KEYS = (
    "sp ace/ü/新聞/مرحبا.txt",
    "quote'\"/<script>.txt",
    "percent%41%2F100%.txt",
    "?query#fragment&a=b;c",
    "tab\tand+plus",
    "back\\slash/colon:star*",
    "🗞️/" + "n" * 200,
    "trailing.dot./ ",
    "a//b",
    "/leading",
    "dir/",
    "a/./b",
    "%~escape/%41",
    ".winnow/lock",
)


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """Run moto's S3 server in a thread."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["memory", "local", "moto"])
def store(
    request: pytest.FixtureRequest,
    store_factory: Callable[[str], Store],
    monkeypatch: pytest.MonkeyPatch,
) -> Store:
    """Return an empty store of each kind that takes any key."""
    if request.param != "moto":
        return store_factory(request.param)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "odd")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "odd")
    url = request.getfixturevalue("moto_url")
    odd = S3Store("odd-keys", request.node.name.encode().hex(), endpoint_url=url)
    odd.create()
    return odd


@pytest.mark.parametrize("key", ODD_KEYS)
def test_odd_keys_round_trip(store: Store, key: str) -> None:
    """A key is an opaque text: whatever it holds, it is listed as it was put."""
    etag = store.put(key, b"odd")
    assert [(info.key, info.etag) for info in store.list()] == [(key, etag)]
    assert store.get(key) == (b"odd", etag)
    store.copy(key, "plain")
    store.delete([key])
    assert [info.key for info in store.list()] == ["plain"]


def test_a_key_cannot_climb_out_of_a_local_store(tmp_path: Path) -> None:
    """`..` is refused in every operation, and nothing appears beside the root."""
    root = tmp_path / "root"
    root.mkdir()
    local = LocalStore(root)
    for key in ("../evil", "a/../../evil", ".."):
        with pytest.raises(InputError, match="stays inside"):
            local.put(key, b"evil")
        with pytest.raises(InputError, match="stays inside"):
            local.get(key)
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_a_key_that_a_folder_cannot_hold_is_refused(tmp_path: Path) -> None:
    """A name longer than file systems take is an input error that names the way out."""
    with pytest.raises(InputError, match="use an S3 store"):
        LocalStore(tmp_path).put("n" * 300, b"")


def test_a_name_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A file whose name is not UTF-8 is not passed over in silence."""
    (tmp_path / b"caf\xe9".decode("utf-8", "surrogateescape")).write_bytes(b"")
    with pytest.raises(InputError, match="UTF-8"):
        list(LocalStore(tmp_path).list())


def test_links_are_followed_but_never_in_circles(tmp_path: Path) -> None:
    """A linked folder is part of the store; a link to a folder above ends the walk."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_bytes(b"linked")
    root = tmp_path / "root"
    root.mkdir()
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "circle").symlink_to(root)
    assert [info.key for info in LocalStore(root).list()] == ["linked/file"]
