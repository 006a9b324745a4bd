"""Mistakes as people make them: each message names the object, what is wrong with it, and what to do next."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.worlds.certificates import Certificates
from tests.worlds.kubernetes_server import Fault, KubernetesServer, objects_of
from tests.worlds.running import run

DEMO = Path(__file__).resolve().parents[2] / "upgrade_gate" / "data" / "demo"
OLD, NEW, DUMP = f"dir:{DEMO}/current", f"dir:{DEMO}/target", f"must-gather:{DEMO}/cluster"
HOPS = ("--from", OLD, "--to", NEW)
ALONE = ("--no-cluster", "--platform", "AWS")
CHECK = ("check", *HOPS, *ALONE)
CLUSTER = ("check", *HOPS, "--cluster", DUMP)
NOWHERE = "127.0.0.1:9"
KUBECONFIG = (
    "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}], "
    'clusters: [{name: k, cluster: {server: "SERVER"}}], users: [{name: u, user: {USER}}]}'
)
FILES: Mapping[str, str] = {
    "typo.yaml": "fail_on: warning\n",
    "broken.yaml": "label: [a=b\n",
    "tab.yaml": "\tfail-on: warning\n",
    "rule.yaml": "policy:\n  permision-added: info\n",
    "severity.yaml": "policy:\n  cco-not-upgradeable: mild\n",
    "newer.yaml": 'required-version: ">=99"\n',
    "bare.yaml": "acknowledgements:\n- fingerprint: 3a1b0a30913a5301\n",
    "date.yaml": "acknowledgements:\n- fingerprint: 3a1b0a30913a5301\n  reason: r\n  owner: o\n  expires: 31.12.2027\n",
    "list.yaml": "- 3a1b0a30913a5301\n",
    "none.yaml": "",
    "text.tar": "hello",
    "report.json": '{"schema": "upgrade-gate/v1", "findings": []}',
    "graph.json": "{}",
    "old-graph.json": '{"nodes": [{"version": "4.18.7", "payload": "q.io/x@sha256:' + "a" * 64 + '"}], "edges": []}',
    "authority.pem": "hello",
    "mirrors.yaml": "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}\n",
    "kubeconfig": KUBECONFIG.replace("SERVER", f"https://{NOWHERE}").replace("USER", "token: t"),
    "plain": KUBECONFIG.replace("SERVER", "http://cluster.example.com").replace("USER", "token: t"),
    "nobody": KUBECONFIG.replace("SERVER", f"https://{NOWHERE}").replace("USER", ""),
    "plugin": KUBECONFIG.replace("SERVER", f"https://{NOWHERE}").replace(
        "USER",
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-login, interactiveMode: Never}",
    ),
    "damaged": "clusters: [\n",
}


def target(reference: str, *more: str) -> tuple[str, ...]:
    """A check of the releases alone whose target is the mistake."""
    return ("check", "--from", OLD, "--to", reference, *ALONE, *more)


MISTAKES: Mapping[str, tuple[Sequence[str], int, Sequence[str]]] = {
    "a command with a typing error": (("chek",), 2, ("'chek'", "did you mean check")),
    "an option with a typing error": (("check", "--too", NEW), 2, ("--too", "--to")),
    "no target": (("check", "--from", OLD, *ALONE), 2, ("--to", "--help")),
    "an option twice": ((*CHECK, "--to", NEW), 2, ("--to is given more than once", "one value")),
    "no cluster": (("check", *HOPS), 2, ("no kubeconfig", "give --cluster, or --no-cluster")),
    "no platform": (("check", *HOPS, "--no-cluster"), 2, ("--no-cluster needs --platform",)),
    "a platform that is none": (("check", *HOPS, "--no-cluster", "--platform", "AWSS"), 2, ("'AWSS'", "mean AWS")),
    "a mode that is none": ((*CHECK, "--mode", "manuel"), 2, ("'manuel'", "'manual', 'mint', 'passthrough'")),
    "a format that is none": ((*CHECK, "-o", "htm"), 2, ("'htm'", "mean html")),
    "two reports to stdout": ((*CHECK, "-o", "json", "-o", "text"), 2, ("stdout", "-o FORMAT=PATH")),
    "a report to a folder that is not there": (
        (*CHECK, "-o", "html=gone/x.html"),
        1,
        ("gone", "a folder that is there"),
    ),
    "a severity that cannot stop": ((*CHECK, "--fail-on", "info"), 2, ("'info'", "'blocker', 'warning'")),
    "a cluster and none": ((*CHECK, "--cluster", DUMP), 2, ("--no-cluster contradicts --cluster", "one of them")),
    "a context without a cluster": ((*CHECK, "--context", "p"), 2, ("--context", "live cluster")),
    "offline and live": ((*CLUSTER, "--offline", "--identities", "live"), 2, ("--identities live", "export:PATH")),
    "a time in words": ((*CHECK, "--now", "yesterday"), 2, ("'yesterday'", "2026-11-01")),
    "a deadline in words": ((*CHECK, "--timeout", "soon"), 2, ("--timeout", "'soon'", "number of seconds")),
    "a length of time": ((*CHECK, "--max-age", "3 days"), 2, ("'3 days'", "7d")),
    "a label without a value": ((*CHECK, "--label", "x"), 2, ("'x'", "KEY=VALUE")),
    "an insecure host as a URL": ((*CHECK, "--insecure", "https://r"), 2, ("'https://r'", "HOST:PORT")),
    "a key with an underscore": ((*CHECK, "--config", "typo.yaml"), 2, ("typo.yaml:1", "'fail_on'", "fail-on")),
    "a bracket that is not closed": ((*CHECK, "--config", "broken.yaml"), 2, ("broken.yaml:", "not YAML", "bracket")),
    "a tab": ((*CHECK, "--config", "tab.yaml"), 2, ("tab.yaml:1", "not YAML", "a tab")),
    "a rule that is none": ((*CHECK, "--config", "rule.yaml"), 2, ("rule.yaml:2", "permision-added", "rules lists")),
    "a weight that is none": ((*CHECK, "--config", "severity.yaml"), 2, ("severity.yaml:2", "'mild'", "blocker,")),
    "a file for a newer version": ((*CHECK, "--config", "newer.yaml"), 2, ("newer.yaml:1", "too old", "pip install")),
    "no such configuration": ((*CHECK, "--config", "gone.yaml"), 2, ("'gone.yaml'", "does not exist")),
    "half an acknowledgement": (
        (*CHECK, "--acknowledgements", "bare.yaml"),
        2,
        ("bare.yaml:2", "reason, owner and expires are missing"),
    ),
    "a date in another order": ((*CHECK, "--acknowledgements", "date.yaml"), 2, ("date.yaml:5", "2027-03-31")),
    "a list alone": ((*CHECK, "--acknowledgements", "list.yaml"), 2, ("list.yaml:1", "must be a mapping")),
    "an empty file": ((*CHECK, "--acknowledgements", "none.yaml"), 2, ("none.yaml", "acknowledgements: []")),
    "no such file": ((*CHECK, "--acknowledgements", "gone.yaml"), 2, ("gone.yaml", "No such file", "that is there")),
    "no such folder": (target("dir:gone"), 2, ("gone", "no such folder", "oc adm release extract")),
    "a minor release": (target("4.19"), 2, ("4.19", "the whole version, such as 4.19.3")),
    "an image without a tag": (target("quay.io/a/b"), 2, ("quay.io/a/b", ":TAG or @sha256:")),
    "a file as a folder": (target("dir:text.tar"), 2, ("text.tar is not a folder", "archive:text.tar")),
    "a folder without a layout": (target("oci:empty"), 2, ("empty", "index.json", "dir:empty")),
    "a folder without a mirror": (target("mirror:empty"), 2, ("empty", "v2/", "oc adm release mirror")),
    "a version without a network": (target("4.19.2", "--offline"), 2, ("4.19.2", "--graph FILE", "archive:FILE")),
    "an update graph that cannot be reached": (
        target("4.19.2", "--graph", f"https://{NOWHERE}/graph"),
        4,
        (f"update graph https://{NOWHERE}/graph", "connection refused", "--graph FILE"),
    ),
    "a graph that is empty": (target("4.19.2", "--graph", "graph.json"), 4, ("graph.json", "Cincinnati")),
    "a version that the graph lacks": (
        target("4.19.2", "--graph", "old-graph.json"),
        2,
        ("4.19.2", "4.18.7", "--channel"),
    ),
    "no such pull secret": (target(f"{NOWHERE}/x:1", "-a", "gone.json"), 2, ("'gone.json'", "does not exist")),
    "an authority without a certificate": (
        target(f"{NOWHERE}/x:1", "--certificate-authority", "authority.pem"),
        2,
        ("authority.pem", "no PEM certificate", "PEM certificates"),
    ),
    "mirrors of another kind": (
        target(f"{NOWHERE}/x:1", "--idms-file", "mirrors.yaml"),
        2,
        ("mirrors.yaml", "ConfigMap", "ImageDigestMirrorSet"),
    ),
    "an empty must-gather": (("check", *HOPS, "--cluster", "must-gather:empty"), 2, ("empty", "the dump")),
    "a report as a snapshot": (
        ("check", *HOPS, "--cluster", "snapshot:report.json"),
        4,
        ("report.json is not a snapshot", "upgrade-gate snapshot writes one"),
    ),
    "a dump as a snapshot": (
        ("check", *HOPS, "--cluster", f"snapshot:{DEMO}/cluster"),
        2,
        ("is a folder", f"must-gather:{DEMO}/cluster"),
    ),
    "no such kubeconfig": (("check", *HOPS, "--kubeconfig", "gone"), 2, ("'gone'", "does not exist")),
    "a damaged kubeconfig": (("check", *HOPS, "--kubeconfig", "damaged"), 4, ("damaged", "line", "oc login")),
    "no such context": (
        ("check", *HOPS, "--kubeconfig", "kubeconfig", "--context", "prod"),
        2,
        ("no context 'prod'", "it has: c"),
    ),
    "a cluster that is down": (
        ("check", *HOPS, "--kubeconfig", "kubeconfig"),
        4,
        (f"https://{NOWHERE}", "Connection refused", "HTTPS_PROXY"),
    ),
    "a server without TLS": (("check", *HOPS, "--kubeconfig", "plain"), 4, ("cluster.example.com", "use https")),
    "a user without a login": (("check", *HOPS, "--kubeconfig", "nobody"), 4, ("'u'", "no credential", "log in")),
    "a login plugin that is not there": (
        ("check", *HOPS, "--kubeconfig", "plugin"),
        4,
        ("'no-such-login'", "not installed", "another context"),
    ),
    "identities from nowhere": ((*CLUSTER, "--identities", "export:gone"), 2, ("'gone'", "does not exist")),
    "another platform": ((*CLUSTER, "--platform", "Azure"), 2, ("--platform Azure", "AWS", "leave --platform out")),
    "another mode": ((*CLUSTER, "--mode", "mint"), 2, ("--mode mint", "Manual", "leave --mode out")),
    "a rule to explain": (("explain", "permision-added"), 2, ("'permision-added'", "permission-added")),
    "an acknowledgement without an owner": (
        ("ack", "--report", "report.json", "3a1b0a"),
        2,
        ("--reason, --owner and --expires", "--help"),
    ),
    "a full disk": ((*CHECK, "-o", "html=/dev/full"), 1, ("/dev/full", "No space left on device", "make room")),
    "a bundle among the manifests": ((*CHECK, "--bundle", f"{DEMO}/current"), 2, ("current", "outside")),
}


@pytest.mark.parametrize(("arguments", "code", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_reason_and_the_next_step(
    arguments: Sequence[str], code: int, said: Sequence[str], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = run(*arguments, cwd=tmp_path, env={"KUBECONFIG": "", "HOME": str(tmp_path), "NO_PROXY": "*"})
    assert found.code == code, found.err
    assert found.first.startswith("error: no verdict was reached: ")
    assert [word for word in said if word not in found.err] == [], found.err
    assert "Traceback" not in found.err


@pytest.fixture
def server(certificates: Certificates) -> Iterator[KubernetesServer]:
    """An API server that serves the cluster of the demo."""
    with KubernetesServer(certificates, objects_of(DEMO / "cluster")).run() as running:
        yield running


MODE = "/apis/operator.openshift.io/v1/cloudcredentials/cluster"
VERSION = "/apis/config.openshift.io/v1/clusterversions/version"
ROLES = f"init rbac --to {NEW}"
REFUSED: Mapping[str, tuple[tuple[str, str], Sequence[str], Sequence[str]]] = {
    "a login that has expired": (("*", "unauthorized"), HOPS, ("401", "log in again")),
    "an account that may read nothing": (("*", "forbidden"), HOPS, ("clusterversions", "403 forbidden", ROLES)),
    "an account that may not read the mode": (
        (MODE, "forbidden"),
        HOPS,
        ("cloudcredentials.operator.openshift.io/cluster", "403 forbidden", "allow {", ROLES),
    ),
    "an account that may not read which release runs": (
        (VERSION, "forbidden"),
        ("--to", NEW),
        ("clusterversions", "403 forbidden", "give --from", ROLES),
    ),
    "an account that may not read the mirrors": (
        ("/apis/config.openshift.io/v1/imagedigestmirrorsets", "forbidden"),
        (*HOPS, "--mirrors-from-cluster"),
        ("imagedigestmirrorsets", "403 forbidden", "init rbac prints with the same --to"),
    ),
}


@pytest.mark.parametrize(("refused", "asked", "said"), REFUSED.values(), ids=REFUSED)
def test_what_the_api_server_refuses_is_named_with_who_can_allow_it(
    refused: tuple[str, str], asked: Sequence[str], said: Sequence[str], server: KubernetesServer, tmp_path: Path
) -> None:
    path, kind = refused
    server.faults = {path: Fault(kind)}
    found = run("check", *asked, "--kubeconfig", server.kubeconfig(tmp_path / "k"), cwd=tmp_path)
    shown = " ".join(f"{found.out} {found.err}".replace("\\\n", " ").split())
    assert found.code in (3, 4)
    assert [word for word in said if word not in shown] == [], shown


def test_what_is_not_there_to_read_needs_no_roles(server: KubernetesServer, tmp_path: Path) -> None:
    server.faults = {MODE: Fault("garbage", body=b"<html>")}
    found = run("check", *HOPS, "--kubeconfig", server.kubeconfig(tmp_path / "k"))
    assert "credentials mode unknown" in found.out
    assert "init rbac" not in found.out


def test_an_authority_that_did_not_sign_is_named_where_the_kubeconfig_has_it(
    server: KubernetesServer, certificates: Certificates, tmp_path: Path
) -> None:
    other = server.kubeconfig(tmp_path / "k", cluster={"certificate-authority": str(certificates.self_signed)})
    found = run("check", *HOPS, "--kubeconfig", other)
    assert found.code == 4
    assert [word for word in (server.url, "TLS failed", "certificate-authority") if word not in found.err] == []


def test_a_registry_s_authority_that_is_not_known_is_named_with_its_option(
    server: KubernetesServer, tmp_path: Path
) -> None:
    host = server.url.removeprefix("https://")
    found = run(*target(f"{host}/a/b:4.19.2"), env={"HOME": str(tmp_path), "NO_PROXY": "*"})
    shown = " ".join(found.out.split())
    assert found.code == 4
    assert [w for w in (host, "is not trusted", "--certificate-authority FILE") if w not in shown] == [], shown


@pytest.mark.parametrize(
    ("part", "is_file", "said"),
    [
        ("operator.openshift.io", False, ("CloudCredential/cluster is not in", "oc adm inspect cloudcredentials")),
        ("config.openshift.io/infrastructures.yaml", True, ("infrastructures.yaml is cut off", "collect the dump")),
    ],
)
def test_half_a_must_gather_names_what_it_lacks_and_how_to_collect_it(
    part: str, is_file: bool, said: Sequence[str], tmp_path: Path
) -> None:
    shutil.copytree(DEMO / "cluster", tmp_path / "half")
    place = tmp_path / "half" / "cluster-scoped-resources" / part
    if is_file:
        place.write_bytes(place.read_bytes()[: place.stat().st_size // 2])
    else:
        shutil.rmtree(place)
    found = run("check", *HOPS, "--cluster", "must-gather:half", cwd=tmp_path)
    shown = " ".join(found.out.replace("\\\n", " ").split())
    assert found.code in (3, 4)
    assert [word for word in said if word not in shown] == [], shown
