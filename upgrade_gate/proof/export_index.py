"""What an export says of itself: which command wrote which file, when, and with which result.

`identities commands` prints a script that writes such an index (`clouds/shared/shell_script.py`). With it an empty
file is an answer, a cut one is seen, and so is a command that failed. An index that contradicts its files is worse than
none: nothing that stands beside it proves anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from upgrade_gate.clouds.contract.export import INDEX
from upgrade_gate.reading.exports import ExportFile

_Count = Annotated[int, Meta(ge=0)]
_FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_@-][A-Za-z0-9._@-]*$")]


class _Call(Struct, frozen=True):
    command: str
    file: _FileName
    status: _Count
    items: _Count
    """Elements of the outermost lists in the file together."""
    bytes: _Count
    time: str


class _Index(Struct, frozen=True):
    index: str
    collected: str
    calls: tuple[_Call, ...]


class Indexed(Struct, frozen=True):
    """The files of one path, as their indexes explain them."""

    files: tuple[ExportFile, ...]
    """Without the indexes themselves."""
    asked: Mapping[str, str]
    """File name to the command that wrote it."""
    problems: tuple[str, ...] = ()
    """Where an index and its files contradict each other, or it cannot be understood."""
    failed: tuple[str, ...] = ()
    """Commands that failed when the export was made."""
    stamps: tuple[str, ...] = ()
    """When it was begun, as each index says."""


def read(files: Sequence[ExportFile]) -> Indexed:
    """Explain files by the indexes among them; each speaks of the files of its own folder."""
    by_name = {file.name: file for file in files}
    own = [file for file in files if any(_is_index(body) for body in file.bodies)]
    asked: dict[str, str] = {}
    problems: list[str] = []
    failed: list[str] = []
    stamps: list[str] = []
    seen: set[str] = set()
    for file in own:
        folder = file.name.rpartition("/")[0]
        try:
            index = _parse(file, again=folder in seen)
        except ValueError as exc:
            problems.append(f"{file.name}: {exc}")
            continue
        seen.add(folder)
        stamps.append(index.collected)
        for call in index.calls:
            name = f"{folder}/{call.file}" if folder else call.file
            if call.status:
                failed.append(call.command)
            problem = _contradiction(name, call, by_name, asked)
            if problem is not None:
                problems.append(f"{file.name}: {problem}")
            elif not call.status:
                asked[name] = call.command
                if not call.bytes:
                    by_name[name] = replace(by_name[name], bodies=([],), problem=None)
    kept = tuple(by_name[file.name] for file in files if file not in own)
    return Indexed(kept, asked, tuple(problems), tuple(dict.fromkeys(failed)), tuple(stamps))


def _is_index(body: Any) -> bool:
    if not isinstance(body, Mapping):
        return False
    return str(body.get("index")).startswith(INDEX.rpartition("/")[0]) or {"index", "calls"} <= set(body)


def _parse(file: ExportFile, *, again: bool) -> _Index:
    """Return the index of a file. Raises ValueError with the reason where it cannot be one."""
    if file.problem is not None or len(file.bodies) != 1:
        raise ValueError("an index that cannot be read as a whole")
    if again:
        raise ValueError("a second index of the same folder")
    try:
        index = msgspec.convert(file.bodies[0], _Index)
    except msgspec.ValidationError as exc:
        raise ValueError(f"an index that cannot be read ({exc})") from exc
    if index.index != INDEX:
        raise ValueError(f"an index of another form ({index.index}, not {INDEX})")
    if moment(index.collected) is None:
        raise ValueError(f"an index that does not say when it was made ({index.collected!r})")
    return index


def _contradiction(name: str, call: _Call, files: Mapping[str, ExportFile], asked: Mapping[str, str]) -> str | None:
    """Return what the index says of a file that the file itself contradicts, None where they agree."""
    file = files.get(name)
    if name in asked:
        return f"two commands are said to have written {name}"
    if call.status:
        return f"{name} is there, and what should have written it failed ({call.command})" if file else None
    if file is None:
        return f"{name} is missing, which held the answer to {call.command}"
    if file.size < call.bytes:
        return f"{name} is cut off: {file.size} of {call.bytes} bytes are there ({call.command})"
    if not call.bytes:
        return f"{name} was empty when it was exported, and is not now" if file.size else None
    found = sum(_items(body) for body in file.bodies)
    if file.problem is None and found != call.items:
        return f"{name} holds {found} items in its lists, and {call.items} were exported ({call.command})"
    return None


def _items(body: Any) -> int:
    """Return how many elements the outermost lists of a document have together."""
    if isinstance(body, Mapping):
        return sum(_items(one) for one in body.values())
    return len(body) if isinstance(body, Sequence) and not isinstance(body, str) else 0


def moment(text: str) -> datetime | None:
    """Return an RFC 3339 time, None for what is none, or has no zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
