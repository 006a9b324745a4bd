"""GCP: what bindings cover, case by case from the facts (docs/facts/gcp.md#coverage)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, Document
from upgrade_gate.clouds.gcp import holdings as gcp
from upgrade_gate.entitlements import judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SA = "a@p1.iam.gserviceaccount.com"
NODES = "nodes@p1.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{SA}"
CUSTOM = "projects/p1/roles/c1"
GET = "compute.disks.get"
CREATE = "compute.disks.create"
ACT_AS = "iam.serviceAccounts.actAs"
SUBJECT = "system:serviceaccount:openshift-image-registry:registry"
ISSUER = "https://oidc.example.com/c1"
POOL = "projects/42/locations/global/workloadIdentityPools/c1"
PRINCIPAL = f"principal://iam.googleapis.com/{POOL}/subject/{SUBJECT}"


def bind(role: str = CUSTOM, *members: str, condition: str = "") -> dict[str, Any]:
    """A binding of an allow policy."""
    one: dict[str, Any] = {"role": role, "members": list(members or (MEMBER,))}
    return one | ({"condition": {"title": "t", "expression": condition}} if condition else {})


def allow(*bindings: dict[str, Any]) -> dict[str, Any]:
    """An allow policy as `gcloud projects get-iam-policy` prints it."""
    return {"bindings": list(bindings), "etag": "BwU=", "version": 3}


def custom(*permissions: str, name: str = CUSTOM, **more: Any) -> dict[str, Any]:
    """A role as `gcloud iam roles describe` prints it."""
    return {"name": name, "title": "c1", "stage": "GA", "includedPermissions": list(permissions), "etag": "x"} | more


def listed(email: str = SA, **more: Any) -> dict[str, Any]:
    """A service account as `gcloud iam service-accounts list` prints it."""
    name = f"projects/p1/serviceAccounts/{email}"
    return {"email": email, "name": name, "projectId": "p1", "uniqueId": "1", "disabled": False} | more


def own(*bindings: dict[str, Any], email: str = SA) -> dict[str, Any]:
    """A service account's own policy in the wrapper of docs/facts/gcp.md#exports."""
    return {"serviceAccount": email, "policy": allow(*bindings)}


def deny(*permissions: str, principals: Sequence[Any] = ("principalSet://goog/public:all",), **more: Any) -> Any:
    """A deny policy as the IAM v2 API prints it."""
    rule = {"deniedPrincipals": list(principals), "deniedPermissions": list(permissions)}
    return {
        "name": "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp1/denypolicies/no-disks",
        "kind": "DenyPolicy",
        "rules": [{"denyRule": rule | more}],
    }


def asset(resource: str, *bindings: dict[str, Any]) -> dict[str, Any]:
    """A resource's policy as `gcloud asset search-all-iam-policies` prints it, with the project that it lies in."""
    return {
        "resource": f"//{resource}",
        "assetType": "x.googleapis.com/Y",
        "project": "projects/42",
        "folders": ["folders/9"],
        "organization": "organizations/7",
        "policy": {"bindings": list(bindings)},
    }


def decide(
    exports: Sequence[Any],
    permission: str = GET,
    kind: str = "permission",
    *,
    identity: str = SA,
    account: str | None = "p1",
    scopes: Sequence[str] = (),
) -> tuple[str, str]:
    """Judge and return verdict and reason."""
    grant = {"type": kind, "permission": permission}
    judgement = judge("GCP", exports, identity, grant, account=account, scopes=scopes)
    assert judgement.reason
    return str(judgement.verdict), judgement.reason


HELD = [allow(bind()), custom(GET)]
DISKS_DENY = "compute.googleapis.com/disks.get"

