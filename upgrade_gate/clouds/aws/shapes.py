"""What the AWS command line prints about IAM: its shapes, read one document after the other into an account."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws import entries, token_issuers
from upgrade_gate.clouds.aws.account import Account, Principal, account_of, join
from upgrade_gate.clouds.aws.entries import DETAIL_LISTS, ORGANISATION_TYPES, OTHER_ORGANISATION_TYPES
from upgrade_gate.clouds.aws.policies import parse_policy
from upgrade_gate.reading.long_lists import briefs
from upgrade_gate.reading.node import mapping, objects, sequence, slip_of, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.clouds.contract.holdings import Document

LONG_LISTS = dict.fromkeys(
    (*DETAIL_LISTS, "Policies"), ("RoleName", "UserName", "GroupName", "PolicyName", "Arn", "Type")
)
"""Lists that an account of many teams makes long, and what tells which of their elements are wanted."""
UNREAD_ORGANISATION = "OrganizationUnread"
"""What `identities commands` writes where the organisation could not be asked for policies, or not for all."""

MANAGEMENT = "MasterAccountId"
"""The account that manages an organisation, as `aws organizations describe-organization` prints it."""
_OF_ORGANISATIONS = ("organisation", "organisation-bare", "whole-organisation")
"""Shapes whose ARNs are of the management account, whoever asked."""


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
    if any(key in body for key in DETAIL_LISTS):
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
    if text(body.get(UNREAD_ORGANISATION)):
        return "unread-organisation"
    if token_issuers.LIST_KEY in body:
        return "providers"
    if {"Url", "ClientIDList"} <= set(body) or (token_issuers.ARN_KEY in body and "Url" in body):
        return "provider"
    return _policy_shape(body)


def _policy_shape(body: Mapping[str, Any]) -> str | None:
    if text(mapping(body.get("Organization")).get(MANAGEMENT)):
        return "whole-organisation"
    if "Policies" in body:
        return "policies" if all(_policy_entry(p) for p in objects(body["Policies"])) else None
    policy = _one_policy(body)
    if "Arn" in policy and "PolicyName" in policy:
        return "policy" if "Policy" in body else None
    if _of_organisation(policy) or set(body) == {"Policy"}:  # of which spoilt ones may be an organisation's
        return "organisation"
    if _of_organisation(body):
        return "organisation-bare"
    return "managed" if _policy_entry(body) and "PolicyVersionList" in body else None


def _one_policy(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the policy of an answer about one, whatever it is called there: it may deny."""
    key = "Policy" if "Policy" in body else slip_of("Policy", body)
    return mapping(body[key]) if key is not None else {}


def _of_organisation(policy: Mapping[str, Any]) -> bool:
    """Return whether this is what `aws organizations describe-policy` prints, one of its two parts spoilt or not."""
    names = ("PolicySummary", "Content")
    return any(name in policy for name in names) and all(name in policy or slip_of(name, policy) for name in names)


def _policy_entry(entry: Mapping[str, Any]) -> bool:
    return "Arn" in entry and ("PolicyName" in entry or entry.get("Type") in ORGANISATION_TYPES)


