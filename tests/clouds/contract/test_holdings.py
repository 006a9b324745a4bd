"""Entitlements: one grant against one export, collections of files, and which identity serves a Secret."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.aws_exports import ACCOUNT, ROLE, USER, allow, details, document, role, user
from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.clouds.contract import holdings as entitlements
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import (
    Coverage,
    CoverageResult,
    Document,
    Identity,
    ccoctl_name,
    collect_live,
    holdings,
    identify,
    judge,
    load_export,
    provider_of_kind,
    strict,
)
from upgrade_gate.gate.findings import NeedKind
from upgrade_gate.gate.requirements import need_of

ATTACH = Grant("action", "ec2:AttachVolume", "Allow", "*")
EXPORT = details(role(allow("ec2:AttachVolume")))


# judge


def test_a_verdict_equals_its_name() -> None:
    assert [v.value for v in Coverage] == [v.name for v in Coverage]
    assert judge("AWS", [EXPORT], ROLE, ATTACH.as_dict()).verdict == "COVERED"


def test_a_grant_and_its_mapping_are_judged_alike() -> None:
    assert judge("AWS", [EXPORT], ROLE, ATTACH) == judge("AWS", [EXPORT], ROLE, ATTACH.as_dict())
    assert judge("AWS", [Document(EXPORT)], ROLE, ATTACH) == judge("AWS", [EXPORT], ROLE, ATTACH)


def test_keys_that_belong_to_a_report_are_ignored() -> None:
    grant = {**ATTACH.as_dict(), "covered_by": None, "risk": ["COST"]}
    assert judge("AWS", [EXPORT], ROLE, grant).verdict == Coverage.COVERED


@pytest.mark.parametrize("provider", ["AWS", "Azure", "GCP", "IBMCloud"])
@pytest.mark.parametrize("exports", [[], [{"some": "thing"}], [[]], [None]])
def test_without_a_document_of_its_cloud_nothing_is_known(provider: str, exports: list[Any]) -> None:
    judgement = judge(provider, exports, "someone", {"permission": "a"})
    assert judgement.verdict == Coverage.UNKNOWN
    assert provider in judgement.reason


def test_documents_of_another_cloud_prove_nothing() -> None:
    policy = {"bindings": [{"role": "roles/owner", "members": ["serviceAccount:a@p.iam.gserviceaccount.com"]}]}
    assert judge("AWS", [policy], ROLE, ATTACH).verdict == Coverage.UNKNOWN
    assert judge("AWS", [policy, EXPORT], ROLE, ATTACH).verdict == Coverage.COVERED
    assert judge("AWS", [[policy, EXPORT]], ROLE, ATTACH).verdict == Coverage.COVERED


def test_an_account_that_the_export_does_not_belong_to_is_unknown() -> None:
    assert judge("AWS", [EXPORT], ROLE, ATTACH, account="999988887777").verdict == Coverage.UNKNOWN
    assert judge("AWS", [EXPORT], ROLE, ATTACH, account=ACCOUNT).verdict == Coverage.COVERED


@pytest.mark.parametrize("provider", ["aws", "VSphere", ""])
def test_a_provider_that_nobody_knows_is_an_error(provider: str) -> None:
    with pytest.raises(ValueError, match="AWS, Azure, GCP, IBMCloud"):
        judge(provider, [], ROLE, ATTACH)


@pytest.mark.parametrize("grant", [{}, {"permission": None}, {"permission": ""}, {"permission": 1}])
def test_a_grant_without_a_name_is_an_error(grant: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="permission must be"):
        judge("AWS", [EXPORT], ROLE, grant)


@pytest.mark.parametrize("provider", ["AWS", "Azure", "GCP", "IBMCloud"])
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"exports": None}, "exports"),
        ({"exports": EXPORT}, "exports"),
        ({"identity": None}, "identity"),
        ({"account": 111122223333}, "account"),
        ({"scopes": [1]}, "scopes"),
        ({"scopes": "group"}, "scopes"),
    ],
)
def test_an_argument_of_another_type_is_an_error(provider: str, given: dict[str, Any], named: str) -> None:
    arguments = {"exports": [EXPORT], "identity": ROLE, "grant": {"permission": "a"}, **given}
    with pytest.raises(ValueError, match=f"{named} must be"):
        judge(provider, **arguments)


@pytest.mark.parametrize("provider", ["AWS", "Azure", "GCP", "IBMCloud"])
def test_an_identity_without_a_name_is_unknown(provider: str) -> None:
    assert judge(provider, [EXPORT], "", {"permission": "a"}).verdict == "UNKNOWN"


def test_each_kind_with_permissions_has_its_provider() -> None:
    kinds = {
        "AWSProviderSpec": "AWS",
        "AzureProviderSpec": "Azure",
        "GCPProviderSpec": "GCP",
        "IBMCloudProviderSpec": "IBMCloud",
        "IBMCloudPowerVSProviderSpec": "IBMCloud",
    }
    for kind, name in kinds.items():
        provider = provider_of_kind(kind)
        assert provider is not None, kind
        assert name == provider.PROVIDER
    assert provider_of_kind("VSphereProviderSpec") is None


def test_strict_proof_makes_unknown_of_what_exports_cannot_contain() -> None:
    covered = judge("AWS", [EXPORT], ROLE, ATTACH)
    assert covered.caveats
    judged = strict(covered)
    assert judged.verdict == Coverage.UNKNOWN
    assert covered.caveats[0] in judged.reason
    for other in (CoverageResult(Coverage.COVERED, "x"), CoverageResult(Coverage.MISSING, "x")):
        assert strict(other) == other


# collections


def write(folder: Path, **files: Any) -> Path:
    for name, body in files.items():
        (folder / f"{name}.json").write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
    return folder


def test_a_folder_becomes_a_collection_with_hashes_and_time(tmp_path: Path) -> None:
    write(tmp_path, account=EXPORT, note={"some": "thing"})
    for path in tmp_path.iterdir():
        os.utime(path, (0, 1_700_000_000))
    collection = load_export(tmp_path)
    assert collection.source == f"export:{tmp_path.name}"
    assert sorted(collection.files) == ["account.json", "note.json"]
    assert all(len(digest) == 64 for digest in collection.files.values())
    assert collection.collected == "2023-11-14T22:13:20Z"
    assert collection.unrecognised == ("note.json",)
    assert collection.unread == ()


def test_a_stamp_in_the_export_tells_when_it_was_made_whatever_the_file_system_says(tmp_path: Path) -> None:
    write(tmp_path, account=EXPORT, stamp={"collected": "2026-11-01T00:00:00Z"})
    collection = load_export(tmp_path)
    assert collection.collected == "2026-11-01T00:00:00Z"
    assert collection.unrecognised == ()


def test_several_paths_are_one_collection(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", account=EXPORT)
    write(tmp_path, user=details(user(allow("ec2:AttachVolume"))))
    collection = load_export(tmp_path / "a", str(tmp_path / "user.json"))
    assert collection.source == "export:a,user.json"
    assert sorted(collection.files) == ["a/account.json", "user.json"]
    held = holdings(collection, "AWSProviderSpec", None)
    assert held is not None
    assert held.judge(ROLE, ATTACH, ()).verdict == held.judge(USER, ATTACH, ()).verdict == Coverage.COVERED
    assert held.account == ACCOUNT


def test_an_export_of_several_clouds_serves_each(tmp_path: Path) -> None:
    policy = {"bindings": [{"role": "roles/dns.admin", "members": ["serviceAccount:a@p.iam.gserviceaccount.com"]}]}
    collection = load_export(write(tmp_path, aws=EXPORT, gcp=policy))
    assert collection.unrecognised == ()
    held = holdings(collection, "GCPProviderSpec", None)
    assert held is not None
    granted = held.judge("a@p.iam.gserviceaccount.com", Grant("predefinedRole", "roles/dns.admin"), ())
    assert granted.verdict == Coverage.COVERED
    assert holdings(collection, "VSphereProviderSpec", None) is None


def test_what_seems_missing_may_stand_in_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, account=details(role()), broken='{"RoleDetailList": [')
    collection = load_export(tmp_path)
    assert collection.unread == ("broken.json: not JSON, or cut off in the document that begins in line 1",)
    held = holdings(collection, "AWSProviderSpec", None)
    assert held is not None
    judged = held.judge(ROLE, ATTACH, ())
    assert judged.verdict == Coverage.UNKNOWN
    assert "broken.json" in judged.reason
    assert held.trust(ROLE, "https://oidc.example.com/c1", ["system:serviceaccount:a:b"]).verdict == Coverage.UNKNOWN
    assert held.account == ACCOUNT
    assert held.find_by_ccoctl_name("c1-ebs") == ROLE
    assert held.token_path(ROLE) is None
    assert held.sizes(ROLE, [ATTACH]) == ()
    assert isinstance(held, entitlements.Resolves)
    assert held.resolve("c1-ebs") == ROLE


def test_what_is_denied_stays_denied_beside_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, account=details(role(allow("*"), {**allow("ec2:*"), "Effect": "Deny"})), broken="{")
    held = holdings(load_export(tmp_path), "AWSProviderSpec", None)
    assert held is not None
    assert held.judge(ROLE, ATTACH, ()).verdict == Coverage.DENIED


@pytest.mark.parametrize("broken", ["{", ""])
@pytest.mark.parametrize(
    "held",
    [allow("*"), allow("ec2:AttachVolume", Resource="arn:aws:ec2:*:*:volume/*"), allow("s3:*")],
    ids=["covered", "narrower", "missing"],
)
def test_beside_a_file_that_cannot_be_read_nothing_else_is_known(tmp_path: Path, held: Any, broken: str) -> None:
    found = holdings(load_export(write(tmp_path, account=details(role(held)), broken=broken)), "AWSProviderSpec", None)
    assert found is not None
    judged = found.judge(ROLE, ATTACH, ())
    assert judged.verdict == Coverage.UNKNOWN
    assert "broken.json" in judged.reason


@pytest.mark.parametrize(
    ("document_of_nobody", "missing"),
    [
        ({"error": {"code": 403}}, Coverage.UNKNOWN),
        ("ERROR: (gcloud) PERMISSION_DENIED: x\n", Coverage.UNKNOWN),
        ([], Coverage.MISSING),
        ({}, Coverage.MISSING),
        ("#!/bin/sh\nset -e: 'x\n", Coverage.MISSING),
    ],
    ids=["error", "message", "empty list", "empty object", "script"],
)
def test_what_seems_missing_may_stand_in_a_document_that_nobody_knows(
    tmp_path: Path, document_of_nobody: Any, missing: Coverage
) -> None:
    export = details(role(allow("ec2:AttachVolume")))
    found = holdings(load_export(write(tmp_path, account=export, other=document_of_nobody)), "AWSProviderSpec", None)
    assert found is not None
    assert found.judge(ROLE, ATTACH, ()).verdict == Coverage.COVERED
    judged = found.judge(ROLE, Grant("action", "s3:GetObject", "Allow", "*"), ())
    assert judged.verdict == missing
    assert ("other.json" in judged.reason) == (missing == Coverage.UNKNOWN)


def test_a_file_that_breaks_off_after_a_whole_document_proves_nothing(tmp_path: Path) -> None:
    write(tmp_path, account=json.dumps(EXPORT) + '{"RoleDetailList": [')
    held = holdings(load_export(tmp_path), "AWSProviderSpec", None)
    assert held is not None
    judged = held.judge(ROLE, ATTACH, ())
    assert judged.verdict == Coverage.UNKNOWN
    assert "cut off" in judged.reason


@pytest.mark.parametrize("text", ["", "{", "\x00\x01"])
def test_where_nothing_can_be_read_it_is_an_error_that_names_the_way_out(tmp_path: Path, text: str) -> None:
    with pytest.raises(EntitlementError, match="no document can be read"):
        load_export(write(tmp_path, account=text))


def test_a_path_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load_export(tmp_path / "nowhere")


def test_yaml_utf_16_and_pages_in_one_file_are_read(tmp_path: Path) -> None:
    page = {"RoleName": "c1-ebs", "PolicyName": "p", "PolicyDocument": document(allow("ec2:AttachVolume"))}
    (tmp_path / "windows.json").write_bytes(b"\xff\xfe" + json.dumps(page).encode("utf-16-le"))
    held = holdings(load_export(tmp_path), "AWSProviderSpec", None)
    assert held is not None
    assert held.judge(ROLE, ATTACH, ()).verdict == Coverage.COVERED


def test_a_cloud_that_cannot_be_read_live_says_how_else() -> None:
    with pytest.raises(EntitlementError, match="export:PATH"):
        collect_live("VSphereProviderSpec", {})


# identities


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("AWS", "c1-openshift-cloud-credential-operator-cloud-credential-operator-iam-ro-creds"[:64]),
        ("Azure", "c1-openshift-cloud-credential-operator-cloud-credential-operator-iam-ro-creds"),
        ("GCP", "c1-cloud-credential-operator-iam-ro"),
        ("IBMCloud", "c1-openshift-cloud-credential-operator-cloud-credential-operator-iam-ro-creds"),
    ],
)
def test_the_name_that_ccoctl_gives(provider: str, name: str) -> None:
    given = ccoctl_name(
        provider,
        "c1",
        "openshift-cloud-credential-operator",
        "cloud-credential-operator-iam-ro-creds",
        "cloud-credential-operator-iam-ro",
    )
    assert given == name


def test_ccoctl_cuts_where_its_cloud_does() -> None:
    long = "x" * 200
    lengths = {p: len(ccoctl_name(p, long, "ns", "secret", long)) for p in ("AWS", "Azure", "GCP", "IBMCloud")}
    assert lengths == {"AWS": 64, "Azure": 128, "GCP": 50 + 1 + 49, "IBMCloud": 200 + len("-ns-secret")}


@dataclass(frozen=True)
class Held:
    """Holdings that know two spellings of one identity, and one name."""

    spellings: dict[str, str]

    def resolve(self, identity: str) -> str | None:
        return self.spellings.get(identity)

    def find_by_ccoctl_name(self, name: str) -> str | None:
        return "by-name" if name == "c1-ns-secret" else None


HELD: Any = Held({"AKIA1": "user", "user": "user", "other": "other"})


@pytest.mark.parametrize(
    ("held", "given", "expected"),
    [
        (None, {}, None),
        (HELD, {"in_secret": "a"}, Identity("a", "secret")),
        (HELD, {"configured": "a"}, Identity("a", "configuration")),
        (HELD, {"in_secret": "A", "configured": "a"}, Identity("A", "secret")),
        (HELD, {"in_secret": "AKIA1", "configured": "user"}, Identity("AKIA1", "secret")),
        (HELD, {"in_secret": "AKIA1", "configured": "other"}, Identity("AKIA1", "secret", "other")),
        (HELD, {"in_secret": "AKIA1", "configured": "arn:aws:iam::1:user/u"}, Identity("AKIA1", "secret")),
        (HELD, {"in_secret": "AKIA1", "configured": "AKIA2"}, Identity("AKIA1", "secret", "AKIA2")),
        (None, {"in_secret": "1-2-3", "configured": "principal:9"}, Identity("1-2-3", "secret")),
        (
            None,
            {"in_secret": "arn:aws:iam::1:role/a", "configured": "arn:aws:iam::1:role/b"},
            Identity("arn:aws:iam::1:role/a", "secret", "arn:aws:iam::1:role/b"),
        ),
        (None, {"in_secret": "a", "configured": "b"}, Identity("a", "secret", "b")),
        (HELD, {"configured": "a", "ccoctl": "c1-ns-secret"}, Identity("a", "configuration")),
        (HELD, {"ccoctl": "c1-ns-secret"}, Identity("by-name", "ccoctl-name")),
        (HELD, {"ccoctl": "c1-ns-other"}, None),
        (None, {"ccoctl": "c1-ns-secret"}, None),
    ],
)
def test_which_identity_serves_a_secret(held: Any, given: dict[str, str], expected: Identity | None) -> None:
    assert identify(held, **given) == expected


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
