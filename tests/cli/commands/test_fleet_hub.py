"""`fleet hub`: the clusters of a hub by its cluster-proxy; which server was asked what, and with whose token."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.certificates import Certificates
from tests.worlds.fleets import Fleet
from tests.worlds.hub import CLUSTERS, ENGINE, ROUTE, TOKEN, Hub, authorities, managed, route
from tests.worlds.kubernetes_server import Fault, KubernetesServer
from tests.worlds.running import Result
from tests.worlds.socks_server import SocksServer

ONE = "11111111-0000-4000-8000-000000000001"
TWO = "11111111-0000-4000-8000-000000000002"
ID, VERSION = "id.openshift.io", "version.openshift.io"


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def run(hub: Hub, *more: str | Path, kubeconfig: Path | None = None, **how: Any) -> Result:
    """Run against the hub, the proxy by its address."""
    with hub.run(hub.fleet.folder) as own:
        address = ("--cluster-proxy", hub.proxy.url, "--certificate-authority", hub.certificates.authority)
        inventory = how.pop("inventory", "hub")
        result: Result = hub.fleet.run(*address, "--kubeconfig", kubeconfig or own, *more, inventory=inventory, **how)
    return result


def verdicts(fleet: Fleet) -> dict[str, str]:
    return {cluster["name"]: cluster["status"] for cluster in fleet.json()["clusters"]}


def why(fleet: Fleet, name: str) -> str:
    report = json.loads((fleet.result / "clusters" / name / "report.json").read_text())
    return next((note for note in report["notes"] if note.startswith("not judged")), "")


def tokens(*servers: KubernetesServer) -> set[str]:
    return {request.headers.get("authorization", "") for server in servers for request in server.requests}


def test_each_cluster_is_asked_through_its_own_path_with_the_hub_users_token(
    fleet: Fleet, certificates: Certificates
) -> None:
    hub = Hub(fleet, certificates, managed("prod-1", {ID: ONE}, labels={"env": "prod"}), managed("prod-2", {ID: TWO}))
    first, second = hub.add("prod-1", ONE), hub.add("prod-2", TWO, versions=("4.17.0", "4.17.0"))
    assert run(hub).code == 3
    found = {c["name"]: (c["status"], c["id"], c["source"]) for c in fleet.json()["clusters"]}
    assert found == {"prod-1": ("blocked", ONE, "hub:prod-1"), "prod-2": ("pass", TWO, "hub:prod-2")}
    labels = {c["name"]: c["labels"].get("env") for c in fleet.json()["clusters"]}
    assert labels == {"prod-1": "prod", "prod-2": None}
    assert hub.api.asked() == {("list", "cluster.open-cluster-management.io", "managedclusters", None, None)}
    assert {request.path.split("/")[1] for request in hub.proxy.requests} == {"prod-1", "prod-2"}
    assert first.asked()
    assert second.asked()
    assert {request.method for server in (hub.api, first, second) for request in server.requests} == {"GET"}
    assert tokens(hub.api, hub.proxy) == {f"Bearer {TOKEN}"}


def test_the_route_of_the_hub_and_the_certificates_of_its_pods_lead_to_cluster_proxy(
    fleet: Fleet, certificates: Certificates
) -> None:
    hub = Hub(fleet, certificates, managed("a", {ID: ONE}), route("localhost"), authorities(certificates))
    hub.add("a", ONE)
    with hub.run(fleet.folder), SocksServer() as socks:
        socks.ports[443] = hub.proxy.port
        kubeconfig = hub.api.kubeconfig(fleet.folder / "through", cluster={"proxy-url": socks.url})
        result = fleet.run("--kubeconfig", kubeconfig, inventory="hub:test")
    assert result.code == 3, result.err
    assert fleet.json()["clusters"][0]["source"] == "hub:test/a"
    assert {place.rpartition(":")[2] for place in socks.places} == {"443", str(hub.api.port)}
    assert {request.path for request in hub.api.requests} == {
        CLUSTERS,
        "/apis/multicluster.openshift.io/v1/multiclusterengines",
        ROUTE,
        f"/api/v1/namespaces/{ENGINE}/configmaps/kube-root-ca.crt",
    }


def test_a_proxy_whose_certificate_nobody_vouches_for_gets_no_token(fleet: Fleet, certificates: Certificates) -> None:
    hub = Hub(fleet, certificates, managed("a"))
    hub.add("a", ONE)
    hub.proxy.certificates = Certificates(
        certificates.authority,
        certificates.self_signed,
        certificates.self_signed_key,
        certificates.self_signed,
        certificates.self_signed_key,
    )
    assert run(hub).code == 4
    assert hub.proxy.requests == []
    assert "TLS failed" in why(fleet, "a")
    assert "--certificate-authority" in why(fleet, "a")


def test_no_redirect_takes_the_token_elsewhere(fleet: Fleet, certificates: Certificates) -> None:
    hub = Hub(fleet, certificates, managed("a"))
    hub.add("a", ONE)
    other = KubernetesServer(certificates, [], token=TOKEN)
    with other.run():
        hub.proxy.faults["*"] = Fault("redirect", body=f"{other.url}/a".encode())
        assert run(hub).code == 4
    assert hub.proxy.requests
    assert other.requests == []


RULED_OUT: dict[str, tuple[dict[str, Any], str]] = {
    "other-product": (managed("x", {"product.open-cluster-management.io": "EKS"}), "which is not OpenShift"),
    "hosted": (managed("x", {"controlplanetopology.openshift.io": "External"}), "control plane"),
    "newer": (managed("x", {VERSION: "4.18.1"}), "CVO does not go back"),
    "too-old": (managed("x", {VERSION: "4.14.9"}), "skips a minor release"),
    "gone": (managed("x", available="Unknown"), "not available (ManagedClusterLeaseUpdateStopped)"),
    "never-seen": (managed("x", available=None), "does not say that it is available"),
    "refused": (managed("x", spec={"hubAcceptsClient": False}), "has not let it join"),
    "leaving": (managed("x", metadata={"deletionTimestamp": "2026-11-01T00:00:00Z"}), "being detached"),
    "no-proxy": (
        managed("x", metadata={"labels": {"feature.open-cluster-management.io/addon-cluster-proxy": "unreachable"}}),
        "cluster-proxy is 'unreachable'",
    ),
    "garbage": (managed("x", clusterClaims="none"), "makes no sense"),
    "two-minds": (managed("x", clusterClaims=[{"name": VERSION, "value": v} for v in ("4.16.3", "4.17.0")]), "twice"),
}


def test_what_the_claims_rule_out_is_a_row_that_says_why_and_is_never_asked(
    fleet: Fleet, certificates: Certificates
) -> None:
    objects = []
    for name, (body, _) in RULED_OUT.items():
        objects.append({**body, "metadata": {**body["metadata"], "name": name}})
    hub = Hub(fleet, certificates, *objects)
    for name in RULED_OUT:
        hub.add(name, ONE)  # who asked any of them would see two clusters with one ID
    assert run(hub).code == 4
    assert hub.proxy.requests == []
    assert set(verdicts(fleet).values()) == {"undetermined"}
    for name, (_, reason) in RULED_OUT.items():
        assert reason in why(fleet, name), name
    assert all(RULED_OUT[cluster["name"]][1] in cluster["summary"] for cluster in fleet.json()["clusters"])
    (cause,) = fleet.json()["causes"]
    assert (cause["headline"], cause["counts"]["unknown"]) == ("nothing of the cluster was judged", len(RULED_OUT))


READ: dict[str, dict[str, Any]] = {
    "no-claims": managed("x", clusterClaims=None),
    "platform-without-requests": managed("x", {"platform.open-cluster-management.io": "BareMetal"}),
    "new-name-of-openshift": managed("x", {"product.open-cluster-management.io": "OpenShiftNext"}),
    "the-target": managed("x", {VERSION: "4.17.0"}),
    "patch-back": managed("x", {VERSION: "4.17.9"}),
    "not-a-version": managed("x", {VERSION: "3"}),
    "another-major": managed("x", {VERSION: "3.11.0"}),
}


def test_what_could_pass_is_always_read(fleet: Fleet, certificates: Certificates) -> None:
    objects = [{**body, "metadata": {**body["metadata"], "name": name}} for name, body in READ.items()]
    hub = Hub(fleet, certificates, *objects)
    for number, name in enumerate(READ):
        hub.add(name, f"11111111-0000-4000-8000-{number:012}")
    assert run(hub).code == 3
    assert verdicts(fleet) == dict.fromkeys(READ, "blocked"), "as each of them is"


@pytest.mark.parametrize("loosened", ["acknowledgements", "policy"])
def test_a_version_rules_nothing_out_where_somebody_may_have_accepted_it(
    fleet: Fleet, certificates: Certificates, loosened: str
) -> None:
    hub = Hub(fleet, certificates, managed("a", {VERSION: "4.14.9"}))
    asked = hub.add("a", ONE)
    file = fleet.folder / "given.yaml"
    file.write_text(
        {"acknowledgements": "acknowledgements: []\n", "policy": "policy: {hop-unsupported: info}\n"}[loosened]
    )
    run(hub, "--acknowledgements" if loosened == "acknowledgements" else "--config", file)
    assert asked.requests


def test_a_cluster_that_is_not_the_one_of_the_claims_is_not_judged(fleet: Fleet, certificates: Certificates) -> None:
    hub = Hub(fleet, certificates, managed("a", {ID: ONE}))
    hub.add("a", TWO, versions=("4.17.0", "4.17.0"))
    assert run(hub).code == 4
    assert "the hub led to another cluster" in why(fleet, "a")


def test_two_clusters_of_one_id_are_an_error_before_any_is_asked(fleet: Fleet, certificates: Certificates) -> None:
    hub = Hub(fleet, certificates, managed("a", {ID: ONE}), managed("b", {ID: ONE}, available="Unknown"))
    hub.add("a", ONE)
    result = run(hub)
    assert result.code == 2
    assert f"'a' and 'b' are one cluster: both have the ID {ONE}" in result.err
    assert hub.proxy.requests == []
    assert not fleet.result.exists()


def test_a_cluster_of_the_hub_and_its_snapshot_are_an_error(fleet: Fleet, certificates: Certificates) -> None:
    fleet.add("snap")
    fleet.run()
    known = fleet.json()["clusters"][0]["id"]
    hub = Hub(fleet, certificates, managed("a", {ID: known}, available="Unknown"))
    result = run(hub, f"snapshots:{fleet.snapshots}")
    assert result.code == 2
    assert "are one cluster" in result.err


def test_labels_of_the_hub_choose(fleet: Fleet, certificates: Certificates) -> None:
    other = managed("eks", {"product.open-cluster-management.io": "EKS"}, labels={"vendor": "EKS"})
    hub = Hub(fleet, certificates, managed("a", labels={"env": "prod"}), managed("b"), other)
    hub.add("a", ONE)
    hub.add("b", TWO)
    assert run(hub, "--selector", "vendor=OpenShift,env!=prod").code == 3
    assert verdicts(fleet) == {"b": "blocked"}
    assert hub.clusters["a"].requests == []


def refuse(hub: Hub) -> None:
    hub.api.rules = []


def serve_garbage(hub: Hub) -> None:
    hub.api.faults[CLUSTERS] = Fault("garbage", body=b"{'kind")


def hang(hub: Hub) -> None:
    hub.api.faults[CLUSTERS] = Fault("slow", seconds=30)


def be_no_hub(hub: Hub) -> None:
    hub.api.served.pop("ManagedCluster")


def name_a_path(hub: Hub) -> None:
    body = managed("x")
    hub.api.store["ManagedCluster", "", "../x"] = {**body, "metadata": {"name": "../../\x1b[31mx"}}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (refuse, "init hub-reader"),
        (serve_garbage, "is not JSON"),
        (hang, "no answer within"),
        (be_no_hub, "is no hub"),
        (name_a_path, "which is not a valid name"),
    ],
)
def test_a_hub_that_cannot_be_read_ends_the_run_and_says_why(
    fleet: Fleet, certificates: Certificates, spoil: Callable[[Hub], None], said: str
) -> None:
    hub = Hub(fleet, certificates, managed("a"))
    spoil(hub)
    result = run(hub, *(("--cluster-timeout", "0.5") if spoil is hang else ()))
    assert result.code == 4, result.err
    assert said in result.err
    assert "\x1b" not in result.err
    assert hub.proxy.requests == []
    assert not fleet.result.exists()


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([], f"there is no Route {ENGINE}/cluster-proxy-addon-user"),
        ([route("user@evil.example.com/x?y=")], "which is not the name of a host"),
        ([route("")], "spec.host"),
    ],
)
def test_without_an_address_of_cluster_proxy_no_cluster_is_read(
    fleet: Fleet, certificates: Certificates, objects: list[dict[str, Any]], said: str
) -> None:
    hub = Hub(fleet, certificates, managed("a"), *objects)
    with hub.run(fleet.folder) as kubeconfig:
        result = fleet.run("--kubeconfig", kubeconfig, inventory="hub")
    assert result.code == 4
    assert said in result.err


def test_certificates_of_the_hub_that_are_none_end_the_run(fleet: Fleet, certificates: Certificates) -> None:
    garbage = authorities(certificates)
    garbage["data"]["ca.crt"] = "-----BEGIN CERTIFICATE-----\nÄ\n-----END CERTIFICATE-----\n"
    hub = Hub(fleet, certificates, managed("a"), route("localhost"), garbage)
    with hub.run(fleet.folder) as kubeconfig:
        result = fleet.run("--kubeconfig", kubeconfig, inventory="hub")
    assert result.code == 4
    assert "no PEM certificates" in result.err


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"username": "user", "password": TOKEN}, "takes tokens only"),
        ({"token": TOKEN, "as": "admin"}, "impersonates 'admin'"),
    ],
)
def test_a_login_that_cluster_proxy_does_not_take_is_said_before_any_cluster_is_asked(
    fleet: Fleet, certificates: Certificates, user: dict[str, str], said: str
) -> None:
    hub = Hub(fleet, certificates, managed("a"))
    hub.add("a", ONE)
    with hub.run(fleet.folder):
        kubeconfig = hub.api.kubeconfig(fleet.folder / "other", user=user)
        result = fleet.run("--cluster-proxy", hub.proxy.url, "--kubeconfig", kubeconfig, inventory="hub")
    assert result.code == 4
    assert said in result.err
    assert hub.proxy.requests == []


def test_a_cluster_that_cannot_be_reached_is_a_row_of_its_own(fleet: Fleet, certificates: Certificates) -> None:
    hub = Hub(fleet, certificates, managed("a"), managed("b"), managed("c"), managed("d"))
    hub.add("a", ONE)
    hub.add("d", "11111111-0000-4000-8000-000000000004").token = "another"
    hub.add("b", TWO).faults["*"] = Fault("garbage", body=b"<html>")
    assert run(hub).code == 3
    assert verdicts(fleet) == {"a": "blocked", "b": "undetermined", "c": "undetermined", "d": "undetermined"}
    assert "must know the hub's users" in why(fleet, "d")
    report = (fleet.result / "clusters" / "c" / "report.json").read_text()
    assert "oc -n c get managedclusteraddon cluster-proxy" in report, "it has no path behind the proxy"


@pytest.mark.parametrize("address", ["http://proxy.example.com", "https://u:p@proxy.example.com", "proxy.example.com"])
def test_an_address_that_could_lose_the_token_is_a_usage_error(fleet: Fleet, address: str) -> None:
    result = fleet.run("--cluster-proxy", address, inventory="hub")
    assert result.code == 2
    assert "no https address" in result.err


def test_the_address_is_for_one_hub_and_there_is_no_hub_offline(fleet: Fleet, certificates: Certificates) -> None:
    fleet.add("a")
    assert "no inventory names one" in fleet.run("--cluster-proxy", "https://proxy.example.com").err
    assert "a hub is a live cluster" in fleet.run("--offline", inventory="hub").err
    hub = Hub(fleet, certificates, managed("b"))
    assert "is for one hub" in run(hub, "hub:test").err


def test_a_file_names_clusters_of_the_hub_with_what_is_their_own(fleet: Fleet, certificates: Certificates) -> None:
    hub = Hub(fleet, certificates, managed("a"), managed("b"))
    hub.add("a", ONE)
    file = fleet.folder / "clusters.yaml"
    file.write_text(f"clusters: [{{name: one, cluster: 'hub:a', to: '{fleet.old}'}}]\n")
    assert run(hub, inventory=str(file)).code == 0, "it runs its target"
    assert [cluster["source"] for cluster in fleet.json()["clusters"]] == ["hub:a"]
