"""The texts that kernels are compiled with."""

from __future__ import annotations

from pipeline.ingest.split import split_page
from pipeline.ingest.split_whole import LEAST_LINES, MOST_CUTS
from pipeline.model.settings import IngestSettings
from pipeline.runner.warm import glued


def test_the_glued_page_is_judged_as_a_whole() -> None:
    """It has boundaries, and is long enough: what judges pages is compiled with the rest."""
    page = glued()

    documents = split_page(page, settings=IngestSettings())

    assert 1 < len(documents) <= MOST_CUTS
    assert page.count("\n\n") + 1 >= LEAST_LINES
