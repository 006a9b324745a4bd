"""Azure: role assignments with their definitions, deny assignments, managed identities and what lets workloads in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from upgrade_gate.base.shell import quote
from upgrade_gate.clouds.contract.export import Fill, Steps

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.export import Wanted

REACHES_ABOVE = False

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_API = "2022-04-01"

_FUNCTIONS = f"""\
authorization="/subscriptions/$SUBSCRIPTION/providers/Microsoft.Authorization"

pages() {{ # name, more members of each page, URL: every page of a REST list
  local url=$3
  while [ -n "$url" ]; do
    save "$1" az rest --method get --url "$url" \\
      --query "{{$2, value: value, nextLink: nextLink}}" --output json || return 1
    url=$(az rest --method get --url "$url" --query nextLink --output tsv) || return 1
    case $url in http*) ;; *) url= ;; esac
  done
}}

principal() {{ # object ID: what is assigned to it and to its groups
  may pages "assigned-to-$1" "assignedTo: '$1'" \\
    "$authorization/roleAssignments?api-version={_API}&\\$filter=assignedTo(%27$1%27)" || true
}}

identity() {{ # name, resource group, object ID of a managed identity
  principal "$3"
  may save "federated-$1" az identity federated-credential list --subscription "$SUBSCRIPTION" \\
    --identity-name "$1" --resource-group "$2" --output json || true
}}

identities() {{ # query: the managed identities that it picks
  local found name group object
  found=$(az identity list --subscription "$SUBSCRIPTION" --query "$1.[name, resourceGroup, principalId]" --output tsv)
  while IFS=$'\\t' read -r name group object <&3; do
    [ -z "$object" ] || identity "$name" "$group" "$object"
  done 3<<<"$found"
}}

client() {{ # client ID of a managed identity, or of an application
  local object
  identities "[?clientId=='$1']"
  object=$(az identity list --subscription "$SUBSCRIPTION" --query "[?clientId=='$1'].principalId" --output tsv)
  [ -z "$object" ] || return 0
  may save "principal-$1" az ad sp list --filter "appId eq '$1'" --output json || return 0
  object=$(az ad sp list --filter "appId eq '$1'" --query '[].id' --output tsv)
  [ -z "$object" ] || principal "$object"
}}

save assignments az role assignment list --all --include-inherited --subscription "$SUBSCRIPTION" --output json
save definitions az role definition list --subscription "$SUBSCRIPTION" --output json
may pages denies "listing: 'denyAssignments'" "$authorization/denyAssignments?api-version={_API}" || true
save identities az identity list --subscription "$SUBSCRIPTION" --output json
"""

_GROUP = """\
may save {name} az role definition list --custom-role-only true --subscription "$SUBSCRIPTION" \\
  --scope "/subscriptions/$SUBSCRIPTION/resourceGroups/"{group} --output json || true
"""


def steps(wanted: Wanted) -> Steps:
    """Return the commands: the subscription's roles as a whole, and by identity what only an identity's list shows.

    Roles that may only be assigned in a resource group are in no list of the subscription.
    """
    lines = [_FUNCTIONS]
    lines += [_GROUP.format(name=quote(f"definitions-{g}"), group=quote(g)) for g in wanted.scopes if "/" not in g]
    if not wanted.complete:
        lines.append("identities '[]'")
    for one in wanted.identities:
        kind, _, object_id = one.partition(":")
        if kind == "principal" and _UUID.fullmatch(object_id):
            lines.append(f"identities {quote(f'''[?principalId=='{object_id}']''')}")
            lines.append(f"principal {quote(object_id)}")
        else:
            lines.append(f"client {quote(one)}")
    if wanted.complete:
        lines += [f"identities {quote(f'''[?name=='{name}']''')}" for name in wanted.names]
    subscription = (wanted.account or "").strip().rpartition("/")[2]
    fill = Fill("SUBSCRIPTION", "ID of the subscription that the cluster is in (az account list)", subscription)
    return Steps("az", (fill,), tuple(lines))


_ACTIONS = (
    "Microsoft.Authorization/denyAssignments/read",
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read",
    "Microsoft.ManagedIdentity/userAssignedIdentities/read",
)


def access(account: str | None, organization: str | None) -> str:
    """Return a custom role as `az role definition create --role-definition` takes it."""
    del organization
    subscription = (account or "").strip().rpartition("/")[2] or "<FILL_ME: subscription ID>"
    role = {
        "Name": "upgrade-gate reader",
        "Description": "Reads who may do what in the subscription of a cluster; writes nothing. An application's "
        "client ID is joined by Microsoft Graph, which needs Application.Read.All besides.",
        "Actions": list(_ACTIONS),
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [f"/subscriptions/{subscription}"],
    }
    return json.dumps(role, indent=2) + "\n"
