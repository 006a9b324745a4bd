"""What the identities hold today, against what the target requires and no release change explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.base.steps import Step
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.clouds.contract.risk import Rating, rate
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate.assumptions import unchanged_accounts, unchanged_grants
from upgrade_gate.gate.findings import (
    Evidence,
    Finding,
    Guard,
    Need,
    NeedKind,
    NeedStatus,
    RequiredGrant,
    Rule,
    Severity,
)
from upgrade_gate.gate.requirements import need_of
from upgrade_gate.gate.rules._common import count, named, root_name

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest

RULES = (
    Rule(
        "identity-lacks-permission",
        Severity.BLOCKER,
        "An identity lacks a permission that is already needed today",
        "The update does not add this permission: the component needs it today, and the export shows that it is "
        "not granted, or denied. Grant it, then export again.",
    ),
    Rule(
        "identity-narrower",
        Severity.UNKNOWN,
        "An identity holds a permission in a narrower form than the release asks for",
        "The permission is granted only for some resources, under a condition or at a lower scope. Decide "
        "whether that is enough here: if it is, acknowledge; if not, widen it.",
    ),
    Rule(
        "identity-unknown",
        Severity.UNKNOWN,
        "Whether an identity holds what it needs could not be proven",
        "The finding says what could not be read, such as a permissions boundary, a page of the export, or the "
        "identity behind a Secret. Export what is missing, then check again.",
    ),
    Rule(
        "identity-trust-lacks-subject",
        Severity.BLOCKER,
        "An identity does not trust a service account that uses it",
        "The component cannot log in with its token. Add the service account to the trust of the AWS role, to "
        "the federated credentials (Azure) or to the bindings of the service account (GCP); ccoctl does not "
        "update the trust of an AWS role that exists.",
    ),
    Rule(
        "identity-mismatch",
        Severity.BLOCKER,
        "The Secret names another identity than the configuration",
        "The Secret counts, since the component uses it. Correct the configuration.",
    ),
    Rule(
        "policy-too-large",
        Severity.WARNING,
        "The policies of an identity would exceed the cloud's limit",
        "The policy in place and the added permissions together are too large. Split the policy, or attach a "
        "managed one.",
    ),
    Rule(
        "root-credential-insufficient",
        Severity.BLOCKER,
        "The root credential does not hold what CCO needs",
        "In passthrough mode every component works with the root credential, so it needs the permissions of all "
        "of them. In mint mode on GCP, CCO 4.15 needs the Role Administrator role (a warning where that cannot "
        "be proven).",
    ),
)

ROLE_ADMIN = Grant("predefinedRole", "roles/iam.roleAdmin")
"""What CCO needs on GCP from 4.15 on to mint custom roles (cloud-credential-operator#670)."""


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield the findings about identities; only with `--identities`, but for minting on GCP."""
    if not situation.hops:
        return
    yield from _mint_on_gcp(situation)
    if not situation.proof.given or situation.mode is Mode.MINT:
        return
    if situation.mode is Mode.PASSTHROUGH:
        yield from _root(situation)
        return
    for _, selected in situation.requirements():
        request = selected.request
        if situation.permission_model(request):
            yield from _request(situation, request)
    yield from _sizes(situation)


def _named(request: CredentialsRequest, judged: Sequence[tuple[Grant, CoverageResult]]) -> str:
    return named([RequiredGrant(grant, None, rate(request.provider_kind, grant)) for grant, _ in judged])


def _request(situation: Situation, request: CredentialsRequest) -> Iterator[Finding]:
    judged = situation.proof.grants(request, unchanged_grants(situation, request))
    lacking = [(g, j) for g, j in judged if j.verdict in (Coverage.MISSING, Coverage.DENIED)]
    narrower = [(g, j) for g, j in judged if j.verdict is Coverage.NARROWER]
    unknown = [(g, j) for g, j in judged if j.verdict is Coverage.UNKNOWN]
    if lacking:
        text = f"{request.component} lacks {_named(request, lacking)}, which it needs today"
        yield _finding(situation, request, "identity-lacks-permission", text, lacking)
    if narrower:
        text = f"{request.component} holds {_named(request, narrower)} in a narrower form than it needs"
        yield _finding(situation, request, "identity-narrower", text, narrower)
    if unknown:
        text = f"whether {request.component} holds {_named(request, unknown)} could not be proven"
        yield _finding(situation, request, "identity-unknown", text, unknown)
    yield from _trust(situation, request, {j.unsettled for _, j in unknown})
    identity = situation.proof.identity_of(request)
    if identity is not None and identity.mismatch is not None:
        yield _mismatch(situation, request, identity.id, identity.mismatch)


def _trust(situation: Situation, request: CredentialsRequest, told: Container[str]) -> Iterator[Finding]:
    """Yield a finding where a service account that no change finding names is not trusted.

    What a finding about grants leaves unsettled already (`told`) is no second finding.
    """
    accounts = unchanged_accounts(situation, request)
    if situation.cluster is None or not situation.credentials.may_need_trust or not accounts:
        return
    if situation.proof.silent_on_trust(request):
        return  # what a repository of policies does not speak of is taken for granted, as without it
    judgement = situation.proof.trust(request, accounts)
    need = need_of(NeedKind.TRUST, [(", ".join(accounts), judgement)], "")
    if need.status is NeedStatus.UNMET:
        yield _about_trust(
            situation,
            request,
            "identity-trust-lacks-subject",
            f"the identity of {request.component} does not trust its service accounts: {judgement.reason}",
            need,
        )
    elif need.status is NeedStatus.UNKNOWN and judgement.unsettled not in told:
        yield _about_trust(
            situation,
            request,
            "identity-unknown",
            f"{request.component}: its trust could not be proven: {judgement.reason}",
            need,
        )


def _mint_on_gcp(situation: Situation) -> Iterator[Finding]:
    """Yield the one permission that CCO itself needs anew: Role Administrator, from 4.14 to 4.15 on GCP."""
    hop = next((h for h in situation.hops if h.old.minor <= (4, 14) < h.new.minor), None)
    if situation.platform != "GCP" or situation.mode is not Mode.MINT or hop is None:
        return
    request = next((s.request for _, s in situation.requirements()), None)
    if request is None:
        return
    (_, judgement), *_rest = situation.proof.at_root().grants(request, [ROLE_ADMIN])
    if judgement.verdict is Coverage.COVERED:
        return
    missing = judgement.verdict is not Coverage.UNKNOWN
    root = root_name(situation)
    yield Finding(
        rule="root-credential-insufficient",
        severity=Severity.BLOCKER if missing else Severity.WARNING,
        headline="CCO of 4.15 needs Role Administrator to mint on GCP"
        + (": the root credential does not hold it" if missing else ", which was not proven"),
        content=[ROLE_ADMIN.as_dict()],
        subject=f"Secret {root}",
        secret=root,
        hop=hop.index,
        guarded=(Guard.MISSED, "CCO asks for an annotation before 4.15; it does not check the role"),
        grants=(RequiredGrant(ROLE_ADMIN, None, Rating(("ESCALATE",))),),
        needs=(need_of(NeedKind.GRANTS, [(ROLE_ADMIN.permission, judgement)], ""),),
        evidence=(Evidence("cluster", f"secrets/{root}"),),
        remedy=(Step("grant roles/iam.roleAdmin to the root service account", "before"),),
    )


def _root(situation: Situation) -> Iterator[Finding]:
    lacking: dict[str, tuple[Grant, CoverageResult]] = {}
    risks: list[RequiredGrant] = []
    for _, selected in situation.requirements():
        request = selected.request
        if not situation.permission_model(request):
            continue
        for grant, judgement in situation.proof.grants(request, unchanged_grants(situation, request)):
            if judgement.verdict is not Coverage.COVERED and grant.canonical not in lacking:
                lacking[grant.canonical] = (grant, judgement)
                risks.append(RequiredGrant(grant, None, rate(request.provider_kind, grant)))
    if not lacking:
        return
    name = root_name(situation)
    ordered = [lacking[key] for key in sorted(lacking)]
    absent = [j for _, j in ordered if j.verdict is not Coverage.UNKNOWN]
    if absent:
        headline = f"the root credential lacks {count(len(absent), 'permission')} that the components need"
    else:
        headline = (
            f"it could not be proven that the root credential holds {count(len(ordered), 'permission')} that the "
            "components need"
        )
    yield Finding(
        rule="root-credential-insufficient",
        severity=Severity.BLOCKER,
        headline=headline,
        content=[g.as_dict() for g, _ in ordered],
        subject=f"Secret {name}",
        secret=name,
        guarded=(Guard.MISSED, "CCO does not check the permissions of its root credential"),
        grants=tuple(sorted(risks, key=lambda r: r.grant.canonical)),
        needs=(need_of(NeedKind.GRANTS, [(g.permission, j) for g, j in ordered], ""),),
        evidence=(Evidence("cluster", f"secrets/{name}"),),
        remedy=(Step("grant what is missing to the root credential", "before"),),
    )


def _sizes(situation: Situation) -> Iterator[Finding]:
    """Yield a finding for each identity whose policies would not fit; requests that share it count together."""
    by_identity: dict[str, list[CredentialsRequest]] = {}
    for _, selected in situation.requirements():
        identity = situation.proof.identity_of(selected.request)
        if identity is not None:
            by_identity.setdefault(identity.id, []).append(selected.request)
    for identity_id, requests in sorted(by_identity.items()):
        required = [grant for request in requests for grant in request.grants]
        for size in situation.proof.sizes(requests[0], required):
            text = f"{identity_id}: {size.what} would be {size.size}, and the limit is {size.limit}"
            yield _about(situation, requests[0], "policy-too-large", text, size.what)


def _mismatch(situation: Situation, request: CredentialsRequest, named: str, configured: str) -> Finding:
    text = f"Secret {request.secret} names {named}, the configuration {configured}"
    return replace(
        _about(situation, request, "identity-mismatch", text, str(request.secret)),
        guarded=(Guard.MISSED, "CCO does not know the configuration of this gate"),
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "correct the configuration, or decide"),),
        evidence=(Evidence("cluster", f"secrets/{request.secret}"),),
    )


def _finding(
    situation: Situation,
    request: CredentialsRequest,
    rule: str,
    headline: str,
    judged: Sequence[tuple[Grant, CoverageResult]],
) -> Finding:
    ordered = sorted(judged, key=lambda pair: pair[0].canonical)
    plain = _about(situation, request, rule, headline, [g.as_dict() for g, _ in ordered])
    return replace(
        plain,
        guarded=(Guard.MISSED, "CCO does not check in manual mode what an identity holds"),
        grants=tuple(RequiredGrant(g, None, rate(request.provider_kind, g)) for g, _ in ordered),
        needs=(need_of(NeedKind.GRANTS, [(g.permission, j) for g, j in ordered], ""),),
        remedy=(Step(f"grant what is missing to the identity behind Secret {request.secret}", "before"),)
        if plain.severity is Severity.BLOCKER
        else (),
    )


def _about_trust(situation: Situation, request: CredentialsRequest, rule: str, headline: str, need: Need) -> Finding:
    plain = _about(situation, request, rule, headline, list(unchanged_accounts(situation, request)))
    return replace(
        plain,
        guarded=(Guard.MISSED, "CCO does not check trust in manual mode"),
        needs=(need,),
        remedy=(Step("add the service accounts to the identity's trust", "before"),)
        if plain.severity is Severity.BLOCKER
        else (),
    )


def _about(situation: Situation, request: CredentialsRequest, rule: str, headline: str, content: object) -> Finding:
    """Return what every finding about one request's identity has; the severity is the rule's own."""
    severity = next(r.severity for r in RULES if r.id == rule)
    return Finding(
        rule=rule,
        severity=severity,
        headline=headline,
        content=content,
        subject=request.id,
        request=request.id,
        secret=str(request.secret),
        identity=situation.proof.shown_identity(request),
        evidence=(Evidence("to", request.location.file, request.location.document, request.location.line),),
    )
