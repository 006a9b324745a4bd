"""By what the new grants of a change came, in its view and in that of its findings."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.rules import payload, request
from tests.worlds.running import run

EBS = "aws-ebs-csi-driver-operator"


def check(folder: Path, old: str, new: str, *more: str) -> dict[str, Any]:
    before = payload(folder / old, old, [request(EBS, "ec2:AttachVolume")])
    after = payload(folder / new, new, [request(EBS, "ec2:AttachVolume", "kms:Decrypt", "kms:Invented")])
    args = ("--from", f"dir:{before}", "--to", f"dir:{after}", "--no-cluster", "--platform", "AWS", *more)
    document: dict[str, Any] = json.loads(run("check", *args, "-o", "json").out)
    return document


def came(grants: list[dict[str, Any]]) -> dict[str, Any]:
    return {grant["permission"]: grant["introduced"] for grant in grants}


def test_a_change_and_its_finding_say_by_what_each_new_grant_came(tmp_path: Path) -> None:
    report = check(tmp_path, "4.10.3", "4.10.50")
    # openshift/cluster-storage-operator#268, a backport of the month after the general availability of 4.10
    backport = {
        "branch": "4.10",
        "z_stream": True,
        "date": "2022-04-06",
        "repository": "openshift/cluster-storage-operator",
        "pull_request": 268,
        "bugs": ["Bug 2072191"],
    }
    wanted = {"kms:Decrypt": backport, "kms:Invented": None}
    assert came(report["changes"][0]["permissions"]["added"]) == wanted
    added = next(finding for finding in report["findings"] if finding["rule"] == "permission-added")
    assert came(added["grants"]) == wanted
    assert "history" in {table["name"] for table in report["tables"]}


@pytest.mark.parametrize(("old", "new"), [("5.1.3", "5.2.0"), ("4.10.50", "4.10.3")])
def test_nothing_is_said_where_the_table_does_not_reach(tmp_path: Path, old: str, new: str) -> None:
    report = check(tmp_path, old, new)
    assert came(report["changes"][0]["permissions"]["added"]) == {"kms:Decrypt": None, "kms:Invented": None}


def test_what_goes_and_what_stays_has_no_introduction(tmp_path: Path) -> None:
    after = payload(tmp_path / "new", "4.10.50", [request(EBS, "ec2:AttachVolume")])
    before = payload(tmp_path / "old", "4.10.3", [request(EBS, "ec2:AttachVolume", "kms:Decrypt")])
    args = ("--from", f"dir:{before}", "--to", f"dir:{after}", "--no-cluster", "--platform", "AWS")
    report = json.loads(run("check", *args, "-o", "json").out)
    assert came(report["changes"][0]["permissions"]["removed"]) == {"kms:Decrypt": None}
    assert {g["introduced"] for finding in report["findings"] for g in finding["grants"]} <= {None}
