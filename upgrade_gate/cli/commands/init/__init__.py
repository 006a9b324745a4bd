"""`init`: ready files to commit or apply, pipelines, an image, least-privilege roles.

Each is a module here with a `command`, found by its file name. It prints its file; `--write` puts it in place.
"""

from __future__ import annotations

import click

from upgrade_gate.cli import CommandFiles


class Starters(CommandFiles):
    """The group of what can be started with."""

    package = "cli.commands.init"


@click.command(cls=Starters, name="init")
def command() -> None:
    """Print a ready file: a pipeline, an image, the least roles. Nothing is applied."""
