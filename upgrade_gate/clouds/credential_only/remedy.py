"""Clouds without a permission model: the Secret and its keys are all that can be made.

Source: cloud-credential-operator `pkg/cmd/provisioning/nutanix` (facts cco.md 2.2); there is no ccoctl for vSphere,
OpenStack, oVirt, KubeVirt and Metal3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.remedy import CcoctlCommand, Draft, Serves, Step, argv, fill
from upgrade_gate.clouds.shared.phrases import permissions, why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

KINDS = frozenset(
    {
        "VSphereProviderSpec",
        "NutanixProviderSpec",
        "OpenStackProviderSpec",
        "OvirtProviderSpec",
        "KubevirtProviderSpec",
        "Metal3ProviderSpec",
    }
)
FOLDER = "credentials"

_NUTANIX = "NutanixProviderSpec"


def draft(work: IdentityChange, site: ClusterNames) -> Draft:
    """Return no document; privileges, where a vSphere request lists any, are for a person."""
    del site
    if not work.delta:
        return Draft()
    step = Step(
        title=f"Grant {permissions(work.delta)} to {work.who}",
        reason=why(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        notes=("No command does this for every installation: give the account a role with these privileges.",),
        scripted=False,
    )
    return Draft(steps=(step,))


def secret_value(key: str, work: IdentityChange, site: ClusterNames) -> str | None:
    """Return the form of a Nutanix value; the others are documents of their own."""
    del site
    if key == "credentials" and work.kind == _NUTANIX:
        prism = f'{{"username": "{fill("user")}", "password": "{fill("password")}"}}'
        return f'[{{"type": "basic_auth", "data": {{"prismCentral": {prism}, "prismElements": null}}}}]'
    return None


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return nothing: there is no policy."""
    del entries
    return {}


def ccoctl(works: Sequence[IdentityChange], site: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl nutanix create-shared-secrets`, the only one among these clouds."""
    if site.platform.casefold() != "nutanix" or site.release < (4, 11) or not works:
        return None
    return CcoctlCommand(
        argv=argv(
            "ccoctl nutanix create-shared-secrets",
            credentials_requests_dir="credentials-requests",
            output_dir="ccoctl-output",
        ),
        traps=(
            (
                "It reads ~/.nutanix/credentials (or --credentials-source-filepath) and writes that one credential for "
                "every request: apply those of ccoctl-output/manifests that the steps name."
            ),
        ),
    )
