"""What the facts of a cluster say about where, and under which conditions, a grant is used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.worlds.cluster_objects import Objects, sample
from upgrade_gate.base.facts import Known, Unknown
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.rows import rows_of
from upgrade_gate.proof.context import Places, context_of, places_of

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.cluster.facts_table import Cluster

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
NODES = ("m@p1.iam.gserviceaccount.com", "w@p1.iam.gserviceaccount.com")
INSTALLED = "platform: {gcp: {projectID: p1, networkProjectID: host}}\n"


def machine(email: str) -> dict[str, Any]:
    return {"providerSpec": {"value": {"serviceAccounts": [{"email": email, "scopes": []}]}}}


def google(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return the objects of a cluster on GCP; a change replaces an object, None takes it away."""
    objects: dict[str, Any] = sample()
    gcp = {"type": "GCP", "gcp": {"projectID": "p1", "region": "europe-west1"}}
    objects["Infrastructure/cluster"]["spec"] = {}
    objects["Infrastructure/cluster"]["status"] |= {"platform": "GCP", "platformStatus": gcp}
    control = {"template": {"machines_v1beta1_machine_openshift_io": {"spec": machine(NODES[0])}}}
    objects |= {
        "ConfigMap/cloud-provider-config": {"data": {"config": "[global]\nproject-id = p1\n"}},
        "ConfigMap/cluster-config-v1": {"data": {"install-config": INSTALLED}},
        "MachineSet/a": {"spec": {"template": {"spec": machine(NODES[1])}}},
        "ControlPlaneMachineSet/cluster": {"metadata": {"name": "cluster"}, "spec": control},
    }
    for key, body in changes.items():
        kind, _, name = key.partition("_")
        objects[f"{kind}/{name.replace('_', '-')}"] = body
    return {key: body for key, body in objects.items() if body is not None}


def observed(objects: dict[str, dict[str, Any]], *, proof: bool = True, **answers: Any) -> Cluster:
    reader = Objects(objects, {getattr(facts_table, name): fact for name, fact in answers.items()})
    return observe.observe_secrets(observe.observe(reader), reader, [], [], proof=proof)


def context(cluster: Cluster) -> Context:
    return context_of(cluster, NOW, account=None, assume=())


def dns(**zones: str) -> dict[str, Any]:
    return {"metadata": {"name": "cluster"}, "spec": {"baseDomain": "b"} | {k: {"id": v} for k, v in zones.items()}}


def test_an_aws_cluster_says_region_name_and_the_role_of_its_private_zone() -> None:
    objects = sample()
    role = "arn:aws:iam::999988887777:role/zone"
    objects["DNS/cluster"]["spec"]["platform"] = {"type": "AWS", "aws": {"privateZoneIAMRole": role}}
    found = context(observed(objects))
    assert (found.region, found.infrastructure_name, found.private_zone_role) == ("eu-west-1", "c1-x7k2p", role)
    assert found.now == "2026-11-30T12:00:00+00:00"
    assert context(observed(sample())).private_zone_role is None


@pytest.mark.parametrize(
    ("zones", "projects"),
    [
        ({}, ()),
        ({"publicZone": "projects/z/managedZones/a", "privateZone": "b"}, ("z", "p1")),
        ({"publicZone": "a"}, ("p1",)),
        ({"privateZone": "projects/z/managedZones/a"}, ("z",)),
    ],
)
def test_zones_name_their_projects(zones: dict[str, str], projects: tuple[str, ...]) -> None:
    assert context(observed(google(DNS_cluster=dns(**zones)))).dns_projects == projects


def test_the_networks_project_is_told_by_the_cloud_providers_configuration_first() -> None:
    shared = {"data": {"config": "[global]\nproject-id = p1\nnetwork-project-id = hostp\n"}}
    assert context(observed(google())).network_project == "p1"
    assert context(observed(google(ConfigMap_cloud_provider_config=shared))).network_project == "hostp"
    assert context(observed(google(ConfigMap_cloud_provider_config=None))).network_project == "host"


