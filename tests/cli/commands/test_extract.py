"""`extract`: exactly the requests that the release applies, ready for ccoctl."""

from pathlib import Path

import yaml

from tests.worlds.running import Result, run


def extract(fixtures: Path, folder: Path, *more: str) -> Result:
    return run("extract", "--to", f"dir:{fixtures / 'releases' / '4.19.2'}", "-d", folder, *more)


def names(folder: Path) -> set[str]:
    documents = [yaml.safe_load(path.read_text()) for path in folder.iterdir()]
    assert {document["kind"] for document in documents} == {"CredentialsRequest"}
    return {document["metadata"]["name"] for document in documents}


def test_foreign_and_gated_requests_are_left_out(fixtures: Path, tmp_path: Path) -> None:
    result = extract(fixtures, tmp_path / "new", "--platform", "AWS")
    assert (result.code, result.out) == (0, "")
    assert names(tmp_path / "new") == {
        "beacon-machines",
        "lantern-image-store",
        "quillwork-network-config",
        "reedbed-samples",
        "saltmarsh-dns",
        "tidewater-volume-driver",
    }


def test_a_capability_that_the_cluster_lacks_is_left_out(fixtures: Path, tmp_path: Path) -> None:
    source = f"must-gather:{fixtures / 'clusters' / 'aws-sts'}"
    current = f"dir:{fixtures / 'releases' / '4.18.7'}"
    result = extract(fixtures, tmp_path / "new", "--cluster", source, "--from", current)
    assert result.code == 0, result.err
    assert "reedbed-samples" not in names(tmp_path / "new")
    assert "saltmarsh-dns" in names(tmp_path / "new")


def test_a_tech_preview_cluster_gets_what_is_gated(fixtures: Path, tmp_path: Path) -> None:
    assert extract(fixtures, tmp_path, "--platform", "AWS", "--feature-set", "TechPreviewNoUpgrade").code == 0
    assert "ferry-autoscaler" in names(tmp_path)


def test_a_request_is_written_as_it_stands(fixtures: Path, tmp_path: Path) -> None:
    extract(fixtures, tmp_path, "--platform", "GCP")
    (written,) = tmp_path.iterdir()
    original = fixtures / "releases" / "4.19.2" / "0000_50_tidewater-storage_05_credentials-request-gcp.yaml"
    assert yaml.safe_load(written.read_text()) == yaml.safe_load(original.read_text())


def test_a_folder_with_something_in_it_is_refused(fixtures: Path, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("")
    result = extract(fixtures, tmp_path, "--platform", "AWS")
    assert result.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["old.yaml"]


def test_half_a_release_is_never_written(fixtures: Path, tmp_path: Path) -> None:
    broken = tmp_path / "release"
    broken.mkdir()
    for path in (fixtures / "releases" / "4.19.2").iterdir():
        (broken / path.name).write_bytes(path.read_bytes()[:-20] if "lantern" in path.name else path.read_bytes())
    (broken / "0000_50_lantern-image-store_01_credentials-request.yaml").write_text("kind: CredentialsRequest\nspec: [")
    result = run("extract", "--to", f"dir:{broken}", "-d", tmp_path / "new", "--platform", "AWS")
    assert result.code == 4
    assert not (tmp_path / "new").exists()


def test_a_report_cannot_be_asked_for_where_there_is_none(fixtures: Path, tmp_path: Path) -> None:
    result = extract(fixtures, tmp_path / "new", "--platform", "AWS", "-o", "json")
    assert (result.code, result.out) == (2, "")
    assert not (tmp_path / "new").exists()
    assert extract(fixtures, tmp_path / "new", "--platform", "AWS", "-q").err == ""
