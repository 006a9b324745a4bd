"""What Terraform's plans and states say of roles of AWS: who gets a policy for certain, perhaps, or not at all."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.policies import plan_of, policy, refers, told
from upgrade_gate.clouds.aws.declared import declarations
from upgrade_gate.clouds.contract.declared import Declaration, Part
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KIND = "AWSProviderSpec"
TAGS = Grant("action", "ec2:CreateTags", "Allow", "*")
NAME = "openshift-storage-cloud"
ALLOWED = json.dumps(policy("ec2:DescribeVolumes", "ec2:CreateTags"))
DENIED = json.dumps(policy("ec2:CreateTags", Effect="Deny"))
ROLE = {"type": "aws_iam_role", "name": NAME}
OTHER = {"type": "aws_iam_role", "name": "other"}
OWN = {"type": "aws_iam_role_policy", "name": "p", "role": NAME, "policy": ALLOWED}
REFERRING = {"type": "aws_iam_role_policy", "name": "q"}
ADDRESS = f"aws_iam_role.{NAME}"
COVERED, DENIED_, UNKNOWN = Coverage.COVERED, Coverage.DENIED, Coverage.UNKNOWN


def _by(document: str, *references: str, role: Mapping[str, Any] = ROLE) -> dict[str, Any]:
    """Return a plan in which a policy is put on what an expression with these references comes to."""
    address = "aws_iam_role_policy.q"
    unknown = {address: {"role": True}}
    return plan_of(
        role, OTHER, {**REFERRING, "policy": document}, unknown=unknown, **refers(address, role=[*references])
    )


PLAIN = (f"{ADDRESS}.id", ADDRESS)


@pytest.mark.parametrize(
    ("references", "verdict"),
    [
        (PLAIN, COVERED),
        (("var.role", *PLAIN), UNKNOWN),
        ((*PLAIN, "local.names", "each.value"), UNKNOWN),
        ((*PLAIN, "aws_iam_role.other.id", "aws_iam_role.other"), UNKNOWN),
        ((f"{ADDRESS}.tags.owner", f"{ADDRESS}.tags", ADDRESS), UNKNOWN),
        ((ADDRESS,), UNKNOWN),
        ((f"{ADDRESS}.name", ADDRESS), UNKNOWN),  # its name is known, so that a plain reference would be
        (("module.roles.name", "module.roles"), UNKNOWN),
    ],
)
def test_only_a_plain_reference_says_which_role_gets_a_policy(
    references: tuple[str, ...], verdict: Coverage, tmp_path: Path
) -> None:
    plan = _by(ALLOWED, *references)
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is verdict
    denying = _by(DENIED, *references)
    denying["planned_values"]["root_module"]["resources"].append(
        plan_of(OWN)["planned_values"]["root_module"]["resources"][0]
    )
    found = told(tmp_path, {"plan.json": denying}, KIND, TAGS).verdict
    assert found is (DENIED_ if verdict is COVERED else UNKNOWN)


def test_a_list_that_is_stated_is_not_what_its_expression_refers_to(tmp_path: Path) -> None:
    managed = {"type": "aws_iam_policy", "name": "m", "arn": "arn:aws:iam::1:policy/m", "policy": ALLOWED}
    listed = {"type": "aws_iam_policy_attachment", "name": "t", "policy_arn": managed["arn"], "roles": [f"x-{NAME}"]}
    plan = plan_of(ROLE, managed, listed, **refers("aws_iam_policy_attachment.t", roles=[f"{ADDRESS}.name", ADDRESS]))
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is not COVERED


def _instances(roles: int, policies: int, *references: str) -> dict[str, Any]:
    """Return a plan of counted roles, the last of which serves the Secret, and counted policies."""
    made = plan_of(
        *({**ROLE, "name": NAME if n == roles - 1 else f"r{n}"} for n in range(roles)),
        *({**REFERRING, "policy": ALLOWED} for _ in range(policies)),
    )
    listed = made["planned_values"]["root_module"]["resources"]
    for number, one in enumerate(listed):
        one["name"] = one["type"][8:]
        one["address"] = f"{one['type']}.{one['name']}[{number if number < roles else number - roles}]"
    addresses = [one["address"] for one in listed[roles:]]
    made["resource_changes"] = [{"address": a, "change": {"after_unknown": {"role": True}}} for a in addresses]
    return made | refers("aws_iam_role_policy.role_policy", role=[*references])


@pytest.mark.parametrize(
    ("roles", "policies", "references", "verdict"),
    [
        (2, 2, ("aws_iam_role.role", "count.index"), COVERED),
        (2, 2, ("aws_iam_role.role", "each.key"), COVERED),
        (2, 2, ("aws_iam_role.role", "each.value"), UNKNOWN),
        (2, 2, ("aws_iam_role.role", "count.index", "var.shift"), UNKNOWN),
        (2, 4, ("aws_iam_role.role", "count.index"), UNKNOWN),
        (2, 2, ("aws_iam_role.role[1].id", "aws_iam_role.role[1]", "aws_iam_role.role"), COVERED),
        (2, 2, ("aws_iam_role.role[0].id", "aws_iam_role.role[0]", "aws_iam_role.role"), UNKNOWN),
    ],
)
def test_an_instance_is_that_of_the_index_or_of_the_same_key(
    roles: int, policies: int, references: tuple[str, ...], verdict: Coverage, tmp_path: Path
) -> None:
    plan = _instances(roles, policies, *references)
    found = told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict
    assert found is verdict or (verdict is UNKNOWN and found is Coverage.MISSING)


@pytest.mark.parametrize("module", ["module.a", 'module.a["x.y"]', "module.a[0].module.b"])
def test_references_of_a_module_mean_what_lies_in_it(module: str, tmp_path: Path) -> None:
    inner = plan_of(ROLE, {**REFERRING, "policy": ALLOWED})["planned_values"]["root_module"]
    for one in inner["resources"]:
        one["address"] = f"{module}.{one['address']}"
    configured = refers("aws_iam_role_policy.q", role=[*PLAIN])["configuration"]["root_module"]
    for name in reversed([part.partition("[")[0] for part in module.split("module.") if part]):
        configured = {"module_calls": {name.strip("."): {"module": configured}}}
    plan = plan_of(unknown={f"{module}.aws_iam_role_policy.q": {"role": True}})
    plan["planned_values"]["root_module"] = {"child_modules": [{"address": module, **inner}]}
    plan["configuration"] = {"root_module": configured}
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is COVERED
    other = copy.deepcopy(plan)
    other["planned_values"]["root_module"]["child_modules"][0]["resources"][0]["address"] = ADDRESS
    assert told(tmp_path, {"plan.json": other}, KIND, TAGS).verdict is not COVERED


@pytest.mark.parametrize(("provider", "verdict"), [("aws", COVERED), ("aws.other", UNKNOWN)])
@pytest.mark.parametrize("document", [ALLOWED, DENIED])
def test_a_role_of_another_provider_may_be_one_of_another_account(
    provider: str, verdict: Coverage, document: str, tmp_path: Path
) -> None:
    put = {**OWN, "name": "q", "policy": document}
    plan = plan_of(ROLE, put, *([OWN] if document is DENIED else []))
    listed = [
        {"address": ADDRESS, "provider_config_key": "aws"},
        {"address": "aws_iam_role_policy.p", "provider_config_key": "aws"},
        {"address": "aws_iam_role_policy.q", "provider_config_key": provider},
    ]
    plan["configuration"] = {"root_module": {"resources": listed}}
    found = told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict
    assert found is (DENIED_ if document is DENIED and verdict is COVERED else verdict)


def _state(*resources: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a raw state of Terraform with these resources, each its own attributes."""
    listed = [
        {
            "mode": "managed",
            "type": r["type"],
            "name": r["name"],
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"schema_version": 0, "attributes": dict(r)}],
        }
        for r in resources
    ]
    return {"version": 4, "terraform_version": "1.9.0", "serial": 3, "lineage": "x", "resources": listed, **more}


