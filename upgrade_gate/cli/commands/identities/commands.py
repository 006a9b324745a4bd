"""`commands`: the read-only commands of the cloud's own CLI that make the export for this cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli import run
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.options import (
    cluster_options,
    configuration_option,
    registry_options,
    release_options,
    via_option,
)
from upgrade_gate.cli.ready_file import deliver, write_options

if TYPE_CHECKING:
    from upgrade_gate.cli.configuration import Configuration
    from upgrade_gate.cli.options import ClusterOptions, RegistryOptions, ReleaseOptions


@click.command(
    cls=ExplainedCommand,
    examples=(
        "--to 4.19.2 > export.sh",
        "--to 4.19.2 --cluster snapshot:FILE --ccoctl-name prod --write export.sh",
        "--no-cluster --platform AWS --from dir:RELEASE --to dir:RELEASE",
    ),
)
@release_options
@via_option
@cluster_options
@configuration_option
@registry_options
@click.option("--ccoctl-name", metavar="NAME", help="The --name that ccoctl was run with.")
@click.option(
    "-d",
    "--directory",
    default="identities",
    show_default=True,
    metavar="DIR",
    help="Folder that the script writes the export to; it must be new or empty.",
)
@write_options
def command(
    *,
    release: ReleaseOptions,
    via: tuple[str, ...],
    cluster: ClusterOptions,
    configuration: Configuration,
    registry: RegistryOptions,
    ccoctl_name: str | None,
    directory: str,
    write: Path | None,
    force: bool,
) -> ExitCode:
    """Print a shell script that exports what the identities behind the target's Secrets hold.

    It runs where the cloud's CLI is logged in, writes nothing to the cloud, and leaves a folder for
    `check --identities export:DIR`. Identities that are known (--read-secrets, `identities:` of the
    configuration, --ccoctl-name) are read by name, else all of the account are.
    """
    from upgrade_gate import pipeline
    from upgrade_gate.clouds.contract import export
    from upgrade_gate.clouds.shared import shell_script
    from upgrade_gate.remedy import export as _wanted

    reader = run.open_target(cluster, registry)
    survey = pipeline.with_secrets(run.survey_target(release, cluster, registry, reader, via=via), reader, proof=True)
    plugin = export.of_platform(survey.context.platform)
    wanted = _wanted.wanted(survey, configuration.identities, ccoctl_name, cluster.mode)
    program = write.name if write is not None else "FILE"
    deliver(shell_script.script(wanted, plugin.steps(wanted), directory, program), write, force=force)
    return ExitCode.PASS
