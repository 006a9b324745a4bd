"""The order in which every format shows a report: what OpenShift does not catch first, what needs nothing last."""

from __future__ import annotations

import json
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from upgrade_gate.clouds.contract.grants import scope_text
from upgrade_gate.requests.names import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.report.document import (
        ChangeView,
        ClusterView,
        Excluded,
        FactView,
        FindingView,
        IdentityView,
        NeedView,
        Report,
        VerdictView,
    )
    from upgrade_gate.report.grant_document import GrantView
    from upgrade_gate.report.history_document import GrantFields
    from upgrade_gate.report.rollback_document import KeptView

MISSED_TITLE = "Not caught by OpenShift"
ROLLBACK_TITLE = "Keep for a rollback"

_STATUS = ("open", "acknowledged", "declared", "proven")
_SEVERITY = ("blocker", "unknown", "warning", "info")
STATES = {"pass": "PASS", "blocked": "BLOCKED", "undetermined": "CANNOT TELL"}


class Stance(StrEnum):
    """What a finding means to a pipeline, gravest first."""

    BLOCKS = "blocks"
    OPEN = "open"
    WARNS = "warns"
    ACCEPTED = "accepted"
    SAYS = "says"


class Sections(Struct, frozen=True):
    """Every finding once, each part sorted worst first."""

    missed: tuple[FindingView, ...]
    """Neither CCO nor CVO would have stopped the upgrade for these; open, acknowledged and proven ones."""
    others: tuple[FindingView, ...]
    folded: tuple[FindingView, ...]
    """Severity info: nothing to do before the upgrade."""

    @property
    def all(self) -> tuple[FindingView, ...]:
        """All findings in the order of a report."""
        return self.missed + self.others + self.folded


class Component(Struct, frozen=True):
    """What a report says about one request: its changes, hop by hop, and its findings."""

    request: str
    changes: tuple[ChangeView, ...]
    findings: tuple[FindingView, ...]

    @property
    def name(self) -> str:
        """The component's name as people say it."""
        return spoken(self.request)

    @property
    def risky(self) -> bool:
        """Whether anything that comes with the upgrade carries a risk mark."""
        grants = [g for c in self.changes for g in c.permissions.added if g.covered_by is None]
        return any(g.risk for g in (*grants, *(g for f in self.findings for g in f.grants if g.held_by is None)))

    @property
    def tally(self) -> tuple[tuple[str, str], ...]:
        """Say in figures how the permissions differ, each with its kind: add, del, same."""
        diffs = [diff_of(c) for c in self.changes]
        new, gone = sum(len(d.new) for d in diffs), sum(len(d.gone) for d in diffs)
        held = sum(len(d.covered) for d in diffs)
        said = ((f"+{new}", "add", new), (f"-{gone}", "del", gone), (f"{held} covered already", "same", held))
        return tuple((text, kind) for text, kind, number in said if number)

    @property
    def worst(self) -> FindingView | None:
        """The finding that decides where the component stands."""
        return self.findings[0] if self.findings else None


class GrantDiffView(Struct, frozen=True):
    """The permissions of one change, as a reader wants them: what is new apart from what is only spelt anew."""

    new: tuple[GrantView, ...]
    covered: tuple[GrantView, ...]
    gone: tuple[GrantView, ...]
    still_covered: tuple[GrantView, ...]

    @property
    def only_new(self) -> tuple[GrantView, ...]:
        """New grants that replace none."""
        return tuple(g for g in self.new if g.permission.casefold() not in self.replaced)

    @property
    def only_gone(self) -> tuple[GrantView, ...]:
        """Grants that went and that none replaces."""
        return tuple(g for g in self.gone if g.permission.casefold() not in self.replaced)

    @property
    def replaced(self) -> Mapping[str, GrantView]:
        """Grants that went while the same permission came with other terms: what was widened or narrowed."""
        came = {g.permission.casefold() for g in self.new}
        return {g.permission.casefold(): g for g in self.gone if g.permission.casefold() in came}


def waits_for_the_rest(finding: FindingView) -> bool:
    """Return whether it is CCO's refusal and ends with the annotation: the last step, and no work of its own.

    CCO refuses for other reasons too, such as a missing root credential.
    """
    refuses = finding.rule == "cco-not-upgradeable" and finding.severity == "blocker" and finding.status == "open"
    return refuses and any({"annotate", "wait"} & set(step.argv) for step in finding.remedy)


