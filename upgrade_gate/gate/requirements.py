"""What a finding asks for, and how much of it the cluster and its identities already have.

COVERED is met; MISSING, NARROWER and DENIED are unmet; UNKNOWN, or nothing supplied, is unknown
(docs/contract.md#needs). A need that depends on an unmet one is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Absent, Known, Unknown, known_or
from upgrade_gate.base.secret_ref import TOKEN_PATH, SecretRef
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.clouds.contract.secret import secret_of
from upgrade_gate.cluster.credentials_mode import Credentials
from upgrade_gate.gate.findings import Lack, Need, NeedKind, NeedStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import SecretRecord
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.diff import Change

NO_CLUSTER = "no cluster was read"


def asks_for_secret(change: Change) -> bool:
    """Return whether the finding of a change asks for a Secret by itself: no other finding may ask for it again."""
    return change.after is not None and (change.kind_changed or change.secret_before != change.secret_after)


def unchanged_secrets(situation: Situation) -> Iterator[tuple[SecretRef, CredentialsRequest]]:
    """Yield each Secret of the target that the current release needs too, with the first request that reads it.

    A request whose own finding asks for its Secret (it is new, or its Secret or kind changed) is passed over: one
    fault is one finding.
    """
    before = {s.request.secret for s in situation.hops[0].old_selection.requests.values()}
    asked = {(c.request, c.secret_after) for _, c in situation.changes() if asks_for_secret(c)}
    seen: set[SecretRef] = set()
    for name, selected in situation.requirements():
        secret = selected.request.secret
        if secret in before and secret not in seen and (name, secret) not in asked:
            seen.add(secret)
            yield secret, selected.request


def for_new_identity(
    situation: Situation, request: CredentialsRequest, grants: Sequence[Grant], release: tuple[int, int]
) -> tuple[Need, ...]:
    """Return the needs of a request that gets an identity of its own: namespace, secret, keys, grants, trust."""
    needs = list(secret_needs(situation, request, release))
    if grants and situation.permission_model(request):
        needs.append(grants_need(situation, request, grants))
    if situation.credentials.may_need_trust and request.service_accounts:
        needs.append(trust_need(situation, request, request.service_accounts))
    return tuple(needs)


def secret_needs(situation: Situation, request: CredentialsRequest, release: tuple[int, int]) -> Iterable[Need]:
    """Yield namespace, secret and keys, as far as each does not depend on an unmet one."""
    secret = request.secret
    namespace = namespace_need(situation, secret.namespace)
    yield namespace
    if namespace.status is NeedStatus.UNMET:
        return
    fact = secret_fact(situation, secret)
    match fact:
        case Known():
            yield Need(NeedKind.SECRET, NeedStatus.MET, f"Secret {secret} exists")
        case Absent():
            yield Need(NeedKind.SECRET, NeedStatus.UNMET, f"Secret {secret} does not exist")
            return
        case Unknown(reason=reason):
            yield Need(NeedKind.SECRET, NeedStatus.UNKNOWN, f"Secret {secret}: {reason}")
    yield keys_need(situation, request, fact, release)


def secret_fact(situation: Situation, secret: SecretRef) -> Fact[SecretRecord]:
    """Return what is known of a Secret."""
    if situation.cluster is None:
        return Unknown(NO_CLUSTER)
    return situation.cluster.secrets.get(secret, Unknown("it was not read"))


def namespace_need(situation: Situation, namespace: str) -> Need:
    """Decide whether a namespace exists."""
    fact: Fact[bool] = (
        Unknown(NO_CLUSTER)
        if situation.cluster is None
        else situation.cluster.namespaces.get(namespace, Unknown("it was not read"))
    )
    match fact:
        case Known():
            return Need(NeedKind.NAMESPACE, NeedStatus.MET, f"namespace {namespace} exists")
        case Absent():
            return Need(NeedKind.NAMESPACE, NeedStatus.UNMET, f"namespace {namespace} does not exist")
        case Unknown(reason=reason):
            return Need(NeedKind.NAMESPACE, NeedStatus.UNKNOWN, f"namespace {namespace}: {reason}")


def keys_need(
    situation: Situation, request: CredentialsRequest, fact: Fact[SecretRecord], release: tuple[int, int]
) -> Need:
    """Decide whether the Secret has every key that its readers want; `release` is the target's."""
    if not isinstance(fact, Known):
        return Need(NeedKind.KEYS, NeedStatus.UNKNOWN, "the Secret was not read")
    record = fact.value
    if record.keys is None and situation.accept_secret_exists and not situation.permission_model(request):
        return Need(NeedKind.KEYS, NeedStatus.MET, "the Secret exists, which is enough by policy (secret-exists)")
    if record.keys is None:
        return Need(
            NeedKind.KEYS, NeedStatus.UNKNOWN, "key names were not read (--read-secrets, or accept secret-exists)"
        )
    cloud = secret_of(request.provider_kind)
    if cloud is None:
        detail = f"this version does not know which keys {request.provider_kind} needs"
        return Need(NeedKind.KEYS, NeedStatus.UNKNOWN, detail)
    if fighting := cloud.conflicting_keys(record.keys):
        detail = f"Secret {record.ref} has {' and '.join(fighting)}, and may have only one of them"
        return Need(NeedKind.KEYS, NeedStatus.UNMET, detail)
    token = record.form == "token" or (record.form is None and situation.credentials is Credentials.TOKEN)
    servers = vcenters(situation)
    if isinstance(servers, Unknown):
        return Need(NeedKind.KEYS, NeedStatus.UNKNOWN, f"its vCenters are not known: {servers.reason}")
    missing = cloud.missing_keys(record.keys, token=token, release=release)
    missing = missing or cloud.missing_by_server(record.keys, servers)
    if missing:
        return Need(NeedKind.KEYS, NeedStatus.UNMET, f"Secret {record.ref} lacks {', '.join(missing)}")
    return Need(NeedKind.KEYS, NeedStatus.MET, f"Secret {record.ref} has every key")


