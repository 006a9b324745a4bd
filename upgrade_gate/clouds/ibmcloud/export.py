"""IBM Cloud and Power VS: service IDs with their policies and access groups, what roles contain, service instances.

Of the instances counts in which resource group those are that hold the cluster's zones (`dns-svcs`, `internet-svcs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote, words
from upgrade_gate.clouds.contract.export import Steps
from upgrade_gate.clouds.ibmcloud.cover import INSTANCES

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.export import Wanted

REACHES_ABOVE = False

_FUNCTIONS = """\
groups=' '

ids() { # file: the service IDs in it, none where it has none
  grep -o 'iam-ServiceId-[A-Za-z0-9-]*' -- "$1" | sort -u || true
}

policies() { # name, service-policies|access-group-policies, whose: the second form shows what the first leaves out
  attempt save "$1" ibmcloud iam "$2" "$3" --output json --api-version v2 ||
    save "$1" ibmcloud iam "$2" "$3" --output json
}

service_id() { # iam-ServiceId-…: its policies, and those of the groups that it is in
  local id=${1#iam-} listed found name group left
  policies "policies-$id" service-policies "$id"
  save "groups-$id" ibmcloud iam access-groups -s "$id" --output json
  listed=$path
  found=$(grep -o 'AccessGroupId-[A-Za-z0-9-]*' -- "$listed" | sort -u) || found=
  left=0
  for group in $found; do
    left=$((left + 1))
    file "member-$id"
    printf '{"accessGroup": "%s", "members": ["%s"]}\\n' "$group" "$1" >"$path"
  done
  while IFS= read -r name <&3; do
    [ -n "$name" ] || continue
    left=$((left - 1))
    case $groups in *"|$name|"*) continue ;; esac
    groups="$groups|$name|"
    policies group-policies access-group-policies "$name"
  done 3<<<"$(sed -n 's/^ *"name": *"\\(.*\\)",\\{0,1\\}$/\\1/p' "$listed")"
  [ "$left" = 0 ] || stop "the names of the access groups of $id cannot be read"
}

named() { # name of a service ID; one that is not there serves nobody
  local id
  may save "service-id" ibmcloud iam service-id "$1" --output json || return 0
  for id in $(ids "$path"); do service_id "$id"; done
}

may save resource-groups ibmcloud resource groups --output json || true
may save instances ibmcloud resource service-instances --output json || true
"""

_LIST = "save service-ids ibmcloud iam service-ids --output json"
_ALL = f"""\
{_LIST}
all=$(ids "$path")
"""


def steps(wanted: Wanted) -> Steps:
    """Return the commands: policies by service ID where every one is known, else of all; roles by service."""
    lines = [_FUNCTIONS, _ALL if not wanted.complete else _LIST]
    lines += [
        f"may save {quote(f'roles-{service}')} {words('ibmcloud', 'iam', 'roles', '--service', service)} "
        "--output json || true"
        for service in wanted.services
    ]
    if wanted.complete:
        lines += [f"service_id {quote(_iam_id(one))}" for one in wanted.identities]
        lines += [f"named {quote(name)}" for name in wanted.names]
    else:
        lines.append('for id in $all; do service_id "$id"; done')
    return Steps("ibmcloud", (), tuple(lines))


def _iam_id(identity: str) -> str:
    return identity if identity.startswith("iam-") else f"iam-{identity}"


_SERVICES = {
    "iam-access-management": "access policies and roles",
    "iam-groups": "access groups",
    "iam-identity": "service IDs",
}


def access(account: str | None, organization: str | None) -> str:
    """Return commands that let a service ID read, since IBM Cloud keeps one policy for each service."""
    del account, organization
    lines = [
        "#!/usr/bin/env bash",
        "# Lets a service ID read who may do what in the account of a cluster; Viewer writes nothing.",
        "#   bash FILE SERVICE_ID",
        "set -euo pipefail",
        'reader=${1:?"name the service ID that is to read"}',
    ]
    for service, what in sorted(_SERVICES.items()):
        lines += [
            f"# {what}",
            f'ibmcloud iam service-policy-create "$reader" --roles Viewer --service-name {service}',
        ]
    lines += [
        "# resource groups",
        'ibmcloud iam service-policy-create "$reader" --roles Viewer --resource-type resource-group',
        "# the instances that hold the cluster's zones, with their resource groups",
    ]
    lines += [
        f'ibmcloud iam service-policy-create "$reader" --roles Viewer --service-name {service}'
        for service in sorted(INSTANCES)
    ]
    return "\n".join(lines) + "\n"
