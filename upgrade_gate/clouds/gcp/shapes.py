"""The shapes in which Google's tools print allow policies, roles, service accounts, pools and deny policies.

`gcloud … --format=json` prints the REST objects themselves; REST wraps lists (`{"accounts": […]}`). An allow policy
does not say what it belongs to, so what stands around it does: ancestors' listings, our own wrapper, the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.clouds.gcp.members import fold
from upgrade_gate.clouds.shared.pages import Dialect, Entry
from upgrade_gate.reading.node import limiting, mapping, readable_strings, strings, text

_ROLE_NAME = re.compile(r"^(?:(?:projects|organizations)/[^/]+/)?roles/[^/]+$")
_PERMISSION_NAME = re.compile(r"^[a-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)+$")
_ACCOUNT_FILE = re.compile(r"([^/@\s]+@[^/\s]+?\.gserviceaccount\.com)(?:\.(?:json|jsonl|ya?ml|gz))*$", re.IGNORECASE)
_POLICY_KEYS = frozenset({"bindings", "etag", "version", "auditConfigs"})
DENY_LISTING = "denyPolicies"
"""What a reader says of a list of deny policies, so that an empty one is an answer."""
_LIVE_STAGES = frozenset({"ALPHA", "BETA", "GA", "DEPRECATED", "EAP"})
"""Stages in which a role grants what it lists (iam.v1 Role.RoleLaunchStage); one that says none is ALPHA."""
UNREAD = ("allow", "deny")
"""What a live reader says of a resource whose policies of that kind it could not read."""
_FOLDER = re.compile(r"^folders/[0-9]+$")
_BOUNDARY = "/principalAccessBoundaryPolicies/"
_WITHOUT_CONDITION = "_withcond_"
"""What Google puts into a role's name when a policy is read at a version that cannot show conditions."""


class Level(StrEnum):
    """What an allow policy belongs to."""

    PROJECT = "project"
    FOLDER = "folder"
    ORGANIZATION = "organization"
    ACCOUNT = "service account"
    OTHER = "another resource"
    BARE = "not said"


class Binding(Struct, frozen=True):
    """A role for members; `condition` is its expression, empty where there is none."""

    role: str
    members: tuple[str, ...]
    condition: str


class Policy(Struct, frozen=True):
    """An allow policy and what it belongs to."""

    level: Level
    resource: str
    """Project ID, folder or organisation number, service account email; empty where nothing says."""
    bindings: tuple[Binding, ...]
    document: int
    origin: str
    whole: bool = True
    """Whether every binding and member could be read."""
    partial: bool = False
    """Whether it may show only a part of the bindings: an asset search returns those that match its query."""
    above: frozenset[str] = frozenset()
    """Folders and organisation above it (`folders/9`), where the document says so."""

    @property
    def label(self) -> str:
        """Name the policy in a sentence."""
        if self.level is Level.BARE:
            return "the project's policy"
        return f"the policy of {self.level.value} {self.resource}".rstrip()


class RoleDocument(Struct, frozen=True):
    """A role as exported."""

    name: str
    title: str
    description: str
    permissions: frozenset[str] | None
    """None: the listing leaves them out (basic view), which is not the same as an empty role."""
    dead: str
    """`DISABLED` or `deleted` where the role grants nothing, else empty."""
    whole: bool = True
    """Whether every element of the list could be read."""


class Account(Struct, frozen=True):
    """A service account."""

    email: str
    project: str
    display_name: str
    disabled: bool
    unique_id: str


class PoolProvider(Struct, frozen=True):
    """A workload identity pool, or one of its providers."""

    pool: str
    """`projects/N/locations/global/workloadIdentityPools/POOL`."""
    provider: str
    """Empty for the pool itself."""
    issuer: str
    usable: bool
    condition: str
    subject: str
    """What `google.subject` is mapped from; empty where the object does not say."""
    audiences: tuple[str, ...] | None = ()
    """What a token may be meant for, None where it cannot be read.

    Without any it is the provider's own resource name (Google's REST reference, Oidc.allowedAudiences); the tools leave
    an empty list out of an object that they print as a whole.
    """
    audiences_seen: bool = True


