"""Logging in: kubectl's rules for the kubeconfig, and every gap an error before anything is read."""

from __future__ import annotations

import base64
import ssl
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.worlds.cluster_objects import sample
from tests.worlds.components import require
from tests.worlds.kubernetes_server import KubernetesServer
from tests.worlds.socks_server import SocksServer
from upgrade_gate.base.errors import ClusterError, UsageError
from upgrade_gate.base.facts import Known
from upgrade_gate.cluster import observe
from upgrade_gate.cluster.readers import live
from upgrade_gate.cluster.readers._live_login import (
    ClientCredential,
    Login,
    Remedies,
    is_available,
    log_in,
    through_proxy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.worlds.certificates import Certificates

pytestmark = pytest.mark.slow

TOKEN = "token-of-the-test"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's own login and proxies out."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def server(certificates: Certificates) -> Iterator[KubernetesServer]:
    """The sample cluster, served; client certificates of the same authority are known there."""
    running = KubernetesServer(certificates, list(sample().values()), client_authority=certificates.authority)
    with running.run():
        yield running


def write(path: Path, **changes: Any) -> Path:
    """Write a kubeconfig of one context `test`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {
        "current-context": "test",
        "clusters": [
            {"name": "c", "cluster": {"server": "https://api.example.com:6443", **changes.get("cluster", {})}}
        ],
        "users": [{"name": "u", "user": changes.get("user", {"token": TOKEN})}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
        **changes.get("top", {}),
    }
    path.write_text(yaml.safe_dump(body))
    return path


def plugin(path: Path, script: str) -> Path:
    """Write an executable exec plugin."""
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def by_exec(command: str, **more: Any) -> dict[str, Any]:
    """Return a kubeconfig user that logs in by a plugin."""
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": command, **more}}


def reads(path: Path, **options: Any) -> bool:
    """Return whether the cluster's version can be read with this kubeconfig."""
    reader = live.open_cluster(kubeconfig=path, timeout=10.0, **options)
    return observe.observe(reader).version == Known("4.14.3")


# --- which file and context ---


def test_the_variable_the_home_folder_and_the_option_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_available()
    with pytest.raises(UsageError, match="no kubeconfig was found"):
        log_in()
    home = {"server": "https://home.example.com"}
    write(tmp_path / "home/.kube/config", cluster=home)
    assert is_available()
    assert log_in().server == "https://home.example.com"
    write(tmp_path / "one", cluster={"server": "https://one.example.com"})
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/missing:{tmp_path}/one")
    assert log_in().server == "https://one.example.com"
    assert (
        log_in(write(tmp_path / "two", cluster={"server": "https://two.example.com/"})).server
        == "https://two.example.com"
    )


def test_a_kubeconfig_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        log_in(tmp_path / "nowhere")


def test_several_files_are_merged_and_the_first_one_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a/k", cluster={"certificate-authority": "ca.crt", "server": "https://a.example.com"}, user={})
    write(tmp_path / "b/k", cluster={"server": "https://b.example.com"}, user={"tokenFile": "token"})
    (tmp_path / "b/token").write_text(f"{TOKEN}\n")
    (tmp_path / "a/ca.crt").write_text("a certificate")
    first = yaml.safe_load((tmp_path / "a/k").read_text())
    del first["users"]
    (tmp_path / "a/k").write_text(yaml.safe_dump(first))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/a/k:{tmp_path}/b/k")
    login = log_in()
    assert login.server == "https://a.example.com"
    assert login.authority == tmp_path / "a/ca.crt"
    assert login.credential.authorization == f"Bearer {TOKEN}"


@pytest.mark.parametrize("name", ["certificate-authority", "client-certificate", "client-key"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    given = {"server": "https://a.example.com", name: "certs/x.pem"} if name.endswith("authority") else None
    user = {"token": TOKEN} if given else {name: "certs/x.pem"}
    path = write(tmp_path / "k", user=user, **({"cluster": given} if given else {}))
    with pytest.raises(ClusterError, match=r"certs/x\.pem cannot be read"):
        log_in(path)


def test_a_context_is_chosen_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "k")
    body = yaml.safe_load(path.read_text())
    body["clusters"].append({"name": "d", "cluster": {"server": "https://d.example.com"}})
    body["contexts"].append({"name": "other", "context": {"cluster": "d", "user": "u"}})
    path.write_text(yaml.safe_dump(body))
    assert log_in(path, "other").server == "https://d.example.com"
    with pytest.raises(UsageError, match=r"'third'.*other, test"):
        log_in(path, "third")


def test_without_a_current_context_one_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="current context"):
        log_in(write(tmp_path / "k", top={"current-context": ""}))


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ({"clusters": []}, "no cluster named 'c'"),
        ({"users": []}, "no user named 'u'"),
        ({"clusters": [{"name": "c", "cluster": {}}]}, "server"),
        ({"clusters": [{"name": "c", "cluster": {"server": "ftp://x"}}]}, "not an http or https address"),
        ({"clusters": [{"name": "c", "cluster": {"server": "https://[::1"}}]}, "not an http or https address"),
        ({"clusters": [{"name": "c", "cluster": 7}]}, "a number"),
        ({"clusters": 7}, "a number"),
        ({"contexts": [7]}, "a number"),
        ({"users": [{"name": "u", "user": {"token": 7}}]}, "a number"),
        ({"users": [{"name": "u", "user": {"client-certificate-data": "%%%"}}]}, "base64"),
        ({"users": [{"name": "u", "user": {"token": "t", "client-key-data": "\u00fc"}}]}, "base64"),
        ({"users": [{"name": "u", "user": {"tokenFile": "nowhere"}}]}, "cannot be read"),
        ({"users": [{"name": "u", "user": {}}]}, "holds no credential"),
        ({"users": [{"name": "u", "user": {"token": "x", "as": "a", "as-groups": ["g"]}}]}, "impersonates"),
        ({"users": [{"name": "u", "user": {"auth-provider": {"name": "gcp"}}}]}, "auth-provider"),
    ],
)
def test_a_kubeconfig_with_a_gap_is_an_error_that_names_it(tmp_path: Path, top: dict[str, Any], message: str) -> None:
    with pytest.raises(ClusterError, match=message):
        log_in(write(tmp_path / "k", top=top))


