"""`winnow dedup` on files as people have them: compressed, several, broken, copied."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import lzma
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from click.testing import CliRunner

from pipeline.cli import cli, dedup_files, records
from pipeline.dedup import deduplicate
from pipeline.errors import InputError
from pipeline.model.settings import DedupSettings

TEXT = " ".join(f"word{number}" for number in range(60))
OTHER = " ".join(f"thing{number}" for number in range(60))
ROWS = [
    {"id": "a", "text": TEXT, "more": [1]},
    {"id": "b", "text": f"{TEXT} again", "more": [2]},
    {"id": "c", "text": OTHER, "more": [3]},
]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
KEPT = b"".join(LINES.splitlines(keepends=True)[::2])


def run(out: Path, *files: Path, keep: bool = False) -> list[bool]:
    """Deduplicate files and return who is kept."""
    dedup_files.run(files, out, settings=DedupSettings(), keep=keep, as_json=True)
    found: list[bool] = pq.read_table(out / "verdicts.parquet")["kept"].to_pylist()
    return found


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress, bytes]
)
def test_lines_may_be_compressed(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """Whatever the name says, the content tells."""
    path = tmp_path / "texts"
    path.write_bytes(pack(LINES))
    assert run(tmp_path / "out", path) == [True, False, True]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_cut_file_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """What could be read of it is not taken for the whole."""
    path = tmp_path / "texts"
    path.write_bytes(pack(LINES * 50)[:-20])
    with pytest.raises(InputError, match=r"texts: expected the end of"):
        run(tmp_path / "out", path)
    assert not (tmp_path / "out/verdicts.parquet").exists()


def test_lines_need_no_end_and_may_end_in_other_ways(tmp_path: Path) -> None:
    """The last line without an end counts; blank lines and carriage returns do not."""
    path = tmp_path / "texts"
    path.write_bytes(b"\n" + LINES.replace(b"\n", b"\r\n\r\n").rstrip())
    assert run(tmp_path / "out", path, keep=True) == [True, False, True]
    assert (tmp_path / "out/kept/part-00000.jsonl").read_bytes() == KEPT


def test_a_long_line_crosses_blocks(tmp_path: Path) -> None:
    """A document of several megabytes is one document."""
    path = tmp_path / "texts"
    long = json.dumps({"id": "z", "text": " ".join(f"long{at}" for at in range(400_000))}).encode()
    path.write_bytes(LINES + long)
    assert run(tmp_path / "out", path) == [True, False, True, True]


def test_kept_rows_are_copied_file_by_file(tmp_path: Path) -> None:
    """Parquet keeps its columns, lines their bytes; what was compressed is compressed."""
    lines, packed, table = (tmp_path / name for name in ("lines", "packed", "table"))
    lines.write_bytes(LINES)
    packed.write_bytes(gzip.compress(LINES.replace(b'"id": "', b'"id": "x').replace(b"w", b"v")))
    rows = pa.Table.from_pylist(
        [{"n": 1, "id": "y", "text": TEXT}, {"n": 2, "id": "z", "text": "w"}]
    )
    pq.write_table(rows, table)
    out = tmp_path / "out"
    (out / "kept").mkdir(parents=True)
    (out / "kept/part-00009.jsonl").write_bytes(b"of an earlier call")
    first, second, third = [True, False, True], [True, False, False], [False, True]
    assert run(out, lines, packed, table, keep=True) == [*first, *second, *third]
    assert sorted(path.name for path in (out / "kept").iterdir()) == [
        "part-00000.jsonl",
        "part-00001.jsonl.zst",
        "part-00002.parquet",
    ]
    assert (out / "kept/part-00000.jsonl").read_bytes() == KEPT
    with zstandard.open(out / "kept/part-00001.jsonl.zst", "rb") as file:
        assert [json.loads(line)["id"] for line in file.read().splitlines()] == ["xa"]
    assert pq.read_table(out / "kept/part-00002.parquet") == rows.slice(1)


@pytest.mark.parametrize(("codec", "same"), [("zstd", True), ("snappy", False)])
def test_a_parquet_file_without_duplicates_is_copied_as_it_is(
    tmp_path: Path, codec: str, *, same: bool
) -> None:
    """Unless it is packed in another way: what is kept is packed with zstd."""
    rows = pa.Table.from_pylist(ROWS[::2])
    path, kept = tmp_path / "texts", tmp_path / "out/kept/part-00000.parquet"
    pq.write_table(rows, path, compression=codec, row_group_size=1)
    assert run(tmp_path / "out", path, keep=True) == [True, True]
    assert (kept.read_bytes() == path.read_bytes()) == same
    assert pq.read_metadata(kept).row_group(0).column(1).compression == "ZSTD"
    assert pq.read_table(kept) == rows


@pytest.mark.parametrize("also", [{}, {"id": "own"}])
@pytest.mark.parametrize("table", [True, False])
def test_documents_may_be_named_by_document_id(
    tmp_path: Path, also: dict[str, str], *, table: bool
) -> None:
    """As in Winnow's own tables; beside an `id` it is a column like any other. Both are kept."""
    rows = [
        {"document_id": f"d{at}", "text": text, "n": at} | dict.fromkeys(also, f"o{at}")
        for at, text in enumerate((TEXT, TEXT, OTHER))
    ]
    path = tmp_path / "texts"
    if table:
        pq.write_table(pa.Table.from_pylist(rows), path)
        assert deduplicate(pa.Table.from_pylist(rows))["kept"].to_pylist() == [True, False, True]
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(tmp_path / "out", path, keep=True) == [True, False, True]
    letter = "o" if also else "d"
    named = pq.read_table(tmp_path / "out/verdicts.parquet")["document_id"].to_pylist()
    assert named == [f"{letter}{at}" for at in range(3)]
    (kept,) = (tmp_path / "out/kept").iterdir()
    found = (
        pq.read_table(kept).to_pylist()
        if table
        else [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    )
    assert found == rows[::2]


def test_own_output_is_no_input(tmp_path: Path) -> None:
    """A folder that is also the place of the output gives the same verdicts again."""
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "texts.parquet")
    for _ in range(2):
        assert run(tmp_path, tmp_path, keep=True) == [True, False, True]


