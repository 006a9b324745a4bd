"""Whether a GCP service account's own policy, or one above it, lets a cluster's service accounts act as it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from upgrade_gate.clouds.contract.holdings import WORST_FIRST, Coverage, CoverageResult, unknown
from upgrade_gate.clouds.gcp.deny import Grantee, denied
from upgrade_gate.clouds.gcp.roles import WORKLOAD_IDENTITY_USER
from upgrade_gate.clouds.gcp.shapes import Binding, DenyPolicy, Policy, PoolProvider
from upgrade_gate.clouds.shared.trust import AUDIENCE

_NEEDED = ("iam.serviceAccounts.getAccessToken",)
"""What the exchange of tokens needs of the account."""
_ROLES = (WORKLOAD_IDENTITY_USER, "roles/iam.serviceAccountTokenCreator")
"""Predefined roles that have it."""
_SUBJECT = re.compile(
    r"^principal://iam\.[^/]+/(projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+)/subject/(.+)$"
)
_SET = re.compile(r"^principalSet://iam\.[^/]+/(projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+)/(.+)$")
_PLAIN_MAPPING = "assertion.sub"
_LISTED = re.compile(r"gcloud iam workload-identity-pools providers list --workload-identity-pool=(\S+) ")


class _Pools(Struct, frozen=True):
    """What is known of pools and their providers."""

    providers: tuple[PoolProvider, ...]
    bare: frozenset[str]
    """IDs of pools that have no provider."""
    denies: tuple[DenyPolicy, ...]
    """What hangs on the project of the account, or above it."""


class _Way(Struct, frozen=True):
    """One binding through which a subject may come in."""

    pool: str
    condition: str
    certain: bool
    """False: an attribute or group, whose mapping decides."""


def _ways(binding: Binding, subject: str) -> list[_Way]:
    found = []
    for member in binding.members:
        one = _SUBJECT.match(member)
        if one and one.group(2) == subject:
            found.append(_Way(one.group(1), binding.condition, certain=True))
        many = _SET.match(member)
        if many:
            found.append(_Way(many.group(1), binding.condition, certain=many.group(2) == "*"))
    return found


def judge_trust(
    email: str,
    own: Sequence[Policy],
    above: Sequence[Policy],
    providers: Sequence[PoolProvider],
    *,
    issuer: str,
    subjects: Sequence[str],
    denies: Sequence[DenyPolicy] = (),
    empty: Sequence[str] = (),
) -> CoverageResult:
    """Decide whether every subject may act as the account, through a pool of the issuer.

    `own` are the account's policies, `above` and `denies` those of the project and its ancestors. A subject compares
    whole and with case. A pool belongs to an issuer by the description of its provider; without one, the pool is taken
    for the cluster's and a caveat says so, unless an empty list answered the question for its providers
    (`Reading.empty`).
    """
    bare = frozenset(listed.group(1) for command in empty if (listed := _LISTED.match(command)))
    pools = _Pools(tuple(providers), bare, tuple(denies))
    found = [_subject(email, (*own, *above), pools, issuer, subject) for subject in subjects]
    if not own and (not found or any(j.verdict is Coverage.MISSING for j in found)):
        how = f"gcloud iam service-accounts get-iam-policy {email}"
        return unknown(f"the policy of service account {email} is not in the export ({how})")
    worst = min(found, key=lambda j: WORST_FIRST.index(j.verdict), default=None)
    if worst is None or worst.verdict is Coverage.COVERED:
        caveats = tuple(dict.fromkeys(c for j in found for c in j.caveats))
        where = f"in the policy of {email}" if own else "above the account"
        reason = f"{WORKLOAD_IDENTITY_USER} {where} names every subject"
        return CoverageResult(Coverage.COVERED, reason, caveats, issuer_unseen=any(j.issuer_unseen for j in found))
    reason = "; ".join(j.reason for j in found if j.verdict is worst.verdict)
    doubtful = next((p for p in own if not p.whole or p.partial), None)
    if worst.verdict is not Coverage.DENIED and doubtful is not None:
        return CoverageResult(worst.verdict, reason).unless(f"not all of {doubtful.label} can be read")
    return CoverageResult(worst.verdict, reason)


def _subject(email: str, policies: Sequence[Policy], pools: _Pools, issuer: str, subject: str) -> CoverageResult:
    ways = [w for p in policies for b in p.bindings if b.role in _ROLES for w in _ways(b, subject)]
    if not ways:
        return CoverageResult(Coverage.MISSING, f"{WORKLOAD_IDENTITY_USER} on {email} does not name {subject}")
    judged = [_denied(way, pools, subject) or _way(way, pools, issuer, subject) for way in ways]
    order = (Coverage.COVERED, Coverage.NARROWER, Coverage.UNKNOWN, Coverage.MISSING, Coverage.DENIED)
    return min(judged, key=lambda j: (order.index(j.verdict), len(j.caveats)))


def _denied(way: _Way, pools: _Pools, subject: str) -> CoverageResult | None:
    """Return what deny policies say of a workload that uses the account, None where they do not touch it."""
    return denied(pools.denies, Grantee(f"principal://iam.googleapis.com/{way.pool}/subject/{subject}"), _NEEDED, None)


def _way(way: _Way, pools: _Pools, issuer: str, subject: str) -> CoverageResult:
    described = [p for p in pools.providers if p.pool == way.pool]
    if way.pool.rpartition("/")[2] in pools.bare and not any(p.provider for p in described):
        return CoverageResult(Coverage.MISSING, f"{subject} comes from {way.pool}, which has no provider")
    if any(not p.provider and not p.usable for p in described):
        return CoverageResult(Coverage.MISSING, f"{subject} comes from {way.pool}, which is disabled")
    named = [p for p in described if p.issuer]
    own = [p for p in named if p.issuer == issuer]
    if named and not own:
        return CoverageResult(Coverage.MISSING, f"{subject} comes from {way.pool}, whose issuer is {named[0].issuer}")
    if own and not any(p.usable for p in own):
        return CoverageResult(Coverage.MISSING, f"{subject} comes from provider {own[0].provider}, which is disabled")
    usable = [p for p in own if p.usable and (p.audiences is None or not p.audiences_seen or AUDIENCE in p.audiences)]
    if own and not usable:
        takes = ", ".join(own[0].audiences or ("of its own resource name",))
        return CoverageResult(
            Coverage.MISSING, f"provider {own[0].provider} takes tokens for the audience {takes} only"
        )
    if usable and all(p.audiences is None for p in usable):
        return unknown(f"the audiences of provider {usable[0].provider} cannot be read")
    if not way.certain:
        return unknown(f"an attribute of {way.pool} decides whether {subject} comes in")
    plain = [p for p in usable if p.subject in ("", _PLAIN_MAPPING)]
    if usable and not plain:
        return unknown(f"{way.pool} makes google.subject from {usable[0].subject}")
    if way.condition:
        return CoverageResult(Coverage.NARROWER, f"{subject} comes in under a condition: {way.condition}")
    if plain and all(p.condition for p in plain):
        return CoverageResult(
            Coverage.NARROWER, f"{way.pool} lets {subject} in under a condition: {plain[0].condition}"
        )
    reason = f"{WORKLOAD_IDENTITY_USER} names {subject}"
    if not own:
        caveat = f"issuer of {way.pool} is not in the export (gcloud iam workload-identity-pools)"
        return CoverageResult(Coverage.COVERED, reason, (caveat,), issuer_unseen=True)
    seen = any(p.audiences_seen for p in usable)
    caveats = () if seen else (f"which audiences provider {usable[0].provider} takes was not seen",)
    return CoverageResult(Coverage.COVERED, reason, caveats)
