"""`check` of two small payload folders with the cluster from a dump, a snapshot and a live API server."""

from pathlib import Path

import pytest

from tests.benchmarks.conftest import Measure
from tests.integration import certificates
from tests.integration.kubernetes_server import KubernetesServer, objects_of

pytestmark = pytest.mark.benchmark


def test_check_by_where_the_cluster_is_read(measure: Measure, fixtures: Path, tmp_path: Path) -> None:
    dump = fixtures / "clusters" / "aws-sts"
    releases = fixtures / "releases"
    hop = ("--from", f"dir:{releases / '4.18.7'}", "--to", f"dir:{releases / '4.19.2'}")
    check = ("check", *hop, "--no-cache", "--verify", "off")
    figures = [measure("check, cluster from a must-gather", *check, "--cluster", f"must-gather:{dump}", budget="-")]
    record = ("snapshot", *hop, "--no-cache", "--cluster", f"must-gather:{dump}", tmp_path / "cluster.json")
    assert measure("taking a snapshot of it", *record, budget="-", runs=3).code == 0
    replay = ("--cluster", f"snapshot:{tmp_path / 'cluster.json'}")
    figures.append(measure("check, cluster from a snapshot", *check, *replay, budget="-"))
    made = certificates.make(tmp_path)
    with KubernetesServer(made, objects_of(dump)).run() as server:
        live = ("--cluster", "live", "--kubeconfig", server.kubeconfig(tmp_path / "kubeconfig"))
        figures.append(measure("check, live cluster on loopback", *check, *live, budget="1.4 s, 120 MB"))
    assert {figure.code for figure in figures} == {3}
