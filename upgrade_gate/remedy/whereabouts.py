"""Where a bundle belongs: the cluster that was judged, its clouds' accounts, and the release that it leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.facts import Known
from upgrade_gate.base.steps import Placeholder
from upgrade_gate.clouds.contract.remedy import remedy_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.remedy import CloudLogin
    from upgrade_gate.gate.outcome import Outcome, Plan

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
    path: tuple[str, ...]
    """The version that each update leads to, the target last; empty where no release could be compared."""
    digest: str | None
    """The target's image, None where it was judged as files."""

    @property
    def version(self) -> str:
        """The target."""
        return self.path[-1] if self.path else ""

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
        logins=tuple(_logins(plan)),
        path=tuple(hop.new.version for hop in situation.hops),
        digest=target.digest if target else None,
    )


def _logins(plan: Plan) -> Iterable[CloudLogin]:
    """Yield where the clouds' command lines must be logged in, each once: identities may live in several accounts.

    Only what the script does anything with: nobody is asked for an account that no step uses.
    """
    used = {step.login for step in plan.steps if step.scripted and step.commands}
    found: dict[tuple[str, str], CloudLogin] = {}
    for change in plan.changes:
        cloud = remedy_of(change.kind)
        login = cloud.login(change, plan.names) if cloud is not None else None
        if login is not None and str(login.judged) in used:
            found.setdefault((login.line.argv[0], str(login.judged)), login)
    yield from (found[key] for key in sorted(found))


def told_of(step: Step, where: Whereabouts) -> str:
    """Return where one step belongs, empty where all of its command line belong to one place."""
    mine = next((one for one in where.logins if str(one.judged) == step.login), None)
    others = [one for one in where.logins if mine is not None and one.line.argv[0] == mine.line.argv[0]]
    return f"in {mine.what} {mine.judged}" if mine is not None and len(others) > 1 else ""


def moment(step: Step, where: Whereabouts) -> str:
    """Return when a step is taken: before or after the upgrade, or one update of a path."""
    several = len(where.path) > 1
    return f"{step.when} the {f'update to {where.path[step.hop]}' if several else 'upgrade'}"


def told(where: Whereabouts) -> list[str]:
    """Return where the script may run, a line for each thing that it proves."""
    lines = [f"infrastructure name {where.infrastructure}"] if where.infrastructure else []
    judged = isinstance(where.cluster_id, str)
    lines.append(
        f"cluster ID {where.cluster_id}" if judged else "the cluster ID that you fill in, since no cluster was judged"
    )
    for login in where.logins:
        known = not isinstance(login.judged, Placeholder)
        unjudged = f"the {login.what} that you fill in, since none was judged"
        lines.append(f"{login.what} {login.judged}" if known else unjudged)
    return lines
