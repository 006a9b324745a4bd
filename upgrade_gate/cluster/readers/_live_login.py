"""How to log in to a cluster: kubeconfig, context, exec plugin or the pod's own account, resolved before any read.

The Python client's own loader only logs a missing exec plugin and goes on anonymously, and older ones ignore
`proxy-url`; so the file is read here, with kubectl's rules, and every gap is an error with a next step.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from upgrade_gate.base.errors import ClusterError, UsageError
from upgrade_gate.base.paths import exists, is_file
from upgrade_gate.reading import yaml
from upgrade_gate.reading.encoding import as_utf8
from upgrade_gate.reading.files import read_file
from upgrade_gate.reading.http.urls import is_loopback, is_url, shown_url
from upgrade_gate.reading.node import Malformed, Part

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its own account."""


@dataclass(frozen=True, slots=True)
class ClientCredential:
    """What tells the API server who asks. Nothing of this is printed."""

    authorization: str | None = field(default=None, repr=False)
    """The Authorization header."""
    certificate: Path | bytes | None = field(default=None, repr=False)
    """A file, or what was given inline."""
    key: Path | bytes | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return self.authorization is not None or self.certificate is not None or self.key is not None


@dataclass(frozen=True, slots=True)
class Remedies:
    """The next step where a server cannot be asked."""

    trust: str = "check certificate-authority and tls-server-name of the kubeconfig"
    reach: str = (
        "check the server and proxy-url of the kubeconfig's context, HTTPS_PROXY and NO_PROXY, and --cluster-timeout"
    )
    login: str = "log in again: the token is wrong or has expired"
    other: str | None = None
    """For any other status."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where the API server is and what to show it. Nothing of this is printed."""

    server: str
    description: str
    """The server's address, without anything that identifies or authenticates."""
    credential: ClientCredential
    verify: bool = True
    authority: Path | bytes | None = None
    """Whose certificates are trusted; None: those of the system."""
    impersonate: str | None = None
    server_name: str | None = None
    proxy: str | None = field(default=None, repr=False)
    """From the kubeconfig; None leaves the choice to the environment."""
    trust: ssl.SSLContext | None = None
    """Instead of `authority`: certificates from several places."""
    remedies: Remedies = Remedies()


def is_available(kubeconfig: Path | None = None, *, account: Path = ACCOUNT) -> bool:
    """Return whether a kubeconfig or a pod's account is there, so that a live cluster is the default."""
    return bool(_paths(kubeconfig)) or _in_pod(account)


def log_in(
    kubeconfig: Path | None = None, context: str | None = None, *, timeout: float = 30.0, account: Path = ACCOUNT
) -> Login:
    """Resolve the login, running an exec plugin where the kubeconfig names one.

    Raises UsageError where the file or context does not exist, ClusterError where it cannot give a login: a missing
    plugin, one that fails, asks or takes longer than `timeout` seconds, a user without any credential.
    """
    paths = _paths(kubeconfig)
    if not paths:
        if kubeconfig is None and context is None and _in_pod(account):
            return _pod_login(account)
        raise UsageError("no kubeconfig was found", hint="give --kubeconfig, set KUBECONFIG, or give --no-cluster")
    try:
        return _Kubeconfig(paths).login(context, timeout)
    except Malformed as error:
        raise ClusterError(f"kubeconfig: {error}") from error


def context_names(kubeconfig: Path | None) -> list[str]:
    """Return the names of all contexts, sorted; raises as `log_in` does where the kubeconfig cannot be read."""
    paths = _paths(kubeconfig)
    if not paths:
        raise UsageError("no kubeconfig was found", hint="give --kubeconfig, or set KUBECONFIG")
    try:
        return sorted(_Kubeconfig(paths).named["contexts"])
    except Malformed as error:
        raise ClusterError(f"kubeconfig: {error}") from error


def through_proxy(hub: Login, url: str, name: str, trust: ssl.SSLContext, remedies: Remedies) -> Login:
    """Return the login at a cluster that a hub lets its users through to: the hub user's token, and nothing else of it.

    Raises ClusterError where the login at the hub is of another kind.
    """
    authorization = hub.credential.authorization
    if authorization is None or not authorization.startswith("Bearer "):
        raise ClusterError(
            f"{hub.description}: cluster-proxy takes tokens only, and the kubeconfig logs in otherwise",
            hint="use a context that has a token, for example of oc login or of a service account",
        )
    if hub.impersonate:
        raise ClusterError(
            f"{hub.description}: the kubeconfig impersonates {hub.impersonate!r}, and not every cluster-proxy does so",
            hint="use a context without `as`",
        )
    server = f"{url}/{name}"
    credential = ClientCredential(authorization)
    return Login(server, shown_url(server), credential, proxy=hub.proxy, trust=trust, remedies=remedies)


