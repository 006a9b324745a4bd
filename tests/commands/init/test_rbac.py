"""`init rbac`: the roles are those of the target's requests, and nothing that is there is written over."""

from pathlib import Path

import yaml

from tests.commands.running import Result, run


def rbac(fixtures: Path, *more: str) -> Result:
    return run("init", "rbac", "--to", f"dir:{fixtures / 'releases' / '4.19.2'}", *more)


def test_each_secret_of_the_target_is_named_in_a_role_of_its_namespace(fixtures: Path) -> None:
    result = rbac(fixtures, "--platform", "AWS")
    assert result.code == 0, result.err
    roles = {m["metadata"].get("namespace"): m for m in yaml.safe_load_all(result.out) if m["kind"] == "Role"}
    names = [rule["resourceNames"] for rule in roles["openshift-saltmarsh-dns"]["rules"]]
    assert names == [["saltmarsh-cloud-credentials"]]


def test_a_file_that_says_something_else_is_kept(fixtures: Path, tmp_path: Path) -> None:
    target = tmp_path / "deploy" / "rbac.yaml"
    assert rbac(fixtures, "--platform", "AWS", "--write", str(target)).code == 0
    assert rbac(fixtures, "--platform", "AWS", "--write", str(target)).code == 0, "the same again is no conflict"
    target.write_text("mine")
    refused = rbac(fixtures, "--platform", "AWS", "--write", str(target))
    assert (refused.code, target.read_text()) == (2, "mine")
    assert "--force" in refused.err
    assert rbac(fixtures, "--platform", "AWS", "--write", str(target), "--force").code == 0
    assert "ClusterRole" in target.read_text()