class DenyRule(Struct, frozen=True):
    """One rule of a deny policy."""

    principals: tuple[str, ...]
    excepted_principals: tuple[str, ...]
    permissions: tuple[str, ...]
    excepted_permissions: tuple[str, ...]
    condition: str


class DenyPolicy(Struct, frozen=True):
    """A deny policy; `rules` is None where only its name was listed."""

    name: str
    project: str
    """Project that it hangs on, empty for folders, organisations and where nothing says."""
    rules: tuple[DenyRule, ...] | None
    whole: bool = True
    """Whether all of the rules could be read; what could not may forbid anything to anyone."""
    above: str = ""
    """Folder or organisation that it hangs on (`folders/9`), where its name says so."""


def kind_of(item: Mapping[str, Any]) -> str | None:
    """Return what an object is, by the fields it has; None for what this cloud does not print."""
    name = text(item.get("name"))
    if item.get("unread") in UNREAD and isinstance(item.get("resource"), str):
        return "unread"
    if item.get("policy") == {} and isinstance(item.get("id"), str) and isinstance(item.get("type"), str):
        return "policies"
    if isinstance(item.get("policy"), Mapping) and _policy_kind(item["policy"]) is not None:
        wrapped = any(isinstance(item.get(k), str) for k in ("serviceAccount", "project", "resource"))
        ancestor = isinstance(item.get("id"), str) and isinstance(item.get("type"), str)
        return _policy_kind(item["policy"]) if wrapped or ancestor else None
    if _ROLE_NAME.match(name) and ({"title", "stage", "includedPermissions", "deleted"} & set(item)):
        return "roles"
    if isinstance(item.get("email"), str) and ("/serviceAccounts/" in name or "uniqueId" in item):
        return "service accounts"
    if "/workloadIdentityPools/" in name:
        return "pools"
    if _BOUNDARY in name or (_BOUNDARY in text(item.get("policy")) and "/policyBindings/" in name):
        return "access boundaries"
    if _PERMISSION_NAME.match(name) and ("stage" in item or "customRolesSupportLevel" in item):
        return "testable permissions"
    return _policy_kind(item)


def _policy_kind(item: Mapping[str, Any]) -> str | None:
    if "/denypolicies/" in text(item.get("name")).casefold():
        return "deny policies"
    rules = item.get("rules")
    if isinstance(rules, list) and any("denyRule" in mapping(rule) for rule in rules):
        return "deny policies"
    bindings = item.get("bindings")
    if isinstance(bindings, list):
        return "policies" if not bindings or any("role" in mapping(b) for b in bindings) else None
    return "policies" if set(item) <= _POLICY_KEYS and isinstance(item.get("etag"), str) else None


def _binding(item: Mapping[str, Any]) -> Binding:
    role_name = text(item.get("role"))
    condition = limiting(item, "condition")
    expression = ""
    if isinstance(condition, Mapping):
        expression = text(condition.get("expression")) or text(condition.get("title")) or "(its text is empty)"
    elif condition is not None:
        expression = str(condition) or "(it is empty)"
    if _WITHOUT_CONDITION in role_name:
        role_name = role_name.partition(_WITHOUT_CONDITION)[0]
        expression = expression or "(not shown: the policy was read at a version without conditions)"
    return Binding(role_name, strings(item.get("members")), expression)


