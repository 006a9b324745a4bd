"""Names of a hostile payload come out harmless in every file of the bundle, and in every file name."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds import bundles, old_state
from tests.worlds.bundles import Shell
from tests.worlds.components import require
from upgrade_gate.cli import main

TOUCH = "$(touch pwned)`touch pwned`;touch pwned;'\"\\\n$HOME ${x} %{y}"
MARK = "\u202e\x1b[31m[x](https://evil.example) ![i](x) <script>alert(1)</script> @you |"
NAMESPACE = "openshift-cloud-credential-operator"


def statements(kind: str) -> dict[str, Any]:
    entry = {"effect": "Allow", "action": [f"s3:Get{TOUCH}", f"-s3:Put{MARK}"], "resource": f"*{TOUCH}"}
    return {"kind": kind, "statementEntries": [entry]}


def policies(kind: str) -> dict[str, Any]:
    attributes = [{"name": f"n{MARK}", "value": TOUCH}]
    return {"kind": kind, "policies": [{"attributes": attributes, "roles": [f"crn:{TOUCH}", f"--crn{MARK}"]}]}


SPECS: dict[str, dict[str, Any]] = {
    "AWS": statements("AWSProviderSpec"),
    "Azure": {
        "kind": "AzureProviderSpec",
        "permissions": [f"Microsoft.X/{TOUCH}/read"],
        "dataPermissions": [f"../{MARK}"],
        "roleBindings": [{"role": f"Role {MARK}{TOUCH}"}, {"role": "--role"}],
    },
    "GCP": {
        "kind": "GCPProviderSpec",
        "permissions": [f"a.b.{TOUCH}", f"^,{MARK}"],
        "predefinedRoles": [f"roles/{MARK}", f"--{TOUCH}"],
    },
    "IBMCloud": policies("IBMCloudProviderSpec"),
    "PowerVS": policies("IBMCloudPowerVSProviderSpec"),
    "Nutanix": {"kind": "NutanixProviderSpec"},
    "VSphere": {"kind": "VSphereProviderSpec", "permissions": [{"privileges": [f"Host.{TOUCH}", f"-{MARK}"]}]},
    "OpenStack": {"kind": "OpenStackProviderSpec"},
    "oVirt": {"kind": "OvirtProviderSpec"},
    "AlibabaCloud": statements("AlibabaCloudProviderSpec"),
}
FORMS = [*(f"{p} keys" for p in SPECS), "AWS token", "Azure token", "GCP token"]


def evil(
    platform: str, name: str, secret: Mapping[str, str], *accounts: str, namespace: str = f"openshift{MARK}"
) -> dict[str, Any]:
    included = {"include.release.openshift.io/self-managed-high-availability": "true"}
    return {
        "apiVersion": "cloudcredential.openshift.io/v1",
        "kind": "CredentialsRequest",
        "metadata": {"name": name, "namespace": namespace, "annotations": included},
        "spec": {
            "secretRef": dict(secret),
            "serviceAccountNames": list(accounts),
            "providerSpec": {"apiVersion": "cloudcredential.openshift.io/v1", **SPECS[platform]},
        },
    }


def hostile_facts(objects: dict[str, dict[str, Any]]) -> None:
    """Let the cluster itself call things by names that are an attack."""
    status = objects["Infrastructure/cluster"]["status"]
    status["infrastructureName"] = f"c1{TOUCH}"
    for fields in status["platformStatus"].values():
        if isinstance(fields, dict):
            fields.update({key: f"{value}{TOUCH}{MARK}" for key, value in fields.items()})


@pytest.fixture(scope="module")
def hostile(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for a target release that carries requests whose every name is an attack, and a cluster that helps."""
    platform, _, form = request.param.partition(" ")
    folder = tmp_path_factory.mktemp("hostile")
    bundles.copy_release(shared, folder / "releases", "4.14.0")
    target = bundles.copy_release(shared, folder / "releases", "4.15.0")
    documents = [
        evil(platform, "x", {"namespace": "evil-ns", "name": "evil"}, "evil-sa", namespace="openshift-evil"),
        evil(platform, f"../../../tmp/x{TOUCH}", {"namespace": "evil-ns", "name": "evil"}, "evil-sa"),
        evil(
            platform, f"-y{MARK}", {"namespace": f"ns/../..{TOUCH}", "name": f"-n s{MARK}{TOUCH}"}, f"sa{TOUCH}", "-x"
        ),
        evil(platform, "z", {"namespace": f"ns/../..{TOUCH}-", "name": f"n s{MARK}{TOUCH}"}, f"@{MARK}"),
    ]
    (target / "0000_99_evil.yaml").write_text(yaml.safe_dump_all(documents))
    state = old_state.make(
        folder / "releases", folder, platform, "4.14.0", "4.15.0", token=form == "token", change=hostile_facts
    )
    assert main(["remediate", *state.arguments(), "-q", "-d", str(folder / "bundle")]) == 0
    report = json.loads((folder / "bundle" / "report.json").read_text())
    assert sum("0000_99_evil.yaml" in str(f["evidence"]) for f in report["findings"]) >= 3
    return folder / "bundle"


