"""The configuration file: what it may say, where it is looked for, and what it must never decide."""

import os
from pathlib import Path

import pytest

from upgrade_gate.base.errors import ConfigurationError, UsageError
from upgrade_gate.cli import configuration
from upgrade_gate.cli.configuration import EMPTY, FOUND_MAY_SAY, Configuration, Shape, find
from upgrade_gate.cli.options import configurable
from upgrade_gate.gate import findings
from upgrade_gate.gate.findings import Severity
from upgrade_gate.proof.identity_map import Identities

ROLE = "arn:aws:iam::111122223333:role/c1-ingress"


def write(folder: Path, text: str, name: str = configuration.FILE_NAME) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def load(path: Path | None, *, found: bool) -> Configuration:
    return configuration.load(path, configurable(), found=found)


def test_without_a_file_nothing_is_configured() -> None:
    assert load(None, found=False) is EMPTY


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "# later\n")
    assert load(path, found=True).options == {}


def test_the_file_is_found_by_its_name(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    path = write(tmp_path, "")
    assert find(tmp_path) == path


def test_options_are_read_as_the_command_line_would(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "platform: aws\nverify: off\nfail-on: warning\nrequire-proof: true\nno-cluster: no\ntimeout: 30\n"
        "via: [4.15.3, 4.16.1]\nlabel: change=CHG1\ncapabilities: [Console, Storage]\nchannel: 4.10\n",
    )
    assert load(path, found=False).options == {
        "platform": "aws",
        "verify": "off",
        "fail-on": "warning",
        "require-proof": True,
        "no-cluster": False,
        "timeout": "30",
        "via": ("4.15.3", "4.16.1"),
        "label": ("change=CHG1",),
        "capabilities": "Console,Storage",
        "channel": "4.10",
    }


def test_identities_keep_their_spelling(tmp_path: Path) -> None:
    text = f"identities:\n  account: 011122223333\n  default: {ROLE}\n  openshift-ingress/cloud: iam-ServiceId-1\n"
    read = load(write(tmp_path, text), found=False).identities
    assert read == Identities({"openshift-ingress/cloud": "iam-ServiceId-1"}, default=ROLE, account="011122223333")
    assert read.of("openshift-ingress/cloud") == "iam-ServiceId-1"
    assert read.of("openshift-dns/cloud") == ROLE
    assert Identities().of("openshift-dns/cloud") is None


@pytest.mark.parametrize("key", ["ingress", "a/b/c", "/cloud", "openshift-ingress/"])
def test_an_identity_must_name_a_secret(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigurationError, match=r":2: .*must be namespace/secret"):
        load(write(tmp_path, f"identities:\n  {key}: {ROLE}\n"), found=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fail-on: warning\nfail_on: x\n", r":2: unknown key 'fail_on'"),
        ("fail-on: warning\n\nfail-on: blocker\n", r":3: .*fail-on appears twice; first in line 1"),
        ("config: other.yaml\n", r":1: unknown key 'config'"),
        ("require-proof: 1\n", r":1: require-proof: must be true or false, not number"),
        ("require-proof: 'true'\n", r":1: require-proof: must be true or false, not text"),
        ("platform: {name: AWS}\n", r":1: platform: must be one value, not mapping"),
        ("via: [[4.15.3]]\n", r":1: via: must be text, not list"),
        ("- platform\n", r":1: must be a mapping, not list"),
        ("just a text\n", r":1: must be a mapping, not text"),
        ("policy: [a]\n", r":1: policy: must be a mapping, not list"),
        ("policy:\n", r":1: policy: must be a mapping, not nothing"),
        ("policy:\n  no-such-rule: info\n", r":2: no-such-rule: is not a rule"),
        ("policy:\n  permission-added: fatal\n", r":2: permission-added: 'fatal' is not a severity"),
        ("policy:\n  permission-added: off\n", r":2: permission-added: must be text, not true or false"),
        ("policy:\n  accept: [everything]\n", r":2: accept: 'everything' is not"),
        ("policy:\n  accept: secret-exists\n", r":2: accept: must be a list"),
        ("identities: {default: [a]}\n", r":1: default: must be text, not list"),
        ("<<: {platform: AWS}\n", r":1: .*a key must be plain text"),
        ("? [a]\n: b\n", r":1: .*a key must be plain text"),
        ("platform: *nothing\n", r":1: not YAML"),
        ("platform: \x07\n", r": not YAML"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=r"upgrade-gate\.yaml" + message):
        load(write(tmp_path, text), found=False)


def test_a_key_that_is_nearly_a_known_one_is_told_the_known_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(write(tmp_path, "fail_on: warning\n"), found=False)
    assert (caught.value.hint or "").startswith("did you mean fail-on")


@pytest.mark.parametrize("found", [True, False])
def test_the_version_it_wants_is_checked_before_any_other_key(tmp_path: Path, found: bool) -> None:
    with pytest.raises(
        ConfigurationError, match=r"upgrade-gate\.yaml:3: required-version: >=999 is wanted, .* too old"
    ):
        load(write(tmp_path, "insecure: [a]\nof-a-later-version: 1\nrequired-version: '>=999'\n"), found=found)
    assert load(write(tmp_path, "color: never\nrequired-version: '>=0'\n"), found=found).options == {"color": "never"}
    with pytest.raises(ConfigurationError, match=r":2: unknown key 'of-a-later-version'"):
        load(write(tmp_path, "required-version: '>=0'\nof-a-later-version: 1\n"), found=found)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        load(tmp_path, found=False)


PLANTED = [
    *(key for key in sorted(configurable()) if key not in FOUND_MAY_SAY),
    "fail-on: blocker",
    "require-proof: false",
    "strict-proof: no",
    "verify: off",
    "verify: auto",
    f"identities:\n  default: {ROLE}",
    "policy:\n  cco-verdict-unproven: info",
    "policy:\n  permission-added: warning",
    "policy:\n  secret-missing:\n    info",
    "policy:\n  accept: [secret-exists]",
]


@pytest.mark.parametrize("text", PLANTED)
def test_what_a_pull_request_could_plant_is_refused_in_a_file_that_was_found(tmp_path: Path, text: str) -> None:
    key = (text.split("\n")[1] if text.startswith("policy") else text).strip().partition(":")[0]
    written = text if ":" in text else f"{text}: {'true' if configurable()[text] is Shape.FLAG else 'planted'}"
    path = write(tmp_path, f"label: [a=b]\n{written}\n")
    line = 3 if text.startswith("policy") else 2
    with pytest.raises(ConfigurationError, match=rf":{line}: {key}: .*") as caught:
        load(path, found=True)
    assert "in a file that was found, since a pull request could plant it" in caught.value.message
    assert f"--config {path}" in (caught.value.hint or "")
    load(path, found=False)


@pytest.mark.parametrize(
    "text",
    [
        *("label: [a=b]", "color: never", "timeout: 60", "required-version: '>=0'", "fail-on: warning"),
        *("require-proof: true", "strict-proof: yes", "verify: require", "policy: {permission-added: blocker}"),
        *("policy: {live-request-drift: unknown}", "policy: {request-unannotated: blocker}", "policy: {}"),
    ],
)
def test_a_file_that_was_found_may_tighten(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, f"{text}\n")
    assert load(path, found=True) == load(path, found=False)


def test_what_only_bears_the_name_of_a_configuration_is_refused(tmp_path: Path) -> None:
    assert configuration.find(tmp_path) is None
    (tmp_path / configuration.FILE_NAME).symlink_to("nowhere")
    with pytest.raises(UsageError, match="is not a file"):
        configuration.find(tmp_path)
    (tmp_path / configuration.FILE_NAME).unlink()
    os.mkfifo(tmp_path / configuration.FILE_NAME)
    with pytest.raises(UsageError, match="is not a file"):
        configuration.find(tmp_path)


def test_a_rule_can_weigh_more_or_less(tmp_path: Path) -> None:
    text = "policy:\n  permission-added: warning\n  request-unannotated: blocker\n"
    assert load(write(tmp_path, text), found=False).policy == {
        "permission-added": Severity.WARNING,
        "request-unannotated": Severity.BLOCKER,
    }


def _fixed() -> list[str]:
    rules = findings.catalogue().values()
    return [rule.id for rule in rules if rule.severity is Severity.UNKNOWN or not rule.acknowledgeable]


def test_there_are_rules_that_cannot_be_lowered() -> None:
    assert "request-conflict" in _fixed()


@pytest.mark.parametrize("rule", _fixed())
@pytest.mark.parametrize("severity", ["warning", "info"])
def test_what_is_not_known_can_never_weigh_less(tmp_path: Path, rule: str, severity: str) -> None:
    with pytest.raises(ConfigurationError, match=rf":2: {rule}: cannot be lowered"):
        load(write(tmp_path, f"policy:\n  {rule}: {severity}\n"), found=False)


@pytest.mark.parametrize("rule", _fixed())
def test_what_is_not_known_may_weigh_more(tmp_path: Path, rule: str) -> None:
    assert load(write(tmp_path, f"policy:\n  {rule}: blocker\n"), found=False).policy == {rule: Severity.BLOCKER}


def test_an_alias_stands_for_its_value(tmp_path: Path) -> None:
    read = load(write(tmp_path, "via: &stops [4.15.3]\nlabel: *stops\n"), found=False)
    assert read.options == {"via": ("4.15.3",), "label": ("4.15.3",)}


def test_an_error_about_a_key_names_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "\nplatform: AWS\n")
    error = load(path, found=False).error("platform", "is odd")
    assert str(error) == f"{path}:2: platform: is odd"


def test_the_configuration_of_a_real_flow_reads(shared: Path) -> None:
    for path in sorted(shared.glob("cases/gate/*/config.yaml")):
        assert load(path, found=False).identities.account or load(path, found=False).accept, path
