"""AWS: documents within the quotas, nothing that stands there lost, names cut, boundaries told."""

import re
from typing import Any

import jmespath
import pytest

from tests.worlds.identity_changes import ISSUER, action, change, cluster_names, parsed, step, subjects, unknown
from upgrade_gate.base.steps import BundleFile, Placeholder, Serves
from upgrade_gate.clouds.aws import remedy, remedy_documents
from upgrade_gate.clouds.contract.holdings import ccoctl_name
from upgrade_gate.clouds.contract.remedy import ClusterNames, HeldNarrowly, IdentityChange

KIND = "AWSProviderSpec"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/c1-x"
HOST = "oidc.example.com/c1"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"


def trusting(*subs: str, **more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{HOST}:sub": list(subs), **more}},
    }


def account(**role: Any) -> dict[str, Any]:
    """Return account details with one role."""
    entry = {
        "RoleName": "c1-x",
        "Arn": ROLE,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusting("system:serviceaccount:a:b")]},
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        **role,
    }
    return {"RoleDetailList": [entry], "UserDetailList": [], "GroupDetailList": [], "Policies": []}


def inline(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}


def here(*documents_: Any, **fields: Any) -> ClusterNames:
    return cluster_names("AWS", *documents_, **{"account": ACCOUNT, "issuer": ISSUER, "region": "eu-west-1", **fields})


def allowed(body: dict[str, Any]) -> set[str]:
    return {a for s in body["Statement"] for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}


# policies -------------------------------------------------------------------------------------------------------


def test_without_an_export_the_document_is_the_union_and_the_loss_is_named() -> None:
    both = (action("ec2:New"), action("ec2:Old"))
    draft = remedy.draft(change(KIND, [both[0]], before=both, identity=ROLE), here())
    assert allowed(parsed(draft, "-policy.json")) == {"ec2:New", "ec2:Old"}
    assert allowed(parsed(draft, "-delta.json")) == {"ec2:New"}
    grant = step(draft, Serves.GRANTS)
    assert grant.commands[0].line.argv == (
        *("aws", "iam", "put-role-policy", "--role-name", "c1-x", "--policy-name", "c1-x"),
        *("--policy-document", "file://aws/c1-x-policy.json"),
    )
    assert any("replaces an inline policy" in note for note in grant.notes)


def test_an_identity_to_be_filled_in_gets_a_policy_named_after_the_secret() -> None:
    """Somebody may fill in one role for several Secrets: under the role's own name each would replace the last."""
    commands = step(remedy.draft(change(KIND, [action("ec2:New")]), here()), Serves.GRANTS).commands
    argv = commands[0].line.argv
    assert argv[argv.index("--policy-name") + 1] == "openshift-x-x-credentials-upgrade-gate"


def test_with_an_export_every_statement_stays() -> None:
    hand_made = {"Sid": "Ours", "Effect": "Deny", "NotAction": "s3:*", "Resource": "arn:aws:s3:::b/*"}
    export = account(RolePolicyList=[inline("c1-x", hand_made)])
    draft = remedy.draft(change(KIND, [action("ec2:New")], identity=ROLE), here(export))
    body = parsed(draft, "-policy.json")
    assert body["Statement"][0] == hand_made
    assert body["Statement"][1] == {"Effect": "Allow", "Action": ["ec2:New"], "Resource": "*"}
    assert not any("replaces" in note for note in step(draft, Serves.GRANTS).notes)


