"""What Azure exports, and Azure itself, say about the principals that a cluster uses.

Shapes: role assignments, role definitions, deny assignments, managed identities, service principals, federated
credentials (docs/facts/azure.md#exports). The verdicts follow docs/facts/azure.md#coverage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.clouds.azure import shapes
from upgrade_gate.clouds.azure.cover import PLANES, Held, at_scope, by_table, denied, want_of, worst
from upgrade_gate.clouds.azure.held import asks_for, in_roles
from upgrade_gate.clouds.azure.members import Members, may_be_group
from upgrade_gate.clouds.azure.roles import Role, Roles
from upgrade_gate.clouds.azure.scopes import (
    Needed,
    Reach,
    is_above_subscriptions,
    is_at_subscription_or_above,
    needed_scopes,
    reach,
)
from upgrade_gate.clouds.azure.trust import is_bare, judge_trust
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, HeldGrants, PolicySize, unknown
from upgrade_gate.clouds.shared import pages
from upgrade_gate.clouds.shared.patterns import Patterns

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant, GrantType
    from upgrade_gate.clouds.contract.holdings import Document, VendorSet


DEFAULT_TYPE: GrantType = "permission"

_EVERYONE = "00000000-0000-0000-0000-000000000000"
"""The principal of a deny assignment that applies to all principals."""
_NO_DENY_LIST = "deny assignments are not in the export (az rest …/denyAssignments)"
_LIST_ALL = "az role assignment list --all --include-inherited"
_INHERITED = f"nothing assigned above the subscription is in the export: {_LIST_ALL}"
_NOT_ALL = f"nothing assigned at a resource group is in the export: {_LIST_ALL}"


def recognises(body: Any) -> bool:
    """Return whether a parsed document has a shape that Azure's tools print."""
    return shapes.DIALECT.holds(body)


def build(documents: Sequence[Document], account: str | None, context: Context | None = None) -> AzureHoldings:
    """Build the holdings; `account` is the cluster's subscription ID."""
    del context
    return AzureHoldings(shapes.DIALECT.read(documents), account)


def ccoctl_name(cluster: str, namespace: str, secret: str, request: str) -> str:
    """Return the name of the managed identity that ccoctl makes (docs/facts/azure.md#ccoctl)."""
    del request
    return f"{cluster}-{namespace}-{secret}"[:128]


