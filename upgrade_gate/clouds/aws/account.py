"""The roles, users, groups and policies of one AWS account, as far as documents show them, and where they disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from sys import intern
from typing import Any, TypeAlias

from msgspec import Struct, field

from upgrade_gate.clouds.aws.policies import Policy, decode, parse_policy
from upgrade_gate.clouds.aws.token_issuers import Listing, Provider
from upgrade_gate.reading.node import mapping, objects, one_or_more, sequence, text

Waiting: TypeAlias = "tuple[Callable[[Account, Mapping[str, Any]], None], Sequence[Any], int]"
"""An entry that waits: what takes it, the list that it stands in, its place there."""


def account_of(arn: str | None) -> str | None:
    """Return the account of an ARN; None for AWS's own policies and for what is no ARN."""
    parts = (arn or "").split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else None


class Principal(Struct):
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
    tags: list[Mapping[str, str]] = field(default_factory=list)
    """Its tags by folded key, as each document shows them; several disagree."""
    trust: Any = None
    inline_seen: bool = False
    """Whether all inline policies are in `inline`."""
    attached_seen: bool = False
    groups_seen: bool = False
    boundary_seen: bool = False
    """Whether a boundary would be shown if there were one."""
    conflicts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What was supplied about it and cannot be read: it may allow or deny anything."""
    named: set[str] = field(default_factory=set)
    """Inline policies that a list names and no document shows."""

    def set_inline(self, name: str, document: Any) -> None:
        """Keep an inline policy; two different documents of it are a conflict."""
        known = self.inline.get(name)
        if known is not None and decode(known) != decode(document):
            self.conflicts.append(f"two documents disagree about policy {name} of {self.name}")
        self.inline[name] = document

    def set_attached(self, value: Any, key: str = "AttachedPolicies") -> None:
        """Keep a whole list of what is attached; another whole list is a conflict."""
        attached = {p["PolicyArn"]: str(p.get("PolicyName")) for p in self.listed(value, key, "PolicyArn")}
        if self.attached_seen and set(attached) != set(self.attached):
            self.conflicts.append(f"two documents disagree about the policies attached to {self.name}")
        self.attached.update(attached)
        self.attached_seen = True

    def set_groups(self, groups: set[str]) -> None:
        """Keep a whole list of groups; another whole list is a conflict."""
        if self.groups_seen and groups != self.groups:
            self.conflicts.append(f"two documents disagree about the groups of {self.name}")
        self.groups = groups
        self.groups_seen = True

    def set_boundary(self, arn: str | None) -> None:
        """Keep the ARN of the boundary, None where a document shows none; another one is a conflict."""
        if arn and self.boundary not in (None, arn):
            self.conflicts.append(f"two documents disagree about the permissions boundary of {self.name}")
        self.boundary = arn or self.boundary

    def set_tags(self, value: Any) -> None:
        """Keep the tags that a document shows; what cannot be read shows none, not even that there is none."""
        pairs = [(text(tag.get("Key")), tag.get("Value")) for tag in objects(value)]
        tags = {key.casefold(): given for key, given in pairs if key and isinstance(given, str)}
        listed = sequence(value)
        if listed is not None and len(tags) == len(listed) and tags not in self.tags:
            self.tags.append(tags)

    def set_trust(self, document: Any) -> None:
        """Keep the trust policy, None where a document shows none; a different one is a conflict."""
        if document is None:
            return
        if self.trust is not None and decode(self.trust) != decode(document):
            self.conflicts.append(f"two documents disagree about the trust policy of {self.name}")
        self.trust = document

    def set_names(self, names: set[str]) -> None:
        """Compare with a list of the names of all inline policies."""
        if set(self.inline) - names or (self.inline_seen and names != set(self.inline)):
            self.conflicts.append(f"two documents disagree about the inline policies of {self.name}")
        self.named |= names - set(self.inline)
        self.inline_seen = True

    def listed(self, value: Any, what: str, field_name: str) -> list[Mapping[str, Any]]:
        """Return the objects of a list; an element without the named field cannot be read, and is a problem."""
        listed = one_or_more(value)
        if listed is None:
            listed = [value]
        found = [v for v in listed if text(mapping(v).get(field_name))]
        if len(found) != len(listed):
            self.problems.append(f"{what} of {self.kind} {self.name} cannot be read as a whole")
        return found


class Account(Struct):
    """Everything that a set of documents says about one AWS account."""

    principals: dict[tuple[str, str, str], Principal] = field(default_factory=dict)
    """By kind (`role`, `user`, `group`), account (empty where a document does not say) and name."""
    waiting: dict[tuple[str, str, str], list[Waiting]] = field(default_factory=dict)
    """Entries of long lists about principals whom nobody has asked for, by the same key."""
    policies: dict[str, Policy | None] = field(default_factory=dict)
    """Managed policy ARN to its default version, None where the documents name the policy without it."""
    waiting_policies: dict[str, list[Waiting]] = field(default_factory=dict)
    """Likewise about managed policies, by ARN."""
    documents: dict[str, Any] = field(default_factory=dict)
    """Managed policy ARN to the document as it was given, for its size."""
    versions: dict[str, str] = field(default_factory=dict)
    """Managed policy ARN to the ID of its default version."""
    disputed: set[str] = field(default_factory=set)
    """Managed policies that two documents show differently."""
    organisation: list[tuple[str, Policy]] = field(default_factory=list)
    """Type and document of each organisation policy."""
    managing: set[str] = field(default_factory=set)
    """The account that manages the organisation, as each document says."""
    organisation_unread: list[str] = field(default_factory=list)
    """Parts of the organisation whose policies could not be read."""
    access_keys: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Access key ID to user name and status, as each document says."""
    providers: list[Provider] = field(default_factory=list)
    provider_lists: list[Listing] = field(default_factory=list)
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

    def wait(self, kind: str, name: str, account: str, entry: Waiting) -> None:
        """Leave an entry about a principal unread until somebody asks for the principal."""
        self.waiting.setdefault((kind, intern(account), name), []).append(entry)

    def wait_for_policy(self, arn: str, entry: Waiting) -> None:
        """Leave an entry about a managed policy unread until somebody asks for the policy."""
        self.waiting_policies.setdefault(arn, []).append(entry)

    def wake(self, keys: Iterable[tuple[str, str, str]]) -> None:
        """Read the entries that wait."""
        for key in list(keys):
            for take, listed, number in self.waiting.pop(key, ()):
                take(self, listed[number])

    def named(self, kind: str, name: str) -> list[Principal]:
        """Return the principals of a name in all accounts that are known."""
        self.wake(k for k in self.waiting if (k[0], k[2]) == (kind, name))
        return [p for k, p in self.principals.items() if k[1] and (k[0], k[2]) == (kind, name)]

    def principal(self, kind: str, name: str, arn: str | None = None) -> Principal:
        """Return the principal of that name, made when it is new."""
        key = (kind, account_of(arn) or "", name)
        self.wake([key])
        return self.principals.setdefault(key, Principal(kind, name))

    def find(self, kind: str, name: str, account: str | None) -> Principal | None:
        """Return the principal of that name; where no account is given, only if there is no other of that name."""
        if account is not None:
            self.wake([(kind, account, name)])
            return self.principals.get((kind, account, name)) or self.principals.get((kind, "", name))
        nameless = self.principals.get((kind, "", name))
        found = [*self.named(kind, name), *([nameless] if nameless is not None else [])]
        return found[0] if len(found) == 1 else None

    def policy(self, arn: str) -> Policy | None:
        """Return the default version of a managed policy, None where the documents do not show it."""
        for take, listed, number in self.waiting_policies.pop(arn, ()):
            take(self, listed[number])
        return self.policies.get(arn)

    def policy_arns(self) -> frozenset[str]:
        """Return the ARNs of all managed policies that the documents name."""
        return frozenset((*self.policies, *self.waiting_policies))

    def keep(self, arn: str, label: str, version: str, document: Any) -> None:
        """Keep what a document says about a managed policy; where two disagree, nobody knows what it says."""
        self.policy(arn)
        known = self.documents.get(arn)
        differs = document is not None and known is not None and decode(known) != decode(document)
        if differs or (version and self.versions.setdefault(arn, version) != version):
            self.disputed.add(arn)
        if document is not None:
            self.documents[arn] = document
        if arn in self.disputed:
            self.policies[arn] = Policy(label, problems=(f"two documents disagree about {label}",))
        elif document is not None:
            self.policies[arn] = parse_policy(label, document)
        else:
            self.policies.setdefault(arn, None)


