"""What Terraform shows and keeps: which resources are there, what is open in them, what they refer to.

Expected from Terraform's JSON output format (plan, values, configuration representation) and its state, version 4.
"""

from __future__ import annotations

from typing import Any

import pytest

from upgrade_gate.clouds.contract.declared import Declaration, Open
from upgrade_gate.clouds.shared.terraform import Resource, doubted, is_show, named, plain, resources, unknown_in

ROOT = ("planned_values", "root_module")
RAW: dict[str, Any] = {"version": 4, "serial": 1, "lineage": "x"}


def _entry(address: str, **values: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "type": "t", "name": "n", "values": values}


def _plan(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "planned_values": {"root_module": {"resources": [*entries]}}, **more}


def _change(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    entry = {"address": address, "mode": "managed", "type": "t", "name": "n"}
    return {**entry, "change": {"actions": [*actions], **more.pop("change", {})}, **more}


def test_a_resource_of_a_plan_has_its_values_and_what_is_open_in_them() -> None:
    configured = {
        "address": "t.n",
        "provider_config_key": "p.other",
        "expressions": {"a": {"references": ["x.y.z", "x.y"]}, "b": {"constant_value": 1}, "c": [{"d": {}}]},
    }
    plan = _plan(
        _entry("t.n", a="1"),
        resource_changes=[_change("t.n", "delete", "create", change={"after_unknown": {"b": True}})],
        configuration={"root_module": {"resources": [configured]}},
    )
    (found,) = resources(plan)
    assert found == Resource(
        "t.n",
        "t",
        "n",
        {"a": "1"},
        (*ROOT, "resources", 0, "values"),
        {"b": True},
        {"a": ("x.y.z", "x.y"), "b": (), "c": ()},
        made=True,
        provider="p.other",
        siblings=frozenset({"t.n"}),
    )
    assert (found.get("a"), found.get("c")) == ("1", None)
    assert found.get("b") == Open("b of t.n, known after apply")
    assert (found.text("a"), found.text("b"), found.text("c")) == ("1", "", "")


@pytest.mark.parametrize("actions", [["update"], ["no-op"], ["delete"], [], None])
def test_what_a_plan_does_not_create_is_not_made(actions: Any) -> None:
    (found,) = resources(_plan(_entry("t.n"), resource_changes=[{"address": "t.n", "change": {"actions": actions}}]))
    assert not found.made


def test_modules_are_gone_through_and_their_configuration_is_found_without_instances() -> None:
    inner = {"resources": [_entry('module.a["k"].module.b[0].t.n["x"]'), _entry('module.a["k"].module.b[0].t.n["y"]')]}
    child = {"address": 'module.a["k"]', "child_modules": [7, {"address": "b", **inner}], "resources": "none"}
    root = {"child_modules": [child], "resources": [_entry("t.n"), 7, {**_entry("t.d"), "mode": "data"}]}
    called = {"resources": [{"address": "t.n", "expressions": {"a": {"references": ["var.v"]}}}]}
    calls = {"module_calls": {"a": {"module": {"module_calls": {"b": {"module": called}}}}}}
    plan = {"format_version": "1.2", "planned_values": {"root_module": root}, "configuration": {"root_module": calls}}
    found = resources(plan)
    within = (*ROOT, "child_modules", 0, "child_modules", 1, "resources")
    assert [(one.address, one.path, one.module) for one in found] == [
        ("t.n", (*ROOT, "resources", 0, "values"), ""),
        ('module.a["k"].module.b[0].t.n["x"]', (*within, 0, "values"), 'module.a["k"].module.b[0].'),
        ('module.a["k"].module.b[0].t.n["y"]', (*within, 1, "values"), 'module.a["k"].module.b[0].'),
    ]
    assert [one.references for one in found] == [{}, *[{"a": ("module.a.module.b.var.v",)}] * 2]
    assert [len(one.siblings) for one in found] == [1, 2, 2]


def test_a_state_is_read_under_its_values() -> None:
    state = {"format_version": "1.0", "values": {"root_module": {"resources": [_entry("t.n", a=1)]}}}
    (found,) = resources(state)
    assert (found.path, found.values, found.unknown, found.made) == (
        ("values", "root_module", "resources", 0, "values"),
        {"a": 1},
        {},
        False,
    )


def test_what_is_forgotten_stays_as_it_was() -> None:
    changes = [
        7,
        _change("t.n", "forget", change={"before": {"a": 1}, "after_unknown": {"a": True}}),
        _change("t.m", "create", "forget", change={"before": {"a": 2}}, deposed="0123abcd"),
        _change("t.d", "forget", mode="data"),
        _change("t.x", "delete", change={"before": {"a": 3}}),
    ]
    found = resources(_plan(resource_changes=changes))
    assert found == (
        Resource(
            "t.n",
            "t",
            "n",
            {"a": 1},
            ("resource_changes", 1, "change", "before"),
            {},
            {},
            siblings=frozenset({"t.n"}),
        ),
        Resource(
            "t.m",
            "t",
            "n",
            {"a": 2},
            ("resource_changes", 2, "change", "before"),
            {},
            {},
            siblings=frozenset({"t.m"}),
        ),
    )


def test_a_deposed_object_says_nothing_of_the_one_in_its_place() -> None:
    opened = _change("t.n", "update", change={"after_unknown": {"a": True}})
    gone = _change("t.n", "delete", change={"after_unknown": {}}, deposed="0123abcd")
    (found,) = resources(_plan(_entry("t.n"), resource_changes=[opened, gone]))
    assert found.unknown == {"a": True}


def _kept(*instances: Any, **more: Any) -> dict[str, Any]:
    resource = {"mode": "managed", "type": "t", "name": "n", "provider": "p", "instances": [*instances], **more}
    return {**RAW, "resources": [{"mode": "data"}, resource]}


def test_instances_of_a_raw_state_have_addresses_as_terraform_shows_them() -> None:
    state = _kept(
        {"attributes": {"a": 1}},
        {"index_key": 0, "attributes": {}},
        {"index_key": 'k"', "attributes": {}},
        module='module.m["x"]',
    )
    found = resources(state)
    assert [one.address for one in found] == [
        'module.m["x"].t.n',
        'module.m["x"].t.n[0]',
        'module.m["x"].t.n["k\\""]',
    ]
    assert found[0] == Resource(
        'module.m["x"].t.n',
        "t",
        "n",
        {"a": 1},
        ("resources", 1, "instances", 0, "attributes"),
        {},
        {},
        provider="p",
        siblings=frozenset(one.address for one in found),
    )
    assert [one.address for one in resources(_kept({"attributes": {}}))] == ["t.n"]


STRANGE: list[tuple[dict[str, Any], str | None]] = [
    (_kept({"attributes": {}}), None),
    ({**RAW, "resources": []}, None),
    ({**RAW, "version": 3, "resources": []}, "encrypted or not of version 4"),
    ({**RAW, "version": 4, "resources": {}}, "encrypted or not of version 4"),
    ({"serial": 1, "lineage": "x", "encrypted_data": "eA=="}, "encrypted or not of version 4"),
    (_kept({"attributes_flat": {}}), "no attributes in the form"),
    (_kept(7), "no attributes in the form"),
    ({**RAW, "resources": [7]}, "no attributes in the form"),
    ({**RAW, "resources": [7], "complete": False}, "the plan says that it is not complete"),
]


@pytest.mark.parametrize(("state", "why"), STRANGE)
def test_a_raw_state_that_cannot_be_read_says_so_and_how_it_can(state: dict[str, Any], why: str | None) -> None:
    assert is_show(state)
    told = doubted(state, ())
    if why is None:
        assert told == ()
        return
    assert resources(state) == ()
    (one,) = told
    assert why in one.doubts[0]
    assert one.doubts[-1].endswith("(give what `terraform show -json` prints of it)")
    assert one.reach == ()


DOUBTS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({}, ()),
    ({"errored": False, "complete": True, "deferred_changes": []}, ()),
    ({"errored": True}, ("the plan ended in an error, so that it does not show everything",)),
    ({"errored": "?"}, ("the plan ended in an error, so that it does not show everything",)),
    ({"complete": False}, ("the plan says that it is not complete",)),
    ({"deferred_changes": [7]}, ("the plan puts changes off to a later one",)),
    ({"format_version": "0.1"}, ()),
    ({"format_version": 1}, ()),
    ({"format_version": "2.0"}, ("the format version 2.0 is not known",)),
    ({"format_version": "10.1"}, ("the format version 10.1 is not known",)),
    ({"format_version": "x" * 30}, (f"the format version {'x' * 20} is not known",)),
    (
        {"errored": True, "complete": False},
        ("the plan ended in an error, so that it does not show everything", "the plan says that it is not complete"),
    ),
]


