"""Making every character of a stranger's text visible.

Holds: `visible`, `shown`. Pure. Not here: HTML's own characters, which the template escapes.

Escaped text cannot become markup, but it can still lie: an override turns what follows it around, a
control character hides, a lone surrogate cannot be written at all.
"""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

# Not U+200C and U+200D: Persian and Indic words are written with them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_NONCHARACTERS = re.compile(
    "["
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
    + "]"
)


def visible(text: str) -> str:
    """Replace characters that hide, reorder or cannot be written by their numbers."""
    return _NONCHARACTERS.sub(_number, _INVISIBLE.sub(_number, text))


def shown(value: Any) -> Any:
    """Make what a template prints visible; `finalize` of its environment."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _number(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"
