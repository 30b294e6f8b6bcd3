"""The command line: help, exit codes, output for machines, and one line for what goes wrong."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import structlog
import zstandard
from click.testing import CliRunner

from pipeline.cli import cli, failures, main
from pipeline.errors import ConfigError
from pipeline.storage.open import open_store
from tests.nights import land, run, settings_for

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = cli.list_commands(click.Context(cli))
BOM = b"\xef\xbb\xbf"
STORY = (
    "The harbour was quiet in the morning, and the fishermen mended their nets before the boats "
    "went out again. In the afternoon the council met and spoke for hours about the new pier."
)


GREEK = "Το λιμάνι ήταν ήσυχο το πρωί, και οι ψαράδες επισκεύαζαν τα δίχτυα τους. " * 3


class Ended(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


Winnow = Callable[..., Ended]


@pytest.fixture
def winnow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Winnow]:
    """Return a function that runs `winnow` in an empty folder, without settings from outside."""
    for name in [name for name in os.environ if name.startswith("WINNOW_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def call(*arguments: object, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "argv", ["winnow", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as error:
            code = int(error.code or 0)
        return Ended(code, *capsys.readouterr())

    yield call
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish one night of two equal documents; return the folder of `landing` and `corpus`."""
    root = tmp_path_factory.mktemp("published")
    (root / "landing").mkdir()
    settings = settings_for(str(root / "landing"), str(root / "corpus"))
    rows = [json.dumps({"id": name, "text": STORY}) for name in ("one", "two")]
    files = [("stories.jsonl", "\n".join(rows).encode()), ("_SUCCESS", b"")]
    land(open_store(settings.store.landing), [(f"web/2026-11-21/{n}", data) for n, data in files])
    run(settings, "2026-11-21", "first")
    return root


def failed(ended: Ended, *parts: str) -> None:
    """Check that a command ended with code 1 and one line that holds these parts."""
    assert ended.code == 1
    assert ended.out == ""
    assert ended.err.count("\n") == 1, ended.err
    assert ended.err.startswith("winnow: ")
    assert [part for part in parts if part not in ended.err] == [], ended.err


def parquet(path: Path, **columns: Any) -> Path:
    """Write a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def verdicts(folder: Path) -> list[tuple[str, bool, str | None]]:
    """Read id, kept and witness of each document."""
    table = pq.read_table(folder / "verdicts.parquet")
    return [(row["document_id"], row["kept"], row["witness_id"]) for row in table.to_pylist()]


# Help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_every_option(winnow: Winnow, name: str) -> None:
    """`--help` of a command ends well and has a text for the command and for each option."""
    ended = winnow(name, "--help")
    assert (ended.code, ended.err) == (0, "")
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    assert "\\b" not in ended.out
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert [option.opts[0] for option in options if option.opts[0] not in ended.out] == []
    assert {"--config", "--landing", "--corpus", "--endpoint-url"} <= {
        flag for option in options for flag in option.opts
    }


def test_help_lists_every_command(winnow: Winnow) -> None:
    """`winnow --help` names each command with a summary, and `-h` is the same."""
    ended = winnow("--help")
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split(maxsplit=1) for line in ended.out.partition("Commands:")[2].splitlines()]
    assert [line[0] for line in lines if len(line) == 2 and line[0] in COMMANDS] == COMMANDS
    assert winnow("-h") == ended


# Exit codes


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuchcommand"],
        ["run"],
        ["run", "--due", "--dump-date", "2026-11-21"],
        ["explain"],
        ["explain", "abc", "--text", "missing.txt"],
        ["split", "missing.txt"],
        ["dedup", "missing.parquet", "--out", "o"],
        ["dedup", "--out", "o"],
        ["status", "--nosuchoption"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2(winnow: Winnow, arguments: list[str]) -> None:
    """What click refuses ends with code 2 and a hint on stderr."""
    ended = winnow(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Error: " in ended.err


@pytest.mark.parametrize("name", ["status", "verify", "files", "report", "promote"])
def test_a_corpus_must_be_named(winnow: Winnow, name: str) -> None:
    """Without a corpus the ways to name one are told."""
    failed(winnow(name), "URL of the corpus", "WINNOW_STORE__CORPUS", "--corpus")


def test_promote_asks_for_no_landing_area(winnow: Winnow, corpus: Path) -> None:
    """`promote` needs the corpus alone."""
    (corpus / "corpus/documents/dump_date=2026-11-21/stray.parquet").write_bytes(b"")
    ended = winnow("promote", "--full", "--corpus", corpus / "corpus", "--json")
    assert ended.code == 0
    counts = json.loads(ended.out)
    assert (counts["copied"], counts["deleted"]) == (0, 1)


def test_a_process_ends_as_main_does(tmp_path: Path) -> None:
    """`python -m pipeline` gives the code and the line to the shell."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "config", "--config", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    failed(Ended(done.returncode, done.stdout, done.stderr), str(tmp_path), "Is a directory")


