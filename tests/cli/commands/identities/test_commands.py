"""`identities commands`: what is known of the identities stands in the script, and nothing hostile runs in it."""

import base64
import re
from pathlib import Path

import pytest

from tests.worlds import bundles
from tests.worlds.components import require
from tests.worlds.exporting import Case, run_script, shared_case
from tests.worlds.fake_clouds import Clouds
from tests.worlds.running import Result, run

pytestmark = pytest.mark.slow

ROLE = "arn:aws:iam::111122223333:role/c1-openshift-machine-api-aws-cloud-credentials"
SECRET = "openshift-machine-api/aws-cloud-credentials"


def printed(fixtures: Path, *more: str | Path) -> Result:
    release = fixtures / "releases" / "4.19.2"
    return run("identities", "commands", "--to", f"dir:{release}", *more)


@pytest.mark.parametrize("platform", ["AWS", "Azure", "GCP", "IBMCloud", "PowerVS"])
@pytest.mark.parametrize("known", [True, False], ids=["by-name", "everything"])
def test_every_script_is_one_that_shellcheck_has_nothing_against(
    platform: str, known: bool, fixtures: Path, tmp_path: Path
) -> None:
    folder = "id-2026" if known else "IDs"
    result = printed(fixtures, "--platform", platform, "-d", folder, *(["--ccoctl-name", "c1"] if known else []))
    assert result.code == 0, result.err
    script = tmp_path / "export.sh"
    script.write_text(result.out)
    assert bundles.shellcheck(script, require("shellcheck")) == ""


@pytest.mark.parametrize("platform", ["AWS", "Azure", "GCP", "IBMCloud"])
def test_no_script_names_a_verb_that_writes(platform: str, fixtures: Path) -> None:
    text = "\n".join(
        line.partition(" # ")[0]
        for known in ((), ("--ccoctl-name", "c1"))
        for line in printed(fixtures, "--platform", platform, *known).out.splitlines()
        if not line.startswith("#")
    )
    verbs = "create|delete|put|update|add|remove|attach|detach|set|assign|enable|disable|post|patch|login|cancel"
    found = [m.group() for m in re.finditer(rf"(?<![\w-])({verbs})(?=[\s-]).*", text) if m.group()[:6] != "set --"]
    assert found == ["set -euo pipefail", "set -f"] * 2


@pytest.mark.parametrize("platform", ["VSphere", "Nutanix", "AlibabaCloud", "None"])
def test_where_nothing_can_be_exported_it_says_so(platform: str, fixtures: Path) -> None:
    result = printed(fixtures, "--platform", platform)
    assert (result.code, result.out) == (2, "")
    assert "cannot be exported" in result.err


def test_the_folder_and_the_file_are_what_was_asked_for(fixtures: Path, tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "export.sh"
    result = printed(fixtures, "--platform", "AWS", "-d", "it's mine; rm -rf x", "--write", script)
    assert (result.code, result.out) == (0, "")
    assert """directory='it'"'"'s mine; rm -rf x'""" in script.read_text()
    assert "bash export.sh" in script.read_text()


def test_a_folder_that_holds_something_is_left_alone(fixtures: Path, tmp_path: Path) -> None:
    script = tmp_path / "export.sh"
    assert printed(fixtures, "--platform", "AWS", "--write", script).code == 0
    folder = tmp_path / "identities"
    folder.mkdir()
    (folder / "old.json").write_text("{}")
    ran = run_script(Clouds(tmp_path), script, folder)
    assert (ran.code, ran.calls) == (2, ())
    assert "is not empty" in ran.err
    assert [p.name for p in folder.iterdir()] == ["old.json"]


def test_without_the_cloud_s_command_line_nothing_is_begun(fixtures: Path, tmp_path: Path) -> None:
    script = tmp_path / "export.sh"
    assert printed(fixtures, "--platform", "IBMCloud", "--write", script).code == 0
    clouds = Clouds(tmp_path)
    with clouds.on_path(tmp_path / "bin"):
        (tmp_path / "bin" / "ibmcloud").unlink()
    import subprocess

    done = subprocess.run(
        ["/bin/bash", script, tmp_path / "out"],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "ibmcloud is not installed" in done.stderr


@pytest.fixture
def case(shared: Path) -> Case:
    return shared_case(shared, "aws-sts-all-done", "4.13.99", "4.14.0")


def with_secret(case: Case, shared: Path, folder: Path, content: str) -> Case:
    """Return the case with the content of one Secret in its dump."""
    pair = bundles.AWS
    copy = bundles.dump(shared, folder, pair, lambda text: text.replace(pair.old, pair.dumped))
    (path,) = copy.glob("namespaces/openshift-machine-api/core/secrets.yaml")
    data = base64.b64encode(content.encode()).decode()
    path.write_text(
        "apiVersion: v1\nkind: SecretList\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata:\n"
        "    name: aws-cloud-credentials\n    namespace: openshift-machine-api\n"
        f"  data:\n    credentials: {data}\n"
    )
    return Case(copy, case.old, case.new)


def line_of(script: str, secret: str) -> str:
    return next(line for line in script.splitlines() if line.startswith("#") and f" {secret}: " in line)


def test_the_secret_names_the_identity_before_the_configuration_and_ccoctl_do(
    case: Case, shared: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"identities:\n  {SECRET}: {ROLE}-other\n")
    token = "/var/run/secrets/openshift/serviceaccount/token"
    content = f"[default]\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n"
    changed = with_secret(case, shared, tmp_path, content)
    more: tuple[str | Path, ...] = ("--config", config, "--ccoctl-name", "c1")
    script = changed.script(tmp_path / "with.sh", *more, "--read-secrets").read_text()
    assert line_of(script, SECRET).endswith(f"{ROLE}, by the secret")
    assert line_of(script, "openshift-ingress-operator/cloud-credentials").endswith("as ccoctl would name it")
    script = changed.script(tmp_path / "without.sh", *more).read_text()
    assert line_of(script, SECRET).endswith(f"{ROLE}-other, by the configuration")


def test_an_identity_that_no_cloud_spells_so_reaches_no_command(case: Case, tmp_path: Path) -> None:
    """What a configuration says stands inside queries of the command line."""
    config = tmp_path / "config.yaml"
    config.write_text(f'identities:\n  {SECRET}: "x\'] || `touch pwned` $(touch pwned)"\n')
    script = case.script(tmp_path / "export.sh", "--config", config).read_text()
    assert "pwned" not in script
    assert line_of(script, SECRET).endswith("that nobody names")


def test_in_passthrough_mode_the_root_credential_is_all_that_is_needed(shared: Path, tmp_path: Path) -> None:
    case = shared_case(shared, "aws-passthrough", "4.13.99", "4.14.0")
    script = case.script(tmp_path / "export.sh").read_text()
    served = [line for line in script.splitlines() if re.match(r"#   [a-z-]+/[a-z-]+: ", line)]
    assert served == ["#   kube-system/aws-creds: of an identity that nobody names"]
    assert "Every identity is exported" in script
