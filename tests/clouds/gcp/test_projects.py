"""Which policies of a Google Cloud export count for a project, and what hangs above it.

Expected values: docs/facts/gcp.md#coverage and #exports; Google's resource hierarchy: a project has one parent.
"""

from typing import Any

import pytest

from upgrade_gate.clouds.gcp.projects import Projects
from upgrade_gate.clouds.gcp.shapes import Account, Binding, DenyPolicy, Level, Policy, RoleDocument

SA = "a@p1.iam.gserviceaccount.com"
NOWHERE = "42-compute@developer.gserviceaccount.com"
USER, TOKENS = "roles/iam.serviceAccountUser", "roles/iam.serviceAccountTokenCreator"
LETS_IN = "roles/iam.workloadIdentityUser"
ADMIN = "roles/resourcemanager.organizationAdmin"


def policy(level: Level, resource: str = "", *roles: str, document: int = 0, **more: Any) -> Policy:
    """Return a policy that binds each role to the account."""
    bindings = tuple(Binding(role, (f"serviceAccount:{SA}",), "") for role in roles)
    return Policy(level, resource, bindings, document, "", **more)


def bare(*roles: str, **more: Any) -> Policy:
    return policy(Level.BARE, "", *roles, **more)


def project(name: str, *roles: str, above: tuple[str, ...] = (), **more: Any) -> Policy:
    return policy(Level.PROJECT, name, *roles, above=frozenset(above), **more)


def folder(number: str, *roles: str, **more: Any) -> Policy:
    return policy(Level.FOLDER, number, *roles, **more)


def organization(number: str, *roles: str, **more: Any) -> Policy:
    return policy(Level.ORGANIZATION, number, *roles, **more)


def own(email: str, *roles: str, **more: Any) -> Policy:
    return policy(Level.ACCOUNT, email, *roles, **more)


def role(name: str) -> RoleDocument:
    return RoleDocument(name, "", "", frozenset(), "")


def account(project_id: str) -> Account:
    return Account("x@example.com", project_id, "", disabled=False, unique_id="")


def sorted_by(*policies: Policy, wanted: str | None = None) -> Projects:
    return Projects(policies, [], [], wanted)


@pytest.mark.parametrize(
    ("policies", "roles", "accounts", "wanted", "belongs_to"),
    [
        ([project("p1")], ["projects/p2/roles/x"], ["p3"], None, "p1"),
        ([bare("projects/p1/roles/x")], [], [], None, "p1"),
        ([], ["projects/p2/roles/x", "roles/viewer"], [], None, "p2"),
        ([], [], ["p3"], None, "p3"),
        ([], ["projects/p2/roles/x"], ["p3"], None, None),
        ([project("p1")], [], [], " projects/p9 ", "p9"),
        ([], [], [], None, None),
    ],
)
def test_whose_an_export_is(
    policies: list[Policy], roles: list[str], accounts: list[str], wanted: str | None, belongs_to: str | None
) -> None:
    found = Projects(policies, [role(one) for one in roles], [account(one) for one in accounts], wanted)
    assert found.account == belongs_to


@pytest.mark.parametrize(
    ("wanted", "other", "foreign"),
    [("p1", "p2", True), ("p1", "p1", False), ("p1", "42", False), ("p1", "", False), (None, "p2", False)],
)
def test_only_what_can_be_compared_is_foreign(wanted: str | None, other: str, foreign: bool) -> None:
    assert sorted_by(wanted=wanted).is_foreign(other) is foreign


def test_an_accounts_own_policies_are_named_by_its_email_or_its_number() -> None:
    by_email, by_number, nameless = own(SA), own("7"), own("")
    found = sorted_by(by_email, by_number, nameless, own("8"), project("7"))
    assert found.own_policies(SA, "7") == (by_email, by_number)
    assert found.own_policies(SA) == (by_email,)


P1, P2 = project("p1", document=1), project("p2", document=2)


@pytest.mark.parametrize(
    ("policies", "wanted", "given", "email", "counting"),
    [
        ([P1, P2], "p1", "", NOWHERE, [P1]),
        ([P1, P2], None, "p2", SA, [P2]),
        ([P1, P2], None, "", SA, [P1]),
        ([P2], None, "", SA, [P2]),
        ([bare()], "p1", "", NOWHERE, [bare()]),
        ([P1, project("42"), project("43")], "p1", "", SA, [P1]),
        ([project("42")], "p1", "", SA, [project("42")]),
        ([P1, P2], "42", "p1", NOWHERE, [P1]),  # the cluster says its ID, the configuration its number
        ([P1, project("42"), project("43")], "42", "p2", SA, [project("42")]),
        ([P1, own(SA), own("b@x")], "p1", "", SA, [P1, own(SA), own("b@x")]),
        ([project("p1", ADMIN)], "p1", "", SA, [project("p1", ADMIN)]),
        ([bare(ADMIN)], "p1", "", SA, [organization("", ADMIN)]),
    ],
)
def test_what_counts_for_the_clusters_project(
    policies: list[Policy], wanted: str | None, given: str, email: str, counting: list[Policy]
) -> None:
    assert sorted_by(*policies, wanted=wanted).policies_for(email, given) == (tuple(counting), "")


