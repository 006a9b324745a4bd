"""Secrets that the target needs and the running release needs too, at the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Absent, Known
from upgrade_gate.base.steps import Step
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import Evidence, Finding, Guard, Need, NeedKind, NeedStatus, Rule, Severity
from upgrade_gate.gate.requirements import keys_need, unchanged_secrets
from upgrade_gate.gate.rules._common import first_guarded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest

RULES = (
    Rule(
        "secret-missing",
        Severity.BLOCKER,
        "A Secret that a component reads does not exist",
        "In manual mode only you create it. The running release needs it too, so the component does not work or "
        "is idle today, and stays so after the upgrade.",
    ),
    Rule(
        "secret-incomplete",
        Severity.BLOCKER,
        "A Secret lacks a key that a component needs",
        "The names of its keys were read (from a dump, or with --read-secrets), and one that is needed on this "
        "cloud is missing.",
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each Secret that is missing or incomplete."""
    cluster = situation.cluster
    if cluster is None or not situation.hops or not situation.mode.by_hand:
        return
    for secret, request in unchanged_secrets(situation):
        match cluster.secrets.get(secret):
            case Absent():
                yield _missing(situation, secret, request)
            case Known() as fact:
                need = keys_need(situation, request, fact, situation.hops[-1].new.minor)
                if need.status is NeedStatus.UNMET:
                    yield _incomplete(secret, request, need)
            case _:
                pass


def _missing(situation: Situation, secret: SecretRef, request: CredentialsRequest) -> Finding:
    hop = first_guarded(situation)
    guarded = cco.guard_secret_missing(
        platform=situation.platform, release=hop.old.minor, hop_kind=hop.kind, secret=secret
    )
    return Finding(
        rule="secret-missing",
        severity=Severity.BLOCKER,
        headline=f"Secret {secret} does not exist, and {request.component} reads it",
        content=str(secret),
        subject=request.id,
        request=request.id,
        secret=str(secret),
        hop=hop.index,
        guarded=guarded,
        needs=(Need(NeedKind.SECRET, NeedStatus.UNMET, f"Secret {secret} does not exist"),),
        evidence=(Evidence("to", request.location.file, request.location.document, request.location.line),),
        remedy=(Step(f"create Secret {secret}", "before"),),
    )


def _incomplete(secret: SecretRef, request: CredentialsRequest, need: Need) -> Finding:
    return Finding(
        rule="secret-incomplete",
        severity=Severity.BLOCKER,
        headline=f"{need.detail}, and {request.component} reads it",
        content=str(secret),
        subject=request.id,
        request=request.id,
        secret=str(secret),
        guarded=(Guard.MISSED, "CCO does not look into Secrets in manual mode"),
        needs=(need,),
        evidence=(Evidence("to", request.location.file, request.location.document, request.location.line),),
        remedy=(Step(f"add the missing keys to Secret {secret}", "before"),),
    )
