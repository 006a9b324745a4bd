"""Where a bundle belongs: the cluster that was judged, its clouds' accounts, and the release that it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.facts import Known
from upgrade_gate.base.steps import Placeholder
from upgrade_gate.clouds.contract.remedy import remedy_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.clouds.contract.remedy import CloudLogin, IdentityChange
    from upgrade_gate.gate.outcome import Outcome

CLUSTER_ID = Placeholder(
    "CLUSTER_ID",
    "the ID of the cluster that is meant, since none was judged: oc get clusterversion version "
    "-o jsonpath={.spec.clusterID}",
    "[A-Za-z0-9-]+",
)


class Whereabouts(Struct, frozen=True):
    """What a script must find where it runs before it changes anything."""

    infrastructure: str | None
    """The cluster's infrastructure name, None where it was not read."""
    cluster_id: str | Placeholder
    """What was judged, else what the reader fills in."""
    logins: tuple[CloudLogin, ...]
    version: str
    """The target."""
    digest: str | None
    """The target's image, None where it was judged as files."""

    @property
    def unknown(self) -> tuple[Placeholder, ...]:
        """What the reader must fill in, since nothing was judged there."""
        found = (self.cluster_id, *(login.judged for login in self.logins))
        return tuple(one for one in found if isinstance(one, Placeholder))


def of(outcome: Outcome) -> Whereabouts:
    """Return where the bundle of an outcome belongs."""
    situation, plan = outcome.situation, outcome.plan
    cluster, target = situation.cluster, situation.target
    found = cluster.id if cluster is not None else None
    return Whereabouts(
        infrastructure=plan.names.infrastructure,
        cluster_id=found.value if isinstance(found, Known) and found.value else CLUSTER_ID,
        logins=tuple(_logins(outcome, plan.changes)),
        version=target.version if target else "",
        digest=target.digest if target else None,
    )


def _logins(outcome: Outcome, changes: Iterable[IdentityChange]) -> Iterable[CloudLogin]:
    """Yield where each cloud's command line must be logged in; several providerSpec kinds may be one cloud's."""
    by_kind: dict[str, list[IdentityChange]] = {}
    for change in changes:
        by_kind.setdefault(change.kind, []).append(change)
    tools: set[str] = set()
    for kind, same in sorted(by_kind.items()):
        cloud = remedy_of(kind)
        login = cloud.login(same, outcome.plan.names) if cloud is not None else None
        if login is not None and login.line.argv[0] not in tools:
            tools.add(login.line.argv[0])
            yield login


def told(where: Whereabouts) -> list[str]:
    """Return where the script may run, a line for each thing that it proves."""
    lines = [f"infrastructure name {where.infrastructure}"] if where.infrastructure else []
    judged = isinstance(where.cluster_id, str)
    lines.append(f"cluster ID {where.cluster_id}" if judged else "cluster ID as filled in: no cluster was judged")
    for login in where.logins:
        known = not isinstance(login.judged, Placeholder)
        lines.append(f"{login.what} {login.judged}" if known else f"{login.what} as filled in: none was judged")
    return lines
