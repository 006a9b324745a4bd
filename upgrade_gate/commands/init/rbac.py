"""`rbac`: the least roles with which a service account can read the cluster for one check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from upgrade_gate.commands import _wiring
from upgrade_gate.commands._options import (
    cluster_options,
    configuration_option,
    registry_options,
    release_options,
)
from upgrade_gate.commands.init import _roles
from upgrade_gate.commands.init._writing import deliver, write_options
from upgrade_gate.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from upgrade_gate.commands._options import ClusterOptions, RegistryOptions, ReleaseOptions
    from upgrade_gate.configuration import Configuration

__all__ = ["command"]


@click.command()
@release_options
@cluster_options
@configuration_option
@registry_options
@write_options
def command(
    *,
    release: ReleaseOptions,
    cluster: ClusterOptions,
    configuration: Configuration,
    registry: RegistryOptions,
    write: Path | None,
    force: bool,
) -> ExitCode:
    """Print a ClusterRole and Roles for exactly the reads of a check of this target, with their bindings.

    Kubernetes has no verb for metadata alone: who may get a Secret may read its values, so the Roles name each one.
    """
    import yaml

    del configuration
    survey = _wiring.survey_target(release, cluster, registry)
    selected = survey.hops[-1].new_selection.requests.values()
    refs = {one.request.secret for one in selected if one.request.secret is not None}
    manifests = _roles.rbac_manifests(refs, platform=survey.context.platform)
    deliver(yaml.safe_dump_all(manifests, sort_keys=False), write, force=force)
    return ExitCode.PASS
