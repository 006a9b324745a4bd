"""`iam-reader`: the least access with which identities can be read, live or by `identities commands`."""

from __future__ import annotations

from pathlib import Path

import click

from upgrade_gate.base.errors import ExitCode, UsageError
from upgrade_gate.cli.option_types import PlatformName
from upgrade_gate.cli.ready_file import deliver, write_options


@click.command()
@click.option(
    "--platform",
    type=PlatformName(),
    required=True,
    metavar="NAME",
    help="AWS, Azure, GCP, … as Infrastructure has it.",
)
@click.option("--account", metavar="ID", help="Azure subscription or GCP project that the role is for.")
@click.option(
    "--organization", metavar="ID", help="GCP: a role of the organisation, which reads above the project too."
)
@write_options
def command(
    *, platform: str, account: str | None, organization: str | None, write: Path | None, force: bool
) -> ExitCode:
    """Print a read-only policy or role for exactly what the live readers and `identities commands` call.

    AWS: a policy document. Azure: a custom role. GCP: a custom role, as YAML. IBM Cloud and Power VS: the commands.
    """
    from upgrade_gate.clouds.contract import export

    plugin = export.of_platform(platform)
    if organization is not None and not plugin.REACHES_ABOVE:
        raise UsageError(f"--organization is for GCP, not for {platform}")
    deliver(plugin.access(account, organization), write, force=force)
    return ExitCode.PASS
