"""What `terraform show -json` prints of a plan or a state: its resources, what is open in them, what they refer to.

Source: Terraform's JSON output format 1.x. A plan tells values under `planned_values`, what is known only after it is
applied under `resource_changes` (`after_unknown`), and references under `configuration`; a state tells values alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.clouds.contract.declared import Open
from upgrade_gate.reading.node import mapping, objects, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.clouds.contract.declared import Declaration, Path

_INDEX = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')
"""The instance in an address: `[0]` of count, `["a"]` of for_each."""


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
    """Per argument the addresses that its expression names, without instances."""
    made: bool = False
    """Whether the plan makes it anew."""

    def get(self, name: str) -> Any:
        """Return a value, Open where only applying tells it, None where it is not set."""
        if self.unknown.get(name) is True:
            return Open(f"{name} of {self.address}, known after apply")
        return self.values.get(name)

    def text(self, name: str) -> str:
        """Return a text, empty where it is none or open."""
        return text(self.get(name))


def is_show(body: Any) -> bool:
    """Return whether a document is a plan or a state as Terraform, or OpenTofu, shows it."""
    return isinstance(body, Mapping) and "format_version" in body and bool(_root(body)[0])


def _root(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], Path]:
    for key in ("planned_values", "values"):
        root = mapping(mapping(body.get(key)).get("root_module"))
        if root:
            return root, (key, "root_module")
    return {}, ()


def resources(body: Any) -> tuple[Resource, ...]:
    """Return the managed resources of a plan or state, those of its modules too."""
    if not is_show(body):
        return ()
    changes = {text(c.get("address")): mapping(c.get("change")) for c in objects(body.get("resource_changes"))}
    configured = dict(_configured(mapping(mapping(body.get("configuration")).get("root_module")), ""))
    root, path = _root(body)
    found: list[Resource] = []
    for one, place in _in_module(root, path):
        address = text(one.get("address"))
        found.append(
            Resource(
                address,
                text(one.get("type")),
                text(one.get("name")),
                mapping(one.get("values")),
                (*place, "values"),
                mapping(mapping(changes.get(address)).get("after_unknown")),
                configured.get(plain(address), {}),
                made="create" in strings(mapping(changes.get(address)).get("actions")),
            )
        )
    return tuple(found)


def doubted(body: Any, found: Iterable[Declaration]) -> tuple[Declaration, ...]:
    """Return declarations of a plan with what the plan itself says against them: it may not show all that is to be."""
    said = mapping(body)
    doubts: list[str] = []
    if said.get("errored") not in (None, False):
        doubts.append("the plan ended in an error, so that it does not show everything")
    if said.get("complete") not in (None, True):
        doubts.append("the plan says that it is not complete")
    if said.get("deferred_changes"):
        doubts.append("the plan puts changes off to a later one")
    return tuple(replace(one, doubts=(*doubts, *one.doubts)) for one in found)


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


def _configured(module: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, tuple[str, ...]]]]:
    """Yield each configured resource by its address without instances, with what its arguments refer to."""
    pending = [(module, prefix)]
    while pending:
        one, place = pending.pop(0)
        for entry in objects(one.get("resources")):
            expressions = mapping(entry.get("expressions"))
            yield (
                f"{place}{text(entry.get('address'))}",
                {
                    str(name): tuple(f"{place}{plain(to)}" for to in strings(mapping(said).get("references")))
                    for name, said in expressions.items()
                },
            )
        for name, call in mapping(one.get("module_calls")).items():
            pending.append((mapping(mapping(call).get("module")), f"{place}module.{name}."))


def plain(address: str) -> str:
    """Return an address without instances."""
    return _INDEX.sub("", address)


def unknown_in(value: Any) -> bool:
    """Return whether anything in a tree of `after_unknown` is known only after it is applied."""
    if isinstance(value, Mapping):
        return any(unknown_in(one) for one in value.values())
    return any(unknown_in(one) for one in value) if isinstance(value, list) else value is True


def named(one: Resource, argument: str, among: Iterable[Resource], key: str) -> Resource | None:
    """Return the resource that an argument stands for: by its own value, else by what its expression refers to.

    `key` is what the argument holds of the other resource, such as `name` or `arn`. None where it is none of them, or
    where it may be several.
    """
    among = tuple(among)
    value = one.get(argument)
    if isinstance(value, str) and value:
        found = [other for other in among if other.get(key) == value]
        return found[0] if len(found) == 1 else None
    wanted = set(one.references.get(argument, ()))
    found = [other for other in among if {plain(other.address), f"{plain(other.address)}.{key}"} & wanted]
    same = [other for other in found if _instance(other.address) == _instance(one.address)]
    chosen = found if len(found) == 1 else same
    return chosen[0] if len(chosen) == 1 else None


def _instance(address: str) -> str:
    return "".join(_INDEX.findall(address))
