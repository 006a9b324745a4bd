"""Which resource groups an IBM Cloud policy must reach, and by which operators: the shared cases, and neighbours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.clouds.ibmcloud.cover import may_contain, role_actions
from upgrade_gate.clouds.ibmcloud.shapes import Catalogue
from upgrade_gate.entitlements import judge

if TYPE_CHECKING:
    from pathlib import Path

IAM, ACCOUNT = "iam-ServiceId-11111111-2222-3333-4444-555555555555", "c" * 32
OWN, OTHER = "a" * 32, "b" * 32
EDITOR = "crn:v1:bluemix:public:iam::::role:Editor"


def test_every_shared_case(shared: Path) -> None:
    wrong = []
    cases = json.loads((shared / "cases" / "context" / "ibm.json").read_text())["cases"]
    for case in cases:
        found = judge(
            "IBMCloud",
            list(case["export"].values()),
            case["identity"]["iam_id"],
            case["required"],
            account=case["account"],
            scopes=(case["resource_group_id"],),
            context=case["context"],
            assume=tuple(case["assume"]),
        )
        if found.verdict not in (case.get("accept") or [case["expect"]]):
            wrong.append(f"{case['id']}: {found.verdict}, want {case['expect']} ({found.reason})")
    assert cases
    assert not wrong, "\n".join(wrong)


def attribute(key: str, operator: str, value: object) -> dict[str, Any]:
    return {"key": key, "operator": operator, "value": value}


def group(operator: str, value: object) -> dict[str, Any]:
    return attribute("resourceGroupId", operator, value)


def policy(service: str, *more: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "p",
        "type": "access",
        "state": "active",
        "control": {"grant": {"roles": [{"role_id": EDITOR}]}},
        "subject": {"attributes": [attribute("iam_id", "stringEquals", IAM)]},
        "resource": {"attributes": [attribute("serviceName", "stringEquals", service), *more]},
    }


def ask(service: str, *policies: dict[str, Any], **context: Any) -> Any:
    grant = {"permission": EDITOR, "scope": {"attributes": [{"name": "serviceName", "value": service}]}}
    export = [{"policies": list(policies)}]
    return judge("IBMCloud", export, IAM, grant, account=ACCOUNT, scopes=(OWN,), context=context)


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        (group("stringEquals", OWN), "COVERED"),
        (group("stringEquals", OTHER), "MISSING"),
        (group("stringEquals", "a*"), "MISSING"),
        (group("stringMatch", "a*"), "COVERED"),
        (group("stringMatch", "?" * 32), "COVERED"),
        (group("stringMatch", "?" * 31), "MISSING"),
        (group("stringMatch", "a{{*}}"), "MISSING"),
        (group("stringMatch", "{{?}}*"), "MISSING"),
        (group("stringEqualsAnyOf", [OTHER, OWN]), "COVERED"),
        (group("stringEqualsAnyOf", [OTHER]), "MISSING"),
        (group("stringEqualsAnyOf", ["*"]), "MISSING"),
        (group("stringMatchAnyOf", ["x*", "a*"]), "COVERED"),
        (group("stringMatchAnyOf", ["x*"]), "MISSING"),
        (group("stringExists", True), "COVERED"),
        (group("stringExists", "true"), "COVERED"),
        (group("stringExists", False), "MISSING"),
        (attribute("serviceInstance", "stringEquals", "i-1"), "NARROWER"),
        (attribute("serviceInstance", "stringExists", True), "NARROWER"),
        # what cannot be read may limit to anything
        (group("stringEqualsAnyOf", []), "UNKNOWN"),
        (group("stringEqualsAnyOf", [1]), "UNKNOWN"),
        (group("stringExists", "maybe"), "UNKNOWN"),
        (group("numericEquals", 1), "NARROWER"),
    ],
)
def test_operators_on_the_resource_group(limit: dict[str, Any], verdict: str) -> None:
    assert ask("cloud-object-storage", policy("cloud-object-storage", limit)).verdict == verdict


def test_the_vpc_may_be_in_a_group_of_its_own() -> None:
    one, both = policy("is", group("stringEquals", OWN)), policy("is", group("stringEqualsAnyOf", [OWN, OTHER]))
    known = {"resource_group_id": OWN, "vpc_group": OTHER}
    assert ask("is", one, **known).verdict == "NARROWER"
    assert ask("is", both, **known).verdict == "COVERED"
    assert ask("is", one, resource_group_id=OWN, vpc_group=OWN).verdict == "COVERED"
    open_ = ask("is", one, resource_group_id=OWN)
    assert (open_.verdict, len(open_.caveats)) == ("COVERED", 1)
    assert not ask("is", policy("is"), resource_group_id=OWN).caveats
    assert ask("is", policy("is", group("stringEquals", OTHER)), resource_group_id=OWN).verdict == "MISSING"


@pytest.mark.parametrize(
    ("service", "key"), [("dns-svcs", "dns_instance_group"), ("internet-svcs", "cis_instance_group")]
)
def test_an_instance_lives_in_a_group_of_its_own(service: str, key: str) -> None:
    own = policy(service, group("stringEquals", OWN))
    assert ask(service, own, resource_group_id=OWN).verdict == "UNKNOWN"
    assert ask(service, own).verdict == "UNKNOWN"
    assert ask(service, policy(service)).verdict == "COVERED"
    assert ask(service, policy(service, group("stringMatch", "*"))).verdict == "COVERED"
    assert ask(service, own, **{key: OWN}).verdict == "COVERED"
    assert ask(service, own, **{key: OTHER}).verdict == "MISSING"


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        (group("stringMatchAnyOf", ["x*", "*"]), "COVERED"),
        (group("stringMatchAnyOf", ["x*", "a*"]), "UNKNOWN"),
        (group("stringExists", True), "COVERED"),
        # of stringEquals and its lists, every value is only itself
        (group("stringEquals", "*"), "UNKNOWN"),
        (group("stringEquals", "true"), "UNKNOWN"),
        (group("stringEqualsAnyOf", ["*"]), "UNKNOWN"),
    ],
)
def test_a_group_that_nobody_knows_is_reached_by_what_admits_every_group(limit: dict[str, Any], verdict: str) -> None:
    assert ask("dns-svcs", policy("dns-svcs", limit), resource_group_id=OWN).verdict == verdict


DNS_CRN = f"crn:v1:bluemix:public:dns-svcs:global:a/{ACCOUNT}:11111111-0000-4000-8000-000000000001::"
CIS_CRN = f"crn:v1:bluemix:public:internet-svcs:global:a/{ACCOUNT}:11111111-0000-4000-8000-000000000002::"


def instance(crn: str, resource_group: str) -> dict[str, Any]:
    """One element of what `ibmcloud resource service-instances --output json` prints."""
    return {
        "guid": crn.split(":")[7],
        "id": crn,
        "crn": crn,
        "name": "zones",
        "region_id": "global",
        "account_id": ACCOUNT,
        "resource_plan_id": "b4ed8a30-936f-11e9-b289-1d079699cbe5",
        "resource_group_id": resource_group,
        "state": "active",
        "type": "service_instance",
        "resource_id": "b4ed8a30-936f-11e9-b289-1d079699cbe5",
    }


@pytest.mark.parametrize(("service", "crn"), [("dns-svcs", DNS_CRN), ("internet-svcs", CIS_CRN)])
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_group_of_an_instance_is_what_the_export_says_of_its_crn(service: str, crn: str, *, wrapped: bool) -> None:
    def asked(*instances: dict[str, Any], limit: str = OTHER, **context: Any) -> Any:
        listed: Any = {"resources": list(instances)} if wrapped else list(instances)
        grant = {"permission": EDITOR, "scope": {"attributes": [{"name": "serviceName", "value": service}]}}
        export = [[policy(service, group("stringEquals", limit))], listed]
        named = {"dns_instance": DNS_CRN, "cis_instance": CIS_CRN}
        return judge("IBMCloud", export, IAM, grant, account=ACCOUNT, scopes=(OWN,), context={**named, **context})

    others = [instance(c, OWN) for c in (DNS_CRN, CIS_CRN) if c != crn]
    assert asked(*others, instance(crn, OTHER)).verdict == "COVERED"
    assert asked(*others, instance(crn, OTHER), limit=OWN).verdict == "MISSING"
    assert asked(*others, instance(crn, OWN)).verdict == "MISSING"
    assert asked(instance(crn, OTHER), instance(crn, OWN)).verdict == "UNKNOWN"
    for unseen in (asked(*others), asked(instance(crn, OTHER), dns_instance=None, cis_instance=None)):
        assert unseen.verdict == "UNKNOWN"
        assert "ibmcloud resource service-instances" in unseen.reason
    given = {"dns_instance_group": OWN, "cis_instance_group": OWN}
    assert asked(instance(crn, OTHER), **given).verdict == "MISSING"


COS = "cloud-object-storage"


@pytest.mark.parametrize("operator", ["stringNotEquals", "numericEquals"])
def test_only_an_equal_service_type_says_all_services(operator: str) -> None:
    """docs/facts/ibmcloud.md: an operator that is not evaluated makes a policy narrower."""
    assert ask(COS, policy(COS, attribute("serviceType", "stringEquals", "service"))).verdict is Coverage.COVERED
    assert ask(COS, policy(COS, attribute("serviceType", operator, "service"))).verdict is Coverage.NARROWER


@pytest.mark.parametrize("account", [None, ACCOUNT])
@pytest.mark.parametrize(
    ("operator", "value", "verdict"),
    [
        ("stringEquals", ACCOUNT, Coverage.COVERED),
        ("stringEqualsAnyOf", [ACCOUNT, "x"], Coverage.COVERED),
        ("stringNotEquals", "x", Coverage.NARROWER),
        ("stringExists", "false", Coverage.MISSING),
    ],
)
def test_an_account_is_compared_whether_or_not_it_is_known(
    account: str | None, operator: str, value: object, verdict: Coverage
) -> None:
    grant = {"permission": EDITOR, "scope": {"attributes": [{"name": "serviceName", "value": COS}]}}
    export = [{"policies": [policy(COS, attribute("accountId", operator, value))]}]
    assert judge("IBMCloud", export, IAM, grant, account=account, scopes=(OWN,), context={}).verdict is verdict


def ask_of(needed: dict[str, str], *attributes: dict[str, Any]) -> Any:
    """Judge an editor's role for what has these attributes, under one policy with those."""
    grant = {"permission": EDITOR, "scope": {"attributes": [{"name": k, "value": v} for k, v in needed.items()]}}
    held = {**policy("x"), "resource": {"attributes": list(attributes)}}
    return judge("IBMCloud", [{"policies": [held]}], IAM, grant, account=ACCOUNT, scopes=(OWN,), context={})


