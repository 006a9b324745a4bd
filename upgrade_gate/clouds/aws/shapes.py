"""What the AWS command line prints about IAM: its shapes, read one document after the other into an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws.account import Account, Principal, account_of, join
from upgrade_gate.clouds.aws.policies import parse_policy
from upgrade_gate.reading.node import mapping, objects, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from upgrade_gate.clouds.contract.holdings import Document

_DETAIL_LISTS = ("RoleDetailList", "UserDetailList", "GroupDetailList")
_ORGANISATION_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


def recognises(body: Any) -> bool:
    """Return whether a document has a shape that `aws` prints about IAM, or is a list of such."""
    if isinstance(body, list):
        return bool(body) and all(recognises(item) for item in body)
    return isinstance(body, Mapping) and _shape(body) is not None


_SINGLE_KEYS = {
    "Role": "role",
    "User": "user",
    "AttachedPolicies": "attached",
    "PolicyVersion": "version",
    "PolicyNames": "names",
    "AccessKeyMetadata": "keys",
    "Roles": "roles",
    "Users": "users",
    "Groups": "groups",
}


def _shape(body: Mapping[str, Any]) -> str | None:
    """Return the name of a document's shape."""
    if any(key in body for key in _DETAIL_LISTS):
        return "details"
    for kind in ("Role", "User", "Group"):
        name = text(body.get(f"{kind}Name"))
        if name and "PolicyDocument" in body:
            return "inline"
        if name and "Arn" in body and (f"{kind}PolicyList" in body or "AttachedManagedPolicies" in body):
            return "detail"
        if name and "Arn" in body and "AssumeRolePolicyDocument" in body:
            return "bare-role"
    for key, shape in _SINGLE_KEYS.items():
        if isinstance(body.get(key), Mapping | list):
            return shape
    if {"Account", "Arn", "UserId"} <= set(body):
        return "caller"
    if "OpenIDConnectProviderList" in body or {"Url", "ClientIDList"} <= set(body):
        return "provider"
    return _policy_shape(body)


def _policy_shape(body: Mapping[str, Any]) -> str | None:
    if "Policies" in body:
        return "policies" if all(_policy_entry(p) for p in objects(body["Policies"])) else None
    policy = mapping(body.get("Policy"))
    if "PolicySummary" in policy and "Content" in policy:
        return "organisation"
    if "Arn" in policy and "PolicyName" in policy:
        return "policy"
    if "PolicySummary" in body and "Content" in body:
        return "organisation-bare"
    return "managed" if _policy_entry(body) and "PolicyVersionList" in body else None


def _policy_entry(entry: Mapping[str, Any]) -> bool:
    return "Arn" in entry and ("PolicyName" in entry or entry.get("Type") in _ORGANISATION_TYPES)


