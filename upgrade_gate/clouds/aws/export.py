"""AWS: the account's authorization details, or only the roles and users that serve the cluster where they are known.

Besides: permissions boundaries, IAM's OIDC providers, and the organisation's service control policies.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote
from upgrade_gate.clouds.aws.holdings import parse_identity
from upgrade_gate.clouds.contract.export import Steps

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.export import Wanted

REACHES_ABOVE = False

_KEY_PREFIXES = ("AKIA", "ASIA")

_CALLER = "save caller aws sts get-caller-identity --output json\n"
_CHECK = """\
account=$(aws sts get-caller-identity --query Account --output text)
[ "$account" = {account} ] || stop "the caller belongs to account $account, not to {account}"
"""

_EVERYTHING = """\
# Every role, user, group and policy of the account; the command line follows the pages.
save account aws iam get-account-authorization-details \\
  --filter Role User Group LocalManagedPolicy AWSManagedPolicy --output json
"""
_EVERY_KEY = """\
# Which user an access key belongs to.
users=$(aws iam get-account-authorization-details --filter User --query 'UserDetailList[].UserName' --output text)
for user in $users; do
  [ "$user" = None ] || may save "keys-$user" aws iam list-access-keys --user-name "$user" --output json || true
done
"""

_PROVIDERS = """\
# Whose tokens the account takes at all, and for which audiences.
if may save providers aws iam list-open-id-connect-providers --output json; then
  arns=$(aws iam list-open-id-connect-providers --query 'OpenIDConnectProviderList[].Arn' --output text)
  for one in $arns; do
    [ "$one" = None ] || may save provider aws iam get-open-id-connect-provider --open-id-connect-provider-arn "$one" \\
      --query "{OpenIDConnectProviderArn: '$one', Url: Url, ClientIDList: ClientIDList}" --output json || true
  done
fi
"""

_ORGANIZATION = """\
# What the organisation leaves of every policy. Most accounts may not ask: then it stays a caveat.
controls=' '

unread() { # what hangs at or above a target is not known, or not all of it
  file unread-organization
  printf '{"OrganizationUnread": "%s"}\\n' "$1" >"$path"
}

control() { # account, unit or root: its service control policies, each once, then those above it
  local ids one above
  if ! may save "controls-$1" aws organizations list-policies-for-target --target-id "$1" \\
    --filter SERVICE_CONTROL_POLICY --output json; then
    unread "$1"
    return 0
  fi
  ids=$(aws organizations list-policies-for-target --target-id "$1" \\
    --filter SERVICE_CONTROL_POLICY --query 'Policies[].Id' --output text)
  for one in $ids; do
    case $controls in *" $one "*) continue ;; esac
    controls="$controls$one "
    [ "$one" != None ] || continue
    may save control aws organizations describe-policy --policy-id "$one" --output json || unread "$one"
  done
  case $1 in r-*) return 0 ;; esac
  above=$(aws organizations list-parents --child-id "$1" --query 'Parents[].Id' --output text) || above=
  if [ -n "$above" ] && [ "$above" != None ]; then control "$above"; else unread "above $1"; fi
}

# Every account of an organisation may ask which one manages it: no such policy applies to that one.
manager=
if may save organization aws organizations describe-organization --output json; then
  manager=$(aws organizations describe-organization --query Organization.MasterAccountId --output text)
fi
own=$(aws sts get-caller-identity --query Account --output text)
[ "$own" = "$manager" ] || control "$own"
"""

_MANAGED = """\
seen=' '

managed() { # ARN: the default version of a managed policy, once
  local version
  case $seen in *" $1 "*) return 0 ;; esac
  seen="$seen$1 "
  version=$(aws iam get-policy --policy-arn "$1" --query Policy.DefaultVersionId --output text)
  save "policy-${1##*/}" aws iam get-policy-version --policy-arn "$1" --version-id "$version" \\
    --query "{PolicyArn: '$1', PolicyVersion: PolicyVersion}" --output json
}
"""
_EVERY_BOUNDARY = """\
# The permissions boundaries: one that AWS keeps need not be among the policies of the account.
limits=$(aws iam get-account-authorization-details --filter Role User \\
  --query '[RoleDetailList, UserDetailList][].PermissionsBoundary.PermissionsBoundaryArn' --output text)
for limit in $limits; do
  [ "$limit" = None ] || managed "$limit"