def test_stdin_cannot_be_copied(tmp_path: Path) -> None:
    """It is read once; the message says what to do."""
    with pytest.raises(InputError, match=r"--kept: expected files.*found - \(stdin\)"):
        dedup_files.run(
            [records.STDIN], tmp_path, settings=DedupSettings(), keep=True, as_json=True
        )


def test_progress_is_shown_on_a_terminal_alone(tmp_path: Path) -> None:
    """On a terminal stderr has a bar; in a pipe it is empty."""
    path = tmp_path / "texts"
    path.write_bytes(LINES)
    command = [sys.executable, "-m", "pipeline", "dedup", str(path), "--out", str(tmp_path / "out")]
    quiet = subprocess.run(command, capture_output=True, check=True)
    assert quiet.stderr == b""
    near, far = pty.openpty()
    bar: list[bytes] = []
    reader = Thread(target=_read_all, args=(near, bar))
    reader.start()  # a terminal that nobody reads is full after 4 KB, and the command waits
    try:
        shown = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=far,
            check=True,
            env=os.environ | {"TERM": "xterm"},
        )
    finally:
        os.close(far)
        reader.join()
        os.close(near)
    assert b"reading, 3 documents" in b"".join(bar)
    assert shown.stdout.count(b"documents") == quiet.stdout.count(b"documents") == 1


def _read_all(near: int, found: list[bytes]) -> None:
    """Read a terminal until its other side is closed, which Linux tells as an error."""
    with contextlib.suppress(OSError):
        while data := os.read(near, 1 << 16):
            found.append(data)


def test_tables_readers_and_batches_give_the_same() -> None:
    """The kind of the column of texts does not matter either."""
    table = pa.Table.from_pylist(ROWS).select(["id", "text"])
    expected = deduplicate(table)
    assert expected["kept"].to_pylist() == [True, False, True]
    assert deduplicate(table.to_reader(max_chunksize=1)) == expected
    assert deduplicate(table.to_batches()) == expected
    for kind in (pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())):
        column = table["text"].combine_chunks()
        other = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
        assert deduplicate(pa.table({"id": table["id"], "text": other})) == expected


