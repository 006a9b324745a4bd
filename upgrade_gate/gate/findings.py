"""Findings: what a rule found, how bad it is, what it asks for, and whether CCO would have stopped the upgrade."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base import plugins
from upgrade_gate.clouds.contract.grants import Grant, canonical
from upgrade_gate.clouds.contract.risk import Rating

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.holdings import Coverage
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.proof.identity_map import Identity


class Severity(StrEnum):
    """How a finding weighs; the order is worst first."""

    BLOCKER = "blocker"
    UNKNOWN = "unknown"
    WARNING = "warning"
    INFO = "info"


class Status(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    PROVEN = "proven"
    DECLARED = "declared"
    """Policy files say that it is granted; nothing shows that it is."""


class Guard(StrEnum):
    """Whether this cluster's CCO or CVO would have stopped the upgrade by itself."""

    MISSED = "missed"
    STOPPED = "stopped"


class NeedKind(StrEnum):
    """What a finding can ask for."""

    NAMESPACE = "namespace"
    SECRET = "secret"  # noqa: S105
    KEYS = "keys"
    GRANTS = "grants"
    TRUST = "trust"
    TOKEN_PATH = "token-path"  # noqa: S105
    DECISION = "decision"


class NeedStatus(StrEnum):
    """Whether a need is met; when several are merged the worst wins: unmet, unknown, declared, met."""

    UNMET = "unmet"
    UNKNOWN = "unknown"
    DECLARED = "declared"
    """Policy files say so; nothing shows it."""
    MET = "met"


class Lack(Struct, frozen=True):
    """Permissions, or service accounts, of which one thing is said: that they are not held, or not known to be."""

    names: tuple[str, ...]
    coverage: Coverage
    reason: str


