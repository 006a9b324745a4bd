"""`ansible`: a playbook for a pre-upgrade hook that runs the gate, keeps its reports and fails unless it is a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli.commands.init import _pins
from upgrade_gate.cli.ready_file import deliver, write_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@_pins.target_option
@write_options
def command(*, to: str | None, write: Path | None, force: bool) -> ExitCode:
    """Print a playbook that runs the gate before an upgrade and fails unless the verdict is a pass."""
    deliver(_pins.filled("ansible.yml", to=f"'{to or ''}'"), write, force=force)
    return ExitCode.PASS
