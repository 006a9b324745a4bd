"""Each read of a passing check fails in turn: never a pass that needed the fact, and the report always names it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.kubernetes_server import Fault, KubernetesServer, objects_of
from upgrade_gate.commands import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.certificates import Certificates

NEEDED = {
    "ClusterVersion version",
    "ClusterOperator cloud-credential",
    "Infrastructure cluster",
    "FeatureGate cluster",
    "CloudCredential cluster",
    "Deployment cluster-version-operator",
}
"""What a minor hop without a change rests on in manual mode, besides the Secrets of the components."""


@pytest.fixture
def dump(shared: Path) -> Path:
    """A cluster that passes: AWS STS, annotated, no change between the releases."""
    return shared / "cases" / "gate" / "aws-no-change" / "cluster"


def check(
    shared: Path, capsys: pytest.CaptureFixture[str], *cluster: str, timeout: str = "20"
) -> tuple[int, dict[str, Any]]:
    """Run the check of 4.14.99 to 4.15.0."""
    releases = shared / "corpus" / "releases"
    hop = ("--from", f"dir:{releases / '4.14.99'}", "--to", f"dir:{releases / '4.15.0'}")
    capsys.readouterr()
    code = main(["check", *hop, "--now", "2026-11-01", "--verify", "off", "--timeout", timeout, *cluster, "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def is_needed(line: str) -> bool:
    """Return whether the check of these tests rests on a fact."""
    return line in NEEDED or (line.startswith("Secrets of ") and line != "Secrets of kube-system")


def judge(code: int, report: dict[str, Any], where: str) -> set[str]:
    """Assert that the verdict fits what was unread, and return the lines that were."""
    facts = {fact["name"]: fact for fact in report["cluster"]["facts"]}
    unknown = {name for name, fact in facts.items() if fact["state"] == "unknown"}
    assert unknown, f"{where}: nothing is unknown"
    assert all(facts[name]["reason"] for name in unknown)
    if any(is_needed(name) for name in unknown):
        assert code == 4, f"{where}: exit {code} without {unknown}"
        raised = [finding for finding in report["findings"] if finding["rule"] == "fact-unknown"]
        assert raised, f"{where}: no finding about {unknown}"
    else:
        assert code == 0, f"{where}: exit {code} although {unknown} decides nothing"
    return unknown


@pytest.mark.parametrize("kind", ["forbidden", "garbage", "cut", "slow"])
def test_every_read_of_a_live_cluster_in_turn(
    *,
    shared: Path,
    dump: Path,
    certificates: Certificates,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    with KubernetesServer(certificates, objects_of(dump)).run() as server:
        cluster = ("--cluster", "live", "--kubeconfig", str(server.kubeconfig(tmp_path / "kubeconfig")))
        code, report = check(shared, capsys, *cluster)
        assert (code, report["verdict"]["status"]) == (0, "pass")
        paths = sorted({request.path for request in server.requests})
        if kind == "slow":  # only what is needed: whatever else is late on a busy machine, there is no pass
            paths = [path for path in paths if path.rpartition("/")[2] in {"version", "cloud-credential"}]
        if kind == "cut":  # each is tried again several times
            paths = [path for path in paths if "config.openshift.io" in path]
        seen = set()
        for path in paths:
            server.faults = {path: Fault(kind, seconds=60.0, body=b"<html>")}
            server.requests.clear()
            if path.startswith("/api/v1/namespaces/") and path.count("/") == 4:
                continue  # a Secret in a namespace proves it
            found = check(shared, capsys, *cluster, timeout="1" if kind == "slow" else "20")
            seen |= judge(*found, path)
            assert {request.method for request in server.requests} == {"GET"}
        assert seen & NEEDED


@pytest.mark.parametrize("damage", ["emptied", "cut", "removed"])
def test_every_file_of_a_dump_in_turn(
    shared: Path, dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    names = [path.relative_to(dump) for path in sorted(dump.rglob("*.yaml"))]
    requests = [name for name in names if "credentialsrequests" in name.parts]
    for number, name in enumerate([*requests[:1], *(name for name in names if name not in requests)]):
        copied = tmp_path / str(number)
        shutil.copytree(dump, copied, copy_function=shutil.copyfile)
        content = (copied / name).read_bytes()
        match damage:
            case "emptied":
                (copied / name).write_bytes(b"")
            case "cut":
                (copied / name).write_bytes(content[: len(content) * 2 // 3].rstrip())
            case _:
                (copied / name).unlink()
        code, report = check(shared, capsys, "--cluster", f"must-gather:{copied}")
        states = {fact["name"]: fact["state"] for fact in report["cluster"]["facts"]}
        if "unknown" in states.values():
            judge(code, report, str(name))
        else:
            assert code == 0, f"{name}: exit {code}, and every fact is known"
