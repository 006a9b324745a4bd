"""What identities hold and no release of the path asks for."""

from pathlib import Path
from typing import Any

import pytest

from tests.worlds.aws_exports import ACCOUNT, USER, allow, deny, details, role, user
from tests.worlds.rules import NS, TODAY, Cluster, about, found, judge, one, payload, request
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.gate.findings import Finding, Severity
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.proof.collect import Collection
from upgrade_gate.proof.identity_map import Identities
from upgrade_gate.proof.proof import Claims
from upgrade_gate.report import build, view
from upgrade_gate.report.formats import text
from upgrade_gate.report.render_options import RenderOptions

RULE = "identity-excess"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/c1"
OTHER = f"arn:aws:iam::{ACCOUNT}:role/c2"
OLD = [request("a", "ec2:DescribeVolumes", "ec2:DescribeHosts")]
NEW = [request("a", "ec2:DescribeVolumes", "ec2:CopyVolumes")]


def claims(*statements: Any, identities: Identities | None = None, **fields: Any) -> Claims:
    """Return what is supplied: one role with these statements that serves every Secret."""
    body = details(role(*statements, arn=ROLE), role(allow("ec2:DescribeVolumes"), arn=OTHER), **fields)
    return Claims(
        Collection("export:x", (Document(body, "x.json"),)), identities=identities or Identities(default=ROLE)
    )


def run(folder: Path, *statements: Any, old: Any = OLD, new: Any = NEW, **more: Any) -> Outcome:
    cluster = more.pop("cluster", None) or Cluster()
    return judge(folder, old, new, cluster, claims=more.pop("claims", None) or claims(*statements), **more)


def excess(finding: Finding) -> tuple[list[str], list[str]]:
    """Return what no release asks for, and what an earlier one does."""
    plain = [g.grant.permission for g in finding.grants if g.covered_by is None]
    return plain, [g.grant.permission for g in finding.grants if g.covered_by is not None]


def test_what_no_release_asks_for_is_told_with_what_gives_it(tmp_path: Path) -> None:
    finding = one(run(tmp_path, allow("ec2:describevolumes", "ec2:CopyVolumes", "s3:GetObject", Sid="S")), RULE)
    assert excess(finding) == (["s3:GetObject"], [])
    assert (finding.severity, finding.guard, finding.needs, finding.secret) == (
        "info",
        None,
        (),
        "openshift-storage/cloud",
    )
    assert finding.headline == "the identity of a holds s3:GetObject that no release asks for"
    assert finding.grants[0].held_by == "statement S of policy p of role c1"
    assert [step.when for step in finding.remedy] == ["after"]
    assert about(finding)["evidence"] == ["to 0000_50_component_00.yaml 0 1"]


def test_what_only_the_release_that_is_left_asks_for_stays_until_a_rollback_is_out_of_the_question(
    tmp_path: Path,
) -> None:
    held = allow("ec2:DescribeVolumes", "ec2:CopyVolumes", "ec2:DescribeHosts", "s3:GetObject")
    finding = one(run(tmp_path, held), RULE)
    assert excess(finding) == (["s3:GetObject"], ["ec2:DescribeHosts"])
    assert [step.title for step in finding.remedy] == [
        "take away from the identity of a what no release asks for, unless something else needs it: s3:GetObject",
    ]
    assert "and 1 that only 4.14.1 asks for" in finding.headline


def test_text_tells_how_long_to_keep_what_only_the_release_that_is_left_asks_for(tmp_path: Path) -> None:
    held = allow("ec2:DescribeVolumes", "ec2:CopyVolumes", "ec2:DescribeHosts", Sid="S")
    weighing = Weights(today=TODAY, policy={RULE: Severity.WARNING})
    report = build.of_outcome(run(tmp_path, held, weighing=weighing), labels={}, now=None)
    (finding,) = [f for f in report.findings if f.rule == RULE]
    (line,) = view.held_lines(finding)
    assert line.startswith("ec2:DescribeHosts (list), by statement S of policy p of role c1; only 4.14.1 asks for it")
    assert line.endswith("keep it until a rollback is out of the question")
    assert not finding.remedy


def test_nothing_more_than_asked_for_is_no_finding(tmp_path: Path) -> None:
    assert not found(run(tmp_path, allow("ec2:DescribeVolumes", "ec2:CopyVolumes")), RULE)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (allow("ec2:*"), ["ec2:*"]),
        (allow("ec2:Copy?olumes", "EC2:DescribeVolumes"), ["ec2:Copy?olumes"]),
        ({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}, ["everything except iam:*, sts:*"]),
    ],
)
def test_wildcard_is_told_as_it_is_held(tmp_path: Path, statement: Any, told: list[str]) -> None:
    assert excess(one(run(tmp_path, statement), RULE))[0] == told


