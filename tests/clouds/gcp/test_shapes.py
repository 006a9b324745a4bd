"""The shapes that Google's tools print: what an object is, and what is read of it.

Expected values: docs/facts/gcp.md#exports, Google's REST references of IAM, Resource Manager and Cloud Asset Inventory.
"""

from typing import Any

import pytest

from tests.clouds.gcp.test_holdings import ISSUER, POOL, SA, allow, bind
from upgrade_gate.clouds.gcp import shapes
from upgrade_gate.clouds.gcp.shapes import Account, Binding, DenyPolicy, DenyRule, Level, Policy, PoolProvider
from upgrade_gate.clouds.shared.pages import Entry

BOUNDARY = "organizations/1/locations/global/principalAccessBoundaryPolicies/b"
BOUND = "organizations/1/locations/global/policyBindings/b"
DENY = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp1/denypolicies/d"
ROLE = "projects/p1/roles/c1"
ACCOUNT = f"projects/p1/serviceAccounts/{SA}"


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"unread": "allow", "resource": "projects/p1"}, "unread"),
        ({"unread": "deny", "resource": "projects/p1"}, "unread"),
        ({"unread": "else", "resource": "projects/p1"}, None),
        ({"unread": "allow", "resource": 7}, None),
        ({"id": "p1", "type": "project", "policy": {}}, "policies"),
        ({"id": "p1", "policy": {}}, None),
        ({"type": "project", "policy": {}}, None),
        ({"id": "p1", "type": "project", "policy": allow()}, "policies"),
        ({"id": "p1", "policy": allow()}, None),
        ({"type": "project", "policy": allow()}, None),
        ({"serviceAccount": SA, "policy": allow()}, "policies"),
        ({"project": "p1", "policy": allow()}, "policies"),
        ({"resource": "projects/p1", "policy": allow()}, "policies"),
        ({"project": 7, "policy": allow()}, None),
        ({"policy": allow()}, None),
        ({"id": "p1", "type": "project", "policy": {"name": DENY}}, "deny policies"),
        ({"name": ROLE, "title": "t", "policy": {"a": 1}}, "roles"),
        *[({"name": ROLE, key: "x"}, "roles") for key in ("title", "stage", "includedPermissions", "deleted")],
        ({"name": ROLE}, None),
        ({"name": "roles/viewer", "stage": "GA"}, "roles"),
        ({"name": "organizations/1/roles/c1", "stage": "GA"}, "roles"),
        ({"name": "projects/p1/x/roles/c1", "title": "t"}, None),
        ({"email": SA, "name": ACCOUNT}, "service accounts"),
        ({"email": SA, "uniqueId": "7"}, "service accounts"),
        ({"email": SA, "name": "x"}, None),
        ({"email": 7, "name": ACCOUNT, "uniqueId": "7"}, None),
        ({"name": f"{POOL}/providers/c1"}, "pools"),
        ({"name": BOUNDARY}, "access boundaries"),
        ({"name": BOUND, "policy": BOUNDARY}, "access boundaries"),
        ({"name": BOUND, "policy": "x"}, None),
        ({"name": "x", "policy": BOUNDARY}, None),
        ({"name": "a.b.c", "stage": "GA"}, "testable permissions"),
        ({"name": "a.b.c", "customRolesSupportLevel": "TESTING"}, "testable permissions"),
        ({"name": "a.b.c"}, None),
        ({"name": "a b", "stage": "GA"}, None),
        ({"name": DENY}, "deny policies"),
        ({"name": DENY.replace("denypolicies", "denyPolicies")}, "deny policies"),
        ({"rules": [{"x": 1}, {"denyRule": {}}]}, "deny policies"),
        ({"rules": [{"x": 1}]}, None),
        ({"rules": {"denyRule": {}}}, None),
        (allow(), "policies"),
        (allow(bind()), "policies"),
        ({"bindings": []}, "policies"),
        ({"bindings": [bind()]}, "policies"),
        ({"bindings": [{"x": 1}], "etag": "x"}, None),
        ({"bindings": 7, "etag": "x"}, "policies"),
        ({"bindings": {}, "etag": "x", "version": 1, "auditConfigs": []}, "policies"),
        ({"etag": "x"}, "policies"),
        ({"etag": "x", "other": 1}, None),
        ({"etag": 7}, None),
        ({"version": 1}, None),
        ({}, None),
    ],
)
def test_an_object_is_known_by_the_fields_that_it_has(item: dict[str, Any], kind: str | None) -> None:
    assert shapes.kind_of(item) == kind


