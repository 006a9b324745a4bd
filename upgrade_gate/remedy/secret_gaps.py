"""Which Secrets are to be made or completed: those that open findings ask for, and those that CCO names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.base.facts import Known
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.gate import cco, requirements
from upgrade_gate.gate.findings import NeedKind, NeedStatus
from upgrade_gate.remedy.identity_change import NEW_RULES, SECRET_RULES
from upgrade_gate.requests.update import GUARDED_HOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest

_LISTED_SECRET = re.compile(r"\[([^\]]*)\]")


class Gap(Struct, frozen=True):
    """A Secret that is to be made or completed."""

    secret: SecretRef
    kind: str
    """providerSpec kind of the request that reads it."""
    requests: tuple[str, ...]
    rewrite: bool
    """Whether it is there and must change: keys are missing, or the token path is another."""
    sure: bool
    """False: nothing could be read, so it may be there."""
    token_path: str | None = None


def find(situation: Situation, findings: Sequence[Finding]) -> list[Gap]:
    """Return the Secrets that are missing or incomplete, each once, by what open findings say, then by CCO's word."""
    gaps = _asked_for(situation, findings)
    known = {gap.secret for gap in gaps}
    return gaps + [gap for gap in _listed_by_cco(situation) if gap.secret not in known]


def _asked_for(situation: Situation, findings: Iterable[Finding]) -> list[Gap]:
    """Return the Secrets that open findings ask for, each once, sorted."""
    if not situation.mode.by_hand or not situation.hops:
        return []
    found: dict[SecretRef, Gap] = {}
    for finding in findings:
        if finding.rule not in NEW_RULES | SECRET_RULES:
            continue
        hop = situation.hops[min(finding.hop, len(situation.hops) - 1)]
        selected = hop.new_selection.requests.get(finding.request or "")
        if selected is None:
            continue
        gap = _gap_of(situation, selected.request, finding.rule, hop.new.minor)
        if gap is None:
            continue
        before = found.get(gap.secret)
        if before is not None:
            gap = replace(
                before,
                requests=tuple(dict.fromkeys((*before.requests, *gap.requests))),
                rewrite=before.rewrite or gap.rewrite,
                token_path=before.token_path or gap.token_path,
            )
        found[gap.secret] = gap
    return [found[secret] for secret in sorted(found)]


def _gap_of(situation: Situation, request: CredentialsRequest, rule: str, release: tuple[int, int]) -> Gap | None:
    """Return what is missing of a request's Secret, None where it is complete as far as is known."""
    secret = request.secret
    found = {need.kind: need.status for need in requirements.secret_needs(situation, request, release)}
    state = found.get(NeedKind.SECRET, NeedStatus.UNMET)
    keys = found.get(NeedKind.KEYS, NeedStatus.UNKNOWN)
    moved = rule == "token-path-changed"
    if state is NeedStatus.MET and keys is not NeedStatus.UNMET and not moved:
        return None
    return Gap(
        secret=secret,
        kind=request.provider_kind,
        requests=(request.name,),
        rewrite=moved or state is NeedStatus.MET,
        sure=state is not NeedStatus.UNKNOWN,
        token_path=request.token_path if moved else None,
    )


def _listed_by_cco(situation: Situation) -> list[Gap]:
    """Return the Secrets that CCO up to 4.7 asks for: those that its condition names.

    See docs/facts/cco.md#upgradeable.
    """
    hop = situation.hops[0] if situation.hops else None
    cluster, traits = situation.cluster, situation.platform_traits
    if hop is None or cluster is None or traits is None or traits.kind is None or hop.kind not in GUARDED_HOPS:
        return []
    if hop.old.minor >= (4, 8) or not situation.mode.by_hand:
        return []
    found = cco.condition(cluster, "Upgradeable")
    if not isinstance(found, Known) or found.value.status != "False":
        return []
    listed = _LISTED_SECRET.search(found.value.message)
    named = [w.partition("/") for w in (listed.group(1).split() if listed else ()) if w.count("/") == 1]
    refs = [SecretRef(namespace, name) for namespace, _, name in named if namespace and name]
    refs = refs or list(cco.secret_list(hop.old.minor, situation.platform) or ())
    missing = [ref for ref in refs if not isinstance(cluster.secrets.get(ref), Known)]
    return [
        Gap(ref, traits.kind, (f"CCO {hop.old.minor[0]}.{hop.old.minor[1]}",), rewrite=False, sure=True)
        for ref in sorted(missing)
    ]
