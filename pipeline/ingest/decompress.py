"""One generator for each codec: stored bytes in, decoded pieces out.

Holds: `DECOMPRESSORS`, `recognise`, one function a codec for a single member. Reads what a `Source`
gives. Not here: the source (`source.py`), the way back after damage (`seek.py`), limits, nesting
and the books (`codecs.py`).

Every generator yields what it could decode before it raises `DamagedError`: gzip to the last byte
but one, zstd to the last block, bz2 and xz to within `SMALL` bytes of a damaged spot. A stream that
is only cut short loses nothing.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator

import zstandard

from pipeline.ingest.source import PIECE, DamagedError, Source, corrupt, truncated

SMALL = 1 << 14
MAX_WINDOW = 1 << 27
"""Memory that one stream may claim for its history (zstd, xz): 128 MB."""

MAGIC = {
    "gzip": b"\x1f\x8b\x08",
    "zstd": b"\x28\xb5\x2f\xfd",
    "xz": b"\xfd7zXZ\x00",
}
_BZ2_BLOCK = b"\x31\x41\x59\x26\x53\x59"
_BZ2_END = b"\x17\x72\x45\x38\x50\x90"
_HEAD = 10
MAX_BLOCK = 1 << 17
"""Bytes that a block of zstd has at most."""


def recognise(source: Source) -> str | None:
    """Return the codec of the next bytes, or None for plain bytes.

    The start of a magic number at the very end of the object counts: it is a truncated file.
    """
    head = source.peek(_HEAD)
    for codec, magic in MAGIC.items():
        if head.startswith(magic) or (2 <= len(head) < len(magic) and magic.startswith(head)):
            return codec
    if _is_skippable(head):
        return "zstd"
    if head[:3] == b"BZh" and b"1" <= head[3:4] <= b"9":
        mark = head[4:10]
        return "bz2" if mark and (_BZ2_BLOCK.startswith(mark) or mark == _BZ2_END) else None
    return None


def nearly(source: Source) -> str | None:
    """Return the codec of a file whose first bytes are those of one but for a single byte.

    That byte is wrong, or missing. No text begins like this.
    """
    head = source.peek(_HEAD)
    for codec, magic in MAGIC.items():
        size = len(magic)
        wrong = sum(one != other for one, other in zip(head, magic, strict=False))
        lacks = any(head.startswith(magic[:at] + magic[at + 1 :]) for at in range(size))
        if len(head) > size and (wrong == 1 or lacks):
            return codec
    return None


def _is_skippable(head: bytes) -> bool:
    return len(head) >= 4 and 0x50 <= head[0] <= 0x5F and head[1:4] == b"\x2a\x4d\x18"


def gzip_pieces(source: Source) -> Iterator[bytes]:
    """Decode gzip members one after the other; zero padding behind them is accepted."""
    while head := source.peek(2):
        if head[:1] == b"\0":
            _skip_zeros(source)
        elif not MAGIC["gzip"].startswith(head):
            raise _garbage("gzip")
        else:
            source.begin()
            yield from gzip_member(source)


def gzip_member(source: Source) -> Iterator[bytes]:
    """Decode one member."""
    member = zlib.decompressobj(wbits=31)
    while not member.eof:
        data = source.chunk()
        if not data:
            raise truncated("gzip")
        before = member.copy()
        try:
            piece = member.decompress(data, PIECE * 4)
        except zlib.error as error:
            piece, rest = _salvage(before, data)
            source.give_back(rest)
            yield piece
            raise corrupt("gzip", error) from error
        source.give_back(member.unconsumed_tail or member.unused_data)
        yield piece


def _salvage(state: zlib._Decompress, data: bytes) -> tuple[bytes, bytes]:
    """Decode as much of `data` as can be before the error in it; return also what was not used.

    The library drops the output of a call that fails, so ask for less and less.
    """
    good: list[bytes] = []
    size = PIECE * 4
    while size:
        attempt = state.copy()
        try:
            piece = attempt.decompress(data, size)
        except zlib.error:
            size //= 2
            continue
        if not piece:
            break
        good.append(piece)
        state, data = attempt, attempt.unconsumed_tail
    return b"".join(good), data


def zstd_pieces(source: Source) -> Iterator[bytes]:
    """Decode zstd frames one after the other; skippable ones and zero padding are skipped."""
    while head := source.peek(4):
        if _is_skippable(head):
            _skip_frame(source)
        elif MAGIC["zstd"].startswith(head):
            source.begin()
            yield from zstd_frame(source)
        elif head[:1] == b"\0":
            _skip_zeros(source)
        else:
            raise _garbage("zstd")


def _skip_frame(source: Source) -> None:
    left = int.from_bytes(source.exact(8, "zstd")[4:], "little")
    while left:
        data = source.take(min(left, PIECE))
        if not data:
            raise truncated("zstd")
        left -= len(data)


def zstd_frame(source: Source) -> Iterator[bytes]:
    """Feed one frame block by block (RFC 8878, 3.1.1).

    A block decodes to 128 KB at most, so memory stays bounded whatever the ratio, nothing before
    a damaged block is lost, and a frame that ends early is seen (the library keeps silent).
    """
    frame = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW).decompressobj()
    head = source.peek(5)
    if len(head) < 5:
        source.take(5)
        raise truncated("zstd")
    flags = head[4]
    size, single, dictionary = zstd_sizes(flags)
    window = _window(source.peek(size)[5:], single=single, dictionary=dictionary)
    if window > MAX_WINDOW:
        raise _too_wide("zstd", f"one of {window >> 20} MB")
    _feed(frame, source, size)
    last = False
    while not last:
        block = source.peek(3)
        if len(block) < 3:
            source.take(3)
            raise truncated("zstd")
        header = int.from_bytes(block, "little")
        last = bool(header & 1)
        if header >> 3 > MAX_BLOCK:
            raise corrupt("zstd", "a block that is too long")
        is_rle = header >> 1 & 3 == 1
        yield _feed(frame, source, 3 + (1 if is_rle else header >> 3))
    if flags & 4:
        yield _feed(frame, source, 4)
    if not frame.eof:
        raise truncated("zstd")


def zstd_sizes(flags: int) -> tuple[int, int, int]:
    """Return the bytes of a frame's header, whether it is of a single segment, those of an id."""
    single = flags >> 5 & 1
    dictionary, content_size = (0, 1, 2, 4)[flags & 3], (single, 2, 4, 8)[flags >> 6]
    return 5 + (not single) + dictionary + content_size, single, dictionary