SERVICE = attribute("serviceName", "stringEquals", COS)
OF_GROUPS = attribute("resourceType", "stringEquals", "resource-group")


@pytest.mark.parametrize(
    ("needed", "attributes", "verdict"),
    [
        ({"serviceName": COS, "region": "eu"}, (SERVICE, attribute("region", "stringExists", True)), "COVERED"),
        ({"serviceName": COS}, (SERVICE, attribute("region", "stringEquals", "service")), "NARROWER"),
        ({"serviceName": COS}, (SERVICE, attribute("serviceType", "stringEquals", "service")), "COVERED"),
        ({"serviceName": COS}, (SERVICE, attribute("serviceType", "stringEquals", "x")), "NARROWER"),
        ({"serviceName": COS}, (SERVICE, attribute("serviceType", "stringNotEquals", "platform_service")), "NARROWER"),
        ({"serviceType": "x"}, (attribute("serviceType", "stringEquals", "service"),), "MISSING"),
        ({"serviceType": "x"}, (attribute("serviceType", "stringEquals", "x"),), "COVERED"),
        ({"serviceName": COS}, (SERVICE, attribute("resource", "stringEquals", OWN)), "NARROWER"),
        (
            {"serviceType": "platform_service"},
            (attribute("serviceType", "stringEquals", "platform_service"),),
            "COVERED",
        ),
        ({"serviceType": "platform_service"}, (SERVICE,), "MISSING"),
        # in a pattern, only a wildcard is a character in doubled braces
        ({"serviceName": COS, "region": "X"}, (SERVICE, attribute("region", "stringMatch", "{{X}}")), "MISSING"),
        ({"resourceType": "resource-group"}, (OF_GROUPS, attribute("region", "stringEquals", OWN)), "NARROWER"),
        ({"resourceType": "resource-group"}, (OF_GROUPS, attribute("resource", "stringEquals", OWN)), "COVERED"),
    ],
)
def test_each_attribute_limits_a_policy_unless_it_only_names_the_class(
    needed: dict[str, str], attributes: tuple[dict[str, Any], ...], verdict: str
) -> None:
    """`resource` is a resource's own ID, but where resource groups are the resources (docs/facts/ibmcloud.md)."""
    assert ask_of(needed, *attributes).verdict == verdict