CASES: dict[str, tuple[list[Any], dict[str, Any], str, str]] = {
    "custom role": (HELD, {}, "COVERED", f"{CUSTOM} in the project's policy contains {GET}"),
    "custom role without the permission": ([allow(bind()), custom(CREATE)], {}, "MISSING", CUSTOM),
    "permissions compare with case": ([allow(bind()), custom("compute.disks.Get")], {}, "MISSING", CUSTOM),
    "no wildcards": ([allow(bind()), custom("compute.disks.*")], {}, "MISSING", CUSTOM),
    "two roles in union": (
        [allow(bind(), bind("projects/p1/roles/c2")), custom(CREATE), custom(GET, name="projects/p1/roles/c2")],
        {},
        "COVERED",
        "projects/p1/roles/c2",
    ),
    "a role of which an element cannot be read": (
        [allow(bind()), custom(CREATE) | {"includedPermissions": [CREATE, 7]}],
        {},
        "UNKNOWN",
        "cannot be read as a whole",
    ),
    "a role of which another element cannot be read": (
        [allow(bind()), custom(GET) | {"includedPermissions": [GET, 7]}],
        {},
        "COVERED",
        CUSTOM,
    ),
    "needed role, listed empty": (
        [*HELD, custom(name="roles/x")],
        {"permission": "roles/x", "kind": "predefinedRole"},
        "UNKNOWN",
        "roles/x is not bound; nothing that the export shows of it can be compared",
    ),
    "needed role that is not in the export": (
        HELD,
        {"permission": "roles/x", "kind": "predefinedRole"},
        "UNKNOWN",
        "roles/x is not bound; role roles/x is not in the export",
    ),
    "needed role of which three permissions are lacking": (
        [*HELD, custom(GET, "a.b.1", "a.b.2", "a.b.3", name="roles/x")],
        {"permission": "roles/x", "kind": "predefinedRole"},
        "MISSING",
        f"{CUSTOM} lack a.b.1, a.b.2, a.b.3 (policies",
    ),
    "needed role of which four permissions are lacking": (
        [*HELD, custom("a.b.1", "a.b.2", "a.b.3", "a.b.4", name="roles/x")],
        {"permission": "roles/x", "kind": "predefinedRole"},
        "MISSING",
        f"{CUSTOM} lack a.b.1, a.b.2, a.b.3 and 1 more (policies",
    ),
    "needed role, the rest perhaps in a role that is not in the export": (
        [allow(bind(), bind("roles/y")), custom(GET), custom(GET, CREATE, name="roles/x")],
        {"permission": "roles/x", "kind": "predefinedRole"},
        "UNKNOWN",
        "roles/x is not bound; role roles/y is not in the export",
    ),
    "needed role, held beside a role that is not in the export": (
        [allow(bind(), bind("roles/y")), custom(GET, CREATE), custom(GET, CREATE, name="roles/x")],
        {"permission": "roles/x", "kind": "predefinedRole"},
        "COVERED",
        f"{CUSTOM}, roles/y hold every permission of roles/x",
    ),
    "a disabled role after one that lacks it": (
        [allow(bind(), bind("roles/y")), custom(CREATE), custom(GET, name="roles/y", stage="DISABLED")],
        {},
        "MISSING",
        "role roles/y is DISABLED: it grants nothing",
    ),
    "a role that is disabled by one document and deleted by another": (
        [allow(bind()), custom(GET, stage="DISABLED"), custom(GET, deleted=True)],
        {},
        "MISSING",
        "it grants nothing",
    ),
    "needed role, disabled": (
        [*HELD, custom(GET, name="roles/x", stage="DISABLED")],
        {"permission": "roles/x", "kind": "predefinedRole"},
        "UNKNOWN",
        "DISABLED",
    ),
    "needed role that cannot be read": (
        [*HELD, custom(name="roles/x") | {"includedPermissions": [GET, 7]}],
        {"permission": "roles/x", "kind": "predefinedRole"},
        "UNKNOWN",
        "cannot be read as a whole",
    ),
    "needed role that cannot be read, bound": (
        [allow(bind("roles/x")), custom(name="roles/x") | {"includedPermissions": [GET, 7]}],
        {"permission": "roles/x", "kind": "predefinedRole"},
        "COVERED",
        "the role itself",
    ),
    "a binding that cannot be read": (
        [{"bindings": [bind(), "x"], "etag": "x"}, custom(CREATE)],
        {},
        "UNKNOWN",
        "a binding of the project's policy cannot be read",
    ),
    "a member that cannot be read": (
        [{"bindings": [{"role": CUSTOM, "members": ["user:x", 7]}], "etag": "x"}, custom(GET)],
        {},
        "UNKNOWN",
        "a binding of the project's policy cannot be read",
    ),
    "a member that cannot be read beside ours": (
        [{"bindings": [{"role": CUSTOM, "members": [MEMBER, 7]}], "etag": "x"}, custom(GET)],
        {},
        "COVERED",
        CUSTOM,
    ),
    "bindings that are no list": ([{"bindings": 7, "etag": "x"}, custom(GET)], {}, "UNKNOWN", "cannot be read"),
    "an account's number, which is not known": (
        [allow(bind(CUSTOM, "principal://iam.googleapis.com/projects/-/serviceAccounts/1")), custom(GET)],
        {},
        "UNKNOWN",
        "not in the export",
    ),
    "an account's number": (
        [allow(bind(CUSTOM, "principal://iam.googleapis.com/projects/-/serviceAccounts/1")), custom(GET), [listed()]],
        {},
        "COVERED",
        CUSTOM,
    ),
    "another account's number": (
        [allow(bind(CUSTOM, "principal://iam.googleapis.com/projects/-/serviceAccounts/2")), custom(GET), [listed()]],
        {},
        "MISSING",
        "no binding",
    ),
    "denied to an account's number, which is not known": (
        [*HELD, deny(DISKS_DENY, principals=["principal://iam.googleapis.com/projects/-/serviceAccounts/1"])],
        {},
        "UNKNOWN",
        "no-disks",
    ),
    "whoever edits the project": ([allow(bind(CUSTOM, "projectEditor:p1")), custom(GET)], {}, "UNKNOWN", "members"),
    "two different policies of the project": (
        [*({"project": "p1", "policy": allow(b)} for b in (bind(), bind("roles/viewer", "user:x"))), custom(GET)],
        {},
        "UNKNOWN",
        "disagree about the policy of project p1",
    ),
    "two equal policies of the project": (
        [*({"project": "p1", "policy": allow(bind())} for _ in range(2)), custom(GET)],
        {},
        "COVERED",
        CUSTOM,
    ),
    "two different policies of another account": (
        [*HELD, own(bind("roles/x"), email=NODES), own(bind("roles/y"), email=NODES)],
        {},
        "COVERED",
        CUSTOM,
    ),
    "keys of the account itself alone": (
        [allow(bind("roles/none", "user:x")), own(bind()), custom("iam.serviceAccountKeys.create")],
        {"permission": "iam.serviceAccountKeys.create"},
        "NARROWER",
        "not on the project",
    ),
    "a deny rule that cannot be read": (
        [*HELD, deny("x.y/z") | {"rules": ["x"]}],
        {},
        "UNKNOWN",
        "no-disks cannot be read",
    ),
    "a deny rule with a permission that is none": (
        [*HELD, deny("disks")],
        {},
        "UNKNOWN",
        "no-disks cannot be read",
    ),
    "a deny rule that is null": (
        [*HELD, deny("x.y/z") | {"rules": [{"denyRule": None}]}],
        {},
        "UNKNOWN",
        "no-disks cannot be read",
    ),
    "a deny rule with a principal that cannot be read": (
        [*HELD, deny(DISKS_DENY, principals=["user:x", {"a": 1}])],
        {},
        "UNKNOWN",
        "no-disks cannot be read",
    ),
    "a deny rule with a permission that cannot be read": (
        [*HELD, deny("dns.googleapis.com/x.y", deniedPermissions=["dns.googleapis.com/x.y", 5])],
        {},
        "UNKNOWN",
        "no-disks cannot be read",
    ),
    "a deny rule with an exception that cannot be read": (
        [*HELD, deny(DISKS_DENY, exceptionPrincipals=[7])],
        {},
        "UNKNOWN",
        "no-disks cannot be read",
    ),
    "denied by the part of a rule that can be read": (
        [*HELD, deny(DISKS_DENY, deniedPermissions=[DISKS_DENY, 5])],
        {},
        "DENIED",
        "no-disks",
    ),
    "a deny policy that cannot be read beside one that can": (
        [*HELD, {"listing": "denyPolicies", "policies": [deny("dns.googleapis.com/x.y"), {"displayName": "d"}]}],
        {},
        "UNKNOWN",
        "deny policies that cannot be read",
    ),
    "deny policies of which none can be read": (
        [*HELD, {"listing": "denyPolicies", "policies": [{"displayName": "d"}]}],
        {},
        "UNKNOWN",
        "deny policies that cannot be read",
    ),
    "a deny policy of which only the name is known": (
        [*HELD, {"name": "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp1/denypolicies/stop"}],
        {},
        "UNKNOWN",
        "denypolicies/stop",
    ),
    "a listing of deny policies with a next page": (
        [*HELD, {"listing": "denyPolicies", "policies": [], "nextPageToken": "t"}],
        {},
        "UNKNOWN",
        "one page of more",
    ),
    "an ancestor that cannot be read": (
        [
            [{"id": "p1", "type": "project", "policy": allow(bind())}, {"id": "9", "type": "folder", "policy": 7}],
            custom(GET),
        ],
        {},
        "UNKNOWN",
        "policies that cannot be read",
    ),
    "an ancestor without bindings": (
        [
            [
                {"id": "p1", "type": "project", "policy": allow(bind())},
                {"id": "9", "type": "organization", "policy": {}},
            ],
            custom(CREATE),
        ],
        {},
        "MISSING",
        CUSTOM,
    ),
    "nothing above the project was read": (
        [allow(bind(CUSTOM, "user:x@y.z"))],
        {},
        "MISSING",
        "not in the export: gcloud projects get-ancestors-iam-policy",
    ),
    "a role that the table decides in part": (
        [allow(bind("roles/owner"))],
        {},
        "UNKNOWN",
        "gcloud iam roles describe roles/owner",
    ),
    "no binding": ([allow(bind(CUSTOM, "serviceAccount:b@p1.iam.gserviceaccount.com"))], {}, "MISSING", "no binding"),
    "a binding without members": ([{"bindings": [{"role": CUSTOM}]}, custom(GET)], {}, "MISSING", "no binding"),
    "emails compare without case": ([allow(bind(CUSTOM, MEMBER.upper())), custom(GET)], {}, "COVERED", CUSTOM),
    "identity with its prefix": (HELD, {"identity": MEMBER}, "COVERED", CUSTOM),
    "identity that is not an email": (HELD, {"identity": "a"}, "UNKNOWN", "not the email"),
    "role not exported": ([allow(bind())], {}, "UNKNOWN", "gcloud iam roles describe"),
    "role listed without its permissions": (
        [allow(bind()), [{"name": CUSTOM, "title": "c1", "stage": "GA"}]],
        {},
        "UNKNOWN",
        "listed without its permissions",
    ),
    "role listed and described": (
        [allow(bind()), [{"name": CUSTOM, "title": "c1", "stage": "GA"}], custom(GET)],
        {},
        "COVERED",
        CUSTOM,
    ),
    "roles as REST lists them": ([allow(bind()), {"roles": [custom(GET)]}], {}, "COVERED", CUSTOM),
    "an empty role is empty": ([allow(bind()), custom()], {}, "MISSING", CUSTOM),
    "disabled role": ([allow(bind()), custom(GET, stage="DISABLED")], {}, "MISSING", "DISABLED"),
    "deleted role": ([allow(bind()), custom(GET, deleted=True)], {}, "MISSING", "deleted"),
    "deprecated role still grants": ([allow(bind()), custom(GET, stage="DEPRECATED")], {}, "COVERED", CUSTOM),
    "disabled role listed without permissions": (
        [allow(bind()), [{"name": CUSTOM, "title": "c1", "stage": "DISABLED"}]],
        {},
        "MISSING",
        "DISABLED",
    ),
    "two different definitions": ([allow(bind()), custom(GET), custom(CREATE)], {}, "UNKNOWN", "two different"),
    "organisation's role": (
        [allow(bind("organizations/7/roles/o")), custom(GET, name="organizations/7/roles/o")],
        {},
        "COVERED",
        "organizations/7/roles/o",
    ),
    "disabled account": ([*HELD, [listed(disabled=True)]], {}, "MISSING", "disabled"),
    "enabled account": ([*HELD, {"accounts": [listed()]}], {}, "COVERED", CUSTOM),
    "deleted account of that name": (
        [allow(bind(CUSTOM, f"deleted:{MEMBER}?uid=123")), custom(GET)],
        {},
        "MISSING",
        "deleted account",
    ),
    "group": ([allow(bind(CUSTOM, "group:g@example.com")), custom(GET)], {}, "UNKNOWN", "group"),
    "domain": ([allow(bind(CUSTOM, "domain:example.com")), custom(GET)], {}, "UNKNOWN", "group or set"),
    "principal set": (
        [
            allow(bind(CUSTOM, "principalSet://cloudresourcemanager.googleapis.com/projects/42/type/ServiceAccount")),
            custom(GET),
        ],
        {},
        "UNKNOWN",
        "group or set",
    ),
    "a group whose role would not help": (
        [allow(bind(CUSTOM, "group:g@example.com")), custom(CREATE)],
        {},
        "MISSING",
        "no binding",
    ),
    "group beside a direct binding": (
        [allow(bind(CUSTOM, "group:g@example.com", MEMBER)), custom(GET)],
        {},
        "COVERED",
        CUSTOM,
    ),
    "everybody": ([allow(bind(CUSTOM, "allAuthenticatedUsers")), custom(GET)], {}, "COVERED", CUSTOM),
    "a pool's principal is not a service account": (
        [allow(bind(CUSTOM, PRINCIPAL)), custom(GET)],
        {},
        "MISSING",
        "no binding",
    ),
    "a user of the same name": ([allow(bind(CUSTOM, f"user:{SA}")), custom(GET)], {}, "MISSING", "no binding"),
    "condition": ([allow(bind(condition="request.time < x")), custom(GET)], {}, "NARROWER", "request.time < x"),
    "unconditional beside conditional": (
        [allow(bind(condition="request.time < x"), bind()), custom(GET)],
        {},
        "COVERED",
        CUSTOM,
    ),
    "condition that an old policy version hides": (
        [allow(bind(f"{CUSTOM}_withcond_0a1b2c")), custom(GET)],
        {},
        "NARROWER",
        "version",
    ),
    "conditional binding of a role that does not help": (
        [allow(bind(condition="x")), custom(CREATE)],
        {},
        "MISSING",
        "no binding",
    ),
    "conditional binding of an unread role": ([allow(bind(condition="x"))], {}, "UNKNOWN", "roles describe"),
    "predefined role by the dated table": (
        [allow(bind("roles/compute.storageAdmin"))],
        {"permission": CREATE},
        "COVERED",
        "storageAdmin",
    ),
    "predefined role without it by the dated table": (
        [allow(bind("roles/dns.admin"))],
        {"permission": CREATE},
        "MISSING",
        "roles/dns.admin",
    ),
    "exported definition wins over the table": (
        [allow(bind("roles/compute.storageAdmin")), custom(CREATE, name="roles/compute.storageAdmin")],
        {"permission": "compute.images.get"},
        "MISSING",
        "roles/compute.storageAdmin",
    ),
    "a permission that the table does not know": (
        [allow(bind("roles/compute.admin"))],
        {"permission": "compute.disks.setIamPolicy"},
        "UNKNOWN",
        "table of 2026-08-22",
    ),
    "a role that the table does not know": ([allow(bind("roles/file.editor"))], {}, "UNKNOWN", "roles/file.editor"),
    "owner lacks objects": (
        [allow(bind("roles/owner"))],
        {"permission": "storage.objects.create"},
        "MISSING",
        "roles/owner",
    ),
    "owner lacks objects by its exported definition": (
        [allow(bind("roles/owner")), custom("storage.buckets.list", name="roles/owner")],
        {"permission": "storage.objects.get"},
        "MISSING",
        "roles/owner",
    ),
    "owner holds most": ([allow(bind("roles/owner"))], {"permission": CREATE}, "COVERED", "roles/owner"),
    "viewer does not create": ([allow(bind("roles/viewer"))], {"permission": CREATE}, "MISSING", "roles/viewer"),
    "no project policy": ([custom(GET), [listed()]], {}, "UNKNOWN", "get-iam-policy"),
    "an empty policy is a policy": ([{"etag": "ACAB"}, [listed()]], {}, "MISSING", "no binding"),
    "granted on a folder": (
        [
            [
                {"id": "p1", "type": "project", "policy": allow()},
                {"id": "9", "type": "folder", "policy": allow(bind("roles/compute.admin"))},
            ]
        ],
        {"permission": CREATE},
        "COVERED",
        "folder 9",
    ),
    "granted on the organisation": (
        [
            [
                {"id": "p1", "type": "project", "policy": {"etag": "x"}},
                {"id": "7", "type": "organization", "policy": allow(bind("organizations/7/roles/o"))},
            ],
            custom(GET, name="organizations/7/roles/o"),
        ],
        {},
        "COVERED",
        "organization 7",
    ),
    "ancestors of another project": (
        [
            [
                {"id": "p2", "type": "project", "policy": allow()},
                {"id": "9", "type": "folder", "policy": allow(bind("roles/compute.admin"))},
            ]
        ],
        {"permission": CREATE},
        "UNKNOWN",
        "wrong account",
    ),
    "foreign project by its custom role": (
        [allow(bind("projects/p2/roles/c1")), custom(GET, name="projects/p2/roles/c1")],
        {},
        "UNKNOWN",
        "wrong account",
    ),
    "foreign project by its accounts": (
        [allow(bind("roles/compute.admin")), [listed(projectId="p2")]],
        {"permission": CREATE},
        "UNKNOWN",
        "wrong account",
    ),
    "foreign project by the identity alone": (
        [allow(bind("roles/compute.admin", "serviceAccount:a@p2.iam.gserviceaccount.com"))],
        {"permission": CREATE, "identity": "a@p2.iam.gserviceaccount.com"},
        "UNKNOWN",
        "a@p2.iam.gserviceaccount.com lives in p2",
    ),
    "two projects, the other one grants": (
        [
            {"project": "p1", "policy": allow()},
            {"project": "p2", "policy": allow(bind("roles/compute.admin"))},
        ],
        {"permission": CREATE},
        "MISSING",
        "no binding",
    ),
    "account not given, the cluster's project is": (
        [allow(bind("projects/p2/roles/c1")), custom(GET, name="projects/p2/roles/c1")],
        {"account": None, "scopes": ["p1"]},
        "UNKNOWN",
        "wrong account",
    ),
    "one project by its number": ([{"project": "42", "policy": allow(bind())}, custom(GET)], {}, "COVERED", CUSTOM),
    "another project by its number beside ours": (
        [{"project": "p1", "policy": allow()}, {"project": "42", "policy": allow(bind())}, custom(GET)],
        {},
        "MISSING",
        "no binding",
    ),
    "several projects by their numbers": (
        [{"project": "42", "policy": allow(bind("roles/owner"))}, {"project": "43", "policy": allow()}],
        {"permission": CREATE},
        "UNKNOWN",
        "several projects (42, 43), and which of them is p1",
    ),
    "account by number, project by ID": (HELD, {"account": "42"}, "COVERED", CUSTOM),
    "account not given": (HELD, {"account": None}, "COVERED", CUSTOM),
    "account of several not given": (
        [{"project": "p8", "policy": allow()}, {"project": "p9", "policy": allow()}],
        {"account": None},
        "UNKNOWN",
        "several projects",
    ),
    "actAs on the project": ([allow(bind("roles/iam.serviceAccountUser"))], {"permission": ACT_AS}, "COVERED", "User"),
    "actAs on the account itself": (
        [allow(), own(bind("roles/iam.serviceAccountUser"))],
        {"permission": ACT_AS},
        "COVERED",
        f"policy of service account {SA}",
    ),
    "actAs on another account": (
        [allow(), own(), own(bind("roles/iam.serviceAccountUser"), email=NODES)],
        {"permission": ACT_AS},
        "NARROWER",
        NODES,
    ),
    "actAs missing where the account's policy is there": (
        [allow(bind()), custom(GET), own()],
        {"permission": ACT_AS},
        "MISSING",
        CUSTOM,
    ),
    "actAs missing and the account's policy not exported": (
        [allow(bind()), custom(GET)],
        {"permission": ACT_AS},
        "UNKNOWN",
        f"the service account's own policy is not in the export (gcloud iam service-accounts get-iam-policy {SA})",
    ),
    "other permissions do not come from the account's policy": (
        [allow(), own(bind()), custom(GET)],
        {},
        "MISSING",
        "no binding",
    ),
    "listing accounts is the project's": (
        [allow(), own(bind("roles/iam.serviceAccountUser"))],
        {"permission": "iam.serviceAccounts.list"},
        "MISSING",
        "no binding",
    ),
    "an unnamed account policy is not a project policy": (
        [allow(bind("roles/iam.workloadIdentityUser", PRINCIPAL))],
        {},
        "UNKNOWN",
        "project's policy is not in the export",
    ),
    "the role itself": (
        [allow(bind("roles/dns.admin"))],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "COVERED",
        "the role itself",
    ),
    "the role under a condition": (
        [allow(bind("roles/dns.admin", condition="c-text"))],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "NARROWER",
        "c-text",
    ),
    "the role by its permissions": (
        [allow(bind()), custom("dns.a", "dns.b", GET), custom("dns.a", "dns.b", name="roles/dns.admin")],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "COVERED",
        CUSTOM,
    ),
    "the role by permissions of two roles": (
        [
            allow(bind(), bind("projects/p1/roles/c2")),
            custom("dns.a"),
            custom("dns.b", name="projects/p1/roles/c2"),
            custom("dns.a", "dns.b", name="roles/dns.admin"),
        ],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "COVERED",
        "projects/p1/roles/c2",
    ),
    "the role with a permission missing": (
        [allow(bind()), custom("dns.a"), custom("dns.a", "dns.b", name="roles/dns.admin")],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "MISSING",
        "dns.b",
    ),
    "the role by the table: provably missing": (
        [allow(bind()), custom(GET)],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "MISSING",
        "dns.changes.create",
    ),
    "the role by the table: not provable": (
        [allow(bind("roles/compute.admin"))],
        {"permission": "roles/compute.storageAdmin", "kind": "predefinedRole"},
        "UNKNOWN",
        "table of 2026-08-22",
    ),
    "a role that nobody describes": (
        [allow(bind()), custom(GET)],
        {"permission": "roles/file.editor", "kind": "predefinedRole"},
        "UNKNOWN",
        "roles/file.editor",
    ),
    "a role that nobody describes, and no binding": (
        [allow()],
        {"permission": "roles/file.editor", "kind": "predefinedRole"},
        "MISSING",
        "no binding",
    ),
    "the role for a group": (
        [allow(bind("roles/dns.admin", "group:g@example.com"))],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "UNKNOWN",
        "roles/dns.admin",
    ),
    "the role nowhere, and the account's policy not exported": (
        [allow()],
        {"permission": "roles/iam.serviceAccountUser", "kind": "predefinedRole"},
        "MISSING",
        "no binding",
    ),
    "the role on the account alone": (
        [allow(), own(bind("roles/iam.serviceAccountUser"))],
        {"permission": "roles/iam.serviceAccountUser", "kind": "predefinedRole"},
        "NARROWER",
        "not on the project",
    ),
    "denied": ([*HELD, deny(DISKS_DENY)], {}, "DENIED", "no-disks"),
    "denied by a whole resource": ([*HELD, deny("compute.googleapis.com/disks.*")], {}, "DENIED", "no-disks"),
    "denied by a whole service": ([*HELD, deny("compute.googleapis.com/*.*")], {}, "DENIED", "no-disks"),
    "denied for the account": (
        [*HELD, deny(DISKS_DENY, principals=[f"principal://iam.googleapis.com/projects/-/serviceAccounts/{SA}"])],
        {},
        "DENIED",
        "no-disks",
    ),
    "denied for another account": (
        [*HELD, deny(DISKS_DENY, principals=[f"principal://iam.googleapis.com/projects/-/serviceAccounts/{NODES}"])],
        {},
        "COVERED",
        CUSTOM,
    ),
    "denied except for the account": (
        [
            *HELD,
            deny(
                DISKS_DENY,
                exceptionPrincipals=[f"principal://iam.googleapis.com/projects/-/serviceAccounts/{SA}"],
            ),
        ],
        {},
        "COVERED",
        CUSTOM,
    ),
    "denied except for a group": (
        [*HELD, deny(DISKS_DENY, exceptionPrincipals=["principalSet://goog/group/g@example.com"])],
        {},
        "UNKNOWN",
        "group",
    ),
    "denied except this permission": (
        [*HELD, deny("compute.googleapis.com/disks.*", exceptionPermissions=[DISKS_DENY])],
        {},
        "COVERED",
        CUSTOM,
    ),
    "denied under a condition": (
        [*HELD, deny(DISKS_DENY, denialCondition={"expression": "c-text"})],
        {},
        "NARROWER",
        "c-text",
    ),
    "another permission denied": ([*HELD, deny("compute.googleapis.com/disks.delete")], {}, "COVERED", CUSTOM),
    "project permissions have another name in deny rules": (
        [
            allow(bind()),
            custom("resourcemanager.projects.get"),
            deny("cloudresourcemanager.googleapis.com/projects.get"),
        ],
        {"permission": "resourcemanager.projects.get"},
        "DENIED",
        "no-disks",
    ),
    "a deny policy that forbids nothing": (
        [*HELD, deny(DISKS_DENY) | {"rules": []}],
        {},
        "UNKNOWN",
        "rules of deny policy",
    ),
    "a deny policy of another project": (
        [
            *HELD,
            deny(DISKS_DENY) | {"name": "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp2/denypolicies/x"},
        ],
        {},
        "COVERED",
        CUSTOM,
    ),
    "a deny policy listed without its rules": (
        [*HELD, {"policies": [{k: v for k, v in deny(DISKS_DENY).items() if k != "rules"}]}],
        {},
        "UNKNOWN",
        "rules of deny policy",
    ),
    "a deny policy among the ancestors": (
        [
            [
                {"id": "p1", "type": "project", "policy": allow(bind())},
                {"id": "p1", "type": "project", "policy": deny(DISKS_DENY)},
            ],
            custom(GET),
        ],
        {},
        "DENIED",
        "no-disks",
    ),
    "a part of the role denied": (
        [allow(bind("roles/dns.admin")), deny("dns.googleapis.com/changes.create")],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "NARROWER",
        "dns.changes.create",
    ),
    "the whole role denied": (
        [
            allow(bind("roles/dns.admin")),
            custom("dns.changes.create", name="roles/dns.admin"),
            deny("dns.googleapis.com/*.*"),
        ],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "DENIED",
        "no-disks",
    ),
    "whether the role is denied is not known": (
        [allow(bind("roles/dns.admin")), deny("dns.googleapis.com/managedZones.create")],
        {"permission": "roles/dns.admin", "kind": "predefinedRole"},
        "UNKNOWN",
        "managedZones.create",
    ),
    "a permission that no custom role may hold": (
        [allow(bind()), custom(GET), [{"name": "x.y.z", "customRolesSupportLevel": "NOT_SUPPORTED", "stage": "GA"}]],
        {"permission": "x.y.z"},
        "MISSING",
        "NOT_SUPPORTED",
    ),
    "permission in test for custom roles": (
        [allow(bind()), custom(GET), [{"name": "x.y.z", "customRolesSupportLevel": "TESTING", "stage": "GA"}]],
        {"permission": "x.y.z"},
        "MISSING",
        "custom roles: TESTING, so bind a predefined role",
    ),
    "another account is disabled": ([*HELD, [listed(), listed(NODES, disabled=True)]], {}, "COVERED", CUSTOM),
    "the number of another account": (
        [
            allow(bind(CUSTOM, "principal://iam.googleapis.com/projects/p1/serviceAccounts/2")),
            custom(GET),
            [listed(NODES, uniqueId="2"), listed()],
        ],
        {},
        "MISSING",
        "no binding",
    ),
    "a list of policies with an element that cannot be read": (
        [[allow(bind()), 7], custom(CREATE)],
        {},
        "UNKNOWN",
        "holds policies that cannot be read",
    ),
    "a list of policies with an element that cannot be read, granted and denied under a condition": (
        [[allow(bind()), 7], custom(GET), deny(DISKS_DENY, denialCondition={"expression": "x"})],
        {},
        "UNKNOWN",
        "holds policies that cannot be read",
    ),
    "two conditions, the second one is on what is needed": (
        [allow(bind("roles/y", condition="c1"), bind(condition="c2")), custom(GET), custom(CREATE, name="roles/y")],
        {},
        "NARROWER",
        "under a condition: c2",
    ),
    "a group on another resource": (
        [allow(), asset("storage.googleapis.com/b", bind(CUSTOM, "group:g@x")), custom(GET)],
        {},
        "MISSING",
        "no binding",
    ),
    "two bindings on another resource, the first has it": (
        [allow(), asset("storage.googleapis.com/b", bind(), bind("roles/y")), custom(GET), custom(name="roles/y")],
        {},
        "NARROWER",
        f"{CUSTOM} in the policy of another resource",
    ),
    "other permissions do not come from the account's policy, under a condition either": (
        [allow(), own(bind(condition="c")), custom(GET)],
        {},
        "MISSING",
        "no binding",
    ),
    "actAs on the account itself under a condition": (
        [allow(), own(bind("roles/iam.serviceAccountUser", condition="c-text"))],
        {"permission": ACT_AS},
        "NARROWER",
        "c-text",
    ),
    "cut-off page of roles": (
        [allow(bind()), {"roles": [custom(GET)], "nextPageToken": "x"}],
        {},
        "UNKNOWN",
        "cut off",
    ),
    "pages that are all there": (
        [
            allow(bind()),
            {"accounts": [listed(NODES)], "nextPageToken": "x"},
            {"accounts": [listed()]},
            custom(GET),
        ],
        {},
        "COVERED",
        CUSTOM,
    ),
    "a policy found by asset search": (
        [
            {"resource": "//cloudresourcemanager.googleapis.com/projects/p1", "policy": allow(bind())},
            custom(GET),
        ],
        {},
        "COVERED",
        CUSTOM,
    ),
    "granted on a bucket alone": (
        [
            allow(),
            {"resource": "//storage.googleapis.com/b1", "policy": allow(bind("roles/storage.admin"))},
        ],
        {"permission": "storage.objects.get"},
        "NARROWER",
        "b1",
    ),
    "identity as a resource name": (HELD, {"identity": f"projects/p1/serviceAccounts/{SA}"}, "COVERED", CUSTOM),
    "needed role, bound and disabled": (
        [allow(bind()), custom(GET, stage="DISABLED")],
        {"permission": CUSTOM, "kind": "predefinedRole"},
        "MISSING",
        "DISABLED",
    ),
    "needed role, bound and deleted": (
        [allow(bind()), custom(GET, deleted=True)],
        {"permission": CUSTOM, "kind": "predefinedRole"},
        "MISSING",
        "deleted",
    ),
    "needed role, bound, and disabled by one of two documents": (
        [allow(bind()), custom(GET), custom(GET, stage="DISABLED")],
        {"permission": CUSTOM, "kind": "predefinedRole"},
        "UNKNOWN",
        "two different definitions",
    ),
    "needed role, bound, with two lists of permissions": (
        [allow(bind()), custom(GET), custom(CREATE)],
        {"permission": CUSTOM, "kind": "predefinedRole"},
        "COVERED",
        "the role itself",
    ),
    "bound to a member of a form that nobody knows": (
        [allow(bind(CUSTOM, "principalHierarchy://x/organizations/7")), custom(GET)],
        {},
        "UNKNOWN",
        "members are not in the export",
    ),
    "denied to a hierarchy": (
        [*HELD, deny(DISKS_DENY, principals=["principalHierarchy://x/organizations/7"])],
        {},
        "UNKNOWN",
        "no-disks",
    ),
    "denied to a user": ([*HELD, deny(DISKS_DENY, principals=["principal://goog/subject/x@y.z"])], {}, "COVERED", ""),
    "a deny policy listed without its rules, and described": (
        [*HELD, [{k: v for k, v in deny("x").items() if k != "rules"}], deny("dns.googleapis.com/changes.create")],
        {},
        "COVERED",
        CUSTOM,
    ),
    "a principal access boundary": (
        [*HELD, {"name": "organizations/7/locations/global/principalAccessBoundaryPolicies/b", "details": {}}],
        {},
        "UNKNOWN",
        "principalAccessBoundaryPolicies/b",
    ),
    "a principal access boundary and nothing granted": (
        [
            allow(bind()),
            custom(CREATE),
            {"name": "organizations/7/locations/global/principalAccessBoundaryPolicies/b", "details": {}},
        ],
        {},
        "MISSING",
        CUSTOM,
    ),
    "found by an asset search in the project": (
        [[asset("cloudresourcemanager.googleapis.com/projects/p1", bind())], custom(GET)],
        {},
        "COVERED",
        "project p1",
    ),
    "found by an asset search on a bucket of the project": (
        [
            allow(),
            [asset("storage.googleapis.com/b1", bind("roles/storage.admin"))],
        ],
        {"permission": "storage.objects.get"},
        "NARROWER",
        "b1",
    ),
    "found by an asset search in another project": (
        [[asset("cloudresourcemanager.googleapis.com/projects/p2", bind("roles/compute.admin"))]],
        {"permission": CREATE},
        "UNKNOWN",
        "wrong account",
    ),
    "found by an asset search on the account": (
        [
            allow(),
            [asset("iam.googleapis.com/projects/p1/serviceAccounts/1", bind("roles/iam.serviceAccountUser"))],
            [listed()],
        ],
        {"permission": ACT_AS},
        "COVERED",
        "policy of service account",
    ),
    "found by an asset search on two resources": (
        [
            [
                asset("cloudresourcemanager.googleapis.com/projects/p1", bind()),
                asset("storage.googleapis.com/b1", bind("roles/x")),
            ],
            custom(GET),
        ],
        {},
        "COVERED",
        CUSTOM,
    ),
    "not among the bindings that an asset search matched": (
        [[asset("cloudresourcemanager.googleapis.com/projects/p1", bind())], custom(CREATE)],
        {},
        "UNKNOWN",
        "asset search matched",
    ),
    "found by an asset search in a folder of another project": (
        [
            [
                asset("cloudresourcemanager.googleapis.com/projects/p1", bind(CUSTOM, "user:x")),
                asset("cloudresourcemanager.googleapis.com/folders/8", bind("roles/compute.admin")),
            ]
        ],
        {"permission": CREATE},
        "UNKNOWN",
        "asset search matched",
    ),
    "found by an asset search in the project's folder": (
        [
            [
                asset("cloudresourcemanager.googleapis.com/projects/p1", bind(CUSTOM, "user:x")),
                asset("cloudresourcemanager.googleapis.com/folders/9", bind("roles/compute.admin")),
            ]
        ],
        {"permission": CREATE},
        "COVERED",
        "folder 9",
    ),
    "two policies without a name, one of which grants": (
        [allow(bind("roles/viewer")), allow(bind("roles/compute.admin"))],
        {"permission": CREATE},
        "UNKNOWN",
        "do not say what they belong to",
    ),
    "two policies without a name, each of which grants": (
        [allow(bind("roles/editor")), allow(bind("roles/compute.admin"))],
        {"permission": CREATE},
        "COVERED",
        "contains compute.disks.create",
    ),
    "two policies without a name, none of which grants": (
        [allow(bind("roles/viewer")), allow(bind("roles/dns.admin"))],
        {"permission": CREATE},
        "MISSING",
        "no role that is bound",
    ),
    "one policy without a name twice": ([allow(bind()), allow(bind()), custom(GET)], {}, "COVERED", CUSTOM),
    "two policies without a name, one binds the project's role": (
        [allow(bind()), allow(bind("roles/storage.admin")), custom(GET)],
        {},
        "COVERED",
        CUSTOM,
    ),
    "two policies without a name, one binds the project's role, the other grants": (
        [allow(bind()), allow(bind("roles/compute.admin")), custom(GET)],
        {"permission": CREATE},
        "UNKNOWN",
        "do not say what they belong to",
    ),
    "the project's policy, and one of a bucket without its name": (
        [{"project": "p1", "policy": allow()}, allow(bind("roles/storage.admin"))],
        {"permission": "storage.objects.get"},
        "UNKNOWN",
        "do not say what they belong to",
    ),
    "the project's policy with and without its name": (
        [{"project": "p1", "policy": allow(bind())}, allow(bind()), custom(GET)],
        {},
        "COVERED",
        CUSTOM,
    ),
    "a policy that only an organisation can have": (
        [
            allow(bind("roles/viewer", "user:x")),
            allow(bind("roles/resourcemanager.organizationAdmin", "user:x"), bind("roles/compute.admin")),
        ],
        {"permission": CREATE},
        "COVERED",
        "organization",
    ),
    "a policy that only an organisation can have, alone": (
        [allow(bind("roles/resourcemanager.organizationAdmin", "user:x"))],
        {},
        "UNKNOWN",
        "project's policy is not in the export",
    ),
    "grant of another cloud": (HELD, {"kind": "action"}, "UNKNOWN", "GCP has no grants"),
}