class Reader:
    """Reads documents one after the other into an account."""

    def __init__(self, account: str | None) -> None:
        self.wanted = account
        self.account = Account()
        self.pages: list[tuple[bool, frozenset[str], str]] = []
        """Whether more follows, the lists in it, and where it comes from."""

    def read(self, documents: Iterable[Document]) -> Account:
        """Read every document, then join what has no name of its own."""
        pending = [(d.body, d.origin or "the export", d.truncated) for d in documents]
        flat = [(body, origin, cut) for given, origin, cut in pending for body in _flatten(given)]
        strangers = self._strangers([body for body, _, _ in flat])
        for body, origin, cut in flat:
            if self._foreign(body, origin, strangers):
                continue
            if cut:
                self.account.cut.append(f"{origin} is cut off")
            self._take(body, origin)
        final = {lists for more, lists, _ in self.pages if not more}
        self.account.cut += [f"{o} is one page of more" for more, lists, o in self.pages if more and lists not in final]
        join(self.account)
        return self.account

    def _strangers(self, bodies: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether the caller of documents that name no account belongs to another one."""
        if self.wanted is None:
            return False
        callers = {str(b.get("Account")) for b in bodies if _shape(b) == "caller"}
        return bool(callers) and self.wanted not in callers

    def _foreign(self, body: Mapping[str, Any], origin: str, strangers: bool) -> bool:
        accounts = {a for arn in _arns(body) if (a := account_of(arn)) is not None}
        shape = _shape(body)
        if shape == "caller":
            accounts = {str(body.get("Account"))}
        if self.wanted is None or shape in ("organisation", "organisation-bare"):
            self.account.accounts |= accounts if shape not in ("organisation", "organisation-bare") else set()
            return False
        if (accounts and self.wanted not in accounts) or (not accounts and strangers):
            other = ", ".join(sorted(accounts)) or "another account"
            self.account.foreign.append(f"{origin} belongs to {other}, not to {self.wanted}")
            return True
        self.account.accounts |= accounts & {self.wanted}
        return False

    def _each(self, take: Callable[[Mapping[str, Any]], object], entries: Any) -> None:
        for entry in objects(entries):
            take(entry)

    def _take(self, body: Mapping[str, Any], origin: str) -> None:
        shape = _shape(body) or ""
        self._note_page(shape, body, origin)
        handlers: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
            "details": self._details,
            "detail": self._detail,
            "inline": self._inline,
            "bare-role": lambda b: self._bare(b, boundary_seen="PermissionsBoundary" in b),
            "role": lambda b: self._bare(mapping(b["Role"]), boundary_seen=True),
            "user": lambda b: self._bare(mapping(b["User"]), boundary_seen=True),
            "roles": lambda b: self._each(lambda role: self._bare(role, boundary_seen=False), b["Roles"]),
            "users": lambda b: self._each(lambda user: self._bare(user, boundary_seen=False), b["Users"]),
            "policies": lambda b: self._each(self._policy, b["Policies"]),
            "policy": lambda b: self._policy(mapping(b["Policy"])),
            "managed": self._policy,
            "organisation": lambda b: self._organisation(mapping(b["Policy"])),
            "organisation-bare": self._organisation,
            "keys": lambda b: self._each(self._key, b["AccessKeyMetadata"]),
            "attached": self._attached,
            "names": self._names,
            "version": self._version,
            "groups": self._groups,
        }
        handler = handlers.get(shape)
        if handler is not None:
            handler(body)

    def _note_page(self, shape: str, body: Mapping[str, Any], origin: str) -> None:
        more = body.get("IsTruncated") in (True, "true") or bool(body.get("NextToken") or body.get("Marker"))
        if shape == "details":
            self.pages.append((more, frozenset(body) & {*_DETAIL_LISTS, "Policies"}, origin))
        elif more and shape in ("attached", "names", "groups"):
            self.account.cut.append(f"{origin} is one page of more")
        elif more:
            self.account.cut_lists.append(f"{origin} is one page of more")

    def _details(self, body: Mapping[str, Any]) -> None:
        for key in _DETAIL_LISTS:
            for entry in objects(body.get(key)):
                self._detail(entry)
        for entry in objects(body.get("Policies")):
            self._policy(entry)

    def _detail(self, entry: Mapping[str, Any]) -> None:
        kind = next((k for k in ("Role", "User", "Group") if text(entry.get(f"{k}Name"))), None)
        if kind is None:
            return
        principal = self.account.principal(kind.lower(), entry[f"{kind}Name"], text(entry.get("Arn")))
        self._arn(principal, entry)
        if entry.get(f"{kind}PolicyList") is not None:
            self._inline_list(principal, f"{kind}PolicyList", entry[f"{kind}PolicyList"])
        if entry.get("AttachedManagedPolicies") is not None:
            principal.set_attached(entry["AttachedManagedPolicies"], "AttachedManagedPolicies")
        if entry.get("GroupList") is not None:
            given = entry["GroupList"]
            names = [given] if isinstance(given, str) else given
            groups = [{"GroupName": name} for name in names] if isinstance(names, Sequence) else names
            principal.set_groups({g["GroupName"] for g in principal.listed(groups, "GroupList", "GroupName")})
        principal.boundary_seen = True
        self._boundary_and_trust(principal, entry)

    def _inline_list(self, principal: Principal, key: str, value: Any) -> None:
        policies = principal.listed(value, key, "PolicyName")
        for policy in policies:
            principal.set_inline(policy["PolicyName"], policy.get("PolicyDocument"))
        principal.set_names({policy["PolicyName"] for policy in policies})

    def _bare(self, entry: Mapping[str, Any], *, boundary_seen: bool) -> None:
        for kind in ("Role", "User"):
            name = text(entry.get(f"{kind}Name"))
            if name:
                principal = self.account.principal(kind.lower(), name, text(entry.get("Arn")))
                self._arn(principal, entry)
                principal.boundary_seen = principal.boundary_seen or boundary_seen
                self._boundary_and_trust(principal, entry)

    def _arn(self, principal: Principal, entry: Mapping[str, Any]) -> None:
        arn = text(entry.get("Arn"))
        if arn and principal.arn not in (None, arn):
            principal.conflicts.append(f"{principal.kind} {principal.name} has two ARNs: {principal.arn} and {arn}")
        principal.arn = arn or principal.arn

    def _boundary_and_trust(self, principal: Principal, entry: Mapping[str, Any]) -> None:
        boundary = entry.get("PermissionsBoundary")
        arn = text(mapping(boundary).get("PermissionsBoundaryArn")) or text(boundary)
        if boundary is not None and not arn:
            arn = "a boundary without an ARN"
        principal.set_boundary(arn)
        if "Tags" in entry:
            principal.set_tags(entry["Tags"])
        principal.set_trust(entry.get("AssumeRolePolicyDocument"))

    def _inline(self, body: Mapping[str, Any]) -> None:
        for kind in ("Role", "User", "Group"):
            name = text(body.get(f"{kind}Name"))
            if name:
                principal = self.account.principal(kind.lower(), name)
                principal.set_inline(str(body.get("PolicyName")), body["PolicyDocument"])

    def _asked_for(self, body: Mapping[str, Any]) -> Principal | None:
        """Return the principal that a collector wrote into an answer that does not name it."""
        for kind in ("Role", "User", "Group"):
            name = text(body.get(f"{kind}Name"))
            if name:
                return self.account.principal(kind.lower(), name)
        return None

    def _attached(self, body: Mapping[str, Any]) -> None:
        principal = self._asked_for(body)
        if principal is None:
            self.account.loose_attached.append(body)
        else:
            principal.set_attached(body["AttachedPolicies"])

    def _names(self, body: Mapping[str, Any]) -> None:
        principal = self._asked_for(body)
        if principal is None:
            self.account.loose_names.append(body["PolicyNames"])
        else:
            self.account.listed_names.append((principal, {str(n) for n in body["PolicyNames"]}))

    def _groups(self, body: Mapping[str, Any]) -> None:
        principal = self._asked_for(body)
        if principal is not None and principal.kind == "user":
            principal.set_groups({g["GroupName"] for g in principal.listed(body["Groups"], "Groups", "GroupName")})

    def _version(self, body: Mapping[str, Any]) -> None:
        version, arn = mapping(body["PolicyVersion"]), text(body.get("PolicyArn"))
        if not arn:
            self.account.loose_versions.append(version)
        elif version.get("IsDefaultVersion") is True:
            self.account.keep(arn, f"policy {arn}", text(version.get("VersionId")), version.get("Document"))

    def _policy(self, entry: Mapping[str, Any]) -> None:
        arn = text(entry.get("Arn"))
        if not arn or entry.get("Type") in _ORGANISATION_TYPES:
            return
        label = f"policy {entry.get('PolicyName') or arn}"
        for version, document in _default_versions(entry):
            self.account.keep(arn, label, version, document)

    def _organisation(self, policy: Mapping[str, Any]) -> None:
        summary = mapping(policy.get("PolicySummary"))
        name = f"organisation policy {summary.get('Name') or summary.get('Id') or ''}".strip()
        kind = text(summary.get("Type")) or _ORGANISATION_TYPES[0]
        if kind in _ORGANISATION_TYPES:
            of_resources = kind == "RESOURCE_CONTROL_POLICY"
            self.account.organisation.append((kind, parse_policy(name, policy.get("Content"), principals=of_resources)))

    def _key(self, key: Mapping[str, Any]) -> None:
        identifier, user = text(key.get("AccessKeyId")), text(key.get("UserName"))
        if identifier and user:
            self.account.access_keys.setdefault(identifier, set()).add((user, text(key.get("Status"))))


def _flatten(body: Any) -> list[Mapping[str, Any]]:
    if isinstance(body, list):
        return [inner for item in body for inner in _flatten(item)]
    return [body] if isinstance(body, Mapping) else []


def _arns(body: Mapping[str, Any]) -> Iterable[str]:
    """Yield the ARNs that say whose document this is; what it merely refers to says nothing."""
    for key in (*_DETAIL_LISTS, "Roles", "Users", "Policies"):
        for entry in objects(body.get(key)):
            if text(entry.get("Arn")):
                yield entry["Arn"]
    for holder in (body, *(mapping(body.get(k)) for k in ("Role", "User", "Policy"))):
        if text(holder.get("Arn")):
            yield holder["Arn"]


def _default_versions(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return ID and document of the default version, which need not be the newest; no document if it is not there.

    The policy names its default version and each version says whether it is the one: several results disagree.
    """
    versions = objects(entry.get("PolicyVersionList"))
    named = text(entry.get("DefaultVersionId"))
    chosen = [v for v in versions if v.get("IsDefaultVersion") is True or (named and v.get("VersionId") == named)]
    found = [(text(v.get("VersionId")), v.get("Document")) for v in chosen]
    if named and all(version != named for version, _ in found):
        found.append((named, None))
    return found or [(named, None)]
