"""Policies that a vendor publishes, recognised by their content on AWS."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.generators import vendor_tables
from tests.worlds import vendor_sets
from tests.worlds.aws_exports import ACCOUNT, ROLE, allow, details, document, managed, role
from upgrade_gate.clouds.aws import holdings
from upgrade_gate.clouds.aws.policies import parse_policy
from upgrade_gate.clouds.aws.vendor_sets import content_of
from upgrade_gate.clouds.contract.context import read_context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document, VendorSet
from upgrade_gate.clouds.shared.vendor_table import vendor_table

GET = ("iam:GetUser", "iam:GetUserPolicy", "iam:ListAccessKeys")
"""What the vendor gives the credential operator, in every set."""
NAME = "openshift_cloud_credential_operator_cloud_credential_operator_iam_ro_creds_policy"


def known(*statements: Any, required: tuple[Grant, ...] = (), beside: tuple[Any, ...] = (), **fields: Any) -> Any:
    """Return what a role with these statements is recognised as."""
    export = details(role(*statements, **fields), *beside)
    return holdings.build([Document(export)], ACCOUNT).vendor_sets(ROLE, (required,))


def test_policy_is_recognised_by_its_content_and_its_lack_told() -> None:
    wanted = (Grant("action", GET[0], "Allow", "*"), Grant("action", "ec2:CopyVolumes", "Allow", "*"))
    assert known(allow(*GET), required=wanted) == (
        VendorSet("policy p of role c1-ebs", "ROSA classic 4.14, 4.19", NAME, "2026-08-20", ("ec2:CopyVolumes",)),
    )


@pytest.mark.parametrize(
    "statements",
    [
        (allow(*(name.upper() for name in reversed(GET)), Sid="Other"),),
        (allow(GET[0]), allow(*GET[1:])),
        ({"Effect": "Allow", "Action": list(GET), "Resource": ["*"], "Condition": {}},),
    ],
)
def test_how_it_is_written_says_nothing(statements: tuple[Any, ...]) -> None:
    assert [one.name for one in known(*statements)] == [NAME]


@pytest.mark.parametrize(
    "statements",
    [
        (allow(*GET, "iam:ListUsers"),),
        (allow(*GET[:2]),),
        (allow(*GET, Resource="arn:aws:iam::*:user/*"),),
        (allow(*GET, Condition={"Bool": {"aws:SecureTransport": "true"}}),),
        (allow(*GET[:2]), {"Effect": "Deny", "Action": GET[2], "Resource": "*"}),
        (allow(NotAction=list(GET)) | {"Action": None},),
    ],
)
def test_another_content_is_another_policy(statements: tuple[Any, ...]) -> None:
    assert not known(*statements)


def test_what_another_policy_of_the_role_gives_is_lacking_in_the_set_all_the_same() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/more"
    more = managed(arn, allow("ec2:CopyVolumes"))
    attached = [{"PolicyName": "more", "PolicyArn": arn}]
    wanted = (Grant("action", "ec2:CopyVolumes", "Allow", "*"),)
    (found,) = known(allow(*GET), required=wanted, beside=(more,), AttachedManagedPolicies=attached)
    assert found.lacks == ("ec2:CopyVolumes",)


def test_document_that_is_not_understood_has_no_content() -> None:
    assert content_of(parse_policy("p", document({"Effect": "Allow", "Action": "*", "Resource": "*", "X": 1}))) is None
    assert content_of(parse_policy("p", document(allow("*", Condition={"Bool": 1})))) is None
    assert content_of(parse_policy("p", document())) is None


def test_what_a_release_of_the_path_asks_for_to_the_letter_is_no_vendors_set() -> None:
    asked = tuple(Grant("action", name, "Allow", "*") for name in GET)
    export = [Document(details(role(allow(*GET))))]
    assert not holdings.build(export, ACCOUNT).vendor_sets(ROLE, (asked, (*asked, Grant("action", "ec2:x"))))
    assert holdings.build(export, ACCOUNT).vendor_sets(ROLE, (asked[1:],))


def test_managed_policy_is_a_vendors_set_even_where_a_release_asks_for_just_that() -> None:
    """ccoctl writes inline policies: a managed one of that content is the vendor's, and lacks what the target adds."""
    asked = tuple(Grant("action", name, "Allow", "*") for name in GET)
    target = (*asked, Grant("action", "sts:AssumeRole", "Allow", "*"))
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{NAME}"
    attached = [{"PolicyName": NAME, "PolicyArn": arn}]
    export = [Document(details(role(AttachedManagedPolicies=attached, RolePolicyList=[]), managed(arn, allow(*GET))))]
    (found,) = holdings.build(export, ACCOUNT).vendor_sets(ROLE, (asked, target))
    assert (found.name, found.lacks) == (NAME, ("sts:AssumeRole",))


def test_each_policy_is_looked_at_whatever_the_one_before_it_is() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{NAME}"
    beside, attached = (managed(arn, allow(*GET)),), [{"PolicyName": NAME, "PolicyArn": arn}]
    for inline, found in (
        (allow(*GET), ["policy p of role c1-ebs", f"policy {NAME}"]),
        (allow("ec2:*"), [f"policy {NAME}"]),
    ):
        assert [one.policy for one in known(inline, beside=beside, AttachedManagedPolicies=attached)] == found


def test_nothing_is_lacking_of_what_is_denied_or_not_asked_for() -> None:
    (found,) = known(allow(*GET), required=(Grant("action", "ec2:CopyVolumes", "Deny", "*"),))
    assert found.lacks == ()
    (found,) = holdings.build([Document(details(role(allow(*GET))))], ACCOUNT).vendor_sets(ROLE, ())
    assert found.lacks == ()


def test_identity_that_is_not_there_has_no_sets() -> None:
    assert holdings.build([Document(details())], ACCOUNT).vendor_sets(ROLE, ()) == ()


def test_variable_is_one_only_where_the_version_has_them() -> None:
    one = document(allow("s3:GetObject", Resource="arn:aws:s3:::${aws:RequestedRegion}"))
    assert content_of(parse_policy("p", one)) != content_of(parse_policy("p", {**one, "Version": "2008-10-17"}))


def test_table_is_of_the_corpus(shared: Path) -> None:
    made = vendor_tables.aws(shared / "corpus" / "vendor_policies")
    table = vendor_table(holdings.__package__)
    assert {key: [tuple(e) for e in entries] for key, entries in made["sets"].items()} == {
        key: list(entries) for key, entries in table.sets.items()
    }


def test_every_set_that_serves_a_request_is_recognised_by_its_name(shared: Path) -> None:
    context = read_context(vendor_sets.AWS_CONTEXT, ("cluster-tag",))
    required = vendor_sets.required(vendor_sets.history(shared), "4.20", "AWSProviderSpec")
    lacking: dict[str, tuple[str, ...]] = {}
    for folder, name, request, body in vendor_sets.aws_sets(shared):
        export = details(role(RolePolicyList=[{"PolicyName": "p", "PolicyDocument": json.dumps(body)}]))
        found = holdings.build([Document(export)], ACCOUNT, context).vendor_sets(ROLE, ((), required[request]))
        held = {action.casefold() for s in body["Statement"] for action in s["Action"]}
        to_the_letter = held == {g.permission.casefold() for g in required[request]}
        assert to_the_letter or name in [one.name for one in found], (folder, name)
        lacking[f"{folder}/{request}"] = found[0].lacks if found else ()
    assert lacking["rosa-4.14/openshift-machine-api-aws"] == ("kms:ReEncrypt*",)
    assert "kms:Decrypt" in lacking["rosa-4.19/aws-ebs-csi-driver-operator"]
