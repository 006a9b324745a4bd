"""Finding a permission or a request by its whole name, as each cloud compares names, and names that may be meant."""

import pytest

from upgrade_gate.clouds.contract.grants import Grant, cloud_of
from upgrade_gate.requests.history import search
from upgrade_gate.requests.history.table import table

NS = "openshift-cloud-credential-operator"


@pytest.mark.parametrize(
    ("name", "platform", "known"),
    [
        ("ec2:describevolumes", "AWS", True),
        ("MICROSOFT.COMPUTE/VIRTUALMACHINES/READ", "Azure", True),
        ("ALIDNS:adddomainrecord", "AlibabaCloud", True),
        ("compute.instances.get", "GCP", True),
        ("compute.Instances.get", "GCP", False),
        ("crn:v1:bluemix:public:iam::::role:Editor", "PowerVS", True),
        ("crn:v1:bluemix:public:iam::::role:editor", "PowerVS", False),
        ("ec2:Describe*", "AWS", False),
        ("kms:ReEncrypt*", "AWS", True),
        ("kms:ReEncryptFrom", "AWS", False),
        ("ec2:DescribeVolumes", "GCP", False),
        ("ec2:DescribeVolumes", None, True),
    ],
)
def test_a_permission_is_found_by_its_whole_name_as_its_cloud_compares_names(
    name: str, platform: str | None, *, known: bool
) -> None:
    assert search.find(name, platform).known is known


@pytest.mark.parametrize("kind", sorted({str(table().requests[row.request].kind) for row in table().rows}))
def test_case_counts_where_the_cloud_itself_lets_it_count(kind: str) -> None:
    cloud = cloud_of(kind)
    assert cloud is not None
    effect = "Allow" if kind in {"AWSProviderSpec", "AlibabaCloudProviderSpec"} else None
    kinds = {row.grant for row in table().rows if table().requests[row.request].kind == kind}
    type_ = table().grants[min(kinds)].type
    lower, upper = (Grant(type_, name, effect, effect and "*") for name in ("a:b/c", "A:B/C"))
    without_case = cloud.identity(lower) == cloud.identity(upper)
    assert (table().platforms[kind] in search.WITHOUT_CASE) is without_case


def test_a_name_that_two_clouds_have_is_found_on_each_and_on_both() -> None:
    # kms:Decrypt: the EBS driver and others on AWS, the disk driver on Alibaba Cloud
    platforms = [
        {table().platform_of(row.request) for row in search.find("kms:decrypt", asked).rows}
        for asked in ("AWS", "AlibabaCloud", None)
    ]
    assert platforms == [{"AWS"}, {"AlibabaCloud"}, {"AWS", "AlibabaCloud"}]


@pytest.mark.parametrize("name", [f"{NS}/openshift-ingress-azure", "openshift-ingress-azure"])
def test_a_request_is_found_with_and_without_its_namespace(name: str) -> None:
    found = search.find(name, None)
    assert {table().requests[row.request].name for row in found.rows} == {f"{NS}/openshift-ingress-azure"}
    assert "renamed" in {event.name for event in found.request_events}


def test_the_old_name_of_a_renamed_request_leads_to_the_new_one() -> None:
    found = search.find("azure-openshift-ingress", "Azure")
    assert [event.details["was"] for event in found.request_events if event.name == "renamed"] == [
        f"{NS}/azure-openshift-ingress"
    ]


def test_a_platform_picks_one_of_two_requests_of_one_name() -> None:
    # openshift-machine-api was the request of AWS and that of OpenStack, until both got names of their own
    both = search.find("openshift-machine-api", None)
    stack = search.find("openshift-machine-api", "OpenStack")
    assert {table().platform_of(e.request) for e in both.request_events} == {"AWS", "OpenStack", None}
    assert {table().platform_of(e.request) for e in stack.request_events} == {"OpenStack", None}
    assert (stack.rows, stack.known) == ((), True)


@pytest.mark.parametrize(
    ("typed", "platform", "meant"),
    [
        ("ec2:DescribeVolume", "AWS", "ec2:DescribeVolumes"),
        ("DescribeVolumes", "AWS", "ec2:DescribeVolumes"),
        ("Compute.Instances.get", "GCP", "compute.instances.get"),
        ("Microsoft.Compute/virtualMachine/read", "Azure", "Microsoft.Compute/virtualMachines/read"),
        ("ec2:Describe*", "AWS", "ec2:DescribeAvailabilityZones"),
        ("role:editor", "IBMCloud", "crn:v1:bluemix:public:iam::::role:Editor"),
        ("openshift-ingres-azure", None, f"{NS}/openshift-ingress-azure"),
        ("compute.instances.get", "AWS", "compute.instances.get"),
        ("kms", "AlibabaCloud", "kms:Decrypt"),
    ],
)
def test_a_near_miss_is_suggested(typed: str, platform: str | None, meant: str) -> None:
    suggested = search.near(typed, platform)
    assert meant in {one.name for one in suggested}
    assert len(suggested) <= 5


@pytest.mark.parametrize("typed", ["", "x", "zzzzzzzz", "*:*:*:*/"])
def test_a_name_like_no_other_suggests_nothing(typed: str) -> None:
    assert search.near(typed, "GCP") == ()


@pytest.mark.parametrize(
    ("name", "platform", "patterns"),
    [
        ("kms:ReEncryptTo", None, ["kms:ReEncrypt*"]),
        ("KMS:reencryptfrom", "AWS", ["kms:ReEncrypt*"]),
        ("microsoft.compute/disks/write", "Azure", ["Microsoft.Compute/disks/*"]),
        ("kms:ReEncryptTo", "AlibabaCloud", []),
        ("kms:ReEncrypt*", "AWS", []),
        ("kms:Encrypt", "AWS", []),
        ("compute.Instances.get", "GCP", []),
    ],
)
def test_patterns_that_contain_a_permission_are_named(name: str, platform: str | None, patterns: list[str]) -> None:
    assert [one.name for one in search.wider(name, platform)] == patterns


def test_only_names_of_the_platform_are_suggested_where_it_has_any_that_are_near() -> None:
    # kms:Decrypt and kms:DescribeKey are asked for on AWS and on Alibaba Cloud
    assert [(one.name, one.platform) for one in search.near("kms:de", "AlibabaCloud")] == [
        ("kms:Decrypt", "AlibabaCloud"),
        ("kms:DescribeKey", "AlibabaCloud"),
    ]
    assert [one.name for one in search.near("kms:de", None)] == ["kms:Decrypt"] * 2 + ["kms:DescribeKey"] * 2


def test_every_name_of_the_table_is_offered_to_the_shell_once() -> None:
    offered = list(search.names())
    assert len(offered) == len(set(offered))
    assert {"ec2:DescribeVolumes", "Contributor", f"{NS}/openshift-ingress"} <= set(offered)
