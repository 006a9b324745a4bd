"""How YAML and JSON from outside become plain data: every document with its line, within caps, nothing executed.

YAML is built straight from the parser's events. PyYAML's own composer recurses in C and takes the process down on
deep nesting, and it shares aliased objects, so that an alias bomb goes off in whoever walks the result; here depth
and size, aliases expanded, are counted before an object is made.

Scalars resolve as sigs.k8s.io/yaml (YAML 1.1) has them: `yes` and `010` do, `12:30` and dates stay strings.
"""

from __future__ import annotations

import codecs
import json
import re
from math import isinf
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.errors import ManifestError
from upgrade_gate.reading.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DEFAULT = Limits()
TOO_DEEP = "maximum nesting depth"
"""What libyaml from 0.2.6 on says of nesting that it refuses by itself, far beyond our own limit."""
_TAG = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9_]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
_NUMBER_STARTS = frozenset("0123456789+-.")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class DocumentError(ManifestError):
    """A document cannot be read; the place stands in the message and in `line` (from 1) and `document` (from 0)."""

    def __init__(self, name: str, problem: str, *, line: int = 1, document: int = 0) -> None:
        super().__init__(f"{name}:{line}: {problem}")
        self.problem = problem
        self.line = line
        self.document = document


class Parsed(Struct, frozen=True):
    """One document. Aliases of one anchor share one object: treat the body as read-only."""

    body: Any
    document: int
    """Number in the file, from 0; empty documents count, but are not returned."""
    line: int
    """Line of its first content, from 1."""
    duplicate_keys: tuple[str, ...] = ()
    """Paths (`spec.secretRef.name`, `spec.list[2].key`) of keys that stand twice with differing values."""


def parse(data: bytes, name: str, *, limits: Limits = _DEFAULT, functions: bool = False) -> tuple[Parsed, ...]:
    """Return every document that is not empty, of YAML or JSON, whatever the name's extension.

    In both the last of two equal keys wins. Raises DocumentError, naming file and line, for what is no UTF-8 or
    UTF-16 text, no YAML or JSON, too large, too deep, expands too far, or carries a tag outside the JSON types.
    `functions`: a local tag is a function of CloudFormation, and `!Sub text` reads as `{"Fn::Sub": "text"}`.
    """
    text = decode(data, name, limits=limits)
    if text.lstrip()[:1] in ("{", "["):
        try:
            return tuple(_parse_json(text, name, limits))
        except ValueError as exc:  # YAML's flow style starts the same way
            if name.endswith(".json"):
                raise DocumentError(name, f"not JSON: {exc}", line=getattr(exc, "lineno", 1)) from exc
    return tuple(_parse_yaml(text, name, limits, functions=functions))


def parse_one(data: bytes, name: str, *, limits: Limits = _DEFAULT) -> Parsed:
    """Return the only document; raises DocumentError where there is none, or a second one."""
    found = parse(data, name, limits=limits)
    if not found:
        raise DocumentError(name, "holds no document")
    if len(found) > 1:
        raise DocumentError(
            name, "a second document starts here; one is expected", line=found[1].line, document=found[1].document
        )
    return found[0]


def decode(data: bytes, name: str, *, limits: Limits = _DEFAULT) -> str:
    """Return the text of UTF-8 or, by its byte order mark, UTF-16 or UTF-32 data.

    Raises DocumentError for other bytes, NUL characters and what exceeds `limits.file`.
    """
    if len(data) > limits.file:
        raise DocumentError(name, f"{len(data)} bytes, more than the {limits.file} that are read of one file")
    encoding, skip = next(((e, len(bom)) for bom, e in _BOMS if data.startswith(bom)), ("utf-8", 0))
    try:
        text = data[skip:].decode(encoding) if skip else data.decode(encoding)
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise DocumentError(name, f"byte {exc.start + skip} is not {encoding.upper()} text", line=line) from exc
    if (nul := text.find("\0")) >= 0:
        raise DocumentError(name, "holds a NUL character, so it is not text", line=text.count("\n", 0, nul) + 1)
    return text


# --- JSON ---