def read(item: dict[str, Any], origin: str = "", document: int = 0) -> Policy:
    return shapes.to_policy(Entry("policies", item, origin, document))


RESOURCES = "//cloudresourcemanager.googleapis.com"


@pytest.mark.parametrize(
    ("around", "level", "resource"),
    [
        ({"serviceAccount": f"serviceAccount:{SA.upper()}"}, Level.ACCOUNT, SA),
        ({"serviceAccount": f" {ACCOUNT} "}, Level.ACCOUNT, SA),
        ({"serviceAccount": "a@p1.\N{KELVIN SIGN}"}, Level.ACCOUNT, "a@p1.\N{KELVIN SIGN}"),
        ({"project": "projects/p1"}, Level.PROJECT, "p1"),
        ({"resource": f"{RESOURCES}/projects/p1", "project": "projects/42"}, Level.PROJECT, "p1"),
        ({"resource": "projects/p1"}, Level.PROJECT, "p1"),
        ({"resource": f"{RESOURCES}/folders/9"}, Level.FOLDER, "9"),
        ({"resource": f"{RESOURCES}/organizations/7"}, Level.ORGANIZATION, "7"),
        ({"resource": f"{RESOURCES}/projects/p1/x"}, Level.OTHER, f"{RESOURCES}/projects/p1/x"),
        ({"resource": "//storage.googleapis.com/b"}, Level.OTHER, "//storage.googleapis.com/b"),
        ({"resource": f"//iam.googleapis.com/{ACCOUNT}"}, Level.ACCOUNT, SA),
        ({"id": " p1 ", "type": " Project "}, Level.PROJECT, "p1"),
        ({"id": "9", "type": "folder"}, Level.FOLDER, "9"),
        ({"id": "7", "type": "organization"}, Level.ORGANIZATION, "7"),
        ({"id": "9", "type": "foldr"}, Level.OTHER, "9"),
    ],
)
def test_what_stands_around_a_policy_says_what_it_belongs_to(
    around: dict[str, Any], level: Level, resource: str
) -> None:
    found = read({**around, "policy": allow(bind())})
    assert (found.level, found.resource, len(found.bindings)) == (level, resource, 1)


@pytest.mark.parametrize(
    ("origin", "level", "resource"),
    [
        ("policy.json", Level.BARE, ""),
        (f"folder/{SA}.json", Level.ACCOUNT, SA),
        (f"{SA.upper()}.YAML.GZ", Level.ACCOUNT, SA),
    ],
)
def test_a_file_named_after_an_account_holds_its_policy(origin: str, level: Level, resource: str) -> None:
    found = read(allow(), origin)
    assert (found.level, found.resource, found.origin) == (level, resource, origin)


@pytest.mark.parametrize(
    ("policy", "label"),
    [
        (Policy(Level.BARE, "", (), 0, ""), "the project's policy"),
        (Policy(Level.PROJECT, "p1", (), 0, ""), "the policy of project p1"),
        (Policy(Level.FOLDER, "", (), 0, ""), "the policy of folder"),
    ],
)
def test_a_policy_is_named_by_what_it_belongs_to(policy: Policy, label: str) -> None:
    assert policy.label == label