FLAT = {"mode": "managed", "type": "aws_iam_role", "name": "r", "instances": [{"attributes_flat": {"name": "r"}}]}
DEPOSED = {
    "mode": "managed",
    "type": "aws_iam_role_policy",
    "name": "z",
    "instances": [{"deposed": "0123abcd", "attributes": {"role": "r", "policy": DENIED}}],
}
STATES: dict[str, tuple[dict[str, Any], Coverage]] = {
    "allowed": (_state(ROLE, OWN), COVERED),
    "denied": (_state(ROLE, OWN, {**OWN, "name": "q", "policy": DENIED}), DENIED_),
    "denied to another role": (_state(ROLE, OTHER, OWN, {**OWN, "role": "other", "policy": DENIED}), COVERED),
    "data": (_state(ROLE, OWN) | {"resources": [*_state(ROLE, OWN)["resources"], {"mode": "data"}]}, COVERED),
    "of an older version": (_state(ROLE, OWN, version=3), UNKNOWN),
    "encrypted": ({"serial": 1, "lineage": "x", "encrypted_data": "eA==", "encryption_version": "v0"}, UNKNOWN),
    "flat attributes": (_state(resources=[*_state(ROLE, OWN)["resources"], FLAT]), UNKNOWN),
    "instances that are none": (_state(resources=[*_state(ROLE, OWN)["resources"], {**FLAT, "instances": 7}]), UNKNOWN),
    "an object to be destroyed": (_state(resources=[*_state(ROLE, OWN)["resources"], DEPOSED]), UNKNOWN),
}


@pytest.mark.parametrize("name", STATES)
def test_a_raw_state_is_read_or_makes_unknown(name: str, tmp_path: Path) -> None:
    state, verdict = STATES[name]
    files = (
        {"terraform.tfstate": state, f"{NAME}.json": json.loads(ALLOWED)}
        if verdict is UNKNOWN
        else {"t.tfstate": state}
    )
    if verdict is UNKNOWN and "version" in state and state["version"] == 4:
        del files[f"{NAME}.json"]
    assert told(tmp_path, files, KIND, TAGS).verdict is verdict


def test_instances_of_a_raw_state_are_told_apart(tmp_path: Path) -> None:
    state = _state(ROLE, OWN)
    roles, policies = state["resources"]
    roles["name"] = "r"
    for one in (roles, policies):
        other = copy.deepcopy(one["instances"][0])
        one["instances"][0]["index_key"] = "a"
        other["index_key"] = 'b"c'
        one["instances"].append(other)
    roles["instances"][1]["attributes"]["name"] = "other"
    policies["instances"][1]["attributes"]["role"] = "other"
    assert told(tmp_path, {"t.tfstate": state}, KIND, TAGS).verdict is COVERED


def _changed(plan: dict[str, Any], resource: Mapping[str, Any], *actions: str, **more: Any) -> dict[str, Any]:
    address = f"{resource['type']}.{resource['name']}"
    change = {"actions": list(actions), "before": dict(resource), "after": None, "after_unknown": {}}
    entry = {
        "address": address,
        "mode": "managed",
        "type": resource["type"],
        "name": resource["name"],
        "change": change,
    }
    return {**plan, "resource_changes": [*plan["resource_changes"], {**entry, **more}]}


WAS = {**OWN, "name": "q", "policy": DENIED}


