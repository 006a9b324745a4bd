"""What the rule groups share: severities by mode, evidence, guards in words, grants with their risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.steps import Command, Step, line
from upgrade_gate.clouds.contract.risk import rate
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.rights import is_forbidden
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import Evidence, Finding, RequiredGrant, Severity
from upgrade_gate.requests.diff import AddedGrant
from upgrade_gate.requests.update import GUARDED_HOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.base.facts import Unknown
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.cluster.model import Condition
    from upgrade_gate.gate.findings import Guard
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.diff import Change
    from upgrade_gate.requests.selection import Selected
    from upgrade_gate.requests.update import Hop


FOR_GOOD = "once the upgrade is complete and will not be rolled back"
"""When what only an earlier release asks for may go."""


def minted(situation: Situation, change: Change) -> bool:
    """Return whether CCO grants by itself what a change asks for: in mint mode, where CVO hands it the new request."""
    return situation.mode is Mode.MINT and not change.left_alone


def by_hand(situation: Situation, change: Change) -> bool:
    """Return whether a person makes the Secret of a change: in manual mode, and where CCO never reads the request."""
    return situation.mode.by_hand or change.left_alone


def missed(hop: Hop) -> tuple[Guard, str]:
    """Return the guard of a change that CCO can never see, with the reason in words."""
    return cco.guard_permission(hop.kind)


def named(grants: Sequence[RequiredGrant]) -> str:
    """Return the permissions as a headline names them: the riskiest, and another or how many more."""
    ordered = sorted(grants, key=lambda g: (not g.rating.risk, g.grant.permission.casefold()))
    names = list(dict.fromkeys(g.grant.permission for g in ordered))
    if len(names) > 2:
        return f"{names[0]} and {count(len(names) - 1, 'more permission')}"
    return " and ".join(names)


def of_change(
    hop: Hop,
    change: Change,
    *,
    rule: str,
    severity: Severity,
    headline: str,
    content: object,
    grants: Sequence[AddedGrant] = (),
) -> Finding:
    """Return what every finding about a change says; a rule adds what it asks for."""
    request = request_of(change)
    return Finding(
        rule=rule,
        severity=severity,
        headline=headline,
        content=content,
        subject=change.request,
        request=change.request,
        secret=str(request.secret),
        hop=hop.index,
        grants=required(request, grants, hop.held_with(change)),
        evidence=(*places("from", change.before), *places("to", change.after)),
    )


def request_of(change: Change) -> CredentialsRequest:
    """Return the target's request of a change, the current release's where it goes."""
    request = change.request_after or change.request_before
    assert request is not None  # noqa: S101 - a change has at least one side
    return request


def places(side: str, selected: Selected | None) -> tuple[Evidence, ...]:
    """Return every document that defines a selected request."""
    listed = selected.locations if selected else ()
    return tuple(Evidence(side, place.file, place.document, place.line) for place in listed)


def required(
    request: CredentialsRequest, grants: Iterable[AddedGrant], beside: Sequence[Grant]
) -> tuple[RequiredGrant, ...]:
    """Return grants for a finding, each with the risk that it adds to what the identity has as well."""
    kind = request.provider_kind
    return tuple(RequiredGrant(a.grant, a.covered_by, rate(kind, a.grant, beside)) for a in grants)


def content_of(grants: Iterable[AddedGrant]) -> list[dict[str, object]]:
    """Return grants as they enter a fingerprint: six fields each, sorted by their canonical JSON."""
    return [a.grant.as_dict() for a in sorted(grants, key=lambda a: a.grant.canonical)]


def looking(title: str, command: str) -> Step:
    """Return a step that only looks at something."""
    return Step(title, "before", commands=(Command(line(command)),))


def reading_steps(fact: Unknown, situation: Situation) -> tuple[Step, ...]:
    """Return what makes a fact known: its own remedy, and where RBAC refused the read, the roles of a whole check."""
    own = (Step(fact.remedy, "before"),) if fact.remedy else ()
    if not is_forbidden(fact):
        return own
    roles = line("upgrade-gate init rbac", to=situation.asked)
    together = "an administrator can allow all reads at once, with what this prints"
    return (*own, Step("allow all reads of this check", "before", commands=(Command(roles, in_case=together),)))


def root_name(situation: Situation) -> str:
    """Return the Secret of the root credential that CCO works with, in words where the platform is not known."""
    traits = situation.platform_traits
    return str(traits.root) if traits else "of the platform"


def count(number: int, noun: str) -> str:
    """Return `1 permission`, `3 permissions`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def first_guarded(situation: Situation) -> Hop:
    """Return the first hop that Upgradeable=False would hold back, else the first of all."""
    return next((hop for hop in situation.hops if hop.kind in GUARDED_HOPS), situation.hops[0])


def words_of(condition: Condition) -> str:
    """Return what a condition gives as its reason, without the full stop of a message: more words may follow."""
    said = [part.rstrip(". ") for part in (condition.reason, condition.message) if part]
    return ", ".join(said) or f"{condition.type} says nothing"


def of_cluster(name: str) -> Evidence:
    """Return an object of the cluster as evidence."""
    return Evidence("cluster", name)
