"""What policy files declare: judged like what is held, never proven, and unknown wherever the files do not say it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.policies import NEW, OLD, SECRET, finding, gate, places, plan_of, policy, told, write
from tests.worlds.rules import NS, TODAY, Cluster, found, judge, request
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult
from upgrade_gate.gate import assumptions
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.proof import declared
from upgrade_gate.proof.proof import Claims

WHOLE = policy("ec2:DescribeVolumes", "ec2:CreateTags")
NAME = "openshift-storage-cloud.json"


def test_what_the_file_declares_closes_the_finding_and_is_never_proven(tmp_path: Path) -> None:
    result, report = gate(tmp_path, {NAME: WHOLE})
    added = finding(report, "permission-added")
    assert result.code == 0
    assert (added["status"], [n["status"] for n in added["needs"]]) == ("declared", ["declared"])
    assert added["identity"] == {"id": NAME, "source": "policies"}
    assert report["verdict"]["basis"] == "declared"
    assert report["verdict"]["assumptions"][0] == "what the policy files declare is applied (not checked)"
    assert report["verdict"]["counts"]["blocker"] == {"open": 0, "acknowledged": 0, "proven": 0, "declared": 1}


def test_require_proof_is_not_satisfied_by_a_declaration(tmp_path: Path) -> None:
    result, report = gate(tmp_path, {NAME: WHOLE}, "--require-proof")
    assert (result.code, report["verdict"]["status"]) == (4, "undetermined")


def test_a_missing_action_is_reported_on_the_policys_own_line(tmp_path: Path) -> None:
    result, report = gate(tmp_path, {f"iam/{NAME}": policy("s3:GetObject", "ec2:DescribeVolumes")})
    added = finding(report, "permission-added")
    lines = (tmp_path / "repository/iam" / NAME).read_text().splitlines()
    assert (result.code, added["status"]) == (3, "open")
    ((file, line),) = places(added)
    assert (file, lines[line - 1].strip()) == (f"iam/{NAME}", '"Action": [')


def test_what_is_needed_today_and_not_declared_blocks(tmp_path: Path) -> None:
    result, report = gate(tmp_path, {NAME: policy("ec2:CreateTags")}, new=OLD)
    assert (result.code, finding(report, "identity-lacks-permission")["status"]) == (3, "open")
    assert report["verdict"]["basis"] == "assumed"
    assert "not declared" not in " ".join(report["verdict"]["assumptions"])


def test_what_is_not_declared_and_accepted_stands_in_the_basis(tmp_path: Path) -> None:
    asked = [*OLD, *(request(name, secret="other") for name in ("c", "b"))]
    _, report = gate(tmp_path, {NAME: WHOLE}, old=asked, new=asked)
    unknown = [f["fingerprint"] for f in report["findings"] if f["rule"] == "identity-unknown"]
    entries = [{"fingerprint": f, "reason": "r", "owner": "o", "expires": "2099-01-01"} for f in unknown]
    (tmp_path / "ack.json").write_text(json.dumps({"acknowledgements": entries}))
    again, report = gate(tmp_path, {NAME: WHOLE}, "--acknowledgements", tmp_path / "ack.json")
    assert (again.code, report["verdict"]["basis"]) == (0, "assumed")
    assert report["verdict"]["assumptions"][:3] == [
        "what the policy files declare is applied (not checked)",
        *(f"{NS}/{name} holds what it needed before (not declared)" for name in ("b", "c")),
    ]


def test_a_secret_of_which_nothing_is_declared_is_unknown(tmp_path: Path) -> None:
    result, report = gate(tmp_path, {"other.json": WHOLE}, new=OLD)
    assert result.code == 4
    assert "no policy in policies:" in finding(report, "identity-unknown")["needs"][0]["detail"]


@pytest.mark.parametrize(
    "config",
    [
        f"identities:\n  {SECRET}: {{policies: iam/p.json}}\n",
        f"identities:\n  {SECRET}: {{identity: arn:aws:iam::111122223333:role/x, policies: [iam/p.json]}}\n",
        "identities:\n  default: {policies: iam/p.json}\n",
    ],
)
def test_the_configuration_says_which_file_is_whose(config: str, tmp_path: Path) -> None:
    result, report = gate(tmp_path, {"iam/p.json": WHOLE}, config=config)
    assert (result.code, report["verdict"]["basis"]) == (0, "declared")


def test_a_configured_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    result, _ = gate(tmp_path, {NAME: WHOLE}, config=f"identities:\n  {SECRET}: {{policies: gone.json}}\n")
    assert result.code == 2
    assert "gone.json is no file" in result.err


def test_two_files_for_one_secret_are_not_put_together(tmp_path: Path) -> None:
    files = {f"one/{NAME}": policy("ec2:DescribeVolumes"), f"two/{NAME}": policy("ec2:CreateTags")}
    result, report = gate(tmp_path, files)
    assert result.code == 3
    detail = finding(report, "permission-added")["needs"][0]
    assert detail["status"] == "unknown"
    assert f"one/{NAME}" in detail["detail"]
    assert f"two/{NAME}" in detail["detail"]


def test_a_role_of_which_two_files_tell_is_told_of_by_neither(tmp_path: Path) -> None:
    role = {"type": "aws_iam_role", "name": "openshift-storage-cloud"}
    own = {"type": "aws_iam_role_policy", "name": "p", "role": role["name"], "policy": json.dumps(WHOLE)}
    grant = Grant("action", "ec2:CreateTags", "Allow", "*")
    files = {"state.json": plan_of(role, own), "plan.json": plan_of(role)}
    found = told(tmp_path, files, "AWSProviderSpec", grant)
    assert "several policies are named for Secret openshift-storage/cloud: plan.json#openshift" in found.reason


def test_files_that_the_configuration_lists_count_together(tmp_path: Path) -> None:
    files = {"one.json": policy("ec2:DescribeVolumes"), "two.json": policy("ec2:CreateTags")}
    result, _ = gate(tmp_path, files, config=f"identities:\n  {SECRET}: {{policies: [one.json, two.json]}}\n")
    assert result.code == 0


NOT_COVERED: dict[str, Any] = {
    "cut off": '{"Version": "2012-10-17", "Statement": [',
    "key twice": '{"Statement": [], "Statement": [{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    "too deep": "[" * 5000 + "]" * 5000,
    "deep yaml": "Statement: " + "[" * 5000 + "]" * 5000,
    "no statements": {"Version": "2012-10-17"},
    "statement is a text": {"Version": "2012-10-17", "Statement": "Allow *"},
    "statement is a number": {"Statement": [7]},
    "misspelt": {"Version": "2012-10-17", "Statment": WHOLE["Statement"]},
    "action is a mapping": policy("x") | {"Statement": [{"Effect": "Allow", "Action": {"a": 1}, "Resource": "*"}]},
    "element unknown": policy("ec2:*", Conditon={"Bool": {"a": "b"}}),
    "not utf-8": b'{"Statement": "\xff\xfe\xfd"}',
    "nothing": "",
    "a list of texts": ["ec2:*"],
    "python tag": "Statement: !!python/object/apply:os.system [id]\n",
    "lower-case effect": {"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]},
    "denied": {"Statement": [*policy("ec2:*")["Statement"], {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]},
    "denied but": {
        "Statement": [*policy("ec2:*")["Statement"], {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}]
    },
    "an action to be filled in": policy("ec2:DescribeVolumes", "${more}"),
    "a denial to be filled in": {
        "Statement": [*policy("ec2:*")["Statement"], {"Effect": "Deny", "Action": "%{denied}", "Resource": "*"}]
    },
    "an exception to be filled in": {"Statement": [{"Effect": "Allow", "NotAction": "<ACTIONS>", "Resource": "*"}]},
    "a condition to be filled in": policy("ec2:*", Condition={"StringEquals": {"aws:PrincipalArn": "{{ arn }}"}}),
    "a resource to be filled in": policy("ec2:*", Resource="%{resource}"),
    "everything but": {"Statement": [{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}]},
    "condition": policy("ec2:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "x"}}),
    "resource": policy("ec2:DescribeVolumes", "ec2:CreateTags", Resource="arn:aws:s3:::b"),
    "anchors": "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{c}: &{c} [*{p},*{p},*{p},*{p},*{p},*{p},*{p},*{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "Statement: [{Effect: Allow, Action: '*', Resource: '*'}]\n",
}


@pytest.mark.parametrize("content", NOT_COVERED.values(), ids=NOT_COVERED)
def test_a_broken_or_narrower_file_never_passes(content: Any, tmp_path: Path) -> None:
    name = "openshift-storage-cloud.yaml" if isinstance(content, str) and not content.startswith("{") else NAME
    grant = Grant("action", "ec2:CreateTags", "Allow", "*")
    assert told(tmp_path, {name: content}, "AWSProviderSpec", grant).verdict is not Coverage.COVERED


def test_one_file_that_cannot_be_read_makes_all_unknown(tmp_path: Path) -> None:
    result, report = gate(tmp_path, {NAME: WHOLE, "more.json": '{"Statement": ['})
    assert result.code == 3
    assert "more.json" in finding(report, "permission-added")["needs"][0]["detail"]
    assert any("more.json" in note for note in report["notes"])


def test_a_denial_counts_although_another_file_cannot_be_read(tmp_path: Path) -> None:
    denied = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    _, report = gate(tmp_path, {NAME: denied, "more.json": "{"})
    assert "DENIED" in finding(report, "permission-added")["needs"][0]["detail"]


def test_yaml_is_read_as_json_is(tmp_path: Path) -> None:
    text = "Version: '2012-10-17'\nStatement:\n- Effect: Allow\n  Action:\n  - ec2:*\n  Resource: '*'\n"
    result, report = gate(tmp_path, {"openshift_storage_cloud_policy.yaml": text})
    assert result.code == 0
    assert places(finding(report, "permission-added")) == [("openshift_storage_cloud_policy.yaml", 5)]


def test_what_ccoctl_writes_in_a_dry_run_is_read(tmp_path: Path) -> None:
    role = {"RoleName": "c1-openshift-storage-cloud", "AssumeRolePolicyDocument": {"Statement": []}}
    put = {"RoleName": "c1-openshift-storage-cloud", "PolicyName": "c1-openshift-storage-cloud"}
    files = {
        "05-0-c1-openshift-storage-cloud-role.json": role,
        "06-0-c1-openshift-storage-cloud-policy.json": {**put, "PolicyDocument": json.dumps(WHOLE)},
    }
    assert gate(tmp_path, files)[0].code == 0


def test_the_cluster_name_of_ccoctl_tells_two_clusters_apart(tmp_path: Path) -> None:
    files = {f"{c}-openshift-storage-cloud.json": policy(*a) for c, a in {"c1": ["ec2:*"], "c2": ["s3:*"]}.items()}
    assert gate(tmp_path, files)[0].code == 3
    assert gate(tmp_path, files, "--ccoctl-name", "c1")[0].code == 0


def test_an_empty_folder_and_a_missing_one_are_usage_errors(tmp_path: Path) -> None:
    assert gate(tmp_path, {"README.md": "x"})[0].code == 2
    assert gate(tmp_path, {}, "--identities", "policies:gone")[0].code == 2


def test_what_is_shown_goes_before_what_is_declared(tmp_path: Path) -> None:
    arn = "arn:aws:iam::111122223333:role/c1"
    held = policy("ec2:DescribeVolumes")
    role = {"RoleName": "c1", "Arn": arn, "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": held}]}
    export = tmp_path / "export.json"
    export.write_text(json.dumps({"RoleDetailList": [{**role, "AttachedManagedPolicies": []}]}))
    sources = ("--identities", f"export:{export}", "--identities", "policies:.")
    config = f"identities:\n  {SECRET}: {arn}\n"
    result, report = gate(tmp_path, {NAME: WHOLE}, *sources, config=config)
    need = finding(report, "permission-added")["needs"][0]
    assert (result.code, need["status"]) == (3, "unmet")
    assert need["detail"].endswith("policy files declare it, and nothing shows that it is applied")


def test_what_is_held_and_not_declared_is_said(tmp_path: Path) -> None:
    arn = "arn:aws:iam::111122223333:role/c1"
    role = {"RoleName": "c1", "Arn": arn, "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": WHOLE}]}
    export = tmp_path / "export.json"
    export.write_text(json.dumps({"RoleDetailList": [{**role, "AttachedManagedPolicies": []}]}))
    sources = ("--identities", f"export:{export}", "--identities", "policies:.")
    _, report = gate(tmp_path, {NAME: policy("s3:*")}, *sources, config=f"identities:\n  {SECRET}: {arn}\n")
    added = finding(report, "permission-added")
    assert added["status"] == "proven"
    assert any(line.startswith("policy files do not declare it") for line in added["caveats"])


def test_each_secret_has_its_own_file(tmp_path: Path) -> None:
    new = [*NEW, request("b", "s3:GetObject", secret="bucket")]
    files = {NAME: WHOLE, "openshift-storage-bucket.json": policy("s3:PutObject")}
    result, report = gate(tmp_path, files, old=[*OLD, new[-1]], new=new)
    lacks = finding(report, "identity-lacks-permission")
    assert (result.code, lacks["secret"]) == (3, "openshift-storage/bucket")
    assert finding(report, "permission-added")["status"] == "declared"


def test_secrets_whose_names_read_alike_are_judged_each_by_its_own_file(tmp_path: Path) -> None:
    secrets = ("openshift-storage/cloud", "openshift/storage-cloud")
    files = {"a.json": policy("ec2:CreateTags"), "b.json": policy("s3:GetObject")}
    write(tmp_path, files)
    mapped = dict(zip(secrets, ([str(tmp_path / name)] for name in files), strict=True))
    declarations = declared.load("policies:x", [tmp_path], mapped)
    verdicts = []
    for secret in secrets:
        served = declarations.serving("AWSProviderSpec", secret, secrets, None)
        assert isinstance(served, declared.Served)
        grant = Grant("action", "ec2:CreateTags", "Allow", "*")
        verdicts.append(declarations.judge(served, grant, (), None).verdict)
    assert verdicts == [Coverage.COVERED, Coverage.MISSING]


@pytest.mark.parametrize(("value", "expected"), [("%{more}", "UNKNOWN"), ("${aws:username}", "MISSING")])
def test_what_is_still_filled_in_is_unknown_and_a_policy_variable_is_none(
    value: str, expected: str, tmp_path: Path
) -> None:
    document = policy("ec2:DescribeVolumes", "s3:*", Resource="*")
    document["Statement"].append({"Effect": "Allow", "Action": "ec2:*", "Resource": f"arn:aws:s3:::{value}"})
    result = told(tmp_path, {NAME: document}, "AWSProviderSpec", Grant("action", "ec2:CreateTags", "Allow", "*"))
    assert result.verdict in (expected, "NARROWER" if expected == "MISSING" else expected)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_text(json.dumps(WHOLE))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / NAME).symlink_to("../outside.json")
    result = told(folder, {}, "AWSProviderSpec", Grant("action", "ec2:CreateTags", "Allow", "*"))
    assert result.verdict is not Coverage.COVERED
    (folder / "own.json").write_text(json.dumps(WHOLE))
    (folder / NAME).unlink()
    (folder / NAME).symlink_to("own.json")
    result = told(folder, {}, "AWSProviderSpec", Grant("action", "ec2:CreateTags", "Allow", "*"))
    assert result.verdict is Coverage.COVERED


def test_a_huge_file_is_refused_before_it_costs_anything(tmp_path: Path) -> None:
    content = "Statement:\n" + "- {Effect: Allow, Action: '*', Resource: '*'}\n" * 200_000
    result = told(tmp_path, {"openshift-storage-cloud.yaml": content}, "AWSProviderSpec", Grant("action", "a:b"))
    assert result.verdict is not Coverage.COVERED


def test_reports_and_a_bundle_may_lie_in_the_repository_and_declare_nothing(tmp_path: Path) -> None:
    outputs = ("--bundle", "bundle", "-o", "html=report.html", "-o", "sarif=report.json")
    for _ in range(2):
        result, report = gate(tmp_path, {NAME: policy("ec2:DescribeVolumes")}, *outputs)
        assert result.code == 3, result.err
        assert "bundle" not in json.dumps(report["identities"]["files"])


def test_a_policy_is_never_written_over(tmp_path: Path) -> None:
    result, _ = gate(tmp_path, {NAME: WHOLE}, "-o", f"sarif={NAME}")
    assert result.code == 2
    assert json.loads((tmp_path / "repository" / NAME).read_text()) == WHOLE


def test_a_policy_that_only_the_configuration_names_is_never_written_over(tmp_path: Path) -> None:
    policies = {"policies/p.json": WHOLE, "own.json": WHOLE}
    config = f"identities:\n  {SECRET}: {{policies: own.json}}\n"
    given = ("--identities", "policies:policies", "-o", "json=own.json")
    result, _ = gate(tmp_path, policies, *given, config=config)
    assert result.code == 2
    assert "own.json is read by this run" in result.err
    assert json.loads((tmp_path / "repository/own.json").read_text()) == WHOLE


def test_trust_that_no_policy_speaks_of_is_taken_for_granted_and_said(tmp_path: Path) -> None:
    write(tmp_path / "iam", {NAME: WHOLE})
    claims = Claims(declarations=declared.load("policies:iam", [tmp_path / "iam"], {}))
    outcome = judge(tmp_path, OLD, NEW, Cluster(), claims=claims)
    assert not found(outcome, "identity-unknown")
    assert outcome.verdict.basis.name == "declared"
    assert outcome.verdict.basis.assumptions == (
        "what the policy files declare is applied (not checked)",
        f"{NS}/a trusts its service accounts (not declared)",
    )


def test_what_a_file_leaves_open_is_no_matter_of_trust(tmp_path: Path) -> None:
    write(tmp_path / "iam", {NAME: policy("ec2:CreateTags", Resource="arn:aws:ec2:::%{more}")})
    claims = Claims(declarations=declared.load("policies:iam", [tmp_path / "iam"], {}))
    asked = [request("a", "ec2:CreateTags")]
    outcome = judge(tmp_path, asked, asked, Cluster(), claims=claims)
    assert found(outcome, "identity-unknown")
    basis = assumptions.of(outcome.situation, (), Weights(today=TODAY))
    assert basis.assumptions == (f"{NS}/a holds what it needed before (not proven)",)


def test_what_goes_is_not_looked_for_in_the_files(tmp_path: Path) -> None:
    _, report = gate(tmp_path, {NAME: WHOLE}, old=NEW, new=OLD)
    assert places(finding(report, "permission-removed")) == []


def test_what_the_root_credential_lacks_is_of_no_request_and_points_at_no_file(tmp_path: Path) -> None:
    write(tmp_path / "iam", {NAME: policy("s3:GetObject")})
    claims = Claims(declarations=declared.load("policies:iam", [tmp_path / "iam"], {}))
    outcome = judge(tmp_path, OLD, OLD, Cluster(mode="Passthrough", root=True, issuer=""), claims=claims)
    (item,) = found(outcome, "root-credential-insufficient")
    assert [place.side for place in item.finding.evidence] == ["cluster"]


def test_trust_that_is_declared_is_judged(tmp_path: Path) -> None:
    role = {"RoleName": "c1-openshift-storage-cloud", "AssumeRolePolicyDocument": {"Statement": []}}
    put = {"RoleName": role["RoleName"], "PolicyName": "p", "PolicyDocument": WHOLE}
    write(tmp_path / "iam", {"role.json": role, "policy.json": put})
    claims = Claims(declarations=declared.load("policies:iam", [tmp_path / "iam"], {}))
    outcome = judge(tmp_path, OLD, NEW, Cluster(), claims=claims)
    assert found(outcome, "identity-trust-lacks-subject")


def test_what_says_itself_for_which_secret_it_is_is_for_no_other(tmp_path: Path) -> None:
    put = {"RoleName": "c1-openshift-storage-bucket", "PolicyName": "p", "PolicyDocument": WHOLE}
    write(tmp_path, {NAME: put})
    all_of = declared.load("policies:x", [tmp_path], {})
    secrets = [SECRET, "openshift-storage/bucket"]
    served = {secret: all_of.serving("AWSProviderSpec", secret, secrets, None) for secret in secrets}
    assert isinstance(served[SECRET], CoverageResult)
    assert not isinstance(served["openshift-storage/bucket"], CoverageResult)


@pytest.mark.parametrize(("where", "expected"), [("repository", f"iam/{NAME}"), (".", NAME), (None, NAME)])
def test_a_file_is_called_as_its_repository_or_the_working_folder_has_it(
    where: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "repository/iam", {NAME: WHOLE})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if where == "repository":
        (tmp_path / "repository/.git").mkdir()
    monkeypatch.chdir(tmp_path / "repository/iam" if where == "." else elsewhere)
    (file,) = declared.load("policies:x", [tmp_path / "repository/iam"], {}).files
    assert file.name == expected


def _template(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": {f"R{number}": one for number, one in enumerate(resources)}}


def _role(name: str) -> dict[str, Any]:
    own = {"PolicyName": "p", "PolicyDocument": WHOLE}
    return {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "Policies": [own]}}


def _put(role: Any, effect: str = "Deny") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": "*", "Resource": "*"}
    properties = {"PolicyName": "d", "RoleName": role, "PolicyDocument": {"Statement": [statement]}}
    return {"Type": "AWS::IAM::RolePolicy", "Properties": properties}


@pytest.mark.parametrize(
    ("put", "status", "detail"),
    [
        (_put("c1-openshift-storage-cloud"), "unmet", "in u.json"),
        (_put({"Fn::ImportValue": "z"}), "unknown", "u.json does not say on whom d is put"),
        (_put({"Fn::ImportValue": "z"}, "Allow"), "declared", ""),
        (_put("c1-somebody-else"), "declared", ""),
        (_put("c2-openshift-storage-cloud"), "unknown", "u.json does not say on whom d is put"),
    ],
)
def test_a_template_may_deny_what_another_one_allows(
    put: dict[str, Any], status: str, detail: str, tmp_path: Path
) -> None:
    files = {"t.json": _template(_role("c1-openshift-storage-cloud")), "u.json": _template(put)}
    result, report = gate(tmp_path, files)
    need = finding(report, "permission-added")["needs"][0]
    assert (need["status"], result.code == 0) == (status, status == "declared")
    assert detail in str(need.get("detail", ""))


# --- what one file takes away from what another one gives ---


def _stack(name: Any, *policies: Any, **more: Any) -> dict[str, Any]:
    """Return a template with a role of that name, None for one that CloudFormation makes up."""
    named = {} if name is None else {"RoleName": name}
    inline = [{"PolicyName": f"p{number}", "PolicyDocument": body} for number, body in enumerate(policies)]
    role = {"Type": "AWS::IAM::Role", "Properties": {**named, "Policies": inline, **more}}
    return {"Resources": {"OpenshiftStorageCloudRole" if policies == (WHOLE,) else "Role": role}}


def _denying(*roles: Any) -> dict[str, Any]:
    """Return a template that denies something to roles that it does not hold."""
    properties = {"PolicyName": "d", "Roles": list(roles), "PolicyDocument": policy("ec2:CreateTags", Effect="Deny")}
    return {"Resources": {"D": {"Type": "AWS::IAM::Policy", "Properties": properties}}}


REF: dict[str, Any] = {"Ref": "Name"}
SUB: dict[str, Any] = {"Fn::Sub": "${Cluster}-ingress"}
JOIN: dict[str, Any] = {"Fn::Join": ["-", [REF, "ingress"]]}
DENYING = policy("ec2:CreateTags", Effect="Deny")
BOUND = {"PermissionsBoundary": "arn:aws:iam::111122223333:policy/b"}
NAMES: dict[str, tuple[Any, Any, Coverage]] = {
    "the same name": (_stack("c1-ingress", WHOLE), _denying("c1-ingress"), Coverage.DENIED),
    "the same but for case": (_stack("c1-ingress", WHOLE), _denying("C1-Ingress"), Coverage.DENIED),
    "another name": (_stack("c1-ingress", WHOLE), _denying("c1-other"), Coverage.COVERED),
    "a name that a parameter gives": (_stack(REF, WHOLE), _denying("c1-ingress"), Coverage.UNKNOWN),
    "a name that is made": (_stack(SUB, WHOLE), _denying("c1-ingress"), Coverage.UNKNOWN),
    "a name that is joined": (_stack(JOIN, WHOLE), _denying("c1-ingress"), Coverage.UNKNOWN),
    "a name that is made otherwise": (_stack(SUB, WHOLE), _denying("c1-registry"), Coverage.COVERED),
    "a name that is filled in": (_stack("{{ name }}", WHOLE), _denying("c1-ingress"), Coverage.UNKNOWN),
    "denied to a name that is filled in": (_stack("c1-ingress", WHOLE), _denying("{{ name }}"), Coverage.UNKNOWN),
    "a name that CloudFormation makes up": (_stack(None, WHOLE), _denying("c1-ingress"), Coverage.UNKNOWN),
    "a policy of no role": (WHOLE, _denying("c1-ingress"), Coverage.UNKNOWN),
    "denied to another Secret's": (_stack(REF, WHOLE), _denying("openshift-network-cloud"), Coverage.COVERED),
    "a policy, and another Secret's": (WHOLE, _denying("openshift-network-cloud"), Coverage.COVERED),
    "a role of that name": (_stack("c1-ingress", WHOLE), _stack("c1-ingress", DENYING), Coverage.DENIED),
    "a role that may be the same": (_stack(REF, WHOLE), _stack("c1-ingress", DENYING), Coverage.UNKNOWN),
    "a role that may be called so": (_stack("c1-ingress", WHOLE), _stack(REF, DENYING), Coverage.UNKNOWN),
    "a boundary of that name": (_stack("c1-ingress", WHOLE), _stack("c1-ingress", **BOUND), Coverage.UNKNOWN),
    "a boundary that may be of it": (_stack(SUB, WHOLE), _stack("c1-ingress", **BOUND), Coverage.UNKNOWN),
    "a boundary of another": (_stack(SUB, WHOLE), _stack("c1-registry", **BOUND), Coverage.COVERED),
    "a boundary of a role that is made": (_stack(None, WHOLE), _stack(None, **BOUND), Coverage.COVERED),
    "a boundary beside a policy": (WHOLE, _stack("c1-ingress", **BOUND), Coverage.COVERED),
    "nothing that takes away": (_stack(REF, WHOLE), _stack("c1-ingress", policy("s3:*")), Coverage.COVERED),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_a_file_leaves_open_may_be_that_of_another_file(name: str, tmp_path: Path) -> None:
    gives, takes, verdict = NAMES[name]
    write(tmp_path, {NAME if gives is WHOLE else "gives.json": gives, "takes.json": takes})
    read = declared.load("policies:x", [tmp_path], {})
    served = read.serving("AWSProviderSpec", SECRET, [SECRET, "openshift-network/cloud"], None)
    assert not isinstance(served, CoverageResult)
    assert read.judge(served, Grant("action", "ec2:CreateTags", "Allow", "*"), (), None).verdict is verdict


def test_two_roles_of_one_template_are_two(tmp_path: Path) -> None:
    resources = {**_stack(REF, WHOLE)["Resources"], **_stack(REF, DENYING, **BOUND)["Resources"]}
    grant = Grant("action", "ec2:CreateTags", "Allow", "*")
    assert told(tmp_path, {"t.json": {"Resources": resources}}, "AWSProviderSpec", grant).verdict is Coverage.COVERED


LOOSE: dict[str, tuple[str, Any, Coverage]] = {
    "denied to nobody knows whom": ("deny.json", DENYING, Coverage.UNKNOWN),
    "denied in a list": ("deny.json", [DENYING], Coverage.UNKNOWN),
    "denied by a policy with a name": (
        "deny.json",
        {"PolicyName": "guard", "PolicyDocument": DENYING},
        Coverage.UNKNOWN,
    ),
    "allowed to nobody knows whom": ("more.json", policy("s3:*"), Coverage.COVERED),
    "something else denied": ("deny.json", policy("s3:*", Effect="Deny"), Coverage.COVERED),
    "denied to another Secret's": ("openshift-network-cloud.json", DENYING, Coverage.COVERED),
    "denied to a role of another name": (
        "deny.json",
        {"RoleName": "c1-openshift-network-cloud", "PolicyDocument": DENYING},
        Coverage.COVERED,
    ),
    "denied by a template to nobody": (
        "deny.json",
        {"Resources": {"D": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DENYING}}}},
        Coverage.COVERED,
    ),
    "denied under a misspelt name": ("deny.json", {"Statment": DENYING["Statement"]}, Coverage.UNKNOWN),
    "what has no effect": ("deny.json", {"Statements": [{"a": "b"}]}, Coverage.COVERED),
    "denied to a role that carries the Secret": (
        "deny.json",
        {"RoleName": "c1-openshift-storage-cloud", "PolicyDocument": DENYING},
        Coverage.UNKNOWN,
    ),
    "what cannot be read": ("deny.json", {"Statement": "Deny *"}, Coverage.UNKNOWN),
    "denied at a bucket": (
        "bucket.json",
        policy("s3:*", Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
        Coverage.COVERED,
    ),
    "denied at what may be touched": ("any.json", policy("ec2:*", Effect="Deny", Principal="*"), Coverage.UNKNOWN),
    "denied to all but some": (
        "any.json",
        {"Statement": {"Effect": "Deny", "NotPrincipal": {"AWS": "1"}, "Action": "*", "NotResource": "a"}},
        Coverage.UNKNOWN,
    ),
    "denied by a trust policy": (
        "trust.json",
        {"Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]},
        Coverage.COVERED,
    ),
    "denied to a role by what is none of its": (
        "deny.json",
        {"RoleName": "c1-openshift-storage-cloud", "PolicyDocument": policy("s3:*", Effect="Deny", Principal="*")},
        Coverage.UNKNOWN,
    ),
}


@pytest.mark.parametrize("name", LOOSE)
def test_a_policy_that_names_nobody_may_deny_it_to_anybody(name: str, tmp_path: Path) -> None:
    file, content, verdict = LOOSE[name]
    write(tmp_path, {NAME: WHOLE, file: content})
    read = declared.load("policies:x", [tmp_path], {})
    served = read.serving("AWSProviderSpec", SECRET, [SECRET, "openshift-network/cloud"], None)
    assert not isinstance(served, CoverageResult)
    assert read.judge(served, Grant("action", "ec2:CreateTags", "Allow", "*"), (), None).verdict is verdict


def test_a_policy_that_the_configuration_gives_to_another_secret_denies_that_one_alone(tmp_path: Path) -> None:
    write(tmp_path, {NAME: WHOLE, "deny.json": DENYING})
    named = {"openshift-network/cloud": [str(tmp_path / "deny.json")]}
    read = declared.load("policies:x", [tmp_path], named)
    for secret, verdict in ((SECRET, Coverage.COVERED), ("openshift-network/cloud", Coverage.DENIED)):
        served = read.serving("AWSProviderSpec", secret, [SECRET, "openshift-network/cloud"], None)
        assert not isinstance(served, CoverageResult)
        assert read.judge(served, Grant("action", "ec2:CreateTags", "Allow", "*"), (), None).verdict is verdict


ARM = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "resources": [{"type": "Microsoft.Authorization/roleDefinitions", "properties": {"permissions": []}}],
}


def test_what_is_not_read_is_named_in_one_line(tmp_path: Path) -> None:
    files = {NAME: WHOLE, "arm.json": ARM, "main.bicep": "", "roles/main.tf": "", "roles.tf.json": {"resource": {}}}
    _, report = gate(tmp_path, files)
    names = "arm.json, main.bicep, roles.tf.json, roles/main.tf"
    assert report["notes"] == [f"policies:.: nothing is read from {names}: no form of a policy that is known"]
    many = {f"{number}.tf": "" for number in range(3)}
    _, report = gate(tmp_path, many)
    names = "0.tf, 1.tf, 2.tf, arm.json, main.bicep and 2 more"
    assert report["notes"] == [f"policies:.: nothing is read from {names}: no form of a policy that is known"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_folder_that_nobody_may_enter_makes_unknown(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        grant = Grant("action", "ec2:CreateTags", "Allow", "*")
        assert told(tmp_path, {NAME: WHOLE}, "AWSProviderSpec", grant).verdict is Coverage.UNKNOWN
    finally:
        closed.chmod(0o700)


def test_where_everything_is_read_nothing_is_said_of_it(tmp_path: Path) -> None:
    _, report = gate(tmp_path, {NAME: WHOLE, ".hidden/main.tf": "", "README.md": "x"})
    assert report["notes"] == []
