"""Proof in a cluster's context elsewhere: neighbours of the shared cases, labels worked out from the published rules.

Rules: Google Cloud's IAM conditions and deny policies (docs/facts/gcp.md#in-the-clusters-context), IBM Cloud's policy
operators (docs/facts/ibmcloud.md), Azure's role assignments (docs/facts/azure.md#coverage).
"""

from __future__ import annotations

from typing import Any

import pytest

from upgrade_gate.entitlements import judge

COVERED, MISSING, NARROWER, DENIED, UNKNOWN = "COVERED", "MISSING", "NARROWER", "DENIED", "UNKNOWN"

SA = "c1-machine@p1.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{SA}"
PERMISSIONS = [
    "dns.changes.create",
    "compute.firewalls.create",
    "compute.instances.create",
    "iam.serviceAccounts.actAs",
]
DNS, FIREWALL, INSTANCE, ACT = PERMISSIONS
NODE, FAR_NODE = "w@p1.iam.gserviceaccount.com", "w@nodes.iam.gserviceaccount.com"
CUSTOM = {"name": "organizations/9/roles/all", "title": "all", "includedPermissions": PERMISSIONS}


def bound(condition: str = "", member: str = MEMBER) -> dict[str, Any]:
    """Return a binding of the one role, under a condition or not."""
    binding: dict[str, Any] = {"role": CUSTOM["name"], "members": [member]}
    return binding | ({"condition": {"title": "t", "expression": condition}} if condition else {})


def project(name: str, *bindings: Any, folder: tuple[Any, ...] = (), denies: tuple[Any, ...] = ()) -> list[Any]:
    """Return what `gcloud projects get-ancestors-iam-policy --include-deny` prints."""
    return [
        {"type": "project", "id": name, "policy": {"version": 3, "bindings": list(bindings)}},
        *({"type": "project", "id": name, "policy": policy} for policy in denies),
        {"type": "folder", "id": "7", "policy": {"version": 3, "bindings": list(folder)}},
        {"type": "organization", "id": "9", "policy": {"version": 3, "bindings": []}},
    ]


def account(email: str, *bindings: Any) -> dict[str, Any]:
    """Return the policy of one service account."""
    return {"serviceAccount": email, "policy": {"version": 3, "bindings": list(bindings)}}


def forbids(*permissions: str, at: str = "p1", **rule: Any) -> dict[str, Any]:
    """Return a deny policy as it stands among the policies of a project and those above it."""
    place = f"cloudresourcemanager.googleapis.com%2Fprojects%2F{at}"
    whole = {"deniedPrincipals": ["principalSet://goog/public:all"], "deniedPermissions": list(permissions), **rule}
    return {"name": f"policies/{place}/denypolicies/d", "kind": "DenyPolicy", "rules": [{"denyRule": whole}]}


