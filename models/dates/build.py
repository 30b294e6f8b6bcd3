# ruff: noqa: INP001 - a script, not a package
"""Make the table of month and weekday names by which dates in texts are read.

Holds: `main`. Reads the names of CLDR (Unicode License v3) through `babel`, which the development
environment has. Writes `pipeline/dates/date_names.json`.
Not here: what is done with it (`dates/written.py`).

    python models/dates/build.py

A name that means two months in two languages would be a guess. Five do, all because Croatian has
the old Slavic names for other months than Polish and Czech. The Polish ones are kept apart: Polish
writes no full stop after the day, Croatian and Czech do. The others are left out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import babel
from babel import Locale

from pipeline.dates.words import folded

TARGET = Path(__file__).parents[2] / "pipeline" / "dates" / "date_names.json"
LOCALES = (
    "en", "es", "fr", "de", "it", "pt", "ru", "pl", "tr", "ar", "zh", "ja", "ko", "ar_SY",
    "ar_DZ", "ar_MA", "de_AT", "pt_PT", "es_MX", "az", "be", "bg", "bn", "bs", "ca", "cs", "da",
    "el", "et", "eu", "fa", "fi", "fil", "gl", "he", "hi", "hr", "hu", "hy", "id", "is", "ka",
    "kk", "lt", "lv", "mk", "mr", "ms", "nb", "nl", "ro", "sk", "sl", "sq", "sr", "sv", "sw",
    "ta", "te", "th", "uk", "ur", "uz", "vi",
)  # fmt: skip
WIDTHS = ("wide", "abbreviated")
HEBREW_IN = "ב"
"""Stands before the month in a Hebrew date: CLDR has it in the pattern, not in the name."""


def main() -> None:
    """Write the names, folded as texts are when they are looked up."""
    months: defaultdict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    weekdays: set[str] = set()
    for code in LOCALES:
        locale = Locale.parse(code)
        for context in ("format", "stand-alone"):
            for width in WIDTHS:
                for number, name in locale.months[context][width].items():
                    for form in _forms(name, code):
                        months[form][number].add(code)
                weekdays.update(folded(name) for name in locale.days[context][width].values())
    clear = {name: next(iter(found)) for name, found in months.items() if len(found) == 1}
    undotted = {
        name: month
        for name, found in months.items()
        for month, codes in found.items()
        if len(found) > 1 and "pl" in codes
    }
    table = {
        "source": f"CLDR, by babel {babel.__version__}",
        "months": {name: clear[name] for name in sorted(clear) if _is_word(name)},
        "undotted": dict(sorted(undotted.items())),
        "weekdays": sorted(name for name in weekdays if _is_word(name)),
    }
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    TARGET.write_text(text.replace('],"', '],\n"').replace('},"', '},\n"') + "\n", "utf-8")
    left = sorted(months.keys() - clear.keys() - undotted.keys())
    print(f"{len(clear)} names of months; {sorted(undotted)} in Polish only; left out: {left}")  # noqa: T201 - a script


def _forms(name: str, code: str) -> list[str]:
    name = folded(name)
    return [name, HEBREW_IN + name] if code == "he" else [name]


def _is_word(name: str) -> bool:
    return (len(name) > 1 or name >= "\u2e80") and not any(char.isdigit() for char in name)


if __name__ == "__main__":
    main()