def test_a_kubeconfig_that_is_no_yaml_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("clusters: [")
    with pytest.raises(ClusterError, match="cannot be parsed"):
        log_in(tmp_path / "k")


def test_no_credential_is_sent_without_tls_to_another_machine(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="is not https"):
        log_in(write(tmp_path / "k", cluster={"server": "http://api.example.com"}))
    assert (
        log_in(write(tmp_path / "k", cluster={"server": "http://127.0.0.1:8001"}, user={})).credential.authorization
        is None
    )
    assert log_in(write(tmp_path / "k", cluster={"server": "http://localhost:8001"})).credential.authorization


def test_nothing_of_a_login_is_printed(tmp_path: Path) -> None:
    proxy = {
        "proxy-url": "http://me:pass-word@proxy.example.com:3128",
        "server": "https://me:pass-word@api.example.com",
    }
    login = log_in(write(tmp_path / "k", cluster=proxy))
    assert TOKEN not in repr(login)
    assert login.description == "https://api.example.com"
    assert "pass-word" not in login.description


# --- credentials that work ---


def test_token_and_password_work(server: KubernetesServer, tmp_path: Path) -> None:
    assert reads(server.kubeconfig(tmp_path / "k"))
    (tmp_path / "token").write_text(TOKEN)
    assert reads(server.kubeconfig(tmp_path / "k", user={"tokenFile": str(tmp_path / "token")}))
    assert reads(server.kubeconfig(tmp_path / "k", user={"username": "user", "password": TOKEN}))
    provider = {"auth-provider": {"name": "oidc", "config": {"id-token": TOKEN}}}
    assert reads(server.kubeconfig(tmp_path / "k", user=provider))


@pytest.fixture
def client_certificate(certificates: Certificates, tmp_path: Path) -> tuple[Path, Path]:
    """A client certificate of the servers' authority."""
    key, request, certificate = tmp_path / "client.key", tmp_path / "client.csr", tmp_path / "client.crt"
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=me/O=readers"]
    authority = certificates.authority
    sign = ["-CA", authority, "-CAkey", authority.with_name("ca.key"), "-CAcreateserial", "-days", "3"]
    for arguments in (
        ["req", *new, "-keyout", key, "-out", request],
        ["x509", "-req", "-in", request, *sign, "-out", certificate],
    ):
        subprocess.run([require("openssl"), *map(str, arguments)], check=True, capture_output=True, timeout=60)
    return certificate, key


def test_client_certificates_work_as_files_and_inline(
    server: KubernetesServer, tmp_path: Path, client_certificate: tuple[Path, Path]
) -> None:
    certificate, key = client_certificate
    user = {"client-certificate": str(certificate), "client-key": str(key)}
    assert reads(server.kubeconfig(tmp_path / "k", user=user))
    data = {
        f"{name}-data": base64.b64encode(path.read_bytes()).decode()
        for name, path in (("client-certificate", certificate), ("client-key", key))
    }
    authority = base64.b64encode(server.certificates.authority.read_bytes()).decode()
    inline = {"certificate-authority": None, "certificate-authority-data": authority}
    assert reads(server.kubeconfig(tmp_path / "k", user=data, cluster=inline))