@pytest.mark.parametrize(
    ("item", "above"),
    [
        ({"folders": ["folders/9", "folders/8"]}, {"folders/9", "folders/8", "organizations/7"}),
        ({}, {"organizations/7"}),
        ({"folders": ["folders/9", "x"]}, {"folders/9", "x"}),
        ({"folders": ["folders/9", 8]}, {"folders/9"}),
        ({"folders": 7}, set()),
        ({"foldrs": ["folders/9"]}, set()),
    ],
)
def test_what_an_asset_names_above_it(item: dict[str, Any], above: set[str]) -> None:
    asset = {"resource": "projects/p1", "assetType": "x", "organization": "organizations/7", "policy": allow()} | item
    assert (set(read(asset).above), read(asset).partial) == (above, True)
    assert not read({"project": "p1", "policy": allow()}).partial


@pytest.mark.parametrize(
    ("condition", "expression"),
    [
        ({}, ""),
        ({"condition": None}, ""),
        ({"condition": {"expression": "e", "title": "t"}}, "e"),
        ({"condition": {"title": "t"}}, "t"),
        ({"condition": {}}, "(its text is empty)"),
        ({"condition": "c"}, "c"),
        ({"condition": ""}, "(it is empty)"),
        ({"condition": 7}, "7"),
        ({"role": "roles/x_withcond_3f2a"}, "(not shown: the policy was read at a version without conditions)"),
        ({"role": "roles/x_withcond_3f2a", "condition": {"expression": "e"}}, "e"),
    ],
)
def test_a_condition_is_never_lost(condition: dict[str, Any], expression: str) -> None:
    one = {"role": "roles/x", "members": ["user:a", "user:b"]} | condition
    assert read(allow(one)).bindings == (Binding("roles/x", ("user:a", "user:b"), expression),)


@pytest.mark.parametrize(
    ("bindings", "number", "whole"),
    [
        ([bind(), bind()], 2, True),
        (bind(), 1, True),
        (None, 0, True),
        ([bind(), "x"], 1, False),
        ([{"members": ["user:a"]}], 1, False),
        ([{"role": "roles/x", "members": ["user:a", 7]}], 1, False),
        (7, 0, False),
    ],
)
def test_a_policy_of_which_a_binding_cannot_be_read_is_not_whole(bindings: Any, number: int, whole: bool) -> None:
    found = read({"bindings": bindings, "etag": "x"})
    assert (len(found.bindings), found.whole) == (number, whole)


def row(role: str, etag: str = "x", document: int = 0, **more: Any) -> Entry:
    return Entry("policies", {"bindings": {"role": role, "members": ["user:a"], **more}, "etag": etag}, "", document)


def test_rows_of_one_policy_are_one_policy_and_others_are_not() -> None:
    plain = Entry("policies", allow(bind()), "", 0)
    rows = [row("roles/a"), plain, row("roles/b"), row("roles/c", "y"), row("roles/d", document=1), row("roles/e", "")]
    found = shapes.to_policies(rows)
    roles = [[binding.role for binding in policy.bindings] for policy in found]
    assert roles == [[bind()["role"]], ["roles/e"], ["roles/a", "roles/b"], ["roles/c"], ["roles/d"]]
    assert all(policy.whole for policy in found)


@pytest.mark.parametrize("spoilt", [0, 1])
def test_rows_are_whole_where_each_of_them_is(spoilt: int) -> None:
    rows = [row("roles/a"), row("roles/b")]
    rows[spoilt] = row("", members=["user:a"])
    (found,) = shapes.to_policies(rows)
    assert (len(found.bindings), found.whole) == (2, False)


def as_role(**fields: Any) -> shapes.RoleDocument:
    return shapes.role(Entry("roles", {"name": ROLE, **fields}, "", 0))


def test_a_role_has_what_it_lists() -> None:
    found = as_role(title="t", description="d", includedPermissions=["a.b.c"], stage="GA")
    assert found == shapes.RoleDocument(ROLE, "t", "d", frozenset({"a.b.c"}), "")


@pytest.mark.parametrize(
    ("fields", "permissions", "whole"),
    [
        ({}, None, True),
        ({"includedPermissions": []}, frozenset(), True),
        ({"includedPermissions": ["a.b.c", 7]}, frozenset({"a.b.c"}), False),
        ({"includedPermissions": 7}, None, True),
    ],
)
def test_a_listing_without_permissions_is_no_empty_role(fields: Any, permissions: Any, whole: bool) -> None:
    found = as_role(**fields)
    assert (found.permissions, found.whole) == (permissions, whole)


