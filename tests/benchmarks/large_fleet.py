"""A large fleet, generated: pairs of releases with many requests for eight platforms, and snapshots of clusters."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from tests.worlds.flows import CLUSTER_ID, World, request, write
from tests.worlds.running import run

GRANTS = {
    "AWS": ("ec2:Describe{}", "ec2:Modify{}"),
    "Azure": ("Microsoft.Compute/{}/read", "Microsoft.Compute/{}/write"),
    "GCP": ("compute.{}.get", "compute.{}.update"),
    "IBMCloud": ("Viewer{}", "Editor{}"),
    "PowerVS": ("Viewer{}", "Editor{}"),
    "VSphere": ("", ""),
    "Nutanix": ("", ""),
    "OpenStack": ("", ""),
}
PLATFORMS = tuple(GRANTS)
COMPONENTS = 8
"""Requests of a platform in each release."""
THINGS = ("Addresses", "Disks", "Hosts", "Images", "Keys", "Networks", "Ports", "Regions", "Routes", "Subnets", "Zones")
"""What a request may read, a permission each."""


class LargeFleet:
    """Releases `4.16.N` and `4.17.N`, and an inventory of clusters that are spread over pairs and platforms."""

    def __init__(self, folder: Path, *, pairs: int, platforms: tuple[str, ...] = PLATFORMS) -> None:
        self._folder, self._platforms = folder, platforms
        self._releases: list[tuple[str, str]] = []
        before = [b for platform in platforms for b in _requests(platform, more=False)]
        after = [b for platform in platforms for b in _requests(platform, more=True)]
        self._world = World(versions=("4.16.0", "4.17.0"), payloads=(before, after))
        for pair in range(pairs):
            world = self._world.but(versions=(f"4.16.{pair}", f"4.17.{pair}"))
            arguments = write(world, folder / f"pair-{pair}")
            place = dict(zip(arguments[1::2], arguments[2::2], strict=True))
            self._releases.append((place["--from"], place["--to"]))
        self._bases = [self._base(platform) for platform in platforms]

    @property
    def releases(self) -> list[str]:
        """The options that name every release that clusters run."""
        return [word for old, _ in self._releases for word in ("--from", old)]

    @property
    def first(self) -> tuple[str, str]:
        """The first pair."""
        return self._releases[0]

    def inventory(self, count: int) -> Path:
        """Write snapshots of so many clusters and the file that lists them."""
        place = self._folder / f"snapshots-{count}"
        place.mkdir()
        rows = []
        for number in range(count):
            name = f"cluster-{number:05}"
            pair = number // len(self._platforms) % len(self._releases)
            base = self._bases[number % len(self._platforms)]
            own = str(uuid5(NAMESPACE_URL, name)).encode()
            content = base.replace(CLUSTER_ID.encode(), own).replace(b"4.16.0", f"4.16.{pair}".encode())
            (place / f"{name}.json").write_bytes(content)
            rows.append(
                {
                    "name": name,
                    "cluster": f"snapshot:snapshots-{count}/{name}.json",
                    "to": self._releases[pair][1],
                    "labels": {"region": f"r{number % 7}"},
                }
            )
        path = self._folder / f"clusters-{count}.json"
        path.write_text(json.dumps({"clusters": rows}, indent=1))
        return path

    def _base(self, platform: str) -> bytes:
        folder = self._folder / f"base-{platform}"
        old, new = self._releases[0]
        ours = [b for b in self._world.payloads[0] if b["metadata"]["name"].startswith(f"{platform.lower()}-")]
        arguments = write(self._world.but(platform=platform, live=ours), folder)
        dump = arguments[arguments.index("--cluster") + 1]
        taken = folder / "taken.json"
        done = run("snapshot", "--to", new, "--from", old, "--cluster", dump, "--no-cache", taken)
        assert done.code == 0, done.err
        return taken.read_bytes()


def _requests(platform: str, *, more: bool) -> list[dict[str, object]]:
    held, added = GRANTS[platform]
    return [
        request(
            platform,
            f"{platform.lower()}-{number}",
            *(held.format(thing) for thing in THINGS if held),
            *([added.format(THINGS[number])] if more and added and number % 3 == 0 else []),
        )
        for number in range(COMPONENTS)
    ]
