"""What each infrastructure platform is to CCO: its provider kind, root Secret, and whether CCO has an actuator.

Source: cloud-credential-operator `pkg/operator/controller.go`, `pkg/operator/constants/constants.go`; the spelling
of names is that of `Infrastructure.status.platformStatus.type`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.secret_ref import SecretRef

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHOUT_REQUESTS = frozenset({"none", "external"})
"""Platforms, in lower case, for which no release carries any request."""
ALWAYS_SERVED = frozenset({"AWS", "Azure", "GCP", "IBMCloud", "PowerVS", "VSphere", "OpenStack", "Nutanix"})
"""Platforms for which every release that runs on them carries requests; others have none, or were given up."""


DEFAULT_PROFILE = "self-managed-high-availability"
"""The cluster profile that CVO takes where nothing names another (cluster-version-operator pkg/cvo/cvo.go)."""
HOSTED_PROFILE = "ibm-cloud-managed"
"""The cluster profile of control planes that run elsewhere (HyperShift sets it)."""
PROFILES = frozenset({DEFAULT_PROFILE, HOSTED_PROFILE, "single-node-developer", "single-node-production-edge"})
"""Every cluster profile that a release was ever made for (openshift/enhancements, update/cluster-profiles.md)."""
TOPOLOGIES = frozenset({"HighlyAvailable", "HighlyAvailableArbiter", "DualReplica", "SingleReplica", "External"})
"""Every topology of a control plane (openshift/api config/v1 `TopologyMode`)."""
FEATURE_SETS = frozenset(
    {"Default", "TechPreviewNoUpgrade", "DevPreviewNoUpgrade", "CustomNoUpgrade", "OKD", "LatencySensitive"}
)
"""Every feature set that a cluster may have; none at all is `Default` (openshift/api config/v1 `FeatureSet`)."""
CREDENTIALS_MODES = frozenset({"", "Manual", "Mint", "Passthrough"})
"""Every `credentialsMode` (openshift/api operator/v1 `CloudCredentialsMode`); the empty one is the default."""


class Platform(Struct, frozen=True):
    """One platform."""

    name: str
    """As Infrastructure spells it."""
    kind: str | None
    """The providerSpec kind of its CredentialsRequests, None where no such kind exists."""
    root_secret: str | None = None
    """Name of the root credential in kube-system; set exactly where CCO has a real actuator."""
    token_since: tuple[int, int] | None = None
    """First release in which ccoctl makes token credentials there (docs/facts/cco.md#ccoctl-by-release)."""
    timed_token_since: tuple[int, int] | None = None
    """First release whose CCO runs its full loop on token clusters there (docs/facts/cco.md#modes)."""

    @property
    def root(self) -> SecretRef | None:
        """Its root credential."""
        return SecretRef("kube-system", self.root_secret) if self.root_secret else None

    @property
    def has_actuator(self) -> bool:
        """Whether CCO can mint or pass credentials through on this platform."""
        return self.root_secret is not None


PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {
        p.name.casefold(): p
        for p in (
            Platform("AWS", "AWSProviderSpec", "aws-creds", (4, 8), (4, 14)),
            Platform("Azure", "AzureProviderSpec", "azure-credentials", (4, 14), (4, 14)),
            Platform("GCP", "GCPProviderSpec", "gcp-credentials", (4, 10), (4, 17)),
            Platform("IBMCloud", "IBMCloudProviderSpec"),
            Platform("PowerVS", "IBMCloudPowerVSProviderSpec"),
            Platform("VSphere", "VSphereProviderSpec", "vsphere-creds"),
            Platform("Nutanix", "NutanixProviderSpec"),
            Platform("OpenStack", "OpenStackProviderSpec", "openstack-credentials"),
            Platform("oVirt", "OvirtProviderSpec", "ovirt-credentials"),
            Platform("KubeVirt", "KubevirtProviderSpec", "kubevirt-credentials"),
            Platform("AlibabaCloud", "AlibabaCloudProviderSpec"),
            Platform("BareMetal", "Metal3ProviderSpec"),
            Platform("None", None),
            Platform("External", None),
            Platform("EquinixMetal", None),
        )
    }
)


def by_name(name: str) -> Platform | None:
    """Return the platform of that name, case ignored, or None for a name nobody knows."""
    return PLATFORMS.get(name.casefold())


def exactly(name: str) -> Platform | None:
    """Return the platform of that very name: what a cluster says of itself is compared as the operators do."""
    found = by_name(name)
    return found if found is not None and found.name == name else None


def platform_of_kind(kind: str) -> Platform | None:
    """Return the platform whose requests have this providerSpec kind, or None for a kind nobody knows."""
    return next((p for p in PLATFORMS.values() if p.kind == kind), None)
