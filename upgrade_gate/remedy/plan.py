"""Which steps of the plan a finding asks for, and which findings no step ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.contract.remedy import Serves
from upgrade_gate.gate.findings import RemedyStep, Severity, Status
from upgrade_gate.remedy import identity_change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.clouds.contract.remedy import Command, Step
    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.outcome import Plan
    from upgrade_gate.gate.verdict import WeighedFinding

__all__ = ["left", "steps_for"]

_SERVES = {
    **dict.fromkeys(identity_change.GRANT_RULES, frozenset({Serves.GRANTS})),
    **dict.fromkeys(
        identity_change.NEW_RULES, frozenset({Serves.NAMESPACE, Serves.GRANTS, Serves.TRUST, Serves.SECRET})
    ),
    **dict.fromkeys(identity_change.TRUST_RULES, frozenset({Serves.TRUST})),
    **dict.fromkeys(identity_change.SECRET_RULES, frozenset({Serves.NAMESPACE, Serves.SECRET})),
    **dict.fromkeys((*identity_change.CLEAN_UP_RULES, "request-removed"), frozenset({Serves.CLEAN_UP})),
}


def steps_for(plan: Plan, finding: Finding) -> tuple[RemedyStep, ...]:
    """Return the steps that a finding asks for, with the commands and files of the bundle.

    Where the bundle has none for it, the finding's own steps stand.
    """
    serves = _SERVES.get(finding.rule)
    secret = plan.passed_through or finding.secret
    if serves is None or secret is None:
        return finding.remedy
    found = [one for step in plan.steps if step.serves in serves and secret in step.secrets for one in _public(step)]
    return tuple(found) or finding.remedy


def left(plan: Plan, judged: Iterable[WeighedFinding]) -> tuple[Finding, ...]:
    """Return the open findings that keep the gate from passing and that no step here ends."""
    annotates = any(step.serves is Serves.ANNOTATION for step in plan.steps)
    return tuple(
        one.finding
        for one in judged
        if one.status is Status.OPEN
        and one.finding.severity in (Severity.BLOCKER, Severity.UNKNOWN)
        and steps_for(plan, one.finding) == one.finding.remedy
        and not (one.finding.closed_by_annotation and annotates)
    )


def _public(step: Step) -> Iterable[RemedyStep]:
    """Yield a step as the report shows it: one entry per command, each with the file that it reads.

    A command that has an alternative for what is there already says when which of the two is meant: the report has no
    `unless`, and a reader who runs the first one anyway would get an error.
    """
    tokens = tuple(p.token for p in step.placeholders)
    if not step.commands:
        yield RemedyStep(step.title, step.when, file=step.files[0] if step.files else None)
    for command in step.commands:
        for words, note in _variants(command):
            used = tuple(token for token in tokens if any(token in word for word in words))
            named = next((f for f in step.files if any(word.endswith(f) for word in words)), None)
            file = named or (step.files[0] if step.files else None)
            yield RemedyStep(f"{step.title}{note}", step.when, words, used, file)


def _variants(command: Command) -> Iterable[tuple[tuple[str, ...], str]]:
    """Yield the command lines of a command, each with the condition under which it is the one to run."""
    yield command.argv, ", where it does not exist yet" if command.unless or command.counts else ""
    if command.otherwise:
        yield command.otherwise, ", where it exists already"