def _paths(kubeconfig: Path | None) -> list[Path]:
    if kubeconfig is not None:
        if not exists(kubeconfig):
            raise UsageError(f"kubeconfig {kubeconfig} does not exist")
        return [kubeconfig]
    if named := os.environ.get("KUBECONFIG"):
        return [path for text in named.split(os.pathsep) if text and is_file(path := Path(text))]
    try:
        usual = Path.home() / ".kube" / "config"
    except RuntimeError:
        return []
    return [usual] if is_file(usual) else []


def _in_pod(account: Path) -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and is_file(account / "token")


def _pod_login(account: Path) -> Login:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT") or "443"
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    token = _read(account / "token", "the pod's account").decode(errors="replace").strip()
    if not token:
        raise ClusterError(f"the token of the pod's account in {account} is empty")
    return Login(server, server, ClientCredential(f"Bearer {token}"), authority=account / "ca.crt")


class _Kubeconfig:
    """One or more kubeconfig files, merged as kubectl does: the first file that names something wins."""

    def __init__(self, paths: list[Path]) -> None:
        self.named: dict[str, dict[str, tuple[Part, Path]]] = {"clusters": {}, "users": {}, "contexts": {}}
        self.current = ""
        for path in paths:
            self._add(path)

    def _add(self, path: Path) -> None:
        name = f"kubeconfig {path}"
        try:
            found = yaml.parse(as_utf8(_read(path, "kubeconfig")), str(path))
        except UnicodeDecodeError as error:
            raise ClusterError(f"{name} is damaged UTF-16 text") from error
        except yaml.DocumentError as error:
            raise ClusterError(
                f"{name} cannot be parsed: line {error.line}: {error.problem}",
                hint="correct that line, or log in again with oc login",
            ) from error
        body = Part(found[0].body if found else None, name)
        for section, known in self.named.items():
            for item in body[section].items():
                known.setdefault(item["name"].some_text(), (item[section[:-1]], path.absolute().parent))
        self.current = self.current or body["current-context"].text()

    def _pick(self, section: str, name: str) -> tuple[Part, Path]:
        found = self.named[section].get(name)
        if found is None:
            raise ClusterError(f"the kubeconfig has no {section[:-1]} named {name!r}")
        return found

    def login(self, context: str | None, timeout: float) -> Login:
        """Return the login of one context."""
        chosen = context or self.current
        if not chosen:
            raise UsageError("the kubeconfig names no current context", hint="give --context")
        if chosen not in self.named["contexts"]:
            known = ", ".join(sorted(self.named["contexts"])) or "none"
            raise UsageError(f"the kubeconfig has no context {chosen!r}", hint=f"it has: {known}")
        context_part, _ = self.named["contexts"][chosen]
        cluster, cluster_base = self._pick("clusters", context_part["cluster"].some_text())
        user_name = context_part["user"].text()
        user, user_base = self._pick("users", user_name) if user_name else (Part({}, "no user"), cluster_base)
        server = cluster["server"].some_text().rstrip("/")
        if not is_url(server):
            raise ClusterError("the kubeconfig's server is not an http or https address")
        place = urlsplit(server)
        credential = _credential(user, user_base, cluster, timeout)
        if place.scheme == "http" and credential and not is_loopback(place.hostname or ""):
            raise ClusterError(f"{server} is not https: no credential goes there", hint="use https in the kubeconfig")
        if place.scheme == "https" and not credential:
            raise ClusterError(
                f"user {user_name!r} of context {chosen!r} holds no credential",
                hint="log in first, for example with oc login",
            )
        return Login(
            server=server,
            description=shown_url(server),
            credential=credential,
            verify=not cluster["insecure-skip-tls-verify"].flag(),
            authority=_file_or_data(cluster, "certificate-authority", cluster_base),
            impersonate=_impersonate(user),
            server_name=cluster["tls-server-name"].text() or None,
            proxy=cluster["proxy-url"].text() or None,
        )


