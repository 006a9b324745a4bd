"""Requests that list no permissions, and the privileges that the API lets a vSphere request list.

Source: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_vsphere.go`. No payload lists privileges; where one
does, they are grants that nothing can prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from upgrade_gate.clouds.contract.grants import Cover, Grant
from upgrade_gate.clouds.credential_only import KINDS
from upgrade_gate.clouds.shared import spec

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence


class _Requests(Struct, frozen=True):
    """Requests of one cloud."""

    FIELDS: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    HARMLESS: frozenset[str] = frozenset()
    HAS_PERMISSIONS: bool = False

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


class _VSphere(_Requests, frozen=True):
    """vSphere: privileges where a request lists them."""

    def read_grants(self, kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
        """Return one grant per privilege of `permissions`; raises ValueError naming a malformed field."""
        del kind
        grants: list[Grant] = []
        for permission in spec.read(provider_spec)["permissions"].items():
            grants += spec.named(permission.required("a mapping"), "privileges", "privilege")
        return spec.fold(grants, self.identity)


BY_KIND: dict[str, _Requests] = {
    **{kind: _Requests() for kind in KINDS},
    "VSphereProviderSpec": _VSphere({"permissions": frozenset({"privileges"})}),
}
