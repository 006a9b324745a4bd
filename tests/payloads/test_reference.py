"""Release references: which form is which, and that only the plugin of a form is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.payloads import reference
from upgrade_gate.payloads.reference import Reference, Settings

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "scheme", "target"),
    [
        ("cluster", "cluster", ""),
        ("4.15.3", "version", "4.15.3"),
        ("v4.15.3", "version", "4.15.3"),
        ("4.16.0-rc.2", "version", "4.16.0-rc.2"),
        ("4.15.0-0.okd-2024-03-10-010116", "version", "4.15.0-0.okd-2024-03-10-010116"),
        ("quay.io/openshift-release-dev/ocp-release:4.15.3-x86_64", "registry", None),
        (f"quay.io/openshift-release-dev/ocp-release@{DIGEST}", "registry", None),
        ("localhost/release:1", "registry", None),
        ("mirror:5000/openshift/release:4.15.3", "registry", None),
        ("registry:5000/openshift/release:4.15.3", "registry", None),
        ("10.0.0.1:443/release", "registry", None),
        ("[fd00::1]:5000/release", "registry", None),
        ("registry:openshift/release:4.15.3", "registry", "openshift/release:4.15.3"),
        ("docker://quay.io/okd/scos:4.15", "registry", "quay.io/okd/scos:4.15"),
        ("dir:x", "dir", "x"),
        ("dir:/not/there", "dir", "/not/there"),
        ("archive:a.tar", "archive", "a.tar"),
        ("docker-archive:a.tar", "archive", "a.tar"),
        ("oci-archive:a.tar:tag", "archive", "a.tar:tag"),
        ("oci:layout:tag", "oci", "layout:tag"),
        ("mirror:folder", "mirror", "folder"),
    ],
)
def test_every_form_of_a_reference(text: str, scheme: str, target: str | None, tmp_path: Path) -> None:
    assert reference.parse_reference(text) == Reference(text, scheme, text if target is None else target)


@pytest.mark.parametrize(
    ("content", "scheme"),
    [
        ("0000_50_x.yaml", "dir"),
        ("release-manifests/0000_50_x.yaml", "dir"),
        ("v2/openshift/release/manifests/4.15.3", "mirror"),
        ("oci-layout", "oci"),
    ],
)
def test_existing_folder_is_told_by_what_it_holds(content: str, scheme: str, tmp_path: Path) -> None:
    path = tmp_path / content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    (tmp_path / "index.json").touch()
    assert reference.parse_reference(str(tmp_path)) == Reference(str(tmp_path), scheme, str(tmp_path))


def test_existing_file_is_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "release.tar"
    path.touch()
    assert reference.parse_reference(str(path)).scheme == "archive"


def test_version_stays_one_where_a_folder_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull request could plant a folder that would be judged instead of the release."""
    (tmp_path / "4.15.3").mkdir()
    (tmp_path / "cluster").mkdir()
    monkeypatch.chdir(tmp_path)
    assert reference.parse_reference("4.15.3").scheme == "version"
    assert reference.parse_reference("cluster").scheme == "cluster"
    assert reference.parse_reference("./4.15.3").scheme == "dir"


def test_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "release").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert reference.parse_reference("~/release").target == str(tmp_path / "release")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (" ", "empty"),
        ("dir:", "nothing follows the prefix"),
        ("docker://", "nothing follows the prefix"),
        ("latest", "not a release reference"),
        ("4.15.x", "not a release reference"),
        ("ocp-release:4.15.3", "not a release reference"),
        ("releases/4.15.3", "no such file or folder"),
        ("./4.15.3", "no such file or folder"),
        ("/not/there", "no such file or folder"),
        ("~/not-there", "no such file or folder"),
        ("https://quay.io/x/y:1", "no such file or folder"),
        ("quay.io/", "no such file or folder"),
        ("~nobody-has-this-name/4.15.3", "no such file or folder"),
        (f"{'4' * 5000}", "not a release reference"),
        (f"./{'4' * 5000}", "no such file or folder"),
    ],
)
def test_anything_else_is_a_usage_error_that_lists_the_forms(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        reference.parse_reference(text)
    assert "archive:FILE" in str(error.value.hint)


@pytest.mark.parametrize("path", ["/not/there", "~nobody-has-this-name/x", f"/{'x' * 5000}"])
@pytest.mark.parametrize("scheme", ["dir", "archive", "oci", "mirror"])
def test_path_that_does_not_exist_is_a_usage_error(scheme: str, path: str) -> None:
    with pytest.raises(UsageError, match=path):
        reference.fetch(reference.parse_reference(f"{scheme}:{path}"), Settings())


def test_scheme_without_a_plugin_is_an_error() -> None:
    with pytest.raises(SourceError, match="no source reads"):
        reference.fetch(Reference("4.15.3", "version", "4.15.3"), Settings())


def test_every_source_answers_to_a_prefix_that_can_be_written() -> None:
    for plugin in plugins.load_all("payloads.sources"):
        for scheme in plugin.SCHEMES:
            assert reference.parse_reference(f"{scheme}:x").scheme == scheme


def test_only_the_plugin_of_the_scheme_is_imported(fixtures: Path) -> None:
    script = (
        "import sys\nfrom upgrade_gate.payloads import reference\n"
        f"reference.fetch(reference.parse_reference({str(fixtures / 'releases' / '4.18.7')!r}), reference.Settings())\n"
        "print(*sorted(m for m in sys.modules if m.startswith('upgrade_gate.payloads.sources.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["upgrade_gate.payloads.sources.directory"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("a.yaml", True),
        ("a.yml", True),
        ("sub/a.json", True),
        ("release-metadata", True),
        ("image-references", True),
        ("sub/release-metadata", False),
        ("a.YAML", False),
        ("a.sh", False),
    ],
)
def test_which_files_belong_to_a_payload(name: str, read: bool) -> None:
    assert reference.is_payload_file(name) is read


def test_settings_never_print_the_pull_secret() -> None:
    shown = f"{Settings(pull_secret=b'hunter2')} {Settings(pull_secret=b'hunter2')!r}"

    assert "hunter2" not in shown
