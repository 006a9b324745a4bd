"""Which paths of a call are read, so that nothing is written over them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.paths import exists, expanded
from upgrade_gate.cli.configuration import Configuration
from upgrade_gate.cli.option_types import ClusterSource, IdentitiesSource
from upgrade_gate.reading.files import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BEGINNING = 2**16
_RELEASES = ("to", "from_", "via")
_FILES = ("config", "acknowledgements", "kubeconfig", "registry_config", "certificate_authority", "signatures", "graph")
_MORE_FILES = ("idms_file", "icsp_file", "cluster", "identities")


def refuse(output: Path) -> None:
    """Raise UsageError where an output is what this call reads, or lies in a folder that it reads."""
    if not exists(output) and not exists(output.parent):
        return
    place, policies = output.resolve(), _policies(click.get_current_context().params)
    for read in _read(click.get_current_context().params):
        if read.is_file() and place == read.resolve():
            raise UsageError(f"{output} is read by this run, and would be written over", hint="name another file")
        if read.is_dir() and read.resolve() in (place, *place.parents):
            if read.resolve() in policies and not _is_foreign(output):
                continue  # a repository's own folder is where its pipeline works
            raise UsageError(f"{output} lies in {read}, which this run reads", hint="name a place outside of it")


def _policies(values: Mapping[str, Any]) -> set[Path]:
    """Return the folders of policies that this call reads."""
    sources = values.get("identities") or ()
    return {s.path.resolve() for s in sources if isinstance(s, IdentitiesSource) and s.kind == "policies" and s.path}


def _is_foreign(output: Path) -> bool:
    """Return whether a file is there that this program did not write; a report names it near its beginning."""
    if not output.is_file():
        return False
    with open_file(output) as stream:
        return b"upgrade-gate" not in stream.read(_BEGINNING)


def _read(values: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the files and folders that the options name, those that are there."""
    for name in (*_RELEASES, *_FILES, *_MORE_FILES):
        value = values.get(name)
        for each in value if isinstance(value, (tuple, list)) else (value,):
            found = [_path(each, is_release=name in _RELEASES)]
            found += each.identities.policy_files if isinstance(each, Configuration) else ()
            yield from (path for path in found if path is not None and exists(path))


def _path(value: object, *, is_release: bool) -> Path | None:
    if isinstance(value, (ClusterSource, IdentitiesSource)):
        return value.path
    if isinstance(value, str):
        scheme, colon, rest = value.partition(":")
        local = is_release and colon and scheme in ("dir", "archive", "oci", "mirror")
        return expanded(rest if local else value.removeprefix("file://"))
    path = getattr(value, "path", value)  # a configuration, or a path
    return path if isinstance(path, Path) else None