@pytest.mark.parametrize(
    ("provider", "installed", "said"),
    [
        ({"data": {"config": ""}}, {"data": {"install-config": INSTALLED}}, "host"),
        ({"data": {}}, {"data": {"install-config": INSTALLED}}, "host"),
        (None, None, "neither ConfigMap cloud-provider-config nor ConfigMap cluster-config-v1 says it"),
        ({"data": {}}, {"data": {}}, "install-config"),
        (None, {"data": {"install-config": "metadata: {name: c1}"}}, "platform"),
        (None, {"data": {"install-config": "platform: {gcp: {projectID: p1}}"}}, "p1"),
    ],
)
def test_the_networks_project_is_the_cluster_s_own_only_where_something_was_read_that_names_no_other(
    provider: Any, installed: Any, said: str
) -> None:
    changed = {"ConfigMap_cloud_provider_config": provider, "ConfigMap_cluster_config_v1": installed}
    found = context(observed(google(**changed)))
    assert said in (found.network_project or found.unread["network_project"])
    assert (found.network_project is None) is (said not in ("host", "p1"))


@pytest.mark.parametrize(
    ("line", "project", "unread"),
    [
        ("Network-Project-ID = hostp", "hostp", ""),
        ("network-projectid = hostp", None, "'network-projectid', which is no setting"),
        ("network-name = n", "p1", ""),
    ],
)
def test_a_misspelt_setting_of_the_cloud_provider_is_not_read_as_absent(
    line: str, project: str | None, unread: str
) -> None:
    config = {"data": {"config": f"[global]\nproject-id = p1\n{line}\n"}}
    found = context(observed(google(ConfigMap_cloud_provider_config=config, ConfigMap_cluster_config_v1=None)))
    assert found.network_project == project
    assert unread in found.unread.get("network_project", "")


@pytest.mark.parametrize("zone", ["project/z/managedZones/a", "projects/z/managedzones/a", "projects/z"])
def test_a_zone_that_cannot_be_read_is_not_taken_for_one_of_the_cluster_s_project(zone: str) -> None:
    found = context(observed(google(DNS_cluster=dns(publicZone=zone, privateZone="b"))))
    assert found.dns_projects is None
    assert zone in found.unread["dns_projects"]


@pytest.mark.parametrize(
    ("zone", "groups"),
    [
        ("/subscriptions/S1/resourceGroups/dns-rg/providers/Microsoft.Network/dnszones/z", Known(("dns-rg",))),
        ("/subscriptions/S1/resourceGroups/c1-rg/providers/Microsoft.Network/dnszones/z", Known(())),
        ("/subscriptions/S1/resourceGroup/dns-rg/providers/Microsoft.Network/dnszones/z", None),
        ("Z0123", Known(())),
        ("", Known(())),
    ],
)
def test_the_group_of_azure_s_zone_is_in_its_id(zone: str, groups: Any) -> None:
    objects = sample()
    status = {"type": "Azure", "azure": {"resourceGroupName": "c1-rg"}}
    objects["Infrastructure/cluster"]["spec"] = {}
    objects["Infrastructure/cluster"]["status"] |= {"platform": "Azure", "platformStatus": status}
    found = observed(objects | {"DNS/cluster": dns(publicZone=zone)}).zone_scopes
    assert found == groups or (groups is None and isinstance(found, Unknown))


@pytest.mark.parametrize(
    "text", ["{", "a: [", "- 1\n---\n- 2\n", "platform: {gcp: {networkProjectID: 7}}", "platform: x"]
)
def test_an_install_config_that_cannot_be_read_leaves_the_project_open(text: str) -> None:
    broken = {"data": {"install-config": text}}
    found = context(observed(google(ConfigMap_cloud_provider_config=None, ConfigMap_cluster_config_v1=broken)))
    assert found.network_project is None
    assert found.unread["network_project"]


def test_nodes_run_as_what_their_machine_sets_say() -> None:
    assert context(observed(google())).node_service_accounts == NODES
    assert context(observed(google(ControlPlaneMachineSet_cluster=None))).node_service_accounts == NODES[1:]
    broken = {"spec": {"template": {"spec": {"providerSpec": {"value": {"serviceAccounts": "all"}}}}}}
    found = context(observed(google(MachineSet_a=broken)))
    assert found.node_service_accounts == NODES[:1]
    assert "serviceAccounts" in found.unread["node_service_accounts"]
    cut: Any = {"spec": {"template": {"spec": {"providerSpec": {}}}}}
    assert context(observed(google(MachineSet_a=cut))).node_service_accounts == NODES[:1], "the other is known"


