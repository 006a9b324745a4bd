"""A live cluster on loopback that runs one of our own releases and is offered the next, each in a registry there."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.worlds.faulty_registry import REPOSITORY, faulty_registry
from tests.worlds.kubernetes_server import KubernetesServer, objects_of
from tests.worlds.live_cluster import image_of, running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.worlds.certificates import Certificates
    from tests.worlds.faulty_registry import State

OLD, NEW = "4.18.7", "4.19.2"
DEADLINE = 120.0


@dataclass(frozen=True)
class SmallSite:
    """What is running, and what a user of it has."""

    server: KubernetesServer
    registries: tuple[State, State]
    pullspecs: tuple[str, str]
    kubeconfig: Path
    authority: Path
    releases: Path

    def line(self, command: str, *more: str | Path, live: bool = True) -> list[str]:
        """Return a command line that reads both releases from their registries, and the cluster where it is live."""
        old, new = self.pullspecs
        pair = (old, new) if command == "diff" else ("--to", new)
        place = () if live else ("--platform", "AWS")
        given = ("--certificate-authority", self.authority, *place, *more)
        return [sys.executable, "-m", "upgrade_gate", command, *map(str, (*pair, *given))]

    def environment(self, home: Path, **changes: str) -> dict[str, str]:
        """Return an environment whose home and temporary folder lie in one folder, made for it."""
        for name in ("tmp", "cache"):
            (home / name).mkdir(parents=True, exist_ok=True)
        kept = {
            name: os.environ[name] for name in ("PATH", "PYTHONPATH", "COVERAGE_PROCESS_START") if name in os.environ
        }
        own = {"HOME": home, "TMPDIR": home / "tmp", "XDG_CACHE_HOME": home / "cache", "KUBECONFIG": self.kubeconfig}
        return {**kept, **{k: str(v) for k, v in own.items()}, "SOURCE_DATE_EPOCH": "1790000000", **changes}

    def run(
        self, line: Sequence[str], home: Path, cwd: Path | None = None, **changes: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command line to its end."""
        return subprocess.run(
            line,
            cwd=cwd or home,
            env=self.environment(home, **changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        )


@contextlib.contextmanager
def small_site(folder: Path, fixtures: Path, certificates: Certificates, **server: Any) -> Iterator[SmallSite]:
    """Serve the fixtures' AWS cluster and both releases; `server` are further settings of the API server."""
    releases = fixtures / "releases"
    images = [image_of(releases / version) for version in (OLD, NEW)]
    with contextlib.ExitStack() as stack:
        hosts, states = zip(
            *(stack.enter_context(faulty_registry(image, certificates=certificates)) for image in images), strict=True
        )
        old, new = (f"{host}/{REPOSITORY}@{image.digest}" for host, image in zip(hosts, images, strict=True))
        objects = running(objects_of(fixtures / "clusters" / "aws-sts"), releases / OLD, old, [(NEW, new)])
        api = stack.enter_context(KubernetesServer(certificates, objects, **server).run())
        kubeconfig = api.kubeconfig(folder / "kubeconfig")
        yield SmallSite(api, (states[0], states[1]), (old, new), kubeconfig, certificates.authority, releases)