def _parse_json(text: str, name: str, limits: Limits) -> Iterator[Parsed]:
    """Yield each of the JSON values that follow one another; raises ValueError where the text is not JSON."""
    at, number, line, counted = 0, 0, 1, 0
    length = len(text)
    while True:
        while at < length and text[at] in " \t\r\n":
            at += 1
        if at == length:
            return
        line += text.count("\n", counted, at)
        counted = at
        repeated: list[tuple[dict[str, Any], str]] = []
        too_deep = DocumentError(name, f"nested deeper than {limits.depth} levels", line=line, document=number)
        try:
            body, at = _json_decoder(repeated).raw_decode(text, at)
        except RecursionError as exc:
            raise too_deep from exc
        if is_deeper(body, limits.depth):
            raise too_deep
        if "\\ud" in text or "\\uD" in text:
            _check_text(body, name, line, number)
        if body is not None:
            yield Parsed(body, number, line, tuple(sorted(_paths(body, repeated))) if repeated else ())
        number += 1


def _json_decoder(repeated: list[tuple[dict[str, Any], str]]) -> json.JSONDecoder:
    """Return a decoder that notes the objects in which a key appears twice with differing values."""

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) != len(pairs):
            repeated.extend((built, key) for key in built if any(k == key and v != built[key] for k, v in pairs))
        return built

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is not a JSON number")

    def number(text: str) -> float:
        return refuse(text) if isinf(found := float(text)) else found  # as Go's encoding/json

    return json.JSONDecoder(object_pairs_hook=build, parse_constant=refuse, parse_float=number)


