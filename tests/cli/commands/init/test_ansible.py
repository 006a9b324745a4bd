"""`init ansible`: a playbook that Ansible runs, that changes nothing, and after which nothing goes on but a pass."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import aws_exports, flows
from tests.worlds.components import require
from tests.worlds.ready_files import VERDICTS, Workspace, loaded, made, refused

pytestmark = pytest.mark.slow

REPORTS = {"gate.html", "gate.json", "gate.junit.xml", "gate.md", "gate.sarif", "gate.txt"}
AFTERWARDS = """
- name: Upgrade
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Begin
      ansible.builtin.debug:
        msg: "begun after {{ upgrade_gate_verdict }}"
"""


def ansible(name: str) -> Path:
    """Return one of Ansible's programs, beside this Python or on PATH."""
    beside = Path(sys.executable).with_name(name)
    return beside if beside.exists() else require(name)


def play(workspace: Workspace, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the playbook and, as an upgrade would, a play after it."""
    book = workspace.folder / "check-upgrade.yml"
    book.write_text(made("ansible") + AFTERWARDS)
    program = str(workspace.folder / ".programs" / "upgrade-gate")
    given = {f"upgrade_gate_{name}": value for name, value in {"program": program, **variables}.items()}
    environment = {
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_HOME": str(workspace.folder / ".ansible"),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
    }
    return workspace.run([ansible("ansible-playbook"), *options, "-e", json.dumps(given), book], **environment)


def recap(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return how many tasks ended how."""
    (line,) = re.findall(r"(?m)^localhost +: (.*)$", done.stdout)
    return {name: int(number) for name, number in (word.split("=") for word in line.split())}


def written(workspace: Workspace) -> set[str]:
    return {path.name for path in (workspace.folder / "upgrade-gate-reports").iterdir()}


@pytest.mark.parametrize(("verdict", "code"), VERDICTS)
def test_only_after_a_pass_does_the_upgrade_begin(workspace: Workspace, verdict: str, code: int) -> None:
    settings = {"to": workspace.target(verdict), "config": "upgrade-gate.yaml", "cluster": workspace.cluster}
    done = play(workspace, **settings)
    assert (done.returncode == 0) is (code == 0), done.stdout
    assert ("begun after pass" in done.stdout) is (code == 0)
    assert written(workspace) == REPORTS
    report = json.loads((workspace.folder / "upgrade-gate-reports" / "gate.json").read_text())
    assert report["verdict"]["exit_code"] == code
    assert json.dumps(report["verdict"]["summary"])[1:-1] in done.stdout, "the reason"
    for finding in report["findings"]:
        if (finding["severity"], finding["status"]) == ("blocker", "open"):
            assert json.dumps(finding["headline"])[1:-1] in done.stdout


def test_a_second_run_changes_nothing_nor_does_check_mode_keep_it_from_judging(workspace: Workspace) -> None:
    settings = {"to": workspace.target("pass"), "config": "upgrade-gate.yaml", "cluster": workspace.cluster}
    first = play(workspace, "--check", **settings)
    assert (first.returncode, recap(first)["changed"]) == (0, 1), "the folder of the reports"
    again = play(workspace, **settings)
    assert (again.returncode, recap(again)["changed"]) == (0, 0)
    assert "begun after pass" in again.stdout


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "upgrade_gate_to is not filled in"),
        ({"to": "<FILL_ME: TARGET_RELEASE>"}, "upgrade_gate_to is not filled in"),
        ({"to": "dir:/does-not-exist"}, "exit code 2"),
        ({"to": "dir:.", "arguments": ["--help"]}, "exit code 0"),
        ({"to": "dir:.", "via": ["--help"]}, "exit code 2"),
        ({"to": "dir:.", "program": "/does/not/exist"}, "exit code 2"),
    ],
    ids=["none", "unfilled", "no release", "help", "an option as a stop", "no program"],
)
def test_without_a_verdict_it_fails_and_no_earlier_report_stays(
    workspace: Workspace, variables: dict[str, Any], reason: str
) -> None:
    folder = workspace.folder / "upgrade-gate-reports"
    folder.mkdir()
    (folder / "gate.html").write_text("PASS")
    (folder / "notes.txt").write_text("of somebody else")
    done = play(workspace, **variables)
    assert done.returncode != 0
    assert "begun" not in done.stdout
    assert "verdict was reached" in done.stdout
    assert reason in done.stdout
    assert written(workspace) == {"notes.txt"}


