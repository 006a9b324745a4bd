"""A policy repository beside two small releases: files are written, and the gate runs on them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.worlds.rules import payload, request
from tests.worlds.running import Result, run
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import CoverageResult
from upgrade_gate.proof import declared

SECRET = "openshift-storage/cloud"
OLD = [request("a", "ec2:DescribeVolumes")]
NEW = [request("a", "ec2:DescribeVolumes", "ec2:CreateTags")]


def policy(*actions: str, **more: Any) -> dict[str, Any]:
    """Return a policy document of one statement."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def write(folder: Path, files: Mapping[str, Any]) -> None:
    """Write files; what is no text or bytes is written as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2) + "\n")


def gate(
    folder: Path,
    files: Mapping[str, Any],
    *arguments: str | Path,
    old: Sequence[Mapping[str, Any]] = OLD,
    new: Sequence[Mapping[str, Any]] = NEW,
    platform: str = "AWS",
    config: str | None = None,
) -> tuple[Result, dict[str, Any]]:
    """Run `check --no-cluster` in a policy repository of these files; return the result and its JSON report."""
    if not (folder / "releases").exists():
        payload(folder / "releases/old", "4.14.1", list(old))
        payload(folder / "releases/new", "4.15.0", list(new))
    repository = folder / "repository"
    repository.mkdir(exist_ok=True)
    write(repository, files)
    if config is not None:
        (repository / "gate.yaml").write_text(config)
        arguments = ("--config", "gate.yaml", *arguments)
    sources = () if "--identities" in arguments else ("--identities", "policies:.")
    result = run(
        *("check", "--no-cluster", "--platform", platform, "--verify", "off"),
        *("--from", f"dir:{folder / 'releases/old'}", "--to", f"dir:{folder / 'releases/new'}"),
        *(*sources, "-o", f"json={folder / 'report.json'}", "-o", "text"),
        *arguments,
        cwd=repository,
    )
    report = folder / "report.json"
    return result, json.loads(report.read_bytes()) if report.exists() else {}


def told(
    folder: Path, files: Mapping[str, Any], kind: str, grant: Grant, context: Context | None = None
) -> CoverageResult:
    """Return what policy files say of one grant for the Secret, without a run of the gate."""
    write(folder, files)
    found = declared.load("policies:x", [folder], {})
    served = found.serving(kind, SECRET, [SECRET], None)
    return served if isinstance(served, CoverageResult) else found.judge(served, grant, (), context)


def finding(report: Mapping[str, Any], rule: str) -> dict[str, Any]:
    """Return the one finding of a rule."""
    (found,) = [f for f in report["findings"] if f["rule"] == rule]
    return dict(found)


def places(found: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return file and line of each place in a policy file."""
    return [(e["file"], e["line"]) for e in found["evidence"] if e["side"] == "policy"]


def plan_of(*resources: Mapping[str, Any], unknown: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return what Terraform shows of a plan with these resources, each its own values."""
    listed = [
        {"address": f"{r['type']}.{r['name']}", "mode": "managed", "type": r["type"], "name": r["name"], "values": r}
        for r in (dict(one) for one in resources)
    ]
    changes = [{"address": address, "change": {"after_unknown": value}} for address, value in (unknown or {}).items()]
    values = {"root_module": {"resources": listed}}
    return {"format_version": "1.2", "planned_values": values, "resource_changes": changes, **more}


def refers(address: str, **arguments: list[str]) -> dict[str, Any]:
    """Return the configuration of a plan in which arguments of one resource refer to addresses."""
    expressions = {name: {"references": references} for name, references in arguments.items()}
    return {"configuration": {"root_module": {"resources": [{"address": address, "expressions": expressions}]}}}
