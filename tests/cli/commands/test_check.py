"""`check`: the verdict as an exit code, the reports where they were sent, and nothing else on stdout."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.running import Result, run
from upgrade_gate.base import plugins

NOW = ("--now", "2026-11-02")


def check(fixtures: Path, *more: str | Path, old: str = "4.18.7", new: str = "4.19.2") -> Result:
    releases = fixtures / "releases"
    return run(
        "check",
        "--from",
        f"dir:{releases / old}",
        "--to",
        f"dir:{releases / new}",
        *(() if "--now" in more else NOW),
        *more,
    )


def dump(fixtures: Path, name: str) -> str:
    return f"must-gather:{fixtures / 'clusters' / name}"


def findings(result: Result) -> dict[str, dict[str, Any]]:
    return {f["rule"] + " " + f["subject"].rpartition("/")[2]: f for f in json.loads(result.out)["findings"]}


def test_blocked_is_3_and_says_what_is_missed(fixtures: Path) -> None:
    result = check(fixtures, "--cluster", dump(fixtures, "aws-sts"), "-o", "json")
    assert result.code == 3
    assert result.first.startswith("BLOCKED")
    found = findings(result)
    assert found["permission-added tidewater-volume-driver"]["guard"] == "missed"
    assert found["request-added saltmarsh-dns"]["guard"] == "stopped"
    (refusal,) = (f for f in found.values() if f["rule"] == "cco-not-upgradeable")
    assert refusal["severity"] == "blocker"


def test_every_finding_acknowledged_is_a_pass_that_assumes(fixtures: Path, tmp_path: Path) -> None:
    arguments = ("--no-cluster", "--platform", "AWS", "-o", "json")
    blocked = check(fixtures, *arguments)
    assert blocked.code == 3
    (tmp_path / "report.json").write_text(blocked.out)
    blockers = [f["fingerprint"] for f in findings(blocked).values() if f["severity"] == "blocker"]
    acknowledged = tmp_path / "acknowledgements.yaml"
    given = ("--reason", "by hand", "--owner", "o", "--expires", "2099-11-10", "--write", acknowledged)
    assert run("ack", "--report", tmp_path / "report.json", *blockers, *given).code == 0

    passed = check(fixtures, *arguments, "--acknowledgements", acknowledged)
    verdict = json.loads(passed.out)["verdict"]
    assert (passed.code, verdict["status"], verdict["basis"]) == (0, "pass", "assumed")

    late = check(fixtures, *arguments, "--acknowledgements", acknowledged, "--now", "2099-11-11")
    assert late.code == 3
    assert "acknowledgement-expired" in {f["rule"] for f in findings(late).values()}


def test_no_change_passes_unless_proof_is_asked_for(fixtures: Path) -> None:
    same = ("--no-cluster", "--platform", "AWS")
    assert check(fixtures, *same, new="4.18.7").code == 0
    unproven = check(fixtures, *same, "--require-proof", new="4.18.7")
    assert unproven.code == 4
    assert unproven.first.startswith("error: no verdict was reached: ")
    assert unproven.out, "the report is written all the same"


def test_a_release_that_cannot_be_read_is_4_with_its_report(fixtures: Path, tmp_path: Path) -> None:
    release = tmp_path / "release"
    release.mkdir()
    (release / "release-metadata").write_text('{"kind": "cincinnati-metadata-v0", "version": "4.19.2"}')
    (release / "image-references").write_text("{}")
    (release / "0000_50_x_credentials-request.yaml").write_text("kind: CredentialsRequest\nspec: [")
    old = f"dir:{fixtures / 'releases' / '4.18.7'}"
    arguments = ("--no-cluster", "--platform", "AWS", "-o", f"json={tmp_path / 'report.json'}")
    result = run("check", "--from", old, "--to", f"dir:{release}", *NOW, *arguments)
    assert result.code == 4
    assert result.first.startswith("error: no verdict was reached: ")
    verdict = json.loads((tmp_path / "report.json").read_text())["verdict"]
    assert verdict["exit_code"] == 4


@pytest.mark.parametrize("form", plugins.names("report.formats"))
@pytest.mark.parametrize("flag", ["-q", "--color=always", "--label=change=CHG1", "--max-bytes=1000"])
def test_no_format_and_no_flag_changes_the_exit_code(fixtures: Path, form: str, flag: str) -> None:
    assert check(fixtures, "--no-cluster", "--platform", "AWS", "-o", form, flag).code == 3


def test_several_reports_in_one_run_say_the_same(fixtures: Path, tmp_path: Path) -> None:
    files = {form: tmp_path / form for form in plugins.names("report.formats") if form not in {"json", "github"}}
    outputs = [f"-o{form}={path}" for form, path in files.items()]
    result = check(fixtures, "-v", "--no-cluster", "--platform", "AWS", "-o", "json", *outputs)
    assert result.code == 3
    fingerprints = {f["fingerprint"] for f in findings(result).values()}
    assert fingerprints
    for form, path in files.items():
        assert path.stat().st_mode & 0o777 == 0o600, form
        text = path.read_text(encoding="utf-8")
        assert not {f for f in fingerprints if f not in text}, form


def test_a_report_that_cannot_be_written_is_1_whatever_the_verdict(fixtures: Path, tmp_path: Path) -> None:
    result = check(fixtures, "--no-cluster", "--platform", "AWS", "-o", f"json={tmp_path / 'gone' / 'r.json'}")
    assert result.code == 1
    assert "gone/r.json" in result.first


def test_a_planted_configuration_cannot_accept_anything(fixtures: Path, tmp_path: Path) -> None:
    (tmp_path / "upgrade-gate.yaml").write_text("acknowledgements: [planted.yaml]\n")
    (tmp_path / "planted.yaml").write_text("acknowledgements: []\n")
    releases = fixtures / "releases"
    arguments = ("--from", f"dir:{releases / '4.18.7'}", "--to", f"dir:{releases / '4.19.2'}", "--no-cluster")
    result = run("check", *arguments, "--platform", "AWS", cwd=tmp_path)
    assert result.code == 2
    assert "upgrade-gate.yaml:1: acknowledgements: is refused" in result.first


def test_the_same_inputs_give_the_same_bytes(fixtures: Path) -> None:
    arguments = ("check", "--from", "dir:releases/4.18.7", "--to", "dir:releases/4.19.2", *NOW, "-o", "json")
    cluster = ("--cluster", "must-gather:clusters/azure-workload-identity")
    runs = {run(*arguments, *cluster, cwd=fixtures, env={"SOURCE_DATE_EPOCH": "1793610000"}).out for _ in range(2)}
    assert len(runs) == 1


@pytest.mark.parametrize("form", ["text", "html", "markdown", "json"])
def test_severity_that_a_configuration_lowers_is_told_in_the_report(form: str, fixtures: Path, tmp_path: Path) -> None:
    config = tmp_path / "gate.yaml"
    config.write_text("policy:\n  permission-added: info\n")
    told = "gate.yaml sets permission-added to info"
    arguments = ("--no-cluster", "--platform", "AWS", "-o", form)
    assert told in check(fixtures, *arguments, "--config", config).out.replace("\\", "")
    assert told not in check(fixtures, *arguments).out


@pytest.mark.parametrize(
    ("said", "guesses"),
    [
        ((), ["mode", "credentials", "profile", "feature_set", "capabilities"]),
        (("--mode", "manual", "--capabilities", "Storage"), ["credentials", "profile", "feature_set"]),
        (
            ("--profile", "self-managed-high-availability", "--feature-set", "Default"),
            ["mode", "credentials", "capabilities"],
        ),
    ],
)
def test_a_pass_on_the_releases_alone_starts_no_upgrade(
    fixtures: Path, said: tuple[str, ...], guesses: list[str]
) -> None:
    same = check(fixtures, "--no-cluster", "--platform", "AWS", *said, "-o", "json", new="4.18.7")
    assert (same.code, json.loads(same.out)["verdict"]["next"]) == (0, "none")

    found = check(fixtures, "--no-cluster", "--platform", "VSphere", *said, "-o", "json")
    verdict = json.loads(found.out)["verdict"]
    assert (found.code, verdict["status"], verdict["next"], verdict["command"]) == (0, "pass", "check-cluster", [])
    assert verdict["summary"].startswith("PASS on the releases alone, 4.18.7 to 4.19.2, assuming that ")
    assert [name for name in verdict["guesses"] if name != "credentials"] == [n for n in guesses if n != "credentials"]
    assert len(verdict["assumptions"]) == 1 + len(verdict["guesses"])


def test_a_blocked_run_ends_with_the_call_that_writes_its_bundle(fixtures: Path, tmp_path: Path) -> None:
    result = check(fixtures, "--no-cluster", "--platform", "AWS", "-o", "json", f"-ohtml={tmp_path / 'r.html'}", "-q")
    call = json.loads(result.out)["verdict"]["remediate"]
    assert call[:2] == ["upgrade-gate", "remediate"]
    assert call[-2:] == ["-d", "bundle"]
    assert not any(word.startswith(("-o", "-q", "json")) for word in call)
    written = run(*call[1:-1], tmp_path / "bundle")
    assert written.code == 0, written.err
    named = {step["file"] for f in json.loads(result.out)["findings"] for step in f["remedy"] if step["file"]}
    assert named
    assert all((tmp_path / "bundle" / name).is_file() for name in named)


def test_a_run_that_writes_the_bundle_names_no_other_call_for_it(fixtures: Path, tmp_path: Path) -> None:
    arguments = ("--no-cluster", "--platform", "AWS", "-o", "json", "--bundle", tmp_path / "bundle")
    assert json.loads(check(fixtures, *arguments).out)["verdict"]["remediate"] == []


def test_the_call_holds_no_password_of_a_url(fixtures: Path) -> None:
    given = ("--graph", "https://alice:hunter2@graph.example.com/g")
    result = check(fixtures, "--no-cluster", "--platform", "AWS", "-o", "json", *given)
    assert "hunter2" not in result.out
