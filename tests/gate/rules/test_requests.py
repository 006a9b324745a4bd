"""Requests that come, go or move."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.gate.rules.test_identities import ROLE
from tests.gate.rules.test_identities import _claims as claims
from tests.worlds.rules import NS, PROFILE, Cluster, found, judge, needs, one, request
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.proof.identity_map import Identities, Identity

A, B = request("a"), request("b", secret="other")
DELETED = {
    "apiVersion": "cloudcredential.openshift.io/v1",
    "kind": "CredentialsRequest",
    "metadata": {"name": "b", "namespace": NS, "annotations": {**PROFILE, "release.openshift.io/delete": "true"}},
}


def test_new_component_needs_everything(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, [A], [A, B], Cluster()), "request-added")
    assert finding.severity == "blocker"
    assert needs(finding) == {"namespace": "met", "secret": "unmet", "grants": "unknown", "trust": "unknown"}
    assert finding.guard == "missed"


def test_guard_stops_a_new_component_while_cco_says_false(tmp_path: Path) -> None:
    cluster = Cluster(conditions={"Upgradeable": ("False", "MissingUpgradeableAnnotation")}, annotation=None)
    assert one(judge(tmp_path, [A], [A, B], cluster), "request-added").guard == "stopped"


def test_without_a_cluster_nothing_says_that_it_is_stopped(tmp_path: Path) -> None:
    guarded = one(judge(tmp_path, [A], [A, B]), "request-added").guarded
    assert guarded is not None
    assert (guarded[0], "is not known" in guarded[1]) == ("missed", True)


def test_patch_never_stops_it(tmp_path: Path) -> None:
    cluster = Cluster(conditions={"Upgradeable": ("False", "MissingUpgradeableAnnotation")}, annotation=None)
    outcome = judge(tmp_path, [A], [A, B], cluster, versions=("4.14.1", "4.14.2"))
    assert one(outcome, "request-added").guard == "missed"


def test_removed_request_is_info_and_a_warning_where_its_secret_goes_too(tmp_path: Path) -> None:
    assert one(judge(tmp_path / "1", [A, B], [A], Cluster()), "request-removed").severity == "info"
    assert one(judge(tmp_path / "2", [A, B], [A, DELETED], Cluster()), "request-removed").severity == "warning"
    assert not found(judge(tmp_path / "3", [A], [A], Cluster()), "request-removed")


def test_old_finalizer_would_hang_the_deletion(tmp_path: Path) -> None:
    live = {
        "metadata": {"name": "b", "namespace": NS, "finalizers": ["cloudcredential.openshift.io/deprovision"]},
        "spec": B["spec"],
    }
    cluster = Cluster(issuer="", requests=[live])
    finding = one(judge(tmp_path, [A, B], [A, DELETED], cluster), "request-removed")
    assert finding.severity == "warning"
    assert "finalizer" in finding.headline


def test_rename_is_info(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [request("renamed")], Cluster())
    assert one(outcome, "request-renamed").severity == "info"
    assert not found(outcome, "request-added")


def test_moved_secret_needs_a_new_identity(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, [A], [request("a", secret="other")], Cluster()), "secret-moved")
    assert (finding.severity, finding.content) == ("blocker", "openshift-storage/other")
    assert needs(finding)["secret"] == "unmet"


def test_other_provider_kind_is_a_blocker(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [request("a", kind="FutureProviderSpec")], [A], Cluster())
    assert one(outcome, "provider-kind-changed").severity == "blocker"


def test_added_accounts_matter_with_tokens_only(tmp_path: Path) -> None:
    new = [request("a", accounts=("one", "two"))]
    assert one(judge(tmp_path / "1", [A], new, Cluster()), "service-accounts-added").severity == "blocker"
    assert not found(judge(tmp_path / "2", [A], new, Cluster(issuer="")), "service-accounts-added")
    fewer = judge(tmp_path / "3", new, [A], Cluster())
    assert one(fewer, "service-accounts-removed").severity == "info"
    assert not found(fewer, "service-accounts-added") + found(fewer, "token-path-changed")


def test_token_path_matters_with_tokens_only(tmp_path: Path) -> None:
    new = [request("a", cloudTokenPath="/var/run/secrets/x")]
    assert needs(one(judge(tmp_path / "1", [A], new, Cluster()), "token-path-changed")) == {"token-path": "unknown"}
    assert not found(judge(tmp_path / "2", [A], new, Cluster(issuer="")), "token-path-changed")


MARS = request("b", secret="other", kind="MarsProviderSpec")
STACK = request("b", secret="other", kind="OpenStackProviderSpec")
COVERED = request("b", "ec2:DescribeVolumes")
EVERYTHING = {"namespace", "secret", "grants", "trust"}


@pytest.mark.parametrize(
    ("mode", "new", "severity", "asked"),
    [
        ("Manual", B, "blocker", EVERYTHING),
        ("Manual", MARS, "blocker", {"namespace", "secret", "trust"}),
        ("Mint", B, "info", set()),
        ("Mint", MARS, "blocker", {"namespace", "secret"}),
        ("Passthrough", B, "blocker", {"grants"}),
        ("Passthrough", COVERED, "info", set()),
        ("Passthrough", MARS, "blocker", {"namespace", "secret"}),
    ],
)
def test_who_serves_a_new_request_decides_what_it_asks_for(
    mode: str, new: dict[str, Any], severity: str, asked: set[str], tmp_path: Path
) -> None:
    cluster = Cluster(mode=mode, root=True)
    finding = one(judge(tmp_path, [A], [A, new], cluster), "request-added")
    assert (finding.severity, set(needs(finding))) == (severity, asked)
    assert [step.when for step in finding.remedy] == (["before"] if severity == "blocker" else [])


VSPHERE = request("b", secret="other", kind="VSphereProviderSpec")
VSPHERE["spec"]["providerSpec"] = {"kind": "VSphereProviderSpec", "permissions": [{"privileges": ["Host.Config"]}]}


@pytest.mark.parametrize(("mode", "severity"), [("Manual", "blocker"), ("Passthrough", "info")])
@pytest.mark.parametrize(
    ("platform", "root", "new"),
    [("OpenStack", "openstack-credentials", STACK), ("VSphere", "vsphere-creds", VSPHERE)],
)
def test_where_the_secret_is_all_cco_copies_the_root_credential(
    *, mode: str, severity: str, platform: str, root: str, new: dict[str, Any], tmp_path: Path
) -> None:
    """The privileges that a request of vSphere lists are held in vCenter, which nobody exports."""
    cluster = Cluster(mode=mode, platform=platform, issuer="", secrets=(f"kube-system/{root}",))
    finding = one(judge(tmp_path, [], [new], cluster), "request-added")
    assert finding.severity == severity
    assert needs(finding) == ({"namespace": "met", "secret": "unmet"} if mode == "Manual" else {})


@pytest.mark.parametrize("mode", ["Mint", "Passthrough"])
def test_a_new_request_that_cvo_leaves_alone_is_served_by_nobody(mode: str, tmp_path: Path) -> None:
    cluster = Cluster(mode=mode, root=True)
    cluster.objects["ClusterVersion"]["spec"]["overrides"] = [
        {
            "group": "cloudcredential.openshift.io",
            "kind": "CredentialsRequest",
            "namespace": NS,
            "name": "b",
            "unmanaged": True,
        }
    ]
    finding = one(judge(tmp_path, [A], [A, B], cluster), "request-added")
    assert finding.severity == "blocker"
    assert {"namespace", "secret"} <= set(needs(finding))


def test_a_new_request_is_known_again_by_its_new_grants_else_by_its_secret_and_kind(tmp_path: Path) -> None:
    partly = request("b", "ec2:DescribeVolumes", "ec2:New")
    finding = one(judge(tmp_path / "1", [A], [A, partly], Cluster()), "request-added")
    assert [grant.grant.permission for grant in finding.grants] == ["ec2:DescribeVolumes", "ec2:New"]
    new = Grant("action", "ec2:New", "Allow", "*")
    assert finding.content == [new.as_dict()]
    (lacks,) = [need.lacks for need in finding.needs if need.kind == "grants"]
    assert [lack.names for lack in lacks] == [("ec2:New",)]
    covered = one(judge(tmp_path / "2", [A], [A, COVERED], Cluster()), "request-added")
    assert covered.content == ["openshift-storage/cloud", "AWSProviderSpec"]
    unknown = one(judge(tmp_path / "3", [A], [A, MARS], Cluster()), "request-added")
    assert unknown.content == ["openshift-storage/other", "MarsProviderSpec"]
    assert "does not know its kind MarsProviderSpec" in unknown.headline
    assert "does not know" not in covered.headline


FINALIZED = {
    "metadata": {"name": "b", "namespace": NS, "finalizers": ["cloudcredential.openshift.io/deprovision"]},
    "spec": B["spec"],
}


@pytest.mark.parametrize(
    ("cluster", "new", "words"),
    [
        (Cluster(), [A, DELETED], "CCO deletes Secret openshift-storage/other"),
        (Cluster(), [A], None),
        (Cluster(issuer="", requests=[FINALIZED]), [A, DELETED], "finalizer"),
        (Cluster(issuer=""), [A, DELETED], None),
        (Cluster(issuer="", requests=[FINALIZED]), [A], None),
        (Cluster(mode="Mint", root=True, issuer="", requests=[FINALIZED]), [A, DELETED], None),
        (None, [A, DELETED], None),
    ],
    ids=["tokens", "vanished", "finalizer", "no finalizer", "vanished with a finalizer", "mint", "no cluster"],
)
def test_what_goes_with_a_request_that_goes(
    cluster: Cluster | None, new: list[dict[str, Any]], words: str | None, tmp_path: Path
) -> None:
    finding = one(judge(tmp_path, [A, B], new, cluster), "request-removed")
    assert finding.severity == ("warning" if words else "info")
    assert (words or "no longer asks for credentials") in finding.headline
    assert [step.when for step in finding.remedy] == ["after"]


@pytest.mark.parametrize(
    ("mode", "rule", "new", "severity", "asked"),
    [
        ("Manual", "secret-moved", {"secret": "other"}, "blocker", EVERYTHING),
        ("Mint", "secret-moved", {"secret": "other"}, "info", set()),
        ("Passthrough", "secret-moved", {"secret": "other"}, "info", set()),
        ("Passthrough", "provider-kind-changed", {}, "blocker", {"grants"}),
        ("Mint", "provider-kind-changed", {}, "info", set()),
        ("Manual", "service-accounts-added", {"accounts": ("one", "two")}, "blocker", {"trust"}),
        ("Manual", "token-path-changed", {"cloudTokenPath": "/x"}, "blocker", {"token-path"}),
    ],
)
def test_what_moves_asks_for_work_where_a_person_does_it(
    mode: str, rule: str, new: dict[str, Any], severity: str, *, asked: set[str], tmp_path: Path
) -> None:
    old = request("a", kind="FutureProviderSpec") if rule == "provider-kind-changed" else A
    finding = one(judge(tmp_path, [old], [request("a", **new)], Cluster(mode=mode, root=True)), rule)
    assert (finding.severity, set(needs(finding))) == (severity, asked)
    assert [step.when for step in finding.remedy] == (["before"] if severity == "blocker" else [])
    assert finding.guard == "missed"


def test_another_kind_that_lists_no_permissions_asks_for_nothing_where_cco_passes_its_credential_on(
    tmp_path: Path,
) -> None:
    old = [request("b", secret="other", kind="FutureProviderSpec")]
    cluster = Cluster(mode="Passthrough", platform="OpenStack", secrets=["kube-system/openstack-credentials"])
    finding = one(judge(tmp_path, old, [STACK], cluster), "provider-kind-changed")
    assert (finding.severity, finding.needs) == ("info", ())


@pytest.mark.parametrize("mode", ["Mint", "Passthrough"])
def test_where_cco_writes_keys_nobody_needs_trust(mode: str, tmp_path: Path) -> None:
    moved = request("a", accounts=("one", "two"), cloudTokenPath="/x")
    outcome = judge(tmp_path, [A], [moved], Cluster(mode=mode, root=True))
    assert not found(outcome, "service-accounts-added") + found(outcome, "token-path-changed")


def test_a_moved_secret_asks_for_every_grant_that_no_other_finding_asks_for(tmp_path: Path) -> None:
    moved = request("a", "ec2:DescribeVolumes", "ec2:New", secret="other")
    outcome = judge(tmp_path, [A], [moved], Cluster())
    assert [g.grant.permission for g in one(outcome, "secret-moved").grants] == ["ec2:DescribeVolumes"]
    assert [g.grant.permission for g in one(outcome, "permission-added").grants] == ["ec2:New"]
    covered = judge(tmp_path / "covered", [request("a", "ec2:*")], [request("a", "ec2:Old", secret="other")], Cluster())
    assert [g.grant.permission for g in one(covered, "secret-moved").grants] == ["ec2:Old"], "the new identity has none"


@pytest.mark.parametrize(
    ("platform", "mode", "severity"), [("GCP", "Manual", "warning"), ("GCP", "Mint", "info"), ("AWS", "Manual", "info")]
)
def test_a_rename_matters_where_ccoctl_finds_the_identity_by_it(
    platform: str, mode: str, severity: str, tmp_path: Path
) -> None:
    old, new = request("a"), request("z")
    if platform == "GCP":
        for document in (old, new):
            document["spec"]["providerSpec"] = {"kind": "GCPProviderSpec", "predefinedRoles": ["roles/a"]}
    cluster = Cluster(platform=platform, mode=mode, root=True)
    finding = one(judge(tmp_path, [old], [new], cluster), "request-renamed")
    words = ", and on GCP ccoctl finds the service account by this name" if severity == "warning" else ""
    assert (finding.severity, finding.headline) == (severity, f"a is now z{words}")


def test_a_moved_secret_asks_for_no_grant_that_another_finding_asks_for(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [request("a", "ec2:CreateTags", secret="other")], Cluster())
    assert needs(one(outcome, "permission-added")) == {"grants": "unknown"}
    assert "grants" not in needs(one(outcome, "secret-moved"))


def test_a_new_component_whose_secret_is_there_and_that_has_no_account_needs_its_grants(tmp_path: Path) -> None:
    cluster = Cluster(secrets=["openshift-storage/cloud", "openshift-storage/other"])
    finding = one(judge(tmp_path, [A], [A, request("b", secret="other", accounts=())], cluster), "request-added")
    assert needs(finding) == {"namespace": "met", "secret": "met", "keys": "met", "grants": "unknown"}


@pytest.mark.parametrize(
    ("platform", "kind", "status"),
    [("AWS", "AWSProviderSpec", "unknown"), ("Nutanix", "NutanixProviderSpec", "met")],
)
def test_existence_stands_for_the_keys_only_where_nothing_lists_permissions(
    platform: str, kind: str, status: str, tmp_path: Path
) -> None:
    body = [request(name, secret=name, kind=kind) for name in "ab"]
    cluster = Cluster(platform=platform, keys=None, secrets=["openshift-storage/a", "openshift-storage/b"])
    outcome = judge(tmp_path / "1", body[:1], body, cluster, accept_secret_exists=True)
    assert needs(one(outcome, "request-added"))["keys"] == status
    cluster.keys = frozenset({"other"})
    read = judge(tmp_path / "2", body[:1], body, cluster, accept_secret_exists=True)
    assert needs(one(read, "request-added"))["keys"] == "unmet", "what was read counts"


TRUST_UNSEEN, GRANTS_UNSEEN = "OIDC provider", "service control policies"


@pytest.mark.parametrize(
    ("new", "issuer", "rule", "unseen"),
    [
        ([A, B], "https://oidc.example.com/c1", "request-added", {TRUST_UNSEEN, GRANTS_UNSEEN}),
        ([A, B], "", "request-added", {GRANTS_UNSEEN}),
        (
            [request("a", accounts=("one", "two"))],
            "https://oidc.example.com/c1",
            "service-accounts-added",
            {TRUST_UNSEEN},
        ),
        ([], "https://oidc.example.com/c1", "request-removed", set()),
    ],
    ids=["tokens", "keys", "another account", "nothing asked for"],
)
def test_what_no_export_shows_is_said_of_what_is_asked_for(
    *, new: list[dict[str, Any]], issuer: str, rule: str, unseen: set[str], tmp_path: Path
) -> None:
    supplied = claims("ec2:*", subjects=("one", "two"))
    finding = one(judge(tmp_path, [A], new, Cluster(issuer=issuer), claims=supplied), rule)
    said = "; ".join(finding.caveats)
    assert {word for word in (TRUST_UNSEEN, GRANTS_UNSEEN) if word in said} == unseen
    assert finding.identity == Identity(ROLE, "configuration")


def test_a_moved_secret_shows_the_identity_of_the_new_one(tmp_path: Path) -> None:
    both = Identities(by_secret={"openshift-storage/cloud": f"{ROLE}-old", "openshift-storage/other": ROLE})
    supplied = replace(claims("ec2:*"), identities=both)
    finding = one(judge(tmp_path, [A], [request("a", secret="other")], Cluster(), claims=supplied), "secret-moved")
    assert finding.identity == Identity(ROLE, "configuration")
