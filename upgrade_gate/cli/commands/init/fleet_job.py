"""`fleet-job`: a fleet judged by an Indexed Job, a part by each index, and a second Job that joins the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from upgrade_gate import __version__
from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli.commands.init import _fleets, _pins, _pods, _roles
from upgrade_gate.cli.ready_file import deliver, write_options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_GET_JOB = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["get"]}
_PATIENCE = _fleets.SHARDS_SECONDS + 600
"""Seconds that the second Job waits for the first."""
_HEADER = """\
# A fleet of clusters: which can go to the target release, which cannot, and what stands in the way of most?
# Made by `upgrade-gate init fleet-job`, version {version}. It needs Kubernetes 1.29 (OpenShift 4.16), and storage that
# pods on several nodes can write to (ReadWriteMany). Before it is applied:
{supplied}#
# Each index of the first Job judges one of {shards} parts. What upgrade-gate ends with by itself, 3 (blocked), 4
# (cannot tell), 2 or 1 (no verdict), fails the index and is not asked again. A pod that is killed is started again,
# keeps what it had judged and goes on. The second Job waits for the end of the first and joins the parts, but nothing
# where one is missing. It ends with the exit code of the whole fleet:
#   oc logs -n {namespace} job/{name}-merge
# All files are on the volume, in {place}/{name}/result. To run it again, with what changed since:
#   oc delete job -n {namespace} --ignore-not-found \\
#     {name} {name}-merge
#   oc apply -f FILE
#
{given}"""


@click.command()
@_fleets.inventory_argument
@_pins.target_option
@_pins.own_image_option
@_fleets.shards_option
@_fleets.namespace_option
@_pins.settings_options
@write_options
def command(
    *,
    inventories: tuple[str, ...],
    to: str | None,
    image: str | None,
    shards: int,
    namespace: str,
    config_map: str | None,
    no_pull_secret: bool,
    write: Path | None,
    force: bool,
) -> ExitCode:
    """Print an Indexed Job that judges a fleet in parts, and a Job that joins them.

    INVENTORY is as `fleet` has it. The pods fit the restricted pod security standard.
    """
    pull_secret = not no_pull_secret
    account = _roles.ServiceAccountName(namespace, _fleets.NAME)
    name = _pods.name_for(_fleets.NAME, to)
    target = to or _pins.placeholder("TARGET_RELEASE")
    arguments = _fleets.arguments(inventories, target, str(shards), pull_secret=pull_secret)
    mounts = _fleets.shard_mounts(inventories, config_map, pull_secret=pull_secret)
    documents = [
        *_roles.account_manifests(account),
        *_roles.own_role(account, name, {**_GET_JOB, "resourceNames": [name]}),
        _fleets.claim(namespace),
        _shards(name, account, arguments, image, shards=shards, mounts=mounts, config_map=config_map),
        _merge(name, account, image),
    ]
    header = _HEADER.format(
        version=__version__,
        name=name,
        namespace=namespace,
        place=_fleets.FLEET,
        shards=shards,
        supplied=_fleets.supplied_lines(namespace, inventories, pull_secret=pull_secret),
        given=_fleets.given_lines(),
    )
    deliver(header + _pods.dump(documents), write, force=force)
    return ExitCode.PASS


def _shards(
    name: str,
    account: _roles.ServiceAccountName,
    arguments: Sequence[str],
    image: str | None,
    *,
    shards: int,
    mounts: Sequence[_pods.Mount],
    config_map: str | None,
) -> dict[str, Any]:
    container = _pods.container(
        _pods.STOP + _pods.given(config_map) + _fleets.SHARD_SCRIPT,
        arguments,
        image,
        env=[
            _pods.value("PLACE", f"{_fleets.FLEET}/{name}"),
            _pods.field("RUN", "metadata.labels['batch.kubernetes.io/controller-uid']"),
            *_fleets.shard_environment(),
        ],
        mounts=mounts,
        **_fleets.SHARD_RESOURCES,
    )
    spec = _pods.job_spec(
        _pods.pod(container, account.name, mounts),
        seconds=_fleets.SHARDS_SECONDS,
        ends="FailIndex",
        completionMode="Indexed",
        completions=shards,
        parallelism=shards,
        backoffLimitPerIndex=3,
        podReplacementPolicy="Failed",
    )
    return _pods.job(name, account.namespace, spec)


def _merge(name: str, account: _roles.ServiceAccountName, image: str | None) -> dict[str, Any]:
    mounts = [_pods.account_mount(), *_fleets.merge_mounts()]
    run = f"""\
{_pods.cluster_api()}
RUN=$(cluster_api wait "$NAMESPACE" "$JOB" {_PATIENCE}) || stop "the parts of the fleet have not ended"
"""
    container = _pods.container(
        _pods.STOP + run + _fleets.MERGE_SCRIPT,
        [],
        image,
        env=[
            _pods.value("PLACE", f"{_fleets.FLEET}/{name}"),
            _pods.value("JOB", name),
            _pods.field("NAMESPACE", "metadata.namespace"),
            _pods.value("ACCOUNT", _pods.ACCOUNT),
        ],
        mounts=mounts,
    )
    spec = _pods.job_spec(_pods.pod(container, account.name, mounts), seconds=_PATIENCE + _fleets.MERGE_SECONDS)
    return _pods.job(f"{name}-merge", account.namespace, spec)
