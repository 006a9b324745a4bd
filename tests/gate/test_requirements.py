"""Needs: how much of what a finding asks for is there, and how that is said."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.worlds.aws_exports import allow
from tests.worlds.firing import DELETED, claims
from tests.worlds.rules import ROOT_KEYS, Cluster, found, judge, needs, one, payload, request
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.cluster.model import SecretForm, SecretRecord
from upgrade_gate.gate.findings import Lack, NeedKind
from upgrade_gate.gate.requirements import keys_need, namespace_need, need_of, root_keys_need, token_path_need, vcenters
from upgrade_gate.requests.update import Given


def test_permissions_missing_for_the_same_reason_share_one_sentence() -> None:
    need = need_of(
        NeedKind.GRANTS,
        [
            ("ec2:A", CoverageResult(Coverage.MISSING, "no statement allows ec2:A")),
            ("ec2:AB", CoverageResult(Coverage.MISSING, "no statement allows ec2:AB")),
            ("ec2:C", CoverageResult(Coverage.DENIED, "no statement allows ec2:C")),
            ("ec2:D", CoverageResult(Coverage.NARROWER, "ec2:D only under a condition")),
            ("ec2:E", CoverageResult(Coverage.MISSING, "no statement allows ec2:E: role one")),
        ],
        "",
    )
    assert need.detail == (
        "ec2:A, ec2:AB: MISSING, no statement allows any of them; ec2:C: DENIED, no statement allows ec2:C; "
        "ec2:D: NARROWER, ec2:D only under a condition; ec2:E: MISSING, no statement allows ec2:E: role one"
    )
    assert need.lacks[0] == Lack(("ec2:A", "ec2:AB"), Coverage.MISSING, "no statement allows any of them")


def test_what_is_not_known_for_one_reason_is_said_once_and_else_of_each() -> None:
    same, other = CoverageResult(Coverage.UNKNOWN, "no export"), CoverageResult(Coverage.UNKNOWN, "a page is missing")
    held = CoverageResult(Coverage.COVERED, "statement one allows it")
    assert need_of(NeedKind.GRANTS, [("a", same), ("b", same), ("c", held)], "").detail == "a, b: no export"
    each = need_of(NeedKind.GRANTS, [("a", same), ("b", other), ("c", same)], "")
    assert each.detail == "a: no export; b: a page is missing; c: no export"
    assert need_of(NeedKind.GRANTS, [("c", held)], "").detail == "statement one allows it"
    assert need_of(NeedKind.GRANTS, [], "0 grants held").detail == "0 grants held"


def test_a_doubt_is_what_stays_unsettled_whatever_was_found() -> None:
    doubtful = CoverageResult(Coverage.MISSING, "no statement allows ec2:A").unless("policy p is not in the export")
    assert doubtful.verdict is Coverage.UNKNOWN
    assert doubtful.reason == "no statement allows ec2:A; but policy p is not in the export"
    assert doubtful.unsettled == "policy p is not in the export"
    assert CoverageResult(Coverage.UNKNOWN, "no export").unsettled == "no export"


@pytest.mark.parametrize(
    ("issuer", "form", "status"),
    [
        ("https://o.example.com/c", None, "unmet"),
        ("https://o.example.com/c", "token", "unmet"),
        ("https://o.example.com/c", "keys", "met"),
        ("", None, "met"),
        ("", "token", "unmet"),
        ("", "keys", "met"),
    ],
)
def test_the_form_of_a_secret_says_which_keys_it_needs_and_else_the_cluster_does(
    issuer: str, form: SecretForm | None, status: str, tmp_path: Path
) -> None:
    """On AWS a token stands in `credentials`, keys may stand in two fields (docs/facts/cco.md#secret-keys)."""
    situation = judge(tmp_path, [request("a")], [request("a")], Cluster(issuer=issuer)).situation
    (selected,) = situation.hops[0].new_selection.requests.values()
    record = SecretRecord(selected.request.secret, keys=ROOT_KEYS, form=form)
    assert keys_need(situation, selected.request, Known(record), (4, 15)).status == status


@pytest.mark.parametrize(
    ("mounted", "held", "status"),
    [
        (None, "/var/run/secrets/openshift/serviceaccount/token", "met"),
        ("/run/t", "/run/t/token", "met"),
        ("/run/t/", "/run/t/token", "met"),
        ("/run/t/token", "/run/t/token", "met"),
        ("/run/t", "/run/other/token", "unmet"),
        (None, "/run/t/token", "unmet"),
        ("/run/X", "/run/X/token", "met"),
        ("/run/t", None, "unknown"),
    ],
)
def test_a_secret_names_the_token_that_the_target_mounts_or_a_file_in_its_folder(
    mounted: str | None, held: str | None, status: str, tmp_path: Path
) -> None:
    body = [request("a", cloudTokenPath=mounted)]
    (selected,) = judge(tmp_path, body, body, Cluster()).situation.hops[0].new_selection.requests.values()
    record = SecretRecord(selected.request.secret, keys=frozenset({"credentials"}), token_path=held)
    assert token_path_need(selected.request, Known(record)).status == status
    assert token_path_need(selected.request, Unknown("forbidden")).status == "unknown"


def test_a_secret_that_a_request_of_another_kind_asks_for_is_asked_for_once(tmp_path: Path) -> None:
    """One fault is one finding (docs/contract.md#needs)."""
    after = [request("a", kind="MarsProviderSpec")]
    outcome = judge(tmp_path, [request("a")], after, Cluster(secrets=()))
    assert needs(one(outcome, "provider-kind-changed"))["secret"] == "unmet"
    assert not found(outcome, "secret-missing")


def test_accounts_of_a_request_that_goes_on_the_way_must_be_trusted_till_then(tmp_path: Path) -> None:
    both = [request("a"), request("b", secret="other", accounts=("two",))]
    gone = [request("a"), DELETED]
    via = payload(tmp_path / "via", "4.14.2", both)
    outcome = judge(tmp_path, both, gone, Cluster(), claims=claims(allow("ec2:*")), via=(f"dir:{via}",))
    assert one(outcome, "identity-trust-lacks-subject").component == "b"


@pytest.mark.parametrize(
    ("fact", "status"),
    [(Known(value=True), "met"), (Absent(), "unmet"), (Unknown("forbidden"), "unknown"), (None, "unknown")],
)
def test_a_namespace_is_there_or_not_or_was_not_read(fact: Any, status: str, tmp_path: Path) -> None:
    situation = judge(tmp_path, [request("a")], [request("a")], Cluster()).situation
    assert situation.cluster is not None
    seen = replace(situation.cluster, namespaces={} if fact is None else {"openshift-storage": fact})
    assert namespace_need(replace(situation, cluster=seen), "openshift-storage").status == status
    assert namespace_need(replace(situation, cluster=None), "openshift-storage").status == "unknown"


@pytest.mark.parametrize(
    ("kind", "keys", "accept", "status"),
    [
        ("OpenStackProviderSpec", None, True, "met"),
        ("OpenStackProviderSpec", None, False, "unknown"),
        ("OpenStackProviderSpec", {"other"}, True, "unmet"),
        ("AWSProviderSpec", None, True, "unknown"),
        ("MarsProviderSpec", {"any"}, True, "unknown"),
    ],
)
def test_the_existence_of_a_secret_stands_for_keys_that_were_not_read_where_no_permissions_are_listed(
    kind: str, keys: set[str] | None, status: str, *, accept: bool, tmp_path: Path
) -> None:
    """docs/contract.md#modes: `policy: {accept: [secret-exists]}`."""
    platform = "AWS" if kind == "MarsProviderSpec" else kind.removesuffix("ProviderSpec")
    body = [request("a", kind=kind)]
    situation = judge(tmp_path, body, body, Cluster(platform=platform), accept_secret_exists=accept).situation
    (selected,) = situation.hops[0].new_selection.requests.values()
    record = SecretRecord(selected.request.secret, keys=None if keys is None else frozenset(keys))
    assert keys_need(situation, selected.request, Known(record), (4, 15)).status == status


def test_without_a_cluster_there_is_no_vcenter_to_serve(tmp_path: Path) -> None:
    body = [request("a", kind="VSphereProviderSpec")]
    assert vcenters(judge(tmp_path, body, body, given=Given(platform="VSphere")).situation) == ()


@pytest.mark.parametrize(("platform", "status"), [("AWS", "met"), ("Moon", None), ("None", None)])
def test_the_keys_of_a_root_credential_are_judged_by_the_cloud_that_it_is_for(
    platform: str, status: str | None, tmp_path: Path
) -> None:
    body = [request("a")]
    situation = judge(tmp_path, body, body, Cluster(mode="Passthrough", root=True)).situation
    assert situation.cluster is not None
    need = root_keys_need(replace(situation, platform=platform), situation.cluster)
    assert (need and need.status) == status


_HELD = CoverageResult(Coverage.COVERED, "a statement allows it")
_DECLARED = CoverageResult(Coverage.COVERED, "a file declares it", declared=True)
_UNSEEN = [CoverageResult(Coverage.UNKNOWN, reason) for reason in ("no export", "a page is missing")]


@pytest.mark.parametrize(
    ("judged", "status", "lacking"),
    [
        ([_HELD, _HELD], "met", []),
        ([_HELD, _DECLARED], "declared", []),
        ([_DECLARED, _UNSEEN[0], _UNSEEN[0]], "unknown", ["UNKNOWN"]),
        ([_DECLARED, _UNSEEN[0], _UNSEEN[1]], "unknown", ["UNKNOWN", "UNKNOWN"]),
        *(
            ([_UNSEEN[0], _DECLARED, CoverageResult(verdict, "why")], "unmet", [verdict, "UNKNOWN"])
            for verdict in (Coverage.MISSING, Coverage.NARROWER, Coverage.DENIED)
        ),
    ],
)
def test_the_worst_of_what_was_judged_decides_and_what_is_declared_is_named_beside_it(
    judged: list[CoverageResult], status: str, lacking: list[str]
) -> None:
    need = need_of(NeedKind.GRANTS, [(f"ec2:{number}", result) for number, result in enumerate(judged)], "")
    assert (need.status, [lack.coverage for lack in need.lacks]) == (status, lacking)
    assert need.declared == (
        tuple(f"ec2:{n}" for n, result in enumerate(judged) if result is _DECLARED) if need.lacks else ()
    )


_ADDED = {"namespace": "met", "secret": "met", "keys": "met"}
_PRIVILEGED = {"kind": "VSphereProviderSpec", "permissions": [{"privileges": ["Sessions.ValidateSession"]}]}


@pytest.mark.parametrize(
    ("body", "cluster", "asked"),
    [
        (request("b"), Cluster(), {"trust": "unknown"}),
        (request("b", "ec2:New"), Cluster(), {"grants": "unknown", "trust": "unknown"}),
        (request("b", accounts=()), Cluster(), {}),
        (request("b"), Cluster(issuer="", keys=ROOT_KEYS), {}),
        (
            request("b", providerSpec=_PRIVILEGED),
            Cluster(platform="VSphere", keys=frozenset({"v.username", "v.password"})),
            {},
        ),
    ],
)
def test_a_new_request_asks_for_grants_and_trust_where_there_are_such(
    body: dict[str, Any], cluster: Cluster, asked: dict[str, str], tmp_path: Path
) -> None:
    """Not for what another request brought to its Secret; keys need no trust (docs/contract.md#needs)."""
    kind = body["spec"]["providerSpec"]["kind"]
    old = [request("a")] if kind == "AWSProviderSpec" else [request("a", providerSpec={"kind": kind})]
    assert needs(one(judge(tmp_path, old, [*old, body], cluster), "request-added")) == {**_ADDED, **asked}


def test_what_is_narrower_is_said_of_each_and_an_unread_secret_is_not_known(tmp_path: Path) -> None:
    narrower = [(n, CoverageResult(Coverage.NARROWER, f"{n} only under a condition")) for n in ("ec2:A", "ec2:B")]
    assert [lack.names for lack in need_of(NeedKind.GRANTS, narrower, "").lacks] == [("ec2:A",), ("ec2:B",)]
    added = one(
        judge(tmp_path, [request("a")], [request("a"), request("b")], Cluster(unread=["Secret"])), "request-added"
    )
    assert (needs(added)["secret"], needs(added)["keys"]) == ("unknown", "unknown")