@pytest.mark.parametrize(
    ("actions", "verdict"),
    [(("delete",), COVERED), (("forget",), DENIED_), (("create", "forget"), DENIED_), (("no-op",), COVERED)],
)
def test_what_a_plan_forgets_stays_and_what_it_deletes_does_not(
    actions: tuple[str, ...], verdict: Coverage, tmp_path: Path
) -> None:
    plan = _changed(plan_of(ROLE, OWN), WAS, *actions)
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is verdict
    empty = _changed(plan_of(), WAS, *actions)
    files = {"plan.json": empty, f"{NAME}.json": json.loads(ALLOWED)}
    assert (told(tmp_path, files, KIND, TAGS).verdict is COVERED) is (verdict is COVERED)


def test_what_is_open_of_an_object_is_not_hidden_by_the_one_that_it_replaced(tmp_path: Path) -> None:
    put = {**OWN, "policy": None}
    plan = plan_of(ROLE, put, unknown={"aws_iam_role_policy.p": {"policy": True}})
    plan = _changed(plan, {**OWN, "policy": ALLOWED}, "delete", deposed="0123abcd")
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is UNKNOWN


@pytest.mark.parametrize(("version", "verdict"), [("0.2", COVERED), ("1.9", COVERED), ("2.0", UNKNOWN), (1.2, COVERED)])
def test_a_format_of_tomorrow_is_not_known(version: Any, verdict: Coverage, tmp_path: Path) -> None:
    plan = plan_of(ROLE, OWN, format_version=version)
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is verdict


def test_an_incomplete_plan_may_take_away_what_another_file_gives(tmp_path: Path) -> None:
    files = {"plan.json": plan_of(OTHER, errored=True), f"{NAME}.json": json.loads(ALLOWED)}
    assert told(tmp_path, files, KIND, TAGS).verdict is UNKNOWN


def _new(action: str = "create") -> dict[str, Any]:
    """Return how a plan tells of a role of which only the provider knows what stands within."""
    filled_in = {"arn": True, "inline_policy": True, "managed_policy_arns": True}
    return {"resource_changes": [{"address": ADDRESS, "change": {"actions": [action], "after_unknown": filled_in}}]}


ARN = "arn:aws:iam::1:policy/m"
MANAGED = {"type": "aws_iam_policy", "name": "m", "arn": ARN, "policy": ALLOWED}
ATTACHED = {"type": "aws_iam_role_policy_attachment", "name": "t", "role": NAME, "policy_arn": ARN}
LISTING = {"type": "aws_iam_policy_attachment", "name": "l", "roles": ["other"], "policy_arn": ARN}
EMPTY = {**ROLE, "inline_policy": [{"name": "", "policy": ""}]}
KEEPING: dict[str, tuple[dict[str, Any], Coverage]] = {
    "no policy within": (plan_of(EMPTY, OWN), COVERED),
    "a policy within, known after apply": (
        plan_of(EMPTY, OWN, unknown={ADDRESS: {"inline_policy": [{"policy": True}]}}),
        UNKNOWN,
    ),
    "policies within, known after apply": (plan_of(ROLE, OWN, unknown={ADDRESS: {"inline_policy": True}}), UNKNOWN),
    "policies within a new role, filled in by the provider": (
        plan_of(ROLE, OWN, **_new(), **refers(ADDRESS, assume_role_policy=[])),
        COVERED,
    ),
    "policies within a new role, which its configuration gives": (
        plan_of(ROLE, OWN, **_new(), **refers(ADDRESS, inline_policy=[])),
        UNKNOWN,
    ),
    "policies within a new role, and no configuration": (plan_of(ROLE, OWN, **_new()), UNKNOWN),
    "policies within a role that is changed": (
        plan_of(ROLE, OWN, **_new("update"), **refers(ADDRESS, assume_role_policy=[])),
        UNKNOWN,
    ),
    "a list without the role": (plan_of(ROLE, OTHER, MANAGED, ATTACHED, LISTING), UNKNOWN),
    "a list with the role": (plan_of(ROLE, OTHER, MANAGED, ATTACHED, {**LISTING, "roles": ["other", NAME]}), COVERED),
    "a list of another policy": (
        plan_of(ROLE, OTHER, MANAGED, ATTACHED, {**LISTING, "policy_arn": f"{ARN}2"}),
        COVERED,
    ),
    "attached as the role itself shows": (plan_of({**ROLE, "managed_policy_arns": [ARN]}, MANAGED, ATTACHED), COVERED),
    "attached besides as the role itself shows": (
        plan_of({**ROLE, "managed_policy_arns": [ARN, "x"]}, MANAGED),
        UNKNOWN,
    ),
    "another policy within, which the role says": (
        plan_of(
            {**ROLE, "inline_policy": [{"name": "i", "policy": ALLOWED}]}, OWN, **refers(ADDRESS, inline_policy=[])
        ),
        UNKNOWN,
    ),
    "another attachment than the role says": (
        plan_of({**ROLE, "managed_policy_arns": []}, MANAGED, ATTACHED, **refers(ADDRESS, managed_policy_arns=[])),
        UNKNOWN,
    ),
}


@pytest.mark.parametrize("name", KEEPING)
def test_a_resource_that_takes_what_it_does_not_list_is_seen(name: str, tmp_path: Path) -> None:
    plan, verdict = KEEPING[name]
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is verdict


NARROW = json.dumps(policy("ec2:DescribeVolumes"))
SHOWING = {**ROLE, "inline_policy": [{"name": "p", "policy": ALLOWED}], "managed_policy_arns": [ARN]}
"""A role as the provider fills it in: what the cloud has before the plan is applied."""


