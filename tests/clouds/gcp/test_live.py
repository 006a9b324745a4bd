"""GCP live: the documents that Google's APIs give, by GET and `:getIamPolicy` alone."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.cloud_api import TOKEN, Answer, CloudApi, serve
from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.clouds.gcp import holdings as gcp
from upgrade_gate.clouds.gcp import live

if TYPE_CHECKING:
    from tests.worlds.certificates import Certificates

pytestmark = pytest.mark.slow

SA = "a@p1.iam.gserviceaccount.com"
NODES = "nodes@p1.iam.gserviceaccount.com"
POOL = "projects/42/locations/global/workloadIdentityPools/c1"
SUBJECT = "system:serviceaccount:ns:sa"
GET, CREATE, DELETE = (Grant("permission", f"compute.disks.{verb}") for verb in ("get", "create", "delete"))
DENY = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2F42/denypolicies/no-delete"
POINT = "/v2/policies/cloudresourcemanager.googleapis.com%2F{}/denypolicies"


def policy(*bindings: tuple[str, str]) -> Answer:
    """An allow policy of one member per role."""
    return Answer({"bindings": [{"role": role, "members": [member]} for role, member in bindings], "etag": "x"})


def role(name: str, *permissions: str) -> Answer:
    """A role with its permissions."""
    return Answer({"name": name, "title": "t", "stage": "GA", "includedPermissions": list(permissions)})


def account(email: str) -> dict[str, Any]:
    """A service account."""
    return {"email": email, "name": f"projects/p1/serviceAccounts/{email}", "projectId": "p1", "uniqueId": "1"}


def answers() -> dict[str, list[Answer]]:
    """A project in a folder of an organisation, two accounts on two pages, one role on each level."""
    member = f"serviceAccount:{SA}"
    subject = f"principal://iam.googleapis.com/{POOL}/subject/{SUBJECT}"
    rules = [
        {
            "denyRule": {
                "deniedPrincipals": ["principalSet://goog/public:all"],
                "deniedPermissions": ["compute.googleapis.com/disks.delete"],
            }
        }
    ]
    provider = {
        "name": f"{POOL}/providers/c1",
        "state": "ACTIVE",
        "oidc": {"issuerUri": "https://i", "allowedAudiences": ["openshift"]},
        "attributeMapping": {"google.subject": "assertion.sub"},
    }
    return {
        "POST /v1/projects/p1:getIamPolicy": [
            policy(("projects/p1/roles/c1", member), ("projects/p1/roles/other", f"serviceAccount:{NODES}"))
        ],
        "GET /v3/projects/p1": [Answer({"name": "projects/42", "projectId": "p1", "parent": "folders/9"})],
        "GET /v3/folders/9": [Answer({"name": "folders/9", "parent": "organizations/7"})],
        "POST /v3/folders/9:getIamPolicy": [policy(("organizations/7/roles/f", member))],
        "POST /v3/organizations/7:getIamPolicy": [Answer({"etag": "x"})],
        "GET /v1/projects/p1/serviceAccounts": [Answer({"accounts": [account(NODES)], "nextPageToken": "2"})],
        "GET /v1/projects/p1/serviceAccounts?2": [Answer({"accounts": [account(SA)]})],
        f"POST /v1/projects/-/serviceAccounts/{SA}:getIamPolicy": [policy(("roles/iam.workloadIdentityUser", subject))],
        f"POST /v1/projects/-/serviceAccounts/{NODES}:getIamPolicy": [Answer({"etag": "x"})],
        "GET /v1/projects/p1/roles/c1": [role("projects/p1/roles/c1", GET.permission, DELETE.permission)],
        "GET /v1/projects/p1/roles/other": [role("projects/p1/roles/other", "x.y.z")],
        "GET /v1/organizations/7/roles/f": [role("organizations/7/roles/f", CREATE.permission)],
        "GET /v1/roles/iam.workloadIdentityUser": [
            role("roles/iam.workloadIdentityUser", "iam.serviceAccounts.getAccessToken")
        ],
        f"GET {POINT.format('projects%2Fp1')}": [Answer({"policies": [{"name": DENY, "kind": "DenyPolicy"}]})],
        f"GET {POINT.format('folders%2F9')}": [Answer({})],
        f"GET {POINT.format('organizations%2F7')}": [Answer({})],
        f"GET /v2/{DENY}": [Answer({"name": DENY, "kind": "DenyPolicy", "rules": rules})],
        "GET /v1/projects/p1/locations/global/workloadIdentityPools": [
            Answer({"workloadIdentityPools": [{"name": POOL, "state": "ACTIVE"}]})
        ],
        f"GET /v1/{POOL}/providers": [Answer({"workloadIdentityPoolProviders": [provider]})],
    }


def settings(api: CloudApi, certificates: Certificates, **more: Any) -> dict[str, Any]:
    """What the reader is told."""
    return {
        "account": "p1",
        "endpoint": api.url,
        "token": TOKEN,
        "certificate_authority": certificates.authority,
        "timeout": 20,
    } | more


def test_collects_what_an_export_holds_by_reads_alone(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api:
        documents = live.collect(settings(api, certificates))
    assert all(gcp.recognises(d.body) for d in documents)
    holdings = gcp.build(documents, "p1")
    covered = holdings.judge(SA, GET, ())
    assert covered.verdict is Coverage.COVERED
    assert covered.caveats == ("principal access boundary policies are not in IAM exports",)
    by_folder = holdings.judge(SA, CREATE, ())
    assert by_folder.verdict is Coverage.COVERED
    assert "folder 9" in by_folder.reason
    assert holdings.judge(SA, DELETE, ()).verdict is Coverage.DENIED
    assert holdings.judge(NODES, GET, ()).verdict is Coverage.MISSING
    trusted = holdings.trust(SA, "https://i", [SUBJECT])
    assert trusted.verdict is Coverage.COVERED
    assert trusted.caveats == ()
    assert api.methods == {"GET", "POST getIamPolicy"}


def test_policies_are_asked_for_with_their_conditions(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api:
        live.collect(settings(api, certificates))
    posts = [(path, query, body) for method, path, query, body in api.calls if method == "POST"]
    assert posts
    for path, query, body in posts:
        asked = query.get("options.requestedPolicyVersion") or json.loads(body)["options"]["requestedPolicyVersion"]
        assert str(asked) == "3", path


def test_only_the_named_accounts_and_their_roles_are_read(certificates: Certificates) -> None:
    with serve(certificates, answers()) as api:
        live.collect(settings(api, certificates, identities=[SA]))
    called = {path for _, path, _, _ in api.calls}
    assert f"/v1/projects/-/serviceAccounts/{SA}:getIamPolicy" in called
    assert f"/v1/projects/-/serviceAccounts/{NODES}:getIamPolicy" not in called
    assert "/v1/projects/p1/roles/other" not in called


def elsewhere() -> dict[str, list[Answer]]:
    """Beside it a project of zones under a folder of its own, and an account of a third project."""
    member = f"serviceAccount:{SA}"
    return {
        "POST /v1/projects/z:getIamPolicy": [Answer({"etag": "x"})],
        "GET /v3/projects/z": [Answer({"name": "projects/43", "parent": "folders/8"})],
        "GET /v3/folders/8": [Answer({"name": "folders/8", "parent": "organizations/7"})],
        "POST /v3/folders/8:getIamPolicy": [policy(("organizations/7/roles/dns", member))],
        "GET /v1/organizations/7/roles/dns": [role("organizations/7/roles/dns", DNS.permission, GET.permission)],
        f"POST /v1/projects/-/serviceAccounts/{FAR}:getIamPolicy": [policy(("roles/iam.serviceAccountUser", member))],
        "GET /v1/roles/iam.serviceAccountUser": [role("roles/iam.serviceAccountUser", ACT.permission)],
        "POST /v1/projects/n:getIamPolicy": [Answer({"etag": "x"})],
        "GET /v3/projects/n": [Answer({"name": "projects/44"})],
        **{f"GET {POINT.format(name)}": [Answer({})] for name in ("projects%2Fz", "folders%2F8", "projects%2Fn")},
    }


DNS, ACT = Grant("permission", "dns.changes.create"), Grant("permission", "iam.serviceAccounts.actAs")
FAR = "w@n.iam.gserviceaccount.com"
PLACES = Context(project="p1", dns_projects=("z",), network_project="p1", node_service_accounts=(FAR,))


def test_what_must_hold_elsewhere_is_read_there(certificates: Certificates) -> None:
    told = {"identities": [SA], "projects": ("z", "p1"), "node_accounts": (FAR,)}
    with serve(certificates, answers() | elsewhere()) as api:
        holdings = gcp.build(live.collect(settings(api, certificates, **told)), "p1", PLACES)
        called = [path for _, path, _, _ in api.calls]
    assert "folder 8" in holdings.judge(SA, DNS, ()).reason
    assert [holdings.judge(SA, one, ()).verdict for one in (DNS, ACT)] == [Coverage.COVERED] * 2
    assert holdings.judge(SA, Grant("permission", "dns.changes.get"), ()).verdict is Coverage.MISSING
    assert "organizations/7/roles/f" in holdings.judge(SA, CREATE, ()).reason
    assert called.count("/v3/organizations/7:getIamPolicy") == 1
    with serve(certificates, answers() | elsewhere()) as api:
        holdings = gcp.build(live.collect(settings(api, certificates, identities=[SA])), "p1", PLACES)
    assert [holdings.judge(SA, one, ()).verdict for one in (DNS, ACT)] == [Coverage.UNKNOWN] * 2


@pytest.mark.parametrize(
    ("path", "unknown"),
    [("POST /v1/projects/z:getIamPolicy", DNS), (f"POST /v1/projects/-/serviceAccounts/{FAR}:getIamPolicy", ACT)],
)
def test_what_may_not_be_read_elsewhere_leaves_that_open_alone(
    path: str, unknown: Grant, certificates: Certificates
) -> None:
    told = {"identities": [SA], "projects": ("z",), "node_accounts": (FAR,)}
    with serve(certificates, answers() | elsewhere() | {path: [Answer({}, 403)]}) as api:
        holdings = gcp.build(live.collect(settings(api, certificates, **told)), "p1", PLACES)
    other = ACT if unknown is DNS else DNS
    assert holdings.judge(SA, unknown, ()).verdict is Coverage.UNKNOWN
    assert [holdings.judge(SA, one, ()).verdict for one in (GET, other)] == [Coverage.COVERED] * 2


@pytest.mark.parametrize(
    "path",
    [
        "POST /v3/folders/9:getIamPolicy",
        "GET /v3/projects/p1",
        "GET /v1/projects/p1/serviceAccounts",
        "GET /v1/organizations/7/roles/f",
        f"GET {POINT.format('projects%2Fp1')}",
        "GET /v1/projects/p1/locations/global/workloadIdentityPools",
        f"GET /v1/{POOL}/providers",
    ],
)
def test_what_may_not_be_read_never_makes_a_proof(path: str, certificates: Certificates) -> None:
    refused = Answer({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}, 403)
    with serve(certificates, answers() | {path: [refused]}) as api:
        holdings = gcp.build(live.collect(settings(api, certificates, identities=[SA])), "p1")
    assert holdings.judge(SA, GET, ()).verdict is Coverage.COVERED
    if "folders" in path or path.endswith(("/v3/projects/p1", "roles/f")):
        assert holdings.judge(SA, CREATE, ()).verdict is Coverage.UNKNOWN


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("GET /v3/projects/p1", "what is above projects/p1"),
        (f"GET {POINT.format('organizations%2F7')}", "organizations/7"),
        (f"GET {POINT.format('projects%2Fp1')}", "projects/p1"),
    ],
)
def test_deny_policies_that_may_not_be_read_are_a_caveat(path: str, resource: str, certificates: Certificates) -> None:
    with serve(certificates, answers() | {path: [Answer({}, 403)]}) as api:
        judgement = gcp.build(live.collect(settings(api, certificates)), "p1").judge(SA, GET, ())
    assert judgement.verdict is Coverage.COVERED
    assert f"deny policies of {resource} could not be read" in judgement.caveats


def test_deny_rules_that_may_not_be_read_leave_it_unknown(certificates: Certificates) -> None:
    with serve(certificates, answers() | {f"GET /v2/{DENY}": [Answer({}, 403)]}) as api:
        holdings = gcp.build(live.collect(settings(api, certificates)), "p1")
    judgement = holdings.judge(SA, GET, ())
    assert judgement.verdict is Coverage.UNKNOWN
    assert "no-delete" in judgement.reason


def test_a_role_that_is_gone_is_left_out(certificates: Certificates) -> None:
    served = {k: v for k, v in answers().items() if not k.endswith("/roles/c1")}
    with serve(certificates, served) as api:
        holdings = gcp.build(live.collect(settings(api, certificates)), "p1")
    assert holdings.judge(SA, GET, ()).verdict is Coverage.UNKNOWN


def test_the_project_policy_must_be_readable(certificates: Certificates) -> None:
    refused = Answer({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}}, 403)
    with (
        serve(certificates, answers() | {"POST /v1/projects/p1:getIamPolicy": [refused]}) as api,
        pytest.raises(EntitlementError, match=r"resourcemanager\.projects\.getIamPolicy"),
    ):
        live.collect(settings(api, certificates))


def test_an_answer_that_is_cut_off_is_read_again(certificates: Certificates) -> None:
    path = "POST /v1/projects/p1:getIamPolicy"
    whole = answers()[path][0]
    with serve(certificates, answers() | {path: [Answer(whole.body, cut=True), whole]}) as api:
        holdings = gcp.build(live.collect(settings(api, certificates)), "p1")
    assert holdings.judge(SA, GET, ()).verdict is Coverage.COVERED


def test_pages_that_do_not_end_are_an_error(certificates: Certificates) -> None:
    endless = Answer({"accounts": [], "nextPageToken": "same"})
    served = {k: v for k, v in answers().items() if not k.endswith("serviceAccounts?2")}
    with (
        serve(certificates, served | {"GET /v1/projects/p1/serviceAccounts": [endless]}) as api,
        pytest.raises(EntitlementError, match="do not end"),
    ):
        live.collect(settings(api, certificates))


def test_the_project_must_be_known() -> None:
    with pytest.raises(UsageError, match="project of GCP is not known"):
        live.collect({"token": TOKEN})


def test_the_missing_library_is_a_usage_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(UsageError, match=r"upgrade-gate\[gcp\]"):
        live.collect({"account": "p1"})
