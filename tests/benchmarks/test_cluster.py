"""`check` with the cluster from a dump, a snapshot and a live API server: of two small folders, of two whole images."""

from pathlib import Path

import pytest

from tests.benchmarks.conftest import Measure
from tests.worlds import certificates
from tests.worlds.kubernetes_server import KubernetesServer, objects_of
from tests.worlds.live_cluster import image_of, running
from tests.worlds.registry_server import registry

pytestmark = pytest.mark.benchmark
BASE = 170_000_000
"""Bytes of the operator image below the release's own layer."""


def test_check_by_where_the_cluster_is_read(measure: Measure, fixtures: Path, tmp_path: Path) -> None:
    dump = fixtures / "clusters" / "aws-sts"
    releases = fixtures / "releases"
    hop = ("--from", f"dir:{releases / '4.18.7'}", "--to", f"dir:{releases / '4.19.2'}")
    check = ("check", *hop, "--no-cache", "--verify", "off")
    figures = [
        measure(
            "check, cluster from a must-gather",
            *(*check, "--cluster", f"must-gather:{dump}"),
            budget="-",
            plain=("check", *(releases / name for name in ("4.18.7", "4.19.2")), dump),
        )
    ]
    record = ("snapshot", *hop, "--no-cache", "--cluster", f"must-gather:{dump}", tmp_path / "cluster.json")
    assert measure("taking a snapshot of it", *record, budget="-", runs=3).code == 0
    replay = ("--cluster", f"snapshot:{tmp_path / 'cluster.json'}")
    plain = ("check", *(releases / name for name in ("4.18.7", "4.19.2")), tmp_path / "cluster.json")
    figures.append(measure("check, cluster from a snapshot", *check, *replay, budget="-", plain=plain))
    made = certificates.make(tmp_path)
    with KubernetesServer(made, objects_of(dump)).run() as server:
        live = ("--cluster", "live", "--kubeconfig", server.kubeconfig(tmp_path / "kubeconfig"))
        figures.append(measure("check, live cluster on loopback", *check, *live, budget="1.0 s, 120 MB"))
    assert {figure.code for figure in figures} == {3}


@pytest.mark.registry
def test_check_of_two_whole_images_and_a_live_cluster(
    measure: Measure, shared: Path, fixtures: Path, tmp_path: Path
) -> None:
    made = certificates.make(tmp_path)
    folder = shared / "corpus" / "releases" / "4.12.0"
    with registry(tmp_path / "registry", certificates=made) as images:
        old, new = (
            images.push(image_of(folder, base=BASE, version=version), "ocp/release", version)
            for version in ("4.18.7", "4.19.2")
        )
        objects = running(
            objects_of(fixtures / "clusters" / "aws-sts"), folder, old, [("4.19.2", new)], version="4.18.7"
        )
        with KubernetesServer(made, objects).run() as server:
            live = ("--kubeconfig", server.kubeconfig(tmp_path / "kubeconfig"))
            check = ("check", "--to", "4.19.2", "--certificate-authority", made.authority, *live)
            cold = measure("check, two images and a live cluster, cold", *check, "--no-cache", budget="1.0 s, 120 MB")
            kept = (*check, "--cache-dir", tmp_path / "cache")
            measure("the same, filling the cache", *kept, budget="-", runs=1)
            warm = measure("the same, images from the cache", *kept, budget="-")
    assert cold.code == warm.code
    assert cold.code in {0, 3, 4}
