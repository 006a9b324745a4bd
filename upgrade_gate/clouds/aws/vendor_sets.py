"""What of a policy document makes it equal to another: all that its statements say, not how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.shared.conditions import condition_tests

if TYPE_CHECKING:
    from upgrade_gate.clouds.aws.policies import Policy


def content_of(policy: Policy) -> list[Any] | None:
    """Return the normalised content, None where the document was not understood as a whole.

    Sids, the order and the case of actions say nothing; statements that differ in nothing but their actions are one.
    """
    if policy.problems or not policy.statements:
        return None
    merged: dict[tuple[Any, ...], set[str]] = {}
    for one in policy.statements:
        tests = condition_tests(one.condition)
        if tests is None:
            return None
        variables = one.knows_variables and any(
            "${" in text for text in (*one.patterns, *(v for t in tests for v in t[2]))
        )
        excepted = bool(one.actions.excepts)
        key = (one.allow, excepted, one.negated, tuple(sorted(set(one.patterns))), tests, variables)
        merged.setdefault(key, set()).update(one.actions.excepts if excepted else one.actions.allows)
    return sorted(([*key, sorted(actions)] for key, actions in merged.items()), key=repr)
