"""Registries that misbehave: each fault with its exit code and message, or the run recovers."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
import sys
import tarfile
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds import release_image
from tests.worlds.faulty_registry import REPOSITORY, TAG, FaultHandler, State, faulty_registry
from tests.worlds.registry_server import free_port
from tests.worlds.release_image import build, digest_of, release_files, tar_of
from upgrade_gate.base.errors import ExitCode, SourceError, UpgradeGateError, UsageError
from upgrade_gate.payloads.reference import Reference, ReleaseFiles, Settings
from upgrade_gate.payloads.sources import registry
from upgrade_gate.reading.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.worlds.certificates import Certificates

Fault = "Callable[[FaultHandler, int], bool]"
IMAGE = build("4.15.3")
LAYER = IMAGE.last_layer


def fetch(host: str, version: str = f":{TAG}", **settings: Any) -> ReleaseFiles:
    options: dict[str, Any] = {"insecure": (host,), "timeout": 20.0, **settings}
    text = f"{host}/{REPOSITORY}{version}"
    return registry.fetch(Reference(text, "registry", text), Settings(**options))


def flipped_byte(handler: FaultHandler, _: int) -> bool:
    if handler.is_blob:
        handler.answer(200, bytes([handler.blob[0] ^ 1]) + handler.blob[1:])
    return handler.is_blob


def truncated(handler: FaultHandler, _: int) -> bool:
    if handler.is_blob:
        handler.start(200, {"Content-Length": str(len(handler.blob))})
        handler.wfile.write(handler.blob[:-10])
        handler.close_connection = True
    return handler.is_blob


def shorter(handler: FaultHandler, _: int) -> bool:
    if handler.is_blob:
        handler.answer(200, handler.blob[:-10])
    return handler.is_blob


def longer(handler: FaultHandler, _: int) -> bool:
    if handler.is_blob:
        handler.answer(200, handler.blob + b"more")
    return handler.is_blob


def longer_without_length(handler: FaultHandler, _: int) -> bool:
    if handler.is_blob:
        handler.start(200, {"Connection": "close"})
        handler.wfile.write(handler.blob + b"more")
        handler.close_connection = True
    return handler.is_blob


def missing_blob(handler: FaultHandler, _: int) -> bool:
    if handler.is_blob:
        handler.answer(404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}')
    return handler.is_blob


def wrong_content_digest(handler: FaultHandler, _: int) -> bool:
    if handler.is_manifest:
        image = handler.state.image
        headers = {"Content-Type": image.media_type, "Docker-Content-Digest": digest_of(b"other")}
        handler.answer(200, image.manifest, headers)
    return handler.is_manifest


def other_manifest(handler: FaultHandler, _: int) -> bool:
    if handler.is_manifest:
        handler.answer(200, handler.state.image.manifest + b" ", {"Content-Type": handler.state.image.media_type})
    return handler.is_manifest


def endless_manifest(handler: FaultHandler, _: int) -> bool:
    if handler.is_manifest:
        handler.start(200, {"Connection": "close"})
        handler.close_connection = True
        while True:
            handler.wfile.write(b" " * 2**20)
    return handler.is_manifest


def forbidden(handler: FaultHandler, _: int) -> bool:
    handler.answer(403, b'{"errors":[{"code":"DENIED","message":"requested access is denied"}]}')
    return True


def unauthorized_for_ever(handler: FaultHandler, _: int) -> bool:
    handler.answer(401, headers={"WWW-Authenticate": 'Basic realm="r"'})
    return True


def failing(status: int, times: int, **headers: str) -> Callable[[FaultHandler, int], bool]:
    def fault(handler: FaultHandler, number: int) -> bool:
        if number <= times:
            handler.answer(status, b"<html>oops</html>", {k.replace("_", "-"): v for k, v in headers.items()})
        return number <= times

    return fault


def reset(times: int) -> Callable[[FaultHandler, int], bool]:
    def fault(handler: FaultHandler, number: int) -> bool:
        if number <= times:
            handler.reset()
        return number <= times

    return fault


def reset_in_the_blob(handler: FaultHandler, _: int) -> bool:
    if handler.is_blob and len(handler.state.of("/blobs/")) == 1:
        handler.start(200, {"Content-Length": str(len(handler.blob))})
        handler.wfile.write(handler.blob[:100])
        handler.wfile.flush()
        handler.reset()
        return True
    return False


def dripping_body(handler: FaultHandler, _: int) -> bool:
    if handler.is_blob:
        handler.start(200, {"Content-Length": str(len(handler.blob))})
        handler.drip(handler.blob, 0.1)
    return handler.is_blob


def dripping_headers(handler: FaultHandler, _: int) -> bool:
    handler.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100, 0.1)
    return True


def redirect_loop(handler: FaultHandler, number: int) -> bool:
    handler.answer(307, headers={"Location": f"{handler.path.partition('?')[0]}?signature=hunter2&n={number}"})
    return True


def redirect_to_nowhere(handler: FaultHandler, _: int) -> bool:
    handler.answer(302, headers={"Location": "file:///etc/passwd"})
    return True


def redirect_to_plain_http(handler: FaultHandler, _: int) -> bool:
    handler.answer(302, headers={"Location": "http://192.0.2.1/blob?signature=hunter2"})
    return True


def not_http(handler: FaultHandler, _: int) -> bool:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    handler.close_connection = True
    return True


def token_server_without_address(handler: FaultHandler, _: int) -> bool:
    handler.answer(401, headers={"WWW-Authenticate": 'Bearer realm="nowhere",service="s"'})
    return True


RECOVERS = [
    ("429 with Retry-After in seconds", failing(429, 1, Retry_After="1"), 3),
    ("429 with Retry-After as a date that has passed", failing(429, 1, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), 3),
    ("429 without Retry-After", failing(429, 1), 3),
    ("500 twice", failing(500, 2), 4),
    ("503 once", failing(503, 1), 3),
    ("connection reset", reset(1), 3),
    ("connection reset in mid-blob", reset_in_the_blob, 3),
]

FAILS: list[tuple[str, Any, dict[str, Any], type[UpgradeGateError], str]] = [
    ("flipped byte", flipped_byte, {}, SourceError, f"blob {LAYER} of .*: .* sent another digest"),
    ("truncated blob", truncated, {}, SourceError, rf"blob {LAYER} of .* broke off after \d+ bytes \(4 attempts\)"),
    ("blob shorter than the manifest says", shorter, {}, SourceError, r"sent \d+ bytes, the manifest says \d+"),
    ("blob longer than the manifest says", longer, {}, SourceError, r"announces \d+ bytes, more than the \d+ allowed"),
    ("blob that goes on", longer_without_length, {}, SourceError, r"sends more than the \d+ bytes allowed"),
    ("missing blob", missing_blob, {}, SourceError, r"answered 404 \(BLOB_UNKNOWN: blob unknown to registry\)"),
    (
        "wrong Docker-Content-Digest",
        wrong_content_digest,
        {},
        SourceError,
        "says its digest is sha256:.*, its content",
    ),
    ("manifest that never ends", endless_manifest, {}, SourceError, "sends more than the 4194304 bytes"),
    ("403", forbidden, {}, SourceError, r"refuses access \(403\) \(DENIED: requested access is denied\)"),
    ("401 without credentials", unauthorized_for_ever, {}, SourceError, r"wants a login \(401\)"),
    ("500 for ever", failing(500, 99), {}, SourceError, r"answered 500 4 times"),
    ("418", failing(418, 99), {}, SourceError, "answered 418"),
    ("429 for longer than the deadline", failing(429, 99, Retry_After="3600"), {}, SourceError, "asks to wait 3600 s"),
    ("connection reset for ever", reset(99), {}, SourceError, r"connection reset \(4 attempts\)"),
    ("a byte at a time", dripping_body, {"timeout": 1.5}, SourceError, r"completely within 1\.5 s"),
    (
        "headers a byte at a time",
        dripping_headers,
        {"timeout": 1.5},
        SourceError,
        r"completely within 1\.5 s",
    ),
    ("redirect loop", redirect_loop, {}, SourceError, "redirects in a loop"),
    ("redirect to a file", redirect_to_nowhere, {}, SourceError, "redirects to something that is not an http address"),
    (
        "redirect to plain http",
        redirect_to_plain_http,
        {},
        SourceError,
        r"192\.0\.2\.1 would be reached over plain http",
    ),
    ("no HTTP at all", not_http, {}, SourceError, "no connection to"),
    ("token server without address", token_server_without_address, {}, SourceError, "address is not a URL"),
]


@pytest.mark.parametrize(("fault", "requests"), [pytest.param(f, n, id=name) for name, f, n in RECOVERS])
def test_run_recovers(fault: Any, requests: int) -> None:
    with faulty_registry(IMAGE, fault) as (host, state):
        release = fetch(host)

    assert dict(release.files) == release_files("4.15.3")
    assert len(state.requests) == requests


@pytest.mark.parametrize(
    ("fault", "settings", "error", "says"), [pytest.param(*rest, id=name) for name, *rest in FAILS]
)
def test_run_ends_with_a_message(fault: Any, settings: Any, error: Any, says: str) -> None:
    with faulty_registry(IMAGE, fault) as (host, _), pytest.raises(error, match=says) as caught:
        fetch(host, **settings)

    assert caught.value.exit_code == ExitCode.UNDETERMINED
    assert f"{host}/{REPOSITORY}" in caught.value.message
    assert "hunter2" not in str(caught.value)


def test_manifest_with_another_digest_than_asked_for() -> None:
    says = f"{IMAGE.digest}: its content has the digest sha256:"

    with faulty_registry(IMAGE, other_manifest) as (host, _), pytest.raises(SourceError, match=says):
        fetch(host, f"@{IMAGE.digest}")


def test_tag_that_does_not_exist_is_a_usage_error() -> None:
    with faulty_registry(IMAGE) as (host, _), pytest.raises(UsageError, match=r":4\.99\.9 does not exist") as caught:
        fetch(host, ":4.99.9")

    assert caught.value.exit_code == ExitCode.USAGE


def test_digest_that_is_not_there_is_no_usage_error() -> None:
    with faulty_registry(IMAGE) as (host, _), pytest.raises(SourceError, match="does not exist on"):
        fetch(host, f"@{digest_of(b'other')}")


def test_nothing_listens() -> None:
    host = f"127.0.0.1:{free_port()}"

    with pytest.raises(SourceError, match=r"connection refused \(4 attempts\)") as caught:
        fetch(host, insecure=())

    assert caught.value.exit_code == ExitCode.UNDETERMINED


def test_self_signed_certificate(certificates: Certificates) -> None:
    from dataclasses import replace

    own = replace(certificates, certificate=certificates.self_signed, key=certificates.self_signed_key)
    with faulty_registry(IMAGE, certificates=own) as (host, state):
        with pytest.raises(SourceError, match=r"certificate of .* is not trusted: self.signed") as caught:
            fetch(host, insecure=())

        assert "--certificate-authority" in str(caught.value)
        assert state.requests == []
        assert fetch(host, insecure=(), certificate_authority=certificates.self_signed).digest == IMAGE.digest


def test_plain_http_where_it_was_not_allowed() -> None:
    with faulty_registry(IMAGE) as (host, state), pytest.raises(SourceError, match="does not answer in TLS") as caught:
        fetch(host, insecure=("127.0.0.1:1",))

    assert f"--insecure {host}" in str(caught.value)
    assert state.requests == []


class SilentProxy:
    """Takes connections and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                self._held.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()
        for each in self._held:
            each.close()


