"""A fleet: two releases, and snapshots of clusters that run the first, each with an ID of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from tests.worlds.flows import CLUSTER_ID, World, request, write
from tests.worlds.running import run
from upgrade_gate.fleet import document

PLATFORMS = {
    "AWS": ("ec2:DescribeVolumes", "ec2:ModifyVolume"),
    "Azure": ("Microsoft.Compute/disks/read", "Microsoft.Compute/disks/write"),
    "GCP": ("compute.disks.get", "compute.disks.update"),
    "IBMCloud": ("Viewer", "Editor"),
    "VSphere": ("", ""),
}
"""What a component is allowed in the first release, and what it needs besides in the second."""
NOW = "2026-11-01"


class Fleet:
    """Releases and a folder of snapshots."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.snapshots = folder / "snapshots"
        self.snapshots.mkdir()
        self.result = folder / "result"
        before, after = [], []
        for platform, (held, added) in PLATFORMS.items():
            name = platform.lower()
            before.append(request(platform, name, held))
            after.append(request(platform, name, *([held, added] if platform != "VSphere" else [held])))
        self.releases = (before, after)
        self.world = World(payloads=self.releases)
        arguments = write(self.world, folder / "world")
        self.old, self.new = (arguments[arguments.index(name) + 1] for name in ("--from", "--to"))
        self._bases: dict[str, bytes] = {}

    def path(self, *versions: str) -> tuple[str, ...]:
        """Write releases of which only those in between ask for what the second of the pair newly does."""
        asked = [self.releases[0], *([self.releases[1]] * (len(versions) - 2)), self.releases[0]]
        arguments = write(self.world.but(versions=versions, payloads=tuple(asked)), self.folder / "path")
        last, *others = (argument for argument in arguments if argument.startswith("dir:"))
        return (*others, last)

    def add(self, name: str, *, ready: bool = False, id_of: str | None = None, **changes: Any) -> Path:
        """Take a snapshot of one more cluster; one that is ready runs the target already."""
        if ready:
            changes["versions"] = ("4.17.0", "4.17.0")
        base = self._base(json.dumps(changes, sort_keys=True, default=str), changes)
        identity = str(uuid5(NAMESPACE_URL, id_of or name))
        path = self.snapshots / f"{name}.json"
        path.write_bytes(base.replace(CLUSTER_ID.encode(), identity.encode()))
        return path

    def run(self, *more: str | Path, to: str | None = None, inventory: str | None = None, **how: Any) -> Any:
        """Run `fleet` on the snapshots."""
        arguments = ("--from", self.old, "--to", to or self.new, "--now", NOW, "--no-cache", "-d", self.result)
        return run("fleet", inventory or f"snapshots:{self.snapshots}", *arguments, *more, **how)

    def json(self) -> dict[str, Any]:
        """What the run wrote about all."""
        found: dict[str, Any] = json.loads((self.result / "fleet.json").read_text())
        return found

    def _base(self, key: str, changes: dict[str, Any]) -> bytes:
        if key not in self._bases:
            folder = self.folder / f"base-{len(self._bases)}"
            arguments = write(self.world.but(**changes), folder)
            place = dict(zip(arguments[1::2], arguments[2::2], strict=True))
            snapshot = ("--to", place["--to"], "--from", place["--from"], "--cluster", place["--cluster"])
            assert run("snapshot", *snapshot, "--no-cache", folder / "taken.json").code == 0
            self._bases[key] = (folder / "taken.json").read_bytes()
        return self._bases[key]


def cluster(name: str = "c1", **changes: Any) -> document.Cluster:
    """A row of the fleet's document."""
    known: dict[str, Any] = {
        "name": name,
        "source": f"snapshot:{name}.json",
        "labels": {"env": "prod"},
        "report": f"clusters/{name}/report.json",
        "id": str(uuid5(NAMESPACE_URL, name)),
        "api_url": f"https://api.{name}.example.com:6443",
        "platform": "AWS",
        "mode": "manual",
        "version": "4.18.7",
        "to": "4.19.2",
        "digest": None,
        "status": "blocked",
        "basis": "assumed",
        "next": "remediate",
        "summary": "1 finding blocks the upgrade",
        "generated": "2026-11-01T00:00:00Z",
        "collected": "2026-10-31T00:00:00Z",
        "causes": {"4c1d9f0be2a77c35": "unknown"},
    }
    return document.Cluster(**{**known, **changes})


def cause(**changes: Any) -> document.Cause:
    """A row of the table of causes."""
    known: dict[str, Any] = {
        "fingerprint": "4c1d9f0be2a77c35",
        "rule": "permission-added",
        "severity": "blocker",
        "headline": "ingress gains sts:AssumeRole",
        "request": "openshift-cloud-credential-operator/ingress",
        "guard": "missed",
        "counts": document.Counts(open=0, unknown=1, acknowledged=0, proven=0),
    }
    return document.Cause(**{**known, **changes})


def fleet_of(*clusters: document.Cluster, causes: Sequence[document.Cause] | None = None) -> document.Fleet:
    """A fleet's document."""
    verdicts = {status: sum(c.status == status for c in clusters) for status in ("pass", "blocked", "undetermined")}
    return document.Fleet(
        schema=document.SCHEMA,
        tool="1",
        generated="2026-11-01T00:00:00Z",
        status="blocked",
        exit_code=3,
        verdicts=verdicts,
        causes=[cause()] if causes is None else list(causes),
        clusters=list(clusters),
        unused_acknowledgements=[],
        since=None,
    )
