"""Condition blocks of AWS statements: their tests, and when one block contains or excludes another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

Test: TypeAlias = tuple[str, str, tuple[str, ...]]
"""One test of a condition: operator, key (folded), values (as text, sorted)."""


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

    JSON booleans equal their strings and a single value equals a list of one; keys are compared without case. An
    operator without keys and a key without values are not understood: IAM takes neither.
    """
    if condition is None:
        return ()
    if not isinstance(condition, Mapping):
        return None
    tests: list[Test] = []
    for operator, keys in condition.items():
        if not isinstance(operator, str) or not isinstance(keys, Mapping) or not keys:
            return None
        for key, given in keys.items():
            values = [_value_text(v) for v in (given if isinstance(given, list | tuple) else [given])]
            if not isinstance(key, str) or not values or None in values:
                return None
            fold = operator.casefold().endswith(("bool", "boolifexists", "null"))
            texts = {v.casefold() if fold else v for v in values if v is not None}
            tests.append((operator, key.casefold(), tuple(sorted(texts))))
    return tuple(sorted(set(tests)))


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


def shown(condition: Any) -> str:
    """Return a condition as it stands, on one line."""
    return json.dumps(condition, sort_keys=True, ensure_ascii=False, default=str)