def _credential(user: Part, base: Path, cluster: Part, timeout: float) -> ClientCredential:
    """Return what authenticates a user; the plugin is run only for one who has nothing else."""
    authorization = None
    if token := _token(user, base):
        authorization = f"Bearer {token}"
    elif user["username"].text() and user["password"].text():
        pair = f"{user['username'].text()}:{user['password'].text()}".encode()
        authorization = f"Basic {base64.b64encode(pair).decode()}"
    certificate = _file_or_data(user, "client-certificate", base)
    found = ClientCredential(authorization, certificate, _file_or_data(user, "client-key", base))
    if not found and not user["exec"].missing:
        return _run_plugin(user["exec"], base, cluster, timeout)
    return found


def _token(user: Part, base: Path) -> str:
    if path := _file(user["tokenFile"], base):
        return _read(path, f"tokenFile of {user.name}").decode(errors="replace").strip()
    if text := user["token"].text():
        return text.strip()
    provider = user["auth-provider"]
    if provider.missing:
        return ""
    token = provider["config"]["id-token"].text()
    if not token:
        raise ClusterError(
            f"the kubeconfig's user logs in by auth-provider {provider['name'].text()!r}, which holds no token",
            hint="use an exec plugin: kubectl has dropped these providers too",
        )
    return token


def _impersonate(user: Part) -> str | None:
    if user["as-groups"].items() or user["as-uid"].text() or user["as-user-extra"].mapping():
        raise ClusterError(
            "the kubeconfig impersonates groups or extras, which is not supported", hint="use `as` alone"
        )
    return user["as"].text() or None


def _file(part: Part, base: Path) -> Path | None:
    text = part.text()
    if text:
        _read(base / text, part.where)  # kubectl names the file too; without it TLS would blame the server
    return base / text if text else None


def _file_or_data(part: Part, name: str, base: Path) -> Path | bytes | None:
    """Return what a pair like `client-key` and `client-key-data` names; the data wins, as with kubectl."""
    inline = part[f"{name}-data"]
    text = "".join(inline.text().split())
    try:
        return base64.b64decode(text, validate=True) or _file(part[name], base)
    except ValueError as error:  # of base64, and of letters that are no ASCII
        raise ClusterError(f"{inline.where} is not base64") from error


def _read(path: Path, what: str) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise ClusterError(f"{what}: {path} cannot be read: {error.strerror}") from error


def _run_plugin(plugin: Part, base: Path, cluster: Part, timeout: float) -> ClientCredential:
    """Run an exec credential plugin (client.authentication.k8s.io) without a terminal and with a deadline."""
    import shutil

    command, version = plugin["command"].some_text(), plugin["apiVersion"].some_text()
    shown = f"the login plugin {command!r} of the kubeconfig"
    program = str(base / command) if os.sep in command else shutil.which(command)
    if program is None or not is_file(Path(program)):
        hint = plugin["installHint"].text().strip()[:300] or "install it, or use another context"
        raise ClusterError(f"{shown} is not installed", hint=hint)
    if plugin["interactiveMode"].text() == "Always":
        raise ClusterError(f"{shown} always asks for input", hint="log in first, or use a service account")
    spec: dict[str, Any] = {"interactive": False}
    if plugin["provideClusterInfo"].flag():
        spec["cluster"] = cluster.mapping()
    info = json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})
    environment = {
        **os.environ,
        **{item["name"].some_text(): item["value"].text() for item in plugin["env"].items()},
        "KUBERNETES_EXEC_INFO": info,
    }
    output = _output([program, *(item.text() for item in plugin["args"].items())], environment, shown, timeout)
    try:
        body = Part(json.loads(output), shown)
    except (ValueError, RecursionError) as error:
        raise ClusterError(f"{shown} printed no ExecCredential") from error
    status = body["status"]
    if token := status["token"].text():
        return ClientCredential(f"Bearer {token}")
    certificate, key = status["clientCertificateData"].text(), status["clientKeyData"].text()
    if certificate and key:
        return ClientCredential(certificate=certificate.encode(), key=key.encode())
    raise ClusterError(f"{shown} gave neither a token nor a certificate", hint="log in again")


def _output(arguments: list[str], environment: Mapping[str, str], shown: str, timeout: float) -> bytes:
    """Return what the plugin prints; it and its children are ended when the time is up."""
    import signal
    import subprocess

    try:
        process = subprocess.Popen(  # noqa: S603 - what the user's own kubeconfig names, as kubectl runs it
            arguments,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise ClusterError(f"{shown} cannot be run: {error.strerror}") from error
    with process:
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise ClusterError(f"{shown} did not answer within {timeout:g} s", hint="log in first") from error
    if process.returncode:
        raise ClusterError(f"{shown} failed with exit code {process.returncode}", hint=f"run {arguments[0]} by hand")
    return output
