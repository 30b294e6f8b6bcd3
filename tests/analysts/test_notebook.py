"""The notebook for new analysts runs on the demo corpus as it stands, and draws what it says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.analysts import answers, tools
from tests.analysts.conftest import Demo

NOTEBOOK = Path(__file__).parents[2] / "docs/notebook/tour.py"
RUN = """
import importlib.util, json, sys
import matplotlib
matplotlib.use("Agg")
spec = importlib.util.spec_from_file_location("tour", sys.argv[1])
tour = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tour)
outputs, found = tour.app.run()
figures = {name: len(found[name].axes[0].patches) for name in found if name.endswith("_figure")}
night = found["by_night"]
print(json.dumps({
    "figures": figures,
    "published": [int(n) for n in night["published"]],
    "split": [int(n) for n in night["split"]],
    "languages": {row.language: int(row.documents) for row in found["by_language"].itertuples()},
    "longest": int(found["articles"]["char_count"][0]),
    "reasons": {row.reason: int(row.spans) for row in found["reasons"].itertuples()},
    "chosen": found["language"].value,
    "topics": len(found["by_topic"]),
    "shown": sum(output is not None for output in outputs),
}))
"""


def test_every_cell_runs_and_says_what_the_files_say(at_home: Demo) -> None:
    """All cells run in the analysts' environment; numbers and bars are those of the tables."""
    done = subprocess.run(
        [tools.python(), "-c", RUN, str(NOTEBOOK)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    tables = answers.read(at_home.trees)
    nights = answers.q01(tables)
    languages = {key[0]: n for key, n in answers.counts(tables.documents, "language").items()}
    assert told["published"] == [row[1] for row in nights]
    assert told["split"] == [row[1] for row in answers.q08(tables)]
    assert told["languages"] == languages
    of_chosen = tables.documents[tables.documents["language"] == told["chosen"]]
    assert told["longest"] == of_chosen["char_count"].max()
    assert sum(told["reasons"].values()) == len(tables.quarantine)
    assert told["figures"] == {
        "nights_figure": 3 * len(nights),
        "language_figure": len(languages),
        "topic_figure": told["topics"],
    }
    assert told["shown"] >= 8
