"""Conditions in three values: every operator by the IAM user guide, and what stays open against brute force."""

import fnmatch
import itertools
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.clouds.aws.conditions import decide_condition
from upgrade_gate.clouds.aws.variables import KeyValue
from upgrade_gate.clouds.shared.three_values import Answer, Truth

TRUE, FALSE, OPEN = Truth.TRUE, Truth.FALSE, Truth.UNDECIDED
ROLE = "arn:aws:iam::111122223333:role/ocp/c1-ebs"
KEYS: dict[str, Fact[KeyValue]] = {
    "aws:principalarn": Known(KeyValue((ROLE,))),
    "aws:principalaccount": Known(KeyValue(("111122223333",))),
    "aws:requestedregion": Known(KeyValue(("eu-central-1",), "region eu-central-1")),
    "aws:securetransport": Known(KeyValue(("true",))),
    "aws:currenttime": Known(KeyValue(("2026-11-30T12:00:00+00:00",))),
    "aws:epochtime": Known(KeyValue(("1796040000",))),
    "aws:principaltag/team": Known(KeyValue(("ocp",))),
    "aws:principaltag/star": Known(KeyValue(("a*",))),
    "aws:principaltag/size": Known(KeyValue(("7",))),
    "aws:principaltag/address": Known(KeyValue(("203.0.113.7",))),
    "aws:principaltag/none": Absent(),
    "aws:principaltag/arn": Known(KeyValue(("arn:aws:logs:eu-central-1:111122223333:log-group:a:stream",))),
    "aws:principaltag/part": Known(KeyValue(("arn:aws:iam",))),
    "aws:tagkeys": Known(KeyValue(("team", "cost"))),
}


def keys(name: str) -> Fact[KeyValue]:
    return KEYS.get(name.casefold(), Unknown(f"{name} is not known"))


def decide(condition: Any, granted: Any = None, *, variables: bool = True) -> Answer:
    return decide_condition(condition, keys, variables=variables, granted=granted)


@dataclass(frozen=True)
class Case:
    operator: str
    key: str
    values: Any
    truth: Truth


