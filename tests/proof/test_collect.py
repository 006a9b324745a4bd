"""Collections of export files, and what cannot be read of them."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.aws_exports import ACCOUNT, ROLE, USER, allow, details, document, role, user
from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document, HeldGrants, Resolves
from upgrade_gate.proof.collect import (
    Collection,
    as_documents,
    collect_live,
    holdings,
    load_export,
    out_of_time,
    too_old,
)

ATTACH = Grant("action", "ec2:AttachVolume", "Allow", "*")
EXPORT = details(role(allow("ec2:AttachVolume")))


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
    assert held.sizes(ROLE, [ATTACH]) == ()
    assert isinstance(held, Resolves)
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
    collection = load_export(tmp_path)
    assert [one.truncated for one in collection.documents] == [True]
    held = holdings(collection, "AWSProviderSpec", None)
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


LIMIT, NOON = timedelta(hours=24), datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("2026-11-01T12:00:00Z", None),
        ("2026-11-01T13:00:00+01:00", None),
        ("2026-11-01T11:59:59Z", "is 1 day 1 second old (made at 2026-11-01T11:59:59Z), and --max-age allows 1 day"),
        ("2026-10-02T12:00:00Z", "is 31 days old"),
        ("2026-11-01T08:58:00Z", "is 1 day 3 hours 2 minutes old"),
        ("2026-11-02T12:05:00Z", None),
        ("2026-11-02T12:05:01Z", "was made at 2026-11-02T12:05:01Z, which is after 2026-11-02T12:00:00Z"),
        ("2027-01-01T00:00:00Z", "which is after"),
        ("yesterday", "does not say when it was made ('yesterday')"),
        ("2026-11-02T11:00:00", "does not say when it was made"),
    ],
)
@pytest.mark.parametrize("form", ["stamp", "index"])
def test_an_export_may_be_too_old_or_of_the_future(form: str, made: str, words: str | None, tmp_path: Path) -> None:
    stamp = {"collected": made}
    if form == "index" and words is not None and "does not say" in words:
        pytest.skip("an index without a time is none: see its own tests")
    own = {"index": "upgrade-gate/export/v1", "calls": [], **stamp} if form == "index" else stamp
    found = out_of_time(load_export(write(tmp_path, account=EXPORT, own=own)), LIMIT, NOON)
    assert (found is None) == (words is None), found
    assert (words or "") in (found or "")


def test_without_a_stamp_the_oldest_file_tells_the_age_and_every_part_counts(tmp_path: Path) -> None:
    noon = NOON.timestamp()
    write(tmp_path, account=EXPORT, note={"some": "thing"})
    os.utime(tmp_path / "account.json", (0, noon - 86_400))
    os.utime(tmp_path / "note.json", (0, noon))
    assert out_of_time(load_export(tmp_path), LIMIT, NOON) is None
    assert out_of_time(load_export(tmp_path), timedelta(hours=23), NOON) is not None
    stamped = tmp_path / "stamped"
    stamped.mkdir()
    write(stamped, account=EXPORT, stamp={"collected": "2026-11-02T11:00:00Z"})
    os.utime(tmp_path / "account.json", (0, noon - 86_402))
    assert out_of_time(load_export(stamped), LIMIT, NOON) is None
    assert out_of_time(load_export(stamped, tmp_path / "account.json"), LIMIT, NOON) is not None


def test_what_says_no_time_is_of_any_age() -> None:
    assert too_old("x", None, LIMIT, NOON) == "x does not say when it was made, and --max-age asks for that"


def test_of_several_paths_the_oldest_stamp_counts_wherever_it_stands(tmp_path: Path) -> None:
    for name, day in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        write(tmp_path / name, account=EXPORT, stamp={"collected": f"2026-11-0{day}T11:00:00Z"})
    for paths in ((tmp_path / "a", tmp_path / "b"), (tmp_path / "b", tmp_path / "a")):
        found = load_export(*paths)
        assert found.collected == "2026-11-01T11:00:00Z"
        assert out_of_time(found, LIMIT, NOON) is not None


def test_an_empty_list_is_a_document_only_where_a_command_is_known_that_it_answers() -> None:
    class Known:
        def recognises(self, body: Any) -> bool:
            return bool(body == "known")

    plugin: Any = Known()
    listed = [
        Document([]),
        Document([], asked="list"),
        Document(["known", "x"], asked="list"),
        Document("x", asked="y"),
    ]
    assert as_documents(plugin, listed) == (Document([], asked="list"), Document("known", asked="list"))


def test_a_cloud_that_knows_no_more_of_the_place_takes_the_context_as_it_is(tmp_path: Path) -> None:
    policy = {"bindings": [{"role": "roles/dns.admin", "members": ["serviceAccount:a@p.iam.gserviceaccount.com"]}]}
    assert holdings(load_export(write(tmp_path, gcp=policy)), "GCPProviderSpec", None, Context()) is not None


@pytest.mark.parametrize("broken", [True, False])
def test_what_an_identity_holds_is_not_known_whole_beside_what_cannot_be_used(broken: bool, tmp_path: Path) -> None:
    write(tmp_path, account=EXPORT, other="{" if broken else {"error": 1})
    found = holdings(load_export(tmp_path), "AWSProviderSpec", None)
    assert found is not None
    held = found.held(ROLE)
    if broken:
        assert isinstance(held, CoverageResult)
        assert held.reason.startswith("other.json: not JSON")
        return
    assert isinstance(held, HeldGrants)
    assert held.grants
    assert "no cloud prints what other.json holds" in held.unseen
    assert isinstance(found.held(f"{ROLE}-2"), CoverageResult)


@pytest.mark.parametrize(
    ("command", "about"),
    [
        ("aws iam get-role --role-name c1-ebs", True),
        (f"aws iam x {ROLE}", True),
        ("aws iam get-role --role-name c1-ebs-2", False),
        ("aws iam list-roles", False),
    ],
)
def test_a_command_that_failed_is_told_of_where_it_names_the_identity(command: str, about: bool) -> None:
    bounded = role(allow("*"), PermissionsBoundary={"PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/b"})
    documents = (Document(details(bounded)),)
    plain = holdings(Collection("x", documents), "AWSProviderSpec", None)
    found = holdings(Collection("x", documents, failed=(command,)), "AWSProviderSpec", None)
    assert plain is not None
    assert found is not None
    before, after = plain.judge(ROLE, ATTACH, ()), found.judge(ROLE, ATTACH, ())
    assert (before.verdict, after.verdict) == (Coverage.UNKNOWN, Coverage.UNKNOWN)
    if not about:
        assert after == before
        return
    assert after.reason == f"{before.reason}; the export says that this failed: {command}"
    assert after.doubt == before.unsettled
    assert found.judge("c1-ebs", ATTACH, ()) != plain.judge("c1-ebs", ATTACH, ())


def test_beside_a_command_that_failed_what_is_held_is_told_as_it_is() -> None:
    documents = (Document(details(role(allow("s3:*")))),)
    plain = holdings(Collection("x", documents), "AWSProviderSpec", None)
    found = holdings(Collection("x", documents, failed=("aws iam x",)), "AWSProviderSpec", None)
    assert plain is not None
    assert found is not None
    assert found.held(ROLE) == plain.held(ROLE)


def test_a_command_names_a_service_id_without_what_iam_puts_before_it() -> None:
    ids = [{"id": "ServiceId-1", "iam_id": "iam-ServiceId-1", "name": "c1", "account_id": "A1"}]
    failed = ("ibmcloud iam service-policies ServiceId-1 --output json",)
    found = holdings(Collection("x", (Document(ids),), failed=failed), "IBMCloudProviderSpec", None)
    assert found is not None
    scope = {"attributes": [{"name": "serviceName", "value": "is"}]}
    judged = found.judge("iam-ServiceId-1", Grant("role", "crn:v1:bluemix:public:iam::::role:Viewer", scope=scope), ())
    assert judged.verdict == Coverage.UNKNOWN
    assert f"failed: {failed[0]}" in judged.reason
