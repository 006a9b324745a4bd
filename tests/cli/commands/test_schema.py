"""`schema`: the published JSON schemas of the report and of the history."""

import json

from tests.worlds.running import run

# keys of the document that are always there (docs/contract.md#reports)
KEYS = {
    "schema",
    "tool",
    "generated",
    "labels",
    "hops",
    "platform",
    "mode",
    "credentials",
    "cco_behaviour",
    "selection",
    "requests",
    "changes",
    "cluster",
    "findings",
    "verdict",
}


def test_the_schema_is_json_schema_2020_12_with_every_public_key() -> None:
    result = run("schema")
    assert (result.code, result.err) == (0, "")
    schema = json.loads(result.out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    report = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    assert set(report["properties"]) >= KEYS
    assert set(report["required"]) >= KEYS


def test_the_report_is_the_default_document() -> None:
    assert run("schema", "report").out == run("schema").out


def test_the_history_has_a_schema_of_its_own() -> None:
    schema = json.loads(run("schema", "history").out)
    assert schema["$id"] == "urn:upgrade-gate/history/v1"
    history = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    assert {"schema", "events"} <= set(history["required"])


def test_an_unknown_document_is_a_usage_error() -> None:
    result = run("schema", "bundle")
    assert result.code == 2
    assert "'report'" in result.first
