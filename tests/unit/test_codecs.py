"""Decompression by content: what is accepted, what is damage, and what is delivered before it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
from collections.abc import Iterator

import pytest
import zstandard

from pipeline.errors import ChangedError
from pipeline.ingest import seek
from pipeline.ingest.codecs import Decoder, open_decoded
from pipeline.ingest.decompress import bz2_stream
from pipeline.ingest.source import Source
from pipeline.model.settings import IngestSettings
from tests.bad_inputs import make

SETTINGS = IngestSettings()
LINES = b"".join(b"line %06d of a dump file, with some words\n" % i for i in range(4000))


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def _zstd_without_size(data: bytes) -> bytes:
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return packer.compress(data) + packer.flush()


def _noise(size: int) -> bytes:
    """Return the same incompressible bytes each time."""
    return random.Random(7).randbytes(size)  # noqa: S311 - no secret


PACK = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": _zstd,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}

MAGICS = {
    "gzip": b"\x1f\x8b\x08\0",
    "zstd": b"\x28\xb5\x2f\xfd",
    "xz": b"\xfd7zXZ\0",
    "bz2": b"BZh91AY&SY",
}


def _decode(stored: bytes, settings: IngestSettings = SETTINGS) -> tuple[bytes, Decoder]:
    decoder = open_decoded(io.BytesIO(stored), settings)
    return b"".join(decoder), decoder


def _reason(decoder: Decoder) -> str | None:
    return decoder.damage.reason if decoder.damage else None


@pytest.mark.parametrize("data", [b"", b"B", b"(", b"BZh is no archive", LINES], ids=len)
def test_plain_bytes_pass_unchanged(data: bytes) -> None:
    """Bytes without a known magic number are delivered as they are."""
    decoded, decoder = _decode(data)
    assert (decoded, decoder.codec, decoder.damage) == (data, "plain", None)
    assert (decoder.read_bytes, decoder.decoded_bytes) == (len(data), len(data))


@pytest.mark.parametrize("codec", PACK)
@pytest.mark.parametrize("data", [b"", b"x", LINES, LINES * 20], ids=len)
def test_each_codec_is_recognised_and_decoded(codec: str, data: bytes) -> None:
    """A compressed stream is decoded whole and every stored byte counts as read."""
    stored = PACK[codec](data)
    decoded, decoder = _decode(stored)
    assert (decoded, decoder.codec, decoder.damage) == (data, codec, None)
    assert decoder.read_bytes == len(stored)


@pytest.mark.parametrize("codec", PACK)
def test_streams_after_streams_are_all_decoded(codec: str) -> None:
    """Members, frames or streams that follow each other in one object are one text."""
    stored = PACK[codec](b"one\n") + PACK[codec](LINES) + PACK[codec](b"") + PACK[codec](b"two\n")
    decoded, decoder = _decode(stored)
    assert (decoded, decoder.damage) == (b"one\n" + LINES + b"two\n", None)


def test_zstd_without_a_size_in_its_header_is_decoded() -> None:
    """Streamed zstd frames do not say how long they are."""
    assert _decode(_zstd_without_size(LINES))[0] == LINES


def test_skippable_zstd_frames_are_skipped() -> None:
    """Frames that carry no data may stand anywhere, even first."""
    skip = b"\x53\x2a\x4d\x18\x05\0\0\0hello"
    decoded, decoder = _decode(skip + _zstd(b"one\n") + skip + _zstd(b"two\n") + skip)
    assert (decoded, decoder.codec, decoder.damage) == (b"one\ntwo\n", "zstd", None)


@pytest.mark.parametrize("codec", PACK)
def test_zero_padding_is_accepted(codec: str) -> None:
    """Zeros after the last stream are padding of tapes and block devices, not damage."""
    stored = PACK[codec](LINES) + bytes(1 << 17)
    decoded, decoder = _decode(stored)
    assert (decoded, decoder.damage, decoder.read_bytes) == (LINES, None, len(stored))


@pytest.mark.parametrize("codec", PACK)
def test_a_garbage_tail_is_damage_after_the_good_text(codec: str) -> None:
    """What follows the last stream and is none is reported, not dropped."""
    stored = PACK[codec](LINES)
    decoded, decoder = _decode(stored + b"garbage" * 9)
    assert decoded == LINES
    assert (_reason(decoder), decoder.read_bytes) == ("garbage_tail", len(stored))


@pytest.mark.parametrize("codec", PACK)
def test_zeros_between_streams_are_padding(codec: str) -> None:
    """They are no damage: they made a row of quarantine that had no bytes."""
    stored = PACK[codec](LINES) + bytes(512) + PACK[codec](LINES)
    decoded, decoder = _decode(stored)
    assert (decoded, decoder.damage, decoder.read_bytes) == (LINES * 2, None, len(stored))


def _wide_zstd() -> bytes:
    wide = zstandard.ZstdCompressionParameters(window_log=28, compression_level=1)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    return packer.compress(LINES) + packer.flush()


def _wide_xz() -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 192 << 20}]
    return lzma.compress(LINES, filters=filters)


_ONE_SEGMENT = b"\x28\xb5\x2f\xfd\xe0" + (1 << 40).to_bytes(8, "little") + b"\x01\x00\x00"


@pytest.mark.parametrize(
    ("stored", "found"),
    [(_wide_zstd(), "256 MB"), (_ONE_SEGMENT, "1048576 MB"), (_wide_xz(), "a larger one")],
)
def test_a_window_that_is_too_large_is_named(stored: bytes, found: str) -> None:
    """The stream is whole, so nobody is told to upload it again; those behind it are read."""
    packed = PACK["xz" if stored.startswith(b"\xfd") else "zstd"](LINES)
    _, decoder = _decode(stored)
    assert decoder.damage is not None
    assert decoder.damage.reason == "window_too_large"
    assert "at most 128 MB" in decoder.damage.detail
    assert found in decoder.damage.detail
    decoded, decoder = _decode(packed + stored + packed)
    assert (decoded, decoder.resume() is not None, b"".join(decoder)) == (LINES, True, LINES)


@pytest.mark.parametrize("codec", PACK)
@pytest.mark.parametrize("zeros", [0, 700])
@pytest.mark.parametrize("tail", [b"x", b"<html>502", make.noise(90_000)], ids=len)
def test_a_garbage_tail_costs_its_own_bytes_alone(codec: str, zeros: int, tail: bytes) -> None:
    """Random bytes behind a stream, or behind its padding, cut nothing before them."""
    _, decoder = _decode(PACK[codec](LINES) + bytes(zeros) + tail)
    assert (_reason(decoder), decoder.is_cut, decoder.resume()) == ("garbage_tail", False, None)
    assert decoder.read_bytes == len(PACK[codec](LINES)) + zeros


@pytest.mark.parametrize("codec", PACK)
def test_garbage_between_streams_costs_its_own_bytes_alone(codec: str) -> None:
    """The stream behind it is read, and what it cut is known."""
    stored = PACK[codec](LINES)
    decoded, decoder = _decode(stored + make.noise(5000) + stored)
    assert (decoded, decoder.is_cut, decoder.resume()) == (LINES, True, 5000)
    assert (b"".join(decoder), decoder.damage, decoder.is_cut) == (LINES, None, False)
    assert decoder.read_bytes == 2 * len(stored)


@pytest.mark.parametrize("codec", PACK)
def test_every_truncation_is_seen_and_loses_nothing_before_it(codec: str) -> None:
    """A stream cut anywhere is damage, and what is delivered is a prefix of the text."""
    stored = PACK[codec](LINES)
    before = 0
    first = 5 if codec == "bz2" else 2  # `BZh9` alone may be text
    for cut in sorted({first, 6, 9, *range(10, len(stored), 97), len(stored) - 1}):
        decoded, decoder = _decode(stored[:cut])
        assert LINES.startswith(decoded)
        assert _reason(decoder) == "truncated_stream", cut
        assert decoder.read_bytes == cut
        assert len(decoded) >= before
        before = len(decoded)


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_a_checksum_that_does_not_fit_is_damage(codec: str) -> None:
    """The text is delivered (gzip's last byte comes with the check), and the error reported."""
    stored = bytearray(PACK[codec](LINES))
    stored[-6 if codec == "gzip" else -2] ^= 1
    decoded, decoder = _decode(bytes(stored))
    assert decoded[:-1] == LINES[: len(decoded) - 1]
    assert len(decoded) == len(LINES) - (codec == "gzip")
    assert _reason(decoder) == "corrupt_stream"


def test_gzip_delivers_all_before_a_damaged_spot() -> None:
    """Damage in the second member costs nothing of the first, byte for byte."""
    first = gzip.compress(LINES, mtime=0)
    second = bytearray(gzip.compress(_noise(5000), mtime=0))
    second[10] = 0xFF
    decoded, decoder = _decode(first + bytes(second))
    assert (decoded, _reason(decoder)) == (LINES, "corrupt_stream")
    assert len(first) <= decoder.read_bytes <= len(first) + 11


def test_zstd_delivers_all_blocks_before_a_damaged_one() -> None:
    """Damage far inside a frame costs at most the blocks from there on."""
    data = _noise(1 << 20)
    stored = bytearray(_zstd(data))
    header = int.from_bytes(stored[9:12], "little")
    assert header >> 3 == 1 << 17, "the frame begins with raw blocks of 128 KB behind 9 bytes"
    stored[9 + 5 * (3 + (1 << 17))] |= 6
    decoded, decoder = _decode(bytes(stored))
    assert (decoded, _reason(decoder)) == (data[: 5 << 17], "corrupt_stream")
    assert decoder.read_bytes == 9 + 5 * (3 + (1 << 17))


@pytest.mark.parametrize("codec", PACK)
def test_a_flipped_bit_never_raises(codec: str) -> None:
    """Whatever byte is wrong, the decoder ends in order and its books stay inside the object."""
    stored = PACK[codec](LINES)
    for at in range(0, len(stored), max(1, len(stored) // 150)):
        broken = bytearray(stored)
        broken[at] ^= 0x10
        _, decoder = _decode(bytes(broken))
        assert 0 <= decoder.read_bytes <= len(stored)


@pytest.mark.parametrize("codec", ["gzip", "zstd", "xz"])
def test_a_bomb_is_stopped_while_it_streams(codec: str) -> None:
    """Output beyond the ratio ends the reading soon after the first 10 MB."""
    settings = IngestSettings(max_ratio=50)
    decoded, decoder = _decode(PACK[codec](bytes(40_000_000)), settings)
    assert _reason(decoder) == "bomb"
    assert 9_000_000 < len(decoded) < 20_000_000


def test_an_object_larger_than_the_limit_is_cut() -> None:
    """The limit of decoded bytes holds for plain objects too."""
    settings = IngestSettings(max_object_bytes=100_000)
    decoded, decoder = _decode(LINES, settings)
    assert _reason(decoder) == "bomb"
    assert LINES.startswith(decoded)
    assert 0 < len(decoded) <= 100_000


@pytest.mark.parametrize("outer", PACK)
@pytest.mark.parametrize("inner", PACK)
def test_two_layers_are_decoded(outer: str, inner: str) -> None:
    """A compressed file that was compressed again by the uploader is read."""
    decoded, decoder = _decode(PACK[outer](PACK[inner](LINES)))
    assert (decoded, decoder.codec, decoder.damage) == (LINES, f"{outer}+{inner}", None)


def test_three_layers_are_refused_before_anything_is_delivered() -> None:
    """Deeper nesting is damage with its own reason."""
    stored = gzip.compress(gzip.compress(gzip.compress(LINES)))
    decoded, decoder = _decode(stored)
    assert (decoded, _reason(decoder)) == (b"", "nested")


def test_truncation_of_the_outer_layer_is_reported_through_the_inner_one() -> None:
    """Damage is that of the layer where it is, and the inner text before it is delivered."""
    stored = gzip.compress(bz2.compress(_noise(2_000_000)))
    decoded, decoder = _decode(stored[: len(stored) // 2])
    assert _reason(decoder) == "truncated_stream"
    assert decoder.damage is not None
    assert "gzip" in decoder.damage.detail
    assert len(decoded) > 500_000


def test_errors_of_the_stream_pass_through() -> None:
    """An object replaced while it is read is not damage of the object."""

    class Replaced(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ChangedError(str(size))

    with pytest.raises(ChangedError):
        open_decoded(Replaced(), SETTINGS)  # type: ignore[arg-type]  # a sequential reader


@pytest.mark.parametrize("behind", [b"", b"\xff" * 7], ids=["close", "ones"])
@pytest.mark.parametrize(("codec", "magic"), MAGICS.items())
def test_few_of_a_storm_of_magic_numbers_are_decoded(
    codec: str, magic: bytes, behind: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of them cannot begin a member, and the one behind them is found."""
    seen: list[int] = []

    def counted(window: bytes, codec: str) -> bool:
        seen.append(len(window))
        return decodes(window, codec)

    decodes = seek._decodes
    monkeypatch.setattr(seek, "_decodes", counted)
    good = PACK[codec](LINES)
    decoded, decoder = _decode(good + (magic + behind) * 5000 + good)
    skipped = decoder.resume()
    assert (decoded, skipped) == (LINES, 5000 * len(magic + behind))
    assert b"".join(decoder) == LINES
    assert len(seen) < 50


@pytest.mark.parametrize("start", [b"BZh91AY&SY" + bytes(6), bz2.compress(LINES)[:60]])
def test_a_storm_of_starts_of_bz2_is_passed_once(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each was decoded as far as the library did, the starts behind it among it."""
    seen: list[int] = []

    def counted(source: Source) -> Iterator[bytes]:
        seen.append(len(source.peek(seek.TRIAL)))
        return bz2_stream(source)

    monkeypatch.setitem(seek._MEMBERS, "bz2", counted)
    good = bz2.compress(LINES)
    decoded, decoder = _decode(good + start * 4000 + good)
    skipped = decoder.resume()
    assert (decoded, skipped) == (LINES, 4000 * len(start))
    assert b"".join(decoder) == LINES
    assert sum(seen) < 4000 * len(start) + seek.TRIAL


@pytest.mark.parametrize("size", [1, 2, 300])
def test_short_streams_of_bz2_behind_damage_are_read(size: int) -> None:
    """The start of the next stream stands right behind them."""
    good, short = bz2.compress(LINES), b"".join(bz2.compress(bytes([n]) * size) for n in range(9))
    decoded, decoder = _decode(good + b"junk" + short)
    assert (decoded, decoder.resume()) == (LINES, 4)
    assert b"".join(decoder) == b"".join(bytes([n]) * size for n in range(9))
