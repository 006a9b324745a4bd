"""Statement entries of AWS and Alibaba requests: how they become grants, and when one condition contains another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from upgrade_gate.clouds.contract.grants import Cover, Grant
from upgrade_gate.clouds.shared import spec
from upgrade_gate.clouds.shared.patterns import Patterns, contains, covered, has_wildcard, intersects
from upgrade_gate.reading.node import Malformed, Part

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = [
    "Test",
    "condition_admits",
    "condition_tests",
    "conditions_exclude",
    "covering_statement",
    "read_statements",
    "statement_identity",
    "statement_key",
]

Test: TypeAlias = tuple[str, str, tuple[str, ...]]
"""One test of a condition: operator, key (folded), values (as text, sorted)."""


def read_statements(provider_spec: Mapping[str, Any], *, conditions: bool) -> tuple[Grant, ...]:
    """Return one `action` grant per effect, action, resource and condition of `statementEntries`.

    CCO hands an absent effect or resource to the cloud as it is; here it stays None, which reads as `Allow` and,
    as what is needed, as `*`. Raises ValueError, naming the field, where the shape is not CCO's
    (`pkg/apis/cloudcredential/v1/types_aws.go`).
    """
    grants: list[Grant] = []
    for entry in spec.read(provider_spec)["statementEntries"].items():
        entry.required("a mapping")
        effect, resource = (entry[key].maybe_text() for key in ("effect", "resource"))
        condition = _condition(entry["policyCondition"]) if conditions else None
        grants += [Grant("action", name, effect, resource, condition) for name in entry["action"].texts()]
    return spec.fold(grants, statement_identity)


def _condition(given: Part) -> Any:
    condition = given.mapping()
    if condition_tests(condition) is None:
        raise Malformed(f"{given.where} is not a mapping of operators to mappings of keys to values")
    return condition or None


def _value_text(value: object) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            return None


def condition_tests(condition: object) -> tuple[Test, ...] | None:
    """Return the tests of a condition, all of which must hold; None where its shape is not understood.

    JSON booleans equal their strings and a single value equals a list of one; keys are compared without case.
    """
    if condition is None:
        return ()
    if not isinstance(condition, Mapping):
        return None
    tests: list[Test] = []
    for operator, keys in condition.items():
        if not isinstance(operator, str) or not isinstance(keys, Mapping):
            return None
        for key, given in keys.items():
            values = [_value_text(v) for v in (given if isinstance(given, list | tuple) else [given])]
            if not isinstance(key, str) or None in values:
                return None
            fold = operator.casefold().endswith(("bool", "boolifexists", "null"))
            texts = {v.casefold() if fold else v for v in values if v is not None}
            tests.append((operator, key.casefold(), tuple(sorted(texts))))
    return tuple(sorted(set(tests)))


_LOOSER = ("IfExists",)
_ANY_VALUE = frozenset(
    {
        "StringEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "ArnEquals",
        "ArnLike",
        "NumericEquals",
        "DateEquals",
        "Bool",
        "IpAddress",
        "BinaryEquals",
    }
)
"""Operators that hold when any of their values does: more values are looser."""


def condition_admits(held: object, needed: object) -> bool:
    """Return whether every request that meets `needed` provably meets `held` too.

    A condition is the conjunction of its tests, so `held` may lack tests of `needed`, never have others. A test may
    be looser in the ways that IAM defines: `…IfExists`, `ForAllValues:`, and further values of a positive operator.
    """
    have, want = condition_tests(held), condition_tests(needed)
    if have is None:
        return False
    if want is None:  # whatever it asks for, what has no condition admits it
        return not have
    return all(any(_test_admits(h, w) for w in want) for h in have)


def conditions_exclude(held: object, needed: object) -> bool:
    """Return whether no request that meets `needed` can meet `held`: one asks for true what the other has false."""
    have, want = condition_tests(held) or (), condition_tests(needed) or ()
    return any(
        key == wanted_key and operator in ("Bool", "BoolIfExists") and {*values, *wanted} == {"true", "false"}
        for operator, key, values in have
        for wanted_operator, wanted_key, wanted in want
        if wanted_operator == "Bool" and len(values) == len(wanted) == 1
    )


def _test_admits(held: Test, needed: Test) -> bool:
    operator, key, values = held
    wanted, wanted_key, wanted_values = needed
    if key != wanted_key:
        return False
    if operator != wanted:
        bare = operator.removesuffix("IfExists").removeprefix("ForAllValues:")
        if bare != wanted or bare == "Null":
            return False
        operator = bare
    if operator in _ANY_VALUE:
        return set(wanted_values) <= set(values)
    return values == wanted_values


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
    if needed.effect not in (None, "Allow"):
        return None
    action, resource = needed.permission.casefold(), needed.resource or "*"
    allows: list[Grant] = []
    for grant in held:
        if grant.type != "action":
            continue
        name = grant.permission.casefold()
        if grant.effect in (None, "Allow"):
            if _resource_admits(grant, resource, needed) and condition_admits(grant.condition, needed.condition):
                allows.append(grant)
        elif intersects(name, action) and intersects(grant.resource or "*", resource):
            return None
    single = next((g for g in allows if contains(g.permission.casefold(), action)), None)
    if single is not None:
        return Cover(single.permission)
    names = tuple(g.permission.casefold() for g in allows)
    if has_wildcard(action) and covered(action, [Patterns(names)]):
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
