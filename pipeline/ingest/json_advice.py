"""How to make records of JSON objects that have no text: what operators are told.

Holds: `next_step`. A pure function. Not here: records (`jsonl.py`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice

_LOOKED_AT = 300
_LONG = 40
"""Characters that hardly a name, a date or an id has."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")


def next_step(fields: Mapping[str, object]) -> str:
    """Say how jq writes a record with a text, or those that an object holds."""
    found = list(islice(_inside(fields), _LOOKED_AT))
    objects = [(path, value) for path, value in found if isinstance(value, dict)]
    records = [path for path, value in objects if isinstance(value.get("text"), str)]
    texts = [(path, value) for path, value in found if isinstance(value, str) and value[_LONG:]]
    own = [(path, value) for path, value in texts if "[]" not in path]
    text = max(own or texts, key=lambda each: len(each[1]), default=("", ""))[0]
    if text and not records:
        record, _, name = text.rpartition("[]")
        step = f"{record}[] | .text = {name}" if record else f".text = {name}"
        return f"If {text} is the text, name it so with jq -c '{step}'."
    arrays = records or [path for path, _ in objects if path.endswith("[]")]
    if arrays:
        return f"If {arrays[0]} are the records, write them with jq -c '{arrays[0]}'."
    return "Write the dump with that name."


def _inside(fields: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield what an object holds, the nearest first, with its path; of several the first alone."""
    waiting: deque[tuple[str, object]] = deque([("", fields)])
    while waiting:
        path, value = waiting.popleft()
        yield path, value
        if isinstance(value, list) and value and isinstance(value[0], dict):
            waiting.append((f"{path or '.'}[]", value[0]))
        if isinstance(value, dict):
            inner = list(islice(value.items(), _LOOKED_AT))
            if _are_alike([each for _, each in inner]):
                waiting.append((f"{path or '.'}[]", inner[0][1]))
                continue
            waiting.extend(
                (f"{path}.{name}", each) for name, each in inner if _NAME.fullmatch(name)
            )


def _are_alike(values: list[object]) -> bool:
    """Whether values are records, under a name each."""
    shapes = {tuple(value) if isinstance(value, dict) else None for value in values}
    return len(values) > 1 and len(shapes) == 1 and None not in shapes
