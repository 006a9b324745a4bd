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
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, KnowsBuckets, Resolves, provider_of_kind
from upgrade_gate.cluster.scopes import request_bucket, request_scopes
from upgrade_gate.proof import collect
from upgrade_gate.proof.context import context_of
from upgrade_gate.proof.identity_map import Identities, identify
from upgrade_gate.proof.judge import strict

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from datetime import datetime

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import HeldGrants, Holdings, PolicySize, VendorSet
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import SecretRecord
    from upgrade_gate.proof.collect import Collection
    from upgrade_gate.proof.identity_map import Identity
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
    identities: Identities = field(default_factory=Identities)
    ccoctl_name: str | None = None
    strict: bool = False
    assume: tuple[str, ...] = ()
    """What is taken for granted of the cluster (`cluster-tag`)."""

    @property
    def given(self) -> bool:
        """Whether anything was supplied about what identities hold."""
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
    root: SecretRef | None,
    passed_through: bool,
    now: datetime,
) -> Proof:
    """Join what was supplied about identities with the cluster, for requests of these providerSpec kinds.

    `root` is the platform's root credential, which serves every request where CCO passes it through; `now` the moment
    by which conditions on time are decided.
    """
    account = claims.identities.account
    context = context_of(cluster, now, account=account, assume=claims.assume) if cluster is not None else None
    built = (
        (kind, collect.holdings(claims.collection, kind, account, context))
        for kind in (sorted(kinds) if claims.collection else ())
        if claims.collection
    )
    holdings = {kind: found for kind, found in built if found is not None}
    return Proof(claims, cluster, root if passed_through else None, root, holdings, context)


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
        found = self._serving(request)
        if isinstance(found, CoverageResult):
            return found
        holdings, identity = found
        judgement = self._trust(request, holdings, identity, accounts)
        return strict(judgement) if self.claims.strict else judgement

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
        if secret is None:
            return None
        holdings = self.holdings.get(request.provider_kind)
        record = self._record(secret)
        ccoctl = None
        plugin = provider_of_kind(request.provider_kind)
        if self.claims.ccoctl_name and self.root_secret is None and plugin is not None:
            ccoctl = plugin.ccoctl_name(self.claims.ccoctl_name, secret.namespace, secret.name, request.name)
        return identify(
            holdings,
            in_secret=record.value.identity if isinstance(record, Known) else None,
            configured=self.claims.identities.of(str(secret)),
            ccoctl=ccoctl,
        )

    def configured(self, secret: str) -> str | None:
        """Return the identity that the configuration names for `namespace/secret`, or that serves all of them."""
        if self.root_secret is not None:
            return self.claims.identities.of(str(self.root_secret))
        return self.claims.identities.of(secret)

    def sees(self, request: CredentialsRequest) -> bool:
        """Whether it is known which identity serves a request, and something shows what identities hold."""
        return not isinstance(self._serving(request), CoverageResult)

    def resolved(self, kind: str, identity: str) -> str:
        """Return the one spelling of an identity of a providerSpec kind; as given where nothing joins several."""
        holdings: object = self.holdings.get(kind)
        return (holdings.resolve(identity) if isinstance(holdings, Resolves) else None) or identity

    def shown_identity(self, request: CredentialsRequest) -> Identity | None:
        """Return the identity for a finding; None where nothing was supplied or nobody says."""
        return self.identity_of(request) if self.given else None

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
        collection = self.claims.collection
        if collection is None:
            return None
        accounts = {h.account for h in self.holdings.values() if h.account}
        return ProofSource(
            kind=collection.source,
            account=", ".join(sorted(accounts)) or self.claims.identities.account,
            collected=collection.collected,
            files=tuple(sorted(collection.files.items())),
        )

    def notes(self) -> tuple[str, ...]:
        """Return what of the export could not be used, one line each."""
        collection = self.claims.collection
        failure = (self.claims.failure,) if self.claims.failure else ()
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
        if self.cluster is None or not isinstance(holdings, KnowsBuckets):
            return holdings
        bucket = request_bucket(self.cluster, request.provider_kind, request.name)
        return holdings if isinstance(bucket, Absent) else holdings.with_bucket(bucket)

    def _trust(
        self, request: CredentialsRequest, holdings: Holdings, identity: Identity, accounts: Sequence[str]
    ) -> CoverageResult:
        issuer = self.cluster.issuer if self.cluster else Unknown("no cluster was read")
        match issuer:
            case Known(value=url):
                namespace = request.secret.namespace if request.secret else ""
                subjects = [f"system:serviceaccount:{namespace}:{account}" for account in accounts]
                return holdings.trust(identity.id, url, subjects)
            case Unknown(reason=reason):
                return CoverageResult(Coverage.UNKNOWN, f"the cluster's token issuer is not known: {reason}")
            case _:
                return CoverageResult(Coverage.UNKNOWN, "the cluster has no token issuer of its own")

    def _scopes(self, request: CredentialsRequest) -> tuple[str, ...] | CoverageResult:
        if self.cluster is None:
            return ()
        match request_scopes(self.cluster, request.provider_kind, request.name):
            case Known(value=scopes):
                return scopes
            case Unknown(reason=reason):
                return CoverageResult(Coverage.UNKNOWN, f"which scopes must be covered is not known: {reason}")
            case _:
                return ()

    def _record(self, secret: SecretRef) -> Fact[SecretRecord]:
        if self.cluster is None:
            return Unknown("no cluster was read")
        if secret == self.root_of_platform:
            return self.cluster.root_secret
        return self.cluster.secrets.get(secret, Unknown("it was not read"))
