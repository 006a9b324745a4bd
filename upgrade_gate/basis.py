"""On what a verdict rests: whether the requirements that did not change were proven too (design 16.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.diff import Why, grants_of
from upgrade_gate.entitlements import Verdict
from upgrade_gate.facts import Known
from upgrade_gate.findings import NeedStatus
from upgrade_gate.gate import Basis
from upgrade_gate.needs import secret_needs
from upgrade_gate.platforms import WITHOUT_REQUESTS
from upgrade_gate.situation import Mode

if TYPE_CHECKING:
    from upgrade_gate.credentials_request import CredentialsRequest
    from upgrade_gate.diff import Change
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
    if not any(True for _ in situation.requirements()) and situation.platform.casefold() not in WITHOUT_REQUESTS:
        assumptions.append(f"nothing is asked of {situation.platform or 'a platform that is not known'}")
    if unchecked:
        assumptions.insert(0, f"{start}'s permissions are in place (not checked)")
    return Basis(proven=not assumptions, assumptions=tuple(dict.fromkeys(assumptions)))


def _held(situation: Situation, request: CredentialsRequest) -> bool:
    judged = [j for _, j in situation.proof.grants(request, unchanged_grants(situation, request))]
    if situation.cluster is not None and situation.mode.by_hand and situation.credentials.may_need_trust:
        accounts = request.service_accounts
        judged += [situation.proof.trust(request, accounts)] if accounts else []
    return all(j.verdict is Verdict.COVERED for j in judged)


def unchanged_grants(situation: Situation, request: CredentialsRequest) -> tuple[Grant, ...]:
    """Return the grants of a required request that are in no change finding's needs (design 16.5)."""
    asked: set[Grant] = set()
    for _, change in situation.changes():
        if change.request != request.id or change.after is None:
            continue
        if _asks_for_all(situation, change) and change.after.request.secret == request.secret:
            return ()
        why = (Why.NEW, Why.WIDENED)
        asked.update(a.grant for a in change.added if a.why in why and a.covered_by is None)
    return tuple(g for g in grants_of(request) if g not in asked and g.effect in (None, "Allow"))


def _asks_for_all(situation: Situation, change: Change) -> bool:
    """Return whether the finding of a change asks for every grant of the request, not only for the new ones."""
    if change.kind == "added":
        return False
    if change.kind_changed:
        return situation.mode.by_hand or situation.mode is Mode.PASSTHROUGH
    return situation.mode.by_hand and change.secret_before != change.secret_after


def _release(situation: Situation) -> tuple[int, int]:
    return situation.hops[-1].new.minor if situation.hops else (0, 0)
