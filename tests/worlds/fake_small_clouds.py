"""The command lines of IBM Cloud and Alibaba Cloud, as far as a bundle uses them: each call is applied to an export."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.worlds.fake_cli import CommandLines


def ibmcloud(tools: "CommandLines", words: list[str]) -> int:
    from tests.worlds.fake_cli import options

    positional, found = options(words, ("force",))
    names = {s["name"]: s for s in tools.load("service-ids.json")}
    chosen = next((s for s in names.values() if positional[2] in (s["name"], s["id"])), None)
    match positional[1]:
        case "service-id-create":
            number = len(names)
            new = {"id": f"ServiceId-{number}", "iam_id": f"iam-ServiceId-{number}", "name": positional[2]}
            tools.save("service-ids.json", [*names.values(), {**new, "account_id": "A1"}])
            return 0
        case _ if chosen is None:
            tools.err.append(f"FAILED\nService ID {positional[2]} was not found.\n")
            return 1
        case "service-id":
            tools.out.append(json.dumps([chosen]) + "\n")
            return 0
        case "service-policies":
            assert found["output"] == "json"
            held = [p for p in tools.load("policies.json") if subject_of(p) == chosen["iam_id"]]
            tools.out.append(json.dumps(held, indent=4) + "\n")
            return 0
        case "service-policy-create":
            body = json.loads(tools.content(found["file"]))
            policies = tools.load("policies.json")
            if any(same_policy(p, body, chosen["iam_id"]) for p in policies):
                tools.err.append("FAILED\nCode: policy_conflict_error\n")
                return 1
            body |= {
                "id": f"p{len(policies)}",
                "state": "active",
                "subjects": [{"attributes": [{"name": "iam_id", "value": chosen["iam_id"]}]}],
            }
            tools.save("policies.json", [*policies, body])
            return 0
    raise SystemExit(f"ibmcloud {words}: not known")


def subject_of(policy: dict[str, Any]) -> str:
    return str(policy["subjects"][0]["attributes"][0]["value"])


def same_policy(held: dict[str, Any], new: dict[str, Any], iam_id: str) -> bool:
    """Return whether IBM Cloud refuses a policy: one with the same roles and attributes stands for this subject."""

    def content(policy: dict[str, Any]) -> object:
        listed = [a for r in policy["resources"] for a in r["attributes"]]
        attributes = {(a["name"], a["value"], a.get("operator", "stringEquals")) for a in listed}
        state = policy.get("state", "active")
        return policy["type"], state, policy.get("rule"), {r["role_id"] for r in policy["roles"]}, attributes

    return subject_of(held) == iam_id and content(held) == content(new)


def aliyun(tools: "CommandLines", words: list[str]) -> int:
    """Keep users, policies with their versions, and who has which, in ram.json.

    Answers are as RAM's reference has them (api-ram-2015-05-01: GetPolicy, ListPoliciesForUser).
    """
    from tests.worlds.fake_cli import options

    (service, verb), found = options(words)
    assert service == "ram", words
    ram = tools.load("ram.json") if (tools.export / "ram.json").exists() else {"users": [], "policies": {}, "held": []}
    name, user = found.get("PolicyName", ""), found.get("UserName", "")
    known = {
        "GetUser": user in ram["users"],
        "ListPoliciesForUser": user in ram["users"],
        "AttachPolicyToUser": user in ram["users"] and name in ram["policies"],
        "GetPolicy": name in ram["policies"],
        "CreatePolicyVersion": name in ram["policies"],
    }
    if not known.get(verb, True):
        tools.err.append(f"ERROR: SDK.ServerError\nErrorCode: EntityNotExist.{'User' if user else 'Policy'}\n")
        return 1
    answer: dict[str, Any] = {"RequestId": "R"}
    match verb:
        case "CreateUser":
            ram["users"].append(user)
        case "CreatePolicy":
            assert name not in ram["policies"]
            ram["policies"][name] = [found["PolicyDocument"]]
        case "CreatePolicyVersion":
            assert found["SetAsDefault"] == "true"
            ram["policies"][name].append(found["PolicyDocument"])
        case "AttachPolicyToUser":
            if [name, user] in ram["held"]:
                tools.err.append("ERROR: SDK.ServerError\nErrorCode: EntityAlreadyExists.User.Policy\n")
                return 1
            ram["held"].append([name, user])
        case "GetPolicy":
            version = {"IsDefaultVersion": True, "PolicyDocument": ram["policies"][name][-1], "VersionId": "v1"}
            answer |= {"DefaultPolicyVersion": version, "Policy": {"PolicyName": name, "PolicyType": "Custom"}}
        case "ListPoliciesForUser":
            held = [{"PolicyName": p, "PolicyType": "Custom"} for p, u in ram["held"] if u == user]
            answer["Policies"] = {"Policy": held}
        case "GetUser":
            answer["User"] = {"UserName": user}
        case _:
            raise SystemExit(f"aliyun {words}: not known")
    tools.out.append(json.dumps(answer, indent=2) + "\n")
    tools.save("ram.json", ram)
    return 0
