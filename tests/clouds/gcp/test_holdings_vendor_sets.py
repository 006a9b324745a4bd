"""Custom roles that a vendor publishes, recognised by their permissions on Google Cloud."""

from pathlib import Path
from typing import Any

from tests.clouds.gcp.test_held import of_project
from tests.clouds.gcp.test_holdings import CUSTOM, SA, bind, custom
from tests.generators import vendor_tables
from tests.worlds import vendor_sets
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.clouds.gcp import holdings
from upgrade_gate.clouds.shared.vendor_table import vendor_table

CNCC = (
    "compute.instances.get",
    "compute.instances.updateNetworkInterface",
    "compute.subnetworks.get",
    "compute.subnetworks.use",
    "compute.zoneOperations.get",
)


def known(*permissions: str, required: tuple[Grant, ...] = ()) -> Any:
    documents = [Document(one) for one in (of_project(bind()), custom(*permissions))]
    return holdings.build(documents, "p1").vendor_sets(SA, (required,))


def test_role_is_recognised_by_its_permissions_whatever_it_is_called() -> None:
    (found,) = known(*reversed(CNCC), required=(Grant("permission", CNCC[0]), Grant("permission", "compute.x.get")))
    assert (found.policy, found.name) == (f"role {CUSTOM}", "cloud_network_config_controller_gcp")
    assert found.published == "OpenShift Dedicated on Google Cloud 4.19, 4.20"
    assert found.lacks == ("compute.x.get",)


def test_one_permission_more_or_less_is_another_role() -> None:
    assert not known(*CNCC, "compute.x.get")
    assert not known(*CNCC[1:])


def test_what_a_release_of_the_path_asks_for_to_the_letter_is_no_vendors_set() -> None:
    assert not known(*CNCC, required=tuple(Grant("permission", name) for name in CNCC))


def test_role_counts_as_a_letter_of_no_release() -> None:
    required = (*(Grant("permission", name) for name in CNCC), Grant("predefinedRole", "roles/dns.admin"))
    assert not known(*CNCC, required=required)


def test_each_role_is_looked_at_by_itself() -> None:
    unknown, asked, first, second, foreign = (f"projects/p1/roles/{name}" for name in "abcde")
    bound = of_project(*(bind(name) for name in (unknown, asked, first, second)), bind(foreign, "user:x"))
    spoilt = custom(name=unknown) | {"includedPermissions": [*CNCC, 7]}
    vendors = [custom(*CNCC, name=name) for name in (first, second, foreign)]
    documents = [Document(one) for one in (bound, spoilt, custom("compute.x.get", name=asked), *vendors)]
    asks = (Grant("permission", "compute.x.get"),)
    found = holdings.build(documents, "p1").vendor_sets(SA, (asks,))
    assert [one.policy for one in found] == [f"role {first}", f"role {second}"]


def test_export_that_tells_nothing_of_the_account_has_no_sets() -> None:
    assert holdings.build([Document({"IsTruncated": True})], "p1").vendor_sets("nobody", ()) == ()


def test_table_is_of_the_corpus(shared: Path) -> None:
    made = vendor_tables.gcp(shared / "corpus" / "vendor_policies")
    table = vendor_table(holdings.__package__)
    assert {key: [tuple(e) for e in entries] for key, entries in made["sets"].items()} == {
        key: list(entries) for key, entries in table.sets.items()
    }


def test_every_account_of_a_template_is_recognised(shared: Path) -> None:
    for template, email, request, export in vendor_sets.gcp_sets(shared):
        found = holdings.build([Document(one) for one in export], vendor_sets.PROJECT).vendor_sets(email, ())
        assert found, (template, request)
