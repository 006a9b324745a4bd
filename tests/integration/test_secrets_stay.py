"""Marks stand in every place from which the program reads something secret; none may stand in what it writes."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
import zstandard

from tests.worlds.faulty_registry import REPOSITORY, FaultHandler, faulty_registry
from tests.worlds.kubernetes_server import Fault
from tests.worlds.marks import Marks
from tests.worlds.release_image import build
from tests.worlds.small_site import NEW, SmallSite, small_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.worlds.certificates import Certificates

MARKS = Marks()
FORMATS = ("text", "json", "html", "markdown", "sarif", "junit", "codequality", "github")
SECRETS = "Secret"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
LOUD = ("-v", "-v")
SEARCHED: list[str] = []
"""Names of the outputs that were searched."""
LEAKED: list[str] = []
"""Places whose marks were found."""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def plant_in_cluster(store: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    """Put marks into a cluster's objects: values, copies that kubectl leaves, variables, configuration, URLs."""
    for (kind, _, name), body in store.items():
        where = f"{kind} {name}"
        metadata = body["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), APPLIED: MARKS[f"{where}: last applied"]}
        metadata["managedFields"] = [{"manager": MARKS[f"{where}: manager"]}]
        if kind == SECRETS:
            keys = [*(body.get("data") or {}), "aws_secret_access_key", "tls.key"]
            body["data"] = {key: encoded(f"x {MARKS[f'{where}: {key}']} y") for key in keys}
    url = "https://user:{}@{}.example.com/x?token={}"
    version = store["ClusterVersion", "", "version"]
    version["spec"]["upstream"] = url.format(MARKS["upstream password"], "graph", MARKS["upstream query"])
    status = store["Infrastructure", "", "cluster"]["status"]
    status["apiServerURL"] = url.format(MARKS["API password"], "api", MARKS["API query"])
    deployment = store["Deployment", "openshift-cluster-version", "cluster-version-operator"]
    deployment["spec"]["template"]["spec"]["containers"][0].setdefault("env", []).extend(
        [
            {"name": "HTTPS_PROXY", "value": f"http://user:{MARKS['proxy of CVO']}@proxy:3128"},
            {"name": "TOKEN", "value": MARKS["variable of CVO"]},
        ]
    )


def plant_google(store: dict[tuple[str, str, str], dict[str, Any]]) -> None:
    """Make the cluster one on Google Cloud, whose installer's and machines' configuration are read."""
    store["Infrastructure", "", "cluster"]["status"] |= {
        "platform": "GCP",
        "platformStatus": {"type": "GCP", "gcp": {"projectID": "p", "region": "r"}},
    }
    install = {
        "platform": {"gcp": {"networkProjectID": "net", "x": MARKS["installer's field"]}},
        "pullSecret": json.dumps({"auths": {"r": {"auth": encoded(f"u:{MARKS['installer pull secret']}")}}}),
        "sshKey": MARKS["installer key"],
    }
    provider = {"value": {"serviceAccounts": [{"email": "a@p.iam"}], "metadata": [{"value": MARKS["startup script"]}]}}
    machines = {"spec": {"template": {"spec": {"providerSpec": provider}}}}
    for kind, space, name, body in (
        ("ConfigMap", "kube-system", "cluster-config-v1", {"data": {"install-config": yaml.safe_dump(install)}}),
        (
            *("ConfigMap", "openshift-config", "cloud-provider-config"),
            {"data": {"config": f"[global]\nnetwork-project-id = net\nkey = {MARKS['cloud provider key']}\n"}},
        ),
        ("MachineSet", "openshift-machine-api", "m", machines),
    ):
        store[kind, space, name] = {"kind": kind, "metadata": {"namespace": space, "name": name}, **body}


def challenge(handler: FaultHandler, _: int) -> bool:
    """Ask for Basic credentials in words that hold marks; send blobs elsewhere by a signed address."""
    if handler.path.startswith("/signed/"):
        handler.path = handler.path.replace("/signed/", "/v2/x/blobs/").partition("?")[0]
        return False
    if "Authorization" not in handler.headers:
        body = json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "no", "detail": MARKS["error's detail"]}]})
        handler.answer(401, body.encode(), {"WWW-Authenticate": 'Basic realm="x"', "Content-Length": str(len(body))})
        return True
    if handler.is_blob:
        digest = handler.path.rpartition("/")[2]
        place = f"/signed/{digest}?X-Amz-Signature={MARKS['signed address']}&sig={MARKS['second signature']}"
        handler.answer(307, b"", {"Location": place, "Content-Length": "0"})
        return True
    return False


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, fixtures: Path, certificates: Certificates) -> Iterator[SmallSite]:
    """The small site with marks in its cluster and registries, the login's token a mark too."""
    folder = tmp_path_factory.mktemp("site")
    with small_site(folder, fixtures, certificates, token=MARKS["bearer token"]) as found:
        plant_in_cluster(found.server.store)
        for registry in found.registries:
            registry.fault = challenge
        yield found


