"""GCP: what deny policies take away, alone and beside others (docs/facts/gcp.md#coverage; Google's deny overview)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.clouds.gcp.test_holdings import (
    DISKS_DENY,
    GET,
    HELD,
    ISSUER,
    NODES,
    POOL,
    PRINCIPAL,
    SA,
    SUBJECT,
    allow,
    bind,
    custom,
    decide,
    deny,
    own,
)
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.clouds.gcp import holdings as gcp

ACCOUNTS = "principal://iam.googleapis.com/projects/-/serviceAccounts"
GROUP = ("principalSet://goog/group/g@example.com",)
UNDER: dict[str, Any] = {"denialCondition": {"expression": "resource.matchTag('9/env', 'prod')"}}
CREATE_DENY = "compute.googleapis.com/disks.create"


def named(name: str, policy: dict[str, Any]) -> dict[str, Any]:
    return policy | {"name": policy["name"].replace("no-disks", name)}


def rules(*policies: dict[str, Any]) -> dict[str, Any]:
    """One policy with the rules of several."""
    return policies[0] | {"rules": [rule for one in policies for rule in one["rules"]]}


OTHERS = {
    "without rules": deny(DISKS_DENY) | {"rules": []},
    "that cannot be read": deny(DISKS_DENY) | {"rules": ["x"]},
    "for another account": deny(DISKS_DENY, principals=[f"{ACCOUNTS}/{NODES}"]),
    "except for the account": deny(DISKS_DENY, exceptionPrincipals=[f"{ACCOUNTS}/{SA}"]),
    "for a group": deny(DISKS_DENY, principals=GROUP),
    "under a condition": deny(DISKS_DENY, **UNDER),
    "of another permission": deny("dns.googleapis.com/*.*"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_deny_policy_denies_whatever_stands_before_or_after_it(other: str) -> None:
    for order in permutations([named("other", OTHERS[other]), deny(DISKS_DENY)]):
        verdict, reason = decide([*HELD, {"listing": "denyPolicies", "policies": list(order)}])
        assert (verdict, "no-disks" in reason) == ("DENIED", True)


@pytest.mark.parametrize("other", [name for name in OTHERS if OTHERS[name]["rules"]])
def test_a_rule_denies_whatever_stands_before_or_after_it(other: str) -> None:
    for order in permutations([OTHERS[other], deny(DISKS_DENY)]):
        assert decide([*HELD, rules(*order)])[0] == "DENIED"


def test_what_is_not_granted_and_denied_is_denied_and_what_may_be_denied_is_missing() -> None:
    lacking = [allow(bind()), custom("compute.disks.create")]
    assert decide([*lacking, deny(DISKS_DENY)])[0] == "DENIED"
    assert decide([*lacking, deny(DISKS_DENY, principals=GROUP)])[0] == "MISSING"


@pytest.mark.parametrize("unsure", ["without rules", "that cannot be read", "for a group"])
def test_what_is_not_known_goes_before_what_holds_under_a_condition(unsure: str) -> None:
    for order in permutations([named("other", OTHERS[unsure]), deny(DISKS_DENY, **UNDER)]):
        verdict, reason = decide([*HELD, {"listing": "denyPolicies", "policies": list(order)}])
        assert (verdict, "other" in reason) == ("UNKNOWN", True)


@pytest.mark.parametrize(
    ("permission", "denied", "verdict"),
    [
        (GET, "Compute.googleapis.com/Disks.GET", "DENIED"),
        (GET, "compute.googleapis.com/*.get", "DENIED"),
        (GET, "compute.googleapis.com/*", "DENIED"),
        (GET, "compute.googleapis.com/disks.ge?", "COVERED"),
        (GET, "compute.googleapis.com/disks.getIamPolicy", "COVERED"),
        ("resourcemanager.projects.get", "cloudresourcemanager.googleapis.com/projects.get", "DENIED"),
        ("cloudsql.instances.get", "sqladmin.googleapis.com/instances.get", "DENIED"),
        ("dns.changes.get", DISKS_DENY, "COVERED"),
    ],
)
def test_a_deny_rule_names_permissions_by_the_host_of_their_service(permission: str, denied: str, verdict: str) -> None:
    assert decide([allow(bind()), custom(permission), deny(denied)], permission)[0] == verdict


def test_a_permission_that_a_rule_writes_as_allow_policies_do_is_never_passed_over() -> None:
    assert decide([*HELD, deny(GET)])[0] != "COVERED"


@pytest.mark.parametrize(
    ("excepted", "verdict"),
    [
        (DISKS_DENY, "COVERED"),
        ("compute.googleapis.com/disks.*", "COVERED"),
        ("compute.googleapis.com/*", "COVERED"),
        ("compute.googleapis.com/disks.ge?", "DENIED"),
        (CREATE_DENY, "DENIED"),
    ],
)
def test_a_rule_forbids_all_that_it_names_but_its_exceptions(excepted: str, verdict: str) -> None:
    several = ["dns.googleapis.com/changes.get", excepted]
    assert decide([*HELD, deny("compute.googleapis.com/*", exceptionPermissions=several)])[0] == verdict


ROLE = "roles/c2"


@pytest.mark.parametrize(
    ("denied", "verdict", "told"),
    [
        ([deny("compute.googleapis.com/disks.*")], "DENIED", f"no-disks forbids compute.disks.create, {GET}"),
        ([deny(CREATE_DENY), named("second", deny(DISKS_DENY))], "DENIED", "no-disks"),
        ([deny(DISKS_DENY)], "NARROWER", f"no-disks forbids a part: {GET}"),
        ([deny(DISKS_DENY), named("second", deny(CREATE_DENY, **UNDER))], "NARROWER", f"forbids a part: {GET}"),
        ([deny(DISKS_DENY), named("second", deny(CREATE_DENY, principals=GROUP))], "NARROWER", "forbids a part"),
        ([deny("dns.googleapis.com/changes.create")], "COVERED", ROLE),
    ],
)
def test_a_role_is_denied_where_all_of_it_is(denied: list[Any], verdict: str, told: str) -> None:
    exports = [allow(bind(ROLE)), custom("compute.disks.create", GET, name=ROLE)]
    listing = {"listing": "denyPolicies", "policies": denied}
    found = decide([*exports, listing], ROLE, "predefinedRole")
    assert (found[0], told in found[1]) == (verdict, True), found


def test_the_reason_tells_three_of_what_is_forbidden() -> None:
    names = [f"compute.disks.{verb}" for verb in ("create", "delete", "get", "list")]
    exports = [allow(bind(ROLE)), custom(*reversed(names), name=ROLE), deny("compute.googleapis.com/disks.*")]
    verdict, reason = decide(exports, ROLE, "predefinedRole")
    assert (verdict, ", ".join(names[:3]) in reason, names[3] in reason) == ("DENIED", True, False)


@pytest.mark.parametrize(
    ("denied", "verdict"),
    [
        ("dns.googleapis.com/managedZones.setIamPolicy", "UNKNOWN"),
        ("dns.googleapis.com/responsePolicies.*", "UNKNOWN"),
        ("dns.googleapis.com/changes.create", "NARROWER"),
        ("storage.googleapis.com/buckets.get", "COVERED"),
    ],
)
def test_of_a_role_that_is_not_known_whole_a_deny_may_take_what_nobody_listed(denied: str, verdict: str) -> None:
    """The dated table decides the permissions that payloads ask for, and no others (upgrade_gate/clouds/gcp/roles)."""
    assert decide([allow(bind("roles/dns.admin")), deny(denied)], "roles/dns.admin", "predefinedRole")[0] == verdict


def test_a_role_that_is_not_known_whole_is_never_denied_whole() -> None:
    """Of the 49 permissions of `roles/dns.admin` the dated table names those that payloads ask for."""
    every = deny("dns.googleapis.com/*.*", "compute.googleapis.com/*.*", "cloudresourcemanager.googleapis.com/*.*")
    found = decide([allow(bind("roles/dns.admin")), every], "roles/dns.admin", "predefinedRole")
    assert (found[0], "forbids a part" in found[1]) == ("NARROWER", True)


def test_of_a_role_that_allows_nothing_no_deny_takes_anything() -> None:
    exports = [allow(bind(ROLE)), custom(name=ROLE), deny(DISKS_DENY)]
    assert decide(exports, ROLE, "predefinedRole")[0] != "DENIED"


POOL_OF = f"iam.googleapis.com/{POOL}"


@pytest.mark.parametrize(
    ("principals", "verdict"),
    [
        (["principalSet://goog/public:all"], "DENIED"),
        ([PRINCIPAL], "DENIED"),
        ([f"principalSet://{POOL_OF}/*"], "DENIED"),
        ([f"principalSet://{POOL_OF}/attribute.ns/x"], "UNKNOWN"),
        (GROUP, "UNKNOWN"),
        ([f"{PRINCIPAL}-2", f"principalSet://{POOL_OF}-2/*", f"{ACCOUNTS}/{SA}"], "COVERED"),
    ],
)
def test_what_is_denied_to_a_workload_is_no_trust(principals: list[str], verdict: str) -> None:
    token = deny("iam.googleapis.com/serviceAccounts.getAccessToken", principals=principals)
    exports = [own(bind("roles/iam.workloadIdentityUser", PRINCIPAL)), token]
    assert gcp.build([Document(one) for one in exports], "p1").trust(SA, ISSUER, [SUBJECT]).verdict == verdict


@pytest.mark.parametrize(
    ("permission", "project"),
    [("iam.googleapis.com/serviceAccounts.getAccessToken", "p2"), ("iam.googleapis.com/serviceAccountKeys.*", "p1")],
)
def test_what_is_denied_elsewhere_or_of_something_else_leaves_trust(permission: str, project: str) -> None:
    other = deny(permission)
    other["name"] = other["name"].replace("Fp1", f"F{project}")
    exports = [own(bind("roles/iam.workloadIdentityUser", PRINCIPAL)), other]
    assert gcp.build([Document(one) for one in exports], "p1").trust(SA, ISSUER, [SUBJECT]).verdict == "COVERED"
