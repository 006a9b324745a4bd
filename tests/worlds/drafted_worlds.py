"""A cloud, an identity in it and the script of one kind of step: what stands there before, for each kind."""

import json
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from tests.worlds.drafted import ACCOUNT, ACT_AS, CLIENT, EMAIL, GET, MANY, NODE, PRINCIPAL, WRITE, Written
from tests.worlds.identity_changes import ISSUER, SECRET, action, change, cluster_names, subjects
from upgrade_gate.clouds.aws import remedy_documents
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant

ROLE = f"arn:aws:iam::{ACCOUNT}:role/c1-x"
USER = f"arn:aws:iam::{ACCOUNT}:user/c1-u"
NEW, OLD = action("ec2:New"), action("ec2:Old")
VIEWER, EDITOR = (f"crn:v1:bluemix:public:iam::::role:{name}" for name in ("Viewer", "Editor"))
IS = {"attributes": [{"name": "serviceName", "value": "is"}]}
GROUPS = {"attributes": [{"name": "resourceType", "value": "resource-group"}]}
IBM = [Grant("role", VIEWER, scope=IS), Grant("role", EDITOR, scope=IS), Grant("role", VIEWER, scope=GROUPS)]
_HOST = "oidc.example.com/c1"
_PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{_HOST}"
POOL = "principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/c1/subject/"
SUBJECT = f"system:serviceaccount:{SECRET.namespace}:"
HELD = remedy_documents.document([OLD])


