"""The GCP service account behind a Secret: its names where anything gives them, and what an export shows of it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from upgrade_gate.base.steps import Placeholder, Word, word
from upgrade_gate.clouds.contract.remedy import file_name, variable
from upgrade_gate.clouds.gcp import shapes
from upgrade_gate.clouds.gcp.members import host_of

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange
    from upgrade_gate.clouds.shared import pages

EMAIL = "[A-Za-z0-9._-]+@[A-Za-z0-9.-]+"
TRUST_ROLE = "roles/iam.workloadIdentityUser"
_POOL_MEMBER = re.compile(r"^(principal://[^/]+/projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+)/subject/")
PROJECT = Placeholder("GCP_PROJECT", "the project's ID: gcloud config get project", "[a-z][a-z0-9:.-]*[a-z0-9]")
_NUMBER = Placeholder(
    "GCP_PROJECT_NUMBER", "the project's number: gcloud projects describe --format='value(projectNumber)'", "[0-9]+"
)
POOL = Placeholder(
    "GCP_WORKLOAD_IDENTITY_POOL",
    "the cluster's pool: gcloud iam workload-identity-pools list --location=global",
    "[a-z0-9-]+",
)


@dataclass(frozen=True, slots=True)
class Target:
    """The service account that gets the permissions, and what an export shows of it."""

    email: str | Placeholder
    base: str
    project: str | Placeholder
    role: str
    """ID of the custom role that is made or extended."""
    title: str
    role_seen: bool
    """Whether the export shows that the account holds this role: then it is there, and only added to."""
    role_holds: frozenset[str]
    """What the export shows that the role grants."""
    pool: Word
    """`principal://…` up to the pool."""
    account_id: str
    display_name: str
    unknown: tuple[Placeholder, ...]

    def at(self, project: str) -> Target:
        """Return the same account with the custom role of another project; empty for the cluster's own.

        A project can bind its own custom roles and those above it, no other project's.
        """
        if not project:
            return self
        base = f"{self.base}-{file_name(project)}"
        return replace(self, project=project, base=base, role_seen=False, role_holds=frozenset())

    @property
    def member(self) -> Word:
        """The account as a binding names it."""
        return word("serviceAccount:", self.email)

    @property
    def role_name(self) -> Word:
        """The custom role's whole name."""
        return word("projects/", self.project, f"/roles/{self.role}")


def find(change: IdentityChange, names: ClusterNames) -> Target:
    """Return the service account behind the first Secret."""
    reading = shapes.DIALECT.read(names.documents)
    email = (change.identity or "").removeprefix("serviceAccount:")
    project = names.scopes[0] if names.scopes else names.account or ""
    request = change.components[0] if change.components else change.label
    name = names.ccoctl_name or names.infrastructure or "openshift"
    display_name = change.ccoctl or f"{name[:50]}-{request[:49]}"
    account_id = f"{name[:12]}-{request[:11]}".strip("-") + f"-{_five(display_name)}"
    if not email and change.create and names.scopes:
        email = f"{account_id}@{host_of(project)}"
    unnamed = Placeholder(
        variable("GCP_SERVICE_ACCOUNT", change.label),
        f"email of the service account behind Secret {change.secrets[0]}",
        EMAIL,
    )
    stem = project or "openshift"
    role_id = f"{_alnum(stem, 32)}_{_alnum(request, 31)}"
    role_title = f"{stem[:50]}-{request[:49]}"
    ccoctls = (role_id, role_title)
    role, title = _custom_role(email, project, ccoctls, reading) if email and project else ("", "")
    pool = _pool(reading)
    pools = ("principal://iam.googleapis.com/projects/", _NUMBER, "/locations/global/workloadIdentityPools/")
    return Target(
        email=email or unnamed,
        base=file_name(email.partition("@")[0]) if email else change.label,
        project=project or PROJECT,
        role=role or role_id,
        title=title or role_title,
        role_seen=bool(role),
        role_holds=_holds(f"projects/{project}/roles/{role}", reading) if role else frozenset(),
        pool=word(pool) if pool else word(*pools, names.ccoctl_name or POOL),
        account_id=account_id,
        display_name=display_name,
        unknown=(PROJECT, unnamed, _NUMBER, POOL),
    )


def _five(text: str) -> str:
    """Return five characters that stand for ccoctl's random ones: equal runs must make equal names."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:5]


def _custom_role(email: str, project: str, ccoctls: tuple[str, str], reading: pages.Reading) -> tuple[str, str]:
    """Return ID and title of the custom role of this project that may be added to, empty where none is seen.

    The account holds it, and it grants something. It is ccoctl's by its ID or title, which every cluster of the project
    shares, or no other account holds it: what is added to a role is added for all.
    """
    documents = {shapes.role(entry).name: shapes.role(entry) for entry in reading.of("roles")}
    members: dict[str, set[str]] = {}
    for entry in reading.of("policies"):
        for binding in shapes.to_policy(entry).bindings:
            members.setdefault(binding.role, set()).update(m.casefold() for m in binding.members)
    me = f"serviceAccount:{email}".casefold()
    found: list[tuple[bool, str, str]] = []
    for name, held_by in members.items():
        document = documents.get(name)
        title = document.title if document else ""
        if not name.startswith(f"projects/{project}/roles/") or me not in held_by or (document and document.dead):
            continue
        own = name.rpartition("/")[2] == ccoctls[0] or title == ccoctls[1]
        if own or held_by == {me}:
            found.append((not own, name.rpartition("/")[2], title))
    return min(found)[1:] if found else ("", "")


def _holds(name: str, reading: pages.Reading) -> frozenset[str]:
    """Return the permissions of a role that the export shows."""
    found = [shapes.role(entry) for entry in reading.of("roles")]
    return next((one.permissions or frozenset() for one in found if one.name == name), frozenset())


def _pool(reading: pages.Reading) -> str:
    """Return the one pool that service accounts of the export trust, empty where there is none or several."""
    found = {
        matched.group(1)
        for entry in reading.of("policies")
        for binding in shapes.to_policy(entry).bindings
        if binding.role == TRUST_ROLE
        for member in binding.members
        if (matched := _POOL_MEMBER.match(member))
    }
    return found.pop() if len(found) == 1 else ""


def _alnum(text: str, longest: int) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)[:longest]
