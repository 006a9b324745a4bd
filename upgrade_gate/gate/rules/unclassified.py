"""The net: whatever differs in a request and no other rule explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.gate.findings import Finding, Need, NeedKind, NeedStatus, Rule, Severity
from upgrade_gate.gate.rules._common import content_of, count, missed, of_change, required
from upgrade_gate.requests.diff import Why

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.gate.situation import Situation

RULES = (
    Rule(
        "unclassified-change",
        Severity.BLOCKER,
        "A CredentialsRequest changed in a way that no rule explains",
        "A field of its spec differs, or a Deny was added or removed, and this version of upgrade-gate does not "
        "know what that asks for. Read the change, do what it needs, and acknowledge it.",
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each request with a difference that nothing else explains."""
    for hop, change in situation.changes():
        leaves = [leaf for leaf in change.other if not leaf.harmless]
        denies = [added for added in change.added if added.why is Why.UNCLASSIFIED]
        request = change.request_after
        lifted = [r.grant for r in change.removed if r.grant.effect not in (None, "Allow")]
        if request is None or not (leaves or denies or lifted):
            continue
        paths = [leaf.path for leaf in leaves] + [f"{a.grant.effect} {a.grant.permission}" for a in denies]
        paths += [f"{grant.effect} {grant.permission} is removed" for grant in lifted]
        found = of_change(
            hop,
            change,
            rule="unclassified-change",
            severity=Severity.BLOCKER,
            headline=f"{change.component} changes {count(len(paths), 'field')} that no rule explains: "
            f"{', '.join(paths)}",
            content=[[leaf.path, leaf.after] for leaf in leaves]
            + content_of(denies)
            + [["removed", grant.as_dict()] for grant in lifted],
        )
        needs = (Need(NeedKind.DECISION, NeedStatus.UNMET, "read the change and decide"),)
        grants = required(request, denies, ())
        yield replace(found, guarded=missed(hop), needs=needs, grants=grants)
