"""What names and commands of every identity have in common on a cluster, as far as it is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Known, Unknown, known_or
from upgrade_gate.clouds.contract.holdings import ccoctl_name, provider_of_kind
from upgrade_gate.clouds.contract.remedy import ClusterNames
from upgrade_gate.cluster.credentials_mode import Credentials
from upgrade_gate.proof import collect

if TYPE_CHECKING:
    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.contract.holdings import Document
    from upgrade_gate.gate.situation import Situation

_ROLE = re.compile(r"arn:[a-z0-9-]+:iam::\d{12}:role/(?:[^/]+/)*([^/]+)")
_OWNED = re.compile(r"arn:[a-z0-9-]+:iam::(\d{12}):(?:role|user)/.+")


def of(situation: Situation) -> ClusterNames:
    """Return what names and commands have in common on this cluster."""
    cluster, target = situation.cluster, situation.target
    known = {name: _text(getattr(cluster, name, None)) for name in ("name", "region", "issuer")}
    scopes = known_or(cluster.scopes, ()) if cluster is not None else ()
    claims = situation.proof.claims
    kind = situation.platform_traits.kind if situation.platform_traits else None
    documents = _documents(situation, kind)
    held = (
        collect.holdings(claims.collection, kind, claims.identities.account)
        if documents and kind and claims.collection
        else None
    )
    return ClusterNames(
        platform=situation.platform,
        release=target.minor if target else (0, 0),
        version=target.version if target else "",
        token=situation.credentials is Credentials.TOKEN,
        token_known=situation.credentials is not Credentials.UNKNOWN,
        infrastructure=known["name"],
        region=known["region"],
        issuer=known["issuer"],
        account=claims.identities.account or (held.account if held else None) or _account(situation),
        scopes=scopes,
        ccoctl_name=_ccoctl_name(situation),
        documents=documents,
        network_scopes=_or_unknown(cluster.network_scopes) if cluster is not None else None,
        zone_scopes=_or_unknown(cluster.zone_scopes) if cluster is not None else None,
        context=situation.proof.context,
    )


def _account(situation: Situation) -> str | None:
    """Return the AWS account of every role and user of the running release; None where there are several, or none."""
    found: set[str] = set()
    for selected in situation.hops[0].old_selection.requests.values() if situation.hops else ():
        identity = situation.proof.identity_of(selected.request)
        owned = _OWNED.fullmatch(identity.id) if identity is not None else None
        found.update([owned.group(1)] if owned else ())
    return found.pop() if len(found) == 1 else None


def _ccoctl_name(situation: Situation) -> str | None:
    """Return the --name that ccoctl was run with: as given, else as all AWS roles of the running release carry it.

    It names what is new here, and is no proof of anything: one role of another name, and nothing is inferred.
    """
    given = situation.proof.claims.ccoctl_name
    if given or not situation.hops or not situation.mode.by_hand:
        return given
    found: set[str] = set()
    for selected in situation.hops[0].old_selection.requests.values():
        request = selected.request
        identity = situation.proof.identity_of(request)
        if identity is None:
            continue
        role = _ROLE.fullmatch(identity.id)
        name = role.group(1).partition(f"-{request.secret.namespace}-")[0] if role else ""
        made = ccoctl_name(request.provider_kind, name, request.secret.namespace, request.secret.name, request.name)
        if not role or not name or made != role.group(1):
            return None
        found.add(name)
    return found.pop() if len(found) == 1 else None


def _or_unknown(fact: Fact[tuple[str, ...]]) -> tuple[str, ...] | None:
    """Return what a fact says, nothing where it is absent, None where it was not read."""
    return None if isinstance(fact, Unknown) else known_or(fact, ())


def _text(fact: object) -> str | None:
    return fact.value if isinstance(fact, Known) and isinstance(fact.value, str) and fact.value else None


def _documents(situation: Situation, kind: str | None) -> tuple[Document, ...]:
    collection = situation.proof.claims.collection
    plugin = provider_of_kind(kind) if kind else None
    return collect.as_documents(plugin, collection.documents) if plugin and collection else ()
