"""The patch of a policy repository: with it nothing is missing, and every other byte is as it was."""

import difflib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.policies import NEW, SECRET, finding, gate, policy
from tests.worlds.rules import request
from tests.worlds.running import run

NAME = "openshift-storage-cloud.json"
BUNDLE = ("--bundle", "../bundle")


def _patched(tmp_path: Path, files: dict[str, Any], **more: Any) -> dict[str, tuple[bytes, bytes]]:
    """Run the gate, apply its patch with git, run it again; return each changed file before and after."""
    result, _ = gate(tmp_path, files, *BUNDLE, **more)
    assert result.code == 3
    repository = tmp_path / "repository"
    before = {p: p.read_bytes() for p in sorted(repository.rglob("*")) if p.is_file()}
    patch = tmp_path / "bundle/policies.patch"
    subprocess.run(["git", "apply", str(patch)], cwd=repository, check=True, timeout=30)
    shutil.rmtree(tmp_path / "bundle")
    again, report = gate(tmp_path, {}, **more)
    assert again.code == 0, again.out
    assert report["verdict"]["basis"] == "declared"
    after = {p: p.read_bytes() for p in before}
    return {p.relative_to(repository).as_posix(): (before[p], after[p]) for p in before if before[p] != after[p]}


def _only_added(before: bytes, after: bytes) -> bool:
    """Return whether every byte of a text stands in another one, in its order."""
    rest = iter(after)
    return all(byte in rest for byte in before)


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_patch_adds_what_is_missing_and_changes_no_other_byte(
    indent: int | str | None, end: str, tmp_path: Path
) -> None:
    text = json.dumps(policy("s3:GetObject", "ec2:DescribeVolumes"), indent=indent) + end
    content = text.replace("\n", "\r\n").encode() if end == "\r\n" else text.encode()
    changed = _patched(tmp_path, {NAME: content, "README.md": "x"})
    ((before, after),) = changed.values()
    assert list(changed) == [NAME]
    assert _only_added(before, after)
    assert json.loads(after) == policy("s3:GetObject", "ec2:DescribeVolumes", "ec2:CreateTags")


def test_yaml_keeps_its_comments_order_and_conditions(tmp_path: Path) -> None:
    text = (
        "# who: storage\nVersion: '2012-10-17'\nStatement:\n  - Sid: Read  # kept\n    Effect: Allow\n    Action:\n"
        "      - ec2:DescribeVolumes # here\n    Resource: '*'\n  - Effect: Allow\n    Action: [s3:*]\n"
        "    Resource: '*'\n    Condition: {StringEquals: {a: b}}\n"
    )
    changed = _patched(tmp_path, {"openshift-storage-cloud.yaml": text})
    ((before, after),) = changed.values()
    added = [x[2:] for x in difflib.ndiff(before.decode().splitlines(), after.decode().splitlines()) if x[0] in "+-"]
    assert added == ["      - ec2:CreateTags"]


def test_a_template_is_patched_at_the_role_of_the_secret(tmp_path: Path) -> None:
    text = (
        "Resources:\n  OpenshiftStorageCloudRole:\n    Type: AWS::IAM::Role\n    Properties:\n"
        "      RoleName: !Sub '${Prefix}-x'\n      Policies:\n      - PolicyName: p\n        PolicyDocument:\n"
        "          Version: '2012-10-17'\n          Statement:\n          - Effect: Allow\n            Action:\n"
        "            - ec2:DescribeVolumes\n            Resource: '*'\n"
    )
    changed = _patched(tmp_path, {"stack.yaml": text})
    assert b"            - ec2:DescribeVolumes\n            - ec2:CreateTags\n" in changed["stack.yaml"][1]


