"""The `winnow` command.

Holds: the click group, the options that every command takes and the one place where errors end.
Commands live in the modules of this package and are imported when they are called for.
Not here: what the commands do (`runner/`, `audit/`, the stages), the words for errors that nobody
foresaw (`failures.py`).
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from pipeline import __version__, config, telemetry
from pipeline.cli import failures
from pipeline.model.settings import Settings

_COMMANDS = {
    "plan": "pipeline.cli.plan",
    "run": "pipeline.cli.run",
    "status": "pipeline.cli.look",
    "explain": "pipeline.cli.look",
    "sightings": "pipeline.cli.seen",
    "verify": "pipeline.cli.look",
    "files": "pipeline.cli.look",
    "report": "pipeline.cli.look",
    "promote": "pipeline.cli.run",
    "delta": "pipeline.cli.lake",
    "compact": "pipeline.cli.lake",
    "reannotate": "pipeline.cli.reannotate",
    "heal": "pipeline.cli.heal",
    "rollback": "pipeline.cli.keep",
    "expire": "pipeline.cli.keep",
    "takedown": "pipeline.cli.takedown",
    "index": "pipeline.cli.index",
    "config": "pipeline.cli.look",
    "split": "pipeline.cli.texts",
    "annotate": "pipeline.cli.texts",
    "dedup": "pipeline.cli.texts",
}
DEMO_CONFIG = Path(".demo/winnow.toml")


class Lookup:
    """Settings, loaded when a command asks for them: `split FILE` needs no corpus."""

    def __init__(self) -> None:
        """Start without flags; the options of the group and of the command add theirs."""
        self.config_file: Path | None = None
        self.flags: dict[str, Any] = {"store": {}}

    def settings(self, *, corpus: bool = False, landing: bool = False) -> Settings:
        """Load settings; ask for `corpus` or `landing` to be set, or fail with the way to do it.

        Raises:
            ConfigError: see `config.load`; or a URL is missing.
        """
        settings = config.load(self.config_file, flags=self.flags, fallback=DEMO_CONFIG)
        telemetry.configure(settings.log_format)
        config.require(settings, corpus=corpus, landing=landing)
        return settings


def _remember(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    """Keep a shared option's value; one given to the command wins over one given before it."""
    lookup: Lookup = ctx.ensure_object(Lookup)
    if value is None or option.name is None:
        return
    if option.name == "config_file":
        lookup.config_file = value
    elif option.name == "log_format":
        lookup.flags["log_format"] = value
    else:
        lookup.flags["store"][option.name] = value


def _shared() -> list[click.Parameter]:
    """Make the options that may stand before or after the name of a command."""
    common: dict[str, Any] = {"callback": _remember, "expose_value": False}
    return [
        click.Option(
            ["--config", "config_file"],
            type=click.Path(path_type=Path),
            help="Settings file (TOML).",
            **common,
        ),
        click.Option(["--landing"], help="Landing area: s3://bucket/prefix or a folder.", **common),
        click.Option(["--corpus"], help="Corpus: s3://bucket/prefix or a folder.", **common),
        click.Option(["--endpoint-url"], help="S3 endpoint, when it is not AWS.", **common),
        click.Option(
            ["--log-format"],
            type=click.Choice(["auto", "console", "json"]),
            help="Format of the events on stderr.",
            **common,
        ),
    ]


class _Lazy(click.Group):
    """A group that imports a command's module only when it is used: `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands in the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module that holds the command and give it the shared options."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name)
        if not any(param.name == "config_file" for param in command.params):
            command.params.extend(_shared())
        return command


@click.command(
    cls=_Lazy, params=_shared(), context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="winnow")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Nightly text dumps in, one copy of every document out.

    Settings come from --config (or WINNOW_CONFIG), then the environment (WINNOW_GROUP__NAME),
    then these flags; without any of them the demo corpus of `make demo` is used when it is there.
    """
    ctx.ensure_object(Lookup)


def main() -> None:
    """Run the command line; whatever a person can mend ends in one line and code 1."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("winnow: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        line = failures.sentence(error)
        if line is None:  # a defect of Winnow: its traceback is what helps
            raise
        if config.debugging():
            traceback.print_exception(error)
        click.echo(f"winnow: {line}", err=True)
        sys.exit(1)
