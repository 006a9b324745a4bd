"""`rules`: the whole catalogue."""

import json

from tests.worlds.running import run
from upgrade_gate.gate import findings

# what the tool says without reading a cluster (docs/contract.md#findings)
WITHOUT_CLUSTER = {
    "permission-added": "blocker",
    "permission-widened": "blocker",
    "permission-rephrased": "info",
    "permission-narrowed": "info",
    "permission-removed": "info",
    "request-added": "blocker",
    "secret-moved": "blocker",
    "provider-kind-changed": "blocker",
    "request-removed": "info",
    "request-renamed": "info",
    "service-accounts-added": "blocker",
    "service-accounts-removed": "info",
    "token-path-changed": "blocker",
    "request-unannotated": "warning",
    "request-duplicate": "warning",
    "request-conflict": "blocker",
    "unclassified-change": "blocker",
    "nothing-to-judge": "unknown",
    "acknowledgement-expired": "warning",
    "acknowledgement-expiring": "info",
    "acknowledgement-unused": "info",
}


def test_json_lists_every_rule_once_sorted() -> None:
    rules = json.loads(run("rules", "-o", "json").out)["rules"]
    ids = [rule["id"] for rule in rules]
    assert ids == sorted(set(ids))
    assert set(ids) == set(findings.catalogue())


def test_the_public_rules_have_their_severities() -> None:
    listed = {rule["id"]: rule["severity"] for rule in json.loads(run("rules", "-o", "json").out)["rules"]}
    assert {name: listed.get(name) for name in WITHOUT_CLUSTER} == WITHOUT_CLUSTER


def test_text_has_a_line_for_each_rule() -> None:
    result = run("rules")
    assert result.code == 0
    lines = result.out.splitlines()
    assert len(lines) == len(findings.catalogue())
    for line, rule in zip(lines, findings.catalogue().values(), strict=True):
        assert line.split()[:2] == [rule.id, str(rule.severity)]
        assert line.endswith(rule.title)
