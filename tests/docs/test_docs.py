"""The pages say what the code says."""

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import msgspec
import pyarrow as pa
import pytest

from docs import build
from pipeline import config
from pipeline.cli import cli
from pipeline.model import columns, schemas
from pipeline.model.settings import RunSettings, Settings

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "dags", "demo", "benchmarks", "pipeline", "conf", "plugins", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(p for f in FOLDERS for p in (ROOT / f).rglob("*.md"))])
TYPE_MODULES = (
    "pipeline.ingest.marks",
    "pipeline.model.files",
    "pipeline.model.plan",
    "pipeline.model.manifest",
    "pipeline.model.snapshot",
    "pipeline.model.finding",
    "pipeline.model.index",
    "pipeline.signature.signatures",
    "pipeline.signature.passages",
    "pipeline.ingest.segments",
    "pipeline.ingest.splitters",
    "pipeline.ingest.pieces",
    "pipeline.enrich.annotator",
    "pipeline.plan.ledger",
)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def leaves(tree: Any, prefix: str = "") -> dict[str, Any]:
    """Flatten nested mappings into dotted names."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def defaults() -> dict[str, Any]:
    """Return every setting's dotted name and default."""
    return leaves(msgspec.to_builtins(Settings()))


def code_of(page: Path) -> str:
    """Return what stands in code font or code blocks of a page."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"```.*?\n(.*?)```", text, re.DOTALL)
    rest = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", rest)])


def test_the_data_contract_is_what_the_schemas_say() -> None:
    """docs/data-contract.md is what `python -m docs.build` writes."""
    assert (ROOT / "docs/data-contract.md").read_text("utf-8") == build.data_contract()


def test_the_views_are_those_that_the_command_prints() -> None:
    """docs/views.sql is what `python -m docs.build` writes."""
    assert (ROOT / "docs/views.sql").read_text("utf-8") == build.views()


def test_the_configuration_page_is_what_the_settings_say() -> None:
    """docs/configuration.md is what `python -m docs.build` writes."""
    assert (ROOT / "docs/configuration.md").read_text("utf-8") == build.configuration()


def test_every_column_has_a_row_in_its_table() -> None:
    """The contract lists each table's columns in the order of its schema, then those of paths."""
    sections = re.split(r"^## ", build.data_contract(), flags=re.MULTILINE)[2:]
    listed = {s.split()[0]: re.findall(r"^\| `(\w+)` \|", s, re.MULTILINE) for s in sections}
    paths = {"documents": ["dump_date", "language"], "tombstones": []}
    assert listed == {
        name: [*getattr(schemas, name.upper()).names, *paths.get(name, ["dump_date"])]
        for name in columns.TABLES
    }
    widths = {row.replace("\\|", "").count(" | ") for s in sections for row in _rows(s)}
    assert widths == {5}


def _rows(section: str) -> list[str]:
    return re.findall(r"^\| `.*\|$", section, re.MULTILINE)


@pytest.mark.parametrize("table", columns.TABLES)
def test_every_example_is_a_value_of_its_column(table: str) -> None:
    """Arrow takes each example as the column's type, and gives the same back."""
    for column in columns.columns(table):
        (value,) = pa.array([column.example], column.field.type).to_pylist()
        if pa.types.is_floating(column.field.type):
            assert value == pytest.approx(column.example)
        elif not pa.types.is_list(column.field.type):
            assert value == column.example
        assert len(column.meaning) > 5


def test_no_meaning_is_left_of_a_column_that_went() -> None:
    """columns.toml and docs/settings.toml name nothing that does not exist."""
    told = tomllib.loads((ROOT / "pipeline/model/columns.toml").read_text("utf-8"))
    every = {name for table in columns.TABLES.values() for name in table.schema.names}
    since, examples = told.pop("since"), told.pop("examples")
    for meanings in (told, examples):
        assert set(meanings.pop("shared")) <= every
        assert set(meanings.pop("partitions")) == {"dump_date", "language"}
        for table, named in meanings.items():
            assert set(named) <= set(columns.TABLES[table].schema.names)
    for table, versions in since.items():
        named = [name for names in versions.values() for name in names]
        assert sorted(named) == sorted(columns.TABLES[table].schema.names)
        assert max(map(int, versions)) <= schemas.SCHEMA_VERSION
    settings = tomllib.loads((ROOT / "docs/settings.toml").read_text("utf-8"))
    assert set(leaves(settings)) == set(defaults())