def test_what_is_known_of_other_projects_and_of_the_nodes_accounts_is_what_a_live_reader_is_told() -> None:
    zones = dns(publicZone="projects/z/managedZones/a", privateZone="b")
    told = places_of(observed(google(DNS_cluster=zones, ConfigMap_cloud_provider_config=None)))
    assert told == Places(("z", "p1", "host"), NODES)
    assert places_of(observed(google(), MACHINE_SETS=Unknown("forbidden"), DNS=Unknown("no"))) == Places(
        ("p1",), NODES[:1]
    )
    assert places_of(None) == places_of(observed(sample())) == Places()


def test_what_the_user_says_and_the_clusters_own_scope_stand_in_the_context() -> None:
    cluster = observed(google())
    found = context_of(cluster, NOW, account="p1", assume=("cluster-tag",))
    assert (found.account, found.assume) == ("p1", ("cluster-tag",))
    assert (found.project, found.resource_group_id) == ("p1", "p1")
    for scopes in (Unknown("forbidden"), Known(())):
        assert context(replace(cluster, facts={**cluster.facts, "scopes": scopes})).project is None
    unread = observed(google(ControlPlaneMachineSet_cluster=None), MACHINE_SETS=Unknown("forbidden"))
    assert context(unread).node_service_accounts is None, "not none at all"


def test_what_was_forbidden_is_said_with_its_reason() -> None:
    found = context(observed(google(), MACHINE_SETS=Unknown("forbidden"), DNS=Unknown("no answer")))
    assert found.unread == {
        "private_zone_role": "no answer",
        "dns_projects": "no answer",
        "node_service_accounts": "forbidden",
    }


def test_only_proof_on_its_own_platform_asks_for_these_objects() -> None:
    asked = {"ConfigMap cloud-provider-config", "ConfigMap cluster-config-v1", "MachineSets"}
    with_proof = {row.name for row in rows_of(observed(google()))}
    assert asked <= with_proof
    assert not asked & {row.name for row in rows_of(observed(google(), proof=False))}
    assert not asked & {row.name for row in rows_of(observed(sample()))}
    assert observed(google(), proof=False).facts["worker_accounts"] == Unknown("MachineSets was not asked for")
    assert isinstance(observed(google()).facts["worker_accounts"], Known)


@pytest.mark.parametrize("platform", ["IBMCloud", "PowerVS"])
def test_a_cluster_on_ibm_cloud_names_the_instances_that_hold_its_zones(platform: str) -> None:
    objects = sample()
    place = {"resourceGroupName": "c1-rg", "dnsInstanceCRN": "crn:dns", "cisInstanceCRN": "crn:cis"}
    status = {"type": platform, platform.lower(): place}
    objects["Infrastructure/cluster"]["spec"] = {}
    objects["Infrastructure/cluster"]["status"] |= {"platform": platform, "platformStatus": status}
    found = context(observed(objects))
    assert (found.dns_instance, found.cis_instance) == ("crn:dns", "crn:cis")
    del place["dnsInstanceCRN"]
    assert context(observed(objects)).dns_instance is None


@pytest.mark.parametrize(
    ("platform", "text", "group"),
    [
        ("IBMCloud", "platform: {ibmcloud: {region: eu-de, networkResourceGroupName: net}}", "net"),
        ("IBMCloud", "platform: {ibmcloud: {region: eu-de}}", "c1-rg"),
        ("IBMCloud", "platform: {ibmcloud: {networkResourceGroupName: [net]}}", None),
        ("PowerVS", "platform: {powervs: {vpcName: v}}", None),
    ],
)
def test_the_installers_configuration_says_the_group_of_the_vpc_on_ibm_cloud(
    platform: str, text: str, group: str | None
) -> None:
    objects = sample() | {"ConfigMap/cluster-config-v1": {"data": {"install-config": text}}}
    status = {"type": platform, platform.lower(): {"resourceGroupName": "c1-rg", "resourceGroup": "c1-rg"}}
    objects["Infrastructure/cluster"]["spec"] = {}
    objects["Infrastructure/cluster"]["status"] |= {"platform": platform, "platformStatus": status}
    found = context(observed(objects))
    assert found.vpc_group == group
    assert ("vpc_group" in found.unread) is (group is None)
