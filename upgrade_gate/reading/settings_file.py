"""Files that people write by hand, YAML or JSON: every value with its line, nothing accepted that was not meant.

Configuration and acknowledgements decide what the gate lets pass. A misspelt key, a key that appears twice or a
value of the wrong kind is therefore an error that names file and line, never something to skip.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.errors import ConfigurationError, UsageError
from upgrade_gate.base.text import sentence
from upgrade_gate.reading.files import read_file
from upgrade_gate.reading.yaml import TOO_DEEP, tag_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_BYTES = 4 * 2**20
MAX_DEPTH = 20
_NOT_YAML = "look for a tab, a bracket or a quote that is not closed, there or just before"
"""No file of ours nests deeper; libyaml's own recursion ends the process at about 20,000."""

_SURROGATES = re.compile(rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
"""How JSON writers spell characters beyond the basic plane; YAML has no such pairs."""

_TAGS = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "number",
    "tag:yaml.org,2002:float": "number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:seq": "list",
    "tag:yaml.org,2002:map": "mapping",
    "tag:yaml.org,2002:value": "text",
}


class Value(Struct, frozen=True):
    """One value of the file, with its place."""

    node: Any
    """The YAML node."""
    file: str
    where: str = ""
    """What the value is, for messages: `reason`, `policy`."""

    @property
    def line(self) -> int:
        """Line of the file, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def kind(self) -> str:
        """What the value is, in words: text, number, true or false, nothing, list, mapping."""
        return _TAGS.get(self.node.tag, f"of the unknown type {self.node.tag}")

    def error(self, message: str, hint: str | None = None) -> ConfigurationError:
        """Return an error that names file and line; the caller raises it."""
        subject = f"{self.where}: " if self.where else ""
        return ConfigurationError(f"{self.file}:{self.line}: {subject}{message}", hint=hint)

    def written(self) -> str:
        """Return a single value as it is written, whatever YAML takes it for: `off` stays `off`."""
        if self.kind in {"list", "mapping"} or self.kind.startswith("of the"):
            raise self.error(f"must be one value, not {self.kind}")
        return str(self.node.value)

    def text(self) -> str:
        """Return a text as it is written: `4.10` stays `4.10`, and an account number keeps its zeros."""
        if self.kind not in {"text", "number"}:
            raise self.error(f"must be text, not {self.kind}", "put it in quotes" if "true" in self.kind else None)
        value = str(self.node.value)
        if not value.strip():
            raise self.error("must not be empty")
        return value

    def flag(self) -> bool:
        """Return true or false."""
        if self.kind != "true or false":
            raise self.error(f"must be true or false, not {self.kind}")
        return str(self.node.value).lower() in {"true", "yes", "on"}

    def items(self) -> tuple[Value, ...]:
        """Return the elements of a list."""
        if self.kind != "list":
            raise self.error(f"must be a list, not {self.kind}")
        return tuple(Value(n, self.file, self.where) for n in self.node.value)

    def texts(self) -> tuple[str, ...]:
        """Return the texts of a list."""
        return tuple(item.text() for item in self.items())

    def mapping(self) -> dict[str, Value]:
        """Return keys and values of a mapping; a key that appears twice is an error."""
        if self.kind != "mapping":
            raise self.error(f"must be a mapping, not {self.kind}")
        found: dict[str, Value] = {}
        for key, node in self.node.value:
            name = Value(key, self.file, self.where)
            if key.tag == "tag:yaml.org,2002:merge" or name.kind in {"list", "mapping"}:
                raise name.error("a key must be plain text")
            text = str(key.value)
            if text in found:
                raise name.error(f"{text} appears twice; first in line {found[text].line}")
            found[text] = Value(node, self.file, text)
        return found

    def keys(self) -> dict[str, Value]:
        """Return the keys of a mapping by name, each with its place: where the key stands, not its value."""
        return {str(key.value): Value(key, self.file, str(key.value)) for key, _ in self.node.value}

    def fields(self, known: Iterable[str], *, required: Iterable[str] = ()) -> dict[str, Value]:
        """Return a mapping whose keys are known ones; others and missing ones are errors."""
        found = self.mapping()
        names = sorted(known)
        for key, _ in self.node.value:
            if str(key.value) not in names:
                import difflib

                unknown = f"unknown key {str(key.value)!r}"
                close = difflib.get_close_matches(str(key.value), names)
                hint = f"did you mean {' or '.join(close)}?" if close else f"known keys are {', '.join(names)}"
                raise Value(key, self.file, self.where).error(unknown, hint)
        missing = [name for name in required if name not in found]
        if missing:
            raise self.error(f"{sentence(missing)} {'is' if len(missing) == 1 else 'are'} missing")
        return found


def read(path: Path) -> Value | None:
    """Return the root of a file, None where the file holds no value at all.

    Raises UsageError where the file cannot be opened, ConfigurationError where it is not one YAML or JSON document.
    """
    try:
        data = read_file(path, MAX_BYTES + 1)
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror or exc}", hint="name a file that is there and can be read") from exc
    return parse(data, str(path))


def parse(data: bytes, name: str) -> Value | None:
    """Return the root of a document, None where there is none; `name` stands for the file in messages."""
    import yaml

    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{name}: is larger than {MAX_BYTES} bytes")
    data = _SURROGATES.sub(_join_surrogates, data)
    try:
        _check_depth(data, name)
        documents = [node for node in yaml.compose_all(data, Loader=_loader()) if node is not None]
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        if TOO_DEEP in (exc.problem or ""):  # libyaml from 0.2.6 on refuses it before we count
            raise ConfigurationError(f"{name}:{line}: nested deeper than {MAX_DEPTH}") from exc
        raise ConfigurationError(f"{name}:{line}: not YAML: {exc.problem or exc.context}", hint=_NOT_YAML) from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{name}: not YAML: {str(exc).splitlines()[0]}") from exc
    if not documents:
        return None
    if len(documents) > 1:
        raise ConfigurationError(f"{name}:{documents[1].start_mark.line + 1}: a second document; one is expected")
    return Value(documents[0], name)


def _loader() -> Any:
    """Return a loader that takes plain scalars for what every other file of ours takes them for."""
    import yaml

    class Loader(yaml.CSafeLoader):
        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is yaml.ScalarNode and implicit[0]:
                return tag_of(value)
            return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]

    return Loader


def _join_surrogates(pair: re.Match[bytes]) -> bytes:
    high, low = (int(half, 16) for half in pair.groups())
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}".encode()


def _check_depth(data: bytes, name: str) -> None:
    import yaml

    depth = 0
    for event in yaml.parse(data, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise ConfigurationError(f"{name}:{line}: nested deeper than {MAX_DEPTH}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
