"""What identities hold: exports of each cloud, and the policies in them.

An export is read whole, from a file. It must never cover a permission that none of its text can stand for.
A policy is judged twice. What is granted under a condition must be granted without it, and nothing is granted where
all is denied.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from tests.fuzz import harness
from tests.fuzz.harness import Target
from tests.fuzz.mutation import leaves, with_words
from tests.worlds import aws_exports as aws
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, Resolves
from upgrade_gate.entitlements import judge
from upgrade_gate.proof import collect

SUBJECT = "system:serviceaccount:openshift-storage:driver-operator"
ISSUER = "https://oidc.example.com/c1"
SCOPE = "/subscriptions/S1/resourceGroups/c1-rg"


@dataclass(frozen=True)
class Cloud:
    """One cloud: who holds what, and the text that must stand somewhere where it is covered."""

    provider: str
    kind: str
    identity: str
    account: str
    needed: Mapping[str, Any]
    stands_for: tuple[str, ...]
    """Lower case; one of them is in every export that covers what is needed."""
    scopes: tuple[str, ...] = ()


AWS = Cloud(
    "AWS", "AWSProviderSpec", aws.ROLE, aws.ACCOUNT,
    {"type": "action", "permission": "ec2:CreateVolume", "effect": "Allow", "resource": "*"},
    ("ec2:createvolume", "*", "?", "notaction", "${"),
)  # fmt: skip
AZURE = Cloud(
    "Azure", "AzureProviderSpec", "principal:00000000-0000-4000-8000-0000000000aa", "S1",
    {"type": "permission", "permission": "Microsoft.Compute/disks/write"},
    ("microsoft.compute/disks/write", "*",
     "b24988ac-6180-42a0-ab88-20f7382dd24c", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    ("c1-rg",),
)  # fmt: skip
GCP = Cloud(
    "GCP", "GCPProviderSpec", "a@p1.iam.gserviceaccount.com", "p1",
    {"type": "permission", "permission": "compute.disks.create"},
    ("compute.disks.create", '"roles/', "roles/"),
)  # fmt: skip
IBM = Cloud(
    "IBMCloud", "IBMCloudProviderSpec", "iam-ServiceId-1", "A",
    {
        "type": "role",
        "permission": "crn:v1:bluemix:public:iam::::role:Editor",
        "scope": {"attributes": [{"name": "serviceName", "value": "is"}]},
    },
    ("role:editor", "role:administrator"),
)  # fmt: skip


def read_export(cloud: Cloud, data: bytes) -> None:
    """An export proves nothing that it does not say, whatever it looks like."""
    text = data.decode("utf-8", "replace")
    collection = collect.load_export(harness.file(f"export-{cloud.provider}.json", data))
    held = collect.holdings(collection, cloud.kind, cloud.account)
    assert held is not None
    needed = Grant(**{"effect": None, "resource": None, "condition": None, "scope": None, **cloud.needed})
    covered = held.judge(cloud.identity, needed, cloud.scopes).verdict is Coverage.COVERED
    assert not covered or _says(text, cloud.stands_for), "covered by an export that does not name it"
    trusted = held.trust(cloud.identity, ISSUER, [SUBJECT]).verdict is Coverage.COVERED
    subject = cloud is not AWS or ":sub" in text.lower()  # AWS trusts every subject where none is asked for
    assert not trusted or not subject or _says(text, ("driver-operator", "*", "?")), (
        "trusts a subject that it does not name"
    )
    held.held(cloud.identity)
    held.sizes(cloud.identity, [needed])
    held.find_by_ccoctl_name("c1")
    if isinstance(held, Resolves):
        held.resolve(cloud.identity)


def _says(text: str, words: tuple[str, ...]) -> bool:
    """Return whether one of the words stands in a text: as it is, escaped as in JSON, or encoded as in a URL."""
    plain = text.replace("\0", "")  # UTF-16 in one byte each
    try:
        plain += json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        plain += text.encode().decode("unicode_escape", "replace") if text.isascii() else ""
    known = f"{plain} {unquote(plain)} {unquote(unquote(plain))}".replace("\\", "").lower()
    return any(word in known for word in words)


def _covered(cloud: Cloud, exports: list[Any], needed: Mapping[str, Any], context: Any) -> bool:
    answer = judge(
        cloud.provider, exports, cloud.identity, needed,
        account=cloud.account, scopes=cloud.scopes, context=context if isinstance(context, dict) else None,
    )  # fmt: skip
    assert answer.reason
    return answer.verdict is Coverage.COVERED


def judge_policy(cloud: Cloud, looser: Callable[[Any], Any], denial: Callable[[Any], Any] | None, data: bytes) -> None:
    """Judge `{exports, grant, context}`; then without conditions on what is allowed, then with all denied."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return
    exports = body.get("exports") if isinstance(body, dict) else None
    grant = body.get("grant") if isinstance(body, dict) else None
    if not isinstance(exports, list) or not isinstance(grant, dict):
        return
    try:
        covered = _covered(cloud, exports, grant, body.get("context"))
    except ValueError:  # what `judge` documents for a grant or a context that is none
        return
    if not covered:
        return
    loose = looser(copy.deepcopy(exports))
    assert _covered(cloud, loose, grant, body.get("context")), "granted under a condition, and not without it"
    if denial is not None and grant.get("effect") != "Deny":
        denied = denial(copy.deepcopy(exports))
        assert denied is None or not _covered(cloud, denied, grant, body.get("context")), (
            "granted although all is denied"
        )


def _without(*names: str) -> Callable[[Any], Any]:
    """Return a function that takes fields of these names out of everything that allows."""

    def strip(body: Any) -> Any:
        for owner, key in leaves([body]):
            one = owner.get(key) if isinstance(owner, dict) else owner[key]  # it may be gone by now
            if isinstance(one, dict) and str(one.get("Effect", "Allow")) == "Allow" and "denyRule" not in one:
                for name in names:
                    one.pop(name, None)
        return body

    return strip


