"""The remediation bundle of real pairs: whole, parsable, safe to run, and enough to make the gate pass."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds import bundles
from tests.worlds.bundles import PAIRS, Pair, Shell
from tests.worlds.components import require
from upgrade_gate import pipeline
from upgrade_gate.gate.acknowledgements import Acknowledgement
from upgrade_gate.gate.findings import Status
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.pipeline import Inputs
from upgrade_gate.proof.proof import Claims
from upgrade_gate.remedy import bundle
from upgrade_gate.remedy.plan import steps_for
from upgrade_gate.report import build
from upgrade_gate.requests.update import Given


@pytest.fixture
def run(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> Outcome:
    pair: Pair = request.param
    return bundles.outcome(shared, bundles.dump(shared, tmp_path, pair), pair)


every_pair = pytest.mark.parametrize("run", PAIRS.values(), ids=PAIRS, indirect=True)


# every pair -----------------------------------------------------------------------------------------------------


@every_pair
def test_every_document_parses_and_every_checksum_is_right(run: Outcome, tmp_path: Path) -> None:
    folder = bundles.bundle(run, tmp_path / "bundle")
    assert bundles.parse_everything(folder) > 3
    sums = {line[66:]: line[:64] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()} - {"SHA256SUMS"}
    assert set(sums) == files
    assert {"report.json", "report.html", "README.md", "commands.sh"} <= files
    told = (folder / "README.md").read_text()
    assert "- `report.html`: " in told
    assert "- `report.json`: " in told
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


@every_pair
def test_the_script_passes_shellcheck(run: Outcome, tmp_path: Path) -> None:
    program = require("shellcheck")
    assert bundles.shellcheck(bundles.bundle(run, tmp_path / "bundle") / "commands.sh", program) == ""


@every_pair
def test_equal_runs_make_equal_bytes(run: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1793610000")
    first, second = (bundle.build(run, bundles.reports(run)) for _ in range(2))
    assert first == second
    assert list(first) == sorted(first)


@every_pair
def test_nothing_is_changed_while_a_value_is_missing(run: Outcome, tmp_path: Path) -> None:
    folder = bundles.bundle(run, tmp_path / "bundle")
    ran = Shell(tmp_path / "bin", tmp_path).run(folder / "commands.sh")
    assert ran.code == 2
    assert ran.err.rstrip().endswith("commands.sh: nothing was changed")
    assert "<FILL_ME" in ran.err or "is not filled in" in ran.err
    assert ran.changes == ()


@every_pair
def test_requests_are_those_of_the_target_as_extract_writes_them(run: Outcome) -> None:
    files = bundle.build(run, {})
    written = [yaml.safe_load(body) for name, body in files.items() if name.startswith("credentials-requests/")]
    named = {f"{d['metadata']['namespace']}/{d['metadata']['name']}" for d in written}
    assert named == set(run.comparison.hops[-1].new_selection.requests)


@every_pair
def test_every_open_blocker_has_a_step_or_is_named_as_left(run: Outcome) -> None:
    readme = bundle.build(run, {})["README.md"].decode()
    for judged in run.judged:
        finding = judged.finding
        if judged.status is not Status.OPEN or finding.severity.value != "blocker":
            continue
        answered = any(step.commands or step.files for step in steps_for(run.plan, finding))
        assert answered or f"explain {finding.rule}" in readme, finding.headline


@every_pair
def test_steps_in_the_report_name_files_of_the_bundle(run: Outcome) -> None:
    report = build.of_outcome(run, labels={}, now=None)
    files = bundle.build(run, {})
    named = {step.file for finding in report.findings for step in finding.remedy if step.file}
    assert named
    assert named <= set(files)
    for finding in report.findings:
        for step in finding.remedy:
            assert all(token in " ".join(step.argv) for token in step.placeholders)


# modes, annotation, hops, acknowledgements ----------------------------------------------------------------------


def case(shared: Path, tmp_path: Path, name: str, old: str, new: str, *via: str, **more: Any) -> Outcome:
    """Run the gate on a shared case's cluster."""
    change = more.pop("change", lambda text: text)
    pair = Pair(name, old, new, more.pop("dumped", old), via)
    return bundles.outcome(shared, bundles.dump(shared, tmp_path, pair, change), pair, **more)


