"""What the AWS command line prints about IAM: the shapes, and the roles, users, groups and policies in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from upgrade_gate.entitlement_readers._aws_policies import Policy, decode, parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from upgrade_gate.entitlements import Document

__all__ = ["Account", "Principal", "recognises"]

_DETAIL_LISTS = ("RoleDetailList", "UserDetailList", "GroupDetailList")
_ORGANISATION_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, Sequence) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def account_of(arn: str | None) -> str | None:
    """Return the account of an ARN; None for AWS's own policies and for what is no ARN."""
    parts = (arn or "").split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else None


@dataclass(slots=True)
class Principal:
    """A role, user or group as far as the documents show it."""

    kind: str
    """`role`, `user` or `group`."""
    name: str
    arn: str | None = None
    inline: dict[str, Any] = field(default_factory=dict)
    """Policy name to document."""
    attached: dict[str, str] = field(default_factory=dict)
    """Policy ARN to name."""
    groups: set[str] = field(default_factory=set)
    boundary: str | None = None
    trust: Any = None
    inline_seen: bool = False
    """Whether all inline policies are in `inline`."""
    attached_seen: bool = False
    groups_seen: bool = False
    boundary_seen: bool = False
    """Whether a boundary would be shown if there were one."""
    conflicts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Account:
    """Everything that a set of documents says about one AWS account."""

    principals: dict[tuple[str, str, str], Principal] = field(default_factory=dict)
    """By kind (`role`, `user`, `group`), account (empty where a document does not say) and name."""
    policies: dict[str, Policy | None] = field(default_factory=dict)
    """Managed policy ARN to its default version, None where the documents name the policy without it."""
    documents: dict[str, Any] = field(default_factory=dict)
    """Managed policy ARN to the document as it was given, for its size."""
    organisation: list[tuple[str, Policy]] = field(default_factory=list)
    """Type and document of each organisation policy."""
    access_keys: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Access key ID to user name and whether the key is active."""
    accounts: set[str] = field(default_factory=set)
    cut: list[str] = field(default_factory=list)
    """Pages that announce another which is not there: what is held cannot be told."""
    cut_lists: list[str] = field(default_factory=list)
    """Likewise, where only the existence of something may stand on the page that is not there."""
    foreign: list[str] = field(default_factory=list)
    """Documents of another account, kept aside."""
    listed_names: list[tuple[Principal, set[str]]] = field(default_factory=list)
    """Names of all inline policies of a principal."""
    joined_by_chance: list[str] = field(default_factory=list)
    """What was joined only because there was one candidate."""
    loose_attached: list[Mapping[str, Any]] = field(default_factory=list)
    loose_versions: list[Any] = field(default_factory=list)
    loose_names: list[Sequence[Any]] = field(default_factory=list)
    """Answers that do not repeat what they were asked for."""

    def principal(self, kind: str, name: str, arn: str | None = None) -> Principal:
        """Return the principal of that name, made when it is new."""
        key = (kind, account_of(arn) or "", name)
        return self.principals.setdefault(key, Principal(kind, name))

    def find(self, kind: str, name: str, account: str | None) -> Principal | None:
        """Return the principal of that name; where no account is given, only if there is no other of that name."""
        if account is not None:
            return self.principals.get((kind, account, name)) or self.principals.get((kind, "", name))
        found = [p for (k, _, n), p in self.principals.items() if (k, n) == (kind, name)]
        return found[0] if len(found) == 1 else None


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
    "Groups": "groups",
}


def _shape(body: Mapping[str, Any]) -> str | None:
    """Return the name of a document's shape."""
    if any(key in body for key in _DETAIL_LISTS):
        return "details"
    for kind in ("Role", "User", "Group"):
        name = _text(body.get(f"{kind}Name"))
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
        return "policies" if all(_policy_entry(p) for p in _objects(body["Policies"])) else None
    policy = _mapping(body.get("Policy"))
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
        self.pages: list[tuple[bool, str]] = []

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
        final = any(not more for more, _ in self.pages)
        self.account.cut += [f"{origin} is one page of more" for more, origin in self.pages if more and not final]
        _join(self.account)
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
        for entry in _objects(entries):
            take(entry)

    def _take(self, body: Mapping[str, Any], origin: str) -> None:
        shape = _shape(body) or ""
        self._note_page(shape, body, origin)
        handlers: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
            "details": self._details,
            "detail": self._detail,
            "inline": self._inline,
            "bare-role": lambda b: self._bare(b, boundary_seen="PermissionsBoundary" in b),
            "role": lambda b: self._bare(_mapping(b["Role"]), boundary_seen=True),
            "user": lambda b: self._bare(_mapping(b["User"]), boundary_seen=True),
            "roles": lambda b: self._each(lambda role: self._bare(role, boundary_seen=False), b["Roles"]),
            "policies": lambda b: self._each(self._policy, b["Policies"]),
            "policy": lambda b: self._policy(_mapping(b["Policy"])),
            "managed": self._policy,
            "organisation": lambda b: self._organisation(_mapping(b["Policy"])),
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
        more = body.get("IsTruncated") is True or bool(body.get("NextToken") or body.get("Marker"))
        if shape == "details":
            self.pages.append((more, origin))
        elif more and shape in ("attached", "names", "groups"):
            self.account.cut.append(f"{origin} is one page of more")
        elif more:
            self.account.cut_lists.append(f"{origin} is one page of more")

    def _details(self, body: Mapping[str, Any]) -> None:
        for key in _DETAIL_LISTS:
            for entry in _objects(body.get(key)):
                self._detail(entry)
        for entry in _objects(body.get("Policies")):
            self._policy(entry)

    def _detail(self, entry: Mapping[str, Any]) -> None:
        kind = next((k for k in ("Role", "User", "Group") if _text(entry.get(f"{k}Name"))), None)
        if kind is None:
            return
        principal = self.account.principal(kind.lower(), entry[f"{kind}Name"], _text(entry.get("Arn")))
        self._arn(principal, entry)
        listed = {str(p.get("PolicyName")) for p in _objects(entry.get(f"{kind}PolicyList"))}
        if set(principal.inline) - listed or (principal.inline_seen and listed != set(principal.inline)):
            principal.conflicts.append(f"two documents disagree about the inline policies of {principal.name}")
        for policy in _objects(entry.get(f"{kind}PolicyList")):
            _set_inline(principal, str(policy.get("PolicyName")), policy.get("PolicyDocument"))
        attached = {
            str(p.get("PolicyArn")): str(p.get("PolicyName")) for p in _objects(entry.get("AttachedManagedPolicies"))
        }
        if principal.attached_seen and attached != principal.attached:
            principal.conflicts.append(f"two documents disagree about the policies attached to {principal.name}")
        principal.attached.update(attached)
        groups = entry.get("GroupList")
        principal.groups |= {g for g in groups if isinstance(g, str)} if isinstance(groups, Sequence) else set()
        principal.inline_seen = principal.attached_seen = principal.groups_seen = principal.boundary_seen = True
        self._boundary_and_trust(principal, entry)

    def _bare(self, entry: Mapping[str, Any], *, boundary_seen: bool) -> None:
        for kind in ("Role", "User"):
            name = _text(entry.get(f"{kind}Name"))
            if name:
                principal = self.account.principal(kind.lower(), name, _text(entry.get("Arn")))
                self._arn(principal, entry)
                principal.boundary_seen = principal.boundary_seen or boundary_seen
                self._boundary_and_trust(principal, entry)

    def _arn(self, principal: Principal, entry: Mapping[str, Any]) -> None:
        arn = _text(entry.get("Arn"))
        if arn and principal.arn not in (None, arn):
            principal.conflicts.append(f"{principal.kind} {principal.name} has two ARNs: {principal.arn} and {arn}")
        principal.arn = arn or principal.arn

    def _boundary_and_trust(self, principal: Principal, entry: Mapping[str, Any]) -> None:
        boundary = entry.get("PermissionsBoundary")
        arn = _text(_mapping(boundary).get("PermissionsBoundaryArn")) or _text(boundary)
        if boundary and not arn:
            arn = "a boundary without an ARN"
        principal.boundary = arn or principal.boundary
        if entry.get("AssumeRolePolicyDocument") is not None:
            trust = entry["AssumeRolePolicyDocument"]
            if principal.trust is not None and decode(principal.trust) != decode(trust):
                principal.conflicts.append(f"two documents disagree about the trust policy of {principal.name}")
            principal.trust = trust

    def _inline(self, body: Mapping[str, Any]) -> None:
        for kind in ("Role", "User", "Group"):
            name = _text(body.get(f"{kind}Name"))
            if name:
                principal = self.account.principal(kind.lower(), name)
                _set_inline(principal, str(body.get("PolicyName")), body["PolicyDocument"])

    def _asked_for(self, body: Mapping[str, Any]) -> Principal | None:
        """Return the principal that a collector wrote into an answer that does not name it."""
        for kind in ("Role", "User", "Group"):
            name = _text(body.get(f"{kind}Name"))
            if name:
                return self.account.principal(kind.lower(), name)
        return None

    def _attached(self, body: Mapping[str, Any]) -> None:
        principal = self._asked_for(body)
        if principal is None:
            self.account.loose_attached.append(body)
        else:
            _set_attached(principal, body)

    def _names(self, body: Mapping[str, Any]) -> None:
        principal = self._asked_for(body)
        if principal is None:
            self.account.loose_names.append(body["PolicyNames"])
        else:
            self.account.listed_names.append((principal, {str(n) for n in body["PolicyNames"]}))

    def _groups(self, body: Mapping[str, Any]) -> None:
        principal = self._asked_for(body)
        if principal is not None and principal.kind == "user":
            principal.groups |= {str(g.get("GroupName")) for g in _objects(body["Groups"])}
            principal.groups_seen = True

    def _version(self, body: Mapping[str, Any]) -> None:
        version, arn = _mapping(body["PolicyVersion"]), _text(body.get("PolicyArn"))
        if arn is None:
            self.account.loose_versions.append(version)
        elif version.get("IsDefaultVersion") is True:
            self.account.policies[arn] = parse_policy(f"policy {arn}", version.get("Document"))
            self.account.documents[arn] = version.get("Document")

    def _policy(self, entry: Mapping[str, Any]) -> None:
        arn = _text(entry.get("Arn"))
        if arn is None or entry.get("Type") in _ORGANISATION_TYPES:
            return
        document = _default_version(entry)
        if document is not None:
            self.account.policies[arn] = parse_policy(f"policy {entry.get('PolicyName') or arn}", document)
            self.account.documents[arn] = document
        else:
            self.account.policies.setdefault(arn, None)

    def _organisation(self, policy: Mapping[str, Any]) -> None:
        summary = _mapping(policy.get("PolicySummary"))
        name = f"organisation policy {summary.get('Name') or summary.get('Id') or ''}".strip()
        kind = str(summary.get("Type") or _ORGANISATION_TYPES[0])
        if kind in _ORGANISATION_TYPES:
            self.account.organisation.append((kind, parse_policy(name, policy.get("Content"))))

    def _key(self, key: Mapping[str, Any]) -> None:
        identifier, user = _text(key.get("AccessKeyId")), _text(key.get("UserName"))
        if identifier and user:
            self.account.access_keys[identifier] = (user, key.get("Status") != "Inactive")


