"""What one judged path newly asks for, item by item: permissions, Secrets and trust, and what of them may go again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.facts import Absent, Known
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.clouds.contract.risk import rate
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate.findings import Status
from upgrade_gate.gate.requirements import asks_for_secret, secret_fact
from upgrade_gate.gate.verdict import stops
from upgrade_gate.report.change_views import grant_view, introduced
from upgrade_gate.report.plan_document import Held, NewGrant, NewSecret, NewTrust, OpenFinding, Work
from upgrade_gate.requests import in_between
from upgrade_gate.requests.diff import Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.outcome import Judgement
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import Weights
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.diff import Change
    from upgrade_gate.requests.update import Hop

ITEMISED = frozenset(
    {
        "permission-added",
        "permission-widened",
        "request-added",
        "secret-moved",
        "provider-kind-changed",
        "service-accounts-added",
    }
)
"""Rules whose findings ask for nothing but permissions, Secrets and trust."""


class Items(Struct, frozen=True):
    """What a path newly asks for."""

    grants: tuple[NewGrant, ...]
    secrets: tuple[NewSecret, ...]
    trust: tuple[NewTrust, ...]
    findings: tuple[OpenFinding, ...]
    work: Work


def of_judgement(judgement: Judgement, weights: Weights) -> Items:
    """Return what the path of a judgement asks for beyond the release that it starts from, each thing once."""
    situation = judgement.situation
    asking: dict[tuple[int, str | None], set[Status]] = {}
    for judged in judgement.judged:
        if judged.finding.rule in ITEMISED:
            asking.setdefault((judged.finding.hop, judged.finding.request), set()).add(judged.status)
    accepted = {place for place, found in asking.items() if Status.ACKNOWLEDGED in found and Status.OPEN not in found}
    grants: dict[object, NewGrant] = {}
    secrets: dict[object, NewSecret] = {}
    trust: dict[object, NewTrust] = {}
    for hop, change in situation.changes():
        request = change.request_after
        if request is None:
            continue
        by = _By(situation, hop, change, request, acknowledged=(hop.index, change.request) in accepted)
        for key, grant in by.grants():
            grants.setdefault(key, grant)
        for key, secret in by.secrets():
            secrets.setdefault(key, secret)
        for key, accounts in by.trust():
            trust.setdefault(key, accounts)
    stopping = [judged for judged in judgement.judged if stops(judged, weights)]
    other = sum(not j.finding.closed_by_annotation and j.finding.rule not in ITEMISED for j in stopping)
    return Items(
        grants=tuple(sorted(grants.values(), key=lambda one: (one.request, one.grant.permission))),
        secrets=tuple(sorted(secrets.values(), key=lambda one: one.secret or "")),
        trust=tuple(sorted(trust.values(), key=lambda one: (one.secret or "", one.service_accounts))),
        findings=tuple(_finding(judged.finding) for judged in stopping),
        work=Work(
            permissions=_left(grants.values()),
            secrets=_left(secrets.values()),
            trust=_left(trust.values()),
            other=other,
        ),
    )


def _left(items: Iterable[NewGrant | NewSecret | NewTrust]) -> int:
    return sum(item.held in ("no", "unknown") for item in items)


def _finding(finding: Finding) -> OpenFinding:
    severity: Any = finding.severity.value
    return OpenFinding(rule=finding.rule, severity=severity, fingerprint=finding.fingerprint, headline=finding.headline)


class _By(Struct, frozen=True):
    """What one change asks for."""

    situation: Situation
    hop: Hop
    change: Change
    request: CredentialsRequest
    acknowledged: bool

    def grants(self) -> Iterator[tuple[object, NewGrant]]:
        """Yield the permissions that nothing of today covers; the same on a later hop is the same."""
        kind, beside = self.request.provider_kind, self.hop.held_with(self.change)
        for grant in self._new():
            yield (
                (str(self.request.secret), kind, grant.canonical),
                NewGrant(
                    grant=grant_view(
                        grant, rating=rate(kind, grant, beside), introduced=introduced(self.hop, self.change, grant)
                    ),
                    held=self._held(self._grant_held(grant)),
                    only_on_the_way=in_between.of_grant(*self._brought(), kind, grant) is not None,
                    **self._whose(),
                ),
            )

    def _new(self) -> list[Grant]:
        """Return the permissions that are new to the identity: all of them where it is another one."""
        if asks_for_secret(self.change) and self.change.kind != "added" and self.situation.mode.by_hand:
            return [grant for grant in self.request.grants if grant.effect in (None, "Allow")]
        new = (a for a in self.change.added if a.why in (Why.NEW, Why.WIDENED) and a.covered_by is None)
        return [added.grant for added in new]

    def secrets(self) -> Iterator[tuple[object, NewSecret]]:
        """Yield the Secret of a request that is new, or that reads another one."""
        secret = self.request.secret
        if not asks_for_secret(self.change):
            return
        fact = secret_fact(self.situation, secret)
        held: Held = "yes" if isinstance(fact, Known) else "no" if isinstance(fact, Absent) else "unknown"
        only = in_between.of_secret(*self._brought()) is not None
        yield secret, NewSecret(held=self._by_person(held), only_on_the_way=only, **self._whose())

    def trust(self) -> Iterator[tuple[object, NewTrust]]:
        """Yield the service accounts that the identity of the Secret has to trust, where tokens are or may be used."""
        accounts = self.request.service_accounts if asks_for_secret(self.change) else self.change.accounts_added
        if not accounts or not self.situation.credentials.may_need_trust:
            return
        held = _held(self.situation.proof.trust(self.request, accounts))
        yield (
            (self.request.secret, accounts),
            NewTrust(
                service_accounts=list(accounts),
                held=self._by_person(held),
                only_on_the_way=in_between.of_accounts(*self._brought(), accounts) is not None,
                **self._whose(),
            ),
        )

    def _whose(self) -> dict[str, Any]:
        return {
            "request": self.change.request,
            "component": self.change.component,
            "secret": str(self.request.secret),
        }

    def _grant_held(self, grant: Grant) -> Held:
        ((_, result),) = self.situation.proof.grants(self.request, [grant])
        return _held(result)

    def _held(self, shown: Held) -> Held:
        if self.situation.mode is Mode.MINT and not self.change.left_alone:
            return "minted"
        return "acknowledged" if self.acknowledged and shown not in ("yes", "declared") else shown

    def _by_person(self, shown: Held) -> Held:
        """Return the same for what CCO makes in passthrough mode too: the Secret, and with it no trust."""
        passed = self.situation.mode is Mode.PASSTHROUGH and not self.change.left_alone
        return "minted" if passed else self._held(shown)

    def _brought(self) -> tuple[Sequence[Hop], int, SecretRef]:
        """Return where on the path something comes to which Secret."""
        return self.situation.hops, self.hop.index, self.request.secret


def _held(result: CoverageResult) -> Held:
    if result.verdict is Coverage.COVERED:
        return "declared" if result.declared else "yes"
    return "unknown" if result.verdict is Coverage.UNKNOWN else "no"