@pytest.fixture(scope="module", autouse=True)
def counted() -> Iterator[None]:
    """Print how many marks were planted and found in how many outputs (`pytest -s -n 0`)."""
    yield
    print(f"\n{len(MARKS.planted)} marks planted, {len(LEAKED)} found in {len(SEARCHED)} outputs")  # noqa: T201


@pytest.fixture
def home(tmp_path: Path, site: SmallSite) -> Path:
    """A home with credentials of every kind, for the registries of the site."""
    hosts = [pullspec.partition("/")[0] for pullspec in site.pullspecs]
    auths: dict[str, Any] = {host: {"auth": encoded(f"user:{MARKS['registry password']}")} for host in hosts}
    auths["other.example.com"] = {"auth": encoded(f"u:{MARKS['other password']}"), "identitytoken": MARKS["identity"]}
    (tmp_path / "pull.json").write_text(json.dumps({"auths": auths}))
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": auths}))
    return tmp_path


ENVIRONMENT = (
    *("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "IC_API_KEY", "GITHUB_TOKEN"),
    *("OS_PASSWORD", "VAULT_TOKEN", "UPGRADE_GATE_TOKEN"),
)


def surroundings() -> dict[str, str]:
    """Return variables with marks; the proxy is for hosts that no test reaches."""
    return {
        **{name: MARKS[f"variable {name}"] for name in ENVIRONMENT},
        "HTTPS_PROXY": f"http://user:{MARKS['proxy password']}@127.0.0.1:9/?k={MARKS['proxy query']}",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def outputs(folder: Path) -> list[str]:
    """Return an option for a file of each format."""
    return [word for form in FORMATS for word in ("-o", f"{form}={folder / form}")]


def leaks(site: SmallSite, home: Path, line: Sequence[str], codes: Sequence[int], **more: str) -> list[str]:
    """Run a command line; return where marks were found in what it wrote: streams, files, cache, temporary files."""
    known = {path for path in home.rglob("*") if path.is_file()}
    done = site.run(line, home, home, **surroundings(), **more)
    assert done.returncode in codes, done.stderr.decode()
    assert len(MARKS.planted) > len(ENVIRONMENT)
    written = {"stdout": done.stdout, "stderr": done.stderr}
    written |= {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file() and path not in known}
    assert len(written) > 2 or done.stdout or done.stderr
    SEARCHED.extend(written)
    found = [f"{name}: {place}" for name, data in written.items() for place in MARKS.found_in(data)]
    LEAKED.extend(found)
    return found


COMMANDS: Mapping[str, tuple[Sequence[str], Sequence[int]]] = {
    "check": (("check", "--read-secrets", "--bundle", "bundle"), (3,)),
    "check, mirrors and pull secret of the cluster": (("check", "--mirrors-from-cluster"), (3, 4)),
    "diff": (("diff",), (0,)),
    "remediate": (("remediate", "--read-secrets", "-d", "out"), (0,)),
    "snapshot": (("snapshot", "--read-secrets", "out.json"), (0,)),
    "extract": (("extract", "-d", "out"), (0,)),
}


@pytest.mark.parametrize("google", [False, True], ids=["AWS", "GCP"])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_mark_of_a_live_site_is_written(name: str, google: bool, site: SmallSite, home: Path) -> None:
    kept = copy.deepcopy(site.server.store)
    if google:
        plant_google(site.server.store)
    (command, *more), codes = COMMANDS[name]
    (home / "reports").mkdir()
    reports = outputs(home / "reports") if command in ("check", "diff", "remediate") else []
    loud = [] if command == "snapshot" else LOUD
    line = site.line(command, *more, "-a", "pull.json", *loud, *reports)
    try:
        assert leaks(site, home, [*line[:3], *(["-v"] if not loud else []), *line[3:]], (*codes, 3, 4)) == []
    finally:
        site.server.store.clear()
        site.server.store.update(kept)


PLUGIN = """#!/bin/sh
tr '\\0' ' ' < /proc/$PPID/cmdline > "$HOME/arguments"
echo "$0 $*" >> "$HOME/arguments"
echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}'
echo %s >&2
exit %d
"""


@pytest.mark.parametrize("failing", [False, True])
def test_no_mark_of_a_login_plugin_is_written(failing: bool, site: SmallSite, home: Path) -> None:
    token = MARKS["failing plugin's token"] if failing else MARKS["bearer token"]
    (home / "plugin").write_text(PLUGIN % (token, MARKS["plugin's complaint"], 3 if failing else 0))
    (home / "plugin").chmod(0o755)
    variable = {"name": "PLUGIN_SECRET", "value": MARKS["plugin's variable"]}
    user = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(home / "plugin"), "env": [variable]}
    }
    kubeconfig = site.server.kubeconfig(home / "kubeconfig", user=user)
    line = site.line("check", "-a", "pull.json", "--kubeconfig", kubeconfig, *LOUD, "-o", "json")
    assert leaks(site, home, line, (2, 3, 4)) == []
    assert (home / "arguments").exists()


