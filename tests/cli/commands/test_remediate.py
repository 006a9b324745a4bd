"""`remediate` and `check --bundle`: what is written where, what is refused, and which exit code is left."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.worlds.running import Result, run

EPOCH = {"SOURCE_DATE_EPOCH": "1793610000"}


def arguments(fixtures: Path, *more: str | Path, cluster: str = "aws-sts", new: str = "4.19.2") -> list[str | Path]:
    releases = fixtures / "releases"
    return [
        *("--from", f"dir:{releases / '4.18.7'}", "--to", f"dir:{releases / new}"),
        *("--cluster", f"must-gather:{fixtures / 'clusters' / cluster}", "--now", "2026-11-02", *more),
    ]


def remediate(fixtures: Path, folder: Path, *more: str | Path) -> Result:
    return run("remediate", *arguments(fixtures, "-d", folder, *more), env=EPOCH)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_exits_0_when_it_has_written_although_the_gate_is_blocked(fixtures: Path, tmp_path: Path) -> None:
    result = remediate(fixtures, tmp_path / "bundle")
    assert (result.code, result.out) == (0, "")
    assert "BLOCKED" in result.err
    files = contents(tmp_path / "bundle")
    assert {"README.md", "commands.sh", "SHA256SUMS", "report.json", "report.html"} <= set(files)
    assert json.loads(files["report.json"])["verdict"]["exit_code"] == 3


def test_the_report_is_written_as_well_where_it_is_asked_for(fixtures: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    result = remediate(fixtures, tmp_path / "bundle", "-o", f"json={file}", "-o", "markdown")
    assert result.code == 0
    assert file.read_bytes() == (tmp_path / "bundle" / "report.json").read_bytes()
    assert result.out.startswith("#")
    assert "BLOCKED" in result.out.upper()


def test_a_report_that_cannot_be_written_leaves_no_bundle(fixtures: Path, tmp_path: Path) -> None:
    result = remediate(fixtures, tmp_path / "bundle", "-o", f"json={tmp_path / 'gone' / 'report.json'}")
    assert result.code == 1
    assert "gone/report.json" in result.first
    assert not (tmp_path / "bundle").exists()


def test_every_file_is_its_owners_alone(fixtures: Path, tmp_path: Path) -> None:
    remediate(fixtures, tmp_path / "bundle")
    for path in (tmp_path / "bundle").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_the_checksums_are_those_of_sha256sum(fixtures: Path, tmp_path: Path) -> None:
    remediate(fixtures, tmp_path)
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)


def test_check_writes_the_same_and_keeps_its_exit_code(fixtures: Path, tmp_path: Path) -> None:
    remediate(fixtures, tmp_path / "one")
    result = run("check", *arguments(fixtures, "--bundle", tmp_path / "two", "-o", "json"), env=EPOCH)
    assert result.code == 3
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    report = json.loads(result.out)
    steps = [step for finding in report["findings"] for step in finding["remedy"] if step["argv"]]
    assert any(step["argv"][:3] == ["aws", "iam", "put-role-policy"] for step in steps)
    assert {step["file"] for step in steps if step["file"]} <= set(contents(tmp_path / "two"))


def test_a_folder_with_something_else_in_it_is_refused(fixtures: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    result = remediate(fixtures, tmp_path)
    assert result.code == 2
    assert "mine.txt is not part of an earlier bundle" in result.err
    assert contents(tmp_path) == {"mine.txt": b"kept"}


def test_an_earlier_bundle_makes_room(fixtures: Path, tmp_path: Path) -> None:
    first = remediate(fixtures, tmp_path, "--ccoctl-name", "c9")
    assert first.code == 0
    assert list((tmp_path / "aws").glob("c9-*"))
    assert remediate(fixtures, tmp_path).code == 0
    assert not list((tmp_path / "aws").glob("c9-*"))
    fresh = tmp_path.with_name("fresh")
    remediate(fixtures, fresh)
    assert contents(tmp_path) == contents(fresh)


def test_what_was_filled_in_is_never_written_over(fixtures: Path, tmp_path: Path) -> None:
    remediate(fixtures, tmp_path)
    secret = next((tmp_path / "secrets").iterdir())
    secret.write_text("filled in")
    result = remediate(fixtures, tmp_path)
    assert result.code == 2
    assert f"{secret.name} was changed since the bundle was made" in result.err
    assert secret.read_text() == "filled in"


def test_a_bundle_that_was_cut_off_can_be_made_anew(fixtures: Path, tmp_path: Path) -> None:
    remediate(fixtures, tmp_path)
    (tmp_path / "commands.sh").unlink()
    assert remediate(fixtures, tmp_path).code == 0
    assert (tmp_path / "commands.sh").exists()


def test_what_a_killed_run_was_writing_makes_room_and_what_only_looks_like_it_does_not(
    fixtures: Path, tmp_path: Path
) -> None:
    remediate(fixtures, tmp_path)
    whole = contents(tmp_path)
    (tmp_path / "secrets" / f".{next((tmp_path / 'secrets').iterdir()).name}.hdjdy_m0").write_text("hal")
    (tmp_path / ".SHA256SUMS.abcdefgh").write_text("")
    assert remediate(fixtures, tmp_path).code == 0
    assert contents(tmp_path) == whole
    (tmp_path / ".mine.txt.abcdefgh").write_text("kept")
    assert remediate(fixtures, tmp_path).code == 2
    assert (tmp_path / ".mine.txt.abcdefgh").read_text() == "kept"


@pytest.mark.parametrize("link", ["README.md", "SHA256SUMS"])
def test_a_link_is_no_part_of_a_bundle(link: str, fixtures: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    remediate(fixtures, folder)
    elsewhere = tmp_path / "elsewhere"
    (folder / link).rename(elsewhere)
    (folder / link).symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert remediate(fixtures, folder).code == 2
    assert elsewhere.read_bytes() == before


def test_a_file_in_place_of_the_folder_is_a_usage_error(fixtures: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert remediate(fixtures, tmp_path / "file").code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_no_verdict(fixtures: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = remediate(fixtures, tmp_path / "bundle")
    assert result.code == 1
    assert result.first.startswith("error: no verdict was reached")


def test_the_folder_is_looked_at_before_anything_is_read(tmp_path: Path, fixtures: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    result = run("check", *arguments(fixtures, "--bundle", tmp_path, "-o", "json"))
    assert (result.code, result.out) == (2, "")


def test_a_release_that_cannot_be_read_leaves_no_bundle(fixtures: Path, tmp_path: Path) -> None:
    archive = tmp_path / "release.tar"
    archive.write_bytes(b"this is not an archive")
    options = arguments(fixtures)
    options[3] = f"archive:{archive}"
    result = run("remediate", *options, "-d", tmp_path / "bundle")
    assert result.code == 4
    assert not (tmp_path / "bundle").exists()
    result = run("check", *options, "--bundle", tmp_path / "bundle")
    assert result.code == 4
    assert "no bundle was written" in result.err
    assert not (tmp_path / "bundle").exists()


def test_half_a_release_is_said_and_not_annotated(fixtures: Path, tmp_path: Path) -> None:
    broken = tmp_path / "release"
    broken.mkdir()
    for path in (fixtures / "releases" / "4.19.2").iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / "0000_50_x_01_credentials-request.yaml").write_text("kind: CredentialsRequest\nspec: [")
    options = arguments(fixtures)
    options[3] = f"dir:{broken}"
    result = run("remediate", *options, "-d", tmp_path / "bundle")
    assert result.code == 0, result.err
    readme = (tmp_path / "bundle" / "README.md").read_text()
    assert "**The target was not read whole: steps may be missing" in readme
    assert "0000_50_x_01_credentials-request.yaml" in readme.replace("\\_", "_")
    assert "oc annotate" not in (tmp_path / "bundle" / "commands.sh").read_text()