def _check_text(body: Any, name: str, line: int, number: int) -> None:
    """Raise DocumentError for half of a surrogate pair: no output could hold it."""
    try:
        json.dumps(body, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise DocumentError(name, "holds half of a surrogate pair", line=line, document=number) from exc


def is_deeper(body: Any, depth: int) -> bool:
    """Return whether containers stand deeper than `depth`; level by level, without recursion."""
    level = [body] if isinstance(body, (dict, list)) else []
    for _ in range(depth):
        if not level:
            return False
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
    return bool(level)


def _paths(body: Any, repeated: list[tuple[dict[str, Any], str]]) -> set[str]:
    """Return the paths of the noted keys that are still part of the document."""
    wanted: dict[int, list[str]] = {}
    for owner, key in repeated:
        wanted.setdefault(id(owner), []).append(key)
    found: set[str] = set()
    pending: list[tuple[Any, str]] = [(body, "")]
    while pending:
        value, path = pending.pop()
        if isinstance(value, dict):
            found.update(_join(path, key) for key in wanted.get(id(value), ()))
            pending.extend((child, _join(path, key)) for key, child in value.items())
        elif isinstance(value, list):
            pending.extend((child, f"{path}[{i}]") for i, child in enumerate(value))
    return found


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


# --- YAML ---


class _Container:
    """A mapping or sequence under construction."""

    __slots__ = ("anchor", "depth", "function", "height", "key", "merges", "path", "size", "value")

    def __init__(self, value: Any, anchor: str | None, path: str, size: int, function: str | None) -> None:
        self.value = value
        self.function = function
        self.anchor = anchor
        self.path = path
        self.size = size
        """Nodes of the document before this one: the difference at the end is its own size."""
        self.height = 1
        self.key: str | None = None
        self.merges: list[Any] = []


class _Merge(str):
    """The key `<<` of a mapping, written plain."""

    __slots__ = ()


_MERGE = _Merge("<<")


class _Builder:
    """Build the documents of one YAML stream from its events."""

    def __init__(self, name: str, limits: Limits, *, functions: bool) -> None:
        self.name = name
        self.limits = limits
        self.functions = functions
        self.document = -1
        self._reset()

    def _reset(self) -> None:
        self.stack: list[_Container] = []
        self.anchors: dict[str, tuple[Any, int, int]] = {}
        """Finished anchored nodes: value, nodes, levels."""
        self.open_anchors: set[str] = set()
        self.nodes = 0
        self.expanded = 0
        """Those of the nodes that only aliases and merges bring."""
        self.duplicates: set[str] = set()
        self.root: Any = None
        self.line = 0

    def documents(self, text: str) -> Iterator[Parsed]:
        """Yield the documents that are not empty."""
        import yaml  # JSON needs none of it

        loader = yaml.CSafeLoader(text.encode("utf-8"))
        next_event: Callable[[], Any] = loader.get_event
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._sequence,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
        }
        try:
            while True:
                event = next_event()
                kind = type(event)
                if (handler := handlers.get(kind)) is not None:
                    try:
                        handler(event)
                    except ValueError as exc:  # infinite, not a number, or thousands of digits
                        raise self.fail(str(exc), event) from exc
                elif kind is yaml.DocumentStartEvent:
                    self.document += 1
                    self._reset()
                elif kind is yaml.DocumentEndEvent:
                    if self.root is not None:
                        yield Parsed(self.root, self.document, self.line, tuple(sorted(self.duplicates)))
                elif kind is yaml.StreamEndEvent:
                    return
        finally:
            loader.dispose()

    def fail(self, problem: str, event: Any) -> DocumentError:
        """Return the error for a problem at an event."""
        return DocumentError(self.name, problem, line=event.start_mark.line + 1, document=max(self.document, 0))

    def _scalar(self, event: Any) -> None:
        self.nodes += 1
        tag = event.tag
        if tag is None:
            value = resolve(event.value) if event.implicit[0] else event.value
        elif tag == "!":
            value = event.value
        elif function := self._function(tag):
            value = {function: event.value}
        else:
            value = self._tagged(event, tag)
        if value is _MERGE and (not self.stack or type(self.stack[-1].value) is list or self.stack[-1].key is not None):
            value = "<<"
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, 1, 0)
        self._add(value, event)

    def _tagged(self, event: Any, tag: str) -> Any:
        """Return the value of a scalar with an explicit tag of the JSON types."""
        text: str = event.value
        match tag.removeprefix(_TAG):
            case "str" | "value" | "timestamp":
                return text
            case "null" | "bool" | "int" | "float" | "merge" as kind:
                value, found = resolve(text), tag_of(text).removeprefix(_TAG)
                if kind == "float" and found == "int":
                    return float(value)
                if kind == found:
                    return value
                raise self.fail(f"{text!r} is no {kind}", event)
            case _:
                raise self.fail(f"the tag {tag} is not allowed", event)

    def _function(self, tag: str | None) -> str | None:
        """Return the function that a local tag stands for (CloudFormation user guide, intrinsic functions)."""
        if not self.functions or tag is None or not tag[1:].isalnum() or tag[0] != "!":
            return None
        return tag[1:] if tag in ("!Ref", "!Condition") else f"Fn::{tag[1:]}"

    def _mapping(self, event: Any) -> None:
        self._begin({}, event, "map")

    def _sequence(self, event: Any) -> None:
        self._begin([], event, "seq")

    def _begin(self, value: Any, event: Any, kind: str) -> None:
        function = self._function(event.tag)
        if not function and event.tag not in (None, "!", _TAG + kind):
            raise self.fail(f"the tag {event.tag} is not allowed", event)
        self.nodes += 1
        path = self._path()
        if len(self.stack) >= self.limits.depth:
            raise self.fail(f"nested deeper than {self.limits.depth} levels", event)
        if self.stack and type(self.stack[-1].value) is dict and self.stack[-1].key is None:
            raise self.fail("a mapping or list is used as a key", event)
        if event.anchor is not None:
            self.open_anchors.add(event.anchor)
        if not self.stack:
            self.line = event.start_mark.line + 1
        self.stack.append(_Container(value, event.anchor, path, self.nodes - 1, function))

    def _path(self) -> str:
        """Return the path of the node that comes next."""
        if not self.stack:
            return ""
        parent = self.stack[-1]
        if type(parent.value) is list:
            return f"{parent.path}[{len(parent.value)}]"
        return _join(parent.path, parent.key or "")

    def _end(self, event: Any) -> None:
        done = self.stack.pop()
        value = done.value
        if done.merges:
            value = self._merged(done, event)
        if done.function:
            value = {done.function: value}
        if done.anchor is not None:
            self.open_anchors.discard(done.anchor)
            self.anchors[done.anchor] = (value, self.nodes - done.size, done.height)
        if self.stack:
            self.stack[-1].height = max(self.stack[-1].height, done.height + 1)
        self._add(value, event)

    def _merged(self, done: _Container, event: Any) -> dict[str, Any]:
        """Return the mapping with its `<<` filled in: own keys win, then the earlier source."""
        result: dict[str, Any] = {}
        for source in reversed([s for merge in done.merges for s in (merge if type(merge) is list else [merge])]):
            if type(source) is not dict:
                raise self.fail("a `<<` key needs a mapping, or a list of mappings", event)
            self._expand(len(source), event)
            result.update(source)
        result.update(done.value)
        return result

    def _alias(self, event: Any) -> None:
        anchor = event.anchor
        if anchor in self.open_anchors:
            raise self.fail(f"the alias *{anchor} stands inside its own anchor", event)
        if anchor not in self.anchors:
            raise self.fail(f"the alias *{anchor} has no anchor", event)
        value, nodes, levels = self.anchors[anchor]
        self._expand(nodes, event)
        if len(self.stack) + levels > self.limits.depth:
            raise self.fail(f"nested deeper than {self.limits.depth} levels, aliases expanded", event)
        self.stack[-1].height = max(self.stack[-1].height, levels + 1)
        self._add(value, event)

    def _expand(self, nodes: int, event: Any) -> None:
        """Count nodes that an alias stands for."""
        self.nodes += nodes
        self.expanded += nodes
        if self.expanded > self.limits.nodes:
            raise self.fail(f"more than {self.limits.nodes} nodes once its aliases are expanded", event)

    def _add(self, value: Any, event: Any) -> None:
        """Put a finished value where it belongs."""
        if not self.stack:
            self.root = value
            self.line = self.line or event.start_mark.line + 1
            return
        parent = self.stack[-1]
        if type(parent.value) is list:
            parent.value.append(value)
        elif parent.key is None:
            parent.key = value if type(value) in (str, _Merge) else self._key(value, event)
        elif parent.key is _MERGE:
            parent.merges.append(value)
            parent.key = None
        else:
            key = parent.key
            if key in parent.value and parent.value[key] != value:
                self.duplicates.add(_join(parent.path, key))
            parent.value[key] = value
            parent.key = None

    def _key(self, value: Any, event: Any) -> str:
        """Return a key that is no string as JSON would have it (sigs.k8s.io/yaml convertToJSONableObject)."""
        match value:
            case bool():
                return "true" if value else "false"
            case int() | float():
                return str(value)
            case _:
                raise self.fail("null, a mapping or a list is used as a key", event)


