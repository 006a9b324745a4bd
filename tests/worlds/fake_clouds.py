"""The reading half of the clouds' command lines: each call is kept, and answered as the real one prints it.

`aws` asks a real IAM endpoint (moto); the others answer from a folder with an export, in the shapes of their clouds.
What a command line does not know, and every call that would write, is an error.
"""

import json
import re
import urllib.parse
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.worlds.programs import on_path

TOOLS = ("aws", "az", "gcloud", "ibmcloud")


class RefusedError(Exception):
    """What a command line says on stderr before it ends with 1."""


@dataclass(slots=True)
class Clouds:
    """What the clouds hold, and how they answer."""

    export: Path
    endpoint: str = ""
    """Where `aws` asks."""
    refuse: str = ""
    """Pattern of calls that are forbidden."""
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def answer(self, call: tuple[str, ...]) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr (one line) of a call."""
        self.calls.append(call)
        if self.refuse and re.search(self.refuse, " ".join(call)):
            return 1, "", "ERROR: 403 the caller does not have permission"
        tools = {"aws": aws, "az": az, "gcloud": gcloud, "ibmcloud": ibmcloud}
        try:
            return 0, tools[call[0]](self, list(call[1:])), ""
        except RefusedError as error:
            return 1, "", " ".join(str(error).split())
        except Exception as error:  # noqa: BLE001 - a test must see what a fake does not know
            return 70, "", f"FAKE: {call}: {error!r}"

    def load(self, name: str, default: Any = None) -> Any:
        """Return a document of the export, the default where it is not there."""
        path = self.export / name
        return json.loads(path.read_text()) if path.exists() else default

    def on_path(self, folder: Path) -> AbstractContextManager[None]:
        """Put the command lines into a folder, for as long as this lasts."""
        return on_path(folder, TOOLS, lambda call, _: self.answer(call))


def options(words: list[str], bare: tuple[str, ...] = ()) -> tuple[list[str], dict[str, str]]:
    """Split words into positional ones and options, `--name value` and `--name=value`."""
    positional: list[str] = []
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            positional.append(word)
        elif "=" in word and word.startswith("--"):
            name, _, value = word.partition("=")
            found[name.lstrip("-")] = value
        elif word.lstrip("-") in bare:
            found[word.lstrip("-")] = ""
        else:
            values = [rest.pop(0)]
            while word == "--filter" and rest and not rest[0].startswith("-"):
                values.append(rest.pop(0))
            found[word.lstrip("-")] = " ".join(values)
    return positional, found


def show(value: Any, found: dict[str, str]) -> str:
    """Print as `--query` and `--output` ask for."""
    import jmespath

    if found.get("query"):
        value = jmespath.search(found["query"], value)
    if found["output"] == "json":
        return json.dumps(value, indent=2, default=str) + "\n"
    assert found["output"] in ("text", "tsv"), found
    rows = value if isinstance(value, list) else [value]
    if found["output"] == "text":
        assert all(not isinstance(row, list | dict) for row in rows), rows
        return "\t".join("None" if row is None else str(row) for row in rows) + "\n"
    cells = [row if isinstance(row, list) else [row] for row in rows]
    return "".join("\t".join("" if cell is None else str(cell) for cell in row) + "\n" for row in cells)


def aws(clouds: Clouds, words: list[str]) -> str:
    import boto3
    import botocore.exceptions

    positional, found = options(words)
    service, operation = positional
    assert operation.startswith(("get-", "list-", "describe-")), operation
    client = boto3.client(service, endpoint_url=clouds.endpoint, region_name="us-east-1")
    arguments: dict[str, Any] = {}
    for name, value in found.items():
        if name not in ("query", "output"):
            camel = "".join(part.capitalize() for part in name.split("-")).replace("OpenId", "OpenID")
            arguments[camel] = value.split() if name == "filter" and service == "iam" else value
    method = operation.replace("-", "_")
    try:
        if client.can_paginate(method):
            answer = client.get_paginator(method).paginate(**arguments).build_full_result()
        else:
            answer = getattr(client, method)(**arguments)
    except botocore.exceptions.ClientError as error:
        raise RefusedError(str(error)) from error
    answer.pop("ResponseMetadata", None)
    return show(answer, found)


def az(clouds: Clouds, words: list[str]) -> str:
    positional, found = options(words, ("all", "include-inherited"))
    command = " ".join(positional)
    if command not in ("rest", "ad sp list"):
        assert found["subscription"] == "S1", found
    match command:
        case "role assignment list":
            assert {"all", "include-inherited"} <= set(found)
            return show(clouds.load("assignments.json"), found)
        case "role definition list":
            listed = clouds.load("definitions.json")
            if "scope" in found:
                listed = clouds.load("definitions-of-groups.json", [])
            return show(listed, found)
        case "identity list":
            return show(
                [{**i, "resourceGroup": i["id"].split("/")[4]} for i in clouds.load("identities.json", [])], found
            )
        case "identity federated-credential list":
            own = f"/resourcegroups/{found['resource-group']}/".casefold()
            name = f"/userassignedidentities/{found['identity-name']}/federatedidentitycredentials/".casefold()
            ids = [
                f for f in clouds.load("federated.json", []) if own in f["id"].casefold() and name in f["id"].casefold()
            ]
            return show(ids, found)
        case "ad sp list":
            client = found["filter"].split("'")[1]
            return show([p for p in clouds.load("principals.json", []) if p["appId"] == client], found)
        case "rest":
            return az_rest(clouds, found)
    raise AssertionError(f"az {words}: not known")


def az_rest(clouds: Clouds, found: dict[str, str]) -> str:
    """Answer as Resource Manager does, in pages of two."""
    assert found["method"] == "get"
    url = urllib.parse.urlsplit(found["url"])
    asked = urllib.parse.parse_qs(url.query)
    kind = url.path.rpartition("/")[2]
    if kind == "denyAssignments":
        items = clouds.load("denies.json", [])
    else:
        assert kind == "roleAssignments", url
        condition = re.fullmatch(r"assignedTo\('([^']+)'\)", asked["$filter"][0])
        assert condition, asked
        groups = clouds.load("groups.json", {}).get(condition.group(1), [])
        items = [a for a in clouds.load("assignments.json") if a["principalId"] in (condition.group(1), *groups)]
    start = int(asked.get("skip", ["0"])[0])
    flat = ("id", "name", "type")
    page = [
        {
            **{k: v for k, v in item.items() if k in flat},
            "properties": {k: v for k, v in item.items() if k not in flat},
        }
        for item in items[start : start + 2]
    ]
    answer: dict[str, Any] = {"value": page}
    if start + 2 < len(items):
        query = urllib.parse.urlencode({**{k: v[0] for k, v in asked.items()}, "skip": start + 2})
        answer["nextLink"] = f"https://management.azure.com{url.path}?{query}"
    return show(answer, found)


def gcloud(clouds: Clouds, words: list[str]) -> str:
    positional, found = options(words)
    command = " ".join(positional[:3])
    if command.startswith("projects get-iam-policy"):
        return policy(clouds.load(f"project-{positional[2]}.json") or clouds.load("project.json"), found)
    if command.startswith("projects get-ancestors"):
        assert found["format"] == 'csv[no-heading,separator="|"](type,id)'
        ancestors = clouds.load(f"ancestors-{positional[2]}.json") or clouds.load("ancestors.json", [["project", "p1"]])
        return "".join(f"{kind}|{number}\n" for kind, number in ancestors)
    if command in ("resource-manager folders get-iam-policy", "organizations get-iam-policy 9"):
        return policy(clouds.load(f"policy-{positional[-1]}.json"), found)
    if command == "iam policies list":
        point = found["attachment-point"].rpartition("%2F")[2]
        listed = [p for p in clouds.load("denies.json", []) if f"%2F{point}/" in p["name"]]
        assert found["format"] == 'csv[no-heading,separator="|"](policies[].name,nextPageToken)'
        return f"{';'.join(p['name'] for p in listed)}|\n" if listed else "|\n"
    if command == "iam policies get":
        return json.dumps(next(p for p in clouds.load("denies.json") if p["name"].endswith(f"/{positional[3]}")))
    return gcloud_iam(clouds, positional, command, found)


def gcloud_iam(clouds: Clouds, positional: list[str], command: str, found: dict[str, str]) -> str:
    if command == "iam service-accounts list":
        listed = clouds.load("service-accounts.json")
        wanted = found.get("filter", "").removeprefix("displayName=")
        listed = [a for a in listed if not wanted or a.get("displayName") == wanted]
        if found["format"] == "value(email)":
            return "".join(f"{a['email']}\n" for a in listed)
        return as_json(listed, found)
    if command == "iam service-accounts get-iam-policy":
        bodies = [clouds.load(p.name) for p in clouds.export.glob("sa-*.json")]
        return policy(next(b["policy"] for b in bodies if b["serviceAccount"] == positional[3]), found)
    if command == "iam roles describe":
        name = positional[3]
        if "project" in found:
            name = f"projects/{found['project']}/roles/{name}"
        bodies = [clouds.load(p.name) for p in clouds.export.glob("role-*.json")]
        role = next((b for b in bodies if b["name"] == name), None)
        if role is None:
            raise RefusedError(f"ERROR: (gcloud.iam.roles.describe) NOT_FOUND: {name}")
        return as_json(role, found)
    if command == "iam workload-identity-pools list":
        pools = clouds.load("pools.json", [])
        if found["format"] == "value(name)":
            return "".join(f"{p['name']}\n" for p in pools)
        return as_json(pools, found)
    if command == "iam workload-identity-pools providers":
        pool = f"/workloadIdentityPools/{found['workload-identity-pool']}/"
        return as_json([p for p in clouds.load("providers.json", []) if pool in p["name"]], found)
    raise AssertionError(f"gcloud {positional}: not known")


def policy(body: Any, found: dict[str, str]) -> str:
    if found.get("flatten"):
        assert found["flatten"] == "bindings[].members"
        assert found["format"] == 'csv[no-heading,separator="|"](bindings.role,bindings.members)'
        return "".join(f"{b['role']}|{member}\n" for b in body.get("bindings", []) for member in b["members"])
    return as_json(body, found)


def as_json(body: Any, found: dict[str, str]) -> str:
    assert found["format"] == "json", found
    return json.dumps(body, indent=2) + "\n"


def ibmcloud(clouds: Clouds, words: list[str]) -> str:
    positional, found = options(words)
    assert found["output"] == "json"
    body: Any
    match positional:
        case ["iam", "service-ids"]:
            body = clouds.load("service-ids.json")
        case ["iam", "service-id", name]:
            body = next((s for s in clouds.load("service-ids.json") if s["name"] == name), None)
            if body is None:
                raise RefusedError(f"FAILED Service ID {name} was not found.")
        case ["iam", "service-policies", identifier]:
            body = policies_of(clouds, "iam_id", f"iam-{identifier}", found)
        case ["iam", "access-groups"]:
            body = [g["group"] for g in clouds.load("groups.json", []) if f"iam-{found['s']}" in g["members"]]
        case ["iam", "access-group-policies", name]:
            group = next(g["group"]["id"] for g in clouds.load("groups.json") if g["group"]["name"] == name)
            body = policies_of(clouds, "access_group_id", group, found)
        case ["iam", "roles"]:
            body = clouds.load(
                f"roles-{found['service']}.json", {"custom_roles": [], "service_roles": [], "system_roles": []}
            )
        case ["resource", "groups"]:
            body = clouds.load("resource-groups.json", [])
        case ["resource", "service-instances"]:
            body = clouds.load("instances.json", [])
        case _:
            raise AssertionError(f"ibmcloud {words}: not known")
    return json.dumps(body, indent=4) + "\n"


def policies_of(clouds: Clouds, name: str, value: str, found: dict[str, str]) -> list[Any]:
    """Return the policies of a subject; asked for the second form, as that prints them."""
    subject = {"name": name, "value": value}
    own = [p for p in clouds.load("policies.json") if any(subject in s["attributes"] for s in p["subjects"])]
    if found.get("api-version") != "v2":
        return own
    return [
        {
            "id": p["id"],
            "type": p["type"],
            "state": p["state"],
            "control": {"grant": {"roles": [{"role_id": r["role_id"]} for r in p["roles"]]}},
            "subject": {"attributes": attributes(p["subjects"])},
            "resource": {"attributes": attributes(p["resources"])},
        }
        for p in own
    ]


def attributes(holders: list[Any]) -> list[dict[str, str]]:
    listed = [a for holder in holders for a in holder["attributes"]]
    return [{"key": a["name"], "operator": "stringEquals", "value": a["value"]} for a in listed]
