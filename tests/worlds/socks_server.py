"""A SOCKS5 proxy on loopback (RFC 1928, without authentication): it connects, passes bytes on, and counts."""

from __future__ import annotations

import socket
import socketserver
import threading


class _Handler(socketserver.BaseRequestHandler):
    server: SocksServer

    def handle(self) -> None:
        """Take one CONNECT for an IPv4 address or a name, then pass on what either side sends."""
        self.request.recv(2 + self.request.recv(2, socket.MSG_PEEK)[1])
        self.request.sendall(b"\x05\x00")
        kind = self.request.recv(4)[3]
        if kind == 1:
            host = socket.inet_ntoa(self.request.recv(4))
        else:
            host = self.request.recv(self.request.recv(1)[0]).decode()
        port = int.from_bytes(self.request.recv(2), "big")
        self.server.places.append(f"{host}:{port}")
        port = self.server.ports.get(port, port)
        with socket.create_connection((host, port), timeout=20) as there:
            self.request.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
            back = threading.Thread(target=_pass_on, args=(there, self.request), daemon=True)
            back.start()
            _pass_on(self.request, there)
            back.join(timeout=20)


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        return


class SocksServer(socketserver.ThreadingTCPServer):
    """The proxy; `places` are the hosts and ports that were asked for, `ports` where some of them really are."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.places: list[str] = []
        self.ports: dict[int, int] = {}

    def __enter__(self) -> SocksServer:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """The address as a kubeconfig or HTTPS_PROXY has it."""
        return f"socks5://127.0.0.1:{self.server_address[1]}"