def _inside(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the policy itself, which a wrapper or an ancestors' listing holds."""
    policy = item.get("policy")
    return policy if isinstance(policy, Mapping) else item


def to_policy(entry: Entry) -> Policy:
    """Read an allow policy, wrapped or bare."""
    item = entry.item
    inner = _inside(item)
    level, resource = _belongs_to(item, entry.origin)
    given = inner.get("bindings")
    listed = given if isinstance(given, list) else [given] if given else []
    bindings = tuple(_binding(b) for b in listed if isinstance(b, Mapping))
    whole = all(text(mapping(b).get("role")) and readable_strings(b.get("members")) is not None for b in listed)
    found = "assetType" in item
    return Policy(
        level, resource, bindings, entry.document, entry.origin, whole=whole, partial=found, above=_above(item)
    )


def _above(item: Mapping[str, Any]) -> frozenset[str]:
    """Return the folders and the organisation that an asset names above it; a chain with a spoilt link has no end."""
    folders = limiting(item, "folders")
    whole = readable_strings(folders)
    if whole is None or not all(_FOLDER.match(one) for one in whole):
        return frozenset(strings(folders))
    return frozenset((*whole, *strings(item.get("organization"))))


def to_policies(entries: Sequence[Entry]) -> list[Policy]:
    """Read allow policies; what `gcloud --flatten` made rows of (same etag, one binding each) is one policy again."""
    rows: dict[tuple[int, str], Policy] = {}
    found: list[Policy] = []
    for entry in entries:
        policy, etag = to_policy(entry), text(entry.item.get("etag"))
        if not isinstance(entry.item.get("bindings"), Mapping) or not etag:
            found.append(policy)
            continue
        key = (entry.document, etag)
        before = rows.get(key)
        rows[key] = replace(
            policy,
            bindings=(*(before.bindings if before else ()), *policy.bindings),
            whole=policy.whole and (before is None or before.whole),
        )
    return [*found, *rows.values()]


def _belongs_to(item: Mapping[str, Any], origin: str) -> tuple[Level, str]:
    if isinstance(item.get("policy"), Mapping):
        if isinstance(item.get("serviceAccount"), str):
            return Level.ACCOUNT, email_of(item["serviceAccount"])
        if isinstance(item.get("resource"), str):
            return _resource(item["resource"])  # beside it, an asset search names the project that the resource is in
        if isinstance(item.get("project"), str):
            return Level.PROJECT, item["project"].removeprefix("projects/")
        return _ancestor(item)
    named = _ACCOUNT_FILE.search(origin)
    return (Level.ACCOUNT, fold(named.group(1))) if named else (Level.BARE, "")


def email_of(name: str) -> str:
    """Return the email of `EMAIL`, `serviceAccount:EMAIL` or `projects/P/serviceAccounts/EMAIL`."""
    return fold(name.strip().rpartition("/")[2].removeprefix("serviceAccount:"))


def _ancestor(item: Mapping[str, Any]) -> tuple[Level, str]:
    try:
        return Level(text(item.get("type")).strip().casefold()), text(item.get("id")).strip()
    except ValueError:
        return Level.OTHER, text(item.get("id"))


def _resource(name: str) -> tuple[Level, str]:
    """Read a full resource name (`//cloudresourcemanager.googleapis.com/projects/p1`)."""
    path = name.removeprefix("//").partition("/")[2] if name.startswith("//") else name
    collection, _, last = path.rpartition("/")
    if "/serviceAccounts/" in path:
        return Level.ACCOUNT, email_of(path)
    levels = {"projects": Level.PROJECT, "folders": Level.FOLDER, "organizations": Level.ORGANIZATION}
    return (levels[collection], last) if collection in levels else (Level.OTHER, name)


def role(entry: Entry) -> RoleDocument:
    """Read a role."""
    item = entry.item
    listed = item.get("includedPermissions")
    readable = readable_strings(listed)
    deleted, stage = limiting(item, "deleted"), limiting(item, "stage")
    dead = "" if deleted is None or deleted is False else "deleted"
    if stage is not None and (not isinstance(stage, str) or stage not in _LIVE_STAGES):
        dead = dead or ("DISABLED" if stage == "DISABLED" else f"in a stage that nobody knows, {str(stage)[:40]!r}")
    return RoleDocument(
        text(item.get("name")),
        text(item.get("title")),
        text(item.get("description")),
        frozenset(strings(listed)) if isinstance(listed, Sequence) else None,
        dead,
        whole=readable is not None or not isinstance(listed, Sequence),
    )


def account(entry: Entry) -> Account:
    """Read a service account."""
    item = entry.item
    return Account(
        fold(text(item.get("email"))),
        text(item.get("projectId")),
        text(item.get("displayName")),
        _is_off(item),
        text(item.get("uniqueId")),
    )


def _is_off(item: Mapping[str, Any]) -> bool:
    """Return whether something is disabled; whatever stands there but `false` says so."""
    disabled = limiting(item, "disabled")
    return not (disabled is None or disabled is False)


def pool_provider(entry: Entry) -> PoolProvider:
    """Read a pool or a provider; the path of its name says which pool it belongs to."""
    item = entry.item
    pool, _, provider = text(item.get("name")).partition("/providers/")
    state, condition = limiting(item, "state"), limiting(item, "attributeCondition")
    oidc = mapping(item.get("oidc"))
    return PoolProvider(
        pool,
        provider,
        text(oidc.get("issuerUri")),
        not _is_off(item) and (state is None or state == "ACTIVE"),
        "" if condition is None else str(condition),
        text(mapping(item.get("attributeMapping")).get("google.subject")),
        readable_strings(oidc.get("allowedAudiences")),
        audiences_seen="allowedAudiences" in oidc or "attributeMapping" in item,
    )


def deny_policy(entry: Entry) -> DenyPolicy:
    """Read a deny policy; an ancestors' listing wraps it like an allow policy."""
    item = entry.item
    inner = _inside(item)
    name = text(inner.get("name"))
    path = name.replace("%2F", "/").replace("%2f", "/")
    attached = re.search(r"/projects/([^/]+)/", path)
    project = attached.group(1) if attached else ""
    if not project and text(item.get("type")) == "project":
        project = text(item.get("id"))
    hangs = re.search(r"/((?:folders|organizations)/[^/]+)/", path)
    above = hangs.group(1) if hangs else ""
    rules = inner.get("rules")
    if not isinstance(rules, list) or not rules:  # one that forbids nothing is not made: it was cut
        return DenyPolicy(name, project, None, above=above)
    read = [_deny_rule(mapping(mapping(r).get("denyRule"))) for r in rules]
    found = tuple(rule for rule, _ in read if rule is not None)
    whole = all(whole for _, whole in read)
    return DenyPolicy(name or text(inner.get("displayName")), project, found, whole=whole, above=above)


def _deny_rule(item: Mapping[str, Any]) -> tuple[DenyRule | None, bool]:
    """Return what can be read of a rule, None where nothing that it forbids is certain, and whether it is all of it."""
    spared, left = readable_strings(item.get("exceptionPrincipals")), readable_strings(item.get("exceptionPermissions"))
    principals, permissions = strings(item.get("deniedPrincipals")), strings(item.get("deniedPermissions"))
    if not principals or not permissions or spared is None or left is None:
        return None, False
    condition = item.get("denialCondition")
    expression = text(mapping(condition).get("expression")) or ("(its text is empty)" if condition else "")
    whole = all(readable_strings(item[key]) is not None for key in ("deniedPrincipals", "deniedPermissions"))
    whole = whole and all("." in one and one == "".join(one.split()) for one in permissions)
    return DenyRule(principals, spared, permissions, left, expression), whole


DIALECT = Dialect(
    kind_of,
    (
        "accounts",
        "roles",
        "permissions",
        "policies",
        "workloadIdentityPoolProviders",
        "workloadIdentityPools",
        "results",
    ),
    own=("accounts", "workloadIdentityPools", "workloadIdentityPoolProviders", DENY_LISTING),
    listed={DENY_LISTING: "deny policies"},
)