def weight(finding: FindingView) -> tuple[int, int, bool, int, str, str, str]:
    """Return what a report sorts findings by: open before settled, worst severity first, then by name.

    CCO's own refusal comes after the work that it waits for.
    """
    return (
        _STATUS.index(finding.status),
        _SEVERITY.index(finding.severity),
        waits_for_the_rest(finding),
        finding.hop,
        finding.subject,
        finding.rule,
        finding.fingerprint,
    )


def sections(findings: Iterable[FindingView]) -> Sections:
    """Sort findings into what the cluster's own guards miss, the others, and what needs nothing."""
    ordered = sorted(findings, key=weight)
    serious = [f for f in ordered if f.severity != "info"]
    return Sections(
        missed=tuple(f for f in serious if f.guard == "missed"),
        others=tuple(f for f in serious if f.guard != "missed"),
        folded=tuple(f for f in ordered if f.severity == "info"),
    )


def components(report: Report) -> tuple[Component, ...]:
    """Group changes and findings by request, the component in most need of attention first."""
    changes: dict[str, list[ChangeView]] = {}
    for change in report.changes:
        changes.setdefault(change.request, []).append(change)
    ordered = sections(report.findings).all
    findings: dict[str, list[FindingView]] = {}
    for finding in ordered:
        if finding.request is not None:
            findings.setdefault(finding.request, []).append(finding)
    place = {id(finding): position for position, finding in enumerate(ordered)}
    found = [
        Component(
            request,
            tuple(sorted(changes.get(request, ()), key=lambda c: c.hop)),
            tuple(findings.get(request, ())),
        )
        for request in sorted(changes.keys() | findings.keys())
    ]
    return tuple(sorted(found, key=lambda c: place[id(c.findings[0])] if c.findings else len(ordered)))


def diff_of(change: ChangeView) -> GrantDiffView:
    """Split the grants of a change by whether something else already holds them; risky ones first."""

    def pick(grants: Sequence[GrantView], *, covered: bool, by: str) -> tuple[GrantView, ...]:
        chosen = [g for g in grants if (getattr(g, by) is not None) is covered]
        return tuple(sorted(chosen, key=grant_order))

    added, removed = change.permissions.added, change.permissions.removed
    return GrantDiffView(
        new=pick(added, covered=False, by="covered_by"),
        covered=pick(added, covered=True, by="covered_by"),
        gone=pick(removed, covered=False, by="still_covered_by"),
        still_covered=pick(removed, covered=True, by="still_covered_by"),
    )


def grant_order(grant: GrantView) -> tuple[bool, str, str]:
    """Return what grants are sorted by: risky ones first, then by name, then by all they say."""
    return not grant.risk, grant.permission.casefold(), grant_text(grant)


def asked(finding: FindingView) -> tuple[GrantView, ...]:
    """Return the grants that a finding asks for and that nothing contains yet; risky ones first."""
    return tuple(sorted((g for g in finding.grants if g.covered_by is None and g.held_by is None), key=grant_order))


_HELD_LISTED = 20
"""Held grants that a text names; all of them stand in the JSON report."""


def held_lines(finding: FindingView) -> tuple[str, ...]:
    """Return what a finding says is held although it is not asked for, with what gives it; a text names the first."""
    held = [g for g in finding.grants if g.held_by is not None]
    alike: dict[tuple[str | None, str | None], list[str]] = {}
    for grant in held[:_HELD_LISTED]:
        alike.setdefault((grant.held_by, grant.covered_by), []).append(marked(grant))
    lines = [
        f"{', '.join(names)}, by {by}"
        + (f"; only {asking} asks for it: keep it until a rollback is out of the question" if asking else "")
        for (by, asking), names in alike.items()
    ]
    rest = [f"and {len(held) - _HELD_LISTED} more, all of them in the JSON report"] if len(held) > _HELD_LISTED else []
    return (*lines, *rest)


def access_text(grant: GrantView) -> str:
    """Return what a grant lets its holder do, in words; empty where nobody says."""
    return (grant.access or "").replace("-", " ")


def marked(grant: GrantView) -> str:
    """Return a grant in one line with its access level, its risk classes, and the pair that it completes."""
    text = grant_text(grant)
    text += f" ({grant.only})" if grant.only else ""
    if grant.access:
        text += f" ({access_text(grant)})"
    if not grant.risk:
        return text
    pair = f" with {', '.join(grant.completes)}" if grant.completes else ""
    return f"{text} [{', '.join(grant.risk)}{pair}]"


