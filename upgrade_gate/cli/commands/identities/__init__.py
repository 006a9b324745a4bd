"""`identities`: what the identities behind the Secrets hold, seen from the cloud's side."""

from __future__ import annotations

import click

from upgrade_gate.cli import CommandFiles


class Identities(CommandFiles):
    """The group of what is about identities."""

    package = "cli.commands.identities"


@click.command(cls=Identities, name="identities")
def command() -> None:
    """Export what identities hold. Nothing is run, nothing is read from the cloud by the tool itself."""
