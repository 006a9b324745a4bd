"""The whole run as a user has it: a live cluster, its releases in a registry under an authority of its own."""

from __future__ import annotations

import base64
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

from tests.worlds import certificates
from tests.worlds.components import require
from tests.worlds.kubernetes_server import RESOURCES, KubernetesServer, objects_of
from tests.worlds.live_cluster import image_of, running, trust_objects
from tests.worlds.openpgp import gpg
from tests.worlds.registry_server import registry, write_htpasswd
from tests.worlds.running import Result, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = [pytest.mark.shared, pytest.mark.registry]

OLD, NEW = "4.14.0", "4.15.0"
CASE = "gcp-done"
REPOSITORY = "ocp/release"
PUBLIC = "quay.io/openshift-release-dev/ocp-release"


@dataclass(frozen=True)
class Site:
    """What is running, and how the program is run there."""

    server: KubernetesServer
    authority: Path
    pullspecs: tuple[str, str]
    case: Path
    environment: dict[str, str]

    def run(self, *arguments: str | Path, **environment: str) -> Result:
        """Run the program, its login from KUBECONFIG."""
        return run(*arguments, env={**self.environment, **environment}, alone=True)

    def check(self, *more: str | Path, to: str = NEW) -> tuple[int, dict[str, Any], str]:
        """Check with nothing given but the target and the registry's authority."""
        given = ("--to", to, "--certificate-authority", self.authority)
        done = self.run("check", *given, "-o", "json", *more)
        assert done.out, done.err
        return done.code, json.loads(done.out), done.err

    @contextlib.contextmanager
    def changed(
        self, *more: dict[str, Any], rules: Sequence[tuple[str | None, dict[str, Any]]] | None = None
    ) -> Iterator[tuple[dict[tuple[str, str, str], Any], tuple[str, Path]]]:
        """Serve a copy of the cluster, and yield its objects, to be changed, and the options that name it."""
        objects = [*copy.deepcopy(list(self.server.store.values())), *more]
        with KubernetesServer(self.server.certificates, objects, rules=rules).run() as server:
            yield server.store, ("--kubeconfig", server.kubeconfig(self.authority.parent / f"changed-{server.port}"))


