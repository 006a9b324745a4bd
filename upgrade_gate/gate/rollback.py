"""What must stay for a rollback: what the releases before the target ask for, and the target does not.

Until the update is complete, components of the release before still run; how far CVO goes back then is its own rule
(docs/facts/releases.md#rollback).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.clouds.contract.grants import cloud_of
from upgrade_gate.cluster.credentials_mode import Behaviour, Mode
from upgrade_gate.requests.update import ROLLBACK_SINCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.selection import Selection
    from upgrade_gate.requests.update import Hop


class Kept(Struct, frozen=True):
    """What a request of an earlier release needs that the target does not."""

    request: CredentialsRequest
    asked_by: str
    """The version of that release."""
    whole: bool
    """Whether nothing of the target reads its Secret: then the Secret and all of its identity are meant."""
    goes_by_itself: bool
    """Whether CCO deletes that Secret with the update, whatever anybody wants to keep."""
    grants: tuple[Grant, ...] = ()
    accounts: tuple[str, ...] = ()


class Rollback(Struct, frozen=True):
    """What a rollback needs."""

    start: str
    """The version before the update; on a path before its last update."""
    target: str
    until: str
    """Until when it must stay, in one sentence."""
    kept: tuple[Kept, ...]
    """By release of the path, then request."""


def of(situation: Situation) -> Rollback | None:
    """Return what must stay; None where nothing is updated, and in mint mode, where CCO grants it anew by itself."""
    if situation.mode is Mode.MINT or all(hop.kind == "none" for hop in situation.hops):
        return None
    last = situation.hops[-1]
    kept = [one for hop in situation.hops for one in _kept(situation, hop)]
    return Rollback(last.old.version, last.new.version, _until(last), _once(kept))


def _until(last: Hop) -> str:
    old, new = last.old.version, last.new.version
    text = f"until {new} is complete and a rollback is out of the question"
    if last.kind == "patch" and last.new.minor >= ROLLBACK_SINCE:
        return f"{text}: OpenShift can go back from {new} to {old} until the next update"
    return f"{text}: OpenShift itself does not go back from {new} to {old}, so this is for you to say"


def _once(kept: Sequence[Kept]) -> tuple[Kept, ...]:
    """Leave out what an earlier release of the path is named with already."""
    seen: set[tuple[object, ...]] = set()
    found = []
    for one in kept:
        key = (one.request.id, one.request.secret, one.whole, one.grants, one.accounts)
        if key not in seen:
            seen.add(key)
            found.append(one)
    return tuple(found)


def _kept(situation: Situation, hop: Hop) -> Iterator[Kept]:
    target = situation.hops[-1].new_selection
    passed = situation.mode is Mode.PASSTHROUGH
    for _, selected in sorted(hop.old_selection.requests.items()):
        request = selected.request
        beside = [other for other in _requests(target) if passed or other.secret == request.secret]
        if not beside and not passed:
            goes = situation.behaviour is Behaviour.TIMED_TOKEN and any(
                request.id in later.new_selection.deleted for later in situation.hops[hop.index :]
            )
            yield Kept(request, hop.old.version, whole=True, goes_by_itself=goes)
            continue
        grants = _beyond(request, beside)
        accounts: tuple[str, ...] = ()
        if situation.credentials.may_need_trust:
            used = {account for other in beside for account in other.service_accounts}
            accounts = tuple(account for account in request.service_accounts if account not in used)
        if grants or accounts:
            yield Kept(request, hop.old.version, False, False, grants, accounts)


def _requests(selection: Selection) -> Iterator[CredentialsRequest]:
    for selected in selection.requests.values():
        yield selected.request


def _beyond(request: CredentialsRequest, beside: Sequence[CredentialsRequest]) -> tuple[Grant, ...]:
    """Return the grants of a request that no request beside it contains."""
    cloud = cloud_of(request.provider_kind)
    if cloud is None:
        return ()
    asked = [grant for other in beside for grant in other.grants]
    return tuple(
        grant for grant in request.grants if grant.effect in (None, "Allow") and cloud.covering(asked, grant) is None
    )