def grant_text(grant: GrantView | GrantFields) -> str:
    """Return a grant in one line: the permission and whatever narrows it."""
    parts = [grant.permission]
    if grant.effect not in {None, "Allow"}:
        parts.insert(0, f"{grant.effect}:")
    match grant.type:
        case "dataPermission":
            parts.append("(data plane)")
        case "roleBinding" | "role" | "predefinedRole":
            parts.insert(0, "role")
        case _:
            pass
    if grant.resource not in {None, "*"}:
        parts.append(f"on {grant.resource}")
    if grant.scope is not None:
        parts.append(f"on {scope_text(grant.scope)}")
    if grant.condition is not None:
        parts.append(f"if {compact(grant.condition)}")
    return " ".join(parts)


def compact(value: Any) -> str:
    """Return a value of the data as text: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 permission`, `2 permissions`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def rollback_lines(report: Report) -> tuple[str, ...]:
    """Return what must stay for a rollback: first until when, then a line for each component; empty without a pass."""
    found = report.rollback
    if found is None:
        return ()
    if not found.kept:
        return (f"A rollback to {found.version} needs nothing that the target does not ask for.",)
    return (f"Keep these {found.until}.", *(_kept(one) for one in found.kept))


def _kept(one: KeptView) -> str:
    said = []
    if one.whole:
        again = ", which CCO deletes with the update: a rollback needs it made again"
        said.append(f"Secret {one.secret}{again if one.deleted_by_cco else ' and all that its identity holds'}")
    if one.grants:
        said.append(", ".join(grant_text(grant) for grant in one.grants))
    if one.service_accounts:
        said.append(f"the trust in {', '.join(one.service_accounts)}")
    return f"{one.component}, asked for by {one.asked_by}: {'; '.join(said)}"


def facts_read(cluster: ClusterView | None) -> str:
    """Return how much of the cluster is known, the sentence that every report begins with."""
    if cluster is None:
        return "no cluster was read: judged from the releases alone"
    read = sum(fact.state != "unknown" for fact in cluster.facts)
    return f"read {read} of {counted(len(cluster.facts), 'fact')}"


def unread_facts(cluster: ClusterView | None) -> tuple[FactView, ...]:
    """Return the facts that could not be read."""
    return tuple(f for f in cluster.facts if f.state == "unknown") if cluster else ()


def path_of(report: Report) -> str:
    """Return the path of releases: `4.13.0 -> 4.14.0 (minor)`, one arrow a hop.

    A diff may compare folders that do not say which release they are.
    """
    if not report.hops:
        return "no releases"
    if not all(hop.from_.version and hop.to.version for hop in report.hops):
        if report.verdict is not None:
            return "the releases were not read"
        stops = [hop.to for hop in report.hops]
        return " -> ".join(stop.version or stop.reference for stop in (report.hops[0].from_, *stops))
    path = report.hops[0].from_.version
    for hop in report.hops:
        path += f" -> {hop.to.version} ({'same release' if hop.kind == 'none' else hop.kind})"
    return path


def mode_and_credentials(mode: str, credentials: str, *, either: bool) -> tuple[str, str]:
    """Return both in words; `either`: what credentials nobody told was judged as keys and as tokens."""
    kinds = {
        "unknown": "keys or tokens" if either else "credentials unknown",
        "none": "no credentials",
        "keys": "static keys",
        "token": "short-lived tokens",
    }
    return "mode unknown" if mode == "unknown" else f"{mode} mode", kinds.get(credentials, credentials)


def judged_by(report: Report) -> str:
    """Return by what the requests were chosen: platform, mode, credentials, profile, feature set; guesses marked."""
    guesses = report.verdict.guesses if report.verdict else []

    def said(name: str, text: str) -> str:
        return f"{text} (assumed)" if name in guesses and text else text

    parts = [report.platform or "platform unknown"]
    if report.verdict:  # a diff asks nobody how the cluster gets its credentials
        mode, credentials = mode_and_credentials(report.mode, report.credentials, either="credentials" in guesses)
        parts += [said("mode", mode), said("credentials", credentials)]
    chosen = [said("profile", report.selection.profile), said("feature_set", report.selection.feature_set)]
    chosen += [said("capabilities", "every capability")] if "capabilities" in guesses else []
    return f"{', '.join(parts)}; {', '.join(part for part in chosen if part)}"


_APPLIED = {
    "applied": "applied",
    "unannotated": "not applied by OpenShift, but read by its component",
    "overridden": "left alone by OpenShift, while its component is updated",
    "absent": "not there",
    "excluded": "not applied here",
}


def selection_text(change: ChangeView) -> str:
    """Return whether a release applies the request where that changes, and why; empty where it stays applied."""
    before, after = change.selection.from_, change.selection.to
    said = [] if before == after else [f"{_APPLIED.get(before, before)} before, {_APPLIED.get(after, after)} after"]
    said += [change.selection.why] if change.selection.why else []
    return ": ".join(said)


def state_of(report: Report) -> str:
    """Return the word of the verdict; DIFF where nothing was judged."""
    return STATES[report.verdict.status] if report.verdict else "DIFF"


def sentence(report: Report) -> str:
    """Return the verdict in one sentence, without the word itself; for a diff what changed."""
    verdict = report.verdict
    if verdict is None:
        return _diff_sentence(report)
    text = verdict.summary
    for word in (STATES[verdict.status], verdict.status.upper()):
        if text.startswith(word):
            return text[len(word) :].lstrip(" :,;-") or _counts(verdict)
    return text or _counts(verdict)


def word_of(finding: FindingView) -> str:
    """Return the one word for a finding: its severity while it is open, else where it stands."""
    return finding.severity if finding.status == "open" else finding.status


def guard_line(finding: FindingView) -> tuple[str, str]:
    """Return whether CCO and CVO miss a finding with a guard or stop the upgrade for it, and why."""
    who = "not caught by OpenShift" if finding.guard == "missed" else "caught by OpenShift"
    return who, finding.guard_reason or "no reason given"


def stance(finding: FindingView, report: Report) -> Stance:
    """Return what a finding means to a pipeline: it blocks, leaves the verdict open, is accepted, or just says so."""
    severity = finding.severity
    if severity == "warning" and report.verdict and report.verdict.fail_on == "warning":
        severity = "blocker"
    match severity, finding.status:
        case "blocker", "open":
            return Stance.BLOCKS
        case "unknown", "open":
            return Stance.OPEN
        case "blocker" | "unknown" | "warning", "acknowledged":
            return Stance.ACCEPTED
        case "warning", "open":
            return Stance.WARNS
        case _:
            return Stance.SAYS


def _diff_sentence(report: Report) -> str:
    if not report.changes:
        return "No request changes."
    diffs = [diff_of(change) for change in report.changes]
    new, covered = sum(len(d.new) for d in diffs), sum(len(d.covered) for d in diffs)
    changed = counted(len(report.changes), "request changes", "requests change")
    text = f"{changed}, {counted(new + covered, 'permission')} added"
    return f"{text}, {covered:,} of them covered already." if covered else f"{text}."


def _counts(verdict: VerdictView) -> str:
    said = [
        counted(verdict.counts[s].open, f"open {s}")
        for s in _SEVERITY
        if s in verdict.counts and verdict.counts[s].open and s != "info"
    ]
    return f"{', '.join(said) or 'No open finding'}."


def state_of_grant(finding: FindingView, grant: GrantView) -> Literal["met", "declared", "unmet", "unknown"]:
    """Return whether the identity is shown to hold what a finding asks for; unmet where it has no identity yet."""
    needs = [need for need in finding.needs if need.kind == "grants"]
    need = min(needs, key=lambda need: ("unmet", "unknown", "declared", "met").index(need.status), default=None)
    if need is None:
        return "unmet"
    return need.of_each.get(grant.permission, "met") if need.of_each else need.status


def need_detail(need: NeedView) -> str:
    """Return what is said about a need, as short as it can be."""
    return need.in_short or need.detail


def source_of(identity: IdentityView) -> str:
    """Return how it was found which identity serves a Secret, in words."""
    known = {"secret": "the Secret", "configuration": "the configuration", "ccoctl-name": "ccoctl's naming"}
    known["policies"] = "the policy files"
    return known.get(identity.source, identity.source)


def left_out(report: Report) -> list[Excluded]:
    """Return what the last release of the path carries and does not apply here."""
    return [e for e in report.selection.excluded if e.side == "to" and e.hop == len(report.hops) - 1]


def excluded_reasons(excluded: Iterable[Excluded]) -> str:
    """Return how many requests of the target were left out, by reason, the commonest first."""
    reasons = Counter(e.reason for e in excluded)
    return ", ".join(f"{n} by {reason}" for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
