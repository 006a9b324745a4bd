"""`demo`: what it promises to show."""

import json

import pytest

from upgrade_gate.cli import main


def test_demo_shows_every_kind_of_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "-o", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    rules = {finding["rule"] for finding in report["findings"]}
    assert {
        "permission-added",
        "request-added",
        "request-renamed",
        "permission-rephrased",
        "secret-moved",
    } <= rules
    assert report["selection"]["excluded"]
    assert any(finding["status"] == "acknowledged" for finding in report["findings"])
    assert report["verdict"]["exit_code"] == 3


def test_demo_exits_as_check_would_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--exit-code", "-q"]) == 3
    assert "BLOCKED" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["codequality", "github", "html", "json", "junit", "markdown", "sarif", "text"])
def test_demo_renders_in_every_format(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "-o", form]) == 0
    assert "tidewater-volume-driver" in capsys.readouterr().out
