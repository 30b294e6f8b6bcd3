"""How well a tool found the duplicates that are known.

Holds: `judge`. Reads the truth of a corpus and a tool's labels. Not here: speed (`compare.py`).

A true pair is *resolved* when at most one of the two stays: that is what users get, whether a tool
joins chains of copies to families or names one witness. A hard negative is *merged* when both have
the same label. A removal is *unfounded* when no document that stays is like the removed one: 0.6 is
three standard errors of a signature of 128 values below our threshold of 0.72. Texts without spaces
are judged apart: most tools do not claim them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from benchmarks.dedup.corpus import HARD

BINS = ((0.95, 1.01), (0.9, 0.95), (0.85, 0.9), (0.8, 0.85), (0.75, 0.8), (0.7, 0.75), (0.6, 0.7))
UNFOUNDED = (0.7, 0.6)
LEFT = 0.8

Floats = npt.NDArray[np.float64]


def judge(corpus: Path, out: Path) -> dict[str, Any]:
    """Return recall by similarity, merged hard negatives, unfounded removals, copies left."""
    truth = pq.read_table(corpus / "truth.parquet")
    table = pq.read_table(out / "labels.parquet")
    ids = table["id"].combine_chunks()
    number = {name: at for at, name in enumerate(ids.to_pylist())}
    labels = np.array([number.get(one, -1) for one in table["label"].to_pylist()])
    one = np.array([number[name] for name in truth["one"].to_pylist()])
    two = np.array([number[name] for name in truth["two"].to_pylist()])
    same = (labels[one] == labels[two]) & (labels[one] >= 0)
    likeness = np.asarray(truth["jaccard"].to_numpy(), np.float64)
    kinds = truth["kind"].to_numpy(zero_copy_only=False).astype(str)
    hard = np.isin(kinds, HARD)
    named = (labels >= 0).any() and not (labels == -1).any()
    kept = labels == np.arange(len(labels))
    spaceless = kinds == "spaceless"
    fair = ~np.isin(kinds, (*HARD, "spaceless"))
    true = (likeness >= LEFT) & fair
    resolved = ~(kept[one] & kept[two])
    return {
        "recall": [
            _mean(resolved, (likeness >= low) & (likeness < high) & fair) for low, high in BINS
        ],
        "spaceless": _mean(resolved, (likeness >= LEFT) & spaceless),
        "hard_pairs": int(hard.sum()),
        "hard_merged": int(same[hard].sum()) if named else None,
        "strangers": _strangers(labels, one, two) if named else None,
        "removed": int((~kept).sum()),
        "unfounded": _unfounded(kept, one, two, likeness=likeness),
        "true_pairs": int(true.sum()),
        "left": int((kept[one] & kept[two] & true).sum()),
    }


def _mean(values: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float | None:
    return float(values[among].mean()) if among.any() else None


def _strangers(labels: npt.NDArray[np.int64], one: Any, two: Any) -> int:
    """Count the removed documents whose label is no member of their family."""
    known = set(zip(one.tolist(), two.tolist(), strict=True))
    known |= {(b, a) for a, b in known}
    families = {a for pair in known for a in pair}
    wrong = 0
    for place, label in enumerate(labels.tolist()):
        alone = place not in families or label not in families
        wrong += label != place and (alone or (place, label) not in known)
    return wrong


def _unfounded(kept: npt.NDArray[np.bool_], one: Any, two: Any, *, likeness: Floats) -> list[int]:
    best = np.zeros(len(kept))
    for here, there in ((one, two), (two, one)):
        counts = kept[there]
        np.maximum.at(best, here[counts], likeness[counts])
    return [int(((best < floor) & ~kept).sum()) for floor in UNFOUNDED]