@pytest.mark.parametrize("case", CASES)
def test_grant(case: str) -> None:
    exports, arguments, verdict, fragment = CASES[case]
    got, reason = decide(exports, **arguments)
    assert (got, fragment in reason) == (verdict, True), f"{case}: {got}, {reason}"


@pytest.mark.parametrize("ending", ["", ".json", ".json.gz", ".YAML"])
def test_a_file_named_after_the_email_is_that_accounts_policy(ending: str) -> None:
    policy = Document(allow(bind("roles/iam.serviceAccountUser")), f"policies/{SA}{ending}")
    judgement = gcp.build([Document(allow()), policy], "p1").judge(SA, Grant("permission", ACT_AS), ())
    assert judgement.verdict is Coverage.COVERED
    assert SA in judgement.reason


def test_beside_a_project_policy_a_bare_policy_of_account_roles_is_some_accounts() -> None:
    bare = allow(bind("roles/iam.serviceAccountUser"))
    assert decide([bare], ACT_AS)[0] == "COVERED"
    got, reason = decide([allow(bind()), custom(GET), bare], ACT_AS)
    assert got == "UNKNOWN", reason


def test_covered_carries_what_the_export_cannot_show() -> None:
    judgement = judge("GCP", HELD, SA, {"type": "permission", "permission": GET}, account="p1")
    assert [c.split(" ")[0] for c in judgement.caveats] == ["deny", "whether", "principal"]
    full = [*HELD, [listed()], deny("x.googleapis.com/y.z")]
    judgement = judge("GCP", full, SA, {"type": "permission", "permission": GET}, account="p1")
    assert judgement.caveats == ("principal access boundary policies are not in IAM exports",)