@pytest.mark.parametrize(
    ("role", "beside", "destroyed", "verdict"),
    [
        (SHOWING, [], [OWN, ATTACHED], Coverage.MISSING),
        (SHOWING, [], [OWN, {**LISTING, "roles": [NAME]}], Coverage.MISSING),
        (SHOWING, [{**OWN, "policy": NARROW}], [OWN, ATTACHED], Coverage.MISSING),
        (SHOWING, [{**OWN, "policy": NARROW}, ATTACHED], [OWN, ATTACHED], COVERED),
        (SHOWING, [OWN], [OWN, ATTACHED], COVERED),
        (SHOWING, [], [], COVERED),
        (SHOWING, [], [OWN], COVERED),
        (SHOWING, [], [ATTACHED], COVERED),
        (SHOWING, [], [{**OWN, "role": "other"}, {**ATTACHED, "role": "other"}], COVERED),
        (SHOWING, [], [{**OWN, "name": "q"}, {**ATTACHED, "policy_arn": f"{ARN}2"}], COVERED),
        (SHOWING, [], [{**OWN, "mode": "data"}, ATTACHED], COVERED),
        ({**SHOWING, "inline_policy": [{"name": "", "policy": ALLOWED}]}, [], [{**OWN, "name": ""}, ATTACHED], COVERED),
        ({**SHOWING, "managed_policy_arns": []}, [{**OWN, "policy": NARROW}], [], Coverage.MISSING),
    ],
)
def test_what_a_role_shows_of_policies_that_the_plan_changes_or_destroys_is_past(
    role: dict[str, Any],
    beside: list[dict[str, Any]],
    destroyed: list[dict[str, Any]],
    verdict: Coverage,
    tmp_path: Path,
) -> None:
    changes = [
        {"mode": "managed", **one, "address": f"{one['type']}.{one['name']}", "change": {"before": one}}
        for one in destroyed
    ]
    plan = {**plan_of(role, MANAGED, *beside), "resource_changes": changes}
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is verdict


@pytest.mark.parametrize("argument", ["inline_policy", "managed_policy_arns"])
def test_what_the_configuration_gives_a_role_is_no_past(argument: str, tmp_path: Path) -> None:
    plan = plan_of({**ROLE, argument: SHOWING[argument]}, MANAGED, **refers(ADDRESS, **{argument: []}))
    changes = [{"type": one["type"], "name": one["name"], "change": {"before": one}} for one in (OWN, ATTACHED)]
    assert told(tmp_path, {"plan.json": {**plan, "resource_changes": changes}}, KIND, TAGS).verdict is COVERED


GIVEN = [{"type": "aws_iam_policy", "name": "m", "policy": ALLOWED}]
GUARD = [OWN, {"type": "aws_iam_policy", "name": "m", "policy": DENIED}]
EXCLUSIVE = {"type": "aws_iam_role_policy_attachments_exclusive", "name": "e", "role_name": NAME, "policy_arns": []}
BY_NAME = ["aws_iam_policy.m.arn", "aws_iam_policy.m"]


@pytest.mark.parametrize(
    ("beside", "unknown", "configured", "verdict"),
    [
        (GIVEN, True, {"managed_policy_arns": BY_NAME}, COVERED),
        (GIVEN, [True], {"managed_policy_arns": BY_NAME}, COVERED),
        ([*GIVEN, EXCLUSIVE], True, {"managed_policy_arns": BY_NAME}, UNKNOWN),
        (GUARD, True, {"managed_policy_arns": BY_NAME}, DENIED_),
        (GUARD, True, {"managed_policy_arns": [*BY_NAME, "var.more"]}, UNKNOWN),
        (GUARD, [True], {"managed_policy_arns": ["var.more"]}, UNKNOWN),
        (GUARD, True, {"assume_role_policy": []}, UNKNOWN),  # of a new role the provider fills it in: see KEEPING
        (GUARD, True, {}, UNKNOWN),
        (GUARD, False, {"managed_policy_arns": []}, COVERED),
    ],
)
def test_what_a_role_attaches_itself_may_be_known_after_apply(
    beside: list[dict[str, Any]], unknown: Any, configured: dict[str, list[str]], verdict: Coverage, tmp_path: Path
) -> None:
    opened = {ADDRESS: {"managed_policy_arns": unknown}, "aws_iam_policy.m": {"arn": True}}
    plan = plan_of(ROLE, *beside, unknown=opened, **refers(ADDRESS, **configured))
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is verdict


# --- the organisation ---

SCP = {"type": "aws_organizations_policy", "name": "s", "id": "p-1"}
ABOVE = {"type": "aws_organizations_policy_attachment", "name": "a", "policy_id": "p-1", "target_id": "r-1"}
ORGANISATION: dict[str, tuple[tuple[dict[str, Any], ...], Coverage]] = {
    "denied": (({**SCP, "content": DENIED}, ABOVE), UNKNOWN),
    "denied and put on nothing here": (({**SCP, "content": DENIED},), UNKNOWN),
    "something else denied": (({**SCP, "content": json.dumps(policy("s3:*", Effect="Deny"))}, ABOVE), COVERED),
    "denied to resources": (
        ({**SCP, "type_": 1, "content": json.dumps(policy("ec2:*", Effect="Deny", Principal="*"))}, ABOVE),
        UNKNOWN,
    ),
    "something else denied to resources": (
        ({**SCP, "content": json.dumps(policy("s3:*", Effect="Deny", Principal="*"))},),
        COVERED,
    ),
    "all allowed": (({**SCP, "content": json.dumps(policy("*"))},), COVERED),
    "it among others allowed": (({**SCP, "content": json.dumps(policy("ec2:*", "s3:*"))},), COVERED),
    "others allowed": (({**SCP, "content": json.dumps(policy("s3:*"))},), UNKNOWN),
    "allowed under a condition": (
        ({**SCP, "content": json.dumps(policy("*", Condition={"Bool": {"a": "b"}}))},),
        UNKNOWN,
    ),
    "all but others allowed": (
        ({**SCP, "content": json.dumps({"Statement": {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}})},),
        UNKNOWN,
    ),
    "no content": ((SCP,), UNKNOWN),
    "no statements": (({**SCP, "content": "{}"},), UNKNOWN),
    "a policy of another file": ((ABOVE,), UNKNOWN),
    "what every organisation has": (({**ABOVE, "policy_id": "p-FullAWSAccess"},), COVERED),
}


