"""Alibaba Cloud: a policy beside those in place, documents of version 1, ccoctl from 4.10 to 4.16."""

import json

import pytest

from tests.worlds.identity_changes import action, change, cluster_names, parsed, step
from upgrade_gate.base.steps import Serves
from upgrade_gate.clouds.alibabacloud import remedy

KIND = "AlibabaCloudProviderSpec"
HERE = cluster_names("AlibabaCloud", token=False, region="us-east-1", ccoctl_name="c1")


def test_all_that_is_needed_goes_into_a_policy_of_its_own() -> None:
    both = (action("ecs:New"), action("ecs:Old", "acs:ecs:*"))
    draft = remedy.draft(change(KIND, both[:1], before=both, ccoctl="c1-x"), HERE)
    create, _, attach = step(draft, Serves.GRANTS).commands
    assert create.line.argv[:5] == ("aliyun", "ram", "CreatePolicy", "--PolicyName", "c1-x-upgrade-gate")
    assert create.unless.argv[2] == "GetPolicy"
    assert attach.line.argv[-2:] == ("--UserName", "c1-x")
    assert len(parsed(draft, "-policy.json")["Statement"]) == 2
    assert json.loads(create.line.argv[-1]) == parsed(draft, "-policy.json")
    delta = {"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["ecs:New"], "Resource": "*"}]}
    assert parsed(draft, "-delta.json") == delta


def test_a_policy_of_an_earlier_upgrade_gets_a_new_version() -> None:
    """`GetPolicy` finds it, so `CreatePolicy` is left out: what is new now must reach it all the same."""
    both = (action("ecs:New"), action("ecs:Old"))
    draft = remedy.draft(change(KIND, both[:1], before=both, ccoctl="c1-x"), HERE)
    _, write, attach = step(draft, Serves.GRANTS).commands
    assert write.line.argv[:5] == ("aliyun", "ram", "CreatePolicyVersion", "--PolicyName", "c1-x-upgrade-gate")
    words = write.line.argv
    assert json.loads(words[words.index("--PolicyDocument") + 1]) == parsed(draft, "-policy.json")
    assert words[words.index("--SetAsDefault") + 1] == "true"
    assert "DeleteOldestNonDefaultVersionWhenLimitExceeded" in words, "RAM keeps five versions"
    assert attach.done == "EntityAlreadyExists.User.Policy"


def test_the_policy_of_a_user_without_a_known_name_carries_the_clusters() -> None:
    """Policies are the account's: two clusters in it must not write the same one."""
    here = cluster_names("AlibabaCloud", token=False, infrastructure="c1-x7k2p")
    grant = step(remedy.draft(change(KIND, [action("ecs:New")]), here), Serves.GRANTS)
    assert grant.commands[0].line.argv[4] == "c1-x7k2p-openshift-x-x-credentials-upgrade-gate"


def test_a_new_user_is_made_first() -> None:
    draft = remedy.draft(change(KIND, [action("ecs:New")], ccoctl="c1-x", create=True), HERE)
    created = draft.steps[0]
    assert created.first
    assert created.commands[0].line.argv == ("aliyun", "ram", "CreateUser", "--UserName", "c1-x")
    assert created.commands[0].unless.argv == ("aliyun", "ram", "GetUser", "--UserName", "c1-x")


def test_a_user_name_is_cut_at_64() -> None:
    draft = remedy.draft(change(KIND, [action("ecs:New")], ccoctl="c" * 80), HERE)
    assert step(draft, Serves.GRANTS).commands[2].line.argv[-1] == "c" * 64


def test_without_a_name_there_is_a_placeholder() -> None:
    grant = step(remedy.draft(change(KIND, [action("ecs:New")]), HERE), Serves.GRANTS)
    assert [p.name for p in grant.placeholders] == ["ALIBABA_USER_OPENSHIFT_X_X_CREDENTIALS"]


def test_the_clean_up_is_for_a_person() -> None:
    draft = remedy.draft(change(KIND, target=(action("ecs:Kept"),), gone=(action("ecs:Old"),)), HERE)
    assert not step(draft, Serves.CLEAN_UP).scripted
    assert parsed(draft, "-policy-after.json")["Statement"][0]["Action"] == ["ecs:Kept"]


@pytest.mark.parametrize(
    ("release", "there"), [((4, 9), False), ((4, 10), True), ((4, 16), True), ((4, 17), False)], ids=str
)
def test_ccoctl_has_it_from_4_10_to_4_16(release: tuple[int, int], there: bool) -> None:
    offer = remedy.ccoctl([change(KIND)], cluster_names("AlibabaCloud", release=release))
    assert (offer is not None) is there


def test_a_secret_and_terraform_hold_no_value() -> None:
    text = remedy.secret_value("credentials", change(KIND), HERE)
    assert text is not None
    assert text.count("<FILL_ME") == 2
    assert remedy.secret_value("other", change(KIND), HERE) is None
    (entry,) = remedy.draft(change(KIND, [action("ecs:New")], ccoctl="c1-x"), HERE).terraform
    assert set(remedy.terraform([entry])["locals"]["upgrade_gate_alibabacloud_policies"]) == {"c1-x"}
