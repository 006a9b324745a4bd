"""What the engines that run a fleet in parts have in common: the scripts, the shared volume, what is given to them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from upgrade_gate.cli.commands.init import _pins, _pods, _roles
from upgrade_gate.cli.commands.init._pods import Mount
from upgrade_gate.fleet import inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME = "upgrade-gate-fleet"
CLAIM = NAME
FLEET = "/fleet"
"""Where the shared volume is mounted."""

SHARDS_SECONDS = 6 * 3600
MERGE_SECONDS = 1800
SHARD_RESOURCES: Final[_pods.Resources] = {"cpu": "500m", "memory": ("256Mi", "768Mi")}

_KUBECONFIG = "/etc/upgrade-gate/kubeconfig"
_INVENTORY = re.compile(r"[A-Za-z0-9./][A-Za-z0-9._:/@+~*?\[\]!-]*", re.ASCII)

SHARD_SCRIPT = """\
part=$PLACE/parts/$RUN/part-$JOB_COMPLETION_INDEX
# what an attempt that was killed has left is kept
upgrade-gate fleet "$@" --resume -d "$part"
# what ends well without a result (--help does) has judged nothing
[ -s "$part/fleet.json" ]
"""
"""Judges one part of the fleet. PLACE is a folder of the shared volume, RUN is one of its kind for each run."""

MERGE_SCRIPT = """\
set -- "$PLACE/parts/$RUN"/part-*
[ -d "$1" ] || stop "no part of the fleet has left a result"
code=0
upgrade-gate fleet merge "$@" -d "$PLACE/result" || code=$?
case "$code" in
  0 | 3 | 4)
    # parts of earlier runs serve nobody any more
    for earlier in "$PLACE/parts"/*; do
      [ "$earlier" = "$PLACE/parts/$RUN" ] || rm -rf "$earlier"
    done
    ;;
esac
exit "$code"
"""
"""Joins the parts of a run. The result of the run before is there still, so that it is told what changed."""


_LOGIN = """\
#   oc create secret generic {name}-kubeconfig -n {namespace} \\
#     --from-file kubeconfig=FILE     where clusters are read live; with tokens and certificates in it
"""
_HUB = """\
#   upgrade-gate init hub-reader --service-account {namespace}/{name} | oc apply -f -
# and in each managed cluster what this prints:
#   upgrade-gate init rbac --for-hub --service-account {namespace}/{name} --to RELEASE
"""
_SUPPLIED = """\
# Snapshots, dumps and exports lie on the volume: the pods have it at {place}. Files of the ConfigMap that --config-map
# names are at /etc/upgrade-gate/settings.
"""
_GIVEN = """\
# Configuration, identities, acknowledgements and more options of `fleet` come from the ConfigMap {gate}, where
# there is one: UPGRADE_GATE_CONFIG, _IDENTITIES, _ACKNOWLEDGEMENTS and _ARGUMENTS. Who may change it has a say in the
# verdict. _ACKNOWLEDGEMENTS and _ARGUMENTS are lists: blanks separate words, quotes keep one together.
"""


def inventory_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the inventories; the command takes `inventories: tuple[str, ...]`."""
    what = "an inventory that can stand in a file: contexts:GLOB, snapshots:DIR, must-gathers:DIR, hub, or a file"
    form = _pins.Written("inventory", _INVENTORY, what)
    return click.argument("inventories", nargs=-1, type=form, metavar="INVENTORY...")(function)


def shards_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--shards`; the command takes `shards: int`."""
    return click.option(
        "--shards", type=click.IntRange(1, 1000), default=8, show_default=True, help="Parts, judged at the same time."
    )(function)


def namespace_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--namespace`; the command takes `namespace: str`."""
    return click.option(
        "--namespace", type=_roles.NamespaceName(), default=_pods.NAME, show_default=True, help="Run in this one."
    )(function)


def arguments(inventories: Sequence[str], to: str, shards: str, *, pull_secret: bool) -> list[str]:
    """Return the words for `fleet`."""
    named = list(inventories) or [_pins.placeholder("INVENTORY")]
    return [*named, "--to", to, *_pods.registry_arguments(pull_secret=pull_secret), "--shard", shards]


def reads_hub(inventories: Sequence[str]) -> bool:
    """Return whether the clusters are those of the hub that the pods run on, read with the pods' own account."""
    return inventory.HUB in inventories


def supplied_lines(namespace: str, inventories: Sequence[str], *, pull_secret: bool) -> str:
    """Return the lines of a header on what an administrator supplies."""
    login = _HUB if reads_hub(inventories) else _LOGIN
    return "".join(
        (
            f"#   oc create namespace {namespace}\n",
            _pods.pull_secret_lines(namespace, pull_secret=pull_secret),
            login.format(name=NAME, namespace=namespace),
            _SUPPLIED.format(place=FLEET),
        )
    )


def given_lines() -> str:
    """Return the lines of a header on what comes from variables."""
    return _GIVEN.format(gate=_pods.NAME)


def shard_mounts(inventories: Sequence[str], config_map: str | None, *, pull_secret: bool) -> list[Mount]:
    """Return what the pod of a part mounts."""
    kubeconfig = {"secret": {"secretName": f"{NAME}-kubeconfig", "optional": True}}
    login = (
        _pods.account_mount(SHARDS_SECONDS) if reads_hub(inventories) else Mount("kubeconfig", kubeconfig, _KUBECONFIG)
    )
    return [
        *merge_mounts(),
        login,
        *_pods.settings_mounts(config_map, pull_secret=pull_secret),
    ]


def shard_environment() -> list[dict[str, Any]]:
    """Return the variables of a part besides those that say where it is kept."""
    return [_pods.value("KUBECONFIG", f"{_KUBECONFIG}/kubeconfig"), *_pods.variables()]


def merge_mounts() -> list[Mount]:
    """Return what the pod that joins the parts mounts."""
    return [_pods.claimed("fleet", CLAIM, FLEET), _pods.tmp_mount()]


def claim(namespace: str) -> dict[str, Any]:
    """Return the claim of the volume that all pods write to."""
    return _pods.claim(CLAIM, namespace, access="ReadWriteMany", size="5Gi")
