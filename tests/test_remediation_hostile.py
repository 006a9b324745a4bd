"""Names of a hostile payload come out harmless in every file of the bundle, and in every file name."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import bundles
from tests.bundles import PAIRS, Shell
from tests.components import require
from upgrade_gate import remediation
from upgrade_gate.pipeline import Outcome

TOUCH = "$(touch pwned)`touch pwned`;touch pwned;'\"\\\n$HOME ${x} %{y}"
MARK = "\u202e\x1b[31m[x](https://evil.example) ![i](x) <script>alert(1)</script> @you |"
EVIL: dict[str, Any] = {
    "apiVersion": "cloudcredential.openshift.io/v1",
    "kind": "CredentialsRequest",
    "metadata": {
        "name": f"../../../tmp/x{TOUCH}",
        "namespace": f"openshift{MARK}",
        "annotations": {"include.release.openshift.io/self-managed-high-availability": "true"},
    },
}
SPECS: dict[str, dict[str, Any]] = {
    "aws": {
        "kind": "AWSProviderSpec",
        "statementEntries": [
            {"effect": "Allow", "action": [f"s3:Get{TOUCH}", f"s3:Put{MARK}"], "resource": f"*{TOUCH}"},
        ],
    },
    "azure-token": {
        "kind": "AzureProviderSpec",
        "permissions": [f"Microsoft.X/{TOUCH}/read"],
        "roleBindings": [{"role": f"Role {MARK}{TOUCH}"}],
    },
    "gcp": {"kind": "GCPProviderSpec", "permissions": [f"a.b.{TOUCH}"], "predefinedRoles": [f"roles/{MARK}"]},
    "powervs": {
        "kind": "IBMCloudPowerVSProviderSpec",
        "policies": [{"attributes": [{"name": f"n{MARK}", "value": TOUCH}], "roles": [f"crn:{TOUCH}"]}],
    },
    "nutanix": {"kind": "NutanixProviderSpec"},
}


@pytest.fixture
def hostile(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> tuple[Outcome, Path]:
    """A bundle from a target release that carries a request whose every name is an attack."""
    name: str = request.param
    pair = PAIRS[name]
    bundles.copy_release(shared, tmp_path, pair.old)
    target = bundles.copy_release(shared, tmp_path, pair.new)
    spec = {
        "secretRef": {"namespace": f"ns/../..{TOUCH}", "name": f"-n s{MARK}{TOUCH}"},
        "serviceAccountNames": [f"sa{TOUCH}", f"sb{MARK}"],
        "providerSpec": {"apiVersion": "cloudcredential.openshift.io/v1", **SPECS[name]},
    }
    twin = {"namespace": f"ns/../..{TOUCH}-", "name": f"n s{MARK}{TOUCH}"}
    documents = [
        {**EVIL, "spec": spec},
        {**EVIL, "metadata": {**EVIL["metadata"], "name": f"y{MARK}"}, "spec": {**spec, "secretRef": twin}},
    ]
    (target / "0000_99_evil.yaml").write_text(yaml.safe_dump_all(documents))
    run = bundles.outcome(shared, bundles.dump(shared, tmp_path, pair), pair, releases=tmp_path)
    assert len(run.survey.hops[-1].new_selection.requests) > 2
    assert any("evil" in c.after.locations[0].file for c in run.survey.hops[0].changes if c.after)
    return run, bundles.bundle(run, tmp_path / "bundle")


every_cloud = pytest.mark.parametrize("hostile", SPECS, indirect=True)


@every_cloud
def test_hostile_names_make_harmless_file_names(hostile: tuple[Outcome, Path]) -> None:
    run, _ = hostile
    names = list(remediation.build(run, None))
    for name in names:
        assert all(part not in {"", ".", ".."} for part in name.split("/")), name
        assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/"), name
        assert not any(part.startswith("-") for part in name.split("/")), name
        assert max(map(len, name.split("/"))) < 200
    assert len({name.casefold() for name in names}) == len(names)
    assert sum(name.startswith("credentials-requests/") for name in names) == len(
        run.survey.hops[-1].new_selection.requests
    )


@every_cloud
def test_no_file_of_the_bundle_holds_an_active_character(hostile: tuple[Outcome, Path]) -> None:
    _, folder = hostile
    assert bundles.parse_everything(folder) > 3
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            bad = {c for c in text if not c.isprintable() and c not in "\n\t"}
            assert not bad, f"{path.name}: {bad}"


@every_cloud
def test_hostile_names_stay_words_in_the_script(hostile: tuple[Outcome, Path], tmp_path: Path) -> None:
    """Every step runs against the fakes: no command of the payload's runs, and each name arrives as it was written."""
    _, folder = hostile
    script = folder / "commands.sh"
    assert bundles.shellcheck(script, require("shellcheck")) == ""
    shell = Shell(tmp_path / "bin", tmp_path)
    for name in bundles.TOOLS:
        (tmp_path / "bin" / "recorder.py").write_text(RECORDER)
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec python3 "{tmp_path}/bin/recorder.py" {name} "$@"\n')
    text = script.read_text()
    manifest = tmp_path / "filled.yaml"
    manifest.write_text("kind: Secret")
    values = {}
    for line in text.splitlines():
        variable = line.partition("=")[0]
        if line.startswith(f"{variable}=${{{variable}:-"):
            values[variable] = (
                str(manifest) if variable.startswith("SECRET_FILE") else VALUES.get(variable, "v-a-l-u-e")
            )
    for name in list(values):
        if name.startswith("AZURE_PRINCIPAL"):
            values[name] = "00000000-0000-4000-8000-000000000001"
        if name.startswith("GCP_SERVICE_ACCOUNT"):
            values[name] = "a@b.c"
        if name.startswith("TRUST_POLICY"):
            values[name] = str(manifest)
    ran = shell.run(script, values=values)
    assert ran.code == 0, ran.err
    assert not list(folder.rglob("pwned"))
    assert not (tmp_path / "pwned").exists()
    words = [word for call in ran.calls for word in call]
    assert any(word.startswith("-n s") and word.endswith(TOUCH) for word in words), (
        "the Secret is looked up by its name"
    )