def readme_of(run: Outcome) -> str:
    return bundle.build(run, {})["README.md"].decode()


def test_in_mint_mode_it_says_why_there_is_nothing_to_do(shared: Path, tmp_path: Path) -> None:
    run = case(shared, tmp_path, "aws-mint", "4.13.99", "4.14.0")
    readme = readme_of(run)
    assert "CCO is in mint mode: it makes what the target asks for by itself" in readme
    assert "CCO asks for it in manual mode only" in readme
    assert not any(name.startswith("aws/") for name in bundle.build(run, {}))


def test_on_a_platform_without_credentials_it_says_so(shared: Path, tmp_path: Path) -> None:
    run = case(shared, tmp_path, "platform-none", "4.13.99", "4.14.0")
    assert "On platform None no component asks for cloud credentials." in readme_of(run)


def test_in_passthrough_mode_the_root_credential_gets_the_union(shared: Path, tmp_path: Path) -> None:
    run = case(shared, tmp_path, "aws-passthrough", "4.13.99", "4.14.0")
    plan = run.plan
    (change,) = plan.changes
    assert change.root
    assert [str(s) for s in change.secrets] == ["kube-system/aws-creds"]
    assert {g.permission for g in change.delta} == {
        "ec2:DescribeAvailabilityZones",
        "ec2:EnableFastSnapshotRestores",
        "sts:AssumeRole",
    }
    assert len(change.before) > 60
    (added, *_) = (j.finding for j in run.judged if j.finding.rule == "permission-added")
    assert steps_for(plan, added)[0].commands[0].line.argv[0] == "aws"


def test_minting_on_gcp_before_4_15_needs_role_and_annotation(shared: Path, tmp_path: Path) -> None:
    def mint(text: str) -> str:
        return text.replace("credentialsMode: Manual", "credentialsMode: Mint")

    run = case(shared, tmp_path, "gcp-roles-to-permissions", "4.14.99", "4.15.0", change=mint)
    commands = bundle.build(run, {})["commands.sh"].decode()
    assert "--role roles/iam.roleAdmin" in commands
    assert "upgradeable-to=v4.15" in commands


def test_a_path_is_annotated_with_its_last_minor_and_upgraded_hop_by_hop(shared: Path, tmp_path: Path) -> None:
    run = case(shared, tmp_path, "hop-via", "4.12.99", "4.14.0", "4.13.99")
    files = bundle.build(run, {})
    assert "upgradeable-to=v4.14" in files["commands.sh"].decode()
    readme = files["README.md"].decode()
    assert readme.index("oc adm upgrade --to=4.13.99") < readme.index("oc adm upgrade --to=4.14.0")
    (ebs,) = (n for n in files if n.endswith("ebs-cloud-credentials-policy.json"))
    actions = {a for s in json.loads(files[ebs])["Statement"] for a in s["Action"]}
    assert {"kms:ReEncrypt*", "ec2:EnableFastSnapshotRestores"} <= actions, "the union over every hop"


def test_an_update_that_is_not_possible_has_neither_annotation_nor_command(shared: Path, tmp_path: Path) -> None:
    run = case(shared, tmp_path, "hop-skipped", "4.12.99", "4.14.0")
    readme = readme_of(run)
    assert "upgradeable-to=" not in readme
    assert "oc adm upgrade --to" not in readme
    assert "There is none: 4.12.99 to 4.14.0 skips a minor release" in readme
    assert "upgrade-gate explain hop-unsupported" in readme


def test_the_annotation_that_is_there_is_left(shared: Path, tmp_path: Path) -> None:
    run = case(shared, tmp_path, "aws-sts-policies-done", "4.13.99", "4.14.0")
    assert run.situation.cluster is not None
    steps = [s for s in run.plan.steps if s.serves == "annotation"]
    assert len(steps) == (0 if "4.14" in str(run.situation.cluster.annotation) else 1)


