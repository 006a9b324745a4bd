"""The imports between rooms, measured from the code: `docs/architecture.md` and the limits that the house keeps.

`make architecture` writes the page; `tests/test_architecture.py` holds it against the code.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import upgrade_gate

PACKAGE = Path(upgrade_gate.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"
CLOUDS = "clouds"
COMMON = ("contract", "shared")
"""What is no cloud in the room of the clouds; it is drawn as the room itself."""
EACH_CLOUD = "each cloud"
"""The clouds in the picture: no arrow runs between them, and all have the same neighbours above."""


@cache
def modules() -> Mapping[str, str]:
    """Return the room of each module, by its dotted name below the package; a cloud is a room of its own."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        if name not in {"__init__", "__main__"}:
            found[name] = _room(parts)
    return found


def _room(parts: tuple[str, ...]) -> str:
    if parts[0] == CLOUDS and len(parts) > 2 and parts[1] not in COMMON:
        return f"{CLOUDS}.{parts[1]}"
    return parts[0]


@cache
def imports() -> Mapping[tuple[str, str], int]:
    """Return how many import statements lead from one room to another, late ones and those for types included."""
    return Counter(
        (room, modules()[target])
        for name, room in modules().items()
        for target in _imported(name)
        if modules()[target] != room
    )


def _imported(name: str) -> Iterable[str]:
    """Yield the modules that a module imports from the package, once for each statement and module."""
    for node in ast.walk(ast.parse(_file(name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE.name:
            below = (node.module or "").partition(".")[2]
            names = (f"{below}.{alias.name}".strip(".") for alias in node.names)
            yield from {full if full in modules() else below for full in names} - {"", "__version__"}
        elif isinstance(node, ast.Import):
            named = (alias.name.partition(".") for alias in node.names)
            yield from (below for package, _, below in named if package == PACKAGE.name and below)


def _file(name: str) -> Path:
    path = PACKAGE.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def rooms() -> list[str]:
    """Return every room, the lowest last, each above all that it imports."""
    heights = floors()
    return sorted(heights, key=lambda room: (-heights[room], room))


def floors() -> Mapping[str, int]:
    """Return the floor of each room: one above the highest that it imports, 1 where it imports none.

    Raises ValueError where rooms import each other in a circle.
    """
    found: dict[str, int] = {}
    left = set(modules().values())
    while left:
        ready = {room for room in left if not left & _below(room)}
        if not ready:
            raise ValueError(f"rooms import each other: {sorted(left)}")
        found |= {room: 1 + max((found[below] for below in _below(room)), default=0) for room in ready}
        left -= ready
    return found


def _below(room: str) -> set[str]:
    return {to for from_, to in imports() if from_ == room}


def is_cloud(room: str) -> bool:
    """Return whether a room is a cloud's own."""
    return room.startswith(f"{CLOUDS}.")


def boxes() -> list[str]:
    """Return the boxes of the picture, the highest first: the clouds, which have no arrow between them, are one."""
    return list(dict.fromkeys(_box(room) for room in rooms()))


def _box(room: str) -> str:
    return EACH_CLOUD if is_cloud(room) else room


def arrows() -> list[tuple[str, str]]:
    """Return the arrows of the picture: of those that a longer way says already, none."""
    below: dict[str, set[str]] = {box: set() for box in boxes()}
    for from_, to in imports():
        if _box(from_) != _box(to):
            below[_box(from_)].add(_box(to))
    reached = {box: set().union(*(_reach(below, next_) for next_ in targets)) for box, targets in below.items()}
    return [(box, to) for box in boxes() for to in sorted(below[box] - reached[box])]


def _reach(below: Mapping[str, set[str]], box: str) -> set[str]:
    return set().union(*({to} | _reach(below, to) for to in below[box]))


def page() -> str:
    """Return `docs/architecture.md`."""
    heights = floors()
    shown = [room for room in rooms() if not is_cloud(room)] + sorted(room for room in heights if is_cloud(room))
    table = [
        f"| {heights[room]} | `{room}` | {_knows(room)} | {', '.join(f'`{to}`' for to in sorted(_below(room)))} "
        f"| {_lines(room)} |"
        for room in shown
    ]
    clouds = "<br/>".join(room.partition(".")[2] for room in shown if is_cloud(room))
    names = {box: f"r{number}" for number, box in enumerate(boxes())}
    labels = [f'  {names[box]}["{clouds if box == EACH_CLOUD else box}"]' for box in boxes()]
    lines = [f"  {names[from_]} --> {names[to]}" for from_, to in arrows()]
    return f"""\
# Architecture

`make architecture` writes this page from the imports in the code; a test holds it against them. What may import what
is written down as import contracts in `pyproject.toml`.

A room imports only from the floors below it, and no cloud imports another. The picture leaves out an arrow where a
longer way leads to the same room, and draws the clouds as one box, since nothing runs between them.

```mermaid
flowchart TD
{chr(10).join([*labels, *lines])}
```

| floor | room | what it knows | imports | lines |
|---|---|---|---|---|
{chr(10).join(table)}

{len(boxes())} boxes on {max(heights.values())} floors, {len(modules())} modules, {sum(map(_lines, heights))} lines.
"""


def _knows(room: str) -> str:
    return (ast.get_docstring(ast.parse(_file(room).read_text(encoding="utf-8"))) or "").splitlines()[0]


def _lines(room: str) -> int:
    return sum(_file(name).read_text(encoding="utf-8").count("\n") for name, its in modules().items() if its == room)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
