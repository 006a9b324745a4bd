"""`init hub-reader` and `init rbac --for-hub` allow what `fleet hub` asks of the hub and of the clusters behind it."""

from pathlib import Path
from typing import Any

import yaml

from tests.worlds.certificates import Certificates
from tests.worlds.fleets import Fleet
from tests.worlds.hub import Hub, authorities, managed, route
from tests.worlds.running import run
from tests.worlds.socks_server import SocksServer

ID = "11111111-0000-4000-8000-000000000001"


def rules(text: str) -> list[tuple[str | None, dict[str, Any]]]:
    """Return each rule with the namespace that it holds in."""
    roles = [m for m in yaml.safe_load_all(text) if m["kind"] in {"Role", "ClusterRole"}]
    return [(role["metadata"].get("namespace"), rule) for role in roles for rule in role["rules"]]


def printed(*arguments: str) -> str:
    result = run("init", *arguments)
    assert result.code == 0, result.err
    return result.out


def test_with_both_files_a_fleet_is_judged_and_each_right_is_used(tmp_path: Path, certificates: Certificates) -> None:
    fleet = Fleet(tmp_path)
    hub = Hub(fleet, certificates, managed("a"), route("localhost"), authorities(certificates))
    cluster = hub.add("a", ID)
    with hub.run(tmp_path), SocksServer() as socks:
        socks.ports[443] = hub.proxy.port
        kubeconfig = hub.api.kubeconfig(tmp_path / "through", cluster={"proxy-url": socks.url})
        releases = ("--to", fleet.new, "--from", fleet.old, "--no-cluster", "--platform", "AWS", "--no-cache")
        hub.api.rules = rules(printed("hub-reader"))
        cluster.rules = rules(printed("rbac", *releases, "--for-hub"))
        assert fleet.run("--kubeconfig", kubeconfig, inventory="hub").code == 3
    for server in (hub.api, cluster):
        asked = {("" if name is None else name, plural, space) for _, _, plural, space, name in server.asked()}
        allowed = {
            (name, plural, space)
            for space, rule in server.rules or ()
            for plural in rule["resources"]
            for name in rule.get("resourceNames", [""])
        }
        assert asked <= allowed
        if server is hub.api:
            assert asked == allowed


def test_an_account_of_the_hub_is_bound_by_the_name_that_cluster_proxy_presents(fixtures: Path) -> None:
    releases = ("--to", f"dir:{fixtures / 'releases' / '4.19.2'}", "--platform", "AWS")
    text = printed("rbac", *releases, "--for-hub", "--service-account", "ci/gate")
    manifests = list(yaml.safe_load_all(text))
    subjects = [subject for m in manifests if m["kind"].endswith("Binding") for subject in m["subjects"]]
    name = "cluster:hub:system:serviceaccount:ci:gate"
    assert {subject["name"] for subject in subjects} == {name}
    assert {(subject["kind"], subject["apiGroup"]) for subject in subjects} == {("User", "rbac.authorization.k8s.io")}
    assert {m["kind"] for m in manifests} == {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    assert "oc -n ci create token gate" in " ".join(text.replace("\n# ", " ").split())
    assert "--verify" not in text


def test_the_engine_may_lie_elsewhere_and_the_account_be_there_already() -> None:
    text = printed("hub-reader", "--namespace", "mce", "--service-account", "ci/gate")
    manifests = list(yaml.safe_load_all(text))
    assert {space for space, _ in rules(text)} == {None, "mce"}
    assert {m["kind"] for m in manifests} == {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    assert {m["metadata"]["name"] for m in manifests} == {"upgrade-gate-hub"}, "init rbac's own would be written over"
    assert run("init", "hub-reader", "--namespace", "../x").code == 2
