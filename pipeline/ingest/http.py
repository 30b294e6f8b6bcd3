"""An HTTP response as a crawler stored it: status, headers, body.

Holds: `HttpResponse`, `parse_response`, `header_fields`. Pure functions of bytes.
Not here: WARC records (`warc.py`), what the body says (`web.py`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import brotli
import msgspec
import zstandard

from pipeline.ingest.decompress import MAX_WINDOW
from pipeline.ingest.pieces import RefusedError

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})\b")
_END = re.compile(rb"\r?\n\r?\n")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]{0,1000})?\r?\n")
_LAST = re.compile(rb"\r?\n0+[ \t]*\r?\n(?:\r?\n)?\Z")
"""The end of the last chunk, behind others: a chunk that holds it is longer than it was written."""

_SIZE_CUT = re.compile(rb"[ \t]*[0-9A-Fa-f]{0,8}[ \t]*(?:;[^\n]{0,1000})?\r?")
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[!?A-Za-z]")
_GZIP = b"\x1f\x8b"
_FRAME = 256
_FOLD = re.compile(r"\r?\n[ \t]+")


class HttpResponse(msgspec.Struct, frozen=True):
    """A response whose body is as the page was written: no chunks, no compression.

    `is_cut`: the body ends early.
    """

    status: int
    mime: str
    charset: str
    body: bytes
    is_cut: bool = False


class Body(NamedTuple):
    """What a body holds, and whether it ends early."""

    content: bytes
    is_cut: bool = False


def parse_response(block: bytes, *, limit: int) -> HttpResponse:
    """Take a response apart; the decoded body may have `limit` bytes.

    Raises:
        RefusedError: `bad_http`, `bad_chunking`, `bad_content_encoding` or `record_too_long`.
    """
    status = _STATUS.match(block)
    end = _END.search(block)
    if not status or not end:
        raise RefusedError(
            "bad_http", "expected an HTTP status line and headers, found something else."
        )
    fields = header_fields(block[status.end() : end.start()])
    body = Body(block[end.end() :])
    if "chunked" in fields.get("transfer-encoding", "").lower():
        body = _without_chunks(body.content)
    body = _decompressed(body, fields.get("content-encoding", "").strip().lower(), limit)
    mime, charset = media_type(fields.get("content-type", ""))
    return HttpResponse(int(status[1]), mime, charset, body.content, body.is_cut)


def header_fields(raw: bytes) -> dict[str, str]:
    """Return header fields with small names; the first of several with one name counts."""
    fields: dict[str, str] = {}
    for row in _FOLD.sub(" ", raw.decode("utf-8", "replace")).splitlines():
        name, colon, value = row.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def media_type(value: str) -> tuple[str, str]:
    """Return the media type and the charset that a `Content-Type` states ("" when it does not)."""
    mime, *parameters = value.split(";")
    charset = ""
    for parameter in parameters:
        name, _, said = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = said.strip().strip("\"'").lower()
    return mime.strip().lower(), charset


def _without_chunks(body: bytes) -> Body:
    """Join the chunks of a body.

    Crawlers often store the joined body under the header of the chunked one: a body that does not
    begin with the size of a chunk is taken as it is. One that ends early counts as far as it goes.
    """
    chunks: list[bytes] = []
    at = 0
    while (found := _CHUNK.match(body, at)) is not None:
        size = int(found[1], 16)
        at = found.end()
        if not size:
            return Body(b"".join(chunks))
        chunk = body[at : at + size]
        at += size
        if at >= len(body) and not _LAST.search(chunk):
            return Body(b"".join([*chunks, chunk]), is_cut=True)
        if not body.startswith((b"\r\n", b"\n"), at):
            break
        chunks.append(chunk)
        at += 2 if body.startswith(b"\r\n", at) else 1
    if not chunks and found is None:
        return Body(body)
    if found is None and _SIZE_CUT.fullmatch(body, at):
        return Body(b"".join(chunks), is_cut=True)
    raise RefusedError(
        "bad_chunking",
        f"expected chunks of the stated sizes in the body, found a break at byte {at}.",
    )


def _decompressed(stored: Body, coding: str, limit: int) -> Body:
    """Undo `Content-Encoding`, the last first; a body that is stored without it is taken as it is.

    What is missing at the end of a body is missing in its text.
    """
    body, is_cut = stored
    for name in reversed([said.strip() for said in coding.split(",")]):
        if name in {"", "identity"} or not body:
            continue
        plain = next((found for way in _WAYS.get(name, ()) if (found := way(body, limit))), None)
        if plain is None and not _MARKUP.match(body):
            wanted = name if name in _WAYS else ", ".join(_WAYS)
            detail = f"expected a body in {wanted}, or a page, found {name[:40]!r} and other bytes."
            raise RefusedError("bad_content_encoding", detail)
        body, is_cut = (plain.content, is_cut or plain.is_cut) if plain else (body, is_cut)
        if len(body) > limit:
            detail = f"expected a body of at most {limit} bytes, found more."
            raise RefusedError("record_too_long", detail)
    return Body(body, is_cut)


def _inflated(body: bytes, limit: int, *, wrap: int) -> Body | None:
    """Undo one kind of deflate; None when the bytes are not in it."""
    stream = zlib.decompressobj(wbits=wrap)
    try:
        return Body(stream.decompress(body, limit + 1), not stream.eof)
    except zlib.error:
        return None


def _gunzipped(body: bytes, limit: int) -> Body | None:
    """Undo gzip, of all members that follow each other; None when the first is broken."""
    if not body.startswith(_GZIP):
        return Body(body)
    found, at, is_cut = bytearray(), 0, False
    while body.startswith(_GZIP, at) and len(found) <= limit and not is_cut:
        start, size, member = at, _FRAME, zlib.decompressobj(wbits=31)
        try:
            while not member.eof and at < len(body) and len(found) <= limit:
                found += member.decompress(body[at : at + size], limit + 1 - len(found))
                at, size = at + size, 2 * size
        except zlib.error:
            return Body(bytes(found), is_cut=True) if start else None
        is_cut = not member.eof
        at = min(at, len(body)) - len(member.unused_data)
    return Body(bytes(found), is_cut)


def _unbrotlied(body: bytes, limit: int) -> Body | None:
    stream = brotli.Decompressor()
    try:
        found = bytes(stream.process(body, output_buffer_limit=limit + 1))
    except brotli.error:
        return None
    return Body(found, not stream.is_finished())


def _unzstd(body: bytes, limit: int) -> Body | None:
    packer = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    try:
        found = packer.stream_reader(body, read_across_frames=True).read(limit + 1)
        return Body(found, len(found) <= limit and _ends_early(body, packer))
    except zstandard.ZstdError:
        return None


def _ends_early(body: bytes, packer: zstandard.ZstdDecompressor) -> bool:
    """Whether the last zstd frame of a body is not whole.

    A part at once, as the bytes behind a frame are copied.
    """
    at = 0
    while at < len(body):
        frame, size = packer.decompressobj(), _FRAME
        while not frame.eof and at < len(body):
            frame.decompress(body[at : at + size])
            at, size = at + size, 2 * size
        if not frame.eof:
            return True
        at = min(at, len(body)) - len(frame.unused_data)
    return False


_Way = Callable[[bytes, int], Body | None]
_WAYS: Mapping[str, Sequence[_Way]] = {
    "gzip": (_gunzipped,),
    "x-gzip": (_gunzipped,),
    "deflate": (partial(_inflated, wrap=15), partial(_inflated, wrap=-15)),
    "br": (_unbrotlied,),
    "zstd": (_unzstd,),
}
