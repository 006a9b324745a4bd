"""IBM Cloud and Power VS requests: access policies, each a set of attributes with roles.

Source: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_ibmcloud.go`, `types_powervs.go`. A role is a set
of actions per service and nothing declares that one contains another, so a grant is covered by an equal one alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.grants import Cover, Grant, canonical
from upgrade_gate.clouds.shared import spec
from upgrade_gate.reading.node import Part, mapping

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {"policies": frozenset({"attributes", "roles"})}
HARMLESS: frozenset[str] = frozenset()

_TARGETS = ("serviceName", "serviceType", "resourceType")
"""The attributes that say what a policy is about; the others narrow it."""


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return one grant per role and attribute set of `policies`; raises ValueError naming a malformed field."""
    del kind
    grants: list[Grant] = []
    for policy in spec.read(provider_spec)["policies"].items():
        scope = {"attributes": _attributes(policy.required("a mapping"))}
        grants += [Grant("role", role, scope=scope) for role in policy["roles"].texts()]
    return spec.fold(grants, identity)


def _attributes(policy: Part) -> list[dict[str, Any]]:
    attributes: list[dict[str, Any]] = []
    for attribute in policy["attributes"].items():
        stated = attribute.required("a mapping").mapping()
        entry = {**stated, **{key: attribute[key].some_text() for key in ("name", "value")}}
        if entry not in attributes:
            attributes.append(entry)
    return sorted(attributes, key=lambda a: (a["name"], canonical(a)))


def identity(grant: Grant) -> Hashable:
    """Return the role within its whole attribute set."""
    return (grant.type, grant.permission, canonical(grant.scope))


def permission_key(grant: Grant) -> Hashable:
    """Return the role and what its policy is about: further attributes narrow the same permission."""
    return (grant.type, grant.permission, target_of(grant))


def target_of(grant: Grant) -> tuple[tuple[str, str], ...]:
    """Return the attributes, with their values, that say what the grant's policy is about."""
    attributes = mapping(grant.scope).get("attributes", ())
    return tuple((a["name"], a["value"]) for a in attributes if a["name"] in _TARGETS)


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return the equal grant, None where there is none."""
    if any(identity(g) == identity(needed) for g in held):
        return Cover(needed.permission)
    return None
