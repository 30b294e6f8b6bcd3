"""Loading settings: `conf/*.toml`, then environment (`WINNOW_…`), then flags.

Holds: `load`, `require`, `use_credentials`. Reads a TOML file and the environment; no other module
of `pipeline` does.
Not here: the settings themselves and their defaults (`model/settings.py`).

`WINNOW_CONFIG` names the TOML file; `WINNOW_STORE__LANDING`, `WINNOW_DEDUP__THRESHOLD` and so on
set single values (`__` between group and name).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pipeline.errors import ConfigError
from pipeline.model.settings import Settings

PREFIX = "WINNOW_"
CONFIG = "WINNOW_CONFIG"
_RESERVED = {CONFIG, "WINNOW_HOME"}


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    fallback: Path | None = None,
) -> Settings:
    """Merge file, environment and flags, later ones winning, into checked settings.

    Args:
        path: the TOML file; `WINNOW_CONFIG` when None; defaults alone when neither is given.
        environ: the environment (`os.environ` when None).
        flags: nested mapping; values that are None are passed over.
        fallback: a file used, if it exists, when nothing says where a corpus is.

    Raises:
        ConfigError: no such file, broken TOML, an unknown name, or a value out of range.
    """
    environ = os.environ if environ is None else environ
    source = path or (Path(environ[CONFIG]) if environ.get(CONFIG) else None)
    above: dict[str, Any] = {}
    for name, value in sorted(environ.items()):
        if name.startswith(PREFIX) and name not in _RESERVED:
            _set(above, name.removeprefix(PREFIX).lower().split("__"), value)
    _merge(above, flags or {})
    if source is None and fallback and fallback.exists() and not above.get("store"):
        source = fallback
    tree: dict[str, Any] = _read(source) if source else {}
    _merge(tree, above)
    try:
        return msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        message = f"settings: {error}. See docs/configuration.md for names and ranges."
        raise ConfigError(message) from error


def require(settings: Settings, *, corpus: bool = False, landing: bool = False) -> None:
    """Refuse settings that do not say where the corpus or the landing area is.

    Raises:
        ConfigError: with the three ways to set it.
    """
    for wanted, name in ((landing, "landing"), (corpus, "corpus")):
        if wanted and not getattr(settings.store, name):
            raise ConfigError(
                f"settings: expected the URL of the {name}, found none. Set store.{name} in a "
                f"file (--config, {CONFIG}), {PREFIX}STORE__{name.upper()}, or --{name}; "
                "`make demo` makes a corpus to try on."
            )


def use_credentials(settings: Settings) -> None:
    """Point the S3 clients of this process to `store.credentials_file`, if that is set.

    Keys in the environment would win over the file, so they go.
    """
    if settings.store.credentials_file:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)
        os.environ["AWS_SHARED_CREDENTIALS_FILE"] = settings.store.credentials_file


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        message = (
            f"settings: expected a TOML file at {path}, found none. Check --config or {CONFIG}."
        )
        raise ConfigError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"settings: {path} is not TOML: {error}."
        raise ConfigError(message) from error


def _set(tree: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        tree = tree.setdefault(name, {})
    tree[names[-1]] = value


def _merge(tree: dict[str, Any], flags: Mapping[str, Any]) -> None:
    for name, value in flags.items():
        if isinstance(value, Mapping):
            _merge(tree.setdefault(name, {}), value)
        elif value is not None:
            tree[name] = value
