"""The command lines of clouds and cluster, as far as a bundle uses them: each call is kept and applied.

`aws` goes to a real IAM endpoint (moto); the others change the documents of an export as their clouds would, with the
shapes that the real command lines print. What a command line does not know is an error here too.
"""

import base64
import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.worlds import fake_small_clouds
from tests.worlds.programs import Answer

CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
TOOLS = ("aws", "az", "gcloud", "ibmcloud", "oc", "aliyun", "sleep")


_LOOKS = re.compile(r"get|get-.*|list|list-.*|describe|show|diff|target|service-id|service-policies|Get.*|List.*")


def only_looks(call: tuple[str, ...]) -> bool:
    """Return whether a call changes nothing."""
    return any(_LOOKS.fullmatch(word) for word in call[:5])


@functools.cache
def iam(endpoint: str) -> Any:
    import boto3

    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    return boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1", **keys)


@dataclass(slots=True)
class CommandLines:
    """What the command lines work on, and what they were called with."""

    export: Path
    """The export of a cloud, which the calls change."""
    cluster: Path | None = None
    """A dumped cluster; None: nothing exists there."""
    endpoint: str = ""
    """Where `aws` asks."""
    where: Mapping[tuple[str, ...], str | None] = field(default_factory=dict)
    """What the calls answer by which a script proves where it is."""
    instead: Answer | None = None
    """What answers the calls, where nothing is to be worked on."""
    stop_at: int | None = None
    """The change, counted from zero, that is refused."""
    break_at: int | None = None
    """The call, counted from zero, that fails, look-ups too; a change among them has happened all the same."""
    calls: list[tuple[str, ...]] = field(default_factory=list)
    folder: Path = Path()
    """Where the call runs."""
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    def answer(self, call: tuple[str, ...], folder: Path) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr of a call."""
        if call[0] == "sleep":
            return 0, "", ""
        self.calls.append(call)
        if self.break_at == len(self.calls) - 1:
            if call not in self.where and not only_looks(call):
                self.apply(call, folder)
            return 1, "", "connection lost"
        if call in self.where:
            said = self.where[call]
            return (1, "", "not logged in") if said is None else (0, f"{said}\n", "")
        if self.stop_at is not None and not only_looks(call):
            self.stop_at -= 1
            if self.stop_at < 0:
                return 1, "", "connection lost"
        if self.instead is not None:
            return self.instead(call, folder)
        return self.apply(call, folder)

    def apply(self, call: tuple[str, ...], folder: Path) -> tuple[int, str, str]:
        """Do what a call says."""
        self.folder, self.out, self.err = folder, [], []
        try:
            code: int = getattr(self, call[0])(list(call[1:]))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a test must see what a fake does not know
            return 1, "", f"FAKE: {call}: {error!r}"
        return code, "".join(self.out), "".join(self.err)

    def load(self, name: str) -> Any:
        return json.loads((self.export / name).read_text())

    def save(self, name: str, body: Any) -> None:
        (self.export / name).write_text(json.dumps(body))

    def content(self, word: str) -> str:
        path = word.removeprefix("file://").removeprefix("@")
        return (self.folder / path).read_text()

    def aws(self, words: list[str]) -> int:
        import botocore.exceptions

        assert words[0] == "iam", words
        more, found = options(words[2:], ("set-as-default",))
        client = iam(self.endpoint)
        method = words[1].replace("-", "_")
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape
        members = {name.casefold(): (name, member.type_name) for name, member in shape.members.items()}
        arguments: dict[str, Any] = {}
        query, form = found.pop("query", ""), found.pop("output", "json")
        for name, value in found.items():
            member, kind = members[name.replace("-", "")]
            given = (self.content(value) if value.startswith("file://") else value) if value else True
            arguments[member] = [given, *more] if kind == "list" else given
        try:
            answer = getattr(client, method)(**arguments)
        except botocore.exceptions.ClientError as error:
            self.err.append(f"{error}\n")
            return 254
        del answer["ResponseMetadata"]
        self.print(json.loads(json.dumps(answer, default=str)), query, form)
        return 0

    def print(self, answer: Any, query: str, form: str) -> None:
        """Print what a query picks: text as it is where the form is text, JSON otherwise."""
        import jmespath

        found = jmespath.search(query, answer, jmespath.Options(dict_cls=dict)) if query else answer
        plain = form in ("text", "tsv") and not isinstance(found, (dict, list))
        none = "None" if form == "text" else ""
        self.out.append(f"{none if found is None else found}\n" if plain else f"{json.dumps(found)}\n")

    def az(self, words: list[str]) -> int:
        if words[:2] == ["identity", "federated-credential"]:
            return self.federated(words[2], *options(words[3:], ("yes",)))
        if words[:2] == ["identity", "show"]:
            return self.show(words[2:], "identities.json", lambda found, one: one["name"] == found["name"])
        if words[:2] == ["identity", "create"]:
            return self.identify(words[2:])
        if words[:3] == ["role", "definition", "list"]:
            _, found = options(words[3:])
            assert found["scope"].startswith("/subscriptions/")
            named = [d for d in self.load("definitions.json") if d["roleName"] == found["name"]]
            self.print(named, found["query"], found["output"])
            return 0
        if words[:3] == ["role", "assignment", "list"]:
            _, found = options(words[3:])
            there = [a for a in self.load("assignments.json") if a["scope"] == found["scope"]]
            if "assignee" in found:
                people = {i.get("principalId") or i["id"] for i in self.load("identities.json") if known_as(found, i)}
                there = [a for a in there if a["principalId"] in people]
            self.print(there, found["query"], found["output"])
            return 0
        if words[:2] == ["role", "definition"]:
            return self.define(words[2], options(words[3:])[1]["role-definition"])
        if words[:3] == ["role", "assignment", "create"]:
            _, found = options(words[3:])
            definitions = self.load("definitions.json")
            role = next((d["id"] for d in definitions if d["roleName"] == found["role"]), None)
            if role is None and found["role"] == "Contributor":
                role = f"/subscriptions/S1/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"
            assert role is not None, f"role {found['role']} does not exist"
            people = self.load("identities.json")
            principal = found.get("assignee-object-id") or next(
                i.get("principalId") or i["id"] for i in people if known_as(found, i)
            )
            assert any(principal in (i.get("principalId"), i["id"]) for i in people), f"{principal} does not exist"
            within = [
                f"{s.rstrip('/')}/".casefold() for d in definitions if d["id"] == role for s in d["assignableScopes"]
            ]
            assert not within or any(f"{found['scope']}/".casefold().startswith(s) for s in within), found["scope"]
            assigned = self.load("assignments.json")
            if any(
                (a["principalId"], a["roleDefinitionId"], a["scope"]) == (principal, role, found["scope"])
                for a in assigned
            ):
                return 0  # an assignment that exists is no error (azure-cli command_modules/role/custom.py)
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
            self.save("assignments.json", assigned)
            return 0
        raise SystemExit(f"az {words}: not known")

    def define(self, verb: str, file: str) -> int:
        body = json.loads(self.content(file))
        definitions = self.load("definitions.json")
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
            "description": body["Description"],
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
        self.save("definitions.json", [new if d in there else d for d in definitions] + ([] if there else [new]))
        return 0

    def identify(self, words: list[str]) -> int:
        """Create a managed identity; one that exists is left as it is."""
        _, found = options(words)
        people = self.load("identities.json")
        if not any(i["name"] == found["name"] for i in people):
            number = len(people)
            folder = f"/subscriptions/{found['subscription']}/resourcegroups/{found['resource-group']}/providers"
            new = {
                "id": f"{folder}/Microsoft.ManagedIdentity/userAssignedIdentities/{found['name']}",
                "name": found["name"],
                "clientId": f"{number:08d}-0000-4000-8000-000000000001",
                "principalId": f"{number:08d}-0000-4000-8000-000000000002",
            }
            self.save("identities.json", [*people, new])
        return 0

    def show(self, words: list[str], file: str, chosen: Callable[[dict[str, str], dict[str, Any]], bool]) -> int:
        """Print the one entry of a list."""
        _, found = options(words)
        one = next((one for one in self.load(file) if chosen(found, one)), None)
        if one is None:
            self.err.append("ERROR: (ResourceNotFound) it was not found.\n")
            return 3
        self.print(one, found.get("query", ""), found.get("output", "json"))
        return 0

    def federated(self, verb: str, _: list[str], found: dict[str, str]) -> int:
        """Create (over one of the same name), delete, list or show an identity's federated credentials."""
        identity = next(i for i in self.load("identities.json") if i["name"] == found["identity-name"])
        held, path = self.load("federated.json"), f"{identity['id']}/federatedIdentityCredentials/"
        own = f"{path}{found.get('name', '')}"
        others = [f for f in held if f["id"] != own]
        match verb:
            case "create":
                words = {key: found[key] for key in ("name", "issuer", "subject")}
                self.save("federated.json", [*others, {"id": own, **words, "audiences": [found["audiences"]]}])
            case "delete":
                self.save("federated.json", others)
            case "list":
                self.print([f for f in held if f["id"].startswith(path)], found["query"], found["output"])
            case "show" if held == others:
                self.err.append("ERROR: (ResourceNotFound) it was not found.\n")
                return 3
            case "show":
                self.print(next(f for f in held if f["id"] == own), found["query"], found["output"])
        return 0

    def gcloud(self, words: list[str]) -> int:
        positional, found = options(words, ("quiet",))
        command = " ".join(positional[:3])
        if command.startswith("iam roles"):
            return self.gcloud_role(positional[2], positional[3], found)
        if command.startswith("projects get-iam-policy"):
            return self.bound(self.load("project.json"), found)
        if command.startswith("iam service-accounts get-iam-policy"):
            policies = (self.load(p.name) for p in sorted(self.export.glob("sa-*.json")))
            body = next((b["policy"] for b in policies if b["serviceAccount"] == positional[3]), None)
            return self.bound(body, found) if body is not None else 1
        if re.match("projects (add|remove)-iam-policy-binding", command):
            self.bind("project.json", found, positional[1])
            return 0
        if re.match("iam service-accounts (add|remove)-iam-policy-binding", command):
            path = next(
                p for p in self.export.glob("sa-*.json") if self.load(p.name)["serviceAccount"] == positional[3]
            )
            body = self.load(path.name)
            self.save("policy.tmp", body["policy"])
            self.bind("policy.tmp", found, positional[2])
            self.save(path.name, {**body, "policy": self.load("policy.tmp")})
            (self.export / "policy.tmp").unlink()
            return 0
        if command.startswith("iam service-accounts describe"):
            there = [a["email"] for a in self.load("service-accounts.json") if a["email"] == positional[3]]
            self.out += [f"email: {email}\n" for email in there]
            return 0 if there else 1
        if command.startswith("iam service-accounts create"):
            return self.gcloud_account(positional[3], found)
        raise SystemExit(f"gcloud {words}: not known")

    def gcloud_role(self, verb: str, role: str, found: dict[str, str]) -> int:
        import yaml

        name = f"projects/{found['project']}/roles/{role}"
        assert re.fullmatch(r"[A-Za-z0-9_.]{3,64}", role), role
        path = next((p for p in self.export.glob("role-*.json") if self.load(p.name)["name"] == name), None)
        if verb == "describe":
            body = self.load(path.name) if path else {}
            shown = {"value(deleted)": "True" if body.get("deleted") else ""}
            shown["value(includedPermissions)"] = ";".join(body.get("includedPermissions", []))
            self.out.append(f"{shown.get(found.get('format', ''), name)}\n")
            return 0 if path else 1
        if verb == "undelete":
            assert path is not None, f"{name} is gone for good"
            self.save(path.name, {k: v for k, v in self.load(path.name).items() if k != "deleted"})
            return 0
        if verb == "create":
            assert path is None, f"{name} exists"
            body = yaml.safe_load(self.content(found["file"]))
            assert set(body) <= {"title", "description", "stage", "includedPermissions"}, body
            self.save(f"role-{role}.json", {"name": name, **body, "etag": "BwU="})
            return 0
        assert verb == "update", verb
        assert path is not None, f"{name} does not exist"
        body = self.load(path.name)
        assert not body.get("deleted"), f"{name} is deleted"
        body["includedPermissions"] = sorted({*body["includedPermissions"], *found["add-permissions"].split(",")})
        self.save(path.name, body)
        return 0

    def gcloud_account(self, name: str, found: dict[str, str]) -> int:
        assert re.fullmatch(r"[a-z]([-a-z0-9]{4,28})[a-z0-9]", name), name
        assert len(found["display-name"]) <= 100
        email = f"{name}@{found['project']}.iam.gserviceaccount.com"
        accounts = self.load("service-accounts.json")
        assert all(a["email"] != email for a in accounts), f"{email} exists"
        new = {
            "email": email,
            "name": f"projects/{found['project']}/serviceAccounts/{email}",
            "projectId": found["project"],
        }
        self.save("service-accounts.json", [*accounts, new])
        self.save(f"sa-{len(accounts)}.json", {"serviceAccount": email, "policy": {"bindings": [], "version": 1}})
        return 0

    def bound(self, policy: dict[str, Any], found: dict[str, str]) -> int:
        """Print the roles of the bindings without a condition that a filter picks."""
        assert (found["flatten"], found["format"]) == ("bindings[].members", "value(bindings.role)")
        form = r'bindings\.role="([^"]+)" AND bindings\.members="([^"]+)" AND NOT bindings\.condition:\*'
        picked = re.fullmatch(form, found["filter"])
        assert picked, found["filter"]
        held = (b for b in policy["bindings"] if b["role"] == picked[1] and not b.get("condition"))
        self.out += [f"{one['role']}\n" for one in held if picked[2] in one["members"]]
        return 0

    def bind(self, name: str, found: dict[str, str], verb: str) -> None:
        """Add or remove a member of the binding without a condition; removing one that is not there is an error."""
        body = self.load(name)
        entry = next((b for b in body["bindings"] if b["role"] == found["role"] and not b.get("condition")), None)
        if verb.startswith("remove"):
            assert entry is not None, f"no binding of {found['role']}"
            entry["members"].remove(found["member"])
        else:
            if entry is None:
                entry = {"role": found["role"], "members": []}
                body["bindings"].append(entry)
            entry["members"] = sorted({*entry["members"], found["member"]})
        self.save(name, body)

    def ibmcloud(self, words: list[str]) -> int:
        return fake_small_clouds.ibmcloud(self, words)

    def aliyun(self, words: list[str]) -> int:
        return fake_small_clouds.aliyun(self, words)

    def oc(self, words: list[str]) -> int:
        """Change a dumped cluster, where there is one; without one nothing exists."""
        if self.cluster is None:
            return 1 if words[0] == "get" else 0
        positional, found = options(words, ("overwrite",))
        match positional:
            case ["get", "namespace", name]:
                return 0 if (self.cluster / "namespaces" / name / f"{name}.yaml").exists() else 1
            case ["get", "secret", name]:
                there = [s["metadata"]["name"] for s in self.secrets_of(found["namespace"])]
                return 0 if name in there else 1
            case ["diff"]:
                return self.differs(found["f"])
            case ["create" | "apply"]:
                return self.store(positional[0], found["f"])
            case ["get", "cloudcredential.operator.openshift.io", "cluster"]:
                self.out.append(self.annotation())
                return 0
            case ["annotate", "cloudcredential.operator.openshift.io", "cluster", mark]:
                assert "overwrite" in found
                return self.annotate(mark)
        raise SystemExit(f"oc {words}: not known")

    def secrets_of(self, namespace: str) -> list[Any]:
        import yaml

        assert self.cluster is not None
        path = self.cluster / "namespaces" / namespace / "core" / "secrets.yaml"
        return list(yaml.safe_load(path.read_text())["items"]) if path.exists() else []

    def store(self, verb: str, file: str) -> int:
        import yaml

        assert self.cluster is not None
        body = yaml.safe_load(self.content(file))
        name, space = body["metadata"]["name"], body["metadata"].get("namespace", "")
        if body["kind"] == "Namespace":
            path = self.cluster / "namespaces" / name / f"{name}.yaml"
            assert verb == "apply" or not path.exists(), f"namespace {name} exists"
            path.parent.mkdir(parents=True)
            path.write_text(yaml.safe_dump(body))
            return 0
        assert body["kind"] == "Secret", body["kind"]
        folder = self.cluster / "namespaces" / space
        assert folder.is_dir(), f"namespace {space} not found"
        body["data"] = body.get("data", {}) | encoded(body.pop("stringData", {}))
        held = [s for s in self.secrets_of(space) if s["metadata"]["name"] != name]
        path = folder / "core" / "secrets.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "SecretList", "items": [*held, body]}))
        return 0

    def differs(self, file: str) -> int:
        """Tell whether a Secret is not as a file says, as `oc diff` does by its exit code."""
        import yaml

        body = yaml.safe_load(self.content(file))
        wanted = encoded(body.get("stringData", {}))
        held = (
            s
            for s in self.secrets_of(body["metadata"]["namespace"])
            if s["metadata"]["name"] == body["metadata"]["name"]
        )
        return 0 if any(wanted.items() <= s.get("data", {}).items() for s in held) else 1

    def annotation(self) -> str:
        import yaml

        assert self.cluster is not None
        path = self.cluster / "cluster-scoped-resources" / "operator.openshift.io" / "cloudcredentials" / "cluster.yaml"
        held = yaml.safe_load(path.read_text())["metadata"].get("annotations", {})
        return str(held.get("cloudcredential.openshift.io/upgradeable-to", ""))

    def annotate(self, mark: str) -> int:
        """Set the annotation, and let CCO see it: Upgradeable where it names a newer minor.

        See docs/facts/cco.md#annotation.
        """
        import yaml

        assert self.cluster is not None
        key, _, value = mark.partition("=")
        scoped = self.cluster / "cluster-scoped-resources"
        path = scoped / "operator.openshift.io" / "cloudcredentials" / "cluster.yaml"
        body = yaml.safe_load(path.read_text())
        body["metadata"].setdefault("annotations", {})[key] = value
        path.write_text(yaml.safe_dump(body))
        path = scoped / "config.openshift.io" / "clusteroperators" / "cloud-credential.yaml"
        body = yaml.safe_load(path.read_text())
        current = [int(part) for part in body["status"]["versions"][0]["version"].split(".")[:2]]
        said = [int(part) for part in value.removeprefix("v").split(".")[:2]]
        if key == "cloudcredential.openshift.io/upgradeable-to" and said > current:
            for one in body["status"]["conditions"]:
                if one["type"] == "Upgradeable":
                    one |= {"status": "True", "reason": "AsExpected", "message": ""}
            path.write_text(yaml.safe_dump(body))
        return 0


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


def encoded(plain: Mapping[str, str]) -> dict[str, str]:
    """Return values as a Secret's data holds them."""
    return {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}


def known_as(found: dict[str, str], principal: dict[str, Any]) -> bool:
    """Return whether `--assignee` names a principal by its client ID."""
    return found["assignee"] in (principal.get("clientId"), principal.get("appId"))