def vcenters(situation: Situation) -> tuple[str, ...] | Unknown:
    """Return the vCenters of Infrastructure, none on other platforms or where it lists none."""
    if situation.cluster is None or situation.platform != "VSphere":
        return ()
    fact = situation.cluster.vcenters
    return fact if isinstance(fact, Unknown) else known_or(fact, ())


def root_keys_need(situation: Situation, cluster: Cluster) -> Need | None:
    """Decide whether the root Secret has the keys that CCO works with; None where key names were not read.

    Source: cloud-credential-operator `pkg/operator/secretannotator` and the actuators: a root Secret without the keys
    of its cloud serves nobody, and passthrough copies it as it is.
    """
    root = cluster.root_secret
    traits = situation.platform_traits
    cloud = secret_of(traits.kind) if traits is not None and traits.kind else None
    if not isinstance(root, Known) or root.value.keys is None or cloud is None:
        return None
    keys, servers = root.value.keys, vcenters(situation)
    missing = cloud.missing_root_keys(keys)
    if not missing:
        if isinstance(servers, Unknown):
            return Need(NeedKind.KEYS, NeedStatus.UNKNOWN, f"its vCenters are not known: {servers.reason}")
        missing = cloud.missing_by_server(keys, servers)
    if missing:
        return Need(NeedKind.KEYS, NeedStatus.UNMET, f"Secret {root.value.ref} lacks {', '.join(missing)}")
    return Need(NeedKind.KEYS, NeedStatus.MET, f"Secret {root.value.ref} has every key")


def grants_need(situation: Situation, request: CredentialsRequest, grants: Sequence[Grant]) -> Need:
    """Decide whether the identity behind the request's Secret holds every grant; the detail lists those it lacks."""
    judged = situation.proof.grants(request, grants)
    return need_of(
        NeedKind.GRANTS, [(grant.permission, judgement) for grant, judgement in judged], f"{len(grants)} grants held"
    )


def trust_need(situation: Situation, request: CredentialsRequest, accounts: Sequence[str]) -> Need:
    """Decide whether the identity trusts every service account of the request."""
    judgement = situation.proof.trust(request, accounts)
    return need_of(NeedKind.TRUST, [(", ".join(accounts), judgement)], "every service account is trusted")


def token_path_need(request: CredentialsRequest, fact: Fact[SecretRecord]) -> Need:
    """Decide whether the Secret names the token path that the target's component mounts."""
    wanted = request.token_path or TOKEN_PATH
    if not isinstance(fact, Known) or fact.value.token_path is None:
        return Need(
            NeedKind.TOKEN_PATH, NeedStatus.UNKNOWN, "the token path in the Secret was not read (--read-secrets)"
        )
    held = fact.value.token_path
    if held == wanted or held.rpartition("/")[0] == wanted.rstrip("/"):
        return Need(NeedKind.TOKEN_PATH, NeedStatus.MET, f"the Secret names {held}")
    return Need(NeedKind.TOKEN_PATH, NeedStatus.UNMET, f"the Secret names {held}, the target mounts {wanted}")


def need_of(kind: NeedKind, judged: Sequence[tuple[str, CoverageResult]], all_met: str) -> Need:
    """Sum up judgements as one need: the worst verdict decides, and the detail names what each lacks."""
    unmet = [(n, j) for n, j in judged if j.verdict in (Coverage.MISSING, Coverage.NARROWER, Coverage.DENIED)]
    unknown = [(n, j) for n, j in judged if j.verdict is Coverage.UNKNOWN]
    declared = tuple(n for n, j in judged if j.declared)
    if unmet:
        return Need(kind, NeedStatus.UNMET, lacks=_each(unmet + unknown), declared=declared)
    if len({j.reason for _, j in unknown}) == 1:
        lack = Lack(tuple(name for name, _ in unknown), Coverage.UNKNOWN, unknown[0][1].reason)
        return Need(kind, NeedStatus.UNKNOWN, lacks=(lack,), declared=declared)
    if unknown:
        each = tuple(Lack((name,), Coverage.UNKNOWN, j.reason) for name, j in unknown)
        return Need(kind, NeedStatus.UNKNOWN, lacks=each, declared=declared)
    status = NeedStatus.DECLARED if declared else NeedStatus.MET
    return Need(kind, status, "; ".join(dict.fromkeys(j.reason for _, j in judged)) or all_met)


def _each(judged: Sequence[tuple[str, CoverageResult]]) -> tuple[Lack, ...]:
    """Say what each lacks; those that lack the same for the same reason share one sentence."""
    alike: dict[tuple[Coverage, str], list[tuple[str, str]]] = {}
    for name, judgement in judged:
        reason = judgement.reason
        shared = reason.replace(name, "any of them") if reason.startswith("no ") else reason
        alike.setdefault((judgement.verdict, shared), []).append((name, reason))
    return tuple(
        Lack(tuple(name for name, _ in members), verdict, shared if len(members) > 1 else members[0][1])
        for (verdict, shared), members in alike.items()
    )
