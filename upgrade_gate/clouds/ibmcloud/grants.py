"""IBM Cloud and Power VS requests: access policies, each a set of attributes with roles.

Source: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_ibmcloud.go`, `types_powervs.go`. A role is a set
of actions per service and nothing declares that one contains another, so a grant is covered by the same role alone. A
policy reaches what all its attributes match: one that has fewer of them reaches further.
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

_DEFAULT_OPERATOR = "stringEquals"
"""What an attribute without an operator means; ccoctl reads none (`pkg/cmd/provisioning/ibmcloud`)."""
_TARGETS = ("serviceName", "serviceType", "resourceType")
"""The attributes that say what a policy is about; the others narrow it."""


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return one grant per role and attribute set of `policies`; raises ValueError naming a malformed field.

    A policy without a role is malformed: IAM takes none, and it must not read as asking for nothing.
    """
    del kind
    grants: list[Grant] = []
    for policy in spec.read(provider_spec, FIELDS)["policies"].items():
        scope = {"attributes": _attributes(policy.required("a mapping"))}
        grants += [Grant("role", role, scope=scope) for role in policy["roles"].some_texts()]
    return spec.fold(grants, identity)


def _attributes(policy: Part) -> list[dict[str, Any]]:
    attributes: list[dict[str, Any]] = []
    for attribute in spec.some(policy["attributes"]):
        stated = attribute.required("a mapping").mapping()
        entry = {**stated, **{key: attribute[key].some_text() for key in ("name", "value")}}
        if attribute["operator"].maybe_text() in (None, _DEFAULT_OPERATOR):
            entry.pop("operator", None)
        if entry not in attributes:
            attributes.append(entry)
    return sorted(attributes, key=lambda a: (a["name"], canonical(a)))


def identity(grant: Grant) -> Hashable:
    """Return the role within its whole attribute set."""
    return (grant.type, grant.permission, grant.canonical_scope)


def permission_key(grant: Grant) -> Hashable:
    """Return the role and what its policy is about: further attributes narrow the same permission."""
    return (grant.type, grant.permission, target_of(grant))


def target_of(grant: Grant) -> tuple[tuple[str, str], ...]:
    """Return the attributes, with their values, that say what the grant's policy is about."""
    attributes = mapping(grant.scope).get("attributes", ())
    return tuple((a["name"], a["value"]) for a in attributes if a["name"] in _TARGETS)


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return the same role under some or all of the needed attributes, None where there is none."""
    same = identity(needed)
    if any(identity(g) == same or _reaches(g, needed) for g in held):
        return Cover(needed.permission)
    return None


def _reaches(held: Grant, needed: Grant) -> bool:
    """Return whether a role is held under fewer attributes: all that it asks for is asked for by the needed one too.

    One that names no service and no type is for whatever IBM Cloud counts as a service that knows IAM, so it covers
    nothing here (docs/facts/ibmcloud.md#coverage).
    """
    has, wants = (mapping(g.scope).get("attributes", ()) for g in (held, needed))
    same = held.permission == needed.permission and bool(target_of(held))
    return same and all(attribute in wants for attribute in has)
