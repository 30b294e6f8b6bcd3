"""How the records of a file are laid out: what the parts of a file behind damage must know.

Holds: `Layout`. A value that readers fill. Not here: finding it out (`delimited.py`,
`json_files.py`, `mail.py`).
"""

from __future__ import annotations

import msgspec

from pipeline.ingest.columns import Columns


class Layout(msgspec.Struct):
    """How a file is laid out; filled when its start is read, kept behind damage.

    `header`: the names of the columns; `above`: how many lines stand above them. `by_cr`: lines end
    in CR alone. `around`: what JSON records stand in, if they are no lines: `array`, `object`, or
    nothing. `wide`: the encoding of mails in UTF-16.
    """

    delimiter: str = ""
    columns: Columns | None = None
    header: tuple[str, ...] = ()
    width: int = 0
    above: int = 0
    by_cr: bool = False
    around: str = ""
    wide: str = ""