def _flatten(body: Any) -> list[Mapping[str, Any]]:
    if isinstance(body, list):
        return [inner for item in body for inner in _flatten(item)]
    return [body] if isinstance(body, Mapping) else []


def _arns(body: Mapping[str, Any]) -> Iterable[str]:
    """Yield the ARNs that say whose document this is; what it merely refers to says nothing."""
    for key in (*_DETAIL_LISTS, "Roles", "Policies"):
        for entry in _objects(body.get(key)):
            if _text(entry.get("Arn")):
                yield entry["Arn"]
    for holder in (body, *(_mapping(body.get(k)) for k in ("Role", "User", "Policy"))):
        if _text(holder.get("Arn")):
            yield holder["Arn"]


def _set_inline(principal: Principal, name: str, document: Any) -> None:
    known = principal.inline.get(name)
    if known is not None and decode(known) != decode(document):
        principal.conflicts.append(f"two documents disagree about policy {name} of {principal.name}")
    principal.inline[name] = document


def _set_attached(principal: Principal, body: Mapping[str, Any]) -> None:
    entries = _objects(body.get("AttachedPolicies"))
    principal.attached.update({str(p.get("PolicyArn")): str(p.get("PolicyName")) for p in entries})
    principal.attached_seen = True


def _default_version(entry: Mapping[str, Any]) -> Any:
    """Return the document of the default version, which need not be the newest; None where it is not there."""
    versions = _objects(entry.get("PolicyVersionList"))
    default = _text(entry.get("DefaultVersionId"))
    chosen = [v for v in versions if v.get("VersionId") == default] if default else []
    chosen = chosen or [
        v for v in versions if v.get("IsDefaultVersion") is True and default in (None, v.get("VersionId"))
    ]
    return chosen[0].get("Document") if chosen else None


