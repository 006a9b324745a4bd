"""`completion`: the script that teaches a shell the commands and options."""

from __future__ import annotations

import click

from upgrade_gate.cli import stdout


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a completion script, for example `source <(upgrade-gate completion bash)`."""
    from click.shell_completion import ShellComplete, get_completion_class

    from upgrade_gate.cli import COMPLETE_VARIABLE, cli

    kind = get_completion_class(shell)
    assert kind is not None, shell  # noqa: S101 - the three shells are click's own
    # BashComplete.source also runs bash to ask its version; the script is the same without
    stdout.write(ShellComplete.source(kind(cli, {}, "upgrade-gate", COMPLETE_VARIABLE)) + "\n")
