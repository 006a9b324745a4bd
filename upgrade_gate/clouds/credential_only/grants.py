"""Clouds without a permission model: the Secret and its keys are the requirement.

Sources: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_vsphere.go` and its neighbours, its README on
root secrets, and the actuators. The API lets a vSphere request list privileges, which no payload does; where
one does, they are grants that nothing can prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from upgrade_gate.clouds.contract.grants import Cover, Grant
from upgrade_gate.clouds.shared.names import fold
from upgrade_gate.clouds.shared.statements import list_of, text_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from upgrade_gate.clouds.contract.grants import Access, Risk

__all__ = ["CLOUDS", "CredentialOnly", "VSphere"]


class CredentialOnly(Struct, frozen=True):
    """One such cloud; its Secret always has the same keys."""

    KINDS: frozenset[str]
    keys: tuple[str, ...]
    optional: frozenset[str] = frozenset()
    """Keys that a Secret may lack."""
    HAS_PERMISSIONS: bool = False
    FIELDS: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    HARMLESS: frozenset[str] = frozenset()

    def read_grants(self, kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
        """Return none: such a request lists nothing."""
        del kind, provider_spec
        return ()

    def identity(self, grant: Grant) -> Hashable:
        """Return the name, with case."""
        return (grant.type, grant.permission)

    def permission_key(self, grant: Grant) -> Hashable:
        """Return the name: nothing else belongs to it."""
        return self.identity(grant)

    def covering(self, held: Sequence[Grant], needed: Grant) -> Cover | None:
        """Return the equal grant, None where there is none."""
        same = any(self.identity(g) == self.identity(needed) for g in held)
        return Cover(needed.permission) if same else None

    def missing_keys(self, keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the keys that are missing and not optional."""
        del token, release
        return tuple(k for k in self.keys if k not in keys and k not in self.optional)

    def secret_keys(self, *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the keys that a component reads."""
        del token, release
        return self.keys

    def conflicting_keys(self, keys: frozenset[str]) -> tuple[str, ...]:
        """Return keys that must not stand together: none."""
        del keys
        return ()

    def risks(self, grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
        """Return none: no table classes these."""
        del grant, held
        return ()

    def completes(self, grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
        """Return none: no pair is known."""
        del grant, held
        return ()

    def access(self, grant: Grant) -> Access | None:
        """Return None: no table says what these let their holder do."""
        del grant
        return None


class VSphere(CredentialOnly, frozen=True):
    """vSphere: one pair of keys per vCenter, named after its address; privileges where a request lists them."""

    def read_grants(self, kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
        """Return one grant per privilege of `permissions`; raises ValueError naming a malformed field."""
        del kind
        grants: list[Grant] = []
        for number, permission in enumerate(list_of(provider_spec, "permissions", "spec.providerSpec")):
            where = f"spec.providerSpec.permissions[{number}]"
            if not isinstance(permission, Mapping):
                raise ValueError(f"{where} is {type(permission).__name__}, not a mapping")  # noqa: TRY004 - the contract of `Cloud`
            names = list_of(permission, "privileges", where)
            grants += [Grant("privilege", text_of(p, f"{where}.privileges[{n}]")) for n, p in enumerate(names)]
        return fold(grants, self.identity)

    def missing_keys(self, keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the other half of every half pair, or both halves where there is no pair at all."""
        del token, release
        users = {k.removesuffix(".username") for k in keys if k.endswith(".username")}
        passwords = {k.removesuffix(".password") for k in keys if k.endswith(".password")}
        if not users and not passwords:
            return self.keys
        halves = {f"{v}.password" for v in users - passwords} | {f"{v}.username" for v in passwords - users}
        return tuple(sorted(halves))


def _cloud(kind: str, *keys: str, optional: Sequence[str] = ()) -> CredentialOnly:
    return CredentialOnly(frozenset({kind}), keys, frozenset(optional))


CLOUDS: tuple[CredentialOnly, ...] = (
    VSphere(
        frozenset({"VSphereProviderSpec"}),
        ("<vcenter>.username", "<vcenter>.password"),
        FIELDS={"permissions": frozenset({"privileges"})},
    ),
    _cloud("NutanixProviderSpec", "credentials"),
    _cloud("OpenStackProviderSpec", "clouds.yaml", "cacert", optional=("cacert",)),
    _cloud("OvirtProviderSpec", "ovirt_url", "ovirt_username", "ovirt_password", "ovirt_insecure", "ovirt_ca_bundle"),
    _cloud("KubevirtProviderSpec", "kubeconfig"),
    _cloud("Metal3ProviderSpec"),
)
"""Metal3 has no type in CCO and no documented key: the existence of its Secret is all that can be asked."""
