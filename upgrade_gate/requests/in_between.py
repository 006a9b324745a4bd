"""What a path asks for only in between: a release on the way needs it, and the one that the path leads to does not.

It must be there before the update that brings the demand, and may go after the one that ends it
(docs/contract.md#paths). Requests that share a Secret share its identity, so they are looked at together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.contract.grants import cloud_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.clouds.contract.grants import Cloud, Grant
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.update import Hop


def ends(hops: Sequence[Hop], index: int, asks: Callable[[Sequence[CredentialsRequest]], bool]) -> int | None:
    """Return after which update of the path a demand of the one at `index` is gone; None: the last release has it too.

    `asks` tells whether the requests of one release make the demand; where none does, nothing is said of its end.
    """
    asking = [hop.index for hop in hops[index:] if asks([s.request for s in hop.new_selection.requests.values()])]
    return None if not asking or asking[-1] >= len(hops) - 1 else asking[-1] + 1


def of_grant(hops: Sequence[Hop], index: int, secret: SecretRef, kind: str, grant: Grant) -> int | None:
    """Return after which update nothing that shares a Secret asks for a grant any more, None where that never ends."""
    cloud = cloud_of(kind)
    if cloud is None:
        return None

    def asks(requests: Sequence[CredentialsRequest]) -> bool:
        there = _grants(requests, secret, cloud)
        return cloud.identity(grant) in map(cloud.identity, there) or cloud.covering(there, grant) is not None

    return ends(hops, index, asks)


def of_secret(hops: Sequence[Hop], index: int, secret: SecretRef) -> int | None:
    """Return after which update nothing reads a Secret any more, None where that never ends."""
    return ends(hops, index, lambda requests: any(request.secret == secret for request in requests))


def of_accounts(hops: Sequence[Hop], index: int, secret: SecretRef, accounts: Iterable[str]) -> int | None:
    """Return after which update none of these service accounts uses a Secret any more, None where that never ends."""
    wanted = set(accounts)
    return ends(
        hops, index, lambda requests: any(r.secret == secret and wanted & {*r.service_accounts} for r in requests)
    )


def _grants(requests: Iterable[CredentialsRequest], secret: SecretRef, cloud: Cloud) -> Sequence[Grant]:
    return [g for r in requests if r.secret == secret and cloud_of(r.provider_kind) is cloud for g in r.grants]