def test_a_plugin_may_give_a_certificate(
    server: KubernetesServer, tmp_path: Path, client_certificate: tuple[Path, Path]
) -> None:
    certificate, key = client_certificate
    status = {"clientCertificateData": certificate.read_text(), "clientKeyData": key.read_text()}
    login = plugin(tmp_path / "login", f"import json\nprint(json.dumps({{'status': {status!r}}}))")
    assert reads(server.kubeconfig(tmp_path / "k", user=by_exec(str(login))))


def test_a_plugin_is_run_as_kubectl_runs_it(
    server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import json, os, sys\n"
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "assert info['spec']['interactive'] is False and sys.stdin.read() == ''\n"
        "assert info['spec']['cluster']['server'].startswith('https://')\n"
        "print(json.dumps({'status': {'token': os.environ['GIVEN'] + sys.argv[1]}}))\n"
    )
    plugin(tmp_path / "login", script)
    monkeypatch.setenv("PATH", str(tmp_path))
    user = by_exec("login", args=["-test"], env=[{"name": "GIVEN", "value": "token-of-the"}], provideClusterInfo=True)
    assert reads(server.kubeconfig(tmp_path / "k", user=user))
    beside = by_exec(
        "./login", args=["-test"], env=[{"name": "GIVEN", "value": "token-of-the"}], provideClusterInfo=True
    )
    assert reads(server.kubeconfig(tmp_path / "k", user=beside))


# --- plugins that do not ---


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("print('welcome')", "no ExecCredential"),
        ("print('[]')", "a list"),
        ("print('{}')", "neither a token nor a certificate"),
        ('print(\'{"status": {"token": 7}}\')', "a number"),
        ("import time; time.sleep(60)", "did not answer within"),
        ("import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)", "did not answer within"),
    ],
)
def test_a_plugin_that_gives_no_login_is_an_error_before_any_read(tmp_path: Path, script: str, message: str) -> None:
    login = plugin(tmp_path / "login", script)
    with pytest.raises(ClusterError, match=message) as caught:
        log_in(write(tmp_path / "k", user=by_exec(str(login))), timeout=1.0)
    assert "login plugin" in str(caught.value)


def test_a_missing_plugin_is_named_with_its_own_hint(tmp_path: Path) -> None:
    user = by_exec("no-such-login-plugin", installHint="install it from the portal")
    with pytest.raises(ClusterError, match=r"no-such-login-plugin.*install it from the portal"):
        log_in(write(tmp_path / "k", user=user))


def test_a_plugin_that_must_ask_is_refused(tmp_path: Path) -> None:
    login = plugin(tmp_path / "login", "print('{}')")
    with pytest.raises(ClusterError, match="asks for input"):
        log_in(write(tmp_path / "k", user=by_exec(str(login), interactiveMode="Always")))


def test_a_plugin_that_is_no_program_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "login").write_text("not a program")
    with pytest.raises(ClusterError, match="cannot be run"):
        log_in(write(tmp_path / "k", user=by_exec(str(tmp_path / "login"))))


# --- the server's name, proxies, impersonation ---


def test_the_servers_name_of_the_kubeconfig_is_what_the_certificate_must_say(
    server: KubernetesServer, tmp_path: Path
) -> None:
    assert reads(server.kubeconfig(tmp_path / "k", cluster={"tls-server-name": "localhost"}))
    path = server.kubeconfig(tmp_path / "k", cluster={"tls-server-name": "other.example.com"})
    with pytest.raises(ClusterError, match="TLS failed"):
        reads(path)


