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