def test_the_annotation_comes_last_before_the_upgrade(shared: Path, tmp_path: Path) -> None:
    run = case(shared, tmp_path, "azure-workload-identity", "4.14.99", "4.15.0")
    steps = run.plan.steps
    before = [s for s in steps if s.when == "before"]
    assert before[-1].serves == "annotation"
    assert [s.when for s in steps] == sorted((s.when for s in steps), reverse=True)


def asked_by_cco(shared: Path, tmp_path: Path, listed: str) -> Mapping[str, bytes]:
    """Return the bundle for 4.6 to 4.7 of a cluster whose CCO lists these Secrets as missing."""
    releases = tmp_path / "releases"
    pair = Pair("gcp-roles-to-permissions", "4.6.1", "4.7.2", "4.14.99")
    for version in ("4.6.1", "4.7.2"):
        folder = releases / version
        folder.mkdir(parents=True)
        metadata = {"kind": "cincinnati-metadata-v0", "version": version, "previous": ["4.6.1"]}
        (folder / "release-metadata").write_text(json.dumps(metadata))
        request = {
            "apiVersion": "cloudcredential.openshift.io/v1",
            "kind": "CredentialsRequest",
            "metadata": {
                "name": "x",
                "namespace": "openshift-cloud-credential-operator",
                "annotations": {"include.release.openshift.io/self-managed-high-availability": "true"},
            },
            "spec": {
                "secretRef": {"namespace": "openshift-x", "name": "x"},
                "providerSpec": {"kind": "GCPProviderSpec", "predefinedRoles": ["roles/dns.admin"]},
            },
        }
        (folder / "0000_50_x.yaml").write_text(yaml.safe_dump(request))

    def refused(text: str) -> str:
        reason = f"cannot upgrade manual mode cluster to 4.7 due to missing secret(s): [{listed}] see docs"
        text = text.replace("reason: MissingUpgradeableAnnotation", "reason: ManualModeMissingSecrets")
        start = text.find("message: Upgradeable annotation")
        if start < 0:
            return text
        end = text.find("    lastTransitionTime", start)
        return f"{text[:start]}message: '{reason}'\n{text[end:]}"

    run = bundles.outcome(shared, bundles.dump(shared, tmp_path, pair, refused), pair, releases=releases)
    return bundle.build(run, {})


def test_up_to_4_7_the_secrets_of_the_condition_are_made(shared: Path, tmp_path: Path) -> None:
    files = asked_by_cco(shared, tmp_path, "openshift-y/y openshift-z/z")
    assert {n for n in files if n.startswith("secrets/")} == {
        "secrets/openshift-y-y.yaml",
        "secrets/openshift-z-z.yaml",
    }
    assert "CCO 4.6 has no such annotation; it checks a fixed list of Secrets" in files["README.md"].decode()
    assert "get secret y" in files["commands.sh"].decode()


@pytest.mark.parametrize("name", ["openshift-y/--all", "--all-namespaces/y", "openshift-y/@file"])
def test_a_secret_of_the_condition_that_no_object_can_be_is_left_to_a_person(
    name: str, shared: Path, tmp_path: Path
) -> None:
    """The condition is text of the cluster: `--all` would be an option of oc, however it is quoted."""
    files = asked_by_cco(shared, tmp_path, f"{name} openshift-z/z")
    script = files["commands.sh"].decode()
    run = [line for line in script.splitlines() if line.strip().startswith(("oc ", "if ! oc "))]
    assert any("get secret z" in line for line in run)
    words = [word for line in run for word in shlex.split(line.removesuffix("; then"))]
    assert not set(name.split("/")) & set(words) - {"openshift-y", "y"}
    assert "is not a legal Kubernetes name" in files["README.md"].decode()