def _window(header: bytes, *, single: int, dictionary: int) -> int:
    """Return the bytes that a frame may refer back to (RFC 8878, 3.1.1.1); header without flags."""
    if single:
        size = int.from_bytes(header[dictionary:], "little")
        return size + 256 if len(header) == dictionary + 2 else size
    if not header:
        return 0
    base = 1 << 10 + (header[0] >> 3)
    return base + (base >> 3) * (header[0] & 7)


def _feed(frame: zstandard.ZstdDecompressionObj, source: Source, size: int) -> bytes:
    data = source.exact(size, "zstd")
    try:
        return frame.decompress(data)
    except zstandard.ZstdError as error:
        source.give_back(data)
        raise corrupt("zstd", error) from error


def bz2_pieces(source: Source) -> Iterator[bytes]:
    """Decode bz2 streams one after the other; zero padding behind them is accepted."""
    while head := source.peek(3):
        if head[:1] == b"\0":
            _skip_zeros(source)
        elif not b"BZh".startswith(head):
            raise _garbage("bz2")
        else:
            source.begin()
            yield from bz2_stream(source)


def bz2_stream(source: Source) -> Iterator[bytes]:
    """Decode one bz2 stream."""
    return _bounded(bz2.BZ2Decompressor(), source, "bz2")


def xz_pieces(source: Source) -> Iterator[bytes]:
    """Decode xz streams one after the other; zero padding behind them is accepted."""
    while head := source.peek(6):
        if head[:1] == b"\0":
            _skip_zeros(source)
        elif not MAGIC["xz"].startswith(head):
            raise _garbage("xz")
        else:
            source.begin()
            yield from xz_stream(source)


def xz_stream(source: Source) -> Iterator[bytes]:
    """Decode one xz stream."""
    stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_WINDOW + (1 << 24))
    return _bounded(stream, source, "xz")


def _bounded(
    stream: bz2.BZ2Decompressor | lzma.LZMADecompressor, source: Source, codec: str
) -> Iterator[bytes]:
    """Decode one stream of a codec whose library bounds the output of a call."""
    while not stream.eof:
        data = source.chunk(SMALL) if stream.needs_input else b""
        if stream.needs_input and not data:
            raise truncated(codec)
        try:
            piece = stream.decompress(data, SMALL)
        except (OSError, lzma.LZMAError) as error:
            source.give_back(data)
            if str(error).startswith("Memory usage limit"):
                raise _too_wide(codec, "a larger one") from error
            raise corrupt(codec, error) from error
        yield piece
    source.give_back(stream.unused_data)


def _skip_zeros(source: Source) -> None:
    """Take the padding behind a stream."""
    while data := source.take(PIECE):
        if rest := data.lstrip(b"\0"):
            source.give_back(rest)
            return


def _garbage(codec: str) -> DamagedError:
    detail = f"expected the end or another {codec} stream, found other bytes. Upload it again."
    return DamagedError("garbage_tail", detail)


def _too_wide(codec: str, found: str) -> DamagedError:
    return DamagedError(
        "window_too_large",
        f"expected a {codec} stream with a window of at most {MAX_WINDOW >> 20} MB, found {found}. "
        "Compress it again with a smaller window or dictionary (zstd --long=27).",
    )


def plain_pieces(source: Source) -> Iterator[bytes]:
    """Give the bytes as they are."""
    while piece := source.chunk():
        yield piece


DECOMPRESSORS: dict[str, Callable[[Source], Iterator[bytes]]] = {
    "plain": plain_pieces,
    "gzip": gzip_pieces,
    "zstd": zstd_pieces,
    "bz2": bz2_pieces,
    "xz": xz_pieces,
}