def test_the_only_inline_policy_is_extended_under_its_own_name() -> None:
    export = account(RolePolicyList=[inline("by-terraform", {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"})])
    draft = remedy.draft(change(KIND, [action("ec2:New")], identity=ROLE), here(export))
    argv = step(draft, Serves.GRANTS).commands[0].line.argv
    assert argv[argv.index("--policy-name") + 1] == "by-terraform"


def test_beside_several_policies_a_new_one_is_put() -> None:
    export = account(RolePolicyList=[inline("a"), inline("b")])
    draft = remedy.draft(change(KIND, [action("ec2:New")], identity=ROLE), here(export))
    argv = step(draft, Serves.GRANTS).commands[0].line.argv
    assert argv[argv.index("--policy-name") + 1] == "c1-x"


def test_conditions_and_resources_make_statements_of_their_own() -> None:
    grants = [action("kms:CreateGrant", condition={"Bool": {"kms:GrantIsForAWSResource": True}}), action("kms:Decrypt")]
    body = parsed(remedy.draft(change(KIND, grants, identity=ROLE), here()), "-delta.json")
    assert {
        "Effect": "Allow",
        "Action": ["kms:CreateGrant"],
        "Resource": "*",
        "Condition": {"Bool": {"kms:GrantIsForAWSResource": True}},
    } in body["Statement"]
    assert len(body["Statement"]) == 2


MANY = [action(f"ec2:DoSomethingQuiteLongNumber{n:04d}") for n in range(400)]


def test_what_is_too_large_for_a_role_goes_into_managed_policies() -> None:
    """400 actions of 36 characters are over 10,240 inline and need three managed policies of 6,144."""
    draft = remedy.draft(change(KIND, MANY, identity=ROLE), here())
    parts = [n for n in draft.files if "-policy-" in n]
    assert parts == [f"aws/c1-x-policy-{n}.json" for n in (1, 2, 3)]
    bodies = [parsed(draft, name) for name in parts]
    assert all(remedy_documents.size(body) <= 6_144 for body in bodies)
    assert set().union(*map(allowed, bodies)) == {g.permission for g in MANY}
    commands = step(draft, Serves.GRANTS).commands
    each = ["create-policy", "delete-policy-version", "create-policy-version", "attach-role-policy"]
    assert [c.line.argv[2] for c in commands] == each * 3
    assert commands[3].line.argv[-1].startswith(f"arn:aws:iam::{ACCOUNT}:policy/c1-x-upgrade-gate-1")


def test_managed_policies_that_stand_are_not_written_over() -> None:
    """An earlier upgrade made the first; the export shows it, so what is new goes into the next."""
    name = "c1-x-upgrade-gate-1"
    attached = [{"PolicyName": name, "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"}]
    export = account(RolePolicyList=[inline("a"), inline("b")], AttachedManagedPolicies=attached)
    export["Policies"] = [
        {
            "PolicyName": name,
            "Arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}",
            "DefaultVersionId": "v1",
            "PolicyVersionList": [
                {
                    "VersionId": "v1",
                    "IsDefaultVersion": True,
                    "Document": remedy_documents.document([action("ec2:Earlier")]),
                }
            ],
        }
    ]
    draft = remedy.draft(change(KIND, MANY, identity=ROLE), here(export))
    commands = step(draft, Serves.GRANTS).commands
    made = (c.line.argv for c in commands if c.line.argv[2] == "create-policy")
    names = [argv[argv.index("--policy-name") + 1] for argv in made]
    assert names == [f"c1-x-upgrade-gate-{n}" for n in (2, 3, 4)]


def test_managed_policies_of_an_identity_without_a_name_carry_the_clusters() -> None:
    """Policies are the account's: two clusters in it must not write the same one."""
    draft = remedy.draft(change(KIND, MANY), here(infrastructure="c1-x7k2p"))
    argv = step(draft, Serves.GRANTS).commands[0].line.argv
    assert argv[argv.index("--policy-name") + 1] == "c1-x7k2p-openshift-x-x-credentials-upgrade-gate-1"


def test_policies_in_place_count_towards_the_quota() -> None:
    filler = inline("other", {"Effect": "Allow", "Action": ["s3:" + "x" * 10_150], "Resource": "*"})
    export = account(RolePolicyList=[filler, inline("second")])
    draft = remedy.draft(change(KIND, [action("ec2:New")], before=(action("ec2:Old"),), identity=ROLE), here(export))
    assert [n for n in draft.files if "-policy" in n] == ["aws/c1-x-policy-1.json"]
    assert allowed(parsed(draft, "-policy-1.json")) == {"ec2:New"}, "what is held already is not written again"


def test_a_user_has_a_smaller_quota() -> None:
    user = f"arn:aws:iam::{ACCOUNT}:user/path/c1-x"
    draft = remedy.draft(change(KIND, MANY[:80], identity=user), here(token=False))
    assert step(draft, Serves.GRANTS).commands[3].line.argv[2:5] == ("attach-user-policy", "--user-name", "c1-x")


def test_many_attached_policies_are_told() -> None:
    attached = [{"PolicyName": f"m{n}", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/m{n}"} for n in range(9)]
    draft = remedy.draft(change(KIND, MANY, identity=ROLE), here(account(AttachedManagedPolicies=attached)))
    assert any("9 policies are attached already" in note for note in step(draft, Serves.GRANTS).notes)


@pytest.mark.parametrize("limit", [300, 1_000, 6_144])
def test_a_split_loses_nothing_and_keeps_the_limit(limit: int) -> None:
    parts = remedy_documents.split(MANY, limit)
    assert all(remedy_documents.size(part) <= limit for part in parts)
    assert sorted(a for p in parts for s in p["Statement"] for a in s["Action"]) == sorted(g.permission for g in MANY)


def test_a_policy_with_five_versions_gets_room() -> None:
    """The oldest that is not in force goes, and only where the document is another one."""
    commands = step(remedy.draft(change(KIND, MANY, identity=ROLE), here()), Serves.GRANTS).commands
    made, room, written, _ = commands[:4]
    assert made.unless.argv[2] == "get-policy"
    assert (room.where.argv[2], room.prints) == ("list-policy-versions", "5")
    assert room.shows == written.shows
    (oldest,) = (p for p in room.line.parts if isinstance(p, Placeholder))
    assert oldest.printed_by is not None
    versions = [
        {"VersionId": "v2", "IsDefaultVersion": False, "CreateDate": "2026-02"},
        {"VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2026-01"},
        {"VersionId": "v3", "IsDefaultVersion": False, "CreateDate": "2026-03"},
    ]
    query = oldest.printed_by.argv[oldest.printed_by.argv.index("--query") + 1]
    assert jmespath.search(query, {"Versions": versions}) == "v2"


# what somebody narrowed -----------------------------------------------------------------------------------------

OWN_NET = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
NARROW = HeldNarrowly(action("ec2:Snap"), "statement 1 of policy c1-x allows it only for arn:aws:ec2:*:*:volume/*")


def test_what_is_held_narrowly_is_left_to_a_person() -> None:
    draft = remedy.draft(change(KIND, before=(action("ec2:Snap"),), identity=ROLE, narrower=(NARROW,)), here())
    (only,) = draft.steps
    assert (only.scripted, only.commands) == (False, ())
    assert "1 permission" in only.title
    assert any(NARROW.how in note for note in only.notes)
    assert allowed(parsed(draft, "-loosened.json")) == {"ec2:Snap"}
    assert remedy.terraform(draft.terraform)["data"]["aws_iam_policy_document"]["c1-x"]["statement"] == []


def test_beside_what_is_narrow_only_what_is_missing_is_granted() -> None:
    """A role whose policies are managed ones gets the delta, not the whole set: that would widen the rest."""
    attached = [{"PolicyName": "m", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/m"}]
    needed = (action("ec2:New"), action("ec2:Snap"))
    one = change(KIND, needed[:1], before=needed, identity=ROLE, narrower=(NARROW,), sighted=True)
    draft = remedy.draft(one, here(account(AttachedManagedPolicies=attached)))
    assert allowed(parsed(draft, "-policy.json")) == {"ec2:New"}


def test_what_is_held_in_a_form_that_does_not_serve_is_told() -> None:
    other = {"Effect": "Allow", "Action": "ec2:New", "Resource": "arn:aws:ec2:us-east-2:1:volume/*"}
    draft = remedy.draft(
        change(KIND, [action("ec2:New")], identity=ROLE), here(account(RolePolicyList=[inline("c1-x", other)]))
    )
    notes = step(draft, Serves.GRANTS).notes
    assert any("allows it only for arn:aws:ec2:us-east-2" in note and "loosens" in note for note in notes)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ({"Condition": OWN_NET}, "aws:SourceIp"),
        ({"Resource": "arn:aws:ec2:eu-west-1:1:*"}, "arn:aws:ec2:eu-west-1:1:*"),
    ],
    ids=["condition", "resource"],
)
def test_a_limit_of_everything_that_is_held_is_told(limit: dict[str, Any], told: str) -> None:
    """The new permission is no wider form of a held one, but whoever limited all of them would want to know."""
    statements = [{"Effect": "Allow", "Action": name, "Resource": "*", **limit} for name in ("ec2:A", "ec2:B")]
    export = account(RolePolicyList=[inline("c1-x", *statements)])
    draft = remedy.draft(change(KIND, [action("s3:New")], identity=ROLE), here(export))
    assert any(told in note and "; what is added " in note for note in step(draft, Serves.GRANTS).notes)
    free = account(RolePolicyList=[inline("c1-x", *statements, {"Effect": "Allow", "Action": "x:Y", "Resource": "*"})])
    draft = remedy.draft(change(KIND, [action("s3:New")], identity=ROLE), here(free))
    assert not any("; what is added " in note for note in step(draft, Serves.GRANTS).notes)


def test_a_policy_that_nobody_could_read_is_not_replaced() -> None:
    export = account(RolePolicyList=[{"PolicyName": "c1-x", "PolicyDocument": "%%"}, inline("b")])
    argv = step(remedy.draft(change(KIND, [action("ec2:New")], identity=ROLE), here(export)), Serves.GRANTS).commands[0]
    assert argv.line.argv[argv.line.argv.index("--policy-name") + 1] == "c1-x-upgrade-gate"


def test_an_inline_policy_that_says_the_same_is_not_written_again() -> None:
    (put,) = step(remedy.draft(change(KIND, [action("ec2:New")], identity=ROLE), here()), Serves.GRANTS).commands
    assert put.unless.argv[2] == "get-role-policy"
    assert isinstance(put.shows, BundleFile)
    assert put.shows.name == "aws/c1-x-policy.json"


def test_ccoctl_says_what_it_loosens() -> None:
    offer = remedy.ccoctl([change(KIND, identity=ROLE, narrower=(NARROW,))], here())
    assert offer is not None
    assert any("widens what is held in a narrower form: ec2:Snap" in trap for trap in offer.traps)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_every_arn_has_the_partition_of_the_region(region: str, partition: str) -> None:
    new = change(KIND, MANY, create=True, untrusted=subjects("x-sa"))
    names = here(region=region)
    draft = remedy.draft(new, names)
    offer = remedy.ccoctl([new], names)
    assert offer is not None
    words = [w for s in draft.steps for c in s.commands for one in c.lines for w in one.argv] + [*offer.line.argv]
    found = {
        part
        for word in (*words, *(f.decode() for f in draft.files.values()))
        for part in re.findall("arn:[a-z-]+", word)
    }
    assert found == {f"arn:{partition}"}


# boundaries -----------------------------------------------------------------------------------------------------


def bounded(*statements: dict[str, Any]) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/b"
    body = account(PermissionsBoundary={"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn})
    version = {
        "VersionId": "v1",
        "IsDefaultVersion": True,
        "Document": {"Version": "2012-10-17", "Statement": list(statements)},
    }
    if statements:
        policy = {"PolicyName": "b", "Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [version]}
        body["Policies"] = [policy]
    return body


def notes_under(boundary: dict[str, Any]) -> str:
    grants = [action("ec2:Inside"), action("s3:Outside")]
    return " ".join(step(remedy.draft(change(KIND, grants, identity=ROLE), here(boundary)), Serves.GRANTS).notes)


def test_what_lies_outside_the_boundary_is_said() -> None:
    notes = notes_under(bounded({"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}))
    assert "s3:Outside" in notes
    assert "ec2:Inside" not in notes


def test_a_boundary_that_allows_all_is_not_mentioned() -> None:
    assert "boundary" not in notes_under(bounded({"Effect": "Allow", "Action": "*", "Resource": "*"}))


def test_a_boundary_that_was_not_exported_is_told() -> None:
    assert f"boundary arn:aws:iam::{ACCOUNT}:policy/b is not in the export" in notes_under(bounded())


# trust ----------------------------------------------------------------------------------------------------------


def lacking(**fields: Any) -> IdentityChange:
    return change(KIND, identity=ROLE, untrusted=subjects("new-sa"), **fields)


def test_a_trust_policy_that_was_seen_gets_the_subject_beside_the_others() -> None:
    draft = remedy.draft(lacking(), here(account()))
    (statement,) = parsed(draft, "-trust.json")["Statement"]
    assert statement == trusting("system:serviceaccount:a:b", "system:serviceaccount:openshift-x:new-sa")
    assert step(draft, Serves.TRUST).commands[0].line.argv[2] == "update-assume-role-policy"


@pytest.mark.parametrize(
    "held",
    [
        trusting("system:serviceaccount:a:b", **{f"{HOST}:aud": "openshift"}),
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {**trusting("s"), "Principal": {"Federated": PROVIDER + "-other"}},
        {**trusting("s"), "Effect": "Deny"},
        {**trusting("s"), "Condition": {"StringLike": {f"{HOST}:sub": "system:serviceaccount:*"}}},
        {**trusting("s"), "Condition": {"StringEquals": {f"{HOST}:sub": 7}}},
        {**trusting("s"), "Condition": {"StringEquals": {f"{HOST}:sub": {"x": "s"}}}},
        {**trusting("s"), "Condition": {"StringEquals": {f"{HOST}:sub": ["s", 7]}}},
    ],
    ids=["audience", "service", "other provider", "deny", "pattern", "number", "object", "list with a number"],
)
def test_a_statement_of_another_kind_stays_as_it_is(held: dict[str, Any]) -> None:
    export = account(AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": held})
    first, second = parsed(remedy.draft(lacking(), here(export)), "-trust.json")["Statement"]
    assert first == held
    assert second == trusting("system:serviceaccount:openshift-x:new-sa")


def test_a_subject_of_null_admits_nobody_and_gets_those_that_it_lacks() -> None:
    empty = {**trusting(), "Condition": {"StringEquals": {f"{HOST}:sub": None}}}
    export = account(AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": empty})
    (statement,) = parsed(remedy.draft(lacking(), here(export)), "-trust.json")["Statement"]
    assert statement == trusting("system:serviceaccount:openshift-x:new-sa")


def test_a_trust_policy_that_was_not_seen_is_never_replaced_by_the_tool() -> None:
    draft = remedy.draft(lacking(), here())
    trust = step(draft, Serves.TRUST)
    assert [n for n in draft.files if "trust" in n] == ["aws/c1-x-trust-delta.json"]
    (merged,) = (p for p in trust.placeholders if p.path)
    assert merged.default == ""
    assert merged.mentions == ("system:serviceaccount:openshift-x:new-sa",)
    assert trust.commands[0].line.argv[-1] == f"file://{merged}"


def test_a_region_that_the_list_lacks_has_no_partition_until_somebody_says_it() -> None:
    names = here(region="mars-south-1")
    draft = remedy.draft(change(KIND, [action("ec2:New")], create=True, untrusted=subjects("new-sa")), names)
    (statement,) = parsed(draft, "-trust.json")["Statement"]
    arn = f"arn:<FILL_ME: AWS_PARTITION>:iam::{ACCOUNT}:oidc-provider/{HOST}"
    assert statement["Principal"]["Federated"] == arn
    assert "AWS_PARTITION" in {p.name for step in draft.steps for p in step.placeholders}
    offer = remedy.ccoctl([change(KIND, [action("ec2:New")], create=True)], names)
    assert offer is not None
    assert arn in offer.line.argv


def test_a_long_trust_policy_is_told() -> None:
    held = trusting(*(f"system:serviceaccount:openshift-namespace-{n}:account" for n in range(60)))
    export = account(AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [held]})
    notes = step(remedy.draft(lacking(), here(export)), Serves.TRUST).notes
    assert any("over 2048" in note for note in notes)


def test_an_unknown_issuer_is_to_be_filled_in() -> None:
    draft = remedy.draft(lacking(), here(issuer=None))
    assert {p.name for p in step(draft, Serves.TRUST).placeholders} >= {"OIDC_ISSUER_HOST"}
    assert "<FILL_ME: OIDC_ISSUER_HOST>" in str(parsed(draft, "-trust-delta.json"))


# new identities -------------------------------------------------------------------------------------------------


def test_a_new_role_is_named_and_cut_as_ccoctl_does() -> None:
    name = ccoctl_name(
        KIND, "a-rather-long-cluster-name", "openshift-cluster-csi-drivers", "ebs-cloud-credentials", "r"
    )
    assert len(name) == 64
    new = change(KIND, [action("ec2:New")], ccoctl=name, create=True, untrusted=subjects("x-sa"))
    draft = remedy.draft(new, here())
    create = step(draft, Serves.TRUST).commands[0]
    assert create.line.argv[:5] == ("aws", "iam", "create-role", "--role-name", name)
    assert create.unless.argv == ("aws", "iam", "get-role", "--role-name", name)
    assert parsed(draft, "-trust.json")["Statement"] == [trusting("system:serviceaccount:openshift-x:x-sa")]
    assert [s.serves for s in draft.steps] == [Serves.TRUST, Serves.GRANTS]


def test_without_any_name_there_is_a_placeholder() -> None:
    draft = remedy.draft(change(KIND, [action("ec2:New")]), here(account=None))
    grant = step(draft, Serves.GRANTS)
    assert "<FILL_ME: AWS_ROLE_OPENSHIFT_X_X_CREDENTIALS>" in grant.commands[0].line.argv
    assert "aws/openshift-x-x-credentials-policy.json" in draft.files
    assert "<FILL_ME" not in grant.title


def test_with_keys_the_identity_is_a_user() -> None:
    new = change(KIND, [action("ec2:New")], identity="AKIAIOSFODNN7EXAMPLE")
    grant = step(remedy.draft(new, here(token=False)), Serves.GRANTS)
    (user,) = (p for p in grant.placeholders if p.name.startswith("AWS_USER"))
    assert "AKIAIOSFODNN7EXAMPLE" in user.meaning
    assert grant.commands[0].line.argv[2] == "put-user-policy"


def test_an_access_key_leads_to_its_user_by_the_export() -> None:
    keys = {"AccessKeyMetadata": [{"UserName": "c1-user", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active"}]}
    new = change(KIND, [action("ec2:New")], identity="AKIAIOSFODNN7EXAMPLE")
    grant = step(remedy.draft(new, here(keys, token=False)), Serves.GRANTS)
    assert grant.commands[0].line.argv[3:5] == ("--user-name", "c1-user")


def test_a_new_user_is_made_without_printing_a_key() -> None:
    draft = remedy.draft(change(KIND, [action("ec2:New")], create=True), here(token=False))
    assert [c.line.argv[2] for s in draft.steps for c in s.commands] == ["create-user", "put-user-policy"]


# clean-up -------------------------------------------------------------------------------------------------------


def test_the_clean_up_leaves_what_was_added_by_hand() -> None:
    held = {"Effect": "Allow", "Action": ["ec2:Old", "ec2:Kept", "s3:ByHand"], "Resource": "*"}
    export = account(RolePolicyList=[inline("c1-x", held)])
    draft = remedy.draft(
        change(KIND, identity=ROLE, target=(action("ec2:Kept"),), gone=(action("EC2:old"),)), here(export)
    )
    assert allowed(parsed(draft, "-policy-after.json")) == {"ec2:Kept", "s3:ByHand"}
    after = step(draft, Serves.CLEAN_UP)
    assert after.when == "after"
    assert after.scripted


def test_the_clean_up_keeps_the_delta() -> None:
    export = account(RolePolicyList=[inline("c1-x", {"Effect": "Allow", "Action": "ec2:Old", "Resource": "*"})])
    new = change(KIND, [action("ec2:New")], identity=ROLE, gone=(action("ec2:Old"),))
    assert allowed(parsed(remedy.draft(new, here(export)), "-policy-after.json")) == {"ec2:New"}


def test_the_clean_up_keeps_what_of_a_wildcard_the_target_asks_for_by_its_name() -> None:
    limited = {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*", "Condition": OWN_NET}
    others = {"Effect": "Allow", "Action": ["s3:Get*", "s3:GetObject", "iam:Old"], "Resource": "*"}
    export = account(RolePolicyList=[inline("c1-x", limited, others)])
    target = (action("ec2:DescribeVolumes"), action("s3:GetObject", "arn:aws:s3:::b/*"), action("s3:*Acl"))
    gone = tuple(action(name) for name in ("EC2:describe*", "s3:GetObject", "s3:Get*", "iam:Old"))
    draft = remedy.draft(change(KIND, identity=ROLE, target=target, gone=gone), here(export))
    assert parsed(draft, "-policy-after.json")["Statement"] == [
        limited | {"Action": ["ec2:DescribeVolumes"]},
        others | {"Action": ["s3:Get*", "s3:GetObject"]},
    ], "what is a part of no pattern that is held (s3:*Acl) leaves the pattern as it is"
    after = step(draft, Serves.CLEAN_UP)
    assert after.scripted
    assert any(note.startswith("s3:GetObject: the target asks for it in a narrower form") for note in after.notes)


def test_a_users_policies_are_cleaned_by_a_person() -> None:
    user = f"arn:aws:iam::{ACCOUNT}:user/u"
    draft = remedy.draft(change(KIND, identity=user, target=(action("a:B"),), gone=(action("a:C"),)), here(token=False))
    assert not step(draft, Serves.CLEAN_UP).scripted


def test_a_subject_is_taken_out_of_the_trust_by_a_person() -> None:
    draft = remedy.draft(change(KIND, identity=ROLE, gone_subjects=subjects("old-sa")), here())
    after = step(draft, Serves.CLEAN_UP)
    assert "old-sa" in after.title
    assert not after.scripted


# the rest -------------------------------------------------------------------------------------------------------


def test_the_partition_follows_the_region() -> None:
    draft = remedy.draft(change(KIND, MANY, ccoctl="c1-x"), here(region="us-gov-west-1"))
    assert any("arn:aws-us-gov:iam::" in word for c in step(draft, Serves.GRANTS).commands for word in c.line.argv)


def test_a_role_secret_says_what_belongs_there_and_holds_no_value() -> None:
    text = remedy.secret_value("credentials", change(KIND, identity=ROLE), here())
    assert text is not None
    assert f"role_arn = <FILL_ME: {ROLE}>" in text
    assert "web_identity_token_file = /var/run/secrets/openshift/serviceaccount/token" in text
    assert remedy.secret_value("aws_access_key_id", change(KIND), here(token=False)) is None
    keys = remedy.secret_value("credentials", change(KIND), here(token=False))
    assert keys is not None
    assert keys.count("<FILL_ME") == 2


def test_terraform_is_a_policy_document_and_nothing_else() -> None:
    grants = [action("kms:CreateGrant", condition={"Bool": {"kms:GrantIsForAWSResource": True}})]
    (entry,) = remedy.draft(change(KIND, grants, identity=ROLE), here()).terraform
    body = remedy.terraform([entry])
    assert body == {
        "data": {
            "aws_iam_policy_document": {
                "c1-x": {
                    "version": "2012-10-17",
                    "statement": [
                        {
                            "effect": "Allow",
                            "actions": ["kms:CreateGrant"],
                            "resources": ["*"],
                            "condition": [
                                {"test": "Bool", "variable": "kms:GrantIsForAWSResource", "values": ["true"]}
                            ],
                        }
                    ],
                }
            }
        }
    }


def test_ccoctl_comes_with_its_traps() -> None:
    offer = remedy.ccoctl([change(KIND, identity=ROLE, gone=(action("a:B"),))], here(release=(4, 13), ccoctl_name="c1"))
    assert offer is not None
    assert offer.line.argv[:5] == ("ccoctl", "aws", "create-iam-roles", "--name", "c1")
    assert PROVIDER in offer.line.argv
    traps = " ".join(offer.traps)
    for words in ("never refreshes the trust", "Before the upgrade this takes from", "writes no Secret file"):
        assert words in traps
    later = remedy.ccoctl([change(KIND)], here(release=(4, 14)))
    assert later is not None
    assert "writes no Secret file" not in " ".join(later.traps)
    assert unknown(later.line) == {"CCOCTL_NAME"}


@pytest.mark.parametrize("fields", [{"token": False}, {"release": (4, 7)}], ids=["keys", "4.7"])
def test_there_is_no_ccoctl_without_roles(fields: dict[str, Any]) -> None:
    assert remedy.ccoctl([change(KIND)], here(**fields)) is None
