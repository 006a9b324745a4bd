"""On what a verdict rests: whether the requirements that did not change were proven too (design 16.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.diff import Why, grants_of
from upgrade_gate.entitlements import Verdict
from upgrade_gate.facts import Known
from upgrade_gate.findings import NeedStatus
from upgrade_gate.gate import Basis
from upgrade_gate.needs import secret_needs
from upgrade_gate.situation import Mode

if TYPE_CHECKING:
    from upgrade_gate.credentials_request import CredentialsRequest
    from upgrade_gate.permissions import Grant
    from upgrade_gate.situation import Situation

__all__ = ["of", "unchanged_grants"]


def of(situation: Situation) -> Basis:
    """Return whether every unchanged requirement was proven, and what is taken for granted where it was not."""
    start = situation.hops[0].old.version if situation.hops else "the current release"
    if situation.cluster is None:
        return Basis(proven=False, assumptions=(f"{start}'s permissions are in place (not checked)",))
    if situation.mode is Mode.MINT:
        return Basis(proven=False, assumptions=("CCO mints what the target asks for",))
    assumptions: list[str] = []
    unchecked = False
    for name, selected in situation.requirements():
        request = selected.request
        if situation.permission_model(request):
            if not situation.proof.given:
                unchecked = True
            elif not _held(situation, request):
                assumptions.append(f"{name} holds what it needed before (not proven)")
        elif situation.mode is Mode.PASSTHROUGH:
            if not isinstance(situation.cluster.root_secret, Known):
                assumptions.append("the root credential is in place (not checked)")
        elif any(n.status is not NeedStatus.MET for n in secret_needs(situation, request, _release(situation))):
            assumptions.append(f"Secret {request.secret} is complete (not checked)")
    if unchecked:
        assumptions.insert(0, f"{start}'s permissions are in place (not checked)")
    return Basis(proven=not assumptions, assumptions=tuple(dict.fromkeys(assumptions)))


def _held(situation: Situation, request: CredentialsRequest) -> bool:
    judged = situation.proof.grants(request, unchanged_grants(situation, request))
    return all(j.verdict is Verdict.COVERED for _, j in judged)


def unchanged_grants(situation: Situation, request: CredentialsRequest) -> tuple[Grant, ...]:
    """Return the grants of a target's request that are in no change finding's needs."""
    asked: set[Grant] = set()
    for _, change in situation.changes():
        if change.request != request.id:
            continue
        if change.kind == "added" or change.kind_changed or change.secret_before != change.secret_after:
            return ()
        asked.update(a.grant for a in change.added if a.why in (Why.NEW, Why.WIDENED))
    return tuple(g for g in grants_of(request) if g not in asked and g.effect in (None, "Allow"))


def _release(situation: Situation) -> tuple[int, int]:
    return situation.hops[-1].new.minor if situation.hops else (0, 0)
