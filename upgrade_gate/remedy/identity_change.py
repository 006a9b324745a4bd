"""Which identities need work, and how much: open findings joined with what the releases require of each identity.

Requests that share a secretRef share its identity, and so do Secrets that one identity serves: a policy that is
written replaces the one before, so every document must hold the union of them all, and until the upgrade is complete
also what the running release needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base.facts import Known
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.clouds.contract import remedy
from upgrade_gate.clouds.contract.grants import cloud_of
from upgrade_gate.clouds.contract.holdings import Coverage, ccoctl_name
from upgrade_gate.clouds.contract.remedy import ClusterNames, HeldNarrowly, IdentityChange, Subject
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.scopes import request_scopes
from upgrade_gate.gate.findings import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import WeighedFinding
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.selection import Selection

GRANT_RULES = frozenset(
    {
        "permission-added",
        "permission-widened",
        "identity-lacks-permission",
        "identity-narrower",
        "root-credential-insufficient",
    }
)
NEW_RULES = frozenset({"request-added", "secret-moved", "provider-kind-changed"})
TRUST_RULES = frozenset({"service-accounts-added", "identity-trust-lacks-subject"})
SECRET_RULES = frozenset({"secret-missing", "secret-incomplete", "token-path-changed"})
SIGHT_RULES = frozenset({"identity-unknown"})
CLEAN_UP_RULES = frozenset({"permission-removed", "permission-narrowed", "service-accounts-removed"})


_OF_ROOT = GRANT_RULES | SIGHT_RULES | {"request-added"}


def changes(situation: Situation, judged: Iterable[WeighedFinding], names: ClusterNames) -> tuple[IdentityChange, ...]:
    """Return one change for each identity that an open finding is about, sorted by its first Secret."""
    if not situation.hops:
        return ()
    return _Assembly(situation, [j.finding for j in judged if j.status is Status.OPEN], names.ccoctl_name).changes()


class _Identity(Struct, frozen=True):
    """One identity: the Secrets that it serves, and who knows its name."""

    key: str
    name: str | None
    secrets: tuple[SecretRef, ...]


class _Asked(Struct):
    """What the open findings ask of one identity."""

    grants: list[tuple[CredentialsRequest, Grant]] = field(default_factory=list)
    unjudged: list[tuple[CredentialsRequest, Grant]] = field(default_factory=list)
    """Nothing shows that these are missing: they are never granted, only looked at."""
    subjects: list[tuple[CredentialsRequest, str]] = field(default_factory=list)
    gone_subjects: list[Subject] = field(default_factory=list)
    new: bool = False
    secret: bool = False
    clean_up: bool = False


class _Missing(Struct):
    """What the asked grants of one identity come to."""

    sighted: bool = False
    lacking: list[Grant] = field(default_factory=list)
    denials: dict[str, None] = field(default_factory=dict)
    unseen: dict[str, None] = field(default_factory=dict)
    narrower: dict[str, HeldNarrowly] = field(default_factory=dict)


class _Assembly:
    """Joins findings with requirements."""

    def __init__(self, situation: Situation, findings: Sequence[Finding], ccoctl_name: str | None) -> None:
        self._situation = situation
        self._ccoctl_name = ccoctl_name
        self._findings = findings
        self._selections: tuple[Selection, ...] = (
            situation.hops[0].old_selection,
            *(hop.new_selection for hop in situation.hops),
        )

    def changes(self) -> tuple[IdentityChange, ...]:
        asked: dict[str, _Asked] = {}
        for finding in self._findings:
            self._ask(finding, asked)
        found = [c for key, asks in asked.items() if (c := self._change(self._identities[key], asks)) is not None]
        labels = remedy.file_names({str(c.secrets[0]): c.label for c in found})
        named = [replace(c, label=labels[str(c.secrets[0])]) for c in found]
        return tuple(sorted(named, key=lambda c: c.secrets))

    @cached_property
    def _root(self) -> SecretRef | None:
        traits = self._situation.platform_traits
        return traits.root if traits else None

    @cached_property
    def _identities(self) -> Mapping[str, _Identity]:
        """Return every identity by its key: what it is called, in one spelling, else its Secret.

        Two access keys of one user write the user's policies: two changes would overwrite each other's.
        """
        proof = self._situation.proof
        secrets: dict[SecretRef, str | None] = {}
        keys: dict[SecretRef, str] = {}
        for selection in self._selections:
            for selected in selection.requests.values():
                request = selected.request
                if not secrets.get(request.secret):
                    name = secrets[request.secret] = self._name_of(request)
                    keys[request.secret] = proof.resolved(request.provider_kind, name) if name else ""
        if self._situation.mode is Mode.PASSTHROUGH and self._root is not None:
            name = next((n for n in secrets.values() if n), None)
            return {"root": _Identity("root", name, (self._root,))}
        found: dict[str, list[SecretRef]] = {}
        for secret in secrets:
            found.setdefault(keys[secret] or f"Secret {secret}", []).append(secret)
        identities = {
            key: _Identity(key, secrets[group[0]], tuple(sorted(group))) for key, group in sorted(found.items())
        }
        if self._root is not None:
            identities["root"] = _Identity("root", None, (self._root,))
        return identities

    def _name_of(self, request: CredentialsRequest) -> str | None:
        identity = self._situation.proof.identity_of(request)
        return identity.id if identity is not None else None

    def _key_of(self, secret: SecretRef | None) -> str | None:
        if self._situation.mode is Mode.PASSTHROUGH:
            return "root" if self._root is not None else None
        return next((key for key, identity in self._identities.items() if secret in identity.secrets), None)

    def _request_of(self, finding: Finding) -> CredentialsRequest | None:
        """Return the request that a finding is about, as the release that it leads to has it."""
        hops = self._situation.hops
        first = hops[finding.hop] if finding.hop < len(hops) else hops[-1]
        for selection in (first.new_selection, *(s for s in reversed(self._selections))):
            selected = selection.requests.get(finding.request or "")
            if selected is not None:
                return selected.request
        return None

    def _ask(self, finding: Finding, asked: dict[str, _Asked]) -> None:
        rule, mode = finding.rule, self._situation.mode
        by_hand = mode.by_hand
        if rule == "root-credential-insufficient":
            self._ask_of_root(finding, asked)
            return
        request = self._request_of(finding)
        if request is None or not (by_hand or (mode is Mode.PASSTHROUGH and rule in _OF_ROOT)):
            return
        key = self._key_of(request.secret)
        if key is None or not rule_asks(rule):
            return
        asks = asked.setdefault(key, _Asked())
        if rule in GRANT_RULES | NEW_RULES:
            asks.grants += [(request, g.grant) for g in finding.grants if g.covered_by is None]
        if rule in SIGHT_RULES:
            asks.unjudged += [(request, g.grant) for g in finding.grants]
        if rule in NEW_RULES:
            asks.subjects += [(request, account) for account in request.service_accounts]
            asks.new = asks.new or self._is_new(request)
        if rule in TRUST_RULES and isinstance(finding.content, list):
            asks.subjects += [(request, account) for account in finding.content if isinstance(account, str)]
        if rule in NEW_RULES | SECRET_RULES:
            asks.secret = True
        if rule == "service-accounts-removed" and isinstance(finding.content, list):
            asks.gone_subjects += [Subject(request.secret.namespace, str(account)) for account in finding.content]

    def _ask_of_root(self, finding: Finding, asked: dict[str, _Asked]) -> None:
        request = next((s.request for s in self._selections[-1].requests.values()), None)
        if self._root is None or request is None:
            return
        asks = asked.setdefault("root", _Asked())
        asks.grants += [(request, g.grant) for g in finding.grants]

    def _is_new(self, request: CredentialsRequest) -> bool:
        """Return whether the identity must be made: its Secret is new, and nothing names what serves it."""
        used = {s.request.secret for s in self._selections[0].requests.values()}
        return request.secret not in used and self._name_of(request) is None

    def _change(self, identity: _Identity, asks: _Asked) -> IdentityChange | None:
        situation = self._situation
        root = identity.key == "root"
        everything = root and situation.mode is Mode.PASSTHROUGH
        old = self._requests(self._selections[0], identity, everything)
        last = self._requests(self._selections[-1], identity, everything)
        between = [r for s in self._selections[1:] for r in self._requests(s, identity, everything)]
        newest = last or between or old or tuple(r for r, _ in asks.grants)
        if not newest:
            return None
        kind = newest[0].provider_kind
        cloud = cloud_of(kind)
        target = _union(last)
        before = _union((*old, *between))
        gone = tuple(g for g in before if cloud is not None and cloud.covering(target, g) is None) if target else ()
        if root and not everything:
            target = before = _distinct(kind, [grant for _, grant in asks.grants])
            gone = ()
        found = self._missing(asks, at_root=root and not everything)
        first = last[0] if last else newest[0]
        served = last or between
        by_release = [self._requests(s, identity, everything) for s in self._selections]
        served_last = {*_subjects(last)}
        gone_subjects = tuple(sorted({one for one in asks.gone_subjects if one not in served_last}))
        delta = before if asks.new else _distinct(kind, found.lacking)
        return IdentityChange(
            kind=kind,
            label=f"{identity.secrets[0].namespace}-{identity.secrets[0].name}",
            secrets=identity.secrets,
            requests=tuple(r.id for r in served),
            components=tuple(r.name for r in served),
            token_path=next((r.token_path for r in served if r.token_path), None),
            identity=identity.name,
            ccoctl=None if root else self._ccoctl(first),
            before=before,
            target=target,
            delta=delta,
            gone=gone,
            over=_last_user(by_release, kind, gone, gone_subjects),
            spans=tuple((g, *_span(by_release, kind, g)) for g in delta) if len(by_release) > 2 else (),
            subjects=_subjects(served),
            untrusted=self._untrusted(asks),
            gone_subjects=gone_subjects,
            create=asks.new,
            root=root,
            scopes=self._scopes(newest),
            denials=tuple(found.denials),
            unseen=tuple(sorted(found.unseen)),
            sighted=found.sighted and not asks.new,
            narrower=() if asks.new else tuple(found.narrower.values()),
            asked=tuple((r.name, _union([r])) for r in served),
        )

    def _requests(self, selection: Selection, identity: _Identity, everything: bool) -> tuple[CredentialsRequest, ...]:
        found = (s.request for s in selection.requests.values())
        return tuple(r for r in found if everything or r.secret in identity.secrets)

    def _missing(self, asks: _Asked, *, at_root: bool) -> _Missing:
        """Return what the findings ask for, without what is proven to be held; what denies any; what was not seen.

        A grant of which nothing shows that it is missing is not granted again, nor is one that is held narrowly.
        """
        proof = self._situation.proof.at_root() if at_root else self._situation.proof
        found = _Missing(any(proof.sees(request) for request, _ in asks.grants))
        for request, grant in (*asks.grants, *asks.unjudged):
            if grant.effect not in (None, "Allow"):
                continue
            (_, result), *_rest = proof.grants(request, [grant])
            if result.verdict is Coverage.DENIED:
                found.denials[f"{grant.permission}: {result.reason}"] = None
            if result.verdict is Coverage.UNKNOWN and proof.sees(request) and (result.doubt or not asks.new):
                found.unseen[result.unsettled] = None
            elif result.verdict is Coverage.NARROWER and not result.partly_missing:
                found.narrower[grant.canonical] = HeldNarrowly(grant, result.reason)
            elif result.verdict is not Coverage.COVERED and (request, grant) not in asks.unjudged:
                found.lacking.append(grant)
        return found

    def _untrusted(self, asks: _Asked) -> tuple[Subject, ...]:
        situation = self._situation
        if not situation.credentials.may_need_trust or not situation.mode.by_hand:
            return ()
        return tuple(
            sorted(
                {
                    Subject(request.secret.namespace, account)
                    for request, account in asks.subjects
                    if situation.proof.trust(request, [account]).verdict is not Coverage.COVERED
                }
            )
        )

    def _ccoctl(self, request: CredentialsRequest) -> str | None:
        name = self._ccoctl_name
        if not name:
            return None
        return ccoctl_name(request.provider_kind, name, request.secret.namespace, request.secret.name, request.name)

    def _scopes(self, requests: Sequence[CredentialsRequest]) -> tuple[str, ...] | None:
        cluster = self._situation.cluster
        if cluster is None:
            return None
        found: dict[str, None] = {}
        for request in requests:
            scopes = request_scopes(cluster, request.provider_kind, request.name)
            if not isinstance(scopes, Known):
                return None
            found.update(dict.fromkeys(scopes.value))
        return tuple(found)


def _last_user(
    by_release: Sequence[Sequence[CredentialsRequest]],
    kind: str,
    grants: Sequence[Grant],
    subjects: Iterable[Subject],
) -> int:
    """Return the place on the path of the last release that needs any of these, 0 where it is the first or none."""
    users = [_users(by_release, kind, grant) for grant in grants]
    users += [[i for i, asked in enumerate(by_release) if subject in _subjects(asked)] for subject in subjects]
    return max((place for places in users for place in places), default=0)


def _users(by_release: Sequence[Sequence[CredentialsRequest]], kind: str, grant: Grant) -> list[int]:
    """Return the places on the path of the releases whose requests ask for a grant."""
    cloud = cloud_of(kind)
    return [i for i, asked in enumerate(by_release) if cloud is not None and cloud.covering(_union(asked), grant)]


def _span(by_release: Sequence[Sequence[CredentialsRequest]], kind: str, grant: Grant) -> tuple[int, int | None]:
    """Return the update that brings a grant, and the one that ends it; None where the last release asks for it."""
    users = _users(by_release, kind, grant)
    first, last = (users[0], users[-1]) if users else (0, len(by_release) - 1)
    return max(first - 1, 0), None if last == len(by_release) - 1 else last


def rule_asks(rule: str) -> bool:
    """Return whether a rule asks for work at an identity or its Secret."""
    return rule in GRANT_RULES | NEW_RULES | TRUST_RULES | SECRET_RULES | SIGHT_RULES | CLEAN_UP_RULES


def _union(requests: Iterable[CredentialsRequest]) -> tuple[Grant, ...]:
    listed = list(requests)
    kind = listed[0].provider_kind if listed else ""
    return _distinct(kind, [grant for request in listed for grant in request.grants])


def _distinct(kind: str, grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return grants each once by their cloud's notion of sameness, sorted as they are spelt."""
    cloud = cloud_of(kind)
    once: dict[object, Grant] = {}
    for grant in sorted(grants, key=lambda g: g.canonical):
        once.setdefault(cloud.identity(grant) if cloud else grant.canonical, grant)
    return tuple(once.values())


def _subjects(requests: Iterable[CredentialsRequest]) -> tuple[Subject, ...]:
    found = {Subject(r.secret.namespace, a) for r in requests for a in r.service_accounts}
    return tuple(sorted(found))