def test_cover_by_the_table_says_its_date() -> None:
    judgement = judge("GCP", [allow(bind("roles/compute.admin"))], SA, {"permission": CREATE}, account="p1")
    assert any("2026-08-22" in caveat for caveat in judgement.caveats)


def provider(issuer: str = ISSUER, pool: str = POOL, **more: Any) -> dict[str, Any]:
    """A provider as `gcloud iam workload-identity-pools providers describe` prints it."""
    return {
        "name": f"{pool}/providers/c1",
        "state": "ACTIVE",
        "oidc": {"issuerUri": issuer, "allowedAudiences": ["openshift"]},
        "attributeMapping": {"google.subject": "assertion.sub"},
    } | more


USER = "roles/iam.workloadIdentityUser"
TRUST_CASES: dict[str, tuple[list[Any], str, str]] = {
    "subject and issuer": ([own(bind(USER, PRINCIPAL)), provider()], "COVERED", f"{USER} in the policy of {SA}"),
    "no provider described": ([own(bind(USER, PRINCIPAL))], "COVERED", USER),
    "subject of another case": ([own(bind(USER, PRINCIPAL.replace("registry", "Registry")))], "MISSING", SUBJECT),
    "subject with a longer name": ([own(bind(USER, f"{PRINCIPAL}-2"))], "MISSING", SUBJECT),
    "another role": ([own(bind("roles/viewer", PRINCIPAL))], "MISSING", SUBJECT),
    "another account's policy": ([own(bind(USER, PRINCIPAL), email=NODES)], "UNKNOWN", "get-iam-policy"),
    "policy not exported": ([allow(bind())], "UNKNOWN", "get-iam-policy"),
    "pool of another issuer": ([own(bind(USER, PRINCIPAL)), provider("https://other")], "MISSING", "https://other"),
    "another pool's provider": (
        [own(bind(USER, PRINCIPAL)), provider("https://other", POOL.replace("/c1", "/c2"))],
        "COVERED",
        USER,
    ),
    "provider disabled": ([own(bind(USER, PRINCIPAL)), provider(disabled=True)], "MISSING", "disabled"),
    "provider deleted": ([own(bind(USER, PRINCIPAL)), provider(state="DELETED")], "MISSING", "disabled"),
    "pool disabled": (
        [own(bind(USER, PRINCIPAL)), [{"name": POOL, "state": "ACTIVE", "disabled": True}]],
        "MISSING",
        "disabled",
    ),
    "pool described beside its provider": (
        [own(bind(USER, PRINCIPAL)), [{"name": POOL, "state": "ACTIVE"}], provider()],
        "COVERED",
        USER,
    ),
    "pool described alone": ([own(bind(USER, PRINCIPAL)), [{"name": POOL, "state": "ACTIVE"}]], "COVERED", USER),
    "one provider disabled, one not": (
        [own(bind(USER, PRINCIPAL)), provider(disabled=True, name=f"{POOL}/providers/c2"), provider()],
        "COVERED",
        USER,
    ),
    "one provider disabled, one of another audience": (
        [
            own(bind(USER, PRINCIPAL)),
            provider(disabled=True),
            provider(name=f"{POOL}/providers/c2", oidc={"issuerUri": ISSUER, "allowedAudiences": ["sts"]}),
        ],
        "MISSING",
        "audience",
    ),
    "binding under a condition": ([own(bind(USER, PRINCIPAL, condition="c-text"))], "NARROWER", "c-text"),
    "binding under a condition and without one": (
        [own(bind(USER, PRINCIPAL, condition="c-text"), bind(USER, PRINCIPAL)), provider()],
        "COVERED",
        USER,
    ),
    "binding under a condition beside one that cannot be read": (
        [{"serviceAccount": SA, "policy": {"bindings": [bind(USER, PRINCIPAL, condition="c-text"), "x"]}}],
        "UNKNOWN",
        "can be read",
    ),
    "denied, beside a binding that cannot be read": (
        [
            {"serviceAccount": SA, "policy": {"bindings": [bind(USER, PRINCIPAL), "x"]}},
            deny("iam.googleapis.com/serviceAccounts.getAccessToken"),
        ],
        "DENIED",
        "no-disks",
    ),
    "bindings that a search matched": (
        [asset(f"iam.googleapis.com/projects/p1/serviceAccounts/{SA}", bind(USER, f"{PRINCIPAL}-2"))],
        "UNKNOWN",
        "not all of",
    ),
    "provider under a condition": (
        [own(bind(USER, PRINCIPAL)), provider(attributeCondition="c-text")],
        "NARROWER",
        "c-text",
    ),
    "subject mapped otherwise": (
        [own(bind(USER, PRINCIPAL)), provider(attributeMapping={"google.subject": "assertion.x"})],
        "UNKNOWN",
        "assertion.x",
    ),
    "the whole pool": (
        [own(bind(USER, f"principalSet://iam.googleapis.com/{POOL}/*")), provider()],
        "COVERED",
        USER,
    ),
    "the whole pool of another issuer": (
        [own(bind(USER, f"principalSet://iam.googleapis.com/{POOL}/*")), provider("https://other")],
        "MISSING",
        "https://other",
    ),
    "an attribute of the pool": (
        [own(bind(USER, f"principalSet://iam.googleapis.com/{POOL}/attribute.ns/x")), provider()],
        "UNKNOWN",
        "attribute",
    ),
    "provider of another audience": (
        [own(bind(USER, PRINCIPAL)), provider(oidc={"issuerUri": ISSUER, "allowedAudiences": ["sts"]})],
        "MISSING",
        "audience sts only",
    ),
    "provider that takes its own name only": (
        [own(bind(USER, PRINCIPAL)), provider(oidc={"issuerUri": ISSUER})],
        "MISSING",
        "audience of its own resource name only",
    ),
    "provider of no audience": (
        [own(bind(USER, PRINCIPAL)), provider(oidc={"issuerUri": ISSUER, "allowedAudiences": []})],
        "MISSING",
        "own resource name",
    ),
    "provider of another spelling": (
        [own(bind(USER, PRINCIPAL)), provider(oidc={"issuerUri": ISSUER, "allowedAudiences": ["OpenShift"]})],
        "MISSING",
        "audience OpenShift only",
    ),
    "issuer with a slash": ([own(bind(USER, PRINCIPAL)), provider(issuer=f"{ISSUER}/")], "MISSING", "whose issuer is"),
    "provider of unreadable audiences": (
        [own(bind(USER, PRINCIPAL)), provider(oidc={"issuerUri": ISSUER, "allowedAudiences": 7})],
        "UNKNOWN",
        "audiences",
    ),
    "one provider under a condition, one with another subject": (
        [
            own(bind(USER, PRINCIPAL)),
            provider(attributeCondition="c-text"),
            provider(name=f"{POOL}/providers/c2", attributeMapping={"google.subject": "assertion.x"}),
        ],
        "NARROWER",
        "c-text",
    ),
    "bound in the project": ([allow(bind(), bind(USER, PRINCIPAL)), provider()], "COVERED", "above the account"),
    "bound in the project, the account binds another": (
        [allow(bind(), bind(USER, PRINCIPAL)), own(bind(USER, f"{PRINCIPAL}-2")), provider()],
        "COVERED",
        USER,
    ),
    "may create tokens": ([own(bind("roles/iam.serviceAccountTokenCreator", PRINCIPAL)), provider()], "COVERED", USER),
    "a binding that cannot be read": (
        [{"serviceAccount": SA, "policy": {"bindings": [bind("roles/viewer"), "x"]}}],
        "UNKNOWN",
        "can be read",
    ),
    "account disabled": ([own(bind(USER, PRINCIPAL)), [listed(disabled=True)]], "MISSING", "disabled"),
    "another account disabled": ([own(bind(USER, PRINCIPAL)), [listed(NODES, disabled=True)]], "COVERED", USER),
    "bound in one of two policies that name nothing": (
        [allow(bind("roles/viewer"), bind(USER, PRINCIPAL)), allow(bind("roles/viewer"))],
        "UNKNOWN",
        "is not in the export",
    ),
    "two documents disagree": ([own(bind(USER, PRINCIPAL)), own()], "UNKNOWN", "two documents disagree"),
    "not named, and deny policies that cannot be read": (
        [own(bind(USER, f"{PRINCIPAL}-2")), {"listing": "denyPolicies", "policies": ["x"]}],
        "MISSING",
        SUBJECT,
    ),
    "deny policies that cannot be read": (
        [own(bind(USER, PRINCIPAL)), {"listing": "denyPolicies", "policies": ["x"]}],
        "UNKNOWN",
        "holds deny policies that cannot be read",
    ),
    "cut off": ([own(bind(USER, PRINCIPAL)), {"roles": [], "nextPageToken": "x"}], "UNKNOWN", "cut off"),
}


