"""`tekton`: a Tekton task that runs the gate, keeps its reports and gives the verdict as a result."""

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
@_pins.own_image_option
@write_options
def command(*, to: str | None, image: str | None, write: Path | None, force: bool) -> ExitCode:
    """Print a Task of tekton.dev/v1 with the results verdict and exit-code."""
    text = _pins.filled(
        "tekton.yaml",
        default_to=f"      default: {_pins.quoted(to)}\n" if to else "",
        image=_pins.quoted(image or _pins.placeholder("IMAGE")),
        given=_pins.part("given.sh", indent=8),
    )
    deliver(text, write, force=force)
    return ExitCode.PASS