@pytest.mark.parametrize(("operator", "value"), [("stringEquals", ACCOUNT), ("stringEqualsAnyOf", [ACCOUNT])])
def test_the_one_account_that_the_policies_name_limits_nothing_where_nobody_says_the_cluster_s(
    operator: str, value: object
) -> None:
    grant = {"permission": EDITOR, "scope": {"attributes": [{"name": "serviceName", "value": COS}]}}
    export = [{"policies": [policy(COS, attribute("accountId", operator, value))]}]
    assert judge("IBMCloud", export, IAM, grant, account=None, scopes=(OWN,)).verdict == "COVERED"


@pytest.mark.parametrize(
    ("needed", "held", "named"),
    [
        ({"serviceType": "platform_service"}, SERVICE, "service"),
        ({"serviceName": COS}, attribute("serviceType", "stringEquals", "platform_service"), "platform_service"),
        ({"serviceName": COS}, attribute("resourceType", "stringEquals", "resource-group"), "resource-group"),
    ],
)
def test_the_reason_names_the_class_of_targets_that_a_policy_is_about(
    needed: dict[str, str], held: dict[str, Any], named: str
) -> None:
    found = ask_of(needed, held)
    assert found.verdict == "MISSING"
    assert f"another class of targets ({named})" in found.reason


