"""What GCP deny policies take away: they win over every allow policy.

Deny rules write permissions as `SERVICE.googleapis.com/RESOURCE.VERB`, with `*` for a whole resource or service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, unknown
from upgrade_gate.clouds.gcp.members import among
from upgrade_gate.clouds.gcp.roles import Contents
from upgrade_gate.clouds.gcp.shapes import DenyPolicy, DenyRule
from upgrade_gate.clouds.shared.patterns import matches

_HOST = ".googleapis.com/"
_SERVICE_NAMES = {"cloudresourcemanager": "resourcemanager", "sqladmin": "cloudsql"}
"""Services whose deny names differ from the first part of their permissions."""


class Grantee(Struct, frozen=True):
    """The account that is asked about."""

    email: str
    unique_id: str = ""


def _pattern(name: str) -> str:
    """Return a deny permission in the form of allow permissions."""
    service, separator, rest = name.partition(_HOST)
    return f"{_SERVICE_NAMES.get(service, service)}.{rest}" if separator else name


def _forbids(rule: DenyRule, permission: str) -> bool:
    """Return whether a rule names a permission; what is denied counts in any case of its letters."""
    if any(matches(_pattern(e), permission, single=False) for e in rule.excepted_permissions):
        return False
    return any(matches(_pattern(d.casefold()), permission.casefold(), single=False) for d in rule.permissions)


def _applies(rule: DenyRule, subject: Grantee) -> bool | None:
    named = among(rule.principals, subject.email, subject.unique_id)
    excepted = among(rule.excepted_principals, subject.email, subject.unique_id)
    if named is False or excepted is True:
        return False
    return None if None in (named, excepted) else True


def denied(
    policies: Iterable[DenyPolicy], subject: Grantee, permissions: Sequence[str], whole: Contents | None
) -> CoverageResult | None:
    """Return DENIED, NARROWER or UNKNOWN where deny policies touch what is needed, None where they do not.

    `permissions` are the needed ones; `whole` is the role that they were taken from, whose other permissions may not
    be known, or None for a single permission.
    """
    possible: list[CoverageResult] = []
    taken: set[str] = set()
    by = ""
    for policy in policies:
        if policy.rules is None:
            reason = f"the rules of deny policy {policy.name} are not in the export (gcloud iam policies get)"
            possible.append(unknown(reason))
            continue
        if not policy.whole:
            reason = f"a rule of deny policy {policy.name} cannot be read"
            possible.append(unknown(reason))
        for rule in policy.rules:
            applies = _applies(rule, subject)
            if applies is False:
                continue
            hit = [p for p in permissions if _forbids(rule, p)]
            if not hit:
                if whole is not None and _may_hit(rule, whole):
                    reason = f"deny policy {policy.name} forbids {', '.join(rule.permissions)}; {whole.why}"
                    possible.append(unknown(reason))
                continue
            if applies is None:
                reason = f"deny policy {policy.name} forbids {hit[0]} to a group whose members are not in the export"
                possible.append(unknown(reason))
            elif rule.condition:
                reason = f"deny policy {policy.name} forbids {hit[0]} under the condition {rule.condition}"
                possible.append(CoverageResult(Coverage.NARROWER, reason))
            else:
                taken.update(hit)
                by = by or policy.name
    if taken and taken >= set(permissions) and (whole is None or whole.asked is None):
        return CoverageResult(Coverage.DENIED, f"deny policy {by} forbids {', '.join(sorted(taken)[:3])}")
    if taken:
        return CoverageResult(Coverage.NARROWER, f"deny policy {by} forbids a part: {', '.join(sorted(taken)[:3])}")
    return next((j for j in possible if j.verdict is Coverage.UNKNOWN), possible[0] if possible else None)


def _may_hit(rule: DenyRule, whole: Contents) -> bool:
    """Return whether a rule may forbid a permission of a role whose list is not known as a whole."""
    if whole.asked is None:
        return False
    plain = [_pattern(p) for p in rule.permissions]
    return any("*" in p or p not in whole.asked for p in plain)
