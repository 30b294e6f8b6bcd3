"""Opening a store by URL, and refusing one that cannot keep the promises.

Holds: `open_store`, `probe_conditional_put`. Reads and writes the store (the probe).
Not here: the stores (`memory.py`, `local.py`, `s3.py`).
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.errors import ConfigError, ConflictError
from pipeline.storage import layout
from pipeline.storage.local import LocalStore
from pipeline.storage.memory import MemoryStore
from pipeline.storage.s3 import S3Store
from pipeline.storage.store import Store

_memory: dict[str, MemoryStore] = {}
_probed: set[str] = set()
_RACES = 3


def open_store(
    url: str,
    *,
    endpoint_url: str | None = None,
    region: str = "us-east-1",
    create: bool = False,
) -> Store:
    """Open `s3://bucket/prefix`, `file:///path`, a plain path, or `memory://name`.

    Args:
        url: where; never with credentials in it.
        endpoint_url: the S3 server when it is not AWS.
        region: the S3 region.
        create: make the bucket or folder when it does not exist.

    Raises:
        ConfigError: the URL is empty, of another kind, or names a folder that does not exist.
    """
    parts = urlsplit(url) if "://" in url else None
    if parts is None or parts.scheme == "file":
        return _local(url if parts is None else unquote(parts.path), create=create)
    if parts.scheme == "memory":
        return _memory.setdefault(parts.netloc, MemoryStore(f"memory://{parts.netloc}"))
    if parts.scheme == "s3":
        return _s3(url, endpoint_url=endpoint_url, region=region, create=create)
    raise ConfigError(
        f"expected a store URL with s3://, file:// or memory://, or a path, found "
        f"{parts.scheme}://. Check store.landing and store.corpus."
    )


def probe_conditional_put(store: Store) -> None:
    """Check once per process that the store lets exactly one conditional put win.

    Raises:
        ConfigError: it ignores `If-None-Match` or `If-Match`; publishing would not be safe.
    """
    if store.url in _probed:
        return
    keys = [f"{layout.PROBE}{uuid.uuid4().hex}" for _ in range(_RACES)]
    try:
        if any(_winners(store, key) != 1 for key in keys):
            raise _unsafe(store, "two concurrent puts with If-None-Match: * to have one winner")
        if _put(store, keys[0], b"stale", if_match="0" * 32):
            raise _unsafe(store, "a put with a stale If-Match to be refused")
        if not _put(store, keys[0], b"next", if_match=store.get(keys[0])[1]):
            raise _unsafe(store, "a put with the right If-Match to be taken")
    finally:
        store.delete(keys)
    _probed.add(store.url)


def _local(path: str, *, create: bool) -> LocalStore:
    if not path:
        raise ConfigError(
            "expected a store URL, found none. Set WINNOW_STORE__LANDING and "
            "WINNOW_STORE__CORPUS, or name a settings file with --config."
        )
    root = Path(path).expanduser().absolute()
    if create:
        root.mkdir(parents=True, exist_ok=True)
    if not root.is_dir():
        raise ConfigError(f"expected a folder at {root}, found none. Create it or check the URL.")
    return LocalStore(root)


def _s3(url: str, *, endpoint_url: str | None, region: str, create: bool) -> S3Store:
    parts = urlsplit(url)
    if not parts.netloc or "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            "expected s3://bucket/prefix without credentials or query, found another shape. "
            "Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    store = S3Store(parts.netloc, parts.path, endpoint_url=endpoint_url or None, region=region)
    if create:
        store.create()
    return store


def _winners(store: Store, key: str) -> int:
    """Race two different conditional puts of one key."""
    start = threading.Barrier(2)

    def put(data: bytes) -> bool:
        start.wait()
        return _put(store, key, data, if_absent=True)

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(put, (b"one", b"two")))


def _put(
    store: Store, key: str, data: bytes, *, if_absent: bool = False, if_match: str | None = None
) -> bool:
    try:
        store.put(key, data, if_absent=if_absent, if_match=if_match)
    except ConflictError:
        return False
    return True


def _unsafe(store: Store, expected: str) -> ConfigError:
    return ConfigError(
        f"{store.url}: expected {expected}, found otherwise. This store cannot publish safely; "
        "use AWS S3, SeaweedFS 4.48 or later, or a local folder."
    )
