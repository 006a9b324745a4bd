"""What a service account is given on Google Cloud, as its bindings name it."""

from typing import Any

import pytest

from tests.clouds.gcp.test_holdings import (
    ACT_AS,
    CREATE,
    CUSTOM,
    GET,
    NODES,
    SA,
    allow,
    bind,
    custom,
    deny,
    listed,
    own,
)
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import CoverageResult, Document, HeldGrants
from upgrade_gate.clouds.gcp import holdings


def held(*documents: Any, now: str | None = None) -> HeldGrants:
    context = Context(project="p1", now=now) if now else None
    found = holdings.build([Document(one) for one in documents], "p1", context).held(SA)
    assert isinstance(found, HeldGrants), found
    return found


def told(found: HeldGrants) -> list[str]:
    return [one.grant.permission for one in found.grants]


def of_project(*bindings: dict[str, Any]) -> dict[str, Any]:
    return {"project": "p1", "policy": allow(*bindings)}


def test_custom_role_is_told_by_its_permissions_and_one_of_googles_by_its_name() -> None:
    found = held(of_project(bind(), bind("roles/dns.admin")), custom(CREATE, GET))
    of_custom, of_googles = (
        [Grant("permission", CREATE), Grant("permission", GET)],
        Grant("predefinedRole", "roles/dns.admin"),
    )
    assert [one.grant for one in found.grants] == [*of_custom, of_googles]
    assert found.grants[0].by == f"{CUSTOM} in the policy of project p1"


def test_what_several_bindings_give_is_told_once_with_each_of_them() -> None:
    other = "projects/p1/roles/c2"
    found = held(of_project(bind(), bind(other, condition="c")), custom(GET), custom(GET, name=other))
    (one,) = found.grants
    where = "in the policy of project p1"
    assert one.by == f"{CUSTOM} {where} and {other} {where}, under a condition: c"


def test_role_that_is_not_in_the_export_is_said() -> None:
    found = held(of_project(bind()))
    assert not found.grants
    assert "is not in the export" in found.unseen[0]


def test_disabled_role_and_disabled_account_give_nothing() -> None:
    assert not held(of_project(bind()), custom(GET, stage="DISABLED")).grants
    assert not held(of_project(bind("roles/dns.admin")), [listed(disabled=True)]).grants


def test_group_is_said_and_a_condition_shown() -> None:
    found = held(of_project(bind("roles/dns.admin", "group:g@x"), bind("roles/storage.admin", condition="c")))
    assert told(found) == ["roles/storage.admin"]
    assert found.grants[0].by.endswith("under a condition: c")
    assert "members are not in the export" in found.unseen[0]


def test_binding_that_ran_out_gives_nothing() -> None:
    past = bind("roles/dns.admin", condition='request.time < timestamp("2026-01-01T00:00:00Z")')
    assert not held(of_project(past), now="2026-11-30T00:00:00+00:00").grants


def test_what_a_deny_policy_forbids_is_not_held() -> None:
    given = (of_project(bind()), custom(CREATE, GET))
    name = f"compute.googleapis.com/{CREATE.partition('.')[2]}"
    assert told(held(*given, deny(name))) == [GET]
    assert told(held(*given, deny("compute.googleapis.com/*"))) == []
    may = held(*given, deny(name, principals=["principalSet://goog/group/g@x"]))
    assert told(may) == [CREATE, GET]
    assert "to a group whose members are not in the export" in may.unseen[0]
    under = held(*given, deny(name, denialCondition={"expression": "resource.matchTag('9/env', 'prod')"}))
    assert told(under) == [CREATE, GET]
    assert not under.unseen


def test_what_a_deny_policy_forbids_of_a_role_of_googles_is_not_held() -> None:
    whole = custom("dns.changes.create", name="roles/dns.admin")
    given, dns = of_project(bind("roles/dns.admin")), "dns.googleapis.com/*"
    assert told(held(given, whole, deny(dns))) == []
    assert told(held(given, deny(dns))) == ["roles/dns.admin"]


