"""The least roles that reading a cluster needs: each rule is made from a query that the reader really asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate import cluster, platforms
from upgrade_gate.cluster import Query, SecretRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["rbac_manifests", "rules_for"]

_NAME = "upgrade-gate"


def rbac_manifests(
    secret_refs: Iterable[SecretRef],
    with_secrets: bool = True,
    *,
    namespaces: Iterable[str] = (),
    platform: str | None = None,
    with_mirrors: bool = False,
    with_signatures: bool = False,
    with_pull_secret: bool = False,
    account: tuple[str, str] = (_NAME, _NAME),
) -> list[dict[str, Any]]:
    """Return a ClusterRole, Roles per namespace and their bindings, for exactly the reads of one check.

    `secret_refs` are the Secrets that the releases require; their namespaces are read too, besides `namespaces`.
    Without `with_secrets` no rule names a Secret. `platform` picks the root credential; None names every one.
    Kubernetes has no verb for metadata alone: whoever may get a Secret may read its values, so the Roles name each.
    """
    refs = set(secret_refs)
    spaces = {ref.namespace for ref in refs} | set(namespaces)
    queries = [*cluster.first_wave(), *(cluster.namespace_query(name) for name in spaces)]
    if with_mirrors:
        queries += cluster.MIRROR_POLICIES
    if with_signatures:
        queries += [cluster.SIGNATURE_CONFIGMAPS, cluster.VERIFICATION_CONFIGMAP]
    if with_secrets:
        queries += [cluster.secret_query(ref) for ref in refs | _root_secrets(platform)]
    if with_pull_secret:
        queries.append(cluster.secret_query(cluster.PULL_SECRET))
    manifests: list[dict[str, Any]] = []
    for namespace in sorted({query.namespace for query in queries}, key=lambda name: name or ""):
        rules = rules_for([query for query in queries if query.namespace == namespace])
        manifests += [_role(namespace, rules), _binding(namespace, account)]
    return manifests


def rules_for(queries: Sequence[Query]) -> list[dict[str, Any]]:
    """Return RBAC rules that allow these queries of one namespace (or of none) and nothing else."""
    names: dict[tuple[str, str], set[str]] = {}
    lists: set[tuple[str, str]] = set()
    for query in queries:
        if query.name is None:
            lists.add((query.group, query.plural))
        else:
            names.setdefault((query.group, query.plural), set()).add(query.name)
    rules = [
        {"apiGroups": [group], "resources": [plural], "resourceNames": sorted(found), "verbs": ["get"]}
        for (group, plural), found in sorted(names.items())
    ]
    listed = [{"apiGroups": [group], "resources": [plural], "verbs": ["list"]} for group, plural in sorted(lists)]
    return rules + listed


def _root_secrets(platform: str | None) -> set[SecretRef]:
    chosen = platforms.PLATFORMS.values() if platform is None else (platforms.by_name(platform),)
    return {SecretRef("kube-system", p.root_secret) for p in chosen if p is not None and p.root_secret is not None}


def _role(namespace: str | None, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role" if namespace else "ClusterRole",
        "metadata": _metadata(namespace),
        "rules": rules,
    }


def _binding(namespace: str | None, account: tuple[str, str]) -> dict[str, Any]:
    kind = "Role" if namespace else "ClusterRole"
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": _metadata(namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": _NAME},
        "subjects": [{"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}],
    }


def _metadata(namespace: str | None) -> dict[str, str]:
    return {"name": _NAME, "namespace": namespace} if namespace else {"name": _NAME}
