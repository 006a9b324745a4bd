"""`waves/`: only what passes, and each target by itself."""

import yaml

from tests.worlds.fleets import cluster, fleet_of
from upgrade_gate.base import plugins
from upgrade_gate.fleet import document


def waves(*clusters: document.Cluster) -> dict[str, bytes]:
    found: dict[str, bytes] = plugins.load("fleet.formats", "waves").files(fleet_of(*clusters))
    return found


def test_only_clusters_that_pass_and_have_somewhere_to_go() -> None:
    found = waves(
        cluster("a"),
        cluster("b", status="pass", next="upgrade"),
        cluster("c", status="undetermined"),
        cluster("d", status="pass", next="none"),
        cluster("no", status="pass", next="upgrade"),
    )
    assert found["waves/4.19.2.txt"] == b"b\nno\n"
    assert yaml.safe_load(found["waves/4.19.2.clusters.yaml"]) == {"clusters": ["b", "no"]}, "YAML takes no for false"


def test_each_target_is_a_wave_and_two_of_one_version_are_two() -> None:
    found = waves(
        cluster("a", status="pass", next="upgrade", digest="sha256:a"),
        cluster("b", status="pass", next="upgrade", digest="sha256:b"),
        cluster("c", to="../../x"),
    )
    assert sorted(found[name] for name in found if name.endswith(".txt")) == [b"", b"a\n", b"b\n"]
    assert all(name.count("/") == 1 and ".." not in name for name in found)