def test_only_what_is_open_about_a_vpc_is_a_caveat() -> None:
    assert not ask(COS, policy(COS, group("stringEquals", OWN))).caveats


@pytest.mark.parametrize(
    ("held", "needed", "may"),
    [
        ("Administrator", "Viewer", True),
        ("Editor", "Viewer", True),
        ("Viewer", "Editor", False),
        ("Editor", "Editor", False),
        ("Viewer", "Administrator", False),
        ("Administrator", "serviceRole:Manager", True),
        ("serviceRole:Manager", "serviceRole:Manager", True),
        ("Own", "Viewer", True),
        ("Viewer", "Own", True),
    ],
)
def test_a_role_of_the_usual_order_may_contain_those_that_rank_lower(held: str, needed: str, *, may: bool) -> None:
    crn = "crn:v1:bluemix:public:iam::::"
    spelt = [role if ":" in role else f"role:{role}" for role in (held, needed)]
    assert may_contain(crn + spelt[0], crn + spelt[1]) is may


def test_actions_of_a_role_are_known_where_catalogues_of_the_service_agree() -> None:
    def catalogue(*actions: str, document: int = 0) -> Catalogue:
        return Catalogue("", {EDITOR: frozenset(actions)}, document)

    both = catalogue("is.vpc.read", "kms.key.read")
    assert role_actions([both], {"serviceName": "is"}) == {EDITOR: frozenset({"is.vpc.read", "kms.key.read"})}
    disputed = [catalogue("is.vpc.read"), catalogue("is.vpc.list", document=1)]
    assert role_actions(disputed, {"serviceName": "is"}) is None
    assert role_actions([both], {"serviceName": "cos"}) is None


@pytest.mark.parametrize("unread", [{"name": "region", "value": 5}, {"name": "region"}, {"value": "eu"}, "region"])
def test_a_grant_of_which_an_attribute_cannot_be_read_is_unknown(unread: object) -> None:
    grant = {"permission": EDITOR, "scope": {"attributes": [{"name": "serviceName", "value": COS}, unread]}}
    found = judge("IBMCloud", [{"policies": [policy(COS)]}], IAM, grant, account=ACCOUNT, scopes=(OWN,))
    assert found.verdict == "UNKNOWN"
    assert "names no attributes that can be read" in found.reason
