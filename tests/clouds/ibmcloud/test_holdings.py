"""IBM Cloud and Power VS: what access policies cover, case by case from the facts (docs/facts/ibmcloud.md#coverage)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, Document
from upgrade_gate.clouds.ibmcloud import holdings as ibmcloud
from upgrade_gate.entitlements import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

ME = "iam-ServiceId-1"
VIEWER, OPERATOR, EDITOR, ADMINISTRATOR = (
    f"crn:v1:bluemix:public:iam::::role:{name}" for name in ("Viewer", "Operator", "Editor", "Administrator")
)
READER, WRITER, MANAGER = (
    f"crn:v1:bluemix:public:iam::::serviceRole:{name}" for name in ("Reader", "Writer", "Manager")
)
CUSTOM = "crn:v1:bluemix:public:is::a/A:::customRole:mine"
PLACEHOLDER = "crn:v1:bluemix:public:iam::::role:UnsupportedVersion"
IS = {"serviceName": "is"}
GROUPS = {"resourceType": "resource-group"}
OWN = {"accountId": "A"}
HEX = "0123456789abcdef0123456789abcdef"


def attributes(values: dict[str, Any], key: str = "name") -> list[dict[str, Any]]:
    """Attributes; a value that is a tuple carries its operator."""
    return [
        {key: k, "value": v[1], "operator": v[0]} if isinstance(v, tuple) else {key: k, "value": v}
        for k, v in values.items()
    ]


def v1(*roles: str, on: dict[str, Any] | None = None, subject: str = ME, **more: Any) -> dict[str, Any]:
    """A policy as `ibmcloud iam service-policies --output json` prints it."""
    name = "access_group_id" if subject.startswith("AccessGroupId") else "iam_id"
    return {
        "id": "p1",
        "type": "access",
        "state": "active",
        "subjects": [{"attributes": [{"name": name, "value": subject}]}],
        "roles": [{"role_id": role, "display_name": role.rpartition(":")[2]} for role in roles],
        "resources": [{"attributes": attributes(OWN | (IS if on is None else on))}],
    } | more


def v2(*roles: str, on: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The same policy as `--api-version v2` prints it."""
    return {
        "id": "p1",
        "type": "access",
        "state": "active",
        "control": {"grant": {"roles": [{"role_id": role} for role in roles]}},
        "subject": {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": ME}]},
        "resource": {"attributes": attributes(OWN | (IS if on is None else on), "key")},
    } | more


def catalogue(**actions: Sequence[Any]) -> dict[str, Any]:
    """Roles of a service as `ibmcloud iam roles --service S --output json` prints them."""
    crns = {"viewer": VIEWER, "operator": OPERATOR, "editor": EDITOR, "manager": MANAGER, "mine": CUSTOM}
    roles = [{"crn": crns[name], "display_name": name, "actions": list(names)} for name, names in actions.items()]
    return {"custom_roles": [], "service_roles": [], "system_roles": roles}


def decide(
    exports: Sequence[Any],
    role: str = VIEWER,
    on: dict[str, Any] | None = None,
    *,
    identity: str = ME,
    account: str | None = "A",
    scopes: Sequence[str] = (),
    kind: str = "role",
) -> tuple[str, str]:
    """Judge and return verdict and reason."""
    scope = {"attributes": attributes(IS if on is None else on)}
    grant = {"type": kind, "permission": role, "scope": scope}
    judgement = judge("IBMCloud", exports, identity, grant, account=account, scopes=scopes)
    assert judgement.reason
    assert not judgement.reason.endswith("(ibmcloud resource service-instances)")
    return str(judgement.verdict), judgement.reason


ROLES = catalogue(viewer=["is.a.read"], editor=["is.a.read", "is.a.write"], operator=["is.a.start"])

CASES: dict[str, tuple[list[Any], dict[str, Any], str, str]] = {
    "the role within the attributes": ([[v1(VIEWER)]], {}, "COVERED", "policy p1"),
    "as v2": ([[v2(VIEWER)]], {}, "COVERED", "policy p1"),
    "as REST wraps it": ([{"policies": [v1(VIEWER)]}], {}, "COVERED", "policy p1"),
    "one role of several": ([[v1(EDITOR, VIEWER)]], {}, "COVERED", "policy p1"),
    "roles of two policies": (
        [[v1(EDITOR), v1(VIEWER, id="p2")]],
        {},
        "COVERED",
        "policy p2",
    ),
    "another service": ([[v1(VIEWER, on={"serviceName": "power-iaas"})]], {}, "MISSING", "serviceName"),
    "services compare with case": ([[v1(VIEWER, on={"serviceName": "IS"})]], {}, "MISSING", "serviceName"),
    "no policy of the service ID": ([[v1(VIEWER, subject="iam-ServiceId-2")]], {}, "MISSING", "no policy of"),
    "no policies": ([[{"id": "ServiceId-1", "iam_id": ME, "name": "n"}]], {}, "UNKNOWN", "no access policies"),
    "an empty listing": ([{"policies": []}], {}, "UNKNOWN", "no access policies"),
    "inactive": ([[v1(VIEWER, state="deleted"), v1(EDITOR, on={"serviceName": "x"})]], {}, "MISSING", "no policy of"),
    "every policy inactive": ([[v1(VIEWER, state="deleted")]], {}, "MISSING", "active"),
    "service to service authorisation": (
        [[v1(VIEWER, type="authorization"), v1(EDITOR, on={"serviceName": "x"})]],
        {},
        "MISSING",
        "no policy of",
    ),
    "own resource group": (
        [[v1(VIEWER, on=IS | {"resourceGroupId": "rg1"})]],
        {"scopes": ["rg1"]},
        "COVERED",
        "policy p1",
    ),
    "another resource group": (
        [[v1(VIEWER, on=IS | {"resourceGroupId": "rg2"})]],
        {"scopes": ["rg1"]},
        "MISSING",
        "another resource group",
    ),
    "resource group not known": (
        [[v1(VIEWER, on=IS | {"resourceGroupId": "rg1"})]],
        {},
        "UNKNOWN",
        "the cluster's resource group is not known",
    ),
    "one of two resource groups": (
        [[v1(VIEWER, on=IS | {"resourceGroupId": "rg1"})]],
        {"scopes": ["rg1", "rg2"]},
        "NARROWER",
        "only in some",
    ),
    "resource group by name, not joined": (
        [[v1(VIEWER, on=IS | {"resourceGroupId": HEX})]],
        {"scopes": ["default"]},
        "UNKNOWN",
        "ibmcloud resource groups",
    ),
    "resource group by name, joined": (
        [
            [v1(VIEWER, on=IS | {"resourceGroupId": HEX})],
            [
                {
                    "id": HEX,
                    "name": "default",
                    "crn": f"crn:v1:bluemix:public:resource-controller::a/A::resource-group:{HEX}",
                }
            ],
        ],
        {"scopes": ["default"]},
        "COVERED",
        "policy p1",
    ),
    "no restriction to a group": ([[v1(VIEWER)]], {"scopes": ["rg1"]}, "COVERED", "policy p1"),
    "resource group as a target": ([[v1(VIEWER, on=GROUPS)]], {"on": GROUPS}, "COVERED", "policy p1"),
    "the cluster's resource group as a target": (
        [[v1(VIEWER, on=GROUPS | {"resource": "rg1"})]],
        {"on": GROUPS, "scopes": ["rg1"]},
        "COVERED",
        "policy p1",
    ),
    "another resource group as a target": (
        [[v1(VIEWER, on=GROUPS | {"resource": "rg2"})]],
        {"on": GROUPS, "scopes": ["rg1"]},
        "MISSING",
        "another resource group",
    ),
    "a service never covers resource groups": ([[v1(VIEWER)]], {"on": GROUPS}, "MISSING", "class"),
    "all services never cover resource groups": (
        [[v1(VIEWER, on={"serviceType": "service"})]],
        {"on": GROUPS},
        "MISSING",
        "class",
    ),
    "resource groups never cover a service": ([[v1(VIEWER, on=GROUPS)]], {}, "MISSING", "class"),
    "all services": ([[v1(VIEWER, on={"serviceType": "service"})]], {}, "COVERED", "policy p1"),
    "fewer attributes": ([[v1(VIEWER, on={})]], {}, "COVERED", "policy p1"),
    "account management": ([[v1(VIEWER, on={"serviceType": "platform_service"})]], {}, "MISSING", "class"),
    "one more attribute": ([[v1(VIEWER, on=IS | {"region": "eu-de"})]], {}, "NARROWER", "region stringEquals eu-de"),
    "one instance": ([[v1(VIEWER, on=IS | {"serviceInstance": "i"})]], {}, "NARROWER", "serviceInstance"),
    "pattern": ([[v1(VIEWER, on={"serviceName": ("stringMatch", "i*")})]], {}, "COVERED", "policy p1"),
    "pattern of one character": (
        [[v1(VIEWER, on={"serviceName": ("stringMatch", "i?")})]],
        {},
        "COVERED",
        "policy p1",
    ),
    "pattern with case": ([[v1(VIEWER, on={"serviceName": ("stringMatch", "I*")})]], {}, "MISSING", "serviceName"),
    "pattern of another service": (
        [[v1(VIEWER, on={"serviceName": ("stringMatch", "power*")})]],
        {},
        "MISSING",
        "serviceName",
    ),
    "wildcard without its operator is a character": (
        [[v1(VIEWER, on={"serviceName": "i*"})]],
        {},
        "MISSING",
        "serviceName",
    ),
    "one of several values": (
        [[v2(VIEWER, on={"serviceName": ("stringEqualsAnyOf", ["is", "x"])})]],
        {},
        "COVERED",
        "policy",
    ),
    "one of several other values": (
        [[v2(VIEWER, on={"serviceName": ("stringEqualsAnyOf", ["iz", "x"])})]],
        {},
        "MISSING",
        "stringEqualsAnyOf iz, x",
    ),
    "under a rule": (
        [[v2(VIEWER, rule={"key": "{{environment.attributes.current_time}}"}, pattern="time-based")]],
        {},
        "NARROWER",
        "condition",
    ),
    "for tagged resources": (
        [[v1(VIEWER, resources=[{"attributes": attributes(OWN | IS), "tags": [{"name": "env", "value": "x"}]}])]],
        {},
        "NARROWER",
        "tags",
    ),
    "tags that cannot be read": (
        [[v1(VIEWER, resources=[{"attributes": attributes(OWN | IS), "tags": 0}])]],
        {},
        "NARROWER",
        "tags",
    ),
    "a rule that cannot be read": ([[v2(VIEWER, rule=0)]], {}, "NARROWER", "condition: 0"),
    "unlimited beside limited": (
        [[v1(VIEWER, on=IS | {"region": "eu-de"}), v1(VIEWER, id="p2")]],
        {},
        "COVERED",
        "policy p2",
    ),
    "account of another": ([[v1(VIEWER)]], {"account": "B"}, "UNKNOWN", "wrong account"),
    "account not given": ([[v1(VIEWER)]], {"account": None}, "COVERED", "policy p1"),
    "several accounts and none said": (
        [[v1(VIEWER), v1(VIEWER, id="p2", on=IS | {"accountId": "B"})]],
        {"account": None},
        "UNKNOWN",
        "several accounts",
    ),
    "a policy of another account beside": (
        [[v1(VIEWER, on=IS | {"accountId": "B"}), v1(VIEWER, on={"serviceName": "x"}, id="p2")]],
        {},
        "MISSING",
        "account B",
    ),
    "lower role": ([[v1(VIEWER)]], {"role": EDITOR}, "MISSING", "without"),
    "higher role without actions": ([[v1(ADMINISTRATOR)]], {"role": VIEWER}, "UNKNOWN", "higher role"),
    "higher service role without actions": ([[v1(MANAGER)]], {"role": WRITER}, "UNKNOWN", "higher role"),
    "custom role without actions": ([[v1(CUSTOM)]], {"role": VIEWER}, "UNKNOWN", "may be a higher role"),
    "higher role with actions": ([[v1(EDITOR)], ROLES], {"role": VIEWER}, "COVERED", EDITOR),
    "higher role by actions does not contain it": (
        [[v1(EDITOR)], ROLES],
        {"role": OPERATOR},
        "MISSING",
        "without",
    ),
    "two roles contain it together": (
        [[v1(VIEWER), v1(OPERATOR, id="p2")], catalogue(viewer=["is.a"], operator=["is.b"], editor=["is.a", "is.b"])],
        {"role": EDITOR},
        "COVERED",
        "every action",
    ),
    "actions of the custom role": (
        [[v1(CUSTOM)], catalogue(viewer=["is.a"], mine=["is.a", "is.c"])],
        {},
        "COVERED",
        CUSTOM,
    ),
    "actions of another service": (
        [[v1(EDITOR)], catalogue(viewer=["power-iaas.a"], editor=["power-iaas.a", "power-iaas.b"])],
        {},
        "UNKNOWN",
        "higher role",
    ),
    "actions of a service that payloads do not name": (
        [[v1(EDITOR)], catalogue(viewer=["kms.a"], editor=["kms.a", "kms.b"])],
        {},
        "UNKNOWN",
        "higher role",
    ),
    "actions on resource groups": (
        [
            [v1(EDITOR, on=GROUPS)],
            catalogue(viewer=["resource-controller.a"], editor=["resource-controller.a", "resource-controller.b"]),
        ],
        {"on": GROUPS},
        "COVERED",
        EDITOR,
    ),
    "actions of a service beside those on resource groups": (
        [
            [v1(EDITOR, on=GROUPS)],
            catalogue(viewer=["is.a", "resource-controller.a"], editor=["is.a", "resource-controller.a"]),
        ],
        {"on": GROUPS},
        "UNKNOWN",
        "higher role",
    ),
    "actions of one service say nothing of all services": (
        [
            [v1(EDITOR, on={"serviceType": "service"})],
            catalogue(viewer=["resource-controller.a"], editor=["resource-controller.a"]),
        ],
        {"on": {"serviceType": "service"}},
        "UNKNOWN",
        "higher role",
    ),
    "actions that cannot be read": (
        [[v1(EDITOR)], catalogue(viewer=["is.a", 5], editor=["is.a"])],
        {},
        "UNKNOWN",
        "higher role",
    ),
    "a role listed without its actions": (
        [[v1(EDITOR)], {"service": "is", "system_roles": [{"crn": VIEWER}, {"crn": EDITOR, "actions": ["is.a"]}]}],
        {},
        "UNKNOWN",
        "higher role",
    ),
    "two catalogues that disagree about a role": (
        [[v1(EDITOR)], catalogue(viewer=["is.a", "is.b"], editor=["is.a"]), catalogue(editor=["is.b"])],
        {},
        "UNKNOWN",
        "higher role",
    ),
    "actions of a service that is named beside them": (
        [[v1(EDITOR)], ROLES | {"service": "is"}],
        {},
        "COVERED",
        EDITOR,
    ),
    "actions of another service that is named beside them": (
        [[v1(EDITOR)], ROLES | {"service": "power-iaas"}],
        {},
        "UNKNOWN",
        "higher role",
    ),
    "two catalogues that agree": ([[v1(EDITOR)], ROLES, ROLES], {}, "COVERED", EDITOR),
    "a policy that another document calls deleted": (
        [[v1(VIEWER)], [v1(VIEWER, state="deleted")]],
        {},
        "UNKNOWN",
        "shown differently by two documents",
    ),
    "a policy that two documents show alike": ([[v1(VIEWER)], [v1(VIEWER)]], {}, "COVERED", "policy p1"),
    "a policy shown differently, beside one that covers": (
        [[v1(VIEWER), v1(VIEWER, id="p2")], [v1(VIEWER, state="deleted")]],
        {},
        "COVERED",
        "policy p2",
    ),
    "v2 shows the condition that v1 leaves out": (
        [[v1(VIEWER)], [v2(VIEWER, rule={"a": 1}, pattern="time-based-conditions:weekly")]],
        {},
        "NARROWER",
        "under a condition",
    ),
    "a placeholder in one document, and not in another": (
        [[v1(PLACEHOLDER)], [v1(VIEWER)]],
        {},
        "UNKNOWN",
        "only v2 can show",
    ),
    "v2 shows what v1 does": ([[v1(VIEWER)], [v2(VIEWER)]], {}, "COVERED", "policy p1"),
    "v2 shows what v1 has a placeholder for": ([[v1(PLACEHOLDER)], [v2(VIEWER)]], {}, "COVERED", "policy p1"),
    "v1 says that a policy of v2 is deleted": (
        [[v1(VIEWER, state="deleted")], [v2(VIEWER)]],
        {},
        "UNKNOWN",
        "shown differently by two documents",
    ),
    "v1 says that the policy behind a placeholder is deleted": (
        [[v1(PLACEHOLDER, state="deleted")], [v2(VIEWER)]],
        {},
        "UNKNOWN",
        "shown differently by two documents",
    ),
    "v1 shows another role than v2": (
        [[v1(EDITOR)], [v2(VIEWER)]],
        {},
        "UNKNOWN",
        "shown differently by two documents",
    ),
    "v1 shows other targets than v2": (
        [[v1(VIEWER, on=IS | {"region": "eu-de"})], [v2(VIEWER)]],
        {},
        "UNKNOWN",
        "shown differently by two documents",
    ),
    "a pattern that is a list": ([[v2(VIEWER, pattern=["time"])]], {}, "NARROWER", "under a condition"),
    "a role that cannot be read": ([[v1(READER) | {"roles": [7]}]], {}, "UNKNOWN", "a role that cannot be read"),
    "a role that cannot be read beside the needed one": (
        [[v1(VIEWER) | {"roles": [{"role_id": VIEWER}, 7]}]],
        {},
        "COVERED",
        "policy p1",
    ),
    "a policy that cannot be read": (
        [[v1(VIEWER, on={"serviceName": "x"}), "x"]],
        {},
        "UNKNOWN",
        "policies that cannot be read",
    ),
    "a policy that cannot be read, beside one that covers": ([[v1(VIEWER), "x"]], {}, "COVERED", "policy p1"),
    "any account": ([[v2(VIEWER, on={"accountId": ("stringMatch", "*")} | IS)]], {}, "COVERED", "policy p1"),
    "catalogues of two services": (
        [
            [v1(EDITOR)],
            catalogue(viewer=["power-iaas.a"], editor=["power-iaas.a"]),
            catalogue(viewer=["is.a"], editor=["is.b"]),
        ],
        {},
        "MISSING",
        "without",
    ),
    "a role without actions proves nothing": (
        [[v1(EDITOR)], catalogue(viewer=[], editor=["is.a"])],
        {},
        "MISSING",
        "without",
    ),
    "higher role for one region, by its actions": (
        [[v1(EDITOR, on=IS | {"region": "eu-de"})], ROLES],
        {},
        "NARROWER",
        "region",
    ),
    "placeholder of v1": ([[v1(PLACEHOLDER)]], {}, "UNKNOWN", "v2"),
    "placeholder for something else": ([[v1(PLACEHOLDER, on={"serviceName": "x"})]], {}, "UNKNOWN", "v2"),
    "placeholder beside the grant": ([[v1(PLACEHOLDER), v1(VIEWER, id="p2")]], {}, "COVERED", "policy p2"),
    "placeholder of another service ID": (
        [[v1(PLACEHOLDER, subject="iam-ServiceId-2"), v1(EDITOR, on={"serviceName": "x"})]],
        {},
        "MISSING",
        "no policy of",
    ),
    "placeholder shown by v2": (
        [[v1(PLACEHOLDER)], [v2(VIEWER, on={"serviceName": "x"})]],
        {},
        "MISSING",
        "serviceName",
    ),
    "access group of unknown members": ([[v1(VIEWER, subject="AccessGroupId-1")]], {}, "UNKNOWN", "AccessGroupId-1"),
    "access group that would not help": (
        [[v1(VIEWER, subject="AccessGroupId-1", on={"serviceName": "x"})]],
        {},
        "MISSING",
        "no policy of",
    ),
    "access group with the service ID in it": (
        [
            [v1(VIEWER, subject="AccessGroupId-1")],
            {"accessGroup": "AccessGroupId-1", "members": [{"iam_id": ME, "type": "service"}]},
        ],
        {},
        "COVERED",
        "policy p1",
    ),
    "access group without the service ID": (
        [
            [v1(VIEWER, subject="AccessGroupId-1")],
            {"id": "AccessGroupId-1", "name": "g", "members": [{"iam_id": "iam-ServiceId-2"}]},
        ],
        {},
        "MISSING",
        "no policy of",
    ),
    "service ID joined": (
        [[v1(VIEWER)], [{"id": "ServiceId-1", "iam_id": ME, "name": "c1-registry"}]],
        {"identity": "ServiceId-1"},
        "COVERED",
        "policy p1",
    ),
    "service ID by name": (
        [[v1(VIEWER)], {"serviceids": [{"id": "ServiceId-1", "iam_id": ME, "name": "c1-registry"}]}],
        {"identity": "c1-registry"},
        "COVERED",
        "policy p1",
    ),
    "service ID of an old CLI": (
        [
            [v1(VIEWER)],
            [{"metadata": {"uuid": "ServiceId-1", "iam_id": ME, "crn": "x"}, "entity": {"name": "c1-registry"}}],
        ],
        {"identity": "c1-registry"},
        "COVERED",
        "policy p1",
    ),
    "identity that nothing joins": ([[v1(VIEWER)]], {"identity": "c1-registry"}, "UNKNOWN", "service-ids"),
    "cut-off page": (
        [[v1(VIEWER)], {"serviceids": [], "next": "https://x"}],
        {},
        "UNKNOWN",
        "cut off",
    ),
    "higher role for one region without actions": (
        [[v1(EDITOR, on=IS | {"region": "eu-de"})]],
        {},
        "UNKNOWN",
        "may be a higher role",
    ),
    "together in one region, of a resource group that is not known": (
        [
            [v1(VIEWER, on=IS | {"resourceGroupId": "rg1"}), v1(OPERATOR, id="p2", on=IS | {"region": "eu-de"})],
            catalogue(viewer=["is.a"], operator=["is.b"], editor=["is.a", "is.b"]),
        ],
        {"role": EDITOR},
        "UNKNOWN",
        "resource group is not known",
    ),
    "access group listed without its members": (
        [[v1(VIEWER, subject="AccessGroupId-1")], {"id": "AccessGroupId-1", "name": "g"}],
        {},
        "UNKNOWN",
        "AccessGroupId-1",
    ),
    "higher role in a resource group that is not known": (
        [[v1(EDITOR, on=IS | {"resourceGroupId": "rg1"})]],
        {},
        "UNKNOWN",
        "resource group is not known",
    ),
    "lower role in a resource group that is not known": (
        [[v1(VIEWER, on=IS | {"resourceGroupId": "rg1"})]],
        {"role": EDITOR},
        "MISSING",
        "no policy of",
    ),
    "lower role for one region": (
        [[v1(VIEWER, on=IS | {"region": "eu-de"})]],
        {"role": EDITOR},
        "MISSING",
        "region",
    ),
    "placeholder for something else through an access group": (
        [
            [v1(PLACEHOLDER, subject="AccessGroupId-1", on=IS | {"region": "eu-de"})],
            {"accessGroup": "AccessGroupId-1", "members": [{"iam_id": ME}]},
        ],
        {},
        "UNKNOWN",
        "v2",
    ),
    "placeholder for something else of an access group of unknown members": (
        [[v1(PLACEHOLDER, subject="AccessGroupId-1", on={"serviceName": "x"})]],
        {},
        "UNKNOWN",
        "AccessGroupId-1",
    ),
    "placeholder of an access group without the service ID": (
        [
            [v1(PLACEHOLDER, subject="AccessGroupId-1"), v1(EDITOR, on={"serviceName": "x"}, id="p2")],
            {"accessGroup": "AccessGroupId-1", "members": []},
        ],
        {},
        "MISSING",
        "no policy of",
    ),
    "a value that is not text": ([[v1(VIEWER, on={"serviceName": ["is"]})]], {}, "UNKNOWN", "cannot be read"),
    "a value that is missing": (
        [[v1(VIEWER, resources=[{"attributes": [{"name": "serviceName"}]}])]],
        {},
        "UNKNOWN",
        "cannot be read",
    ),
    "no attribute at all, which IBM Cloud never prints": (
        [[v1(VIEWER, resources=[{"attributes": []}])]],
        {},
        "UNKNOWN",
        "cannot be read",
    ),
    "an operator of null": ([[v1(VIEWER, on={"serviceName": (None, "is")})]], {}, "COVERED", "policy p1"),
    "a subject that cannot be read": (
        [[v1(VIEWER, subjects=[{"attributes": [{"name": "iam_id"}]}])]],
        {},
        "UNKNOWN",
        "policy p1 does not say whose it is",
    ),
    "a subject that cannot be read, of a policy that would not help": (
        [[v1(VIEWER, on={"serviceName": "x"}, subjects=[])]],
        {},
        "MISSING",
        "no policy of",
    ),
    "a subject of another operator": (
        [[v2(VIEWER, subject={"attributes": [{"key": "iam_id", "operator": "stringMatch", "value": "iam-*"}]})]],
        {},
        "UNKNOWN",
        "policy p1 does not say whose it is",
    ),
    "a service ID without a name": (
        [[v1(VIEWER)], [{"id": "ServiceId-1", "iam_id": ME}]],
        {"identity": " "},
        "UNKNOWN",
        "IAM ID",
    ),
    "an equal value is asked for": ([[v1(VIEWER)]], {"on": {"serviceName": ("stringEquals", "is")}}, "COVERED", "p1"),
    "more than one value is asked for": (
        [[v1(VIEWER, on={"serviceName": "i*"})]],
        {"on": {"serviceName": ("stringMatch", "i*")}},
        "UNKNOWN",
        "no attributes",
    ),
    "grant without attributes": ([[v1(VIEWER)]], {"on": {}}, "UNKNOWN", "no attributes"),
    "grant of another cloud": ([[v1(VIEWER)]], {"kind": "action"}, "UNKNOWN", "IBM Cloud has no grants"),
}


@pytest.mark.parametrize("case", CASES)
def test_role(case: str) -> None:
    exports, arguments, verdict, fragment = CASES[case]
    got, reason = decide(exports, **arguments)
    assert (got, fragment in reason) == (verdict, True), f"{case}: {got}, {reason}"


def test_there_is_no_trust_to_prove() -> None:
    holdings = ibmcloud.build([Document([v1(VIEWER)])], "A")
    judgement = holdings.trust(ME, "https://issuer", ["system:serviceaccount:a:b"])
    assert judgement.verdict is Coverage.UNKNOWN
    assert "API key" in judgement.reason
    assert holdings.sizes(ME, [Grant("role", VIEWER)]) == ()


def test_ccoctl_name_finds_the_iam_id() -> None:
    ids = [{"id": f"ServiceId-{n}", "iam_id": f"iam-ServiceId-{n}", "name": name} for n, name in enumerate("aab")]
    holdings = ibmcloud.build([Document(ids)], None)
    assert holdings.find_by_ccoctl_name("b") == "iam-ServiceId-2"
    assert holdings.find_by_ccoctl_name("a") is None
    assert holdings.find_by_ccoctl_name("c") is None


def test_other_clouds_documents_are_not_recognised() -> None:
    body: Any
    for body in ({"policies": [{"name": "policies/x/denypolicies/y", "rules": []}]}, {"value": []}, [], {}, None, "x"):
        assert not ibmcloud.recognises(body), body
    for body in ([v1()], [v2()], {"policies": []}, catalogue(viewer=[]), {"serviceids": []}):
        assert ibmcloud.recognises(body), body


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        (v2(VIEWER, Rule={"operator": "timeLessThan"}), "NARROWER"),
        (v2(VIEWER, patern="time-based-conditions:once"), "NARROWER"),
        (
            v1(VIEWER, resources=[{"attributes": attributes(OWN | IS), "tag": [{"name": "a", "value": "b"}]}]),
            "NARROWER",
        ),
        ({k: v for k, v in v1(VIEWER, State="deleted").items() if k != "state"}, "UNKNOWN"),
        ({k: v for k, v in v1(VIEWER, typ="authorization").items() if k != "type"}, "UNKNOWN"),
        ({k: v for k, v in v1(VIEWER, comment="deleted", grade="x").items() if k not in ("state", "type")}, "COVERED"),
    ],
    ids=["rule", "pattern", "tags", "state", "type", "another field"],
)
def test_a_misspelt_field_that_limits_a_policy_is_not_read_as_absent(policy: Any, verdict: str) -> None:
    assert decide([[policy]])[0] == verdict


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [None], {"a": {"b": []}}])
def test_junk_in_known_fields_is_no_grant(junk: Any) -> None:
    spoilt = [v1(VIEWER) | {field: junk} for field in ("subjects", "roles", "state", "type")]
    spoilt += [v2(VIEWER) | {field: junk} for field in ("control", "subject")]
    for policy in spoilt:
        got, reason = decide([[policy, v1(EDITOR, on={"serviceName": "x"}, id="p2")]])
        assert got in ("MISSING", "UNKNOWN") or junk is None, f"{policy}: {reason}"
