"""The command lines of clouds and cluster, as far as a bundle uses them: each call is logged and applied.

`aws` goes to a real IAM endpoint (moto); the others change the documents of an export as their clouds would, with the
shapes that the real command lines print. What a command line does not know is an error here too.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

EXPORT = Path(os.environ.get("FAKE_EXPORT", "/nonexistent"))
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"


def load(name: str) -> Any:
    return json.loads((EXPORT / name).read_text())


def save(name: str, body: Any) -> None:
    (EXPORT / name).write_text(json.dumps(body))


def options(words: list[str], bare: tuple[str, ...] = ()) -> tuple[list[str], dict[str, str]]:
    """Split words into positional ones and options."""
    positional: list[str] = []
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            found[word.lstrip("-")] = "" if word.lstrip("-") in bare else next(rest)
        else:
            positional.append(word)
    return positional, found


def content(word: str) -> str:
    path = word.removeprefix("file://").removeprefix("@")
    return Path(path).read_text()


def aws(words: list[str]) -> int:
    import boto3
    import botocore.exceptions

    assert words[0] == "iam", words
    _, found = options(words[2:], ("set-as-default",))
    client = boto3.client("iam", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1")
    arguments: dict[str, Any] = {}
    for name, value in found.items():
        camel = "".join(part.capitalize() for part in name.split("-"))
        arguments[camel] = (content(value) if value.startswith("file://") else value) if value else True
    try:
        getattr(client, words[1].replace("-", "_"))(**arguments)
    except botocore.exceptions.ClientError as error:
        sys.stderr.write(f"{error}\n")
        return 254
    return 0


def az(words: list[str]) -> int:
    command = " ".join(words[:3])
    if command == "identity federated-credential create":
        return federate(words[3:])
    if words[:3] == ["role", "definition", "list"]:
        _, found = options(words[3:])
        assert found["query"] == "length(@)"
        sys.stdout.write(f"{sum(d['roleName'] == found['name'] for d in load('definitions.json'))}\n")
        return 0
    if words[:2] == ["role", "definition"]:
        return define(words[2], options(words[3:])[1]["role-definition"])
    if words[:3] == ["role", "assignment", "create"]:
        _, found = options(words[3:])
        definitions = load("definitions.json")
        role = next((d["id"] for d in definitions if d["roleName"] == found["role"]), None)
        if role is None and found["role"] == "Contributor":
            role = f"/subscriptions/S1/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"
        assert role is not None, f"role {found['role']} does not exist"
        principal = found.get("assignee-object-id") or next(
            i["principalId"] for i in load("identities.json") if i["clientId"] == found["assignee"]
        )
        assigned = load("assignments.json")
        number = len(assigned)
        assigned.append(
            {
                "id": f"{found['scope']}/providers/Microsoft.Authorization/roleAssignments/new{number}",
                "name": f"new{number}",
                "principalId": principal,
                "principalType": "ServicePrincipal",
                "roleDefinitionId": role,
                "roleDefinitionName": found["role"],
                "scope": found["scope"],
            }
        )
        save("assignments.json", assigned)
        return 0
    raise SystemExit(f"az {words}: not known")


def define(verb: str, file: str) -> int:
    body = json.loads(content(file))
    definitions = load("definitions.json")
    there = [d for d in definitions if d["roleName"] == body["Name"]]
    assert bool(there) == (verb == "update"), f"{verb} of {body['Name']}"
    number = f"00000000-0000-4000-9000-{len(definitions):012d}"
    new = {
        "id": there[0]["id"]
        if there
        else f"{body['AssignableScopes'][0]}/providers/Microsoft.Authorization/roleDefinitions/{number}",
        "name": there[0]["name"] if there else number,
        "roleName": body["Name"],
        "roleType": "CustomRole",
        "assignableScopes": body["AssignableScopes"],
        "permissions": [
            {
                "actions": body["Actions"],
                "notActions": body["NotActions"],
                "dataActions": body["DataActions"],
                "notDataActions": body["NotDataActions"],
            }
        ],
    }
    save("definitions.json", [*(d for d in definitions if d not in there), new])
    return 0


def federate(words: list[str]) -> int:
    _, found = options(words)
    identity = next(i for i in load("identities.json") if i["name"] == found["identity-name"])
    entry = {
        "id": f"{identity['id']}/federatedIdentityCredentials/{found['name']}",
        "name": found["name"],
        "issuer": found["issuer"],
        "subject": found["subject"],
        "audiences": [found["audiences"]],
    }
    save("federated.json", [*load("federated.json"), entry])
    return 0


def gcloud(words: list[str]) -> int:
    positional, found = options(words, ("quiet",))
    command = " ".join(positional[:3])
    if command.startswith("iam roles"):
        return gcloud_role(positional[2], positional[3], found)
    if command.startswith("projects add-iam-policy-binding"):
        bind("project.json", found)
        return 0
    if command.startswith("iam service-accounts add-iam-policy-binding"):
        path = next(p for p in EXPORT.glob("sa-*.json") if load(p.name)["serviceAccount"] == positional[3])
        body = load(path.name)
        save("policy.tmp", body["policy"])
        bind("policy.tmp", found)
        save(path.name, {**body, "policy": load("policy.tmp")})
        (EXPORT / "policy.tmp").unlink()
        return 0
    if command.startswith("iam service-accounts describe"):
        return 0 if any(a["email"] == positional[3] for a in load("service-accounts.json")) else 1
    raise SystemExit(f"gcloud {words}: not known")


def gcloud_role(verb: str, role: str, found: dict[str, str]) -> int:
    import yaml

    name = f"projects/{found['project']}/roles/{role}"
    assert re.fullmatch(r"[A-Za-z0-9_.]{3,64}", role), role
    path = next((p for p in EXPORT.glob("role-*.json") if load(p.name)["name"] == name), None)
    if verb == "describe":
        return 0 if path else 1
    if verb == "create":
        assert path is None, f"{name} exists"
        body = yaml.safe_load(content(found["file"]))
        assert set(body) <= {"title", "description", "stage", "includedPermissions"}, body
        save(f"role-{role}.json", {"name": name, **body, "etag": "BwU="})
        return 0
    assert verb == "update", verb
    assert path is not None, f"{name} does not exist"
    body = load(path.name)
    body["includedPermissions"] = sorted({*body["includedPermissions"], *found["add-permissions"].split(",")})
    save(path.name, body)
    return 0


def bind(name: str, found: dict[str, str]) -> None:
    body = load(name)
    entry = next((b for b in body["bindings"] if b["role"] == found["role"] and not b.get("condition")), None)
    if entry is None:
        entry = {"role": found["role"], "members": []}
        body["bindings"].append(entry)
    entry["members"] = sorted({*entry["members"], found["member"]})
    save(name, body)


def ibmcloud(words: list[str]) -> int:
    positional, found = options(words, ("force",))
    names = {s["name"]: s for s in load("service-ids.json")}
    match positional[1]:
        case "service-id":
            return 0 if positional[2] in names else 1
        case "service-id-create":
            number = len(names)
            new = {"id": f"ServiceId-{number}", "iam_id": f"iam-ServiceId-{number}", "name": positional[2]}
            save("service-ids.json", [*names.values(), {**new, "account_id": "A1"}])
            return 0
        case "service-policy-create":
            body = json.loads(content(found["file"]))
            iam_id = next(s["iam_id"] for s in names.values() if positional[2] in (s["name"], s["id"]))
            policies = load("policies.json")
            body |= {
                "id": f"p{len(policies)}",
                "state": "active",
                "subjects": [{"attributes": [{"name": "iam_id", "value": iam_id}]}],
            }
            save("policies.json", [*policies, body])
            return 0
    raise SystemExit(f"ibmcloud {words}: not known")


def oc(words: list[str]) -> int:
    return 1 if words[0] == "get" else 0


def aliyun(words: list[str]) -> int:
    return 1 if words[1].startswith("Get") else 0


def main() -> int:
    with Path(os.environ["FAKE_LOG"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps(sys.argv[1:]) + "\n")
    return int(globals()[sys.argv[1]](sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(main())