def _merge_nameless(account: Account) -> None:
    """Merge what names no account, as `get-role-policy` does, into the one principal of that name.

    Where several accounts have the name, it may be about any of them, and may deny.
    """
    for key in [k for k in account.principals if not k[1]]:
        same = account.named(key[0], key[2])
        if len(same) != 1:
            for principal in same:
                principal.problems.append(f"a document about {key[0]} {key[2]} does not say of which account it is")
            continue
        target, source = same[0], account.principals.pop(key)
        if target.inline_seen and set(source.inline) - set(target.inline):
            target.conflicts.append(f"two documents disagree about the inline policies of {target.name}")
        for name, document in source.inline.items():
            target.set_inline(name, document)
        if source.attached_seen:
            target.set_attached([{"PolicyArn": arn, "PolicyName": name} for arn, name in source.attached.items()])
        if source.groups_seen:
            target.set_groups(source.groups)
        target.set_boundary(source.boundary)
        target.boundary_seen = target.boundary_seen or source.boundary_seen
        target.tags += [tags for tags in source.tags if tags not in target.tags]
        target.set_trust(source.trust)
        target.conflicts += source.conflicts
        target.problems += source.problems
        account.listed_names = [(target if p is source else p, names) for p, names in account.listed_names]


def join(account: Account) -> None:
    """Join what names neither role nor policy, where there is exactly one that it can belong to.

    `list-attached-role-policies`, `list-role-policies` and `get-policy-version` do not repeat what they were asked
    for. A join by being the only candidate is said as a caveat; what disagrees with it proves nothing.
    """
    _merge_nameless(account)
    for principal, names in account.listed_names:
        principal.set_names(names)
    if len(account.principals) + len(account.waiting) != 1:
        return
    account.wake(account.waiting)
    (principal,) = account.principals.values()
    if len(account.loose_names) == 1:
        principal.set_names({str(n) for n in account.loose_names[0]})
    if len(account.loose_attached) == 1:
        principal.set_attached(account.loose_attached[0].get("AttachedPolicies"))
        account.joined_by_chance.append(
            f"the list of attached policies is taken for that of {principal.name}, "
            f"the only {principal.kind} in the export"
        )
    _join_version(account, principal)


def _join_version(account: Account, principal: Principal) -> None:
    """Take the only policy version for the only managed policy that it can belong to."""
    named = {*principal.attached, *({principal.boundary} if principal.boundary else ())}
    if len(account.loose_versions) != 1 or len(principal.attached) != 1 or len(named) != 1:
        return
    version = mapping(account.loose_versions[0])
    ((arn, name),) = principal.attached.items()
    if version.get("IsDefaultVersion") is True:
        account.keep(arn, f"policy {name}", text(version.get("VersionId")), version.get("Document"))
        account.joined_by_chance.append(f"the only policy version is taken for {arn}, the only attached policy")