@pytest.mark.parametrize("name", ORGANISATION)
@pytest.mark.parametrize("together", [True, False])
def test_what_a_policy_of_the_organisation_may_deny_is_not_passed_over(
    name: str, *, together: bool, tmp_path: Path
) -> None:
    above, verdict = ORGANISATION[name]
    files = (
        {"plan.json": plan_of(ROLE, OWN, *above)}
        if together
        else {"plan.json": plan_of(ROLE, OWN), "organisation.json": plan_of(*above)}
    )
    assert told(tmp_path, files, KIND, TAGS).verdict is verdict


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("SERVICE_CONTROL_POLICY", UNKNOWN), ("RESOURCE_CONTROL_POLICY", UNKNOWN), ("TAG_POLICY", COVERED)],
)
def test_policies_of_an_organisation_that_deny_nothing_are_of_no_concern(
    kind: str, verdict: Coverage, tmp_path: Path
) -> None:
    plan = plan_of(ROLE, OWN, {**SCP, "content": DENIED})
    plan["planned_values"]["root_module"]["resources"][-1]["values"]["type"] = kind
    assert told(tmp_path, {"plan.json": plan}, KIND, TAGS).verdict is verdict
    resource = {"Type": "AWS::Organizations::Policy", "Properties": {"Type": kind, "Content": json.loads(DENIED)}}
    files = {"plan.json": plan_of(ROLE, OWN), "stack.json": {"Resources": {"S": resource}}}
    assert told(tmp_path, files, KIND, TAGS).verdict is verdict


# --- piece by piece ---

POLICY = policy("ec2:*")
DENIAL = policy("ec2:*", Effect="Deny")
TEXTS = {"allow": json.dumps(POLICY), "deny": json.dumps(DENIAL)}


def _put(kind: str, name: str, **values: Any) -> dict[str, Any]:
    return {"type": f"aws_iam_{kind}", "name": name, **values}


def _declared(*resources: dict[str, Any], **more: Any) -> list[Declaration]:
    return list(declarations(plan_of(*resources, **more)))


def _place(number: int, *more: str | int) -> tuple[str | int, ...]:
    return ("planned_values", "root_module", "resources", number, "values", *more)


def test_a_role_has_its_own_policies_what_is_attached_to_it_and_what_stands_in_it() -> None:
    trust = json.dumps({"Statement": []})
    role = _put(
        "role",
        "r",
        assume_role_policy=trust,
        permissions_boundary="arn:b",
        inline_policy=[{"name": "i", "policy": TEXTS["allow"]}],
        managed_policy_arns=["arn:m2", "arn:aws"],
    )
    first, second = (_put("policy", f"m{n}", arn=f"arn:m{n}", policy=TEXTS["allow"]) for n in (1, 2))
    own = _put("role_policy", "p", role="r", policy=TEXTS["deny"])
    attached = _put("role_policy_attachment", "t", role="r", policy_arn="arn:m1")
    foreign = _put("role_policy_attachment", "u", role="r", policy_arn="arn:x")
    unsaid = _put("role_policy_attachment", "v", role="r")
    listed = _put("policy_attachment", "w", roles=["r"], policy_arn="arn:m1")
    user, bare = _put("user", "s", permissions_boundary=""), _put("user", "z")
    of_user = _put("user_policy", "q", user="s", policy=TEXTS["allow"])
    found = _declared(role, first, second, own, attached, foreign, unsaid, listed, user, of_user, bare)
    assert found[0] == Declaration(
        (
            Part("aws_iam_role_policy.p", TEXTS["deny"], TEXTS["deny"], _place(3, "policy")),
            Part("aws_iam_policy.m1", TEXTS["allow"], TEXTS["allow"], _place(1, "policy")),
            Part("aws_iam_role.r", TEXTS["allow"], TEXTS["allow"], _place(0, "inline_policy", 0, "policy")),
            Part("aws_iam_policy.m2", TEXTS["allow"], TEXTS["allow"], _place(2, "policy")),
        ),
        ("r", "aws_iam_role.r"),
        ("r",),
        rest={
            "AttachedManagedPolicies": [
                {"PolicyArn": name, "PolicyName": name}
                for name in ("arn:x", "that aws_iam_role_policy_attachment.v attaches", "arn:aws")
            ],
            "PermissionsBoundary": "arn:b",
            "AssumeRolePolicyDocument": trust,
        },
        path=_place(0),
        trusts=True,
    )
    part = Part("aws_iam_user_policy.q", TEXTS["allow"], TEXTS["allow"], _place(9, "policy"))
    rest: dict[str, Any] = {"AttachedManagedPolicies": []}
    assert found[1:] == [
        Declaration((part,), ("s", "aws_iam_user.s"), ("s",), rest=rest, path=_place(8)),
        Declaration((), ("z", "aws_iam_user.z"), ("z",), rest=rest, path=_place(10)),
    ]


def test_a_policy_that_is_put_on_nobody_of_the_file_is_declared_by_itself() -> None:
    managed = _put("policy", "m", arn="arn:m", policy=TEXTS["allow"])
    found = _declared(managed, _put("role_policy", "p", role="x", policy=TEXTS["allow"]))
    assert found == [
        Declaration(
            (Part("aws_iam_role_policy.p", TEXTS["allow"], TEXTS["allow"], _place(1, "policy")),),
            ("p", "aws_iam_role_policy.p"),
            ("x",),
            path=_place(1),
        ),
        Declaration(
            (Part("aws_iam_policy.m", TEXTS["allow"], TEXTS["allow"], _place(0, "policy")),),
            ("m", "aws_iam_policy.m"),
            path=_place(0),
        ),
    ]


