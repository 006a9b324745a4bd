"""A stand-in for the comments of GitHub and the notes of GitLab: it keeps what is sent and remembers who asked what.

GitHub: docs.github.com/en/rest/issues/comments; GitLab: docs.gitlab.com/api/notes (merge requests), /api/users.
"""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "token-of-the-forge"
PLACES = {
    "github": re.compile(r"/repos/a/b/issues/(?:7/comments|comments/(\d+))"),
    "gitlab": re.compile(r"/projects/42/merge_requests/7/notes(?:/(\d+))?"),
}
BOTS = {"github": "github-actions[bot]", "gitlab": "project_42_bot"}
UPDATES = {"github": "PATCH", "gitlab": "PUT"}


@dataclass
class Forge:
    """The comments of request 7 and what was asked for; `refusal` answers every write with that status.

    `moved` sends everybody to another host, `overtaken` is what another run writes just before the first of this one.
    """

    kind: str
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    refusal: int | None = None
    moved: str | None = None
    overtaken: str | None = None
    url: str = ""

    def has(self, body: str, author: str | None = None) -> None:
        """Add a comment, the bot's own unless told otherwise."""
        writer = BOTS[self.kind] if author is None else author
        person = {"user": {"login": writer}} if self.kind == "github" else {"author": {"username": writer}}
        self.comments.append({"id": 100 + len(self.comments), "body": body, **person})

    def answer(self, verb: str, target: str, token: str | None, sent: Any) -> tuple[int, Any]:
        """Return a status and a body, as the API would."""
        url = urlsplit(target)
        self.asked.append((verb, url.path))
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        if (self.kind, verb, url.path) == ("gitlab", "GET", "/user"):
            return 200, {"username": BOTS["gitlab"]}
        place = PLACES[self.kind].fullmatch(url.path)
        if place is None:
            return 404, {"message": "Not Found"}
        if verb == "GET" and place[1] is None:
            query = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
            size, page = query.get("per_page", 20), query.get("page", 1)
            return 200, self.comments[size * (page - 1) : size * page]
        if self.refusal is not None:
            return self.refusal, {"message": "Resource not accessible by integration"}
        if verb == "POST" and place[1] is None:
            if self.overtaken:
                self.has(self.overtaken)
            self.has(sent["body"])
            return 201, self.comments[-1]
        if verb == UPDATES[self.kind] and place[1] is not None:
            (one,) = (comment for comment in self.comments if comment["id"] == int(place[1]))
            one["body"] = sent["body"]
            return 200, one
        if verb == "DELETE" and place[1] is not None:
            self.comments = [comment for comment in self.comments if comment["id"] != int(place[1])]
            return 204, None
        return 405, {"message": "Method Not Allowed"}

    @contextmanager
    def run(self) -> Iterator[Forge]:
        """Serve it on loopback."""
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                sent = json.loads(self.rfile.read(length)) if length else None
                status, body = forge.answer(self.command, self.path, self.headers.get("Authorization"), sent)
                text = b"" if body is None else json.dumps(body).encode()
                self.send_response(302 if forge.moved else status)
                if forge.moved:
                    self.send_header("Location", f"{forge.moved}{self.path}")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the names of http.server

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
