"""Each kind of fault of the field, swept over its neighbours: other clouds, releases, places and spellings."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds import flows
from tests.worlds.cluster_objects import encoded
from tests.worlds.flows import PLATFORM_KINDS
from tests.worlds.rules import Cluster, found, judge
from upgrade_gate.clouds.contract.grants import cloud_of
from upgrade_gate.gate.outcome import Outcome

LISTING = sorted(p for p, kind in PLATFORM_KINDS.items() if (cloud := cloud_of(kind)) and cloud.HAS_PERMISSIONS)
"""The platforms whose requests list permissions."""


def cluster(platform: str, **more: Any) -> Cluster:
    """Return a cluster of a platform with the Secret of the component; its keys were not read."""
    return Cluster(platform=platform, keys=None, secrets=("openshift-comp/creds",), **more)


def request(platform: str) -> dict[str, Any]:
    """Return the request of one component, which asks for two things."""
    return flows.request(platform, "comp", "ec2:A", "ec2:B")


def run(folder: Path, old: dict[str, Any], new: dict[str, Any], platform: str) -> Outcome:
    return judge(folder, [old], [new], cluster(platform))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield each place in a provider spec but for its own apiVersion."""
    if path and path != ("apiVersion",):
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, (*path, number))


def changed(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return a request with another value at a place of its provider spec; without the place for `...`."""
    mutant = copy.deepcopy(body)
    *above, last = path
    part = mutant["spec"]["providerSpec"]
    for key in above:
        part = part[key]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return mutant


@pytest.mark.parametrize("platform", LISTING)
def test_a_provider_spec_that_lost_something_never_reads_as_asking_for_less(platform: str, tmp_path: Path) -> None:
    """What a list holds may go entry by entry (that is a reduction); whole lists, names and types do not."""
    whole = request(platform)
    assert run(tmp_path / "whole", whole, whole, platform).verdict.status == "pass"
    spec = whole["spec"]["providerSpec"]
    for number, path in enumerate(places(spec)):
        part: Any = spec
        for key in path:
            part = part[key]
        lost = [] if isinstance(path[-1], int) else [...]  # an entry of a list that goes is a reduction
        empty: Any = type(part)()
        optional = platform in ("AWS", "AlibabaCloud") and path[-1] in ("effect", "resource")
        values: list[Any] = [*lost, None, empty, 0, False, {"x": "y"}, [None], [[]], [{}]]
        for turn, value in enumerate(values):
            if optional and value in (..., None):
                continue  # CCO hands an absent effect or resource on as it is; the gate reads `Allow` and `*`
            mutant = changed(whole, path, value)
            outcome = run(tmp_path / f"{number}-{turn}", whole, mutant, platform)
            assert outcome.verdict.exit_code in (3, 4), f"{path} is {value!r}: {outcome.verdict.summary}"
            both = run(tmp_path / f"{number}-{turn}-both", mutant, mutant, platform)
            assert value == [] or both.verdict.exit_code in (3, 4), f"{path} is {value!r} in both releases"


@pytest.mark.parametrize("platform", LISTING)
def test_an_empty_list_where_something_was_asked_for_is_a_change_that_no_rule_explains(
    platform: str, tmp_path: Path
) -> None:
    whole = request(platform)
    (field,) = (key for key in whole["spec"]["providerSpec"] if key not in ("apiVersion", "kind"))
    emptied = changed(whole, (field,), [])
    outcome = run(tmp_path / "1", whole, emptied, platform)
    (finding,) = found(outcome, "unclassified-change")
    assert f"spec.providerSpec.{field}" in finding.finding.headline
    assert outcome.verdict.exit_code == 3
    assert run(tmp_path / "2", emptied, emptied, platform).verdict.status == "pass"
    fewer = flows.request(platform, "comp", "ec2:A")
    assert run(tmp_path / "3", whole, fewer, platform).verdict.status == "pass"


SLIPS: tuple[Callable[[str], str], ...] = (str.lower, str.upper, "{} ".format, "{}s".format, lambda kind: kind[:-1])


@pytest.mark.parametrize("platform", sorted(PLATFORM_KINDS))
def test_a_kind_that_was_misspelt_is_no_other_cloud(platform: str, tmp_path: Path) -> None:
    whole, kind = request(platform), PLATFORM_KINDS[platform]
    new = flows.request(platform, "new")
    for number, slip in enumerate(SLIPS):
        mutant = changed(new, ("kind",), slip(kind))
        outcome = judge(
            tmp_path / str(number),
            [whole],
            [whole, mutant],
            Cluster(platform=platform, keys=None, secrets=("openshift-comp/creds", "openshift-new/creds")),
        )
        assert outcome.verdict.exit_code == 4, slip(kind)
        assert found(outcome, "manifest-unreadable")
    for value in ("", None, ...):
        mutant = changed(whole, ("kind",), value)
        assert run(tmp_path / f"none-{value}", mutant, mutant, platform).verdict.exit_code == 4


WITH_ROOT = tuple(flows.ROOTS)
"""The platforms on which CCO works with a root Secret."""
MINTING = ("AWS", "GCP")
VALUE = encoded("24 bytes long")


def _modes(platform: str) -> tuple[str, ...]:
    return ("Mint", "Passthrough", "") if platform in MINTING else ("Passthrough", "")


def _edited(place: str, change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """Return the change of a dump that is made to each object of one of its lists, or to the object itself."""

    def edit(dump: Path) -> None:
        path = dump / place
        body = yaml.safe_load(path.read_text())
        for item in body.get("items", [body]):
            change(item)
        path.write_text(yaml.safe_dump(body))

    return edit


def _given_keys(name: str, data: dict[str, str]) -> Callable[[dict[str, Any]], None]:
    def change(secret: dict[str, Any]) -> None:
        if secret["metadata"]["name"] == name:
            secret["data"] = data

    return change


@pytest.mark.parametrize("platform", WITH_ROOT)
def test_a_root_secret_that_is_only_there_serves_nobody(
    platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row 1 of what real components showed: what CCO hands out are the keys."""
    keys = flows.KEYS[platform]
    states: dict[str, dict[str, str]] = {
        "meaningless": {"foo": VALUE},
        "none": {},
        "empty values": dict.fromkeys(keys, ""),
        "0 bytes": dict.fromkeys(keys, encoded("0 bytes long")),
        "another case": {key.upper(): VALUE for key in keys},
        "good": dict.fromkeys(keys, VALUE),
    }
    for mode in _modes(platform):
        for name, data in states.items():
            edit = _edited("namespaces/kube-system/core/secrets.yaml", _given_keys(flows.ROOTS[platform], data))
            world = flows.same(platform, mode=mode, edit=edit, annotation=None)
            code, report = flows.run(flows.write(world, tmp_path / f"{mode}-{name}"), capsys)
            rules = {finding["rule"] for finding in report["findings"]} - {"release-unverified"}
            assert (code, rules) == ((0, set()) if name == "good" else (3, {"root-credential-missing"})), (mode, name)


RELEASES = ("4.6.10", "4.7.46", "4.7.47", "4.8.33", "4.8.34", "4.9.5", "4.10.3", "4.16.3", "5.0.3")
STILL_MINTED = {"4.7.46": "mint", "4.8.33": "mint", "4.6.10": "unknown", "4.9.5": "unknown"}
"""What CCO does on Azure where the root Secret says mint, before 4.10 (docs/facts/cco.md#modes)."""


def _works(platform: str, mark: str, release: str) -> str:
    """Return how CCO works in its default mode, by what the root Secret is annotated with."""
    if mark == "mint" and platform == "Azure":
        return STILL_MINTED.get(release, "passthrough")
    if mark in ("", "mint"):
        return "mint" if platform in MINTING else "passthrough"
    return mark if mark == "passthrough" else "unknown"


@pytest.mark.parametrize("platform", WITH_ROOT)
def test_a_mode_that_cco_cannot_follow_is_not_believed(
    platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for mark in ("", "mint", "passthrough", "insufficient", "Mint", "mint "):
        for release in RELEASES if platform == "Azure" else RELEASES[::4]:
            major, minor, _ = map(int, release.split("."))
            world = flows.same(
                platform, versions=(release, f"{major}.{minor + 1}.0"), mode="", root_mode=mark, annotation=None
            )
            code, report = flows.run(flows.write(world, tmp_path / f"{mark}-{release}"), capsys)
            works = _works(platform, mark, release)
            assert report["mode"] == works, (mark, release)
            assert code == (4 if works == "unknown" else 0), (mark, release)


CONDITION = {"type": "CredentialsProvisionFailure", "status": "True", "reason": "r", "message": "m"}
STATES: dict[str, tuple[dict[str, Any], int]] = {
    "it failed": ({"conditions": [CONDITION]}, 3),
    "the root credential is too small": ({"conditions": [{**CONDITION, "type": "InsufficientCloudCreds"}]}, 3),
    "never provisioned": ({"provisioned": False}, 3),
    "provisioned once, and fails now": ({"provisioned": True, "conditions": [CONDITION]}, 3),
    "both at once": ({"provisioned": True, "conditions": [CONDITION, {**CONDITION, "status": "False"}]}, 4),
    "a state that nobody knows": ({"provisioned": True, "conditions": [{**CONDITION, "status": "true"}]}, 4),
    "no boolean": ({"provisioned": "false"}, 4),
    "it failed once": ({"provisioned": True, "conditions": [{**CONDITION, "status": "False"}]}, 0),
    "of another cloud": ({"provisioned": False, "conditions": [{**CONDITION, "type": "Ignored"}]}, 0),
}


@pytest.mark.parametrize("platform", WITH_ROOT)
def test_a_request_that_fails_counts_at_once_on_every_platform(
    platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row 2: ClusterOperator and Degraded follow minutes later."""
    for mode in _modes(platform):
        for name, (status, wanted) in STATES.items():
            live = [{**flows.request(platform), "status": status}]
            world = flows.same(platform, mode=mode, live=live, annotation=None)
            code, _ = flows.run(flows.write(world, tmp_path / f"{mode}-{name}"), capsys)
            assert code == wanted, (mode, name)


def _in_metadata(**fields: Any) -> Callable[[dict[str, Any]], None]:
    def change(secret: dict[str, Any]) -> None:
        if secret["metadata"]["name"] == "creds":
            secret["metadata"].update(fields)

    return change


GOING: dict[str, tuple[Callable[[dict[str, Any]], None], tuple[int, ...]]] = {
    "being deleted": (_in_metadata(deletionTimestamp="2026-11-01T00:00:00Z"), (4,)),
    "deleted at no time": (_in_metadata(deletionTimestamp=""), (4,)),
    "of another namespace": (_in_metadata(namespace="kube-system"), (3, 4)),
    "of no namespace": (_in_metadata(namespace=None), (3, 4)),
    "of another name": (_in_metadata(name="Creds"), (3,)),
    "with a space behind its name": (_in_metadata(name="creds "), (3, 4)),
    "with a name that is none": (_in_metadata(name=["creds"]), (4,)),
    "as it should be": (_in_metadata(deletionTimestamp=None), (0,)),
}


@pytest.mark.parametrize("platform", sorted(PLATFORM_KINDS))
def test_only_the_secret_itself_is_the_secret(
    platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, (change, codes) in GOING.items():
        edit = _edited("namespaces/openshift-comp/core/secrets.yaml", change)
        code, _ = flows.run(flows.write(flows.same(platform, edit=edit), tmp_path / name), capsys)
        assert code in codes, name


SPELLINGS: tuple[Callable[[str], Any], ...] = (
    str,
    str.swapcase,
    "{} ".format,
    " {}".format,
    "{}\n".format,
    "{}\N{NO-BREAK SPACE}".format,
    "{}\N{ZERO WIDTH SPACE}".format,
    '"{}"'.format,
    lambda text: text.translate(str.maketrans("aeA", "\u0430\u0435\u0410")),  # Cyrillic letters that look the same
    lambda text: [text],
    lambda text: {"": text},
    lambda _: 1,
    lambda _: True,
)
CONFIG = "cluster-scoped-resources/config.openshift.io"
CLOSED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "platform": (f"{CONFIG}/infrastructures.yaml", ("status", "platformStatus", "type")),
    "older platform": (f"{CONFIG}/infrastructures.yaml", ("status", "platform")),
    "topology": (f"{CONFIG}/infrastructures.yaml", ("status", "controlPlaneTopology")),
    "feature set": (f"{CONFIG}/featuregates.yaml", ("spec", "featureSet")),
    "profile": (
        "namespaces/openshift-cluster-version/apps/deployments.yaml",
        ("spec", "template", "spec", "containers", 0, "env", 0, "value"),
    ),
    "mode": (
        "cluster-scoped-resources/operator.openshift.io/cloudcredentials/cluster.yaml",
        ("spec", "credentialsMode"),
    ),
    "state of an update": (f"{CONFIG}/clusterversions/version.yaml", ("status", "history", 0, "state")),
    "state of a condition": (
        f"{CONFIG}/clusteroperators/cloud-credential.yaml",
        ("status", "conditions", 0, "status"),
    ),
}


def _spelt(path: tuple[Any, ...], spelling: Callable[[str], Any]) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        *above, last = path
        part: Any = body
        for key in above:
            part = part[key]
        part[last] = spelling(part[last])

    return change


@pytest.mark.parametrize("what", CLOSED)
def test_what_is_one_of_a_closed_list_is_read_letter_by_letter(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No acknowledgement of what is found opens it again."""
    place, path = CLOSED[what]
    for number, spelling in enumerate(SPELLINGS):
        edit = _edited(place, _spelt(path, spelling))
        world = flows.same(feature_set="TechPreviewNoUpgrade", edit=edit)
        arguments = flows.write(world, tmp_path / str(number))
        code, report = flows.run(arguments, capsys)
        assert code == (0 if spelling is str else 4), f"spelling {number}"
        accepted = tmp_path / f"{number}.yaml"
        entries = [
            {"fingerprint": f["fingerprint"], "reason": "r", "owner": "o", "expires": "2026-12-31"}
            for f in report["findings"]
        ]
        accepted.write_text(json.dumps({"acknowledgements": entries}))
        again, report = flows.run([*arguments, "--acknowledgements", str(accepted)], capsys)
        read = isinstance(spelling("x"), str)  # another type is not a value at all: it was not read
        assert again == code or not read, f"spelling {number} was accepted"
