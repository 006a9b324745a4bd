"""Requests that come, go or move, and their Secrets, accounts and token paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.base.steps import Step
from upgrade_gate.clouds.contract.grants import cloud_of
from upgrade_gate.cluster.credentials_mode import Behaviour, Mode, behaviour_of
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import (
    Finding,
    Guard,
    Need,
    NeedKind,
    Rule,
    Severity,
)
from upgrade_gate.gate.requirements import for_new_identity, grants_need, secret_fact, token_path_need, trust_need
from upgrade_gate.gate.rules._common import FOR_GOOD, by_hand, content_of, count, minted, missed, of_change, request_of
from upgrade_gate.requests.diff import AddedGrant, Change, Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.update import Hop

RULES = (
    Rule(
        "request-added",
        Severity.BLOCKER,
        "A component needs credentials that do not exist yet",
        "The target applies a CredentialsRequest that the current release does not: a new component, or one that "
        "a capability, a feature gate or an annotation now includes. Create its identity with its permissions "
        "and trust, and its Secret, before the upgrade. OpenShift stops a minor update only until an "
        "administrator sets an annotation, and only on some platforms.",
    ),
    Rule(
        "request-removed",
        Severity.INFO,
        "A component no longer asks for credentials",
        "Without a manifest that deletes it, the CredentialsRequest stays in the cluster. A warning where CVO "
        "deletes it and CCO deletes the Secret with it, or where an old finalizer makes the deletion hang.",
        rests_on=("requests", "issuer"),
    ),
    Rule(
        "request-renamed",
        Severity.INFO,
        "A CredentialsRequest has a new name and the same Secret",
        "Nothing to do on most clouds. On GCP, ccoctl finds the service account by the name of the "
        "CredentialsRequest, so it would create a new one (warning).",
    ),
    Rule(
        "secret-moved",
        Severity.BLOCKER,
        "A component reads its credentials from another Secret",
        "The CredentialsRequest names another Secret. That Secret must exist. On AWS, Azure and IBM Cloud, "
        "ccoctl would create a new identity for it, which needs every permission of the request.",
    ),
    Rule(
        "provider-kind-changed",
        Severity.BLOCKER,
        "A CredentialsRequest is for another kind of cloud",
        "The kind of its providerSpec changed, so what was granted before does not count.",
    ),
    Rule(
        "service-accounts-added",
        Severity.BLOCKER,
        "More service accounts use an identity",
        "With short-lived tokens the identity must trust each service account. ccoctl does not update the trust "
        "of an AWS role that exists.",
    ),
    Rule(
        "service-accounts-removed",
        Severity.INFO,
        "Fewer service accounts use an identity",
        "You may remove its trust after the upgrade; ccoctl does not.",
    ),
    Rule(
        "token-path-changed",
        Severity.BLOCKER,
        "A component mounts its token at another path",
        "With short-lived tokens the Secret names the path of the token file, which must be the one that the "
        "target mounts.",
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each rule and request."""
    for hop, change in situation.changes():
        if change.kind == "added":
            yield _added(situation, hop, change)
        elif change.kind == "removed":
            yield _removed(situation, hop, change)
        else:
            yield from _both_sides(situation, hop, change)


def _added(situation: Situation, hop: Hop, change: Change) -> Finding:
    request = _there(change.request_after)
    new = [a for a in change.added if a.covered_by is None]
    modelled = cloud_of(request.provider_kind) is not None
    served = modelled and not change.left_alone  # no actuator serves a kind that nobody knows
    passthrough = situation.mode is Mode.PASSTHROUGH and served
    needs: tuple[Need, ...] = ()
    severity = Severity.BLOCKER
    grants_matter = bool(new) and situation.permission_model(request)
    if (minted(situation, change) and modelled) or (passthrough and not grants_matter):
        severity = Severity.INFO
    elif passthrough:
        needs = (grants_need(situation, request, [a.grant for a in new]),)
    else:
        needs = for_new_identity(situation, request, [a.grant for a in new], hop.new.minor)
    guarded = cco.guard_new_request(
        platform=situation.platform,
        release=hop.old.minor,
        hop_kind=hop.kind,
        mode=situation.mode,
        condition=cco.upgradeable_status(situation.cluster) if situation.cluster else None,
    )
    return _finding(
        situation,
        hop,
        change,
        rule="request-added",
        severity=severity,
        headline=f"{change.component} asks for credentials of its own: {change.why}"
        + ("" if modelled else f"; this version does not know its kind {request.provider_kind or 'none'}"),
        content=content_of(new) or [str(request.secret), request.provider_kind],
        guarded=guarded,
        grants=change.added,
        needs=needs,
        remedy=(Step(f"create the identity and the Secret {request.secret}", "before"),),
    )


def _removed(situation: Situation, hop: Hop, change: Change) -> Finding:
    deleted = change.request in hop.new_selection.deleted
    severity, why = Severity.INFO, change.why
    behaviour = behaviour_of(situation.cluster, situation.platform, hop.old.minor, situation.mode)
    if deleted and behaviour is Behaviour.TIMED_TOKEN:
        severity = Severity.WARNING
        why = f"{change.why}, and CCO deletes Secret {change.secret_before} with it"
    elif (
        deleted
        and behaviour in (Behaviour.PLAIN, Behaviour.UNKNOWN)
        and situation.cluster is not None
        and cco.has_finalizer(situation.cluster, change.request)
    ):
        severity = Severity.WARNING
        why = f"{change.why}, and its deletion will hang: it has a finalizer that CCO never removes in manual mode"
    return _finding(
        situation,
        hop,
        change,
        rule="request-removed",
        severity=severity,
        headline=f"{change.component} no longer asks for credentials: {why}",
        content=None,
        remedy=(Step(f"remove its identity and Secret {FOR_GOOD}", "after"),),
    )


