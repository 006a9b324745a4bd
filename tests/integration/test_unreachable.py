"""A cluster that cannot be read, or stops answering: exit 4, every report written, within the deadline of its reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.worlds.kubernetes_server import Fault, KubernetesServer, objects_of
from upgrade_gate.base import plugins
from upgrade_gate.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from tests.worlds.certificates import Certificates

NOBODY = """\
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: x}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
"""
WAYS = {
    "nobody listens": (NOBODY, ("--cluster", "live")),
    "the release that runs is asked of it": (NOBODY, ("--cluster", "live")),
    "its mirrors are asked for": (NOBODY, ("--cluster", "live", "--mirrors-from-cluster")),
    "the kubeconfig gives no login": (NOBODY.replace("https:", "ftp:"), ("--cluster", "live")),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_report_is_written_where_the_cluster_cannot_be_reached(
    way: str, fixtures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, options = WAYS[way]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(text)
    releases = fixtures / "releases"
    start = () if "runs" in way else ("--from", f"dir:{releases / '4.18.7'}")
    outputs = {name: tmp_path / f"report.{name}" for name in plugins.names("report.formats")}
    written = [word for name, path in outputs.items() for word in ("-o", f"{name}={path}")]
    given = ("--to", f"dir:{releases / '4.19.2'}", *start, "--kubeconfig", str(kubeconfig), *options)
    assert main(["check", *given, *written, "--cluster-timeout", "5"]) == 4
    assert all(path.stat().st_size for path in outputs.values())
    report = json.loads(outputs["json"].read_text())
    assert (report["verdict"]["status"], report["verdict"]["exit_code"]) == ("undetermined", 4)
    (finding,) = report["findings"]
    assert (finding["rule"], finding["severity"], finding["status"]) == ("nothing-to-judge", "unknown", "open")
    assert {fact["state"] for fact in report["cluster"]["facts"]} == {"unknown"}
    errors = capsys.readouterr().err
    assert errors.startswith("error: no verdict was reached: ")
    assert finding["headline"].partition("was judged: ")[2] in errors


def test_a_damaged_snapshot_leaves_a_report(fixtures: Path, tmp_path: Path) -> None:
    damaged, report = tmp_path / "s.json", tmp_path / "r.json"
    damaged.write_text('{"schema": "upgrade-gate/snapshot/v1"')
    given = ("--to", f"dir:{fixtures / 'releases' / '4.19.2'}", "--cluster", f"snapshot:{damaged}")
    assert main(["check", *given, "-o", f"json={report}"]) == 4
    assert json.loads(report.read_text())["findings"][0]["rule"] == "nothing-to-judge"


@pytest.mark.parametrize("wave", ["first", "second"])
def test_a_server_that_stops_answering_ends_with_the_deadline_of_the_cluster(
    *, wave: str, shared: Path, certificates: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That of one download stays what it is: two minutes would be far too long here, and are not waited for."""
    dump = shared / "cases" / "gate" / "aws-no-change" / "cluster"
    releases = shared / "corpus" / "releases"
    hop = ("--from", f"dir:{releases / '4.14.99'}", "--to", f"dir:{releases / '4.15.0'}", "--verify", "off")
    with KubernetesServer(certificates, objects_of(dump)).run() as server:
        live = ("--cluster", "live", "--kubeconfig", str(server.kubeconfig(tmp_path / "kubeconfig")))
        assert main(["check", *hop, *live, "-o", "json", "--now", "2026-11-01"]) == 0
        asked = {request.path for request in server.requests}
        second = {path for path in asked if path.startswith("/api/v1/namespaces/")}
        server.faults = {path: Fault("slow", seconds=60.0) for path in (second if wave == "second" else asked)}
        capsys.readouterr()
        code = main(["check", *hop, *live, "-o", "json", "--now", "2026-11-01", "--cluster-timeout", "1.5"])
    report = json.loads(capsys.readouterr().out)
    assert code == report["verdict"]["exit_code"] == 4
    unread = [fact["reason"] for fact in report["cluster"]["facts"] if fact["state"] == "unknown"]
    assert unread
    assert all("no answer within " in reason for reason in unread)
