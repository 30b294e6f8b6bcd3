# ruff: noqa: INP001 - a script, not a package
"""Measure the numbers of the language vote: usual fit of each language, and how often it is right.

Holds: `main`. Reads labelled texts (JSON lines, gzip: `text`, and `lang` as ISO 639-3 with or
without a script) and uses every second one; the others are for `benchmarks/annotation`. Writes
`pipeline/enrich/language_model.json`. Not here: the vote (`pipeline/enrich/vote.py`).

    python models/language/calibrate.py --texts lid_dev.jsonl.gz
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.enrich import vote
from pipeline.enrich.calibration import Curve, rising
from pipeline.enrich.codepoints import look, windows
from pipeline.enrich.detectors import cld2
from pipeline.enrich.labels import canonical, group
from pipeline.enrich.language import MIN_LETTERS, WINDOW_COUNT, WINDOW_SIZE, ballot
from pipeline.enrich.ngrams import ngrams

TARGET = Path(vote.__file__).parent / "language_model.json"
NAME = "lid-vote3/3"
MIN_FIT = -4.0  # loses one text in 500 of known languages and half of what was answered wrongly
MIN_TEXTS, LEAST_DEVIATION = 9, 0.25
MACRO = dict(
    pair.split(":")
    for pair in """
    als:sqi arb:ara acm:ara acq:ara aeb:ara ajp:ara apc:ara ars:ara azj:aze pes:fas prs:fas ory:ori
    npi:nep zsm:msa swh:swa khk:mon lvs:lav uzn:uzb plt:mlg quy:que ydd:yid kmr:kur ckb:kur gaz:orm
    pbt:pus twi:aka ayr:aym fil:tgl arz:ara ary:ara
    """.split()  # noqa: SIM905 - read as a table
)
"""Individual languages of the texts' labels to those that detectors answer."""

Case = tuple[str, vote.Ballot]


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True)
    path = parser.parse_args().texts
    cases = list(_cases(path))
    fit = _fit(cases)
    known = sorted({canonical(label) for label in ngrams().classes})
    facts = vote.Card(name=NAME, min_fit=MIN_FIT, known=frozenset(known), fit=fit, calibration={})
    vote.card = lambda: facts
    file = {
        "name": NAME,
        "texts_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "command": f"python models/language/calibrate.py --texts {path.name}",
        "min_fit": MIN_FIT,
        "known": known,
        "fit": fit,
        "calibration": _calibration(cases),
    }
    TARGET.write_text(json.dumps(file, indent=1) + "\n", "utf-8")


def language(label: str) -> str:
    """Return the ISO 639-3 code that an answer must have for a text of this label."""
    code = label.split("_", maxsplit=1)[0]
    return MACRO.get(code, code)


def _cases(path: Path) -> Iterator[Case]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][::2]
    seen = [look(row["text"]) for row in rows]
    kept = [number for number, one in enumerate(seen) if one.letters >= MIN_LETTERS]
    parts = ["\n".join(windows(seen[n].text, count=WINDOW_COUNT, size=WINDOW_SIZE)) for n in kept]
    scored = ngrams().score(parts)
    for place, (number, part) in enumerate(zip(kept, parts, strict=True)):
        found = ballot(scored, place, second=cld2(part), text=part, script=seen[number].script)
        yield language(rows[number]["lang"]), found


def _fit(cases: list[Case]) -> dict[str, tuple[float, float]]:
    """Return mean and deviation of the fit of each language's own texts, the odd ones left out."""
    fits: defaultdict[str, list[float]] = defaultdict(list)
    for truth, found in cases:
        if group(truth) == group(found.first[0]) == group(found.second[0]):
            fits[found.first[0]].append(found.fit)
    usual = {}
    for name, values in sorted(fits.items()):
        if len(values) >= MIN_TEXTS:
            middle = float(np.median(values))
            spread = 1.4826 * float(np.median(np.abs(np.array(values) - middle)))
            usual[name] = (round(middle, 3), round(max(spread, LEAST_DEVIATION), 3))
    return usual


def _calibration(cases: list[Case]) -> dict[str, Curve]:
    """Return, by kind of vote, a rising curve from py3langid's confidence to the share of hits.

    Texts in languages that no detector knows are left out: how many there are is not known.
    """
    known = {label for _, found in cases for label in _answers(found)}
    kinds: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
    for truth, found in cases:
        verdict = vote.decide(found)
        if verdict.how and truth in known:
            kinds[verdict.how].append((found.first[1], verdict.language == truth))
    return {how: rising(pairs) for how, pairs in sorted(kinds.items())}


def _answers(found: vote.Ballot) -> set[str]:
    return {found.first[0], found.second[0], *(found.third[:1] if found.third else ())}


if __name__ == "__main__":
    main()
