"""How a payload defines its requests: more than once, in contradiction, or for no cluster profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.gate.findings import Evidence, Finding, Need, NeedKind, NeedStatus, Rule, Severity
from upgrade_gate.gate.rules._common import missed, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.selection import Conflict, Selected
    from upgrade_gate.requests.update import Hop

RULES = (
    Rule(
        "request-unannotated",
        Severity.WARNING,
        "A request that CVO never applies, and whose Secret is read all the same",
        "Without any include.release.openshift.io annotation CVO ignores the request, yet its component reads the "
        "Secret and ccoctl users create it. It takes part in the diff.",
    ),
    Rule(
        "request-duplicate",
        Severity.WARNING,
        "A request is defined more than once, equally",
        "Harmless today; the definitions may part ways in a later release.",
    ),
    Rule(
        "request-conflict",
        Severity.BLOCKER,
        "Definitions of one request contradict each other",
        "Which one wins depends on the order of files, so what the component needs cannot be known. It cannot be "
        "acknowledged; report it to the release's vendor.",
        acknowledgeable=False,
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each rule and request, of the first release that gives reason for it."""
    seen: set[tuple[str, str]] = set()
    for hop in situation.hops:
        for finding in (*_conflicts(hop), *_marks(hop)):
            if (finding.rule, finding.subject) not in seen:
                seen.add((finding.rule, finding.subject))
                yield finding


def _conflicts(hop: Hop) -> Iterator[Finding]:
    for side, selection in (("from", hop.old_selection), ("to", hop.new_selection)):
        for conflict in selection.conflicts:
            yield _conflict(hop, side, conflict)


def _conflict(hop: Hop, side: str, conflict: Conflict) -> Finding:
    return Finding(
        rule="request-conflict",
        severity=Severity.BLOCKER,
        headline=f"{conflict.request} cannot be judged: {conflict.detail}",
        content=conflict.detail,
        subject=conflict.request,
        request=conflict.request,
        hop=hop.index,
        guarded=missed(hop),
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "the payload contradicts itself"),),
        evidence=tuple(Evidence(side, p.file, p.document, p.line) for p in conflict.locations),
        acknowledgeable=False,
    )


def _marks(hop: Hop) -> Iterator[Finding]:
    conflicts = {c.request for c in hop.new_selection.conflicts}
    for name, selected in hop.new_selection.requests.items():
        if selected.status == "unannotated":
            yield _mark(hop, selected, "request-unannotated", "is in no cluster profile: CVO never applies it")
        if len(selected.locations) > 1 and name not in conflicts:
            yield _mark(hop, selected, "request-duplicate", "is defined more than once")


def _mark(hop: Hop, selected: Selected, rule: str, text: str) -> Finding:
    request = selected.request
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        headline=f"{request.name} {text}",
        content=None,
        subject=request.id,
        request=request.id,
        secret=str(request.secret) if request.secret else None,
        hop=hop.index,
        evidence=places("to", selected),
    )