def test_required_wildcard_asks_for_all_that_it_stands_for(tmp_path: Path) -> None:
    wanted = [request("a", "kms:ReEncrypt*")]
    both = run(tmp_path / "1", allow("kms:ReEncryptTo", "kms:ReEncryptFrom"), old=wanted, new=wanted)
    same = run(tmp_path / "2", allow("kms:ReEncrypt*"), old=wanted, new=wanted)
    assert not found(both, RULE)
    assert not found(same, RULE)


def test_resource_and_condition_of_what_is_held_are_shown_and_decide_nothing(tmp_path: Path) -> None:
    narrow = allow("ec2:CopyVolumes", "s3:GetObject", Resource="arn:aws:s3:::b/*", Condition={"Bool": {"k": "true"}})
    (grant,) = one(run(tmp_path, narrow), RULE).grants
    assert (grant.grant.resource, grant.grant.condition) == ("arn:aws:s3:::b/*", {"Bool": {"k": "true"}})


def test_what_a_deny_takes_away_is_not_held(tmp_path: Path) -> None:
    assert not found(run(tmp_path, allow("ec2:CopyVolumes", "s3:GetObject"), deny("s3:*")), RULE)


def test_every_request_of_an_identity_asks(tmp_path: Path) -> None:
    both = [*NEW, request("b", "s3:GetObject", secret="two")]
    finding = one(run(tmp_path, allow("ec2:*", "s3:GetObject"), old=both, new=both), RULE)
    assert excess(finding) == (["ec2:*"], [])
    assert (finding.request, finding.secret, finding.subject) == (None, None, ROLE)


def test_a_finding_is_about_the_identity_as_its_secret_names_it(tmp_path: Path) -> None:
    key = "AKIAEXAMPLE1"
    keys = {"AccessKeyMetadata": [{"UserName": "c1-ebs", "AccessKeyId": key, "Status": "Active"}]}
    body = details(user(allow("s3:GetObject")))
    known = Claims(Collection("export:x", (Document(body, "x.json"), Document(keys, "k.json"))))
    cluster = Cluster(identities={"openshift-storage/cloud": key}, keys=frozenset({"credentials"}))
    finding = one(run(tmp_path, claims=known, cluster=cluster), RULE)
    assert (finding.subject, finding.request) == (key, f"{NS}/a")
    assert finding.identity is not None
    assert (finding.identity.id, finding.identity.source) == (key, "secret")
    assert finding.headline.startswith("the identity of a holds s3:GetObject")
    assert USER.endswith("c1-ebs")


def test_an_identity_of_several_requests_is_called_by_its_own_name(tmp_path: Path) -> None:
    """An ARN carries a path before the name (IAM user guide, identifiers)."""
    deep = f"arn:aws:iam::{ACCOUNT}:role/team/storage/c1"
    body = details(role(allow("s3:GetObject"), arn=deep))
    known = Claims(Collection("export:x", (Document(body, "x.json"),)), identities=Identities(default=deep))
    both = [*NEW, request("b", secret="two")]
    finding = one(run(tmp_path, old=both, new=both, claims=known), RULE)
    assert finding.headline == "c1 holds s3:GetObject that no release asks for"


def test_a_step_names_up_to_twenty_permissions_and_counts_the_rest(tmp_path: Path) -> None:
    for number, more, rest in (
        (2, " and 1 more permission", "s3:Get01"),
        (20, " and 19 more permissions", "s3:Get19"),
        (21, " and 20 more permissions", "s3:Get19 and 1 more"),
    ):
        finding = one(run(tmp_path / str(number), allow(*(f"s3:Get{n:02}" for n in range(number)))), RULE)
        assert finding.remedy[0].title.endswith(rest)
        assert finding.headline == f"the identity of a holds s3:Get00{more} that no release asks for"


def test_each_identity_has_a_finding_of_its_own(tmp_path: Path) -> None:
    both = [*NEW, request("b", "s3:GetObject", secret="two")]
    identities = Identities({"openshift-storage/cloud": ROLE, "openshift-storage/two": OTHER})
    outcome = run(tmp_path, old=both, new=both, claims=claims(allow("iam:PassRole"), identities=identities))
    assert {j.finding.subject: excess(j.finding)[0] for j in found(outcome, RULE)} == {
        ROLE: ["iam:PassRole"],
        OTHER: ["ec2:DescribeVolumes"],
    }


