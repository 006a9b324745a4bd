"""`containerfile`: the image that the other ready files run."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli.commands.init import _pins
from upgrade_gate.cli.ready_file import deliver, write_options


@click.command()
@_pins.image_option("Image with Python 3.11 or newer, UBI's for example.  [default: Python's own]", "--base")
@_pins.install_option
@write_options
def command(*, base: str | None, install: str, write: Path | None, force: bool) -> ExitCode:
    """Print a Containerfile: two stages, not root, any user ID.

    A wheel or a requirements file is copied from the folder that the image is built in.
    """
    what, copy = install, ""
    if install.endswith((".whl", ".txt")):
        what = f"/tmp/{PurePosixPath(install).name}"  # noqa: S108 - inside the image
        copy = f"COPY {install} {what}\n"
    text = _pins.filled(
        "Containerfile", base=base or _pins.PYTHON_IMAGE, copy=copy, install=_pins.install_command(what)
    )
    deliver(text, write, force=force)
    return ExitCode.PASS
