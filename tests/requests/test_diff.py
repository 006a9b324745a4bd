"""What changed between two releases: which requests, and what each grant is to what was required before."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from tests.requests.test_selection import FILTERS, selected
from tests.worlds.rules import NS, PROFILE, request
from upgrade_gate.cluster.model import Override
from upgrade_gate.requests.diff import Change, compare
from upgrade_gate.requests.inclusion import Filters

Document = Mapping[str, Any]


def changes(old: Sequence[Document], new: Sequence[Document], *, filters: Filters = FILTERS) -> dict[str, Change]:
    """Compare two releases; the changes by the name of the request."""
    found = compare(selected(*old, filters=filters), selected(*new, filters=filters))
    assert [change.request for change in found] == sorted(change.request for change in found)
    return {change.component: change for change in found}


def only(old: Sequence[Document], new: Sequence[Document]) -> Change:
    (change,) = changes(old, new).values()
    return change


def added(change: Change) -> list[tuple[str, str, str | None]]:
    return [(one.grant.permission, one.why.value, one.covered_by) for one in change.added]


def statement(*actions: str, resource: str = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"effect": effect, "action": list(actions), "resource": resource, **more}


def stated(*statements: dict[str, Any], name: str = "a", **more: Any) -> dict[str, Any]:
    return request(name, statements=list(statements), **more)


A, A_AND_B = request("a"), request("a", "ec2:DescribeVolumes", "ec2:New")
TAGGED = {"StringEquals": {"aws:ResourceTag/owned": "true"}}


def test_what_is_equal_is_no_change() -> None:
    assert changes([A], [A]) == {}
    assert changes([request("a", "ec2:A", "ec2:B")], [request("a", "ec2:b", "EC2:A", "ec2:A")]) == {}
    assert changes([A], [request("a", annotations={**PROFILE, "more": "words"})]) == {}


def test_a_new_request_asks_for_all_of_its_grants() -> None:
    change = only([], [A])
    assert (change.kind, change.status_before, change.status_after) == ("added", "absent", "applied")
    assert change.why == "the target introduces it"
    assert added(change) == [("ec2:DescribeVolumes", "new", None)]
    assert (change.accounts_added, change.secret_before, str(change.secret_after)) == (
        ("one",),
        None,
        "openshift-storage/cloud",
    )
    assert change.token_paths == (None, None)


def test_a_request_that_the_current_release_leaves_out_is_new_and_says_why() -> None:
    gated = request("a", annotations={**PROFILE, "release.openshift.io/feature-set": "TechPreviewNoUpgrade"})
    change = only([gated], [A])
    assert (change.kind, change.status_before) == ("added", "excluded")
    assert change.why.startswith("the current release leaves it out: ")
    gone = only([A], [gated])
    assert (gone.kind, gone.status_after) == ("removed", "excluded")
    assert gone.why.startswith("the target leaves it out: ")


def test_a_request_that_went_leaves_its_grants() -> None:
    change = only([A], [])
    assert (change.kind, change.why, change.status_after) == ("removed", "the target no longer carries it", "absent")
    assert [(r.grant.permission, r.still_covered_by, r.replaced) for r in change.removed] == [
        ("ec2:DescribeVolumes", None, False)
    ]
    assert (change.accounts_removed, change.secret_after, change.added) == (("one",), None, ())
    deleted = only([A], [request("a", annotations={**PROFILE, "release.openshift.io/delete": "true"})])
    assert (deleted.kind, deleted.why) == ("removed", "the target deletes it")


def test_from_unannotated_to_applied_is_no_change() -> None:
    assert changes([request("a", annotations={})], [A]) == {}


@pytest.mark.parametrize(
    ("before", "after", "why", "by"),
    [
        (statement("ec2:DescribeTags"), statement("ec2:DescribeTags", "ec2:New"), "new", None),
        (statement("ec2:Describe*"), statement("ec2:DescribeTags"), "covered", "ec2:Describe*"),
        (statement("ec2:DescribeTags"), statement("ec2:Describe*"), "new", None),
        (statement("s3:Get", policyCondition=TAGGED), statement("s3:Get"), "widened", None),
        (statement("s3:Get"), statement("s3:Get", policyCondition=TAGGED), "narrowed", "s3:Get"),
        (statement("s3:Get", resource="arn:aws:s3:::a"), statement("s3:Get", resource="*"), "widened", None),
        (statement("s3:Get", resource="*"), statement("s3:Get", resource="arn:aws:s3:::a"), "narrowed", "s3:Get"),
    ],
)
def test_what_an_added_grant_is_to_what_was_required(
    before: dict[str, Any], after: dict[str, Any], why: str, by: str | None
) -> None:
    change = only([stated(before)], [stated(after)])
    ((_, found, covered_by),) = added(change)
    assert (change.kind, found) == ("changed", why)
    assert (covered_by is None) is (by is None)
    assert by is None or (covered_by is not None and by in covered_by)


def test_an_added_deny_is_explained_by_nothing() -> None:
    deny = statement("ec2:DescribeVolumes", effect="Deny")
    change = only([A], [stated(statement("ec2:DescribeVolumes"), deny)])
    assert added(change) == [("ec2:DescribeVolumes", "unclassified", None)]


def test_a_deny_hides_no_other_grant() -> None:
    more = statement("ec2:New"), statement("ec2:A", effect="Deny"), statement("ec2:Tagged", policyCondition=TAGGED)
    change = only([A], [stated(statement("ec2:DescribeVolumes"), *more)])
    assert sorted(added(change)) == [
        ("ec2:A", "unclassified", None),
        ("ec2:New", "new", None),
        ("ec2:Tagged", "new", None),
    ]


def test_a_removed_grant_says_whether_it_is_still_covered_or_only_stands_otherwise() -> None:
    change = only([request("a", "ec2:DescribeTags", "ec2:Gone")], [request("a", "ec2:Describe*")])
    assert [(r.grant.permission, bool(r.still_covered_by), r.replaced) for r in change.removed] == [
        ("ec2:DescribeTags", True, False),
        ("ec2:Gone", False, False),
    ]
    widened = only([stated(statement("s3:Get", policyCondition=TAGGED))], [stated(statement("s3:Get"))])
    assert [r.replaced for r in widened.removed] == [True]


def test_what_is_only_taken_away_is_a_change_too() -> None:
    change = only([A_AND_B], [A])
    assert ([r.grant.permission for r in change.removed], change.added) == (["ec2:New"], ())


def test_requests_on_one_secret_are_one_identity() -> None:
    change = changes([A, request("b", "ec2:New")], [A_AND_B, request("b", "ec2:New")])["a"]
    assert added(change) == [("ec2:New", "covered", f"ec2:New ({NS}/b)")]
    apart = changes([A, request("b", "ec2:New", secret="other")], [A_AND_B, request("b", "ec2:New", secret="other")])
    assert added(apart["a"]) == [("ec2:New", "new", None)]


def test_a_new_request_on_a_secret_in_use_is_covered_by_what_the_others_require() -> None:
    change = changes([A_AND_B], [A_AND_B, request("b", "ec2:New", "ec2:Newer")])["b"]
    assert added(change) == [("ec2:New", "covered", f"ec2:New ({NS}/a)"), ("ec2:Newer", "new", None)]


def test_requests_on_one_secret_cover_a_grant_together() -> None:
    both = statement("kms:ReEncryptFrom"), statement("kms:ReEncryptTo")
    old = [stated(both[0]), stated(both[1], name="b")]
    change = changes(old, [stated(both[0], statement("kms:ReEncrypt*")), old[1]])["a"]
    ((_, why, by),) = added(change)
    assert (why, by is not None and by.endswith("(together with the requests on the same secret)")) == ("covered", True)


@pytest.mark.parametrize("kind", ["MarsProviderSpec", "AlibabaCloudProviderSpec"])
def test_a_request_of_another_cloud_on_the_same_secret_covers_nothing(kind: str) -> None:
    foreign = selected(request("b", "ec2:New", kind=kind), platform="AlibabaCloud").requests
    old, new = (replace(one, requests={**one.requests, **foreign}) for one in (selected(A), selected(A_AND_B)))
    (change,) = compare(old, new)
    assert added(change) == [("ec2:New", "new", None)]


def test_a_left_over_pair_on_one_secret_is_a_rename() -> None:
    change = only([A], [request("z", "ec2:DescribeVolumes", "ec2:New")])
    assert (change.kind, change.request, change.renamed_from) == ("renamed", f"{NS}/z", f"{NS}/a")
    assert added(change) == [("ec2:New", "new", None)]
    assert (change.status_before, change.status_after, change.why) == ("applied", "applied", "")
    assert (change.accounts_added, change.accounts_removed) == ((), ())
    covering = only([request("a", "ec2:Describe*")], [request("z", "ec2:DescribeTags")])
    assert added(covering) == [("ec2:DescribeTags", "covered", "ec2:Describe*")]


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ([A], [request("z", secret="other")], {"a": "removed", "z": "added"}),
        ([A], [request("z"), request("y")], {"a": "removed", "z": "added", "y": "added"}),
        ([A, request("b")], [request("z")], {"a": "removed", "b": "removed", "z": "added"}),
        ([A], [A, request("z")], {"z": "added"}),
        ([A, request("b")], [A], {"b": "removed"}),
        ([A, request("z", secret="other")], [request("z")], {"a": "removed", "z": "changed"}),
        ([A], [request("z"), request("a", secret="other")], {"a": "changed", "z": "added"}),
        ([A], [request("z", kind="MarsProviderSpec")], {"a": "removed", "z": "added"}),
    ],
)
def test_whatever_is_not_clear_is_no_rename(old: list[Document], new: list[Document], kinds: dict[str, str]) -> None:
    assert {name: change.kind for name, change in changes(old, new).items()} == kinds


@pytest.mark.parametrize(
    ("after", "differs"),
    [
        ({"accounts": ("one", "two")}, {"accounts_added": ("two",)}),
        ({"accounts": ()}, {"accounts_removed": ("one",)}),
        ({"secret": "other"}, {"secret_after": "openshift-storage/other"}),
        ({"cloudTokenPath": "/token"}, {"token_paths": (None, "/token")}),
        ({"cloudTokenPath": None}, {"token_paths": ("/old", None)}),
        ({"kind": "MarsProviderSpec"}, {"kind_changed": True, "provider_kind": "MarsProviderSpec"}),
    ],
    ids=str,
)
def test_whatever_else_differs_is_a_change(after: dict[str, Any], differs: dict[str, Any]) -> None:
    before = request("a", cloudTokenPath="/old") if after == {"cloudTokenPath": None} else A
    change = only([before], [request("a", **after)])
    assert change.kind == "changed"
    for name, value in differs.items():
        found = getattr(change, name)
        assert (str(found) if name == "secret_after" else found) == value
    assert change.kind_changed is ("kind" in after)


def test_a_request_that_only_one_side_has_changes_no_kind_and_has_one_token_path() -> None:
    with_path = request("a", cloudTokenPath="/token")
    come, gone = only([], [with_path]), only([with_path], [])
    assert (come.kind_changed, come.token_paths) == (False, (None, "/token"))
    assert (gone.kind_changed, gone.token_paths) == (False, ("/token", None))


def test_another_kind_is_a_change_though_nobody_knows_either() -> None:
    mars, venus = request("a", kind="MarsProviderSpec"), request("a", kind="VenusProviderSpec")
    assert only([mars], [venus]).kind_changed


def test_a_rename_is_a_change_though_nothing_else_differs() -> None:
    assert [(c.kind, c.added, c.other) for c in changes([A], [request("z")]).values()] == [("renamed", (), ())]


def test_a_leaf_that_nothing_explains_is_listed() -> None:
    change = only([A], [request("a", audience="x")])
    assert [(leaf.path, leaf.before, leaf.after, leaf.harmless) for leaf in change.other] == [
        ("spec.audience", None, "x", False)
    ]
    assert only([request("a", audience="x")], [A]).other[0].path == "spec.audience"


def test_what_cvo_leaves_alone_says_so() -> None:
    mine = Override("cloudcredential.openshift.io", "CredentialsRequest", NS, "a", unmanaged=True)
    assert changes([A], [A_AND_B], filters=Filters(overrides=(mine,)))["a"].left_alone
    assert not changes([A], [A_AND_B])["a"].left_alone
    assert not changes([A], [], filters=Filters(overrides=(mine,)))["a"].left_alone
    assert changes([A], [])["a"].provider_kind == "AWSProviderSpec"
