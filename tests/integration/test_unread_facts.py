"""Each fact is unread in turn: never a pass that needed it, and never one where the twin that is read blocks.

What is gone over comes from the product's own tables of facts and rules, so that a new one is taken in by itself.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.firing import WORLDS
from tests.worlds.kubernetes_server import Fault, KubernetesServer, objects_of
from tests.worlds.unread import Recording, Unread
from upgrade_gate.cli import main
from upgrade_gate.gate.findings import Severity, catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from tests.worlds.certificates import Certificates

pytestmark = pytest.mark.no_cover
"""Counting the lines of thousands of runs takes more time than the runs; other tests reach and count them."""

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
    code = main(
        ["check", *hop, "--now", "2026-11-01", "--verify", "off", "--cluster-timeout", timeout, *cluster, "-o", "json"]
    )
    return code, {key: value for key, value in json.loads(capsys.readouterr().out).items() if key != "generated"}


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


INTERRUPTED = ("cut", "drip", "unavailable")
"""Each is tried again until the deadline: they take turns over the reads."""


@pytest.mark.parametrize(
    "kind", ["forbidden", "unauthorized", "garbage", "no-status", "redirect", "throttled", "slow", "interrupted"]
)
def test_every_read_of_a_live_cluster_in_turn(
    *,
    shared: Path,
    dump: Path,
    certificates: Certificates,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    waits = kind in {"slow", "interrupted"}
    with KubernetesServer(certificates, objects_of(dump)).run() as server:
        cluster = ("--cluster", "live", "--kubeconfig", str(server.kubeconfig(tmp_path / "kubeconfig")))
        code, report = check(shared, capsys, *cluster)
        assert (code, report["verdict"]["status"]) == (0, "pass")
        paths = sorted({request.path for request in server.requests})
        # a Secret in a namespace proves it
        paths = [path for path in paths if not (path.startswith("/api/v1/namespaces/") and path.count("/") == 4)]
        seen = set()
        for number, path in enumerate(paths):
            fault = INTERRUPTED[number % len(INTERRUPTED)] if kind == "interrupted" else kind
            seconds = 0.05 if fault == "drip" else 60.0
            server.faults = {
                path: Fault(fault, seconds=seconds, body=b"<html>" if fault == "garbage" else b"https://x/")
            }
            server.requests.clear()
            found = check(shared, capsys, *cluster, timeout="1" if waits else "20")
            seen |= judge(*found, path)
            assert {request.method for request in server.requests} == {"GET"}
        assert seen >= NEEDED


def test_requests_that_keep_expiring_while_they_are_paged_are_named_and_decide_nothing(
    shared: Path, dump: Path, certificates: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/apis/cloudcredential.openshift.io/v1/credentialsrequests"
    with KubernetesServer(certificates, objects_of(dump), page=10).run() as server:
        cluster = ("--cluster", "live", "--kubeconfig", str(server.kubeconfig(tmp_path / "kubeconfig")))
        whole = check(shared, capsys, *cluster)
        server.faults = {path: Fault("gone", times=1, after=1)}
        assert check(shared, capsys, *cluster) == whole
        server.faults = {path: Fault("gone-if-continued")}
        code, report = check(shared, capsys, *cluster)
    assert judge(code, report, path) == {"CredentialsRequests"}
    assert any("live-request-drift" in note for note in report["notes"])


def test_a_login_that_ends_between_the_waves_leaves_a_report(
    shared: Path, dump: Path, certificates: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with KubernetesServer(certificates, objects_of(dump)).run() as server:
        cluster = ("--cluster", "live", "--kubeconfig", str(server.kubeconfig(tmp_path / "kubeconfig")))
        check(shared, capsys, *cluster)
        second = {request.path for request in server.requests if request.path.startswith("/api/v1/namespaces/")}
        second -= {path for path in second if "/configmaps/" in path}
        server.faults = {path: Fault("unauthorized") for path in second}
        code, report = check(shared, capsys, *cluster)
    assert code == 4
    judge(code, report, "the second wave")
    assert any("401" in fact["reason"] for fact in report["cluster"]["facts"] if fact["state"] == "unknown")


CASES = ("aws-sts-nothing-done", "azure-workload-identity", "gcp-roles-to-permissions", "vsphere-passthrough")


def _comparable(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report without what says where its facts come from."""
    cluster = {key: value for key, value in report["cluster"].items() if key not in {"source", "collected"}}
    verdict = {key: value for key, value in report["verdict"].items() if key != "remediate"}
    return {**report, "generated": "", "cluster": cluster, "verdict": verdict}


@pytest.mark.parametrize("name", CASES)
def test_a_live_cluster_its_snapshot_and_its_dump_give_the_same_report(
    *, name: str, shared: Path, certificates: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = shared / "cases" / "gate" / name
    arguments = [
        argument.replace("{releases}", str(shared / "corpus" / "releases"))
        for argument in json.loads((case / "case.json").read_text())["args"][1:]
        if not argument.startswith(("must-gather:", "--cluster"))
    ]
    releases = [arguments[arguments.index(option) + 1] for option in ("--to", "--from")]

    def reported(*cluster: str) -> dict[str, Any]:
        capsys.readouterr()
        main(["check", *arguments, "--verify", "off", "--cluster", *cluster, "-o", "json"])
        return _comparable(json.loads(capsys.readouterr().out))

    with KubernetesServer(certificates, objects_of(case / "cluster")).run() as server:
        live = ("live", "--kubeconfig", str(server.kubeconfig(tmp_path / "kubeconfig")))
        alive, opened = reported(*live), reported(*live, "--read-secrets")
        taken = ["snapshot", "--to", releases[0], "--from", releases[1], "--cluster", *live, str(tmp_path / "s.json")]
        assert main(taken) == 0
    assert reported(f"snapshot:{tmp_path / 's.json'}") == alive
    # A dump holds the names of keys, so it is compared with a live cluster whose Secrets were read.
    assert reported(f"must-gather:{case / 'cluster'}") == opened


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


def variants_of(rule: str) -> dict[str, dict[str, Any]]:
    """Return the ways in which a run may be told to be stricter, and the plain run."""
    return {
        "default": {},
        "--fail-on warning": {"fail_on_warning": True},
        f"policy {rule}": {"policy": {rule: Severity.BLOCKER}},
        "--require-proof": {"require_proof": True},
    }


def test_every_rule_has_a_world_in_which_it_fires() -> None:
    assert WORLDS.keys() == catalogue().keys()


@pytest.mark.parametrize("rule", sorted(WORLDS))
def test_never_a_pass_where_the_twin_that_is_read_blocks(rule: str, tmp_path: Path) -> None:
    """A stricter run only adds what stops, so it is asked only of what the plain run lets through."""
    world = WORLDS[rule]()
    check, whole = world.written(tmp_path), Recording(world.cluster)
    assert rule in {judged.finding.rule for judged in check(whole).judged}
    stops = {name: weights for name, weights in variants_of(rule).items() if check(**weights).verdict.exit_code != 0}
    assert f"policy {rule}" in stops
    faults = list(whole.faults())
    assert faults
    for fault in faults:
        unread = Unread(world.cluster, fault)
        if check(unread).verdict.exit_code != 0:
            continue
        assert "default" not in stops, f"{fault}: a pass, and the twin blocks"
        for name, weights in stops.items():
            code = check(unread, **weights).verdict.exit_code
            assert code != 0, f"{fault}, {name}: a pass, and the twin has {check(**weights).verdict.exit_code}"
