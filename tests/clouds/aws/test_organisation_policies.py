"""What a policy of the organisation that a file holds may deny (AWS Organizations user guide, SCPs and RCPs)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.worlds.aws_exports import allow, deny, document, statement
from upgrade_gate.clouds.aws.organisation_policies import limits_of
from upgrade_gate.clouds.contract.declared import Open, Part


def _besides(*actions: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "NotAction": [*actions], "Resource": "*"}


NOTHING = {"Effect": "Deny", "Action": "*", "Resource": "*"}
TAGGED = {"Bool": {"k": "true"}}
DENYING: list[tuple[list[Any], list[Any]]] = [
    ([deny("ec2:*")], [deny("ec2:*")]),
    ([deny("ec2:*", Principal="*")], [deny("ec2:*")]),
    ([deny("ec2:*", Condition=TAGGED)], [deny("ec2:*", Condition=TAGGED)]),
    ([allow("*")], []),
    ([allow("*", Sid="All", Resource=["*"])], []),
    ([statement(Action="*")], []),
    ([allow("s3:*"), allow("*")], []),
    ([allow("s3:*"), statement(Action="ec2:*"), deny("x")], [deny("x"), _besides("s3:*", "ec2:*")]),
    ([allow("s3:*", Condition=TAGGED)], [NOTHING]),
    ([allow("*", Resource="arn:x")], [NOTHING]),
    ([allow("*", Resource=["*", "arn:x"])], [NOTHING]),
    ([statement(NotAction="s3:*")], [NOTHING]),
    ([statement()], [NOTHING]),
    ([allow("s3:*"), allow("*", Condition=TAGGED)], [_besides("s3:*")]),
    (["x", deny("ec2:*")], ["x", deny("ec2:*")]),
]


@pytest.mark.parametrize(("statements", "denied"), DENYING)
def test_what_it_denies_and_what_it_does_not_allow(statements: list[Any], denied: list[Any]) -> None:
    for given in (document(*statements), json.dumps(document(*statements))):
        part = limits_of("s", given, ("here",))
        if not denied:
            assert part is None
            continue
        assert part == Part("s", document(*denied), document(), ("here",), ("what s is put on",))


def test_a_lone_statement_is_read_as_a_list_of_one() -> None:
    part = limits_of("s", {"Statement": deny("ec2:*", Principal="*")}, ())
    assert part is not None
    assert part.least == {"Statement": [deny("ec2:*")]}


@pytest.mark.parametrize("content", [None, "", "{", 7, {}, {"Statement": "Deny"}, Open("x")])
def test_what_cannot_be_read_may_deny(content: Any) -> None:
    assert limits_of("s", content, ()) is not None


def test_what_is_open_in_it_may_deny() -> None:
    part = limits_of("s", document(statement(Action=Open("!Ref A"))), ())
    assert part is not None
    assert part.least == document(NOTHING)
    assert part.opened == ("what s is put on",)
