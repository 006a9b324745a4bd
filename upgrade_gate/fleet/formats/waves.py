"""The clusters that may go, by target: plain lists, and the `clusters` part of a TALM ClusterGroupUpgrade.

One target is one wave: what passed for one release says nothing about another. How many go at a time is for whoever
rolls it out (`remediationStrategy.maxConcurrency` in TALM).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.fleet.document import Fleet


def files(fleet: Fleet) -> Mapping[str, bytes]:
    """Return two files for each target, `waves/TARGET.txt` and `waves/TARGET.clusters.yaml`, empty where none goes."""
    import yaml

    passing: dict[tuple[str, str], list[str]] = {}
    for cluster in fleet.clusters:
        names = passing.setdefault((cluster.to, cluster.digest or ""), [])
        if cluster.status == "pass" and cluster.next != "none":  # one that runs the target already goes nowhere
            names.append(one_line(cluster.name))
    found: dict[str, bytes] = {}
    for target, names in sorted(passing.items()):
        place = f"waves/{_name(*target, several=sum(to == target[0] for to, _ in passing) > 1)}"
        listed = yaml.safe_dump({"clusters": names}, sort_keys=False, allow_unicode=True)
        found[f"{place}.txt"] = "".join(f"{name}\n" for name in names).encode("utf-8", "replace")
        found[f"{place}.clusters.yaml"] = str(listed).encode("utf-8", "replace")
    return found


def _name(to: str, digest: str, *, several: bool) -> str:
    """Return a file's name: the version, with the digest where several releases bear it."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", to).strip("-.")[:80] or "target"
    if several or safe != to:
        safe += f"-{hashlib.sha256(f'{to} {digest}'.encode()).hexdigest()[:12]}"
    return safe
