"""A night with a file of every format on a real S3 server, columns mapped as the page says."""

from __future__ import annotations

import bz2
import io
import random
import tarfile
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo.object_store import ObjectStore
from pipeline.audit import verify
from pipeline.model.settings import IngestSettings
from pipeline.runner import corpus_session
from pipeline.storage.open import open_store
from pipeline.storage.s3 import S3Store
from tests.bad_inputs import make
from tests.nights import run, settings_for

DATE = "2026-11-21"


def said(number: int) -> str:
    """Return a text that is like no other."""
    chance = random.Random(number)  # noqa: S311 - no secret
    return " ".join("".join(chance.choices("abdegiklmnoprstu", k=6)) for _ in range(80)) + "."


def html(number: int) -> bytes:
    """Return a page of the web."""
    body = f"<html><body><article><p>{said(number)}</p></article></body></html>"
    return make.response(body.encode())


def table(first: int) -> bytes:
    """Return a Parquet file whose columns have names of their own."""
    columns = {"article_body": [said(first), said(first + 1)], "ref": ["p1", "p2"]}
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def tarred(name: str, data: bytes) -> bytes:
    """Return a tar archive with one member."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


FILES = {
    "page.txt": said(0).encode(),
    "lines.jsonl": b'{"text": "%s"}\n' % said(1).encode(),
    "web.warc.gz": b"".join(make.members([html(2), html(3)])),
    "web.wet.gz": b"".join(make.members([make.warc("conversion", said(4).encode())])),
    "wiki.xml.bz2": b"".join(
        bz2.compress(part.encode())
        for part in (make.WIKI, make.wiki(5, said(5)), make.wiki(6, said(6)), "</mediawiki>\n")
    ),
    "table.parquet": table(7),
    "table.csv": f'ref,article_body\nc1,"{said(9)}"\nc2,"{said(10)}"\n'.encode(),
    "table.tsv": f"ref\tarticle_body\nt1\t{said(11)}\n".encode(),
    "pack.zip": make.zipped([("a.txt", said(12).encode()), ("b.csv", b"ref,article_body\nz,"
                             + said(13).encode() + b"\n")]),
    "pack.tar": tarred("w.warc", html(14)),
}  # fmt: skip
DOCUMENTS = {
    "page.txt": 1, "lines.jsonl": 1, "web.warc.gz": 2, "web.wet.gz": 1, "wiki.xml.bz2": 2,
    "table.parquet": 2, "table.csv": 2, "table.tsv": 1, "pack.zip": 2, "pack.tar": 1,
}  # fmt: skip


@pytest.mark.server
def test_every_format_is_published(
    s3_store: S3Store, object_store: ObjectStore, tmp_path: Path
) -> None:
    """Each text of each format is a published document, with its id where a column holds one."""
    for name, data in FILES.items():
        s3_store.put(f"news/{DATE}/{name}", data)
    settings = msgspec.structs.replace(
        settings_for(s3_store.url, str(tmp_path / "corpus"), endpoint_url=object_store.url),
        ingest=IngestSettings(text_column="article_body", id_column="ref"),
    )
    run(settings, DATE, "run")
    with corpus_session(settings) as opened:
        assert list(verify.findings(opened)) == []
    store = open_store(settings.store.corpus)
    rows = [
        row
        for info in store.list("documents/")
        if info.key.endswith(".parquet")
        for row in pq.read_table(io.BytesIO(store.get(info.key)[0])).to_pylist()
    ]
    assert {row["text"] for row in rows} == {said(number) for number in range(15)}
    files = [row["dump_file"].rpartition("/")[2] for row in rows]
    assert {name: files.count(name) for name in FILES} == DOCUMENTS
    ids = {row["external_id"] for row in rows if row["external_id"]}
    assert {"p1", "p2", "c1", "c2", "t1", "z"} <= ids