@pytest.fixture(scope="module")
def site(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A GCP cluster that runs the one release and is offered the other, by digest."""
    folder = tmp_path_factory.mktemp("site")
    made = certificates.make(folder)
    releases = shared / "corpus" / "releases"
    case = shared / "cases" / "gate" / CASE
    with registry(folder / "registry", certificates=made) as images:
        old, new = (images.push(image_of(releases / version), REPOSITORY, version) for version in (OLD, NEW))
        objects = running(objects_of(case / "cluster"), releases / OLD, old, [(NEW, new)])
        with KubernetesServer(made, objects).run() as server:
            yield Site(server, made.authority, (old, new), case, surroundings(server, folder))


def surroundings(server: KubernetesServer, folder: Path) -> dict[str, str]:
    """Return an environment whose login is that of the server."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(folder), "KUBECONFIG": str(server.kubeconfig(folder / "kubeconfig"))}


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


def everything_but(plural: str) -> list[tuple[str | None, dict[str, Any]]]:
    """Return RBAC rules that allow every read but that of one kind."""
    return [
        (None, {"apiGroups": [group], "resources": [name], "verbs": ["get", "list"]})
        for group, _, name, _ in RESOURCES.values()
        if name != plural
    ]


def test_signatures_that_may_not_be_read_are_not_called_absent(site: Site) -> None:
    with site.changed(rules=everything_but("configmaps")) as (_, cluster):
        code, report, _ = site.check("--verify", "require", *cluster)
    unverified = [f["headline"] for f in report["findings"] if f["rule"] == "release-unverified"]
    assert (code, len(unverified)) == (3, 2)
    for headline in unverified:
        assert "list configmaps in namespace openshift-config-managed: 403 forbidden" in headline
        assert '"resources": ["configmaps"]' in headline


def test_releases_that_cannot_be_read_leave_the_cluster_s_facts_true(site: Site) -> None:
    done = site.run("check", "--to", NEW, "--no-cache")
    assert done.code == 4
    assert "the releases were not read" in done.out
    assert "same release" not in done.out
    assert "manual mode, short-lived tokens" in done.out
    assert "--certificate-authority" in done.out


@pytest.fixture(scope="module")
def mirror(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster whose releases are named by a public registry, and lie in a mirror that wants a login."""
    folder = tmp_path_factory.mktemp("mirror")
    made = certificates.make(folder)
    releases = shared / "corpus" / "releases"
    case = shared / "cases" / "gate" / CASE
    login = base64.b64encode(b"alice:s3cret").decode()
    htpasswd = write_htpasswd(folder / "htpasswd", "alice", "s3cret")
    with registry(folder / "registry", certificates=made, htpasswd=htpasswd) as images:
        header = {"Authorization": f"Basic {login}"}
        held = [images.push(image_of(releases / version), "mirror/ocp", version, header) for version in (OLD, NEW)]
        old, new = (f"{PUBLIC}@{pullspec.rpartition('@')[2]}" for pullspec in held)
        policy = {
            "source": PUBLIC,
            "mirrors": [f"{images.host}/mirror/ocp"],
            "mirrorSourcePolicy": "NeverContactSource",
        }
        pull_secret = json.dumps({"auths": {images.host: {"auth": login}}}).encode()
        objects = [
            *running(objects_of(case / "cluster"), releases / OLD, old, [(NEW, new)]),
            {
                "kind": "ImageDigestMirrorSet",
                "metadata": {"name": "releases"},
                "spec": {"imageDigestMirrors": [policy]},
            },
            {
                "kind": "Secret",
                "metadata": {"name": "pull-secret", "namespace": "openshift-config"},
                "data": {".dockerconfigjson": base64.b64encode(pull_secret).decode()},
            },
        ]
        with KubernetesServer(made, objects).run() as server:
            yield Site(server, made.authority, (old, new), case, surroundings(server, folder))


FROM_CLUSTER = ("--mirrors-from-cluster", "--pull-secret-from-cluster")


def test_mirrors_and_pull_secret_of_the_cluster(mirror: Site) -> None:
    for named in ((), ("--from", "cluster"), ("--from", OLD)):
        code, report, err = mirror.check(*named, *FROM_CLUSTER)
        assert code == 3, err
        assert [report["hops"][0][side]["pullspec"] for side in ("from", "to")] == list(mirror.pullspecs)
        assert "s3cret" not in err + json.dumps(report)


def test_without_the_pull_secret_the_report_says_where_it_is(mirror: Site) -> None:
    code, report, _ = mirror.check("--mirrors-from-cluster", "--no-cache")
    assert code == 4
    remedies = [step["step"] for finding in report["findings"] for step in finding["remedy"]]
    assert any("--pull-secret-from-cluster" in step for step in remedies)


@pytest.mark.parametrize("plural", ["imagedigestmirrorsets", "secrets"])
def test_what_was_asked_of_the_cluster_and_may_not_be_read_is_an_error(mirror: Site, plural: str) -> None:
    with mirror.changed(rules=everything_but(plural)) as (_, cluster):
        done = mirror.run(
            "check", "--to", NEW, "--certificate-authority", mirror.authority, *FROM_CLUSTER, "--no-cache", *cluster
        )
    assert done.code == 4
    assert "nothing of the cluster was judged" in done.out
    assert "no verdict was reached" in done.err.splitlines()[0]
    assert plural in done.err
    assert "403 forbidden" in done.err
    assert 'allow {"apiGroups"' in done.err


@pytest.mark.kubectl
def test_as_a_plugin_of_kubectl(site: Site, tmp_path: Path) -> None:
    plugin = tmp_path / "kubectl-upgrade_gate"
    plugin.write_text(f"#!{sys.executable}\nfrom upgrade_gate.cli import console\nraise SystemExit(console())\n")
    plugin.chmod(0o755)
    command = (require("kubectl"), "upgrade-gate", "check")
    surroundings = {**site.environment, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def asked(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        given = [*command, *arguments]
        return subprocess.run(given, env=surroundings, capture_output=True, text=True, timeout=120, check=False)

    done = asked("--to", NEW, "--certificate-authority", site.authority)
    assert done.returncode == 3, done.stderr
    said = " ".join(done.stdout.split())
    assert "Cloud controller manager newly needs compute.firewalls.create and 3 more permissions" in said
    usage = asked()
    assert usage.returncode == 2
    assert "Usage: kubectl upgrade-gate check" in usage.stderr


def test_a_kubeconfig_that_is_not_there_is_named(site: Site) -> None:
    done = site.run("check", "--to", NEW, KUBECONFIG="/nowhere/kubeconfig")
    assert done.code == 2
    assert "KUBECONFIG names no file that is there (/nowhere/kubeconfig)" in done.err
