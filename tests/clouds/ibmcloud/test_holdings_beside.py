"""IBM Cloud: what one policy, service ID or access group says beside others (docs/facts/ibmcloud.md#coverage)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clouds.ibmcloud.test_cover import ACCOUNT, COS, EDITOR, IAM, OTHER, OWN, ask, group, policy
from tests.clouds.ibmcloud.test_holdings import ADMINISTRATOR, IS, ME, OPERATOR, READER, ROLES, VIEWER, decide, v1
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.clouds.ibmcloud import holdings
from upgrade_gate.entitlements import judge

NAMED = {"id": "ServiceId-1", "iam_id": ME, "name": "c1-registry"}
ANOTHER = {"id": "ServiceId-2", "iam_id": "iam-ServiceId-2", "name": "c1-ingress"}
BARE: dict[str, Any] = {"resources": [{"attributes": [{"name": "serviceName", "value": "is"}]}]}
"""The targets of a policy that names no account."""


def of_group(*roles: str) -> dict[str, Any]:
    return v1(*roles, subject="AccessGroupId-1", id="p0")


@pytest.mark.parametrize("other", [v1(EDITOR, subject="iam-ServiceId-2", id="p0"), of_group(EDITOR)])
def test_a_policy_gives_its_role_whatever_stands_before_or_after_it(other: dict[str, Any]) -> None:
    for listed in ([other, v1(VIEWER)], [v1(VIEWER), other]):
        assert decide([listed])[0] == "COVERED"


def test_a_role_that_holds_some_actions_of_another_does_not_contain_it() -> None:
    assert decide([[v1(VIEWER)], ROLES], EDITOR)[0] == "MISSING"
    assert decide([[v1(EDITOR)], ROLES], VIEWER)[0] == "COVERED"


@pytest.mark.parametrize(("held", "verdict"), [(VIEWER, "UNKNOWN"), (ADMINISTRATOR, "UNKNOWN"), (READER, "MISSING")])
def test_a_group_of_unknown_members_may_give_the_role_or_a_higher_one(held: str, verdict: str) -> None:
    mine = v1(EDITOR, on={"serviceName": "power-iaas"})
    assert decide([[of_group(held), mine]])[0] == verdict


def test_the_members_of_one_group_are_not_those_of_another() -> None:
    listed = {"accessGroup": "AccessGroupId-2", "members": [{"iam_id": ME}]}
    assert decide([[of_group(VIEWER)], listed])[0] == "UNKNOWN"
    assert decide([[of_group(VIEWER)], listed | {"accessGroup": "AccessGroupId-1"}])[0] == "COVERED"


def test_the_reason_names_the_limited_policy_that_gives_the_role() -> None:
    limited = IS | {"region": "eu"}
    verdict, reason = decide([[v1(EDITOR, on=limited, id="p0"), v1(VIEWER, on=limited, id="p1")], ROLES])
    assert (verdict, reason.startswith("policy p1")) == ("NARROWER", True), reason


def test_where_nobody_names_an_account_it_limits_nothing() -> None:
    assert decide([[v1(VIEWER, **BARE)]], account=None)[0] == "COVERED"
    assert decide([[v1(VIEWER, **BARE)], [NAMED]])[0] == "COVERED"
    assert decide([[v1(EDITOR, on={"accountId": 7}), v1(VIEWER, id="p2", **BARE)]])[0] == "COVERED"


def test_a_service_id_of_another_account_is_not_the_cluster_s() -> None:
    for account, verdict in (("A", "COVERED"), ("B", "UNKNOWN")):
        assert decide([[v1(VIEWER, **BARE)], [NAMED | {"account_id": account}]])[0] == verdict


def test_the_one_account_that_an_export_speaks_of_is_told() -> None:
    assert holdings.build([Document([v1(VIEWER)])], None).account == "A"


@pytest.mark.parametrize("identity", [ME, "ServiceId-1", "c1-registry"])
def test_a_service_id_is_found_among_others_by_each_of_its_names(identity: str) -> None:
    assert decide([[v1(VIEWER)], [NAMED, ANOTHER]], identity=identity)[0] == "COVERED"


def test_an_id_that_no_list_joins_is_that_of_its_iam_id() -> None:
    assert decide([[v1(VIEWER)]], identity="ServiceId-1")[0] == "COVERED"
    assert decide([[v1(VIEWER)]], identity="c1-registry")[0] == "UNKNOWN"
    disputed = [{"id": "ServiceId-1", "iam_id": f"iam-ServiceId-{n}", "name": "n"} for n in (1, 2)]
    assert decide([[v1(VIEWER)], disputed], identity="ServiceId-1")[0] == "UNKNOWN"


def test_the_group_of_the_vpc_counts_for_the_vpc_alone() -> None:
    for service, verdict in ((COS, "COVERED"), ("is", "NARROWER")):
        found = ask(service, policy(service, group("stringEquals", OWN)), resource_group_id=OWN, vpc_group=OTHER)
        assert found.verdict == verdict
    assert not ask(COS, policy(COS, group("stringEquals", OWN)), resource_group_id=OWN).caveats
    assert not ask("is", policy("is", group("stringEquals", OWN)), resource_group_id=OWN, vpc_group=OWN).caveats


def test_the_group_of_the_vpc_does_not_stand_for_the_cluster_s_own() -> None:
    grant = {"permission": EDITOR, "scope": {"attributes": [{"name": "serviceName", "value": "is"}]}}
    export = [{"policies": [policy("is", group("stringEquals", OTHER))]}]
    found = judge("IBMCloud", export, IAM, grant, account=ACCOUNT, context={"vpc_group": OTHER})
    assert found.verdict == "UNKNOWN"


def test_an_empty_scope_is_a_group_that_nobody_knows() -> None:
    for scopes in ([""], ["rg1", ""]):
        assert decide([[v1(VIEWER, on=IS | {"resourceGroupId": "rg1"})]], scopes=scopes)[0] == "UNKNOWN"


def test_the_cluster_s_own_group_is_what_its_context_says_else_the_scope() -> None:
    own = policy(COS, group("stringEquals", OWN))
    grant = {"permission": EDITOR, "scope": {"attributes": [{"name": "serviceName", "value": COS}]}}
    for context, verdict in (
        ({"resource_group_id": OWN}, "COVERED"),
        ({"vpc_group": OWN}, "MISSING"),
        (None, "MISSING"),
    ):
        found = judge("IBMCloud", [[own]], IAM, grant, account=ACCOUNT, scopes=(OTHER,), context=context)
        assert found.verdict == verdict


def test_a_resource_group_is_found_among_others_by_its_name() -> None:
    crn = "crn:v1:bluemix:public:resource-controller::a/A::resource-group:"
    groups = [{"id": one, "name": name, "crn": crn + one} for one, name in ((OTHER, "default"), (OWN, "c1"))]
    for limit, verdict in ((OWN, "COVERED"), (OTHER, "MISSING")):
        assert decide([[v1(VIEWER, on=IS | {"resourceGroupId": limit})], groups], scopes=["c1"])[0] == verdict


def test_an_empty_list_says_that_there_is_nothing_where_its_index_says_what_was_asked() -> None:
    """The commands are those of `init export`."""
    own = [f"ibmcloud iam {command} ServiceId-1 --output json" for command in ("service-policies", "access-groups -s")]
    grant = Grant("role", VIEWER, scope={"attributes": [{"name": "serviceName", "value": "is"}]})
    for identity, asked, verdict in (
        (ME, own, "MISSING"),
        ("ServiceId-1", own, "MISSING"),
        ("ServiceId-2", own, "UNKNOWN"),
        ("c1-registry", own, "UNKNOWN"),
        (ME, own[:1], "UNKNOWN"),
        (ME, own[1:], "UNKNOWN"),
    ):
        known = holdings.build([Document([], asked=one) for one in asked], "A")
        assert known.judge(identity, grant, ()).verdict == verdict, (identity, asked)


def test_a_role_that_is_held_in_one_group_and_missing_in_another_is_narrower() -> None:
    grant = {"permission": VIEWER, "scope": {"attributes": [{"name": "serviceName", "value": "is"}]}}
    for more, partly in (({}, True), ({"region": "eu"}, False)):
        limited = v1(VIEWER, on=IS | {"resourceGroupId": "rg1"} | more)
        found = judge("IBMCloud", [[limited]], ME, grant, account="A", scopes=("rg1", "rg2"))
        assert (found.verdict, found.partly_missing) == ("NARROWER", partly)


def test_a_policy_that_two_files_show_alike_is_one() -> None:
    grant = Grant("role", VIEWER, scope={"attributes": [{"name": "serviceName", "value": "is"}]})
    for state, verdict in (("active", "COVERED"), ("deleted", "UNKNOWN")):
        twice = [Document([v1(VIEWER)], "a.json"), Document([v1(VIEWER, state=state)], "b.json")]
        assert holdings.build(twice, "A").judge(ME, grant, ()).verdict == verdict


def test_a_policy_of_unreadable_targets_that_two_files_dispute_has_unreadable_targets() -> None:
    unread: dict[str, Any] = {"resources": [{"attributes": []}]}
    _, reason = decide([[v1(VIEWER, **unread)], [v1(EDITOR, **unread)]])
    assert "has targets that cannot be read" in reason


def test_the_reason_names_the_roles_whose_actions_are_needed() -> None:
    verdict, reason = decide([[v1(EDITOR), v1(OPERATOR, id="p2")], ROLES], VIEWER)
    assert (verdict, reason.startswith(f"{EDITOR} give every action")) == ("COVERED", True), reason


def test_a_policy_without_an_id_gives_its_role_while_it_is_active() -> None:
    assert decide([[v1(VIEWER, id="")]])[0] == "COVERED"
    assert decide([[v1(VIEWER, id="", state="inactive")]])[0] == "MISSING"
