import json
from pathlib import Path

import pytest

from tests.worlds import judges, sample_report
from upgrade_gate.report.document import SCHEMA, encode, schema
from upgrade_gate.report.formats import json as subject
from upgrade_gate.report.render_options import RenderOptions


def render(case: str) -> bytes:
    return subject.render(sample_report.ALL[case](), RenderOptions())


@pytest.mark.slow
def test_every_report_keeps_to_the_published_schema(tmp_path: Path) -> None:
    published = tmp_path / "schema.json"
    published.write_text(json.dumps(schema()))
    for case in sample_report.ALL:
        (tmp_path / f"{case}-report.json").write_bytes(render(case))
    assert judges.check_schema(published, *sorted(tmp_path.glob("*-report.json"))) == ""


@pytest.mark.slow
def test_the_published_schema_refuses_a_report_without_a_verdict_key(tmp_path: Path) -> None:
    published, bad = tmp_path / "schema.json", tmp_path / "bad.json"
    published.write_text(json.dumps(schema()))
    document = json.loads(render("full"))
    del document["verdict"]
    bad.write_text(json.dumps(document))
    assert "verdict" in judges.check_schema(published, bad)


@pytest.mark.parametrize("case", sample_report.ALL)
def test_escaping_changes_no_value(case: str) -> None:
    assert json.loads(render(case)) == json.loads(encode(sample_report.ALL[case]()))


def test_marks_beyond_the_first_plane_are_escaped_as_pairs() -> None:
    report = sample_report.report(labels={"tag": "a\U000e0041b"})
    text = subject.render(report, RenderOptions()).decode()
    assert "\\udb40\\udc41" in text
    assert json.loads(text)["labels"] == {"tag": "a\U000e0041b"}


def test_the_document_names_its_schema_first() -> None:
    assert next(iter(json.loads(render("full")))) == "schema"
    assert json.loads(render("full"))["schema"] == SCHEMA
