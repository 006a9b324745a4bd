"""The bundle of every cloud and form of credentials, for pairs of real releases: whole, safe, and in the right order.

What must stand in it comes from the shared corpus' expected differences and from what ccoctl, the clouds and CCO do
(docs/facts/cco.md#upgradeable, and `ccoctl` on each cloud's page); nothing is exported here, so every document holds
all that its identity needs.
"""

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds import bundles, old_state
from tests.worlds.components import require
from upgrade_gate.cli import main

PAIRS = ("4.12.0--4.13.0", "4.13.0--4.14.0", "4.14.0--4.15.0", "4.14.0--4.14.99")
FORMS = (
    *("AWS token", "AWS keys", "Azure token", "Azure keys", "GCP token", "GCP keys", "IBMCloud keys", "PowerVS keys"),
    *("Nutanix keys", "VSphere keys", "OpenStack keys", "AlibabaCloud keys", "oVirt keys"),
)
CASES = [(p, f) for p in PAIRS for f in FORMS if f != "Azure token" or p >= "4.14"]
"""Azure has workload identity from 4.14 on."""
KINDS = {
    "AWS": "AWSProviderSpec",
    "Azure": "AzureProviderSpec",
    "GCP": "GCPProviderSpec",
    "IBMCloud": "IBMCloudProviderSpec",
    "PowerVS": "IBMCloudPowerVSProviderSpec",
    "Nutanix": "NutanixProviderSpec",
    "VSphere": "VSphereProviderSpec",
    "OpenStack": "OpenStackProviderSpec",
    "AlibabaCloud": "AlibabaCloudProviderSpec",
    "oVirt": "OvirtProviderSpec",
}
CHECKED_BY_CCO = {"AWS", "Azure", "GCP", "VSphere", "OpenStack", "oVirt"}
"""Platforms on which CCO asks for the annotation from 4.10 on (docs/facts/cco.md#upgradeable)."""


