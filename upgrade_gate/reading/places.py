"""Where each value of a YAML or JSON text stands, by line and character.

So a finding can point at it, and a patch can change it and nothing else. Only for text that `reading.yaml` has parsed
before, which holds it to its caps; JSON is read as the YAML that it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Sequence

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and list places from the root of a document."""


class Place(Struct):
    """Where one value stands."""

    kind: str
    """`mapping`, `list`, `text` (any single value) or `alias`."""
    start: int
    """Of its first character, counted in characters from the beginning of the text."""
    end: int = 0
    """Behind its last character; of YAML's block style, where the next thing begins."""
    line: int = 1
    """From 1."""
    column: int = 0
    """From 0."""
    flow: bool = False
    """Whether it is in brackets."""
    plain: bool = False
    """Of a text: whether it stands there without quotes."""
    anchored: bool = False
    """Whether an anchor, a tag or an alias makes it more than it shows."""
    keys: dict[str, Place] = field(default_factory=dict)
    """Of a mapping: where each key stands."""
    values: dict[str, Place] = field(default_factory=dict)
    """Of a mapping: where each value stands."""
    items: list[Place] = field(default_factory=list)
    """Of a list."""
    pending: tuple[str, Place] | None = None
    """While it is read: the key whose value comes next."""

    def at(self, path: Sequence[str | int]) -> Place | None:
        """Return where the value of a path stands, None where the text shows none of its own."""
        found = self
        for step in path:
            inner = found.items[step : step + 1] if isinstance(step, int) else [found.values.get(step)]
            if not inner or inner[0] is None:
                return None
            found = inner[0]
        return found

    def nearest(self, path: Sequence[str | int]) -> Place:
        """Return the place of the longest beginning of a path that has one."""
        return next(found for cut in range(len(path), -1, -1) if (found := self.at(path[:cut])) is not None)


def locate(text: str) -> tuple[Place | None, ...] | None:
    """Return the places of each document of the text, None for an empty one; None where YAML does not read it.

    JSON that YAML reads otherwise (half of a surrogate pair, a key of a thousand letters) has no places.
    """
    import yaml

    loader = yaml.CSafeLoader(text.encode("utf-8", "surrogatepass"))
    roots: list[Place | None] = []
    stack: list[Place] = []
    try:
        while True:
            event: Any = loader.get_event()
            match event:
                case yaml.DocumentStartEvent():
                    roots.append(None)
                case yaml.ScalarEvent() | yaml.AliasEvent():
                    _add(stack, roots, _place(event), getattr(event, "value", ""))
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    stack.append(_place(event))
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    done = stack.pop()
                    done.end = _place(event).end
                    _add(stack, roots, done, "")
                case yaml.StreamEndEvent():
                    return tuple(roots)
    except yaml.YAMLError:
        return None
    finally:
        loader.dispose()


def _place(event: Any) -> Place:
    import yaml

    kinds = {yaml.MappingStartEvent: "mapping", yaml.SequenceStartEvent: "list", yaml.AliasEvent: "alias"}
    mark: Any = event.start_mark
    kind = kinds.get(type(event), "text")
    marked = getattr(event, "anchor", None) is not None or getattr(event, "tag", None) is not None
    return Place(
        kind,
        mark.index,
        event.end_mark.index,
        mark.line + 1,
        mark.column,
        flow=bool(getattr(event, "flow_style", False)),
        plain=kind == "text" and getattr(event, "style", None) in (None, ""),
        anchored=marked or kind == "alias",
    )


def _add(stack: list[Place], roots: list[Place | None], place: Place, text: str) -> None:
    """Put a finished place where it belongs; of two equal keys the last one counts, as in what was parsed."""
    if not stack:
        roots[-1] = place
        return
    parent = stack[-1]
    if parent.kind == "list":
        parent.items.append(place)
    elif parent.pending is None:
        parent.pending = (text, place)
    else:
        key, key_place = parent.pending
        parent.keys[key], parent.values[key], parent.pending = key_place, place, None
