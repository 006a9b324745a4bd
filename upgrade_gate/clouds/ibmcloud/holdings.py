"""What IBM Cloud exports say about the service IDs that a cluster on IBM Cloud or Power VS uses.

Shapes: access policies v1 and v2, service IDs, roles per service, access groups, resource groups
(docs/facts/ibmcloud.md#exports). The verdicts follow docs/facts/ibmcloud.md#coverage. There is no live reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.clouds.contract.holdings import (
    WORST_FIRST,
    Coverage,
    CoverageResult,
    HeldGrants,
    PolicySize,
    unknown,
)
from upgrade_gate.clouds.ibmcloud import shapes
from upgrade_gate.clouds.ibmcloud.cover import INSTANCES, Fit, Reach, fit, may_contain, needed_attributes, role_actions
from upgrade_gate.clouds.ibmcloud.held import asks_for, in_policies
from upgrade_gate.clouds.shared import pages

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant, GrantType
    from upgrade_gate.clouds.contract.holdings import Document, VendorSet
    from upgrade_gate.clouds.ibmcloud.shapes import AccessPolicy


DEFAULT_TYPE: GrantType = "role"

_VPC = "the VPC is taken to be in the cluster's own resource group"
_ASK_ROLES = "ibmcloud iam roles --service … --output json"
_ASK_V2 = "ibmcloud iam service-policies … --api-version v2"


def recognises(body: Any) -> bool:
    """Return whether a parsed document has a shape that IBM Cloud's tools print."""
    return shapes.DIALECT.holds(body)


def build(documents: Sequence[Document], account: str | None, context: Context | None = None) -> IbmHoldings:
    """Build the holdings; `account` is the IBM Cloud account ID."""
    return IbmHoldings(shapes.DIALECT.read(documents), account, context)


def ccoctl_name(cluster: str, namespace: str, secret: str, request: str) -> str:
    """Return the name of the service ID that ccoctl makes (docs/facts/ibmcloud.md#ccoctl)."""
    del request
    return f"{cluster}-{namespace}-{secret}"


class _Sorted(Struct):
    """Policies of one service ID by how they reach the needed attributes."""

    whole: list[AccessPolicy] = field(default_factory=list)
    part: list[tuple[AccessPolicy, Fit]] = field(default_factory=list)
    uncertain: list[tuple[AccessPolicy, Fit]] = field(default_factory=list)
    elsewhere: list[tuple[AccessPolicy, Fit]] = field(default_factory=list)
    anyones: list[AccessPolicy] = field(default_factory=list)
    """Those that may be the service ID's: of an access group of unknown members, or of a subject not read."""
    hidden: list[AccessPolicy] = field(default_factory=list)
    """Placeholders of the service ID, whatever v1 prints as their targets."""