def test_root_credential_serves_every_request_in_passthrough(tmp_path: Path) -> None:
    both = [*NEW, request("b", "s3:GetObject", secret="two")]
    cluster = Cluster(mode="Passthrough", root=True)
    finding = one(run(tmp_path, allow("s3:GetObject", "iam:PassRole"), old=both, new=both, cluster=cluster), RULE)
    assert (excess(finding)[0], finding.secret) == (["iam:PassRole"], "kube-system/aws-creds")


def test_root_credential_serves_what_is_of_no_release_too(tmp_path: Path) -> None:
    """In passthrough mode CCO copies it for an operator of OLM as for any other."""
    olm = request("efs", "s3:GetObject", secret="three")
    cluster = Cluster(mode="Passthrough", root=True, requests=[olm])
    known = claims(allow("s3:GetObject", "iam:PassRole"), identities=Identities({"kube-system/aws-creds": ROLE}))
    assert excess(one(run(tmp_path, claims=known, cluster=cluster), RULE))[0] == ["iam:PassRole"]


def test_minted_identities_are_not_looked_at(tmp_path: Path) -> None:
    assert not found(run(tmp_path, allow("s3:*"), cluster=Cluster(mode="Mint", root=True)), RULE)


def test_without_identities_nothing_is_said(tmp_path: Path) -> None:
    assert not found(judge(tmp_path, OLD, NEW, Cluster()), RULE)


def test_request_of_no_release_asks_too(tmp_path: Path) -> None:
    olm = request("efs", "s3:GetObject", secret="three")
    cluster = Cluster(requests=[olm])
    assert not found(run(tmp_path, allow("ec2:CopyVolumes", "s3:GetObject"), cluster=cluster), RULE)


@pytest.mark.parametrize(
    "broken",
    [
        request("efs", secret="three", statements=[{"effect": "Allow", "action": 1, "resource": "*"}]),
        request("efs", secret="three", kind="NobodysProviderSpec"),
        request("efs", secret="three", providerSpec="x"),
    ],
)
def test_request_of_no_release_that_cannot_be_read_may_ask_for_anything(tmp_path: Path, broken: dict[str, Any]) -> None:
    cluster, held = Cluster(requests=[broken]), allow("ec2:CopyVolumes", "s3:GetObject")
    assert not found(run(tmp_path / "same", held, cluster=cluster), RULE)
    others = claims(held, identities=Identities(by_secret={"openshift-storage/cloud": ROLE}))
    assert found(run(tmp_path / "other", claims=others, cluster=cluster), RULE)


def test_nothing_is_called_excess_where_the_export_was_cut(tmp_path: Path) -> None:
    cut = claims(allow("s3:*"), IsTruncated=True, Marker="m")
    assert not found(run(tmp_path, claims=cut), RULE)


