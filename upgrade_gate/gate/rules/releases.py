"""What the payloads themselves tell: unreadable manifests, nothing to judge, hops, capabilities, signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Unknown
from upgrade_gate.base.platforms import ALWAYS_SERVED, WITHOUT_REQUESTS
from upgrade_gate.base.steps import Step
from upgrade_gate.cluster.rights import is_forbidden
from upgrade_gate.cluster.rows import rows_of
from upgrade_gate.gate.findings import Evidence, Finding, Need, NeedKind, NeedStatus, Rule, Severity
from upgrade_gate.gate.rules._common import reading_steps
from upgrade_gate.requests.credentials_request import is_credentials_request
from upgrade_gate.requests.inclusion import capability_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.selection import Selection
    from upgrade_gate.requests.update import Hop

RULES = (
    Rule(
        "manifest-unreadable",
        Severity.UNKNOWN,
        "A part of a release could not be read",
        "A warning where the file certainly holds nothing that matters here (no CredentialsRequest, no "
        "FeatureGate and nothing that enables a capability). Otherwise the release counts as incomplete, and the "
        "verdict cannot be pass. Fetch the release again, or report the file to the vendor of the release.",
        never_where="where it is unknown: the file may hold what matters",
    ),
    Rule(
        "nothing-to-judge",
        Severity.UNKNOWN,
        "A release without any CredentialsRequest that applies, or a dump without anything of a cluster",
        "Every release has CredentialsRequests for every cloud. One without is the wrong folder, an incomplete "
        "extract or the wrong image. Where all those of the platform are left out, the cluster profile, or "
        "whatever left them out, is wrong. A dump in which nothing of a cluster was found is likely the wrong folder.",
        acknowledgeable=False,
    ),
    Rule(
        "hop-unsupported",
        Severity.BLOCKER,
        "OpenShift does not support this update",
        "The update skips a minor release, goes back to an older one, or goes to another major release that "
        "neither the release itself nor the update graph allows. Name the releases between with --via (EUS to "
        "EUS, Control Plane Only updates), so that each update is judged. In place of an older release choose a "
        "newer one.",
    ),
    Rule(
        "capability-change",
        Severity.WARNING,
        "The update enables or disables a capability that has CredentialsRequests",
        "CVO enables a capability by itself where a manifest that it applies today belongs to that capability in "
        "the target; new capabilities also come with the vCurrent baseline. Info where the same "
        "CredentialsRequests apply before and after.",
        rests_on=("capabilities",),
    ),
    Rule(
        "release-unverified",
        Severity.INFO,
        "No valid signature was checked for a release",
        "Without a signature nothing proves who published the release. Give --signatures, or a live cluster, "
        "which has the keys. With --verify require this is a blocker.",
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield the findings about the payloads and the hops between them."""
    yield from _unread(situation)
    yield from _nothing_of_cluster(situation)
    yield from _of_payloads(situation)
    for hop in situation.hops:
        yield from _malformed(hop)
        yield from _unsupported(hop)
        yield from _capabilities(hop)


def _of_payloads(situation: Situation) -> Iterator[Finding]:
    """Yield what each payload tells, of each document once: an update may go to the release that it comes from."""
    told: set[tuple[str, str, str, int]] = set()
    for side, payload, hop in _payloads(situation):
        for finding in (
            *_unreadable(side, payload, hop, _names_to_pair(situation, payload)),
            *_nothing(situation, side, payload, hop),
            *_unverified(situation, side, payload, hop),
        ):
            (place,) = finding.evidence
            key = (finding.rule, payload.reference, place.file, place.document)
            if key not in told:
                told.add(key)
                yield finding


def _payloads(situation: Situation) -> Iterator[tuple[str, Payload, Hop]]:
    for hop in situation.hops:
        if hop.index == 0:
            yield "from", hop.old, hop
        yield "to", hop.new, hop