def _merge_nameless(account: Account) -> None:
    """Merge what `get-role-policy` says, which names no account, into the one principal of that name."""
    for key in [k for k in account.principals if not k[1]]:
        same = [p for k, p in account.principals.items() if k[1] and (k[0], k[2]) == (key[0], key[2])]
        if len(same) != 1:
            continue
        target, source = same[0], account.principals.pop(key)
        if target.inline_seen and set(source.inline) - set(target.inline):
            target.conflicts.append(f"two documents disagree about the inline policies of {target.name}")
        for name, document in source.inline.items():
            _set_inline(target, name, document)
        target.attached.update(source.attached)
        target.attached_seen = target.attached_seen or source.attached_seen
        target.groups |= source.groups
        target.groups_seen = target.groups_seen or source.groups_seen
        target.conflicts += source.conflicts
        account.listed_names = [(target if p is source else p, names) for p, names in account.listed_names]


def _join(account: Account) -> None:
    """Join what names neither role nor policy, where there is exactly one that it can belong to.

    `list-attached-role-policies`, `list-role-policies` and `get-policy-version` do not repeat what they were asked
    for. A join by being the only candidate is said as a caveat.
    """
    _merge_nameless(account)
    for principal, names in account.listed_names:
        principal.inline_seen = principal.inline_seen or names <= set(principal.inline)
    principals = list(account.principals.values())
    if len(principals) != 1:
        return
    principal = principals[0]
    if len(account.loose_names) == 1 and {str(n) for n in account.loose_names[0]} <= set(principal.inline):
        principal.inline_seen = True
    if len(account.loose_attached) != 1 or principal.attached_seen:
        return
    entries = _objects(account.loose_attached[0].get("AttachedPolicies"))
    _set_attached(principal, account.loose_attached[0])
    note = (
        f"the list of attached policies is taken for that of {principal.name}, the only {principal.kind} in the export"
    )
    account.joined_by_chance.append(note)
    if len(account.loose_versions) == 1 and len(entries) == 1:
        version, arn = _mapping(account.loose_versions[0]), str(entries[0].get("PolicyArn"))
        if version.get("IsDefaultVersion") is True and account.policies.get(arn) is None:
            account.policies[arn] = parse_policy(f"policy {entries[0].get('PolicyName')}", version.get("Document"))
            account.documents[arn] = version.get("Document")
            account.joined_by_chance.append(f"the only policy version is taken for {arn}, the only attached policy")
