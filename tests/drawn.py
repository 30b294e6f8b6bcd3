"""What Hypothesis draws corpora of a few nights from: `DATES`, `texts`, `dumps`, `rules`."""

from __future__ import annotations

from hypothesis import strategies as st

from pipeline.model.rule import Rule
from tests.decided import story

DATES = ["2026-11-01", "2026-11-02", "2026-11-05", "2026-11-20"]

texts = st.one_of(
    st.builds(story, st.integers(0, 1), st.integers(0, 6), st.integers(0, 6), shout=st.booleans()),
    st.sampled_from(["", "too short", "Too, short!", "a b c d"]),
)
dumps = st.dictionaries(st.sampled_from("abcdefgh"), texts, max_size=6)
rules = st.builds(
    Rule,
    threshold=st.sampled_from([0.6, 0.75, 0.9]),
    scope=st.sampled_from(["all", "all", "night", 2, 4, 5, 16, 30]),
    survivor=st.sampled_from(["earliest", "longest"]),
    source_priority=st.sampled_from([(), (), ("south", "north"), ("east",)]),
)