def resolve(text: str) -> Any:
    """Return the value of a plain YAML scalar; raises ValueError for what JSON cannot hold."""
    if text in _WORDS:
        return _WORDS[text]
    if text == "<<":
        return _MERGE
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return text if isinf(number) else number  # go-yaml: what float64 cannot hold is text, as 7e1234567 of a hash
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a JSON number")
    return text


def tag_of(text: str) -> str:
    """Return the tag of a plain YAML scalar: what `resolve` takes it for, text where JSON cannot hold it."""
    try:
        value = resolve(text)
    except ValueError:
        value = text
    kind = "merge" if value is _MERGE else "null" if value is None else type(value).__name__
    return _TAG + kind


def _integer(text: str) -> int:
    digits = text.replace("_", "").lower()
    bare = digits.lstrip("+-")
    if len(bare) > 1 and bare[0] == "0" and bare[1].isdigit():
        return int(digits, 8)
    return int(digits, 0)


def _parse_yaml(text: str, name: str, limits: Limits, *, functions: bool) -> Iterator[Parsed]:
    """Yield the documents of YAML text."""
    import yaml

    builder = _Builder(name, limits, functions=functions)
    try:
        yield from builder.documents(text)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        line = mark.line + 1 if mark else 1
        problem = " ".join(part for part in (exc.context, exc.problem) if part) or "not YAML"
        if TOO_DEEP in problem:
            problem = f"nested deeper than {limits.depth} levels"
        raise DocumentError(name, problem, line=line, document=max(builder.document, 0)) from exc
    except yaml.YAMLError as exc:
        raise DocumentError(name, f"not YAML: {' '.join(str(exc).split())}", document=max(builder.document, 0)) from exc
