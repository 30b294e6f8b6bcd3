# ruff: noqa: D103 - the page states the question of each number
"""The answers to docs/questions.md, by pandas from the files, one function a question.

Written without the views: each function takes the tables as frames whose dates are dates, and
returns the rows that the page's SQL must give.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow.parquet as pq

Row = tuple[Any, ...]
Rows = list[Row]


class Tables(msgspec.Struct, frozen=True):
    """The four tables, read file by file."""

    documents: pd.DataFrame
    verdicts: pd.DataFrame
    quarantine: pd.DataFrame

    @property
    def copies(self) -> pd.DataFrame:
        """Dropped documents with `origin`, the source of their witness, and `apart`, in days."""
        source = self.verdicts.set_index("document_id")["source"]
        found = self.verdicts[~self.verdicts["kept"]].copy()
        found["origin"] = found["witness_id"].map(source)
        witness = pd.to_datetime(found["witness_dump_date"])
        found["apart"] = (pd.to_datetime(found["dump_date"]) - witness).dt.days.abs()
        return found

    def seen(self) -> dict[str, pd.DataFrame]:
        """Return published id → its own verdict and those of its duplicates."""
        stands_for = self.verdicts["witness_id"].fillna(self.verdicts["document_id"])
        return dict(iter(self.verdicts.groupby(stands_for)))

    @property
    def labelled(self) -> pd.DataFrame:
        """Documents with a topic that the model stands by."""
        return self.documents[self.documents["topic_status"] == "ok"]


def read(trees: Path) -> Tables:
    """Read the plain trees, taking the partition columns from the paths."""
    return Tables(*(_table(trees / name) for name in ("documents", "verdicts", "quarantine")))


def _table(folder: Path) -> pd.DataFrame:
    parts = []
    for path in sorted(folder.rglob("*.parquet")):
        frame = pq.ParquetFile(path).read().to_pandas()
        for name, value in re.findall(r"(\w+)=([^/]+)", str(path)):
            frame[name] = pd.Timestamp(value).date() if name == "dump_date" else value
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def counts(frame: pd.DataFrame, *names: str) -> dict[Row, int]:
    """Count rows by the values of columns."""
    keys: Iterable[Row] = zip(*(frame[name] for name in names), strict=True)
    found: dict[Row, int] = {}
    for key in keys:
        found[key] = found.get(key, 0) + 1
    return found


def q01(t: Tables) -> Rows:
    return [
        (date, len(part), int(part["word_count"].sum()), part["source"].nunique())
        for date, part in t.documents.groupby("dump_date")
    ]


def q02(t: Tables) -> Rows:
    found = counts(t.documents, "dump_date", "language")
    return sorted(((*key, n) for key, n in found.items()), key=lambda r: (r[0], -r[2], r[1]))


def q03(t: Tables) -> Rows:
    found = counts(t.labelled, "dump_date", "topic_label")
    return sorted(((*key, n) for key, n in found.items()), key=lambda r: (r[0], -r[2], r[1]))


def q04(t: Tables) -> Rows:
    found = counts(t.labelled, "language", "topic_label")
    total = counts(t.labelled, "language")
    rows = ((*key, n, round(n / total[key[:1]], 4)) for key, n in found.items())
    return sorted(rows, key=lambda r: (r[0], -r[2], r[1]))


def q05(t: Tables) -> Rows:
    rows = []
    for language, part in t.documents.groupby("language"):
        words = sorted(part["word_count"])
        at = max(1, -(-9 * len(words) // 10))
        rows.append((language, part["word_count"].median(), words[at - 1], words[-1]))
    return rows


def q06(t: Tables) -> Rows:
    rows = []
    for _, part in t.documents.groupby("language"):
        longest = part.sort_values(["char_count", "document_id"], ascending=[False, True]).head(3)
        names = ["language", "char_count", "dump_date", "document_id"]
        rows += [tuple(row) for row in longest[names].itertuples(index=False)]
    return rows


def q07(t: Tables) -> Rows:
    return [
        (source, len(part), int(part["kept"].sum()), round(part["kept"].mean(), 4))
        for source, part in t.verdicts.groupby("source")
    ]


def q08(t: Tables) -> Rows:
    rows = []
    for date, part in t.verdicts.groupby("dump_date"):
        witness = part.loc[~part["kept"], "witness_dump_date"]
        tonight = int((witness == str(date)).sum())
        shares = (int(part["kept"].sum()), tonight, len(witness) - tonight)
        rows.append((date, len(part), *(round(n / len(part), 4) for n in shares)))
    return rows


def q09(t: Tables) -> Rows:
    rows = [
        (
            name,
            len(part) - 1,
            part["dump_date"].nunique(),
            part["dump_date"].min(),
            part["dump_date"].max(),
            sorted(set(part["source"])),
        )
        for name, part in t.seen().items()
        if len(part) > 1
    ]
    return sorted(rows, key=lambda r: (-r[1], r[0]))[:20]


def q10(t: Tables) -> Rows:
    language = dict(zip(t.documents["document_id"], t.documents["language"], strict=True))
    rows = []
    for name, part in t.seen().items():
        first, last = part["dump_date"].min(), part["dump_date"].max()
        if last > first:
            rows.append((name, language[name], first, last, (last - first).days))
    return sorted(rows, key=lambda r: (-r[4], r[0]))[:20]


def q11(t: Tables) -> Rows:
    others = t.copies[t.copies["origin"] != t.copies["source"]]
    rows = [
        (origin, len(part), part["witness_id"].nunique(), part["source"].nunique())
        for origin, part in others.groupby("origin")
    ]
    return sorted(rows, key=lambda r: (-r[1], r[0]))


def q12(t: Tables) -> Rows:
    others = t.copies[t.copies["origin"] != t.copies["source"]]
    rows = [
        (
            *pair,
            len(part),
            int((part["reason"] == "exact").sum()),
            round(part["similarity"].astype(float).mean(), 4),
        )
        for pair, part in others.groupby(["origin", "source"])
    ]
    return sorted(rows, key=lambda r: (-r[2], r[0], r[1]))


def q13(t: Tables) -> Rows:
    own = t.copies[t.copies["origin"] == t.copies["source"]]
    return [
        (source, len(part), int((part["apart"] == 0).sum()))
        for source, part in own.groupby("source")
    ]


def q14(t: Tables) -> Rows:
    near = t.verdicts[t.verdicts["reason"] == "near"]
    steps = [int(float(value) * 20 + 1e-9) / 20 for value in near["similarity"]]
    return [(step, steps.count(step)) for step in sorted(set(steps))]


def q15(t: Tables) -> Rows:
    return sorted((*key, n) for key, n in counts(t.copies, "apart").items())


def q16(t: Tables) -> Rows:
    found = counts(t.documents, "dump_date", "language")
    total = counts(t.documents, "dump_date")
    languages = sorted(set(t.documents["language"]))
    dates = sorted(date for (date,) in total)
    rows = []
    for before, date in pairwise(dates):
        for language in languages:
            now = 100 * found.get((date, language), 0) / total[date,]
            then = 100 * found.get((before, language), 0) / total[before,]
            rows.append((date, language, round(now, 4), round(now - then, 4)))
    return rows


def q17(t: Tables) -> Rows:
    night = max(t.documents["dump_date"])
    is_last = t.labelled["dump_date"] == night
    last, earlier = t.labelled[is_last], t.labelled[~is_last]
    rows = []
    for topic in set(last["topic_label"]):
        now = (last["topic_label"] == topic).mean()
        before = (earlier["topic_label"] == topic).mean() if len(earlier) else 0.0
        rows.append((topic, round(now, 4), round(before, 4)))
    risen = [row for row in rows if row[1] > row[2]]
    return sorted(risen, key=lambda r: (-round(r[1] - r[2], 4), r[0]))


def q18(t: Tables) -> Rows:
    return [
        (
            language,
            round(part["language_confidence"].astype(float).mean(), 4),
            round((part["topic_status"] == "ok").mean(), 4),
        )
        for language, part in t.documents.groupby("language")
    ]


def q19(t: Tables) -> Rows:
    rows: Rows = []
    for source, part in t.documents.groupby("source"):
        dated = part[part["published"].notna()]
        days = [
            (night - day).days
            for night, day in zip(dated["dump_date"], dated["published"], strict=True)
        ]
        rows.append((source, len(days), min(days, default=None), max(days, default=None)))
    return rows


def q20(t: Tables) -> Rows:
    bad = t.quarantine[t.quarantine["kind"] == "quarantine"]
    return [
        (*key, len(part), int(part["stored_bytes"].sum()))
        for key, part in bad.groupby(["dump_date", "reason"])
    ]


def q21(t: Tables) -> Rows:
    furniture = t.quarantine[t.quarantine["kind"] == "furniture"]
    rows = [
        (*key, len(part), int((part["char_end"] - part["char_start"]).sum()))
        for key, part in furniture.groupby(["source", "reason"])
    ]
    return sorted(rows, key=lambda r: (r[0], -r[3], r[1]))


def q22(t: Tables) -> Rows:
    return [
        (*key, len(part))
        for key, part in t.verdicts.groupby(["dump_date", "dump_file"])
        if not part["kept"].any()
    ]


def q23(t: Tables) -> Rows:
    wanted = t.verdicts.loc[~t.verdicts["kept"], "document_id"].max()
    (part,) = [part for part in t.seen().values() if wanted in set(part["document_id"])]
    names = ["dump_date", "document_id", "kept", "reason", "similarity", "dump_file"]
    part = part[[*names, "char_start", "char_end"]].sort_values(
        ["kept", "dump_date", "document_id"], ascending=[False, True, True]
    )
    return [tuple(row) for row in part.itertuples(index=False)]


def q24(t: Tables) -> Rows:
    wanted = t.verdicts.loc[~t.verdicts["kept"], "witness_id"].min()
    others = t.verdicts[t.verdicts["witness_id"] == wanted]
    found = counts(others, "source", "dump_date")
    return sorted(((*key, n) for key, n in found.items()), key=lambda r: (r[1], r[0]))


def q25(t: Tables) -> Rows:
    sample = t.documents[[name[0] in "01" for name in t.documents["document_id"]]]
    return [
        (language, len(part), part["document_id"].min())
        for language, part in sample.groupby("language")
    ]


ANSWERS: dict[int, Callable[[Tables], Rows]] = {
    int(name[1:]): function
    for name, function in sorted(globals().items())
    if re.fullmatch(r"q\d\d", name)
}
