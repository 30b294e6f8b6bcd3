"""Loading settings: `conf/*.toml`, then environment (`WINNOW_…`), then flags.

Holds: `load`, `require`, `use_credentials`, `debugging`. Reads a TOML file and the environment; no
other module of `pipeline` does.
Not here: the settings themselves and their defaults (`model/settings.py`).

`WINNOW_CONFIG` names the TOML file; `WINNOW_STORE__LANDING`, `WINNOW_DEDUP__THRESHOLD` and so on
set single values (`__` between group and name). A list is JSON, or names with commas between
them. `WINNOW_DEBUG=1` lets the command line show tracebacks.
"""

from __future__ import annotations

import json
import os
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pipeline.errors import ConfigError
from pipeline.model.settings import Settings

PREFIX = "WINNOW_"
CONFIG = "WINNOW_CONFIG"
DEBUG = "WINNOW_DEBUG"
_RESERVED = {CONFIG, DEBUG, "WINNOW_HOME"}
_PAGE = "See docs/configuration.md for names and ranges."


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
            _set(above, name, value)
    _merge(above, flags or {})
    if source is None and fallback and fallback.exists() and not above.get("store"):
        source = fallback
    tree: dict[str, Any] = _read(source) if source else {}
    _merge(tree, above)
    try:
        settings = msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"settings: {error}. {_PAGE}") from error
    _check_endpoint(settings.store.endpoint_url)
    return settings


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


def debugging(environ: Mapping[str, str] | None = None) -> bool:
    """Say whether `WINNOW_DEBUG` asks for tracebacks."""
    environ = os.environ if environ is None else environ
    return environ.get(DEBUG, "").lower() not in {"", "0", "false", "no"}


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        message = (
            f"settings: expected a TOML file at {path}, found none. Check --config or {CONFIG}."
        )
        raise ConfigError(message) from error
    except OSError as error:
        message = (
            f"settings: expected a TOML file at {path}, found: {error.strerror}. "
            f"Check --config or {CONFIG}."
        )
        raise ConfigError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"settings: {path} is not TOML: {error}."
        raise ConfigError(message) from error


def _set(tree: dict[str, Any], variable: str, value: str) -> None:
    """Put the value of an environment variable where its name says."""
    names = variable.removeprefix(PREFIX).lower().split("__")
    for depth, name in enumerate(names[:-1], 1):
        inner = tree.setdefault(name, {})
        if not isinstance(inner, dict):
            above = PREFIX + "__".join(names[:depth]).upper()
            raise ConfigError(
                f"settings: expected either {above} or {variable} in the environment, found both. "
                f"Unset one. {_PAGE}"
            )
        tree = inner
    tree[names[-1]] = _value(variable, value, _kind(names))


def _kind(names: list[str]) -> Any:
    """Return the type of the setting that the names lead to, or None when there is none."""
    kind: Any = Settings
    for name in names:
        group = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        fields = msgspec.structs.fields(kind) if group else ()
        kind = next((field.type for field in fields if field.name == name), None)
    return kind


def _value(variable: str, value: str, kind: Any) -> Any:
    """Read a list; leave anything else to the check of the whole."""
    if typing.get_origin(kind) is not tuple:
        return value
    if not value.lstrip().startswith("["):
        return [name.strip() for name in value.split(",") if name.strip()]
    try:
        return json.loads(value)
    except ValueError as error:
        raise ConfigError(
            f"settings: {variable}: expected a list in JSON or names with commas between them, "
            f"found {value!r} ({error}). {_PAGE}"
        ) from error


def _merge(tree: dict[str, Any], flags: Mapping[str, Any]) -> None:
    for name, value in flags.items():
        if isinstance(value, Mapping):
            inner = tree.setdefault(name, {})
            if not isinstance(inner, dict):
                raise ConfigError(
                    f"settings: expected a table of settings in {name}, found {inner!r}. {_PAGE}"
                )
            _merge(inner, value)
        elif value is not None:
            tree[name] = value


def _check_endpoint(url: str | None) -> None:
    """Refuse what is no address, before a client is made of it."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not match
        valid = False
    if not valid:
        raise ConfigError(
            f"settings: store.endpoint_url: expected http://host:port or https://host, found "
            f"{url!r}. Check --endpoint-url or {PREFIX}STORE__ENDPOINT_URL; leave it out for AWS."
        )
