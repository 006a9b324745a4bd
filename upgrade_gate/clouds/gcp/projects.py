"""Which allow policies of an export belong to the cluster's project.

A bare policy does not name its project. What tells: a project can bind only its own custom roles and those of its
organisation; what stands around a policy (ancestors' listing, wrapper); the projects of the accounts and roles that
were exported with it. One bare policy is taken for the project's own; of several, at most one can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from upgrade_gate.clouds.gcp.members import home_of
from upgrade_gate.clouds.gcp.roles import ON_ACCOUNTS, WORKLOAD_IDENTITY_USER
from upgrade_gate.clouds.gcp.shapes import Account, DenyPolicy, Level, Policy, RoleDocument

_CUSTOM_ROLE = re.compile(r"^projects/([^/]+)/roles/")
_ABOVE_PROJECTS = (
    "roles/resourcemanager.organization",
    "roles/resourcemanager.folder",
    "roles/resourcemanager.projectCreator",
    "roles/orgpolicy.policyAdmin",
    "roles/billing.creator",
)
"""Beginnings of roles that no project can bind."""


def project_of_role(name: str) -> str:
    """Return the project of a custom role by its full name, empty where it is of no project."""
    found = _CUSTOM_ROLE.match(name)
    return found.group(1) if found else ""


def _other_form(one: str, other: str) -> bool:
    """Return whether one of two projects is named by ID and one by number, so that they cannot be compared."""
    return one.isdecimal() != other.isdecimal()


def _differ(one: str | None, other: str) -> bool:
    """Return whether two projects, both named by ID or both by number, are two."""
    return bool(one and other and one != other and not _other_form(one, other))


def _place(policy: Policy) -> str:
    """Return what a policy belongs to as `folders/9`."""
    return f"{policy.level.value}s/{policy.resource}"


class Projects:
    """Sorts policies into ours, foreign, and those that nothing places."""

    def __init__(
        self,
        policies: Sequence[Policy],
        roles: Iterable[RoleDocument],
        accounts: Iterable[Account],
        account: str | None,
    ) -> None:
        placed = [p for p in policies if p.level in (Level.BARE, Level.PROJECT)]
        ordinary = any(not b.role.startswith(ON_ACCOUNTS) for p in placed for b in p.bindings)
        known = [p for p in policies if not _is_unnamed_account_policy(p, ordinary=ordinary)]
        self._policies = [replace(p, level=Level.ORGANIZATION) if _is_above_projects(p) else p for p in known]
        self._shown: dict[int, set[str]] = {}
        for policy in self._policies:
            shown = self._shown.setdefault(policy.document, set())
            shown |= {policy.resource} if policy.level is Level.PROJECT else set()
        named = {p for policy in self._policies for p in _named(policy)}
        around = {project_of_role(r.name) for r in roles} | {a.project for a in accounts}
        self._evidence = (named | around) - {""}
        self._wanted = account.strip().removeprefix("projects/") if account else ""
        own = named or self._evidence
        self.account: str | None = self._wanted or (min(own) if len(own) == 1 else None)

    def is_foreign(self, project: str) -> bool:
        """Return whether a project's ID is known to be another one; a number cannot be compared with an ID."""
        return _differ(self.account, project)

    def own_policies(self, email: str, unique_id: str = "") -> tuple[Policy, ...]:
        """Return the policies of a service account itself."""
        names = {email, unique_id} - {""}
        return tuple(p for p in self._policies if p.level is Level.ACCOUNT and p.resource in names)

    def policies_for(self, email: str, project: str = "") -> tuple[tuple[Policy, ...], str]:
        """Return the policies that count for an account of the cluster, or why that cannot be told.

        `project` is the cluster's own, empty where it is not known. Exports of another one say nothing about it.
        """
        if _differ(self._wanted, project):
            told = f"the exports are said to be of project {self._wanted}, the cluster is in {project}"
            return (), f"wrong account: {told}"
        ours = self._comparable(self._wanted, project)
        if ours:
            problem = self._foreign(email, ours)
            return ((), problem) if problem else (self._counting(ours), "")
        named = {p for policy in self._policies for p in _named(policy)}
        if len(named) <= 1:
            return self._counting(min(named, default="")), ""
        if home_of(email) in named:
            return self._counting(home_of(email)), ""
        listed = ", ".join(sorted(named))
        return (), f"the export holds policies of several projects ({listed}) and the cluster's is not known"

    def policies_at(self, project: str) -> tuple[Policy, ...]:
        """Return the policies that count in a named project other than the cluster's own.

        Of a folder's or organisation's only what its document places above the project; a policy that names nothing
        is never one of another project.
        """
        chain = {f"projects/{project}", *self._above(project)}
        return tuple(p for p in self._policies if p.level in (Level.ACCOUNT, Level.OTHER) or _place(p) in chain)

    def hangs_above(self, deny: DenyPolicy, project: str) -> bool:
        """Return whether a deny policy hangs on a project or above it; where nothing says, it may."""
        if deny.project:
            return deny.project == project or not project or _other_form(deny.project, project)
        above = self._above(project)
        return not deny.above or deny.above in above or not self._is_whole(project, above)

    def _above(self, project: str) -> frozenset[str]:
        """Return the folders and the organisation above a project, empty where no document says."""
        own = [p for p in self._policies if _place(p) == f"projects/{project}"]
        named = frozenset(one for p in own for one in p.above)
        return named | {_place(p) for p in self._links(project)}

    def _is_whole(self, project: str, above: frozenset[str]) -> bool:
        """Return whether all above a project is known: the chain ends in an organisation, each link is named."""
        ends = any(one.startswith("organizations/") for one in above)
        return ends and all(p.resource and p.level is not Level.OTHER for p in self._links(project))

    def _links(self, project: str) -> list[Policy]:
        """Return the policies of the documents that are about this project and what is above it alone."""
        return [p for p in self._policies if self._shown[p.document] == {project}]

    @staticmethod
    def readings(policies: Sequence[Policy]) -> tuple[tuple[Policy, ...], ...]:
        """Return the policies once for each of those without a name that may be the project's own, alone.

        One that binds a role of the project is of the project; beside it, or beside a named policy of the project,
        the others belong to something else, nobody knows what.
        """
        bare: dict[object, Policy] = {}
        for policy in policies:
            if policy.level is Level.BARE and policy.bindings:
                bare.setdefault(_content(policy), policy)
        placed = {_content(p) for p in policies if p.level is Level.PROJECT and not p.partial}
        others = [policy for content, policy in bare.items() if content not in placed]
        if not others or (len(bare) == 1 and not placed):
            return (tuple(policies),)
        rest = tuple(p for p in policies if p.level is not Level.BARE or not p.bindings)
        if placed:
            return (rest,)
        named = [p for p in others if _named(p)]
        return tuple((*rest, one) for one in (named if len(named) == 1 else others))

    @staticmethod
    def contradiction(policies: Iterable[Policy], email: str) -> str:
        """Return which resource two documents show with different policies, empty where none is."""
        shown: dict[tuple[Level, str], object] = {}
        for policy in policies:
            placed = policy.level in (Level.PROJECT, Level.FOLDER, Level.ORGANIZATION) and policy.resource
            if policy.partial:
                continue
            if not placed and policy.resource != email:
                continue
            bindings = _content(policy)
            if shown.setdefault((policy.level, policy.resource), bindings) != bindings:
                return f"two documents disagree about {policy.label}"
        return ""

    def _comparable(self, *names: str) -> str:
        """Return the name of the cluster's project in the form, ID or number, that the export uses; else any name."""
        told = [name for name in names if name]
        used = (name for name in told if not all(_other_form(name, seen) for seen in self._evidence))
        return next(used, next(iter(told), ""))

    def _foreign(self, email: str, ours: str) -> str:
        """Return why the export says nothing about our project, empty when it may."""
        seen = {p for p in self._evidence if not _other_form(p, ours)}
        if seen and ours not in seen:
            listed = ", ".join(sorted(seen))
            return f"wrong account: the export speaks of project {listed}, the cluster is in {ours}"
        if not seen and len(self._evidence) > 1:
            listed = ", ".join(sorted(self._evidence))
            return f"the export speaks of several projects ({listed}), and which of them is {ours} is not known"
        home = home_of(email)
        if not self._evidence and home and home != ours:
            return (
                f"wrong account: the export does not name the project of its policy; {email} lives in {home}, "
                f"the cluster in {ours}"
            )
        return ""

    def _counting(self, ours: str) -> tuple[Policy, ...]:
        return tuple(p for p in self._policies if self._counts(p, ours))

    def _is_above(self, name: str, project: str) -> bool | None:
        """Return whether a folder or organisation is above a project, None where no project's document says."""
        saying = [p for p in self._policies if p.level is Level.PROJECT and p.above]
        ours = [p for p in saying if project in ("", p.resource)]
        if ours:
            return any(name in p.above for p in ours)
        return False if any(name in p.above for p in saying) else None

    def _counts(self, policy: Policy, wanted: str) -> bool:
        if policy.level in (Level.ACCOUNT, Level.OTHER):
            return True
        named = _named(policy)
        if policy.level in (Level.FOLDER, Level.ORGANIZATION):
            placed = self._is_above(_place(policy), wanted)
            if placed is not None:
                return placed
            named = self._shown[policy.document]
        if not named:
            return True
        if all(_other_form(name, wanted) for name in named):  # beside our project, it is another one
            return not any(wanted in shown for shown in self._shown.values())
        return wanted in named