NOW = {"now": "2026-11-30T12:00:00Z"}
ME = f"principal://iam.googleapis.com/projects/-/serviceAccounts/{SA}"
GCP: list[tuple[str, str, list[Any], dict[str, Any], str]] = [
    (
        "zones in two projects, held in one",
        DNS,
        [project("p1", bound()), project("d1")],
        {"dns_projects": ["p1", "d1"]},
        NARROWER,
    ),
    (
        "zones in two projects, held in both",
        DNS,
        [project("p1", bound()), project("d1", bound())],
        {"dns_projects": ["p1", "d1"]},
        COVERED,
    ),
    (
        "zones elsewhere, held at a folder above both",
        DNS,
        [project("p1", folder=(bound(),)), project("d1", folder=(bound(),))],
        {"dns_projects": ["d1"]},
        COVERED,
    ),
    (
        "zones elsewhere, held at home alone",
        DNS,
        [project("p1", bound()), project("d1")],
        {"dns_projects": ["d1"]},
        MISSING,
    ),
    ("zones elsewhere, not exported", DNS, [project("p1", bound())], {"dns_projects": ["d1"]}, UNKNOWN),
    ("zones not known", DNS, [project("p1", bound())], {}, COVERED),
    ("network elsewhere", FIREWALL, [project("p1", bound()), project("n1")], {"network_project": "n1"}, MISSING),
    (
        "network elsewhere, held there",
        FIREWALL,
        [project("p1"), project("n1", bound())],
        {"network_project": "n1"},
        COVERED,
    ),
    (
        "machines are not in the network's project",
        INSTANCE,
        [project("p1"), project("n1", bound())],
        {"network_project": "n1"},
        MISSING,
    ),
    (
        "until tomorrow",
        INSTANCE,
        [project("p1", bound('request.time < timestamp("2026-12-01T00:00:00Z")'))],
        NOW,
        COVERED,
    ),
    (
        "until yesterday",
        INSTANCE,
        [project("p1", bound('request.time <= timestamp("2026-11-29T00:00:00Z")'))],
        NOW,
        MISSING,
    ),
    (
        "until tomorrow, no time",
        INSTANCE,
        [project("p1", bound('request.time < timestamp("2026-12-01T00:00:00Z")'))],
        {},
        NARROWER,
    ),
    (
        "between",
        INSTANCE,
        [
            project(
                "p1",
                bound(
                    'request.time>=timestamp("2026-01-01T00:00:00Z")&&!(request.time>timestamp("2027-01-01T00:00:00Z"))'
                ),
            )
        ],
        NOW,
        COVERED,
    ),
    (
        "over or by name",
        INSTANCE,
        [project("p1", bound('request.time < timestamp("2026-01-01T00:00:00Z") || resource.name.startsWith("x")'))],
        NOW,
        NARROWER,
    ),
    (
        "over and by name",
        INSTANCE,
        [project("p1", bound('request.time < timestamp("2026-01-01T00:00:00Z") && resource.name.startsWith("x")'))],
        NOW,
        MISSING,
    ),
    ("of the hour", INSTANCE, [project("p1", bound('request.time.getHours("Europe/Berlin") < 18'))], NOW, NARROWER),
    (
        "by an offset",
        INSTANCE,
        [project("p1", bound('request.time < timestamp("2026-11-30T13:30:00+02:00")'))],
        NOW,
        MISSING,
    ),
    (
        "denied to everybody",
        INSTANCE,
        [project("p1", bound(), denies=(forbids("compute.googleapis.com/instances.create"),))],
        NOW,
        DENIED,
    ),
    (
        "denied to everybody but it",
        INSTANCE,
        [
            project(
                "p1", bound(), denies=(forbids("compute.googleapis.com/instances.create", exceptionPrincipals=[ME]),)
            )
        ],
        NOW,
        COVERED,
    ),
    (
        "denied but for this permission",
        INSTANCE,
        [
            project(
                "p1",
                bound(),
                denies=(
                    forbids(
                        "compute.googleapis.com/instances.*",
                        exceptionPermissions=["compute.googleapis.com/instances.create"],
                    ),
                ),
            )
        ],
        NOW,
        COVERED,
    ),
    (
        "denied by tag",
        INSTANCE,
        [
            project(
                "p1",
                bound(),
                denies=(
                    forbids(
                        "compute.googleapis.com/instances.create",
                        denialCondition={"expression": "resource.matchTag('9/env', 'prod')"},
                    ),
                ),
            )
        ],
        NOW,
        NARROWER,
    ),
    (
        "denied at home, needed elsewhere",
        DNS,
        [project("p1", denies=(forbids("dns.googleapis.com/changes.create"),)), project("d1", bound())],
        {"dns_projects": ["d1"]},
        COVERED,
    ),
    (
        "actAs on each node account",
        ACT,
        [project("p1"), account(NODE, bound())],
        {"node_service_accounts": [NODE]},
        COVERED,
    ),
    (
        "actAs on one of two",
        ACT,
        [project("p1"), account(NODE, bound()), project("nodes"), account(FAR_NODE)],
        {"node_service_accounts": [NODE, FAR_NODE]},
        NARROWER,
    ),
    ("actAs on none", ACT, [project("p1"), account(NODE)], {"node_service_accounts": [NODE]}, MISSING),
    ("actAs on the project", ACT, [project("p1", bound())], {"node_service_accounts": [NODE]}, COVERED),
    (
        "actAs at home, nodes elsewhere",
        ACT,
        [project("p1", bound()), project("nodes"), account(FAR_NODE)],
        {"node_service_accounts": [FAR_NODE]},
        MISSING,
    ),
    (
        "actAs on itself",
        ACT,
        [project("p1"), account(SA, bound()), account(NODE)],
        {"node_service_accounts": [NODE]},
        MISSING,
    ),
    ("actAs, the account's policy not seen", ACT, [project("p1")], {"node_service_accounts": [NODE]}, UNKNOWN),
    (
        "actAs for a while",
        ACT,
        [project("p1"), account(NODE, bound('request.time < timestamp("2026-11-01T00:00:00Z")'))],
        {"node_service_accounts": [NODE], **NOW},
        MISSING,
    ),
]


@pytest.mark.parametrize(("permission", "export", "context", "verdict"), [c[1:] for c in GCP], ids=[c[0] for c in GCP])
def test_on_google_cloud(permission: str, export: list[Any], context: dict[str, Any], verdict: str) -> None:
    listed = [{"email": SA, "name": f"projects/p1/serviceAccounts/{SA}", "projectId": "p1", "uniqueId": "1"}]
    grant = {"type": "permission", "permission": permission}
    documents = [*export, CUSTOM, listed]
    found = judge("GCP", documents, SA, grant, account="p1", context={"project": "p1", **context})
    assert found.verdict == verdict, found.reason
    assert judge("GCP", documents, SA, grant, account="p1") == judge(
        "GCP", documents, SA, grant, account="p1", context={}
    )


GROUP, OTHER, SID, ACCOUNT_ID = "a" * 32, "b" * 32, "iam-ServiceId-1", "c" * 32
EDITOR = "crn:v1:bluemix:public:iam::::role:Editor"


