"""Requests that come, go or move."""

from pathlib import Path

from tests.worlds.rules import NS, PROFILE, Cluster, found, judge, needs, one, request

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
    assert finding.severity == "blocker"
    assert needs(finding)["secret"] == "unmet"


def test_other_provider_kind_is_a_blocker(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [request("a", kind="FutureProviderSpec")], [A], Cluster())
    assert one(outcome, "provider-kind-changed").severity == "blocker"


def test_added_accounts_matter_with_tokens_only(tmp_path: Path) -> None:
    new = [request("a", accounts=("one", "two"))]
    assert one(judge(tmp_path / "1", [A], new, Cluster()), "service-accounts-added").severity == "blocker"
    assert not found(judge(tmp_path / "2", [A], new, Cluster(issuer="")), "service-accounts-added")
    assert one(judge(tmp_path / "3", new, [A], Cluster()), "service-accounts-removed").severity == "info"


def test_token_path_matters_with_tokens_only(tmp_path: Path) -> None:
    new = [request("a", cloudTokenPath="/var/run/secrets/x")]
    assert needs(one(judge(tmp_path / "1", [A], new, Cluster()), "token-path-changed")) == {"token-path": "unknown"}
    assert not found(judge(tmp_path / "2", [A], new, Cluster(issuer="")), "token-path-changed")
