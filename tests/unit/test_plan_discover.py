"""Discovery: which objects are dump files, and which sources are complete."""

from __future__ import annotations

import json

import pytest

from pipeline.plan.discover import Source, discover, dump_dates
from pipeline.storage.memory import MemoryStore

DATE = "2026-11-21"
NOW = 1_000_000.0
QUIET = 900


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        """Start far in the past, so that everything is quiet."""
        self.now = NOW - 10 * QUIET

    def __call__(self) -> float:
        """Return the time it was set to."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return the landing area's clock."""
    return Clock()


@pytest.fixture
def landing(clock: Clock) -> MemoryStore:
    """Return an empty landing area."""
    return MemoryStore(clock=clock)


def found(landing: MemoryStore, quiet_seconds: int = QUIET) -> dict[str, Source]:
    """Discover the date and return the sources by name."""
    sources = discover(landing, DATE, now=NOW, quiet_seconds=quiet_seconds)
    return {source.name: source for source in sources}


def test_every_source_of_the_date_is_listed(landing: MemoryStore) -> None:
    """Sources are whatever folders there are; other dates and loose files are not part of it."""
    for key in ("b/2026-11-21/1.txt", "a ü/2026-11-21/x/2.txt", "c/2026-11-20/3.txt", "loose.txt"):
        landing.put(key, b"x")
    files = {name: [info.key for info in source.files] for name, source in found(landing).items()}
    assert files == {"a ü": ["a ü/2026-11-21/x/2.txt"], "b": ["b/2026-11-21/1.txt"]}


def test_markers_and_hidden_names_are_no_dump_files(landing: MemoryStore) -> None:
    """Folder markers, `_…` and `.…` at any depth are left out; an empty dump file is not."""
    names = ("", "sub/", "_SUCCESS", "_MANIFEST.json.tmp", ".part", "_temporary/0/a.txt", "x/.y")
    for name in names:
        landing.put(f"a/{DATE}/{name}", b"")
    landing.put(f"a/{DATE}/empty.txt", b"")
    landing.put(f"a/{DATE}/odd/", b"bytes under a folder's name")
    assert [info.key for info in found(landing)["a"].files] == [
        f"a/{DATE}/empty.txt",
        f"a/{DATE}/odd/",
    ]


def test_a_quiet_source_is_complete(landing: MemoryStore, clock: Clock) -> None:
    """Without a marker the newest object must be as old as the quiet period."""
    landing.put(f"a/{DATE}/1.txt", b"x")
    clock.now = NOW - QUIET
    landing.put(f"a/{DATE}/2.txt", b"x")
    assert found(landing)["a"].waiting == ""
    clock.now = NOW - QUIET + 1
    landing.put(f"b/{DATE}/1.txt", b"x")
    assert found(landing)["b"].waiting == (
        "newest object b/2026-11-21/1.txt is 899 s old, quiet period 900 s"
    )


def test_without_a_quiet_period_nothing_waits(landing: MemoryStore, clock: Clock) -> None:
    """A quiet period of 0 takes what is there, also from a store whose clock runs ahead."""
    clock.now = NOW + 5
    landing.put(f"a/{DATE}/1.txt", b"x")
    assert found(landing, quiet_seconds=0)["a"].waiting == ""
    assert found(landing, quiet_seconds=1)["a"].waiting != ""


def test_success_completes_a_fresh_source(landing: MemoryStore, clock: Clock) -> None:
    """The producer's `_SUCCESS` outweighs the clock, for its own source alone."""
    clock.now = NOW
    landing.put(f"a/{DATE}/1.txt", b"x")
    landing.put(f"a/{DATE}/_SUCCESS", b"")
    landing.put(f"b/{DATE}/1.txt", b"x")
    landing.put(f"b/{DATE}/sub/_SUCCESS", b"")
    assert {name: bool(source.waiting) for name, source in found(landing).items()} == {
        "a": False,
        "b": True,
    }


@pytest.mark.parametrize(
    ("promised", "waiting"),
    [
        ([("1.txt", 1), ("sub/2.txt", 2)], ""),
        ([("1.txt", 1), ("3.txt", 2)], "first 3.txt: expected 2 bytes, found none"),
        ([("1.txt", 5)], "first 1.txt: expected 5 bytes, found 1"),
    ],
)
@pytest.mark.parametrize("age", [0, 10 * QUIET])
def test_a_manifest_is_compared_with_what_is_there(
    landing: MemoryStore, clock: Clock, promised: list[tuple[str, int]], waiting: str, age: int
) -> None:
    """All named files in their sizes: complete at once. One missing: incomplete, however old."""
    clock.now = NOW - age
    landing.put(f"a/{DATE}/1.txt", b"x")
    landing.put(f"a/{DATE}/sub/2.txt", b"xx")
    files = [{"name": name, "size": size, "md5": "more"} for name, size in promised]
    landing.put(f"a/{DATE}/_MANIFEST.json", json.dumps({"files": files}).encode())
    found_waiting = found(landing)["a"].waiting
    assert found_waiting.endswith(waiting)
    assert bool(found_waiting) == bool(waiting)


def test_a_broken_manifest_waits(landing: MemoryStore) -> None:
    """A manifest that is no JSON is named; the other sources go on."""
    landing.put(f"a/{DATE}/_MANIFEST.json", b'{"files": [')
    landing.put(f"b/{DATE}/1.txt", b"x")
    assert "_MANIFEST.json cannot be read" in found(landing)["a"].waiting
    assert found(landing)["b"].waiting == ""


def test_dump_dates_name_their_sources(landing: MemoryStore) -> None:
    """Only ISO dates are dump dates."""
    for key in ("a/2026-11-21/1", "b/2026-11-21/1", "a/2026-11-20/1", "a/20261119/1", "a/tmp/1"):
        landing.put(key, b"x")
    landing.put("a/2026-02-30/1", b"x")
    assert dump_dates(landing) == {"2026-11-20": ("a",), "2026-11-21": ("a", "b")}