def policy(service: str, *tests: tuple[str, str, Any], number: int = 1) -> dict[str, Any]:
    """Return an IBM policy (v2) of the service ID, with further tests of resources."""
    attributes = [
        {"key": "serviceName", "operator": "stringEquals", "value": service},
        {"key": "accountId", "operator": "stringEquals", "value": ACCOUNT_ID},
        *({"key": key, "operator": operator, "value": value} for key, operator, value in tests),
    ]
    return {
        "id": f"p{number}",
        "type": "access",
        "state": "active",
        "control": {"grant": {"roles": [{"role_id": EDITOR}]}},
        "subject": {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": SID}]},
        "resource": {"attributes": attributes},
    }


def within(operator: str, value: Any) -> tuple[str, str, Any]:
    return ("resourceGroupId", operator, value)


IBM: list[tuple[str, str, list[Any], dict[str, str], str]] = [
    (
        "is in both groups",
        "is",
        [policy("is", within("stringEqualsAnyOf", [GROUP, OTHER]))],
        {"vpc_group": OTHER},
        COVERED,
    ),
    ("is in the own group alone", "is", [policy("is", within("stringEquals", GROUP))], {"vpc_group": OTHER}, NARROWER),
    (
        "is by two policies",
        "is",
        [policy("is", within("stringEquals", GROUP)), policy("is", within("stringEquals", OTHER), number=2)],
        {"vpc_group": OTHER},
        COVERED,
    ),
    ("is everywhere", "is", [policy("is")], {"vpc_group": OTHER}, COVERED),
    ("is elsewhere", "is", [policy("is", within("stringEquals", "d" * 32))], {"vpc_group": GROUP}, MISSING),
    (
        "dns in the instance's group",
        "dns-svcs",
        [policy("dns-svcs", within("stringMatch", "b*"))],
        {"dns_instance_group": OTHER},
        COVERED,
    ),
    (
        "dns in the cluster's group",
        "dns-svcs",
        [policy("dns-svcs", within("stringEquals", GROUP))],
        {"dns_instance_group": OTHER},
        MISSING,
    ),
    (
        "dns, group of the instance not known",
        "dns-svcs",
        [policy("dns-svcs", within("stringEquals", GROUP))],
        {},
        UNKNOWN,
    ),
    ("dns everywhere, group not known", "dns-svcs", [policy("dns-svcs")], {}, COVERED),
    (
        "cis with any group",
        "internet-svcs",
        [policy("internet-svcs", within("stringExists", True))],
        {"cis_instance_group": OTHER},
        COVERED,
    ),
    (
        "cis without a group",
        "internet-svcs",
        [policy("internet-svcs", within("stringExists", False))],
        {"cis_instance_group": OTHER},
        MISSING,
    ),
    ("star is literal in equals", "is", [policy("is", within("stringEquals", "a*"))], {"vpc_group": GROUP}, MISSING),
    ("literal star in match", "is", [policy("is", within("stringMatch", "a{{*}}"))], {"vpc_group": GROUP}, MISSING),
    ("match any of", "is", [policy("is", within("stringMatchAnyOf", ["x*", "a?*"]))], {"vpc_group": GROUP}, COVERED),
    ("one region", "is", [policy("is", ("region", "stringEquals", "eu-de"))], {"vpc_group": GROUP}, NARROWER),
]


@pytest.mark.parametrize(("service", "policies", "context", "verdict"), [c[1:] for c in IBM], ids=[c[0] for c in IBM])
def test_on_ibm_cloud(service: str, policies: list[Any], context: dict[str, str], verdict: str) -> None:
    grant = {"type": "role", "permission": EDITOR, "attributes": [{"name": "serviceName", "value": service}]}
    known = {"resource_group_id": GROUP, **context}
    exports = [{"policies": policies}]
    found = judge("IBMCloud", exports, SID, grant, account=ACCOUNT_ID, scopes=(GROUP,), context=known)
    assert found.verdict == verdict, found.reason


def test_on_azure_a_context_changes_nothing() -> None:
    subscription = "/subscriptions/00000000-0000-0000-0000-0000000000aa"
    scope, definition = (
        f"{subscription}/resourceGroups/c1-rg",
        f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/d1",
    )
    permissions = [
        {"actions": ["Microsoft.Compute/*"], "notActions": ["*/delete"], "dataActions": [], "notDataActions": []}
    ]
    for condition, action, verdict in (
        (None, "Microsoft.Compute/disks/read", COVERED),
        (None, "Microsoft.Compute/disks/DELETE", MISSING),
        ("@Resource[x] StringEquals 'y'", "Microsoft.Compute/disks/read", NARROWER),
    ):
        export = [
            [
                {
                    "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/a",
                    "principalId": "p",
                    "principalType": "ServicePrincipal",
                    "roleDefinitionId": definition,
                    "scope": scope,
                    "condition": condition,
                }
            ],
            [
                {
                    "id": definition,
                    "name": "d1",
                    "roleName": "r",
                    "roleType": "CustomRole",
                    "assignableScopes": [subscription],
                    "permissions": permissions,
                }
            ],
        ]
        grant = {"type": "permission", "permission": action}
        given = {"region": "eastus", "now": "2026-11-30T00:00:00Z"}
        results = [judge("Azure", export, "principal:p", grant, scopes=(scope,), context=c) for c in (None, {}, given)]
        assert [r.verdict for r in results] == [verdict] * 3
