"""Where a grant must hold on Google Cloud, and until when: the shared cases, and neighbours made by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from upgrade_gate.clouds.gcp.grants import role_table
from upgrade_gate.entitlements import judge

if TYPE_CHECKING:
    from pathlib import Path

    from upgrade_gate.clouds.contract.holdings import CoverageResult

WHO = "c1-m@p1.iam.gserviceaccount.com"
NODE, OTHER_NODE = "n@p1.iam.gserviceaccount.com", "n@shared.iam.gserviceaccount.com"
BOTH = [NODE, OTHER_NODE]


def exports(case: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    for name, value in case["export"].items():
        found += value if name == "roles" else [value]
    return found


def test_every_shared_case(shared: Path) -> None:
    wrong = []
    cases = json.loads((shared / "cases" / "context" / "gcp.json").read_text())["cases"]
    for case in cases:
        found = judge(
            "GCP",
            exports(case),
            case["identity"]["service_account"],
            case["required"],
            account=case["project"],
            context=case["context"],
            assume=tuple(case["assume"]),
        )
        if found.verdict not in (case.get("accept") or [case["expect"]]):
            wrong.append(f"{case['id']}: {found.verdict}, want {case['expect']} ({found.reason})")
    assert cases
    assert not wrong, "\n".join(wrong)


def binding(role: str, who: str = WHO, condition: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"role": role, "members": [f"serviceAccount:{who}"]}
    return made | ({"condition": {"title": "c", "expression": condition}} if condition else {})


def project(name: str, *bindings: dict[str, Any]) -> dict[str, Any]:
    return {"project": name, "policy": {"bindings": list(bindings), "etag": "x", "version": 3}}


def bare(*bindings: dict[str, Any]) -> dict[str, Any]:
    return {"bindings": list(bindings), "etag": "x", "version": 3}


def own_policy(email: str, *bindings: dict[str, Any]) -> dict[str, Any]:
    return {"serviceAccount": email, "policy": {"bindings": list(bindings), "etag": "x"}}


def elsewhere(*bindings: dict[str, Any]) -> dict[str, Any]:
    return {"resource": "//storage.googleapis.com/b", "policy": {"bindings": list(bindings), "etag": "x"}}


def role(*permissions: str) -> dict[str, Any]:
    return {"name": "projects/p1/roles/r", "title": "r", "stage": "GA", "includedPermissions": list(permissions)}


def deny(hangs_on: str, *permissions: str) -> dict[str, Any]:
    return {
        "name": f"policies/cloudresourcemanager.googleapis.com%2F{hangs_on.replace('/', '%2F')}/denypolicies/d",
        "rules": [
            {"denyRule": {"deniedPrincipals": ["principalSet://goog/public:all"], "deniedPermissions": permissions}}
        ],
    }


R = "projects/p1/roles/r"
DNS = "dns.changes.create"


def told(permission: str, *documents: Any, kind: str = "permission", **context: Any) -> CoverageResult:
    found = judge(
        "GCP",
        list(documents),
        WHO,
        {"type": kind, "permission": permission},
        account="p1",
        context={"project": "p1"} | context,
    )
    assert found.reason
    return found


def ask(permission: str, *documents: Any, kind: str = "permission", **context: Any) -> str:
    return told(permission, *documents, kind=kind, **context).verdict


@pytest.mark.parametrize(
    ("documents", "context", "verdict"),
    [
        # held at home; the zones are elsewhere, and nothing of that project is in the export
        ([project("p1", binding(R)), role(DNS)], {"dns_projects": ["z"]}, "UNKNOWN"),
        # a policy that names no project is never that of another one
        ([bare(binding(R)), role(DNS)], {"dns_projects": ["z"]}, "UNKNOWN"),
        ([project("p1"), project("z", binding(R)), role(DNS)], {"dns_projects": ["z"]}, "COVERED"),
        ([project("p1"), project("z", binding(R)), role(DNS)], {}, "MISSING"),
        ([project("p1", binding(R)), project("z"), role(DNS)], {"dns_projects": ["z", "p1"]}, "NARROWER"),
        ([project("p1", binding(R)), project("z", binding(R)), role(DNS)], {"dns_projects": ["z", "p1"]}, "COVERED"),
        ([project("p1", binding(R)), role(DNS)], {"dns_projects": ["p1"]}, "COVERED"),
        ([bare(binding(R)), role(DNS)], {"dns_projects": ["p1"]}, "COVERED"),
        ([project("p1", binding(R)), role(DNS)], {"dns_projects": []}, "COVERED"),
        ([project("p1", binding(R)), project("z", binding(R)), role(DNS), deny("projects/z", "dns.googleapis.com/*")],
         {"dns_projects": ["z"]}, "DENIED"),
        ([project("p1", binding(R)), project("z", binding(R)), role(DNS), deny("projects/p1", "dns.googleapis.com/*")],
         {"dns_projects": ["z"]}, "COVERED"),
    ],
)  # fmt: skip
def test_zones_elsewhere(documents: list[Any], context: dict[str, Any], verdict: str) -> None:
    assert ask(DNS, *documents, **context) == verdict


@pytest.mark.parametrize(
    "permission", ["compute.firewalls.delete", "compute.networks.updatePolicy", "compute.subnetworks.use"]
)
def test_a_shared_network(permission: str) -> None:
    at_home = [project("p1", binding(R)), project("host"), role(permission)]
    there = [project("p1"), project("host", binding(R)), role(permission)]
    assert ask(permission, *at_home, network_project="host") == "MISSING"
    assert ask(permission, *there, network_project="host") == "COVERED"
    assert ask(permission, *at_home) == "COVERED"


@pytest.mark.parametrize(
    "permission", ["compute.subnetworks.get", "compute.instances.create", "compute.addresses.list"]
)
def test_what_is_not_of_the_network_must_hold_at_home(permission: str) -> None:
    there = [project("p1"), project("host", binding(R)), role(permission)]
    assert ask(permission, *there, network_project="host", dns_projects=["host"]) == "MISSING"


def test_a_reason_names_the_place_where_it_is_another_one() -> None:
    permission = "compute.firewalls.delete"
    documents = [project("p1"), project("host"), role(permission)]
    there = told(permission, *documents, network_project="host")
    assert there.reason.startswith("needed on project host: ")
    assert told(permission, *documents).reason.startswith("no binding")


ACT = "iam.serviceAccounts.actAs"
USER = "roles/iam.serviceAccountUser"
STORAGE = "roles/storage.admin"


@pytest.mark.parametrize(
    ("documents", "nodes", "verdict"),
    [
        ([project("p1", binding(R)), role(ACT)], [NODE], "COVERED"),
        ([project("p1"), own_policy(NODE, binding(USER)), role()], [NODE], "COVERED"),
        ([project("p1"), own_policy(NODE), role()], [NODE], "MISSING"),
        ([project("p1"), role()], [NODE], "UNKNOWN"),
        ([project("p1"), own_policy(WHO, binding(USER)), own_policy(NODE), role()], [NODE], "MISSING"),
        ([project("p1"), own_policy(WHO, binding(USER)), role()], [], "UNKNOWN"),
        ([project("p1", binding(R)), role(ACT)], BOTH, "UNKNOWN"),
        (
            [project("p1", binding(R)), project("shared"), own_policy(OTHER_NODE), role(ACT)],
            [NODE, OTHER_NODE],
            "NARROWER",
        ),
        ([project("p1"), own_policy(NODE), elsewhere(binding(USER))], [NODE], "NARROWER"),
        ([project("p1", binding(R)), own_policy(OTHER_NODE, binding(USER)), role(ACT)], BOTH, "COVERED"),
    ],
)
def test_acting_as_the_nodes(documents: list[Any], nodes: list[str], verdict: str) -> None:
    assert ask(ACT, *documents, node_service_accounts=nodes) == verdict


def test_whose_policy_is_not_in_the_export_is_said() -> None:
    for permission, kind in ((ACT, "permission"), (USER, "predefinedRole")):
        found = told(permission, project("p1"), kind=kind, node_service_accounts=[NODE])
        assert found.verdict == "UNKNOWN"
        assert f"; the policy of service account {NODE} is not in the export" in found.reason


def test_what_else_an_accounts_own_policy_gives_is_not_given_on_the_project() -> None:
    getting = "iam.serviceAccounts.get"
    assert ask(getting, project("p1"), own_policy(WHO, binding(R)), role(getting)) == "NARROWER"


def test_a_role_about_dns_counts_where_the_zones_are() -> None:
    there = [project("p1"), project("z", binding("roles/dns.admin"))]
    assert ask("roles/dns.admin", *there, kind="predefinedRole", dns_projects=["z"]) == "COVERED"
    assert ask("roles/dns.admin", *there, kind="predefinedRole", dns_projects=["z", "p1"]) == "NARROWER"
    at_home = [project("p1", binding("roles/dns.admin")), project("z")]
    assert ask("roles/dns.admin", *at_home, kind="predefinedRole", dns_projects=["z"]) == "MISSING"
    assert ask("roles/dns.admin", *at_home, kind="predefinedRole") == "COVERED"


def test_a_role_of_account_users_counts_on_the_nodes() -> None:
    on_nodes = [project("p1"), own_policy(NODE, binding(USER)), role()]
    assert ask(USER, *on_nodes, kind="predefinedRole", node_service_accounts=[NODE]) == "COVERED"
    assert ask(USER, *on_nodes, kind="predefinedRole") == "NARROWER"


@pytest.mark.parametrize(
    ("held", "verdict", "said", "partly"),
    [
        ({"y": [R], "z": []}, "NARROWER", "needed on project z: no binding", True),
        ({"y": [], "z": [R]}, "NARROWER", "needed on project y: no binding", True),
        ({"y": [R], "z": ["under"]}, "NARROWER", "needed on project z: ", False),
        ({"y": [], "z": []}, "MISSING", "needed on project y: no binding", False),
        ({"y": []}, "UNKNOWN", "needed on project z: the policy of project z is not in the export", False),
        ({"y": [R]}, "UNKNOWN", "needed on project z: the policy of project z is not in the export", False),
    ],
)
def test_of_several_places_the_one_that_decides_is_named(
    held: dict[str, list[str]], verdict: str, said: str, partly: bool
) -> None:
    policies = [
        project(name, *(binding(R, condition="c" if one == "under" else "") for one in bound))
        for name, bound in held.items()
    ]
    found = told(DNS, project("p1"), *policies, role(DNS), dns_projects=["y", "z"])
    assert (found.verdict, found.reason.startswith(said), found.partly_missing) == (verdict, True, partly)


@pytest.mark.parametrize(
    ("permission", "verdict", "said"),
    [
        (DNS, "UNKNOWN", "DNS zones"),
        (ACT, "COVERED", "nodes' accounts"),
        ("compute.firewalls.use", "COVERED", "network"),
    ],
)
def test_what_a_role_has_says_which_places_are_in_doubt(permission: str, verdict: str, said: str) -> None:
    documents = [project("p1", binding("roles/x")), role(permission) | {"name": "roles/x"}]
    found = told("roles/x", *documents, kind="predefinedRole", **UNSEEN)
    assert (found.verdict, any(said in line for line in (found.doubt, *found.caveats))) == (verdict, True)


NETWORK = "compute.firewalls.delete"
UNSEEN: dict[str, Any] = {"unread": dict.fromkeys(("dns_projects", "network_project", "node_service_accounts"), "why")}


@pytest.mark.parametrize(
    ("permission", "verdict", "said"),
    [
        (DNS, "UNKNOWN", "the projects of the DNS zones are not known (why)"),
        ("roles/dns.admin", "UNKNOWN", "the projects of the DNS zones are not known (why)"),
        ("roles/dns.reader", "UNKNOWN", "the projects of the DNS zones are not known (why)"),
        (NETWORK, "COVERED", "the project of the network was not read and is taken to be the cluster's own (why)"),
        (ACT, "COVERED", "the project of the nodes' accounts was not read and is taken to be the cluster's own (why)"),
        ("compute.disks.get", "COVERED", ""),
        ("roles/unheard.of", "COVERED", ""),
    ],
)
def test_what_the_cluster_could_not_say_of_a_place_is_said(permission: str, verdict: str, said: str) -> None:
    kind = "predefinedRole" if permission.startswith("roles/") else "permission"
    held = [project("p1", binding(permission if kind == "predefinedRole" else R)), role(permission)]
    found = told(permission, *held, kind=kind, **UNSEEN)
    assert found.verdict == verdict
    about = [line for line in (found.doubt, *found.caveats) if "DNS" in line or "was not read" in line]
    assert about == ([said] if said else [])


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"dns_projects": ["z", "p1"]}, "z"),
        ({"network_project": "host"}, "host"),
        ({"node_service_accounts": [OTHER_NODE]}, "shared"),
        ({"dns_projects": ["p1"], "network_project": "p1", "node_service_accounts": [NODE]}, ""),
    ],
)
def test_a_role_that_nobody_knows_may_be_needed_elsewhere(context: dict[str, Any], said: str) -> None:
    found = told("roles/unheard.of", project("p1", binding("roles/unheard.of")), kind="predefinedRole", **context)
    assert found.verdict == ("UNKNOWN" if said else "COVERED")
    assert found.doubt == (f"whether roles/unheard.of must hold in project {said} too is not known" if said else "")


def test_a_role_of_dns_that_nobody_knows_counts_where_the_zones_are() -> None:
    name = "roles/dns.reader"
    for held, verdict in (("p1", "MISSING"), ("z", "COVERED")):
        policies = [project(one, *([binding(name)] if one == held else [])) for one in ("p1", "z")]
        assert ask(name, *policies, kind="predefinedRole", dns_projects=["z"]) == verdict


def test_of_a_role_in_several_places_the_whole_is_needed_at_home() -> None:
    name = "roles/compute.loadBalancerAdmin"
    known = sorted(role_table().roles[name].contains)
    held = [project("p1", binding(R)), project("host", binding(name)), role(*known)]
    found = told(name, *held, kind="predefinedRole", network_project="host")
    assert (found.verdict, "whether" in found.reason) == ("UNKNOWN", True)


def test_of_a_role_that_belongs_elsewhere_the_whole_is_needed_there() -> None:
    spoilt = role(NETWORK) | {"name": "roles/x", "includedPermissions": [NETWORK, 7]}
    held = [project("p1"), project("host", binding(R)), role(NETWORK), spoilt]
    assert ask("roles/x", *held, kind="predefinedRole", network_project="host") == "UNKNOWN"


@pytest.mark.parametrize(
    ("name", "permissions"),
    [
        ("roles/iam.serviceAccountKeyAdmin", ["iam.serviceAccountKeys.create"]),
        ("roles/x", ["compute.disks.get", ACT]),
    ],
)
def test_of_a_role_only_acting_as_the_nodes_counts_on_them(name: str, permissions: list[str]) -> None:
    at_home = [project("p1", binding(name)), role(*permissions) | {"name": name}, own_policy(OTHER_NODE, binding(USER))]
    assert ask(name, *at_home, kind="predefinedRole", node_service_accounts=[OTHER_NODE]) == "COVERED"


def test_a_condition_that_is_over_is_no_binding_and_one_that_holds_is_none() -> None:
    until = 'request.time < timestamp("2026-12-01T00:00:00Z")'
    documents = [project("p1", binding(R, condition=until)), role("compute.disks.get")]
    assert ask("compute.disks.get", *documents, now="2026-11-30T00:00:00Z") == "COVERED"
    assert ask("compute.disks.get", *documents, now="2026-12-01T00:00:00Z") == "MISSING"
    assert ask("compute.disks.get", *documents) == "NARROWER"


@pytest.mark.parametrize(
    ("bound", "needed"),
    [
        (R, {"type": "permission", "permission": "compute.disks.get"}),
        ("roles/compute.viewer", {"type": "predefinedRole", "permission": "roles/compute.viewer"}),
    ],
)
def test_what_is_covered_by_a_condition_on_time_says_so(bound: str, needed: dict[str, Any]) -> None:
    until = 'request.time < timestamp("2026-12-01T00:00:00Z")'
    context = {"project": "p1", "now": "2026-11-30T01:00:00+01:00"}
    told = [
        judge("GCP", [project("p1", *held), role("compute.disks.get")], WHO, needed, account="p1", context=context)
        for held in ([binding(bound, condition=until)], [binding(bound, condition=until), binding(bound)])
    ]
    assert [one.verdict for one in told] == ["COVERED", "COVERED"]
    assert "(its condition holds at 2026-11-30T00:00:00Z)" in told[0].reason
    assert "condition" not in told[1].reason, "a binding that always counts is named first"


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        ("2026-11-30T23:59:59", "COVERED"),
        ("2026-12-01T00:30:00", "MISSING"),
        ("2026-12-01T00:30:00+01:00", "COVERED"),
        ("soon", "NARROWER"),
        ("", "NARROWER"),
    ],
)
def test_a_time_without_an_offset_is_utc_and_what_is_none_decides_nothing(now: str, verdict: str) -> None:
    held = binding(R, condition='request.time < timestamp("2026-12-01T00:00:00Z")')
    needed = {"type": "permission", "permission": "compute.disks.get"}
    documents, context = [project("p1", held), role("compute.disks.get")], {"project": "p1", "now": now}
    assert judge("GCP", documents, WHO, needed, account="p1", context=context).verdict == verdict


UNREAD = {"node_service_accounts": "ControlPlaneMachineSet was not read"}


@pytest.mark.parametrize(
    ("held", "verdict", "said"),
    [
        ([project("p1", binding(USER)), own_policy(OTHER_NODE, binding(USER))], "COVERED", ""),
        ([project("p1"), own_policy(OTHER_NODE, binding(USER))], "UNKNOWN", "other nodes' accounts was not read"),
        ([project("p1", binding(USER)), own_policy(OTHER_NODE)], "UNKNOWN", "the policy of project shared is not in"),
        ([project("p1", binding(USER)), project("shared"), own_policy(OTHER_NODE)], "MISSING", OTHER_NODE),
        ([project("p1"), project("shared"), own_policy(OTHER_NODE)], "MISSING", OTHER_NODE),
    ],
    ids=["on both", "on the known one", "at home", "at home alone", "nowhere"],
)
def test_of_nodes_that_were_read_in_part_the_known_ones_count_and_the_rest_is_at_home(
    held: list[Any], verdict: str, said: str
) -> None:
    context = {"project": "p1", "node_service_accounts": [OTHER_NODE], "unread": UNREAD}
    needed = {"type": "permission", "permission": "iam.serviceAccounts.actAs"}
    found = judge("GCP", held, WHO, needed, account="p1", context=context)
    assert found.verdict == verdict
    assert said in found.reason
    if verdict == "COVERED":
        assert any("other nodes' accounts was not read" in line for line in found.caveats)


def test_rows_of_one_policy_are_one_policy_again() -> None:
    rows = [
        {"bindings": {"members": f"serviceAccount:{WHO}", "role": r}, "etag": "x"} for r in ("roles/dns.admin", STORAGE)
    ]
    found = judge("GCP", [rows], WHO, {"type": "permission", "permission": DNS}, account="p1")
    assert found.verdict == "COVERED"
    other = [rows[0], rows[1] | {"etag": "y"}]
    assert judge("GCP", [other], WHO, {"type": "permission", "permission": DNS}, account="p1").verdict == "UNKNOWN"


def test_an_account_of_another_project_proves_nothing_by_a_policy_without_a_name() -> None:
    grant = {"type": "permission", "permission": DNS}
    for account, verdict in (("example.com:p1", "COVERED"), ("p1", "UNKNOWN")):
        who = "c1@p1.example.com.iam.gserviceaccount.com"
        found = judge("GCP", [bare(binding("roles/dns.admin", who))], who, grant, account=account)
        assert found.verdict == verdict


@pytest.mark.parametrize(
    ("node", "said"),
    [
        ("123-compute@developer.gserviceaccount.com", True),
        (NODE, False),
        ("p1@appspot.gserviceaccount.com", False),
    ],
)
def test_a_node_account_that_names_no_project_is_taken_to_be_at_home_and_that_is_said(node: str, said: bool) -> None:
    found = judge(
        "GCP",
        [project("p1", binding(R)), role(ACT)],
        WHO,
        {"type": "permission", "permission": ACT},
        account="p1",
        context={"project": "p1", "node_service_accounts": [node]},
    )
    assert found.verdict == "COVERED"
    assert any(f"{node} names no project" in caveat for caveat in found.caveats) == said
    disks = told(
        "compute.disks.get", project("p1", binding(R)), role("compute.disks.get"), node_service_accounts=[node]
    )
    assert (disks.verdict, any("names no project" in caveat for caveat in disks.caveats)) == ("COVERED", False)


def test_a_node_account_that_names_no_project_may_grant_by_its_own_policy() -> None:
    node = "123-compute@developer.gserviceaccount.com"
    found = told(ACT, project("p1"), own_policy(node, binding(USER)), node_service_accounts=[node])
    assert (found.verdict, [c for c in found.caveats if "names no project" in c] != []) == ("COVERED", True)


def test_the_project_of_the_exports_stands_for_the_clusters_where_that_is_not_known() -> None:
    needed, context = {"type": "permission", "permission": DNS}, {"dns_projects": ["p1"]}
    found = judge("GCP", [bare(binding(R)), role(DNS)], WHO, needed, account="p1", context=context)
    assert found.verdict == "COVERED"


@pytest.mark.parametrize("held", [[], [binding(R)]])
def test_while_the_zones_are_not_known_nothing_is(held: list[Any]) -> None:
    assert ask(DNS, project("p1", *held), role(DNS), unread={"dns_projects": "why"}) == "UNKNOWN"


@pytest.mark.parametrize(
    ("account", "project", "verdict"),
    [
        ("p1", "p1", "COVERED"),
        ("p1", None, "COVERED"),
        (None, "p1", "COVERED"),
        ("projects/p1", "p1", "COVERED"),
        ("42", "p1", "COVERED"),  # a number cannot be compared with an ID: it may be that of p1
        ("p1", "42", "COVERED"),
        ("p1", "p2", "UNKNOWN"),
        (None, "p2", "UNKNOWN"),
    ],
)
def test_exports_of_another_project_than_the_clusters_prove_nothing(
    account: str | None, project: str | None, verdict: str
) -> None:
    needed = {"type": "permission", "permission": "compute.disks.get"}
    held = [
        {"bindings": [{"role": "projects/p1/roles/c1", "members": [f"serviceAccount:{WHO}"]}]},
        {"name": "projects/p1/roles/c1", "stage": "GA", "includedPermissions": ["compute.disks.get"]},
    ]
    found = judge("GCP", held, WHO, needed, account=account, context={"project": project} if project else None)
    assert found.verdict == verdict, found.reason


@pytest.mark.parametrize(
    ("folders", "verdict"),
    [
        (["folders/9"], "COVERED"),
        ([], "COVERED"),
        (["folders/8"], "DENIED"),
        (["folders/9", 8], "DENIED"),
        (["folders/9", "folders/"], "DENIED"),
        ("folders/9,8", "DENIED"),
    ],
    ids=["another folder", "no folder", "its folder", "a number", "no name", "one text"],
)
def test_a_deny_policy_of_a_folder_is_left_out_only_where_the_whole_chain_names_others(
    folders: Any, verdict: str
) -> None:
    hit = {
        "resource": "//cloudresourcemanager.googleapis.com/projects/p1",
        "assetType": "x.googleapis.com/Y",
        "folders": folders,
        "organization": "organizations/7",
        "policy": {"bindings": [binding(R)]},
    }
    needed = {"type": "permission", "permission": "compute.disks.get"}
    held = [[hit], role("compute.disks.get"), deny("folders/8", "compute.googleapis.com/disks.get")]
    assert judge("GCP", held, WHO, needed, account="p1", context={"project": "p1"}).verdict == verdict
