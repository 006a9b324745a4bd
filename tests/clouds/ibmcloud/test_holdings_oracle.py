"""Coverage on IBM Cloud against an evaluator of its own: every request that the cluster can make is tried out.

The evaluator knows resources (a service, a resource group, a region) and reads patterns as regular expressions.
"""

from __future__ import annotations

import itertools
import re
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from upgrade_gate.entitlements import judge

ME, ACCOUNT = "iam-ServiceId-1", "A"
EDITOR, VIEWER = (f"crn:v1:bluemix:public:iam::::role:{name}" for name in ("Editor", "Viewer"))
OWN, VPC, OTHER = "0" * 31 + "a", "0" * 31 + "b", "1" * 32
SERVICES = ("is", "cloud-object-storage", "dns-svcs", "internet-svcs")
REGIONS = ("eu-de", "us-east")
INSTANCES = {"dns-svcs": "dns_instance_group", "internet-svcs": "cis_instance_group"}

Attribute: TypeAlias = tuple[str, str, Any]
"""Name, operator, value."""


def operators(name: str, plain: list[str], patterns: list[str]) -> st.SearchStrategy[Attribute]:
    """Return every operator over some values; a star is a letter where the operator knows no patterns."""
    one, like = st.sampled_from([*plain, "*"]), st.sampled_from([*plain, *patterns])
    values = (
        st.tuples(st.just("stringEquals"), one)
        | st.tuples(st.just("stringMatch"), like)
        | st.tuples(st.just("stringEqualsAnyOf"), st.lists(one, min_size=1, max_size=2))
        | st.tuples(st.just("stringMatchAnyOf"), st.lists(like, min_size=1, max_size=2))
        | st.tuples(st.just("stringExists"), st.booleans())
    )
    return values.map(lambda pair: (name, *pair))


GROUPS = operators("resourceGroupId", [OWN, VPC, OTHER], ["*", "0*", "*a", "?" * 32, "{{*}}", "0{{?}}*"])
SERVICE = operators("serviceName", list(SERVICES), ["*", "i*", "?s", "*-svcs"])
REGION = operators("region", list(REGIONS), ["*", "eu-*"])
POLICIES = st.tuples(
    st.sampled_from([EDITOR, EDITOR, VIEWER]),
    st.sampled_from([ME, ME, ME, "iam-ServiceId-2"]),
    st.tuples(SERVICE, st.none() | GROUPS, st.none() | st.none() | REGION),
)
Policy: TypeAlias = tuple[str, str, tuple[Attribute | None, ...]]


def document(number: int, policy: Policy) -> dict[str, Any]:
    role, who, attributes = policy
    listed = [a for a in (("accountId", "stringEquals", ACCOUNT), *attributes) if a is not None]
    return {
        "id": f"p{number}",
        "type": "access",
        "state": "active",
        "control": {"grant": {"roles": [{"role_id": role}]}},
        "subject": {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": who}]},
        "resource": {"attributes": [{"key": k, "operator": o, "value": v} for k, o, v in listed]},
    }


def like(pattern: str, value: str) -> bool:
    parts = re.split(r"(\{\{[*?]\}\}|[*?])", pattern)
    wild = {"*": ".*", "?": "."}
    text = "".join(wild.get(part) or re.escape(part[2] if part.startswith("{{") else part) for part in parts)
    return re.fullmatch(text, value) is not None


def accepts(attribute: Attribute | None, resource: dict[str, str]) -> bool:
    if attribute is None:
        return True
    name, operator, value = attribute
    actual = resource[name]
    match operator:
        case "stringEquals":
            return bool(actual == value)
        case "stringMatch":
            return like(value, actual)
        case "stringEqualsAnyOf":
            return actual in value
        case "stringMatchAnyOf":
            return any(like(one, actual) for one in value)
        case _:
            return bool(value)


def really(policies: list[Policy], service: str, groups: tuple[str, ...]) -> set[bool]:
    """Return what the requests for a service in these groups get."""
    return {
        any(
            role == EDITOR
            and who == ME
            and all(
                accepts(a, {"serviceName": service, "resourceGroupId": group, "region": region}) for a in attributes
            )
            for role, who, attributes in policies
        )
        for group, region in itertools.product(groups, REGIONS)
    }


def ask(policies: list[Policy], service: str, context: dict[str, Any]) -> Any:
    grant = {"permission": EDITOR, "scope": {"attributes": [{"name": "serviceName", "value": service}]}}
    export = [{"policies": [document(n, p) for n, p in enumerate(policies)]}]
    return judge("IBMCloud", export, ME, grant, account=ACCOUNT, context=context)


@settings(max_examples=400, deadline=None)
@given(st.lists(POLICIES, min_size=1, max_size=3), st.sampled_from(SERVICES), st.booleans(), st.booleans())
def test_what_is_decided_is_true_of_every_request(
    policies: list[Policy], service: str, knows_vpc: bool, knows_instance: bool
) -> None:
    context: dict[str, Any] = {"resource_group_id": OWN}
    groups: tuple[str, ...] = (OWN,)
    if service == "is" and knows_vpc:
        context["vpc_group"], groups = VPC, (OWN, VPC)
    if service in INSTANCES:
        groups = (OTHER,) if knows_instance else (OWN, VPC, OTHER, "2" * 32)
        context |= {INSTANCES[service]: OTHER} if knows_instance else {}
    found = ask(policies, service, context)
    answers = really(policies, service, groups)
    if found.verdict == "COVERED":
        assert answers == {True}, found.reason
    if found.verdict in ("MISSING", "DENIED"):
        assert answers == {False}, found.reason


@settings(max_examples=400, deadline=None)
@given(
    st.lists(POLICIES.filter(lambda p: p[0] == EDITOR and p[2][2] is None), min_size=1, max_size=3),
    st.sampled_from(("is", "cloud-object-storage")),
)
def test_one_policy_that_reaches_every_group_covers(policies: list[Policy], service: str) -> None:
    found = ask(policies, service, {"resource_group_id": OWN, "vpc_group": VPC})
    groups = (OWN, VPC) if service == "is" else (OWN,)
    if any(really([one], service, groups) == {True} for one in policies):
        assert found.verdict == "COVERED", found.reason