@pytest.mark.parametrize(
    ("fields", "dead"),
    [
        *[({"stage": stage}, "") for stage in ("ALPHA", "BETA", "GA", "DEPRECATED", "EAP", None)],
        ({"stage": "DISABLED"}, "DISABLED"),
        ({"stage": "Ga"}, "in a stage that nobody knows, 'Ga'"),
        ({"stage": 6}, "in a stage that nobody knows, '6'"),
        ({"stage": [6]}, "in a stage that nobody knows, '[6]'"),
        ({"stage": "X" * 41}, f"in a stage that nobody knows, '{'X' * 40}'"),
        ({"deleted": False}, ""),
        ({"deleted": True}, "deleted"),
        ({"deleted": "false"}, "deleted"),
        ({"deletd": True}, "deleted"),
        ({"deleted": True, "stage": "DISABLED"}, "deleted"),
    ],
)
def test_a_role_that_is_off_grants_nothing(fields: dict[str, Any], dead: str) -> None:
    assert as_role(**fields).dead == dead


@pytest.mark.parametrize(
    ("disabled", "off"),
    [
        ({}, False),
        ({"disabled": None}, False),
        ({"disabled": False}, False),
        ({"disabled": True}, True),
        ({"disabled": "false"}, True),
        ({"disabld": True}, True),
    ],
)
def test_an_account_is_read_with_whether_it_is_off(disabled: dict[str, Any], off: bool) -> None:
    item = {"email": SA.upper(), "projectId": "p1", "displayName": "d", "uniqueId": "7"} | disabled
    assert shapes.account(Entry("service accounts", item, "", 0)) == Account(SA, "p1", "d", off, "7")


PROVIDER = {
    "name": f"{POOL}/providers/c1",
    "state": "ACTIVE",
    "oidc": {"issuerUri": ISSUER, "allowedAudiences": ["a"]},
    "attributeMapping": {"google.subject": "assertion.sub"},
    "attributeCondition": "c",
}


def as_provider(**fields: Any) -> PoolProvider:
    return shapes.pool_provider(Entry("pools", {**PROVIDER, **fields}, "", 0))


def test_a_provider_is_read() -> None:
    assert as_provider() == PoolProvider(POOL, "c1", ISSUER, True, "c", "assertion.sub", ("a",), audiences_seen=True)
    assert (as_provider(name=POOL).pool, as_provider(name=POOL).provider) == (POOL, "")


@pytest.mark.parametrize(
    ("fields", "usable"),
    [
        ({"state": None}, True),
        ({"state": "DELETED"}, False),
        ({"state": 7}, False),
        ({"disabled": True}, False),
        ({"disabled": False}, True),
    ],
)
def test_a_provider_that_is_off_is_of_no_use(fields: dict[str, Any], usable: bool) -> None:
    assert as_provider(**fields).usable is usable


@pytest.mark.parametrize(("condition", "text"), [(None, ""), ("c", "c"), (7, "7")])
def test_the_condition_of_a_provider_is_never_lost(condition: Any, text: str) -> None:
    assert as_provider(attributeCondition=condition).condition == text


@pytest.mark.parametrize(
    ("oidc", "mapped", "audiences", "seen"),
    [
        ({"allowedAudiences": ["a"]}, True, ("a",), True),
        ({"allowedAudiences": ["a"]}, False, ("a",), True),
        ({"allowedAudiences": 7}, True, None, True),
        ({}, True, (), True),
        ({}, False, (), False),
    ],
)
def test_whether_the_audiences_of_a_provider_were_seen(oidc: Any, mapped: bool, audiences: Any, seen: bool) -> None:
    item = {"name": f"{POOL}/providers/c1", "oidc": oidc} | ({"attributeMapping": {}} if mapped else {})
    found = shapes.pool_provider(Entry("pools", item, "", 0))
    assert (found.audiences, found.audiences_seen) == (audiences, seen)