TEAM, NONE, STAR = "aws:PrincipalTag/team", "aws:PrincipalTag/none", "aws:PrincipalTag/star"
SIZE, ADDRESS, IP = "aws:PrincipalTag/size", "aws:PrincipalTag/address", "aws:SourceIp"
ARN, REGION, NOW, EPOCH = "aws:PrincipalArn", "aws:RequestedRegion", "aws:CurrentTime", "aws:EpochTime"
CASES = [
    # strings
    Case("StringEquals", TEAM, "ocp", TRUE),
    Case("StringEquals", "AWS:principaltag/TEAM", "ocp", TRUE),
    Case("StringEquals", TEAM, ["web", "ocp"], TRUE),
    Case("StringEquals", TEAM, "OCP", FALSE),
    Case("StringEquals", TEAM, "o*", FALSE),
    Case("StringEquals", STAR, "a*", TRUE),
    Case("StringLike", STAR, "a*", TRUE),
    Case("StringLike", STAR, "ab*", FALSE),
    Case("StringNotEquals", TEAM, "web", TRUE),
    Case("StringNotEquals", TEAM, ["web", "ocp"], FALSE),
    Case("StringEqualsIgnoreCase", TEAM, "OCP", TRUE),
    Case("StringNotEqualsIgnoreCase", TEAM, "OCP", FALSE),
    Case("StringLike", TEAM, "o?p", TRUE),
    Case("StringLike", TEAM, "o?", FALSE),
    Case("StringLike", TEAM, "[o]cp", FALSE),
    Case("StringNotLike", TEAM, "o*", FALSE),
    Case("StringNotLike", TEAM, ["w*", "x*"], TRUE),
    # an operator that IAM does not have, and variables where IAM does not fill them in
    Case("NullIfExists", TEAM, "false", OPEN),
    Case("ForAnyValue:Null", TEAM, "false", OPEN),
    Case("NumericEquals", SIZE, "${aws:PrincipalTag/size}", OPEN),
    Case("DateEquals", EPOCH, "${aws:EpochTime}", OPEN),
    Case("Bool", "aws:SecureTransport", "${aws:SecureTransport}", FALSE),
    Case("StringNotEquals", TEAM, ["ocp${aws:PrincipalTag/none}", "web"], OPEN),
    Case("StringNotLike", TEAM, ["o${aws:PrincipalTag/none}", "web"], OPEN),
    # the bounds themselves, and times in every form
    Case("NumericLessThan", SIZE, "7", FALSE),
    Case("NumericLessThanEquals", SIZE, "7", TRUE),
    Case("NumericLessThanEquals", SIZE, "6", FALSE),
    Case("NumericGreaterThan", SIZE, "7", FALSE),
    Case("NumericGreaterThan", SIZE, "6", TRUE),
    Case("NumericGreaterThanEquals", SIZE, "7", TRUE),
    Case("NumericGreaterThanEquals", SIZE, "8", FALSE),
    Case("DateGreaterThan", NOW, "86400", TRUE),
    Case("DateGreaterThan", NOW, "-86400", TRUE),
    Case("DateGreaterThan", NOW, "2026", OPEN),
    Case("DateLessThan", NOW, "2026-11-30T12:30:00+01:00", FALSE),
    Case("DateLessThan", NOW, "2026-11-30T12:30:00", TRUE),
    # ARNs: six parts, each with wildcards; colons of the last part are its own
    Case("ArnLike", "aws:PrincipalTag/arn", "arn:aws:logs:*:*:log-group:*", TRUE),
    Case("ArnLike", "aws:PrincipalTag/arn", "arn:aws:logs:*:*:log-group:a:stream", TRUE),
    Case("ArnLike", "aws:PrincipalTag/arn", "arn:aws:logs:*:*:log-group:b:*", FALSE),
    Case("ArnLike", "aws:PrincipalTag/arn", "arn:aws:logs:*:log-group:*:*", FALSE),
    Case("ArnLike", TEAM, "arn:aws:iam::111122223333:role/*", FALSE),
    Case("ArnEquals", ARN, "arn:aws:iam::*:role/ocp/c1-*", TRUE),
    Case("ArnLike", ARN, "arn:aws:iam::111122223333:role/*", TRUE),
    Case("ArnLike", ARN, "arn:aws:iam::111122223333:user/*", FALSE),
    Case("ArnNotLike", ARN, "arn:aws:iam::*:user/*", TRUE),
    Case("ArnNotEquals", ARN, ["arn:aws:iam::*:user/*", ROLE], FALSE),
    Case("ArnLike", ARN, "arn:aws:iam:*:role/ocp/c1-ebs", OPEN),
    Case("ArnLike", ARN, "arn:*:iam::role/ocp/c1-ebs:*", FALSE),
    Case("ArnLike", TEAM, "arn:aws:iam::*:user/*", FALSE),
    Case("ArnLike", ARN, "*", OPEN),
    Case("ArnLike", "aws:PrincipalTag/part", "arn:aws:iam::*:user/*", FALSE),
    # numbers and times
    Case("NumericEquals", SIZE, "7.0", TRUE),
    Case("NumericNotEquals", SIZE, 7, FALSE),
    Case("NumericLessThan", SIZE, "7", FALSE),
    Case("NumericLessThanEquals", SIZE, "7", TRUE),
    Case("NumericGreaterThan", SIZE, 6, TRUE),
    Case("NumericGreaterThanEquals", SIZE, "8", FALSE),
    Case("NumericEquals", TEAM, "7", OPEN),
    Case("NumericLessThan", EPOCH, "1830000000", TRUE),
    Case("DateLessThan", NOW, "2027-06-30T00:00:00Z", TRUE),
    Case("DateLessThan", NOW, "2026-11-30", FALSE),
    Case("DateLessThanEquals", NOW, "2026-11-30T13:00:00+01:00", TRUE),
    Case("DateGreaterThan", NOW, "2027-11-01T00:00:00Z", FALSE),
    Case("DateGreaterThanEquals", NOW, "1796040000", TRUE),
    Case("DateEquals", EPOCH, "2026-11-30T12:00:00Z", TRUE),
    Case("DateNotEquals", NOW, "2026-11-30T12:00:00Z", FALSE),
    Case("DateLessThan", NOW, "tomorrow", OPEN),
    Case("DateLessThan", NOW, "9" * 30, OPEN),
    # truth, addresses, presence
    Case("Bool", "aws:SecureTransport", True, TRUE),
    Case("Bool", "aws:SecureTransport", "false", FALSE),
    Case("BoolIfExists", NONE, "true", TRUE),
    Case("IpAddress", ADDRESS, ["198.51.100.0/24", "203.0.113.0/24"], TRUE),
    Case("NotIpAddress", ADDRESS, "203.0.113.7", FALSE),
    Case("IpAddress", TEAM, "203.0.113.7", OPEN),
    Case("IpAddress", ADDRESS, "203.0.113.1/24", OPEN),
    Case("Null", TEAM, "false", TRUE),
    Case("Null", TEAM, True, FALSE),
    Case("Null", NONE, "true", TRUE),
    Case("Null", NONE, False, FALSE),
    Case("Null", IP, "true", OPEN),
    Case("Null", TEAM, "perhaps", OPEN),
    # an absent key: positive false, negated true, ...IfExists true
    Case("StringEquals", NONE, "x", FALSE),
    Case("StringLike", NONE, "*", FALSE),
    Case("StringNotEquals", NONE, "x", TRUE),
    Case("ArnNotLike", NONE, "arn:aws:iam::*:user/*", TRUE),
    Case("StringEqualsIfExists", NONE, "x", TRUE),
    Case("StringEqualsIfExists", TEAM, "x", FALSE),
    Case("ForAllValues:StringEquals", NONE, "x", TRUE),
    Case("ForAnyValue:StringEquals", NONE, "x", FALSE),
    Case("ForAnyValue:StringNotEquals", NONE, "x", FALSE),
    Case("ForAllValues:StringEqualsIfExists", NONE, "x", TRUE),
    Case("ForAnyValue:StringEqualsIfExists", NONE, "x", OPEN),
    # several values in the request
    Case("ForAllValues:StringEquals", "aws:TagKeys", ["team", "cost", "x"], TRUE),
    Case("ForAllValues:StringEquals", "aws:TagKeys", ["team"], FALSE),
    Case("ForAnyValue:StringEquals", "aws:TagKeys", ["team", "x"], TRUE),
    Case("ForAnyValue:StringLike", "aws:TagKeys", "x*", FALSE),
    Case("ForAllValues:StringNotEquals", "aws:TagKeys", ["x", "cost"], FALSE),
    Case("ForAnyValue:StringNotEquals", "aws:TagKeys", ["cost"], TRUE),
    # what is not known, or not understood
    Case("IpAddress", IP, "203.0.113.0/24", OPEN),
    Case("NotIpAddress", IP, "203.0.113.0/24", OPEN),
    Case("IpAddressIfExists", IP, "203.0.113.0/24", OPEN),
    Case("StringLike", "aws:SourceVpc", "*", OPEN),
    Case("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", "x", OPEN),
    Case("BinaryEquals", TEAM, "b2Nw", OPEN),
    Case("StringSounds", TEAM, "ocp", OPEN),
    Case("ForSomeValues:StringEquals", TEAM, "ocp", OPEN),
    # variables
    Case("StringLike", ARN, "arn:aws:iam::${aws:PrincipalAccount}:role/*", TRUE),
    Case("ArnLike", ARN, "arn:aws:iam::${AWS:principalaccount}:role/*", TRUE),
    Case("StringEquals", REGION, "${aws:PrincipalTag/region, 'eu-central-1'}", OPEN),
    Case("StringEquals", REGION, "${aws:PrincipalTag/none, 'eu-central-1'}", TRUE),
    Case("StringEquals", REGION, "${aws:PrincipalTag/team, 'eu-central-1'}", FALSE),
    Case("StringEquals", REGION, "${aws:PrincipalTag/none}", FALSE),
    Case("StringNotEquals", REGION, "${aws:PrincipalTag/none}", FALSE),
    Case("StringEquals", REGION, ["eu-central-1", "${aws:PrincipalTag/none}"], OPEN),
    Case("StringEquals", REGION, ["eu-west-1", "${aws:PrincipalTag/none}"], FALSE),
    Case("StringEquals", REGION, ["eu-central-1", "${aws:username}"], OPEN),
    Case("StringLike", TEAM, "${aws:TagKeys}", OPEN),
    Case("StringLike", "aws:PrincipalTag/star", "${aws:PrincipalTag/star}", TRUE),
    Case("StringLike", TEAM, "o${*}", FALSE),
    Case("StringEquals", STAR, "a${*}", TRUE),
    Case("StringLike", STAR, "?${*}", TRUE),
    Case("StringLike", TEAM, "${$}${?}", FALSE),
    Case("Bool", "aws:SecureTransport", "${aws:PrincipalTag/none}", FALSE),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.operator}-{c.key}-{c.values}")
