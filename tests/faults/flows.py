"""The flows whose inputs are spoilt: each lays its inputs out in a folder of its own and says how they are checked."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from tests.e2e import test_flows_of_hops, test_flows_of_modes, test_flows_of_requests
from tests.generators.samples import PAIRS, RUNS
from tests.worlds import old_state
from tests.worlds.flows import World, write
from tests.worlds.running import run

Make: TypeAlias = Callable[[Path], list[str]]
"""Lays the inputs out in an empty folder; returns the arguments, whose paths lie in that folder."""

_NOW = ("--now", "2026-11-01")
_OWN = {
    "hops": test_flows_of_hops.FLOWS,
    "modes": test_flows_of_modes.FLOWS,
    "requests": test_flows_of_requests.FLOWS,
}
_SNAPSHOTS = ("demo", "azure")
_HELD = (("AWS", True), ("Azure", False), ("GCP", True), ("IBMCloud", False), ("PowerVS", False))
"""Clusters whose identities hold what the older of two patch releases asks for: most of them pass by proof."""


def own() -> dict[str, Make]:
    """Return the flows of this repository, by name."""
    found: dict[str, Make] = {
        f"own/{group}/{name}": partial(_world, world=world)
        for group, flows in _OWN.items()
        for name, (world, _, _) in flows.items()
    }
    found |= {f"own/fixtures/{name}": partial(_fixture, name=name) for name in RUNS}
    found |= {f"own/snapshot/{name}": partial(_snapshot, name=name) for name in _SNAPSHOTS}
    return found


def of_shared(shared: Path) -> dict[str, Make]:
    """Return the gate flows of the shared corpus, and clusters at a real release with identities as it leaves them."""
    releases = shared / "corpus" / "releases"
    found: dict[str, Make] = {
        f"gate/{path.parent.name}": partial(_gate, case=path.parent, releases=releases)
        for path in sorted(shared.glob("cases/gate/*/case.json"))
    }
    for pair in PAIRS.values():
        if pair.platform != "Nutanix":
            found[f"state/{pair.name}"] = partial(
                _state, releases=releases, platform=pair.platform, token=pair.token, old=pair.old, new=pair.new
            )
    for platform, token in _HELD:
        name = f"state/4.15.0-4.15.99-{platform.casefold()}"
        found[name] = partial(_state, releases=releases, platform=platform, token=token, old="4.15.0", new="4.15.99")
    return found


def _world(folder: Path, *, world: World) -> list[str]:
    arguments = write(world, folder)
    return _acknowledged(folder, arguments, [{"rule": rule} for rule in world.acknowledge], "2026-12-31")


def _fixture(folder: Path, *, name: str) -> list[str]:
    place, given = RUNS[name]
    arguments = ["check", *given, *_NOW]
    for index, argument in enumerate(arguments):
        scheme, _, path = argument.rpartition(":")
        if (place / path).exists():
            _copy(place / path, folder / Path(path).name)
            arguments[index] = f"{scheme}:{folder / Path(path).name}".removeprefix(":")
    return arguments


def _snapshot(folder: Path, *, name: str) -> list[str]:
    """Record the cluster of a fixture, and check that record in its place."""
    arguments = _fixture(folder, name=name)
    at = arguments.index("--cluster") + 1
    dump = Path(arguments[at].partition(":")[2])
    old, new = (arguments[arguments.index(option) + 1] for option in ("--from", "--to"))
    done = run("snapshot", "--from", old, "--to", new, "--cluster", arguments[at], folder / "snapshot.json")
    assert done.code == 0, done.err
    shutil.rmtree(dump)
    arguments[at] = f"snapshot:{folder / 'snapshot.json'}"
    return arguments


def _gate(folder: Path, *, case: Path, releases: Path) -> list[str]:
    told = json.loads((case / "case.json").read_text())
    for path in case.iterdir():
        if path.name != "case.json":
            _copy(path, folder / path.name)
    arguments = []
    for argument in told["args"]:
        scheme, _, release = argument.partition("{releases}/")
        if release:
            _copy(releases / release, folder / f"release-{release}")
            arguments.append(f"{scheme}{folder}/release-{release}")
        else:
            arguments.append(argument.replace("{case}", str(folder)))
    return _acknowledged(folder, arguments, told.get("acknowledge", ()), None)


def _state(folder: Path, *, releases: Path, platform: str, token: bool, old: str, new: str) -> list[str]:
    own = folder / "releases"
    for release in {old, new}:
        _copy(releases / release, own / release)
    return ["check", *old_state.make(own, folder, platform, old, new, token=token).arguments()]


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder once, so that its copy can be written."""
    if source.is_file():
        target.write_bytes(source.read_bytes())
        return
    for path in source.rglob("*"):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())


def _acknowledged(
    folder: Path, arguments: list[str], wanted: Sequence[Mapping[str, Any]], expires: str | None
) -> list[str]:
    """Write the acknowledgements that a flow has, from the fingerprints of a first run."""
    if not wanted:
        return arguments
    findings = json.loads(run(*arguments, "-o", "json", "--no-cache").out)["findings"]
    entries = [
        {"fingerprint": one["fingerprint"], "reason": "r", "owner": "o", "expires": expires or want["expires"]}
        for want in wanted
        for one in findings
        if all(one[key] == want[key] for key in ("rule", "request") if key in want)
    ]
    (folder / "acknowledgements.yaml").write_text(json.dumps({"acknowledgements": entries}, indent=1))
    return [*arguments, "--acknowledgements", str(folder / "acknowledgements.yaml")]


def every() -> dict[str, Make]:
    """Return every flow that this machine has the inputs of."""
    shared = os.environ.get("UPGRADE_GATE_SHARED")
    return own() | (of_shared(Path(shared)) if shared else {})
