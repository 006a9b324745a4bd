"""The keys that a Secret must have where no permission is asked for.

Sources: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_vsphere.go` and its neighbours, its README on
root secrets, and the actuators.
"""

from __future__ import annotations

from upgrade_gate.clouds.shared.secret import Keys


class _VCenters(Keys, frozen=True):
    """vSphere: one pair of keys per vCenter, named after its address."""

    def missing_keys(self, keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the other half of every half pair, or both halves where there is no pair at all."""
        del token, release
        users = {k.removesuffix(".username") for k in keys if k.endswith(".username")} - {""}
        passwords = {k.removesuffix(".password") for k in keys if k.endswith(".password")} - {""}
        if not users and not passwords:
            return self.keys
        halves = {f"{v}.password" for v in users - passwords} | {f"{v}.username" for v in passwords - users}
        return tuple(sorted(halves))

    def missing_by_server(self, keys: frozenset[str], servers: tuple[str, ...]) -> tuple[str, ...]:
        """Return the user names and passwords of vCenters that the Secret does not serve."""
        wanted = [f"{server}.{half}" for server in servers for half in ("username", "password")]
        return tuple(key for key in wanted if key not in keys)


BY_KIND: dict[str, Keys] = {
    "VSphereProviderSpec": _VCenters(("<vcenter>.username", "<vcenter>.password")),
    "NutanixProviderSpec": Keys(("credentials",)),
    "OpenStackProviderSpec": Keys(("clouds.yaml", "cacert"), frozenset({"cacert"})),
    "OvirtProviderSpec": Keys(("ovirt_url", "ovirt_username", "ovirt_password", "ovirt_insecure", "ovirt_ca_bundle")),
    "KubevirtProviderSpec": Keys(("kubeconfig",)),
    "Metal3ProviderSpec": Keys(),
}
"""Metal3 has no type in CCO and no documented key: the existence of its Secret is all that can be asked."""
