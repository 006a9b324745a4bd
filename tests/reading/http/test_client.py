"""One exchange: hosts that may be insecure, redirects, proxies, and what is never told."""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds import certificates as certificate_files
from tests.worlds.registry_server import Handler, serve
from upgrade_gate.base.errors import SourceError
from upgrade_gate.reading.http.client import Transport
from upgrade_gate.reading.http.options import HttpOptions
from upgrade_gate.reading.http.response import Response
from upgrade_gate.reading.http.urls import host_of, shown_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.worlds.certificates import Certificates

SECRET = "hunter2"


class Recorder(Handler):
    """Answers as `state["answers"]` says for a path, and keeps what it was asked."""

    def do_GET(self) -> None:  # noqa: N802
        """Answer one request."""
        state: dict[str, Any] = self.server.state  # type: ignore[attr-defined]
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state.setdefault("asked", []).append((self.command, path, self.headers.get("Authorization"), body))
        status, headers, answer = state.get("answers", {}).get(path, (200, {}, b"content"))
        self.answer(status, answer, dict(headers))

    do_HEAD = do_POST = do_GET  # noqa: N815


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the surroundings' proxies out."""
    for name in ("https_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority of our own."""
    return certificate_files.make(tmp_path_factory.mktemp("certificates"))


def send(url: str, *insecure: str, method: str = "GET", options: HttpOptions | None = None, **more: Any) -> Response:
    with Transport(options or HttpOptions(insecure=insecure, timeout=10)) as transport:
        response = transport.send(method, url, "the thing", **more)
        response.read()
        return response


def asked(state: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(path, authorization) for _, path, authorization, _ in state.get("asked", [])]


def test_body_is_hashed_and_counted() -> None:
    with serve(Recorder, {}) as host:
        response = send(f"https://{host}/x", host)

    assert response.size == 7
    assert response.digest == "sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
    assert not response.redirected


@pytest.mark.parametrize(
    ("given", "host", "expected"),
    [
        ("registry.corp", "registry.corp", True),
        ("registry.corp", "registry.corp:5000", True),
        ("registry.corp:5000", "registry.corp:5000", True),
        ("registry.corp:5000", "registry.corp", False),
        ("registry.corp:5000", "registry.corp:5001", False),
        ("Registry.Corp", "registry.corp", True),
        ("registry.corp", "other.registry.corp", False),
        ("registry.corp", "registry.corp.evil", False),
        ("127.0.0.1", "127.0.0.1:5000", True),
        ("[::1]", "[::1]:5000", True),
        ("[::1]:5000", "[::1]:5000", True),
        ("[::1]", "[::2]:5000", False),
    ],
)
def test_insecure_names_one_host(given: str, host: str, expected: bool) -> None:
    assert Transport(HttpOptions(insecure=(given,))).is_insecure(host) is expected


def test_plain_http_needs_insecure_or_a_url_that_says_so() -> None:
    state: dict[str, Any] = {}
    with serve(Recorder, state) as host:
        with pytest.raises(SourceError, match="over plain http") as caught:
            send(f"http://{host}/x")
        assert f"--insecure {host}" in str(caught.value)
        assert asked(state) == []

        assert send(f"http://{host}/x", host).status == 200
        assert send(f"http://{host}/x", plain=True).status == 200
        assert send(f"https://{host}/x", host).status == 200


def test_url_that_may_be_plain_may_not_redirect_to_plain_http() -> None:
    state: dict[str, Any] = {}
    with serve(Recorder, state) as there:
        first = {"answers": {"/x": (302, {"Location": f"http://{there}/y"}, b"")}}
        with serve(Recorder, first) as host, pytest.raises(SourceError, match=f"{there} would be reached"):
            send(f"http://{host}/x", plain=True)
    assert asked(state) == []


def test_authorization_stays_with_its_host_and_never_comes_back() -> None:
    there: dict[str, Any] = {"answers": {}}
    here: dict[str, Any] = {"answers": {}}
    with serve(Recorder, here) as first, serve(Recorder, there) as second:
        here["answers"]["/start"] = (302, {"Location": "/same-host"}, b"")
        here["answers"]["/same-host"] = (307, {"Location": f"https://{second}/away?signature={SECRET}"}, b"")
        there["answers"]["/away"] = (302, {"Location": f"https://{first}/back"}, b"")

        response = send(f"https://{first}/start", first, second, headers={"Authorization": "Basic x"})

    assert asked(here) == [("/start", "Basic x"), ("/same-host", "Basic x"), ("/back", None)]
    assert asked(there) == [("/away", None)]
    assert response.redirected


def test_another_port_is_another_host() -> None:
    there: dict[str, Any] = {}
    with serve(Recorder, there) as second:
        here = {"answers": {"/x": (307, {"Location": f"https://{second}/y"}, b"")}}
        with serve(Recorder, here) as first:
            send(f"https://{first}/x", "127.0.0.1", headers={"Authorization": "Basic x"})

    assert asked(there) == [("/y", None)]


def test_form_is_posted_and_never_follows_a_redirect() -> None:
    there: dict[str, Any] = {}
    with serve(Recorder, there) as second:
        here: dict[str, Any] = {"answers": {"/token": (307, {"Location": f"https://{second}/token"}, b"")}}
        with serve(Recorder, here) as first:
            response = send(f"https://{first}/token", first, second, method="POST", form={"refresh_token": SECRET})

    assert response.status == 307
    assert here["asked"][0][3] == f"refresh_token={SECRET}".encode()
    assert asked(there) == []


def test_head_has_no_body() -> None:
    with serve(Recorder, {}) as host:
        response = send(f"https://{host}/x", host, method="HEAD")

    assert (response.status, response.size) == (200, 0)


def test_large_body_goes_through_a_temporary_file() -> None:
    content = b"0123456789abcdef" * 2**19
    state: dict[str, Any] = {"answers": {"/x": (200, {}, content)}}
    with serve(Recorder, state) as host, Transport(HttpOptions(insecure=(host,), timeout=60)) as transport:
        response = transport.send("GET", f"https://{host}/x", "the thing", limit=len(content))

        assert response.read() == content


def test_error_page_is_cut() -> None:
    with serve(Recorder, {"answers": {"/x": (404, {}, b"x" * 2**20)}}) as host:
        response = send(f"https://{host}/x", host, limit=10)

    assert response.status == 404
    assert response.size < 2**18


def test_body_of_a_redirect_is_not_read_whole() -> None:
    class Flood(Handler):
        def do_GET(self) -> None:  # noqa: N802
            if self.path == "/end":
                self.answer(200, b"content")
                return
            self.close_connection = True
            self.send_response(302)
            self.send_header("Location", "/end")
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(bytes(2**20))

    with serve(Flood) as host:
        assert send(f"https://{host}/x", host).size == 7


def test_cookies_are_not_kept() -> None:
    class Cookies(Handler):
        seen: list[str | None] = []  # noqa: RUF012

        def do_GET(self) -> None:  # noqa: N802
            self.seen.append(self.headers.get("Cookie"))
            self.answer(200, b"", {"Set-Cookie": "session=1; Path=/"})

    with serve(Cookies) as host, Transport(HttpOptions(insecure=(host,), timeout=10)) as transport:
        for _ in range(2):
            transport.send("GET", f"https://{host}/x", "the thing").read()

    assert Cookies.seen == [None, None]


class ConnectProxy(Handler):
    """A proxy that opens every tunnel to one target and keeps who asked for what."""

    def do_CONNECT(self) -> None:  # noqa: N802
        """Open a tunnel."""
        state: dict[str, Any] = self.server.state  # type: ignore[attr-defined]
        state["asked"].append((self.path, self.headers.get("Proxy-Authorization"), self.headers.get("Authorization")))
        name, _, port = state["target"].partition(":")
        self.close_connection = True
        with socket.create_connection((name, int(port)), 10) as server:
            self.send_response(200)
            self.end_headers()
            upward = threading.Thread(target=self._pump, args=(self.connection, server), daemon=True)
            upward.start()
            self._pump(server, self.connection)
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            upward.join(10)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(2**16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxied(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A TLS server that is reached as registry.example.test through a proxy with a password."""
    with serve(Recorder, {}, certificates) as target:
        state: dict[str, Any] = {"target": target, "asked": []}
        with serve(ConnectProxy, state) as proxy:
            state["proxy"] = proxy
            monkeypatch.setenv("HTTPS_PROXY", f"http://alice:{SECRET}@{proxy}")
            yield state


def test_proxy_gets_its_password_and_no_one_else_does(
    proxied: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="upgrade_gate")

    response = send(
        "https://registry.example.test/v2/", "registry.example.test", headers={"Authorization": "Basic registry"}
    )

    assert response.status == 200
    expected = "Basic " + base64.b64encode(f"alice:{SECRET}".encode()).decode()
    assert proxied["asked"] == [("registry.example.test:443", expected, None)]
    assert f"host registry.example.test: proxy http://{proxied['proxy']}, " in caplog.text
    assert SECRET not in caplog.text


def test_no_proxy_with_a_cidr_goes_past_the_proxy(proxied: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "192.0.2.0/24,.corp")

    with pytest.raises(SourceError, match=r"192\.0\.2\.1"):
        send("https://192.0.2.1/v2/", options=HttpOptions(timeout=0.3))
    send("https://192.1.2.1/v2/", "192.1.2.1")

    assert [path for path, *_ in proxied["asked"]] == ["192.1.2.1:443"]


def test_certificate_is_checked_behind_the_proxy(proxied: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match="is not trusted") as caught:
        send("https://registry.example.test/v2/")

    assert SECRET not in str(caught.value)


def test_name_that_does_not_resolve() -> None:
    with pytest.raises(SourceError, match=r"name of registry\.invalid cannot be resolved|registry\.invalid had not"):
        send("https://registry.invalid/v2/")


def test_abandoned_download_ends_by_itself() -> None:
    gone = threading.Event()

    class Dripping(Handler):
        def do_GET(self) -> None:  # noqa: N802
            self.close_connection = True
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.02)
            except OSError:
                gone.set()

    with serve(Dripping) as host:
        with pytest.raises(SourceError, match="did not answer completely within"):
            send(f"https://{host}/x", host, options=HttpOptions(insecure=(host,), timeout=0.5))
        assert gone.wait(30)


def test_cause_that_is_kept_holds_no_url() -> None:
    with serve(Recorder, {}) as host, pytest.raises(SourceError) as caught:
        send(f"https://{host}/x?token={SECRET}")

    chain: list[BaseException] = []
    cause: BaseException | None = caught.value
    while cause is not None:
        chain.append(cause)
        cause = cause.__cause__
    assert not any(SECRET in str(each) for each in chain)


BAD_URLS = [
    "https://host:99999/x",
    "https://[::1/x",
    f"https://user:{SECRET}@ho st/x",
    "ftp://host/x",
    "https:///x",
    "",
]


@pytest.mark.parametrize("location", [url for url in BAD_URLS if url])
def test_redirect_to_what_is_no_url_is_an_error(location: str) -> None:
    state = {"answers": {"/x": (302, {"Location": location}, b"")}}
    with serve(Recorder, state) as host, pytest.raises(SourceError, match="the thing") as caught:
        send(f"https://{host}/x", host)

    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", BAD_URLS)
def test_what_is_no_url_is_an_error_and_no_crash(url: str) -> None:
    with pytest.raises(SourceError) as caught:
        send(url)

    assert SECRET not in str(caught.value)


def test_urls_are_shown_without_their_secrets() -> None:
    url = f"https://alice:{SECRET}@registry.corp:5000/v2/x?token={SECRET}#{SECRET}"

    assert shown_url(url) == "https://registry.corp:5000/v2/x"
    assert host_of(url) == "registry.corp:5000"
