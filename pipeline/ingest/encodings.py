"""The encoding of a text file, judged by its first block.

Holds: `encoding_of`, `marked_encoding`, `contradicts_utf8`, `codec_of`. Pure functions of bytes.
Not here: decoding (`decode.py`), what a file is (`formats.py`), pages of the web (`web.py`).

UTF-8 unless a byte order mark says otherwise or the bytes contradict it plainly: a few wrong bytes
in a UTF-8 file stay wrong bytes. Only then is the encoding guessed, from a sample.
"""

from __future__ import annotations

import codecs
import re

import numpy as np
from charset_normalizer import CharsetMatch, from_bytes
from resiliparse.parse.encoding import detect_encoding

SAMPLE = 1 << 16
MIN_HIGH = 8
"""Non-ASCII bytes below which nothing is guessed."""

MAX_BAD_SHARE = 0.3
"""Share of wrong bytes among those that are not ASCII from which a file is not UTF-8."""

MAX_NULS = 0.05
MIN_LETTERS = 0.7
MAX_WRONG = 0.005
"""Share of wrong units in UTF-16 or UTF-32 without a mark."""

MAX_CHAOS = 0.15
MAX_ACCENTS = 0.4
"""Share of the letters of a Latin script that are not ASCII, at most."""

MIN_FOREIGN = 0.5
"""Share of the letters that are not ASCII, at least, in encodings that are seldom met."""

ISO_2022_JP = "iso-2022-jp"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF_32 = ("utf-32-le", "utf-32-be")
_LEGACY = {
    "gb18030": "gb18030",
    "big5": "big5",
    "cp932": "shift_jis",
    "euc_jp": "euc_jp",
    "cp949": "euc_kr",
    "koi8_r": "koi8-r",
    **{f"cp125{number}": f"windows-125{number}" for number in range(9)},
}
"""Codecs that both detectors know, and the names under which they are recorded."""

_DETECTED = {
    **{codec.replace("_r", "-r"): name for codec, name in _LEGACY.items()},
    "cp866": "ibm866",
    "iso8859-5": "iso-8859-5",
    "iso8859-6": "iso-8859-6",
    "tis-620": "windows-874",
    "shift_jis": "shift_jis",
    "euc_kr": "euc_kr",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "iso8859-1": "windows-1252",
    "iso8859-15": "windows-1252",
    "iso8859-2": "windows-1250",
    "iso8859-4": "windows-1257",
    "iso8859-7": "windows-1253",
    "iso8859-8": "windows-1255",
    "iso8859-9": "windows-1254",
    "iso8859-13": "windows-1257",
}
"""What the detector answers, and how it is read: vendors' supersets of standards."""

_OF_SEVERAL_BYTES = frozenset(("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"))
_SELDOM = frozenset(("ibm866", "iso-8859-5", "iso-8859-6", "windows-874"))
_LATIN = frozenset(f"windows-125{number}" for number in (0, 2, 4, 7, 8))
_CODECS = {name: codec for codec, name in _LEGACY.items()} | {
    "ibm866": "cp866",
    ISO_2022_JP: "iso2022_jp_ext",
    "windows-874": "cp874",
}
_JAPANESE = re.compile(rb"\x1b\$[@B][\x21-\x7e]{2}")
"""Begins two-byte characters in ISO-2022-JP, all of whose bytes are ASCII."""

_UKRAINIAN = re.compile(r"[а-яґєії][ґєії]|[ґєії][а-яґєії]", re.IGNORECASE)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
"""A half of a character above U+FFFF as Java and old databases write it: UTF-8 but for these."""

_SAME_BYTES = re.compile(rb"([\x80-\xff])\1{15}")


def marked_encoding(head: bytes) -> str | None:
    """Return the encoding that a byte order mark announces, or None without one."""
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def encoding_of(head: bytes) -> str:
    """Return the name of a file's encoding; `utf-8` when nothing speaks against it."""
    marked = marked_encoding(head)
    if marked:
        return marked
    sample = head[:SAMPLE]
    if sample.count(0) > MAX_NULS * len(sample):
        return _wide(sample, may_err=True) or "utf-8"
    if sample.isascii():
        if _JAPANESE.search(sample):
            return ISO_2022_JP
        if head.isascii() or not contradicts_utf8(head):
            return "utf-8"
        sample = _first_not_ascii(head)
    if not contradicts_utf8(sample) or _SAME_BYTES.search(sample):
        return "utf-8"
    return _wide(sample) or _guess(sample) or _guess_behind_line(sample) or "utf-8"


