"""Versions through the cluster's offers and update graphs: from files, and from a server that filters by channel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.worlds.registry_server import Handler, serve
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.cluster.model import AvailableUpdate
from upgrade_gate.payloads.graph import between, has_edge, of_version, parse_graph, resolve_version
from upgrade_gate.payloads.reference import Settings

if TYPE_CHECKING:
    from pathlib import Path


def node(version: str, architecture: str | None = None) -> dict[str, Any]:
    metadata = {"release.openshift.io/architecture": architecture} if architecture else {}
    return {
        "version": version,
        "payload": f"quay.io/release@sha256:{architecture or 'x'}-{version}",
        "metadata": metadata,
    }


def graph(*versions: str, edges: tuple[tuple[int, int], ...] = (), **more: Any) -> dict[str, Any]:
    return {"nodes": [node(v) for v in versions], "edges": [list(e) for e in edges], **more}


def in_file(tmp_path: Path, document: Any) -> Settings:
    path = tmp_path / "graph.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return Settings(graph=str(path))


class GraphHandler(Handler):
    """Cincinnati: one graph for each channel and architecture."""

    def do_GET(self) -> None:  # noqa: N802
        """Answer with the graph of the channel."""
        state: dict[str, Any] = self.server.state  # type: ignore[attr-defined]
        query = parse_qs(urlsplit(self.path).query)
        key = f"{query['channel'][0]} {query['arch'][0]}"
        state.setdefault("asked", []).append(key)
        if self.headers.get("Accept") != "application/json":
            self.answer(406)
        elif state.get("status"):
            self.answer(state["status"], b'{"kind":"failed_to_fetch"}')
        else:
            self.answer(200, json.dumps(state.get(key, {"nodes": [], "edges": []})).encode())


def test_offer_of_the_cluster_needs_no_graph() -> None:
    offers = (AvailableUpdate("4.15.3", "quay.io/release@sha256:offered"),)

    assert resolve_version("4.15.3", Settings(offline=True), offered=offers) == "quay.io/release@sha256:offered"


def test_version_is_found_in_a_file_even_offline(tmp_path: Path) -> None:
    settings = Settings(graph=in_file(tmp_path, graph("4.15.2", "4.15.3")).graph, offline=True)

    assert resolve_version("4.15.3", settings) == "quay.io/release@sha256:x-4.15.3"


def test_unknown_version_lists_what_is_near(tmp_path: Path) -> None:
    versions = [f"4.15.{patch}" for patch in range(30)]
    settings = in_file(tmp_path, graph("4.14.9", *versions))

    with pytest.raises(UsageError) as caught:
        resolve_version("4.15.40", settings)

    assert "4.15.40 is not in the update graph" in caught.value.message
    assert "4.15.22, 4.15.23, 4.15.24, 4.15.25, 4.15.26, 4.15.27, 4.15.28, 4.15.29" in str(caught.value)
    assert "4.14.9" not in str(caught.value)


def test_unknown_minor_lists_the_minors_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"versions of 4\.14, 4\.15 only, up to 4\.15\.1"):
        resolve_version("4.20.1", in_file(tmp_path, graph("4.14.1", "4.15.1")))


def test_empty_graph_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no version at all"):
        resolve_version("4.20.1", in_file(tmp_path, graph()))


@pytest.mark.parametrize("upstream", [None, "https://graph.corp/graph"])
def test_offline_lookup_over_the_network_is_a_usage_error_that_names_the_file_forms(upstream: str | None) -> None:
    with pytest.raises(UsageError, match="--offline") as caught:
        resolve_version("4.15.3", Settings(offline=True), upstream=upstream)

    assert "--graph FILE" in str(caught.value)
    assert "dir:PATH" in str(caught.value)


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.json"):
        resolve_version("4.15.3", Settings(graph=str(tmp_path / "absent.json")))


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ([], "holds no nodes"),
        ({"nodes": {}}, "holds no nodes"),
        ({"nodes": ["4.15.3"]}, "node without a version"),
        ({"nodes": [{"payload": "x"}]}, "node without a version"),
        ({"nodes": [{"version": "4.15.3"}]}, "4.15.3 has no payload"),
        ({"nodes": [{"version": "4.15.3", "payload": "--insecure"}]}, "4.15.3 has no payload"),
        (graph("4.15.3", edges=((0, 1),)), "names no two of its nodes"),
        (graph("4.15.3", edges=((0, -1),)), "names no two of its nodes"),
        ({**graph("4.15.3"), "edges": [["a", "b"]]}, "names no two of its nodes"),
    ],
)
def test_broken_graph_is_a_source_error_that_names_it(document: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        resolve_version("4.15.3", in_file(tmp_path, document))

    assert "graph.json" in str(caught.value)


def test_edges_and_conditional_edges_are_edges(tmp_path: Path) -> None:
    conditional = [{"edges": [{"from": "4.14.1", "to": "4.15.2"}], "risks": [{"name": "SomeRisk"}]}]
    settings = in_file(tmp_path, graph("4.14.1", "4.15.1", "4.15.2", edges=((0, 1),), conditionalEdges=conditional))

    assert has_edge("4.14.1", "4.15.1", settings)
    assert has_edge("4.14.1", "4.15.2", settings)
    assert not has_edge("4.15.1", "4.14.1", settings)
    assert not has_edge("4.15.1", "4.15.2", settings)
    assert not has_edge("4.13.0", "4.15.2", settings)


def test_architecture_chooses_among_nodes_of_one_version() -> None:
    nodes = [node("4.15.3", "multi"), node("4.15.3", "arm64"), node("4.15.3", "amd64")]
    content = json.dumps({"nodes": nodes, "edges": []}).encode()

    assert parse_graph(content, "g", "arm64").payloads["4.15.3"].endswith("arm64-4.15.3")
    assert parse_graph(content, "g", "amd64").payloads["4.15.3"].endswith("amd64-4.15.3")


def test_server_is_asked_for_channel_and_architecture() -> None:
    state: dict[str, Any] = {"fast-4.15 arm64": graph("4.15.3")}
    with serve(GraphHandler, state) as host:
        settings = Settings(graph=f"http://{host}/graph?channel=x&id=1", channel="fast-4.15", architecture="arm64")

        assert resolve_version("4.15.3", settings) == "quay.io/release@sha256:x-4.15.3"

    assert state["asked"] == ["fast-4.15 arm64"]


def test_channels_are_tried_from_the_clusters_to_candidate() -> None:
    state: dict[str, Any] = {"candidate-4.15 amd64": graph("4.15.3")}
    with serve(GraphHandler, state) as host:
        url = f"http://{host}/graph"

        assert resolve_version("4.15.3", Settings(), upstream=url, channel="eus-4.14").endswith("4.15.3")
        assert state["asked"] == ["eus-4.14 amd64", "stable-4.15 amd64", "candidate-4.15 amd64"]


def test_named_channel_decides_alone_and_the_error_names_it() -> None:
    state: dict[str, Any] = {"candidate-4.15 amd64": graph("4.15.3")}
    with serve(GraphHandler, state) as host:
        settings = Settings(graph=f"http://{host}/graph?token=hunter2", channel="stable-4.15")

        with pytest.raises(UsageError, match=r"channel stable-4\.15, amd64") as caught:
            resolve_version("4.15.3", settings)

    assert state["asked"] == ["stable-4.15 amd64"]
    assert "hunter2" not in str(caught.value)


def test_server_that_refuses_is_a_source_error() -> None:
    with serve(GraphHandler, {"status": 404}) as host, pytest.raises(SourceError, match="answered 404"):
        resolve_version("4.15.3", Settings(graph=f"http://{host}/graph"))


def test_graph_option_wins_over_the_clusters_upstream(tmp_path: Path) -> None:
    settings = in_file(tmp_path, graph("4.15.3"))

    assert resolve_version("4.15.3", settings, upstream="https://never.asked/graph").endswith("4.15.3")


def conditional(*edges: tuple[str, str], risk: object = None) -> dict[str, Any]:
    """A group of conditional updates with one risk."""
    told = {"name": "Broken", "message": "It breaks."} if risk is None else risk
    return {"edges": [{"from": old, "to": new} for old, new in edges], "risks": [told]}


def test_conditional_updates_keep_their_risks_unless_the_graph_recommends_them_as_well() -> None:
    edges = (("4.14.1", "4.15.1"), ("4.14.1", "4.15.2"))
    document = graph("4.14.1", "4.15.1", "4.15.2", edges=((0, 1),), conditionalEdges=[conditional(*edges)])
    found = parse_graph(json.dumps(document).encode(), "g", "amd64")
    assert found.edges == set(edges)
    assert found.risks == {("4.14.1", "4.15.2"): ("Broken: It breaks.",)}


@pytest.mark.parametrize("risk", [{}, [], {"name": 3}])
def test_a_risk_without_a_name_is_a_risk_all_the_same(risk: object) -> None:
    group = conditional(("4.14.1", "4.15.1"), risk=risk)
    found = parse_graph(json.dumps(graph("4.14.1", "4.15.1", conditionalEdges=[group])).encode(), "g", "amd64")
    assert found.risks == {("4.14.1", "4.15.1"): ("a risk that the graph does not name",)}


def test_conditional_updates_that_cannot_be_read_are_counted() -> None:
    groups = ["x", {"edges": [{"from": "4.14.1"}, None]}]
    found = parse_graph(json.dumps(graph("4.14.1", conditionalEdges=groups)).encode(), "g", "amd64")
    assert (found.unread, found.edges) == (3, frozenset())


def test_on_the_way_to_a_minor_the_stable_channel_of_each_minor_is_asked_and_the_clusters_own() -> None:
    state: dict[str, Any] = {
        "fast-4.14 amd64": graph("4.14.1", "4.15.1", conditionalEdges=[conditional(("4.14.1", "4.15.1"))]),
        "stable-4.15 amd64": graph("4.14.1", "4.15.1", edges=((0, 1),)),
        "stable-4.16 amd64": graph("4.15.1", "4.16.1", edges=((0, 1),)),
    }
    with serve(GraphHandler, state) as url:
        found = between("4.14.1", (4, 16), Settings(graph=f"http://{url}/between"), channel="fast-4.14")
    assert state["asked"] == ["fast-4.14 amd64", "stable-4.14 amd64", "stable-4.15 amd64", "stable-4.16 amd64"]
    assert set(found.payloads) == {"4.14.1", "4.15.1", "4.16.1"}
    assert found.edges == {("4.14.1", "4.15.1"), ("4.15.1", "4.16.1")}
    assert found.risks == {}


def test_a_version_that_no_graph_has_is_a_usage_error(tmp_path: Path) -> None:
    settings = in_file(tmp_path, graph("4.15.2"))
    assert "4.15.2" in of_version("4.15.2", settings).payloads
    with pytest.raises(UsageError, match=r"4\.15\.3 is not in the update graph"):
        of_version("4.15.3", settings)