def test_a_role_of_which_nothing_is_known_but_that_it_is_there() -> None:
    unknown = dict.fromkeys(("name", "permissions_boundary", "assume_role_policy", "inline_policy"), True)
    (found,) = _declared({"type": "aws_iam_role", "name": "r"}, unknown={"aws_iam_role.r": unknown})
    (part,) = found.parts
    assert (part.name, part.opened) == ("aws_iam_role.r", ("inline policy 1 of aws_iam_role.r",))
    assert found == Declaration(
        (part,),
        ("aws_iam_role.r", "r"),
        rest={
            "AttachedManagedPolicies": [],
            "PermissionsBoundary": "permissions_boundary of aws_iam_role.r, known after apply",
        },
        path=_place(0),
        trusts=True,
    )


def test_inline_policies_are_open_one_by_one() -> None:
    role = _put("role", "r", inline_policy=[{"policy": TEXTS["allow"]}, {"policy": None}, {"policy": ""}, {}])
    for unknown, left in (([{"policy": False}], []), ([{}, {"policy": True}], [1, 2, 3]), ([{}, True], [1, 2, 3])):
        (found,) = _declared(role, unknown={"aws_iam_role.r": {"inline_policy": unknown}})
        assert [(part.path[-2], part.opened) for part in found.parts] == [
            (0, ()),
            *((number, (f"inline policy {number + 1} of aws_iam_role.r",)) for number in left),
        ]
    (found,) = _declared(_put("role", "r", inline_policy=[{"policy": ""}, {"policy": TEXTS["allow"]}]))
    assert [part.path[-2] for part in found.parts] == [1]
    (found,) = _declared(_put("role", "r", inline_policy=[{"policy": 7}, "x"]))
    assert [part.opened for part in found.parts] == [
        ("inline policy 1 of aws_iam_role.r",),
        ("inline policy 2 of aws_iam_role.r",),
    ]
    (found,) = _declared(_put("role", "r", inline_policy={"policy": TEXTS["allow"]}))
    assert [part.opened for part in found.parts] == [()]


@pytest.mark.parametrize(
    ("put", "reach", "parts", "rest"),
    [
        (_put("role_policy", "p", role="x", policy=TEXTS["deny"]), ("x",), 1, False),
        (_put("role_policy", "p", role="x", policy=TEXTS["allow"]), None, 0, False),
        (_put("role_policy", "p", policy=TEXTS["deny"]), (), 1, False),
        (_put("role_policy", "p", role="", policy=TEXTS["deny"]), (), 1, False),
        (_put("role_policy", "p", policy=TEXTS["allow"]), None, 0, False),
        (_put("role_policy_attachment", "p", role="x", policy_arn="arn:y"), ("x",), 0, True),
        (_put("role_policy_attachment", "p", policy_arn="arn:y"), (), 1, False),
        (_put("policy_attachment", "p", roles=["x", "r", "y"], policy_arn="arn:y"), ("x", "y"), 0, True),
        (_put("policy_attachment", "p", users=["x"], policy_arn="arn:y"), ("x",), 0, True),
        (_put("policy_attachment", "p", groups=["x"], policy_arn="arn:y"), None, 0, False),
        (_put("user_group_membership", "p", user="x"), ("x",), 0, True),
        (_put("user_group_membership", "p"), (), 1, False),
        (_put("group_membership", "p", users=["x"]), ("x",), 0, True),
        (_put("group_policy", "p", group="x", policy=TEXTS["deny"]), None, 0, False),
    ],
)
def test_what_may_take_away_from_others_says_from_whom(
    put: dict[str, Any], reach: tuple[str, ...] | None, parts: int, rest: bool
) -> None:
    found = [one for one in _declared(_put("role", "r"), put) if one.reach is not None]
    shown = put.get("policy_arn", f"that {put['type']}.p attaches")
    unseen = {"AttachedManagedPolicies": [{"PolicyArn": shown, "PolicyName": shown}]} if rest else {}
    expected = [] if reach is None else [(reach, parts, unseen)]
    assert [(one.reach, len(one.parts), one.rest) for one in found] == expected
    assert all(part.name == f"{put['type']}.p" for one in found for part in one.parts)


@pytest.mark.parametrize("kind", ["role", "user"])
@pytest.mark.parametrize(
    ("type_", "argument", "taken"),
    [
        ("policies_exclusive", "policy_names", "policy"),
        ("policy_attachments_exclusive", "policy_arns", "policy_attachment"),
    ],
)
def test_an_exclusive_resource_takes_what_it_does_not_list(kind: str, type_: str, argument: str, taken: str) -> None:
    def doubts(*listed: str, **more: Any) -> tuple[tuple[str, ...], list[Any]]:
        holder = _put(kind, "h")
        own = _put(f"{kind}_{taken}", "p", policy=TEXTS["allow"], policy_arn="p", **{kind: "h"})
        exclusive = _put(f"{kind}_{type_}", "e", **{f"{kind}_name": "h", argument: list(listed), **more})
        first, *others = _declared(holder, own, exclusive)
        return first.doubts, [(one.reach, one.doubts) for one in others if one.reach is not None]

    takes = f"aws_iam_{kind}_{type_}.e takes away what it does not list"
    assert doubts("p") == ((), [])
    assert doubts("p", "q") == ((), [])
    assert doubts() == ((takes,), [])
    assert doubts("q") == ((takes,), [])
    assert doubts("q", **{f"{kind}_name": "x"}) == ((), [(("x",), (takes,))])
    assert doubts("q", **{f"{kind}_name": None}) == ((takes,), [((), (takes,))])


