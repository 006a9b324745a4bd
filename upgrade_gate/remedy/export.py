"""Whose policies must be exported: the identities behind the Secrets that a target needs, as far as they are known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Known
from upgrade_gate.base.platforms import by_name
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.clouds.contract.export import Served, Wanted
from upgrade_gate.clouds.contract.holdings import provider_of_kind
from upgrade_gate.cluster.credentials_mode import Mode, credentials_of, mode_of
from upgrade_gate.proof.context import places_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import SecretRecord
    from upgrade_gate.proof.identity_map import Identities
    from upgrade_gate.requests.comparison import Comparison
    from upgrade_gate.requests.credentials_request import CredentialsRequest

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9+=,.@_:/-]*")
"""An identity that can stand inside a query of a command line; no cloud's identities have other characters."""


def wanted(survey: Comparison, identities: Identities, ccoctl_name: str | None, given_mode: Mode | None) -> Wanted:
    """Return what must be exported to judge every release of a survey's path.

    In mint and passthrough mode the root credential serves everything (docs/contract.md#modes). An identity is known by
    the Secret where its content was read, else by the configuration, else by ccoctl's naming.
    """
    hop = survey.hops[-1]
    platform = survey.context.platform
    cluster = survey.cluster
    mode, _ = mode_of(cluster, platform, given_mode)
    chosen = [s.request for one in survey.hops for s in one.new_selection.requests.values()]
    requests = sorted(chosen, key=lambda r: r.id)
    form = credentials_of(cluster, platform, survey.hops[0].old.minor, mode)
    places = places_of(cluster)
    return Wanted(
        version=hop.new.version,
        platform=platform,
        cluster=cluster.name.value if cluster is not None and isinstance(cluster.name, Known) else "",
        served=tuple(
            _serving(ref, record, identities.of(str(ref)), name)
            for ref, record, name in _secrets(requests, cluster, platform, mode, ccoctl_name)
        ),
        account=identities.account,
        scopes=_scopes(cluster),
        services=tuple(sorted(_services(requests))),
        trust=mode.by_hand and form.may_need_trust,
        projects=_plain(places.projects),
        node_accounts=_plain(places.node_accounts),
    )


def _secrets(
    requests: Sequence[CredentialsRequest],
    cluster: Cluster | None,
    platform: str,
    mode: Mode,
    ccoctl_name: str | None,
) -> Iterable[tuple[SecretRef, Fact[SecretRecord] | None, str]]:
    """Yield each Secret once, with what was read of it and the name that ccoctl would give its identity."""
    traits = by_name(platform)
    if not mode.by_hand and traits is not None and traits.root is not None:
        yield traits.root, cluster.root_secret if cluster is not None else None, ""
        return
    seen: set[SecretRef] = set()
    for request in requests:
        ref = request.secret
        if ref in seen:
            continue
        seen.add(ref)
        plugin = provider_of_kind(request.provider_kind)
        name = ""
        if ccoctl_name and plugin is not None:
            name = plugin.ccoctl_name(ccoctl_name, ref.namespace, ref.name, request.name)
        yield ref, cluster.secrets.get(ref) if cluster is not None else None, name


def _serving(ref: SecretRef, record: Fact[SecretRecord] | None, configured: str | None, name: str) -> Served:
    in_secret = record.value.identity if isinstance(record, Known) else None
    if in_secret and _PLAIN.fullmatch(in_secret):
        return Served(str(ref), "secret", in_secret)
    if configured and _PLAIN.fullmatch(configured):
        return Served(str(ref), "configuration", configured)
    if name and _PLAIN.fullmatch(name):
        return Served(str(ref), "ccoctl-name", name)
    return Served(str(ref), None)


def _scopes(cluster: Cluster | None) -> tuple[str, ...]:
    if cluster is None:
        return ()
    facts = (cluster.scopes, cluster.network_scopes, cluster.zone_scopes)
    return tuple(dict.fromkeys(s for f in facts if isinstance(f, Known) for s in f.value if _PLAIN.fullmatch(s)))


def _plain(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that can stand in a command line."""
    return tuple(one for one in names if _PLAIN.fullmatch(one))


def _services(requests: Iterable[CredentialsRequest]) -> set[str]:
    """Return the IBM services that required roles are about; resource groups are the resource controller's."""
    found: set[str] = set()
    for request in requests:
        for grant in request.grants:
            listed = grant.scope.get("attributes", ()) if isinstance(grant.scope, Mapping) else ()
            names = [a.get("value") for a in listed if a.get("name") == "serviceName"]
            found.update(n for n in names or ["resource-controller"] if isinstance(n, str) and _PLAIN.fullmatch(n))
    return found
