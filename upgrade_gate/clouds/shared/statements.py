"""Statement entries of AWS and Alibaba requests: how they become grants, and what contains them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.grants import Cover, Grant
from upgrade_gate.clouds.shared import spec
from upgrade_gate.clouds.shared.conditions import condition_admits, condition_tests
from upgrade_gate.clouds.shared.patterns import Patterns, contains, covered, intersects
from upgrade_gate.reading.node import Malformed, Part

if TYPE_CHECKING:
    from collections.abc import Hashable


def read_statements(provider_spec: Mapping[str, Any], *, conditions: bool) -> tuple[Grant, ...]:
    """Return one `action` grant per effect, action, resource and condition of `statementEntries`.

    CCO hands an absent effect or resource to the cloud as it is; here it stays None, which reads as `Allow` and,
    as what is needed, as `*`. Raises ValueError, naming the field, where the shape is not CCO's
    (`pkg/apis/cloudcredential/v1/types_aws.go`), and where an entry lists no action: it must not read as asking for
    nothing.
    """
    grants: list[Grant] = []
    for entry in spec.read(provider_spec, ("statementEntries",))["statementEntries"].items():
        entry.required("a mapping")
        effect, resource = (entry[key].maybe_text() for key in ("effect", "resource"))
        condition = _condition(entry["policyCondition"]) if conditions else None
        grants += [Grant("action", name, effect, resource, condition) for name in entry["action"].some_texts()]
    return spec.fold(grants, statement_identity)


def _condition(given: Part) -> Any:
    condition = given.mapping()
    if condition_tests(condition) is None:
        raise Malformed(f"{given.where} is not a mapping of operators to mappings of keys to values")
    return condition or None


def statement_identity(grant: Grant) -> Hashable:
    """Return action without case, effect, resource, and the tests of the condition."""
    return (*statement_key(grant), grant.resource, condition_tests(grant.condition))


def statement_key(grant: Grant) -> tuple[str, str | None, str]:
    """Return effect and action without case."""
    return (grant.type, grant.effect, grant.permission.casefold())


def covering_statement(
    held: Sequence[Grant], needed: Grant, expansions: Mapping[str, tuple[str, ...]], dated: str
) -> Cover | None:
    """Return what of `held` contains an allowed action, None where a held Deny reaches into it or nothing does.

    A needed Deny is never contained: it takes rights away, which is no requirement that could be met already.
    """
    if not needed.allows:
        return None
    action, resource = needed.permission.casefold(), needed.resource or "*"
    allows: list[Grant] = []
    for grant in held:
        if grant.type != "action":
            continue
        name = grant.permission.casefold()
        if grant.allows:
            if _resource_admits(grant, resource, needed) and condition_admits(grant.condition, needed.condition):
                allows.append(grant)
        elif intersects(name, action) and intersects(grant.resource or "*", resource):
            return None
    single = next((g for g in allows if contains(g.permission.casefold(), action)), None)
    if single is not None:
        return Cover(single.permission)
    names = tuple(g.permission.casefold() for g in allows)
    if covered(action, [Patterns(names)]):
        parts = [g for g in allows if intersects(g.permission.casefold(), action)]
        return Cover(", ".join(sorted({g.permission for g in parts})))
    listed = expansions.get(action, ())
    if listed and all(covered(one.casefold(), [Patterns(names)]) for one in listed):
        return Cover(", ".join(listed), dated)
    return None


def _resource_admits(held: Grant, resource: str, needed: Grant) -> bool:
    if held.resource is None:
        return needed.resource is None
    return contains(held.resource, resource)