class Need(Struct, frozen=True):
    """One thing that a finding asks for."""

    kind: NeedKind
    status: NeedStatus
    said: str = ""
    """What is said of it as a whole; empty where `lacks` says it part by part."""
    lacks: tuple[Lack, ...] = ()
    declared: tuple[str, ...] = ()
    """Beside what is lacking: what policy files say and nothing shows."""

    @property
    def parts(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        """What is said of it part by part: of which names, and what."""
        known = self.status is not NeedStatus.UNKNOWN
        return tuple((lack.names, f"{lack.coverage}, {lack.reason}" if known else lack.reason) for lack in self.lacks)

    @property
    def detail(self) -> str:
        """All that is said of it, in one line."""
        return "; ".join(f"{', '.join(names)}: {what}" for names, what in self.parts) or self.said


class Evidence(Struct, frozen=True):
    """A place that shows the finding."""

    side: str
    """`from`, `to`, `cluster` or `policy`."""
    file: str
    document: int = 0
    line: int = 1


class RequiredGrant(Struct, frozen=True):
    """A grant in a finding or a change: what covers it already, how risky it is, and what gives it."""

    grant: Grant
    covered_by: str | None = None
    rating: Rating = field(default_factory=Rating)
    held_by: str | None = None
    """The statement, role or binding that gives it, where it is not asked for but held."""


class Rule(Struct, frozen=True):
    """One public rule of the catalogue."""

    id: str
    severity: Severity
    """The default severity; what a rule may be lowered or raised to is said in `explanation`."""
    title: str
    explanation: str
    """What it means, why it matters, how it is closed: the text of `upgrade-gate explain`."""
    acknowledgeable: bool = True
    never_where: str = ""
    """Where a finding of an acknowledgeable rule cannot be acknowledged all the same, in words."""
    rests_on: tuple[str, ...] = ()
    """Facts of the cluster (rows of `Cluster`) without which it cannot be judged: needed where the rule may stop."""

    @property
    def acceptance(self) -> str:
        """Say whether and where a finding of this rule can be acknowledged."""
        if not self.acknowledgeable:
            return "It can never be acknowledged."
        if self.severity is Severity.INFO:
            return "It asks for nothing, so there is nothing to acknowledge."
        return f"It can be acknowledged{f', but not {self.never_where}' if self.never_where else ''}."

    @property
    def only_upwards(self) -> bool:
        """Whether policy may raise it and never lower it: what is unknown, and what nobody can acknowledge."""
        return self.severity is Severity.UNKNOWN or not self.acknowledgeable


class Finding(Struct, frozen=True):
    """One thing found, by one rule, about one request or fact."""

    rule: str
    severity: Severity
    headline: str
    content: Any
    """What enters the fingerprint besides rule and subject (docs/contract.md#fingerprints), JSON types only."""
    subject: str
    """`ns/name` of the request, or the fact's name: enters the fingerprint."""
    request: str | None = None
    secret: str | None = None
    hop: int = 0
    guarded: tuple[Guard, str] | None = None
    """Whether CCO or CVO would have stopped the upgrade for it, and why; None where it is nothing to stop for."""
    grants: tuple[RequiredGrant, ...] = ()
    needs: tuple[Need, ...] = ()
    caveats: tuple[str, ...] = ()
    identity: Identity | None = None
    evidence: tuple[Evidence, ...] = ()
    remedy: tuple[Step, ...] = ()
    acknowledgeable: bool = True
    closed_by_annotation: bool = False
    awaited: bool = False
    """Whether nothing is left to do but to wait: the annotation is set, and CCO has not looked since."""
    """Whether setting the upgradeable-to annotation is all that closes it."""
    standing: bool = False
    """Whether it is so on every hop of this kind: as a warning it stops nothing, also under `--fail-on warning`."""

    @property
    def guard(self) -> Guard | None:
        """Whether CCO or CVO would have stopped the upgrade for it."""
        return self.guarded[0] if self.guarded else None

    @property
    def component(self) -> str | None:
        """The component's name, which is its request's."""
        return self.request.rpartition("/")[2] if self.request else None

    @property
    def fingerprint(self) -> str:
        """16 hex digits that name this finding for acknowledgements; stable against live state and wording."""
        return fingerprint(self.rule, self.subject, self.content)

    @property
    def settled(self) -> Status | None:
        """Where it stands by its needs (docs/contract.md#needs): PROVEN or DECLARED if all are met, None if not."""
        met = (NeedStatus.MET, NeedStatus.DECLARED)
        if not self.needs or any(n.status not in met or n.kind is NeedKind.DECISION for n in self.needs):
            return None
        return Status.DECLARED if any(n.status is NeedStatus.DECLARED for n in self.needs) else Status.PROVEN

    def with_severity(self, severity: Severity) -> Finding:
        """Return the same finding with another severity; the fingerprint stays."""
        return replace(self, severity=severity)


def fingerprint(rule: str, subject: str, content: Any) -> str:
    """Return the first 16 hex digits of SHA-256 over `[rule, subject, content]` as canonical JSON.

    See docs/contract.md#fingerprints.
    """
    return hashlib.sha256(canonical([rule, subject, content]).encode()).hexdigest()[:16]


class RuleGroup(Protocol):
    """A plugin in `rules/`: the rules it owns, and one function that raises their findings."""

    RULES: tuple[Rule, ...]

    def evaluate(self, situation: Situation) -> Iterable[Finding]:
        """Yield every finding of this group's rules; pure."""
        ...


def _groups() -> Iterable[RuleGroup]:
    return cast("Iterable[RuleGroup]", plugins.load_all("gate.rules"))


@cache
def catalogue() -> Mapping[str, Rule]:
    """Return every rule by its id, sorted by id."""
    found = [rule for group in _groups() for rule in group.RULES]
    return MappingProxyType({rule.id: rule for rule in sorted(found, key=lambda r: r.id)})


def evaluate(situation: Situation) -> tuple[Finding, ...]:
    """Run every rule group; findings come in the order of the report: missed first, then by severity."""
    found = [finding for group in _groups() for finding in group.evaluate(situation)]
    return in_order(_with_policies(situation, finding) for finding in found)


def _with_policies(situation: Situation, finding: Finding) -> Finding:
    """Return a finding with the places of policy files that speak of what it asks for."""
    request = situation.request(finding.request)
    if request is None or not any(need.kind is NeedKind.GRANTS for need in finding.needs):
        return finding
    places = situation.proof.policy_places(request, [g.grant for g in finding.grants])
    return replace(
        finding, evidence=(*finding.evidence, *(Evidence("policy", p.file, p.document, p.line) for p in places))
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings: by severity, what CCO and CVO miss first, then hop, subject, rule, fingerprint."""
    worst = list(Severity)
    return tuple(
        sorted(
            findings,
            key=lambda f: (
                worst.index(f.severity),
                f.guard is not Guard.MISSED,
                f.hop,
                f.subject,
                f.rule,
                f.fingerprint,
            ),
        )
    )
