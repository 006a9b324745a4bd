"""The gate: policy and acknowledgements weigh the findings, then one verdict with an exit code."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.base.facts import known_or
from upgrade_gate.gate import acknowledgements
from upgrade_gate.gate.findings import Finding, NeedStatus, Severity, Status, catalogue, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from upgrade_gate.gate.acknowledgements import Acknowledgement, Match
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.comparison import Comparison

Answer: TypeAlias = Literal["pass", "blocked", "undetermined"]
Next: TypeAlias = Literal["remediate", "annotate", "upgrade", "check-cluster", "retry", "none"]


class Weights(Struct, frozen=True):
    """How findings are weighed."""

    acknowledgements: tuple[Acknowledgement, ...] = ()
    policy: Mapping[str, Severity] = field(default_factory=dict)
    fail_on_warning: bool = False
    require_proof: bool = False
    today: date | None = None
    """None: the clock (UTC)."""


class WeighedFinding(Struct, frozen=True):
    """A finding with its status."""

    finding: Finding
    status: Status
    match: Match | None = None

    @property
    def open(self) -> bool:
        """Whether it still weighs."""
        return self.status is Status.OPEN


class Basis(Struct, frozen=True):
    """Whether the requirements that did not change were proven."""

    assumptions: tuple[str, ...]
    """What a verdict takes for granted, one clause each."""
    guesses: tuple[str, ...] = ()
    """What nobody said and no cluster was asked: `mode`, `credentials`, `profile`, `feature_set`, `capabilities`."""
    declared: bool = False
    """Whether policy files declare all that was not proven, so that no requirement is merely assumed."""
    lacking: bool = False
    """Whether a requirement was not proven of which a finding speaks that stops the upgrade."""

    @property
    def proven(self) -> bool:
        """Whether nothing is taken for granted and nothing is lacking."""
        return not self.assumptions and not self.lacking

    @property
    def name(self) -> Literal["proven", "declared", "assumed"]:
        """What the verdict rests on, in one word."""
        return "proven" if self.proven else "declared" if self.declared else "assumed"


class Verdict(Struct, frozen=True):
    """The answer."""

    status: Answer
    exit_code: ExitCode
    basis: Basis
    next: Next
    counts: Mapping[Severity, Mapping[Status, int]]
    summary: str
    fail_on: Literal["blocker", "warning"] = "blocker"
    """Lowest severity that blocks."""


def raised(weights: Weights) -> frozenset[str]:
    """Return the rules whose findings may stop the upgrade because the user said so: what they rest on is needed."""
    if weights.fail_on_warning:
        return frozenset(catalogue())
    stopping = (Severity.BLOCKER, Severity.UNKNOWN)
    return frozenset(rule for rule, severity in weights.policy.items() if severity in stopping)


def stops(item: WeighedFinding, weights: Weights) -> bool:
    """Return whether a finding keeps the verdict from being pass."""
    stopping = {Severity.BLOCKER, Severity.UNKNOWN} | ({Severity.WARNING} if weights.fail_on_warning else set())
    return item.open and item.finding.severity in stopping


def weigh(findings: Iterable[Finding], situation: Situation, weights: Weights) -> tuple[WeighedFinding, ...]:
    """Give each finding its severity by policy and its status, and add what is to say about acknowledgements.

    Proven goes before acknowledged. An acknowledgement of something that can never be acknowledged is ignored and
    reported as unused (docs/contract.md#acknowledgements).
    """
    today = weights.today or datetime.now(UTC).date()
    judged = [_weighed(_by_policy(finding, weights.policy), situation, weights, today) for finding in findings]
    used = {item.finding.fingerprint for item in judged if item.match is not None}
    judged = [_settled(item, judged, weights) for item in judged]
    said = [about for item in judged if item.match is not None for about in _about_match(item, item.match, today)]
    said += [_unused(entry) for entry in weights.acknowledgements if entry.fingerprint not in used]
    judged += [WeighedFinding(_by_policy(finding, weights.policy), Status.OPEN) for finding in said]
    order = {id(f): i for i, f in enumerate(in_order(j.finding for j in judged))}
    return tuple(sorted(judged, key=lambda j: order[id(j.finding)]))


def _weighed(finding: Finding, situation: Situation, weights: Weights, today: date) -> WeighedFinding:
    """Give a finding its status: proven goes before acknowledged."""
    match = None
    if finding.acknowledgeable and catalogue()[finding.rule].acknowledgeable:
        cluster, target = situation.cluster, situation.target
        match = acknowledgements.match(
            weights.acknowledgements,
            finding.fingerprint,
            today=today,
            to_version=target.version if target else None,
            cluster_id=known_or(cluster.id, None) if cluster else None,
            cluster_name=known_or(cluster.name, None) if cluster else None,
        )
    if finding.settled is not None:
        return WeighedFinding(finding, finding.settled, match)
    accepted = match is not None and not match.expired
    return WeighedFinding(finding, Status.ACKNOWLEDGED if accepted else Status.OPEN, match)


def _settled(item: WeighedFinding, judged: Sequence[WeighedFinding], weights: Weights) -> WeighedFinding:
    """Lower a word of CCO to info where it holds nothing back (docs/contract.md#findings).

    That its word is unproven, once no change is open. That it waits for the annotation, on a patch, where warnings
    stop: in manual mode it always does, and CVO lets every patch through.
    """
    finding = item.finding
    if finding.severity is Severity.WARNING and finding.standing and weights.fail_on_warning:
        return replace(item, finding=finding.with_severity(Severity.INFO))
    if finding.rule != "cco-verdict-unproven" or finding.severity is not Severity.WARNING:
        return item
    work = (j.finding for j in judged if j.open and j.finding.guard is not None and j.finding.request is not None)
    if any(f.severity in (Severity.BLOCKER, Severity.UNKNOWN) for f in work):
        return item
    return replace(item, finding=item.finding.with_severity(Severity.INFO))


def _by_policy(finding: Finding, policy: Mapping[str, Severity]) -> Finding:
    """Apply the policy's severity where the finding has its rule's default; else only upwards."""
    wanted = policy.get(finding.rule)
    if wanted is None:
        return finding
    worst, rule = list(Severity), catalogue()[finding.rule]
    if worst.index(wanted) > worst.index(finding.severity) and (
        finding.severity is not rule.severity or rule.only_upwards or not finding.acknowledgeable
    ):
        return finding
    return finding.with_severity(wanted)


def _about_match(item: WeighedFinding, match: Match, today: date) -> Iterable[Finding]:
    finding, entry = item.finding, match.acknowledgement
    if match.expired:
        rule, severity, text = "acknowledgement-expired", Severity.WARNING, f"ran out on {entry.expires}"
    elif entry.expires_soon(today):
        rule, severity, text = "acknowledgement-expiring", Severity.INFO, f"runs out on {entry.expires}"
    else:
        return
    yield Finding(
        rule=rule,
        severity=severity,
        headline=f"the acknowledgement of {finding.fingerprint} by {entry.owner} {text}: {finding.headline}",
        content=entry.fingerprint,
        subject=finding.subject,
        request=finding.request,
        hop=finding.hop,
    )


def _unused(entry: Acknowledgement) -> Finding:
    place = f" ({entry.file}:{entry.line})" if entry.file else ""
    return Finding(
        rule="acknowledgement-unused",
        severity=Severity.INFO,
        headline=f"the acknowledgement of {entry.fingerprint} by {entry.owner} matches no finding{place}",
        content=entry.fingerprint,
        subject=entry.fingerprint,
    )


def decide(judged: Sequence[WeighedFinding], basis: Basis, compared: Comparison, weights: Weights) -> Verdict:
    """Return the verdict: blocked by any open blocker, undetermined by any open unknown, else pass."""
    stopping = [j.finding for j in judged if stops(j, weights)]
    unknowns = [f for f in stopping if f.severity is Severity.UNKNOWN]
    blockers = [f for f in stopping if f.severity is not Severity.UNKNOWN]
    status: Answer = "blocked" if blockers else "undetermined" if unknowns else "pass"
    if status == "pass" and weights.require_proof and not basis.proven:
        status = "undetermined"
    step: Next
    match status:
        case "pass":
            alone = compared.cluster is None
            code, step = ExitCode.PASS, "check-cluster" if alone else "upgrade"
            step = "none" if compared.same_release else step
            sources = "the releases and the policy files" if basis.declared else "the releases alone"
            summary = f"PASS {f'on {sources}, ' * alone}{compared.path}{_resting_on(judged, basis)}"
        case "blocked":
            code, step = ExitCode.BLOCKED, _next_of_blocked(blockers, unknowns)
            summary = f"BLOCKED {compared.path}: {_blocked_by(blockers, unknowns)}"
        case "undetermined":
            code, step = ExitCode.UNDETERMINED, "retry"
            summary = f"CANNOT TELL {compared.path}: {_not_told(unknowns, basis)}"
    tally = Counter((j.finding.severity, j.status) for j in judged)
    counts = {severity: {status_: tally[severity, status_] for status_ in Status} for severity in Severity}
    fail_on: Literal["blocker", "warning"] = "warning" if weights.fail_on_warning else "blocker"
    return Verdict(status, code, basis, step, counts, f"{summary}{_settled_by(judged)}", fail_on)


def _next_of_blocked(blockers: Sequence[Finding], unknowns: Sequence[Finding]) -> Next:
    """Return the annotation where it is all that is left, and waiting where it is set and CCO has not seen it."""
    if unknowns or not all(f.closed_by_annotation for f in blockers):
        return "remediate"
    return "retry" if all(f.awaited for f in blockers) else "annotate"


def _resting_on(judged: Sequence[WeighedFinding], basis: Basis) -> str:
    if not basis.proven:
        return f", assuming that {_assumed(basis)}"
    left = any(need.status is not NeedStatus.MET for j in judged for need in j.finding.needs)
    return f": {'what did not change' if left else 'every requirement'} is proven"


def _blocked_by(blockers: Sequence[Finding], unknowns: Sequence[Finding]) -> str:
    """Say how many findings block; that CCO waits for the annotation is no work, and is counted apart."""
    work = [f for f in blockers if not f.closed_by_annotation]
    unclear = f"; {_untold(unknowns)}" if unknowns else ""
    if not work:
        waits = "CCO has not seen the annotation yet" if all(f.awaited for f in blockers) else None
        return f"{waits or 'only the annotation is missing'}{unclear}"
    text = "1 finding blocks" if len(work) == 1 else f"{len(work)} findings block"
    missed = sum(f.guard == "missed" for f in work)
    unseen = f", {missed} of them not caught by OpenShift" if missed else ""
    if missed == len(work):
        unseen = f",{' all' if missed > 1 else ''} not caught by OpenShift"
    annotation = "; then the annotation" if any(f.closed_by_annotation and not f.awaited for f in blockers) else ""
    return f"{text} the upgrade{unseen}{unclear}{annotation}"


def _not_told(unknowns: Sequence[Finding], basis: Basis) -> str:
    if not unknowns:
        return f"proof is required, and it is only assumed that {_assumed(basis)}"
    return _untold(unknowns)


def _untold(unknowns: Sequence[Finding]) -> str:
    return "1 thing is not known" if len(unknowns) == 1 else f"{len(unknowns)} things are not known"


def _settled_by(judged: Sequence[WeighedFinding]) -> str:
    accepted = sum(j.status is Status.ACKNOWLEDGED for j in judged)
    proven = sum(j.status is Status.PROVEN for j in judged)
    declared = sum(j.status is Status.DECLARED for j in judged)
    said = [f"{accepted} acknowledged"] if accepted else []
    said += [f"{proven} proven"] if proven else []
    said += [f"{declared} declared"] if declared else []
    return f" ({', '.join(said)})" if said else ""


def _assumed(basis: Basis) -> str:
    first, rest = basis.assumptions[0], len(basis.assumptions) - 1
    return f"{first}, and {rest} more" if rest else first
