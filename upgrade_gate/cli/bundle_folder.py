"""How a remediation bundle reaches its folder: a new or empty one, or one that holds an earlier bundle as it was.

SHA256SUMS is written first and names every file, so a bundle that was cut off is known as one and can be made anew.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from upgrade_gate.base.errors import OutputError, UsageError
from upgrade_gate.base.paths import exists
from upgrade_gate.cli import input_paths, stdout
from upgrade_gate.remedy.bundle import CHECKSUMS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from upgrade_gate.cli.options import OutputOptions

_ENTRY = re.compile(r"([0-9a-f]{64})  (.+)")
_TEMPORARY = re.compile(r"\.(.+)\.[a-z0-9_]{8}")
_MOST = 1 << 20


def check(directory: Path, *, beside: OutputOptions | None = None) -> tuple[str, ...]:
    """Return the files of the earlier bundle that stands in a folder, none where it is new or empty.

    Raises UsageError where the folder holds anything else, or an earlier bundle in which somebody filled something in:
    nothing of it may be lost. `beside` is what else the run writes: nothing of that may lie in the bundle's folder.
    """
    for output in beside.outputs if beside else ():
        if output.path is not None and directory.resolve() in output.path.resolve().parents:
            raise UsageError(f"{output.path} lies in the folder of the bundle", hint="write the report elsewhere")
    stdout.check_folder(directory)
    input_paths.refuse(directory)
    if not exists(directory):
        return ()
    present = sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if not p.is_dir() or p.is_symlink())
    if not present:
        return ()
    sums = _sums(directory)
    for name in present:
        path = directory / name
        if name == CHECKSUMS:
            continue
        unfinished = _unfinished(path, directory) in {CHECKSUMS, *sums}
        if not (unfinished or name in sums) or path.is_symlink() or not path.is_file():
            raise UsageError(
                f"{directory} is not empty, and {name} is not part of an earlier bundle", hint="name a new folder"
            )
        if not unfinished and hashlib.sha256(path.read_bytes()).hexdigest() != sums[name]:
            raise UsageError(
                f"{directory}/{name} was changed since the bundle was made",
                hint="move the bundle away, or name a new folder",
            )
    return tuple(present)


def _unfinished(path: Path, directory: Path) -> str | None:
    """Return the file that a killed run was writing under this name (`stdout.write_file`), relative to the folder."""
    found = _TEMPORARY.fullmatch(path.name)
    return str((path.parent / found.group(1)).relative_to(directory)) if found else None


def checksums(files: Mapping[str, bytes]) -> bytes:
    """Return the content of SHA256SUMS for these files."""
    return "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def _sums(directory: Path) -> Mapping[str, str]:
    path = directory / CHECKSUMS
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST:
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    sums = {entry.group(2): entry.group(1) for line in lines if (entry := _ENTRY.fullmatch(line)) is not None}
    for name in [name for name in sums if name.endswith(f"/{CHECKSUMS}")]:  # a bundle within the bundle of a fleet
        folder = name.removesuffix(CHECKSUMS)
        sums |= {f"{folder}{inner}": digest for inner, digest in _sums(directory / folder).items()}
    return sums


def write(files: Mapping[str, bytes], directory: Path) -> None:
    """Write a bundle, each file whole and readable by its owner alone; an earlier bundle makes room.

    Raises UsageError as `check` does, OutputError where a file cannot be written.
    """
    earlier = check(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in earlier:
            if name != CHECKSUMS and name not in files:
                (directory / name).unlink()
        for folder in sorted({(directory / name).parent for name in earlier}, reverse=True):
            if folder != directory and not any(folder.iterdir()):
                folder.rmdir()
        for name in sorted(files, key=lambda n: (n != CHECKSUMS, n)):
            path = directory / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stdout.write_file(path, files[name], mode=0o600)
    except OSError as error:
        raise OutputError(
            f"{directory}: {error.strerror or error}",
            hint="the bundle was not written whole; make room, or name another folder",
        ) from error
