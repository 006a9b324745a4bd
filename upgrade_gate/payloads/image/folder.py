"""Find the release-manifests folder among relative file names, and read files of a folder without leaving it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.base.paths import exists, expanded
from upgrade_gate.payloads.reference import IMAGE_REFERENCES, MANIFEST_SUFFIXES, RELEASE_MANIFESTS, RELEASE_METADATA
from upgrade_gate.reading.files import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from upgrade_gate.reading.limits import Limits

_MAX_DEPTH = 8
"""working-dir/hold-release/ocp-release/4.15.3-x86_64/release-manifests is the deepest known form (oc-mirror v2)."""

Entry = os.DirEntry[str]


def find_roots(names: Iterable[str]) -> list[str]:
    """Return the folders (`""` or ending in `/`) of `names` that each hold the manifests of one release, sorted.

    The folder itself where it has release-metadata; else those below that are named release-manifests or have
    release-metadata; else those with manifests, the folder itself before others.
    """
    manifests: set[str] = set()
    described: set[str] = set()
    named: set[str] = set()
    for name in names:
        folder, slash, base = name.rpartition("/")
        folder += slash
        if base == RELEASE_METADATA:
            described.add(folder)
        if base == IMAGE_REFERENCES or base.endswith(MANIFEST_SUFFIXES):
            manifests.add(folder)
        at = f"/{folder}".find(f"/{RELEASE_MANIFESTS}/")
        if at >= 0:
            named.add(folder[: at + len(RELEASE_MANIFESTS) + 1])
    if "" in described:
        return [""]
    return sorted(named or described or {""} & manifests or manifests)


def find_root(names: Iterable[str], where: str) -> str:
    """Return the one folder of `names` that holds the manifests of a release, as `find_roots` says.

    Raises UsageError where there are several of these, SourceError where there is none.
    """
    names = frozenset(names)
    found = find_roots(names)
    if not found:
        raise SourceError(
            f"{where} holds no manifests", hint="a release-manifests folder has release-metadata and YAML"
        )
    refuse_guesses(found, names, where)
    if len(found) > 1:
        listed = ", ".join(folder.rstrip("/") for folder in found[:10])
        raise UsageError(f"{where} holds {len(found)} releases: {listed}", hint="name one of these folders")
    return found[0]


def refuse_guesses(roots: Sequence[str], names: Collection[str], where: str) -> None:
    """Raise UsageError where several folders hold YAML and none says that it is a release: a dump looks like that."""
    named = any(f"/{root}".endswith(f"/{RELEASE_MANIFESTS}/") for root in roots)
    if len(roots) > 1 and not named and not any(f"{root}{RELEASE_METADATA}" in names for root in roots):
        raise UsageError(
            f"{where} is no release: {len(roots)} of its folders hold YAML, and none has {RELEASE_METADATA}",
            hint="name the folder that holds the manifests; a dump of a cluster belongs to --cluster",
        )


def walk(folder: Path, limits: Limits) -> Iterator[tuple[str, Entry]]:
    """Yield every entry below a folder that is no folder itself, with its relative name; links are not followed.

    Names that begin with a dot are left out. Raises SourceError where something cannot be listed, or is too much.
    """
    pending = [(str(folder), "", 0)]
    count = 0
    while pending:
        path, prefix, depth = pending.pop()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    count += 1
                    if count > limits.entries:
                        raise SourceError(
                            f"{folder} holds more than {limits.entries} files", hint="name the release's own folder"
                        )
                    if entry.name.startswith("."):
                        continue
                    if not entry.is_dir(follow_symlinks=False):
                        yield prefix + entry.name, entry
                    elif depth < _MAX_DEPTH:
                        pending.append((entry.path, f"{prefix}{entry.name}/", depth + 1))
        except OSError as exc:
            raise SourceError(f"{path}: {exc.strerror}", hint="the folder must be readable") from exc


def open_inside(path: Path | str, shown: str) -> tuple[int, int]:
    """Open a regular file that is no link; returns descriptor and size. Raises SourceError, naming it as `shown`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        if Path(path).is_symlink():
            raise SourceError(f"{shown} is a link; links are not followed", hint="copy the file itself") from exc
        why = "is a socket, no file" if exc.errno == errno.ENXIO else exc.strerror
        raise SourceError(f"{shown}: {why}") from exc
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise SourceError(f"{shown} is not a regular file, it is {kind_of(status.st_mode)}")
    return descriptor, status.st_size


def split_path(target: str) -> tuple[Path, str]:
    """Split `PATH[:TAG]` or `PATH@DIGEST` at the longest path that exists; raises UsageError where none does."""
    cuts = [len(target), *(i for i in range(len(target) - 1, 0, -1) if target[i] in ":@")]
    for cut in cuts:
        path = expanded(target[:cut])
        if exists(path):
            return path, target[cut + 1 :]
    raise UsageError(f"{target}: no such file or folder")