def test_what_was_accepted_has_no_step(shared: Path, tmp_path: Path) -> None:
    first = case(shared, tmp_path, "aws-sts-nothing-done", "4.13.99", "4.14.0")
    (ingress,) = (
        j.finding for j in first.judged if j.finding.request and j.finding.request.endswith("/openshift-ingress")
    )
    entry = Acknowledgement(
        fingerprint=ingress.fingerprint, reason="granted *by hand*", owner="me", expires=bundles.TODAY, file="a", line=1
    )
    weighing = Weights(acknowledgements=(entry,), today=bundles.TODAY)
    run = case(shared, tmp_path, "aws-sts-nothing-done", "4.13.99", "4.14.0", weighing=weighing)
    files = bundle.build(run, {})
    assert not any("ingress" in name for name in files if name.startswith("aws/"))
    readme = files["README.md"].decode()
    assert "## Acknowledged, so without a step here" in readme
    assert "granted \\*by hand\\*" in readme


def test_what_is_proven_is_no_work(shared: Path, tmp_path: Path) -> None:
    export = shared / "cases" / "gate" / "aws-sts-denied" / "identities"
    config = yaml.safe_load((export.parent / "config.yaml").read_text())["identities"]
    account = config.pop("account")
    claims = bundles.claims(export, config, account)
    run = case(shared, tmp_path, "aws-sts-denied", "4.13.99", "4.14.0", claims=claims)
    (change,) = run.plan.changes
    assert "ebs-cloud-credentials" in change.label
    assert change.denials
    assert "A grant does not help while a deny stands" in readme_of(run)


def test_added_permissions_are_answered_by_a_policy_of_the_bundle(shared: Path, tmp_path: Path) -> None:
    run = case(shared, tmp_path, "aws-sts-nothing-done", "4.13.99", "4.14.0")
    plan = run.plan
    added = [j.finding for j in run.judged if j.finding.rule == "permission-added"]
    assert added
    for finding in added:
        (one,) = steps_for(plan, finding)
        (command,) = one.commands
        assert command.line.argv[:3] == ("aws", "iam", "put-role-policy")
        assert one.when == "before"
        assert one.files[0].name.endswith("-policy.json")
        assert one.files[0] in command.line.parts
        assert {str(p) for p in one.placeholders} == {w for w in command.line.argv if w.startswith("<FILL_ME")}


def test_names_by_ccoctl_stand_in_files_and_commands(shared: Path, tmp_path: Path) -> None:
    """The third name is longer than 64 characters and cut, as ccoctl cuts it."""
    claims = Claims(ccoctl_name="a-long-cluster-name")
    run = case(shared, tmp_path, "aws-sts-nothing-done", "4.13.99", "4.14.0", claims=claims)
    files = bundle.build(run, {})
    name = "a-long-cluster-name-openshift-cluster-csi-drivers-ebs-cloud-credentials"[:64]
    assert f"aws/{name}-policy.json" in files
    assert f"--role-name {name} --policy-name {name} " in files["commands.sh"].decode()


def test_a_network_less_run_marks_what_it_does_not_know(shared: Path, tmp_path: Path) -> None:
    """Without a cluster everything is to be filled in, and Secrets that may exist are left alone."""
    releases = shared / "corpus" / "releases"
    plan = Inputs(
        to=f"dir:{releases / '4.13.0'}",
        from_=f"dir:{releases / '4.12.0'}",
        settings=Settings(cache_dir=None),
        given=Given(platform="PowerVS"),
    )
    run = pipeline.check(plan, Weights(today=bundles.TODAY))
    files = bundle.build(run, {})
    assert "no cluster was read" in files["README.md"].decode()
    assert "one that exists is left alone" in files["README.md"].decode()
    assert "namespaces/openshift-image-registry.yaml" in files


@every_pair
def test_report_says_which_of_two_commands_is_meant(run: Outcome) -> None:
    """A command that makes something fails where that exists: the report must name the other one too."""
    for view in build.of_outcome(run, labels={}, now=None).findings:
        made = [s for s in view.remedy if "create" in s.argv and ("roles" in s.argv or "definition" in s.argv)]
        for step in made:
            assert step.step.endswith(", where it does not exist yet"), step
            assert any(s.step.endswith(", where it exists already") for s in view.remedy), step
