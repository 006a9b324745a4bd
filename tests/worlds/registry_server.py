"""Debian's docker-registry on loopback, the servers around it, and a client that pushes."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.worlds import certificates as certificate_files
from tests.worlds.components import require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.worlds.certificates import Certificates
    from tests.worlds.release_image import Image

START_SECONDS = 20.0


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Registry:
    """A running docker-registry."""

    host: str
    """`127.0.0.1:PORT`."""
    root: Path
    """Its storage; tests tamper with it."""
    tls: bool = False

    def push(self, image: Image, repository: str, tag: str, headers: dict[str, str] | None = None) -> str:
        """Push an image with all that it refers to, and return `host/repository@digest`."""
        for child in image.children:
            self._push_one(child, repository, child.digest, headers or {})
        self._push_one(image, repository, tag, headers or {})
        return f"{self.host}/{repository}@{image.digest}"

    def blob_file(self, digest: str) -> Path:
        """Return the file that holds a blob."""
        name = digest.removeprefix("sha256:")
        return self.root / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"

    def _push_one(self, image: Image, repository: str, reference: str, headers: dict[str, str]) -> None:
        for digest, data in image.blobs.items():
            start = self._call("POST", f"/v2/{repository}/blobs/uploads/", b"", headers)
            place = start.headers["Location"]
            path = place[place.index("/v2/") :]
            joint = "&" if "?" in path else "?"
            kind = {"Content-Type": "application/octet-stream"}
            self._call("PUT", f"{path}{joint}digest={digest}", data, headers | kind)
        kind = {"Content-Type": image.media_type}
        self._call("PUT", f"/v2/{repository}/manifests/{reference}", image.manifest, headers | kind)

    def _call(self, method: str, path: str, data: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        context = ssl._create_unverified_context() if self.tls else None
        url = f"{'https' if self.tls else 'http'}://{self.host}{path}"
        request = urllib.request.Request(url, data=data, method=method, headers=headers)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request, timeout=60) as response:
            response.read()
            assert isinstance(response, http.client.HTTPResponse)
            return response


@contextlib.contextmanager
def registry(
    folder: Path,
    *,
    certificates: Certificates | None = None,
    htpasswd: Path | None = None,
    token: dict[str, str] | None = None,
    upstream: str | None = None,
) -> Iterator[Registry]:
    """Run a registry: plain or TLS, open, with basic auth, with a token server, or pulling through another."""
    program = require("docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "storage"
    root.mkdir(exist_ok=True)
    host = f"127.0.0.1:{free_port()}"
    configuration: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(root)}, "delete": {"enabled": True}},
        "http": {"addr": host},
    }
    if certificates is not None:
        tls = {"certificate": str(certificates.certificate), "key": str(certificates.key)}
        configuration["http"]["tls"] = tls
    if htpasswd is not None:
        configuration["auth"] = {"htpasswd": {"realm": "test", "path": str(htpasswd)}}
    if token is not None:
        configuration["auth"] = {"token": token}
    if upstream is not None:
        configuration["proxy"] = {"remoteurl": upstream}
    file = folder / "registry.yml"
    file.write_text(json.dumps(configuration))
    with running([str(program), "serve", str(file)], host, folder / "registry.log"):
        yield Registry(host, root, tls=certificates is not None)


@contextlib.contextmanager
def running(command: list[str], host: str, log: Path) -> Iterator[None]:
    """Run a server until the block ends; it is up when its port takes connections."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        name, _, port = host.partition(":")
        for _ in range(int(START_SECONDS * 100)):
            assert process.poll() is None, f"{command[0]} ended: {log.read_text()}"
            with contextlib.suppress(OSError), socket.create_connection((name, int(port)), 1):
                break
            time.sleep(0.01)
        else:
            raise AssertionError(f"{command[0]} does not listen on {host}: {log.read_text()}")
        yield
    finally:
        process.terminate()
        process.wait(20)


def write_htpasswd(path: Path, user: str, password: str) -> Path:
    """Write a bcrypt password file, as the registry wants it."""
    line = subprocess.run(
        [require("htpasswd"), "-Bbn", user, password], capture_output=True, check=True, timeout=60
    ).stdout
    path.write_bytes(line)
    return path


