"""The CVO's inclusion decision, case by case as upstream tests and code have it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from upgrade_gate.cluster.model import Override
from upgrade_gate.requests.inclusion import Capabilities, Filters, capability_names, include, rule_set


def _cases() -> list[dict[str, Any]]:
    folder = os.environ.get("UPGRADE_GATE_SHARED")
    if not folder:
        return []
    cases: list[dict[str, Any]] = json.loads((Path(folder) / "cases" / "include_cases.json").read_text())
    return cases


@dataclass
class Subject:
    """A manifest as the decision sees it."""

    group: str = "cloudcredential.openshift.io"
    kind: str = "CredentialsRequest"
    namespace: str = "openshift-cloud-credential-operator"
    name: str = "request"
    annotations: dict[str, str] | None = None


def _filters(case: dict[str, Any]) -> Filters:
    capabilities = case["capabilities"]
    gates = case["enabled_feature_gates"]
    return Filters(
        exclude_identifier=case["exclude_identifier"],
        feature_set=case["required_feature_set"],
        profile=case["profile"],
        capabilities=capabilities
        and Capabilities(frozenset(capabilities["known"]), frozenset(capabilities["enabled"])),
        overrides=tuple(Override(**override) for override in case["overrides"]),
        gates=frozenset(gates) if gates is not None else None,
        major_version=case["major_version"],
    )


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["name"])
def test_upstream_case(case: dict[str, Any]) -> None:
    about = case["object"]
    manifest = Subject(about["group"], about["kind"], about["namespace"], about["name"], case["annotations"])
    found = include(manifest, _filters(case), allow_unknown_capabilities=case["allow_unknown_capabilities"])
    text = "include" if found is None else found.detail
    if case["expected_match"] == "exact":
        assert text == case["expected"]
    else:
        assert case["expected"] in text


def test_every_upstream_case_is_there(shared: Path) -> None:
    assert len(json.loads((shared / "cases" / "include_cases.json").read_text())) == len(_cases()) > 50


PROFILE = Filters(profile="self-managed-high-availability", feature_set="", gates=frozenset(), major_version=4)


@pytest.mark.parametrize(
    ("release", "annotations", "applied"),
    [
        ((4, 6), None, True),
        ((4, 7), None, False),
        ((4, 6), {"unrelated": "x"}, True),
        ((4, 7), {"unrelated": "x"}, False),
        ((4, 10), {"release.openshift.io/feature-gate": "TechPreviewNoUpgrade"}, False),
        ((4, 11), {"release.openshift.io/feature-gate": "TechPreviewNoUpgrade"}, False),
        ((4, 12), {"release.openshift.io/feature-gate": "TechPreviewNoUpgrade"}, True),
        ((4, 11), {"release.openshift.io/feature-set": "TechPreviewNoUpgrade"}, True),
        ((4, 12), {"release.openshift.io/feature-set": "TechPreviewNoUpgrade"}, False),
        ((4, 21), {"release.openshift.io/feature-gate": "Anything"}, True),
        ((4, 22), {"release.openshift.io/feature-gate": "Anything"}, False),
        ((4, 21), {"release.openshift.io/major-version": "4"}, True),
        ((4, 22), {"release.openshift.io/major-version": "4"}, False),
    ],
)
def test_each_release_family_has_its_own_rules(
    release: tuple[int, int], annotations: dict[str, str] | None, applied: bool
) -> None:
    if annotations is not None and "unrelated" not in annotations:
        annotations = {**annotations, "include.release.openshift.io/self-managed-high-availability": "true"}
    assert (include(Subject(annotations=annotations), rule_set(PROFILE, release)) is None) is applied


def test_tech_preview_cluster_of_4_11_applies_a_gated_request() -> None:
    rules = rule_set(Filters(feature_set="TechPreviewNoUpgrade"), (4, 11))
    gated = Subject(annotations={"release.openshift.io/feature-gate": "TechPreviewNoUpgrade"})
    other = Subject(annotations={"release.openshift.io/feature-gate": "Other"})
    assert include(gated, rules) is None
    assert include(other, rules) is not None


def test_capabilities_mean_nothing_before_4_11() -> None:
    filters = Filters(capabilities=Capabilities(frozenset(), frozenset()))
    subject = Subject(annotations={"capability.openshift.io/name": "Storage"})
    assert include(subject, rule_set(filters, (4, 10))) is None
    assert include(subject, rule_set(filters, (4, 11))) is not None


def test_override_of_another_namespace_does_not_count() -> None:
    override = Override("cloudcredential.openshift.io", "CredentialsRequest", "elsewhere", "request", unmanaged=True)
    assert include(Subject(annotations={}), Filters(overrides=(override,))) is None


@pytest.mark.parametrize("number", ["9" * 5000, str(2**64), "-" + "9" * 5000])
def test_a_major_version_beyond_all_numbers_leaves_the_manifest_out(number: str) -> None:
    gate = Subject("config.openshift.io", "FeatureGate", "", "cluster", {"release.openshift.io/major-version": number})
    found = include(gate, Filters(major_version=4))
    assert found is not None
    assert found.reason == "major-version"


def test_zeros_before_a_major_version_do_not_count() -> None:
    value = {"release.openshift.io/major-version": "0" * 5000 + "4"}
    assert (
        include(Subject("config.openshift.io", "FeatureGate", "", "cluster", value), Filters(major_version=4)) is None
    )


def test_required_and_excluded_major_version_contradict() -> None:
    gate = Subject("config.openshift.io", "FeatureGate", "", "cluster", {"release.openshift.io/major-version": "4,-4"})
    found = include(gate, Filters(major_version=4))
    assert found is not None
    assert found.reason == "major-version"


@pytest.mark.parametrize(
    ("value", "names"), [("", ()), ("a", ("a",)), ("a+b", ("a", "b")), ("a+", ("a", "")), (" a", (" a",))]
)
def test_capability_names_split_on_plus_and_stay_untrimmed(value: str, names: tuple[str, ...]) -> None:
    assert capability_names({"capability.openshift.io/name": value}) == names


def test_no_annotations_means_no_capability() -> None:
    assert capability_names(None) == ()