@pytest.mark.parametrize(("said", "doubts"), DOUBTS)
def test_what_a_plan_says_against_itself_counts_for_everybody(said: dict[str, Any], doubts: tuple[str, ...]) -> None:
    own = Declaration(names=("n",))
    expected = (own, Declaration(reach=(), doubts=doubts)) if doubts else (own,)
    assert doubted(_plan(**said), iter([own])) == expected


def test_an_object_that_is_still_to_be_destroyed_makes_what_is_told_of_it_open() -> None:
    shown = {"format_version": "1.0", "values": {"root_module": {"resources": [{**_entry("t.n"), "deposed_key": "a"}]}}}
    (one,) = doubted(shown, ())
    assert one.doubts == ("t.n stands there once more, to be destroyed",)
    (one,) = doubted(_kept({"attributes": {}}, {"attributes": {}, "deposed": "a"}), ())
    assert one.doubts == ("t.n stands there once more, to be destroyed",)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"format_version": "1.0", "values": {}}, True),
        ({"format_version": "1.0", "planned_values": {}}, True),
        (RAW, True),
        ({"format_version": "1.0"}, False),
        ({"format_version": "1.0", "values": []}, False),
        ({"values": {}}, False),
        ({"serial": 1}, False),
        ({"lineage": "x"}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_plan_and_a_state_are_told_by_their_keys(body: Any, shown: bool) -> None:
    assert is_show(body) is shown
    if not shown:
        assert resources(body) == ()


def test_an_address_is_plain_without_its_instances() -> None:
    assert plain('module.a["x.y[0]"].t.n[12].b') == "module.a.t.n.b"
    assert plain('t.n["a\\"]"]') == "t.n"
    assert plain("t.n[x]") == "t.n[x]"


@pytest.mark.parametrize(
    ("value", "opened"),
    [
        (True, True),
        (False, False),
        (None, False),
        ("true", False),
        ({}, False),
        ([], False),
        ({"a": [{"b": False}, {"c": True}]}, True),
        ([{"a": False}], False),
    ],
)
def test_what_is_open_anywhere_in_a_value_is_seen(value: Any, opened: bool) -> None:
    assert unknown_in(value) is opened


def _resource(address: str, *siblings: str, **more: Any) -> Resource:
    values, unknown = more.pop("values", {}), more.pop("unknown", {})
    references = {"a": tuple(more.pop("said", ()))}
    return Resource(address, "t", "n", values, (), unknown, references, siblings=frozenset((address, *siblings)))


ONE, TWO = _resource("x.y"), _resource("x.z", values={"id": "z", "name": "z"})
INNER = _resource("module.m[0].x.y")
FIRST, SECOND = _resource("x.y[0]", "x.y[1]"), _resource("x.y[1]", "x.y[0]")
NAMED: list[tuple[Resource, list[Resource], Resource | None]] = [
    (_resource("t.n", values={"a": "z"}), [ONE, TWO], TWO),
    (_resource("t.n", values={"a": "q"}, said=["x.y.id", "x.y"]), [ONE, TWO], None),
    (_resource("t.n", values={"a": ""}), [_resource("x.q", values={"id": ""})], None),
    (_resource("t.n", values={"a": "z"}), [TWO, _resource("x.w", values={"name": "z"})], None),
    (_resource("t.n", said=["x.y.id", "x.y"]), [ONE, TWO], ONE),
    (_resource("t.n", said=["x.y.name"]), [ONE, TWO], ONE),
    (_resource("t.n", unknown={"a": True}, said=["x.y.id", "x.y"]), [ONE], ONE),
    (_resource("t.n", values={"a": ["q"]}, unknown={"a": [False, True]}, said=["x.y.id", "x.y"]), [ONE], ONE),
    (_resource("t.n", values={"a": ["q"]}, unknown={"a": [False]}, said=["x.y.id", "x.y"]), [ONE], None),
    (_resource("t.n", said=["x.y.id", "x.y", "local.b"]), [ONE], None),
    (_resource("t.n", said=["x.y.id", "x.y", "x.y.name"]), [ONE], None),
    (_resource("t.n", said=["x.y.other", "x.y"]), [ONE], None),
    (_resource("t.n", said=["x.y"]), [ONE], None),
    (_resource("t.n"), [ONE], None),
    (_resource("t.n", said=["x.z.id", "x.z"]), [TWO], None),
    (_resource("t.n", said=["x.y[1].id", "x.y[1]", "x.y"]), [FIRST, SECOND], SECOND),
    (_resource("t.n[0]", "t.n[1]", said=["x.y[1].id", "x.y[1]", "x.y"]), [FIRST, SECOND], SECOND),
    (_resource("t.n[1]", "t.n[0]", said=["x.y", "count.index"]), [FIRST, SECOND], SECOND),
    (_resource("t.n[1]", "t.n[0]", said=["x.y", "each.key"]), [FIRST, SECOND], SECOND),
    (_resource("t.n[1]", "t.n[0]", said=["x.y", "each.value"]), [FIRST, SECOND], None),
    (_resource("t.n[1]", "t.n[0]", said=["x.y"]), [FIRST, SECOND], None),
    (_resource("t.n[1]", said=["x.y", "count.index"]), [FIRST, SECOND], None),
    (_resource("t.n", said=["x.y", "count.index"]), [ONE], None),
    (_resource("t.n[0]", said=["x.y", "count.index"]), [_resource("x.y[0]", values={"id": "1", "name": "2"})], None),
    (_resource("module.m[0].t.n", said=["module.m.x.y.id", "module.m.x.y"]), [INNER, ONE], INNER),
]


@pytest.mark.parametrize(("one", "among", "expected"), NAMED)
def test_an_argument_names_another_resource_by_its_value_or_by_a_plain_reference(
    one: Resource, among: list[Resource], expected: Resource | None
) -> None:
    assert named(one, "a", among, "id", "name") is expected


def test_an_instance_of_a_module_is_not_that_of_another() -> None:
    one = _resource("module.m[0].t.n", said=["module.m.x.y.id", "module.m.x.y"])
    assert named(one, "a", [_resource("module.m[1].x.y")], "id") is None
    assert named(one, "a", [_resource("x.y")], "id") is None
