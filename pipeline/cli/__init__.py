"""The `winnow` command.

Holds: the click group, global options and the one broad error handler. Commands live in the
modules of this package and are imported when they are called for.
Not here: what the commands do (`runner.py`, `audit/`, the stages).
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from pipeline import __version__, config, telemetry
from pipeline.errors import WinnowError
from pipeline.model.settings import Settings

_COMMANDS = {
    "run": "pipeline.cli.run",
    "status": "pipeline.cli.look",
    "explain": "pipeline.cli.look",
    "verify": "pipeline.cli.look",
    "files": "pipeline.cli.look",
    "report": "pipeline.cli.look",
    "promote": "pipeline.cli.run",
    "config": "pipeline.cli.look",
    "split": "pipeline.cli.texts",
    "annotate": "pipeline.cli.texts",
    "dedup": "pipeline.cli.texts",
}
DEMO_CONFIG = Path(".demo/winnow.toml")


class _Lazy(click.Group):
    """A group that imports a command's module only when it is used: `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands in the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module that holds the command."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name)
        return command


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings (TOML).")
@click.option("--landing", help="URL of the landing area: s3://bucket/prefix or a folder.")
@click.option("--corpus", help="URL of the corpus: s3://bucket/prefix or a folder.")
@click.option("--endpoint-url", help="S3 endpoint, when it is not AWS.")
@click.option("--log-format", type=click.Choice(["auto", "console", "json"]), help="Of stderr.")
@click.version_option(__version__, prog_name="winnow")
@click.pass_context
def cli(ctx: click.Context, config_file: Path | None, log_format: str | None, **where: Any) -> None:
    """Nightly text dumps in, one copy of every document out.

    Settings come from --config (or WINNOW_CONFIG), then the environment (WINNOW_GROUP__NAME),
    then these flags; without any of them the demo corpus of `make demo` is used when it is there.
    """
    ctx.obj = _Lookup(config_file, {"store": where, "log_format": log_format})


class _Lookup:
    """Settings, loaded when a command asks for them: `split FILE` needs no corpus."""

    def __init__(self, config_file: Path | None, flags: dict[str, Any]) -> None:
        self.config_file = config_file
        self.flags = flags

    def settings(self, *, corpus: bool = False, landing: bool = False) -> Settings:
        """Load settings; ask for `corpus` or `landing` to be set, or fail with the way to do it.

        Raises:
            ConfigError: see `config.load`; or a URL is missing.
        """
        settings = config.load(self.config_file, flags=self.flags, fallback=DEMO_CONFIG)
        telemetry.configure(settings.log_format)
        config.require(settings, corpus=corpus, landing=landing)
        return settings


def main() -> None:
    """Run the command line; errors that Winnow raises on purpose end in one line and code 1."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("winnow: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except WinnowError as error:
        click.echo(f"winnow: {error}", err=True)
        sys.exit(1)
