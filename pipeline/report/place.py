"""Where the page about a run is, and what stands there from the commit until it is written.

Holds: `address_of`, `keep_place`. Writes one small object.
Not here: the page itself (`page.py`), writing it (`stage.py`).

Those who wait for a night are told of its page before there is one: its task comes last, and no
published night waits for it. So the link leads to a page that says so, and loads itself again.
"""

from __future__ import annotations

import contextlib
from typing import Final

from pipeline.errors import ConflictError, MissingError
from pipeline.report.markup import css, templates
from pipeline.storage import layout, snapshots, tombstones
from pipeline.storage.units import Corpus

_FAILED: Final = b'<meta name="outcome" content="failed">'
"""Stands in the head of the page about a run that failed, and in no text of any page."""


def address_of(corpus: Corpus, dump_date: str, run_id: str) -> str:
    """Return where the page about a run is, or will be."""
    return f"{corpus.store.url.rstrip('/')}/{layout.report(dump_date, run_id)}"


def keep_place(corpus: Corpus, dump_date: str, run_id: str) -> str:
    """See that a page stands where that of a run which has committed will be; return its address.

    One that is there stays, unless it is from a try that failed before.
    """
    key = layout.report(dump_date, run_id)
    etag = None
    try:
        there, etag = corpus.store.get(key)
    except MissingError:
        there = b""
    if etag is None or _FAILED in there:
        page = _coming(corpus, dump_date, run_id).encode()
        with contextlib.suppress(ConflictError):  # written by now
            corpus.store.put(key, page, if_absent=etag is None, if_match=etag)
    return address_of(corpus, dump_date, run_id)


def _coming(corpus: Corpus, dump_date: str, run_id: str) -> str:
    snapshot = snapshots.current(corpus)
    stones = tombstones.active(tombstones.load(corpus, snapshot))
    return (
        templates()
        .get_template("coming.html.j2")
        .render(dump_date=dump_date, run_id=run_id, tombstones=tombstones.mark(stones), css=css())
    )