def test_proxy_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = SilentProxy()
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@{proxy.host}")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    try:
        with pytest.raises(SourceError, match=r"registry\.example\.test") as caught:
            fetch("registry.example.test", insecure=(), timeout=1.5)
    finally:
        proxy.close()

    assert caught.value.exit_code == ExitCode.UNDETERMINED
    assert "hunter2" not in str(caught.value)


def test_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handler: FaultHandler, _: int) -> bool:
        handler.answer(407)
        return True

    class Proxy(FaultHandler):
        do_CONNECT = FaultHandler.do_GET  # noqa: N815

    from tests.worlds.registry_server import serve

    with serve(Proxy, State(IMAGE, refuse)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@{proxy}")
        monkeypatch.delenv("https_proxy", raising=False)
        with pytest.raises(SourceError, match=rf"through proxy http://{proxy} cannot be reached: .*407") as caught:
            fetch("registry.example.test", insecure=(), timeout=10)

    assert "hunter2" not in str(caught.value)


def test_gzip_bomb_is_refused() -> None:
    bomb = gzip.compress(tar_of({**release_files("4.15.3"), "zeros.yaml": bytes(40 * 2**20)}), mtime=0)
    image = build("4.15.3", layer=(bomb, release_image.DOCKER_LAYER))

    with faulty_registry(image) as (host, _), pytest.raises(SourceError) as caught:
        fetch(host, limits=Limits(unpacked=8 * 2**20, file=64 * 2**20))

    assert caught.value.exit_code == ExitCode.UNDETERMINED


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


@pytest.mark.parametrize(
    "odd",
    [
        [link("release-manifests/0000_link.yaml", "/etc/passwd", tarfile.SYMTYPE)],
        [link("release-manifests/0000_hard.yaml", "../../../etc/passwd", tarfile.LNKTYPE)],
        [tarfile.TarInfo("release-manifests/../../escape.yaml")],
        [tarfile.TarInfo("/release-manifests/absolute.yaml")],
    ],
    ids=["symbolic link", "hard link", "..", "absolute"],
)
def test_tar_with_links_and_odd_names_gives_no_file_of_the_machine(odd: list[tarfile.TarInfo]) -> None:
    layer = gzip.compress(tar_of(release_files("4.15.3"), odd=odd), mtime=0)
    image = build("4.15.3", layer=(layer, release_image.DOCKER_LAYER))

    with faulty_registry(image) as (host, _):
        try:
            release = fetch(host)
        except SourceError:
            return  # refused whole: as good

    assert not any(b"root:" in content for content in release.files.values())
    assert not any(name.startswith("/") or ".." in name.split("/") for name in release.files)


def test_blob_that_is_no_archive() -> None:
    image = build("4.15.3", layer=(b"no archive at all" * 100, release_image.DOCKER_LAYER))

    with faulty_registry(image) as (host, _), pytest.raises(SourceError):
        fetch(host)


def test_layer_larger_than_the_cap_is_never_fetched() -> None:
    with faulty_registry(IMAGE) as (host, state), pytest.raises(SourceError):
        fetch(host, limits=Limits(compressed=100))

    assert LAYER not in "".join(request.path for request in state.requests)


CHILD = """
import json, logging, resource, sys
from pathlib import Path
from upgrade_gate.payloads.reference import Reference, Settings
from upgrade_gate.payloads.sources import registry
text, folder, limit = sys.argv[1:]
logging.basicConfig(format="%(message)s")
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
settings = Settings(insecure=(text.partition("/")[0],), cache_dir=Path(folder))
release = registry.fetch(Reference(text, "registry", text), settings)
print(json.dumps(sorted(release.files)))
"""


def test_full_disk_while_caching_goes_on_without_the_cache(tmp_path: Path) -> None:
    files = release_files("4.15.3", {"0000_90_noise.yaml": release_image.base_layer(200_000)})
    image = build("4.15.3", files=files)
    with faulty_registry(image) as (host, _):
        done = subprocess.run(
            [sys.executable, "-c", CHILD, f"{host}/{REPOSITORY}:{TAG}", str(tmp_path / "cache"), "65536"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == sorted(files)
    assert "going on without it" in done.stderr


def test_full_file_system_while_caching_goes_on_without_the_cache(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no tmpfs can be mounted here; the test with RLIMIT_FSIZE stands for it")
    files = release_files("4.15.3", {"0000_90_noise.yaml": release_image.base_layer(200_000)})
    try:
        with faulty_registry(build("4.15.3", files=files)) as (host, _):
            done = subprocess.run(
                [sys.executable, "-c", CHILD, f"{host}/{REPOSITORY}:{TAG}", str(folder), "0"],
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
    finally:
        subprocess.run(["umount", str(folder)], check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == sorted(files)
    assert "going on without it" in done.stderr


def test_interrupt_ends_the_downloads_at_once() -> None:
    """Ctrl-C reaches the main thread; the downloads of others would last until their deadline of ten minutes."""
    asked, done = threading.Event(), threading.Event()

    def silent(handler: FaultHandler, _: int) -> bool:
        asked.set()
        done.wait(120)
        return True

    with faulty_registry(IMAGE, silent) as (host, _):
        release = f"{host}/{REPOSITORY}:{TAG}"
        command = [sys.executable, "-m", "upgrade_gate", "check", "--no-cluster", "--platform", "AWS", "--no-cache"]
        command += ["--from", release, "--to", f"{release}-2", "--insecure", host, "--timeout", "600"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
            done.set()

    assert process.returncode == ExitCode.INTERRUPTED
    assert told.splitlines() == ["interrupted: no verdict was reached"]


@pytest.mark.parametrize("value", ["\xb2", "-1", "9" * 400, "", "soon", "Thu, 99 Foo 2015 00:00:00", "\xff"])
def test_odd_retry_after_is_no_crash(value: str) -> None:
    with faulty_registry(IMAGE, failing(429, 1, Retry_After=value)) as (host, _):
        try:
            assert fetch(host).files
        except SourceError as exc:
            assert "answered 429" in exc.message  # noqa: PT017 - either is right, a crash is not