def _unread(situation: Situation) -> Iterator[Finding]:
    for release in situation.unread:
        yield Finding(
            rule="manifest-unreadable",
            severity=Severity.UNKNOWN,
            headline=f"{release.reference} could not be read: {release.reason}",
            content=None,
            subject=release.reference,
            evidence=(Evidence(release.side, release.reference),),
            remedy=(Step(release.hint, "before"),) if release.hint else (),
            acknowledgeable=False,
        )


def _names_to_pair(situation: Situation, payload: Payload) -> frozenset[str]:
    """Return the objects whose partner in this payload would make an update enable a capability by itself.

    A file that holds no request may still hide such a partner (CVO GetImplicitlyEnabledCapabilities), beside one of the
    same name for another cluster profile too.
    """
    names: set[str] = set()
    for hop in situation.hops:
        if hop.old is not payload or hop.new_filters.capabilities is None:
            continue
        enabled = hop.new_filters.capabilities.enabled
        names.update(m.name for m in hop.new.manifests if not enabled.issuperset(capability_names(m.annotations)))
    return frozenset(names)


def _unreadable(side: str, payload: Payload, hop: Hop, partners: frozenset[str]) -> Iterator[Finding]:
    for unread in payload.unreadable:
        place = unread.location
        hidden = min((name for name in partners if unread.may_define(name)), default=None)
        harmless = unread.harmless and hidden is None
        text = ""
        if not unread.harmless:
            text = "; it may hold a CredentialsRequest, so the release counts as incomplete"
        elif hidden is not None:
            text = f"; it may define {hidden}, which would make the update enable a capability"
        yield Finding(
            rule="manifest-unreadable",
            severity=Severity.WARNING if harmless else Severity.UNKNOWN,
            headline=f"{place.file} of {payload.version}: {unread.reason}{text}",
            content=place.file,
            subject=place.file,
            hop=hop.index,
            evidence=(Evidence(side, place.file, place.document, place.line),),
            acknowledgeable=harmless,
        )


def _malformed(hop: Hop) -> Iterator[Finding]:
    for side, request in hop.malformed:
        if side == "from" and hop.index > 0:
            continue
        place = request.location
        yield Finding(
            rule="manifest-unreadable",
            severity=Severity.UNKNOWN,
            headline=f"{request.request} cannot be understood: {request.reason}",
            content=place.file,
            subject=request.request,
            request=request.request,
            hop=hop.index,
            evidence=(Evidence(side, place.file, place.document, place.line),),
            acknowledgeable=False,
        )


def _nothing(situation: Situation, side: str, payload: Payload, hop: Hop) -> Iterator[Finding]:
    if situation.platform.casefold() in WITHOUT_REQUESTS:
        return
    selection = hop.new_selection if side == "to" else hop.old_selection
    if not any(is_credentials_request(m) for m in payload.manifests):
        text = "holds no CredentialsRequest: is it a whole release payload?"
    elif side == "to" and _serves_nobody(situation, hop):
        text = f"holds no CredentialsRequest for {situation.platform}: is it a whole release payload?"
    elif left := _all_left_out(situation, selection):
        text = f"applies none of its CredentialsRequests for {situation.platform}, left out by {', '.join(left)}"
    else:
        return
    yield Finding(
        rule="nothing-to-judge",
        severity=Severity.UNKNOWN,
        headline=f"{payload.reference} {text}",
        content=None,
        subject=payload.reference,
        hop=hop.index,
        evidence=(Evidence(side, "release-metadata"),),
        acknowledgeable=False,
    )


def _all_left_out(situation: Situation, selection: Selection) -> list[str]:
    """Return what leaves out every request of the platform, where the release has some and applies none.

    Requests that only a feature set or a gate switches on are for nobody as a rule; those that CVO deletes are of no
    platform here.
    """
    traits = situation.platform_traits
    if traits is None or selection.requests or selection.uncertain:
        return []
    reasons = {d.reason for d in selection.decisions if d.kind == traits.kind}
    if traits.name not in ALWAYS_SERVED:
        reasons -= {"feature-set", "feature-gate"}
    return sorted(reasons)


