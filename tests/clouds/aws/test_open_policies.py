"""Policies of which a part is open: whatever the open part turns out to be, the answer was right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from upgrade_gate.clouds.aws import holdings
from upgrade_gate.clouds.aws.declared import documents, identity
from upgrade_gate.clouds.aws.open_policies import policy
from upgrade_gate.clouds.contract.declared import Declaration, Open, Part
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document

ACTIONS = ("ec2:CreateTags", "ec2:*", "*", "s3:GetObject")
RESOURCES = ("*", "arn:aws:ec2:*:*:volume/*", "arn:aws:s3:::b")
CONDITIONS: tuple[Any, ...] = ({"Bool": {"k": "true"}}, {"StringEquals": {"aws:PrincipalTag/a": "b"}}, {})


def _maybe_open(choices: st.SearchStrategy[Any], kind: str) -> st.SearchStrategy[Any]:
    return st.one_of(choices, st.just(Open(kind)))


def _some(choices: tuple[str, ...], kind: str) -> st.SearchStrategy[Any]:
    one = _maybe_open(st.sampled_from(choices), kind)
    return st.one_of(one, st.lists(one, min_size=1, max_size=3))


STATEMENTS = st.one_of(
    st.just(Open("statement")),
    st.builds(
        lambda effect, action, negated, resource, condition: {
            "Effect": effect,
            "NotAction" if negated else "Action": action,
            "Resource": resource,
            **({"Condition": condition} if condition else {}),
        },
        _maybe_open(st.sampled_from(("Allow", "Deny")), "effect"),
        _some(ACTIONS, "action"),
        st.booleans(),
        _some(RESOURCES, "resource"),
        _maybe_open(st.sampled_from(CONDITIONS), "condition"),
    ),
)
FILLED: Mapping[str, st.SearchStrategy[Any]] = {
    "effect": st.sampled_from(("Allow", "Deny")),
    "action": st.sampled_from(ACTIONS),
    "resource": st.sampled_from(RESOURCES),
    "condition": st.sampled_from(CONDITIONS),
    "statement": st.builds(
        lambda effect, action, resource: {"Effect": effect, "Action": action, "Resource": resource},
        st.sampled_from(("Allow", "Deny")),
        st.sampled_from(ACTIONS),
        st.sampled_from(RESOURCES),
    ),
}


def _fill(value: Any, draw: Any) -> Any:
    """Return a document with something that may stand there in place of all that is open."""
    match value:
        case Open(text=kind):
            return draw(FILLED[kind])
        case dict():
            return {key: _fill(one, draw) for key, one in value.items()}
        case list():
            return [_fill(one, draw) for one in value]
        case _:
            return value


def _verdict(part: Part, grant: Grant, *, most: bool) -> str:
    bodies = documents([Declaration((part,))], "n", None, most=most)
    return holdings.build([Document(body) for body in bodies], None).judge(identity("n"), grant, ()).verdict


@settings(max_examples=300, deadline=None)
@given(st.lists(STATEMENTS, min_size=1, max_size=3), st.sampled_from(ACTIONS[:3]), st.data())
def test_where_the_least_and_the_most_agree_nothing_that_is_filled_in_differs(
    statements: list[Any], action: str, data: st.DataObject
) -> None:
    document = {"Version": "2012-10-17", "Statement": statements}
    grant = Grant("action", action, "Allow", "*")
    part = policy("p", document, ())
    least, most = (_verdict(part, grant, most=side) for side in (False, True))
    whole = _fill(document, data.draw)
    real = _verdict(policy("p", whole, ()), grant, most=False)
    assert real == least or least != most, (document, whole)
    assert real != "COVERED" or most == "COVERED", (document, whole)