@pytest.mark.parametrize("case", TRUST_CASES)
def test_trust(case: str) -> None:
    exports, verdict, fragment = TRUST_CASES[case]
    judgement = gcp.build([Document(body) for body in exports], "p1").trust(SA, ISSUER, [SUBJECT])
    assert (str(judgement.verdict), fragment in judgement.reason) == (verdict, True), f"{case}: {judgement}"


@pytest.mark.parametrize(
    ("identity", "project", "verdict"),
    [
        (SA, "p1", "COVERED"),
        (SA, "p2", "UNKNOWN"),
        ("a@p2.iam.gserviceaccount.com", "p1", "UNKNOWN"),
        ("a@p2.iam.gserviceaccount.com", "p2", "COVERED"),
        ("42-compute@developer.gserviceaccount.com", "p1", "COVERED"),
        ("42-compute@developer.gserviceaccount.com", "p2", "UNKNOWN"),
    ],
)
def test_trust_on_a_project_counts_for_the_accounts_that_live_there(identity: str, project: str, verdict: str) -> None:
    bound = Document({"project": project, "policy": allow(bind(USER, PRINCIPAL))})
    holdings = gcp.build([bound, Document(provider())], None, Context(project="p1"))
    assert holdings.trust(identity, ISSUER, [SUBJECT]).verdict == verdict