class ExportReader:
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
        if self.wanted is None or shape in _OF_ORGANISATIONS:
            self.account.accounts |= accounts if shape not in _OF_ORGANISATIONS else set()
            return False
        if (accounts and self.wanted not in accounts) or (not accounts and strangers):
            other = ", ".join(sorted(accounts)) or "another account"
            self.account.foreign.append(f"{origin} belongs to {other}, not to {self.wanted}")
            return True
        self.account.accounts |= accounts & {self.wanted}
        return False

    def _each(self, take: Callable[[Mapping[str, Any]], object], listed: Any) -> None:
        for entry in objects(listed):
            take(entry)

    def _take(self, body: Mapping[str, Any], origin: str) -> None:
        shape = _shape(body) or ""
        self._note_page(shape, body, origin)
        handlers: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
            "details": self._details,
            "detail": partial(entries.detail, self.account),
            "inline": self._inline,
            "bare-role": lambda b: entries.bare(self.account, b, boundary_seen="PermissionsBoundary" in b),
            "role": lambda b: entries.bare(self.account, mapping(b["Role"]), boundary_seen=True),
            "user": lambda b: entries.bare(self.account, mapping(b["User"]), boundary_seen=True),
            "roles": lambda b: self._each(self._listed, b["Roles"]),
            "users": lambda b: self._each(self._listed, b["Users"]),
            "policies": lambda b: self._each(partial(entries.managed_policy, self.account), b["Policies"]),
            "policy": lambda b: entries.managed_policy(self.account, mapping(b["Policy"])),
            "managed": partial(entries.managed_policy, self.account),
            "organisation": lambda b: self._organisation(_one_policy(b)),
            "organisation-bare": self._organisation,
            "whole-organisation": lambda b: self.account.managing.add(b["Organization"][MANAGEMENT]),
            "keys": lambda b: self._each(self._key, b["AccessKeyMetadata"]),
            "attached": self._attached,
            "names": self._names,
            "version": self._version,
            "groups": self._groups,
            "unread-organisation": lambda b: self.account.organisation_unread.append(b[UNREAD_ORGANISATION]),
            "provider": lambda b: self.account.providers.append(token_issuers.read_provider(b)),
            "providers": lambda b: self.account.provider_lists.append(token_issuers.read_listing(b, more=_is_page(b))),
        }
        handler = handlers.get(shape)
        if handler is not None:
            handler(body)

    def _note_page(self, shape: str, body: Mapping[str, Any], origin: str) -> None:
        more = _is_page(body)
        if shape == "details":
            self.pages.append((more, frozenset(body) & {*DETAIL_LISTS, "Policies"}, origin))
        elif more and shape in ("attached", "names", "groups"):
            self.account.cut.append(f"{origin} is one page of more")
        elif more:
            self.account.cut_lists.append(f"{origin} is one page of more")

    def _details(self, body: Mapping[str, Any]) -> None:
        for key in (*DETAIL_LISTS, "Policies"):
            entries.take_list(self.account, body.get(key), policies=key == "Policies")

    def _listed(self, entry: Mapping[str, Any]) -> None:
        """Take an entry of a bare list, which shows no boundary."""
        entries.bare(self.account, entry, boundary_seen=False)

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

    def _organisation(self, policy: Mapping[str, Any]) -> None:
        summary = mapping(policy.get("PolicySummary"))
        name = f"organisation policy {summary.get('Name') or summary.get('Id') or ''}".strip()
        kind = text(summary.get("Type"))
        if kind not in OTHER_ORGANISATION_TYPES:
            kind = kind if kind in ORGANISATION_TYPES else ORGANISATION_TYPES[0]
            of_resources = kind == "RESOURCE_CONTROL_POLICY"
            self.account.organisation.append((kind, parse_policy(name, policy.get("Content"), principals=of_resources)))

    def _key(self, key: Mapping[str, Any]) -> None:
        identifier, user = text(key.get("AccessKeyId")), text(key.get("UserName"))
        if identifier and user:
            self.account.access_keys.setdefault(identifier, set()).add((user, text(key.get("Status"))))


def _is_page(body: Mapping[str, Any]) -> bool:
    """Return whether an answer announces another page."""
    return body.get("IsTruncated") in (True, "true") or bool(body.get("NextToken") or body.get("Marker"))


def _flatten(body: Any) -> list[Mapping[str, Any]]:
    if isinstance(body, list):
        return [inner for item in body for inner in _flatten(item)]
    return [body] if isinstance(body, Mapping) else []


def _arns(body: Mapping[str, Any]) -> Iterable[str]:
    """Yield the ARNs that say whose document this is; what it merely refers to says nothing."""
    if text(body.get(token_issuers.ARN_KEY)):
        yield body[token_issuers.ARN_KEY]
    for key in (*DETAIL_LISTS, "Roles", "Users", "Policies", token_issuers.LIST_KEY):
        for entry in briefs(sequence(body.get(key)) or ()):
            if entry is not None and text(entry.get("Arn")):
                yield entry["Arn"]
    for holder in (body, *(mapping(body.get(k)) for k in ("Role", "User", "Policy"))):
        if text(holder.get("Arn")):
            yield holder["Arn"]
