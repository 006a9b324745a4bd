"""The difference between two selections: which requests came, went or changed, and what each change grants."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from upgrade_gate.clouds.contract.grants import Grant, cloud_of
from upgrade_gate.requests.names import spoken
from upgrade_gate.requests.residue import unexplained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.clouds.contract.grants import Cloud
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.residue import OtherLeaf
    from upgrade_gate.requests.selection import Selected, Selection

Kind: TypeAlias = Literal["added", "removed", "renamed", "changed"]


class Why(StrEnum):
    """What an added grant is to the requirement of the current release."""

    NEW = "new"
    WIDENED = "widened"
    """The same permission was required before, under a tighter condition, resource or scope."""
    NARROWED = "narrowed"
    """The same permission was required before, and more loosely."""
    COVERED = "covered"
    """Something else that is required today contains it."""
    UNCLASSIFIED = "unclassified"
    """A Deny: it takes away, and no rule says what for."""


class AddedGrant(Struct, frozen=True):
    """A grant that only the target has."""

    grant: Grant
    why: Why
    covered_by: str | None


class RemovedGrant(Struct, frozen=True):
    """A grant that only the current release has."""

    grant: Grant
    still_covered_by: str | None
    replaced: bool
    """Whether the same permission stands in the target with another condition, resource or scope."""


class Change(Struct, frozen=True):
    """One request that differs between two releases."""

    request: str
    kind: Kind
    renamed_from: str | None
    before: Selected | None
    after: Selected | None
    status_before: str
    """`applied`, `unannotated`, `overridden`, `excluded` or `absent`."""
    status_after: str
    why: str
    """Why the status changed, in words; empty where it did not."""
    added: tuple[AddedGrant, ...]
    removed: tuple[RemovedGrant, ...]
    accounts_added: tuple[str, ...]
    accounts_removed: tuple[str, ...]
    other: tuple[OtherLeaf, ...]

    @property
    def left_alone(self) -> bool:
        """Whether CVO leaves the cluster's own object as it is, so that CCO never reads what the target asks for."""
        return self.after is not None and self.after.status == "overridden"

    @property
    def component(self) -> str:
        """The component as people call it."""
        return spoken(self.request)

    @property
    def request_before(self) -> CredentialsRequest | None:
        """The current release's request."""
        return self.before.request if self.before else None

    @property
    def request_after(self) -> CredentialsRequest | None:
        """The target's request."""
        return self.after.request if self.after else None

    @property
    def provider_kind(self) -> str:
        """The target's providerSpec kind, the current one's where the target has none."""
        request = self.request_after or self.request_before
        return request.provider_kind if request else ""

    @property
    def kind_changed(self) -> bool:
        """Whether the providerSpec kind differs between the two sides."""
        before, after = self.request_before, self.request_after
        return before is not None and after is not None and before.provider_kind != after.provider_kind

    @property
    def secret_before(self) -> SecretRef | None:
        """The current release's secretRef."""
        return self.before.request.secret if self.before else None

    @property
    def secret_after(self) -> SecretRef | None:
        """The target's secretRef."""
        return self.after.request.secret if self.after else None

    @property
    def token_paths(self) -> tuple[str | None, str | None]:
        """`cloudTokenPath` on both sides."""
        return (
            self.before.request.token_path if self.before else None,
            self.after.request.token_path if self.after else None,
        )


def compare(old: Selection, new: Selection) -> tuple[Change, ...]:
    """Compare the selections of two releases; sorted by request. Raises ValueError as `CredentialsRequest.grants` does.

    Requests pair by `ns/name`; a left-over pair with the same secretRef and provider kind, and no third request on
    that secret, is a rename.
    """
    renames = _renames(old, new)
    renamed_from = set(renames.values())
    changes: list[Change] = []
    for name in sorted(old.requests.keys() | new.requests.keys()):
        if name in renamed_from:
            continue
        change = _change(name, renames.get(name), old, new)
        if change.kind != "changed" or _differs(change):
            changes.append(change)
    return tuple(changes)


def _differs(change: Change) -> bool:
    return bool(
        change.added
        or change.removed
        or change.accounts_added
        or change.accounts_removed
        or change.other
        or change.kind_changed
        or change.secret_before != change.secret_after
        or change.token_paths[0] != change.token_paths[1]
    )


def _renames(old: Selection, new: Selection) -> dict[str, str]:
    """Return new name to old name for each unambiguous rename."""

    def by_secret(selection: Selection) -> dict[tuple[SecretRef, str], list[str]]:
        found: dict[tuple[SecretRef, str], list[str]] = {}
        for name, selected in selection.requests.items():
            found.setdefault((selected.request.secret, selected.request.provider_kind), []).append(name)
        return found

    before, after = by_secret(old), by_secret(new)
    renames: dict[str, str] = {}
    for key, names in after.items():
        previous = before.get(key, [])
        if len(names) == len(previous) == 1:
            gone, come = previous[0], names[0]
            if gone not in new.requests and come not in old.requests:
                renames[come] = gone
    return renames