def test_only_a_described_provider_proves_the_issuer() -> None:
    exports = [Document(own(bind(USER, PRINCIPAL)))]
    unseen = gcp.build(exports, "p1").trust(SA, ISSUER, [SUBJECT])
    assert (len(unseen.caveats), unseen.issuer_unseen) == (1, True)
    exports.append(Document(provider()))
    seen = gcp.build(exports, "p1").trust(SA, ISSUER, [SUBJECT])
    assert (seen.caveats, seen.issuer_unseen) == ((), False)


def test_audiences_that_were_not_printed_are_a_caveat() -> None:
    printed = {"name": f"{POOL}/providers/c1", "oidc": {"issuerUri": ISSUER}}
    exports = [Document(own(bind(USER, PRINCIPAL))), Document(printed)]
    found = gcp.build(exports, "p1").trust(SA, ISSUER, [SUBJECT])
    assert (found.verdict, found.caveats) == ("COVERED", ("which audiences provider c1 takes was not seen",))


def test_without_a_subject_only_the_accounts_own_policy_is_asked_for() -> None:
    assert gcp.build([Document(allow(bind()))], "p1").trust(SA, ISSUER, []).verdict is Coverage.UNKNOWN
    assert gcp.build([Document(own())], "p1").trust(SA, ISSUER, []).verdict is Coverage.COVERED


