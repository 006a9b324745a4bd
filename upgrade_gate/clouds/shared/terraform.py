"""What `terraform show -json` prints of a plan or a state: its resources, what is open in them, what they refer to.

Source: Terraform's JSON output format 1.x. A plan tells values under `planned_values`, what is known only after it is
applied under `resource_changes` (`after_unknown`), and references under `configuration`; a state tells values alone.
A raw state (`terraform.tfstate`, version 4) holds the same values by instance.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.clouds.contract.declared import Declaration, Open
from upgrade_gate.reading.node import mapping, objects, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.clouds.contract.declared import Path

_INSTANCE = r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]'
_INDEX = re.compile(_INSTANCE)
"""The instance in an address: `[0]` of count, `["a"]` of for_each."""
_MODULES = re.compile(rf"(?:module\.[\w-]+(?:{_INSTANCE})?\.)*")
_FORMATS = re.compile(r"[01](\.\d+)*")
"""Versions of the output whose meaning is known: a new major one may change anything."""
_RAW_VERSION = 4
_OWN_INSTANCE = ("each.key", "count.index")
"""What an argument refers to where it takes the instance of another resource that has the key of its own."""


class Resource(Struct, frozen=True):
    """One instance of a managed resource."""

    address: str
    type: str
    name: str
    """As the configuration calls it."""
    values: Mapping[str, Any]
    path: Path
    """Where its values stand in the document."""
    unknown: Mapping[str, Any]
    """What is known only once it is applied: true at each such place."""
    references: Mapping[str, tuple[str, ...]]
    """Per argument the addresses that its expression names, in the order of the plan."""
    made: bool = False
    """Whether the plan makes it anew."""
    provider: str = ""
    """Which of the configured providers it belongs to, so perhaps another account; empty where that is not told."""
    siblings: frozenset[str] = frozenset()
    """The addresses of all instances of it, its own too."""

    @property
    def module(self) -> str:
        """The instance of the module in which it lies, with its dot; empty for the root."""
        return _module(self.address)

    def get(self, name: str) -> Any:
        """Return a value, Open where only applying tells it, None where it is not set."""
        if self.unknown.get(name) is True:
            return Open(f"{name} of {self.address}, known after apply")
        return self.values.get(name)

    def text(self, name: str) -> str:
        """Return a text, empty where it is none or open."""
        return text(self.get(name))


def is_show(body: Any) -> bool:
    """Return whether a document is a plan or a state, as Terraform, or OpenTofu, shows it or keeps it."""
    if not isinstance(body, Mapping):
        return False
    shown = "format_version" in body and any(isinstance(body.get(key), Mapping) for key in ("planned_values", "values"))
    return shown or _is_raw(body)


def _is_raw(body: Mapping[str, Any]) -> bool:
    return "serial" in body and "lineage" in body


def _root(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], Path]:
    for key in ("planned_values", "values"):
        root = mapping(mapping(body.get(key)).get("root_module"))
        if root:
            return root, (key, "root_module")
    return {}, ()


def resources(body: Any) -> tuple[Resource, ...]:
    """Return the managed resources of a plan or state, those of its modules too.

    What a plan forgets stays as it was: Terraform lets go of it and the cloud keeps it.
    """
    if not is_show(body):
        return ()
    found = list(_kept(body) if _is_raw(body) else _shown(body))
    every: dict[str, set[str]] = {}
    for one in found:
        every.setdefault(f"{one.module}{plain(_local(one))}", set()).add(one.address)
    return tuple(replace(one, siblings=frozenset(every[f"{one.module}{plain(_local(one))}"])) for one in found)


def _shown(body: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield the resources of what Terraform shows."""
    changes = {
        text(c.get("address")): mapping(c.get("change"))
        for c in objects(body.get("resource_changes"))
        if not c.get("deposed")
    }
    configured = dict(_configured(mapping(mapping(body.get("configuration")).get("root_module")), ""))
    root, path = _root(body)
    for one, place in _in_module(root, path):
        address = text(one.get("address"))
        change = mapping(changes.get(address))
        references, provider = configured.get(plain(address), ({}, ""))
        yield Resource(
            address,
            text(one.get("type")),
            text(one.get("name")),
            mapping(one.get("values")),
            (*place, "values"),
            mapping(change.get("after_unknown")),
            references,
            made="create" in strings(change.get("actions")),
            provider=provider,
        )
    yield from (one for one, actions in _before(body) if "forget" in actions)


