"""What each other object says, and what its absence or another type means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds.cluster_objects import (
    CCO,
    Objects,
    changed,
    condition,
    observed,
    sample,
)
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.credentials_mode import Mode


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"platformStatus": {"type": "GCP"}}, Known("GCP")),
        ({"platformStatus": {"type": ""}, "platform": "VSphere"}, Known("VSphere")),
        ({"platformStatus": None, "platform": "oVirt"}, Known("oVirt")),
        ({"platformStatus": {"type": "Newcloud"}}, Known("Newcloud")),
        ({"platformStatus": {"type": "AWS", "aws": {"region": "r"}, "gcp": {}}}, Known("AWS")),
    ],
)
def test_the_platform_is_read_from_either_place(status: dict[str, Any], expected: Known[str]) -> None:
    def change(body: dict[str, Any]) -> None:
        body.update(spec={}, status={**body["status"], "platform": None, **status})

    assert changed("Infrastructure/cluster", change).platform == expected


def test_the_role_of_the_private_zone_is_what_dns_names() -> None:
    role = "arn:aws:iam::444455556666:role/shared-zone"
    named = changed("DNS/cluster", lambda body: body["spec"].update(platform={"aws": {"privateZoneIAMRole": role}}))
    assert named.private_zone_role == Known(role)
    assert observed(sample()).private_zone_role == Absent()
    wrong = changed("DNS/cluster", lambda body: body["spec"].update(platform={"aws": {"privateZoneIAMRole": 7}}))
    assert isinstance(wrong.private_zone_role, Unknown)


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


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("projects/shared/managedZones/z", Known(("shared",))), ("", Known(())), ("z", Unknown)],
)
def test_a_zone_named_in_full_needs_no_infrastructure(zone: str, expected: Any) -> None:
    objects = sample()
    objects["DNS/cluster"]["spec"]["privateZone"] = {"id": zone}
    reader = Objects(objects, {facts_table.INFRASTRUCTURE: Unknown("forbidden")})
    found = observe.observe(reader).zone_projects
    assert found == expected if isinstance(expected, Known) else isinstance(found, Unknown)


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
        ("4.14.3", [{"name": "CLUSTER_PROFILE", "value": "ibm-cloud-managed", "valueFrom": {"fieldRef": {}}}], Unknown),
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


_SPACED = (" {}", "{} ", "{}\n", "{}s")


def _env(body: dict[str, Any]) -> list[dict[str, Any]]:
    (container,) = body["spec"]["template"]["spec"]["containers"]
    env: list[dict[str, Any]] = container.setdefault("env", [])
    return env


@pytest.mark.parametrize("wrong", ["aws", "AWs", *(form.format("AWS") for form in _SPACED[:3])])
def test_a_platform_is_known_letter_by_letter(wrong: str) -> None:
    def change(body: dict[str, Any]) -> None:
        body.update(spec={}, status={**body["status"], "platform": wrong, "platformStatus": {"type": wrong}})

    found = changed("Infrastructure/cluster", change).platform
    assert isinstance(found, Unknown)
    assert found.read


@pytest.mark.parametrize(
    "status",
    [
        {"platformStatus": {"type": "None"}},
        {"platform": "GCP"},
        {"platform": "", "platformStatus": {"type": "GCP", "aws": {"region": "r"}}},
        {"platform": "GCP", "platformStatus": {"type": "GCP"}},
    ],
    ids=["type", "old field", "part of another cloud", "spec"],
)
def test_fields_that_contradict_each_other_are_no_platform(status: dict[str, Any]) -> None:
    found = changed("Infrastructure/cluster", lambda body: body["status"].update(status)).platform
    assert isinstance(found, Unknown)
    assert "contradict" in found.reason


@pytest.mark.parametrize("name", ["HighlyAvailable", "SingleReplica", "DualReplica", "External"])
def test_a_topology_is_known_letter_by_letter(name: str) -> None:
    def topology(text: str) -> Any:
        return changed("Infrastructure/cluster", lambda b: b["status"].update(controlPlaneTopology=text)).topology

    assert topology(name) == Known(name)
    assert all(isinstance(topology(form.format(name)), Unknown) for form in (*_SPACED, name.lower()))


@pytest.mark.parametrize("name", ["self-managed-high-availability", "ibm-cloud-managed", "single-node-developer"])
def test_a_profile_is_known_letter_by_letter(name: str) -> None:
    def profile(*texts: str) -> Any:
        listed = [{"name": "CLUSTER_PROFILE", "value": text} for text in texts]

        def change(body: dict[str, Any]) -> None:
            _env(body)[:] = listed

        return changed("Deployment/cluster-version-operator", change).profile

    assert profile(name) == profile(name, name) == Known(name)
    assert all(isinstance(profile(form.format(name)), Unknown) for form in (*_SPACED, name.upper()))
    assert isinstance(profile(name, "single-node-production-edge"), Unknown)


@pytest.mark.parametrize("wrong", ["default", "TechPreviewNoUpgrade ", "TechPreview"])
def test_a_feature_set_is_known_letter_by_letter(wrong: str) -> None:
    assert isinstance(changed("FeatureGate/cluster", lambda b: b["spec"].update(featureSet=wrong)).feature_set, Unknown)


@pytest.mark.parametrize("status", ["true", "False ", "Maybe"])
def test_a_condition_is_true_false_or_unknown_and_stands_once(status: str) -> None:
    def conditions(*states: str) -> Any:
        listed = [{"type": "Upgradeable", "status": state} for state in states]
        return changed("ClusterOperator/cloud-credential", lambda b: b["status"].update(conditions=listed)).operator

    assert isinstance(conditions("True", "True"), Known)
    assert isinstance(conditions(status), Unknown)
    assert isinstance(conditions("True", "False"), Unknown)


def test_every_vcenter_is_named() -> None:
    listed = {"type": "AWS", "vsphere": {"vcenters": [{"server": "a.example.com"}, {"server": "b.example.com"}]}}
    named = changed("Infrastructure/cluster", lambda body: body.update(spec={"platformSpec": listed}))
    assert named.vcenters == Known(("a.example.com", "b.example.com"))
    assert observed(sample()).vcenters == Known(())
    listed["vsphere"] = {"vcenters": [{"server": 7}]}
    assert isinstance(
        changed("Infrastructure/cluster", lambda b: b.update(spec={"platformSpec": listed})).vcenters, Unknown
    )


def test_addresses_lose_what_authenticates() -> None:
    found = changed(
        "Infrastructure/cluster",
        lambda b: b["status"].update(apiServerURL="https://bob:pw@api.c1.example.com:6443?t=x"),
    )
    assert found.api_url == Known("https://api.c1.example.com:6443")
