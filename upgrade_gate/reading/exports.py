"""Files that the clouds' own command lines wrote: bytes to parsed documents, whatever shell redirected them.

A file may hold one JSON document, several after one another (pages), or YAML (what gcloud prints by default), as
UTF-8 with or without a byte order mark or as UTF-16 (PowerShell's `>`), compressed by gzip or not. Nothing is judged
by a file's name.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import logging
import zlib
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.base.paths import exists, is_dir
from upgrade_gate.reading import yaml
from upgrade_gate.reading.files import read_file
from upgrade_gate.reading.limits import Limits
from upgrade_gate.reading.long_lists import parse_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_logger = logging.getLogger(__name__)

MAX_BYTES = 256 * 2**20
"""The details of one AWS account with 5,000 roles are about 60 MB."""
MAX_FILES = 20_000
_LIMITS = Limits(nodes=0)
"""Of YAML; no alias is expanded, for no command line prints one."""
_TEXT_LIMITS = Limits(file=2 * MAX_BYTES)
"""Of text of any kind: the bytes were counted before, unpacked."""
LARGE = 8 * 2**20
"""Characters from which on the lists of an export are kept as text."""
_GZIP = b"\x1f\x8b"
_CUT_LINES = 3
"""Lines at the end that a cut may have broken, and at the beginning that may be a command's own words."""


class ExportFile(Struct, frozen=True):
    """One file of an export."""

    name: str
    """Relative to the path that was given."""
    sha256: str
    modified: float
    """Seconds since the epoch."""
    bodies: tuple[Any, ...] = ()
    problem: str | None = None
    """Why the file, or the rest of it, could not be read; what was read before the fault stands in `bodies`."""
    size: int = 0
    """Bytes."""


def read(path: Path, lists: Mapping[str, tuple[str, ...]] | None = None) -> tuple[ExportFile, ...]:
    """Return every file of an export, sorted by name.

    `lists` names the lists that may be long, and the fields by which their elements are chosen: in a large file they
    are kept as text (`long_lists`).

    Raises UsageError where the path does not exist, EntitlementError where it is a folder without any file. A file
    that cannot be read is returned with its problem: its content is unknown, not absent.
    """
    if not exists(path):
        raise UsageError(f"{path}: no such file or folder", hint="--identities export:PATH needs an export")
    if is_dir(path):
        names = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if _counts(p) and not _hidden(p, path))
        if not names:
            raise EntitlementError(
                f"{path}: the folder holds no file", hint="put there what the cloud's own CLI prints as JSON"
            )
        if len(names) > MAX_FILES:
            raise EntitlementError(f"{path}: holds {len(names)} files, more than {MAX_FILES}")
        return tuple(_file(path / name, name, lists or {}) for name in names)
    return (_file(path, path.name, lists or {}),)


def _counts(path: Path) -> bool:
    """Return whether something is no folder: a pipe, or a link to anything, hides what is unknown."""
    return path.is_symlink() or not path.is_dir()


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _file(path: Path, name: str, lists: Mapping[str, tuple[str, ...]]) -> ExportFile:
    if path.is_symlink() and path.is_dir():
        return ExportFile(name, "", 0.0, problem=f"{name}: a link to a folder, which is not followed")
    try:
        stat = path.stat()
        digest, text, problem = _load(path)
    except OSError as exc:
        return ExportFile(name, "", 0.0, problem=f"{name}: {exc.strerror or exc}")
    if text is None and problem is None:
        return ExportFile(name, digest, stat.st_mtime, problem=f"{name}: larger than {MAX_BYTES} bytes")
    bodies: tuple[Any, ...] = ()
    if text is not None:
        bodies, problem = _documents(text, lists)
    if problem is not None:
        _logger.warning("%s: %s", name, problem)
        problem = f"{name}: {problem}"
    return ExportFile(name, digest, stat.st_mtime, bodies, problem, stat.st_size)


def _load(path: Path) -> tuple[str, str | None, str | None]:
    """Return SHA-256 and text of a file, or what is wrong with it; neither where it is larger than the bound.

    Its bytes are let go before the text is parsed.
    """
    data = read_file(path, MAX_BYTES + 1)
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > MAX_BYTES:
        return digest, None, None
    return digest, *_text(data)


def parse(data: bytes) -> tuple[tuple[Any, ...], str | None]:
    """Return the documents of a file's bytes, and what went wrong after the last of them (None: nothing).

    Text that is neither JSON nor YAML (a script, a note) is one document, which no cloud will recognise.
    """
    text, problem = _text(data)
    return ((), problem) if text is None else _documents(text, {})


def _text(data: bytes) -> tuple[str | None, str | None]:
    if data.startswith(_GZIP):
        data, problem = _unzip(data)
        if problem is not None:
            return None, problem
    text = _decode(data)
    return (None, "neither UTF-8 nor UTF-16 text") if text is None else (text, None)


