"""What `init rbac` allows is what a check with the same options asks an API server for: no more, no less."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.worlds.components import require
from tests.worlds.kubernetes_server import KubernetesServer, objects_of
from upgrade_gate.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.worlds.certificates import Certificates
    from tests.worlds.kubernetes_server import Asked

NOW = ("--now", "2026-11-01")
FROM_CLUSTER = ("--mirrors-from-cluster", "--pull-secret-from-cluster")
PULL_SECRET = {
    "kind": "Secret",
    "metadata": {"name": "pull-secret", "namespace": "openshift-config"},
    "data": {".dockerconfigjson": "e30="},
}


class Bench:
    """A cluster served by an API server, and the commands run against it."""

    def __init__(self, server: KubernetesServer, folder: Path, hop: Sequence[str], capsys: Any) -> None:
        self.server = server
        self.live = ("--cluster", "live", "--kubeconfig", str(server.kubeconfig(folder / "kubeconfig")))
        self.hop = hop
        self.export = folder / "caller.json"
        self.export.write_text('{"UserId": "x", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/x"}')
        self.capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run the program, and forget what was asked before."""
        self.server.requests.clear()
        self.capsys.readouterr()
        code = main([*map(str, arguments)])
        return code, self.capsys.readouterr().out

    def manifests(self, *options: str, cluster: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return what `init rbac` prints for a cluster that allows it everything."""
        self.server.rules = None
        code, text = self.run("init", "rbac", *self.hop, *(cluster or self.live), *options)
        assert code == 0
        return list(yaml.safe_load_all(text))

    def check(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Run the check with proof, which reads the most, and return its report."""
        proof = () if "--identities" in options else ("--identities", f"export:{self.export}")
        code, text = self.run("check", *self.hop, *self.live, *NOW, *proof, *options, "-o", "json")
        return code, json.loads(text)


@pytest.fixture
def bench(
    fixtures: Path, certificates: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    """A cluster of the fixtures, with a pull secret."""
    objects = [*objects_of(fixtures / "clusters" / "aws-sts"), PULL_SECRET]
    releases = fixtures / "releases"
    hop = ("--from", f"dir:{releases / '4.18.7'}", "--to", f"dir:{releases / '4.19.2'}")
    with KubernetesServer(certificates, objects).run() as server:
        yield Bench(server, tmp_path, hop, capsys)


def rules_of(manifests: Sequence[dict[str, Any]]) -> list[tuple[str | None, dict[str, Any]]]:
    """Return the rules of roles with the namespace they hold in."""
    return [
        (body["metadata"].get("namespace"), rule)
        for body in manifests
        if body["kind"] in {"Role", "ClusterRole"}
        for rule in body["rules"]
    ]


def allowed(manifests: Sequence[dict[str, Any]]) -> set[Asked]:
    """Return every single read that the roles allow."""
    found: set[Asked] = set()
    for namespace, rule in rules_of(manifests):
        (group,), (plural,), (verb,) = rule["apiGroups"], rule["resources"], rule["verbs"]
        found |= {(verb, group, plural, namespace, name) for name in rule.get("resourceNames", [None])}
    return found


def is_secret(read: Asked) -> bool:
    """Return whether a read is of a Secret."""
    return read[2] == "secrets"


def refusals(report: dict[str, Any]) -> list[str]:
    """Return the facts that were refused."""
    return [fact["name"] for fact in report["cluster"]["facts"] if "403" in (fact["reason"] or "")]


@pytest.mark.parametrize("options", [(), ("--verify", "off"), ("--read-secrets",), FROM_CLUSTER], ids=" ".join)
def test_the_roles_allow_exactly_what_the_same_check_reads(bench: Bench, options: tuple[str, ...]) -> None:
    manifests = bench.manifests(*options)
    unlimited = bench.check(*options)
    bench.server.rules = rules_of(manifests)
    limited = bench.check(*options)
    assert bench.server.asked() == allowed(manifests)
    assert refusals(limited[1]) == []
    assert {**limited[1], "generated": ""} == {**unlimited[1], "generated": ""}


@pytest.mark.shared
@pytest.mark.parametrize(
    "case",
    [
        "aws-mint", "aws-sts-nothing-done", "azure-keys-contributor", "azure-workload-identity", "gcp-done", "hop-via",
        "nutanix-new-component-secret-missing", "platform-none", "powervs-new-component", "vsphere-passthrough",
    ],
)  # fmt: skip
def test_on_every_platform_and_path(
    shared: Path, certificates: Certificates, tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    folder = shared / "cases" / "gate" / case
    arguments = json.loads((folder / "case.json").read_text())["args"]
    given = [text.format(releases=shared / "corpus" / "releases", case=folder) for text in arguments]
    hop = [
        text
        for name, value in itertools.pairwise(given)
        if name in {"--from", "--via", "--to"}
        for text in (name, value)
    ]
    with KubernetesServer(certificates, objects_of(folder / "cluster")).run() as server:
        bench = Bench(server, tmp_path, hop, capsys)
        manifests = bench.manifests()
        server.rules = rules_of(manifests)
        # the roles also allow what only a check with proof reads
        proof = ("--identities", f"export:{folder / 'identities'}") if (folder / "identities").exists() else ()
        _, report = bench.check(*proof)
        assert server.asked() == allowed(manifests)
        assert refusals(report) == []


def test_a_snapshot_reads_the_secrets_of_today_besides(bench: Bench, tmp_path: Path) -> None:
    of_check, manifests = bench.manifests(), bench.manifests("--for-snapshot")
    assert allowed(of_check) < allowed(manifests)
    for rules in (manifests, of_check):  # with the roles of a check, today's Secrets alone are recorded as unread
        bench.server.rules = rules_of(rules)
        assert bench.run("snapshot", *bench.hop, *bench.live, str(tmp_path / "cluster.json"))[0] == 0
        assert bench.server.asked() == allowed(manifests)
        _, direct = bench.check()
        source = ("--cluster", f"snapshot:{tmp_path / 'cluster.json'}")
        proof = ("--identities", f"export:{bench.export}")
        _, text = bench.run("check", *bench.hop, *source, *NOW, *proof, "-o", "json")
        assert json.loads(text)["findings"] == direct["findings"]


def test_without_secrets_no_rule_names_one_and_the_rest_is_still_known(bench: Bench) -> None:
    whole, manifests = bench.manifests(*FROM_CLUSTER), bench.manifests(*FROM_CLUSTER, "--without-secrets")
    assert allowed(manifests) == {read for read in allowed(whole) if not is_secret(read)}
    manifests = bench.manifests("--without-secrets")
    bench.server.rules = rules_of(manifests)
    code, report = bench.check()
    assert all(name.startswith("Secret") for name in refusals(report))
    assert code in {3, 4}, "a Secret that nobody saw never passes"
    assert {read for read in bench.server.asked() if not is_secret(read)} == allowed(manifests)


def test_no_role_can_write_or_list_secrets(bench: Bench) -> None:
    for verb, group, plural, _, name in allowed(bench.manifests(*FROM_CLUSTER)):
        assert verb in {"get", "list"}
        assert "*" not in group + plural
        assert plural != "secrets" or (verb, bool(name)) == ("get", True)


def test_a_dump_and_a_snapshot_give_the_same_file_as_the_cluster(bench: Bench, fixtures: Path, tmp_path: Path) -> None:
    assert bench.run("snapshot", *bench.hop, *bench.live, str(tmp_path / "cluster.json"))[0] == 0
    sources = [
        bench.live,
        ("--cluster", f"snapshot:{tmp_path / 'cluster.json'}"),
        ("--cluster", f"must-gather:{fixtures / 'clusters' / 'aws-sts'}"),
        bench.live,
    ]
    texts = [bench.run("init", "rbac", *bench.hop, *source) for source in sources]
    assert texts == [texts[0]] * len(sources)


def test_without_a_cluster_nothing_that_a_check_reads_is_missing(bench: Bench) -> None:
    bench.check()
    asked = bench.server.asked()
    manifests = bench.manifests(cluster=("--no-cluster", "--platform", "AWS"))
    assert asked <= allowed(manifests), "a cluster can lack capabilities, and then reads less"
    more = {read[3:] for read in allowed(manifests) - asked}
    assert ("openshift-reedbed", "reedbed-cloud-credentials") in more


def test_a_new_component_whose_namespace_is_not_there_is_known_to_lack_its_secret(bench: Bench) -> None:
    new = "openshift-saltmarsh-dns"
    assert ("Namespace", "", new) not in bench.server.store, "the release brings it"
    code, text = bench.run("init", "rbac", *bench.hop, *bench.live)
    assert code == 0
    assert f"Not on this cluster yet: {new}." in text
    manifests = list(yaml.safe_load_all(text))
    # what the API server takes: a Role in a namespace that does not exist is refused
    bench.server.rules = [(place, rule) for place, rule in rules_of(manifests) if place != new]
    code, report = bench.check()
    assert code == 3
    assert refusals(report) == []
    (added,) = (finding for finding in report["findings"] if finding["rule"] == "request-added")
    assert {need["kind"]: need["status"] for need in added["needs"]}["namespace"] == "unmet"


@pytest.mark.kubectl
def test_kubectl_takes_the_file_and_agrees_on_what_it_allows(bench: Bench, tmp_path: Path) -> None:
    def kubectl(*arguments: str, text: str = "") -> str:
        command = [str(require("kubectl")), "--kubeconfig", bench.live[3], *arguments]
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        assert done.stdout, done.stderr
        return done.stdout

    _, text = bench.run("init", "rbac", *bench.hop, *bench.live)
    manifests = list(yaml.safe_load_all(text))
    applied = kubectl("apply", "--dry-run=client", "--validate=false", "-f", "-", text=text)
    assert applied.count("created (dry run)") == len(manifests)
    bench.server.rules = rules_of(manifests)
    secret = next(read for read in sorted(allowed(manifests), key=str) if is_secret(read))
    for question, answer in {
        ("get", "clusterversions.config.openshift.io/version"): "yes",
        ("list", "clusterversions.config.openshift.io"): "no",
        ("list", "credentialsrequests.cloudcredential.openshift.io", "-A"): "yes",
        ("get", f"secrets/{secret[4]}", "-n", str(secret[3])): "yes",
        ("get", "secrets/other", "-n", str(secret[3])): "no",
        ("list", "secrets", "-n", str(secret[3])): "no",
        ("get", "secrets/aws-creds", "-n", "kube-system"): "yes",
    }.items():
        assert kubectl("auth", "can-i", *question).strip() == answer, question