done
"""
_EACH = """\
policies() { # role|user|group, RoleName|UserName|GroupName, name: everything written into it and attached to it
  local names arns one
  save "$1-$3-inline" aws iam "list-$1-policies" "--$1-name" "$3" \\
    --query "{$2: '$3', PolicyNames: PolicyNames}" --output json
  names=$(aws iam "list-$1-policies" "--$1-name" "$3" --query PolicyNames --output text)
  for one in $names; do
    [ "$one" = None ] || save "$1-$3-$one" aws iam "get-$1-policy" "--$1-name" "$3" --policy-name "$one" --output json
  done
  save "$1-$3-attached" aws iam "list-attached-$1-policies" "--$1-name" "$3" \\
    --query "{$2: '$3', AttachedPolicies: AttachedPolicies}" --output json
  arns=$(aws iam "list-attached-$1-policies" "--$1-name" "$3" --query 'AttachedPolicies[].PolicyArn' --output text)
  for one in $arns; do
    [ "$one" = None ] || managed "$one"
  done
}

role() { # name; one that is not there serves nobody
  local limit
  may save "role-$1" aws iam get-role --role-name "$1" --output json || return 0
  limit=$(aws iam get-role --role-name "$1" --query Role.PermissionsBoundary.PermissionsBoundaryArn --output text)
  [ "$limit" = None ] || managed "$limit"
  policies role RoleName "$1"
}

user() { # name
  local groups limit one
  may save "user-$1" aws iam get-user --user-name "$1" --output json || return 0
  limit=$(aws iam get-user --user-name "$1" --query User.PermissionsBoundary.PermissionsBoundaryArn --output text)
  [ "$limit" = None ] || managed "$limit"
  policies user UserName "$1"
  save "user-$1-groups" aws iam list-groups-for-user --user-name "$1" \\
    --query "{UserName: '$1', Groups: Groups}" --output json
  groups=$(aws iam list-groups-for-user --user-name "$1" --query 'Groups[].GroupName' --output text)
  for one in $groups; do
    [ "$one" = None ] && continue
    case $seen in *" group/$one "*) continue ;; esac
    seen="${seen}group/$one "
    policies group GroupName "$one"
  done
  save "user-$1-keys" aws iam list-access-keys --user-name "$1" --output json
}

key() { # access key ID: its user
  local name
  name=$(aws iam get-access-key-last-used --access-key-id "$1" --query UserName --output text)
  [ "$name" = None ] || user "$name"
}
"""

_DETAILS = ("GetAccountAuthorizationDetails",)
_SINGLE = (
    "GetAccessKeyLastUsed",
    "GetGroupPolicy",
    "GetOpenIDConnectProvider",
    "GetPolicy",
    "GetPolicyVersion",
    "GetRole",
    "GetRolePolicy",
    "GetUser",
    "GetUserPolicy",
    "ListAccessKeys",
    "ListAttachedGroupPolicies",
    "ListAttachedRolePolicies",
    "ListAttachedUserPolicies",
    "ListGroupPolicies",
    "ListGroupsForUser",
    "ListOpenIDConnectProviders",
    "ListRolePolicies",
    "ListUserPolicies",
)
_ABOVE = ("DescribeOrganization", "DescribePolicy", "ListParents", "ListPoliciesForTarget")
"""Only the management account of an organisation and its delegates may call these, but for the first."""


def steps(wanted: Wanted) -> Steps:
    """Return the commands; by identity where every one is known, else for the whole account."""
    lines = [_CALLER]
    if wanted.account:
        lines.append(_CHECK.format(account=quote(wanted.account)))
    rest = (*((_PROVIDERS,) if wanted.trust else ()), _ORGANIZATION)
    if not wanted.complete:
        lines += [_EVERYTHING, _MANAGED, _EVERY_BOUNDARY]
        if not wanted.trust or any(i.startswith(_KEY_PREFIXES) for i in wanted.identities):
            lines.append(_EVERY_KEY)
        return Steps("aws", (), (*lines, *rest))
    calls = [f"role {quote(name)}" for name in wanted.names]
    calls += [_call(identity) for identity in wanted.identities]
    return Steps("aws", (), (*lines, _MANAGED, _EACH, *dict.fromkeys(sorted(calls)), *rest))


def _call(identity: str) -> str:
    if identity.startswith(_KEY_PREFIXES):
        return f"key {quote(identity)}"
    kind, name, _ = parse_identity(identity)
    return f"{'user' if kind == 'user' else 'role'} {quote(name)}"


def access(account: str | None, organization: str | None) -> str:
    """Return an IAM policy: the account's details at once, what stands in for them role by role, and what is above.

    `sts:GetCallerIdentity` needs no permission. IAM's own reads cannot all be limited to single resources.
    """
    del account, organization
    statements = [
        {"Sid": sid, "Effect": "Allow", "Action": [f"{service}:{name}" for name in names], "Resource": "*"}
        for sid, service, names in (
            ("ReadTheAccountAtOnce", "iam", _DETAILS),
            ("ReadSingleIdentities", "iam", _SINGLE),
            ("ReadTheOrganizationIfAny", "organizations", _ABOVE),
        )
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"