# Output for machines


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "--snapshots"],
        ["verify"],
        ["files"],
        ["report"],
        ["promote"],
        ["config"],
        ["explain", "--text", "-"],
        ["run", "--dump-date", "2026-11-21"],
    ],
    ids=" ".join,
)
def test_json_output_parses(winnow: Winnow, corpus: Path, arguments: list[str]) -> None:
    """`--json` prints JSON and nothing else, and what was asked for is in it."""
    places = ["--corpus", corpus / "corpus", "--landing", corpus / "landing"]
    ended = winnow(*arguments, "--json", *places, stdin=STORY.encode())
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)


def test_a_document_is_explained_in_json(winnow: Winnow, corpus: Path) -> None:
    """`explain DOCUMENT_ID --json` holds the document and its witness."""
    rows = pq.read_table(corpus / "corpus/verdicts/dump_date=2026-11-21", partitioning=None)
    (dropped,) = [row for row in rows.to_pylist() if not row["kept"]]
    ended = winnow("explain", dropped["document_id"], "--json", "--corpus", corpus / "corpus")
    answer = json.loads(ended.out)
    assert answer["document"]["reason"] == "exact"
    assert answer["witness"]["document_id"] == dropped["witness_id"]


def test_a_text_that_is_not_utf_8_is_explained(winnow: Winnow, corpus: Path) -> None:
    """Bytes that cannot be decoded do not keep `explain --text` from answering."""
    text = STORY.encode() + b" \xff\xfe\x80"
    ended = winnow("explain", "--text", "-", "--json", "--corpus", corpus / "corpus", stdin=text)
    assert [answer["relation"] for answer in json.loads(ended.out)] == ["exact", "unpublished"]


# Settings and places


@pytest.mark.parametrize(
    ("environ", "arguments", "parts"),
    [
        ({}, ["config", "--config", "."], ["expected a TOML file", "Is a directory"]),
        (
            {"WINNOW_STORE": "x", "WINNOW_STORE__LANDING": "L"},
            ["config"],
            ["expected either WINNOW_STORE or WINNOW_STORE__LANDING", "found both", "Unset one"],
        ),
        (
            {},
            ["status", "--corpus", "s3://bucket/corpus", "--endpoint-url", "notaurl"],
            ["expected http://host:port", "'notaurl'", "Check --endpoint-url"],
        ),
        (
            {
                "AWS_ENDPOINT_URL": "notaurl",
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "secret",
            },
            ["status", "--corpus", "s3://bucket/corpus"],
            ["expected the endpoint", "notaurl", "AWS_ENDPOINT_URL"],
        ),
    ],
    ids=["folder", "group", "endpoint", "endpoint of AWS"],
)
def test_wrong_settings_end_in_one_line(
    winnow: Winnow,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    arguments: list[str],
    parts: list[str],
) -> None:
    """Settings that cannot be used say what was expected, what was found and what to do."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    failed(winnow(*arguments), *parts)


@pytest.mark.parametrize("below", ["", "inner"])
def test_a_corpus_cannot_be_a_file(winnow: Winnow, tmp_path: Path, below: str) -> None:
    """A corpus whose folder cannot be made, because a file is there, is refused in one line."""
    (tmp_path / "file").write_bytes(b"")
    place = tmp_path / "file" / below
    failed(winnow("run", "--due", "--corpus", place, "--landing", tmp_path), str(place), "expected")
    failed(winnow("status", "--corpus", place), str(place), "expected")


def test_a_corpus_that_cannot_be_written(winnow: Winnow, tmp_path: Path) -> None:
    """A folder without leave to write is named with the next step."""
    closed = Path("/sys")  # where root, who may write everywhere else, may not either
    if os.geteuid():
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
    ended = winnow("run", "--due", "--corpus", closed / "corpus", "--landing", tmp_path)
    failed(ended, str(closed / "corpus"), "expected", "found", "name another place")


def test_tracebacks_on_demand(
    winnow: Winnow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`WINNOW_DEBUG=1` prints the traceback before the line; the exit code stays."""
    monkeypatch.setenv("WINNOW_DEBUG", "1")
    ended = winnow("config", "--config", tmp_path / "none.toml")
    assert ended.code == 1
    assert ended.err.startswith("Traceback (most recent call last):")
    assert ended.err.splitlines()[-1].startswith("winnow: settings: expected a TOML file")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "/corpus"),
            (
                "/corpus: expected leave to use it, found: Permission denied. Change its owner or "
                "mode, or name another place."
            ),
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            (
                "a file: expected room to write, found: No space left on device. Free some and run "
                "the command again; finished work is kept."
            ),
        ),
        (
            OSError(errno.EIO, "Input/output error", b"/disk/\xff"),
            (
                "/disk/\\xff: expected to use it, found: Input/output error. Check the path and "
                "the device; WINNOW_DEBUG=1 shows the traceback."
            ),
        ),
        (
            pa.ArrowNotImplementedError("no such\ncast"),
            (
                "expected sound Arrow or Parquet data, found: no such cast. Check the files named; "
                "WINNOW_DEBUG=1 shows where it happened."
            ),
        ),
        (ConfigError("one\n two"), "one two"),
        (ValueError("a defect"), None),
        (KeyError("a defect"), None),
    ],
    ids=["permission", "space", "device", "arrow", "ours", "value", "key"],
)
def test_what_is_said_of_an_error(error: Exception, expected: str | None) -> None:
    """A mishap is one line; a defect of Winnow is none, so that its traceback is seen."""
    assert failures.sentence(error) == expected


# Commands on files


@pytest.mark.parametrize("name", ["split", "annotate"])
def test_a_folder_is_no_file(winnow: Winnow, tmp_path: Path, name: str) -> None:
    """A folder is refused in one line by the commands that read files."""
    failed(winnow(name, tmp_path), str(tmp_path), "expected a file, found a folder")


def test_split_prints_segments(winnow: Winnow, tmp_path: Path) -> None:
    """Each line of `split` is a JSON object that names the file."""
    path = tmp_path / "page.txt"
    path.write_text(f"{STORY}\n", "utf-8")
    ended = winnow("split", path)
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [(row["file"], row["kind"], row["line_start"]) for row in rows] == [
        (str(path), "document", 1)
    ]


def test_split_shows_what_an_article_states(winnow: Winnow, tmp_path: Path) -> None:
    """Title, author, date and what is not part of the text; the help names every field."""
    path = tmp_path / "page.txt"
    lines = ["Fog in the harbour", "By Jane Doe | March 12, 2024", "fog_01.jpg", STORY, STORY * 2]
    path.write_text("\n\n".join(lines), "utf-8")
    (row,) = map(json.loads, winnow("split", path).out.splitlines())
    found = {name: row[name] for name in ("title", "byline", "published", "published_rule")}
    assert found == {
        "title": "Fog in the harbour",
        "byline": "By Jane Doe",
        "published": "2024-03-12",
        "published_rule": "byline_line",
    }
    assert [inner["reason"] for inner in row["inner"]] == ["image_name"]
    shown = winnow("split", "--help").out
    assert [name for name in row if name not in shown] == []