def test_what_was_not_seen_of_an_identity_is_said_with_what_was(tmp_path: Path) -> None:
    known = claims(allow("s3:GetObject"))
    assert known.collection is not None
    (first, _) = known.collection.documents[0].body["RoleDetailList"]
    first["AttachedManagedPolicies"] = [{"PolicyName": "m", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/m"}]
    finding = one(run(tmp_path, claims=known), RULE)
    assert excess(finding)[0] == ["s3:GetObject"]
    assert "policy m attached to role c1 is not in the export" in finding.caveats[0]


def test_where_a_request_cannot_be_read_nothing_is_called_excess(tmp_path: Path) -> None:
    conflicting = [*NEW, request("a", "s3:GetObject")]
    assert not found(run(tmp_path, allow("s3:*"), new=conflicting), RULE)


UNREADABLE = request("efs", secret="three", kind="NobodysProviderSpec")
UNSEEN = claims(allow("ec2:CopyVolumes"))
assert UNSEEN.collection is not None
UNSEEN.collection.documents[0].body["RoleDetailList"][0]["AttachedManagedPolicies"] = [
    {"PolicyName": "m", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/m"}
]
ENOUGH = claims(allow("ec2:CopyVolumes"))


@pytest.mark.parametrize(
    ("supplied", "requests", "why"),
    [
        (ENOUGH, [UNREADABLE], "a CredentialsRequest of the cluster that it serves cannot be read"),
        (claims(allow("ec2:CopyVolumes"), IsTruncated=True, Marker="m"), [], ": "),
        (UNSEEN, [], "policy m attached to role c1 is not in the export"),
        (ENOUGH, [], None),
        (Claims(), [], None),
    ],
    ids=["request", "page", "policy", "nothing unread", "nothing supplied"],
)
def test_what_cannot_be_told_is_told_where_excess_may_stop_the_upgrade(
    supplied: Claims, requests: list[Any], why: str | None, tmp_path: Path
) -> None:
    """Else a policy that blocks excess would be met by an export that shows none of it."""
    cluster = Cluster(requests=requests, identities={"openshift-storage/cloud": ROLE})
    plain = run(tmp_path / "plain", claims=supplied, cluster=cluster, old=NEW)
    assert not found(plain, RULE)
    raised = Weights(today=TODAY, policy={RULE: Severity.BLOCKER})
    outcome = run(tmp_path / "raised", claims=supplied, cluster=cluster, old=NEW, weighing=raised)
    assert [j.finding.severity for j in found(outcome, RULE)] == (["blocker"] if why else [])
    if why:
        finding = one(outcome, RULE)
        assert finding.headline.startswith("cannot tell whether the identity of a holds more than is asked for: ")
        assert why in finding.headline
        assert (finding.subject, finding.request, finding.content, finding.grants) == (ROLE, f"{NS}/a", None, ())
        assert outcome.verdict.exit_code == 3


def test_role_of_ccoctls_name_that_trusts_another_cluster_is_not_looked_at(tmp_path: Path) -> None:
    name = "c1-openshift-storage-cloud"
    body = details(role(allow("s3:*"), arn=f"arn:aws:iam::{ACCOUNT}:role/{name}"))
    known = Claims(Collection("export:x", (Document(body, "x.json"),)), ccoctl_name="c1")
    assert not found(run(tmp_path, claims=known), RULE)


def test_verdict_and_other_findings_do_not_move(tmp_path: Path) -> None:
    with_it = run(tmp_path / "1", allow("ec2:CopyVolumes", "ec2:DescribeVolumes", "s3:*"), new=OLD[:1], old=OLD)
    without = run(tmp_path / "2", allow("ec2:CopyVolumes", "ec2:DescribeVolumes"), new=OLD[:1], old=OLD)
    assert with_it.verdict.status == without.verdict.status
    rules = [[j.finding.fingerprint for j in o.judged if j.finding.rule != RULE] for o in (with_it, without)]
    assert rules[0] == rules[1]


def test_fingerprint_is_of_what_is_held_and_of_nothing_else(tmp_path: Path) -> None:
    held = allow("ec2:DescribeVolumes", "ec2:CopyVolumes", "ec2:DescribeHosts")
    until = one(run(tmp_path / "1", held), RULE)
    plain = one(run(tmp_path / "2", held, old=NEW), RULE)
    more = one(run(tmp_path / "3", held, allow("s3:GetObject")), RULE)
    assert until.fingerprint == plain.fingerprint != more.fingerprint


def test_policy_raises_it_and_the_text_names_no_more_than_twenty(tmp_path: Path) -> None:
    held = allow(*(f"s3:Get{n:02}" for n in range(30)))
    weighing = Weights(today=TODAY, policy={RULE: Severity.WARNING})
    outcome = run(tmp_path, held, weighing=weighing)
    (judged,) = found(outcome, RULE)
    assert (judged.finding.severity, judged.status) == ("warning", "open")
    report = build.of_outcome(outcome, labels={}, now=None)
    shown = text.render(report, RenderOptions()).decode()
    assert "s3:Get19" in shown
    assert "s3:Get20" not in shown
    assert "and 10 more, all of them in the JSON report" in shown
    (told,) = [f for f in report.findings if f.rule == RULE]
    assert len(told.grants) == 30
    assert {g.held_by for g in told.grants} == {"statement 1 of policy p of role c1"}


def test_path_of_hops_tells_each_release_that_asks(tmp_path: Path) -> None:
    via = payload(tmp_path / "via", "4.14.9", [request("a", "ec2:DescribeVolumes", "s3:GetObject")])
    held = allow("ec2:DescribeVolumes", "ec2:CopyVolumes", "ec2:DescribeHosts", "s3:GetObject")
    finding = one(run(tmp_path, held, via=(f"dir:{via}",)), RULE)
    assert {g.grant.permission: g.covered_by for g in finding.grants} == {
        "ec2:DescribeHosts": "4.14.1",
        "s3:GetObject": "4.14.9",
    }
