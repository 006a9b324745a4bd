"""GCP: which permissions a reviewer should look at twice, and what a permission lets its holder do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.gcp.grants import role_table
from upgrade_gate.clouds.shared.risk import RiskPair, RiskTable, entries, ordered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.risk import Access, Risk

_RHINO_GCP = "Rhino Security Labs, privilege escalation in Google Cloud"
_SONAR = "Sonar rule S6408"

TABLE = RiskTable(
    entries=(
        *entries(
            "IMPERSONATE",
            "acts as a service account",
            _SONAR,
            "iam.serviceAccounts.actAs",
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.implicitDelegation",
            "iam.serviceAccounts.signBlob",
            "iam.serviceAccounts.signJwt",
            "iam.serviceAccountKeys.create",
        ),
        *entries("ESCALATE", "can give itself other rights", _SONAR, "*.setIamPolicy", "iam.roles.update"),
        *entries("ESCALATE", "deploys as the project's own agent", _RHINO_GCP, "deploymentmanager.deployments.create"),
        *entries(
            "IMPERSONATE",
            "runs code on a machine, or changes its identity",
            _RHINO_GCP,
            "compute.instances.setMetadata",
            "compute.instances.setServiceAccount",
            "compute.projects.setCommonInstanceMetadata",
        ),
        *entries("DATA", "reads stored data", _RHINO_GCP, "storage.objects.get", "secretmanager.versions.access"),
        *entries("NETWORK-EXPOSE", "opens ports", _RHINO_GCP, "compute.firewalls.create", "compute.firewalls.update"),
    ),
    pairs=(
        RiskPair(
            "iam.serviceAccounts.actAs",
            "compute.instances.create",
            "ESCALATE",
            "starts a machine as another service account",
            _RHINO_GCP,
        ),
    ),
    destroys=("*.delete",),
)


def risks(grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
    """Return the risk classes of a permission; a role is BREADTH, with the classes of what it is known to hold."""
    names = _names(held)
    if grant.type != "predefinedRole":
        return TABLE.classify(grant.permission, names)
    return ordered({"BREADTH", *(risk for name in _inside(grant) for risk in TABLE.classify(name, names))})


def completes(grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
    """Return the permissions that make a known pair with this one; of a role nothing is said."""
    return TABLE.partners(grant.permission, _names(held)) if grant.type == "permission" else ()


def _names(held: Sequence[Grant]) -> list[str]:
    """Return the permissions of grants, those that the table knows to be in a role included."""
    plain = {g.permission for g in held if g.type == "permission"}
    return sorted(plain.union(*(_inside(grant) for grant in held)))


def _inside(grant: Grant) -> frozenset[str]:
    role = role_table().roles.get(grant.permission) if grant.type == "predefinedRole" else None
    return role.contains if role is not None else frozenset()


def access(grant: Grant) -> Access | None:
    """Return the permission's level by its last part; the verbs that only look begin with get or list.

    A whole role has none of its own.
    """
    if grant.type != "permission":
        return None
    service, _, verb = grant.permission.rpartition(".")
    if verb.startswith(("list", "search")):
        return "list"
    if verb.startswith("get") and verb not in ("getAccessToken", "getOpenIdToken"):
        return "read"
    if verb == "setIamPolicy" or service in ("iam.roles", "iam.denypolicies"):
        return "permissions-management"
    return "write"