def _first_not_ascii(head: bytes) -> bytes:
    """Return a sample from the line on that holds the first byte which is not ASCII."""
    found = _NOT_ASCII.search(head)
    at = found.start() if found else 0
    start = max(head.rfind(b"\n", 0, at) + 1, at - SAMPLE // 2)
    return head[start : start + SAMPLE]


def _guess_behind_line(sample: bytes) -> str | None:
    """Guess without the first line: files that were cut by size begin in the middle of one."""
    rest = sample.partition(b"\n")[2]
    found = _guess(rest) if rest else None
    return found if found in _OF_SEVERAL_BYTES else None


def codec_of(encoding: str) -> str:
    """Return the codec that decodes what is recorded as `encoding`: vendors' supersets count."""
    return _CODECS.get(encoding, encoding)


def contradicts_utf8(sample: bytes) -> bool:
    """Whether many bytes that are not ASCII are wrong in UTF-8 (a cut last character is not)."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        sample = _SURROGATE.sub(b"", sample)
        high = np.count_nonzero(np.frombuffer(sample, np.uint8) >= 0x80)
        text = sample.decode("utf-8", "surrogateescape")[:-3]
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        bad = np.count_nonzero((points >= 0xDC80) & (points <= 0xDCFF))
        return bool(bad >= MIN_HIGH and bad > MAX_BAD_SHARE * high)
    return False


def _wide(sample: bytes, *, may_err: bool = False) -> str | None:
    """Recognise UTF-16 or UTF-32 without a mark: nearly all is letters, digits and blanks.

    `may_err`: bytes that are no text otherwise; a few may be wrong.
    """
    if 2 * sample.count(0) >= len(sample):
        found = next((name for name in _UTF_32 if _is_prose(sample, name, may_err)), None)
        if found:
            return found
    units = np.frombuffer(sample[: len(sample) & ~1], np.uint8).reshape(-1, 2)
    if len(units) < 4:
        return None
    zeros = (units == 0).sum(axis=0)
    order = ("utf-16-le", "utf-16-be") if zeros[1] >= zeros[0] else ("utf-16-be", "utf-16-le")
    return next((name for name in order if _is_prose(sample, name, may_err)), None)


def _is_prose(sample: bytes, encoding: str, may_err: bool) -> bool:  # noqa: FBT001
    errors = "replace" if may_err else "strict"
    try:
        decoded = codecs.getincrementaldecoder(encoding)(errors).decode(sample)
    except UnicodeDecodeError:
        return False
    plain = sum(char.isalnum() or char.isspace() for char in decoded)
    blanks = sum(char in " \n\u3000\u3001\u3002\uff0c" for char in decoded)
    is_prose = plain >= MIN_LETTERS * len(decoded) and blanks > 0.01 * len(decoded)
    wrong = decoded.count("\0") + (decoded.count("\ufffd") if may_err else 0)
    return is_prose and wrong <= (MAX_WRONG * len(decoded) if may_err else 0)


def _guess(sample: bytes) -> str | None:
    """Ask two detectors for the likeliest encoding, the one that errs less first."""
    found = _DETECTED.get(detect_encoding(sample, html5_compatible=False) or "")
    if found == "koi8-r" and _UKRAINIAN.search(sample.decode("koi8-u")):
        found = "koi8-u"  # has letters where the other draws boxes
    return found if found and _is_likely(sample, found) else _second_guess(sample)


def _is_likely(sample: bytes, encoding: str) -> bool:
    """Whether a sample reads as text, with as many accents as Latin scripts have."""
    text = sample.decode(codec_of(encoding), "replace")
    letters = sum(map(str.isalpha, text))
    plain = letters + sum(char.isspace() or char.isdigit() for char in text)
    accents = sum(char.isalpha() and not char.isascii() for char in text)
    return (
        plain >= MIN_LETTERS * len(text)
        and (encoding not in _LATIN or accents <= MAX_ACCENTS * letters)
        and (encoding not in _SELDOM or accents >= MIN_FOREIGN * letters)
    )


def _second_guess(sample: bytes) -> str | None:
    """Ask for the likeliest encoding; Western text is Windows-1252 when that reads as well."""
    matches = from_bytes(sample, cp_isolation=list(_LEGACY), preemptive_behaviour=False)
    best: CharsetMatch | None = matches.best()
    if best is None or best.chaos > MAX_CHAOS:
        return None
    if "cp1252" in best.could_be_from_charset:
        return _LEGACY["cp1252"]
    return _LEGACY.get(best.encoding)
