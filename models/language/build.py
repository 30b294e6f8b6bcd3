# ruff: noqa: INP001 - a script, not a package
"""Make the code-point table of language annotation: script, letter or not, Hans or Hant.

Holds: `main`. Reads Unicode's data through `regex` and `unicodedata` and, for the Chinese
characters that only one of the two ways of writing uses, the OpenCC character lists (Apache-2.0).
Writes `pipeline/enrich/codepoints.json`. Not here: what is done with it (`enrich/codepoints.py`).

    python models/language/build.py --opencc <folder with STCharacters.txt and TSCharacters.txt>

Needs `regex` for the script of a code point, which the standard library does not know.
"""

from __future__ import annotations

import argparse
import json
import unicodedata
from pathlib import Path

import regex

TARGET = Path(__file__).parents[2] / "pipeline" / "enrich" / "codepoints.json"
CODES = 0x110000
STRIPPED = {"Cc", "Cs", "Cn", "Co"}
KEPT = {"\t", "\n", "\r"}


def main() -> None:
    """Write the table as runs of equal code points."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--opencc", type=Path, required=True)
    folder = parser.parse_args().opencc
    names = _script_names()
    patterns = [(name, regex.compile(rf"\p{{Script={name}}}+")) for name in names]
    everything = "".join(map(chr, range(CODES)))
    scripts = [0] * CODES
    for index, (_, pattern) in enumerate(patterns, start=1):
        for match in pattern.finditer(everything):
            scripts[match.start() : match.end()] = [index] * (match.end() - match.start())
    rows = [(scripts[code], _kind(chr(code))) for code in range(CODES)]
    starts = [code for code in range(CODES) if code == 0 or rows[code] != rows[code - 1]]
    hans, hant = _exclusive(folder)
    table = {
        "unicode": unicodedata.unidata_version,
        "scripts": ["Zyyy", *names],
        "starts": starts,
        "script": [rows[start][0] for start in starts],
        "kind": [rows[start][1] for start in starts],
        "hans": hans,
        "hant": hant,
        "hans_hant_source": "OpenCC STCharacters, TSCharacters (Apache-2.0)",
    }
    TARGET.write_text(json.dumps(table, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


def _script_names() -> list[str]:
    """Every ISO 15924 code that Unicode gives to letters, from the code points themselves."""
    from regex._regex_core import PROPERTIES  # noqa: PLC0415 - the only list of names it has

    values = PROPERTIES["SCRIPT"][1]
    none = {"ZZZZ", "ZYYY", "ZINH", "QAAI", "QAAC", "HRKT"}
    return sorted({name.title() for name in values if len(name) == 4} - {n.title() for n in none})


def _kind(character: str) -> int:
    """2: detectors cannot bear it; 1: a letter; 0: anything else."""
    category = unicodedata.category(character)
    if category in STRIPPED and character not in KEPT:
        return 2
    return 1 if category[0] == "L" else 0


def _exclusive(folder: Path) -> tuple[str, str]:
    """Characters that stand in one list alone: simplified only, traditional only."""
    simplified = _pairs(folder / "STCharacters.txt")
    traditional = _pairs(folder / "TSCharacters.txt")
    hans = {s for s, targets in simplified.items() if s not in targets and s not in traditional}
    hant = {t for t, targets in traditional.items() if t not in targets and t not in simplified}
    return "".join(sorted(hans)), "".join(sorted(hant))


def _pairs(path: Path) -> dict[str, set[str]]:
    lines = (line.split("\t") for line in path.read_text("utf-8").splitlines())
    return {line[0]: set(line[1].split()) for line in lines if len(line) == 2 and line[0][0] != "#"}


if __name__ == "__main__":
    main()
