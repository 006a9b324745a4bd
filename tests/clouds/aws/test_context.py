"""Coverage in the cluster's own context: the shared cases, their neighbours, and brute force over small universes."""

import json
from pathlib import Path
from typing import Any

from tests.worlds.aws_exports import (
    ACCOUNT,
    ROLE,
    details,
    role,
)
from upgrade_gate.clouds.contract.holdings import CoverageResult
from upgrade_gate.entitlements import judge

COVERED, MISSING, NARROWER, DENIED, UNKNOWN = "COVERED", "MISSING", "NARROWER", "DENIED", "UNKNOWN"
REGION, INFRA = "eu-central-1", "c1-x7k2p"
HERE = {"region": REGION, "partition": "aws", "account": ACCOUNT, "infrastructure_name": INFRA}
TERMINATE, ATTACH, DESCRIBE, RUN = (
    "ec2:TerminateInstances",
    "ec2:AttachVolume",
    "ec2:DescribeInstances",
    "ec2:RunInstances",
)
OWN = f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
TAG = f"aws:ResourceTag/kubernetes.io/cluster/{INFRA}"
ASSUMED = ("cluster-tag",)


def ask(
    *statements: Any,
    action: str = TERMINATE,
    resource: str = "*",
    context: dict[str, Any] | None = HERE,
    assume: tuple[str, ...] = (),
    beside: tuple[Any, ...] = (),
    entry: dict[str, Any] | None = None,
) -> CoverageResult:
    """Judge one action for a role with these statements, in the context of one cluster."""
    export = details(role(*statements, **{"Tags": [], **(entry or {})}))
    grant = {"permission": action, "effect": "Allow", "resource": resource}
    return judge("AWS", [export, *beside], ROLE, grant, account=ACCOUNT, context=context, assume=assume)


def test_every_shared_case(shared: Path) -> None:
    wrong = []
    cases = json.loads((shared / "cases/context/aws.json").read_text())["cases"]
    for case in cases:
        required = case["required"]
        found = judge(
            "AWS",
            [case["export"], *case.get("organization_policies", ())],
            case["identity"]["arn"],
            {"permission": required["action"], **{k: required[k] for k in ("effect", "resource", "condition")}},
            account=case["account"],
            context=case["context"],
            assume=tuple(case["assume"]),
        )
        if found.verdict not in case.get("accept", [case["expect"]]):
            wrong.append(f"{case['id']}: {found.verdict}, not {case['expect']}: {found.reason}")
    assert len(cases) > 90
    assert not wrong, "\n".join(wrong)
