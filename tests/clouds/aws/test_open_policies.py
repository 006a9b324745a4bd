"""Policies of which a part is open: whatever the open part turns out to be, the answer was right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.aws_exports import allow, deny, document, statement
from upgrade_gate.clouds.aws import holdings
from upgrade_gate.clouds.aws.declared import documents, identity
from upgrade_gate.clouds.aws.open_policies import certain_only, denials, perhaps_denying, policy
from upgrade_gate.clouds.aws.policies import parse_policy
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


X, Y = Open("!Ref X"), Open("!Ref Y")
IF = {"Bool": {"k": "true"}}
ANYTHING, NOTHING = allow("*") | {"Action": "*"}, deny("*") | {"Action": "*"}


@pytest.mark.parametrize(
    ("given", "certain", "possible"),
    [
        (allow("ec2:*", Resource=["a", X]), [allow("ec2:*", Resource=["a"])], allow("ec2:*")),
        (allow("ec2:*", Resource=[X]), [], allow("ec2:*")),
        (allow("ec2:*", Resource=X), [], allow("ec2:*")),
        (
            statement(Action=["ec2:*", X], Resource="a"),
            [allow("ec2:*", Resource="a")],
            statement(Action="*", Resource="a"),
        ),
        (statement(Action=X), [], ANYTHING),
        (statement(NotAction=["ec2:*", X]), [], ANYTHING),
        (allow("ec2:*", NotResource=X), [], allow("ec2:*")),
        (
            statement(NotAction="ec2:*", Resource=["a", X]),
            [statement(NotAction="ec2:*", Resource=["a"])],
            statement(NotAction="ec2:*"),
        ),
        (allow("ec2:*", Condition=X), [], allow("ec2:*")),
        (allow("ec2:*", Condition={"Bool": {"k": [X]}}), [], allow("ec2:*")),
        (allow("ec2:*", Condition=IF, Sid=X), [allow("ec2:*", Condition=IF)], allow("ec2:*", Condition=IF)),
        (allow("ec2:*", Sid="A"), [allow("ec2:*", Sid="A")], allow("ec2:*", Sid="A")),
        (allow("ec2:*", Unheard=X), [], allow("ec2:*")),
    ],
)
def test_of_what_is_allowed_the_least_is_what_is_certain_and_the_most_what_is_possible(
    given: dict[str, Any], certain: list[Any], possible: dict[str, Any]
) -> None:
    """Of what is denied it is the other way round."""
    beside = allow("s3:*", Sid=Y)
    part = policy("p", document(given, beside), ("here",))
    assert (part.name, part.path) == ("p", ("here",))
    assert part.opened in (("!Ref X", "!Ref Y"), ("!Ref Y",))
    assert part.least == document(*certain, allow("s3:*"))
    assert part.most == document(possible, allow("s3:*"))
    away = policy("p", document(given | {"Effect": "Deny"}, beside), ())
    assert away.least == document(possible | {"Effect": "Deny"}, allow("s3:*"))
    assert away.most == document(*(one | {"Effect": "Deny"} for one in certain), allow("s3:*"))


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [
        (document(X), document(NOTHING), document(ANYTHING)),
        (document(allow("ec2:*") | {"Effect": X}), document(deny("ec2:*")), document(allow("ec2:*"))),
        (
            document(allow("s3:*"), deny("ec2:*", Resource=X)),
            document(allow("s3:*"), deny("ec2:*")),
            document(allow("s3:*")),
        ),
        (
            document({"Effect": [X], "Resource": "*", "Action": "ec2:*"}),
            document({"Effect": [X], "Resource": "*", "Action": "ec2:*"}),
            document({"Resource": "*", "Action": "ec2:*"}),
        ),
        (document("x", X), document("x", NOTHING), document(ANYTHING, ANYTHING)),
        (document(X)["Statement"][0], {"Statement": [NOTHING]}, {"Statement": [ANYTHING]}),
        ({"Statement": X}, {"Statement": [NOTHING]}, {"Statement": [ANYTHING]}),
        ({"Version": X, "Statement": []}, {"Statement": [NOTHING]}, {"Statement": [ANYTHING]}),
        ([X], {"Statement": [NOTHING]}, {"Statement": [ANYTHING]}),
        ("{{ policy }}", {"Statement": [NOTHING]}, {"Statement": [ANYTHING]}),
        ({"Statement": allow("ec2:*", Sid=X)}, {"Statement": [allow("ec2:*")]}, {"Statement": [allow("ec2:*")]}),
        (
            json.dumps(document(allow("ec2:*"), allow("s3:*", Resource="{{ bucket }}"))),
            document(allow("ec2:*")),
            document(allow("ec2:*"), allow("s3:*")),
        ),
        (
            {"Version": 7, "Id": "x", "statement": 1, "Statement": [allow("ec2:*", Sid=X)]},
            {"Version": 7, "Id": "x", "statement": 1, "Statement": [allow("ec2:*")]},
            {"Version": 7, "Id": "x", "statement": 1, "Statement": [allow("ec2:*")]},
        ),
    ],
)
def test_where_a_document_or_statement_is_open_as_a_whole_it_may_deny_or_allow_everything(
    given: Any, least: Any, most: Any
) -> None:
    part = policy("p", given, ())
    assert part.opened
    assert (part.least, part.most) == (least, most)


def test_a_document_in_which_nothing_is_open_stays_as_it_is() -> None:
    for whole in (document(allow("ec2:*", Resource="${aws:PrincipalTag/a}")), "text", 7, None, json.dumps({})):
        assert policy("p", whole, ("here",)) == Part("p", whole, whole, ("here",))


OLD = {"Version": "2008-10-17", "Id": "x"}
MIXED = {**OLD, "Statement": [allow("ec2:*"), deny("s3:*"), "x", statement("deny", Action="*")]}


def test_of_a_policy_that_may_not_be_there_only_what_it_denies_is_certain() -> None:
    part = certain_only(Part("p", MIXED, MIXED, ("here",), ("a",)), "why")
    assert (part.name, part.path, part.opened) == ("p", ("here",), ("a", "why"))
    assert part.least == {**OLD, "Statement": [deny("s3:*"), "x", statement("deny", Action="*")]}
    assert part.most == {**OLD, "Statement": [allow("ec2:*"), "x", statement("deny", Action="*")]}


def test_what_a_policy_takes_away_from_others_is_told_without_what_it_gives_them() -> None:
    left = {**OLD, "Statement": [deny("s3:*"), "x", statement("deny", Action="*")]}
    whole = Part("p", MIXED, MIXED, ("here",), ("a",))
    assert denials(whole) == Part("p", left, left, ("here",), ("a",))
    assert perhaps_denying(whole, "why") == Part("p", left, {**OLD, "Statement": []}, ("here",), ("why", "a"))
    gives = Part("p", document(allow("ec2:*")), document(allow("ec2:*")))
    assert denials(gives) is None
    assert perhaps_denying(gives, "why") is None


def test_a_document_of_which_nothing_can_be_read_may_deny() -> None:
    for odd in (7, None, "text", {"Statement": None}, {}):
        found = denials(Part("p", odd, odd))
        assert found is not None
        assert parse_policy("p", found.least).problems


def test_what_a_text_denies_is_told_as_what_an_object_denies() -> None:
    text = json.dumps(document(deny("s3:*"), allow("ec2:*")))
    assert denials(Part("p", text, text)) == Part("p", document(deny("s3:*")), document(deny("s3:*")))
