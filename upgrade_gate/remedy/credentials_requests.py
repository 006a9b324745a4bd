"""The requests that a release really applies, as files for ccoctl.

ccoctl takes every file of a folder and filters little (docs/facts/cco.md#what-ccoctl-takes), so what is deleted, gated
or of another platform must not be there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.contract import remedy
from upgrade_gate.clouds.contract.remedy import yaml_file
from upgrade_gate.requests.inclusion import FEATURE_GATE, FEATURE_SET

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from upgrade_gate.requests.update import Hop

_ONLY_VALUE = "TechPreviewNoUpgrade"
"""The one value of the annotation with which ccoctl takes a request, given --enable-tech-preview."""


def gaps(hop: Hop) -> tuple[str, ...]:
    """Return why the target was not read whole, one line for each reason: a request may be missing or be unclear."""
    found = [f"{u.location.file}: {u.reason}" for u in hop.new.unreadable if not u.harmless]
    found += [f"{m.location.file}: {m.reason}" for side, m in hop.malformed if side == "to"]
    found += [f"{c.request}: {c.detail}" for c in hop.new_selection.conflicts]
    return tuple(found)


def request_files(hop: Hop, *, only: Collection[str] | None = None) -> Mapping[str, bytes]:
    """Return the target's requests as files for ccoctl, by file name; `only` limits them to some of these requests.

    Deleted, gated and foreign ones are not selected: ccoctl does not filter them itself.
    """
    bodies = {m.location: m.body for m in hop.new.manifests if m.body is not None}
    unclear = {c.request for c in hop.new_selection.conflicts}
    wanted = {
        name: selected
        for name, selected in hop.new_selection.requests.items()
        if name not in unclear and (only is None or name in only)
    }
    names = remedy.file_names({name: name.replace("/", "-") for name in wanted})
    files: dict[str, bytes] = {}
    for name, selected in wanted.items():
        place = selected.locations[0]
        source = f"{hop.new.version}: {place.file}, document {place.document}"
        file = yaml_file(f"{names[name]}.yaml", bodies[place], comment=source)
        files[file.name] = file.content
    return files


def tech_preview(hop: Hop) -> tuple[bool, tuple[str, ...]]:
    """Return whether ccoctl needs --enable-tech-preview, and the requests that it drops all the same."""
    key = FEATURE_GATE if hop.new.minor < (4, 12) else FEATURE_SET
    marked = {
        name: value
        for name, selected in hop.new_selection.requests.items()
        if (value := (selected.request.annotations or {}).get(key)) is not None
    }
    dropped = tuple(sorted(name for name, value in marked.items() if value != _ONLY_VALUE))
    return any(value == _ONLY_VALUE for value in marked.values()), dropped
