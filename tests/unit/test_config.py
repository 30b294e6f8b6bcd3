"""Settings: file, then environment, then flags; anything unknown is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pipeline import config
from pipeline.errors import ConfigError
from pipeline.model import versions
from pipeline.model.settings import DedupSettings, PlanSettings, RunSettings, Settings


def toml(tmp_path: Path, text: str) -> Path:
    """Write a settings file."""
    path = tmp_path / "winnow.toml"
    path.write_text(text, "utf-8")
    return path


def test_nothing_set_gives_the_defaults() -> None:
    """Without file, environment and flags every setting has its documented default."""
    assert config.load(environ={}) == Settings()


def test_later_sources_win(tmp_path: Path) -> None:
    """Flags beat the environment, which beats the file; a flag that is None says nothing."""
    path = toml(
        tmp_path,
        '[store]\nlanding = "file"\ncorpus = "file"\nregion = "file"\n[dedup]\nthreshold = 0.9\n',
    )
    environ = {"WINNOW_STORE__CORPUS": "environment", "WINNOW_STORE__REGION": "environment"}
    flags = {"store": {"region": "flag", "landing": None}}
    settings = config.load(path, environ=environ, flags=flags)
    assert (settings.store.landing, settings.store.corpus, settings.store.region) == (
        "file",
        "environment",
        "flag",
    )
    assert settings.dedup.threshold == 0.9


def test_the_environment_can_name_the_file(tmp_path: Path) -> None:
    """`WINNOW_CONFIG` is where the file is looked for; numbers in the environment are read."""
    path = toml(tmp_path, "[plan]\nmax_shards = 7\n")
    environ = {"WINNOW_CONFIG": str(path), "WINNOW_PLAN__QUIET_SECONDS": "0", "HOME": "/"}
    settings = config.load(environ=environ)
    assert settings.plan == PlanSettings(max_shards=7, quiet_seconds=0)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[dedup]\nthreshhold = 0.8\n", "threshhold"),
        ("[dedupe]\nthreshold = 0.8\n", "dedupe"),
        ("[dedup]\nthreshold = 0.2\n", "0.5"),
        ('[plan]\nmax_shards = "many"\n', "int"),
        ("[plan\n", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, match: str) -> None:
    """Misspelt names, values out of range and broken TOML say what is wrong."""
    with pytest.raises(ConfigError, match=match):
        config.load(toml(tmp_path, text), environ={})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A named file must exist."""
    with pytest.raises(ConfigError, match="expected a TOML file at"):
        config.load(tmp_path / "none.toml", environ={})


def test_a_misspelt_variable_is_refused() -> None:
    """A variable with our prefix that names no setting is an error, not ignored."""
    with pytest.raises(ConfigError, match="treshold"):
        config.load(environ={"WINNOW_DEDUP__TRESHOLD": "0.8"})


def test_a_plan_freezes_all_but_the_places() -> None:
    """Run settings hold every group that can change bytes and survive a round trip."""
    settings = Settings(dedup=DedupSettings(threshold=0.8))
    frozen = settings.run_settings()
    assert frozen == RunSettings(dedup=DedupSettings(threshold=0.8))
    assert msgspec.json.decode(msgspec.json.encode(frozen), type=RunSettings) == frozen


def test_packing_does_not_change_the_settings_fingerprint() -> None:
    """Only what shapes published bytes counts: thresholds do, shard sizes do not."""
    plain = versions.settings_fingerprint(RunSettings())
    packed = versions.settings_fingerprint(RunSettings(plan=PlanSettings(shard_bytes=1)))
    stricter = versions.settings_fingerprint(RunSettings(dedup=DedupSettings(threshold=0.9)))
    assert plain == packed
    assert plain != stricter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["language"]', ("language",)),
        ("language", ("language",)),
        (" topic , language ", ("topic", "language")),
        ("", ()),
    ],
)
def test_a_list_in_the_environment(text: str, expected: tuple[str, ...]) -> None:
    """A list is JSON, or names with commas between them."""
    settings = config.load(environ={"WINNOW_ENRICH__ANNOTATORS": text})
    assert settings.enrich.annotators == expected


@pytest.mark.parametrize(
    ("environ", "match"),
    [
        (
            {"WINNOW_STORE": "x", "WINNOW_STORE__LANDING": "L"},
            "expected either WINNOW_STORE or WINNOW_STORE__LANDING .*found both",
        ),
        (
            {"WINNOW_STORE__LANDING": "L", "WINNOW_STORE__LANDING__X": "y"},
            "expected either WINNOW_STORE__LANDING or WINNOW_STORE__LANDING__X",
        ),
        ({"WINNOW_STORE": "x"}, "Expected `object`"),
        ({"WINNOW_STORE__LANDING__X": "y"}, "Expected `str`"),
        ({"WINNOW_ENRICH__ANNOTATORS": '["language"'}, "ANNOTATORS: expected a list in JSON"),
        ({"WINNOW_STORE__ENDPOINT_URL": "notaurl"}, "endpoint_url: expected http://.*'notaurl'"),
        ({"WINNOW_STORE__ENDPOINT_URL": "http://host:port"}, "endpoint_url: expected http://"),
        ({"WINNOW_STORE__ENDPOINT_URL": "ftp://host"}, "endpoint_url: expected http://"),
    ],
)
def test_a_wrong_variable_is_refused(environ: dict[str, str], match: str) -> None:
    """Variables that contradict each other or cannot be read say what was expected."""
    with pytest.raises(ConfigError, match=match):
        config.load(environ=environ)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000", "https://s3.example.org", ""])
def test_endpoints_that_are_taken(url: str) -> None:
    """An address of a server is taken as it is, and an empty one stands for AWS."""
    settings = config.load(environ={"WINNOW_STORE__ENDPOINT_URL": url})
    assert settings.store.endpoint_url == url


def test_a_group_that_is_no_table_is_refused(tmp_path: Path) -> None:
    """A file that has a value where a group belongs is refused when a flag adds to the group."""
    path = toml(tmp_path, 'store = "x"\n')
    with pytest.raises(ConfigError, match="expected a table of settings in store, found 'x'"):
        config.load(path, environ={}, flags={"store": {"corpus": "c"}})


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    """A path that cannot be read as a file is named, with what is the matter."""
    with pytest.raises(ConfigError, match=f"expected a TOML file at {tmp_path}, found: Is a dir"):
        config.load(tmp_path, environ={})


@pytest.mark.parametrize(
    ("value", "expected"), [(None, False), ("", False), ("0", False), ("1", True), ("yes", True)]
)
def test_tracebacks_are_asked_for(value: str | None, *, expected: bool) -> None:
    """`WINNOW_DEBUG` is no setting, and asks for tracebacks unless it is empty or says no."""
    environ = {} if value is None else {"WINNOW_DEBUG": value}
    assert config.debugging(environ) == expected
    assert config.load(environ=environ) == Settings()