@pytest.mark.parametrize("name", sorted(defaults()))
def test_every_setting_is_on_the_page_with_its_variable(name: str) -> None:
    """A setting's dotted name and environment variable stand in docs/configuration.md."""
    page = (ROOT / "docs/configuration.md").read_text("utf-8")
    assert f"| `{name}` | `WINNOW_{name.replace('.', '__').upper()}` |" in page


def test_documented_variables_are_taken() -> None:
    """Every documented variable of a number changes the setting it stands for."""
    for name, value in defaults().items():
        if isinstance(value, int):
            variable = f"WINNOW_{name.replace('.', '__').upper()}"
            loaded = config.load(environ={variable: str(value)}, flags={})
            assert leaves(msgspec.to_builtins(loaded))[name] == value
            with pytest.raises(config.ConfigError, match=name.rpartition(".")[2]):
                config.load(environ={variable: "none"}, flags={})


def test_production_settings_name_every_default() -> None:
    """conf/corpus.toml states each setting of a run, with the default."""
    path = ROOT / "conf/corpus.toml"
    stated = leaves(tomllib.loads(path.read_text("utf-8")))
    assert set(leaves(msgspec.to_builtins(RunSettings()))) <= set(stated)
    assert config.load(path, environ={}).run_settings() == RunSettings()
    text = path.read_text("utf-8")
    assert [name for name in defaults() if name.rpartition(".")[2] not in text] == []


def test_fast_settings_load_and_do_not_wait() -> None:
    """conf/fast.toml takes dumps at once, in small shards."""
    fast = config.load(ROOT / "conf/fast.toml", environ={})
    assert fast.plan.quiet_seconds == 0
    assert fast.plan.shard_bytes < Settings().plan.shard_bytes


def test_types_of_the_glossary_exist() -> None:
    """A word in code font in the first column of the glossary is a type."""
    page = (ROOT / "docs/glossary.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    modules = [import_module(name) for name in TYPE_MODULES]
    missing = [n for n in named if not any(isinstance(getattr(m, n, None), type) for m in modules)]
    assert missing == []
    assert len(named) > 15


def test_the_readme_is_short() -> None:
    """README.md has at most 150 lines."""
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


def test_each_promise_links_to_a_test() -> None:
    """Each of the six promises in the README links to at least one file of tests."""
    text = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| ([1-6]) \| .*? \| (.*) \|$", text, re.MULTILINE)
    assert [number for number, _ in rows] == list("123456")
    assert [n for n, links in rows if not re.search(r"\]\(tests/\w+/test_\w+\.py\)", links)] == []


def test_the_capacity_table_is_what_the_estimate_says() -> None:
    """docs/operating.md has the table that `winnow plan --estimate` gives for the same nights."""
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    assert build.operating() == page
    assert "| 10 GB |" in page


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    """Relative links name files that exist, and headings that the page has."""
    prose = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf-8"), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings]
            assert anchor in slugs, target


@each_page
def test_commands_exist(page: Path) -> None:
    """Every `winnow <command>` in code font is a command, and its options are options of it."""
    for line in code_of(page).splitlines():
        for name, rest in re.findall(r"(?:^|bin/|`)winnow ([a-z]+)\b([^`|;]*)", line):
            command = cli.get_command(click.Context(cli), name)
            assert command is not None, line
            known = {option for param in command.params for option in param.opts}
            assert set(re.findall(r"(?<!\S)(--[a-z-]+)", rest)) <= known | {"--help"}, line


@each_page
def test_make_targets_exist(page: Path) -> None:
    """Every `make <target>` in code font is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|\s|`)make ([a-z][a-z-]*)", code_of(page), re.MULTILINE))
    assert named - targets == set()


@each_page
def test_paths_in_code_font_exist(page: Path) -> None:
    """A path below one of the source folders in code font is a file or a folder."""
    named = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./-]+)`", page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []
