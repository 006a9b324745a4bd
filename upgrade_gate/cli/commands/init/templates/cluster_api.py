"""Ask the API of the cluster that this pod runs in, as its service account."""

import http.client
import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from typing import Any

ACCOUNT = os.environ["ACCOUNT"]
HOST, PORT = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
SERVER = f"https://[{HOST}]:{PORT}" if ":" in HOST else f"https://{HOST}:{PORT}"


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token goes to no other host."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none, which makes it an error."""


trust = ssl.create_default_context(cafile=f"{ACCOUNT}/ca.crt")
opener = urllib.request.build_opener(
    NoRedirects, urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
)


def ask(verb: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
    """Return what the API answers; the token is read each time, since it is renewed."""
    with open(f"{ACCOUNT}/token", encoding="ascii") as file:
        token = file.read().strip()
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Content-Type": kind}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(SERVER + path, data, headers, method=verb)
    with opener.open(request, timeout=30) as answer:
        return json.load(answer)


def wait(namespace: str, name: str, patience: float) -> str:
    """Return the UID of a Job that has ended; ends this program where it has not in so many seconds."""
    until, why = time.monotonic() + patience, "it has not ended"
    while time.monotonic() < until:
        try:
            job = ask("GET", f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}")
            conditions = job["status"].get("conditions", [])
            ended = {one["type"] for one in conditions if one["status"] == "True"} & {"Complete", "Failed"}
            if ended and "deletionTimestamp" not in job["metadata"]:
                return str(job["metadata"]["uid"])
            why = "it has not ended"
        # perhaps it is not made yet
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            why = str(error)
        time.sleep(min(5, patience))
    sys.exit(f"error: Job {namespace}/{name}: {why}")


def keep(file: str, path: str, name: str) -> None:
    """Write a PolicyReport that is there for as long as the Job of this pod is."""
    import yaml

    with open(file, encoding="utf-8") as stream:
        body = yaml.safe_load(stream)
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": os.environ["JOB"], "uid": os.environ["JOB_UID"]}
    body["metadata"].update(name=name, ownerReferences=[owner])
    ask("PATCH", f"{path}/{name}?fieldManager=upgrade-gate&force=true", body, "application/apply-patch+yaml")


def withdraw(path: str, name: str) -> None:
    """Take a PolicyReport away, if there is one."""
    try:
        ask("DELETE", f"{path}/{name}")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise


command, *words = sys.argv[1:]
try:
    if command == "wait":
        print(wait(words[0], words[1], float(words[2])))
    elif command == "keep":
        keep(words[0], words[1], words[2])
    else:
        withdraw(words[0], words[1])
except (OSError, http.client.HTTPException) as error:
    sys.exit(f"error: {command} {words[-1]}: {error}")
