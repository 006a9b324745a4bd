"""What rules look at: the changes that can be told, and what any release of a path requires."""

from pathlib import Path

import pytest

from tests.worlds.aws_exports import allow
from tests.worlds.firing import claims
from tests.worlds.rules import NS, Cluster, judge, payload, request

OLD, BOTH = request("a", "ec2:Old"), request("a", "ec2:Old", "ec2:New")


def test_of_a_request_that_is_two_things_at_once_no_change_is_told_under_whatever_name(tmp_path: Path) -> None:
    """docs/contract.md#selection: where one side is not certain nobody knows what changed."""
    told = judge(tmp_path / "1", [OLD], [request("z", "ec2:Old", "ec2:New")]).situation
    assert [(change.request, change.renamed_from) for _, change in told.changes()] == [(f"{NS}/z", f"{NS}/a")]
    for number, (before, after) in enumerate([([OLD, BOTH], [request("z", "ec2:Old")]), ([OLD, BOTH], [BOTH])], 2):
        untold = judge(tmp_path / str(number), before, after).situation
        assert untold.hops[0].changes
        assert not list(untold.changes())


def test_a_path_requires_what_each_of_its_releases_does_and_what_stays_the_same_once(tmp_path: Path) -> None:
    other = request("b", secret="other")
    via = payload(tmp_path / "via", "4.14.2", [OLD, other])
    situation = judge(tmp_path, [OLD], [BOTH, other], via=(f"dir:{via}",)).situation
    required = [(name.rpartition("/")[2], len(s.request.grants)) for name, s in situation.requirements()]
    assert required == [("a", 2), ("b", 1), ("a", 1)]
    found = situation.request(f"{NS}/a")
    assert found is not None
    assert (found.name, len(found.grants)) == ("a", 2)
    second = situation.request(f"{NS}/b")
    assert second is not None
    assert second.name == "b"
    assert situation.request(f"{NS}/c") is None
    assert situation.request(None) is None
    assert situation.target is not None
    assert situation.target.version == "4.15.0"
    assert not situation.profile_given


@pytest.mark.parametrize(("mode", "said"), [("Manual", True), ("Mint", False)])
def test_what_an_export_cannot_show_is_said_where_people_grant(mode: str, said: bool, tmp_path: Path) -> None:
    """Service control policies are in no export of IAM (docs/facts/aws.md#coverage)."""
    cluster = Cluster(mode=mode, root=True)
    both = [OLD, request("m", kind="MarsProviderSpec", secret="mars")]
    caveats = judge(tmp_path, both, both, cluster, claims=claims(allow("ec2:*"))).situation.caveats()
    assert bool(caveats) is said
    assert list(caveats) == sorted(set(caveats))