class Bundle:
    """A bundle on disk, with what the gate said and what the corpus expects."""

    def __init__(self, folder: Path, platform: str, form: str, pair: str, shared: Path) -> None:
        self.folder, self.platform, self.form = folder, platform, form
        self.old, _, self.new = pair.partition("--")
        self.report: dict[str, Any] = json.loads((folder / "report.json").read_text())
        self.script = (folder / "commands.sh").read_text()
        self.readme = (folder / "README.md").read_text()
        wants = json.loads((shared / "corpus" / "expected" / f"{pair}.json").read_text())
        self.expected = next(w for w in wants if w["platform"] == platform)

    @property
    def new_grants(self) -> list[dict[str, Any]]:
        """The grants that the corpus calls new and not covered."""
        found = []
        for change in self.expected["changes"]:
            if change["selection"]["to"] not in {"applied", "unannotated"}:
                continue
            covered = {tuple(c) for c in change["covered"]}
            added = change["permissions"]["added"]
            found += [g for g in added if (g["type"], g["permission"]) not in covered]
        return found

    def documents(self, ending: str) -> str:
        """Return the text of all documents of the clouds whose names end so."""
        clouds = ("aws", "azure", "gcp", "ibmcloud", "alibabacloud")
        paths = (p for cloud in clouds for p in sorted((self.folder / cloud).glob(f"*{ending}")))
        return "\n".join(p.read_text() for p in paths)

    def part(self, name: str) -> str:
        """Return the commands of one part of the script."""
        start = self.script.rindex(f'if [ "$part" = {name} ]; then')
        return self.script[start : self.script.find("\nfi\n", start)]


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def made(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The bundle of a pair on a cloud, without any export."""
    pair, case = request.param
    platform, _, form = case.partition(" ")
    old, _, new = pair.partition("--")
    folder = tmp_path_factory.mktemp("bundle")
    state = old_state.make(shared / "corpus" / "releases", folder, platform, old, new, token=form == "token")
    for path in state.export.iterdir():
        path.unlink()
    assert main(["remediate", *state.arguments(), "-q", "-d", str(folder / "bundle")]) == 0
    return Bundle(folder / "bundle", platform, form, pair, shared)


def test_it_is_whole_and_its_script_is_sound(made: Bundle) -> None:
    assert bundles.parse_everything(made.folder) >= 1
    assert bundles.shellcheck(made.folder / "commands.sh", require("shellcheck")) == ""


def test_every_new_grant_stands_in_what_the_script_applies(made: Bundle) -> None:
    if not made.new_grants:
        assert made.documents("-delta*") == ""
    for grant in made.new_grants:
        name = grant["permission"]
        told = made.documents("-bindings.yaml" if grant["type"] == "predefinedRole" else "-delta*")
        assert name in told, name
        if grant["scope"]:
            attributes = {(a["name"], a["value"]) for a in grant["scope"]["attributes"]}
            policies = [json.loads(p.read_text()) for p in (made.folder / "ibmcloud").glob("*-delta-*.json")]
            assert any(
                name in {r["role_id"] for r in policy["roles"]}
                and attributes <= {(a["name"], a["value"]) for a in policy["resources"][0]["attributes"]}
                for policy in policies
            ), grant
    applied = re.findall(
        r"(?:file://|@\"\$filled\"/|@|--file )((?:aws|azure|gcp|ibmcloud)/[\w./-]+)", made.part("grant")
    )
    text = "\n".join((made.folder / name).read_text() for name in applied) + made.part("grant")
    assert all(g["permission"] in text for g in made.new_grants)


def test_the_requests_for_ccoctl_are_those_that_the_target_applies(made: Bundle) -> None:
    """ccoctl takes every YAML file of a folder, and drops what has a feature set without --enable-tech-preview."""
    bodies = [
        body
        for path in sorted((made.folder / "credentials-requests").iterdir())
        for body in yaml.safe_load_all(path.read_text())
    ]
    assert sorted(f"{b['metadata']['namespace']}/{b['metadata']['name']}" for b in bodies) == sorted(
        made.report["requests"]["to"]
    )
    for body in bodies:
        marks = body["metadata"].get("annotations", {})
        assert body["kind"] == "CredentialsRequest"
        assert body["spec"]["providerSpec"]["kind"] == KINDS[made.platform]
        assert "release.openshift.io/delete" not in marks
        assert "release.openshift.io/feature-set" not in marks


def test_what_an_aws_role_gets_fits_and_loses_nothing(made: Bundle) -> None:
    """`put-role-policy` replaces: the document holds what either release asks for.

    IAM quotas: docs/facts/aws.md#limits.
    """
    if made.platform != "AWS":
        assert not (made.folder / "aws").exists()
    for path in (made.folder / "aws").glob("*-policy.json"):
        body = json.loads(path.read_text())
        held = {a for s in body["Statement"] for a in s["Action"]}
        size = len(re.sub(r"\s", "", path.read_text()))
        assert size <= (10_240 if made.form == "token" else 2_048)
        delta = json.loads((path.parent / path.name.replace("-policy", "-delta")).read_text())
        assert {a for s in delta["Statement"] for a in s["Action"]} < held
    for path in (made.folder / "aws").glob("*-policy-*.json"):
        assert len(re.sub(r"\s", "", path.read_text())) <= 6_144


def test_the_annotation_is_set_where_cco_asks_for_it_and_last(made: Bundle) -> None:
    minor = ".".join(made.new.split(".")[:2])
    what = "oc annotate cloudcredential.operator.openshift.io cluster"
    line = f"{what} cloudcredential.openshift.io/upgradeable-to=v{minor}"
    wanted = made.platform in CHECKED_BY_CCO and not made.old.startswith(minor)
    assert (line in made.part("annotate")) is wanted
    assert line not in made.part("after") + made.part("grant")
    if wanted:
        assert "ready" in made.script[: made.script.index(made.part("annotate"))]
    else:
        assert "The annotation `cloudcredential.openshift.io/upgradeable-to` is not set here" in made.readme


def test_the_script_upgrades_nothing_and_takes_nothing_away_before(made: Bundle) -> None:
    assert "oc adm upgrade" not in made.script
    before = made.part("grant") + made.part("annotate")
    for verb in ("delete", "remove", "detach"):
        assert not re.search(rf"^\s*(aws|az|gcloud|ibmcloud|aliyun|oc) ([\w-]+ )*{verb}", before, re.MULTILINE), verb
    last = made.readme.rpartition("## The upgrade command")[2].strip().splitlines()
    assert last[:3] == ["```sh", f"oc adm upgrade --to={made.new}", "```"]


CCOCTL: Mapping[str, tuple[str, set[str]]] = {
    "AWS token": (
        "ccoctl aws create-iam-roles",
        {"--name", "--region", "--credentials-requests-dir", "--identity-provider-arn", "--output-dir"},
    ),
    "Azure token": (
        "ccoctl azure create-managed-identities",
        {
            *("--name", "--region", "--subscription-id", "--credentials-requests-dir", "--issuer-url"),
            *("--installation-resource-group-name", "--output-dir"),
        },
    ),
    "GCP token": (
        "ccoctl gcp create-service-accounts",
        {
            *("--name", "--project", "--credentials-requests-dir", "--workload-identity-pool"),
            *("--workload-identity-provider", "--output-dir"),
        },
    ),
    "PowerVS keys": (
        "ccoctl ibmcloud create-service-id",
        {"--name", "--credentials-requests-dir", "--resource-group-name", "--output-dir"},
    ),
    "Nutanix keys": ("ccoctl nutanix create-shared-secrets", {"--credentials-requests-dir", "--output-dir"}),
}


def test_ccoctl_is_called_as_it_is_where_there_is_something_for_it_to_do(made: Bundle) -> None:
    """Commands and flags of `ccoctl`; on IBM it can only make what does not exist.

    See docs/facts/aws.md#ccoctl and the other clouds' pages.
    """
    calls = [shlex.split(line) for line in made.readme.splitlines() if line.startswith("ccoctl ")]
    command, flags = CCOCTL.get(f"{made.platform} {made.form}", ("", set()))
    kinds = {c["kind"] for c in made.expected["changes"]}
    wanted = bool(command and (made.new_grants or "added" in kinds))
    if made.platform in {"PowerVS", "IBMCloud"}:
        wanted = wanted and "added" in kinds
    if made.platform == "Nutanix":
        wanted = "added" in kinds
    if not wanted:
        assert calls == []
        return
    (call,) = calls
    assert " ".join(call[:3]) == command
    assert {word for word in call if word.startswith("--")} == flags
    source = call[call.index("--credentials-requests-dir") + 1]
    assert (made.folder / source).is_dir()
    assert "image=$(oc adm release info --image-for=cloud-credential-operator" in made.readme


def test_it_promises_nothing_that_the_platform_lacks(made: Bundle) -> None:
    """What ccoctl writes is named where a ccoctl command stands, and a proof where some plugin reads identities."""
    told = made.readme + made.script
    if "## With ccoctl instead" not in made.readme:
        assert "what ccoctl wrote" not in told
        assert "ccoctl-output" not in told
    provable = made.platform in {"AWS", "Azure", "GCP", "IBMCloud", "PowerVS"}
    assert ("with `--identities` it proves" in made.readme) is provable


def test_it_names_the_accounts_that_the_script_proves_and_no_others(made: Bundle) -> None:
    """An account is proven where a step uses its command line; nobody is asked for one that no step uses."""
    place = made.readme.partition("and stops anywhere else:\n")[2].partition("\n## ")[0]
    named = re.findall(r"^- (?:the )?((?:AWS|Azure|Google Cloud|IBM Cloud|Alibaba Cloud) \w+) ", place, re.MULTILINE)
    proven = set(
        re.findall(r"^  here '((?:AWS|Azure|Google Cloud|IBM Cloud|Alibaba Cloud) \w+)' ", made.script, re.MULTILINE)
    )
    assert set(named) == proven