_R = _put("role", "r", arn="x")
_OWN = _put("role_policy", "p", role="r", policy=TEXTS["allow"])
_M = _put("policy", "m", arn="arn:m", policy=TEXTS["allow"])
_ATTACHED = _put("role_policy_attachment", "t", role="r", policy_arn="arn:m")
_ONLY = _put("role_policies_exclusive", "e", role_name="r")
_ONLY_ATTACHED = _put("role_policy_attachments_exclusive", "f", role_name="r")
_LIST = _put("policy_attachment", "l", roles=["r"], policy_arn="arn:m")
_E, _F, _L = (
    f"aws_iam_{name} takes away what it does not list"
    for name in ("role_policies_exclusive.e", "role_policy_attachments_exclusive.f", "policy_attachment.l")
)
_INLINE = {**_R, "inline_policy": [{"name": "i", "policy": TEXTS["allow"]}]}
TAKING: list[tuple[list[dict[str, Any]], tuple[str, ...]]] = [
    ([_INLINE, {**_ONLY, "policy_names": ["i"]}], ()),
    ([_INLINE, {**_ONLY, "policy_names": ["p"]}], (_E,)),
    ([_INLINE, _OWN, {**_ONLY, "policy_names": ["i", "p"]}], ()),
    ([{**_R, "managed_policy_arns": ["arn:m"]}, {**_ONLY_ATTACHED, "policy_arns": ["arn:m"]}], ()),
    ([{**_R, "managed_policy_arns": ["arn:m"]}, {**_ONLY_ATTACHED, "policy_arns": []}], (_F,)),
    ([_R, _LIST, {**_ONLY_ATTACHED, "policy_arns": ["arn:m"]}], ()),
    ([_R, _LIST, {**_ONLY_ATTACHED, "policy_arns": ["arn:n"]}], (_F,)),
    ([_R, {**_LIST, "roles": ["x"]}, {**_ONLY_ATTACHED, "policy_arns": []}], ()),
    ([_R, _OWN, {**_ONLY_ATTACHED, "policy_arns": []}], ()),
    ([_R, _ATTACHED, {**_ONLY, "policy_names": []}], ()),
    ([_R, {**_ATTACHED, "policy_arn": None}, {**_ONLY_ATTACHED, "policy_arns": ["arn:m"]}], (_F,)),
    ([_R, _OWN, {**_ONLY, "role_name": "x"}, {**_ONLY, "name": "e"}], (_E,)),
    ([_R, {**_OWN, "role": "x"}, _ONLY], ()),
    ([_R, _M, _ATTACHED, {**_LIST, "roles": ["x"]}], (_L,)),
    ([_R, _M, _ATTACHED, {**_LIST, "roles": ["x"], "policy_arn": "arn:n"}], ()),
    ([_R, _ATTACHED, {**_LIST, "roles": ["x"]}], (_L,)),
    ([_R, {**_ATTACHED, "policy_arn": None}, {**_LIST, "roles": ["x"]}], (_L,)),
    ([_R, _ATTACHED, {**_LIST, "roles": ["x"], "policy_arn": None}], (_L,)),
    ([_R, {**_ATTACHED, "role": "x"}, {**_LIST, "roles": ["x"], "policy_arn": None}], ()),
    ([_R, _OWN, {**_LIST, "roles": ["x"]}], ()),
    ([_R, _M, _ATTACHED, _LIST], ()),
    ([_R, _M, _ATTACHED, {**_ATTACHED, "name": "u", "role": "x"}], ()),
]


@pytest.mark.parametrize(("resources", "doubts"), TAKING)
def test_what_takes_from_a_role_something_that_it_is_given(
    resources: list[dict[str, Any]], doubts: tuple[str, ...]
) -> None:
    assert _declared(*resources)[0].doubts == doubts


@pytest.mark.parametrize(("listed", "doubts"), [("m", (_L,)), ("n", ())])
def test_a_list_that_names_its_policy_by_reference_takes_it_as_well(listed: str, doubts: tuple[str, ...]) -> None:
    managed = [_put("policy", name, policy=TEXTS["allow"]) for name in ("m", "n")]
    configured = [
        {
            "address": f"{one['type']}.{one['name']}",
            "expressions": {"policy_arn": {"references": [f"aws_iam_policy.{name}.arn", f"aws_iam_policy.{name}"]}},
        }
        for one, name in ((_ATTACHED, "m"), (_LIST, listed))
    ]
    unnamed = [{**one, "policy_arn": None} for one in (_ATTACHED, {**_LIST, "roles": ["x"]})]
    found = _declared(_R, *managed, *unnamed, configuration={"root_module": {"resources": configured}})
    assert found[0].doubts == doubts


@pytest.mark.parametrize(
    ("argument", "shown", "put", "taken"),
    [
        ("inline_policy", [{"name": "p", "policy": TEXTS["allow"]}], _OWN, False),
        ("inline_policy", [{"name": "i", "policy": TEXTS["allow"]}], _OWN, True),
        ("inline_policy", [{"name": "i", "policy": TEXTS["allow"]}], _ATTACHED, False),
        ("managed_policy_arns", ["arn:m"], _ATTACHED, False),
        ("managed_policy_arns", ["arn:n"], _ATTACHED, True),
        ("managed_policy_arns", ["arn:n"], _OWN, False),
    ],
)
def test_a_role_takes_what_it_does_not_list_where_the_configuration_gives_the_list(
    argument: str, shown: Any, put: dict[str, Any], taken: bool
) -> None:
    found = _declared({**_R, argument: shown}, put, **refers("aws_iam_role.r", **{argument: []}))
    assert found[0].doubts == ((f"aws_iam_role.r takes away what its {argument} does not list",) if taken else ())
    assert _declared({**_R, argument: shown}, put)[0].doubts == ()


