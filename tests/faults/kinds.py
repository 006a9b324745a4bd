"""The kinds of fault: what goes wrong with a file, and with one node of a parsed document."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""The way to a node: keys of mappings, places in lists."""

TWIN = "\x01"
"""Ends a key that is written a second time: what writes a document takes it away (`documents.written`)."""

FILES: Mapping[str, Callable[[bytes], bytes | None]] = {
    "file-deleted": lambda content: None,
    "file-emptied": lambda content: b"",
    "file-blank": lambda content: b" \n\n",
    "file-cut-in-half": lambda content: content[: len(content) // 2],
    "file-without-its-last-lines": lambda content: b"".join(_lines(content)[: -max(1, len(_lines(content)) // 4)]),
    "file-without-its-first-line": lambda content: b"".join(_lines(content)[1:]),
    "file-twice-in-one": lambda content: content + b"\n---\n" + content,
    "file-in-utf-16": lambda content: content.decode().encode("utf-16"),
    "file-in-utf-16-without-mark": lambda content: content.decode().encode("utf-16-be"),
    "file-with-byte-order-mark": lambda content: b"\xef\xbb\xbf" + content,
    "file-with-nul": lambda content: content + b"\0",
    "file-not-utf-8": lambda content: content + b"\n# \xff\xfe\n",
    "file-with-carriage-returns": lambda content: content.replace(b"\n", b"\r\n"),
    "file-indented": lambda content: b"".join(b" " + line for line in _lines(content)),
    "file-with-tabs": lambda content: content.replace(b"  ", b"\t"),
    "file-of-another-kind": lambda content: b"<html><body>504 Gateway Time-out</body></html>\n",
}
"""What becomes of a file's content; None: it is gone."""
NAMES: Mapping[str, Callable[[str], str]] = {
    "name-misspelt": lambda name: f"{name[:2]}{name[3:]}",
    "name-in-capitals": lambda name: name.upper(),
    "name-with-space": lambda name: f"{name} ",
    "name-of-a-backup": lambda name: f"{name}.bak",
}
"""What a file is called instead."""
COPIES: Mapping[str, Callable[[str], str]] = {
    "file-twice": lambda name: f"copy-of-{name}",
}
"""What a second file of the same content is called."""

WRONG: Mapping[str, Any] = {
    "null": None,
    "false": False,
    "zero": 0,
    "number": 17,
    "empty-text": "",
    "empty-list": [],
    "empty-mapping": {},
    "list-of-null": [None],
}
"""Wrong types, the falsy ones above all; each stands for any node."""
_TEXTS: Mapping[str, Callable[[str], Any]] = {
    "misspelt": lambda text: text[: len(text) // 2] + text[len(text) // 2 + 1 :],
    "cut-off": lambda text: text[: max(1, len(text) // 2)],
    "other-case": str.swapcase,
    "space-behind": lambda text: f"{text} ",
    "space-before": lambda text: f" {text}",
    "line-break-behind": lambda text: f"{text}\n",
    "in-a-list": lambda text: [text],
}
_KEYS: Mapping[str, Callable[[str], str]] = {
    "key-misspelt": lambda key: key[: len(key) // 2] + key[len(key) // 2 + 1 :] or "x",
    "key-with-capital": lambda key: key[:1].swapcase() + key[1:],
    "key-in-other-case": lambda key: key.swapcase() if key.swapcase() != key[:1].swapcase() + key[1:] else f"{key}S",
    "key-with-space": lambda key: f"{key} ",
}
_VERSIONS: Mapping[str, Callable[[str], str]] = {
    "other-version": lambda text: f"{text.rpartition('/')[0]}/v9".lstrip("/"),
    "other-group": lambda text: f"example.com/{text.rpartition('/')[2]}",
}
_OTHER: Mapping[str, Mapping[str, Callable[[str], str]]] = {
    "apiVersion": _VERSIONS,
    "kind": {"other-kind": lambda text: "ConfigMap", "plural-kind": lambda text: f"{text}s"},
    "namespace": {"other-namespace": lambda text: "elsewhere"},
    "name": {"other-name": lambda text: "another"},
}
"""Faults of their own for some keys."""


def _lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def nodes(document: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every node below this one, leaves and what holds them."""
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        yield (*path, key), value
        if isinstance(value, (dict, list)):
            yield from nodes(value, (*path, key))


def of_node(key: str | int, value: Any) -> Iterator[str]:
    """Yield the kinds of fault that this node may have."""
    yield "deleted"
    for name, wrong in WRONG.items():
        if type(wrong) is not type(value) or wrong != value:
            yield name
    if isinstance(value, str):
        yield from (name for name, change in _TEXTS.items() if change(value) != value)
        yield from (name for name, change in _OTHER.get(str(key), {}).items() if change(value) != value)
    elif isinstance(value, (bool, int, float)):
        yield "as-text"
    else:
        yield "wrapped-in-a-list"
    if isinstance(key, str):
        yield from _KEYS
        yield "key-twice-then-nothing"
        yield "key-twice-nothing-first"
    else:
        yield "twice"


def spoil(documents: Any, path: Path, kind: str) -> Any:
    """Return a copy of the documents with one fault at one node."""
    spoilt = copy.deepcopy(documents)
    parent = spoilt
    for step in path[:-1]:
        parent = parent[step]
    key = path[-1]
    if isinstance(parent, list):
        _spoil_item(parent, int(key), kind)
    else:
        _spoil_key(parent, str(key), kind)
    return spoilt


def _spoil_item(parent: list[Any], place: int, kind: str) -> None:
    if kind == "deleted":
        del parent[place]
    elif kind == "twice":
        parent.insert(place, copy.deepcopy(parent[place]))
    else:
        parent[place] = _value(str(place), parent[place], kind)


def _spoil_key(parent: dict[str, Any], key: str, kind: str) -> None:
    """Change one pair of a mapping at its place."""
    pairs = list(parent.items())
    parent.clear()
    for name, value in pairs:
        if name != key:
            parent[name] = value
        elif kind in _KEYS:
            parent[_KEYS[kind](key)] = value
        elif kind == "key-twice-then-nothing":
            parent.update({key: value, key + TWIN: type(value)()})
        elif kind == "key-twice-nothing-first":
            parent.update({key + TWIN: type(value)(), key: value})
        elif kind != "deleted":
            parent[key] = _value(key, value, kind)


def _value(key: str, value: Any, kind: str) -> Any:
    if kind in WRONG:
        return copy.deepcopy(WRONG[kind])
    if kind == "as-text":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "wrapped-in-a-list":
        return [value]
    return (_TEXTS.get(kind) or _OTHER[key][kind])(value)
