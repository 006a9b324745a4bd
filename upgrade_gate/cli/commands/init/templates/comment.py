"""One comment, found again by its hidden mark and its author: written once, then kept up to date."""

import json
import os
import ssl
import sys
import urllib.request
from typing import Any

MARK = "<!-- upgrade-gate -->"
comments, comment, method, author, report = sys.argv[1:]


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token goes to no other host."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none, which makes it an error."""


trust = ssl.create_default_context(cafile=os.environ.get("CI_SERVER_TLS_CA_FILE") or None)
opener = urllib.request.build_opener(NoRedirects, urllib.request.HTTPSHandler(context=trust))


def ask(verb: str, url: str, body: str | None = None) -> Any:
    """Return what the forge answers."""
    data = None if body is None else json.dumps({"body": body}).encode()
    headers = {"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers, method=verb)
    with opener.open(request, timeout=60) as answer:
        return json.loads(answer.read() or "null")


def ours(writer: str) -> list[int]:
    """Return our comments by number, the oldest first; one that only quotes the mark is of another writer."""
    found, page, count = [], 0, 0
    while count == 100 * page:
        page += 1
        entries = ask("GET", f"{comments}?per_page=100&page={page}")
        count += len(entries)
        for entry in entries:
            person = entry.get("user") or entry.get("author") or {}
            if MARK in (entry.get("body") or "") and writer in (person.get("login"), person.get("username")):
                found.append(int(entry["id"]))
    return sorted(found)


def write(body: str, writer: str) -> None:
    """Bring our comment up to date; where another run was as early as this one, its comment stays alone."""
    found = ours(writer)
    if not found:
        posted = int(ask("POST", comments, body)["id"])
        found = ours(writer) or [posted]
        if found[0] == posted:
            return
        ask("DELETE", f"{comment}/{posted}")
    ask(method, f"{comment}/{found[0]}", body)


try:
    with open(report, encoding="utf-8") as file:
        text = file.read()
except FileNotFoundError:
    text = f"## NO VERDICT: upgrade-gate wrote no report\n\nRun: {os.environ['RUN']}\n"
text += f"\n{MARK}\n"
try:
    write(text, ask("GET", author)["username"] if "/" in author else author)
except (OSError, ValueError, KeyError) as error:
    sys.exit(f"error: the comment was not written: {error}")
print("the comment is up to date")