def test_an_export_leads_from_blocked_to_proven_by_variables_alone(workspace: Workspace) -> None:
    """A value is one word whatever is in it, and a name from the payload is text and no template."""
    odd = "{{ lookup('pipe', 'touch hacked') }}"
    before, after = (
        flows.request("AWS", "a", *more, secret="openshift-a/creds") for more in (("a:A",), ("a:A", f"b:{odd}"))
    )
    world = flows.World("AWS", payloads=((before,), (after,)))
    words = flows.write(world, workspace.folder / "it's a world; $HOME")
    to, old, cluster = (words[words.index(name) + 1] for name in ("--to", "--from", "--cluster"))
    given = {"to": to, "cluster": cluster, "arguments": ["--from", old, "--now", "2026-11-01"]}
    blocked = play(workspace, **given)
    assert blocked.returncode != 0
    assert f"newly needs b:{odd}" in blocked.stdout
    held = aws_exports.details(aws_exports.role(aws_exports.allow("a:A", f"b:{odd}")))
    (workspace.folder / "held.json").write_text(json.dumps(held))
    identities = {"identities": {"default": aws_exports.ROLE, "account": aws_exports.ACCOUNT}}
    (workspace.folder / "mapping.yaml").write_text(json.dumps(identities))
    done = play(workspace, **given, identities="export:held.json", config="mapping.yaml")
    assert done.returncode == 0, done.stdout
    report = json.loads((workspace.folder / "upgrade-gate-reports" / "gate.json").read_text())
    assert (report["verdict"]["status"], report["verdict"]["basis"]) == ("pass", "proven")
    assert not list(workspace.folder.rglob("hacked"))


def test_every_variable_reaches_the_command_line_and_what_is_empty_does_not(workspace: Workspace) -> None:
    program = workspace.folder / ".programs" / "upgrade-gate"
    program.write_text('#!/bin/sh\nfor word in "$@"; do echo "[$word]"; done > words\nexit 2\n')
    play(
        workspace,
        to="4.19.5",
        kubeconfig="/a b/kubeconfig",
        registry_config="",
        via=["4.17.1", "4.18.0"],
        acknowledgements="one file.yaml",
        arguments=["--timeout", 60, "--label", "a=$HOME"],
        config=None,
    )
    words = [line[1:-1] for line in (workspace.folder / "words").read_text().splitlines()]
    assert words[: words.index("-o")] == [
        "check",
        "--to=4.19.5",
        "--cluster=live",
        "--kubeconfig=/a b/kubeconfig",
        "--via=4.17.1",
        "--via=4.18.0",
        "--acknowledgements=one file.yaml",
        "--timeout",
        "60",
        "--label",
        "a=$HOME",
    ]


def test_the_file_can_have_a_target_ready() -> None:
    assert loaded(made("ansible", "--to", "4.19.5"))[0]["vars"]["upgrade_gate_target"] == (
        "{{ upgrade_gate_to | default('4.19.5', true) }}"
    )
    assert "--to" in refused("ansible", "--to", "{{ lookup('pipe', 'id') }}").first


def test_ansible_lint_finds_nothing_in_it(workspace: Workspace) -> None:
    (workspace.folder / "check-upgrade.yml").write_text(made("ansible"))
    done = workspace.run(
        [ansible("ansible-lint"), "--offline", "--profile", "production", "check-upgrade.yml"],
        PATH=f"{ansible('ansible-playbook').parent}:/usr/bin:/bin",
    )
    assert done.returncode == 0, done.stdout + done.stderr
