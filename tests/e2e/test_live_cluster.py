"""The whole run as a user has it: a live cluster, its releases in a registry under an authority of its own."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.components import require
from tests.integration import certificates as certificate_files
from tests.integration.kubernetes_server import KubernetesServer, objects_of
from tests.integration.live_cluster import image_of, running, trust_objects
from tests.integration.openpgp import gpg
from tests.integration.registry_server import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.shared, pytest.mark.registry]

OLD, NEW = "4.14.0", "4.15.0"
CASE = "gcp-done"
REPOSITORY = "ocp/release"
PROGRAM = (sys.executable, "-m", "upgrade_gate")


@dataclass(frozen=True)
class Site:
    """What is running, and how the program is run there."""

    server: KubernetesServer
    authority: Path
    pullspecs: tuple[str, str]
    case: Path
    environment: dict[str, str]

    def run(self, *arguments: str | Path, program: tuple[str, ...] = PROGRAM, **environment: str) -> Any:
        """Run the program, its login from KUBECONFIG."""
        return subprocess.run(
            [*program, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**self.environment, **environment},
        )

    def check(self, *more: str | Path, to: str = NEW) -> tuple[int, dict[str, Any], str]:
        """Check with nothing given but the target and the registry's authority."""
        given = ("--to", to, "--certificate-authority", self.authority)
        done = self.run("check", *given, "-o", "json", *more)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr

    @contextlib.contextmanager
    def changed(self, *more: dict[str, Any]) -> Iterator[tuple[dict[tuple[str, str, str], Any], tuple[str, Path]]]:
        """Serve a copy of the cluster, and yield its objects, to be changed, and the options that name it."""
        objects = [*copy.deepcopy(list(self.server.store.values())), *more]
        with KubernetesServer(self.server.certificates, objects).run() as server:
            yield server.store, ("--kubeconfig", server.kubeconfig(self.authority.parent / f"changed-{server.port}"))


