"""What files of Azure, Google and IBM Cloud, and Terraform's plans of all clouds, declare; and their patches."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.policies import SECRET, finding, gate, plan_of, policy, refers, told, write
from tests.worlds.rules import NS, PROFILE
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant, cloud_of
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.proof.declared import Served, load
from upgrade_gate.remedy import policy_patch

SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000001"


def _request(kind: str, **spec: Any) -> dict[str, Any]:
    provider = {"apiVersion": "x/v1", "kind": kind, **spec}
    secret = {"namespace": "openshift-storage", "name": "cloud"}
    return {
        "apiVersion": "cloudcredential.openshift.io/v1",
        "kind": "CredentialsRequest",
        "metadata": {"name": "a", "namespace": NS, "annotations": dict(PROFILE)},
        "spec": {"secretRef": secret, "serviceAccountNames": ["one"], "providerSpec": provider},
    }


def _azure(*operations: str) -> dict[str, Any]:
    return _request("AzureProviderSpec", permissions=list(operations))


def _gcp(*permissions: str) -> dict[str, Any]:
    return _request("GCPProviderSpec", permissions=list(permissions))


def _ibm(*roles: str) -> dict[str, Any]:
    attributes = [{"name": "serviceName", "value": "is"}]
    return _request("IBMCloudProviderSpec", policies=[{"attributes": attributes, "roles": list(roles)}])


READ, WRITE = "Microsoft.Compute/disks/read", "Microsoft.Compute/disks/write"
VIEWER, EDITOR = (f"crn:v1:bluemix:public:iam::::role:{name}" for name in ("Viewer", "Editor"))
WORLDS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "Azure": ("Azure", _azure(READ), _azure(READ, WRITE), WRITE),
    "GCP": (
        "GCP",
        _gcp("compute.disks.get"),
        _gcp("compute.disks.get", "compute.disks.create"),
        "compute.disks.create",
    ),
    "IBMCloud": ("IBMCloud", _ibm(VIEWER), _ibm(VIEWER, EDITOR), EDITOR),
}


def _role(*actions: str, scopes: tuple[str, ...] = (SUBSCRIPTION,), **more: Any) -> dict[str, Any]:
    return {"Name": "openshift-storage-cloud", "Actions": list(actions), "AssignableScopes": list(scopes), **more}


def _nested(*actions: str) -> dict[str, Any]:
    permissions = [{"actions": list(actions), "notActions": [], "dataActions": [], "notDataActions": []}]
    inner = {"roleName": "openshift-storage-cloud", "permissions": permissions, "assignableScopes": [SUBSCRIPTION]}
    return {"name": "0", "properties": inner}


def _ibm_policy(*roles: str, value: str = "is") -> dict[str, Any]:
    resource = {"attributes": [{"name": "serviceName", "value": value}]}
    return {"type": "access", "roles": [{"role_id": role} for role in roles], "resources": [resource]}


def _ibm_v2(*roles: str) -> dict[str, Any]:
    resource = {"attributes": [{"key": "serviceName", "operator": "stringEquals", "value": "is"}]}
    control = {"grant": {"roles": [{"role_id": role} for role in roles]}}
    return {"type": "access", "control": control, "resource": resource}


GCP_ROLE = "title: openshift-storage-cloud\nstage: GA  # kept\nincludedPermissions:\n- compute.disks.get\n"
WIF = """\
id: v4
kind: WifTemplate
service_accounts:
- id: other
  roles: [{id: r0, kind: Role, permissions: [compute.disks.create]}]
- id: storage
  credential_request:
    secret_ref: {name: cloud, namespace: openshift-storage}
  roles:
  - id: r1
    kind: Role
    permissions:
      - compute.disks.get
