"""On what a verdict rests: whether the requirements that did not change were proven too (docs/contract.md#basis)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from upgrade_gate.base.platforms import ALWAYS_SERVED
from upgrade_gate.clouds.contract.context import CLUSTER_TAG
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.cluster.credentials_mode import Credentials, Mode
from upgrade_gate.gate.findings import NeedStatus
from upgrade_gate.gate.requirements import asks_for_secret, root_keys_need, secret_needs
from upgrade_gate.gate.verdict import Basis, stops

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import CoverageResult
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import WeighedFinding, Weights
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.diff import Change

    _Told: TypeAlias = Sequence[tuple[Finding, bool]]
    """Findings that say what is lacking, each with whether it stops the upgrade."""

_TRUSTS = "trusts its service accounts (not declared)"
APPLIED = "what the policy files declare is applied (not checked)"
_ACCEPTED = {CLUSTER_TAG: "all that the cluster has and creates carries its tag"}


_SAY_WHAT_LACKS = frozenset(
    {
        "identity-lacks-permission",
        "identity-narrower",
        "identity-trust-lacks-subject",
        "identity-unknown",
        "root-credential-insufficient",
        "root-credential-missing",
        "secret-incomplete",
        "secret-missing",
    }
)
"""The rules that say what a requirement lacks that did not change, or that it could not be proven."""


def of(situation: Situation, judged: Sequence[WeighedFinding], weights: Weights) -> Basis:
    """Return whether every unchanged requirement was proven, and what is taken for granted where it was not.

    Of a requirement for which a finding stops the upgrade, nothing is taken for granted.
    """
    told = [(item.finding, stops(item, weights)) for item in judged if item.finding.rule in _SAY_WHAT_LACKS]
    if situation.cluster is None:
        return _of_the_releases(situation, told)
    if situation.mode is Mode.MINT:
        lacking = any(stopping for _, stopping in told)
        return Basis(() if lacking else ("CCO mints what the target asks for",), lacking=lacking)
    return _of_the_cluster(situation, situation.cluster, told)


def _of_the_releases(situation: Situation, told: _Told) -> Basis:
    guesses, unchanged = _guesses(situation), _unchanged(situation)
    if not _declared(unchanged):
        unchecked = _unchecked(situation, "other " if told else "")
        return Basis((unchecked, *guesses.values()), tuple(guesses))
    open_ = [request for request, judged in unchanged if not _met(judged)]
    taken = [_beside(told, r, f"{r.id} holds what it needed before (not declared)") for r in open_]
    assumptions = (APPLIED, *sorted(set(filter(None, taken))), *guesses.values())
    return Basis(assumptions, tuple(guesses), declared=not open_)


def _of_the_cluster(situation: Situation, cluster: Cluster, told: _Told) -> Basis:
    requests = [selected.request for _, selected in situation.requirements()]
    unchanged, given = _unchanged(situation), situation.proof.given
    judged = [r for r in requests if given or not situation.permission_model(r)]
    clauses = [(r, _taken(situation, cluster, r)) for r in judged]
    taken = [_beside(told, request, clause) for request, clause in clauses if clause is not None]
    assumptions = [*([] if given or not unchanged else [_unchecked(situation)]), *filter(None, taken)]
    served = situation.platform_traits is None or situation.platform_traits.name in ALWAYS_SERVED
    if served and not requests:
        platform = situation.platform
        assumptions.append(f"no component asks for credentials on {platform}" if platform else _unchecked(situation))
    assumptions += _accepted(situation)
    applied = [APPLIED] if _declared(unchanged) else []
    lacking = None in taken
    declared = not lacking and all(clause.endswith(_TRUSTS) for clause in assumptions)
    return Basis(tuple(dict.fromkeys([*applied, *assumptions])), declared=declared, lacking=lacking)


def _unchecked(situation: Situation, which: str = "") -> str:
    start = situation.hops[0].old.version if situation.hops else "the current release"
    return f"{start}'s {which}permissions are in place (not checked)"


def _beside(told: _Told, request: CredentialsRequest, clause: str) -> str | None:
    """Return what is taken for granted of a request beside what findings say; None where one stops the upgrade."""
    about = [(finding, stopping) for finding, stopping in told if _is_about(finding, request)]
    if any(stopping for _, stopping in about):
        return None
    lacks = any(need.status is NeedStatus.UNMET for finding, _ in about for need in finding.needs)
    return f"{request.id} works without what a finding says it lacks" if lacks else clause


def _is_about(finding: Finding, request: CredentialsRequest) -> bool:
    """Return whether a finding speaks of a request: of itself, of a Secret that it reads, of the root credential."""
    if finding.rule.startswith("secret-"):
        return finding.secret == str(request.secret)
    return finding.request in (None, request.id)


def _unchanged(situation: Situation) -> list[tuple[CredentialsRequest, list[CoverageResult]]]:
    """Judge what did not change of each request whose cloud lists permissions."""
    asked = (s.request for _, s in situation.requirements() if situation.permission_model(s.request))
    return [(r, _grants(situation, r)) for r in asked]


def _grants(situation: Situation, request: CredentialsRequest) -> list[CoverageResult]:
    return [judged for _, judged in situation.proof.grants(request, unchanged_grants(situation, request))]


def _declared(unchanged: Iterable[tuple[CredentialsRequest, Iterable[CoverageResult]]]) -> bool:
    """Return whether policy files declare anything of what did not change."""
    return any(judged.declared for _, all_of in unchanged for judged in all_of)


def _met(judged: Iterable[CoverageResult]) -> bool:
    return all(one.verdict is Coverage.COVERED for one in judged)


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
    names = {
        name
        for _, selected in situation.requirements()
        for name in situation.proof.assumed(selected.request, selected.request.grants)
    }
    return [f"{_ACCEPTED[name]} (--assume {name})" for name in sorted(names)]


def _taken(situation: Situation, cluster: Cluster, request: CredentialsRequest) -> str | None:
    """Return what a verdict takes for granted about one requirement, None where all that did not change was seen."""
    if situation.permission_model(request):
        grants = _grants(situation, request)
        if _met([*grants, *_trust(situation, request)]):
            return None
        silent = situation.proof.silent_on_trust(request) and _met(grants)
        return f"{request.id} {_TRUSTS if silent else 'holds what it needed before (not proven)'}"
    if situation.mode is Mode.PASSTHROUGH:
        keys = root_keys_need(situation, cluster)
        seen = keys is not None and keys.status is NeedStatus.MET
        return None if seen else "the root credential is in place (not checked)"
    if _asks_for_secret(situation, request):
        return None  # its own finding asks for it: this requirement did change
    needs = secret_needs(situation, request, situation.hops[-1].new.minor)
    complete = all(need.status is NeedStatus.MET for need in needs)
    return None if complete else f"Secret {request.secret} is complete (not checked)"


def _trust(situation: Situation, request: CredentialsRequest) -> list[CoverageResult]:
    """Judge the trust in the accounts of a request that did not change; nothing where nobody has to be trusted."""
    if not situation.credentials.may_need_trust:
        return []
    accounts = unchanged_accounts(situation, request)
    return [situation.proof.trust(request, accounts)] if accounts else []


def unchanged_grants(situation: Situation, request: CredentialsRequest) -> tuple[Grant, ...]:
    """Return the grants of a required request that are in no change finding's needs (docs/contract.md#proof)."""
    asked: set[Grant] = set()
    for _, change in situation.changes():
        if change.request != request.id or change.after is None:
            continue
        if _asks_for_all(situation, change) and change.after.request.secret == request.secret:
            return ()
        asked.update(added.grant for added in change.added if added.covered_by is None)
    return tuple(g for g in request.grants if g not in asked and g.effect in (None, "Allow"))


def unchanged_accounts(situation: Situation, request: CredentialsRequest) -> tuple[str, ...]:
    """Return the service accounts of a required request that are in no change finding's needs."""
    added: set[str] = set()
    for _, change in situation.changes():
        if change.request == request.id:
            if asks_for_secret(change) and change.secret_after == request.secret:
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
    moved = situation.mode.by_hand and change.secret_before != change.secret_after
    return change.kind != "added" and (change.kind_changed or moved)