def _nothing_of_cluster(situation: Situation) -> Iterator[Finding]:
    """Yield a finding where not one fact of the cluster was read: an empty dump must not read as a healthy cluster."""
    cluster = situation.cluster
    if cluster is None or any(row.state != "unknown" for row in rows_of(cluster)):
        return
    match cluster.version:
        case Unknown() as version if not situation.hops or is_forbidden(version):
            refused: Unknown | None = version
        case _:
            refused = None
    yield Finding(
        rule="nothing-to-judge",
        severity=Severity.UNKNOWN,
        headline=f"nothing of {cluster.description} was judged: {refused.reason}"
        if refused
        else f"{cluster.description} holds nothing about a cluster: is it the right path?",
        content=None,
        subject="cluster",
        evidence=(Evidence("cluster", "clusterversions/version"),),
        remedy=reading_steps(refused, situation) if refused else (),
        acknowledgeable=False,
    )


def _serves_nobody(situation: Situation, hop: Hop) -> bool:
    """Return whether a release carries no request at all for a platform that every release serves."""
    traits = situation.platform_traits
    if traits is None or traits.name not in ALWAYS_SERVED or hop.new_selection.uncertain:
        return False
    kinds = {s.request.provider_kind for s in hop.new_selection.requests.values()}
    return traits.kind not in kinds | {d.kind for d in hop.new_selection.decisions}


def _unverified(situation: Situation, side: str, payload: Payload, hop: Hop) -> Iterator[Finding]:
    if payload.verified or not situation.check_signature:
        return
    yield Finding(
        rule="release-unverified",
        severity=Severity.BLOCKER if situation.require_signature else Severity.INFO,
        headline=f"{payload.version} was not verified: {payload.verification or 'this form carries no signature'}",
        content=payload.version,
        subject=f"release {payload.version}",
        hop=hop.index,
        evidence=(Evidence(side, "release-metadata"),),
    )


def _unsupported(hop: Hop) -> Iterator[Finding]:
    if hop.supported:
        return
    way = "choose a newer release" if hop.kind == "downgrade" else "name the releases between with --via"
    yield Finding(
        rule="hop-unsupported",
        severity=Severity.BLOCKER,
        headline=hop.unsupported_reason,
        content=[hop.old.version, hop.new.version],
        subject="hop",
        hop=hop.index,
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, f"{way}, or acknowledge it"),),
        evidence=(Evidence("to", "release-metadata"),),
    )


def _capabilities(hop: Hop) -> Iterator[Finding]:
    old, new = hop.old_filters.capabilities, hop.new_filters.capabilities
    if old is None or new is None:
        return
    enabled = _carrying(hop.new, new.enabled - old.enabled)
    disabled = _carrying(hop.old, old.enabled - new.enabled)
    names = enabled.keys() | disabled.keys()
    if not names:
        return
    touched = {request for requests in (*enabled.values(), *disabled.values()) for request in requests}
    changed = any((r in hop.old_selection.requests) != (r in hop.new_selection.requests) for r in touched)
    parts = [f"enables {n}{' by itself' if n in hop.newly_implicit else ''}" for n in sorted(enabled)]
    parts += [f"no longer enables {n}" for n in sorted(disabled)]
    effect = "other requests apply" if changed else "the same requests apply as before"
    yield Finding(
        rule="capability-change",
        severity=Severity.WARNING if changed else Severity.INFO,
        headline=f"the update {', '.join(parts)}; {effect}",
        content=[sorted(enabled), sorted(disabled)],
        subject="capabilities",
        hop=hop.index,
    )


def _carrying(payload: Payload, names: frozenset[str]) -> dict[str, set[str]]:
    """Return which of the capabilities carry requests in a payload, with the requests."""
    found: dict[str, set[str]] = {}
    for manifest in payload.manifests:
        if is_credentials_request(manifest):
            for name in names.intersection(capability_names(manifest.annotations)):
                found.setdefault(name, set()).add(f"{manifest.namespace}/{manifest.name}")
    return found