def test_policy_of_another_account_counts_too() -> None:
    found = held(of_project(bind("roles/dns.admin")), own(bind("roles/iam.serviceAccountUser"), email=NODES))
    assert sorted(told(found)) == ["roles/dns.admin", "roles/iam.serviceAccountUser"]


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        ([{"project": "p2", "policy": allow(bind())}], "wrong account: the export speaks of project p2"),
        ([of_project(bind()), of_project()], "two documents disagree about the policy of project p1"),
        ([allow(bind("roles/viewer")), allow(bind("roles/editor"))], f"cannot tell which policies are about {SA}"),
        ([of_project(bind()), {"roles": [], "nextPageToken": "x"}], "the export is cut off"),
    ],
)
def test_where_it_cannot_be_told_which_policies_count_nothing_is_told(documents: list[Any], why: str) -> None:
    found = holdings.build([Document(one) for one in documents], "p1").held(SA)
    assert isinstance(found, CoverageResult)
    assert why in found.reason


def test_what_is_no_email_holds_nothing_that_could_be_told() -> None:
    assert isinstance(holdings.build([Document(of_project(bind()))], "p1").held("c1-registry"), CoverageResult)


def test_another_disabled_account_takes_nothing() -> None:
    assert told(held(of_project(bind("roles/dns.admin")), [listed(), listed(NODES, disabled=True)]))


def test_deny_policy_of_the_project_leaves_what_is_given_above_it() -> None:
    above = {"id": "7", "type": "organization", "policy": allow(bind("organizations/7/roles/c1"))}
    whole = custom(GET, name="organizations/7/roles/c1")
    disks = deny("compute.googleapis.com/*")
    assert told(held(of_project(), above, whole, disks)) == [GET]
    assert told(held(allow(bind()), custom(GET), disks)) == []


def test_list_of_policies_that_cannot_be_read_as_a_whole_is_said() -> None:
    found = held([of_project(bind("roles/dns.admin")), 7])
    assert any("holds policies that cannot be read" in line for line in found.unseen)


@pytest.mark.parametrize(
    ("wanted", "mine", "asked"),
    [
        (Grant("permission", GET), Grant("permission", GET), True),
        (Grant("permission", GET), Grant("permission", CREATE), False),
        (Grant("permission", GET), Grant("predefinedRole", "roles/compute.admin"), False),
        (Grant("predefinedRole", "roles/compute.admin"), Grant("permission", GET), True),
        (Grant("predefinedRole", "roles/compute.admin"), Grant("permission", "compute.of.nobody.knows"), True),
        (Grant("predefinedRole", "roles/dns.admin"), Grant("permission", ACT_AS), False),
        (Grant("predefinedRole", "roles/dns.admin"), Grant("predefinedRole", "roles/dns.admin"), True),
        (Grant("permission", GET), Grant("predefinedRole", "roles/x"), True),
        (Grant("permission", CREATE), Grant("predefinedRole", "roles/x"), False),
        (Grant("permission", GET), Grant("predefinedRole", "roles/empty"), False),
        (Grant("predefinedRole", "roles/compute.admin"), Grant("predefinedRole", "roles/x"), True),
    ],
)
def test_what_is_asked_for(wanted: Grant, mine: Grant, asked: bool) -> None:
    roles = (custom(GET, name="roles/x"), custom(name="roles/empty"))
    known = holdings.build([Document(one) for one in roles], "p1")
    assert known.asks_for([wanted], mine) is asked


def test_role_of_which_the_table_knows_a_part_is_not_asked_for_with_that_part() -> None:
    part = ("iam.roles.get", "resourcemanager.projects.get", "resourcemanager.projects.getIamPolicy")
    wanted, known = [Grant("permission", one) for one in part], holdings.build([], "p1")
    assert not known.asks_for(wanted, Grant("predefinedRole", "roles/iam.roleViewer"))