RECORDER = """\
import json, os, sys
open(os.environ["FAKE_LOG"], "a").write(json.dumps(sys.argv[1:]) + "\\n")
sys.exit("get" in sys.argv)
"""
VALUES = {
    "AWS_ACCOUNT_ID": "111122223333",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-4000-8000-000000000001",
    "AZURE_REGION": "westeurope",
    "GCP_PROJECT_NUMBER": "42",
    "IBMCLOUD_ACCOUNT_ID": "0" * 32,
    "IBMCLOUD_RESOURCE_GROUP_ID": "0" * 32,
}


@every_cloud
def test_hostile_names_are_no_markup_in_the_readme(hostile: tuple[Outcome, Path]) -> None:
    require("python:markdown_it")
    from markdown_it import MarkdownIt

    _, folder = hostile
    html = MarkdownIt("gfm-like", {"linkify": False}).render((folder / "README.md").read_text())
    for tag in ("<a ", "<img", "<script", "<em>"):
        assert tag not in html, html[max(html.find(tag) - 200, 0) : html.find(tag) + 100]
    assert html.count("<h1>") == 1
    assert {
        "## " + line.removeprefix("<h2>").removesuffix("</h2>") for line in html.splitlines() if "<h2>" in line
    } <= {
        "## To be filled in",
        "## Before the upgrade",
        "## The upgrade",
        "## After the upgrade",
        "## With ccoctl instead",
        "## What no step here ends",
        "## Files",
        "## The upgrade command",
    }


@every_cloud
def test_terraform_evaluates_nothing(hostile: tuple[Outcome, Path]) -> None:
    _, folder = hostile
    for path in folder.rglob("*.tf.json"):
        body = json.loads(path.read_text())
        assert set(body) <= {"data", "locals"}
        text = path.read_text()
        assert text.count("${") == text.count("$${")
        assert text.count("%{") == text.count("%%{")