def _both_sides(situation: Situation, hop: Hop, change: Change) -> Iterator[Finding]:
    if change.kind == "renamed":
        yield _renamed(situation, hop, change)
    if change.kind_changed:
        yield _kind_changed(situation, hop, change)
    elif change.secret_before != change.secret_after:
        headline = f"{change.component} reads Secret {change.secret_after} instead of {change.secret_before}"
        content = str(change.secret_after)
        yield _new_identity(situation, hop, change, rule="secret-moved", headline=headline, content=content)
    elif change.accounts_added and situation.credentials.may_need_trust:  # so a person makes the Secrets
        yield _accounts_added(situation, hop, change)
    if change.accounts_removed:
        yield _finding(
            situation,
            hop,
            change,
            rule="service-accounts-removed",
            severity=Severity.INFO,
            headline=f"{change.component} drops {count(len(change.accounts_removed), 'service account')}: "
            f"{', '.join(change.accounts_removed)}",
            content=list(change.accounts_removed),
        )
    if change.token_paths[0] != change.token_paths[1] and situation.credentials.may_need_trust:
        yield _token_path(situation, hop, change)


def _renamed(situation: Situation, hop: Hop, change: Change) -> Finding:
    gcp = situation.platform == "GCP" and situation.mode.by_hand
    text = ", and on GCP ccoctl finds the service account by this name" if gcp else ""
    before, after = _there(change.request_before), _there(change.request_after)
    return _finding(
        situation,
        hop,
        change,
        rule="request-renamed",
        severity=Severity.WARNING if gcp else Severity.INFO,
        headline=f"{before.name} is now {after.name}{text}",
        content=change.request,
    )


def _kind_changed(situation: Situation, hop: Hop, change: Change) -> Finding:
    before, after = _there(change.request_before).provider_kind, _there(change.request_after).provider_kind
    headline = f"{change.component} changes from {before} to {after}"
    return _new_identity(situation, hop, change, rule="provider-kind-changed", headline=headline, content=after)


def _accounts_added(situation: Situation, hop: Hop, change: Change) -> Finding:
    return _finding(
        situation,
        hop,
        change,
        rule="service-accounts-added",
        severity=Severity.BLOCKER,
        headline=f"{change.component} adds {count(len(change.accounts_added), 'service account')}: "
        f"{', '.join(change.accounts_added)}",
        content=list(change.accounts_added),
        guarded=missed(hop),
        needs=(trust_need(situation, _there(change.request_after), change.accounts_added),),
        remedy=(Step("add the service accounts to the identity's trust", "before"),),
    )


def _token_path(situation: Situation, hop: Hop, change: Change) -> Finding:
    request = _there(change.request_after)
    return _finding(
        situation,
        hop,
        change,
        rule="token-path-changed",
        severity=Severity.BLOCKER,
        headline=f"{change.component} mounts its token at {request.token_path or 'the default path'}",
        content=request.token_path,
        guarded=missed(hop),
        needs=(token_path_need(request, secret_fact(situation, request.secret)),),
        remedy=(Step(f"write the new token path into Secret {request.secret}", "before"),),
    )


def _new_identity(
    situation: Situation, hop: Hop, change: Change, *, rule: str, headline: str, content: object
) -> Finding:
    """Build the finding of a request whose identity cannot be the old one; grants named elsewhere are left out."""
    request = _there(change.request_after)
    elsewhere = {a.grant for a in change.added if a.why in (Why.NEW, Why.WIDENED)}
    grants = [AddedGrant(g, Why.NEW, None) for g in request.grants if g not in elsewhere]
    needs: tuple[Need, ...] = ()
    severity = Severity.BLOCKER if by_hand(situation, change) else Severity.INFO
    if by_hand(situation, change):
        needs = for_new_identity(situation, request, [a.grant for a in grants], hop.new.minor)
    elif situation.mode is Mode.PASSTHROUGH and rule == "provider-kind-changed" and situation.permission_model(request):
        severity, needs = Severity.BLOCKER, (grants_need(situation, request, [a.grant for a in grants]),)
    return _finding(
        situation,
        hop,
        change,
        rule=rule,
        severity=severity,
        headline=headline,
        content=content,
        guarded=missed(hop),
        grants=grants,
        needs=needs,
        remedy=(Step(f"create Secret {request.secret} with an identity that holds every grant", "before"),),
    )


def _there(request: CredentialsRequest | None) -> CredentialsRequest:
    assert request is not None  # noqa: S101 - only added and removed requests lack a side, and that is not asked for
    return request


def _finding(
    situation: Situation,
    hop: Hop,
    change: Change,
    *,
    rule: str,
    severity: Severity,
    headline: str,
    content: object,
    guarded: tuple[Guard, str] | None = None,
    grants: Iterable[AddedGrant] = (),
    needs: tuple[Need, ...] = (),
    remedy: tuple[Step, ...] = (),
) -> Finding:
    request, listed = request_of(change), list(grants)
    trusted = request.service_accounts if any(n.kind is NeedKind.TRUST for n in needs) else ()
    found = of_change(hop, change, rule=rule, severity=severity, headline=headline, content=content, grants=listed)
    return replace(
        found,
        guarded=guarded,
        needs=needs,
        caveats=situation.proof.caveats(request, [a.grant for a in listed], trusted),
        identity=situation.proof.shown_identity(request),
        remedy=remedy if severity is Severity.BLOCKER or rule == "request-removed" else (),
    )
