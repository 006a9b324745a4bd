"""The facts of a cluster: what each object says, what is malformed, and in which mode CCO really runs."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies

from tests.worlds.cluster_objects import CCO, STORAGE, Objects, completed, condition, encoded, sample
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import facts_table, observe, scopes
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.model import AvailableUpdate, ClusterCapabilities, HistoryEntry, Override, Query, SecretRecord
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from upgrade_gate.cluster.facts_table import Cluster

SECRET = SecretRef(STORAGE, "ebs-cloud-credentials")
WRONG: tuple[Any, ...] = (None, 7, True, "x", "", [], {}, [[]], [7], [None], {"a": 1}, [{}], {"name": []}, 1.5)


def observed(objects: dict[str, dict[str, Any]]) -> Cluster:
    """Read both waves of a cluster made of these objects."""
    reader = Objects(objects)
    return observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [SECRET])


def changed(key: str, change: Callable[[dict[str, Any]], None], version: str = "4.14.3") -> Cluster:
    """Observe the sample after one object was changed."""
    objects = sample(version)
    change(objects[key])
    return observed(objects)


def row(found: Cluster, name: str) -> Any:
    """Return a line of the facts."""
    return next(line for line in rows_of(found) if line.name == name)


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
    assert isinstance(found.secrets[SECRET], Known)
    assert {line.state for line in rows_of(found)} == {"known", "absent"}


# --- versions ---


@pytest.mark.parametrize(
    ("history", "running", "newest"),
    [
        # up to 4.21 the highest of all completed, from 4.22 the newest completed (docs/facts/cco.md#annotation)
        (completed("4.14.3"), "4.14.3", "4.14.3"),
        (completed("4.20.1", "4.21.0", "4.20.0"), "4.21.0", "4.20.1"),
        (completed("4.22.1", "4.23.0", "4.22.0"), "4.22.1", "4.22.1"),
        (completed("4.9.8", "4.10.2", "4.9.7"), "4.10.2", "4.9.8"),
        (completed("4.14.3", partial="4.15.0"), "4.14.3", "4.14.3"),
        (completed("4.14.0", "4.14.0-rc.3"), "4.14.0", "4.14.0"),
        (completed("4.14.0-rc.3", "4.14.0"), "4.14.0", "4.14.0-rc.3"),
        (completed("4.15.0-0.nightly-2023-11-01-120000"), "4.15.0-0.nightly-2023-11-01-120000", None),
    ],
)
def test_the_running_version_follows_the_rule_of_its_release(
    history: list[dict[str, Any]], running: str, newest: str | None
) -> None:
    found = changed("ClusterVersion/version", lambda body: body["status"].update(history=history))
    assert found.version == Known(running)
    assert found.newest_completed == Known(newest or running)


@pytest.mark.parametrize(
    "history",
    [[], completed("", "4.14.3"), completed("4.14"), completed("v4.14.3"), completed("4.014.3"), completed("latest")],
)
def test_a_cluster_without_a_valid_completed_version_is_unknown(history: list[dict[str, Any]]) -> None:
    found = changed("ClusterVersion/version", lambda body: body["status"].update(history=history))
    assert isinstance(found.version, Unknown)
    assert isinstance(found.newest_completed, Unknown)
    assert row(found, "ClusterVersion version").state == "unknown"


def test_an_old_completed_entry_without_version_makes_the_highest_unknown_but_not_the_newest() -> None:
    history = completed("4.14.3", "not a version")
    found = changed("ClusterVersion/version", lambda body: body["status"].update(history=history))
    assert isinstance(found.version, Unknown)
    assert found.newest_completed == Known("4.14.3")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"state": "Partial", "version": "4.15.0", "image": "i"}, Known("4.15.0")),
        ({"state": "Partial", "version": "", "image": "r/x@sha256:c"}, Known("r/x@sha256:c")),
        ({"state": "Partial", "version": None, "image": None}, Known("an unnamed release")),
    ],
)
def test_an_update_under_way_is_named(entry: dict[str, Any], expected: Known[str]) -> None:
    found = changed("ClusterVersion/version", lambda b: b["status"].update(history=[entry, *completed("4.14.3")]))
    assert found.updating_to == expected


def test_conditional_updates_carry_their_risks_unless_the_same_version_is_recommended() -> None:
    risk = {"name": "SlowDisks", "message": "disks may be slow", "url": "https://example.com"}
    updates = [
        {"release": {"version": "4.15.0", "image": "r/x@sha256:b"}, "risks": [risk]},
        {"release": {"version": "4.15.1", "image": "r/x@sha256:c"}, "risks": [risk, {"name": "Other"}]},
    ]
    found = changed("ClusterVersion/version", lambda body: body["status"].update(conditionalUpdates=updates))
    assert isinstance(found.offers, Known)
    assert [(offer.version, offer.risks) for offer in found.offers.value] == [
        ("4.15.0", ()),
        ("4.15.1", ("SlowDisks: disks may be slow", "Other")),
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"desired": {"version": "4.14.3", "architecture": "Multi"}}, Known("multi")),
        (
            {"conditions": [condition("ReleaseAccepted", "True", message='version="4.14.3" architecture="arm64"')]},
            Known("arm64"),
        ),
        ({}, Absent()),
    ],
)
def test_the_architecture_is_stated_or_stands_in_a_message(status: dict[str, Any], expected: Any) -> None:
    assert changed("ClusterVersion/version", lambda b: b["status"].update(status)).architecture == expected


def test_overrides_are_read() -> None:
    override = {"group": "apps", "kind": "Deployment", "namespace": "x", "name": "y", "unmanaged": True}
    found = changed("ClusterVersion/version", lambda body: body["spec"].update(overrides=[override]))
    assert found.overrides == Known((Override("apps", "Deployment", "x", "y", unmanaged=True),))


def test_missing_capabilities_are_none_before_they_existed_and_unknown_after() -> None:
    before = changed("ClusterVersion/version", lambda b: b["status"].pop("capabilities"), "4.10.3")
    assert isinstance(before.capabilities, Known)
    assert before.capabilities.value.known == frozenset()
    after = changed("ClusterVersion/version", lambda b: b["status"].pop("capabilities"), "4.11.3")
    assert isinstance(after.capabilities, Unknown)


@pytest.mark.parametrize(
    ("status", "spec"),
    [
        ({"knownCapabilities": ["Storage"], "enabledCapabilities": ["Storage", "Console"]}, {}),
        ({"knownCapabilities": ["Storage"]}, {}),
        ({"knownCapabilities": ["Storage"]}, {"baselineCapabilitySet": "v4.12"}),
    ],
)
def test_capabilities_that_cvo_never_writes_are_unknown(status: dict[str, Any], spec: dict[str, Any]) -> None:
    def change(body: dict[str, Any]) -> None:
        body["status"]["capabilities"] = status
        body["spec"]["capabilities"] = spec

    assert isinstance(changed("ClusterVersion/version", change).capabilities, Unknown)


def test_a_cluster_may_have_no_capability_enabled() -> None:
    def change(body: dict[str, Any]) -> None:
        body["status"]["capabilities"] = {"knownCapabilities": ["Storage"]}
        body["spec"]["capabilities"] = {"baselineCapabilitySet": "None"}

    found = changed("ClusterVersion/version", change).capabilities
    assert found == Known(ClusterCapabilities(frozenset({"Storage"}), frozenset(), "None", frozenset()))


def test_without_a_cluster_version_nothing_that_it_says_reads_as_absent() -> None:
    objects = sample()
    del objects["ClusterVersion/version"]
    found = observed(objects)
    fields = [name for name, line in facts_table.TITLES.items() if line == "ClusterVersion version"]
    assert fields
    for name in fields:
        fact = getattr(found, name)
        assert isinstance(fact, Unknown), name
        assert "not an OpenShift" in fact.reason


# --- infrastructure, gates, profile ---


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"platformStatus": {"type": "gcp"}}, Known("GCP")),
        ({"platformStatus": {"type": ""}, "platform": "VSphere"}, Known("VSphere")),
        ({"platformStatus": None, "platform": "oVirt"}, Known("oVirt")),
        ({"platformStatus": {"type": "Newcloud"}}, Known("Newcloud")),
    ],
)
def test_the_platform_is_read_from_either_place(status: dict[str, Any], expected: Known[str]) -> None:
    assert changed("Infrastructure/cluster", lambda body: body["status"].update(status)).platform == expected


def test_an_issuer_is_absent_only_from_an_authentication_that_is_there() -> None:
    objects = sample()
    objects["Authentication/cluster"]["spec"] = {}
    assert observed(objects).issuer == Absent()
    del objects["Authentication/cluster"]
    assert observed(objects).issuer == Unknown("there is no Authentication cluster, which every cluster has")


def test_a_platform_that_is_nowhere_is_unknown() -> None:
    found = changed("Infrastructure/cluster", lambda body: body["status"].update(platformStatus={}, platform=""))
    assert isinstance(found.platform, Unknown)
    assert isinstance(found.root_secret, Unknown)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"type": "Azure", "azure": {"resourceGroupName": "rg", "networkResourceGroupName": "RG"}}, (("rg",), ())),
        ({"type": "Azure", "azure": {"resourceGroupName": "rg", "networkResourceGroupName": "n"}}, (("rg",), ("n",))),
        ({"type": "GCP", "gcp": {"projectID": "p1", "region": "r"}}, (("p1",), ())),
        ({"type": "IBMCloud", "ibmcloud": {"resourceGroupName": "g", "location": "l"}}, (("g",), ())),
        ({"type": "PowerVS", "powervs": {"resourceGroup": "g"}}, (("g",), ())),
        ({"type": "AWS", "aws": {}}, ((), ())),
    ],
)
def test_what_grants_must_cover_is_the_platforms_own_container(status: dict[str, Any], expected: Any) -> None:
    found = changed("Infrastructure/cluster", lambda body: body["status"].update(platformStatus=status))
    assert (found.scopes, found.network_scopes) == (Known(expected[0]), Known(expected[1]))


def test_ingress_on_azure_must_reach_the_network_and_the_zones_too() -> None:
    # ccoctl, azure create-managed-identities: the lists of docs/facts/azure.md#scopes
    objects = sample()
    azure = {"resourceGroupName": "rg", "networkResourceGroupName": "net"}
    objects["Infrastructure/cluster"]["status"]["platformStatus"] = {"type": "Azure", "azure": azure}
    objects["DNS/cluster"]["spec"].update(
        publicZone={"id": "/subscriptions/s/resourceGroups/zones/providers/Microsoft.Network/dnszones/c1"},
        privateZone={"id": "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Network/privateDnsZones/c1"},
    )
    found = observed(objects)
    assert scopes.request_scopes(found, "AzureProviderSpec", "openshift-ingress-azure") == Known(("rg", "net", "zones"))
    assert scopes.request_scopes(found, "AzureProviderSpec", "openshift-machine-api-azure") == Known(("rg", "net"))
    assert scopes.request_scopes(found, "AzureProviderSpec", "azure-disk-csi-driver-operator") == Known(("rg",))


def test_unknown_scopes_stay_unknown() -> None:
    found = changed("Infrastructure/cluster", lambda b: b["status"].update(platformStatus={"type": "AWS", "gcp": 7}))
    assert isinstance(scopes.request_scopes(found, "AzureProviderSpec", "x"), Unknown)


@pytest.mark.parametrize(
    ("version", "value", "expected"),
    [
        ("4.14.3", "External", Known("External")),
        ("4.7.3", None, Known("HighlyAvailable")),
        ("4.8.3", None, Unknown),
        ("4.7.3", "", Unknown),
    ],
)
def test_the_topology_is_assumed_only_where_there_was_one(version: str, value: str | None, expected: Any) -> None:
    found = changed("Infrastructure/cluster", lambda b: b["status"].update(controlPlaneTopology=value), version)
    assert found.topology == expected if isinstance(expected, Known) else isinstance(found.topology, Unknown)


def test_a_blanked_infrastructure_name_is_unknown() -> None:
    name = "xxxxxxxxxxxxxxxx-xxxxx"
    found = changed("Infrastructure/cluster", lambda body: body["status"].update(infrastructureName=name))
    assert isinstance(found.name, Unknown)


def test_gates_are_those_of_the_running_version_not_the_first_entry() -> None:
    entries = [
        {"version": "4.15.0", "enabled": [{"name": "New"}]},
        {"version": "4.14.3", "enabled": [{"name": "Old"}]},
    ]
    found = changed("FeatureGate/cluster", lambda body: body["status"].update(featureGates=entries))
    assert found.feature_gates == Known(frozenset({"Old"}))


def test_gates_without_an_entry_for_the_running_version_are_unknown() -> None:
    found = changed("FeatureGate/cluster", lambda b: b["status"].update(featureGates=[{"version": "4.13.1"}]))
    assert isinstance(found.feature_gates, Unknown)


@pytest.mark.parametrize("status", [None, {}, {"featureGates": []}, {"featureGates": None}])
def test_a_release_that_lists_no_gates_has_none_to_tell(status: Any) -> None:
    assert changed("FeatureGate/cluster", lambda body: body.update(status=status)).feature_gates == Absent()


def test_custom_gates_are_read_only_under_their_feature_set() -> None:
    custom = {"featureSet": "CustomNoUpgrade", "customNoUpgrade": {"enabled": ["A"], "disabled": ["B"]}}
    found = changed("FeatureGate/cluster", lambda body: body.update(spec=custom))
    assert found.custom_gates == Known((frozenset({"A"}), frozenset({"B"})))
    assert found.feature_set == Known("CustomNoUpgrade")


@pytest.mark.parametrize(
    ("version", "env", "profile"),
    [
        ("4.14.3", [{"name": "CLUSTER_PROFILE", "value": "ibm-cloud-managed"}], Known("ibm-cloud-managed")),
        ("4.6.3", [], Known("self-managed-high-availability")),
        ("4.7.3", [], Unknown),
        ("4.14.3", [{"name": "CLUSTER_PROFILE", "valueFrom": {"fieldRef": {}}}], Unknown),
        ("4.14.3", None, Unknown),
    ],
)
def test_the_profile_is_never_guessed_where_profiles_exist(version: str, env: Any, profile: Any) -> None:
    def change(body: dict[str, Any]) -> None:
        body["spec"]["template"]["spec"]["containers"][0]["env"] = env

    found = changed("Deployment/cluster-version-operator", change, version)
    assert found.profile == profile if isinstance(profile, Known) else isinstance(found.profile, Unknown)


def test_the_exclusion_of_cvo_is_read() -> None:
    def change(body: dict[str, Any]) -> None:
        variables = body["spec"]["template"]["spec"]["containers"][0]["env"]
        variables.append({"name": "EXCLUDE_MANIFESTS", "value": "internal-openshift-hosted"})

    found = changed("Deployment/cluster-version-operator", change)
    assert found.excluded == Known("internal-openshift-hosted")


def test_requests_come_with_what_they_have_been_through() -> None:
    def change(body: dict[str, Any]) -> None:
        body["metadata"].update(
            generation=3,
            finalizers=["cloudcredential.openshift.io/deprovision"],
            ownerReferences=[{"kind": "Subscription", "name": "s"}],
        )
        body["status"] = {
            "provisioned": True,
            "providerStatus": {"apiVersion": "v1", "kind": "AWSProviderStatus", "user": "c1-storage"},
            "conditions": [condition("StaleCredentials", "True")],
        }

    found = changed("CredentialsRequest/storage", change)
    assert isinstance(found.requests, Known)
    (live,) = found.requests.value
    assert (live.id, live.generation, live.provisioned, live.minted) == (f"{CCO}/storage", 3, True, True)
    assert live.finalizers == ("cloudcredential.openshift.io/deprovision",)
    assert live.owners == ("Subscription/s",)
    assert [c.type for c in live.conditions] == ["StaleCredentials"]


def test_a_provider_status_that_only_names_its_kind_was_never_minted() -> None:
    status = {"providerStatus": {"apiVersion": "v1", "kind": "AWSProviderStatus"}}
    found = changed("CredentialsRequest/storage", lambda body: body.update(status=status))
    assert isinstance(found.requests, Known)
    assert not found.requests.value[0].minted


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"annotations": {"cloudcredential.openshift.io/upgradeable-to": "4.15"}}, Known("4.15")),
        ({"annotations": {"cloudcredential.openshift.io/upgradeable-to": ""}}, Known("")),
        ({"annotations": {"other": "4.15"}}, Absent()),
        ({"annotations": None}, Absent()),
    ],
)
def test_the_annotation_is_read_as_it_stands(metadata: dict[str, Any], expected: Any) -> None:
    assert changed("CloudCredential/cluster", lambda b: b["metadata"].update(metadata)).annotation == expected


def test_an_object_without_metadata_says_nothing_about_its_annotations() -> None:
    found = changed("CloudCredential/cluster", lambda body: body.pop("metadata"))
    assert found.mode == Known(Mode.MANUAL)
    assert isinstance(found.annotation, Unknown)


# --- secrets and namespaces ---


def test_a_namespace_on_its_way_out_is_not_there_to_be_used() -> None:
    objects = sample()
    objects[f"Namespace/{STORAGE}"]["status"] = {"phase": "Terminating"}
    assert isinstance(observed(objects).namespaces[STORAGE], Unknown)


def test_a_secret_proves_its_namespace() -> None:
    reader = Objects(sample(), {facts_table.namespace_query(STORAGE): Unknown("not collected")})
    found = observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [SECRET])
    assert found.namespaces[STORAGE] == Known(value=True)


def test_an_answer_that_is_no_record_of_the_secret_asked_for_is_unknown() -> None:
    for wrong in (Known({"data": {"password": "x"}}), Known(SecretRecord(SecretRef("other", "name")))):
        reader = Objects(sample(), {facts_table.secret_query(SECRET): wrong})
        found = observe.observe_secrets(observe.observe(reader), reader, [], [SECRET])
        assert isinstance(found.secrets[SECRET], Unknown)


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

    found = observe.observe_secrets(observe.observe(Silent()), Silent(), [STORAGE], [SECRET])
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
