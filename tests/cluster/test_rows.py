"""The lines of "read 9 of 11 facts": one per object, unknown as soon as one fact of it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.worlds.cluster_objects import EBS_SECRET, STORAGE, Objects, observed, sample, with_facts
from upgrade_gate.base.facts import Unknown
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from upgrade_gate.cluster.facts_table import Cluster


def _for_proof(platform: str) -> Cluster:
    """Return a cluster of which everything was read, what proof rests on too: that depends on the platform."""
    objects = sample()
    infrastructure = objects["Infrastructure/cluster"]
    infrastructure["spec"] = {}
    infrastructure["status"] |= {"platform": platform, "platformStatus": {"type": platform, platform.lower(): {}}}
    reader = Objects(objects)
    return observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [EBS_SECRET], proof=True)


@pytest.fixture(params=["AWS", "GCP"])
def for_proof(request: pytest.FixtureRequest) -> tuple[str, Cluster]:
    """A cluster of one of the platforms on which proof reads more."""
    return request.param, _for_proof(request.param)


def test_the_lines_of_the_facts_name_each_object_that_was_read() -> None:
    assert [line.name for line in rows_of(observed(sample()))] == [
        "ClusterVersion version",
        "ClusterOperator cloud-credential",
        "Infrastructure cluster",
        "Authentication cluster",
        "FeatureGate cluster",
        "DNS cluster",
        "CloudCredential cluster",
        "ConfigMap cloud-credential-operator-config",
        "Deployment cluster-version-operator",
        "CredentialsRequests",
        f"Namespace {STORAGE}",
        f"Secrets of {STORAGE}",
        "Secret kube-system/aws-creds",
    ]


def test_every_field_of_a_cluster_that_is_a_fact_has_its_line() -> None:
    names = {line.name for platform in ("AWS", "GCP") for line in rows_of(_for_proof(platform))}
    assert set(facts_table.TITLES.values()) <= names


def test_a_line_is_unknown_where_any_fact_behind_it_is(for_proof: tuple[str, Cluster]) -> None:
    platform, cluster = for_proof
    assert "unknown" not in {line.state for line in rows_of(cluster)}
    for fact in (one for one in facts_table.FACTS if platform in (one.only or {platform})):
        rows = rows_of(with_facts(cluster, **{fact.name: Unknown("not a text", "a remedy")}))
        unknown = [line for line in rows if line.state == "unknown"]
        assert [(line.name, line.reason, line.remedy) for line in unknown] == [
            (facts_table.TITLES[fact.name], "not a text", "a remedy")
        ], fact.name


def test_a_network_resource_group_that_is_no_text_makes_the_line_of_its_object_unknown() -> None:
    objects = sample()
    objects["Infrastructure/cluster"]["status"]["platformStatus"]["azure"] = {"networkResourceGroupName": 7}
    (line,) = [line for line in rows_of(observed(objects)) if line.name == "Infrastructure cluster"]
    assert (line.state, line.value) == ("unknown", None)
    assert "networkResourceGroupName" in (line.reason or "")


def test_a_second_look_at_secrets_replaces_the_first() -> None:
    reader = Objects(sample())
    once = observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [EBS_SECRET])
    assert rows_of(observe.observe_secrets(once, reader, [STORAGE], [EBS_SECRET])) == rows_of(once)