@pytest.mark.parametrize(
    ("policies", "wanted", "given", "email", "why"),
    [
        ([P1], "p1", "p2", SA, "wrong account: the exports are said to be of project p1, the cluster is in p2"),
        ([P2], "p1", "", SA, "wrong account: the export speaks of project p2, the cluster is in p1"),
        ([P1, P2], None, "", NOWHERE, "the export holds policies of several projects (p1, p2)"),
        ([bare()], "p2", "", SA, f"{SA} lives in p1, the cluster in p2"),
        ([P1, P2], "42", "", NOWHERE, "several projects (p1, p2), and which of them is 42 is not known"),
        ([P1, P2], "42", "p3", NOWHERE, "wrong account: the export speaks of project p1, p2, the cluster is in p3"),
        (
            [project("42"), project("43")],
            "p1",
            "",
            SA,
            "several projects (42, 43), and which of them is p1 is not known",
        ),
    ],
)
def test_what_cannot_be_the_clusters_counts_for_nothing(
    policies: list[Policy], wanted: str | None, given: str, email: str, why: str
) -> None:
    counting, problem = sorted_by(*policies, wanted=wanted).policies_for(email, given)
    assert (counting, why in problem) == ((), True)


IN_P1 = project("p1", document=1, above=("folders/1", "organizations/7"))
IN_P2 = project("p2", document=2, above=("folders/2", "organizations/7"))
ABOVE = [folder("1", document=3), folder("2", document=4), organization("7", document=5), folder("3", document=6)]


@pytest.mark.parametrize(
    ("policies", "counting"),
    [
        ([IN_P1, IN_P2, *ABOVE], [IN_P1, ABOVE[0], ABOVE[2]]),
        ([P1, IN_P2, *ABOVE], [P1, ABOVE[0], ABOVE[3]]),
        ([P1, folder("9", document=3, above=frozenset({"organizations/7"})), organization("7", document=5)], None),
        ([P1, organization("7", document=1), P2, organization("8", document=2)], [P1, organization("7", document=1)]),
        ([P1, organization("8", document=5), project("42", document=5)], [P1]),
    ],
    ids=["each says", "the other says", "a folder says", "beside", "beside a number"],
)
def test_what_is_above_another_project_does_not_count(policies: list[Policy], counting: list[Policy] | None) -> None:
    found, _ = sorted_by(*policies, wanted="p1").policies_for(SA)
    assert list(found) == (policies if counting is None else counting)


def test_at_another_project_only_what_its_documents_place_there_counts() -> None:
    account_policy, bucket = own(SA), policy(Level.OTHER, "//storage.googleapis.com/b")
    found = sorted_by(IN_P1, IN_P2, *ABOVE, bare(), account_policy, bucket)
    assert found.policies_at("p2") == (IN_P2, ABOVE[1], ABOVE[2], account_policy, bucket)
    chain = (project("p3", document=9), folder("8", document=9))
    assert sorted_by(*chain, P1).policies_at("p3") == chain
    several = (project("p3", document=9), project("p4", document=9), folder("8", document=9))
    assert sorted_by(*several).policies_at("p3") == several[:1]


CHAIN = [project("p1", document=1), folder("1", document=1), organization("7", document=1)]
SPOILT = [*CHAIN, policy(Level.OTHER, "9", document=1)]


@pytest.mark.parametrize(
    ("policies", "deny", "hangs"),
    [
        (CHAIN, {"project": "p1"}, True),
        (CHAIN, {"project": "p2"}, False),
        (CHAIN, {"project": "42"}, True),
        (CHAIN, {"above": "folders/1"}, True),
        (CHAIN, {"above": "folders/8"}, False),
        (CHAIN, {}, True),
        (CHAIN[:2], {"above": "folders/8"}, True),
        (SPOILT, {"above": "folders/8"}, True),
        ([*CHAIN, folder("", document=1)], {"above": "folders/8"}, True),
        ([IN_P1], {"above": "folders/8"}, False),
        ([IN_P1], {"above": "folders/1"}, True),
        ([P1, IN_P2], {"above": "folders/2"}, True),
    ],
)
def test_a_deny_policy_is_left_out_only_where_it_certainly_hangs_elsewhere(
    policies: list[Policy], deny: dict[str, str], hangs: bool
) -> None:
    one = DenyPolicy("d", deny.get("project", ""), (), above=deny.get("above", ""))
    assert sorted_by(*policies).hangs_above(one, "p1") is hangs
    assert sorted_by(*policies).hangs_above(one, ""), "while the project is not known it may hang there"


