"""A registry that serves one image rightly, except where a test tells it to misbehave."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.worlds.registry_server import Handler, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.worlds.certificates import Certificates
    from tests.worlds.release_image import Image

REPOSITORY = "ocp/release"
TAG = "4.15.3"


@dataclass
class Request:
    """One request that the server got."""

    method: str
    path: str
    query: str
    headers: dict[str, str] = field(repr=False)
    """Names in lower case."""


@dataclass
class State:
    """What the server serves, how it misbehaves, and what it was asked."""

    image: Image
    fault: Callable[[FaultHandler, int], bool] | None = None
    """Is called with the number of the request, from 1; returns whether it has answered itself."""
    requests: list[Request] = field(default_factory=list)

    def of(self, part: str) -> list[Request]:
        """Return the requests whose path has a part, such as `/blobs/`."""
        return [request for request in self.requests if part in request.path]


class FaultHandler(Handler):
    """Serves manifests and blobs, after the test's fault had its chance."""

    @property
    def state(self) -> State:
        """The server's state."""
        state: State = self.server.state  # type: ignore[attr-defined]
        return state

    @property
    def is_blob(self) -> bool:
        """Whether a blob is asked for."""
        return "/blobs/" in self.path

    @property
    def is_manifest(self) -> bool:
        """Whether a manifest is asked for."""
        return "/manifests/" in self.path

    @property
    def blob(self) -> bytes:
        """The blob that is asked for."""
        return self.state.image.blobs[self.path.partition("?")[0].rpartition("/")[2]]

    def do_GET(self) -> None:  # noqa: N802
        """Answer one request."""
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.state.requests.append(Request(self.command, path, query, headers))
        if self.state.fault is not None and self.state.fault(self, len(self.state.requests)):
            return
        self.serve()

    do_HEAD = do_GET  # noqa: N815

    def serve(self) -> None:
        """Answer as a good registry would."""
        name = self.path.partition("?")[0].rpartition("/")[2]
        image = self.state.image
        if self.is_manifest and name in (TAG, image.digest):
            headers = {"Content-Type": image.media_type, "Docker-Content-Digest": image.digest}
            headers["Content-Length"] = str(len(image.manifest))
            self.answer(200, image.manifest, headers)
        elif self.is_blob and name in image.blobs:
            self.answer(200, image.blobs[name], {"Content-Type": "application/octet-stream"})
        else:
            self.answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def drip(self, data: bytes, seconds: float = 1.0) -> None:
        """Send bytes one by one, until the client goes away."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            for byte in data:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(seconds)

    def start(self, status: int, headers: dict[str, str]) -> None:
        """Send status and headers only."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@contextlib.contextmanager
def faulty_registry(
    image: Image,
    fault: Callable[[FaultHandler, int], bool] | None = None,
    certificates: Certificates | None = None,
) -> Iterator[tuple[str, State]]:
    """Run the server; gives its host and its state."""
    state = State(image, fault)
    with serve(FaultHandler, state, certificates) as host:
        yield host, state
