"""Permission changes of existing components."""

from pathlib import Path

import pytest

from tests.gate.rules.test_identities import ROLE
from tests.gate.rules.test_identities import _claims as claims
from tests.worlds.rules import Cluster, found, judge, needs, one, request
from upgrade_gate.clouds.contract.risk import Rating
from upgrade_gate.gate.findings import Status
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.report import build

OLD = [request("a", "ec2:DescribeVolumes")]
NEW = [request("a", "ec2:DescribeVolumes", "ec2:CreateTags")]


def test_new_permission_blocks_and_is_missed(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, OLD, NEW, Cluster()), "permission-added")
    assert (finding.severity, finding.guard) == ("blocker", "missed")
    assert needs(finding) == {"grants": "unknown"}
    assert [g.grant.permission for g in finding.grants] == ["ec2:CreateTags"]


def test_no_change_raises_no_permission_rule(tmp_path: Path) -> None:
    outcome = judge(tmp_path, OLD, OLD, Cluster())
    assert not [j for j in outcome.judged if j.finding.rule.startswith("permission-")]
    assert outcome.verdict.exit_code == 0


def test_mint_mode_lowers_it_to_info_without_needs(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, OLD, NEW, Cluster(mode="Mint", root=True)), "permission-added")
    assert (finding.severity, finding.needs) == ("info", ())


def test_wildcard_in_the_old_release_covers_the_new_action(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [request("a", "ec2:*")], [request("a", "ec2:DescribeVolumes")], Cluster())
    assert one(outcome, "permission-rephrased").severity == "info"
    assert not found(outcome, "permission-added")
    assert one(outcome, "permission-removed").severity == "info"


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("*", "arn:aws:ec2:::volume/*", "permission-narrowed"),
        ("arn:aws:ec2:::volume/*", "*", "permission-widened"),
    ],
)
def test_other_resource_is_wider_or_narrower(before: str, after: str, rule: str, tmp_path: Path) -> None:
    def side(resource: str) -> list[dict[str, object]]:
        return [request("a", statements=[{"effect": "Allow", "action": ["ec2:CreateTags"], "resource": resource}])]

    outcome = judge(tmp_path, side(before), side(after), Cluster())
    finding = one(outcome, rule)
    assert finding.severity == ("blocker" if rule == "permission-widened" else "info")
    assert not found(outcome, "permission-added") + found(outcome, "permission-removed")


def test_fingerprint_rests_on_the_grants_alone(tmp_path: Path) -> None:
    first = one(judge(tmp_path / "a", OLD, NEW, Cluster()), "permission-added")
    second = one(judge(tmp_path / "b", OLD, NEW, None, versions=("4.16.0", "4.17.0")), "permission-added")
    more = [request("a", "ec2:DescribeVolumes", "ec2:CreateTags", "ec2:DeleteTags")]
    third = one(judge(tmp_path / "c", OLD, more, Cluster()), "permission-added")
    assert first.fingerprint == second.fingerprint != third.fingerprint


def rated(outcome: Outcome, permission: str, rule: str = "permission-added") -> Rating:
    """Return how a finding rates one of the permissions that it asks for."""
    (rating,) = {g.rating for j in found(outcome, rule) for g in j.finding.grants if g.grant.permission == permission}
    return rating


DESCRIBE = "ec2:DescribeVolumes"
PAIRS = [
    # what each request holds before, and what it holds after: the last one of `after` is looked at
    ("held-before", [("a", "iam:PassRole")], [("a", "iam:PassRole", "ec2:RunInstances")], ("iam:PassRole",)),
    ("both-added", [("a", DESCRIBE)], [("a", "iam:PassRole", "ec2:RunInstances")], ("iam:PassRole",)),
    ("pattern-held", [("a", "iam:Pass*")], [("a", "iam:Pass*", "ec2:RunInstances")], ("iam:Pass*",)),
    ("half-missing", [("a", "iam:GetRole")], [("a", "iam:GetRole", "ec2:RunInstances")], ()),
    ("no-half", [("a", "iam:PassRole")], [("a", "iam:PassRole", "ec2:CreateTags")], ()),
]