def test_the_order_of_rows_does_not_matter() -> None:
    """Rows in another order get the same verdicts."""
    rows = [{"id": f"{number:03d}", "text": f"{TEXT} {number // 3}"} for number in range(90)]
    there = deduplicate(pa.Table.from_pylist(rows)).to_pylist()
    back = deduplicate(pa.Table.from_pylist(rows[::-1])).to_pylist()
    assert back[::-1] == there
    assert sum(row["kept"] for row in there) == 1


@pytest.mark.parametrize(
    ("columns", "threshold", "message"),
    [
        ({"id": [["a"]], "text": ["b"]}, 0.75, "expected strings in column id, found list"),
        ({"id": ["a"], "text": [[1]]}, 0.75, "expected strings in column text, found list"),
        ({"id": ["a"], "text": ["b"]}, 1.5, r"threshold = 1\.5, .*<= 1\.0"),
        ({"id": ["a"], "text": ["b"]}, 0.1, r"threshold = 0\.1, .*>= 0\.5"),
    ],
)
def test_what_cannot_be_deduplicated_is_refused(
    columns: dict[str, list[object]], threshold: float, message: str
) -> None:
    """Columns of other types and thresholds out of range."""
    with pytest.raises(InputError, match=message):
        deduplicate(pa.table(columns), threshold=threshold)


DATED = [
    {"id": "a", "text": TEXT, "dump_date": "2026-11-01", "source": "wire"},
    {"id": "b", "text": f"{TEXT} again", "dump_date": "2026-11-03", "source": "press"},
    {"id": "c", "text": TEXT, "dump_date": "2026-11-20", "source": "press"},
]


@pytest.mark.parametrize(
    ("options", "environment", "kept"),
    [
        ([], {}, "a"),
        (["--scope", "night"], {}, "abc"),
        (["--scope", "3"], {}, "ac"),
        (["--survivor", "longest"], {}, "b"),
        (["--source-priority", "press,wire"], {}, "b"),
        (["--source-priority", "press", "--scope", "3"], {}, "bc"),
        ([], {"WINNOW_DEDUP__SCOPE": "night"}, "abc"),
        ([], {"WINNOW_DEDUP__SURVIVOR": "longest"}, "b"),
        (["--scope", "all"], {"WINNOW_DEDUP__SCOPE": "night"}, "a"),
        (["--source-priority", ""], {"WINNOW_DEDUP__SOURCE_PRIORITY": '["press"]'}, "a"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_scope_and_survivor_count_without_a_corpus(
    tmp_path: Path, kind: str, options: list[str], environment: dict[str, str], kept: str
) -> None:
    """Options come before settings, and settings are not passed over."""
    path = tmp_path / f"texts.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(DATED), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in DATED), "utf-8")
    arguments = ["dedup", str(path), "--out", str(tmp_path / "out"), *options]
    ended = CliRunner().invoke(cli, arguments, env=environment)
    assert ended.exit_code == 0, ended.output
    rows = pq.read_table(tmp_path / "out/verdicts.parquet").to_pylist()
    assert [row["document_id"] for row in rows if row["kept"]] == list(kept)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scope", "2"], "expected a dump_date like 2026-11-21 in each row"),
        (["--scope", "week"], "scope = 'week'"),
        (["--scope", "0"], "scope = 0"),
        (["--source-priority", "press"], "expected a source in some row"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(
    tmp_path: Path, options: list[str], message: str
) -> None:
    """Rows without the date or the source that the rule is about are not decided by another one."""
    path = tmp_path / "texts.jsonl"
    path.write_bytes(LINES)
    ended = CliRunner().invoke(cli, ["dedup", str(path), "--out", str(tmp_path / "out"), *options])
    assert ended.exit_code == 1
    assert isinstance(ended.exception, InputError)
    assert message in str(ended.exception)
    assert not (tmp_path / "out/verdicts.parquet").exists()


def test_a_source_that_is_no_text_matters_only_where_sources_count(tmp_path: Path) -> None:
    """A column of that name with other values does not stop a run that ignores sources."""
    path = tmp_path / "texts.parquet"
    rows = [row | {"source": [1]} for row in DATED]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert run(tmp_path / "out", path) == [True, False, False]
