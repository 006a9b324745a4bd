"""What identities hold and no release of the path asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.base.steps import Step
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.clouds.contract.risk import rate
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate.findings import Finding, RequiredGrant, Rule, Severity
from upgrade_gate.gate.rules._common import count, places
from upgrade_gate.gate.served import served_identities

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.clouds.contract.holdings import HeldGrant
    from upgrade_gate.gate.served import ServedIdentity
    from upgrade_gate.gate.situation import Situation

RULES = (
    Rule(
        "identity-excess",
        Severity.INFO,
        "An identity holds permissions that no release of this update asks for",
        "Only with --identities; it stops no upgrade unless a policy raises it. All that the identity holds is "
        "compared with what its CredentialsRequests ask for, in every release of the update. A wildcard is shown as it "
        "is: `ec2:*` is more than is asked for, even where parts of it are needed. Only permissions are compared, not "
        "their resources and conditions. What only the current release asks for (`covered_by`) is shown apart: keep it "
        "until you will not roll back. Where the export is incomplete, or a role or a CredentialsRequest cannot be "
        "read, that is reported only where the rule is raised. After the upgrade, take away what no release asks "
        "for, unless something else uses the identity. To make this a warning: `policy: {identity-excess: warning}`.",
    ),
)

LISTED = 20
"""Permissions that a step names; all of them stand in the finding's grants."""


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each identity that holds more than it is asked for."""
    if situation.mode is Mode.MINT:
        return
    if any(s.uncertain for hop in situation.hops for s in (hop.old_selection, hop.new_selection)):
        return  # what such a request asks for is not known
    if situation.proof.given:
        for served in served_identities(situation):
            yield from _of(situation, served)


_ASKED_UNREAD = CoverageResult(Coverage.UNKNOWN, "a CredentialsRequest of the cluster that it serves cannot be read")


def _of(situation: Situation, served: ServedIdentity) -> Iterator[Finding]:
    held = situation.proof.held(served.first) if served.whole else _ASKED_UNREAD
    name = _name(served, passed_through=situation.proof.root_secret is not None)
    if isinstance(held, CoverageResult):
        yield from _untold(situation, served, name, held.reason)
        return
    grants = [
        g for one in sorted(held.grants, key=lambda h: h.grant.canonical) for g in _unasked(situation, served, one)
    ]
    if not grants:
        yield from _untold(situation, served, name, "; ".join(held.unseen))
        return
    excess = [g for g in grants if g.covered_by is None]
    until = [g for g in grants if g.covered_by is not None]
    yield replace(
        _about(situation, served, _headline(name, excess, until), [g.grant.as_dict() for g in grants]),
        grants=(*excess, *until),
        caveats=tuple(f"cannot tell all that {name} holds: {line}" for line in held.unseen),
        remedy=tuple(_steps(name, excess)),
    )


def _untold(situation: Situation, served: ServedIdentity, name: str, why: str) -> Iterator[Finding]:
    """Yield that nobody can tell, where the rule may stop the upgrade; elsewhere it is in nobody's way."""
    if why and "identity-excess" in situation.raised:
        yield _about(situation, served, f"cannot tell whether {name} holds more than is asked for: {why}", None)


def _about(situation: Situation, served: ServedIdentity, headline: str, content: object) -> Finding:
    """Return what every finding about an identity's excess has."""
    identity, root = situation.proof.shown_identity(served.first), situation.proof.root_secret
    requests = sorted(served.requests.items())
    secrets = {str(selected.request.secret) for _, (_, selected) in requests} if root is None else {str(root)}
    return Finding(
        rule="identity-excess",
        severity=Severity.INFO,
        headline=headline,
        content=content,
        subject=(identity or served).id,
        request=requests[0][0] if len(requests) == 1 else None,
        secret=secrets.pop() if len(secrets) == 1 else None,
        identity=identity,
        evidence=tuple(e for _, (side, selected) in requests for e in places(side, selected)),
    )


def _unasked(situation: Situation, served: ServedIdentity, held: HeldGrant) -> Iterator[RequiredGrant]:
    """Yield what is held unless the target asks for it, with the earlier releases of the path that do."""
    *earlier, target = served.releases
    asks_for = situation.proof.asks_for
    if asks_for(served.kind, target, held.grant):
        return
    asking = [
        hop.old.version
        for hop, asked in zip(situation.hops, earlier, strict=True)
        if asks_for(served.kind, [*asked, *target], held.grant)
    ]
    yield RequiredGrant(held.grant, ", ".join(asking) or None, rate(served.kind, held.grant), held.by)


def _name(served: ServedIdentity, *, passed_through: bool) -> str:
    """Return what to call the identity in a sentence: after its component where it has only one, else by its own name.

    Only an ARN has something before its name.
    """
    if passed_through:
        return "the root credential"
    if len(served.requests) == 1:
        return f"the identity of {served.first.name}"
    return served.id.rpartition("/")[2]


def _headline(name: str, excess: Sequence[RequiredGrant], until: Sequence[RequiredGrant]) -> str:
    told = excess or until
    more = f" and {count(len(told) - 1, 'more permission')}" if len(told) > 1 else ""
    first = f"{name} holds {told[0].grant.permission}{more}"
    only = f"only {_asking(until)} asks for"
    if not excess:
        return f"{first} that {only}"
    return f"{first} that no release asks for{f', and {len(until)} that {only}' if until else ''}"


def _asking(until: Sequence[RequiredGrant]) -> str:
    return ", ".join(dict.fromkeys(str(g.covered_by) for g in until))


def _steps(name: str, excess: Sequence[RequiredGrant]) -> Iterator[Step]:
    """Yield the step that takes away what nobody asks for; what an earlier release asks for, its own findings name."""
    if excess:
        title = f"take away from {name} what no release asks for, unless something else needs it: {_named(excess)}"
        yield Step(title, "after")


def _named(grants: Sequence[RequiredGrant]) -> str:
    names = list(dict.fromkeys(g.grant.permission for g in grants))
    rest = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{rest}"
