"""Promise 5 under kill -9: a night killed at any write and run again ends in the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import runner
from pipeline.publish import monthly
from pipeline.publish.promote import promote
from pipeline.storage.open import open_store
from tests.nights import land, run, settings_for

SCRIPT = Path(__file__).with_name("die_at_write.py")
ROOT = SCRIPT.parents[2]
EARLIER, LATER = "2026-11-18", "2026-11-20"


def _line(text: str) -> bytes:
    return json.dumps({"text": text}).encode() + b"\n"


def _text(seed: str) -> str:
    return " ".join(f"{seed}{number}" for number in range(80))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("months", [False, True])
def test_killed_at_every_write(tmp_path: Path, *, months: bool) -> None:
    """A late night that retracts, killed at each of its writes, heals to the reference bytes.

    In a corpus with months at each third: most of its writes are those of one without.
    """
    settings = settings_for(str(tmp_path / "landing"), str(tmp_path / "corpus"))
    landing = open_store(settings.store.landing, create=True)
    land(landing, [(f"wire/{LATER}/b.jsonl", _line(_text("shared")) + _line(_text("own")))])
    run(settings, LATER, "later")
    if months:
        with runner.corpus_session(settings) as corpus:
            monthly.start(corpus)
            promote(corpus)
    land(landing, [(f"wire/{EARLIER}/a.jsonl", _line(_text("shared")) + b"{broken\n")])
    page = "\n\n".join(f"Title of story {n} about {w}\n\n{_text(w)}." for n, w in enumerate("xyz"))
    land(landing, [(f"blog/{EARLIER}/page.txt", page.encode())])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, SCRIPT, settings.store.landing, settings.store.corpus, scratch, EARLIER]
        + (["3"] if months else []),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert list(answer) == ["writes"], answer
    assert answer["writes"] > 15