def before(body: Any) -> tuple[Resource, ...]:
    """Return the managed resources that a plan tells of as they are before it is applied; none of a state."""
    return tuple(one for one, _ in _before(mapping(body)))


def _before(body: Mapping[str, Any]) -> Iterator[tuple[Resource, tuple[str, ...]]]:
    """Yield each resource before the plan is applied, with what the plan does to it."""
    listed = body.get("resource_changes")
    for number, one in enumerate(listed if isinstance(listed, list) else ()):
        said = mapping(one)
        change = mapping(said.get("change"))
        if said.get("mode") in (None, "managed"):
            place = ("resource_changes", number, "change", "before")
            values = mapping(change.get("before"))
            yield (
                Resource(
                    text(said.get("address")), text(said.get("type")), text(said.get("name")), values, place, {}, {}
                ),
                tuple(strings(change.get("actions"))),
            )


def _kept(body: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield the resources of a raw state; what `doubted` tells of is left out."""
    if _strange(body) is not None:
        return
    for number, one in enumerate(body["resources"]):
        if one.get("mode") not in (None, "managed"):
            continue
        kind, name = text(one.get("type")), text(one.get("name"))
        within = f"{text(one.get('module'))}." if one.get("module") else ""
        for index, instance in enumerate(one["instances"]):
            key = f"[{json.dumps(instance['index_key'])}]" if instance.get("index_key") is not None else ""
            path: Path = ("resources", number, "instances", index, "attributes")
            yield Resource(
                f"{within}{kind}.{name}{key}",
                kind,
                name,
                instance["attributes"],
                path,
                {},
                {},
                provider=text(one.get("provider")),
            )


def _strange(body: Mapping[str, Any]) -> str | None:
    """Return why a raw state cannot be read, None where it can."""
    way = "give what `terraform show -json` prints of it"
    if body.get("version") != _RAW_VERSION or not isinstance(body.get("resources"), list):
        return f"a raw state of Terraform that is encrypted or not of version {_RAW_VERSION} is not read ({way})"
    for one in body["resources"]:
        if mapping(one).get("mode") not in (None, "managed"):
            continue
        listed = mapping(one).get("instances")
        if not isinstance(listed, list) or any(not isinstance(mapping(i).get("attributes"), Mapping) for i in listed):
            return f"a resource of this raw state has no attributes in the form of version {_RAW_VERSION} ({way})"
    return None


def doubted(body: Any, found: Iterable[Declaration]) -> tuple[Declaration, ...]:
    """Return declarations of a plan or state with what it says against itself: it may not show all that is to be.

    What it does not show may take away from identities of other files too.
    """
    said = mapping(body)
    doubts: list[str] = []
    if said.get("errored") not in (None, False):
        doubts.append("the plan ended in an error, so that it does not show everything")
    if said.get("complete") not in (None, True):
        doubts.append("the plan says that it is not complete")
    if said.get("deferred_changes"):
        doubts.append("the plan puts changes off to a later one")
    if _is_raw(said):
        doubts += [why] if (why := _strange(said)) is not None else []
    elif _FORMATS.fullmatch(str(said.get("format_version"))) is None:
        doubts.append(f"the format version {str(said.get('format_version'))[:20]} is not known")
    doubts += [f"{address} stands there once more, to be destroyed" for address in _deposed(said)]
    return (*found, *([Declaration(reach=(), doubts=tuple(doubts))] if doubts else ()))


def _deposed(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the addresses of objects that another one has replaced and that are still there."""
    for entry, _ in _in_module(*_root(body)):
        if entry.get("deposed_key"):
            yield text(entry.get("address"))
    for one in objects(body.get("resources")):
        if any(instance.get("deposed") for instance in objects(one.get("instances"))):
            yield f"{text(one.get('type'))}.{text(one.get('name'))}"


def _in_module(module: Mapping[str, Any], path: Path) -> Iterator[tuple[Mapping[str, Any], Path]]:
    pending: list[tuple[Mapping[str, Any], Path]] = [(module, path)]
    while pending:
        one, place = pending.pop(0)
        listed = one.get("resources")
        for number, entry in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(entry, Mapping) and entry.get("mode") in (None, "managed"):
                yield entry, (*place, "resources", number)
        inner = one.get("child_modules")
        for number, entry in enumerate(inner if isinstance(inner, list) else ()):
            pending.append((mapping(entry), (*place, "child_modules", number)))


def _configured(
    module: Mapping[str, Any], prefix: str
) -> Iterator[tuple[str, tuple[Mapping[str, tuple[str, ...]], str]]]:
    """Yield each configured resource by its address without instances: what its arguments refer to, its provider."""
    pending = [(module, prefix)]
    while pending:
        one, place = pending.pop(0)
        for entry in objects(one.get("resources")):
            expressions = mapping(entry.get("expressions"))
            references = {
                str(name): tuple(f"{place}{to}" for to in strings(mapping(said).get("references")))
                for name, said in expressions.items()
            }
            yield f"{place}{text(entry.get('address'))}", (references, text(entry.get("provider_config_key")))
        for name, call in mapping(one.get("module_calls")).items():
            pending.append((mapping(mapping(call).get("module")), f"{place}module.{name}."))


def plain(address: str) -> str:
    """Return an address without instances."""
    return _INDEX.sub("", address)


def _module(address: str) -> str:
    return str(_MODULES.findall(address)[0])


def _local(one: Resource) -> str:
    """Return the address within its module."""
    return one.address.removeprefix(one.module)


def unknown_in(value: Any) -> bool:
    """Return whether anything in a tree of `after_unknown` is known only after it is applied."""
    if isinstance(value, Mapping):
        return any(unknown_in(one) for one in value.values())
    return any(unknown_in(one) for one in value) if isinstance(value, list) else value is True


def named(one: Resource, argument: str, among: Iterable[Resource], *keys: str) -> Resource | None:
    """Return the resource that an argument stands for: by its own value, else by the reference that it is.

    `keys` are what the argument may hold of the other resource, such as `name` or `arn`. None where it is none of them,
    or where it may be several.
    """
    value = one.get(argument)
    if isinstance(value, str):
        found = [other for other in among if value and any(other.get(key) == value for key in keys)]
    elif value is None or unknown_in(one.unknown.get(argument)):
        found = [other for other in among if _is_reference(one, argument, other, keys)]
    else:
        found = []
    return found[0] if len(found) == 1 else None


def _is_reference(one: Resource, argument: str, other: Resource, keys: Iterable[str]) -> bool:
    """Return whether the expression of an argument is another resource's attribute and nothing else.

    A plan says which addresses an expression names and not what it makes of them: one that names anything beside the
    attribute is a function or a condition, and so is one whose attribute is known while its own value is not.
    Source: hashicorp/terraform internal/command/jsonconfig/expression.go, which unwraps `a.b[0].id` to `a.b[0].id`,
    `a.b[0]` and `a.b`, and `a.b[each.key].id` to `a.b` and `each.key`.
    """
    opened = [key for key in keys if not text(other.get(key))]
    if other.module != one.module or not opened:
        return False
    within = plain(one.module)
    said = {reference.removeprefix(within) for reference in one.references.get(argument, ())}
    own, resource = _local(other), plain(_local(other))
    if any(f"{own}.{key}" in said and said <= {f"{own}.{key}", own, resource} for key in opened):
        return True
    same = _instance(own) == _instance(_local(one)) and len(other.siblings) == len(one.siblings)
    return bool(_instance(own)) and same and any(said == {resource, index} for index in _OWN_INSTANCE)


def _instance(address: str) -> str:
    return "".join(_INDEX.findall(address))
