"""Whether a GCP service account's own policy lets a cluster's service accounts act as it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from upgrade_gate.entitlement_readers._gcp_shapes import Binding, Policy, PoolProvider
from upgrade_gate.entitlements import Judgement, Verdict

__all__ = ["judge_trust"]

_ROLE = "roles/iam.workloadIdentityUser"
_SUBJECT = re.compile(
    r"^principal://iam\.[^/]+/(projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+)/subject/(.+)$"
)
_SET = re.compile(r"^principalSet://iam\.[^/]+/(projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+)/(.+)$")
_PLAIN_MAPPING = "assertion.sub"


@dataclass(frozen=True, slots=True)
class _Way:
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
    email: str, policies: Sequence[Policy], providers: Sequence[PoolProvider], issuer: str, subjects: Sequence[str]
) -> Judgement:
    """Decide whether every subject may act as the account, through a pool of the issuer.

    A subject compares whole and with case. A pool belongs to an issuer by the description of its provider; without
    one, the pool is taken for the cluster's and a caveat says so.
    """
    if not policies:
        how = f"gcloud iam service-accounts get-iam-policy {email}"
        return Judgement(Verdict.UNKNOWN, f"the policy of service account {email} is not in the export ({how})")
    found = [_subject(email, policies, providers, issuer, subject) for subject in subjects]
    order = (Verdict.MISSING, Verdict.NARROWER, Verdict.UNKNOWN, Verdict.COVERED)
    worst = min(found, key=lambda j: order.index(j.verdict), default=None)
    if worst is None or worst.verdict is Verdict.COVERED:
        caveats = tuple(dict.fromkeys(c for j in found for c in j.caveats))
        return Judgement(Verdict.COVERED, f"{_ROLE} in the policy of {email} names every subject", caveats)
    same = [j.reason for j in found if j.verdict is worst.verdict]
    return Judgement(worst.verdict, "; ".join(same))


def _subject(
    email: str, policies: Sequence[Policy], providers: Sequence[PoolProvider], issuer: str, subject: str
) -> Judgement:
    ways = [w for p in policies for b in p.bindings if b.role == _ROLE for w in _ways(b, subject)]
    if not ways:
        return Judgement(Verdict.MISSING, f"{_ROLE} on {email} does not name {subject}")
    judged = [_way(way, providers, issuer, subject) for way in ways]
    order = (Verdict.COVERED, Verdict.NARROWER, Verdict.UNKNOWN, Verdict.MISSING)
    return min(judged, key=lambda j: (order.index(j.verdict), len(j.caveats)))


def _way(way: _Way, providers: Sequence[PoolProvider], issuer: str, subject: str) -> Judgement:
    described = [p for p in providers if p.pool == way.pool]
    if any(not p.provider and not p.usable for p in described):
        return Judgement(Verdict.MISSING, f"{subject} comes from {way.pool}, which is disabled")
    named = [p for p in described if p.issuer]
    own = [p for p in named if p.issuer == issuer]
    if named and not own:
        return Judgement(Verdict.MISSING, f"{subject} comes from {way.pool}, whose issuer is {named[0].issuer}")
    if own and not any(p.usable for p in own):
        return Judgement(Verdict.MISSING, f"{subject} comes from provider {own[0].provider}, which is disabled")
    usable = [p for p in own if p.usable]
    if not way.certain:
        return Judgement(Verdict.UNKNOWN, f"an attribute of {way.pool} decides whether {subject} comes in")
    if usable and all(p.subject not in ("", _PLAIN_MAPPING) for p in usable):
        return Judgement(Verdict.UNKNOWN, f"{way.pool} makes google.subject from {usable[0].subject}")
    if way.condition:
        return Judgement(Verdict.NARROWER, f"{subject} comes in under a condition: {way.condition}")
    if usable and all(p.condition for p in usable):
        return Judgement(Verdict.NARROWER, f"{way.pool} lets {subject} in under a condition: {usable[0].condition}")
    caveats = () if own else (f"issuer of {way.pool} is not in the export (gcloud iam workload-identity-pools)",)
    return Judgement(Verdict.COVERED, f"{_ROLE} names {subject}", caveats)
