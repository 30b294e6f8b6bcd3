"""Text that was decoded wrongly before it was dumped, such as `Ã©` for `é`.

Holds: `repaired`. Pure. Not here: encodings of files (`encodings.py`), published text
(`normalise.py`).
"""

from __future__ import annotations

import re

import ftfy

_SECOND = "\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_CYRILLIC = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—™љ›њќћџ\xa0ЎўЈ¤Ґ¦§Ё©Є«¬\xad®Ї°±Ііґµ¶·ё№є»јЅѕї"
_LIKELY = re.compile(
    f"[ÂÃÅÄÎÏÐÑ×ØÙ][{_SECOND}]|â[€\x80][{_SECOND}]|[äåæçèé][{_SECOND}]{{2}}|ð[Ÿ\x9f][{_SECOND}]{{2}}"
    f"|ï¿½|(?:[à-ï][{_SECOND}]{{2}}){{2}}|(?:[РС][{_CYRILLIC}]){{2}}"
)
"""Lead bytes of UTF-8 followed by their next, read as Windows-1252, Latin-1 or Windows-1251."""

_QUICK = re.compile(f"[ÂÃÅÄÎÏÐÑ×ØÙà-ð][{_SECOND}]|[РС][{_CYRILLIC}][РС]")
"""What all of those begin with, in the form of pattern that is searched fastest."""


def repaired(text: str) -> str:
    """Return the text mended where it was; clean text comes back as the same object.

    Only lines that hold a typical sequence are shown to ftfy, which decides.
    """
    if text.isascii() or not _QUICK.search(text) or not _LIKELY.search(text):
        return text
    lines = text.split("\n")
    mended = [ftfy.fix_encoding(line) if _LIKELY.search(line) else line for line in lines]
    return text if mended == lines else "\n".join(mended)
