"""IBM Cloud and Power VS requests: access policies, each a set of attributes with roles.

Source: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_ibmcloud.go`, `types_powervs.go`. A role is a set
of actions per service and nothing declares that one contains another, so a grant is covered by an equal one alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.grants import Cover, Grant, canonical
from upgrade_gate.clouds.shared import access as _access
from upgrade_gate.clouds.shared.names import fold
from upgrade_gate.clouds.shared.statements import list_of, text_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from upgrade_gate.clouds.contract.grants import Access, Risk

KINDS = frozenset({"IBMCloudProviderSpec", "IBMCloudPowerVSProviderSpec"})
HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {"policies": frozenset({"attributes", "roles"})}
HARMLESS: frozenset[str] = frozenset()

_API_KEY = "ibmcloud_api_key"
_ENVIRONMENT = "ibm-credentials.env"
_TARGETS = ("serviceName", "serviceType", "resourceType")
"""The attributes that say what a policy is about; the others narrow it."""


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return one grant per role and attribute set of `policies`; raises ValueError naming a malformed field."""
    del kind
    grants: list[Grant] = []
    for number, policy in enumerate(list_of(provider_spec, "policies", "spec.providerSpec")):
        where = f"spec.providerSpec.policies[{number}]"
        if not isinstance(policy, Mapping):
            raise ValueError(f"{where} is {type(policy).__name__}, not a mapping")  # noqa: TRY004 - the contract of `Cloud`
        scope = {"attributes": _attributes(policy, where)}
        roles = list_of(policy, "roles", where)
        grants += [Grant("role", text_of(r, f"{where}.roles[{n}]"), scope=scope) for n, r in enumerate(roles)]
    return fold(grants, identity)


def _attributes(policy: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    attributes: list[dict[str, Any]] = []
    for number, attribute in enumerate(list_of(policy, "attributes", where)):
        at = f"{where}.attributes[{number}]"
        if not isinstance(attribute, Mapping):
            raise ValueError(f"{at} is {type(attribute).__name__}, not a mapping")  # noqa: TRY004 - the contract of `Cloud`
        entry = {**attribute, **{key: text_of(attribute.get(key), f"{at}.{key}") for key in ("name", "value")}}
        if entry not in attributes:
            attributes.append(entry)
    return sorted(attributes, key=lambda a: (a["name"], canonical(a)))


def identity(grant: Grant) -> Hashable:
    """Return the role within its whole attribute set."""
    return (grant.type, grant.permission, canonical(grant.scope))


def permission_key(grant: Grant) -> Hashable:
    """Return the role and what its policy is about: further attributes narrow the same permission."""
    attributes = grant.scope.get("attributes", ()) if isinstance(grant.scope, Mapping) else ()
    target = tuple((a["name"], a["value"]) for a in attributes if a["name"] in _TARGETS)
    return (grant.type, grant.permission, target)


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return the equal grant, None where there is none."""
    if any(identity(g) == identity(needed) for g in held):
        return Cover(needed.permission)
    return None


def missing_keys(keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the missing keys: both are required from 4.10 on."""
    return tuple(k for k in secret_keys(token=token, release=release) if k not in keys)


def secret_keys(*, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the keys that ccoctl writes: up to 4.9 only the API key."""
    del token
    return (_API_KEY, _ENVIRONMENT) if release >= (4, 10) else (_API_KEY,)


def conflicting_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """Return keys that must not stand together: none."""
    del keys
    return ()


def risks(grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
    """Return ESCALATE for Administrator (it assigns access), BREADTH for Manager and for a policy without a target."""
    del held
    name = grant.permission.rpartition(":")[2]
    classes: list[Risk] = ["ESCALATE"] if name == "Administrator" else []
    attributes = grant.scope.get("attributes", ()) if isinstance(grant.scope, Mapping) else ()
    if name in ("Administrator", "Manager") or not any(a["name"] in _TARGETS for a in attributes):
        classes.append("BREADTH")
    return tuple(classes)


def completes(grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
    """Return what makes a known pair with a role: nothing, no pair of roles is known to."""
    del grant, held
    return ()


def access(grant: Grant) -> Access | None:
    """Return the access level of one of IBM's own roles."""
    return _access.of_ibm(grant.permission)
