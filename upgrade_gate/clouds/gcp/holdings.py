"""What GCP exports, and GCP itself, say about the service accounts that a cluster uses.

Shapes: allow policies of the project, its ancestors and single service accounts, roles, service accounts, pools, deny
policies (docs/facts/gcp.md#exports). The verdicts follow docs/facts/gcp.md#coverage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, HeldGrants, PolicySize, unknown
from upgrade_gate.clouds.gcp import shapes
from upgrade_gate.clouds.gcp.conditions import holds
from upgrade_gate.clouds.gcp.deny import Grantee, denied
from upgrade_gate.clouds.gcp.held import asks_for, in_bindings
from upgrade_gate.clouds.gcp.members import among, home_of, is_deleted
from upgrade_gate.clouds.gcp.places import OWN, Place, doubts_of, places
from upgrade_gate.clouds.gcp.projects import Projects
from upgrade_gate.clouds.gcp.roles import Contents, Has, RoleBook
from upgrade_gate.clouds.gcp.shapes import Level, email_of
from upgrade_gate.clouds.gcp.trust import judge_trust
from upgrade_gate.clouds.gcp.wants import PermissionWant, RoleWant, ServingBinding, Want
from upgrade_gate.clouds.shared import pages
from upgrade_gate.clouds.shared.vendor_table import vendor_table
from upgrade_gate.reading.node import text

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant, GrantType
    from upgrade_gate.clouds.contract.holdings import Document, VendorSet


DEFAULT_TYPE: GrantType = "permission"

_ROLE_PERMISSIONS = 3000
_ROLE_TEXT = 64 * 1024
"""Limits of a custom role: permissions, and the bytes of title, description and names (docs/facts/gcp.md#limits)."""
_ANCESTORS = "gcloud projects get-ancestors-iam-policy"
_BOUNDARIES = "principal access boundary policies are not in IAM exports"
_NO_DENY = "deny policies are not in the export (gcloud iam policies list --kind=denypolicies)"
_NO_ACCOUNTS = "whether the account is disabled is not in the export (gcloud iam service-accounts list)"


def recognises(body: Any) -> bool:
    """Return whether a parsed document has a shape that Google's tools print."""
    return shapes.DIALECT.holds(body)


def build(documents: Sequence[Document], account: str | None, context: Context | None = None) -> GcpHoldings:
    """Build the holdings; `account` is the cluster's project ID."""
    return GcpHoldings(shapes.DIALECT.read(documents), account, context)


def ccoctl_name(cluster: str, namespace: str, secret: str, request: str) -> str:
    """Return the display name of the account that ccoctl makes, from the request's own name.

    See docs/facts/gcp.md#ccoctl.
    """
    del namespace, secret
    return f"{cluster[:50]}-{request[:49]}"


class _Found(Struct, frozen=True):
    """The bindings that may serve an account, by what they can prove."""

    sure: tuple[ServingBinding, ...]
    conditional: tuple[ServingBinding, ...]
    on_itself: tuple[ServingBinding, ...]
    elsewhere: tuple[ServingBinding, ...]
    """On another single resource."""
    by_group: tuple[ServingBinding, ...]


class GcpHoldings:
    """Everything that a set of documents says about GCP service accounts."""

    def __init__(self, reading: pages.Reading, account: str | None, context: Context | None = None) -> None:
        self._context = context
        self._now = context.moment if context is not None else None
        self._moment = f"{self._now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if self._now is not None else ""
        self._cut_off = reading.cut_off
        self._empty = reading.empty
        self._unread = reading.unread
        unread = [(e.item["unread"], text(e.item["resource"])) for e in reading.of("unread")]
        self._unread_allow = [resource for kind, resource in unread if kind == "allow"]
        self._unread_deny = [resource for kind, resource in unread if kind == "deny"]
        policies = shapes.to_policies(reading.of("policies"))
        roles = [shapes.role(e) for e in reading.of("roles")]
        self._accounts = [shapes.account(e) for e in reading.of("service accounts")]
        self._roles = RoleBook(roles)
        self._providers = [shapes.pool_provider(e) for e in reading.of("pools")]
        self._testable = {
            text(e.item.get("name")): text(e.item.get("customRolesSupportLevel"))
            for e in reading.of("testable permissions")
        }
        self._projects = Projects(policies, roles, self._accounts, account)
        self.account: str | None = self._projects.account
        self._own = (context.project if context is not None else None) or self.account or ""
        denies = [shapes.deny_policy(e) for e in reading.of("deny policies")]
        described = {d.name for d in denies if d.rules is not None}
        self._denies = [d for d in denies if d.rules is not None or d.name not in described]
        self._boundaries = [text(e.item.get("name")) for e in reading.of("access boundaries")]
        self._has_denies = shapes.DENY_LISTING in reading.listings or bool(denies)

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        """Decide one grant for a service account's email, wherever it must hold and there for the whole project.

        `scopes` may name the cluster's project, for exports that no configured account is compared with.
        """
        if self._cut_off:
            return unknown(self._cut_off)
        email = email_of(identity)
        if "@" not in email:
            return unknown(f"identity {identity} is not the email of a service account")
        if grant.type not in ("permission", "predefinedRole"):
            return unknown(f"GCP has no grants of type {grant.type}")
        own = next(iter(scopes), "") or self._own
        _, problem = self._projects.policies_for(email, own)
        if problem:
            return unknown(problem)
        if any(a.disabled for a in self._accounts if a.email == email):
            return CoverageResult(Coverage.MISSING, f"service account {email} is disabled: none of its grants works")
        need: Want = (
            PermissionWant(grant.permission, self._roles)
            if grant.type == "permission"
            else RoleWant(grant.permission, self._roles)
        )
        subject = Grantee(email, self._unique_id(email))
        where = places(need, self._context, own, self._roles)
        found = _everywhere([(place, self._at(place, one, subject, own)) for place, one in where])
        doubts = doubts_of(need, self._context, own)
        held = found.verdict is Coverage.COVERED
        settling = [
            doubt
            for doubt in doubts
            if doubt.settles
            or (doubt.more and held and self._at(OWN, need, subject, own).verdict is not Coverage.COVERED)
        ]
        if settling:
            return found.unless(settling[0].text)
        if not held:
            return found
        return replace(found, caveats=(*found.caveats, *(doubt.text for doubt in doubts)))

    def _denies_at(self, own: str) -> list[shapes.DenyPolicy]:
        """Return the deny policies that hang on the cluster's own project, or above it."""
        denies = [d for d in self._denies if not self._projects.is_foreign(d.project)]
        if self._context is None:
            return denies
        return [d for d in denies if self._projects.hangs_above(d, own)]

    def _at(self, place: Place, need: Want, subject: Grantee, own: str) -> CoverageResult:
        """Decide what is needed at one place."""
        email = subject.email
        if place.project:
            policies = self._projects.policies_at(place.project)
            seen = any(p.level is Level.PROJECT for p in policies)
            denies = [d for d in self._denies if self._projects.hangs_above(d, place.project)]
            if not seen and not place.account:
                return unknown(
                    f"the policy of project {place.project} is not in the export ({_ANCESTORS} {place.project})"
                )
        else:
            policies, _ = self._projects.policies_for(email, own)
            denies = self._denies_at(own)
        forbidden = denied(denies, subject, need.permissions, need.whole)
        if forbidden is not None and forbidden.verdict is Coverage.DENIED:
            return forbidden
        contradiction = self._projects.contradiction(policies, email)
        if contradiction:
            return unknown(contradiction)
        allowed = self._whichever(need, policies, subject, place)
        if allowed.verdict is not Coverage.COVERED:
            return self._unless_unread(allowed, policies)
        unread = self._unread.get("deny policies") or self._unread.get("policies")  # ancestors' listings hold both
        if unread is not None:
            return allowed.unless(unread)
        if self._boundaries:
            return allowed.unless(f"whether {self._boundaries[0]} bounds the account is not judged here")
        return forbidden or CoverageResult(Coverage.COVERED, allowed.reason, (*allowed.caveats, *self._caveats(email)))

    def _whichever(
        self, need: Want, policies: Sequence[shapes.Policy], subject: Grantee, place: Place
    ) -> CoverageResult:
        """Decide from allow policies; UNKNOWN where it depends on which of several is the project's own."""
        every = self._allowed(need, policies, subject, place)
        readings = self._projects.readings(policies)
        if len(readings[0]) == len(policies):
            return every
        each = [self._allowed(need, one, subject, place) for one in readings]
        if all(one.verdict is every.verdict for one in each):
            return each[0]
        several = "the export holds several policies that do not say what they belong to"
        return unknown(f"{every.reason}, if that policy is the project's: {several} ({_ANCESTORS} does)")

    def _unless_unread(self, judgement: CoverageResult, policies: Iterable[shapes.Policy]) -> CoverageResult:
        """Return UNKNOWN where what is not covered may be granted by something that could not be read."""
        doubts = [f"the policy of {resource} could not be read" for resource in self._unread_allow]
        doubts += [f"a binding of {policy.label} cannot be read" for policy in policies if not policy.whole]
        seen = {(p.level, p.resource) for p in policies if not p.partial} | {
            (Level.OTHER, p.resource) for p in policies
        }
        searched = [p.label for p in policies if (p.level, p.resource) not in seen]
        doubts += [f"{label} may show only the bindings that an asset search matched" for label in searched]
        doubts += [self._unread["policies"]] if "policies" in self._unread else []
        return judgement.unless(doubts[0]) if doubts else judgement

    def _unique_id(self, email: str) -> str:
        return next((a.unique_id for a in self._accounts if a.email == email), "")

    def _caveats(self, email: str) -> Iterable[str]:
        if not self._has_denies:
            yield _NO_DENY
        for resource in self._unread_deny:
            yield f"deny policies of {resource} could not be read"
        if not any(a.email == email for a in self._accounts):
            yield _NO_ACCOUNTS
        yield _BOUNDARIES

    def _sort(self, policies: Iterable[shapes.Policy], subject: Grantee, on: frozenset[str]) -> _Found:
        """Sort the bindings of an account; `on` names the service account whose own policy counts.

        A condition that is decided false is a binding that is not there, one decided true is none.
        """
        sure: list[ServingBinding] = []
        conditional: list[ServingBinding] = []
        on_itself: list[ServingBinding] = []
        elsewhere: list[ServingBinding] = []
        by_group: list[ServingBinding] = []
        for policy in policies:
            for binding in policy.bindings:
                serves = among(binding.members, subject.email, subject.unique_id)
                if serves is False:
                    continue
                answer = holds(binding.condition, self._now)
                if answer.false:
                    continue
                undecided, holds_at = ("", self._moment) if answer.true else (binding.condition, "")
                source = ServingBinding(binding.role, policy, undecided, holds_at)
                own = policy.resource in on
                if policy.level is Level.OTHER or (policy.level is Level.ACCOUNT and not own):
                    elsewhere += [source] if serves else []
                elif serves is None:
                    by_group.append(source)
                elif source.condition:
                    conditional.append(source)
                else:
                    (on_itself if policy.level is Level.ACCOUNT else sure).append(source)
        sure.sort(key=lambda source: bool(source.holds_at))  # what always counts is named before what counts now
        return _Found(tuple(sure), tuple(conditional), tuple(on_itself), tuple(elsewhere), tuple(by_group))

    def _allowed(self, need: Want, policies: Sequence[shapes.Policy], subject: Grantee, place: Place) -> CoverageResult:
        """Decide from allow policies alone."""
        on = place.account or subject.email
        found = self._sort(policies, subject, frozenset({on, self._unique_id(on)} - {""}))
        held = need.held_by(found.sure)
        if held.has is Has.YES:
            return CoverageResult(Coverage.COVERED, held.reason, held.caveats)
        on_itself = found.on_itself if need.on_accounts else ()
        own = need.held_by((*found.sure, *on_itself))
        if own.has is Has.YES and place.account:
            return CoverageResult(Coverage.COVERED, own.reason, own.caveats)
        if own.has is Has.YES and need.on_itself and self._context is not None:
            reason = f"{own.reason}: on the account itself, and the accounts of the nodes are not known"
            return CoverageResult(Coverage.UNKNOWN, reason)
        if own.has is Has.YES and need.on_itself:
            return CoverageResult(Coverage.COVERED, own.reason, (*own.caveats, "granted on this service account alone"))
        if own.has is Has.YES:
            return CoverageResult(Coverage.NARROWER, f"{own.reason}: not on the project")
        if held.has is Has.UNKNOWN:
            return unknown(held.reason)
        if own.has is Has.UNKNOWN:
            return unknown(own.reason)
        usable = [s for s in found.conditional if s.policy.level is not Level.ACCOUNT or need.on_accounts]
        limited = need.held_by((*found.sure, *on_itself, *usable))
        if limited.has is Has.YES:
            condition = _telling(usable, need).condition
            return CoverageResult(Coverage.NARROWER, f"{limited.reason}, under a condition: {condition}")
        if limited.has is Has.UNKNOWN:
            return unknown(limited.reason)
        others = [s for s in found.elsewhere if not (place.account and s.policy.level is Level.ACCOUNT)]
        single = need.held_by(others)
        if single.has is Has.YES:
            return CoverageResult(Coverage.NARROWER, f"{single.reason} only")
        return self._absent(need, found, policies, subject.email, on)

    def _absent(
        self, need: Want, found: _Found, policies: Sequence[shapes.Policy], email: str, on: str
    ) -> CoverageResult:
        """Say MISSING only where every place that could grant it was seen."""
        if not any(p.level in (Level.PROJECT, Level.BARE) for p in policies):
            home = home_of(on) if on != email else ""
            which = f"the policy of project {home}" if home else "the project's policy"
            return unknown(f"{which} is not in the export (gcloud projects get-iam-policy)")
        if (
            need.on_accounts
            and (need.whole is None or on != email)
            and not any(p in policies for p in self._projects.own_policies(on, self._unique_id(on)))
        ):
            how = f"gcloud iam service-accounts get-iam-policy {on}"
            whose = "the service account's own policy" if on == email else f"the policy of service account {on}"
            return unknown(f"not granted on the project; {whose} is not in the export ({how})")
        if need.held_by((*found.sure, *found.by_group)).has is not Has.NO:
            group = _telling(found.by_group, need)
            return unknown(f"{group.label} binds a group or set whose members are not in the export")
        reason = need.held_by(found.sure).reason
        gone = [b.role for p in policies for b in p.bindings if any(is_deleted(m, email) for m in b.members)]
        if gone:
            reason = f"{reason}; {gone[0]} is bound to a deleted account of that name"
        level = self._testable.get(need.name)
        if level in ("NOT_SUPPORTED", "TESTING"):
            reason = f"{reason}; custom roles: {level}, so bind a predefined role"
        if not any(p.level in (Level.PROJECT, Level.FOLDER, Level.ORGANIZATION) for p in policies):
            reason = f"{reason} (policies above the project are not in the export: {_ANCESTORS})"
        return CoverageResult(Coverage.MISSING, reason)

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
        """Decide whether the service account lets every subject of the issuer's pool act as it.

        Beside the account's own policy those of the project count in which it lives, and what is above that one.
        Without a description of the pool's provider the issuer is a caveat: a proof that needs the issuer must not
        count a judgement that carries one.
        """
        if self._cut_off:
            return unknown(self._cut_off)
        email = email_of(identity)
        if any(a.disabled for a in self._accounts if a.email == email):
            return CoverageResult(Coverage.MISSING, f"service account {email} is disabled")
        own = self._projects.own_policies(email, self._unique_id(email))
        home = home_of(email) or self._own
        policies, _ = self._projects.policies_for(email, home)
        readings = self._projects.readings(policies)
        sure = readings[0] if len(readings) == 1 else ()
        contradiction = self._projects.contradiction((*own, *sure), email)
        if contradiction:
            return unknown(contradiction)
        above = [p for p in sure if p.level not in (Level.ACCOUNT, Level.OTHER)]
        trusted = judge_trust(
            email,
            own,
            above,
            self._providers,
            issuer=issuer,
            subjects=subjects,
            denies=[deny for deny in self._denies if self._projects.hangs_above(deny, home)],
            empty=self._empty,
        )
        unread = self._unread.get("deny policies")
        return trusted.unless(unread) if unread is not None and trusted.verdict is Coverage.COVERED else trusted

    def held(self, identity: str) -> HeldGrants | CoverageResult:
        """Return every role and permission that a service account is given, on whatever its policies are about."""
        email = email_of(identity)
        policies, problem = self._projects.policies_for(email, self._own)
        readings = self._projects.readings(policies)
        problem = self._cut_off or problem or self._projects.contradiction(policies, email)
        if problem or "@" not in email or len(readings) != 1:
            return unknown(problem or f"cannot tell which policies are about {email}")
        if any(a.disabled for a in self._accounts if a.email == email):
            return HeldGrants()
        uid = self._unique_id(email)
        subject, denies = Grantee(email, uid), self._denies_at(self._own)
        found = self._sort(readings[0], subject, frozenset({email, uid} - {""}))

        def forbids(source: ServingBinding, names: Sequence[str], whole: Contents | None) -> CoverageResult | None:
            # a folder's or an organisation's binding reaches projects where a project's deny policy does not
            of_project = source.policy.level in (Level.PROJECT, Level.BARE)
            return denied(denies, subject, names, whole) if of_project else None

        held = in_bindings((*found.sure, *found.conditional, *found.on_itself, *found.elsewhere), self._roles, forbids)
        unseen = [
            f"{source.label} binds a group or set whose members are not in the export" for source in found.by_group
        ]
        unseen += [self._unread["policies"]] if "policies" in self._unread else []
        return replace(held, unseen=(*held.unseen, *unseen))

    def asks_for(self, required: Sequence[Grant], held: Grant) -> bool:
        """Return whether what is required contains a held permission or role."""
        return asks_for(required, held, self._roles)

    def vendor_sets(self, identity: str, releases: Sequence[Sequence[Grant]]) -> tuple[VendorSet, ...]:
        """Return the custom roles of a service account that have the permissions of one that a vendor publishes."""
        held = self.held(identity)
        if isinstance(held, CoverageResult):
            return ()
        email, table = email_of(identity), vendor_table(__package__)
        letters = [frozenset(g.permission for g in asked if g.type == "permission") for asked in releases]
        known: list[VendorSet] = []
        for role in self._custom_roles(email):
            contents = self._roles.contents(role)
            if contents.asked is not None or contents.permissions in letters:
                continue
            lacks = tuple(sorted(letters[-1] - contents.permissions)) if letters else ()
            known += table.known(f"role {role}", sorted(contents.permissions), lacks)
        return tuple(known)

    def _custom_roles(self, email: str) -> list[str]:
        """Return the names of the custom roles that are bound to an account."""
        policies, _ = self._projects.policies_for(email, self._own)
        bound = {b.role for p in policies for b in p.bindings if among(b.members, email)}
        return sorted(role for role in bound if not role.startswith("roles/"))

    def find_by_ccoctl_name(self, name: str) -> str | None:
        """Return the email of the one account with that display name: ccoctl finds accounts by it too."""
        found = {a.email for a in self._accounts if a.display_name == name}
        return found.pop() if len(found) == 1 else None

    def resolve(self, identity: str) -> str | None:
        """Return the email as Google compares it."""
        return email_of(identity)

    def sizes(self, identity: str, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        """Return the limits that a custom role of the account exceeds with the required permissions added."""
        email = email_of(identity)
        wanted = {g.permission for g in required if g.type == "permission"}
        over: list[PolicySize] = []
        for name in self._custom_roles(email):
            document = self._roles.document(name)
            if document is None or document.permissions is None:
                continue
            union = document.permissions | wanted
            length = sum(len(t.encode()) for t in (document.title, document.description, *union))
            over.append(PolicySize(f"permissions of custom role {name}", len(union), _ROLE_PERMISSIONS))
            over.append(PolicySize(f"bytes of custom role {name}", length, _ROLE_TEXT))
        return tuple(size for size in over if size.size > size.limit)


def _everywhere(judged: Sequence[tuple[Place, CoverageResult]]) -> CoverageResult:
    """Join what was decided at each place where it must hold: held in some of several is narrower than needed."""
    results = [result for _, result in judged]
    verdicts = {result.verdict for result in results}
    if verdicts == {Coverage.COVERED}:
        reason = "; ".join(dict.fromkeys(result.reason for result in results))
        return CoverageResult(Coverage.COVERED, reason, tuple(dict.fromkeys(c for r in results for c in r.caveats)))
    telling = {Coverage.UNKNOWN} if Coverage.UNKNOWN in verdicts else verdicts - {Coverage.COVERED}
    place, result = next(pair for pair in judged if pair[1].verdict in telling)
    verdict = result.verdict if len(verdicts) == 1 or Coverage.UNKNOWN in verdicts else Coverage.NARROWER
    reason = result.reason if place == OWN else f"needed on {place.label}: {result.reason}"
    partly = verdicts == {Coverage.COVERED, Coverage.MISSING}
    return replace(result, verdict=verdict, reason=reason, partly_missing=partly)


def _telling(sources: Sequence[ServingBinding], need: Want) -> ServingBinding:
    """Return the source to name in a reason: one that suffices by itself, else the first of those that do together."""
    return next((s for s in sources if need.held_by((s,)).has is not Has.NO), sources[0])
