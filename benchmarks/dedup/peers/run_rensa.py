"""rensa: sets of 5-grams from Python, RMinHash, RMinHashLSH with 14 bands, union-find."""

from __future__ import annotations

from common import BANDS, ROWS, Clock, Families, arguments, finish, grams, read, write_kept
from rensa import RMinHash, RMinHashLSH

STEP = 2000

corpus, out = arguments()
clock = Clock()
ids, texts = read(corpus)
clock.lap("read")
signed = []
for at in range(0, len(texts), STEP):
    sets = [list(grams(text)) for text in texts[at : at + STEP]]
    clock.lap("sets")
    signed += RMinHash.from_token_sets(sets, num_perm=BANDS * ROWS, seed=42)
    clock.lap("minhash")
clock.parts["sign"] = clock.parts["sets"] + clock.parts["minhash"]
index = RMinHashLSH(threshold=0.72, num_perm=BANDS * ROWS, num_bands=BANDS)
index.insert_pairs(list(enumerate(signed)))
families = Families(len(ids))
for place, found in enumerate(index.query_all(signed)):
    for other in found:
        families.join(place, other)
labels = families.labels()
clock.lap("match")
write_kept(corpus, out, labels)
clock.lap("write")
finish(out, ids, labels, clock, tool="rensa")
