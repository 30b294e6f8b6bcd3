"""Links in zip archives, as their directories tell them."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import BinaryIO

import pytest

from pipeline.ingest.zip_directory import links

LINK, FILE = 0o120777 << 16, 0o100644 << 16


def _archive(modes: list[int], comment: bytes = b"") -> tuple[bytes, list[int]]:
    """Return an archive of members with these modes, and the places of all of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, mode in enumerate(modes):
            member = zipfile.ZipInfo(f"{number}")
            member.create_system, member.external_attr = 3, mode
            archive.writestr(member, "target")
        archive.comment = comment
    return out.getvalue(), [member.header_offset for member in archive.infolist()]


def _links(raw: bytes) -> frozenset[int]:
    def open_at(start: int) -> BinaryIO:
        stream = io.BytesIO(raw)
        stream.seek(start)
        return stream

    return links(open_at, len(raw))


def _widened(raw: bytes) -> bytes:
    """Write the places as archives over four gigabytes do: behind the fields that are too small."""
    start = raw.index(b"PK\x01\x02")
    head, entry, end = raw[:start], bytearray(raw[start:-22]), bytearray(raw[-22:])
    place = struct.unpack_from("<I", entry, 42)[0]
    extra = struct.pack("<HHBHHQ", 0x5455, 1, 0, 1, 8, place)
    struct.pack_into("<H", entry, 30, len(extra))
    struct.pack_into("<I", entry, 42, 0xFFFFFFFF)
    struct.pack_into("<I", end, 16, 0xFFFFFFFF)
    body = head + bytes(entry) + extra
    size = len(entry) + len(extra)
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, start)
    return body + wide + struct.pack("<4sIQI", b"PK\x06\x07", 0, len(body), 1) + bytes(end)


@pytest.mark.parametrize("comment", [b"", b"c" * 0xFFFF])
def test_links_are_found_by_their_mode(comment: bytes) -> None:
    """The places of the links are those of their headers, however long the comment is."""
    raw, places = _archive([FILE, LINK, FILE, LINK], comment)
    assert _links(raw) == {places[1], places[3]}


def test_wide_places_are_read() -> None:
    """An archive over four gigabytes states its places in wide fields."""
    raw, places = _archive([LINK])
    assert _links(_widened(raw)) == set(places)


@pytest.mark.parametrize("size", [0, 10, 40, 60, 90])
def test_without_a_directory_there_are_no_links(size: int) -> None:
    """A cut archive is read as far as it goes; nothing fails."""
    assert _links(_archive([FILE, LINK])[0][:size]) == frozenset()


def test_places_that_lie_do_no_harm() -> None:
    """A directory that is not where it is said to be has no entries."""
    raw = bytearray(_archive([LINK])[0])
    struct.pack_into("<I", raw, len(raw) - 6, len(raw) - 30)
    assert _links(bytes(raw)) == frozenset()
    struct.pack_into("<I", raw, len(raw) - 6, 1 << 31)
    assert _links(bytes(raw)) == frozenset()
