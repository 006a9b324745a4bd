"""What an export says of itself: empty answers, cut files, failed commands, and indexes that cannot be trusted."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.aws_exports import ROLE, allow, details, role
from upgrade_gate.base.errors import EntitlementError
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import CoverageResult
from upgrade_gate.proof.collect import Collection, holdings, load_export

ATTACH = Grant("action", "ec2:AttachVolume", "Allow", "*")
DETACH = Grant("action", "ec2:DetachVolume", "Allow", "*")
ACCOUNT = json.dumps(details(role(allow("ec2:AttachVolume"))), indent=4)
LISTED = "aws iam get-account-authorization-details --output json"


def call(file: str, text: str = "", **more: Any) -> dict[str, Any]:
    """One entry as the script writes it."""
    return {
        "command": LISTED,
        "file": file,
        "status": 0,
        "items": 1,
        "bytes": len(text),
        "time": "2026-11-01T06:00:01Z",
        **more,
    }


def index(*calls: Any, **more: Any) -> dict[str, Any]:
    return {"index": "upgrade-gate/export/v1", "collected": "2026-11-01T06:00:00Z", "calls": list(calls), **more}


def export(folder: Path, own: Any, **files: str) -> Collection:
    for name, text in files.items():
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    (folder / "index.json").write_text(own if isinstance(own, str) else json.dumps(own), encoding="utf-8")
    return load_export(folder)


def ask(collection: Collection, grant: Grant = ATTACH, identity: str = ROLE) -> CoverageResult:
    held = holdings(collection, "AWSProviderSpec", None)
    assert held is not None
    return held.judge(identity, grant, ())


def test_an_index_that_agrees_changes_nothing_but_the_time(tmp_path: Path) -> None:
    found = export(tmp_path, index(call("account.json", ACCOUNT)), account=ACCOUNT)
    assert (found.unread, found.unrecognised, found.failed) == ((), (), ())
    assert found.collected == "2026-11-01T06:00:00Z"
    assert sorted(found.files) == ["account.json", "index.json"]
    assert {d.asked for d in found.documents} == {LISTED}
    assert ask(found).verdict == "COVERED"
    assert ask(found, DETACH).verdict == "MISSING"


def test_what_the_index_does_not_name_stays_what_it_is(tmp_path: Path) -> None:
    found = export(tmp_path, index(), account=ACCOUNT)
    assert ask(found).verdict == "COVERED"


def test_an_index_speaks_of_the_files_of_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    export(tmp_path / "a", index(call("account.json", ACCOUNT)), account=ACCOUNT)
    (tmp_path / "account.json").write_text("[]")
    found = load_export(tmp_path)
    assert found.unread == ()
    assert ask(found).verdict == "COVERED"


CONTRADICTIONS: dict[str, tuple[Any, str]] = {
    "cut": (index(call("account.json", ACCOUNT + " " * 9)), "is cut off"),
    "another number of items": (index(call("account.json", ACCOUNT, items=7)), "holds 1 items in its lists, and 7"),
    "a file is gone": (index(call("account.json", ACCOUNT), call("0002-more.json", "{}", items=0)), "is missing"),
    "a failed command left a file": (index(call("account.json", ACCOUNT, status=1)), "failed"),
    "one file of two commands": (index(call("account.json", ACCOUNT), call("account.json", ACCOUNT)), "two commands"),
    "was empty": (index(call("account.json", "", items=0)), "was empty"),
    "another form": (index(index="upgrade-gate/export/v9"), "another form"),
    "a form of nobody": ({"index": "v1", "calls": []}, "cannot be read"),
    "a form of somebody else": (index(index="other/v1"), "another form"),
    "no list of calls": ({"index": "upgrade-gate/export/v1", "collected": "2026-11-01T06:00:00Z"}, "cannot be read"),
    "calls that are none": (index(7), "cannot be read"),
    "a status that is none": (index(call("account.json", ACCOUNT, status=False)), "cannot be read"),
    "a negative count": (index(call("account.json", ACCOUNT, items=-1)), "cannot be read"),
    "a path": (index(call("../account.json", ACCOUNT)), "cannot be read"),
    "no time": (index(call("account.json", ACCOUNT), collected="yesterday"), "when it was made"),
    "a time without a zone": (index(call("account.json", ACCOUNT), collected="2026-11-01T06:00:00"), "when it was"),
    "cut itself": (json.dumps(index(call("account.json", ACCOUNT)))[:-9], "index.json"),
    "something cut off behind it": (json.dumps(index(call("account.json", ACCOUNT))) + "{", "as a whole"),
    "two documents": (json.dumps(index()) + json.dumps(index(call("account.json", ACCOUNT))), "as a whole"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_an_index_that_contradicts_its_files_or_itself_is_never_a_proof(case: str, tmp_path: Path) -> None:
    own, words = CONTRADICTIONS[case]
    found = export(tmp_path, own, account=ACCOUNT)
    assert any(words in line for line in found.unread), found.unread
    for grant in (ATTACH, DETACH):
        judgement = ask(found, grant)
        assert judgement.verdict == "UNKNOWN"
        assert "index.json" in judgement.reason


def test_a_document_of_ours_that_is_no_export_s_is_no_index(tmp_path: Path) -> None:
    found = export(tmp_path, {"index": "upgrade-gate/other/v1"}, account=ACCOUNT)
    assert (found.unread, found.unrecognised) == ((), ("index.json",))


def test_behind_an_index_that_cannot_be_read_the_next_one_counts(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b/index.json").write_text(json.dumps(index(7)))
    found = export(tmp_path, index(call("account.json", ACCOUNT + " ")), account=ACCOUNT)
    assert [line.partition(":")[0] for line in found.unread] == ["b/index.json", "index.json"]
    assert found.collected == "2026-11-01T06:00:00Z"


def test_elements_of_the_outermost_lists_are_counted_and_nothing_else(tmp_path: Path) -> None:
    text = json.dumps({"name": "some text", "number": 7, "rows": [[1, 2], "x"], "inner": {"more": [3], "none": None}})
    assert export(tmp_path, index(call("other.json", text, items=3)), other=text).unread == ()


def test_a_file_that_cannot_be_parsed_is_not_counted(tmp_path: Path) -> None:
    cut = ACCOUNT + '{"RoleDetailList": ['
    (line,) = export(tmp_path, index(call("account.json", cut, items=9)), account=cut).unread
    assert line.startswith("account.json: not JSON, or cut off")


@pytest.mark.parametrize("own", [index(), index(7), index(call("account.json", ACCOUNT))])
def test_an_index_alone_is_no_export(own: Any, tmp_path: Path) -> None:
    with pytest.raises(EntitlementError, match="no document can be read"):
        export(tmp_path, own)


def test_two_indexes_of_one_folder_are_no_proof(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(json.dumps(index()))
    found = export(tmp_path, index(call("account.json", ACCOUNT)), account=ACCOUNT)
    assert any("second index" in line for line in found.unread)
    assert ask(found).verdict == "UNKNOWN"


def test_a_command_that_failed_is_named_where_it_is_about_the_identity(tmp_path: Path) -> None:
    failed = call("0002-role.json", status=254, items=0, command="aws iam get-role --role-name c1-ebs --output json")
    other = call("0003-role.json", status=254, items=0, command="aws iam get-role --role-name c1-ebs-2 --output json")
    found = export(tmp_path, index(call("account.json", ACCOUNT), other), account=ACCOUNT)
    assert ask(found, DETACH).verdict == "MISSING"
    found = export(tmp_path, index(call("account.json", ACCOUNT), failed), account=ACCOUNT)
    assert ask(found).verdict == "COVERED"
    missing = ask(found, DETACH)
    assert missing.verdict == "UNKNOWN"
    assert "this failed when the export was made: aws iam get-role --role-name c1-ebs" in missing.unsettled
    absent = ask(found, identity=ROLE + "-2")
    assert "failed" not in absent.reason


CLIENT, PRINCIPAL = "00000000-0000-4000-8000-0000000000c1", "00000000-0000-4000-8000-0000000000b1"
OWNER = "/subscriptions/S1/resourcegroups/ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/c1"
IDENTITIES = json.dumps([{"id": OWNER, "name": "c1", "clientId": CLIENT, "principalId": PRINCIPAL, "tenantId": "T1"}])
FEDERATED = (
    "az identity federated-credential list --subscription S1 --identity-name c1 --resource-group ids --output json"
)


@pytest.mark.parametrize("text", ["[]\n", ""])
@pytest.mark.parametrize(
    ("indexed", "command", "verdict"),
    [
        (True, FEDERATED, "MISSING"),
        (True, FEDERATED.replace("-name c1", "-name c2"), "UNKNOWN"),
        (False, FEDERATED, "UNKNOWN"),
    ],
)
def test_an_empty_list_is_an_answer_where_the_index_says_so(
    indexed: bool, command: str, verdict: str, text: str, tmp_path: Path
) -> None:
    calls = [call("federated.json", text, command=command, items=0)] if indexed else []
    found = export(tmp_path, index(*calls), identities=IDENTITIES, federated=text)
    held = holdings(found, "AzureProviderSpec", None)
    assert held is not None
    judgement = held.trust(CLIENT, "https://oidc.example.com/c1", ["system:serviceaccount:a:b"])
    assert judgement.verdict == verdict, judgement.reason
    if indexed:
        assert found.unread == found.unrecognised == ()


def test_no_assignment_at_all_is_an_answer_too(tmp_path: Path) -> None:
    command = "az role assignment list --all --include-inherited --subscription S1 --output json"
    asked = Grant("permission", "Microsoft.Compute/disks/read")
    for own, verdict in ((index(call("a.json", "[]", command=command, items=0)), "MISSING"), (index(), "UNKNOWN")):
        held = holdings(export(tmp_path, own, identities=IDENTITIES, a="[]"), "AzureProviderSpec", None)
        assert held is not None
        judgement = held.judge(CLIENT, asked, ("rg",))
        assert judgement.verdict == verdict, judgement.reason


@pytest.mark.parametrize(
    ("policies", "groups", "whole"),
    [
        ("[]", "[]", True),
        ('{"policies": []}', '{"groups": []}', True),
        ('{"policies": [], "next": "https://x"}', "[]", False),
    ],
    ids=["bare", "wrapped", "a page of more"],
)
def test_a_service_id_without_policies_and_groups_has_none(
    policies: str, groups: str, whole: bool, tmp_path: Path
) -> None:
    ids = json.dumps([{"id": "ServiceId-1", "iam_id": "iam-ServiceId-1", "name": "c1", "account_id": "A1"}])
    scope = {"attributes": [{"name": "serviceName", "value": "is"}]}
    asked = Grant("role", "crn:v1:bluemix:public:iam::::role:Viewer", scope=scope)
    commands = ("ibmcloud iam service-policies ServiceId-1 --output json", "ibmcloud iam access-groups -s ServiceId-1 ")
    texts = (policies, groups)
    calls = [call(f"{n}.json", texts[n], command=command, items=0) for n, command in enumerate(commands)]
    answered = "MISSING" if whole else "UNKNOWN"
    for own, verdict in ((index(*calls), answered), (index(calls[0]), "UNKNOWN"), (index(), "UNKNOWN")):
        found = export(tmp_path, own, ids=ids, **{"0": policies, "1": groups})
        held = holdings(found, "IBMCloudProviderSpec", None)
        assert held is not None
        judgement = held.judge("iam-ServiceId-1", asked, ())
        assert judgement.verdict == verdict, judgement.reason


def test_a_pool_without_a_provider_lets_nobody_in(tmp_path: Path) -> None:
    email = "a@p1.iam.gserviceaccount.com"
    pool = "projects/42/locations/global/workloadIdentityPools/c1"
    subject = "system:serviceaccount:a:b"
    binding = {
        "role": "roles/iam.workloadIdentityUser",
        "members": [f"principal://iam.googleapis.com/{pool}/subject/{subject}"],
    }
    own = json.dumps({"serviceAccount": email, "policy": {"bindings": [binding]}})
    command = (
        "gcloud iam workload-identity-pools providers list --workload-identity-pool=c1 --location=global --project=p1"
    )
    for calls, verdict in (([call("0.json", "[]", command=command, items=0)], "MISSING"), ([], "COVERED")):
        held = holdings(export(tmp_path, index(*calls), policy=own, **{"0": "[]"}), "GCPProviderSpec", None)
        assert held is not None
        judgement = held.trust(email, "https://oidc.example.com/c1", [subject])
        assert judgement.verdict == verdict, judgement.reason