@pytest.mark.parametrize(("before", "after", "completes"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_an_addition_that_completes_a_known_pair_says_with_what(
    *, before: list[tuple[str, ...]], after: list[tuple[str, ...]], completes: tuple[str, ...], tmp_path: Path
) -> None:
    outcome = judge(tmp_path, [request(*r) for r in before], [request(*r) for r in after], Cluster())
    rating = rated(outcome, after[-1][-1])
    assert rating.completes == completes
    assert ("ESCALATE" in rating.risk) is bool(completes)
    document = build.of_outcome(outcome, labels={}, now="2026-11-01")
    (shown,) = {
        (tuple(g.completes), tuple(g.risk), g.access)
        for c in document.changes
        for g in c.permissions.added
        if g.permission == after[-1][-1]
    }
    assert shown == (rating.completes, rating.risk, rating.access)


@pytest.mark.parametrize("secret", ["one", "two"], ids=["shared", "own"])
def test_a_pair_that_two_requests_make_on_one_identity_is_seen(secret: str, tmp_path: Path) -> None:
    """Requests that share a Secret share the identity; of another Secret's identity nothing is completed."""
    beside = request("b", "iam:PassRole", secret=secret)
    old = [request("a", DESCRIBE, secret="one"), beside]
    new = [request("a", DESCRIBE, "ec2:RunInstances", secret="one"), beside]
    rating = rated(judge(tmp_path, old, new, Cluster()), "ec2:RunInstances")
    assert rating.completes == (("iam:PassRole",) if secret == "one" else ())


def test_a_pair_enters_no_fingerprint(tmp_path: Path) -> None:
    def fingerprint(held: str, folder: str) -> str:
        old, new = [request("a", held)], [request("a", held, "ec2:RunInstances")]
        return one(judge(tmp_path / folder, old, new, Cluster()), "permission-added").fingerprint

    assert fingerprint("iam:PassRole", "a") == fingerprint(DESCRIBE, "b")


def test_what_a_new_request_asks_for_is_rated_too(tmp_path: Path) -> None:
    new = [*OLD, request("b", "ec2:RunInstances", "iam:PassRole")]
    outcome = judge(tmp_path, OLD, new, Cluster())
    assert rated(outcome, "ec2:RunInstances", "request-added").completes == ("iam:PassRole",)
    assert rated(outcome, "iam:PassRole", "request-added").access == "permissions-management"


def statement(action: str, resource: str = "*", effect: str = "Allow") -> dict[str, object]:
    return {"effect": effect, "action": [action], "resource": resource}


def test_what_is_no_longer_needed_is_for_afterwards_and_names_only_what_nothing_needs(tmp_path: Path) -> None:
    old = [
        request(
            "a",
            statements=[
                statement("s3:Get", "arn:aws:s3:::x"),
                statement("ec2:Gone"),
                statement("ec2:DescribeTags"),
                statement("ec2:Never", effect="Deny"),
            ],
        )
    ]
    new = [request("a", statements=[statement("s3:Get"), statement("ec2:Describe*")], secret="other")]
    finding = one(judge(tmp_path, old, new, Cluster()), "permission-removed")
    assert [g.grant.permission for g in finding.grants] == ["ec2:Gone"]
    assert (finding.content, finding.secret) == ([finding.grants[0].grant.as_dict()], "openshift-storage/cloud")
    assert ([step.when for step in finding.remedy], finding.needs) == (["after"], ())


def test_a_request_that_went_hides_no_change_after_it(tmp_path: Path) -> None:
    gone = request("0-gone", secret="other")
    assert one(judge(tmp_path, [gone, *OLD], NEW, Cluster()), "permission-added").component == "a"


def test_a_rename_asks_for_what_is_new_in_it(tmp_path: Path) -> None:
    renamed = [request("z", "ec2:DescribeVolumes", "ec2:CreateTags")]
    assert one(judge(tmp_path, OLD, renamed, Cluster()), "permission-added").component == "z"


@pytest.mark.parametrize(
    ("mode", "words"),
    [("Manual", "Secret openshift-storage/cloud"), ("Passthrough", "root credential"), ("Mint", None)],
)
def test_the_step_says_to_which_identity(mode: str, words: str | None, tmp_path: Path) -> None:
    remedy = one(judge(tmp_path, OLD, NEW, Cluster(mode=mode, root=True)), "permission-added").remedy
    assert [(step.when, words in step.title) for step in remedy if words] == ([("before", True)] if words else [])
    assert bool(remedy) is bool(words)


def test_identity_and_what_no_export_shows_stand_with_the_permission(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, OLD, NEW, Cluster(), claims=claims("ec2:*")), "permission-added")
    assert finding.identity is not None
    assert (finding.identity.id, finding.settled is Status.PROVEN) == (ROLE, True)
    assert finding.caveats


def test_what_is_only_told_lists_its_grants(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [request("a", "ec2:Describe*")], [request("a", "ec2:DescribeTags")], Cluster())
    assert [(g.grant.permission, g.covered_by) for g in one(outcome, "permission-rephrased").grants] == [
        ("ec2:DescribeTags", "ec2:Describe*")
    ]


def test_a_headline_names_the_riskiest_permission_and_how_many_more(tmp_path: Path) -> None:
    new = [request("a", "ec2:DescribeVolumes", "ec2:CreateTags", "ec2:ModifyVolume", "iam:PassRole")]
    headline = one(judge(tmp_path / "many", OLD, new, Cluster()), "permission-added").headline
    assert headline == "a newly needs iam:PassRole and 2 more permissions"


def test_a_headline_names_both_of_two_permissions(tmp_path: Path) -> None:
    new = [request("a", "ec2:DescribeVolumes", "ec2:DescribeTags", "ec2:DescribeRegions")]
    headline = one(judge(tmp_path / "two", OLD, new, Cluster()), "permission-added").headline
    assert headline == "a newly needs ec2:DescribeRegions and ec2:DescribeTags"
