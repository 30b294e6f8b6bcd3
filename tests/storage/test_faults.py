"""A broken network costs time, never bytes: the S3 store behind a proxy that breaks answers."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from demo.object_store import ObjectStore
from pipeline.errors import (
    ChangedError,
    ConfigError,
    ConflictError,
    CorruptError,
    TransientError,
)
from pipeline.model.files import FileRef
from pipeline.storage.s3 import Limits, S3Store
from tests.storage.fault_proxy import FaultProxy, Kind

pytestmark = pytest.mark.server

DATA = os.urandom(5 * 1024 * 1024 + 3)
QUICK = Limits(connect_seconds=2, read_seconds=1, attempts=3, stalls=5, pause=0.01)


def behind(proxy: FaultProxy, store: S3Store, limits: Limits = QUICK) -> S3Store:
    """Return the same store as seen through the proxy, with short patience."""
    bucket, _, prefix = store.url.removeprefix("s3://").partition("/")
    return S3Store(bucket, prefix, endpoint_url=proxy.url, limits=limits)


def read(store: S3Store, key: str, etag: str | None = None) -> bytes:
    """Read an object through the resuming reader, in pieces."""
    with store.open(key, etag=etag) as reader:
        return b"".join(iter(lambda: reader.read(300_000), b""))


@pytest.mark.parametrize(
    "faults",
    [
        ["reset_mid"],
        ["reset_mid", "reset_mid", "reset_mid", "reset_mid"],
        ["short_body", "short_body", "short_body"],
        ["unavailable", "unavailable"],
        ["stall_head"],
        ["reset_mid", "unavailable", "short_body", "stall_head", "reset_mid"],
    ],
)
def test_a_read_resumes(faults: list[Kind], object_store: ObjectStore, s3_store: S3Store) -> None:
    """Whatever breaks the connection, the bytes arrive whole and once."""
    etag = s3_store.put("dump", DATA)
    with FaultProxy(object_store.url, "GET", faults) as proxy:
        assert read(behind(proxy, s3_store), "dump", etag) == DATA
        assert proxy.met == faults


def test_a_dead_connection_ends_in_a_transient_error(
    object_store: ObjectStore, s3_store: S3Store
) -> None:
    """A store that always fails is given up after the budget; Airflow then tries again."""
    s3_store.put("dump", DATA)
    with FaultProxy(object_store.url, "GET", ["unavailable"] * 100) as proxy:
        with pytest.raises(TransientError, match=r"503 SlowDown"):
            read(behind(proxy, s3_store), "dump")
        assert proxy.requests == QUICK.attempts


def test_a_line_that_dies_in_the_middle_says_where(
    object_store: ObjectStore, s3_store: S3Store
) -> None:
    """Progress once, then none: the message names the byte.

    The client asks once each time: what is counted is how often the reader begins again.
    """
    s3_store.put("dump", DATA)
    once = msgspec.structs.replace(QUICK, attempts=1)
    faults: list[Kind] = ["short_body", *["unavailable"] * 100]  # type: ignore[list-item]
    with (
        FaultProxy(object_store.url, "GET", faults) as proxy,
        pytest.raises(TransientError, match=r"broken 5 times in a row at byte \d{7}"),
    ):
        read(behind(proxy, s3_store, once), "dump")


def test_a_flipped_bit_on_the_way_is_an_error_and_the_next_read_is_right(
    object_store: ObjectStore, s3_store: S3Store
) -> None:
    """Damaged bytes are never taken for whole; they can be read again."""
    s3_store.put("dump", DATA)
    with FaultProxy(object_store.url, "GET", ["flip"]) as proxy:
        store = behind(proxy, s3_store)
        with pytest.raises(TransientError, match="damaged on the way"):
            read(store, "dump")
        assert read(store, "dump") == DATA


def test_a_bit_flipped_every_time_is_damage_in_the_store(
    object_store: ObjectStore, s3_store: S3Store
) -> None:
    """Two reads that both differ from the checksum are reported as corruption."""
    s3_store.put("dump", DATA)
    with (
        FaultProxy(object_store.url, "GET", ["flip", "flip"]) as proxy,
        pytest.raises(CorruptError, match="upload it again"),
    ):
        read(behind(proxy, s3_store), "dump")


def test_an_object_replaced_between_two_halves_is_noticed(
    object_store: ObjectStore, s3_store: S3Store
) -> None:
    """A resume never joins the head of one version with the tail of another."""
    etag = s3_store.put("dump", DATA)
    with FaultProxy(object_store.url, "GET", ["short_body"]) as proxy:
        reader = behind(proxy, s3_store).open("dump", etag=etag)
        assert reader.read(1000) == DATA[:1000]
        s3_store.put("dump", DATA[::-1])
        with pytest.raises(ChangedError, match="replaced"), reader:
            reader.read()


def test_fetch_survives_a_reset(
    object_store: ObjectStore, s3_store: S3Store, tmp_path: Path
) -> None:
    """A download is resumed and checked as a whole."""
    s3_store.put("data", DATA)
    ref = FileRef("data", hashlib.sha256(DATA).hexdigest(), len(DATA), 0)
    with FaultProxy(object_store.url, "GET", ["reset_mid", "reset_mid"]) as proxy:
        assert behind(proxy, s3_store).fetch(ref, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("condition", ["if_absent", "if_match"])
def test_a_lost_answer_to_a_conditional_put_is_recognised(
    condition: str, object_store: ObjectStore, s3_store: S3Store
) -> None:
    """The put that is sent again finds its own first try and counts as done."""
    options: dict[str, object] = {"if_absent": True}
    if condition == "if_match":
        options = {"if_match": s3_store.put("pointer", b"before")}
    with FaultProxy(object_store.url, "PUT", ["lost_ack"]) as proxy:
        etag = behind(proxy, s3_store).put("pointer", b"ours", **options)  # type: ignore[arg-type]
        assert (proxy.met, proxy.requests) == (["lost_ack"], 2)
    assert s3_store.get("pointer") == (b"ours", etag)


def test_a_lost_answer_does_not_hide_a_real_conflict(
    object_store: ObjectStore, s3_store: S3Store
) -> None:
    """Another writer's object stays a conflict, even with equal bytes."""
    s3_store.put("pointer", b"ours", if_absent=True)
    with (
        FaultProxy(object_store.url, "PUT", ["unavailable"]) as proxy,
        pytest.raises(ConflictError),
    ):
        behind(proxy, s3_store).put("pointer", b"ours", if_absent=True)


