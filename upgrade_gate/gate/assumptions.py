"""On what a verdict rests: whether the requirements that did not change were proven too (docs/contract.md#basis)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Known
from upgrade_gate.base.platforms import ALWAYS_SERVED
from upgrade_gate.clouds.contract.context import CLUSTER_TAG
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.cluster.credentials_mode import Credentials, Mode
from upgrade_gate.gate.findings import NeedStatus
from upgrade_gate.gate.requirements import asks_for_secret, root_keys_need, secret_needs
from upgrade_gate.gate.verdict import Basis
from upgrade_gate.requests.diff import Why

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.diff import Change

_TRUSTS = "trusts its service accounts (not declared)"
APPLIED = "what the policy files declare is applied (not checked)"
_ACCEPTED = {CLUSTER_TAG: "all that the cluster has and creates carries its tag"}


def of(situation: Situation) -> Basis:
    """Return whether every unchanged requirement was proven, and what is taken for granted where it was not."""
    start = situation.hops[0].old.version if situation.hops else "the current release"
    unchecked = f"{start}'s permissions are in place (not checked)"
    if situation.cluster is None:
        guesses, told = _guesses(situation), _by_policies(situation)
        return Basis((*(told or [unchecked]), *guesses.values()), tuple(guesses), declared=told == (APPLIED,))
    if situation.mode is Mode.MINT:
        return Basis(("CCO mints what the target asks for",))
    assumptions: list[str] = []
    for name, selected in situation.requirements():
        if situation.permission_model(selected.request) and not situation.proof.given:
            assumptions.insert(0, unchecked)
        elif (taken := _taken(situation, situation.cluster, name, selected.request)) is not None:
            assumptions.append(taken)
    served = situation.platform_traits is None or situation.platform_traits.name in ALWAYS_SERVED
    if served and not any(True for _ in situation.requirements()):
        platform = situation.platform
        assumptions.append(f"no component asks for credentials on {platform}" if platform else unchecked)
    assumptions += _accepted(situation)
    told = _by_policies(situation)
    declared = told == (APPLIED,) and all(taken.endswith(_TRUSTS) for taken in assumptions)
    return Basis(tuple(dict.fromkeys([*([APPLIED] if told else []), *assumptions])), declared=declared)


def _by_policies(situation: Situation) -> tuple[str, ...] | None:
    """Return what is taken for granted where policy files declare what did not change, None where none do.

    That what they say is applied, and what they do not say of a requirement.
    """
    asked = [(n, s.request) for n, s in situation.requirements() if situation.permission_model(s.request)]
    judged = {n: [j for _, j in situation.proof.grants(r, unchanged_grants(situation, r))] for n, r in asked}
    if not any(j.declared for listed in judged.values() for j in listed):
        return None
    open_ = [name for name, listed in judged.items() if any(j.verdict is not Coverage.COVERED for j in listed)]
    return (APPLIED, *(f"{name} holds what it needed before (not declared)" for name in sorted(open_)))


def _guesses(situation: Situation) -> dict[str, str]:
    """Return what nobody said about a cluster that was not read, as it was judged, by name."""
    said, hop = situation.given, situation.hops[-1] if situation.hops else None
    guesses: dict[str, str] = {}
    if said.mode is None:
        guesses["mode"] = f"the cluster is in {situation.mode} mode"
    if situation.credentials is Credentials.UNKNOWN:
        guesses["credentials"] = "credentials are keys or short-lived tokens"
    if said.profile is None:
        guesses["profile"] = f"the cluster profile is {situation.profile}"
    if said.feature_set is None and hop is not None:
        guesses["feature_set"] = f"the feature set is {hop.feature_set}"
    if said.capabilities is None:
        guesses["capabilities"] = "every capability is enabled"
    return guesses


def _accepted(situation: Situation) -> list[str]:
    """Return the assumptions of `--assume` that some covered grant rests on."""
    if not situation.proof.given:
        return []
    names = {
        name
        for _, selected in situation.requirements()
        if situation.permission_model(selected.request)
        for name in situation.proof.assumed(selected.request, selected.request.grants)
    }
    return [f"{_ACCEPTED[name]} (--assume {name})" for name in sorted(names)]


def _taken(situation: Situation, cluster: Cluster, name: str, request: CredentialsRequest) -> str | None:
    """Return what a verdict takes for granted about one requirement, None where all that did not change was seen."""
    if situation.permission_model(request):
        if _held(situation, request):
            return None
        silent = situation.proof.silent_on_trust(request) and _granted(situation, request)
        return f"{name} {_TRUSTS if silent else 'holds what it needed before (not proven)'}"
    if situation.mode is Mode.PASSTHROUGH:
        keys = root_keys_need(situation, cluster)
        seen = isinstance(cluster.root_secret, Known) and keys is not None and keys.status is NeedStatus.MET
        return None if seen else "the root credential is in place (not checked)"
    if _asks_for_secret(situation, request):
        return None  # its own finding asks for it: this requirement did change
    needs = secret_needs(situation, request, _release(situation))
    complete = all(need.status is NeedStatus.MET for need in needs)
    return None if complete else f"Secret {request.secret} is complete (not checked)"


def _granted(situation: Situation, request: CredentialsRequest) -> bool:
    judged = situation.proof.grants(request, unchanged_grants(situation, request))
    return all(j.verdict is Coverage.COVERED for _, j in judged)


def _held(situation: Situation, request: CredentialsRequest) -> bool:
    judged = [j for _, j in situation.proof.grants(request, unchanged_grants(situation, request))]
    if situation.cluster is not None and situation.mode.by_hand and situation.credentials.may_need_trust:
        accounts = unchanged_accounts(situation, request)
        judged += [situation.proof.trust(request, accounts)] if accounts else []
    return all(j.verdict is Coverage.COVERED for j in judged)


def unchanged_grants(situation: Situation, request: CredentialsRequest) -> tuple[Grant, ...]:
    """Return the grants of a required request that are in no change finding's needs (docs/contract.md#proof)."""
    asked: set[Grant] = set()
    for _, change in situation.changes():
        if change.request != request.id or change.after is None:
            continue
        if _asks_for_all(situation, change) and change.after.request.secret == request.secret:
            return ()
        why = (Why.NEW, Why.WIDENED)
        asked.update(a.grant for a in change.added if a.why in why and a.covered_by is None)
    return tuple(g for g in request.grants if g not in asked and g.effect in (None, "Allow"))


def unchanged_accounts(situation: Situation, request: CredentialsRequest) -> tuple[str, ...]:
    """Return the service accounts of a required request that are in no change finding's needs."""
    added: set[str] = set()
    for _, change in situation.changes():
        if change.request == request.id:
            if asks_for_secret(change):
                return ()
            added.update(change.accounts_added)
    return tuple(a for a in request.service_accounts if a not in added)


def _asks_for_secret(situation: Situation, request: CredentialsRequest) -> bool:
    return any(
        asks_for_secret(change) and change.secret_after == request.secret
        for _, change in situation.changes()
        if change.request == request.id
    )


def _asks_for_all(situation: Situation, change: Change) -> bool:
    """Return whether the finding of a change asks for every grant of the request, not only for the new ones."""
    if change.kind == "added":
        return False
    if change.kind_changed:
        return situation.mode.by_hand or situation.mode is Mode.PASSTHROUGH
    return situation.mode.by_hand and change.secret_before != change.secret_after


def _release(situation: Situation) -> tuple[int, int]:
    return situation.hops[-1].new.minor if situation.hops else (0, 0)
