"""`ack`: only findings of the report, only what may be accepted, and the file keeps what was in it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.running import Result, run, run_process
from upgrade_gate.gate import findings
from upgrade_gate.gate.acknowledgements import load

ADDED = "1111111111111111"
MOVED = "2222222222222222"
CONFLICT = "3333333333333333"
REFUSED = "4444444444444444"
NEVER = next(rule.id for rule in findings.catalogue().values() if not rule.acknowledgeable)


def finding(fingerprint: str, rule: str, headline: str, **more: Any) -> dict[str, Any]:
    return {"fingerprint": fingerprint, "rule": rule, "headline": headline, **more}


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    found = [
        finding(ADDED, "permission-added", "tidewater gains 2 permissions"),
        finding(MOVED, "secret-moved", "beacon reads\nanother Secret \x1b[31m"),
        finding(CONFLICT, NEVER, "two definitions"),
        finding(REFUSED, "cco-not-upgradeable", "CVO refuses", acknowledgeable=False),
    ]
    path.write_text(json.dumps({"schema": "upgrade-gate/v1", "findings": found}))
    return path


def ack(report: Path | str, *arguments: str | Path, stdin: str = "") -> Result:
    given = ("--reason", "granted: by hand", "--owner", "platform-team", "--expires", "2027-03-31")
    return run("ack", "--report", report, *arguments, *given, stdin=stdin)


def test_the_entries_are_printed_and_read_again(report: Path, tmp_path: Path) -> None:
    result = ack(report, ADDED, MOVED, "--reference", "CHG1", "--to", ">=4.19", "--clusters", "prod-*")
    assert result.code == 0
    (tmp_path / "a.yaml").write_text(result.out)
    first, second = load([tmp_path / "a.yaml"])
    assert (first.fingerprint, second.fingerprint) == (ADDED, MOVED)
    assert (first.reason, first.owner, first.expires.isoformat()) == ("granted: by hand", "platform-team", "2027-03-31")
    assert (first.reference, first.to, first.clusters) == ("CHG1", ">=4.19", ("prod-*",))
    assert "# permission-added: tidewater gains 2 permissions\n" in result.out
    assert "\x1b" not in result.out


def test_a_report_may_come_from_a_pipe(report: Path) -> None:
    assert ADDED in ack("-", ADDED, stdin=report.read_text()).out


def test_a_new_file_is_made(report: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.yaml"
    result = ack(report, ADDED, "--write", target)
    assert (result.code, result.out) == (0, "")
    assert [a.fingerprint for a in load([target])] == [ADDED]


@pytest.mark.parametrize("indent", ["", "  ", "      "])
def test_appending_keeps_comments_and_form(report: Path, tmp_path: Path, indent: str) -> None:
    before = (
        "# owned by the platform team\n"
        "acknowledgements:\n"
        f"{indent}- reason: agreed  # in the meeting\n"
        f"{indent}  fingerprint: aaaaaaaaaaaaaaaa\n"
        f"{indent}  owner: o\n"
        f"{indent}  expires: 2027-01-01"
    )
    target = tmp_path / "a.yaml"
    target.write_text(before)
    assert ack(report, ADDED, MOVED, "--write", target).code == 0
    assert target.read_text().startswith(before + "\n")
    assert [a.fingerprint for a in load([target])] == ["aaaaaaaaaaaaaaaa", ADDED, MOVED]


def test_appending_to_json_stays_json(report: Path, tmp_path: Path) -> None:
    entry = {"fingerprint": "a" * 16, "reason": "r", "owner": "o", "expires": "2027-01-01"}
    target = tmp_path / "a.json"
    target.write_text(json.dumps({"acknowledgements": [entry]}))
    assert ack(report, ADDED, "--write", target).code == 0
    assert [e["fingerprint"] for e in json.loads(target.read_text())["acknowledgements"]] == ["a" * 16, ADDED]


def test_the_version_that_a_file_wants_stays_in_it(report: Path, tmp_path: Path) -> None:
    files = {
        "list.yaml": "# ours\nrequired-version: '>=0'  # since 2026\nacknowledgements:\n"
        "- {fingerprint: aaaaaaaaaaaaaaaa, reason: r, owner: o, expires: 2027-01-01}\n",
        "empty.yaml": "# ours\nacknowledgements: []\nrequired-version: '>=0'  # since 2026\n",
        "empty.json": json.dumps({"required-version": ">=0", "acknowledgements": []}),
    }
    for name, text in files.items():
        target = tmp_path / name
        target.write_text(text)
        assert ack(report, ADDED, "--write", target).code == 0, name
        assert load([target])[-1].fingerprint == ADDED
        assert ">=0" in target.read_text(), name
        if name != "empty.json":
            assert "# ours\n" in target.read_text()
            assert "# since 2026\n" in target.read_text()


def test_an_empty_list_is_filled(report: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.yaml"
    target.write_text("acknowledgements: []\n")
    assert ack(report, ADDED, "--write", target).code == 0
    assert [a.fingerprint for a in load([target])] == [ADDED]


def test_a_form_that_cannot_be_appended_to_is_left_alone(report: Path, tmp_path: Path) -> None:
    before = "acknowledgements: [{fingerprint: aaaaaaaaaaaaaaaa, reason: r, owner: o, expires: 2027-01-01}]\n"
    target = tmp_path / "a.yaml"
    target.write_text(before)
    result = ack(report, ADDED, "--write", target)
    assert result.code == 2
    assert "by hand" in result.err
    assert target.read_text() == before


def test_a_broken_file_is_left_alone(report: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.yaml"
    target.write_text("acknowledgements:\n- reason: no fingerprint\n")
    result = ack(report, ADDED, "--write", target)
    assert result.code == 2
    assert "a.yaml:2" in result.first
    assert target.read_text() == "acknowledgements:\n- reason: no fingerprint\n"


def test_a_file_that_cannot_be_written_is_1(report: Path, tmp_path: Path) -> None:
    result = ack(report, ADDED, "--write", tmp_path / "gone" / "a.yaml")
    assert result.code == 1
    assert "gone/a.yaml" in result.first


def test_a_fingerprint_that_is_not_in_the_report_is_refused(report: Path) -> None:
    result = ack(report, "1111111111111112")
    assert result.code == 2
    assert f"did you mean {ADDED}" in result.err
    assert result.out == ""


@pytest.mark.parametrize("fingerprint", [CONFLICT, REFUSED])
def test_what_can_never_be_acknowledged_is_refused(report: Path, fingerprint: str, tmp_path: Path) -> None:
    result = ack(report, ADDED, fingerprint, "--write", tmp_path / "a.yaml")
    assert result.code == 2
    assert "can never be acknowledged" in result.first
    assert not (tmp_path / "a.yaml").exists()


def test_a_day_that_is_over_is_refused(report: Path, tmp_path: Path) -> None:
    given = ("--reason", "r", "--owner", "o", "--expires", "2020-01-01")
    result = run("ack", "--report", report, ADDED, *given, "--write", tmp_path / "a.yaml")
    assert (result.code, result.out) == (2, "")
    assert "is in the past" in result.first
    assert not (tmp_path / "a.yaml").exists()


def test_today_still_counts(report: Path) -> None:
    today = datetime.now(UTC).date().isoformat()
    assert run("ack", "--report", report, ADDED, "--reason", "r", "--owner", "o", "--expires", today).code == 0


def test_without_a_fingerprint_what_is_open_is_listed(report: Path) -> None:
    result = run("ack", "--report", report)
    assert result.code == 0
    lines = result.out.splitlines()
    assert [line.split()[0] for line in lines] == [ADDED, MOVED, "never", "never"]
    assert "permission-added: tidewater gains 2 permissions" in lines[0]
    assert "\x1b" not in result.out


def test_what_is_settled_or_harmless_is_not_listed(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    found = [
        finding(ADDED, "permission-added", "a", status="acknowledged", severity="blocker"),
        finding(MOVED, "permission-removed", "b", status="open", severity="info"),
    ]
    path.write_text(json.dumps({"schema": "upgrade-gate/v1", "findings": found}))
    assert run("ack", "--report", path).out == "Nothing is open that could be acknowledged.\n"


def test_nothing_is_written_without_a_fingerprint(report: Path, tmp_path: Path) -> None:
    assert run("ack", "--report", report, "--write", tmp_path / "a.yaml").code == 2
    assert not (tmp_path / "a.yaml").exists()


def test_the_first_digits_are_enough_where_they_are_unique(report: Path) -> None:
    assert ack(report, ADDED[:6]).out == ack(report, ADDED).out
    assert ack(report, ADDED[:6], ADDED).out == ack(report, ADDED).out, "one finding, named twice"


def test_too_few_digits_are_refused(report: Path) -> None:
    result = ack(report, ADDED[:5])
    assert result.code == 2
    assert "6 digits or more" in result.err


def test_a_beginning_of_two_findings_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    found = [finding("abcdef1111111111", "permission-added", "a"), finding("abcdef2222222222", "secret-moved", "b")]
    path.write_text(json.dumps({"schema": "upgrade-gate/v1", "findings": found}))
    result = ack(path, "abcdef")
    assert result.code == 2
    assert "abcdef1111111111, abcdef2222222222" in result.first


def test_what_asks_for_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    found = [finding(ADDED, "permission-removed", "a", severity="info")]
    path.write_text(json.dumps({"schema": "upgrade-gate/v1", "findings": found}))
    result = ack(path, ADDED)
    assert result.code == 2
    assert "is for information only" in result.first


def test_a_second_entry_for_the_same_thing_is_refused(report: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.yaml"
    assert ack(report, ADDED, "--write", target).code == 0
    before = target.read_text()
    result = ack(report, MOVED, ADDED, "--write", target)
    assert result.code == 2
    assert f"a.yaml:3: has an entry for {ADDED} already, until 2027-03-31" in result.first
    assert target.read_text() == before


def test_an_entry_for_other_clusters_is_another_thing(report: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.yaml"
    assert ack(report, ADDED, "--write", target).code == 0
    assert ack(report, ADDED, "--clusters", "prod-*", "--write", target).code == 0
    assert [a.clusters for a in load([target])] == [(), ("prod-*",)]


def test_all_that_an_acknowledgement_needs_is_named_at_once(report: Path) -> None:
    result = run("ack", "--report", report, ADDED)
    assert result.code == 2
    assert "--reason, --owner and --expires" in result.first


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "is not a report"),
        ('{"schema": "other"}', "is not a report"),
        ('{"schema": "upgrade-gate/v2", "findings": []}', "reads upgrade-gate/v1"),
        ('{"schema": "upgrade-gate/v1", "findings": null}', "findings are no list"),
        ('{"schema": "upgrade-gate/v1", "findings": [1]}', "findings are no list"),
        ('{"schema": "upgrade-gate/v1", "findings": []}', "has no finding"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    result = ack(path, ADDED)
    assert result.code == 2
    assert said in result.err


def test_a_report_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    assert ack(tmp_path / "gone.json", ADDED).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--reason", " ", "--owner", "o", "--expires", "2027-01-01"),
        ("--reason", "r", "--owner", "", "--expires", "2027-01-01"),
        ("--reason", "r", "--owner", "o", "--expires", "2027-02-30"),
        ("--reason", "r", "--owner", "o", "--expires", "soon"),
        ("--reason", "r", "--owner", "o"),
        ("--reason", "r", "--owner", "o", "--expires", "2027-01-01", "--to", "newest"),
    ],
)
def test_what_a_reader_would_refuse_is_never_written(report: Path, arguments: tuple[str, ...]) -> None:
    result = run("ack", "--report", report, ADDED, *arguments)
    assert result.code == 2
    assert result.out == ""


def test_a_pipe_is_written_to_and_never_read(report: Path) -> None:
    given = ("--report", report, ADDED, "--reason", "r", "--owner", "o", "--expires", "2027-03-31")
    assert run_process("ack", *given, "--write", "/dev/stdout").out == run("ack", *given).out
