"""Compiling every kernel once, so that the first night does not pay for it.

Holds: `warm`, `glued` and the command line (`python -m pipeline.runner.warm`). Runs two tiny
nights on a store in memory; numba keeps what it compiles on disk (see `signature/signatures.py`).
Not here: anything that a real night needs.
"""

from __future__ import annotations

import time

from pipeline import telemetry
from pipeline.model.settings import PlanSettings, Settings, StoreSettings
from pipeline.runner.in_turn import run_night
from pipeline.runner.sessions import open_landing, session

_WORDS = [f"word{number} " for number in range(400)]


def glued() -> str:
    """Return a page that is cut: only pages with boundaries are looked at as a whole."""
    lines = []
    for letter in "bdfgk":
        words = [f"{letter}{vowel}{end}" for vowel in "aeiou" for end in "lmnrst"]
        lines.append(" ".join(words[:8]).capitalize())
        lines += [f"{' '.join(words[at:] + words[:at]).capitalize()}." for at in range(5)]
    return "\n\n".join(lines)


def warm() -> None:
    """Run every stage on a page and on JSON lines with copies inside and across nights."""
    settings = Settings(
        store=StoreSettings(landing="memory://warm-landing", corpus="memory://warm-corpus"),
        plan=PlanSettings(quiet_seconds=0),
    )
    landing = open_landing(settings)
    for date, shift in (("2000-01-01", 0), ("2000-01-02", 5)):
        texts = ["".join(_WORDS[at + shift : at + shift + 200]) for at in (0, 2, 190)]
        page = "\n\n".join(f"A title of {number}\n\n{text}" for number, text in enumerate(texts))
        lines = "".join(f'{{"text": "{text}"}}\n' for text in (*texts, texts[0]))
        landing.put(f"warm/{date}/page.txt", page.encode())
        landing.put(f"warm/{date}/glued.txt", glued().encode())
        landing.put(f"warm/{date}/lines.jsonl", lines.encode())
        with session(settings) as night:
            for _ in run_night(night, date, date):
                pass


if __name__ == "__main__":
    started = time.perf_counter()
    telemetry.configure("json")
    warm()
    telemetry.log.info("warm.done", seconds=round(time.perf_counter() - started, 1))