LOGINS: Mapping[str, Any] = {
    "password": {"username": "user", "password": MARKS["basic password"]},
    "client key": {
        "client-certificate-data": encoded(f"-----BEGIN CERTIFICATE-----\n{MARKS['certificate']}\n"),
        "client-key-data": encoded(f"-----BEGIN PRIVATE KEY-----\n{MARKS['client key']}\n-----END PRIVATE KEY-----\n"),
    },
    "old provider": {"auth-provider": {"name": "oidc", "config": {"refresh-token": MARKS["refresh token"]}}},
    "wrong token": {"token": MARKS["wrong token"]},
    "garbage": {"client-key-data": MARKS["key that is not a base64"] + "!", "token": [MARKS["token in a list"]]},
    "impersonation": {"token": MARKS["token beside"], "as-groups": ["x"]},
}


@pytest.mark.parametrize("user", LOGINS.values(), ids=LOGINS)
def test_no_mark_of_a_login_is_written(user: Any, site: SmallSite, home: Path) -> None:
    kubeconfig = site.server.kubeconfig(home / "kubeconfig", user=user)
    line = site.line("check", "-a", "pull.json", "--kubeconfig", kubeconfig, *LOUD, *outputs(home))
    assert leaks(site, home, line, (2, 3, 4)) == []


@pytest.mark.parametrize("kind", ["forbidden", "unauthorized", "unavailable", "no-status", "garbage", "redirect"])
def test_no_mark_in_what_a_server_complains_is_written(kind: str, site: SmallSite, home: Path) -> None:
    MARKS.planted["message of a refusal"] = "secret-word"
    where = f"https://user:{MARKS['redirect password']}@other.example.com/?t={MARKS['redirect query']}"
    body = where if kind == "redirect" else f'{{"token": "{MARKS["garbage of the API"]}'
    site.server.faults["*"] = Fault(kind, body=body.encode(), after=3)
    try:
        line = site.line("check", "-a", "pull.json", "--timeout", "5", *LOUD, *outputs(home))
        assert leaks(site, home, line, (2, 3, 4)) == []
    finally:
        site.server.faults.clear()


def released(*words: str) -> list[str]:
    """Return a command line without a cluster."""
    return [sys.executable, "-m", "upgrade_gate", *words, "--no-cluster", "--platform", "AWS", *LOUD, "--timeout", "5"]