class AzureHoldings:
    """Everything that a set of documents says about Azure principals."""

    def __init__(self, reading: pages.Reading, account: str | None) -> None:
        self._cut_off = reading.cut_off
        self._unread = reading.unread
        self._empty = reading.empty
        self._lists_all = any(one.startswith(f"{_LIST_ALL} ") for one in reading.asked)
        self._assignments = [shapes.assignment(e) for e in reading.of("role assignments")]
        definitions = [shapes.definition(e) for e in reading.of("role definitions")]
        self._roles = Roles(definitions)
        self._has_denies = shapes.DENY_LISTING in reading.listings or bool(reading.of("deny assignments"))
        self._denies = [shapes.deny(e) for e in reading.of("deny assignments")]
        self._identities = [shapes.identity(e) for e in reading.of("identities")]
        self._federated = [shapes.federated(e) for e in reading.of("federated credentials")]
        self._persons = {i.principal for i in self._identities}
        self._members = Members(reading.of("group members"), self._assignments, self._persons)
        named = {a.subscription for a in self._assignments if a.subscription}
        named = named or {d.subscription for d in definitions if d.subscription}
        self._subscriptions = named or {s for i in self._identities if (s := shapes.subscription_of(i.id))}
        self._held: dict[str, list[Held]] = {}
        self._wanted = account.strip().rpartition("/")[2] if account else ""
        self.account: str | None = self._wanted or (min(named) if len(named) == 1 else None)

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        """Decide one grant for a client ID or `principal:ID` at every needed resource group.

        Without scopes only an assignment at the subscription or above covers: an unknown scope never covers.
        """
        if self._cut_off:
            return unknown(self._cut_off)
        needed = needed_scopes(self._scopes_of(grant, scopes), (self.account or "").casefold())
        wrong = self._wrong_account(needed)
        if wrong:
            return unknown(wrong)
        principal = self._principal(identity)
        if isinstance(principal, CoverageResult):
            return principal
        if any(i.disabled for i in self._identities if i.principal == principal):
            return CoverageResult(
                Coverage.MISSING, f"service principal {principal} is disabled: none of its roles works"
            )
        if not self._assignments and not self._lists_all:
            return unknown(f"no role assignments are in the export ({_LIST_ALL})")
        held = self._held_by(principal)
        if grant.type == "roleBinding":
            judgement = worst([self._judge_role(principal, grant.permission, held, one) for one in needed])
        elif grant.type in PLANES:
            want = want_of(grant.permission, Patterns((shapes.fold(grant.permission),)), grant.type)
            denies = self._denies_for(principal)
            judgement = worst([self._seen(at_scope(want, held, denies, one), one) for one in needed])
        else:
            return unknown(f"Azure has no grants of type {grant.type}")
        return self._explain(judgement, principal, held)

    def _scopes_of(self, grant: Grant, scopes: Sequence[str]) -> tuple[str, ...]:
        if isinstance(grant.scope, str) and grant.scope.strip():
            return (grant.scope.strip(),)
        return tuple(scopes)

    def _seen(self, judgement: CoverageResult, needed: Needed) -> CoverageResult:
        """Return UNKNOWN for a scope in a subscription that the export does not speak of, unless it is denied."""
        if judgement.verdict is Coverage.DENIED or not needed.subscription:
            return judgement
        if needed.subscription in self._subscriptions or needed.subscription == self._wanted.casefold():
            return judgement
        return unknown(f"the export says nothing about subscription {needed.subscription}, where {needed.spelt} is")

    def _wrong_account(self, needed: Sequence[Needed]) -> str:
        """Return why the export says nothing about this cluster's subscription, empty when it does."""
        wanted = {self._wanted.casefold()} - {""}
        if not wanted:
            if len(self._subscriptions) > 1 and any(not n.subscription for n in needed):
                seen = ", ".join(sorted(self._subscriptions))
                return f"the export speaks of several subscriptions ({seen}) and the cluster's is not known"
            return ""
        wanted |= {n.subscription for n in needed}
        if self._subscriptions and not self._subscriptions & wanted:
            seen = ", ".join(sorted(self._subscriptions))
            return f"wrong account: the export speaks of subscription {seen}, the cluster is in {self._wanted}"
        return ""

    def _principal(self, identity: str) -> str | CoverageResult:
        """Return the folded principal ID of an identity, or UNKNOWN with the join that is missing."""
        spelt = identity.strip()
        folded = spelt.casefold()
        named = folded.removeprefix(shapes.PRINCIPAL).strip()
        if not named or named != folded:
            return named or unknown(f"identity {identity!r} names no principal")
        found = {i.principal for i in self._identities if folded in (i.client, i.id) and i.principal}
        found = found or {a.principal for a in self._assignments if a.principal and a.principal_name == folded}
        if len(found) == 1:
            return found.pop()
        if found:
            return unknown(f"client ID {spelt} belongs to {len(found)} principals in the export")
        principals = {i.principal for i in self._identities} | {a.principal for a in self._assignments}
        if folded in principals:
            return unknown(f"{spelt} is a principal ID, not a client ID: write it as principal:{spelt}")
        how = "az identity list, az ad sp list"
        return unknown(f"which principal client ID {spelt} belongs to is not in the export ({how})")

    def _held_by(self, principal: str) -> list[Held]:
        """Return the assignments that may serve a principal; a gate asks for many grants of each."""
        if principal in self._held:
            return self._held[principal]
        held = self._held[principal] = []
        for one in self._assignments:
            foreign = self._wanted and one.subscription not in ("", self._wanted.casefold())
            if foreign and not shapes.subscription_of(one.scope):
                continue  # listed for another subscription: its management groups need not be ours
            member: bool | None = one.principal == principal
            if not member:
                member = self._members.has(one, principal)
            if member is not False:
                held.append(Held(one, self._roles.by_id(one.role, one.role_name), member))
        return held

    def _denies_for(self, principal: str) -> list[tuple[shapes.Deny, bool | None]]:
        return [(one, self._applies(one, principal)) for one in self._denies]

    def _applies(self, one: shapes.Deny, principal: str) -> bool | None:
        """Return whether a deny assignment applies to a principal; None where a group's members are not known."""
        named = self._among(one.principals, principal)
        if named is False:
            return False
        excluded = self._among(one.excluded, principal)
        if excluded is True:
            return False
        return None if None in (named, excluded) else True

    def _among(self, principals: Iterable[tuple[str, str]], principal: str) -> bool | None:
        answer: bool | None = False
        for identifier, kind in principals:
            if identifier in (principal, _EVERYONE) or kind == "everyone":
                return True
            if not identifier:
                answer = None
            elif may_be_group(kind) and identifier not in self._persons:
                member = self._members.in_group(identifier, principal)
                if member:
                    return True
                answer = None if member is None else answer
        return answer

    def _judge_role(self, principal: str, name: str, held: Sequence[Held], needed: Needed) -> CoverageResult:
        """Decide a role binding: by what the role's definition allows on both planes, else by the role's ID alone."""
        role = self._roles.by_name(name)
        denies = self._denies_for(principal)
        wants = [
            want_of(role.name, part, kind)
            for permissions in (role.permissions if role.whole else ())
            for kind, part in (("permission", permissions.control), ("dataPermission", permissions.data))
            if part.allows
        ]
        if not wants:
            everything = [want_of(role.name, Patterns(("*",)), kind) for kind in PLANES]
            forbidden = [d for want in everything if (d := denied(want, denies, needed)) is not None]
            return self._seen(_role_itself(role, held, needed, forbidden), needed)
        judgement = self._seen(worst([at_scope(want, held, denies, needed) for want in wants]), needed)
        if role.dated and judgement.verdict is Coverage.COVERED:
            caveats = dict.fromkeys((*judgement.caveats, by_table(role.dated)))
            return CoverageResult(judgement.verdict, judgement.reason, tuple(caveats))
        return judgement

    def _explain(self, judgement: CoverageResult, principal: str, held: Sequence[Held]) -> CoverageResult:
        covered = judgement.verdict is Coverage.COVERED
        unread = self._unread.get("deny assignments" if covered else "role assignments")
        if unread is not None and judgement.verdict is not Coverage.DENIED:
            return judgement.unless(unread)
        if covered and not self._has_denies:
            return CoverageResult(judgement.verdict, judgement.reason, (*judgement.caveats, _NO_DENY_LIST))
        if judgement.verdict is not Coverage.MISSING:
            return judgement
        reason = judgement.reason if held else f"no role assignment in the export names principal {principal}"
        hint = self._partial_listing()
        return CoverageResult(Coverage.MISSING, f"{reason} ({hint})" if hint else reason)

    def _partial_listing(self) -> str:
        """Return why the listing may not be of everything that is assigned; it does not say how it was made.

        Without `--all` nothing at or below a resource group is printed, without `--include-inherited` nothing above.
        """
        if self._lists_all:
            return ""
        if all(is_at_subscription_or_above(a.scope) for a in self._assignments):
            return _NOT_ALL
        return "" if any(is_above_subscriptions(a.scope) for a in self._assignments) else _INHERITED

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
        """Decide whether the identity's federated credentials carry the issuer and every subject, with case."""
        if self._cut_off:
            return unknown(self._cut_off)
        folded = identity.strip().casefold().removeprefix(shapes.PRINCIPAL)
        owners = [i for i in self._identities if folded and folded in (i.client, i.principal, i.id)]
        if any(is_bare(owner, self._empty) for owner in owners):
            return CoverageResult(Coverage.MISSING, f"{owners[0].name} has no federated credential")
        return judge_trust(identity, owners, self._federated, issuer, subjects)

    def held(self, identity: str) -> HeldGrants | CoverageResult:
        """Return every operation of the roles that a principal is assigned, wherever they are."""
        if self._cut_off:
            return unknown(self._cut_off)
        wrong = self._wrong_account(())
        principal = unknown(wrong) if wrong else self._principal(identity)
        if isinstance(principal, CoverageResult):
            return principal
        if any(i.disabled for i in self._identities if i.principal == principal):
            return HeldGrants()
        found = in_roles(self._held_by(principal), self._denies_for(principal))
        unread = self._unread.get("role assignments")
        return replace(found, unseen=(*found.unseen, unread)) if unread else found

    def asks_for(self, required: Sequence[Grant], held: Grant) -> bool:
        """Return whether what is required contains a held operation or role."""
        return asks_for(required, held)

    def vendor_sets(self, identity: str, releases: Sequence[Sequence[Grant]]) -> tuple[VendorSet, ...]:
        """Return nothing: no vendor's sets of this cloud are known."""
        del identity, releases
        return ()

    def find_by_ccoctl_name(self, name: str) -> str | None:
        """Return the client ID of the managed identity of that name; None where there is none, or more than one."""
        found = {i.spelt_client for i in self._identities if i.id and i.name.casefold() == name.casefold()}
        return found.pop() if len(found) == 1 else None

    def resolve(self, identity: str) -> str | None:
        """Return the principal of a client ID, None where the documents do not join them."""
        principal = self._principal(identity)
        return None if isinstance(principal, CoverageResult) else principal

    def sizes(self, identity: str, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        """Return no limit: Azure bounds the number of custom roles, not the permissions in one."""
        del identity, required
        return ()


def _role_itself(
    role: Role, held: Sequence[Held], needed: Needed, forbidden: Sequence[CoverageResult]
) -> CoverageResult:
    """Decide a role whose permissions nobody knows, or that has none: only the assignment of that very role counts.

    `forbidden` is what deny assignments say of everything; of a role without permissions they take nothing.
    """
    whole = next((d for d in forbidden if d.verdict is Coverage.DENIED), None)
    if whole is not None and not role.whole:
        return whole
    others = False
    weaker: CoverageResult | None = None
    for one in held:
        given = one.assignment
        where = reach(given.scope, needed)
        if where is Reach.NONE:
            continue
        same = given.role == role.id if role.id else given.role_name.casefold() == role.name.casefold()
        if not same:
            others = True
        elif one.member and where is Reach.WHOLE and not given.condition:
            if forbidden and not role.whole:
                return unknown(f"{role.why}, and of what it allows {forbidden[0].reason}")
            allows = ", which allows nothing" if role.whole else ""
            return CoverageResult(Coverage.COVERED, f"{given.label} is the role itself{allows}")
        elif one.member and where is not Reach.UNCERTAIN:
            limit = f"under a condition: {given.condition}"
            detail = limit if given.condition else f"for a part of {needed.spelt} only"
            weaker = CoverageResult(Coverage.NARROWER, f"{given.label} holds {detail}")
        else:
            weaker = weaker or unknown(f"{given.label} may be the role that is needed")
    if weaker is not None:
        return weaker
    if others and not role.whole:
        return unknown(f"{role.why}, so the other roles held cannot be compared with it")
    return CoverageResult(Coverage.MISSING, f"role {role.name} is not assigned at {needed.spelt}")