def test_a_pool_whose_list_of_providers_is_empty_lets_nobody_in() -> None:
    asked = "gcloud iam workload-identity-pools providers list --workload-identity-pool=c1 --location=global"
    exports = [Document(own(bind(USER, PRINCIPAL))), Document([], asked=asked)]
    assert "has no provider" in gcp.build(exports, "p1").trust(SA, ISSUER, [SUBJECT]).reason
    exports.append(Document(provider()))
    assert gcp.build(exports, "p1").trust(SA, ISSUER, [SUBJECT]).verdict is Coverage.COVERED


@pytest.mark.parametrize(
    ("exports", "missing"),
    [
        ([allow(bind())], False),
        ([allow(bind()), {"listing": "denyPolicies", "policies": []}], True),
        ([allow(bind()), deny("dns.googleapis.com/*")], True),
    ],
)
def test_that_deny_policies_were_not_asked_for_is_said(exports: list[Any], missing: bool) -> None:
    found = judge("GCP", [*exports, custom(GET)], SA, {"type": "permission", "permission": GET}, account="p1")
    assert found.verdict is Coverage.COVERED
    assert any("deny policies are not in the export" in line for line in found.caveats) is not missing


@pytest.mark.parametrize(("kind", "verdict"), [("allow", "UNKNOWN"), ("deny", "MISSING")])
def test_what_a_reader_could_not_read_of_a_resource_is_said(kind: str, verdict: str) -> None:
    held = [allow(bind()), {"unread": kind, "resource": "projects/p1"}]
    needed = {"type": "permission", "permission": GET}
    assert decide([*held, custom(CREATE)])[0] == verdict
    found = judge("GCP", [*held, custom(GET)], SA, needed, account="p1")
    assert found.verdict is Coverage.COVERED
    assert ("deny policies of projects/p1 could not be read" in found.caveats) is (kind == "deny")


def test_what_could_not_be_read_stays_a_doubt_beside_what_was_found() -> None:
    exports = [{"bindings": [bind(), "x"], "etag": "x"}, custom(CREATE)]
    found = judge("GCP", exports, SA, {"type": "permission", "permission": GET}, account="p1")
    assert found.doubt == "a binding of the project's policy cannot be read"


def test_only_an_account_that_was_deleted_is_said_to_be_deleted() -> None:
    assert "deleted" not in decide([allow(bind()), custom(CREATE)])[1]


def test_one_missing_subject_of_two_is_missing() -> None:
    holdings = gcp.build([Document(own(bind(USER, PRINCIPAL))), Document(provider())], "p1")
    judgement = holdings.trust(SA, ISSUER, [SUBJECT, "system:serviceaccount:a:b"])
    assert judgement.verdict is Coverage.MISSING
    assert "system:serviceaccount:a:b" in judgement.reason
    assert SUBJECT not in judgement.reason


def test_ccoctl_name_is_the_display_name() -> None:
    holdings = gcp.build([Document([listed(displayName="c1-registry"), listed(NODES, displayName="n")])], "p1")
    assert holdings.find_by_ccoctl_name("c1-registry") == SA
    assert holdings.find_by_ccoctl_name("c1-Registry") is None
    twins = gcp.build([Document([listed(displayName="x"), listed(NODES, displayName="x")])], "p1")
    assert twins.find_by_ccoctl_name("x") is None


