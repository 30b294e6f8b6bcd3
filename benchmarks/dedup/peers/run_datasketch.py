"""datasketch: MinHash.bulk and MinHashLSH(params=(14, 8)), families by union-find."""

from __future__ import annotations

from common import BANDS, ROWS, Clock, Families, arguments, finish, grams, read, write_kept
from datasketch import MinHash, MinHashLSH

corpus, out = arguments()
clock = Clock()
ids, texts = read(corpus)
clock.lap("read")
sets = [[gram.encode() for gram in grams(text)] for text in texts]
signed = MinHash.bulk(sets, num_perm=BANDS * ROWS)
clock.lap("sign")
del sets
index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
families = Families(len(ids))
for place, one in enumerate(signed):
    for other in index.query(one):
        families.join(place, other)
    index.insert(place, one, check_duplication=False)
labels = families.labels()
clock.lap("match")
write_kept(corpus, out, labels)
clock.lap("write")
finish(out, ids, labels, clock, tool="datasketch")
