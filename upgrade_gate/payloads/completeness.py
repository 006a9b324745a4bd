"""Whether the files of a release are all of them: a digest proves it, a folder or a plain archive has none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from upgrade_gate.payloads.payload import REQUEST
from upgrade_gate.payloads.reference import IMAGE_REFERENCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.payloads.payload import Payload

_COMPONENT = re.compile(r"0000_\d+_([^_]+)_")
"""How operators' files are called (oc `pkg/cli/admin/release/new.go`); the component is its image's name as a rule."""
_MANY = 3
"""Components that a release may drop at once without a word, as long as none of them carries a request."""

What: TypeAlias = str


class Gap(Struct, frozen=True, order=True):
    """Something that is missing from a payload."""

    what: What
    """`file`, `empty`, `component`, `request`, `version`, or `data` for what lies where nobody reads it."""
    name: str
    text: str
    """In words."""
    file: str = IMAGE_REFERENCES
    """Where it shows."""


def gaps(payload: Payload, other: Payload) -> Iterator[Gap]:
    """Yield what a payload lacks by itself, and beside the other release of its hop; nothing where digests prove it.

    See docs/contract.md#whole-or-not.
    """
    if payload.whole:
        return
    if payload.images is None:
        yield Gap("file", IMAGE_REFERENCES, "it has no readable image-references")
    strange = {u.location.file for u in payload.unreadable}
    for name in payload.empty:
        yield Gap("empty", name, f"{name} {'holds no object' if name in strange else 'is empty'}", name)
    for version in sorted({version for _, version in payload.foreign}):
        files = [file for file, stated in payload.foreign if stated == version]
        others = f"{len(files) - 1} more file{'s' if len(files) > 2 else ''}"
        more = f" and {others} say" if len(files) > 1 else " says"
        yield Gap("version", version, f"{files[0]}{more} {version}: another release lies there too", files[0])
    for text in payload.damage:
        yield Gap("data", text, text)
    for name in _components_missing(payload, other):
        yield Gap("component", name, f"image-references names {name}, of which {_called(other)} has manifests")


def _components_missing(payload: Payload, other: Payload) -> list[str]:
    """Return the components whose manifests should be here, where that is no release's own decision.

    One with a request counts by itself; so do more than three at once, and those that are all that comes behind the
    last file that is here: an extraction that was cut off.
    """
    here, there = _components(payload), _components(other)
    images = frozenset(payload.images or ())
    missing = sorted(n for n in there.keys() - here.keys() if n in images or f"cluster-{n}" in images)
    asking = {name for name in missing if there[name] & _asking(other)}
    last = max((file for files in here.values() for file in files), default="")
    cut_off = all(min(there[name]) > last for name in missing)
    return missing if len(missing) > _MANY or cut_off else sorted(asking)


def _components(payload: Payload) -> dict[str, set[str]]:
    """Return the files of each component."""
    found: dict[str, set[str]] = {}
    files = {m.location.file for m in payload.manifests} | {u.location.file for u in payload.unreadable}
    for file in files:
        if named := _COMPONENT.match(file):
            found.setdefault(named[1], set()).add(file)
    return found


def _asking(payload: Payload) -> set[str]:
    """Return the files that carry a request."""
    return {m.location.file for m in payload.manifests if (m.group, m.version, m.kind) == REQUEST}


def _called(payload: Payload) -> str:
    return payload.version or payload.reference
