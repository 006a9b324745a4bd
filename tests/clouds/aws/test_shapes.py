"""The details of a large account: read only where somebody asks, with the same answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.aws_exports import (
    ACCOUNT,
    MANAGED,
    ROLE,
    USER,
    allow,
    attached,
    boundary,
    bounded,
    deny,
    details,
    document,
    group,
    managed,
    role,
    user,
)
from upgrade_gate.clouds.aws.shapes import ExportReader
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document, Resolves
from upgrade_gate.proof.collect import holdings, load_export
from upgrade_gate.reading import exports

OTHER = f"arn:aws:iam::{ACCOUNT}:role/c1-other"
INLINE = {"RoleName": "c1-other", "PolicyName": "late", "PolicyDocument": document(allow("s3:*"))}
ACTIONS = ("ec2:AttachVolume", "s3:GetObject", "sts:AssumeRole")
WORLDS: dict[str, list[Any]] = {
    "several roles": [details(role(allow("ec2:*")), role(allow("s3:*"), arn=OTHER), user(allow("sts:*")))],
    "managed and bounded": [
        details(
            role(AttachedManagedPolicies=attached(MANAGED), PermissionsBoundary=boundary()),
            managed(MANAGED, allow("*")),
            bounded(allow("ec2:*")),
        )
    ],
    "a policy that is not there": [details(role(AttachedManagedPolicies=attached(MANAGED)))],
    "groups": [details(user(GroupList=["g"]), group("g", allow("ec2:*"), deny("s3:*")))],
    "two documents agree": [details(role(allow("ec2:*"))), details(role(allow("ec2:*")))],
    "two documents disagree": [details(role(allow("ec2:*"))), details(role(allow("s3:*")))],
    "two entries of one list": [details(role(allow("ec2:*")), role(allow("s3:*")))],
    "two policies of one ARN": [
        details(role(AttachedManagedPolicies=attached(MANAGED)), managed(MANAGED, allow("*")), managed(MANAGED)),
    ],
    "a document without an account": [details(role(arn=OTHER, RolePolicyList=None), role(allow("ec2:*"))), INLINE],
    "one name in two accounts": [details(role(allow("*")), role(allow("*"), arn=ROLE.replace(ACCOUNT, "4" * 12)))],
    "an entry without an ARN": [details({**role(allow("ec2:*")), "Arn": None})],
    "what is not an entry": [{"RoleDetailList": [role(allow("ec2:*")), 7, {"Arn": ROLE}], "UserDetailList": None}],
    "one role and a loose list": [details(role(AttachedManagedPolicies=None)), {"AttachedPolicies": attached(MANAGED)}],
    "two ARNs of one role": [details(role(allow("ec2:*")), {**role(), "Arn": ROLE.replace("role/", "role/path/")})],
    "a policy of the organisation among the others": [
        details(role(allow("ec2:*")), {**managed(MANAGED), "Type": "SERVICE_CONTROL_POLICY"}),
    ],
    "another account": [details(role(allow("*"), arn=ROLE.replace(ACCOUNT, "4" * 12)))],
    "a page of more": [details(role(allow("ec2:*")), IsTruncated=True, Marker="m")],
}


def answers(folder: Path) -> list[Any]:
    """Ask for everything that an export can say."""
    found: list[Any] = []
    for wanted in (ACCOUNT, None):
        held = holdings(load_export(folder), "AWSProviderSpec", wanted)
        assert held is not None
        assert isinstance(held, Resolves)
        for identity in (ROLE, OTHER, USER, "c1-ebs", "role/c1-other"):
            found += [held.judge(identity, Grant("action", action, "Allow", "*"), ()) for action in ACTIONS]
            found += [held.resolve(identity), held.find_by_ccoctl_name(identity.rpartition("/")[2])]
            found.append(held.sizes(identity, [Grant("action", "kms:Decrypt", "Allow", "*")]))
        found.append(held.account)
    return found


def test_a_policy_of_the_organisation_and_one_without_an_arn_are_no_managed_policies() -> None:
    guard = {
        "Id": "p-1",
        "Arn": "arn:aws:organizations::9:policy/o-1/p-1",
        "Name": "g",
        "Type": "SERVICE_CONTROL_POLICY",
    }
    bodies = [{"Policies": [guard]}, details({**managed(MANAGED), "Arn": None})]
    assert ExportReader(None).read([Document(body) for body in bodies]).policy_arns() == frozenset()


@pytest.mark.parametrize("name", WORLDS)
def test_a_large_export_answers_as_a_small_one(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, body in enumerate(WORLDS[name]):
        (tmp_path / f"{number}.json").write_text(json.dumps(body))
    small = answers(tmp_path)
    monkeypatch.setattr(exports, "LARGE", 0)
    assert answers(tmp_path) == small


def test_of_a_large_export_only_what_is_asked_for_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [role(allow("s3:*"), arn=f"{OTHER}-{n}", AttachedManagedPolicies=attached(MANAGED)) for n in range(20)]
    policies = [managed(f"{MANAGED}-{n}", allow("*")) for n in range(20)]
    policies += [{**managed(MANAGED), "Arn": None}]
    (tmp_path / "x.json").write_text(json.dumps(details(*others, *policies, role(allow("ec2:*")))))
    monkeypatch.setattr(exports, "LARGE", 0)
    read = ExportReader(ACCOUNT).read(load_export(tmp_path).documents)
    assert not read.principals
    assert not read.policies
    assert read.find("role", "c1-ebs", None) is read.find("role", "c1-ebs", ACCOUNT)
    assert [key[2] for key in read.principals] == ["c1-ebs"]
    assert read.policy(f"{MANAGED}-3") is not None
    assert list(read.policies) == [f"{MANAGED}-3"]
    assert len(read.policy_arns()) == 20
