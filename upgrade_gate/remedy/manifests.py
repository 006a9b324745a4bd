"""The bundle's Kubernetes documents: Secret skeletons without any value, and namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.base.steps import Command, Placeholder, Serves, Step, line
from upgrade_gate.base.text import one_line
from upgrade_gate.clouds.contract import remedy
from upgrade_gate.clouds.contract.remedy import fill, variable, yaml_file
from upgrade_gate.clouds.contract.secret import secret_of
from upgrade_gate.gate import requirements
from upgrade_gate.gate.findings import NeedKind, NeedStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.base.steps import BundleFile
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.remedy.secret_gaps import Gap


def namespace_steps(situation: Situation, secrets: Iterable[SecretRef]) -> list[Step]:
    """Return a step with its manifest for every namespace that is not known to exist."""
    wanted: dict[str, list[SecretRef]] = {}
    for secret in sorted(set(secrets)):
        need = requirements.namespace_need(situation, secret.namespace)
        if need.kind is NeedKind.NAMESPACE and need.status is not NeedStatus.MET:
            wanted.setdefault(secret.namespace, []).append(secret)
    names = remedy.file_names({name: name for name in wanted})
    return [_namespace_step(namespace, names[namespace], refs) for namespace, refs in wanted.items()]


def _namespace_step(namespace: str, name: str, refs: Sequence[SecretRef]) -> Step:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    file = yaml_file(f"namespaces/{name}.yaml", body)
    return Step(
        f"Create namespace {namespace}",
        "before",
        f"Secret {', '.join(map(str, refs))} must stand in it before the target's manifests make it.",
        Serves.NAMESPACE,
        frozenset(map(str, refs)),
        commands=(Command(line("oc create", "-f", file), unless=line("oc get namespace", namespace)),),
        files=(file,),
    )


def secret_steps(
    situation: Situation,
    missing: Sequence[Gap],
    changes: Sequence[IdentityChange],
    names: ClusterNames,
    *,
    ccoctl: bool,
) -> list[Step]:
    """Return a step with a skeleton for each Secret: every key, and for each value what belongs there.

    `ccoctl` says whether the bundle has a ccoctl command, which may make some of them.
    """
    servers = requirements.vcenters(situation)
    addresses = () if isinstance(servers, Unknown) else servers
    called = remedy.file_names({str(gap.secret): f"{gap.secret.namespace}-{gap.secret.name}" for gap in missing})
    steps: list[Step] = []
    for gap in missing:
        name = called[str(gap.secret)]
        change = next((c for c in changes if gap.secret in c.secrets), None)
        comment = f"read by {', '.join(gap.requests)}"
        file = yaml_file(f"secrets/{name}.yaml", _skeleton(gap, change, names, addresses), comment=comment)
        steps.append(_secret_step(gap, name, file, ccoctl=ccoctl))
    return steps


def _skeleton(gap: Gap, change: IdentityChange | None, names: ClusterNames, servers: Sequence[str]) -> dict[str, Any]:
    cloud, plugin = secret_of(gap.kind), remedy.remedy_of(gap.kind)
    keys = cloud.secret_keys(token=names.token, release=names.release) if cloud else ()
    data: dict[str, str] = {}
    for key in keys:
        value = plugin.secret_value(key, change, names) if plugin and change else None
        for server in servers or (fill("address of the vCenter"),):
            data[key.replace("<vcenter>", server)] = value or fill(key.rpartition(">")[2].strip("."))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": gap.secret.name, "namespace": gap.secret.namespace},
        "type": "Opaque",
        "stringData": data or {fill("key"): fill("value")},
    }


def _secret_step(gap: Gap, name: str, file: BundleFile, *, ccoctl: bool) -> Step:
    manifest = Placeholder(
        variable("SECRET_FILE", name),
        f"the manifest of Secret {gap.secret} with its values: {file} filled in"
        + (", or what ccoctl wrote" if ccoctl else ""),
        path=True,
        default=file.name,
    )
    there = line("oc get secret", gap.secret.name, namespace=gap.secret.namespace)
    as_filled_in = line("oc diff", "-f", manifest)
    in_case = "it does not have these values yet" if gap.rewrite else ""
    written = one_line(f"{gap.secret.namespace}-{gap.secret.name}-credentials.yaml")
    notes = [f"Where ccoctl makes it, it stands in ccoctl-output/manifests/{written}."] if ccoctl else []
    if gap.token_path:
        notes.append(f"The component mounts its token at {gap.token_path}: the Secret must name a file there.")
    if not gap.sure:
        notes.append("Whether the Secret exists was not read; one that exists is left alone.")
    return Step(
        f"{'Complete' if gap.rewrite else 'Create'} Secret {gap.secret}",
        "before",
        f"{', '.join(gap.requests)} reads it.",
        Serves.SECRET,
        frozenset({str(gap.secret)}),
        commands=(
            Command(line("oc apply", "-f", manifest), unless=as_filled_in if gap.rewrite else there, in_case=in_case),
        ),
        files=(file,),
        notes=tuple(notes),
        unknown=(manifest,),
    )
