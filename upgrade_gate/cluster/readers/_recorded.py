"""What a snapshot keeps of objects: no field in which people keep secrets, unless a fact is read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.cluster.readers._kept import without_managed_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_VARIABLES = frozenset({"CLUSTER_PROFILE", "EXCLUDE_MANIFESTS"})
_NETWORK = "network-project-id"


def recorded(value: Any, kind: str) -> Any:
    """Return objects of a kind without managedFields, the copy of `kubectl apply`, and what may be secret.

    Kept are, of a Deployment, the variables that facts are read from; of the machines' specs the service accounts; of
    the installer's and the cloud provider's configuration the project of the network.
    """
    if isinstance(value, (list, tuple)):
        return [recorded(item, kind) for item in value]
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        return value
    kept = without_managed_fields(value)
    annotations = kept["metadata"].get("annotations")
    if isinstance(annotations, dict):
        shown = {key: text for key, text in annotations.items() if key != _APPLIED}
        kept = {**kept, "metadata": {**kept["metadata"], "annotations": shown}}
    for parts, change in _CHANGES.get(kind, ()):
        kept = _changed(kept, parts, change)
    return kept


def _changed(body: Any, parts: tuple[str, ...], change: Callable[[Any], Any]) -> Any:
    """Return a body with one place changed, where it has that place; `*` stands for every element of a list."""
    if not parts:
        return change(body)
    first, rest = parts[0], parts[1:]
    if first == "*":
        return [_changed(item, rest, change) for item in body] if isinstance(body, list) else body
    if not isinstance(body, dict) or first not in body:
        return body
    return {**body, first: _changed(body[first], rest, change)}


def _variables(listed: Any) -> Any:
    if not isinstance(listed, list):
        return listed
    return [item for item in listed if not isinstance(item, dict) or item.get("name") in _VARIABLES]


def _accounts(spec: Any) -> Any:
    return _only(spec, ("apiVersion", "kind", "projectID", "serviceAccounts"))


def _only(body: Any, names: Iterable[str]) -> Any:
    return {name: body[name] for name in names if name in body} if isinstance(body, dict) else body


def _gce_conf(text: Any) -> Any:
    """Return the lines of the cloud provider's configuration (an INI file) that name the network's project."""
    if not isinstance(text, str):
        return text
    return "\n".join(line for line in text.splitlines() if line.partition("=")[0].strip() == _NETWORK)


def _install_config(text: Any) -> Any:
    """Return the installer's configuration with the network's project alone; one that is no YAML stays no YAML."""
    from upgrade_gate.base.errors import ManifestError
    from upgrade_gate.reading import yaml

    if not isinstance(text, str):
        return text
    try:
        body = yaml.parse_one(text.encode(), "install-config").body
    except ManifestError:
        return "["
    import json

    spec = body.get("platform") if isinstance(body, dict) else None
    gcp = spec.get("gcp") if isinstance(spec, dict) else None
    return json.dumps({"platform": {"gcp": _only(gcp, ("networkProjectID",))}}) if isinstance(gcp, dict) else "{}"


_MACHINE = ("providerSpec", "value")
_CHANGES: Mapping[str, tuple[tuple[tuple[str, ...], Callable[[Any], Any]], ...]] = {
    "Deployment": ((("spec", "template", "spec", "containers", "*", "env"), _variables),),
    "MachineSet": ((("spec", "template", "spec", *_MACHINE), _accounts),),
    "ControlPlaneMachineSet": (
        (("spec", "template", "machines_v1beta1_machine_openshift_io", "spec", *_MACHINE), _accounts),
    ),
    "ConfigMap": ((("data", "config"), _gce_conf), (("data", "install-config"), _install_config)),
}
