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
        ((4, 9), {"release.openshift.io/feature-gate": "TechPreviewNoUpgrade"}, True),
        ((4, 9), {"release.openshift.io/feature-set": "TechPreviewNoUpgrade"}, True),
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


ALL = Filters(
    exclude_identifier="hosted",
    feature_set="",
    profile="p",
    capabilities=Capabilities(frozenset({"A", "B"}), frozenset({"A"})),
    gates=frozenset({"On"}),
    major_version=4,
)
OLD = Filters(feature_set="", old_tech_preview=True)
MINE = {"include.release.openshift.io/p": "true"}


@pytest.mark.parametrize(
    ("annotations", "filters", "reason", "unrecognised"),
    [
        (None, ALL, "no-annotations", False),
        ({**MINE, "exclude.release.openshift.io/hosted": "true"}, ALL, "exclude", False),
        ({**MINE, "release.openshift.io/feature-set": "OKD"}, ALL, "feature-set", False),
        ({**MINE, "release.openshift.io/feature-set": "Tech"}, ALL, "feature-set", True),
        (
            {**MINE, "release.openshift.io/feature-set": "Default", "release.openshift.io/feature-gate": "On"},
            ALL,
            "feature-set",
            False,
        ),
        ({"release.openshift.io/feature-gate": "TechPreviewNoUpgrade"}, OLD, "feature-set", False),
        ({"release.openshift.io/feature-gate": "Other"}, OLD, "feature-set", True),
        ({**MINE, "release.openshift.io/feature-gate": "Off"}, ALL, "feature-gate", False),
        ({**MINE, "release.openshift.io/feature-gate": "-On"}, ALL, "feature-gate", False),
        ({**MINE, "release.openshift.io/feature-gate": "On,,Off"}, ALL, "feature-gate", False),
        ({**MINE, "release.openshift.io/major-version": "4"}, ALL, "major-version", False),
        ({}, ALL, "profile", False),
        ({"include.release.openshift.io/p": "yes"}, ALL, "profile", True),
        ({**MINE, "capability.openshift.io/name": "B"}, ALL, "capability", False),
        ({**MINE, "capability.openshift.io/name": "C"}, ALL, "capability", True),
    ],
)
def test_each_filter_gives_its_reason_and_says_whether_it_understood(
    annotations: dict[str, str] | None, filters: Filters, reason: str, *, unrecognised: bool
) -> None:
    found = include(Subject(annotations=annotations), filters)
    assert found is not None
    assert (found.reason, found.unrecognised) == (reason, unrecognised)


@pytest.mark.parametrize(
    "annotations",
    [
        {"release.openshift.io/feature-set": "Default"},
        {"release.openshift.io/feature-gate": "On,,-Off"},
        {"exclude.release.openshift.io/other": "true"},
        {"exclude.release.openshift.io/None": "true"},
        {"exclude.release.openshift.io/hosted": "True"},
        {"capability.openshift.io/name": "A"},
    ],
    ids=str,
)
def test_what_no_filter_is_about_is_applied(annotations: dict[str, str]) -> None:
    assert include(Subject(annotations=MINE | annotations), ALL) is None
    assert include(Subject(annotations={"exclude.release.openshift.io/None": "true"}), Filters()) is None


@pytest.mark.parametrize(
    ("value", "applied"),
    [
        ("4", True),
        ("5", False),
        ("5,4", True),
        ("-4", False),
        ("-5", True),
        ("5,,-4", False),
        ("-5, ,4", True),
        ("5,,4", True),
        ("0" * 30 + "4", True),
        (" 4 ", True),
        ("", True),
        ("four", False),
        ("\u0664", False),
        ("04", True),
        ("99999999999999999999999", False),
        ("-18446744073709551615", True),
        ("-018446744073709551616", False),
        ("-99999999999999999999", False),
    ],
)
def test_major_versions_narrow_feature_gates(value: str, *, applied: bool) -> None:
    gate = Subject("config.openshift.io", "FeatureGate", "", "cluster", {"release.openshift.io/major-version": value})
    found = include(gate, Filters(major_version=4))
    assert (found is None) is applied
    assert found is None or found.reason == "major-version"


def _override(name: str = "request", namespace: str = "ns", *, kind: str = "K", unmanaged: bool = True) -> Override:
    return Override("g", kind, namespace, name, unmanaged=unmanaged)


@pytest.mark.parametrize(
    ("overrides", "namespace", "left_alone"),
    [
        ((_override(),), "ns", True),
        ((_override("other"), _override()), "ns", True),
        ((_override(namespace="elsewhere"), _override()), "ns", True),
        ((_override(kind="Other"),), "ns", False),
        ((_override(namespace="elsewhere"),), "ns", False),
        ((_override(unmanaged=False),), "ns", False),
        ((_override(unmanaged=False), _override()), "ns", False),
        ((_override(namespace="any"),), "", True),
    ],
)
def test_an_override_leaves_alone_the_object_that_it_names(
    overrides: tuple[Override, ...], namespace: str, *, left_alone: bool
) -> None:
    """The first entry that names the object counts; an object of the whole cluster has no namespace to compare."""
    found = include(Subject("g", "K", namespace, "request", {}), Filters(overrides=overrides))
    assert (found is not None and found.reason == "override") is left_alone


@pytest.mark.parametrize(
    ("value", "wrong"), [("x", "invalid syntax"), ("\u0664", "invalid syntax"), ("9" * 30, "value out of range")]
)
@pytest.mark.parametrize(("sign", "what"), [("", "required"), ("-", "excluded")])
def test_a_major_version_that_is_none_is_named_by_its_side(value: str, wrong: str, sign: str, what: str) -> None:
    annotations = {"release.openshift.io/major-version": f"{sign}{value}"}
    found = include(Subject("config.openshift.io", "FeatureGate", "", "cluster", annotations), Filters(major_version=4))
    assert found is not None
    assert found.detail.startswith(f"invalid {what} major version")
    assert found.detail.endswith(wrong)


def test_a_profile_that_is_almost_named_is_named() -> None:
    found = include(Subject(annotations={"include.release.openshift.io/P": "true"}), Filters(profile="p"))
    assert found is not None
    assert found.detail == "include.release.openshift.io/p unset, include.release.openshift.io/P is set"
    assert found.unrecognised


def test_from_4_7_on_a_manifest_without_annotations_is_left_out_for_that() -> None:
    found = include(Subject(annotations=None), rule_set(PROFILE, (4, 7)))
    assert found is not None
    assert found.reason == "no-annotations"
