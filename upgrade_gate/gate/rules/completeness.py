"""Whether the payloads are whole: what is missing from a release that no digest proves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.steps import Step
from upgrade_gate.gate.findings import Evidence, Finding, Rule, Severity
from upgrade_gate.payloads.completeness import Gap, gaps
from upgrade_gate.payloads.reference import IMAGE_REFERENCES
from upgrade_gate.requests.retirements import retired

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.update import Hop

RULES = (
    Rule(
        "payload-incomplete",
        Severity.UNKNOWN,
        "A part of a release seems to be missing",
        "A digest proves that a release is complete, but a folder or a plain archive has none. Something may be "
        "missing where image-references is missing, a manifest is empty, an archive has data behind its end "
        "mark, a component has no manifests, the ClusterOperators are of several releases, or a "
        "CredentialsRequest of the current release is gone, nothing deletes or renames it, and it is not known to "
        "be retired. Extract the release again, name it by digest, or acknowledge what is missing.",
    ),
)
_SHOWN = 5


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each payload of the path that seems not to be whole."""
    found: dict[str, tuple[str, Payload, Hop, set[Gap]]] = {}
    for hop in situation.hops:
        for side, payload, other in (("from", hop.old, hop.new), ("to", hop.new, hop.old)):
            _, _, _, lacking = found.setdefault(payload.reference, (side, payload, hop, set()))
            lacking.update(gaps(payload, other))
        found[hop.new.reference][3].update(_vanished(hop))
    for side, payload, hop, lacking in found.values():
        if lacking:
            yield _incomplete(side, payload, hop, sorted(lacking))


def _vanished(hop: Hop) -> Iterator[Gap]:
    """Yield the requests that take part today and of which the target says nothing at all.

    Where a file of the target cannot be read, or none of its files holds a request, that is the finding.
    """
    unread = any(not unreadable.harmless for unreadable in hop.new.unreadable)
    if hop.new.whole or unread or not hop.new_selection.carried:
        return
    new = hop.new_selection
    left_alone = {d.request for d in new.decisions if d.reason == "override"}
    spoken_of = new.carried | new.deleted | left_alone  # a deletion for another profile says nothing of this one
    for name in sorted({change.request for change in hop.changes} - spoken_of):
        kind = hop.old_selection.requests[name].request.provider_kind
        if not retired(kind, name, hop.old.version, hop.new.version):
            text = f"{name} applies in {hop.old.version} and is missing, and nothing deletes or renames it"
            yield Gap("request", name, text)


def _incomplete(side: str, payload: Payload, hop: Hop, lacking: list[Gap]) -> Finding:
    more = f"; and {len(lacking) - _SHOWN} more" if len(lacking) > _SHOWN else ""
    files = sorted({gap.file for gap in lacking} - {IMAGE_REFERENCES}) or [IMAGE_REFERENCES]
    return Finding(
        rule="payload-incomplete",
        severity=Severity.UNKNOWN,
        headline=f"{payload.version} ({payload.reference}) may not be whole: "
        f"{'; '.join(gap.text for gap in lacking[:_SHOWN])}{more}",
        content=[[gap.what, gap.name] for gap in lacking],
        subject=f"payload {payload.version}",
        hop=hop.index,
        evidence=tuple(Evidence(side, file) for file in files),
        remedy=(
            Step("extract the whole release into an empty folder: oc adm release extract --to=DIR PULLSPEC", "before"),
        ),
    )
