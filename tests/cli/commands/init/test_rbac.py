"""`init rbac`: the roles are those of the target's requests, and nothing that is there is written over."""

import shutil
from pathlib import Path

import yaml

from tests.worlds.running import Result, run


def rbac(fixtures: Path, *more: str) -> Result:
    return run("init", "rbac", "--to", f"dir:{fixtures / 'releases' / '4.19.2'}", *more)


def test_each_secret_of_the_target_is_named_in_a_role_of_its_namespace(fixtures: Path) -> None:
    result = rbac(fixtures, "--platform", "AWS")
    assert result.code == 0, result.err
    roles = {m["metadata"].get("namespace"): m for m in yaml.safe_load_all(result.out) if m["kind"] == "Role"}
    names = [rule["resourceNames"] for rule in roles["openshift-saltmarsh-dns"]["rules"]]
    assert names == [["saltmarsh-cloud-credentials"]]


def test_what_a_later_check_will_read_can_be_said_without_a_cluster(fixtures: Path) -> None:
    old = f"dir:{fixtures / 'releases' / '4.18.7'}"
    later = ("--mirrors-from-cluster", "--pull-secret-from-cluster", "--read-secrets")
    result = rbac(fixtures, "--no-cluster", "--platform", "AWS", "--from", old, *later)
    assert result.code == 0, result.err
    named = [n for m in yaml.safe_load_all(result.out) for r in m.get("rules", []) for n in r.get("resourceNames", [])]
    resources = {r for m in yaml.safe_load_all(result.out) for rule in m.get("rules", []) for r in rule["resources"]}
    assert "pull-secret" in named
    assert "imagedigestmirrorsets" in resources


def test_the_file_makes_its_own_account_unless_one_is_named(fixtures: Path) -> None:
    own = list(yaml.safe_load_all(rbac(fixtures, "--platform", "AWS").out))
    named = list(yaml.safe_load_all(rbac(fixtures, "--platform", "AWS", "--service-account", "ci/reader").out))
    assert [(m["kind"], m["metadata"]["name"]) for m in own[:2]] == [
        ("Namespace", "upgrade-gate"),
        ("ServiceAccount", "upgrade-gate"),
    ]
    assert {m["kind"] for m in named} == {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    for manifests, account in ((own, ("upgrade-gate", "upgrade-gate")), (named, ("ci", "reader"))):
        roles = [m for m in manifests if m["kind"] in {"ClusterRole", "Role"}]
        bindings = [m for m in manifests if m["kind"].endswith("Binding")]
        assert [b["metadata"] for b in bindings] == [r["metadata"] for r in roles]
        for role, binding in zip(roles, bindings, strict=True):
            (subject,) = binding["subjects"]
            assert (subject["kind"], subject["namespace"], subject["name"]) == ("ServiceAccount", *account)
            assert binding["roleRef"] == {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": role["kind"],
                "name": role["metadata"]["name"],
            }


def test_an_account_that_is_none_is_a_usage_error(fixtures: Path) -> None:
    for wrong in ("reader", "ci/", "/reader", "CI/reader", "ci/reader/x", "ci/rea der"):
        result = rbac(fixtures, "--platform", "AWS", "--service-account", wrong)
        assert result.code == 2, wrong
        assert "NAMESPACE/NAME" in result.err


def test_the_comment_says_what_for_and_what_a_get_on_a_secret_means(fixtures: Path) -> None:
    head = rbac(fixtures, "--platform", "aws", "--mirrors-from-cluster").out.partition("---")[0]
    said = " ".join(line.removeprefix("# ") for line in head.splitlines())
    assert all(line.startswith("# ") for line in head.splitlines())
    assert "on AWS for 4.19.2" in said
    assert "--verify auto" in said
    assert "can read its values" in said
    without = rbac(fixtures, "--platform", "AWS", "--without-secrets").out
    assert "can read its values" not in without
    assert "secrets" not in {
        r for m in yaml.safe_load_all(without) for rule in m.get("rules", []) for r in rule["resources"]
    }


def test_every_stop_of_the_path_counts(fixtures: Path) -> None:
    # a component of 4.18 alone: its Secret is read on the way, not at the end
    only = rbac(fixtures, "--platform", "AWS")
    path = rbac(fixtures, "--platform", "AWS", "--via", f"dir:{fixtures / 'releases' / '4.18.7'}")
    assert "4.18.7 to 4.19.2" in path.out

    def read(result: Result) -> set[str]:
        rules = [rule for m in yaml.safe_load_all(result.out) for rule in m.get("rules", [])]
        return {name for rule in rules if rule["resources"] == ["secrets"] for name in rule["resourceNames"]}

    assert read(path) - read(only) == {"aws-cloud-credentials"}


def test_a_cluster_whose_platform_is_not_known_gets_no_half_a_file(fixtures: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    shutil.copytree(fixtures / "clusters" / "aws-sts", dump)
    next(dump.rglob("infrastructures.yaml")).write_text("")
    source = ("--cluster", f"must-gather:{dump}", "--from", f"dir:{fixtures / 'releases' / '4.18.7'}")
    for command in (("init", "rbac"), ("extract", "-d", str(tmp_path / "out"))):
        result = run(*command, "--to", f"dir:{fixtures / 'releases' / '4.19.2'}", *source)
        assert result.code == 4, command
        assert "which platform" in result.err
        assert "--platform" in result.err
        assert not (tmp_path / "out").exists()
    assert rbac(fixtures, *source, "--platform", "AWS").code == 0


def test_a_file_that_says_something_else_is_kept(fixtures: Path, tmp_path: Path) -> None:
    target = tmp_path / "deploy" / "rbac.yaml"
    assert rbac(fixtures, "--platform", "AWS", "--write", str(target)).code == 0
    assert rbac(fixtures, "--platform", "AWS", "--write", str(target)).code == 0, "the same again is not a conflict"
    target.write_text("mine")
    refused = rbac(fixtures, "--platform", "AWS", "--write", str(target))
    assert (refused.code, target.read_text()) == (2, "mine")
    assert "--force" in refused.err
    assert rbac(fixtures, "--platform", "AWS", "--write", str(target), "--force").code == 0
    assert "ClusterRole" in target.read_text()
