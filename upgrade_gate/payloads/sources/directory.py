"""Read a release from a folder of manifests, or a folder that contains one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.base.paths import exists, expanded, is_dir
from upgrade_gate.payloads.image.folder import find_root, open_inside, walk
from upgrade_gate.payloads.reference import ReleaseFiles, is_payload_file, misnamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.payloads.image.folder import Entry
    from upgrade_gate.payloads.reference import Reference, Settings
    from upgrade_gate.reading.limits import Limits


SCHEMES: tuple[str, ...] = ("dir",)


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the manifests of what `oc adm release extract --to` writes, of oc-mirror's hold-release, and the like."""
    folder = expanded(reference.target)
    if not exists(folder):
        raise UsageError(
            f"{reference.target}: no such folder", hint="name the folder that oc adm release extract wrote"
        )
    if not is_dir(folder):
        raise UsageError(f"{reference.target} is not a folder", hint=f"for a file write archive:{reference.target}")
    found = dict(walk(folder, settings.limits))
    root = find_root(found, reference.target)
    names = (name.removeprefix(root) for name in sorted(found) if name.startswith(root))
    return ReleaseFiles(
        reference=reference.text,
        files=_read(found, root, reference.target, settings.limits),
        verification="a folder of manifests has no digest that could be signed",
        damage=tuple(misnamed(names)),
    )


def _read(found: Mapping[str, Entry], root: str, shown: str, limits: Limits) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for name in sorted(found):
        if not name.startswith(root):
            continue
        entry = found[name]
        if entry.is_symlink():
            raise SourceError(f"{shown}/{name} is a link; links are not followed", hint="copy the file itself")
        if not is_payload_file(name[len(root) :]):
            continue
        content = _content(entry.path, f"{shown}/{name}", limits)
        total += len(content)
        if total > limits.unpacked:
            raise SourceError(f"{shown} holds more than the {limits.unpacked} bytes that are read of one release")
        files[name[len(root) :]] = content
    return files


def _content(path: str, shown: str, limits: Limits) -> bytes:
    descriptor, size = open_inside(path, shown)
    try:
        if size > limits.file:
            raise SourceError(f"{shown}: {size} bytes, more than the {limits.file} that are read of one file")
        content = os.read(descriptor, size + 1)
        while 0 < len(content) < size and (more := os.read(descriptor, size + 1 - len(content))):
            content += more
    except OSError as exc:
        raise SourceError(f"{shown}: {exc.strerror}") from exc
    finally:
        os.close(descriptor)
    if len(content) != size:
        raise SourceError(f"{shown} changed while it was read", hint="run again when nothing writes there")
    return content