PRINCIPAL = "principalSet://goog/public:all"
RULE: dict[str, Any] = {"deniedPrincipals": [PRINCIPAL], "deniedPermissions": ["x.googleapis.com/a.b"]}
READ = DenyRule((PRINCIPAL,), (), ("x.googleapis.com/a.b",), (), "")


def as_deny(**fields: Any) -> DenyPolicy:
    return shapes.deny_policy(Entry("deny policies", {"rules": [{"denyRule": RULE}], **fields}, "", 0))


@pytest.mark.parametrize(
    ("name", "project", "above"),
    [
        (DENY, "p1", ""),
        (DENY.replace("%2F", "%2f"), "p1", ""),
        (DENY.replace("%2F", "/"), "p1", ""),
        (DENY.replace("projects%2Fp1", "folders%2F9"), "", "folders/9"),
        (DENY.replace("projects%2Fp1", "organizations%2F7"), "", "organizations/7"),
    ],
)
def test_the_name_of_a_deny_policy_says_where_it_hangs(name: str, project: str, above: str) -> None:
    assert as_deny(name=name) == DenyPolicy(name, project, (READ,), whole=True, above=above)
    assert as_deny(name=name, rules=[]) == DenyPolicy(name, project, None, above=above)


@pytest.mark.parametrize(
    ("name", "kind", "project"),
    [("denypolicies/d", "project", "p9"), ("denypolicies/d", "folder", ""), (DENY, "project", "p1")],
)
def test_a_listing_says_where_a_deny_policy_hangs_that_does_not_say_it_itself(
    name: str, kind: str, project: str
) -> None:
    wrapped = {"id": "p9", "type": kind, "policy": {"name": name, "rules": [{"denyRule": RULE}]}}
    found = shapes.deny_policy(Entry("deny policies", wrapped, "", 0))
    assert (found.project, found.rules) == (project, (READ,))


def test_a_deny_policy_without_a_name_is_called_as_it_is_shown() -> None:
    assert as_deny(displayName="d").name == "d"
    assert as_deny(displayName="d", name=DENY).name == DENY


@pytest.mark.parametrize("rules", [None, [], 7, {"denyRule": RULE}])
def test_a_deny_policy_without_rules_was_cut(rules: Any) -> None:
    assert as_deny(name=DENY, rules=rules).rules is None


EXCEPTED = {"exceptionPrincipals": ["p"], "exceptionPermissions": ["x.googleapis.com/a.c"]}


@pytest.mark.parametrize(
    ("change", "rule", "whole"),
    [
        (EXCEPTED, DenyRule((PRINCIPAL,), ("p",), READ.permissions, ("x.googleapis.com/a.c",), ""), True),
        ({"denialCondition": {"expression": "e"}}, DenyRule((PRINCIPAL,), (), READ.permissions, (), "e"), True),
        (
            {"denialCondition": {"title": "t"}},
            DenyRule((PRINCIPAL,), (), READ.permissions, (), "(its text is empty)"),
            True,
        ),
        ({"denialCondition": {}}, READ, True),
        ({"deniedPrincipals": [PRINCIPAL, 7]}, READ, False),
        ({"deniedPermissions": [*READ.permissions, 7]}, READ, False),
        ({"deniedPermissions": ["nodot"]}, DenyRule((PRINCIPAL,), (), ("nodot",), (), ""), False),
        ({"deniedPermissions": ["x.y z"]}, DenyRule((PRINCIPAL,), (), ("x.y z",), (), ""), False),
        ({"deniedPrincipals": []}, None, False),
        ({"deniedPermissions": 7}, None, False),
        ({"exceptionPrincipals": 7}, None, False),
        ({"exceptionPermissions": [7]}, None, False),
    ],
)
def test_what_can_be_read_of_a_deny_rule(change: dict[str, Any], rule: DenyRule | None, whole: bool) -> None:
    found = as_deny(name=DENY, rules=[{"denyRule": RULE}, {"denyRule": {**RULE, **change}}])
    assert found.rules == ((READ, rule) if rule is not None else (READ,))
    assert found.whole is whole
