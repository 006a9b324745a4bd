"""What a hub says is taken as it is meant, or not at all."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.worlds.hub import managed, route
from upgrade_gate.base.errors import ClusterError
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.cluster import hub
from upgrade_gate.cluster.model import Query


class Answers:
    """A hub that answers what it was given; anything else is not there."""

    description = "https://hub.example.com"
    collected = None

    def __init__(self, answers: Mapping[Query, Fact[Any]]) -> None:
        self.answers = answers

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        return {query: self.answers.get(query, Absent()) for query in queries}


def listed(*bodies: dict[str, Any]) -> tuple[hub.ManagedCluster, ...]:
    return hub.managed_clusters(Answers({hub.MANAGED_CLUSTERS: Known(bodies)}))


def test_names_labels_and_claims_are_taken() -> None:
    second, first = managed("b"), managed("a", {hub.ID: "1", "id.k8s.io": "2"}, labels={"env": "prod"})
    found = listed(second, first)
    assert [cluster.name for cluster in found] == ["a", "b"]
    assert found[0].labels["env"] == "prod"
    assert found[0].claims == {hub.ID: "1", hub.PRODUCT: "OpenShift"}
    assert {cluster.unready for cluster in found} == {None}
    assert listed({**second, "metadata": {"name": "b"}})[0].unready is None, "no label says that an add-on fails"


def test_only_what_rights_end_names_the_rights() -> None:
    for reason, named in (("list managedclusters: 403 forbidden", True), ("500 InternalError", False)):
        with pytest.raises(ClusterError) as raised:
            hub.managed_clusters(Answers({hub.MANAGED_CLUSTERS: Unknown(reason, "do this")}))
        assert ("do this" in str(raised.value), "init hub-reader" in str(raised.value)) == (True, named)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"name": "A"},
        {"name": "a/b"},
        {"name": ".."},
        {"name": "a\n"},
        {"name": "a" * 64},
        {"name": 1},
        {"name": "a", "labels": {"x": 1}},
        {"name": "a", "labels": {"x": "\x1b]0;"}},
        {"name": "a", "labels": {"\x1b]0;": "x"}},
        {"name": "a", "labels": ["x"]},
    ],
)
def test_a_cluster_without_a_name_or_with_labels_that_are_none_ends_the_run(metadata: dict[str, Any]) -> None:
    with pytest.raises(ClusterError):
        listed(managed("ok"), {**managed("x"), "metadata": metadata})


def test_a_condition_that_contradicts_itself_is_not_available() -> None:
    body = managed("a")
    state = {"type": "ManagedClusterConditionAvailable", "status": "False", "reason": "\x1b[31m"}
    body["status"]["conditions"].append(state)
    assert listed(body)[0].unready == "the hub says that it is not available"


@pytest.mark.parametrize("state", ["true", "", None, "Unknown"])
def test_only_true_is_available(state: str | None) -> None:
    body = managed("a")
    body["status"]["conditions"][-1]["status"] = state
    assert listed(body)[0].unready is not None


def way(engines: Fact[Any], namespace: str = hub.ENGINE, **changes: Fact[Any]) -> hub.ClusterProxy:
    known: dict[Query, Fact[Any]] = {
        hub.ENGINES: engines,
        hub.route(namespace): changes.get("route", Known(route("proxy.example.com", namespace))),
        hub.authorities(namespace): changes.get("authorities", Known({"data": {"ca.crt": "PEM"}})),
    }
    return hub.cluster_proxy(Answers(known))


def test_the_usual_namespace_stands_where_the_engine_is_not_to_be_read() -> None:
    forbidden = Unknown("list multiclusterengines: 403 forbidden")
    assert way(forbidden) == hub.ClusterProxy("https://proxy.example.com", "PEM")
    assert way(Known(({"spec": {}},))).url == "https://proxy.example.com"
    engine = {"metadata": {"name": "mce"}, "spec": {"targetNamespace": "elsewhere"}}
    assert way(Known((engine,)), "elsewhere").url == "https://proxy.example.com"


@pytest.mark.parametrize(
    ("authorities", "said"),
    [
        (Absent(), "there is no ConfigMap"),
        (Unknown("403 forbidden"), "403 forbidden"),
        (Known({"data": {}}), "data.ca.crt"),
        (Known({"data": {"ca.crt": 1}}), "data.ca.crt"),
    ],
)
def test_without_the_hubs_certificates_the_reason_is_kept(authorities: Fact[Any], said: str) -> None:
    found = way(Absent(), authorities=authorities)
    assert found.authorities == ""
    assert found.unread is not None
    assert said in found.unread


@pytest.mark.parametrize(
    "engines",
    [
        Known(({"spec": {"targetNamespace": hub.ENGINE}}, {"spec": {"targetNamespace": hub.ENGINE + "-2"}})),
        Known(({"spec": {"targetNamespace": "../a"}},)),
        Known(({"spec": "x"},)),
    ],
)
def test_an_engine_that_names_no_one_namespace_gives_no_way(engines: Fact[Any]) -> None:
    for namespace in (hub.ENGINE, f"{hub.ENGINE}-2"):
        with pytest.raises(ClusterError, match="the way to its clusters is not known"):
            way(engines, namespace)


@pytest.mark.parametrize(
    "host", ["", "Proxy.example.com:443", "a..b", "-a.example.com", "a.example.com/x", "a b", "a" * 254]
)
def test_a_route_to_what_is_no_host_gives_no_way(host: str) -> None:
    with pytest.raises(ClusterError, match="the way to its clusters is not known"):
        way(Absent(), route=Known(route(host)))
