"""`explain`: every rule in words, and a way back from a typing error."""

import json

import pytest

from tests.worlds.running import run
from upgrade_gate.gate import findings

RULES = findings.catalogue()


def test_a_rule_is_explained_with_its_severity_and_how_it_is_closed() -> None:
    rule = RULES["permission-added"]
    result = run("explain", rule.id)
    assert result.code == 0
    assert result.out.startswith(f"permission-added ({rule.severity})\n{rule.title}\n")
    assert " ".join(rule.explanation.split()) in " ".join(result.out.split())
    assert max(map(len, result.out.splitlines())) <= 100
    assert result.err == ""


def test_json_has_the_public_fields() -> None:
    assert json.loads(run("explain", "request-conflict", "-o", "json").out) == {
        "id": "request-conflict",
        "severity": "blocker",
        "title": RULES["request-conflict"].title,
        "explanation": RULES["request-conflict"].explanation,
        "acknowledgeable": False,
    }


def test_a_rule_that_can_never_be_acknowledged_says_so() -> None:
    assert "can never be acknowledged" in run("explain", "request-conflict").out


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("permission-added", "It can be acknowledged."),
        ("cco-not-upgradeable", "It can be acknowledged, but not for a minor or major update."),
        ("hosted-control-plane", "It can be acknowledged, but not without --profile."),
        ("permission-removed", "It asks for nothing, so there is nothing to acknowledge."),
        ("request-conflict", "It can never be acknowledged."),
    ],
)
def test_whether_it_can_be_acknowledged_is_said_once(rule: str, said: str) -> None:
    text = " ".join(run("explain", rule).out.split())
    assert text.endswith(said)
    assert text.count("acknowledge") == said.count("acknowledge") + RULES[rule].explanation.count("acknowledge")


@pytest.mark.parametrize(("typed", "meant"), [("permission-aded", "permission-added"), ("secretmoved", "secret-moved")])
def test_a_typing_error_lists_near_names(typed: str, meant: str) -> None:
    result = run("explain", typed)
    assert result.code == 2
    assert result.first == f"error: no verdict was reached: there is no rule {typed!r}"
    assert meant in result.err


def test_a_name_like_no_other_lists_all() -> None:
    err = run("explain", "zzz").err
    assert all(rule in err for rule in RULES)
