"""What a snapshot keeps of objects: no field in which people keep secrets, unless a fact is read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.cluster.objects import NETWORK_SETTING
from upgrade_gate.cluster.readers._kept import without_managed_fields
from upgrade_gate.reading.node import slip_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_VARIABLES = frozenset({"CLUSTER_PROFILE", "EXCLUDE_MANIFESTS"})


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
    if not isinstance(body, dict):
        return body
    return {name: body[name] for name in names if name in body} | _slips(body, names)


def _slips(body: Iterable[object], names: Iterable[str]) -> dict[str, None]:
    """Return the names in a body that are one slip away from a wanted one: a reader must see that they stand there."""
    return {slip: None for name in names if name not in body and (slip := slip_of(name, body)) is not None}


def _gce_conf(text: Any) -> Any:
    """Return the lines of the cloud provider's configuration (an INI file) that name the network's project.

    Of one that names none it stays known that it was read.
    """
    if not isinstance(text, str) or not text.strip():
        return text
    lines = {line.partition("=")[0].strip().casefold(): line for line in text.splitlines() if "=" in line}
    named = [lines[NETWORK_SETTING]] if NETWORK_SETTING in lines else []
    return "\n".join(["[global]", *named, *(f"{slip} =" for slip in _slips(lines, [NETWORK_SETTING]))])


_INSTALLED: Mapping[str, Any] = {
    "platform": {"gcp": {"networkProjectID": None}, "ibmcloud": {"networkResourceGroupName": None}}
}
"""What of the installer's configuration facts are read from."""


def _install_config(text: Any) -> Any:
    """Return the installer's configuration with the network's place alone; one that is no YAML stays no YAML."""
    from upgrade_gate.base.errors import ManifestError
    from upgrade_gate.reading import yaml

    if not isinstance(text, str):
        return text
    try:
        body = yaml.parse_one(text.encode(), "install-config").body
    except ManifestError:
        return "["
    import json

    return json.dumps(_part(body, _INSTALLED))


def _part(body: Any, wanted: Mapping[str, Any] | None) -> Any:
    """Return what is wanted of a body; what is of another form stays so, without its content."""
    if body is None or (wanted is None and isinstance(body, str)):
        return body
    if wanted is None or not isinstance(body, dict):
        return True
    return {name: _part(body[name], inner) for name, inner in wanted.items() if name in body} | _slips(body, wanted)


_MACHINE = ("providerSpec", "value")
_CHANGES: Mapping[str, tuple[tuple[tuple[str, ...], Callable[[Any], Any]], ...]] = {
    "Deployment": ((("spec", "template", "spec", "containers", "*", "env"), _variables),),
    "MachineSet": ((("spec", "template", "spec", *_MACHINE), _accounts),),
    "ControlPlaneMachineSet": (
        (("spec", "template", "machines_v1beta1_machine_openshift_io", "spec", *_MACHINE), _accounts),
    ),
    "ConfigMap": ((("data", "config"), _gce_conf), (("data", "install-config"), _install_config)),
}
