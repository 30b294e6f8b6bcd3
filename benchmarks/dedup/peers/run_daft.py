"""daft: normalise and minhash as expressions, equal bands by group and join, union-find."""

from __future__ import annotations

import daft
import numpy as np
import pyarrow as pa
from common import BANDS, ROWS, SHINGLE, Clock, Families, arguments, finish, write_kept

try:
    from daft.functions import minhash, normalize
except ImportError:  # before 0.6 they are methods of expressions

    def normalize(text, **options):  # noqa: ANN001, ANN003, ANN201
        """Lower case, no punctuation, single spaces."""
        return text.str.normalize(**options)

    def minhash(text, **options):  # noqa: ANN001, ANN003, ANN201
        """The minima of all permutations."""
        return text.minhash(**options)


daft.set_runner_native()
corpus, out = arguments()
clock = Clock()
frame = daft.read_parquet(str(corpus / "documents" / "*.parquet")).select("id", "text")
plain = normalize(
    daft.col("text"), remove_punct=True, lowercase=True, nfd_unicode=False, white_space=True
)
signature = minhash(
    plain, num_hashes=BANDS * ROWS, ngram_size=SHINGLE, seed=1, hash_function="xxhash"
)
signed = frame.select("id", signature.alias("minima")).sort("id").collect().to_arrow()
clock.lap("sign")
ids = signed["id"].to_pylist()
minima = signed["minima"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
minima = minima.astype(np.uint64).reshape(-1, BANDS, ROWS)
keys = np.zeros((len(ids), BANDS), np.uint64)
for row in range(ROWS):
    keys = (keys ^ minima[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
    keys ^= keys >> np.uint64(29)
bands = daft.from_arrow(
    pa.table(
        {
            "band": np.repeat(np.arange(BANDS, dtype=np.int32), len(ids)),
            "document": np.tile(np.arange(len(ids)), BANDS),
            "key": np.ascontiguousarray(keys.T).ravel(),
        }
    )
)
first = daft.col("document").min().alias("first")
groups = bands.groupby("band", "key").agg(first, daft.col("document").count().alias("size"))
shared = bands.join(groups.where(daft.col("size") > 1), on=["band", "key"])
pairs = shared.select("document", "first").where(daft.col("document") != daft.col("first"))
found = pairs.distinct().to_arrow()
families = Families(len(ids))
for one, other in zip(found["document"].to_pylist(), found["first"].to_pylist(), strict=True):
    families.join(one, other)
labels = families.labels()
clock.lap("match")
write_kept(corpus, out, labels)
clock.lap("write")
finish(out, ids, labels, clock, tool="daft")