def test_a_put_survives_an_overloaded_store(object_store: ObjectStore, s3_store: S3Store) -> None:
    """Two times 503 cost two more requests."""
    with FaultProxy(object_store.url, "PUT", ["unavailable", "unavailable"]) as proxy:
        behind(proxy, s3_store).put("key", b"value")
        assert proxy.requests == 3
    assert s3_store.get("key")[0] == b"value"


def test_nobody_listening_is_transient(object_store: ObjectStore, s3_store: S3Store) -> None:
    """A server that is down is waited for by Airflow, not by us."""
    with FaultProxy(object_store.url, "GET", []) as proxy:
        store = behind(proxy, s3_store)
    with pytest.raises(TransientError, match="could not be reached"):
        store.get("key")


def test_a_wrong_secret_is_a_setting_to_mend(
    object_store: ObjectStore, s3_store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused credentials fail at once, and the message does not repeat them."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    bucket, _, prefix = s3_store.url.removeprefix("s3://").partition("/")
    store = S3Store(bucket, prefix, endpoint_url=object_store.url)
    with pytest.raises(ConfigError, match="Check the credentials") as caught:
        list(store.list())
    assert "wrong-secret" not in str(caught.value)


def test_a_missing_bucket_is_a_setting_to_mend(object_store: ObjectStore) -> None:
    """No bucket is not the same as no object."""
    store = S3Store("no-such-bucket", endpoint_url=object_store.url)
    for call in (lambda: list(store.list()), lambda: store.get("key")):
        with pytest.raises(ConfigError, match="expected the bucket"):
            call()
