"""Azure: what role assignments cover, case by case from the facts (docs/facts/azure.md#coverage)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from upgrade_gate.clouds.azure import holdings as azure
from upgrade_gate.clouds.azure.cover import worst
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document
from upgrade_gate.entitlements import judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

P = "00000000-0000-4000-8000-0000000000aa"
CLIENT = "00000000-0000-4000-8000-0000000000cc"
OTHER = "00000000-0000-4000-8000-0000000000bb"
GROUP = "00000000-0000-4000-8000-0000000000ee"
EVERYONE = "00000000-0000-0000-0000-000000000000"
SUB = "/subscriptions/S1"
RG = f"{SUB}/resourceGroups/c1-rg"
AUTHORIZATION = "/providers/Microsoft.Authorization"
TENANT = {"scope": "/", "roleDefinitionId": f"{AUTHORIZATION}/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c"}
"""What an assignment of Contributor above all subscriptions says where nothing names one."""
ABOVE = "/providers/Microsoft.Management/managementGroups/m"
FOREIGN = {"scope": ABOVE, "roleDefinitionId": f"/subscriptions/S2{AUTHORIZATION}/roleDefinitions/d9"}
NET = f"{SUB}/resourceGroups/net-rg"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
READ = "Microsoft.Compute/disks/read"
BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"


def role(name: str, *actions: str, guid: str = "d1", **more: Any) -> dict[str, Any]:
    """A role definition as `az role definition list` prints it."""
    permissions = {"actions": list(actions), "notActions": [], "dataActions": [], "notDataActions": []}
    return {
        "id": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "name": guid,
        "roleName": name,
        "roleType": "CustomRole",
        "assignableScopes": [SUB],
        "permissions": [permissions | more],
    }


def assigned(guid: str = "d1", scope: str = RG, principal: str = P, **more: Any) -> dict[str, Any]:
    """A role assignment as `az role assignment list` prints it."""
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/a-{guid}",
        "name": f"a-{guid}",
        "type": "Microsoft.Authorization/roleAssignments",
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "roleDefinitionName": more.pop("name_of_role", f"role {guid}"),
        "scope": scope,
    } | more


def denied(*actions: str, scope: str = RG, principals: Sequence[Any] = (), **more: Any) -> dict[str, Any]:
    """A deny assignment as REST prints it."""
    inner = {
        "denyAssignmentName": "stack",
        "permissions": [{"actions": list(actions), "notActions": [], "dataActions": [], "notDataActions": []}],
        "scope": scope,
        "doNotApplyToChildScopes": False,
        "principals": list(principals) or [{"id": EVERYONE, "type": "SystemDefined"}],
        "excludePrincipals": [],
    }
    return {"id": "/x", "name": "n1", "type": "Microsoft.Authorization/denyAssignments", "properties": inner | more}


IDENTITY = {
    "id": f"{SUB}/resourcegroups/c1-oidc/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c1-registry",
    "name": "c1-registry",
    "clientId": CLIENT,
    "principalId": P,
    "tenantId": "T",
    "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
}


def decide(
    exports: Sequence[Any],
    permission: str = READ,
    kind: str = "permission",
    *,
    identity: str = f"principal:{P}",
    account: str | None = "S1",
    scopes: Sequence[str] = ("c1-rg",),
    scope: Any = None,
) -> tuple[str, str]:
    """Judge and return verdict and reason."""
    grant = {"type": kind, "permission": permission, "scope": scope}
    judgement = judge("Azure", exports, identity, grant, account=account, scopes=scopes)
    assert judgement.reason
    assert "()" not in judgement.reason
    return str(judgement.verdict), judgement.reason


def both(*actions: str, **more: Any) -> list[Any]:
    """One assignment of one custom role."""
    return [[assigned()], [role("c1-registry", *actions, **more)]]


DATA = {"dataActions": [BLOB]}
WILD = "Microsoft.Compute/disks/*"

PERMISSION_CASES: dict[str, tuple[list[Any], dict[str, Any], str, str]] = {
    "exact action": (
        both(READ),
        {},
        "COVERED",
        "c1-registry at /subscriptions/S1/resourceGroups/c1-rg (assignment a-d1)",
    ),
    "case does not count": (both("microsoft.compute/DISKS/Read"), {}, "COVERED", "a-d1"),
    "trailing wildcard": (both("Microsoft.Compute/*"), {}, "COVERED", "a-d1"),
    "wildcard in the middle crosses segments": (both("Microsoft.Compute/*/read"), {}, "COVERED", "a-d1"),
    "leading wildcard": (both("*/read"), {}, "COVERED", "a-d1"),
    "question mark is a character": (both("Microsoft.Compute/disks/rea?"), {}, "MISSING", "no role allows"),
    "bracket is a character": (both("Microsoft.Compute/disks/[r]ead"), {}, "MISSING", "no role allows"),
    "prefix alone is not a match": (both("Microsoft.Compute/disks"), {}, "MISSING", "no role allows"),
    "control plane action never serves a data action": (
        both("*"),
        {"permission": BLOB, "kind": "dataPermission"},
        "MISSING",
        "data plane",
    ),
    "data action serves a data action": (
        both(**DATA),
        {"permission": BLOB, "kind": "dataPermission"},
        "COVERED",
        "a-d1",
    ),
    "data action never serves a control action": (both(**DATA), {"permission": BLOB}, "MISSING", "control plane"),
    "notActions take out": (both("*", notActions=["Microsoft.Compute/*/read"]), {}, "MISSING", "excepts"),
    "notActions elsewhere do not matter": (both("*", notActions=["Microsoft.Network/*"]), {}, "COVERED", "a-d1"),
    "notDataActions do not touch the control plane": (both("*", notDataActions=["*"]), {}, "COVERED", "a-d1"),
    "a second permissions object counts": (
        [
            [assigned()],
            [role("r") | {"permissions": [{"actions": ["a/b"]}, {"actions": [READ], "notActions": ["a/b"]}]}],
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "a second role gives back": (
        [
            [assigned(), assigned("d2")],
            [role("most", "*", notActions=[READ]), role("disks", READ, guid="d2")],
        ],
        {},
        "COVERED",
        "a-d2",
    ),
    "two roles together contain a wildcard": (
        [
            [assigned(), assigned("d2")],
            [role("most", WILD, notActions=[READ]), role("disks", READ, guid="d2")],
        ],
        {"permission": WILD},
        "COVERED",
        "a-d1",
    ),
    "required wildcard in an equal one": (both(WILD), {"permission": WILD}, "COVERED", "a-d1"),
    "required wildcard in a wider one": (both("Microsoft.Compute/*"), {"permission": WILD}, "COVERED", "a-d1"),
    "required wildcard meets notActions": (
        both("*", notActions=["Microsoft.Compute/disks/delete"]),
        {"permission": WILD},
        "NARROWER",
        "excepts microsoft.compute/disks/delete",
    ),
    "required wildcard meets a notActions pattern that does not contain it": (
        both("*", notActions=["*/delete"]),
        {"permission": WILD},
        "NARROWER",
        "*/delete",
    ),
    "required wildcard against an explicit list": (
        both(READ, "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/delete"),
        {"permission": WILD},
        "NARROWER",
        "only a part",
    ),
    "required wildcard in the middle": (
        both("Microsoft.Compute/virtualMachines/*"),
        {"permission": "Microsoft.Compute/virtualMachines/*/read"},
        "COVERED",
        "a-d1",
    ),
    "required wildcard elsewhere": (both("Microsoft.Network/*"), {"permission": WILD}, "MISSING", "no role allows"),
    "assigned at the subscription": (
        [[assigned(scope=SUB)], [role("r", READ)]],
        {},
        "COVERED",
        "/subscriptions/S1",
    ),
    "assigned at a management group": (
        [[assigned(scope="/providers/Microsoft.Management/managementGroups/mg")], [role("r", READ)]],
        {},
        "COVERED",
        "managementGroups/mg",
    ),
    "assigned at the root": ([[assigned(scope="/")], [role("r", READ)]], {}, "COVERED", "at /"),
    "scopes compare without case": (
        [[assigned(scope=RG.upper().replace("S1", "s1"))], [role("r", READ)]],
        {},
        "COVERED",
        "a-d1",
    ),
    "needed scope as an ID": (both(READ), {"scopes": [RG]}, "COVERED", "a-d1"),
    "scopes compare letter by letter but for the case of ASCII": (
        [[assigned(scope=f"{SUB}/resourceGroups/c1-stra\N{LATIN SMALL LETTER SHARP S}e")], [role("r", READ)]],
        {"scopes": ["c1-strasse"]},
        "MISSING",
        "does not reach c1-strasse",
    ),
    "an action with a letter that only folds to one of ASCII": (
        both("Microsoft.Compute/dis\N{KELVIN SIGN}s/read"),
        {},
        "UNKNOWN",
        "cannot be read as a whole",
    ),
    "scopes compare by whole segments": (
        [[assigned(scope=f"{RG}-other")], [role("r", READ)]],
        {},
        "MISSING",
        "does not reach",
    ),
    "assigned at another resource group": (
        [[assigned(scope=NET)], [role("r", READ)]],
        {},
        "MISSING",
        "does not reach c1-rg",
    ),
    "assigned at a resource": (
        [[assigned(scope=f"{RG}/providers/Microsoft.Compute/disks/d")], [role("r", READ)]],
        {},
        "NARROWER",
        "only a part of c1-rg",
    ),
    "assigned at one of two needed groups": (both(READ), {"scopes": ["c1-rg", "net-rg"]}, "NARROWER", "net-rg"),
    "assigned at both needed groups": (
        [[assigned(), assigned(scope=NET)], [role("r", READ)]],
        {"scopes": ["c1-rg", "net-rg"]},
        "COVERED",
        "net-rg",
    ),
    "needed subscription, held in a group of it": (both(READ), {"scopes": [SUB]}, "NARROWER", "only a part"),
    "needed scope not known, held in a group": (both(READ), {"scopes": []}, "UNKNOWN", "cannot tell"),
    "needed scope of no name beside one that is held": (
        both(READ),
        {"scopes": ["c1-rg", ""]},
        "UNKNOWN",
        "(not known)",
    ),
    "needed in a subscription, and the export does not say whose it is": (
        [[assigned(**TENANT)]],
        {"account": None, "scopes": [RG]},
        "UNKNOWN",
        "nothing about subscription s1",
    ),
    "needed scope not known, held in the subscription": (
        [[assigned(scope=SUB)], [role("r", READ)]],
        {"scopes": []},
        "COVERED",
        "/subscriptions/S1",
    ),
    "scope taken from the assignment's ID": (
        [[{k: v for k, v in assigned().items() if k != "scope"}], [role("r", READ)]],
        {},
        "COVERED",
        "a-d1",
    ),
    "scope not said": (
        [[assigned(scope="", id="x")], [role("r", READ)]],
        {},
        "UNKNOWN",
        "unknown scope",
    ),
    "condition on the assignment": (
        [[assigned(condition="@Resource[name] StringEquals 'x'")], [role("r", READ)]],
        {},
        "NARROWER",
        "StringEquals 'x'",
    ),
    "condition on the permissions object": (both(READ, condition="cond-text"), {}, "NARROWER", "cond-text"),
    "unconditional beside conditional": (
        [[assigned(condition="x"), assigned("d2")], [role("r", READ), role("s", READ, guid="d2")]],
        {},
        "COVERED",
        "a-d2",
    ),
    "definition not exported": ([[assigned(name_of_role="c1-x")]], {}, "UNKNOWN", "definition of role c1-x"),
    "definition not exported, its name not said": (
        [[assigned(roleDefinitionName=None)]],
        {},
        "UNKNOWN",
        "definition of role d1",
    ),
    "definition not exported, another role covers": (
        [[assigned("d9"), assigned()], [role("r", READ)]],
        {},
        "COVERED",
        "a-d1",
    ),
    "definition not exported at another group does not matter": (
        [[assigned("d9", scope=NET), assigned()], [role("r", "a/b")]],
        {},
        "MISSING",
        "no role allows",
    ),
    "two different definitions of one role": (
        [[assigned()], [role("r", READ), role("r", "a/b")]],
        {},
        "UNKNOWN",
        "two different definitions",
    ),
    "built-in Contributor needs no definition": ([[assigned(CONTRIBUTOR)]], {}, "COVERED", "a-b24988ac"),
    "Contributor has no data plane": (
        [[assigned(CONTRIBUTOR)]],
        {"permission": BLOB, "kind": "dataPermission"},
        "MISSING",
        "data plane",
    ),
    "Contributor cannot assign roles": (
        [[assigned(CONTRIBUTOR)]],
        {"permission": "Microsoft.Authorization/roleAssignments/write"},
        "MISSING",
        "excepts",
    ),
    "Owner can assign roles": (
        [[assigned(OWNER)]],
        {"permission": "Microsoft.Authorization/roleAssignments/write"},
        "COVERED",
        "a-8e3af657",
    ),
    "Reader reads": ([[assigned(READER)]], {}, "COVERED", "a-acdd72a7"),
    "Reader does not write": (
        [[assigned(READER)]],
        {"permission": "Microsoft.Compute/disks/write"},
        "MISSING",
        "no role allows",
    ),
    "a role called Contributor with another ID is judged by its definition": (
        [[assigned(name_of_role="Contributor")], [role("Contributor", "a/b")]],
        {},
        "MISSING",
        "no role allows",
    ),
    "another built-in role without definition": (
        [[assigned("17d1049b-9a84-46fb-8f53-869881c3d3ab", name_of_role="Storage Account Contributor")]],
        {},
        "UNKNOWN",
        "Storage Account Contributor",
    ),
    "an exported definition wins over the table": (
        [[assigned(CONTRIBUTOR)], [role("Contributor", "a/b", guid=CONTRIBUTOR)]],
        {},
        "MISSING",
        "no role allows",
    ),
    "another principal's assignment": (
        [[assigned(principal=OTHER)], [role("r", READ)]],
        {},
        "MISSING",
        f"names principal {P}",
    ),
    "principal IDs compare without case": (
        [[assigned(principal=P.upper())], [role("r", READ)]],
        {},
        "COVERED",
        "a-d1",
    ),
    "held by a group of unknown members": (
        [[assigned(principal=GROUP, principalType="Group")], [role("r", READ)]],
        {},
        "UNKNOWN",
        GROUP,
    ),
    "a group that would not help": (
        [[assigned(principal=GROUP, principalType="Group")], [role("r", "a/b")]],
        {},
        "MISSING",
        "no role assignment",
    ),
    "held by a group whose members are exported": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            {"id": GROUP, "displayName": "g", "members": [{"id": P}]},
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "all groups of the principal are known": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            {"id": P, "transitiveMemberOf": [{"id": "another"}]},
        ],
        {},
        "MISSING",
        "no role assignment",
    ),
    "groups of the principal that go on elsewhere": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            {"id": P, "transitiveMemberOf": [{"id": "another"}], "transitiveMemberOf@odata.nextLink": "https://x"},
        ],
        {},
        "UNKNOWN",
        "groups/ID?$expand=members",
    ),
    "groups of the principal of which one cannot be read": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            {"id": P, "transitiveMemberOf": [{"id": "another"}, {"displayName": "g"}]},
        ],
        {},
        "UNKNOWN",
        "groups/ID?$expand=members",
    ),
    "as many groups of the principal as Graph expands": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            {"id": P, "transitiveMemberOf": [{"id": f"another{n}"} for n in range(20)]},
        ],
        {},
        "UNKNOWN",
        "groups/ID?$expand=members",
    ),
    "listing filtered by assignedTo": (
        [
            {"assignedTo": P, "value": [assigned(principal=GROUP, principalType="Group")]},
            [role("r", READ)],
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "an eligible role grants nothing": (
        [
            [assigned("d2", scope=NET)],
            [assigned(type="Microsoft.Authorization/roleEligibilityScheduleInstances")],
            [role("r", READ)],
        ],
        {},
        "MISSING",
        "reaches c1-rg",
    ),
    "no assignments exported": ([[role("r", READ)]], {}, "UNKNOWN", "no role assignments"),
    "nothing recognised": ([{"a": 1}], {}, "UNKNOWN", "no document"),
    "an empty list proves nothing": ([[], [role("r", READ)]], {}, "UNKNOWN", "no role assignments"),
    "foreign subscription": (
        [[assigned(scope="/subscriptions/S2/resourceGroups/c1-rg")], [role("r", READ)]],
        {},
        "UNKNOWN",
        "wrong account",
    ),
    "a group of that name in another subscription": (
        [
            [assigned(scope="/subscriptions/S2/resourceGroups/c1-rg"), assigned("d2")],
            [role("r", READ), role("s", "a/b", guid="d2")],
        ],
        {},
        "MISSING",
        "does not reach",
    ),
    "the subscription that the identity alone names": (
        [
            [assigned(**TENANT)],
            [IDENTITY | {"id": IDENTITY["id"].replace("S1", "S2")}],
        ],
        {},
        "UNKNOWN",
        "wrong account",
    ),
    "no subscription is named": ([[assigned(**TENANT)]], {}, "COVERED", "at /"),
    "account not given, held above the one subscription": (
        [[assigned(CONTRIBUTOR, ABOVE)]],
        {"account": None},
        "COVERED",
        "managementGroups/m",
    ),
    "listed above another subscription, whose management groups need not be the cluster's": (
        [[assigned(**FOREIGN), assigned("d2")], [role("r", READ, guid="d9"), role("s", "a/b", guid="d2")]],
        {},
        "MISSING",
        "no role allows",
    ),
    "listed above another subscription, beside one that covers": (
        [[assigned(**FOREIGN), assigned()], [role("r", READ)]],
        {},
        "COVERED",
        "a-d1",
    ),
    "account without case": (both(READ), {"account": "s1"}, "COVERED", "a-d1"),
    "account as a scope": (both(READ), {"account": SUB}, "COVERED", "a-d1"),
    "account not given": (both(READ), {"account": None}, "COVERED", "a-d1"),
    "several subscriptions and none said": (
        [[assigned(), assigned(scope="/subscriptions/S2/resourceGroups/c1-rg")], [role("r", READ)]],
        {"account": None},
        "UNKNOWN",
        "several subscriptions",
    ),
    "several subscriptions, and the needed group says its own": (
        [[assigned(), assigned(scope="/subscriptions/S2/resourceGroups/c1-rg")], [role("r", READ)]],
        {"account": None, "scopes": [RG]},
        "COVERED",
        "a-d1",
    ),
    "needed group in a second subscription": (
        [[assigned(scope="/subscriptions/S2/resourceGroups/dns")], [role("r", READ)]],
        {"scopes": ["/subscriptions/S2/resourceGroups/dns"]},
        "COVERED",
        "a-d1",
    ),
    "cut-off page": (
        [{"value": [assigned()], "nextLink": "https://x"}, [role("r", READ)]],
        {},
        "UNKNOWN",
        "cut off",
    ),
    "cut-off page without an item": (
        [{"value": [], "nextLink": "https://x"}, [assigned()], [role("r", READ)]],
        {},
        "UNKNOWN",
        "cut off",
    ),
    "pages that are all there": (
        [
            {"value": [assigned("d2")], "nextLink": "https://x"},
            {"value": [assigned()]},
            [role("r", READ), role("s", "a/b", guid="d2")],
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "a page of another subscription does not end this one's": (
        [
            *both(READ),
            {"value": [denied("a/b") | {"id": f"{SUB}/x"}], "nextLink": f"https://x{SUB}/denyAssignments?skip=1"},
            {"value": [denied("a/b") | {"id": "/subscriptions/S2/x"}]},
        ],
        {},
        "UNKNOWN",
        "one page of more",
    ),
    "the next page of the same subscription": (
        [
            *both(READ),
            {"value": [denied("a/b") | {"id": f"{SUB}/x"}], "nextLink": f"https://x{SUB}/denyAssignments?skip=1"},
            {"value": [denied("a/b") | {"id": f"{SUB.lower()}/y"}]},
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "nothing assigned above the subscription": (
        both("a/b"),
        {},
        "MISSING",
        "nothing assigned above the subscription is in the export",
    ),
    "nothing assigned at a resource group": (
        [[assigned(scope=SUB)], [role("r", "a/b")]],
        {},
        "MISSING",
        "nothing assigned at a resource group is in the export",
    ),
    "missing, and a management group's assignments are there": (
        [
            [assigned(), assigned("d2", scope="/providers/Microsoft.Management/managementGroups/m")],
            [role("r", "a/b"), role("s", "a/c", guid="d2")],
        ],
        {},
        "MISSING",
        "managementGroups/m (assignment a-d2)",
    ),
    "deny assignment": ([*both(READ), {"value": [denied(READ)]}], {}, "DENIED", "stack"),
    "deny by a pattern": ([*both(READ), {"value": [denied("*")]}], {}, "DENIED", "stack"),
    "deny at the subscription": ([*both(READ), {"value": [denied("*", scope=SUB)]}], {}, "DENIED", "stack"),
    "deny on the data plane only": (
        [*both(READ), {"value": [denied(permissions=[{"dataActions": ["*"]}])]}],
        {},
        "COVERED",
        "a-d1",
    ),
    "deny with its own exceptions": (
        [*both(READ), {"value": [denied(permissions=[{"actions": ["*"], "notActions": ["*/read"]}])]}],
        {},
        "COVERED",
        "a-d1",
    ),
    "deny that forbids nothing": ([*both(READ), [denied()]], {}, "UNKNOWN", "stack cannot be read"),
    "deny whose permissions are empty": (
        [*both(READ), [denied(permissions=[{}])]],
        {},
        "UNKNOWN",
        "stack cannot be read",
    ),
    "deny at a scope that is none": ([*both(READ), [denied("*", scope="c1-rg")]], {}, "UNKNOWN", "may apply"),
    "assigned at a scope that is none": (
        [[assigned(scope="c1-rg")], [role("r", READ)]],
        {},
        "UNKNOWN",
        "cannot tell",
    ),
    "deny of another operation": ([*both(READ), {"value": [denied("*/delete")]}], {}, "COVERED", "a-d1"),
    "deny of a part of a wildcard": (
        [*both(WILD), {"value": [denied("*/delete")]}],
        {"permission": WILD},
        "NARROWER",
        "stack",
    ),
    "deny of another group": ([*both(READ), {"value": [denied("*", scope=NET)]}], {}, "COVERED", "a-d1"),
    "deny in a place that nobody names": ([*both(READ), {"value": [denied("*", scope="")]}], {}, "UNKNOWN", "stack"),
    "deny whose principals cannot be read": (
        [*both(READ), {"value": [denied("*", principals=["x"])]}],
        {},
        "UNKNOWN",
        "group",
    ),
    "deny for one principal as an object": (
        [
            *both(READ),
            {
                "DenyAssignmentName": "stack",
                "Scope": RG,
                "Actions": "*",
                "Principals": {"ObjectId": P, "ObjectType": "ServicePrincipal"},
            },
        ],
        {},
        "DENIED",
        "stack",
    ),
    "exceptions that cannot be read grant nothing": (both("*", notActions=7), {}, "UNKNOWN", "cannot be read as a"),
    "exceptions that cannot be read, another role covers": (
        [[assigned(), assigned("d2")], [role("r", "*", notActions=7), role("s", READ, guid="d2")]],
        {},
        "COVERED",
        "a-d2",
    ),
    "one action that cannot be read": (
        [[assigned()], [role("r") | {"permissions": [{"actions": ["a/b", 7]}]}]],
        {},
        "UNKNOWN",
        "cannot be read as a",
    ),
    "an assignment that cannot be read": (
        [[assigned(principal=OTHER), "x"], [role("r", READ)]],
        {},
        "UNKNOWN",
        "role assignments that cannot be read",
    ),
    "an assignment that cannot be read beside one that covers": (
        [[assigned(), 7], [role("r", READ)]],
        {},
        "COVERED",
        "",
    ),
    "a deny without permissions": (
        [*both(READ), [denied(permissions=None)]],
        {},
        "UNKNOWN",
        "stack cannot be read",
    ),
    "a deny whose permissions are no objects": (
        [*both(READ), [denied(permissions=["*"])]],
        {},
        "UNKNOWN",
        "stack cannot be read",
    ),
    "a deny with one principal that cannot be read": (
        [*both(READ), [denied("*", principals=[{"id": OTHER, "type": "User"}, "P"])]],
        {},
        "UNKNOWN",
        "stack",
    ),
    "a deny that cannot be read beside one that can": (
        [*both(READ), [denied("*", scope=NET), {"x": 1}]],
        {},
        "UNKNOWN",
        "deny assignments that cannot be read",
    ),
    "a deny known by its fields alone": (
        [*both(READ), [{"properties": {"permissions": [{"actions": ["*"]}], "scope": RG, "principals": [{"id": P}]}}]],
        {},
        "DENIED",
        "forbids",
    ),
    "needed in a management group": (
        [[assigned(scope=SUB)], [role("r", READ)]],
        {"scopes": ["/providers/Microsoft.Management/managementGroups/m"]},
        "NARROWER",
        "only a part",
    ),
    "needed in a management group, held there": (
        [[assigned(scope="/providers/Microsoft.Management/managementGroups/M")], [role("r", READ)]],
        {"scopes": ["/providers/Microsoft.Management/managementGroups/m"]},
        "COVERED",
        "a-d1",
    ),
    "needed in the tenant": ([[assigned(scope=SUB)], [role("r", READ)]], {"scopes": ["/"]}, "NARROWER", "only a part"),
    "needed in the tenant, held there": ([[assigned(scope="/")], [role("r", READ)]], {"scopes": ["/"]}, "COVERED", ""),
    "needed in a subscription that the export does not show": (
        both(READ),
        {"scopes": ["/subscriptions/S2/resourceGroups/net"]},
        "UNKNOWN",
        "nothing about subscription s2",
    ),
    "assigned to somebody of no type": (
        [[assigned(principal=GROUP, principalType=None)], [role("r", READ)]],
        {},
        "UNKNOWN",
        "to a group",
    ),
    "assigned to another identity, of no type": (
        [[assigned(principal=OTHER, principalType=None)], [role("r", READ)], [IDENTITY | {"principalId": OTHER}]],
        {},
        "MISSING",
        "names principal",
    ),
    "an application's object ID is not a principal": (
        [*both(READ), [{"appId": CLIENT, "id": P, "displayName": "d", "identifierUris": []}]],
        {"identity": CLIENT},
        "UNKNOWN",
        "az identity list",
    ),
    "an assignment that names the role alone": (
        [[{"principalId": P, "roleDefinitionName": "Contributor", "scope": RG}]],
        {},
        "UNKNOWN",
        "does not say the role's ID",
    ),
    "a scheduled assignment that was revoked": (
        [
            [
                assigned(type="Microsoft.Authorization/roleAssignmentScheduleInstances", status="Revoked"),
                assigned(principal=OTHER),
            ],
            [role("r", READ)],
        ],
        {},
        "MISSING",
        "names principal",
    ),
    "a scheduled assignment whose status is misspelt": (
        [
            [
                assigned(type="Microsoft.Authorization/roleAssignmentScheduleInstances", Staus="Revoked"),
                assigned(principal=OTHER),
            ],
            [role("r", READ)],
        ],
        {},
        "MISSING",
        "names principal",
    ),
    "a scheduled assignment": (
        [
            [assigned(type="Microsoft.Authorization/roleAssignmentScheduleInstances", status="Provisioned")],
            [role("r", READ)],
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "a scheduled assignment with an end": (
        [[assigned(endDateTime="2020-01-01T00:00:00Z")], [role("r", READ)]],
        {},
        "NARROWER",
        "until 2020",
    ),
    "a page of one listing does not end another": (
        [
            {"value": [assigned(principal=OTHER)], "nextLink": "https://x"},
            {"assignedTo": OTHER, "value": [assigned(principal=OTHER)]},
            [role("r", READ)],
        ],
        {},
        "UNKNOWN",
        "one page of more",
    ),
    "needed resource": (both(READ), {"scopes": [f"{RG}/providers/Microsoft.Network/dnsZones/z"]}, "COVERED", "a-d1"),
    "needed resource, held on another": (
        [[assigned(scope=f"{RG}/providers/x/y/z")], [role("r", READ)]],
        {"scopes": [f"{RG}/providers/Microsoft.Network/dnsZones/z"]},
        "MISSING",
        "does not reach",
    ),
    "needed scope that is none": (
        both(READ),
        {"scopes": ["/odd/scope"]},
        "UNKNOWN",
        "cannot tell whether that is /odd",
    ),
    "deny on a resource": (
        [*both(READ), {"value": [denied("*", scope=f"{RG}/providers/x/y/z")]}],
        {},
        "NARROWER",
        "stack",
    ),
    "deny with a condition": ([*both(READ), {"value": [denied("*", condition="c-text")]}], {}, "NARROWER", "c-text"),
    "deny for another principal": (
        [*both(READ), {"value": [denied("*", principals=[{"id": OTHER, "type": "ServicePrincipal"}])]}],
        {},
        "COVERED",
        "a-d1",
    ),
    "deny for the principal": (
        [*both(READ), {"value": [denied("*", principals=[{"id": P.upper(), "type": "ServicePrincipal"}])]}],
        {},
        "DENIED",
        "stack",
    ),
    "deny that excludes the principal": (
        [*both(READ), {"value": [denied("*", excludePrincipals=[{"id": P, "type": "ServicePrincipal"}])]}],
        {},
        "COVERED",
        "a-d1",
    ),
    "deny that excludes a group of unknown members": (
        [*both(READ), {"value": [denied("*", excludePrincipals=[{"id": GROUP, "type": "Group"}])]}],
        {},
        "UNKNOWN",
        "group",
    ),
    "deny that does not reach below its subscription": (
        [*both(READ), {"value": [denied("*", scope=SUB, doNotApplyToChildScopes=True)]}],
        {},
        "COVERED",
        "a-d1",
    ),
    "deny on the group alone": (
        [*both(READ), {"value": [denied("*", doNotApplyToChildScopes=True)]}],
        {},
        "NARROWER",
        "stack",
    ),
    "deny and nothing granted": ([*both("a/b"), {"value": [denied("*")]}], {}, "DENIED", "stack"),
    "client ID by az identity list": ([*both(READ), [IDENTITY]], {"identity": CLIENT}, "COVERED", "a-d1"),
    "client ID without case": ([*both(READ), [IDENTITY]], {"identity": CLIENT.upper()}, "COVERED", "a-d1"),
    "client ID by REST": (
        [*both(READ), {"value": [{"id": IDENTITY["id"], "name": "n", "properties": IDENTITY}]}],
        {"identity": CLIENT},
        "COVERED",
        "a-d1",
    ),
    "client ID by az ad sp list": (
        [*both(READ), [{"appId": CLIENT, "id": P, "displayName": "d", "servicePrincipalType": "Application"}]],
        {"identity": CLIENT},
        "COVERED",
        "a-d1",
    ),
    "client ID by an old az ad sp list": (
        [*both(READ), [{"appId": CLIENT, "objectId": P, "displayName": "d"}]],
        {"identity": CLIENT},
        "COVERED",
        "a-d1",
    ),
    "client ID as the name of an assignment's principal": (
        [[assigned(principalName=CLIENT)], [role("r", READ)]],
        {"identity": CLIENT},
        "COVERED",
        "a-d1",
    ),
    "client ID that two principals claim": (
        [*both(READ), [IDENTITY, IDENTITY | {"principalId": OTHER}]],
        {"identity": CLIENT},
        "UNKNOWN",
        "2 principals",
    ),
    "client ID that nothing joins": (both(READ), {"identity": CLIENT}, "UNKNOWN", "az identity list"),
    "principal ID written as a client ID": (both(READ), {"identity": P}, "UNKNOWN", f"principal:{P}"),
    "no principal": (both(READ), {"identity": "principal:"}, "UNKNOWN", "names no principal"),
    "no name": (
        [*both(READ), [{"appId": CLIENT, "id": P, "servicePrincipalType": "Application"}]],
        {"identity": " "},
        "UNKNOWN",
        "names no principal",
    ),
    "assignments that do not say whose they are, and an identity that names no principal": (
        [[assigned(principalId=None)], [role("r", READ)], [IDENTITY | {"principalId": ""}]],
        {"identity": CLIENT},
        "UNKNOWN",
        "which principal client ID",
    ),
    "assignments that do not say whose they are, beside a name": (
        [
            [assigned(principalName=CLIENT, principalId=None), assigned("d2", principalId=None)],
            [role("r", "a/b"), role("s", READ, guid="d2")],
        ],
        {"identity": CLIENT},
        "UNKNOWN",
        "which principal client ID",
    ),
    "a deny whose actions stand under a misspelt name": (
        [*both(READ), [denied(permissions=[{"actoins": [READ], "dataActions": ["a/b"]}])]],
        {},
        "UNKNOWN",
        "stack cannot be read",
    ),
    "two definitions that differ in order alone": (
        [[assigned()], [role("r", READ, "a/b")], [role("r", "A/B", READ)]],
        {},
        "COVERED",
        "a-d1",
    ),
    "an assignment that names the role alone, which the export defines": (
        [[{"principalId": P, "roleDefinitionName": "r", "scope": RG}], [role("R", READ)]],
        {},
        "COVERED",
        "R at",
    ),
    "an assignment that names a role alone, and the export defines another one": (
        [[{"principalId": P, "roleDefinitionName": "x", "scope": RG}], [role("r", READ)]],
        {},
        "UNKNOWN",
        "does not say the role's ID",
    ),
    "an assignment that names no role, and the export defines one without a name": (
        [[{"principalId": P, "roleDefinitionName": "", "scope": RG}], [role("", READ) | {"name": ""}]],
        {},
        "UNKNOWN",
        "does not say the role's ID",
    ),
    "an assignment that names the role alone, which the export defines twice": (
        [[{"principalId": P, "roleDefinitionName": "r", "scope": RG}], [role("r", READ), role("r", READ, guid="d2")]],
        {},
        "UNKNOWN",
        "does not say the role's ID",
    ),
    "deny for a principal of unknown type": (
        [*both(READ), [denied("*", principals=[{"id": GROUP, "type": "Unknown"}])]],
        {},
        "UNKNOWN",
        "names a group",
    ),
    "deny for a group that the principal is not in": (
        [
            *both(READ),
            [denied(READ, principals=[{"id": GROUP, "type": "Group"}])],
            {"id": P, "transitiveMemberOf": [{"id": "another"}]},
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "deny above, for a subscription that the export does not show": (
        [*both(READ), [denied(READ, scope=ABOVE)]],
        {"scopes": ["/subscriptions/S2/resourceGroups/c1-rg"]},
        "DENIED",
        "stack",
    ),
    "deny beside an assignment that cannot be read": (
        [[assigned(), "x"], [role("r", READ)], [denied(READ)]],
        {},
        "DENIED",
        "stack",
    ),
    "deny for a group of another tenant": (
        [*both(READ), [denied("*", principals=[{"id": GROUP, "type": "ForeignGroup"}])]],
        {},
        "UNKNOWN",
        "names a group",
    ),
    "deny for another service principal of unknown type": (
        [*both(READ), [denied("*", principals=[{"id": OTHER, "type": ""}])], [IDENTITY | {"principalId": OTHER}]],
        {},
        "COVERED",
        "a-d1",
    ),
    "held by a group of another tenant": (
        [[assigned(principal=GROUP, principalType="ForeignGroup")], [role("r", READ)]],
        {},
        "UNKNOWN",
        GROUP,
    ),
    "held by a group three groups above": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            *({"id": outer, "members": [{"id": inner}]} for outer, inner in ((GROUP, "g2"), ("g2", "g3"), ("g3", P))),
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "a scheduled assignment with an end that is misspelt": (
        [[assigned(endDateTim="2020-01-01T00:00:00Z")], [role("r", READ)]],
        {},
        "NARROWER",
        "until",
    ),
    "held by a group that is among those of the principal": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            {"id": P, "memberOf": [{"id": GROUP}]},
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "held by a group above those of the principal": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            {"id": P, "transitiveMemberOf": [{"id": GROUP}]},
        ],
        {},
        "COVERED",
        "a-d1",
    ),
    "groups that contain each other": (
        [
            [assigned(principal=GROUP, principalType="Group")],
            [role("r", READ)],
            *({"id": outer, "members": [{"id": inner}]} for outer, inner in (("g2", "g3"), ("g3", "g2"), ("g3", P))),
        ],
        {},
        "UNKNOWN",
        GROUP,
    ),
    "a disabled service principal": (
        [*both(READ), [{"appId": CLIENT, "id": P, "servicePrincipalType": "Application", "accountEnabled": False}]],
        {"identity": CLIENT},
        "MISSING",
        "disabled",
    ),
    "a service principal that is disabled in a misspelt field": (
        [*both(READ), [{"appId": CLIENT, "id": P, "servicePrincipalType": "Application", "accountEnable": False}]],
        {"identity": CLIENT},
        "MISSING",
        "disabled",
    ),
    "an enabled service principal": (
        [*both(READ), [{"appId": CLIENT, "id": P, "servicePrincipalType": "Application", "accountEnabled": True}]],
        {"identity": CLIENT},
        "COVERED",
        "a-d1",
    ),
    "another service principal is disabled": (
        [*both(READ), [{"appId": OTHER, "id": OTHER, "servicePrincipalType": "Application", "accountEnabled": False}]],
        {},
        "COVERED",
        "a-d1",
    ),
    "a scheduled assignment with an end that cannot be read": (
        [[assigned(endDateTime=0)], [role("r", READ)]],
        {},
        "NARROWER",
        "until 0",
    ),
    "actions that ConvertTo-Json cut to one string": (
        [[assigned()], [role("r") | {"permissions": [{"actions": f"a/b {READ}"}]}]],
        {},
        "UNKNOWN",
        "cannot be read as a",
    ),
    "actions that ConvertTo-Json cut to a type": (
        [
            [assigned()],
            [role("r") | {"permissions": [{"actions": "System.Collections.Generic.List`1[System.String]"}]}],
        ],
        {},
        "UNKNOWN",
        "cannot be read as a",
    ),
    "notActions that ConvertTo-Json cut": (
        both("*", notActions=f"a/b {READ}"),
        {},
        "UNKNOWN",
        "cannot be read as a",
    ),
    "lists that ConvertTo-Json counted": (
        both("*", notActions={"value": ["a/b"], "Count": 1}),
        {},
        "COVERED",
        "a-d1",
    ),
    "an excepted operation in a list that ConvertTo-Json counted": (
        both("*", notActions={"value": [READ], "Count": 1}),
        {},
        "MISSING",
        "excepts",
    ),
    "a lone action and no exceptions, as PowerShell prints them": (
        [*both(notActions="", dataActions=""), [role("s", READ, guid="d2", notActions="")], [assigned("d2")]],
        {},
        "COVERED",
        "a-d2",
    ),
    "co-administrators are no workload": (
        [
            [
                assigned(),
                {
                    "id": "NA(classic admins)",
                    "name": "NA(classic admins)",
                    "principalName": "x@example.com",
                    "roleDefinitionName": "ServiceAdministrator;AccountAdministrator",
                    "scope": SUB,
                },
            ],
            [role("r", "a/b")],
        ],
        {},
        "MISSING",
        "no role allows",
    ),
    "grant of another cloud": (both(READ), {"kind": "action"}, "UNKNOWN", "Azure has no grants"),
}


@pytest.mark.parametrize("case", PERMISSION_CASES)
def test_permission(case: str) -> None:
    exports, arguments, verdict, fragment = PERMISSION_CASES[case]
    got, reason = decide(exports, **arguments)
    assert (got, fragment in reason) == (verdict, True), f"{case}: {got}, {reason}"


ROLE_CASES: dict[str, tuple[list[Any], dict[str, Any], str, str]] = {
    "the role itself": ([[assigned(CONTRIBUTOR)]], {}, "COVERED", "a-b24988ac"),
    "the role under another name": (
        [[assigned(CONTRIBUTOR, name_of_role="Mitwirkender")]],
        {},
        "COVERED",
        "a-b24988ac",
    ),
    "Owner contains Contributor": ([[assigned(OWNER)]], {}, "COVERED", "a-8e3af657"),
    "a custom role with everything": (both("*"), {}, "COVERED", "a-d1"),
    "a custom role with the same exceptions": (
        both(
            "*",
            notActions=[
                "microsoft.authorization/*/delete",
                "microsoft.authorization/*/write",
                "microsoft.authorization/elevateAccess/action",
                "Microsoft.Purview/consents/*",
            ],
        ),
        {},
        "NARROWER",
        "only a part",
    ),
    "a custom role with fewer exceptions": (
        both("*", notActions=["Microsoft.Authorization/elevateAccess/Action"]),
        {},
        "COVERED",
        "a-d1",
    ),
    "Reader is not Contributor": ([[assigned(READER)]], {}, "NARROWER", "only a part"),
    "at another group": ([[assigned(CONTRIBUTOR, scope=NET)]], {}, "MISSING", "does not reach"),
    "on a resource": ([[assigned(CONTRIBUTOR, scope=f"{RG}/providers/x/y/z")]], {}, "NARROWER", "only a part"),
    "under a condition": ([[assigned(CONTRIBUTOR, condition="c-text")]], {}, "NARROWER", "c-text"),
    "a binding with a scope of its own": (
        [[assigned(CONTRIBUTOR, scope=NET)]],
        {"scope": NET},
        "COVERED",
        "a-b24988ac",
    ),
    "a binding with an empty scope": ([[assigned(CONTRIBUTOR)]], {"scope": " "}, "COVERED", "a-b24988ac"),
    "a custom role by name": (both(READ), {"permission": "c1-registry"}, "COVERED", "a-d1"),
    "a custom role whose definition is nowhere, but which is assigned": (
        [[assigned(name_of_role="Disk Operator")]],
        {"permission": "disk operator"},
        "COVERED",
        "the role itself",
    ),
    "a custom role whose definition is nowhere": (
        both(READ),
        {"permission": "Disk Operator"},
        "UNKNOWN",
        "the definition of role Disk Operator is not in the export",
    ),
    "a custom role whose definition is nowhere, under a condition": (
        [[assigned(name_of_role="Disk Operator", condition="c-text")]],
        {"permission": "Disk Operator"},
        "NARROWER",
        "c-text",
    ),
    "a custom role whose definition is nowhere, on a resource": (
        [[assigned(name_of_role="Disk Operator", scope=f"{RG}/providers/x/y/z")]],
        {"permission": "Disk Operator"},
        "NARROWER",
        "a part of c1-rg",
    ),
    "a custom role whose definition is nowhere, for a group": (
        [[assigned(name_of_role="Disk Operator", principal=GROUP, principalType="Group")]],
        {"permission": "Disk Operator"},
        "UNKNOWN",
        "may be the role",
    ),
    "a custom role whose definition is nowhere, elsewhere": (
        [[assigned(name_of_role="Disk Operator", scope=NET)]],
        {"permission": "Disk Operator"},
        "MISSING",
        "not assigned at c1-rg",
    ),
    "two roles of one name": (
        [[assigned("d3")], [role("Twin", READ), role("Twin", "a/b", guid="d2"), role("r", "*", guid="d3")]],
        {"permission": "Twin"},
        "UNKNOWN",
        "2 roles named Twin",
    ),
    "the role by its ID": ([[assigned(CONTRIBUTOR)]], {"permission": CONTRIBUTOR.upper()}, "COVERED", "a-b24988ac"),
    "a custom role by its ID": (both(READ), {"permission": "d1"}, "COVERED", "a-d1"),
    "the role by its whole ID": (
        [[assigned(CONTRIBUTOR)]],
        {"permission": f"{SUB}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"},
        "COVERED",
        "a-b24988ac",
    ),
    "a role that allows nothing": (both(), {"permission": "c1-registry"}, "COVERED", "allows nothing"),
    "a role with data actions by one without": (
        [
            [assigned("d2")],
            [role("Blob", READ, guid="d1", dataActions=[BLOB]), role("r", "*", guid="d2")],
        ],
        {"permission": "Blob"},
        "NARROWER",
        "data plane",
    ),
    "a role that allows nothing, not assigned": (
        [*both(READ), [role("Needed", guid="d2")]],
        {"permission": "Needed"},
        "MISSING",
        "not assigned",
    ),
    "a role without permissions, not assigned": (
        [*both(READ), [role("Needed", guid="d2") | {"permissions": []}]],
        {"permission": "Needed"},
        "MISSING",
        "not assigned",
    ),
    "a role that cannot be read": (
        [*both("*"), [role("Needed", guid="d2") | {"permissions": ["x"]}]],
        {"permission": "Needed"},
        "UNKNOWN",
        "cannot be read as a whole",
    ),
    "a role that cannot be read in part": (
        [*both("*"), [role("Needed", guid="d2") | {"permissions": [{"actions": [READ]}, "x"]}]],
        {"permission": "Needed"},
        "UNKNOWN",
        "cannot be read as a whole",
    ),
    "a role whose actions stand under a misspelt name": (
        [*both(**DATA), [role("Needed", guid="d2") | {"permissions": [{"actoins": [READ]} | DATA]}]],
        {"permission": "Needed"},
        "UNKNOWN",
        "cannot be read as a whole",
    ),
    "a role whose exceptions cannot be read": (
        [*both("*"), [role("Needed", READ, guid="d2", notActions=[1])]],
        {"permission": "Needed"},
        "UNKNOWN",
        "cannot be read as a whole",
    ),
    "a role whose exceptions cannot be read, assigned": (
        both("*", notActions=[1]),
        {"permission": "c1-registry"},
        "COVERED",
        "the role itself",
    ),
    "a role whose definition is nowhere, denied": (
        [[assigned(name_of_role="Disk Operator")], [denied("*")]],
        {"permission": "Disk Operator"},
        "DENIED",
        "stack",
    ),
    "a role whose definition is nowhere, denied in part": (
        [[assigned(name_of_role="Disk Operator")], [denied("*/delete")]],
        {"permission": "Disk Operator"},
        "UNKNOWN",
        "stack",
    ),
    "bound at another group by its name": ([[assigned(CONTRIBUTOR)]], {"scope": "net-rg"}, "MISSING", "net-rg"),
    "bound above the subscription": (
        [[assigned(CONTRIBUTOR, scope=SUB)]],
        {"scope": "/providers/Microsoft.Management/managementGroups/m"},
        "NARROWER",
        "only a part",
    ),
    "denied": ([[assigned(CONTRIBUTOR)], {"value": [denied("*")]}], {}, "DENIED", "stack"),
    "denied in part": ([[assigned(CONTRIBUTOR)], {"value": [denied("*/delete")]}], {}, "NARROWER", "stack"),
    "nothing assigned": ([[assigned(principal=OTHER)]], {}, "MISSING", "names principal"),
}


@pytest.mark.parametrize("case", ROLE_CASES)
def test_role_binding(case: str) -> None:
    exports, arguments, verdict, fragment = ROLE_CASES[case]
    got, reason = decide(exports, **({"permission": "Contributor", "kind": "roleBinding"} | arguments))
    assert (got, fragment in reason) == (verdict, True), f"{case}: {got}, {reason}"


def test_rest_old_cli_and_powershell_print_the_same_assignment() -> None:
    flat = assigned()
    outer = ("id", "name", "type")
    nested = {k: flat[k] for k in outer} | {"properties": {k: v for k, v in flat.items() if k not in outer}}
    shell = {
        "RoleAssignmentName": "a-d1",
        "RoleAssignmentId": flat["id"],
        "Scope": RG,
        "RoleDefinitionName": "r",
        "RoleDefinitionId": "d1",
        "ObjectId": P,
        "ObjectType": "ServicePrincipal",
        "Condition": None,
    }
    flat_role = role("r", READ)
    rest_role = {
        "id": flat_role["id"],
        "name": "d1",
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {"roleName": "r", "type": "CustomRole", "permissions": flat_role["permissions"]},
    }
    shell_role = {
        "Name": "r",
        "Id": "d1",
        "IsCustom": True,
        "Actions": [READ],
        "NotActions": [],
        "DataActions": [],
        "NotDataActions": [],
        "AssignableScopes": [SUB],
    }
    for one in ([flat], {"value": [nested]}, [nested], [shell], shell):
        for definition in ([flat_role], {"value": [rest_role]}, [rest_role], [shell_role], shell_role):
            got, reason = decide([one, definition])
            assert got == "COVERED", f"{one} with {definition}: {reason}"
            assert azure.recognises(one)
            assert azure.recognises(definition)


def test_other_clouds_documents_are_not_recognised() -> None:
    body: Any
    for body in (
        {"bindings": [{"role": "roles/x", "members": []}], "etag": "x"},
        {"RoleDetailList": []},
        {"policies": []},
        {"Version": "2012-10-17", "Statement": []},
        [],
        {},
        None,
        "text",
        [[[[[[[[[[]]]]]]]]]],
    ):
        assert not azure.recognises(body), body


@pytest.mark.parametrize("junk", [None, 7, "x", [], {}, [None], {"a": {"b": []}}])
def test_junk_in_known_fields_is_no_grant(junk: Any) -> None:
    for field in ("principalId", "scope", "roleDefinitionId", "condition"):
        exports = [[assigned() | {field: junk}, assigned(principal=OTHER)], [role("r", "a/b")]]
        assert decide(exports)[0] in ("MISSING", "UNKNOWN"), field
    for field in ("actions", "notActions"):
        broken = role("r", **{field: junk}) if field != "actions" else role("r") | {"permissions": [{"actions": junk}]}
        assert decide([[assigned()], [broken]])[0] in ("MISSING", "UNKNOWN"), field


def test_deny_assignments_of_which_none_can_be_read_may_deny() -> None:
    for listed in ([{"foo": 1}], ["x"]):
        exports = [*both(READ), {"listing": "denyAssignments", "value": listed}]
        judgement = judge("Azure", exports, f"principal:{P}", {"permission": READ}, account="S1", scopes=["c1-rg"])
        assert judgement.verdict == "UNKNOWN", listed
        assert "deny assignments that cannot be read" in judgement.reason
    exports = [*both(READ), {"listing": "denyAssignments", "value": []}]
    judgement = judge("Azure", exports, f"principal:{P}", {"permission": READ}, account="S1", scopes=["c1-rg"])
    assert (judgement.verdict, judgement.caveats) == ("COVERED", ())


def test_covered_carries_what_the_export_cannot_show() -> None:
    judgement = judge("Azure", both(READ), f"principal:{P}", {"permission": READ}, account="S1", scopes=["c1-rg"])
    assert judgement.caveats == ("deny assignments are not in the export (az rest …/denyAssignments)",)
    seen = [*both(READ), {"value": [denied("a/b")]}]
    judgement = judge("Azure", seen, f"principal:{P}", {"permission": READ}, account="S1", scopes=["c1-rg"])
    assert judgement.caveats == ()


def test_cover_by_the_built_in_table_says_its_date() -> None:
    judgement = judge(
        "Azure", [[assigned(CONTRIBUTOR)]], f"principal:{P}", {"permission": READ}, account="S1", scopes=["c1-rg"]
    )
    assert any("2026-08-22" in caveat for caveat in judgement.caveats)


SUBJECT = "system:serviceaccount:openshift-image-registry:registry"
ISSUER = "https://oidc.example.com/c1"


def credential(subject: str | None = SUBJECT, issuer: str = ISSUER, **more: Any) -> dict[str, Any]:
    """A federated credential as `az identity federated-credential list` prints it."""
    return {
        "id": f"{IDENTITY['id']}/federatedIdentityCredentials/registry",
        "name": "registry",
        "issuer": issuer,
        "subject": subject,
        "audiences": ["openshift"],
    } | more


TRUST_CASES: dict[str, tuple[list[Any], str, str]] = {
    "issuer and subject": ([[IDENTITY], [credential()]], "COVERED", "registry"),
    "REST": (
        [[IDENTITY], {"value": [{"id": credential()["id"], "name": "r", "properties": credential()}]}],
        "COVERED",
        "r",
    ),
    "subject in another case": ([[IDENTITY], [credential(SUBJECT.upper())]], "MISSING", SUBJECT),
    "another subject": ([[IDENTITY], [credential("system:serviceaccount:a:b")]], "MISSING", SUBJECT),
    "another issuer": ([[IDENTITY], [credential(issuer="https://other")]], "MISSING", "https://other"),
    "issuer with a slash more": ([[IDENTITY], [credential(issuer=ISSUER + "/")]], "MISSING", "not from"),
    "another identity's credential": (
        [[IDENTITY], [credential(id=credential()["id"].replace("c1-registry", "c1-other"))]],
        "UNKNOWN",
        "c1-registry",
    ),
    "no credentials exported": ([[IDENTITY]], "UNKNOWN", "federated-credential list"),
    "no identity exported": ([[credential()]], "UNKNOWN", "az identity list"),
    "another audience": ([[IDENTITY], [credential(audiences=["x"])]], "MISSING", "audience x"),
    "another issuer, and no audience": ([[IDENTITY], [credential(issuer="https://o", audiences=[])]], "MISSING", "//o"),
    "an empty list of audiences": ([[IDENTITY], [credential(audiences=[])]], "UNKNOWN", "no audience"),
    "no list of audiences": ([[IDENTITY], [credential(audiences=None)]], "UNKNOWN", "no audience"),
    "the audience of Azure's own, which no token of the payload carries": (
        [[IDENTITY], [credential(audiences=["api://AzureADTokenExchange"])]],
        "MISSING",
        "audience api://AzureADTokenExchange",
    ),
    "an audience in another case": ([[IDENTITY], [credential(audiences=["OpenShift"])]], "MISSING", "audience"),
    "a credential that names no identity": (
        [[IDENTITY], [{k: v for k, v in credential().items() if k != "id"}]],
        "UNKNOWN",
        "c1-registry",
    ),
    "a claims expression": (
        [[IDENTITY], [credential(subject=None, claimsMatchingExpression={"value": "x"})]],
        "UNKNOWN",
        "claims expression",
    ),
    "cut off": ([[IDENTITY], {"value": [credential()], "nextLink": "x"}], "UNKNOWN", "cut off"),
}


@pytest.mark.parametrize("case", TRUST_CASES)
def test_trust(case: str) -> None:
    exports, verdict, fragment = TRUST_CASES[case]
    holdings = azure.build([Document(body) for body in exports], "S1")
    for identity in (CLIENT, f"principal:{P}"):
        judgement = holdings.trust(identity, ISSUER, [SUBJECT])
        assert (str(judgement.verdict), fragment in judgement.reason) == (verdict, True), f"{case}: {judgement}"


def test_every_subject_needs_a_credential_of_its_own_and_those_are_named() -> None:
    beside = [credential("system:serviceaccount:a:b", name="other"), credential(issuer="https://old", name="old")]
    holdings = azure.build([Document([IDENTITY]), Document([*beside, credential()])], "S1")
    assert holdings.trust(CLIENT, ISSUER, [SUBJECT]).reason.startswith("federated credentials registry of c1-registry")
    two = holdings.trust(CLIENT, ISSUER, [SUBJECT, "system:serviceaccount:a:c"])
    assert (two.verdict, "system:serviceaccount:a:c" in two.reason) == (Coverage.MISSING, True)


@pytest.mark.parametrize(
    ("file", "own"), [("x/y/c1-registry.json", True), ("x/c1-registry", True), ("x/c1-registry-2.json", False)]
)
def test_credentials_in_a_file_named_after_the_identity_belong_to_it(file: str, *, own: bool) -> None:
    body = [{k: v for k, v in credential().items() if k != "id"}]
    holdings = azure.build([Document([IDENTITY]), Document(body, file)], "S1")
    assert (holdings.trust(CLIENT, ISSUER, [SUBJECT]).verdict is Coverage.COVERED) is own


def test_an_empty_list_says_that_there_is_nothing_where_its_index_says_what_was_asked() -> None:
    """The commands are those of `init export`."""
    credentials = (
        "az identity federated-credential list --subscription S1 --identity-name {} --resource-group c1-oidc --o"
    )
    assignments = "az role assignment list --all --include-inherited --subscription S1 --output json"

    def told(*commands: str) -> azure.AzureHoldings:
        return azure.build([*(Document([], asked=one) for one in commands), Document([IDENTITY])], "S1")

    for name, verdict in (("C1-registry", Coverage.MISSING), ("c1-other", Coverage.UNKNOWN)):
        found = told(assignments, credentials.format(name)).trust(CLIENT, ISSUER, [SUBJECT])
        assert (found.verdict, "has no federated credential" in found.reason) == (verdict, verdict is Coverage.MISSING)
    for asked, verdict in ((assignments, Coverage.MISSING), (f"{assignments} "[3:], Coverage.UNKNOWN)):
        found = told(asked).judge(CLIENT, Grant("permission", READ), ("c1-rg",))
        assert (found.verdict, "()" in found.reason) == (verdict, False), found


def test_ccoctl_name_finds_the_client_id() -> None:
    assert azure.ccoctl_name("c" * 100, "n" * 20, "s" * 20, "r") == f"{'c' * 100}-{'n' * 20}-{'s' * 6}"
    holdings = azure.build([Document([IDENTITY])], "S1")
    assert holdings.find_by_ccoctl_name("C1-Registry") == CLIENT
    assert holdings.find_by_ccoctl_name("c1-regist") is None
    other = {"appId": OTHER, "id": OTHER, "displayName": "c1-registry", "servicePrincipalType": "Application"}
    assert azure.build([Document([other])], "S1").find_by_ccoctl_name("c1-registry") is None
    twin = IDENTITY | {"id": "/subscriptions/S1/x", "clientId": OTHER}
    assert azure.build([Document([IDENTITY, twin])], "S1").find_by_ccoctl_name("c1-registry") is None


def test_holdings_say_which_subscription_they_belong_to() -> None:
    assert azure.build([Document([assigned()])], None).account == "s1"
    assert azure.build([Document([assigned()])], "S1").account == "S1"
    assert azure.build([Document([assigned(), assigned(scope="/subscriptions/S2")])], None).account is None
    nowhere = {"scope": "/", "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/d1"}
    assert azure.build([Document([assigned(), assigned(**nowhere)])], None).account == "s1"
    tenant = role("b", guid="d5") | {"id": "/providers/Microsoft.Authorization/roleDefinitions/d5"}
    assert azure.build([Document([assigned(**nowhere), role("r"), tenant])], None).account == "s1"
    holdings = azure.build([Document([IDENTITY])], None)
    assert holdings.resolve(CLIENT) == P
    assert holdings.resolve("x") is None
    assert holdings.sizes(CLIENT, [Grant("permission", READ)]) == ()


def test_gate_export_of_workload_identity_is_covered(shared: Path) -> None:
    folder = shared / "cases" / "gate" / "azure-workload-identity-done" / "identities"
    exports = [json.loads(f.read_text()) for f in sorted(folder.glob("*.json"))]
    client = "00000000-0000-4000-8000-000000000202"
    got, reason = decide(exports, WILD, identity=client, scopes=["c1-x7k2p-rg"])
    assert got == "COVERED", reason
    assert "c1-openshift-cluster-csi-drivers-azure-disk-credentials" in reason


def test_a_listing_that_shows_every_level_is_not_doubted() -> None:
    listed = [assigned(), assigned("d2", scope=ABOVE)]
    verdict, reason = decide([listed, [role("r", "a/b"), role("s", "a/c", guid="d2")]])
    assert (verdict, "nothing assigned" in reason) == ("MISSING", False), reason


def test_an_identity_without_a_name_is_no_service_principal_s() -> None:
    principal = {"appId": CLIENT, "id": P, "displayName": "d", "servicePrincipalType": "Application"}
    found = azure.build([Document([principal]), Document([credential()])], "S1").trust(" ", ISSUER, [SUBJECT])
    assert (str(found.verdict), "az identity list" in found.reason) == ("UNKNOWN", True), found


def test_every_group_of_a_principal_is_followed_upwards() -> None:
    inside = [
        {"id": outer, "members": [member]}
        for outer, member in (("g1", P), ("g2", {"objectId": P}), ("top1", {"id": "g1"}), ("top2", {"id": "g2"}))
    ]
    for top in ("top1", "top2"):
        assert decide([[assigned(principal=top, principalType="Group")], [role("r", READ)], *inside])[0] == "COVERED"


@pytest.mark.parametrize("key", ["notaction", "notActions ", "notActoins"])
def test_exceptions_under_a_misspelt_name_except_everything(key: str) -> None:
    spoilt = role("c1-registry", WILD)
    permissions = spoilt["permissions"][0]
    del permissions["notActions"]
    permissions[key] = [READ]
    assert decide([[assigned()], [spoilt]])[0] != "COVERED"


@pytest.mark.parametrize("value", [[""], ["x", " "], [None], 0, False])
def test_exceptions_that_cannot_be_read_except_everything(value: Any) -> None:
    assert decide(both(WILD, notActions=value))[0] != "COVERED"


@pytest.mark.parametrize(
    "more", [{"condition": 0}, {"condition": False}, {"condition": []}, {"condition": {}}, {"condtion": "x"}]
)
def test_a_condition_that_cannot_be_read_limits_an_assignment(more: dict[str, Any]) -> None:
    assert decide([[assigned(**more)], [role("c1-registry", READ)]])[0] == "NARROWER"


PERSON = {"id": OTHER, "type": "ServicePrincipal"}
UNDECIDING: dict[str, dict[str, Any]] = {
    "of another principal": denied(READ, principals=[PERSON]),
    "elsewhere": denied(READ, scope=NET),
    "of another operation": denied("Microsoft.Network/*"),
    "of a group of unknown members": denied(READ, principals=[{"id": GROUP, "type": "Group"}]),
    "that cannot be read": denied(READ, permissions=[{"actions": {"x": 1}}]),
    "at a scope that nobody can place": denied(READ, scope="c1-rg"),
    "of a part": denied(READ, scope=f"{RG}/providers/Microsoft.Compute/disks/one"),
}


@pytest.mark.parametrize("other", UNDECIDING)
def test_a_deny_assignment_denies_whatever_stands_before_or_after_it(other: str) -> None:
    """Deny assignments count together, in no order (Azure RBAC, deny assignments)."""
    for denials in ([UNDECIDING[other], denied(READ)], [denied(READ), UNDECIDING[other]]):
        assert decide([*both(READ), denials])[0] == "DENIED"


def test_a_deny_assignment_may_name_everyone_or_a_group_that_the_principal_is_in() -> None:
    everyone = denied(READ, principals=[{"id": OTHER, "type": "Everyone"}])
    assert decide([*both(READ), [everyone]])[0] == "DENIED"
    group = denied(READ, principals=[PERSON, {"id": GROUP, "type": "Group"}])
    assert decide([*both(READ), [group], {"id": GROUP, "members": [{"id": P}]}])[0] == "DENIED"


def test_an_assignment_at_a_scope_that_nobody_can_place_helps_only_where_its_role_does() -> None:
    odd = assigned(scope="c1-rg")
    assert decide([[odd], [role("c1-registry", READ)]])[0] == "UNKNOWN"
    assert decide([[odd], [role("c1-registry", "Microsoft.Network/*")]])[0] == "MISSING"


def test_a_question_mark_is_no_wildcard_in_what_a_role_excepts() -> None:
    one_letter = "Microsoft.Compute/disks/rea?"
    assert decide(both("*", notActions=[one_letter]))[0] == "COVERED"
    verdict, reason = decide(both("*", notActions=[one_letter, READ]))
    assert (verdict, f"by {READ.casefold()}" in reason.casefold()) == ("MISSING", True)


def test_one_subscription_is_the_cluster_s_where_nobody_names_another() -> None:
    above = "/providers/Microsoft.Management/managementGroups/m"
    definition = f"/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"
    held = assigned(CONTRIBUTOR, scope=above, roleDefinitionId=definition)
    assert decide([[held], [IDENTITY]], account=None)[0] == "COVERED"


def test_a_role_by_the_built_in_table_says_its_date_and_only_where_it_covers() -> None:
    def bound(guid: str) -> Any:
        grant = {"type": "roleBinding", "permission": "Contributor", "scope": None}
        return judge("Azure", [[assigned(guid)]], f"principal:{P}", grant, account="S1", scopes=("c1-rg",))

    assert any("definition of the built-in role as of" in line for line in bound(CONTRIBUTOR).caveats)
    assert str(bound(READER).verdict) != "COVERED"
    assert not bound(READER).caveats
    grant = {"type": "roleBinding", "permission": "r", "scope": None}
    own = judge(
        "Azure", [*both(READ), [role("r", READ, guid="d2")]], f"principal:{P}", grant, account="S1", scopes=["c1-rg"]
    )
    assert (str(own.verdict), len(own.caveats)) == ("COVERED", 1)


def test_a_role_that_allows_nothing_is_held_whatever_is_denied() -> None:
    bound = {"kind": "roleBinding", "permission": "c1-registry"}
    assert decide([*both(), [denied("*", condition="@x")]], **bound)[0] == "COVERED"
    assert decide([*both(), [denied("*")]], **bound)[0] == "COVERED"
    unknown = [[assigned(name_of_role="c1-registry")], [denied("*", condition="@x")]]
    assert decide(unknown, **bound)[0] == "UNKNOWN"


def test_a_role_of_unknown_permissions_at_a_scope_that_nobody_can_place_is_unknown() -> None:
    odd = assigned(scope="c1-rg", name_of_role="c1-registry")
    assert decide([[odd]], "c1-registry", "roleBinding")[0] == "UNKNOWN"
    elsewhere = assigned("d2", scope=NET, name_of_role="c1-registry")
    verdict, reason = decide([[elsewhere, assigned(name_of_role="c1-registry")]], "c1-registry", "roleBinding")
    assert (verdict, reason.endswith("is the role itself")) == ("COVERED", True), reason


def test_a_role_of_unknown_permissions_that_is_held_in_part_is_narrower_whoever_may_hold_it_too() -> None:
    part = assigned(name_of_role="c1-registry", condition="@x")
    of_group = assigned("d2", principal=GROUP, principalType="Group", name_of_role="c1-registry")
    for listed in ([part, of_group], [of_group, part]):
        assert decide([listed], "c1-registry", "roleBinding")[0] == "NARROWER"


def test_an_identity_is_trusted_by_its_own_credentials_alone() -> None:
    other = IDENTITY | {
        "id": IDENTITY["id"].replace("c1-registry", "c1-other"),
        "name": "c1-other",
        "clientId": OTHER,
        "principalId": GROUP,
    }
    holdings = azure.build([Document(body) for body in ([IDENTITY, other], [credential()])], "S1")
    assert str(holdings.trust(CLIENT, ISSUER, [SUBJECT]).verdict) == "COVERED"
    assert str(holdings.trust(OTHER, ISSUER, [SUBJECT]).verdict) != "COVERED"


def test_what_no_role_allows_is_missing_whatever_may_deny_it() -> None:
    for possible in ("of a group of unknown members", "that cannot be read", "of a part"):
        assert decide([*both("Microsoft.Network/*"), [UNDECIDING[possible]]])[0] == "MISSING"


def test_a_role_that_nobody_knows_may_allow_it_at_most_under_its_condition() -> None:
    limited = assigned(condition="@x", conditionVersion="2.0")
    assert decide([[limited]])[0] == "UNKNOWN"
    beside = assigned("d2", scope=f"{RG}/providers/Microsoft.Compute/disks/one")
    assert decide([[limited, beside], [role("part", READ, guid="d2")]])[0] == "NARROWER"


def test_what_is_held_in_one_place_and_missing_in_another_is_narrower_unless_it_is_denied() -> None:
    covered, missing, narrower, forbidden = (
        CoverageResult(verdict, verdict.value)
        for verdict in (Coverage.COVERED, Coverage.MISSING, Coverage.NARROWER, Coverage.DENIED)
    )
    for part in (worst([covered, missing]), worst([missing, covered])):
        assert (part.verdict, part.partly_missing, part.reason) == (
            Coverage.NARROWER,
            True,
            f"only in part: {missing.reason}; {covered.reason}",
        )
    assert (worst([missing, narrower]).verdict, worst([missing, narrower]).partly_missing) == (Coverage.NARROWER, False)
    assert worst([covered, missing, forbidden]).verdict is Coverage.DENIED
