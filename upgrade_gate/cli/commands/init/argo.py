"""`argo`: a fleet judged in parts by a workflow of Argo, which joins them at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from upgrade_gate import __version__
from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli.commands.init import _fleets, _pins, _pods, _roles
from upgrade_gate.cli.ready_file import deliver, write_options
from upgrade_gate.fleet.shard import INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TASK_RESULTS = {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
"""What Argo's executor needs in every pod (Argo Workflows, "Workflow RBAC")."""

_HEADER = """\
# A fleet of clusters: which can go to the target release, which cannot, and what stands in the way of most?
# Made by `upgrade-gate init argo`, version {version}, for Argo Workflows 3.6 or newer. It needs storage that pods on
# several nodes can write to (ReadWriteMany). Before the first run:
{supplied}#
# A run:
#   argo submit -n {namespace} --from workflowtemplate/{name} -p to=RELEASE
#
# Each part of the fleet is a pod. What upgrade-gate ends with by itself, 3 (blocked), 4 (cannot tell), 2 or 1 (no
# verdict), is not asked again. A pod that is killed is started again, keeps what it had judged and goes on. The step
# merge joins the parts, but nothing where one is missing; the workflow ends as it does. All files are on the volume,
# in {place}/{name}/result. Two runs wait for each other.
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
    """Print a WorkflowTemplate that judges a fleet in parts and joins them.

    INVENTORY is as `fleet` has it. The target and the number of parts are parameters of the workflow.
    """
    pull_secret = not no_pull_secret
    account = _roles.ServiceAccountName(namespace, _fleets.NAME)
    arguments = _fleets.arguments(
        inventories, "{{workflow.parameters.to}}", "{{workflow.parameters.shards}}", pull_secret=pull_secret
    )
    mounts = _fleets.shard_mounts(inventories, config_map, pull_secret=pull_secret)
    parameters = [{"name": "to", **({"value": to} if to else {})}, {"name": "shards", "value": str(shards)}]
    spec = {
        "entrypoint": "fleet",
        "serviceAccountName": account.name,
        "securityContext": dict(_pods.SECURITY),
        "activeDeadlineSeconds": _fleets.SHARDS_SECONDS + _fleets.MERGE_SECONDS,
        "synchronization": {"mutexes": [{"name": _fleets.NAME}]},
        "arguments": {"parameters": parameters},
        "volumes": _pods.volumes(mounts),
        "templates": [_steps(), _shard(arguments, image, mounts, config_map), _merge(image)],
    }
    template = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTemplate",
        "metadata": _pods.metadata(_fleets.NAME, namespace),
        "spec": spec,
    }
    documents = [
        *_roles.account_manifests(account),
        *_roles.own_role(account, _fleets.NAME, _TASK_RESULTS),
        _fleets.claim(namespace),
        template,
    ]
    header = _HEADER.format(
        version=__version__,
        name=_fleets.NAME,
        namespace=namespace,
        place=_fleets.FLEET,
        supplied=_fleets.supplied_lines(namespace, inventories, pull_secret=pull_secret),
        given=_fleets.given_lines(),
    )
    deliver(header + _pods.dump(documents), write, force=force)
    return ExitCode.PASS


def _steps() -> dict[str, Any]:
    index = {"name": "index", "value": "{{item}}"}
    shard = {
        "name": "shard",
        "template": "shard",
        "arguments": {"parameters": [index]},
        "withSequence": {"count": "{{workflow.parameters.shards}}"},
        # merge tells what became of them
        "continueOn": {"failed": True, "error": True},
    }
    return {"name": "fleet", "steps": [[shard], [{"name": "merge", "template": "merge"}]]}


def _shard(
    arguments: Sequence[str], image: str | None, mounts: Sequence[_pods.Mount], config_map: str | None
) -> dict[str, Any]:
    container = _pods.container(
        _pods.STOP + _pods.given(config_map) + _fleets.SHARD_SCRIPT,
        arguments,
        image,
        env=[*_place(), _pods.value(INDEX, "{{inputs.parameters.index}}"), *_fleets.shard_environment()],
        mounts=mounts,
        **_fleets.SHARD_RESOURCES,
    )
    return _template("shard", container, _fleets.SHARDS_SECONDS, inputs={"parameters": [{"name": "index"}]})


def _merge(image: str | None) -> dict[str, Any]:
    script = _pods.STOP + _fleets.MERGE_SCRIPT
    container = _pods.container(script, [], image, env=_place(), mounts=_fleets.merge_mounts())
    return _template("merge", container, _fleets.MERGE_SECONDS)


def _template(name: str, container: dict[str, Any], seconds: int, **more: Any) -> dict[str, Any]:
    """Return a template of one pod, which Argo starts again only where upgrade-gate did not end by itself."""
    ends = ", ".join(f'"{code}"' for code in _pods.ENDS)
    return {
        "name": name,
        **more,
        "activeDeadlineSeconds": seconds,
        "retryStrategy": {
            "limit": "3",
            "retryPolicy": "Always",
            "expression": f"lastRetry.exitCode not in [{ends}]",
        },
        "container": {**container, "name": "main"},  # as Argo calls it
    }


def _place() -> list[dict[str, Any]]:
    return [_pods.value("PLACE", f"{_fleets.FLEET}/{_fleets.NAME}"), _pods.value("RUN", "{{workflow.uid}}")]
