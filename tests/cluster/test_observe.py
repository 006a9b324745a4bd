"""Both waves of reads: answers are checked, Secrets stay metadata, and nothing malformed is an exception."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies

from tests.worlds.cluster_objects import (
    EBS_SECRET,
    STORAGE,
    Objects,
    encoded,
    observed,
    sample,
)
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.model import AvailableUpdate, HistoryEntry, Query, SecretRecord
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator


WRONG: tuple[Any, ...] = (None, 7, True, "x", "", [], {}, [[]], [7], [None], {"a": 1}, [{}], {"name": []}, 1.5)


def test_a_healthy_cluster_is_known_in_every_fact() -> None:
    found = observed(sample())
    assert found.id == Known("11111111-2222-4333-8444-555555555555")
    assert found.name == Known("c1-x7k2p")
    assert found.version == found.newest_completed == Known("4.14.3")
    assert found.image == Known("r/x@sha256:4.14.3")
    assert found.history == Known((HistoryEntry("Completed", "4.14.3", "r/x@sha256:4.14.3"),))
    assert found.updating_to == Absent()
    assert found.channel == Known("stable-4.15")
    assert found.offers == Known((AvailableUpdate("4.15.0", "r/x@sha256:b", (), ("stable-4.15",)),))
    assert found.platform == Known("AWS")
    assert found.region == Known("eu-west-1")
    assert found.topology == Known("HighlyAvailable")
    assert found.issuer == Known("https://oidc.example.com/c1")
    assert found.feature_set == Known("Default")
    assert found.feature_gates == Known(frozenset({"Alpha"}))
    assert found.custom_gates == Absent()
    assert found.profile == Known("self-managed-high-availability")
    assert found.excluded == Absent()
    assert found.mode == Known(Mode.MANUAL)
    assert found.annotation == Absent()
    assert found.root_secret == Absent()
    assert found.namespaces == {STORAGE: Known(value=True)}
    assert isinstance(found.secrets[EBS_SECRET], Known)
    assert {line.state for line in rows_of(found)} == {"known", "absent"}


# --- secrets and namespaces ---


@pytest.mark.parametrize("phase", ["Terminating", "terminating", "Active ", "", 0, ["Active"]])
def test_a_namespace_on_its_way_out_is_not_there_to_be_used(phase: Any) -> None:
    objects = sample()
    objects[f"Namespace/{STORAGE}"]["status"] = {"phase": phase}
    assert isinstance(observed(objects).namespaces[STORAGE], Unknown)
    objects[f"Namespace/{STORAGE}"]["status"] = {"phase": "Active"}
    assert observed(objects).namespaces[STORAGE] == Known(value=True)


def test_a_secret_proves_its_namespace() -> None:
    reader = Objects(sample(), {facts_table.namespace_query(STORAGE): Unknown("not collected")})
    found = observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [EBS_SECRET])
    assert found.namespaces[STORAGE] == Known(value=True)


def test_an_answer_that_is_no_record_of_the_secret_asked_for_is_unknown() -> None:
    for wrong in (Known({"data": {"password": "x"}}), Known(SecretRecord(SecretRef("other", "name")))):
        reader = Objects(sample(), {facts_table.secret_query(EBS_SECRET): wrong})
        found = observe.observe_secrets(observe.observe(reader), reader, [], [EBS_SECRET])
        assert isinstance(found.secrets[EBS_SECRET], Unknown)


def test_no_value_of_a_secret_reaches_the_facts() -> None:
    assert "hunter2" not in repr(observed(sample()))
    assert encoded("hunter2") not in repr(observed(sample()))


# --- what is malformed ---


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


def _replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied = copy.deepcopy(body)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


FIRST = sorted(key for key in sample() if not key.startswith(("Secret/", "Namespace/")))


@pytest.mark.parametrize("key", FIRST)
def test_no_wrong_type_anywhere_ends_in_an_exception(key: str) -> None:
    objects = sample()
    for path in _places(objects[key]):
        for value in WRONG:
            found = observed({**objects, key: _replaced(objects[key], path, value)})
            assert len(rows_of(found)) >= 12


@pytest.mark.parametrize(
    ("key", "path", "field"),
    [
        ("ClusterVersion/version", ("status", "history"), "version"),
        ("ClusterVersion/version", ("status",), "capabilities"),
        ("ClusterVersion/version", ("spec", "clusterID"), "id"),
        ("ClusterOperator/cloud-credential", ("status", "conditions"), "operator"),
        ("ClusterOperator/cloud-credential", ("status",), "operator"),
        ("Infrastructure/cluster", ("status", "platformStatus", "type"), "platform"),
        ("Infrastructure/cluster", ("status", "controlPlaneTopology"), "topology"),
        ("Authentication/cluster", ("spec", "serviceAccountIssuer"), "issuer"),
        ("FeatureGate/cluster", ("spec", "featureSet"), "feature_set"),
        ("FeatureGate/cluster", ("status", "featureGates"), "feature_gates"),
        ("CloudCredential/cluster", ("spec",), "mode"),
        ("CloudCredential/cluster", ("spec", "credentialsMode"), "mode"),
        ("CloudCredential/cluster", ("metadata", "annotations"), "annotation"),
        ("Deployment/cluster-version-operator", ("spec", "template"), "profile"),
        ("CredentialsRequest/storage", ("metadata", "finalizers"), "requests"),
    ],
)
def test_a_malformed_field_is_unknown_and_its_object_is_named(key: str, path: tuple[str, ...], field: str) -> None:
    objects = sample()
    found = observed({**objects, key: _replaced(objects[key], path, 7)})
    fact = getattr(found, field)
    assert isinstance(fact, Unknown)
    assert key.replace("/", " ") in fact.reason
    assert any(line.state == "unknown" and key.replace("/", " ") in (line.reason or "") for line in rows_of(found))


@pytest.mark.parametrize("wrong", [7, [], "text", {"kind": "Pod"}, {"metadata": {"name": "other"}}, {"metadata": []}])
def test_an_answer_that_is_another_object_is_unknown(wrong: Any) -> None:
    for query in facts_table.FIRST_WAVE:
        if query.name is None and wrong == []:
            continue  # an empty list is an answer
        reader = Objects(sample(), {query: Known(wrong)})
        found = observe.observe(reader)
        assert any(line.state == "unknown" for line in rows_of(found)), query


def test_an_answer_that_is_missing_is_unknown() -> None:
    class Silent:
        description = "silence"
        collected = None

        def read(self, queries: Any) -> dict[Any, Any]:
            return {}

    found = observe.observe_secrets(observe.observe(Silent()), Silent(), [STORAGE], [EBS_SECRET])
    assert {line.state for line in rows_of(found)} == {"unknown"}


@pytest.mark.parametrize("query", facts_table.FIRST_WAVE, ids=lambda query: query.plural)
def test_a_read_that_failed_is_unknown_with_its_reason_and_remedy(query: Query) -> None:
    reader = Objects(sample(), {query: Unknown("forbidden", "a rule")})
    found = observe.observe(reader)
    unknown = [line for line in rows_of(found) if line.state == "unknown"]
    # Gates are listed per version, so without the version they are not known either.
    assert len(unknown) == (2 if query.plural == "clusterversions" else 1)
    assert "forbidden" in (unknown[0].reason or "")
    assert unknown[0].remedy == "a rule"


_json = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(max_size=8),
    lambda children: (
        strategies.lists(children, max_size=3)
        | strategies.dictionaries(strategies.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(key=strategies.sampled_from(FIRST), value=_json)
def test_no_object_at_all_ends_in_an_exception(key: str, value: Any) -> None:
    objects = sample()
    observed({**objects, key: {**objects[key], "status": value, "spec": value}})
    observed({**objects, key: value})