def test_a_grant_with_its_own_terms_becomes_a_statement(tmp_path: Path) -> None:
    terms = [
        {"effect": "Allow", "action": ["kms:CreateGrant"], "resource": "*", "policyCondition": {"Bool": {"k": True}}}
    ]
    everything: list[dict[str, Any]] = [{"effect": "Allow", "action": ["ec2:DescribeVolumes"], "resource": "*"}, *terms]
    new = [request("a", statements=everything)]
    changed = _patched(tmp_path, {NAME: policy("ec2:DescribeVolumes")}, new=new)
    statements = json.loads(changed[NAME][1])["Statement"]
    assert statements[0] == policy("ec2:DescribeVolumes")["Statement"][0]
    assert statements[1]["Condition"] == {"Bool": {"k": True}}


def test_a_byte_order_mark_and_a_blank_in_the_name_stay(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(policy("ec2:DescribeVolumes")).encode()
    changed = _patched(tmp_path, {f"my policies/{NAME}": content})
    ((before, after),) = changed.values()
    assert after.startswith(b"\xef\xbb\xbf{")
    assert _only_added(before, after)


@pytest.mark.parametrize(
    "document",
    [
        policy("ec2:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "x"}}),
        {"Statement": [*policy("ec2:*")["Statement"], {"Effect": "Deny", "Action": "ec2:CreateTags", "Resource": "*"}]},
    ],
)
def test_what_somebody_narrowed_or_denied_is_not_widened(document: Any, tmp_path: Path) -> None:
    result, _ = gate(tmp_path, {NAME: document}, *BUNDLE)
    assert result.code == 3
    assert not (tmp_path / "bundle/policies.patch").exists()


def test_a_text_that_cannot_be_patched_is_named_with_what_to_add(tmp_path: Path) -> None:
    put = {"RoleName": "c1-openshift-storage-cloud", "PolicyName": "p", "PolicyDocument": json.dumps(policy("s3:*"))}
    result, report = gate(tmp_path, {"06-policy.json": put}, *BUNDLE)
    assert result.code == 3
    (step,) = finding(report, "permission-added")["remedy"]
    assert step["argv"] == []
    assert "06-policy.json" in step["step"]
    assert "ec2:CreateTags" in step["step"]


def test_no_command_of_a_cloud_stands_beside_the_patch(tmp_path: Path) -> None:
    _, report = gate(tmp_path, {NAME: policy("ec2:DescribeVolumes")}, *BUNDLE)
    (step,) = finding(report, "permission-added")["remedy"]
    assert (step["argv"], step["file"]) == (["git", "apply", "policies.patch"], "policies.patch")
    assert "aws iam" not in (tmp_path / "bundle/commands.sh").read_text()


def test_a_new_component_gets_a_file_of_its_own_beside_the_others(tmp_path: Path) -> None:
    new = [*NEW, request("b", "s3:GetObject", "s3:PutObject", secret="bucket")]
    files = {f"iam/{name}": policy("ec2:*") for name in ("openshift_storage_cloud_policy.json",)}
    gate(tmp_path, files, *BUNDLE, new=new)
    repository = tmp_path / "repository"
    subprocess.run(["git", "apply", "../bundle/policies.patch"], cwd=repository, check=True, timeout=30)
    made = json.loads((repository / "iam/openshift_storage_bucket_policy.json").read_text())
    assert made == policy("s3:GetObject", "s3:PutObject")
    shutil.rmtree(tmp_path / "bundle")
    _, report = gate(tmp_path, {}, *BUNDLE, new=new)
    assert {n["kind"]: n["status"] for n in finding(report, "request-added")["needs"]}["grants"] == "declared"
    assert not (tmp_path / "bundle/policies.patch").exists()


@pytest.mark.parametrize("name", ["iam.json", "c1-openshift-storage-cloud.json", "openshift-storage-cloud.yaml"])
def test_where_no_neighbour_shows_how_a_new_file_is_called_there_is_none(name: str, tmp_path: Path) -> None:
    new = [*NEW, request("b", "s3:GetObject", secret="bucket")]
    gate(tmp_path, {name: policy("ec2:*")}, *BUNDLE, new=new)
    assert not (tmp_path / "bundle/policies.patch").exists()


@pytest.mark.parametrize("folder", ["a\tb", 'a"b', "a\\b"])
def test_no_file_is_made_under_a_name_that_a_patch_would_have_to_quote(folder: str, tmp_path: Path) -> None:
    new = [*NEW, request("b", "s3:GetObject", secret="bucket")]
    gate(tmp_path, {f"{folder}/openshift_storage_cloud_policy.json": policy("ec2:*")}, *BUNDLE, new=new)
    assert not (tmp_path / "bundle/policies.patch").exists()


FORMATS = ("text", "html", "markdown", "sarif", "junit", "codequality", "github", "policyreport")


def test_every_format_shows_the_policys_own_line(tmp_path: Path) -> None:
    gate(tmp_path, {f"iam/{NAME}": policy("ec2:DescribeVolumes")})
    outputs = [part for form in FORMATS for part in ("-o", f"{form}=../{form}.out")]
    releases = ("--from", "dir:../releases/old", "--to", "dir:../releases/new", "--identities", "policies:iam")
    arguments = ("--no-cluster", "--platform", "AWS", "--verify", "off", *releases, *outputs)
    assert run("check", *arguments, cwd=tmp_path / "repository").code == 3
    shown = {form: (tmp_path / f"{form}.out").read_text() for form in FORMATS}
    sarif = json.loads(shown["sarif"])["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert sarif == {"artifactLocation": {"uri": f"iam/{NAME}"}, "region": {"startLine": 6}}
    assert f"::error file=iam/{NAME},line=6," in shown["github"]
    place = {"path": f"iam/{NAME}", "lines": {"begin": 6}}
    assert [one["location"] for one in json.loads(shown["codequality"]) if one["check_name"] == "permission-added"] == [
        place
    ]
    assert all(f"iam/{NAME}" in text for form, text in shown.items() if form != "policyreport")
    assert SECRET in shown["text"] or "policies.patch" in shown["text"]


@pytest.mark.parametrize("vendor", ["rosa-4.14", "rosa-4.19"])
@pytest.mark.parametrize(("old", "new"), [("4.13.0", "4.15.0"), ("4.19.99", "4.20.0")])
def test_a_vendors_sets_fit_with_the_patch(vendor: str, old: str, new: str, shared: Path, tmp_path: Path) -> None:
    releases = shared / "corpus/releases"
    if not all((releases / version).is_dir() for version in (old, new)):
        pytest.skip(f"{old} or {new} is not in the corpus")
    folder = shutil.copytree(shared / "corpus/vendor_policies" / vendor, tmp_path / vendor)
    way = ("--via", f"dir:{releases / '4.14.0'}") if old == "4.13.0" else ()
    arguments = (
        "--no-cluster",
        "--platform",
        "AWS",
        "--from",
        f"dir:{releases / old}",
        "--to",
        f"dir:{releases / new}",
    )
    arguments = (*arguments, *way, "--identities", f"policies:{vendor}", "-o", "json=report.json")
    first = run("check", *arguments, "--bundle", "bundle", cwd=tmp_path)
    report = json.loads((tmp_path / "report.json").read_bytes())
    before = {path: path.read_bytes() for path in folder.iterdir()}
    patch = tmp_path / "bundle/policies.patch"
    missing = [f for f in report["findings"] if any("MISSING" in need["detail"] for need in f["needs"])]
    assert bool(missing) is patch.exists()
    for lacking in missing:
        (place,) = {e["file"] for e in lacking["evidence"] if e["side"] == "policy"}
        assert (tmp_path / place).is_file()
    if patch.exists():
        added = [x[1:].strip(' ",') for x in patch.read_text().splitlines() if x.startswith("+") and x[1:4] != "++ "]
        for lacking in missing:
            assert {g["permission"] for g in lacking["grants"]} <= set(added)
        subprocess.run(["patch", "-p1", "-i", str(patch)], cwd=tmp_path, check=True, timeout=30, capture_output=True)
    assert run("check", *arguments, cwd=tmp_path).code in ((0,) if missing else (first.code,))
    again = json.loads((tmp_path / "report.json").read_bytes())
    assert not [f for f in again["findings"] if any("MISSING" in need["detail"] for need in f["needs"])]
    assert all(_only_added(content, path.read_bytes()) for path, content in before.items())
