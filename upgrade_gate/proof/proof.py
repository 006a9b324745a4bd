"""What is proven about the identities that serve this cluster's Secrets.

Joins the three things that a proof needs: what an export or a live account says (`holdings`), which identity
serves a secretRef, and the facts of the cluster (issuer, scopes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.clouds.contract.holdings import (
    Coverage,
    CoverageResult,
    KnowsBuckets,
    Resolves,
    provider_of_kind,
    unknown,
)
from upgrade_gate.cluster.scopes import request_bucket, request_scopes
from upgrade_gate.proof import collect
from upgrade_gate.proof.context import context_of
from upgrade_gate.proof.declared import Served
from upgrade_gate.proof.identity_map import Identities, Identity, identify
from upgrade_gate.proof.judge import strict

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.contract.context import Bucket, Context
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import HeldGrants, Holdings, PolicySize, VendorSet
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import SecretRecord
    from upgrade_gate.proof.collect import Collection
    from upgrade_gate.proof.declared import Declarations, PolicyPlace
    from upgrade_gate.requests.credentials_request import CredentialsRequest

NOTHING_SUPPLIED = "no identities were given (--identities)"


def _not_judged(kind: str) -> str:
    return f"what identities hold cannot be judged for {kind}: see that it is granted, then acknowledge it"


class Claims(Struct, frozen=True):
    """What the user supplied about identities."""

    collection: Collection | None = None
    """None where `--identities` was not given, or where nothing of it could be read (`failure`)."""
    failure: str | None = None
    """Why nothing of what was given could be read, or may count."""
    declarations: Declarations | None = None
    """What policy files say that should be granted; None where none were given."""
    identities: Identities = field(default_factory=Identities)
    ccoctl_name: str | None = None
    strict: bool = False
    assume: tuple[str, ...] = ()
    """What is taken for granted of the cluster (`cluster-tag`)."""

    @property
    def given(self) -> bool:
        """Whether anything was supplied about what identities hold, or should hold."""
        return self.shown or self.declarations is not None

    @property
    def shown(self) -> bool:
        """Whether anything was supplied that shows what identities really hold."""
        return self.collection is not None or self.failure is not None


class ProofSource(Struct, frozen=True):
    """Where what is proven comes from."""

    kind: str
    account: str | None
    collected: str | None
    files: tuple[tuple[str, str], ...]
    """Each file with its SHA-256."""


def prove(
    claims: Claims,
    cluster: Cluster | None,
    kinds: Iterable[str],
    *,
    secrets: Iterable[str] = (),
    root: SecretRef | None,
    passed_through: bool,
    now: datetime,
) -> Proof:
    """Join what was supplied about identities with the cluster, for requests of these providerSpec kinds.

    `secrets` are all that the releases of the path name (`namespace/name`); `root` is the platform's root credential,
    which serves every request where CCO passes it through; `now` the moment by which conditions on time are decided.
    """
    if claims.declarations is not None:
        claims = replace(claims, declarations=claims.declarations.anew())
    account = claims.identities.account
    context = context_of(cluster, now, account=account, assume=claims.assume) if cluster is not None else None
    built = (
        (kind, collect.holdings(claims.collection, kind, account, context))
        for kind in sorted(kinds)
        if claims.collection
    )
    holdings = {kind: found for kind, found in built if found is not None}
    return Proof(claims, cluster, root if passed_through else None, root, holdings, context, frozenset(secrets))


class Proof(Struct, frozen=True):
    """Answers whether a requirement is held; where nothing was supplied every answer is UNKNOWN."""

    claims: Claims = field(default_factory=Claims)
    cluster: Cluster | None = None
    root_secret: SecretRef | None = None
    """Set in passthrough mode: every request is served by the root credential."""
    root_of_platform: SecretRef | None = None
    """The platform's root credential, whatever the mode."""
    holdings: Mapping[str, Holdings] = field(default_factory=dict)
    """By providerSpec kind, for the kinds that can be judged."""
    context: Context | None = None
    """Where and under which conditions grants are used; None where no cluster was read."""
    secrets: frozenset[str] = frozenset()
    """Every Secret that the releases name: what a policy is called tells it from the others."""
    _judged: dict[Hashable, CoverageResult] = field(default_factory=dict)
    """Answers of `_judge`, which rest on nothing but what stands above."""

    @property
    def given(self) -> bool:
        """Whether anything was supplied about what identities hold."""
        return self.claims.given

    def grants(self, request: CredentialsRequest, grants: Sequence[Grant]) -> tuple[tuple[Grant, CoverageResult], ...]:
        """Judge each required grant on the identity that serves the request's Secret."""
        return tuple((grant, self._grant(request, grant)) for grant in grants)

    def trust(self, request: CredentialsRequest, accounts: Sequence[str]) -> CoverageResult:
        """Judge whether the identity trusts every one of these service accounts in the Secret's namespace."""
        seen = self._seen_trust(request, accounts)
        told = self._declared(request)
        return seen if told is None else self._joined(request, seen, self._told_trust(request, told, accounts))

    def _told_trust(
        self, request: CredentialsRequest, told: Served | CoverageResult, accounts: Sequence[str]
    ) -> CoverageResult:
        issuer = self._issuer()
        if isinstance(told, CoverageResult):
            return told
        if isinstance(issuer, CoverageResult):
            return issuer
        assert self.claims.declarations is not None  # noqa: S101 - they told it
        said = self.claims.declarations.trust(told, issuer, _subjects(request, accounts), self.context)
        return strict(said) if self.claims.strict else said

    def _seen_trust(self, request: CredentialsRequest, accounts: Sequence[str]) -> CoverageResult:
        found = self._serving(request)
        if isinstance(found, CoverageResult):
            return found
        holdings, identity = found
        judgement = self._trust(request, holdings, identity, accounts)
        return strict(judgement) if self.claims.strict else judgement

    def silent_on_trust(self, request: CredentialsRequest) -> bool:
        """Return whether all that was supplied for a request are policies that do not say whom the identity trusts."""
        told = self._declared(request)
        silent = isinstance(told, Served) and not any(one.declaration.trusts for one in told.found)
        return silent and not self._shown_of(request)

    def at_root(self) -> Proof:
        """Return the same proof with every request served by the root credential, as CCO's own work is."""
        return replace(self, root_secret=self.root_of_platform, _judged={})

    def caveats(
        self, request: CredentialsRequest, grants: Sequence[Grant], accounts: Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Return what was not shown about covered grants, and about the trust in accounts, one line each, sorted."""
        if not self.given:
            return ()
        judged = [judgement for _, judgement in self.grants(request, grants)]
        if accounts:
            judged.append(self.trust(request, accounts))
        return tuple(sorted({line for j in judged if j.verdict is Coverage.COVERED for line in j.caveats}))

    def assumed(self, request: CredentialsRequest, grants: Sequence[Grant]) -> tuple[str, ...]:
        """Return the assumptions that covered grants rest on, sorted."""
        return tuple(sorted({name for _, j in self.grants(request, grants) for name in j.assumed}))

    def identity_of(self, request: CredentialsRequest) -> Identity | None:
        """Return the identity that serves a request, with how that is known and what contradicts it."""
        secret = self.root_secret or request.secret
        holdings = self.holdings.get(request.provider_kind)
        record = self._record(secret)
        return identify(
            holdings,
            in_secret=record.value.identity if isinstance(record, Known) else None,
            configured=self.claims.identities.of(str(secret)),
            ccoctl=self._ccoctl(request),
        )

    def _ccoctl(self, request: CredentialsRequest) -> str | None:
        """Return what ccoctl would have called the identity of a request, None where its --name is not known."""
        plugin = provider_of_kind(request.provider_kind)
        if self.claims.ccoctl_name is None or self.root_secret is not None or plugin is None:
            return None
        secret = request.secret
        return plugin.ccoctl_name(self.claims.ccoctl_name, secret.namespace, secret.name, request.name)

    def configured(self, secret: str) -> str | None:
        """Return the identity that the configuration names for `namespace/secret`, or that serves all of them."""
        if self.root_secret is not None:
            return self.claims.identities.of(str(self.root_secret))
        return self.claims.identities.of(secret)

    def sees(self, request: CredentialsRequest) -> bool:
        """Whether it is known which identity serves a request, and something shows what identities hold."""
        return not isinstance(self._serving(request), CoverageResult)

    def _shown_of(self, request: CredentialsRequest) -> bool:
        """Whether anything that shows what identities hold is to be judged for a request, read or not."""
        return self.claims.failure is not None or self.sees(request)

    def resolved(self, kind: str, identity: str) -> str:
        """Return the one spelling of an identity of a providerSpec kind; as given where nothing joins several."""
        holdings: object = self.holdings.get(kind)
        return (holdings.resolve(identity) if isinstance(holdings, Resolves) else None) or identity

    def shown_identity(self, request: CredentialsRequest) -> Identity | None:
        """Return the identity for a finding; None where nothing was supplied or nobody says."""
        known = self.identity_of(request) if self.given else None
        told = self._declared(request)
        return Identity(told.shown, "policies") if known is None and isinstance(told, Served) else known

    def sizes(self, request: CredentialsRequest, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        """Return each limit of the identity's cloud that what it holds and `required` would exceed together."""
        found = self._serving(request)
        return () if isinstance(found, CoverageResult) else found[0].sizes(found[1].id, required)

    def held(self, request: CredentialsRequest) -> HeldGrants | CoverageResult:
        """Return what the identity that serves a request is given, UNKNOWN where nobody can tell."""
        found = self._serving(request)
        if isinstance(found, CoverageResult):
            return found
        holdings, identity = found
        return self._untrusted(request, holdings, identity) or holdings.held(identity.id)

    def vendor_sets(self, request: CredentialsRequest, releases: Sequence[Sequence[Grant]]) -> tuple[VendorSet, ...]:
        """Return which policies of the identity that serves a request a vendor publishes word for word."""
        found = self._serving(request)
        return () if isinstance(found, CoverageResult) else found[0].vendor_sets(found[1].id, releases)

    def asks_for(self, kind: str, required: Sequence[Grant], held: Grant) -> bool:
        """Return whether what is required contains what an identity holds; where nobody can tell, it may."""
        holdings = self.holdings.get(kind)
        return holdings is None or holdings.asks_for(required, held)

    def source(self) -> ProofSource | None:
        """Return where the proof comes from, None where nothing was supplied."""
        collection, told = self.claims.collection, self.claims.declarations
        if collection is None and told is None:
            return None
        accounts = {h.account for h in self.holdings.values() if h.account}
        files = [
            *(collection.files.items() if collection else ()),
            *((f.name, f.sha256) for f in (told.files if told else ())),
        ]
        return ProofSource(
            kind=" and ".join(one.source for one in (collection, told) if one is not None),
            account=", ".join(sorted(accounts)) or self.claims.identities.account,
            collected=collection.collected if collection else None,
            files=tuple(sorted(files)),
        )

    def notes(self) -> tuple[str, ...]:
        """Return what of the export, or of the policy files, could not be used, one line each."""
        collection = self.claims.collection
        told = self.claims.declarations
        failure = (
            *([self.claims.failure] if self.claims.failure else []),
            *((*told.unread, *told.passed_over) if told else ()),
        )
        if collection is None:
            return failure
        unknown = (
            f"{origin}: no cloud prints documents of this shape; it proves nothing"
            for origin in collection.unrecognised
        )
        failed = (f"this failed when the export was made: {command}" for command in collection.failed)
        return (*failure, *collection.unread, *unknown, *failed)

    def _grant(self, request: CredentialsRequest, grant: Grant) -> CoverageResult:
        key = (request.id, request.secret, request.provider_kind, request.service_accounts, grant)
        known = self._judged.get(key)
        if known is None:
            known = self._judged[key] = self._judge(request, grant)
        return known

    def _judge(self, request: CredentialsRequest, grant: Grant) -> CoverageResult:
        seen = self._seen(request, grant)
        told = self._declared(request)
        return seen if told is None else self._joined(request, seen, self._told(request, told, grant))

    def _told(self, request: CredentialsRequest, told: Served | CoverageResult, grant: Grant) -> CoverageResult:
        """Judge a grant on what policy files declare."""
        scopes = self._scopes(request)
        if isinstance(told, CoverageResult):
            return told
        if isinstance(scopes, CoverageResult):
            return scopes
        assert self.claims.declarations is not None  # noqa: S101 - they told it
        said = self.claims.declarations.judge(told, grant, scopes, self.context, self._bucket(request))
        return strict(said) if self.claims.strict else said

    def _joined(self, request: CredentialsRequest, seen: CoverageResult, told: CoverageResult) -> CoverageResult:
        """Return what is seen, where anything shows it, with what is declared; else what is declared."""
        if not self._shown_of(request):
            return told
        if seen.verdict is Coverage.COVERED and told.verdict is not Coverage.COVERED:
            return replace(seen, caveats=(*seen.caveats, f"policy files do not declare it: {told.reason}"))
        if seen.verdict is not Coverage.COVERED and told.verdict is Coverage.COVERED:
            return replace(seen, reason=f"{seen.reason}; policy files declare it, and nothing shows that it is applied")
        return seen

    def _seen(self, request: CredentialsRequest, grant: Grant) -> CoverageResult:
        """Judge a grant on what shows what the identity holds."""
        found = self._serving(request)
        if isinstance(found, CoverageResult):
            return found
        holdings, identity = found
        scopes = self._scopes(request)
        if isinstance(scopes, CoverageResult):
            return scopes
        judgement = holdings.judge(identity.id, grant, scopes)
        if self.claims.strict:
            judgement = strict(judgement)
        if judgement.verdict is Coverage.COVERED:
            return self._untrusted(request, holdings, identity) or judgement
        return judgement

    def _declared(self, request: CredentialsRequest) -> Served | CoverageResult | None:
        """Return what policy files declare for the Secret of a request; None where none were given."""
        secret = self.root_secret or request.secret
        if self.claims.declarations is None:
            return None
        return self.claims.declarations.serving(
            request.provider_kind, str(secret), sorted(self.secrets), self._ccoctl(request)
        )

    def declared_results(
        self, request: CredentialsRequest, grants: Sequence[Grant]
    ) -> tuple[Served, tuple[tuple[Grant, CoverageResult], ...]] | None:
        """Return what policy files declare for a request, and what they say of each grant; None where they do not."""
        told = self._declared(request)
        if not isinstance(told, Served):
            return None
        return told, tuple((grant, self._told(request, told, grant)) for grant in grants)

    def new_policy(self, request: CredentialsRequest) -> tuple[Path, str] | None:
        """Return where policy files would hold one for a request, None where they hold one or nobody knows where."""
        if not isinstance(self._declared(request), CoverageResult):
            return None
        assert self.claims.declarations is not None  # noqa: S101 - they told it
        secret = str(self.root_secret or request.secret)
        return self.claims.declarations.place_for(request.provider_kind, secret, sorted(self.secrets))

    def policy_places(self, request: CredentialsRequest, grants: Sequence[Grant]) -> tuple[PolicyPlace, ...]:
        """Return where policy files speak of these grants, or where they would be added."""
        told = self._declared(request)
        if not isinstance(told, Served):
            return ()
        assert self.claims.declarations is not None  # noqa: S101 - they told it
        return self.claims.declarations.places(told, grants)

    def _untrusted(self, request: CredentialsRequest, holdings: Holdings, identity: Identity) -> CoverageResult | None:
        """Return UNKNOWN for an identity that was found by ccoctl's naming and is not seen to trust this cluster."""
        if identity.source != "ccoctl-name":
            return None
        counts = f"{identity.id} was found by ccoctl's naming, which counts only if it trusts this cluster"
        if not request.service_accounts:
            why = f"{request.id} names no service account to trust (name the identity in the configuration)"
            return CoverageResult(Coverage.UNKNOWN, f"{counts}: {why}")
        trust = self._trust(request, holdings, identity, request.service_accounts)
        if trust.verdict is Coverage.COVERED and not trust.issuer_unseen:
            return None
        reason = f"{counts}: {'; '.join((trust.reason, *trust.caveats))}"
        return CoverageResult(Coverage.UNKNOWN, reason, doubt=trust.unsettled)

    def _serving(self, request: CredentialsRequest) -> tuple[Holdings, Identity] | CoverageResult:
        if self.claims.failure is not None:
            return CoverageResult(Coverage.UNKNOWN, self.claims.failure)
        if self.claims.collection is None:
            judged = provider_of_kind(request.provider_kind) is not None
            return CoverageResult(Coverage.UNKNOWN, NOTHING_SUPPLIED if judged else _not_judged(request.provider_kind))
        holdings = self.holdings.get(request.provider_kind)
        if holdings is None:
            return CoverageResult(Coverage.UNKNOWN, _not_judged(request.provider_kind))
        identity = self.identity_of(request)
        if identity is None:
            return CoverageResult(
                Coverage.UNKNOWN,
                f"nothing says which identity serves Secret {self.root_secret or request.secret} "
                "(identities: in the configuration, --read-secrets, or --ccoctl-name)",
            )
        return self._used(holdings, request), identity

    def _used(self, holdings: Holdings, request: CredentialsRequest) -> Holdings:
        """Return the holdings as the component of a request uses them: with the one bucket that it works with."""
        bucket = self._bucket(request)
        return holdings.with_bucket(bucket) if bucket is not None and isinstance(holdings, KnowsBuckets) else holdings

    def _bucket(self, request: CredentialsRequest) -> Fact[Bucket] | None:
        """Return the one bucket that the component of a request works with; None where there is no such."""
        if self.cluster is None:
            return None
        bucket = request_bucket(self.cluster, request.provider_kind, request.name)
        return None if isinstance(bucket, Absent) else bucket

    def _trust(
        self, request: CredentialsRequest, holdings: Holdings, identity: Identity, accounts: Sequence[str]
    ) -> CoverageResult:
        issuer = self._issuer()
        if isinstance(issuer, CoverageResult):
            return issuer
        return holdings.trust(identity.id, issuer, _subjects(request, accounts))

    def _issuer(self) -> str | CoverageResult:
        issuer = self.cluster.issuer if self.cluster else Unknown("no cluster was read")
        match issuer:
            case Known(value=url):
                return url
            case Unknown(reason=reason):
                return unknown(f"the cluster's token issuer is not known: {reason}")
            case _:
                return unknown("the cluster has no token issuer of its own")

    def _scopes(self, request: CredentialsRequest) -> tuple[str, ...] | CoverageResult:
        if self.cluster is None:
            return ()
        match request_scopes(self.cluster, request.provider_kind, request.name):
            case Known(value=scopes):
                return scopes
            case Unknown(reason=reason):
                return unknown(f"which scopes must be covered is not known: {reason}")

    def _record(self, secret: SecretRef) -> Fact[SecretRecord]:
        if self.cluster is None:
            return Unknown("no cluster was read")
        if secret == self.root_of_platform:
            return self.cluster.root_secret
        return self.cluster.secrets.get(secret, Unknown("it was not read"))


def _subjects(request: CredentialsRequest, accounts: Sequence[str]) -> list[str]:
    return [f"system:serviceaccount:{request.secret.namespace}:{account}" for account in accounts]
