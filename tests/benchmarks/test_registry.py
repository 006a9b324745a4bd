"""`check` of two whole release images out of a registry on loopback: cold, from the cache, and how many bytes move."""

from pathlib import Path

import pytest

from tests.benchmarks.conftest import Measure
from tests.worlds import certificates
from tests.worlds.kubernetes_server import KubernetesServer, objects_of
from tests.worlds.live_cluster import image_of
from tests.worlds.registry_server import Meter, registry

pytestmark = [pytest.mark.benchmark, pytest.mark.registry]

BASE = 170_000_000
"""Bytes of the operator image below the release's own layer, which must not move."""


def test_check_of_two_images(
    measure: Measure, shared: Path, fixtures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared / "corpus" / "releases" / "4.12.0"
    images = [image_of(folder, base=BASE, version=version) for version in ("4.18.7", "4.19.2")]
    layers = sum(len(image.blobs[image.last_layer]) for image in images)
    with registry(tmp_path / "registry") as running, Meter(running.host) as meter:
        old, new = (
            running.push(image, "ocp/release", tag).replace(running.host, meter.host)
            for image, tag in zip(images, ("old", "new"), strict=True)
        )
        dump = fixtures / "clusters" / "aws-sts"
        hop = ("--from", old, "--to", new, "--insecure", meter.host)
        record = ("snapshot", *hop, "--cluster", f"must-gather:{dump}", tmp_path / "cluster.json", "--no-cache")
        assert measure("taking the snapshot", *record, budget="-", runs=1).code == 0
        command = ("check", *hop, "--cluster", f"snapshot:{tmp_path / 'cluster.json'}")
        meter.reset()
        cold = measure("check of two images, cold", *command, "--no-cache", budget="0.6 s, 120 MB", runs=7)
        moved = meter.received // 7
        diff = ("diff", old, new, "--insecure", meter.host, "--platform", "AWS", "--no-cache")
        plain = ("images", old, new)
        measure("diff of two images, no cache", *diff, budget="0.5 s, 120 MB", plain=plain)
        measure("the same, filling the cache", *command, "--cache-dir", tmp_path / "cache", budget="-", runs=1)
        made = certificates.make(tmp_path)
        with KubernetesServer(made, objects_of(dump)).run() as server:
            live = ("--cluster", "live", "--kubeconfig", server.kubeconfig(tmp_path / "kubeconfig"))
            measure("the same with a live cluster, cold", "check", *hop, *live, "--no-cache", budget="1.0 s, 120 MB")
        meter.reset()
        warm = measure("the same from the cache", *command, "--cache-dir", tmp_path / "cache", budget="0.20 s", runs=7)
    with capsys.disabled():
        print(f"\nbytes moved, cold: {moved}, of which last layers {layers}; from the cache: {meter.received}")

    assert cold.code == warm.code
    assert cold.code in {0, 3, 4}
    assert moved <= layers + 64 * 2**10
    assert meter.received == 0
