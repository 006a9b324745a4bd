"""What CCO and CVO do by themselves: the upstream cases, the tables per release, and the guard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.cluster_objects import Objects, sample
from upgrade_gate.base import versions
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import facts_table, observe
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import Guard
from upgrade_gate.requests import update
from upgrade_gate.requests.update import HopKind

if TYPE_CHECKING:
    from pathlib import Path

    from upgrade_gate.base.facts import Fact

SECRETS = {
    # docs/facts/cco.md#upgradeable
    ((4, 5), "AWS"): {
        "openshift-cloud-credential-operator/cloud-credential-operator-s3",
        "openshift-cluster-csi-drivers/ebs-cloud-credentials",
    },
    ((4, 6), "AWS"): set(),
    ((4, 6), "GCP"): {
        "openshift-cluster-csi-drivers/gcp-pd-cloud-credentials",
        "openshift-cloud-credential-operator/cloud-credential-operator-gcp-ro-creds",
    },
    ((4, 6), "OpenStack"): {"openshift-cluster-csi-drivers/openstack-cloud-credentials"},
    ((4, 7), "VSphere"): {"openshift-cluster-storage-operator/openshift-vsphere-problem-detector"},
}
NO_LIST = [((4, 5), "GCP"), ((4, 6), "Azure"), ((4, 7), "oVirt"), ((4, 8), "AWS"), ((4, 6), "IBMCloud"), ((4, 7), "x")]
ISSUER: Fact[str] = Known("https://oidc.example.com")


def test_what_holds_an_update_back_is_what_cvo_refuses_in_every_upstream_case(shared: Path) -> None:
    cases = [case for case in _upstream(shared) if "clusterversion_upgradeable" in case]
    assert len(cases) > 10
    for case in cases:
        current, blocks = case["current"], bool(case["expected"]) and case["expected"]["block"]
        if current is None or versions.parse(current) is None:
            assert not blocks, case["name"]  # no release that could be judged begins at such a version
            continue
        guard, _ = cco.guard_operator(update.kind_of(current, case["desired"]))
        assert (case["clusterversion_upgradeable"] == "False" and guard is Guard.STOPPED) == blocks, case["name"]


def test_what_cco_calls_upgradeable_in_every_upstream_case(shared: Path) -> None:
    cases = [case for case in _upstream(shared) if "credentials_mode" in case]
    assert len(cases) > 5
    for case in cases:
        completed, upgradeable = versions.minor_of(case["completed_version"]), case["expected"] is None
        if completed is None:
            assert not upgradeable, case["name"]
        elif case["credentials_mode"] == "Manual":
            minor = cco.annotation_minor(case["upgradeable_to_annotation"] or "")
            assert (minor is not None and minor > completed) == upgradeable, case["name"]
        else:  # the root credential decides: rule root-credential-missing
            assert (case["note"] == "root secret present") == upgradeable, case["name"]
            assert (
                cco.unproven(platform="AWS", release=completed, mode=Mode.MINT, annotation=Absent(), targets=[]) is None
            )


def _upstream(shared: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((shared / "cases" / "upgradeable_cases.json").read_text())
    return cases


@pytest.mark.parametrize(
    ("annotation", "upgradeable"),
    [
        # the table of docs/facts/cco.md#annotation, current 4.20
        *((text, True) for text in ("4.21", "v4.21", "4.21.3", "v4.21.0-rc.1", "4.99", "5", "v5.0")),
        *((text, False) for text in ("4.20", "4.20.99", "4", "4.9")),
        *(
            (text, False)
            for text in (
                "4.21-rc.1",
                "V4.21",
                "vv4.21",
                " 4.21",
                "4.021",
                "v",
                "latest",
                "",
                "4.21.",
                "4.21.0-01",
                "4.21 ",
            )
        ),
        ("4.21.0+build.7", True),
        ("4.21+build", False),
        ("4." + "9" * 5000, True),
        ("٤.21", False),
    ],
)
def test_the_annotation_is_read_as_go_reads_it(annotation: str, upgradeable: bool) -> None:
    minor = cco.annotation_minor(annotation)
    assert (minor is not None and minor > (4, 20)) == upgradeable


# --- tables per release ---


@pytest.mark.parametrize(("place", "expected"), SECRETS.items())
def test_the_lists_of_secrets(place: tuple[tuple[int, int], str], expected: set[str]) -> None:
    found = cco.secret_list(*place)
    assert found is not None
    assert {str(ref) for ref in found} == expected


@pytest.mark.parametrize("place", NO_LIST)
def test_elsewhere_there_is_no_list(place: tuple[tuple[int, int], str]) -> None:
    assert cco.secret_list(*place) is None


@pytest.mark.parametrize(
    ("release", "platforms"),
    [
        ((4, 7), set()),
        ((4, 8), {"AWS", "GCP", "OpenStack", "VSphere"}),
        ((4, 9), {"AWS", "GCP", "OpenStack", "VSphere"}),
        ((4, 10), {"AWS", "GCP", "OpenStack", "VSphere", "Azure", "oVirt", "KubeVirt"}),
        ((5, 2), {"AWS", "GCP", "OpenStack", "VSphere", "Azure", "oVirt", "KubeVirt"}),
    ],
)
def test_where_the_annotation_is_asked_for(release: tuple[int, int], platforms: set[str]) -> None:
    every = {"AWS", "GCP", "OpenStack", "VSphere", "Azure", "oVirt", "KubeVirt", "IBMCloud", "PowerVS", "Nutanix"}
    every |= {"AlibabaCloud", "BareMetal", "None", "External", "EquinixMetal", "Newcloud"}
    assert {name for name in every if cco.checks_annotation(release, name)} == platforms


@pytest.mark.parametrize(
    ("release", "platform", "hop", "mode", "wanted"),
    [
        ((4, 14), "AWS", "minor", "manual", True),
        ((4, 14), "AWS", "major", "unknown", True),
        ((4, 14), "AWS", "skip", "manual", True),
        ((4, 14), "AWS", "patch", "manual", False),
        ((4, 14), "AWS", "downgrade", "manual", False),
        ((4, 14), "AWS", "minor", "mint", False),
        ((4, 14), "AWS", "minor", "absent", False),
        ((4, 14), "GCP", "minor", "mint", True),
        ((4, 15), "GCP", "minor", "mint", False),
        ((4, 7), "AWS", "minor", "manual", False),
        ((4, 8), "AWS", "minor", "manual", True),
        ((4, 9), "Azure", "minor", "manual", False),
        ((4, 14), "Nutanix", "minor", "manual", False),
    ],
)
def test_when_the_annotation_must_be_set(
    release: tuple[int, int], platform: str, hop: HopKind, mode: str, wanted: bool
) -> None:
    found, reason = cco.annotation_wanted(release=release, platform=platform, hop_kind=hop, mode=Mode(mode))
    assert found == wanted
    assert reason


# --- the guard ---


@pytest.mark.parametrize(
    ("platform", "release", "hop", "mode", "condition", "guard"),
    [
        ("AWS", (4, 14), "minor", "manual", "False", Guard.STOPPED),
        ("AWS", (4, 14), "major", "manual", "False", Guard.STOPPED),
        ("AWS", (4, 14), "skip", "manual", "False", Guard.STOPPED),
        ("AWS", (4, 14), "minor", "manual", "True", Guard.MISSED),
        ("AWS", (4, 14), "minor", "manual", None, Guard.MISSED),
        ("AWS", (4, 14), "patch", "manual", "False", Guard.MISSED),
        ("AWS", (4, 14), "minor", "absent", "False", Guard.MISSED),
        ("AWS", (4, 14), "minor", "mint", "False", Guard.STOPPED),
        ("Nutanix", (4, 14), "minor", "manual", "False", Guard.MISSED),
        ("PowerVS", (4, 14), "minor", "manual", "False", Guard.MISSED),
        ("Azure", (4, 9), "minor", "manual", "False", Guard.MISSED),
        ("Azure", (4, 10), "minor", "manual", "False", Guard.STOPPED),
        ("oVirt", (4, 8), "minor", "manual", "False", Guard.MISSED),
        ("GCP", (4, 6), "minor", "manual", "False", Guard.STOPPED),
        ("AWS", (4, 6), "minor", "manual", "False", Guard.MISSED),
        ("AWS", (4, 6), "minor", "mint", "False", Guard.STOPPED),
        ("GCP", (4, 5), "minor", "mint", "False", Guard.MISSED),
        ("Newcloud", (4, 14), "minor", "manual", "False", Guard.MISSED),
    ],
)
def test_whether_a_new_request_would_have_been_stopped(
    *, platform: str, release: tuple[int, int], hop: HopKind, mode: str, condition: str | None, guard: Guard
) -> None:
    found, reason = cco.guard_new_request(
        platform=platform, release=release, hop_kind=hop, mode=Mode(mode), condition=condition
    )
    assert found is guard
    assert reason


@pytest.mark.parametrize("condition", ["True", "Unknown", None])
def test_what_cco_reports_is_said_only_where_it_is_known(condition: str | None) -> None:
    _, reason = cco.guard_new_request(
        platform="AWS", release=(4, 14), hop_kind="minor", mode=Mode.MANUAL, condition=condition
    )
    assert ("is not known" in reason, f"reports Upgradeable={condition}" in reason) == (
        condition is None,
        condition is not None,
    )


@pytest.mark.parametrize("hop", ["patch", "minor", "major", "skip", "downgrade", "none"])
def test_a_permission_is_never_guarded(hop: HopKind) -> None:
    """On the way to another minor release CCO asks for an annotation, and for nothing at all on a patch."""
    guard, reason = cco.guard_permission(hop)
    assert (guard, "annotation" in reason) == (Guard.MISSED, hop in ("minor", "major", "skip"))


@pytest.mark.parametrize(
    ("release", "hop", "name", "guard"),
    [
        ((4, 5), "minor", "ebs-cloud-credentials", Guard.STOPPED),
        ((4, 5), "patch", "ebs-cloud-credentials", Guard.MISSED),
        ((4, 5), "minor", "other", Guard.MISSED),
        ((4, 6), "minor", "ebs-cloud-credentials", Guard.MISSED),
        ((4, 8), "minor", "ebs-cloud-credentials", Guard.MISSED),
        ((4, 20), "minor", "ebs-cloud-credentials", Guard.MISSED),
    ],
)
def test_a_missing_secret_is_guarded_only_by_the_old_lists(
    release: tuple[int, int], hop: HopKind, name: str, guard: Guard
) -> None:
    secret = SecretRef("openshift-cluster-csi-drivers", name)
    found, reason = cco.guard_secret_missing(platform="AWS", release=release, hop_kind=hop, secret=secret)
    assert (found, "does not check Secrets" in reason) == (guard, release >= (4, 8))


@pytest.mark.parametrize(
    ("hop", "condition", "guard"),
    [
        ("minor", "False", Guard.STOPPED),
        ("minor", "True", Guard.MISSED),
        ("patch", "False", Guard.MISSED),
        ("skip", None, Guard.MISSED),
    ],
)
def test_a_missing_root_credential_is_guarded_by_the_condition(
    hop: HopKind, condition: str | None, guard: Guard
) -> None:
    assert cco.guard_root_credential(hop_kind=hop, condition=condition)[0] is guard


def test_the_operators_refusal_counts_only_where_cvo_listens() -> None:
    assert cco.guard_operator("minor")[0] is Guard.STOPPED
    assert cco.guard_operator("patch")[0] is Guard.MISSED


@pytest.mark.parametrize(
    ("platform", "release", "mode", "annotation", "unproven"),
    [
        ("AWS", (4, 14), "manual", Known("4.15"), False),
        ("AWS", (4, 14), "manual", Known("v4.15.3"), False),
        ("AWS", (4, 14), "manual", Known("4.99"), True),
        ("AWS", (4, 14), "manual", Known("latest"), True),
        ("AWS", (4, 14), "manual", Absent(), True),
        ("AWS", (4, 14), "manual", Unknown("?"), True),
        ("AWS", (4, 14), "mint", Absent(), False),
        ("AWS", (4, 14), "absent", Absent(), False),
        ("Nutanix", (4, 14), "manual", Known("4.15"), True),
        ("Azure", (4, 9), "manual", Known("4.15"), True),
        ("AWS", (4, 6), "manual", Absent(), True),
        ("GCP", (4, 6), "manual", Absent(), False),
        ("GCP", (4, 7), "manual", Absent(), True),
        ("AWS", (4, 8), "manual", Known("4.15"), False),
    ],
)
def test_when_a_good_verdict_of_cco_rests_on_nothing(
    platform: str, release: tuple[int, int], mode: str, annotation: Fact[str], unproven: bool
) -> None:
    reason = cco.unproven(
        platform=platform, release=release, mode=Mode(mode), annotation=annotation, targets={(4, 15), (4, 16)}
    )
    assert bool(reason) == unproven


# --- what a cluster says ---


def test_the_status_and_the_finalizer_are_read_from_the_cluster() -> None:
    objects = sample()
    found = observe.observe(Objects(objects))
    assert cco.upgradeable_status(found) == "False"
    assert isinstance(cco.condition(found, "Progressing"), Absent)
    request = "openshift-cloud-credential-operator/storage"
    assert not cco.has_finalizer(found, request)
    objects["CredentialsRequest/storage"]["metadata"]["finalizers"] = [cco.FINALIZER]
    assert cco.has_finalizer(observe.observe(Objects(objects)), request)
    assert not cco.has_finalizer(observe.observe(Objects(objects)), f"{request}-of-another-name")


def test_what_could_not_be_read_has_neither_status_nor_finalizer() -> None:
    answers = {query: Unknown("forbidden") for query in facts_table.FIRST_WAVE}
    found = observe.observe(Objects({}, answers))
    assert cco.upgradeable_status(found) is None
    assert not cco.has_finalizer(found, "a/b")
    assert isinstance(cco.condition(found, "Upgradeable"), Unknown)


def test_the_annotation_is_set_unless_it_is_there() -> None:
    """A dot in a key is escaped in a JSONPath of kubectl (kubernetes.io, JSONPath support)."""
    command = cco.annotate((4, 15))
    assert command.line.argv[-2:] == ("cloudcredential.openshift.io/upgradeable-to=v4.15", "--overwrite")
    assert command.unless is not None
    key = r"cloudcredential\.openshift\.io/upgradeable-to"
    assert command.unless.argv[-2:] == ("-o", f"jsonpath={{.metadata.annotations.{key}}}")
    assert command.shows == "v4.15"


@pytest.mark.parametrize(
    ("release", "mode", "checked"),
    [
        ((4, 6), Mode.MANUAL, "its list of Secrets for GCP"),
        ((4, 7), Mode.UNKNOWN, "its list of Secrets for GCP"),
        ((4, 6), Mode.MINT, "the root credential"),
        ((4, 8), Mode.MANUAL, "the annotation upgradeable-to"),
        ((4, 14), Mode.PASSTHROUGH, "the root credential"),
    ],
)
def test_what_stops_a_new_request_is_what_cco_checks_in_its_mode(
    release: tuple[int, int], mode: Mode, checked: str
) -> None:
    guard, reason = cco.guard_new_request(
        platform="GCP", release=release, hop_kind="minor", mode=mode, condition="False"
    )
    assert (guard, checked in reason) == (Guard.STOPPED, True)


def test_where_cco_keeps_no_list_a_missing_secret_is_missed() -> None:
    secret = SecretRef("openshift-cluster-csi-drivers", "x")
    assert cco.secret_list((4, 6), "Azure") is None
    found, _ = cco.guard_secret_missing(platform="Azure", release=(4, 6), hop_kind="minor", secret=secret)
    assert found is Guard.MISSED


@pytest.mark.parametrize("platform", ["VSphere", "vsphere", "VSPHERE"])
def test_a_platform_has_its_list_in_any_spelling(platform: str) -> None:
    listed = (SecretRef("openshift-cluster-storage-operator", "openshift-vsphere-problem-detector"),)
    assert cco.secret_list((4, 6), platform) == cco.secret_list((4, 7), platform) == listed
    assert cco.secret_list((4, 6), "Moon") is None
