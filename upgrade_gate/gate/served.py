"""Which identity serves which requests of the path, and what each release wants of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from upgrade_gate.base.facts import Known
from upgrade_gate.clouds.contract.grants import cloud_of
from upgrade_gate.reading.node import mapping, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.selection import Selected, Selection


class ServedIdentity(Struct):
    """One identity, and what the releases of the path want of it."""

    id: str
    kind: str
    """The providerSpec kind of what it serves."""
    releases: list[list[Grant]]
    """What each release asks for, the current one first and the target last."""
    whole: bool = True
    """Whether everything is in `releases` that is asked of it: a request of the cluster may be unreadable."""
    requests: dict[str, tuple[str, Selected]] = field(default_factory=dict)
    """By name: the side that has it and the request, the target's where that has it too."""

    @property
    def first(self) -> CredentialsRequest:
        """The first request by name: what the identity is holds for all of them."""
        return self.requests[min(self.requests)][1].request


def served_identities(situation: Situation) -> tuple[ServedIdentity, ...]:
    """Return each identity that is known and whose cloud lists permissions, sorted; several Secrets may share one."""
    selections = [hop.new_selection for hop in situation.hops]
    selections[:0] = [hop.old_selection for hop in situation.hops[:1]]
    found: dict[tuple[str, str], ServedIdentity] = {}
    for number, selection in enumerate(selections):
        for name, selected in sorted(selection.requests.items()):
            request = selected.request
            identity = situation.proof.identity_of(request)
            if identity is None or not situation.permission_model(request):
                continue
            kind = request.provider_kind
            key = (kind, situation.proof.resolved(kind, identity.id))
            served = found.setdefault(key, ServedIdentity(key[1], kind, [[] for _ in selections]))
            served.releases[number] += request.grants
            served.requests[name] = ("to" if number else "from", selected)
    for only, secret, grants in _beside(situation, selections):
        for served in found.values():
            if only in (None, served.kind) and _serves(situation, served, secret):
                served.whole &= grants is not None
                for asked in served.releases:
                    asked.extend(grants or ())
    return tuple(found[key] for key in sorted(found))


def _serves(situation: Situation, served: ServedIdentity, secret: str) -> bool:
    """Return whether an identity serves a Secret that is of no release: only the configuration says that."""
    named = situation.proof.configured(secret)
    return named is not None and situation.proof.resolved(served.kind, named) == served.id


def _beside(
    situation: Situation, selections: Sequence[Selection]
) -> Iterator[tuple[str | None, str, tuple[Grant, ...] | None]]:
    """Yield what requests of the cluster ask for that are of no release, such as an operator's from OLM.

    With each stands its Secret. What cannot be read is None: the kind, or what a request of a known kind asks for.
    """
    cluster = situation.cluster
    if cluster is None or not isinstance(cluster.requests, Known):
        return
    known = {name for selection in selections for name in selection.requests}
    for live in cluster.requests.value:
        provider, secret = mapping(live.spec.get("providerSpec")), mapping(live.spec.get("secretRef"))
        ref = f"{text(secret.get('namespace'))}/{text(secret.get('name'))}"
        cloud = cloud_of(text(provider.get("kind")))
        if live.id in known:
            continue
        if cloud is None:
            yield None, ref, None
            continue
        kind = text(provider.get("kind"))
        try:
            yield kind, ref, cloud.read_grants(kind, provider)
        except ValueError:
            yield kind, ref, None