def test_an_operator_decides_as_the_user_guide_says(case: Case) -> None:
    answer = decide({case.operator: {case.key: case.values}})
    assert answer.truth is case.truth
    assert bool(answer.open) == (case.truth is OPEN), "what is open is named, and nothing else is"


def test_operators_and_keys_are_anded() -> None:
    yes, no, perhaps = {TEAM: "ocp"}, {REGION: "us-west-2"}, {"aws:SourceVpc": "vpc-1"}
    assert decide({"StringEquals": {**yes, REGION: "eu-central-1"}}).true
    assert decide({"StringEquals": {**yes, **no}}).false
    assert decide({"StringEquals": {**perhaps, **no}}).false
    assert decide({"StringEquals": {**perhaps, **yes}}).open == ("aws:SourceVpc is not known",)
    assert decide({"StringEquals": no, "StringNotEquals": no}).false
    assert decide(None).true
    assert decide({}).true


def test_a_condition_of_another_shape_is_not_understood() -> None:
    shapes: tuple[Any, ...] = ("StringEquals", ["x"], {"StringEquals": "x"}, {"StringEquals": {TEAM: {"a": 1}}})
    for strange in shapes:
        assert decide(strange).open == ("the condition is not understood",), strange


def test_only_a_document_of_the_later_version_has_variables() -> None:
    condition = {"StringEquals": {REGION: "${aws:PrincipalTag/none}"}}
    assert decide({"StringNotEquals": condition["StringEquals"]}).false
    assert decide({"StringNotEquals": condition["StringEquals"]}, variables=False).true