@contextlib.contextmanager
def nginx(folder: Path, servers: str, host: str) -> Iterator[None]:
    """Run nginx with these `server` blocks, without touching anything outside the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = "\n".join(
        f"  {kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"user root;\nworker_processes 1;\ndaemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n"
        f"events {{ worker_connections 64; }}\nhttp {{\n  access_log off;\n{temporary}\n{servers}\n}}\n"
    )
    command = [str(require("nginx")), "-p", str(folder), "-c", str(configuration), "-e", str(folder / "error.log")]
    with running(command, host, folder / "nginx.log"):
        yield


class Handler(BaseHTTPRequestHandler):
    """A quiet handler that keeps connections."""

    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: stderr is under test."""

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name in headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """An HTTP server whose handler may look at `state`; errors of broken connections are expected."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    state: Any = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the faults are made on purpose."""


@contextlib.contextmanager
def serve(
    handler: type[BaseHTTPRequestHandler], state: Any = None, certificates: Certificates | None = None
) -> Iterator[str]:
    """Run a server of the standard library and give its `127.0.0.1:PORT`."""
    server = Server(("127.0.0.1", 0), handler)
    server.state = state
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass
class Tokens:
    """A token server: who may pull, how long its tokens live, and what it was asked."""

    certificate: Path
    key: Path
    users: dict[str, str] = field(default_factory=dict)
    """User to password; empty: anyone may pull."""
    refresh_tokens: set[str] = field(default_factory=set)
    expires_in: int = 60
    life: int | None = None
    """Seconds that a token really lives, where that differs from what is announced."""
    key_name: str = "token"
    asked: list[dict[str, str]] = field(default_factory=list)
    refuse_push: bool = False

    def issue(self, scopes: list[str], service: str) -> dict[str, Any]:
        """Return the answer with a token for these scopes."""
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        life = self.expires_in if self.life is None else self.life
        claims = {
            "iss": "issuer",
            "aud": service,
            "sub": "",
            "exp": now + life,
            "nbf": now - 60,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "access": access,
        }
        header = {
            "typ": "JWT",
            "alg": "RS256",
            "x5c": [base64.b64encode(certificate_files.der(self.certificate)).decode()],
        }
        head = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
        token = f"{head}.{_b64(certificate_files.sign(self.key, head.encode()))}"
        return {self.key_name: token, "expires_in": self.expires_in}


class TokenHandler(Handler):
    """GET with optional basic auth, POST with a refresh token (distribution `token.md`, `oauth.md`)."""

    def do_GET(self) -> None:
        """Answer a token request."""
        tokens: Tokens = self.server.state  # type: ignore[attr-defined]
        query = parse_qs(urlsplit(self.path).query)
        authorization = self.headers.get("Authorization", "")
        user, _, password = base64.b64decode(authorization.removeprefix("Basic ") or b"").decode().partition(":")
        tokens.asked.append({"method": "GET", "user": user, "scope": " ".join(query.get("scope", []))})
        if (tokens.users or tokens.refresh_tokens or user) and tokens.users.get(user) != password:
            self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}')
            return
        self.answer(200, json.dumps(tokens.issue(query.get("scope", []), query["service"][0])).encode())

    def do_POST(self) -> None:
        """Answer a token request by form."""
        tokens: Tokens = self.server.state  # type: ignore[attr-defined]
        form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())
        tokens.asked.append({"method": "POST", "user": "", "scope": " ".join(form.get("scope", []))})
        if (
            form.get("grant_type") != ["refresh_token"]
            or form.get("refresh_token", [""])[0] not in tokens.refresh_tokens
        ):
            self.answer(401)
            return
        self.answer(200, json.dumps(tokens.issue(form["scope"][0].split(), form["service"][0])).encode())


def token_settings(realm: str, tokens: Tokens) -> dict[str, str]:
    """Return the registry's `auth.token` section for a token server."""
    return {"realm": realm, "service": "test", "issuer": "issuer", "rootcertbundle": str(tokens.certificate)}


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Meter:
    """A relay before a server that counts what the server sends back."""

    def __init__(self, target: str) -> None:
        name, _, port = target.partition(":")
        self._target = (name, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.received = 0
        """Bytes from the server to its clients, headers included."""
        self.sent = 0
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(10)
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for each in (self._listener, *self._sockets):
            each.close()

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def reset(self) -> None:
        """Count from zero."""
        with self._lock:
            self.received = self.sent = 0

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                server = socket.create_connection(self._target, 10)
                self._sockets.append(server)
                server.settimeout(None)
                self._start(self._pump, client, server, "sent")
                self._start(self._pump, server, client, "received")

    def _pump(self, source: socket.socket, sink: socket.socket, counter: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2**18):
                with self._lock:
                    setattr(self, counter, getattr(self, counter) + len(data))
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
