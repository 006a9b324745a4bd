"""`check` against the details of a large AWS account."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Measure
from tests.worlds.aws_exports import ACCOUNT, ROLE, allow, attached, details, managed, role

pytestmark = pytest.mark.benchmark
ROLES = 50_000
SIZE = 83_000_000
"""Bytes of the export; roles of real accounts are about that long."""


def test_the_details_of_an_account_of_many_teams(measure: Measure, fixtures: Path, tmp_path: Path) -> None:
    policies = [f"arn:aws:iam::{ACCOUNT}:policy/base-{n}" for n in range(300)]
    filling = [f"arn:aws:s3:::{'b' * 60}-{n}/*" for n in range(10)]
    others = [
        role(
            *(allow("s3:GetObject", "s3:PutObject", Resource=filling[:5], Sid=f"S{n}") for n in range(2)),
            arn=f"arn:aws:iam::{ACCOUNT}:role/team-{number:05d}",
            AttachedManagedPolicies=attached(policies[number % len(policies)]),
            Tags=[{"Key": "team", "Value": str(number)}],
        )
        for number in range(ROLES)
    ]
    export = tmp_path / "account.json"
    export.write_text(
        json.dumps(details(role(allow("ec2:*")), *others, *(managed(p, allow("logs:*")) for p in policies)))
    )
    assert export.stat().st_size > SIZE
    (tmp_path / "configuration.yaml").write_text(json.dumps({"identities": {"default": ROLE}}))
    figure = measure(
        f"check, {ROLES} roles in {export.stat().st_size / 1e6:.0f} MB of an AWS account",
        "check",
        *("--from", f"dir:{fixtures / 'releases/4.18.7'}", "--to", f"dir:{fixtures / 'releases/4.19.2'}"),
        *("--cluster", f"must-gather:{fixtures / 'clusters/aws-sts'}", "--no-cache", "--verify", "off"),
        *("--identities", f"export:{export}", "--config", tmp_path / "configuration.yaml"),
        budget="5 s, 300 MB",
        runs=2,
        plain=("account", export),
    )
    assert figure.code == 3
