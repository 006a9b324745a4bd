"""The pipelines carry what a run needs by variables alone: proof, configuration, acknowledgements, stops, options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import aws_exports, flows
from tests.worlds.ready_files import Workspace, gate

pytestmark = pytest.mark.slow

KINDS = ("github", "gitlab", "tekton", "kubernetes-job")
AWKWARD = """it's a "proof" $(touch hacked) `touch hacked`; touch hacked #"""
"""A name of a folder that would do something, if anything expanded it."""


def blocked(workspace: Workspace, world: flows.World | None = None) -> tuple[str, str, dict[str, str]]:
    """Make a cluster that lacks one grant; return target, cluster, and what a configuration would say besides."""
    words = flows.write(world or flows.grants(), workspace.folder / "world")
    given = dict(zip(words[1::2], words[2::2], strict=True))
    identities = {"identities": {"default": aws_exports.ROLE, "account": aws_exports.ACCOUNT}}
    (workspace.folder / "mapping.yaml").write_text(json.dumps(identities))
    arguments = f"--from '{given['--from']}' --now 2026-11-01"
    return given["--to"], given["--cluster"], {"UPGRADE_GATE_ARGUMENTS": arguments}


def report(workspace: Workspace) -> Any:
    """Return the newest JSON report."""
    found = [path for path in workspace.folder.rglob("*.json") if path.name in {"gate.json", "pod-7.json"}]
    return json.loads(max(found, key=lambda path: path.stat().st_mtime_ns).read_text())


def export(folder: Path, *actions: str) -> None:
    """Write what an earlier job would: what the role holds."""
    folder.mkdir()
    held = aws_exports.details(aws_exports.role(aws_exports.allow(*actions)))
    (folder / "details.json").write_text(json.dumps(held))


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_leads_from_blocked_to_proven_by_variables_alone(workspace: Workspace, kind: str) -> None:
    to, cluster, given = blocked(workspace)
    first = gate(workspace, kind, TO=to, CLUSTER=cluster, **given)
    assert first.returncode == 3, first.stderr
    export(workspace.folder / AWKWARD, "ec2:DescribeVolumes", "ec2:CreateVolume")
    where = {"UPGRADE_GATE_IDENTITIES": f"export:{workspace.folder / AWKWARD}"}
    config = {"UPGRADE_GATE_CONFIG": str(workspace.folder / "mapping.yaml")}
    done = gate(workspace, kind, TO=to, CLUSTER=cluster, **given, **where, **config)
    assert done.returncode == 0, done.stderr
    verdict = report(workspace)["verdict"]
    assert (verdict["status"], verdict["basis"]) == ("pass", "proven")
    assert not list(workspace.folder.rglob("hacked"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_that_lacks_the_grant_changes_no_verdict(workspace: Workspace, kind: str) -> None:
    to, cluster, given = blocked(workspace)
    export(workspace.folder / "identities", "ec2:DescribeVolumes")
    where = {"UPGRADE_GATE_IDENTITIES": f"export:{workspace.folder / 'identities'}"}
    config = {"UPGRADE_GATE_CONFIG": str(workspace.folder / "mapping.yaml")}
    assert gate(workspace, kind, TO=to, CLUSTER=cluster, **given, **where, **config).returncode == 3


@pytest.mark.parametrize("kind", KINDS)
def test_stops_and_acknowledgements_are_lists(workspace: Workspace, kind: str) -> None:
    requests = [
        flows.request("AWS", "comp", *flows_grants) for flows_grants in (("a:A",), ("a:A", "b:B"), ("a:A", "b:B"))
    ]
    world = flows.World("AWS", versions=("4.16.3", "4.17.1", "4.18.0"), payloads=tuple((one,) for one in requests))
    words = flows.write(world, workspace.folder / "a world")
    place = {name: words[words.index(name) + 1] for name in ("--to", "--from", "--via", "--cluster")}
    given = {
        "UPGRADE_GATE_VIA": f'"{place["--via"]}"',
        "UPGRADE_GATE_ARGUMENTS": f"--from '{place['--from']}' --now 2026-11-01",
    }
    assert gate(workspace, kind, TO=place["--to"], CLUSTER=place["--cluster"], **given).returncode == 3
    found = report(workspace)
    assert [hop["to"]["version"] for hop in found["hops"]] == ["4.17.1", "4.18.0"]
    for name, findings in (("first file.yaml", found["findings"]), ("second.yaml", [])):
        entries = [
            {"fingerprint": one["fingerprint"], "reason": "by hand", "owner": "team", "expires": "2099-01-01"}
            for one in findings
            if (one["severity"], one["status"]) == ("blocker", "open")
        ]
        (workspace.folder / name).write_text(json.dumps({"acknowledgements": entries}))
    files = f"'{workspace.folder / 'first file.yaml'}'\n{workspace.folder / 'second.yaml'}"
    done = gate(
        workspace, kind, TO=place["--to"], CLUSTER=place["--cluster"], **given, UPGRADE_GATE_ACKNOWLEDGEMENTS=files
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("UPGRADE_GATE_ARGUMENTS", "--label 'open", "UPGRADE_GATE_ARGUMENTS: No closing quotation"),
        ("UPGRADE_GATE_VIA", "'4.17.1\n4.18.0'", "UPGRADE_GATE_VIA: a line break within quotes"),
        ("UPGRADE_GATE_VIA", "--require-proof", "--require-proof"),
        ("UPGRADE_GATE_IDENTITIES", "export:nowhere", "nowhere"),
        ("UPGRADE_GATE_CONFIG", "nowhere.yaml", "nowhere.yaml"),
    ],
    ids=["open quote", "line break", "an option as a stop", "no export", "no configuration"],
)
def test_what_cannot_be_read_is_no_verdict(
    workspace: Workspace, kind: str, variable: str, value: str, reason: str
) -> None:
    to, cluster, given = blocked(workspace)
    done = gate(workspace, kind, TO=to, CLUSTER=cluster, **{**given, variable: value})
    assert done.returncode == 2, done.stderr
    assert "no verdict was reached" in done.stdout + done.stderr
    assert reason in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_help_ends_well_and_is_no_pass(workspace: Workspace, kind: str) -> None:
    given = {"KUBECONFIG_TEXT": "x", "UPGRADE_GATE_KUBECONFIG": "x", "UPGRADE_GATE_ARGUMENTS": "--help"}
    done = gate(workspace, kind, TO="4.19.5", **given)
    assert done.returncode == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_option_may_have_an_empty_value(workspace: Workspace, kind: str) -> None:
    program = workspace.folder / ".programs" / "upgrade-gate"
    program.write_text('#!/bin/sh\nfor word in "$@"; do echo "[$word]"; done\nexit 3\n')
    done = gate(
        workspace,
        kind,
        TO="4.19.5",
        CLUSTER="snapshot:x",
        UPGRADE_GATE_ARGUMENTS="""-v  --label "a=b c$d" --capabilities ''""",
    )
    assert "[-v]\n[--label]\n[a=b c$d]\n[--capabilities]\n[]\n" in done.stdout