@pytest.mark.parametrize("start", [b"", BOM], ids=["plain", "BOM"])
def test_annotate_prints_rows_in_order(winnow: Winnow, tmp_path: Path, start: bytes) -> None:
    """Texts come out in the order of input, with the columns of language and topic."""
    german = "Der Hafen war am Morgen still, und die Fischer flickten ihre Netze vor der Ausfahrt."
    path = tmp_path / "texts.jsonl"
    rows = [json.dumps({"text": text}) for text in (STORY, german, STORY)]
    path.write_bytes(start + "\n".join(rows).encode())
    plain = tmp_path / "plain.txt"
    plain.write_bytes(start + german.encode())
    ended = winnow("annotate", path, plain)
    assert ended.code == 0
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert [row["language"] for row in found] == ["eng", "deu", "eng", "deu"]
    wanted = {"language", "language_script", "language_confidence"}
    wanted |= {"topic", "topic_label", "topic_confidence"}
    assert [wanted - set(row) for row in found] == [set()] * 4


def test_annotate_takes_what_people_have(winnow: Winnow, tmp_path: Path) -> None:
    """Odd texts, stdin and compressed files: an object each, in order, and never a crash."""
    odd = {
        "": "empty",
        "\x00\x01\ufffe\n\t": "empty",
        "\ud800\udfff\udc80": "non_linguistic",
        "1234 5678": "non_linguistic",
        "🙂🙃🙂": "non_linguistic",
        "Fog.": "short",
        "The ferry sailed to the island on 5 May 2024, and nobody waited for it.": "ok",
        STORY: "ok",
    }
    data = "".join(json.dumps({"text": text}) + "\n\n" for text in odd).encode()
    for name, stored in (("a.jsonl.gz", gzip.compress(data)), ("a.zst", zstandard.compress(data))):
        (tmp_path / name).write_bytes(stored)
    (tmp_path / "legacy.txt").write_bytes(GREEK.encode("utf-16"))
    (tmp_path / "nothing.txt").write_bytes(b"")
    paths = [tmp_path / name for name in ("a.jsonl.gz", "legacy.txt", "nothing.txt", "a.zst")]
    ended = winnow("annotate", "-", *paths, stdin=data)
    assert ended.code == 0, ended.err
    found = [json.loads(line)["language_status"] for line in ended.out.splitlines()]
    assert found == [*odd.values()] * 2 + ["ok", "empty"] + [*odd.values()]
    assert ended.out.count('"stated_first": "2024-05-05"') == 3


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"id": 1}\n', "jsonl:2: expected a string `text`, found the"),
        ("a.jsonl", b'\n{"text": null}\n', "a.jsonl:2: expected a string `text`, found null"),
        ("a.jsonl", b'{"text": "a\n', "a.jsonl:1: expected a JSON object, found"),
        ("a.txt", b'{"text": "a"}\n[1]\n', "a.txt:2: expected an object with `text`, found list"),
        ("a.gz", gzip.compress(b'{"text": "' + b"a" * 9999, mtime=0)[:-40], "a.gz: "),
        ("a.parquet", b"PAR1....", "expected text or JSON lines, found Parquet"),
    ],
)  # fmt: skip
def test_annotate_says_which_line_is_wrong(
    winnow: Winnow, tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    """A line without text, half an object, damage and another format are named with the place."""
    (tmp_path / name).write_bytes(data)
    failed(winnow("annotate", tmp_path / name), name, said)


def test_dedup_takes_lines_with_a_bom_and_without_dates(winnow: Winnow, tmp_path: Path) -> None:
    """A byte order mark is passed over; a date that is null or missing is the earliest."""
    path = tmp_path / "texts.jsonl"
    rows = [
        {"id": 3, "text": STORY, "dump_date": "2026-11-21"},
        {"id": "b", "text": STORY, "dump_date": None},
        {"id": "c", "text": STORY},
    ]
    path.write_bytes(BOM + "\n".join(map(json.dumps, rows)).encode())
    expected = [("3", False, "b"), ("b", True, None), ("c", False, "b")]
    ended = winnow("dedup", path, "--out", tmp_path / "out", "--json")
    counts = json.loads(ended.out)
    assert (counts["documents"], counts["kept"], counts["exact"]) == (3, 1, 2)
    assert verdicts(tmp_path / "out") == expected
    winnow("dedup", "-", "--out", tmp_path / "again", stdin=path.read_bytes())
    assert verdicts(tmp_path / "again") == expected


def test_dedup_takes_a_folder(winnow: Winnow, tmp_path: Path) -> None:
    """Every Parquet file below a folder counts, by name; hidden ones and our verdicts do not."""
    folder = tmp_path / "texts"
    parquet(folder / "b/part.parquet", id=[2, 3], text=[STORY, "Another text of few words"])
    parquet(folder / "a.parquet", id=[1], text=[STORY])
    parquet(folder / "_part.parquet", id=[1], text=[STORY])
    expected = [("1", True, None), ("2", False, "1"), ("3", True, None)]
    for _ in range(2):
        assert winnow("dedup", folder, "--out", folder).code == 0
        assert verdicts(folder) == expected


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"id": ["a"], "text": [["x"]]}, ["in column text", "found list"]),
        ({"id": [["a"]], "text": ["x"]}, ["in column id", "found list"]),
        ({"id": ["a"], "text": [b"\xff\xfe"]}, ["UTF-8 in column text", "found binary"]),
        ({"id": ["a"], "text": ["x"], "dump_date": [["y"]]}, ["in column dump_date"]),
        ({"id": ["a", "b"], "text": ["x", None]}, ["a value of text in each row", "1 nulls"]),
        ({"name": ["a"], "text": ["x"]}, ["one column id", "found name, text"]),
    ],
    ids=["list", "list of ids", "binary", "dates", "null", "no id"],
)
def test_dedup_refuses_other_columns(
    winnow: Winnow, tmp_path: Path, columns: dict[str, Any], parts: list[str]
) -> None:
    """Columns that hold no strings are refused with their file, name and type."""
    path = parquet(tmp_path / "texts.parquet", **columns)
    failed(winnow("dedup", path, "--out", tmp_path / "out"), f"{path}: expected", *parts)


