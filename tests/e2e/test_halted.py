"""The page about a run that has not published."""

from __future__ import annotations

import msgspec
import pytest

from pipeline import runner
from pipeline.errors import ChangedError, GuardError
from pipeline.model.settings import GuardSettings, Settings
from pipeline.report.halted import halted_runs
from pipeline.storage import layout
from pipeline.storage.store import Store


def test_a_run_that_fails_says_how_far_it_came(local: Settings, landing: Store) -> None:
    """The page names the stage and what the task said; once the run has published, it is another.

    What a task said that failed and was tried again is of no more interest.
    """
    date, key = "2026-10-01", "web/2026-10-01/<b>a.jsonl"
    texts = b'{"text": "whole"}\n{"text": \n'
    landing.put(key, texts)
    strict = msgspec.structs.replace(
        local, guard=GuardSettings(quarantine="stop", quarantine_share=0.01)
    )
    place = layout.report(date, "halted")
    with runner.session(strict) as night:
        tasks = runner.run_night(night, date, "halted")
        assert next(tasks)[0] == "plan"
        landing.put(key, texts + texts)
        with pytest.raises(ChangedError):
            next(tasks)
        told = night.report(date, "halted")
        assert (told["outcome"], told["stage"]) == ("failed", "ingest")
        assert "<b>a.jsonl" in told["why"]
        page = night.corpus.store.get(place)[0].decode()
        assert "not published: ingest failed" in page
        assert "0 of 1" in page
        assert "&lt;b&gt;a.jsonl" in page
        assert "<b>" not in page
        with pytest.raises(GuardError):
            list(runner.run_night(night, date, "again"))
        told = night.report(date, "again")
        assert (told["outcome"], told["stage"]) == ("failed", "commit")
        assert told["why"].startswith(f"{date}: quarantine: expected at most 0.010")
        list(runner.run_night(night, date, "again", accept_guards=True))
        assert night.report(date, "again")["outcome"] == "published"
        page = night.corpus.store.get(layout.report(date, "again"))[0].decode()
        assert "failed" not in page
        assert night.report(date, "never asked for") == {}


def test_a_killed_run_says_how_far_it_came(local: Settings, landing: Store) -> None:
    """Nobody said why: the page names the first stage that has not ended."""
    date = "2026-10-01"
    landing.put(f"web/{date}/a.jsonl", b'{"text": "whole"}\n')
    with runner.session(local) as night:
        tasks = runner.run_night(night, date, "killed")
        for reached, expected in (
            ("plan", "ingest"), ("ingest", "match"), ("match", "decide"), ("decide", "annotate"),
            ("annotate", "annotate"), ("publish", "publish")
        ):  # fmt: skip
            assert next(label for label, _ in tasks).startswith(reached)
            told = night.report(date, "killed")
            assert (told["stage"], told["outcome"]) == (expected, "failed")
            assert told["why"].startswith("no task said why")


def test_the_runs_of_a_night_that_failed_are_found(local: Settings, landing: Store) -> None:
    """Those that said why or have a page, the latest first; none that published or is at work."""
    date, key = "2026-10-01", "web/2026-10-01/a.jsonl"
    landing.put(key, b'{"text": "whole"}\n')
    with runner.session(local) as night:
        for number, name in enumerate(("z-first", "a-last")):
            tasks = runner.run_night(night, date, name)
            next(tasks)
            landing.put(key, b'{"text": "whole"}\n' * (2 + number))
            with pytest.raises(ChangedError):
                next(tasks)
        for name in ("at-work", "killed"):
            assert next(runner.run_night(night, date, name))[0] == "plan"
        night.report(date, "killed")
        list(runner.run_night(night, date, "good"))
        night.report(date, "good")
        found = halted_runs(night.corpus, date, {"good"})
        assert [one.run_id for one in found] == ["killed", "a-last", "z-first"]
        assert [one.stage for one in found] == ["ingest"] * 3
        assert halted_runs(night.corpus, "2026-10-02", ()) == []
