"""A TLS server on loopback that answers like a cloud's REST API, counts its calls, and fails as told."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.worlds.certificates import Certificates

TOKEN = "token-of-the-test"


@dataclass(frozen=True)
class Answer:
    """One answer; `cut` sends only half of the body, `slow` waits before it."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    slow: float = 0.0
    raw: bytes | None = None

    @property
    def data(self) -> bytes:
        """The bytes of the body."""
        return self.raw if self.raw is not None else json.dumps(self.body).encode()


@dataclass
class CloudApi:
    """What the server answers: per `METHOD path` a list of answers, the last of which repeats.

    `OPEN METHOD path` is answered without a token: where tokens come from.
    """

    answers: dict[str, list[Answer]]
    url: str = ""
    calls: list[tuple[str, str, dict[str, str], str]] = field(default_factory=list)
    """Method, path, query and body of each call."""
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each call, by their lower-case names."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def methods(self) -> set[str]:
        """Every `METHOD verb` that was called; the verb is what stands after a colon."""
        return {f"{method} {path.partition(':')[2]}".rstrip() for method, path, _, _ in self.calls}

    def count(self, path: str) -> int:
        """Return how often a path was called."""
        return sum(1 for _, called, _, _ in self.calls if called == path)

    def answer(self, method: str, path: str, query: dict[str, str], body: str) -> Answer:
        """Return the next answer to a call."""
        with self.lock:
            self.calls.append((method, path, query, body))
            for key in (
                f"{method} {path}?{query.get('pageToken', '') or query.get('$skiptoken', '')}",
                f"{method} {path}",
            ):
                if key in self.answers:
                    left = self.answers[key]
                    return left.pop(0) if len(left) > 1 else left[0]
        return Answer({"error": {"code": 404, "message": f"no {path}"}}, 404)


@contextlib.contextmanager
def serve(certificates: Certificates, answers: dict[str, list[Answer]]) -> Iterator[CloudApi]:
    """Serve answers over TLS; `{url}` in a string of a body becomes the server's address."""
    api = CloudApi(answers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    api.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(api: CloudApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._respond("GET")

        def do_POST(self) -> None:
            self._respond("POST")

        def _respond(self, method: str) -> None:
            split = urlsplit(self.path)
            api.headers.append({name.lower(): value for name, value in self.headers.items()})
            query = {k: v[0] for k, v in parse_qs(split.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            open_path = f"OPEN {method} {split.path}"
            if open_path in api.answers:
                answer = api.answer(f"OPEN {method}", split.path, query, body)
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                answer = Answer({"error": {"code": 401, "message": "no token"}}, 401)
            else:
                answer = api.answer(method, split.path, query, body)
            if answer.slow:
                time.sleep(answer.slow)
            data = answer.data.replace(b"{url}", api.url.encode())
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(data[: len(data) // 2] if answer.cut else data)
            if answer.cut:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