def spoken(handler: FaultHandler, _: int) -> bool:
    """Refuse with a mark in every place of the answer."""
    if "/token" in handler.path:
        body = json.dumps({"token": MARKS["registry's token"], "refresh_token": MARKS["registry's refresh token"]})
        handler.answer(200, body.encode(), {"Content-Length": str(len(body))})
        return True
    realm = f"http://{handler.headers['Host']}/token?k={MARKS['query of the realm']}"
    headers = {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"', "Set-Cookie": MARKS["registry's cookie"]}
    body = f'{{"errors": [{{"code": "DENIED", "message": "no", "detail": "{MARKS["registry detail"]}"}}]}}'
    handler.answer(403 if "Authorization" in handler.headers else 401, body.encode(), headers)
    return True


def test_no_mark_of_a_registry_that_refuses_is_written(site: SmallSite, home: Path) -> None:
    with faulty_registry(build("4.15.3"), spoken) as (host, _):
        auths = {host: {"auth": encoded(f"user:{MARKS['refused password']}"), "identitytoken": MARKS["refused token"]}}
        (home / "refused.json").write_text(json.dumps({"auths": auths}))
        pair = ("--from", f"{host}/{REPOSITORY}:a", "--to", f"{host}/{REPOSITORY}:b", "--insecure", host)
        line = released("check", *pair, "-a", "refused.json", *outputs(home))
        assert leaks(site, home, line, (4,)) == []


ADDRESS = f"https://user:{MARKS['address password']}@127.0.0.1:9/x?token={MARKS['address query']}#{MARKS['fragment']}"
PULLSPEC = f"user:{MARKS['pullspec password']}@127.0.0.1:9/ocp/release:4.15.3"


@pytest.mark.parametrize(
    "words",
    [
        ("check", "--from", "4.18.7", "--to", NEW, "--graph", ADDRESS, "--channel", "stable-4.19"),
        ("check", "--from", PULLSPEC, "--to", PULLSPEC),
        ("check", "--from", f"docker://{PULLSPEC}", "--to", f"registry:{PULLSPEC}"),
        ("check", "--from", ADDRESS, "--to", ADDRESS),
        ("check", "--from", f"dir:{ADDRESS}", "--to", f"archive:{ADDRESS}"),
        ("check", "--from", "quay.io/a/b:4.18.7", "--to", "quay.io/a/b:4.19.2"),  # by the proxy with a password
    ],
)
def test_no_mark_of_an_address_is_written(words: Sequence[str], site: SmallSite, home: Path) -> None:
    assert leaks(site, home, released(*words, *outputs(home)), (2, 4)) == []


FILES: Mapping[str, str] = {
    "key.json": json.dumps({"AccessKey": {"AccessKeyId": "AKIAX", "SecretAccessKey": MARKS["AWS secret key"]}}),
    "sp.json": json.dumps({"appId": "1", "password": MARKS["Azure password"], "tenant": "2"}),
    "google.json": json.dumps({"type": "service_account", "private_key": MARKS["Google key"], "client_email": "a@b"}),
    "api-key.json": json.dumps({"name": "x", "apikey": MARKS["IBM key"]}),
    "cut.json": f'{{"Roles": [{{"token": "{MARKS["cut export"]}"',
    "notes.txt": f"password: {MARKS['note']}\n",
    "id.pem": f"-----BEGIN PRIVATE KEY-----\n{encoded(MARKS['private key'])}\n",
}


@pytest.mark.parametrize("platform", ["AWS", "Azure", "GCP", "IBMCloud"])
def test_no_mark_of_an_export_is_written(platform: str, site: SmallSite, home: Path) -> None:
    (home / "export").mkdir()
    for name, text in FILES.items():
        (home / "export" / name).write_text(text)
    old, new = (f"dir:{site.releases / version}" for version in ("4.18.7", NEW))
    line = released(
        "check", "--from", old, "--to", new, "--identities", "export:export", "--bundle", "b", *outputs(home)
    )
    line[line.index("AWS")] = platform
    assert leaks(site, home, line, (0, 3, 4)) == []


CONFIGURATIONS: Mapping[str, str] = {
    "unknown key": f"token: {MARKS['configured token']}\n",
    "no YAML": f"timeout: [{MARKS['configured, cut']}\n",
    "wrong type": f"identities: {MARKS['configured identities']}\n",
    "graph": f"graph: https://u:{MARKS['configured password']}@127.0.0.1:9/?q={MARKS['configured query']}\n",
    "a text alone": f"{MARKS['configured text']}\n",
}


@pytest.mark.parametrize("option", ["--config", "--acknowledgements", "-a", "--idms-file", "--kubeconfig"])
@pytest.mark.parametrize("text", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_no_mark_of_a_settings_file_is_written(option: str, text: str, site: SmallSite, home: Path) -> None:
    (home / "mine.yaml").write_text(text)
    line = site.line("check", option, "mine.yaml", *LOUD, "-o", "json")
    assert leaks(site, home, line, (2, 3, 4)) == []


@pytest.mark.parametrize("command", ["check", "snapshot", "remediate"])
@pytest.mark.parametrize("cluster", ["aws-sts", "azure-workload-identity", "vsphere-manual"])
@pytest.mark.parametrize("damaged", [False, True])
def test_no_mark_of_a_dump_is_written(damaged: bool, cluster: str, command: str, site: SmallSite, home: Path) -> None:
    shutil.copytree(site.releases.parent / "clusters" / cluster, home / "dump")
    planted = 0
    for path in (home / "dump").rglob("*.yaml"):
        body = yaml.safe_load(path.read_text())
        for item in body.get("items", [body]) if isinstance(body, dict) else []:
            if item.get("kind") == SECRETS:
                keys = item.get("data") or {"credentials": ""}
                item["data"] = {key: encoded(f"[x]\nkey = {MARKS[f'{path.parent.name} {key}']}") for key in keys}
                if planted % 2:  # such a Secret is a manifest, of which nothing else is read
                    item["stringData"] = {"more": MARKS[f"{path.parent.name}, plain"]}
                planted += 1
        text = yaml.safe_dump(body)
        path.write_text(text.replace("kind: Secret\n", "kind: Secret\n  bad: [\n") if damaged and planted else text)
    assert planted
    old, new = (f"dir:{site.releases / version}" for version in ("4.18.7", NEW))
    rest = {"check": outputs(home), "snapshot": ["out.json"], "remediate": ["-d", "out"]}[command]
    loud = [] if command == "snapshot" else LOUD
    line = [sys.executable, "-m", "upgrade_gate", command, "--from", old, "--to", new, "--cluster", "must-gather:dump"]
    assert leaks(site, home, [*line[:3], "-v", *line[3:], *loud, *rest], (0, 2, 3, 4)) == []


def test_the_search_finds_what_it_looks_for() -> None:
    marks = Marks()
    mark = marks["a place"]
    inner = base64.b64encode(f"user:{mark}!".encode())
    for data in (
        *(
            mark.encode(),
            inner,
            base64.urlsafe_b64encode(b"ab" + inner),
            b"x=" + b"".join(b"%%%02x" % b for b in mark.encode()),
        ),
        *(
            b"head" + gzip.compress(inner),
            zstandard.compress(mark.encode()),
            b"x" + gzip.compress(zstandard.compress(inner)),
        ),
    ):
        assert marks.found_in(data) == ["a place"]
    assert marks.found_in(b"zQ" + b"0" * 22 + b"Kw") == []


def test_the_marks_were_really_read(site: SmallSite, home: Path) -> None:
    """A run that stops early leaks nothing: this one reads Secrets, logs in to registries and follows redirects."""
    line = site.line("check", "--read-secrets", "-a", "pull.json", "-o", "json", "--no-cache")
    done = site.run(line, home, home, **surroundings())
    assert done.returncode == 3, done.stderr.decode()
    facts = json.loads(done.stdout)["cluster"]["facts"]
    assert [fact["name"] for fact in facts if fact["state"] == "unknown"] == []
    assert {place.path for place in site.server.requests if "/secrets/" in place.path}
    for registry in site.registries:
        assert registry.of("/signed/")
        assert any("authorization" in request.headers for request in registry.requests)