"""
FILES: dict[str, tuple[str, str, Any]] = {
    "az role definition create": ("Azure", "openshift-storage-cloud.json", _role(READ)),
    "az role definition list": ("Azure", "roles.json", [_nested(READ), {**_role("*"), "Name": "another"}]),
    "gcloud iam roles create": ("GCP", "storage.yaml", GCP_ROLE),
    "a vendor's template": ("GCP", "template.yaml", WIF),
    "ibmcloud v1": ("IBMCloud", "openshift-storage-cloud.json", _ibm_policy(VIEWER)),
    "ibmcloud v2": ("IBMCloud", "openshift-storage-cloud.json", _ibm_v2(VIEWER)),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_missing_is_patched_into_the_file_and_then_declared(name: str, tmp_path: Path) -> None:
    platform, file, content = FILES[name]
    _, old, new, wanted = WORLDS[platform]
    first, report = gate(tmp_path, {file: content}, "--bundle", "../b", old=[old], new=[new], platform=platform)
    added = finding(report, "permission-added")
    assert (first.code, [need["status"] for need in added["needs"]]) == (3, ["unmet"])
    assert [e["file"] for e in added["evidence"] if e["side"] == "policy"] == [file]
    repository = tmp_path / "repository"
    before = (repository / file).read_bytes()
    subprocess.run(["git", "apply", "../b/policies.patch"], cwd=repository, check=True, timeout=30)
    after = iter((repository / file).read_bytes())
    assert all(byte in after for byte in before)
    again, report = gate(tmp_path, {}, old=[old], new=[new], platform=platform)
    assert (again.code, report["verdict"]["basis"]) == (0, "declared")
    assert wanted in (repository / file).read_text()


UNSURE: dict[str, tuple[str, str, Any]] = {
    "a deny assignment": (
        "Azure",
        "roles.json",
        [_role(READ, WRITE), {"denyAssignmentName": "d", "permissions": [], "principals": []}],
    ),
    "a scope that is not said": ("Azure", "openshift-storage-cloud.json", _role(READ, WRITE, scopes=())),
    "a scope with a blank": ("Azure", "openshift-storage-cloud.json", _role("*", scopes=("/subscriptions/{id}",))),
    "operations taken back": ("Azure", "openshift-storage-cloud.json", _role("*", NotActions=["*/write", READ])),
    "operations misspelt": ("Azure", "openshift-storage-cloud.json", _role(READ, WRITE, NotActons=["*"])),
    "operations of another type": ("Azure", "openshift-storage-cloud.json", _role(READ, WRITE) | {"Actions": {"a": 1}}),
    "two roles": ("Azure", "openshift-storage-cloud.json", [_role(READ), _role(WRITE)]),
    "a disabled role": ("GCP", "storage.yaml", GCP_ROLE.replace("GA", "DISABLED") + "- compute.disks.create\n"),
    "a stage misspelt": ("GCP", "storage.yaml", GCP_ROLE.replace("stage: GA", "stag: DISABLED")),
    "bound to single resources": (
        "GCP",
        "template.yaml",
        WIF + "      - compute.disks.create\n    resource_bindings: [{type: x, name: y}]\n",
    ),
    "an operation to be filled in": ("Azure", "openshift-storage-cloud.json", _role("*", NotActions=["${denied}"])),
    "a permission to be filled in": ("GCP", "storage.yaml", GCP_ROLE + "- '{{ more }}'\n"),
    "an attribute to be filled in": (
        "IBMCloud",
        "openshift-storage-cloud.json",
        _ibm_policy(VIEWER, EDITOR, value="%{s}"),
    ),
    "another service": ("IBMCloud", "openshift-storage-cloud.json", _ibm_policy(VIEWER, EDITOR, value="cos")),
    "two subjects": (
        "IBMCloud",
        "openshift-storage-cloud.json",
        [
            {**_ibm_policy(role), "subjects": [{"attributes": [{"name": "iam_id", "value": f"iam-ServiceId-{n}"}]}]}
            for n, role in enumerate((VIEWER, EDITOR))
        ],
    ),
}


@pytest.mark.parametrize("name", UNSURE)
def test_what_the_file_does_not_say_is_never_declared(name: str, tmp_path: Path) -> None:
    platform, file, content = UNSURE[name]
    kind = f"{platform}ProviderSpec"
    cloud = cloud_of(kind)
    assert cloud is not None
    wanted = cloud.read_grants(kind, WORLDS[platform][2]["spec"]["providerSpec"])[-1]
    assert told(tmp_path, {file: content}, kind, wanted).verdict is not Coverage.COVERED


# --- Terraform ---


ROLE = {"type": "aws_iam_role", "name": "openshift-storage-cloud"}
TEXT = json.dumps(policy("ec2:DescribeVolumes", "ec2:CreateTags"))
OWN = {"type": "aws_iam_role_policy", "name": "p", "role": "openshift-storage-cloud", "policy": TEXT}
MANAGED = {"type": "aws_iam_policy", "name": "m", "arn": "arn:aws:iam::1:policy/m", "policy": TEXT}
ATTACHED = {
    "type": "aws_iam_role_policy_attachment",
    "name": "t",
    "role": "openshift-storage-cloud",
    "policy_arn": "arn:aws:iam::1:policy/m",
}


def _without(resource: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key not in names}


PLANS: dict[str, tuple[Any, int]] = {
    "a policy of the role": (plan_of(ROLE, OWN), 0),
    "a state": ({"format_version": "1.0", "values": plan_of(ROLE, OWN)["planned_values"]}, 0),
    "within the role": (plan_of({**ROLE, "inline_policy": [{"name": "i", "policy": TEXT}]}), 0),
    "attached by its ARN": (plan_of(ROLE, MANAGED, ATTACHED), 0),
    "attached by reference": (
        plan_of(
            ROLE,
            _without(MANAGED, "arn"),
            _without(ATTACHED, "policy_arn"),
            **refers("aws_iam_role_policy_attachment.t", policy_arn=["aws_iam_policy.m.arn", "aws_iam_policy.m"]),
        ),
        0,
    ),
    "of a role by reference": (
        plan_of(
            ROLE,
            _without(OWN, "role"),
            **refers("aws_iam_role_policy.p", role=["aws_iam_role.openshift-storage-cloud.id"]),
        ),
        0,
    ),
    "known after apply": (
        plan_of(ROLE, _without(OWN, "policy"), unknown={"aws_iam_role_policy.p": {"policy": True}}),
        3,
    ),
    "an attachment of something else": (plan_of(ROLE, OWN, {**ATTACHED, "policy_arn": "arn:aws:iam::aws:policy/X"}), 3),
    "a boundary": (plan_of({**ROLE, "permissions_boundary": "arn:aws:iam::1:policy/b"}, OWN), 3),
    "of another role": (plan_of(ROLE, {**OWN, "role": "other"}), 3),
    "no policy at all": (plan_of(ROLE), 3),
}


DENIED = json.dumps(policy("ec2:CreateTags", Effect="Deny"))
STRAY = {"type": "aws_iam_role_policy", "name": "q", "policy": DENIED}
STRAY_ATTACHED = {"type": "aws_iam_role_policy_attachment", "name": "q"}
STRAY_LIST = {"type": "aws_iam_policy_attachment", "name": "q"}
OTHER_ROLE = {"type": "aws_iam_role", "name": "other"}


def _stray(resource: dict[str, Any], *opened: str, **references: list[str]) -> dict[str, Any]:
    address = f"{resource['type']}.{resource['name']}"
    unknown = {address: dict.fromkeys(opened, True)}
    more = refers(address, **references) if references else {}
    return plan_of(ROLE, OTHER_ROLE, OWN, resource, unknown=unknown, **more)


PLANS |= {
    "a denial of a role that is not known": (_stray(STRAY, "role"), 3),
    "an allowance of a role that is not known": (_stray({**STRAY, "policy": TEXT}, "role"), 0),
    "a denial of something else, of a role that is not known": (
        _stray({**STRAY, "policy": json.dumps(policy("s3:*", Effect="Deny"))}, "role"),
        0,
    ),
    "a denial of another role by reference": (_stray(STRAY, "role", role=["aws_iam_role.other.id"]), 0),
    "a denial of one of two roles": (
        _stray(STRAY, "role", role=["aws_iam_role.other.id", "aws_iam_role.openshift-storage-cloud.id"]),
        3,
    ),
    "a denial of a role that a variable names": (_stray(STRAY, "role", role=["var.role"]), 3),
    "an attachment of which nothing is known": (_stray(STRAY_ATTACHED, "role", "policy_arn"), 3),
    "an attachment of something to another role": (
        _stray(STRAY_ATTACHED, "role", "policy_arn", role=["aws_iam_role.other.name", "aws_iam_role.other"]),
        0,
    ),
    "an attachment to roles that are not known": (_stray(STRAY_LIST, "roles", "policy_arn"), 3),
    "an attachment to users that are not known": (_stray({**STRAY_LIST, "policy_arn": "a"}, "users"), 3),
    "an attachment to roles of which one is not known": (
        plan_of(
            ROLE,
            OWN,
            {**STRAY_LIST, "roles": ["other"]},
            unknown={"aws_iam_policy_attachment.q": {"roles": [False, True]}},
        ),
        3,
    ),
}


ONLY = {"type": "aws_iam_role_policies_exclusive", "name": "e", "role_name": ROLE["name"], "policy_names": []}
ONLY_ATTACHED = {
    "type": "aws_iam_role_policy_attachments_exclusive",
    "name": "e",
    "role_name": ROLE["name"],
    "policy_arns": [],
}
NAMED = {**OWN, "name": "openshift-storage-cloud"}
PLANS |= {
    "only other policies": (plan_of(ROLE, OWN, ONLY), 3),
    "only this policy": (plan_of(ROLE, OWN, {**ONLY, "policy_names": ["p"]}), 0),
    "only the policies of another role": (plan_of(ROLE, OTHER_ROLE, OWN, {**ONLY, "role_name": "other"}), 0),
    "only other policies, of a role that is not known": (
        plan_of(
            ROLE,
            OWN,
            _without(ONLY, "role_name"),
            unknown={"aws_iam_role_policies_exclusive.e": {"role_name": True}},
        ),
        3,
    ),
    "only policies within the role": (
        plan_of({**ROLE, "inline_policy": [{"name": "i", "policy": TEXT}]}, {**ONLY, "policy_names": ["j"]}),
        3,
    ),
    "only other attachments": (plan_of(ROLE, MANAGED, ATTACHED, ONLY_ATTACHED), 3),
    "only this attachment": (
        plan_of(ROLE, MANAGED, ATTACHED, {**ONLY_ATTACHED, "policy_arns": [MANAGED["arn"]]}),
        0,
    ),
    "only other policies, of a role of another file": (plan_of(NAMED, ONLY), 3),
    "a policy of a role of another file": (plan_of(NAMED), 0),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_of_aws_says_what_its_roles_get(name: str, tmp_path: Path) -> None:
    plan, expected = PLANS[name]
    result = told(tmp_path, {"plan.json": plan}, "AWSProviderSpec", Grant("action", "ec2:CreateTags", "Allow", "*"))
    assert (result.verdict is Coverage.COVERED) is (expected == 0), result


def test_what_is_put_on_a_role_that_is_not_known_may_be_put_on_one_of_another_file(tmp_path: Path) -> None:
    files = {"openshift-storage-cloud.json": json.loads(TEXT), "plan.json": plan_of(STRAY, OTHER_ROLE)}
    result = told(tmp_path, files, "AWSProviderSpec", Grant("action", "ec2:CreateTags", "Allow", "*"))
    assert result.verdict is Coverage.UNKNOWN
    assert result.doubt == "plan.json does not say on whom aws_iam_role_policy.q is put"
    other = told(tmp_path, files, "AWSProviderSpec", Grant("action", "ec2:DescribeVolumes", "Allow", "*"))
    assert other.verdict is Coverage.COVERED


@pytest.mark.parametrize(
    ("document", "role", "verdict"),
    [
        (DENIED, "openshift-storage-cloud", Coverage.DENIED),
        (DENIED, "other", Coverage.COVERED),
        (TEXT, "openshift-storage-cloud", Coverage.COVERED),
    ],
)
@pytest.mark.parametrize("attached", [True, False])
def test_what_a_plan_denies_a_role_by_its_name_counts_where_another_file_holds_the_role(
    document: str, role: str, verdict: Coverage, *, attached: bool, tmp_path: Path
) -> None:
    put = (
        ({**MANAGED, "policy": document}, {**ATTACHED, "role": role})
        if attached
        else ({"type": "aws_iam_role_policy", "name": "q", "role": role, "policy": document},)
    )
    files = {"roles.json": plan_of(ROLE, OWN), "denials.json": plan_of(*put)}
    result = told(tmp_path, files, "AWSProviderSpec", Grant("action", "ec2:CreateTags", "Allow", "*"))
    assert result.verdict is verdict


_ELSEWHERE = {"name": "q", "roles": [ROLE["name"], "other"]}
UNSEEN: dict[str, tuple[tuple[dict[str, Any], ...], Coverage]] = {
    "denied in a list": (
        ({**MANAGED, "policy": DENIED}, {**ATTACHED, **_ELSEWHERE, "type": "aws_iam_policy_attachment"}),
        Coverage.DENIED,
    ),
    "allowed in a list": ((MANAGED, {**ATTACHED, **_ELSEWHERE, "type": "aws_iam_policy_attachment"}), Coverage.COVERED),
    "a policy of a third file": ((ATTACHED,), Coverage.UNKNOWN),
    "a policy of a third file on another role": (({**ATTACHED, "role": "other"},), Coverage.COVERED),
    "only other policies": ((ONLY,), Coverage.UNKNOWN),
    "only other policies on another role": (({**ONLY, "role_name": "other"},), Coverage.COVERED),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_another_plan_puts_on_a_role_by_its_name_is_seen(name: str, tmp_path: Path) -> None:
    put, verdict = UNSEEN[name]
    files = {"roles.json": plan_of(ROLE, OWN), "more.json": plan_of(*put)}
    result = told(tmp_path, files, "AWSProviderSpec", Grant("action", "ec2:CreateTags", "Allow", "*"))
    assert result.verdict is verdict


@pytest.mark.parametrize(
    ("membership", "verdict"),
    [
        ({"type": "aws_iam_user_group_membership", "user": ROLE["name"], "groups": ["g"]}, Coverage.UNKNOWN),
        ({"type": "aws_iam_user_group_membership", "user": "other", "groups": ["g"]}, Coverage.COVERED),
        ({"type": "aws_iam_user_group_membership", "groups": ["g"]}, Coverage.UNKNOWN),
        ({"type": "aws_iam_group_membership", "users": ["other", ROLE["name"]], "group": "g"}, Coverage.UNKNOWN),
        ({"type": "aws_iam_group_membership", "users": ["other"], "group": "g"}, Coverage.COVERED),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_what_the_group_of_a_user_denies_is_not_seen(
    membership: dict[str, Any], verdict: Coverage, *, together: bool, tmp_path: Path
) -> None:
    user = {"type": "aws_iam_user", "name": ROLE["name"]}
    own = {"type": "aws_iam_user_policy", "name": "p", "user": ROLE["name"], "policy": TEXT}
    member = {"name": "g", **membership}
    unknown = {} if "user" in member or "users" in member else {f"{member['type']}.g": {"user": True}}
    files = (
        {"plan.json": plan_of(user, own, member, unknown=unknown)}
        if together
        else {"users.json": plan_of(user, own), "groups.json": plan_of(member, unknown=unknown)}
    )
    result = told(tmp_path, files, "AWSProviderSpec", Grant("action", "ec2:CreateTags", "Allow", "*"))
    assert result.verdict is verdict


def test_a_plan_is_not_patched_and_the_step_names_the_resource(tmp_path: Path) -> None:
    plan = plan_of(ROLE, {**OWN, "policy": json.dumps(policy("ec2:DescribeVolumes"))})
    result, report = gate(tmp_path, {"plan.json": plan}, "--bundle", "../b")
    (step,) = finding(report, "permission-added")["remedy"]
    assert result.code == 3
    assert not (tmp_path / "b/policies.patch").exists()
    assert "aws_iam_role_policy.p" in step["step"]


AZURE_ROLE = {
    "type": "azurerm_role_definition",
    "name": "openshift-storage-cloud",
    "scope": SUBSCRIPTION,
    "permissions": [{"actions": [READ, WRITE], "not_actions": []}],
}
GCP_CUSTOM = {
    "type": "google_project_iam_custom_role",
    "name": "openshift-storage-cloud",
    "permissions": ["compute.disks.get", "compute.disks.create"],
}
IBM_POLICY = {
    "type": "ibm_iam_service_policy",
    "name": "openshift-storage-cloud",
    "roles": ["Viewer", "Editor"],
    "resources": [{"service": "is"}],
}


@pytest.mark.parametrize(
    ("platform", "resource", "opened"),
    [("Azure", AZURE_ROLE, "permissions"), ("GCP", GCP_CUSTOM, "permissions"), ("IBMCloud", IBM_POLICY, "roles")],
)
@pytest.mark.parametrize("known", [True, False])
def test_plans_of_other_clouds_are_read(
    platform: str, resource: dict[str, Any], opened: str, known: bool, tmp_path: Path
) -> None:
    kind = f"{platform}ProviderSpec"
    cloud = cloud_of(kind)
    assert cloud is not None
    given = copy.deepcopy(resource)
    unknown = {}
    if not known:
        del given[opened]
        unknown = {f"{given['type']}.{given['name']}": {opened: True}}
    wanted = cloud.read_grants(kind, WORLDS[platform][2]["spec"]["providerSpec"])[-1]
    result = told(tmp_path, {"plan.json": plan_of(given, unknown=unknown)}, kind, wanted)
    assert result.verdict == ("COVERED" if known else "UNKNOWN"), result


_PUBLIC: dict[str, Any] = {"service": "is", "service_type": "service"}
LIMITED: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "nothing more": ({"resource_tags": []}, {}, True),
    "account management alone": ({"resources": [], "account_management": True}, {}, False),
    "no account management": ({"account_management": False}, {}, True),
    "perhaps account management": ({"resources": []}, {"account_management": True}, False),
    "every service": ({"resources": []}, {}, True),
    "all services of the class": ({"resources": [{**_PUBLIC, "service_group_id": ""}]}, {}, True),
    "access tags": ({"resource_tags": [{"name": "env", "value": "x"}]}, {}, False),
    "access tags known after apply": ({}, {"resource_tags": True}, False),
    "one access tag known after apply": ({}, {"resource_tags": [{"value": True}]}, False),
    "another type of service": ({"resources": [{"service": "is", "service_type": "platform_service"}]}, {}, False),
    "a group of services": ({"resources": [{"service": "is", "service_group_id": "IAM"}]}, {}, False),
    "an attribute that nobody knows": ({"resources": [{"service": "is", "of_tomorrow": ["x"]}]}, {}, False),
    "attributes of another shape": ({"resources": [{"service": "is", "attributes": ["x"]}]}, {}, False),
}


@pytest.mark.parametrize("name", LIMITED)
def test_what_limits_a_policy_of_a_plan_of_ibm_cloud_is_seen(name: str, tmp_path: Path) -> None:
    more, unknown, covered = LIMITED[name]
    plan = plan_of({**IBM_POLICY, **more}, unknown={"ibm_iam_service_policy.openshift-storage-cloud": unknown})
    kind = "IBMCloudProviderSpec"
    cloud = cloud_of(kind)
    assert cloud is not None
    wanted = cloud.read_grants(kind, WORLDS["IBMCloud"][2]["spec"]["providerSpec"])[-1]
    assert (told(tmp_path, {"plan.json": plan}, kind, wanted).verdict is Coverage.COVERED) is covered


STATES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "there": ({"deleted": False, "stage": "BETA"}, {}, "update", "COVERED"),
    "deleted": ({"deleted": True}, {}, "no-op", "MISSING"),
    "disabled": ({"stage": "DISABLED"}, {}, "update", "MISSING"),
    "a stage that is none": ({"stage": 6}, {}, "update", "MISSING"),
    "a stage known after apply": ({}, {"stage": True}, "create", "UNKNOWN"),
    "made anew": ({}, {"deleted": True}, "create", "COVERED"),
    "perhaps deleted": ({}, {"deleted": True}, "update", "UNKNOWN"),
    "a permission known after apply": ({}, {"permissions": [False, True]}, "create", "UNKNOWN"),
}


@pytest.mark.parametrize("name", STATES)
def test_a_planned_role_of_google_gives_only_what_it_gives_when_it_is_there(name: str, tmp_path: Path) -> None:
    more, unknown, action, verdict = STATES[name]
    plan = plan_of({**GCP_CUSTOM, **more}, unknown={"google_project_iam_custom_role.openshift-storage-cloud": unknown})
    plan["resource_changes"][0]["change"]["actions"] = [action]
    wanted = Grant("permission", "compute.disks.create")
    assert told(tmp_path, {"plan.json": plan}, "GCPProviderSpec", wanted).verdict == verdict


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ({"errored": False, "complete": True, "deferred_changes": []}, True),
        ({"errored": True}, False),
        ({"complete": False}, False),
        ({"deferred_changes": [{"reason": "provider_config_unknown"}]}, False),
    ],
)
@pytest.mark.parametrize("platform", ["AWS", *WORLDS])
def test_a_plan_that_is_not_complete_says_nothing_for_certain(
    platform: str, said: dict[str, Any], whole: bool, tmp_path: Path
) -> None:
    kind = f"{platform}ProviderSpec"
    cloud = cloud_of(kind)
    assert cloud is not None
    if platform == "AWS":
        plan, wanted = plan_of(ROLE, OWN, **said), Grant("action", "ec2:CreateTags", "Allow", "*")
    else:
        planned: dict[str, dict[str, Any]] = {"Azure": AZURE_ROLE, "GCP": GCP_CUSTOM, "IBMCloud": IBM_POLICY}
        plan = plan_of(planned[platform], **said)
        wanted = cloud.read_grants(kind, WORLDS[platform][2]["spec"]["providerSpec"])[-1]
    result = told(tmp_path, {"plan.json": plan}, kind, wanted)
    assert result.verdict is (Coverage.COVERED if whole else Coverage.UNKNOWN)
    assert whole or result.doubt.startswith("plan.json: the plan ")


_PARENT = "cloudresourcemanager.googleapis.com%2Fprojects%2F"


@pytest.mark.parametrize(
    ("taking", "covered"),
    [
        ({"type": "google_iam_deny_policy", "parent": f"{_PARENT}p"}, False),
        ({"type": "google_iam_deny_policy", "parent": f"{_PARENT}other"}, True),
        ({"type": "google_iam_deny_policy", "parent": f"{_PARENT}123"}, False),
        ({"type": "google_iam_deny_policy"}, False),
        ({"type": "google_project_iam_policy", "project": "p"}, False),
        ({"type": "google_project_service", "project": "p"}, True),
    ],
)
@pytest.mark.parametrize("bound", [False, True])
def test_what_takes_away_on_the_project_of_google_is_seen(
    taking: dict[str, Any], covered: bool, bound: bool, tmp_path: Path
) -> None:
    member = "serviceAccount:openshift-storage-cloud@p.iam.gserviceaccount.com"
    custom: dict[str, Any] = {**GCP_CUSTOM, "project": "p", "id": "projects/p/roles/c"}
    to: dict[str, Any] = {
        "type": "google_project_iam_member",
        "name": "m",
        "project": "p",
        "role": custom["id"],
        "member": member,
    }
    plan = plan_of(*([custom, to] if bound else [custom]), {"name": "d", **taking})
    result = told(tmp_path, {"plan.json": plan}, "GCPProviderSpec", Grant("permission", "compute.disks.create"))
    assert result.verdict is (Coverage.COVERED if covered else Coverage.UNKNOWN)


_MEMBER = "serviceAccount:openshift-storage-cloud@p.iam.gserviceaccount.com"
_GIVEN = {"type": "google_project_iam_member", "name": "m", "role": "projects/p/roles/c", "member": _MEMBER}
_ROLE = {**GCP_CUSTOM, "name": "c", "id": "projects/p/roles/c"}
_IN_P, _NO_CLUSTER = Context(project="p"), None
_ZONES_IN_Q = Context(project="p", dns_projects=("q",))
ON_PROJECTS: dict[str, tuple[Any, Context | None, str]] = {
    "the cluster's own": ([_ROLE, _GIVEN | {"project": "p"}], _IN_P, "COVERED"),
    "the cluster's own by its resource name": ([_ROLE, _GIVEN | {"project": "projects/p"}], _IN_P, "COVERED"),
    "another one": ([_ROLE, _GIVEN | {"project": "q"}], _IN_P, "MISSING"),
    "one by its number": ([_ROLE, _GIVEN | {"project": "123"}], _IN_P, "UNKNOWN"),
    "one by its number, without a cluster": ([_ROLE, _GIVEN | {"project": "123"}], _NO_CLUSTER, "UNKNOWN"),
    "one that is not said": ([_ROLE, _GIVEN], _IN_P, "UNKNOWN"),
    "one that is not said, without a cluster": ([_ROLE, _GIVEN], _NO_CLUSTER, "UNKNOWN"),
    "the only one, without a cluster": ([_ROLE, _GIVEN | {"project": "q"}], _NO_CLUSTER, "COVERED"),
    "one of two, without a cluster": (
        [_ROLE, _GIVEN | {"project": "p"}, _GIVEN | {"name": "n", "role": "roles/viewer", "project": "q"}],
        _NO_CLUSTER,
        "UNKNOWN",
    ),
    "a role of the cluster's own, bound to nobody": ([GCP_CUSTOM | {"project": "p"}], _IN_P, "COVERED"),
    "a role of another one, bound to nobody": ([GCP_CUSTOM | {"project": "q"}], _IN_P, "MISSING"),
    "a role of none, bound to nobody": ([GCP_CUSTOM], _IN_P, "COVERED"),
    "a file's role of the cluster's own": ("name: projects/p/roles/c\n", _IN_P, "COVERED"),
    "a file's role of another one": ("name: projects/q/roles/c\n", _IN_P, "MISSING"),
    "a file's role of one to be filled in": ("name: 'projects/{{ project }}/roles/c'\n", _IN_P, "COVERED"),
    "a file's role of an organization": ("name: organizations/1/roles/c\n", _IN_P, "COVERED"),
    "a file's role of none": ("", _IN_P, "COVERED"),
}


@pytest.mark.parametrize("name", ON_PROJECTS)
def test_what_is_declared_on_a_project_of_google_counts_there_and_nowhere_else(name: str, tmp_path: Path) -> None:
    declared, context, verdict = ON_PROJECTS[name]
    file = f"{GCP_ROLE}- compute.disks.create\n{declared}" if isinstance(declared, str) else plan_of(*declared)
    files = {"openshift-storage-cloud.yaml" if isinstance(file, str) else "plan.json": file}
    wanted = Grant("permission", "compute.disks.create")
    result = told(tmp_path, files, "GCPProviderSpec", wanted, context)
    assert result.verdict == verdict, result


def test_the_project_of_a_binding_of_google_that_is_known_after_apply_is_said(tmp_path: Path) -> None:
    plan = plan_of(_ROLE, _GIVEN, unknown={"google_project_iam_member.m": {"project": True}})
    wanted = Grant("permission", "compute.disks.create")
    result = told(tmp_path, {"plan.json": plan}, "GCPProviderSpec", wanted, _IN_P)
    assert result.verdict is Coverage.UNKNOWN
    assert result.doubt == "plan.json does not say what project of google_project_iam_member.m, known after apply is"


@pytest.mark.parametrize(("project", "verdict"), [("q", "COVERED"), ("p", "UNKNOWN")])
def test_what_zones_need_is_declared_on_their_own_project(project: str, verdict: str, tmp_path: Path) -> None:
    plan = plan_of(_GIVEN | {"project": project, "role": "roles/dns.admin"})
    wanted = Grant("permission", "dns.changes.create")
    assert told(tmp_path, {"plan.json": plan}, "GCPProviderSpec", wanted, _ZONES_IN_Q).verdict == verdict


@pytest.mark.parametrize(("project", "patched"), [("p", True), ("q", False)])
def test_a_role_of_another_project_of_google_is_not_patched(project: str, patched: bool, tmp_path: Path) -> None:
    kind, wanted = "GCPProviderSpec", Grant("permission", "compute.disks.create")
    write(tmp_path, {"openshift-storage-cloud.yaml": f"{GCP_ROLE}name: projects/{project}/roles/c\n"})
    served = load("policies:x", [tmp_path], {}).serving(kind, SECRET, [SECRET], None)
    assert isinstance(served, Served)
    (one,) = served.found
    assert bool(policy_patch.edits(kind, one, one.declaration.parts[0], [wanted], _IN_P)) is patched


@pytest.mark.parametrize("type_", ["google_project_iam_member", "google_project_iam_binding"])
def test_roles_of_a_member_count_together_and_only_for_that_member(type_: str, tmp_path: Path) -> None:
    def bound(name: str, role: str, account: str) -> dict[str, Any]:
        member = f"serviceAccount:{account}@p.iam.gserviceaccount.com"
        given = {"members": [member]} if type_.endswith("binding") else {"member": member}
        return {"type": type_, "name": name, "project": "p", "role": role, **given}

    custom = {**GCP_CUSTOM, "name": "c", "id": "projects/p/roles/c"}
    wanted = Grant("permission", "compute.disks.create")
    for account, expected in (("openshift-storage-cloud", Coverage.COVERED), ("other", Coverage.UNKNOWN)):
        plan = plan_of(custom, bound("a", "projects/p/roles/c", account), bound("b", "roles/viewer", account))
        assert told(tmp_path, {"plan.json": plan}, "GCPProviderSpec", wanted).verdict is expected


DENY = {"type": "google_iam_deny_policy", "name": "d"}


@pytest.mark.parametrize(
    ("parent", "planned", "kept"),
    [("p", Coverage.UNKNOWN, Coverage.UNKNOWN), ("other", Coverage.COVERED, Coverage.UNKNOWN)],
)
def test_what_takes_away_on_a_project_counts_for_other_files_of_google(
    parent: str, planned: Coverage, kept: Coverage, tmp_path: Path
) -> None:
    deny = plan_of({**DENY, "parent": f"{_PARENT}{parent}"})
    wanted = Grant("permission", "compute.disks.create")
    custom = plan_of({**GCP_CUSTOM, "project": "p"})
    found = told(tmp_path / "a", {"deny.json": deny, "plan.json": custom}, "GCPProviderSpec", wanted)
    assert found.verdict is planned
    role = {"storage.yaml": GCP_ROLE + "- compute.disks.create\n", "deny.json": deny}
    assert told(tmp_path / "b", role, "GCPProviderSpec", wanted).verdict is kept


STORAGE = "serviceAccount:openshift-storage-cloud@p.iam.gserviceaccount.com"
_OTHERS = {"type": "google_project_iam_binding", "name": "b", "project": "p", "members": ["user:a@b.c"]}
BINDINGS: dict[str, tuple[dict[str, Any], bool]] = {
    "of this role to others": ({"role": "projects/p/roles/c"}, False),
    "of this role to it too": ({"role": "projects/p/roles/c", "members": ["user:a@b.c", STORAGE]}, True),
    "of another role": ({"role": "roles/viewer"}, True),
    "of a role that is not known": ({}, False),
    "in another project": ({"role": "projects/p/roles/c", "project": "q"}, True),
    "in a project that is not known": ({"role": "projects/p/roles/c", "project": None}, False),
    "under a condition": ({"role": "projects/p/roles/c", "condition": [{"expression": "x"}]}, True),
}


@pytest.mark.parametrize("name", BINDINGS)
def test_a_binding_of_google_takes_its_role_from_whom_it_does_not_list(name: str, tmp_path: Path) -> None:
    more, covered = BINDINGS[name]
    custom = {**GCP_CUSTOM, "name": "c", "id": "projects/p/roles/c", "project": "p"}
    member = {"type": "google_project_iam_member", "name": "m", "project": "p", "role": custom["id"], "member": STORAGE}
    plan = plan_of(custom, member, {**_OTHERS, **more})
    found = told(tmp_path, {"plan.json": plan}, "GCPProviderSpec", Grant("permission", "compute.disks.create"))
    assert found.verdict is (Coverage.COVERED if covered else Coverage.UNKNOWN)


ASSIGNED = {
    "type": "azurerm_role_assignment",
    "name": "a",
    "scope": SUBSCRIPTION,
    "role_definition_name": "openshift-storage-cloud",
    "principal_id": "1",
}
ONE_GROUP = f"{SUBSCRIPTION}/resourceGroups/one"
ROLE_BY_ID = {k: v for k, v in ASSIGNED.items() if k != "role_definition_name"}
ROLE_ID = "azurerm_role_definition.openshift-storage-cloud.role_definition_resource_id"
ASSIGNMENTS: dict[str, tuple[tuple[dict[str, Any], ...], dict[str, Any], bool]] = {
    "everywhere": ((ASSIGNED,), {}, True),
    "in one group": (({**ASSIGNED, "scope": ONE_GROUP},), {}, False),
    "under a condition": (({**ASSIGNED, "condition": "x"},), {}, False),
    "at a scope known after apply": ((ASSIGNED,), {"azurerm_role_assignment.a": {"scope": True}}, False),
    "of another role": (({**ASSIGNED, "role_definition_name": "Reader", "scope": ONE_GROUP},), {}, True),
    "of a role known after apply": (
        ({**ROLE_BY_ID, "scope": ONE_GROUP},),
        {"azurerm_role_assignment.a": {"role_definition_id": True}},
        False,
    ),
    "to two principals alike": ((ASSIGNED, {**ASSIGNED, "name": "b", "principal_id": "2"}), {}, True),
    "to two principals": ((ASSIGNED, {**ASSIGNED, "name": "b", "principal_id": "2", "scope": ONE_GROUP}), {}, False),
    "to one principal twice": ((ASSIGNED, {**ASSIGNED, "name": "b", "scope": ONE_GROUP}), {}, True),
}


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_a_role_of_azure_is_given_where_the_plan_assigns_it(name: str, tmp_path: Path) -> None:
    assigned, unknown, covered = ASSIGNMENTS[name]
    write(tmp_path, {"plan.json": plan_of(AZURE_ROLE, *assigned, unknown=unknown)})
    assert _azure_verdict(tmp_path) is covered


def _azure_verdict(folder: Path) -> bool:
    """Return whether a folder declares the wanted operation in another group than the one of the tests."""
    read = load("policies:x", [folder], {})
    served = read.serving("AzureProviderSpec", SECRET, [SECRET], None)
    assert isinstance(served, Served)
    wanted = Grant("permission", WRITE)
    return read.judge(served, wanted, (f"{SUBSCRIPTION}/resourceGroups/two",), None).verdict is Coverage.COVERED


def test_a_role_of_azure_is_assigned_by_reference(tmp_path: Path) -> None:
    unknown = {"azurerm_role_assignment.a": {"role_definition_id": True}}
    said = refers("azurerm_role_assignment.a", role_definition_id=[ROLE_ID, ROLE_ID.rpartition(".")[0]])
    write(tmp_path, {"plan.json": plan_of(AZURE_ROLE, ROLE_BY_ID, unknown=unknown, **said)})
    assert _azure_verdict(tmp_path)
    write(tmp_path, {"plan.json": plan_of(AZURE_ROLE, {**ROLE_BY_ID, "scope": ONE_GROUP}, unknown=unknown, **said)})
    assert not _azure_verdict(tmp_path)


@pytest.mark.parametrize(
    ("configured", "covered"), [(["name", "scope"], True), (["name", "scope", "assignable_scopes"], False), ([], False)]
)
def test_a_new_role_of_azure_may_be_assigned_at_its_scope_unless_the_configuration_says_otherwise(
    configured: list[str], covered: bool, tmp_path: Path
) -> None:
    address = "azurerm_role_definition.openshift-storage-cloud"
    said = refers(address, **{name: [] for name in configured})
    plan = plan_of(AZURE_ROLE, unknown={address: {"assignable_scopes": True}}, **said)
    write(tmp_path, {"plan.json": plan})
    assert _azure_verdict(tmp_path) is covered
