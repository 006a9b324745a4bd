"""`extract`: the requests that a release really applies here, as files for ccoctl."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode, UsageError
from upgrade_gate.base.paths import exists
from upgrade_gate.cli import input_paths, run, stderr, stdout
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.options import (
    cluster_options,
    configuration_option,
    log_options,
    registry_options,
    release_options,
)

if TYPE_CHECKING:
    from upgrade_gate.cli.configuration import Configuration
    from upgrade_gate.cli.options import ClusterOptions, RegistryOptions, ReleaseOptions
    from upgrade_gate.requests.update import Hop


@click.command(
    cls=ExplainedCommand,
    examples=(
        "--to 4.19.2 -d requests",
        "--to dir:RELEASE --cluster snapshot:FILE -d requests",
        "--no-cluster --platform Azure --from 4.18.7 --to 4.19.2 -d requests",
    ),
)
@release_options
@cluster_options
@configuration_option
@registry_options
@log_options
@click.option(
    "-d",
    "--directory",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Empty or new folder to write to.",
)
def command(
    *,
    release: ReleaseOptions,
    cluster: ClusterOptions,
    configuration: Configuration,
    registry: RegistryOptions,
    directory: Path,
) -> ExitCode:
    """Write the CredentialsRequests that the target release really applies on this cluster, one file each.

    Deleted, gated and foreign ones are left out: ccoctl does not filter them itself. With --from (or a cluster) the
    capabilities that the update enables by itself count.
    """
    del configuration
    stdout.check_folder(directory)
    input_paths.refuse(directory)
    if exists(directory) and any(directory.iterdir()):
        raise UsageError(f"{directory} is not empty", hint="ccoctl takes every file of a folder: name a new one")
    survey = run.survey_target(release, cluster, registry, run.open_target(cluster, registry))
    hop = survey.hops[-1]
    number = _write(hop, directory)
    stderr.say(f"{number} requests of {hop.new.version} for {survey.context.platform} written to {directory}")
    return ExitCode.PASS


def _write(hop: Hop, directory: Path) -> int:
    from upgrade_gate.remedy import credentials_requests

    files = credentials_requests.request_files(hop)
    stdout.write_folder(directory, files)
    return len(files)