every_cloud = pytest.mark.parametrize("hostile", FORMS, indirect=True)


@every_cloud
def test_hostile_names_make_harmless_file_names(hostile: Path) -> None:
    names = [str(path.relative_to(hostile)) for path in hostile.rglob("*") if path.is_file()]
    for name in names:
        assert all(part not in {"", ".", ".."} for part in name.split("/")), name
        assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/"), name
        assert not any(part.startswith("-") for part in name.split("/")), name
        assert max(map(len, name.split("/"))) < 200
    assert len({name.casefold() for name in names}) == len(names)
    wanted = json.loads((hostile / "report.json").read_text())["requests"]["to"]
    assert sum(name.startswith("credentials-requests/") for name in names) == len(wanted)


@every_cloud
def test_no_file_of_the_bundle_holds_an_active_character(hostile: Path) -> None:
    folder = hostile
    assert bundles.parse_everything(folder) > 3
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            bad = {c for c in text if not c.isprintable() and c not in "\n\t"}
            assert not bad, f"{path.name}: {bad}"


@every_cloud
def test_hostile_names_stay_words_in_the_script(hostile: Path, tmp_path: Path) -> None:
    """Every step runs against the fakes: no command of the payload's runs, and each name arrives as it was written."""
    script = hostile / "commands.sh"
    assert bundles.shellcheck(script, require("shellcheck")) == ""
    shell = Shell(tmp_path / "bin", tmp_path)
    manifest = tmp_path / "filled.yaml"
    manifest.write_text("kind: Secret\nsystem:serviceaccount:evil-ns:evil-sa")
    names = re.findall(r"^([A-Z][A-Z0-9_]+)=\$\{\1:-", script.read_text(), re.MULTILINE)
    files = ("SECRET_FILE", "TRUST_POLICY")
    values = {
        name: str(manifest)
        if name.startswith(files)
        else next((v for k, v in VALUES.items() if name.startswith(k)), "")
        for name in names
    }
    for part in (["new"] if "  new | grant" in script.read_text() else []) + ["plan", "grant", "after"]:
        given = {name: value or "v-a-l-u-e" for name, value in values.items()}
        ran = shell.run(script, part, values=given, answer=lambda call, _: (int("get" in call), "", ""))
        assert ran.code == 0, ran.err
        assert not list(hostile.rglob("pwned"))
        assert not (tmp_path / "pwned").exists()
        if part != "grant":
            continue
        words = [word for call in ran.calls for word in call]
        assert ("oc", "get", "secret", "evil", "--namespace", "evil-ns") in ran.calls
        assert not any("-n s" in word for word in words), "no object can be called so: a person looks at it"
        platform = json.loads((hostile / "report.json").read_text())["platform"]
        if platform in {"Azure", "GCP", "AlibabaCloud"}:
            assert any(TOUCH in word or json.dumps(TOUCH)[1:-1] in word for word in words)


VALUES = {
    "ALIBABA_ACCOUNT_ID": "42",
    "AWS_ACCOUNT_ID": "111122223333",
    "AWS_PARTITION": "aws",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-4000-8000-000000000001",
    "AZURE_PRINCIPAL": "00000000-0000-4000-8000-000000000001",
    "AZURE_REGION": "westeurope",
    "GCP_SERVICE_ACCOUNT": "a@b.c",
    "GCP_PROJECT_NUMBER": "42",
    "IBMCLOUD_ACCOUNT_ID": "0" * 32,
    "IBMCLOUD_RESOURCE_GROUP_ID": "0" * 32,
}


@every_cloud
def test_hostile_names_are_no_markup_in_the_readme(hostile: Path) -> None:
    require("python:markdown_it")
    from markdown_it import MarkdownIt

    folder = hostile
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
        "## What these steps do not solve",
        "## Files",
        "## The upgrade command",
    }


@every_cloud
def test_terraform_evaluates_nothing(hostile: Path) -> None:
    folder = hostile
    for path in folder.rglob("*.tf.json"):
        body = json.loads(path.read_text())
        assert set(body) <= {"data", "locals"}
        text = path.read_text()
        assert text.count("${") == text.count("$${")
        assert text.count("%{") == text.count("%%{")
