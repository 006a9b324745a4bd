"""Clouds without a permission model: the Secret and its keys are all that can be made.

Source: cloud-credential-operator `pkg/cmd/provisioning/nutanix` (docs/facts/other-clouds.md#nutanix); there is no
ccoctl for vSphere, OpenStack, oVirt, KubeVirt and Metal3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.steps import line
from upgrade_gate.clouds.contract.remedy import REQUESTS, CcoctlCommand, Draft, fill
from upgrade_gate.clouds.shared.drafting import grant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

FOLDER = "credentials"
FILES = "nothing beside Secrets"

_NUTANIX = "NutanixProviderSpec"
_OPENSTACK = "OpenStackProviderSpec"


def draft(change: IdentityChange, names: ClusterNames) -> Draft:
    """Return no document; privileges, where a vSphere request lists any, are for a person."""
    del names
    if not change.delta:
        return Draft()
    note = "No command does this for every installation: give the account a role with these privileges."
    return Draft((grant(change, notes=(note,), scripted=False),))


def login(change: IdentityChange, names: ClusterNames) -> None:
    """Return nothing: no step has a cloud's command line."""
    del change, names


def secret_value(key: str, change: IdentityChange, names: ClusterNames) -> str | None:
    """Return the form of a Nutanix value, and of OpenStack's that may be none; the others are documents."""
    del names
    if key == "cacert" and change.kind == _OPENSTACK:
        return fill("cacert, the CA of a cloud that has its own; without one, take this line out")
    if key == "credentials" and change.kind == _NUTANIX:
        prism = f'{{"username": "{fill("user")}", "password": "{fill("password")}"}}'
        return f'[{{"type": "basic_auth", "data": {{"prismCentral": {prism}, "prismElements": null}}}}]'
    return None


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return nothing: there is no policy."""
    del entries
    return {}


def ccoctl(changes: Sequence[IdentityChange], names: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl nutanix create-shared-secrets`, the only one among these clouds."""
    if names.platform.casefold() != "nutanix" or names.release < (4, 11) or not changes:
        return None
    return CcoctlCommand(
        line("ccoctl nutanix create-shared-secrets", credentials_requests_dir=REQUESTS, output_dir="ccoctl-output"),
        traps=(
            (
                "It reads ~/.nutanix/credentials (or --credentials-source-filepath) and writes that one credential for "
                "every request: apply those of ccoctl-output/manifests that the steps name."
            ),
        ),
    )