VIEWER, EDITOR, NAMED = bare("roles/viewer"), bare("roles/editor"), bare("projects/p1/roles/x")
MINE, EMPTY = own(SA, USER), bare()


@pytest.mark.parametrize(
    ("policies", "readings"),
    [
        ([VIEWER, MINE], [[VIEWER, MINE]]),
        ([VIEWER, EDITOR, MINE, own("b@x"), EMPTY], [[MINE, own("b@x"), EMPTY, one] for one in (VIEWER, EDITOR)]),
        ([VIEWER, NAMED, MINE], [[MINE, NAMED]]),
        ([project("p1", "roles/owner"), VIEWER, MINE], [[project("p1", "roles/owner"), MINE]]),
        ([project("p1", "roles/viewer"), VIEWER], [[project("p1", "roles/viewer"), VIEWER]]),
        ([project("p1", "roles/owner", partial=True), VIEWER], [[project("p1", "roles/owner", partial=True), VIEWER]]),
        ([VIEWER, VIEWER], [[VIEWER, VIEWER]]),
        ([EMPTY, VIEWER], [[EMPTY, VIEWER]]),
        ([MINE, own("b@x", LETS_IN)], [[MINE, own("b@x", LETS_IN)]]),
    ],
)
def test_of_several_policies_without_a_name_one_at_most_is_the_projects(
    policies: list[Policy], readings: list[list[Policy]]
) -> None:
    assert Projects.readings(policies) == tuple(tuple(one) for one in readings)


PARTIAL = project("p1", "roles/owner", partial=True)


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ([project("p1", "roles/viewer"), project("p1", "roles/editor")], "the policy of project p1"),
        ([project("p1", "roles/viewer", "roles/editor"), project("p1", "roles/editor", "roles/viewer")], ""),
        ([own(SA, USER), own(SA)], f"the policy of service account {SA}"),
        ([own("b@x", USER), own("b@x")], ""),
        ([PARTIAL, project("p1"), project("p1", "roles/viewer")], "the policy of project p1"),
        ([PARTIAL, project("p1")], ""),
        ([bare(), bare("roles/viewer"), folder("9"), folder("9", USER)], "the policy of folder 9"),
        ([folder(""), folder("", USER)], ""),
        ([organization("7"), organization("7", USER)], "the policy of organization 7"),
    ],
)
def test_two_documents_that_show_one_resource_must_agree(policies: list[Policy], said: str) -> None:
    assert Projects.contradiction(policies, SA) == (f"two documents disagree about {said}" if said else "")


def gives(role: str, member: str) -> Policy:
    return Policy(Level.BARE, "", (Binding(role, (member,), ""),), 0, "")


POOL = "principalSet://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/c1/*"


@pytest.mark.parametrize(
    ("policies", "counting"),
    [
        ([bare(USER)], [bare(USER)]),
        ([bare(USER), bare(TOKENS)], [bare(USER), bare(TOKENS)]),
        ([bare(USER), VIEWER], [VIEWER]),
        ([bare(USER), P1], [bare(USER), P1]),
        ([bare(USER), project("p1", "roles/viewer")], [project("p1", "roles/viewer")]),
        ([bare(USER), organization("7", "roles/owner")], [bare(USER), organization("7", "roles/owner")]),
        ([own(SA, USER), VIEWER], [own(SA, USER), VIEWER]),
        ([bare(USER, "roles/viewer"), VIEWER], [bare(USER, "roles/viewer"), VIEWER]),
        ([gives(LETS_IN, "user:x@example.com")], [gives(LETS_IN, "user:x@example.com")]),
        ([gives("roles/viewer", POOL)], [gives("roles/viewer", POOL)]),
        ([gives(LETS_IN, POOL)], []),
        ([EMPTY, VIEWER], [EMPTY, VIEWER]),
    ],
)
def test_a_policy_of_roles_on_accounts_alone_is_some_accounts(policies: list[Policy], counting: list[Policy]) -> None:
    assert list(sorted_by(*policies, wanted="p1").policies_for(SA)[0]) == counting
