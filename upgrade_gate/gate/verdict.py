"""The gate: policy and acknowledgements weigh the findings, then one verdict with an exit code."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.gate import acknowledgements as acks
from upgrade_gate.gate.findings import Finding, NeedStatus, Severity, Status, catalogue, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from upgrade_gate.gate.acknowledgements import Acknowledgement, Match

__all__ = ["Basis", "Verdict", "WeighedFinding", "decide", "weigh"]

Outcome: TypeAlias = Literal["pass", "blocked", "undetermined"]
Next: TypeAlias = Literal["remediate", "annotate", "upgrade", "retry", "none"]


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

    proven: bool
    assumptions: tuple[str, ...]
    """What a verdict takes for granted, one clause each; empty when proven."""


class Verdict(Struct, frozen=True):
    """The answer."""

    status: Outcome
    exit_code: ExitCode
    basis: Basis
    next: Next
    counts: Mapping[Severity, Mapping[Status, int]]
    summary: str
    fail_on: Literal["blocker", "warning"] = "blocker"
    """The mildest severity that blocks."""


def weigh(
    findings: Iterable[Finding],
    acknowledgements: Sequence[Acknowledgement],
    *,
    today: date,
    to_version: str | None,
    cluster_id: str | None,
    cluster_name: str | None,
    policy: Mapping[str, Severity] | None = None,
) -> tuple[WeighedFinding, ...]:
    """Give each finding its severity by policy and its status, and add what is to say about acknowledgements.

    Proven goes before acknowledged. An acknowledgement of something that can never be acknowledged is ignored and
    reported as unused (design 16.1).
    """
    judged: list[WeighedFinding] = []
    used: set[Acknowledgement] = set()
    about: dict[str, Finding] = {}
    for original in findings:
        finding = _by_policy(original, policy or {})
        match = None
        if finding.acknowledgeable and catalogue()[finding.rule].acknowledgeable:
            match = acks.match(
                acknowledgements,
                finding.fingerprint,
                today=today,
                to_version=to_version,
                cluster_id=cluster_id,
                cluster_name=cluster_name,
            )
        if match is not None:
            used.update(a for a in acknowledgements if a.fingerprint == finding.fingerprint)
            about[finding.fingerprint] = finding
        status = Status.OPEN
        if finding.proven:
            status = Status.PROVEN
        elif match is not None and not match.expired:
            status = Status.ACKNOWLEDGED
        judged.append(WeighedFinding(finding, status, match))
    judged = [_settled(item, judged) for item in judged]
    for item in list(judged):
        if item.match is not None:
            judged.extend(_about_match(item.finding, item.match, today))
    judged.extend(_unused(a) for a in acknowledgements if a not in used)
    order = {id(f): i for i, f in enumerate(in_order(j.finding for j in judged))}
    return tuple(sorted(judged, key=lambda j: order[id(j.finding)]))


def _settled(item: WeighedFinding, judged: Sequence[WeighedFinding]) -> WeighedFinding:
    """Lower an unproven word of CCO to info once no change is open (design section 6)."""
    if item.finding.rule != "cco-verdict-unproven" or item.finding.severity is not Severity.WARNING:
        return item
    work = (j.finding for j in judged if j.open and j.finding.guard is not None and j.finding.request is not None)
    if any(f.severity in (Severity.BLOCKER, Severity.UNKNOWN) for f in work):
        return item
    return replace(item, finding=item.finding.with_severity(Severity.INFO))


def _by_policy(finding: Finding, policy: Mapping[str, Severity]) -> Finding:
    """Apply the policy's severity where the finding has its rule's default; else only upwards."""
    wanted = policy.get(finding.rule)
    if wanted is None or wanted is finding.severity:
        return finding
    worst = list(Severity)
    milder = worst.index(wanted) > worst.index(finding.severity)
    if milder and not finding.acknowledgeable:
        return finding
    if finding.severity is catalogue()[finding.rule].severity or worst.index(wanted) < worst.index(finding.severity):
        return finding.with_severity(wanted)
    return finding


def _about_match(finding: Finding, match: Match, today: date) -> Iterable[WeighedFinding]:
    entry = match.acknowledgement
    if match.expired:
        rule, severity, text = "acknowledgement-expired", Severity.WARNING, f"ran out on {entry.expires}"
    elif entry.expires_soon(today):
        rule, severity, text = "acknowledgement-expiring", Severity.INFO, f"runs out on {entry.expires}"
    else:
        return
    yield WeighedFinding(
        Finding(
            rule=rule,
            severity=severity,
            headline=f"the acknowledgement of {finding.fingerprint} by {entry.owner} {text}: {finding.headline}",
            content=entry.fingerprint,
            subject=finding.subject,
            request=finding.request,
            component=finding.component,
            hop=finding.hop,
        ),
        Status.OPEN,
    )


def _unused(entry: Acknowledgement) -> WeighedFinding:
    place = f" ({entry.file}:{entry.line})" if entry.file else ""
    return WeighedFinding(
        Finding(
            rule="acknowledgement-unused",
            severity=Severity.INFO,
            headline=f"the acknowledgement of {entry.fingerprint} by {entry.owner} matches nothing{place}",
            content=entry.fingerprint,
            subject=entry.fingerprint,
        ),
        Status.OPEN,
    )


def decide(
    judged: Sequence[WeighedFinding],
    basis: Basis,
    *,
    path: str,
    from_version: str,
    same_release: bool,
    fail_on_warning: bool = False,
    require_proof: bool = False,
) -> Verdict:
    """Return the verdict: blocked by any open blocker, undetermined by any open unknown, else pass.

    `path` is how the summary names the update.
    """
    blocking = {Severity.BLOCKER} | ({Severity.WARNING} if fail_on_warning else set())
    blockers = [j.finding for j in judged if j.open and j.finding.severity in blocking]
    unknowns = [j.finding for j in judged if j.open and j.finding.severity is Severity.UNKNOWN]
    status: Outcome = "blocked" if blockers else "undetermined" if unknowns else "pass"
    unproven = status == "pass" and require_proof and not basis.proven
    if unproven:
        status = "undetermined"
    step: Next
    match status:
        case "pass":
            step = "none" if same_release else "upgrade"
            code = ExitCode.PASS
        case "blocked":
            only_annotation = not unknowns and all(f.closed_by_annotation for f in blockers)
            step = "annotate" if only_annotation else "remediate"
            code = ExitCode.BLOCKED
        case "undetermined":
            step = "retry"
            code = ExitCode.UNDETERMINED
    tally = Counter((j.finding.severity, j.status) for j in judged)
    counts = {severity: {status_: tally[severity, status_] for status_ in Status} for severity in Severity}
    summary = _summary(judged, status, blockers, unknowns, basis, path=path, from_version=from_version)
    return Verdict(status, code, basis, step, counts, summary, "warning" if fail_on_warning else "blocker")


def _summary(
    judged: Sequence[WeighedFinding],
    status: Outcome,
    blockers: Sequence[Finding],
    unknowns: Sequence[Finding],
    basis: Basis,
    *,
    path: str,
    from_version: str,
) -> str:
    accepted = sum(j.status is Status.ACKNOWLEDGED for j in judged)
    proven = sum(j.status is Status.PROVEN for j in judged)
    tail = [f"{accepted} acknowledged"] if accepted else []
    tail += [f"{proven} proven"] if proven else []
    extra = f" ({', '.join(tail)})" if tail else ""
    match status:
        case "pass":
            if basis.proven:
                left = any(need.status is not NeedStatus.MET for j in judged for need in j.finding.needs)
                what = "what did not change" if left else "every requirement"
                return f"PASS {path}: {what} is proven{extra}"
            return f"PASS {path}, assuming that {_assumed(basis, from_version)}{extra}"
        case "blocked":
            missed = sum(f.guard == "missed" for f in blockers)
            words = "1 finding blocks" if len(blockers) == 1 else f"{len(blockers)} findings block"
            text = f"BLOCKED {path}: {words} the upgrade"
            if missed:
                text += (
                    f", {missed} of them unseen by CCO and CVO"
                    if missed < len(blockers)
                    else (", unseen by CCO and CVO" if len(blockers) == 1 else ", all unseen by CCO and CVO")
                )
            if unknowns:
                text += f"; {len(unknowns)} could not be determined"
            return f"{text}{extra}"
        case "undetermined":
            if unknowns:
                words = "1 thing" if len(unknowns) == 1 else f"{len(unknowns)} things"
                return f"CANNOT TELL {path}: {words} could not be determined{extra}"
            taken = _assumed(basis, from_version)
            return f"CANNOT TELL {path}: proof is required, and it is only assumed that {taken}{extra}"


def _assumed(basis: Basis, from_version: str) -> str:
    if not basis.assumptions:
        return f"{from_version}'s permissions are in place (not checked)"
    first, rest = basis.assumptions[0], len(basis.assumptions) - 1
    return f"{first} (and {rest} more)" if rest else first
