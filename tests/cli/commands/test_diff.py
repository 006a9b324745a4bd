"""`diff`: what changes between two releases, without a verdict."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.running import Result, run


def diff(fixtures: Path, platform: str, *more: str) -> Result:
    old, new = (f"dir:{fixtures / 'releases' / version}" for version in ("4.18.7", "4.19.2"))
    return run("diff", old, new, "--platform", platform, *more)


def changes(fixtures: Path, platform: str) -> dict[str, Any]:
    result = diff(fixtures, platform, "-o", "json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert (document["cluster"], document["verdict"], document["findings"]) == (None, None, [])
    return {change["request"].partition("/")[2]: change for change in document["changes"]}


def added(change: dict[str, Any]) -> dict[str, bool]:
    """Added permissions, and whether something that is required today already covers them."""
    return {grant["permission"]: grant["covered_by"] is not None for grant in change["permissions"]["added"]}


def test_aws(fixtures: Path) -> None:
    found = changes(fixtures, "aws")
    assert {name: change["kind"] for name, change in found.items()} == {
        "beacon-machines": "changed",
        "lantern-image-store": "changed",
        "quillwork-network-config": "renamed",
        "reedbed-samples": "changed",
        "saltmarsh-dns": "added",
        "tidewater-volume-driver": "changed",
    }
    assert added(found["tidewater-volume-driver"]) == {
        "ec2:DescribeVolumesModifications": False,
        "ec2:ModifyVolume": False,
    }
    assert added(found["lantern-image-store"]) == {
        "s3:GetBucketLocation": True,
        "s3:GetBucketTagging": True,
        "s3:GetObject": True,
    }
    assert found["beacon-machines"]["secret"]["to"] == "openshift-beacon/beacon-cloud-credentials"
    assert found["quillwork-network-config"]["was"] == "openshift-cloud-credential-operator/quillwork-config"


def test_azure_contributor_covers_the_control_plane_only(fixtures: Path) -> None:
    assert added(changes(fixtures, "Azure")["lantern-image-store-azure"]) == {
        "Microsoft.Storage/storageAccounts/read": True,
        "Microsoft.Storage/storageAccounts/write": True,
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read": False,
    }


def test_nutanix_has_a_new_secret_and_no_permissions(fixtures: Path) -> None:
    (change,) = changes(fixtures, "Nutanix").values()
    assert (change["kind"], change["permissions"]["added"]) == ("added", [])
    assert change["secret"] == {"from": None, "to": "openshift-tidewater/nutanix-cloud-credentials"}


def test_vsphere_gains_a_service_account(fixtures: Path) -> None:
    (change,) = changes(fixtures, "VSphere").values()
    assert change["service_accounts"] == {"added": ["tidewater-volume-driver-monitor"], "removed": []}


def test_a_difference_is_no_error_unless_asked_for(fixtures: Path) -> None:
    assert diff(fixtures, "AWS").code == 0
    assert diff(fixtures, "AWS", "--exit-code").code == 3
    same = f"dir:{fixtures / 'releases' / '4.19.2'}"
    assert run("diff", same, same, "--platform", "AWS", "--exit-code").code == 0


def test_a_payload_that_was_not_read_whole_is_4(fixtures: Path, tmp_path: Path) -> None:
    for path in (fixtures / "releases" / "4.19.2").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    broken = tmp_path / "0000_50_tidewater-storage_03_credentials-request.yaml"
    broken.write_text(broken.read_text().replace("spec:", "spec: ["))
    result = run("diff", f"dir:{fixtures / 'releases' / '4.18.7'}", f"dir:{tmp_path}", "--platform", "AWS")
    assert result.code == 4
    assert result.first.startswith("error: no verdict was reached: ")
    assert broken.name in result.err


@pytest.mark.parametrize("path", ["gone", "dir:gone"])
def test_a_release_that_does_not_exist_is_2(fixtures: Path, path: str) -> None:
    assert run("diff", path, f"dir:{fixtures / 'releases' / '4.19.2'}", "--platform", "AWS").code == 2


def test_a_path_is_shown_hop_by_hop(fixtures: Path) -> None:
    old = f"dir:{fixtures / 'releases' / '4.18.7'}"
    result = diff(fixtures, "AWS", "--via", old, "-o", "json")
    document = json.loads(result.out)
    assert [(hop["from"]["version"], hop["to"]["version"]) for hop in document["hops"]] == [
        ("4.18.7", "4.18.7"),
        ("4.18.7", "4.19.2"),
    ]
    assert {change["hop"] for change in document["changes"]} == {1}, "the first hop changes nothing"
    assert "on the way to 4.19.2" in diff(fixtures, "AWS", "--via", old).out