def _documents(text: str, lists: Mapping[str, tuple[str, ...]]) -> tuple[tuple[Any, ...], str | None]:
    stripped = text.lstrip()
    if not stripped:
        return (), (
            "empty: what should have written it may have failed, or gcloud had an empty list to print "
            "(it prints one with --format=json)"
        )
    if stripped[0] == "{" and lists and len(stripped) >= LARGE and (body := _large(stripped, lists)) is not None:
        return (body,), None
    if stripped[0] in "[{":
        return _json(stripped)
    try:
        bodies, problem = _yaml(text)
        if problem is None:
            return bodies, None
        if _was_yaml(text):
            return (), problem
        return ((), "other text stands before what was exported") if _follows_text(text) else ((text,), None)
    except _KeyTwiceError as exc:
        return (), str(exc)


def _large(text: str, lists: Mapping[str, tuple[str, ...]]) -> dict[str, Any] | None:
    """Return the object that a large text is; None where something is wrong with it, which `_json` then says."""
    try:
        return parse_object(text, lists, json.JSONDecoder(object_pairs_hook=_once), _check_depth)
    except (ValueError, RecursionError, IndexError):
        return None


def _check_depth(value: Any) -> None:
    if yaml.is_deeper(value, _LIMITS.depth - 2):
        raise ValueError("nested too deep")


def _unzip(data: bytes) -> tuple[bytes, str | None]:
    """Return what gzip compressed, all members of it, never more than the bound."""
    found = bytearray()
    while data:
        member = zlib.decompressobj(wbits=31)
        try:
            found += member.decompress(data, MAX_BYTES + 1 - len(found))
        except zlib.error:
            return b"", "gzip that cannot be unpacked"
        if len(found) > MAX_BYTES:
            return b"", f"larger than {MAX_BYTES} bytes when unpacked"
        if not member.eof:
            return b"", "gzip that is cut off"
        data = member.unused_data.lstrip(b"\0")
    return bytes(found), None


class _KeyTwiceError(ValueError):
    """An object in which one value would hide another: nobody knows which one counts."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} appears twice with differing values")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys have one value each."""
    found = dict(pairs)
    if len(found) != len(pairs):
        for key, value in pairs:
            if found[key] != value:
                raise _KeyTwiceError(key)
    return found


def _was_yaml(text: str) -> bool:
    """Return whether text would be an export without its last lines: it is cut off then, and no note or script."""
    lines = text.splitlines(keepends=True)
    for kept in range(len(lines) - 1, max(0, len(lines) - 1 - _CUT_LINES), -1):
        bodies, problem = _yaml("".join(lines[:kept]))
        if problem is None:
            return any(_is_nested(body) for body in bodies)
    return False


def _follows_text(text: str) -> bool:
    """Return whether text would be an export without its first lines: warnings that a command wrote to its output."""
    lines = text.splitlines(keepends=True)
    for skipped in range(1, min(len(lines), _CUT_LINES + 1)):
        rest = "".join(lines[skipped:]).lstrip()
        bodies, problem = _json(rest) if rest[:1] in ("[", "{") else _yaml(rest)
        if problem is None and any(_is_nested(body) for body in bodies):
            return True
    return False


def _is_nested(body: Any) -> bool:
    """Return whether a document has a list or an object in it, as all exports have and hardly any prose."""
    values = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return any(isinstance(value, dict | list) for value in values)


def _decode(data: bytes) -> str | None:
    """Return the text; UTF-16 that lost its byte order mark shows by the zero of its first letter."""
    head = data[:4]
    if len(head) == 4 and head[1] == 0 and head[0]:
        data = codecs.BOM_UTF16_LE + data
    elif len(head) == 4 and head[0] == 0 and head[1]:
        data = codecs.BOM_UTF16_BE + data
    try:
        return yaml.decode(data, "export", limits=_TEXT_LIMITS)
    except yaml.DocumentError:
        return None


def _json(text: str) -> tuple[tuple[Any, ...], str | None]:
    decoder = json.JSONDecoder(object_pairs_hook=_once)
    bodies: list[Any] = []
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n,\ufeff\x1e":
            at += 1
        if at == len(text):
            return tuple(bodies), None
        try:
            body, at = decoder.raw_decode(text, at)
        except _KeyTwiceError as exc:
            return tuple(bodies), str(exc)
        except (ValueError, RecursionError) as exc:
            try:
                if not bodies and text[0] == "{" and (found := _yaml(text))[0]:
                    return found
            except _KeyTwiceError as twice:
                return (), str(twice)
            reason = "nested too deep" if isinstance(exc, RecursionError) else "not JSON, or cut off"
            line = text.count("\n", 0, at) + 1
            return tuple(bodies), f"{reason} in the document that begins in line {line}"
        if yaml.is_deeper(body, _LIMITS.depth):
            return tuple(bodies), f"nested deeper than {_LIMITS.depth}"
        bodies.append(body)


def _yaml(text: str) -> tuple[tuple[Any, ...], str | None]:
    """Return the documents of YAML text: scalars mean what they mean everywhere else here.

    Raises _KeyTwiceError where the last of two keys would win.
    """
    try:
        found = yaml.parse(text.encode(), "export", limits=_LIMITS)
    except yaml.DocumentError as exc:
        return (), f"neither JSON nor YAML, or cut off: {exc.problem}"
    for parsed in found:
        if parsed.duplicate_keys:
            raise _KeyTwiceError(parsed.duplicate_keys[0])
    return tuple(parsed.body for parsed in found), None