def _deny_aws(exports: Any) -> Any:
    """Add an inline policy that denies all to each role; None where one of them has no place for it."""
    entry = {"PolicyName": "no", "PolicyDocument": aws.document(aws.deny("*"))}
    lists = [owner[key] for owner, key in leaves([exports]) if key == "RoleDetailList"]
    roles: list[Any] = [role for listed in lists for role in (listed if isinstance(listed, list) else [None])]
    for role in roles:
        held = role.get("RolePolicyList") if isinstance(role, dict) else None
        if not isinstance(held, list | dict):
            return None
        role["RolePolicyList"] = [*held, entry] if isinstance(held, list) else [held, entry]
    return exports if roles else None


def _deny_gcp(exports: Any) -> Any:
    rule = {
        "deniedPrincipals": ["principalSet://goog/public:all"],
        "deniedPermissions": ["compute.googleapis.com/disks.create"],
    }
    name = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp1/denypolicies/no"
    return [*exports, {"name": name, "kind": "DenyPolicy", "rules": [{"denyRule": rule}]}]


def _deny_azure(exports: Any) -> Any:
    """Add a deny assignment of the whole subscription, for everyone."""
    rule = {
        "denyAssignmentName": "no",
        "permissions": [{"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}],
        "scope": "/subscriptions/S1",
        "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
        "excludePrincipals": [],
    }
    kind = "Microsoft.Authorization/denyAssignments"
    return [*exports, [{"id": "/x", "name": "no", "type": kind, "properties": rule}]]


_AWS_WORDS = (
    "Allow", "Deny", "allow", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "ec2:*",
    "ec2:Create*", "StringEquals", "StringNotEquals", "StringLike", "ForAllValues:StringEquals",
    "ForAnyValue:StringLike", "Null", "Bool", "StringEqualsIfExists", "ArnLike", "IpAddress", "NumericLessThan",
    "DateGreaterThan", "BinaryEquals", "aws:PrincipalArn", "aws:RequestedRegion",
    "aws:ResourceTag/kubernetes.io/cluster/c1-x7k2p", "aws:PrincipalTag/a", "aws:CurrentTime", "aws:SourceIp",
    "${aws:PrincipalArn}", "${aws:PrincipalTag/a, 'x'}", "${*}", "eu-central-1", "owned", "true", "false", aws.ROLE,
    "arn:aws:ec2:eu-central-1:111122223333:volume/*", "arn:aws:ec2:*", "PermissionsBoundary", "Version", "2008-10-17",
)  # fmt: skip
_GCP_WORDS = (
    "request.time", 'request.time < timestamp("2027-01-01T00:00:00Z")', 'request.time.getHours("Europe/Berlin") > 8',
    "&&", "||", "!", 'resource.name.startsWith("projects/_/buckets/c1")', "resource.type",
    'resource.matchTag("1/env", "prod")', "true", "false", 'timestamp("x")', "duration(\"1h\")", "((((",
    "roles/owner", "roles/compute.admin", "allUsers", "deleted:serviceAccount:a@p1?uid=1",
    "serviceAccount:a@p1.iam.gserviceaccount.com", "group:g@example.com", "compute.disks.create", "DISABLED",
    "DEPRECATED",
)  # fmt: skip
_IBM_WORDS = (
    "stringEquals", "stringMatch", "stringExists", "stringEqualsAnyOf", "numericEquals", "serviceName", "serviceType",
    "accountId", "resourceGroupId", "resourceType", "resource-group", "is", "i*", "active", "deleted",
    "time-based-conditions:weekly",
    {"key": "{{environment.attributes.current_time}}", "operator": "timeLessThan", "value": "09:00:00+00:00"}, "and",
    "or", "crn:v1:bluemix:public:iam::::role:Editor", "crn:v1:bluemix:public:iam::::role:Administrator",
    "AccessGroupId-1",
)  # fmt: skip
_AZURE_WORDS = (
    "Microsoft.Compute/disks/write", "Microsoft.Compute/*", "*/write", "actions", "notActions", "dataActions",
    "condition", "2.0", "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'x'",
    "/subscriptions/S1", SCOPE, "/", "/providers/Microsoft.Management/managementGroups/g", "ServicePrincipal",
    "Group", "CustomRole", "BuiltInRole", "properties", "b24988ac-6180-42a0-ab88-20f7382dd24c", "excludePrincipals",
    "doNotApplyToChildScopes", "assignableScopes",
)  # fmt: skip
TARGETS = (
    *(
        Target(f"exports-{name}", partial(read_export, cloud), with_words(*words), memory=128 * 2**20)
        for name, cloud, words in (
            ("aws", AWS, ("Allow", "Deny", "IsTruncated", "NextToken", "%7B%22", aws.ROLE)),
            ("azure", AZURE, _AZURE_WORDS),
            ("gcp", GCP, _GCP_WORDS),
            ("ibm", IBM, _IBM_WORDS),
        )
    ),
    Target(
        "policies-aws", partial(judge_policy, AWS, _without("Condition"), _deny_aws), with_words(*_AWS_WORDS), weight=2
    ),
    Target("policies-gcp", partial(judge_policy, GCP, _without("condition"), _deny_gcp), with_words(*_GCP_WORDS)),
    Target("policies-ibm", partial(judge_policy, IBM, _without("rule", "pattern"), None), with_words(*_IBM_WORDS)),
    Target(
        "policies-azure", partial(judge_policy, AZURE, _without("condition"), _deny_azure), with_words(*_AZURE_WORDS)
    ),
)
