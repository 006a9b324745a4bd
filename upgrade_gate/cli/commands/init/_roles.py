"""The account that reads a cluster, and the least roles for it: each rule is made from a query that is really asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.secret_ref import OBJECT_NAME
from upgrade_gate.cli.option_types import ParamType
from upgrade_gate.cluster.rights import rules_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from upgrade_gate.cli.options import RegistryOptions
    from upgrade_gate.cluster.model import Query
    from upgrade_gate.requests.comparison import Comparison

_NAME = "upgrade-gate"
_RBAC = "rbac.authorization.k8s.io"
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
"""What Kubernetes takes as the name of a namespace (RFC 1123 label)."""


class ServiceAccountName(Struct, frozen=True):
    """A service account."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class NamespaceName(ParamType):
    """The name of a namespace."""

    name = "NAMESPACE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name."""
        if not _NAMESPACE.fullmatch(str(value)):
            self.fail(f"{value!r} is not a name of a namespace", param, ctx)
        return str(value)


class AccountName(ParamType):
    """`NAMESPACE/NAME` of a service account."""

    name = "NAMESPACE/NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ServiceAccountName:
        """Return the account."""
        if isinstance(value, ServiceAccountName):
            return value
        namespace, _, name = str(value).partition("/")
        if not (_NAMESPACE.fullmatch(namespace) and OBJECT_NAME.fullmatch(name)):
            self.fail(f"{value!r} is not NAMESPACE/NAME of a service account", param, ctx)
        return ServiceAccountName(namespace, name)


OWN_ACCOUNT = ServiceAccountName(_NAME, _NAME)
"""The one that the file makes, where no other is named."""


def read_queries(
    survey: Comparison, registry: RegistryOptions | None, *, with_secrets: bool = True, today: bool = False
) -> list[Query]:
    """Return what `check` asks of the cluster for this path with these options; `today` is for `snapshot`.

    Without `registry`, what `fleet` asks: nothing that concerns the reading of releases.
    """
    from upgrade_gate import pipeline
    from upgrade_gate.cli import run
    from upgrade_gate.cluster import facts_table, observe

    refs = pipeline.required_secrets(survey, today=today)
    root = observe.root_ref(survey.context.platform, survey.cluster.mode if survey.cluster else None)
    second = observe.second_wave({ref.namespace for ref in refs}, refs, root)
    trust, mirrors = run.registry_queries(registry) if registry else ((), ())
    queries = [*facts_table.FIRST_WAVE, *facts_table.for_proof(survey.context.platform), *second, *trust, *mirrors]
    if registry and registry.pull_secret_from_cluster:
        queries.append(facts_table.secret_query(facts_table.PULL_SECRET))
    return [query for query in queries if with_secrets or query.kind != "Secret"]


def account_manifests(account: ServiceAccountName) -> list[dict[str, Any]]:
    """Return a service account with its namespace."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": _metadata(None, account.namespace)},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(account.namespace, account.name)},
    ]


def own_role(account: ServiceAccountName, name: str, *rules: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a Role in an account's own namespace, and its binding to the account."""
    return [
        _rbac("Role", account.namespace, name, rules=list(rules)),
        _rbac("RoleBinding", account.namespace, name, **_binding("Role", name, subject_of(account))),
    ]


def subject_of(account: ServiceAccountName, *, of_hub: bool = False) -> dict[str, Any]:
    """Return whom a binding is for: an account of this cluster, or one of its hub as cluster-proxy presents it.

    Source of that name: docs/facts/hubs.md#whose-rights.
    """
    if of_hub:
        name = f"cluster:hub:system:serviceaccount:{account.namespace}:{account.name}"
        return {"apiGroup": _RBAC, "kind": "User", "name": name}
    return {"kind": "ServiceAccount", "namespace": account.namespace, "name": account.name}


def role_manifests(queries: Iterable[Query], subject: dict[str, Any], *, name: str = _NAME) -> list[dict[str, Any]]:
    """Return a ClusterRole, a Role for each namespace, and their bindings to one subject, for exactly these reads.

    Every read of one object is allowed by its name. The same queries in any order give the same manifests.
    """
    spaces: dict[str, list[Query]] = {}
    for query in queries:
        spaces.setdefault(query.namespace or "", []).append(query)
    manifests: list[dict[str, Any]] = []
    for namespace in sorted(spaces):
        kind = "Role" if namespace else "ClusterRole"
        manifests += [
            _rbac(kind, namespace, name, rules=rules_for(spaces[namespace])),
            _rbac(f"{kind}Binding", namespace, name, **_binding(kind, name, subject)),
        ]
    return manifests


def _rbac(kind: str, namespace: str, name: str, **rest: Any) -> dict[str, Any]:
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": _metadata(namespace or None, name), **rest}


def _binding(kind: str, role: str, subject: dict[str, Any]) -> dict[str, Any]:
    return {"roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role}, "subjects": [dict(subject)]}


def _metadata(namespace: str | None, name: str) -> dict[str, Any]:
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, "labels": {"app.kubernetes.io/name": _NAME}}
