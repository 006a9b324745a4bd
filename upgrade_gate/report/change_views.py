"""Changed requests and their grants as the report shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.contract.risk import rate
from upgrade_gate.report import document
from upgrade_gate.report.grant_document import GrantView, Introduction
from upgrade_gate.requests import in_between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.risk import Rating
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.diff import Change
    from upgrade_gate.requests.update import Hop


def change_view(hops: Sequence[Hop], hop: Hop, change: Change) -> document.ChangeView:
    """Return what changed in a request on one update of a path."""
    kind, held = change.provider_kind, hop.held_with(change)
    added = [
        grant_view(
            a.grant,
            covered_by=a.covered_by,
            rating=rate(kind, a.grant, held),
            introduced=introduced(hop, change, a.grant),
            needed_until=until(hops, hop.index, change.request_after, a.grant) if a.covered_by is None else None,
        )
        for a in change.added
    ]
    removed = [grant_view(r.grant, still=r.still_covered_by) for r in change.removed]
    other = [
        document.OtherChange(
            path=leaf.path,
            from_=leaf.before,
            to=leaf.after,
            class_="harmless" if leaf.harmless else "unclassified",
        )
        for leaf in change.other
    ]
    return document.ChangeView(
        request=change.request,
        kind=change.kind,
        was=change.renamed_from,
        hop=hop.index,
        provider=change.provider_kind,
        selection=document.ChangeSelection(from_=change.status_before, to=change.status_after, why=change.why),
        secret=_pair(change.secret_before, change.secret_after),
        service_accounts=document.Names(added=list(change.accounts_added), removed=list(change.accounts_removed)),
        token_path=document.Pair(from_=change.token_paths[0], to=change.token_paths[1]),
        permissions=document.GrantDiff(added=added, removed=removed),
        other=other,
        files=document.Pair(
            from_=change.before.locations[0].file if change.before else None,
            to=change.after.locations[0].file if change.after else None,
        ),
    )


def introduced(hop: Hop, change: Change, grant: Grant) -> Introduction | None:
    """Return by what a grant came that a change adds, None where it adds no such grant or the history does not tell."""
    if grant not in {added.grant for added in change.added}:
        return None
    from upgrade_gate.requests.history.introduction import introduction
    from upgrade_gate.requests.history.table import table

    commit = introduction(change.provider_kind, change.request, grant, hop.old.version, hop.new.version)
    if commit is None:
        return None
    return Introduction(
        branch=table().branches[commit.branch],
        z_stream=commit.z_stream,
        date=commit.date,
        repository=table().repositories[commit.repository],
        pull_request=commit.pull_request,
        bugs=list(commit.bugs),
    )


def until(hops: Sequence[Hop], index: int, request: CredentialsRequest | None, grant: Grant) -> str | None:
    """Return the version of the path from which on nothing asks for a new grant, None where the last release does."""
    if request is None:
        return None
    end = in_between.of_grant(hops, index, request.secret, request.provider_kind, grant)
    return None if end is None else hops[end].new.version


def _pair(before: object, after: object) -> document.Pair:
    return document.Pair(from_=str(before) if before else None, to=str(after) if after else None)


def grant_view(
    grant: Grant,
    *,
    covered_by: str | None = None,
    still: str | None = None,
    rating: Rating | None = None,
    held_by: str | None = None,
    introduced: Introduction | None = None,
    needed_until: str | None = None,
) -> GrantView:
    """Return a grant, with what covers it and how closely to look at it."""
    return GrantView(
        type=grant.type,
        permission=grant.permission,
        effect=grant.effect,
        resource=grant.resource,
        condition=grant.condition,
        scope=grant.scope,
        covered_by=covered_by,
        still_covered_by=still,
        risk=list(rating.risk) if rating else [],
        access=rating.access if rating else None,
        completes=list(rating.completes) if rating else [],
        held_by=held_by,
        introduced=introduced,
        needed_until=needed_until,
    )