def _change(name: str, renamed_from: str | None, old: Selection, new: Selection) -> Change:
    before = old.requests.get(renamed_from or name)
    after = new.requests.get(name)
    kind: Kind = "renamed" if renamed_from else "added" if before is None else "removed" if after is None else "changed"
    status_before, _ = old.status(renamed_from or name)
    status_after, _ = new.status(name)
    need = after.request.grants if after else ()
    have = before.request.grants if before else ()
    accounts_before = set(before.request.service_accounts) if before else set()
    accounts_after = set(after.request.service_accounts) if after else set()
    return Change(
        request=name,
        kind=kind,
        renamed_from=renamed_from,
        before=before,
        after=after,
        status_before=status_before,
        status_after=status_after,
        why=_why(kind, name, old, new),
        added=_added(after.request, need, have, old) if after else (),
        removed=_removed(before.request, need, have, new) if before else (),
        accounts_added=tuple(sorted(accounts_after - accounts_before)),
        accounts_removed=tuple(sorted(accounts_before - accounts_after)),
        other=unexplained(before.request if before else None, after.request) if after else (),
    )


def _why(kind: Kind, name: str, old: Selection, new: Selection) -> str:
    _, reason_before = old.status(name)
    _, reason_after = new.status(name)
    if kind == "added":
        if name in old.uncertain:
            return "what the current release says of it cannot be understood"
        return f"the current release leaves it out: {reason_before}" if reason_before else "the target introduces it"
    if kind == "removed":
        if name in new.deleted:
            return "the target deletes it"
        if name in new.uncertain:
            return "what the target says of it cannot be understood"
        return f"the target leaves it out: {reason_after}" if reason_after else "the target no longer carries it"
    return ""


def _held(selection: Selection, cloud: Cloud, secret: SecretRef) -> dict[str, Sequence[Grant]]:
    """Return what the requests of one cloud that share a secretRef, and with it the identity, ask for, by request."""
    return {
        name: selected.request.grants
        for name, selected in selection.requests.items()
        if selected.request.secret == secret and cloud_of(selected.request.provider_kind) is cloud
    }


def _cover(cloud: Cloud, own: Sequence[Grant], held: Mapping[str, Sequence[Grant]], grant: Grant) -> str | None:
    """Return what contains a grant: the request's own other side, another one on its secret, or all of them together.

    The other side may be among `held` too; what it does not contain by itself, it does not contain there.
    """
    if cover := cloud.covering(own, grant):
        return cover.by
    for name, grants in held.items():
        if cover := cloud.covering(grants, grant):
            return f"{cover.by} ({name})"
    if cover := cloud.covering([*own, *(g for grants in held.values() for g in grants)], grant):
        return f"{cover.by} (together with the requests on the same secret)"
    return None


def _added(
    request: CredentialsRequest, need: Sequence[Grant], have: Sequence[Grant], old: Selection
) -> tuple[AddedGrant, ...]:
    cloud = cloud_of(request.provider_kind)
    if cloud is None:
        return ()
    present = {cloud.identity(g) for g in have}
    same = {cloud.permission_key(g) for g in have}
    held = _held(old, cloud, request.secret)
    found: list[AddedGrant] = []
    for grant in need:
        if cloud.identity(grant) in present:
            continue
        if grant.effect not in (None, "Allow"):
            found.append(AddedGrant(grant, Why.UNCLASSIFIED, None))
            continue
        by = _cover(cloud, have, held, grant)
        known = cloud.permission_key(grant) in same
        why = (Why.NARROWED if known else Why.COVERED) if by else (Why.WIDENED if known else Why.NEW)
        found.append(AddedGrant(grant, why, by))
    return tuple(sorted(found, key=lambda a: a.grant.canonical))


def _removed(
    request: CredentialsRequest, need: Sequence[Grant], have: Sequence[Grant], new: Selection
) -> tuple[RemovedGrant, ...]:
    cloud = cloud_of(request.provider_kind)
    if cloud is None:
        return ()
    present = {cloud.identity(g) for g in need}
    same = {cloud.permission_key(g) for g in need}
    held = _held(new, cloud, request.secret)
    found = [
        RemovedGrant(grant, _cover(cloud, need, held, grant), cloud.permission_key(grant) in same)
        for grant in have
        if cloud.identity(grant) not in present
    ]
    return tuple(sorted(found, key=lambda r: r.grant.canonical))