def test_verification_can_only_be_switched_off_by_the_kubeconfig(
    server: KubernetesServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    unverified = {"insecure-skip-tls-verify": True, "certificate-authority": None}
    assert reads(server.kubeconfig(tmp_path / "k", cluster=unverified))
    assert "TLS is not verified" in caplog.text
    with pytest.raises(ClusterError, match="TLS failed"):
        reads(server.kubeconfig(tmp_path / "k", cluster={"certificate-authority": None}))


def test_a_proxy_of_the_kubeconfig_is_used_whatever_the_environment_says(
    server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(ClusterError) as caught:  # nobody listens there
        reads(server.kubeconfig(tmp_path / "k", cluster={"proxy-url": "http://me:s3cret@127.0.0.1:9"}))
    assert "the proxy http://127.0.0.1:9 cannot be reached: Connection refused" in str(caught.value)
    assert "proxy-url" in (caught.value.hint or "")
    assert "s3cret" not in str(caught.value)
    assert not server.requests


def test_a_socks_proxy_of_the_kubeconfig_is_used_and_its_login_goes_nowhere_else(
    server: KubernetesServer, tmp_path: Path
) -> None:
    with SocksServer() as proxy:
        url = proxy.url.replace("//", "//me:s3cret@")
        assert reads(server.kubeconfig(tmp_path / "k", cluster={"proxy-url": url}))
        assert proxy.places
    assert server.requests
    assert "Proxy-Authorization" not in str(server.requests)


def test_a_socks_proxy_that_is_down_is_named(server: KubernetesServer, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"socks5://127\.0\.0\.1:9") as caught:
        reads(server.kubeconfig(tmp_path / "k", cluster={"proxy-url": "socks5://me:s3cret@127.0.0.1:9"}))
    assert "s3cret" not in str(caught.value)


def test_a_proxy_whose_name_is_not_known_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "k", cluster={"proxy-url": "http://me:s3cret@proxy.invalid:3128"})
    with pytest.raises(ClusterError, match=r"the proxy http://proxy\.invalid:3128 cannot be reached") as caught:
        reads(path)
    assert "s3cret" not in str(caught.value)


def test_the_proxy_of_the_environment_is_used_where_the_kubeconfig_names_none(
    server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1"):
        reads(server.kubeconfig(tmp_path / "k"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    assert reads(server.kubeconfig(tmp_path / "k"))


@pytest.mark.parametrize(
    ("address", "words"), [("127.0.0.1:9", "Connection refused"), ("nowhere.invalid", "not known|resolution")]
)
def test_a_server_that_cannot_be_reached_is_told_in_the_system_s_words(
    tmp_path: Path, address: str, words: str
) -> None:
    with pytest.raises(ClusterError, match=rf"https://{address}: no connection: .*({words})") as caught:
        reads(write(tmp_path / "k", cluster={"server": f"https://{address}"}))
    assert "object at" not in str(caught.value)
    assert "Error" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("credential", "impersonate", "said"),
    [
        (ClientCredential(certificate=b"C", key=b"K"), None, "takes tokens only"),
        (ClientCredential("Basic dTpw"), None, "takes tokens only"),
        (ClientCredential(f"Bearer {TOKEN}"), "admin", "impersonates 'admin'"),
    ],
)
def test_a_hubs_proxy_is_shown_a_token_or_nothing(
    credential: ClientCredential, impersonate: str | None, said: str
) -> None:
    hub = Login("https://hub.example.com", "https://hub.example.com", credential, impersonate=impersonate)
    with pytest.raises(ClusterError, match=said):
        through_proxy(hub, "https://proxy.example.com", "a", ssl.create_default_context(), Remedies())


def test_nothing_of_the_login_at_the_hub_but_the_token_and_the_proxy_goes_to_its_clusters() -> None:
    own = ClientCredential(f"Bearer {TOKEN}", certificate=b"C", key=b"K")
    hub = Login(
        "https://u:p@hub.example.com", "hub", own, verify=False, authority=b"A", server_name="x", proxy="socks5://s"
    )
    trust = ssl.create_default_context()
    found = through_proxy(hub, "https://proxy.example.com", "a", trust, Remedies())
    assert found.server == found.description == "https://proxy.example.com/a"
    assert found.credential == ClientCredential(f"Bearer {TOKEN}")
    assert (found.verify, found.authority, found.server_name) == (True, None, None)
    assert (found.trust, found.proxy) == (trust, "socks5://s")


def test_impersonation_is_passed_on(server: KubernetesServer, tmp_path: Path) -> None:
    assert reads(server.kubeconfig(tmp_path / "k", user={"token": TOKEN, "as": "system:serviceaccount:x:y"}))
    assert {r.headers.get("impersonate-user") for r in server.requests} == {"system:serviceaccount:x:y"}


# --- in a pod ---


def test_a_pods_account_is_used_where_there_is_no_kubeconfig(
    server: KubernetesServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = tmp_path / "account"
    account.mkdir()
    assert not is_available(account=account)
    (account / "token").write_text(TOKEN)
    (account / "ca.crt").write_bytes(server.certificates.authority.read_bytes())
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
    assert is_available(account=account)
    login = log_in(account=account)
    assert (login.server, login.credential.authorization) == (server.url, f"Bearer {TOKEN}")
    (account / "token").write_text("\n")
    with pytest.raises(ClusterError, match="empty"):
        log_in(account=account)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    (account / "token").write_text(TOKEN)
    assert log_in(account=account).server == f"https://[fd00::1]:{server.port}"
