"""Permission changes of existing components."""

from pathlib import Path

import pytest

from tests.rules.worlds import Cluster, found, judge, needs, one, request

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
    assert not found(outcome, "permission-added")


def test_fingerprint_rests_on_the_grants_alone(tmp_path: Path) -> None:
    first = one(judge(tmp_path / "a", OLD, NEW, Cluster()), "permission-added")
    second = one(judge(tmp_path / "b", OLD, NEW, None, versions=("4.16.0", "4.17.0")), "permission-added")
    more = [request("a", "ec2:DescribeVolumes", "ec2:CreateTags", "ec2:DeleteTags")]
    third = one(judge(tmp_path / "c", OLD, more, Cluster()), "permission-added")
    assert first.fingerprint == second.fingerprint != third.fingerprint
