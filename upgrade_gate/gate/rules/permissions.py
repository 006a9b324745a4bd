"""Permission changes of requests that both releases have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.base.steps import Step
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate.findings import Finding, Need, RequiredGrant, Rule, Severity
from upgrade_gate.gate.requirements import grants_need
from upgrade_gate.gate.rules._common import (
    FOR_GOOD,
    content_of,
    count,
    minted,
    missed,
    named,
    of_change,
)
from upgrade_gate.requests.diff import Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.diff import AddedGrant, Change
    from upgrade_gate.requests.update import Hop

RULES = (
    Rule(
        "permission-added",
        Severity.BLOCKER,
        "A component needs a permission that no release needed before",
        "The target release asks for a permission that the current release does not ask for. OpenShift does not "
        "check permissions: CCO only compares an annotation with a version. Without the permission the component "
        "fails after the upgrade. Grant it to the identity behind the named Secret, then prove it with "
        "--identities, or acknowledge the finding. In mint mode CCO grants it by itself (info).",
    ),
    Rule(
        "permission-widened",
        Severity.BLOCKER,
        "A component needs a permission in a wider form than before",
        "The current release asks for the same permission under a condition, for fewer resources or at a lower "
        "scope. A policy that grants exactly that is no longer enough. Widen it as the finding shows.",
    ),
    Rule(
        "permission-rephrased",
        Severity.INFO,
        "A permission is written differently, and what is held already covers it",
        "What the current release asks for already contains it, by a wildcard or a role. There is nothing to do "
        "before the upgrade.",
    ),
    Rule(
        "permission-narrowed",
        Severity.INFO,
        "A component needs a permission in a narrower form than before",
        "The current release asks for the same permission in a wider form. You may narrow the policy after the "
        "upgrade.",
    ),
    Rule(
        "permission-removed",
        Severity.INFO,
        "A component no longer needs a permission",
        "Take it away after the upgrade, once it will not be rolled back: until then the release before may need it.",
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each rule and changed request."""
    for hop, change in situation.changes():
        if change.after is None:
            continue
        if change.kind in ("changed", "renamed"):
            yield from _additions(situation, hop, change)
        if change.before is not None:
            yield from _removals(hop, change)


def _additions(situation: Situation, hop: Hop, change: Change) -> Iterator[Finding]:
    by_why: dict[Why, list[AddedGrant]] = {}
    for added in change.added:
        by_why.setdefault(added.why, []).append(added)
    if new := by_why.get(Why.NEW):
        yield _work(situation, hop, change, "permission-added", new)
    if widened := by_why.get(Why.WIDENED):
        yield _work(situation, hop, change, "permission-widened", widened)
    if covered := by_why.get(Why.COVERED):
        text = f"{change.component} asks for {count(len(covered), 'permission')} that it already has under another name"
        yield _told(hop, change, "permission-rephrased", covered, text)
    if narrowed := by_why.get(Why.NARROWED):
        text = f"{change.component} needs {count(len(narrowed), 'permission')} in a narrower form than before"
        yield _told(hop, change, "permission-narrowed", narrowed, text)


def _work(situation: Situation, hop: Hop, change: Change, rule: str, grants: list[AddedGrant]) -> Finding:
    request = change.request_after
    assert request is not None  # noqa: S101 - evaluate() leaves out changes without a target side
    needs: tuple[Need, ...] = ()
    by_itself = minted(situation, change)
    if not by_itself:
        needs = (grants_need(situation, request, [a.grant for a in grants]),)
    where = f"the identity behind Secret {request.secret}"
    if situation.mode is Mode.PASSTHROUGH:
        where = "the root credential, which CCO passes through"
    found = of_change(
        hop,
        change,
        rule=rule,
        severity=Severity.INFO if by_itself else Severity.BLOCKER,
        headline="",
        content=content_of(grants),
        grants=grants,
    )
    asked = named(found.grants)
    wider = f"needs a wider form of {asked}"
    step = Step(f"grant {count(len(grants), 'permission')} to {where}", "before")
    return replace(
        found,
        headline=f"{change.component} {f'newly needs {asked}' if rule == 'permission-added' else wider}",
        guarded=missed(hop),
        needs=needs,
        caveats=situation.proof.caveats(request, [a.grant for a in grants]),
        identity=situation.proof.shown_identity(request),
        remedy=() if by_itself else (step,),
    )


def _told(hop: Hop, change: Change, rule: str, grants: list[AddedGrant], headline: str) -> Finding:
    content = content_of(grants)
    return of_change(hop, change, rule=rule, severity=Severity.INFO, headline=headline, content=content, grants=grants)


def _removals(hop: Hop, change: Change) -> Iterator[Finding]:
    gone = [
        r for r in change.removed if not r.replaced and r.still_covered_by is None and r.grant.effect in (None, "Allow")
    ]
    if not gone:
        return
    found = of_change(
        hop,
        change,
        rule="permission-removed",
        severity=Severity.INFO,
        headline=f"{change.component} no longer needs {named([RequiredGrant(r.grant) for r in gone])}",
        content=[r.grant.as_dict() for r in gone],
    )
    yield replace(
        found,
        secret=str(change.secret_before),
        grants=tuple(RequiredGrant(r.grant) for r in gone),
        remedy=(Step(f"take the permissions away {FOR_GOOD}", "after"),),
    )
