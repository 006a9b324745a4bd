"""AWS trust policies: whether a role lets the service accounts of an issuer assume it.

Rule: `sts:AssumeRoleWithWebIdentity` is allowed to the issuer's OIDC provider, and the conditions on the token's claims
admit each subject (cloud-credential-operator `pkg/cmd/provisioning/aws/create_iam_roles.go` writes one StringEquals).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from upgrade_gate.clouds.aws.operators import OPERATORS
from upgrade_gate.clouds.aws.policies import decode, misunderstood
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, unknown
from upgrade_gate.clouds.shared.conditions import Test, condition_tests
from upgrade_gate.clouds.shared.patterns import matches
from upgrade_gate.clouds.shared.trust import AUDIENCE
from upgrade_gate.reading.node import one_or_more, readable_strings, strings

_ACTION = "sts:assumerolewithwebidentity"
_ELEMENTS = frozenset({"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"})
"""Elements of a statement in a trust policy; a misspelt Condition must not read as none."""
_PRINCIPALS = frozenset({"AWS", "Federated", "Service", "CanonicalUser"})
WEBHOOK_AUDIENCE = "sts.amazonaws.com"
"""Audience of the tokens that the pod identity webhook mounts."""


class _Claims(Struct, frozen=True):
    """What a token of one service account says."""

    subject: str
    issuer: str
    """Without its scheme, as condition keys spell it."""


def judge_trust(role: str, document: Any, account: str | None, issuer: str, subjects: Sequence[str]) -> CoverageResult:
    """Decide whether a trust policy admits every subject of an issuer; with no subject there is nothing to admit."""
    body = decode(document)
    if body is None:
        return unknown(f"the trust policy of {role} is not in the export, or cannot be read")
    entries = one_or_more(body.get("Statement"))
    if entries is None:
        return unknown(f"the trust policy of {role} has no statements that can be read")
    host = issuer.removeprefix("https://")
    readable = [e for e in entries if _is_readable(e)]
    whole = len(readable) == len(entries) and not any(misunderstood(role, body))
    states = {s: _unless_hidden(_subject(readable, _Claims(s, host), account), whole=whole) for s in subjects}
    for verdict, words in (
        (Coverage.DENIED, "denies"),
        (Coverage.UNKNOWN, "cannot be understood for"),
        (Coverage.MISSING, "does not admit"),
        (Coverage.NARROWER, "admits only under further conditions"),
    ):
        hit = sorted(s for s, state in states.items() if state is verdict)
        if hit:
            return CoverageResult(verdict, f"the trust policy of {role} {words} {', '.join(hit)} of {host}")
    return CoverageResult(
        Coverage.COVERED, f"the trust policy of {role} admits {', '.join(sorted(states)) or 'no one asked'}"
    )


def _subject(entries: Sequence[Mapping[str, Any]], claims: _Claims, account: str | None) -> Coverage:
    best = Coverage.MISSING
    for entry in entries:
        if not _about_web_identity(entry):
            continue
        effect = entry.get("Effect")
        tests = condition_tests(entry.get("Condition"))
        if effect == "Deny" and _principal(entry, claims.issuer, account, denying=True):
            met = _all_met(tests, claims)
            if met:
                return Coverage.DENIED
            best = Coverage.UNKNOWN if met is None else best
        elif effect == "Allow" and _principal(entry, claims.issuer, account, denying=False):
            met = _all_met(tests, claims)
            if met:
                best = Coverage.COVERED if best is not Coverage.UNKNOWN else best
            elif met is None and best is Coverage.MISSING:
                best = Coverage.NARROWER
    return best


def _is_readable(entry: Any) -> bool:
    """Return whether it can be told what a statement is about: else it may admit or deny anyone."""
    if not isinstance(entry, Mapping) or not _ELEMENTS.issuperset(entry) or entry.get("Condition", {}) is None:
        return False
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        return isinstance(effect, str) and effect.casefold() == "allow"
    actions = readable_strings(entry.get("NotAction") if "NotAction" in entry else entry.get("Action"))
    if not actions or not all(map(str.isascii, actions)):
        return False
    return _are_principals(entry.get("NotPrincipal") if "NotPrincipal" in entry else entry.get("Principal"))


def _are_principals(given: Any) -> bool:
    if not isinstance(given, Mapping):
        return bool(given == "*")
    return bool(given) and _PRINCIPALS.issuperset(given) and all(map(readable_strings, given.values()))


def _unless_hidden(verdict: Coverage, *, whole: bool) -> Coverage:
    return verdict if whole or verdict is Coverage.DENIED else Coverage.UNKNOWN


def _about_web_identity(entry: Mapping[str, Any]) -> bool:
    if "NotAction" in entry:
        return not any(matches(a.casefold(), _ACTION) for a in strings(entry["NotAction"]))
    return any(matches(a.casefold(), _ACTION) for a in strings(entry.get("Action")))


def _principal(entry: Mapping[str, Any], issuer: str, account: str | None, *, denying: bool) -> bool:
    """Return whether a statement speaks of the issuer's provider; a Deny may speak of it in wider terms."""
    principal = entry.get("Principal")
    if denying and (principal == "*" or "NotPrincipal" in entry):
        return True
    if not isinstance(principal, Mapping):
        return False
    federated = strings(principal.get("Federated"))
    if denying and "*" in (*federated, *strings(principal.get("AWS"))):
        return True
    for arn in federated:
        parts = arn.split(":", 5)
        if len(parts) == 6 and parts[5] == f"oidc-provider/{issuer}" and account in (None, parts[4]):
            return True
    return False


def _all_met(tests: tuple[Test, ...] | None, claims: _Claims) -> bool | None:
    """Return whether a token meets every test; None where a test asks for something not known here."""
    if tests is None:
        return None
    results = [_met(test, claims) for test in tests]
    if False in results:
        return False
    return None if None in results else True


def _met(test: Test, claims: _Claims) -> bool | None:
    operator, key, values = test
    operator = operator.removesuffix("IfExists").removeprefix("ForAnyValue:").removeprefix("ForAllValues:")
    issuer = claims.issuer.casefold()
    if key == f"{issuer}:sub":
        return _compare(operator, values, claims.subject)
    if key == f"{issuer}:aud":
        met = _compare(operator, values, AUDIENCE)
        by_webhook = _compare(operator, values, WEBHOOK_AUDIENCE)
        return met if met or not by_webhook else None
    return None


def _compare(operator: str, values: Sequence[str], given: str) -> bool | None:
    """Return whether a claim meets a test; None for an operator that is none of texts, and where a variable decides."""
    known = OPERATORS.get(operator) if operator.startswith("String") else None
    plain = [value for value in values if "${" not in value]
    if known is None:
        return None
    matched = any(known.compare(given, value) for value in plain)
    return matched is not known.negated if matched or len(plain) == len(values) else None