def test_custom_role_over_its_limits_is_reported() -> None:
    many = [f"service.resource{n}.get" for n in range(2999)]
    holdings = gcp.build([Document(allow(bind())), Document(custom(*many))], "p1")
    assert [s.what for s in holdings.sizes(SA, [])] == [f"bytes of custom role {CUSTOM}"]
    required = [Grant("permission", GET), Grant("permission", CREATE)]
    sizes = holdings.sizes(SA, required)
    assert (sizes[0].what, sizes[0].size, sizes[0].limit) == (f"permissions of custom role {CUSTOM}", 3001, 3000)
    listing = {"name": CUSTOM, "title": "c1", "stage": "GA", "etag": "x"}
    beside = gcp.build([Document(allow(bind())), Document([listing]), Document(custom(*many))], "p1")
    assert [s.what for s in beside.sizes(SA, [])] == [f"bytes of custom role {CUSTOM}"]
    assert gcp.build([Document(allow(bind())), Document([listing])], "p1").sizes(SA, required) == ()
    full = gcp.build([Document(allow(bind())), Document(custom(*(f"a.b{n}.c" for n in range(3000))))], "p1")
    assert full.sizes(SA, []) == (), "3000 permissions are allowed"
    assert full.sizes(SA, [Grant("predefinedRole", "roles/dns.admin")]) == (), "a role is no permission of a role"
    foreign = gcp.build([Document(allow(bind(CUSTOM, "user:x"))), Document(custom(*many))], "p1")
    assert foreign.sizes(SA, required) == ()
    googles = gcp.build([Document(allow(bind("roles/x"))), Document(custom(*many, name="roles/x"))], "p1")
    assert googles.sizes(SA, required) == ()
    second = "projects/p1/roles/c2"
    both = gcp.build([Document(allow(bind(), bind(second))), Document(custom(*many, name=second))], "p1")
    assert {s.what.split()[-1] for s in both.sizes(SA, required)} == {second}
    small = gcp.build([Document(allow(bind())), Document(custom(GET))], "p1")
    assert small.sizes(SA, required) == ()
    assert small.resolve(MEMBER) == SA


def test_holdings_say_which_project_they_belong_to() -> None:
    assert gcp.build([Document(allow(bind()))], None).account == "p1"
    assert gcp.build([Document(allow(bind()))], "p1").account == "p1"
    assert gcp.build([Document(allow())], None).account is None


def test_other_clouds_documents_are_not_recognised() -> None:
    body: Any
    for body in (
        {"value": [{"principalId": "x", "roleDefinitionId": "y"}]},
        {"RoleDetailList": []},
        {"policies": []},
        {"bindings": [{"x": 1}]},
        {"service_roles": []},
        [],
        {},
        None,
    ):
        assert not gcp.recognises(body), body
    for body in (allow(), own(), custom(), [listed()], provider(), deny("x"), {"accounts": []}, {"etag": "x"}):
        assert gcp.recognises(body), body


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [None], {"a": {"b": []}}])
def test_junk_in_known_fields_is_no_grant(junk: Any) -> None:
    for field in ("role", "members"):
        assert decide([allow(bind() | {field: junk}), custom(GET)])[0] in ("MISSING", "UNKNOWN"), field
    for field in ("name", "includedPermissions"):
        assert decide([allow(bind()), custom(GET) | {field: junk}])[0] in ("MISSING", "UNKNOWN"), field
    assert decide([allow(bind() | {"condition": junk or None}), custom(GET)])[0] in ("COVERED", "NARROWER")


def test_gate_exports_differ_by_one_permission(shared: Path) -> None:
    for name, verdict in (("gcp-done", "COVERED"), ("gcp-one-permission-forgotten", "MISSING")):
        folder = shared / "cases" / "gate" / name / "identities"
        exports = [json.loads(f.read_text()) for f in sorted(folder.glob("*.json"))]
        got, reason = decide(exports, "compute.firewalls.delete", identity="c1-02@p1.iam.gserviceaccount.com")
        assert got == verdict, f"{name}: {reason}"


def test_two_grants_that_suffice_only_together_name_one_of_them() -> None:
    """A role of two permissions, one held for sure and one through a group: neither source suffices by itself."""
    both = {"name": "roles/x", "includedPermissions": ["a.b.c", "a.b.d"]}
    one = {"name": "projects/p1/roles/one", "includedPermissions": ["a.b.c"], "stage": "GA"}
    two = {"name": "projects/p1/roles/two", "includedPermissions": ["a.b.d"], "stage": "GA"}
    policy = allow(bind("projects/p1/roles/one"), bind("projects/p1/roles/two", "group:g@example.com"))
    needed = {"type": "predefinedRole", "permission": "roles/x"}
    judgement = judge("GCP", [policy, both, one, two], SA, needed)
    assert judgement.verdict == "UNKNOWN"
    assert "group" in judgement.reason


@pytest.mark.parametrize("value", [False, 0, "", [], {}, 17])
def test_a_condition_that_cannot_be_read_limits(value: Any) -> None:
    assert decide([allow({**bind(), "condition": value}), custom(GET)])[0] == "NARROWER"


@pytest.mark.parametrize("key", ["Condition", "conditon", "condition ", "CONDITION", "conditions"])
def test_a_condition_under_a_misspelt_name_limits(key: str) -> None:
    condition = {"title": "t", "expression": "resource.name == 'x'"}
    assert decide([allow({**bind(), key: condition}), custom(GET)])[0] == "NARROWER"


@pytest.mark.parametrize("more", [{"stage": "DISABLD"}, {"stage": ""}, {"stage": 0}, {"deleted": 0}, {"deleted": "no"}])
def test_a_role_in_a_stage_that_nobody_knows_grants_nothing(more: dict[str, Any]) -> None:
    assert decide([allow(bind()), custom(GET, **more)])[0] == "MISSING"


@pytest.mark.parametrize("stage", ["ALPHA", "BETA", "GA", "DEPRECATED", "EAP", None])
def test_a_role_in_any_other_stage_grants_what_it_lists(stage: str | None) -> None:
    assert decide([allow(bind()), custom(GET, stage=stage)])[0] == "COVERED"


@pytest.mark.parametrize("more", [{"disabled": 0}, {"disabled": ""}, {"disabled": "false"}, {"Disabled": True}])
def test_an_account_that_does_not_say_plainly_that_it_works_does_not(more: dict[str, Any]) -> None:
    account = {key: value for key, value in listed().items() if key != "disabled"} | more
    assert decide([*HELD, [account]])[0] == "MISSING"


@pytest.mark.parametrize("name", [f"{DISKS_DENY} ", f" {DISKS_DENY}", f"{DISKS_DENY}\n"])
def test_a_denied_permission_with_a_blank_cannot_be_read(name: str) -> None:
    assert decide([*HELD, deny(name)])[0] == "UNKNOWN"


def test_a_denied_permission_counts_in_any_case() -> None:
    assert decide([*HELD, deny(DISKS_DENY.upper())])[0] == "DENIED"


@pytest.mark.parametrize("field", ["id", "type"])
@pytest.mark.parametrize("value", ["", None, 7, "organisation", "gone"])
def test_a_chain_of_ancestors_that_cannot_be_read_hides_no_deny(field: str, value: Any) -> None:
    """An organisation's deny policy counts unless the whole chain shows that it is another organisation's."""
    chain = [
        {"id": "p1", "type": "project", "policy": allow(bind())},
        {"id": "999", "type": "organization", "policy": allow()},
    ]
    if value == "gone":
        del chain[1]
    elif (field, value) != ("id", "organisation"):
        chain[1][field] = value
    forbids = deny(DISKS_DENY) | {
        "name": "policies/cloudresourcemanager.googleapis.com%2Forganizations%2F999/denypolicies/no-disks"
    }
    grant = {"type": "permission", "permission": GET}
    found = judge("GCP", [chain, custom(GET), [forbids]], SA, grant, account="p1", context={"project": "p1"})
    assert str(found.verdict) != "COVERED"


@pytest.mark.parametrize(("excepted", "verdict"), [(DISKS_DENY, "COVERED"), (f"{DISKS_DENY[:-1]}?", "DENIED")])
def test_a_question_mark_is_no_wildcard_in_what_a_deny_excepts(excepted: str, verdict: str) -> None:
    assert decide([*HELD, deny(DISKS_DENY, exceptionPermissions=[excepted])])[0] == verdict


def test_of_several_denies_the_first_is_named_and_none_hides_another() -> None:
    first, second = deny(DISKS_DENY), deny(DISKS_DENY)
    second["name"] = second["name"].replace("no-disks", "nothing-else")
    elsewhere = deny("storage.googleapis.com/buckets.get")
    nobody = deny(DISKS_DENY, principals=["principal://iam.googleapis.com/projects/-/serviceAccounts/other@p1.x"])
    conditional = deny(DISKS_DENY, denialCondition={"expression": "resource.matchTag('a', 'b')"})
    verdict, reason = decide([*HELD, elsewhere, nobody, conditional, first, second])
    assert (verdict, "no-disks forbids" in reason) == ("DENIED", True)