def test_a_key_of_the_required_grant_is_what_the_request_will_have() -> None:
    for_services = {"Bool": {"kms:GrantIsForAWSResource": True}}
    assert decide({"Bool": {"kms:grantisforawsresource": "true"}}, for_services).true
    assert decide({"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}, for_services).true
    assert decide({"Bool": {"kms:GrantIsForAWSResource": "false"}}, for_services).false
    assert decide({"Null": {"kms:GrantIsForAWSResource": "false"}}, for_services).truth is OPEN
    assert decide({"Bool": {"kms:GrantIsForAWSResource": "true"}}).truth is OPEN


def test_an_answer_names_what_of_the_cluster_it_rests_on() -> None:
    assert decide({"StringEquals": {REGION: "eu-*"}}).rests_on == {"region eu-central-1"}
    assert decide({"StringEquals": {TEAM: "ocp"}}).rests_on == frozenset()
    assert decide({"StringEquals": {TEAM: "${aws:RequestedRegion}"}}).rests_on == {"region eu-central-1"}


SMALL = ("k:a", "k:b", "k:c")
VALUES = (None, "x", "xy", "y")
"""What a key may be in a request; None: absent."""
tests = st.dictionaries(
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]),
            st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"]),
            st.sampled_from(["", "IfExists"]),
        ),
    )
    | st.just("Null"),
    st.dictionaries(
        st.sampled_from(SMALL),
        st.lists(st.sampled_from(["x", "x*", "?", "y", "true"]), min_size=1, max_size=2),
        min_size=1,
    ),
    max_size=3,
)


def holds(condition: dict[str, dict[str, list[str]]], request: dict[str, str | None]) -> bool:
    """Say it again, for one request in which every key is known: the oracle."""
    for operator, each in condition.items():
        for key, wanted in each.items():
            value = request[key]
            if operator == "Null":
                if (value is None) is not ("true" in wanted):
                    return False
                continue
            name = operator.rpartition(":")[2].removesuffix("IfExists")
            if value is None:
                if operator.endswith("IfExists") or operator.startswith("ForAllValues"):
                    continue
                if operator.startswith("ForAnyValue") or not name.startswith("StringNot"):
                    return False
                continue
            like = name.endswith("Like")
            found = any(fnmatch.fnmatchcase(value, w) if like else value == w for w in wanted)
            if found is name.startswith("StringNot"):
                return False
    return True


@settings(deadline=None, derandomize=True, max_examples=400)
@given(tests, st.dictionaries(st.sampled_from(SMALL), st.sampled_from(VALUES)))
def test_what_is_decided_holds_for_every_value_of_what_is_open(
    condition: dict[str, dict[str, list[str]]], known: dict[str, str | None]
) -> None:
    condition = {op: {k: ["true"] if op == "Null" else v for k, v in each.items()} for op, each in condition.items()}

    def look_up(key: str) -> Fact[KeyValue]:
        if key not in known:
            return Unknown(f"{key} is open")
        value = known[key]
        return Absent() if value is None else Known(KeyValue((value,)))

    answer = decide_condition(condition, look_up, variables=True)
    open_keys = [key for key in SMALL if key not in known]
    requests = [
        {**known, **dict(zip(open_keys, values, strict=True))}
        for values in itertools.product(VALUES, repeat=len(open_keys))
    ]
    results = {holds(condition, request) for request in requests}
    if answer.truth is not OPEN:
        assert results == {answer.true}, answer
    odd = any(op.startswith("ForAnyValue") and op.endswith("IfExists") for op in condition)
    assert answer.truth is not OPEN or open_keys or odd, "with every key known it is decided"


def test_a_grant_whose_own_condition_is_not_understood_says_nothing_about_its_keys() -> None:
    assert decide({"StringEquals": {TEAM: "ocp"}}, granted="text").truth is TRUE


def test_a_variable_without_a_value_is_named_as_it_is_written() -> None:
    condition = {"StringNotEquals": {TEAM: ["ocp${aws:PrincipalTag/none}", "web"]}}
    assert decide(condition).open == ("${aws:PrincipalTag/none} has no value",)