class IbmHoldings:
    """Everything that a set of documents says about IBM Cloud service IDs."""

    def __init__(self, reading: pages.Reading, account: str | None, context: Context | None = None) -> None:
        self._context = context
        self._cut_off = reading.cut_off
        self._unread = reading.unread.get("policies")
        self._empty = reading.empty
        self._has_policies = bool(reading.of("policies"))
        self._policies = _newest([shapes.policy(e) for e in reading.of("policies")])
        self._service_ids = [shapes.service_id(e) for e in reading.of("service IDs")]
        self._catalogues = [shapes.catalogue(e) for e in reading.of("roles")]
        self._groups = [shapes.group(e) for e in reading.of("access groups")]
        self._instances = [shapes.instance(e) for e in reading.of("instances")]
        self._resource_groups = [shapes.resource_group(e) for e in reading.of("resource groups")]
        named = [a for p in self._policies for a in p.attributes if a.name == "accountId"]
        seen = {a.value for a in named if a.value and a.operator == "stringEquals"}
        self._accounts = seen or {s.account for s in self._service_ids if s.account}
        self.account: str | None = account or (min(self._accounts) if len(self._accounts) == 1 else None)

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        """Decide one role within its attributes, in every needed resource group."""
        if self._cut_off:
            return unknown(self._cut_off)
        if grant.type != "role":
            return unknown(f"IBM Cloud has no grants of type {grant.type}")
        needed = needed_attributes(grant.scope)
        if needed is None:
            return unknown(f"the grant of {grant.permission} names no attributes that can be read")
        if not self._policies:
            if self._has_policies:
                return CoverageResult(Coverage.MISSING, "no policy in the export is active")
            if self._is_bare(identity):
                return CoverageResult(
                    Coverage.MISSING, f"service ID {identity} has no policy, and is in no access group"
                )
            return unknown("no access policies are in the export (ibmcloud iam service-policies)")
        iam_id = self._located(identity)
        if isinstance(iam_id, CoverageResult):
            return iam_id
        judged = [self._judge(iam_id, grant.permission, needed, group) for group in self._groups_of(needed, scopes)]
        worst = _worst(judged)
        if worst.verdict is Coverage.COVERED and self._is_vpc_open(needed):
            free = self._judge(iam_id, grant.permission, needed, None)  # covered there: the group does not matter
            worst = (
                worst if free.verdict is Coverage.COVERED else CoverageResult(Coverage.COVERED, worst.reason, (_VPC,))
            )
        if self._unread is not None and worst.verdict is not Coverage.COVERED:
            return worst.unless(self._unread)
        return worst

    def _is_bare(self, identity: str) -> bool:
        """Return whether empty lists answered the questions for a service ID's policies and its access groups."""
        own = (self.resolve(identity) or "").removeprefix("iam-")
        asked = (f"ibmcloud iam service-policies {own} ", f"ibmcloud iam access-groups -s {own} ")
        return all(any(one.startswith(start) for one in self._empty) for start in asked)

    def _groups_of(self, needed: Mapping[str, str], scopes: Sequence[str]) -> tuple[str | None, ...]:
        """Return the resource groups that a policy must reach for what is needed; None for one that is not known."""
        service, context = needed.get("serviceName", ""), self._context
        if service in INSTANCES:
            return (self._group_of_instance(service),)
        own = [context.resource_group_id] if context and context.resource_group_id else list(scopes)
        if service == "is" and own and context and context.vpc_group:
            own.append(context.vpc_group)
        return tuple(dict.fromkeys(self._group_id(one) if one else None for one in own)) or (None,)

    def _group_of_instance(self, service: str) -> str | None:
        """Return the resource group of the cluster's instance of a service, None where it is not known."""
        context = self._context
        if context is None:
            return None
        dns = service == "dns-svcs"
        given = context.dns_instance_group if dns else context.cis_instance_group
        if given:
            return self._group_id(given)
        crn = context.dns_instance if dns else context.cis_instance
        found = {one.group for one in self._instances if one.crn == crn}
        return found.pop() if len(found) == 1 else None

    def _is_vpc_open(self, needed: Mapping[str, str]) -> bool:
        """Return whether the VPC's own resource group counts and is not known."""
        return self._context is not None and not self._context.vpc_group and needed.get("serviceName") == "is"

    def _located(self, identity: str) -> str | CoverageResult:
        """Return the IAM ID of an identity of the cluster's account, or why that cannot be told."""
        seen = ", ".join(sorted(self._accounts))
        if self.account is None and len(self._accounts) > 1:
            return unknown(f"the export speaks of several accounts ({seen}) and the cluster's is not known")
        if self.account and self._accounts and self.account not in self._accounts:
            return unknown(f"wrong account: the export speaks of account {seen}, the cluster is in {self.account}")
        how = "ibmcloud iam service-ids"
        return self.resolve(identity) or unknown(f"the IAM ID of service ID {identity} is not in the export ({how})")

    def _group_id(self, scope: str) -> str:
        """Return the ID of a resource group that is given by ID or, where the export joins them, by name."""
        named = {g.id for g in self._resource_groups if g.name == scope}
        return named.pop() if len(named) == 1 else scope

    def resolve(self, identity: str) -> str | None:
        """Return the IAM ID (`iam-ServiceId-…`) of an identity, None where the documents do not join them."""
        spelt = identity.strip()
        if spelt.startswith("iam-"):
            return spelt
        found = {s.iam_id for s in self._service_ids if spelt and spelt in (s.id, s.name)}
        if len(found) == 1:
            return found.pop()
        return f"iam-{spelt}" if spelt.startswith("ServiceId-") and not found else None

    def _judge(self, iam_id: str, role: str, needed: Mapping[str, str], group: str | None) -> CoverageResult:
        found = self._sort(iam_id, needed, group)
        actions = role_actions(self._catalogues, needed)
        shown = ", ".join(f"{name}={value}" for name, value in needed.items())
        holder = _holder(found.whole, role)
        if holder is not None:
            return CoverageResult(Coverage.COVERED, f"{holder.label} gives {role} for {shown}")
        by_actions = _by_actions(found.whole, role, actions)
        if by_actions:
            return CoverageResult(Coverage.COVERED, f"{by_actions} give every action of {role} for {shown}")
        doubt = self._unknown(role, found, actions)
        if doubt:
            return unknown(doubt)
        partly = [p for p, _ in found.part]
        if _holder(partly, role) is not None or _by_actions([*found.whole, *partly], role, actions):
            policy, limit = next(((p, f) for p, f in found.part if role in p.roles), found.part[0])
            return CoverageResult(Coverage.NARROWER, f"{policy.label} gives {role} and {limit.detail}")
        return self._absent(iam_id, role, shown, found, actions)

    def _sort(self, iam_id: str, needed: Mapping[str, str], group: str | None) -> _Sorted:
        found = _Sorted()
        for policy in self._policies:
            member = iam_id in policy.iam_ids or self._member(policy, iam_id)
            if member is False:
                continue
            one = fit(policy, needed, self.account, group)
            if member is None:
                if policy.placeholder or one.reach in (Reach.WHOLE, Reach.PART, Reach.UNCERTAIN):
                    found.anyones.append(policy)
                continue
            if policy.placeholder:
                found.hidden.append(policy)
            match one.reach:
                case Reach.WHOLE:
                    found.whole.append(policy)
                case Reach.PART:
                    found.part.append((policy, one))
                case Reach.UNCERTAIN:
                    found.uncertain.append((policy, one))
                case Reach.NONE | Reach.FOREIGN:
                    found.elsewhere.append((policy, one))
        return found

    def _member(self, policy: AccessPolicy, iam_id: str) -> bool | None:
        """Return whether an access group's policy serves the service ID, None where its members are not known."""
        if policy.ownerless:
            return None
        if not policy.groups:
            return False
        listed = [g for g in self._groups if g.id in policy.groups and g.listed]
        if any(iam_id in g.members for g in listed):
            return True
        return False if {g.id for g in listed} >= set(policy.groups) else None

    def _unknown(self, role: str, found: _Sorted, actions: Mapping[str, frozenset[str]] | None) -> str:
        """Return what could still make it COVERED, empty when nothing could."""
        for policy in found.whole:
            for held in () if policy.placeholder else policy.roles:
                if _undecided(held, role, actions):
                    higher = f"{policy.label} gives {held}, which may be a higher role"
                    need = "needs the actions of the service's roles"
                    return f"{higher}; whether it contains {role} {need} ({_ASK_ROLES})"
        if found.hidden:
            return f"{found.hidden[0].label} is a placeholder for a policy that only v2 can show ({_ASK_V2})"
        for policy, limit in found.uncertain:
            if role in policy.roles or any(_undecided(held, role, actions) for held in policy.roles):
                return f"{policy.label} {limit.detail}"
        if _by_actions([*found.whole, *(p for p, _ in found.uncertain)], role, actions):
            return f"{found.uncertain[0][0].label} {found.uncertain[0][1].detail}"
        return ""

    def _absent(
        self, iam_id: str, role: str, shown: str, found: _Sorted, actions: Mapping[str, frozenset[str]] | None
    ) -> CoverageResult:
        for policy in found.anyones:
            if role in policy.roles or any(_undecided(h, role, actions) for h in policy.roles):
                if policy.ownerless:
                    return unknown(f"{policy.label} does not say whose it is, so it may give it")
                reason = f"{policy.label} may give it through access group {', '.join(policy.groups)}"
                return unknown(f"{reason}, whose members are not in the export")
        doubtful = [p for p, _ in (*found.part, *found.uncertain)]
        if _by_actions([*found.whole, *doubtful], role, actions):
            policy, limit = found.uncertain[0]
            return unknown(f"{policy.label} {limit.detail}")
        for policy, limit in found.part:
            higher = next((held for held in policy.roles if _undecided(held, role, actions)), None)
            if higher is not None:
                return unknown(
                    f"{policy.label} {limit.detail} and gives {higher}, which may be a higher role ({_ASK_ROLES})"
                )
        if found.whole:
            held = ", ".join(sorted({r for p in found.whole for r in p.roles}))
            return CoverageResult(Coverage.MISSING, f"{found.whole[0].label} reaches {shown} without {role}: {held}")
        near = next(((p, f) for p, f in found.elsewhere if role in p.roles), None)
        if near is not None:
            return CoverageResult(Coverage.MISSING, f"{near[0].label} gives {role} and {near[1].detail}, not {shown}")
        if found.part:
            policy, limit = found.part[0]
            return CoverageResult(Coverage.MISSING, f"{policy.label} {limit.detail} and does not give {role}")
        return CoverageResult(Coverage.MISSING, f"no policy of {iam_id} in the export gives {role} for {shown}")

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
        """Return UNKNOWN: IBM service IDs have API keys, and trust no issuer."""
        del issuer, subjects
        return unknown(f"service ID {identity} is used by API key: IBM Cloud has no token form")

    def held(self, identity: str) -> HeldGrants | CoverageResult:
        """Return every role of the access policies of a service ID and of its access groups."""
        iam_id = unknown(self._cut_off) if self._cut_off else self._located(identity)
        if isinstance(iam_id, CoverageResult):
            return iam_id
        serving = ((p, True if iam_id in p.iam_ids else self._member(p, iam_id)) for p in self._policies)
        held = in_policies((policy, bool(member)) for policy, member in serving if member is not False)
        return replace(held, unseen=(*held.unseen, self._unread)) if self._unread else held

    def asks_for(self, required: Sequence[Grant], held: Grant) -> bool:
        """Return whether what is required contains a held role."""
        return asks_for(required, held)

    def vendor_sets(self, identity: str, releases: Sequence[Sequence[Grant]]) -> tuple[VendorSet, ...]:
        """Return nothing: no vendor's sets of this cloud are known."""
        del identity, releases
        return ()

    def find_by_ccoctl_name(self, name: str) -> str | None:
        """Return the IAM ID of the one service ID of that name."""
        found = {s.iam_id for s in self._service_ids if s.name == name}
        return found.pop() if len(found) == 1 else None

    def sizes(self, identity: str, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        """Return no limit: a policy holds a handful of roles."""
        del identity, required
        return ()


def _newest(policies: Sequence[AccessPolicy]) -> list[AccessPolicy]:
    """Return active policies; the v2 form of a policy replaces what v1 prints of it.

    A policy that two documents show differently may be either: its reach cannot be told. One listing shows one moment.
    """
    kept: list[AccessPolicy] = []
    shown: dict[str, list[AccessPolicy]] = {}
    for policy in policies:
        if policy.id:
            shown.setdefault(policy.id, []).append(policy)
        elif policy.active:
            kept.append(policy)
    for forms in shown.values():
        best = [p for p in forms if p.v2] or forms
        known: dict[int, list[AccessPolicy]] = {}
        for one in best:
            known.setdefault(one.document, []).append(replace(one, origin="", document=0))
        first, *others = known.values()
        alike = all(other == first for other in others) and all(_agree(one, best) for one in forms)
        doubt = "" if alike else "is shown differently by two documents"
        kept += [replace(p, unread=p.unread or doubt) for p in best if p.active]
    return kept


def _agree(form: AccessPolicy, best: Sequence[AccessPolicy]) -> bool:
    """Return whether a form of a policy says what one of the best does, as far as it can say it."""
    active, said = form.active, {*form.roles, *form.attributes}
    return any(active == one.active and (form.placeholder or said == {*one.roles, *one.attributes}) for one in best)


def _holder(policies: Sequence[AccessPolicy], role: str) -> AccessPolicy | None:
    return next((p for p in policies if role in p.roles), None)


def _by_actions(policies: Sequence[AccessPolicy], role: str, actions: Mapping[str, frozenset[str]] | None) -> str:
    """Return the held roles whose actions together contain the needed role's, empty where that is not shown."""
    if actions is None or not actions.get(role):
        return ""
    held = sorted({r for p in policies for r in p.roles if actions.get(r, frozenset()) & actions[role]})
    union = frozenset().union(*(actions[r] for r in held))
    return ", ".join(held) if union >= actions[role] else ""


def _undecided(held: str, role: str, actions: Mapping[str, frozenset[str]] | None) -> bool:
    """Return whether a held role might contain the needed one for all that is known."""
    if actions is not None and role in actions and held in actions:
        return False
    return may_contain(held, role)


def _worst(judged: Sequence[CoverageResult]) -> CoverageResult:
    """Return the judgement over all resource groups: held in one and missing in another is NARROWER."""
    verdicts = {j.verdict for j in judged}
    worst = min(judged, key=lambda j: WORST_FIRST.index(j.verdict))
    if worst.verdict is Coverage.MISSING and verdicts & {Coverage.COVERED, Coverage.NARROWER}:
        reason = f"only in some resource groups: {worst.reason}"
        partly = verdicts == {Coverage.COVERED, Coverage.MISSING}
        return CoverageResult(Coverage.NARROWER, reason, partly_missing=partly)
    return worst