def test_dedup_refuses_broken_files(winnow: Winnow, tmp_path: Path) -> None:
    """Parquet that was cut or damaged, and lines that are no JSON, are named."""
    whole = parquet(tmp_path / "whole.parquet", id=["a"] * 99, text=[STORY] * 99).read_bytes()
    cut, damaged, lines = (tmp_path / name for name in ("cut", "damaged", "lines"))
    cut.write_bytes(whole[:100])
    damaged.write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])
    lines.write_bytes(b'{"id": 1, "text": "\xff"}\n')
    out = tmp_path / "out"
    failed(winnow("dedup", cut, "--out", out), f"{cut}: expected a sound Parquet file")
    failed(winnow("dedup", damaged, "--out", out), f"{damaged}: expected a sound Parquet file")
    failed(winnow("dedup", lines, "--out", out), f"{lines}:1: expected a JSON object with `id`")


def test_dedup_refuses_places_first(winnow: Winnow, tmp_path: Path) -> None:
    """A folder without Parquet is refused, and so is a place where no folder can be made."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_bytes(b"")
    ended = winnow("dedup", tmp_path / "empty", "--out", tmp_path / "out")
    failed(ended, f"{tmp_path / 'empty'}: expected *.parquet files", "found none")
    place = tmp_path / "file" / "out"
    failed(winnow("dedup", tmp_path / "file", "--out", place), f"--out {place}", "Not a directory")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "Documents of all nights are compared. Of several copies stays the earliest."),
        ({"SCOPE": "night"}, "Documents of one night are compared."),
        ({"SCOPE": "30", "SURVIVOR": "longest"}, "fewer than 30 days apart are compared."),
        (
            {"SOURCE_PRIORITY": '["press", "wire"]', "SURVIVOR": "longest"},
            "stays the one of the first of press, wire, then the longest, then the earliest.",
        ),
    ],
)
def test_config_says_who_is_compared_and_who_stays(rule: dict[str, str], said: str) -> None:
    """One sentence beside the settings, so that the curve is not read as all there is."""
    environment = {f"WINNOW_DEDUP__{name}": value for name, value in rule.items()}
    ended = CliRunner().invoke(cli, ["config"], env=environment)
    assert said in ended.stdout
