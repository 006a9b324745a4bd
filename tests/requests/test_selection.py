"""What becomes of each document of a request: taken and why, left out and why, not understood, contradictory."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from tests.worlds.rules import NS, PROFILE, request
from upgrade_gate.cluster.model import Override
from upgrade_gate.payloads import payload
from upgrade_gate.payloads.reference import ReleaseFiles
from upgrade_gate.requests.inclusion import Capabilities, Filters
from upgrade_gate.requests.selection import Selection, select

FILTERS = Filters(
    profile="self-managed-high-availability",
    feature_set="",
    capabilities=Capabilities(frozenset({"Storage"}), frozenset()),
    gates=frozenset(),
    major_version=4,
)
UNMANAGED = Override("cloudcredential.openshift.io", "CredentialsRequest", NS, "a", unmanaged=True)
DELETE = {**PROFILE, "release.openshift.io/delete": "true"}
GATED = {**PROFILE, "release.openshift.io/feature-gate": "New"}


def selected(
    *documents: Mapping[str, Any] | str, version: str = "4.15.0", platform: str = "AWS", filters: Filters = FILTERS
) -> Selection:
    """Select from a payload whose documents stand in files of their own, in this order."""
    texts = [document if isinstance(document, str) else yaml.safe_dump(dict(document)) for document in documents]
    files = {f"0000_{number:02}.yaml": text.encode() for number, text in enumerate(texts)}
    metadata = f'{{"kind": "cincinnati-metadata-v0", "version": "{version}"}}'.encode()
    return select(payload.load(ReleaseFiles("dir:x", {"release-metadata": metadata, **files})), platform, filters)


def taken(selection: Selection) -> dict[str, str]:
    return {name.removeprefix(f"{NS}/"): one.status for name, one in selection.requests.items()}


def left_out(selection: Selection) -> list[tuple[str, str]]:
    return [(d.request.removeprefix(f"{NS}/"), d.reason) for d in selection.decisions]


@pytest.mark.parametrize(
    ("annotations", "status"),
    [
        (PROFILE, "applied"),
        ({}, "unannotated"),
        ({"unrelated": "x"}, "unannotated"),
        ({"include.release.openshift.io/ibm-cloud-managed": "true"}, None),
    ],
)
def test_a_request_without_any_profile_is_unannotated_and_one_of_another_is_left_out(
    annotations: dict[str, str], status: str | None
) -> None:
    selection = selected(request("a", annotations=annotations))
    assert taken(selection) == ({"a": status} if status else {})
    assert left_out(selection) == ([] if status else [("a", "profile")])
    assert selection.status(f"{NS}/a")[0] == (status or "excluded")


def test_a_request_without_any_annotations_is_unannotated_too() -> None:
    bare = request("a")
    del bare["metadata"]["annotations"]
    assert taken(selected(bare)) == {"a": "unannotated"}
    assert taken(selected(bare, version="4.22.0", filters=replace(FILTERS, gates=None))) == {"a": "unannotated"}
    assert taken(selected(bare, version="4.6.9")) == {"a": "applied"}


def test_before_4_7_every_request_is_applied() -> None:
    assert taken(selected(request("a", annotations={}), version="4.6.9")) == {"a": "applied"}


@pytest.mark.parametrize(
    ("annotations", "reason"),
    [
        ({"capability.openshift.io/name": "Storage"}, "capability"),
        ({"release.openshift.io/feature-set": "TechPreviewNoUpgrade"}, "feature-set"),
        ({"exclude.release.openshift.io/x": "true"}, "exclude"),
    ],
)
def test_an_unannotated_request_is_left_out_by_every_other_filter(annotations: dict[str, str], reason: str) -> None:
    selection = selected(request("a", annotations=annotations), filters=replace(FILTERS, exclude_identifier="x"))
    assert (taken(selection), left_out(selection)) == ({}, [("a", reason)])


def test_an_override_keeps_the_request_and_says_so() -> None:
    filters = Filters(overrides=(UNMANAGED,))
    selection = selected(request("a"), request("b"), filters=filters)
    assert taken(selection) == {"a": "overridden", "b": "applied"}
    assert selection.decisions == ()


def test_an_override_of_an_unannotated_request_changes_nothing() -> None:
    filters = replace(FILTERS, overrides=(UNMANAGED,))
    assert taken(selected(request("a", annotations={}), filters=filters)) == {"a": "unannotated"}


def test_a_request_of_another_cloud_is_left_out_and_carried() -> None:
    selection = selected(request("a"), request("g", kind="GCPProviderSpec"))
    assert (taken(selection), left_out(selection)) == ({"a": "applied"}, [("g", "platform")])
    assert selection.carried == {f"{NS}/a", f"{NS}/g"}
    assert "GCP" in selection.status(f"{NS}/g")[1]
    assert taken(selected(request("a"), platform="aws")) == {"a": "applied"}


def test_a_kind_that_nobody_knows_is_taken() -> None:
    assert taken(selected(request("a", kind="MarsProviderSpec"))) == {"a": "applied"}


def test_a_delete_manifest_takes_nothing_and_deletes_where_it_would_be_applied() -> None:
    selection = selected(request("a", annotations=DELETE))
    assert (taken(selection), left_out(selection), selection.carried) == ({}, [("a", "delete")], frozenset())
    assert selection.deleted == {f"{NS}/a"}
    assert selection.status(f"{NS}/a") == ("excluded", "release.openshift.io/delete=true")


@pytest.mark.parametrize(
    ("annotations", "filters", "reason"),
    [
        ({"release.openshift.io/delete": "true"}, FILTERS, "profile"),
        (DELETE, Filters(profile="ibm-cloud-managed"), "profile"),
        (DELETE, Filters(overrides=(UNMANAGED,)), "override"),
        (DELETE | {"capability.openshift.io/name": "Storage"}, FILTERS, "capability"),
    ],
)
def test_a_delete_manifest_that_is_not_applied_deletes_nothing(
    annotations: dict[str, str], filters: Filters, reason: str
) -> None:
    selection = selected(request("a", annotations=annotations), filters=filters)
    assert (left_out(selection), selection.deleted) == ([("a", reason)], frozenset())


def test_a_delete_manifest_hides_no_request_after_it() -> None:
    assert taken(selected(request("a", annotations=DELETE), request("b"))) == {"b": "applied"}


def test_what_cvo_is_told_to_leave_alone_it_does_not_delete() -> None:
    selection = selected(request("a", annotations=DELETE), filters=Filters(overrides=(UNMANAGED,)))
    assert selection.status(f"{NS}/a")[0] == "excluded"
    assert "spec.overrides" in selection.status(f"{NS}/a")[1]


def test_every_conflict_is_told_in_order() -> None:
    selection = selected(*(request(name, action) for name in ("b", "a") for action in ("ec2:A", "ec2:B")))
    assert [conflict.request for conflict in selection.conflicts] == [f"{NS}/a", f"{NS}/b"]


def test_a_delete_manifest_for_a_name_that_is_also_applied_deletes_nothing_here() -> None:
    """A cleanup file for another profile must not read as a removal."""
    selection = selected(request("a"), request("a", annotations=DELETE))
    assert (taken(selection), selection.decisions, selection.deleted) == ({"a": "applied"}, (), frozenset())
    assert selected(request("a", annotations={**PROFILE, "release.openshift.io/delete": "false"})).requests


def test_two_equal_definitions_are_one_and_two_different_ones_a_conflict() -> None:
    equal = selected(request("a"), request("a"), request("b"))
    assert (taken(equal), equal.conflicts) == ({"a": "applied", "b": "applied"}, ())
    assert [place.file for place in equal.requests[f"{NS}/a"].locations] == ["0000_00.yaml", "0000_01.yaml"]
    different = selected(request("a"), request("a", "ec2:Other"))
    (conflict,) = different.conflicts
    assert (conflict.request, len(conflict.locations)) == (f"{NS}/a", 2)


def test_of_what_contradicts_itself_and_of_what_nobody_understands_it_is_not_certain_what_it_asks_for() -> None:
    broken = request("b")
    broken["spec"]["secretRef"] = None
    selection = selected(request("a"), request("a", "ec2:Other"), broken, request("c"))
    assert selection.uncertain == {f"{NS}/a", f"{NS}/b"}


def test_of_equal_definitions_the_applied_one_counts() -> None:
    selection = selected(request("a", annotations={}), request("a"))
    assert taken(selection) == {"a": "applied"}
    assert [place.file for place in selection.requests[f"{NS}/a"].locations] == ["0000_01.yaml", "0000_00.yaml"]
    assert selection.requests[f"{NS}/a"].request.location.file == "0000_01.yaml"


TWICE = "apiVersion: cloudcredential.openshift.io/v1\nkind: CredentialsRequest\nmetadata:\n  name: a\n  namespace: NS\n"
SPEC = (
    "  annotations: {include.release.openshift.io/self-managed-high-availability: 'true'}\nspec:\n"
    "  secretRef: {name: s, namespace: n}\n  providerSpec:\n    kind: AWSProviderSpec\n"
    "    statementEntries: [{effect: Allow, action: ['ec2:Describe*'], resource: '*'}]\n"
)


@pytest.mark.parametrize(
    ("twice", "chosen"),
    [
        (SPEC + "  cloudTokenPath: /one\n  cloudTokenPath: /two\n", True),
        (SPEC + "    kind: GCPProviderSpec\n", False),
        (SPEC + "spec: {secretRef: {name: t, namespace: n}}\n", False),
        (SPEC.replace("'true'}", "'true', include.release.openshift.io/self-managed-high-availability: 'no'}"), False),
        (SPEC + "  providerSpec: {kind: GCPProviderSpec}\n", False),
    ],
    ids=["a field", "the kind", "the whole spec", "an annotation", "the whole provider spec"],
)
def test_a_key_that_stands_twice_is_a_conflict_and_hides_whether_the_request_applies(twice: str, chosen: bool) -> None:
    selection = selected(TWICE.replace("NS", NS) + twice)
    assert [conflict.request for conflict in selection.conflicts] == [f"{NS}/a"]
    assert bool(selection.requests) is chosen
    assert selection.decisions == ()
    assert selection.carried == {f"{NS}/a"}


@pytest.mark.parametrize(
    "spec",
    [
        {"providerSpec": {"kind": "AWSProviderSpec", "statementEntries": "all"}},
        {"serviceAccountNames": "one"},
        {"secretRef": None},
        {"secretRef": {"name": "s"}},
        {"cloudTokenPath": 7},
    ],
    ids=str,
)
def test_a_request_that_cannot_be_understood_is_told_unless_a_filter_leaves_it_out(spec: dict[str, Any]) -> None:
    broken = request("a")
    broken["spec"] |= spec
    selection = selected(broken)
    assert (taken(selection), selection.decisions) == ({}, ())
    assert [(one.request, one.location.file) for one in selection.malformed] == [(f"{NS}/a", "0000_00.yaml")]
    broken["metadata"]["annotations"]["capability.openshift.io/name"] = "Storage"
    gone = selected(broken)
    assert (gone.malformed, left_out(gone)) == ((), [("a", "capability")])


@pytest.mark.parametrize(
    "annotations",
    [
        {"include.release.openshift.io/self-managed-high-availability": "True"},
        PROFILE | {"capability.openshift.io/name": "Storrage"},
        PROFILE | {"release.openshift.io/feature-set": "TechPreview"},
    ],
    ids=str,
)
def test_a_value_outside_its_closed_list_is_not_understood(annotations: dict[str, str]) -> None:
    selection = selected(request("a", annotations=annotations))
    assert (taken(selection), selection.decisions) == ({}, ())
    assert [one.request for one in selection.malformed] == [f"{NS}/a"]


@pytest.mark.parametrize(
    ("version", "gates", "annotations", "gated"),
    [
        ("4.22.0", None, GATED, True),
        ("5.0.0", None, GATED, True),
        ("4.22.0", frozenset({"New"}), GATED, False),
        ("4.22.0", None, PROFILE, False),
        ("4.21.9", None, GATED, False),
    ],
)
def test_a_selection_hangs_on_gates_only_where_they_count_and_are_not_known(
    version: str, gates: frozenset[str] | None, annotations: dict[str, str], gated: bool
) -> None:
    selection = selected(request("a", annotations=annotations), version=version, filters=Filters(gates=gates))
    assert selection.gated == ((f"{NS}/a",) if gated else ())


def test_what_the_payload_does_not_have_is_absent_and_other_documents_are_no_requests() -> None:
    other = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": NS}}
    selection = selected(other)
    assert selection.status(f"{NS}/a") == ("absent", "")
    assert selection.carried == frozenset()


def test_requests_and_reasons_are_sorted() -> None:
    selection = selected(
        request("b"), request("z", kind="GCPProviderSpec"), request("a"), request("c", kind="AzureProviderSpec")
    )
    assert list(taken(selection)) == ["a", "b"]
    assert [name for name, _ in left_out(selection)] == ["c", "z"]