class Clouds:
    """Makes a world for each kind of step; every one begins anew."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        import boto3

        self.folder, self.endpoint, self.number = folder, endpoint, 0
        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
        self.iam = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1", **keys)

    def place(self) -> Path:
        self.number += 1
        folder = self.folder / str(self.number)
        folder.mkdir()
        return folder

    def aws(
        self,
        *grants: Grant,
        policy: Any = None,
        values: Mapping[str, str] | None = None,
        no_provider: bool = False,
        **fields: Any,
    ) -> Written:
        """A role whose trust policy has one subject; with an inline policy that an export shows, where one is given.

        With `no_provider` the export shows that the account has no OIDC provider.
        There is a user too, for whose inline policies there is less room.
        """
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")).close()
        export = []
        trust = remedy_documents.trust(_PROVIDER, _HOST, subjects("old"))
        if not fields.get("create"):
            self.iam.create_role(RoleName="c1-x", AssumeRolePolicyDocument=json.dumps(trust))
        self.iam.create_user(UserName="c1-u")
        if policy is not None:
            self.iam.put_role_policy(RoleName="c1-x", PolicyName="c1-x", PolicyDocument=json.dumps(policy))
            body = self.iam.get_account_authorization_details()
            body.pop("ResponseMetadata")
            export.append(json.loads(json.dumps({"IsTruncated": False, **body}, default=str)))
        if no_provider:
            export.append({"OpenIDConnectProviderList": []})
        identity = {} if fields.get("create") else {"identity": ROLE, **fields}
        names = cluster_names("AWS", *export, account=ACCOUNT, issuer=ISSUER, region="eu-west-1")
        one = change("AWSProviderSpec", grants, **{**identity, **fields})
        return Written(self.place(), one, names, self.endpoint, values)

    def azure(self, *grants: Grant, federated: Any = (), **fields: Any) -> Written:
        base = {"account": "S1", "issuer": ISSUER, "region": "westeurope", "scopes": ("c1-rg",), "ccoctl_name": "c1"}
        known = {"ccoctl": "c1-openshift-x-x", "identity": None if fields.get("create") else CLIENT, **fields}
        written = Written(self.place(), change("AzureProviderSpec", grants, **known), cluster_names("Azure", **base))
        path = "/subscriptions/S1/resourcegroups/c1-oidc/providers/Microsoft.ManagedIdentity/userAssignedIdentities"
        name = "c1-openshift-x-x"
        identity = {"id": f"{path}/{name}", "name": name, "clientId": CLIENT, "principalId": PRINCIPAL}
        held = [
            {"id": f"{path}/{name}/federatedIdentityCredentials/{f['name']}", "audiences": ["openshift"], **f}
            for f in federated
        ]
        people = [] if fields.get("create") else [identity]
        written.keep(identities=people, definitions=[], assignments=[], federated=held)
        return written

    def gcp(self, *grants: Grant, roles: Any = (), bound: Any = (), **fields: Any) -> Written:
        context = Context(project="p1", node_service_accounts=(NODE,))
        known = {"identity": None if fields.get("create") else EMAIL, **fields}
        names = cluster_names("GCP", scopes=("p1",), issuer=ISSUER, context=context)
        values = {"GCP_PROJECT_NUMBER": "42", "GCP_WORKLOAD_IDENTITY_POOL": "c1"}
        written = Written(self.place(), change("GCPProviderSpec", grants, **known), names, values=values)
        accounts = [] if fields.get("create") else [{"email": EMAIL}]
        written.keep(project={"bindings": [], "version": 3}, service_accounts=accounts)
        written.keep(sa_nodes={"serviceAccount": NODE, "policy": {"bindings": []}})
        if accounts:
            written.keep(sa_own={"serviceAccount": EMAIL, "policy": {"bindings": list(bound)}})
        for body in roles:
            written.keep(**{f"role_{body['name'].rpartition('/')[2]}": body})
        return written

    def ibm(self, *grants: Grant, policies: Any = (), **fields: Any) -> Written:
        known = {"identity": None if fields.get("create") else "iam-ServiceId-0", "scopes": ("c1-rg",), **fields}
        groups = [{"id": "0" * 32, "name": "c1-rg", "crn": f"crn:v1:x:resource-group:{'0' * 32}"}]
        names = cluster_names("IBMCloud", groups, token=False, account="a" * 32, ccoctl_name="c1")
        written = Written(self.place(), change("IBMCloudProviderSpec", grants, **known), names)
        ids = [] if fields.get("create") else [{"id": "ServiceId-0", "iam_id": "iam-ServiceId-0", "name": "c1-x"}]
        written.keep(service_ids=ids, policies=list(policies))
        return written

    def alibaba(self, *grants: Grant, ram: Any = None, **fields: Any) -> Written:
        names = cluster_names("AlibabaCloud", token=False, account="1")
        written = Written(self.place(), change("AlibabaCloudProviderSpec", grants, ccoctl="c1-x", **fields), names)
        users = [] if fields.get("create") else ["c1-x"]
        written.keep(ram=ram or {"users": users, "policies": {}, "held": []})
        return written


Make: TypeAlias = Callable[[Clouds], Written]


def _whole_trust(clouds: Clouds) -> Written:
    """The trust policy was not seen: somebody merges it, and names the file."""
    written = clouds.aws(untrusted=subjects("new"), values={"TRUST_POLICY_OPENSHIFT_X_X_CREDENTIALS": "whole.json"})
    trust = remedy_documents.trust(_PROVIDER, _HOST, subjects("old", "new"))
    (written.folder / "whole.json").write_text(json.dumps(trust))
    return written


DELETED = {"name": "projects/p1/roles/p1_xoperator", "title": "t", "includedPermissions": [], "deleted": True}
KINDS: Mapping[str, tuple[str, Make]] = {
    "AWS, an inline policy": ("grant", lambda c: c.aws(NEW)),
    "AWS, one that is extended": ("grant", lambda c: c.aws(NEW, policy=HELD, before=(NEW, OLD))),
    "AWS, managed policies": ("grant", lambda c: c.aws(*MANY[:60], identity=USER)),
    "AWS, trust": ("grant", lambda c: c.aws(policy=HELD, untrusted=subjects("new"))),
    "AWS, trust that was not seen": ("grant", _whole_trust),
    "AWS, no OIDC provider": ("grant", lambda c: c.aws(policy=HELD, untrusted=subjects("old"), no_provider=True)),
    "AWS, a new role": ("grant", lambda c: c.aws(NEW, ccoctl="c1-y", create=True)),
    "AWS, after": ("after", lambda c: c.aws(policy=remedy_documents.document([OLD, NEW]), target=(NEW,), gone=(OLD,))),
    "Azure, role and trust": ("grant", lambda c: c.azure(WRITE, untrusted=subjects("a", "b"))),
    "Azure, a new identity": ("grant", lambda c: c.azure(WRITE, untrusted=subjects("a"), create=True)),
    "Azure, after": (
        "after",
        lambda c: c.azure(
            gone_subjects=subjects("a"), federated=[{"name": "a", "issuer": ISSUER, "subject": f"{SUBJECT}a"}]
        ),
    ),
    "GCP, role and trust": ("grant", lambda c: c.gcp(GET, ACT_AS, untrusted=subjects("a"))),
    "GCP, a predefined role": ("grant", lambda c: c.gcp(Grant("predefinedRole", "roles/dns.admin"))),
    "GCP, a new account": ("grant", lambda c: c.gcp(GET, untrusted=subjects("a"), create=True)),
    "GCP, a deleted role": ("grant", lambda c: c.gcp(GET, roles=[DELETED])),
    "GCP, after": (
        "after",
        lambda c: c.gcp(
            gone_subjects=subjects("a"),
            bound=[{"role": "roles/iam.workloadIdentityUser", "members": [f"{POOL}{SUBJECT}a"]}],
        ),
    ),
    "IBM Cloud, policies": ("grant", lambda c: c.ibm(*IBM)),
    "IBM Cloud, a new service ID": ("grant", lambda c: c.ibm(*IBM, ccoctl="c1-y", create=True)),
    "Alibaba Cloud, a policy": ("grant", lambda c: c.alibaba(NEW)),
    "Alibaba Cloud, a new user": ("grant", lambda c: c.alibaba(NEW, create=True)),
}
"""The part of the script that does it, and what makes the world."""