@pytest.fixture(scope="module")
def site(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A GCP cluster that runs the one release and is offered the other, by digest."""
    folder = tmp_path_factory.mktemp("site")
    made = certificate_files.make(folder)
    releases = shared / "corpus" / "releases"
    case = shared / "cases" / "gate" / CASE
    with registry(folder / "registry", certificates=made) as images:
        old, new = (images.push(image_of(releases / version), REPOSITORY, version) for version in (OLD, NEW))
        objects = running(objects_of(case / "cluster"), releases / OLD, old, [(NEW, new)])
        with KubernetesServer(made, objects).run() as server:
            kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
            kubeconfig = str(server.kubeconfig(folder / "kubeconfig"))
            environment = {**kept, "HOME": str(folder), "KUBECONFIG": kubeconfig}
            yield Site(server, made.authority, (old, new), case, environment)


def expected_grants(shared: Path) -> Counter[tuple[str, str]]:
    """Return what an independent program says is really new on GCP: request and permission."""
    pairs = json.loads((shared / "corpus" / "expected" / f"{OLD}--{NEW}.json").read_text())
    (gcp,) = (entry for entry in pairs if entry["platform"] == "GCP")
    return Counter(
        (change["request"], grant["permission"])
        for change in gcp["changes"]
        for grant in change["permissions"]["added"]
        if [grant["type"], grant["permission"]] not in change["covered"]
    )


def test_a_check_needs_only_the_target_and_the_registry_s_authority(site: Site, shared: Path) -> None:
    code, report, err = site.check()
    assert code == 3, err
    assert [(hop["from"]["version"], hop["to"]["version"]) for hop in report["hops"]] == [(OLD, NEW)]
    assert [report["hops"][0][side]["pullspec"] for side in ("from", "to")] == list(site.pullspecs)
    open_blockers = [f for f in report["findings"] if (f["severity"], f["status"]) == ("blocker", "open")]
    assert {finding["rule"] for finding in open_blockers} == {"permission-added"}
    found = Counter(
        (finding["request"], grant["permission"])
        for finding in open_blockers
        for grant in finding["grants"]
        if grant["covered_by"] is None
    )
    assert found == expected_grants(shared)
    assert found, "the pair has something new"
    assert report["verdict"]["next"] == "remediate"
    assert not [fact for fact in report["cluster"]["facts"] if fact["state"] == "unknown"]


def test_proof_lets_it_pass_with_the_command_that_upgrades(site: Site) -> None:
    proof = ("--identities", f"export:{site.case / 'identities'}", "--config", site.case / "config.yaml")
    code, report, err = site.check(*proof)
    assert code == 0, err
    verdict = report["verdict"]
    assert (verdict["status"], verdict["basis"], verdict["next"]) == ("pass", "proven", "upgrade")
    assert verdict["command"] == ["oc", "adm", "upgrade", f"--to-image={site.pullspecs[1]}"]
    assert {request.method for request in site.server.requests} == {"GET"}


def test_the_last_steps_are_annotate_and_upgrade(site: Site) -> None:
    proof = ("--identities", f"export:{site.case / 'identities'}", "--config", site.case / "config.yaml")
    with site.changed() as (objects, cluster):
        credential = objects["CloudCredential", "", "cluster"]["metadata"]
        conditions = objects["ClusterOperator", "", "cloud-credential"]["status"]["conditions"]
        upgradeable = next(condition for condition in conditions if condition["type"] == "Upgradeable")
        credential["annotations"] = {}
        upgradeable.update(status="False", reason="MissingUpgradeableAnnotation")
        code, report, _ = site.check(*proof, *cluster)
        assert (code, report["verdict"]["next"], report["verdict"]["command"]) == (3, "annotate", [])
        (refusal,) = (f for f in report["findings"] if (f["severity"], f["status"]) == ("blocker", "open"))
        assert refusal["rule"] == "cco-not-upgradeable"
        (annotate,) = (step["argv"] for step in refusal["remedy"])
        assert annotate[:2] == ["oc", "annotate"]
        assert annotate[4] == "cloudcredential.openshift.io/upgradeable-to=v4.15"

        credential["annotations"] = dict([annotate[4].split("=")])
        upgradeable.update(status="True", reason="AsExpected")
        code, report, err = site.check(*proof, *cluster)
        assert (code, report["verdict"]["next"]) == (0, "upgrade"), err
        assert report["verdict"]["command"] == ["oc", "adm", "upgrade", f"--to-image={site.pullspecs[1]}"]


@pytest.mark.parametrize(
    ("offer", "options"),
    [
        ("by another registry", []),
        ("conditional", ["--allow-not-recommended"]),
        ("another image", ["--allow-explicit-upgrade"]),
        ("none", ["--allow-explicit-upgrade"]),
    ],
)
def test_the_closing_command_is_one_that_oc_takes(site: Site, offer: str, options: list[str]) -> None:
    # oc pkg/cli/admin/upgrade/upgrade.go: an offered image matches by digest, a conditional one needs a word of its own
    new = site.pullspecs[1]
    digest = new.rpartition("@")[2]
    proof = ("--identities", f"export:{site.case / 'identities'}", "--config", site.case / "config.yaml")
    with site.changed() as (objects, cluster):
        status = objects["ClusterVersion", "", "version"]["status"]
        match offer:
            case "by another registry":
                status["availableUpdates"] = [{"version": NEW, "image": f"quay.example.com/other@{digest}"}]
            case "conditional":
                refused = {"type": "Recommended", "status": "False", "reason": "Slow", "message": "it is slow"}
                risk = {"name": "Slow", "message": "it is slow", "url": "", "matchingRules": [{"type": "Always"}]}
                update = {"release": {"version": NEW, "image": new}, "risks": [risk], "conditions": [refused]}
                status.update(availableUpdates=None, conditionalUpdates=[update])
            case "another image":
                status["availableUpdates"] = [{"version": NEW, "image": f"quay.example.com/x@sha256:{'0' * 64}"}]
            case _:
                status["availableUpdates"] = None
        code, report, err = site.check(*proof, *cluster, to=new)
    assert code == 0, err
    assert report["verdict"]["command"] == ["oc", "adm", "upgrade", f"--to-image={new}", *options]


def test_the_cluster_s_own_signatures_are_required(site: Site) -> None:
    digests = [pullspec.rpartition("@")[2] for pullspec in site.pullspecs]
    code, report, _ = site.check("--verify", "require")
    unverified = {f["subject"] for f in report["findings"] if f["rule"] == "release-unverified"}
    assert (code, len(unverified)) == (3, 2)
    with gpg() as home:
        signed = trust_objects(home, home.new_key("red"), digests)
    with site.changed(*signed) as (_, cluster):
        code, report, _ = site.check("--verify", "require", *cluster)
    assert not [f for f in report["findings"] if f["rule"] == "release-unverified"]
    assert [report["hops"][0][side]["verified"] for side in ("from", "to")] == [True, True]


@pytest.mark.kubectl
def test_as_a_plugin_of_kubectl(site: Site, tmp_path: Path) -> None:
    plugin = tmp_path / "kubectl-upgrade_gate"
    plugin.write_text(f"#!{sys.executable}\nfrom upgrade_gate.commands import console\nraise SystemExit(console())\n")
    plugin.chmod(0o755)
    program = (str(require("kubectl")), "upgrade-gate")
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = site.run("check", "--to", NEW, "--certificate-authority", site.authority, program=program, **path)
    assert done.returncode == 3, done.stderr
    assert "openshift-gcp-ccm gains 4 permissions" in done.stdout
    usage = site.run("check", program=program, **path)
    assert usage.returncode == 2
    assert "Usage: kubectl upgrade-gate check" in usage.stderr
