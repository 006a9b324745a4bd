"""Which identity serves which requests, and what a vendor's policy lacks of them."""

from pathlib import Path
from typing import Any

from tests.worlds.aws_exports import ACCOUNT, allow, details, role
from tests.worlds.rules import Cluster, judge, payload, request
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.gate.served import served_identities
from upgrade_gate.proof.collect import Collection
from upgrade_gate.proof.identity_map import Identities
from upgrade_gate.proof.proof import Claims
from upgrade_gate.report import build, evidence

ROLE = f"arn:aws:iam::{ACCOUNT}:role/c1"
GET = ("iam:GetUser", "iam:GetUserPolicy", "iam:ListAccessKeys")
"""What a vendor gives the credential operator, in every set."""
OLD = [request("a", "iam:GetUser"), request("b", "ec2:A", secret="two")]
NEW = [request("a", *GET, "ec2:CopyVolumes"), request("c", "ec2:B", secret="three")]


def claims(*statements: Any, **identities: Any) -> Claims:
    body = details(role(*statements, arn=ROLE))
    return Claims(Collection("export:x", (Document(body, "x.json"),)), identities=Identities(**identities))


def test_requests_of_every_release_are_put_to_the_identity_that_serves_them(tmp_path: Path) -> None:
    outcome = judge(tmp_path, OLD, NEW, Cluster(), claims=claims(default=ROLE))
    (served,) = served_identities(outcome.situation)
    assert served.id == ROLE
    assert [sorted(g.permission for g in asked) for asked in served.releases] == [
        ["ec2:A", "iam:GetUser"],
        ["ec2:B", "ec2:CopyVolumes", *GET],
    ]
    assert {name.rpartition("/")[2]: side for name, (side, _) in served.requests.items()} == {
        "a": "to",
        "b": "from",
        "c": "to",
    }
    assert served.first.name == "a"


def test_secret_that_nobody_names_is_served_by_nobody(tmp_path: Path) -> None:
    cluster = Cluster(requests=[request("x", "s3:A", secret="four")])
    for number, known in enumerate((claims(), claims(by_secret={"openshift-storage/four": ROLE}))):
        outcome = judge(tmp_path / str(number), OLD, NEW, cluster, claims=known)
        assert served_identities(outcome.situation) == ()


def test_each_release_of_a_path_is_put_to_what_can_be_judged_of_what_is_known(tmp_path: Path) -> None:
    """Neither a request of which nobody says whom it uses, nor one of a kind without permissions, hides the next."""
    strange = request("0", kind="NobodysProviderSpec", secret="two")
    via = payload(tmp_path / "via", "4.14.2", [strange, *OLD])
    known = claims(by_secret={"openshift-storage/two": ROLE})
    outcome = judge(tmp_path, [strange, *OLD], OLD, Cluster(), claims=known, via=(f"dir:{via}",))
    (served,) = served_identities(outcome.situation)
    assert [[grant.permission for grant in asked] for asked in served.releases] == [["ec2:A"]] * 3


def test_without_a_cluster_the_releases_alone_ask(tmp_path: Path) -> None:
    outcome = judge(tmp_path, OLD, NEW, claims=claims(default=ROLE))
    assert [len(served.releases) for served in served_identities(outcome.situation)] == [2]


def test_request_of_the_cluster_that_cannot_be_read_asks_for_nothing(tmp_path: Path) -> None:
    broken = request("x", secret="four", statements=[{"effect": "Allow", "action": 1, "resource": "*"}])
    strange = request("y", secret="five", kind="NobodysProviderSpec")
    outcome = judge(tmp_path, OLD, NEW, Cluster(requests=[broken, strange]), claims=claims(default=ROLE))
    (served,) = served_identities(outcome.situation)
    assert len(served.releases[0]) == 2


def test_what_the_cluster_asks_for_beside_the_releases_is_put_to_the_identity_of_its_secret(tmp_path: Path) -> None:
    """Of its own cloud, to the identity that the configuration names, and once for every release."""
    known = request("a", "s3:Own")
    strange = request("x", secret="five", kind="NobodysProviderSpec")
    olm, foreign = request("y", "s3:A", secret="four"), request("z", secret="six", kind="GCPProviderSpec")
    foreign["spec"]["providerSpec"] = {"kind": "GCPProviderSpec", "predefinedRoles": ["roles/a"]}
    theirs = request("t", "s3:B", secret="seven")
    names = dict.fromkeys(["cloud", "two", "three", "four", "six"], ROLE) | {"seven": f"{ROLE}-other"}
    by_secret = {f"openshift-storage/{name}": identity for name, identity in names.items()}
    cluster = Cluster(requests=[known, strange, theirs, foreign, olm])
    (served,) = served_identities(judge(tmp_path, OLD, NEW, cluster, claims=claims(by_secret=by_secret)).situation)
    assert served.whole
    assert [sorted(g.permission for g in asked) for asked in served.releases] == [
        ["ec2:A", "iam:GetUser", "s3:A"],
        ["ec2:B", "ec2:CopyVolumes", *GET, "s3:A"],
    ]


def test_what_cannot_be_read_stays_missing_whatever_is_read_after_it(tmp_path: Path) -> None:
    broken = request("x", secret="four", statements=[{"effect": "Allow", "action": 1, "resource": "*"}])
    cluster = Cluster(requests=[broken, request("y", "s3:A", secret="five")])
    (served,) = served_identities(judge(tmp_path, OLD, NEW, cluster, claims=claims(default=ROLE)).situation)
    assert not served.whole


def test_requests_of_the_cluster_that_were_not_read_ask_for_nothing_here(tmp_path: Path) -> None:
    cluster = Cluster(unread=["CredentialsRequest"])
    (served,) = served_identities(judge(tmp_path, OLD, NEW, cluster, claims=claims(default=ROLE)).situation)
    assert [len(asked) for asked in served.releases] == [2, 5]


def test_report_says_what_a_vendors_set_lacks_and_counts_those_that_lack_nothing(tmp_path: Path) -> None:
    known = claims(allow(*GET, Sid="S"), default=ROLE)
    report = build.of_outcome(judge(tmp_path / "1", OLD, NEW, Cluster(), claims=known), labels={}, now=None)
    assert report.identities is not None
    assert [one.lacks for one in report.identities.vendor_sets] == [["ec2:B", "ec2:CopyVolumes"]]
    (line,) = [line for line in evidence.proof_lines(report) if "ROSA" in line]
    assert line.startswith(f"{ROLE}: policy p of role c1 is what ROSA classic 4.14, 4.19 publishes as openshift_")
    assert line.endswith("(as of 2026-08-20), which lacks of 4.15.0: ec2:B, ec2:CopyVolumes")
    less = [request("a", *GET[:2])]
    whole = build.of_outcome(judge(tmp_path / "2", less, less, Cluster(), claims=known), labels={}, now=None)
    (line,) = [line for line in evidence.proof_lines(whole) if "ROSA" in line]
    assert line == "1 policy as ROSA classic 4.14, 4.19 (as of 2026-08-20) publishes, lacking nothing of 4.15.0"


def test_minted_identities_are_no_vendors(tmp_path: Path) -> None:
    cluster = Cluster(mode="Mint", root=True)
    known = claims(allow(*GET), default=ROLE)
    report = build.of_outcome(judge(tmp_path, OLD, NEW, cluster, claims=known), labels={}, now=None)
    assert report.identities is not None
    assert report.identities.vendor_sets == []