def _content(policy: Policy) -> frozenset[object]:
    """Return what a policy binds, whatever the order."""
    return frozenset((b.role, frozenset(b.members), b.condition) for b in policy.bindings)


def _is_above_projects(policy: Policy) -> bool:
    return policy.level is Level.BARE and any(b.role.startswith(_ABOVE_PROJECTS) for b in policy.bindings)


def _named(policy: Policy) -> set[str]:
    """Return the projects that a policy itself names."""
    if policy.level is Level.PROJECT:
        return {policy.resource}
    if policy.level is Level.BARE:
        return {project_of_role(b.role) for b in policy.bindings} - {""}
    return set()


def _is_unnamed_account_policy(policy: Policy, *, ordinary: bool) -> bool:
    """Return whether a bare policy is that of some service account, nobody knows which.

    Beside one that may be the project's and binds `ordinary` roles, one that binds nothing but roles on service
    accounts is no project's policy; alone, it is taken for the project's unless all it does is to let workloads in.
    """
    if policy.level is not Level.BARE or not policy.bindings:
        return False
    if all(
        b.role == WORKLOAD_IDENTITY_USER and all("/workloadIdentityPools/" in m for m in b.members)
        for b in policy.bindings
    ):
        return True
    return ordinary and all(b.role.startswith(ON_ACCOUNTS) for b in policy.bindings)