@pytest.mark.parametrize(
    ("providers", "sure"),
    [(("a", "a"), True), (("a", "b"), False), (("a", ""), True), (("", "b"), True), (("", ""), True)],
)
def test_what_lies_with_another_provider_is_not_certain(providers: tuple[str, str], sure: bool) -> None:
    configured = [
        {"address": address, "provider_config_key": provider}
        for address, provider in zip(("aws_iam_role.r", "aws_iam_role_policy.p"), providers, strict=True)
    ]
    found = _declared(_R, _OWN, configuration={"root_module": {"resources": configured}})
    assert [part.opened for part in found[0].parts] == [() if sure else ("the role of aws_iam_role_policy.p",)]


def test_of_two_roles_of_one_name_the_one_of_the_same_provider_is_meant() -> None:
    plan = plan_of(_R, {**_R, "name": "s"}, _OWN)
    plan["planned_values"]["root_module"]["resources"][1]["values"]["name"] = "r"
    configured = [
        {"address": address, "provider_config_key": provider}
        for address, provider in (("aws_iam_role.r", "a"), ("aws_iam_role.s", "b"), ("aws_iam_role_policy.p", "a"))
    ]
    first, second = declarations(plan | {"configuration": {"root_module": {"resources": configured}}})
    assert [[part.opened for part in one.parts] for one in (first, second)] == [[()], []]


@pytest.mark.parametrize(
    ("values", "unknown", "said", "role", "anyone"),
    [
        ({"roles": ["r"]}, False, [], "sure", False),
        ({"roles": ["x"]}, [False, True], [], "perhaps", True),
        ({"roles": ["x"]}, [False, True], ["aws_iam_role.r.id", "aws_iam_role.r"], "sure", False),
        ({"roles": None}, True, ["aws_iam_role.r.id", "aws_iam_role.s.id"], "perhaps", False),
        ({"roles": None}, True, ["aws_iam_role.s.id", "aws_iam_role.t.id"], "no", False),
        ({"roles": []}, False, ["aws_iam_role.r.id", "var.x"], "perhaps", True),
        ({"roles": []}, False, [], "no", False),
        ({"roles": None}, True, [], "perhaps", True),
        ({"roles": None}, True, ["aws_iam_role.r"], "perhaps", False),
    ],
)
def test_a_list_of_roles_is_read_as_far_as_it_is_known(
    values: dict[str, Any], unknown: Any, said: list[str], role: str, anyone: bool
) -> None:
    listing = _put("policy_attachment", "l", policy_arn="arn:m", **values)
    address = "aws_iam_policy_attachment.l"
    denial = _put("policy", "m", arn="arn:m", policy=TEXTS["deny"])
    roles = [_put("role", name) for name in ("r", "s", "t")]
    more = refers(address, roles=said) if said else {}
    found = _declared(*roles, denial, listing, unknown={address: {"roles": unknown}}, **more)
    parts = [part for part in found[0].parts if part.path == _place(3, "policy")]
    assert [part.opened for part in parts] == (
        {"sure": [()], "perhaps": [("the role of aws_iam_policy_attachment.l",)], "no": []}[role]
    )
    assert [part.name for part in parts] == ([] if not parts else ["aws_iam_policy.m" if role == "sure" else address])
    assert any(one.reach == () for one in found) is anyone


def test_of_two_roles_of_one_name_each_may_be_the_one_that_is_meant() -> None:
    roles = [{**_put("role", name), "name": name} for name in ("r", "s", "t")]
    plan = plan_of(*roles, _put("role_policy", "p", role="r", policy=TEXTS["allow"]))
    plan["planned_values"]["root_module"]["resources"][1]["values"]["name"] = "r"
    first, second, third, _ = declarations(plan)
    assert [[part.opened for part in one.parts] for one in (first, second, third)] == [
        [("the role of aws_iam_role_policy.p",)],
        [("the role of aws_iam_role_policy.p",)],
        [],
    ]


def test_what_is_attached_to_nobody_knows_whom_is_called_by_what_attaches_it() -> None:
    managed = _put("policy", "m", arn="arn:m", policy=TEXTS["deny"])
    found = _declared(managed, _put("role_policy_attachment", "t", policy_arn="arn:m"))
    assert [(part.name, part.opened) for one in found if one.reach == () for part in one.parts] == [
        ("aws_iam_role_policy_attachment.t", ("the role of aws_iam_role_policy_attachment.t",))
    ]


def test_what_is_attached_to_a_role_of_another_file_is_called_by_what_attaches_it() -> None:
    managed = _put("policy", "m", arn="arn:m", policy=TEXTS["deny"])
    found = _declared(managed, _put("role_policy_attachment", "t", role="x", policy_arn="arn:m"))
    assert [(one.reach, [part.name for part in one.parts]) for one in found if one.reach is not None] == [
        (("x",), ["aws_iam_role_policy_attachment.t"])
    ]


def test_the_group_of_a_user_by_reference_is_unseen() -> None:
    address = "aws_iam_user_group_membership.g"
    more = refers(address, user=["aws_iam_user.s.id", "aws_iam_user.s"])
    (found,) = _declared(
        _put("user", "s"), _put("user_group_membership", "g"), unknown={address: {"user": True}}, **more
    )
    assert found.rest == {
        "AttachedManagedPolicies": [dict.fromkeys(("PolicyArn", "PolicyName"), f"that {address} attaches")]
    }


def test_a_policy_of_the_organisation_is_told_by_its_address() -> None:
    above = {"type": "aws_organizations_policy", "name": "s", "content": TEXTS["deny"]}
    (found,) = _declared(above)
    assert (found.names, found.reach) == (("aws_organizations_policy.s",), ())
    assert [part.path for part in found.parts] == [_place(0)]
    (found,) = _declared({**above, "content": None})
    assert found.parts[0].opened[1] == "content of aws_organizations_policy.s"
    put = {"type": "aws_organizations_policy_attachment", "name": "a", "policy_id": "p-1"}
    (found,) = _declared(put)
    assert [part.opened[1] for part in found.parts] == ["what aws_organizations_policy_attachment.a attaches"]
